//! How often the intervals of `sim_core::experiment` cover the truth.
//!
//! `cargo run --release -p benches --bin coverage -- [seeds [budget [systems [figures]]]]`
//!
//! Systems whose truth is known are estimated with many seeds: with runs that are too short, with runs
//! as long as the reason for having no interval asks for, and with longer ones; and over a horizon from an
//! empty start, with few replications and with many. An interval of 95 % should cover in 95 % of them.
//! Prints rows of Markdown. `budget` is the number of requests, in millions, that a row may simulate: cheap
//! rows take four times the seeds, dear ones fewer, and rows of which a hundred would take twice the budget
//! are left out and named. With `systems` only those whose
//! names contain it, with `figures` only figures whose paths do.
#![expect(
    clippy::print_stdout,
    reason = "a table on the terminal is all it does"
)]

use sim_core::experiment::{Control, Estimand, Measure, Plan, replicate};
use sim_core::model::Model;
use sim_core::scenario::parse;
use sim_core::statistics::{Estimate, Needs, wilson};
use sim_core::theory::markov::{erlang_a, mmc_quantile, mmc_wait, mmck};
use sim_core::theory::priority::{ClassLoad, waits};
use sim_core::theory::station::{mg1_wait, mm1_quantile};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Seeds that a row takes at least.
const LEAST_SEEDS: u64 = 100;

/// Cheap rows take so many times the seeds, so that chance leaves less of a doubt.
const WHERE_CHEAP: u64 = 4;

/// The logarithm of 20: beyond so many means lies one exponential value in twenty.
const LN_20: f64 = 2.995_732_273_553_991;

/// A figure with its true value.
#[derive(Clone, Copy)]
struct Figure {
    path: &'static str,
    truth: f64,
    /// Whether the truth is that of a second, and the figure a count of all that is measured.
    each_second: bool,
}

const fn is(path: &'static str, truth: f64) -> Figure {
    Figure {
        path,
        truth,
        each_second: false,
    }
}

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
    /// Figures that are measured at one length: the first decides the length.
    figures: Vec<Vec<Figure>>,
}

/// What a row simulates for each seed.
#[derive(Clone, Copy)]
struct Length {
    runs: u64,
    warm_s: f64,
    measured_s: f64,
    estimand: Estimand,
}

/// How much may be simulated.
#[derive(Clone, Copy)]
struct Budget {
    seeds: u64,
    requests: f64,
}

fn main() {
    let number = |at: usize, or: u64| match std::env::args().nth(at).map(|text| text.parse()) {
        None => or,
        Some(Ok(number)) if number > 0 => number,
        Some(_) => {
            panic!("usage: coverage [seeds [millions of requests a row [systems [figures]]]]")
        }
    };
    let budget = Budget {
        seeds: number(1, 400),
        requests: number(2, 80) as f64 * 1e6,
    };
    let wanted = std::env::args().nth(3).unwrap_or_default();
    let path = std::env::args().nth(4).unwrap_or_default();
    let asked = |figures: &&Vec<Figure>| figures.iter().any(|f| f.path.contains(&path));
    println!(
        "| system | load | figure | runs | measured in each | length | seeds | printed | cover |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let (mut withheld, mut left_out) = (0, Vec::new());
    for system in systems().iter().filter(|s| s.name.contains(&wanted)) {
        for runs in [30, 1] {
            for figures in system.figures.iter().filter(asked) {
                match rows(system, figures, runs, budget) {
                    Ok(short) => withheld += short,
                    Err(why) => left_out.push(why),
                }
            }
        }
    }
    for (system, horizon_s) in transients() {
        if system.name.contains(&wanted) {
            for runs in [5, 10, 30] {
                let length = Length {
                    runs,
                    warm_s: 0.0,
                    measured_s: horizon_s,
                    estimand: Estimand::Horizon,
                };
                for figures in system.figures.iter().filter(asked) {
                    if let Err(why) = row(&system, figures, length, "the horizon", budget) {
                        left_out.push(why);
                    }
                }
            }
        }
    }
    println!("\n{withheld} rows of runs that are too short, all withheld");
    for why in left_out {
        println!("- {why}");
    }
}

fn systems() -> Vec<System> {
    let mut all: Vec<System> = [0.5, 0.7, 0.85, 0.9, 0.95, 0.99].map(mm1).into();
    all.push(numbers());
    all.extend([0.5, 0.9].map(|load| mmc(10, load)));
    all.push(bounded());
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
                is("response_time_s.mean", scale),
                is(IN_SYSTEM, load / (1.0 - load)),
            ],
            vec![is("waited", load)],
            vec![is(UTILISATION, load), is("goodput_hz", 1000.0 * load)],
            vec![is("slos.quick.attained", 0.95)],
            vec![is("response_time_s.p99", mm1_quantile(0.99, load) * 1e-3)],
            vec![is("response_time_s.p999", mm1_quantile(0.999, load) * 1e-3)],
        ],
    }
}

/// The distribution of the number in M/M/1.
fn numbers() -> System {
    let load: f64 = 0.7;
    let at = |n: i32| (1.0 - load) * load.powi(n);
    System {
        name: "M/M/1, numbers".to_owned(),
        load,
        rate: 1000.0 * load,
        relaxation_s: relaxation_s(load),
        text: station(1000.0 * load, EXPONENTIAL, "workers = 1")
            .replace("[service.web]", "[service.web]\nnumbers = true"),
        figures: vec![
            vec![is("services.web.number.at.0", at(0))],
            vec![is("services.web.number.at.5", at(5))],
            vec![is("services.web.number.at_most.9", 1.0 - load.powi(10))],
        ],
    }
}

const IN_SYSTEM: &str = "services.web.servers.a.mean_in_system";
const UTILISATION: &str = "services.web.servers.a.utilisation";

fn mmc(workers: u32, load: f64) -> System {
    let rate = 1000.0 * load * f64::from(workers);
    System {
        name: format!("M/M/{workers}"),
        load,
        rate,
        relaxation_s: (relaxation_s(load) / f64::from(workers)).max(1e-3),
        text: station(rate, EXPONENTIAL, &format!("workers = {workers}")),
        figures: vec![
            vec![is(
                "response_time_s.mean",
                1e-3 * (1.0 + mmc_wait(workers, load)),
            )],
            vec![is(
                "response_time_s.p99",
                mmc_quantile(0.99, workers, load) * 1e-3,
            )],
            vec![is(
                "response_time_s.p999",
                mmc_quantile(0.999, workers, load) * 1e-3,
            )],
        ],
    }
}

/// At most five requests, one of them in service, in the long run.
fn bounded() -> System {
    let truth = mmck(0.9, 1, 5);
    System {
        name: "M/M/1/5".to_owned(),
        load: 0.9,
        rate: 900.0,
        relaxation_s: 0.01,
        text: station(900.0, EXPONENTIAL, "workers = 1, queue = { limit = 4 }"),
        figures: vec![
            vec![is("availability", 1.0 - truth.loss)],
            vec![is("goodput_hz", 900.0 * (1.0 - truth.loss))],
            vec![Figure {
                path: "requests.failed",
                truth: 900.0 * truth.loss,
                each_second: true,
            }],
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
        figures: vec![
            vec![
                is("response_time_s.mean", number / 600.0),
                is(IN_SYSTEM, number),
            ],
            vec![is(UTILISATION, 0.6), is("goodput_hz", 600.0)],
        ],
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
        figures: vec![
            vec![is(
                "response_time_s.mean",
                1e-3 * (1.0 + mg1_wait(0.5, cv * cv)),
            )],
            vec![is("waited", 0.5)],
            vec![is(UTILISATION, 0.5), is("goodput_hz", 500.0)],
        ],
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
            vec![is(
                "response_time_s.mean",
                1e-3 * (1.0 + mg1_wait(0.5, 0.8)),
            )],
            vec![is("waited", 0.5)],
            vec![is(UTILISATION, 0.5)],
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
            is(
                "classes.first.response_time_s.mean",
                1e-3 * (1.0 + waits[0]),
            ),
            is(
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
            is(IN_SYSTEM, truth.number),
            is("availability", 1.0 - truth.abandons),
            is("goodput_hz", 1000.0 * truth.throughput),
        ]],
    }
}

/// Systems of which a few hundred services are watched from an empty start, with that time in seconds: what is
/// lost comes in few clusters.
fn transients() -> Vec<(System, f64)> {
    let one = |most: usize, rate: f64, horizon_s: f64| {
        let truth = over([rate, rate], [1.0, 1.0], most, horizon_s);
        let text = station(
            rate,
            EXPONENTIAL,
            &format!("workers = 1, queue = {{ limit = {} }}", most - 1),
        );
        (
            format!("M/M/1/{most} from empty"),
            rate,
            text,
            truth,
            horizon_s,
        )
    };
    let phases = {
        let (rates, lengths_s, most, horizon_s) = ([1500.0, 300.0], [0.1, 0.2], 20, 1.0);
        let truth = over(rates, lengths_s, most, horizon_s);
        let text = format!(
            "traffic = [{{ to = \"web\", rate = 700, arrivals = {{ kind = \"mmpp\", factors = [5, 1], lengths = [\"100ms\", \"200ms\"] }} }}]\n[service.web]\ndemand = {EXPONENTIAL}\nserver = [{{ name = \"a\", workers = 1, queue = {{ limit = {} }} }}]\n",
            most - 1
        );
        let name = format!("MMPP/M/1/{most} from empty");
        (name, 700.0, text, truth, horizon_s)
    };
    [one(5, 900.0, 0.3), one(20, 1000.0, 1.0), phases]
        .map(|(name, rate, text, truth, horizon_s)| {
            let figures = vec![vec![
                is("availability", truth.served / (truth.served + truth.lost)),
                is("goodput_hz", truth.served / horizon_s),
                is("requests.failed", truth.lost),
                is("requests.in_flight", truth.number),
            ]];
            let system = System {
                name,
                load: rate / 1000.0,
                rate,
                relaxation_s: 0.0,
                text,
                figures,
            };
            (system, horizon_s)
        })
        .into()
}

/// What came of a queue from its start to a horizon.
struct Over {
    served: f64,
    lost: f64,
    /// How many are there in the end.
    number: f64,
}

/// Means over a horizon of a queue of one worker, one service a millisecond, at most `most` requests and
/// arrivals of two phases that begin as in the long run: Kolmogorov's forward equations, integrated by the
/// classical method of Runge and Kutta.
fn over(rates: [f64; 2], lengths_s: [f64; 2], most: usize, horizon_s: f64) -> Over {
    let mu = 1000.0;
    let slope = |p: &[[f64; 2]]| -> Vec<[f64; 2]> {
        let mut d = vec![[0.0; 2]; p.len()];
        for n in 0..=most {
            for phase in 0..2 {
                let mut go = |(to_n, to_phase): (usize, usize), hz: f64| {
                    d[n][phase] -= p[n][phase] * hz;
                    d[to_n][to_phase] += p[n][phase] * hz;
                };
                if n < most {
                    go((n + 1, phase), rates[phase]);
                }
                if n > 0 {
                    go((n - 1, phase), mu);
                }
                go((n, 1 - phase), 1.0 / lengths_s[phase]);
            }
        }
        d
    };
    let plus = |p: &[[f64; 2]], d: &[[f64; 2]], by: f64| -> Vec<[f64; 2]> {
        let add = |(p, d): (&[f64; 2], &[f64; 2])| [p[0] + by * d[0], p[1] + by * d[1]];
        p.iter().zip(d).map(add).collect()
    };
    let steps = (horizon_s / 5e-6) as usize;
    let h = horizon_s / steps as f64;
    let first = lengths_s[0] / (lengths_s[0] + lengths_s[1]);
    let mut p = vec![[0.0; 2]; most + 1];
    p[0] = [first, 1.0 - first];
    let flows = |p: &[[f64; 2]]| {
        let lost = rates[0] * p[most][0] + rates[1] * p[most][1];
        (mu * (1.0 - p[0][0] - p[0][1]), lost)
    };
    let mut found = Over {
        served: 0.0,
        lost: 0.0,
        number: 0.0,
    };
    for _ in 0..steps {
        let before = flows(&p);
        let k1 = slope(&p);
        let k2 = slope(&plus(&p, &k1, 0.5 * h));
        let k3 = slope(&plus(&p, &k2, 0.5 * h));
        let k4 = slope(&plus(&p, &k3, h));
        for (by, k) in [(1.0, k1), (2.0, k2), (2.0, k3), (1.0, k4)] {
            p = plus(&p, &k, by * h / 6.0);
        }
        let after = flows(&p);
        found.served += 0.5 * h * (before.0 + after.0);
        found.lost += 0.5 * h * (before.1 + after.1);
    }
    found.number = (0..=most).map(|n| n as f64 * (p[n][0] + p[n][1])).sum();
    found
}

/// The rows of one group of figures: as long as is asked for, and three times as long. How many rows of
/// runs that are too short were withheld with every seed; others are shown.
fn rows(system: &System, figures: &[Figure], runs: u64, budget: Budget) -> Result<u64, String> {
    let length = |measured_s: f64| Length {
        runs,
        warm_s: 5.0 * system.relaxation_s,
        measured_s,
        estimand: Estimand::Steady,
    };
    let mut asked = length(6.0 * system.relaxation_s);
    let withheld = row(system, figures, asked, "too short", budget)?;
    // What is withheld at the length that is asked for may ask for more.
    for _ in 0..4 {
        let first = estimate(system, figures, asked, 0)[0];
        let s = match (first.needs(), first.reason()) {
            (Some(Needs::Horizon(s)), _) => s,
            (_, None) => break,
            (_, Some(why)) => {
                return Err(format!(
                    "{} at {}, {}, {} runs: withheld, whatever their length: {why}",
                    system.name, system.load, figures[0].path, runs
                ));
            }
        };
        asked = length(s - asked.warm_s);
        affordable(system, figures, asked, budget)?;
    }
    row(system, figures, asked, "as asked", budget)?;
    row(
        system,
        figures,
        length(3.0 * asked.measured_s),
        "3 × that",
        budget,
    )?;
    Ok(withheld)
}

/// How many seeds the budget allows.
fn affordable(
    system: &System,
    figures: &[Figure],
    length: Length,
    budget: Budget,
) -> Result<u64, String> {
    let requests = system.rate * (length.warm_s + length.measured_s) * length.runs as f64;
    let many = (budget.requests / WHERE_CHEAP as f64 / requests) as u64;
    let seeds = if many > budget.seeds {
        many.min(WHERE_CHEAP * budget.seeds)
    } else {
        ((budget.requests / requests) as u64).clamp(LEAST_SEEDS.min(budget.seeds), budget.seeds)
    };
    if seeds as f64 * requests <= 2.0 * budget.requests {
        return Ok(seeds);
    }
    Err(format!(
        "{} at {}, {}: {} × {:.1} s take {:.1} million requests for each seed",
        system.name,
        system.load,
        figures[0].path,
        length.runs,
        length.measured_s,
        requests / 1e6
    ))
}

/// Prints the rows of some figures at one length, but for those that are withheld with every seed because
/// they are too short: how many.
fn row(
    system: &System,
    figures: &[Figure],
    length: Length,
    what: &str,
    budget: Budget,
) -> Result<u64, String> {
    let seeds = affordable(system, figures, length, budget)?;
    let zeros = || -> Vec<AtomicU64> { figures.iter().map(|_| AtomicU64::new(0)).collect() };
    let (given, covered, next) = (zeros(), zeros(), AtomicU64::new(1));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > seeds {
                break;
            }
            let found = estimate(system, figures, length, seed);
            for (at, (figure, estimate)) in figures.iter().zip(&found).enumerate() {
                let scale = if figure.each_second {
                    length.measured_s
                } else {
                    1.0
                };
                if let Some(interval) = estimate.interval() {
                    given[at].fetch_add(1, Ordering::Relaxed);
                    let covers = interval.covers(figure.truth * scale);
                    covered[at].fetch_add(u64::from(covers), Ordering::Relaxed);
                }
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let mut withheld = 0;
    for (at, figure) in figures.iter().enumerate() {
        let count = |of: &[AtomicU64]| of[at].load(Ordering::Relaxed);
        let (given, covered) = (count(&given), count(&covered));
        if given == 0 && what == "too short" {
            withheld += 1;
            continue;
        }
        let cover = wilson(covered, given, 0.95).map_or("–".to_owned(), |w| {
            let [mean, low, high] = [w.mean, w.low, w.high].map(|share| 100.0 * share);
            format!("{mean:.1} % ({low:.0}–{high:.0})")
        });
        println!(
            "| {} | {} | `{}` | {} | {:.4} s, {:.0} requests | {what} | {seeds} | {:.0} % | {cover} |",
            system.name,
            system.load,
            short(figure.path),
            length.runs,
            length.measured_s,
            system.rate * length.measured_s,
            100.0 * given as f64 / seeds as f64,
        );
    }
    Ok(withheld)
}

/// A path without what goes without saying.
fn short(path: &str) -> String {
    path.replace("services.web.servers.a.", "")
        .replace("services.web.", "")
        .replace("response_time_s.", "")
}

fn estimate(system: &System, figures: &[Figure], length: Length, seed: u64) -> Vec<Estimate> {
    let us = |s: f64| format!("{:.0}us", s * 1e6);
    let text = format!(
        "horizon = \"{}\"\nwarm_up = \"{}\"\nseed = {seed}\n{}",
        us(length.warm_s + length.measured_s),
        us(length.warm_s),
        system.text
    );
    let model: Arc<Model> =
        Arc::new(parse(&text).unwrap_or_else(|problems| panic!("{problems}\n{text}")));
    let measure = |path: &str| Measure::parse(path, &model).unwrap_or_else(|why| panic!("{why}"));
    let plan = Plan {
        measures: figures.iter().map(|figure| measure(figure.path)).collect(),
        first: 0,
        replications: length.runs,
        level: 0.95,
        precision: None,
        estimand: length.estimand,
    };
    // Seeds are simulated side by side, and so none on several threads.
    let cancel = AtomicBool::new(false);
    let control = Control::new(NonZeroUsize::MIN, &cancel, &|_| {});
    replicate(&model, &plan, &control).estimates
}
