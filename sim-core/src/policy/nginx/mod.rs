//! How nginx chooses: its methods, on what they have in common.
//!
//! Each server has a *current weight*, which turns are taken by, and an *effective weight*, which a failure
//! lowers by `weight / max_fails`, in whole numbers, and each turn for which the server could have been taken raises by one, up
//! to its weight: after a failure a server of weight 100 needs a hundred turns to have its share again.
//! `random`, `hash` and `ip_hash` draw or compute a server; after twenty in vain they take turns too.
//!
//! Who is banned, full or was tried by this request is not eligible here: the health rule `max-fails`, limits
//! of connections and the retry rule `next-upstream` say so.
//!
//! nginx 1.31, `ngx_http_upstream_round_robin.c` and the modules of the methods; picks checked against 1.22.1.
//! That a request which tries again goes on counting draws in vain where its try before left off is not
//! simulated.

use super::{FleetView, Job, Policy};
use crate::draws::Draws;
use crate::extension::{ParamDef, ParamKind, Params};
use crate::outcome::Outcome;
use std::collections::BTreeMap;
use std::fmt::Debug;

mod crc32;
pub(super) mod hash;
pub(super) mod ip_hash;
pub(super) mod least_conn;
pub(super) mod random;
pub(super) mod round_robin;

/// What a failure costs: parameters of every method.
const MAX_FAILS: ParamDef = ParamDef {
    name: "max_fails",
    about: "What max_fails of the servers says: a failure takes the weight divided by it from the effective weight; 0: nothing.",
    kind: ParamKind::Integer {
        min: 0,
        max: 1_000_000,
        unit: "failures",
    },
    default: Some("1"),
};

const ERRORS: ParamDef = ParamDef {
    name: "errors",
    about: "Whether what a server answers with an error is a failure: only \"if-tried-again\", as with the statuses that proxy_next_upstream lists, or \"never\", as with 403 and 404. No answer at all is one always.",
    kind: ParamKind::Choice(&["if-tried-again", "never"]),
    default: Some("if-tried-again"),
};

/// Draws and rehashes in vain before turns are taken.
const TRIES: u32 = 20;

/// Servers of an upstream, by position.
#[derive(Clone, Debug)]
struct Peers {
    weight: Vec<f64>,
    current: Vec<f64>,
    effective: Vec<f64>,
    max_fails: u64,
    /// That of servers with one of their own.
    own: BTreeMap<usize, u64>,
    errors: bool,
}

impl Peers {
    fn new(params: &Params) -> Self {
        Self {
            weight: Vec::new(),
            current: Vec::new(),
            effective: Vec::new(),
            max_fails: params.integer("max_fails"),
            own: BTreeMap::new(),
            errors: params.choice("errors") == 0,
        }
    }

    /// Takes on weights; a server with another one than before has all of it. Whether any has.
    fn reweigh(&mut self, weights: &[f64]) -> bool {
        self.current.resize(weights.len(), 0.0);
        self.effective.resize(weights.len(), 0.0);
        self.weight.resize(weights.len(), f64::NAN);
        let mut changed = false;
        for (server, &weight) in weights.iter().enumerate() {
            if self.weight[server].to_bits() != weight.to_bits() {
                (self.weight[server], self.effective[server]) = (weight, weight);
                changed = true;
            }
        }
        changed
    }

    /// Turns go on among some servers: the first of those that have most takes one, and pays what all
    /// were given.
    fn turn(&mut self, servers: impl Iterator<Item = usize>) -> Option<usize> {
        let mut total = 0.0;
        let mut best: Option<usize> = None;
        for server in servers {
            if self.weight[server] <= 0.0 {
                continue;
            }
            self.give(server, &mut total);
            if best.is_none_or(|best| self.current[server] > self.current[best]) {
                best = Some(server);
            }
        }
        self.current[best?] -= total;
        best
    }

    /// A server that could be taken is given its effective weight, which climbs.
    fn give(&mut self, server: usize, total: &mut f64) {
        let effective = self.effective[server];
        self.current[server] += effective;
        *total += effective;
        if effective < self.weight[server] {
            self.effective[server] = (effective + 1.0).min(self.weight[server]);
        }
    }

    /// Round robin among all that are eligible: what every method falls back to.
    fn turn_of_all(&mut self, fleet: &FleetView<'_>) -> Option<usize> {
        self.turn(fleet.eligible.iter().map(|&server| server as usize))
    }

    /// Whether there is nothing to choose by: methods leave a lone server to round robin.
    fn is_single(&self) -> bool {
        self.weight.len() < 2
    }

    /// An attempt at a server has failed; `again`: another try follows.
    fn failed(&mut self, server: usize, outcome: Outcome, again: bool) {
        let max_fails = *self.own.get(&server).unwrap_or(&self.max_fails);
        if max_fails == 0 || self.is_single() || !is_failure(outcome, again && self.errors) {
            return;
        }
        if let Some(effective) = self.effective.get_mut(server) {
            let loss = (self.weight[server] / max_fails as f64).floor();
            *effective = (*effective - loss).max(0.0);
        }
    }
}

/// Whether an end counts against a server: that there was no answer always does, an answer that is an
/// error only where it is counted.
fn is_failure(outcome: Outcome, errors: bool) -> bool {
    match outcome {
        Outcome::Refused | Outcome::Reset | Outcome::TimedOut | Outcome::ConnectTimedOut => true,
        Outcome::Errored | Outcome::Rejected | Outcome::Shed | Outcome::Abandoned => errors,
        Outcome::Succeeded | Outcome::Unavailable | Outcome::Cancelled => false,
    }
}

/// Whether a server may be taken.
fn is_open(fleet: &FleetView<'_>, server: usize) -> bool {
    fleet.eligible.binary_search(&(server as u32)).is_ok()
}

/// Weights as they are written for nginx: whole numbers. What is not is rounded up.
fn whole(weight: f64) -> u64 {
    weight.max(0.0).ceil() as u64
}

/// How a server is chosen.
trait Method: Clone + Debug + Send + 'static {
    fn pick(
        &mut self,
        peers: &mut Peers,
        fleet: &FleetView<'_>,
        job: &Job,
        draws: &mut Draws,
    ) -> Option<usize>;

    /// Servers are called so.
    fn name(&mut self, names: &[&str]) {
        let _ = names;
    }

    /// Weights are others.
    fn reweigh(&mut self, weights: &[f64]) {
        let _ = weights;
    }

    /// Bytes of what clones share.
    fn shared_bytes(&self) -> usize {
        0
    }
}

/// An upstream of one worker process.
#[derive(Clone, Debug)]
struct Upstream<M> {
    peers: Peers,
    method: M,
}

/// The policy of a method.
fn upstream<M: Method>(params: &Params, method: M) -> Box<dyn Policy> {
    let peers = Peers::new(params);
    Box::new(Upstream { peers, method })
}

impl<M: Method> Policy for Upstream<M> {
    fn pick(&mut self, fleet: &FleetView<'_>, job: &Job, draws: &mut Draws) -> Option<usize> {
        self.method.pick(&mut self.peers, fleet, job, draws)
    }

    fn name_servers(&mut self, names: &[&str]) {
        self.method.name(names);
    }

    fn adopt_max_fails(&mut self, server: usize, own: Option<u64>) {
        match own {
            Some(max_fails) => self.peers.own.insert(server, max_fails),
            None => self.peers.own.remove(&server),
        };
    }

    fn observes(&self) -> bool {
        self.peers.max_fails > 0 || self.peers.own.values().any(|own| *own > 0)
    }

    fn on_failed(&mut self, server: usize, outcome: Outcome, again: bool) {
        self.peers.failed(server, outcome, again);
    }

    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        if self.peers.reweigh(fleet.weights) {
            self.method.reweigh(fleet.weights);
        }
    }

    fn on_eligible_changed(&mut self, fleet: &FleetView<'_>, _: Option<&[u32]>) {
        if self.peers.weight.len() != fleet.weights.len() {
            self.on_fleet_changed(fleet);
        }
    }

    fn shared_bytes(&self) -> usize {
        self.method.shared_bytes()
    }

    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests;
