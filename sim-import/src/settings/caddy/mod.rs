//! Caddyfile, or the JSON that Caddy makes of it.
//!
//! Each `reverse_proxy` is a service with the dialect caddy, and a way in.

mod json;
mod proxy;
mod words;

use super::directive::Directive;
use super::system::{Key, Kind, System, Way};
use super::{Format, Surroundings, Unreadable, text};
use crate::names::{fresh, name_of};
use proxy::{Proxy, proxy};
use sim_core::scenario::Source;
use std::sync::Arc;
use words::{Imports, directives};

pub(super) const FORMAT: Format = Format {
    name: "caddy",
    about: "A Caddyfile, with the files that it imports, or the JSON that `caddy adapt` makes of it.",
    recognises,
    read,
};

/// Directives that hand requests on.
const PROXIES: &[&str] = &["reverse_proxy", "php_fastcgi", "proxy"];

/// Directives within which others stand that handle requests.
const NESTED: &[&str] = &["handle", "handle_path", "route", "forward_proxy"];

/// Directives that bear on load and are not simulated.
const MISSING: &[(&str, &str)] = &[
    ("forward_auth", "a request to another service before each"),
    (
        "rate_limit",
        "a module that is no part of Caddy: requests that are turned away",
    ),
    (
        "cache",
        "a module that is no part of Caddy: answers that reach no server",
    ),
    ("invoke", "a named route"),
    ("handle_errors", "another answer after an error"),
    ("intercept", "another answer in place of a server's"),
    ("error", "requests that are turned away at the door"),
    ("abort", "requests that are turned away at the door"),
    (
        "layer4",
        "a module that is no part of Caddy: connections that are handed on",
    ),
];

/// Directives that have no bearing.
const IGNORED: &[&str] = &[
    "acme_server",
    "basic_auth",
    "basicauth",
    "bind",
    "encode",
    "file_server",
    "fs",
    "header",
    "log",
    "log_append",
    "log_name",
    "log_skip",
    "skip_log",
    "map",
    "method",
    "metrics",
    "push",
    "redir",
    "request_body",
    "request_header",
    "respond",
    "rewrite",
    "root",
    "templates",
    "tls",
    "tracing",
    "try_files",
    "uri",
    "vars",
    "gzip",
    "errors",
    "cors",
    "status",
    "strip_prefix",
    "browse",
];

fn recognises(source: &Source) -> bool {
    let code = || text::code_lines(&source.text);
    let hands_on = |line: &str| {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        match first {
            "reverse_proxy" | "php_fastcgi" => words.next().is_some(),
            "proxy" => words.count() > 1,
            _ => false,
        }
    };
    if json::is_json(source) {
        return source.text.contains("\"handler\"");
    }
    let quoted = source.text.trim_start().starts_with(['<', '[']);
    !quoted
        && code().any(|line| hands_on(line) && !line.ends_with([';', ':']))
        && source.text.contains('{')
        || code().any(|line| line.starts_with("reverse_proxy ") && !line.ends_with(';'))
}

fn read(
    sources: &[Source],
    around: &Surroundings<'_>,
    system: &mut System,
) -> Result<(), Unreadable> {
    let mut taken: Vec<String> = system.service_names();
    let mut names: Vec<String> = system.way_names();
    for source in sources {
        let all = if json::is_json(source) {
            json::sites(source)?
        } else {
            let file: Arc<str> = source.name.as_str().into();
            // Expressions in templates that Caddy itself fills in stand within quotes.
            let marks = text::template(&source.text, &file);
            directives(&source.text, &file, around.variable)
                .map_err(|problem| marks.unwrap_or(problem))?
        };
        let mut sites = Vec::new();
        let mut imports = Imports {
            around,
            snippets: Vec::new(),
            made: 0,
        };
        for directive in all {
            match directive.name.as_str() {
                "" => {
                    for own in directive.inside() {
                        system.remark(Kind::Ignored, &own.place, own.name.clone(), "");
                    }
                }
                name if name.starts_with('(') && name.ends_with(')') => {
                    imports.snippets.push(directive);
                }
                _ => sites.push(directive),
            }
        }
        let sites = imports.resolved(sites, 0, system)?;
        let mut found = Vec::new();
        // A file of one site needs no braces around it.
        let bare = sites
            .first()
            .is_some_and(|first| first.block.is_none() || PROXIES.contains(&first.name.as_str()));
        if bare {
            let from = usize::from(!PROXIES.contains(&sites[0].name.as_str()));
            let listens = if from == 1 {
                listens(&sites[0])
            } else {
                Vec::new()
            };
            find(
                &sites[from..],
                &mut Around {
                    listens,
                    ..Around::default()
                },
                &mut found,
                system,
            );
        } else {
            for site in &sites {
                let mut around = Around {
                    listens: listens(site),
                    ..Around::default()
                };
                find(site.inside(), &mut around, &mut found, system);
            }
        }
        let several = found.len() > 1;
        for one in found {
            enter(&one, several, &mut taken, &mut names, system)?;
        }
    }
    Ok(())
}

/// Addresses of a site.
fn listens(site: &Directive) -> Vec<String> {
    let words = std::iter::once(&site.name).chain(&site.args);
    words
        .map(|word| word.trim_end_matches(',').to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}

/// What stands around a directive.
#[derive(Clone, Default)]
struct Around {
    listens: Vec<String>,
    /// The path or the matcher of the innermost block that has one.
    path: String,
}

/// A directive that hands requests on.
struct Found<'d> {
    proxy: &'d Directive,
    around: Around,
}

fn find<'d>(
    block: &'d [Directive],
    around: &mut Around,
    found: &mut Vec<Found<'d>>,
    system: &mut System,
) {
    for directive in block {
        let name = directive.name.as_str();
        let matcher = directive.arg(0);
        let matched = matcher.starts_with(['/', '@', '*']);
        if PROXIES.contains(&name) {
            let mut own = around.clone();
            if matched && matcher != "*" {
                matcher.clone_into(&mut own.path);
            }
            found.push(Found {
                proxy: directive,
                around: own,
            });
        } else if NESTED.contains(&name) {
            let mut own = around.clone();
            if matched && matcher != "*" {
                matcher.clone_into(&mut own.path);
            }
            find(directive.inside(), &mut own, found, system);
        } else if name.starts_with('@') {
            // What it looks at is told where it is used.
            system.remark(Kind::Ignored, &directive.place, name.to_owned(), "");
        } else if let Some((_, why)) = MISSING.iter().find(|(own, _)| *own == name) {
            system.remark(Kind::Missing, &directive.place, directive.text(), *why);
        } else if IGNORED.contains(&name) {
            system.remark(Kind::Ignored, &directive.place, name.to_owned(), "");
        } else {
            system.remark(Kind::Unknown, &directive.place, directive.text(), "");
        }
    }
}

/// Makes a service of a proxy, and the way that leads there.
fn enter(
    found: &Found<'_>,
    several: bool,
    taken: &mut Vec<String>,
    names: &mut Vec<String>,
    system: &mut System,
) -> Result<(), Unreadable> {
    let host = found.around.listens.first().map_or("", String::as_str);
    let host = host
        .trim_start_matches("http://")
        .trim_start_matches("https://");
    let path = found.around.path.trim_end_matches('*');
    let hint = match (path, several) {
        ("" | "/", _) => name_of(host, "web"),
        (path, _) => name_of(path, "root"),
    };
    let Some(Proxy { mut service, keyed }) = proxy(found.proxy, &hint, taken, system)? else {
        return Ok(());
    };
    if path.starts_with('@') {
        let why = "a way of its own: how many requests are such, no settings say";
        system.remark(Kind::Read, &found.proxy.place, path, why);
    }
    service.listens.clone_from(&found.around.listens);
    let mut way = Way {
        name: fresh(&service.name, names),
        place: found.proxy.place.clone(),
        to: service.name.clone(),
        keys: Vec::new(),
        apart: Vec::new(),
        share: None,
    };
    if keyed {
        way.keys.push(Key::clients());
    }
    system.ways.push(way);
    system.services.push(service);
    Ok(())
}
