//! Pictures of results: dots with intervals, and lines with intervals. Axes, units and ticks are
//! those of the core's plots.

use crate::theme::{Palette, font, mix};
use eframe::egui::{
    self, Align2, Color32, Painter, Rect, Response, Sense, Shape, Stroke, StrokeKind, Vec2, pos2,
    vec2,
};
use sim_core::experiment::{Comparison, words};
use sim_core::plot::axis::Axis;
use sim_core::plot::intervals::{Row, axis};
use sim_core::plot::lines::{Lines, Point};

/// Room below a picture for ticks and the name of the axis.
pub(super) const FOOT: f32 = 36.0;
/// Points and cells told of in words; the table has all.
const TOLD: usize = 40;
/// How near the pointer must be to something to be told about it.
const NEAR: f32 = 18.0;

/// Dots with intervals: means by rank, or differences from the first variant.
pub(super) fn intervals(ui: &mut egui::Ui, found: &Comparison, measure: usize, differences: bool) {
    let of = &found.measures[measure];
    let compared = &found.compared[measure];
    let first = &found.variants[0].name;
    let name = |variant: usize| found.variants[variant].name.clone();
    let mut rows: Vec<Row> = Vec::new();
    for place in &compared.ranking {
        let (estimate, note) = if differences {
            let Some(pair) = found.pair(measure, 0, place.variant) else {
                continue;
            };
            (&pair.difference, words::difference(found, measure, pair))
        } else {
            let estimate = &compared.estimates[place.variant];
            (estimate, words::estimate(of, estimate)[..2].join(" "))
        };
        rows.push(Row {
            name: name(place.variant),
            mean: estimate.mean(),
            interval: estimate.interval().map(|i| (i.low, i.high)),
            note,
        });
    }
    let label = if differences {
        format!("{} minus that of {first}", of.path())
    } else {
        of.path().to_owned()
    };
    let (x, shown, greatest) = axis(&label, of.unit(), &rows, differences);
    let (rect, response) = space(ui, 26.0 * rows.len() as f32 + FOOT + 8.0);
    let p = Palette::of(ui);
    let painter = ui.painter_at(rect);
    let names = widest(&painter, rows.iter().map(|row| row.name.as_str())).min(rect.width() * 0.4);
    let body = Rect::from_min_max(
        pos2(rect.left() + names + 14.0, rect.top() + 4.0),
        pos2(rect.right() - 16.0, rect.bottom() - FOOT),
    );
    frame(&painter, body, p);
    across(&painter, body, &x, p);
    let at = |value: f64| x.place(value * shown.factor, f64s(body.x_range())) as f32;
    if differences {
        let zero = [pos2(at(0.0), body.top()), pos2(at(0.0), body.bottom())];
        painter.extend(Shape::dashed_line(
            &zero,
            Stroke::new(1.5, p.weak),
            4.0,
            3.0,
        ));
    }
    let mut told = None;
    let mut described = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let y = body.top() + (i as f32 + 0.5) * body.height() / rows.len() as f32;
        let clipped = painter.with_clip_rect(Rect::from_min_max(
            rect.min,
            pos2(body.left() - 8.0, rect.bottom()),
        ));
        clipped.text(
            pos2(rect.left() + 2.0, y),
            Align2::LEFT_CENTER,
            &row.name,
            font(12.0),
            p.text,
        );
        let colour = p.series[1];
        if let Some((low, high)) = row.interval {
            let (low, high) = (at(low), at(high.min(greatest)));
            painter.hline(low..=high, y, Stroke::new(2.0, colour));
            for end in [low, high] {
                painter.vline(end, y - 5.0..=y + 5.0, Stroke::new(2.0, colour));
            }
        }
        if let Some(mean) = row.mean {
            if row.interval.is_some() {
                painter.circle_filled(pos2(at(mean), y), 4.0, colour);
            } else {
                // A mean without an interval is hollow: it promises nothing.
                painter.circle_stroke(pos2(at(mean), y), 3.5, Stroke::new(1.5, colour));
            }
        } else {
            painter.text(
                pos2(body.left() + 6.0, y),
                Align2::LEFT_CENTER,
                &row.note,
                font(11.0),
                p.weak,
            );
        }
        let about = format!("{}: {}", row.name, row.note);
        if response
            .hover_pos()
            .is_some_and(|pos| (pos.y - y).abs() < 13.0)
        {
            told = Some(about.clone());
        }
        described.push(about);
    }
    let what = format!("picture: {label}. {}", listed(&described));
    finish(response, &what, told);
}

/// A line along an axis, with an interval at each point.
pub(super) fn lines(ui: &mut egui::Ui, lines: &Lines) {
    let (y, shown) = lines.y_axis();
    let height = (ui.available_width() * 0.42).clamp(170.0, 270.0);
    let (rect, response) = space(ui, height);
    let p = Palette::of(ui);
    let painter = ui.painter_at(rect);
    let left = widest(&painter, y.ticks().iter().map(|(_, text)| text.as_str()));
    let body = Rect::from_min_max(
        pos2(rect.left() + left + 12.0, rect.top() + 22.0),
        pos2(rect.right() - 16.0, rect.bottom() - FOOT),
    );
    painter.text(
        rect.min + vec2(2.0, 2.0),
        Align2::LEFT_TOP,
        y.label(),
        font(11.5),
        p.text,
    );
    frame(&painter, body, p);
    across(&painter, body, &lines.x, p);
    upward(&painter, body, &y, p);
    let at = |point: &Point, value: f64| {
        let x = lines.x.place(point.x, f64s(body.x_range()));
        let up = (f64::from(body.bottom()), f64::from(body.top()));
        let y = y.place(value * shown.factor, up) as f32;
        pos2(x as f32, y.clamp(body.top(), body.bottom()))
    };
    let colour = p.series[1];
    let (mut told, mut nearest, mut missing) = (None, NEAR, 0);
    let points = || lines.series.iter().flat_map(|series| &series.points);
    if lines.joined {
        let all: Vec<&Point> = points().collect();
        for run in all.split(|p| p.mean.is_none()) {
            let line: Vec<_> = run
                .iter()
                .filter_map(|p| p.mean.map(|m| at(p, m)))
                .collect();
            if line.len() > 1 {
                painter.line(line, Stroke::new(1.8, colour));
            }
        }
    }
    for point in points() {
        let Some(mean) = point.mean else {
            if !point.about.is_empty() {
                missing += 1;
                let above = pos2(at(point, 0.0).x, body.top() - 6.0);
                cross(&painter, above, p.bad);
                hover(&response, above, point, &mut nearest, &mut told);
            }
            continue;
        };
        let place = at(point, mean);
        if let Some(half) = point.half_width {
            let (low, high) = (at(point, mean - half), at(point, mean + half));
            painter.line_segment([low, high], Stroke::new(1.5, colour));
            for end in [low, high] {
                painter.hline(end.x - 4.0..=end.x + 4.0, end.y, Stroke::new(1.5, colour));
            }
            painter.circle_filled(place, 3.5, colour);
        } else {
            painter.circle_filled(place, 3.5, p.sunken);
            painter.circle_stroke(place, 3.5, Stroke::new(1.5, colour));
        }
        hover(&response, place, point, &mut nearest, &mut told);
    }
    let hollow = points()
        .filter(|p| p.mean.is_some() && p.half_width.is_none())
        .count();
    let waiting = points()
        .filter(|p| p.mean.is_none() && p.about.is_empty())
        .count();
    let told_of: Vec<String> = points()
        .filter(|p| !p.about.is_empty())
        .map(|p| p.about.replace('\n', ": "))
        .collect();
    let what = format!(
        "picture: {} by {}. {}",
        lines.figure,
        lines.x.label(),
        listed(&told_of)
    );
    finish(response, &what, told);
    legend(
        ui,
        p,
        &[
            (hollow, "hollow: no interval, see the remark below"),
            (missing, "crossed: nothing can be said"),
            (waiting, "not simulated yet"),
        ],
    );
}

fn hover(
    response: &Response,
    at: egui::Pos2,
    point: &Point,
    nearest: &mut f32,
    told: &mut Option<String>,
) {
    if let Some(pos) = response.hover_pos() {
        let distance = pos.distance(at);
        if distance < *nearest {
            *nearest = distance;
            *told = Some(point.about.clone());
        }
    }
}

/// Room for a picture, across the panel.
pub(super) fn space(ui: &mut egui::Ui, height: f32) -> (Rect, Response) {
    let size = Vec2::new(ui.available_width().max(260.0), height);
    ui.allocate_exact_size(size, Sense::click())
}

/// Things told of in words, as many as anybody listens to.
pub(super) fn listed(all: &[String]) -> String {
    let more = all.len().saturating_sub(TOLD);
    let first = all[..all.len() - more].join("; ");
    if more > 0 {
        format!("{first}; and {more} more")
    } else {
        first
    }
}

/// Says what a picture shows, and what is under the pointer.
pub(super) fn finish(response: Response, what: &str, told: Option<String>) {
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, what));
    if let Some(told) = told {
        response.on_hover_text_at_pointer(told);
    }
}

fn frame(painter: &Painter, body: Rect, p: &Palette) {
    painter.rect_filled(body, 2.0, p.sunken);
    painter.rect_stroke(body, 2.0, Stroke::new(1.0, p.line), StrokeKind::Outside);
}

fn grid(p: &Palette) -> Stroke {
    Stroke::new(1.0, mix(p.sunken, p.line, 0.6))
}

/// Lines, ticks and the name of the axis from left to right.
fn across(painter: &Painter, body: Rect, x: &Axis, p: &Palette) {
    for (value, _) in x.ticks() {
        let at = painter.round_to_pixel_center(x.place(*value, f64s(body.x_range())) as f32);
        painter.vline(at, body.y_range(), grid(p));
    }
    ticks_across(painter, body, x, p);
}

pub(super) fn ticks_across(painter: &Painter, body: Rect, x: &Axis, p: &Palette) {
    let mut free = f32::NEG_INFINITY;
    for (value, text) in x.ticks() {
        let at = x.place(*value, f64s(body.x_range())) as f32;
        let galley = painter.layout_no_wrap(text.clone(), font(10.5), p.weak);
        let left = at - galley.size().x / 2.0;
        if left >= free {
            free = at + galley.size().x / 2.0 + 6.0;
            painter.galley(pos2(left, body.bottom() + 3.0), galley, p.weak);
        }
    }
    let at = pos2(body.center().x, body.bottom() + 18.0);
    painter.text(at, Align2::CENTER_TOP, x.label(), font(11.5), p.text);
}

fn upward(painter: &Painter, body: Rect, y: &Axis, p: &Palette) {
    let up = (f64::from(body.bottom()), f64::from(body.top()));
    for (value, text) in y.ticks() {
        let at = painter.round_to_pixel_center(y.place(*value, up) as f32);
        if at < body.top() - 1.0 || at > body.bottom() + 1.0 {
            continue;
        }
        painter.hline(body.x_range(), at, grid(p));
        painter.text(
            pos2(body.left() - 5.0, at),
            Align2::RIGHT_CENTER,
            text,
            font(10.5),
            p.weak,
        );
    }
}

fn cross(painter: &Painter, at: egui::Pos2, colour: Color32) {
    let stroke = Stroke::new(1.6, colour);
    for sign in [-1.0, 1.0] {
        painter.line_segment(
            [at + vec2(-3.5, -3.5 * sign), at + vec2(3.5, 3.5 * sign)],
            stroke,
        );
    }
}

/// What marks mean, where there are any.
pub(super) fn legend(ui: &mut egui::Ui, p: &Palette, marks: &[(usize, &str)]) {
    let there: Vec<String> = marks
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{words} ({count})"))
        .collect();
    if !there.is_empty() {
        ui.label(
            egui::RichText::new(there.join(" · "))
                .font(font(11.0))
                .color(p.weak),
        );
    }
}

pub(super) fn widest<'a>(painter: &Painter, texts: impl Iterator<Item = &'a str>) -> f32 {
    let width = |text: &str| {
        painter
            .layout_no_wrap(text.to_owned(), font(12.0), Color32::WHITE)
            .size()
            .x
    };
    texts.map(width).fold(0.0, f32::max)
}

fn f64s(range: egui::Rangef) -> (f64, f64) {
    (f64::from(range.min), f64::from(range.max))
}
