//! What experiments say, as people read it: the same words in every front end.

use super::results::ClassicalReport;
use super::sheet::Table;
use crate::experiment::sweep::{Figure, Plan};
use crate::experiment::{Comparison, FoundBy, Measure, Pair, WarmUp};
use crate::metric::Unit;
use crate::readable;
use crate::statistics::{Estimate, Method, Needs, Withheld};
use crate::summary::Summary;
use crate::time::{Clock, Duration, Instant};

/// Mean, interval and relative half-width; or the mean, if it stands, and the reason why there is
/// no interval.
pub fn estimate(measure: &Measure, estimate: &Estimate) -> Vec<String> {
    match (estimate.interval(), estimate.reason()) {
        (Some(interval), _) => {
            let ends = (interval.low, interval.high);
            if interval.is_bound()
                && let Some(bound) = measure.bound_text(interval.mean, ends)
            {
                return vec![measure.text(interval.mean), bound, "–".to_owned()];
            }
            let (mean, about) = measure.interval_text(interval.mean, ends);
            let relative = interval.relative();
            let relative = if relative.is_finite() {
                readable::share(relative)
            } else {
                "–".to_owned()
            };
            vec![mean, about, relative]
        }
        (None, reason) => vec![
            estimate.mean().map_or("–".to_owned(), |m| measure.text(m)),
            reason.map_or(String::new(), |r| {
                format!("no interval: {}", reason_and_needs(r, estimate.needs()))
            }),
        ],
    }
}

/// Why there is no interval, and what would give one.
pub fn reason_and_needs(reason: &Withheld, needs: Option<Needs>) -> String {
    needs.map_or_else(|| reason.to_string(), |needs| format!("{reason}; {needs}"))
}

/// How the intervals of measures were made: each way with the measures it was used for.
pub fn methods<'a>(estimates: impl Iterator<Item = (&'a Measure, &'a Estimate)>) -> Vec<String> {
    let mut ways: Vec<(Method, Vec<&str>)> = Vec::new();
    for (measure, estimate) in estimates {
        let Some(interval) = estimate.interval() else {
            continue;
        };
        match ways
            .iter_mut()
            .find(|(method, _)| *method == interval.method)
        {
            Some((_, paths)) if paths.contains(&measure.path()) => {}
            Some((_, paths)) => paths.push(measure.path()),
            None => ways.push((interval.method, vec![measure.path()])),
        }
    }
    let line =
        |(method, paths): (Method, Vec<&str>)| format!("{}: {}", paths.join(", "), method.about());
    ways.into_iter().map(line).collect()
}

/// What the classical procedures say of one run, a row for each measure: the interval of Heidelberger and Welch, their
/// test, and MSER-5.
pub fn classical(measures: &[Measure], found: &[ClassicalReport]) -> Table {
    let head = [
        "measure",
        "Heidelberger–Welch",
        "stationary",
        "MSER-5 leaves out",
    ];
    let mut table = Table::new("The same run by the classical procedures", &head);
    let span = |s: f64| match s {
        s if s > 0.0 => format!("the first {}", readable::time(s * 1e9)),
        _ => "nothing".to_owned(),
    };
    for one in found {
        let measure = measures
            .iter()
            .find(|measure| measure.path() == one.measure);
        let interval = match (one.heidelberger_welch, measure) {
            (Some(interval), Some(measure)) => {
                let ends = (interval.low, interval.high);
                let (mean, about) = measure.interval_text(interval.mean, ends);
                format!("{mean} {about}")
            }
            _ => format!(
                "no interval: {}",
                one.withheld.as_deref().unwrap_or_default()
            ),
        };
        let stationary = match (one.stationary, one.skipped_s, one.p) {
            (Some(true), Some(s), Some(p)) if s > 0.0 => {
                format!("without {}, {}", span(s), readable::chance(p))
            }
            (Some(true), _, Some(p)) => format!("from the start, {}", readable::chance(p)),
            (Some(false), _, Some(p)) => format!("no, {}", readable::chance(p)),
            _ => "–".to_owned(),
        };
        let mser5 = one.mser5_s.map_or_else(|| "–".to_owned(), span);
        table
            .rows
            .push(vec![one.measure.clone(), interval, stationary, mser5]);
    }
    table
}

/// What is estimated.
pub fn estimand(steady: bool) -> &'static str {
    if steady {
        "steady state"
    } else {
        "over the horizon"
    }
}

/// A difference with its interval, or why there is none; `cannot tell` where it covers zero.
pub fn difference(found: &Comparison, measure: usize, pair: &Pair) -> String {
    let Some(interval) = pair.range() else {
        return pair.difference.reason().map_or(String::new(), |reason| {
            let needs = pair.difference.needs();
            format!("cannot tell: {}", reason_and_needs(reason, needs))
        });
    };
    let in_all = (pair.difference.reason()).map(|reason| format!(", {reason}"));
    if in_all.is_some() && interval.mean == 0.0 {
        return format!("none{}", in_all.unwrap_or_default());
    }
    let (mean, half) = found.measures[measure].difference_text(&interval);
    let half = if in_all.is_some() {
        String::new()
    } else {
        format!(" ± {half}")
    };
    let sign = if interval.mean > 0.0 { "+" } else { "" };
    let mean = mean.replace('-', "−");
    if pair.sign() == 0 {
        return format!("cannot tell: {sign}{mean}{half}");
    }
    let of_share = found.measures[measure].unit() == Unit::Ratio;
    let relative = pair
        .relative
        .filter(|_| !of_share)
        .map_or(String::new(), |r| {
            let sign = if r < 0.0 { "−" } else { "+" };
            format!(" ({sign}{})", readable::share(r.abs()))
        });
    format!("{sign}{mean}{half}{relative}{}", in_all.unwrap_or_default())
}

/// A rank, or the ranks that a variant may have: `2` or `2–3`.
pub fn rank(best: usize, worst: usize) -> String {
    if best == worst {
        best.to_string()
    } else {
        format!("{best}–{worst}")
    }
}

/// Variants that answered less than the best by more than a point, where availability is measured:
/// their response times are those of fewer requests.
pub fn less_answered(found: &Comparison) -> Vec<(&str, f64)> {
    let at = found
        .measures
        .iter()
        .position(|m| m.path() == "availability");
    let shares: Vec<(&str, f64)> = at.map_or(Vec::new(), |at| {
        let estimates = found.compared[at].estimates.iter().zip(&found.variants);
        estimates
            .filter_map(|(estimate, v)| Some((v.name.as_str(), estimate.mean()?)))
            .collect()
    });
    let best = shares.iter().map(|(_, share)| *share).fold(0.0, f64::max);
    shares
        .into_iter()
        .filter(|(_, share)| *share < best - 0.01)
        .collect()
}

/// How long the variants are simulated: one span, or from the shortest to the longest.
pub fn horizons(found: &Comparison) -> String {
    let all = || found.variants.iter().map(|v| v.model.horizon);
    let clock = found.variants.first().and_then(|v| v.model.clock);
    let length = |span| readable::length(span, clock);
    match (all().min(), all().max()) {
        (Some(least), Some(most)) if least < most => {
            format!("{} to {}", length(least), length(most))
        }
        (one, _) => one.map_or(String::new(), length),
    }
}

/// What a sweep runs: how many cells, and how many replications of each.
pub fn cells_of(plan: &Plan) -> String {
    let cells = readable::counted(plan.cells(), "cell");
    let each = match plan.precision() {
        None => readable::counted(plan.replications() as usize, "replication"),
        Some(precision) => format!(
            "up to {} until every interval is within {} of its mean",
            readable::counted(precision.max_replications as usize, "replication"),
            readable::share(precision.relative)
        ),
    };
    format!("{cells} of {each}, with the same random numbers in every cell")
}

/// A mean of a cell with its interval.
pub fn figure(measure: &Measure, figure: &Figure, failed: bool) -> String {
    match (figure.mean, figure.interval) {
        _ if failed => "failed".to_owned(),
        (Some(mean), Some(ends)) => with_interval(measure, mean, ends),
        (Some(mean), None) => format!("{} (no interval)", measure.text(mean)),
        _ => "–".to_owned(),
    }
}

/// A mean and its interval in one: `4.993 ms ± 0.031 ms`, `99.1 % (97.2 to 99.7 %)`, or
/// `100 % (at least 99.7 %)`.
pub fn with_interval(measure: &Measure, mean: f64, ends: (f64, f64)) -> String {
    if let Some(bound) = measure.bound_text(mean, ends) {
        return format!("{} ({bound})", measure.text(mean));
    }
    let (mean, about) = measure.interval_text(mean, ends);
    if about.starts_with('±') {
        format!("{mean} {about}")
    } else {
        format!("{mean} ({about})")
    }
}

/// What was left out at the start.
pub fn warm_up(warm_up: &WarmUp) -> String {
    // Nobody has a clock for that.
    let length = |span| readable::length(span, None);
    match warm_up {
        WarmUp::Given(span) if span.is_zero() => "nothing left out at the start".to_owned(),
        WarmUp::Given(span) => format!("the first {} left out", length(*span)),
        WarmUp::Found { length, after, .. } if length.is_zero() => format!(
            "nothing left out at the start, for MSER-5 finds nothing to leave out ({} in flight on average)",
            readable::number(*after)
        ),
        WarmUp::Found {
            length: span,
            by,
            after,
            after_twice,
        } => format!(
            "the first {} left out, {} (after it {} in flight on average, after twice as long {})",
            length(*span),
            match by {
                FoundBy::Mser5 => "found by MSER-5",
                FoundBy::Relaxation => "five relaxation times",
            },
            readable::number(*after),
            readable::number(*after_twice)
        ),
        WarmUp::NotSteady { why, .. } => {
            format!("no warm-up looked for: no steady state, for {why}")
        }
        WarmUp::TooShort { found, needs } => {
            let what = found.map_or_else(
                || "the end of the warm-up was not found".to_owned(),
                |span| {
                    format!(
                        "the warm-up takes {}, more than a tenth of the runs",
                        length(span)
                    )
                },
            );
            needs.map_or_else(|| what.clone(), |needs| format!("{what}; {needs}"))
        }
    }
}

/// What became of the site in a run, as far as a summary goes.
enum Ending {
    /// It was normal throughout.
    Calm,
    /// It was normal again from then on.
    Back(String),
    /// It was not normal again.
    Not,
}

impl Ending {
    fn of(summary: &Summary, clock: Option<Clock>) -> Self {
        match summary.incidents.last() {
            None => Self::Calm,
            Some(incident) => incident.end_s.map_or(Self::Not, |end_s| {
                let end = Duration::from_secs_f64(end_s);
                // Seconds are noise where minutes are meant.
                let minute = Instant(end.0 / MINUTE_NS * MINUTE_NS);
                let moment = if clock.is_some() {
                    minute
                } else {
                    Instant(end.0)
                };
                Self::Back(readable::moment(moment, clock))
            }),
        }
    }
}

const MINUTE_NS: u64 = 60_000_000_000;

/// Two futures in one sentence: what a change saves (`requests.lost`), and when the site is normal again, with it and without. Both figures
/// are of runs up to the same moment.
pub fn two_futures(
    change: &str,
    with: &Summary,
    without: &Summary,
    clock: Option<Clock>,
) -> String {
    let (lost, before) = (with.requests.lost, without.requests.lost);
    let said = |lost: u64| readable::spoken(lost as f64);
    let lost = if said(lost) == said(before) {
        format!("{} lost either way", said(lost))
    } else {
        format!("{} lost instead of {}", said(lost), said(before))
    };
    let end = Instant(Duration::from_secs_f64(with.horizon_s).0);
    let end = readable::moment(end, clock);
    let normal = match (Ending::of(with, clock), Ending::of(without, clock)) {
        (Ending::Calm, Ending::Calm) => "normal throughout in both".to_owned(),
        (Ending::Calm, Ending::Back(then)) => format!("normal throughout, not only from {then} on"),
        (Ending::Calm, Ending::Not) => format!("normal throughout, otherwise not by {end}"),
        (Ending::Back(at), Ending::Calm) => format!("normal again at {at}, otherwise throughout"),
        (Ending::Back(at), Ending::Back(then)) if at == then => format!("normal at {at} in both"),
        (Ending::Back(at), Ending::Back(then)) => format!("normal at {at}, not {then}"),
        (Ending::Back(at), Ending::Not) => format!("normal at {at}, otherwise not by {end}"),
        (Ending::Not, Ending::Calm) => format!("not normal by {end}, otherwise throughout"),
        (Ending::Not, Ending::Back(then)) => format!("not normal by {end}, otherwise at {then}"),
        (Ending::Not, Ending::Not) => format!("not normal by {end} in either"),
    };
    format!("{change}: {lost}; {normal}.")
}
