//! A lesson beside the run: predict, observe, explain.

use super::{Cx, PanelDef, Place};
use crate::command::Command;
use crate::icon::{self, Icon};
use crate::lesson::{Card, Lesson};
use crate::state::State;
use crate::theme::{Palette, bold_font, font};
use eframe::egui::{self, RichText};
use std::fmt::Write as _;

/// The row of this panel.
pub static PANEL: PanelDef = PanelDef {
    name: "lesson",
    title: "Lesson",
    about: "Questions to answer before time goes on, and what the run says to them.",
    place: Place::Left,
    draw,
    text,
};

/// The card of a moment: the last one that has come.
pub fn current(state: &State, lesson: &Lesson) -> Option<usize> {
    let clock = state.model()?.clock;
    let now = state.now();
    lesson.cards.iter().rposition(|card| card.at(clock) <= now)
}

/// Whether a card's answer is locked and the time of its explanation has come.
fn is_told(state: &State, number: usize, card: &Card) -> bool {
    let clock = state.model().and_then(|model| model.clock);
    state.answers.is_locked(number) && card.until(clock) <= state.now()
}

/// The card that is being explained.
pub(crate) fn explained(state: &State) -> Option<&Card> {
    let lesson = state.lesson.as_ref()?;
    let number = current(state, lesson)?;
    let card = &lesson.cards[number];
    (state.settings.is_open(PANEL.name) && is_told(state, number, card)).then_some(card)
}

/// Opens the plots where an explanation begins, which one of them shows.
fn open_plots(cx: &mut Cx<'_>, lesson: &Lesson) {
    let card = explained(cx.state).and_then(|_| current(cx.state, lesson));
    let begins = card != std::mem::replace(&mut cx.local.explained, card) && card.is_some();
    let plots = super::plots::PANEL.name;
    if begins && !cx.state.settings.is_open(plots) {
        cx.does(Command::Panel(plots));
    }
}

fn draw(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let state = cx.state;
    let Some(lesson) = &state.lesson else {
        return super::nothing(ui, "This scenario has no lesson.");
    };
    open_plots(cx, lesson);
    let p = Palette::of(ui);
    egui::ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        steps(ui, cx, lesson);
        match current(state, lesson) {
            None => {
                ui.label(RichText::new(&lesson.title).font(bold_font(13.0)));
                let words = "Time stops at each question. Answer before you go on; then see whether you were right.";
                ui.label(RichText::new(words).font(font(12.0)).color(p.weak));
                ui.add_space(4.0);
                if ui.button("Begin").clicked() {
                    cx.does(Command::PlayPause);
                }
            }
            Some(number) => show_card(ui, cx, lesson, number),
        }
        if cx.local.teacher && ui.small_button("Copy the answers as CSV").clicked() {
            cx.does(Command::Copy(state.answers.csv(lesson)));
        }
    });
}

/// One mark for each card; teachers may jump.
fn steps(ui: &mut egui::Ui, cx: &mut Cx<'_>, lesson: &Lesson) {
    let p = Palette::of(ui);
    let clock = cx.state.model().and_then(|model| model.clock);
    let now = cx.state.now();
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 5.0;
        for (i, card) in lesson.cards.iter().enumerate() {
            let come = card.at(clock) <= now;
            let given = cx.state.answers.given.get(i).copied().flatten();
            let told = card.until(clock) <= now || cx.local.teacher;
            let (fill, words) = match given {
                Some((answer, true)) if told && answer + 1 == card.right => (p.good, "right"),
                Some((_, true)) if told => (p.warn, "not right"),
                Some((_, true)) => (p.accent, "answered"),
                _ if come => (p.now, "open"),
                _ => (p.line, "to come"),
            };
            let (rect, response) =
                ui.allocate_exact_size(egui::vec2(19.0, 19.0), egui::Sense::click());
            ui.painter()
                .circle_stroke(rect.center(), 8.5, egui::Stroke::new(2.0, fill));
            ui.painter().text(
                rect.center(),
                egui::Align2::CENTER_CENTER,
                i + 1,
                bold_font(10.5),
                p.text,
            );
            let name = format!("question {}: {words}", i + 1);
            response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
            if (come || cx.local.teacher) && response.on_hover_text(&name).clicked() {
                cx.does(Command::Seek(card.at(clock)));
            }
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let button = egui::Button::selectable(
                cx.local.teacher,
                RichText::new("teacher").font(font(11.0)),
            );
            if ui
                .add(button)
                .on_hover_text("Shows all answers, and lets you jump")
                .clicked()
            {
                cx.local.teacher = !cx.local.teacher;
            }
        });
    });
    ui.add_space(4.0);
}

fn show_card(ui: &mut egui::Ui, cx: &mut Cx<'_>, lesson: &Lesson, number: usize) {
    let p = Palette::of(ui);
    let card = &lesson.cards[number];
    let given = cx.state.answers.given.get(number).copied().flatten();
    let locked = given.is_some_and(|(_, locked)| locked);
    let told = is_told(cx.state, number, card) || cx.local.teacher;
    ui.add(egui::Label::new(RichText::new(&card.question).font(bold_font(13.0))).wrap());
    ui.add_space(3.0);
    for (i, answer) in card.answers.iter().enumerate() {
        let chosen = given.is_some_and(|(given, _)| given == i);
        answer_row(
            ui,
            cx,
            number,
            i,
            answer,
            chosen,
            locked,
            told.then_some(i + 1 == card.right),
        );
    }
    ui.add_space(4.0);
    if told {
        ui.add(
            egui::Label::new(RichText::new(&card.explain).font(font(12.5)).color(p.text)).wrap(),
        );
        tries(ui, cx, card);
    } else if locked {
        let words = format!("Locked. Play on to {} and see.", card.until);
        ui.label(RichText::new(words).font(font(12.0)).color(p.weak));
        if ui.button(format!("Play to {}", card.until)).clicked() {
            cx.does(Command::PlayPause);
        }
    } else if ui
        .add_enabled(given.is_some(), egui::Button::new("Lock my answer"))
        .clicked()
        && let Some((answer, _)) = given
    {
        cx.does(Command::Answer(number, answer, true));
    }
}

#[allow(
    clippy::too_many_arguments,
    reason = "a row of a card: what it says and how it stands"
)]
fn answer_row(
    ui: &mut egui::Ui,
    cx: &mut Cx<'_>,
    card: usize,
    i: usize,
    answer: &str,
    chosen: bool,
    locked: bool,
    right: Option<bool>,
) {
    let p = Palette::of(ui);
    let width = ui.available_width();
    let galley = ui
        .painter()
        .layout(answer.to_owned(), font(12.5), p.text, width - 34.0);
    let height = (galley.size().y + 8.0).max(24.0);
    let (rect, response) = ui.allocate_exact_size(egui::vec2(width, height), egui::Sense::click());
    let painter = ui.painter();
    let fill = if chosen {
        p.tint(p.accent, 0.20)
    } else if response.hovered() && !locked {
        p.raised
    } else {
        p.panel
    };
    painter.rect_filled(rect, 5.0, fill);
    let edge = if response.has_focus() {
        p.accent
    } else {
        p.line
    };
    painter.rect_stroke(
        rect,
        5.0,
        egui::Stroke::new(1.0, edge),
        egui::StrokeKind::Inside,
    );
    let spot = egui::Rect::from_center_size(
        egui::pos2(rect.left() + 14.0, rect.center().y),
        egui::Vec2::splat(12.0),
    );
    match right {
        Some(true) => Icon::Tick.paint(painter, spot, p.good),
        Some(false) if chosen => Icon::Cross.paint(painter, spot, p.bad),
        _ if chosen => Icon::Disc.paint(painter, spot, p.accent),
        _ => Icon::Ring.paint(painter, spot, p.weak),
    }
    painter.galley(
        egui::pos2(rect.left() + 28.0, rect.center().y - galley.size().y / 2.0),
        galley,
        p.text,
    );
    response.widget_info(|| {
        egui::WidgetInfo::selected(egui::Role::RadioButton, !locked, chosen, answer)
    });
    if response.clicked() && !locked {
        cx.does(Command::Answer(card, i, false));
    }
}

/// What a card suggests to try.
fn tries(ui: &mut egui::Ui, cx: &mut Cx<'_>, card: &Card) {
    let (Some(edit), Some(at)) = (&card.edit, &card.edit_at) else {
        return;
    };
    ui.add_space(3.0);
    ui.horizontal(|ui| {
        let p = Palette::of(ui);
        icon::inline(ui, Icon::Fork, p.accent, 13.0);
        // In two lines where the panel is narrow, rather than cut.
        let button = egui::Button::new(format!("Try it: {edit} at {at}")).wrap();
        if ui.add(button).clicked() {
            cx.does(Command::Try(at.clone(), edit.clone()));
        }
    });
}

fn text(state: &State) -> String {
    let Some(lesson) = &state.lesson else {
        return String::new();
    };
    let Some(number) = current(state, lesson) else {
        return format!("{}: {} questions\n", lesson.title, lesson.cards.len());
    };
    let card = &lesson.cards[number];
    let mut text = format!("Question {}: {}\n", number + 1, card.question);
    for (i, answer) in card.answers.iter().enumerate() {
        let _ = writeln!(text, "  {}. {answer}", i + 1);
    }
    if is_told(state, number, card) {
        let _ = writeln!(text, "  right: {}. {}", card.right, card.explain);
        let plot = super::plots::PLOTS
            .iter()
            .find(|plot| plot.name == card.plot);
        if let Some(plot) = plot {
            let _ = writeln!(text, "  see the plot: {}", plot.title);
        }
    }
    text
}
