//! What is said of any balancer, as parameters of the dialect where they are the same.

use super::POLICIES;
use crate::export::said::{Said, balancer, chosen, give_up, own_client, rules};
use crate::export::subject::{Subject, param};
use sim_core::ids::Id;
use sim_core::model::{Client, Server, Service};

/// The algorithm of what is no dialect of its own; whether weights count.
pub(super) fn balance(service: &Service, said: &mut Said, subject: &mut Subject<'_>) -> bool {
    let path = format!("{}.policy", balancer(service));
    let Some(found) = chosen(service, POLICIES, subject) else {
        return true;
    };
    said.put("balance", found.word, &path);
    let own = &service.balancer.policy;
    let row = &own.def.row;
    let of = |name| param(row, &own.params, name);
    let at = |name: &str| format!("{path}.{name}");
    match row.name {
        "haproxy-random" => said.put("draws", of("draws"), &at("draws")),
        "random" | "weighted-random" => said.imply("draws", "1"),
        "power-of-d" => said.put("draws", of("d"), &at("d")),
        "haproxy-hash" => {
            let word = if of("of") == "\"source\"" {
                "source"
            } else {
                "uri"
            };
            said.put("balance", word, &path);
            subject.take(&at("of"));
            for (own, name) in [
                ("method", "hash_type"),
                ("function", "hash_function"),
                ("balance_factor", "hash_balance_factor"),
                ("preserve", "hash_preserve_affinity"),
                ("cookie", "cookie"),
            ] {
                said.put(name, of(own), &at(own));
            }
        }
        "ring-hash" => {
            said.imply("hash_type", "consistent");
            let bound: f64 = of("bound").parse().unwrap_or(0.0);
            let percent = (bound * 100.0).round();
            if percent > 100.0 {
                said.put("hash_balance_factor", percent.to_string(), &at("bound"));
            }
        }
        _ => {}
    }
    found.weighs
}

pub(super) fn health(service: &Service, said: &mut Said, subject: &mut Subject<'_>) {
    let (rules, path) = rules(service, subject);
    let mut one_by_one = false;
    for rule in rules {
        let row = rule.def.row.name;
        let at = format!("{path}.{row}");
        let of = |name| param(&rule.def.row, &rule.params, name);
        match row {
            "checks" | "haproxy-checks" => {
                said.imply("check", "true");
                let request = of("probe") == "\"request\"";
                said.put("httpchk", request.to_string(), &format!("{at}.probe"));
                let names: &[(&str, &str)] = if row == "checks" {
                    &[
                        ("interval", "inter"),
                        ("fast_interval", "fastinter"),
                        ("timeout", "timeout_check"),
                        ("fall", "fall"),
                        ("rise", "rise"),
                    ]
                } else {
                    &[
                        ("inter", "inter"),
                        ("fastinter", "fastinter"),
                        ("downinter", "downinter"),
                        ("timeout", "timeout_check"),
                        ("fall", "fall"),
                        ("rise", "rise"),
                        ("observe", "observe"),
                        ("error_limit", "error_limit"),
                        ("on_error", "on_error"),
                        ("on_marked_down", "on_marked_down"),
                    ]
                };
                said.put_rule(rule, &path, names);
            }
            "first-backup" => one_by_one = true,
            "slow-start" if of("law") == "\"haproxy\"" => {
                said.put_rule(rule, &path, &[("over", "slowstart")]);
                subject.take(&format!("{at}.law"));
            }
            _ => continue,
        }
        subject.take_kind(&at);
    }
    let model = subject.model;
    let backups = service
        .servers
        .iter()
        .filter(|id| model.servers[id.position()].params.priority > 0);
    if !said.own && !one_by_one && backups.count() > 1 {
        said.imply("allbackups", "true");
    }
}

pub(super) fn client(service: &Service, said: &mut Said, subject: &mut Subject<'_>) {
    give_up(
        service,
        ["timeout_connect", "timeout_server"],
        said,
        subject,
    );
    let retry = format!("{}.client.retry", balancer(service));
    let client = own_client(service, subject.model);
    if let Some(client) = client.filter(|_| subject.says(&retry)) {
        again(client, &retry, said, subject);
    } else if !said.own {
        said.imply("retries", "0");
    }
    // What the dialect has without a word the program has not.
    if said.own {
        said.imply("timeout_connect", "5s");
        said.imply("timeout_server", "50s");
    }
}

/// How a client tries again.
pub(super) fn again(client: &Client, path: &str, said: &mut Said, subject: &mut Subject<'_>) {
    let row = &client.retry.def.row;
    let of = |name| param(row, &client.retry.params, name);
    let at = |name: &str| format!("{path}.{name}");
    if row.name != "haproxy" {
        said.put("retries", "0", path);
        if row.name == "none" {
            subject.take(path);
        } else {
            subject.refuse(path, "it tries again in another way: it does not here");
        }
        return;
    }
    subject.take_kind(path);
    let attempts: u64 = of("attempts").parse().unwrap_or(1);
    said.put(
        "retries",
        attempts.saturating_sub(1).to_string(),
        &at("attempts"),
    );
    said.put("retry_on", of("retry_on"), &at("retry_on"));
    let redispatch = match of("avoid").as_str() {
        "\"stays\"" => "no",
        "\"stays-until-last\"" => "-1",
        _ => "1",
    };
    said.put("redispatch", redispatch, &at("avoid"));
}

pub(super) fn queue(service: &Service, said: &mut Said, subject: &mut Subject<'_>) {
    let path = balancer(service);
    let queue = format!("{path}.pending_queue");
    for (own, name) in [("timeout", "timeout_queue"), ("per_server", "maxqueue")] {
        let at = format!("{queue}.{own}");
        if let Some(text) = subject.value(&at).filter(|text| *text != "\"none\"") {
            said.put(name, text.to_owned(), &at);
        }
    }
    let why = "what waits is limited for each server only";
    subject.refuse(&format!("{queue}.limit"), why);
    let full = format!("{path}.full_connections");
    if let Some(text) = subject.value(&full) {
        said.put("fullconn", text.to_owned(), &full);
    }
    let guards = format!("{path}.guards");
    let limit = format!("{guards}.concurrency-limit");
    if let Some(most) = subject.value(&format!("{limit}.limit")) {
        said.put("maxconn", most.to_owned(), &format!("{limit}.limit"));
        subject.take_kind(&limit);
        let why = "those beyond it wait in the backlog of the listening socket";
        subject.refuse(&limit, why);
    }
    let model = subject.model;
    let limited = |server: &Server| server.params.max_connections.is_some();
    let any = service
        .servers
        .iter()
        .any(|id| limited(&model.servers[id.position()]));
    if any && service.balancer.pending_queue.is_none() {
        subject.remark(format!(
            "requests to {} fail at once when all servers are full; here they wait, as long as timeout connect says",
            service.name
        ));
    }
}
