//! Power of d choices.
//!
//! Samples d eligible servers and takes the one with fewest attempts in flight, the first drawn of
//! equals. Two choices instead of one make the queue's tail shrink doubly exponentially; more add
//! little. Costs d draws. With replacement a server may be drawn twice, as in the mean-field
//! literature; without, d servers are distinct, as in real balancers.

use super::{Choice, Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use std::hint::select_unpredictable;

/// Most choices that may be asked for: their indices live in an array on the stack.
pub(super) const D_MAX: usize = 64;

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "power-of-d",
        about: "Samples d eligible servers and takes the one with fewest attempts in flight; weights are ignored.",
        source: "Mitzenmacher, \"The power of two choices in randomized load balancing\", IEEE TPDS 12(10), 2001",
        params: &[
            ParamDef {
                name: "d",
                about: "How many are sampled.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: D_MAX as u64,
                    unit: "servers",
                },
                default: Some("2"),
            },
            ParamDef {
                name: "replacement",
                about: "Whether the same server may be drawn twice.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
            ParamDef {
                name: "compare",
                about: "What is compared: this instance's own in-flight count, or the true number at the server (an oracle).",
                kind: ParamKind::Choice(&["in-flight", "true-queue"]),
                default: Some("in-flight"),
            },
        ],
    },
    farm: Farm::Unknown,
    follows_load: true,
    familiar: Some(2),
    check: no_conditions,
    heeds_weights: false,
    by_weight: false,
    build: &|params| {
        Box::new(PowerOfD {
            d: params.integer("d") as usize,
            replacement: params.flag("replacement"),
            oracle: params.choice("compare") == 1,
        })
    },
};

#[derive(Clone, Debug)]
struct PowerOfD {
    d: usize,
    replacement: bool,
    oracle: bool,
}

impl PowerOfD {
    #[inline]
    fn load(&self, fleet: &FleetView<'_>, server: u32) -> u32 {
        if self.oracle {
            fleet.oracle.in_system(server as usize)
        } else {
            fleet.in_flight[server as usize]
        }
    }
}

impl Policy for PowerOfD {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, draws: &mut Draws) -> Option<usize> {
        let eligible = fleet.eligible;
        if !self.replacement && self.d == 2 {
            // The common case, free of the bookkeeping below; the same draws.
            let load = |server| self.load(fleet, server);
            return Some(less_of_two(eligible, load, draws) as usize);
        }
        let n = eligible.len();
        let first = draws.below(n);
        let mut best = eligible[first];
        let mut least = self.load(fleet, best);
        let wanted = if self.replacement {
            self.d
        } else {
            self.d.min(n)
        };
        let mut drawn = [first; D_MAX];
        for count in 1..wanted {
            let position = if self.replacement {
                draws.below(n)
            } else {
                nth_absent(draws.below(n - count), &mut drawn, count)
            };
            let load = self.load(fleet, eligible[position]);
            if load < least {
                (best, least) = (eligible[position], load);
            }
        }
        Some(best as usize)
    }
    fn choice(&self) -> Choice {
        if self.d == 2 && !self.replacement && !self.oracle {
            Choice::LessOfTwo
        } else {
            Choice::Asked
        }
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

/// The one of two different servers with less load, the first drawn of equals.
#[inline]
pub(crate) fn less_of_two<L: PartialOrd>(
    eligible: &[u32],
    mut load: impl FnMut(u32) -> L,
    draws: &mut Draws,
) -> u32 {
    let n = eligible.len();
    let first = draws.below(n);
    let best = eligible[first];
    if n == 1 {
        return best;
    }
    let second = draws.below(n - 1);
    let other = eligible[second + usize::from(second >= first)];
    select_unpredictable(load(other) < load(best), other, best)
}

/// The `rank`-th position that is not among the first `count` of `drawn`. These ascend, and it takes its place
/// among them.
#[inline]
pub(super) fn nth_absent(rank: usize, drawn: &mut [usize], count: usize) -> usize {
    // All of these come first, since they ascend. Which they are is a coin toss: nothing is guessed.
    let before = |place: &usize| drawn[*place] <= *place + rank;
    let position = rank + (0..count).filter(before).count();
    let mut last = position;
    for other in &mut drawn[..count] {
        (*other, last) = (last.min(*other), last.max(*other));
    }
    drawn[count] = last;
    position
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::fixture::{Fleet, pick};

    #[test]
    fn all_choices_without_replacement_is_the_least_loaded() {
        let fleet = Fleet {
            in_flight: vec![4, 3, 1, 2],
            ..Fleet::of(4)
        };
        assert_eq!(pick("power-of-d d=4", &fleet), Some(2));
        assert_eq!(pick("power-of-d d=64", &fleet), Some(2));
    }

    #[test]
    fn draws_without_replacement_are_distinct_and_uniform() {
        let mut seen = [0; 5];
        for rank in 0..3 {
            let position = nth_absent(rank, &mut [1, 3, 0], 2);
            assert!(position != 3 && position != 1);
            seen[position] += 1;
        }
        assert_eq!(seen, [1, 0, 1, 0, 1]);
    }

    /// gRPC's `least_request` draws with replacement, and the first draw wins a tie.
    #[test]
    fn case_339_lr_tie_first_draw() {
        use crate::draws::Stream;
        let fleet = Fleet {
            in_flight: vec![1, 1],
            ..Fleet::of(2)
        };
        let mut policy = PowerOfD {
            d: 2,
            replacement: true,
            oracle: false,
        };
        let stream = Stream::new(1, 0, "p");
        for number in 0..50 {
            let first = stream.at(number).below(2);
            let job = Job::default();
            let picked = policy.pick(&fleet.view(), &job, &mut stream.at(number));
            assert_eq!(picked, Some(first));
        }
    }
}
