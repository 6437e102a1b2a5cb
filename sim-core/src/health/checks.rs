//! Active checks: a server that fails some in a row is taken out, and comes back after some passes.
//!
//! The counting is that of `HAProxy`: results against the present judgement add up, one for it starts
//! anew. In doubt, between the first result against it and the last, checks may come faster.

use super::{Candidate, HealthDef, HealthRule, Kind, News, PLAIN, Standing};
use crate::distribution::DistributionDef;
use crate::extension::{Configured, ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::{Duration, Instant};

/// What a probe does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Probe {
    /// Sends a request, which waits in the server's queue like any other.
    Request,
    /// Opens a connection, which a server that is up accepts however busy it is.
    Connect,
}

/// When the first probes come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Evenly spread over the interval, server by server, the same at all instances.
    Spread,
    /// At random in the interval, for each instance and server by itself.
    Seed,
}

/// The probes of a `checks` row.
#[derive(Clone, PartialEq, Debug)]
pub struct Checks {
    /// What a probe does.
    pub probe: Probe,
    /// Time between probes of one server.
    pub interval: Duration,
    /// The same in doubt.
    pub fast_interval: Duration,
    /// The same of a server that is out, and has passed none since.
    pub down_interval: Duration,
    /// The same whatever was seen, while the instance has had no traffic since it started; the first ones then come at
    /// its start. Absent: traffic makes no difference.
    pub idle_interval: Option<Duration>,
    /// An unanswered probe has failed after this.
    pub timeout: Duration,
    /// Time of service of a probe.
    pub demand: Configured<DistributionDef>,
    /// When the first ones come.
    pub phase: Phase,
    /// Whether the errors of a server hit probes as well.
    pub errors: bool,
}

const PROBES: ParamKind = ParamKind::Integer {
    min: 1,
    max: 1_000_000,
    unit: "probes",
};

/// Parameter of rules that probe: what a probe does.
pub(super) const PROBE: ParamDef = ParamDef {
    name: "probe",
    about: "What a probe does: send a request, which waits in the server's queue like any other, or only open a connection, which a server that is up accepts however busy it is.",
    kind: ParamKind::Choice(&["request", "connect"]),
    default: Some("request"),
};

/// Parameter of rules that probe: how long it is served.
pub(super) const DEMAND: ParamDef = ParamDef {
    name: "demand",
    about: "Time of service of a probe.",
    kind: ParamKind::Distribution,
    default: Some("1ms"),
};

/// Parameter of rules that probe: when the first comes.
pub(super) const PHASE: ParamDef = ParamDef {
    name: "phase",
    about: "When the first probes come: spread evenly over the interval, server by server, or at times drawn from the seed for each instance and server.",
    kind: ParamKind::Choice(&["spread", "seed"]),
    default: Some("spread"),
};

/// Parameter of rules that probe: what its errors are.
pub(super) const ERRORS: ParamDef = ParamDef {
    name: "errors",
    about: "Whether probes fail as often as requests do by the server's `errors`. Most health pages run little of the code that fails, so they do not.",
    kind: ParamKind::Flag,
    default: Some("false"),
};

pub(super) static RULE: HealthDef = HealthDef {
    row: ExtensionRow {
        name: "checks",
        about: "Probes every server and takes out those that fail `fall` probes in a row, until they pass `rise` in a row.",
        source: "HAProxy 3.0, configuration manual, section 5.2: inter, fastinter, fall, rise",
        params: &[
            PROBE,
            ParamDef {
                name: "interval",
                about: "Time between probes of one server.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("5s"),
            },
            ParamDef {
                name: "fast_interval",
                about: "The same while results have begun to speak against the present judgement but do not suffice yet; 0s: as `interval`.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("0s"),
            },
            ParamDef {
                name: "timeout",
                about: "An unanswered probe has failed after this.",
                kind: ParamKind::Span { min: Duration(1) },
                default: Some("2s"),
            },
            ParamDef {
                name: "fall",
                about: "Failures in a row that take a server out.",
                kind: PROBES,
                default: Some("3"),
            },
            ParamDef {
                name: "rise",
                about: "Successes in a row that bring it back.",
                kind: PROBES,
                default: Some("2"),
            },
            DEMAND,
            PHASE,
            ERRORS,
        ],
    },
    check,
    build: |params, servers| {
        let mut rule = ChecksRule {
            servers: vec![Record::default(); servers],
        };
        rule.adopt(params);
        Box::new(rule)
    },
    by_checks: true,
    checks: |params| Some(checks(params)),
    own: &["interval", "fast_interval", "fall", "rise"],
    ..PLAIN
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let fast = params.span("fast_interval");
    if !fast.is_zero() && fast < Duration::from_millis(1) {
        return Err(ParamProblem {
            param: "fast_interval",
            message: "probes that come more often than every millisecond; at least 1ms, or 0s for `interval`".to_owned(),
        });
    }
    check_probe(params)
}

/// What the parameters of a probe must keep to.
pub(super) fn check_probe(params: &Params) -> Result<(), ParamProblem> {
    if params.flag("errors") && params.choice("probe") == 1 {
        return Err(ParamProblem {
            param: "errors",
            message: "a probe that only opens a connection meets no error of the server".to_owned(),
        });
    }
    Ok(())
}

fn checks(params: &Params) -> Checks {
    let interval = params.span("interval");
    let fast = params.span("fast_interval");
    Checks {
        probe: [Probe::Request, Probe::Connect][params.choice("probe")],
        interval,
        fast_interval: if fast.is_zero() { interval } else { fast },
        down_interval: interval,
        idle_interval: None,
        timeout: params.span("timeout"),
        demand: params.distribution("demand").clone(),
        phase: [Phase::Spread, Phase::Seed][params.choice("phase")],
        errors: params.flag("errors"),
    }
}

#[derive(Clone, Debug)]
struct ChecksRule {
    servers: Vec<Record>,
}

/// What the checks of a server said.
#[derive(Clone, Debug)]
struct Record {
    fall: u64,
    rise: u64,
    healthy: bool,
    /// Results in a row: successes if positive, failures if negative.
    row: i64,
}

impl Default for Record {
    /// Healthy until the contrary is proven.
    fn default() -> Self {
        Self {
            fall: 1,
            rise: 1,
            healthy: true,
            row: 0,
        }
    }
}

impl HealthRule for ChecksRule {
    fn adopt(&mut self, params: &Params) {
        for server in 0..self.servers.len() {
            self.adopt_server(server, params, true);
        }
    }

    fn adopt_server(&mut self, server: usize, params: &Params, checked: bool) {
        let record = &mut self.servers[server];
        record.fall = params.integer("fall");
        record.rise = params.integer("rise");
        record.healthy |= !checked;
    }

    fn judge(&mut self, _: Instant, standing: &mut Standing, _: &mut Vec<News>) {
        for (candidate, record) in standing.servers.iter_mut().zip(&self.servers) {
            candidate.open &= record.healthy;
        }
    }

    fn judge_one(
        &mut self,
        _: Instant,
        server: usize,
        candidate: &mut Candidate,
        _: &mut Vec<News>,
    ) -> bool {
        candidate.open &= self.servers[server].healthy;
        true
    }

    fn checked(&mut self, server: usize, passed: bool, news: &mut Vec<News>) -> bool {
        let record = &mut self.servers[server];
        record.row = match (passed, record.row) {
            (true, row) if row > 0 => row + 1,
            (true, _) => 1,
            (false, row) if row < 0 => row - 1,
            (false, _) => -1,
        };
        let count = record.row.unsigned_abs();
        let (kind, cause) = if record.healthy && !passed && count >= record.fall {
            (Kind::Ejected, format!("{count} probes failed"))
        } else if !record.healthy && passed && count >= record.rise {
            (Kind::Readmitted, format!("{count} probes passed"))
        } else {
            return false;
        };
        record.healthy = passed;
        news.push(News::of_server(kind, server, cause));
        true
    }

    fn doubts(&self, server: usize) -> bool {
        let record = &self.servers[server];
        record.healthy == (record.row < 0) && record.row != 0
    }

    fn clone_box(&self) -> Box<dyn HealthRule> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{candidates, judge, open, params, rule};
    use super::*;
    use crate::extension::ParamValue;

    #[test]
    fn falls_and_rises_after_results_in_a_row_and_doubts_in_between() {
        let some = [
            ("fall", ParamValue::Integer(2)),
            ("rise", ParamValue::Integer(3)),
        ];
        let mut rule = rule(&RULE, 1, &some);
        let mut news = Vec::new();
        let mut step = |passed| {
            let changed = rule.checked(0, passed, &mut news);
            let in_set = !open(&judge(&mut rule, 0, candidates(1)).0).is_empty();
            (changed, in_set, rule.doubts(0))
        };
        assert_eq!(step(true), (false, true, false));
        assert_eq!(step(false), (false, true, true));
        // A pass starts anew.
        assert_eq!(step(true), (false, true, false));
        assert_eq!(step(false), (false, true, true));
        assert_eq!(step(false), (true, false, false));
        assert_eq!(step(false), (false, false, false));
        assert_eq!(step(true), (false, false, true));
        assert_eq!(step(true), (false, false, true));
        assert_eq!(step(true), (true, true, false));
        let causes: Vec<_> = news.iter().map(|n| (n.kind, n.cause.as_str())).collect();
        let told = [
            (Kind::Ejected, "2 probes failed"),
            (Kind::Readmitted, "3 probes passed"),
        ];
        assert_eq!(causes, told);
    }

    #[test]
    fn other_numbers_apply_to_what_was_seen_before() {
        let mut rule = rule(&RULE, 1, &[]);
        let mut news = Vec::new();
        assert!(!rule.checked(0, false, &mut news));
        rule.adopt(&params(&RULE, &[("fall", ParamValue::Integer(2))]));
        assert!(rule.checked(0, false, &mut news));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let mut values = params(&RULE, &[("probe", ParamValue::Choice(1))]);
        assert_eq!((RULE.check)(&values), Ok(()));
        values = Params::new(
            values
                .iter()
                .map(|(name, value)| match name {
                    "errors" => (name, ParamValue::Flag(true)),
                    _ => (name, value.clone()),
                })
                .collect(),
        );
        let problem = (RULE.check)(&values).expect_err("a connection meets no error");
        assert_eq!(problem.param, "errors");
    }
}
