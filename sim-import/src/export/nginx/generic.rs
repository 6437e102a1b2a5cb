//! What is said of any balancer, as parameters of the dialect where they are the same.

use super::{File, POLICIES, TWO};
use crate::export::said::{Said, balancer, chosen, give_up, own_client, rules};
use crate::export::subject::{Subject, param};
use sim_core::model::{Client, Service};

/// The method; whether weights count.
pub(super) fn method(service: &Service, said: &mut Said, subject: &mut Subject<'_>) -> bool {
    let path = format!("{}.policy", balancer(service));
    let own = &service.balancer.policy;
    let row = &own.def.row;
    let known = match row.name {
        "power-of-d" if param(row, &own.params, "d") == "2" => {
            subject.take(&format!("{path}.d"));
            std::slice::from_ref(&TWO)
        }
        _ => POLICIES,
    };
    let Some(found) = chosen(service, known, subject) else {
        return true;
    };
    said.put("balance", found.word, &path);
    found.weighs
}

pub(super) fn health(service: &Service, said: &mut Said, subject: &mut Subject<'_>) {
    let (rules, path) = rules(service, subject);
    for rule in rules {
        if rule.def.row.name == "max-fails" {
            let names = [("max_fails", "max_fails"), ("fail_timeout", "fail_timeout")];
            said.put_rule(rule, &path, &names);
            subject.take_kind(&format!("{path}.max-fails"));
        }
    }
    if !said.own {
        // The program bans after one failure unless it is told otherwise.
        said.imply("max_fails", "0");
    }
}

pub(super) fn client(service: &Service, said: &mut Said, subject: &mut Subject<'_>) {
    give_up(
        service,
        ["proxy_connect_timeout", "proxy_read_timeout"],
        said,
        subject,
    );
    let retry = format!("{}.client.retry", balancer(service));
    let client = own_client(service, subject.model);
    if let Some(client) = client.filter(|_| subject.says(&retry)) {
        match tries(client) {
            Some(tries) => {
                subject.take_kind(&retry);
                for (name, key, text) in tries {
                    said.put(name, text, &format!("{retry}.{key}"));
                }
            }
            None => said.imply("proxy_next_upstream", "[\"off\"]"),
        }
    } else if !said.own {
        said.imply("proxy_next_upstream", "[\"off\"]");
    }
}

/// Directives with the key of a retry that each is, and its value.
pub(super) type Tries = Vec<(&'static str, &'static str, String)>;

/// How a client tries at other servers, in nginx's words.
pub(super) fn tries(client: &Client) -> Option<Tries> {
    let row = &client.retry.def.row;
    let of = |name| param(row, &client.retry.params, name);
    match row.name {
        "none" => Some(vec![(
            "proxy_next_upstream",
            "kind",
            "[\"off\"]".to_owned(),
        )]),
        "next-upstream" => {
            let attempts = match of("attempts").as_str() {
                "1000" => "0".to_owned(),
                attempts => attempts.to_owned(),
            };
            Some(vec![
                ("proxy_next_upstream", "next_upstream", of("next_upstream")),
                ("proxy_next_upstream_tries", "attempts", attempts),
                ("proxy_next_upstream_timeout", "timeout", of("timeout")),
            ])
        }
        _ => None,
    }
}

/// Processes and what they hold, which are those of all upstreams.
pub(super) fn capacity(
    service: &Service,
    said: &mut Said,
    file: &mut File,
    subject: &mut Subject<'_>,
) {
    let path = balancer(service);
    let instances = format!("{path}.instances");
    if let Some(count) = subject.value(&instances) {
        said.put("worker_processes", count.to_owned(), &instances);
    }
    let differs = "it is one for all upstreams, and another has another";
    let processes = said.count("worker_processes");
    if let Some(own) = processes
        && *file.processes.get_or_insert(own) != own
    {
        said.unsay("worker_processes");
        subject.refuse(&instances, differs);
        subject.refuse(&format!("{path}.dialect.worker_processes"), differs);
    }
    let most = format!("{path}.max_connections");
    let Some(connections) = subject
        .value(&most)
        .and_then(|text| text.parse::<u64>().ok())
    else {
        return;
    };
    // A request that is handed on holds two connections of its worker.
    let shares = if said.flag("zone") {
        processes.unwrap_or(1).max(1)
    } else {
        1
    };
    let each = (2 * connections).div_ceil(shares);
    if *file.connections.get_or_insert(each) == each {
        subject.take(&most);
    } else {
        subject.refuse(&most, differs);
    }
}
