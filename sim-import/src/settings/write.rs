//! A system as the text of a scenario, in which every value names the line it was read from.

use super::system::{Key, Place, Server, Service, System, Way};
use crate::filled::{Filled, one_line};
use crate::names::fresh;
use sim_core::scenario::quoted;
use std::fmt::Write;

/// The mean time that a request asks of a server, in milliseconds, as long as nobody has measured it.
const DEMAND_MS: u32 = 50;
/// Requests a server works on at once as long as nobody has said it.
const WORKERS: u32 = 8;
/// The share of what the servers can do that is assumed to come.
const LOAD: f64 = 0.5;
/// Column of the comment that says where a value was read.
const MARGIN: usize = 48;

/// The scenario's text, and where the values at its paths were read. What was measured beside the settings stands in
/// the place of what would be assumed.
pub(crate) fn write(
    system: &System,
    title: &str,
    filled: &[Filled],
) -> (String, Vec<(String, Place)>) {
    let mut out = Writer {
        filled,
        ..Writer::default()
    };
    out.line(&format!("title = {}", quoted(title)));
    for (key, usual) in [("horizon", "10m"), ("warm_up", "1m")] {
        let measured = out.filled(key).map(|own| own.value.clone());
        out.line(&format!("{key} = {}", measured.unwrap_or(quoted(usual))));
    }
    // The list of what is assumed comes here, when all is known.
    let head = std::mem::take(&mut out.text);
    traffic(system, &mut out);
    for service in &system.services {
        pool(service, system, &mut out);
    }
    for deed in &system.deeds {
        out.section("[[timeline]]", "");
        out.line("at = \"0s\"");
        out.line(&format!("do = {}", quoted(deed.action)));
        out.with_place(
            &format!("target = {}", quoted(&deed.target)),
            &deed.place.to_string(),
        );
        out.line(&format!("note = {}", quoted(&deed.note)));
    }
    let assumed = assumed_list(&out.assumed);
    (format!("{head}{assumed}{}", out.text), out.places)
}

fn assumed_list(paths: &[String]) -> String {
    if paths.is_empty() {
        return String::new();
    }
    let mut text = "# No file says these: every run names them until you fill them in and take them out of this list.\nassumed = [\n".to_owned();
    for path in paths {
        let _ = writeln!(text, "    {},", quoted(path));
    }
    text + "]\n"
}

#[derive(Default)]
struct Writer<'a> {
    filled: &'a [Filled],
    text: String,
    assumed: Vec<String>,
    places: Vec<(String, Place)>,
}

impl<'a> Writer<'a> {
    /// What was measured for a path.
    fn filled(&self, path: &str) -> Option<&'a Filled> {
        let alike = |own: &str| {
            let words = own.split('.').zip(path.split('.'));
            own.split('.').count() == path.split('.').count()
                && words
                    .into_iter()
                    .all(|(own, word)| own == "*" || own == word)
        };
        self.filled.iter().find(|filled| alike(&filled.path))
    }

    /// A key that no settings say, whose value is assumed unless it was measured; `list` is its path in the list of what
    /// is assumed, if it is not in it yet.
    fn unsaid(
        &mut self,
        key: &str,
        usual: impl std::fmt::Display,
        path: &str,
        list: Option<String>,
    ) {
        let own = self.filled(path);
        let (value, words) = match own {
            Some(own) if own.assumed => (own.value.clone(), format!("assumed: {}", own.words)),
            Some(own) => (own.value.clone(), own.words.clone()),
            None => (usual.to_string(), "assumed".to_owned()),
        };
        if own.is_none_or(|own| own.assumed) {
            self.assumed.extend(list);
        }
        self.with_place(&format!("{key} = {value}"), &words);
    }

    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{line}");
    }

    fn section(&mut self, head: &str, comment: &str) {
        self.text.push('\n');
        self.with_place(head, comment);
    }

    fn with_place(&mut self, line: &str, place: &str) {
        if place.is_empty() {
            return self.line(line);
        }
        let gap = MARGIN.saturating_sub(line.chars().count()).max(1);
        let _ = writeln!(self.text, "{line}{:gap$}# {}", "", one_line(place));
    }

    /// A key of the section at `path`.
    fn key(&mut self, key: &Key, path: &str) {
        let line = format!("{} = {}", key.path, key.value);
        let path = format!("{path}.{}", key.path);
        if let Some(place) = &key.place {
            self.places.push((path.clone(), place.clone()));
        }
        if key.assumed {
            return self.unsaid(&key.path, &key.value, &path, Some(path.clone()));
        }
        let place = key.place.as_ref().map_or(String::new(), Place::to_string);
        self.with_place(&line, &place);
    }
}

/// Keys as they count: of several for one path the last.
fn last(keys: &[Key]) -> impl Iterator<Item = &Key> {
    let later = |index: usize, path: &str| keys[index + 1..].iter().any(|key| key.path == path);
    let own = keys.iter().enumerate();
    own.filter(move |(index, key)| !later(*index, &key.path))
        .map(|(_, key)| key)
}

fn traffic(system: &System, out: &mut Writer<'_>) {
    classes(system, out);
    for way in &system.ways {
        out.section("[[traffic]]", &way.place.to_string());
        let path = format!("traffic.{}", way.name);
        out.places.push((path.clone(), way.place.clone()));
        out.line(&format!("name = {}", quoted(&way.name)));
        out.line(&format!("to = {}", quoted(&way.to)));
        if !way.apart.is_empty() {
            out.line(&format!("class = {}", quoted(&way.name)));
        }
        if !way.keys.iter().any(|key| key.path == "rate") {
            out.key(&Key::assumed("rate", rate(way, system)), &path);
        }
        for key in last(&way.keys) {
            out.key(key, &path);
        }
    }
}

/// Ways that are treated apart are classes; all others are one more.
fn classes(system: &System, out: &mut Writer<'_>) {
    let apart = || system.ways.iter().filter(|way| !way.apart.is_empty());
    if apart().next().is_none() {
        return;
    }
    let mut taken: Vec<String> = apart().map(|way| way.name.clone()).collect();
    out.section(&format!("[class.{}]", fresh("other", &mut taken)), "");
    out.line("share = 1");
    for way in apart() {
        out.section(&format!("[class.{}]", way.name), "");
        let path = format!("class.{}.demand", way.name);
        if let Some(own) = out.filled(&path) {
            out.with_place(&format!("demand = {}", own.value), &own.words);
        }
    }
}

/// Half of what the servers of a way can do, shared among the ways that lead there; where a rule splits requests
/// among services, half of what the first of them to be full allows.
fn rate(way: &Way, system: &System) -> f64 {
    let split = |other: &&Way| other.share.is_some() && other.place == way.place;
    let rate = if let Some(share) = way.share {
        let whole = system.ways.iter().filter(split).map(|other| {
            capacity(&other.to, system) / other.share.unwrap_or(1.0).max(f64::MIN_POSITIVE)
        });
        whole.fold(f64::INFINITY, f64::min) * share
    } else {
        let others = system.ways.iter().filter(|other| other.to == way.to);
        capacity(&way.to, system) / others.count().max(1) as f64
    };
    let rate = LOAD * rate;
    // A figure that looks like what it is.
    if rate >= 10.0 {
        rate.round()
    } else {
        ((rate * 10.0).ceil() / 10.0).max(0.1)
    }
}

/// What the servers of a service can do as far as it is assumed, in requests per second.
fn capacity(service: &str, system: &System) -> f64 {
    let number = |keys: &[Key], name: &str| {
        let key = keys.iter().find(|key| key.path == name)?;
        key.value.parse::<f64>().ok()
    };
    let is = |keys: &[Key], name: &str, value: &str| {
        (keys.iter()).any(|key| key.path == name && key.value == value)
    };
    let places = |server: &Server| {
        if is(&server.keys, "present", "false") || is(&server.keys, "backup", "true") {
            return 0.0;
        }
        let workers = number(&server.keys, "workers").unwrap_or(f64::from(WORKERS));
        workers * number(&server.keys, "count").unwrap_or(1.0)
    };
    let found = system.services.iter().find(|own| own.name == service);
    let all: f64 = found.map_or(0.0, |service| service.servers.iter().map(places).sum());
    all.max(1.0) / (f64::from(DEMAND_MS) / 1e3)
}

fn pool(service: &Service, system: &System, out: &mut Writer<'_>) {
    let path = format!("service.{}", service.name);
    let place = service.place.to_string();
    let comment = if service.title == service.name {
        place
    } else {
        format!("{place} {}", service.title)
    };
    out.section(&format!("[{path}]"), &comment);
    out.places.push((path.clone(), service.place.clone()));
    if !service.keys.iter().any(|key| key.path == "demand") && !service.servers.is_empty() {
        let demand = format!("{{ kind = \"exponential\", mean = \"{DEMAND_MS}ms\" }}");
        out.key(&Key::assumed("demand", demand), &path);
    }
    for key in last(&service.keys) {
        out.key(key, &path);
    }
    if !service.balancer.is_empty() {
        out.section(&format!("[{path}.balancer]"), "");
        for key in last(&service.balancer) {
            out.key(key, &format!("{path}.balancer"));
        }
    }
    if !service.dialect.is_empty() {
        let path = format!("{path}.balancer.dialect");
        out.section(&format!("[{path}]"), "");
        out.line(&format!("kind = {}", quoted(service.dialect)));
        for key in last(&service.params) {
            out.key(key, &path);
        }
    }
    for way in system
        .ways
        .iter()
        .filter(|way| way.to == service.name && !way.apart.is_empty())
    {
        let path = format!("{path}.balancer.class.{}", way.name);
        out.section(&format!("[{path}]"), &way.place.to_string());
        for key in last(&way.apart) {
            out.key(key, &path);
        }
    }
    servers(service, &path, out);
}

fn servers(service: &Service, path: &str, out: &mut Writer<'_>) {
    let lacks = |server: &Server| !server.keys.iter().any(|key| key.path == "workers");
    // One line says of all what would be said of each.
    let all = service.servers.len() > 1 && service.servers.iter().all(lacks);
    let mut list = all.then(|| format!("{path}.server.*.workers"));
    for server in &service.servers {
        let comment = format!("{} {}", server.place, server.address);
        out.section(&format!("[[{path}.server]]"), &comment);
        out.line(&format!("name = {}", quoted(&server.name)));
        let path = format!("{path}.server.{}", server.name);
        out.places.push((path.clone(), server.place.clone()));
        if lacks(server) {
            let own = format!("{path}.workers");
            let list = if all { list.take() } else { Some(own.clone()) };
            out.unsaid("workers", WORKERS, &own, list);
        }
        for key in last(&server.keys) {
            out.key(key, &path);
        }
    }
}
