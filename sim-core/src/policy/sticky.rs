//! Sticky sessions: who has been at a server comes back to it.
//!
//! The key of a request is its session. The first request of one is placed as `new` says and its server
//! remembered, as in a cookie or a stick table; later ones go there whatever the load, so that a server that joins gets new sessions
//! only, and one that left leaves its sessions to be placed again. What happens to them is `lost`: they move for good,
//! or until their server is back, or they fail as long as it is away, as `HAProxy` does without `option redispatch`.
//!
//! Each instance remembers for itself, as a stick table does which is not shared. Of more sessions than it has room for the oldest is forgotten.

use super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::{Duration, Instant};
use std::collections::{BTreeMap, VecDeque};

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "sticky",
        about: "The server that the request's session (its key) had before; new sessions are placed by another rule. Weights are ignored.",
        source: "HAProxy, cookie insert and option redispatch; nginx, sticky; AWS ALB, stickiness",
        params: &[
            ParamDef {
                name: "new",
                about: "Where a new session goes: to a random server, to the next in turn, or to that with fewest attempts in flight, the first of equals.",
                kind: ParamKind::Choice(&["random", "round-robin", "least-in-flight"]),
                default: Some("random"),
            },
            ParamDef {
                name: "lost",
                about: "What becomes of a session whose server cannot be picked: it moves to another for good, or until its server is back, or its requests have no server.",
                kind: ParamKind::Choice(&["moves", "returns", "waits"]),
                default: Some("moves"),
            },
            ParamDef {
                name: "expires",
                about: "A session that was idle for so long is a new one; 0s: never.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("0s"),
            },
            ParamDef {
                name: "sessions",
                about: "How many sessions an instance remembers; the oldest is forgotten for one more.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 10_000_000,
                    unit: "sessions",
                },
                default: Some("100000"),
            },
        ],
    },
    farm: Farm::Unknown,
    follows_load: false,
    familiar: None,
    check: no_conditions,
    heeds_weights: false,
    by_weight: false,
    build: &|params| {
        Box::new(Sticky {
            new: match params.choice("new") {
                0 => Placing::Random,
                1 => Placing::InTurn,
                _ => Placing::Least,
            },
            lost: match params.choice("lost") {
                0 => Lost::Moves,
                1 => Lost::Returns,
                _ => Lost::Waits,
            },
            expires_ns: params.span("expires").0,
            room: params.integer("sessions") as usize,
            next: 0,
            sessions: BTreeMap::new(),
            order: VecDeque::new(),
        })
    },
};

#[derive(Clone, Copy, Debug)]
enum Placing {
    Random,
    InTurn,
    Least,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lost {
    Moves,
    Returns,
    Waits,
}

#[derive(Clone, Debug)]
struct Sticky {
    new: Placing,
    lost: Lost,
    expires_ns: u64,
    room: usize,
    /// The server whose turn it is.
    next: u32,
    sessions: BTreeMap<u64, Session>,
    /// Sessions in the order in which they began.
    order: VecDeque<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Session {
    server: u32,
    last: Instant,
}

impl Sticky {
    fn place(&mut self, fleet: &FleetView<'_>, draws: &mut Draws) -> u32 {
        let eligible = fleet.eligible;
        match self.new {
            Placing::Random => eligible[draws.below(eligible.len())],
            Placing::InTurn => {
                let turn = eligible.partition_point(|&server| server < self.next);
                let server = eligible[turn % eligible.len()];
                self.next = server + 1;
                server
            }
            Placing::Least => {
                let in_flight = |&&server: &&u32| fleet.in_flight[server as usize];
                let least = eligible.iter().min_by_key(in_flight);
                least.copied().unwrap_or(eligible[0])
            }
        }
    }

    fn remember(&mut self, key: u64, session: Session) {
        if self.sessions.insert(key, session).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > self.room
            && let Some(oldest) = self.order.pop_front()
        {
            self.sessions.remove(&oldest);
        }
    }
}

impl Policy for Sticky {
    fn pick(&mut self, fleet: &FleetView<'_>, job: &Job, draws: &mut Draws) -> Option<usize> {
        let now = fleet.now;
        let is_fresh =
            |last: Instant| self.expires_ns == 0 || now.0.saturating_sub(last.0) <= self.expires_ns;
        let known = self.sessions.get_mut(&job.key);
        if let Some(session) = known.filter(|session| is_fresh(session.last)) {
            let server = session.server;
            if fleet.may_pick(server) {
                session.last = now;
                return Some(server as usize);
            }
            // A copy keeps away from where its request is, and moves no session.
            if self.lost == Lost::Waits && !fleet.narrowed {
                return None;
            }
            if self.lost == Lost::Returns || fleet.narrowed {
                return Some(self.place(fleet, draws) as usize);
            }
        }
        let server = self.place(fleet, draws);
        self.remember(job.key, Session { server, last: now });
        Some(server as usize)
    }
    fn on_fleet_changed(&mut self, _: &FleetView<'_>) {}
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;
    use crate::policy::fixture::{Fleet, build};

    fn choose(policy: &mut Box<dyn Policy>, fleet: &Fleet, key: u64, at: u64) -> Option<usize> {
        let view = FleetView {
            now: Instant(at),
            ..fleet.view()
        };
        let job = Job {
            key,
            ..Job::default()
        };
        policy.pick(&view, &job, &mut Stream::new(1, 0, "p").at(key << 32 | at))
    }

    #[test]
    fn sessions_stay_and_new_ones_are_placed_as_asked() {
        let fleet = Fleet {
            in_flight: vec![2, 0, 1],
            ..Fleet::of(3)
        };
        for (new, expected) in [("round-robin", [0, 1, 2, 0]), ("least-in-flight", [1; 4])] {
            let mut policy = build(&format!("sticky new={new}"));
            for at in 0..3 {
                let of = [10, 11, 12, 13].map(|key| choose(&mut policy, &fleet, key, at));
                assert_eq!(of, expected.map(Some), "{new}");
            }
        }
        let mut policy = build("sticky");
        let mut of = |at| -> Vec<_> {
            let keys = 0..200;
            keys.map(|key| choose(&mut policy, &fleet, key, at))
                .collect()
        };
        let first = of(0);
        assert!((0..3).all(|server| first.contains(&Some(server))));
        assert_eq!(of(1), first);
    }

    #[test]
    fn a_session_without_its_server_moves_or_returns_or_waits() {
        let all = Fleet::of(3);
        let without = Fleet {
            eligible: vec![1, 2],
            ..Fleet::of(3)
        };
        for (lost, meanwhile, after) in [
            ("moves", Some(1), Some(1)),
            ("returns", Some(1), Some(0)),
            ("waits", None, Some(0)),
        ] {
            let mut policy = build(&format!("sticky new=round-robin lost={lost}"));
            assert_eq!(choose(&mut policy, &all, 7, 0), Some(0));
            assert_eq!(choose(&mut policy, &without, 7, 1), meanwhile, "{lost}");
            assert_eq!(choose(&mut policy, &all, 7, 2), after, "{lost}");
        }
    }

    #[test]
    fn what_was_idle_for_long_or_is_one_too_many_is_forgotten() {
        let fleet = Fleet::of(4);
        for (limit, gap, again) in [
            ("expires=10ns", 11, 1),
            ("expires=10ns", 10, 0),
            ("expires=0s", 11, 0),
        ] {
            let mut policy = build(&format!("sticky new=round-robin {limit}"));
            assert_eq!(choose(&mut policy, &fleet, 7, 5), Some(0));
            assert_eq!(
                choose(&mut policy, &fleet, 7, 5 + gap),
                Some(again),
                "{limit} {gap}"
            );
        }
        let mut policy = build("sticky new=round-robin sessions=2");
        let mut of = |key| choose(&mut policy, &fleet, key, 0).expect("a server");
        assert_eq!(
            [of(1), of(2), of(1), of(3), of(2), of(1)],
            [0, 1, 0, 2, 1, 3]
        );
    }
}
