//! Cells that go on until they are precise.

use super::{journal, plan, rows};
use crate::experiment::sweep::{Journal, Plan, Row, Shard, Steps, merge};
use crate::experiment::{
    Control, Estimand, Measure, Plan as Effort, Precision, Stop, estimates, replicate,
};
use crate::statistics::Estimate;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

const HEAD: &str = r#"
precision = "4%"
max_replications = 150
measures = ["response_time_s.mean", "offered_hz"]
[set]
horizon = "6s"
warm_up = "1s"
[[axis]]
path = "traffic.traffic.rate"
values = [50, 250, 330]
"#;

/// A cell by itself, as `stampede run --precision` would have it.
fn alone(plan: &Plan, cell: usize) -> (Stop, Vec<Option<(f64, f64)>>, u64) {
    let model = Arc::new(plan.model(cell).expect("valid"));
    let measures = plan.measures().iter();
    let measures = measures.map(|measure| Measure::parse(measure.path(), &model).expect("there"));
    let effort = Effort {
        measures: measures.collect(),
        first: 0,
        replications: 10,
        level: 0.95,
        precision: Some(Precision {
            relative: 0.04,
            max_replications: 150,
        }),
        estimand: Estimand::ByNature,
    };
    let (never, nobody) = (AtomicBool::new(false), |_| {});
    let control = Control::new(NonZeroUsize::MIN, &never, &nobody);
    let found = replicate(&model, &effort, &control);
    let again = estimates(&model, &effort.measures, &found.runs, 0.95, effort.estimand);
    assert_eq!(again, found.estimates);
    let ends = found.estimates.iter().map(Estimate::ends).collect();
    (found.stop, ends, found.runs.len() as u64)
}

#[test]
fn each_cell_takes_what_it_would_take_alone() {
    let plan = plan(HEAD);
    let found = rows(&plan, 2);
    let mut took: Vec<u64> = Vec::new();
    for row in &found {
        let (stop, ends, runs) = alone(&plan, row.cell);
        assert_eq!(row.replications, runs, "{row:?}");
        assert_eq!(row.capped(), stop == Stop::Cap, "{row:?}");
        let intervals: Vec<_> = row.figures.iter().map(|figure| figure.interval).collect();
        assert_eq!(intervals, ends);
        took.push(runs);
    }
    assert!(took[0] < took[1] && took[1] < took[2], "{took:?}");
    assert!(found.iter().all(|row| !row.capped()));
}

#[test]
fn what_is_not_reached_is_told() {
    let head = HEAD.replace("4%", "0.5%").replace("150", "35");
    let plan = plan(&head.replace("\"response_time_s.mean\", ", ""));
    for row in rows(&plan, 2) {
        assert!(row.capped() && row.replications == 35, "{row:?}");
        assert!(row.notes.starts_with("max_replications was reached"));
        assert!(row.figures[0].interval.is_some(), "what is known stands");
    }
}

#[test]
fn nothing_depends_on_threads_steps_shards_or_the_journal() {
    let plan = Arc::new(plan(HEAD));
    let expected = rows(&plan, 1);
    for threads in [2, 7] {
        assert_eq!(rows(&plan, threads), expected, "{threads} threads");
    }
    let mut steps = Steps::new(Arc::clone(&plan), Shard::WHOLE.cells(&plan));
    let mut found: Vec<Row> = Vec::new();
    while !steps.is_over() {
        found.extend(steps.step(10_000));
    }
    assert_eq!(found, expected);
    let all: u64 = expected.iter().map(|row| row.replications).sum();
    assert_eq!(steps.replications(), all);
    let shards = [0, 1].map(|index| {
        let shard = Shard { index, of: 2 };
        (shard.to_string(), journal(&plan, shard, &expected))
    });
    assert_eq!(merge(&plan, &shards).expect("whole"), expected);
    let bytes = journal(&plan, Shard::WHOLE, &expected);
    let read = Journal::read(&bytes, &plan, Some(Shard::WHOLE)).expect("its own");
    assert_eq!(read.rows, expected);
}

#[test]
fn a_precision_is_part_of_what_a_cell_is() {
    let other = plan(&HEAD.replace("4%", "5%"));
    let without = plan(&HEAD.replace("precision = \"4%\"\nmax_replications = 150", ""));
    let plan = plan(HEAD);
    assert_ne!(plan.cell(0).identity, other.cell(0).identity);
    assert_ne!(plan.cell(0).identity, without.cell(0).identity);
    assert!(!without.to_toml().contains("precision"));
    assert!(plan.to_toml().contains("precision = 0.04"));
}

#[test]
fn a_cell_that_fails_goes_no_further() {
    let head = HEAD.replace("[50, 250, 330]", "[50]");
    let plan = plan(&format!(
        "{head}[[axis]]\npath = \"limits.events\"\nvalues = [100]\n[[axis]]\npath = \"warm_up\"\nvalues = [\"1s\", \"8s\"]\n"
    ));
    for row in rows(&plan, 3) {
        assert_eq!((row.replications, row.failed), (10, 10), "{row:?}");
    }
}
