//! Backlogs that are worked off, and how long that takes.

use super::clauses::{goodput, load_words, suffers};
use super::evidence::{Evidence, ServiceFacts, beyond_chance};
use super::losses::TOO_MUCH;
use super::rows::Found;
use super::storm::waits_in_vain;
use super::words::{of_time, share};
use crate::readable;
use crate::verdict::Verdict as Word;

/// Goodput of one half of the end above that of the other that is more than chance.
const BETTER_BY: f64 = 0.1;

pub(super) fn draining(e: &Evidence<'_>) -> Option<Found> {
    let service = e.tightest();
    if service.is_some_and(|s| s.load() >= 1.0) || !(suffers(e) || e.arrived == 0) {
        return None;
    }
    let rise = match e.thirds {
        [Some(first), Some(second), Some(third)] if first <= second && second <= third => {
            Some((first, third)).filter(|_| third - first > BETTER_BY)
        }
        _ => None,
    };
    let sinks = |s: &&ServiceFacts| {
        let [before, now] = s.queue_len;
        let attempts = (s.attempts_hz * e.window_s) as u64;
        s.attempts_load() < 1.0 && before as f64 - now as f64 > beyond_chance(attempts)
    };
    let forsaken = e.services.iter().filter_map(|s| forsaken(e, s));
    let forsaken = forsaken.max_by(|a, b| a.1.total_cmp(&b.1));
    let shrinks = e.shrinks() && !e.grows();
    let queue = e.services.iter().find(sinks);
    let [before, _, now] = e.in_flight;
    let mut facts = Vec::new();
    if let Some((fact, _)) = forsaken {
        facts.push(fact);
    } else if shrinks {
        facts.push(sinking("in flight", before, now, e.window_s));
    } else if let Some(service) = queue {
        let [before, now] = service.queue_len;
        facts.push(sinking(
            &format!("waiting at `{}`", service.name),
            before,
            now,
            e.window_s,
        ));
    }
    if let Some((before, after)) = rise {
        facts.push(format!(
            "goodput rose from {} to {}",
            share(before),
            share(after)
        ));
    }
    if facts.is_empty() {
        return None;
    }
    let room = service.map_or(String::new(), |s| load_words(s, "; "));
    let asked = e.services.iter().filter(|s| s.is_asked());
    let lost = asked.map(|s| e.harmed_at(s, TOO_MUCH)).max();
    Some(Found::new(
        Word::Recovering,
        format!("{}{room}; {}", facts.join(", "), goodput(e)),
        lost.unwrap_or(0),
    ))
}

/// A queue at servers that is longer than all who are in flight outside: mostly those whom nobody waits for any
/// more. With how long it takes to work off, in seconds, where its servers do more than they are sent.
fn forsaken(e: &Evidence<'_>, service: &ServiceFacts) -> Option<(String, f64)> {
    let [before, waiting] = service.queue_len;
    if waiting >= before {
        // Whatever could be done, it is not.
        return None;
    }
    let beyond = waiting as f64 - e.in_flight[2] as f64;
    if beyond <= beyond_chance(waiting) || waits_in_vain(e, service) {
        return None;
    }
    let queues = service.serving().filter(|s| s.queue_len > 0);
    let takes = queues.map(|s| {
        let spare_hz = s.capacity_hz - s.attempts as f64 / e.window_s;
        if spare_hz > 0.0 {
            s.queue_len as f64 / spare_hz
        } else {
            f64::INFINITY
        }
    });
    let takes_s = takes.fold(0.0, f64::max);
    takes_s.is_finite().then(|| {
        let fact = format!(
            "{} wait at `{}`, most of whom nobody waits for any more, which at what is sent and done now takes {} to work off",
            readable::number(waiting as f64),
            service.name,
            of_time(takes_s)
        );
        (fact, takes_s)
    })
}

/// What becomes of a number that sinks: how long it takes at this pace.
fn sinking(what: &str, before: u64, now: u64, window_s: f64) -> String {
    if now == 0 {
        return format!(
            "none {what} any more where {} were {} ago",
            readable::number(before as f64),
            of_time(window_s)
        );
    }
    let per_s = (before - now) as f64 / window_s;
    format!(
        "{} {what} where {} were {} ago, which at this pace takes {} more",
        readable::number(now as f64),
        readable::number(before as f64),
        of_time(window_s),
        of_time(now as f64 / per_s)
    )
}
