//! Lanes of the strip: how alerts stood, what the site, balancers and servers were like, until when something helps.

use super::alerts::{self, ALERTS};
use super::deadline::Marker;
use crate::icon::Icon;
use crate::playback::{BranchReport, Column, Lane, danger, letter};
use crate::state::{Condition, State, Stretch, Thing, same_server};
use crate::theme::{Palette, bold_font, font, mix};
use eframe::egui::{self, Color32, Rangef, Rect, Vec2, pos2};
use sim_core::engine::MachineState;
use sim_core::event_log::Kind;
use sim_core::model::Balancer;
use sim_core::record::AlertState;
use sim_core::time::Instant;
use std::ops::Range;

/// Servers drawn one by one at most; of more, each service has a lane.
const LANES: usize = 6;
/// Balancer instances drawn one by one at most.
const BALANCERS: usize = 3;
/// Services with a lane each; more share the last one.
const SERVICES: usize = 6;
/// Width of a hatched stretch of which enough is left beside its word.
const HATCHED: f32 = 120.0;

/// A lane: alerts, the site, machines, services, or the point of no return. Whose it is comes first: the number of a branch.
pub(super) enum LaneOf {
    /// An alert of a branch, or all of them.
    Alert(usize, Option<usize>),
    /// The state of the site.
    Site(usize),
    /// A balancer instance.
    Balancer(usize, usize),
    /// A server.
    Server(usize, usize),
    /// The servers of services: how full their queues are, and how many are not up.
    Services(usize, Range<usize>),
    /// Until when something helps.
    Deadline,
}

/// The lanes of a branch, and of the one beside it: those that are pinned, and the others. `room`: so many may be drawn before
/// servers share lanes.
pub(super) fn lanes_of(branch: &BranchReport, state: &State, room: usize) -> Vec<LaneOf> {
    let main = state.view().map_or(0, |view| view.branch);
    let beside = state.beside();
    let other = beside.and_then(|view| Some((view.branch, state.branch(view.branch)?)));
    let futures: Vec<(usize, &BranchReport)> = [(main, branch)].into_iter().chain(other).collect();
    let pins = state.pinned.iter().flat_map(|key| {
        let of_each = futures
            .iter()
            .map(|(number, _)| lane_of_pin(state, *number, key));
        of_each.flatten().collect::<Vec<_>>()
    });
    let mut lanes: Vec<LaneOf> = pins.take(room).collect();
    let left = room.saturating_sub(lanes.len());
    let is_pinned =
        |lane: &LaneOf| pin_of(state, lane).is_some_and(|(_, key)| state.pinned.contains(&key));
    let mut others = lanes_unpinned(&futures, state, left, &is_pinned);
    // Where room is short, what is pinned takes the place of what comes last.
    if !lanes.is_empty() {
        let marker = others.pop_if(|lane| matches!(lane, LaneOf::Deadline));
        let marked = usize::from(marker.is_some());
        others.truncate(left.saturating_sub(marked).max(2 * futures.len()));
        others.extend(marker);
    }
    lanes.extend(others);
    lanes
}

/// What a lane that can be pinned is called, and whose it is. It is the same in every future.
pub(super) fn pin_of(state: &State, lane: &LaneOf) -> Option<(usize, String)> {
    match lane {
        LaneOf::Site(number) => Some((*number, "site".to_owned())),
        LaneOf::Alert(number, Some(alert)) => {
            let alert = state.branch(*number)?.model.alerts.get(*alert)?;
            Some((*number, format!("alert {}", alert.name)))
        }
        LaneOf::Balancer(number, instance) => {
            let name = instance_name(state, *number, *instance)?;
            Some((*number, format!("balancer {name}")))
        }
        LaneOf::Server(number, server) => {
            let model = &state.branch(*number)?.model;
            let server = model.servers.get(*server)?;
            let service = &model.services[server.service.0 as usize].name;
            Some((*number, format!("server {service}/{}", server.name)))
        }
        LaneOf::Services(number, services) if services.len() == 1 => {
            let service = state.branch(*number)?.model.services.get(services.start)?;
            Some((*number, format!("service {}", service.name)))
        }
        LaneOf::Alert(_, None) | LaneOf::Services(..) | LaneOf::Deadline => None,
    }
}

/// The lane of a future that is called so, where there is one.
fn lane_of_pin(state: &State, number: usize, key: &str) -> Option<LaneOf> {
    let branch = state.branch(number)?;
    let model = &branch.model;
    let (kind, name) = key.split_once(' ').unwrap_or((key, ""));
    match kind {
        "site" => Some(LaneOf::Site(number)),
        "alert" => {
            let alert = model.alerts.iter().position(|alert| alert.name == name)?;
            Some(LaneOf::Alert(number, Some(alert)))
        }
        "balancer" => {
            let each = 0..branch.series.instances();
            let mut named = each.filter(|i| instance_name(state, number, *i) == Some(name));
            named.next().map(|i| LaneOf::Balancer(number, i))
        }
        "server" => {
            let (service, name) = name.rsplit_once('/')?;
            let of =
                |server: &sim_core::model::Server| &model.services[server.service.0 as usize].name;
            let mut servers = model.servers.iter();
            let place = servers.position(|s| s.name == name && of(s) == service)?;
            (place < branch.series.servers()).then_some(LaneOf::Server(number, place))
        }
        _ => {
            let place = model.services.iter().position(|s| s.name == name)?;
            Some(LaneOf::Services(number, place..place + 1))
        }
    }
}

/// The lane of what is selected, as it is pinned.
pub(crate) fn lane_of_selected(state: &State) -> Option<String> {
    let main = state.view()?.branch;
    let lane = match state.selected? {
        Thing::Server(server) => LaneOf::Server(main, server),
        Thing::Instance(instance) => LaneOf::Balancer(main, instance),
        Thing::Source(_) => return None,
    };
    let (number, key) = pin_of(state, &lane)?;
    // Of very many servers not each has figures over time.
    lane_of_pin(state, number, &key).map(|_| key)
}

/// The lanes of futures, but for those that are pinned.
fn lanes_unpinned(
    futures: &[(usize, &BranchReport)],
    state: &State,
    room: usize,
    is_pinned: &dyn Fn(&LaneOf) -> bool,
) -> Vec<LaneOf> {
    let Some((_, branch)) = futures.first() else {
        return Vec::new();
    };
    let mut lanes = alert_lanes(branch, state);
    lanes.extend(futures.iter().map(|(number, _)| LaneOf::Site(*number)));
    let instances = |branch: &BranchReport| branch.series.instances();
    if futures
        .iter()
        .all(|(_, branch)| instances(branch) <= BALANCERS)
    {
        for instance in 0..futures.iter().map(|(_, b)| instances(b)).max().unwrap_or(0) {
            let there = futures.iter().filter(|(_, b)| instance < instances(b));
            lanes.extend(there.map(|(number, _)| LaneOf::Balancer(*number, instance)));
        }
    } else {
        // The one in the greatest danger stands for all of a future.
        lanes.extend(
            futures
                .iter()
                .map(|(number, _)| LaneOf::Balancer(*number, ALL)),
        );
    }
    lanes.retain(|lane| !is_pinned(lane));
    let marker = Marker::of(state).map(|_| LaneOf::Deadline);
    let left = room.saturating_sub(lanes.len() + usize::from(marker.is_some()));
    let mut one_by_one = server_lanes(branch, state);
    if let Some(servers) = &mut one_by_one {
        servers.retain(|lane| !is_pinned(lane));
    }
    let servers = one_by_one.filter(|servers| servers.len() <= left);
    let mut services = servers.unwrap_or_else(|| service_lanes(futures));
    services.retain(|lane| !is_pinned(lane));
    lanes.extend(services);
    lanes.extend(marker);
    lanes
}

/// Stands for all balancer instances.
const ALL: usize = usize::MAX;

/// A lane for each alert where they are few; with two futures one lane for all of each.
fn alert_lanes(branch: &BranchReport, state: &State) -> Vec<LaneOf> {
    let alerts = branch.model.alerts.len();
    let main = state.view().map_or(0, |view| view.branch);
    match state.beside() {
        _ if alerts == 0 => Vec::new(),
        Some(beside) => [main, beside.branch]
            .map(|branch| LaneOf::Alert(branch, None))
            .into(),
        None if alerts > ALERTS => vec![LaneOf::Alert(main, None)],
        None => (0..alerts)
            .map(|alert| LaneOf::Alert(main, Some(alert)))
            .collect(),
    }
}

/// A lane for each server, where they are few.
fn server_lanes(branch: &BranchReport, state: &State) -> Option<Vec<LaneOf>> {
    let servers = branch.model.servers.len();
    if servers > LANES || servers > branch.series.servers() {
        return None;
    }
    let main = state.view().map_or(0, |view| view.branch);
    let beside = state.beside();
    let other = beside.and_then(|view| Some((view.branch, state.branch(view.branch)?)));
    let mut lanes = Vec::new();
    for server in 0..servers {
        lanes.push(LaneOf::Server(main, server));
        if let Some((number, other)) = other {
            let there = same_server(branch, server, other);
            lanes.extend(there.map(|there| LaneOf::Server(number, there)));
        }
    }
    // Servers that only the other future has.
    if let Some((number, other)) = other {
        let new = (0..other.model.servers.len())
            .filter(|server| same_server(other, *server, branch).is_none());
        lanes.extend(new.map(|server| LaneOf::Server(number, server)).take(LANES));
    }
    Some(lanes)
}

fn service_lanes(futures: &[(usize, &BranchReport)]) -> Vec<LaneOf> {
    let services = futures.iter().map(|(_, b)| b.model.services.len()).max();
    let services = services.unwrap_or(0);
    let mut ranges: Vec<Range<usize>> = (0..services).map(|s| s..s + 1).collect();
    if services > SERVICES {
        ranges.truncate(SERVICES - 1);
        ranges.push(SERVICES - 1..services);
    }
    let of_all = |range: Range<usize>| {
        let there = futures.iter().map(move |(number, branch)| {
            let end = range.end.min(branch.model.services.len());
            LaneOf::Services(*number, range.start.min(end)..end)
        });
        there.collect::<Vec<_>>()
    };
    ranges.into_iter().flat_map(of_all).collect()
}

/// What the lanes say of the moment shown: alerts and the point of no return have more to tell, elsewhere.
pub(super) fn all_told(state: &State) -> Vec<String> {
    let lanes = state
        .main()
        .map(|branch| lanes_of(branch, state, usize::MAX));
    let lanes = lanes.into_iter().flatten();
    let shown = lanes.filter(|lane| !matches!(lane, LaneOf::Alert(..) | LaneOf::Deadline));
    let told = |lane| {
        let words = told(state, &lane, state.now())?;
        Some(match (&lane, state.beside()) {
            (LaneOf::Alert(..) | LaneOf::Deadline, _) | (_, None) => words,
            (
                LaneOf::Site(branch)
                | LaneOf::Balancer(branch, _)
                | LaneOf::Server(branch, _)
                | LaneOf::Services(branch, _),
                Some(_),
            ) => format!("{}: {words}", letter(*branch)),
        })
    };
    shown.filter_map(told).collect()
}

/// Whether colours from empty to full are among the lanes, which the key then explains.
pub(super) fn has_heat(lanes: &[LaneOf]) -> bool {
    let heat = |lane: &LaneOf| matches!(lane, LaneOf::Balancer(..) | LaneOf::Services(..));
    lanes.iter().any(heat)
}

/// What a lane says of a moment, beyond what stands in it.
pub(super) fn told(state: &State, lane: &LaneOf, at: Instant) -> Option<String> {
    // The last row that may be seen stands for what comes after it.
    let row = |branch: &BranchReport| {
        let rows = |until| branch.series.rows_until(until);
        rows(at).min(rows(state.visible_until(branch)).saturating_sub(1))
    };
    let share = sim_core::readable::share;
    match lane {
        LaneOf::Alert(branch, alert) => alerts::told(state, state.branch(*branch)?, *alert, at),
        LaneOf::Deadline => Marker::of(state).map(|marker| marker.told()),
        LaneOf::Site(branch) => {
            let stretches = site_stretches(state, state.branch(*branch)?);
            let now = stretches
                .iter()
                .find(|(from, until, _)| (*from..=*until).contains(&at));
            now.map(|(from, _, site)| {
                let word = crate::state::site_word(*site).to_lowercase();
                format!("{word} since {}", state.label_to_second(*from))
            })
        }
        LaneOf::Balancer(number, instance) => {
            let branch = state.branch(*number)?;
            let each = match *instance {
                ALL => 0..branch.series.instances(),
                one => one..one + 1,
            };
            let lines = each.filter_map(|instance| {
                let row = row(branch);
                let name = instance_name(state, *number, instance)?;
                let held = branch.series.value(Column::Held(instance), row)?;
                let waiting = branch.series.value(Column::Pending(instance), row)?;
                let lane = InstanceLane::of(branch, state, *number, instance)?;
                let of_it = match lane.at(row)? {
                    Stand::Load(share_of_it) => {
                        format!(", {} of what it can hold", share(f64::from(share_of_it)))
                    }
                    Stand::In(condition) => format!(", {}", condition.word().to_lowercase()),
                };
                let number = |value: f64| sim_core::readable::number(value);
                let waits = if waiting > 0.0 {
                    format!(", {} waiting", number(waiting))
                } else {
                    String::new()
                };
                Some(format!("{name}: {} held{waits}{of_it}", number(held)))
            });
            let lines: Vec<String> = lines.take(LANES).collect();
            (!lines.is_empty()).then(|| lines.join("\n"))
        }
        LaneOf::Server(number, server) => {
            let branch = state.branch(*number)?;
            let condition = Lane::of(branch, *server).at(row(branch))?;
            let queue = Column::server(*server, "queue_len")?;
            let queue = branch.series.value(queue, row(branch))?;
            Some(format!(
                "{}: {}, {} waiting",
                branch.model.servers[*server].name,
                condition.word().to_lowercase(),
                sim_core::readable::number(queue)
            ))
        }
        LaneOf::Services(number, services) => {
            let branch = state.branch(*number)?;
            let lines = services.clone().take(LANES).filter_map(|service| {
                let down = branch.series.value(Column::NotUp(service), row(branch))?;
                let full = branch.series.value(Column::Fullness(service), row(branch));
                let queues = full.map_or_else(
                    || "none is up".to_owned(),
                    |full| format!("queues {} full on average", share(full)),
                );
                Some(format!(
                    "{}: {queues}, {} of {} servers not up",
                    branch.model.services[service].name,
                    share(down),
                    branch.model.services[service].servers.len()
                ))
            });
            let lines: Vec<String> = lines.collect();
            (!lines.is_empty()).then(|| lines.join("\n"))
        }
    }
}

/// Colour of a condition in a lane, and whether its word is written.
fn paint(condition: Condition, p: &Palette) -> (Color32, bool) {
    let share = match condition {
        Condition::Ok => return (heat(0.0, p), false),
        Condition::Absent => return (mix(p.sunken, p.line, 0.4), false),
        Condition::Busy => 0.45,
        _ => 0.85,
    };
    let (_, colour) = super::super::topology::look(condition, p);
    (mix(p.sunken, colour, share), condition != Condition::Busy)
}

/// Colour of how full something is, from green where it is empty.
pub(super) fn heat(share: f32, p: &Palette) -> Color32 {
    let (empty, full) = (mix(p.sunken, p.good, 0.38), mix(p.sunken, p.warn, 0.9));
    mix(empty, full, share.clamp(0.0, 1.0))
}

/// How a balancer instance stands: by its state, or by how near it is to the most that it can hold.
#[derive(Clone, Copy, PartialEq)]
enum Stand {
    In(Condition),
    /// In steps, so that neighbours of one colour are drawn together.
    Load(f32),
}

/// What a balancer instance was like, row by row.
struct InstanceLane<'a> {
    branch: &'a BranchReport,
    instance: usize,
    balancer: &'a Balancer,
}

impl<'a> InstanceLane<'a> {
    fn of(branch: &'a BranchReport, state: &State, number: usize, instance: usize) -> Option<Self> {
        let views = [state.view(), state.beside()];
        let view = views
            .into_iter()
            .flatten()
            .find(|view| view.branch == number)?;
        let service = view.snapshot.instances.get(instance)?.service as usize;
        Some(Self {
            branch,
            instance,
            balancer: &branch.model.services[service].balancer,
        })
    }

    fn at(&self, row: usize) -> Option<Stand> {
        let series = &self.branch.series;
        let machine = series.value(Column::InstanceState(self.instance), row)?;
        let condition = match *MachineState::ALL.get(machine as usize)? {
            MachineState::Up => {
                let held = series.value(Column::Held(self.instance), row)?;
                let waiting = series.value(Column::Pending(self.instance), row)?;
                let load = danger::load(self.balancer, held, waiting).min(1.0);
                return Some(Stand::Load(((load * STEPS).round() / STEPS) as f32));
            }
            MachineState::Down => Condition::Down,
            MachineState::Booting => Condition::Starting,
            MachineState::Absent => Condition::Absent,
        };
        Some(Stand::In(condition))
    }
}

fn instance_name(state: &State, branch: usize, instance: usize) -> Option<&str> {
    let views = [state.view(), state.beside()];
    let view = views
        .into_iter()
        .flatten()
        .find(|view| view.branch == branch)?;
    let found = view.snapshot.instances.get(instance)?;
    Some(&found.name)
}

/// Since when and until when the site was in which state, as far as it may be seen.
fn site_stretches(state: &State, branch: &BranchReport) -> Vec<(Instant, Instant, Kind)> {
    let until = state.visible_until(branch);
    let mut stretches = Vec::new();
    let mut open = (Instant::ZERO, Kind::Normal);
    let events = state.event_log(branch).iter();
    for event in events.filter(|event| event.kind.site_state().is_some()) {
        stretches.push((open.0, event.at, open.1));
        open = (event.at, event.kind);
    }
    stretches.push((open.0, until, open.1));
    stretches.retain(|(from, until, _)| from < until);
    stretches
}

/// The letter of a future after a name, where two are shown: it stays where the name is cut.
fn lettered(state: &State, name: &str, branch: usize) -> String {
    match state.beside() {
        Some(_) => format!("{name} {}", letter(branch)),
        None => name.to_owned(),
    }
}

/// Stretches of rows in which something is the same, where it is known.
fn runs<T: PartialEq>(rows: usize, at: impl Fn(usize) -> Option<T>) -> Vec<(usize, usize, T)> {
    let mut found: Vec<(usize, usize, T)> = Vec::new();
    for row in 0..rows {
        match (at(row), found.last_mut()) {
            (Some(now), Some((_, end, last))) if *end == row && *last == now => *end = row + 1,
            (Some(now), _) => found.push((row, row + 1, now)),
            (None, _) => {}
        }
    }
    found
}

fn deadline_lane(painter: &egui::Painter, state: &State, rect: Rect, p: &Palette) {
    name_of(painter, rect, "no return", None, p);
    painter.rect_filled(rect, 2.0, mix(p.panel, p.sunken, 0.8));
    if let Some(marker) = Marker::of(state) {
        marker.draw_lane(painter, rect, state.stretch(), p);
    }
}

/// What the lane of a machine, a service or the site is called.
fn lane_name(
    state: &State,
    main: &BranchReport,
    branch: &BranchReport,
    (lane, number): (&LaneOf, usize),
) -> Option<String> {
    Some(match lane {
        LaneOf::Site(_) => lettered(state, "site", number),
        LaneOf::Balancer(_, ALL) => lettered(state, "balancers", number),
        LaneOf::Balancer(_, instance) => {
            let name = instance_name(state, number, *instance).unwrap_or("balancer");
            lettered(state, name, number)
        }
        LaneOf::Server(_, server) => {
            let second = state.view().is_some_and(|view| view.branch != number);
            if second && same_server(branch, *server, main).is_some() {
                // It stands below its name.
                letter(number).to_string()
            } else {
                lettered(state, &branch.model.servers[*server].name, number)
            }
        }
        LaneOf::Services(_, services) if services.len() > 1 => {
            lettered(state, &format!("{} others", services.len()), number)
        }
        LaneOf::Services(_, services) => match branch.model.services.get(services.start) {
            Some(service) => lettered(state, &service.name, number),
            None => return None,
        },
        LaneOf::Alert(..) | LaneOf::Deadline => return None,
    })
}

/// Draws a lane with its name before it.
pub(super) fn draw_lane(
    ui: &egui::Ui,
    state: &State,
    main: &BranchReport,
    lane: &LaneOf,
    rect: Rect,
) {
    let p = Palette::of(ui);
    let painter = ui.painter();
    let number = match lane {
        LaneOf::Alert(branch, alert) => {
            return alert_lane(painter, state, (*branch, *alert), rect, p);
        }
        LaneOf::Deadline => {
            return deadline_lane(painter, state, rect, p);
        }
        LaneOf::Site(number)
        | LaneOf::Balancer(number, _)
        | LaneOf::Server(number, _)
        | LaneOf::Services(number, _) => *number,
    };
    let Some(branch) = state.branch(number) else {
        return;
    };
    let Some(name) = lane_name(state, main, branch, (lane, number)) else {
        return;
    };
    name_of(painter, rect, &name, None, p);
    painter.rect_filled(rect, 2.0, mix(p.panel, p.sunken, 0.8));
    let series = &branch.series;
    let rows = series.rows_until(state.visible_until(branch));
    let shown = state.stretch();
    // What lies beyond the edges is not drawn.
    let place = |from: u64, until: u64| {
        let x = |at: u64| shown.x(rect, Instant(at)).clamp(rect.left(), rect.right());
        let place = Rect::from_x_y_ranges(Rangef::new(x(from), x(until)), rect.y_range());
        Some(place).filter(Rect::is_positive)
    };
    let of_rows = |from: usize, until: usize| {
        place(
            from as u64 * series.row_ns(),
            until as u64 * series.row_ns(),
        )
    };
    let stand = |from: usize, until: usize, stand: Stand| {
        let Some(stretch) = of_rows(from, until) else {
            return;
        };
        match stand {
            Stand::Load(share) => fill(painter, stretch, heat(share, p)),
            Stand::In(condition) => {
                let (fill, worded) = paint(condition, p);
                painter.rect_filled(stretch, 1.0, fill);
                if worded {
                    let (icon, _) = super::super::topology::look(condition, p);
                    word(painter, stretch, (condition.word(), icon), fill, p);
                }
            }
        }
    };
    match lane {
        LaneOf::Site(_) => site_lane(painter, state, branch, &place, p),
        LaneOf::Balancer(_, instance) => {
            let each = match *instance {
                ALL => 0..series.instances(),
                one => one..one + 1,
            };
            let lanes: Vec<_> = each
                .filter_map(|instance| InstanceLane::of(branch, state, number, instance))
                .collect();
            let worst = |row: usize| {
                let stands = lanes.iter().filter_map(|lane| lane.at(row));
                stands.max_by(|a, b| severity(*a).total_cmp(&severity(*b)))
            };
            for (from, until, now) in runs(rows, worst) {
                stand(from, until, now);
            }
        }
        LaneOf::Server(_, server) => {
            let lane = Lane::of(branch, *server);
            for (from, until, now) in runs(rows, |row| lane.at(row)) {
                stand(from, until, Stand::In(now));
            }
        }
        LaneOf::Services(_, services) => {
            for (from, until, now) in runs(rows, |row| Fill::of(branch, services.clone(), row)) {
                if let Some(stretch) = of_rows(from, until) {
                    now.draw(painter, stretch, p);
                }
            }
        }
        LaneOf::Alert(..) | LaneOf::Deadline => {}
    }
}

/// What the site was like, each state with its word.
fn site_lane(
    painter: &egui::Painter,
    state: &State,
    branch: &BranchReport,
    place: &dyn Fn(u64, u64) -> Option<Rect>,
    p: &Palette,
) {
    for (from, until, site) in site_stretches(state, branch) {
        let Some(stretch) = place(from.0, until.0) else {
            continue;
        };
        let (words, icon, colour) = super::super::banner::site_look(site, p);
        if site == Kind::Normal {
            painter.rect_filled(stretch, 1.0, heat(0.0, p));
        } else {
            let fill = mix(
                p.sunken,
                colour,
                if site == Kind::Down { 0.85 } else { 0.45 },
            );
            painter.rect_filled(stretch, 1.0, fill);
            word(painter, stretch, (words, icon), fill, p);
        }
    }
}

/// The state of the site over a stretch, in small and without words.
pub(super) fn small(
    painter: &egui::Painter,
    state: &State,
    branch: &BranchReport,
    rect: Rect,
    whole: Stretch,
    p: &Palette,
) {
    painter.rect_filled(rect, 1.0, mix(p.panel, p.sunken, 0.8));
    for (from, until, site) in site_stretches(state, branch) {
        let (_, _, colour) = super::super::banner::site_look(site, p);
        let ink = match site {
            Kind::Normal => heat(0.0, p),
            Kind::Down => mix(p.sunken, colour, 0.85),
            _ => mix(p.sunken, colour, 0.45),
        };
        let range = Rangef::new(whole.x(rect, from), whole.x(rect, until));
        let place = Rect::from_x_y_ranges(range, rect.y_range());
        painter.rect_filled(place.intersect(rect), 0.0, ink);
    }
}

/// What matters most of several balancer instances.
fn severity(stand: Stand) -> f32 {
    match stand {
        Stand::In(Condition::Absent) => -1.0,
        Stand::Load(load) => load,
        Stand::In(Condition::Down) => 3.0,
        Stand::In(_) => 2.0,
    }
}

/// Fills a stretch without a seam to the next one.
fn fill(painter: &egui::Painter, stretch: Rect, colour: Color32) {
    painter.rect_filled(stretch.with_max_x(stretch.right() + 0.6), 0.0, colour);
}

/// Steps in which shares are told apart by colour.
const STEPS: f64 = 16.0;

/// A moment of services: how full the fullest's queues are, and the share of servers that is not up, both in steps.
#[derive(Clone, Copy, PartialEq)]
struct Fill {
    full: Option<u8>,
    down: u8,
}

impl Fill {
    fn of(branch: &BranchReport, services: Range<usize>, row: usize) -> Option<Self> {
        let most = |column: fn(usize) -> Column| {
            let values = (services.clone()).filter_map(|s| branch.series.value(column(s), row));
            values.reduce(f64::max)
        };
        let step = |share: f64| (share * STEPS).round() as u8;
        Some(Self {
            full: most(Column::Fullness).map(step),
            // One of very many is seen as well.
            down: most(Column::NotUp).map(|share| (share * STEPS).ceil() as u8)?,
        })
    }

    fn draw(self, painter: &egui::Painter, stretch: Rect, p: &Palette) {
        let share = |step: u8| f32::from(step) / STEPS as f32;
        if let Some(full) = self.full {
            fill(painter, stretch, heat(share(full), p));
        }
        if self.down > 0 {
            let height = (stretch.height() * share(self.down)).max(2.0);
            let part = stretch.with_min_y(stretch.bottom() - height);
            fill(painter, part, mix(p.sunken, p.bad, 0.85));
        }
    }
}

/// The name of a lane before it, cut short where it is too long, with a shape before that.
fn name_of(painter: &egui::Painter, rect: Rect, name: &str, icon: Option<Icon>, p: &Palette) {
    let room = super::NAMES - 12.0 - if icon.is_some() { 12.0 } else { 0.0 };
    let galley = crate::fit::galley(painter, name, &font(11.0), p.weak, room);
    let at = pos2(
        rect.left() - 10.0 - galley.size().x,
        rect.center().y - galley.size().y / 2.0,
    );
    if let Some(icon) = icon {
        let spot = Rect::from_center_size(pos2(at.x - 8.0, rect.center().y), Vec2::splat(8.0));
        icon.paint(painter, spot, p.warn);
    }
    painter.galley(at, galley, p.weak);
}

/// How an alert of a branch stood, or the worst of all of them.
fn alert_lane(
    painter: &egui::Painter,
    state: &State,
    (number, alert): (usize, Option<usize>),
    rect: Rect,
    p: &Palette,
) {
    let Some(branch) = state.branch(number) else {
        return;
    };
    let name = match alert {
        Some(alert) => lettered(state, &branch.model.alerts[alert].name, number),
        None if state.beside().is_some() => format!("alerts {}", letter(number)),
        None => "alerts".to_owned(),
    };
    name_of(painter, rect, &name, Some(Icon::Triangle), p);
    painter.rect_filled(rect, 2.0, mix(p.panel, p.sunken, 0.8));
    for stood in alerts::stretches(state, branch, alert) {
        let Some(stretch) = alerts::place(&stood, rect, state.stretch()) else {
            continue;
        };
        let ground = alerts::fill(painter, stretch, stood.state, p);
        if stood.state == AlertState::Firing {
            word(painter, stretch, ("FIRING", Icon::Triangle), ground, p);
        } else if stretch.width() > HATCHED {
            word(painter, stretch, ("PENDING", Icon::Dashed), ground, p);
        }
    }
}

/// The word of a stretch, with its shape, where there is room.
fn word(
    painter: &egui::Painter,
    stretch: Rect,
    (word, icon): (&str, Icon),
    fill: Color32,
    p: &Palette,
) {
    let ink = if crate::theme::contrast(fill, p.text) > crate::theme::contrast(fill, p.panel) {
        p.text
    } else {
        p.panel
    };
    let galley = painter.layout_no_wrap(word.to_owned(), bold_font(9.5), ink);
    let width = galley.size().x + 14.0;
    if stretch.width() < width + 6.0 {
        return;
    }
    let left = stretch.center().x - width / 2.0;
    // On hatching words cannot be read: they stand on a plate.
    let plate = Rect::from_center_size(stretch.center(), Vec2::new(width + 6.0, stretch.height()));
    painter.rect_filled(plate, 0.0, fill);
    let spot = Rect::from_center_size(pos2(left + 4.0, stretch.center().y), Vec2::splat(8.5));
    icon.paint(painter, spot, ink);
    painter.galley(
        pos2(left + 13.0, stretch.center().y - galley.size().y / 2.0),
        galley,
        ink,
    );
}
