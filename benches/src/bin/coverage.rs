//! How often the intervals of `sim_core::experiment` cover the truth.
//!
//! `cargo run --release -p benches --bin coverage -- [seeds [budget]]`
//!
//! Systems whose truth is known are estimated with many seeds: with runs that are too short, with runs
//! as long as the reason for having no interval asks for, and with longer ones. An interval of 95 %
//! should cover in 95 % of them. Prints rows of Markdown. `budget` is the number of requests, in
//! millions, that a row may simulate; seeds are fewer where they would be more, and rows for which
//! not even 200 seeds fit are left out and named.
#![expect(
    clippy::print_stdout,
    reason = "a table on the terminal is all it does"
)]

use sim_core::experiment::{Control, Estimand, Measure, Plan, Replicated, replicate};
use sim_core::model::Model;
use sim_core::scenario::parse;
use sim_core::statistics::{Needs, wilson};
use sim_core::theory::markov::{erlang_a, mmc_quantile, mmc_wait};
use sim_core::theory::priority::{ClassLoad, waits};
use sim_core::theory::station::{mg1_wait, mm1_quantile};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Seeds that a row takes at least.
const LEAST_SEEDS: u64 = 200;

/// The logarithm of 20: beyond so many means lies one exponential value in twenty.
const LN_20: f64 = 2.995_732_273_553_991;

/// A system whose figures are known. One time unit, a mean service, is a millisecond.
struct System {
    name: String,
    load: f64,
    /// Requests per second.
    rate: f64,
    /// Time that it takes to forget, for the length of the first runs, in seconds.
    relaxation_s: f64,
    /// Its scenario but for horizon, warm-up and seed.
    text: String,
    /// Paths that are measured at one length, with their true values: the first decides the length.
    figures: Vec<Vec<(&'static str, f64)>>,
}

fn main() {
    let number = |at: usize, or: u64| match std::env::args().nth(at).map(|text| text.parse()) {
        None => or,
        Some(Ok(number)) if number > 0 => number,
        Some(_) => panic!("usage: coverage [seeds [millions of requests a row]]"),
    };
    let (seeds, budget) = (number(1, 400), number(2, 1000));
    println!("| system | load | figure | runs | measured | seeds | printed | cover |");
    println!("|---|---|---|---|---|---|---|---|");
    let mut left_out = Vec::new();
    for system in systems() {
        for runs in [30, 1] {
            for figures in &system.figures {
                if let Err(why) = rows(&system, figures, runs, seeds, budget * 1_000_000) {
                    left_out.push(why);
                }
            }
        }
    }
    println!();
    for why in left_out {
        println!("- {why}");
    }
}

fn systems() -> Vec<System> {
    let mut all: Vec<System> = [0.5, 0.7, 0.85, 0.9, 0.95, 0.99].map(mm1).into();
    all.extend([0.5, 0.9].map(|load| mmc(10, load)));
    all.push(mmpp());
    all.push(lognormal(1.0));
    all.push(lognormal(2.0));
    all.push(pareto());
    all.push(priorities());
    all.push(patience());
    all
}

fn relaxation_s(load: f64) -> f64 {
    1e-3 / ((1.0 - load.sqrt()) * (1.0 - load.sqrt()))
}

const EXPONENTIAL: &str = r#"{ kind = "exponential", mean = "1ms" }"#;

fn station(rate: f64, demand: &str, server: &str) -> String {
    format!(
        "traffic = [{{ to = \"web\", rate = {rate} }}]\n[service.web]\ndemand = {demand}\nserver = [{{ name = \"a\", {server} }}]\n"
    )
}

fn mm1(load: f64) -> System {
    let scale = 1e-3 / (1.0 - load);
    // Beyond so long one request in twenty.
    let slow_s = LN_20 * scale;
    let slo = format!(
        "[[slo]]\nname = \"quick\"\ngood = \"response_time < {:.0}us\"\nobjective = 0.9\n",
        slow_s * 1e6
    );
    System {
        name: "M/M/1".to_owned(),
        load,
        rate: 1000.0 * load,
        relaxation_s: relaxation_s(load),
        text: station(1000.0 * load, EXPONENTIAL, "workers = 1") + &slo,
        figures: vec![
            vec![
                ("response_time_s.mean", scale),
                ("services.web.servers.a.mean_in_system", load / (1.0 - load)),
                ("services.web.servers.a.utilisation", load),
                ("goodput_hz", 1000.0 * load),
                ("slos.quick.attained", 0.95),
            ],
            vec![("response_time_s.p99", mm1_quantile(0.99, load) * 1e-3)],
            vec![("response_time_s.p999", mm1_quantile(0.999, load) * 1e-3)],
        ],
    }
}

fn mmc(workers: u32, load: f64) -> System {
    let rate = 1000.0 * load * f64::from(workers);
    System {
        name: format!("M/M/{workers}"),
        load,
        rate,
        relaxation_s: (relaxation_s(load) / f64::from(workers)).max(1e-3),
        text: station(rate, EXPONENTIAL, &format!("workers = {workers}")),
        figures: vec![
            vec![(
                "response_time_s.mean",
                1e-3 * (1.0 + mmc_wait(workers, load)),
            )],
            vec![(
                "response_time_s.p99",
                mmc_quantile(0.99, workers, load) * 1e-3,
            )],
            vec![(
                "response_time_s.p999",
                mmc_quantile(0.999, workers, load) * 1e-3,
            )],
        ],
    }
}

/// Phases of half a second on average, five hundred services, with loads of 0.9 and 0.3.
fn mmpp() -> System {
    let (lengths_s, rates) = ([0.5, 0.5], [900.0, 300.0]);
    let text = format!(
        "traffic = [{{ to = \"web\", rate = 600, arrivals = {{ kind = \"mmpp\", factors = [1.5, 0.5], lengths = [\"500ms\", \"500ms\"] }} }}]\n[service.web]\ndemand = {EXPONENTIAL}\nserver = [{{ name = \"a\", workers = 1 }}]\n"
    );
    let number = mmpp_number(rates, lengths_s, 1000.0);
    System {
        name: "MMPP/M/1".to_owned(),
        load: 0.6,
        rate: 600.0,
        relaxation_s: 0.25,
        text,
        figures: vec![vec![
            ("response_time_s.mean", number / 600.0),
            ("services.web.servers.a.mean_in_system", number),
        ]],
    }
}

type Matrix = [[f64; 2]; 2];

fn times(a: Matrix, b: Matrix) -> Matrix {
    let cell = |i: usize, j: usize| a[i][0] * b[0][j] + a[i][1] * b[1][j];
    [[cell(0, 0), cell(0, 1)], [cell(1, 0), cell(1, 1)]]
}

fn inverse(a: Matrix) -> Matrix {
    let d = a[0][0] * a[1][1] - a[0][1] * a[1][0];
    [[a[1][1] / d, -a[0][1] / d], [-a[1][0] / d, a[0][0] / d]]
}

/// Mean number in M/M/1 whose arrivals have two phases, by the matrix-geometric method (M. F. Neuts,
/// "Matrix-Geometric Solutions in Stochastic Models", 1981, chapter 3): with R the least solution of
/// A₀ + R A₁ + R² A₂ = 0, the number is geometric with R.
fn mmpp_number(rates: [f64; 2], lengths_s: [f64; 2], mu: f64) -> f64 {
    let leave = lengths_s.map(|s| 1.0 / s);
    let local = |served: f64| -> Matrix {
        [
            [-(rates[0] + leave[0] + served), leave[0]],
            [leave[1], -(rates[1] + leave[1] + served)],
        ]
    };
    let up: Matrix = [[rates[0], 0.0], [0.0, rates[1]]];
    let mut r: Matrix = [[0.0; 2]; 2];
    for _ in 0..200_000 {
        let mut middle = local(mu);
        for i in 0..2 {
            for j in 0..2 {
                middle[i][j] += r[i][j] * mu;
            }
        }
        r = times(up, inverse(middle)).map(|row| row.map(|x| -x));
    }
    // Nobody there: π (B + R A₂) = 0, and all together 1.
    let mut empty = local(0.0);
    for i in 0..2 {
        for j in 0..2 {
            empty[i][j] += r[i][j] * mu;
        }
    }
    let pi = [-empty[1][0] / empty[0][0], 1.0];
    let i_less_r = [[1.0 - r[0][0], -r[0][1]], [-r[1][0], 1.0 - r[1][1]]];
    let sum = inverse(i_less_r);
    let total = |m: Matrix| pi[0] * (m[0][0] + m[0][1]) + pi[1] * (m[1][0] + m[1][1]);
    total(times(r, times(sum, sum))) / total(sum)
}

fn lognormal(cv: f64) -> System {
    let demand = format!("{{ kind = \"lognormal\", mean = \"1ms\", cv = {cv} }}");
    System {
        name: format!("M/G/1, log-normal, cv {cv}"),
        load: 0.5,
        rate: 500.0,
        relaxation_s: relaxation_s(0.5),
        text: station(500.0, &demand, "workers = 1"),
        figures: vec![vec![(
            "response_time_s.mean",
            1e-3 * (1.0 + mg1_wait(0.5, cv * cv)),
        )]],
    }
}

fn pareto() -> System {
    let demand = r#"{ kind = "pareto", mean = "1ms", shape = 2.5 }"#;
    System {
        name: "M/G/1, Pareto 2.5".to_owned(),
        load: 0.5,
        rate: 500.0,
        relaxation_s: relaxation_s(0.5),
        text: station(500.0, demand, "workers = 1"),
        figures: vec![
            vec![("response_time_s.mean", 1e-3 * (1.0 + mg1_wait(0.5, 0.8)))],
            vec![("services.web.servers.a.utilisation", 0.5)],
        ],
    }
}

fn priorities() -> System {
    let load = |rate: f64| ClassLoad {
        rate,
        mean: 1.0,
        second: 2.0,
    };
    let waits = waits(&[load(0.3), load(0.5)]);
    let text = format!(
        "class.first = {{ share = 0.375, priority = 0 }}\nclass.second = {{ share = 0.625, priority = 1 }}\n{}",
        station(
            800.0,
            EXPONENTIAL,
            "workers = 1, queue = { discipline = \"priority\" }"
        )
    );
    System {
        name: "M/M/1, two priorities".to_owned(),
        load: 0.8,
        rate: 800.0,
        relaxation_s: relaxation_s(0.8),
        text,
        figures: vec![vec![
            (
                "classes.first.response_time_s.mean",
                1e-3 * (1.0 + waits[0]),
            ),
            (
                "classes.second.response_time_s.mean",
                1e-3 * (1.0 + waits[1]),
            ),
        ]],
    }
}

fn patience() -> System {
    let truth = erlang_a(1.2, 1, 0.1);
    System {
        name: "M/M/1+M, patience 10".to_owned(),
        load: 1.2,
        rate: 1200.0,
        relaxation_s: 0.01,
        text: station(
            1200.0,
            EXPONENTIAL,
            "workers = 1, queue = { patience = { kind = \"exponential\", mean = \"10ms\" } }",
        ),
        figures: vec![vec![
            ("services.web.servers.a.mean_in_system", truth.number),
            ("availability", 1.0 - truth.abandons),
            ("goodput_hz", 1000.0 * truth.throughput),
        ]],
    }
}

/// The rows of one group of figures: too short, as long as is asked for, and three times as long.
fn rows(
    system: &System,
    figures: &[(&'static str, f64)],
    runs: u64,
    seeds: u64,
    budget: u64,
) -> Result<(), String> {
    let warm_s = 5.0 * system.relaxation_s;
    let short_s = 6.0 * system.relaxation_s;
    let found = estimate(system, figures, runs, (warm_s, short_s), 0);
    let first = &found.estimates[0];
    row(system, figures, runs, (warm_s, short_s), seeds, budget)?;
    let mut asked_s = short_s;
    let mut first = *first;
    // What is withheld at the length that is asked for may ask for more.
    for _ in 0..3 {
        let Some(Needs::Horizon(s)) = first.needs() else {
            break;
        };
        if system.rate * s * runs as f64 * LEAST_SEEDS as f64 > budget as f64 {
            return Err(format!(
                "{} at {}, {}: {runs} × {s} s are asked for",
                system.name, system.load, figures[0].0
            ));
        }
        asked_s = s - warm_s;
        first = estimate(system, figures, runs, (warm_s, asked_s), 0).estimates[0];
    }
    for longer in [1.0, 3.0] {
        row(
            system,
            figures,
            runs,
            (warm_s, longer * asked_s),
            seeds,
            budget,
        )?;
    }
    Ok(())
}

fn row(
    system: &System,
    figures: &[(&'static str, f64)],
    runs: u64,
    (warm_s, measured_s): (f64, f64),
    seeds: u64,
    budget: u64,
) -> Result<(), String> {
    let requests = system.rate * (warm_s + measured_s) * runs as f64;
    let seeds = seeds.min((budget as f64 / requests) as u64);
    if seeds < LEAST_SEEDS {
        return Err(format!(
            "{} at {}, {}: {} × {measured_s:.1} s takes {:.1} million requests for each seed",
            system.name,
            system.load,
            figures[0].0,
            runs,
            requests / 1e6
        ));
    }
    let mut covered = vec![0; figures.len()];
    let mut given = vec![0; figures.len()];
    for seed in 1..=seeds {
        let found = estimate(system, figures, runs, (warm_s, measured_s), seed);
        for (at, estimate) in found.estimates.iter().enumerate() {
            if let Some(interval) = estimate.interval() {
                given[at] += 1;
                covered[at] += u64::from(interval.covers(figures[at].1));
            }
        }
    }
    for (at, (path, _)) in figures.iter().enumerate() {
        let cover = wilson(covered[at], given[at], 0.95).map_or("–".to_owned(), |w| {
            format!(
                "{:.1} % ({:.0}–{:.0})",
                100.0 * w.mean,
                100.0 * w.low,
                100.0 * w.high
            )
        });
        println!(
            "| {} | {} | {path} | {runs} | {:.4} s, {:.0} requests | {seeds} | {:.0} % | {cover} |",
            system.name,
            system.load,
            measured_s,
            system.rate * measured_s,
            100.0 * given[at] as f64 / seeds as f64,
        );
    }
    Ok(())
}

fn estimate(
    system: &System,
    figures: &[(&'static str, f64)],
    runs: u64,
    (warm_s, measured_s): (f64, f64),
    seed: u64,
) -> Replicated {
    let ms = |s: f64| format!("{:.0}us", s * 1e6);
    let text = format!(
        "horizon = \"{}\"\nwarm_up = \"{}\"\nseed = {seed}\n{}",
        ms(warm_s + measured_s),
        ms(warm_s),
        system.text
    );
    let model: Arc<Model> =
        Arc::new(parse(&text).unwrap_or_else(|problems| panic!("{problems}\n{text}")));
    let measure = |path: &str| Measure::parse(path, &model).unwrap_or_else(|why| panic!("{why}"));
    let plan = Plan {
        measures: figures.iter().map(|(path, _)| measure(path)).collect(),
        first: 0,
        replications: runs,
        level: 0.95,
        precision: None,
        estimand: Estimand::Steady,
    };
    let cancel = AtomicBool::new(false);
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    replicate(&model, &plan, &Control::new(threads, &cancel, &|_| {}))
}
