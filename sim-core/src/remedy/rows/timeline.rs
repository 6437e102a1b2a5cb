//! What people do, sooner or more carefully.

use super::{Proposal, Row, Sets, Subject, set};
use crate::readable;
use crate::time::{Clock, Duration, Instant, SECOND};

pub(in crate::remedy) static RESPONSE: Row = Row {
    name: "response",
    about: "Brings forward what people do in the time line, each act alone and all together: alerted earlier, or quicker to find the cause.",
    source: "Beyer et al., Site Reliability Engineering, 2016, chapter 14, Managing Incidents",
    proposes: response,
};

/// So much earlier, in minutes.
const EARLIER: [u64; 3] = [10, 20, 30];

fn response(subject: &Subject<'_>) -> Vec<Proposal> {
    let acts: Vec<(&str, Instant)> = subject
        .entries()
        .into_iter()
        .filter_map(|entry| act(subject, entry))
        .collect();
    let mut found = Vec::new();
    let last = acts
        .iter()
        .map(|(_, at)| *at)
        .max()
        .unwrap_or(Instant::ZERO);
    for earlier in steps(last) {
        let mut all: Sets = Vec::new();
        for (entry, at) in &acts {
            let Some(moment) = at.0.checked_sub(earlier.0) else {
                continue;
            };
            let sets = set(
                format!("timeline.{entry}.at"),
                written(Instant(moment), subject.model.clock),
            );
            all.extend(sets.iter().cloned());
            found.push((format!("{entry} {} earlier", readable::span(earlier)), sets));
        }
        found.push((
            format!("all that people do {} earlier", readable::span(earlier)),
            all,
        ));
    }
    found
}

/// By how much acts are brought forward: by tens of minutes, or parts of the time that there is in short runs.
fn steps(last: Instant) -> Vec<Duration> {
    let minutes = EARLIER.map(|minutes| Duration(minutes * 60 * SECOND));
    if last.0 >= minutes[2].0 {
        return minutes.to_vec();
    }
    [4, 2]
        .map(|part| Duration(last.0 / part / SECOND * SECOND))
        .to_vec()
}

/// The moment of an entry at which people do something.
fn act<'s>(subject: &Subject<'_>, entry: &'s str) -> Option<(&'s str, Instant)> {
    let path = |key: &str| format!("timeline.{entry}.{key}");
    let by = subject.value(&path("by")).unwrap_or("people");
    let deed = subject.value(&path("do"));
    // A release, a crash or a fault is what people answer to, and no answer.
    let answers = matches!(
        deed,
        Some("restart" | "drain" | "undrain" | "add" | "remove" | "flush" | "heal")
    );
    // What neither does anything nor is a fault sets values.
    let sets = deed.is_none() && !subject.has(&path("fault"));
    if by != "people" || !(answers || sets) {
        return None;
    }
    let text = subject.value(&path("at"))?;
    let at = match subject.model.clock {
        Some(clock) if text.contains(':') => clock.instant(Clock::parse_time_of_day(text).ok()?),
        _ => Instant(Duration::parse(text).ok()?.0),
    };
    Some((entry, at))
}

/// A moment as a scenario writes it.
fn written(at: Instant, clock: Option<Clock>) -> String {
    let label = readable::moment(at, clock);
    // The day after, and parts of seconds, are no time of day.
    if label.contains('+') || !at.0.is_multiple_of(SECOND) || clock.is_none() {
        Duration(at.0).to_string()
    } else {
        label
    }
}

pub(in crate::remedy) static CANARY: Row = Row {
    name: "canary",
    about: "Puts a release on one server first, watches it, and takes it back if it fails; or rolls it out one after the other.",
    source: "Beyer et al., The Site Reliability Workbook, 2018, chapter 16, Canarying Releases",
    proposes: canary,
};

fn canary(subject: &Subject<'_>) -> Vec<Proposal> {
    let mut found = Vec::new();
    for entry in subject.entries() {
        let path = |key: &str| format!("timeline.{entry}.{key}");
        if subject.value(&path("do")) != Some("deploy") {
            continue;
        }
        if !subject.has(&path("canary")) {
            for watch in ["30s", "2m", "10m"] {
                let value = format!("{{ servers = 1, watch = \"{watch}\" }}");
                found.push((
                    format!("{entry}: a canary watched for {watch}"),
                    set(path("canary"), value),
                ));
            }
        }
        found.push((
            format!("{entry}: one server after the other"),
            set(path("max_unavailable"), "1"),
        ));
    }
    found
}
