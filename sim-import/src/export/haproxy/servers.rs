//! Servers of a backend, with their limits and checks.

use super::WEIGHT_MAX;
use super::backend::time;
use crate::export::host::host_and_port;
use crate::export::said::{Said, own_span, weighed};
use crate::export::subject::Subject;
use crate::export::ways::drained;
use sim_core::model::{Server, Service};
use sim_core::time::Duration;
use std::fmt::Write;

pub(super) fn servers(
    service: &Service,
    weighs: bool,
    cookie: bool,
    said: &mut Said,
    text: &mut String,
    subject: &mut Subject<'_>,
) {
    let model = subject.model;
    let (own, weights) = weighed(service, WEIGHT_MAX, weighs, model);
    let drained = drained(service, subject);
    let common = Common::of(said);
    for (place, server) in own.iter().enumerate() {
        let (host, port) = host_and_port(server, service, model);
        let _ = write!(text, "    server {} {host}:{port}", server.name);
        let weight = weights.as_ref().map_or(1, |weights| weights[place]);
        let weight = if drained.contains(&server.name) {
            0
        } else {
            weight
        };
        if weight != 1 {
            let _ = write!(text, " weight {weight}");
        }
        limits(server, &common, text);
        if server.params.health.checked {
            checks(server, &common, text);
        }
        if cookie {
            let _ = write!(text, " cookie {}", server.name);
        }
        if let Some(span) = own_span(&server.params.health, "slow_start")
            .or(common.slow_start)
            .filter(|span| !span.is_zero())
            .and_then(time)
        {
            let _ = write!(text, " slowstart {span}");
        }
        if !server.present {
            *text += " disabled";
        }
        *text += "\n";
    }
    if weights.is_some() {
        subject.take_of_servers(service, "weight", &[]);
    } else {
        let why = if weighs {
            "no whole numbers up to 256 stand in these proportions"
        } else {
            "the policy does not look at weights, and the balance would"
        };
        subject.refuse_of_servers(service, "weight", why);
    }
    for key in [
        "max_connections",
        "min_connections",
        "max_pending",
        "present",
        "health.slow_start",
    ] {
        subject.take_of_servers(service, key, &[]);
    }
    if common.check {
        for key in [
            "check",
            "interval",
            "fast_interval",
            "down_interval",
            "fall",
            "rise",
        ] {
            subject.take_of_servers(service, &format!("health.{key}"), &[]);
        }
    }
    subject.take_backups(service);
}

/// What servers have alike unless they say otherwise.
pub(super) struct Common {
    max_queue: Option<u64>,
    check: bool,
    spans: [Option<Duration>; 3],
    fall: Option<u64>,
    rise: Option<u64>,
    observe: String,
    marked_down: String,
    slow_start: Option<Duration>,
}

impl Common {
    pub(super) fn of(said: &mut Said) -> Self {
        let observe = said.word("observe").filter(|word| word != "none");
        let observe = observe.map_or(String::new(), |word| {
            let mut text = format!(" observe {word}");
            if let Some(limit) = said.count("error_limit") {
                let _ = write!(text, " error-limit {limit}");
            }
            if let Some(word) = said.word("on_error") {
                let _ = write!(text, " on-error {word}");
            }
            text
        });
        let marked_down = said.word("on_marked_down").filter(|word| word != "none");
        Self {
            max_queue: said.count("maxqueue"),
            check: said.flag("check"),
            spans: ["inter", "fastinter", "downinter"].map(|name| said.some_span(name)),
            fall: said.count("fall"),
            rise: said.count("rise"),
            observe,
            marked_down: marked_down
                .map_or(String::new(), |word| format!(" on-marked-down {word}")),
            slow_start: said.some_span("slowstart"),
        }
    }
}

pub(super) fn limits(server: &Server, common: &Common, text: &mut String) {
    let params = &server.params;
    if let Some(most) = params.max_connections {
        let _ = write!(text, " maxconn {most}");
    }
    if let Some(least) = params.min_connections {
        let _ = write!(text, " minconn {least}");
    }
    let queue = params.max_pending.map(u64::from).or(common.max_queue);
    if let Some(queue) = queue.filter(|queue| *queue > 0) {
        let _ = write!(text, " maxqueue {queue}");
    }
    if params.priority > 0 {
        *text += " backup";
    }
}

pub(super) fn checks(server: &Server, common: &Common, text: &mut String) {
    if !common.check {
        return;
    }
    *text += " check";
    let health = &server.params.health;
    let keys = [
        ("inter", "interval"),
        ("fastinter", "fast_interval"),
        ("downinter", "down_interval"),
    ];
    for ((word, key), usual) in keys.into_iter().zip(common.spans) {
        if let Some(span) = own_span(health, key).or(usual).and_then(time) {
            let _ = write!(text, " {word} {span}");
        }
    }
    for (word, usual) in [("fall", common.fall), ("rise", common.rise)] {
        if let Some(count) = health.integer(word).or(usual) {
            let _ = write!(text, " {word} {count}");
        }
    }
    *text += &common.observe;
    *text += &common.marked_down;
}
