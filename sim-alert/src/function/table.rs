//! The table of functions.

use super::calendar::Date;
use super::{Function, Run, histogram, over_time, rate, regression, series};
use crate::expr::Kind::{self, Range, Scalar, Text, Vector};

/// Every function, by name.
pub fn functions() -> &'static [Function] {
    FUNCTIONS
}

const SOURCE: &str = "promql/functions.go";

/// What most functions have in common.
const PLAIN: Function = Function {
    name: "",
    arguments: &[Vector],
    optional: 0,
    repeats: false,
    returns: Vector,
    about: "",
    source: SOURCE,
    run: Run::Value(|value, _| Some(value)),
};

const fn of(
    name: &'static str,
    arguments: &'static [Kind],
    run: Run,
    about: &'static str,
) -> Function {
    Function {
        name,
        arguments,
        about,
        run,
        ..PLAIN
    }
}

const fn date(name: &'static str, run: fn(&Date) -> f64, about: &'static str) -> Function {
    Function {
        name,
        optional: 1,
        about,
        run: Run::Date(run),
        ..PLAIN
    }
}

const V: &[Kind] = &[Vector];
const R: &[Kind] = &[Range];

#[rustfmt::skip]
static FUNCTIONS: &[Function] = &[
    of("abs", V, Run::Value(|v, _| Some(v.abs())), "Without its sign."),
    of("absent", V, Run::Whole(series::absent), "1 if there is no series, with the labels asked for."),
    of("absent_over_time", R, Run::Whole(series::absent_over_time), "1 if no series has a point in the range."),
    of("avg_over_time", R, Run::Figure(over_time::avg), "The mean of the points."),
    of("ceil", V, Run::Value(|v, _| Some(v.ceil())), "The next whole number above."),
    of("changes", R, Run::Figure(rate::changes), "How often the value changed."),
    of("clamp", &[Vector, Scalar, Scalar], Run::Value(|v, s| clamped(v, s[0], s[1])), "Not below the second and not above the third argument."),
    of("clamp_max", &[Vector, Scalar], Run::Value(|v, s| clamped(v, f64::NEG_INFINITY, s[0])), "Not above the second argument."),
    of("clamp_min", &[Vector, Scalar], Run::Value(|v, s| clamped(v, s[0], f64::INFINITY)), "Not below the second argument."),
    of("count_over_time", R, Run::Figure(over_time::count), "How many points there are."),
    date("day_of_month", |date| date.day as f64, "The day of the month, from 1."),
    date("day_of_week", |date| date.weekday as f64, "The day of the week, from 0 for Sunday."),
    date("day_of_year", |date| date.day_of_year as f64, "The day of the year, from 1."),
    date("days_in_month", |date| date.days_in_month() as f64, "How many days the month has."),
    of("deg", V, Run::Value(|v, _| Some(v * 180.0 / std::f64::consts::PI)), "Radians as degrees."),
    of("delta", R, Run::Window(rate::delta), "The change of a gauge in the range, extrapolated."),
    of("deriv", R, Run::Window(regression::deriv), "The slope of the straight line through the points, per second."),
    of("exp", V, Run::Value(|v, _| Some(libm::exp(v))), "The exponential."),
    of("floor", V, Run::Value(|v, _| Some(v.floor())), "The next whole number below."),
    Function { source: "promql/quantile.go", ..of("histogram_quantile", &[Scalar, Vector], Run::Whole(histogram::histogram_quantile), "A quantile of classic histograms, by their buckets.") },
    date("hour", |date| date.hour as f64, "The hour, in UTC."),
    of("idelta", R, Run::Window(rate::idelta), "The change between the last two points."),
    of("increase", R, Run::Window(rate::increase), "The increase of a counter in the range, extrapolated."),
    of("irate", R, Run::Window(rate::irate), "The increase per second between the last two points of a counter."),
    Function { repeats: true, optional: 1, ..of("label_join", &[Vector, Text, Text, Text], Run::Whole(series::label_join), "A label of several labels, with a text between them.") },
    of("label_replace", &[Vector, Text, Text, Text, Text], Run::Whole(series::label_replace), "A label made from another by a regular expression."),
    of("last_over_time", R, Run::Whole(series::last_over_time), "The last point."),
    of("ln", V, Run::Value(|v, _| Some(libm::log(v))), "The natural logarithm."),
    of("log10", V, Run::Value(|v, _| Some(libm::log10(v))), "The decimal logarithm."),
    of("log2", V, Run::Value(|v, _| Some(libm::log2(v))), "The binary logarithm."),
    of("max_over_time", R, Run::Figure(over_time::max), "The largest of the points."),
    of("min_over_time", R, Run::Figure(over_time::min), "The smallest of the points."),
    date("minute", |date| date.minute as f64, "The minute, in UTC."),
    date("month", |date| date.month as f64, "The month, from 1."),
    Function { returns: Scalar, ..of("pi", &[], Run::Number(|_| std::f64::consts::PI), "The number pi.") },
    of("predict_linear", &[Range, Scalar], Run::Window(regression::predict_linear), "The straight line through the points, so many seconds from now."),
    of("present_over_time", R, Run::Figure(over_time::present), "1 if there is a point in the range."),
    of("quantile_over_time", &[Scalar, Range], Run::Figure(over_time::quantile), "A quantile of the points, interpolated."),
    of("rad", V, Run::Value(|v, _| Some(v * std::f64::consts::PI / 180.0)), "Degrees as radians."),
    of("rate", R, Run::Window(rate::rate), "The increase of a counter per second in the range, extrapolated."),
    of("resets", R, Run::Figure(rate::resets), "How often a counter fell."),
    Function { optional: 1, ..of("round", &[Vector, Scalar], Run::Value(|v, s| Some(rounded(v, s))), "The nearest whole number, or multiple of the second argument; halves go up.") },
    Function { returns: Scalar, ..of("scalar", V, Run::Whole(series::scalar), "The value of the only series; NaN if there is none or more than one.") },
    of("sgn", V, Run::Value(|v, _| Some(sign(v))), "1, -1 or 0 by the sign."),
    of("sort", V, Run::Whole(series::sort), "By value, the smallest first; alerts do not look at the order."),
    of("sort_desc", V, Run::Whole(series::sort_desc), "By value, the largest first; alerts do not look at the order."),
    of("sqrt", V, Run::Value(|v, _| Some(v.sqrt())), "The square root."),
    of("stddev_over_time", R, Run::Figure(over_time::stddev), "The standard deviation of the points."),
    of("stdvar_over_time", R, Run::Figure(over_time::stdvar), "The variance of the points."),
    of("sum_over_time", R, Run::Figure(over_time::sum), "The sum of the points."),
    Function { returns: Scalar, ..of("time", &[], Run::Number(|now_ms| now_ms as f64 / 1000.0), "The moment of evaluation, in seconds.") },
    of("timestamp", V, Run::Whole(series::timestamp), "When the sample was taken, in seconds."),
    of("vector", &[Scalar], Run::Whole(series::vector), "A scalar as a series without labels."),
    date("year", |date| date.year as f64, "The year, in UTC."),
];

/// Nothing at all if the bounds are in the wrong order.
fn clamped(value: f64, least: f64, most: f64) -> Option<f64> {
    if most < least {
        return None;
    }
    Some(larger(least, smaller(most, value)))
}

/// As Go has it: infinity is larger than anything, and otherwise NaN is.
fn larger(a: f64, b: f64) -> f64 {
    if a == f64::INFINITY || b == f64::INFINITY {
        f64::INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.max(b)
    }
}

fn smaller(a: f64, b: f64) -> f64 {
    -larger(-a, -b)
}

fn rounded(value: f64, to: &[f64]) -> f64 {
    let inverse = 1.0 / to.first().copied().unwrap_or(1.0);
    (value * inverse + 0.5).floor() / inverse
}

fn sign(value: f64) -> f64 {
    if value > 0.0 {
        1.0
    } else if value < 0.0 {
        -1.0
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_complete() {
        let names: Vec<&str> = functions().iter().map(|row| row.name).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        for row in functions() {
            assert!(
                row.about.ends_with('.') && !row.source.is_empty(),
                "{}",
                row.name
            );
        }
    }
}
