//! Apache's error state: a member to which a connection failed is left alone for a time.
//!
//! Only that there is no connection puts it there, and a status or taking too long where that is asked for.
//! When all members are in that state they are taken out of it, so that each request tries them.

use super::due::Due;
use super::{Candidate, HealthDef, HealthRule, Kind, News, PLAIN, Seen, Standing};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, Params};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};

pub(super) static RULE: HealthDef = HealthDef {
    row: ExtensionRow {
        name: "error-state",
        about: "As Apache: a server to which a connection failed gets nothing for a time, unless all are in that state.",
        source: "Apache 2.4.71, mod_proxy_balancer, observed",
        params: &[
            ParamDef {
                name: "retry",
                about: "For how long it gets nothing; 0s: it has its next turn as if nothing had been.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("60s"),
            },
            ParamDef {
                name: "errors",
                about: "Whether an error that a server answers with does the same: failonstatus lists its status.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
            ParamDef::flag(
                "timeouts",
                "Whether taking too long for an answer does the same: failontimeout.",
            ),
            ParamDef {
                name: "force_recovery",
                about: "Whether all are taken back at once when all are in that state.",
                kind: ParamKind::Flag,
                default: Some("true"),
            },
        ],
    },
    build: |params, servers| {
        let mut rule = ErrorState {
            retry: Duration::ZERO,
            errors: false,
            timeouts: false,
            force_recovery: false,
            until: vec![None; servers],
            open: vec![false; servers],
            fine: 0,
            due: Due::default(),
        };
        rule.adopt(params);
        Box::new(rule)
    },
    watches: true,
    ..PLAIN
};

#[derive(Clone, Debug)]
struct ErrorState {
    retry: Duration,
    errors: bool,
    timeouts: bool,
    force_recovery: bool,
    /// Until when each server gets nothing.
    until: Vec<Option<Instant>>,
    /// Which of them the rules before leave open, and how many of those are not in error state.
    open: Vec<bool>,
    fine: usize,
    due: Due,
}

impl ErrorState {
    /// A server whose time is over is back.
    fn look(&mut self, now: Instant, server: usize, news: &mut Vec<News>) {
        if self.until[server].is_some_and(|until| until <= now) {
            self.take_back(server, "its time is over", news);
        }
    }

    /// How the rules before left a server.
    fn take_note(&mut self, server: usize, candidate: &Candidate) {
        let fine = |open: bool, until: Option<Instant>| usize::from(open && until.is_none());
        let before = std::mem::replace(&mut self.open[server], candidate.open);
        let until = self.until[server];
        self.fine = self.fine + fine(candidate.open, until) - fine(before, until);
    }

    fn take_back(&mut self, server: usize, cause: &str, news: &mut Vec<News>) {
        let before = self.until[server].take();
        self.fine += usize::from(self.open[server]);
        self.due.replan(server, before, None);
        news.push(News::of_server(Kind::Readmitted, server, cause.to_owned()));
    }
}

impl HealthRule for ErrorState {
    fn adopt(&mut self, params: &Params) {
        self.retry = params.span("retry");
        self.errors = params.flag("errors");
        self.timeouts = params.flag("timeouts");
        self.force_recovery = params.flag("force_recovery");
    }

    fn judge(&mut self, now: Instant, standing: &mut Standing, news: &mut Vec<News>) {
        for (server, candidate) in standing.servers.iter().enumerate() {
            self.take_note(server, candidate);
        }
        for server in 0..self.until.len() {
            self.look(now, server, news);
        }
        if self.fine == 0 && self.force_recovery && self.open.contains(&true) {
            for server in 0..self.until.len() {
                if self.until[server].is_some() {
                    self.take_back(server, "all are in error state", news);
                }
            }
        }
        for (candidate, until) in standing.servers.iter_mut().zip(&self.until) {
            candidate.open &= until.is_none();
        }
    }

    fn judge_one(
        &mut self,
        now: Instant,
        server: usize,
        candidate: &mut Candidate,
        news: &mut Vec<News>,
    ) -> bool {
        self.take_note(server, candidate);
        self.look(now, server, news);
        candidate.open &= self.until[server].is_none();
        // Where nobody but those in error state is left they come back together.
        self.fine > 0 || !self.force_recovery
    }

    fn ended(&mut self, seen: &Seen, news: &mut Vec<News>) -> bool {
        let failed = match seen.outcome {
            Outcome::Refused | Outcome::ConnectTimedOut => true,
            Outcome::Errored | Outcome::Rejected | Outcome::Shed | Outcome::Abandoned => {
                self.errors
            }
            Outcome::TimedOut => self.timeouts,
            _ => false,
        };
        // A time of nothing is over at once.
        let failed = failed && !self.retry.is_zero();
        if failed {
            let until = Some(seen.now + self.retry);
            let before = std::mem::replace(&mut self.until[seen.server], until);
            self.due.replan(seen.server, before, until);
            if before.is_none() {
                self.fine -= usize::from(self.open[seen.server]);
                let cause = format!("left alone for {}", self.retry);
                news.push(News::of_server(Kind::Ejected, seen.server, cause));
            }
        }
        failed
    }

    fn due(&self) -> Option<Instant> {
        self.due.first()
    }

    fn come_due(&self, now: Instant, servers: &mut Vec<u32>) {
        self.due.come(now, servers);
    }

    fn forget(&mut self) {
        self.until.fill(None);
        self.fine = self.open.iter().filter(|open| **open).count();
        self.due.clear();
    }

    fn clone_box(&self) -> Box<dyn HealthRule> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{candidates, judge, open, rule};
    use super::*;

    /// Of a hundred members one goes after the other: only when none is left are all looked at.
    #[test]
    fn who_goes_concerns_the_others_when_nobody_is_left() {
        let mut rule = rule(&RULE, 100, &[]);
        judge(&mut rule, 0, candidates(100));
        let mut news = Vec::new();
        for server in 0..100 {
            let seen = Seen {
                now: Instant(1),
                server,
                outcome: Outcome::Refused,
            };
            assert!(rule.ended(&seen, &mut news));
            let candidate = &mut candidates(1)[0];
            let alone = rule.judge_one(Instant(1), server, candidate, &mut news);
            assert_eq!(alone, server < 99, "{server}");
            assert!(!candidate.open);
        }
        let all: Vec<usize> = (0..100).collect();
        assert_eq!(open(&judge(&mut rule, 1, candidates(100)).0), all);
    }
}
