//! Hot spares: backups that take the place of servers that may not be picked, one for one.
//!
//! A spare that steps in is one of the servers like any other. One that is not needed gets nothing, even where
//! nobody else is left that could be picked.

use super::{Candidate, HealthDef, HealthRule, News, PLAIN, Standing};
use crate::extension::{ExtensionRow, Params};
use crate::time::Instant;

pub(super) static RULE: HealthDef = HealthDef {
    row: ExtensionRow {
        name: "hot-spares",
        about: "As many backups as servers are out are picked like these, the first in order; a backup beyond that gets nothing.",
        source: "Apache 2.4.71, BalancerMember status=+R, proxy_util.c; observed",
        params: &[],
    },
    build: |_, servers| {
        Box::new(HotSpares {
            seen: vec![Seen::default(); servers],
        })
    },
    ..PLAIN
};

#[derive(Clone, Debug)]
struct HotSpares {
    seen: Vec<Seen>,
}

/// How the rules before left a server, and what became of it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Seen {
    level: u32,
    in_rotation: bool,
    open: bool,
    steps_in: bool,
}

impl Seen {
    fn of(candidate: &Candidate) -> Self {
        Self {
            level: candidate.level,
            in_rotation: candidate.in_rotation,
            open: candidate.open,
            steps_in: false,
        }
    }

    /// A server whose place is free.
    fn is_missing(self) -> bool {
        self.level == 0 && self.in_rotation && !self.open
    }

    /// What becomes of it.
    fn settle(self, candidate: &mut Candidate) {
        if self.level > 0 {
            candidate.open &= self.steps_in;
            candidate.level = 0;
        }
    }
}

impl HealthRule for HotSpares {
    fn adopt(&mut self, _: &Params) {}

    fn judge(&mut self, _: Instant, standing: &mut Standing, _: &mut Vec<News>) {
        for (seen, candidate) in self.seen.iter_mut().zip(&standing.servers) {
            *seen = Seen::of(candidate);
        }
        let mut free = self.seen.iter().filter(|seen| seen.is_missing()).count();
        for seen in self.seen.iter_mut().filter(|seen| seen.level > 0) {
            seen.steps_in = seen.open && free > 0;
            free -= usize::from(seen.steps_in);
        }
        for (seen, candidate) in self.seen.iter().zip(&mut standing.servers) {
            seen.settle(candidate);
        }
    }

    fn judge_one(
        &mut self,
        _: Instant,
        server: usize,
        candidate: &mut Candidate,
        _: &mut Vec<News>,
    ) -> bool {
        let before = self.seen[server];
        let now = Seen {
            steps_in: before.steps_in,
            ..Seen::of(candidate)
        };
        // Who goes, comes back or steps aside makes room for others, or takes it.
        if now != before {
            return false;
        }
        before.settle(candidate);
        true
    }

    fn clone_box(&self) -> Box<dyn HealthRule> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{candidates, judge, open, rule};
    use super::*;

    #[test]
    fn spares_take_the_places_of_who_is_out() {
        let mut rule = rule(&RULE, 5, &[]);
        let mut servers = candidates(5);
        for spare in &mut servers[3..] {
            spare.level = 1;
        }
        let mut with = |out: &[usize]| {
            let mut servers = servers.clone();
            for &server in out {
                servers[server].open = false;
            }
            let (standing, _) = judge(&mut rule, 0, servers.clone());
            let alone = |server: usize| {
                let mut candidate = servers[server];
                let alone = rule.judge_one(Instant::ZERO, server, &mut candidate, &mut Vec::new());
                assert!(alone && candidate == standing.servers[server]);
                let mut other = servers[server];
                other.open = !other.open;
                assert!(!rule.judge_one(Instant::ZERO, server, &mut other, &mut Vec::new()));
            };
            (0..5).for_each(alone);
            assert!(standing.servers.iter().all(|s| s.level == 0));
            open(&standing)
        };
        assert_eq!(with(&[]), [0, 1, 2]);
        assert_eq!(with(&[1]), [0, 2, 3]);
        assert_eq!(with(&[0, 1]), [2, 3, 4]);
        assert_eq!(with(&[1, 3]), [0, 2, 4]);
        assert_eq!(with(&[0, 1, 2]), [3, 4]);
        // A spare that is out makes no room for another.
        assert_eq!(with(&[3]), [0, 1, 2]);
    }
}
