//! Incidents: spells in which the site was not normal.

use crate::engine::Simulation;
use crate::event_log::Kind;
use crate::metric::Scope;
use crate::outcome::Outcome;

/// A spell in which the site was not normal.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct Incident {
    /// When service got worse than agreed, in seconds.
    pub start_s: f64,
    /// When it was normal again; absent when the run ended first.
    pub end_s: Option<f64>,
    /// When the first alert fired; absent when none did.
    pub detected_s: Option<f64>,
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
        incident.detected_s = detected(
            simulation,
            incident.start_s,
            incident.end_s.unwrap_or(end_s),
        );
        incident.lost = lost(
            simulation,
            incident.start_s,
            incident.end_s.unwrap_or(end_s),
        );
    }
    incidents
}

/// How long the site was down in all, in seconds.
pub fn downtime_s(simulation: &Simulation) -> f64 {
    let (mut down_s, mut since) = (0.0, None);
    let end_s = simulation.now().as_secs_f64();
    for event in simulation.recorder().event_log() {
        match event.kind {
            Kind::Down => {
                since.get_or_insert(event.at.as_secs_f64());
            }
            Kind::Degraded | Kind::Normal => {
                down_s += since
                    .take()
                    .map_or(0.0, |since| event.at.as_secs_f64() - since);
            }
            _ => {}
        }
    }
    down_s + since.map_or(0.0, |since| end_s - since)
}

fn with_last(incidents: &mut [Incident], change: impl FnOnce(&mut Incident)) {
    if let Some(last) = incidents.last_mut() {
        change(last);
    }
}

/// When an alert first fired for this incident: one already firing at its start counts as well.
fn detected(simulation: &Simulation, start_s: f64, end_s: f64) -> Option<f64> {
    let mut firing: Vec<(&str, f64)> = Vec::new();
    for event in simulation.recorder().event_log() {
        let at_s = event.at.as_secs_f64();
        match event.kind {
            Kind::Alert if at_s > end_s => break,
            Kind::Alert => firing.push((&event.subject, at_s)),
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
