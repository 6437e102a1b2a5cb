//! Causes that are too much work: overload, queues that outlive it, and what is turned away.

use super::clauses::{
    BACKLOG, BUSY, fails, goodput, how_bad, load_words, missing, suffers, weakened,
};
use super::disturbance::Disturbance;
use super::evidence::{Evidence, Limit, ServerFacts, ServiceFacts, beyond_chance, worst};
use super::losses::TOO_MUCH;
use super::rows::Found;
use super::words::{counted, list, of_time, rate, share, since, times};
use crate::ids::Id;
use crate::outcome::Outcome;
use crate::readable;
use crate::verdict::Verdict as Word;

/// Goodput that has come back.
const RETURNED: f64 = 0.9;

/// Goodput of one half of the end above that of the other that is more than chance.
const BETTER_BY: f64 = 0.1;

/// How long a trigger must be gone before it is said that goodput does not return, in seconds.
const SETTLED_S: f64 = 30.0;

/// How long before its effect is seen in the site's state a trigger may have begun, in seconds.
const EFFECT_S: f64 = 60.0;

/// Most of a worker's time.
const MOSTLY: f64 = 0.5;

/// Standard deviations that are no chance.
const BEYOND_CHANCE: f64 = 3.0;

/// The services that are asked for more than they can do, with what each costs: that which costs most first,
/// of equals the one that is asked for most.
fn fullest<'e>(
    e: &'e Evidence<'_>,
    of: impl Fn(&&'e ServiceFacts<'_>) -> bool,
) -> Vec<(&'e ServiceFacts<'e>, u64)> {
    let full = e.services.iter().filter(|s| s.is_asked() && s.load() > 1.0);
    let costs = full.filter(of).map(|s| (s, e.harmed_at(s, TOO_MUCH)));
    let mut costs: Vec<_> = costs.collect();
    costs.sort_by(|a, b| b.1.cmp(&a.1).then(b.0.load().total_cmp(&a.0.load())));
    costs
}

pub(super) fn warming(e: &Evidence<'_>) -> Option<Found> {
    let cold = |s: &&ServiceFacts| {
        s.serving().any(|server| server.standing.warmth < 0.999)
            && matches!(s.limit, Limit::Workers | Limit::Cores)
            && s.asked_hz <= s.warm_hz
    };
    let (service, lost) = *fullest(e, cold).first()?;
    if !suffers(e) {
        return None;
    }
    Some(Found::new(
        Word::Recovering,
        format!(
            "`{}` is warming up: first attempts ask {} of what it can do now, and {} of what it can do warm ({}); {}",
            service.name,
            times(service.load()),
            times(service.asked_hz / service.warm_hz),
            weakened(e, service).join(", "),
            goodput(e)
        ),
        lost,
    )
    .of(service.id))
}

pub(super) fn overloaded(e: &Evidence<'_>) -> Vec<Found> {
    // All that can be said of nothing is in the rows before.
    let shows = |s: &&ServiceFacts| s.capacity_hz > 0.0 && overload_shows(e, s);
    let full = fullest(e, shows).into_iter();
    full.map(|(service, lost)| overload_of(e, service, lost))
        .collect()
}

fn overload_of(e: &Evidence<'_>, service: &ServiceFacts, lost: u64) -> Found {
    let users = counted(e.users as usize, "user", "users");
    let (hz, whom) = (rate(service.asked_hz), &service.name);
    let asked = match (e.users, e.has_open_sources) {
        (0, _) => format!("first attempts ask {hz} of `{whom}`"),
        (_, false) => {
            format!("{users} would ask {hz} of `{whom}` if they were answered at once")
        }
        (_, true) => format!(
            "first attempts, with those of {users} as if they were answered at once, ask {hz} of `{whom}`"
        ),
    };
    let limit = limit_words(service, &rate(service.capacity_hz));
    let mut why: Vec<String> = missing(e, service).into_iter().collect();
    why.extend(weakened(e, service));
    why.extend(grown_demand(e));
    why.extend(less_capacity(e, service));
    if service.held > MOSTLY {
        why.push(format!(
            "its workers spend {} of their time waiting for {}",
            share(service.held),
            held_by(e, service)
        ));
    }
    let why = if why.is_empty() {
        String::new()
    } else {
        format!(" ({})", why.join(", "))
    };
    let extra = if service.attempts_load() > 1.2 * service.load() {
        format!("; with retries it is {}", rate(service.attempts_hz))
    } else {
        String::new()
    };
    Found {
        word: Some(Word::Overloaded),
        lost,
        because: format!(
            "{asked}, {limit}: a load of {}{why}{extra}; {}",
            times(service.load()),
            end_of_overload(e, service)
        ),
        aside: if lost > 0 {
            format!(
                "`{}` is asked {} of what it can do",
                service.name,
                times(service.load())
            )
        } else {
            String::new()
        },
        about: Some(service.id),
    }
}

/// Whether a load above one is more than chance, and does harm or leaves no rest.
fn overload_shows(e: &Evidence<'_>, service: &ServiceFacts) -> bool {
    if e.users > 0 && service.busy > BUSY {
        // As many users as workers keep them busy for ever, and none waits.
        return service.waiting > 0 || service.queue_len.iter().any(|n| *n > 0);
    }
    if e.users > 0 && !e.has_open_sources {
        // Users who come all at once leave pauses, but those for whom there is no room wait all the same.
        let room = (1.0 - 1.0 / service.load()) * f64::from(e.users);
        let wait = (service.waiting + service.queue_len[1]) as f64;
        if wait > MOSTLY * room && wait > beyond_chance(0) {
            return true;
        }
    }
    let more = (service.asked_hz - service.capacity_hz) * e.window_s;
    // What happens at the end itself has lasted for no time, and no request has met it. What only helps
    // leaves an overload that was there before.
    let met = e.told.harms_s.is_none_or(|at_s| at_s < e.now_s);
    let lasting = met && more > BEYOND_CHANCE * (service.asked_hz * e.window_s).sqrt();
    // What has piled up over the whole run is no chance either.
    let waiting = service.queue_len[1] + service.waiting;
    let lasting = lasting
        || met && waiting as f64 > beyond_chance(e.arrived_ever) && waiting >= service.queue_len[0];
    let harms = suffers(e) || service.busy >= 0.97;
    // Breakdowns leave too little on average, whatever they did in this window.
    let breaks = service.limit == Limit::Breakdowns;
    harms && (lasting || e.grows() || breaks || fails(e) && service.busy > BUSY)
}

/// What sets the most that a service can do, and how much that is.
fn limit_words(service: &ServiceFacts, hz: &str) -> String {
    let servers = counted(service.serving().count(), "server", "servers");
    let (do_it, them, their) = match service.serving().count() {
        1 => ("does", "it", "its"),
        _ => ("do", "them", "their"),
    };
    match service.limit {
        Limit::Workers => format!("its {servers} {do_it} {hz} now"),
        Limit::Breakdowns => {
            let workers = |s: &ServerFacts| f64::from(s.standing.workers + s.standing.broken);
            let all: f64 = service.serving().map(workers).sum();
            let left = service
                .serving()
                .map(|s| workers(s) * s.standing.availability);
            format!(
                "its {servers} {do_it} {hz} on average, since breakdowns leave {them} {} of {their} workers",
                share(left.sum::<f64>() / all)
            )
        }
        Limit::Cores => {
            let quoted = |names: &[String]| {
                let names = names.iter().take(3);
                let quoted: Vec<String> = names.map(|name| format!("`{name}`")).collect();
                quoted.join(", ")
            };
            let (machines, others) = &service.machines;
            let beside = if others.is_empty() {
                String::new()
            } else {
                format!(" beside {}", quoted(others))
            };
            format!("the cores of {}{beside} allow {hz} now", quoted(machines))
        }
        Limit::ServerConnections => {
            format!("its limit of connections to servers allows {hz} now")
        }
        Limit::BalancerConnections => format!(
            "its balancer's limit of {} allows {hz} now",
            counted(
                service.standing.max_connections.unwrap_or(0) as usize,
                "connection",
                "connections"
            )
        ),
        Limit::BalancerCost => format!("its balancer does {hz} now"),
    }
}

/// Goodput, or where nothing fails what grows.
fn end_of_overload(e: &Evidence<'_>, service: &ServiceFacts) -> String {
    if fails(e) || e.arrived == 0 {
        return goodput(e);
    }
    let ended: u64 = service.outcomes.iter().sum();
    let succeeded = service.outcomes[Outcome::Succeeded as usize];
    if let Some((outcome, _)) = worst(&service.outcomes).filter(|_| ended > succeeded) {
        return format!(
            "{} of the requests to it fail, most are {}, and whoever asks goes on without it; {}",
            share(1.0 - succeeded as f64 / ended as f64),
            outcome.name().replace('_', " "),
            goodput(e)
        );
    }
    if e.users > 0 && !e.has_open_sources {
        // No more can wait than there are users: nothing grows that could fail later.
        let failures = e.ended - e.succeeded();
        let fail = match failures {
            0 => "nothing fails".to_owned(),
            some => format!(
                "{} of {} fail",
                readable::number(some as f64),
                readable::number(e.ended as f64)
            ),
        };
        return format!(
            "{fail}, {} of the users wait for an answer, and {} are answered",
            readable::number(e.in_flight[2] as f64),
            rate(e.succeeded() as f64 / e.window_s)
        );
    }
    format!(
        "nothing fails yet, {} wait and {} more came than were answered in the last {}",
        readable::number(e.in_flight[2] as f64),
        readable::number(e.arrived.saturating_sub(e.ended) as f64),
        of_time(e.window_s)
    )
}

/// A demand that somebody changed: the last such change.
fn grown_demand(e: &Evidence<'_>) -> Option<String> {
    let of_demand = |path: &str| {
        path.ends_with(".demand") || path.ends_with(".demand_factor") || path.contains(".demand.")
    };
    let set = e.told.sets.iter().rfind(|set| of_demand(&set.path))?;
    let note = if set.note.is_empty() {
        String::new()
    } else {
        format!(", {}", set.note)
    };
    Some(format!(
        "{} = {}{}{note}",
        set.path,
        set.value,
        since(e, Some(set.at_s))
    ))
}

/// A setting of what the service can do that was changed when the incident began, or before: the last of them.
fn less_capacity(e: &Evidence<'_>, service: &ServiceFacts) -> Option<String> {
    let own = format!("service.{}.", service.name);
    let limits = |path: &str| {
        let key = path.rsplit('.').next().unwrap_or_default();
        path.starts_with(&own)
            && matches!(
                key,
                "workers" | "speed" | "max_connections" | "cost" | "cores"
            )
    };
    let onset_s = e.incident_s?;
    let mut sets = e.told.sets.iter();
    let set = sets.rfind(|set| limits(&set.path) && set.at_s <= onset_s)?;
    Some(format!(
        "{} = {}{}",
        set.path,
        set.value,
        since(e, Some(set.at_s))
    ))
}

/// The server that is sent most of what it can do, if that is too much while all together could do it:
/// with its part of the attempts, and first attempts as a share of what it can do.
fn hottest<'s>(
    e: &Evidence<'_>,
    service: &'s ServiceFacts<'_>,
) -> Option<(&'s ServerFacts<'s>, (f64, f64))> {
    let attempts: u64 = service.servers.iter().map(|s| s.attempts).sum();
    let of = |s: &ServerFacts| {
        let part = s.attempts as f64 / attempts.max(1) as f64;
        (part, part * service.asked_hz / s.capacity_hz)
    };
    // Chance sends a server now and then more than it can do; what waits there says that it lasts.
    let lasting = |s: &&ServerFacts| {
        s.attempts as f64 - s.capacity_hz * e.window_s > beyond_chance(s.attempts)
            || s.queue_len as f64 > s.capacity_hz * e.now_s * BACKLOG
    };
    let servers = service
        .serving()
        .filter(|s| s.busy > BUSY && s.capacity_hz > 0.0);
    let servers = servers.filter(lasting);
    let worst = servers
        .map(|s| (s, of(s)))
        .max_by(|a, b| a.1.1.total_cmp(&b.1.1))?;
    (worst.1.1 > 1.0 && service.load() < 1.0).then_some(worst)
}

pub(super) fn hot_server(e: &Evidence<'_>) -> Option<Found> {
    let hot = (e.services.iter())
        .filter(|s| s.is_asked() && s.servers.len() > 1)
        .filter_map(|s| hottest(e, s).map(|found| (s, found, e.harmed_at(s, TOO_MUCH))));
    let (service, (server, (part, load)), lost) = hot.rev().max_by_key(|(.., lost)| *lost)?;
    let slow = weakened(e, service);
    let slow = if slow.is_empty() {
        String::new()
    } else {
        format!(" ({})", slow.join(", "))
    };
    Some(Found::new(
        how_bad(e),
        format!(
            "{} gets {} of the attempts, {} what it can do{slow}, while `{}` as a whole is asked {}; {}",
            server.name,
            share(part),
            times(load),
            service.name,
            times(service.load()),
            goodput(e)
        ),
        lost,
    )
    .of(service.id))
}

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
    let waiting = service.queue_len[1];
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
fn waits_in_vain(e: &Evidence<'_>, service: &ServiceFacts) -> bool {
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
                super::words::moment(e, from_s),
                super::words::moment(e, until_s),
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
fn held_by(e: &Evidence<'_>, service: &ServiceFacts) -> String {
    let calls = service.standing.calls.iter().filter(|call| call.hold);
    let called: Vec<String> = calls
        .map(|call| format!("`{}`", e.services[usize::from(call.to.0)].name))
        .collect();
    let names: Vec<&str> = called.iter().map(String::as_str).collect();
    list(&names)
}

pub(super) fn guarded(e: &Evidence<'_>) -> Option<Found> {
    let lost = e.outcomes[Outcome::Shed as usize];
    if !fails(e) || lost == 0 {
        return None;
    }
    let shed = lost as f64 / e.window_s;
    let mut who: Vec<String> = Vec::new();
    if let Some((name, at_s)) = e.open_breakers.first() {
        let others = match e.open_breakers.len() {
            1 => String::new(),
            n => format!(" and {} more", n - 1),
        };
        who.push(format!(
            "the circuit breaker of {name}{others} is open{}",
            since(e, Some(*at_s))
        ));
    } else if let Some((at, kind, refused)) = e.guards.iter().max_by_key(|guard| guard.2) {
        who.push(format!(
            "{kind} at {at} has refused {}",
            readable::short(*refused as f64)
        ));
    }
    let reason = who.first()?.clone();
    let mut load = e.tightest().map_or(String::new(), |s| load_words(s, "; "));
    let mut about = None;
    for service in e.services.iter().filter(|s| s.is_asked()) {
        for fact in weakened(e, service) {
            load = format!("{load}; {fact}");
            about = Some(service.id);
        }
    }
    Some(Found {
        word: Some(how_bad(e)),
        because: format!(
            "guards turn away {}: {reason}{load}; {}",
            rate(shed),
            goodput(e)
        ),
        lost,
        aside: format!("guards turn away {}", rate(shed)),
        about,
    })
}
