//! Apache's `mod_proxy_balancer`.

use super::{DialectDef, Member};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::Duration;

pub(super) static DIALECT: DialectDef = DialectDef {
    row: ExtensionRow {
        name: "apache",
        about: "Apache's mod_proxy_balancer: members to which a connection failed are left alone for a minute, and all are tried when all failed; \
                what was sent is never sent to another member. Load factors are the servers' weights, hot standbys backups.",
        source: "Apache 2.4.71 (mpm_event), observed",
        params: &[
            ParamDef {
                name: "lbmethod",
                about: "How a member is chosen.",
                kind: ParamKind::Choice(&["byrequests", "bybusyness"]),
                default: Some("byrequests"),
            },
            ParamDef {
                name: "retry",
                about: "For how long a member in error state is left alone.",
                kind: ParamKind::Span {
                    min: Duration::from_secs(1),
                },
                default: Some("60s"),
            },
            ParamDef {
                name: "failonstatus",
                about: "Whether the status of what servers answer with an error is listed: it puts a member into error state, and is passed on.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
            ParamDef {
                name: "forcerecovery",
                about: "Whether all members are taken back when all are in error state.",
                kind: ParamKind::Flag,
                default: Some("true"),
            },
            ParamDef {
                name: "timeout",
                about: "A member that has said nothing for so long is given up; it stays in rotation.",
                kind: ParamKind::Span {
                    min: Duration::from_secs(1),
                },
                default: Some("60s"),
            },
        ],
    },
    check: |_| Ok::<(), ParamProblem>(()),
    refuses,
    expand,
};

fn refuses(_: &Params, members: &[Member]) -> Option<String> {
    let member = (members.iter()).find(|member| !(1.0..=100.0).contains(&member.weight))?;
    let weight = member.weight;
    Some(format!(
        "a loadfactor is from 1 to 100, and {weight} is written"
    ))
}

fn expand(params: &Params) -> String {
    let policy = [
        "{ kind = \"weighted-round-robin\", start = \"first\" }",
        "\"apache-bybusyness\"",
    ][params.choice("lbmethod")];
    format!(
        "policy = {policy}\n\
         health = [{{ kind = \"error-state\", retry = \"{}\", errors = {}, force_recovery = {} }}]\n\
         # Only what was not sent goes on to another member.\n\
         client = {{ timeout = \"{}\", retry = {{ kind = \"next-upstream\", method = \"post\" }} }}\n",
        params.span("retry"),
        params.flag("failonstatus"),
        params.flag("forcerecovery"),
        params.span("timeout"),
    )
}
