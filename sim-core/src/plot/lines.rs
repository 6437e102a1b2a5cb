//! Lines: a figure along an axis, with the band of its interval.

use super::axis::{Axis, Frame, Shown};
use super::svg::{Anchor, Drawing, LABEL, Look, Pen, SMALL, TITLE, cut, cut_start, fitted};
use crate::metric::Unit;

/// Width of the drawing in pixels, without its legend.
const WIDTH: f64 = 720.0;
/// Height of the drawing in pixels.
const HEIGHT: f64 = 440.0;
/// Width of the drawing for a narrow screen.
const NARROW: f64 = 390.0;
/// What a cross says.
const MISSING: &str = "× nothing can be said: see the notes of the cell";
/// Letters of a name in the legend.
const NAME_MAX: usize = 26;
/// From this ratio on the y axis is logarithmic: below it small values can still be read.
const LOG_FROM: f64 = 50.0;

/// A point of a line.
#[derive(Clone, PartialEq, Debug)]
pub struct Point {
    /// Where along the axis.
    pub x: f64,
    /// The figure; `None` where nothing can be said.
    pub mean: Option<f64>,
    /// The ends of its interval.
    pub interval: Option<(f64, f64)>,
    /// What shows when the pointer rests upon it.
    pub about: String,
}

/// A line.
#[derive(Clone, PartialEq, Debug)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// Its points, in the order of the axis.
    pub points: Vec<Point>,
}

/// What is drawn.
#[derive(Clone, PartialEq, Debug)]
pub struct Lines {
    /// The title.
    pub title: String,
    /// A line below the title.
    pub note: String,
    /// The axis along which the points lie.
    pub x: Axis,
    /// What the figure is called.
    pub figure: String,
    /// What it is counted in; times are in seconds.
    pub unit: Unit,
    /// What the lines differ in; empty when there is one.
    pub legend: String,
    /// Whether points are joined; not where their order means nothing.
    pub joined: bool,
    /// The lines.
    pub series: Vec<Series>,
}

impl Lines {
    /// The plot as an SVG file.
    pub fn svg(&self) -> String {
        let (y, shown) = self.y_axis();
        let legend = self.legend_width();
        let mut drawing = Drawing::new(WIDTH + legend, HEIGHT);
        let frame = Frame {
            left: y.width() + 48.0,
            top: 66.0,
            right: WIDTH - 28.0,
            bottom: HEIGHT - 56.0,
        };
        let title = fitted(&self.title, TITLE, WIDTH + legend - 40.0);
        drawing.text((20.0, 26.0), Anchor::Start, TITLE, &title);
        let letters = ((WIDTH + legend - 40.0) / 6.0) as usize;
        drawing.text(
            (20.0, 46.0),
            Anchor::Start,
            SMALL,
            &cut(&self.note, letters),
        );
        let missing = self.draw(&mut drawing, &frame, &y, shown);
        self.draw_legend(&mut drawing, (frame.right + 22.0, frame.top + 6.0));
        if missing {
            // Below the plot, where there is always room.
            let at = (frame.right, HEIGHT - 8.0);
            drawing.text(at, Anchor::End, SMALL, MISSING);
        }
        drawing.finish(&self.title, &self.about())
    }

    /// The same for a narrow screen: the legend is below, and title and note stand beside the picture.
    pub fn narrow(&self) -> String {
        let (y, shown) = self.y_axis();
        let legend = if self.series.len() > 1 {
            22.0 * (self.series.len() + 1) as f64 + 8.0
        } else {
            0.0
        };
        let frame = Frame {
            left: y.width() + 40.0,
            top: 16.0,
            right: NARROW - 14.0,
            bottom: 280.0,
        };
        let mut drawing = Drawing::new(NARROW, frame.bottom + 64.0 + legend);
        let missing = self.draw(&mut drawing, &frame, &y, shown);
        self.draw_legend(&mut drawing, (14.0, frame.bottom + 62.0));
        if missing {
            let at = (frame.right, frame.bottom + 58.0 + legend);
            drawing.text(at, Anchor::End, SMALL, MISSING);
        }
        drawing.finish(&self.title, &self.about())
    }

    fn about(&self) -> String {
        format!("{} by {}. {}", self.figure, self.x.label(), self.note)
    }

    /// Draws axes, bands and lines; whether some points are missing.
    fn draw(&self, drawing: &mut Drawing, frame: &Frame, y: &Axis, shown: Shown) -> bool {
        frame.draw(drawing, &self.x, y, true);
        // All bands lie below all lines.
        for (i, series) in self.series.iter().enumerate() {
            self.bands(drawing, frame, y, shown.factor, series, Look::of(i));
        }
        let mut missing = false;
        for (i, series) in self.series.iter().enumerate() {
            missing |= self.line(drawing, frame, y, shown.factor, series, Look::of(i));
        }
        missing
    }

    /// The axis of the figure, and the unit that it is shown in.
    pub fn y_axis(&self) -> (Axis, Shown) {
        let (low, high) = self.bounds();
        let shown = Shown::of(self.unit, high);
        let axis = self.upward(low * shown.factor, high * shown.factor, shown);
        (axis, shown)
    }

    /// Least and greatest value with its interval.
    fn bounds(&self) -> (f64, f64) {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let ends = points().filter_map(|p| p.mean.map(|m| p.interval.unwrap_or((m, m))));
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for (least, most) in ends {
            (low, high) = (low.min(least), high.max(most));
        }
        if low.is_finite() {
            (low, high)
        } else {
            (0.0, 1.0)
        }
    }

    fn upward(&self, low: f64, high: f64, shown: Shown) -> Axis {
        let label = shown.label(&self.figure);
        if low > 0.0 && high / low > LOG_FROM && self.unit != Unit::Ratio {
            return Axis::log(label, low * 0.9, high * 1.1);
        }
        // Beginning at nothing where that wastes little: heights then tell ratios.
        let low = if low >= 0.0 && low < 0.6 * high {
            0.0
        } else {
            low
        };
        // A share ends at everything; where all is answered, the axis ends there and not beyond.
        if self.unit == Unit::Ratio {
            let high = high.min(100.0);
            return Axis::linear(label, if low < high { low } else { high - 10.0 }, high);
        }
        Axis::linear(label, low, high)
    }

    fn bands(
        &self,
        drawing: &mut Drawing,
        frame: &Frame,
        y: &Axis,
        factor: f64,
        series: &Series,
        look: Look,
    ) {
        let at = |value: f64| {
            y.place(value * factor, frame.upward())
                .clamp(frame.top, frame.bottom)
        };
        let joined = if self.joined { &series.points[..] } else { &[] };
        for run in joined.split(|p| p.mean.is_none() || p.interval.is_none()) {
            let place = |p: &Point, value: f64| (self.x.place(p.x, frame.across()), at(value));
            let end = |p: &Point, upper: bool| {
                (p.interval).map(|(low, high)| place(p, if upper { high } else { low }))
            };
            let upper = run.iter().filter_map(|p| end(p, true));
            let lower = run.iter().rev().filter_map(|p| end(p, false));
            let outline: Vec<(f64, f64)> = upper.chain(lower).collect();
            drawing.area(&outline, look.colour, 0.18);
        }
        // The ends of each interval, where a band may be too thin to see.
        for p in &series.points {
            let (Some(_), Some((low, high))) = (p.mean, p.interval) else {
                continue;
            };
            let x = self.x.place(p.x, frame.across());
            drawing.line((x, at(low)), (x, at(high)), Pen::thin(look.colour));
        }
    }

    /// Draws a line with its points; whether some are missing.
    fn line(
        &self,
        drawing: &mut Drawing,
        frame: &Frame,
        y: &Axis,
        factor: f64,
        series: &Series,
        look: Look,
    ) -> bool {
        let place = |p: &Point, mean: f64| {
            (
                self.x.place(p.x, frame.across()),
                y.place(mean * factor, frame.upward()),
            )
        };
        let joined = if self.joined { &series.points[..] } else { &[] };
        for run in joined.split(|p| p.mean.is_none()) {
            let points: Vec<(f64, f64)> = run
                .iter()
                .filter_map(|p| p.mean.map(|m| place(p, m)))
                .collect();
            let pen = Pen {
                colour: look.colour,
                width: 2.0,
                dash: look.dash,
            };
            drawing.path(&points, pen);
        }
        for p in &series.points {
            match p.mean {
                Some(mean) => drawing.mark(place(p, mean), look, &p.about),
                // Above the plot: on its floor it would read as nothing at all.
                None => cross(
                    drawing,
                    (self.x.place(p.x, frame.across()), frame.top - 8.0),
                    look,
                    &p.about,
                ),
            }
        }
        series.points.iter().any(|p| p.mean.is_none())
    }

    fn names(&self) -> impl Iterator<Item = String> {
        self.series.iter().map(|series| cut(&series.name, NAME_MAX))
    }

    fn legend_width(&self) -> f64 {
        if self.series.len() < 2 {
            return 0.0;
        }
        let names = self.names().chain([cut_start(&self.legend, NAME_MAX)]);
        names.map(|name| LABEL.width(&name)).fold(0.0, f64::max) + 66.0
    }

    fn draw_legend(&self, drawing: &mut Drawing, (left, mut top): (f64, f64)) {
        if self.series.len() < 2 {
            return;
        }
        drawing.text(
            (left, top),
            Anchor::Start,
            SMALL,
            &cut_start(&self.legend, NAME_MAX),
        );
        top += 22.0;
        for (i, name) in self.names().enumerate() {
            let look = Look::of(i);
            let pen = Pen {
                colour: look.colour,
                width: 2.0,
                dash: look.dash,
            };
            drawing.line((left, top - 4.0), (left + 30.0, top - 4.0), pen);
            drawing.mark((left + 15.0, top - 4.0), look, "");
            drawing.text((left + 38.0, top), Anchor::Start, LABEL, &name);
            top += 22.0;
        }
    }
}

fn cross(drawing: &mut Drawing, (x, y): (f64, f64), look: Look, about: &str) {
    let pen = Pen {
        colour: look.colour,
        width: 1.6,
        dash: "",
    };
    drawing.line((x - 3.5, y - 3.5), (x + 3.5, y + 3.5), pen);
    drawing.line((x - 3.5, y + 3.5), (x + 3.5, y - 3.5), pen);
    // Something to rest the pointer upon.
    drawing.rectangle((x - 5.0, y - 5.0), (10.0, 10.0), "transparent", about);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(values: &[Option<(f64, f64)>]) -> Lines {
        let points = values.iter().enumerate().map(|(i, value)| Point {
            x: i as f64,
            mean: value.map(|(mean, _)| mean),
            interval: value.map(|(mean, half)| (mean - half, mean + half)),
            about: format!("point {i}"),
        });
        Lines {
            title: "A < B".to_owned(),
            note: String::new(),
            x: Axis::at_values("load", &[0.0, 9.0], false),
            figure: "response_time_s.p99".to_owned(),
            unit: Unit::Time,
            legend: String::new(),
            joined: true,
            series: vec![Series {
                name: "one".to_owned(),
                points: points.collect(),
            }],
        }
    }

    #[test]
    fn what_is_missing_leaves_a_gap_and_a_cross() {
        let svg = lines(&[
            Some((0.1, 0.01)),
            Some((0.2, 0.02)),
            None,
            Some((0.3, 0.1)),
            Some((0.4, 0.1)),
        ])
        .svg();
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert_eq!(svg.matches("<circle").count(), 4);
        assert!(svg.contains("× nothing can be said"));
        assert!(svg.contains("response_time_s.p99 (ms)"));
        assert!(svg.contains("A &lt; B"));
        let loose = Lines {
            joined: false,
            ..lines(&[Some((0.1, 0.01)), Some((0.2, 0.02))])
        };
        assert!(!loose.svg().contains("<poly"), "{}", loose.svg());
    }

    #[test]
    fn shares_end_at_a_hundred() {
        for value in [0.3, 0.97, 1.0] {
            let plot = Lines {
                unit: Unit::Ratio,
                ..lines(&[Some((value, 0.0)), Some((1.0, 0.0))])
            };
            let axis = plot.upward(value * 100.0, 100.0, Shown::of(Unit::Ratio, 1.0));
            let last = axis.ticks().last().expect("ticks").0;
            assert!((last - 100.0).abs() < 1e-9, "{value}: {last}");
        }
    }

    #[test]
    fn nothing_at_all_is_an_empty_plot() {
        let svg = lines(&[None, None]).svg();
        assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN"), "{svg}");
        let svg = lines(&[]).svg();
        assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN"), "{svg}");
    }

    #[test]
    fn every_coordinate_is_on_the_sheet() {
        let svg = lines(&[Some((1e-6, 1e-6)), Some((5.0, 4.9)), Some((100.0, 1.0))]).svg();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        let y = svg
            .split(" cy=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next());
        for y in y {
            let y: f64 = y.parse().expect("a number");
            assert!((0.0..=HEIGHT).contains(&y), "{y}");
        }
    }
}
