//! What the parts of a system could do at this moment: the settings and states that stand now, as plain
//! data for whoever judges a run. Nothing here is counted; it is read off.

use super::Simulation;
use super::attempt::Place;
use super::fleet::{Server, ServerCold};
use super::link::Path;
use crate::arrival::Arrivals;
use crate::ids::{HostId, Id, LocalId, ServerId, ServiceId};
use crate::machine::MachineState;
use crate::model::Host;
use crate::time::{Instant, SECOND};
use std::sync::Arc;

/// What could be done and is asked for at a moment.
#[derive(Clone, PartialEq, Debug)]
pub struct Standing {
    /// Services, in the order of the model.
    pub services: Vec<ServiceStanding>,
    /// Sources, in the order of the model.
    pub sources: Vec<SourceStanding>,
    /// Machines that servers share, in the order of the model.
    pub hosts: Vec<Host>,
    /// What requests of each class demand.
    pub classes: Vec<ClassStanding>,
}

/// What requests of a class demand.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ClassStanding {
    /// Multiplies what follows.
    pub factor: f64,
    /// Mean of its own law, in seconds; absent where it has none.
    pub own_s: Option<f64>,
}

impl ClassStanding {
    /// Mean demand at a service, in seconds.
    pub fn demand_s(&self, service: &ServiceStanding) -> f64 {
        self.own_s.unwrap_or(service.demand_s) * self.factor
    }
}

/// A service at a moment.
#[derive(Clone, PartialEq, Debug)]
pub struct ServiceStanding {
    /// Mean demand of a request of factor 1, in seconds; may be infinite.
    pub demand_s: f64,
    /// Mean time that a request and its answer spend on the way to the balancer, for those from outside, and from there
    /// to a server, in seconds.
    pub travel_s: [f64; 2],
    /// Whom its servers call: the service, the probability, and whether a worker waits meanwhile.
    pub calls: Vec<CallStanding>,
    /// Its servers, in order.
    pub servers: Vec<ServerStanding>,
    /// Balancer instances that callers know.
    pub instances: u32,
    /// Those of them that are up.
    pub instances_up: u32,
    /// Attempts that an instance may hold.
    pub max_connections: Option<u32>,
    /// Time that an instance spends on an attempt, in seconds.
    pub cost_s: f64,
    /// Attempts that wait at guards, those of its callers and of its servers included.
    pub held: u64,
    /// Attempts that wait for a connection, to its balancer or to a server.
    pub unconnected: u64,
}

/// A call between services at a moment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CallStanding {
    /// The service called.
    pub to: ServiceId,
    /// Its probability.
    pub probability: f64,
    /// Mean time that it and its answer spend on the way to the balancer, in seconds.
    pub travel_s: f64,
    /// Whether the caller's worker waits for the answer.
    pub hold: bool,
    /// Whether it goes out together with the call before it.
    pub parallel: bool,
    /// Whether a cache stands before it, so that it is not always made.
    pub cached: bool,
}

/// A server at a moment.
#[derive(Clone, Copy, PartialEq, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that do not exclude one another"
)]
pub struct ServerStanding {
    /// Which.
    pub id: ServerId,
    /// What it is doing.
    pub state: MachineState,
    /// Taken out of rotation by hand, or on its way out.
    pub drained: bool,
    /// Balancer instances in use that would send to it, if it is not full.
    pub open_at: u32,
    /// Whether it only serves while others of a better priority do not suffice.
    pub standby: bool,
    /// Whether it is given nothing because of its weight, while others have some.
    pub weightless: bool,
    /// Workers that are not broken.
    pub workers: u32,
    /// Workers that are.
    pub broken: u32,
    /// Work done by a worker per second, at its best: speed of the settings times what the time line
    /// has made of it.
    pub speed: f64,
    /// What the time line has made of its speed: 1 is its own.
    pub slowed_to: f64,
    /// Share of its speed after a start.
    pub warmth: f64,
    /// The machine that it shares.
    pub host: Option<HostId>,
    /// Most work done per second, as many workers at work as are best for it, and a core for each.
    pub best_rate: f64,
    /// The same if no worker were broken.
    pub unbroken_rate: f64,
    /// Share of its workers that breakdowns leave on average.
    pub availability: f64,
    /// Probability that an answer is an error.
    pub error_rate: f64,
    /// Attempts that a balancer instance may have in flight at it.
    pub max_connections: Option<u32>,
    /// Since when it has been up, or not, in nanoseconds.
    pub since_ns: u64,
    /// Whether it will come back by itself when it is down.
    pub restarts: bool,
}

/// A source at a moment.
#[derive(Clone, PartialEq, Debug)]
pub struct SourceStanding {
    /// The service asked.
    pub to: ServiceId,
    /// Users of a closed source and the mean time between an answer and their next request, in seconds.
    pub users: Option<(u32, f64)>,
    /// Cumulated share by class.
    pub mix: Vec<f64>,
    /// The latest corner of its rate, in nanoseconds; zero when there is none.
    pub corner_ns: u64,
}

impl Simulation {
    /// What could be done, and is asked for, now.
    pub fn standing(&self) -> Standing {
        let source = |source: &super::source::Source| SourceStanding {
            to: source.to,
            users: match &source.arrivals {
                Arrivals::Closed { users, think, .. } => {
                    let there = users.saturating_sub(source.left_for_good);
                    Some((there, think.mean_ns() / SECOND as f64))
                }
                _ => None,
            },
            mix: source.mix.clone(),
            corner_ns: (source.rate.corners_from(Instant(self.now)).next())
                .map_or(0, |corner| corner.at.0),
        };
        let mut services: Vec<_> = self.services.ids().map(|id| self.service_now(id)).collect();
        for (_, attempt) in self.attempts.iter() {
            let service = &mut services[attempt.service.position()];
            match attempt.place {
                Place::Held | Place::HeldAtServer => service.held += 1,
                Place::Unconnected => service.unconnected += 1,
                _ => {}
            }
        }
        Standing {
            services,
            sources: self.sources.iter().map(source).collect(),
            hosts: self.hosts_now(),
            classes: (self.classes.iter().zip(self.own_demands.iter()))
                .map(|(class, own)| ClassStanding {
                    factor: class.demand_factor,
                    own_s: own.as_ref().map(|law| law.mean_ns() / SECOND as f64),
                })
                .collect(),
        }
    }

    /// The settings of a service as they are now.
    pub(crate) fn settings_of(&self, service: ServiceId) -> &crate::model::Service {
        &self.services[service].settings
    }

    fn service_now(&self, id: ServiceId) -> ServiceStanding {
        let service = &self.services[id];
        let balancer = &service.settings.balancer;
        let up = |&&instance: &&crate::ids::InstanceId| self.balancers[instance].state.serves();
        let both_ways =
            |path: Option<&Arc<Path>>| 2.0 * path.map_or(0.0, |p| p.mean_ns()) / SECOND as f64;
        let call = |call: &crate::model::Call| CallStanding {
            to: call.to,
            probability: call.probability,
            travel_s: both_ways(self.links.of_caller(call.client)),
            hold: call.hold,
            parallel: call.parallel,
            cached: call.cache.is_some(),
        };
        let mut servers: Vec<ServerStanding> = (service.servers.ids())
            .map(|local| self.server_now(id, local))
            .collect();
        // Nobody is sent to weight 0 where weights count, as long as others have some.
        let weighs = balancer.policy.def.heeds_weights;
        let weights = service.weights.as_slice();
        let weighed = |(s, weight): (&ServerStanding, &f64)| s.open_at > 0 && *weight > 0.0;
        if weighs && servers.iter().zip(weights).any(weighed) {
            for (server, weight) in servers.iter_mut().zip(weights) {
                if *weight <= 0.0 {
                    (server.weightless, server.open_at) = (true, 0);
                }
            }
        }
        // Of several priorities the best that can be used is; the next stand by.
        let priority = |s: &ServerStanding| self.fleet.cold[s.id].params.priority;
        let best = servers.iter().filter(|s| s.open_at > 0).map(priority).min();
        for server in &mut servers {
            server.standby =
                server.open_at == 0 && best.is_some_and(|best| best < priority(server));
        }
        let from_outside = self.links.callers_from_outside(id).next();
        let arrives_s = both_ways(from_outside.and_then(|client| self.links.of_caller(client)));
        let ways = servers.iter().filter(|s| s.open_at > 0);
        let ways = ways.map(|s| both_ways(self.fleet.cold[s.id].path.as_ref()));
        let inside_s = ways.clone().sum::<f64>() / ways.count().max(1) as f64;
        ServiceStanding {
            demand_s: service.demand.mean_ns() / SECOND as f64,
            travel_s: [arrives_s, inside_s],
            calls: service.settings.calls.iter().map(call).collect(),
            servers,
            instances: service.active.len() as u32,
            instances_up: service.active.iter().filter(up).count() as u32,
            max_connections: balancer.max_connections,
            cost_s: service.cost as f64 / SECOND as f64,
            held: 0,
            unconnected: 0,
        }
    }

    fn server_now(&self, service: ServiceId, local: LocalId) -> ServerStanding {
        let id = self.services[service].servers[local];
        let (server, cold): (&Server, &ServerCold) = (&self.fleet[id], &self.fleet.cold[id]);
        let params = &cold.params;
        let instances = self.services[service].active.iter();
        let full = |instance: &super::instance::Instance| {
            params
                .max_connections
                .is_some_and(|limit| limit > 0 && instance.in_flight[local] >= limit)
        };
        let in_rotation = self.fleet.in_rotation(id);
        let open = |&&i: &&crate::ids::InstanceId| {
            let instance = &self.balancers[i];
            let listed = instance.offers.is_eligible(local);
            instance.state.serves() && in_rotation && (listed || full(instance))
        };
        let speed = params.speed * cold.slow;
        ServerStanding {
            id,
            state: server.state,
            drained: cold.out_of_rotation,
            open_at: instances.filter(open).count() as u32,
            standby: false,
            weightless: false,
            workers: server.workers,
            broken: cold.broken,
            speed,
            slowed_to: cold.slow,
            warmth: cold.warmth,
            host: params.host,
            best_rate: speed * cold.warmth * most_at_once(server.workers, &params.slowdown),
            unbroken_rate: speed * cold.warmth * most_at_once(params.workers, &params.slowdown),
            availability: params.availability(),
            error_rate: cold.error_rate,
            max_connections: params.max_connections,
            since_ns: if server.state.serves() {
                cold.incarnation.up_since
            } else {
                cold.incarnation.down_since
            },
            restarts: params.restart.build().pause(1).is_some(),
        }
    }
}

/// Workers at full speed that are worth as much as up to `workers` that slow one another down.
fn most_at_once(workers: u32, slowdown: &crate::model::Slowdown) -> f64 {
    let worth =
        |n: f64| n / (1.0 + slowdown.contention * (n - 1.0) + slowdown.coherence * n * (n - 1.0));
    let all = f64::from(workers);
    if workers == 0 {
        return 0.0;
    }
    // The law has one peak, at the square root of (1 − contention) / coherence.
    let peak = if slowdown.coherence > 0.0 {
        ((1.0 - slowdown.contention).max(0.0) / slowdown.coherence).sqrt()
    } else {
        all
    };
    let below = peak.floor().clamp(1.0, all);
    worth(below)
        .max(worth((below + 1.0).min(all)))
        .max(worth(all))
}

#[cfg(test)]
mod tests {
    use super::most_at_once;
    use crate::model::Slowdown;

    #[test]
    fn the_best_concurrency_counts_not_the_largest() {
        let worth = |workers, contention, coherence| {
            most_at_once(
                workers,
                &Slowdown {
                    contention,
                    coherence,
                },
            )
        };
        assert!((worth(8, 0.0, 0.0) - 8.0).abs() < 1e-12);
        assert!(worth(0, 0.0, 0.0).abs() < 1e-12);
        // With a coherence of 0.01 ten workers do the most.
        let ten = 10.0 / (1.0 + 0.01 * 90.0);
        assert!((worth(100, 0.0, 0.01) - ten).abs() < 1e-9);
        assert!(worth(5, 0.0, 0.01) < ten);
    }
}
