//! Whether an expectation holds for a finished run, and what was found instead.

use super::Summary;
use crate::engine::Simulation;
use crate::event_log::{Event, Subject};
use crate::metric::{MetricDef, Scope, SummaryPath, Unit};
use crate::model::{EventPattern, Expectation, Expr, Fold, Value};
use crate::readable;
use crate::time::Instant;
use crate::verdict::Verdict;
use std::ops::Range;

#[cfg(test)]
mod tests;

/// An assertion that was checked.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Checked {
    /// As written.
    pub that: String,
    /// Whether it holds.
    pub passed: bool,
    /// What was found, in words.
    pub actual: String,
    /// Line in the scenario; zero when there is none.
    pub line: usize,
}

impl Expectation {
    /// Checks this expectation against a run and the summary of it. What has no value (an event
    /// that never came, a percentile of no requests) fails, whatever it is compared with.
    pub fn check(&self, summary: &Summary, simulation: &Simulation) -> Checked {
        let run = Run {
            summary,
            simulation,
        };
        let (passed, actual) = run.check(&self.expr);
        Checked {
            that: self.that.clone(),
            passed,
            actual,
            line: self.line,
        }
    }
}

struct Run<'a> {
    summary: &'a Summary,
    simulation: &'a Simulation,
}

/// A value that was found: as a number, and in words.
type Found = (f64, String);

impl Run<'_> {
    fn check(&self, expr: &Expr) -> (bool, String) {
        match expr {
            Expr::Never(pattern) => self.never(pattern),
            Expr::Verdict { verdict, is } => self.verdict(*verdict, *is),
            Expr::Compare {
                value,
                comparison,
                right,
            } => Self::judge(self.value(value), |found| comparison.holds(found, *right)),
            Expr::Within { value, low, high } => {
                Self::judge(self.value(value), |found| (*low..=*high).contains(&found))
            }
        }
    }

    fn judge(found: Result<Found, String>, holds: impl Fn(f64) -> bool) -> (bool, String) {
        match found {
            Ok((value, actual)) => (holds(value), actual),
            Err(why) => (false, why),
        }
    }

    /// A run on which nothing can be said has no verdict, and fails either way.
    fn verdict(&self, verdict: Verdict, is: bool) -> (bool, String) {
        let Some(found) = self.summary.verdict else {
            return (false, "no verdict: too little to judge by".to_owned());
        };
        let because = self.summary.verdict_because.as_deref().unwrap_or_default();
        (
            (found == verdict.word()) == is,
            format!("{found}: {because}"),
        )
    }

    fn never(&self, pattern: &EventPattern) -> (bool, String) {
        let mut events = self.events(pattern);
        let Some(first) = events.next() else {
            return (true, "never".to_owned());
        };
        let times = 1 + events.count();
        let often = if times == 1 {
            "once".to_owned()
        } else {
            format!("{times} times")
        };
        (
            false,
            format!(
                "{often}, first at {} ({})",
                self.moment(first.at),
                first.subject
            ),
        )
    }

    fn value(&self, value: &Value) -> Result<Found, String> {
        let at = |event: Option<&Event>| {
            event
                .map(|e| (e.at.0 as f64, self.moment(e.at)))
                .ok_or_else(|| "it never happened".to_owned())
        };
        match value {
            Value::First(pattern) => at(self.events(pattern).next()),
            Value::Last(pattern) => at(self.events(pattern).next_back()),
            Value::Count(pattern) => {
                let count = self.events(pattern).count() as f64;
                Ok((count, readable::number(count)))
            }
            Value::Metric {
                metric,
                scope,
                fold,
                from,
                until,
            } => self.metric(metric, *scope, *fold, *from, *until),
            Value::Summary(path) => self.figure(path),
        }
    }

    fn events<'p>(
        &'p self,
        pattern: &'p EventPattern,
    ) -> impl DoubleEndedIterator<Item = &'p Event> {
        // Changed settings and remarks concern the site, whatever their text.
        let of_site = matches!(
            pattern.kind.def().subject,
            Subject::Settings | Subject::Remark
        );
        let whose =
            move |e: &Event| of_site || pattern.subject.as_ref().is_none_or(|s| *s == e.subject);
        self.simulation
            .recorder()
            .event_log()
            .filter(move |e| e.kind == pattern.kind && whose(e))
    }

    fn moment(&self, at: Instant) -> String {
        readable::moment(at, self.simulation.model().clock)
    }

    fn metric(
        &self,
        metric: &MetricDef,
        scope: Scope,
        fold: Fold,
        from: Instant,
        until: Instant,
    ) -> Result<Found, String> {
        let history = self.simulation.recorder().history();
        let width = history.interval_ns();
        let period =
            (from.0 / width) as usize..(until.0.div_ceil(width) as usize).min(history.len());
        if period.is_empty() {
            return Err("the run ended before".to_owned());
        }
        let over = |intervals: Range<usize>| (metric.of)(&history.total(scope, intervals).window());
        if fold == Fold::Whole {
            let value = over(period).ok_or_else(|| {
                format!("no value: there is nothing to take {} from", metric.name)
            })?;
            return Ok((value, readable::value(metric.unit, value)));
        }
        let mut found: Option<(f64, usize)> = None;
        for step in steps(&period, self.stride(scope)) {
            let end = step.end;
            if let Some(value) = over(step)
                && found.is_none_or(|(best, _)| {
                    if fold == Fold::Max {
                        value > best
                    } else {
                        value < best
                    }
                })
            {
                found = Some((value, end));
            }
        }
        let (value, end) = found.ok_or_else(|| {
            format!(
                "no value: no interval has anything to take {} from",
                metric.name
            )
        })?;
        let at = self.moment(Instant(end as u64 * width));
        Ok((
            value,
            format!("{} at {at}", readable::value(metric.unit, value)),
        ))
    }

    /// How many intervals one record covers: servers may be recorded less often.
    fn stride(&self, scope: Scope) -> usize {
        if matches!(scope, Scope::Server(_)) {
            self.simulation.recorder().history().server_stride()
        } else {
            1
        }
    }

    fn figure(&self, path: &str) -> Result<Found, String> {
        let unit = SummaryPath::find(path)
            .ok_or_else(|| format!("the summary has no {path}"))?
            .unit;
        let figure = self
            .summary
            .figure(path)
            .ok_or("no value: nothing was measured")?;
        let value = if unit == Unit::Time {
            figure * 1e9
        } else {
            figure
        };
        Ok((value, readable::value(unit, value)))
    }
}

/// The parts of a period that have a record each; incomplete ones at the ends are left out.
fn steps(period: &Range<usize>, stride: usize) -> impl Iterator<Item = Range<usize>> {
    let (first, last) = (period.start.div_ceil(stride), period.end / stride);
    (first..last).map(move |record| record * stride..(record + 1) * stride)
}
