//! What watches a run: alerts, objectives and expectations, from sections to the model.

use super::Scenario;
use super::assemble::Base;
use super::condition::{Piece, condition};
use super::expectation::{Known, expectation};
use super::problem::{Problem, suggest};
use super::section::{Cx, Item};
use super::sections::{SloSpec, Top};
use crate::metric::Comparison;
use crate::model::{Alert, ClassId, Expectation, Slo};
use crate::text::cited;
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

pub(crate) fn alerts(top: &Top, base: &Base, cx: &mut Cx<'_>) -> Option<Vec<Alert>> {
    let written = top.alert.get()?;
    check_count(written.len(), "alerts", cx)?;
    let clean = unique(written.iter().map(|a| &a.name), "alerts", cx);
    let built: Vec<Option<Alert>> = written
        .iter()
        .map(|spec| {
            let text = spec.when.get()?;
            let when = condition(Piece::new(text, spec.when.span), base, cx)?;
            Some(Alert {
                name: spec.name.get()?.clone(),
                text: text.clone(),
                when,
                over: spec.over.copied()?,
                hold: spec.hold.copied()?,
            })
        })
        .collect();
    clean?;
    built.into_iter().collect()
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
    cx: &mut Cx<'_>,
) -> Option<Vec<Expectation>> {
    let written = top.expect.get()?;
    check_count(written.len(), "expectations", cx)?;
    let known = known(top, base)?;
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
pub(crate) fn known<'a>(top: &Top, base: &'a Base) -> Option<Known<'a>> {
    let alerts = top.alert.get()?.iter();
    let slos = top.slo.get()?.iter();
    Some(Known {
        base,
        alerts: alerts.filter_map(|a| a.name.get().cloned()).collect(),
        slos: slos.filter_map(|s| s.name.get().cloned()).collect(),
    })
}
