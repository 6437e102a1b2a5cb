//! `HAProxy`'s own algorithms, turn for turn, in the order in which it takes servers.
//!
//! They see servers that are at their limit: some skip them, some wait for them, and where a request
//! waits, in the line of a server or in that of the whole backend, follows from which do. Weights count
//! in sixteenths, of which a server has at most 4096, as there.

use super::FleetView;
use crate::extension::{ParamDef, ParamKind};

mod cookie;
mod first;
mod hash;
mod leastconn;
mod map;
mod random;
mod ring;
mod roundrobin;
mod static_rr;

pub(super) use first::POLICY as FIRST;
pub(super) use hash::POLICY as HASH;
pub(super) use leastconn::POLICY as LEASTCONN;
pub(super) use random::POLICY as RANDOM;
pub(super) use roundrobin::POLICY as ROUNDROBIN;
pub(super) use static_rr::POLICY as STATIC_RR;

/// The parameter that all of them have.
const COOKIE: ParamDef = ParamDef {
    name: "cookie",
    about: "Whether requests of a session (a key) return to the server that its first one was sent to, as with \
            `cookie NAME insert`; they wait for it, and take no turn.",
    kind: ParamKind::Flag,
    default: Some("false"),
};

/// Sixteenths that a weight of one is.
const SCALE: f64 = 16.0;
/// The most sixteenths of a server: a weight of 256.
const HEAVIEST: u64 = 4096;

/// A weight in sixteenths; nothing only of weight zero.
fn sixteenths(weight: f64) -> u64 {
    if weight <= 0.0 {
        return 0;
    }
    ((weight * SCALE).round() as u64).clamp(1, HEAVIEST)
}

/// What each server counts among those that may be picked, in sixteenths: nothing for one that may not.
fn usable(fleet: &FleetView<'_>) -> Vec<u64> {
    let mut weights = vec![0; fleet.weights.len()];
    for &server in fleet.eligible {
        weights[server as usize] = sixteenths(fleet.weights[server as usize]);
    }
    weights
}

/// Whether a server is at its limit, or others wait for it already.
fn is_full(fleet: &FleetView<'_>, server: usize) -> bool {
    fleet.lines.bound_to(server) > 0 || fleet.in_flight[server] >= fleet.lines.limit(server)
}

/// Whether an attempt may be sent to a server at once: it is there, not kept away from, and has a place.
fn is_open(fleet: &FleetView<'_>, server: usize) -> bool {
    fleet.eligible.binary_search(&(server as u32)).is_ok() && !is_full(fleet, server)
}

/// Whether any eligible server with a weight has a place.
fn any_open(fleet: &FleetView<'_>) -> bool {
    let mut eligible = fleet.eligible.iter().map(|&server| server as usize);
    eligible.any(|server| fleet.weights[server] > 0.0 && !is_full(fleet, server))
}

/// What the tests of these rows share.
#[cfg(test)]
mod testing {
    use super::super::fixture::{Fleet, build};
    use super::super::{FleetView, Job, Lines, Policy};
    use crate::draws::Stream;
    use crate::outcome::Outcome;
    use crate::time::{Duration, Instant};

    /// A policy with a fleet that remembers what is where.
    pub(super) struct Proxy {
        pub policy: Box<dyn Policy>,
        pub fleet: Fleet,
        pub limits: Vec<u32>,
        pub bound: Vec<u32>,
        pub bound_limit: u32,
        pub unbound: u32,
        pub now: Instant,
        picks: u64,
    }

    impl Proxy {
        /// A policy of idle servers of these weights, without limits.
        pub(super) fn new(policy: &str, weights: &[f64]) -> Self {
            let fleet = Fleet {
                weights: weights.to_vec(),
                ..Fleet::of(weights.len())
            };
            let mut proxy = Self {
                policy: build(policy),
                limits: vec![u32::MAX; weights.len()],
                bound: vec![0; weights.len()],
                bound_limit: 0,
                unbound: 0,
                now: Instant::ZERO,
                picks: 0,
                fleet,
            };
            proxy.change();
            proxy
        }

        fn view<'a>(&'a self, eligible: Option<&'a [u32]>) -> FleetView<'a> {
            FleetView {
                now: self.now,
                narrowed: eligible.is_some(),
                eligible: eligible.unwrap_or(&self.fleet.eligible),
                lines: Lines {
                    limits: &self.limits,
                    bound: &self.bound,
                    bound_limit: self.bound_limit,
                    bound_limits: &[],
                    unbound: self.unbound,
                },
                ..self.fleet.view()
            }
        }

        /// The policy hears of another fleet.
        pub(super) fn change(&mut self) {
            let mut policy = self.policy.clone();
            policy.on_fleet_changed(&self.view(None));
            self.policy = policy;
        }

        /// The servers that may be picked.
        pub(super) fn up(&mut self, eligible: &[u32]) {
            self.fleet.eligible = eligible.to_vec();
            self.change();
        }

        /// The choice for a key among all servers, or some of them.
        pub(super) fn choose(&mut self, key: u64, among: Option<&[u32]>) -> Option<usize> {
            let job = Job {
                key,
                ..Job::default()
            };
            let mut draws = Stream::new(1, 0, "haproxy").at(self.picks);
            self.picks += 1;
            let mut policy = self.policy.clone();
            let choice = policy.pick(&self.view(among), &job, &mut draws);
            self.policy = policy;
            choice
        }

        /// An attempt goes to a server.
        pub(super) fn assign(&mut self, server: usize) {
            self.fleet.in_flight[server] += 1;
            self.policy
                .on_assigned(server, self.fleet.in_flight[server]);
        }

        /// One is answered there.
        pub(super) fn finish(&mut self, server: usize) {
            self.fleet.in_flight[server] -= 1;
            let left = self.fleet.in_flight[server];
            let took = Duration::from_millis(1);
            (self.policy).on_finished(self.now, server, left, Outcome::Succeeded, took);
        }

        /// So many requests of a key, one after the other, or all at once; `-` is no server.
        pub(super) fn run(&mut self, key: u64, requests: u64, held: bool) -> String {
            let one = |_| {
                let Some(server) = self.choose(key, None) else {
                    return '-';
                };
                if self.fleet.in_flight[server] < self.limits[server] {
                    self.assign(server);
                    if !held {
                        self.finish(server);
                    }
                }
                char::from(b'a' + server as u8)
            };
            (0..requests).map(one).collect()
        }
    }
}
