//! The run in words: its verdict in a sentence, key figures, moments and spans.

use super::Future;
use crate::readable::{self, number, share, short, time};
use crate::summary::Incident;
use crate::time::{Duration, Instant};

/// The most spells that the sentence on top tells one by one.
const SPELLS: usize = 2;

/// What the other future saves, in a sentence.
pub(super) fn two_futures(run: &Future<'_>, other: &Future<'_>) -> String {
    let clock = run.simulation.model().clock;
    crate::report::words::two_futures(other.name, other.summary, run.summary, clock)
}

impl Future<'_> {
    /// A moment as people read it.
    pub(super) fn at(&self, at: Instant) -> String {
        readable::moment(at, self.simulation.model().clock)
    }

    /// The same, in seconds from the start.
    pub(super) fn at_s(&self, at_s: f64) -> String {
        self.at(Instant(Duration::from_secs_f64(at_s.max(0.0)).0))
    }

    /// What the run is called on top.
    pub(super) fn title(&self) -> String {
        let model = self.simulation.model();
        if model.title.is_empty() {
            model.name.clone()
        } else {
            model.title.clone()
        }
    }
}

/// A span in seconds, as people read it.
pub(super) fn span_s(span_s: f64) -> String {
    readable::span(Duration::from_secs_f64(span_s.max(0.0)))
}

/// Seconds as a time with three digits that matter.
pub(super) fn seconds(value: f64) -> String {
    time(value * 1e9)
}

/// What happened, in a sentence or two.
pub(super) fn verdict(run: &Future<'_>) -> String {
    let summary = run.summary;
    let requests = &summary.requests;
    let ended = requests.succeeded + requests.failed;
    let mut text = if summary.incidents.is_empty() {
        "No incident.".to_owned()
    } else {
        let told = summary.incidents.iter().take(SPELLS);
        let mut spells: Vec<String> = told.map(|incident| spell(run, incident)).collect();
        if let Some(more) = summary.incidents.len().checked_sub(SPELLS + 1) {
            spells.push(format!(
                "{} followed",
                readable::counted(more + 1, "more spell")
            ));
        }
        format!("The site was {}.", spells.join("; "))
    };
    if ended == 0 {
        text.push_str(" No request ended.");
    } else if requests.failed == 0 {
        text = format!(
            "{text} All {} requests that ended were answered in time.",
            number(ended as f64)
        );
    } else {
        text = format!(
            "{text} {} of the {} requests that ended failed ({}).",
            number(requests.failed as f64),
            number(ended as f64),
            share(requests.failed as f64 / ended as f64)
        );
    }
    if !summary.complete {
        text = format!(
            "{text} The run is incomplete: it ended at {}.",
            run.at_s(summary.horizon_s)
        );
    }
    text
}

fn spell(run: &Future<'_>, incident: &Incident) -> String {
    let what = if incident.down_s.is_some() {
        "down or degraded"
    } else {
        "degraded"
    };
    let from = run.at_s(incident.start_s);
    match incident.end_s {
        Some(end) => format!(
            "{what} from {from} to {}, for {}",
            run.at_s(end),
            span_s(end - incident.start_s)
        ),
        None => format!("{what} from {from} on, until the end of the run"),
    }
}

/// The word on the end of the run, and the sentence behind it.
pub(super) fn at_the_end(run: &Future<'_>) -> Option<String> {
    let word = run.summary.verdict?;
    let because = run.summary.verdict_because.as_deref().unwrap_or_default();
    Some(format!("{word}: {because}"))
}

/// Key figures: what each is, and its value.
pub(super) fn key_figures(run: &Future<'_>) -> Vec<(&'static str, String)> {
    let summary = run.summary;
    let optional =
        |value: Option<f64>, words: fn(f64) -> String| value.map_or_else(|| "–".to_owned(), words);
    let lost: u64 = summary.incidents.iter().map(|i| i.lost).sum();
    let mut figures = vec![
        ("answered in time", optional(summary.availability, share)),
        ("requests", short(summary.requests.arrived as f64)),
        ("failed", short(summary.requests.failed as f64)),
        ("failed in incidents", short(lost as f64)),
        (
            "response time, median",
            optional(summary.response_time_s.p50, seconds),
        ),
        (
            "response time, p99",
            optional(summary.response_time_s.p99, seconds),
        ),
        (
            "attempts per request",
            optional(summary.attempts.per_request, |v| format!("{v:.2}")),
        ),
        ("work for nobody", optional(summary.wasted_work, share)),
    ];
    if let Some(load) = summary.offered_load {
        figures.push(("offered load", format!("{load:.2}")));
    }
    figures
}
