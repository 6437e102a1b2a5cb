//! Traffic split among zones: what is said of it, and whether servers and policy go with it.

use super::problem::{Problem, Span};
use super::section::Cx;
use super::sections::{ByZoneSpec, ServiceSpec, ZoneStart};
use crate::ids::Id;
use crate::model::{Server, Service, SplitByZone};

pub(super) fn split_by_zone(spec: &ByZoneSpec) -> Option<SplitByZone> {
    Some(SplitByZone {
        overprovisioning: spec.overprovisioning.copied()?,
        random_start: spec.start.copied()? == ZoneStart::Random,
    })
}

/// That each server stands in a zone, some zone gets something, and weights are for something.
pub(super) fn check_zones(
    written: &[(String, Span, ServiceSpec)],
    services: &[Service],
    servers: &[Server],
    cx: &mut Cx<'_>,
) -> Option<()> {
    let mut clean = true;
    for ((name, _, spec), service) in written.iter().zip(services) {
        let problem = if service.balancer.by_zone.is_some() {
            let span = spec.balancer.get()?.by_zone.span;
            refused(name, service, servers).map(|(what, help)| (what, help, span))
        } else {
            let zones = spec.zone.get()?.iter();
            let mut weighted = zones.filter(|(.., zone)| zone.weight.written);
            weighted.next().map(|(zone, _, spec)| {
                let what = format!("the weight of the zone `{zone}` has no effect");
                let help = format!("service.{name}.balancer.by_zone = {{}} splits traffic by it");
                (what, help, spec.weight.span)
            })
        };
        if let Some((what, help, span)) = problem {
            cx.push(Problem::new("E017", what).at(span).help(help));
            clean = false;
        }
    }
    clean.then_some(())
}

/// Why traffic cannot be split among a service's zones, and what would help.
fn refused(name: &str, service: &Service, servers: &[Server]) -> Option<(String, String)> {
    let policy = &service.balancer.policy;
    if policy.build().sees_full() {
        let policy = policy.def.row.name;
        let what = format!(
            "`{policy}` looks at all servers, those at their limit too, and cannot be split by zone"
        );
        return Some((what, "`stampede list policies` has others".to_owned()));
    }
    let own = || service.servers.iter().map(|id| &servers[id.position()]);
    if let Some(server) = own().find(|server| server.zone.is_none()) {
        let what = format!(
            "`{}` of `{name}` stands in no zone, and would get nothing",
            server.name
        );
        return Some((what, "write zone = \"NAME\" at each server".to_owned()));
    }
    let weight = |server: &Server| {
        let zone = server.zone.map(|zone| &service.zones[zone.position()]);
        zone.map_or(0.0, |zone| zone.weight)
    };
    own().all(|server| weight(server) <= 0.0).then(|| {
        let what = format!("all zones of `{name}` have a weight of 0: nobody would get anything");
        (what, format!("service.{name}.zone.NAME.weight = 1"))
    })
}
