//! Frontends: who is let in, and where to.

use super::backend::time;
use crate::export::said::Said;
use crate::export::subject::{Subject, param};
use crate::export::ways::Way;
use sim_core::extension::Configured;
use sim_core::guard::GuardDef;
use sim_core::ids::Id;
use sim_core::model::Service;
use sim_core::time::Duration;
use std::fmt::Write;

pub(super) fn frontend(
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
pub(super) fn rates(all: &[Way<'_>], text: &mut String, subject: &mut Subject<'_>) {
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
