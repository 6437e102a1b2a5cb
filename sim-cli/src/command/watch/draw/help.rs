//! The keys, and what letters and signs mean.

use super::look::sign;
use super::{Scene, WEAK, below, put, width};
use crate::command::watch::keys::KEYS;
use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::Style;
use sim_playback::Condition;

const CONDITIONS: [(Condition, &str); 9] = [
    (Condition::Ok, "serving"),
    (Condition::Busy, "all workers busy"),
    (Condition::Full, "queue 90 % full"),
    (Condition::Flooded, "1000 or more wait"),
    (Condition::Warming, "slower at first"),
    (Condition::Drained, "out by hand"),
    (Condition::Starting, "starting"),
    (Condition::Down, "crashed"),
    (Condition::Absent, "not there"),
];

/// Draws the list: keys, and beside or below them the letters of lanes.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let look = scene.look;
    put(
        buffer,
        (area.x, area.y),
        area.width,
        "Keys (Esc closes)",
        look.bold(None),
    );
    let mut rows = below(area, 1);
    let beside = area.width >= 80;
    let keys = KEYS.iter().map(|row| (row.words, row.title));
    let digits = ("1 … 9", "To an event by its number");
    let column = KEYS.iter().map(|row| width(row.words)).max().unwrap_or(0) + 2;
    for (words, title) in keys.chain([digits]) {
        if rows.height == 0 {
            return;
        }
        put(buffer, (rows.x, rows.y), column, words, look.bold(None));
        let room = if beside { 48 } else { rows.width };
        put(
            buffer,
            (rows.x + column, rows.y),
            room - column.min(room),
            title,
            Style::new(),
        );
        rows = below(rows, 1);
    }
    let mut rows = if beside {
        below(
            Rect::new(area.x + 50, area.y, area.width - 50, area.height),
            1,
        )
    } else {
        rows
    };
    for (condition, about) in CONDITIONS {
        if rows.height == 0 {
            return;
        }
        let (letter, style) = look.lane(condition);
        put(buffer, (rows.x, rows.y), 1, letter, style);
        let words = format!("{} {}", sign(condition), condition.word());
        put(
            buffer,
            (rows.x + 2, rows.y),
            11,
            &words,
            look.condition(condition),
        );
        let room = rows.width.saturating_sub(13);
        put(buffer, (rows.x + 13, rows.y), room, about, WEAK);
        rows = below(rows, 1);
    }
}
