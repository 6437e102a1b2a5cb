//! Plans: a numbered list of cells.

use super::axis::{Axis, Column};
use super::value::cell_text;
use crate::experiment::{Measure, Precision};
use crate::model::Model;
use crate::scenario::canonical::{fingerprint, value_text};
use crate::scenario::problem::{Collector, Problem, Span};
use crate::scenario::set::{Assignment, Segment};
use crate::scenario::tree::Node;
use crate::scenario::{Problems, Scenario, Source};
use std::sync::Arc;

/// A scenario, the axes along which it is varied, and what is measured.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) scenario: Scenario,
    pub(super) scenario_hash: u64,
    pub(super) replications: u64,
    pub(super) precision: Option<Precision>,
    pub(super) confidence: f64,
    pub(super) measures: Vec<Measure>,
    pub(crate) axes: Vec<Axis>,
    /// Positions (axis, column) in the order in which sets are applied.
    pub(super) order: Vec<(usize, usize)>,
    /// What all cells have in common, for their identity.
    pub(super) common: String,
    pub(super) sources: Arc<[Source]>,
}

/// One combination of the axes' values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cell {
    /// Its number, from 0.
    pub number: usize,
    /// Identifies what is simulated and measured in it, whatever else the plan holds.
    pub identity: u64,
    /// The values, in the order of [`Plan::columns`], as they stand in a table.
    pub values: Vec<String>,
}

impl Plan {
    /// What plots and messages call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The title, or the name where there is none.
    pub fn title(&self) -> &str {
        if self.title.is_empty() {
            &self.name
        } else {
            &self.title
        }
    }

    /// The scenario, with what the plan sets for all cells.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Hash of the scenario.
    pub fn scenario_hash(&self) -> u64 {
        self.scenario_hash
    }

    /// Replications of each cell; with a precision, how many at least.
    pub fn replications(&self) -> u64 {
        self.replications
    }

    /// Whether its points are a design for Sobol indices, for which [`sensitivity`](super::sensitivity()) has words.
    pub fn is_sobol(&self) -> bool {
        self.axes.iter().any(|axis| axis.sobol)
    }

    /// How precise every interval of a cell is to be, and what that may take.
    pub fn precision(&self) -> Option<Precision> {
        self.precision
    }

    /// Confidence of the intervals.
    pub fn confidence(&self) -> f64 {
        self.confidence
    }

    /// What is measured.
    pub fn measures(&self) -> &[Measure] {
        &self.measures
    }

    /// Names of the columns that are varied.
    pub fn columns(&self) -> Vec<&str> {
        self.flat().map(|column| column.name.as_str()).collect()
    }

    /// Every column with the values that its axis gives it.
    pub fn values(&self) -> Vec<(&str, Vec<String>)> {
        let of = |axis: &Axis, c: usize| axis.points.iter().map(|p| cell_text(&p[c])).collect();
        self.axes
            .iter()
            .flat_map(|axis| {
                let columns = axis.columns.iter().enumerate();
                columns.map(move |(c, column)| (column.name.as_str(), of(axis, c)))
            })
            .collect()
    }

    pub(super) fn flat(&self) -> impl Iterator<Item = &Column> {
        self.axes.iter().flat_map(|axis| &axis.columns)
    }

    /// How many cells there are; at least one.
    pub fn cells(&self) -> usize {
        self.axes.iter().map(|axis| axis.points.len()).product()
    }

    /// Cell number `number`.
    pub fn cell(&self, number: usize) -> Cell {
        let points = self.points(number);
        let nodes = || {
            self.axes
                .iter()
                .zip(&points)
                .flat_map(|(axis, p)| &axis.points[*p])
        };
        let mut identity = self.common.clone();
        for (a, c) in &self.order {
            let axis = &self.axes[*a];
            identity.push('\n');
            identity.push_str(&path_text(&axis.columns[*c].path));
            identity.push_str(" = ");
            identity.push_str(&value_text(&axis.points[points[*a]][*c]));
        }
        Cell {
            number,
            identity: fingerprint(&identity),
            values: nodes().map(cell_text).collect(),
        }
    }

    /// The point on each axis of cell number `number`: the last axis varies fastest.
    pub(super) fn points(&self, mut number: usize) -> Vec<usize> {
        let mut points = vec![0; self.axes.len()];
        for (point, axis) in points.iter_mut().zip(&self.axes).rev() {
            *point = number % axis.points.len();
            number /= axis.points.len();
        }
        points
    }

    /// The validated system of cell number `number`.
    ///
    /// # Errors
    /// Why the scenario is invalid with the values of this cell.
    pub fn model(&self, number: usize) -> Result<Model, Problems> {
        let mut problems = Collector::default();
        let points = self.points(number);
        let sets: Vec<Assignment> = self
            .order
            .iter()
            .map(|(a, c)| Assignment {
                path: self.axes[*a].columns[*c].path.clone(),
                value: self.axes[*a].points[points[*a]][*c].clone(),
            })
            .collect();
        let sets: Vec<&Assignment> = sets.iter().collect();
        let model = self
            .scenario
            .with(&sets, &mut problems)
            .build(&mut problems);
        problems.finish(&self.sources)?;
        model.ok_or_else(|| Problems {
            sources: self.sources.to_vec(),
            problems: vec![Problem::new(
                "E099",
                "the cell cannot be built, and no reason was found",
            )],
            left_out: 0,
        })
    }
}

/// A path as it is written.
pub(super) fn path_text(path: &[Segment]) -> String {
    Assignment {
        path: path.to_vec(),
        value: Node::empty_table(Span::NOWHERE),
    }
    .text()
}
