//! Caddy's passive health: each failure is remembered for a time, and a server with too many is left out.
//!
//! Nothing is probed and nothing else brings a server back: it is available again when its failures are
//! forgotten, all at once for all requests. Which ends count: that the connection failed or broke, or that there was no
//! answer in time; answers only where their status is listed as unhealthy.

use super::due::Due;
use super::{Candidate, HealthDef, HealthRule, Kind, News, PLAIN, Seen, Standing};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, Params};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};
use std::collections::VecDeque;

pub(super) static RULE: HealthDef = HealthDef {
    row: ExtensionRow {
        name: "fail-duration",
        about: "As Caddy: a server gets nothing while so many of its failures are remembered, each of them for the same time.",
        source: "Caddy 2.11.7, observed",
        params: &[
            ParamDef {
                name: "fail_duration",
                about: "For how long a failure is remembered.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: None,
            },
            ParamDef {
                name: "max_fails",
                about: "Failures remembered that take a server out.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 10_000,
                    unit: "failures",
                },
                default: Some("1"),
            },
            ParamDef {
                name: "errors",
                about: "Whether what a server answers with an error is a failure: its status is an unhealthy_status.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
        ],
    },
    build: |params, servers| {
        let mut rule = FailDuration {
            remembered: Duration::ZERO,
            max_fails: 1,
            errors: false,
            servers: vec![Record::default(); servers],
            due: Due::default(),
        };
        rule.adopt(params);
        Box::new(rule)
    },
    watches: true,
    ..PLAIN
};

#[derive(Clone, Debug)]
struct FailDuration {
    remembered: Duration,
    max_fails: usize,
    errors: bool,
    servers: Vec<Record>,
    due: Due,
}

#[derive(Clone, Default, Debug)]
struct Record {
    /// When its latest failures were, at most as many as take it out: those before them say no more.
    failures: VecDeque<Instant>,
    out: bool,
    due: Option<Instant>,
}

impl FailDuration {
    fn look(
        &mut self,
        now: Instant,
        server: usize,
        candidate: &mut Candidate,
        news: &mut Vec<News>,
    ) {
        let (remembered, max_fails) = (self.remembered, self.max_fails);
        let record = &mut self.servers[server];
        while record
            .failures
            .front()
            .is_some_and(|&at| at + remembered <= now)
        {
            record.failures.pop_front();
        }
        let held = record.failures.len();
        let out = held >= max_fails;
        candidate.open &= !out;
        // It is back when one failure too many is forgotten.
        let last = record.failures.get(held.saturating_sub(max_fails));
        let next = last.filter(|_| out).map(|&at| at + remembered);
        if out != record.out {
            record.out = out;
            let (kind, cause) = if out {
                (
                    Kind::Ejected,
                    format!("{held} failures within {remembered}"),
                )
            } else {
                (Kind::Readmitted, "its failures are forgotten".to_owned())
            };
            news.push(News::of_server(kind, server, cause));
        }
        let before = std::mem::replace(&mut record.due, next);
        self.due.replan(server, before, next);
    }
}

impl HealthRule for FailDuration {
    fn adopt(&mut self, params: &Params) {
        self.remembered = params.span("fail_duration");
        self.max_fails = params.integer("max_fails") as usize;
        self.errors = params.flag("errors");
    }

    fn judge(&mut self, now: Instant, standing: &mut Standing, news: &mut Vec<News>) {
        self.due.clear();
        for record in &mut self.servers {
            record.due = None;
        }
        for (server, candidate) in standing.servers.iter_mut().enumerate() {
            self.look(now, server, candidate, news);
        }
    }

    fn judge_one(
        &mut self,
        now: Instant,
        server: usize,
        candidate: &mut Candidate,
        news: &mut Vec<News>,
    ) -> bool {
        self.look(now, server, candidate, news);
        true
    }

    fn ended(&mut self, seen: &Seen, _: &mut Vec<News>) -> bool {
        let failed = match seen.outcome {
            Outcome::Refused | Outcome::Reset | Outcome::TimedOut | Outcome::ConnectTimedOut => {
                true
            }
            Outcome::Errored | Outcome::Rejected | Outcome::Shed | Outcome::Abandoned => {
                self.errors
            }
            Outcome::Succeeded | Outcome::Unavailable | Outcome::Cancelled => false,
        };
        let failures = &mut self.servers[seen.server].failures;
        if failed {
            failures.push_back(seen.now);
            if failures.len() > self.max_fails {
                failures.pop_front();
            }
        }
        failed && failures.len() >= self.max_fails
    }

    fn due(&self) -> Option<Instant> {
        self.due.first()
    }

    fn come_due(&self, now: Instant, servers: &mut Vec<u32>) {
        self.due.come(now, servers);
    }

    fn forget(&mut self) {
        self.servers.fill(Record::default());
        self.due.clear();
    }

    fn clone_box(&self) -> Box<dyn HealthRule> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{at, candidates, judge, open, rule};
    use super::*;
    use crate::extension::ParamValue;

    #[test]
    fn a_failure_counts_for_its_time() {
        let some = [
            ("fail_duration", ParamValue::Span(Duration::from_secs(5))),
            ("max_fails", ParamValue::Integer(2)),
        ];
        let mut rule = rule(&RULE, 2, &some);
        let ended = |rule: &mut Box<dyn HealthRule>, millis, outcome| {
            let (now, server) = (at(millis), 0);
            let seen = Seen {
                now,
                server,
                outcome,
            };
            rule.ended(&seen, &mut Vec::new())
        };
        assert!(!ended(&mut rule, 0, Outcome::Refused));
        assert!(
            !ended(&mut rule, 500, Outcome::Errored),
            "an answer is no failure"
        );
        assert!(ended(&mut rule, 1000, Outcome::Reset));
        assert!(open(&judge(&mut rule, 1000, candidates(2)).0) == [1]);
        // The first is forgotten at 5 s.
        assert_eq!(rule.due(), Some(at(5000)));
        assert_eq!(open(&judge(&mut rule, 5000, candidates(2)).0), [0, 1]);
        assert!(
            ended(&mut rule, 5500, Outcome::TimedOut),
            "that of 1 s still counts"
        );
        let (standing, _) = judge(&mut rule, 5500, candidates(2));
        assert_eq!((open(&standing), rule.due()), (vec![1], Some(at(6000))));
    }
}
