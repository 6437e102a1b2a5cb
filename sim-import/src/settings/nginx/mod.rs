//! nginx.conf, its fragments and templates.
//!
//! Each `upstream`, and each address that a `proxy_pass` names itself, is a service with the dialect nginx; each
//! `location` that hands requests on is a way in.

mod include;
mod known;
mod limits;
mod units;
mod upstream;
mod ways;
mod words;

use super::directive::Directive;
use super::system::{Key, Kind, System, Way};
use super::{Format, Surroundings, Unreadable, text, words_of};
use crate::names::{fresh, list, name_of};
use include::Loader;
use limits::Limits;
use sim_core::scenario::Source;
use upstream::{Upstream, lone, upstream};
use ways::{Found, Leads, find, leads, remarks};

pub(super) const FORMAT: Format = Format {
    name: "nginx",
    about: "nginx.conf, a fragment of it, or a template for envsubst.",
    recognises,
    read,
};

/// Blocks that no other program's settings have with semicolons.
const OPENINGS: &[&str] = &[
    "upstream", "server", "location", "http", "events", "stream", "map",
];

fn recognises(source: &Source) -> bool {
    let code = || text::code_lines(&source.text);
    let opens = |line: &str| {
        let mut words = line.split_whitespace();
        let word = words.next().unwrap_or_default();
        // `server = [{ … }]` is a scenario, `location = / {` is not.
        let assigned = words.next() == Some("=") && word != "location";
        line.contains('{') && OPENINGS.contains(&word.trim_end_matches('{')) && !assigned
    };
    // Caddy and HCL have braces too, but no semicolons at ends of lines.
    let ends = code().any(|line| {
        let line = line.split(" #").next().unwrap_or_default().trim_end();
        line.contains(';') && line.ends_with([';', '}'])
    });
    ends && code().any(opens)
}

/// What `worker_processes auto` is taken for: no file says how many cores there are.
const CORES: u32 = 4;

fn read(
    sources: &[Source],
    around: &Surroundings<'_>,
    system: &mut System,
) -> Result<(), Unreadable> {
    let mut loader = Loader::new(around);
    let mut top = Vec::new();
    for source in sources {
        // A folder's files come with those that include them.
        if !loader.included.contains(&source.name) {
            top.extend(loader.load(source, system)?);
        }
    }
    Reader::new(&top).read(system);
    Ok(())
}

struct Reader<'d> {
    top: &'d [Directive],
    /// Blocks in which upstreams, maps and zones stand: `http`s, or the top of a fragment.
    tops: Vec<&'d [Directive]>,
    workers: Option<&'d Directive>,
    connections: Option<&'d Directive>,
}

impl<'d> Reader<'d> {
    fn new(top: &'d [Directive]) -> Self {
        let blocks = |name: &'static str| top.iter().filter(move |d| d.name == name);
        let http = blocks("http").map(Directive::inside);
        let inside_events = blocks("events").flat_map(|d| d.inside().iter());
        let mut all = inside_events.chain(top.iter());
        Self {
            top,
            tops: http.chain([top]).collect(),
            workers: top.iter().find(|d| d.name == "worker_processes"),
            connections: all.find(|d| d.name == "worker_connections"),
        }
    }

    fn read(&self, system: &mut System) {
        let mut taken: Vec<String> = system.service_names();
        let mut pools = Vec::new();
        let streams: Vec<&[Directive]> = self
            .top
            .iter()
            .filter(|d| d.name == "stream")
            .map(Directive::inside)
            .collect();
        for (blocks, stream) in [(&self.tops, false), (&streams, true)] {
            for block in blocks
                .iter()
                .flat_map(|block| block.iter())
                .filter(|d| d.name == "upstream")
            {
                pools.push(upstream(block, stream, &mut taken, system));
            }
        }
        let mut found = Vec::new();
        for http in &self.tops {
            // Fragments inherit from the `http` beside them.
            let above: Vec<&[Directive]> = if std::ptr::eq(*http, self.top) {
                self.tops
                    .iter()
                    .filter(|other| !std::ptr::eq(**other, self.top))
                    .copied()
                    .collect()
            } else {
                vec![self.top]
            };
            find(http, &above, false, &mut found);
        }
        for stream in &streams {
            find(stream, &[self.top], true, &mut found);
        }
        remarks(self.top, system);
        let ways = self.ways(&found, &mut pools, &mut taken, system);
        self.settle(&ways, pools, system);
    }

    /// Where each pass leads.
    fn ways<'f>(
        &self,
        found: &'f [Found<'d>],
        pools: &mut Vec<Upstream>,
        taken: &mut Vec<String>,
        system: &mut System,
    ) -> Vec<(&'f Found<'d>, usize, Option<f64>)> {
        let mut ways = Vec::new();
        for way in found {
            let place = &way.pass.place;
            let to = match leads(way, &self.tops) {
                Leads::To(targets) => targets,
                Leads::Default(first, others) => {
                    let why = format!(
                        "requests go to {first} here; by what they carry, some go to {}",
                        others.join(", ")
                    );
                    system.remark(Kind::Read, place, way.pass.text(), why);
                    vec![(first, None)]
                }
                Leads::Unknown(url) => {
                    let why = format!("where {url} leads is known only when a request comes");
                    system.remark(Kind::Missing, place, way.pass.text(), why);
                    continue;
                }
            };
            for (target, share) in to {
                let known = pools
                    .iter()
                    .position(|pool| pool.stream == way.stream && pool.service.title == target);
                let pool = known.unwrap_or_else(|| {
                    let mut pool = lone(&target, place, taken, system);
                    pool.stream = way.stream;
                    pools.push(pool);
                    pools.len() - 1
                });
                pools[pool].used = true;
                ways.push((way, pool, share));
            }
        }
        ways
    }

    /// Settings of the ways become those of their pools.
    fn settle(
        &self,
        ways: &[(&Found<'d>, usize, Option<f64>)],
        mut pools: Vec<Upstream>,
        system: &mut System,
    ) {
        let mut names = system.way_names();
        let mut limits = Limits {
            tops: &self.tops,
            by_key: None,
            used: Vec::new(),
        };
        for (index, pool) in pools.iter_mut().enumerate() {
            let own: Vec<_> = ways.iter().filter(|(_, to, _)| *to == index).collect();
            let first = own.first().map(|(way, ..)| *way);
            if first.is_none() && !pool.used {
                let why = "nothing in these files leads there: it is here, and nobody asks it";
                system.remark(
                    Kind::Read,
                    &pool.service.place,
                    format!("upstream {}", pool.service.title),
                    why,
                );
            }
            self.capacity(pool);
            if let Some(first) = first {
                let params = Self::settings(first, system);
                let connect = params
                    .iter()
                    .find(|key| key.path == "proxy_connect_timeout")
                    .cloned();
                pool.service.params.extend(params);
                if pool.stream {
                    let why = "a connection is a request here, and lasts as long as its work";
                    system.remark(Kind::Read, &first.pass.place, first.pass.text(), why);
                }
                for (way, _, share) in &own {
                    let hint = match (way.path.as_str(), own.len()) {
                        _ if share.is_some() => pool.service.name.clone(),
                        ("" | "/", 1) => pool.service.name.clone(),
                        ("" | "/", _) if !way.host.is_empty() => name_of(&way.host, "root"),
                        (path, _) => name_of(path, "root"),
                    };
                    let mut made = Self::way(way, pool, &hint, &mut names, &mut limits, system);
                    made.share = *share;
                    made.apart = Self::apart(way, first, connect.as_ref(), system);
                    pool.service.listens.extend(way.listens.iter().cloned());
                    system.ways.push(made);
                }
            }
        }
        system
            .services
            .extend(pools.into_iter().map(|pool| pool.service));
    }

    /// Processes and what they hold.
    fn capacity(&self, pool: &mut Upstream) {
        let auto = self.workers.is_some_and(|d| d.arg(0) == "auto");
        let workers = match self.workers.map(|d| (d, d.arg(0).parse::<u32>())) {
            Some((d, Ok(workers))) => {
                pool.service
                    .params
                    .push(Key::said("worker_processes", workers, &d.place));
                workers
            }
            Some(_) => CORES,
            None => 1,
        };
        if auto {
            pool.service
                .params
                .push(Key::assumed("worker_processes", CORES));
        }
        // A request that is handed on holds two connections of its worker.
        if let Some((d, Ok(each))) = self.connections.map(|d| (d, d.arg(0).parse::<u32>())) {
            let of_an_instance = if pool.zone {
                workers.saturating_mul(each)
            } else {
                each
            };
            let most = (of_an_instance / 2).max(1);
            pool.service
                .balancer
                .push(Key::said("max_connections", most, &d.place));
        }
    }

    /// What a way's settings are, in parameters of the dialect.
    fn settings(way: &Found<'d>, system: &mut System) -> Vec<Key> {
        let mut keys = Vec::new();
        for name in ["connect_timeout", "read_timeout", "next_upstream_timeout"] {
            let directive = match (way.stream, name) {
                (true, "read_timeout") => way.nearest("proxy_timeout"),
                _ => way.setting(name),
            };
            let Some(directive) = directive else {
                continue;
            };
            let Some(span) = units::time(directive.arg(0)) else {
                system.remark(
                    Kind::Missing,
                    &directive.place,
                    directive.text(),
                    "it is no time: the default holds",
                );
                continue;
            };
            keys.push(Key::said(
                &format!("proxy_{name}"),
                format!("\"{span}\""),
                &directive.place,
            ));
        }
        if let Some(directive) = way.setting("next_upstream") {
            let known = words_of("nginx", "proxy_next_upstream");
            let (said, other): (Vec<&String>, Vec<&String>) =
                (directive.args.iter()).partition(|word| known.contains(&word.as_str()));
            for word in other {
                let why = "such answers do not occur here";
                system.remark(
                    Kind::Missing,
                    &directive.place,
                    format!("{} {word}", directive.name),
                    why,
                );
            }
            keys.push(Key::said(
                "proxy_next_upstream",
                list(said),
                &directive.place,
            ));
        }
        if let Some(directive) = way.setting("next_upstream_tries")
            && let Ok(tries) = directive.arg(0).parse::<u32>()
        {
            keys.push(Key::said(
                "proxy_next_upstream_tries",
                tries,
                &directive.place,
            ));
        }
        keys
    }

    /// What a way does other than the first that leads to the same pool.
    fn apart(
        way: &Found<'d>,
        first: &Found<'d>,
        connect: Option<&Key>,
        system: &mut System,
    ) -> Vec<Key> {
        if std::ptr::eq(way, first) {
            return Vec::new();
        }
        // Remarks were made once.
        let mut quiet = System::default();
        let (own, usual) = (
            Self::settings(way, &mut quiet),
            Self::settings(first, &mut quiet),
        );
        let of = |keys: &[Key], name: &str| keys.iter().find(|key| key.path == name).cloned();
        let value = |keys: &[Key], name: &str| of(keys, name).map(|key| key.value);
        let differs = |name: &str| value(&own, name) != value(&usual, name);
        let own_connect = of(&own, "proxy_connect_timeout");
        if own_connect.as_ref().map(|key| &key.value) != connect.map(|key| &key.value) {
            let place = own_connect
                .and_then(|key| key.place)
                .unwrap_or_else(|| way.pass.place.clone());
            let why = "the time-out of connections is that of the first way to these servers";
            system.remark(Kind::Missing, &place, "proxy_connect_timeout", why);
        }
        let mut keys = Vec::new();
        if differs("proxy_read_timeout") {
            let place = of(&own, "proxy_read_timeout")
                .and_then(|key| key.place)
                .unwrap_or_else(|| way.pass.place.clone());
            let span = value(&own, "proxy_read_timeout").unwrap_or_else(|| "\"1m\"".to_owned());
            keys.push(Key::said("client.timeout", span, &place));
        }
        let tries = [
            "proxy_next_upstream",
            "proxy_next_upstream_tries",
            "proxy_next_upstream_timeout",
        ];
        if let Some(name) = tries.into_iter().find(|name| differs(name)) {
            let place = of(&own, name)
                .and_then(|key| key.place)
                .unwrap_or_else(|| way.pass.place.clone());
            let or =
                |name: &str, default: &str| value(&own, name).unwrap_or_else(|| default.to_owned());
            let attempts = match or(tries[1], "0").as_str() {
                "0" => "1000".to_owned(),
                tries => tries.to_owned(),
            };
            let retry = format!(
                "{{ kind = \"next-upstream\", next_upstream = {}, timeout = {}, attempts = {attempts} }}",
                or(tries[0], "[\"error\", \"timeout\"]"),
                or(tries[2], "\"0s\""),
            );
            keys.push(Key::said("client.retry", retry, &place));
        }
        keys
    }

    /// A way with its limits; `hint` is what it is called as long as nothing else is.
    fn way(
        way: &Found<'d>,
        pool: &Upstream,
        hint: &str,
        names: &mut Vec<String>,
        limits: &mut Limits<'_, 'd>,
        system: &mut System,
    ) -> Way {
        let mut made = Way {
            name: fresh(hint, names),
            place: way.pass.place.clone(),
            to: pool.service.name.clone(),
            keys: Vec::new(),
            apart: Vec::new(),
            share: None,
        };
        limits.by_key.clone_from(&pool.keyed);
        let guards = limits.guards(way, system);
        if limits.by_key.is_some() {
            made.keys.push(Key::clients());
        }
        if !guards.is_empty() {
            let limit = way
                .all("limit_req")
                .first()
                .or(way.all("limit_conn").first())
                .map(|d| d.place.clone());
            let place = limit.unwrap_or_else(|| way.pass.place.clone());
            made.keys.push(Key::said(
                "client.guards",
                format!("[{}]", guards.join(", ")),
                &place,
            ));
        }
        made
    }
}
