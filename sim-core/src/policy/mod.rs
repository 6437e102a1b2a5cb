//! Dispatch policies: how a balancer instance chooses a server.
//!
//! A policy sees a [`FleetView`]: what its own balancer instance knows. True queue lengths and
//! remaining work belong to [`Oracle`], a separate accessor, so that a policy which cheats shows
//! it. Each instance has a policy object of its own, hence its own rotation, samples and averages.

use crate::draws::{Draws, Stream};
use crate::extension::{
    Configured, Def, ExtensionRow, ParamDef, ParamKind, ParamProblem, Params, Registry,
};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};
pub use by_zone::Zoning;
pub(crate) use by_zone::by_zone;
pub(crate) use power_of_d::less_of_two;
pub(crate) use random::any_of;
use std::fmt::Debug;

mod apache_bybusyness;
mod by_zone;
mod caddy_random_choose;
mod client_side_weighted_round_robin;
mod edf;
mod envoy_least_request;
mod envoy_ring_hash;
mod envoy_round_robin;
mod first;
mod grpc_pick_first;
mod haproxy;
mod join_bounded_shortest_queue;
mod join_idle_queue;
mod join_shortest_queue;
mod latest;
mod least;
mod least_in_flight;
mod least_response_time;
mod least_work_left;
mod levels;
mod maglev;
mod most_in_flight;
mod nginx;
mod peak_ewma;
mod power_of_d;
mod power_of_d_with_memory;
mod prequal;
mod random;
mod rendezvous;
mod ring_hash;
mod round_robin;
pub mod script;
mod sita;
mod source_hash;
mod sticky;
mod weighted_random;
mod weighted_round_robin;

/// Every policy a scenario can name.
pub static POLICIES: &[&PolicyDef] = &[
    &random::POLICY,
    &round_robin::POLICY,
    &weighted_round_robin::POLICY,
    &weighted_random::POLICY,
    &least_in_flight::POLICY,
    &power_of_d::POLICY,
    &power_of_d_with_memory::POLICY,
    &join_shortest_queue::POLICY,
    &join_bounded_shortest_queue::POLICY,
    &join_idle_queue::POLICY,
    &least_work_left::POLICY,
    &least_response_time::POLICY,
    &peak_ewma::POLICY,
    &prequal::POLICY,
    &client_side_weighted_round_robin::POLICY,
    &source_hash::POLICY,
    &ring_hash::POLICY,
    &rendezvous::POLICY,
    &maglev::POLICY,
    &sticky::POLICY,
    &sita::POLICY,
    &first::POLICY,
    &most_in_flight::POLICY,
    &haproxy::ROUNDROBIN,
    &haproxy::STATIC_RR,
    &haproxy::LEASTCONN,
    &haproxy::FIRST,
    &haproxy::RANDOM,
    &haproxy::HASH,
    &envoy_round_robin::POLICY,
    &envoy_least_request::POLICY,
    &nginx::round_robin::POLICY,
    &nginx::least_conn::POLICY,
    &nginx::random::POLICY,
    &nginx::hash::POLICY,
    &nginx::ip_hash::POLICY,
    &caddy_random_choose::POLICY,
    &apache_bybusyness::POLICY,
    &envoy_ring_hash::POLICY,
    &grpc_pick_first::POLICY,
    &script::POLICY,
];

/// A row of [`POLICIES`].
pub struct PolicyDef {
    /// Name, description, parameters.
    pub row: ExtensionRow,
    /// What it makes of its servers, where theory has a name for it.
    pub farm: Farm,
    /// Whether it sends requests to where least is to be done.
    pub follows_load: bool,
    /// Its place among the best-known policies, those that a newcomer compares; absent: none of them.
    pub familiar: Option<u8>,
    /// Conditions between and within parameters beyond their ranges.
    pub check: fn(&Params) -> Result<(), ParamProblem>,
    /// Whether weights make a difference, in the settings as those of a slow start.
    pub heeds_weights: bool,
    /// Whether each server gets requests in proportion to its weight, whatever its load.
    pub by_weight: bool,
    /// Makes the policy of one balancer instance. Those of a program that embeds this one may hold what they need.
    pub build: &'static (dyn Fn(&Params) -> Box<dyn Policy> + Sync),
}

/// What like servers behind a policy are together, when requests come as a Poisson stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Farm {
    /// Each server has an independent Poisson stream of its own.
    Split,
    /// Each server gets every n-th request.
    Turns,
    /// Served in order of arrival, they do what one queue before all of them would do.
    Central,
    /// Theory has no name for it, or none that this program knows.
    Unknown,
}

impl PolicyDef {
    /// A policy of which no more is known than how it is made: theory says nothing of it, and weights may matter.
    pub const fn new(
        row: ExtensionRow,
        build: &'static (dyn Fn(&Params) -> Box<dyn Policy> + Sync),
    ) -> Self {
        Self {
            row,
            farm: Farm::Unknown,
            follows_load: false,
            familiar: None,
            check: no_conditions,
            heeds_weights: true,
            by_weight: false,
            build,
        }
    }

    /// The best-known policies, those that a newcomer compares, best known first.
    pub fn familiar() -> Vec<&'static Self> {
        let mut known: Vec<(u8, &Self)> = POLICIES
            .iter()
            .filter_map(|&def| Some((def.familiar?, def)))
            .collect();
        known.sort_by_key(|(place, _)| *place);
        known.into_iter().map(|(_, def)| def).collect()
    }
}

/// Where the turns of round robins begin. Every proxy process has turns of its own: if those of a
/// fleet all began at the first server, they would send their first requests, and after a deployment
/// their next ones, to the same servers together.
const START: ParamDef = ParamDef {
    name: "start",
    about: "Where each of several balancer instances begins its turns: at a random server, so that \
            they do not hit the same one together, or all at the first; a single instance begins at \
            the first",
    kind: ParamKind::Choice(&["random", "first"]),
    default: Some("random"),
};

/// Whether instances are to start apart, as [`START`] says.
fn starts_apart(params: &Params) -> bool {
    params.choice("start") == 0
}

/// For rows whose parameters need no more than their ranges.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the type is that of `PolicyDef::check`"
)]
fn no_conditions(_: &Params) -> Result<(), ParamProblem> {
    Ok(())
}

/// Every policy there is, those that were added among them.
static ROWS: Registry<PolicyDef> = Registry::of(POLICIES);

impl Def for PolicyDef {
    fn registry() -> &'static Registry<Self> {
        &ROWS
    }
    fn row(&self) -> &ExtensionRow {
        &self.row
    }
    fn check(&self, params: &Params) -> Result<(), ParamProblem> {
        (self.check)(params)
    }
}

impl Configured<PolicyDef> {
    /// The policy of one balancer instance.
    pub fn build(&self) -> Box<dyn Policy> {
        (self.def.build)(&self.params)
    }
}

/// What is known of the attempt to be placed.
#[derive(Clone, Copy, Default, Debug)]
pub struct Job {
    /// Session or hash key.
    pub key: u64,
    /// Priority of its class, lower first.
    pub priority: u32,
    /// The server of the request's previous attempt, if there was one.
    pub previous: Option<usize>,
    /// The work it asks for: real balancers know it only where it can be told from the request.
    pub demand: Duration,
}

/// How a policy picks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Choice {
    /// By [`Policy::pick`].
    Asked,
    /// Any eligible server, by one draw.
    Any,
    /// Of two different eligible servers the one where this instance has fewer attempts in flight.
    LessOfTwo,
}

/// A balancer instance's own knowledge of its servers. Servers are numbered from zero in the
/// order of the scenario; `eligible` lists those that may be picked.
#[derive(Clone, Copy)]
pub struct FleetView<'a> {
    /// Now.
    pub now: Instant,
    /// Servers that may be picked, in ascending order, never empty: present, in rotation, healthy
    /// as far as this instance knows, below their connection limit; backups only when no other
    /// server is left.
    pub eligible: &'a [u32],
    /// Whether `eligible` leaves out servers that only this attempt is kept from, a copy of one that
    /// is there already: what is missing has not left.
    pub narrowed: bool,
    /// Whether loads are those that the servers last reported, and not the present ones.
    pub reported: bool,
    /// Attempts this instance has in flight at each server.
    pub in_flight: &'a [u32],
    /// Weight of each server as it is now, a slow start included.
    pub weights: &'a [f64],
    /// Who waits, and how many each server is given, where that is limited.
    pub lines: Lines<'a>,
    /// The true state of the servers, which no real balancer has.
    pub oracle: &'a dyn Oracle,
}

/// Limits of a balancer instance's servers, and its attempts that wait for a place there. Only policies
/// that see full servers ([`Policy::sees_full`]) have anything to learn from it.
#[derive(Clone, Copy, Default)]
pub struct Lines<'a> {
    /// How many attempts each server is given at once; nothing where no server has a limit.
    pub limits: &'a [u32],
    /// Attempts that wait for each server and for no other; nothing where nobody ever does.
    pub bound: &'a [u32],
    /// How many may wait so for one server; 0: as many as come.
    pub bound_limit: u32,
    /// The same of each server; nothing where they are all alike.
    pub bound_limits: &'a [u32],
    /// Attempts that wait for whichever server has a place first.
    pub unbound: u32,
}

impl FleetView<'_> {
    /// Whether a server may be picked.
    #[inline]
    pub fn may_pick(&self, server: u32) -> bool {
        // The common case first: everybody is eligible.
        self.eligible.get(server as usize) == Some(&server)
            || self.eligible.binary_search(&server).is_ok()
    }
}

impl Lines<'_> {
    /// How many attempts a server is given at once.
    pub fn limit(&self, server: usize) -> u32 {
        self.limits.get(server).copied().unwrap_or(u32::MAX)
    }

    /// How many may wait for a server and for no other; 0: as many as come.
    pub fn bound_limit(&self, server: usize) -> u32 {
        self.bound_limits
            .get(server)
            .copied()
            .unwrap_or(self.bound_limit)
    }

    /// How many wait for a server and for no other.
    pub fn bound_to(&self, server: usize) -> u32 {
        self.bound.get(server).copied().unwrap_or(0)
    }
}

/// The true state of the servers, without delay.
pub trait Oracle {
    /// Requests in the server, waiting or in service.
    fn in_system(&self, server: usize) -> u32;
    /// Work left in the server, in nanoseconds until it would be empty.
    fn work_left_ns(&self, server: usize) -> f64;
    /// What a server says that is probed: requests in it, and the median of how long its last answers took to
    /// requests that met about as many there, if there were any. Only for policies that track latencies.
    fn probe(&self, server: usize) -> (u32, Option<f32>);
    /// What it says of itself with its answers, where servers say such things.
    fn report(&self, server: usize) -> Report;
    /// When the server would be empty, in nanoseconds, where that stays so until it is told of: then
    /// what is left of its work at an instant is the span until then, to the nanosecond, or nothing.
    fn empty_at(&self, server: usize) -> Option<u64> {
        let _ = server;
        None
    }
}

/// What a server says of itself, counted from the start of the run; counts wrap around.
#[derive(Clone, Copy, Default, Debug)]
pub struct Report {
    /// Attempts that succeeded.
    pub succeeded: u32,
    /// Attempts that failed.
    pub failed: u32,
    /// Time its workers were at work, in nanoseconds, all of them together.
    pub busy_ns: u64,
    /// How many workers it has.
    pub workers: u32,
}

/// A dispatch policy, with the state of one balancer instance.
pub trait Policy: Debug + Send {
    /// The server for `job`: one of `fleet.eligible`. `draws` belong to this attempt alone.
    /// `None` leaves the attempt without a server, as if none were eligible. A copy of a request that
    /// is at other servers already may see fewer eligible ones than the fleet last had, and all of
    /// them if the answer is then `None`; that answer must leave the state as it was.
    fn pick(&mut self, fleet: &FleetView<'_>, job: &Job, draws: &mut Draws) -> Option<usize>;

    /// Whether servers that are at their limit are among the eligible ones it is shown. To pick one of
    /// these is to wait for it; to pick none is to wait for whichever has a place first, and such an
    /// attempt goes to the next server that has one without the policy being asked again.
    fn sees_full(&self) -> bool {
        false
    }

    /// How it picks, where that takes a draw or two and no state: the engine then need not ask. Until
    /// something else is said, it is to be asked.
    fn choice(&self) -> Choice {
        Choice::Asked
    }

    /// Called once, before anything else: the randomness that belongs to each of so many servers for
    /// the whole run, a function of seed, replication and the names of service and server alone.
    fn place_servers(&mut self, servers: usize, place: &dyn Fn(usize) -> Stream) {
        let _ = (servers, place);
    }

    /// Called once, after that: the names of the servers, for those who place them by their names.
    fn name_servers(&mut self, names: &[&str]) {
        let _ = names;
    }

    /// From now on so many failures ban a server, or as many as ban any: for those who count them too.
    fn adopt_max_fails(&mut self, server: usize, own: Option<u64>) {
        let _ = (server, own);
    }

    /// Called where the instance is one of several, before its first pick and whenever it turns to servers
    /// of another priority: its turns among those that are eligible at the next change of the fleet are
    /// to begin this far into a round, a share from 0 to below 1. Only who takes turns makes something of it.
    fn start_apart(&mut self, share: f64) {
        let _ = share;
    }

    /// Whether it has still to begin its turns there: it then hears of each change of the fleet at once, and
    /// not of several together.
    fn awaits_start(&self) -> bool {
        false
    }

    /// The share of all possible keys that goes to each server while all may get traffic, where keys
    /// decide and the policy knows.
    fn key_shares(&self) -> Option<Vec<f64>> {
        None
    }

    /// Why it cannot go on, where that is so: it then picks nobody, and the run ends. Only policies that are made
    /// outside of this program can come to that.
    fn failure(&self) -> Option<&str> {
        None
    }

    /// Bytes of what it keeps for itself, where that may be much.
    fn own_bytes(&self) -> usize {
        0
    }

    /// Bytes of what it shares with the other instances of its service and with its clones.
    fn shared_bytes(&self) -> usize {
        0
    }

    /// The attempt went to `server`, where this instance now has so many in flight.
    fn on_assigned(&mut self, server: usize, in_flight: u32) {
        let _ = (server, in_flight);
    }

    /// The answer of an attempt at `server`, or the news that it needs none any more, is here, and
    /// took so long since the attempt was sent there: what lies between caller and balancer, and the
    /// wait for a server, no balancer counts. The instance now has so many in flight there.
    fn on_finished(
        &mut self,
        now: Instant,
        server: usize,
        in_flight: u32,
        outcome: Outcome,
        took: Duration,
    ) {
        let _ = (now, server, in_flight, outcome, took);
    }

    /// The same of an attempt that did not succeed, after it; `again`: its sender, the balancer itself, goes on to
    /// another try.
    fn on_failed(&mut self, server: usize, outcome: Outcome, again: bool) {
        let _ = (server, outcome, again);
    }

    /// Whether the three hooks above are wanted: saves two calls for each attempt where not.
    fn observes(&self) -> bool {
        false
    }

    /// Whether the three hooks below are wanted.
    fn tracks_idle(&self) -> bool {
        false
    }

    /// A server has become idle and tells this instance, and no other.
    fn on_idle(&mut self, server: usize) {
        let _ = server;
    }

    /// An idle server was given work, perhaps by another instance.
    fn on_busy(&mut self, server: usize) {
        let _ = server;
    }

    /// Whether this instance still takes the server for idle.
    fn lists(&self, server: usize) -> bool {
        let _ = server;
        false
    }

    /// Whether it asks how long servers' answers took lately: they remember it for those who do.
    fn tracks_latency(&self) -> bool {
        false
    }

    /// Whether the two hooks below are wanted.
    fn tracks_queues(&self) -> bool {
        false
    }

    /// Whether it is told of each change of what servers hold from now on, before the next change of the
    /// fleet. It is not where a service has many balancer instances: to tell all of them would take longer than to look.
    fn hear_of_queues(&mut self, told: bool) {
        let _ = told;
    }

    /// A server now truly holds so many requests, waiting or in service; or its pace is another.
    fn on_queue(&mut self, server: usize, in_system: u32) {
        let _ = (server, in_system);
    }

    /// Weights or eligibility changed, of one server or of several; `fleet.eligible` may be empty here.
    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        let _ = fleet;
    }

    /// Some eligible servers are others, and nothing else is: a limit was met, or a server left. No
    /// servers but those in `changed`, if that is known, have become eligible or ceased to be. To be
    /// overridden by those who make something of weights alone, or who keep books of each server.
    fn on_eligible_changed(&mut self, fleet: &FleetView<'_>, changed: Option<&[u32]>) {
        let _ = changed;
        self.on_fleet_changed(fleet);
    }

    /// A copy with the same state: forks of a simulation need it.
    fn clone_box(&self) -> Box<dyn Policy>;
}

impl Clone for Box<dyn Policy> {
    fn clone(&self) -> Self {
        self.clone_box()
    }
}

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod xxhash;

#[cfg(test)]
mod tests {
    use super::fixture::{Fleet, build};
    use super::*;

    fn job(key: u64) -> Job {
        Job {
            key,
            ..Job::default()
        }
    }

    #[test]
    fn every_policy_picks_eligible_servers_only() {
        let fleet = Fleet {
            eligible: vec![1, 4, 5],
            in_flight: vec![0, 9, 0, 0, 2, 7],
            ..Fleet::of(6)
        };
        for def in POLICIES {
            let mut policy = build(def.row.name);
            policy.on_fleet_changed(&fleet.view());
            for i in 0..200 {
                let server = policy
                    .pick(&fleet.view(), &job(i), &mut Stream::new(1, 0, "p").at(i))
                    .expect("three are eligible");
                assert!(
                    [1, 4, 5].contains(&server),
                    "{} picked {server}",
                    def.row.name
                );
            }
        }
    }

    #[test]
    fn every_policy_works_with_one_server() {
        let fleet = Fleet::of(1);
        for def in POLICIES {
            let mut policy = build(def.row.name);
            policy.on_fleet_changed(&fleet.view());
            assert_eq!(
                policy.pick(&fleet.view(), &job(3), &mut Stream::new(1, 0, "p").at(3)),
                Some(0),
                "{}",
                def.row.name
            );
        }
    }

    #[test]
    fn a_clone_goes_on_like_the_original() {
        let fleet = Fleet {
            weights: vec![5.0, 1.0, 2.0],
            ..Fleet::of(3)
        };
        for def in POLICIES {
            let mut original = build(def.row.name);
            original.on_fleet_changed(&fleet.view());
            let choose = |policy: &mut Box<dyn Policy>, i: u64| {
                policy.pick(&fleet.view(), &job(i), &mut Stream::new(1, 0, "p").at(i))
            };
            for i in 0..7 {
                choose(&mut original, i);
            }
            let mut copy = original.clone();
            for i in 7..30 {
                assert_eq!(
                    choose(&mut original, i),
                    choose(&mut copy, i),
                    "{}",
                    def.row.name
                );
            }
        }
    }

    #[test]
    fn round_robin_steps_over_gaps_and_sessions_stick() {
        let fleet = Fleet {
            eligible: vec![0, 2, 3],
            ..Fleet::of(4)
        };
        let mut policy = build("round-robin");
        let order: Vec<_> = (0..6)
            .map(|i| policy.pick(&fleet.view(), &job(i), &mut Stream::new(1, 0, "p").at(i)))
            .collect();
        assert_eq!(order, [0, 2, 3, 0, 2, 3].map(Some));
        let mut policy = build("source-hash");
        policy.on_fleet_changed(&fleet.view());
        let mut of =
            |key, i| policy.pick(&fleet.view(), &job(key), &mut Stream::new(1, 0, "p").at(i));
        assert!((0..50).all(|key| of(key, 1) == of(key, 99)));
    }
}
