//! Whole runs: requests a second by number of servers.
//!
//! `cargo bench -p benches --bench end_to_end`. For the ratio between engine and yardstick use
//! the program `ratio`, which measures both in turns.

use benches::{bare, w1};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const REQUESTS: u64 = 200_000;

/// Somebody who can simulate so many requests on so many servers with a seed, and returns a
/// checksum.
type Run = fn(servers: usize, requests: u64, seed: u64) -> u64;

/// Whoever is measured.
const RUNS: [(&str, Run); 2] = [
    ("bare", |servers, requests, seed| {
        bare::run(servers, requests, seed).checksum
    }),
    ("engine", |servers, requests, seed| {
        w1::run(&w1::model(servers, requests), seed)
    }),
];

fn power_of_two_choices(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("power_of_two_choices");
    group
        .throughput(Throughput::Elements(REQUESTS))
        .sample_size(20);
    for (name, run) in RUNS {
        for servers in [2, 10, 100, 1000, 10_000] {
            group.bench_with_input(
                BenchmarkId::new(name, servers),
                &servers,
                |bencher, servers| {
                    bencher.iter(|| run(*servers, REQUESTS, 1));
                },
            );
        }
    }
    group.finish();
}

criterion_group!(benches, power_of_two_choices);
criterion_main!(benches);
