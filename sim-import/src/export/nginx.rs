//! nginx.conf: an `upstream` for each service, a `location` for each way in.

use super::said::{
    Counterpart, Said, balancer, chosen, own_span, policy, rules, unquoted, whole, words,
};
use super::subject::{Subject, param};
use super::ways::{Way, apart, drained, ways};
use super::{ADDRESSES, BESIDE_BALANCERS, Target, is_of_balancers};
use sim_core::extension::Configured;
use sim_core::guard::GuardDef;
use sim_core::ids::Id;
use sim_core::model::{Client, Service};
use sim_core::time::Duration;
use std::fmt::Write;

pub(super) static TARGET: Target = Target {
    name: "nginx",
    about: "nginx.conf: upstreams with their servers, and a location for each source.",
    concerns: is_of_balancers,
    beside: BESIDE_BALANCERS,
    write,
};

const POLICIES: &[Counterpart] = &[
    policy("nginx-round-robin", "round_robin", true),
    policy("nginx-least-conn", "least_conn", true),
    policy("nginx-ip-hash", "ip_hash", true),
    policy("round-robin", "round_robin", false),
    policy("weighted-round-robin", "round_robin", true),
    policy("least-in-flight", "least_conn", true),
    policy("random", "random", false),
    policy("weighted-random", "random", true),
    policy("source-hash", "hash", true),
    policy("ring-hash", "hash consistent", true),
];
/// Two drawn servers of which the less busy is taken.
const TWO: Counterpart = policy("power-of-d", "random two", false);
/// Methods that take no backups.
const WITHOUT_BACKUPS: &[&str] = &["random", "random two", "hash", "hash consistent", "ip_hash"];
/// Bytes of a zone of `limit_req` for each key, on 64 bits, and the smallest zone there is.
const STATE: u64 = 128;
const ZONE_MIN: u64 = 32 << 10;
/// What a request is known by where requests have keys.
const KEY: &str = "$binary_remote_addr";

/// What is written by and by.
#[derive(Default)]
struct File {
    processes: Option<u64>,
    connections: Option<u64>,
    zones: String,
    upstreams: String,
    /// Locations with the server they are in; without a name the common one.
    locations: Vec<(Option<String>, String)>,
    keyed: bool,
}

fn write(subject: &mut Subject<'_>) -> String {
    let mut file = File::default();
    let model = subject.model;
    for service in &model.services {
        if service.servers.is_empty() {
            subject.remark(format!(
                "{} has no servers of its own, and is no upstream",
                service.name
            ));
            continue;
        }
        pool(service, &mut file, subject);
    }
    subject.remark(ADDRESSES);
    if file.keyed {
        subject.remark("keys of requests are addresses of clients here");
    }
    let mut text = String::new();
    if let Some(processes) = file.processes {
        let _ = writeln!(text, "worker_processes {processes};");
    }
    let most = file.connections.map_or(String::new(), |most| {
        format!(
            "
    worker_connections {most};
"
        )
    });
    let _ = writeln!(text, "events {{{most}}}");
    let _ = write!(text, "http {{\n{}{}", file.zones, file.upstreams);
    let mut names: Vec<Option<String>> = file
        .locations
        .iter()
        .map(|(name, _)| name.clone())
        .collect();
    names.sort();
    names.dedup();
    for name in &names {
        text += "    server {\n        listen 80;\n";
        // The only server needs no name.
        if let (Some(name), true) = (name, names.len() > 1) {
            let _ = writeln!(text, "        server_name {name};");
        }
        for (_, location) in file.locations.iter().filter(|(own, _)| own == name) {
            text += location;
        }
        text += "    }\n";
    }
    text + "}\n"
}

fn pool(service: &Service, file: &mut File, subject: &mut Subject<'_>) {
    let mut said = Said::of(service, "nginx", subject);
    let weighs = method(service, &mut said, subject);
    health(service, &mut said, subject);
    client(service, &mut said, subject);
    capacity(service, &mut said, file, subject);
    upstream(service, weighs, &mut said, file, subject);
    let all = ways(service, subject);
    if all.is_empty() {
        subject.remark(format!(
            "no source leads to {}: other services ask it, and no location does",
            service.name
        ));
    }
    let settings = settings(&mut said);
    for way in &all {
        location(way, service, &settings, file, subject);
    }
    said.close(subject);
}

/// The method; whether weights count.
fn method(service: &Service, said: &mut Said, subject: &mut Subject<'_>) -> bool {
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

fn health(service: &Service, said: &mut Said, subject: &mut Subject<'_>) {
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

fn client(service: &Service, said: &mut Said, subject: &mut Subject<'_>) {
    let path = balancer(service);
    let connect = format!("{path}.link.connect_timeout");
    if let Some(span) = subject.value(&connect) {
        said.put("proxy_connect_timeout", span.to_owned(), &connect);
    }
    let timeout = format!("{path}.client.timeout");
    if let Some(span) = subject.value(&timeout).filter(|span| *span != "\"none\"") {
        said.put("proxy_read_timeout", span.to_owned(), &timeout);
    }
    let retry = format!("{path}.client.retry");
    let client = service.balancer.client.as_ref();
    let client = client.map(|own| &subject.model.clients[own.client.position()]);
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
type Tries = Vec<(&'static str, &'static str, String)>;

/// How a client tries at other servers, in nginx's words.
fn tries(client: &Client) -> Option<Tries> {
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
fn capacity(service: &Service, said: &mut Said, file: &mut File, subject: &mut Subject<'_>) {
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

fn upstream(
    service: &Service,
    weighs: bool,
    said: &mut Said,
    file: &mut File,
    subject: &mut Subject<'_>,
) {
    let mut text = format!("    upstream {} {{\n", service.name);
    if said.flag("zone") {
        let _ = writeln!(text, "        zone {} 64k;", service.name);
    }
    let method = said.word("balance").unwrap_or_default();
    let hashes = ["hash", "hash consistent", "ip_hash"].contains(&method.as_str());
    file.keyed |= hashes;
    match method.as_str() {
        "" | "round_robin" => {}
        "random two" => text += "        random two least_conn;\n",
        "hash" => text += "        hash $remote_addr;\n",
        "hash consistent" => text += "        hash $remote_addr consistent;\n",
        method => {
            let _ = writeln!(text, "        {method};");
        }
    }
    servers(service, &method, weighs, said, &mut text, subject);
    connections(service, &mut text, subject);
    text += "    }\n";
    file.upstreams += &text;
}

fn servers(
    service: &Service,
    method: &str,
    weighs: bool,
    said: &mut Said,
    text: &mut String,
    subject: &mut Subject<'_>,
) {
    let model = subject.model;
    let own: Vec<_> = service
        .servers
        .iter()
        .map(|id| &model.servers[id.position()])
        .collect();
    let weights: Vec<f64> = own.iter().map(|server| server.params.weight).collect();
    let weights = whole(&weights, 65_535.0).filter(|_| weighs);
    let takes_backups = !WITHOUT_BACKUPS.contains(&method);
    let drained = drained(service, subject);
    let fails = said.count("max_fails");
    let banned = said.span("fail_timeout");
    for (place, server) in own.iter().enumerate() {
        let _ = write!(text, "        server {}:80", server.name);
        let params = &server.params;
        let weight = weights.as_ref().map_or(1, |weights| weights[place]);
        if weight > 1 {
            let _ = write!(text, " weight={weight}");
        }
        if let Some(most) = params.max_connections {
            let _ = write!(text, " max_conns={most}");
        }
        if let Some(fails) = params.health.integer("max_fails").or(fails) {
            let _ = write!(text, " max_fails={fails}");
        }
        if let Some(span) = own_span(&params.health, "fail_timeout")
            .or(banned)
            .and_then(time)
        {
            let _ = write!(text, " fail_timeout={span}");
        }
        if params.priority > 0 && takes_backups {
            *text += " backup";
        }
        if !server.present || weight == 0 || drained.contains(&server.name) {
            *text += " down";
        }
        *text += ";\n";
    }
    if weights.is_some() {
        subject.take_of_servers(service, "weight", &[]);
    } else {
        let why = if weighs {
            "no whole numbers up to 65535 stand in these proportions"
        } else {
            "the policy does not look at weights, and the method would"
        };
        subject.refuse_of_servers(service, "weight", why);
    }
    for key in [
        "max_connections",
        "health.max_fails",
        "health.fail_timeout",
        "present",
    ] {
        subject.take_of_servers(service, key, &[]);
    }
    if takes_backups {
        subject.take_backups(service);
    } else {
        let why = format!("`{method}` takes no backups: they are servers like the others");
        subject.refuse_of_servers(service, "backup", &why);
        subject.refuse_of_servers(service, "priority", &why);
    }
}

/// Connections that are kept.
fn connections(service: &Service, text: &mut String, subject: &mut Subject<'_>) {
    let path = format!("{}.link.connections", balancer(service));
    let Some(kept) = service
        .balancer
        .link
        .connections
        .as_ref()
        .filter(|_| subject.says(&path))
    else {
        return;
    };
    let row = &kept.def.row;
    if row.name != "per-request" {
        return;
    }
    let of = |name| param(row, &kept.params, name);
    let _ = writeln!(text, "        keepalive {};", of("keep"));
    subject.take_kind(&path);
    subject.take(&format!("{path}.keep"));
    if let Some(idle) = spoken(&of("idle")) {
        let _ = writeln!(text, "        keepalive_timeout {idle};");
        subject.take(&format!("{path}.idle"));
    }
    let _ = writeln!(text, "        keepalive_requests {};", of("max_requests"));
    subject.take(&format!("{path}.max_requests"));
}

/// Directives of a location by name, that all ways to a service have.
type Settings = Vec<(&'static str, String)>;

fn settings(said: &mut Said) -> Settings {
    let mut all = Settings::new();
    for name in ["proxy_connect_timeout", "proxy_read_timeout"] {
        if let Some(span) = said.span(name).and_then(time) {
            all.push((name, span));
        }
    }
    if let Some(words) = said.words("proxy_next_upstream") {
        all.push(next_upstream(&words));
    }
    if let Some(tries) = said.count("proxy_next_upstream_tries") {
        all.push(("proxy_next_upstream_tries", tries.to_string()));
    }
    if let Some(span) = said.span("proxy_next_upstream_timeout").and_then(time) {
        all.push(("proxy_next_upstream_timeout", span));
    }
    all
}

/// Nothing that is passed on is `off`.
fn next_upstream(words: &[String]) -> (&'static str, String) {
    let text = if words.is_empty() {
        "off".to_owned()
    } else {
        words.join(" ")
    };
    ("proxy_next_upstream", text)
}

fn location(
    way: &Way<'_>,
    service: &Service,
    settings: &Settings,
    file: &mut File,
    subject: &mut Subject<'_>,
) {
    let mut own = settings.clone();
    let mut set = |name: &'static str, text: String| {
        own.retain(|(other, _)| *other != name);
        own.push((name, text));
    };
    if let Some((client, path)) = apart(way, service, subject) {
        if let Some(span) = client
            .timeout
            .and_then(time)
            .filter(|_| subject.says(&format!("{path}.timeout")))
        {
            set("proxy_read_timeout", span);
            subject.take(&format!("{path}.timeout"));
        }
        let retry = format!("{path}.retry");
        if let Some(tries) = tries(client).filter(|_| subject.says(&retry)) {
            subject.take_kind(&retry);
            for (name, key, text) in tries {
                subject.take(&format!("{retry}.{key}"));
                match name {
                    "proxy_next_upstream" => {
                        let (name, text) = next_upstream(&words(&text));
                        set(name, text);
                    }
                    "proxy_next_upstream_timeout" => {
                        if let Some(span) = spoken(&text) {
                            set(name, span);
                        }
                    }
                    name => set(name, text),
                }
            }
        }
    }
    let limits = limits(way, service, file, subject);
    let path = if way.alone { "/" } else { &way.prefix };
    let mut text = format!("        location {path} {{\n{limits}");
    let _ = writeln!(text, "            proxy_pass http://{};", service.name);
    for (name, value) in own {
        let _ = writeln!(text, "            {name} {value};");
    }
    text += "        }\n";
    let server = way.alone.then(|| service.name.clone());
    file.locations.push((server, text));
}

/// Limits of a way: those of its callers that all of them share, and those of the balancer.
fn limits(way: &Way<'_>, service: &Service, file: &mut File, subject: &mut Subject<'_>) -> String {
    let mut text = String::new();
    let callers = way
        .source
        .clients
        .first()
        .map(|id| &subject.model.clients[id.position()]);
    let callers = callers.map_or(&[][..], |client| &client.guards);
    let lists = [
        (
            callers,
            format!("{}.client.guards", way.path),
            way.source.name.as_str(),
        ),
        (
            &service.balancer.guards,
            format!("{}.guards", balancer(service)),
            service.name.as_str(),
        ),
    ];
    for (guards, path, zone) in lists {
        if !subject.says(&path) {
            continue;
        }
        for (number, guard) in guards.iter().enumerate() {
            let zone = if number == 0 {
                zone.to_owned()
            } else {
                format!("{zone}-{}", number + 1)
            };
            if let Some(limit) = limit(guard, &path, &zone, file, subject) {
                let _ = writeln!(text, "            {limit}");
            }
        }
    }
    text
}

/// A guard as a limit, with its zone.
fn limit(
    guard: &Configured<GuardDef>,
    list: &str,
    zone: &str,
    file: &mut File,
    subject: &mut Subject<'_>,
) -> Option<String> {
    let row = &guard.def.row;
    let path = format!("{list}.{}", row.name);
    let of = |name| param(row, &guard.params, name);
    let by_key = of("by") == "\"key\"";
    let key = if by_key { KEY } else { "$server_name" };
    let keys = subject
        .value(&format!("{path}.keys"))
        .and_then(|text| text.parse::<u64>().ok());
    let bytes = keys.map_or(10 << 20, |keys| (keys * STATE).max(ZONE_MIN));
    let size = if bytes.is_multiple_of(1024) {
        format!("{}k", bytes / 1024)
    } else {
        bytes.to_string()
    };
    let (head, text) = match row.name {
        "limit-req" => {
            let Some(rate) = rate(of("rate").parse().ok()?) else {
                subject.refuse(
                    &path,
                    "rates are whole numbers of requests a second or a minute",
                );
                return None;
            };
            let mut text = format!("limit_req zone={zone}");
            if of("burst") != "0" {
                let _ = write!(text, " burst={}", of("burst"));
            }
            if of("nodelay") == "true" {
                text += " nodelay";
            } else if of("delay") != "0" {
                let _ = write!(text, " delay={}", of("delay"));
            }
            let head = format!("    limit_req_zone {key} zone={zone}:{size} rate={rate};\n");
            (head, text + ";")
        }
        "limit-conn" => {
            let head = format!("    limit_conn_zone {key} zone={zone}:{size};\n");
            (head, format!("limit_conn {zone} {};", of("limit")))
        }
        _ => return None,
    };
    if !file.zones.contains(&head) {
        file.zones += &head;
    }
    file.keyed |= by_key;
    for (name, _) in subject.below(&path) {
        subject.take(&format!("{path}.{name}"));
    }
    Some(text)
}

/// Requests in thousandths a second, as whole requests a second or a minute.
fn rate(per_second: f64) -> Option<String> {
    if per_second.fract() == 0.0 {
        return Some(format!("{per_second}r/s"));
    }
    let thousandths = (per_second * 1000.0).round() as u64;
    let minute = (thousandths * 60).div_ceil(1000);
    (minute * 1000 / 60 == thousandths).then(|| format!("{minute}r/m"))
}

/// A time of a scenario's text.
fn spoken(text: &str) -> Option<String> {
    Duration::parse(unquoted(text)).ok().and_then(time)
}

/// A time in nginx's words, which knows no less than milliseconds.
fn time(span: Duration) -> Option<String> {
    match span.0 {
        ns if ns % 1_000_000_000 == 0 => Some(format!("{}s", ns / 1_000_000_000)),
        ns if ns % 1_000_000 == 0 => Some(format!("{}ms", ns / 1_000_000)),
        _ => None,
    }
}
