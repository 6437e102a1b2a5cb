//! Judgements and clauses that several rows of the table share.

use super::evidence::{Evidence, ServerFacts, ServiceFacts};
use super::words::{counted, list, of_time, rate, share, shares, since_all, times};
use crate::engine::MachineState;
use crate::readable;
use crate::verdict::Verdict as Word;

/// Below this goodput a site is down: as its state in the event log.
const DOWN_BELOW: f64 = 0.05;

/// From this goodput on a site is normal: as its state in the event log.
pub(super) const NORMAL_FROM: f64 = 0.98;

/// Standard deviations that are no chance.
pub(super) const BEYOND_CHANCE: f64 = 3.0;

/// Busy share of workers that have no rest.
pub(super) const BUSY: f64 = 0.9;

/// A queue that takes this share of the run to serve is no passing one.
pub(super) const BACKLOG: f64 = 0.05;

/// Requests that must have ended before all of them failing is called an outage.
const FEWEST: u64 = 3;
/// Below so many requests their number says more than a share.
const FEW: u64 = 20;
/// A queue in which one waits so many times as long as an answer takes is long, if it is never shorter
/// than so many requests.
const LONG_WAIT: f64 = 50.0;
const LONG_QUEUE: u64 = 100;

/// What has become of requests, for the end of a sentence.
pub(super) fn goodput(e: &Evidence<'_>) -> String {
    if e.arrived == 0 {
        let waiting = match e.in_flight[2] {
            1 if e.is_stuck() => ", and 1 waits".to_owned(),
            n if e.is_stuck() => format!(", and {} wait", readable::number(n as f64)),
            _ => String::new(),
        };
        return format!(
            "no request came in the last {}{waiting}",
            of_time(e.window_s)
        );
    }
    if e.ended == 0 {
        return format!(
            "{} came in the last {}, and none has ended yet",
            counted(e.arrived as usize, "request", "requests"),
            of_time(e.window_s)
        );
    }
    if e.ended < FEW && !e.grows() {
        return format!(
            "{} of {} answered in time in the last {}",
            e.succeeded(),
            counted(e.ended as usize, "request", "requests"),
            of_time(e.window_s)
        );
    }
    format!(
        "{} of {} answered in time in the last {}",
        share(e.goodput()),
        rate(e.offered_hz()),
        of_time(e.window_s)
    )
}

/// DOWN or DEGRADED, as the site is.
pub(super) fn how_bad(e: &Evidence<'_>) -> Word {
    // One or two that fail are no outage; nobody who is answered is one.
    let seen = e.ended == 0 || e.ended >= FEWEST;
    if seen && e.answered() < DOWN_BELOW {
        Word::Down
    } else {
        Word::Degraded
    }
}

/// Whether requests fail so that it counts.
pub(super) fn fails(e: &Evidence<'_>) -> bool {
    if e.ended > 0 {
        return 1.0 - e.failed() < NORMAL_FROM;
    }
    e.is_stuck() || (e.arrived > 0 && e.grows())
}

/// Whether more waits than will be answered soon.
pub(super) fn waits(e: &Evidence<'_>) -> bool {
    let per_s = e.succeeded() as f64 / e.window_s;
    let in_flight = e.in_flight[2] as f64;
    let least = e.in_flight.into_iter().min().unwrap_or(0);
    let long = least > LONG_QUEUE && least as f64 > per_s * e.alone_s * LONG_WAIT;
    e.alone_s > 0.0 && long || in_flight > 10.0 && in_flight > per_s * e.now_s * BACKLOG
}

/// Whether it shows that not all is well.
pub(super) fn suffers(e: &Evidence<'_>) -> bool {
    fails(e) || e.grows() || waits(e) || e.missed.is_some()
}

/// Why a server does not do what it could, and whether that is so.
type Reason = (&'static str, fn(&ServerFacts) -> bool);

/// Which servers do not do what they could, and why: `s-1 and s-2 of 4 drained since 10m`.
pub(super) fn missing(e: &Evidence<'_>, service: &ServiceFacts) -> Option<String> {
    let reasons: [Reason; 8] = [
        ("down", |s| s.standing.state == MachineState::Down),
        ("starting", |s| s.standing.state == MachineState::Booting),
        ("removed", |s| {
            s.standing.state == MachineState::Absent && s.since_s.is_some()
        }),
        ("not there", |s| {
            s.standing.state == MachineState::Absent && s.since_s.is_none()
        }),
        ("drained", |s| s.is_drained()),
        ("taken out by health rules", |s| {
            s.standing.state == MachineState::Up
                && !s.standing.drained
                && s.standing.open_at == 0
                && !s.standing.standby
                && !s.standing.weightless
        }),
        ("of weight 0", |s| {
            s.standing.state == MachineState::Up && !s.standing.drained && s.standing.weightless
        }),
        ("without a worker that works", |s| {
            s.serves() && s.standing.workers == 0
        }),
    ];
    let found = reasons
        .iter()
        .filter_map(|reason| of_reason(e, service, reason));
    let found: Vec<String> = found.collect();
    (!found.is_empty()).then(|| found.join(", "))
}

/// Which servers were taken out by hand.
pub(super) fn drained(e: &Evidence<'_>, service: &ServiceFacts) -> Option<String> {
    of_reason(e, service, &("drained", |s| s.is_drained()))
}

fn of_reason(e: &Evidence<'_>, service: &ServiceFacts, (word, is): &Reason) -> Option<String> {
    let all = service.servers.len();
    let of: Vec<&ServerFacts> = service.servers.iter().filter(|s| is(s)).collect();
    let names: Vec<&str> = of.iter().map(|s| s.name).collect();
    let when = since_all(e, of.iter().filter_map(|s| s.since_s));
    let of_all = if all > 1 {
        format!(" of {all}")
    } else {
        String::new()
    };
    (!of.is_empty()).then(|| format!("{}{of_all} {word}{when}", list(&names)))
}

/// What takes from servers that serve: slow, cold, broken, with errors.
pub(super) fn weakened(e: &Evidence<'_>, service: &ServiceFacts) -> Vec<String> {
    let mut found = Vec::new();
    let those = |is: fn(&ServerFacts) -> bool| -> Vec<&ServerFacts> {
        service.serving().filter(|s| is(s)).collect()
    };
    let names = |of: &[&ServerFacts]| list(&of.iter().map(|s| s.name).collect::<Vec<_>>());
    let slow = those(|s| s.standing.slowed_to < 1.0);
    if !slow.is_empty() {
        found.push(format!(
            "{} at {} of {} speed{}",
            names(&slow),
            shares(slow.iter().map(|s| s.standing.slowed_to)),
            if slow.len() == 1 { "its" } else { "their" },
            since_all(e, slow.iter().filter_map(|s| s.since_s))
        ));
    }
    let cold = those(|s| s.standing.warmth < 0.999);
    if !cold.is_empty() {
        found.push(format!(
            "{} still warming, at {}",
            names(&cold),
            shares(cold.iter().map(|s| s.standing.warmth))
        ));
    }
    let broken = those(|s| s.standing.broken > 0);
    if !broken.is_empty() {
        let workers: u32 = broken.iter().map(|s| s.standing.broken).sum();
        found.push(format!(
            "{} broken at {}",
            counted(workers as usize, "worker", "workers"),
            names(&broken)
        ));
    }
    let wrong = those(|s| s.standing.error_rate > 0.0);
    if !wrong.is_empty() {
        found.push(format!(
            "{} of answers are errors at {}",
            shares(wrong.iter().map(|s| s.standing.error_rate)),
            names(&wrong)
        ));
    }
    found
}

/// `first attempts ask 0.93 of what `web` can do`, where that can be said.
pub(super) fn load_words(service: &ServiceFacts, before: &str) -> String {
    if service.is_asked() && service.capacity_hz.is_finite() && service.capacity_hz > 0.0 {
        format!(
            "{before}first attempts ask {} of what `{}` can do",
            times(service.load()),
            service.name
        )
    } else {
        String::new()
    }
}
