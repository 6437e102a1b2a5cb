//! nginx, as an HTTP proxy before an upstream.

use super::{DialectDef, Member};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::retry::{NEXT_UPSTREAM, UPSTREAM_STATUSES};
use crate::time::Duration;

/// Methods: the directive that names each, the policy, and whether it takes backups.
const METHODS: &[(&str, &str, bool)] = &[
    ("round_robin", "nginx-round-robin\"", true),
    ("least_conn", "nginx-least-conn\"", true),
    ("random", "nginx-random\"", false),
    ("random two", "nginx-random\", two = true", false),
    ("hash", "nginx-hash\"", false),
    ("hash consistent", "nginx-hash\", consistent = true", false),
    ("ip_hash", "nginx-ip-hash\"", false),
];

pub(super) static DIALECT: DialectDef = DialectDef {
    row: ExtensionRow {
        name: "nginx",
        about: "An nginx proxy before an upstream: servers that fail are banned and found out by one request, which \
                goes on to the next server; clients hear of it when no server is left.",
        source: "nginx 1.31, its sources and documentation; checked against running 1.22.1 and 1.31.3",
        params: &[
            ParamDef {
                name: "version",
                about: "The release: \"1.31\" keeps 32 connections to its servers (since 1.29.7), \"1.22\" none.",
                kind: ParamKind::Choice(&["1.31", "1.22"]),
                default: Some("1.31"),
            },
            ParamDef {
                name: "balance",
                about: "The method, by the directive in the upstream; keys of a hash are the requests' session keys, and their addresses with ip_hash.",
                kind: ParamKind::Choice(&[
                    "round_robin",
                    "least_conn",
                    "random",
                    "random two",
                    "hash",
                    "hash consistent",
                    "ip_hash",
                ]),
                default: Some("round_robin"),
            },
            ParamDef::count(
                "max_fails",
                (0, 1_000_000),
                "failures",
                "1",
                "Failures that ban a server; 0: none do.",
            ),
            ParamDef::span(
                "fail_timeout",
                Duration::ZERO,
                "10s",
                "For how long it is banned, in whole seconds; by the clock of the program one more.",
            ),
            ParamDef {
                name: "proxy_next_upstream",
                about: "Failures after which the next server is tried; whatever is listed, no answer at all counts against a server.",
                kind: ParamKind::Words(NEXT_UPSTREAM),
                default: Some("[\"error\", \"timeout\"]"),
            },
            ParamDef::count(
                "proxy_next_upstream_tries",
                (0, 1_000_000),
                "tries",
                "0",
                "Servers that a request is sent to at most; 0: all.",
            ),
            ParamDef::span(
                "proxy_next_upstream_timeout",
                Duration::ZERO,
                "0s",
                "After so long no other server is tried; 0: however long it takes.",
            ),
            ParamDef::span(
                "proxy_read_timeout",
                Duration::ZERO,
                "60s",
                "A server that has said nothing for so long is given up.",
            ),
            ParamDef::span(
                "proxy_connect_timeout",
                Duration::ZERO,
                "60s",
                "The same while there is no connection.",
            ),
            ParamDef {
                name: "status",
                about: "The status of what servers answer with an error.",
                kind: ParamKind::Choice(UPSTREAM_STATUSES),
                default: Some("500"),
            },
            ParamDef {
                name: "method",
                about: "Which requests they are: \"get\", and the like that may be sent twice, or \"post\".",
                kind: ParamKind::Choice(&["get", "post"]),
                default: Some("get"),
            },
            ParamDef::count(
                "worker_processes",
                (0, 1_000_000),
                "processes",
                "1",
                "Worker processes: each finds out by itself who fails, and has turns and max_conns of its own.",
            ),
            ParamDef {
                name: "zone",
                about: "Whether workers share what they know of the servers, by a `zone` of the upstream: then they are as one.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
        ],
    },
    check,
    refuses,
    expand,
};

/// The bit of `off` in what is listed.
const OFF: u64 = 1 << 10;

fn check(params: &Params) -> Result<(), ParamProblem> {
    let problem = |param, message: &str| {
        let message = message.to_owned();
        Err(ParamProblem { param, message })
    };
    let whole = |span: Duration| span.0.is_multiple_of(1_000_000_000);
    if !whole(params.span("fail_timeout")) {
        return problem(
            "fail_timeout",
            "`fail_timeout` must be whole seconds: nginx takes no others",
        );
    }
    for param in ["proxy_read_timeout", "proxy_connect_timeout"] {
        if params.span(param).is_zero() {
            return problem(param, &format!("`{param}` must be above 0"));
        }
    }
    let listed = params.words("proxy_next_upstream");
    if listed & OFF != 0 && listed != OFF {
        return problem(
            "proxy_next_upstream",
            "`off` stands alone: with it no other server is tried",
        );
    }
    if params.integer("worker_processes") == 0 || params.integer("worker_processes") > 1024 {
        return problem("worker_processes", "`worker_processes` is 1 to 1024");
    }
    if params.integer("proxy_next_upstream_tries") > 1000 {
        return problem(
            "proxy_next_upstream_tries",
            "`proxy_next_upstream_tries` is at most 1000",
        );
    }
    Ok(())
}

fn refuses(params: &Params, members: &[Member]) -> Option<String> {
    let (method, _, takes_backups) = METHODS[params.choice("balance")];
    if members.iter().any(|member| member.backup) && !takes_backups {
        return Some(format!("`{method}` takes no backups"));
    }
    if !members.is_empty() && members.iter().all(|member| member.backup) {
        return Some("all of them are backups: \"no servers in upstream\"".to_owned());
    }
    let bad = |weight: f64| weight < 1.0 || weight.fract() != 0.0;
    let member = members.iter().find(|member| bad(member.weight))?;
    let weight = member.weight;
    Some(format!(
        "a weight is a whole number from 1 on, and {weight} is written"
    ))
}

fn expand(params: &Params) -> String {
    let status = UPSTREAM_STATUSES[params.choice("status")];
    // 403 and 404 are passed on where they are listed, and are no failures.
    let errors = match status {
        "403" | "404" => ", errors = \"never\"",
        _ => "",
    };
    let max_fails = params.integer("max_fails");
    let policy = METHODS[params.choice("balance")].1;
    let listed = params.words("proxy_next_upstream");
    let words = NEXT_UPSTREAM.iter().enumerate();
    let words: Vec<&str> = words
        .filter(|(place, _)| listed >> place & 1 == 1)
        .map(|(_, word)| *word)
        .collect();
    let attempts = match params.integer("proxy_next_upstream_tries") {
        0 => 1000,
        tries => tries,
    };
    let method = ["get", "post"][params.choice("method")];
    let workers = params.integer("worker_processes");
    let instances = if workers > 1 && !params.flag("zone") {
        format!("instances = {workers}\n")
    } else {
        String::new()
    };
    let keep = [32, 0][params.choice("version")];
    format!(
        "{instances}policy = {{ kind = \"{policy}, max_fails = {max_fails}{errors} }}\n\
         health = [{{ kind = \"max-fails\", max_fails = {max_fails}, fail_timeout = \"{}\"{errors} }}]\n\
         link = {{ connect_timeout = \"{}\", connections = {{ kind = \"per-request\", keep = {keep}, idle = \"1m\", max_requests = 1000 }} }}\n\
         client = {{ timeout = \"{}\", retry = {{ kind = \"next-upstream\", next_upstream = {words:?}, timeout = \"{}\", status = \"{status}\", method = \"{method}\", attempts = {attempts} }} }}\n",
        params.span("fail_timeout"),
        params.span("proxy_connect_timeout"),
        params.span("proxy_read_timeout"),
        params.span("proxy_next_upstream_timeout"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::testing::example;
    use crate::extension::{Def, ParamValue};

    #[test]
    fn what_the_program_refuses_is_refused() {
        let of = |name: &str, value: ParamValue| {
            let replaced = example(&DIALECT.row);
            let values = replaced.iter().map(|(own, old)| match own {
                own if own == name => (own, value.clone()),
                _ => (own, old.clone()),
            });
            DIALECT.check(&Params::new(values.collect()))
        };
        for (name, value) in [
            ("fail_timeout", ParamValue::Span(Duration::from_millis(500))),
            ("proxy_read_timeout", ParamValue::Span(Duration::ZERO)),
            ("proxy_next_upstream", ParamValue::Words(OFF | 1)),
            ("worker_processes", ParamValue::Integer(0)),
            ("proxy_next_upstream_tries", ParamValue::Integer(1001)),
        ] {
            let problem = of(name, value).expect_err(name);
            assert_eq!(problem.param, name);
        }
        let member = |weight, backup| Member {
            weight,
            backup,
            max_connections: None,
        };
        let refused = |balance, members: &[Member]| {
            let mut values: Vec<_> = example(&DIALECT.row)
                .iter()
                .map(|(name, value)| (name, value.clone()))
                .collect();
            values[1].1 = ParamValue::Choice(balance);
            refuses(&Params::new(values), members).is_some()
        };
        let (own, backup) = (member(1.0, false), member(1.0, true));
        assert!(!refused(0, &[own, backup]));
        assert!(refused(0, &[backup]) && refused(2, &[own, backup]) && refused(6, &[own, backup]));
        assert!(refused(0, &[member(0.0, false)]) && refused(0, &[member(1.5, false)]));
    }

    #[test]
    fn the_words_of_methods_are_those_of_the_table() {
        let balance = &DIALECT.row.params[1];
        let words: Vec<&str> = METHODS.iter().map(|(word, ..)| *word).collect();
        assert!(matches!(balance.kind, ParamKind::Choice(known) if known == words));
        assert_eq!(NEXT_UPSTREAM[10], "off");
    }
}
