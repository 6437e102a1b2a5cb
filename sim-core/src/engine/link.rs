//! Links: what lies between two machines, and what the time line does to it. How messages travel
//! there is in [`super::travel`].
//!
//! A *path* is what applies to one pair of machines: the settings of the narrowest link written for
//! it, and what the time line has done to any link that it runs over. Where messages arrive at once
//! and safely there is no path at all, and nothing is looked at but that.

use super::Simulation;
use super::fleet::Fleet;
use super::pool::{Hop, Line};
use super::service::constant_ns;
use super::travel::{Trip, Way, WayStreams};
use crate::connection::{ConnectionDef, Terms};
use crate::distribution::Distribution;
use crate::draws::Draws;
use crate::extension::Configured;
use crate::fault::{Effect, either};
use crate::ids::{ClientId, Id, ServerId, ServiceId, Table, ZoneId};
use crate::model::{Link, LinkTarget, Model, Service};
use crate::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How often what is lost is sent again (`tcp_syn_retries` of Linux).
const RETRANSMISSIONS: u32 = 6;

/// What applies between two machines.
#[derive(Clone)]
pub(super) struct Path {
    delay: Option<Arc<dyn Distribution>>,
    /// The delay where it never varies, what was added included.
    constant_ns: Option<u64>,
    added_ns: u64,
    loss: f64,
    /// When what is lost is sent again the first time.
    retransmit_ns: Option<u64>,
    pub connect_timeout: Option<u64>,
    pub connections: Option<Terms>,
    cut: bool,
}

/// All links. Paths to servers are kept with the servers.
#[derive(Clone)]
pub(super) struct Links {
    ways: [WayStreams; 6],
    /// For opening connections: to the balancer, and to the server.
    openings: [WayStreams; 2],
    /// Whom each client calls, and for those within: which service calls, and which of its asks it is.
    called: Table<ClientId, Called>,
    callers: Table<ClientId, Option<Arc<Path>>>,
    /// Servers of each service to which messages take time or may be lost.
    far: Table<ServiceId, u32>,
}

#[derive(Clone, Copy)]
struct Called {
    to: ServiceId,
    from: Option<(ServiceId, usize)>,
}

/// A link on which something lies, for those who look on.
#[derive(Clone, PartialEq, Debug)]
pub struct LinkSnapshot {
    /// Its name: what a time line calls it.
    pub name: String,
    /// Which it is.
    pub link: LinkTarget,
    /// Whether it is cut.
    pub cut: bool,
    /// Time added to each way, in nanoseconds.
    pub added_delay_ns: u64,
    /// Probability added that a message vanishes.
    pub added_loss: f64,
}

impl Path {
    /// `None` where messages arrive at once and safely, and nobody would wait for a connection.
    fn new(link: &Link, faults: &Effect) -> Option<Arc<Self>> {
        let mut path = Self {
            delay: link.delay.as_ref().map(|delay| delay.build().into()),
            constant_ns: None,
            added_ns: faults.delay.0,
            loss: either(link.loss.unwrap_or(0.0), faults.loss),
            retransmit_ns: link.retransmit.map(|after| after.0),
            connect_timeout: link.connect_timeout.map(|timeout| timeout.0),
            connections: link
                .connections
                .as_ref()
                .map(Configured::<ConnectionDef>::build),
            cut: faults.cut,
        };
        let written = path
            .delay
            .as_ref()
            .map_or(Some(0), |delay| constant_ns(&**delay));
        path.constant_ns = written.map(|ns| ns.saturating_add(path.added_ns));
        (!path.is_clear() || path.connect_timeout.is_some()).then(|| Arc::new(path))
    }

    /// Whether messages arrive at once and safely, and need no connection.
    fn is_clear(&self) -> bool {
        let instant = self.constant_ns == Some(0) && self.loss <= 0.0 && !self.cut;
        instant && self.connections.is_none()
    }

    /// Whether nothing ever is lost there, needs a connection, or is given up for taking too long.
    fn is_safe(&self) -> bool {
        let in_time = self.connect_timeout.is_none_or(|most| {
            let constant = self.constant_ns;
            constant.is_some_and(|delay| delay <= most)
        });
        self.loss <= 0.0 && !self.cut && self.connections.is_none() && in_time
    }

    /// Mean time of one way, what is sent again included.
    pub(super) fn mean_ns(&self) -> f64 {
        let delay = self.delay.as_ref().map_or(0.0, |delay| delay.mean_ns());
        let again = self
            .retransmit_ns
            .filter(|_| self.loss > 0.0 && self.loss < 1.0);
        let again = again.map_or(0.0, |pause_ns| {
            let sent_so_often =
                |times: u32| self.loss.powi(times.cast_signed() + 1) * f64::from(1_u32 << times);
            let pauses: f64 = (0..RETRANSMISSIONS).map(sent_so_often).sum();
            pauses * pause_ns as f64
        });
        delay + self.added_ns as f64 + again
    }

    /// A message's time under way where none is ever lost.
    pub(super) fn carry(&self, streams: WayStreams, number: u64, attempt: u32) -> Trip {
        Trip {
            delay_ns: match self.constant_ns {
                Some(constant) => constant,
                None => self.delay_ns(&mut streams.delay.of_attempt(number, attempt)),
            },
            constant: self.constant_ns.is_some(),
        }
    }

    /// How long it takes to open a connection; `None` when anything of it vanishes.
    pub(super) fn handshake(
        &self,
        round_trips: u32,
        streams: WayStreams,
        number: u64,
        attempt: u32,
    ) -> Option<u64> {
        if round_trips == 0 {
            return Some(0);
        }
        let mut losses = streams.loss.of_attempt(number, attempt);
        let mut delays = streams.delay.of_attempt(number, attempt);
        let mut total_ns: u64 = 0;
        for _ in 0..2 * round_trips {
            if self.cut {
                return None;
            }
            let again_ns = self.until_kept(&mut losses)?;
            let way_ns = self.delay_ns(&mut delays).saturating_add(again_ns);
            total_ns = total_ns.saturating_add(way_ns);
        }
        Some(total_ns)
    }

    /// How long after it is sent first a message is sent that is not lost; `None`: it vanishes.
    fn until_kept(&self, losses: &mut Draws) -> Option<u64> {
        let mut after_ns: u64 = 0;
        if self.loss <= 0.0 {
            return Some(after_ns);
        }
        for sent in 0..=RETRANSMISSIONS {
            if !losses.chance(self.loss) {
                return Some(after_ns);
            }
            let pause_ns = self.retransmit_ns?.saturating_mul(1 << sent);
            after_ns = after_ns.saturating_add(pause_ns);
        }
        None
    }

    /// Time of one way.
    fn delay_ns(&self, draws: &mut Draws) -> u64 {
        match (self.constant_ns, &self.delay) {
            (Some(constant), _) => constant,
            (None, Some(delay)) => {
                let drawn = Duration::from_nanos_f64(delay.sample_ns(draws)).0;
                drawn.saturating_add(self.added_ns)
            }
            (None, None) => self.added_ns,
        }
    }

    /// A message's time under way; `None` when it vanishes.
    pub(super) fn send(
        &self,
        way: Way,
        line: Line,
        streams: WayStreams,
        number: u64,
        attempt: u32,
    ) -> Option<Trip> {
        if self.cut || line == Line::Dead {
            return None;
        }
        let again_ns = self.until_kept(&mut streams.loss.of_attempt(number, attempt))?;
        let opening_ns = match line {
            Line::Opening(ns) => ns,
            _ => 0,
        };
        let delay_ns = self.delay_ns(&mut streams.delay.of_attempt(number, attempt));
        let delay_ns = delay_ns.saturating_add(opening_ns).saturating_add(again_ns);
        let connects = way.connects() && line != Line::Open;
        let too_late = connects && self.connect_timeout.is_some_and(|most| delay_ns > most);
        (!too_late).then_some(Trip {
            delay_ns,
            constant: self.constant_ns.is_some() && opening_ns == 0 && again_ns == 0,
        })
    }
}

impl Links {
    pub(super) fn new(model: &Model, replication: u64) -> Self {
        let nowhere = Called {
            to: ServiceId::NONE,
            from: None,
        };
        let mut called = Table::filled(model.clients.len(), nowhere);
        for source in &model.sources {
            for &client in &source.clients {
                called[client].to = source.to;
            }
        }
        for (from, service) in model.services.iter().enumerate() {
            for (position, ask) in service.asks().enumerate() {
                called[ask.client] = Called {
                    to: ask.to,
                    from: Some((ServiceId::at(from), position)),
                };
            }
        }
        Self {
            ways: WayStreams::of_all(model, replication),
            openings: [
                WayStreams::of(model, replication, ["link/open", "loss/open"]),
                WayStreams::of(model, replication, ["link/server/open", "loss/server/open"]),
            ],
            called,
            callers: Table::filled(model.clients.len(), None),
            far: Table::filled(model.services.len(), 0),
        }
    }

    /// The random numbers of one way.
    pub(super) fn streams(&self, way: Way) -> WayStreams {
        self.ways[way as usize]
    }

    /// The random numbers of opening a connection.
    pub(super) fn opening(&self, hop: Hop) -> WayStreams {
        self.openings[hop as usize]
    }

    /// What lies between a caller and the balancer of the service that it calls.
    #[inline]
    pub(super) fn of_caller(&self, client: ClientId) -> Option<&Arc<Path>> {
        self.callers[client].as_ref()
    }

    /// Whether messages of a caller take time, or may be lost.
    pub(super) fn take_time(&self, client: ClientId) -> bool {
        self.of_caller(client).is_some_and(|path| !path.is_clear())
    }

    /// Callers from outside that call a service.
    pub(super) fn callers_from_outside(
        &self,
        service: ServiceId,
    ) -> impl Iterator<Item = ClientId> {
        let called = self.called.enumerate();
        let outside = called.filter(move |(_, route)| route.to == service && route.from.is_none());
        outside.map(|(client, _)| client)
    }

    /// Whether requests of a service and their answers arrive safely, and at once between balancer and
    /// servers, as far as they come from outside.
    pub(super) fn are_safe(&self, service: ServiceId) -> bool {
        let mut paths = { self.callers_from_outside(service) }.map(|client| self.of_caller(client));
        self.far[service] == 0 && paths.all(|path| path.is_none_or(|path| path.is_safe()))
    }
}

/// A server as far as its link is concerned.
struct End<'a> {
    service: &'a Service,
    own: &'a Link,
    zone: Option<ZoneId>,
    over: [LinkTarget; 3],
}

impl<'a> End<'a> {
    fn new(model: &Model, service: &'a Service, fleet: &'a Fleet, server: ServerId) -> Self {
        let id = fleet[server].service;
        let zone = model.servers[server.position()].zone;
        let all = LinkTarget::Servers(id);
        let zone_link = zone.map_or(all, |zone| LinkTarget::Zone(id, zone));
        Self {
            service,
            own: &fleet.cold[server].params.link,
            zone,
            over: [all, zone_link, LinkTarget::Server(server)],
        }
    }

    /// The links it is reached over, each once.
    fn over(&self) -> &[LinkTarget] {
        &self.over[usize::from(self.zone.is_none())..]
    }

    fn link(&self) -> Link {
        let zone = self
            .zone
            .and_then(|zone| self.service.zones.get(zone.position()));
        let balancer = &self.service.balancer.link;
        let wider = zone.map_or_else(|| balancer.clone(), |zone| zone.link.within(balancer));
        self.own.within(&wider)
    }
}

impl Simulation {
    /// Works out anew what lies before a service and between its balancer and its servers.
    pub(super) fn refresh_links(&mut self, service: ServiceId) {
        let concerns = |route: &Called| {
            route.to == service || route.from.is_some_and(|(from, _)| from == service)
        };
        for client in self.links.called.ids() {
            let route = self.links.called[client];
            if concerns(&route) && route.to != ServiceId::NONE {
                let callee = &self.services[route.to].settings.link;
                let own = route
                    .from
                    .and_then(|(from, ask)| self.services[from].settings.asks().nth(ask));
                let link = own.map_or_else(|| callee.clone(), |call| call.link.within(callee));
                let over = [LinkTarget::Callers(route.to), LinkTarget::Call(client)];
                let path = Path::new(&link, &self.faults.effect_of_links(&over));
                let before = std::mem::replace(&mut self.links.callers[client], path);
                let kept = |path: &Option<Arc<Path>>| path.as_ref().and_then(|p| p.connections);
                if kept(&before) != kept(&self.links.callers[client]) {
                    self.renew_connections(route.to);
                }
            }
        }
        // Servers without a link of their own share what is there for all of their zone.
        let mut shared: BTreeMap<Option<ZoneId>, Option<Arc<Path>>> = BTreeMap::new();
        for local in self.services[service].servers.ids() {
            let server = self.services[service].servers[local];
            let end = End::new(
                &self.model,
                &self.services[service].settings,
                &self.fleet,
                server,
            );
            let alone =
                *end.own != Link::default() || self.faults.is_upon(LinkTarget::Server(server));
            let path = || Path::new(&end.link(), &self.faults.effect_of_links(end.over()));
            let path = if alone {
                path()
            } else {
                shared.entry(end.zone).or_insert_with(path).clone()
            };
            self.set_path(server, path);
        }
    }

    /// Works out anew what lies between one server and its balancer.
    pub(super) fn refresh_server_link(&mut self, server: ServerId) {
        let service = &self.services[self.fleet[server].service].settings;
        let end = End::new(&self.model, service, &self.fleet, server);
        let path = Path::new(&end.link(), &self.faults.effect_of_links(end.over()));
        self.set_path(server, path);
    }

    fn set_path(&mut self, server: ServerId, path: Option<Arc<Path>>) {
        let far = |path: &Option<Arc<Path>>| path.as_ref().is_some_and(|path| !path.is_clear());
        let kept = |path: &Option<Arc<Path>>| path.as_ref().and_then(|p| p.connections);
        let (now, keeps) = (far(&path), kept(&path));
        let before = std::mem::replace(&mut self.fleet.cold[server].path, path);
        let service = self.fleet[server].service;
        let count = &mut self.links.far[service];
        *count = *count + u32::from(now) - u32::from(far(&before));
        if kept(&before) != keeps {
            self.renew_connections(service);
        }
    }

    /// The faults of a link are others.
    pub(super) fn link_changed(&mut self, link: LinkTarget) {
        let service = match link {
            LinkTarget::Callers(service)
            | LinkTarget::Servers(service)
            | LinkTarget::Zone(service, _) => service,
            LinkTarget::Call(client) => self.links.called[client].to,
            LinkTarget::Server(server) => {
                self.refresh_server_link(server);
                return self.refresh_fast_server(server);
            }
        };
        self.refresh_links(service);
        self.refresh_fast_service(service);
    }

    /// A link's name, as a time line calls it.
    pub(super) fn link_name(&self, link: LinkTarget) -> String {
        let service = |id: ServiceId| &*self.model.services[id.position()].name;
        match link {
            LinkTarget::Callers(id) => format!("service.{}.link", service(id)),
            LinkTarget::Servers(id) => format!("service.{}.balancer.link", service(id)),
            LinkTarget::Zone(id, zone) => {
                let zone = &self.model.services[id.position()].zones[zone.position()].name;
                format!("service.{}.zone.{zone}.link", service(id))
            }
            LinkTarget::Call(client) => {
                let from = self.links.called[client].from;
                let asked = from.and_then(|(from, position)| {
                    let from = &self.model.services[from.position()];
                    let ask = from.asks().nth(position)?;
                    Some(format!("{}.link", ask.path(from, &self.model)))
                });
                asked.unwrap_or_default()
            }
            LinkTarget::Server(id) => {
                let server = &self.model.servers[id.position()];
                format!(
                    "service.{}.server.{}.link",
                    service(server.service),
                    server.name
                )
            }
        }
    }

    /// The links on which something lies now, in the order of [`LinkTarget`].
    pub(crate) fn links_snapshot(&self) -> Vec<LinkSnapshot> {
        let snapshot = |(link, effect): (LinkTarget, Effect)| LinkSnapshot {
            name: self.link_name(link),
            link,
            cut: effect.cut,
            added_delay_ns: effect.delay.0,
            added_loss: effect.loss,
        };
        self.faults.links().map(snapshot).collect()
    }
}
