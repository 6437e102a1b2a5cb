//! What each feature costs beside a plain scenario, and how the cost grows with numbers.
//!
//! `cargo run --release -p benches --bin features [-- requests [rounds [part of a name]]]`
//!
//! Each feature is measured in turns with the plain scenario, and the ratio taken within a round.
//! With `valgrind` on the path and `--instructions` before the numbers, instructions a request are
//! counted as well: the difference of a long run and a short one.
#![expect(
    clippy::print_stdout,
    reason = "a table on the terminal is all it does"
)]

use benches::contest::{Contestant, Score, contest};
use benches::features::{FEATURES, GROWTHS, plain};
use benches::w1;
use sim_core::model::Model;
use std::process::Command;
use std::sync::Arc;

/// What a run is asked to do.
struct Asked {
    requests: u64,
    rounds: usize,
    /// Only features whose name has this in it.
    name: String,
    instructions: bool,
}

const USAGE: &str = "usage: features [--instructions] [requests [rounds [part of a name]]]";

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "--one") {
        // The same program under a counter of instructions.
        let [_, path] = &arguments[..] else {
            panic!("{USAGE}")
        };
        let text = std::fs::read_to_string(path).expect("the scenario to count");
        w1::run(&w1::read(&text), 0);
        return;
    }
    let instructions = arguments
        .first()
        .is_some_and(|first| first == "--instructions");
    if instructions {
        arguments.remove(0);
    }
    let number = |i: usize, default: u64| {
        arguments.get(i).map_or(default, |text| {
            let number = text.replace('_', "").parse();
            number.unwrap_or_else(|_| panic!("{text:?} is not a number; {USAGE}"))
        })
    };
    let asked = Asked {
        requests: number(0, 500_000),
        rounds: number(1, 5) as usize,
        name: arguments.get(2).cloned().unwrap_or_default(),
        instructions,
    };
    features(&asked);
    growths(&asked);
}

fn features(asked: &Asked) {
    let counter = asked.instructions.then(|| count(&plain, asked)).flatten();
    println!(
        "{:<52} {:>8} {:>22} {:>7} {:>9}",
        "feature", "ns", "x plain [least..most]", "wanted", "instr. x"
    );
    let reference = w1::read(&plain(asked.requests));
    for feature in FEATURES.iter().filter(|f| f.name.contains(&asked.name)) {
        let model = w1::read(&feature.text(asked.requests));
        let [ns, ratio] = beside(&reference, &model, asked.rounds);
        let instructions = counter.and_then(|plain| {
            let own = count(&|requests| feature.text(requests), asked)?;
            Some(format!("{:.2}", own / plain))
        });
        let kept = if ratio[1] <= feature.wanted { "" } else { " !" };
        println!(
            "{:<8} {:<43} {:>8.1} {:>8.2} [{:>5.2}..{:>5.2}] {:>7.2}{kept:<2} {:>7}",
            feature.group,
            feature.name,
            ns[1],
            ratio[1],
            ratio[0],
            ratio[2],
            feature.wanted,
            instructions.unwrap_or_default()
        );
    }
}

/// Nanoseconds a request of a model, and how many times those of the reference that is: least, median,
/// most.
fn beside(reference: &Arc<Model>, model: &Arc<Model>, rounds: usize) -> [[f64; 3]; 2] {
    let mut contestants = [("plain", reference), ("this", model)].map(|(name, model)| Contestant {
        name,
        run: Box::new(move || w1::run(model, 0)),
    });
    let scores = contest(&mut contestants, rounds);
    [
        Score::spread(&scores[1].ns_per_request),
        Score::spread(&scores[1].ratio),
    ]
}

fn growths(asked: &Asked) {
    const NUMBERS: [usize; 4] = [100, 1_000, 10_000, 100_000];
    println!("\nnanoseconds a request at 100, 1000, 10 000, 100 000, and the exponent of growth");
    for growth in GROWTHS.iter().filter(|g| g.name.contains(&asked.name)) {
        let mut costs = Vec::new();
        for number in NUMBERS {
            let model = w1::read(&growth.text(number, asked.requests));
            let mut contestant = [Contestant {
                name: growth.name,
                run: Box::new(|| w1::run(&model, 0)),
            }];
            let score = contest(&mut contestant, 1);
            costs.push(score[0].ns_per_request[0]);
            // Ten times that at the next would say nothing new.
            if costs[costs.len() - 1] > 30_000.0 {
                break;
            }
        }
        let shown: String = costs.iter().map(|cost| format!("{cost:>10.1}")).collect();
        let decades = costs.len() - 1;
        let exponent = (costs[decades] / costs[0]).log10() / decades as f64;
        println!("{:<52} {shown:<40} {exponent:>6.2}", growth.name);
    }
}

/// Instructions a request, as callgrind counts them; `None` where there is none.
fn count(text: &dyn Fn(u64) -> String, asked: &Asked) -> Option<f64> {
    let (short, long) = (asked.requests / 20, asked.requests / 5);
    let of = |requests: u64| {
        let path = std::env::temp_dir().join(format!("features-{}.toml", std::process::id()));
        std::fs::write(&path, text(requests)).ok()?;
        let out = Command::new("valgrind")
            .args(["--tool=none", "--version"])
            .output();
        out.ok().filter(|out| out.status.success())?;
        let out = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(std::env::current_exe().ok()?)
            .arg("--one")
            .arg(&path)
            .output()
            .ok()?;
        std::fs::remove_file(&path).ok()?;
        let told = String::from_utf8_lossy(&out.stderr);
        let line = told.lines().find(|line| line.contains("Collected :"))?;
        let number: String = line.rsplit(':').next()?.trim().to_owned();
        number.parse::<f64>().ok()
    };
    Some((of(long)? - of(short)?) / (long - short) as f64)
}
