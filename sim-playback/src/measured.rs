//! What happened in a stretch of a run, counted by the core's metrics over just that stretch.

use super::branch::Branch;
use sim_core::metric::{MetricDef, Scope, Unit};
use sim_core::outcome::Outcome;
use sim_core::record::history::History;
use sim_core::time::Instant;
use std::ops::Range;

/// Metrics of a stretch, beside the counts, with what they are called.
const METRICS: &[(&str, &str)] = &[
    ("p50", "response time p50"),
    ("p90", "response time p90"),
    ("p99", "response time p99"),
    ("amplification", "attempts per request"),
    ("utilisation", "workers busy"),
];

/// What happened in a stretch of a branch.
#[derive(Clone, PartialEq, Debug)]
pub struct Measured {
    /// The branch.
    pub branch: usize,
    /// What was asked for.
    pub asked: (Instant, Instant),
    /// The whole intervals of the time line that this takes.
    pub from: Instant,
    /// Their end.
    pub to: Instant,
    /// A figure a row.
    pub figures: Vec<Figure>,
}

/// A figure of a stretch.
#[derive(Clone, PartialEq, Debug)]
pub struct Figure {
    /// What it is.
    pub label: &'static str,
    /// Its value, where there was something to take it from.
    pub value: Option<f64>,
    /// How it is written.
    pub unit: Unit,
}

impl Measured {
    /// The whole intervals of a stretch of a branch that end by a moment, where there are any.
    pub(crate) fn of(
        (number, branch): (usize, &Branch),
        asked: (Instant, Instant),
        until: Instant,
    ) -> Option<Self> {
        let history = branch.scout().recorder().history();
        let interval_ns = history.interval_ns().max(1);
        let first = (asked.0.0 / interval_ns) as usize;
        // Of what comes after, nothing: it may be what is not to be seen yet.
        let len = history.len();
        let whole = len
            .checked_sub(1)
            .is_some_and(|last| history.end_ns(last) <= until.0);
        let last = if whole {
            len
        } else {
            (until.0 / interval_ns) as usize
        };
        (first < last).then(|| Self {
            branch: number,
            asked,
            from: Instant(first as u64 * interval_ns),
            to: Instant(history.end_ns(last - 1)),
            figures: figures(history, first..last, branch.model().services.len()),
        })
    }
}

fn figures(history: &History, range: Range<usize>, services: usize) -> Vec<Figure> {
    let total = history.total(Scope::Site, range.clone());
    let window = total.window();
    let count = |label, value: u64| Figure {
        label,
        value: Some(value as f64),
        unit: Unit::Count,
    };
    let succeeded = window.outcomes[Outcome::Succeeded as usize];
    let mut figures = vec![
        count("requests that came", window.arrived),
        count("succeeded", succeeded),
        count("failed", window.ended() - succeeded),
    ];
    figures.extend(METRICS.iter().filter_map(|(name, label)| {
        let metric = MetricDef::find(name)?;
        Some(Figure {
            label,
            value: (metric.of)(&window),
            unit: metric.unit,
        })
    }));
    let waiting = |interval: usize| {
        let each = (0..services).map(|service| history.service(interval, service).queue_len);
        each.map(u64::from).sum::<u64>()
    };
    let (mut least, mut most) = (u64::MAX, 0);
    for now in range.map(waiting) {
        (least, most) = (least.min(now), most.max(now));
    }
    figures.push(count("waiting at servers, least", least));
    figures.push(count("waiting at servers, most", most));
    figures
}
