//! `HAProxy`: a backend with its servers, in the words of its configuration.

use super::{DialectDef, Member};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::Duration;
use std::fmt::Write as _;

const VERSIONS: &[&str] = &["2.6", "2.8", "3.4"];

/// What `balance` can be; before the first of the hashing ones all choose by themselves.
const BALANCES: &[&str] = &[
    "default",
    "roundrobin",
    "static-rr",
    "leastconn",
    "first",
    "random",
    "source",
    "uri",
    "url_param",
    "hdr",
];
const FIRST_HASH: usize = 6;

/// As many may wait as there can be requests in any run.
const QUEUE: &str = "4000000";

pub(super) static DIALECT: DialectDef = DialectDef {
    row: ExtensionRow {
        name: "haproxy",
        about: "HAProxy: its order of servers, queues, retries, checks and slow start. maxconn and minconn of servers are their \
                max_connections and min_connections.",
        source: "HAProxy 2.6.12, 2.8.25 and 3.4.7, as run, and their sources and configuration manuals",
        params: &[
            ParamDef::choice(
                "version",
                VERSIONS,
                "3.4",
                "Of HAProxy; the balance without a line, and which of equal servers is taken, depend on it.",
            ),
            ParamDef::choice(
                "balance",
                BALANCES,
                "default",
                "How servers are chosen; the default is roundrobin, and random in 3.4. The key of a request is its address, path, parameter or header.",
            ),
            ParamDef::count(
                "draws",
                (1, 1000),
                "points",
                "2",
                "Of balance random(draws).",
            ),
            ParamDef::choice(
                "hash_type",
                &["map-based", "consistent"],
                "map-based",
                "How a hash leads to a server.",
            ),
            ParamDef::choice(
                "hash_function",
                &["sdbm", "djb2", "wt6", "crc32"],
                "sdbm",
                "How keys are hashed.",
            ),
            ParamDef::count(
                "hash_balance_factor",
                (0, 65_535),
                "%",
                "0",
                "A server with more than so many percent of its share of requests is passed by; 0: none is.",
            ),
            ParamDef::choice(
                "hash_preserve_affinity",
                &["always", "maxconn", "maxqueue"],
                "always",
                "Whether a full server of a ring is passed by, once it is full or once its queue is; from 3.2 on.",
            ),
            ParamDef::flag(
                "cookie",
                "Whether requests of a session, a key, return to the server of its first, as with cookie NAME insert.",
            ),
            ParamDef::count(
                "maxconn",
                (0, 4_000_000),
                "requests",
                "0",
                "Of the frontend: requests that are taken up at once, the others wait; 0: all are.",
            ),
            ParamDef::count(
                "maxqueue",
                (0, 4_000_000),
                "requests",
                "0",
                "Requests that may wait for one server, of those that only it will do for; 0: all may.",
            ),
            ParamDef::count(
                "fullconn",
                (0, 4_000_000),
                "requests",
                "0",
                "Requests at the backend at which servers get their maxconn and not less; 0: they always do. Needs min_connections of servers.",
            ),
            ParamDef::span(
                "timeout_connect",
                Duration::ZERO,
                "5s",
                "A time-out, timeout connect: a connection that is not there after so long has failed, and a retry on the same server waits so long, at most a second; the queue has it without one of its own.",
            ),
            ParamDef::span(
                "timeout_queue",
                Duration::ZERO,
                "0s",
                "A time-out, timeout queue: a request that has waited so long for a place is answered 503; 0s: as timeout connect.",
            ),
            ParamDef::span(
                "timeout_server",
                Duration::ZERO,
                "50s",
                "A time-out, timeout server: a server that has not answered for so long is given up; 0s: never.",
            ),
            ParamDef::count(
                "retries",
                (0, 999),
                "tries",
                "3",
                "Further tries after the first.",
            ),
            ParamDef::choice(
                "redispatch",
                &["no", "-1", "1"],
                "no",
                "Whether to turn to other servers, option redispatch: without it, tries stay at the server of the first; with -1, as without a number, the last goes to another, and all where neither a key nor a cookie decides; with 1 all do.",
            ),
            ParamDef {
                name: "retry_on",
                about: "Failures after which there is another try.",
                kind: ParamKind::Words(crate::retry::HAPROXY_RETRY_ON),
                default: Some("[\"conn-failure\"]"),
            },
            ParamDef::choice(
                "status",
                &["404", "408", "429", "500", "501", "502", "503", "504"],
                "503",
                "The status of what a server answers with an error.",
            ),
            ParamDef::flag(
                "allbackups",
                "Whether all backups step in together and not one after the other, option allbackups.",
            ),
            ParamDef::flag("check", "Whether servers are checked."),
            ParamDef::flag(
                "httpchk",
                "Whether a check is a request, which waits at the server like any other, and not a connection: option httpchk.",
            ),
            ParamDef::span(
                "inter",
                Duration::ZERO,
                "2s",
                "Time between checks of a server that is up.",
            ),
            ParamDef::span(
                "fastinter",
                Duration::ZERO,
                "0s",
                "The same while a server is on its way up or down; 0s: as inter.",
            ),
            ParamDef::span(
                "downinter",
                Duration::ZERO,
                "0s",
                "The same of a server that is down; 0s: as inter.",
            ),
            ParamDef::span(
                "timeout_check",
                Duration::ZERO,
                "0s",
                "A time-out, timeout check: a check without an answer has failed after so long; 0s: as inter.",
            ),
            ParamDef::count(
                "fall",
                (1, 1_000_000),
                "checks",
                "3",
                "Failed checks that take a server out.",
            ),
            ParamDef::count(
                "rise",
                (1, 1_000_000),
                "checks",
                "2",
                "Passed checks that bring it back.",
            ),
            ParamDef::choice(
                "observe",
                &["none", "layer4", "layer7"],
                "none",
                "Which errors of the traffic count against a server.",
            ),
            ParamDef::count(
                "error_limit",
                (1, 1_000_000),
                "errors",
                "10",
                "How many of them in a row, error-limit.",
            ),
            ParamDef::choice(
                "on_error",
                &["fastinter", "fail-check", "sudden-death", "mark-down"],
                "fail-check",
                "What that is worth, on-error.",
            ),
            ParamDef::choice(
                "on_marked_down",
                &["none", "shutdown-sessions"],
                "none",
                "Whether requests at a server that is taken out go on, or are broken off, on-marked-down.",
            ),
            ParamDef::span(
                "slowstart",
                Duration::ZERO,
                "0s",
                "A server that has come back gets its weight by and by over this time; 0s: at once.",
            ),
        ],
    },
    check,
    refuses,
    expand,
};

/// The algorithm, by its place among [`BALANCES`].
fn balance(params: &Params) -> usize {
    match (params.choice("balance"), is_3(params)) {
        (0, false) => 1,
        (0, true) => 5,
        (chosen, _) => chosen,
    }
}

fn is_3(params: &Params) -> bool {
    VERSIONS[params.choice("version")] == "3.4"
}

fn is_ring(params: &Params) -> bool {
    balance(params) >= FIRST_HASH && params.choice("hash_type") == 1
}

fn check(params: &Params) -> Result<(), ParamProblem> {
    let refuse = |param: &'static str, message: &str| {
        let message = message.to_owned();
        Err(ParamProblem { param, message })
    };
    if params.choice("hash_preserve_affinity") > 0 && !is_3(params) {
        return refuse(
            "hash_preserve_affinity",
            "there is no hash-preserve-affinity before HAProxy 3.2",
        );
    }
    for (param, set) in [
        (
            "hash_balance_factor",
            params.integer("hash_balance_factor") > 0,
        ),
        (
            "hash_preserve_affinity",
            params.choice("hash_preserve_affinity") > 0,
        ),
    ] {
        if set && !is_ring(params) {
            return refuse(
                param,
                "works with a hash and hash_type = \"consistent\" only",
            );
        }
    }
    if (1..=100).contains(&params.integer("hash_balance_factor")) {
        return refuse("hash_balance_factor", "is above 100, or 0 for none");
    }
    let slow_start = params.span("slowstart");
    if !slow_start.is_zero() {
        let name = BALANCES[balance(params)];
        let weights_move = is_ring(params) || ["roundrobin", "leastconn", "random"].contains(&name);
        if !weights_move {
            let message = format!("weights of balance {name} do not change while it runs");
            return refuse("slowstart", &message);
        }
        if slow_start < Duration::from_secs(1) {
            return refuse("slowstart", "is counted in seconds, and at least one");
        }
    }
    if params.choice("observe") > 0 && !params.flag("check") {
        return refuse(
            "observe",
            "needs check = true: only checks bring a server back",
        );
    }
    Ok(())
}

fn refuses(_: &Params, members: &[Member]) -> Option<String> {
    let refused = |member: &&Member| member.weight > 256.0 || member.weight.fract() != 0.0;
    let member = members.iter().find(refused)?;
    Some(format!(
        "a weight of {}; weights are whole numbers from 0 to 256",
        member.weight
    ))
}

/// The word that was chosen for a parameter.
fn word(params: &Params, name: &str) -> &'static str {
    let kinds = DIALECT.row.params.iter();
    let words = kinds.filter(|param| param.name == name).find_map(|param| {
        if let ParamKind::Choice(words) = param.kind {
            Some(words)
        } else {
            None
        }
    });
    words.map_or("", |words| words[params.choice(name)])
}

fn expand(params: &Params) -> String {
    let chosen = balance(params);
    let by_key = chosen >= FIRST_HASH;
    let bound = by_key || params.flag("cookie");
    let mut text = format!("policy = {{ {} }}\n", policy(params, chosen));
    let timeout = match params.span("timeout_queue") {
        Duration::ZERO => params.span("timeout_connect"),
        span => span,
    };
    let redispatch = word(params, "redispatch");
    let _ = write!(text, "pending_queue = {{ limit = {QUEUE}");
    if !timeout.is_zero() {
        let _ = write!(text, ", timeout = \"{timeout}\"");
    }
    if params.integer("maxqueue") > 0 {
        let _ = write!(text, ", per_server = {}", params.integer("maxqueue"));
    }
    if bound && redispatch != "no" {
        text += ", out_of_service = \"moves\"";
    }
    text += " }\n";
    if params.integer("fullconn") > 0 {
        let _ = writeln!(text, "full_connections = {}", params.integer("fullconn"));
    }
    if params.integer("maxconn") > 0 {
        // Those beyond it stay in the backlog of the listening socket.
        let _ = writeln!(
            text,
            "guards = [\n  {{ kind = \"concurrency-limit\", limit = {}, queue = {QUEUE} }},\n]",
            params.integer("maxconn")
        );
    }
    let connect = params.span("timeout_connect");
    if !connect.is_zero() {
        let _ = writeln!(text, "link = {{ connect_timeout = \"{connect}\" }}");
    }
    text += &client(params, bound);
    text + &health(params)
}

fn policy(params: &Params, chosen: usize) -> String {
    let mut policy = match BALANCES[chosen] {
        "leastconn" if is_3(params) => "kind = \"haproxy-leastconn\", ties = \"random\"".to_owned(),
        "random" => format!(
            "kind = \"haproxy-random\", draws = {}, ties = \"{}\"",
            params.integer("draws"),
            if is_3(params) { "rate" } else { "latest" }
        ),
        name if chosen < FIRST_HASH => format!("kind = \"haproxy-{name}\""),
        name => {
            let of = if name == "source" { "source" } else { "text" };
            format!(
                "kind = \"haproxy-hash\", of = \"{of}\", method = \"{}\", function = \"{}\"",
                word(params, "hash_type"),
                word(params, "hash_function"),
            )
        }
    };
    if params.integer("hash_balance_factor") > 0 {
        let factor = params.integer("hash_balance_factor");
        let _ = write!(policy, ", balance_factor = {factor}");
    }
    if params.choice("hash_preserve_affinity") > 0 {
        let _ = write!(
            policy,
            ", preserve = \"{}\"",
            word(params, "hash_preserve_affinity")
        );
    }
    if params.flag("cookie") {
        policy += ", cookie = true";
    }
    policy
}

/// How it tries again. Where a key or a cookie decides, redispatching waits for the last try.
fn client(params: &Params, bound: bool) -> String {
    let avoid = match (word(params, "redispatch"), bound) {
        ("no", _) => "stays",
        ("-1", true) => "stays-until-last",
        _ => "previous",
    };
    let second = Duration::from_secs(1);
    // Without a time-out of connections it is a second all the same.
    let pause = match params.span("timeout_connect") {
        Duration::ZERO => second,
        span => span.min(second),
    };
    let on = params.words("retry_on");
    let words = crate::retry::HAPROXY_RETRY_ON.iter().enumerate();
    let words: Vec<&str> = words
        .filter(|(place, _)| on & (1 << place) != 0)
        .map(|(_, word)| *word)
        .collect();
    let timeout = match params.span("timeout_server") {
        Duration::ZERO => String::new(),
        span => format!("timeout = \"{span}\", "),
    };
    format!(
        "client = {{ {timeout}retry = {{ kind = \"haproxy\", attempts = {}, retry_on = {words:?}, \
         pause = \"{pause}\", status = \"{}\", avoid = \"{avoid}\" }} }}\n",
        params.integer("retries") + 1,
        word(params, "status"),
    )
}

fn health(params: &Params) -> String {
    let mut rules = String::new();
    if params.flag("check") {
        let probe = if params.flag("httpchk") {
            "request"
        } else {
            "connect"
        };
        let _ = write!(rules, "  {{ kind = \"haproxy-checks\", probe = \"{probe}\"");
        for (own, name) in [
            ("inter", "inter"),
            ("fastinter", "fastinter"),
            ("downinter", "downinter"),
            ("timeout", "timeout_check"),
        ] {
            let span = params.span(name);
            if !span.is_zero() {
                let _ = write!(rules, ", {own} = \"{span}\"");
            }
        }
        let (fall, rise) = (params.integer("fall"), params.integer("rise"));
        let _ = write!(rules, ", fall = {fall}, rise = {rise}");
        if params.choice("observe") > 0 {
            let _ = write!(
                rules,
                ", observe = \"{}\", error_limit = {}, on_error = \"{}\"",
                word(params, "observe"),
                params.integer("error_limit"),
                word(params, "on_error"),
            );
        }
        if params.choice("on_marked_down") > 0 {
            let _ = write!(
                rules,
                ", on_marked_down = \"{}\"",
                word(params, "on_marked_down")
            );
        }
        rules += " },\n";
    }
    if !params.flag("allbackups") {
        rules += "  { kind = \"first-backup\" },\n";
    }
    if !params.span("slowstart").is_zero() {
        let over = params.span("slowstart");
        let _ = writeln!(
            rules,
            "  {{ kind = \"slow-start\", over = \"{over}\", law = \"haproxy\" }},"
        );
    }
    if rules.is_empty() {
        return "health = []\n".to_owned();
    }
    format!("health = [\n{rules}]\n")
}
