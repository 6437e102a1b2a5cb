//! How far something in the background is, and the button that stops it.

use super::Cx;
use crate::command::{self, Command};
use crate::experiment::{Over, Report};
use crate::icon::{self, Icon};
use crate::theme::{Palette, bold_font};
use eframe::egui::{self, RichText, Sense, vec2};

/// Draws a report's progress, and a button for the command, by its name, that stops it.
pub(crate) fn draw(ui: &mut egui::Ui, cx: &mut Cx<'_>, report: &Report, stop: (&str, Command)) {
    let p = Palette::of(ui);
    ui.horizontal(|ui| {
        let (shape, colour) = match report.over {
            None => (Icon::Play, p.accent),
            Some(Over::Complete) => (Icon::Tick, p.good),
            Some(Over::Stopped) => (Icon::Square, p.warn),
            Some(Over::Broken) => (Icon::Cross, p.bad),
        };
        icon::inline(ui, shape, colour, 12.0);
        ui.label(RichText::new(report.words()).font(bold_font(12.5)));
        if report.over.is_none() {
            let share = report.progress.done as f32 / report.progress.planned.max(1) as f32;
            let room = (ui.available_width() - 64.0).clamp(20.0, 240.0);
            let (rect, _) = ui.allocate_exact_size(vec2(room, 8.0), Sense::hover());
            ui.painter().rect_filled(rect, 4.0, p.raised);
            let mut done = rect;
            done.set_width(rect.width() * share.clamp(0.0, 1.0));
            ui.painter().rect_filled(done, 4.0, p.accent);
            let keys =
                command::find(stop.0).map_or_else(String::new, |c| command::keys_words(c.keys));
            let hint = format!("Stops it; what is complete is kept  ({keys})");
            if ui.button("Stop").on_hover_text(hint).clicked() {
                cx.does(stop.1);
            }
        }
    });
}
