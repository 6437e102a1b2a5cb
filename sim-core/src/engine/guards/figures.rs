//! What guards have done, and what they are called.

use super::{Chain, Post, Row, Seat};
use crate::engine::Simulation;
use crate::event_log::Kind;
use crate::guard::News;
use crate::ids::{ClientId, Id, InstanceId, ServiceId};
use crate::model::{Actor, Asker, OwnRules};

/// What is known of a guard over the whole run, all owners together.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct GuardFigures {
    /// Where it stands: `traffic.shop`, `service.web.balancer`, `service.web.server.web-1`.
    pub at: String,
    /// Its row in [`crate::guard::GUARDS`].
    pub kind: &'static str,
    /// Attempts passed, those that waited included.
    pub passed: u64,
    /// Attempts turned away.
    pub refused: u64,
    /// Attempts that had to wait.
    pub held: u64,
    /// Attempts passed with a part of their demand left out.
    pub dimmed: u64,
}

impl Simulation {
    /// Writes down what a guard has to say.
    pub(super) fn tell_news(&mut self, seat: Seat, news: News) {
        let kind = if news.closed_to_all {
            Kind::Opened
        } else {
            Kind::Closed
        };
        let subject = self.owner_name(seat);
        self.tell(kind, Actor::System, &subject, news.cause);
    }

    /// Whose guards they are.
    fn owner_name(&self, seat: Seat) -> String {
        match seat.post {
            Post::Server => self.model.servers[seat.chain as usize].name.clone(),
            Post::Balancer => {
                let first = self.balancers.of(ServiceId(seat.chain as u16)).next();
                let index = first.map_or(0, |first| first.0) + seat.owner;
                self.balancers[InstanceId(index)].name.clone()
            }
            Post::Caller => self.caller_name(seat),
        }
    }

    fn caller_name(&self, seat: Seat) -> String {
        let outside = self.guards.callers[seat.chain as usize].outside;
        let is_it = |(_, at): &(ClientId, &(u32, u32))| {
            at.0 == seat.chain && (!outside || at.1 == seat.owner)
        };
        let Some((client, _)) = self.guards.of_client.enumerate().find(is_it) else {
            return String::new();
        };
        let of = |source: &&crate::model::Source| source.clients.contains(&client);
        if let Some(source) = self.model.sources.iter().find(of) {
            return source.name.clone();
        }
        let calling = self.model.services.iter().find_map(|service| {
            let own = service.balancer.client.as_ref();
            if own.is_some_and(|own| own.holds(client)) {
                return Some(service.instance_name(seat.owner));
            }
            let ask = service.asks().find(|ask| ask.client == client)?;
            let to = &self.model.services[ask.to.position()].name;
            let from = match ask.by {
                Asker::Server => {
                    let server = service.servers[seat.owner as usize];
                    self.model.servers[server.position()].name.clone()
                }
                Asker::Balancer => service.instance_name(seat.owner),
            };
            Some(format!("{from} to {to}"))
        });
        calling.unwrap_or_default()
    }

    /// What each guard did so far, all owners together.
    pub fn guard_figures(&self) -> Vec<GuardFigures> {
        let figures = |at: String, chain: &Chain| {
            let of = |row: &Row| GuardFigures {
                at: at.clone(),
                kind: row.guard.def.row.name,
                passed: row.passed,
                refused: row.refused,
                held: row.held,
                dimmed: row.dimmed,
            };
            chain.rows.iter().map(of).collect::<Vec<_>>()
        };
        let mut found = Vec::new();
        for (position, chain) in self.guards.callers.iter().enumerate() {
            let of = self.guards.of_client.enumerate();
            let names: Vec<String> = (of.filter(|(_, at)| at.0 as usize == position))
                .map(|(client, _)| self.client_name(client))
                .collect();
            let name = match names.as_slice() {
                [first, _, _, _, ..] => format!("{first} and {} others", names.len() - 1),
                few => few.join(", "),
            };
            found.extend(figures(name, chain));
        }
        for (service, chain) in self.guards.balancers.enumerate() {
            let name = &self.model.services[service.position()].name;
            found.extend(figures(format!("service.{name}.balancer"), chain));
        }
        let guarded = |(_, chain): &(_, &Chain)| !chain.rows.is_empty();
        for (server, chain) in self.guards.servers.enumerate().filter(guarded) {
            let params = &self.model.servers[server.position()];
            let service = &self.model.services[params.service.position()].name;
            found.extend(figures(
                format!("service.{service}.server.{}", params.name),
                chain,
            ));
        }
        found
    }

    /// A kind of caller, by its path.
    fn client_name(&self, client: ClientId) -> String {
        for source in &self.model.sources {
            if let Some(class) = source.clients.iter().position(|id| *id == client) {
                let alone = self.model.classes.len() == 1;
                return if alone {
                    format!("traffic.{}", source.name)
                } else {
                    format!("traffic.{}.{}", source.name, self.model.classes[class].name)
                };
            }
        }
        for service in &self.model.services {
            let own = service.balancer.client.iter().flat_map(OwnRules::clients);
            if let Some((_, class)) = own.into_iter().find(|(own, _)| *own == client) {
                let class = class.map(|class| &self.model.classes[class.position()].name);
                let class = class.map_or(String::new(), |name| format!(".class.{name}"));
                return format!("service.{}.balancer{class}.client", service.name);
            }
            if let Some(ask) = service.asks().find(|ask| ask.client == client) {
                return ask.path(service, &self.model);
            }
        }
        String::new()
    }
}
