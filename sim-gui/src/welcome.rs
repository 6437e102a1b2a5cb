//! The opening scene: what the run is about, two ways into it, and the run itself as a picture that moves.

use crate::command::{Command, find};
use crate::icon::Icon;
use crate::panel::{Cx, banner, topology};
use crate::state::State;
use crate::theme::{Palette, bold_font, font};
use eframe::egui::{
    self, Align2, Color32, Margin, Rect, RichText, Sense, Stroke, StrokeKind, pos2, vec2,
};
use sim_core::time::Instant;

/// Share of a run that is played before it where no lesson says how far.
const SHARE: u64 = 10;
/// Widest lines that are read with ease.
const WIDEST: f32 = 760.0;

/// Where the picture stops: before the first question, so that nothing is told of what is asked.
pub(crate) fn until(state: &State) -> Instant {
    let clock = state.model().and_then(|model| model.clock);
    let first = state
        .lesson
        .as_ref()
        .and_then(|lesson| lesson.cards.first());
    let end = first.map_or(Instant(state.horizon().0 / SHARE), |card| card.at(clock));
    end.min(state.horizon())
}

/// Draws it in place of all panels.
pub(crate) fn draw(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let p = Palette::of(ui);
    let narrow = ui.available_width() < 700.0;
    let margin = if narrow { 16 } else { 40 };
    let frame = egui::Frame::new()
        .fill(p.panel)
        .inner_margin(Margin::symmetric(margin, margin * 3 / 5));
    egui::CentralPanel::default().frame(frame).show(ui, |ui| {
        let wide = ui.available_width().min(WIDEST);
        let size = if narrow { 22.0 } else { 30.0 };
        ui.label(
            RichText::new("Stampede")
                .font(bold_font(13.0))
                .color(p.accent),
        );
        ui.add_space(2.0);
        let title = cx.state.title().to_owned();
        words(ui, &title, bold_font(size), p.text, wide);
        let question = cx
            .state
            .scenario
            .as_ref()
            .map_or("", |s| s.question())
            .to_owned();
        if !question.is_empty() {
            ui.add_space(4.0);
            words(
                ui,
                &question,
                font(if narrow { 14.0 } else { 16.0 }),
                p.weak,
                wide,
            );
        }
        ui.add_space(14.0);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(12.0, 8.0);
            if big(ui, "watch", true) {
                cx.does(Command::Watch);
            }
            if cx.state.lesson.is_some() && big(ui, "take-lesson", false) {
                cx.does(Command::TakeLesson);
            }
            let other = egui::Button::new(RichText::new("Another model …").font(font(13.0)));
            let about = "All models with their questions, and files of your own.";
            if ui.add(other.frame(false)).on_hover_text(about).clicked() {
                cx.does(Command::Panel("gallery"));
            }
        });
        ui.add_space(16.0);
        preview(ui, cx);
    });
}

fn words(ui: &mut egui::Ui, text: &str, face: egui::FontId, ink: Color32, wide: f32) {
    let words = RichText::new(text).font(face).color(ink);
    ui.scope(|ui| {
        ui.set_max_width(wide);
        ui.add(egui::Label::new(words).wrap());
    });
}

/// One of the ways in: the button of a command.
fn big(ui: &mut egui::Ui, command: &str, first: bool) -> bool {
    let Some(command) = find(command) else {
        return false;
    };
    let p = Palette::of(ui);
    let (fill, ink) = if first {
        (p.accent, p.on_accent)
    } else {
        (p.raised, p.text)
    };
    let words = RichText::new(command.title)
        .font(bold_font(16.0))
        .color(ink);
    let button = egui::Button::new(words)
        .fill(fill)
        .min_size(vec2(180.0, 44.0));
    ui.add(button).on_hover_text(command.about).clicked()
}

/// The run as it goes, with the moment and the state of the site.
fn preview(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let p = Palette::of(ui);
    let rect = ui.available_rect_before_wrap();
    ui.allocate_rect(rect, Sense::hover());
    ui.painter()
        .rect_stroke(rect, 9.0, Stroke::new(1.0, p.line), StrokeKind::Inside);
    let inside = rect.shrink(12.0);
    let Some(view) = cx.state.view() else {
        let words = cx.state.waiting_words();
        ui.painter().text(
            rect.center(),
            Align2::CENTER_CENTER,
            words,
            font(13.0),
            p.weak,
        );
        return;
    };
    let (word, icon, colour) = banner::site_look(view.site, p);
    let line = inside.top() + 8.0;
    let clock = cx.state.label_to_second(view.at);
    let at = pos2(inside.left() + 4.0, line);
    let clock = ui
        .painter()
        .text(at, Align2::LEFT_CENTER, clock, bold_font(15.0), p.text);
    state_word(ui, pos2(clock.right() + 18.0, line), (word, icon, colour));
    let stage = inside.with_min_y(inside.top() + 26.0);
    let _ = topology::picture(ui, cx, view, stage, "");
}

fn state_word(ui: &egui::Ui, at: egui::Pos2, (word, icon, colour): (&str, Icon, Color32)) {
    let spot = Rect::from_center_size(at, vec2(11.0, 11.0));
    icon.paint(ui.painter(), spot, colour);
    let at = at + vec2(11.0, 0.0);
    ui.painter()
        .text(at, Align2::LEFT_CENTER, word, bold_font(12.5), colour);
}
