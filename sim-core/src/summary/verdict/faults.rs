//! Causes that are faults: machines that crash, links that are cut, servers that are not there or answer
//! with errors.

use super::clauses::{NORMAL_FROM, drained, fails, goodput, how_bad, load_words, missing, suffers};
use super::disturbance::{CrashLoop, DUE};
use super::evidence::{Evidence, ServerFacts, ServiceFacts};
use super::losses::{NOBODY, TOO_MUCH};
use super::rows::Found;
use super::words::{counted, list, of_time, share, since, since_all, times};
use crate::engine::MachineState;
use crate::event_log::Kind;
use crate::ids::ServiceId;
use crate::outcome::Outcome;
use crate::verdict::Verdict as Word;

/// A loop that goes on: by its own rhythm another crash is due, or was not long ago, and nothing has changed since
/// the last after which all is well.
fn goes_on(e: &Evidence<'_>, of: &CrashLoop) -> bool {
    let changed = e.changed_s.is_some_and(|at_s| at_s > of.last_s[2]);
    if changed && e.thirds[2].is_some_and(|share| share >= NORMAL_FROM) {
        return false;
    }
    let [first, second, third] = of.last_s;
    let rhythm_s = (second - first).max(third - second);
    let waits_for_restart = crashing(e, of).is_some_and(|s| {
        s.standing.state != MachineState::Up
            && s.standing.state != MachineState::Absent
            && (s.standing.restarts || s.standing.state == MachineState::Booting)
    });
    waits_for_restart || e.now_s - third <= DUE * rhythm_s
}

/// The server that crashes again and again; `None` for an instance of a balancer.
fn crashing<'e>(e: &'e Evidence<'_>, of: &CrashLoop) -> Option<&'e ServerFacts<'e>> {
    e.server(of.server?).map(|(_, server)| server)
}

/// The service that a machine which crashes again and again belongs to.
fn service_of(e: &Evidence<'_>, of: &CrashLoop) -> Option<ServiceId> {
    let Some(server) = of.server else {
        let mut instances = e.instances.iter();
        return instances.find(|i| i.0 == of.machine).map(|i| i.1);
    };
    e.server(server).map(|(service, _)| service.id)
}

pub(super) fn crash_loop(e: &Evidence<'_>) -> Option<Found> {
    let gone = |of: &CrashLoop| {
        crashing(e, of).is_some_and(|s| {
            s.standing.state == MachineState::Absent
                || s.standing.state == MachineState::Down && !s.standing.restarts
        })
    };
    let mut loops: Vec<&CrashLoop> = e.told.loops.iter().collect();
    loops.retain(|l| goes_on(e, l) && !gone(l));
    let worst = loops.iter().max_by_key(|l| l.crashes)?;
    let ends: Vec<Outcome> = NOBODY.iter().chain(TOO_MUCH).copied().collect();
    let lost = service_of(e, worst).map_or(0, |service| e.lost_at(service, &ends));
    // Between two crashes all may look well: whether it harms is seen over several of them.
    let harms = fails(e) || e.site != Kind::Normal;
    let names: Vec<&str> = loops.iter().map(|l| l.machine.as_str()).collect();
    let verb = if names.len() == 1 { "crashes" } else { "crash" };
    let service = service_of(e, worst).map(|id| &e.services[usize::from(id.0)]);
    let service = service.filter(|s| s.whole_hz > 0.0 && s.whole_hz.is_finite());
    let all_up = service.map_or(String::new(), |service| {
        let drained = drained(e, service).map_or(String::new(), |those| format!(" ({those})"));
        format!(
            "; with all of `{}` up its load would be {}{drained}",
            service.name,
            times(service.asked_hz / service.whole_hz)
        )
    });
    Some(Found {
        word: harms.then_some(Word::CrashLooping),
        lost,
        aside: format!("{} {verb} again and again", list(&names)),
        about: service_of(e, worst),
        by_itself: false,
        because: format!(
            "{} {verb} again and again: {} of {}, the last {} ago ({}){all_up}; {}",
            list(&names),
            counted(worst.crashes, "crash", "crashes"),
            worst.machine,
            of_time(e.now_s - worst.last_s[2]),
            worst.cause,
            goodput(e)
        ),
    })
}

pub(super) fn balancer_down(e: &Evidence<'_>) -> Option<Found> {
    let down =
        |s: &&ServiceFacts| (s.is_asked() || s.attempted > 0) && s.standing.instances_up == 0;
    let (service, lost) = *cost_of(e, down, &in_vain(e)).first()?;
    let fact = format!(
        "the balancer of `{}` is down{}",
        service.name,
        since(e, service.balancer_down_s)
    );
    Some(Found {
        word: suffers(e).then(|| how_bad(e)),
        lost,
        because: format!(
            "{fact}: {} of {} up; {}",
            service.standing.instances_up,
            counted(service.standing.instances as usize, "instance", "instances"),
            goodput(e)
        ),
        aside: fact,
        about: Some(service.id),
        by_itself: false,
    })
}

pub(super) fn no_server(e: &Evidence<'_>) -> Vec<Found> {
    let empty = |s: &&ServiceFacts| {
        s.is_asked() && s.standing.instances_up > 0 && s.serving().next().is_none()
    };
    let services = cost_of(e, empty, &in_vain(e)).into_iter();
    services
        .map(|(service, lost)| without_server(e, service, lost))
        .collect()
}

fn without_server(e: &Evidence<'_>, service: &ServiceFacts, lost: u64) -> Found {
    // The last that left says since when there is none.
    let since_s = service
        .servers
        .iter()
        .filter_map(|s| s.since_s)
        .max_by(f64::total_cmp);
    let up = service
        .servers
        .iter()
        .filter(|s| s.standing.state == MachineState::Up)
        .count();
    let what = if up == 0 {
        "no server"
    } else {
        "no server in rotation"
    };
    let fact = format!("`{}` has {what}{}", service.name, since(e, since_s));
    Found {
        word: suffers(e).then(|| how_bad(e)),
        lost,
        because: format!(
            "{fact}: {}; {}",
            missing(e, service).unwrap_or_else(|| "none was ever there".to_owned()),
            goodput(e)
        ),
        aside: fact,
        about: Some(service.id),
        by_itself: false,
    }
}

/// Ends of those who found nobody, however often they tried: who tries until its time is over times out,
/// and so does who is lost on the way.
fn in_vain(e: &Evidence<'_>) -> Vec<Outcome> {
    let is_cut = e.links.iter().any(|link| link.cut);
    let timed_out = (!is_cut).then_some(Outcome::TimedOut);
    NOBODY.iter().copied().chain(timed_out).collect()
}

/// The services of a kind with the requests that each costs by such ends, that which costs most first.
fn cost_of<'e>(
    e: &'e Evidence<'_>,
    of: impl Fn(&&'e ServiceFacts<'_>) -> bool,
    ends: &[Outcome],
) -> Vec<(&'e ServiceFacts<'e>, u64)> {
    let services = e.services.iter().filter(of);
    let lost = services.map(|s| {
        let lost = e.failed_at(s.id, ends) + e.cut_short(s.id);
        (s, lost.min(e.failures()))
    });
    let mut lost: Vec<_> = lost.collect();
    lost.sort_by_key(|(_, lost)| std::cmp::Reverse(*lost));
    lost
}

pub(super) fn cut(e: &Evidence<'_>) -> Option<Found> {
    let costs = e.links.iter().map(|link| (link, e.lost_over(link)));
    let (worst, most) = costs.clone().rev().max_by_key(|(_, lost)| *lost)?;
    // Links that cost nothing beside one that does are not why.
    let these = costs.filter(|(link, lost)| link.cut == worst.cut && (*lost > 0 || most == 0));
    let these: Vec<_> = these.collect();
    let names: Vec<&str> = these.iter().map(|(link, _)| link.name.as_str()).collect();
    let (kind, what) = if worst.cut {
        (Kind::Partition, "cut")
    } else {
        (Kind::Degrade, "degraded")
    };
    let when = names.iter().filter_map(|name| e.told.since(kind, name));
    let fact = format!(
        "the {} {} {what}{}",
        if names.len() == 1 { "link" } else { "links" },
        if names.len() == 1 {
            format!("{} is", names[0])
        } else {
            format!("{} are", list(&names))
        },
        since(e, when.max_by(f64::total_cmp))
    );
    // Whoever has no limit to its patience waits for what vanished.
    let waiting = if worst.cut && (e.is_stuck() || e.grows()) {
        e.in_flight[2]
    } else {
        0
    };
    let lost: u64 = these.iter().map(|(_, lost)| lost).sum();
    Some(Found {
        word: suffers(e).then(|| how_bad(e)),
        lost: lost.min(e.failures() + e.in_flight[2]).max(waiting),
        because: format!("{fact}; {}", goodput(e)),
        aside: if worst.cut || most > 0 {
            fact
        } else {
            String::new()
        },
        about: None,
        by_itself: false,
    })
}

pub(super) fn dead_in_rotation(e: &Evidence<'_>) -> Option<Found> {
    if !fails(e) {
        return None;
    }
    let is_there = |s: &ServerFacts| s.standing.state != MachineState::Up && s.standing.open_at > 0;
    let has_dead = |s: &&ServiceFacts| {
        let mut dead = s.servers.iter().filter(|s| is_there(s)).peekable();
        dead.peek().is_some() && (dead.any(|s| s.attempts > 0) || e.cut_short(s.id) > 0)
    };
    let (service, lost) = *cost_of(e, has_dead, &in_vain(e)).first()?;
    // Behind an open circuit breaker nobody is sent to them, nor to others.
    let cut_short = e.cut_short(service.id);
    let is_dead = |s: &&ServerFacts| is_there(s) && (s.attempts > 0 || cut_short > 0);
    let dead: Vec<&ServerFacts> = service.servers.iter().filter(is_dead).collect();
    let names: Vec<&str> = dead.iter().map(|s| s.name).collect();
    let attempts: u64 = service.servers.iter().map(|s| s.attempts).sum();
    let sent: u64 = dead.iter().map(|s| s.attempts).sum();
    let when = since_all(e, dead.iter().filter_map(|s| s.since_s));
    let still = match (sent, cut_short) {
        (0, _) => "still in rotation, behind an open circuit breaker".to_owned(),
        (_, 0) => format!(
            "and {} of the attempts still go there",
            share(sent as f64 / attempts.max(1) as f64)
        ),
        _ => format!(
            "and {} of the attempts that an open circuit breaker lets through go there",
            share(sent as f64 / attempts.max(1) as f64)
        ),
    };
    let fact = format!(
        "{} of `{}` {} down{when}",
        list(&names),
        service.name,
        if dead.len() == 1 { "is" } else { "are" }
    );
    Some(Found {
        word: Some(how_bad(e)),
        lost: lost.min(sent + cut_short),
        because: format!("{fact}, {still}; {}", goodput(e)),
        aside: format!("{fact} and still in rotation"),
        about: Some(service.id),
        by_itself: true,
    })
}

/// Shares of answers that are errors which are worth a word though nobody who asks is harmed.
const MANY_ERRORS: f64 = 0.05;

pub(super) fn errors(e: &Evidence<'_>) -> Vec<Found> {
    let is_wrong = |s: &&ServerFacts| s.standing.error_rate > 0.0 && s.failed > 0;
    // Drained or not: what counts is that it answered so.
    let wrong = |s: &ServiceFacts| s.servers.iter().any(|server| is_wrong(&server));
    let costs = e.services.iter().filter(|s| wrong(s));
    let costs = costs.map(|s| {
        let failed: u64 = s.servers.iter().filter(is_wrong).map(|s| s.failed).sum();
        let lost = e.lost_at(s.id, &[Outcome::Errored]).min(failed) + e.cut_short(s.id);
        (s, lost.min(e.failures()))
    });
    // The last of equals first: the service that is called fails before the one that calls it.
    let mut costs: Vec<_> = costs.collect();
    costs.reverse();
    costs.sort_by_key(|(_, lost)| std::cmp::Reverse(*lost));
    let found = costs
        .into_iter()
        .map(|(service, lost)| errors_of(e, service, lost, is_wrong));
    found.flatten().collect()
}

fn errors_of(
    e: &Evidence<'_>,
    service: &ServiceFacts,
    lost: u64,
    is_wrong: impl Fn(&&ServerFacts) -> bool,
) -> Option<Found> {
    let at: Vec<&ServerFacts> = service.servers.iter().filter(is_wrong).collect();
    let names: Vec<&str> = at.iter().map(|s| s.name).collect();
    let attempts: u64 = service.servers.iter().map(|s| s.attempts).sum();
    let sent: u64 = at.iter().map(|s| s.attempts).sum();
    let failed: u64 = at.iter().map(|s| s.failed).sum();
    let ended = failed + at.iter().map(|s| s.succeeded).sum::<u64>();
    let (whose, who) = if at.len() == 1 {
        ("its", "it gets")
    } else {
        ("their", "they get")
    };
    let load = if service.capacity_hz > 0.0 {
        load_words(service, "; ")
    } else {
        String::new()
    };
    let errors = failed as f64 / ended.max(1) as f64;
    let part = share(errors);
    let harms = fails(e);
    if !harms && errors < MANY_ERRORS && e.outcomes[Outcome::Errored as usize] == 0 {
        return None;
    }
    Some(Found {
        word: harms.then(|| how_bad(e)),
        lost,
        because: format!(
            "errors at {}: {part} of {whose} answers fail, and {who} {} of the attempts of `{}`{load}; {}",
            list(&names),
            share(sent as f64 / attempts.max(1) as f64),
            service.name,
            goodput(e)
        ),
        aside: if lost > 0 || !harms {
            format!("{part} of the answers of {} are errors", list(&names))
        } else {
            String::new()
        },
        about: Some(service.id),
        by_itself: true,
    })
}
