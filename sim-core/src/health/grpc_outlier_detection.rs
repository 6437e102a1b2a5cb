//! gRPC's outlier detection (gRFC A50): Envoy's sweeps without what happens between them.
//!
//! Failures in a row are not looked at, whatever xDS says of them; success rate and failure percentage are two
//! algorithms, of which none is there unless it is asked for. The guard is another than Envoy's: the share of servers
//! that are out already is compared with `max_ejection_percent`, so that the first one always goes. A server whose
//! time is over comes back at the end of a sweep, and a sweep in good health forgets one time out at once.

use super::sweeping::{Algorithm, Detector, Program, Settings};
use super::{HealthDef, PLAIN};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::Duration;

const PERCENT: ParamKind = ParamKind::Number {
    min: 0.0,
    max: 100.0,
    unit: "%",
};
const HOSTS: ParamKind = ParamKind::Integer {
    min: 0,
    max: 1_000_000,
    unit: "servers",
};
const VOLUME: ParamKind = ParamKind::Integer {
    min: 0,
    max: 1_000_000_000,
    unit: "attempts",
};

pub(super) static RULE: HealthDef = HealthDef {
    row: ExtensionRow {
        name: "grpc-outlier-detection",
        about: "Outlier detection of gRPC: success rate and failure percentage in sweeps; the first outlier goes whatever the limit.",
        source: "gRFC A50; grpc-go 1.60 and later, balancer/outlierdetection",
        params: &[
            ParamDef {
                name: "algorithms",
                about: "Which algorithms are there: \"success-rate\", \"failure-percentage\" or \"both\".",
                kind: ParamKind::Choice(&["success-rate", "failure-percentage", "both"]),
                default: Some("success-rate"),
            },
            ParamDef {
                name: "interval",
                about: "Time between sweeps.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("10s"),
            },
            ParamDef {
                name: "base_ejection_time",
                about: "How long the first time out lasts; the n-th in a row lasts n times as long.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("30s"),
            },
            ParamDef {
                name: "max_ejection_time",
                about: "The longest time out, where it is more than `base_ejection_time`.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("5m"),
            },
            ParamDef {
                name: "max_ejection_percent",
                about: "The share of the servers in rotation from which on no further one is taken out.",
                kind: PERCENT,
                default: Some("10"),
            },
            ParamDef {
                name: "stdev_factor",
                about: "Success rate: how far below the mean an outlier is, in thousandths of the standard deviation.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 1_000_000,
                    unit: "thousandths",
                },
                default: Some("1900"),
            },
            ParamDef {
                name: "threshold",
                about: "Failure percentage: more failures than so many percent make an outlier.",
                kind: PERCENT,
                default: Some("85"),
            },
            ParamDef {
                name: "enforcement_percentage",
                about: "How often an outlier is taken out.",
                kind: PERCENT,
                default: Some("100"),
            },
            ParamDef {
                name: "minimum_hosts",
                about: "So many servers with enough attempts there must be.",
                kind: HOSTS,
                default: Some("5"),
            },
            ParamDef {
                name: "request_volume",
                about: "So many attempts in an interval are enough: gRPC's defaults are 100 for success rates and 50 for failure percentages.",
                kind: VOLUME,
                default: Some("100"),
            },
        ],
    },
    check,
    build: |params, servers| Box::new(Detector::new(params, read, servers)),
    watches: true,
    ..PLAIN
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    if params.number("max_ejection_percent") <= 0.0 {
        return Err(ParamProblem {
            param: "max_ejection_percent",
            message: "nobody would ever be taken out; leave the rule out instead".to_owned(),
        });
    }
    Ok(())
}

fn read(params: &Params) -> Settings {
    let algorithm = |limit: f64| Algorithm {
        limit,
        enforcing: params.number("enforcement_percentage"),
        hosts: params.integer("minimum_hosts") as usize,
        volume: params.integer("request_volume"),
    };
    let algorithms = params.choice("algorithms");
    let success_rate = algorithm(params.integer("stdev_factor") as f64);
    let failure_percentage = algorithm(params.number("threshold"));
    Settings {
        program: Program::Grpc,
        interval: params.span("interval"),
        base: params.span("base_ejection_time"),
        max: params.span("max_ejection_time"),
        jitter: Duration::ZERO,
        max_ejected: params.number("max_ejection_percent"),
        always_one: false,
        success_rate: (algorithms != 1).then_some(success_rate),
        failure_percentage: (algorithms != 0).then_some(failure_percentage),
        row_5xx: None,
        row_gateway: None,
        checks_bring_back: false,
        // Any status but OK is a failure.
        status: 503,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::ParamValue;
    use crate::health::testing::{at, candidates, judge, open, rule};
    use crate::health::{HealthRule, Seen};
    use crate::outcome::Outcome;

    const NOBODY: [usize; 0] = [];

    fn number(name: &'static str, x: f64) -> (&'static str, ParamValue) {
        (name, ParamValue::Number(x))
    }
    fn whole(name: &'static str, n: u64) -> (&'static str, ParamValue) {
        (name, ParamValue::Integer(n))
    }

    fn attempts(rule: &mut Box<dyn HealthRule>, millis: u64, server: usize, of: Outcome, n: usize) {
        for _ in 0..n {
            let seen = Seen {
                now: at(millis),
                server,
                outcome: of,
            };
            rule.ended(&seen, &mut Vec::new());
        }
    }

    fn out(rule: &mut Box<dyn HealthRule>, millis: u64, servers: usize) -> Vec<usize> {
        let there = open(&judge(rule, millis, candidates(servers)).0);
        (0..servers).filter(|s| !there.contains(s)).collect()
    }

    /// Who is out after a sweep in which the first servers failed so many attempts, and the others none.
    fn swept(
        some: &[(&'static str, ParamValue)],
        servers: usize,
        bad: usize,
        each: usize,
    ) -> Vec<usize> {
        let mut rule = rule(&RULE, servers, some);
        out(&mut rule, 0, servers);
        for server in 0..servers {
            let end = if server < bad {
                Outcome::Errored
            } else {
                Outcome::Succeeded
            };
            attempts(&mut rule, 1, server, end, each);
        }
        assert_eq!(out(&mut rule, 9_999, servers), NOBODY);
        out(&mut rule, 10_000, servers)
    }

    fn by_failures(enforcement: f64) -> [(&'static str, ParamValue); 6] {
        [
            ("algorithms", ParamValue::Choice(1)),
            number("threshold", 50.0),
            whole("minimum_hosts", 3),
            whole("request_volume", 3),
            number("max_ejection_percent", 10.0),
            number("enforcement_percentage", enforcement),
        ]
    }

    #[test]
    fn case_329_od_failure_percent() {
        assert_eq!(swept(&by_failures(100.0), 3, 1, 5), [0]);
    }

    #[test]
    fn case_331_od_enforcement_0() {
        assert_eq!(swept(&by_failures(0.0), 3, 1, 5), NOBODY);
    }

    #[test]
    fn case_335_od_volume() {
        let some = [
            whole("stdev_factor", 100),
            whole("minimum_hosts", 3),
            whole("request_volume", 20),
        ];
        assert_eq!(swept(&some, 5, 1, 19), NOBODY);
        assert_eq!(swept(&some, 5, 1, 20), [0]);
    }

    #[test]
    fn case_337_od_consecutive_ignored() {
        let mut rule = rule(&RULE, 5, &[]);
        attempts(&mut rule, 1, 0, Outcome::Errored, 50);
        assert_eq!(out(&mut rule, 2, 5), NOBODY);
        assert_eq!(out(&mut rule, 10_000, 5), NOBODY);
    }

    fn by_rate(limit: f64) -> [(&'static str, ParamValue); 4] {
        [
            whole("stdev_factor", 1),
            whole("minimum_hosts", 3),
            whole("request_volume", 10),
            number("max_ejection_percent", limit),
        ]
    }

    #[test]
    fn case_347_od_max_30_of_5() {
        assert_eq!(swept(&by_rate(30.0), 5, 3, 10), [0, 1]);
    }

    #[test]
    fn case_349_od_two_outliers() {
        assert_eq!(swept(&by_rate(50.0), 5, 2, 10), [0, 1]);
    }

    /// Out for 30 s from the sweep at 10 s; at 40 s its time is just over, which is not enough.
    #[test]
    fn it_comes_back_at_the_first_sweep_after_its_time() {
        let mut rule = rule(&RULE, 3, &by_failures(100.0));
        attempts(&mut rule, 1, 0, Outcome::Reset, 5);
        for server in [1, 2] {
            attempts(&mut rule, 1, server, Outcome::Succeeded, 5);
        }
        for sweep in 1..=4 {
            assert_eq!(out(&mut rule, 10_000 * sweep, 3), [0], "{sweep}");
        }
        assert_eq!(out(&mut rule, 50_000, 3), NOBODY);
    }
}
