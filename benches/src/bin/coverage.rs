//! How often the intervals of `sim_core::experiment` cover the truth.
//!
//! `cargo run --release -p benches --bin coverage [-- seeds]`
//!
//! Systems whose truth is known are estimated with many seeds, by each way of making an interval.
//! An interval of 95 % should cover in 95 % of them; with 200 seeds 91 to 98 % is what chance
//! allows.
#![expect(
    clippy::print_stdout,
    reason = "a table on the terminal is all it does"
)]

use sim_core::experiment::{Control, Measure, Plan, Precision, replicate};
use sim_core::model::Model;
use sim_core::scenario::parse;
use sim_core::statistics::wilson;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A way to make an interval.
struct Method {
    name: &'static str,
    horizon_s: u32,
    replications: u64,
    precision: Option<f64>,
}

const METHODS: [Method; 3] = [
    Method {
        name: "30 replications",
        horizon_s: 25,
        replications: 30,
        precision: None,
        estimand: sim_core::experiment::Estimand::ByNature,
    },
    Method {
        name: "until 2 % precise",
        horizon_s: 25,
        replications: 10,
        precision: Some(0.02),
        estimand: sim_core::experiment::Estimand::ByNature,
    },
    Method {
        name: "one run in batches",
        horizon_s: 750,
        replications: 1,
        precision: None,
        estimand: sim_core::experiment::Estimand::ByNature,
    },
];

/// A queue with known mean and 99th percentile of the response time, in mean services.
struct Queue {
    name: &'static str,
    workers: u32,
    mean: f64,
    p99: f64,
}

/// At a load of 0.8: M/M/1 by 1/(1 - load) and ln(100)/(1 - load); M/M/10 by Erlang's formula.
const QUEUES: [Queue; 2] = [
    Queue {
        name: "M/M/1",
        workers: 1,
        mean: 5.0,
        p99: 23.02585,
    },
    Queue {
        name: "M/M/10",
        workers: 10,
        mean: 1.20459,
        p99: 4.946111,
    },
];

fn main() {
    let seeds: u64 = std::env::args()
        .nth(1)
        .map_or(200, |text| match text.parse() {
            Ok(seeds) if seeds > 0 => seeds,
            _ => panic!("{text:?} is not a number of seeds; usage: coverage [seeds]"),
        });
    println!("intervals of 95 % that cover the truth, of those given with {seeds} seeds");
    println!(
        "{:<8} {:<20} {:<22} {:>7} {:>7}  {:>15}  {:>10}",
        "queue", "method", "measure", "covers", "given", "95 % of that", "half-width"
    );
    for queue in &QUEUES {
        for method in &METHODS {
            row(queue, method, seeds);
        }
    }
}

fn row(queue: &Queue, method: &Method, seeds: u64) {
    let paths: &[(&str, f64)] = if method.replications > 1 && method.precision.is_none() {
        &[
            ("response_time_s.mean", queue.mean),
            ("response_time_s.p99", queue.p99),
        ]
    } else {
        &[("response_time_s.mean", queue.mean)]
    };
    let mut covered = vec![0u64; paths.len()];
    let mut given = vec![0u64; paths.len()];
    let mut relative = vec![0.0; paths.len()];
    for seed in 1..=seeds {
        let model = Arc::new(model(queue, method, seed));
        let plan = Plan {
            measures: paths
                .iter()
                .map(|(path, _)| Measure::parse(path, &model).unwrap_or_else(|e| panic!("{e}")))
                .collect(),
            first: 0,
            replications: method.replications,
            level: 0.95,
            precision: method.precision.map(|relative| Precision {
                relative,
                max_replications: 2000,
            }),
        };
        let cancel = AtomicBool::new(false);
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let found = replicate(&model, &plan, &Control::new(threads, &cancel, &|_| {}));
        for (i, estimate) in found.estimates.iter().enumerate() {
            if let Some(interval) = estimate.interval() {
                given[i] += 1;
                covered[i] += u64::from(interval.covers(paths[i].1 * 1e-3));
                relative[i] += interval.relative();
            }
        }
    }
    for (i, (path, _)) in paths.iter().enumerate() {
        let share = covered[i] as f64 / given[i].max(1) as f64;
        let (low, high) =
            wilson(covered[i], given[i], 0.95).map_or((0.0, 0.0), |w| (w.low, w.high));
        println!(
            "{:<8} {:<20} {:<22} {:>5.1} % {:>7}  {:>6.1} .. {:>4.1} %  {:>8.2} %",
            queue.name,
            method.name,
            path,
            share * 100.0,
            given[i],
            low * 100.0,
            high * 100.0,
            relative[i] / given[i].max(1) as f64 * 100.0
        );
    }
}

fn model(queue: &Queue, method: &Method, seed: u64) -> Model {
    let text = format!(
        r#"
horizon = "{}ms"
warm_up = "{}ms"
seed = {seed}
traffic = [{{ to = "web", rate = {} }}]
[service.web]
demand = {{ kind = "exponential", mean = "1ms" }}
server = [{{ name = "a", workers = {} }}]
"#,
        // More workers forget sooner: the same number of requests, and of relaxation times.
        1000 * method.horizon_s / queue.workers,
        100 * method.horizon_s / queue.workers,
        800 * queue.workers,
        queue.workers
    );
    parse(&text).unwrap_or_else(|problems| panic!("{problems}\n{text}"))
}
