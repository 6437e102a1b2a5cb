//! Pictures of results: dots with intervals, and lines with intervals. Axes, units and ticks are
//! those of the core's plots.

use crate::theme::{Palette, font, mix};
use eframe::egui::{
    self, Align2, Color32, Painter, Rect, Response, Sense, Shape, Stroke, StrokeKind, Vec2, pos2,
    vec2,
};
use sim_core::experiment::Comparison;
use sim_core::plot::axis::Axis;
use sim_core::plot::intervals::{Row, axis};
use sim_core::plot::lines::{Lines, Point};
use sim_core::report::words;

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
            interval: estimate.ends(),
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
    let mut told = across(&painter, &response, body, &x, p);
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
    let head = (rect.min + vec2(2.0, 2.0), Align2::LEFT_TOP);
    let upper = title(&painter, &response, head, y.label(), rect.width() - 4.0, p);
    frame(&painter, body, p);
    let lower = across(&painter, &response, body, &lines.x, p);
    upward(&painter, body, &y, p);
    let at = |point: &Point, value: f64| {
        let x = lines.x.place(point.x, f64s(body.x_range()));
        let up = (f64::from(body.bottom()), f64::from(body.top()));
        let y = y.place(value * shown.factor, up) as f32;
        pos2(x as f32, y.clamp(body.top(), body.bottom()))
    };
    let colour = p.series[1];
    let (mut told, mut nearest, mut missing) = (upper.or(lower), NEAR, 0);
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
        if let Some((low, high)) = point.interval {
            let (low, high) = (at(point, low), at(point, high));
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
        .filter(|p| p.mean.is_some() && p.interval.is_none())
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

/// Room for a picture, across what can be seen of the panel: something else in it may be wider.
pub(super) fn space(ui: &mut egui::Ui, height: f32) -> (Rect, Response) {
    let seen = ui.clip_rect().right() - ui.cursor().left();
    let size = Vec2::new(ui.available_width().min(seen).max(260.0), height);
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

/// A text cut to what fits: from the left, at a dot if possible, since the end of a path tells what
/// it is; `None` where all of it fits.
pub(super) fn shortened(text: &str, fits: impl Fn(&str) -> bool) -> Option<String> {
    if fits(text) {
        return None;
    }
    let cut = |(at, sign): (usize, char)| format!("…{}", &text[at + sign.len_utf8()..]);
    let dots = text
        .char_indices()
        .filter(|(_, sign)| *sign == '.')
        .map(cut);
    let signs = text.char_indices().map(cut);
    dots.chain(signs).find(|short| fits(short))
}

/// Writes a title, shortened where it needs more than this width; the whole of it where it had to be
/// and the pointer is over it.
pub(super) fn title(
    painter: &Painter,
    response: &Response,
    (at, anchor): (egui::Pos2, Align2),
    text: &str,
    room: f32,
    p: &Palette,
) -> Option<String> {
    let galley = |text: &str| painter.layout_no_wrap(text.to_owned(), font(11.5), p.text);
    let short = shortened(text, |short| galley(short).size().x <= room);
    let galley = galley(short.as_deref().unwrap_or(text));
    let rect = anchor.anchor_size(at, galley.size());
    painter.galley(rect.min, galley, p.text);
    let pointed = response.hover_pos().is_some_and(|pos| rect.contains(pos));
    (short.is_some() && pointed).then(|| text.to_owned())
}

fn frame(painter: &Painter, body: Rect, p: &Palette) {
    painter.rect_filled(body, 2.0, p.sunken);
    painter.rect_stroke(body, 2.0, Stroke::new(1.0, p.line), StrokeKind::Outside);
}

fn grid(p: &Palette) -> Stroke {
    Stroke::new(1.0, mix(p.sunken, p.line, 0.6))
}

/// Lines, ticks and the name of the axis from left to right.
fn across(
    painter: &Painter,
    response: &Response,
    body: Rect,
    x: &Axis,
    p: &Palette,
) -> Option<String> {
    for (value, _) in x.ticks() {
        let at = painter.round_to_pixel_center(x.place(*value, f64s(body.x_range())) as f32);
        painter.vline(at, body.y_range(), grid(p));
    }
    ticks_across(painter, response, body, x, p)
}

/// Ticks and the name of the axis from left to right; the whole name where [`title`] says it.
pub(super) fn ticks_across(
    painter: &Painter,
    response: &Response,
    body: Rect,
    x: &Axis,
    p: &Palette,
) -> Option<String> {
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
    let all = response.rect;
    let room = 2.0 * (at.x - all.left()).min(all.right() - at.x) - 4.0;
    title(
        painter,
        response,
        (at, Align2::CENTER_TOP),
        x.label(),
        room,
        p,
    )
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

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn a_path_that_is_too_long_keeps_its_end() {
        let path = "service.web.server.web-1.queue.limit";
        let within = |room: usize| shortened(path, move |text| text.chars().count() <= room);
        assert_eq!(within(36), None);
        assert_eq!(within(35).as_deref(), Some("…web.server.web-1.queue.limit"));
        assert_eq!(within(12).as_deref(), Some("…queue.limit"));
        assert_eq!(within(5).as_deref(), Some("…imit"));
        assert_eq!(within(1).as_deref(), Some("…"));
        assert_eq!(within(0), None, "nothing fits");
    }
}
