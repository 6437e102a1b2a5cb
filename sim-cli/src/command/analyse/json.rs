//! The analysis of a series as JSON.

use super::column::Column;
use crate::args::AnalyseArgs;
use serde::Serialize;
use sim_core::statistics::{Analysis, By, Interval, METHODS, Quantile, Stationarity};

/// All of it.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    schema_version: u32,
    file: &'a str,
    column: Option<&'a str>,
    /// Values that were looked at, those left out at the start, and empty cells.
    count: usize,
    skipped: usize,
    empty: usize,
    mean: f64,
    variance: f64,
    deviation: f64,
    min: f64,
    max: f64,
    lag_1_correlation: Option<f64>,
    von_neumann_z: f64,
    confidence: f64,
    means: Vec<Entry<'a>>,
    mser5: Mser5,
    heidelberger_welch: Option<HeidelbergerWelch>,
    quantiles: Vec<QuantileEntry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    method: &'static str,
    source: &'static str,
    interval: Option<&'a Interval>,
    withheld: Option<&'a str>,
}

#[derive(Serialize)]
struct Mser5 {
    /// Values that it leaves out; absent where it finds no end of the warm-up.
    skip: Option<usize>,
}

#[derive(Serialize)]
struct HeidelbergerWelch {
    stationary: bool,
    skipped: usize,
    cramer_von_mises: f64,
    p: f64,
    /// Half-width as a share of the mean, and whether it is as small as was asked for.
    relative_half_width: Option<f64>,
    precision: f64,
    precise: bool,
}

#[derive(Serialize)]
struct QuantileEntry<'a> {
    p: f64,
    value: f64,
    low_rank: Option<u64>,
    high_rank: Option<u64>,
    #[serde(flatten)]
    entry: Entry<'a>,
}

impl<'a> Report<'a> {
    pub(super) fn of(column: &'a Column, found: &'a Analysis, args: &'a AnalyseArgs) -> Self {
        let test = found.stationarity.as_ref().ok();
        Self {
            schema_version: 1,
            file: &args.file,
            column: column.name.as_deref(),
            count: found.count,
            skipped: found.skipped,
            empty: column.empty,
            mean: found.moments.mean(),
            variance: found.moments.variance(),
            deviation: found.moments.deviation(),
            min: found.range.0,
            max: found.range.1,
            lag_1_correlation: found.lag_1.filter(|r| r.is_finite()),
            von_neumann_z: found.z,
            confidence: args.confidence,
            means: found.means.iter().map(Entry::of).collect(),
            mser5: Mser5 { skip: found.mser5 },
            heidelberger_welch: test.map(|test| HeidelbergerWelch::of(test, args.precision)),
            quantiles: found.quantiles.iter().map(QuantileEntry::of).collect(),
        }
    }
}

impl<'a> Entry<'a> {
    fn of(by: &'a By) -> Self {
        let source = METHODS.iter().find(|(method, _)| *method == by.method);
        Self {
            method: by.method,
            source: source.map_or("", |(_, about)| about),
            interval: by.interval.as_ref().ok(),
            withheld: by.interval.as_ref().err().map(String::as_str),
        }
    }
}

impl HeidelbergerWelch {
    fn of(test: &Stationarity, precision: f64) -> Self {
        let varied = test.mean.filter(Interval::varies);
        let relative = varied.map(|interval| interval.relative());
        Self {
            stationary: test.passed,
            skipped: test.skipped,
            cramer_von_mises: test.statistic,
            p: test.p,
            relative_half_width: relative.filter(|share| share.is_finite()),
            precision,
            precise: relative.is_some_and(|share| share <= precision),
        }
    }
}

impl<'a> QuantileEntry<'a> {
    fn of(quantile: &'a Quantile) -> Self {
        Self {
            p: quantile.p,
            value: quantile.value,
            low_rank: quantile.ranks.map(|ranks| ranks.0),
            high_rank: quantile.ranks.map(|ranks| ranks.1),
            entry: Entry::of(&quantile.by),
        }
    }
}
