//! The models that come with the program, by topic, with a question, a level and a picture each.

mod levels;
mod thumb;

pub use self::levels::Level;
use self::levels::TOPICS;
pub use self::thumb::Thumbs;
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
    /// What it is about: the number of a topic.
    topic: usize,
    /// For whom it is.
    pub level: Level,
}

/// Every model, read once.
pub fn entries() -> &'static [Entry] {
    static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        let entry = |name: &'static str| {
            let scenario = Scenario::read(crate::MODELS.find(name)?, &[], &crate::MODELS).ok()?;
            let (title, question) = (scenario.title().to_owned(), scenario.question().to_owned());
            let path = crate::MODELS.find(name)?.name;
            let (topic, level) = levels::of(&path, name)?;
            Some(Entry {
                name,
                title,
                question,
                topic,
                level,
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
    levels_shown(ui, cx);
    ui.add_space(4.0);
    let mut seen = Vec::new();
    egui::ScrollArea::vertical()
        .auto_shrink([false, false])
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 6.0;
            for (topic, (_, title, _)) in TOPICS.iter().enumerate() {
                let wanted = cx.local.level;
                let all = entries().iter().filter(|entry| entry.topic == topic);
                let shown = all.filter(|entry| wanted.is_none_or(|level| entry.level == level));
                let mut shown: Vec<&Entry> = shown.collect();
                if shown.is_empty() {
                    continue;
                }
                // From the first steps on, lessons before others.
                shown.sort_by_key(|entry| (entry.level, !entry.lesson));
                ui.add_space(4.0);
                ui.label(
                    egui::RichText::new(*title)
                        .font(bold_font(13.0))
                        .color(p.text),
                );
                for entry in shown {
                    if card(ui, cx, entry, p) {
                        seen.push(entry.name);
                    }
                }
            }
        });
    // What is seen first is made first, a little with each frame.
    if cx.local.thumbs.work(&seen) {
        ui.ctx().request_repaint();
    }
}

/// For whom models are shown: for everybody, or for one level.
fn levels_shown(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let choices = std::iter::once(None).chain(Level::ALL.map(Some));
        for level in choices {
            let fits = |entry: &&Entry| level.is_none_or(|level| entry.level == level);
            let count = entries().iter().filter(fits).count();
            let words = format!("{} ({count})", level.map_or("all", Level::word));
            let words = egui::RichText::new(words).font(font(12.0));
            let chosen = cx.local.level == level;
            if ui.add(egui::Button::selectable(chosen, words)).clicked() {
                cx.local.level = level;
            }
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

/// From such a width on the picture stands beside the words.
const BESIDE: f32 = 440.0;

/// A model; whether it is to be seen.
fn card(ui: &mut egui::Ui, cx: &mut Cx<'_>, entry: &Entry, p: &Palette) -> bool {
    let width = ui.available_width() - 8.0;
    let beside = width > BESIDE;
    let indent = if beside { thumb::SIZE.x + 22.0 } else { 12.0 };
    let room = width - indent - 12.0;
    let painter = ui.painter();
    let title = painter.layout(entry.title.clone(), bold_font(13.0), p.text, room);
    let question = painter.layout(entry.question.clone(), font(12.0), p.weak, room);
    let lesson = if entry.lesson { "lesson · " } else { "" };
    let kind = format!("{} · {lesson}{}", entry.level.word(), entry.name);
    let kind = crate::fit::galley(painter, &kind, &crate::theme::mono(10.5), p.accent, room);
    let words = title.size().y + question.size().y + kind.size().y + 5.0;
    let height = if beside {
        words.max(thumb::SIZE.y) + 16.0
    } else {
        words + thumb::SIZE.y + 24.0
    };
    let (rect, response) = ui.allocate_exact_size(vec2(width, height), Sense::click());
    let open = cx.state.name == entry.name;
    let picture = cx.local.thumbs.get(entry.name);
    response.widget_info(|| {
        let name = format!("open {}: {}", entry.name, entry.question);
        egui::WidgetInfo::selected(egui::Role::Button, true, open, name)
    });
    if response.clicked() {
        cx.todo.push(Command::OpenModel(entry.name.to_owned()));
    }
    if !ui.is_rect_visible(rect) {
        return false;
    }
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
    let corner = rect.min
        + if beside {
            vec2(10.0, 8.0)
        } else {
            vec2(12.0, 8.0)
        };
    let place = Rect::from_min_size(corner, thumb::SIZE);
    match picture {
        Some(picture) => picture.draw(ui.painter(), place, p),
        None => {
            ui.painter().rect_filled(place, 4.0, p.sunken);
        }
    }
    let mut at = egui::pos2(
        rect.left() + indent,
        if beside {
            rect.top() + 8.0
        } else {
            place.bottom() + 8.0
        },
    );
    for (galley, ink) in [(title, p.text), (question, p.weak), (kind, p.accent)] {
        let step = galley.size().y + 2.0;
        ui.painter().galley(at, galley, ink);
        at.y += step;
    }
    if let Some(picture) = picture {
        response.on_hover_text(picture.words());
    }
    true
}

fn text(_: &State) -> String {
    let mut text = String::new();
    for (topic, (_, title, _)) in TOPICS.iter().enumerate() {
        let _ = writeln!(text, "{title}");
        for entry in entries().iter().filter(|entry| entry.topic == topic) {
            let lesson = if entry.lesson { ", with a lesson" } else { "" };
            let _ = writeln!(
                text,
                "  {}: {} ({}{lesson})",
                entry.name,
                entry.question,
                entry.level.word()
            );
        }
    }
    text
}
