//! Warnings: what the reader must know before believing a figure.

use super::{Summary, Warning};
use crate::engine::Simulation;

/// Every code of a warning with its meaning.
pub static WARNINGS: &[(&str, &str)] = &[
    (
        "ended-early",
        "a limit of the scenario was reached, or time stood still: the figures describe the run up to there",
    ),
    (
        "no-requests",
        "no request arrived after the warm-up, so that there is nothing to measure",
    ),
    (
        "few-samples",
        "a percentile rests on fewer than ten requests beyond it and would be another one with another seed; simulate longer",
    ),
    (
        UNANSWERED,
        "many requests have waited at the end for longer than the p99: percentiles count answered requests, so the true ones are larger",
    ),
    (
        "coarse-timeline",
        "intervals of the time line are wider, or servers recorded less often, than asked for, to stay within memory",
    ),
    (
        "event-log-cut",
        "the list of events is incomplete, because there were too many",
    ),
    (
        "log-cut",
        "the request log is incomplete, because it was not taken away fast enough",
    ),
];

/// The warning that percentiles leave out many who wait.
const UNANSWERED: &str = "unanswered";

/// Adds the warnings that the run gives rise to.
pub(super) fn find(summary: &mut Summary, simulation: &Simulation) {
    if let Some(message) = simulation.end().and_then(crate::engine::End::warning) {
        warn(summary, "ended-early", message.to_owned());
    }
    if summary.requests.arrived == 0 {
        warn(
            summary,
            "no-requests",
            "no request arrived: there is nothing to measure".to_owned(),
        );
        return;
    }
    few_samples(summary);
    unanswered(summary, simulation);
    let recorder = simulation.recorder();
    if recorder.widened() {
        let message = format!(
            "the time line's interval is {:.0} s, servers every {:.0} s, to stay within memory",
            recorder.interval_ns() as f64 / 1e9,
            (recorder.interval_ns() * recorder.history().server_stride() as u64) as f64 / 1e9
        );
        warn(summary, "coarse-timeline", message);
    }
    if recorder.event_log_dropped() > 0 {
        warn(
            summary,
            "event-log-cut",
            format!(
                "{} events of the event log did not fit into memory",
                recorder.event_log_dropped()
            ),
        );
    }
    if recorder.log_dropped() > 0 {
        warn(
            summary,
            "log-cut",
            format!(
                "{} rows of the request log did not fit into memory",
                recorder.log_dropped()
            ),
        );
    }
}

fn few_samples(summary: &mut Summary) {
    let count = summary.response_time_s.count;
    for (name, beyond) in [("p99", 100), ("p999", 1000)] {
        if count > 0 && count < 10 * beyond {
            let message = format!(
                "{name} rests on {} of {count} answered requests beyond it; ten at least are wanted",
                count / beyond
            );
            warn(summary, "few-samples", message);
            break;
        }
    }
}

/// Percentiles count answered requests: where a hundredth of all that came has been waiting for longer
/// than the p99, it is not the p99 of all. Those that failed are no secret: they are counted as such.
fn unanswered(summary: &mut Summary, simulation: &Simulation) {
    let enough = summary.requests.arrived.div_ceil(100);
    if summary.requests.in_flight < enough {
        return;
    }
    let p99_ns = summary.response_time_s.p99.map_or(0.0, |p99| p99 * 1e9);
    let layout = &simulation.recorder().layout;
    let older = simulation.unanswered().filter(|&(flow, age_ns)| {
        layout.class_from_outside(flow).is_some() && age_ns as f64 > p99_ns
    });
    let older = older.count() as u64;
    if older >= enough {
        let message = format!(
            "{older} requests have waited at the end for longer than the p99 of those answered; percentiles count \
             answered requests only, so the true ones are larger"
        );
        warn(summary, UNANSWERED, message);
    }
}

fn warn(summary: &mut Summary, code: &'static str, message: String) {
    debug_assert!(
        WARNINGS.iter().any(|(known, _)| *known == code),
        "{code} is not in the table of warnings"
    );
    summary.warnings.push(Warning { code, message });
}
