//! Heat maps: a figure over two axes, the darker the more, in the colours of the core's plots.

use super::picture::{FOOT, finish, legend, listed, shortened, space, ticks_across, title, widest};
use crate::theme::{Palette, font};
use eframe::egui::{self, Align2, Color32, Painter, Rect, Stroke, StrokeKind, pos2, vec2};
use sim_core::plot::axis::{Axis, Shown};
use sim_core::plot::heat_map::{self, HeatMap, Spot};
use sim_core::readable;

/// A figure over two axes, the darker the more.
pub(super) fn draw(ui: &mut egui::Ui, map: &HeatMap) {
    let colours = map.colours();
    let shown = Shown::of(map.unit, colours.high);
    let (columns, rows) = (map.across.1.len().max(1), map.upward.1.len().max(1));
    let cell = (300.0 / rows as f32).clamp(12.0, 34.0);
    let (rect, response) = space(ui, cell * rows as f32 + FOOT + 24.0);
    let p = Palette::of(ui);
    let painter = ui.painter_at(rect);
    let x = Axis::words(map.across.0.clone(), &map.across.1);
    let y = Axis::words(map.upward.0.clone(), &map.upward.1);
    let left = widest(&painter, map.upward.1.iter().map(String::as_str)).min(rect.width() * 0.3);
    let body = Rect::from_min_max(
        pos2(rect.left() + left + 12.0, rect.top() + 22.0),
        pos2(rect.right() - 86.0, rect.bottom() - FOOT),
    );
    // The names of the upward axis and of the figure share a line.
    let figure = shown.label(&map.figure);
    let head = rect.shrink(2.0);
    let wanted = widest(&painter, std::iter::once(figure.as_str()));
    let right = wanted.min(head.width() / 2.0);
    let left_end = (head.left_top(), Align2::LEFT_TOP);
    let right_end = (head.right_top(), Align2::RIGHT_TOP);
    let room = head.width() - right - 12.0;
    let titles = [
        title(&painter, &response, left_end, y.label(), room, p),
        title(&painter, &response, right_end, &figure, right, p),
        ticks_across(&painter, &response, body, &x, p),
    ];
    let size = vec2(body.width() / columns as f32, body.height() / rows as f32);
    let mut told = titles.into_iter().flatten().next();
    let (mut waiting, mut missing) = (0, 0);
    let mut described = Vec::new();
    for (row, spots) in map.spots.iter().enumerate() {
        for (column, spot) in spots.iter().enumerate() {
            let corner = pos2(
                body.left() + size.x * column as f32,
                body.bottom() - size.y * (row + 1) as f32,
            );
            let cell = Rect::from_min_size(corner, size).shrink(0.5);
            if spot.about.is_empty() {
                waiting += 1;
                painter.rect_stroke(cell, 2.0, Stroke::new(1.0, p.line), StrokeKind::Inside);
                continue;
            }
            draw_spot(&painter, cell, spot, &colours, shown, p);
            missing += usize::from(spot.value.is_none());
            if response.hover_pos().is_some_and(|pos| cell.contains(pos)) {
                told = Some(spot.about.clone());
                painter.rect_stroke(cell, 2.0, Stroke::new(2.0, p.text), StrokeKind::Inside);
            }
            described.push(spot.about.replace('\n', ": "));
        }
    }
    upward_texts(&painter, body, &y, p, left);
    scale(&painter, body, &colours, shown, p);
    let what = format!(
        "picture: {} by {} and {}. {}",
        map.figure,
        map.across.0,
        map.upward.0,
        listed(&described)
    );
    finish(response, &what, told);
    legend(
        ui,
        p,
        &[
            (missing, "struck out: nothing can be said"),
            (waiting, "empty: not simulated yet"),
        ],
    );
}

fn draw_spot(
    painter: &Painter,
    cell: Rect,
    spot: &Spot,
    colours: &heat_map::Colours,
    shown: Shown,
    p: &Palette,
) {
    let Some(value) = spot.value else {
        painter.rect_filled(cell, 2.0, p.sunken);
        painter.rect_stroke(cell, 2.0, Stroke::new(1.0, p.line), StrokeKind::Inside);
        painter.line_segment(
            [cell.left_bottom(), cell.right_top()],
            Stroke::new(1.0, p.weak),
        );
        return;
    };
    let (red, green, blue) = heat_map::rgb(colours.share(value));
    let fill = Color32::from_rgb(red, green, blue);
    painter.rect_filled(cell, 2.0, fill);
    let (dark, light) = (Color32::from_rgb(0x10, 0x18, 0x20), Color32::WHITE);
    let contrast = crate::theme::contrast;
    let ink = if contrast(dark, fill) >= contrast(light, fill) {
        dark
    } else {
        light
    };
    let text = readable::short(value * shown.factor);
    let galley = painter.layout_no_wrap(text, font(11.0), ink);
    if galley.size().x + 4.0 <= cell.width() && galley.size().y <= cell.height() + 2.0 {
        let at = cell.center() - galley.size() / 2.0;
        painter.galley(at, galley, ink);
    }
}

/// The colours with their values, at the right of a map.
fn scale(painter: &Painter, body: Rect, colours: &heat_map::Colours, shown: Shown, p: &Palette) {
    let bar = Rect::from_min_max(
        pos2(body.right() + 14.0, body.top()),
        pos2(body.right() + 26.0, body.bottom()),
    );
    let steps = 40;
    for i in 0..steps {
        let share = f64::from(i) / f64::from(steps - 1);
        let (red, green, blue) = heat_map::rgb(share);
        let top = bar.bottom() - bar.height() * (i + 1) as f32 / steps as f32;
        let step = Rect::from_min_size(
            pos2(bar.left(), top),
            vec2(bar.width(), bar.height() / steps as f32 + 0.5),
        );
        painter.rect_filled(step, 0.0, Color32::from_rgb(red, green, blue));
    }
    let axis = colours.axis(shown);
    let up = (f64::from(bar.bottom()), f64::from(bar.top()));
    let mut free = f32::INFINITY;
    for (value, text) in axis.ticks() {
        let y = axis.place(*value, up) as f32;
        if y > bar.bottom() + 1.0 || y < bar.top() - 1.0 || y > free - 12.0 {
            continue;
        }
        free = y;
        painter.hline(bar.right()..=bar.right() + 3.0, y, Stroke::new(1.0, p.weak));
        painter.text(
            pos2(bar.right() + 5.0, y),
            Align2::LEFT_CENTER,
            text,
            font(10.0),
            p.weak,
        );
    }
}

fn upward_texts(painter: &Painter, body: Rect, y: &Axis, p: &Palette, room: f32) {
    let up = (f64::from(body.bottom()), f64::from(body.top()));
    let galley = |text: &str| painter.layout_no_wrap(text.to_owned(), font(10.5), p.weak);
    for (value, text) in y.ticks() {
        let at = pos2(body.left() - 6.0, y.place(*value, up) as f32);
        let short = shortened(text, |short| galley(short).size().x <= room);
        let galley = galley(short.as_deref().unwrap_or(text));
        let rect = Align2::RIGHT_CENTER.anchor_size(at, galley.size());
        painter.galley(rect.min, galley, p.weak);
    }
}
