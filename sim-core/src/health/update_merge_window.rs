//! Envoy's `update_merge_window`: changes of health that come soon after another are put off and taken together.
//!
//! A change takes effect at once if the last one that did is longer ago than the window. Otherwise it waits, with all
//! that come meanwhile, for a whole window. An ejection that the statistics already show may therefore get traffic for a second.
//! Servers that are added or taken out of rotation are never put off, and take with them what waits.

use super::{Candidate, HealthDef, HealthRule, News, PLAIN, Standing};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, Params};
use crate::time::{Duration, Instant};

pub(super) static RULE: HealthDef = HealthDef {
    row: ExtensionRow {
        name: "update-merge-window",
        about: "Changes of health by the rules before it that come within `window` of the last one wait for a window and take effect together.",
        source: "Envoy 1.40, common_lb_config.update_merge_window, cluster_manager_impl.cc; observed",
        params: &[ParamDef {
            name: "window",
            about: "How long.",
            kind: ParamKind::Span {
                min: Duration::from_millis(1),
            },
            default: Some("1s"),
        }],
    },
    build: |params, servers| {
        Box::new(MergeWindow {
            window: params.span("window"),
            servers: vec![None; servers],
            waiting: 0,
            last: None,
            due: None,
        })
    },
    ..PLAIN
};

#[derive(Clone, Debug)]
struct MergeWindow {
    window: Duration,
    servers: Vec<Option<Record>>,
    /// Servers whose present judgement is not the one in effect.
    waiting: usize,
    /// When changes last took effect.
    last: Option<Instant>,
    /// When those that wait will.
    due: Option<Instant>,
}

/// A server as the rules before left it, and what is in effect.
#[derive(Clone, Copy, Debug)]
struct Record {
    in_rotation: bool,
    open: bool,
    effective: bool,
}

impl MergeWindow {
    /// Takes note of a server. Whether a change is to take effect at once.
    fn note(&mut self, now: Instant, server: usize, candidate: &Candidate) -> bool {
        let Candidate {
            in_rotation, open, ..
        } = *candidate;
        let Some(record) = &mut self.servers[server] else {
            self.servers[server] = Some(Record {
                in_rotation,
                open,
                effective: open,
            });
            return false;
        };
        let moved = record.in_rotation != in_rotation;
        let waited = record.open != record.effective;
        record.in_rotation = in_rotation;
        record.open = open;
        let waits = open != record.effective;
        self.waiting = self.waiting + usize::from(waits) - usize::from(waited);
        let long_ago = |last: Instant| now.since(last) > self.window;
        moved || waits && !waited && self.last.is_none_or(long_ago)
    }

    /// All that waits takes effect.
    fn apply(&mut self, now: Instant) {
        for record in self.servers.iter_mut().flatten() {
            record.effective = record.open;
        }
        self.waiting = 0;
        (self.last, self.due) = (Some(now), None);
    }

    /// Plans for what waits. Whether its time has come.
    fn plan(&mut self, now: Instant) -> bool {
        if self.due.is_some_and(|due| due <= now) {
            return true;
        }
        if self.waiting > 0 && self.due.is_none() {
            self.due = Some(now + self.window);
        }
        false
    }

    fn effective(&self, server: usize) -> bool {
        self.servers[server].is_some_and(|record| record.effective && record.in_rotation)
    }
}

impl HealthRule for MergeWindow {
    fn adopt(&mut self, params: &Params) {
        self.window = params.span("window");
    }

    fn judge(&mut self, now: Instant, standing: &mut Standing, _: &mut Vec<News>) {
        let mut at_once = false;
        for (server, candidate) in standing.servers.iter().enumerate() {
            at_once |= self.note(now, server, candidate);
        }
        if at_once || self.plan(now) {
            self.apply(now);
        }
        for (server, candidate) in standing.servers.iter_mut().enumerate() {
            candidate.open = self.effective(server);
        }
    }

    fn judge_one(
        &mut self,
        now: Instant,
        server: usize,
        candidate: &mut Candidate,
        _: &mut Vec<News>,
    ) -> bool {
        let at_once = self.note(now, server, candidate);
        if at_once || self.plan(now) {
            let others = self.waiting > usize::from(self.is_waiting(server));
            if others {
                // They are judged anew with this one: it is noted again then.
                self.due = Some(now);
                return false;
            }
            self.apply(now);
        }
        candidate.open = self.effective(server);
        true
    }

    fn due(&self) -> Option<Instant> {
        self.due
    }

    fn come_due(&self, now: Instant, servers: &mut Vec<u32>) {
        if self.due.is_some_and(|due| due <= now) {
            let waits = |server: &usize| self.is_waiting(*server);
            let before = servers.len();
            servers.extend((0..self.servers.len()).filter(waits).map(|s| s as u32));
            if servers.len() == before {
                // What waited was taken back: anybody will do to find that out.
                servers.push(0);
            }
        }
    }

    fn forget(&mut self) {
        self.servers.fill(None);
        (self.waiting, self.last, self.due) = (0, None, None);
    }

    fn clone_box(&self) -> Box<dyn HealthRule> {
        Box::new(self.clone())
    }
}

impl MergeWindow {
    fn is_waiting(&self, server: usize) -> bool {
        self.servers[server].is_some_and(|record| record.open != record.effective)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::testing::{at, candidates, judge, open, rule};

    /// The servers open at a time while those listed are judged ill.
    fn step(rule: &mut Box<dyn HealthRule>, millis: u64, ill: &[usize]) -> Vec<usize> {
        let mut servers = candidates(4);
        for &server in ill {
            servers[server].open = false;
        }
        open(&judge(rule, millis, servers).0)
    }

    #[test]
    fn the_first_change_is_immediate_and_the_next_waits_a_window() {
        let mut rule = rule(&RULE, 4, &[]);
        assert_eq!(step(&mut rule, 0, &[]), [0, 1, 2, 3]);
        assert_eq!(step(&mut rule, 5_000, &[0]), [1, 2, 3]);
        assert_eq!(rule.due(), None);
        assert_eq!(step(&mut rule, 5_300, &[0, 1]), [1, 2, 3]);
        assert_eq!(rule.due(), Some(at(6_300)));
        assert_eq!(step(&mut rule, 6_000, &[0, 1, 2]), [1, 2, 3]);
        assert_eq!(step(&mut rule, 6_300, &[0, 1, 2]), [3]);
        assert_eq!(rule.due(), None);
        // Long after, a change is immediate again.
        assert_eq!(step(&mut rule, 7_301, &[0, 1]), [2, 3]);
    }

    /// The window is counted from the last change that took effect, the wait from the one that waits.
    #[test]
    fn a_change_after_the_window_does_not_wait_for_the_one_that_does() {
        let mut rule = rule(&RULE, 4, &[]);
        step(&mut rule, 0, &[]);
        step(&mut rule, 5_000, &[0]);
        assert_eq!(step(&mut rule, 5_900, &[0, 1]), [1, 2, 3]);
        assert_eq!(step(&mut rule, 6_001, &[0, 1, 2]), [3]);
        assert_eq!(rule.due(), None);
    }

    #[test]
    fn a_change_that_is_taken_back_leaves_nothing_to_do() {
        let mut rule = rule(&RULE, 4, &[]);
        step(&mut rule, 0, &[]);
        step(&mut rule, 5_000, &[0]);
        assert_eq!(step(&mut rule, 5_300, &[0, 1]), [1, 2, 3]);
        assert_eq!(step(&mut rule, 5_400, &[0]), [1, 2, 3]);
        let mut due = Vec::new();
        rule.come_due(at(6_300), &mut due);
        assert_eq!(due.len(), 1);
        assert_eq!(step(&mut rule, 6_300, &[0]), [1, 2, 3]);
        assert_eq!(rule.due(), None);
    }

    #[test]
    fn who_leaves_the_rotation_is_gone_at_once_and_takes_the_rest_along() {
        let mut rule = rule(&RULE, 4, &[]);
        step(&mut rule, 0, &[]);
        step(&mut rule, 5_000, &[0]);
        assert_eq!(step(&mut rule, 5_300, &[0, 1]), [1, 2, 3]);
        let mut servers = candidates(4);
        servers[0].open = false;
        servers[1].open = false;
        (servers[2].open, servers[2].in_rotation) = (false, false);
        assert_eq!(open(&judge(&mut rule, 5_400, servers).0), [3]);
    }

    #[test]
    fn one_by_one_comes_to_the_same() {
        let mut all = rule(&RULE, 4, &[]);
        let mut one = all.clone();
        step(&mut all, 0, &[]);
        step(&mut one, 0, &[]);
        let changes = [(5_000, 0), (5_300, 1), (5_500, 2), (6_300, 3), (7_500, 3)];
        let mut ill: Vec<usize> = Vec::new();
        for (millis, server) in changes {
            ill.push(server);
            let by_all = step(&mut all, millis, &ill);
            let mut candidate = candidates(1)[0];
            candidate.open = false;
            let alone = one.judge_one(at(millis), server, &mut candidate, &mut Vec::new());
            if alone {
                assert_eq!(candidate.open, by_all.contains(&server), "{millis}");
            }
            assert_eq!(step(&mut one, millis, &ill), by_all, "{millis}");
            assert_eq!(one.due(), all.due(), "{millis}");
        }
    }
}
