//! The models that come with the program, with a question each.

use super::{Cx, PanelDef, Place};
use crate::command::Command;
use crate::state::State;
use crate::theme::{Palette, bold_font, font};
use eframe::egui::{self, Rect, Sense, Stroke, StrokeKind, vec2};
use sim_core::scenario::Scenario;
use std::fmt::Write as _;
use std::sync::OnceLock;

/// The row of this panel.
pub static PANEL: PanelDef = PanelDef {
    name: "gallery",
    title: "Models",
    about: "The models that come with the program; a click opens one.",
    place: Place::Middle,
    draw,
    text,
};

/// A model of the library.
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// Its title.
    pub title: String,
    /// What it asks.
    pub question: String,
    /// Whether there is a lesson beside it.
    pub lesson: bool,
}

/// Every model, read once.
pub fn entries() -> &'static [Entry] {
    static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        let entry = |name: &'static str| {
            let scenario = Scenario::read(crate::MODELS.find(name)?, &[], &crate::MODELS).ok()?;
            let (title, question) = (scenario.title().to_owned(), scenario.question().to_owned());
            let path = crate::MODELS.find(name)?.name;
            Some(Entry {
                name,
                title,
                question,
                lesson: crate::lesson::path_beside(&path)
                    .is_some_and(|p| crate::files::lesson(&p).is_some()),
            })
        };
        crate::MODELS
            .names()
            .into_iter()
            .filter_map(entry)
            .collect()
    })
}

fn draw(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    super::heading(ui, "Models");
    let p = Palette::of(ui);
    ui.label(egui::RichText::new("Each answers a question. A click opens it.").color(p.weak));
    open_file(ui, cx);
    ui.add_space(4.0);
    egui::ScrollArea::vertical()
        .auto_shrink([false, false])
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 6.0;
            for entry in entries() {
                card(ui, cx, entry, p);
            }
        });
}

/// A scenario of one's own: by its path, or dropped anywhere.
fn open_file(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let p = Palette::of(ui);
    if cfg!(target_arch = "wasm32") {
        let words = "A scenario of your own: drop the file onto this page.";
        ui.label(egui::RichText::new(words).color(p.weak));
        return;
    }
    ui.horizontal(|ui| {
        let edit = egui::TextEdit::singleline(&mut cx.local.path)
            .hint_text("A scenario of your own: its path, or drop the file here")
            .desired_width(ui.available_width() - 80.0);
        let field = ui.add(edit);
        field.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::TextInput, true, "path of a scenario")
        });
        let entered = field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
        let named = !cx.local.path.trim().is_empty();
        if ui.add_enabled(named, egui::Button::new("Open")).clicked() || (entered && named) {
            let path = cx.local.path.trim().to_owned();
            cx.does(Command::OpenModel(path));
        }
    });
}

fn card(ui: &mut egui::Ui, cx: &mut Cx<'_>, entry: &Entry, p: &Palette) {
    let width = ui.available_width() - 8.0;
    let painter = ui.painter();
    let title = painter.layout(entry.title.clone(), bold_font(13.0), p.text, width - 180.0);
    let question = painter.layout(entry.question.clone(), font(12.0), p.weak, width - 24.0);
    let height = 16.0 + title.size().y + question.size().y + 4.0;
    let (rect, response) = ui.allocate_exact_size(vec2(width, height), Sense::click());
    let open = cx.state.name == entry.name;
    let fill = if response.hovered() {
        crate::theme::mix(p.raised, p.accent, 0.10)
    } else {
        p.raised
    };
    ui.painter().rect_filled(rect, 6.0, fill);
    let outline = if open || response.has_focus() {
        Stroke::new(2.0, p.accent)
    } else {
        Stroke::new(1.0, p.line)
    };
    ui.painter()
        .rect_stroke(rect, 6.0, outline, StrokeKind::Inside);
    let left = rect.min + vec2(12.0, 8.0);
    let below = left + vec2(0.0, title.size().y + 3.0);
    ui.painter().galley(left, title, p.text);
    ui.painter().galley(below, question, p.weak);
    let words = if entry.lesson {
        format!("lesson · {}", entry.name)
    } else {
        entry.name.to_owned()
    };
    let name = ui
        .painter()
        .layout_no_wrap(words, crate::theme::mono(11.0), p.accent);
    let at = Rect::from_min_size(
        egui::pos2(rect.right() - name.size().x - 12.0, rect.top() + 9.0),
        name.size(),
    );
    ui.painter().galley(at.min, name, p.accent);
    response.widget_info(|| {
        egui::WidgetInfo::selected(
            egui::Role::Button,
            true,
            open,
            format!("open {}: {}", entry.name, entry.question),
        )
    });
    if response.clicked() {
        cx.does(Command::OpenModel(entry.name.to_owned()));
    }
}

fn text(_: &State) -> String {
    let mut text = String::new();
    for entry in entries() {
        let lesson = if entry.lesson { ", with a lesson" } else { "" };
        let _ = writeln!(text, "{}: {}{lesson}", entry.name, entry.question);
    }
    text
}
