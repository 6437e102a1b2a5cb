//! Axes: from values to pixels, with ticks at round numbers.

use super::svg::{Anchor, Drawing, GRID, INK, LABEL, Pen, SMALL, cut};
use crate::metric::Unit;
use crate::readable;
use crate::time::{Clock, Instant};

/// A unit that people read: what a figure is multiplied by, and what is then said after it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Shown {
    /// Factor from the figure, as the summary keeps it, to what is shown.
    pub factor: f64,
    /// The unit; empty for a plain number.
    pub unit: &'static str,
}

impl Shown {
    /// The unit in which figures up to `greatest` read best. Times are figures in seconds.
    pub fn of(unit: Unit, greatest: f64) -> Self {
        let (factor, unit) = match unit {
            Unit::Time if greatest < 1e-3 => (1e6, "µs"),
            Unit::Time if greatest < 1.0 => (1e3, "ms"),
            Unit::Time => (1.0, "s"),
            Unit::Ratio => (100.0, "%"),
            Unit::Hertz => (1.0, "1/s"),
            Unit::Count => (1.0, ""),
        };
        Self { factor, unit }
    }

    /// `name` with the unit: what is written along an axis.
    pub fn label(self, name: &str) -> String {
        if self.unit.is_empty() {
            name.to_owned()
        } else {
            format!("{name} ({})", self.unit)
        }
    }
}

/// How values lie along an axis.
#[derive(Clone, PartialEq, Debug)]
enum Scale {
    Linear { low: f64, high: f64 },
    Log { low: f64, high: f64 },
    Words(usize),
}

/// An axis.
#[derive(Clone, PartialEq, Debug)]
pub struct Axis {
    label: String,
    scale: Scale,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// Numbers between `low` and `high`, which are widened to round ones.
    pub fn linear(label: impl Into<String>, low: f64, high: f64) -> Self {
        let (low, high) = widened(low, high);
        let step = round_step((high - low) / 6.0);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        let count = (last - first) as usize;
        let ticks = (0..=count)
            .map(|i| {
                let value = (first + i as f64) * step;
                (value, number(value, step))
            })
            .collect();
        Self {
            label: label.into(),
            scale: Scale::Linear {
                low: first * step,
                high: last * step,
            },
            ticks,
        }
    }

    /// Numbers between `low` and `high`, both above zero, each decade as wide as the next.
    pub fn log(label: impl Into<String>, low: f64, high: f64) -> Self {
        let (low, high) = if low < high {
            (low, high)
        } else {
            (low / 2.0, high * 2.0)
        };
        let (first, last) = (
            libm::floor(libm::log10(low)) as i32,
            libm::ceil(libm::log10(high)) as i32,
        );
        let steps: &[f64] = if last - first <= 3 {
            &[1.0, 2.0, 5.0]
        } else {
            &[1.0]
        };
        let ticks = (first..=last)
            .flat_map(|decade| {
                steps.iter().map(move |step| {
                    let unit = libm::pow(10.0, f64::from(decade));
                    (step * unit, number(step * unit, unit))
                })
            })
            .filter(|(value, _)| *value >= low * 0.999 && *value <= high * 1.001)
            .collect();
        Self {
            label: label.into(),
            scale: Scale::Log { low, high },
            ticks,
        }
    }

    /// Numbers at given places, each with its tick, on a linear or logarithmic scale that ends soon
    /// after the data: for axes whose values somebody chose.
    pub fn at_values(label: impl Into<String>, values: &[f64], log: bool) -> Self {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut axis = if log && low > 0.0 {
            Self::log(label, low, high)
        } else {
            Self::linear(label, low, high)
        };
        let (low, high) = widened(low, high);
        if let Scale::Linear {
            low: from,
            high: to,
        } = &mut axis.scale
        {
            let slack = 0.02 * (high - low);
            (*from, *to) = (low - slack, high + slack);
            axis.ticks
                .retain(|(v, _)| *v >= low - slack && *v <= high + slack);
        }
        axis
    }

    /// Words side by side, each with as much room; the value of the n-th is n.
    pub fn words(label: impl Into<String>, words: &[String]) -> Self {
        Self {
            label: label.into(),
            scale: Scale::Words(words.len()),
            ticks: words
                .iter()
                .enumerate()
                .map(|(i, word)| (i as f64, word.clone()))
                .collect(),
        }
    }

    /// Moments, in seconds from the start, each with its tick: the time of day where there is a clock.
    pub fn moments(label: impl Into<String>, moments: &[Instant], clock: Option<Clock>) -> Self {
        let tick = |at: &Instant| (at.as_secs_f64(), readable::moment(*at, clock));
        let ends =
            [moments.first(), moments.last()].map(|at| at.map_or(0.0, |at| at.as_secs_f64()));
        Self {
            label: label.into(),
            scale: Scale::Linear {
                low: ends[0],
                high: ends[1].max(ends[0] + 1e-9),
            },
            ticks: moments.iter().map(tick).collect(),
        }
    }

    /// The time of a run from its start to `end`, in seconds, with `most` ticks at most, at moments that
    /// people count in: full minutes, quarters of an hour, hours of the clock.
    pub fn time(end: Instant, clock: Option<Clock>, most: u64) -> Self {
        const STEPS_S: [u64; 21] = [
            1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200,
            86_400, 172_800, 604_800, 2_592_000,
        ];
        let start_s = clock.map_or(0, |clock| u64::from(clock.start_s));
        let end_s = end.as_secs_f64();
        let fits = |step: &&u64| end_s / **step as f64 <= most as f64;
        let longest = STEPS_S[STEPS_S.len() - 1];
        let beyond = || (end_s / most as f64 / longest as f64).ceil() as u64 * longest;
        let step = STEPS_S.iter().find(fits).copied().unwrap_or_else(beyond);
        let first = start_s.next_multiple_of(step) - start_s;
        let tick = |at_s: u64| {
            let at = Instant(at_s * crate::time::SECOND);
            let mut text = readable::moment(at, clock);
            // The day is told where it begins, and not at the edge, where there is no room.
            let begins_day = clock.is_some() && text.starts_with("00:00 ");
            let at_the_edge = (at_s + step) as f64 > end_s;
            if !begins_day || at_the_edge {
                text.truncate(text.find(" +").unwrap_or(text.len()));
            }
            (at_s as f64, text)
        };
        let ticks = (0..=most).map(|i| first + i * step);
        Self {
            label: String::new(),
            scale: Scale::Linear {
                low: 0.0,
                high: end_s.max(1e-9),
            },
            ticks: (ticks.take_while(|at_s| *at_s as f64 <= end_s))
                .map(tick)
                .collect(),
        }
    }

    /// Where `value` stands between the pixels `from` and `to`.
    pub fn place(&self, value: f64, (from, to): (f64, f64)) -> f64 {
        let share = match self.scale {
            Scale::Linear { low, high } => (value - low) / (high - low),
            Scale::Log { low, high } => {
                let low = libm::log(low);
                (libm::log(value) - low) / (libm::log(high) - low)
            }
            Scale::Words(count) => (value + 0.5) / count as f64,
        };
        from + share * (to - from)
    }

    /// Its ticks: values with their texts.
    pub fn ticks(&self) -> &[(f64, String)] {
        &self.ticks
    }

    /// What stands along the axis.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Room that the ticks' texts need beside a vertical axis.
    pub fn width(&self) -> f64 {
        let widths = self
            .ticks
            .iter()
            .map(|(_, text)| SMALL.width(&cut(text, WORD_MAX)));
        widths.fold(0.0, f64::max)
    }
}

/// Letters of a tick's text; longer ones are cut.
const WORD_MAX: usize = 28;

/// The rectangle within which data is drawn.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Frame {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Right edge.
    pub right: f64,
    /// Lower edge.
    pub bottom: f64,
}

impl Frame {
    /// Pixels from left to right.
    pub fn across(&self) -> (f64, f64) {
        (self.left, self.right)
    }

    /// Pixels from below to above.
    pub fn upward(&self) -> (f64, f64) {
        (self.bottom, self.top)
    }

    /// Draws both axes around the frame, with lines behind the data if `grid`.
    pub fn draw(&self, drawing: &mut Drawing, x: &Axis, y: &Axis, grid: bool) {
        self.draw_upward(drawing, y, grid);
        self.draw_across(drawing, x, grid);
        let edge = Pen::thin(INK);
        drawing.line((self.left, self.top), (self.left, self.bottom), edge);
        drawing.line((self.left, self.bottom), (self.right, self.bottom), edge);
    }

    fn draw_upward(&self, drawing: &mut Drawing, y: &Axis, grid: bool) {
        for (value, text) in &y.ticks {
            let at = y.place(*value, self.upward());
            if grid {
                drawing.line((self.left, at), (self.right, at), Pen::thin(GRID));
            }
            drawing.line((self.left - 4.0, at), (self.left, at), Pen::thin(INK));
            let text = cut(text, WORD_MAX);
            drawing.text((self.left - 8.0, at + 4.0), Anchor::End, SMALL, &text);
        }
        let middle = f64::midpoint(self.top, self.bottom);
        let letters = ((self.bottom - self.top) / 6.5) as usize;
        drawing.upright_text(
            (self.left - y.width() - 20.0, middle),
            LABEL,
            &cut(&y.label, letters),
        );
    }

    fn draw_across(&self, drawing: &mut Drawing, x: &Axis, grid: bool) {
        let mut free_from = f64::NEG_INFINITY;
        let room = (self.right - self.left) / x.ticks.len().max(1) as f64;
        // Words must all be told: where they do not fit side by side they are cut.
        let words = matches!(x.scale, Scale::Words(_));
        for (value, text) in &x.ticks {
            let at = x.place(*value, self.across());
            if grid && !words {
                drawing.line((at, self.top), (at, self.bottom), Pen::thin(GRID));
            }
            drawing.line((at, self.bottom), (at, self.bottom + 4.0), Pen::thin(INK));
            let mut text = cut(text, WORD_MAX);
            while words && text.chars().count() > 3 && SMALL.width(&text) > room - 4.0 {
                text = cut(&text, text.chars().count() - 1);
            }
            let half = SMALL.width(&text) / 2.0;
            if at - half >= free_from {
                drawing.text((at, self.bottom + 18.0), Anchor::Middle, SMALL, &text);
                free_from = at + half + 8.0;
            }
        }
        let middle = f64::midpoint(self.left, self.right);
        let letters = ((self.right - self.left) / 6.5) as usize;
        drawing.text(
            (middle, self.bottom + 38.0),
            Anchor::Middle,
            LABEL,
            &cut(&x.label, letters),
        );
    }
}

/// Bounds with some distance between them.
fn widened(low: f64, high: f64) -> (f64, f64) {
    if low < high {
        return (low, high);
    }
    let around = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
    (low - around, low + around)
}

/// The next of 1, 2, 5, 10, … times a power of ten.
fn round_step(step: f64) -> f64 {
    let unit = libm::pow(10.0, libm::floor(libm::log10(step)));
    let round = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|factor| step <= factor * unit * 1.000_001);
    round.unwrap_or(10.0) * unit
}

/// A number at a tick, with as many decimals as the distance of ticks asks for.
fn number(value: f64, step: f64) -> String {
    let value = if value.abs() < step * 1e-6 {
        0.0
    } else {
        value
    };
    if value != 0.0 && (value.abs() < 1e-4 || value.abs() >= 1e7) {
        return format!("{value:e}");
    }
    let decimals = (-libm::floor(libm::log10(step))).clamp(0.0, 9.0) as usize;
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |d| ("−", d));
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) && digits.len() > 4 {
            // A thin space: groups of three digits without a mark that reads as a decimal one.
            grouped.push('\u{2009}');
        }
        grouped.push(digit);
    }
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{grouped}{point}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, text)| text.as_str()).collect()
    }

    #[test]
    fn ticks_are_round() {
        let axis = Axis::linear("", 0.13, 0.94);
        assert_eq!(texts(&axis), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert!((axis.place(0.5, (0.0, 100.0)) - 50.0).abs() < 1e-9);
        let axis = Axis::linear("", -20_000.0, 20_000.0);
        assert_eq!(texts(&axis)[0], "−20\u{2009}000");
        assert_eq!(
            texts(&Axis::log("", 1.0, 100.0)),
            ["1", "2", "5", "10", "20", "50", "100"]
        );
        assert_eq!(
            texts(&Axis::log("", 0.01, 1e6)).first().copied(),
            Some("0.01")
        );
    }

    #[test]
    fn one_value_makes_an_axis_too() {
        for value in [0.0, 5.0, -5.0, 1e-12, 1e12] {
            let axis = Axis::linear("", value, value);
            let at = axis.place(value, (0.0, 100.0));
            assert!((0.0..=100.0).contains(&at), "{value}: {at}");
            assert!(axis.ticks.len() < 20);
        }
        let axis = Axis::log("", 3.0, 3.0);
        assert!((0.0..=100.0).contains(&axis.place(3.0, (0.0, 100.0))));
    }

    #[test]
    fn times_are_read_in_a_fitting_unit() {
        assert_eq!(
            Shown::of(Unit::Time, 0.4).label("response_time_s.p99"),
            "response_time_s.p99 (ms)"
        );
        assert_eq!(Shown::of(Unit::Count, 3.0).label("workers"), "workers");
    }
}
