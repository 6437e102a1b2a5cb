//! One word on the whole run, and what the reader must be warned of.
//!
//! The verdict is given only where the evidence allows:
//! `STABLE` when nothing grows and nearly everything succeeds; `BACKLOGGED` when much is waiting
//! at the end though the offered load is below one; `OVERLOADED` when more was offered than the
//! servers that are up can do; `METASTABLE` when, at the end, goodput stays below half of what is offered
//! though the offered load at that time is below one: the trigger is gone, the overload is not.

use super::{Summary, Warning};
use crate::engine::{MachineState, Simulation};
use crate::metric::Scope;
use crate::outcome::Outcome;

/// Every verdict with its meaning.
pub static VERDICTS: &[(&str, &str)] = &[
    (
        "STABLE",
        "nearly everything succeeds at the end of the run, and nothing grows",
    ),
    (
        "BACKLOGGED",
        "at the end much is waiting or failing, or some are left waiting, though the offered load is below one",
    ),
    (
        "OVERLOADED",
        "at the end more is offered than the servers can do",
    ),
    (
        "METASTABLE",
        "at the end most requests fail though the offered load is below one: the trigger is gone, the overload is not",
    ),
];

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
/// Share of the run, at its end, that the verdict looks at.
const TAIL: f64 = 0.1;

pub(super) fn judge(summary: &mut Summary, simulation: &Simulation) {
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
    summary.verdict = verdict(summary, simulation);
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

fn verdict(summary: &Summary, simulation: &Simulation) -> Option<&'static str> {
    let history = simulation.recorder().history();
    let intervals = history.len();
    let tail = ((intervals as f64 * TAIL).ceil() as usize).max(1);
    if intervals < 10 {
        return None;
    }
    let total = history.total(Scope::Site, intervals - tail..intervals);
    let window = total.window();
    let succeeded = window.outcomes[Outcome::Succeeded as usize] as f64;
    if window.arrived == 0 {
        return None;
    }
    let answered = succeeded / window.arrived as f64;
    // The offered load of the tail: that of the whole run, scaled by the rate.
    let load = summary.offered_load? * (window.arrived as f64 / window.span_s)
        / summary.offered_hz
        / alive(simulation);
    let waiting = summary.requests.in_flight as f64 / summary.offered_hz;
    Some(if load > 1.0 {
        "OVERLOADED"
    } else if answered < 0.5 {
        "METASTABLE"
    } else if answered < 0.95 || waiting > summary.horizon_s * 0.05 || left_waiting(summary) {
        "BACKLOGGED"
    } else {
        "STABLE"
    })
}

/// Whether a hundredth of all requests has been waiting for longer than others take: one server of
/// many that falls behind.
fn left_waiting(summary: &Summary) -> bool {
    summary.warnings.iter().any(|w| w.code == UNANSWERED)
}

/// Share of the workers whose servers are up: what is down at the end can do nothing.
fn alive(simulation: &Simulation) -> f64 {
    let (mut up, mut all) = (0, 0);
    for server in simulation.snapshot().servers {
        if server.state != MachineState::Absent {
            all += server.workers;
            up += if server.state == MachineState::Up {
                server.workers
            } else {
                0
            };
        }
    }
    f64::from(up) / f64::from(all.max(1))
}

fn warn(summary: &mut Summary, code: &'static str, message: String) {
    debug_assert!(
        WARNINGS.iter().any(|(known, _)| *known == code),
        "{code} is not in the table of warnings"
    );
    summary.warnings.push(Warning { code, message });
}
