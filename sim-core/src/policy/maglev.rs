//! Maglev hashing: a table of servers, filled by turns, and a key looks up its place.
//!
//! Each server has a permutation of the places of a table, by its own offset and skip, and servers take turns in
//! claiming the next free place of theirs until the table is full. Shares are therefore equal within
//! a place or two, where those of a ring differ by tens of per cent; a choice is one look. What it costs is disruption: a server
//! that goes frees places that others claim at other turns, so that a few keys of servers that stay
//! move as well. A larger table moves fewer. A server of less weight than another claims a place on some turns only.
//!
//! With `gone = "rebuilt"` the table is made of the servers that may be picked, anew at the first choice after one comes or goes, as
//! in the paper; with `"skipped"` it is made of all, and a key whose server is out looks at the next places,
//! which moves no other key and sends all of its keys' load to where the table happens to go on.

use super::envoy_ring_hash::{BALANCE, bounded, check_balance, open_weights, shuffled};
use super::latest::Latest;
use super::{Farm, FleetView, Job, Policy, PolicyDef};
use crate::draws::{Draws, Stream, mix};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

/// Largest table.
const TABLE_MAX: u64 = 5_000_011;
/// A place that nobody claimed.
const FREE: u32 = u32::MAX;

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "maglev",
        about: "A table in which servers claim places by turns, in proportion to their weights, and a key looks up its place: nearly equal shares, at the price of some keys that move between servers that stay.",
        source: "Eisenbud et al., \"Maglev: a fast and reliable software network load balancer\", NSDI 2016, section 3.4; weights as in Envoy",
        params: &[
            ParamDef {
                name: "table",
                about: "Places in the table, a prime; a hundred for each server keep shares within a per cent.",
                kind: ParamKind::Integer {
                    min: 2,
                    max: TABLE_MAX,
                    unit: "places",
                },
                default: Some("65537"),
            },
            ParamDef {
                name: "gone",
                about: "What becomes of the keys of a server that cannot be picked: the table is rebuilt of the others, or its places are skipped.",
                kind: ParamKind::Choice(&["rebuilt", "skipped"]),
                default: Some("rebuilt"),
            },
            BALANCE,
        ],
    },
    farm: Farm::Unknown,
    follows_load: false,
    familiar: None,
    check,
    heeds_weights: true,
    by_weight: false,
    build: &|params| {
        Box::new(Maglev {
            size: params.integer("table") as usize,
            rebuilt: params.choice("gone") == 0,
            balance: params.number(BALANCE.name) / 100.0,
            places: Arc::new([]),
            weights: Vec::new(),
            stale: true,
            table: Arc::default(),
            latest: Latest::default(),
        })
    },
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let size = params.integer("table");
    if is_prime(size) {
        return check_balance(params);
    }
    let next = (size..=TABLE_MAX)
        .find(|&n| is_prime(n))
        .unwrap_or(TABLE_MAX);
    Err(ParamProblem {
        param: "table",
        message: format!("{size} is no prime, and a skip could miss places; the next is {next}"),
    })
}

fn is_prime(n: u64) -> bool {
    n >= 2 && (2..=n.isqrt()).all(|d| !n.is_multiple_of(d))
}

#[derive(Clone, Debug)]
struct Maglev {
    size: usize,
    rebuilt: bool,
    /// How much more than its share a server may hold; 0: anything.
    balance: f64,
    /// Where each server's permutation comes from.
    places: Arc<[Stream]>,
    /// Weights the table was made of, nothing for servers left out.
    weights: Vec<f64>,
    /// Whether servers or weights may be others than those of the table.
    stale: bool,
    /// The server of each place. Shared by forks and by the instances of a service.
    table: Arc<Vec<u32>>,
    latest: Latest<Vec<u32>>,
}

impl Maglev {
    /// Makes the table anew if it is of other servers or weights.
    fn refresh(&mut self, fleet: &FleetView<'_>) {
        self.stale = false;
        let mut weights = fleet.weights.to_vec();
        if self.rebuilt {
            let mut open = fleet.eligible.iter().peekable();
            for (server, weight) in (0..).zip(&mut weights) {
                if open.next_if(|&&other| other == server).is_none() {
                    *weight = 0.0;
                }
            }
        }
        if weights != self.weights {
            let made = || fill(self.size, &weights, &self.places);
            self.table = self.latest.of(&weights, made);
            self.weights = weights;
        }
    }
}

/// A server that claims places.
struct Claimant {
    server: u32,
    weight: f64,
    /// At its turn `i`, counted from 1, it claims a place if `i` times its weight has reached this, which then
    /// grows by the largest weight.
    target: f64,
    place: u64,
    skip: u64,
}

/// Has servers claim places by turns, in their order within a turn.
fn fill(size: usize, weights: &[f64], places: &[Stream]) -> Vec<u32> {
    fill_from(size, weights, |server| {
        let mut numbers = places[server].at(0);
        [numbers.bits(), numbers.bits()]
    })
}

/// The same, with the two hashes of each server.
fn fill_from(size: usize, weights: &[f64], hashes: impl Fn(usize) -> [u64; 2]) -> Vec<u32> {
    let m = size as u64;
    let most = weights.iter().copied().fold(0.0, f64::max);
    let all = weights.iter().enumerate();
    let mut claimants: Vec<Claimant> = all
        .filter(|(_, weight)| **weight > 0.0)
        .map(|(server, &weight)| {
            let [place, skip] = hashes(server);
            Claimant {
                server: server as u32,
                weight,
                target: 0.0,
                place: place % m,
                skip: skip % (m - 1) + 1,
            }
        })
        .collect();
    // Who claims next: by turn, then in order. A light server is not asked at turns that are not its own.
    let mut next: BinaryHeap<_> = (0..claimants.len()).map(|i| Reverse((1_u64, i))).collect();
    let mut table = vec![FREE; size];
    for _ in 0..size {
        let Some(Reverse((turn, i))) = next.pop() else {
            break;
        };
        let c = &mut claimants[i];
        while table[c.place as usize] != FREE {
            c.place = (c.place + c.skip) % m;
        }
        table[c.place as usize] = c.server;
        c.target += most;
        // What rounding added must not cost a turn.
        let due = (c.target / c.weight * (1.0 - 1e-12)).ceil() as u64;
        next.push(Reverse((due.max(turn + 1), i)));
    }
    table
}

impl Policy for Maglev {
    fn pick(&mut self, fleet: &FleetView<'_>, job: &Job, _: &mut Draws) -> Option<usize> {
        if self.stale && (!fleet.narrowed || self.table.is_empty()) {
            self.refresh(fleet);
        }
        let size = self.table.len();
        if size == 0 {
            return None;
        }
        let hash = mix(job.key);
        let first = (hash % size as u64) as usize;
        let (before, after) = self.table.split_at(first);
        let open = |server: &u32| fleet.eligible.binary_search(server).is_ok();
        let own = after.iter().chain(before).copied().find(open)?;
        if self.balance <= 0.0 {
            return Some(own as usize);
        }
        let weights = open_weights(fleet);
        let order = shuffled(&weights, hash);
        Some(bounded(fleet, self.balance, &weights, own, order) as usize)
    }
    fn place_servers(&mut self, servers: usize, place: &dyn Fn(usize) -> Stream) {
        self.places = (0..servers).map(place).collect();
        self.weights.clear();
        self.latest = Latest::default();
    }
    fn on_eligible_changed(&mut self, _: &FleetView<'_>, _: Option<&[u32]>) {
        self.stale |= self.rebuilt;
    }
    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        self.stale = true;
        // Who has not picked yet has a table as well, of whoever may be picked.
        if self.table.is_empty() && !fleet.eligible.is_empty() {
            self.refresh(fleet);
        }
    }
    fn shared_bytes(&self) -> usize {
        self.table.len() * size_of::<u32>()
    }
    fn key_shares(&self) -> Option<Vec<f64>> {
        let mut shares = vec![0.0; self.weights.len()];
        for &server in self.table.iter().filter(|server| **server != FREE) {
            shares[server as usize] += 1.0 / self.table.len() as f64;
        }
        Some(shares)
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::xxhash::xxhash64;

    #[test]
    fn case_239_maglev_7() {
        let hashes = |server| {
            let key = format!("127.0.0.1:{}", 90 + server);
            [0, 1].map(|seed| xxhash64(key.as_bytes(), seed))
        };
        assert_eq!(fill_from(7, &[1.0; 6], hashes), [2, 4, 0, 1, 5, 0, 3]);
    }

    #[test]
    fn case_241_maglev_lopsided() {
        let mut weights = vec![1.0 / 128.0 / 1023.0; 1024];
        weights[0] = 127.0 / 128.0;
        let hashes = |server: usize| [1, 2].map(|n| mix(server as u64 * 2 + n));
        let table = fill_from(65_537, &weights, hashes);
        let mut entries = vec![0; 1024];
        for server in table {
            entries[server as usize] += 1;
        }
        assert_eq!(entries[0], 64_514);
        assert!(entries[1..].iter().all(|count| *count == 1));
    }
    use crate::policy::fixture::{Fleet, build_for};

    fn choices(text: &str, fleet: &Fleet, keys: u64) -> Vec<usize> {
        let mut policy = build_for(text, fleet.weights.len(), 0);
        policy.on_fleet_changed(&fleet.view());
        let mut pick = |key| {
            let job = Job {
                key,
                ..Job::default()
            };
            policy.pick(&fleet.view(), &job, &mut Stream::new(1, 0, "p").at(key))
        };
        (0..keys).map(|key| pick(key).expect("a server")).collect()
    }

    fn places(servers: usize) -> Vec<Stream> {
        let place = |i| Stream::new(1, 0, &format!("ring/{i}"));
        (0..servers).map(place).collect()
    }

    fn counts(table: &[u32], servers: usize) -> Vec<usize> {
        let mut counts = vec![0; servers];
        for &server in table {
            counts[server as usize] += 1;
        }
        counts
    }

    /// Section 5.3 of the paper: with 65 537 places for 1000 servers the fullest has little more than the emptiest;
    /// by turns nobody can be more than one place ahead.
    #[test]
    fn servers_of_equal_weight_have_equally_many_places() {
        for (size, servers) in [(65_537, 1000), (65_537, 3), (251, 100)] {
            let table = fill(size, &vec![1.0; servers], &places(servers));
            let counts = counts(&table, servers);
            let (least, most) = (counts.iter().min(), counts.iter().max());
            assert!(
                most.zip(least).is_some_and(|(m, l)| m - l <= 1),
                "{counts:?}"
            );
        }
    }

    #[test]
    fn weights_are_shares_of_places() {
        let weights = [1.0, 2.0, 0.0, 5.0];
        let table = fill(65_537, &weights, &places(4));
        let counts = counts(&table, 4);
        for (weight, count) in weights.iter().zip(counts) {
            let share = count as f64 / 65_537.0;
            assert!((share - weight / 8.0).abs() < 1e-4, "{weight}: {share}");
        }
    }

    /// Moved keys of servers that stay, one of a hundred being gone: a few per cent in a small table, and fewer in
    /// a larger one, as in figure 12 of the paper; `skipped` moves none.
    #[test]
    fn who_goes_disturbs_a_few_keys_of_others() {
        let all = Fleet::of(100);
        let mut without = Fleet::of(100);
        without.eligible.remove(40);
        let moved = |text: &str| {
            let (before, after) = (choices(text, &all, 50_000), choices(text, &without, 50_000));
            let pairs = before.iter().zip(&after);
            let others = pairs.filter(|(was, is)| **was != 40 && was != is);
            others.count() as f64 / 50_000.0
        };
        let small = moved("maglev table=1009");
        let large = moved("maglev table=655373");
        assert!((0.005..0.06).contains(&small), "{small}");
        assert!(large < 0.02 && large < small / 2.0, "{small} {large}");
        assert!(moved("maglev gone=skipped") < 1e-9);
    }

    #[test]
    fn a_table_that_is_no_prime_is_refused_with_the_next_one() {
        use crate::extension::{Def, ParamValue};
        let of = |size| {
            let table = ("table", ParamValue::Integer(size));
            POLICY.check(&Params::new(vec![
                table,
                (BALANCE.name, ParamValue::Number(0.0)),
            ]))
        };
        assert!(of(65_537).is_ok() && of(2).is_ok() && of(TABLE_MAX).is_ok());
        let problem = of(65_536).expect_err("no prime");
        assert!(problem.message.contains("65537"), "{}", problem.message);
    }

    #[test]
    fn clones_share_a_table_while_they_see_the_same_servers() {
        let mut one = Maglev {
            size: 251,
            rebuilt: true,
            balance: 0.0,
            places: places(4).into(),
            weights: Vec::new(),
            stale: true,
            table: Arc::default(),
            latest: Latest::default(),
        };
        let mut other = one.clone();
        let fleet = Fleet::of(4);
        one.on_fleet_changed(&fleet.view());
        other.on_fleet_changed(&fleet.view());
        assert!(Arc::ptr_eq(&one.table, &other.table));
        let without = Fleet {
            eligible: vec![0, 3],
            ..Fleet::of(4)
        };
        one.on_eligible_changed(&without.view(), None);
        let draws = &mut Stream::new(1, 0, "p").at(0);
        one.pick(&without.view(), &Job::default(), draws);
        assert!(!Arc::ptr_eq(&one.table, &other.table));
        assert!(one.table.iter().all(|server| [0, 3].contains(server)));
    }
}
