//! Dots with intervals: one row for each thing, to see at a glance what overlaps.

use super::axis::{Axis, Frame, Shown};
use super::svg::{Anchor, Drawing, FADED, INK, Look, Pen, SMALL, TITLE, cut, fitted};
use crate::metric::Unit;

/// A row of the plot.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// The dot; absent where there is nothing to show.
    pub mean: Option<f64>,
    /// The interval; absent where none is given.
    pub interval: Option<(f64, f64)>,
    /// Shown in place of what is absent, and to those who point at the dot.
    pub note: String,
}

/// Rows with dots and intervals.
#[derive(Clone, PartialEq, Debug)]
pub struct Intervals {
    /// The title.
    pub title: String,
    /// The name of the figure.
    pub label: String,
    /// Its unit.
    pub unit: Unit,
    /// From top to bottom.
    pub rows: Vec<Row>,
    /// Whether a line is drawn at zero, for differences.
    pub zero: bool,
}

const ROW: f64 = 28.0;
const WIDTH: f64 = 760.0;
const NARROW: f64 = 390.0;
const NAME_LETTERS: usize = 40;

impl Intervals {
    /// As a file.
    pub fn svg(&self) -> String {
        // The first row is on top, where reading begins.
        let names = self.rows.iter().rev();
        let names: Vec<String> = names.map(|row| cut(&row.name, NAME_LETTERS)).collect();
        let y = Axis::words("", &names);
        let frame = Frame {
            left: y.width() + 30.0,
            top: 50.0,
            right: WIDTH - 30.0,
            bottom: 50.0 + ROW * self.rows.len().max(1) as f64,
        };
        let mut drawing = Drawing::new(WIDTH, frame.bottom + 50.0);
        let heading = fitted(&self.title, TITLE, WIDTH - 40.0);
        drawing.text((20.0, 26.0), Anchor::Start, TITLE, &heading);
        self.draw(&mut drawing, &frame, &y);
        drawing.finish(&self.title, &self.about())
    }

    /// The same for a narrow screen, where each name stands above its row and the title beside the picture.
    pub fn narrow(&self) -> String {
        let nameless: Vec<String> = self.rows.iter().map(|_| String::new()).collect();
        let y = Axis::words("", &nameless);
        let height = ROW + SMALL.size + 2.0;
        let frame = Frame {
            left: 14.0,
            top: 6.0,
            right: NARROW - 24.0,
            bottom: 6.0 + height * self.rows.len().max(1) as f64,
        };
        let mut drawing = Drawing::new(NARROW, frame.bottom + 50.0);
        self.draw(&mut drawing, &frame, &y);
        for (index, row) in self.rows.iter().enumerate() {
            let at = (frame.left + 6.0, frame.top + height * index as f64 + 13.0);
            let name = fitted(&row.name, SMALL, frame.right - frame.left - 6.0);
            drawing.text(at, Anchor::Start, SMALL.in_colour(INK), &name);
        }
        drawing.finish(&self.title, &self.about())
    }

    fn about(&self) -> String {
        let rows = self.rows.iter();
        let about = rows.map(|row| format!("{}: {}", row.name, row.note));
        about.collect::<Vec<_>>().join("; ")
    }

    fn draw(&self, drawing: &mut Drawing, frame: &Frame, y: &Axis) {
        let (rows, zero) = (&self.rows, self.zero);
        let (x, shown, greatest) = axis(&self.label, self.unit, rows, zero);
        frame.draw(drawing, &x, y, true);
        if zero {
            let at = x.place(0.0, frame.across());
            let pen = Pen {
                colour: FADED,
                width: 1.5,
                dash: "",
            };
            drawing.line((at, frame.top), (at, frame.bottom), pen);
        }
        for (index, row) in rows.iter().enumerate() {
            let height = y.place((rows.len() - 1 - index) as f64, frame.upward());
            let across = |value: f64| x.place(value * shown.factor, frame.across());
            let look = Look::of(0);
            if let Some((low, high)) = row.interval {
                let pen = Pen {
                    colour: look.colour,
                    width: 2.0,
                    dash: "",
                };
                let (low, high) = (low, high.min(greatest));
                drawing.line((across(low), height), (across(high), height), pen);
                for end in [low, high] {
                    let (top, bottom) = (height - 5.0, height + 5.0);
                    drawing.line((across(end), top), (across(end), bottom), pen);
                }
            }
            if let Some(mean) = row.mean {
                drawing.mark((across(mean), height), look, &row.note);
            } else {
                let at = (frame.left + 8.0, height + 4.0);
                let note = fitted(&row.note, SMALL, frame.right - frame.left - 8.0);
                drawing.text(at, Anchor::Start, SMALL.in_colour(FADED), &note);
            }
        }
    }
}

/// The axis of the figure, the unit that it is shown in, and where intervals end at the latest.
pub fn axis(label: &str, unit: Unit, rows: &[Row], zero: bool) -> (Axis, Shown, f64) {
    let ends = rows.iter().flat_map(|row| {
        let (low, high) = row.interval.unzip();
        [row.mean, low, high].into_iter().flatten()
    });
    let (mut low, mut high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
        (low.min(v), high.max(v))
    });
    if zero {
        (low, high) = (low.min(0.0), high.max(0.0));
    }
    if low > high {
        (low, high) = (0.0, 1.0);
    }
    if high - low <= 0.0 {
        let room = if low == 0.0 { 1.0 } else { low.abs() * 0.05 };
        (low, high) = (low - room, high + room);
    }
    if unit == Unit::Ratio && !zero {
        high = capped(high, rows);
    }
    let greatest = high;
    let shown = Shown::of(unit, low.abs().max(high.abs()));
    let axis = Axis::linear(shown.label(label), low * shown.factor, high * shown.factor);
    (axis, shown, greatest)
}

/// Shares end at everything: an interval that reaches beyond does not lengthen the axis, unless a
/// mean lies there too, as an offered load can.
fn capped(high: f64, rows: &[Row]) -> f64 {
    if rows.iter().any(|row| row.mean.is_some_and(|m| m > 1.0)) {
        high
    } else {
        high.min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, mean: Option<f64>, interval: Option<(f64, f64)>) -> Row {
        Row {
            name: name.to_owned(),
            mean,
            interval,
            note: "a note".to_owned(),
        }
    }

    #[test]
    fn every_row_is_drawn_and_nothing_is_no_number() {
        let rows = [
            row("random & <co>", Some(0.02), Some((0.018, 0.022))),
            row("bare", Some(0.03), None),
            row("withheld", None, None),
        ];
        for zero in [false, true] {
            let plot = Intervals {
                title: "title".to_owned(),
                label: "p99".to_owned(),
                unit: Unit::Time,
                rows: rows.to_vec(),
                zero,
            };
            let svg = plot.svg() + &plot.narrow();
            assert!(svg.contains("random &amp; &lt;co&gt;"), "{svg}");
            assert!(svg.contains("withheld"));
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }

    #[test]
    fn nothing_at_all_and_a_single_point_can_be_drawn() {
        for rows in [
            vec![],
            vec![row("one", Some(0.0), None)],
            vec![row("x", None, None)],
        ] {
            let svg = Intervals {
                title: String::new(),
                label: String::new(),
                unit: Unit::Count,
                rows,
                zero: false,
            }
            .svg();
            assert!(
                svg.ends_with("</svg>\n") || svg.ends_with("</svg>"),
                "{svg}"
            );
            assert!(!svg.contains("NaN"), "{svg}");
        }
    }
}
