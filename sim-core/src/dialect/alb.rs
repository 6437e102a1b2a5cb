//! The Application Load Balancer of AWS, as documented.

use super::{DialectDef, Member};
use crate::extension::{ExtensionRow, ParamDef, ParamProblem, Params};
use crate::time::Duration;

pub(super) static DIALECT: DialectDef = DialectDef {
    row: ExtensionRow {
        name: "alb",
        about: "AWS Application Load Balancer: a target group with its checks, slow start, and traffic for \
                all targets when none is healthy; it never tries another target.",
        source: "AWS documentation of Application Load Balancers, read in November 2026: target group \
                 attributes, health checks, routing algorithms",
        params: &[
            ParamDef::choice(
                "algorithm",
                &[
                    "round_robin",
                    "least_outstanding_requests",
                    "weighted_random",
                ],
                "round_robin",
                "How targets are chosen: load_balancing.algorithm.type of the target group.",
            ),
            ParamDef::span(
                "slow_start",
                Duration::ZERO,
                "0s",
                "Slow start, slow_start.duration_seconds: 30 s to 900 s in which a target that has become healthy is \
                        brought up to its share; 0 turns it off.",
            ),
            ParamDef::span(
                "interval",
                Duration::from_secs(5),
                "30s",
                "HealthCheckIntervalSeconds: from one check of a target to the next, 5 s to 300 s.",
            ),
            ParamDef::span(
                "timeout",
                Duration::from_secs(2),
                "5s",
                "HealthCheckTimeoutSeconds: a check without an answer has failed after so long, 2 s to 120 s.",
            ),
            ParamDef::count(
                "healthy_threshold",
                (2, 10),
                "checks",
                "5",
                "HealthyThresholdCount: checks in a row that must pass.",
            ),
            ParamDef::count(
                "unhealthy_threshold",
                (2, 10),
                "checks",
                "2",
                "UnhealthyThresholdCount: checks in a row that must fail.",
            ),
            ParamDef::span(
                "idle_timeout",
                Duration::from_secs(1),
                "1m",
                "A time-out, idle_timeout.timeout_seconds: a target that has said nothing for so long is given up, 1 s to 4000 s.",
            ),
        ],
    },
    check,
    refuses,
    expand,
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let most = |param: &'static str, seconds: u64| {
        let most = Duration::from_secs(seconds);
        if params.span(param) <= most {
            return Ok(());
        }
        let message = format!("`{param}` is at most {most}");
        Err(ParamProblem { param, message })
    };
    most("slow_start", 900)?;
    most("interval", 300)?;
    most("timeout", 120)?;
    most("idle_timeout", 4000)?;
    let problem = |param, message: &str| {
        let message = message.to_owned();
        Err(ParamProblem { param, message })
    };
    let slow_start = params.span("slow_start");
    if !slow_start.is_zero() && slow_start < Duration::from_secs(30) {
        return problem("slow_start", "`slow_start` is 0 or from 30s to 15m");
    }
    if !slow_start.is_zero() && params.choice("algorithm") != 0 {
        return problem("slow_start", "`slow_start` works with round_robin only");
    }
    if params.span("timeout") >= params.span("interval") {
        return problem("timeout", "`timeout` must be shorter than `interval`");
    }
    Ok(())
}

fn refuses(_: &Params, members: &[Member]) -> Option<String> {
    if members.iter().any(|member| member.backup) {
        return Some("a target group has no backups".to_owned());
    }
    let first = members.first()?.weight;
    let uneven = members
        .iter()
        .find(|member| member.weight.total_cmp(&first).is_ne())?;
    Some(format!(
        "targets have no weights of their own: {first} and {} are written",
        uneven.weight
    ))
}

fn expand(params: &Params) -> String {
    let slow_start = params.span("slow_start");
    let turns = if slow_start.is_zero() {
        "round-robin"
    } else {
        "weighted-round-robin"
    };
    let policy = [turns, "least-in-flight", "random"][params.choice("algorithm")];
    let slow_start = if slow_start.is_zero() {
        String::new()
    } else {
        format!("  {{ kind = \"slow-start\", over = \"{slow_start}\", from = 0.001 }},\n")
    };
    format!(
        "policy = \"{policy}\"\n\
         health = [\n  {{ kind = \"checks\", interval = \"{}\", timeout = \"{}\", fall = {}, rise = {} }},\n{slow_start}  \
         # With all targets unhealthy, all get traffic.\n  {{ kind = \"panic\", below = 0.000001 }},\n]\n\
         client = {{ timeout = \"{}\" }}\n",
        params.span("interval"),
        params.span("timeout"),
        params.integer("unhealthy_threshold"),
        params.integer("healthy_threshold"),
        params.span("idle_timeout"),
    )
}
