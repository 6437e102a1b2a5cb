//! Pictures of panels, in two sizes: a wide one for screens and paper, a narrow one for phones. Both are
//! in the page, and its style shows one of them.

use super::panels::Panel;
use super::windows::Window;
use crate::metric::Unit;
use crate::plot::axis::{Axis, Frame, Shown};
use crate::plot::svg::{Anchor, Drawing, LABEL, Look, Pen, SMALL, TITLE, cut, fitted};
use crate::summary::Spell;
use crate::time::{Clock, Instant};

/// How large a picture is, and what fits in.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Size {
    /// The word for it in the style.
    pub class: &'static str,
    /// Pixels from edge to edge.
    pub width: f64,
    /// Pixels left of what is drawn.
    pub left: f64,
    /// Pixels right of it.
    pub right: f64,
    /// Height of a panel's frame.
    pub height: f64,
    /// Ticks of the time axis, at most.
    pub ticks: u64,
    /// Pixels of a name in the legend, at most.
    pub names: f64,
}

/// For screens and paper.
pub(super) const WIDE: Size = Size {
    class: "wide",
    width: 860.0,
    left: 56.0,
    right: 22.0,
    height: 190.0,
    ticks: 10,
    names: 200.0,
};

/// For phones.
pub(super) const NARROW: Size = Size {
    class: "narrow",
    width: 340.0,
    left: 54.0,
    right: 20.0,
    height: 170.0,
    ticks: 4,
    names: 180.0,
};

impl Size {
    /// The frame between two heights.
    pub(super) fn frame(&self, top: f64, bottom: f64) -> Frame {
        Frame {
            left: self.left,
            top,
            right: self.width - self.right,
            bottom,
        }
    }
}

/// What all pictures of a page have in common.
pub(super) struct Canvas<'a> {
    /// When the run ends.
    pub end: Instant,
    /// The time of day at its start.
    pub clock: Option<Clock>,
    /// Shaded behind the figures.
    pub spells: &'a [Spell],
}

/// Pixels below a frame, for the ticks of its time axis.
pub(super) const BELOW: f64 = 30.0;
/// Fill of spells: down, and degraded.
pub(super) const DOWN: &str = "#D55E00";
pub(super) const DEGRADED: &str = "#E69F00";

impl Canvas<'_> {
    /// The axis of time.
    pub(super) fn axis(&self, size: &Size) -> Axis {
        Axis::time(self.end, self.clock, size.ticks)
    }

    /// Shades the spells in which the site was not normal.
    pub(super) fn shade(&self, drawing: &mut Drawing, frame: &Frame, x: &Axis) {
        for spell in self.spells {
            let place = |at: Instant| x.place(at.as_secs_f64(), frame.across());
            let (from, until) = (place(spell.from), place(spell.until));
            let corners = [
                (from, frame.top),
                (until, frame.top),
                (until, frame.bottom),
                (from, frame.bottom),
            ];
            let (fill, opacity) = if spell.down {
                (DOWN, 0.16)
            } else {
                (DEGRADED, 0.14)
            };
            drawing.area(&corners, fill, opacity);
        }
    }

    /// A panel as a picture, and where its frame begins and ends: shares of its height.
    pub(super) fn draw(
        &self,
        panel: &Panel,
        windows: &[Window],
        size: &Size,
    ) -> (String, (f64, f64)) {
        let (y, shown) = y_axis(panel);
        let room = size.width - 16.0;
        let names: Vec<String> = (panel.lines.iter())
            .map(|line| fitted(&line.name, LABEL, size.names))
            .collect();
        let places = legend(&names, room);
        let top = 58.0 + 18.0 * places.last().map_or(0.0, |(_, row)| *row + 1.0);
        let bottom = top + size.height;
        let frame = size.frame(top, bottom);
        let mut drawing = Drawing::new(size.width, bottom + BELOW);
        let title = shown.label(panel.title);
        drawing.text(
            (8.0, 20.0),
            Anchor::Start,
            TITLE,
            &fitted(&title, TITLE, room),
        );
        let note = cut(&panel.note, (room / 5.8) as usize);
        drawing.text((8.0, 38.0), Anchor::Start, SMALL, &note);
        let x = self.axis(size);
        self.shade(&mut drawing, &frame, &x);
        frame.draw(&mut drawing, &x, &y, true);
        for (i, line) in panel.lines.iter().enumerate() {
            let look = Look::of(i);
            let pen = Pen {
                colour: look.colour,
                width: 1.8,
                dash: look.dash,
            };
            let (column, row) = places[i];
            let at = 56.0 + 18.0 * row;
            drawing.line((8.0 + column, at - 4.0), (34.0 + column, at - 4.0), pen);
            drawing.text((40.0 + column, at), Anchor::Start, LABEL, &names[i]);
            let points: Vec<Option<(f64, f64)>> = windows
                .iter()
                .zip(&line.values)
                .map(|(window, value)| {
                    let value = value.filter(|value| !panel.log || *value > 0.0)?;
                    let at = window.middle_s();
                    let height = y.place(value * shown.factor, frame.upward());
                    Some((x.place(at, frame.across()), height))
                })
                .collect();
            for run in points.split(Option::is_none) {
                let run: Vec<(f64, f64)> = run.iter().copied().flatten().collect();
                match run[..] {
                    // A single window between two without a value would be no line.
                    [(x, y)] => drawing.line((x - 1.0, y), (x + 1.0, y), pen),
                    _ => drawing.path(&run, pen),
                }
            }
        }
        let height = bottom + BELOW;
        let picture = drawing.finish(panel.title, &self.about(panel));
        (picture, (top / height, bottom / height))
    }

    /// What a picture shows, for those who do not see it.
    fn about(&self, panel: &Panel) -> String {
        let names: Vec<&str> = panel.lines.iter().map(|line| line.name.as_str()).collect();
        format!(
            "{} over time, {}. Lines: {}. {}The figures are in the table below.",
            panel.title,
            panel.note,
            names.join(", "),
            if self.spells.is_empty() {
                ""
            } else {
                "Shaded: when the site was degraded or down. "
            }
        )
    }
}

/// The axis of a panel's figures, and the unit they are shown in.
fn y_axis(panel: &Panel) -> (Axis, Shown) {
    let values = || {
        panel
            .lines
            .iter()
            .flat_map(|line| line.values.iter().flatten())
    };
    let above = values().copied().filter(|value| *value > 0.0);
    let low = above.fold(f64::INFINITY, f64::min);
    let high = values().copied().fold(0.0, f64::max);
    let shown = Shown::of(panel.unit, high);
    let high = high * shown.factor;
    let axis = match (panel.unit, panel.log && low.is_finite()) {
        (_, true) => Axis::log("", low * shown.factor * 0.9, high * 1.1),
        (Unit::Ratio, _) if high > 50.0 => Axis::linear("", 0.0, 100.0),
        _ => Axis::linear("", 0.0, high),
    };
    (axis, shown)
}

/// Where names of a legend stand: pixels from its left edge, and the row.
fn legend(names: &[String], room: f64) -> Vec<(f64, f64)> {
    let (mut column, mut row) = (0.0, 0.0);
    let mut places = Vec::new();
    for name in names {
        let width = 50.0 + LABEL.width(name);
        if column > 0.0 && column + width > room {
            (column, row) = (0.0, row + 1.0);
        }
        places.push((column, row));
        column += width;
    }
    places
}
