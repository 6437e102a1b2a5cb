//! Warnings: what the reader must know before believing a figure.

use super::{Summary, Warning};
use crate::arrival::Arrivals;
use crate::engine::Simulation;
use crate::model::Model;
use crate::readable;
use crate::statistics::Withheld;
use crate::steady::{self, Nature};
use crate::time::{Duration as Span, SECOND};

/// Every code of a warning with its meaning.
pub static WARNINGS: &[(&str, &str)] = &[
    (
        "ended-early",
        "a limit of the scenario was reached, or time stood still: the figures describe the run up to there",
    ),
    (
        "infinite-variance",
        "the variance of the demand is infinite: times of one run are those of its few longest requests",
    ),
    (
        "assumed",
        "values of the scenario that nobody has measured, as its `assumed` says: the figures are those of such a system, and yours only when they are filled in",
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
        "short-run",
        "the run measures fewer than thirty times what its system takes to forget: mean and percentiles are those of a start and of a few busy spells, and would be others with another seed",
    ),
    (
        UNANSWERED,
        "many requests have waited at the end for longer than the p99: percentiles count answered requests, so the true ones are larger",
    ),
    (
        "answered-only",
        "a hundredth of the requests or more failed: percentiles count those answered, and say nothing of how long the others waited in vain",
    ),
    (
        "whole-seconds",
        "all requests of a trace come at whole seconds, many at once: queues and waits are those of batches that the log's grain makes",
    ),
    (
        "closed-load",
        "users of a closed source ask only after an answer: the offered load follows what is answered, and hides how much they want",
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

/// Nobody is told to simulate a longer time than this, in seconds: a century.
const LONGEST_S: f64 = 3.2e9;

/// The warning that percentiles leave out many who wait.
const UNANSWERED: &str = "unanswered";

/// Adds the warnings that the run gives rise to.
pub(super) fn find(summary: &mut Summary, simulation: &Simulation) {
    if let Some(message) = simulation.early_end() {
        warn(summary, "ended-early", message);
    }
    assumed(summary, simulation);
    if summary.requests.arrived == 0 {
        warn(
            summary,
            "no-requests",
            "no request arrived: there is nothing to measure".to_owned(),
        );
        return;
    }
    few_samples(summary);
    short_run(summary, simulation);
    unanswered(summary, simulation);
    answered_only(summary);
    whole_seconds(summary, simulation);
    closed_load(summary, simulation);
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

/// So many assumed values are named.
const ASSUMED: usize = 6;

/// That values of a scenario are assumed, and which.
pub fn assumed_words(model: &Model) -> Option<String> {
    let all = &model.assumed;
    let named: Vec<&str> = all.iter().take(ASSUMED).map(String::as_str).collect();
    let more = match all.len().saturating_sub(ASSUMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    (!all.is_empty()).then(|| format!("nobody has measured {}{more}", named.join("; ")))
}

fn assumed(summary: &mut Summary, simulation: &Simulation) {
    if let Some(message) = assumed_words(simulation.model()) {
        warn(summary, "assumed", message);
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

/// What the model tells of the time that it takes to forget, beside the length of the run.
fn short_run(summary: &mut Summary, simulation: &Simulation) {
    let model = simulation.model();
    if !summary.complete || !Nature::of(model).is_steady() {
        return;
    }
    // Of what has no steady state the verdict tells.
    let memory = match steady::memory(model) {
        Ok(memory) => memory,
        Err(why @ Withheld::InfiniteVariance) => {
            let message = format!("{why}: of one run neither mean nor percentiles say much");
            return warn(summary, "infinite-variance", message);
        }
        Err(_) => return,
    };
    let measured_s = summary.horizon_s - summary.measured_from_s;
    let (each, need) = (measured_s / memory.relaxation_s, steady::EACH);
    if memory.relaxation_s <= 0.0 || each >= need {
        return;
    }
    let span = |s: f64| readable::span(Span::from_secs_f64(s));
    let horizon_s = steady::round_up(summary.measured_from_s + need * memory.relaxation_s);
    let takes = if horizon_s < LONGEST_S {
        format!(
            "{each:.1} relaxation times of {} are measured, and it takes {need:.0}, a horizon of {}",
            span(memory.relaxation_s),
            span(horizon_s)
        )
    } else {
        "so close to what can be done, none is long enough".to_owned()
    };
    let message = format!(
        "the run is short for {}: {takes}; with another seed mean and percentiles would be others",
        memory.slow
    );
    warn(summary, "short-run", message);
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

/// Where failures are many, the slowest of all requests are not among those answered.
fn answered_only(summary: &mut Summary) {
    let ended = summary.requests.succeeded + summary.requests.failed;
    let times = &summary.response_time_s;
    if times.count == 0 || summary.requests.failed < ended.div_ceil(100).max(10) {
        return;
    }
    let message = format!(
        "percentiles are of the {} of requests that were answered; {} failed",
        readable::share(summary.requests.succeeded as f64 / ended as f64),
        readable::number(summary.requests.failed as f64)
    );
    warn(summary, "answered-only", message);
}

/// A log with whole seconds makes a batch of each second.
fn whole_seconds(summary: &mut Summary, simulation: &Simulation) {
    for source in &simulation.model().sources {
        let Arrivals::Trace(times) = source.arrivals.build() else {
            continue;
        };
        let whole = times.iter().all(|at| at.0.is_multiple_of(SECOND));
        let moments = 1 + times.windows(2).filter(|pair| pair[0] != pair[1]).count();
        if times.len() >= 10 && whole && times.len() > moments {
            let message = format!(
                "all {} requests of `{}` come at whole seconds, {:.1} at once: their queues are made by the grain of the log",
                readable::number(times.len() as f64),
                source.name,
                times.len() as f64 / moments as f64
            );
            warn(summary, "whole-seconds", message);
        }
    }
}

/// Offered load of users who wait for their answers is bounded by what is answered.
fn closed_load(summary: &mut Summary, simulation: &Simulation) {
    let Some(load) = summary.offered_load.filter(|load| *load > 0.9) else {
        return;
    };
    let users: u32 = simulation
        .standing()
        .sources
        .iter()
        .filter_map(|s| s.users)
        .map(|u| u.0)
        .sum();
    if users > 0 {
        let message = format!(
            "the offered load of {load:.2} is what {} users got round to asking; they ask only after an answer, so it shows no more than what is answered",
            readable::number(f64::from(users))
        );
        warn(summary, "closed-load", message);
    }
}

fn warn(summary: &mut Summary, code: &'static str, message: String) {
    debug_assert!(
        WARNINGS.iter().any(|(known, _)| *known == code),
        "{code} is not in the table of warnings"
    );
    summary.warnings.push(Warning { code, message });
}
