//! The story: events in two lanes, numbered, and the spells in which the site was not normal.

use super::Future;
use crate::event_log::fold::{Line, counted, fold, together};
use crate::event_log::{Actor, Event, Look};
use crate::summary::{Spell, spells};
use crate::time::Instant;

/// Lines of the story beyond which floods are folded.
const LINES: usize = 36;
/// Numbered events at most: alerts that come and go all day would be nothing but numbers.
const NUMBERS: usize = 120;

/// A line of the story.
pub(super) struct Row {
    /// Its number; absent for several events that are only counted.
    pub number: Option<usize>,
    /// When it happened, or began.
    pub at: Instant,
    /// Who did it.
    pub by: Actor,
    /// A sign that says whether things get worse or better.
    pub sign: char,
    /// Its shape and colour.
    pub look: Look,
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

/// All of it.
pub(super) struct Story {
    /// In order of time.
    pub rows: Vec<Row>,
    /// Lines that were left out at the end.
    pub left_out: usize,
    /// In order of time.
    pub spells: Vec<Spell>,
}

impl Story {
    pub(super) fn of(run: &Future<'_>) -> Self {
        let log: Vec<&Event> = run.simulation.recorder().event_log().collect();
        let lines = fold(&log, LINES);
        let mut rows: Vec<Row> = Vec::new();
        let mut number = 0;
        for line in lines.iter().take(NUMBERS) {
            rows.push(match line {
                Line::One(event) => single(event, &mut number),
                Line::Act(events) => single(&together(events), &mut number),
                Line::Folded(events) => Row {
                    number: None,
                    at: events.first().map_or(Instant::ZERO, |event| event.at),
                    by: Actor::System,
                    sign: '…',
                    look: Look::Change,
                    what: counted(events),
                    why: String::new(),
                },
            });
        }
        Self {
            rows,
            left_out: lines.len().saturating_sub(NUMBERS),
            spells: spells(run.simulation),
        }
    }

    /// Those with a number.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (usize, &Row)> {
        self.rows.iter().filter_map(|row| Some((row.number?, row)))
    }
}

fn single(event: &Event, number: &mut usize) -> Row {
    *number += 1;
    let (what, why) = event.words();
    let def = event.kind.def();
    Row {
        number: Some(*number),
        at: event.at,
        by: event.by,
        sign: def.sign,
        look: def.look,
        what,
        why: why.to_owned(),
    }
}
