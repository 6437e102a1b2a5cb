//! `balance uri`, `url_param`, `hdr` and `source`: a request's key decides.
//!
//! With a map the key's hash is a place in a table made of the weights: the server there is taken whatever
//! its load, and the request waits for it. With the ring (`hash-type consistent`) it is the nearest point's,
//! and those that balance factor or affinity rule out are passed along the ring. The bytes that are hashed are the
//! key's number in decimal digits, as of a parameter; for `source` it is an address of 32 bits.

use super::super::{Farm, FleetView, Job, Policy, PolicyDef};
use super::cookie::with_cookies;
use super::map::table;
use super::ring::{Function, Ring, avalanche};
use super::{COOKIE, usable};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};

pub(in super::super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "haproxy-hash",
        about: "The server that the request's key leads to, by HAProxy's table or ring; requests wait for it when it is at its limit.",
        source: "HAProxy 2.6 to 3.4, balance source, uri, url_param and hdr, src/lb_map.c, src/lb_chash.c and src/hash.c",
        params: &[
            ParamDef {
                name: "of",
                about: "What the key is: a text, its number in decimal digits, or an IPv4 address, its last 32 bits.",
                kind: ParamKind::Choice(&["text", "source"]),
                default: Some("text"),
            },
            ParamDef {
                name: "method",
                about: "How the hash leads to a server: a place in a table, or the nearest point of a ring.",
                kind: ParamKind::Choice(&["map-based", "consistent"]),
                default: Some("map-based"),
            },
            ParamDef {
                name: "function",
                about: "How a text is hashed.",
                kind: ParamKind::Choice(&["sdbm", "djb2", "wt6", "crc32"]),
                default: Some("sdbm"),
            },
            ParamDef {
                name: "avalanche",
                about: "Whether the hash is mixed once more; by default with the ring, and not with the table.",
                kind: ParamKind::Choice(&["by-method", "yes", "no"]),
                default: Some("by-method"),
            },
            ParamDef {
                name: "balance_factor",
                about: "On the ring, a server with more than this many percent of its share of all attempts is passed; 0: none is.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 65_535,
                    unit: "%",
                },
                default: Some("0"),
            },
            ParamDef {
                name: "preserve",
                about: "On the ring, which servers are passed: none; those at their limit; or those at their limit for which as many wait as may.",
                kind: ParamKind::Choice(&["always", "maxconn", "maxqueue"]),
                default: Some("always"),
            },
            COOKIE,
        ],
    },
    farm: Farm::Unknown,
    follows_load: false,
    familiar: None,
    check,
    heeds_weights: true,
    by_weight: false,
    build: &|params| {
        let consistent = params.choice("method") == 1;
        let functions = [
            Function::Sdbm,
            Function::Djb2,
            Function::Wt6,
            Function::Crc32,
        ];
        let policy = Hash {
            of_address: params.choice("of") == 1,
            consistent,
            function: functions[params.choice("function")],
            mixed: match params.choice("avalanche") {
                0 => consistent,
                yes => yes == 1,
            },
            factor: params.integer("balance_factor"),
            preserve: [Preserve::Always, Preserve::Limit, Preserve::Line]
                [params.choice("preserve")],
            weights: Vec::new(),
            table: Vec::new(),
            ring: Ring::default(),
        };
        with_cookies(params, Box::new(policy))
    },
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    if (1..=100).contains(&params.integer("balance_factor")) {
        return Err(ParamProblem {
            param: "balance_factor",
            message: "no room beyond everybody's share; above 100, or 0 for no bound".to_owned(),
        });
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Preserve {
    Always,
    Limit,
    Line,
}

#[derive(Clone, Debug)]
struct Hash {
    of_address: bool,
    consistent: bool,
    function: Function,
    mixed: bool,
    factor: u64,
    preserve: Preserve,
    weights: Vec<u64>,
    table: Vec<u32>,
    ring: Ring,
}

impl Hash {
    fn hash(&self, key: u64) -> u32 {
        let hash = if self.of_address {
            key as u32
        } else {
            self.function.of(key.to_string().as_bytes())
        };
        if self.mixed { avalanche(hash) } else { hash }
    }

    /// Where a hash leads.
    fn lookup(&self, fleet: &FleetView<'_>, hash: u32) -> Option<usize> {
        let listed = |server: usize| fleet.eligible.binary_search(&(server as u32)).is_ok();
        if !self.consistent {
            let place = u64::from(hash) % self.table.len().max(1) as u64;
            let server = self.table.get(place as usize).copied()? as usize;
            return Some(server).filter(|&server| listed(server));
        }
        let slots = Slots::of(self, fleet);
        let mut way = self.ring.from(hash);
        let found = way
            .find(|&server| listed(server) && slots.allow(server) && self.has_room(fleet, server));
        // The program gives up after a round, at the end of the ring.
        found.or_else(|| self.ring.last().filter(|&server| listed(server)))
    }

    fn has_room(&self, fleet: &FleetView<'_>, server: usize) -> bool {
        let (lines, there) = (&fleet.lines, fleet.in_flight[server]);
        let limit = lines.limit(server);
        match self.preserve {
            Preserve::Always => true,
            Preserve::Limit => there < limit,
            Preserve::Line => {
                let line = lines.bound_limit(server);
                let most = u64::from(limit) + u64::from(line);
                line == 0 || u64::from(there) + u64::from(lines.bound_to(server)) < most
            }
        }
    }
}

/// How many attempts each server may hold under a balance factor.
struct Slots<'a> {
    in_flight: &'a [u32],
    /// Nothing where there is no bound.
    most: Vec<u64>,
}

impl<'a> Slots<'a> {
    /// All slots, the factor times all attempts with the one to come, are dealt out by weight: whole ones
    /// for each sixteenth, and what remains in proportion to the weights up to each server.
    fn of(hash: &Hash, fleet: &FleetView<'a>) -> Self {
        let (in_flight, mut most) = (fleet.in_flight, Vec::new());
        if hash.factor > 0 {
            let served: u64 = in_flight.iter().copied().map(u64::from).sum();
            let slots = ((served + 1) * hash.factor).div_ceil(100);
            let total = hash.weights.iter().sum::<u64>().max(1);
            let (each, rest) = (slots / total, slots % total);
            let mut before = 0;
            for weight in &hash.weights {
                let of_rest = (before + weight) * rest / total - before * rest / total;
                most.push((weight * each + of_rest).max(1));
                before += weight;
            }
        }
        Self { in_flight, most }
    }

    fn allow(&self, server: usize) -> bool {
        let most = self.most.get(server);
        most.is_none_or(|&most| u64::from(self.in_flight[server]) < most)
    }
}

impl Policy for Hash {
    fn pick(&mut self, fleet: &FleetView<'_>, job: &Job, _: &mut Draws) -> Option<usize> {
        self.lookup(fleet, self.hash(job.key))
    }

    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        let weights = usable(fleet);
        if weights == self.weights {
            return;
        }
        if self.consistent {
            self.ring = Ring::new(&weights);
        } else {
            self.table = table(&weights);
        }
        self.weights = weights;
    }

    fn key_shares(&self) -> Option<Vec<f64>> {
        let servers = self.weights.len();
        if self.consistent {
            return Some(self.ring.shares(servers));
        }
        let mut shares = vec![0.0; servers];
        for &server in &self.table {
            shares[server as usize] += 1.0 / self.table.len() as f64;
        }
        Some(shares)
    }

    fn shared_bytes(&self) -> usize {
        self.ring.bytes() + self.table.capacity() * size_of::<u32>()
    }

    fn sees_full(&self) -> bool {
        true
    }

    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Lines;
    use super::super::super::fixture::Fleet;
    use super::*;
    use crate::extension::ParamValue;
    use crate::extension::testing::example;

    /// A policy of servers of these weights, 0 for one that is not there.
    fn hash(consistent: bool, function: Function, of_address: bool, weights: &[f64]) -> Hash {
        let mut hash = Hash {
            of_address,
            consistent,
            function,
            mixed: consistent,
            factor: 0,
            preserve: Preserve::Always,
            weights: Vec::new(),
            table: Vec::new(),
            ring: Ring::default(),
        };
        hash.on_fleet_changed(&fleet(weights).view());
        hash
    }

    fn fleet(weights: &[f64]) -> Fleet {
        Fleet {
            weights: weights.to_vec(),
            ..Fleet::of(weights.len())
        }
    }

    /// Servers of texts, as letters.
    fn of_texts(hash: &Hash, fleet: &Fleet, texts: impl Iterator<Item = String>) -> String {
        let of = |text: String| {
            let number = hash.function.of(text.as_bytes());
            let number = if hash.mixed {
                avalanche(number)
            } else {
                number
            };
            let server = hash.lookup(&fleet.view(), number).expect("a server");
            char::from(b'a' + server as u8)
        };
        texts.map(of).collect()
    }

    fn paths(n: u32) -> impl Iterator<Item = String> {
        (1..=n).map(|i| format!("/k{i}"))
    }

    #[test]
    fn keys_go_where_the_program_sends_them() {
        let four = hash(false, Function::Sdbm, false, &[1.0; 4]);
        let urls = ["/url1", "/url1", "/url2", "/url3", "/url4", "/url1"];
        let urls = urls.map(str::to_owned).into_iter();
        // Case 97: what stands behind the question mark, and the host, are no part of the key.
        assert_eq!(of_texts(&four, &fleet(&[1.0; 4]), urls), "bbcdab");
        // Case 99.
        let weights = [1.0, 0.0, 1.0];
        let map = hash(false, Function::Sdbm, false, &weights);
        let expected = "cacacacaccacacacacaa";
        assert_eq!(of_texts(&map, &fleet(&weights), paths(20)), expected);
        // Case 101.
        let map = hash(false, Function::Wt6, false, &[1.0; 3]);
        let expected = "cbcbcbcbcccaaccaaaac";
        assert_eq!(of_texts(&map, &fleet(&[1.0; 3]), paths(20)), expected);
        // Case 103.
        let ring = hash(true, Function::Sdbm, false, &weights);
        let expected = "cccccacccaaccaaccaac";
        assert_eq!(of_texts(&ring, &fleet(&weights), paths(20)), expected);
        // Case 109.
        let map = hash(false, Function::Sdbm, false, &[1.0; 3]);
        let keys = (1..=10).map(|i| format!("k{i}"));
        assert_eq!(of_texts(&map, &fleet(&[1.0; 3]), keys), "abcabcabcb");
        // Case 111.
        let ring = hash(true, Function::Sdbm, true, &[1.0; 3]);
        let view = fleet(&[1.0; 3]);
        let clients = (1..=10).map(|i| {
            let hash = ring.hash(0x7f00_0000 + i);
            let server = ring.lookup(&view.view(), hash).expect("a server");
            char::from(b'a' + server as u8)
        });
        assert_eq!(clients.collect::<String>(), "bacabacaac");
    }

    #[test]
    fn a_hot_key_spills_over_and_lines_fill_first() {
        let number = |text: &str| avalanche(Function::Sdbm.of(text.as_bytes()));
        // Case 105.
        let mut ring = hash(true, Function::Sdbm, false, &[1.0; 3]);
        ring.factor = 150;
        let mut servers = fleet(&[1.0; 3]);
        let mut went = String::new();
        for _ in 0..6 {
            let server = ring.lookup(&servers.view(), number("/k1")).expect("one");
            servers.in_flight[server] += 1;
            went.push(char::from(b'a' + server as u8));
        }
        assert_eq!(went, "cacaca");
        // Case 113: b in service, b in line, and then a; without the line a at once.
        let mut ring = hash(true, Function::Sdbm, false, &[1.0; 2]);
        let key = (0..).map(|i| number(&format!("/k{i}")));
        let mut key = key.filter(|&key| ring.lookup(&fleet(&[1.0; 2]).view(), key) == Some(1));
        let key = key.next().expect("a key of b");
        let mut servers = fleet(&[1.0; 2]);
        for (preserve, in_flight, bound, expected) in [
            (Preserve::Line, [0, 0], [0, 0], 1),
            (Preserve::Line, [0, 1], [0, 0], 1),
            (Preserve::Line, [0, 1], [0, 1], 0),
            (Preserve::Limit, [0, 1], [0, 0], 0),
            (Preserve::Always, [0, 1], [0, 1], 1),
        ] {
            ring.preserve = preserve;
            servers.in_flight = in_flight.to_vec();
            let view = FleetView {
                lines: Lines {
                    limits: &[1, 1],
                    bound: &bound,
                    bound_limit: 1,
                    bound_limits: &[],
                    unbound: 0,
                },
                ..servers.view()
            };
            assert_eq!(ring.lookup(&view, key), Some(expected), "{preserve:?}");
        }
    }

    #[test]
    fn a_map_has_no_other_server_for_a_retry_and_a_ring_has() {
        let servers = fleet(&[1.0; 3]);
        let map = hash(false, Function::Sdbm, false, &[1.0; 3]);
        let ring = hash(true, Function::Sdbm, false, &[1.0; 3]);
        for key in 0..50 {
            for (policy, stays) in [(&map, true), (&ring, false)] {
                let hash = policy.hash(key);
                let own = policy.lookup(&servers.view(), hash).expect("a server");
                let rest: Vec<u32> = (0..3).filter(|&s| s as usize != own).collect();
                let narrowed = FleetView {
                    eligible: &rest,
                    narrowed: true,
                    ..servers.view()
                };
                assert_eq!(policy.lookup(&narrowed, hash).is_none(), stays);
            }
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let problem = |given: &[(&str, ParamValue)]| {
            let example = example(&POLICY.row);
            let values = example.iter().map(|(name, value)| {
                let given = given.iter().find(|(given, _)| *given == name);
                (name, given.map_or(value, |(_, value)| value).clone())
            });
            check(&Params::new(values.collect())).map_err(|problem| problem.param)
        };
        let factor = |percent| [("balance_factor", ParamValue::Integer(percent))];
        assert_eq!(problem(&factor(100)), Err("balance_factor"));
        assert_eq!(
            [0, 101].map(|percent| problem(&factor(percent))),
            [Ok(()); 2]
        );
    }
}
