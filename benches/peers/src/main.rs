//! Stampede beside other simulators, on the same work, in one run.
//!
//! `cargo run --release --manifest-path benches/peers/Cargo.toml [-- requests [rounds [part of a name]]]`
//!
//! The peers are pinned and built by this package: SimCore 0.1 with direct calls, NeXosim 1.0 on one
//! thread, a textbook's loop, and the bare loop of `benches`, which can simulate one system only.
//! SimPy joins where there is a Python 3 that can install it. All run in turns, so that a busy
//! neighbour hits all alike; what is measured is CPU time without the start of a program. Slow ones
//! simulate fewer requests. The mean response time over all rounds must be the right one, whoever
//! simulates: a wrong simulator is no fast one.
#![expect(
    clippy::print_stdout,
    reason = "tables on the terminal are all it does"
)]

mod nexosim_peer;
mod simcore_peer;
mod simpy_peer;
mod stampede;
mod textbook;
mod work;

use benches::bare;
use benches::contest::{Score, cpu_ns};
use simpy_peer::Environment;
use work::{Ran, WORK, Work};

/// Whoever takes part in a table.
struct Peer<'a> {
    name: &'static str,
    /// Simulates with a seed; how many nanoseconds of CPU that took.
    run: Box<dyn Fn(u64) -> (Ran, u64) + 'a>,
}

const USAGE: &str = "stampede-peers [requests [rounds [part of a name]]]";

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u64| {
        let Some(text) = arguments.next() else {
            return default;
        };
        match text.replace('_', "").parse() {
            Ok(number) if number > 0 => number,
            _ => panic!("{text:?} is not a number; usage: {USAGE}"),
        }
    };
    let (requests, rounds) = (number(1_000_000), number(5));
    let name = arguments.next().unwrap_or_default();
    let python = Environment::new();
    if let Err(problem) = &python {
        println!("without SimPy: {problem}");
    }
    println!("{requests} requests (NeXosim a quarter, SimPy a tenth), {rounds} rounds in turns");
    let mut wrong = false;
    for work in &WORK {
        let mut peers = peers(work, requests, python.as_ref().ok());
        // The first two stay: the others are compared with them.
        let mut place = 0;
        peers.retain(|peer| {
            place += 1;
            place <= 2 || peer.name.contains(&name)
        });
        wrong |= table(work, &peers, rounds);
    }
    assert!(!wrong, "somebody simulates something else");
}

/// Who simulates; the first is what the others are compared with.
fn peers<'a>(work: &'a Work, requests: u64, python: Option<&'a Environment>) -> Vec<Peer<'a>> {
    type Run = fn(&Work, u64, u64) -> Ran;
    let ours = |name, demand_ms| {
        let model = stampede::model(work, requests, demand_ms);
        let run = move |seed| {
            let (simulation, cpu) = timed(|| stampede::run(&model, seed));
            (stampede::found(&simulation, demand_ms), cpu)
        };
        Peer {
            name,
            run: Box::new(run),
        }
    };
    let other = |name, run: Run, requests| Peer {
        name,
        run: Box::new(move |seed| timed(|| run(work, requests, seed))),
    };
    let mut peers = vec![
        ours("stampede, demand of 10 ms", 10),
        ours("stampede, demand of 1 s", 1000),
        other("textbook's loop", textbook::run, requests),
        other("SimCore 0.1.0, direct calls", simcore_peer::run, requests),
        other(
            "NeXosim 1.0.0, one thread",
            nexosim_peer::run,
            requests.div_ceil(4),
        ),
    ];
    if work.servers > 1 {
        peers.push(other("bare loop", bare_loop, requests));
    }
    if let Some(python) = python {
        peers.push(Peer {
            name: "SimPy 4.1.2",
            run: Box::new(move |seed| python.run(work, requests.div_ceil(10), seed)),
        });
    }
    peers
}

fn bare_loop(work: &Work, requests: u64, seed: u64) -> Ran {
    let figures = bare::run(work.servers, requests, seed);
    Ran {
        requests: figures.count,
        mean_response: figures.mean_response_s,
    }
}

/// What something gives, and how many nanoseconds of CPU it took.
fn timed<T>(run: impl FnOnce() -> T) -> (T, u64) {
    let start = cpu_ns();
    let given = run();
    (given, cpu_ns() - start)
}

/// Measures and prints; whether somebody's mean is wrong.
fn table(work: &Work, peers: &[Peer<'_>], rounds: u64) -> bool {
    println!(
        "\n{}: {}; mean response time {} demands\n{:<28} {:>10} {:>20}   {:>9} {:>9}   mean",
        work.name, work.about, work.mean_response, "", "ns", "least..most", "x 10 ms", "x 1 s"
    );
    // By round and peer. The first round warms up and does not count.
    let mut measured = Vec::new();
    for seed in 0..=rounds {
        let of = |peer: &Peer<'_>| {
            let (ran, cpu) = (peer.run)(seed);
            (ran, cpu as f64 / ran.requests as f64)
        };
        let round: Vec<(Ran, f64)> = peers.iter().map(of).collect();
        if seed > 0 {
            measured.push(round);
        }
    }
    let mut wrong = false;
    for (i, peer) in peers.iter().enumerate() {
        let costs: Vec<f64> = measured.iter().map(|round| round[i].1).collect();
        let [least, median, most] = Score::spread(&costs);
        // Within a round, between runs that are moments apart.
        let times = |ours: usize| {
            let ratios: Vec<f64> = measured.iter().map(|r| r[i].1 / r[ours].1).collect();
            Score::spread(&ratios)[1]
        };
        let means = measured.iter().map(|round| round[i].0.mean_response);
        let mean = means.sum::<f64>() / rounds as f64;
        let tolerance = work.tolerance(measured[0][i].0.requests, measured.len());
        let right = (mean - work.mean_response).abs() <= tolerance;
        wrong |= !right;
        println!(
            "{:<28} {median:>10.1} {:>20}   {:>9.2} {:>9.2}   {mean:.3} ± {tolerance:.3}{}",
            peer.name,
            format!("{least:.1}..{most:.1}"),
            times(0),
            times(1),
            if right { "" } else { "  WRONG" }
        );
    }
    wrong
}
