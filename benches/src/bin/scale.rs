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
use benches::w1::read;
use sim_core::engine::Simulation;
use sim_core::policy::POLICIES;
use sim_core::time::Instant;

/// What is done to all servers, and how long it takes in simulated time.
const DEEDS: &[(&str, &str, u64)] = &[
    ("set", "set = { \"service.web.server.*.workers\" = 2 }", 0),
    (
        "crash",
        "do = \"crash\"\ntarget = \"service.web.server\"",
        0,
    ),
    (
        "restart",
        "do = \"restart\"\ntarget = \"service.web.server\"",
        0,
    ),
    (
        "drain",
        "do = \"drain\"\ntarget = \"service.web.server\"",
        0,
    ),
    (
        "eject",
        "do = \"crash\"\ntarget = \"service.web.server\"",
        1_100_000_000,
    ),
];

/// When it is done.
const AT: u64 = 500_000_000;

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
    for def in POLICIES {
        let name = def.row.name;
        if wanted != "all" && !wanted.split(',').any(|other| other == name) {
            continue;
        }
        for (deed, text, lasts) in DEEDS {
            print!("{name:<22}{deed:<9}");
            let mut before: Option<(f64, f64)> = None;
            for &servers in &fleets {
                if before.is_some_and(|(_, seconds)| seconds > PATIENCE_S) {
                    print!("{servers:>8}: too long         ");
                    continue;
                }
                let seconds = measure(name, text, *lasts, servers);
                let slope = before.map(|(n, s)| (seconds / s).ln() / (servers as f64 / n).ln());
                let slope = slope.map_or_else(|| "    ".to_owned(), |slope| format!("{slope:4.1}"));
                print!("{servers:>8}: {seconds:9.5} {slope} ");
                before = Some((servers as f64, seconds));
            }
            println!();
        }
    }
}

fn number(text: &str) -> usize {
    match text.replace('_', "").parse::<usize>() {
        Ok(number) if number > 0 => number,
        _ => panic!("{text:?} is not a number; usage: scale [policies [servers …]]"),
    }
}

/// Seconds of CPU for what is done to so many servers, some of which are at work.
fn measure(policy: &str, deed: &str, lasts: u64, servers: usize) -> f64 {
    let checks = if lasts > 0 {
        "balancer.health = [{ kind = \"checks\", probe = \"connect\", interval = \"1s\", fall = 1 }]"
    } else {
        ""
    };
    let text = format!(
        r#"
        horizon = "2s"
        limits = {{ in_flight = 100_000_000 }}
        record = {{ interval = "1s" }}
        traffic = [{{ to = "web", rate = 1000 }}]
        [service.web]
        demand = "100ms"
        balancer.policy = "{policy}"
        {checks}
        [[service.web.server]]
        name = "web"
        count = {servers}
        workers = 1
        restart = "never"
        [[timeline]]
        at = "500ms"
        {deed}
        "#
    );
    let text = if deed.contains("restart") {
        text.replace("restart = \"never\"", "restart = \"manual\"")
    } else {
        text
    };
    let mut simulation = Simulation::new(read(&text), 0);
    simulation.run_until(Instant(AT - 1));
    let before = cpu_ns();
    simulation.run_until(Instant(AT + lasts));
    (cpu_ns() - before) as f64 / 1e9
}
