//! What watches a run: alerts, objectives and expectations, from sections to the model.

use super::Scenario;
use super::assemble::Base;
use super::condition::{Piece, condition, metric};
use super::expectation::{Known, expectation};
use super::monitoring::{all_fit, fits, grouped, monitoring};
use super::problem::{Collector, Problem, Span, suggest};
use super::rules::{self, Draft};
use super::section::{Cx, Item};
use super::sections::{AlertSpec, SloSpec, Top};
use crate::alert_rule::{Watched, Watches};
use crate::metric::Comparison;
use crate::model::{Alert, ClassId, Expectation, Monitoring, Slo};
use crate::text::{cited, shown};
use crate::time::Duration;

/// Most alerts, objectives and expectations of each kind.
const WATCHERS_MAX: usize = 10_000;

fn check_count(count: usize, what: &str, cx: &mut Cx<'_>) -> Option<()> {
    if count > WATCHERS_MAX {
        cx.push(Problem::new(
            "E024",
            format!("{count} {what}; at most {WATCHERS_MAX} are allowed"),
        ));
        return None;
    }
    Some(())
}

/// Reports names that occur twice.
fn unique<'s>(
    names: impl Iterator<Item = &'s Item<String>>,
    what: &str,
    cx: &mut Cx<'_>,
) -> Option<()> {
    let mut seen = std::collections::BTreeMap::new();
    let mut clean = true;
    for item in names {
        if let Some(name) = item.get()
            && let Some(first) = seen.insert(name.clone(), item.span)
        {
            cx.push(
                Problem::new("E019", format!("two {what} are called {}", cited(name)))
                    .at(item.span)
                    .label(first, "first here"),
            );
            clean = false;
        }
    }
    clean.then_some(())
}

/// The alert of a name, by its position.
pub(super) fn alert_called(
    name: &str,
    at: Span,
    alerts: &[Alert],
    problems: &mut Collector,
) -> Option<usize> {
    let found = alerts.iter().position(|alert| alert.name == name);
    if found.is_none() {
        let names = alerts.iter().map(|alert| alert.name.as_str());
        let what = format!("no alert is called {}", cited(name));
        problems.push(Problem::new("E033", what).at(at).help(suggest(name, names)));
    }
    found
}

/// Whether deployments of the time line go back on alerts that there are, and that somebody looks at.
pub(crate) fn aborted(
    top: &Top,
    alerts: &[Alert],
    monitoring: Option<&Monitoring>,
    problems: &mut Collector,
) -> Option<()> {
    for entry in top.timeline.get()? {
        let Some(canary) = entry.canary.get()? else {
            continue;
        };
        let Some(abort_on) = canary.abort_on.get()? else {
            continue;
        };
        let at = canary.abort_on.span;
        alert_called(abort_on, at, alerts, problems)?;
        if monitoring.is_none() {
            let what = "`abort_on` is what the monitoring tells, and there is no `[monitoring]`";
            let problem = Problem::new("E017", what).at(at);
            problems.push(problem.help("write [monitoring] with scrape = \"15s\""));
            return None;
        }
    }
    Some(())
}

/// The alerts, and the rules of Prometheus among them.
pub(crate) fn alerts(top: &Top, base: &Base, cx: &mut Cx<'_>) -> Option<(Vec<Alert>, Draft)> {
    let written = top.alert.get()?;
    check_count(written.len(), "alerts", cx)?;
    let clean = unique(written.iter().map(|a| &a.name), "alerts", cx);
    let monitoring = monitoring(top)?;
    let built: Vec<Option<Alert>> = written
        .iter()
        .map(|spec| alert(spec, top, base, monitoring.as_ref(), cx))
        .collect();
    clean?;
    let mut alerts: Vec<Alert> = built.into_iter().collect::<Option<_>>()?;
    let rules = rules::read(top, &mut alerts, monitoring.as_ref(), cx)?;
    check_count(alerts.len(), "alerts", cx)?;
    grouped(&mut alerts, &rules, top, cx)?;
    all_fit(&alerts, top, monitoring.as_ref(), cx).then_some((alerts, rules))
}

fn alert(
    spec: &AlertSpec,
    top: &Top,
    base: &Base,
    monitoring: Option<&Monitoring>,
    cx: &mut Cx<'_>,
) -> Option<Alert> {
    let (text, rule) = (spec.when.get()?, spec.rule.get()?.clone());
    let piece = Piece::new(text, spec.when.span);
    let watched = match rule.def.watches {
        Watches::Condition => Watched::Condition(condition(piece, base, cx)?),
        Watches::Metric => {
            let (metric, scope) = metric(piece, base, cx)?;
            Watched::Metric(metric, scope)
        }
        Watches::Objective => objective(piece, top, cx)?,
        Watches::Expression => Watched::Expression,
    };
    let text = match watched {
        Watched::Expression => rules::one_line(text),
        _ => shown(text).into_owned(),
    };
    let alert = Alert {
        name: spec.name.get()?.clone(),
        text,
        rule,
        watched,
        over: spec.over.copied()?,
        hold: spec.hold.copied()?,
        keep: spec.keep.copied()?,
        group: 0,
    };
    fits(&alert, spec, monitoring, cx).then_some(alert)
}

/// The objective of a name.
fn objective(name: Piece<'_>, top: &Top, cx: &mut Cx<'_>) -> Option<Watched> {
    let slos = top.slo.get()?;
    let named = |slo: &SloSpec| slo.name.get().is_some_and(|other| other == name.text);
    let Some(position) = slos.iter().position(named) else {
        let names = slos.iter().filter_map(|slo| slo.name.get());
        cx.push(
            name.problem(
                "E033",
                format!("no objective is called {}", cited(name.text)),
            )
            .help(suggest(name.text, names.map(String::as_str))),
        );
        return None;
    };
    Some(Watched::Objective(
        position,
        slos[position].objective.copied()?,
    ))
}

pub(crate) fn slos(top: &Top, base: &Base, cx: &mut Cx<'_>) -> Option<Vec<Slo>> {
    let written = top.slo.get()?;
    check_count(written.len(), "objectives", cx)?;
    let clean = unique(written.iter().map(|s| &s.name), "objectives", cx);
    let built: Vec<Option<Slo>> = written.iter().map(|spec| slo(spec, base, cx)).collect();
    clean?;
    built.into_iter().collect()
}

fn slo(spec: &SloSpec, base: &Base, cx: &mut Cx<'_>) -> Option<Slo> {
    let class = match spec.class.get()? {
        Some(name) => {
            let found = base.skeleton.classes.iter().position(|c| c.name == *name);
            if found.is_none() {
                let help = suggest(name, base.skeleton.classes.iter().map(|c| c.name.as_str()));
                cx.push(
                    Problem::new("E020", format!("no class is called `{name}`"))
                        .at(spec.class.span)
                        .help(help),
                );
            }
            Some(ClassId(found? as u16))
        }
        None => None,
    };
    let response_time = good(Piece::new(spec.good.get()?, spec.good.span), cx)?;
    Some(Slo {
        name: spec.name.get()?.clone(),
        class,
        response_time,
        objective: spec.objective.copied()?,
    })
}

/// Reads `succeeded` or `response_time < 2s`.
fn good(text: Piece<'_>, cx: &mut Cx<'_>) -> Option<Option<Duration>> {
    if text.text == "succeeded" {
        return Some(None);
    }
    if let Some((left, Comparison::Below | Comparison::AtMost, right)) = text.comparison()
        && left.text == "response_time"
    {
        match Duration::parse(right.text) {
            Ok(span) if !span.is_zero() => return Some(Some(span)),
            Ok(_) => cx.push(
                right
                    .problem("E013", "no request is answered in no time")
                    .help("above 0"),
            ),
            Err(why) => {
                cx.push(right.problem(
                    "E015",
                    format!("{} is no time span: {why}", cited(right.text)),
                ));
            }
        }
        return None;
    }
    cx.push(
        text.problem(
            "E032",
            format!("{} does not say what a good request is", cited(text.text)),
        )
        .help("write succeeded, or response_time < 2s"),
    );
    None
}

pub(crate) fn expectations(
    scenario: &Scenario,
    top: &Top,
    base: &Base,
    alerts: Option<&[Alert]>,
    cx: &mut Cx<'_>,
) -> Option<Vec<Expectation>> {
    let written = top.expect.get()?;
    check_count(written.len(), "expectations", cx)?;
    let known = known(top, base, alerts)?;
    let built: Vec<Option<Expectation>> = written
        .iter()
        .map(|spec| {
            let that = spec.that.get()?;
            let expr = expectation(Piece::new(that, spec.that.span), &known, cx)?;
            let place = spec.that.span;
            let line = scenario
                .sources
                .get(place.source as usize)
                .map_or(0, |s| s.line_column(place.start as usize).0);
            Some(Expectation {
                that: that.clone(),
                expr,
                line,
            })
        })
        .collect();
    built.into_iter().collect()
}

/// What expectations can name.
pub(crate) fn known<'a>(top: &Top, base: &'a Base, alerts: Option<&[Alert]>) -> Option<Known<'a>> {
    let slos = top.slo.get()?.iter();
    let runbooks = top.runbook.get()?.iter();
    // Where something is wrong with alerts, those that are written.
    let written = || {
        let names = top
            .alert
            .get()?
            .iter()
            .filter_map(|a| a.name.get().cloned());
        Some(names.chain(rules::names(top)).collect())
    };
    let names = |alerts: &[Alert]| alerts.iter().map(|alert| alert.name.clone()).collect();
    Some(Known {
        base,
        alerts: alerts.map_or_else(written, |alerts| Some(names(alerts)))?,
        runbooks: runbooks.filter_map(|r| r.name.get().cloned()).collect(),
        slos: slos.filter_map(|s| s.name.get().cloned()).collect(),
    })
}
