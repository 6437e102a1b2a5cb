//! A `backend`, or the half of a `listen` that has servers, in the words of the dialect.

use super::check::{Check, checks};
use super::sections::Section;
use super::servers::{Member, Param, members};
use super::units::time;
use super::votes::Votes;
use super::words::Line;
use crate::names::{fresh, list, name_of};
use crate::settings::system::{Key, Kind, Place, Service, System};
use crate::settings::words_of;
use sim_core::scenario::quoted;

/// Weights go so far.
const WEIGHT_MAX: u32 = 256;
/// Algorithms whose weights can change while they run, beside rings.
const DYNAMIC: &[&str] = &["default", "roundrobin", "leastconn", "random"];

/// A service with what its ways must know.
pub(super) struct Pool {
    pub service: Service,
    /// Whether requests have keys that decide.
    pub keyed: bool,
    /// Where servers have a minconn, so that the fullness of the backend matters.
    pub minconn: Option<Place>,
    pub fullconn: bool,
}

/// Reads a section with servers; `None` if it has none.
pub(super) fn pool(
    section: &Section,
    taken: &mut Vec<String>,
    system: &mut System,
) -> Option<Pool> {
    let mut members = members(section, system);
    if members.is_empty() {
        return None;
    }
    let name = fresh(&name_of(&section.name, "backend"), taken);
    let mut pool = Pool {
        service: Service::new(name, &section.name, &section.place, "haproxy"),
        keyed: false,
        minconn: None,
        fullconn: false,
    };
    // The file does not say which it is of: the newest.
    pool.service
        .params
        .push(Key::implied("version", quoted(super::VERSION)));
    if !section.is_http() {
        let mode = section.last("mode");
        let place = mode.map_or(&section.place, |line| &line.place);
        let why = "it hands on connections: a request here is one, from its opening to its end";
        let what = mode.map_or("no mode, which is tcp".to_owned(), Line::text);
        system.remark(Kind::Read, place, what, why);
    }
    let (chosen, ring) = balance(section, &mut pool, system);
    timeouts(section, &mut pool, system);
    tries(section, &mut pool, system);
    if let Some(line) = section.option("allbackups") {
        pool.service
            .params
            .push(Key::said("allbackups", "true", &line.place));
    }
    count(
        section,
        "fullconn",
        "fullconn",
        &mut pool.service.params,
        system,
    );
    pool.fullconn = section.last("fullconn").is_some();
    let check = Check::of(section);
    leader(section, &check, &mut members, system);
    sticks(section, &members, &mut pool, system);
    for member in &mut members {
        limits(member, &mut pool, system);
    }
    let mut votes = Votes::of(&members);
    checks(section, &check, &mut votes, &mut pool.service, system);
    if let Some(queue) = votes.common("maxqueue", |_| true, "0", system) {
        number(&queue, "maxqueue", &mut pool.service.params, system);
    }
    if let Some(start) = votes.common("slowstart", |_| true, "0", system) {
        let moves = ring || DYNAMIC.contains(&chosen.as_str());
        match time(&start.value) {
            _ if !moves => {
                let why = format!("weights of balance {chosen} do not change while it runs");
                system.remark(
                    Kind::Missing,
                    &start.place,
                    format!("slowstart {}", start.value),
                    why,
                );
            }
            Some(span) if span.0 >= 1_000_000_000 => {
                pool.service.params.push(Key::said(
                    "slowstart",
                    format!("\"{span}\""),
                    &start.place,
                ));
            }
            _ => {
                let why = "it is counted in whole seconds, and this is none";
                system.remark(
                    Kind::Missing,
                    &start.place,
                    format!("slowstart {}", start.value),
                    why,
                );
            }
        }
    }
    let own = votes.into_own();
    pool.service.servers = members.into_iter().map(|member| member.server).collect();
    for (index, key) in own {
        pool.service.servers[index].keys.push(key);
    }
    Some(pool)
}

/// The algorithm by its word, and whether it is a ring.
fn balance(section: &Section, pool: &mut Pool, system: &mut System) -> (String, bool) {
    let params = &mut pool.service.params;
    let Some(line) = section.last("balance") else {
        return ("default".to_owned(), false);
    };
    let said = line.word(1);
    let (name, inside) = said.split_once('(').unwrap_or((said, ""));
    let hashes = ["source", "uri", "url_param", "hdr"];
    let chosen = match name {
        "hash" | "rdp-cookie" => "hdr",
        name => name,
    };
    if !words_of("haproxy", "balance").contains(&chosen) || chosen == "default" {
        let why = "such a balance is not simulated: the default is taken";
        system.remark(Kind::Missing, &line.place, line.text(), why);
        return ("default".to_owned(), false);
    }
    params.push(Key::said("balance", quoted(chosen), &line.place));
    if chosen == "random" && !inside.is_empty() {
        let draws = inside.trim_end_matches(')').parse::<u32>().ok();
        match draws.filter(|draws| (1..=1000).contains(draws)) {
            Some(draws) => params.push(Key::said("draws", draws, &line.place)),
            None => system.remark(
                Kind::Missing,
                &line.place,
                line.text(),
                "two draws are taken",
            ),
        }
    }
    pool.keyed = hashes.contains(&chosen);
    if pool.keyed && line.words.len() > 2 && !matches!(chosen, "url_param") {
        let why = "a request has one key here, whatever of it is hashed";
        system.remark(Kind::Read, &line.place, line.text(), why);
    }
    let mut ring = false;
    if let Some(line) = section.last("hash-type").filter(|_| pool.keyed) {
        ring = line.word(1) == "consistent";
        let methods = words_of("haproxy", "hash_type");
        if methods.contains(&line.word(1)) {
            params.push(Key::said("hash_type", quoted(line.word(1)), &line.place));
        }
        match line.word(2) {
            "" => {}
            function if words_of("haproxy", "hash_function").contains(&function) => {
                params.push(Key::said("hash_function", quoted(function), &line.place));
            }
            _ => system.remark(
                Kind::Missing,
                &line.place,
                line.text(),
                "the function is sdbm here",
            ),
        }
    }
    if let Some(line) = section.last("hash-balance-factor") {
        match line.word(1).parse::<u32>() {
            Ok(factor) if ring && (101..=65_535).contains(&factor) => {
                params.push(Key::said("hash_balance_factor", factor, &line.place));
            }
            Ok(0) => {}
            _ => {
                let why = "it works with hash-type consistent only, and above 100";
                system.remark(Kind::Missing, &line.place, line.text(), why);
            }
        }
    }
    if let Some(line) = section.last("hash-preserve-affinity") {
        let known = words_of("haproxy", "hash_preserve_affinity").contains(&line.word(1));
        if ring && known {
            params.push(Key::said(
                "hash_preserve_affinity",
                quoted(line.word(1)),
                &line.place,
            ));
        } else {
            let why = "it works with hash-type consistent only";
            system.remark(Kind::Missing, &line.place, line.text(), why);
        }
    }
    (chosen.to_owned(), ring)
}

/// A time-out as a parameter; whether there is one that can be read.
fn timeouts(section: &Section, pool: &mut Pool, system: &mut System) {
    for (name, param) in [
        ("connect", "timeout_connect"),
        ("queue", "timeout_queue"),
        ("server", "timeout_server"),
    ] {
        let found = section.timeout(name);
        let span = found.and_then(|(line, text)| {
            let span = time(text);
            if span.is_none() {
                system.remark(
                    Kind::Missing,
                    &line.place,
                    line.text(),
                    "it is no time, and taken for none",
                );
            }
            Some((span?, &line.place))
        });
        match span {
            Some((span, place)) => {
                pool.service
                    .params
                    .push(Key::said(param, format!("\"{span}\""), place));
            }
            // The queue then has that of connections, in the program and in the dialect.
            None if name == "queue" => {}
            None => {
                pool.service.params.push(Key::implied(param, "\"0s\""));
                let why = format!("there is no timeout {name}: it waits for ever");
                system.remark(
                    Kind::Read,
                    &section.place,
                    format!("{} {}", section.kind, section.name),
                    why,
                );
            }
        }
    }
}

fn tries(section: &Section, pool: &mut Pool, system: &mut System) {
    count(
        section,
        "retries",
        "retries",
        &mut pool.service.params,
        system,
    );
    if let Some(line) = section.option("redispatch") {
        let every = if line.word(0) == "option" {
            line.word(2)
        } else {
            ""
        };
        let word = match every {
            "" | "-1" => "-1",
            "1" => "1",
            "0" => "no",
            _ => {
                let why = "every so many tries: the last goes to another server here";
                system.remark(Kind::Missing, &line.place, line.text(), why);
                "-1"
            }
        };
        pool.service
            .params
            .push(Key::said("redispatch", quoted(word), &line.place));
    }
    if let Some(line) = section.last("retry-on") {
        let known = words_of("haproxy", "retry_on");
        let mut said: Vec<&str> = Vec::new();
        for word in line.from(1) {
            let many: &[&str] = match word.as_str() {
                "none" => &[],
                "all-retryable-errors" => &[
                    "conn-failure",
                    "empty-response",
                    "response-timeout",
                    "500",
                    "502",
                    "503",
                    "504",
                ],
                word if known.contains(&word) => &[word],
                word => {
                    let why = "such answers do not occur here";
                    system.remark(Kind::Missing, &line.place, format!("retry-on {word}"), why);
                    continue;
                }
            };
            said.extend(
                many.iter()
                    .filter(|word| !said.contains(word))
                    .copied()
                    .collect::<Vec<_>>(),
            );
        }
        let status = |word: &&&str| word.bytes().all(|b| b.is_ascii_digit());
        if let Some(first) = said.iter().find(status).filter(|_| !said.contains(&"503")) {
            // What servers answer is not known: one of those that are tried again.
            let key = Key::implied("status", quoted(first));
            pool.service.params.push(key);
        }
        let tried = Key::said("retry_on", list(said), &line.place);
        pool.service.params.push(tried);
    }
}

/// Where a check looks for the one server that leads, only one of those that pass it is up.
fn leader(section: &Section, check: &Check<'_>, members: &mut [Member], system: &mut System) {
    let Check::Http(option) = check else {
        return;
    };
    let usable = |member: &&mut Member| {
        member.has("check") && !member.has("backup") && !member.has("disabled")
    };
    if !check.finds_a_leader(section) || members.iter_mut().filter(usable).count() < 2 {
        return;
    }
    let why = "only the server that leads passes this check: the first is taken for it, and each other is a backup";
    system.remark(Kind::Read, &option.place, option.text(), why);
    for member in members.iter_mut().filter(usable).skip(1) {
        member.params.push(Param {
            name: "backup",
            value: String::new(),
            place: option.place.clone(),
        });
    }
}

/// What keeps a session at a server.
fn sticks(section: &Section, members: &[Member], pool: &mut Pool, system: &mut System) {
    let cookie = section.last("cookie");
    let stick = section
        .lines()
        .find(|line| line.word(0) == "stick" && matches!(line.word(1), "on" | "match"));
    let (line, named) = match (cookie, stick) {
        (Some(line), _) => (line, members.iter().any(|member| member.has("cookie"))),
        (None, Some(line)) => (line, true),
        (None, None) => return,
    };
    let dynamic = line.words.iter().any(|word| word == "dynamic");
    if !named && !dynamic {
        let why = "no server has a cookie of its own: nobody keeps to one";
        system.remark(Kind::Read, &line.place, line.text(), why);
        return;
    }
    if line.word(0) == "stick" {
        let why =
            "a session, a key, keeps to the server of its first request, as long as the run lasts";
        system.remark(Kind::Read, &line.place, line.text(), why);
    }
    pool.keyed = true;
    pool.service
        .params
        .push(Key::said("cookie", "true", &line.place));
}

/// What each server has for itself.
fn limits(member: &mut Member, pool: &mut Pool, system: &mut System) {
    let what = |member: &Member, param: &Param| {
        format!("{} {} {}", member.server.name, param.name, param.value)
            .trim_end()
            .to_owned()
    };
    let mut keys = Vec::new();
    let read = |name: &str, system: &mut System| {
        let param = member.param(name)?;
        let number = param.value.parse::<u32>().ok();
        if number.is_none() {
            system.remark(
                Kind::Missing,
                &param.place,
                what(member, param),
                "it is no whole number",
            );
        }
        Some((number?, param.place.clone()))
    };
    if let Some((weight, place)) = read("weight", system) {
        if weight > WEIGHT_MAX {
            let why = format!("weights go up to {WEIGHT_MAX}, which is taken");
            system.remark(
                Kind::Read,
                &place,
                format!("{} weight {weight}", member.server.name),
                why,
            );
        }
        keys.push(Key::said("weight", weight.min(WEIGHT_MAX), &place));
    }
    let least = read("minconn", system).filter(|(least, _)| *least > 0);
    let most = read("maxconn", system).filter(|(most, _)| *most > 0);
    // A maxconn below its minconn is raised to it.
    let limit = match (&most, &least) {
        (Some((most, place)), Some((least, _))) => Some((*most.max(least), place)),
        (Some((most, place)), None) => Some((*most, place)),
        (None, Some((least, place))) => Some((*least, place)),
        (None, None) => None,
    };
    keys.extend(limit.map(|(most, place)| Key::said("max_connections", most, place)));
    if let Some((least, place)) = least {
        keys.push(Key::said("min_connections", least, &place));
        pool.minconn.get_or_insert(place);
    }
    if let Some(backup) = member.param("backup") {
        keys.push(Key::said("backup", "true", &backup.place));
    }
    if let Some(disabled) = member.param("disabled") {
        keys.push(Key::said("present", "false", &disabled.place));
        let why = "nobody asks it until it is enabled: the time line can add it";
        system.remark(Kind::Read, &disabled.place, what(member, disabled), why);
    }
    member.server.keys.extend(keys);
}

/// A whole number as a parameter of the dialect.
pub(super) fn number(param: &Param, name: &str, params: &mut Vec<Key>, system: &mut System) {
    match param.value.parse::<u32>() {
        Ok(number) if number > 0 => {
            params.push(Key::said(name, number.min(1_000_000), &param.place));
        }
        Ok(_) => {}
        Err(_) => {
            let what = format!("{} {}", param.name, param.value);
            system.remark(Kind::Missing, &param.place, what, "it is no whole number");
        }
    }
}

/// A count of a section's own line as a parameter.
fn count(section: &Section, keyword: &str, name: &str, params: &mut Vec<Key>, system: &mut System) {
    let Some(line) = section.last(keyword) else {
        return;
    };
    let most = if keyword == "retries" { 999 } else { 4_000_000 };
    match count_of(line) {
        Some(count) => params.push(Key::said(name, count.min(most), &line.place)),
        None => system.remark(
            Kind::Missing,
            &line.place,
            line.text(),
            "it is no whole number",
        ),
    }
}

/// The count on a line.
pub(super) fn count_of(line: &Line) -> Option<u32> {
    line.word(1).parse().ok()
}
