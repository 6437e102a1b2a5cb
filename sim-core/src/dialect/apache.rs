//! Apache's `mod_proxy_balancer`.

use super::{DialectDef, Member};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::Duration;

pub(super) static DIALECT: DialectDef = DialectDef {
    row: ExtensionRow {
        name: "apache",
        about: "Apache's mod_proxy_balancer: members to which a connection failed are left alone for a minute, and all are tried when all failed; \
                what was sent is never sent to another member. Load factors are the servers' weights, lbsets their priorities, hot standbys or spares backups.",
        source: "Apache 2.4.71 (mpm_event), observed; mod_proxy_balancer.c, proxy_util.c",
        params: &[
            ParamDef {
                name: "lbmethod",
                about: "How a member is chosen; bytraffic is not simulated, since requests have no sizes.",
                kind: ParamKind::Choice(&["byrequests", "bybusyness"]),
                default: Some("byrequests"),
            },
            ParamDef {
                name: "retry",
                about: "For how long a member in error state is left alone; 0s: not at all.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("60s"),
            },
            ParamDef::count(
                "maxattempts",
                (0, 999),
                "members",
                "999",
                "How many other members are tried where there was no connection; Apache's default is all of them.",
            ),
            ParamDef {
                name: "failonstatus",
                about: "Whether the status of what servers answer with an error is listed: it puts a member into error state, and is passed on.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
            ParamDef::flag(
                "failontimeout",
                "Whether a member that has said nothing for `timeout` goes into error state.",
            ),
            ParamDef {
                name: "forcerecovery",
                about: "Whether all members are taken back when all are in error state.",
                kind: ParamKind::Flag,
                default: Some("true"),
            },
            ParamDef {
                name: "timeout",
                about: "A member that has said nothing for so long is given up; it stays in rotation unless `failontimeout` is set.",
                kind: ParamKind::Span {
                    min: Duration::from_secs(1),
                },
                default: Some("60s"),
            },
            ParamDef::choice(
                "backups",
                &["hot-standby", "hot-spare"],
                "hot-standby",
                "What backups are: members for when no other is left, status=+H, or members that each take the place of one in error state, status=+R.",
            ),
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
    let spares = ["", ", \"hot-spares\""][params.choice("backups")];
    format!(
        "policy = {policy}\n\
         health = [{{ kind = \"error-state\", retry = \"{}\", errors = {}, timeouts = {}, force_recovery = {} }}{spares}]\n\
         # Only what was not sent goes on to another member.\n\
         client = {{ timeout = \"{}\", retry = {{ kind = \"next-upstream\", method = \"post\", attempts = {} }} }}\n",
        params.span("retry"),
        params.flag("failonstatus"),
        params.flag("failontimeout"),
        params.flag("forcerecovery"),
        params.span("timeout"),
        params.integer("maxattempts") + 1,
    )
}
