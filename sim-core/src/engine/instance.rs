//! Balancer instances: what each remembers of its servers, and what its policy is shown.

use super::board::Board;
use super::eligible::Offers;
use super::fleet::Server;
use super::health::Health;
use super::incarnation::Incarnation;
use super::lines::Pending;
use super::service::{Service, policy, start};
use super::subset::subset;
use super::watch::Watch;
use crate::draws::Draws;
use crate::health::OwnHealth;
use crate::ids::{Id, InstanceId, LocalId, ServerId, ServiceId, Table};
use crate::machine::MachineState;
use crate::model::Model;
use crate::outcome::Outcome;
use crate::policy::{Choice, FleetView, Job, Lines, Oracle, Policy, Report, any_of, less_of_two};
use crate::time::{Duration, Instant};
use std::ops::{Index, IndexMut, Range};

/// Ways from instances to servers whose attempts are counted at most: nobody draws more one by one.
const WAYS_KEPT: usize = 128;

/// All balancer instances, those of a service next to each other.
#[derive(Clone)]
pub(super) struct Balancers {
    pub instances: Table<InstanceId, Instance>,
    /// Where those of each service are.
    of: Table<ServiceId, Range<usize>>,
    /// Instances whose pending queues may move on, once the present event is done.
    pub to_drain: Vec<InstanceId>,
    /// A server that has just taken the last place at an instance, or given it back, on the fast path: what it
    /// offers is judged once the present event is done.
    pub turned: Option<(InstanceId, LocalId)>,
    /// Instances whose policies do not know of all offers of their servers yet.
    pub behind: Vec<InstanceId>,
    /// Room for the servers that a copy or a retry may go to.
    pub rest: Vec<u32>,
    /// Whether every change has all servers judged anew, for a test.
    pub anew: bool,
}

impl Balancers {
    pub(super) fn new(model: &Model, replication: u64) -> Self {
        let (mut instances, mut of) = (Table::default(), Table::default());
        let mut ways = 0;
        for (position, service) in model.services.iter().enumerate() {
            let (id, first) = (ServiceId::at(position), instances.len());
            // Clones of one, so that they share what is the same for all.
            let policy = policy(model, replication, id, &service.balancer.policy);
            let (present, spares) = (service.balancer.instances, service.balancer.standby.count);
            // Of a single one the servers' own counters say the same.
            let more = (present + spares) as usize * service.servers.len();
            let kept = present + spares > 1 && ways + more <= WAYS_KEPT;
            ways += if kept { more } else { 0 };
            for number in 0..present + spares {
                let start = start(model, replication, id, number);
                let mut instance = Instance::new(model, service, id, number, &*policy, start);
                instance.subset = subset(model, replication, id, number);
                if kept {
                    instance.sent = Table::filled(service.servers.len(), 0);
                }
                if number >= present {
                    instance.state = MachineState::Absent;
                }
                instances.push(instance);
            }
            of.push(first..instances.len());
        }
        Self {
            instances,
            of,
            to_drain: Vec::new(),
            turned: None,
            behind: Vec::new(),
            rest: Vec::new(),
            anew: false,
        }
    }

    /// The instances of a service, spares included.
    pub(super) fn of(&self, service: ServiceId) -> impl Iterator<Item = InstanceId> + use<> {
        self.of[service].clone().map(InstanceId::at)
    }

    /// The number of an instance among those of its service.
    pub(super) fn number_of(&self, instance: InstanceId) -> u32 {
        instance.0 - self.of[self.instances[instance].service].start as u32
    }

    /// The instances of a service, spares included.
    pub(super) fn of_mut(&mut self, service: ServiceId) -> &mut [Instance] {
        &mut self.instances.as_mut_slice()[self.of[service].clone()]
    }
}

impl Index<InstanceId> for Balancers {
    type Output = Instance;
    #[inline]
    fn index(&self, instance: InstanceId) -> &Instance {
        &self.instances[instance]
    }
}

impl IndexMut<InstanceId> for Balancers {
    #[inline]
    fn index_mut(&mut self, instance: InstanceId) -> &mut Instance {
        &mut self.instances[instance]
    }
}

/// A balancer instance.
#[derive(Clone)]
pub(super) struct Instance {
    pub service: ServiceId,
    pub name: String,
    pub state: MachineState,
    pub policy: Box<dyn Policy>,
    /// How the policy picks, where it need not be asked.
    pub choice: Choice,
    /// How far into a round its turns begin, where it is one of several.
    pub start: Option<f64>,
    /// The priority of its servers that are eligible, while that is one.
    level: Option<u32>,
    pub observes: bool,
    /// Whether its policy sees servers that are at their limit.
    pub sees_full: bool,
    /// The servers it uses, where that is not all of them.
    subset: Option<Table<LocalId, bool>>,
    /// Loads as last reported, where policies do not see the present ones.
    pub board: Option<Box<Board>>,
    /// Attempts it holds.
    pub connections: u32,
    /// Attempts waiting for itself.
    pub waiting: u32,
    pub busy_until: u64,
    /// Time spent on its own work, and planned for it until `busy_until`.
    busy_ns: u64,
    /// Its attempts at each server.
    pub in_flight: Table<LocalId, u32>,
    /// Attempts that it has sent to each server since the last interval of the time line, where that is kept.
    pub sent: Table<LocalId, u32>,
    /// Who is healthy, as far as it has seen.
    pub health: Health,
    /// Weights of its servers, as it has them now.
    pub weights: Table<LocalId, f64>,
    /// What each of its servers has to offer.
    pub offers: Offers,
    /// Servers it may pick, ascending, as policies know them: by position within the service.
    pub eligible: Vec<u32>,
    /// Attempts that wait for a place at a server.
    pub pending: Pending,
    pub watch: Watch,
    /// From so many connections on its crash rules and its memory have a say.
    pub heeded_from: u32,
    pub incarnation: Incarnation,
    pub attempts: u64,
    /// Attempts before it started the last time.
    pub attempts_before: u64,
    /// Attempts, crashes, time down and time at work when measurement began.
    pub before: InstanceFigures,
}

/// Totals of a balancer instance.
#[derive(Clone, Copy, Default)]
pub(super) struct InstanceFigures {
    pub attempts: u64,
    pub crashes: u64,
    pub downtime_ns: u64,
    pub busy_ns: u64,
}

impl Instance {
    /// Counts an attempt that goes to a server, where that is kept.
    #[inline]
    pub(super) fn count_sent(&mut self, server: LocalId) {
        if let Some(sent) = self.sent.get_mut(server) {
            *sent += 1;
        }
    }

    /// The server that its policy picks for an attempt, of those it may pick, or of `some` of them. `full`: it sees
    /// servers that are at their limit.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loop of a run is then one piece")]
    pub(super) fn choose(
        &mut self,
        truth: &TrueState<'_>,
        some: Option<&[u32]>,
        full: bool,
        job: impl FnOnce() -> Job,
        draws: &mut Draws,
    ) -> Option<LocalId> {
        let board = self.board.as_deref();
        let own = &self.in_flight;
        let in_flight = board.map_or(own, |board| &board.in_flight).as_slice();
        let choice = match (self.choice, some.unwrap_or(&self.eligible)) {
            (_, []) => None,
            (Choice::Any, eligible) => Some(any_of(eligible, draws) as usize),
            (Choice::LessOfTwo, eligible) => {
                let load = |server: u32| in_flight[server as usize];
                Some(less_of_two(eligible, load, draws) as usize)
            }
            (Choice::Asked, eligible) => {
                let mut view = truth.view(eligible, own, &self.weights);
                view.narrowed = some.is_some();
                if full {
                    view.lines = self.pending.lines(truth.service);
                }
                if let Some(board) = board {
                    view.reported = true;
                    view.in_flight = in_flight;
                    view.oracle = board;
                }
                self.policy.pick(&view, &job(), draws)
            }
        };
        choice.map(LocalId::at)
    }

    /// Its policy hears that an attempt goes to a server, kept out of the loop.
    #[inline(never)]
    pub(super) fn tell_assigned(&mut self, server: LocalId) {
        let in_flight = self.in_flight[server];
        self.policy.on_assigned(server.position(), in_flight);
    }

    /// The same of an attempt that succeeded there and took so long.
    #[inline(never)]
    pub(super) fn tell_succeeded(&mut self, now: Instant, server: LocalId, took: Duration) {
        let (in_flight, outcome) = (self.in_flight[server], Outcome::Succeeded);
        (self.policy).on_finished(now, server.position(), in_flight, outcome, took);
    }

    /// Whether it ever uses a server.
    pub(super) fn uses(&self, server: LocalId) -> bool {
        self.subset.as_ref().is_none_or(|used| used[server])
    }

    /// Begins with another policy.
    pub(super) fn adopt_policy(&mut self, policy: &dyn Policy) {
        self.policy = policy.clone_box();
        self.level = None;
        self.observes = self.policy.observes();
        self.sees_full = self.policy.sees_full();
        self.choice = self.policy.choice();
        self.health.split.clear();
    }

    /// Its eligible servers are of this priority: turns among those of another begin apart from other
    /// instances' as well.
    pub(super) fn turn_to(&mut self, level: u32) {
        if self.level.replace(level) != Some(level)
            && let Some(share) = self.start
        {
            self.policy.start_apart(share);
        }
    }

    /// So many failures ban a server, or as many as ban any: all its policies hear of it.
    pub(super) fn adopt_max_fails(&mut self, server: LocalId, own: Option<u64>) {
        let levels = self.health.split.iter_mut();
        let policies = levels.filter_map(|level| level.policy.as_mut());
        for policy in policies.chain([&mut self.policy]) {
            policy.adopt_max_fails(server.position(), own);
        }
        self.observes = self.policy.observes();
    }

    /// Its own work goes on until `until`, or ends there.
    pub(super) fn plan_work(&mut self, now: u64, until: u64) {
        let planned = self.busy_until.max(now);
        self.busy_ns = (self.busy_ns).wrapping_add(until).wrapping_sub(planned);
        self.busy_until = until;
    }

    /// Totals since the start of the run.
    pub(super) fn figures_at(&self, now: u64) -> InstanceFigures {
        InstanceFigures {
            attempts: self.attempts,
            crashes: self.incarnation.crashes,
            downtime_ns: self.incarnation.downtime_at(self.state, now),
            busy_ns: self
                .busy_ns
                .wrapping_sub(self.busy_until.saturating_sub(now)),
        }
    }

    /// Totals since measurement began.
    pub(super) fn measured_at(&self, now: u64) -> InstanceFigures {
        let (so_far, before) = (self.figures_at(now), self.before);
        InstanceFigures {
            attempts: so_far.attempts - before.attempts,
            crashes: so_far.crashes - before.crashes,
            downtime_ns: so_far.downtime_ns.saturating_sub(before.downtime_ns),
            busy_ns: so_far.busy_ns.saturating_sub(before.busy_ns),
        }
    }

    fn new(
        model: &Model,
        settings: &crate::model::Service,
        service: ServiceId,
        number: u32,
        policy: &dyn Policy,
        start: Option<f64>,
    ) -> Self {
        let (servers, crash) = (settings.servers.len(), &settings.balancer.crash);
        let mut health = Health::default();
        health.adopt(
            &settings.balancer.health,
            servers,
            own_health(model, settings),
        );
        Self {
            service,
            name: settings.instance_name(number),
            state: MachineState::Up,
            observes: policy.observes(),
            sees_full: policy.sees_full(),
            policy: policy.clone_box(),
            choice: policy.choice(),
            start,
            level: None,
            subset: None,
            board: None,
            connections: 0,
            waiting: 0,
            busy_until: 0,
            busy_ns: 0,
            in_flight: Table::filled(servers, 0),
            sent: Table::default(),
            health,
            weights: Table::filled(servers, 1.0),
            offers: Offers::new(),
            eligible: Vec::with_capacity(servers),
            pending: Pending::new(servers),
            watch: Watch::new(crash.len()),
            heeded_from: 0,
            incarnation: Incarnation::default(),
            attempts: 0,
            attempts_before: 0,
            before: InstanceFigures::default(),
        }
    }
}

/// What health rules do otherwise about each server of a service.
pub(super) fn own_health<'a>(
    model: &'a Model,
    service: &'a crate::model::Service,
) -> impl Iterator<Item = (LocalId, &'a OwnHealth)> {
    let servers = service.servers.iter().enumerate();
    servers.map(|(local, server)| {
        let params = &model.servers[server.position()].params;
        (LocalId::at(local), &params.health)
    })
}

/// The servers' true state, for policies that ask.
pub(super) struct TrueState<'a> {
    pub now: u64,
    pub servers: &'a Table<ServerId, Server>,
    pub service: &'a Service,
}

impl<'a> TrueState<'a> {
    fn server(&self, position: usize) -> &Server {
        &self.servers[self.service.servers[LocalId::at(position)]]
    }

    /// What an instance's policy is shown, unless loads are known from reports only.
    #[inline]
    pub(super) fn view(
        &'a self,
        eligible: &'a [u32],
        in_flight: &'a Table<LocalId, u32>,
        weights: &'a Table<LocalId, f64>,
    ) -> FleetView<'a> {
        FleetView {
            now: Instant(self.now),
            eligible,
            narrowed: false,
            reported: false,
            in_flight: in_flight.as_slice(),
            weights: weights.as_slice(),
            lines: Lines::default(),
            oracle: self,
        }
    }
}

impl Oracle for TrueState<'_> {
    fn in_system(&self, server: usize) -> u32 {
        self.server(server).in_system
    }
    fn work_left_ns(&self, server: usize) -> f64 {
        self.server(server).work_left_ns(self.now)
    }
    fn probe(&self, server: usize) -> (u32, Option<f32>) {
        let in_system = self.server(server).in_system;
        let known = self.service.latencies.as_ref();
        let median = known.and_then(|known| known.median_ns(LocalId::at(server), in_system));
        (in_system, median)
    }
    fn report(&self, server: usize) -> Report {
        let server = self.server(server);
        Report {
            succeeded: server.succeeded,
            failed: server.failed,
            busy_ns: server.busy_area(self.now),
            workers: server.workers,
        }
    }
    fn empty_at(&self, server: usize) -> Option<u64> {
        let empty_at = || self.server(server).empty_at();
        // Calls to other services take requests off their workers without anybody being told.
        (!self.service.has_calls).then(empty_at).flatten()
    }
}
