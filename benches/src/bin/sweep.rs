//! What a sweep costs beside its cells, and what a second core gains.
//!
//! ```console
//! cargo run --release -p benches --bin sweep [-- small cells [rounds [large cells]]]
//! ```
//!
//! The cells alone are a plain loop: build the model, run its replications, take the estimates. The
//! sweep does the same through threads, rows and a journal on disk. CPU time is that of the whole
//! process, so nothing hides on another core; wall time says more on an idle machine.
#![expect(
    clippy::print_stdout,
    reason = "a table on the terminal is all it does"
)]
#![expect(clippy::disallowed_methods, reason = "wall time is what it measures")]

use benches::contest::process_s;
use sim_core::experiment::sweep::{Header, Plan, Row, Shard, line_of, run};
use sim_core::experiment::{Control, Estimand, Measure, estimates, run_one};
use sim_core::scenario::{NoFiles, Source};
use std::convert::Infallible;
use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// Replications of a cell.
const REPLICATIONS: usize = 5;

/// Cells that are run one way before they are run the other way: short, because other work on the
/// machine comes and goes.
const SLICE: usize = 1000;

/// Many small cells: some hundred requests each.
fn small(cells: usize) -> Plan {
    plan(cells, "0.1s", 2)
}

/// Cells that are worth a core.
fn large(cells: usize) -> Plan {
    plan(cells, "10s", 10)
}

fn plan(cells: usize, horizon: &str, servers: usize) -> Plan {
    let text = format!(
        r#"
        replications = {REPLICATIONS}
        [[axis]]
        path = "traffic.traffic.rate"
        from = 500.0
        to = 1500.0
        count = {cells}
        [scenario]
        horizon = "{horizon}"
        traffic = [{{ to = "web", rate = 1000 }}]
        client = {{ timeout = "1s", cancel = true }}
        [scenario.service.web]
        demand = {{ kind = "exponential", mean = "1ms" }}
        balancer = {{ policy = "power-of-d" }}
        server = [{{ name = "s", count = {servers}, workers = 1 }}]
        "#
    );
    Plan::read(&Source::new("plan.toml", text), &NoFiles)
        .unwrap_or_else(|problems| panic!("{problems}"))
}

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|text| match text.parse::<usize>() {
            Ok(number) if number > 1 => number,
            _ => panic!("{text:?} is not a number above 1; usage: sweep [small cells [rounds [large cells]]]"),
        });
    let cells = arguments.next().unwrap_or(10_000);
    let rounds = arguments.next().unwrap_or(5);
    let worth = arguments.next().unwrap_or(64);

    let plan = small(cells);
    println!(
        "{cells} small cells of {REPLICATIONS} replications, one thread, {rounds} rounds in turns; seconds"
    );
    println!(
        "{:>12} {:>12} {:>12} {:>12} {:>8} {:>8}",
        "alone CPU", "sweep CPU", "alone wall", "sweep wall", "CPU", "wall"
    );
    let mut ratios = Vec::new();
    for _ in 0..rounds {
        let mut journal = Journal::create(&plan);
        let (mut without, mut with) = ((0.0, 0.0), (0.0, 0.0));
        for slice in (0..cells).collect::<Vec<_>>().chunks(SLICE) {
            add(&mut without, timed(|| alone(&plan, slice)));
            add(&mut with, timed(|| sweep(&plan, slice, 1, &mut journal)));
        }
        let ratio = (with.0 / without.0, with.1 / without.1);
        println!(
            "{:>12.3} {:>12.3} {:>12.3} {:>12.3} {:>8.3} {:>8.3}",
            without.0, with.0, without.1, with.1, ratio.0, ratio.1
        );
        ratios.push(ratio);
    }
    let (cpu, wall) = (
        median(ratios.iter().map(|r| r.0)),
        median(ratios.iter().map(|r| r.1)),
    );
    println!("median: {cpu:.3} x the CPU time, {wall:.3} x the wall time of the cells alone\n");

    let plan = large(worth);
    let all: Vec<usize> = (0..worth).collect();
    println!("{worth} cells on one thread and on two; seconds");
    println!(
        "{:>12} {:>12} {:>12} {:>12} {:>8}",
        "one CPU", "two CPU", "one wall", "two wall", "wall"
    );
    let mut ratios = Vec::new();
    for _ in 0..rounds {
        let mut journal = Journal::create(&plan);
        let one = timed(|| sweep(&plan, &all, 1, &mut journal));
        let two = timed(|| sweep(&plan, &all, 2, &mut journal));
        let ratio = two.1 / one.1;
        println!(
            "{:>12.3} {:>12.3} {:>12.3} {:>12.3} {ratio:>8.3}",
            one.0, two.0, one.1, two.1
        );
        ratios.push(ratio);
    }
    println!(
        "median: {:.3} x the wall time of one thread",
        median(ratios.into_iter())
    );
}

/// The cells in a plain loop.
fn alone(plan: &Plan, cells: &[usize]) {
    let never = AtomicBool::new(false);
    let control = Control::new(NonZeroUsize::MIN, &never, &|_| {});
    for cell in cells {
        let model = plan
            .model(*cell)
            .unwrap_or_else(|problems| panic!("{problems}"));
        let measures: Vec<Measure> = plan
            .measures()
            .iter()
            .filter_map(|measure| Measure::parse(measure.path(), &model).ok())
            .collect();
        let model = Arc::new(model);
        let runs: Vec<_> = (0..plan.replications())
            .filter_map(|n| run_one(&model, n, &measures, &control))
            .collect();
        black_box(estimates(
            &model,
            &measures,
            &runs,
            plan.confidence(),
            Estimand::ByNature,
        ));
    }
}

/// The journal of a sweep, on disk.
struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    fn create(plan: &Plan) -> Self {
        let name = format!("stampede-bench-{}.journal", std::process::id());
        let path = std::env::temp_dir().join(name);
        let file =
            File::create(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut journal = Self { path, file };
        journal.write(&Header::of(plan, Shard::WHOLE).line());
        journal
    }

    fn write(&mut self, text: &str) {
        self.file
            .write_all(text.as_bytes())
            .unwrap_or_else(|error| panic!("{}: {error}", self.path.display()));
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.path));
    }
}

/// The same through a sweep.
fn sweep(plan: &Plan, cells: &[usize], threads: usize, journal: &mut Journal) {
    let mut rows: Vec<Row> = Vec::new();
    let stop = AtomicBool::new(false);
    let done: Result<(), Infallible> = run(plan, cells, threads, &stop, &mut |row| {
        journal.write(&line_of(&row));
        rows.push(row);
        Ok(())
    });
    if let Err(never) = done {
        match never {}
    }
    assert_eq!(rows.len(), cells.len());
}

/// Seconds of the process's CPU time and of wall time.
fn timed(work: impl FnOnce()) -> (f64, f64) {
    let (start, begun) = (process_s(), Instant::now());
    work();
    (process_s() - start, begun.elapsed().as_secs_f64())
}

/// Adds one time to another.
fn add(sum: &mut (f64, f64), time: (f64, f64)) {
    sum.0 += time.0;
    sum.1 += time.1;
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
