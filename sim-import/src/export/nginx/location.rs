//! Locations: time-outs, tries and limits of a way in.

use super::generic::tries;
use super::{File, KEY, STATE, ZONE_MIN};
use crate::export::routes::{PARTS, ends, parts};
use crate::export::said::{Said, balancer, unquoted, words};
use crate::export::subject::{Subject, param};
use crate::export::ways::{Way, apart};
use crate::names::fresh;
use sim_core::extension::Configured;
use sim_core::guard::GuardDef;
use sim_core::model::Service;
use sim_core::time::Duration;
use std::fmt::Write;

/// Directives of a location by name, that all ways to a service have.
pub(super) type Settings = Vec<(&'static str, String)>;

pub(super) fn settings(said: &mut Said) -> Settings {
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
pub(super) fn next_upstream(words: &[String]) -> (&'static str, String) {
    let text = if words.is_empty() {
        "off".to_owned()
    } else {
        words.join(" ")
    };
    ("proxy_next_upstream", text)
}

pub(super) fn location<'m>(
    way: &Way<'_>,
    service: &'m Service,
    settings: &Settings,
    file: &mut File,
    subject: &mut Subject<'m>,
) {
    let Some(pool) = pool(way, service, file, subject) else {
        return;
    };
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
    let _ = writeln!(text, "            proxy_pass http://{pool};");
    for (name, value) in own {
        let _ = writeln!(text, "            {name} {value};");
    }
    text += "        }\n";
    let server = way.alone.then(|| service.name.clone());
    file.locations.push((server, text));
}

/// The upstream that a way leads to, or the variable that says which of several it is.
fn pool<'m>(
    way: &Way<'_>,
    service: &'m Service,
    file: &mut File,
    subject: &mut Subject<'m>,
) -> Option<String> {
    let all = parts(way, service, subject);
    let ((last, _), others) = all.split_last()?;
    if others.is_empty() {
        return Some(last.name.clone());
    }
    let variable = format!("${}", way.name.replace('-', "_"));
    let mut text = format!("    split_clients {KEY} {variable} {{\n");
    let mut before = 0;
    for (to, end) in ends(others) {
        let percent = f64::from(end - before) * 100.0 / f64::from(PARTS);
        let _ = writeln!(text, "        {percent}% {};", to.name);
        before = end;
    }
    let _ = writeln!(text, "        * {};\n    }}", last.name);
    file.zones += &text;
    file.keyed = true;
    Some(variable)
}

/// Limits of a way: those of its callers that all of them share, and those of the balancer.
pub(super) fn limits(
    way: &Way<'_>,
    service: &Service,
    file: &mut File,
    subject: &mut Subject<'_>,
) -> String {
    let mut text = String::new();
    let lists = [
        (
            way.guards,
            format!("{}.client.guards", way.path),
            way.name.as_str(),
        ),
        (
            &service.balancer.guards[..],
            format!("{}.guards", balancer(service)),
            service.name.as_str(),
        ),
    ];
    for (guards, path, owner) in lists {
        if !subject.says(&path) {
            continue;
        }
        for (number, guard) in guards.iter().enumerate() {
            let which = Limit {
                list: &path,
                number,
                owner,
            };
            if let Some(limit) = limit(guard, which, file, subject) {
                let _ = writeln!(text, "            {limit}");
            }
        }
    }
    text
}

/// Which guard of a list of an owner a limit is.
#[derive(Clone, Copy)]
struct Limit<'a> {
    list: &'a str,
    number: usize,
    owner: &'a str,
}

impl Limit<'_> {
    /// The zone in which it counts, for all ways that it limits.
    fn zone(&self, what: &str, file: &mut File) -> String {
        let key = format!("{}.{}", self.list, self.number);
        if let Some((_, zone)) = file.limits.iter().find(|(own, _)| *own == key) {
            return zone.clone();
        }
        let zone = fresh(&format!("{}-{what}", self.owner), &mut file.taken);
        file.limits.push((key, zone.clone()));
        zone
    }
}

/// A guard as a limit, with its zone.
fn limit(
    guard: &Configured<GuardDef>,
    which: Limit<'_>,
    file: &mut File,
    subject: &mut Subject<'_>,
) -> Option<String> {
    let row = &guard.def.row;
    let path = format!("{}.{}", which.list, row.name);
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
            let zone = which.zone("requests", file);
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
            let zone = which.zone("connections", file);
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
pub(super) fn rate(per_second: f64) -> Option<String> {
    if per_second.fract() == 0.0 {
        return Some(format!("{per_second}r/s"));
    }
    let thousandths = (per_second * 1000.0).round() as u64;
    let minute = (thousandths * 60).div_ceil(1000);
    (minute * 1000 / 60 == thousandths).then(|| format!("{minute}r/m"))
}

/// A time of a scenario's text.
pub(super) fn spoken(text: &str) -> Option<String> {
    Duration::parse(unquoted(text)).ok().and_then(time)
}

/// A time in nginx's words, which knows no less than milliseconds.
pub(super) fn time(span: Duration) -> Option<String> {
    match span.0 {
        ns if ns % 1_000_000_000 == 0 => Some(format!("{}s", ns / 1_000_000_000)),
        ns if ns % 1_000_000 == 0 => Some(format!("{}ms", ns / 1_000_000)),
        _ => None,
    }
}
