//! What a search for remedies costs beside the whole grid of its candidates, and whether it finds the same winner.
//!
//! ```console
//! cargo run --release -p benches --bin remedy [-- candidates [replications [horizon in seconds]]]
//! ```
//!
//! The system is that of the incident model in small: a weight that is wrong. What rows propose is filled up with limits of
//! connections until there are so many candidates. CPU time is that of the whole process.
#![expect(
    clippy::print_stdout,
    reason = "a table on the terminal is all it does"
)]

use rustix::time::{ClockId, clock_gettime};
use sim_core::experiment::Control;
use sim_core::remedy::{Damage, Remedies, RemedyPlan, remedy};
use sim_core::scenario::{NoFiles, Problems, Scenario, Source};
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|text| benches::fleet::number(&text));
    let candidates = arguments.next().unwrap_or(200);
    let replications = arguments.next().unwrap_or(10) as u64;
    let text = scenario(arguments.next().unwrap_or(60));
    let mut plan = plan(&text, replications);
    // As many limits as are missing.
    let proposed = timed(
        &text,
        &RemedyPlan {
            replications: 1,
            worst: 0,
            ..plan.clone()
        },
    )
    .0;
    let missing = candidates.saturating_sub(proposed.candidates.len());
    for limit in 0..missing {
        let path = format!(
            "service.web.server.{}.max_connections",
            ["web-1", "web"][limit % 2]
        );
        plan.tries.push((path, (11 + 3 * (limit / 2)).to_string()));
    }
    let (halved, halved_s) = timed(&text, &plan);
    let whole = RemedyPlan {
        keep: halved.candidates.len(),
        worst: 0,
        combine: 0,
        ..plan
    };
    let (grid, grid_s) = timed(&text, &whole);
    println!(
        "{} candidates, {replications} replications",
        halved.candidates.len()
    );
    println!("{:<8} {:>8} {:>10}   winner", "", "runs", "CPU s");
    for (name, found, cpu_s) in [("remedy", &halved, halved_s), ("grid", &grid, grid_s)] {
        println!(
            "{name:<8} {:>8} {cpu_s:>10.1}   {}",
            found.runs,
            winner(found)
        );
    }
    println!(
        "{:.3} of the grid's CPU, {}",
        halved_s / grid_s,
        if winner(&halved) == winner(&grid) {
            "the same winner"
        } else {
            "ANOTHER WINNER"
        }
    );
}

fn winner(found: &Remedies) -> String {
    let best = found.ranked.first();
    best.map_or("none".to_owned(), |best| best.arguments().join(" "))
}

fn plan(text: &str, replications: u64) -> RemedyPlan {
    let model = read(text, &[]).and_then(|scenario| scenario.model());
    let model = model.unwrap_or_else(|problems| panic!("{problems}"));
    RemedyPlan {
        damage: Damage::parse("lost", &model).unwrap_or_else(|why| panic!("{why}")),
        only: Vec::new(),
        tries: Vec::new(),
        replications,
        keep: 8,
        worst: 5,
        combine: 4,
        level: 0.95,
    }
}

fn read(text: &str, sets: &[(String, String)]) -> Result<Scenario, Problems> {
    Scenario::read(Source::new("bench.toml", text), sets, &NoFiles)
}

/// What is found, and the CPU time in seconds.
fn timed(text: &str, plan: &RemedyPlan) -> (Remedies, f64) {
    let cancel = AtomicBool::new(false);
    let control = Control::new(NonZeroUsize::MIN, &cancel, &|_| {});
    let start = cpu_s();
    let found = remedy(&|sets| read(text, sets), plan, &control);
    let found = found.unwrap_or_else(|problems| panic!("{problems}"));
    (found, cpu_s() - start)
}

fn cpu_s() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

fn scenario(horizon_s: usize) -> String {
    format!(
        r#"
horizon = "{horizon_s}s"
[[traffic]]
name = "shoppers"
to   = "web"
rate = 400
[client]
timeout = "2s"
retry   = {{ kind = "exponential-backoff", attempts = 3, base = "200ms", cap = "1s", jitter = "full" }}
[service.web]
demand = {{ kind = "lognormal", mean = "80ms", cv = 1.0 }}
[service.web.balancer]
policy          = "weighted-round-robin"
max_connections = 4000
memory          = {{ base = "96MiB", per_connection = "160KiB", limit = "512MiB" }}
health          = [{{ kind = "checks", probe = "connect" }}]
[[service.web.server]]
name    = "web-1"
weight  = 100
workers = 24
queue   = {{ limit = 200 }}
memory  = {{ base = "512MiB", per_in_service = "4MiB", per_queued = "128KiB", per_abandoned = "256KiB", limit = "1GiB" }}
[[service.web.server]]
name    = "web"
first   = 2
count   = 3
like    = "web-1"
weight  = 1
workers = 8
queue   = {{ limit = 80 }}
[[timeline]]
name = "correct-weight"
at   = "40s"
set  = {{ "service.web.server.web-1.weight" = 3 }}
[[timeline]]
name   = "restart-web-1"
at     = "45s"
do     = "restart"
when   = "down"
target = "service.web.server.web-1"
"#
    )
}
