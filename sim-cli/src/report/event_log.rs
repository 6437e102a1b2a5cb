//! The event log: what happened when, in two columns, folded until it can be read in one look.

use super::Report;
use crate::table::Table;
use crate::terminal::{BOLD, CYAN, RED};
use anstyle::Style;
use sim_core::event_log::{Event, Kind};
use sim_core::model::Actor;
use sim_core::readable;
use std::collections::BTreeSet;
use std::io::{self, Write};

/// Lines beyond which the event log is folded.
const LINES_MAX: usize = 20;

/// A line of the event log.
enum Line<'a> {
    /// One event.
    One(&'a Event),
    /// Events between two that have a line of their own.
    Folded(&'a [&'a Event]),
}

/// Writes the event log.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let events: Vec<&Event> = report.simulation.recorder().event_log().collect();
    if events.is_empty() {
        return writeln!(out);
    }
    let lines = if report.whole_event_log {
        events.iter().map(|e| Line::One(e)).collect()
    } else {
        fold(&events)
    };
    let mut table = Table::default();
    for line in &lines {
        match line {
            Line::One(event) => table.row(row(event, report)),
            Line::Folded(events) => table.row([
                String::new(),
                String::new(),
                format!("… {}", counted(events)),
            ]),
        }
    }
    writeln!(out)?;
    for (text, line) in table.text(2).lines().zip(&lines) {
        let style = style(line);
        writeln!(out, "{style}{text}{style:#}")?;
    }
    writeln!(out)
}

fn row(event: &Event, report: &Report<'_>) -> [String; 4] {
    let at = readable::moment(event.at, report.simulation.model().clock);
    let (what, why) = if event.kind == Kind::Note {
        (event.cause.clone(), String::new())
    } else {
        (what(event), event.cause.clone())
    };
    [
        at,
        by(event).to_owned(),
        format!("{} {what}", sign(event.kind)),
        why,
    ]
}

/// Whether events were left out.
pub(crate) fn is_folded(report: &Report<'_>) -> bool {
    !report.whole_event_log && report.simulation.recorder().event_log().len() > LINES_MAX
}

/// The lines: as many events as fit keep a line of their own, the weightier ones first and, among
/// equals, the earliest and the latest: causes are at the beginning, the outcome is at the end.
fn fold<'a>(events: &'a [&'a Event]) -> Vec<Line<'a>> {
    let weights = weights(events);
    let mut kept = vec![false; events.len()];
    for weight in (0..=MOST).rev() {
        let mut equals: Vec<usize> = (0..events.len())
            .filter(|i| weights[*i] == weight)
            .collect();
        let count = equals.len();
        let mut ranks: Vec<usize> = (0..count).collect();
        ranks.sort_by_key(|rank| (*rank).min(2 * (count - 1 - rank)));
        equals = ranks.into_iter().map(|rank| equals[rank]).collect();
        for event in equals {
            kept[event] = true;
            if lines(events, &kept).len() > LINES_MAX {
                kept[event] = false;
                return lines(events, &kept);
            }
        }
    }
    lines(events, &kept)
}

/// The highest weight of an event.
const MOST: u8 = 5;

/// How much each event matters to the event log.
fn weights(events: &[&Event]) -> Vec<u8> {
    let mut seen = BTreeSet::new();
    let firsts: Vec<bool> = events
        .iter()
        .map(|e| seen.insert((e.kind, e.subject.as_str())))
        .collect();
    let mut seen = BTreeSet::new();
    let mut lasts: Vec<bool> = events.iter().rev().map(|e| seen.insert(e.kind)).collect();
    lasts.reverse();
    let of = |(i, event): (usize, &&Event)| match event.kind {
        _ if event.by == Actor::People => 4,
        Kind::Down | Kind::Normal | Kind::Degraded if firsts[i] || lasts[i] => MOST,
        Kind::Alert | Kind::Crash if firsts[i] => MOST,
        Kind::Takeover
        | Kind::Slow
        | Kind::Partition
        | Kind::Degrade
        | Kind::Heal
        | Kind::Set
        | Kind::Note
        | Kind::Added
        | Kind::Removed
        | Kind::Drain
        | Kind::Undrain => 3,
        Kind::Down | Kind::Normal | Kind::Degraded | Kind::Alert | Kind::Crash => 2,
        Kind::Up | Kind::Resolved => 1,
        Kind::Restart | Kind::Warm | Kind::Ejected | Kind::Readmitted => 0,
    };
    events.iter().enumerate().map(of).collect()
}

/// One line for each event that is kept, one for all between two of them.
fn lines<'a>(events: &'a [&'a Event], kept: &[bool]) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    let mut start = 0;
    for (i, event) in events.iter().enumerate() {
        if kept[i] {
            lines.extend(between(&events[start..i]));
            lines.push(Line::One(event));
            start = i + 1;
        }
    }
    lines.extend(between(&events[start..]));
    lines
}

/// The line for the events between two others; a single one needs no more room than its number.
fn between<'a>(events: &'a [&'a Event]) -> Option<Line<'a>> {
    match events {
        [] => None,
        [event] => Some(Line::One(event)),
        _ => Some(Line::Folded(events)),
    }
}

/// How many events of each kind.
fn counted(events: &[&Event]) -> String {
    let mut counts: Vec<(Kind, usize)> = Vec::new();
    for event in events {
        match counts.iter_mut().find(|(kind, _)| *kind == event.kind) {
            Some((_, count)) => *count += 1,
            None => counts.push((event.kind, 1)),
        }
    }
    let parts: Vec<String> = counts
        .iter()
        .map(|(kind, count)| format!("{} × {count}", kind.name()))
        .collect();
    parts.join(", ")
}

fn by(event: &Event) -> &'static str {
    match event.by {
        Actor::System => "system",
        Actor::People => "people",
    }
}

/// A sign that says at a glance whether things get worse or better.
fn sign(kind: Kind) -> char {
    match kind {
        Kind::Down | Kind::Crash => '✖',
        Kind::Alert | Kind::Degraded | Kind::Ejected | Kind::Partition | Kind::Degrade => '▲',
        Kind::Normal
        | Kind::Up
        | Kind::Warm
        | Kind::Resolved
        | Kind::Readmitted
        | Kind::Takeover
        | Kind::Heal => '●',
        Kind::Restart => '◌',
        Kind::Drain
        | Kind::Undrain
        | Kind::Added
        | Kind::Removed
        | Kind::Slow
        | Kind::Set
        | Kind::Note => '→',
    }
}

/// What happened, in the fewest words.
fn what(event: &Event) -> String {
    let subject = &event.subject;
    match event.kind {
        Kind::Alert => format!("alert {subject} fires"),
        Kind::Resolved => format!("alert {subject} resolved"),
        Kind::Crash => format!("{subject} crashes"),
        Kind::Restart => format!("{subject} restarts"),
        Kind::Up => format!("{subject} is up"),
        Kind::Warm => format!("{subject} is warm"),
        Kind::Ejected => format!("{subject} taken out"),
        Kind::Readmitted => format!("{subject} taken back"),
        Kind::Takeover => format!("{subject} takes over"),
        Kind::Drain => format!("{subject} drained"),
        Kind::Undrain => format!("{subject} back in rotation"),
        Kind::Added => format!("{subject} added"),
        Kind::Removed => format!("{subject} removed"),
        Kind::Slow => format!("{subject} changes speed"),
        Kind::Partition => format!("{subject} is cut"),
        Kind::Degrade => format!("{subject} gets worse"),
        Kind::Heal => format!("{subject} is mended"),
        Kind::Set => format!("set {subject}"),
        Kind::Note => subject.clone(),
        Kind::Down => "SITE DOWN".to_owned(),
        Kind::Degraded => "site degraded".to_owned(),
        Kind::Normal => "site normal".to_owned(),
    }
}

fn style(line: &Line<'_>) -> Style {
    match line {
        Line::One(event) if event.kind == Kind::Down => RED,
        Line::One(event) if event.by == Actor::People => CYAN,
        Line::One(event)
            if matches!(
                event.kind,
                Kind::Crash | Kind::Alert | Kind::Degraded | Kind::Normal
            ) =>
        {
            BOLD
        }
        _ => Style::new(),
    }
}
