//! What can be said of a plan before any cell is run.
//!
//! A value that fits one cell may not fit another, and a cell that cannot be run should not stop the
//! others. Therefore a value is refused only when it fits nowhere it was tried: beside the first and
//! the last values of the other axes, and alone.

use super::axis::Axis;
use super::plan::{Plan, path_text};
use super::row::ENDS;
use crate::experiment::Measure;
use crate::model::Model;
use crate::scenario::Problems;
use crate::scenario::canonical::value_text;
use crate::scenario::problem::{Collector, Problem};
use crate::scenario::set::Assignment;
use crate::scenario::tree::Node;
use crate::text::cited;
use std::collections::BTreeSet;

/// Values of one axis that are tried: a range is fine when its ends and some between are.
const VALUES_TRIED: usize = 200;
/// Cells that are tried until one can be built.
const CELLS_TRIED: usize = 20;

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
                let message = format!("two columns are called {}", cited(&column.name));
                problems.push(
                    Problem::new("E041", message)
                        .at(column.span)
                        .label(first.span, "first here"),
                );
            }
        }
        let measured = measures.iter().any(|m| {
            *m == column.name || ENDS.iter().any(|end| column.name == format!("{m}.{end}"))
        });
        if TAKEN.contains(&column.name.as_str()) || measured {
            let message = format!(
                "the table has a column called {} already",
                cited(&column.name)
            );
            problems.push(
                Problem::new("E041", message)
                    .at(column.span)
                    .help("give this one another `name`"),
            );
        }
    }
}

/// Refuses an axis that takes the same values twice: its cells would stand for each other in the
/// table.
fn twice(axis: &Axis, problems: &mut Collector) {
    let mut seen = BTreeSet::new();
    for point in &axis.points {
        let values: Vec<String> = point.iter().map(value_text).collect();
        let text = values.join(", ");
        if !seen.insert(values) {
            // The value where one is written; a range that takes one twice has none.
            let span = point
                .iter()
                .map(|value| value.span)
                .find(|span| span.end > span.start)
                .unwrap_or(axis.span);
            problems.push(
                Problem::new("E041", format!("the axis takes {text} twice"))
                    .at(span)
                    .help("each value once: `replications` says how often a cell is simulated"),
            );
            return;
        }
    }
}

/// Tries the values of all axes, builds a cell, and reads the names of measures; `None` after a
/// problem.
pub(super) fn check(
    plan: &Plan,
    paths: &[&Node],
    problems: &mut Collector,
) -> Option<Vec<Measure>> {
    let found = problems.count();
    for (a, axis) in plan.axes.iter().enumerate() {
        // Of a design, points may come out alike.
        if !axis.sobol {
            twice(axis, problems);
        }
        for point in spread(axis.points.len(), VALUES_TRIED) {
            value(plan, a, point, problems);
        }
    }
    if problems.count() > found {
        return None;
    }
    let model = match buildable(plan) {
        Ok(model) => model,
        Err(refused) => {
            for problem in refused.problems {
                problems.push(problem);
            }
            return None;
        }
    };
    let mut measures: Vec<Measure> = Vec::new();
    for node in paths {
        match Measure::parse(node.as_text().unwrap_or_default(), &model) {
            Ok(measure) if measures.contains(&measure) => {
                let message = format!("{} is measured twice", measure.path());
                problems.push(Problem::new("E041", message).at(node.span));
            }
            Ok(measure) => measures.push(measure),
            Err(why) => {
                let (message, help) = why.split_once("; ").unwrap_or((&why, ""));
                problems.push(Problem::new("E033", message).at(node.span).help(help));
            }
        }
    }
    (problems.count() == found).then_some(measures)
}

/// The model of some cell. When none of those tried can be built, no cell is worth a try.
fn buildable(plan: &Plan) -> Result<Model, Problems> {
    let mut tried = spread(plan.cells(), CELLS_TRIED).map(|cell| plan.model(cell));
    let first = tried.next().unwrap_or_else(|| plan.model(0));
    match first {
        Ok(model) => Ok(model),
        Err(refused) => tried.find_map(Result::ok).ok_or(refused),
    }
}

/// At most `most` of the numbers below `count`, with both ends.
fn spread(count: usize, most: usize) -> impl Iterator<Item = usize> {
    let taken = count.min(most);
    (0..taken).map(move |i| {
        if taken == count {
            i
        } else {
            i * (count - 1) / (taken - 1)
        }
    })
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
