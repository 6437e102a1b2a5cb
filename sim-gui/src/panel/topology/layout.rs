//! Where things of the topology lie.

use crate::playback::{BranchReport, View};
use eframe::egui::{Pos2, Rect, pos2, vec2};
use sim_core::model::{Asker, Model};

/// Servers of a service that get a card each; more become cells of a map, with the fullest as cards.
const CARDS: usize = 8;
/// Cards beside a map.
const HOTTEST: usize = 3;

/// A way from a balancer instance to a server.
pub(super) struct Edge {
    pub instance: usize,
    pub server: usize,
    /// The server's place within its service.
    pub local: usize,
    pub service: usize,
    pub from: Pos2,
    pub to: Pos2,
}

/// A way from a source to a balancer instance.
pub(super) struct WayIn {
    pub source: usize,
    pub instance: usize,
    pub from: Pos2,
    pub to: Pos2,
}

/// A way from a balancer instance to all servers that have no card.
pub(super) struct WayToMap {
    pub instance: usize,
    /// Those servers, by their places within the service.
    pub servers: Vec<usize>,
    pub from: Pos2,
    pub to: Pos2,
}

/// Where everything lies.
pub(super) struct Layout {
    pub sources: Vec<(usize, Rect)>,
    pub instances: Vec<(usize, Rect)>,
    /// Servers as cards.
    pub servers: Vec<(usize, Rect)>,
    /// Servers as cells of a map.
    pub cells: Vec<(usize, Rect)>,
    pub edges: Vec<Edge>,
    pub ways_in: Vec<WayIn>,
    pub maps: Vec<WayToMap>,
    /// Ways without servers: from sources, to maps, and from service to service.
    pub links: Vec<(Pos2, Pos2)>,
    /// Instances of each service.
    instances_of: Vec<usize>,
    /// How thick lines may be.
    pub scale: f32,
}

/// The narrowest a picture of a model can be and still be read: each column has its part.
pub(super) fn least_width(model: &Model) -> f32 {
    let columns = depths(model).iter().max().map_or(1, |deepest| deepest + 1);
    SOURCES + COLUMN * columns as f32
}

/// Width of the sources at least, with the room behind them, and of each column.
const SOURCES: f32 = 96.0;
const COLUMN: f32 = 220.0;
/// From such a width on for each column there is more than they need.
const ROOMY: f32 = 560.0;

impl Layout {
    /// The layout of a model in a rectangle.
    pub(super) fn of(model: &Model, view: &View, rect: Rect) -> Self {
        let depths = depths(model);
        let columns = depths.iter().max().map_or(1, |deepest| deepest + 1);
        let mut layout = Self {
            sources: Vec::new(),
            instances: Vec::new(),
            servers: Vec::new(),
            cells: Vec::new(),
            edges: Vec::new(),
            ways_in: Vec::new(),
            maps: Vec::new(),
            links: Vec::new(),
            instances_of: vec![0; model.services.len()],
            scale: (rect.height() / 560.0).clamp(0.4, 1.0),
        };
        for instance in &view.snapshot.instances {
            layout.instances_of[instance.service as usize] += 1;
        }
        let source_width = (rect.width() * 0.17).clamp(64.0, 104.0);
        // Where there is room, requests are seen to come, and to pile up before a balancer that is dead.
        let gap = if rect.width() / columns as f32 > ROOMY {
            0.12
        } else {
            0.06
        };
        let rest = Rect::from_min_max(
            pos2(rect.left() + source_width + rect.width() * gap, rect.top()),
            rect.max,
        );
        let width = rest.width() / columns as f32;
        for (service, &depth) in depths.iter().enumerate() {
            let peers: Vec<usize> = (0..depths.len())
                .filter(|&other| depths[other] == depth)
                .collect();
            let place = peers.iter().position(|&peer| peer == service).unwrap_or(0);
            let height = rest.height() / peers.len() as f32;
            let gap = if depth + 1 < columns {
                width * 0.10
            } else {
                0.0
            };
            let area = Rect::from_min_size(
                rest.min + vec2(width * depth as f32, height * place as f32),
                vec2(
                    width - gap,
                    height - if peers.len() > 1 { 8.0 } else { 0.0 },
                ),
            );
            layout.service(model, view, service, area);
        }
        layout.place_sources(model, view, rect, source_width);
        layout.place_calls(model, view);
        layout
    }

    /// Where a server, a balancer instance or a source lies, by its name.
    pub(super) fn place_of(&self, name: &str, branch: &BranchReport, view: &View) -> Option<Rect> {
        let model = &branch.model;
        let servers = self.servers.iter().chain(&self.cells);
        let mut servers = servers.filter(|(i, _)| model.servers[*i].name == name);
        let mut instances = self.instances.iter();
        let mut sources = self.sources.iter();
        let instance = |(i, _): &&(usize, Rect)| view.snapshot.instances[*i].name == name;
        let found = servers.next().or_else(|| instances.find(instance));
        let found = found.or_else(|| sources.find(|(i, _)| model.sources[*i].name == name));
        found.map(|(_, rect)| *rect)
    }

    /// How many balancer instances a service has.
    pub(super) fn instances_of(&self, service: usize) -> usize {
        self.instances_of[service]
    }

    fn service(&mut self, model: &Model, view: &View, service: usize, area: Rect) {
        let instances: Vec<usize> = (0..view.snapshot.instances.len())
            .filter(|&i| view.snapshot.instances[i].service as usize == service)
            .collect();
        let balancer_width = (area.width() * 0.34).clamp(76.0, 142.0);
        let shown = instances.len().clamp(1, 6);
        let height = (area.height() / shown as f32 - 8.0).clamp(24.0, 104.0);
        let pitch = (height + 10.0).min(area.height() / shown as f32);
        let top = area.center().y - pitch * shown as f32 / 2.0 + (pitch - height) / 2.0;
        for (i, &instance) in instances.iter().take(shown).enumerate() {
            let min = pos2(area.left(), top + pitch * i as f32);
            self.instances.push((
                instance,
                Rect::from_min_size(min, vec2(balancer_width, height)),
            ));
        }
        // In a narrow column what is written needs the room more than the lines between.
        let between = if area.width() < 320.0 { 0.10 } else { 0.22 };
        let left = area.left() + balancer_width + area.width() * between;
        let column = Rect::from_min_max(pos2(left, area.top()), area.max);
        let mut servers: Vec<usize> = model.services[service]
            .servers
            .iter()
            .map(|id| id.0 as usize)
            .collect();
        let (first, cells) = (self.servers.len(), self.cells.len());
        if servers.len() <= CARDS && column.height() / servers.len() as f32 >= 30.0 {
            self.cards(&servers, column, 124.0);
        } else {
            let map = servers.clone();
            servers.sort_by_key(|&s| std::cmp::Reverse(view.snapshot.servers[s].in_system));
            servers.truncate(if column.height() > 220.0 { HOTTEST } else { 1 });
            let share = (64.0 * servers.len() as f32).min(column.height() * 0.45);
            let (upper, lower) = column.split_top_bottom_at_y(column.top() + share);
            self.cards(&servers, upper, 58.0);
            self.map(
                &map,
                Rect::from_min_max(lower.min + vec2(0.0, 20.0), lower.max),
            );
        }
        let members = &model.services[service].servers;
        for (i, (instance, from)) in (self.instances.iter())
            .filter(|(i, _)| instances.contains(i))
            .enumerate()
        {
            for &(server, to) in &self.servers[first..] {
                // Each way has its own end, so that what is written on it can be told from the others.
                let apart = (to.height() * 0.8 / shown as f32).min(16.0);
                let end =
                    to.left_center() + vec2(0.0, apart * (i as f32 - (shown - 1) as f32 / 2.0));
                self.edges.push(Edge {
                    instance: *instance,
                    server,
                    local: members
                        .iter()
                        .position(|id| id.0 as usize == server)
                        .unwrap_or(0),
                    service,
                    from: from.right_center(),
                    to: end,
                });
            }
        }
        let cell = self.cells[cells..].first();
        if let Some((_, cell)) = cell {
            let to = pos2(cell.left() - 4.0, f32::midpoint(cell.top(), area.bottom()));
            let carded: Vec<usize> = self.servers[first..].iter().map(|(s, _)| *s).collect();
            let rest = members.iter().enumerate();
            let rest = rest.filter(|(_, id)| !carded.contains(&(id.0 as usize)));
            let rest: Vec<usize> = rest.map(|(local, _)| local).collect();
            for (instance, rect) in self.instances.iter().filter(|(i, _)| instances.contains(i)) {
                let from = rect.right_center();
                self.links.push((from, to));
                self.maps.push(WayToMap {
                    instance: *instance,
                    servers: rest.clone(),
                    from,
                    to,
                });
            }
        }
    }

    fn cards(&mut self, servers: &[usize], column: Rect, tallest: f32) {
        let pitch = column.height() / servers.len().max(1) as f32;
        let height = (pitch - 10.0).min(tallest).max(22.0);
        let pitch = pitch.min(height + 26.0);
        let top = column.center().y - pitch * servers.len() as f32 / 2.0 + (pitch - height) / 2.0;
        for (i, &server) in servers.iter().enumerate() {
            let min = pos2(column.left(), top + pitch * i as f32);
            self.servers.push((
                server,
                Rect::from_min_size(min, vec2(column.width(), height)),
            ));
        }
    }

    fn map(&mut self, servers: &[usize], area: Rect) {
        let count = servers.len().max(1) as f32;
        let side = (area.area() / count).sqrt().floor().clamp(4.0, 46.0);
        let columns = (area.width() / side).floor().max(1.0);
        let rows = (count / columns).ceil();
        let side_y = (area.height() / rows).min(side);
        for (i, &server) in servers.iter().enumerate() {
            let (row, column) = ((i as f32 / columns).floor(), i as f32 % columns);
            let min = area.min + vec2(column.floor() * side, row * side_y);
            let gap = if side > 8.0 { 2.0 } else { 1.0 };
            self.cells.push((
                server,
                Rect::from_min_size(min, vec2(side - gap, side_y - gap)),
            ));
        }
    }

    fn place_sources(&mut self, model: &Model, view: &View, rect: Rect, width: f32) {
        let count = model.sources.len().min(8);
        let pitch = (rect.height() / count.max(1) as f32).min(70.0);
        let top = rect.center().y - pitch * count as f32 / 2.0;
        for source in 0..count {
            let min = pos2(rect.left(), top + pitch * source as f32 + 6.0);
            let frame = Rect::from_min_size(min, vec2(width, pitch - 12.0).max(vec2(width, 24.0)));
            self.sources.push((source, frame));
            let to = model.sources[source].to.0;
            for (instance, target) in &self.instances {
                if view.snapshot.instances[*instance].service == to {
                    let (from, to) = (frame.right_center(), target.left_center());
                    self.links.push((from, to));
                    self.ways_in.push(WayIn {
                        source,
                        instance: *instance,
                        from,
                        to,
                    });
                }
            }
        }
    }

    fn place_calls(&mut self, model: &Model, view: &View) {
        for (from, service) in model.services.iter().enumerate() {
            let servers = self
                .servers
                .iter()
                .filter(|(s, _)| model.servers[*s].service.0 as usize == from);
            let servers: Vec<Pos2> = servers.map(|(_, rect)| rect.right_center()).collect();
            let instances = self
                .instances
                .iter()
                .filter(|(i, _)| usize::from(view.snapshot.instances[*i].service) == from);
            let instances: Vec<Pos2> = instances.map(|(_, rect)| rect.right_center()).collect();
            for ask in service.asks() {
                let starts = match ask.by {
                    Asker::Server => &servers,
                    Asker::Balancer => &instances,
                };
                for (instance, target) in &self.instances {
                    if view.snapshot.instances[*instance].service == ask.to.0 {
                        self.links
                            .extend(starts.iter().map(|start| (*start, target.left_center())));
                    }
                }
            }
        }
    }
}

/// How many calls or routes a service is away from the outside.
pub(crate) fn depths(model: &Model) -> Vec<usize> {
    let mut depths = vec![0; model.services.len()];
    // A path without a circle is no longer than there are services.
    for _ in 0..model.services.len() {
        for (from, service) in model.services.iter().enumerate() {
            for ask in service.asks() {
                let to = ask.to.0 as usize;
                depths[to] = depths[to].max((depths[from] + 1).min(model.services.len() - 1));
            }
        }
    }
    depths
}
