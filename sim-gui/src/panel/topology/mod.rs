//! The topology: sources, balancer instances and servers, with what is in flight between them.

pub(crate) mod card;
mod dots;
mod layout;

use super::{Cx, PanelDef, Place};
use crate::command::Command;
pub(crate) use crate::playback::server_now;
use crate::playback::{BranchReport, View, letter, site_now};
use crate::state::{Condition, State, Thing};
use crate::theme::{Palette, bold_font, font};
pub(crate) use card::look;
use eframe::egui::{
    self, Align2, Color32, Pos2, Rect, Sense, Shape, Stroke, StrokeKind, Vec2, pos2, vec2,
};
use layout::Layout;
use sim_core::readable;
use std::fmt::Write as _;

/// The row of this panel.
pub static PANEL: PanelDef = PanelDef {
    name: "topology",
    title: "Topology",
    about: "Sources, balancer instances and servers, and a sample of the requests between them.",
    place: Place::Middle,
    draw,
    text,
};

fn draw(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let Some(view) = cx.state.view() else {
        return super::nothing(ui, cx.state.waiting_words());
    };
    let rect = ui.available_rect_before_wrap();
    ui.allocate_rect(rect, Sense::hover());
    let legend = Rect::from_min_max(pos2(rect.left(), rect.bottom() - 20.0), rect.max);
    let whole = Rect::from_min_max(rect.min, pos2(rect.right(), legend.top() - 2.0));
    let beside = cx.state.beside().filter(|_| cx.state.settings.split);
    if let Some(beside) = beside {
        let middle = painter_middle(ui, whole);
        let upper = Rect::from_min_max(whole.min, pos2(whole.right(), middle - 4.0));
        let lower = Rect::from_min_max(pos2(whole.left(), middle + 4.0), whole.max);
        let p = Palette::of(ui);
        ui.painter()
            .hline(whole.x_range(), middle, Stroke::new(1.0, p.line));
        for (view, rect) in [(view, upper), (beside, lower)] {
            let rest = branch_title(ui, cx.state, view, rect);
            picture(ui, cx, view, rest, &format!("{}: ", letter(view.branch)));
        }
    } else {
        picture(ui, cx, view, whole, "");
    }
    dots::legend(ui, legend, cx.state, view);
}

fn painter_middle(ui: &egui::Ui, rect: Rect) -> f32 {
    ui.painter().round_to_pixel_center(rect.center().y)
}

/// Which branch a picture is of; the rest of the rectangle.
fn branch_title(ui: &egui::Ui, state: &State, view: &View, rect: Rect) -> Rect {
    let p = Palette::of(ui);
    let badge = Rect::from_min_size(rect.min + vec2(0.0, 1.0), vec2(18.0, 18.0));
    letter_badge(ui.painter(), badge, view.branch, p);
    let words = branch_words(state, view.branch);
    ui.painter().text(
        pos2(badge.right() + 7.0, badge.center().y),
        Align2::LEFT_CENTER,
        words,
        bold_font(12.5),
        p.text,
    );
    let (word, icon, colour) = super::banner::site_look(view.site, p);
    let end = pos2(rect.right() - 2.0, badge.center().y);
    let drawn = ui
        .painter()
        .text(end, Align2::RIGHT_CENTER, word, bold_font(11.5), colour);
    let spot = Rect::from_center_size(pos2(drawn.left() - 10.0, end.y), Vec2::splat(11.0));
    icon.paint(ui.painter(), spot, colour);
    Rect::from_min_max(pos2(rect.left(), rect.top() + 24.0), rect.max)
}

/// A branch's letter in a disc.
pub(crate) fn letter_badge(painter: &egui::Painter, rect: Rect, branch: usize, p: &Palette) {
    let fill = if branch == 0 { p.weak } else { p.accent };
    painter.circle_filled(rect.center(), rect.height() / 2.0, fill);
    let ink = if branch == 0 { p.panel } else { p.on_accent };
    painter.text(
        rect.center(),
        Align2::CENTER_CENTER,
        letter(branch),
        bold_font(11.0),
        ink,
    );
}

/// What a branch is, in few words.
pub(crate) fn branch_words(state: &State, branch: usize) -> String {
    let Some(report) = state.branch(branch) else {
        return String::new();
    };
    let own = &report.edits[report.edits.len() - report.own_edits.min(report.edits.len())..];
    if own.is_empty() {
        return "as it was".to_owned();
    }
    let words: Vec<String> = own.iter().map(|edited| edited.edit.words()).collect();
    format!("{}  at {}", words.join(", "), state.label(report.from))
}

/// Sources, instances and servers of a branch.
fn picture(ui: &mut egui::Ui, cx: &mut Cx<'_>, view: &View, rect: Rect, prefix: &str) {
    let Some(branch) = cx.state.branch(view.branch) else {
        return;
    };
    let layout = Layout::of(&branch.model, view, rect.shrink2(vec2(4.0, 2.0)));
    edges(ui, branch, view, &layout);
    for &(source, rect) in &layout.sources {
        source_box(ui, cx, branch, view, source, rect, prefix);
    }
    for &(instance, rect) in &layout.instances {
        instance_box(ui, cx, branch, view, instance, rect, prefix);
    }
    for &(server, rect) in &layout.servers {
        card::server(ui, cx, branch, view, server, rect, prefix);
    }
    for &(server, rect) in &layout.cells {
        card::cell(ui, cx, branch, view, server, rect, prefix);
    }
    dots::draw(ui, cx.state, branch, view, &layout);
    rates(ui, branch, view, &layout);
}

/// A point of the curve between two places.
pub(crate) fn along(from: Pos2, to: Pos2, t: f32) -> Pos2 {
    let reach = vec2((to.x - from.x) * 0.5, 0.0);
    let left = 1.0 - t;
    // A cubic Bézier curve that leaves and arrives level.
    let weights = [
        left * left * left,
        3.0 * left * left * t,
        3.0 * left * t * t,
        t * t * t,
    ];
    let points = [from, from + reach, to - reach, to];
    let sum = points
        .iter()
        .zip(weights)
        .map(|(point, weight)| point.to_vec2() * weight);
    sum.fold(Vec2::ZERO, |a, b| a + b).to_pos2()
}

fn edges(ui: &egui::Ui, branch: &BranchReport, view: &View, layout: &Layout) {
    let p = Palette::of(ui);
    let painter = ui.painter();
    let line = |a: Pos2, b: Pos2, width: f32, colour: Color32| {
        let points = (0..=16).map(|i| along(a, b, i as f32 / 16.0)).collect();
        painter.add(Shape::line(points, Stroke::new(width, colour)));
    };
    let offered = site_now(branch, view, "offered_hz").unwrap_or(0.0);
    let attempts = site_now(branch, view, "attempts_hz")
        .unwrap_or(offered)
        .max(1e-9);
    for link in &layout.links {
        line(link.0, link.1, 3.0, p.line);
    }
    for edge in &layout.edges {
        let rate = server_now(branch, view, edge.server, "attempts_hz").unwrap_or(0.0);
        let share = (rate / attempts / layout.shares(edge)).min(1.0) as f32;
        let width = 1.0 + 13.0 * share.sqrt() * layout.scale;
        let state = Condition::of(
            &view.snapshot.servers[edge.server],
            &branch.model.servers[edge.server],
        );
        let colour = match state {
            Condition::Down | Condition::Starting => crate::theme::mix(p.panel, p.bad, 0.30),
            Condition::Full => crate::theme::mix(p.panel, p.warn, 0.34),
            _ => crate::theme::mix(p.panel, p.accent, 0.26),
        };
        line(
            edge.from,
            edge.to,
            width,
            if rate > 0.0 { colour } else { p.line },
        );
    }
}

/// Requests per second on the way to each server.
fn rates(ui: &egui::Ui, branch: &BranchReport, view: &View, layout: &Layout) {
    if layout.edges.len() > 16 {
        return;
    }
    let p = Palette::of(ui);
    let painter = ui.painter();
    for edge in &layout.edges {
        let Some(rate) = server_now(branch, view, edge.server, "attempts_hz") else {
            continue;
        };
        let words = format!("{}/s", readable::short(rate.round()));
        let galley = painter.layout_no_wrap(words, font(11.0), p.text);
        let at = along(edge.from, edge.to, 0.5);
        let plate = Rect::from_center_size(at, galley.size() + vec2(8.0, 2.0));
        painter.rect_filled(plate, 4.0, p.panel.gamma_multiply(0.85));
        painter.galley(plate.min + vec2(4.0, 1.0), galley, p.text);
    }
}

/// A frame that can be selected; whether it was clicked.
pub(crate) fn selectable(
    ui: &mut egui::Ui,
    cx: &mut Cx<'_>,
    rect: Rect,
    thing: Thing,
    name: &str,
    outline: Color32,
) -> egui::Response {
    let p = Palette::of(ui);
    let id = ui
        .scope_id()
        .with((thing_number(thing), rect.min.y.to_bits()));
    let response = ui.interact(rect, id, Sense::click());
    let selected = cx.state.selected == Some(thing);
    let width = if selected { 2.5 } else { 1.5 };
    let colour = if selected || response.has_focus() {
        p.accent
    } else {
        outline
    };
    ui.painter().rect_filled(
        rect,
        7.0,
        if response.hovered() {
            crate::theme::mix(p.raised, p.text, 0.04)
        } else {
            p.raised
        },
    );
    ui.painter()
        .rect_stroke(rect, 7.0, Stroke::new(width, colour), StrokeKind::Inside);
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, selected, name));
    if response.clicked() {
        cx.does(Command::Select(Some(thing)));
    }
    response
}

fn thing_number(thing: Thing) -> (u8, usize) {
    match thing {
        Thing::Server(i) => (0, i),
        Thing::Instance(i) => (1, i),
        Thing::Source(i) => (2, i),
    }
}

fn lines(ui: &egui::Ui, rect: Rect, lines: &[(String, bool, Color32)]) {
    let height = 15.0;
    let mut y = rect.center().y - height * (lines.len() as f32 - 1.0) / 2.0;
    for (text, bold, colour) in lines {
        let face = if *bold { bold_font(12.0) } else { font(11.0) };
        let galley = ui.painter().layout_no_wrap(text.clone(), face, *colour);
        let clip = ui
            .painter()
            .with_clip_rect(rect.shrink(3.0).intersect(ui.clip_rect()));
        clip.galley(
            pos2(rect.left() + 9.0, y - galley.size().y / 2.0),
            galley,
            *colour,
        );
        y += height;
    }
}

fn source_box(
    ui: &mut egui::Ui,
    cx: &mut Cx<'_>,
    branch: &BranchReport,
    view: &View,
    source: usize,
    rect: Rect,
    prefix: &str,
) {
    let p = Palette::of(ui);
    let name = &branch.model.sources[source].name;
    let rate = if branch.model.sources.len() == 1 {
        site_now(branch, view, "offered_hz")
    } else {
        None
    };
    let rate = rate.map(|rate| format!("{} req/s", readable::short(rate.round())));
    let label = format!("{prefix}source {name} {}", rate.clone().unwrap_or_default());
    selectable(ui, cx, rect, Thing::Source(source), &label, p.line);
    let mut rows = vec![(name.clone(), true, p.text)];
    rows.extend(rate.map(|rate| (rate, false, p.weak)));
    lines(ui, rect, &rows);
}

fn instance_box(
    ui: &mut egui::Ui,
    cx: &mut Cx<'_>,
    branch: &BranchReport,
    view: &View,
    instance: usize,
    rect: Rect,
    prefix: &str,
) {
    let p = Palette::of(ui);
    let snapshot = &view.snapshot.instances[instance];
    let balancer = &branch.model.services[snapshot.service as usize].balancer;
    let (word, icon, colour) = card::machine_look(snapshot.state, p);
    let up = snapshot.state.serves();
    let outline = if up { p.accent } else { colour };
    let label = format!(
        "{prefix}balancer {} {}, {} connections, {} servers eligible",
        snapshot.name,
        if up { "up" } else { word },
        snapshot.connections,
        snapshot.eligible
    );
    let response = selectable(ui, cx, rect, Thing::Instance(instance), &label, outline);
    let mut rows = vec![(snapshot.name.clone(), true, p.text)];
    if up {
        rows.push((balancer.policy.def.row.name.to_owned(), false, p.weak));
    } else {
        rows.push((word.to_owned(), true, colour));
    }
    if rect.height() > 60.0 {
        let held = match balancer.max_connections {
            Some(most) => format!("{} of {most} held", snapshot.connections),
            None => format!("{} held", snapshot.connections),
        };
        rows.push((held, false, p.weak));
    }
    if rect.height() > 74.0 {
        rows.push((format!("{} eligible", snapshot.eligible), false, p.weak));
    }
    lines(ui, rect, &rows);
    if !up {
        let spot = Rect::from_center_size(rect.right_top() + vec2(-13.0, 13.0), Vec2::splat(12.0));
        icon.paint(ui.painter(), spot, colour);
    }
    response.on_hover_text(label);
}

fn text(state: &State) -> String {
    let mut text = String::new();
    for view in [state.view(), state.beside()].into_iter().flatten() {
        let Some(branch) = state.branch(view.branch) else {
            continue;
        };
        let _ = writeln!(
            text,
            "{} ({}), {}",
            letter(view.branch),
            branch_words(state, view.branch),
            crate::state::site_word(view.site)
        );
        for instance in &view.snapshot.instances {
            let _ = writeln!(
                text,
                "  balancer {}: {}, {} connections, {} waiting, {} servers eligible",
                instance.name,
                instance.state.name(),
                instance.connections,
                instance.waiting,
                instance.eligible
            );
        }
        for (i, server) in view.snapshot.servers.iter().enumerate() {
            let name = &branch.model.servers[i].name;
            let words = card::words(branch, view, i);
            let _ = writeln!(text, "  server {name}: {words}, weight {}", server.weight);
        }
    }
    text
}
