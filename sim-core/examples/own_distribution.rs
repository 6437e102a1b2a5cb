//! A distribution of one's own: the triangle between two times.
//!
//! `cargo run --release -p sim-core --example own_distribution`
#![expect(
    clippy::print_stdout,
    reason = "a few lines on the terminal are all it does"
)]

use sim_core::prelude::*;
use std::sync::Arc;

static TRIANGLE: DistributionDef = DistributionDef::new(
    ExtensionRow {
        name: "triangle",
        about: "The sum of two like uniform times from zero on: most often half of the longest.",
        source: "",
        params: &[ParamDef::span(
            "longest",
            Duration(1),
            "20ms",
            "The longest.",
        )],
    },
    |params| {
        let half_ns = params.span("longest").0 as f64 / 2.0;
        Box::new(Triangle { half_ns })
    },
);

#[derive(Debug)]
struct Triangle {
    half_ns: f64,
}

impl Distribution for Triangle {
    fn sample_ns(&self, draws: &mut Draws) -> f64 {
        self.half_ns * (draws.uniform() + draws.uniform())
    }

    // What theory, forecasts of load and the choice of a warm-up go by.
    fn mean_ns(&self) -> f64 {
        self.half_ns
    }

    fn cv2(&self) -> f64 {
        1.0 / 6.0
    }

    fn moment(&self, k: u32) -> f64 {
        // Of the sum of two uniform times: 2 (2^(k+1) - 1) / ((k + 1) (k + 2)), over a mean of 1.
        let power = (1_u64 << (k + 2)) as f64;
        (power - 2.0) / (f64::from(k + 1) * f64::from(k + 2))
    }

    fn below(&self, ns: f64) -> f64 {
        let x = (ns / self.half_ns).clamp(0.0, 2.0);
        if x <= 1.0 {
            x * x / 2.0
        } else {
            1.0 - (2.0 - x) * (2.0 - x) / 2.0
        }
    }
}

const SCENARIO: &str = r#"
horizon = "30m"
warm_up = "1m"
traffic = [{ to = "web", rate = 80 }]

[service.web]
demand = { kind = "triangle", longest = "20ms" }
server = [{ name = "web", workers = 1 }]
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    register(&TRIANGLE)?;
    let mut simulation = Simulation::new(Arc::new(parse(SCENARIO)?), 0);
    simulation.run();
    let wait = Summary::of(&simulation, 0).figure("services.web.wait_s.mean");
    // Pollaczek and Khinchine: rho / (1 - rho) · (1 + cv²) / 2 · mean.
    let theory = 0.8 / 0.2 * (1.0 + 1.0 / 6.0) / 2.0 * 10.0;
    println!(
        "mean wait {:.1} ms; theory {theory:.1} ms",
        wait.unwrap_or(f64::NAN) * 1e3
    );
    Ok(())
}
