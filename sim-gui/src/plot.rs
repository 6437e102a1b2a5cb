//! Drawing a plot: lines over time with gaps, on a linear or a logarithmic axis, with events.
//!
//! Lines are reduced to the lowest and the highest value in each column of pixels, so that no
//! spike is lost and the cost does not grow with the run.

use crate::theme::{Palette, bold_font, font};
use eframe::egui::text::{LayoutJob, TextWrapping};
use eframe::egui::{
    self, Align2, Color32, Galley, Painter, Pos2, Rangef, Rect, Shape, Stroke, StrokeKind, Vec2,
    pos2,
};
use sim_core::metric::Unit;
use sim_core::readable;
use std::sync::Arc;

/// How a line is drawn: apart from colour, so that it can be told without it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dash {
    /// Unbroken.
    Solid,
    /// Long strokes.
    Long,
    /// Dots.
    Dots,
}

/// A line of a plot.
pub struct Curve {
    /// What it is.
    pub label: String,
    /// Its colour.
    pub colour: Color32,
    /// How it is drawn.
    pub dash: Dash,
    /// A value for each row; not a number where there is none.
    pub values: Vec<f32>,
    /// Its value at the moment shown.
    pub now: Option<f64>,
    /// Whether it belongs to the branch beside the main one.
    pub beside: bool,
}

impl Curve {
    /// Its least and its greatest value.
    pub fn range(&self) -> [Option<f64>; 2] {
        let values = || self.values.iter().copied().filter(|v| v.is_finite());
        let of = |value: Option<f32>| value.map(f64::from);
        [of(values().reduce(f32::min)), of(values().reduce(f32::max))]
    }
}

/// A plot.
pub struct Plot<'a> {
    /// What it shows.
    pub title: &'a str,
    /// In what unit.
    pub unit: Unit,
    /// Whether the axis is logarithmic.
    pub log: bool,
    /// The lines.
    pub curves: Vec<Curve>,
    /// Values to compare with: a label and where it lies.
    pub limits: Vec<(String, f64)>,
    /// Stretches in which the site is down, as shares of the width.
    pub down: Vec<(f32, f32)>,
    /// Events, as shares of the width.
    pub marks: Vec<f32>,
    /// The moment shown, as a share of the width, where it is in it.
    pub now: Option<f32>,
    /// The moment under the pointer.
    pub hovered: Option<f32>,
    /// The same, written.
    pub pointed: Option<String>,
    /// Where the branches part.
    pub fork: Option<f32>,
    /// Where the first value lies, as a share of the width.
    pub start: f32,
    /// Length of a row as a share of the width.
    pub row: f32,
    /// Labels of the time axis: a share of the width and a text.
    pub times: Vec<(f32, String)>,
    /// Whether it is the one to look at.
    pub accent: bool,
}

/// Room for the labels of the value axis.
pub const GUTTER: f32 = 44.0;
const HEAD: f32 = 22.0;
const FOOT: f32 = 15.0;
/// Height of a further row of the key.
const KEY: f32 = 14.0;

/// A value of a plot's axis, written.
pub fn text(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Hertz => readable::short(value),
        Unit::Ratio => format!("{:.0} %", value * 100.0),
        _ => readable::value(unit, value),
    }
}

/// The value axis.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Axis {
    low: f64,
    high: f64,
    log: bool,
}

impl Axis {
    /// An axis that holds these values.
    pub fn of(plot: &Plot<'_>) -> Self {
        let values = || {
            plot.curves
                .iter()
                .flat_map(|c| c.values.iter().copied())
                .filter(|v| v.is_finite())
        };
        let highest = values().fold(0.0_f32, f32::max);
        let mut highest = f64::from(highest);
        for (_, limit) in &plot.limits {
            highest = highest.max(*limit * 1.1);
        }
        if plot.log {
            let lowest = values().filter(|v| *v > 0.0).fold(f32::INFINITY, f32::min);
            let lowest = if lowest.is_finite() {
                f64::from(lowest)
            } else {
                highest.max(1.0) / 100.0
            };
            let high = decade_above(highest.max(lowest * 1.01));
            let low = decade_below(lowest).min(high / 10.0);
            return Self {
                low,
                high,
                log: true,
            };
        }
        let high = match plot.unit {
            Unit::Ratio => 1.0,
            Unit::Count => round_above(highest.max(1.0)),
            // Where nothing is to be seen yet, the labels shall still differ.
            Unit::Hertz => round_above(highest.max(4.0)),
            Unit::Time => round_above(highest.max(1e6)),
        };
        Self {
            low: 0.0,
            high,
            log: false,
        }
    }

    /// Where a value lies, from 0 at the bottom to 1 at the top.
    pub fn share(&self, value: f64) -> f32 {
        let share = if self.log {
            let value = value.max(self.low) / self.low;
            (value as f32).ln() / ((self.high / self.low) as f32).ln()
        } else {
            ((value - self.low) / (self.high - self.low)) as f32
        };
        share.clamp(0.0, 1.0)
    }

    /// Where lines are drawn across.
    fn ticks(&self) -> Vec<f64> {
        if !self.log {
            return (0..=4).map(|i| self.high * f64::from(i) / 4.0).collect();
        }
        let mut ticks = Vec::new();
        let mut tick = self.low;
        while tick <= self.high * 1.001 && ticks.len() < 16 {
            ticks.push(tick);
            tick *= 10.0;
        }
        ticks
    }
}

fn decade_above(value: f64) -> f64 {
    let value = value.clamp(1e-300, 1e300);
    let mut decade = 1.0;
    while decade < value * 0.999 {
        decade *= 10.0;
    }
    while decade / 10.0 >= value * 0.999 {
        decade /= 10.0;
    }
    decade
}

fn decade_below(value: f64) -> f64 {
    let above = decade_above(value);
    if above <= value * 1.001 {
        above
    } else {
        above / 10.0
    }
}

/// The next number above whose quarter is round too.
fn round_above(value: f64) -> f64 {
    let decade = decade_below(value);
    [1.0, 2.0, 4.0, 6.0, 8.0, 10.0]
        .into_iter()
        .map(|factor| factor * decade)
        .find(|candidate| *candidate >= value * 0.999)
        .unwrap_or(decade * 10.0)
}

/// The part of a plot's rectangle in which lines lie, where its key is a single row.
pub fn body(rect: Rect) -> Rect {
    Rect::from_min_max(
        pos2(rect.left() + GUTTER, rect.top() + HEAD),
        pos2(rect.right() - 4.0, rect.bottom() - FOOT),
    )
}

/// Draws a plot into a rectangle.
pub fn draw(painter: &Painter, rect: Rect, plot: &Plot<'_>, p: &Palette) {
    let key = Key::of(painter, rect, plot, p);
    let mut body = body(rect);
    body.min.y += key.height();
    let axis = Axis::of(plot);
    let x = |share: f32| body.left() + share.clamp(0.0, 1.0) * body.width();
    let y = |value: f64| body.bottom() - axis.share(value) * body.height();
    painter.rect_filled(body, 2.0, p.sunken);
    for (start, end) in &plot.down {
        let band = Rect::from_x_y_ranges(Rangef::new(x(*start), x(*end)), body.y_range());
        painter.rect_filled(band, 0.0, crate::theme::mix(p.sunken, p.bad, 0.14));
    }
    let grid = Stroke::new(1.0, crate::theme::mix(p.sunken, p.line, 0.6));
    // Labels that would lie upon each other are left out; the lines stay.
    let mut lowest = f32::INFINITY;
    for tick in axis.ticks() {
        let at = painter.round_to_pixel_center(y(tick));
        painter.hline(body.x_range(), at, grid);
        if at > lowest - 11.0 {
            continue;
        }
        lowest = at;
        painter.text(
            pos2(body.left() - 5.0, at),
            Align2::RIGHT_CENTER,
            text(plot.unit, tick),
            font(10.0),
            p.weak,
        );
    }
    let mut end = f32::NEG_INFINITY;
    for (share, label) in &plot.times {
        painter.vline(
            painter.round_to_pixel_center(x(*share)),
            body.y_range(),
            grid,
        );
        let galley = painter.layout_no_wrap(label.clone(), font(10.0), p.weak);
        let left = x(*share) - galley.size().x / 2.0;
        if left > end + 4.0 {
            end = left + galley.size().x;
            painter.galley(pos2(left, body.bottom() + 2.0), galley, p.weak);
        }
    }
    for mark in &plot.marks {
        dotted(painter, x(*mark), body.y_range(), p.weak);
    }
    let mut labels = Vec::new();
    for (label, limit) in &plot.limits {
        let line = [pos2(body.left(), y(*limit)), pos2(body.right(), y(*limit))];
        painter.extend(Shape::dashed_line(&line, Stroke::new(1.0, p.bad), 5.0, 4.0));
        let galley = painter.layout_no_wrap(label.clone(), font(10.0), p.bad);
        let above = y(*limit) - galley.size().y - 1.0;
        let top = if above < body.top() {
            y(*limit) + 1.0
        } else {
            above
        };
        labels.push((pos2(body.right() - 3.0 - galley.size().x, top), galley));
    }
    let clipped = painter.with_clip_rect(body.expand(1.0));
    for (curve, other) in twins(plot) {
        between(&clipped, (curve, other), body, plot, &|v| y(f64::from(v)));
    }
    for curve in plot.curves.iter().rev() {
        for line in columns(&curve.values, body, (plot.start, plot.row), |v| {
            y(f64::from(v))
        }) {
            stroke(&clipped, line, curve, curve.colour);
        }
    }
    for (at, galley) in labels {
        let plate = Rect::from_min_size(at, galley.size()).expand2(Vec2::new(3.0, 0.0));
        painter.rect_filled(plate, 2.0, p.sunken.gamma_multiply(0.8));
        painter.galley(at, galley, p.bad);
    }
    if let Some(fork) = plot.fork {
        painter.vline(x(fork), body.y_range(), Stroke::new(1.5, p.accent));
    }
    if let Some(now) = plot.now {
        painter.vline(x(now), body.y_range(), Stroke::new(1.5, p.now));
    }
    if let Some((hovered, words)) = plot.hovered.zip(plot.pointed.as_ref()) {
        painter.vline(x(hovered), body.y_range(), Stroke::new(1.0, p.text));
        let galley = painter.layout_no_wrap(words.clone(), font(10.0), p.text);
        let width = galley.size().x;
        let left = (x(hovered) - width / 2.0).clamp(rect.left(), rect.right() - width);
        let at = pos2(left, body.bottom() + 2.0);
        let plate = Rect::from_min_size(at, galley.size()).expand2(Vec2::new(3.0, 0.0));
        painter.rect_filled(plate, 2.0, p.panel);
        painter.galley(at, galley, p.text);
    }
    let edge = if plot.accent {
        Stroke::new(2.0, p.accent)
    } else {
        Stroke::new(1.0, p.line)
    };
    painter.rect_stroke(body, 2.0, edge, StrokeKind::Outside);
    head(painter, rect, plot, &key, p);
}

/// Lines of the main future with the same lines of the one beside.
fn twins<'a>(plot: &'a Plot<'_>) -> impl Iterator<Item = (&'a Curve, &'a Curve)> {
    let main = plot.curves.iter().filter(|curve| !curve.beside);
    main.filter_map(|curve| Some((curve, twin(plot, curve)?)))
}

/// The same line of the future beside.
fn twin<'a>(plot: &'a Plot<'_>, curve: &Curve) -> Option<&'a Curve> {
    let mut others = plot.curves.iter().filter(|other| other.beside);
    others.find(|other| other.label.get(2..) == Some(&curve.label))
}

/// Fills what lies between a line and the same line of the future beside: the difference that a change makes.
fn between(
    painter: &Painter,
    (curve, other): (&Curve, &Curve),
    body: Rect,
    plot: &Plot<'_>,
    y: &dyn Fn(f32) -> f32,
) {
    let per_row = plot.row * body.width();
    let rows = ((1.0 / per_row.max(1e-6)).floor() as usize).max(1);
    let ink = curve.colour.gamma_multiply(0.20);
    let mean = |values: &[f32]| {
        let known = || values.iter().filter(|v| v.is_finite());
        let count = known().count();
        (count > 0).then(|| known().sum::<f32>() / count as f32)
    };
    let mut mesh = egui::Mesh::default();
    let pairs = curve.values.chunks(rows).zip(other.values.chunks(rows));
    for (column, (a, b)) in pairs.enumerate() {
        let Some((a, b)) = mean(a).zip(mean(b)) else {
            continue;
        };
        let (a, b) = (y(a), y(b));
        if (a - b).abs() < 0.5 {
            continue;
        }
        let left = body.left() + plot.start * body.width() + (column * rows) as f32 * per_row;
        let right = left + rows as f32 * per_row;
        mesh.add_colored_rect(
            Rect::from_x_y_ranges(left..=right, a.min(b)..=a.max(b)),
            ink,
        );
    }
    painter.add(mesh);
}

/// A line as it is drawn, for legends.
pub fn sample(painter: &Painter, rect: Rect, curve: &Curve) {
    let line = vec![rect.left_center(), rect.right_center()];
    stroke(painter, line, curve, curve.colour);
}

fn stroke(painter: &Painter, line: Vec<Pos2>, curve: &Curve, colour: Color32) {
    let width = if curve.beside { 1.6 } else { 1.8 };
    let stroke = Stroke::new(width, colour);
    if line.len() < 2 {
        if let Some(point) = line.first() {
            painter.circle_filled(*point, 1.5, colour);
        }
        return;
    }
    match curve.dash {
        Dash::Solid => drop(painter.line(line, stroke)),
        Dash::Long => painter.extend(Shape::dashed_line(&line, stroke, 6.0, 3.5)),
        Dash::Dots => painter.extend(Shape::dashed_line(&line, stroke, 1.8, 2.6)),
    }
}

fn dotted(painter: &Painter, x: f32, range: Rangef, colour: Color32) {
    let line = [pos2(x, range.min), pos2(x, range.max)];
    let stroke = Stroke::new(1.0, colour.gamma_multiply(0.6));
    painter.extend(Shape::dashed_line(&line, stroke, 1.5, 3.0));
}

/// The key of a plot: a row beside its title and, where that is not enough, rows below; every line that is drawn is in it.
struct Key {
    /// What the marks of the future beside are.
    beside: Option<String>,
    /// Lines and their words, row by row.
    rows: Vec<Vec<(usize, Arc<Galley>)>>,
}

/// Room of an entry beside its words.
const SAMPLE: f32 = 30.0;

impl Key {
    fn of(painter: &Painter, rect: Rect, plot: &Plot<'_>, p: &Palette) -> Self {
        let title = title(painter, plot, p).size().x;
        let letter = |curve: &Curve| curve.label.split(' ').next().map(str::to_owned);
        let beside = plot.curves.iter().find(|curve| curve.beside);
        let beside = beside
            .and_then(letter)
            .map(|letter| format!("dots: {letter}"));
        let note = beside.as_ref().map_or(0.0, |words| {
            let galley = painter.layout_no_wrap(words.clone(), font(10.5), p.weak);
            galley.size().x + 8.0
        });
        let whole = rect.width() - 4.0;
        let mut rows = vec![Vec::new()];
        let mut left = whole - title - note - 10.0;
        for (number, curve) in plot.curves.iter().enumerate() {
            // The same line of the future beside has the same hue, in dots: it is named once.
            let named = |other: &Curve| !other.beside && curve.label.get(2..) == Some(&other.label);
            if curve.beside && plot.curves.iter().any(named) {
                continue;
            }
            let value = |curve: &Curve| {
                let now = curve.now.map(|v| text(plot.unit, v));
                now.unwrap_or_else(|| "–".to_owned())
            };
            let mut words = format!("{} {}", curve.label, value(curve));
            if let Some(other) = twin(plot, curve).filter(|_| !curve.beside) {
                let letter = other.label.split(' ').next().unwrap_or_default();
                words = format!("{words}, {letter} {}", value(other));
            }
            let mut job = LayoutJob::simple_singleline(words, font(10.5), p.text);
            job.wrap = TextWrapping::truncate_at_width(whole - SAMPLE);
            let galley = painter.layout_job(job);
            let wanted = galley.size().x + SAMPLE;
            if wanted > left {
                rows.push(Vec::new());
                left = whole;
            }
            left -= wanted;
            if let Some(row) = rows.last_mut() {
                row.push((number, galley));
            }
        }
        Self { beside, rows }
    }

    /// Height of the rows that do not stand beside the title.
    fn height(&self) -> f32 {
        (self.rows.len() - 1) as f32 * KEY
    }
}

fn title(painter: &Painter, plot: &Plot<'_>, p: &Palette) -> Arc<Galley> {
    let ink = if plot.accent { p.accent } else { p.text };
    painter.layout_no_wrap(plot.title.to_owned(), bold_font(12.0), ink)
}

/// Title to the left, lines with their present values to the right and below.
fn head(painter: &Painter, rect: Rect, plot: &Plot<'_>, key: &Key, p: &Palette) {
    let mut top = rect.top() + HEAD / 2.0 - 2.0;
    let title = title(painter, plot, p);
    let end = rect.left() + title.size().x;
    painter.galley(pos2(rect.left(), top - title.size().y / 2.0), title, p.text);
    if let Some(words) = &key.beside {
        painter.text(
            pos2(end + 8.0, top),
            Align2::LEFT_CENTER,
            words,
            font(10.5),
            p.weak,
        );
    }
    for row in &key.rows {
        let width: f32 = row.iter().map(|(_, galley)| galley.size().x + SAMPLE).sum();
        let mut left = rect.right() - 4.0 - width;
        for (number, galley) in row {
            let curve = &plot.curves[*number];
            let sample = vec![pos2(left + 8.0, top), pos2(left + 24.0, top)];
            stroke(painter, sample, curve, curve.colour);
            let at = pos2(left + 28.0, top - galley.size().y / 2.0);
            left += SAMPLE + galley.size().x;
            painter.galley(at, Arc::clone(galley), p.text);
        }
        top += KEY;
    }
}

/// The lines to draw: for every column of pixels the lowest and the highest value in it.
fn columns(
    values: &[f32],
    body: Rect,
    (start, row): (f32, f32),
    y: impl Fn(f32) -> f32,
) -> Vec<Vec<Pos2>> {
    let begin = body.left() + start * body.width();
    let per_row = row * body.width();
    let rows = ((1.0 / per_row.max(1e-6)).floor() as usize).max(1);
    let mut lines: Vec<Vec<Pos2>> = vec![Vec::new()];
    for (column, chunk) in values.chunks(rows).enumerate() {
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for value in chunk.iter().filter(|v| v.is_finite()) {
            (low, high) = (low.min(*value), high.max(*value));
        }
        let Some(line) = lines.last_mut() else {
            break;
        };
        if low > high {
            if !line.is_empty() {
                lines.push(Vec::new());
            }
            continue;
        }
        let x = begin + ((column * rows) as f32 + chunk.len() as f32 / 2.0) * per_row;
        let (first, second) = match line.last() {
            Some(last) if (last.y - y(high)).abs() < (last.y - y(low)).abs() => (high, low),
            _ => (low, high),
        };
        line.push(pos2(x, y(first)));
        if (y(first) - y(second)).abs() > 0.4 {
            line.push(pos2(x, y(second)));
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// Size of a plot with room for its labels.
pub fn size(width: f32, height: f32) -> Vec2 {
    Vec2::new(width, height.max(HEAD + FOOT + 24.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_break_a_line_and_spikes_survive() {
        let body = Rect::from_min_size(Pos2::ZERO, Vec2::new(10.0, 100.0));
        let mut values = vec![0.0; 1000];
        values[555] = 1.0;
        values[700..900].fill(f32::NAN);
        let lines = columns(&values, body, (0.0, 1.0 / 1000.0), |v| 100.0 - v * 100.0);
        assert_eq!(lines.len(), 2);
        let top = lines
            .iter()
            .flatten()
            .map(|p| p.y)
            .fold(f32::INFINITY, f32::min);
        assert!(top.abs() < 0.01, "the spike reaches the top: {top}");
        assert!(
            lines.iter().flatten().count() < 40,
            "a few points for each column"
        );
    }

    #[test]
    fn axes_end_at_round_numbers() {
        let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-9, "{a} is not {b}");
        close(round_above(437.0), 600.0);
        close(round_above(0.03), 0.04);
        close(round_above(1000.0), 1000.0);
        close(decade_below(450.0), 100.0);
        close(decade_above(0.002), 0.01);
    }
}
