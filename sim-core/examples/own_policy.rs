//! A policy of one's own beside the program's, under the same random numbers.
//!
//! `cargo run --release -p sim-core --example own_policy`
#![expect(
    clippy::print_stdout,
    reason = "a few lines on the terminal are all it does"
)]

use sim_core::prelude::*;
use std::sync::Arc;

/// The policy: least in flight of the server that it took last and one that is drawn.
static STAY_OR_GO: PolicyDef = PolicyDef::new(
    ExtensionRow {
        name: "stay-or-go",
        about: "The server of the last pick, or a drawn one with fewer attempts in flight.",
        source: "",
        params: &[ParamDef::count(
            "margin",
            (0, 1000),
            "attempts",
            "0",
            "By how many fewer.",
        )],
    },
    &|params| {
        let margin = params.integer("margin") as u32;
        Box::new(StayOrGo { margin, last: 0 })
    },
);

#[derive(Clone, Debug)]
struct StayOrGo {
    margin: u32,
    last: u32,
}

impl Policy for StayOrGo {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, draws: &mut Draws) -> Option<usize> {
        let drawn = fleet.eligible[draws.below(fleet.eligible.len())];
        let load = |server: u32| fleet.in_flight[server as usize];
        if !fleet.may_pick(self.last) || load(drawn) + self.margin < load(self.last) {
            self.last = drawn;
        }
        Some(self.last as usize)
    }

    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

const SCENARIO: &str = r#"
horizon = "5m"
warm_up = "30s"
traffic = [{ to = "web", rate = 800 }]

[service.web]
demand = { kind = "exponential", mean = "10ms" }
server = [{ name = "web", count = 10, workers = 1 }]
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    register(&STAY_OR_GO)?;
    // From here on it is a policy like any other.
    for policy in [
        "random",
        "stay-or-go",
        "{ kind = \"stay-or-go\", margin = 2 }",
        "power-of-d",
    ] {
        let set = ("service.web.balancer.policy".to_owned(), policy.to_owned());
        let scenario = Scenario::read(Source::new("own.toml", SCENARIO), &[set], &NoFiles)?;
        let mut simulation = Simulation::new(Arc::new(scenario.model()?), 0);
        simulation.run();
        let p99 = Summary::of(&simulation, 0).figure("response_time_s.p99");
        println!("{policy:<40} p99 {:6.1} ms", p99.unwrap_or(f64::NAN) * 1e3);
    }
    Ok(())
}
