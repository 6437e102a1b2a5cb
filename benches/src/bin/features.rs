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
#![expect(
    clippy::disallowed_methods,
    reason = "an exponent on the terminal is no part of a run"
)]

use benches::contest::{Score, cpu_ns};
use benches::features::{FEATURES, GROWTHS, plain};
use benches::w1;
use sim_core::engine::Simulation;
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
    incident(&asked);
    growths(&asked);
}

/// The incident itself, whose attempts mostly fail: what nobody would write as a feature.
fn incident(asked: &Asked) {
    const NAME: &str = "run incident, an attempt";
    if !NAME.contains(&asked.name) {
        return;
    }
    let text = include_str!("../../../models/incident/incident.toml");
    let model = w1::read(text);
    let reference = Pair::new(&plain, asked.requests);
    let costs: Vec<(f64, f64)> = (0..asked.rounds)
        .map(|_| {
            let mut simulation = Simulation::new(Arc::clone(&model), 0);
            let start = cpu_ns();
            simulation.run();
            let attempts = simulation.conservation().attempts;
            let own = (cpu_ns() - start) as f64 / attempts as f64;
            (reference.cost(), own)
        })
        .collect();
    let ns: Vec<f64> = costs.iter().map(|(_, own)| *own).collect();
    let ratio: Vec<f64> = costs.iter().map(|(plain, own)| own / plain).collect();
    print_row(
        "whole",
        NAME,
        1.35,
        [Score::spread(&ns), Score::spread(&ratio)],
        None,
    );
}

fn print_row(
    group: &str,
    name: &str,
    wanted: f64,
    [ns, ratio]: [[f64; 3]; 2],
    instructions: Option<String>,
) {
    let kept = if ratio[1] <= wanted { "" } else { " !" };
    println!(
        "{group:<8} {name:<43} {:>8.1} {:>8.2} [{:>5.2}..{:>5.2}] {wanted:>7.2}{kept:<2} {:>7}",
        ns[1],
        ratio[1],
        ratio[0],
        ratio[2],
        instructions.unwrap_or_default()
    );
}

fn features(asked: &Asked) {
    let counter = asked.instructions.then(|| count(&plain, asked)).flatten();
    println!(
        "{:<52} {:>8} {:>22} {:>7} {:>9}",
        "feature", "ns", "x plain [least..most]", "wanted", "instr. x"
    );
    let reference = Pair::new(&plain, asked.requests);
    for feature in FEATURES.iter().filter(|f| f.name.contains(&asked.name)) {
        let own = Pair::new(&|requests| feature.text(requests), asked.requests);
        let spread = beside(&reference, &own, asked.rounds);
        let instructions = counter.and_then(|plain| {
            let own = count(&|requests| feature.text(requests), asked)?;
            Some(format!("{:.2}", own / plain))
        });
        print_row(
            feature.group,
            feature.name,
            feature.wanted,
            spread,
            instructions,
        );
    }
}

/// A scenario in two lengths: what it costs to set one up falls out of the difference.
struct Pair {
    short: Arc<Model>,
    long: Arc<Model>,
}

impl Pair {
    fn new(text: &dyn Fn(u64) -> String, requests: u64) -> Self {
        let model = |requests| w1::read(&text(requests));
        Self {
            short: model(requests / 50),
            long: model(requests),
        }
    }

    /// Nanoseconds of CPU a request.
    fn cost(&self) -> f64 {
        let took = |model: &Arc<Model>| {
            let start = cpu_ns();
            let requests = w1::run(model, 0);
            ((cpu_ns() - start) as f64, requests as f64)
        };
        let ((short_ns, few), (long_ns, many)) = (took(&self.short), took(&self.long));
        (long_ns - short_ns) / (many - few)
    }
}

/// Nanoseconds a request of a scenario, and how many times those of the reference in the same round
/// that is: least, median, most.
fn beside(reference: &Pair, own: &Pair, rounds: usize) -> [[f64; 3]; 2] {
    let costs: Vec<(f64, f64)> = (0..rounds)
        .map(|_| (reference.cost(), own.cost()))
        .collect();
    let ns: Vec<f64> = costs.iter().map(|(_, own)| *own).collect();
    let ratio: Vec<f64> = costs.iter().map(|(plain, own)| own / plain).collect();
    [Score::spread(&ns), Score::spread(&ratio)]
}

fn growths(asked: &Asked) {
    const NUMBERS: [usize; 4] = [100, 1_000, 10_000, 100_000];
    println!("\nnanoseconds a request at 100, 1000, 10 000, 100 000, and the exponent of growth");
    for growth in GROWTHS.iter().filter(|g| g.name.contains(&asked.name)) {
        let mut costs = Vec::new();
        for number in NUMBERS.into_iter().filter(|number| *number <= growth.most) {
            let text = |requests| growth.text(number, requests);
            let pair = Pair::new(&text, 20_000.max(4 * number as u64));
            let mut values: Vec<f64> = (0..3).map(|_| pair.cost()).collect();
            values.sort_by(f64::total_cmp);
            costs.push(values[1]);
            // Ten times that at the next would say nothing new.
            if costs[costs.len() - 1] > 3_000.0 {
                break;
            }
        }
        let shown: Vec<String> = costs.iter().map(|cost| format!("{cost:>9.1}")).collect();
        let shown = shown.join(" ");
        let decades = costs.len() - 1;
        let times = costs[decades] / costs[0];
        let exponent = times.log10() / decades as f64;
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
