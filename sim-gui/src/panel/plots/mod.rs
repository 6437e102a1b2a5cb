//! Plots over time, one below the other, with one time axis and one cursor.

mod curves;

pub use curves::{Lines, PLOTS, PlotDef};

use super::{Cx, PanelDef, Place};
use crate::command::Command;
use crate::playback::{BranchReport, Column, View};
use crate::plot::{self, Plot};
use crate::state::{State, Stretch};
use crate::theme::{Palette, bold_font, font};
use eframe::egui::{self, Rect, Sense};
use sim_core::event_log::Kind;
use sim_core::metric::Unit;
use sim_core::time::Instant;
use std::fmt::Write as _;
use std::ops::Range;

/// The row of this panel.
pub static PANEL: PanelDef = PanelDef {
    name: "plots",
    title: "Plots",
    about: "Figures over time; a click or a drag goes to that moment, a drag with Shift shows a stretch.",
    place: Place::Right,
    draw,
    text,
};

/// Height of one plot at least, of one future and of two, whose keys take more rows.
const HEIGHTS: [f32; 2] = [74.0, 104.0];

fn draw(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let Some((view, branch)) = cx.state.view().zip(cx.state.main()) else {
        return super::nothing(ui, "There is nothing to plot yet.");
    };
    // The one that shows what a lesson explains is there for as long as it does.
    let explains = super::lesson::explained(cx.state).map(|card| card.plot.as_str());
    let mut shown: Vec<&PlotDef> = cx
        .state
        .settings
        .plots
        .iter()
        .filter_map(|name| PLOTS.iter().find(|plot| plot.name == *name))
        .collect();
    let explains = PLOTS.iter().find(|plot| explains == Some(plot.name));
    shown.extend(explains.filter(|def| shown.iter().all(|other| other.name != def.name)));
    let explains = explains.map(|def| def.name);
    let is_new = explains != std::mem::replace(&mut cx.local.explains, explains);
    if shown.is_empty() {
        return super::nothing(ui, "No plot is chosen: View, Plots.");
    }
    zoomed(ui, cx);
    let least = HEIGHTS[usize::from(cx.state.beside().is_some())];
    let height = (ui.available_height() / shown.len() as f32 - 4.0).max(least);
    egui::ScrollArea::vertical()
        .auto_shrink([false, false])
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 4.0;
            for def in shown {
                let size = plot::size(ui.available_width(), height);
                let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
                let p = Palette::of(ui);
                let mut plot = build(cx.state, view, branch, def, p);
                plot.accent = explains == Some(def.name);
                if plot.accent && is_new {
                    ui.scroll_to_rect(rect, None);
                }
                if ui.is_rect_visible(rect) {
                    plot::draw(ui.painter(), rect, &plot, p);
                }
                let why = if plot.accent {
                    ", explains the answer"
                } else {
                    ""
                };
                let name = format!("plot: {}{why}", def.title);
                response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, &name));
                let body = plot::body(rect);
                if !brushed(ui, cx, &response, body) {
                    pointed(cx, &response, body, cx.state.stretch());
                }
                let over = response.hover_pos().is_some_and(|at| body.contains(at));
                if over && cx.local.brush.is_none() {
                    response.on_hover_ui(|ui| legend(ui, cx.state, &plot));
                }
            }
        });
}

/// What is shown, where that is not all of it.
fn zoomed(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    if cx.state.zoom.is_none() {
        return;
    }
    let p = Palette::of(ui);
    let stretch = cx.state.stretch();
    let label = |at| cx.state.label_to_second(at);
    let words = format!("{} to {}", label(stretch.from), label(stretch.to));
    let whole = ui.horizontal(|ui| {
        ui.label(egui::RichText::new(words).font(font(11.5)).color(p.text));
        let hint = "Plots of the whole run again (or a double click)";
        ui.small_button("Whole run").on_hover_text(hint).clicked()
    });
    if whole.inner {
        cx.does(Command::Zoom(None));
    }
}

/// A stretch that is marked by dragging, with Shift to be shown larger and with Ctrl to be measured; the wheel with Ctrl, and a
/// double click; whether the pointer is taken by that.
pub(crate) fn brushed(
    ui: &egui::Ui,
    cx: &mut Cx<'_>,
    response: &egui::Response,
    body: Rect,
) -> bool {
    let stretch = cx.state.stretch();
    let share = |x: f32| (x - body.left()) / body.width();
    if response.double_clicked() {
        cx.does(Command::Zoom(None));
        return true;
    }
    let closer = ui.input(egui::InputState::zoom_delta);
    if let Some(at) = response.hover_pos().filter(|_| (closer - 1.0).abs() > 1e-3) {
        let closer = stretch.closer(stretch.at(share(at.x)), f64::from(closer));
        cx.does(Command::Zoom(Some((closer.from, closer.to))));
    }
    let (shift, ctrl) = ui.input(|input| (input.modifiers.shift, input.modifiers.command));
    let Some(at) = response
        .interact_pointer_pos()
        .map(|pos| stretch.at(share(pos.x)))
    else {
        return false;
    };
    if ctrl && (response.drag_started() || response.is_pointer_button_down_on()) {
        cx.local.marking.get_or_insert(at);
    }
    if let Some(from) = cx.local.marking {
        cx.local.pointed = Some(at);
        let stretch = (from.min(at), from.max(at));
        if cx.state.marked != Some(stretch) {
            cx.does(Command::Mark(Some(stretch).filter(|_| from != at)));
        }
        if response.drag_stopped() || response.clicked() {
            cx.local.marking = None;
        }
        return true;
    }
    if shift && (response.drag_started() || response.is_pointer_button_down_on()) {
        cx.local.brush.get_or_insert(at);
    }
    let Some(from) = cx.local.brush else {
        return false;
    };
    let p = Palette::of(ui);
    let x = |at: Instant| body.left() + body.width() * stretch.share(at);
    let marked = Rect::from_x_y_ranges(x(from.min(at))..=x(from.max(at)), body.y_range());
    ui.painter()
        .rect_filled(marked, 0.0, p.accent.gamma_multiply(0.25));
    cx.local.pointed = Some(at);
    if response.drag_stopped() || response.clicked() {
        cx.local.brush = None;
        cx.does(Command::Zoom(Some((from.min(at), from.max(at)))));
    }
    true
}

/// Every line of a plot with its value at the crosshair, its least and its greatest, of both futures.
fn legend(ui: &mut egui::Ui, state: &State, plot: &Plot<'_>) {
    let p = Palette::of(ui);
    let at = state.hovered.unwrap_or_else(|| state.now());
    let head = |ui: &mut egui::Ui, words: &str| {
        ui.label(egui::RichText::new(words).font(font(11.0)).color(p.weak));
    };
    egui::Grid::new("legend")
        .num_columns(5)
        .spacing([10.0, 2.0])
        .show(ui, |ui| {
            head(ui, "");
            head(ui, plot.title);
            head(ui, &state.label_to_second(at));
            head(ui, "min");
            head(ui, "max");
            ui.end_row();
            for curve in &plot.curves {
                let (rect, _) = ui.allocate_exact_size(egui::vec2(20.0, 12.0), Sense::hover());
                plot::sample(ui.painter(), rect, curve);
                ui.label(egui::RichText::new(&curve.label).font(font(12.0)));
                let value = |value: Option<f64>| {
                    value.map_or_else(|| "–".to_owned(), |value| plot::text(plot.unit, value))
                };
                let [low, high] = curve.range();
                for (value_at, face) in [
                    (value(curve.now), bold_font(12.0)),
                    (value(low), font(12.0)),
                    (value(high), font(12.0)),
                ] {
                    ui.label(egui::RichText::new(value_at).font(face));
                }
                ui.end_row();
            }
        });
}

/// What the pointer does over a plot or lanes: it shows a moment, and a press goes there.
pub(crate) fn pointed(cx: &mut Cx<'_>, response: &egui::Response, body: Rect, stretch: Stretch) {
    let at = |x: f32| stretch.at((x - body.left()) / body.width());
    if let Some(pos) = response.interact_pointer_pos()
        && (response.is_pointer_button_down_on() || response.clicked())
    {
        let at = at(pos.x);
        if at
            != cx
                .state
                .report
                .as_ref()
                .map_or(Instant::ZERO, |r| r.transport.goal)
        {
            cx.does(Command::Seek(at));
        }
    } else if let Some(pos) = response.hover_pos()
        && body.x_range().contains(pos.x)
    {
        cx.local.pointed = Some(at(pos.x));
    }
}

/// Rows of a branch that may be seen.
fn visible_rows(state: &State, branch: &BranchReport) -> usize {
    branch.series.rows_until(state.visible_until(branch))
}

/// Those of them that lie in the stretch that plots show.
fn shown_rows(state: &State, branch: &BranchReport) -> Range<usize> {
    let (stretch, row_ns) = (state.stretch(), branch.series.row_ns());
    let first = (stretch.from.0 / row_ns) as usize;
    let last = (stretch.to.0.div_ceil(row_ns) as usize).min(visible_rows(state, branch));
    first.min(last)..last
}

/// Puts a plot together.
pub(crate) fn build<'a>(
    state: &State,
    view: &View,
    branch: &BranchReport,
    def: &'a PlotDef,
    p: &Palette,
) -> Plot<'a> {
    let stretch = state.stretch();
    let share = |at: Instant| stretch.share(at);
    let within = |share: &f32| (0.0..=1.0).contains(share);
    let row_ns = branch.series.row_ns();
    let first = shown_rows(state, branch).start as u64;
    let mut curves = curves::curves(state, branch, view, def, p, false);
    let mut fork = None;
    if let Some(beside) = state.beside()
        && let Some(other) = state.branch(beside.branch)
    {
        fork = Some(share(branch.from.max(other.from)));
        curves.extend(curves::curves(state, other, beside, def, p, true));
    }
    let unit = match def.lines {
        Lines::Site(metrics) => Column::site(metrics[0].0).map_or(Unit::Count, Column::unit),
        Lines::Servers(metric) => Column::server(0, metric).map_or(Unit::Count, Column::unit),
        Lines::Outcomes => Unit::Hertz,
        Lines::Burn => Unit::Count,
    };
    Plot {
        title: def.title,
        unit,
        log: def.log,
        curves,
        limits: limits(branch, def),
        down: down(state, branch)
            .map(|(a, b)| (share(a), share(b)))
            .filter(|(a, b)| *b > 0.0 && *a < 1.0)
            .collect(),
        marks: marks(state, branch).map(share).filter(within).collect(),
        now: Some(share(view.at)).filter(within),
        hovered: state.hovered.map(share).filter(within),
        pointed: state.hovered.map(|at| state.label_to_second(at)),
        fork: fork.filter(within),
        start: share(Instant(first * row_ns)),
        row: (row_ns as f64 / stretch.len_ns()) as f32,
        times: times(state),
        accent: false,
    }
}

/// Thresholds of objectives and alerts that belong to a plot.
fn limits(branch: &BranchReport, def: &PlotDef) -> Vec<(String, f64)> {
    let mut limits = Vec::new();
    if let Lines::Site(metrics) = def.lines {
        for alert in &branch.model.alerts {
            // Of others there is no line at one height.
            let Some(when) = alert.condition().filter(|_| alert.rule.def.plain) else {
                continue;
            };
            if metrics
                .iter()
                .any(|(metric, _)| *metric == when.metric.name)
                && when.scope == sim_core::metric::Scope::Site
            {
                limits.push((format!("alert {}", alert.name), when.threshold));
            }
        }
    }
    if def.lines == Lines::Burn {
        limits.push(("budget".to_owned(), 1.0));
    }
    limits
}

/// Stretches in which the site is down, as far as they may be seen.
fn down<'a>(
    state: &'a State,
    branch: &'a BranchReport,
) -> impl Iterator<Item = (Instant, Instant)> + 'a {
    let event_log = state.event_log(branch);
    let until = state.visible_until(branch);
    event_log
        .iter()
        .enumerate()
        .filter(|(_, event)| event.kind == Kind::Down)
        .map(move |(i, event)| {
            let mut later = event_log[i + 1..].iter();
            let end = later.find(|event| event.kind.site_state().is_some());
            (event.at, end.map_or(until, |event| event.at))
        })
}

/// Events that are marked in plots: those that change the site, crash something, or are done.
pub(crate) fn marks<'a>(
    state: &'a State,
    branch: &'a BranchReport,
) -> impl Iterator<Item = Instant> + 'a {
    let mut event_log = (state.event_log(branch).iter())
        .filter(|event| event.kind.def().marked)
        .map(|event| event.at)
        .peekable();
    // Of those that would lie on the same pixel one is enough.
    let near = state.horizon().0 / 1000;
    std::iter::from_fn(move || {
        let first = event_log.next()?;
        while event_log.next_if(|at| at.0 - first.0 < near).is_some() {}
        Some(first)
    })
}

/// Labels of the time axis of what is shown, at round moments.
pub(crate) fn times(state: &State) -> Vec<(f32, String)> {
    times_in(state, state.stretch())
}

/// The same of a stretch.
fn times_in(state: &State, stretch: Stretch) -> Vec<(f32, String)> {
    let len_s = stretch.len_ns() * 1e-9;
    let steps = [
        0.001, 0.01, 0.1, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0,
        7200.0, 14400.0, 43200.0, 86400.0, 604_800.0,
    ];
    let step = steps
        .into_iter()
        .find(|step| len_s / step <= 6.5)
        .unwrap_or(len_s);
    let start = state
        .model()
        .and_then(|m| m.clock)
        .map_or(0.0, |clock| f64::from(clock.start_s));
    let from_s = stretch.from.as_secs_f64();
    let first = ((start + from_s) / step).ceil() * step - start;
    let mut times = Vec::new();
    let mut at = first;
    while at <= from_s + len_s && times.len() < 12 {
        let share = ((at - from_s) / len_s) as f32;
        // Labels at the very ends would be cut.
        if (0.03..=0.97).contains(&share) {
            times.push((share, state.short_label(Instant((at * 1e9) as u64))));
        }
        at += step;
    }
    times
}

fn text(state: &State) -> String {
    let Some((view, branch)) = state.view().zip(state.main()) else {
        return String::new();
    };
    let mut text = String::new();
    for def in PLOTS {
        let plot = build(state, view, branch, def, &crate::theme::LIGHT);
        let values: Vec<String> = plot
            .curves
            .iter()
            .map(|curve| {
                let now = curve.now.map(|v| sim_core::readable::value(plot.unit, v));
                format!(
                    "{} {}",
                    curve.label,
                    now.unwrap_or_else(|| "nothing".to_owned())
                )
            })
            .collect();
        let _ = writeln!(text, "{}: {}", def.title, values.join(", "));
    }
    text
}
