//! Ways in: the `location`s that hand requests on, and with which settings.

use super::known;
use super::units::target;
use crate::settings::directive::Directive;
use crate::settings::system::{Kind, System};

/// Directives by which requests are handed on, and what they speak.
const PASSES: &[&str] = &[
    "proxy_pass",
    "grpc_pass",
    "uwsgi_pass",
    "fastcgi_pass",
    "scgi_pass",
];

/// Blocks within which a `location` can stand, or a pass.
const NESTED: &[&str] = &["server", "location", "if", "limit_except"];

/// Directives that the reader uses where it finds them, so that they need no remark.
const USED: &[&str] = &[
    "upstream",
    "http",
    "stream",
    "events",
    "server",
    "location",
    "if",
    "map",
    "split_clients",
    "set",
    "worker_processes",
    "worker_connections",
    "proxy_read_timeout",
    "proxy_connect_timeout",
    "proxy_next_upstream",
    "proxy_next_upstream_tries",
    "proxy_next_upstream_timeout",
    "limit_req",
    "limit_req_zone",
    "limit_conn",
    "limit_conn_zone",
    "listen",
    "server_name",
    "proxy_timeout",
    "grpc_read_timeout",
    "grpc_connect_timeout",
    "uwsgi_read_timeout",
    "uwsgi_connect_timeout",
    "fastcgi_read_timeout",
    "fastcgi_connect_timeout",
    "grpc_next_upstream",
    "grpc_next_upstream_tries",
    "grpc_next_upstream_timeout",
    "uwsgi_next_upstream",
    "uwsgi_next_upstream_tries",
    "uwsgi_next_upstream_timeout",
    "fastcgi_next_upstream",
    "fastcgi_next_upstream_tries",
    "fastcgi_next_upstream_timeout",
];

/// A place where requests are handed on, with all that stands around it.
#[derive(Clone)]
pub(super) struct Found<'d> {
    pub pass: &'d Directive,
    /// What its settings begin with: `proxy`, `grpc`, ….
    pub prefix: &'static str,
    /// The path of the `location`; empty in a `stream`.
    pub path: String,
    /// The server's name.
    pub host: String,
    /// The server's addresses.
    pub listens: Vec<String>,
    /// Blocks from the outermost in.
    pub levels: Vec<&'d [Directive]>,
    pub stream: bool,
}

impl<'d> Found<'d> {
    /// A directive of the innermost block that has it, since nginx lets blocks inherit what they do not say.
    pub(super) fn nearest(&self, name: &str) -> Option<&'d Directive> {
        let levels = self.levels.iter().rev();
        let mut found = levels.filter_map(|level| level.iter().rev().find(|d| d.name == name));
        found.next()
    }

    /// All directives of a name in the innermost block that has any.
    pub(super) fn all(&self, name: &str) -> Vec<&'d Directive> {
        for level in self.levels.iter().rev() {
            let found: Vec<_> = level.iter().filter(|d| d.name == name).collect();
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    /// A setting of the pass, such as `read_timeout`.
    pub(super) fn setting(&self, name: &str) -> Option<&'d Directive> {
        self.nearest(&format!("{}_{name}", self.prefix))
    }

    /// The value of a variable that `set` gives.
    pub(super) fn variable(&self, name: &str) -> Option<&'d str> {
        let levels = self.levels.iter().rev();
        let mut set = levels.flat_map(|level| level.iter().rev());
        let set = set.find(|d| d.name == "set" && d.arg(0) == name)?;
        Some(set.arg(1))
    }
}

/// Finds all passes below a block.
pub(super) fn find<'d>(
    block: &'d [Directive],
    levels: &[&'d [Directive]],
    stream: bool,
    out: &mut Vec<Found<'d>>,
) {
    let mut here = levels.to_vec();
    here.push(block);
    for directive in block {
        if let Some(prefix) = PASSES.iter().find(|pass| **pass == directive.name) {
            let prefix = prefix.trim_end_matches("_pass");
            out.push(Found {
                pass: directive,
                prefix,
                path: String::new(),
                host: String::new(),
                listens: Vec::new(),
                levels: here.clone(),
                stream,
            });
        }
        if !NESTED.contains(&directive.name.as_str()) {
            continue;
        }
        let before = out.len();
        find(directive.inside(), &here, stream, out);
        for found in &mut out[before..] {
            match directive.name.as_str() {
                // The innermost location is the path.
                "location" if found.path.is_empty() => {
                    found.path = directive.args.last().cloned().unwrap_or_default();
                }
                "server" => {
                    let of = |name: &'static str| {
                        directive.inside().iter().filter(move |d| d.name == name)
                    };
                    if let Some(name) = of("server_name").next() {
                        name.arg(0).clone_into(&mut found.host);
                    }
                    found.listens = of("listen").map(|d| d.arg(0).to_owned()).collect();
                }
                _ => {}
            }
        }
    }
}

/// Remarks of directives that are not used, wherever they stand.
pub(super) fn remarks(block: &[Directive], system: &mut System) {
    for directive in block {
        let name = directive.name.as_str();
        let passes = PASSES.contains(&name);
        if !passes && !USED.contains(&name) {
            let (kind, why) = known::remark(name);
            let what = match kind {
                // What does not matter needs no more than its name.
                Kind::Ignored => name.to_owned(),
                _ => directive.text(),
            };
            system.remark(kind, &directive.place, what, why);
        }
        let data = matches!(name, "upstream" | "map" | "split_clients" | "types" | "geo");
        if !data {
            remarks(directive.inside(), system);
        }
    }
}

/// Where a pass leads, as far as the file says it: each target with its share of requests.
pub(super) enum Leads {
    /// To these, with shares where they are known.
    To(Vec<(String, Option<f64>)>),
    /// To the first, and to others by what a request carries.
    Default(String, Vec<String>),
    /// That is known only when a request comes.
    Unknown(String),
}

/// Follows variables from a pass to its target.
pub(super) fn leads(found: &Found<'_>, tops: &[&[Directive]]) -> Leads {
    let mut url = found.pass.arg(0).to_owned();
    // A variable may stand for another; no further than files do that work.
    for _ in 0..8 {
        let Some(start) = url.find('$') else {
            return Leads::To(vec![(target(&url).to_owned(), None)]);
        };
        let rest = &url[start + 1..];
        let (name, end) = if let Some(inner) = rest.strip_prefix('{') {
            let Some(end) = inner.find('}') else {
                return Leads::Unknown(url);
            };
            (&inner[..end], start + end + 3)
        } else {
            let other = |c: char| !c.is_ascii_alphanumeric() && c != '_';
            let end = rest.find(other).unwrap_or(rest.len());
            (&rest[..end], start + 1 + end)
        };
        let variable = format!("${name}");
        // What comes after the host is a path, and does not matter.
        let after_host = url.split_once("://").is_some_and(|(_, rest)| {
            rest.find('/')
                .is_some_and(|slash| url.len() - rest.len() + slash < start)
        });
        if after_host {
            return Leads::To(vec![(target(&url).to_owned(), None)]);
        }
        let filled = |value: &str| format!("{}{value}{}", &url[..start], &url[end..]);
        if let Some(value) = found.variable(&variable) {
            url = filled(value);
            continue;
        }
        let named = |kind: &str| {
            let mut all = tops.iter().flat_map(|top| top.iter());
            all.find(|d| d.name == kind && d.args.last() == Some(&variable))
        };
        if let Some(map) = named("map") {
            let entry = |d: &Directive| filled(d.arg(0));
            let default = map.inside().iter().find(|d| d.name == "default");
            let others = map
                .inside()
                .iter()
                .filter(|d| d.name != "default" && d.name != "hostnames" && d.name != "volatile");
            let others: Vec<String> = others.map(|d| target(&entry(d)).to_owned()).collect();
            return match default {
                Some(default) => Leads::Default(target(&entry(default)).to_owned(), others),
                None => match others.split_first() {
                    Some((first, rest)) => Leads::Default(first.clone(), rest.to_vec()),
                    None => Leads::Unknown(url),
                },
            };
        }
        if let Some(split) = named("split_clients") {
            let mut left = 1.0;
            let mut parts = Vec::new();
            for part in split.inside() {
                let share = match part.name.strip_suffix('%').map(str::parse::<f64>) {
                    Some(Ok(percent)) => percent / 100.0,
                    _ => left,
                };
                left -= share;
                parts.push((
                    target(&filled(part.arg(0))).to_owned(),
                    Some(share.max(0.0)),
                ));
            }
            return Leads::To(parts);
        }
        return Leads::Unknown(url);
    }
    Leads::Unknown(url)
}
