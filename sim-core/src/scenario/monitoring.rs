//! How a system is watched, from its section to the model, and whether alerts can be evaluated so.

use super::problem::{Problem, suggest};
use super::rules::Draft;
use super::section::Cx;
use super::sections::{AlertSpec, Top};
use crate::alert_rule::{Watched, Watches};
use crate::metric::Scope;
use crate::model::{Alert, Grouping, Monitoring};
use crate::text::cited;
use crate::time::Duration;

/// The label that every alert has: its name.
const NAME: &str = "alertname";

/// Most scrapes that one alert keeps, and that all of them do.
const SCRAPES_MAX: u64 = 20_000;
const SCRAPES_ALL: u64 = 200_000;

/// Whether an alert can be evaluated as it is written.
pub(super) fn fits(
    alert: &Alert,
    spec: &AlertSpec,
    monitoring: Option<&Monitoring>,
    cx: &mut Cx<'_>,
) -> bool {
    let def = alert.rule.def;
    if spec.over.written && !def.has_window {
        let what = format!(
            "`over` has no effect here: {} has windows of its own",
            def.row.name
        );
        cx.push(Problem::new("E017", what).at(spec.over.span));
        return false;
    }
    let Some(monitoring) = monitoring else {
        let needs = if !def.plain {
            Some((
                format!("{} looks at values that were kept", def.row.name),
                spec.rule.span,
            ))
        } else if alert.keep.is_zero() {
            None
        } else {
            Some((
                "`keep` is a matter of how rules are evaluated".to_owned(),
                spec.keep.span,
            ))
        };
        if let Some((what, span)) = &needs {
            let problem = Problem::new("E017", format!("{what}, and there is no `[monitoring]`"));
            cx.push(
                problem
                    .at(*span)
                    .help("write [monitoring] with scrape = \"15s\""),
            );
        }
        return needs.is_none();
    };
    let (shortest, _) = alert.rule.looks(alert.over);
    // A rate is the difference of two counts.
    let needed = monitoring
        .lag
        .0
        .saturating_add(monitoring.scrape.0.saturating_mul(2));
    let level = (alert.watched.metric()).is_some_and(|(metric, _)| metric.level);
    if shortest.0 < needed && def.watches != Watches::Expression && !level {
        let what = format!(
            "a window of {shortest} holds fewer than two values, with a scrape every {} that is seen {} later",
            monitoring.scrape, monitoring.lag
        );
        let span = if spec.over.written {
            spec.over.span
        } else {
            spec.span
        };
        cx.push(
            Problem::new("E017", what)
                .at(span)
                .help(format!("at least {}", Duration(needed))),
        );
        return false;
    }
    let scrapes = scrapes(alert, monitoring);
    if scrapes > SCRAPES_MAX {
        let what = format!("this rule keeps {scrapes} scrapes; at most {SCRAPES_MAX} are allowed");
        cx.push(Problem::new("E024", what).at(spec.span));
        return false;
    }
    true
}

/// How many scrapes an alert keeps.
fn scrapes(alert: &Alert, monitoring: &Monitoring) -> u64 {
    monitoring.kept(alert).0 / monitoring.scrape.0.max(1) + 1
}

/// Whether all alerts together can be evaluated, and all that is said of the monitoring has an effect.
pub(super) fn all_fit(
    alerts: &[Alert],
    top: &Top,
    monitoring: Option<&Monitoring>,
    cx: &mut Cx<'_>,
) -> bool {
    let section = &top.monitoring;
    let (Some(monitoring), Some(Some(spec))) = (monitoring, section.get()) else {
        return true;
    };
    let all = alerts.iter().map(|alert| scrapes(alert, monitoring));
    let all = all.fold(0, u64::saturating_add);
    if all > SCRAPES_ALL {
        let what =
            format!("all alerts together keep {all} scrapes; at most {SCRAPES_ALL} are allowed");
        cx.push(Problem::new("E024", what).at(spec.scrape.span));
        return false;
    }
    // What an expression asks for is looked at elsewhere.
    let of_servers = |alert: &Alert| match &alert.watched {
        Watched::Expression => true,
        watched => {
            let metric = watched.metric();
            metric.is_some_and(|(_, scope)| matches!(scope, Scope::Server(_)))
        }
    };
    let no_runbook = top.runbook.get().is_some_and(Vec::is_empty);
    let idle = [
        (
            alerts.is_empty(),
            section.span,
            "a monitoring without an alert",
        ),
        (
            spec.stale.written && !alerts.iter().any(of_servers),
            spec.stale.span,
            "`stale` without an alert on a server",
        ),
        (
            spec.responders.written && no_runbook,
            spec.responders.span,
            "`responders` without a runbook",
        ),
    ];
    let idle: Vec<_> = idle.iter().filter(|(is, ..)| *is).collect();
    for (_, span, what) in &idle {
        cx.push(Problem::new("E017", format!("{what} has no effect")).at(*span));
    }
    idle.is_empty()
}

/// Says of each alert which others share its notification.
pub(super) fn grouped(
    alerts: &mut [Alert],
    rules: &Draft,
    top: &Top,
    cx: &mut Cx<'_>,
) -> Option<()> {
    let spec = top.monitoring.get()?.as_ref();
    let Some(group) = spec.and_then(|spec| spec.group.get()?.as_ref()) else {
        return Some(());
    };
    let (Some(by), span) = (group.by.get()?, group.by.span) else {
        return Some(());
    };
    let known = rules.labels();
    if by != NAME && !known.contains(by.as_str()) {
        let what = format!("no alert has the label {}", cited(by));
        let words = [NAME].into_iter().chain(known);
        cx.push(Problem::new("E020", what).at(span).help(suggest(by, words)));
        return None;
    }
    let mut values: Vec<String> = Vec::new();
    for (position, alert) in alerts.iter_mut().enumerate() {
        let value = match rules.label(position, by) {
            _ if by == NAME => alert.name.clone(),
            Ok(value) => value,
            Err(why) => {
                let what = format!("{} of {}: {why}", cited(by), cited(&alert.name));
                cx.push(Problem::new("E017", what).at(span));
                return None;
            }
        };
        let known = values.iter().position(|known| *known == value);
        alert.group = known.unwrap_or(values.len());
        if known.is_none() {
            values.push(value);
        }
    }
    Some(())
}

/// How the system is watched: the outer option is a problem, the inner one absence.
pub(crate) fn monitoring(top: &Top) -> Option<Option<Monitoring>> {
    let Some(spec) = top.monitoring.get()? else {
        return Some(None);
    };
    let group = match spec.group.get()? {
        Some(group) => Some(Grouping {
            wait: group.wait.copied()?,
            interval: group.interval.copied()?,
            repeat: group.repeat.copied()?,
        }),
        None => None,
    };
    let scrape = spec.scrape.copied()?;
    Some(Some(Monitoring {
        scrape,
        lag: spec.lag.copied()?,
        evaluate: spec.evaluate.copied()?.unwrap_or(scrape),
        stale: spec.stale.copied()?,
        group,
        responders: spec.responders.copied()?,
    }))
}
