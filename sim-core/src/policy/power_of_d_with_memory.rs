//! Power of d choices with memory.
//!
//! Compares d sampled servers with the m best of the last choice, which cost no sample. One sample and one
//! remembered server keep long queues as rare as two samples do, and in the end rarer, for half the probes; but the remembered one is
//! seldom idle, so that at the loads of ordinary fleets the mean is longer than with two (3.22 against 2.61 service times at load
//! 0.9, with many servers). Servers are remembered, not their loads, which are looked up anew.

use super::power_of_d::{D_MAX, nth_absent};
use super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};

/// Most servers that may be remembered.
const MEMORY_MAX: usize = 16;

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "power-of-d-with-memory",
        about: "Samples d eligible servers, adds those remembered from the last choice, and takes the one with fewest attempts in flight; weights are ignored.",
        source: "Mitzenmacher, Prabhakar and Shah, \"Load balancing with memory\", FOCS 2002",
        params: &[
            ParamDef {
                name: "d",
                about: "How many are sampled.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: D_MAX as u64,
                    unit: "servers",
                },
                default: Some("1"),
            },
            ParamDef {
                name: "memory",
                about: "How many of those compared are remembered for the next choice: the least loaded once the attempt has been placed.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: MEMORY_MAX as u64,
                    unit: "servers",
                },
                default: Some("1"),
            },
            ParamDef {
                name: "replacement",
                about: "Whether a server may be sampled twice, or although it is remembered.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
            ParamDef {
                name: "ties",
                about: "Which of equals: one that is remembered, or one that was sampled.",
                kind: ParamKind::Choice(&["remembered", "sampled"]),
                default: Some("remembered"),
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
    familiar: None,
    check: no_conditions,
    heeds_weights: false,
    by_weight: false,
    build: &|params| {
        Box::new(WithMemory {
            d: params.integer("d") as usize,
            memory: params.integer("memory") as usize,
            replacement: params.flag("replacement"),
            sampled_first: params.choice("ties") == 1,
            oracle: params.choice("compare") == 1,
            remembered: Vec::new(),
            seen: Vec::new(),
        })
    },
};

#[derive(Clone, Debug)]
struct WithMemory {
    d: usize,
    memory: usize,
    replacement: bool,
    sampled_first: bool,
    oracle: bool,
    /// The best servers of the last choice, best first.
    remembered: Vec<u32>,
    /// Room for those that are compared, with their loads.
    seen: Vec<(u32, u32)>,
}

impl WithMemory {
    fn load(&self, fleet: &FleetView<'_>, server: u32) -> u32 {
        if self.oracle {
            fleet.oracle.in_system(server as usize)
        } else {
            fleet.in_flight[server as usize]
        }
    }

    /// Fills `seen` with the remembered servers that are eligible and with samples, in the order in
    /// which equals are preferred.
    fn look(&mut self, fleet: &FleetView<'_>, draws: &mut Draws) {
        let eligible = fleet.eligible;
        let n = eligible.len();
        let mut drawn = [0; D_MAX + MEMORY_MAX];
        let mut seen = std::mem::take(&mut self.seen);
        seen.clear();
        let mut count = 0;
        for &server in &self.remembered {
            if let Ok(position) = eligible.binary_search(&server) {
                seen.push((self.load(fleet, server), server));
                drawn[count] = position;
                count += 1;
            }
        }
        let known = count;
        let samples = if self.replacement {
            self.d
        } else {
            self.d.min(n - known)
        };
        drawn[..count].sort_unstable();
        for _ in 0..samples {
            let position = if self.replacement {
                draws.below(n)
            } else {
                nth_absent(draws.below(n - count), &mut drawn, count)
            };
            count += 1;
            seen.push((self.load(fleet, eligible[position]), eligible[position]));
        }
        if self.sampled_first {
            seen.rotate_left(known);
        }
        self.seen = seen;
    }
}

impl Policy for WithMemory {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, draws: &mut Draws) -> Option<usize> {
        self.look(fleet, draws);
        let seen = &mut self.seen;
        let best = (0..seen.len()).min_by_key(|&place| seen[place].0)?;
        let chosen = seen[best].1;
        if self.memory > 0 {
            for (load, server) in seen.iter_mut() {
                *load += u32::from(*server == chosen);
            }
            seen.sort_by_key(|(load, _)| *load);
            self.remembered.clear();
            for &(_, server) in seen.iter() {
                if self.remembered.len() < self.memory && !self.remembered.contains(&server) {
                    self.remembered.push(server);
                }
            }
        }
        Some(chosen as usize)
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;
    use crate::policy::fixture::{Fleet, build};

    fn choose(policy: &mut Box<dyn Policy>, fleet: &Fleet, number: u64) -> usize {
        let draws = &mut Stream::new(1, 0, "p").at(number);
        let choice = policy.pick(&fleet.view(), &Job::default(), draws);
        choice.expect("somebody is eligible")
    }

    #[test]
    fn the_better_of_the_last_two_is_compared_again() {
        // Only one is idle: once seen it is chosen for as long as it is the best.
        let mut fleet = Fleet {
            in_flight: vec![9, 9, 9, 0, 9, 9],
            ..Fleet::of(6)
        };
        let mut policy = build("power-of-d-with-memory");
        let found = (0..100).find(|&i| choose(&mut policy, &fleet, i) == 3);
        let found = found.expect("one of six is sampled soon");
        for i in found + 1..found + 9 {
            fleet.in_flight[3] += 1;
            assert_eq!(choose(&mut policy, &fleet, i), 3, "{i}");
        }
        // Without memory it is forgotten at once.
        let mut policy = build("power-of-d-with-memory memory=0");
        let hits = (0..600).filter(|&i| choose(&mut policy, &fleet, i) == 3);
        let hits = hits.count();
        assert!((60..140).contains(&hits), "{hits}");
    }

    #[test]
    fn without_replacement_all_that_are_seen_are_distinct() {
        let fleet = Fleet {
            eligible: vec![0, 2, 3, 5, 6],
            ..Fleet::of(7)
        };
        for (d, memory) in [(1, 1), (2, 3), (5, 2), (64, 16)] {
            let mut policy = WithMemory {
                d,
                memory,
                replacement: false,
                sampled_first: false,
                oracle: false,
                remembered: vec![1, 3],
                seen: Vec::new(),
            };
            for i in 0..50 {
                let mut draws = Stream::new(1, 0, "p").at(i);
                policy.look(&fleet.view(), &mut draws);
                let mut seen: Vec<u32> = policy.seen.iter().map(|(_, server)| *server).collect();
                let known = policy.remembered.iter().filter(|s| **s != 1).count();
                assert_eq!(seen.len(), (d + known).min(5), "{seen:?}");
                seen.sort_unstable();
                seen.dedup();
                assert_eq!(seen.len(), policy.seen.len(), "{seen:?}");
                assert!(seen.iter().all(|server| fleet.eligible.contains(server)));
                policy.pick(&fleet.view(), &Job::default(), &mut draws);
            }
        }
    }

    #[test]
    fn equals_go_to_who_is_remembered_or_to_who_is_new() {
        let fleet = Fleet::of(8);
        for (ties, stays) in [("remembered", true), ("sampled", false)] {
            let mut policy = build(&format!("power-of-d-with-memory ties={ties}"));
            let first = choose(&mut policy, &fleet, 0);
            assert_eq!(choose(&mut policy, &fleet, 1) == first, stays, "{ties}");
        }
    }
}
