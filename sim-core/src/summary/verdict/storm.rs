//! Causes that are work for nobody: storms that outlive their trigger, and workers that wait.

use super::arrivals::Surge;
use super::clauses::{BUSY, fails, goodput, how_bad, load_words, suffers};
use super::disturbance::Disturbance;
use super::evidence::{Evidence, ServiceFacts};
use super::losses::TOO_MUCH;
use super::rows::Found;
use super::words::{list, moment, of_time, quoted, rate, share, since, times};
use crate::ids::Id;
use crate::outcome::Outcome;
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
            readable::number((attempts_each(e, service) * 10.0).round() / 10.0)
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

/// Attempts for each request that would ask a service once, since the incident began.
fn attempts_each(e: &Evidence<'_>, service: &ServiceFacts) -> f64 {
    let onset_s = e.incident_s.unwrap_or(0.0);
    let (came, attempts) = (e.streams).since(onset_s, service.id, e.model.classes.len());
    let asks = e.asks_of(service.id, false);
    let first: f64 = came
        .iter()
        .zip(asks)
        .map(|(n, asks)| *n as f64 * asks)
        .sum();
    attempts as f64 / first.max(1.0)
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

/// What set off the present incident and is gone.
struct Trigger {
    what: String,
    from_s: f64,
    until_s: f64,
}

/// The services that requests meet who meet this one, too.
fn met_beside(e: &Evidence<'_>, service: &ServiceFacts) -> Vec<bool> {
    let own = e.asks_of(service.id, false);
    let entries = e.services.iter().zip(&own).enumerate();
    let entries = entries.filter(|(_, (s, share))| s.entry && **share > 0.0);
    let entries: Vec<usize> = entries.map(|(i, _)| i).collect();
    let met = |other: &ServiceFacts| {
        let asks = e.asks_of(other.id, false);
        entries.iter().any(|&entry| asks[entry] > 0.0)
    };
    e.services.iter().map(met).collect()
}

/// The disturbances that a service's requests can have met; of some nobody knows whom they concern.
fn disturbances<'e>(
    e: &'e Evidence<'e>,
    service: &ServiceFacts,
) -> impl Iterator<Item = &'e Disturbance<'e>> {
    let met = met_beside(e, service);
    e.told.disturbances.iter().filter(move |d| {
        let whose = e.told.whose(d, &e.instances);
        whose.is_none_or(|whose| met[whose.position()])
    })
}

/// The trigger of the present incident at a service that is gone.
fn trigger(e: &Evidence<'_>, service: &ServiceFacts) -> Option<Trigger> {
    let onset_s = e.incident_s?;
    let near = |from_s: f64, until_s: f64| from_s <= onset_s + 1.0 && until_s >= onset_s - EFFECT_S;
    let gone = |d: &'_ Disturbance<'_>| {
        let until_s = d.until_s?;
        near(d.from_s, until_s).then(|| Trigger {
            what: e.told.what(d),
            from_s: d.from_s,
            until_s,
        })
    };
    let done = disturbances(e, service).filter_map(gone);
    let done = done.max_by(|a, b| a.from_s.total_cmp(&b.from_s));
    let asked = |s: Surge, of: String| {
        near(s.from_s, s.until_s).then(|| Trigger {
            what: if s.more_came {
                format!("{} from outside", rate(s.peak_hz))
            } else {
                format!("requests that asked {} of {of}", times(s.peak_load))
            },
            from_s: s.from_s,
            until_s: s.until_s,
        })
    };
    let own = |s| asked(s, format!("what `{}` could do", service.name));
    let surge = e.surge(service).and_then(own);
    let later = done.into_iter().chain(surge);
    let later = later.max_by(|a, b| a.until_s.total_cmp(&b.until_s));
    let shortage = || e.shortage(service).and_then(own);
    let beside = || {
        let machines = quoted(&service.machines.names);
        let surge = e.surge_beside(service)?;
        asked(surge, format!("the cores of {machines}"))
    };
    later.or_else(shortage).or_else(beside)
}

/// Settings whose whole effect is in what a service can do and is asked for now.
const WEIGHED: [&str; 4] = ["weight", "policy", "workers", "max_connections"];

/// Something that began with the incident, no sooner than what is gone, and still stands; where it is a setting, one
/// that the load does not tell of.
fn standing(e: &Evidence<'_>, service: &ServiceFacts, after_s: f64) -> Option<(String, f64)> {
    let onset_s = e.incident_s?;
    let from_s = after_s.max(onset_s - EFFECT_S);
    let mut those = disturbances(e, service).filter(|d| {
        d.until_s.is_none() && !e.told.key(d).is_some_and(|key| WEIGHED.contains(&key))
    });
    let found = those.find(|d| (from_s..=onset_s + 1.0).contains(&d.from_s))?;
    Some((e.told.what(found), found.from_s))
}

/// Whether what a service is asked for is answered again: by all of the site, or at least there.
fn returned(e: &Evidence<'_>, service: &ServiceFacts) -> bool {
    let ended: u64 = service.outcomes.iter().sum();
    let answered = service.outcomes[Outcome::Succeeded as usize] as f64 / ended.max(1) as f64;
    e.answered() > RETURNED && !(fails(e) && answered <= RETURNED)
}

/// How long a trigger must be gone.
fn settled_s(e: &Evidence<'_>) -> f64 {
    SETTLED_S.max(e.window_s)
}

/// What is found at a service that is busy for nobody.
fn judged(e: &Evidence<'_>, service: &ServiceFacts, word: Word, because: String) -> Found {
    Found::new(word, because, e.harmed_at(service, TOO_MUCH)).of(service.id)
}

/// `the trigger (db slow from 1m to 1m10s) has been gone for 3m50s`: of an incident at a service that goes on without
/// one.
pub(super) fn gone_trigger(e: &Evidence<'_>, service: &ServiceFacts) -> Option<String> {
    if !e.told_all {
        return None;
    }
    let trigger = trigger(e, service)?;
    let gone_s = e.now_s - trigger.until_s;
    if returned(e, service)
        || gone_s < settled_s(e)
        || standing(e, service, trigger.from_s).is_some()
    {
        return None;
    }
    Some(format!(
        "the trigger ({} from {} to {}) has been gone for {}",
        trigger.what,
        moment(e, trigger.from_s),
        moment(e, trigger.until_s),
        of_time(gone_s)
    ))
}

pub(super) fn metastable(e: &Evidence<'_>) -> Option<Found> {
    let (service, what) = kept_busy(e)?;
    let gone = gone_trigger(e, service)?;
    Some(judged(
        e,
        service,
        Word::Metastable,
        format!(
            "{gone}{}, yet {what}; {}",
            load_words(service, ", "),
            goodput(e)
        ),
    ))
}

pub(super) fn busy_for_nobody(e: &Evidence<'_>) -> Option<Found> {
    if !fails(e) {
        return None;
    }
    let (service, what) = kept_busy(e)?;
    let trigger = trigger(e, service).filter(|_| e.told_all);
    let stands = standing(e, service, trigger.as_ref().map_or(0.0, |t| t.from_s));
    let why = match (trigger, stands) {
        (_, Some((stands, from_s))) => format!("{stands} stands{}", since(e, Some(from_s))),
        (Some(trigger), None) if e.now_s - trigger.until_s < settled_s(e) => format!(
            "{} ended {} ago, too little to say whether goodput returns",
            trigger.what,
            of_time(e.now_s - trigger.until_s)
        ),
        _ => "no trigger that has gone is in evidence".to_owned(),
    };
    Some(judged(
        e,
        service,
        how_bad(e),
        format!(
            "`{}` is {} busy and {what}{}; {why}; {}",
            service.name,
            share(service.busy),
            load_words(service, ", "),
            goodput(e)
        ),
    ))
}

pub(super) fn holding(e: &Evidence<'_>) -> Option<Found> {
    if !suffers(e) {
        return None;
    }
    let holds = |s: &&ServiceFacts| {
        s.busy > BUSY && s.load() < 1.0 && s.standing.calls.iter().any(|call| call.hold)
    };
    let service = e.services.iter().find(holds)?;
    Some(judged(
        e,
        service,
        how_bad(e),
        format!(
            "the workers of `{}` are {} busy, held by calls to {}{}; {}",
            service.name,
            share(service.busy),
            held_by(e, service),
            load_words(service, "; "),
            goodput(e)
        ),
    ))
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
