//! Time to detect, to act, to mitigate and to recover, incident by incident.

use super::Future;
use super::words::span_s;
use crate::event_log::Actor;
use crate::readable::number;
use crate::summary::Incident;

/// Incidents told one by one.
pub(super) const MOST: usize = 30;

/// The columns of [`row`].
pub(super) const HEAD: [&str; 8] = [
    "began",
    "detected",
    "first change by people",
    "down",
    "no longer down",
    "normal again",
    "requests lost",
    "waiting at the end",
];

/// An incident in cells; times are counted from its beginning.
pub(super) fn row(run: &Future<'_>, incident: &Incident) -> [String; 8] {
    let after = |at: Option<f64>, never: &str| {
        at.map_or_else(
            || never.to_owned(),
            |at| {
                let since = at - incident.start_s;
                if since < 0.0 {
                    format!("before it began ({})", run.at_s(at))
                } else if since <= 0.0 {
                    format!("at once ({})", run.at_s(at))
                } else {
                    format!("after {} ({})", span_s(since), run.at_s(at))
                }
            },
        )
    };
    let detected = after(incident.detected_s, "no alert fired");
    let then = [
        ("somebody looked", incident.acknowledged_s),
        ("cause known", incident.diagnosed_s),
    ];
    let then = then
        .into_iter()
        .filter_map(|(what, at)| at.map(|at| (what, at)));
    let detected = then.fold(detected, |told, (what, at)| {
        format!("{told}; {what} {}", after(Some(at), ""))
    });
    [
        run.at_s(incident.start_s),
        detected,
        after(acted_s(run, incident), "nobody changed anything"),
        after(incident.down_s, "never"),
        after(
            incident.mitigated_s,
            if incident.down_s.is_some() {
                "not before the run ended"
            } else {
                "–"
            },
        ),
        after(incident.end_s, "not before the run ended"),
        number(incident.lost as f64),
        incident
            .waiting
            .map_or_else(|| "–".to_owned(), |waiting| number(waiting as f64)),
    ]
}

/// When people first changed something in an incident: neither a remark nor a look changes anything.
pub(super) fn acted_s(run: &Future<'_>, incident: &Incident) -> Option<f64> {
    let end_s = incident.end_s.unwrap_or(f64::INFINITY);
    let acts = (run.simulation.recorder().event_log())
        .filter(|event| event.by == Actor::People && !event.kind.def().told_only);
    let mut moments = acts.map(|event| event.at.as_secs_f64());
    moments.find(|at| (incident.start_s..=end_s).contains(at))
}
