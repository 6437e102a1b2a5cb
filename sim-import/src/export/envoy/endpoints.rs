//! Servers, as endpoints by priority and zone.

use super::address;
use crate::export::host::host_and_port;
use crate::export::said::{Said, weighed};
use crate::export::subject::Subject;
use crate::export::ways::drained;
use crate::export::yaml::{Map, Yaml, add, map, plain, text};
use sim_core::ids::Id;
use sim_core::model::{Server, Service};

/// Endpoints of one priority and zone.
pub(super) type Group<'a> = ((usize, Option<&'a str>), Vec<Yaml>);

/// Endpoints, together by priority and zone.
pub(super) fn assignment(
    service: &Service,
    weighs: bool,
    said: &mut Said,
    subject: &mut Subject<'_>,
) -> Yaml {
    let model = subject.model;
    let (own, weights) = weighed(service, 1e6, weighs, model);
    if weights.is_some() {
        subject.take_of_servers(service, "weight", &[]);
    } else {
        let why =
            "the policy does not look at weights, or they are no whole numbers in any proportion";
        subject.refuse_of_servers(service, "weight", why);
    }
    let zoned = said.flag("locality_weighted");
    let zone = |server: &Server| server.zone.map(|id| &service.zones[id.position()]);
    // Levels have no gaps.
    let mut levels: Vec<u32> = own.iter().map(|server| server.params.priority).collect();
    levels.sort_unstable();
    levels.dedup();
    let drained = drained(service, subject);
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (place, server) in own.iter().enumerate() {
        let level = levels
            .iter()
            .position(|level| *level == server.params.priority)
            .unwrap_or(0);
        let key = (level, zone(server).map(|zone| zone.name.as_str()));
        let weight = weights.as_ref().map_or(1, |weights| weights[place]);
        let out = !server.present || weight == 0 || drained.contains(&server.name);
        let endpoint = endpoint(host_and_port(server, service, model), weight, out);
        match groups.iter_mut().find(|(own, _)| *own == key) {
            Some((_, all)) => all.push(endpoint),
            None => groups.push((key, vec![endpoint])),
        }
    }
    for key in ["priority", "backup", "present", "zone"] {
        subject.take_of_servers(service, key, &[]);
    }
    let mut endpoints = Vec::new();
    for ((level, name), all) in groups {
        let mut fields = Map::new();
        if let Some(name) = name {
            add(&mut fields, "locality", map([("zone", text(name))]));
        }
        if level > 0 {
            add(&mut fields, "priority", plain(level));
        }
        let own = service
            .zones
            .iter()
            .find(|zone| Some(zone.name.as_str()) == name);
        if let Some(zone) = own.filter(|_| zoned)
            && zone.weight.fract() == 0.0
        {
            // One without a weight gets nothing.
            if zone.weight > 0.0 {
                add(&mut fields, "load_balancing_weight", plain(zone.weight));
            }
            subject.take(&format!(
                "service.{}.zone.{}.weight",
                service.name, zone.name
            ));
        }
        add(&mut fields, "lb_endpoints", Yaml::List(all));
        endpoints.push(Yaml::Map(fields));
    }
    let mut fields = Map::new();
    add(&mut fields, "cluster_name", text(&service.name));
    if let Some(factor) = said.number("overprovisioning_factor") {
        add(
            &mut fields,
            "policy",
            map([("overprovisioning_factor", plain(factor))]),
        );
    }
    add(&mut fields, "endpoints", Yaml::List(endpoints));
    Yaml::Map(fields)
}

pub(super) fn endpoint((host, port): (String, usize), weight: u64, out: bool) -> Yaml {
    let mut fields = Map::new();
    add(
        &mut fields,
        "endpoint",
        map([("address", address(&host, port))]),
    );
    if weight > 1 {
        add(&mut fields, "load_balancing_weight", plain(weight));
    }
    if out {
        add(&mut fields, "health_status", plain("UNHEALTHY"));
    }
    Yaml::Map(fields)
}
