//! haproxy.cfg: a `backend` for each service, and a `frontend` for what leads there.

use super::said::{Counterpart, Said, balancer, chosen, own_span, policy, rules, whole};
use super::subject::{Subject, param};
use super::ways::{Way, drained, ways};
use super::{ADDRESSES, BESIDE_BALANCERS, Target, is_of_balancers};
use sim_core::extension::Configured;
use sim_core::guard::GuardDef;
use sim_core::ids::Id;
use sim_core::model::{Client, Server, Service};
use sim_core::time::Duration;
use std::fmt::Write;

pub(super) static TARGET: Target = Target {
    name: "haproxy",
    about: "haproxy.cfg: backends with their servers, and a frontend for each, with a rule for each source.",
    concerns: is_of_balancers,
    beside: BESIDE_BALANCERS,
    write,
};

const POLICIES: &[Counterpart] = &[
    policy("haproxy-roundrobin", "roundrobin", true),
    policy("haproxy-static-rr", "static-rr", true),
    policy("haproxy-leastconn", "leastconn", true),
    policy("haproxy-first", "first", true),
    policy("haproxy-random", "random", true),
    policy("haproxy-hash", "source", true),
    policy("round-robin", "roundrobin", false),
    policy("weighted-round-robin", "roundrobin", true),
    policy("least-in-flight", "leastconn", true),
    policy("random", "random", false),
    policy("weighted-random", "random", true),
    policy("power-of-d", "random", false),
    policy("first", "first", false),
    policy("source-hash", "source", true),
    policy("ring-hash", "source", true),
];
/// Balances by a key of requests.
const HASHES: &[&str] = &["source", "uri", "url_param", "hdr"];
/// The first port that is listened at.
const PORT: usize = 80;
/// Weights go so far.
const WEIGHT_MAX: f64 = 256.0;

fn write(subject: &mut Subject<'_>) -> String {
    let model = subject.model;
    let mut frontends = String::new();
    let mut backends = String::new();
    let mut ports = 0;
    for service in &model.services {
        if service.servers.is_empty() {
            subject.remark(format!(
                "{} has no servers of its own, and is no backend",
                service.name
            ));
            continue;
        }
        let mut said = Said::of(service, "haproxy", subject);
        backend(service, &mut said, &mut backends, subject);
        let all = ways(service, subject);
        if all.is_empty() {
            subject.remark(format!(
                "no source leads to {}: other services ask it, and no frontend does",
                service.name
            ));
        } else {
            frontend(
                service,
                &all,
                PORT + ports,
                &mut said,
                &mut frontends,
                subject,
            );
            ports += 1;
        }
        said.close(subject);
    }
    subject.remark(ADDRESSES);
    subject.remark(
        "timeout client, how long a client may be silent, is in no scenario: a minute is written",
    );
    if ports > 1 {
        subject.remark(
            "each service has a frontend with a port of its own, so that each has its own limits",
        );
    }
    format!("defaults\n    mode http\n    timeout client 60s\n{frontends}{backends}")
}

fn backend(service: &Service, said: &mut Said, text: &mut String, subject: &mut Subject<'_>) {
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

/// The algorithm of what is no dialect of its own; whether weights count.
fn balance(service: &Service, said: &mut Said, subject: &mut Subject<'_>) -> bool {
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

fn health(service: &Service, said: &mut Said, subject: &mut Subject<'_>) {
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

fn client(service: &Service, said: &mut Said, subject: &mut Subject<'_>) {
    let path = balancer(service);
    let connect = format!("{path}.link.connect_timeout");
    if let Some(span) = subject.value(&connect) {
        said.put("timeout_connect", span.to_owned(), &connect);
    }
    let timeout = format!("{path}.client.timeout");
    if let Some(span) = subject.value(&timeout).filter(|span| *span != "\"none\"") {
        said.put("timeout_server", span.to_owned(), &timeout);
    }
    let retry = format!("{path}.client.retry");
    let client = service.balancer.client.as_ref();
    let client = client.map(|own| &subject.model.clients[own.client.position()]);
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
fn again(client: &Client, path: &str, said: &mut Said, subject: &mut Subject<'_>) {
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

fn queue(service: &Service, said: &mut Said, subject: &mut Subject<'_>) {
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

/// Lines of the choice; whether keys decide.
fn choice(said: &mut Said, text: &mut String) -> bool {
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

fn times(said: &mut Said, text: &mut String) {
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

fn tries(said: &mut Said, text: &mut String) {
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

fn servers(
    service: &Service,
    weighs: bool,
    cookie: bool,
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
    let weights = whole(&weights, WEIGHT_MAX).filter(|_| weighs);
    let drained = drained(service, subject);
    let common = Common::of(said);
    for (place, server) in own.iter().enumerate() {
        let _ = write!(text, "    server {} {}:80", server.name, server.name);
        let weight = weights.as_ref().map_or(1, |weights| weights[place]);
        let weight = if drained.contains(&server.name) {
            0
        } else {
            weight
        };
        if weight != 1 {
            let _ = write!(text, " weight {weight}");
        }
        limits(server, &common, text);
        if server.params.health.checked {
            checks(server, &common, text);
        }
        if cookie {
            let _ = write!(text, " cookie {}", server.name);
        }
        if let Some(span) = own_span(&server.params.health, "slow_start")
            .or(common.slow_start)
            .filter(|span| !span.is_zero())
            .and_then(time)
        {
            let _ = write!(text, " slowstart {span}");
        }
        if !server.present {
            *text += " disabled";
        }
        *text += "\n";
    }
    if weights.is_some() {
        subject.take_of_servers(service, "weight", &[]);
    } else {
        let why = if weighs {
            "no whole numbers up to 256 stand in these proportions"
        } else {
            "the policy does not look at weights, and the balance would"
        };
        subject.refuse_of_servers(service, "weight", why);
    }
    for key in [
        "max_connections",
        "min_connections",
        "max_pending",
        "present",
        "health.slow_start",
    ] {
        subject.take_of_servers(service, key, &[]);
    }
    if common.check {
        for key in [
            "check",
            "interval",
            "fast_interval",
            "down_interval",
            "fall",
            "rise",
        ] {
            subject.take_of_servers(service, &format!("health.{key}"), &[]);
        }
    }
    subject.take_backups(service);
}

/// What servers have alike unless they say otherwise.
struct Common {
    max_queue: Option<u64>,
    check: bool,
    spans: [Option<Duration>; 3],
    fall: Option<u64>,
    rise: Option<u64>,
    observe: String,
    slow_start: Option<Duration>,
}

impl Common {
    fn of(said: &mut Said) -> Self {
        let observe = said.word("observe").filter(|word| word != "none");
        let observe = observe.map_or(String::new(), |word| {
            let mut text = format!(" observe {word}");
            if let Some(limit) = said.count("error_limit") {
                let _ = write!(text, " error-limit {limit}");
            }
            if let Some(word) = said.word("on_error") {
                let _ = write!(text, " on-error {word}");
            }
            text
        });
        Self {
            max_queue: said.count("maxqueue"),
            check: said.flag("check"),
            spans: ["inter", "fastinter", "downinter"].map(|name| said.some_span(name)),
            fall: said.count("fall"),
            rise: said.count("rise"),
            observe,
            slow_start: said.some_span("slowstart"),
        }
    }
}

fn limits(server: &Server, common: &Common, text: &mut String) {
    let params = &server.params;
    if let Some(most) = params.max_connections {
        let _ = write!(text, " maxconn {most}");
    }
    if let Some(least) = params.min_connections {
        let _ = write!(text, " minconn {least}");
    }
    let queue = params.max_pending.map(u64::from).or(common.max_queue);
    if let Some(queue) = queue.filter(|queue| *queue > 0) {
        let _ = write!(text, " maxqueue {queue}");
    }
    if params.priority > 0 {
        *text += " backup";
    }
}

fn checks(server: &Server, common: &Common, text: &mut String) {
    if !common.check {
        return;
    }
    *text += " check";
    let health = &server.params.health;
    let keys = [
        ("inter", "interval"),
        ("fastinter", "fast_interval"),
        ("downinter", "down_interval"),
    ];
    for ((word, key), usual) in keys.into_iter().zip(common.spans) {
        if let Some(span) = own_span(health, key).or(usual).and_then(time) {
            let _ = write!(text, " {word} {span}");
        }
    }
    for (word, usual) in [("fall", common.fall), ("rise", common.rise)] {
        if let Some(count) = health.integer(word).or(usual) {
            let _ = write!(text, " {word} {count}");
        }
    }
    *text += &common.observe;
}

fn frontend(
    service: &Service,
    all: &[Way<'_>],
    port: usize,
    said: &mut Said,
    text: &mut String,
    subject: &mut Subject<'_>,
) {
    // The last takes what no rule takes, unless one is for all paths.
    let first = all
        .iter()
        .position(|way| way.prefix == "/")
        .unwrap_or(all.len() - 1);
    let _ = writeln!(
        text,
        "frontend {}\n    bind :{port}",
        all[first].source.name
    );
    if let Some(most) = said.count("maxconn").filter(|most| *most > 0) {
        let _ = writeln!(text, "    maxconn {most}");
    }
    rates(all, text, subject);
    let others = all.iter().enumerate().filter(|(place, _)| *place != first);
    for (_, way) in others {
        let name = &way.source.name;
        let _ = writeln!(text, "    acl {name} path_beg {}", way.prefix);
        let _ = writeln!(text, "    use_backend {} if {name}", service.name);
    }
    let _ = writeln!(text, "    default_backend {}", service.name);
}

/// Limits for each client, where all ways of a frontend have the same.
fn rates(all: &[Way<'_>], text: &mut String, subject: &mut Subject<'_>) {
    let model = subject.model;
    let guards = |way: &Way<'_>| -> &[Configured<GuardDef>] {
        let client = way
            .source
            .clients
            .first()
            .map(|id| &model.clients[id.position()]);
        client.map_or(&[], |client| &client.guards)
    };
    let known =
        |guard: &Configured<GuardDef>| matches!(guard.def.row.name, "rate-counter" | "limit-conn");
    let own: Vec<_> = guards(&all[0])
        .iter()
        .filter(|guard| known(guard))
        .collect();
    if own.is_empty() || !all.iter().all(|way| guards(way) == guards(&all[0])) {
        let why = "limits of one of several ways to a backend are not written";
        for way in all {
            subject.refuse(&format!("{}.client.guards", way.path), why);
        }
        return;
    }
    let mut table = Table::default();
    for guard in own {
        let row = &guard.def.row;
        let of = |name| param(row, &guard.params, name);
        let (rule, at) = (table.rule(row.name, &of), row.name);
        for way in all.iter().filter(|_| rule.is_some()) {
            subject.take(&format!("{}.client.guards.{at}", way.path));
        }
    }
    *text += &table.text();
    subject.remark("keys of requests are addresses of clients where rates are counted");
}

/// A table of counters by address, with the rules that ask it.
#[derive(Default)]
struct Table {
    size: Option<String>,
    stores: Vec<String>,
    /// Rules before the counting, and after it.
    before: String,
    after: String,
}

impl Table {
    /// A rule of a guard; `None` if it has no counterpart beside those that are there.
    fn rule(&mut self, name: &str, of: &dyn Fn(&'static str) -> String) -> Option<()> {
        let (measure, store) = if name == "limit-conn" {
            ("conn_cur", "conn_cur".to_owned())
        } else {
            let period = Duration::parse(super::said::unquoted(&of("period")))
                .ok()
                .and_then(time)?;
            ("http_req_rate", format!("http_req_rate({period})"))
        };
        // A limit of connections has no say in how many clients are remembered.
        let keys = Some(of("keys")).filter(|keys| !keys.is_empty());
        let taken = |own: &String| own.starts_with(measure);
        let other = keys.is_some() && self.size.is_some() && self.size != keys;
        if of("by") != "\"key\"" || other || self.stores.iter().any(taken) {
            return None;
        }
        self.size = keys.or(self.size.take());
        self.stores.push(store);
        let rule = format!(
            "    http-request deny deny_status 429 if {{ sc_{measure}(0) gt {} }}\n",
            of("limit")
        );
        if of("counts") == "\"passed\"" {
            self.before += &rule;
        } else {
            self.after += &rule;
        }
        Some(())
    }

    fn text(&self) -> String {
        if self.stores.is_empty() {
            return String::new();
        }
        let size = self.size.as_deref().unwrap_or("100k");
        format!(
            "    stick-table type ip size {size} expire 10m store {}\n{}    http-request track-sc0 src\n{}",
            self.stores.join(","),
            self.before,
            self.after
        )
    }
}

/// A time in HAProxy's words, which knows no less than microseconds.
fn time(span: Duration) -> Option<String> {
    match span.0 {
        ns if ns % 1_000_000_000 == 0 => Some(format!("{}s", ns / 1_000_000_000)),
        ns if ns % 1_000_000 == 0 => Some(format!("{}ms", ns / 1_000_000)),
        ns if ns % 1_000 == 0 => Some(format!("{}us", ns / 1_000)),
        _ => None,
    }
}
