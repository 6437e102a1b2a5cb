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

use benches::contest::process_s;
use benches::shop::{read, scenario};
use sim_core::experiment::Control;
use sim_core::remedy::{Damage, Remedies, RemedyPlan, remedy};
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
    // Of several that leave exactly as much, each is a winner.
    let best = grid.ranked.first().and_then(|best| best.damage);
    let same = (grid.ranked.iter())
        .filter(|one| one.damage == best)
        .any(|one| one.arguments().join(" ") == winner(&halved));
    println!(
        "{:.3} of the grid's CPU, {}",
        halved_s / grid_s,
        if same {
            "the same winner, or one that leaves as little"
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

/// What is found, and the CPU time in seconds.
fn timed(text: &str, plan: &RemedyPlan) -> (Remedies, f64) {
    let cancel = AtomicBool::new(false);
    let control = Control::new(NonZeroUsize::MIN, &cancel, &|_| {});
    let start = process_s();
    let found = remedy(&|sets| read(text, sets), plan, &control);
    let found = found.unwrap_or_else(|problems| panic!("{problems}"));
    (found, process_s() - start)
}
