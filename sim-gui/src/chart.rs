//! A small chart: one series over the whole run, with the cursor.

use eframe::egui::{self, Pos2, Rect, Sense, Stroke, Vec2};
use sim_core::metric::Unit;

/// A series of values, one an interval; nothing where there is nothing to show.
pub struct Series {
    /// The metric's name.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// How its values are written.
    pub unit: Unit,
    /// The values.
    pub values: Vec<Option<f64>>,
}

const HEIGHT: f32 = 90.0;

/// Draws a series; gaps stay gaps.
pub(crate) fn show(ui: &mut egui::Ui, series: &Series, cursor: usize) {
    let highest = if series.unit == Unit::Ratio {
        1.0
    } else {
        series.values.iter().flatten().copied().fold(1.0, f64::max)
    };
    let now = series.values.get(cursor).copied().flatten();
    let now = now.map_or_else(
        || "nothing to show".to_owned(),
        |value| sim_core::readable::value(series.unit, value),
    );
    ui.label(format!("{} – {}: {now}", series.name, series.about));
    let (response, painter) =
        ui.allocate_painter(Vec2::new(ui.available_width(), HEIGHT), Sense::hover());
    let rect = response.rect;
    painter.rect_filled(rect, 3.0, ui.visuals().extreme_bg_color);
    let stroke = Stroke::new(1.5, ui.visuals().hyperlink_color);
    for line in columns(&series.values, rect, highest) {
        if line.len() > 1 {
            painter.line(line, stroke);
        }
    }
    let x = rect.left() + rect.width() * (cursor as f32 + 0.5) / series.values.len().max(1) as f32;
    painter.vline(
        x,
        rect.y_range(),
        Stroke::new(1.0, ui.visuals().text_color()),
    );
    response.widget_info(|| {
        egui::WidgetInfo::labeled(
            egui::Role::Label,
            true,
            format!("{} over time, now {now}", series.name),
        )
    });
}

/// The lines to draw: for every column of pixels the lowest and the highest value in it, so that
/// no spike is lost however long the run is.
fn columns(values: &[Option<f64>], rect: Rect, highest: f64) -> Vec<Vec<Pos2>> {
    let width = (rect.width() as usize).max(1);
    let per_column = values.len().div_ceil(width).max(1);
    let y = |value: f64| rect.bottom() - 2.0 - (value / highest) as f32 * (rect.height() - 4.0);
    let mut lines = vec![Vec::new()];
    for (column, chunk) in values.chunks(per_column).enumerate() {
        let known = || chunk.iter().flatten().copied();
        let x = rect.left() + rect.width() * (column * per_column) as f32 / values.len() as f32;
        match (known().reduce(f64::min), known().reduce(f64::max)) {
            (Some(low), Some(high)) => {
                if let Some(line) = lines.last_mut() {
                    line.push(Pos2::new(x, y(low)));
                    line.push(Pos2::new(x, y(high)));
                }
            }
            _ => lines.push(Vec::new()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_break_the_line_and_spikes_survive() {
        let rect = Rect::from_min_size(Pos2::ZERO, Vec2::new(10.0, 104.0));
        let mut values = vec![Some(0.0); 1000];
        values[555] = Some(1.0);
        values[700..800].fill(None);
        let lines = columns(&values, rect, 1.0);
        assert_eq!(lines.iter().filter(|line| !line.is_empty()).count(), 2);
        let top = lines
            .iter()
            .flatten()
            .map(|p| p.y)
            .fold(f32::INFINITY, f32::min);
        assert!((top - 2.0).abs() < 0.01, "the spike reaches the top: {top}");
    }
}
