//! Upstreams: the method, servers and their connections.

use super::location::{spoken, time};
use super::{File, WITHOUT_BACKUPS};
use crate::export::host::host_and_port;
use crate::export::said::{Said, balancer, own_span, weighed};
use crate::export::subject::{Subject, param};
use crate::export::ways::drained;
use sim_core::model::Service;
use std::fmt::Write;

pub(super) fn upstream(
    service: &Service,
    weighs: bool,
    said: &mut Said,
    file: &mut File,
    subject: &mut Subject<'_>,
) {
    let mut text = format!("    upstream {} {{\n", service.name);
    if said.flag("zone") {
        let _ = writeln!(text, "        zone {} 64k;", service.name);
    }
    let method = said.word("balance").unwrap_or_default();
    let hashes = ["hash", "hash consistent", "ip_hash"].contains(&method.as_str());
    file.keyed |= hashes;
    match method.as_str() {
        "" | "round_robin" => {}
        "random two" => text += "        random two least_conn;\n",
        "hash" => text += "        hash $remote_addr;\n",
        "hash consistent" => text += "        hash $remote_addr consistent;\n",
        method => {
            let _ = writeln!(text, "        {method};");
        }
    }
    servers(service, &method, weighs, said, &mut text, subject);
    connections(service, &mut text, subject);
    text += "    }\n";
    file.upstreams += &text;
}

pub(super) fn servers(
    service: &Service,
    method: &str,
    weighs: bool,
    said: &mut Said,
    text: &mut String,
    subject: &mut Subject<'_>,
) {
    let model = subject.model;
    let (own, weights) = weighed(service, 65_535.0, weighs, model);
    let takes_backups = !WITHOUT_BACKUPS.contains(&method);
    let drained = drained(service, subject);
    let fails = said.count("max_fails");
    let banned = said.span("fail_timeout");
    for (place, server) in own.iter().enumerate() {
        let (host, port) = host_and_port(server, service, model);
        let _ = write!(text, "        server {host}:{port}");
        let params = &server.params;
        let weight = weights.as_ref().map_or(1, |weights| weights[place]);
        if weight > 1 {
            let _ = write!(text, " weight={weight}");
        }
        if let Some(most) = params.max_connections {
            let _ = write!(text, " max_conns={most}");
        }
        if let Some(fails) = params.health.integer("max_fails").or(fails) {
            let _ = write!(text, " max_fails={fails}");
        }
        if let Some(span) = own_span(&params.health, "fail_timeout")
            .or(banned)
            .and_then(time)
        {
            let _ = write!(text, " fail_timeout={span}");
        }
        if params.priority > 0 && takes_backups {
            *text += " backup";
        }
        if !server.present || weight == 0 || drained.contains(&server.name) {
            *text += " down";
        }
        *text += ";\n";
    }
    if weights.is_some() {
        subject.take_of_servers(service, "weight", &[]);
    } else {
        let why = if weighs {
            "no whole numbers up to 65535 stand in these proportions"
        } else {
            "the policy does not look at weights, and the method would"
        };
        subject.refuse_of_servers(service, "weight", why);
    }
    for key in [
        "max_connections",
        "health.max_fails",
        "health.fail_timeout",
        "present",
    ] {
        subject.take_of_servers(service, key, &[]);
    }
    if takes_backups {
        subject.take_backups(service);
    } else {
        let why = format!("`{method}` takes no backups: they are servers like the others");
        subject.refuse_of_servers(service, "backup", &why);
        subject.refuse_of_servers(service, "priority", &why);
    }
}

/// Connections that are kept.
pub(super) fn connections(service: &Service, text: &mut String, subject: &mut Subject<'_>) {
    let path = format!("{}.link.connections", balancer(service));
    let Some(kept) = service
        .balancer
        .link
        .connections
        .as_ref()
        .filter(|_| subject.says(&path))
    else {
        return;
    };
    let row = &kept.def.row;
    if row.name != "per-request" {
        return;
    }
    let of = |name| param(row, &kept.params, name);
    let _ = writeln!(text, "        keepalive {};", of("keep"));
    subject.take_kind(&path);
    subject.take(&format!("{path}.keep"));
    if let Some(idle) = spoken(&of("idle")) {
        let _ = writeln!(text, "        keepalive_timeout {idle};");
        subject.take(&format!("{path}.idle"));
    }
    let _ = writeln!(text, "        keepalive_requests {};", of("max_requests"));
    subject.take(&format!("{path}.max_requests"));
}
