//! Envoy's `outlier_detection`, with its sweeps, its guard and its defaults.
//!
//! Failures in a row take a server out at once; the rest happens in sweeps, every `interval`. One more server is
//! taken out only if those out would then be no more than `max_ejection_percent` of all, so that the
//! default of 10 % takes out nobody of fewer than ten, unless `always_eject_one_host`. The n-th time out in a row lasts n
//! times `base_ejection_time`, up to `max_ejection_time`, and on to the next sweep; each sweep in good health forgets
//! one. What is found and not enforced changes nothing. Local-origin errors count as gateway failures, as
//! without `split_external_local_origin_errors`.

use super::sweeping::{Algorithm, Detector, Program, Row, Settings};
use super::{HealthDef, PLAIN};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::Duration;

const PERCENT: ParamKind = ParamKind::Number {
    min: 0.0,
    max: 100.0,
    unit: "%",
};

/// Statuses that a server's errors may have.
const STATUSES: [u16; 10] = [400, 404, 408, 409, 429, 500, 501, 502, 503, 504];

pub(super) static RULE: HealthDef = HealthDef {
    row: ExtensionRow {
        name: "envoy-outlier-detection",
        about: "Envoy's outlier detection: failures in a row at once, success rate and failure percentage in sweeps, returns in sweeps.",
        source: "Envoy 1.40, outlier_detection_impl.cc",
        params: &[
            ParamDef {
                name: "consecutive_5xx",
                about: "Answers of 5xx in a row, time-outs and broken connections among them, that take a server out; 0: never.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 1000000,
                    unit: "answers",
                },
                default: Some("5"),
            },
            ParamDef {
                name: "enforcing_consecutive_5xx",
                about: "How often that is done where it is found.",
                kind: PERCENT,
                default: Some("100"),
            },
            ParamDef {
                name: "consecutive_gateway_failure",
                about: "The same of 502, 503 and 504, time-outs and broken connections; 0: never.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 1000000,
                    unit: "answers",
                },
                default: Some("5"),
            },
            ParamDef {
                name: "enforcing_consecutive_gateway_failure",
                about: "How often that is done where it is found.",
                kind: PERCENT,
                default: Some("0"),
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
                about: "The longest time out, not less than `base_ejection_time`.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("5m"),
            },
            ParamDef {
                name: "max_ejection_time_jitter",
                about: "A random time up to this is added to each time out.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("0s"),
            },
            ParamDef {
                name: "max_ejection_percent",
                about: "The share of the servers in rotation that may be out, the next one included.",
                kind: PERCENT,
                default: Some("10"),
            },
            ParamDef {
                name: "always_eject_one_host",
                about: "Whether one may be out whatever its share.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
            ParamDef {
                name: "enforcing_success_rate",
                about: "How often a server far below the mean success rate of an interval is taken out.",
                kind: PERCENT,
                default: Some("100"),
            },
            ParamDef {
                name: "success_rate_minimum_hosts",
                about: "So many servers with enough attempts there must be for that.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 1000000,
                    unit: "servers",
                },
                default: Some("5"),
            },
            ParamDef {
                name: "success_rate_request_volume",
                about: "So many attempts in an interval are enough for that.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 1000000000,
                    unit: "attempts",
                },
                default: Some("100"),
            },
            ParamDef {
                name: "success_rate_stdev_factor",
                about: "How far is far: thousandths of the standard deviation of the servers' success rates.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 1000000,
                    unit: "thousandths",
                },
                default: Some("1900"),
            },
            ParamDef {
                name: "enforcing_failure_percentage",
                about: "How often a server with too many failures in an interval is taken out.",
                kind: PERCENT,
                default: Some("0"),
            },
            ParamDef {
                name: "failure_percentage_threshold",
                about: "How many are too many.",
                kind: PERCENT,
                default: Some("85"),
            },
            ParamDef {
                name: "failure_percentage_minimum_hosts",
                about: "So many servers with enough attempts there must be for that.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 1000000,
                    unit: "servers",
                },
                default: Some("5"),
            },
            ParamDef {
                name: "failure_percentage_request_volume",
                about: "So many attempts in an interval are enough for that.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 1000000000,
                    unit: "attempts",
                },
                default: Some("50"),
            },
            ParamDef {
                name: "successful_active_health_check_uneject_host",
                about: "Whether a passed check brings a server back, where it stands behind `checks` and these take the server for healthy.",
                kind: ParamKind::Flag,
                default: Some("true"),
            },
            ParamDef {
                name: "status",
                about: "The status of what a server answers with an error: below 500 it is no failure.",
                kind: ParamKind::Choice(&[
                    "400", "404", "408", "409", "429", "500", "501", "502", "503", "504",
                ]),
                default: Some("503"),
            },
        ],
    },
    check,
    build: |params, servers| Box::new(Detector::new(params, read, servers)),
    watches: true,
    ..PLAIN
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    if params.span("max_ejection_time") < params.span("base_ejection_time") {
        return Err(ParamProblem {
            param: "max_ejection_time",
            message: "cannot be smaller than base_ejection_time: Envoy refuses it".to_owned(),
        });
    }
    Ok(())
}

fn read(params: &Params) -> Settings {
    let algorithm = |limit: f64, enforcing: &str, hosts: &str, volume: &str| Algorithm {
        limit,
        enforcing: params.number(enforcing),
        hosts: params.integer(hosts) as usize,
        volume: params.integer(volume),
    };
    let row = |length: &str, enforcing: &str| {
        let length = params.integer(length);
        let enforcing = params.number(enforcing);
        (length > 0).then_some(Row { length, enforcing })
    };
    Settings {
        program: Program::Envoy,
        interval: params.span("interval"),
        base: params.span("base_ejection_time"),
        max: params.span("max_ejection_time"),
        jitter: params.span("max_ejection_time_jitter"),
        max_ejected: params.number("max_ejection_percent"),
        always_one: params.flag("always_eject_one_host"),
        success_rate: Some(algorithm(
            params.integer("success_rate_stdev_factor") as f64,
            "enforcing_success_rate",
            "success_rate_minimum_hosts",
            "success_rate_request_volume",
        )),
        failure_percentage: Some(algorithm(
            params.number("failure_percentage_threshold"),
            "enforcing_failure_percentage",
            "failure_percentage_minimum_hosts",
            "failure_percentage_request_volume",
        )),
        row_5xx: row("consecutive_5xx", "enforcing_consecutive_5xx"),
        row_gateway: row(
            "consecutive_gateway_failure",
            "enforcing_consecutive_gateway_failure",
        ),
        checks_bring_back: params.flag("successful_active_health_check_uneject_host"),
        status: STATUSES[params.choice("status")],
    }
}

#[cfg(test)]
mod tests;
