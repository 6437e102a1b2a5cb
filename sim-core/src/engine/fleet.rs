//! The fleet: servers, what each remembers, and what is known of one by itself.
//!
//! Records are small and indexed by number. What one event touches lies together; what only rare
//! events touch is set apart.

use super::fast_path::server_is_plain;
use super::host::Host;
use super::in_service::InService;
use super::incarnation::Incarnation;
use super::link::Path;
use super::memory::LeftBehind;
use super::slab::{Handle, Slot};
use super::watch::Watch;
use crate::discipline::Order;
use crate::distribution::Distribution;
use crate::fault::either;
use crate::ids::{HostId, LocalId, ServerId, ServiceId, Table};
use crate::machine::MachineState;
use crate::model::{Model, ServerParams};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::{Index, IndexMut};
use std::sync::Arc;

/// All servers. `fleet[server]` is what every request touches.
#[derive(Clone)]
pub(super) struct Fleet {
    pub servers: Table<ServerId, Server>,
    pub cold: Table<ServerId, ServerCold>,
    /// Machines that servers share.
    pub hosts: Table<HostId, Host>,
    /// Whether gauges are being polled.
    pub polling: bool,
    /// Numbers requests in the order in which they got a worker or a rank.
    pub started: u64,
}

impl Fleet {
    pub(super) fn new(model: &Model) -> Self {
        let mut locals = Table::filled(model.services.len(), LocalId(0));
        let server = |server: &crate::model::Server| {
            let local: &mut LocalId = &mut locals[server.service];
            local.0 += 1;
            Server::new(server, LocalId(local.0 - 1))
        };
        Self {
            servers: model.servers.iter().map(server).collect(),
            cold: model.servers.iter().map(ServerCold::new).collect(),
            hosts: Host::all(model),
            polling: false,
            started: 0,
        }
    }

    /// Whether people let it have traffic: a matter of settings, whatever it is doing.
    pub(super) fn in_rotation(&self, server: ServerId) -> bool {
        let cold = &self.cold[server];
        self.servers[server].state != MachineState::Absent && !cold.out_of_rotation && !cold.joining
    }

    /// The speed at which each request in service progresses.
    pub(super) fn rate_of(&self, server: ServerId) -> f64 {
        let (s, cold) = (&self.servers[server], &self.cold[server]);
        let params = &cold.params;
        let n = f64::from((s.in_service + s.holding).max(1));
        let shared = if s.waiting == Waiting::Shared && s.in_service > s.workers {
            f64::from(s.workers) / f64::from(s.in_service)
        } else {
            1.0
        };
        let crowd = 1.0
            + params.slowdown.contention * (n - 1.0)
            + params.slowdown.coherence * n * (n - 1.0);
        let core = params.host.map_or(1.0, |host| self.hosts[host].share);
        params.speed * cold.warmth * cold.slow * shared / crowd * core
    }
}

impl Index<ServerId> for Fleet {
    type Output = Server;
    #[inline]
    fn index(&self, server: ServerId) -> &Server {
        &self.servers[server]
    }
}

impl IndexMut<ServerId> for Fleet {
    #[inline]
    fn index_mut(&mut self, server: ServerId) -> &mut Server {
        &mut self.servers[server]
    }
}

/// Stands for a server without anything that could have a say.
pub(super) const NOT_HEEDED: u16 = u16::MAX;

/// How a server orders its work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiting {
    Fifo,
    Lifo,
    /// A list in order of arrival, taken from either end.
    Turning,
    Ranked,
    /// Ranked, and a better rank interrupts the worst in service.
    Preemptive,
    /// At random.
    Pile,
    Shared,
}

/// Whether the fast path may serve a server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fast {
    No,
    Yes,
    /// Yes, and nothing that it would have to look at can happen there: first come, first served.
    Bare,
    /// Yes, once it is drawn whether an attempt will fail there.
    Erring,
    /// Yes, with a timer for whoever waits; then something happens aside at its service.
    Patient,
}

/// What is written at a service, or on the way from a source to it, that the fast path has to look at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Nothing,
    /// Policies that are told of attempts or servers, and nothing else.
    Told,
    /// Guards, perhaps beside such policies, and nothing else.
    Guards,
    More,
}

impl Waiting {
    /// Whether the next to be served is the first of a linked list.
    #[inline]
    pub(super) fn is_linked(self) -> bool {
        matches!(self, Self::Fifo | Self::Lifo)
    }

    /// How requests wait under a discipline.
    pub(super) fn under(order: &Order) -> Self {
        match order {
            Order::Fifo => Self::Fifo,
            Order::Lifo => Self::Lifo,
            Order::Turning(_) => Self::Turning,
            Order::Ranked(_) | Order::Deadline => Self::Ranked,
            Order::Preemptive(_) => Self::Preemptive,
            Order::Random => Self::Pile,
            Order::Shared => Self::Shared,
        }
    }
}

/// The part of a server that every request touches.
///
/// Service is counted in *virtual time*, which advances at `rate` virtual nanoseconds for each
/// real one while requests are in service: all of them progress alike, so a change of speed or of
/// concurrency is one multiplication and their order of completion never changes.
///
/// Two cache lines, the first of which holds all that is read at the end of an interval.
#[derive(Clone)]
#[repr(C, align(64))]
pub(super) struct Server {
    /// Areas under the numbers at work, in the system and waiting, each less its present height
    /// times now, wrapping: one addition when the height changes, exact when read.
    pub area_busy: u64,
    /// Attempts sent to it and how they ended, wrapping; [`super::recording::ServerTotals`] has
    /// the full numbers.
    pub attempts: u32,
    pub succeeded: u32,
    pub failed: u32,
    pub in_system: u32,
    pub queue_len: u32,
    pub in_service: u32,
    /// Workers held by calls to other services.
    pub holding: u32,
    pub workers: u32,
    pub queue_limit: u32,
    /// The request in service that finishes first; the others are in [`ServerCold::in_service`].
    pub first: Slot,
    pub local: LocalId,
    /// Part of a virtual nanosecond not yet in `virtual_now`.
    pub virtual_part: f32,
    pub service: ServiceId,
    /// From so many in the system on its crash rules and its memory have a say.
    pub heeded_from: u16,
    pub state: MachineState,
    pub waiting: Waiting,
    /// Whether `rate` depends on concurrency.
    pub elastic: bool,
    /// Whether the fast path may serve it.
    pub fast: Fast,
    pub virtual_now: u64,
    pub virtual_at: u64,
    pub rate: f64,
    /// Sum of `finish` over requests in service, wrapping: their remaining work is this less their
    /// number times virtual time.
    pub finish_sum: u64,
    /// Demand of waiting requests.
    pub queued_ns: u64,
    pub area_in_system: u64,
    pub area_queued: u64,
    pub head: Slot,
    pub tail: Slot,
}

const _: () = assert!(size_of::<Server>() == 128, "a server fills two cache lines");

/// The part of a server that few events touch.
#[derive(Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about what people and faults did"
)]
pub(super) struct ServerCold {
    pub params: Arc<ServerParams>,
    /// What lies between it and its balancer.
    pub path: Option<Arc<Path>>,
    /// Whether its settings ask for nothing that the fast path does not know.
    pub plain: bool,
    /// Requests in service but the first.
    pub in_service: InService,
    /// Waiting requests of a ranked discipline: (rank, sequence, attempt); stale ones stay until
    /// they surface.
    pub ranked: BinaryHeap<Reverse<(u64, u64, Handle)>>,
    /// Waiting requests of which a random one is next; each knows its place as `before`.
    pub pile: Vec<Slot>,
    /// Since when somebody waits without a break; kept where the order turns.
    pub stood_from: u64,
    /// Random choices made of the pile.
    pub picked: u64,
    pub error_demand: Option<Arc<dyn Distribution>>,
    pub patience: Option<Arc<dyn Distribution>>,
    pub breakdowns: Option<Failing>,
    /// Workers that are broken.
    pub broken: u32,
    /// Random lengths drawn for breakdowns, and times their settings changed.
    pub breakdown_draws: u64,
    pub breakdown_generation: u32,
    pub watch: Watch,
    /// What callers who gave up have left behind.
    pub left_behind: LeftBehind,
    /// Requests at work here that its host knows of.
    pub at_work: u32,
    pub incarnation: Incarnation,
    /// Factor of the speed while warming up, and set by the time line.
    pub warmth: f64,
    pub slow: f64,
    /// Probability that it answers with an error: its own, with what a fault adds.
    pub error_rate: f64,
    pub more_errors: f64,
    /// Area of busy workers at the last poll.
    pub polled_busy: u64,
    /// Taken out of rotation by hand: stays so through a restart.
    pub out_of_rotation: bool,
    /// Removed, and gone once nothing is left in it.
    pub leaving: bool,
    /// When it was added, if it was not there from the start.
    pub added_at: Option<u64>,
    /// Added and still starting: it joins rotation when it is up.
    pub joining: bool,
}

impl ServerCold {
    /// Works out anew how often it fails, and whether the fast path knows all that it is asked.
    pub(super) fn adopt_errors(&mut self) {
        let own = self.params.errors.rate;
        self.error_rate = either(own, self.more_errors);
        self.plain = server_is_plain(&self.params);
    }

    fn new(server: &crate::model::Server) -> Self {
        Self {
            params: Arc::clone(&server.params),
            path: None,
            plain: server_is_plain(&server.params),
            in_service: InService::default(),
            ranked: BinaryHeap::new(),
            pile: Vec::new(),
            stood_from: 0,
            picked: 0,
            error_demand: None,
            patience: None,
            breakdowns: None,
            broken: 0,
            breakdown_draws: 0,
            breakdown_generation: 0,
            watch: Watch::new(server.params.crash.len()),
            left_behind: LeftBehind::default(),
            at_work: 0,
            incarnation: Incarnation::default(),
            warmth: 1.0,
            slow: 1.0,
            error_rate: server.params.errors.rate,
            more_errors: 0.0,
            polled_busy: 0,
            out_of_rotation: false,
            leaving: false,
            added_at: None,
            joining: false,
        }
    }
}

/// How long workers last and how long repairs take.
#[derive(Clone)]
pub(super) struct Failing {
    pub settings: crate::model::Breakdowns,
    /// Workers for which a breakdown or a repair is planned.
    pub workers: u32,
    pub every: Arc<dyn Distribution>,
    pub repair: Arc<dyn Distribution>,
}

impl Server {
    /// One at the start of a run.
    fn new(server: &crate::model::Server, local: LocalId) -> Self {
        Self {
            virtual_now: 0,
            virtual_at: 0,
            virtual_part: 0.0,
            rate: server.params.speed,
            finish_sum: 0,
            queued_ns: 0,
            area_in_system: 0,
            area_busy: 0,
            area_queued: 0,
            first: Slot::NONE,
            in_service: 0,
            holding: 0,
            in_system: 0,
            queue_len: 0,
            head: Slot::NONE,
            tail: Slot::NONE,
            workers: server.params.workers,
            queue_limit: server.params.queue_limit,
            attempts: 0,
            succeeded: 0,
            failed: 0,
            state: if server.present {
                MachineState::Up
            } else {
                MachineState::Absent
            },
            waiting: Waiting::Fifo,
            elastic: false,
            heeded_from: NOT_HEEDED,
            local,
            fast: Fast::No,
            service: server.service,
        }
    }

    /// Brings virtual time up to `now`.
    #[inline]
    #[allow(
        clippy::float_cmp,
        reason = "a rate of exactly one needs no multiplication"
    )]
    pub(super) fn advance(&mut self, now: u64) {
        let real = now - self.virtual_at;
        self.virtual_at = now;
        // A part that was rounded up to one counts at the next look, be it at the same time.
        if self.in_service == 0 || real == 0 && self.virtual_part < 1.0 {
            return;
        }
        if self.rate == 1.0 {
            self.virtual_now += real;
        } else {
            let gone = real as f64 * self.rate + f64::from(self.virtual_part);
            let whole = gone as u64;
            self.virtual_now += whole;
            self.virtual_part = (gone - whole as f64) as f32;
        }
    }

    /// Virtual time is zero now.
    #[inline]
    pub(super) fn start_over(&mut self, now: u64) {
        self.virtual_at = now;
        self.virtual_now = 0;
        self.virtual_part = 0.0;
    }

    /// When virtual time will reach `finish`.
    #[inline]
    #[allow(clippy::float_cmp, reason = "a rate of exactly one needs no division")]
    pub(super) fn real_time_of(&self, finish: u64) -> u64 {
        let left = finish.saturating_sub(self.virtual_now);
        if self.rate == 1.0 {
            return self.virtual_at + left;
        }
        let left = (left as f64 - f64::from(self.virtual_part)).max(0.0) / self.rate;
        // Rounded up, without a call where processors need not have an instruction for it.
        let whole = left as u64;
        let more = u64::from((whole as f64) < left);
        self.virtual_at.saturating_add(whole.saturating_add(more))
    }

    /// Whether crash rules and memory have a say with so many in the system.
    #[inline]
    pub(super) fn is_heeded_at(&self, in_system: u32) -> bool {
        in_system >= u32::from(self.heeded_from) && self.heeded_from != NOT_HEEDED
    }

    /// Workers that are not free.
    #[inline]
    pub(super) fn busy(&self) -> u32 {
        (self.in_service + self.holding).min(self.workers)
    }

    /// One request more in the system.
    #[inline]
    pub(super) fn enter(&mut self, now: u64) {
        self.in_system += 1;
        self.area_in_system = self.area_in_system.wrapping_sub(now);
    }

    /// One request fewer in the system.
    #[inline]
    pub(super) fn leave(&mut self, now: u64) {
        self.in_system -= 1;
        self.area_in_system = self.area_in_system.wrapping_add(now);
    }

    /// One request more that waits for a worker.
    #[inline]
    pub(super) fn begin_wait(&mut self, demand_ns: u64, now: u64) {
        self.queue_len += 1;
        self.area_queued = self.area_queued.wrapping_sub(now);
        self.queued_ns = self.queued_ns.saturating_add(demand_ns);
    }

    /// One request fewer that waits for a worker.
    #[inline]
    pub(super) fn end_wait(&mut self, demand_ns: u64, now: u64) {
        self.queue_len -= 1;
        self.area_queued = self.area_queued.wrapping_add(now);
        self.queued_ns = self.queued_ns.saturating_sub(demand_ns);
    }

    /// The number of workers at work is another than `before`.
    #[inline]
    pub(super) fn busy_changed(&mut self, before: u32, now: u64) {
        let difference = u64::from(before).wrapping_sub(u64::from(self.busy()));
        self.area_busy = self.area_busy.wrapping_add(difference.wrapping_mul(now));
    }

    /// Area under the number in the system up to `now`, wrapping.
    #[inline]
    pub(super) fn in_system_area(&self, now: u64) -> u64 {
        self.area_in_system
            .wrapping_add(u64::from(self.in_system).wrapping_mul(now))
    }

    /// Area under the number of busy workers up to `now`, wrapping.
    #[inline]
    pub(super) fn busy_area(&self, now: u64) -> u64 {
        self.area_busy
            .wrapping_add(u64::from(self.busy()).wrapping_mul(now))
    }

    /// Area under the number of waiting requests up to `now`, wrapping.
    #[inline]
    pub(super) fn queued_area(&self, now: u64) -> u64 {
        self.area_queued
            .wrapping_add(u64::from(self.queue_len).wrapping_mul(now))
    }

    /// Real time until the server would be empty, in nanoseconds, its workers all at work.
    pub(super) fn work_left_ns(&self, now: u64) -> f64 {
        let virtual_now = self.virtual_now as f64
            + if self.in_service > 0 {
                (now - self.virtual_at) as f64 * self.rate
            } else {
                0.0
            };
        let serving = self
            .finish_sum
            .wrapping_sub(u64::from(self.in_service).wrapping_mul(self.virtual_now))
            as f64
            - f64::from(self.in_service) * (virtual_now - self.virtual_now as f64);
        // With every worker broken the work is still there: one stands for what will come back.
        (serving.max(0.0) + self.queued_ns as f64) / (f64::from(self.workers.max(1)) * self.rate)
    }

    /// When the server would be empty, where that stays as it is while nothing enters or leaves and its
    /// pace does not change; some time gone by when it is empty. [`Self::work_left_ns`] is then the span
    /// until that time, to the bit. It does not stay where several workers are not all at work, where
    /// nobody works on what is there, and where some are in the server without waiting for a worker; and
    /// other speeds than one round.
    #[inline]
    #[allow(clippy::float_cmp, reason = "a rate of exactly one needs no rounding")]
    pub(super) fn empty_at(&self) -> Option<u64> {
        /// Up to so much a float counts nanoseconds.
        const EXACT: u64 = 1 << 53;
        if self.rate != 1.0 || self.workers != 1 || self.waiting == Waiting::Shared {
            return None;
        }
        match (self.in_system, self.in_service, self.queue_len) {
            (0, 0, 0) => Some(0),
            (all, 1, queue) if all == queue + 1 && self.holding == 0 => {
                let serving = self.finish_sum.wrapping_sub(self.virtual_now);
                let work = serving.checked_add(self.queued_ns)?;
                let small = work.max(self.finish_sum).max(self.virtual_at) < EXACT;
                small.then(|| self.virtual_at + work)
            }
            _ => None,
        }
    }
}
