//! Causes that are too much work: overload of a service or of one server, and what is turned away.

use super::clauses::{
    BACKLOG, BEYOND_CHANCE, BUSY, fails, goodput, how_bad, load_words, missing, suffers, weakened,
};
use super::evidence::{Evidence, Limit, Machines, ServerFacts, ServiceFacts, beyond_chance, worst};
use super::losses::TOO_MUCH;
use super::rows::Found;
use super::storm::held_by;
use super::words::{counted, of_time, quoted, rate, share, since, times};
use super::worse;
use crate::outcome::Outcome;
use crate::readable;
use crate::verdict::Verdict as Word;

/// Most of a worker's time.
const MOSTLY: f64 = 0.5;

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
    let users = counted(service.users as usize, "user", "users");
    let (hz, whom) = (rate(service.asked_hz), &service.name);
    let asked = match (service.users, service.asked_openly) {
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
    why.extend(worse::changes(e, service));
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
        by_itself: false,
    }
}

/// Whether a load above one is more than chance, and does harm or leaves no rest.
fn overload_shows(e: &Evidence<'_>, service: &ServiceFacts) -> bool {
    if service.users > 0 && service.busy > BUSY {
        // As many users as workers keep them busy for ever, and none waits.
        return service.waiting > 0 || service.queue_len.iter().any(|n| *n > 0);
    }
    if service.users > 0 && !service.asked_openly {
        // Users who come all at once leave pauses, but those for whom there is no room wait all the same.
        let room = (1.0 - 1.0 / service.load()) * f64::from(service.users);
        let wait = (service.waiting + service.queue_len[1]) as f64;
        if wait > MOSTLY * room && wait > beyond_chance(0) {
            return true;
        }
    }
    let more = (service.asked_hz - service.capacity_hz) * e.window_s;
    // What happens at the end itself has lasted for no time, and no request has met it. What only helps
    // leaves an overload that was there before.
    let met = e.harm_is_met();
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
            let Machines { names, others, .. } = &service.machines;
            let beside = if others.is_empty() {
                String::new()
            } else {
                format!(" beside {}", quoted(others))
            };
            format!("the cores of {}{beside} allow {hz} now", quoted(names))
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

/// The server that is sent most of what it can do, if first attempts alone are too much for it while all together
/// could do it: with its part of the attempts.
fn hottest<'s>(
    e: &Evidence<'_>,
    service: &'s ServiceFacts<'_>,
) -> Option<(&'s ServerFacts<'s>, f64)> {
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
    let (server, (part, load)) = worst;
    (load > 1.0 && service.load() < 1.0).then_some((server, part))
}

pub(super) fn hot_server(e: &Evidence<'_>) -> Option<Found> {
    let hot = (e.services.iter())
        .filter(|s| s.is_asked() && s.servers.len() > 1)
        .filter_map(|s| hottest(e, s).map(|found| (s, found, e.harmed_at(s, TOO_MUCH))));
    let (service, (server, part), lost) = hot.rev().max_by_key(|(.., lost)| *lost)?;
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
            times(server.attempts as f64 / e.window_s / server.capacity_hz),
            service.name,
            times(service.load()),
            goodput(e)
        ),
        lost,
    )
    .of(service.id))
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
    } else if let Some(guard) = e
        .guards
        .iter()
        .filter(|g| g.refused > 0)
        .max_by_key(|g| g.refused)
    {
        who.push(format!(
            "{} at {} has refused {}",
            guard.kind,
            guard.at,
            readable::short(guard.refused as f64)
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
        by_itself: false,
    })
}
