//! What each guard costs that is written and never met, beside the same scenario without it.
//!
//! `cargo run --release -p benches --bin guards [-- requests [rounds]]`
#![expect(
    clippy::print_stdout,
    reason = "a table on the terminal is all it does"
)]

use benches::contest::{Contestant, Score, contest};
use benches::w1;
use sim_core::guard::{GUARDS, Stands};

/// A guard with parameters under which it never refuses, delays or lets wait; `None`: one that the fast path does
/// not know, or that is never unmet.
fn unmet(name: &str) -> Option<String> {
    let more = match name {
        "rate-limit" => ", rate = 1e9, burst = 1000000",
        "concurrency-limit" => ", limit = 4000000000",
        "aimd-limit" => ", initial = 1000000000, max = 1000000000",
        "circuit-breaker" | "retry-budget" | "adaptive-throttle" | "deadline" => "",
        _ => return None,
    };
    Some(format!("[{{ kind = \"{name}\"{more} }}]"))
}

fn main() {
    let number = |text: String| text.replace('_', "").parse::<u64>();
    let mut arguments = std::env::args()
        .skip(1)
        .map(|text| number(text).unwrap_or_else(|_| panic!("usage: guards [requests [rounds]]")));
    let requests = arguments.next().unwrap_or(1_000_000);
    let rounds = arguments.next().unwrap_or(9) as usize;
    let text = w1::text(100, requests);
    let mut cases = vec![("no guard".to_owned(), text.clone())];
    for def in GUARDS {
        let name = def.row.name;
        let Some(guards) = unmet(name) else { continue };
        let at_caller = format!("client.guards = {guards}\n{text}");
        cases.push((format!("{name} at the caller"), at_caller));
        if def.stands == Stands::Anywhere {
            let balancer = format!("balancer.guards = {guards}\nbalancer.policy");
            let at_balancer = text.replacen("balancer.policy", &balancer, 1);
            cases.push((format!("{name} at the balancer"), at_balancer));
            let at_server = text.replacen(", workers", &format!(", guards = {guards}, workers"), 1);
            cases.push((format!("{name} at the servers"), at_server));
        }
    }
    let models: Vec<_> = cases.iter().map(|(_, text)| w1::read(text)).collect();
    let mut contestants: Vec<Contestant<'_>> = (cases.iter().zip(&models))
        .map(|((name, _), model)| Contestant {
            name,
            run: Box::new(move || w1::run(model, 0)),
        })
        .collect();
    println!(
        "100 servers, {requests} requests, {rounds} rounds in turns; nanoseconds of CPU a request"
    );
    let scores = contest(&mut contestants, rounds);
    for (contestant, score) in contestants.iter().zip(&scores) {
        let [least, median, _] = Score::spread(&score.ns_per_request);
        let ratio = Score::spread(&score.ratio);
        println!(
            "{:<34} {least:>7.1} {median:>7.1}   {:.2} [{:.2}..{:.2}]",
            contestant.name, ratio[1], ratio[0], ratio[2]
        );
    }
}
