//! Incidents: spells in which the site was not normal.

use crate::engine::Simulation;
use crate::event_log::Kind;
use crate::metric::Scope;
use crate::outcome::Outcome;
use crate::time::Instant;

/// A spell in which the site was not normal.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct Incident {
    /// When service got worse than agreed, in seconds.
    pub start_s: f64,
    /// When it was normal again; absent when the run ended first.
    pub end_s: Option<f64>,
    /// When the first alert fired or, with a monitoring, when somebody was first told of one; absent when none did.
    pub detected_s: Option<f64>,
    /// When somebody who was told began to look; absent without runbooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged_s: Option<f64>,
    /// When somebody who was told knew the cause; absent without runbooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diagnosed_s: Option<f64>,
    /// When the site went down, if it did.
    pub down_s: Option<f64>,
    /// When service began to come back after that.
    pub mitigated_s: Option<f64>,
    /// Requests from outside that failed in the spell.
    pub lost: u64,
    /// Those that had not ended when the run did; absent when it was normal again.
    pub waiting: Option<u64>,
}

/// Reads the incidents out of the event log.
pub(super) fn find(simulation: &Simulation) -> Vec<Incident> {
    let mut incidents: Vec<Incident> = Vec::new();
    let mut open = false;
    for event in simulation.recorder().event_log() {
        let at_s = event.at.as_secs_f64();
        match event.kind {
            Kind::Down | Kind::Degraded if !open => {
                open = true;
                let down_s = (event.kind == Kind::Down).then_some(at_s);
                incidents.push(Incident {
                    start_s: at_s,
                    end_s: None,
                    detected_s: None,
                    acknowledged_s: None,
                    diagnosed_s: None,
                    down_s,
                    mitigated_s: None,
                    lost: 0,
                    waiting: None,
                });
            }
            Kind::Down => with_last(&mut incidents, |i| {
                i.down_s.get_or_insert(at_s);
                i.mitigated_s = None;
            }),
            Kind::Degraded => with_last(&mut incidents, |i| i.mitigated_s = i.down_s.map(|_| at_s)),
            Kind::Normal if open => {
                open = false;
                with_last(&mut incidents, |i| {
                    i.end_s = Some(at_s);
                    i.mitigated_s = i.mitigated_s.or(i.down_s.map(|_| at_s));
                });
            }
            _ => {}
        }
    }
    let end_s = simulation.now().as_secs_f64();
    if open {
        with_last(&mut incidents, |i| i.waiting = Some(in_flight(simulation)));
    }
    for incident in &mut incidents {
        let until_s = incident.end_s.unwrap_or(end_s);
        incident.detected_s = detected(simulation, incident.start_s, until_s);
        // Somebody looks because he was told, which may have been before it began.
        let after =
            |at_s: Option<f64>, kind| at_s.and_then(|at_s| first(simulation, kind, at_s, until_s));
        incident.acknowledged_s = after(incident.detected_s, Kind::Acknowledged);
        incident.diagnosed_s = after(incident.acknowledged_s, Kind::Diagnosed);
        incident.lost = lost(simulation, incident.start_s, until_s);
    }
    incidents
}

/// A spell in which the site was in one state that is not normal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spell {
    /// From when.
    pub from: Instant,
    /// Until when; the end of the run where it was not over.
    pub until: Instant,
    /// Whether it was down, and not only degraded.
    pub down: bool,
}

/// The spells in which the site was not normal, in order of time: an incident has one or several.
pub fn spells(simulation: &Simulation) -> Vec<Spell> {
    let mut found: Vec<Spell> = Vec::new();
    let mut open: Option<(Instant, bool)> = None;
    let close = |open: Option<(Instant, bool)>, until: Instant| {
        open.map(|(from, down)| Spell { from, until, down })
    };
    let log = simulation.recorder().event_log();
    for event in log.filter(|event| event.kind.site_state().is_some()) {
        found.extend(close(open.take(), event.at));
        open = match event.kind {
            Kind::Normal => None,
            kind => Some((event.at, kind == Kind::Down)),
        };
    }
    found.extend(close(open, simulation.now()));
    found
}

/// How long the site was down in all, in seconds.
pub fn downtime_s(simulation: &Simulation) -> f64 {
    let down = spells(simulation).into_iter().filter(|spell| spell.down);
    let lengths = down.map(|spell| spell.until.since(spell.from).as_secs_f64());
    lengths.sum()
}

fn with_last(incidents: &mut [Incident], change: impl FnOnce(&mut Incident)) {
    if let Some(last) = incidents.last_mut() {
        change(last);
    }
}

/// When something first happened between two moments.
fn first(simulation: &Simulation, kind: Kind, start_s: f64, end_s: f64) -> Option<f64> {
    let log = simulation.recorder().event_log();
    let mut moments = log.filter(|e| e.kind == kind).map(|e| e.at.as_secs_f64());
    moments.find(|at_s| (start_s..=end_s).contains(at_s))
}

/// When an alert first fired for this incident: one already firing at its start counts as well. With a
/// monitoring it is known when somebody is told.
fn detected(simulation: &Simulation, start_s: f64, end_s: f64) -> Option<f64> {
    let known = if simulation.model().monitoring.is_some() {
        Kind::Paged
    } else {
        Kind::Alert
    };
    let mut firing: Vec<(&str, f64)> = Vec::new();
    for event in simulation.recorder().event_log() {
        let at_s = event.at.as_secs_f64();
        match event.kind {
            kind if kind == known && at_s > end_s => break,
            kind if kind == known => firing.push((&event.subject, at_s)),
            Kind::Resolved if at_s < start_s => firing.retain(|(name, _)| *name != event.subject),
            _ => {}
        }
    }
    firing.first().map(|(_, at_s)| *at_s)
}

/// Requests from outside under way at the end of what was recorded.
fn in_flight(simulation: &Simulation) -> u64 {
    let history = simulation.recorder().history();
    let Some(last) = history.len().checked_sub(1) else {
        return 0;
    };
    let of = |flow| u64::from(history.flow(last, flow).in_flight);
    history.flows().map(of).sum()
}

fn lost(simulation: &Simulation, start_s: f64, end_s: f64) -> u64 {
    let history = simulation.recorder().history();
    let interval_s = history.interval_ns() as f64 / 1e9;
    let last = ((end_s / interval_s).ceil() as usize).min(history.len());
    let first = ((start_s / interval_s) as usize).min(last);
    let total = history.total(Scope::Site, first..last);
    let window = total.window();
    window.ended() - window.outcomes[Outcome::Succeeded as usize]
}
