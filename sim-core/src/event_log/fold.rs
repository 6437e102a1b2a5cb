//! The event log folded until it can be read in one look.
//!
//! Alerts and what people do keep a line each; floods that the system brings forth become one line that
//! counts them.

use super::{Actor, Event, Headline, Kind, Subject};
use std::collections::BTreeSet;

/// A line of the event log.
pub enum Line<'a> {
    /// One event.
    One(&'a Event),
    /// One act of people on many at once.
    Act(&'a [&'a Event]),
    /// Events between two that have a line of their own.
    Folded(&'a [&'a Event]),
}

/// Events on one line of their own at most, of one act of people on many at once.
const ACT_MAX: usize = 12;

/// Many events of one act as one, which names some and counts the rest.
pub fn together(events: &[&Event]) -> Event {
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

/// The lines: alerts and what people do always keep a line of their own. Of the rest as many as fit do,
/// the weightier ones first and, among equals, the earliest and the latest: causes are at the beginning,
/// the outcome is at the end. So only floods that the system brings forth are folded.
pub fn fold<'a>(events: &'a [&'a Event], lines_max: usize) -> Vec<Line<'a>> {
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
    let limit = lines_max.max(lines(events, &kept).len() + lines_max / 2);
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
        || (event.kind.def().subject == Subject::Alert && event.kind != Kind::Pending)
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
pub fn counted(events: &[&Event]) -> String {
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
