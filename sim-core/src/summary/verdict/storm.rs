//! Causes that are work for nobody: storms that outlive their trigger, and workers that wait.

use super::clauses::{BUSY, fails, goodput, how_bad, load_words, suffers};
use super::disturbance::Disturbance;
use super::evidence::{Evidence, ServiceFacts};
use super::losses::TOO_MUCH;
use super::rows::Found;
use super::words::{list, moment, of_time, rate, share, times};
use crate::ids::Id;
use crate::readable;
use crate::verdict::Verdict as Word;

/// Goodput that has come back.
const RETURNED: f64 = 0.9;

/// How long a trigger must be gone before it is said that goodput does not return, in seconds.
const SETTLED_S: f64 = 30.0;

/// How long before its effect is seen in the site's state a trigger may have begun, in seconds.
const EFFECT_S: f64 = 60.0;

/// The service whose workers are busy though first attempts leave them room, and what with.
fn kept_busy<'e>(e: &'e Evidence<'_>) -> Option<(&'e ServiceFacts<'e>, String)> {
    let busy = |s: &&ServiceFacts| {
        s.is_asked()
            && s.busy > BUSY
            && s.load() < 1.0
            && !waits_in_vain(e, s)
            && (s.attempts_load() > 1.0 || s.queue_len[1] > e.in_flight[2] || crowd(e, s).is_some())
    };
    let service = e
        .services
        .iter()
        .filter(busy)
        .max_by(|a, b| a.attempts_load().total_cmp(&b.attempts_load()))?;
    let what = if service.attempts_load() > 1.0 {
        format!(
            "attempts make {} of it, {} a request",
            times(service.attempts_load()),
            readable::number((attempts_each(e, service) * 100.0).round() / 100.0)
        )
    } else if let Some((at_once, name)) = crowd(e, service) {
        format!(
            "{} at once at {name} slow one another down",
            readable::number(at_once as f64)
        )
    } else {
        format!(
            "{} wait at its servers, most of whom nobody waits for any more",
            readable::number(service.queue_len[1] as f64)
        )
    };
    Some((service, what))
}

/// Attempts for each request to a service: of those that ended, which closed users make fewer than they would.
fn attempts_each(e: &Evidence<'_>, service: &ServiceFacts) -> f64 {
    let ended: u64 = service.outcomes.iter().sum();
    if e.users > 0 && ended > 0 {
        service.attempted as f64 / ended as f64
    } else {
        service.attempts_hz / service.asked_hz
    }
}

/// Whether a service's workers wait for another that nobody asks any more: messages to it were lost.
pub(super) fn waits_in_vain(e: &Evidence<'_>, service: &ServiceFacts) -> bool {
    let holds = service.standing.calls.iter().filter(|call| call.hold);
    let mut called = holds.map(|call| &e.services[usize::from(call.to.0)]);
    called.any(|to| to.attempted == 0)
}

/// The server of a service where most are served at once, if they slow one another down and are more than
/// its workers.
fn crowd<'e>(e: &Evidence<'_>, service: &'e ServiceFacts) -> Option<(u64, &'e str)> {
    let crowded = service.serving().filter(|s| {
        let slowdown = &e.model.servers[s.standing.id.position()].params.slowdown;
        let in_service = s.in_system - s.queue_len.min(s.in_system);
        (slowdown.contention > 0.0 || slowdown.coherence > 0.0)
            && in_service > u64::from(s.standing.workers)
    });
    let most = crowded.max_by_key(|s| s.in_system)?;
    Some((most.in_system - most.queue_len, most.name))
}

/// The trigger of the present incident that is gone: what it was, and until when it lasted.
fn trigger<'e>(e: &'e Evidence<'e>) -> Option<(String, f64, f64)> {
    let onset_s = e.incident_s?;
    let near = |from_s: f64, until_s: f64| from_s <= onset_s + 1.0 && until_s >= onset_s - EFFECT_S;
    let gone = |d: &'e Disturbance<'e>| {
        let until_s = d.until_s?;
        near(d.from_s, until_s).then_some((d, until_s))
    };
    let done = e.told.disturbances.iter().filter_map(gone);
    let done = done.max_by(|a, b| a.1.total_cmp(&b.1));
    let done = done.map(|(d, until_s)| (e.told.what(d), d.from_s, until_s));
    let surge = e.surge.filter(|s| near(s.from_s, s.until_s)).map(|s| {
        (
            format!("{} from outside", rate(s.peak_hz)),
            s.from_s,
            s.until_s,
        )
    });
    done.into_iter()
        .chain(surge)
        .max_by(|a, b| a.2.total_cmp(&b.2))
}

/// Something that began with the incident and still stands.
fn standing_trigger(e: &Evidence<'_>) -> bool {
    let Some(onset_s) = e.incident_s else {
        return false;
    };
    let near = |d: &&Disturbance<'_>| {
        d.until_s.is_none() && d.from_s <= onset_s + 1.0 && d.from_s >= onset_s - EFFECT_S
    };
    e.told.disturbances.iter().any(|d| near(&d))
}

pub(super) fn metastable(e: &Evidence<'_>) -> Option<Found> {
    if !e.told_all || e.answered() > RETURNED || standing_trigger(e) {
        return None;
    }
    let (service, what) = kept_busy(e)?;
    let (trigger, from_s, until_s) = trigger(e)?;
    if e.now_s - until_s < SETTLED_S.max(e.window_s) {
        return None;
    }
    Some(
        Found::new(
            Word::Metastable,
            format!(
                "the trigger ({trigger} from {} to {}) has been gone for {}{}, yet {what}; {}",
                moment(e, from_s),
                moment(e, until_s),
                of_time(e.now_s - until_s),
                load_words(service, ", "),
                goodput(e)
            ),
            e.harmed_at(service, TOO_MUCH),
        )
        .of(service.id),
    )
}

pub(super) fn busy_for_nobody(e: &Evidence<'_>) -> Option<Found> {
    if !fails(e) {
        return None;
    }
    let (service, what) = kept_busy(e)?;
    let why = match trigger(e) {
        Some((trigger, _, until_s)) if e.told_all => format!(
            "{trigger} ended {} ago, too little to say whether goodput returns",
            of_time(e.now_s - until_s)
        ),
        _ => "no trigger that has gone is in evidence".to_owned(),
    };
    Some(
        Found::new(
            how_bad(e),
            format!(
                "`{}` is {} busy and {what}{}; {why}; {}",
                service.name,
                share(service.busy),
                load_words(service, ", "),
                goodput(e)
            ),
            e.harmed_at(service, TOO_MUCH),
        )
        .of(service.id),
    )
}

pub(super) fn holding(e: &Evidence<'_>) -> Option<Found> {
    if !suffers(e) {
        return None;
    }
    let holds = |s: &&ServiceFacts| {
        s.busy > BUSY && s.load() < 1.0 && s.standing.calls.iter().any(|call| call.hold)
    };
    let service = e.services.iter().find(holds)?;
    Some(
        Found::new(
            how_bad(e),
            format!(
                "the workers of `{}` are {} busy, held by calls to {}{}; {}",
                service.name,
                share(service.busy),
                held_by(e, service),
                load_words(service, "; "),
                goodput(e)
            ),
            e.harmed_at(service, TOO_MUCH),
        )
        .of(service.id),
    )
}

/// The services for which a service's workers wait.
pub(super) fn held_by(e: &Evidence<'_>, service: &ServiceFacts) -> String {
    let calls = service.standing.calls.iter().filter(|call| call.hold);
    let called: Vec<String> = calls
        .map(|call| format!("`{}`", e.services[usize::from(call.to.0)].name))
        .collect();
    let names: Vec<&str> = called.iter().map(String::as_str).collect();
    list(&names)
}
