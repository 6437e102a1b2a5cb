//! Envoy's active health checks.
//!
//! The first check of a server decides at once, whatever the thresholds; so does an answer that is an error, whatever
//! `unhealthy_threshold`. Otherwise results in a row against the present judgement count. Checks of a healthy server that has begun to
//! fail come at `unhealthy_edge_interval`, those of an unhealthy one at `unhealthy_interval`, all others at `interval`.
//!
//! An Envoy that has sent nothing to a cluster since it started checks it at `no_traffic_interval`, once a minute by default. The first
//! check comes at the start, before any traffic, so that the second is a minute away, and traffic does not bring it forward. A
//! scenario begins with an Envoy that has had traffic unless it gives that interval.

use super::checks::{Checks, DEMAND, ERRORS, PHASE, PROBE, Phase, Probe, check_probe};
use super::{Candidate, HealthDef, HealthRule, Kind, News, PLAIN, Standing};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
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
        name: "envoy-health-checks",
        about: "Envoy's checks of every server: the first one and answers that are errors decide at once, the rest by thresholds.",
        source: "Envoy 1.40, health_checker_base_impl.cc",
        params: &[
            PROBE,
            interval("interval", "Time between checks of a healthy server.", "5s"),
            interval(
                "unhealthy_interval",
                "The same of an unhealthy one; 0s: as `interval`.",
                "0s",
            ),
            interval(
                "unhealthy_edge_interval",
                "The same of a healthy one that has begun to fail; 0s: as `unhealthy_interval`.",
                "0s",
            ),
            interval(
                "no_traffic_interval",
                "Time between checks while an instance has had no traffic since it started; the first ones come at its start. 0s: there was traffic before the scenario begins, and before a restart.",
                "0s",
            ),
            ParamDef {
                name: "timeout",
                about: "An unanswered check has failed after this.",
                kind: ParamKind::Span { min: Duration(1) },
                default: Some("2s"),
            },
            ParamDef {
                name: "unhealthy_threshold",
                about: "Failures in a row that take a server out.",
                kind: CHECKS,
                default: Some("3"),
            },
            ParamDef {
                name: "healthy_threshold",
                about: "Successes in a row that bring it back.",
                kind: CHECKS,
                default: Some("2"),
            },
            DEMAND,
            PHASE,
            ERRORS,
        ],
    },
    check,
    build: |params, servers| {
        let mut rule = EnvoyHealthChecks {
            fall: 0,
            rise: 0,
            servers: vec![Record::default(); servers],
        };
        rule.adopt(params);
        Box::new(rule)
    },
    by_checks: true,
    checks: |params| {
        let [interval, unhealthy, edge] = intervals(params);
        Some(Checks {
            probe: [Probe::Request, Probe::Connect][params.choice("probe")],
            interval,
            fast_interval: edge,
            down_interval: unhealthy,
            idle_interval: Some(params.span("no_traffic_interval")).filter(|span| !span.is_zero()),
            timeout: params.span("timeout"),
            demand: params.distribution("demand").clone(),
            phase: [Phase::Spread, Phase::Seed][params.choice("phase")],
            errors: params.flag("errors"),
        })
    },
    ..PLAIN
};

/// Time between checks of a healthy server, of an unhealthy one, and of one on its way there.
fn intervals(params: &Params) -> [Duration; 3] {
    let or = |name: &str, other: Duration| match params.span(name) {
        Duration::ZERO => other,
        span => span,
    };
    let interval = params.span("interval");
    let unhealthy = or("unhealthy_interval", interval);
    [
        interval,
        unhealthy,
        or("unhealthy_edge_interval", unhealthy),
    ]
}

fn check(params: &Params) -> Result<(), ParamProblem> {
    let idle = params.span("no_traffic_interval");
    if !idle.is_zero() && idle < Duration::from_millis(1) {
        let message = "checks that come more often than every millisecond".to_owned();
        let param = "no_traffic_interval";
        return Err(ParamProblem { param, message });
    }
    let names = ["interval", "unhealthy_interval", "unhealthy_edge_interval"];
    for (param, span) in names.into_iter().zip(intervals(params)) {
        if span < Duration::from_millis(1) {
            let message = "checks that come more often than every millisecond".to_owned();
            return Err(ParamProblem { param, message });
        }
    }
    check_probe(params)
}

#[derive(Clone, Debug)]
struct EnvoyHealthChecks {
    fall: u64,
    rise: u64,
    servers: Vec<Record>,
}

/// What the checks of a server said.
#[derive(Clone, Copy, Debug)]
struct Record {
    healthy: bool,
    /// Whether there was none yet.
    fresh: bool,
    /// Results in a row against the judgement.
    against: u64,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            healthy: true,
            fresh: true,
            against: 0,
        }
    }
}

impl EnvoyHealthChecks {
    fn result(&mut self, server: usize, passed: bool, error: bool, news: &mut Vec<News>) -> bool {
        let record = &mut self.servers[server];
        let first = std::mem::replace(&mut record.fresh, false);
        if passed == record.healthy {
            record.against = 0;
            return false;
        }
        record.against += 1;
        let wanted = if passed { self.rise } else { self.fall };
        if record.against < wanted && !first && !error {
            return false;
        }
        let (kind, cause) = match (passed, error) {
            (true, _) => (
                Kind::Readmitted,
                format!("{} checks passed", record.against),
            ),
            (false, true) => (
                Kind::Ejected,
                "a check was answered with an error".to_owned(),
            ),
            (false, false) => (Kind::Ejected, format!("{} checks failed", record.against)),
        };
        (record.healthy, record.against) = (passed, 0);
        news.push(News::of_server(kind, server, cause));
        true
    }
}

impl HealthRule for EnvoyHealthChecks {
    fn adopt(&mut self, params: &Params) {
        self.fall = params.integer("unhealthy_threshold");
        self.rise = params.integer("healthy_threshold");
    }

    fn adopt_server(&mut self, server: usize, _: &Params, checked: bool) {
        self.servers[server].healthy |= !checked;
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
        self.result(server, passed, false, news)
    }

    fn checked_with_error(&mut self, server: usize, news: &mut Vec<News>) -> bool {
        self.result(server, false, true, news)
    }

    fn doubts(&self, server: usize) -> bool {
        let record = &self.servers[server];
        record.healthy && record.against > 0
    }

    fn is_out(&self, server: usize) -> bool {
        let record = &self.servers[server];
        !record.healthy && record.against == 0
    }

    fn forget(&mut self) {
        self.servers.fill(Record::default());
    }

    fn clone_box(&self) -> Box<dyn HealthRule> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::ParamValue;
    use crate::health::testing::{candidates, judge, open, params, rule};

    /// Whether the only server is in after a result.
    fn after(rule: &mut Box<dyn HealthRule>, passed: bool) -> bool {
        rule.checked(0, passed, &mut Vec::new());
        !open(&judge(rule, 0, candidates(1)).0).is_empty()
    }

    #[test]
    fn case_271_hc_timeout_threshold() {
        let span = |seconds| ParamValue::Span(Duration::from_secs(seconds));
        let some = [
            ("interval", span(1)),
            ("unhealthy_interval", span(2)),
            ("unhealthy_edge_interval", span(3)),
        ];
        let intervals = intervals(&params(&RULE, &some));
        let mut rule = rule(&RULE, 1, &some);
        assert!(after(&mut rule, true));
        let mut next = Vec::new();
        let mut there = Vec::new();
        for _ in 0..3 {
            there.push(after(&mut rule, false));
            let seconds = match (rule.doubts(0), rule.is_out(0)) {
                (true, _) => intervals[2],
                (_, true) => intervals[1],
                _ => intervals[0],
            };
            next.push(seconds.as_secs_f64() as u64);
        }
        assert_eq!((there, next), (vec![true, true, false], vec![3, 3, 2]));
    }

    #[test]
    fn case_273_hc_first_success() {
        let mut fresh = rule(&RULE, 1, &[("healthy_threshold", ParamValue::Integer(2))]);
        assert!(after(&mut fresh, true), "the first pass suffices");
        let mut failed = rule(&RULE, 1, &[("healthy_threshold", ParamValue::Integer(2))]);
        assert!(!after(&mut failed, false), "and the first failure");
        // From then on thresholds hold.
        assert!(!after(&mut failed, true));
        assert!(after(&mut failed, true));
    }

    /// Measured with `unhealthy_threshold` 3: an answer of 503 takes out at the first check.
    #[test]
    fn an_error_decides_at_once() {
        let mut rule = rule(&RULE, 1, &[]);
        assert!(after(&mut rule, true) && after(&mut rule, false));
        assert!(rule.checked_with_error(0, &mut Vec::new()));
        assert!(rule.is_out(0));
    }
}
