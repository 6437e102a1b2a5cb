//! Functions of expressions: a row each.

mod calendar;
mod histogram;
mod over_time;
pub(crate) mod quantile;
mod rate;
mod regression;
mod series;
mod table;

use crate::eval::{Evaluator, Failure, Sample, Value};
use crate::expr::{Expr, Kind};
use crate::problem;

pub use table::functions;

/// A row of the table of functions.
#[derive(Debug)]
pub struct Function {
    /// As it is written.
    pub name: &'static str,
    /// The kinds of its arguments.
    pub arguments: &'static [Kind],
    /// How many of the last arguments need not be written.
    pub optional: usize,
    /// Whether the last argument may be written any number of times.
    pub repeats: bool,
    /// What it comes to.
    pub returns: Kind,
    /// One sentence.
    pub about: &'static str,
    /// Where Prometheus does it.
    pub source: &'static str,
    pub(crate) run: Run,
}

/// How a function is computed.
#[derive(Debug)]
pub(crate) enum Run {
    /// Of the points of each series; the name goes, since the value is no longer what it says.
    Figure(fn(&Window<'_>) -> f64),
    /// The same, where a series with a single point has no value.
    Window(fn(&Window<'_>) -> Option<f64>),
    /// Of the value of each series and the scalars that follow; the name goes.
    Value(fn(f64, &[f64]) -> Option<f64>),
    /// Of the date that a value, or now, is in seconds.
    Date(fn(&calendar::Date) -> f64),
    /// Of nothing but the present moment.
    Number(fn(i64) -> f64),
    /// Anything else.
    Whole(fn(&Evaluator<'_>, &[Expr]) -> Result<Value, Failure>),
}

/// What a function over time is given of one series: at least one point.
pub(crate) struct Window<'p> {
    /// Milliseconds and values, in order of time.
    pub(crate) points: &'p [(i64, f64)],
    /// The moment for which it is asked, whatever the offset.
    pub(crate) now_ms: i64,
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
    /// The scalars among the arguments.
    pub(crate) scalars: &'p [f64],
}

impl Window<'_> {
    pub(crate) fn values(&self) -> impl Iterator<Item = f64> {
        self.points.iter().map(|(_, value)| *value)
    }
}

/// What to say of a function that is not in the table.
pub(crate) fn unknown(name: &str) -> String {
    let known = problem::listed(functions().iter().map(|row| row.name));
    let aggregations = crate::expr::aggregators();
    let aggregations = problem::listed(aggregations.iter().map(|row| row.name));
    format!(
        "the function {name:?} is not supported; functions are {known}; aggregations are {aggregations}"
    )
}

/// Calls a function.
pub(crate) fn call(
    function: &Function,
    arguments: &[Expr],
    at: &Evaluator<'_>,
) -> Result<Value, Failure> {
    let vector = match &function.run {
        Run::Whole(run) => return run(at, arguments),
        Run::Number(run) => return Ok(Value::Scalar(run(at.now_ms))),
        Run::Figure(run) => over_range(arguments, at, |window| Some(run(window)))?,
        Run::Window(run) => over_range(arguments, at, run)?,
        Run::Value(run) => {
            let scalars = scalars(arguments, at)?;
            let result = at.vector(&arguments[0])?.into_iter().filter_map(|sample| {
                let value = run(sample.value, &scalars)?;
                let labels = sample.labels.nameless();
                Some(Sample { labels, value })
            });
            result.collect()
        }
        Run::Date(run) => {
            let date =
                |seconds: f64| calendar::Date::of(seconds).map_or(f64::NAN, |date| run(&date));
            match arguments.first() {
                Some(argument) => {
                    let samples = at.vector(argument)?.into_iter();
                    let dated = samples.map(|sample| Sample {
                        labels: sample.labels.nameless(),
                        value: date(sample.value),
                    });
                    dated.collect()
                }
                None => vec![Sample {
                    labels: crate::Labels::default(),
                    value: date((at.now_ms.div_euclid(1000)) as f64),
                }],
            }
        }
    };
    Ok(Value::Vector(vector))
}

fn scalars(arguments: &[Expr], at: &Evaluator<'_>) -> Result<Vec<f64>, Failure> {
    let only = arguments.iter().filter(|one| one.kind() == Kind::Scalar);
    only.map(|one| at.scalar(one)).collect()
}

/// A function of the points of each series.
fn over_range(
    arguments: &[Expr],
    at: &Evaluator<'_>,
    run: impl Fn(&Window<'_>) -> Option<f64>,
) -> Result<Vec<Sample>, Failure> {
    let scalars = scalars(arguments, at)?;
    let range = arguments.iter().find(|one| one.kind() == Kind::Range);
    let range = at.range(range.expect("a function over time has a range"))?;
    let samples = range.series.iter().filter_map(|(labels, points)| {
        let value = run(&Window {
            points,
            now_ms: at.now_ms,
            from_ms: range.from_ms,
            to_ms: range.to_ms,
            scalars: &scalars,
        })?;
        let labels = labels.nameless();
        Some(Sample { labels, value })
    });
    Ok(samples.collect())
}
