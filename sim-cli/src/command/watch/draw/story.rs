//! The event log so far: signs over time, and the latest events in words.

use super::axis::Axis;
use super::look::wrapped;
use super::plan::Plan;
use super::{PEOPLE, Scene, WEAK, put, width};
use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::Style;
use sim_core::event_log::{Actor, Event};
use sim_core::readable;
use sim_core::text::shown;
use sim_playback::event_words;

/// Lines from which an event may take several.
const TALL: u16 = 20;

/// Two lines: what the system did, and what people did.
pub(super) fn strip(scene: &Scene<'_>, plan: &Plan, axis: &Axis, buffer: &mut Buffer) {
    for (number, by) in [Actor::System, Actor::People].into_iter().enumerate() {
        if number >= usize::from(plan.strip.height) {
            return;
        }
        let line = Rect::new(
            plan.strip.x,
            plan.strip.y + number as u16,
            plan.strip.width,
            1,
        );
        let [names, lane, _] = plan.parts(line);
        put(buffer, (names.x, names.y), names.width, by.name(), WEAK);
        // Of several events in a column the one that matters most; the first of equals.
        let mut shown: Vec<Option<&Event>> = vec![None; usize::from(axis.columns())];
        for event in scene.branch.told(scene.view.at) {
            // What an autoscaler does is the system's.
            if (event.by == Actor::People) != (by == Actor::People) {
                continue;
            }
            let Some(column) = axis.column(event.at) else {
                continue;
            };
            let place = &mut shown[usize::from(column)];
            if place.is_none_or(|other| other.kind.def().weight < event.kind.def().weight) {
                *place = Some(event);
            }
        }
        for (x, event) in shown.into_iter().enumerate() {
            if let Some(event) = event {
                let kind = event.kind.def();
                let sign = kind.sign.to_string();
                let style = scene.look.event(kind.look);
                put(buffer, (lane.x + x as u16, lane.y), 1, &sign, style);
            }
        }
    }
}

/// The latest events, the last one at the bottom.
pub(super) fn list(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let told = scene.branch.told(scene.view.at);
    let clock = scene.branch.model.clock;
    let latest = told.len().saturating_sub(usize::from(area.height));
    let labels: Vec<String> = told[latest..]
        .iter()
        .map(|event| readable::moment(event.at, clock))
        .collect();
    let times = labels.iter().map(|label| width(label)).max().unwrap_or(0);
    // Time, who, and a sign stand before the words.
    let whos = told[latest..].iter().map(|event| width(event.by.name()));
    let whos = whos.max().unwrap_or(0);
    let indent = times + whos + 4;
    let room = area.width.saturating_sub(indent);
    let (mut shown, mut left) = (Vec::new(), usize::from(area.height));
    for (number, (event, label)) in told[latest..].iter().zip(&labels).enumerate().rev() {
        let lines = if area.height < TALL {
            vec![parts(event)]
        } else {
            in_lines(event, room)
        };
        if lines.len() > left {
            break;
        }
        left -= lines.len();
        let last = latest + number + 1 == told.len();
        shown.push((event, label, lines, last));
    }
    let mut y = area.y;
    for (event, label, lines, last) in shown.into_iter().rev() {
        let ink = if event.by == Actor::People {
            scene.look.ink(PEOPLE)
        } else {
            Style::new()
        };
        let kind = event.kind.def();
        put(buffer, (area.x, y), times, label, WEAK);
        put(buffer, (area.x + times + 1, y), whos, event.by.name(), ink);
        let sign = kind.sign.to_string();
        put(
            buffer,
            (area.x + times + 8, y),
            1,
            &sign,
            scene.look.event(kind.look),
        );
        let ink = if last {
            ink.patch(scene.look.bold(None))
        } else {
            ink
        };
        for (words, cause) in lines {
            put(buffer, (area.x + indent, y), room, &words, ink);
            let after = if words.is_empty() {
                0
            } else {
                width(&words) + 2
            };
            let x = area.x + indent + after;
            put(buffer, (x, y), room.saturating_sub(after), &cause, WEAK);
            y += 1;
        }
    }
}

/// What happened, and why, if that is not said already.
fn parts(event: &Event) -> (String, String) {
    let words = event_words(event);
    let cause = event.words().1;
    let cause = if words.contains(cause) { "" } else { cause };
    (shown(&words).into_owned(), shown(cause).into_owned())
}

/// The same in as many lines as it takes: the cause beside the words where there is room, or below them.
fn in_lines(event: &Event, columns: u16) -> Vec<(String, String)> {
    let (words, cause) = parts(event);
    let words = wrapped(&words, columns).into_iter();
    let mut lines: Vec<(String, String)> = words.map(|line| (line, String::new())).collect();
    if let Some(last) = lines.last_mut()
        && width(&last.0) + 2 + width(&cause) <= columns
    {
        last.1 = cause;
    } else {
        let cause = wrapped(&cause, columns).into_iter();
        lines.extend(cause.map(|line| (String::new(), line)));
    }
    lines
}
