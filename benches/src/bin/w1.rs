//! One run of the engine on the yardstick's workload, for profilers.
//!
//! `cargo build --release -p benches --bin w1`, then
//! `valgrind --tool=callgrind --branch-sim=yes target/release/w1 100 200000`.
#![expect(clippy::print_stdout, reason = "a line on the terminal is all it does")]

use benches::w1;

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|text| text.parse::<usize>().ok());
    let (Some(Some(servers)), Some(Some(requests))) = (arguments.next(), arguments.next()) else {
        panic!("usage: w1 servers requests");
    };
    println!(
        "{} requests",
        w1::run(&w1::model(servers, requests as u64), 0)
    );
}
