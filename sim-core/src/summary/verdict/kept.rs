//! Causes on the way to servers: guards and limits of connections that make requests wait.

use super::clauses::{BEYOND_CHANCE, BUSY, goodput, how_bad, suffers};
use super::evidence::{Evidence, ServiceFacts, beyond_chance};
use super::losses::{TOO_LATE, TOO_MUCH};
use super::rows::Found;
use super::storm::gone_trigger;
use super::words::{rate, share, times};
use crate::readable;
use crate::verdict::Verdict as Word;

/// So busy are servers that nobody gets through to.
const IDLE: f64 = 0.01;

/// Services whose servers have time, while what makes requests wait on their way lets too few through: a guard, or a
/// limit of connections.
pub(super) fn kept_waiting(e: &Evidence<'_>) -> Vec<Found> {
    if !suffers(e) {
        return Vec::new();
    }
    let asked = e.services.iter().filter(|s| s.is_asked());
    asked.filter_map(|service| kept_from(e, service)).collect()
}

fn kept_from(e: &Evidence<'_>, service: &ServiceFacts) -> Option<Found> {
    let (held, unconnected) = (service.standing.held, service.standing.unconnected);
    let waiting = held.max(unconnected);
    if waiting as f64 <= beyond_chance(0) || service.load() >= 1.0 || service.busy > BUSY {
        return None;
    }
    let done: u64 = service.servers.iter().map(|s| s.succeeded + s.failed).sum();
    let asked = service.asked_hz * e.window_s;
    if asked - done as f64 <= BEYOND_CHANCE * asked.sqrt() {
        return None;
    }
    let at_guard = held >= unconnected;
    let place = if at_guard {
        format!("wait at {}", guard_of(e, service))
    } else {
        "wait for a connection".to_owned()
    };
    let wait = format!("{} {place}", readable::number(waiting as f64));
    let done_hz = done as f64 / e.window_s;
    // Who waits for longer than its caller does passes for nobody, or not at all.
    let (through, load) = if done == 0 {
        ("none gets".to_owned(), String::new())
    } else {
        let load = times(service.asked_hz / done_hz);
        (
            format!("{} get", rate(done_hz)),
            format!(", a load of {load}"),
        )
    };
    let what = format!(
        "first attempts ask {} of `{}`, and {through} through to its servers, which are {} busy: {wait}{load}",
        rate(service.asked_hz),
        service.name,
        share(service.busy),
    );
    // Whom a guard turns away it does not keep waiting.
    let ends = if at_guard { TOO_LATE } else { TOO_MUCH };
    let lost = e.harmed_at(service, ends).max(waiting.min(e.in_flight[2]));
    // Connections that nothing comes back over are no fewer than were enough before.
    let dead = !at_guard && done == 0 && service.busy < IDLE;
    let (word, because) = match gone_trigger(e, service).filter(|_| dead) {
        Some(gone) => (Word::Metastable, format!("{gone}, yet {what}")),
        None if dead => (
            how_bad(e),
            format!("{what}, and nothing comes back over those that there are"),
        ),
        None => (Word::Overloaded, what),
    };
    Some(Found {
        word: Some(word),
        because: format!("{because}; {}", goodput(e)),
        lost,
        aside: format!("{wait} to `{}`", service.name),
        about: Some(service.id),
        by_itself: false,
    })
}

/// The guard at which most wait: one of the service itself, if there is one.
fn guard_of(e: &Evidence<'_>, service: &ServiceFacts) -> String {
    let own = format!("service.{}.", service.name);
    let guards = e.guards.iter().filter(|guard| guard.held > 0);
    let own_first = guards.max_by_key(|guard| (guard.at.starts_with(&own), guard.held));
    own_first.map_or("a guard".to_owned(), |guard| {
        format!("the {} of {}", guard.kind, guard.at)
    })
}
