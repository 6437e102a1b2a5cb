//! Frontends: who is let in, and where to.

use super::backend::time;
use crate::export::routes::{PARTS, ends, parts};
use crate::export::said::{Said, balancer};
use crate::export::subject::{Subject, param};
use crate::export::ways::Way;
use sim_core::extension::Configured;
use sim_core::guard::GuardDef;
use sim_core::model::Service;
use sim_core::time::Duration;
use std::fmt::Write;

pub(super) fn frontend<'m>(
    service: &'m Service,
    all: &[Way<'_>],
    port: usize,
    said: &mut Said,
    text: &mut String,
    subject: &mut Subject<'m>,
) {
    // The last takes what no rule takes, unless one is for all paths.
    let first = all
        .iter()
        .position(|way| way.prefix == "/")
        .unwrap_or(all.len() - 1);
    let _ = writeln!(text, "frontend {}\n    bind :{port}", all[first].name);
    if let Some(most) = said.count("maxconn").filter(|most| *most > 0) {
        let _ = writeln!(text, "    maxconn {most}");
    }
    rates(all, service, text, subject);
    let mut rules = String::new();
    let mut drawn = false;
    let others = all.iter().enumerate().filter(|(place, _)| *place != first);
    for (_, way) in others {
        let name = &way.name;
        let own = parts(way, service, subject);
        drawn |= own.len() > 1;
        let _ = writeln!(rules, "    acl {name} path_beg {}", way.prefix);
        for (to, when) in conditions(&own) {
            let _ = writeln!(rules, "    use_backend {to} if {name}{when}");
        }
    }
    let own = parts(&all[first], service, subject);
    drawn |= own.len() > 1;
    for (to, when) in conditions(&own) {
        let _ = match when.as_str() {
            "" => writeln!(rules, "    default_backend {to}"),
            when => writeln!(rules, "    use_backend {to} if{when}"),
        };
    }
    if drawn {
        let _ = writeln!(text, "    http-request set-var(txn.part) rand({PARTS})");
        subject.remark("where routes share requests, a number is drawn for each, and a client may come to another");
    }
    *text += &rules;
}

/// Backends with the condition of each: the last takes what is left.
fn conditions(parts: &[(&Service, f64)]) -> Vec<(String, String)> {
    let last = parts.len().saturating_sub(1);
    let each = ends(parts).into_iter().enumerate();
    each.map(|(place, (to, end))| {
        let when = format!(" {{ var(txn.part) -m int lt {end} }}");
        let when = if place == last { String::new() } else { when };
        (to.name.clone(), when)
    })
    .collect()
}

/// Limits for each client, those of the ways, which have the same, and those of the balancer.
pub(super) fn rates(
    all: &[Way<'_>],
    service: &Service,
    text: &mut String,
    subject: &mut Subject<'_>,
) {
    let known =
        |guard: &Configured<GuardDef>| matches!(guard.def.row.name, "rate-counter" | "limit-conn");
    let of_ways: Vec<String> = (all.iter())
        .map(|way| format!("{}.client.guards", way.path))
        .collect();
    let lists = [
        (all[0].guards, of_ways),
        (
            &service.balancer.guards[..],
            vec![format!("{}.guards", balancer(service))],
        ),
    ];
    let mut table = Table::default();
    for (guards, paths) in lists {
        // What a dialect stands for is written as the dialect has it.
        let written = |path: &String| subject.says(path);
        if !paths.iter().any(written) {
            continue;
        }
        for guard in guards.iter().filter(|guard| known(guard)) {
            let row = &guard.def.row;
            let of = |name| param(row, &guard.params, name);
            let (rule, at) = (table.rule(row.name, &of), row.name);
            for path in paths.iter().filter(|_| rule.is_some()) {
                subject.take(&format!("{path}.{at}"));
            }
        }
    }
    if !table.stores.is_empty() {
        *text += &table.text();
        subject.remark("keys of requests are addresses of clients where rates are counted");
    }
}

/// A table of counters by address, with the rules that ask it.
#[derive(Default)]
pub(super) struct Table {
    size: Option<String>,
    stores: Vec<String>,
    /// Rules before the counting, and after it.
    before: String,
    after: String,
}

impl Table {
    /// A rule of a guard; `None` if it has no counterpart beside those that are there.
    pub(super) fn rule(&mut self, name: &str, of: &dyn Fn(&'static str) -> String) -> Option<()> {
        let (measure, store) = if name == "limit-conn" {
            ("conn_cur", "conn_cur".to_owned())
        } else {
            let period = Duration::parse(crate::export::said::unquoted(&of("period")))
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

    pub(super) fn text(&self) -> String {
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
