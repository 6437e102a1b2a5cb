//! What can be said of a plan before any cell is run.
//!
//! A value that fits one cell may not fit another, and a cell that cannot be run should not stop the
//! others. Therefore a value is refused only when it fits nowhere it was tried: beside the first and
//! the last values of the other axes, and alone.

use super::axis::Axis;
use super::plan::{Plan, path_text};
use crate::scenario::problem::{Collector, Problem};
use crate::scenario::set::Assignment;
use crate::scenario::tree::Node;

/// Values of one axis that are tried: a range is fine when its ends and some between are.
const TRIED_MAX: usize = 200;

/// Columns that the table of results has anyway.
const TAKEN: [&str; 5] = ["cell", "replications", "failed", "digest", "notes"];

/// Refuses columns that are called alike, and paths that two axes set.
pub(super) fn names(axes: &[Axis], measures: &[&str], problems: &mut Collector) {
    let columns: Vec<_> = axes.iter().flat_map(|axis| &axis.columns).collect();
    for (i, column) in columns.iter().enumerate() {
        for first in &columns[..i] {
            if path_text(&first.path) == path_text(&column.path) {
                let message = format!("`{}` is varied twice", path_text(&column.path));
                problems.push(
                    Problem::new("E041", message)
                        .at(column.span)
                        .label(first.span, "first here"),
                );
            } else if first.name == column.name {
                let message = format!("two columns are called {:?}", column.name);
                problems.push(
                    Problem::new("E041", message)
                        .at(column.span)
                        .label(first.span, "first here"),
                );
            }
        }
        let measured = measures
            .iter()
            .any(|m| *m == column.name || column.name == format!("{m}.half_width"));
        if TAKEN.contains(&column.name.as_str()) || measured {
            let message = format!("the table has a column called {:?} already", column.name);
            problems.push(
                Problem::new("E041", message)
                    .at(column.span)
                    .help("give this one another `name`"),
            );
        }
    }
}

/// Tries the values of all axes, the cells at the corners, and the names of measures.
pub(super) fn check(plan: &Plan, measures: &Node, problems: &mut Collector) {
    let found = problems.count();
    for (a, axis) in plan.axes.iter().enumerate() {
        let last = axis.points.len() - 1;
        let tried = axis.points.len().min(TRIED_MAX);
        for i in 0..tried {
            let point = if tried == axis.points.len() {
                i
            } else {
                i * last / (tried - 1)
            };
            value(plan, a, point, problems);
        }
    }
    if problems.count() > found {
        return;
    }
    let corners = [0, plan.cells() - 1].map(|number| plan.model(number));
    match &corners {
        [Ok(model), _] | [_, Ok(model)] => {
            for (measure, item) in plan.measures.iter().zip(measures.items()) {
                if let Err((message, help)) = measure.check(model) {
                    problems.push(Problem::new("E033", message).at(item.span).help(help));
                }
            }
        }
        [Err(first), Err(_)] => {
            // Perhaps the scenario as it stands is what is wrong: then no cell is worth a try.
            if plan.scenario.build(&mut Collector::default()).is_none() {
                for problem in &first.problems {
                    problems.push(problem.clone());
                }
            }
        }
    }
}

/// Tries one value of one axis in three surroundings.
fn value(plan: &Plan, axis: usize, point: usize, problems: &mut Collector) {
    let mut first = None;
    for surroundings in [Around::First, Around::Last, Around::Nothing] {
        let mut found = Collector::default();
        let mut sets: Vec<Assignment> = Vec::new();
        for (i, other) in plan.axes.iter().enumerate() {
            let at = match surroundings {
                _ if i == axis => point,
                Around::First => 0,
                Around::Last => other.points.len() - 1,
                Around::Nothing => continue,
            };
            sets.extend(other.assignments(at));
        }
        sets.sort_by(|a, b| a.words().cmp(&b.words()));
        let sets: Vec<&Assignment> = sets.iter().collect();
        drop(plan.scenario.with(&sets, &mut found).sections(&mut found));
        if found.is_empty() {
            return;
        }
        first.get_or_insert(found);
    }
    for problem in first.into_iter().flat_map(Collector::into_problems) {
        problems.push(problem);
    }
}

/// What the other axes are at while a value is tried.
#[derive(Clone, Copy)]
enum Around {
    First,
    Last,
    Nothing,
}
