//! What lies over the panels: the palette, the help, and short messages.

use crate::command::{COMMANDS, Command, LANE_KEYS, keys_words};
use crate::panel::gallery;
use crate::panel::plots::PLOTS;
use crate::panel::{Cx, PANELS};
use crate::playback::Edit;
use crate::state::State;
use crate::theme::{Palette, bold_font, font, mono};
use eframe::egui::{self, Align2, Key, RichText, Vec2};
use sim_core::time::Instant;

/// What lies over the panels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialog {
    /// The list of all commands.
    Palette,
    /// The list of all keys.
    Help,
}

/// Lines of the palette shown at most.
const LINES: usize = 12;

/// A line of the palette.
pub struct Line {
    /// What it says.
    pub title: String,
    /// Beside it: keys, or what kind it is.
    pub hint: String,
    /// What it does.
    pub command: Command,
}

impl Line {
    /// Whether what it is called begins with these words; what kind of thing it is may be left out.
    fn begins(&self, words: &str) -> bool {
        let title = self.title.to_lowercase();
        let name = ["panel: ", "plot: ", "open "]
            .iter()
            .find_map(|kind| title.strip_prefix(kind));
        title.starts_with(words) || name.is_some_and(|name| name.starts_with(words))
    }
}

/// What fits to what was typed: a moment, a change, or commands, panels and models by a part of
/// their names.
pub fn matches(state: &State, typed: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let typed = typed.trim();
    if let Some(at) = moment(state, typed) {
        lines.push(Line {
            title: format!("Go to {}", state.label(at)),
            hint: "time".to_owned(),
            command: Command::Seek(at),
        });
    }
    if let Some(seed) = seed(typed) {
        lines.push(Line {
            title: format!("Run with seed {seed}"),
            hint: "seed".to_owned(),
            command: Command::Seed(Some(seed)),
        });
    }
    if let Some(edit) = edit(state, typed) {
        let now = state.label_to_second(state.now());
        lines.push(Line {
            title: format!("What if, at {now}: {}", edit.words()),
            hint: "fork".to_owned(),
            command: Command::Edit(edit),
        });
    }
    let wanted = typed.to_lowercase();
    let mut found = named(&wanted);
    // What begins as typed is meant rather than what has it somewhere.
    found.sort_by_key(|line| !line.begins(&wanted));
    lines.extend(found);
    lines.truncate(LINES);
    lines
}

/// Commands, panels, plots and models that have every typed word somewhere in what they say.
fn named(wanted: &str) -> Vec<Line> {
    let commands = COMMANDS.iter().map(|command| Line {
        title: command.title.to_owned(),
        hint: keys_words(command.keys),
        command: command.command.clone(),
    });
    let panels = PANELS.iter().map(|panel| Line {
        title: format!("Panel: {}", panel.title),
        hint: "view".to_owned(),
        command: Command::Panel(panel.name),
    });
    let plots = PLOTS.iter().map(|plot| Line {
        title: format!("Plot: {}", plot.title),
        hint: "view".to_owned(),
        command: Command::Plot(plot.name),
    });
    // Models are many: only where something is looked for.
    let models = gallery::entries().iter().filter(|_| !wanted.is_empty());
    let models = models.map(|entry| Line {
        title: format!("Open {}: {}", entry.name, entry.title),
        hint: "model".to_owned(),
        command: Command::OpenModel(entry.name.to_owned()),
    });
    let all = commands.chain(panels).chain(plots).chain(models);
    let fits = |line: &Line| {
        let title = line.title.to_lowercase();
        wanted.split(' ').all(|word| title.contains(word))
    };
    all.filter(fits).collect()
}

/// A moment of the run as it is typed.
pub fn moment(state: &State, typed: &str) -> Option<Instant> {
    let clock = state.model().and_then(|model| model.clock);
    let at = crate::moment::parse(typed, clock).ok()?;
    (at <= state.horizon()).then_some(at)
}

/// A seed as it is typed: `seed 7`, or `seed = 7`.
fn seed(typed: &str) -> Option<u64> {
    let number = typed.strip_prefix("seed")?.trim_start();
    let number = number.strip_prefix('=').unwrap_or(number).trim();
    number.parse().ok()
}

/// A change as it is typed: `web-1.weight = 3`, `drain web-2`, or with a whole path.
pub fn edit(state: &State, typed: &str) -> Option<Edit> {
    crate::act::parse(state.model()?, typed)
}

/// Draws a dialog; true while it stays open.
pub fn draw(ctx: &egui::Context, dialog: Dialog, cx: &mut Cx<'_>) -> bool {
    match dialog {
        Dialog::Palette => palette(ctx, cx),
        Dialog::Help => help(ctx),
    }
}

fn frame(ctx: &egui::Context) -> egui::Frame {
    egui::Frame::window(&ctx.global_style()).inner_margin(12)
}

fn palette(ctx: &egui::Context, cx: &mut Cx<'_>) -> bool {
    let mut open = true;
    let (up, down, enter) = ctx.input_mut(|i| {
        let none = egui::Modifiers::NONE;
        (
            i.consume_key(none, Key::ArrowUp),
            i.consume_key(none, Key::ArrowDown),
            i.consume_key(none, Key::Enter),
        )
    });
    let lines = matches(cx.state, &cx.local.search);
    if up {
        cx.local.chosen = cx.local.chosen.saturating_sub(1);
    }
    if down {
        cx.local.chosen += 1;
    }
    cx.local.chosen = cx.local.chosen.min(lines.len().saturating_sub(1));
    let modal = egui::Modal::new(egui::Id::unique("palette"))
        .frame(frame(ctx))
        .area(
            egui::Modal::default_area(egui::Id::unique("palette-area"))
                .anchor(Align2::CENTER_TOP, Vec2::new(0.0, 90.0)),
        );
    let response = modal.show(ctx, |ui| {
        let p = Palette::of(ui);
        ui.set_width(520.0);
        let edit = egui::TextEdit::singleline(&mut cx.local.search)
            .hint_text("A command, a time (12:25), or a change (web-1.weight = 3)")
            .desired_width(f32::INFINITY)
            .font(egui::FontSelection::FontId(font(15.0)));
        let field = ui.add(edit);
        field.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::TextInput, true, "search commands")
        });
        field.request_focus();
        if field.changed() {
            cx.local.chosen = 0;
        }
        ui.add_space(4.0);
        if lines.is_empty() {
            ui.label(RichText::new("Nothing fits. Try a part of a name.").color(p.weak));
        }
        for (i, line) in lines.iter().enumerate() {
            let words = RichText::new(&line.title).font(font(13.0));
            let button = egui::Button::selectable(i == cx.local.chosen, words)
                .shortcut_text(RichText::new(&line.hint).color(p.weak))
                .min_size(Vec2::new(ui.available_width(), 24.0));
            if ui.add(button).clicked() || (enter && i == cx.local.chosen) {
                cx.todo.push(line.command.clone());
                open = false;
            }
        }
    });
    open && !response.should_close()
}

fn help(ctx: &egui::Context) -> bool {
    let modal = egui::Modal::new(egui::Id::unique("help")).frame(frame(ctx));
    let mut open = true;
    let response = modal.show(ctx, |ui| {
        let p = Palette::of(ui);
        ui.set_width(780.0);
        ui.horizontal(|ui| {
            ui.label(RichText::new("Keys").font(bold_font(16.0)));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                open = !ui.button("Close").clicked();
            });
        });
        ui.add_space(6.0);
        egui::ScrollArea::vertical()
            .max_height(520.0)
            .show(ui, |ui| {
                egui::Grid::new("keys")
                    .num_columns(3)
                    .max_col_width(400.0)
                    .spacing([18.0, 5.0])
                    .striped(true)
                    .show(ui, |ui| {
                        for command in COMMANDS {
                            ui.label(
                                RichText::new(keys_words(command.keys))
                                    .font(mono(12.0))
                                    .color(p.accent),
                            );
                            ui.label(RichText::new(command.title).font(font(13.0)));
                            ui.label(RichText::new(command.about).font(font(12.0)).color(p.weak));
                            ui.end_row();
                        }
                        let lanes = LANE_KEYS.map(|(key, title, about)| (key.name(), title, about));
                        let digits = (
                            "1 … 9",
                            "To an event of the event log",
                            "Goes to the first, second, … moment of the event log.",
                        );
                        for (keys, title, about) in lanes.into_iter().chain([digits]) {
                            ui.label(RichText::new(keys).font(mono(12.0)).color(p.accent));
                            ui.label(RichText::new(title).font(font(13.0)));
                            ui.label(RichText::new(about).font(font(12.0)).color(p.weak));
                            ui.end_row();
                        }
                    });
            });
    });
    open && !response.should_close()
}

/// A short message at the bottom of the middle.
pub fn message(ctx: &egui::Context, words: &str) {
    let area = egui::Area::new(egui::Id::unique("message")).order(egui::Order::Foreground);
    area.anchor(Align2::CENTER_BOTTOM, Vec2::new(0.0, -230.0))
        .interactable(false)
        .show(ctx, |ui| {
            let p = Palette::of(ui);
            let frame = egui::Frame::new()
                .fill(p.text)
                .corner_radius(6)
                .inner_margin(egui::Margin::symmetric(14, 8));
            frame.show(ui, |ui| {
                // As wide as it needs, up to what can be read in one go.
                ui.set_max_width(520.0);
                ui.label(RichText::new(words).font(font(13.0)).color(p.panel));
            });
        });
}
