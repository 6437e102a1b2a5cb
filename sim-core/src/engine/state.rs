//! What the engine remembers: servers, balancer instances, callers, sources; and, in
//! [`super::attempt`], calls and attempts.
//!
//! Records are small and indexed by number. What one event touches lies together; what only rare
//! events touch is set apart.

pub(super) use super::attempt::{Attempt, AttemptCold, Call, NIL, Place, Purpose};

use super::batched_draws::BatchedDraws;
use super::slab::Handle;
use crate::arrival::{Arrivals, Gaps};
use crate::discipline::Order;
use crate::distribution::Distribution;
use crate::draws::Stream;
use crate::key::Keys;
use crate::model::{Client, DownBehaviour, HealthCheck, Liveness, Probe, RatePoint, ServerParams};
use crate::outcome::Outcome;
use crate::policy::Policy;
use crate::retry::{Retry, Terms};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

/// What a machine is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum MachineState {
    /// Serving.
    Up,
    /// Crashed.
    Down,
    /// Starting.
    Booting,
    /// Not there: not added yet, removed, or a spare standing by.
    Absent,
}

impl MachineState {
    /// All of them, by their numbers.
    pub const ALL: [Self; 4] = [Self::Up, Self::Down, Self::Booting, Self::Absent];

    /// Whether requests are served.
    pub fn serves(self) -> bool {
        self == Self::Up
    }

    /// The word used in files and on screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Booting => "booting",
            Self::Absent => "absent",
        }
    }
}

/// How a server orders its work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiting {
    Fifo,
    Lifo,
    Ranked,
    /// Ranked, and a better rank interrupts the worst in service.
    Preemptive,
    /// At random.
    Pile,
    Shared,
}

impl Waiting {
    /// How requests wait under a discipline.
    pub(super) fn under(order: &Order) -> Self {
        match order {
            Order::Fifo => Self::Fifo,
            Order::Lifo => Self::Lifo,
            Order::Ranked(_) => Self::Ranked,
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
    pub first: u32,
    pub local: u32,
    /// Part of a virtual nanosecond not yet in `virtual_now`.
    pub virtual_part: f32,
    pub service: u16,
    pub state: MachineState,
    pub waiting: Waiting,
    /// Whether `rate` depends on concurrency.
    pub elastic: bool,
    /// Whether crash rules watch it.
    pub watched: bool,
    /// Whether the fast path may serve it.
    pub fast: bool,
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
    pub head: u32,
    pub tail: u32,
}

const _: () = assert!(size_of::<Server>() == 128, "a server fills two cache lines");

/// The part of a server that few events touch.
#[derive(Clone)]
pub(super) struct ServerCold {
    pub params: Arc<ServerParams>,
    /// Requests in service but the first: (finish, sequence, attempt).
    pub in_service: BinaryHeap<Reverse<(u64, u64, u32)>>,
    /// Waiting requests of a ranked discipline: (rank, sequence, attempt); stale ones stay until
    /// they surface.
    pub ranked: BinaryHeap<Reverse<(u64, u64, Handle)>>,
    /// Waiting requests of which a random one is next; each knows its place as `before`.
    pub pile: Vec<u32>,
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
    pub incarnation: Incarnation,
    /// Factor of the speed while warming up, and set by the time line.
    pub warmth: f64,
    pub slow: f64,
    pub slow_generation: u32,
    /// Area of busy workers at the last poll.
    pub polled_busy: u64,
    /// Taken out of rotation by hand: stays so through a restart.
    pub out_of_rotation: bool,
    /// Removed, and gone once nothing is left in it.
    pub leaving: bool,
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

/// Crash rules of a machine and since when each holds.
#[derive(Clone, Default)]
pub(super) struct Watch {
    pub since: Vec<Option<u64>>,
    /// Whether a timer is out for the rule.
    pub armed: Vec<bool>,
}

impl Watch {
    pub(super) fn new(rules: usize) -> Self {
        Self {
            since: vec![None; rules],
            armed: vec![false; rules],
        }
    }
}

/// Crashes and restarts of a machine.
#[derive(Clone, Default)]
pub(super) struct Incarnation {
    /// Grows with every crash, restart and start: timers of earlier incarnations are void.
    pub number: u32,
    pub crashes: u64,
    /// Crashes in quick succession, for back-off.
    pub streak: u32,
    pub up_since: u64,
    pub down_since: u64,
    /// Time not up, over ended spells.
    pub downtime: u64,
    /// The latest cause of a crash.
    pub cause: String,
}

/// A balancer instance.
#[derive(Clone)]
pub(super) struct Instance {
    pub service: u16,
    pub name: String,
    pub state: MachineState,
    pub policy: Box<dyn Policy>,
    pub observes: bool,
    /// Loads as last reported, where policies do not see the present ones.
    pub board: Option<Box<super::board::Board>>,
    /// Attempts it holds.
    pub connections: u32,
    /// Attempts waiting for itself.
    pub waiting: u32,
    pub busy_until: u64,
    pub busy_ns: u64,
    /// Its attempts at each server.
    pub in_flight: Vec<u32>,
    /// Servers it believes healthy.
    pub healthy: Vec<bool>,
    /// Servers it may pick, ascending.
    pub eligible: Vec<u32>,
    pub pending: VecDeque<Handle>,
    pub watch: Watch,
    pub watched: bool,
    pub incarnation: Incarnation,
    pub attempts: u64,
}

/// Who probes whom.
#[derive(Clone)]
pub(super) struct Prober {
    /// The balancer instance; [`NIL`] for liveness.
    pub instance: u32,
    pub server: u32,
    pub generation: u32,
    /// Results in a row: successes if positive, failures if negative.
    pub row: i64,
    pub probes: u64,
}

/// What probes look like.
#[derive(Clone)]
pub(super) struct ProbeSettings {
    pub interval: u64,
    pub timeout: u64,
    /// Whether a probe only opens a connection.
    pub connect: bool,
    pub demand: Arc<dyn Distribution>,
}

impl ProbeSettings {
    pub(super) fn of_health(check: &HealthCheck) -> Self {
        Self {
            interval: check.interval.0,
            timeout: check.timeout.0,
            connect: check.probe == Probe::Connect,
            demand: check.demand.build().into(),
        }
    }

    pub(super) fn of_liveness(probe: &Liveness) -> Self {
        Self {
            interval: probe.interval.0,
            timeout: probe.timeout.0,
            connect: false,
            demand: probe.demand.build().into(),
        }
    }
}

/// A service with its samplers.
#[derive(Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says whether something rare must be looked at"
)]
pub(super) struct Service {
    pub demand: Arc<dyn Distribution>,
    pub demand_stream: Stream,
    pub network: Arc<dyn Distribution>,
    /// The network's delay where it never varies.
    pub network_ns: Option<u64>,
    /// Servers by local number.
    pub servers: Vec<u32>,
    pub weights: Vec<f64>,
    /// Balancer instances that callers know.
    pub active: Vec<u32>,
    /// Spares.
    pub spares: Vec<u32>,
    pub down_behaviour: DownBehaviour,
    pub cost: u64,
    pub max_connections: u32,
    pub has_calls: bool,
    /// Whether any server has a connection limit.
    pub limited: bool,
    /// Whether policies want to hear of servers that become idle.
    pub tracks_idle: bool,
    /// Times that servers became idle.
    pub idle_reports: u64,
    /// Whether callers choose an instance at random.
    pub random_selection: bool,
    pub report_generation: u32,
    /// Whether the fast path may serve it.
    pub fast: bool,
    pub attempts: u64,
    /// `attempts` when measurement began, and at the end of the last interval.
    pub attempts_before: u64,
    pub attempts_recorded: u64,
    pub busy_recorded: f32,
    pub attempt_outcomes: [u64; Outcome::COUNT],
    /// Time workers spent on attempts whose caller had given up.
    pub wasted_ns: u128,
    pub served_ns: u128,
}

/// A kind of caller with its rules.
#[derive(Clone)]
pub(super) struct Caller {
    pub client: Client,
    pub timeout: u64,
    pub deadline: u64,
    pub retry: Arc<dyn Retry>,
    pub terms: Terms,
    pub tokens: f64,
    /// Whether the fast path may serve it: no deadline and no budget to keep.
    pub fast: bool,
}

/// A source with its process.
#[derive(Clone)]
pub(super) struct Source {
    pub arrivals: Arrivals,
    pub gaps: Option<Arc<dyn Gaps>>,
    pub rate: Arc<[RatePoint]>,
    /// Corner of the rate at or before the latest arrival.
    pub corner: usize,
    pub stream: Stream,
    pub mix: Vec<f64>,
    pub keys: Arc<dyn Keys>,
    pub clients: Vec<u16>,
    pub to: u16,
    /// Whether the fast path may serve it: an open source of a service on the fast path.
    pub fast: bool,
    /// Requests emitted.
    pub count: u64,
    /// Phases of a modulated source: the present one, and how many were begun.
    pub phase: usize,
    pub phases_begun: u64,
    pub phase_stream: Stream,
    /// Times that users of a closed source have begun to think.
    pub thoughts: u64,
    /// The next arrival comes when `gap` more requests are expected after `from`.
    pub from: u64,
    pub gap: f64,
    /// Draws made ahead, for the fast path.
    pub batch: Box<BatchedDraws>,
}
