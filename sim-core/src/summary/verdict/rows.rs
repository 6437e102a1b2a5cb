//! The table of verdicts: which word, under which condition, in which sentence. The first row that
//! applies is the verdict.

use super::disturbance::{CrashLoop, Disturbance};
use super::evidence::{Evidence, Limit, ServerFacts, ServiceFacts, beyond_chance, worst};
use super::words::{counted, list, of_time, rate, share, since, times};
use crate::engine::MachineState;
use crate::event_log::Kind;
use crate::outcome::Outcome;
use crate::readable;
use crate::verdict::Verdict as Word;

/// A row of [`ROWS`].
pub(super) struct Row {
    /// Situations that it is for, as the book lists them.
    pub situation: &'static str,
    /// What must be in evidence.
    pub evidence: &'static str,
    /// The verdict and its sentence, where the evidence is there.
    pub of: fn(&Evidence<'_>) -> Option<(Word, String)>,
}

/// Below this goodput a site is down, and from this on it is normal: as its state in the event log.
const DOWN_BELOW: f64 = 0.05;
const NORMAL_FROM: f64 = 0.98;
/// Busy share of workers that have no rest.
const BUSY: f64 = 0.9;
/// Goodput that has come back.
const RETURNED: f64 = 0.9;
/// Goodput of one half of the end above that of the other that is more than chance.
const BETTER_BY: f64 = 0.1;
/// How long a trigger must be gone before it is said that goodput does not return, in seconds.
const SETTLED_S: f64 = 30.0;
/// How long before its effect is seen in the site's state a trigger may have begun, in seconds.
const EFFECT_S: f64 = 60.0;
/// A queue that takes this share of the run to serve is no passing one.
const BACKLOG: f64 = 0.05;

/// Every row, in order.
pub(super) static ROWS: &[Row] = &[
    Row {
        situation: "load that ended",
        evidence: "no request comes any more, and none is left",
        of: idle,
    },
    Row {
        situation: "crash loop",
        evidence: "one machine crashed by itself three times or more, goes on to, and requests fail",
        of: crash_loop,
    },
    Row {
        situation: "balancer down",
        evidence: "no instance of a balancer that is asked is up",
        of: balancer_down,
    },
    Row {
        situation: "no server",
        evidence: "no server of a service that is asked is up and in rotation",
        of: no_server,
    },
    Row {
        situation: "cut network",
        evidence: "a link is cut or degraded, and requests are lost or late",
        of: cut,
    },
    Row {
        situation: "warm-up",
        evidence: "too little can be done now, enough once what has started is warm",
        of: warming,
    },
    Row {
        situation: "overload",
        evidence: "first attempts ask for more than can be done now, and it shows",
        of: overloaded,
    },
    Row {
        situation: "dead server in rotation",
        evidence: "a server that is not up is still sent to, and requests fail",
        of: dead_in_rotation,
    },
    Row {
        situation: "errors",
        evidence: "most failures are errors of servers that answer with errors",
        of: errors,
    },
    Row {
        situation: "one server overloaded",
        evidence: "a server is sent more than it can do, its service could do it all",
        of: hot_server,
    },
    Row {
        situation: "backlog that is worked off",
        evidence: "enough can be done, and goodput rises or fewer and fewer wait",
        of: draining,
    },
    Row {
        situation: "metastable",
        evidence: "a trigger is gone, first attempts ask for less than can be done, workers are busy all the same, goodput does not return",
        of: metastable,
    },
    Row {
        situation: "guards",
        evidence: "most failures were turned away by guards",
        of: guarded,
    },
    Row {
        situation: "work for nobody, without a trigger",
        evidence: "workers are busy with retries or with what nobody waits for, and nothing was seen that set it off",
        of: busy_for_nobody,
    },
    Row {
        situation: "held workers",
        evidence: "workers are busy waiting for another service",
        of: holding,
    },
    Row {
        situation: "failures of another kind",
        evidence: "requests fail",
        of: failing,
    },
    Row {
        situation: "standing backlog",
        evidence: "nothing fails, and many wait",
        of: backlog,
    },
    Row {
        situation: "objective missed",
        evidence: "nothing fails, and an objective is missed",
        of: objective,
    },
    Row {
        situation: "recovering at the end",
        evidence: "all is well, and the site is not yet called normal",
        of: recovering,
    },
    Row {
        situation: "all is well",
        evidence: "requests are answered in time, and nothing grows",
        of: stable,
    },
];

/// What has become of requests, for the end of a sentence.
fn goodput(e: &Evidence<'_>) -> String {
    if e.arrived == 0 {
        return format!("no request came in the last {}", of_time(e.window_s));
    }
    format!(
        "{} of {} answered in time in the last {}",
        share(e.goodput()),
        rate(e.offered_hz()),
        of_time(e.window_s)
    )
}

/// DOWN or DEGRADED, as the site is.
fn how_bad(e: &Evidence<'_>) -> Word {
    if e.answered() < DOWN_BELOW {
        Word::Down
    } else {
        Word::Degraded
    }
}

/// Whether requests fail so that it counts.
fn fails(e: &Evidence<'_>) -> bool {
    (e.ended > 0 && 1.0 - e.failed() < NORMAL_FROM) || (e.ended == 0 && e.arrived > 0 && e.grows())
}

/// Whether more waits than will be answered soon.
fn waits(e: &Evidence<'_>) -> bool {
    let per_s = e.succeeded() as f64 / e.window_s;
    let in_flight = e.in_flight[2] as f64;
    in_flight > 10.0 && in_flight > per_s * e.now_s * BACKLOG
}

/// Whether it shows that not all is well.
fn suffers(e: &Evidence<'_>) -> bool {
    fails(e) || e.grows() || waits(e) || e.missed.is_some()
}

fn idle(e: &Evidence<'_>) -> Option<(Word, String)> {
    if e.arrived > 0 || e.in_flight[2] > 0 {
        return None;
    }
    let last_s = e.last_arrival_s?;
    Some((
        Word::Stable,
        format!(
            "nobody asks: the last of {} requests came {} ago, and none is left waiting",
            readable::number(e.arrived_ever as f64),
            of_time(e.now_s - last_s)
        ),
    ))
}

/// A loop that goes on: by its own rhythm another crash is due, or was not long ago.
fn goes_on(e: &Evidence<'_>, of: &CrashLoop) -> bool {
    let [first, second, third] = of.last_s;
    let rhythm_s = (second - first).max(third - second);
    let comes_back = e
        .services
        .iter()
        .flat_map(|s| &s.servers)
        .find(|s| s.name == of.machine);
    let waits_for_restart = comes_back.is_some_and(|s| {
        s.standing.state != MachineState::Up
            && s.standing.state != MachineState::Absent
            && (s.standing.restarts || s.standing.state == MachineState::Booting)
    });
    waits_for_restart || e.now_s - third <= 1.5 * rhythm_s
}

fn crash_loop(e: &Evidence<'_>) -> Option<(Word, String)> {
    let gone = |name: &str| {
        let mut servers = e.services.iter().flat_map(|s| &s.servers);
        servers.any(|s| {
            s.name == name
                && (s.standing.state == MachineState::Absent
                    || s.standing.state == MachineState::Down && !s.standing.restarts)
        })
    };
    let mut loops: Vec<&CrashLoop> = e.told.loops.iter().collect();
    loops.retain(|l| goes_on(e, l) && !gone(&l.machine));
    let worst = loops.iter().max_by_key(|l| l.crashes)?;
    // Between two crashes all may look well: whether it harms is seen over several of them.
    if !fails(e) && e.site == Kind::Normal {
        return None;
    }
    let names: Vec<&str> = loops.iter().map(|l| l.machine.as_str()).collect();
    let verb = if names.len() == 1 { "crashes" } else { "crash" };
    let tightest = e.tightest()?;
    let all_up = if tightest.whole_hz > 0.0 && tightest.whole_hz.is_finite() {
        format!(
            "; with all of `{}` up its load would be {}",
            tightest.name,
            times(tightest.asked_hz / tightest.whole_hz)
        )
    } else {
        String::new()
    };
    Some((
        Word::CrashLooping,
        format!(
            "{} {verb} again and again: {} of {}, the last {} ago ({}){all_up}; {}",
            list(&names),
            counted(worst.crashes, "crash", "crashes"),
            worst.machine,
            of_time(e.now_s - worst.last_s[2]),
            worst.cause,
            goodput(e)
        ),
    ))
}

fn balancer_down(e: &Evidence<'_>) -> Option<(Word, String)> {
    let down =
        |s: &&ServiceFacts| (s.is_asked() || s.attempted > 0) && s.standing.instances_up == 0;
    let service = e.services.iter().find(down)?;
    let word = if service.needed_by_all {
        Word::Down
    } else if fails(e) {
        how_bad(e)
    } else {
        return None;
    };
    Some((
        word,
        format!(
            "the balancer of `{}` is down{}: {} of {} up; {}",
            service.name,
            since(e, service.balancer_down_s),
            service.standing.instances_up,
            counted(service.standing.instances as usize, "instance", "instances"),
            goodput(e)
        ),
    ))
}

fn no_server(e: &Evidence<'_>) -> Option<(Word, String)> {
    let empty = |s: &&ServiceFacts| s.is_asked() && s.serving().next().is_none();
    let service = e.services.iter().find(empty)?;
    let word = if service.needed_by_all {
        Word::Down
    } else if fails(e) {
        how_bad(e)
    } else {
        return None;
    };
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
    Some((
        word,
        format!(
            "`{}` has {what}{}: {}; {}",
            service.name,
            since(e, since_s),
            missing(e, service).unwrap_or_else(|| "none was ever there".to_owned()),
            goodput(e)
        ),
    ))
}

/// Why a server does not do what it could, and whether that is so.
type Reason = (&'static str, fn(&ServerFacts) -> bool);

/// Which servers do not do what they could, and why: `s-1 and s-2 of 4 drained since 10m`.
fn missing(e: &Evidence<'_>, service: &ServiceFacts) -> Option<String> {
    let all = service.servers.len();
    let reasons: [Reason; 7] = [
        ("down", |s| s.standing.state == MachineState::Down),
        ("starting", |s| s.standing.state == MachineState::Booting),
        ("removed", |s| {
            s.standing.state == MachineState::Absent && s.since_s.is_some()
        }),
        ("not there", |s| {
            s.standing.state == MachineState::Absent && s.since_s.is_none()
        }),
        ("drained", |s| {
            s.standing.state == MachineState::Up && s.standing.drained
        }),
        ("taken out by health rules", |s| {
            s.standing.state == MachineState::Up
                && !s.standing.drained
                && s.standing.open_at == 0
                && !s.standing.standby
        }),
        ("without a worker that works", |s| {
            s.serves() && s.standing.workers == 0
        }),
    ];
    let found = reasons.iter().filter_map(|(word, is)| {
        let of: Vec<&ServerFacts> = service.servers.iter().filter(|s| is(s)).collect();
        let names: Vec<&str> = of.iter().map(|s| s.name.as_str()).collect();
        let latest = of.iter().filter_map(|s| s.since_s).max_by(f64::total_cmp);
        let of_all = if all > 1 {
            format!(" of {all}")
        } else {
            String::new()
        };
        (!of.is_empty()).then(|| format!("{}{of_all} {word}{}", list(&names), since(e, latest)))
    });
    let found: Vec<String> = found.collect();
    (!found.is_empty()).then(|| found.join(", "))
}

/// What takes from servers that serve: slow, cold, broken, with errors.
fn weakened(e: &Evidence<'_>, service: &ServiceFacts) -> Vec<String> {
    let mut found = Vec::new();
    let names = |is: &dyn Fn(&ServerFacts) -> bool| -> Vec<&str> {
        service
            .serving()
            .filter(|s| is(s))
            .map(|s| s.name.as_str())
            .collect()
    };
    let slow: Vec<&ServerFacts> = service
        .serving()
        .filter(|s| s.standing.slowed_to < 1.0)
        .collect();
    if let Some(first) = slow
        .iter()
        .min_by(|a, b| a.standing.slowed_to.total_cmp(&b.standing.slowed_to))
    {
        let of: Vec<&str> = slow.iter().map(|s| s.name.as_str()).collect();
        found.push(format!(
            "{} at {} of its speed{}",
            list(&of),
            share(first.standing.slowed_to),
            since(e, first.since_s)
        ));
    }
    let cold = names(&|s| s.standing.warmth < 0.999);
    if !cold.is_empty() {
        let least = service
            .serving()
            .map(|s| s.standing.warmth)
            .fold(1.0, f64::min);
        found.push(format!(
            "{} still warming, at {}",
            list(&cold),
            share(least)
        ));
    }
    let broken = names(&|s| s.standing.broken > 0);
    if !broken.is_empty() {
        let workers: u32 = service.serving().map(|s| s.standing.broken).sum();
        found.push(format!(
            "{} broken at {}",
            counted(workers as usize, "worker", "workers"),
            list(&broken)
        ));
    }
    let wrong = names(&|s| s.standing.error_rate > 0.0);
    if !wrong.is_empty() {
        let most = service
            .serving()
            .map(|s| s.standing.error_rate)
            .fold(0.0, f64::max);
        found.push(format!(
            "{} of answers are errors at {}",
            share(most),
            list(&wrong)
        ));
    }
    found
}

fn cut(e: &Evidence<'_>) -> Option<(Word, String)> {
    if e.links.is_empty() || !suffers(e) {
        return None;
    }
    let names: Vec<&str> = e.links.iter().map(|(name, _)| name.as_str()).collect();
    let is_cut = e.links.iter().any(|(_, cut)| *cut);
    let kind = if is_cut {
        Kind::Partition
    } else {
        Kind::Degrade
    };
    // Where servers have more than they can do anyway, the network is not the whole story.
    let lost = [
        Outcome::TimedOut,
        Outcome::ConnectTimedOut,
        Outcome::Unavailable,
    ];
    if fails(e) && !worst(&e.outcomes).is_some_and(|(outcome, _)| lost.contains(&outcome)) {
        return None;
    }
    let when = e
        .links
        .iter()
        .filter_map(|(name, _)| e.told.since(kind, name))
        .max_by(f64::total_cmp);
    Some((
        how_bad(e),
        format!(
            "the link {} is {}{}; {}",
            list(&names),
            if is_cut { "cut" } else { "degraded" },
            since(e, when),
            goodput(e)
        ),
    ))
}

fn warming(e: &Evidence<'_>) -> Option<(Word, String)> {
    let service = e.tightest().filter(|s| s.load() > 1.0)?;
    let cold = service.serving().any(|s| s.standing.warmth < 0.999);
    let limited = !matches!(service.limit, Limit::Workers | Limit::Cores);
    if !suffers(e) || !cold || limited || service.asked_hz > service.warm_hz {
        return None;
    }
    Some((
        Word::Recovering,
        format!(
            "`{}` is warming up: first attempts ask {} of what it can do now, and {} of what it can do warm ({}); {}",
            service.name,
            times(service.load()),
            times(service.asked_hz / service.warm_hz),
            weakened(e, service).join(", "),
            goodput(e)
        ),
    ))
}

fn overloaded(e: &Evidence<'_>) -> Option<(Word, String)> {
    let service = e.tightest().filter(|s| s.load() > 1.0)?;
    let saturated = e.users > 0 && service.busy > BUSY;
    if !suffers(e) && !saturated && service.busy < 0.97 {
        return None;
    }
    // All that can be said of nothing is in the rows before.
    if service.capacity_hz <= 0.0 {
        return None;
    }
    let asked = if e.users > 0 {
        format!(
            "{} users would ask {} of `{}` if they were answered at once",
            readable::number(f64::from(e.users)),
            rate(service.asked_hz),
            service.name
        )
    } else {
        format!(
            "first attempts ask {} of `{}`",
            rate(service.asked_hz),
            service.name
        )
    };
    let limit = limit_words(service);
    let mut why: Vec<String> = missing(e, service).into_iter().collect();
    why.extend(weakened(e, service));
    why.extend(grown_demand(e));
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
    Some((
        Word::Overloaded,
        format!(
            "{asked}, {limit} {} now: a load of {}{why}{extra}; {}",
            rate(service.capacity_hz),
            times(service.load()),
            end_of_overload(e)
        ),
    ))
}

/// What sets the most that a service can do.
fn limit_words(service: &ServiceFacts) -> String {
    match service.limit {
        Limit::Workers => {
            let servers = service.serving().count();
            let verb = if servers == 1 { "does" } else { "do" };
            format!("its {} {verb}", counted(servers, "server", "servers"))
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
            format!("the cores of {}{beside} allow", quoted(machines))
        }
        Limit::ServerConnections => "its limit of connections to servers allows".to_owned(),
        Limit::BalancerConnections => format!(
            "its balancer's limit of {} allows",
            counted(
                service.standing.max_connections.unwrap_or(0) as usize,
                "connection",
                "connections"
            )
        ),
        Limit::BalancerCost => "its balancer does".to_owned(),
    }
}

/// Goodput, or where nothing fails what grows.
fn end_of_overload(e: &Evidence<'_>) -> String {
    if fails(e) || e.arrived == 0 {
        return goodput(e);
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

fn draining(e: &Evidence<'_>) -> Option<(Word, String)> {
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
    let shrinks = e.shrinks() && !e.grows();
    let queue = e.services.iter().find(sinks);
    let [before, _, now] = e.in_flight;
    let mut facts = Vec::new();
    if shrinks {
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
    Some((
        Word::Recovering,
        format!("{}{room}; {}", facts.join(", "), goodput(e)),
    ))
}

/// What becomes of a number that sinks: how long it takes at this pace.
fn sinking(what: &str, before: u64, now: u64, window_s: f64) -> String {
    let per_s = (before - now) as f64 / window_s;
    format!(
        "{} {what} where {} were {} ago, which at this pace takes {} more",
        readable::number(now as f64),
        readable::number(before as f64),
        of_time(window_s),
        of_time(now as f64 / per_s)
    )
}

/// `first attempts ask 0.93 of what `web` can do`, where that can be said.
fn load_words(service: &ServiceFacts, before: &str) -> String {
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

/// The service whose workers are busy though first attempts leave them room, and what with.
fn kept_busy<'e>(e: &'e Evidence<'_>) -> Option<(&'e ServiceFacts, String)> {
    let busy = |s: &&ServiceFacts| {
        s.is_asked()
            && s.busy > BUSY
            && s.load() < 1.0
            && (s.attempts_load() > 1.0 || s.queue_len[1] > e.in_flight[2])
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
            readable::number((service.attempts_hz / service.asked_hz * 100.0).round() / 100.0)
        )
    } else {
        format!(
            "{} wait at its servers, most of whom nobody waits for any more",
            readable::number(service.queue_len[1] as f64)
        )
    };
    Some((service, what))
}

/// The trigger of the present incident that is gone: what it was, and until when it lasted.
fn trigger(e: &Evidence<'_>) -> Option<(String, f64, f64)> {
    let onset_s = e.incident_s?;
    let near = |from_s: f64, until_s: f64| from_s <= onset_s + 1.0 && until_s >= onset_s - EFFECT_S;
    let gone = |d: &Disturbance| {
        let until_s = d.until_s?;
        near(d.from_s, until_s).then(|| (d.what.clone(), d.from_s, until_s))
    };
    let done = e.told.disturbances.iter().filter_map(gone);
    let surge = e.surge.filter(|s| near(s.from_s, s.until_s)).map(|s| {
        (
            format!("{} from outside", rate(s.peak_hz)),
            s.from_s,
            s.until_s,
        )
    });
    done.chain(surge).max_by(|a, b| a.2.total_cmp(&b.2))
}

/// Something that began with the incident and still stands.
fn standing_trigger(e: &Evidence<'_>) -> bool {
    let Some(onset_s) = e.incident_s else {
        return false;
    };
    let near = |d: &&Disturbance| {
        d.until_s.is_none() && d.from_s <= onset_s + 1.0 && d.from_s >= onset_s - EFFECT_S
    };
    e.told.disturbances.iter().any(|d| near(&d))
}

fn metastable(e: &Evidence<'_>) -> Option<(Word, String)> {
    if !e.told_all || e.answered() > RETURNED || standing_trigger(e) {
        return None;
    }
    let (service, what) = kept_busy(e)?;
    let (trigger, from_s, until_s) = trigger(e)?;
    if e.now_s - until_s < SETTLED_S.max(e.window_s) {
        return None;
    }
    Some((
        Word::Metastable,
        format!(
            "the trigger ({trigger} from {} to {}) has been gone for {}{}, yet {what}; {}",
            super::words::moment(e, from_s),
            super::words::moment(e, until_s),
            of_time(e.now_s - until_s),
            load_words(service, ", "),
            goodput(e)
        ),
    ))
}

fn dead_in_rotation(e: &Evidence<'_>) -> Option<(Word, String)> {
    if !fails(e) {
        return None;
    }
    let (service, dead) = e.services.iter().find_map(|service| {
        let dead: Vec<&ServerFacts> = service
            .servers
            .iter()
            .filter(|s| {
                s.standing.state != MachineState::Up && s.standing.open_at > 0 && s.attempts > 0
            })
            .collect();
        (!dead.is_empty()).then_some((service, dead))
    })?;
    let names: Vec<&str> = dead.iter().map(|s| s.name.as_str()).collect();
    let attempts: u64 = service.servers.iter().map(|s| s.attempts).sum();
    let sent: u64 = dead.iter().map(|s| s.attempts).sum();
    let when = dead.iter().filter_map(|s| s.since_s).max_by(f64::total_cmp);
    Some((
        how_bad(e),
        format!(
            "{} of `{}` {} down{}, and {} of the attempts still go there; {}",
            list(&names),
            service.name,
            if dead.len() == 1 { "is" } else { "are" },
            since(e, when),
            share(sent as f64 / attempts.max(1) as f64),
            goodput(e)
        ),
    ))
}

fn errors(e: &Evidence<'_>) -> Option<(Word, String)> {
    if !fails(e) {
        return None;
    }
    // The service that is called fails before the one that calls it.
    let wrong = |s: &&ServiceFacts| {
        s.failed() > 1.0 - NORMAL_FROM
            && s.worst()
                .is_some_and(|(outcome, _)| outcome == Outcome::Errored)
            && s.serving()
                .any(|s| s.standing.error_rate > 0.0 && s.failed > 0)
    };
    let service = e.services.iter().rfind(wrong)?;
    let at: Vec<&ServerFacts> = service
        .serving()
        .filter(|s| s.standing.error_rate > 0.0 && s.failed > 0)
        .collect();
    let names: Vec<&str> = at.iter().map(|s| s.name.as_str()).collect();
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
    Some((
        how_bad(e),
        format!(
            "errors at {}: {} of {whose} answers fail, and {who} {} of the attempts of `{}`{load}; {}",
            list(&names),
            share(failed as f64 / ended.max(1) as f64),
            share(sent as f64 / attempts.max(1) as f64),
            service.name,
            goodput(e)
        ),
    ))
}

fn guarded(e: &Evidence<'_>) -> Option<(Word, String)> {
    if !fails(e) || worst(&e.outcomes).is_none_or(|(outcome, _)| outcome != Outcome::Shed) {
        return None;
    }
    let shed = e.outcomes[Outcome::Shed as usize] as f64 / e.window_s;
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
    for service in e.services.iter().filter(|s| s.is_asked()) {
        for fact in weakened(e, service) {
            load = format!("{load}; {fact}");
        }
    }
    Some((
        how_bad(e),
        format!(
            "guards turn away {}: {reason}{load}; {}",
            rate(shed),
            goodput(e)
        ),
    ))
}

/// The server that is sent most of what it can do, if that is too much while all together could do it:
/// with its part of the attempts, and first attempts as a share of what it can do.
fn hottest<'s>(
    e: &Evidence<'_>,
    service: &'s ServiceFacts,
) -> Option<(&'s ServerFacts, (f64, f64))> {
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

fn hot_server(e: &Evidence<'_>) -> Option<(Word, String)> {
    let (service, (server, (part, load))) = (e.services.iter())
        .filter(|s| s.is_asked() && s.servers.len() > 1)
        .find_map(|s| hottest(e, s).map(|found| (s, found)))?;
    let slow = weakened(e, service);
    let slow = if slow.is_empty() {
        String::new()
    } else {
        format!(" ({})", slow.join(", "))
    };
    Some((
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
    ))
}

fn busy_for_nobody(e: &Evidence<'_>) -> Option<(Word, String)> {
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
    Some((
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

fn holding(e: &Evidence<'_>) -> Option<(Word, String)> {
    if !suffers(e) {
        return None;
    }
    let holds = |s: &&ServiceFacts| {
        s.busy > BUSY && s.load() < 1.0 && s.standing.calls.iter().any(|call| call.hold)
    };
    let service = e.services.iter().find(holds)?;
    let called: Vec<String> = service
        .standing
        .calls
        .iter()
        .filter(|call| call.hold)
        .map(|call| format!("`{}`", e.services[usize::from(call.to.0)].name))
        .collect();
    let names: Vec<&str> = called.iter().map(String::as_str).collect();
    Some((
        how_bad(e),
        format!(
            "the workers of `{}` are {} busy, held by calls to {}{}; {}",
            service.name,
            share(service.busy),
            list(&names),
            load_words(service, "; "),
            goodput(e)
        ),
    ))
}

fn failing(e: &Evidence<'_>) -> Option<(Word, String)> {
    if !fails(e) {
        return None;
    }
    let Some((outcome, count)) = worst(&e.outcomes) else {
        return Some((
            how_bad(e),
            format!(
                "{} wait and none is answered; {}",
                readable::number(e.in_flight[2] as f64),
                goodput(e)
            ),
        ));
    };
    let failures = e.ended - e.succeeded();
    let mut facts = vec![format!(
        "{} of the failures are {} ({})",
        share(count as f64 / failures.max(1) as f64),
        outcome.name().replace('_', " "),
        outcome.about()
    )];
    let asked = e.services.iter().filter(|s| s.is_asked());
    for service in asked {
        if service.standing.instances_up < service.standing.instances {
            facts.push(format!(
                "{} of {} of the balancer of `{}` up",
                service.standing.instances_up,
                counted(service.standing.instances as usize, "instance", "instances"),
                service.name
            ));
        }
        let mut gone: Vec<String> = missing(e, service).into_iter().collect();
        gone.extend(weakened(e, service));
        if !gone.is_empty() {
            facts.push(format!("`{}`: {}", service.name, gone.join(", ")));
        }
    }
    if let Some(s) = e.tightest().filter(|s| s.capacity_hz.is_finite()) {
        facts.push(format!(
            "first attempts ask {} of what `{}` can do and it is {} busy: no overload",
            times(s.load()),
            s.name,
            share(s.busy)
        ));
    }
    Some((how_bad(e), format!("{}; {}", facts.join("; "), goodput(e))))
}

fn backlog(e: &Evidence<'_>) -> Option<(Word, String)> {
    if !e.grows() && !waits(e) {
        return None;
    }
    let longest = e
        .services
        .iter()
        .max_by_key(|s| s.queue_len[1] + s.waiting)?;
    Some((
        Word::Degraded,
        format!(
            "{} in flight, {} of them waiting at `{}`, where {} were {} ago{}; {}",
            readable::number(e.in_flight[2] as f64),
            readable::number((longest.queue_len[1] + longest.waiting) as f64),
            longest.name,
            readable::number(e.in_flight[0] as f64),
            of_time(e.window_s),
            e.tightest().map_or(String::new(), |s| load_words(s, "; ")),
            goodput(e)
        ),
    ))
}

fn objective(e: &Evidence<'_>) -> Option<(Word, String)> {
    let (name, good, wanted) = e.missed.as_ref()?;
    Some((
        Word::Degraded,
        format!(
            "{} is missed: {} good of {} wanted{}; {}",
            name,
            share(*good),
            share(*wanted),
            e.tightest().map_or(String::new(), |s| load_words(s, "; ")),
            goodput(e)
        ),
    ))
}

fn recovering(e: &Evidence<'_>) -> Option<(Word, String)> {
    let from_s = e.incident_s?;
    Some((
        Word::Recovering,
        format!(
            "the incident that began at {} is not over for good: a site is called normal after 2 minutes of 98 %{}; {}",
            super::words::moment(e, from_s),
            e.tightest().map_or(String::new(), |s| load_words(s, "; ")),
            goodput(e)
        ),
    ))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the last row of the table, which always holds"
)]
fn stable(e: &Evidence<'_>) -> Option<(Word, String)> {
    let looping: Vec<&str> = e
        .told
        .loops
        .iter()
        .filter(|l| goes_on(e, l))
        .map(|l| l.machine.as_str())
        .collect();
    let looping = if looping.is_empty() {
        String::new()
    } else {
        format!(
            "; {} crashes again and again, and nobody notices",
            list(&looping)
        )
    };
    Some((
        Word::Stable,
        format!(
            "{}, {} in flight{}{looping}",
            goodput(e),
            readable::number(e.in_flight[2] as f64),
            e.tightest().map_or(String::new(), |s| load_words(s, "; "))
        ),
    ))
}
