//! Links: what lies between two machines, and what becomes of messages there.

use super::{ClientId, ServerId, ServiceId, ZoneId};
use crate::connection::ConnectionDef;
use crate::distribution::DistributionDef;
use crate::extension::Configured;
use crate::time::Duration;

/// What lies between two machines, for requests there and answers back. What is absent is that of
/// the wider link, and at the widest: no delay, no loss, no bound.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Link {
    /// Time of one way.
    pub delay: Option<Configured<DistributionDef>>,
    /// Probability that a message vanishes, in [0, 1].
    pub loss: Option<f64>,
    /// A message that vanishes by chance is sent again after so long, and after twice that, and so on.
    pub retransmit: Option<Duration>,
    /// A request that has not reached the other end by then has failed.
    pub connect_timeout: Option<Duration>,
    /// Connections that the sender keeps; without them each message stands for one of its own.
    pub connections: Option<Configured<ConnectionDef>>,
}

impl Link {
    /// What applies where this link narrows a wider one.
    #[must_use]
    pub fn within(&self, wider: &Self) -> Self {
        Self {
            delay: self.delay.clone().or_else(|| wider.delay.clone()),
            loss: self.loss.or(wider.loss),
            retransmit: self.retransmit.or(wider.retransmit),
            connect_timeout: self.connect_timeout.or(wider.connect_timeout),
            connections: (self.connections.clone()).or_else(|| wider.connections.clone()),
        }
    }

    /// Whether messages take no time, none is lost, and none waits for a connection.
    pub fn is_clear(&self) -> bool {
        let instant =
            |delay: &Configured<DistributionDef>| delay.build().constant_ns() == Some(0.0);
        let safe = self.loss.is_none_or(|loss| loss <= 0.0);
        self.delay.as_ref().is_none_or(instant) && safe && self.connections.is_none()
    }
}

/// Servers of a service that stand together.
#[derive(Clone, PartialEq, Debug)]
pub struct Zone {
    /// Its name, unique within the service.
    pub name: String,
    /// From the balancer to its servers, where it differs from the balancer's link.
    pub link: Link,
    /// Its part of the traffic, where that is split by zone.
    pub weight: f64,
}

/// A link of the system, as an action names it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LinkTarget {
    /// Between the callers of a service, whoever they are, and its balancer.
    Callers(ServiceId),
    /// Between the servers that make a certain call and the balancer of the service called.
    Call(ClientId),
    /// Between the balancer of a service and all its servers.
    Servers(ServiceId),
    /// Between the balancer of a service and the servers of a zone.
    Zone(ServiceId, ZoneId),
    /// Between a balancer and one of its servers.
    Server(ServerId),
}
