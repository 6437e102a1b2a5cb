//! Parts of the system that are replaced while time runs.

use super::{
    Balancer, Class, ClassId, Client, ClientId, Host, HostId, Model, ServerId, ServerParams,
    Service, ServiceId, Source, SourceId,
};
use crate::ids::Id;
use std::sync::Arc;

/// A part of the model replaced by another value of it.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    /// A server's properties.
    Server(ServerId, Arc<ServerParams>),
    /// A service's balancer.
    Balancer(ServiceId, Box<Balancer>),
    /// A service's demand, links and calls. Its balancer is a part by itself.
    Service(ServiceId, Box<Service>),
    /// A caller's behaviour.
    Client(ClientId, Box<Client>),
    /// A source's traffic.
    Source(SourceId, Box<Source>),
    /// A class.
    Class(ClassId, Box<Class>),
    /// A machine that servers share.
    Host(HostId, Box<Host>),
}

/// Which part a change replaces.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Part {
    /// A server's properties.
    Server(ServerId),
    /// A service's balancer.
    Balancer(ServiceId),
    /// A service's demand, links and calls.
    Service(ServiceId),
    /// A caller's behaviour.
    Client(ClientId),
    /// A source's traffic.
    Source(SourceId),
    /// A class.
    Class(ClassId),
    /// A machine that servers share.
    Host(HostId),
}

/// Where all parts can be looked up.
pub(crate) trait Parts {
    fn server(&self, id: ServerId) -> &Arc<ServerParams>;
    fn service(&self, id: ServiceId) -> &Service;
    fn client(&self, id: ClientId) -> &Client;
    fn source(&self, id: SourceId) -> &Source;
    fn class(&self, id: ClassId) -> &Class;
    fn host(&self, id: HostId) -> &Host;

    /// A part as it is here.
    fn part(&self, part: Part) -> Change {
        match part {
            Part::Server(id) => Change::Server(id, Arc::clone(self.server(id))),
            Part::Balancer(id) => Change::Balancer(id, Box::new(self.service(id).balancer.clone())),
            Part::Service(id) => Change::Service(id, Box::new(self.service(id).clone())),
            Part::Client(id) => Change::Client(id, Box::new(self.client(id).clone())),
            Part::Source(id) => Change::Source(id, Box::new(self.source(id).clone())),
            Part::Class(id) => Change::Class(id, Box::new(self.class(id).clone())),
            Part::Host(id) => Change::Host(id, Box::new(self.host(id).clone())),
        }
    }
}

impl Change {
    /// Which part it replaces.
    pub fn part(&self) -> Part {
        match self {
            Self::Server(id, _) => Part::Server(*id),
            Self::Balancer(id, _) => Part::Balancer(*id),
            Self::Service(id, _) => Part::Service(*id),
            Self::Client(id, _) => Part::Client(*id),
            Self::Source(id, _) => Part::Source(*id),
            Self::Class(id, _) => Part::Class(*id),
            Self::Host(id, _) => Part::Host(*id),
        }
    }

    /// Puts the part in its place.
    pub(crate) fn apply(&self, model: &mut Model) {
        match self {
            Self::Server(id, params) => model.servers[id.position()].params = Arc::clone(params),
            Self::Balancer(id, balancer) => {
                model.services[id.position()].balancer.clone_from(balancer);
            }
            Self::Service(id, service) => {
                let place = &mut model.services[id.position()];
                let balancer = place.balancer.clone();
                place.clone_from(service);
                place.balancer = balancer;
            }
            Self::Client(id, client) => model.clients[id.position()].clone_from(client),
            Self::Source(id, source) => model.sources[id.position()].clone_from(source),
            Self::Class(id, class) => model.classes[id.position()].clone_from(class),
            Self::Host(id, host) => model.hosts[id.position()].clone_from(host),
        }
    }
}

impl Parts for Model {
    fn server(&self, id: ServerId) -> &Arc<ServerParams> {
        &self.servers[id.position()].params
    }
    fn service(&self, id: ServiceId) -> &Service {
        &self.services[id.position()]
    }
    fn client(&self, id: ClientId) -> &Client {
        &self.clients[id.position()]
    }
    fn source(&self, id: SourceId) -> &Source {
        &self.sources[id.position()]
    }
    fn class(&self, id: ClassId) -> &Class {
        &self.classes[id.position()]
    }
    fn host(&self, id: HostId) -> &Host {
        &self.hosts[id.position()]
    }
}
