//! The chart of the story: people above, the system below, a number for each event, and the state of the
//! site.

use super::Future;
use super::chart::{BELOW, Canvas, DEGRADED, DOWN, Size, WIDE};
use super::story::{Row, Story};
use crate::event_log::{Actor, Look};
use crate::plot::axis::Frame;
use crate::plot::svg::{
    Anchor, Drawing, FADED, Font, GRID, INK, LABEL, Pen, SMALL, TITLE, cut, fitted,
};
use crate::time::Instant;

/// Radius of a number's disc.
const RADIUS: f64 = 9.0;
/// Pixels from one row of numbers to the next.
const STEP: f64 = 21.0;
/// Height of the band that shows the state of the site.
const BAND: f64 = 18.0;

/// Where a number stands: along the axis, and in which row of its lane.
struct Place<'a> {
    number: usize,
    row: &'a Row,
    x: f64,
    level: usize,
}

/// The chart as a file: nothing to follow, for the table is not there.
pub(super) fn file(run: &Future<'_>) -> String {
    let story = Story::of(run);
    let canvas = canvas(run, &story);
    draw(run, &story, &canvas, &WIDE, false)
}

/// What all pictures of the run have in common.
pub(super) fn canvas<'a>(run: &Future<'_>, story: &'a Story) -> Canvas<'a> {
    Canvas {
        end: run.simulation.now().max(Instant(1)),
        clock: run.simulation.model().clock,
        spells: &story.spells,
    }
}

/// The chart; its numbers lead to the rows of the table if `linked`.
pub(super) fn draw(
    run: &Future<'_>,
    story: &Story,
    canvas: &Canvas<'_>,
    size: &Size,
    linked: bool,
) -> String {
    let x = canvas.axis(size);
    let across = size.frame(0.0, 0.0).across();
    let lane = |people: bool| {
        let of_lane = story
            .numbered()
            .filter(|(_, row)| (row.by == Actor::People) == people);
        placed(of_lane, |at| {
            // At the edges too a number stands within the lane as a whole.
            x.place(at.as_secs_f64(), across)
                .clamp(across.0 + RADIUS + 1.0, across.1 - RADIUS)
        })
    };
    let lanes = [("people", lane(true)), ("system", lane(false))];
    let height = |places: &[Place<'_>]| {
        let rows = places.iter().map(|p| p.level + 1).max().unwrap_or(1);
        STEP * rows as f64 + 10.0
    };
    let top = 62.0;
    let bottom = lanes.iter().map(|(_, places)| height(places)).sum::<f64>() + top + BAND + 8.0;
    let mut drawing = Drawing::new(size.width, bottom + BELOW);
    let room = size.width - 16.0;
    let title = fitted("What happened when", TITLE, room);
    drawing.text((8.0, 20.0), Anchor::Start, TITLE, &title);
    let note = if linked {
        "each number is a row of the story below"
    } else {
        "numbers in order of time"
    };
    drawing.text(
        (8.0, 38.0),
        Anchor::Start,
        SMALL,
        &cut(note, (room / 5.8) as usize),
    );
    let frame = size.frame(top, bottom);
    canvas.shade(&mut drawing, &frame, &x);
    // The lanes are the axis upward: nothing stands along it.
    frame.draw(
        &mut drawing,
        &x,
        &crate::plot::axis::Axis::words("", &[]),
        true,
    );
    let mut from = top;
    for (name, places) in &lanes {
        let high = height(places);
        drawing.text((8.0, from + 18.0), Anchor::Start, LABEL, &cut(name, 6));
        for place in places {
            let at = (place.x, from + 5.0 + RADIUS + STEP * place.level as f64);
            mark(run, &mut drawing, place, at, linked);
        }
        from += high;
        drawing.line((frame.left, from), (frame.right, from), Pen::thin(GRID));
    }
    band(
        &mut drawing,
        canvas,
        &size.frame(from + 4.0, from + 4.0 + BAND),
        size,
    );
    let about = format!(
        "{} numbered events in two lanes, people above and the system below, and the state of the site over time.",
        story.numbered().count()
    );
    let role = if linked { "group" } else { "img" };
    drawing.finish_as("What happened when", &about, role)
}

/// Numbers beside one another, in the first row of the lane that has room.
fn placed<'a>(
    rows: impl Iterator<Item = (usize, &'a Row)>,
    x: impl Fn(Instant) -> f64,
) -> Vec<Place<'a>> {
    let mut ends: Vec<f64> = Vec::new();
    rows.map(|(number, row)| {
        let at = x(row.at);
        let free = ends.iter().position(|end| at - RADIUS >= *end);
        let level = free.unwrap_or_else(|| {
            ends.push(0.0);
            ends.len() - 1
        });
        ends[level] = at + RADIUS + 2.0;
        Place {
            number,
            row,
            x: at,
            level,
        }
    })
    .collect()
}

fn mark(
    run: &Future<'_>,
    drawing: &mut Drawing,
    place: &Place<'_>,
    (x, y): (f64, f64),
    linked: bool,
) {
    let row = place.row;
    let about = format!("{}. {} {}", place.number, run.at(row.at), row.what);
    let font = Font {
        size: if place.number > 99 { 8.5 } else { 10.5 },
        colour: INK,
        bold: true,
    };
    let shape = |drawing: &mut Drawing| {
        // Failures are squares: they differ from the rest without colour, too.
        if row.look == Look::Failure {
            drawing.box_with_edge((x, y), RADIUS, colour(row.look), &about);
        } else {
            drawing.disc_with_edge((x, y), RADIUS, colour(row.look), &about);
        }
        drawing.text(
            (x, y + 3.8),
            Anchor::Middle,
            font,
            &place.number.to_string(),
        );
    };
    if linked {
        let target = format!("#event-{}", place.number);
        drawing.linked(&target, &about, shape);
    } else {
        shape(drawing);
    }
}

fn colour(look: Look) -> &'static str {
    match look {
        Look::Failure => DOWN,
        Look::Warning => DEGRADED,
        Look::Recovery => "#009E73",
        Look::Start | Look::Halt | Look::Change => "#0072B2",
    }
}

/// The state of the site, in words where they fit.
fn band(drawing: &mut Drawing, canvas: &Canvas<'_>, frame: &Frame, size: &Size) {
    let x = canvas.axis(size);
    drawing.text((8.0, frame.bottom - 5.0), Anchor::Start, LABEL, "site");
    let edge = Pen {
        colour: FADED,
        width: 1.0,
        dash: "",
    };
    let mut normal_from = frame.left;
    let word = |drawing: &mut Drawing, from: f64, until: f64, text: &str| {
        if SMALL.width(text) + 6.0 <= until - from {
            let middle = f64::midpoint(from, until);
            let font = SMALL.in_colour(INK);
            drawing.text((middle, frame.bottom - 5.0), Anchor::Middle, font, text);
        }
    };
    for spell in canvas.spells {
        let place = |at: Instant| x.place(at.as_secs_f64(), frame.across());
        let (from, until) = (place(spell.from), place(spell.until));
        word(drawing, normal_from, from, "normal");
        let (fill, opacity, text) = if spell.down {
            (DOWN, 0.45, "down")
        } else {
            (DEGRADED, 0.4, "degraded")
        };
        let corners = [
            (from, frame.top),
            (until, frame.top),
            (until, frame.bottom),
            (from, frame.bottom),
        ];
        drawing.area(&corners, fill, opacity);
        drawing.line((from, frame.top), (from, frame.bottom), edge);
        drawing.line((until, frame.top), (until, frame.bottom), edge);
        word(drawing, from, until, text);
        normal_from = until;
    }
    word(drawing, normal_from, frame.right, "normal");
}
