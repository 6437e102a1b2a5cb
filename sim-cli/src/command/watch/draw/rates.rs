//! Requests per second over time: offered, answered in time, failed, on one scale.

use super::axis::Axis;
use super::look::column;
use super::plan::Plan;
use super::{BAD, GOOD, Scene, WEAK, put, width};
use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::Style;
use sim_core::readable;
use sim_playback::{Column, site_now};

/// Metrics, and how they are called; the last lines are left out where there is no room.
const CURVES: [(&str, &str); 3] = [
    ("failed_hz", "failed"),
    ("goodput_hz", "goodput"),
    ("offered_hz", "offered"),
];

/// Draws the curves.
pub(super) fn draw(scene: &Scene<'_>, plan: &Plan, axis: &Axis, buffer: &mut Buffer) {
    let series = &scene.branch.series;
    let values = |name: &str| {
        let column = Column::site(name);
        let rows = axis.all();
        rows.filter_map(move |row| series.value(column?, row))
    };
    let top = CURVES
        .iter()
        .flat_map(|(name, _)| values(name))
        .fold(0.0, f64::max);
    let count = usize::from(plan.rates.height / plan.curve.max(1));
    let curves = CURVES.iter().take(count).rev();
    for (number, (metric, name)) in curves.enumerate() {
        let line = Rect::new(
            plan.rates.x,
            plan.rates.y + number as u16 * plan.curve,
            plan.rates.width,
            plan.curve,
        );
        let style = match *metric {
            "failed_hz" => scene.look.ink(BAD),
            "goodput_hz" => scene.look.ink(GOOD),
            _ => Style::new(),
        };
        let [names, lane, now] = plan.parts(line);
        let last = line.bottom() - 1;
        put(buffer, (names.x, last), names.width, name, style);
        curve(
            scene,
            Column::site(metric),
            axis,
            (lane, top),
            style,
            buffer,
        );
        let value = site_now(scene.branch, scene.view, metric);
        let value = value.map_or_else(|| "–".to_owned(), rate);
        put(
            buffer,
            (now.x, last),
            now.width,
            &value,
            scene.look.bold(None),
        );
        if number == 0 && top > 0.0 {
            let scale = format!("scale to {}", rate(top));
            let x = now.x + 11;
            if x + width(&scale) <= now.right() {
                put(buffer, (x, last), width(&scale), &scale, WEAK);
            }
        }
    }
}

fn rate(hz: f64) -> String {
    let hz = if hz >= 100.0 { hz.round() } else { hz };
    format!("{}/s", readable::short(hz))
}

/// A column is as high as its rows on average.
fn curve(
    scene: &Scene<'_>,
    metric: Option<Column>,
    axis: &Axis,
    (lane, top): (Rect, f64),
    style: Style,
    buffer: &mut Buffer,
) {
    let Some(metric) = metric.filter(|_| top > 0.0) else {
        return;
    };
    for x in 0..axis.columns() {
        let rows = axis.rows(x);
        let values = rows.filter_map(|row| scene.branch.series.value(metric, row));
        let (sum, count) =
            values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
        if count == 0 {
            continue;
        }
        let share = sum / f64::from(count) / top;
        for (line, part) in column(share, lane.height).into_iter().enumerate() {
            let y = lane.bottom() - 1 - line as u16;
            put(
                buffer,
                (lane.x + x, y),
                1,
                part.encode_utf8(&mut [0; 4]),
                style,
            );
        }
    }
}
