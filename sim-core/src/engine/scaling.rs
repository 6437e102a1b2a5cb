//! Autoscalers at work: what they are shown, and what becomes of what they ask for.
//!
//! A service has the servers that are written, and no more: they are what its provider has. Each that is
//! asked for is found by tries, then added as the time line adds it; each that is let go is drained. What
//! is asked for beyond the servers written is remembered, as an autoscaler remembers pods that nobody
//! can place.

use super::Simulation;
use super::event::Event;
use crate::autoscaler::{Autoscaler, AutoscalerDef, Member, MemberState, Reading, Seen, Timing};
use crate::event_log::Kind;
use crate::extension::Configured;
use crate::ids::{Id, LocalId, ServerId, ServiceId, Table};
use crate::machine::MachineState;
use crate::model::{Actor, Model};
use crate::time::{Duration, Instant, SECOND};
use std::cmp::Reverse;
use std::collections::VecDeque;

/// The autoscalers of all services.
#[derive(Clone)]
pub(super) struct Scalers {
    of: Table<ServiceId, Option<Box<Scaler>>>,
    /// Tries to find a server so far: their draws go by this number.
    tries: u32,
    /// Settings taken on so far: what was planned under others is void.
    generations: u32,
}

impl Scalers {
    pub(super) fn new(model: &Model) -> Self {
        Self {
            of: Table::filled(model.services.len(), None),
            tries: 0,
            generations: 0,
        }
    }
}

/// The autoscaler of a service.
#[derive(Clone)]
struct Scaler {
    settings: Configured<AutoscalerDef>,
    rule: Box<dyn Autoscaler>,
    timing: Timing,
    /// Another with every change of when it looks.
    generation: u32,
    /// Servers asked for beyond those there are.
    unmet: u32,
    /// Servers that are being looked for, in the order in which they were asked for.
    orders: Vec<Order>,
    /// Where the counters of servers stood at the last reading.
    marks: Table<LocalId, Mark>,
    read_at: u64,
    /// Readings that are known, and those that will be, the oldest first.
    readings: VecDeque<(Instant, Vec<Option<Reading>>)>,
}

/// A server that is being looked for.
#[derive(Clone, Copy)]
struct Order {
    server: ServerId,
    try_number: u32,
    /// Whether this try will fail.
    fails: bool,
    /// When it was asked for.
    at: Instant,
}

/// Counters of a server at a reading.
#[derive(Clone, Copy, Default)]
struct Mark {
    busy_area: u64,
    attempts: u32,
    incarnation: u32,
    up: bool,
}

impl Scaler {
    fn new(settings: &Configured<AutoscalerDef>, generation: u32) -> Self {
        Self {
            settings: settings.clone(),
            rule: settings.build(),
            timing: settings.timing(),
            generation,
            unmet: 0,
            orders: Vec::new(),
            marks: Table::default(),
            read_at: 0,
            readings: VecDeque::new(),
        }
    }

    fn is_on_its_way(&self, server: ServerId) -> bool {
        self.orders.iter().any(|order| order.server == server)
    }

    /// The last readings that are known now; older ones are forgotten.
    fn known(&mut self, now: Instant) -> &[Option<Reading>] {
        let lag = self.timing.lag;
        let is_known = |(at, _): &(Instant, Vec<_>)| *at + lag <= now;
        while self.readings.get(1).is_some_and(is_known) {
            self.readings.pop_front();
        }
        let first = self.readings.front().filter(|row| is_known(row));
        first.map_or(&[], |(_, readings)| readings)
    }
}

impl Simulation {
    /// Takes on the autoscaler of a service's settings.
    pub(super) fn configure_scaler(&mut self, service: ServiceId) {
        let settings = self.services[service].settings.autoscaler.clone();
        let before = &mut self.scalers.of[service];
        let Some(settings) = settings else {
            // Servers that are still being looked for are not wanted any more.
            *before = None;
            return;
        };
        let timing = settings.timing();
        let generation = self.scalers.generations;
        match before {
            Some(scaler) if scaler.settings == settings => return,
            Some(scaler) if scaler.timing == timing && same_kind(&scaler.settings, &settings) => {
                scaler.rule.adopt(&settings.params);
                scaler.settings = settings;
                return;
            }
            Some(scaler) => {
                if same_kind(&scaler.settings, &settings) {
                    scaler.rule.adopt(&settings.params);
                } else {
                    scaler.rule = settings.build();
                }
                scaler.settings = settings;
                scaler.timing = timing;
                scaler.generation = generation;
                scaler.readings.clear();
            }
            None => *before = Some(Box::new(Scaler::new(&settings, generation))),
        }
        self.scalers.generations += 1;
        self.mark_servers(service);
        self.after(timing.interval.0, Event::Reading(service, generation));
        self.after(timing.period.0, Event::Scale(service, generation));
    }

    /// Where the counters of a service's servers stand.
    fn mark_servers(&mut self, service: ServiceId) {
        let now = self.now;
        let servers = self.services[service].servers.as_slice();
        let mark = |&server: &ServerId| {
            let s = &self.fleet[server];
            Mark {
                busy_area: s.busy_area(now),
                attempts: s.attempts,
                incarnation: self.fleet.cold[server].incarnation.number,
                up: s.state == MachineState::Up,
            }
        };
        let marks = servers.iter().map(mark).collect();
        if let Some(scaler) = &mut self.scalers.of[service] {
            scaler.marks = marks;
            scaler.read_at = now;
        }
    }

    /// The autoscaler of a service, if no other has taken its place since.
    fn scaler(&mut self, service: ServiceId, generation: u32) -> Option<&mut Scaler> {
        let scaler = self.scalers.of[service].as_deref_mut()?;
        (scaler.generation == generation).then_some(scaler)
    }

    /// An interval over which servers are measured ends. Who was not up for all of it is not measured.
    pub(super) fn read_servers(&mut self, service: ServiceId, generation: u32) {
        let Some(scaler) = self.scaler(service, generation) else {
            return;
        };
        let (interval, since) = (scaler.timing.interval, scaler.read_at);
        let before = std::mem::take(&mut scaler.marks);
        self.mark_servers(service);
        let now = self.now;
        self.progress.look_at(before.len());
        if let Some(scaler) = self.scaler(service, generation) {
            let pairs = before.as_slice().iter().zip(scaler.marks.as_slice());
            let read = |(before, after): (&Mark, &Mark)| {
                let whole = before.up && after.up && before.incarnation == after.incarnation;
                whole.then(|| Reading::between(before, after, now, now - since))
            };
            let readings = pairs.map(read).collect();
            scaler.readings.push_back((Instant(now), readings));
            // Those that are known already are not kept beyond the next.
            scaler.known(Instant(now));
        }
        self.after(interval.0, Event::Reading(service, generation));
    }

    /// An autoscaler decides.
    pub(super) fn scale(&mut self, service: ServiceId, generation: u32) {
        if self.scaler(service, generation).is_none() {
            return;
        }
        let members = self.members(service);
        let now = Instant(self.now);
        let (period, wish) = {
            let Some(scaler) = self.scaler(service, generation) else {
                return;
            };
            let seen = Seen {
                now,
                interval: scaler.timing.interval,
                members: &members,
            };
            (scaler.timing.period, scaler.rule.decide(&seen))
        };
        self.progress.look_at(members.len());
        let current = members.len() as u32;
        if let Some(wish) = wish.filter(|wish| wish.servers != current) {
            let have = self.services[service].servers.len();
            let beyond = if wish.servers as usize > have && wish.servers > current {
                format!("; there are {have}")
            } else {
                String::new()
            };
            let cause = format!("{current} → {} ({}{beyond})", wish.servers, wish.why);
            let name = self.model.services[service.position()].name.clone();
            self.tell(Kind::Scaled, Actor::Autoscaler, &name, cause);
            self.together(|simulation| {
                if wish.servers < current {
                    simulation.shrink(service, current - wish.servers);
                } else if let Some(scaler) = simulation.scaler(service, generation) {
                    scaler.unmet += wish.servers - current;
                }
            });
        }
        self.order_servers(service);
        self.after(period.0, Event::Scale(service, generation));
    }

    /// The servers of a service as its autoscaler sees them: those that are there and stay, those that are
    /// looked for, and those that are not to be had.
    fn members(&mut self, service: ServiceId) -> Vec<Member> {
        let now = Instant(self.now);
        let Some(scaler) = &mut self.scalers.of[service] else {
            return Vec::new();
        };
        let (unmet, orders) = (scaler.unmet, scaler.orders.clone());
        let readings = scaler.known(now);
        let servers = self.services[service].servers.as_slice();
        let mut members = Vec::with_capacity(servers.len());
        for (position, &server) in servers.iter().enumerate() {
            let (s, cold) = (&self.fleet[server], &self.fleet.cold[server]);
            if s.state == MachineState::Absent || cold.leaving {
                continue;
            }
            let up = s.state == MachineState::Up;
            let since = if up {
                cold.incarnation.up_since
            } else {
                cold.incarnation.down_since
            };
            members.push(Member {
                state: match s.state {
                    MachineState::Up => MemberState::Ready,
                    _ if cold.joining => MemberState::Pending,
                    _ => MemberState::NotReady,
                },
                since: Instant(since),
                started: cold.added_at.map(Instant),
                workers: cold.params.workers,
                reading: readings.get(position).copied().flatten(),
            });
        }
        let pending = |at, workers| Member {
            state: MemberState::Pending,
            since: at,
            started: Some(at),
            workers,
            reading: None,
        };
        let workers = |server: ServerId| self.fleet.cold[server].params.workers;
        members.extend(orders.iter().map(|o| pending(o.at, workers(o.server))));
        let usual = servers.first().map_or(1, |&server| workers(server));
        members.extend((0..unmet).map(|_| pending(now, usual)));
        members
    }

    /// Looks for servers that are asked for, as far as any are left.
    fn order_servers(&mut self, service: ServiceId) {
        let mut next = 0;
        loop {
            let servers = self.services[service].servers.as_slice();
            let Some(scaler) = &mut self.scalers.of[service] else {
                return;
            };
            if scaler.unmet == 0 {
                return;
            }
            let free = |&server: &ServerId| {
                self.fleet[server].state == MachineState::Absent && !scaler.is_on_its_way(server)
            };
            let Some(found) = servers[next..].iter().position(free) else {
                return;
            };
            let server = servers[next + found];
            next += found + 1;
            scaler.unmet -= 1;
            let order = Order {
                server,
                try_number: 0,
                fails: false,
                at: Instant(self.now),
            };
            self.look_for(service, order, Duration::ZERO);
        }
    }

    /// A try to find a server begins after a pause.
    fn look_for(&mut self, service: ServiceId, mut order: Order, pause: Duration) {
        self.scalers.tries = self.scalers.tries.wrapping_add(1);
        let number = self.scalers.tries;
        let settings = &self.services[service].settings.provisioning;
        let mut draws = self.streams.provisioning.at(u64::from(number));
        let time = Duration::from_nanos_f64(settings.time.build().sample_ns(&mut draws));
        order.fails = draws.uniform() < settings.failure;
        order.try_number = number;
        if time.is_zero() && pause.is_zero() && !order.fails {
            self.add(order.server, Actor::Autoscaler, "");
            return;
        }
        if let Some(scaler) = &mut self.scalers.of[service] {
            scaler.orders.push(order);
        }
        let server = order.server;
        self.after((pause + time).0, Event::Provisioned(server, number));
    }

    /// A try to find a server ends.
    pub(super) fn provisioned(&mut self, server: ServerId, number: u32) {
        let service = self.fleet[server].service;
        let Some(scaler) = &mut self.scalers.of[service] else {
            return;
        };
        let is_this = |o: &Order| o.server == server && o.try_number == number;
        let Some(place) = scaler.orders.iter().position(is_this) else {
            return;
        };
        let order = scaler.orders.remove(place);
        if !order.fails {
            self.add(server, Actor::Autoscaler, "");
            return;
        }
        let pause = self.services[service].settings.provisioning.pause;
        let cause = format!("another try in {pause}");
        self.tell_of_server(Kind::Unprovided, Actor::Autoscaler, server, cause);
        self.look_for(service, order, pause);
    }

    /// Lets servers go: those that nobody has found, then those that do not serve, then the youngest.
    fn shrink(&mut self, service: ServiceId, number: u32) {
        let Some(scaler) = &mut self.scalers.of[service] else {
            return;
        };
        let unmet = scaler.unmet.min(number);
        scaler.unmet -= unmet;
        let ordered = (scaler.orders.len()).min((number - unmet) as usize);
        scaler.orders.truncate(scaler.orders.len() - ordered);
        let rest = (number - unmet) as usize - ordered;
        let servers = self.services[service].servers.as_slice();
        let mut there: Vec<ServerId> = (servers.iter().copied())
            .filter(|&server| {
                self.fleet[server].state != MachineState::Absent && !self.fleet.cold[server].leaving
            })
            .collect();
        let order = |&server: &ServerId| {
            let up = self.fleet[server].state == MachineState::Up;
            (
                up,
                Reverse(self.fleet.cold[server].added_at),
                Reverse(server),
            )
        };
        there.sort_by_key(order);
        for server in there.into_iter().take(rest) {
            self.remove(server, Actor::Autoscaler, "");
        }
    }
}

fn same_kind(a: &Configured<AutoscalerDef>, b: &Configured<AutoscalerDef>) -> bool {
    std::ptr::eq(a.def, b.def)
}

impl Reading {
    /// What a server did between two marks that lie so many nanoseconds apart.
    fn between(before: &Mark, after: &Mark, now: u64, span: u64) -> Self {
        let span = u128::from(span.max(1));
        let busy = u128::from(after.busy_area.wrapping_sub(before.busy_area));
        let sent = u128::from(after.attempts.wrapping_sub(before.attempts));
        let whole = |value: u128| u64::try_from(value).unwrap_or(u64::MAX);
        Self {
            at: Instant(now),
            busy_milli: whole((busy * 1000).div_ceil(span)),
            requests_milli_hz: whole(sent * 1000 * u128::from(SECOND) / span),
        }
    }
}
