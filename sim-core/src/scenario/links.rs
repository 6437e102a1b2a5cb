//! Links, from sections to the model: what is written of them, the zones of servers, and how a time
//! line names them.

use super::assemble::Base;
use super::live::{find_servers, unknown_server};
use super::problem::{Problem, suggest};
use super::section::{Cx, Item};
use super::sections::{LinkSpec, ServiceSpec};
use crate::ids::Id;
use crate::model::{Ask, Asker, Link, LinkTarget, ServerId, ServiceId, Zone, ZoneId};
use crate::text::cited;

/// Most zones of a service.
const ZONES_MAX: usize = 1000;

pub(crate) fn link(item: &Item<LinkSpec>) -> Option<Link> {
    let spec = item.get()?;
    Some(Link {
        delay: spec.delay.get()?.clone(),
        loss: spec.loss.copied()?,
        retransmit: spec.retransmit.copied()?,
        connect_timeout: spec.connect_timeout.copied()?,
        connections: spec.connections.get()?.clone(),
    })
}

/// A link whose sender is a machine that keeps its own connections: nothing is left to say whose
/// they are.
pub(crate) fn inner_link(item: &Item<LinkSpec>, cx: &mut Cx<'_>) -> Option<Link> {
    let link = link(item)?;
    if (link.connections.as_ref()).is_some_and(super::super::extension::Configured::says_whose) {
        let span = item.get()?.connections.span;
        let what =
            "`of` has no effect here: each server, and each balancer instance, keeps its own";
        cx.push(Problem::new("E017", what).at(span).help("leave it out"));
        return None;
    }
    Some(link)
}

/// The zones with a table of their own.
pub(crate) fn declared_zones(spec: &ServiceSpec) -> Option<Vec<Zone>> {
    let zones = spec.zone.get()?.iter().map(|(name, _, zone)| {
        Some(Zone {
            name: name.clone(),
            link: link(&zone.link)?,
            weight: zone.weight.copied()?,
        })
    });
    zones.collect()
}

/// The zones of a service while its servers are read.
pub(crate) struct Zones {
    zones: Vec<Zone>,
    used: Vec<bool>,
}

impl Zones {
    pub(crate) fn of(spec: &ServiceSpec) -> Option<Self> {
        let zones = declared_zones(spec)?;
        let used = vec![false; zones.len()];
        Some(Self { zones, used })
    }

    /// The zone of a name, which servers may use without more ado.
    pub(crate) fn find(&mut self, name: &Item<Option<String>>) -> Option<Option<ZoneId>> {
        let Some(name) = name.get()? else {
            return Some(None);
        };
        let known = self.zones.iter().position(|zone| zone.name == *name);
        let place = known.unwrap_or_else(|| {
            self.zones.push(Zone {
                name: name.clone(),
                link: Link::default(),
                weight: 1.0,
            });
            self.used.push(true);
            self.zones.len() - 1
        });
        self.used[place] = true;
        Some(Some(ZoneId::at(place)))
    }

    /// All of them, once all servers are read. One without servers would change nothing.
    pub(crate) fn finish(self, spec: &ServiceSpec, cx: &mut Cx<'_>) -> Option<Vec<Zone>> {
        if self.zones.len() > ZONES_MAX {
            let what = format!(
                "{} zones; at most {ZONES_MAX} are allowed",
                self.zones.len()
            );
            cx.push(Problem::new("E024", what).at(spec.span));
            return None;
        }
        let mut clean = true;
        let written = spec.zone.get()?.iter().zip(&self.used);
        for ((name, span, _), _) in written.filter(|(_, used)| !**used) {
            let problem = Problem::new("E017", format!("no server stands in the zone `{name}`"));
            let help = format!("write zone = \"{name}\" at the servers that do");
            cx.push(problem.at(*span).help(help));
            clean = false;
        }
        clean.then_some(self.zones)
    }
}

/// The servers of a service that stand in a zone.
pub(crate) fn servers_of_zone(
    service: usize,
    name: &str,
    base: &Base,
) -> Result<Vec<ServerId>, Problem> {
    let zones = &base.skeleton.services[service].zones;
    let Some(place) = zones.iter().position(|zone| zone.name == name) else {
        return Err(no_zone(name, zones.iter().map(|zone| zone.name.as_str())));
    };
    let (service, zone) = (ServiceId::at(service), ZoneId::at(place));
    let servers = base.fleet.servers.iter().enumerate();
    let there = servers.filter(|(_, s)| s.service == service && s.zone == Some(zone));
    Ok(there.map(|(id, _)| ServerId::at(id)).collect())
}

/// The servers of all services that stand in zones of a name.
pub(crate) fn servers_in(name: &str, base: &Base) -> Result<Vec<ServerId>, Problem> {
    let services = &base.skeleton.services;
    let found: Vec<ServerId> = (0..services.len())
        .filter_map(|service| servers_of_zone(service, name, base).ok())
        .flatten()
        .collect();
    if found.is_empty() {
        let zones = services.iter().flat_map(|service| &service.zones);
        return Err(no_zone(name, zones.map(|zone| zone.name.as_str())));
    }
    Ok(found)
}

fn no_zone<'a>(name: &str, zones: impl Iterator<Item = &'a str>) -> Problem {
    let help = match suggest(name, zones) {
        none if none.is_empty() => {
            format!("write zone = \"{name}\" at the servers that stand there")
        }
        known => known,
    };
    Problem::new("E020", format!("no zone is called `{name}`")).help(help)
}

/// The links that a target names.
pub(crate) fn targets(text: &str, base: &Base) -> Result<Vec<LinkTarget>, Problem> {
    let no_link = || {
        Problem::new("E040", format!("{} is no link", cited(text))).help(
            "service.NAME.link, service.NAME.balancer.link, service.NAME.zone.NAME.link, \
             service.NAME.server.NAME.link, service.NAME.call.NAME.link or \
             service.NAME.balancer.routes.NAME.link",
        )
    };
    let words: Vec<&str> = text.split('.').collect();
    let ["service", name, rest @ .., "link"] = words.as_slice() else {
        return Err(no_link());
    };
    let services = &base.skeleton.services;
    let unknown = |what: &str, name: &str, names: Vec<&str>| {
        let problem = Problem::new("E020", format!("no {what} is called `{name}`"));
        problem.help(suggest(name, names))
    };
    let Some(index) = services.iter().position(|s| s.name == *name) else {
        let names = services.iter().map(|s| s.name.as_str()).collect();
        return Err(unknown("service", name, names));
    };
    let (service, id) = (&services[index], ServiceId::at(index));
    let asked = |to: &str, by: Asker, what: &str| {
        let named = |ask: &Ask<'_>| &*services[ask.to.position()].name;
        let all = || service.asks().filter(|ask| ask.by == by);
        let found = all().filter(|ask| named(ask) == to);
        let found: Vec<_> = found.map(|ask| LinkTarget::Call(ask.client)).collect();
        if found.is_empty() {
            return Err(unknown(what, to, all().map(|ask| named(&ask)).collect()));
        }
        Ok(found)
    };
    match rest {
        [] => Ok(vec![LinkTarget::Callers(id)]),
        ["balancer"] => Ok(vec![LinkTarget::Servers(id)]),
        ["zone", zone] => match service.zones.iter().position(|z| z.name == *zone) {
            Some(place) => Ok(vec![LinkTarget::Zone(id, ZoneId::at(place))]),
            None => {
                let names = service.zones.iter().map(|z| z.name.as_str()).collect();
                Err(unknown("zone", zone, names))
            }
        },
        ["server", word] => match find_servers(index, word, base) {
            Some(ids) => Ok((ids.into_iter())
                .map(|id| LinkTarget::Server(ServerId(id)))
                .collect()),
            None => Err(unknown_server(word, index, base)),
        },
        ["call", to] => asked(to, Asker::Server, "service that it calls"),
        ["balancer", "routes", to] => asked(to, Asker::Balancer, "service of its routes"),
        _ => Err(no_link()),
    }
}
