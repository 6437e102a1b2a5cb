//! The banner: menus, the clock, the site's state and the key figures.

use super::{Cx, PANELS, Place};
use crate::command::{self, Command};
use crate::icon::Icon;
use crate::panel::plots::PLOTS;
use crate::playback::{self, View};
use crate::state::{State, site_word};
use crate::theme::{Palette, bold_font, font};
use eframe::egui::containers::menu::{MenuButton, MenuConfig};
use eframe::egui::{self, Color32, RichText, Sense, Vec2, pos2};
use sim_core::event_log::Kind;
use sim_core::readable;
use sim_core::time::Instant;

/// Word, shape and colour of the site's state.
pub(crate) fn site_look(site: Kind, p: &Palette) -> (&'static str, Icon, Color32) {
    let (icon, colour) = super::event_log::look(site, p);
    (site_word(site), icon, colour)
}

/// The key figures: a label and a value each, from the summary so far. Before anything has happened there are none of
/// most.
pub fn figures(state: &State, view: &View) -> Vec<(&'static str, String)> {
    let mut figures = playback::figures(state.branch(view.branch), view);
    if view.at == Instant::ZERO {
        figures.retain(|(_, value)| value != "–");
    }
    figures
}

/// Draws the banner.
pub fn draw(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        menus(ui, cx);
        divider(ui);
        let p = Palette::of(ui);
        let Some(view) = cx.state.view() else {
            ui.label(RichText::new(cx.state.title()).font(bold_font(14.0)));
            return;
        };
        let clock = cx.state.label_to_second(view.at);
        let clock = if cx.state.model().is_some_and(|m| m.clock.is_some()) && clock.len() == 5 {
            format!("{clock}:00")
        } else {
            clock
        };
        let label = ui.label(RichText::new(&clock).font(bold_font(20.0)).color(p.text));
        label.on_hover_text(format!(
            "simulated time, {} events so far",
            readable::number(view.events as f64)
        ));
        ui.add_space(8.0);
        let beside = cx.state.beside();
        for shown in [Some(view), beside].into_iter().flatten() {
            if beside.is_some() {
                branch_letter(ui, shown.branch);
            }
            let (word, icon, colour) = site_look(shown.site, p);
            badge(ui, icon, word, colour);
            ui.add_space(8.0);
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            right(ui, cx, view);
            ui.add_space(6.0);
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                if beside.is_some() {
                    branch_letter(ui, view.branch);
                }
                for (label, value) in figures(cx.state, view) {
                    if !figure(ui, label, &value) {
                        break;
                    }
                }
            });
        });
    });
}

fn divider(ui: &mut egui::Ui) {
    let p = Palette::of(ui);
    let (rect, _) = ui.allocate_exact_size(Vec2::new(13.0, 24.0), Sense::hover());
    ui.painter().vline(
        rect.center().x,
        rect.y_range(),
        egui::Stroke::new(1.0, p.line),
    );
}

/// Whose figures follow, where two futures are shown.
fn branch_letter(ui: &mut egui::Ui, branch: usize) {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(17.0), Sense::hover());
    super::topology::letter_badge(ui.painter(), rect, branch, Palette::of(ui));
    let name = format!("of future {}", playback::letter(branch));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &name));
}

fn badge(ui: &mut egui::Ui, icon: Icon, word: &str, colour: Color32) {
    let p = Palette::of(ui);
    let galley = ui
        .painter()
        .layout_no_wrap(word.to_owned(), bold_font(13.0), colour);
    let size = Vec2::new(galley.size().x + 34.0, 26.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    ui.painter().rect_filled(rect, 13.0, p.tint(colour, 0.16));
    let spot =
        egui::Rect::from_center_size(pos2(rect.left() + 15.0, rect.center().y), Vec2::splat(12.0));
    icon.paint(ui.painter(), spot, colour);
    ui.painter().galley(
        pos2(rect.left() + 25.0, rect.center().y - galley.size().y / 2.0),
        galley,
        colour,
    );
    let name = format!("state of the site: {word}");
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &name));
}

/// A figure over its label; false when there was no room for it.
fn figure(ui: &mut egui::Ui, label: &str, value: &str) -> bool {
    let p = Palette::of(ui);
    let value_text = ui
        .painter()
        .layout_no_wrap(value.to_owned(), bold_font(13.0), p.text);
    let label_text = ui
        .painter()
        .layout_no_wrap(label.to_owned(), font(10.0), p.weak);
    let width = value_text.size().x.max(label_text.size().x) + 16.0;
    if ui.available_width() < width {
        return false;
    }
    let (rect, response) = ui.allocate_exact_size(Vec2::new(width, 32.0), Sense::hover());
    let left = rect.left() + 6.0;
    ui.painter()
        .galley(pos2(left, rect.top() + 1.0), value_text, p.text);
    ui.painter()
        .galley(pos2(left, rect.top() + 18.0), label_text, p.weak);
    let name = format!("{label} {value}");
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &name));
    true
}

fn right(ui: &mut egui::Ui, cx: &mut Cx<'_>, view: &View) {
    // In a narrow window they are in the menus, and the seed in the palette.
    if ui.available_width() < 110.0 {
        return;
    }
    if crate::icon::button(
        ui,
        Icon::Fork,
        "Futures",
        "The futures of this run, side by side",
    )
    .clicked()
    {
        cx.does(Command::Panel("futures"));
    }
    // Where nothing was changed yet, there is nothing to take back.
    let report = cx.state.report.as_ref();
    if report.is_some_and(|report| report.can_undo || report.can_redo) {
        super::topology::what_if::history(ui, cx);
    }
    ui.add_space(4.0);
    seed_menu(ui, cx, view.summary.seed);
}

/// The seed, and ways to another.
fn seed_menu(ui: &mut egui::Ui, cx: &mut Cx<'_>, seed: u64) {
    let p = Palette::of(ui);
    // One that the scenario does not say stands out: the figures are not the usual ones.
    let (colour, hint) = match cx.state.seed {
        None => (
            p.weak,
            "The seed of the random numbers, as the scenario says it",
        ),
        Some(_) => (p.accent, "Another seed than the scenario's"),
    };
    let words = RichText::new(format!("seed {seed}"));
    let button = egui::Button::new(words.font(font(11.5)).color(colour)).frame(false);
    let config = MenuConfig::new().close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
    let menu = MenuButton::from_button(button).config(config);
    let (response, _) = menu.ui(ui, |ui| {
        ui.set_min_width(190.0);
        let typed = cx.local.seed.get_or_insert_with(|| seed.to_string());
        let field = ui.horizontal(|ui| {
            let name = ui.label("Seed").id;
            let edit = egui::TextEdit::singleline(typed)
                .align(egui::Align2::LEFT_CENTER)
                .desired_width(130.0);
            ui.add(edit).labelled_by(name)
        });
        let chosen = typed.trim().parse::<u64>().ok();
        if chosen.is_none() {
            ui.label(RichText::new("a whole number from 0").color(p.bad));
        }
        let entered = field.inner.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
        let run = egui::Button::new("Run with this seed");
        let run = ui.add_enabled(chosen.is_some(), run).clicked();
        if let Some(chosen) = chosen.filter(|_| run || entered) {
            cx.does(Command::Seed(Some(chosen)));
            ui.close();
        }
        ui.separator();
        if ui.button("Next seed").clicked() {
            cx.does(Command::NextSeed);
            ui.close();
        }
        let own = ui.add_enabled(
            cx.state.seed.is_some(),
            egui::Button::new("The scenario's own"),
        );
        if own.clicked() {
            cx.does(Command::Seed(None));
            ui.close();
        }
    });
    response.on_hover_text(hint);
}

fn menus(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let item = |ui: &mut egui::Ui, cx: &mut Cx<'_>, name: &str| {
        if let Some(command) = command::find(name) {
            let button =
                egui::Button::new(command.title).shortcut_text(command::keys_words(command.keys));
            if ui.add(button).on_hover_text(command.about).clicked() {
                cx.does(command.command.clone());
                ui.close();
            }
        }
    };
    ui.menu_button("File", |ui| {
        ui.set_min_width(230.0);
        if ui.button("Open a model …").clicked() {
            cx.does(Command::Panel("gallery"));
            ui.close();
        }
        if ui.button("Edit the scenario …").clicked() {
            cx.does(Command::Panel("scenario"));
            ui.close();
        }
        ui.separator();
        item(ui, cx, "save-scenario");
        ui.separator();
        for name in ["undo", "redo"] {
            item(ui, cx, name);
        }
        ui.separator();
        for name in ["save-overlay", "copy-overlay", "copy-command", "copy-link"] {
            item(ui, cx, name);
        }
    });
    ui.menu_button("View", |ui| {
        ui.set_min_width(230.0);
        for panel in PANELS.iter().filter(|panel| panel.place != Place::Bottom) {
            let open = cx.state.settings.is_open(panel.name);
            if ui
                .add(egui::Button::selectable(open, panel.title))
                .on_hover_text(panel.about)
                .clicked()
            {
                cx.does(Command::Panel(panel.name));
                ui.close();
            }
        }
        ui.separator();
        ui.menu_button("Plots", |ui| {
            for plot in PLOTS {
                let shown = cx.state.settings.plots.iter().any(|name| name == plot.name);
                if ui
                    .add(egui::Button::selectable(shown, plot.title))
                    .clicked()
                {
                    cx.does(Command::Plot(plot.name));
                }
            }
        });
        ui.separator();
        for name in ["reveal", "split", "theme", "reduced-motion", "reset-layout"] {
            item(ui, cx, name);
        }
    });
    ui.menu_button("Help", |ui| {
        ui.set_min_width(200.0);
        for name in ["watch", "take-lesson", "help", "palette"] {
            item(ui, cx, name);
        }
    });
}
