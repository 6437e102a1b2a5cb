//! The whole model from the sections, with every check that concerns more than one of them.

use super::Scenario;
use super::alarm::{aborted, alerts, expectations, slos};
use super::assumed::assumed;
use super::monitoring::monitoring;
use super::planned::{Planned, timeline};
use super::problem::{Collector, Problem};
use super::runbook::runbooks;
use super::section::Cx;
use super::sections::Top;
use super::servers::{Fleet, fleet};
use super::services::{Skeleton, check_autoscalers, skeleton};
use crate::model::{Exposing, Limits, Model, Recording};
use crate::time::{Clock, Duration};

/// The state of the system at a moment, as far as a time line can change it.
pub(crate) struct Base {
    pub skeleton: Skeleton,
    pub fleet: Fleet,
    pub horizon: Duration,
    pub warm_up: Duration,
    pub clock: Option<Clock>,
}

/// Builds the model; `None` after a problem.
pub(crate) fn model(scenario: &Scenario, top: &Top, problems: &mut Collector) -> Option<Model> {
    let base = base(scenario, top, problems)?;
    let entries = timeline(scenario, top, &base, problems);
    finish(scenario, top, base, entries, problems)
}

/// The base of the model: all but its time line and what watches the run.
pub(crate) fn base(scenario: &Scenario, top: &Top, problems: &mut Collector) -> Option<Base> {
    let cx = &mut Cx {
        problems,
        clock: scenario.clock(),
    };
    let times = times(top, cx);
    let mut skeleton = skeleton(top, cx);
    let fleet = fleet(top, skeleton.as_mut(), cx);
    let ((horizon, warm_up), skeleton, fleet) = (times?, skeleton?, fleet?);
    check_autoscalers(top, &skeleton.services, cx)?;
    Some(Base {
        skeleton,
        fleet,
        horizon,
        warm_up,
        clock: scenario.clock(),
    })
}

/// Adds what watches the run: alerts, objectives, expectations.
fn finish(
    scenario: &Scenario,
    top: &Top,
    base: Base,
    entries: Option<Vec<Planned>>,
    problems: &mut Collector,
) -> Option<Model> {
    let assumed = assumed(&scenario.tree, top, problems);
    let cx = &mut Cx {
        problems,
        clock: scenario.clock(),
    };
    let slos = slos(top, &base, cx);
    let monitoring = monitoring(top);
    let alerts = alerts(top, &base, cx);
    let (alerts, rules) = alerts.map_or((None, None), |(mut alerts, draft)| {
        let exposing = Exposing {
            services: &base.skeleton.services,
            servers: &base.fleet.servers,
            classes: &base.skeleton.classes,
            sources: &base.skeleton.sources,
        };
        let rules = match &monitoring {
            Some(Some(monitoring)) => draft.finish(&mut alerts, &exposing, *monitoring, cx),
            _ => Some(None),
        };
        (Some(alerts), rules)
    });
    let runbooks = match (&alerts, &monitoring) {
        // What is wrong with them is told already.
        (Some(alerts), Some(monitoring)) if entries.is_some() => {
            let monitoring = monitoring.as_ref();
            aborted(top, alerts, monitoring, cx.problems)?;
            runbooks(scenario, top, &base, alerts, monitoring, cx.problems)
        }
        _ => None,
    };
    let expectations = expectations(scenario, top, &base, alerts.as_deref(), cx);
    let (limits, record) = (top.limits.get()?, top.record.get()?);
    Some(Model {
        name: scenario.name.clone(),
        title: top.title.get()?.clone(),
        assumed: assumed?,
        clock: base.clock,
        horizon: base.horizon,
        warm_up: base.warm_up,
        seed: top.seed.copied()?,
        limits: Limits {
            events: limits.events.copied()?,
            in_flight: super::build::count(limits.in_flight.copied()?),
        },
        recording: Recording {
            interval: record.interval.copied()?,
            every_nth_request: record.every_nth_request.copied()?,
        },
        classes: base.skeleton.classes,
        sources: base.skeleton.sources,
        clients: base.skeleton.clients,
        services: base.skeleton.services,
        servers: base.fleet.servers,
        hosts: base.skeleton.hosts,
        timeline: entries?.into_iter().map(|planned| planned.entry).collect(),
        alerts: alerts?,
        monitoring: monitoring?,
        rules: rules?,
        runbooks: runbooks?,
        slos: slos?,
        expectations: expectations?,
    })
}

fn times(top: &Top, cx: &mut Cx<'_>) -> Option<(Duration, Duration)> {
    let (horizon, warm_up) = (top.horizon.copied()?, top.warm_up.copied()?);
    if warm_up >= horizon {
        let problem = Problem::new(
            "E017",
            format!("a warm-up of {warm_up} leaves nothing of the horizon of {horizon} to measure"),
        );
        cx.push(
            problem
                .at(top.warm_up.span)
                .label(top.horizon.span, "the horizon"),
        );
        return None;
    }
    Some((horizon, warm_up))
}
