//! Heat maps: a figure over two axes, the darker the more.

use super::axis::{Axis, Frame, Shown};
use super::svg::{Anchor, Drawing, Font, INK, LABEL, Pen, SMALL, TITLE, contrast, fitted};
use crate::metric::Unit;
use crate::readable;

/// Stops of the colours from least to most: Cividis, reversed, which looks alike to people with and
/// without a weakness in telling colours apart, and in grey (Nuñez, Anderton and Renslow, PLOS ONE
/// 13(7), 2018).
const STOPS: [(u8, u8, u8); 9] = [
    (255, 233, 69),
    (225, 204, 92),
    (195, 179, 105),
    (165, 156, 116),
    (138, 134, 120),
    (112, 113, 115),
    (87, 93, 109),
    (53, 69, 108),
    (0, 32, 76),
];
/// Cells about which nothing can be said.
const NOTHING: &str = "#ffffff";
/// From this ratio on colours follow the logarithm.
const LOG_FROM: f64 = 10.0;
/// Least width of a cell that carries its value.
const TEXT_FROM: f64 = 46.0;

/// A cell of the map.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Spot {
    /// The figure; `None` where nothing can be said.
    pub value: Option<f64>,
    /// What shows when the pointer rests upon it.
    pub about: String,
}

/// What is drawn.
#[derive(Clone, PartialEq, Debug)]
pub struct HeatMap {
    /// The title.
    pub title: String,
    /// A line below the title.
    pub note: String,
    /// What lies from left to right, and its values.
    pub across: (String, Vec<String>),
    /// What lies from below to above, and its values.
    pub upward: (String, Vec<String>),
    /// What the figure is called.
    pub figure: String,
    /// What it is counted in; times are in seconds.
    pub unit: Unit,
    /// Ends of the scale of colours; absent: those of the figures.
    pub ends: Option<(f64, f64)>,
    /// Rows from below to above, each from left to right.
    pub spots: Vec<Vec<Spot>>,
}

impl HeatMap {
    /// The plot as an SVG file.
    pub fn svg(&self) -> String {
        let x = Axis::words(self.across.0.clone(), &self.across.1);
        let y = Axis::words(self.upward.0.clone(), &self.upward.1);
        let left = y.width() + 48.0;
        let cell = |count: usize, room: f64, least: f64, most: f64| {
            (room / count.max(1) as f64).clamp(least, most)
        };
        let width = cell(self.across.1.len(), 620.0, 7.0, 92.0);
        let height = cell(self.upward.1.len(), 380.0, 7.0, 46.0);
        let scale = self.colours();
        let shown = Shown::of(self.unit, scale.high);
        // Small maps leave room for what is written beside them.
        let beside = LABEL.width(&shown.label(&self.figure)).clamp(120.0, 260.0);
        let frame = Frame {
            left,
            top: 66.0,
            right: left + (width * self.across.1.len() as f64).max(180.0),
            bottom: 66.0 + (height * self.upward.1.len() as f64).max(beside),
        };
        let size = (
            (frame.right - frame.left) / self.across.1.len().max(1) as f64,
            (frame.bottom - frame.top) / self.upward.1.len().max(1) as f64,
        );
        let note = SMALL.width(&self.note).min(720.0) + 40.0;
        let sheet = (
            (frame.right + 140.0).max(480.0).max(note),
            frame.bottom + 56.0,
        );
        let mut drawing = Drawing::new(sheet.0, sheet.1);
        let title = fitted(&self.title, TITLE, sheet.0 - 40.0);
        drawing.text((20.0, 26.0), Anchor::Start, TITLE, &title);
        let note = fitted(&self.note, SMALL, sheet.0 - 40.0);
        drawing.text((20.0, 46.0), Anchor::Start, SMALL, &note);
        for (row, spots) in self.spots.iter().enumerate() {
            for (column, spot) in spots.iter().enumerate() {
                let corner = (
                    frame.left + size.0 * column as f64,
                    frame.bottom - size.1 * (row + 1) as f64,
                );
                draw_spot(&mut drawing, corner, size, spot, &scale, shown);
            }
        }
        frame.draw(&mut drawing, &x, &y, false);
        self.draw_scale(&mut drawing, &frame, &scale, shown);
        let about = format!(
            "{} by {} and {}. {}",
            self.figure, self.across.0, self.upward.0, self.note
        );
        drawing.finish(&self.title, &about)
    }

    /// The scale of its colours.
    pub fn colours(&self) -> Colours {
        match self.ends {
            Some((low, high)) => Colours {
                low,
                high,
                log: false,
            },
            None => Colours::of(self.spots.iter().flatten().filter_map(|s| s.value)),
        }
    }

    /// The colours with their values, beside the map.
    fn draw_scale(&self, drawing: &mut Drawing, frame: &Frame, scale: &Colours, shown: Shown) {
        let (left, steps) = (frame.right + 26.0, 60);
        let height = (frame.bottom - frame.top).min(260.0);
        let step = height / f64::from(steps);
        for i in 0..steps {
            let share = (f64::from(i) + 0.5) / f64::from(steps);
            let top = frame.top + height - step * f64::from(i + 1);
            // A little higher than the step, so that no gap shows between two.
            drawing.rectangle((left, top), (14.0, step + 0.4), &colour(share), "");
        }
        let axis = scale.axis(shown);
        for (value, text) in axis.ticks() {
            let at = axis.place(*value, (frame.top + height, frame.top));
            drawing.line((left + 14.0, at), (left + 18.0, at), Pen::thin(INK));
            drawing.text((left + 22.0, at + 4.0), Anchor::Start, SMALL, text);
        }
        let label = shown.label(&self.figure);
        drawing.upright_text(
            (left + 40.0 + axis.width(), frame.top + height / 2.0),
            LABEL,
            &fitted(&label, LABEL, height),
        );
    }
}

fn draw_spot(
    drawing: &mut Drawing,
    corner: (f64, f64),
    size: (f64, f64),
    spot: &Spot,
    scale: &Colours,
    shown: Shown,
) {
    let middle = (corner.0 + size.0 / 2.0, corner.1 + size.1 / 2.0 + 4.0);
    let Some(value) = spot.value else {
        drawing.rectangle(corner, size, NOTHING, &spot.about);
        let pen = Pen::thin("#b0b0b0");
        let (right, bottom) = (corner.0 + size.0, corner.1 + size.1);
        // Struck out: white alone could be read as little.
        drawing.line((corner.0, bottom), (right, corner.1), pen);
        return;
    };
    let fill = colour(scale.share(value));
    drawing.rectangle(corner, size, &fill, &spot.about);
    if size.0 >= TEXT_FROM && size.1 >= 16.0 {
        let ink = if contrast(&fill, INK) >= contrast(&fill, "#ffffff") {
            INK
        } else {
            "#ffffff"
        };
        let font = Font {
            colour: ink,
            ..SMALL
        };
        let text = readable::short(value * shown.factor);
        drawing.text(middle, Anchor::Middle, font, &text);
    }
}

/// From values to colours.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Colours {
    /// The value of the lightest.
    pub low: f64,
    /// The value of the darkest.
    pub high: f64,
    /// Whether they follow the logarithm.
    pub log: bool,
}

impl Colours {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values {
            (low, high) = (low.min(value), high.max(value));
        }
        if !low.is_finite() {
            (low, high) = (0.0, 1.0);
        }
        Self {
            low,
            high,
            log: low > 0.0 && high / low > LOG_FROM,
        }
    }

    /// The scale with its ticks.
    pub fn axis(&self, shown: Shown) -> Axis {
        let (low, high) = (self.low * shown.factor, self.high * shown.factor);
        if self.log {
            Axis::log("", low, high)
        } else {
            Axis::at_values("", &[low, high], false)
        }
    }

    /// From 0 for the least to 1 for the most.
    pub fn share(&self, value: f64) -> f64 {
        if self.high <= self.low {
            return 0.5;
        }
        if self.log {
            libm::log(value / self.low) / libm::log(self.high / self.low)
        } else {
            (value - self.low) / (self.high - self.low)
        }
    }
}

/// Red, green and blue at a share of the scale.
pub fn rgb(share: f64) -> (u8, u8, u8) {
    let place = share.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let first = (place as usize).min(STOPS.len() - 2);
    let rest = place - first as f64;
    let (a, b) = (STOPS[first], STOPS[first + 1]);
    let mix = |a: u8, b: u8| libm::round(f64::from(a) + (f64::from(b) - f64::from(a)) * rest) as u8;
    (mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

/// The colour at a share of the scale.
fn colour(share: f64) -> String {
    let (red, green, blue) = rgb(share);
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(values: &[&[Option<f64>]]) -> HeatMap {
        let words = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<_>>();
        HeatMap {
            title: "map".to_owned(),
            note: String::new(),
            across: (
                "x".to_owned(),
                words(values.first().map_or(0, |row| row.len())),
            ),
            upward: ("y".to_owned(), words(values.len())),
            figure: "availability".to_owned(),
            unit: Unit::Ratio,
            ends: None,
            spots: values
                .iter()
                .map(|row| {
                    let spot = |value: &Option<f64>| Spot {
                        value: *value,
                        about: String::new(),
                    };
                    row.iter().map(spot).collect()
                })
                .collect(),
        }
    }

    #[test]
    fn values_can_be_read_on_every_colour() {
        for i in 0..=100 {
            let fill = colour(f64::from(i) / 100.0);
            let best = contrast(&fill, INK).max(contrast(&fill, "#ffffff"));
            assert!(best >= 4.0, "{fill}: {best}");
        }
    }

    #[test]
    fn the_darker_the_more() {
        let light = |share: f64| contrast(&colour(share), "#000000");
        let shades: Vec<f64> = (0..=20).map(|i| light(f64::from(i) / 20.0)).collect();
        assert!(
            shades.windows(2).all(|pair| pair[0] > pair[1]),
            "{shades:?}"
        );
    }

    #[test]
    fn what_is_missing_is_struck_out() {
        let svg = map(&[&[Some(0.5), None], &[Some(0.9), Some(1.0)]]).svg();
        assert!(svg.contains("#b0b0b0"));
        assert!(svg.contains(">50<") && svg.contains(">100<"), "{svg}");
        assert!(!svg.contains("NaN"));
        let whole = HeatMap {
            ends: Some((0.0, 1.0)),
            ..map(&[&[Some(0.0), Some(0.0)]])
        };
        // With nothing but zeros, the lightest colour, not one between.
        assert!(whole.svg().contains(&colour(0.0)), "{}", whole.svg());
        let svg = map(&[&[None]]).svg();
        assert!(!svg.contains("NaN"));
    }
}
