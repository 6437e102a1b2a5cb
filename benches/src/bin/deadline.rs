//! What a search for the point of no return costs beside simulating the act at each moment from the start, and whether both
//! find the same moment.
//!
//! ```console
//! cargo run --release -p benches --bin deadline [-- replications [moments of the grid]]
//! ```
//!
//! The system is that of the incident model in small, the act is the right weight. The search looks as closely as the moments of
//! the grid lie beside each other. CPU time is that of the whole process.
#![expect(
    clippy::print_stdout,
    reason = "a table on the terminal is all it does"
)]

use benches::contest::process_s;
use benches::shop::{read, scenario};
use sim_core::edit::Edit;
use sim_core::engine::Simulation;
use sim_core::experiment::{Acted, Control, DeadlinePlan, Measure, TooLate, deadline};
use sim_core::summary::Summary;
use sim_core::time::{Duration, Instant, SECOND};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The moments that are looked at, in seconds.
const BETWEEN_S: u64 = 30;

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|text| benches::fleet::number(&text));
    let replications = arguments.next().unwrap_or(20) as u64;
    let moments = arguments.next().unwrap_or(120) as u64;
    let text = scenario(60);
    let whole = read(&text, &[]).unwrap_or_else(|problems| panic!("{problems}"));
    let model = whole
        .model()
        .unwrap_or_else(|problems| panic!("{problems}"));
    let measure = Measure::parse("requests.lost", &model).unwrap_or_else(|why| panic!("{why}"));
    let model = Arc::new(model);
    let within = Duration(BETWEEN_S * SECOND / moments);
    let plan = DeadlinePlan {
        edits: vec![Edit::set("service.web.server.web-1.weight", "3")],
        measure,
        between: (Instant(0), Instant(BETWEEN_S * SECOND)),
        within,
        saves: 0.5,
        moments: 13,
        first: 0,
        replications,
        level: 0.95,
    };
    let cancel = AtomicBool::new(false);
    let control = Control::new(NonZeroUsize::MIN, &cancel, &|_| {});
    let start = process_s();
    let found = deadline(&whole, &model, &plan, &control);
    let found = found.unwrap_or_else(|problems| panic!("{problems}"));
    let search_s = process_s() - start;

    let lost = |number: u64, at: Option<Instant>| {
        let entry = at.map_or(String::new(), |at| plan.edits[0].entry(at));
        let scenario = read(&format!("{text}{entry}"), &[]);
        let model = scenario.and_then(|scenario| scenario.model());
        let model = model.unwrap_or_else(|problems| panic!("{problems}"));
        let mut simulation = Simulation::new(Arc::new(model), number);
        simulation.run();
        Summary::of(&simulation, 0)
            .figure("requests.lost")
            .unwrap_or(0.0)
    };
    let helps = |acted: &Acted, lost: f64| {
        let least = acted.curve.iter().copied().fold(acted.never, f64::min);
        acted.never - lost >= plan.saves * (acted.never - least)
    };
    let (mut confirmed, mut agreed) = (0, 0);
    let mut grid_s = 0.0;
    for (number, acted) in (0..).zip(&found.acted) {
        let TooLate::Between(good, bad) = acted.too_late else {
            println!("replication {number}: {:?}", acted.too_late);
            continue;
        };
        confirmed += usize::from(
            helps(acted, lost(number, Some(good))) && !helps(acted, lost(number, Some(bad))),
        );
        let start = process_s();
        let all: Vec<bool> = (0..=moments)
            .map(|moment| helps(acted, lost(number, Some(Instant(moment * within.0)))))
            .collect();
        grid_s += process_s() - start;
        let last = all.iter().rposition(|helps| *helps).unwrap_or(0) as u64 * within.0;
        // Both look as closely, at moments of their own.
        agreed += usize::from(good.0.abs_diff(last) <= within.0);
    }
    let last = found.last_s.mean().unwrap_or(f64::NAN);
    println!("{replications} replications, {moments} moments; too late after {last:.2} s");
    println!("{:<8} {search_s:>8.1} s of CPU", "deadline");
    println!("{:<8} {grid_s:>8.1} s of CPU", "grid");
    println!("{:.3} of the grid's CPU", search_s / grid_s);
    println!(
        "{confirmed} of {replications} confirmed by runs from the start on either side, {agreed} with the grid's moment"
    );
}
