//! Any bytes as settings.

#[path = "../../../fuzz/src/drive.rs"]
mod drive;
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
