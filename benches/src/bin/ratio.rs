//! How much dearer the engine is than the hand-written loop, by number of servers.
//!
//! `cargo run --release -p benches --bin ratio [-- requests [rounds [servers …]]]`
#![expect(
    clippy::print_stdout,
    reason = "a table on the terminal is all it does"
)]

use benches::contest::{Contestant, Score, contest};
use benches::{bare, w1};

fn main() {
    let mut arguments =
        std::env::args()
            .skip(1)
            .map(|text| match text.replace('_', "").parse::<usize>() {
                Ok(number) if number > 0 => number,
                _ => {
                    panic!("{text:?} is not a number; usage: ratio [requests [rounds [servers …]]]")
                }
            });
    let requests = arguments.next().unwrap_or(1_000_000) as u64;
    let rounds = arguments.next().unwrap_or(9);
    let mut fleets: Vec<usize> = arguments.collect();
    if fleets.is_empty() {
        fleets = vec![2, 10, 100, 1000, 10_000, 100_000];
    }
    println!("{requests} requests, {rounds} rounds in turns; nanoseconds of CPU a request");
    println!(
        "{:>8}  {:<12} {:>8} {:>8} {:>8}   ratio: median [least..greatest]",
        "servers", "", "least", "median", "greatest"
    );
    for servers in fleets {
        let mut contestants = contestants(servers, requests);
        let scores = contest(&mut contestants, rounds);
        for (contestant, score) in contestants.iter().zip(&scores) {
            let [least, median, greatest] = Score::spread(&score.ns_per_request);
            let ratio = Score::spread(&score.ratio);
            println!(
                "{servers:>8}  {:<12} {least:>8.1} {median:>8.1} {greatest:>8.1}   {:.2} [{:.2}..{:.2}]",
                contestant.name, ratio[1], ratio[0], ratio[2]
            );
        }
    }
}

/// Whoever is measured; the first is what the others are compared with.
fn contestants(servers: usize, requests: u64) -> Vec<Contestant<'static>> {
    let bare = move || bare::run(servers, requests, 1).count;
    let model = w1::model(servers, requests);
    let engine = move || w1::run(&model, 0);
    vec![
        Contestant {
            name: "bare",
            run: Box::new(bare),
        },
        Contestant {
            name: "engine",
            run: Box::new(engine),
        },
    ]
}
