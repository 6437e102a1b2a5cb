//! haproxy.cfg.
//!
//! Each `backend` and `listen` with servers is a service with the dialect haproxy; each `default_backend` and
//! `use_backend` of a `frontend` is a way in.

mod check;
mod conditions;
mod known;
mod pool;
mod rates;
mod sections;
mod servers;
mod units;
mod votes;
mod ways;
mod words;

use super::system::{Key, Kind, Place, System, Way};
use super::{Format, Surroundings, Unreadable, text};
use crate::names::{fresh, name_of};
use pool::{Pool, count_of, pool};
use rates::guards;
use sections::{Section, sections};
use sim_core::scenario::Source;
use std::sync::Arc;
use ways::{Entry, entries};
use words::Lacking;

pub(super) const FORMAT: Format = Format {
    name: "haproxy",
    about: "haproxy.cfg; several files are read one after the other, as with several -f.",
    recognises,
    read,
};

/// The release that is taken: no file says which it is for.
const VERSION: &str = "3.4";
/// Where the requests of a frontend are limited, the dialect takes no more.
const MAXCONN_MAX: u64 = 4_000_000;

/// Words that lines of sections begin with, and hardly anything else.
const LINES: &[&str] = &[
    "bind",
    "server",
    "mode",
    "balance",
    "timeout",
    "default_backend",
    "use_backend",
    "maxconn",
    "option",
    "acl",
    "server-template",
    "default-server",
];

fn recognises(source: &Source) -> bool {
    let code = || text::code_lines(&source.text);
    let section = |line: &str| {
        let mut words = line.split_whitespace();
        let begins = matches!(
            words.next(),
            Some("global" | "defaults" | "frontend" | "backend" | "listen")
        );
        begins && !line.contains(['{', ';', '=']) && !line.ends_with(':')
    };
    let inside = |line: &str| {
        let word = line.split_whitespace().next().unwrap_or_default();
        LINES.contains(&word) && !line.ends_with([';', '{', ':'])
    };
    code().any(section) && code().any(inside)
}

fn read(
    sources: &[Source],
    around: &Surroundings<'_>,
    system: &mut System,
) -> Result<(), Unreadable> {
    let sections = load(sources, around, system)?;
    if let Some(first) = sections.first() {
        let why = format!(
            "it does not say of which release it is: {VERSION} is taken. In 2.6 and 2.8 a backend without `balance` goes by roundrobin, and not by random"
        );
        system.remark(Kind::Read, &first.place, format!("HAProxy {VERSION}"), why);
    }
    let mut taken: Vec<String> = system.service_names();
    let mut said = Vec::new();
    let mut pools = Vec::new();
    for section in sections
        .iter()
        .filter(|section| section.is(&["backend", "listen"]))
    {
        if let Some(pool) = pool(section, &mut taken, system) {
            pools.push(pool);
        } else {
            let what = format!("{} {}", section.kind, section.name);
            system.remark(Kind::Ignored, &section.place, what, "it has no servers");
        }
    }
    let entries = entries(&sections, &mut said, system);
    let global = sections
        .iter()
        .rev()
        .find(|section| section.kind == "global" && section.last("maxconn").is_some());
    for pool in &mut pools {
        let own: Vec<&Entry<'_>> = entries
            .iter()
            .filter(|entry| entry.to == pool.service.title)
            .collect();
        if own.is_empty() {
            let why = "nothing in these files leads there: it is here, and nobody asks it";
            system.remark(
                Kind::Read,
                &pool.service.place,
                format!("backend {}", pool.service.title),
                why,
            );
        }
        capacity(pool, &own, &entries, global, system);
    }
    processes(&sections, &mut pools);
    enter(&sections, &entries, &pools, &mut said, system);
    for section in &sections {
        remarks(section, &said, system);
    }
    system
        .services
        .extend(pools.into_iter().map(|pool| pool.service));
    Ok(())
}

/// The sections of all files.
fn load(
    sources: &[Source],
    around: &Surroundings<'_>,
    system: &mut System,
) -> Result<Vec<Section>, Unreadable> {
    let mut lacking = Lacking::default();
    let mut all = Vec::new();
    for source in sources {
        let file: Arc<str> = source.name.as_str().into();
        // `{%[…]}` is an expression of the program's own.
        if let Some(problem) = text::template(&source.text.replace("{%[", "{ ["), &file) {
            return Err(problem);
        }
        let set = variables(&source.text);
        let value = |name: &str| {
            let own = set.iter().rev().find(|(own, _)| own == name);
            own.map(|(_, value)| value.clone())
                .or_else(|| (around.variable)(name))
        };
        let lines = words::lines(&source.text, &file, &value, &mut lacking)?;
        all.extend(conditions::chosen(lines, &value, system)?);
    }
    match lacking.problem() {
        Some(problem) => Err(problem),
        None => sections(all, system),
    }
}

/// Variables that a file sets itself.
fn variables(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        if let (Some("setenv" | "presetenv"), Some(name), Some(value)) =
            (words.next(), words.next(), words.next())
        {
            found.push((name.to_owned(), value.trim_matches(['"', '\'']).to_owned()));
        }
    }
    found
}

/// How many requests are taken up at once: as many as the frontends before a backend take, and the process.
fn capacity(
    pool: &mut Pool,
    own: &[&Entry<'_>],
    all: &[Entry<'_>],
    global: Option<&Section>,
    system: &mut System,
) {
    let line = global.and_then(|section| section.last("maxconn"));
    let of_process = line
        .and_then(|line| Some((u64::from(count_of(line)?), line)))
        .filter(|(most, _)| *most > 0);
    let mut frontends: Vec<&Section> = Vec::new();
    for entry in own {
        if !frontends
            .iter()
            .any(|other| other.place == entry.frontend.place)
        {
            frontends.push(entry.frontend);
        }
    }
    let mut sum = 0;
    let mut from = None;
    for frontend in &frontends {
        let binds = frontend.own.iter().filter(|line| line.word(0) == "bind");
        let addresses = binds.flat_map(|line| line.word(1).split(','));
        pool.service.listens.extend(addresses.map(str::to_owned));
    }
    for frontend in &frontends {
        let line = frontend.last("maxconn");
        match line
            .and_then(|line| Some((u64::from(count_of(line)?), line)))
            .filter(|(most, _)| *most > 0)
            .or(of_process)
        {
            Some((most, line)) => {
                sum += most;
                from.get_or_insert(line);
                let leads = all
                    .iter()
                    .filter(|entry| entry.frontend.place == frontend.place);
                let mut places: Vec<&str> = leads.map(|entry| entry.to.as_str()).collect();
                places.dedup();
                if places.len() > 1 {
                    let why = "it counts for all backends together, and here for each by itself";
                    system.remark(Kind::Missing, &line.place, line.text(), why);
                }
            }
            None => return,
        }
    }
    let Some(line) = from else {
        return;
    };
    let mut most = (sum, line);
    if let Some(process) = of_process {
        let several = all.iter().any(|entry| {
            !frontends
                .iter()
                .any(|own| own.place == entry.frontend.place)
        });
        if process.0 <= most.0 && several {
            let why =
                "it counts for all of the process together, and here for each backend by itself";
            system.remark(Kind::Missing, &process.1.place, process.1.text(), why);
        }
        most = if process.0 < most.0 { process } else { most };
    }
    let (limit, line) = most;
    pool.service
        .params
        .push(Key::said("maxconn", limit.min(MAXCONN_MAX), &line.place));
    if let (Some(place), false) = (&pool.minconn, pool.fullconn) {
        let full = sum.div_ceil(10).clamp(1, MAXCONN_MAX);
        pool.service.params.push(Key::implied("fullconn", full));
        let why = format!("no fullconn: a tenth of what the frontends take, {full}");
        system.remark(
            Kind::Read,
            place,
            format!("minconn in {}", pool.service.title),
            why,
        );
    }
}

/// Processes that know nothing of each other.
fn processes(sections: &[Section], pools: &mut [Pool]) {
    let line = sections
        .iter()
        .filter(|section| section.kind == "global")
        .find_map(|section| section.last("nbproc"));
    let Some((line, processes)) = line.and_then(|line| Some((line, count_of(line)?))) else {
        return;
    };
    for pool in pools {
        let key = Key::said("instances", processes.clamp(1, 1000), &line.place);
        pool.service.balancer.push(key);
    }
}

/// Makes the ways.
fn enter(
    sections: &[Section],
    entries: &[Entry<'_>],
    pools: &[Pool],
    said: &mut Vec<Place>,
    system: &mut System,
) {
    let mut names: Vec<String> = system.way_names();
    let mut counted: Vec<Place> = Vec::new();
    for entry in entries {
        let Some(pool) = pools.iter().find(|pool| pool.service.title == entry.to) else {
            let there = sections
                .iter()
                .any(|s| s.is(&["backend", "listen"]) && s.name == entry.to);
            let (kind, why) = match (there, entry.frontend.name == entry.to) {
                // Pages of its own, which were remarked.
                (true, true) => continue,
                (true, false) => (
                    Kind::Missing,
                    "there are no servers there: such requests are answered at the door",
                ),
                (false, _) => (Kind::Missing, "there is no such backend in these files"),
            };
            system.remark(kind, &entry.place, format!("backend {}", entry.to), why);
            continue;
        };
        let hint = match entry.name.as_str() {
            "" => name_of(&entry.frontend.name, "frontend"),
            name => name.to_owned(),
        };
        let mut way = Way {
            name: fresh(&hint, &mut names),
            place: entry.place.clone(),
            to: pool.service.name.clone(),
            keys: Vec::new(),
            apart: Vec::new(),
            share: None,
        };
        let mut rules = guards(entry.frontend, sections, said, system);
        let backend = sections
            .iter()
            .find(|section| section.kind == "backend" && section.name == entry.to);
        rules.extend(
            backend
                .map(|backend| guards(backend, sections, said, system))
                .unwrap_or_default(),
        );
        if pool.keyed || !rules.is_empty() {
            way.keys.push(Key::clients());
        }
        for rule in &rules {
            if counted.contains(&rule.place) {
                let why = "it counts for several ways together, and here for each by itself";
                system.remark(Kind::Missing, &rule.place, "a limit for each client", why);
            }
            counted.push(rule.place.clone());
        }
        if let Some(first) = rules.first() {
            let list: Vec<&str> = rules.iter().map(|rule| rule.text.as_str()).collect();
            way.keys.push(Key::said(
                "client.guards",
                format!("[{}]", list.join(", ")),
                &first.place,
            ));
        }
        system.ways.push(way);
    }
}

/// Remarks of what a section says by itself and nobody used.
fn remarks(section: &Section, said: &[Place], system: &mut System) {
    if !section.is(&["global", "defaults", "frontend", "backend", "listen"]) {
        let (kind, why) = known::of_section(&section.kind);
        system.remark(
            kind,
            &section.place,
            format!("{} {}", section.kind, section.name).trim_end(),
            why,
        );
        return;
    }
    if section.kind == "defaults" {
        servers::remarks(section, system);
    }
    for line in section
        .own
        .iter()
        .filter(|line| !said.contains(&line.place))
    {
        let old = sections::OLD_TIMEOUTS
            .iter()
            .find(|(old, _)| *old == line.word(0));
        if let Some((_, new)) = old {
            let why = format!("a word of before version 1.5: timeout {new}");
            system.remark(Kind::Read, &line.place, line.text(), why);
        }
        let Some((kind, why)) = known::remark(line) else {
            continue;
        };
        let what = match kind {
            // What does not matter needs no more than its name.
            Kind::Ignored => known::keyword(line),
            _ => line.text(),
        };
        system.remark(kind, &line.place, what, why);
    }
}
