//! Any bytes as settings, as a log and as the report of a load test.

#[path = "../../../fuzz/src/drive.rs"]
mod drive;
#[expect(unreachable_pub, reason = "the same file is a library elsewhere")]
#[path = "../../../fuzz/src/logs.rs"]
mod logs_target;
#[expect(unreachable_pub, reason = "the same file is a library elsewhere")]
#[path = "../../../fuzz/src/settings.rs"]
mod targets;

/// Words of the formats.
const WORDS: &[&str] = &[
    "upstream",
    "server",
    "location",
    "proxy_pass",
    "weight=",
    "backup",
    "include",
    "hash",
    "$pool",
    "zone=each",
    "apiVersion: v1",
    "kind: List",
    "spec",
    "replicas",
    "metrics",
    "readinessProbe",
    "<<: *a",
    "&a",
    "*a",
    "- ",
    "clusters",
    "endpoints",
    "routes",
    "timeout",
    "retry_policy",
    "25%",
    "250m",
    "0.25s",
    "http:",
    "loadBalancer",
    "backend b",
    "defaults d from e",
    "default-server",
    "server-template x 1-9",
    "balance hash",
    "stick-table",
    "sc_http_req_rate(0) gt 9",
    ".if",
    ".endif",
    "\"${X-3}\"",
    "reverse_proxy",
    "lb_policy",
    "import",
    "(s) {",
    "<<END",
];

#[test]
fn settings() {
    let words: Vec<String> = WORDS.iter().map(|word| (*word).to_owned()).collect();
    drive::fuzz("settings", &words, targets::settings);
}

/// Words of logs and reports.
const OF_LOGS: &[&str] = &[
    "GET /",
    "POST /a",
    "HTTP/1.1",
    "[29/Nov/2026:06:54:45 +0000]",
    "[29/Nov/2026:06:54:45.015]",
    "29/Feb/1900:24:60:60",
    "2026-11-29T06:54:45.015Z",
    "0/0/0/147/147",
    "-1/-1/-1/-1",
    "app/<NOSRV>",
    "---- ",
    "CQ--",
    "URX,UF",
    "0.152, 0.001 : -",
    "1795935285.015",
    "9e99",
    "\"duration\":",
    "\"latencies\":",
    "Requests/sec:",
    "99%",
    "http_req_duration",
    "\u{1f}\u{8b}",
    "(\u{b5}/\u{fd}",
];

#[test]
fn logs() {
    let words: Vec<String> = OF_LOGS.iter().map(|word| (*word).to_owned()).collect();
    drive::fuzz("logs", &words, logs_target::logs);
}
