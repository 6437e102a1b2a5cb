//! What contributed: sentences with their numbers and times, each read off the time line, the event log
//! or the summary. A factor says what was measured; whether it was the cause is for the reader.

use super::windows::{Window, windows};
use super::words::span_s;
use super::{Future, limits, shares};
use crate::event_log::{Actor, Event, Kind};
use crate::metric::Scope;
use crate::readable::{counted, number, share};
use crate::time::Instant;

/// Windows in which shares and amplification are looked at, about; and their least width in seconds.
const WINDOWS: (usize, u64) = (600, 10);
/// Requests that a window must have to say anything of it.
pub(super) const FEWEST: u64 = 50;
/// Share of failed requests below which a run without incident and crash has nothing to explain.
const HARMLESS: f64 = 0.01;
/// So many crashes, and faults, are told one by one.
const CRASHES: usize = 5;
const FAULTS: usize = 5;
/// Least wasted share of the work that is told.
const WASTED: f64 = 0.01;
/// So many times the attempts per request of before are a rise.
const RISE: f64 = 1.2;

/// Something that contributed.
pub(super) struct Factor {
    /// What kind of thing it is.
    pub title: &'static str,
    /// When it first showed; absent where it is a figure of the whole run.
    pub at: Option<Instant>,
    /// The evidence, in a sentence.
    pub says: String,
}

impl Factor {
    pub(super) fn new(title: &'static str, at: Option<Instant>, says: String) -> Self {
        Self { title, at, says }
    }
}

/// All that is found, in order of time; nothing where nothing went wrong.
pub(super) fn factors(run: &Future<'_>) -> Vec<Factor> {
    if is_harmless(run) {
        return Vec::new();
    }
    let windows = windows(run.simulation, WINDOWS.0, WINDOWS.1);
    let mut found = shares::diverged(run, &windows);
    found.extend(overload(run));
    found.extend(limits::queues(run));
    found.extend(limits::connections(run));
    found.extend(limits::turned_away(run));
    found.extend(limits::guards(run));
    found.extend(amplification(run, &windows));
    found.extend(changes(run));
    found.extend(crashes(run));
    found.extend(faults(run));
    found.extend(fewest_up(run));
    found.extend(wasted(run));
    // What is of the whole run comes last.
    found.sort_by_key(|factor| factor.at.map_or(u64::MAX, |at| at.0));
    found
}

/// Whether there is nothing to explain: no incident, no crash, next to no failure.
pub(super) fn is_harmless(run: &Future<'_>) -> bool {
    let summary = run.summary;
    let failed = 1.0 - summary.availability.unwrap_or(1.0);
    summary.incidents.is_empty() && summary.first_crash_s.is_none() && failed < HARMLESS
}

fn overload(run: &Future<'_>) -> Vec<Factor> {
    let services = run.summary.services.0.iter();
    let of = |(name, service): &(String, crate::summary::ServiceFigures)| {
        let load = service.offered_load.filter(|load| *load >= 1.0)?;
        let says = format!(
            "Over the whole run, requests asked `{name}` for {load:.2} times what its servers can do."
        );
        Some(Factor::new("More was asked than can be done", None, says))
    };
    services.filter_map(of).collect()
}

/// When the first incident or crash was, in seconds.
fn calm_until_s(run: &Future<'_>) -> Option<f64> {
    let first_s = run.summary.incidents.first().map(|i| i.start_s);
    match (first_s, run.summary.first_crash_s) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// What happened, with the reason where its words do not hold it.
fn told(event: &Event) -> String {
    let (what, why) = event.words();
    if why.is_empty() {
        what
    } else {
        format!("{what} ({why})")
    }
}

/// What was changed before anything went wrong: the last such changes.
fn changes(run: &Future<'_>) -> Vec<Factor> {
    const KINDS: [Kind; 4] = [Kind::Set, Kind::Deploy, Kind::Drain, Kind::Removed];
    let Some(until_s) = calm_until_s(run) else {
        return Vec::new();
    };
    let log = run.simulation.recorder().event_log();
    let before = log.filter(|e| KINDS.contains(&e.kind) && e.at.as_secs_f64() <= until_s);
    let all: Vec<&Event> = before.filter(|e| e.by != Actor::Autoscaler).collect();
    let one = |event: &&Event| {
        let what = told(event);
        let before_s = until_s - event.at.as_secs_f64();
        let says = if before_s > 0.0 {
            format!(
                "At {}, {} before anything went wrong: {what}.",
                run.at(event.at),
                span_s(before_s)
            )
        } else {
            format!("At {}, when it began: {what}.", run.at(event.at))
        };
        Factor::new("Change", Some(event.at), says)
    };
    all.iter().rev().take(FAULTS).map(one).collect()
}

/// The window with most attempts per request, where that is a rise upon what was before anything failed.
fn amplification(run: &Future<'_>, windows: &[Window]) -> Option<Factor> {
    let history = run.simulation.recorder().history();
    let calm_until = calm_until_s(run)?;
    let of = |window: &Window| {
        let total = history.total(Scope::Site, window.intervals.clone());
        let counts = total.window();
        (counts.attempts, counts.arrived)
    };
    let calm: Vec<(u64, u64)> = windows
        .iter()
        .take_while(|w| w.until.as_secs_f64() <= calm_until)
        .map(of)
        .collect();
    let sum = |part: fn(&(u64, u64)) -> u64| calm.iter().map(part).sum::<u64>();
    let (attempts, arrived) = (sum(|c| c.0), sum(|c| c.1));
    let ratio = |attempts: u64, arrived: u64| attempts as f64 / arrived as f64;
    let later = || {
        let begun = |w: &&Window| w.until.as_secs_f64() > calm_until;
        windows.iter().filter(begun)
    };
    let (worst, (most, of_so_many)) = later()
        .map(|window| (window, of(window)))
        .filter(|(_, (_, arrived))| *arrived >= FEWEST)
        .max_by(|(_, a), (_, b)| ratio(a.0, a.1).total_cmp(&ratio(b.0, b.1)))?;
    if arrived < FEWEST || ratio(most, of_so_many) < RISE * ratio(attempts, arrived) {
        return None;
    }
    let risen = |window: &&Window| {
        let (most, of_so_many) = of(window);
        of_so_many >= FEWEST && ratio(most, of_so_many) >= RISE * ratio(attempts, arrived)
    };
    let first = later().find(risen).unwrap_or(worst);
    let says = format!(
        "Callers made {:.2} attempts per request until {}, a fifth more or beyond that from {} on, and {:.2} at most: {} for the {} requests that came in the {} from {}.",
        ratio(attempts, arrived),
        run.at_s(calm_until),
        run.at_s(first.from.as_secs_f64().max(calm_until)),
        ratio(most, of_so_many),
        number(most as f64),
        number(of_so_many as f64),
        span_s(worst.until.since(worst.from).as_secs_f64()),
        run.at(worst.from)
    );
    Some(Factor::new(
        "Amplification by callers",
        Some(first.from),
        says,
    ))
}

fn crashes(run: &Future<'_>) -> Vec<Factor> {
    let log = run.simulation.recorder().event_log();
    let all: Vec<&Event> = log.filter(|e| e.kind == Kind::Crash).collect();
    let one = |event: &&Event| {
        let says = format!(
            "`{}` crashed at {}: {}.",
            event.subject,
            run.at(event.at),
            event.cause
        );
        Factor::new("Crash", Some(event.at), says)
    };
    let mut found: Vec<Factor> = all.iter().take(CRASHES).map(one).collect();
    if let (Some(first), Some(last)) = (all.get(CRASHES), all.last()) {
        let says = format!(
            "{} followed in the same run, from {} to {}.",
            counted(all.len() - CRASHES, "further failure"),
            run.at(first.at),
            run.at(last.at)
        );
        found.push(Factor::new("Crash", Some(first.at), says));
    }
    found
}

/// What befell servers and links from outside.
fn faults(run: &Future<'_>) -> Vec<Factor> {
    const KINDS: [Kind; 4] = [Kind::Slow, Kind::Partition, Kind::Degrade, Kind::Fault];
    let log = run.simulation.recorder().event_log();
    let all: Vec<&Event> = log.filter(|e| KINDS.contains(&e.kind)).collect();
    let one = |event: &&Event| {
        let says = format!("At {}, {}.", run.at(event.at), told(event));
        Factor::new("Fault", Some(event.at), says)
    };
    let mut found: Vec<Factor> = all.iter().take(FAULTS).map(one).collect();
    if let (Some(first), Some(last)) = (all.get(FAULTS), all.last()) {
        let says = format!(
            "{} followed from {} to {}.",
            counted(all.len() - FAULTS, "more fault"),
            run.at(first.at),
            run.at(last.at)
        );
        found.push(Factor::new("Fault", Some(first.at), says));
    }
    found
}

/// Services that had fewer servers up than at the start; one whose size follows the load is left out.
fn fewest_up(run: &Future<'_>) -> Vec<Factor> {
    let history = run.simulation.recorder().history();
    let services = run.simulation.model().services.iter().enumerate();
    let of = |(position, service): (usize, &crate::model::Service)| {
        if service.autoscaler.is_some() || history.is_empty() {
            return None;
        }
        let up = |interval: usize| history.service(interval, position).up;
        let whole = up(0);
        let lowest = (0..history.len()).min_by_key(|i| up(*i))?;
        let first = (0..history.len()).find(|i| up(*i) < whole)?;
        let short_ns: u64 = (0..history.len())
            .filter(|i| up(*i) < whole)
            .map(|i| history.width_ns(i))
            .sum();
        let says = format!(
            "`{}` had {} of {} up at fewest (first at {}), and fewer than at the start for {} in all, from {} on.",
            service.name,
            number(f64::from(up(lowest))),
            counted(whole as usize, "server"),
            run.at(Instant(history.end_ns(lowest))),
            span_s(short_ns as f64 / 1e9),
            run.at(Instant(history.end_ns(first))),
        );
        Some(Factor::new(
            "Servers that were not up",
            Some(Instant(history.end_ns(first))),
            says,
        ))
    };
    services.filter_map(of).collect()
}

fn wasted(run: &Future<'_>) -> Vec<Factor> {
    let services = run.summary.services.0.iter();
    let of = |(name, service): &(String, crate::summary::ServiceFigures)| {
        let wasted = service.wasted_work.filter(|wasted| *wasted >= WASTED)?;
        let says = format!(
            "{} of the work that servers of `{name}` finished was for nobody: whoever had asked no longer waited.",
            share(wasted)
        );
        Some(Factor::new("Work for nobody", None, says))
    };
    services.filter_map(of).collect()
}
