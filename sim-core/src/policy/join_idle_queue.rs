//! Join the idle queue: idle servers report themselves, and the balancer never asks.
//!
//! Each instance keeps a list of servers that reported to it when they became idle. A request takes
//! the head of the list; when the list is empty, any server. What becomes of the entry of an idle
//! server that such a random request hits is not settled in the paper and changes response times by
//! some five per cent, so it is a parameter: the entry is removed, or it stays and later brings
//! a request to a server that is no longer idle.

use super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use std::collections::VecDeque;

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "join-idle-queue",
        about: "The server that reported itself idle to this instance first; when none has, any eligible server. Weights are ignored.",
        source: "Lu et al., Join-Idle-Queue: a novel load balancing algorithm for dynamically scalable web services, Performance Evaluation 68, 2011",
        params: &[ParamDef {
            name: "entry",
            about: "What becomes of the report of an idle server that gets a request by chance: it is removed, or it stays and is stale.",
            kind: ParamKind::Choice(&["removed", "stale"]),
            default: Some("removed"),
        }],
    },
    farm: Farm::Unknown,
    follows_load: true,
    familiar: None,
    check: no_conditions,
    heeds_weights: false,
    by_weight: false,
    build: &|params| {
        Box::new(JoinIdleQueue {
            stale: params.choice("entry") == 1,
            idle: VecDeque::new(),
            listed: Vec::new(),
        })
    },
};

#[derive(Clone, Debug)]
struct JoinIdleQueue {
    stale: bool,
    idle: VecDeque<u32>,
    listed: Vec<bool>,
}

impl JoinIdleQueue {
    /// The server that reported itself first among the eligible ones of a narrowed view; the reports
    /// of others stay, for requests that may go there.
    fn take_among(&mut self, eligible: &[u32]) -> Option<u32> {
        let may = |server: &u32| eligible.binary_search(server).is_ok();
        let place = self.idle.iter().position(may)?;
        let server = self.idle.remove(place)?;
        self.listed[server as usize] = false;
        Some(server)
    }
}

impl Policy for JoinIdleQueue {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, draws: &mut Draws) -> Option<usize> {
        if fleet.narrowed {
            let taken = self.take_among(fleet.eligible);
            let any = || fleet.eligible[draws.below(fleet.eligible.len())];
            return Some(taken.unwrap_or_else(any) as usize);
        }
        while let Some(server) = self.idle.pop_front() {
            self.listed[server as usize] = false;
            if fleet.may_pick(server) {
                return Some(server as usize);
            }
        }
        Some(fleet.eligible[draws.below(fleet.eligible.len())] as usize)
    }
    fn tracks_idle(&self) -> bool {
        true
    }
    fn on_idle(&mut self, server: usize) {
        if server >= self.listed.len() {
            self.listed.resize(server + 1, false);
        }
        if !std::mem::replace(&mut self.listed[server], true) {
            self.idle.push_back(server as u32);
        }
    }
    fn on_busy(&mut self, server: usize) {
        if !self.stale && self.lists(server) {
            self.listed[server] = false;
            self.idle.retain(|&other| other as usize != server);
        }
    }
    fn lists(&self, server: usize) -> bool {
        self.listed.get(server).copied().unwrap_or(false)
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fleet, build};
    use super::*;
    use crate::draws::Stream;

    fn picks(entry: &str, hit: usize) -> Vec<usize> {
        let mut policy = build(&format!("join-idle-queue entry={entry}"));
        let fleet = Fleet {
            eligible: vec![0, 1, 3],
            ..Fleet::of(4)
        };
        for server in [3, 2, 1, 3] {
            policy.on_idle(server);
        }
        policy.on_busy(hit);
        let job = Job {
            key: 0,
            ..Job::default()
        };
        let mut picks = Vec::new();
        while (0..4).any(|server| policy.lists(server)) {
            let mut draws = Stream::new(1, 0, "p").at(picks.len() as u64);
            picks.extend(policy.pick(&fleet.view(), &job, &mut draws));
        }
        picks
    }

    #[test]
    fn reports_are_used_in_their_order_and_only_for_eligible_servers() {
        assert_eq!(picks("removed", 0), [3, 1]);
    }

    #[test]
    fn a_copy_kept_from_some_servers_leaves_their_reports() {
        let mut policy = build("join-idle-queue");
        let fleet = Fleet::of(4);
        for server in [3, 2, 1] {
            policy.on_idle(server);
        }
        let job = Job {
            key: 0,
            ..Job::default()
        };
        let draws = || Stream::new(1, 0, "p").at(0);
        let narrowed = FleetView {
            eligible: &[0, 1],
            narrowed: true,
            ..fleet.view()
        };
        assert_eq!(policy.pick(&narrowed, &job, &mut draws()), Some(1));
        let by_chance = policy.pick(&narrowed, &job, &mut draws());
        assert!(by_chance.is_some_and(|server| server < 2));
        let mut next = || policy.pick(&fleet.view(), &job, &mut draws());
        assert_eq!([next(), next()], [Some(3), Some(2)]);
    }

    #[test]
    fn the_report_of_a_server_hit_by_chance_is_removed_or_stays() {
        assert_eq!(picks("removed", 3), [1]);
        assert_eq!(picks("stale", 3), [3, 1]);
    }
}
