//! `HAProxy`'s checks: a counter for each server, which observed traffic may move as well.
//!
//! The counter goes from 0 to rise + fall - 1, and a server is up from `rise` on. A check that passes adds one,
//! and all that is left once the server is up; one that fails takes one away, and all that is left once it is
//! down. A server that nobody has checked yet is up by the least: the first check that fails takes it out. Checks
//! come at other intervals while the counter is on its way, and while a server is down for good.
//!
//! With `observe` errors in a row of the traffic itself are worth a failed check, or more.

use super::checks::{DEMAND, ERRORS, PHASE, PROBE, check_probe};
use super::{
    Candidate, Checks, HealthDef, HealthRule, Kind, News, PLAIN, Phase, Probe, Seen, Standing,
};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};

const CHECKS: ParamKind = ParamKind::Integer {
    min: 1,
    max: 1_000_000,
    unit: "checks",
};

const fn interval(name: &'static str, about: &'static str, default: &'static str) -> ParamDef {
    ParamDef {
        name,
        about,
        kind: ParamKind::Span {
            min: Duration::ZERO,
        },
        default: Some(default),
    }
}

pub(super) static RULE: HealthDef = HealthDef {
    row: ExtensionRow {
        name: "haproxy-checks",
        about: "HAProxy's checks of every server, each at its own interval by what is known of it, and its look at errors of the traffic itself.",
        source: "HAProxy 2.6 to 3.4, server options check, inter, fall, rise, observe and on-error, src/check.c",
        params: &[
            PROBE,
            interval("inter", "Time between checks of a server that is up.", "2s"),
            interval(
                "fastinter",
                "The same while results have begun to speak against the present judgement but do not suffice yet; 0s: as `inter`.",
                "0s",
            ),
            interval(
                "downinter",
                "The same of a server that is down and has passed no check since; 0s: as `inter`.",
                "0s",
            ),
            interval(
                "timeout",
                "An unanswered check has failed after this; 0s: as `inter`.",
                "0s",
            ),
            ParamDef {
                name: "fall",
                about: "Failures in a row that take a server out.",
                kind: CHECKS,
                default: Some("3"),
            },
            ParamDef {
                name: "rise",
                about: "Successes in a row that bring it back.",
                kind: CHECKS,
                default: Some("2"),
            },
            ParamDef {
                name: "observe",
                about: "Which errors of the traffic count: none; connections that fail; or these and answers that are errors, break off or take too long.",
                kind: ParamKind::Choice(&["none", "layer4", "layer7"]),
                default: Some("none"),
            },
            ParamDef {
                name: "error_limit",
                about: "How many of them in a row.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1_000_000,
                    unit: "errors",
                },
                default: Some("10"),
            },
            ParamDef {
                name: "on_error",
                about: "What that is worth: nothing but checks at `fastinter`; a failed check; one that leaves the next to decide; or the server is out at once.",
                kind: ParamKind::Choice(&["fastinter", "fail-check", "sudden-death", "mark-down"]),
                default: Some("fail-check"),
            },
            ParamDef {
                name: "on_marked_down",
                about: "What becomes of requests at a server that is taken out: nothing, they go on; or their connections are broken off, so that they fail or, if the balancer tries again after that, go elsewhere.",
                kind: ParamKind::Choice(&["none", "shutdown-sessions"]),
                default: Some("none"),
            },
            DEMAND,
            PHASE,
            ERRORS,
        ],
    },
    check: |params| {
        if params.span("inter") < SHORTEST {
            return Err(too_often("inter"));
        }
        for param in ["fastinter", "downinter"] {
            let span = params.span(param);
            if !span.is_zero() && span < SHORTEST {
                return Err(too_often(param));
            }
        }
        check_probe(params)
    },
    build: |params, servers| {
        let mut rule = HaProxyChecks {
            observe: Observe::Nothing,
            error_limit: 1,
            on_error: OnError::Fastinter,
            breaks_off: false,
            servers: vec![Record::default(); servers],
        };
        rule.adopt(params);
        rule.forget();
        Box::new(rule)
    },
    checks: |params| {
        let interval = params.span("inter");
        let or_interval = |param| match params.span(param) {
            Duration::ZERO => interval,
            span => span,
        };
        Some(Checks {
            probe: [Probe::Request, Probe::Connect][params.choice("probe")],
            interval,
            fast_interval: or_interval("fastinter"),
            down_interval: or_interval("downinter"),
            idle_interval: None,
            timeout: or_interval("timeout"),
            demand: params.distribution("demand").clone(),
            phase: [Phase::Spread, Phase::Seed][params.choice("phase")],
            errors: params.flag("errors"),
        })
    },
    watches: true,
    own: &["inter", "fastinter", "downinter", "fall", "rise"],
    ..PLAIN
};

const SHORTEST: Duration = Duration::from_millis(1);

fn too_often(param: &'static str) -> ParamProblem {
    ParamProblem {
        param,
        message: "checks that come more often than every millisecond".to_owned(),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Observe {
    Nothing,
    Connections,
    Answers,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum OnError {
    Fastinter,
    FailCheck,
    SuddenDeath,
    MarkDown,
}

#[derive(Clone, Debug)]
struct HaProxyChecks {
    observe: Observe,
    error_limit: u64,
    on_error: OnError,
    /// Whether what is at a server that is taken out is broken off.
    breaks_off: bool,
    servers: Vec<Record>,
}

#[derive(Clone, Debug)]
struct Record {
    fall: u64,
    rise: u64,
    /// Whether it is checked; one that is not is up, and its errors count for nothing.
    checked: bool,
    /// The counter.
    health: u64,
    /// Errors of the traffic in a row.
    errors: u64,
    /// Whether these ask for the next check to come soon.
    hastened: bool,
}

impl Default for Record {
    /// Up by the least.
    fn default() -> Self {
        Self {
            fall: 1,
            rise: 1,
            checked: true,
            health: 1,
            errors: 0,
            hastened: false,
        }
    }
}

impl Record {
    fn is_up(&self) -> bool {
        self.health >= self.rise
    }

    fn full(&self) -> u64 {
        self.rise + self.fall - 1
    }

    /// Takes on other numbers: who is up stays so, and who is down.
    fn adopt(&mut self, params: &Params, checked: bool) {
        let up = self.is_up() || !checked;
        (self.rise, self.fall) = (params.integer("rise"), params.integer("fall"));
        self.checked = checked;
        self.health = if up {
            self.health.clamp(self.rise, self.full())
        } else {
            self.health.min(self.rise - 1)
        };
    }
}

impl HaProxyChecks {
    fn is_up(&self, server: usize) -> bool {
        self.servers[server].is_up()
    }

    /// A check has passed or failed, or something worth that. Whether the server is up or down now and was not.
    fn count(&mut self, server: usize, passed: bool) -> bool {
        let record = &mut self.servers[server];
        let (rise, full, was_up) = (record.rise, record.full(), record.is_up());
        let health = &mut record.health;
        *health = match passed {
            true if *health + 1 >= rise => full,
            true => *health + 1,
            false if *health > rise => *health - 1,
            false => 0,
        };
        was_up != self.is_up(server)
    }

    fn tell(&self, server: usize, changed: bool, cause: &str, news: &mut Vec<News>) -> bool {
        if changed {
            let kind = if self.is_up(server) {
                Kind::Readmitted
            } else {
                Kind::Ejected
            };
            let mut item = News::of_server(kind, server, cause.to_owned());
            item.breaks_off = self.breaks_off && kind == Kind::Ejected;
            news.push(item);
        }
        changed
    }

    /// Whether an end of an attempt is an error; nothing where it says nothing of the server.
    fn is_error(&self, outcome: Outcome) -> Option<bool> {
        let unconnected = matches!(outcome, Outcome::Refused | Outcome::ConnectTimedOut);
        let answered = match outcome {
            Outcome::Cancelled | Outcome::Unavailable => return None,
            Outcome::Succeeded | Outcome::Shed => true,
            Outcome::Errored
            | Outcome::Rejected
            | Outcome::Abandoned
            | Outcome::TimedOut
            | Outcome::Reset
            | Outcome::Refused
            | Outcome::ConnectTimedOut => false,
        };
        match self.observe {
            Observe::Nothing => None,
            Observe::Connections => Some(unconnected),
            Observe::Answers => Some(!answered),
        }
    }
}

impl HealthRule for HaProxyChecks {
    fn adopt(&mut self, params: &Params) {
        for record in &mut self.servers {
            record.adopt(params, true);
        }
        let kinds = [Observe::Nothing, Observe::Connections, Observe::Answers];
        self.observe = kinds[params.choice("observe")];
        self.error_limit = params.integer("error_limit");
        self.breaks_off = params.choice("on_marked_down") > 0;
        self.on_error = [
            OnError::Fastinter,
            OnError::FailCheck,
            OnError::SuddenDeath,
            OnError::MarkDown,
        ][params.choice("on_error")];
    }

    fn adopt_server(&mut self, server: usize, params: &Params, checked: bool) {
        self.servers[server].adopt(params, checked);
    }

    fn judge(&mut self, _: Instant, standing: &mut Standing, _: &mut Vec<News>) {
        for (server, candidate) in standing.servers.iter_mut().enumerate() {
            candidate.open &= self.is_up(server);
        }
    }

    fn judge_one(
        &mut self,
        _: Instant,
        server: usize,
        candidate: &mut Candidate,
        _: &mut Vec<News>,
    ) -> bool {
        candidate.open &= self.is_up(server);
        true
    }

    fn checked(&mut self, server: usize, passed: bool, news: &mut Vec<News>) -> bool {
        let record = &mut self.servers[server];
        record.hastened = false;
        if passed {
            record.errors = 0;
        }
        let changed = self.count(server, passed);
        let cause = match (passed, self.is_up(server)) {
            (true, _) => format!("{} checks passed", self.servers[server].rise),
            (false, _) => "its checks failed".to_owned(),
        };
        self.tell(server, changed, &cause, news)
    }

    fn doubts(&self, server: usize) -> bool {
        let record = &self.servers[server];
        record.hastened || record.health > 0 && record.health < record.full()
    }

    fn is_out(&self, server: usize) -> bool {
        self.servers[server].health == 0
    }

    fn ended(&mut self, seen: &Seen, news: &mut Vec<News>) -> bool {
        let Some(error) = self.is_error(seen.outcome) else {
            return false;
        };
        let record = &mut self.servers[seen.server];
        let (rise, up) = (record.rise, record.is_up());
        if !record.checked {
            return false;
        }
        if !error {
            record.errors = 0;
            return false;
        }
        record.errors += 1;
        if record.errors < self.error_limit {
            return false;
        }
        record.errors = 0;
        record.hastened = true;
        match self.on_error {
            OnError::Fastinter => return false,
            OnError::SuddenDeath => record.health = record.health.min(rise + 1),
            OnError::MarkDown if up => record.health = rise,
            OnError::FailCheck | OnError::MarkDown => {}
        }
        let changed = self.count(seen.server, false);
        let cause = format!("{} errors in a row", self.error_limit);
        self.tell(seen.server, changed, &cause, news)
    }

    fn forget(&mut self) {
        for record in &mut self.servers {
            *record = Record {
                health: record.rise,
                errors: 0,
                hastened: false,
                ..record.clone()
            };
        }
    }

    fn clone_box(&self) -> Box<dyn HealthRule> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{at, candidates, judge, open, params, rule};
    use super::*;
    use crate::extension::ParamValue::{Choice, Integer, Span};

    /// Whether a server is up, and in doubt, after each of these results.
    fn after(rule: &mut Box<dyn HealthRule>, results: &str) -> String {
        let step = |result: char| {
            rule.checked(0, result == '+', &mut Vec::new());
            let up = !open(&judge(rule, 0, candidates(1)).0).is_empty();
            match (up, rule.doubts(0), rule.is_out(0)) {
                (true, false, _) => 'U',
                (true, true, _) => 'u',
                (false, true, _) => 'd',
                (false, false, out) => {
                    assert!(out);
                    'D'
                }
            }
        };
        results.chars().map(step).collect()
    }

    #[test]
    fn the_first_failure_takes_a_fresh_server_out_and_later_it_takes_some() {
        let fresh = || rule(&RULE, 1, &[]);
        assert!(fresh().doubts(0));
        assert_eq!(after(&mut fresh(), "-"), "D");
        assert_eq!(after(&mut fresh(), "+--+---++"), "UuuUuuDdU");
        assert_eq!(after(&mut fresh(), "+---+-++"), "UuuDdDdU");
        let mut one = rule(&RULE, 1, &[("fall", Integer(1)), ("rise", Integer(1))]);
        assert_eq!(after(&mut one, "+-+"), "UDU");
    }

    /// After how many errors of a server whose checks have passed it is out.
    fn errors_until_out(observe: usize, on_error: usize, outcome: Outcome) -> Option<u32> {
        let some = [
            ("observe", Choice(observe)),
            ("error_limit", Integer(4)),
            ("on_error", Choice(on_error)),
        ];
        let mut rule = rule(&RULE, 1, &some);
        rule.checked(0, true, &mut Vec::new());
        let seen = Seen {
            now: at(0),
            server: 0,
            outcome,
        };
        (1..100).find(|_| rule.ended(&seen, &mut Vec::new()))
    }

    #[test]
    fn errors_in_a_row_are_worth_what_is_asked_for() {
        let of = |on_error| errors_until_out(2, on_error, Outcome::Errored);
        assert_eq!([0, 1, 2, 3].map(of), [None, Some(12), Some(8), Some(4)]);
        let errors = |observe| {
            let all = Outcome::ALL.into_iter();
            let counts = |outcome: &Outcome| errors_until_out(observe, 3, *outcome).is_some();
            all.filter(counts).count()
        };
        assert_eq!([0, 1, 2].map(errors), [0, 2, 7]);
    }

    #[test]
    fn a_success_starts_the_errors_anew_and_fastinter_only_hastens() {
        let some = [
            ("observe", Choice(2)),
            ("error_limit", Integer(2)),
            ("on_error", Choice(0)),
        ];
        let mut rule = rule(&RULE, 1, &some);
        rule.checked(0, true, &mut Vec::new());
        let mut end = |outcome| {
            let seen = Seen {
                now: at(0),
                server: 0,
                outcome,
            };
            rule.ended(&seen, &mut Vec::new());
            rule.doubts(0)
        };
        let (error, success) = (Outcome::Errored, Outcome::Succeeded);
        assert_eq!(
            [error, success, error, error].map(&mut end),
            [false, false, false, true]
        );
        assert!(rule.doubts(0));
        rule.checked(0, true, &mut Vec::new());
        assert!(!rule.doubts(0));
    }

    #[test]
    fn intervals_default_to_the_first() {
        let checks = |some: &[_]| (RULE.checks)(&params(&RULE, some)).expect("it checks");
        let plain = checks(&[]);
        let all = [plain.fast_interval, plain.down_interval, plain.timeout];
        assert_eq!(all, [Duration::from_secs(2); 3]);
        let own = checks(&[("downinter", Span(Duration::from_secs(5)))]);
        assert_eq!(
            (own.fast_interval, own.down_interval.0),
            (own.interval, 5_000_000_000)
        );
    }
}
