//! Rows that speak of the requests themselves: those that fail for no cause above, wait or are well.

use super::clauses::{
    BUSY, NORMAL_FROM, fails, goodput, how_bad, load_words, missing, waits, weakened,
};
use super::disturbance::Disturbance;
use super::evidence::{Evidence, ServiceFacts, worst};
use super::rows::Found;
use super::words::{counted, list, moment, of_time, rate, share, times};
use crate::event_log::Kind;
use crate::ids::Id;
use crate::outcome::Outcome;
use crate::readable;
use crate::time::Duration;
use crate::verdict::Verdict as Word;

/// Goodput of a site that is well for good.
const WELL: f64 = 0.995;

/// Requests that must have ended at a service before most of them failing says anything.
const MANY: u64 = 20;

/// Faults that end within so many seconds of each other end together.
const AT_ONCE_S: f64 = 1.0;

pub(super) fn idle(e: &Evidence<'_>) -> Option<Found> {
    if e.arrived > 0 || e.in_flight[2] > 0 {
        return None;
    }
    let last_s = e.last_arrival_s?;
    // How the site was when the last came is all that is known; of too few for that, how they ended.
    let ended: u64 = e.last_outcomes.iter().sum();
    let succeeded = e.last_outcomes[Outcome::Succeeded as usize];
    let (word, was) = match (e.site, worst(&e.last_outcomes)) {
        (Kind::Down, _) => (Word::Down, "; the site was down then".to_owned()),
        (Kind::Degraded, _) => (Word::Degraded, "; the site was degraded then".to_owned()),
        (_, Some((outcome, _))) if (succeeded as f64) < NORMAL_FROM * ended as f64 => (
            Word::Degraded,
            format!(
                "; {} of the last {} failed ({})",
                readable::number((ended - succeeded) as f64),
                readable::number(ended as f64),
                outcome.name().replace('_', " ")
            ),
        ),
        _ => (Word::Stable, String::new()),
    };
    Some(Found::new(
        word,
        format!(
            "nobody asks: the {} came {} ago, and none is left waiting{was}",
            match e.arrived_ever {
                1 => "only request".to_owned(),
                n => format!("last of {} requests", readable::number(n as f64)),
            },
            of_time(e.now_s - last_s)
        ),
        0,
    ))
}

/// What ended last, and when, if those who met it failed in the time looked at: so long does anybody wait.
fn just_ended(e: &Evidence<'_>) -> Option<(Vec<String>, f64)> {
    let until = |d: &Disturbance<'_>| d.until_s;
    let last_s = (e.told.disturbances.iter().filter_map(until)).max_by(f64::total_cmp)?;
    let waited_s = longest_wait_s(e);
    if last_s + waited_s <= e.now_s - e.window_s {
        return None;
    }
    let together = e.told.disturbances.iter();
    let together = together.filter(|d| until(d).is_some_and(|at_s| at_s >= last_s - AT_ONCE_S));
    Some((together.map(|d| e.told.what(d)).collect(), last_s))
}

pub(super) fn just_over(e: &Evidence<'_>) -> Option<Found> {
    if !fails(e) || e.tightest().is_some_and(|s| s.load() > 1.0) {
        return None;
    }
    let (what, until_s) = just_ended(e)?;
    let failures = failures(e)?;
    let since = e.now_s - until_s;
    let names: Vec<&str> = what.iter().map(String::as_str).collect();
    // Of what was seen since it ended the last is well.
    let returns = since > 0.0 && e.thirds[2].is_some_and(|share| share >= NORMAL_FROM);
    Some(Found::new(
        if returns {
            Word::Recovering
        } else {
            how_bad(e)
        },
        format!(
            "{} until {}, {}; {failures}{}; {}",
            list(&names),
            moment(e, until_s),
            if since > 0.0 {
                format!("{} ago", of_time(since))
            } else {
                "the end itself".to_owned()
            },
            load(e),
            goodput(e)
        ),
        0,
    ))
}

/// What most failures are.
fn failures(e: &Evidence<'_>) -> Option<String> {
    let (outcome, count) = worst(&e.outcomes)?;
    Some(format!(
        "{} of the failures are {} ({})",
        share(count as f64 / e.failures().max(1) as f64),
        outcome.name().replace('_', " "),
        outcome.about()
    ))
}

pub(super) fn failing(e: &Evidence<'_>) -> Option<Found> {
    if !fails(e) {
        return None;
    }
    let Some((failures, (outcome, _))) = failures(e).zip(worst(&e.outcomes)) else {
        return Some(Found::new(
            how_bad(e),
            format!(
                "{}{} in flight for {} or longer, and none is answered{}; {}",
                swallowed(e),
                readable::number(e.in_flight[2] as f64),
                of_time(e.silence_s),
                if e.alone_s > 0.0 && e.alone_s.is_finite() {
                    format!(", where an answer takes {}", of_time(e.alone_s))
                } else {
                    String::new()
                },
                goodput(e)
            ),
            0,
        ));
    };
    let mut facts = vec![failures];
    facts.extend(impatience(e).filter(|_| outcome == Outcome::TimedOut));
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
        let settings = e.settings[service.id.position()];
        let ways = [
            (".link", &settings.link),
            (".balancer.link", &settings.balancer.link),
        ];
        for (way, link) in ways {
            if let Some(loss) = link.loss.filter(|loss| *loss > 0.0) {
                facts.push(format!(
                    "service.{}{way} loses {} of its messages, as it is set",
                    service.name,
                    share(loss)
                ));
            }
        }
    }
    if let Some(s) = e
        .tightest()
        .filter(|s| s.capacity_hz.is_finite() && s.capacity_hz > 0.0)
    {
        // Bursts ask for more than is asked on average.
        let peak = e.peak_hz / e.offered_hz() * s.load();
        let chance = 1.0 + 4.0 / e.peak_hz.max(1.0).sqrt();
        let bursts = s.load() < 1.0 && peak > chance;
        let (but, end) = match (s.busy > BUSY, s.load() > 1.0) {
            _ if bursts => ("on average and", ""),
            (true, true) => ("and", ""),
            (true, false) | (false, true) => ("yet", ""),
            (false, false) => ("and", ": no overload"),
        };
        if bursts {
            facts.push(format!(
                "requests come in bursts: {} in the busiest second, {} what `{}` can do",
                rate(e.peak_hz),
                times(peak),
                s.name
            ));
        }
        facts.push(format!(
            "first attempts ask {} of what `{}` can do {but} it is {} busy{end}",
            times(s.load()),
            s.name,
            share(s.busy)
        ));
    }
    Some(Found::new(
        how_bad(e),
        format!("{}; {}", facts.join("; "), goodput(e)),
        0,
    ))
}

/// A link that was cut, where those who sent over it still wait.
fn swallowed(e: &Evidence<'_>) -> String {
    let before_s = e.now_s - e.silence_s;
    let mut cuts = e.told.disturbances.iter();
    let cut = cuts.rfind(|d| d.is_cut() && d.from_s <= before_s);
    cut.and_then(|d| Some((d, d.until_s?)))
        .map_or(String::new(), |(d, until_s)| {
            format!(
                "{} from {} to {}, and what it swallowed is never answered; ",
                e.told.what(d),
                moment(e, d.from_s),
                moment(e, until_s)
            )
        })
}

/// What is asked of the service that has least to spare. Users who wait ask for less than they would.
fn load(e: &Evidence<'_>) -> String {
    match e.tightest() {
        Some(s)
            if e.users > 0
                && !e.has_open_sources
                && s.is_asked()
                && s.capacity_hz > 0.0
                && s.load() >= 1.0 =>
        {
            format!(
                "; users would ask {} of what `{}` can do if none of them waited",
                times(s.load()),
                s.name
            )
        }
        // What happens at the end itself no request has met.
        Some(s) if s.load() > 1.0 && !e.harm_is_met() => String::new(),
        Some(s) => {
            let load = load_words(s, "; ");
            match missing(e, s) {
                Some(why) if s.load() > 1.0 && !load.is_empty() => format!("{load}, with {why}"),
                _ => load,
            }
        }
        None => String::new(),
    }
}

/// The longest that a caller from outside waits for an answer, in seconds; may be infinite.
fn longest_wait_s(e: &Evidence<'_>) -> f64 {
    let clients = e.model.sources.iter().flat_map(|s| &s.clients);
    let waits = clients.map(|id| {
        let client = &e.model.clients[id.position()];
        let most = [client.timeout, client.deadline].into_iter().flatten();
        most.min().map_or(f64::INFINITY, Duration::as_secs_f64)
    });
    waits.fold(0.0, f64::max)
}

/// Callers who wait for less than an answer takes, where nobody has changed how they behave.
fn impatience(e: &Evidence<'_>) -> Option<String> {
    let mut sets = e.told.sets.iter();
    if sets.any(|set| set.path.ends_with("timeout") || set.path.ends_with("deadline")) {
        return None;
    }
    let longest_s = longest_wait_s(e);
    let told = e.alone_s.is_finite() && longest_s > 0.0 && e.alone_s > longest_s;
    told.then(|| {
        format!(
            "an answer takes {} where nobody waits, and callers wait {}",
            readable::span(Duration::from_secs_f64(e.alone_s)),
            readable::span(Duration::from_secs_f64(longest_s))
        )
    })
}

pub(super) fn backlog(e: &Evidence<'_>) -> Option<Found> {
    if !e.grows() && !waits(e) {
        return None;
    }
    let longest = e
        .services
        .iter()
        .max_by_key(|s| s.queue_len[1] + s.waiting)?;
    Some(Found::new(
        Word::Degraded,
        format!(
            "{} in flight, {} of them waiting at `{}`, where {} were {} ago{}; {}",
            readable::number(e.in_flight[2] as f64),
            readable::number((longest.queue_len[1] + longest.waiting) as f64),
            longest.name,
            readable::number(e.in_flight[0] as f64),
            of_time(e.window_s),
            load(e),
            goodput(e)
        ),
        0,
    ))
}

pub(super) fn objective(e: &Evidence<'_>) -> Option<Found> {
    let (name, good, wanted) = e.missed.as_ref()?;
    // Rounded it is not what is wanted, either.
    let shown = match share(*good) {
        shown if shown == share(*wanted) => format!("{:.3} %", good * 100.0),
        shown => shown,
    };
    Some(Found::new(
        Word::Degraded,
        format!(
            "{} is missed: {} good of {} wanted{}; {}",
            name,
            shown,
            share(*wanted),
            load(e),
            goodput(e)
        ),
        0,
    ))
}

/// Services of which most requests fail while the site does well without them.
pub(super) fn forgone(e: &Evidence<'_>) -> Vec<Found> {
    if fails(e) {
        return Vec::new();
    }
    let lost = |s: &&ServiceFacts| {
        let ended: u64 = s.outcomes.iter().sum();
        s.is_asked() && ended >= MANY && s.outcomes[Outcome::Succeeded as usize] * 2 < ended
    };
    let words = |s: &ServiceFacts| {
        let ended: u64 = s.outcomes.iter().sum();
        let failed = 1.0 - s.outcomes[Outcome::Succeeded as usize] as f64 / ended as f64;
        let (worst, _) = worst(&s.outcomes)?;
        Some(Found {
            word: None,
            because: String::new(),
            lost: 0,
            aside: format!(
                "{} of the requests to `{}` fail, most are {}",
                share(failed),
                s.name,
                worst.name().replace('_', " ")
            ),
            about: Some(s.id),
            by_itself: false,
        })
    };
    e.services.iter().filter(lost).filter_map(words).collect()
}

pub(super) fn recovering(e: &Evidence<'_>) -> Option<Found> {
    let from_s = e.incident_s?;
    // What goes on failing at a low rate is no recovery, however long it is watched.
    let third = |share: &Option<f64>| share.is_some_and(|share| share < WELL);
    if let Some(failures) = failures(e)
        && e.thirds.iter().all(third)
    {
        return Some(Found::new(
            Word::Degraded,
            format!(
                "the incident that began at {} goes on: {} of {} fail, and {failures}{}; {}",
                moment(e, from_s),
                readable::number(e.failures() as f64),
                readable::number(e.ended as f64),
                load(e),
                goodput(e)
            ),
            0,
        ));
    }
    Some(Found::new(
        Word::Recovering,
        format!(
            "the incident that began at {} is not over for good: a site is called normal after 2 minutes of 98 %{}; {}",
            moment(e, from_s),
            load(e),
            goodput(e)
        ),
        0,
    ))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the last row of the table, which always holds"
)]
pub(super) fn stable(e: &Evidence<'_>) -> Option<Found> {
    Some(Found::new(
        Word::Stable,
        format!(
            "{}, {} in flight{}",
            goodput(e),
            readable::number(e.in_flight[2] as f64),
            load(e)
        ),
        0,
    ))
}
