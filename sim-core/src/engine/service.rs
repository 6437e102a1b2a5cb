//! Services: their settings, their samplers, and what is counted for each.

use super::fast_path::service_is_plain;
use super::fleet::Written;
use super::instance::{Balancers, own_health};
use super::latencies::Tracked;
use super::numbers::Numbers;
use crate::distribution::Distribution;
use crate::draws::Stream;
use crate::extension::Configured;
use crate::ids::{ClientId, Id, InstanceId, LocalId, ServerId, ServiceId, Table};
use crate::machine::MachineState;
use crate::model::{
    Balances, DownBehaviour, InstanceSelection, Model, OwnRules, ServerParams, SplitByZone,
};
use crate::outcome::Outcome;
use crate::policy::{Policy, PolicyDef, Zoning, by_zone};
use crate::time::Duration;
use std::sync::Arc;

/// A service. What a request looks at is copied from the settings to where it is at hand.
#[derive(Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says whether something rare must be looked at"
)]
pub(super) struct Service {
    pub settings: Box<crate::model::Service>,
    pub demand: Arc<dyn Distribution>,
    pub demand_stream: Stream,
    pub servers: Table<LocalId, ServerId>,
    pub weights: Table<LocalId, f64>,
    /// Balancer instances that callers know.
    pub active: Vec<InstanceId>,
    /// Spares.
    pub spares: Vec<InstanceId>,
    /// How many attempts may wait for each server alone, where that differs.
    pub bound_limits: Vec<u32>,
    pub down_behaviour: DownBehaviour,
    pub cost: u64,
    pub max_connections: u32,
    pub has_calls: bool,
    /// Whether its balancer sends requests on to other services.
    pub has_routes: bool,
    pub route_stream: Stream,
    /// By which rules its balancer sends to its servers, where it has any.
    pub tries: Option<Box<OwnRules>>,
    /// Whether any server has a connection limit, and what each one's is.
    pub limited: bool,
    pub limits: Table<LocalId, u32>,
    /// The least of them, and the attempts of an instance from which on they hold, where they depend on that.
    pub least_limits: Table<LocalId, u32>,
    pub full_connections: Option<u32>,
    /// Whether anybody ever could wait for an eligible server.
    pub may_wait: bool,
    /// Whether policies want to hear of servers that become idle.
    pub tracks_idle: bool,
    /// Whether policies want to hear of each change of what servers hold.
    pub tracks_queues: bool,
    /// Whether policies want to know how long answers of servers take; and what servers remember of that.
    pub tracks_latencies: bool,
    pub latencies: Option<Box<Tracked>>,
    /// Whether policies want to hear of attempts or of servers at all.
    pub told: bool,
    /// Times that servers became idle.
    pub idle_reports: u64,
    /// Whether callers choose an instance at random.
    pub random_selection: bool,
    /// Whether the balancer chooses for each connection of its callers, not for each request.
    pub per_connection: bool,
    pub report_generation: u32,
    /// Whether its settings ask for nothing that the fast path does not know.
    pub plain: bool,
    /// Whether the fast path may serve it.
    pub fast: bool,
    /// What is written there that it has to look at.
    pub written: Written,
    /// Its servers that are not [bare](super::fleet::Fast::Bare).
    pub not_bare: u32,
    /// Whether attempts may be turned away without having been anywhere.
    pub turns_away: bool,
    /// Whether something happens beside the straight way of requests from outside.
    pub aside: bool,
    /// Servers at which patience may end.
    pub patient: u32,
    pub attempts: u64,
    /// `attempts` when measurement began, and at the end of the last interval.
    pub attempts_before: u64,
    pub attempts_recorded: u64,
    /// Attempts answered when measurement began.
    pub answers_before: u64,
    pub busy_recorded: f32,
    pub attempt_outcomes: [u64; Outcome::COUNT],
    /// How long how many were at its servers, where that is kept.
    pub numbers: Option<Box<Numbers>>,
    /// Time workers spent on attempts whose caller had given up.
    pub wasted_ns: u128,
    pub served_ns: u128,
}

impl Service {
    pub(super) fn new(
        model: &Model,
        replication: u64,
        id: ServiceId,
        balancers: &Balancers,
    ) -> Self {
        let settings = &model.services[id.position()];
        let params = |server: &ServerId| &model.servers[server.position()].params;
        let instances = |state: MachineState| {
            let all = balancers.of(id);
            all.filter(|&i| balancers[i].state == state).collect()
        };
        let concern = format!("demand/{}", settings.name);
        let routes = format!("routes/{}", settings.name);
        let mut service = Self {
            demand: settings.demand.build().into(),
            demand_stream: Stream::new(model.seed, replication, &concern),
            servers: settings.servers.iter().copied().collect(),
            weights: settings.servers.iter().map(|s| params(s).weight).collect(),
            active: instances(MachineState::Up),
            spares: instances(MachineState::Absent),
            down_behaviour: settings.balancer.down_behaviour,
            cost: 0,
            max_connections: u32::MAX,
            has_calls: !settings.calls.is_empty(),
            has_routes: !settings.balancer.routes.is_empty(),
            route_stream: Stream::new(model.seed, replication, &routes),
            tries: settings.balancer.client.clone().map(Box::new),
            limited: settings
                .servers
                .iter()
                .any(|s| params(s).max_connections.is_some()),
            limits: settings
                .servers
                .iter()
                .map(|s| limit_of(params(s)))
                .collect(),
            least_limits: settings
                .servers
                .iter()
                .map(|s| least_limit_of(params(s)))
                .collect(),
            full_connections: None,
            bound_limits: Vec::new(),
            may_wait: false,
            tracks_idle: false,
            tracks_queues: false,
            tracks_latencies: false,
            told: false,
            latencies: None,
            idle_reports: 0,
            random_selection: false,
            per_connection: settings.balancer.balances == Balances::Connections,
            report_generation: 0,
            plain: false,
            fast: false,
            written: Written::More,
            not_bare: settings.servers.len() as u32,
            turns_away: false,
            aside: false,
            patient: 0,
            attempts: 0,
            attempts_before: 0,
            attempts_recorded: 0,
            answers_before: 0,
            busy_recorded: 0.0,
            attempt_outcomes: [0; Outcome::COUNT],
            wasted_ns: 0,
            served_ns: 0,
            numbers: settings.numbers.then(|| {
                let mut numbers = Box::<Numbers>::default();
                numbers.begin(0);
                numbers
            }),
            settings: Box::new(settings.clone()),
        };
        service.adopt_balancer();
        let max_pending = |server: &ServerId| params(server).max_pending;
        let own = settings.servers.iter().map(max_pending).collect::<Vec<_>>();
        service.adopt_bound_limits(&own);
        service
    }

    /// Whether an attempt there may ask something in turn: of other services, or of its servers anew.
    #[inline]
    pub(super) fn asks(&self) -> bool {
        self.has_calls || self.has_routes || self.tries.is_some()
    }

    /// Whether a caller is its balancer, by rules of its own.
    #[inline]
    pub(super) fn tries_by(&self, client: ClientId) -> bool {
        self.tries.as_ref().is_some_and(|rules| rules.holds(client))
    }

    /// Copies the balancer's settings to where the engine looks.
    pub(super) fn adopt_balancer(&mut self) {
        let balancer = &self.settings.balancer;
        self.down_behaviour = balancer.down_behaviour;
        self.cost = balancer.cost.0;
        self.max_connections = balancer.max_connections.unwrap_or(u32::MAX);
        self.may_wait |= balancer.pending_queue.is_some();
        self.full_connections = balancer.full_connections;
        self.random_selection = balancer.instance_selection == InstanceSelection::Random;
        self.plain = service_is_plain(&self.settings);
    }

    /// Takes on how many attempts may wait for each server alone: what it says, or the pending queue.
    pub(super) fn adopt_bound_limits(&mut self, own: &[Option<u32>]) {
        self.bound_limits.clear();
        if own.iter().any(Option::is_some) {
            let pending = self.settings.balancer.pending_queue;
            let all = pending.map_or(0, |pending| pending.per_server);
            let limits = own.iter().map(|own| own.unwrap_or(all));
            self.bound_limits.extend(limits);
        }
    }

    /// The instance that an attempt goes to: callers spread over the instances they know, and a retry
    /// goes to the next. The turn is that of its request among its caller's.
    #[inline]
    pub(super) fn instance_for(
        &self,
        selection: Stream,
        number: u64,
        ordinal: u32,
        turn: impl FnOnce() -> u64,
    ) -> InstanceId {
        if self.active.len() == 1 {
            return self.active[0];
        }
        self.one_of_several(selection, number, ordinal, turn)
    }

    /// The same where there is a choice, kept out of the loop.
    #[inline(never)]
    fn one_of_several(
        &self,
        selection: Stream,
        number: u64,
        ordinal: u32,
        turn: impl FnOnce() -> u64,
    ) -> InstanceId {
        if self.random_selection {
            let mut draws = selection.of_attempt(number, ordinal);
            return self.active[draws.below(self.active.len())];
        }
        let turn = turn().wrapping_add(u64::from(ordinal));
        self.active[(turn % self.active.len() as u64) as usize]
    }

    /// A server has other settings.
    pub(super) fn adopt_server(&mut self, local: LocalId, params: &ServerParams) {
        self.weights[local] = params.weight;
        self.limits[local] = limit_of(params);
        self.least_limits[local] = least_limit_of(params);
        self.limited |= params.max_connections.is_some();
    }

    /// Takes on demand, links and calls of other settings.
    pub(super) fn adopt(&mut self, settings: &crate::model::Service) {
        self.settings.demand = settings.demand.clone();
        self.settings.link = settings.link.clone();
        self.settings.zones.clone_from(&settings.zones);
        self.settings.calls.clone_from(&settings.calls);
        self.settings.autoscaler.clone_from(&settings.autoscaler);
        self.settings.provisioning = settings.provisioning.clone();
        self.demand = settings.demand.build().into();
        self.plain = service_is_plain(&self.settings);
    }

    /// Counts a finished service, and whether anybody still wanted it.
    #[inline]
    pub(super) fn count_service(&mut self, demand_ns: u64, wanted: bool) {
        self.served_ns += u128::from(demand_ns);
        if !wanted {
            self.wasted_ns += u128::from(demand_ns);
        }
    }
}

/// Attempts that an instance may have in flight at a server.
fn limit_of(params: &ServerParams) -> u32 {
    params.max_connections.unwrap_or(u32::MAX)
}

fn least_limit_of(params: &ServerParams) -> u32 {
    params.min_connections.unwrap_or(u32::MAX)
}

/// What requests of a class demand wherever they go, where it says so.
pub(super) fn own_demand(class: &crate::model::Class) -> Option<Arc<dyn Distribution>> {
    class.demand.as_ref().map(|law| law.build().into())
}

/// The policy of any instance of a service, with its servers in their places.
pub(super) fn policy(
    model: &Model,
    replication: u64,
    service: ServiceId,
    choice: &Configured<PolicyDef>,
) -> Box<dyn Policy> {
    let service = &model.services[service.position()];
    let mut policy = choice.build();
    if let Some(split) = &service.balancer.by_zone {
        policy = by_zone(policy, zoning(model, service, split));
    }
    policy.place_servers(service.servers.len(), &|server| {
        let server = &model.servers[service.servers[server].position()].name;
        let concern = format!("ring/{}/{server}", service.name);
        Stream::new(model.seed, replication, &concern)
    });
    let name = |server: &ServerId| model.servers[server.position()].name.as_str();
    let names: Vec<&str> = service.servers.iter().map(name).collect();
    policy.name_servers(&names);
    for (server, own) in own_health(model, service) {
        if let Some(max_fails) = own.integer("max_fails") {
            policy.adopt_max_fails(server.position(), Some(max_fails));
        }
    }
    policy
}

/// How a service's traffic is split among the zones of its servers.
fn zoning(model: &Model, service: &crate::model::Service, split: &SplitByZone) -> Zoning {
    let servers = || {
        service
            .servers
            .iter()
            .map(|id| &model.servers[id.position()])
    };
    Zoning {
        zones: servers().map(|s| s.zone.map(Id::position)).collect(),
        priorities: servers().map(|s| s.params.priority).collect(),
        present: servers().map(|s| s.present).collect(),
        weights: service.zones.iter().map(|zone| zone.weight).collect(),
        overprovisioning: split.overprovisioning,
        random_start: split.random_start,
    }
}

/// How far into a round the turns of each instance of a service begin, where it has more than one;
/// the same whenever it is asked for, so that a change of policy draws nothing anew.
pub(super) fn start(
    model: &Model,
    replication: u64,
    service: ServiceId,
    number: u32,
) -> Option<f64> {
    let service = &model.services[service.position()];
    (service.balancer.instances > 1).then(|| {
        let concern = format!("starts/{}", service.name);
        let stream = Stream::new(model.seed, replication, &concern);
        stream.at(u64::from(number)).uniform()
    })
}

/// A distribution's value where it never varies.
pub(super) fn constant_ns(distribution: &dyn Distribution) -> Option<u64> {
    distribution
        .constant_ns()
        .map(|ns| Duration::from_nanos_f64(ns).0)
}
