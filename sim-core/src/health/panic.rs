//! Panic: with too few servers left, health is no longer a reason to choose.
//!
//! When most servers are taken out, the rest would drown, and it is more likely that the checks are
//! wrong, or the load itself is the cause. Failing open sends to all, as Envoy and AWS do; failing
//! closed gives up at once and spares the rest.
//!
//! It counts servers in rotation. Behind `priorities` it looks at each level in use by itself.

use super::{Candidate, HealthDef, HealthRule, Kind, News, PLAIN, Standing, percent};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, Params};
use crate::time::Instant;

pub(super) static RULE: HealthDef = HealthDef {
    row: ExtensionRow {
        name: "panic",
        about: "When less than a share of the servers is left by the rules before it, all are picked again, or none.",
        source: "Envoy 1.31, common_lb_config.healthy_panic_threshold and fail_traffic_on_panic",
        params: &[
            ParamDef {
                name: "below",
                about: "The share of servers in rotation below which it holds; at exactly that share it does not.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 1.0,
                    unit: "",
                },
                default: Some("0.5"),
            },
            ParamDef {
                name: "then",
                about: "Who is picked then: all servers in rotation, or none.",
                kind: ParamKind::Choice(&["all", "none"]),
                default: Some("all"),
            },
        ],
    },
    build: |params, _| {
        let mut rule = Panic {
            below: 0.0,
            open: false,
            since: Vec::new(),
            groups: Vec::new(),
            seen: Vec::new(),
        };
        rule.adopt(params);
        Box::new(rule)
    },
    ..PLAIN
};

#[derive(Clone, Debug)]
struct Panic {
    below: f64,
    open: bool,
    /// Levels at which it holds; level 0 stands for all while nobody has decided about levels.
    since: Vec<u32>,
    /// The servers that were looked at together last, and each as it was then.
    groups: Vec<Group>,
    seen: Vec<Seen>,
}

/// Servers that panic together: those of a level, or all.
#[derive(Clone, Debug)]
struct Group {
    level: Option<u32>,
    /// Those in rotation, and of these the ones left.
    all: usize,
    left: usize,
    panics: bool,
}

/// A server as it came from the rules before.
#[derive(Clone, Copy, Debug)]
struct Seen {
    in_rotation: bool,
    open: bool,
    level: u32,
}

impl Seen {
    fn of(server: &Candidate) -> Self {
        let &Candidate {
            in_rotation,
            open,
            level,
            ..
        } = server;
        Self {
            in_rotation,
            open,
            level,
        }
    }

    fn is_in(self, group: &Group) -> bool {
        self.in_rotation && group.level.is_none_or(|level| self.level == level)
    }
}

impl Panic {
    /// Whether so many are too few.
    fn is_due(&self, group: &Group) -> bool {
        // Nobody in rotation is no reason to panic: there is nobody to turn to.
        // A share such as 7 % of 100 is not to be missed by a rounding error.
        let (all, left) = (group.all as f64, group.left as f64);
        group.all > 0 && left < self.below * all - 1e-9
    }
}

impl HealthRule for Panic {
    fn adopt(&mut self, params: &Params) {
        self.below = params.number("below");
        self.open = params.choice("then") == 0;
    }

    fn judge(&mut self, _: Instant, standing: &mut Standing, news: &mut Vec<News>) {
        let each: Vec<Option<u32>> = if standing.levels.is_empty() {
            vec![None]
        } else {
            let used = standing.levels.iter();
            used.map(|(level, _)| Some(*level)).collect()
        };
        self.seen.clear();
        self.seen.extend(standing.servers.iter().map(Seen::of));
        self.groups.clear();
        let mut holds = Vec::new();
        for level in each {
            let mut group = Group {
                level,
                all: 0,
                left: 0,
                panics: false,
            };
            for server in &self.seen {
                let counts = server.is_in(&group);
                group.all += usize::from(counts);
                group.left += usize::from(counts && server.open);
            }
            group.panics = self.is_due(&group);
            let key = level.unwrap_or(0);
            if group.panics {
                let servers = standing.servers.iter_mut().zip(&self.seen);
                for (server, _) in servers.filter(|(_, seen)| seen.is_in(&group)) {
                    server.open = self.open;
                }
                holds.push(key);
            }
            if group.panics != self.since.contains(&key) {
                let (kind, then) = match (group.panics, self.open) {
                    (true, true) => (Kind::Panic, ": picks all"),
                    (true, false) => (Kind::Panic, ": picks none"),
                    (false, _) => (Kind::Calm, ""),
                };
                let cause = format!("{} servers healthy{then}", percent(group.left, group.all));
                news.push(News::of_instance(kind, cause));
            }
            self.groups.push(group);
        }
        self.since = holds;
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
        for place in 0..self.groups.len() {
            let mut group = self.groups[place].clone();
            for (seen, sign) in [(before, -1), (seen, 1)] {
                if seen.is_in(&group) {
                    group.all = group.all.wrapping_add_signed(sign);
                    let left = if seen.open { sign } else { 0 };
                    group.left = group.left.wrapping_add_signed(left);
                }
            }
            if self.is_due(&group) != group.panics {
                return false;
            }
            if group.panics && seen.is_in(&group) {
                candidate.open = self.open;
            }
            self.groups[place] = group;
        }
        true
    }

    fn forget(&mut self) {
        self.since.clear();
    }

    fn clone_box(&self) -> Box<dyn HealthRule> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{candidates, judge, open, rule};
    use super::*;
    use crate::extension::ParamValue;

    /// Of four servers, the first so many are healthy: who is picked, and what is told.
    fn with_healthy(rule: &mut Box<dyn HealthRule>, healthy: usize) -> (usize, Vec<Kind>) {
        let mut servers = candidates(4);
        for server in &mut servers[healthy..] {
            server.open = false;
        }
        let (standing, news) = judge(rule, 0, servers);
        let kinds = news.iter().map(|news| news.kind).collect();
        (open(&standing).len(), kinds)
    }

    /// Measured with Envoy 1.31: 2 of 4 healthy, only those; 1 of 4, all.
    #[test]
    fn the_threshold_is_strict_and_each_change_is_told_once() {
        let mut rule = rule(&RULE, 4, &[]);
        assert_eq!(with_healthy(&mut rule, 2), (2, vec![]));
        assert_eq!(with_healthy(&mut rule, 1), (4, vec![Kind::Panic]));
        assert_eq!(with_healthy(&mut rule, 0), (4, vec![]));
        assert_eq!(with_healthy(&mut rule, 3), (3, vec![Kind::Calm]));
    }

    #[test]
    fn closed_it_picks_none_and_at_zero_it_never_holds() {
        let mut closed = rule(&RULE, 4, &[("then", ParamValue::Choice(1))]);
        assert_eq!(with_healthy(&mut closed, 1), (0, vec![Kind::Panic]));
        let mut never = rule(&RULE, 4, &[("below", ParamValue::Number(0.0))]);
        assert_eq!(with_healthy(&mut never, 0), (0, vec![]));
    }

    #[test]
    fn behind_priorities_each_level_in_use_counts_by_itself() {
        let mut servers = candidates(4);
        for (server, level) in servers.iter_mut().zip([0, 0, 0, 1]) {
            server.level = level;
            server.open = false;
        }
        servers[3].open = true;
        let mut standing = Standing {
            servers,
            levels: vec![(0, 10), (1, 90)],
        };
        let mut news = Vec::new();
        rule(&RULE, 4, &[]).judge(Instant::ZERO, &mut standing, &mut news);
        assert_eq!(open(&standing), [0, 1, 2, 3]);
        assert_eq!(news[0].cause, "0 of 3 servers healthy: picks all");
        assert_eq!(news.len(), 1);
    }
}
