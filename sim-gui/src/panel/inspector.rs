//! The inspector: what is selected, its figures so far, and its parameters, each of which can be
//! changed: a change forks the run at the moment shown.

use super::{Cx, PanelDef, Place, known};
use crate::command::Command;
use crate::form::{self, Field};
use crate::local::ValuesAt;
use crate::playback::{BranchReport, Edit, View};
use crate::state::{Condition, State, Thing, server_path};
use crate::theme::{Palette, font};
use eframe::egui::{self, RichText};
use sim_core::engine::{MachineState, MemoryUse};
use sim_core::ids::{Id, ServerId};
use sim_core::metric::Scope;
use sim_core::model::Model;
use sim_core::readable;
use sim_core::scenario::{KeyRow, key_rows};
use std::fmt::Write as _;
use std::sync::Arc;

/// The row of this panel.
pub static PANEL: PanelDef = PanelDef {
    name: "inspector",
    title: "Inspector",
    about: "What is selected: figures, parameters, and what can be done now.",
    place: Place::RightBelow,
    draw,
    text,
};

/// The path of a thing, and the same with names as the tables write them.
fn paths(
    branch: &BranchReport,
    view: &View,
    thing: Thing,
) -> Option<(String, &'static str, String)> {
    let model = &branch.model;
    match thing {
        Thing::Server(i) => {
            let server = model.servers.get(i)?;
            let service = &model.services[server.service.0 as usize].name;
            let path = server_path(service, &server.name);
            Some((
                path,
                "service.NAME.server.NAME",
                format!("server {}", server.name),
            ))
        }
        Thing::Instance(i) => {
            let instance = view.snapshot.instances.get(i)?;
            let service = &model.services[instance.service as usize].name;
            let path = format!("service.{service}.balancer");
            Some((
                path,
                "service.NAME.balancer",
                format!("balancer {}", instance.name),
            ))
        }
        Thing::Source(i) => {
            let source = model.sources.get(i)?;
            let path = format!("traffic.{}", source.name);
            Some((path, "traffic.NAME", format!("source {}", source.name)))
        }
    }
}

fn draw(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let Some((view, branch)) = cx.state.view().zip(cx.state.main()) else {
        return super::nothing(ui, "Nothing to inspect yet.");
    };
    let Some(thing) = cx.state.selected else {
        egui::ScrollArea::vertical()
            .id_salt("site")
            .auto_shrink([false, false])
            .show(ui, |ui| whole_site(ui, cx.state, view));
        return;
    };
    let Some((path, pattern, title)) = paths(branch, view, thing) else {
        return super::nothing(ui, "What was selected is not there any more.");
    };
    egui::ScrollArea::vertical()
        .auto_shrink([false, false])
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                super::heading(ui, &title);
                actions(ui, cx, view, thing, &path);
            });
            facts(ui, &figures(branch, view, thing));
            if let Thing::Server(i) = thing {
                known::draw(ui, cx.state, Some(Scope::Server(ServerId::at(i))));
            }
            ui.add_space(4.0);
            parameters(ui, cx, view, &path, pattern);
            match thing {
                Thing::Source(_) => {
                    parameters_below(ui, cx, view, "client", "client", "callers of all sources");
                }
                Thing::Instance(_) => {
                    let service = path.trim_end_matches(".balancer");
                    let title = format!("service {}", service.trim_start_matches("service."));
                    parameters_below(ui, cx, view, service, "service.NAME", &title);
                }
                Thing::Server(i) => {
                    if let Some(host) = branch.model.servers[i].params.host {
                        let name = &branch.model.hosts[host.0 as usize].name;
                        let path = format!("machine.{name}");
                        let title = format!("machine {name}");
                        parameters_below(ui, cx, view, &path, "machine.NAME", &title);
                    }
                }
            }
        });
}

/// The verdict on the run so far, and what stands behind it.
pub(super) fn verdict(summary: &sim_core::summary::Summary) -> Option<(&'static str, &str)> {
    Some((summary.verdict?, summary.verdict_because.as_deref()?))
}

fn whole_site(ui: &mut egui::Ui, state: &State, view: &View) {
    super::heading(ui, "The whole site so far");
    let summary = &view.summary;
    let requests = &summary.requests;
    let text =
        |v: Option<f64>, write: &dyn Fn(f64) -> String| v.map_or_else(|| "–".to_owned(), write);
    let seconds = |s: f64| readable::time(s * 1e9);
    let rows = vec![
        ("requests", readable::number(requests.arrived as f64)),
        (
            "answered in time",
            readable::number(requests.succeeded as f64),
        ),
        ("failed", readable::number(requests.failed as f64)),
        ("availability", text(summary.availability, &readable::share)),
        (
            "response time p50",
            text(summary.response_time_s.p50, &seconds),
        ),
        (
            "response time p99",
            text(summary.response_time_s.p99, &seconds),
        ),
        (
            "attempts per request",
            text(summary.attempts.per_request, &readable::number),
        ),
    ];
    let mut objectives: Vec<(&str, String)> = Vec::new();
    for (name, slo) in &summary.slos.0 {
        objectives.push((name, text(slo.attained, &readable::share)));
    }
    facts(ui, &rows);
    for (name, attained) in &objectives {
        facts(ui, &[(name, format!("{attained} good"))]);
    }
    known::draw(ui, state, None);
    ui.add_space(2.0);
    let p = Palette::of(ui);
    if let Some((word, because)) = verdict(summary) {
        let words = RichText::new(format!("{word}: {because}"))
            .font(font(11.5))
            .color(p.text);
        ui.add(egui::Label::new(words).wrap());
        ui.add_space(2.0);
    }
    let hint = "Click a server, a balancer or a source to see its parameters and change them.";
    ui.add(egui::Label::new(RichText::new(hint).font(font(11.5)).color(p.weak)).wrap());
}

/// Label and value, in two columns of pairs.
fn facts(ui: &mut egui::Ui, rows: &[(&str, String)]) {
    let p = Palette::of(ui);
    // Side by side where there is room for both.
    let columns = if ui.available_width() < 350.0 { 1 } else { 2 };
    for pair in rows.chunks(columns) {
        let (rect, _) =
            ui.allocate_exact_size(egui::vec2(ui.available_width(), 15.0), egui::Sense::hover());
        for (i, (label, value)) in pair.iter().enumerate() {
            let half = rect.width() / columns.min(rows.len()) as f32;
            let cell = egui::Rect::from_min_size(
                rect.min + egui::vec2(half * i as f32, 0.0),
                egui::vec2(half - 10.0, 15.0),
            );
            let painter = ui.painter().with_clip_rect(cell.intersect(ui.clip_rect()));
            let y = cell.center().y;
            painter.text(
                egui::pos2(cell.left(), y),
                egui::Align2::LEFT_CENTER,
                label,
                font(11.5),
                p.weak,
            );
            painter.text(
                egui::pos2(cell.right(), y),
                egui::Align2::RIGHT_CENTER,
                value,
                crate::theme::bold_font(12.0),
                p.text,
            );
            let name = format!("{label}: {value}");
            ui.interact(cell, ui.scope_id().with(&name), egui::Sense::hover())
                .widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &name));
        }
    }
}

fn figures(branch: &BranchReport, view: &View, thing: Thing) -> Vec<(&'static str, String)> {
    match thing {
        Thing::Server(i) => {
            let server = &branch.model.servers[i];
            let snapshot = &view.snapshot.servers[i];
            let service = &branch.model.services[server.service.0 as usize].name;
            let summary = view
                .summary
                .services
                .get(service)
                .and_then(|s| s.servers.get(&server.name));
            let mut rows = vec![
                (
                    "state",
                    Condition::of(snapshot, server).word().to_lowercase(),
                ),
                (
                    "in it",
                    format!("{}, {} waiting", snapshot.in_system, snapshot.queue_len),
                ),
            ];
            rows.extend(memory(snapshot.memory));
            if snapshot.connections > 0 {
                rows.push(("connections", snapshot.connections.to_string()));
            }
            if let Some(s) = summary {
                rows.push(("attempts", readable::number(s.attempts as f64)));
                rows.push((
                    "share",
                    s.share.map_or_else(|| "–".to_owned(), readable::share),
                ));
                rows.push(("failed", readable::number(s.failed as f64)));
                rows.push(("busy so far", readable::share(s.utilisation)));
                rows.push(("crashes", s.crashes.to_string()));
                rows.push(("time down", readable::time(s.downtime_s * 1e9)));
            }
            rows
        }
        Thing::Instance(i) => {
            let instance = &view.snapshot.instances[i];
            let mut rows = vec![
                ("state", instance.state.name().to_owned()),
                ("eligible servers", instance.eligible.to_string()),
                ("holds", format!("{} connections", instance.connections)),
                ("waiting", instance.waiting.to_string()),
            ];
            rows.extend(memory(instance.memory));
            rows.push(("attempts", readable::number(instance.attempts as f64)));
            rows.push(("crashes", instance.crashes.to_string()));
            rows
        }
        Thing::Source(i) => {
            let source = &branch.model.sources[i];
            let classes = branch.model.classes.iter().map(|class| class.name.as_str());
            vec![
                (
                    "asks",
                    branch.model.services[source.to.0 as usize].name.clone(),
                ),
                ("classes", classes.collect::<Vec<_>>().join(", ")),
            ]
        }
    }
}

/// Memory in use, where the settings say anything of it.
fn memory(memory: Option<MemoryUse>) -> Option<(&'static str, String)> {
    let mib = |bytes: f64| bytes / (1024.0 * 1024.0);
    memory.map(|m| {
        (
            "memory",
            format!("{:.0} of {:.0} MiB", mib(m.used), mib(m.limit)),
        )
    })
}

/// What people could do now, as buttons.
fn actions(ui: &mut egui::Ui, cx: &mut Cx<'_>, view: &View, thing: Thing, path: &str) {
    let offered = offered(view, thing);
    let another = another_like(cx.state, thing);
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        if let Some(edit) = another {
            let hint = format!("{} at {}: a fork", edit.words(), cx.state.label(view.at));
            if ui.small_button("add another").on_hover_text(hint).clicked() {
                cx.does(Command::Edit(edit));
            }
        }
        for action in offered.iter().rev() {
            let hint = format!(
                "{action} {} at {}: a fork",
                sim_core::edit::short_path(path),
                cx.state.label(view.at)
            );
            if ui.small_button(*action).on_hover_text(hint).clicked() {
                cx.does(Command::Edit(Edit::act(*action, path)));
            }
        }
    });
}

/// What people could do now.
pub(super) fn offered(view: &View, thing: Thing) -> &'static [&'static str] {
    match thing {
        Thing::Server(i) => match (
            &view.snapshot.servers[i].state,
            view.snapshot.servers[i].drained,
        ) {
            (MachineState::Up, false) => &["drain", "crash"],
            (MachineState::Up, true) => &["undrain", "crash"],
            (MachineState::Down, _) => &["restart"],
            (MachineState::Absent, _) => &["add"],
            (MachineState::Booting, _) => &[],
        },
        Thing::Instance(i) if view.snapshot.instances[i].state == MachineState::Down => {
            &["restart"]
        }
        Thing::Instance(_) => &["crash"],
        Thing::Source(_) => &[],
    }
}

/// A further server like the one selected, under the next name that is free.
fn another_like(state: &State, thing: Thing) -> Option<Edit> {
    let (model, Thing::Server(i)) = (state.model()?, thing) else {
        return None;
    };
    let like = model.servers.get(i)?;
    // In all futures: the one that gets it may have others already.
    let branches = state.report.as_ref()?.branches.iter();
    let all = branches.flat_map(|branch| branch.model.servers.iter());
    let stem = like.name.rsplit_once('-');
    let stem = stem.map_or(&*like.name, |(stem, _)| stem);
    let same = all.filter(|s| s.service == like.service);
    let numbers = same.filter_map(|s| s.name.strip_prefix(stem)?.strip_prefix('-')?.parse().ok());
    let next = numbers.max().unwrap_or(1_u64) + 1;
    let service = &model.services[like.service.0 as usize].name;
    let target = server_path(service, &format!("{stem}-{next}"));
    Some(Edit::add(target, &like.name))
}

fn parameters(ui: &mut egui::Ui, cx: &mut Cx<'_>, view: &View, path: &str, pattern: &str) {
    parameters_below(ui, cx, view, path, pattern, "parameters");
}

/// All parameters below a path that can change while time runs.
fn parameters_below(
    ui: &mut egui::Ui,
    cx: &mut Cx<'_>,
    view: &View,
    path: &str,
    pattern: &str,
    title: &str,
) {
    let p = Palette::of(ui);
    let words = format!(
        "{title}: a change forks the run at {}",
        cx.state.label_to_second(view.at)
    );
    ui.label(RichText::new(words).font(font(11.0)).color(p.weak));
    let values = values(cx, view, path, pattern);
    let value_of = |path: &str| {
        let (.., value) = values.iter().find(|(other, ..)| path == other)?;
        value.as_deref()
    };
    // A parameter of a kind is shown while the value above it is of this kind, or has it in its list.
    let shown = |path: &str, row: &KeyRow| {
        let Some((kind, (above, _))) = row.of_kind.zip(path.rsplit_once('.')) else {
            return true;
        };
        match above.rsplit_once('.') {
            Some((list, word)) if word == kind => {
                value_of(list).is_some_and(|value| value.contains(&format!("\"{kind}\"")))
            }
            _ => value_of(above).is_some_and(|value| form::kind_of(value) == kind),
        }
    };
    // What is written comes first: it is what this scenario is about.
    let all = values
        .iter()
        .filter(|(path, row, _)| shown(path, &key_rows()[*row]));
    let (written, defaults): (Vec<_>, Vec<_>) = all.partition(|(.., value)| value.is_some());
    for (path, row, value) in written.into_iter().chain(defaults) {
        let field = Field {
            name: &short(path),
            path,
            row: &key_rows()[*row],
            value: value.as_deref(),
            hint: "Enter, or letting go of the slider, makes the change.",
            style: &form::PANEL,
        };
        if let Some(value) = form::field(ui, &field, cx.local) {
            cx.does(Command::Edit(Edit::set(path, value)));
        }
    }
}

/// All that can change while time runs below a path, with its row and its value at the moment shown. Read once for each
/// moment.
pub(super) fn values(
    cx: &mut Cx<'_>,
    view: &View,
    path: &str,
    pattern: &str,
) -> Vec<(String, usize, Option<String>)> {
    let key = (
        view.branch,
        view.at,
        cx.state.branch(view.branch).map_or(0, |b| b.edits.len()),
    );
    let stale = cx
        .local
        .values
        .get(path)
        .is_none_or(|values| values.key != key);
    if stale && let Some(scenario) = cx.state.scenario_of(view.branch) {
        let found = live_paths(cx.state.model(), path, pattern);
        let paths: Vec<String> = found.iter().map(|(path, _)| path.clone()).collect();
        // What a source does not say of its callers is as of all callers.
        let of_all = |path: &String| {
            path.split_once(".client.")
                .map(|(_, key)| format!("client.{key}"))
        };
        let general: Vec<String> = paths
            .iter()
            .map(|path| of_all(path).unwrap_or_default())
            .collect();
        let values = scenario.values_at(view.at, &paths).into_iter();
        let general = scenario.values_at(view.at, &general);
        let values = values.zip(general).map(|(own, general)| own.or(general));
        let rows = found
            .into_iter()
            .zip(values)
            .map(|((path, row), value)| (path, row, value))
            .collect();
        cx.local
            .values
            .insert(path.to_owned(), ValuesAt { key, rows });
    }
    let values = cx.local.values.get(path);
    values.map_or_else(Vec::new, |values| values.rows.clone())
}

/// The paths of all that can change while time runs at a thing, with their rows. What stands there by
/// names of its own, such as calls and routes, is listed name by name; servers are things themselves.
fn live_paths(model: Option<&Arc<Model>>, path: &str, pattern: &str) -> Vec<(String, usize)> {
    let prefix = format!("{pattern}.");
    let mut found = Vec::new();
    for (row, key) in key_rows().iter().enumerate().filter(|(_, key)| key.live) {
        let Some(rest) = key.path.strip_prefix(&prefix) else {
            continue;
        };
        match rest.split_once(".NAME.") {
            // A balancer is a thing of its own, too.
            None if pattern == "service.NAME" && rest.starts_with("balancer.") => {}
            None => found.push((format!("{path}.{rest}"), row)),
            Some((list, key)) => {
                for name in model.map_or_else(Vec::new, |model| names_in(model, path, list)) {
                    found.push((format!("{path}.{list}.{name}.{key}"), row));
                }
            }
        }
    }
    found
}

/// The names that stand in a list at a service, its balancer or one of its servers; crash rules go by their numbers.
fn names_in(model: &Model, path: &str, list: &str) -> Vec<String> {
    let words: Vec<&str> = path.split('.').collect();
    let service = words.get(1).copied();
    let Some(service) = model.services.iter().find(|s| Some(&*s.name) == service) else {
        return Vec::new();
    };
    if list == "crash" {
        let server = |name: &str| {
            let of_service = service
                .servers
                .iter()
                .map(|id| &model.servers[id.0 as usize]);
            let mut of_service = of_service;
            of_service.find(|server| server.name == name)
        };
        let rules = match words.get(2..) {
            Some(["balancer"]) => service.balancer.crash.len(),
            Some(["server", name]) => server(name).map_or(0, |s| s.params.crash.len()),
            _ => 0,
        };
        return (0..rules).map(|number| number.to_string()).collect();
    }
    let named = |at: &str| {
        let below = format!("service.{}.{at}.", service.name);
        let asks = service.asks().map(|ask| ask.path(service, model));
        asks.filter_map(|path| path.strip_prefix(&below).map(str::to_owned))
            .collect()
    };
    match list {
        "call" => named("call"),
        "routes" => named("balancer.routes"),
        "zone" => service.zones.iter().map(|zone| zone.name.clone()).collect(),
        _ => Vec::new(),
    }
}

/// A parameter's name below its thing.
fn short(path: &str) -> String {
    let words: Vec<&str> = path.split('.').collect();
    let skip = match words.as_slice() {
        ["service", _, "server", ..] => 4,
        ["service", _, "balancer", ..] => 3,
        ["traffic", ..] => 2,
        _ => 1,
    };
    words[skip.min(words.len() - 1)..].join(" ")
}

fn text(state: &State) -> String {
    let Some((view, branch)) = state.view().zip(state.main()) else {
        return String::new();
    };
    let Some((path, _, title)) = state.selected.and_then(|thing| paths(branch, view, thing)) else {
        return known::text(state, None);
    };
    let mut text = format!("{title} ({path})\n");
    if let Some(thing) = state.selected {
        for (label, value) in figures(branch, view, thing) {
            let _ = writeln!(text, "  {label}: {value}");
        }
        if let Thing::Server(i) = thing {
            text.push_str(&known::text(state, Some(Scope::Server(ServerId::at(i)))));
        }
    }
    text
}
