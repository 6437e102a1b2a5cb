//! All panels in their places.

use crate::command::Command;
use crate::panel::{self, Cx, PANELS, PanelDef, Place, banner};
use crate::theme::{self, Palette};
use eframe::egui::{self, Margin};

/// All panels in their places.
pub(crate) fn draw(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let p = Palette::of(ui);
    // In a small window the middle keeps its share.
    let whole = ui.available_width();
    let frame = |x: i8, y: i8| {
        egui::Frame::new()
            .fill(p.panel)
            .inner_margin(Margin::symmetric(x, y))
    };
    egui::Panel::top("banner")
        .exact_size(46.0)
        .frame(frame(10, 4))
        .show(ui, |ui| banner::draw(ui, cx));
    // In a low window the lanes give way to a lesson.
    let low = cx.state.is_taught() && ui.available_height() < LOW;
    if cx.state.settings.is_open("timeline") && !low {
        let height = panel::timeline::height(ui.ctx(), cx.state) + 14.0;
        egui::Panel::bottom("bottom")
            .exact_size(height)
            .resizable(false)
            .frame(frame(12, 7))
            .show(ui, |ui| {
                (panel::timeline::PANEL.draw)(ui, cx);
            });
    }
    let open = |place: Place, cx: &Cx<'_>| -> Vec<&'static PanelDef> {
        let in_place = PANELS.iter().copied().filter(|panel| panel.place == place);
        in_place
            .filter(|panel| cx.state.settings.is_open(panel.name))
            .filter(|panel| panel::has_something(panel, cx.state))
            .collect()
    };
    let over = open(Place::Over, cx);
    for panel in &over {
        let height = panel::lesson::height(ui) + 18.0;
        egui::Panel::top("over")
            .exact_size(height)
            .resizable(false)
            .frame(frame(14, 8).fill(p.tint(p.accent, 0.10)))
            .show(ui, |ui| (panel.draw)(ui, cx));
    }
    if whole < ONE_COLUMN {
        let places = [Place::Middle, Place::Left, Place::Right, Place::RightBelow];
        let panels = places.map(|place| (place, open(place, cx)));
        egui::CentralPanel::default()
            .frame(frame(10, 8))
            .show(ui, |ui| one_column(ui, cx, panels));
        return;
    }
    let left = open(Place::Left, cx);
    if !left.is_empty() {
        egui::Panel::left("left")
            .default_size(246.0)
            .size_range(160.0..=(whole * 0.24).clamp(160.0, 420.0))
            .frame(frame(10, 8))
            .show(ui, |ui| {
                stack(ui, cx, &left);
            });
    }
    let right = open(Place::Right, cx);
    let mut below = open(Place::RightBelow, cx);
    if ui.available_height() < FLAT && !right.is_empty() {
        // One above the other, neither could be read.
        below.clear();
    }
    right_column(ui, cx, &right, &below, whole);
    egui::CentralPanel::default()
        .frame(
            egui::Frame::new()
                .fill(p.panel)
                .inner_margin(Margin::symmetric(12, 8)),
        )
        .show(ui, |ui| {
            let middle = open(Place::Middle, cx);
            let shown = middle.last().copied().unwrap_or(&panel::topology::PANEL);
            tabs(ui, cx, Place::Middle, shown);
            (shown.draw)(ui, cx);
        });
}

/// The column at the right: one panel, and below it one at a time of others.
fn right_column(
    ui: &mut egui::Ui,
    cx: &mut Cx<'_>,
    right: &[&'static PanelDef],
    below: &[&'static PanelDef],
    whole: f32,
) {
    if right.is_empty() && below.is_empty() {
        return;
    }
    let p = Palette::of(ui);
    let frame = egui::Frame::new()
        .fill(p.panel)
        .inner_margin(Margin::symmetric(10, 8));
    egui::Panel::right("right")
        .default_size(404.0)
        .size_range(260.0..=(whole * 0.36).clamp(260.0, 720.0))
        .frame(frame)
        .show(ui, |ui| {
            if let Some(panel) = below.last().filter(|_| right.is_empty()) {
                tabs(ui, cx, Place::RightBelow, panel);
                return (panel.draw)(ui, cx);
            }
            if let Some(panel) = below.last() {
                // Below, what is long scrolls; above, every plot is to be seen.
                let share = match panel.name {
                    "problems" => 0.42,
                    "futures" => 0.46,
                    _ => 0.53,
                };
                // While a lesson takes its room from the top, plots keep half of what is left.
                let taught = cx.state.is_taught();
                let most = if taught { 0.5 } else { 1.0 };
                let whole = ui.available_height();
                let height = (whole * share).max(220.0).min(whole * most);
                let id = format!("right-below-{}-{taught}", panel.name);
                let inner = egui::Frame::new().inner_margin(Margin {
                    top: 6,
                    ..Margin::ZERO
                });
                egui::Panel::bottom(id)
                    .default_size(height)
                    .size_range(120.0..=520.0)
                    .frame(inner)
                    .resizable(true)
                    .show(ui, |ui| {
                        tabs(ui, cx, Place::RightBelow, panel);
                        (panel.draw)(ui, cx);
                    });
            }
            if let Some(panel) = right.first() {
                egui::CentralPanel::no_frame().show(ui, |ui| (panel.draw)(ui, cx));
            }
        });
}

/// A window lower than this, without its banner, is low.
const LOW: f32 = 620.0;
/// A column lower than this has room for one panel.
const FLAT: f32 = 300.0;
/// Below this width everything stands in one column.
const ONE_COLUMN: f32 = 640.0;
/// Height of a panel there: of the stage and of plots, and of what is read.
const TALL: f32 = 330.0;
const SHORT: f32 = 230.0;

/// All panels one below the other, in a column that is scrolled.
fn one_column(ui: &mut egui::Ui, cx: &mut Cx<'_>, places: [(Place, Vec<&'static PanelDef>); 4]) {
    egui::ScrollArea::vertical()
        .auto_shrink([false, false])
        .show(ui, |ui| {
            for (place, panels) in places {
                let tabbed = matches!(place, Place::Middle | Place::RightBelow);
                // Where one is shown at a time, it is the last that was opened.
                let first = if tabbed {
                    panels.len().saturating_sub(1)
                } else {
                    0
                };
                for panel in &panels[first..] {
                    let tall = matches!(place, Place::Middle | Place::Right);
                    let size = egui::vec2(ui.available_width(), if tall { TALL } else { SHORT });
                    ui.allocate_ui(size, |ui| {
                        ui.set_min_size(size);
                        ui.set_max_size(size);
                        if tabbed {
                            tabs(ui, cx, place, panel);
                        } else {
                            panel::heading(ui, panel.title);
                        }
                        ui.push_id(panel.name, |ui| (panel.draw)(ui, cx));
                    });
                    ui.add_space(10.0);
                }
            }
        });
}

/// Panels one below the other: the first takes what the others leave.
fn stack(ui: &mut egui::Ui, cx: &mut Cx<'_>, panels: &[&'static PanelDef]) {
    let height = ui.available_height();
    for (i, panel) in panels.iter().enumerate().skip(1).rev() {
        let name = format!("stack-{i}");
        let inner = egui::Frame::new().inner_margin(Margin {
            top: 6,
            ..Margin::ZERO
        });
        egui::Panel::bottom(name)
            .default_size(height * 0.54)
            .size_range(60.0..=height * 0.8)
            .frame(inner)
            .resizable(true)
            .show(ui, |ui| {
                panel::heading(ui, panel.title);
                (panel.draw)(ui, cx);
            });
    }
    if let Some(panel) = panels.first() {
        egui::CentralPanel::no_frame().show(ui, |ui| {
            panel::heading(ui, panel.title);
            (panel.draw)(ui, cx);
        });
    }
}

/// The panels of a place as tabs.
fn tabs(ui: &mut egui::Ui, cx: &mut Cx<'_>, place: Place, shown: &PanelDef) {
    let p = Palette::of(ui);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 14.0;
        for panel in PANELS.iter().filter(|panel| panel.place == place) {
            let chosen = panel.name == shown.name;
            let mut title = panel.title.to_owned();
            let problems = cx
                .state
                .problems
                .as_ref()
                .map_or(0, |problems| problems.problems.len());
            let doctor = cx.state.doctor.as_ref().filter(|e| !e.stale);
            let problems = problems + doctor.map_or(0, |e| e.dangerous().count());
            if panel.name == "problems" && problems > 0 {
                title = format!("{title} ({problems})");
            }
            let colour = if chosen { p.text } else { p.weak };
            let face = if chosen {
                theme::bold_font(13.0)
            } else {
                theme::font(13.0)
            };
            let words = egui::RichText::new(&title).font(face).color(colour);
            let tab = ui.add(egui::Button::new(words).frame(false));
            tab.widget_info(|| egui::WidgetInfo::selected(egui::Role::Tab, true, chosen, &title));
            if chosen {
                let y = tab.rect.bottom() + 1.0;
                ui.painter()
                    .hline(tab.rect.x_range(), y, egui::Stroke::new(2.0, p.accent));
            }
            if tab.on_hover_text(panel.about).clicked() && !chosen {
                cx.does(Command::Panel(panel.name));
            }
        }
    });
    ui.add_space(6.0);
}
