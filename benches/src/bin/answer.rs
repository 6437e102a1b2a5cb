//! How long a request to stop (SIGINT, SIGTERM) waits for its answer, in runs with many servers.
//!
//! `cargo run --release -p benches --bin answer [-- policies [servers]]`; policies are names with commas
//! between them, or `all`.
//!
//! Seconds of CPU. `read` is the scenario read and checked and `new` the simulation set up, during which
//! the program has not yet asked to hear of signals and just ends; `look` the longest time between
//! two looks at whether to go on, at its worst in a run in which something happens to all servers;
//! `sum` the summary's figures at its end. A signal is answered after `look`, with a line that says what
//! comes; the program is at its `end` after `sum`, as the report is a few lines.
#![expect(
    clippy::print_stdout,
    reason = "a table on the terminal is all it does"
)]

use benches::contest::cpu_ns;
use benches::fleet::{DEEDS, Deed, number, scenario};
use sim_core::engine::Simulation;
use sim_core::policy::POLICIES;
use sim_core::scenario;
use sim_core::summary::Summary;
use sim_core::time::Instant;
use std::hint::black_box;
use std::sync::Arc;

/// What is promised.
const PROMISED_S: f64 = 0.2;

/// The seconds of a run's phases.
#[derive(Clone, Copy, Debug, Default)]
struct Phases {
    read: f64,
    new: f64,
    look: f64,
    sum: f64,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let wanted = arguments.next().unwrap_or_else(|| "all".to_owned());
    let servers = arguments.next().map_or(100_000, |text| number(&text));
    println!("seconds of CPU until a signal is answered, {servers} servers");
    println!(
        "{:<22}{:<9}{:>8}{:>8}{:>8}{:>8}{:>8}",
        "policy", "deed", "read", "new", "look", "sum", "end"
    );
    let mut worst = 0.0_f64;
    // What needs more than its name has no cost of its own.
    let all = POLICIES.iter();
    for def in all.filter(|def| def.row.params.iter().all(|param| param.default.is_some())) {
        let name = def.row.name;
        if wanted != "all" && !wanted.split(',').any(|other| other == name) {
            continue;
        }
        for deed in DEEDS {
            let phases = measure(name, deed, servers);
            let Phases {
                read,
                new,
                look,
                sum,
            } = phases;
            let end = look + sum;
            worst = worst.max(look);
            println!(
                "{name:<22}{:<9}{read:>8.4}{new:>8.4}{look:>8.4}{sum:>8.4}{end:>8.4}{}",
                deed.name,
                if look > PROMISED_S { "  !" } else { "" }
            );
        }
    }
    println!("worst {worst:.4}");
}

/// A run of two seconds.
fn measure(policy: &str, deed: &Deed, servers: usize) -> Phases {
    let mut phases = Phases::default();
    let text = scenario(policy, deed, servers);
    let (read, model) = timed(|| scenario::parse(&text));
    let model = match model {
        Ok(model) => Arc::new(model),
        Err(problems) => panic!("the benchmark's scenario is invalid:\n{problems}"),
    };
    phases.read = read;
    let (new, mut simulation) = timed(|| Simulation::new(model, 0));
    phases.new = new;
    let mut before = cpu_ns();
    let mut longest = 0;
    simulation.run_while(Instant(u64::MAX), || {
        let now = cpu_ns();
        longest = longest.max(now - before);
        before = now;
        true
    });
    phases.look = longest.max(cpu_ns() - before) as f64 / 1e9;
    phases.sum = timed(|| black_box(Summary::of(&simulation, 0))).0;
    phases
}

/// Seconds that something takes, and what it gives.
fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let before = cpu_ns();
    let done = work();
    ((cpu_ns() - before) as f64 / 1e9, done)
}
