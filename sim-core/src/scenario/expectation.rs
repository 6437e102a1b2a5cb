//! Expectations: the grammar of what [`crate::model::Expr`] holds.

use super::alarm;
use super::assemble::{Base, base};
use super::condition::{Piece, condition, metric, quantity};
use super::kinds::moment;
use super::problem::{Collector, Problems, Span, suggest};
use super::section::Cx;
use super::sections::Top;
use super::{Scenario, Source};
use crate::event_log::{KINDS, Subject};
use crate::metric::{
    Comparison, Condition, METRICS, MetricDef, SUMMARY_PATHS, SummaryPath, Unit, in_short,
};
use crate::model::{EventPattern, Expectation, Expr, Fold, Value};
use crate::outcome::Outcome;
use crate::text::cited;
use crate::time::{Duration, Instant};
use crate::verdict::Verdict;

/// `at 13:00` looks at the minute before.
const AT_WINDOW: Duration = Duration::from_secs(60);

/// What expectations can name beside the system itself.
pub(crate) struct Known<'a> {
    pub base: &'a Base,
    pub alerts: Vec<String>,
    /// Names of runbooks.
    pub runbooks: Vec<String>,
    pub slos: Vec<String>,
}

impl Scenario {
    /// Understands `text`, called `name` in messages, as an expectation of this scenario would be:
    /// `p99 > 2s`, `availability < 99%`, `count(crash) > 0`.
    ///
    /// # Errors
    /// Problems of the text, and those of the scenario.
    pub fn condition(&self, name: &str, text: &str) -> Result<Expectation, Problems> {
        let expr = self.understand(name, text, |piece, base, top, cx| {
            expectation(piece, &alarm::known(top, base, None)?, cx)
        })?;
        Ok(Expectation {
            that: text.to_owned(),
            expr,
            line: 0,
        })
    }

    /// The same of what can be asked of any part of a run, as the condition of an alert would be: a
    /// metric, perhaps of something, and a threshold.
    ///
    /// # Errors
    /// Problems of the text, and those of the scenario.
    pub fn watched(&self, name: &str, text: &str) -> Result<Condition, Problems> {
        self.understand(name, text, |piece, base, _, cx| condition(piece, base, cx))
    }

    fn understand<T>(
        &self,
        name: &str,
        text: &str,
        read: impl Fn(Piece<'_>, &Base, &Top, &mut Cx<'_>) -> Option<T>,
    ) -> Result<T, Problems> {
        let mut sources = self.sources.to_vec();
        sources.push(Source::new(name, text));
        let span = Span::new(sources.len() as u32 - 1, 0..text.len());
        let mut problems = Collector::default();
        let found = self.sections(&mut problems).and_then(|top| {
            let base = base(self, &top, &mut problems)?;
            let clock = self.clock();
            let mut cx = Cx {
                problems: &mut problems,
                clock,
            };
            read(Piece::new(text, span), &base, &top, &mut cx)
        });
        problems.finish(&sources)?;
        found.ok_or(Problems {
            sources,
            problems: Vec::new(),
            left_out: 0,
        })
    }
}

/// How the right side is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Right {
    Moment,
    Quantity(Unit),
}

/// Reads an expectation.
pub(crate) fn expectation(text: Piece<'_>, known: &Known<'_>, cx: &mut Cx<'_>) -> Option<Expr> {
    if let (name, Some(inside)) = text.call()
        && name.text == "never"
    {
        return event(inside, known, cx).map(Expr::Never);
    }
    if let Some((left, comparison, right)) = text.comparison()
        && left.text == "verdict"
    {
        return verdict(comparison, right, cx);
    }
    if let Some((left, comparison, right)) = text.comparison() {
        let (value, unit) = value(left, known, cx)?;
        let right = side(right, unit, known, cx)?;
        return Some(Expr::Compare {
            value,
            comparison,
            right,
        });
    }
    if let Some((left, range)) = text.split(" in ") {
        let Some((low, high)) = range.split("..") else {
            cx.push(
                range
                    .problem("E032", format!("{} is no range", cited(range.text)))
                    .help("such as 12:18..12:23"),
            );
            return None;
        };
        let (value, unit) = value(left, known, cx)?;
        let (low_value, high_value) = (side(low, unit, known, cx)?, side(high, unit, known, cx)?);
        if low_value > high_value {
            cx.push(range.problem("E032", "the range ends before it begins"));
            return None;
        }
        return Some(Expr::Within {
            value,
            low: low_value,
            high: high_value,
        });
    }
    let help = "such as first(alert.slow) in 12:18..12:23, count(crash.web-1) == 1, never(crash), goodput at 13:00 < 5%, availability > 99%";
    cx.push(
        text.problem("E032", format!("{} is no expectation", cited(text.text)))
            .help(help),
    );
    None
}

fn side(text: Piece<'_>, right: Right, known: &Known<'_>, cx: &mut Cx<'_>) -> Option<f64> {
    match right {
        Right::Moment => {
            let at = moment(text.text, text.span, cx.clock, cx)?;
            if at.0 > known.base.horizon.0 {
                // A clock time before the start means the day after, which nobody meant.
                cx.push(text.problem(
                    "E030",
                    format!("{} lies after the end of the run", cited(text.text)),
                ));
                return None;
            }
            Some(at.0 as f64)
        }
        Right::Quantity(unit) => quantity(text, unit, cx),
    }
}

/// `verdict == OVERLOADED`: nothing but these words, and nothing but these comparisons.
fn verdict(comparison: Comparison, word: Piece<'_>, cx: &mut Cx<'_>) -> Option<Expr> {
    let is = match comparison {
        Comparison::Equal => true,
        Comparison::Unequal => false,
        _ => {
            cx.push(
                word.problem("E032", "a verdict is one or another, not more or less")
                    .help("verdict == STABLE, verdict != METASTABLE"),
            );
            return None;
        }
    };
    let Some(verdict) = Verdict::find(word.text) else {
        let words = Verdict::ALL.map(Verdict::word);
        cx.push(
            word.problem("E033", format!("no verdict is called {}", cited(word.text)))
                .help(suggest(&word.text.to_uppercase(), words)),
        );
        return None;
    };
    Some(Expr::Verdict { verdict, is })
}

/// What stands on the left: an event's moment or number, a metric, or a figure of the summary.
fn value(text: Piece<'_>, known: &Known<'_>, cx: &mut Cx<'_>) -> Option<(Value, Right)> {
    let (what, from, until, fold) = period(text, known, cx)?;
    let (name, inside) = what.call();
    // Of the whole run the summary knows them to 0.8 %, intervals of the time line to 5 %.
    if let Some(path) = in_short(what.text).filter(|_| fold.is_none()) {
        return Some((Value::Summary(path.to_owned()), Right::Quantity(Unit::Time)));
    }
    match (name.text, inside) {
        ("first" | "last" | "count", Some(inside)) => {
            if fold.is_some() {
                cx.push(
                    text.problem(
                        "E032",
                        "`during` and `at` go with metrics; events have moments of their own",
                    )
                    .help("first(x) in 12:18..12:23"),
                );
                return None;
            }
            let pattern = event(inside, known, cx)?;
            Some(match name.text {
                "first" => (Value::First(pattern), Right::Moment),
                "last" => (Value::Last(pattern), Right::Moment),
                _ => (Value::Count(pattern), Right::Quantity(Unit::Count)),
            })
        }
        ("max" | "min" | "whole", Some(inside)) => {
            let (metric, scope) = metric(inside, known.base, cx)?;
            let fold = match name.text {
                "max" => Fold::Max,
                "min" => Fold::Min,
                _ => Fold::Whole,
            };
            Some((
                Value::Metric {
                    metric,
                    scope,
                    fold,
                    from,
                    until,
                },
                Right::Quantity(metric.unit),
            ))
        }
        // Of the whole run the summary knows them exactly, intervals of the time line within 5 %.
        (word, inside) if inside.is_some() || MetricDef::find(word).is_some() => {
            let (metric, scope) = metric(what, known.base, cx)?;
            Some((
                Value::Metric {
                    metric,
                    scope,
                    fold: Fold::Whole,
                    from,
                    until,
                },
                Right::Quantity(metric.unit),
            ))
        }
        _ if fold.is_some() => {
            let help = suggest(name.text, METRICS.iter().map(|m| m.name));
            cx.push(
                name.problem("E033", format!("no metric is called {}", cited(name.text)))
                    .help(help),
            );
            None
        }
        _ => summary(what, known, cx)
            .map(|unit| (Value::Summary(what.text.to_owned()), Right::Quantity(unit))),
    }
}

type Period<'t> = (Piece<'t>, Instant, Instant, Option<()>);

/// Takes `during A..B` or `at T` off the end; without either, the measured part of the run.
fn period<'t>(text: Piece<'t>, known: &Known<'_>, cx: &mut Cx<'_>) -> Option<Period<'t>> {
    let end = Instant(known.base.horizon.0);
    if let Some((what, range)) = text.split(" during ") {
        let Some((from, until)) = range.split("..") else {
            cx.push(
                range
                    .problem("E032", format!("{} is no period", cited(range.text)))
                    .help("such as during 12:20..12:30"),
            );
            return None;
        };
        let (from, until) = (
            moment(from.text, from.span, cx.clock, cx)?,
            moment(until.text, until.span, cx.clock, cx)?,
        );
        if from >= until || from >= end {
            cx.push(range.problem(
                "E032",
                "the period is empty, or lies after the end of the run",
            ));
            return None;
        }
        return Some((what, from, until.min(end), Some(())));
    }
    if let Some((what, at)) = text.split(" at ") {
        let until = moment(at.text, at.span, cx.clock, cx)?;
        if until.0 == 0 || until > end {
            cx.push(at.problem(
                "E032",
                "this moment lies outside of the run: `at` looks at the minute before",
            ));
            return None;
        }
        return Some((
            what,
            Instant(until.0.saturating_sub(AT_WINDOW.0)),
            until,
            Some(()),
        ));
    }
    Some((text, Instant(known.base.warm_up.0), end, None))
}

/// Reads `kind` or `kind.subject`.
fn event(text: Piece<'_>, known: &Known<'_>, cx: &mut Cx<'_>) -> Option<EventPattern> {
    let (word, subject) = match text.split(".") {
        Some((word, subject)) => (word, Some(subject)),
        None => (text, None),
    };
    let Some(def) = KINDS.iter().find(|def| def.name == word.text) else {
        let help = suggest(word.text, KINDS.iter().map(|def| def.name));
        cx.push(
            word.problem(
                "E033",
                format!("no kind of event is called {}", cited(word.text)),
            )
            .help(help),
        );
        return None;
    };
    if let Some(subject) = subject {
        check_subject(def.subject, subject, known, cx)?;
    }
    Some(EventPattern {
        kind: def.kind,
        subject: subject.map(|s| s.text.to_owned()),
    })
}

/// A misspelt name would make an expectation hold, or fail, for the wrong reason.
fn check_subject(
    whose: Subject,
    subject: Piece<'_>,
    known: &Known<'_>,
    cx: &mut Cx<'_>,
) -> Option<()> {
    let base = known.base;
    let (names, what): (Vec<String>, &str) = match whose {
        Subject::Alert => (known.alerts.clone(), "alert"),
        Subject::Runbook => (known.runbooks.clone(), "runbook"),
        Subject::Service => {
            let services = base.skeleton.services.iter();
            (services.map(|s| s.name.clone()).collect(), "service")
        }
        Subject::Site(_) | Subject::Settings | Subject::Remark => {
            (vec!["site".to_owned()], "subject of this event")
        }
        Subject::Link | Subject::MachineOrLink
            if whose == Subject::Link || subject.text.starts_with("service.") =>
        {
            let Err(problem) = super::links::targets(subject.text, base) else {
                return Some(());
            };
            let help = problem.help.unwrap_or_default();
            cx.push(subject.problem("E033", problem.message).help(help));
            return None;
        }
        Subject::Machine | Subject::Link | Subject::MachineOrLink => {
            let mut names = Vec::new();
            for service in &base.skeleton.services {
                let instances = service.balancer.instances + service.balancer.standby.count;
                names.extend((1..=instances).map(|i| format!("{}-lb-{i}", service.name)));
            }
            if base.fleet.servers.iter().any(|s| s.name == subject.text)
                || names.iter().any(|n| n == subject.text)
            {
                return Some(());
            }
            names.splice(
                0..0,
                base.fleet.servers.iter().take(300).map(|s| s.name.clone()),
            );
            (names, "server or balancer instance")
        }
    };
    if names.iter().any(|n| n == subject.text) {
        return Some(());
    }
    cx.push(
        subject
            .problem(
                "E033",
                format!("no {what} is called {}", cited(subject.text)),
            )
            .help(suggest(subject.text, names.iter().map(String::as_str))),
    );
    None
}

/// The unit of a figure of the summary.
fn summary(text: Piece<'_>, known: &Known<'_>, cx: &mut Cx<'_>) -> Option<Unit> {
    if let Some(row) = SummaryPath::find(text.text) {
        return check_names(row.path, text, known, cx).map(|()| row.unit);
    }
    let names = SUMMARY_PATHS
        .iter()
        .map(|row| row.path)
        .chain(METRICS.iter().map(|m| m.name));
    cx.push(
        text.problem(
            "E033",
            format!(
                "no metric and no figure of the summary is called {}",
                cited(text.text)
            ),
        )
        .help(suggest(text.text, names)),
    );
    None
}

/// Whether what stands in the place of a pattern's capitals is there.
fn check_names(pattern: &str, text: Piece<'_>, known: &Known<'_>, cx: &mut Cx<'_>) -> Option<()> {
    let base = known.base;
    let mut service = 0;
    for (place, word) in pattern.split('.').zip(text.text.split('.')) {
        let instances: Vec<String>;
        let names: Vec<&str> = match place {
            "CLASS" => base
                .skeleton
                .classes
                .iter()
                .map(|c| c.name.as_str())
                .collect(),
            "SERVICE" => base
                .skeleton
                .services
                .iter()
                .map(|s| s.name.as_str())
                .collect(),
            "SERVER" => base
                .fleet
                .servers
                .iter()
                .filter(|s| usize::from(s.service.0) == service)
                .map(|s| s.name.as_str())
                .collect(),
            "BALANCER" => {
                instances = (base.skeleton.services.get(service))
                    .map_or(Vec::new(), |service| service.instance_names().collect());
                instances.iter().map(String::as_str).collect()
            }
            "NUMBER" if word.len() > 4 || word.parse::<u16>().is_err() => vec!["0"],
            "MACHINE" => (base.skeleton.hosts.iter())
                .map(|host| host.name.as_str())
                .collect(),
            "SLO" => known.slos.iter().map(String::as_str).collect(),
            "OUTCOME" => Outcome::ALL.iter().map(|o| o.name()).collect(),
            _ => continue,
        };
        let Some(at) = names.iter().position(|n| *n == word) else {
            let what = place.to_lowercase();
            cx.push(
                text.problem("E033", format!("no {what} is called {}", cited(word)))
                    .help(suggest(word, names.into_iter().take(300))),
            );
            return None;
        };
        if place == "SERVICE" {
            service = at;
        }
    }
    Some(())
}
