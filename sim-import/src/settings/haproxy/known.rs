//! What is known of keywords that the reader does not use: whether they have a bearing on load.

use super::words::Line;
use crate::settings::system::Kind;

/// Words whose second word says what they are.
const FAMILIES: &[&str] = &[
    "option",
    "timeout",
    "http-request",
    "http-response",
    "http-after-response",
    "tcp-request",
    "tcp-response",
    "http-check",
    "stats",
    "filter",
];

/// Keywords that the reader uses where it finds them.
const USED: &[&str] = &[
    "mode",
    "bind",
    "balance",
    "hash-type",
    "hash-balance-factor",
    "hash-preserve-affinity",
    "maxconn",
    "fullconn",
    "retries",
    "retry-on",
    "server",
    "server-template",
    "default-server",
    "dispatch",
    "use_backend",
    "default_backend",
    "cookie",
    "stick",
    "stick-table",
    "nbproc",
    "redispatch",
    "option redispatch",
    "option allbackups",
    "option httpchk",
    "option tcp-check",
    "timeout connect",
    "timeout queue",
    "timeout server",
    "timeout check",
    "contimeout",
    "srvtimeout",
    "clitimeout",
];

/// What changes how the system behaves under load and is not simulated. A `*` at the end stands for all that begin so.
const MISSING: &[(&str, &str)] = &[
    (
        "timeout http-request",
        "requests come in one piece here: nobody is slow to send one",
    ),
    (
        "timeout http-keep-alive",
        "connections of clients, and what they occupy while they are silent",
    ),
    (
        "timeout client-fin",
        "connections of clients that have half gone",
    ),
    (
        "timeout server-fin",
        "connections to servers that have half gone",
    ),
    (
        "timeout tunnel",
        "connections that became tunnels: an answer is one piece of work here",
    ),
    (
        "timeout tarpit",
        "how long those are kept who are held in the tarpit",
    ),
    ("timeout client-hs", "handshakes cost nothing here"),
    (
        "option abortonclose",
        "whether requests of clients that left wait on: see `cancel` of the client",
    ),
    (
        "option persist",
        "requests of a session go on to a server that is down",
    ),
    (
        "force-persist",
        "requests of some go to servers that are down",
    ),
    ("ignore-persist", "requests of some keep to no server"),
    (
        "option http-server-close",
        "connections to servers cost nothing here unless link.connections says so",
    ),
    (
        "option httpclose",
        "connections to servers cost nothing here unless link.connections says so",
    ),
    (
        "option forceclose",
        "connections to servers cost nothing here unless link.connections says so",
    ),
    (
        "option http-pretend-keepalive",
        "connections to servers cost nothing here unless link.connections says so",
    ),
    (
        "option http-no-delay",
        "messages are not cut into packets here",
    ),
    (
        "option prefer-last-server",
        "a session's connection leads to the server of its last request",
    ),
    (
        "option splice*",
        "what it costs the balancer itself to copy bytes",
    ),
    (
        "option external-check",
        "checks by a program of its own: a connection is taken",
    ),
    (
        "http-reuse",
        "connections to servers cost nothing here unless link.connections says so",
    ),
    ("use-server", "which server some requests go to"),
    ("use-fcgi-app", "what an application behind FastCGI does"),
    (
        "option transparent",
        "connections go where their clients sent them",
    ),
    (
        "option http_proxy",
        "requests go where their clients sent them",
    ),
    ("rate-limit", "sessions that are taken up in a second"),
    ("maxconnrate", "connections that are taken up in a second"),
    ("maxsessrate", "sessions that are taken up in a second"),
    ("maxsslrate", "handshakes that are done in a second"),
    ("maxsslconn", "handshakes and ciphers cost nothing here"),
    ("maxcomprate", "compression costs nothing here"),
    ("maxcompcpuusage", "compression costs nothing here"),
    (
        "maxpipes",
        "what it costs the balancer itself to copy bytes",
    ),
    ("spread-checks", "checks come at even intervals here"),
    ("max-spread-checks", "checks come at even intervals here"),
    (
        "backlog",
        "how many connections wait to be taken up: none is turned away here",
    ),
    (
        "http-check disable-on-404",
        "a server that answers 404 keeps its sessions and gets no others",
    ),
    (
        "http-request deny",
        "requests that are turned away at the door: the rate is to be that of the others",
    ),
    (
        "http-request reject",
        "requests that are turned away at the door: the rate is to be that of the others",
    ),
    (
        "http-request silent-drop",
        "requests that are turned away at the door: the rate is to be that of the others",
    ),
    (
        "http-request tarpit",
        "requests that are held at the door: the rate is to be that of the others",
    ),
    (
        "http-request cache-use",
        "answers from its cache reach no server: the rate is to be that of misses",
    ),
    (
        "http-response cache-store",
        "answers from its cache reach no server: the rate is to be that of misses",
    ),
    (
        "http-request use-service",
        "what a service within the balancer answers",
    ),
    ("http-request lua*", "what a program in Lua decides"),
    ("http-response lua*", "what a program in Lua decides"),
    ("tcp-request lua*", "what a program in Lua decides"),
    (
        "http-request set-priority*",
        "the order of those that wait for a server",
    ),
    (
        "tcp-request content set-priority*",
        "the order of those that wait for a server",
    ),
    (
        "http-request set-dst*",
        "another server than the one that was chosen",
    ),
    (
        "http-request do-resolve",
        "names that are looked up for each request",
    ),
    ("http-request set-timeout", "time-outs of some requests"),
    ("http-request set-retries", "tries of some requests"),
    (
        "http-request set-bandwidth-limit",
        "answers take no time to be sent here",
    ),
    (
        "http-response set-bandwidth-limit",
        "answers take no time to be sent here",
    ),
    (
        "http-request set-nice",
        "the order in which the balancer does its own work",
    ),
    (
        "http-request wait-for-body",
        "requests come in one piece here",
    ),
    (
        "http-request wait-for-handshake",
        "handshakes cost nothing here",
    ),
    (
        "http-request track-sc*",
        "counts that nothing here decides by",
    ),
    ("http-request sc-*", "counts that nothing here decides by"),
    ("http-response sc-*", "counts that nothing here decides by"),
    (
        "http-response track-sc*",
        "counts that nothing here decides by",
    ),
    (
        "tcp-request connection",
        "connections that are turned away at the door: the rate is to be that of the others",
    ),
    (
        "tcp-request session",
        "connections that are turned away at the door: the rate is to be that of the others",
    ),
    (
        "tcp-request content",
        "connections that are turned away at the door: the rate is to be that of the others",
    ),
    (
        "filter cache",
        "answers from its cache reach no server: the rate is to be that of misses",
    ),
    ("filter spoe", "what another program decides"),
    ("filter bwlim*", "answers take no time to be sent here"),
    ("filter fcgi-app", "what an application behind FastCGI does"),
    ("lua-*", "what a program in Lua decides"),
    ("agent-check", "a server's own word on its weight and state"),
    (
        "reqdeny*",
        "requests that are turned away at the door; gone since 2.1",
    ),
    (
        "reqideny*",
        "requests that are turned away at the door; gone since 2.1",
    ),
    (
        "reqtarpit*",
        "requests that are held at the door; gone since 2.1",
    ),
    (
        "reqitarpit*",
        "requests that are held at the door; gone since 2.1",
    ),
    (
        "reqsetbe*",
        "which backend some requests go to; gone since 2.1",
    ),
    (
        "reqisetbe*",
        "which backend some requests go to; gone since 2.1",
    ),
    (
        "block",
        "requests that are turned away at the door; gone since 2.1",
    ),
    (
        "appsession",
        "sessions that stay at a server, by a cookie of the application; gone since 1.6",
    ),
    (
        "tune.maxaccept",
        "how many connections are taken up at a time",
    ),
    ("tune.pool*", "connections that are kept to servers"),
    ("tune.idle-pool*", "connections that are kept to servers"),
    (
        "max-session-srv-conns",
        "connections that are kept to servers",
    ),
    ("external-check", "checks by a program of its own"),
    (
        "load-server-state-from-file",
        "what servers were before the program started",
    ),
    (
        "server-state-file",
        "what servers were before the program started",
    ),
    ("program", "another program"),
];

/// What has none.
const IGNORED: &[&str] = &[
    "acl",
    "ca-base",
    "capture",
    "chroot",
    "close-spread-time",
    "compression",
    "cpu-map",
    "cpu-policy",
    "crt-base",
    "crt-list",
    "daemon",
    "declare",
    "default-path",
    "description",
    "deviceatlas*",
    "disabled",
    "dynamic-cookie-key",
    "51degrees*",
    "enabled",
    "error-log-format",
    "errorfile",
    "errorfiles",
    "errorloc*",
    "expose-*",
    "filter compression",
    "filter trace",
    "filter opentracing",
    "fd-hard-limit",
    "force-cfg-parser-pause",
    "gid",
    "grace",
    "group",
    "guid",
    "h1-*",
    "h2-workaround*",
    "hard-stop-after",
    "harden.*",
    "hold",
    "http-after-response",
    "http-check *",
    "http-error",
    "http-errors",
    "http-err-codes",
    "http-fail-codes",
    "http-request add-*",
    "http-request allow",
    "http-request auth",
    "http-request cache*",
    "http-request capture",
    "http-request del-*",
    "http-request disable-l7-retry",
    "http-request early-hint",
    "http-request normalize-uri",
    "http-request pause",
    "http-request redirect",
    "http-request replace-*",
    "http-request return",
    "http-request send-spoe-group",
    "http-request set-*",
    "http-request strict-mode",
    "http-request unset-var",
    "http-response *",
    "http-send-name-header",
    "id",
    "insecure-*",
    "issuers-chain-path",
    "key-base",
    "limited-quic",
    "localpeer",
    "log",
    "log-format*",
    "log-send-hostname",
    "log-steps",
    "log-tag",
    "mailers",
    "mworker*",
    "nbthread",
    "no",
    "noepoll",
    "noevports",
    "nogetaddrinfo",
    "nokqueue",
    "nopoll",
    "noreuseport",
    "nosplice",
    "nameserver",
    "node",
    "numa-cpu-mapping",
    "ocsp-update*",
    "option accept-*",
    "option checkcache",
    "option clitcpka",
    "option contstats",
    "option disable-h2-upgrade",
    "option dontlog*",
    "option forwarded",
    "option forwardfor",
    "option h1-*",
    "option http-buffer-request",
    "option http-drop-*",
    "option http-ignore-probes",
    "option http-keep-alive",
    "option http-restrict*",
    "option http-tunnel",
    "option http-use-proxy-header",
    "option http-use-htx",
    "option httplog",
    "option httpslog",
    "option idle-close-on-response",
    "option independent-streams",
    "option logasap",
    "option nolinger",
    "option originalto",
    "option log-separate-errors",
    "option log-health-checks",
    "option socket-stats",
    "option srvtcpka",
    "option tcp-smart-*",
    "option tcpka",
    "option tcplog",
    "option use-small-buffers*",
    "option stats-*",
    "parse-resolv-conf",
    "peers",
    "pidfile",
    "pp2-*",
    "presetenv",
    "profiling*",
    "quic-*",
    "quiet",
    "redirect",
    "reqadd",
    "reqallow",
    "reqdel",
    "reqiallow",
    "reqidel",
    "reqipass",
    "reqirep",
    "reqpass",
    "reqrep",
    "resetenv",
    "rspadd",
    "rspdel",
    "rspdeny",
    "rspidel",
    "rspideny",
    "rspirep",
    "rsprep",
    "server-id-*",
    "server-state-base",
    "set-dumpable",
    "set-var*",
    "setcap",
    "setenv",
    "shm-stats-file*",
    "source",
    "ssl-*",
    "stats *",
    "stats",
    "strict-limits",
    "srvtcpka*",
    "clitcpka*",
    "stress-level",
    "tcp-check",
    "tcp-request inspect-delay",
    "tcp-response *",
    "thread-group*",
    "thread-groups",
    "thread-hard-limit",
    "timeout client",
    "timeout mail",
    "timeout resolve",
    "timeout retry",
    "timeout stats",
    "tune.*",
    "uid",
    "ulimit-n",
    "unique-id-*",
    "unix-bind",
    "unsetenv",
    "use-small-buffers",
    "user",
    "userlist",
    "wait",
    "warn-blocked-traffic-after",
    "wurfl*",
    "zero-warning",
    "monitor",
    "monitor-*",
    "monitor fail",
    "email-alert*",
    "anonkey",
    "busy-polling",
    "acme*",
    "dns-accept-family",
    "allow-deprecated-*",
    "default-server-*",
    "http-client.*",
    "httpclient.*",
    "jwt-*",
    "log-forward*",
    "maxcompcpuusage",
];

/// Sections whose lines are about other things than who serves what.
const OTHER_SECTIONS: &[(&str, Kind, &str)] = &[
    (
        "resolvers",
        Kind::Ignored,
        "names that are looked up while it runs",
    ),
    (
        "peers",
        Kind::Missing,
        "tables that several balancers share: here each has its own",
    ),
    ("program", Kind::Ignored, "another program"),
    (
        "cache",
        Kind::Missing,
        "answers from its cache reach no server: the rate is to be that of misses",
    ),
    (
        "fcgi-app",
        Kind::Missing,
        "what an application behind FastCGI does",
    ),
];

/// What is to be said of a section that is read over as a whole.
pub(super) fn of_section(kind: &str) -> (Kind, &'static str) {
    let known = OTHER_SECTIONS.iter().find(|(name, ..)| *name == kind);
    known.map_or((Kind::Ignored, ""), |(_, kind, why)| (*kind, why))
}

/// The words that say what a line is.
pub(super) fn keyword(line: &Line) -> String {
    let mut words = line.words.iter().map(String::as_str);
    let mut first = words.next().unwrap_or_default();
    if matches!(first, "no" | "default") {
        first = words.next().unwrap_or_default();
    }
    match words.next() {
        Some(second) if FAMILIES.contains(&first) => format!("{first} {second}"),
        _ => first.to_owned(),
    }
}

/// What is to be said of a line that is not used; `None` where it is.
pub(super) fn remark(line: &Line) -> Option<(Kind, &'static str)> {
    let name = keyword(line);
    let of = |pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    };
    let takes_back = line.word(0) == "no";
    if USED.contains(&name.as_str()) {
        return None;
    }
    if takes_back && line.word(1) == "option" {
        return Some((Kind::Ignored, ""));
    }
    if let Some((_, why)) = MISSING.iter().find(|(pattern, _)| of(pattern)) {
        return Some((Kind::Missing, why));
    }
    // Checks in the words of other programs are an exchange, like that of HTTP.
    if IGNORED.iter().any(|pattern| of(pattern))
        || super::check::PROTOCOLS.contains(&line.word(1)) && line.word(0) == "option"
    {
        return Some((Kind::Ignored, ""));
    }
    Some((Kind::Unknown, ""))
}

#[cfg(test)]
mod tests {
    use super::super::words::{Lacking, lines};
    use super::*;

    #[test]
    fn what_bears_on_load_is_told_from_what_does_not() {
        let kind = |text: &str| {
            let line = lines(text, &"t".into(), &|_| None, &mut Lacking::default())
                .expect("valid")
                .remove(0);
            remark(&line).map(|(kind, _)| kind)
        };
        assert_eq!(kind("timeout tunnel 1h"), Some(Kind::Missing));
        assert_eq!(kind("http-request lua.decide"), Some(Kind::Missing));
        assert_eq!(kind("http-request set-header A b"), Some(Kind::Ignored));
        assert_eq!(kind("option httplog"), Some(Kind::Ignored));
        assert_eq!(kind("reqadd X-A:\\ b"), Some(Kind::Ignored));
        assert_eq!(kind("reqideny ^x"), Some(Kind::Missing));
        assert_eq!(kind("timeout connect 1s"), None);
        assert_eq!(kind("no option redispatch"), None);
        assert_eq!(kind("option frobnicate"), Some(Kind::Unknown));
        assert_eq!(kind("frobnicate 1"), Some(Kind::Unknown));
    }
}
