//! nginx's `hash`, and `hash … consistent`.
//!
//! The key is a request's session key as a decimal number. Plain: its checksum chooses a place among
//! the weights; a server that may not be taken gives way to that of a rehash, the sum over the number of rehashes and
//! the key, added. Consistent: each server has 160 points for each unit of its weight, the sums of its name, the way
//! `Cache::Memcached::Fast` places them, and a key belongs to the next point; a server that may not be taken gives
//! way to the next point. After twenty in vain turns are taken, so that keys stick to nothing where most servers
//! are down.

use super::crc32::Crc32;
use super::ip_hash::of_share;
use super::{ERRORS, MAX_FAILS, Method, Peers, TRIES, is_open, upstream, whole};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::policy::{Farm, FleetView, Job, PolicyDef, no_conditions};
use std::sync::Arc;

pub(in crate::policy) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "nginx-hash",
        about: "The key chooses, by checksums as in nginx's hash; consistent: by the points of a ring.",
        source: "nginx 1.31, ngx_http_upstream_hash_module.c; picks checked against 1.22.1",
        params: &[
            ParamDef {
                name: "consistent",
                about: "Whether servers have points on a ring, so that few keys move when one comes or goes.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
            ParamDef {
                name: "port",
                about: "The port written behind the servers' names, which are those of the scenario; 0: none. It moves their points on the ring.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 65_535,
                    unit: "",
                },
                default: Some("0"),
            },
            MAX_FAILS,
            ERRORS,
        ],
    },
    farm: Farm::Unknown,
    follows_load: false,
    familiar: None,
    check: no_conditions,
    heeds_weights: true,
    by_weight: false,
    build: &|params| {
        let method = Hash {
            consistent: params.flag("consistent"),
            port: params.integer("port"),
            names: Arc::new([]),
            points: Arc::new([]),
        };
        upstream(params, method)
    },
};

/// Points for each unit of weight.
const POINTS: u64 = 160;

/// A ring has about so many points at most: with greater weights each server has its part of them. nginx has no
/// such limit.
pub(super) const MOST_POINTS: u64 = 1 << 22;

/// How keys choose.
#[derive(Clone, Debug)]
pub(super) struct Hash {
    consistent: bool,
    port: u64,
    names: Arc<[String]>,
    /// Points in ascending order, no two of them in one place, each with its server.
    points: Arc<[(u32, u32)]>,
}

impl Hash {
    /// The choice for a key, which may be empty. `previous`: the server of the request's try before.
    pub(super) fn choose(
        &self,
        peers: &mut Peers,
        fleet: &FleetView<'_>,
        key: &[u8],
        previous: Option<usize>,
    ) -> Option<usize> {
        if peers.is_single() || key.is_empty() {
            return peers.turn_of_all(fleet);
        }
        let found = if self.consistent {
            self.next_point(peers, fleet, key)
        } else {
            rehash(fleet, key, previous)
        };
        found.or_else(|| peers.turn_of_all(fleet))
    }

    fn next_point(&self, peers: &mut Peers, fleet: &FleetView<'_>, key: &[u8]) -> Option<usize> {
        let sum = Crc32::NEW.and(key).sum();
        let from = self.points.partition_point(|&(point, _)| point < sum);
        let (before, after) = self.points.split_at(from);
        let way = after.iter().chain(before).cycle();
        // A further try begins where the one before did: its server, tried by now, is one in vain.
        let mut looked_at = way
            .take(TRIES as usize + 1)
            .map(|&(_, server)| server as usize);
        let found = looked_at.find(|&server| is_open(fleet, server))?;
        // A turn among itself alone.
        peers.turn(std::iter::once(found))
    }

    /// Places the points of all servers.
    fn place(&mut self, weights: &[f64]) {
        let total: u64 = weights.iter().map(|&weight| whole(weight) * POINTS).sum();
        let mut points = Vec::new();
        for (server, &weight) in weights.iter().enumerate() {
            let mut own = whole(weight).saturating_mul(POINTS);
            if total > MOST_POINTS && own > 0 {
                let part = u128::from(own) * u128::from(MOST_POINTS) / u128::from(total);
                own = part.max(1) as u64;
            }
            let number = server.to_string();
            let name = self.names.get(server).unwrap_or(&number);
            let (host, port) = split(name);
            let written = self.port.to_string();
            let port = if self.port > 0 { &written } else { port };
            let base = Crc32::NEW
                .and(host.as_bytes())
                .and(&[0])
                .and(port.as_bytes());
            let mut point = 0_u32;
            for _ in 0..own {
                point = base.and(&point.to_le_bytes()).sum();
                points.push((point, server as u32));
            }
        }
        // Of points in one place the server that comes first has it.
        points.sort_unstable();
        points.dedup_by_key(|(point, _)| *point);
        self.points = points.into();
    }
}

#[cfg(test)]
impl Hash {
    /// For servers with these names and weights.
    pub(super) fn of(consistent: bool, names: &[&str], weights: &[f64]) -> Self {
        let mut hash = Self {
            consistent,
            port: 0,
            names: Arc::new([]),
            points: Arc::new([]),
        };
        hash.name(names);
        hash.reweigh(weights);
        hash
    }
}

/// The server whose place the sums of a key lead to, unless too many lead to none that may be taken.
fn rehash(fleet: &FleetView<'_>, key: &[u8], previous: Option<usize>) -> Option<usize> {
    let total: u64 = fleet.weights.iter().copied().map(whole).sum();
    if total == 0 {
        return None;
    }
    let mut before = previous;
    let (mut place, mut rehashes, mut tries) = (0_u64, 0_u32, 0);
    while tries <= TRIES {
        let number = if rehashes > 0 {
            rehashes.to_string()
        } else {
            String::new()
        };
        let sum = Crc32::NEW.and(number.as_bytes()).and(key).sum();
        place += u64::from((sum >> 16) & 0x7FFF);
        rehashes += 1;
        let server = of_share(fleet.weights, place % total);
        if is_open(fleet, server) {
            return Some(server);
        }
        // The server of the try before was not found in vain.
        if before == Some(server) {
            before = None;
        } else {
            tries += 1;
        }
    }
    None
}

/// Host and port of a server as it is written.
fn split(server: &str) -> (&str, &str) {
    match server.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|c| c.is_ascii_digit()) => (host, port),
        _ => (server, ""),
    }
}

impl Method for Hash {
    fn pick(
        &mut self,
        peers: &mut Peers,
        fleet: &FleetView<'_>,
        job: &Job,
        _: &mut Draws,
    ) -> Option<usize> {
        self.choose(peers, fleet, job.key.to_string().as_bytes(), job.previous)
    }

    fn name(&mut self, names: &[&str]) {
        self.names = names.iter().map(|&name| name.to_owned()).collect();
    }

    fn reweigh(&mut self, weights: &[f64]) {
        if self.consistent {
            self.place(weights);
        }
    }

    fn shared_bytes(&self) -> usize {
        self.points.len() * size_of::<(u32, u32)>()
    }
}
