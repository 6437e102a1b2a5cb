//! How long it took to notice, to look, to stop the damage and to be well again.

use super::Incident;
use crate::engine::Simulation;
use crate::event_log::Kind;

/// Times of the first incident of a run, from its beginning, and how often somebody was told. What did not happen has
/// no time.
#[derive(Clone, Copy, PartialEq, Debug, Default, serde::Serialize)]
pub struct Response {
    /// Whether there is a monitoring: without one the JSON form says nothing here.
    #[serde(skip)]
    pub watched: bool,
    /// Until somebody was told or, without a monitoring, until an alert fired, in seconds; 0 where that was
    /// before it began.
    pub time_to_detect_s: Option<f64>,
    /// Until somebody began to look, in seconds.
    pub time_to_acknowledge_s: Option<f64>,
    /// Until the cause was known, in seconds.
    pub time_to_diagnose_s: Option<f64>,
    /// Until the site was no longer down or, where it never was, until all was normal, in seconds.
    pub time_to_mitigate_s: Option<f64>,
    /// Until all was normal, in seconds.
    pub time_to_recover_s: Option<f64>,
    /// How often an alert began to fire.
    pub alerts_fired: u64,
    /// How often somebody was told of one.
    pub pages: u64,
}

impl Response {
    pub(super) fn of(simulation: &Simulation, incidents: &[Incident]) -> Self {
        let count = |kind| {
            let log = simulation.recorder().event_log();
            log.filter(|event| event.kind == kind).count() as u64
        };
        let first = incidents.first();
        let since = |at: fn(&Incident) -> Option<f64>| {
            let incident = first?;
            Some((at(incident)? - incident.start_s).max(0.0))
        };
        Self {
            watched: simulation.model().monitoring.is_some(),
            time_to_detect_s: since(|it| it.detected_s),
            time_to_acknowledge_s: since(|it| it.acknowledged_s),
            time_to_diagnose_s: since(|it| it.diagnosed_s),
            time_to_mitigate_s: since(|it| match it.down_s {
                Some(_) => it.mitigated_s,
                None => it.end_s,
            }),
            time_to_recover_s: since(|it| it.end_s),
            alerts_fired: count(Kind::Alert),
            pages: count(Kind::Paged),
        }
    }

    /// Without a monitoring the JSON form says nothing of it.
    pub(super) fn is_of_no_monitoring(&self) -> bool {
        !self.watched
    }
}
