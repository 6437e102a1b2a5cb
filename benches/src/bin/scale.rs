//! What it costs to do something to all servers of a service, by number of servers and policy.
//!
//! `cargo run --release -p benches --bin scale [-- policies [servers …]]`; policies are names with
//! commas between them, or `all`.
//!
//! Seconds of CPU for the moment at which it happens; for `eject`, for the checks of an interval, by
//! which every server is taken out, one after the other. The exponent is the slope from one
//! number of servers to the next: 1 where the cost is in proportion to them, 2 where each looks at all.
#![expect(
    clippy::print_stdout,
    reason = "a table on the terminal is all it does"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "an exponent on the terminal is no part of a run"
)]

use benches::contest::cpu_ns;
use benches::fleet::{AT, DEEDS, Deed, number, scenario};
use benches::w1::read;
use sim_core::engine::Simulation;
use sim_core::policy::POLICIES;
use sim_core::time::Instant;

/// With more seconds than this the next number of servers is left out.
const PATIENCE_S: f64 = 20.0;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let wanted = arguments.next().unwrap_or_else(|| "all".to_owned());
    let mut fleets: Vec<usize> = arguments.map(|text| number(&text)).collect();
    if fleets.is_empty() {
        fleets = vec![100, 1_000, 10_000, 100_000];
    }
    println!("seconds of CPU, and the exponent of their growth");
    // What needs more than its name has no cost of its own.
    let all = POLICIES.iter();
    for def in all.filter(|def| def.row.params.iter().all(|param| param.default.is_some())) {
        let name = def.row.name;
        if wanted != "all" && !wanted.split(',').any(|other| other == name) {
            continue;
        }
        for deed in DEEDS {
            print!("{name:<22}{:<9}", deed.name);
            let mut before: Option<(f64, f64)> = None;
            for &servers in &fleets {
                if before.is_some_and(|(_, seconds)| seconds > PATIENCE_S) {
                    print!("{servers:>8}: too long         ");
                    continue;
                }
                let seconds = measure(name, deed, servers);
                let slope = before.map(|(n, s)| (seconds / s).ln() / (servers as f64 / n).ln());
                let slope = slope.map_or_else(|| "    ".to_owned(), |slope| format!("{slope:4.1}"));
                print!("{servers:>8}: {seconds:9.5} {slope} ");
                before = Some((servers as f64, seconds));
            }
            println!();
        }
    }
}

/// Seconds of CPU for what is done to so many servers.
fn measure(policy: &str, deed: &Deed, servers: usize) -> f64 {
    let mut simulation = Simulation::new(read(&scenario(policy, deed, servers)), 0);
    simulation.run_until(Instant(AT - 1));
    let before = cpu_ns();
    simulation.run_until(Instant(AT + deed.lasts));
    (cpu_ns() - before) as f64 / 1e9
}
