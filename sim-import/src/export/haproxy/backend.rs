//! Backends: the balance, times and tries.

use super::HASHES;
use super::generic::{balance, client, health, queue};
use super::servers::servers;
use crate::export::said::Said;
use crate::export::subject::Subject;
use sim_core::model::Service;
use sim_core::time::Duration;
use std::fmt::Write;

pub(super) fn backend(
    service: &Service,
    said: &mut Said,
    text: &mut String,
    subject: &mut Subject<'_>,
) {
    let weighs = balance(service, said, subject);
    health(service, said, subject);
    client(service, said, subject);
    queue(service, said, subject);
    let _ = writeln!(text, "backend {}", service.name);
    let keyed = choice(said, text);
    if keyed {
        subject.remark("keys of requests are addresses of clients, paths, parameters or headers here, as the balance says");
    }
    times(said, text);
    tries(said, text);
    if said.flag("allbackups") {
        *text += "    option allbackups\n";
    }
    if let Some(full) = said.count("fullconn").filter(|full| *full > 0) {
        let _ = writeln!(text, "    fullconn {full}");
    }
    let cookie = said.flag("cookie");
    if cookie {
        *text += "    cookie SERVERID insert indirect nocache\n";
    }
    servers(service, weighs, cookie, said, text, subject);
}

/// Lines of the choice; whether keys decide.
pub(super) fn choice(said: &mut Said, text: &mut String) -> bool {
    let version = said.word("version");
    let balance = said.word("balance").filter(|word| word != "default");
    // Before 3.3 no line meant this.
    let old = version.is_some_and(|version| version.starts_with("2."));
    let balance = balance.or_else(|| old.then(|| "roundrobin".to_owned()));
    let Some(balance) = balance else {
        return false;
    };
    let _ = match balance.as_str() {
        "random" => {
            let draws = said.count("draws").unwrap_or(2);
            writeln!(text, "    balance random({draws})")
        }
        "url_param" => writeln!(text, "    balance url_param key"),
        "hdr" => writeln!(text, "    balance hdr(x-key)"),
        word => writeln!(text, "    balance {word}"),
    };
    if !HASHES.contains(&balance.as_str()) {
        return false;
    }
    let (kind, function) = (said.word("hash_type"), said.word("hash_function"));
    if kind.is_some() || function.is_some() {
        let kind = kind.unwrap_or_else(|| "map-based".to_owned());
        let function = function.map_or(String::new(), |function| format!(" {function}"));
        let _ = writeln!(text, "    hash-type {kind}{function}");
        if kind == "consistent" {
            if let Some(factor) = said
                .count("hash_balance_factor")
                .filter(|factor| *factor > 0)
            {
                let _ = writeln!(text, "    hash-balance-factor {factor}");
            }
            if let Some(word) = said
                .word("hash_preserve_affinity")
                .filter(|word| word != "always")
            {
                let _ = writeln!(text, "    hash-preserve-affinity {word}");
            }
        }
    }
    true
}

pub(super) fn times(said: &mut Said, text: &mut String) {
    for (param, name) in [
        ("timeout_connect", "connect"),
        ("timeout_queue", "queue"),
        ("timeout_server", "server"),
        ("timeout_check", "check"),
    ] {
        // None is no line.
        if let Some(span) = said.some_span(param).and_then(time) {
            let _ = writeln!(text, "    timeout {name} {span}");
        }
    }
    if said.flag("check") && said.flag("httpchk") {
        *text += "    option httpchk\n";
    }
}

pub(super) fn tries(said: &mut Said, text: &mut String) {
    if let Some(retries) = said.count("retries") {
        let _ = writeln!(text, "    retries {retries}");
    }
    match said.word("redispatch").as_deref() {
        Some("-1") => *text += "    option redispatch\n",
        Some("1") => *text += "    option redispatch 1\n",
        _ => {}
    }
    if let Some(words) = said.words("retry_on") {
        let words = if words.is_empty() {
            "none".to_owned()
        } else {
            words.join(" ")
        };
        let _ = writeln!(text, "    retry-on {words}");
    }
}

/// A time in HAProxy's words, which knows no less than microseconds.
pub(super) fn time(span: Duration) -> Option<String> {
    match span.0 {
        ns if ns % 1_000_000_000 == 0 => Some(format!("{}s", ns / 1_000_000_000)),
        ns if ns % 1_000_000 == 0 => Some(format!("{}ms", ns / 1_000_000)),
        ns if ns % 1_000 == 0 => Some(format!("{}us", ns / 1_000)),
        _ => None,
    }
}
