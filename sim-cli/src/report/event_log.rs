//! The event log: what happened when, in two columns, folded until it can be read in one look.

use super::Report;
use crate::table::Table;
use crate::terminal::{BOLD, CYAN, RED};
use anstyle::Style;
use sim_core::event_log::{Actor, Event, Headline, Kind, Look, Subject};
use sim_core::readable;
use std::collections::BTreeSet;
use std::io::{self, Write};

/// Lines beyond which the event log is folded.
const LINES_MAX: usize = 20;

/// A line of the event log.
enum Line<'a> {
    /// One event.
    One(&'a Event),
    /// One act of people on many at once.
    Act(&'a [&'a Event]),
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
            Line::Act(events) => table.row(row(&together(events), report)),
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
    let (mut what, why) = event.words();
    if is_outage(event) {
        what = what.to_uppercase();
    }
    [
        at,
        event.by.name().to_owned(),
        format!("{} {what}", event.kind.def().sign),
        why.to_owned(),
    ]
}

/// Events on one line of their own at most, of one act of people on many at once.
const ACT_MAX: usize = 12;

/// Many events of one act as one, which names some and counts the rest.
fn together(events: &[&Event]) -> Event {
    let names: Vec<&str> = events.iter().take(3).map(|e| e.subject.as_str()).collect();
    Event {
        subject: format!(
            "{} and {} more",
            names.join(", "),
            events.len() - names.len()
        ),
        ..(*events[0]).clone()
    }
}

/// How many events from the first on are one act of people, if they are too many for a line each.
fn act(events: &[&Event]) -> usize {
    let Some(first) = events.first().filter(|e| e.by == Actor::People) else {
        return 1;
    };
    let same = |e: &&&Event| {
        (e.at, e.kind, e.by) == (first.at, first.kind, first.by) && e.cause == first.cause
    };
    match events.iter().take_while(same).count() {
        many if many > ACT_MAX => many,
        _ => 1,
    }
}

/// Whether events were left out.
pub(crate) fn is_folded(report: &Report<'_>) -> bool {
    !report.whole_event_log && report.simulation.recorder().event_log().len() > LINES_MAX
}

/// The lines: alerts and what people do always keep a line of their own. Of the rest as many as fit do,
/// the weightier ones first and, among equals, the earliest and the latest: causes are at the beginning,
/// the outcome is at the end. So only floods that the system brings forth are folded.
fn fold<'a>(events: &'a [&'a Event]) -> Vec<Line<'a>> {
    let weights = weights(events);
    let site_states = events
        .iter()
        .filter(|e| e.kind.site_state().is_some())
        .count();
    let mut kept: Vec<bool> = (events.iter())
        .map(|event| is_never_folded(event, site_states))
        .collect();
    let most = weights.iter().copied().max().unwrap_or(0);
    // What is never folded leaves room for the rest.
    let limit = LINES_MAX.max(lines(events, &kept).len() + LINES_MAX / 2);
    for weight in (0..=most).rev() {
        let mut equals: Vec<usize> = (0..events.len())
            .filter(|i| weights[*i] == weight && !kept[*i])
            .collect();
        let count = equals.len();
        let mut ranks: Vec<usize> = (0..count).collect();
        ranks.sort_by_key(|rank| (*rank).min(2 * (count - 1 - rank)));
        equals = ranks.into_iter().map(|rank| equals[rank]).collect();
        for event in equals {
            kept[event] = true;
            if lines(events, &kept).len() > limit {
                kept[event] = false;
                return lines(events, &kept);
            }
        }
    }
    lines(events, &kept)
}

/// Changes of the site's state that are no flood.
const SITE_STATES: usize = 10;

/// Alerts and the people's column: what somebody on call saw, and what they did; and what became of the
/// site.
fn is_never_folded(event: &Event, site_states: usize) -> bool {
    event.by == Actor::People
        || event.kind.def().subject == Subject::Alert
        || (event.kind.site_state().is_some() && site_states <= SITE_STATES)
}

/// The weight of what people do, above what happens again and again.
const PEOPLE: u8 = 4;
/// The weight of what tells the whole run in short.
const HEADLINE: u8 = 5;

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
    let of = |(i, event): (usize, &&Event)| {
        let def = event.kind.def();
        let headline = match def.headline {
            Headline::Never => false,
            Headline::First => firsts[i],
            Headline::FirstAndLast => firsts[i] || lasts[i],
        };
        match event.by {
            Actor::People => PEOPLE,
            _ if headline => HEADLINE,
            Actor::System | Actor::Autoscaler => def.weight,
        }
    };
    events.iter().enumerate().map(of).collect()
}

/// One line for each event that is kept, one for all between two of them.
fn lines<'a>(events: &'a [&'a Event], kept: &[bool]) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    let (mut start, mut i) = (0, 0);
    while let Some(event) = events.get(i) {
        let many = act(&events[i..]);
        if kept[i] {
            lines.extend(between(&events[start..i]));
            lines.push(if many > 1 {
                Line::Act(&events[i..i + many])
            } else {
                Line::One(event)
            });
            start = i + many;
        }
        i += many;
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

/// Whether the whole site fails.
fn is_outage(event: &Event) -> bool {
    event.kind.site_state().is_some() && event.kind.def().look == Look::Failure
}

fn style(line: &Line<'_>) -> Style {
    match line {
        Line::One(event) if is_outage(event) => RED,
        Line::One(event) if event.by == Actor::People => CYAN,
        Line::Act(_) => CYAN,
        Line::One(event) if event.kind.def().headline != Headline::Never => BOLD,
        _ => Style::new(),
    }
}
