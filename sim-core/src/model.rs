//! The validated system: what the engine simulates. Nothing invalid can be written down here.
//!
//! A `Model` is built from a scenario and never changes. What a time line or a user alters while
//! time runs is a list of [`Change`]s, each replacing one whole part; the model before and the
//! model after differ exactly by them.

mod change;
mod edit;
mod expectation;
mod link;
mod monitoring;
mod own_rules;
mod route;
mod rules;
mod runbook;
mod settings;
mod timeline;

pub use crate::event_log::Actor;
pub use crate::ids::{ClassId, ClientId, HostId, ServerId, ServiceId, SourceId, ZoneId};
pub use crate::profile::{Rate, RatePoint};
pub(crate) use change::Parts;
pub use change::{Change, Part};
pub use edit::Edit;
pub use expectation::{EventPattern, Expectation, Expr, Fold, Value};
pub use link::{Link, LinkTarget, Zone};
pub use monitoring::{Alert, Grouping, Monitoring};
pub use own_rules::{ClassRules, OwnRules};
pub(crate) use route::SHARE_TOLERANCE;
pub use route::{Ask, Asker, Route};
pub use rules::{Asked, Exposing, RuleSet, Scraped, ScrapedOf};
pub use runbook::{Act, Edits, Runbook, Step, Undoable, Undone};
pub use timeline::{
    Action, Afflicted, Amount, Canary, Course, Rollout, Stage, Target, TimelineEntry,
};

use crate::arrival::ArrivalDef;
use crate::autoscaler::AutoscalerDef;
use crate::crash::GaugeDef;
use crate::dialect::DialectDef;
use crate::discipline::DisciplineDef;
use crate::distribution::DistributionDef;
use crate::extension::Configured;
use crate::guard::GuardDef;
use crate::health::{Checks, HealthDef, OwnHealth, Probe};
use crate::key::KeyDef;
use crate::policy::PolicyDef;
use crate::restart::RestartDef;
use crate::retry::RetryDef;
use crate::time::{Clock, Duration};
use std::sync::Arc;

/// Everything the engine needs to know.
#[derive(Clone, PartialEq, Debug)]
pub struct Model {
    /// Short name: the scenario's file stem or key among the embedded models.
    pub name: String,
    /// The scenario's title; may be empty.
    pub title: String,
    /// What nobody has measured, each as `path = value`.
    pub assumed: Vec<String>,
    /// Time of day at the start, for labels.
    pub clock: Option<Clock>,
    /// How long is simulated.
    pub horizon: Duration,
    /// Statistics begin here; earlier requests are simulated but not measured.
    pub warm_up: Duration,
    /// Key of all random streams.
    pub seed: u64,
    /// What bounds a run.
    pub limits: Limits,
    /// What is kept of it.
    pub recording: Recording,
    /// Kinds of requests; at least one.
    pub classes: Vec<Class>,
    /// Where requests come from; at least one.
    pub sources: Vec<Source>,
    /// How callers behave, one entry for each (source, class), source by source, and then one for
    /// each route and each call of a service: never shared, so that a change of one leaves the others alone.
    pub clients: Vec<Client>,
    /// Services; at least one.
    pub services: Vec<Service>,
    /// All servers, those of a service next to each other in the order of the scenario.
    pub servers: Vec<Server>,
    /// Machines whose cores servers share.
    pub hosts: Vec<Host>,
    /// What happens when, in order of time and, within an instant, of the scenario.
    pub timeline: Vec<TimelineEntry>,
    /// Rules of the monitoring.
    pub alerts: Vec<Alert>,
    /// How the system is watched; absent: by the time line itself.
    pub monitoring: Option<Monitoring>,
    /// Rules of Prometheus among its alerts.
    pub rules: Option<Arc<RuleSet>>,
    /// What people do when they are told.
    pub runbooks: Vec<Runbook>,
    /// What counts as good service.
    pub slos: Vec<Slo>,
    /// Assertions over the finished run.
    pub expectations: Vec<Expectation>,
}

impl Model {
    /// Leaves out what tells of a run and acts on it, where an experiment judges by figures of its own.
    pub(crate) fn unwatch(&mut self) {
        self.expectations.clear();
        self.alerts.clear();
        self.monitoring = None;
        self.rules = None;
        self.runbooks.clear();
    }
}

/// Bounds of a run, so that no scenario can take the machine down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Events, and copies beside an attempt, after which the run ends early, with what was simulated so far.
    pub events: u64,
    /// Attempts and requests in flight after which the run ends early.
    pub in_flight: u32,
}

/// What is kept of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Recording {
    /// Width of a timeline's interval. The recorder may widen it to stay within memory.
    pub interval: Duration,
    /// Every how many-th request goes to the request log; zero for none, one for all.
    pub every_nth_request: u64,
}

/// A kind of request.
#[derive(Clone, PartialEq, Debug)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// Lower is served first where a discipline looks.
    pub priority: u32,
    /// Multiplies the demand of its requests at every service.
    pub demand_factor: f64,
    /// What its requests demand at every service; absent: what the service says.
    pub demand: Option<Configured<DistributionDef>>,
}

impl Class {
    /// What its requests demand at a service, before the factor.
    pub fn demand_at<'a>(&'a self, service: &'a Service) -> &'a Configured<DistributionDef> {
        self.demand.as_ref().unwrap_or(&service.demand)
    }
}

/// A stream of requests from outside.
#[derive(Clone, PartialEq, Debug)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// The service asked.
    pub to: ServiceId,
    /// When requests come.
    pub arrivals: Configured<ArrivalDef>,
    /// Requests per second over time.
    pub rate: Rate,
    /// So many times the requests of a trace come, above 0. Rates are multiplied already.
    pub trace_factor: f64,
    /// Cumulated share by class; the last is 1.
    pub mix: Vec<f64>,
    /// Session or hash key of each request.
    pub key: Configured<KeyDef>,
    /// Its callers by class.
    pub clients: Vec<ClientId>,
}

impl Source {
    /// The share of a class in what it sends.
    pub fn share(&self, class: usize) -> f64 {
        let until = |class: usize| self.mix.get(class).copied().unwrap_or(0.0);
        until(class) - class.checked_sub(1).map_or(0.0, until)
    }
}

/// How a caller behaves.
#[derive(Clone, PartialEq, Debug)]
pub struct Client {
    /// An attempt unanswered for so long is given up.
    pub timeout: Option<Duration>,
    /// A request unanswered for so long, over all attempts and pauses, is given up.
    pub deadline: Option<Duration>,
    /// Whether and when to try again.
    pub retry: Configured<RetryDef>,
    /// What may refuse or delay an attempt before it is sent, in this order.
    pub guards: Vec<Configured<GuardDef>>,
    /// Whether giving up, or calling off a copy, also stops the work at the server.
    pub cancel: bool,
    /// Copies sent beside an attempt that is out; absent: none.
    pub hedge: Option<Hedge>,
}

impl Client {
    /// Whether a failed attempt may be followed by another.
    pub fn tries_again(&self) -> bool {
        self.retry.build().terms().attempts > 1
    }
}

/// Further attempts beside the first, whose first success counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of a scenario")]
pub struct Hedge {
    /// A copy goes out when so much time has passed since the one before; zero: all at once.
    pub after: Duration,
    /// Attempts of a try in all, the first included; two or more.
    pub copies: u32,
    /// Whether copies go to different servers, as long as there are enough.
    pub distinct: bool,
    /// Whether each copy has a demand of its own.
    pub own_demand: bool,
    /// Whether the copies of a try know each other: when a worker begins with one, those that have not
    /// been begun are called off, and no more are sent.
    pub tied: bool,
    /// Whether a copy that fails sends the next one at once.
    pub failure_sends: bool,
}

/// A service: a balancer, the servers behind it, and what they call in turn.
#[derive(Clone, PartialEq, Debug)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Time of service on an idle server of speed 1.
    pub demand: Configured<DistributionDef>,
    /// Between callers and the balancer.
    pub link: Link,
    /// Where its servers stand: those with a link of their own, then those that are only named.
    pub zones: Vec<Zone>,
    /// What distributes its requests.
    pub balancer: Balancer,
    /// Its servers, in order.
    pub servers: Vec<ServerId>,
    /// What a server of it calls while serving, in order.
    pub calls: Vec<Call>,
    /// What adds and takes away servers; absent: nobody but the time line.
    pub autoscaler: Option<Configured<AutoscalerDef>>,
    /// How servers that it asks for are found.
    pub provisioning: Provisioning,
    /// Whether the time with each number of requests at its servers is kept.
    pub numbers: bool,
}

/// How servers that an autoscaler asks for are found: each by tries, one after the other.
#[derive(Clone, PartialEq, Debug)]
pub struct Provisioning {
    /// Time of a try, before the server that is found boots.
    pub time: Configured<DistributionDef>,
    /// Probability that none is found, in [0, 1].
    pub failure: f64,
    /// Time from a try that failed to the next.
    pub pause: Duration,
}

/// What distributes requests, and its limits as a machine.
#[derive(Clone, PartialEq, Debug)]
pub struct Balancer {
    /// The program whose ways it has, what else is said of it being laid upon them.
    pub dialect: Option<Configured<DialectDef>>,
    /// How a server is chosen.
    pub policy: Configured<PolicyDef>,
    /// Instances working side by side, each with its own view of the servers.
    pub instances: u32,
    /// How callers spread over the instances.
    pub instance_selection: InstanceSelection,
    /// What it chooses a server for.
    pub balances: Balances,
    /// Time between reports of the servers' load, all that policies then know; absent: they see
    /// the present load.
    pub load_reports: Option<Duration>,
    /// Servers that each instance uses; absent: all of them.
    pub subset: Option<u32>,
    /// Connections an instance holds at most; a further attempt is rejected.
    pub max_connections: Option<u32>,
    /// Time an instance spends on each attempt, one after the other.
    pub cost: Duration,
    /// Attempts that may wait for that; a further one is rejected.
    pub queue_limit: u32,
    /// Where attempts wait when no server is eligible; absent: they fail at once.
    pub pending_queue: Option<PendingQueue>,
    /// Attempts held by an instance from which on servers get as many as their `max_connections` says;
    /// absent: always.
    pub full_connections: Option<u32>,
    /// What may refuse or delay an attempt that reaches an instance, in this order.
    pub guards: Vec<Configured<GuardDef>>,
    /// Memory of an instance, and its limit.
    pub memory: Option<BalancerMemory>,
    /// When an instance crashes by itself.
    pub crash: Vec<CrashRule>,
    /// What callers of a crashed instance meet.
    pub down_behaviour: DownBehaviour,
    /// How a crashed instance comes back.
    pub restart: Configured<RestartDef>,
    /// Time from the decision to restart until it serves.
    pub boot: Configured<DistributionDef>,
    /// How it learns which servers are healthy, and what follows from that, in this order.
    pub health: Vec<Configured<HealthDef>>,
    /// Spare instances that step in for crashed ones.
    pub standby: Standby,
    /// Between the balancer and its servers.
    pub link: Link,
    /// How traffic is split among zones before the policy picks within one; absent: it is not.
    pub by_zone: Option<SplitByZone>,
    /// Requests that it sends on to other services: the first route that takes one counts.
    pub routes: Vec<Route>,
    /// By which rules an instance sends to its own servers; absent: each attempt goes to one server, and
    /// how it ends is told to the caller.
    pub client: Option<OwnRules>,
}

impl ServerParams {
    /// Whether it can crash, or be killed, by itself.
    pub(crate) fn can_crash(&self) -> bool {
        !self.crash.is_empty() || self.memory.is_some() || self.liveness.is_some()
    }

    /// The share of its workers that breakdowns leave on average.
    pub(crate) fn availability(&self) -> f64 {
        self.breakdowns.as_ref().map_or(1.0, |it| {
            let [up, down] = [&it.every, &it.repair].map(|law| law.build().mean_ns());
            // Without a mean the next failure, or the end of a repair, is never to be counted on.
            if up.is_finite() {
                up / (up + down)
            } else {
                1.0
            }
        })
    }
}

impl Service {
    /// Whether its autoscaler could bring the server at this position.
    pub(crate) fn may_bring(&self, position: usize) -> bool {
        let most = self.autoscaler.as_ref().map_or(0, |rule| rule.bounds().1);
        position < most as usize
    }

    /// Names of its balancer instances, spares included.
    pub fn instance_names(&self) -> impl Iterator<Item = String> + '_ {
        let instances = self.balancer.instances + self.balancer.standby.count;
        (0..instances).map(|number| self.instance_name(number))
    }

    /// The name of a balancer instance by its number from 0.
    pub(crate) fn instance_name(&self, number: u32) -> String {
        format!("{}-lb-{}", self.name, number + 1)
    }
}

impl Balancer {
    /// Whether an instance can crash by itself.
    pub(crate) fn can_crash(&self) -> bool {
        !self.crash.is_empty() || self.memory.is_some()
    }
}

/// How traffic is split among the zones of a service's servers.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SplitByZone {
    /// By how much a zone's servers may take more than their share, as a factor.
    pub overprovisioning: f64,
    /// Whether turns begin at a drawn place, or with the first zone.
    pub random_start: bool,
}

/// How callers choose among balancer instances.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InstanceSelection {
    /// One after the other.
    InTurn,
    /// Each time at random.
    Random,
}

/// What a balancer chooses a server for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Balances {
    /// Each request by itself.
    Requests,
    /// Each connection of its callers: all requests on it go to one server.
    Connections,
}

/// Waiting room of a balancer for attempts without an eligible server.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PendingQueue {
    /// Attempts that may wait.
    pub limit: u32,
    /// Longest wait.
    pub timeout: Option<Duration>,
    /// How many of them may wait for one server and no other; 0: no limit of its own.
    pub per_server: u32,
    /// What becomes of those that wait for a server that may not be picked any more.
    pub out_of_service: OutOfService,
}

/// What becomes of attempts that wait for one server when that may not be picked any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OutOfService {
    /// They go on waiting for it.
    Wait,
    /// They are placed anew.
    Moves,
}

/// Spare balancer instances.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Standby {
    /// How many stand by.
    pub count: u32,
    /// Time from a crash until a spare takes over.
    pub takeover: Duration,
}

impl Balancer {
    /// The probes that its health rules ask for.
    pub fn checks(&self) -> Option<Checks> {
        self.health.iter().find_map(Configured::<HealthDef>::checks)
    }

    /// The same as they are for a server at which something differs.
    pub(crate) fn checks_at(&self, own: &OwnHealth) -> Option<Checks> {
        let mut rules = self.health.iter();
        rules.find_map(|rule| (rule.def.checks)(&rule.params_at(own)))
    }
}

/// A server.
#[derive(Clone, PartialEq, Debug)]
pub struct Server {
    /// Its name, unique within the service.
    pub name: String,
    /// Its service.
    pub service: ServiceId,
    /// Where it stands, among the zones of its service.
    pub zone: Option<ZoneId>,
    /// Its properties, shared by servers written together.
    pub params: Arc<ServerParams>,
    /// Whether it is there from the start; otherwise the time line adds it.
    pub present: bool,
}

/// A machine whose cores are shared by the servers that run on it, of one service or of several:
/// `machine.NAME` in a scenario. It is called a host in code, where every server and every balancer
/// instance is a machine of its own, that crashes and comes back.
#[derive(Clone, PartialEq, Debug)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Requests that can be worked on at full speed at once, above zero. With more of them at work,
    /// each runs at this divided by their number of its server's speed.
    pub cores: f64,
}

impl Host {
    /// The part of full speed at which each of so many runs that are at work.
    pub fn share(&self, at_work: f64) -> f64 {
        if at_work > self.cores {
            self.cores / at_work
        } else {
            1.0
        }
    }

    /// Cores that some of its workers can have at most, of `workers` in all, while the others keep so
    /// many busy: what these leave, or what is theirs when all are at work.
    pub(crate) fn left(&self, own_workers: f64, workers: f64, others_busy: f64) -> f64 {
        let fair = if own_workers > 0.0 {
            self.cores * own_workers / workers
        } else {
            0.0
        };
        (self.cores - others_busy).max(fair).min(own_workers)
    }
}

/// Properties of a server.
#[derive(Clone, PartialEq, Debug)]
pub struct ServerParams {
    /// Weight in the balancer's settings, zero or more; policies decide what it means.
    pub weight: f64,
    /// Work done per unit of time by a worker, above zero.
    pub speed: f64,
    /// Requests served at once.
    pub workers: u32,
    /// Requests that may wait.
    pub queue_limit: u32,
    /// Who is served next.
    pub discipline: Configured<DisciplineDef>,
    /// How long a request waits for a worker before it leaves; absent: for ever.
    pub patience: Option<Configured<DistributionDef>>,
    /// When workers fail and how long repairs take; absent: they do not.
    pub breakdowns: Option<Breakdowns>,
    /// How concurrency slows every request down.
    pub slowdown: Slowdown,
    /// Memory, and its limit.
    pub memory: Option<Memory>,
    /// Requests that fail by themselves.
    pub errors: Errors,
    /// What may refuse or delay an attempt that arrives, in this order, before it queues.
    pub guards: Vec<Configured<GuardDef>>,
    /// When it crashes by itself.
    pub crash: Vec<CrashRule>,
    /// What a crash does to waiting requests: lost, or kept and served after the restart.
    pub crash_keeps_queue: bool,
    /// What arrives at a crashed server meets.
    pub down_behaviour: DownBehaviour,
    /// How it comes back.
    pub restart: Configured<RestartDef>,
    /// Time from the decision to restart until it serves.
    pub boot: Configured<DistributionDef>,
    /// Slower service after a start.
    pub warm_up: Option<WarmUp>,
    /// 0 is used first; one of the next only while those before do not suffice. A backup has 1.
    pub priority: u32,
    /// Attempts a balancer instance may have in flight at it.
    pub max_connections: Option<u32>,
    /// The same where an instance holds few attempts, if its limits depend on that.
    pub min_connections: Option<u32>,
    /// What health rules of the balancer do otherwise about it.
    pub health: OwnHealth,
    /// Attempts that may wait at an instance for it and no other; absent: as many as the pending queue says.
    pub max_pending: Option<u32>,
    /// A probe that kills: after `fall` failures in a row the server is restarted.
    pub liveness: Option<Liveness>,
    /// From the balancer to it, where it differs from the link of its zone or of the balancer.
    pub link: Link,
    /// The machine whose cores it shares; absent: it has a core for each worker.
    pub host: Option<HostId>,
}

/// The universal scalability law: with n requests in service each runs at
/// 1 / (1 + contention·(n−1) + coherence·n·(n−1)) of its speed (Gunther, "Guerrilla Capacity
/// Planning", 2007, chapter 4).
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Slowdown {
    /// Cost of waiting for shared things, zero or more.
    pub contention: f64,
    /// Cost of keeping shared things consistent, zero or more.
    pub coherence: f64,
}

/// Memory of a server, in bytes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Memory {
    /// Used when idle.
    pub base: f64,
    /// For each request in service.
    pub per_in_service: f64,
    /// For each waiting request.
    pub per_queued: f64,
    /// For each request whose caller gave up while the server had it: what stays behind.
    pub per_abandoned: f64,
    /// How long that stays; absent: as long as the server runs.
    pub release: Option<Duration>,
    /// Beyond this it is killed.
    pub limit: f64,
}

/// Memory of a balancer instance, in bytes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BalancerMemory {
    /// Used when idle.
    pub base: f64,
    /// For each connection it holds.
    pub per_connection: f64,
    /// Beyond this it is killed.
    pub limit: f64,
}

/// Workers that fail, each on its own, whether at work or not. The request of a worker that fails
/// keeps what it has received and goes on, before all others, with the next free worker.
#[derive(Clone, PartialEq, Debug)]
pub struct Breakdowns {
    /// Time from a worker's start or repair to its failure.
    pub every: Configured<DistributionDef>,
    /// Time of a repair.
    pub repair: Configured<DistributionDef>,
}

/// Requests that a server answers with an error.
#[derive(Clone, PartialEq, Debug)]
pub struct Errors {
    /// Probability of an error.
    pub rate: f64,
    /// Time of service of a request that fails; absent: the same as of one that does not.
    pub demand: Option<Configured<DistributionDef>>,
}

/// A condition under which something crashes by itself.
#[derive(Clone, PartialEq, Debug)]
pub struct CrashRule {
    /// What is watched.
    pub gauge: &'static GaugeDef,
    /// The rule holds above this.
    pub above: f64,
    /// It must hold for so long without a break.
    pub hold: Duration,
}

/// What a newcomer meets at something that is down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DownBehaviour {
    /// Refused at once.
    Refuse,
    /// Silence, until the caller gives up.
    BlackHole,
}

/// Slower service after a start: the speed rises linearly from `from` to 1.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct WarmUp {
    /// Share of the speed at the start, in (0, 1].
    pub from: f64,
    /// Time until full speed.
    pub over: Duration,
}

/// A liveness probe.
#[derive(Clone, PartialEq, Debug)]
pub struct Liveness {
    /// What a probe does.
    pub probe: Probe,
    /// Time between probes.
    pub interval: Duration,
    /// An unanswered probe has failed after this.
    pub timeout: Duration,
    /// Failures in a row that kill.
    pub fall: u32,
    /// Time of service of a probe.
    pub demand: Configured<DistributionDef>,
}

/// So many calls of a service, the first of its list, can have a cache.
pub const CACHED_CALLS: usize = 32;

/// A cache at a call: what was answered for a key of requests is not asked for again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cache {
    /// Keys that it holds; the one that was not used for longest makes room.
    pub capacity: u32,
    /// How long an answer is fresh; absent: for ever.
    pub ttl: Option<Duration>,
    /// Whether equal misses wait for the first of them.
    pub coalesce: bool,
    /// Whether all servers have one, which outlives them, or each its own.
    pub shared: bool,
}

/// A call from one service to another while serving.
#[derive(Clone, PartialEq, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a key of its own, and they combine freely"
)]
pub struct Call {
    /// The service called.
    pub to: ServiceId,
    /// Only requests of these classes make the call; empty: those of all.
    pub classes: Vec<ClassId>,
    /// Before or after the caller's own work.
    pub before: bool,
    /// Probability that a request makes the call (one minus the hit rate of a cache).
    pub probability: f64,
    /// Whether it goes out together with the call before it in the list.
    pub parallel: bool,
    /// Whether the caller's worker waits for the answer.
    pub hold: bool,
    /// Whether the request fails when the call does.
    pub required: bool,
    /// What answers in place of the service called, once it has answered; absent: nothing.
    pub cache: Option<Cache>,
    /// How the caller behaves.
    pub client: ClientId,
    /// To the service called, where it differs from that service's own link.
    pub link: Link,
}

impl Call {
    /// Whether requests of a class ever make the call.
    pub fn concerns(&self, class: ClassId) -> bool {
        self.probability > 0.0 && (self.classes.is_empty() || self.classes.contains(&class))
    }
}

/// A service-level objective.
#[derive(Clone, PartialEq, Debug)]
pub struct Slo {
    /// Its name.
    pub name: String,
    /// Only requests of this class; absent: all.
    pub class: Option<ClassId>,
    /// A good request is answered within this; absent: answered at all.
    pub response_time: Option<Duration>,
    /// Share of requests that must be good, in (0, 1).
    pub objective: f64,
}
