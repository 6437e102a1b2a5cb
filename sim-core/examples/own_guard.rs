//! A guard of one's own: every third attempt is refused while more than so many are in flight.
//!
//! `cargo run --release -p sim-core --example own_guard`
#![expect(
    clippy::print_stdout,
    reason = "a few lines on the terminal are all it does"
)]

use sim_core::prelude::*;
use std::sync::Arc;

static EVERY_THIRD: GuardDef = GuardDef::new(
    ExtensionRow {
        name: "every-third",
        about: "Refuses every third attempt while more than a number are in flight.",
        source: "",
        params: &[ParamDef::count(
            "above",
            (0, 1_000_000),
            "attempts",
            "20",
            "How many may be in flight before it begins.",
        )],
    },
    |params| {
        let above = params.integer("above") as u32;
        Box::new(EveryThird { above, seen: 0 })
    },
);

#[derive(Clone, Debug)]
struct EveryThird {
    above: u32,
    seen: u64,
}

impl Guard for EveryThird {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        if asked.in_flight <= self.above {
            return Verdict::Pass;
        }
        self.seen += 1;
        if self.seen.is_multiple_of(3) {
            Verdict::Refuse
        } else {
            Verdict::Pass
        }
    }

    fn gauge(&self, _: Instant) -> (&'static str, f64) {
        ("seen above the limit", self.seen as f64)
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

const SCENARIO: &str = r#"
horizon = "2m"
traffic = [{ to = "web", rate = 120 }]

[service.web]
demand = "10ms"
balancer.guards = ["every-third"]
server = [{ name = "web", workers = 1 }]
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    register(&EVERY_THIRD)?;
    let mut simulation = Simulation::new(Arc::new(parse(SCENARIO)?), 0);
    simulation.run();
    let summary = Summary::of(&simulation, 0);
    println!(
        "{} of {} requests were refused",
        summary.requests.failed, summary.requests.arrived
    );
    Ok(())
}
