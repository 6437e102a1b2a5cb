//! What a check of a backend's servers is.

use super::pool::number;
use super::sections::Section;
use super::servers::{Member, Param};
use super::units::time;
use super::votes::Votes;
use super::words::Line;
use crate::settings::system::{Key, Kind, Service, System};
use crate::settings::words_of;
use sim_core::scenario::quoted;

/// Checks that speak the server's protocol beside HTTP.
pub(super) const PROTOCOLS: &[&str] = &[
    "mysql-check",
    "pgsql-check",
    "redis-check",
    "ldap-check",
    "smtpchk",
    "spop-check",
    "ssl-hello-chk",
];

/// How a backend checks.
pub(super) enum Check<'s> {
    /// By opening a connection.
    Connect,
    /// By `option httpchk`.
    Http(&'s Line),
    /// By a question in the server's own protocol, which the server's process answers too.
    Protocol(&'s Line),
}

impl<'s> Check<'s> {
    /// The last word on it counts.
    pub(super) fn of(section: &'s Section) -> Self {
        for line in section.lines().rev() {
            if line.word(0) != "option" {
                continue;
            }
            let name = line.word(1);
            let counts = || section.option(name).is_some();
            if name == "httpchk" && counts() {
                return Self::Http(line);
            }
            if PROTOCOLS.contains(&name) && counts() {
                return Self::Protocol(line);
            }
            // A script that asks something is answered by the server's process.
            let asks = || {
                section
                    .lines()
                    .any(|line| line.word(0) == "tcp-check" && line.word(1).starts_with("send"))
            };
            if name == "tcp-check" && counts() {
                return if asks() {
                    Self::Protocol(line)
                } else {
                    Self::Connect
                };
            }
        }
        Self::Connect
    }

    /// Whether what it asks for is to be found at one server only, as with clusters of databases.
    pub(super) fn finds_a_leader(&self, section: &Section) -> bool {
        let Self::Http(option) = self else {
            return false;
        };
        let send = section
            .lines()
            .filter(|line| line.word(0) == "http-check" && line.word(1) == "send");
        let words = option
            .words
            .iter()
            .chain(send.flat_map(|line| line.words.iter()));
        let leads = [
            "/primary",
            "/master",
            "/leader",
            "/read-write",
            "/standby-leader",
        ];
        words
            .map(|word| word.trim_end_matches('/'))
            .any(|word| leads.contains(&word))
    }
}

/// Checks, and what the traffic itself tells of servers.
pub(super) fn checks(
    section: &Section,
    check: &Check<'_>,
    votes: &mut Votes<'_>,
    service: &mut Service,
    system: &mut System,
) {
    let Some(checked) = votes.common("check", |_| true, "no check", system) else {
        unchecked(votes, system);
        return;
    };
    let is_checked = |member: &Member| member.has("check");
    let params = &mut service.params;
    params.push(Key::said("check", "true", &checked.place));
    let port = votes.members().iter().filter(|member| is_checked(member));
    let mut port = port.filter_map(|member| member.param("port").or(member.param("addr")));
    match (check, port.next()) {
        (Check::Http(line), Some(port)) => {
            let why = format!(
                "checked over HTTP at {} {}, where another process answers however busy the server is: a connection here",
                port.name, port.value
            );
            system.remark(Kind::Read, &line.place, line.text(), why);
        }
        (Check::Http(line), None) => params.push(Key::said("httpchk", "true", &line.place)),
        (Check::Protocol(line), None) => {
            let why = "a question that the server answers: a request here";
            system.remark(Kind::Read, &line.place, line.text(), why);
            params.push(Key::said("httpchk", "true", &line.place));
        }
        _ => {}
    }
    if let Some((line, text)) = section.timeout("check") {
        match time(text) {
            Some(span) => params.push(Key::said(
                "timeout_check",
                format!("\"{span}\""),
                &line.place,
            )),
            None => system.remark(
                Kind::Missing,
                &line.place,
                line.text(),
                "it is no time, and taken for none",
            ),
        }
    }
    for (name, default) in [
        ("inter", "2s"),
        ("fastinter", "as inter"),
        ("downinter", "as inter"),
    ] {
        let Some(param) = votes.common(name, is_checked, default, system) else {
            continue;
        };
        match time(&param.value) {
            Some(span) => params.push(Key::said(name, format!("\"{span}\""), &param.place)),
            None => system.remark(
                Kind::Missing,
                &param.place,
                format!("{name} {}", param.value),
                "it is no time",
            ),
        }
    }
    for (name, default) in [("fall", "3"), ("rise", "2")] {
        if let Some(param) = votes.common(name, is_checked, default, system) {
            number(&param, name, params, system);
        }
    }
    if let Some(param) = votes.common("on-marked-down", is_checked, "none", system) {
        word("on_marked_down", &param, params, system);
    }
    let Some(observe) = votes.common("observe", is_checked, "none", system) else {
        return;
    };
    if !word("observe", &observe, params, system) {
        return;
    }
    let is_observed = |member: &Member| is_checked(member) && member.has("observe");
    if let Some(param) = votes.common("error-limit", is_observed, "10", system) {
        number(&param, "error_limit", params, system);
    }
    if let Some(param) = votes.common("on-error", is_observed, "fail-check", system) {
        word("on_error", &param, params, system);
    }
}

/// Whether a word is one that the dialect knows: it is a parameter then, and otherwise told.
fn word(name: &str, param: &Param, params: &mut Vec<Key>, system: &mut System) -> bool {
    let known = words_of("haproxy", name).contains(&param.value.as_str());
    if known {
        params.push(Key::said(name, quoted(&param.value), &param.place));
    } else {
        let what = format!("{} {}", param.name, param.value);
        system.remark(Kind::Unknown, &param.place, what, "");
    }
    known
}

/// What only counts with checks.
fn unchecked(votes: &Votes<'_>, system: &mut System) {
    for member in votes.members() {
        for name in [
            "inter",
            "fastinter",
            "downinter",
            "fall",
            "rise",
            "observe",
            "error-limit",
            "on-error",
            "on-marked-down",
        ] {
            if let Some(param) = member.param(name).filter(|_| !member.has("check")) {
                let what = format!("{} {name} {}", member.server.name, param.value);
                system.remark(
                    Kind::Read,
                    &param.place,
                    what,
                    "the server is not checked: it has no effect",
                );
            }
        }
    }
}
