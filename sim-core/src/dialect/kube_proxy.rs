//! kube-proxy, and the readiness that its endpoints follow.

use super::{DialectDef, Member};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::Duration;

pub(super) static DIALECT: DialectDef = DialectDef {
    row: ExtensionRow {
        name: "kube-proxy",
        about: "A Kubernetes service: each connection goes to an endpoint that is drawn; who is an endpoint is a matter of \
                readiness probes alone, and nobody tries another one. Where callers keep connections, write `balances = \"connections\"` beside it.",
        source: "Kubernetes 1.31, kube-proxy's modes and the documentation of probes",
        params: &[
            ParamDef {
                name: "mode",
                about: "What a connection is sent by: rules of \"iptables\" or nftables, which draw, or \"ipvs\", which takes turns.",
                kind: ParamKind::Choice(&["iptables", "ipvs"]),
                default: Some("iptables"),
            },
            ParamDef {
                name: "period",
                about: "From one readiness probe to the next, periodSeconds.",
                kind: ParamKind::Span {
                    min: Duration::from_secs(1),
                },
                default: Some("10s"),
            },
            ParamDef {
                name: "timeout",
                about: "A probe without an answer has failed after so long, timeoutSeconds.",
                kind: ParamKind::Span {
                    min: Duration::from_secs(1),
                },
                default: Some("1s"),
            },
            ParamDef {
                name: "failure_threshold",
                about: "Probes in a row that must fail, failureThreshold.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1000,
                    unit: "probes",
                },
                default: Some("3"),
            },
            ParamDef {
                name: "success_threshold",
                about: "Probes in a row that must pass, successThreshold.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1000,
                    unit: "probes",
                },
                default: Some("1"),
            },
        ],
    },
    check,
    refuses,
    expand,
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    if params.span("timeout") <= params.span("period") {
        return Ok(());
    }
    Err(ParamProblem {
        param: "timeout",
        message: "`timeout` must not be longer than `period`".to_owned(),
    })
}

fn refuses(_: &Params, members: &[Member]) -> Option<String> {
    if members.iter().any(|member| member.backup) {
        return Some("a service has no backups".to_owned());
    }
    let first = members.first()?.weight;
    let uneven = members
        .iter()
        .any(|member| member.weight.to_bits() != first.to_bits());
    uneven.then(|| "endpoints have no weights".to_owned())
}

fn expand(params: &Params) -> String {
    let policy = ["random", "round-robin"][params.choice("mode")];
    format!(
        "policy = \"{policy}\"\n\
         health = [{{ kind = \"checks\", interval = \"{}\", timeout = \"{}\", fall = {}, rise = {} }}]\n",
        params.span("period"),
        params.span("timeout"),
        params.integer("failure_threshold"),
        params.integer("success_threshold"),
    )
}
