//! Series over time, as a database of Prometheus would hold them.

use crate::labels::{Labels, NAME};
use crate::matcher::{Matcher, Operator};
use std::collections::BTreeMap;
use std::fmt;

/// What a series was at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Milliseconds.
    pub at_ms: i64,
    /// `None` is the mark that the series ended here (a *staleness marker*).
    pub value: Option<f64>,
}

/// All series, by name of the metric and then by labels: the order of everything that is computed.
#[derive(Clone, Debug, Default)]
pub struct Store {
    by_name: BTreeMap<String, BTreeMap<Labels, Vec<Point>>>,
    points: usize,
}

/// Why a point was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The series goes on later than that already.
    OutOfOrder,
    /// At that moment the series has another value.
    Duplicate,
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::OutOfOrder => "out of order sample",
            Self::Duplicate => "duplicate sample for timestamp",
        })
    }
}

impl std::error::Error for Refused {}

impl Store {
    /// Adds a point at the end of a series; `None` ends it.
    ///
    /// # Errors
    /// Says if the series is later than that, or another value at this moment.
    pub fn append(
        &mut self,
        labels: &Labels,
        at_ms: i64,
        value: Option<f64>,
    ) -> Result<(), Refused> {
        // Nearly every point is one of a series that is there: nothing is copied for it.
        let there = self.by_name.get_mut(labels.get(NAME));
        let Some(points) = there.and_then(|named| named.get_mut(labels)) else {
            self.begin(labels, Point { at_ms, value });
            self.points += 1;
            return Ok(());
        };
        let point = Point { at_ms, value };
        match points.last() {
            Some(last) if last.at_ms > at_ms => return Err(Refused::OutOfOrder),
            Some(last) if last.at_ms == at_ms => {
                let bits = |value: Option<f64>| value.map(f64::to_bits);
                let same = bits(last.value) == bits(value);
                return if same {
                    Ok(())
                } else {
                    Err(Refused::Duplicate)
                };
            }
            _ => {
                points.push(point);
                self.points += 1;
            }
        }
        Ok(())
    }

    fn begin(&mut self, labels: &Labels, point: Point) {
        let named = self.by_name.entry(labels.get(NAME).to_owned());
        named.or_default().insert(labels.clone(), vec![point]);
    }

    /// How many points all series have.
    pub fn points(&self) -> usize {
        self.points
    }

    /// Forgets points before a moment, and series of which nothing is left.
    pub fn forget_before(&mut self, from_ms: i64) {
        for named in self.by_name.values_mut() {
            named.retain(|_, points| {
                let gone = points.partition_point(|point| point.at_ms < from_ms);
                points.drain(..gone);
                self.points -= gone;
                !points.is_empty()
            });
        }
        self.by_name.retain(|_, named| !named.is_empty());
    }

    /// Bytes that it takes, about: what a copy of it costs.
    pub fn bytes(&self) -> usize {
        let label =
            |(name, value): (&str, &str)| name.len() + value.len() + size_of::<(String, String)>();
        let series = self.series().map(|(labels, _)| {
            labels.iter().map(label).sum::<usize>() + size_of::<(Labels, Vec<Point>)>()
        });
        series.sum::<usize>() + self.points * size_of::<Point>()
    }

    /// Every series with its points.
    pub fn series(&self) -> impl Iterator<Item = (&Labels, &[Point])> {
        let all = self.by_name.values().flatten();
        all.map(|(labels, points)| (labels, points.as_slice()))
    }

    /// The series with the name that matchers ask for; all, if they ask for none.
    pub(crate) fn named<'s>(
        &'s self,
        matchers: &[Matcher],
    ) -> impl Iterator<Item = (&'s Labels, &'s [Point])> + use<'s> {
        let name = matchers
            .iter()
            .find(|one| one.label == NAME && one.operator == Operator::Equal);
        let range = match name {
            Some(one) => self.by_name.range(one.value.clone()..=one.value.clone()),
            None => self.by_name.range::<String, _>(..),
        };
        range
            .flat_map(|(_, series)| series)
            .map(|(labels, points)| (labels, points.as_slice()))
    }
}

/// The points after `from_ms` and not after `to_ms`: since Prometheus 3 a range does not hold its
/// beginning.
pub(crate) fn between(points: &[Point], from_ms: i64, to_ms: i64) -> &[Point] {
    let first = points.partition_point(|point| point.at_ms <= from_ms);
    let last = points.partition_point(|point| point.at_ms <= to_ms);
    &points[first..last.max(first)]
}
