//! What a cause costs: requests of the end that it explains, as far as their ends tell. Of causes that
//! stand at the same time the one that costs most is the verdict.

use super::evidence::{Evidence, ServerFacts, ServiceFacts};
use crate::engine::LinkSnapshot;
use crate::ids::{Id, ServiceId};
use crate::model::LinkTarget;
use crate::outcome::Outcome;
use crate::time::Duration;

/// Ends of those who met nobody to serve them.
pub(super) const NOBODY: &[Outcome] = &[
    Outcome::Refused,
    Outcome::Reset,
    Outcome::Unavailable,
    Outcome::ConnectTimedOut,
];

/// Ends of those who were lost on their way, or on that of the answer.
pub(super) const ON_THE_WAY: &[Outcome] = &[
    Outcome::TimedOut,
    Outcome::ConnectTimedOut,
    Outcome::Unavailable,
];

/// Ends of those who waited for too long.
pub(super) const TOO_LATE: &[Outcome] = &[
    Outcome::TimedOut,
    Outcome::ConnectTimedOut,
    Outcome::Abandoned,
    Outcome::Cancelled,
    Outcome::Unavailable,
];

/// Ends of those who met somebody who had too much to do.
pub(super) const TOO_MUCH: &[Outcome] = &[
    Outcome::TimedOut,
    Outcome::ConnectTimedOut,
    Outcome::Rejected,
    Outcome::Shed,
    Outcome::Abandoned,
    Outcome::Cancelled,
    Outcome::Unavailable,
];

impl Evidence<'_> {
    /// Requests from outside that failed.
    pub(super) fn failures(&self) -> u64 {
        self.ended - self.succeeded()
    }

    /// Requests that ended in one of these ways at a service itself; no more than failed outside.
    pub(super) fn failed_at(&self, service: ServiceId, ends: &[Outcome]) -> u64 {
        let needed = self.asks_of(service, true);
        // Where it is not needed a request goes on without it, and its failures cost nothing by themselves.
        let is_needed =
            (self.services.iter().zip(&needed)).any(|(s, share)| s.entry && *share > 0.0);
        let own = counted(&self.services[service.position()], ends);
        if is_needed {
            own.min(self.failures())
        } else {
            0
        }
    }

    /// The same, or at those who ask it and waited for it.
    pub(super) fn lost_at(&self, service: ServiceId, ends: &[Outcome]) -> u64 {
        let asks = self.asks_of(service, false);
        // Those who wait for it fail in its place, if they wait for so long; as many as ask it.
        let others = self.services.iter().zip(&asks).enumerate();
        let others = others.filter(|(i, (_, share))| *i != service.position() && **share > 0.0);
        let waited = others
            .map(|(_, (asking, share))| (counted(asking, ends) as f64 * share.min(1.0)) as u64);
        let waited = waited.max().unwrap_or(0).min(self.failures());
        waited.max(self.failed_at(service, ends))
    }

    /// The same, and those who still wait: at the service, or at others because of it.
    pub(super) fn harmed_at(&self, service: &ServiceFacts, ends: &[Outcome]) -> u64 {
        self.lost_at(service.id, ends) + self.waiting_for(service.id)
    }

    /// Requests from outside that wait at a service, or at others because of it.
    pub(super) fn waiting_for(&self, service: ServiceId) -> u64 {
        let asks = self.asks_of(service, false);
        let waiting = self.services.iter().zip(asks).map(|(s, share)| {
            let waiting = s.queue_len[1] + s.waiting;
            (waiting as f64 * share.min(1.0)) as u64
        });
        waiting.max().unwrap_or(0).min(self.in_flight[2])
    }

    /// Requests that open circuit breakers turned away on their way to a service: a breaker only tells that
    /// those behind it failed.
    pub(super) fn cut_short(&self, service: ServiceId) -> u64 {
        let asks = self.asks_of(service, false);
        let mut before = self.services.iter().zip(asks);
        if before.any(|(s, share)| share > 0.0 && self.has_open_breaker(s)) {
            self.lost_at(service, &[Outcome::Shed])
        } else {
            0
        }
    }

    /// Whether a circuit breaker before a service is open: that of a source, of a balancer instance, of
    /// whoever calls it, or of one of its servers.
    fn has_open_breaker(&self, service: &ServiceFacts) -> bool {
        self.open_breakers.iter().any(|(owner, _)| {
            let source =
                (self.model.sources.iter()).any(|s| s.name == *owner && s.to == service.id);
            let instance = (self.instances.iter()).any(|i| i.0 == *owner && i.1 == service.id);
            let call = owner
                .rsplit_once(" to ")
                .is_some_and(|(_, to)| to == service.name);
            source || instance || call || service.servers.iter().any(|s| s.name == *owner)
        })
    }

    /// How often a request to each service asks this one on its way; only through calls that must
    /// succeed, if so asked.
    pub(super) fn asks_of(&self, service: ServiceId, needed: bool) -> Vec<f64> {
        let mut asks = vec![0.0; self.settings.len()];
        // Calls do not go round in circles, so that this settles within as many steps as services.
        for _ in 0..self.settings.len() {
            let next: Vec<f64> = (self.settings.iter().enumerate())
                .map(|(i, of)| {
                    if i == service.position() {
                        return 1.0;
                    }
                    let calls = of.calls.iter().filter(|call| call.required || !needed);
                    let calls = calls.map(|call| call.probability * asks[call.to.position()]);
                    let routes = of.balancer.routes.iter();
                    let routes = routes.map(|r| r.share.unwrap_or(1.0) * asks[r.to.position()]);
                    calls.chain(routes).sum()
                })
                .collect();
            if next == asks {
                break;
            }
            asks = next;
        }
        asks
    }

    /// The service whose requests a link carries, and at most so many as were lost over it.
    fn carried(&self, link: LinkTarget) -> Option<(ServiceId, Option<u64>)> {
        Some(match link {
            LinkTarget::Callers(service) | LinkTarget::Servers(service) => (service, None),
            LinkTarget::Call(client) => {
                let mut asks = self.settings.iter().flat_map(|s| s.asks());
                (asks.find(|ask| ask.client == client)?.to, None)
            }
            LinkTarget::Zone(service, zone) => {
                let of_zone = |server: &&ServerFacts| {
                    self.model.servers[server.standing.id.position()].zone == Some(zone)
                };
                let servers = self.services[service.position()].servers.iter();
                let lost = servers
                    .filter(of_zone)
                    .map(|s| s.attempts.saturating_sub(s.succeeded));
                (service, Some(lost.sum()))
            }
            LinkTarget::Server(server) => {
                let service = self.model.servers[server.position()].service;
                let servers = self.services[service.position()].servers.iter();
                let lost = servers.filter(|s| s.standing.id == server);
                let lost = lost.map(|s| s.attempts.saturating_sub(s.succeeded));
                (service, Some(lost.sum()))
            }
        })
    }

    /// Requests that a link costs on which something lies: those that failed, and those that wait.
    pub(super) fn lost_over(&self, link: &LinkSnapshot) -> u64 {
        let Some((service, at_most)) = self.carried(link.link) else {
            return 0;
        };
        let lost = self.lost_at(service, ON_THE_WAY);
        let lost = at_most.map_or(lost, |most: u64| lost.min(most));
        if link.cut {
            let waiting = if at_most.is_none() {
                self.waiting_for(service)
            } else {
                0
            };
            return lost + self.cut_short(service) + waiting;
        }
        // Of a link that is only worse, as many as chance takes; all where a round trip takes too long.
        let patience_s = self
            .model
            .clients
            .iter()
            .filter_map(|c| c.timeout.or(c.deadline));
        let patience_s = patience_s
            .map(Duration::as_secs_f64)
            .fold(f64::INFINITY, f64::min);
        let added_s = 2.0 * link.added_delay_ns as f64 / 1e9;
        if added_s > patience_s / 2.0 {
            return lost;
        }
        let taken = 1.0 - (1.0 - link.added_loss).powi(2);
        let attempts = self.services[service.position()].attempted;
        lost.min((attempts as f64 * taken).round() as u64)
    }
}

/// Requests that ended in one of these ways at a service.
fn counted(service: &ServiceFacts, ends: &[Outcome]) -> u64 {
    ends.iter().map(|end| service.outcomes[*end as usize]).sum()
}
