//! nginx's `max_fails` and `fail_timeout`: failures of attempts ban a server, and one attempt finds out whether it is back.
//!
//! The clock has whole seconds. A server with `max_fails` failures is banned until more than `fail_timeout` of them have passed since the
//! last; then one attempt is let through, and with it the time begins anew, so that the others wait for
//! what becomes of it: `fail_timeout` + 1 s from probe to probe. Failures are no count within a time:
//! they are forgotten with a success, and only when `fail_timeout` had passed before that attempt was sent.
//! Where all are banned nobody is let through, and nothing brings them back earlier. A lone server is never
//! banned.
//!
//! What counts: no answer at all, always, even if it is not passed on to another server. An answer that is an
//! error counts only where the balancer tries another server after it.
//!
//! nginx 1.31, `ngx_http_upstream_round_robin.c`; observed on 1.22.1 and 1.31.3.

use super::due::Due;
use super::{Candidate, HealthDef, HealthRule, Kind, News, PLAIN, Seen, Standing};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};

pub(super) static RULE: HealthDef = HealthDef {
    row: ExtensionRow {
        name: "max-fails",
        about: "As nginx: a server that has failed so often gets nothing for a time, by a clock of whole seconds, and then one attempt that finds out.",
        source: "nginx 1.31, ngx_http_upstream_round_robin.c; times checked against 1.22.1 and 1.31.3",
        params: &[
            ParamDef {
                name: "max_fails",
                about: "Failures that ban a server; 0: none do.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 1_000_000,
                    unit: "failures",
                },
                default: Some("1"),
            },
            ParamDef {
                name: "fail_timeout",
                about: "For how long, in whole seconds.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("10s"),
            },
            ParamDef {
                name: "errors",
                about: "Whether what a server answers with an error is a failure: only \"if-tried-again\", as with the statuses that proxy_next_upstream lists, or \"never\", as with 403 and 404. No answer at all is one always.",
                kind: ParamKind::Choice(&["if-tried-again", "never"]),
                default: Some("if-tried-again"),
            },
        ],
    },
    check,
    build: |params, servers| {
        let mut rule = MaxFails {
            errors: false,
            servers: vec![Record::NEW; servers],
            due: Due::default(),
        };
        rule.adopt(params);
        Box::new(rule)
    },
    watches: true,
    own: &["max_fails", "fail_timeout"],
    counts_sent: true,
    ..PLAIN
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let param = "fail_timeout";
    if params.span(param).0.is_multiple_of(SECOND) {
        return Ok(());
    }
    let message = format!(
        "`{param}` is {}, and must be whole seconds",
        params.span(param)
    );
    Err(ParamProblem { param, message })
}

const SECOND: u64 = 1_000_000_000;

#[derive(Clone, Debug)]
struct MaxFails {
    errors: bool,
    servers: Vec<Record>,
    due: Due,
}

#[derive(Clone, Debug)]
struct Record {
    /// Failures that ban; 0: none do.
    most: u64,
    /// In seconds, as all times here.
    fail_timeout: i64,
    fails: u64,
    /// When it failed last.
    accessed: i64,
    /// When it failed last, or was sent something after `fail_timeout` had passed.
    checked: i64,
    /// Whether it has been told that it is out.
    out: bool,
    due: Option<Instant>,
}

impl Record {
    const NEW: Self = Self {
        most: 0,
        fail_timeout: 0,
        fails: 0,
        accessed: LONG_AGO,
        checked: LONG_AGO,
        out: false,
        due: None,
    };

    fn is_over(&self, now: Instant) -> bool {
        seconds(now) - self.checked > self.fail_timeout
    }

    fn has_failed(&self) -> bool {
        self.most > 0 && self.fails >= self.most
    }

    fn adopt(&mut self, params: &Params) {
        self.most = params.integer("max_fails");
        self.fail_timeout = (params.span("fail_timeout").0 / SECOND).cast_signed();
    }
}

/// Before any `fail_timeout`.
const LONG_AGO: i64 = i64::MIN / 2;

fn seconds(now: Instant) -> i64 {
    (now.0 / SECOND).cast_signed()
}

impl MaxFails {
    fn look(&mut self, now: Instant, server: usize, candidate: &mut Candidate) {
        let record = &self.servers[server];
        let banned = record.has_failed() && !record.is_over(now);
        candidate.open &= !banned;
        let end = record
            .checked
            .saturating_add(record.fail_timeout)
            .saturating_add(1);
        let next = banned.then(|| Instant((end.max(0) as u64).saturating_mul(SECOND)));
        let before = std::mem::replace(&mut self.servers[server].due, next);
        self.due.replan(server, before, next);
    }

    fn counts(&self, outcome: Outcome, again: bool) -> bool {
        match outcome {
            Outcome::Refused | Outcome::Reset | Outcome::TimedOut | Outcome::ConnectTimedOut => {
                true
            }
            Outcome::Errored | Outcome::Rejected | Outcome::Shed | Outcome::Abandoned => {
                again && self.errors
            }
            Outcome::Succeeded | Outcome::Unavailable | Outcome::Cancelled => false,
        }
    }
}

impl HealthRule for MaxFails {
    fn adopt(&mut self, params: &Params) {
        for record in &mut self.servers {
            record.adopt(params);
        }
        self.errors = params.choice("errors") == 0;
    }

    fn adopt_server(&mut self, server: usize, params: &Params, _: bool) {
        self.servers[server].adopt(params);
    }

    fn judge(&mut self, now: Instant, standing: &mut Standing, _: &mut Vec<News>) {
        self.due.clear();
        for record in &mut self.servers {
            record.due = None;
        }
        for (server, candidate) in standing.servers.iter_mut().enumerate() {
            self.look(now, server, candidate);
        }
    }

    fn judge_one(
        &mut self,
        now: Instant,
        server: usize,
        candidate: &mut Candidate,
        _: &mut Vec<News>,
    ) -> bool {
        self.look(now, server, candidate);
        true
    }

    fn sent(&mut self, now: Instant, server: usize, _: &mut Vec<News>) -> bool {
        let record = &mut self.servers[server];
        if !record.is_over(now) {
            return false;
        }
        record.checked = seconds(now);
        record.has_failed()
    }

    fn ended_and(&mut self, seen: &Seen, again: bool, news: &mut Vec<News>) -> bool {
        let server = seen.server;
        if self.servers.len() == 1 {
            return false;
        }
        let failed = self.counts(seen.outcome, again);
        let record = &mut self.servers[server];
        if failed {
            record.fails += 1;
            record.accessed = seconds(seen.now);
            record.checked = record.accessed;
        } else if record.accessed < record.checked {
            record.fails = 0;
        }
        let out = record.has_failed();
        if out != record.out {
            record.out = out;
            let (kind, cause) = if out {
                let cause = format!("{} of max_fails = {} failures", record.fails, record.most);
                (Kind::Ejected, cause)
            } else {
                (
                    Kind::Readmitted,
                    "an attempt that was let through succeeded".to_owned(),
                )
            };
            news.push(News::of_server(kind, server, cause));
            return true;
        }
        // A further failure begins the time anew.
        out && failed
    }

    fn due(&self) -> Option<Instant> {
        self.due.first()
    }

    fn come_due(&self, now: Instant, servers: &mut Vec<u32>) {
        self.due.come(now, servers);
    }

    fn forget(&mut self) {
        for record in &mut self.servers {
            *record = Record {
                most: record.most,
                fail_timeout: record.fail_timeout,
                ..Record::NEW
            };
        }
        self.due.clear();
    }

    fn clone_box(&self) -> Box<dyn HealthRule> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{at, candidates, judge, open, params, rule};
    use super::*;
    use crate::extension::ParamValue;

    fn max_fails(servers: usize, fails: u64, seconds: u64) -> Box<dyn HealthRule> {
        let some = [
            ("max_fails", ParamValue::Integer(fails)),
            (
                "fail_timeout",
                ParamValue::Span(Duration::from_secs(seconds)),
            ),
        ];
        rule(&RULE, servers, &some)
    }

    /// An attempt that is sent and ends at once.
    fn attempt(rule: &mut Box<dyn HealthRule>, millis: u64, server: usize, outcome: Outcome) {
        let (now, news) = (at(millis), &mut Vec::new());
        rule.sent(now, server, news);
        let seen = Seen {
            now,
            server,
            outcome,
        };
        rule.ended_and(&seen, false, news);
    }

    fn open_at(rule: &mut Box<dyn HealthRule>, millis: u64, servers: usize) -> Vec<usize> {
        open(&judge(rule, millis, candidates(servers)).0)
    }

    #[test]
    fn one_attempt_is_let_through_in_each_time_by_a_clock_of_whole_seconds() {
        let mut rule = max_fails(2, 1, 2);
        attempt(&mut rule, 900, 0, Outcome::Refused);
        // The failure is of second 0: it is over when second 3 begins.
        assert_eq!(open_at(&mut rule, 2999, 2), [1]);
        assert_eq!(rule.due(), Some(at(3000)));
        assert_eq!(open_at(&mut rule, 3000, 2), [0, 1]);
        assert!(rule.sent(at(3400), 0, &mut Vec::new()));
        assert_eq!(open_at(&mut rule, 3400, 2), [1], "it is being found out");
        let seen = Seen {
            now: at(3500),
            server: 0,
            outcome: Outcome::Succeeded,
        };
        assert!(rule.ended_and(&seen, false, &mut Vec::new()));
        assert_eq!(open_at(&mut rule, 3500, 2), [0, 1]);
    }

    #[test]
    fn failures_are_forgotten_with_a_success_only_after_the_time() {
        let mut rule = max_fails(2, 2, 5);
        attempt(&mut rule, 0, 0, Outcome::Reset);
        attempt(&mut rule, 1000, 0, Outcome::Succeeded);
        attempt(&mut rule, 2000, 0, Outcome::Reset);
        assert_eq!(open_at(&mut rule, 2000, 2), [1]);
        let mut rule = max_fails(2, 2, 5);
        attempt(&mut rule, 0, 0, Outcome::Reset);
        attempt(&mut rule, 6000, 0, Outcome::Succeeded);
        attempt(&mut rule, 7000, 0, Outcome::Reset);
        assert_eq!(open_at(&mut rule, 7000, 2), [0, 1]);
    }

    #[test]
    fn an_error_counts_where_another_try_follows_and_a_lone_server_is_never_banned() {
        for (errors, again, banned) in [(0, true, true), (0, false, false), (1, true, false)] {
            let mut rule = rule(&RULE, 2, &[("errors", ParamValue::Choice(errors))]);
            let seen = Seen {
                now: at(10),
                server: 1,
                outcome: Outcome::Errored,
            };
            assert_eq!(rule.ended_and(&seen, again, &mut Vec::new()), banned);
            assert_eq!(open_at(&mut rule, 10, 2) == [0], banned);
        }
        let mut rule = max_fails(1, 1, 10);
        attempt(&mut rule, 0, 0, Outcome::Refused);
        assert_eq!(open_at(&mut rule, 0, 1), [0]);
        let mut rule = max_fails(2, 0, 10);
        attempt(&mut rule, 0, 0, Outcome::Refused);
        assert_eq!(open_at(&mut rule, 0, 2), [0, 1]);
    }

    #[test]
    fn a_server_may_have_numbers_of_its_own_and_keeps_them() {
        let mut rule = max_fails(3, 1, 10);
        let own = params(
            &RULE,
            &[
                ("max_fails", ParamValue::Integer(2)),
                ("fail_timeout", ParamValue::Span(Duration::from_secs(3))),
            ],
        );
        rule.adopt_server(1, &own, true);
        for after in [0, 100_000] {
            for server in [0, 1] {
                attempt(&mut rule, after, server, Outcome::Refused);
            }
            assert_eq!(open_at(&mut rule, after, 3), [1, 2]);
            attempt(&mut rule, after, 1, Outcome::Refused);
            assert_eq!(open_at(&mut rule, after, 3), [2]);
            assert_eq!(open_at(&mut rule, after + 4000, 3), [1, 2]);
            assert_eq!(open_at(&mut rule, after + 11_000, 3), [0, 1, 2]);
            rule.forget();
        }
        // Other numbers for all are those of all, until it is told again what differs.
        rule.adopt(&params(&RULE, &[]));
        attempt(&mut rule, 200_000, 1, Outcome::Refused);
        assert_eq!(open_at(&mut rule, 200_000, 3), [0, 2]);
    }

    #[test]
    fn all_may_be_banned_and_a_fail_timeout_is_whole_seconds() {
        let mut rule = max_fails(2, 1, 10);
        attempt(&mut rule, 0, 0, Outcome::Refused);
        attempt(&mut rule, 0, 1, Outcome::ConnectTimedOut);
        assert!(open_at(&mut rule, 10_999, 2).is_empty());
        assert_eq!(open_at(&mut rule, 11_000, 2), [0, 1]);
        let params = Params::new(vec![(
            "fail_timeout",
            ParamValue::Span(Duration::from_millis(1500)),
        )]);
        assert!(check(&params).is_err());
    }
}
