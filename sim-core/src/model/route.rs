//! Routes of a balancer, and all that services ask of each other.

use super::{Balancer, ClassId, ClientId, Link, Model, Service, ServiceId};
use crate::ids::Id;

/// How far shares may be from a whole: rounding, not a mistake.
pub(crate) const SHARE_TOLERANCE: f64 = 1e-9;

/// Requests that a balancer sends on to another service.
#[derive(Clone, PartialEq, Debug)]
pub struct Route {
    /// The service that they go to.
    pub to: ServiceId,
    /// Only requests of these classes; empty: of all.
    pub classes: Vec<ClassId>,
    /// Share of the keys, after those of the routes before; absent: all of them.
    pub share: Option<f64>,
    /// How the balancer instance behaves as their caller.
    pub client: ClientId,
    /// To the service that they go to, where it differs from that service's own link.
    pub link: Link,
}

impl Route {
    /// Whether requests of a class may go along it.
    pub fn concerns(&self, class: ClassId) -> bool {
        self.classes.is_empty() || self.classes.contains(&class)
    }
}

impl Balancer {
    /// Of the routes that concern a class, each with where its part of the keys ends, all keys
    /// together being from 0 to 1.
    pub(crate) fn parts(&self, class: ClassId) -> impl Iterator<Item = (&Route, f64)> {
        let concerned = self.routes.iter().filter(move |r| r.concerns(class));
        concerned.scan(0.0, |end, route| {
            *end += route.share.unwrap_or(1.0);
            // What is a whole but for rounding is one.
            let whole = *end > 1.0 - SHARE_TOLERANCE;
            Some((route, if whole { 1.0 } else { *end }))
        })
    }

    /// The route of a request whose key lies at `place` among all keys, from 0 to 1; `None`: it
    /// goes to a server of the service.
    pub fn route(&self, class: ClassId, place: f64) -> Option<&Route> {
        let found = self.parts(class).find(|(_, end)| place < *end);
        found.map(|(route, _)| route)
    }

    /// The share of a class that no route takes, keys being many.
    pub fn kept(&self, class: ClassId) -> f64 {
        self.parts(class).last().map_or(1.0, |(_, end)| 1.0 - end)
    }
}

/// What a service asks of another one: a call of its servers, or a route of its balancer.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ask<'a> {
    /// Who asks.
    pub by: Asker,
    /// The service asked.
    pub to: ServiceId,
    /// Only requests of these classes; empty: of all.
    pub classes: &'a [ClassId],
    /// The share of those, whatever other calls or routes there are.
    pub share: f64,
    /// How the caller behaves.
    pub client: ClientId,
    /// To the service asked, where it differs from that service's own link.
    pub link: &'a Link,
}

impl Ask<'_> {
    /// Where it stands in a scenario: `service.web.call.db`, `service.web.balancer.routes.shop`.
    pub fn path(&self, of: &Service, model: &Model) -> String {
        let list = match self.by {
            Asker::Server => "call",
            Asker::Balancer => "balancer.routes",
        };
        let to = &model.services[self.to.position()].name;
        format!("service.{}.{list}.{to}", of.name)
    }
}

/// Which part of a service asks something of another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asker {
    /// Its servers, while they serve.
    Server,
    /// Its balancer, in place of a server.
    Balancer,
}

impl Service {
    /// All that it asks of others: the calls of its servers, then the routes of its balancer.
    pub fn asks(&self) -> impl Iterator<Item = Ask<'_>> {
        let calls = self.calls.iter().map(|call| Ask {
            by: Asker::Server,
            to: call.to,
            classes: &call.classes,
            share: call.probability,
            client: call.client,
            link: &call.link,
        });
        let routes = self.balancer.routes.iter().map(|route| Ask {
            by: Asker::Balancer,
            to: route.to,
            classes: &route.classes,
            share: route.share.unwrap_or(1.0),
            client: route.client,
            link: &route.link,
        });
        calls.chain(routes)
    }
}
