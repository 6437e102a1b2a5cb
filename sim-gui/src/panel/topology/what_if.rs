//! What if: the card of a server that was clicked, with its main parameters, what each server would get, and a button
//! that makes a fork of it. Nothing is changed before that.

use super::card::look;
use super::server_now;
use crate::command::{self, Command};
use crate::form::{self, Field};
use crate::icon::{self, Icon};
use crate::local::{Local, WhatIf};
use crate::panel::{Cx, inspector};
use crate::playback::{BranchReport, Edit, Expected, View, letter};
use crate::state::{Condition, State, Thing, server_path};
use crate::theme::{Palette, bold_font, font, mix};
use eframe::egui::{
    self, Align2, Area, Color32, Painter, Rect, RichText, Sense, Shape, Stroke, pos2, vec2,
};
use sim_core::model::{Model, Server};
use sim_core::readable;
use sim_core::scenario::key_rows;

/// Width of the card.
const WIDTH: f32 = 340.0;
/// Parameters on it at most; the inspector has all of them.
const ROWS: usize = 6;
/// Servers whose share is drawn.
const SHARES: usize = 6;

/// Where keys of a server stand in the table of keys.
const PATTERN: &str = "service.NAME.server.NAME";

/// What is being put together for the server that is selected: what there was, if it was of the same server.
pub(crate) fn of(state: &State, before: Option<WhatIf>) -> Option<WhatIf> {
    let (_, path) = selected(state)?;
    let same = before.filter(|what_if| what_if.path == path);
    Some(same.unwrap_or(WhatIf {
        path,
        edits: Vec::new(),
        asked: None,
    }))
}

fn selected(state: &State) -> Option<(usize, String)> {
    let Some(Thing::Server(number)) = state.selected else {
        return None;
    };
    let model = &state.main()?.model;
    let server = model.servers.get(number)?;
    let service = &model.services[server.service.0 as usize].name;
    Some((number, server_path(service, &server.name)))
}

/// The changes as they stand, with what is being typed or dragged.
fn draft(local: &Local) -> Vec<Edit> {
    let Some(what_if) = &local.what_if else {
        return Vec::new();
    };
    let mut edits = what_if.edits.clone();
    let below = format!("{}.", what_if.path);
    if let Some((path, value)) = local.typing.as_ref().filter(|(p, _)| p.starts_with(&below)) {
        put(&mut edits, Edit::set(path, value.trim()));
    }
    edits
}

/// Adds a change in place of one that sets the same.
fn put(edits: &mut Vec<Edit>, edit: Edit) {
    edits.retain(|other| !edit.replaces(other));
    edits.push(edit);
}

/// What servers would get if what is being put together were done at the moment shown.
pub(super) fn expected<'a>(state: &'a State, local: &Local, view: &View) -> Option<&'a Expected> {
    let expected = state.report.as_ref()?.expected.as_deref()?;
    let of_now = expected.branch == view.branch && expected.at == view.at;
    // Until the answer to the latest question comes, the one before it stands.
    (of_now && !draft(local).is_empty() && !expected.edits.is_empty()).then_some(expected)
}

/// Draws the card beside what was clicked.
pub(super) fn draw(ui: &egui::Ui, cx: &mut Cx<'_>, view: &View, anchor: Rect) {
    let Some((server, path)) = selected(cx.state) else {
        return;
    };
    let Some(branch) = cx.state.branch(view.branch) else {
        return;
    };
    if cx
        .local
        .what_if
        .as_ref()
        .is_none_or(|what_if| what_if.path != path)
    {
        return;
    }
    let screen = ui.ctx().content_rect();
    let width = WIDTH.min(screen.width() - 24.0);
    // Beside the stage rather than upon it.
    let left = if anchor.right() + width + 20.0 < screen.right() {
        anchor.right() + 12.0
    } else {
        anchor.left() - width - 30.0
    };
    let at = pos2(left.max(screen.left() + 4.0), anchor.top() - 16.0);
    let area = Area::new(egui::Id::unique("what-if"))
        .order(egui::Order::Foreground)
        .fixed_pos(at)
        .constrain_to(screen.shrink(4.0));
    area.show(ui.ctx(), |ui| {
        let frame = egui::Frame::window(&ui.ctx().global_style()).inner_margin(12);
        frame.show(ui, |ui| {
            ui.set_width(width - 24.0);
            contents(ui, cx, branch, view, server);
        });
    });
    ask(cx, view);
}

/// Asks what would come of what is put together, once for each state of it.
fn ask(cx: &mut Cx<'_>, view: &View) {
    let edits = draft(cx.local);
    let playing = (cx.state.report.as_ref()).is_some_and(|r| r.transport.playing);
    if edits.is_empty() {
        return;
    }
    if playing {
        // A change is made at a moment, and so is looked at there.
        return cx.does(Command::PlayPause);
    }
    let question = (view.branch, view.at, edits);
    let Some(what_if) = &mut cx.local.what_if else {
        return;
    };
    if what_if.asked.as_ref() != Some(&question) {
        let edits = question.2.clone();
        what_if.asked = Some(question);
        cx.does(Command::Expect(edits));
    }
}

fn contents(ui: &mut egui::Ui, cx: &mut Cx<'_>, branch: &BranchReport, view: &View, server: usize) {
    let p = Palette::of(ui);
    let model = &branch.model.servers[server];
    head(ui, cx, view, server, model);
    ui.add_space(4.0);
    let path = cx.local.what_if.as_ref().map_or("", |w| &w.path).to_owned();
    let values = inspector::values(cx, view, &path, PATTERN);
    for (key, name) in main_parameters(&branch.model, model) {
        let below = format!("{path}.{key}");
        let Some((_, row, value)) = values.iter().find(|(path, ..)| *path == below) else {
            continue;
        };
        let changed = changed(cx.local, &below);
        let field = Field {
            name: &name,
            path: &below,
            row: &key_rows()[*row],
            value: changed.as_deref().or(value.as_deref()),
            hint: "Fork here makes the change.",
            style: &form::CARD,
        };
        let chosen = form::field(ui, &field, cx.local);
        if let Some((chosen, what_if)) = chosen.zip(cx.local.what_if.as_mut()) {
            let as_it_is = value.as_deref().map(crate::value::unquoted);
            let edit = Edit::set(&below, &chosen);
            if as_it_is.as_ref() == Some(&chosen) {
                what_if.edits.retain(|other| !edit.replaces(other));
            } else {
                put(&mut what_if.edits, edit);
            }
        }
    }
    ui.add_space(2.0);
    actions(ui, cx, view, server, &path);
    ui.add_space(6.0);
    shares(ui, cx, branch, view, server);
    ui.add_space(8.0);
    let edits = draft(cx.local);
    ui.horizontal(|ui| {
        let words = RichText::new("Fork here").font(bold_font(13.0));
        let ink = if edits.is_empty() {
            p.weak
        } else {
            p.on_accent
        };
        let fill = if edits.is_empty() { p.raised } else { p.accent };
        let button = egui::Button::new(words.color(ink)).fill(fill);
        let button = ui.add_enabled(!edits.is_empty(), button.min_size(vec2(110.0, 30.0)));
        let hint = "A second future with these changes from this moment on, beside the first.";
        if button.on_hover_text(hint).clicked() {
            cx.does(Command::Fork(edits.clone()));
        }
        history(ui, cx);
        if !edits.is_empty() && ui.button("Reset").clicked() {
            cx.local.typing = None;
            if let Some(what_if) = &mut cx.local.what_if {
                what_if.edits.clear();
            }
        }
    });
}

/// Undo and redo, as buttons.
pub(crate) fn history(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let report = cx.state.report.as_ref();
    let can = report.map_or((false, false), |r| (r.can_undo, r.can_redo));
    let mut buttons = [
        ("undo", Icon::Undo, Command::Undo, can.0),
        ("redo", Icon::Redo, Command::Redo, can.1),
    ];
    // Undo stands at the left, however the row is laid out.
    if ui.layout().prefer_right_to_left() {
        buttons.reverse();
    }
    for (name, icon, command, can) in buttons {
        let title = command::find(name).map_or("", |command| command.title);
        let shown = ui.add_enabled_ui(can, |ui| {
            icon::button(ui, icon, title, &command::hint(name))
        });
        if shown.inner.clicked() {
            cx.does(command);
        }
    }
}

fn head(ui: &mut egui::Ui, cx: &mut Cx<'_>, view: &View, server: usize, model: &Server) {
    let p = Palette::of(ui);
    let condition = Condition::of(&view.snapshot.servers[server], model);
    let (icon, colour) = look(condition, p);
    ui.horizontal(|ui| {
        icon::inline(ui, icon, colour, 13.0);
        let room = ui.available_width() - 120.0;
        let name = crate::fit::galley(ui.painter(), &model.name, &bold_font(15.0), p.text, room);
        ui.label(name);
        ui.label(
            RichText::new(condition.word())
                .font(bold_font(11.0))
                .color(colour),
        );
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if icon::button(ui, Icon::Cross, "Close the card", "Close (Esc)").clicked() {
                cx.local.what_if = None;
            }
        });
    });
    let of = match cx.state.beside() {
        Some(_) => format!(" in {}", letter(view.branch)),
        None => String::new(),
    };
    let at = cx.state.label_to_second(view.at);
    let words = format!("What if, from {at} on{of}:");
    ui.label(RichText::new(words).font(font(12.0)).color(p.weak));
}

/// The main parameters of a server: those that make a difference to it, by their keys and what they are called here.
fn main_parameters(model: &Model, server: &Server) -> Vec<(String, String)> {
    let (service, params) = (&model.services[server.service.0 as usize], &server.params);
    let of = |key: &str, name: &str| (key.to_owned(), name.to_owned());
    let mut found = Vec::new();
    if service.balancer.policy.def.heeds_weights {
        found.push(of("weight", "weight"));
    }
    found.push(of("workers", "workers"));
    for (number, rule) in params.crash.iter().enumerate() {
        let name = format!("dies above {}", rule.gauge.name.replace('_', " "));
        found.push((format!("crash.{number}.above"), name));
    }
    if params.memory.is_some() {
        found.push(of("memory.limit", "memory limit"));
    }
    found.push(of("queue.limit", "queue limit"));
    found.push(of("max_connections", "connections"));
    found.push(of("speed", "speed"));
    found.truncate(ROWS);
    found
}

/// The value that is to be set at a path.
fn changed(local: &Local, path: &str) -> Option<String> {
    let edits = &local.what_if.as_ref()?.edits;
    edits.iter().find_map(|edit| match edit {
        Edit::Set { path: other, value } if other == path => Some(value.clone()),
        _ => None,
    })
}

/// What people could do: up, down, in rotation or out.
fn actions(ui: &mut egui::Ui, cx: &mut Cx<'_>, view: &View, server: usize, path: &str) {
    let offered = inspector::offered(view, Thing::Server(server));
    ui.horizontal(|ui| {
        for action in offered {
            let edit = Edit::act(*action, path);
            let Some(what_if) = &mut cx.local.what_if else {
                return;
            };
            let on = what_if.edits.contains(&edit);
            let button = ui.add(egui::Button::selectable(on, *action).min_size(vec2(64.0, 26.0)));
            let name = format!("what if {action}");
            button
                .widget_info(|| egui::WidgetInfo::selected(egui::Role::CheckBox, true, on, &name));
            if button.clicked() {
                what_if.edits.retain(|other| *other != edit);
                if !on {
                    what_if.edits.push(edit);
                }
            }
        }
    });
}

/// What each server gets, and as a ghost what it would get.
fn shares(ui: &mut egui::Ui, cx: &Cx<'_>, branch: &BranchReport, view: &View, server: usize) {
    let p = Palette::of(ui);
    let service = branch.model.servers[server].service;
    let peers = &branch.model.services[service.0 as usize].servers;
    let peers: Vec<usize> = peers.iter().map(|id| id.0 as usize).collect();
    let rate = |s: usize| server_now(branch, view, s, "attempts_hz").unwrap_or(0.0);
    let all: f64 = peers.iter().map(|&s| rate(s)).sum();
    let expected = expected(cx.state, cx.local, view);
    let title = match expected {
        Some(Expected { sent: None, .. }) => "This change is not possible.".to_owned(),
        Some(expected) => format!(
            "Share of the traffic, and in the {} after the change",
            readable::span(expected.over)
        ),
        None => "Share of the traffic".to_owned(),
    };
    ui.label(RichText::new(title).font(font(11.0)).color(p.weak));
    let mut shown = peers.clone();
    if shown.len() > SHARES {
        let chosen = |s: &usize| *s == server;
        shown.sort_by(|a, b| {
            let first = chosen(b).cmp(&chosen(a));
            first.then(rate(*b).total_cmp(&rate(*a))).then(a.cmp(b))
        });
        shown.truncate(SHARES);
    }
    for s in shown {
        let now = if all > 0.0 { rate(s) / all } else { 0.0 };
        let then = expected.and_then(|e| e.share(s, peers.iter().copied()));
        let (rect, response) =
            ui.allocate_exact_size(vec2(ui.available_width(), 18.0), Sense::hover());
        let name = &branch.model.servers[s].name;
        let ink = if s == server { p.text } else { p.weak };
        let galley = crate::fit::galley(ui.painter(), name, &font(11.5), ink, 90.0);
        let y = rect.center().y;
        let at = pos2(rect.left(), y - galley.size().y / 2.0);
        ui.painter().galley(at, galley, ink);
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        let words = match then {
            Some(then) => format!("{} → {}", percent(now), percent(then)),
            None => percent(now),
        };
        let end = rect.right_center();
        ui.painter()
            .text(end, Align2::RIGHT_CENTER, &words, bold_font(11.5), p.text);
        let track = Rect::from_min_max(
            pos2(rect.left() + 98.0, y - 5.0),
            pos2(rect.right() - 92.0, y + 5.0),
        );
        ui.painter()
            .rect_filled(track, 3.0, mix(p.raised, p.weak, 0.24));
        let part = |share: f64| {
            let width = (track.width() * share.clamp(0.0, 1.0) as f32).max(2.0);
            Rect::from_min_size(track.min, vec2(width, track.height()))
        };
        ui.painter().rect_filled(part(now), 3.0, p.accent);
        if let Some(then) = then {
            ghost(ui.painter(), part(then).expand(2.0), p.now);
        }
        let words = format!("share of {name}: {words}");
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &words));
    }
}

/// What is not there yet: a tint in a broken outline.
fn ghost(painter: &Painter, rect: Rect, ink: Color32) {
    painter.rect_filled(rect, 3.0, ink.gamma_multiply(0.22));
    let corners = [
        rect.left_top(),
        rect.right_top(),
        rect.right_bottom(),
        rect.left_bottom(),
        rect.left_top(),
    ];
    painter.extend(Shape::dashed_line(
        &corners,
        Stroke::new(1.3, ink),
        4.0,
        2.5,
    ));
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::scenario::{NoFiles, Scenario, Source};

    #[test]
    fn every_main_parameter_is_a_key_that_can_change_while_time_runs() {
        let text = "horizon = \"1m\"\n[[traffic]]\nto = \"web\"\nrate = 5\n[service.web]\ndemand = \"10ms\"\n\
                    [service.web.balancer]\npolicy = \"weighted-round-robin\"\n[[service.web.server]]\nname = \"a\"\n\
                    workers = 4\ncrash = [{ when = \"in_flight\", above = 40 }]\n\
                    memory = { base = \"1MiB\", limit = \"1GiB\" }\n";
        let scenario = Scenario::read(Source::new("t.toml", text), &[], &NoFiles).expect("valid");
        let model = scenario.model().expect("valid");
        let rows = main_parameters(&model, &model.servers[0]);
        assert_eq!(rows.len(), ROWS);
        for (key, _) in rows {
            let path = format!("{PATTERN}.{}", key.replace(".0.", ".NAME."));
            let row = key_rows().iter().find(|row| row.path == path);
            assert!(row.is_some_and(|row| row.live), "{key}");
        }
    }
}
