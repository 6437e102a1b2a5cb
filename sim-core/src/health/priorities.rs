//! Priorities: servers of the next level help out when those of the better levels do not suffice.
//!
//! Without overprovisioning a level is used while no better one has a server to offer, which is what
//! `backup` means. With it, a level is worth the share of its servers that are healthy times the
//! factor, at most all, and the next level gets what is missing, as in Envoy, in whole percents.

use super::{Candidate, HealthDef, HealthRule, Kind, News, PLAIN, Standing, considered};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, Params};
use crate::time::Instant;
use std::collections::BTreeMap;

pub(super) static RULE: HealthDef = HealthDef {
    row: ExtensionRow {
        name: "priorities",
        about: "Sends to servers of priority 0, and to others as those are missing; a backup has priority 1. Without this rule the last thing asked is the same, without overprovisioning.",
        source: "Envoy 1.31, priority levels and overprovisioning_factor (load_balancer_impl.cc)",
        params: &[ParamDef {
            name: "overprovision",
            about: "A level is worth the share of its servers that are healthy times this, and the next gets what is missing to 1: with 1.4, from 28 % missing on. 0: a level is used only while no better one has a server.",
            kind: ParamKind::Number {
                min: 0.0,
                max: 100.0,
                unit: "",
            },
            default: Some("0"),
        }],
    },
    build: |params, _| {
        let mut rule = Priorities {
            percent: 0,
            before: None,
            levels: BTreeMap::new(),
            seen: Vec::new(),
        };
        rule.adopt(params);
        Box::new(rule)
    },
    levels: true,
    ..PLAIN
};

#[derive(Clone, Debug)]
struct Priorities {
    /// The factor, in percent.
    percent: u32,
    /// Levels in use when it was asked last; none when it never was.
    before: Option<Vec<(u32, u32)>>,
    /// The levels then, and each server as it was.
    levels: BTreeMap<u32, Level>,
    seen: Vec<Seen>,
}

/// A server as it came from the rules before.
#[derive(Clone, Copy, Debug)]
struct Seen {
    in_rotation: bool,
    healthy: bool,
    free: bool,
    level: u32,
}

impl Seen {
    fn of(server: &Candidate) -> Self {
        Self {
            in_rotation: server.in_rotation,
            healthy: server.open,
            free: server.open && !server.full,
            level: server.level,
        }
    }
}

/// Servers of a level: those in rotation, those left by the rules before, and those with room.
#[derive(Clone, Copy, Default, Debug)]
struct Level {
    all: u32,
    healthy: u32,
    free: u32,
}

impl Priorities {
    /// A server is one more of its level, or one fewer.
    fn count(&mut self, server: Seen, sign: i32) {
        if server.in_rotation {
            let level = self.levels.entry(server.level).or_default();
            let add = |count: &mut u32, is: bool| {
                *count = count.wrapping_add_signed(if is { sign } else { 0 });
            };
            add(&mut level.all, true);
            add(&mut level.healthy, server.healthy);
            add(&mut level.free, server.free);
            if level.all == 0 {
                self.levels.remove(&server.level);
            }
        }
    }

    /// The levels in use, each with its share.
    fn in_use(&self) -> Vec<(u32, u32)> {
        if self.percent > 0 {
            return spill(&self.levels, self.percent);
        }
        let best = self.levels.iter().find(|(_, level)| level.free > 0);
        best.map(|(level, _)| (*level, 100)).into_iter().collect()
    }
}

impl HealthRule for Priorities {
    fn adopt(&mut self, params: &Params) {
        self.percent = (params.number("overprovision") * 100.0).round() as u32;
    }

    fn judge(&mut self, _: Instant, standing: &mut Standing, news: &mut Vec<News>) {
        self.levels.clear();
        self.seen.clear();
        self.seen.extend(standing.servers.iter().map(Seen::of));
        for position in 0..self.seen.len() {
            self.count(self.seen[position], 1);
        }
        standing.levels = self.in_use();
        for position in 0..standing.servers.len() {
            let level = standing.servers[position].level;
            standing.servers[position].open &= considered(&standing.levels, level);
        }
        if self
            .before
            .as_ref()
            .is_some_and(|before| *before != standing.levels)
        {
            news.push(News::of_instance(Kind::Failover, words(&standing.levels)));
        }
        self.before = Some(standing.levels.clone());
    }

    fn judge_one(
        &mut self,
        _: Instant,
        server: usize,
        candidate: &mut Candidate,
        _: &mut Vec<News>,
    ) -> bool {
        let seen = Seen::of(candidate);
        let before = std::mem::replace(&mut self.seen[server], seen);
        self.count(before, -1);
        self.count(seen, 1);
        let in_use = self.in_use();
        candidate.open &= considered(&in_use, candidate.level);
        self.before.as_ref() == Some(&in_use)
    }

    fn forget(&mut self) {
        self.before = None;
    }

    fn clone_box(&self) -> Box<dyn HealthRule> {
        Box::new(self.clone())
    }
}

/// The share of each level, in Envoy's whole percents: what is lost to rounding goes to the first.
fn spill(levels: &BTreeMap<u32, Level>, percent: u32) -> Vec<(u32, u32)> {
    let health = |level: &Level| {
        let worth = u64::from(percent) * u64::from(level.healthy) / u64::from(level.all.max(1));
        worth.min(100) as u32
    };
    let total = levels.values().map(health).sum::<u32>().min(100);
    if total == 0 {
        return Vec::new();
    }
    let mut left = 100;
    let mut shares = Vec::new();
    for (level, servers) in levels {
        let share = (health(servers) * 100 / total).min(left);
        left -= share;
        if share > 0 {
            shares.push((*level, share));
        }
    }
    if let Some((_, share)) = shares.first_mut() {
        *share += left;
    }
    shares
}

/// Shares of levels, as readers write them.
pub(super) fn words(levels: &[(u32, u32)]) -> String {
    match levels {
        [] => "no priority has a server".to_owned(),
        [(level, _)] => format!("all to priority {level}"),
        several => {
            let each = several
                .iter()
                .map(|(l, share)| format!("{share} % to priority {l}"));
            each.collect::<Vec<_>>().join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{candidates, judge, open, rule};
    use super::*;
    use crate::extension::ParamValue;

    /// Levels in use when so many of ten servers of each level are healthy.
    fn shares(percent: u32, healthy: &[u32]) -> Vec<(u32, u32)> {
        let level = |healthy: &u32| Level {
            all: 10,
            healthy: *healthy,
            free: *healthy,
        };
        let levels = (0..).zip(healthy.iter().map(level)).collect();
        spill(&levels, percent)
    }

    /// The table of Envoy's documentation on priority levels, and a third level.
    #[test]
    fn spills_over_like_envoy() {
        assert_eq!(shares(140, &[10, 10]), [(0, 100)]);
        assert_eq!(shares(140, &[8, 10]), [(0, 100)]);
        assert_eq!(shares(140, &[7, 10]), [(0, 98), (1, 2)]);
        assert_eq!(shares(140, &[5, 10]), [(0, 70), (1, 30)]);
        assert_eq!(shares(140, &[0, 10]), [(1, 100)]);
        // Together they are worth 70: each gets its part of that.
        assert_eq!(shares(140, &[2, 3]), [(0, 40), (1, 60)]);
        assert_eq!(shares(140, &[1, 1, 1]), [(0, 34), (1, 33), (2, 33)]);
        assert_eq!(shares(140, &[0, 0]), []);
    }

    #[test]
    fn without_overprovisioning_the_next_level_waits_for_the_last_server() {
        let mut rule = rule(&RULE, 4, &[]);
        let mut step = |open_ones: [bool; 4]| {
            let mut servers = candidates(4);
            for (i, server) in servers.iter_mut().enumerate() {
                server.open = open_ones[i];
                server.level = i as u32 / 2;
            }
            let (standing, news) = judge(&mut rule, 0, servers);
            let causes: Vec<_> = news.into_iter().map(|news| news.cause).collect();
            (open(&standing), causes)
        };
        assert_eq!(step([true; 4]), (vec![0, 1], vec![]));
        assert_eq!(step([false, true, true, true]), (vec![1], vec![]));
        let told = vec!["all to priority 1".to_owned()];
        assert_eq!(step([false, false, true, true]), (vec![2, 3], told));
        let told = vec!["no priority has a server".to_owned()];
        assert_eq!(step([false; 4]), (vec![], told));
    }

    #[test]
    fn a_level_whose_servers_are_full_has_none_to_offer() {
        let mut servers = candidates(2);
        servers[0].full = true;
        servers[1].level = 1;
        let (standing, _) = judge(&mut rule(&RULE, 2, &[]), 0, servers.clone());
        assert_eq!(open(&standing), [1]);
        // With overprovisioning health counts, not room.
        let some = [("overprovision", ParamValue::Number(1.4))];
        let (standing, _) = judge(&mut rule(&RULE, 2, &some), 0, servers);
        assert_eq!(open(&standing), [0]);
    }
}
