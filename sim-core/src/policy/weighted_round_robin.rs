//! Smooth weighted round robin, as in nginx.
//!
//! On each pick every eligible server's credit grows by its weight; the server with most credit
//! (the first of equals) is taken and pays the total. Weights 5, 1, 1 give a a b a c a a: turns in
//! proportion to the weights, spread out instead of in bursts. Observes nothing but the weights,
//! so a wrong weight is followed faithfully. Costs a pass over the servers; where all weights are equal and
//! everybody has had as many turns, give or take one, turns go round and cost nothing.
//!
//! Several instances start apart: each as if it had taken so many turns already. Each server then has had
//! its share of these turns, rounded down, and the largest remainders one more: what turns that are taken
//! one by one come to, but for a turn here and there, without taking them.

use super::{Farm, FleetView, Job, Policy, PolicyDef, START, no_conditions, starts_apart};
use crate::draws::Draws;
use crate::extension::ExtensionRow;

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "weighted-round-robin",
        about: "Turns in proportion to the weights, smoothly interleaved; weight 0 gets nothing.",
        source: "nginx, ngx_http_upstream_round_robin.c (smooth weighted round robin, since 1.3.1)",
        params: &[START],
    },
    farm: Farm::Unknown,
    follows_load: false,
    familiar: None,
    check: no_conditions,
    heeds_weights: true,
    by_weight: true,
    build: &|params| {
        Box::new(WeightedRoundRobin {
            credit: Vec::new(),
            among: Among::default(),
            apart: starts_apart(params),
            start: None,
        })
    },
};

#[derive(Clone, Debug)]
struct WeightedRoundRobin {
    /// Credit by server, but for those that turns are taken among.
    credit: Vec<f64>,
    among: Among,
    /// Whether it heeds where it is to start.
    apart: bool,
    /// Where it is still to start, as a share of [`TURNS`].
    start: Option<f64>,
}

/// An instance starts with at most so many turns behind it: more than a round of any fleet, so that every
/// place in a round is as likely as any other, and few enough to count them in floats.
const TURNS: f64 = 1_048_576.0;

impl WeightedRoundRobin {
    /// A turn among some of the servers only: theirs alone are the credits that change.
    fn pick_apart(&mut self, fleet: &FleetView<'_>) -> Option<usize> {
        self.credit.resize(fleet.weights.len(), 0.0);
        let mut total = 0.0;
        let mut best: Option<usize> = None;
        for &server in fleet.eligible {
            let server = server as usize;
            let weight = fleet.weights[server];
            if weight <= 0.0 {
                continue;
            }
            self.credit[server] += weight;
            total += weight;
            if best.is_none_or(|best| self.credit[server] > self.credit[best]) {
                best = Some(server);
            }
        }
        self.credit[best?] -= total;
        best
    }

    /// From now on turns are taken among the eligible servers.
    fn gather(&mut self, fleet: &FleetView<'_>) {
        self.credit.resize(fleet.weights.len(), 0.0);
        let among = &mut self.among;
        let weighted = |&server: &u32| fleet.weights[server as usize] > 0.0;
        among.servers.clear();
        (among.servers).extend(fleet.eligible.iter().copied().filter(weighted));
        let servers = || among.servers.iter().map(|&server| server as usize);
        among.credit.clear();
        among
            .credit
            .extend(servers().map(|server| self.credit[server]));
        among.weight.clear();
        among
            .weight
            .extend(servers().map(|server| fleet.weights[server]));
        among.add_up();
        among.known = true;
    }

    /// Some servers may have become eligible, or may not be any more: what [`Self::settle`] and
    /// [`Self::gather`] come to, without a look at the others.
    fn regather(&mut self, fleet: &FleetView<'_>, changed: &[u32]) {
        let among = &mut self.among;
        among.stop_going_round();
        for &server in changed {
            let position = server as usize;
            let weight = fleet.weights[position];
            let is_one = weight > 0.0 && fleet.eligible.binary_search(&server).is_ok();
            match (among.servers.binary_search(&server), is_one) {
                (Ok(place), false) => {
                    among.servers.remove(place);
                    among.weight.remove(place);
                    self.credit[position] = among.credit.remove(place);
                }
                (Err(place), true) => {
                    among.servers.insert(place, server);
                    among.weight.insert(place, weight);
                    among.credit.insert(place, self.credit[position]);
                }
                _ => {}
            }
        }
        among.add_up();
    }

    /// Credits are known by server again.
    fn settle(&mut self) {
        if std::mem::take(&mut self.among.known) {
            self.among.stop_going_round();
            for (&server, &credit) in self.among.servers.iter().zip(&self.among.credit) {
                self.credit[server as usize] = credit;
            }
        }
    }

    /// Credits as they are after so many turns.
    fn take_turns(&mut self, turns: f64, fleet: &FleetView<'_>) {
        let weighted = |&server: &u32| fleet.weights[server as usize] > 0.0;
        let mut servers: Vec<u32> = fleet.eligible.iter().copied().filter(weighted).collect();
        let total: f64 = servers.iter().map(|&s| fleet.weights[s as usize]).sum();
        let mut taken = 0.0;
        for &server in &servers {
            let weight = fleet.weights[server as usize];
            let had = (turns * weight / total).floor();
            self.credit[server as usize] = turns * weight - had * total;
            taken += had;
        }
        // The first of equals comes first, as in `pick`: the sort is stable.
        servers.sort_by(|&a, &b| self.credit[b as usize].total_cmp(&self.credit[a as usize]));
        for &server in servers.iter().take((turns - taken).max(0.0) as usize) {
            self.credit[server as usize] -= total;
        }
    }
}

/// The servers that turns are taken among, side by side: the eligible ones that have a weight.
#[derive(Clone, Debug, Default)]
struct Among {
    /// Whether it is about the servers that are eligible now.
    known: bool,
    servers: Vec<u32>,
    credit: Vec<f64>,
    weight: Vec<f64>,
    total: f64,
    /// Whether all weights are equal.
    even: bool,
    /// Passes over the servers since they are these.
    passes: u32,
    /// Positions in the order of their turns, while turns go round; empty while they do not.
    order: Vec<u32>,
    /// How many turns of this round are taken.
    taken: usize,
}

/// Every so many passes is looked whether turns go round by now.
const LOOK: u32 = 16;

/// Numbers that are looked at side by side.
const LANES: usize = 8;

impl Among {
    /// The servers are others than before.
    fn add_up(&mut self) {
        // One by one, as a pass over the servers adds them up.
        self.total = self.weight.iter().fold(0.0, |sum, weight| sum + weight);
        let first = self.weight.first();
        self.even = self.weight.iter().all(|weight| Some(weight) == first);
        self.passes = 0;
    }

    fn pick(&mut self) -> Option<usize> {
        if self.order.is_empty() {
            self.passes = self.passes.wrapping_add(1);
            let looks = self.even && self.passes.is_multiple_of(LOOK);
            if !(looks && self.go_round()) {
                return self.pass();
            }
        }
        let position = self.order[self.taken];
        self.taken += 1;
        if self.taken == self.order.len() {
            self.taken = 0;
        }
        Some(self.servers[position as usize] as usize)
    }

    /// Credits grow, and the first with most of it pays.
    fn pass(&mut self) -> Option<usize> {
        if self.credit.len() < LANES {
            return self.short_pass();
        }
        // A maximum of each lane, for these do not wait for one another.
        let mut most = [f64::NEG_INFINITY; LANES];
        let (credits, rest) = self.credit.as_chunks_mut::<LANES>();
        let (weights, others) = self.weight.as_chunks::<LANES>();
        for (credits, weights) in credits.iter_mut().zip(weights) {
            for lane in 0..LANES {
                credits[lane] += weights[lane];
                let credit = credits[lane];
                most[lane] = if credit > most[lane] {
                    credit
                } else {
                    most[lane]
                };
            }
        }
        for (credit, weight) in rest.iter_mut().zip(others) {
            *credit += weight;
            most[0] = if *credit > most[0] { *credit } else { most[0] };
        }
        let most = most.into_iter().fold(f64::NEG_INFINITY, f64::max);
        let has_most = |credits: &[f64; LANES]| {
            // All of them, without a branch between.
            let found = credits.iter().map(|&credit| u32::from(credit >= most));
            found.sum::<u32>() > 0
        };
        let (credits, _) = self.credit.as_chunks::<LANES>();
        let chunk = credits.iter().position(has_most).unwrap_or(credits.len());
        let from = chunk * LANES;
        let within = self.credit[from..]
            .iter()
            .position(|&credit| credit >= most)?;
        self.credit[from + within] -= self.total;
        Some(self.servers[from + within] as usize)
    }

    /// The same of a few servers, one after the other.
    fn short_pass(&mut self) -> Option<usize> {
        let (mut most, mut first) = (f64::NEG_INFINITY, None);
        let credits = self.credit.iter_mut().zip(&self.weight);
        for (place, (credit, weight)) in credits.enumerate() {
            *credit += weight;
            if *credit > most {
                (most, first) = (*credit, Some(place));
            }
        }
        let first = first?;
        self.credit[first] -= self.total;
        Some(self.servers[first] as usize)
    }

    /// Whether turns go round from now on, each server having one in every round.
    ///
    /// A turn gives each of n equal servers its weight, and takes n times that from the one with most credit,
    /// a round. If the spread is less than a round, that one is last then, behind its equals that come
    /// after it, and the spread is still less. If it is just a round, as it is after the first turn among
    /// equals, it comes to have as little as the least: it is last if these come before it. So turns go on,
    /// in the order of credits now, and after n of them credits are what they were. That holds for numbers; it
    /// holds for floats that add up without rounding.
    fn go_round(&mut self) -> bool {
        let Some(&weight) = self.weight.first() else {
            return false;
        };
        let most = self
            .credit
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max);
        let least = self.credit.iter().copied().fold(f64::INFINITY, f64::min);
        let round = weight * self.weight.len() as f64;
        let unit = unit_of(weight);
        let whole = |credit: &f64| (credit / unit).fract() == 0.0;
        let reach = (most.abs().max(least.abs()) + 2.0 * round) / unit;
        if reach >= EXACT || most - least > round || !self.credit.iter().all(whole) {
            return false;
        }
        if most - least >= round {
            let last_poor = self.credit.iter().rposition(|&credit| credit <= least);
            let first_rich = self.credit.iter().position(|&credit| credit >= most);
            if last_poor > first_rich {
                return false;
            }
        }
        self.taken = 0;
        self.order.extend(0..self.servers.len() as u32);
        // The first of equals comes first, as in a pass: the sort is stable.
        let credit = |position: u32| self.credit[position as usize];
        (self.order).sort_by(|&a, &b| credit(b).total_cmp(&credit(a)));
        true
    }

    /// Credits are what they are after the turns of this round.
    fn stop_going_round(&mut self) {
        let taken = self.taken;
        for (place, position) in self.order.drain(..).enumerate() {
            let position = position as usize;
            let paid = if place < taken { self.total } else { 0.0 };
            self.credit[position] += taken as f64 * self.weight[position] - paid;
        }
        self.taken = 0;
    }
}

/// Floats that are whole add up without rounding below this.
const EXACT: f64 = 4_503_599_627_370_496.0;

/// The largest power of two that a number is a multiple of.
fn unit_of(number: f64) -> f64 {
    let bits = number.to_bits();
    let mantissa = bits & ((1 << 52) - 1) | 1 << 52;
    let exponent = f64::from_bits(bits & !((1 << 52) - 1));
    exponent / (1_u64 << (52 - mantissa.trailing_zeros())) as f64
}

impl Policy for WeightedRoundRobin {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, _: &mut Draws) -> Option<usize> {
        if fleet.narrowed {
            self.settle();
            return self.pick_apart(fleet);
        }
        if !self.among.known {
            self.gather(fleet);
        }
        self.among.pick()
    }
    fn start_apart(&mut self, share: f64) {
        self.start = self.apart.then_some(share);
    }
    fn awaits_start(&self) -> bool {
        self.start.is_some()
    }
    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        self.settle();
        let mut eligible = fleet.eligible.iter();
        if self.start.is_none() || !eligible.any(|&s| fleet.weights[s as usize] > 0.0) {
            return;
        }
        let share = self.start.take().unwrap_or(0.0);
        self.credit.resize(fleet.weights.len(), 0.0);
        // Who has had turns among these servers goes on with them.
        let mut eligible = fleet.eligible.iter();
        if eligible.all(|&server| self.credit[server as usize].abs() <= 0.0) {
            self.take_turns((share * TURNS).floor(), fleet);
        }
    }
    fn on_eligible_changed(&mut self, fleet: &FleetView<'_>, changed: Option<&[u32]>) {
        match changed {
            Some(_) if self.start.is_none() && !self.among.known => {}
            Some(changed) if self.start.is_none() => self.regather(fleet, changed),
            _ => self.on_fleet_changed(fleet),
        }
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;
    use crate::policy::fixture::{Fleet, sequence, sequence_from};

    #[test]
    fn interleaves_like_nginx() {
        assert_eq!(
            sequence("weighted-round-robin", &[5.0, 1.0, 1.0], 14),
            "aabacaaaabacaa"
        );
        assert_eq!(
            sequence("weighted-round-robin", &[3.0, 2.0, 1.0], 6),
            "abacba"
        );
    }

    #[test]
    fn starts_as_if_so_many_turns_had_been_taken() {
        for weights in [vec![5.0, 1.0, 1.0], vec![3.0, 2.0, 1.0], vec![1.0; 10]] {
            let fleet = Fleet {
                weights: weights.clone(),
                ..Fleet::of(weights.len())
            };
            let long = sequence("weighted-round-robin", &weights, 60);
            for turns in 0..20 {
                let share = (turns as f64 + 0.5) / super::TURNS;
                assert_eq!(
                    sequence_from("weighted-round-robin", &fleet, Some(share), 40),
                    long[turns..turns + 40],
                    "{weights:?} after {turns}"
                );
            }
            let first = "weighted-round-robin start=first";
            assert_eq!(sequence_from(first, &fleet, Some(0.7), 40), long[..40]);
        }
    }

    #[test]
    fn wherever_it_starts_turns_are_in_proportion() {
        let weights = vec![0.3, 4.0, 0.0, 2.7, 3.0];
        let fleet = Fleet {
            eligible: vec![0, 2, 3, 4],
            weights,
            ..Fleet::of(5)
        };
        for share in [0.0, 0.123, 0.5, 0.99] {
            let turns = sequence_from("weighted-round-robin", &fleet, Some(share), 200);
            let of = |server: char| turns.chars().filter(|&other| other == server).count();
            let all = ['a', 'b', 'c', 'd', 'e'].map(of);
            let near: [(usize, usize); 3] = [(10, all[0]), (90, all[3]), (100, all[4])];
            assert!(
                near.iter().all(|&(due, had)| due.abs_diff(had) <= 1),
                "{all:?}"
            );
            assert_eq!((all[1], all[2]), (0, 0));
        }
    }

    /// Passes over the servers, as they are told of above: what all of this must come to.
    #[derive(Default)]
    struct Passes(Vec<f64>);

    impl Passes {
        fn pick(&mut self, fleet: &Fleet, some: &[u32]) -> Option<usize> {
            self.0.resize(fleet.weights.len(), 0.0);
            let (mut total, mut best) = (0.0, None);
            for server in some.iter().map(|&server| server as usize) {
                if fleet.weights[server] > 0.0 {
                    self.0[server] += fleet.weights[server];
                    total += fleet.weights[server];
                    if best.is_none_or(|best: usize| self.0[server] > self.0[best]) {
                        best = Some(server);
                    }
                }
            }
            self.0[best?] -= total;
            best
        }
    }

    /// Whether turns are those of plain passes, whatever happens to weights and eligibility; how many of the
    /// turns went round.
    fn follow(servers: usize, weights: &[f64], calm: usize, draws: &mut Draws) -> u32 {
        let mut policy = WeightedRoundRobin {
            credit: Vec::new(),
            among: Among::default(),
            apart: false,
            start: None,
        };
        let (mut passes, mut rounds) = (Passes::default(), 0);
        let mut fleet = Fleet::of(servers);
        for step in 0..2_000 {
            if step == 0 || draws.below(20 * calm) == 0 {
                let mut weight = || weights[draws.below(weights.len())];
                fleet.weights.fill_with(&mut weight);
                policy.on_fleet_changed(&fleet.view());
            }
            if draws.below(calm) == 0 {
                let server = draws.below(servers) as u32;
                match fleet.eligible.binary_search(&server) {
                    Ok(place) => drop(fleet.eligible.remove(place)),
                    Err(place) => fleet.eligible.insert(place, server),
                }
                policy.on_eligible_changed(&fleet.view(), Some(&[server]));
            }
            let narrowed = draws.below(calm) == 0;
            let mut some = fleet.eligible.clone();
            some.retain(|_| !narrowed || draws.below(3) > 0);
            if some.is_empty() {
                continue;
            }
            let view = FleetView {
                eligible: &some,
                narrowed,
                ..fleet.view()
            };
            let job = Job {
                key: 0,
                ..Job::default()
            };
            let mut none = Stream::new(1, 0, "p").at(0);
            assert_eq!(
                policy.pick(&view, &job, &mut none),
                passes.pick(&fleet, &some),
                "{servers} servers of weights {weights:?}, step {step}"
            );
            rounds += u32::from(!policy.among.order.is_empty());
        }
        rounds
    }

    #[test]
    fn turns_are_those_of_plain_passes() {
        let mut draws = Stream::new(1, 0, "turns").at(0);
        for servers in [1, 2, 3, 7, 8, 9, 16, 30, 100] {
            for calm in [3, 50, 1_000] {
                for weights in [[1.0], [0.75], [24.0], [1e9]] {
                    let rounds = follow(servers, &weights, calm, &mut draws);
                    assert!(
                        rounds > 1_000 || calm < 1_000 || servers < 7,
                        "{servers}, {weights:?}: {rounds}"
                    );
                }
                for weights in [&[0.3][..], &[5.0, 0.0], &[1.0, 2.0, 5.0], &[0.0, 0.7, 1e-9]] {
                    follow(servers, weights, calm, &mut draws);
                }
            }
        }
    }

    #[test]
    fn units_are_the_last_bits() {
        let of = |number| super::unit_of(number).to_bits();
        assert_eq!(
            [of(1.0), of(0.75), of(24.0), of(10.0)],
            [1.0, 0.25, 8.0, 2.0].map(f64::to_bits)
        );
        assert_eq!(
            of(0.1),
            (f64::from_bits(0.1_f64.to_bits() & !((1 << 52) - 1)) / (1_u64 << 51) as f64).to_bits()
        );
    }
}
