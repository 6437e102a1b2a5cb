//! What services could do now, and what is asked of them: facts of each, and of its servers.

use super::asked::{Asked, alone_s, held_s, kept};
use super::cores::Cores;
use super::evidence::{Evidence, Limit, Machines, ServerFacts, ServiceFacts};
use crate::engine::{MachineState, ServerStanding, Simulation, Standing};
use crate::event_log::Kind;
use crate::ids::{HostId, Id, ServiceId};
use crate::metric::Scope;
use crate::record::history::ServerTotal;
use std::collections::BTreeSet;
use std::ops::Range;

/// Records of servers that are read at most, over all servers.
const RECORDS: usize = 1_000_000;

impl<'a> Evidence<'a> {
    #[expect(
        clippy::too_many_lines,
        reason = "each fact of a service is named once"
    )]
    pub(super) fn read_services(
        &mut self,
        simulation: &Simulation,
        standing: &mut Standing,
        window: &Range<usize>,
    ) {
        let history = simulation.recorder().history();
        let asked = Asked::of(simulation, standing, window);
        self.alone_s = asked.alone_s;
        let alone_s = alone_s(standing);
        let work: Vec<f64> = (0..standing.services.len())
            .map(|i| asked.hz[i] * asked.demand_s[i])
            .collect();
        let up = |s: &ServerStanding| s.state == MachineState::Up;
        // Of very many servers the latest records must do.
        let most = (RECORDS / self.model.servers.len().max(1)).max(1) * history.server_stride();
        let first = window.start.max(window.end.saturating_sub(most));
        let latest = first..window.end;
        let totals = history.server_totals(latest.clone());
        let attempts: Vec<u64> = (0..standing.services.len())
            .map(|position| {
                let total = history.total(Scope::Service(ServiceId::at(position)), latest.clone());
                total.window().attempts
            })
            .collect();
        // Whoever gets no requests takes no cores from anybody.
        let at_work =
            |s: &ServerStanding| up(s) && !s.drained && totals[s.id.position()].attempts > 0;
        let there = |s: &ServerStanding| s.state != MachineState::Absent;
        let cores = Cores::of(
            &standing.services,
            &standing.hosts,
            &work,
            &attempts,
            &totals,
            at_work,
        );
        let cores_of_all = Cores::of(
            &standing.services,
            &standing.hosts,
            &work,
            &attempts,
            &totals,
            there,
        );
        let instances_now = simulation.instances_snapshot();
        let entries: Vec<ServiceId> = standing.sources.iter().map(|s| s.to).collect();
        let machines: Vec<_> = (0..standing.services.len())
            .map(|position| self.machines(ServiceId::at(position), standing))
            .collect();
        let services = std::mem::take(&mut standing.services).into_iter();
        for ((position, mut service), machines) in services.enumerate().zip(machines) {
            let id = ServiceId::at(position);
            let standing = std::mem::take(&mut service.servers);
            let total = history.total(Scope::Service(id), window.clone());
            let seen = total.window();
            let own_s = asked.demand_s[position];
            let hold_s = held_s(&service, &alone_s);
            // Whoever asks it only if it can goes on after an error as after an answer.
            let needed = self.asks_of(id, true);
            let needed = entries.iter().any(|entry| needed[entry.position()] > 0.0);
            let capacity = |server: &ServerStanding, rate: f64, allowed: f64| {
                let errors = if needed { server.error_rate } else { 0.0 };
                if server.workers == 0 || rate <= 0.0 || errors >= 1.0 {
                    return 0.0;
                }
                // A demand without a mean says nothing of what can be done.
                if !own_s.is_finite() {
                    return f64::INFINITY;
                }
                let most = 1.0 / (own_s / rate + hold_s / f64::from(server.workers));
                let fastest = own_s / (server.speed * server.warmth) + hold_s + service.travel_s[1];
                let connections = server.max_connections.map_or(f64::INFINITY, |limit| {
                    f64::from(limit) * f64::from(server.open_at.max(1)) / fastest
                });
                // A worker that waits for a call leaves its core to others.
                let cores = allowed / own_s;
                most.min(cores).min(connections) * (1.0 - errors)
            };
            let now = |s: &ServerStanding| {
                capacity(s, s.best_rate, s.speed * s.warmth * cores.left(id, s))
            };
            let servers: Vec<ServerFacts> = (standing.into_iter())
                .map(|s| self.facts_of(s, now(&s), &totals[s.id.position()]))
                .collect();
            let serving = || servers.iter().filter(|s| s.serves() && !s.standing.standby);
            let workers_hz: f64 = serving().map(|s| s.capacity_hz).sum();
            let unlimited: f64 = serving()
                .map(|s| {
                    if s.standing.max_connections.is_none() {
                        return s.capacity_hz;
                    }
                    let free = ServerStanding {
                        max_connections: None,
                        ..s.standing
                    };
                    now(&free)
                })
                .sum();
            let uncrowded: f64 = serving()
                .map(|s| capacity(&s.standing, s.standing.best_rate, f64::INFINITY))
                .sum();
            // Of workers that break and come back, how many there are at this moment is chance.
            let breaks = serving().any(|s| s.standing.availability < 1.0);
            let on_average_hz = breaks.then(|| {
                let servers = serving().map(|s| {
                    let unbroken = ServerStanding {
                        workers: s.standing.workers + s.standing.broken,
                        best_rate: s.standing.unbroken_rate,
                        ..s.standing
                    };
                    let free = ServerStanding {
                        max_connections: None,
                        ..unbroken
                    };
                    (now(&free) * s.standing.availability).min(now(&unbroken))
                });
                servers.sum::<f64>()
            });
            let up = f64::from(service.instances_up);
            let held = service.max_connections.map_or(f64::INFINITY, |limit| {
                up * f64::from(limit) / alone_s[position].max(1e-9)
            });
            let cost = if service.cost_s > 0.0 {
                up / service.cost_s
            } else {
                f64::INFINITY
            };
            let limits = [
                (Limit::BalancerConnections, held),
                (Limit::BalancerCost, cost),
            ];
            let too_few = on_average_hz.filter(|&hz| hz < asked.hz[position]);
            let (workers_limit, workers_hz) = if let Some(on_average_hz) = too_few {
                (Limit::Breakdowns, on_average_hz)
            } else if workers_hz < 0.999 * unlimited {
                (Limit::ServerConnections, workers_hz)
            } else if workers_hz < 0.999 * uncrowded {
                (Limit::Cores, workers_hz)
            } else {
                (Limit::Workers, workers_hz)
            };
            let (limit, capacity_hz) = limits.into_iter().fold(
                (workers_limit, if up > 0.0 { workers_hz } else { 0.0 }),
                |least, next| if next.1 < least.1 { next } else { least },
            );
            let warm_hz: f64 = serving()
                .map(|s| {
                    let warm = s.standing.best_rate / s.standing.warmth;
                    let allowed = s.standing.speed * cores.left(id, &s.standing);
                    capacity(&s.standing, warm, allowed)
                })
                .sum();
            let whole_hz: f64 = (servers.iter())
                .filter(|s| s.standing.state != MachineState::Absent || s.since_s.is_some())
                .filter(|s| !s.is_drained())
                .map(|s| {
                    let whole = ServerStanding {
                        warmth: 1.0,
                        error_rate: 0.0,
                        max_connections: None,
                        ..s.standing
                    };
                    let slowed = s.standing.slowed_to * s.standing.warmth;
                    let speed = s.standing.speed / s.standing.slowed_to.max(1e-12);
                    let allowed = speed * cores_of_all.left(id, &s.standing);
                    let rate = s.standing.best_rate / slowed.max(1e-12);
                    capacity(&whole, rate, allowed)
                })
                .sum();
            let busy: Vec<f64> = serving()
                .map(|s| s.busy * f64::from(s.standing.workers))
                .collect();
            let workers: f64 = serving().map(|s| f64::from(s.standing.workers)).sum();
            let instances = instances_now
                .iter()
                .filter(|i| usize::from(i.service) == position);
            let balancer_down_s = (service.instances_up == 0).then(|| {
                let down = instances
                    .clone()
                    .filter_map(|i| self.told.down_since(&i.name));
                down.fold(0.0, f64::max)
            });
            self.services.push(ServiceFacts {
                id,
                name: self.model.services[position].name.clone(),
                asked_hz: asked.hz[position],
                demand_s: own_s,
                users: asked.users[position],
                asked_openly: asked.open[position],
                capacity_hz,
                whole_hz,
                warm_hz,
                limit,
                machines,
                attempts_hz: seen.attempts as f64 / self.window_s * kept(simulation, id, window),
                attempted: seen.attempts,
                outcomes: seen.outcomes,
                held: if hold_s > 0.0 && hold_s.is_finite() && own_s.is_finite() {
                    hold_s / (hold_s + own_s)
                } else {
                    0.0
                },
                busy: if workers > 0.0 {
                    busy.iter().sum::<f64>() / workers
                } else {
                    0.0
                },
                queue_len: [window.start.saturating_sub(1), window.end - 1]
                    .map(|i| u64::from(history.service(i, position).queue_len)),
                waiting: instances.map(|i| u64::from(i.waiting)).sum(),
                servers,
                balancer_down_s,
                entry: entries.contains(&id),
                standing: service,
            });
        }
    }

    /// The machines that a service's servers share.
    fn machines(&self, service: ServiceId, standing: &Standing) -> Machines {
        let on = |id: &ServiceId| -> BTreeSet<HostId> {
            let servers = standing.services[id.position()].servers.iter();
            servers.filter_map(|s| s.host).collect()
        };
        let own = on(&service);
        if own.is_empty() {
            return Machines::default();
        }
        let others = (0..standing.services.len()).map(ServiceId::at);
        let others = others.filter(|id| *id != service && !on(id).is_disjoint(&own));
        let name = |id: ServiceId| self.model.services[id.position()].name.clone();
        let hosts = own.iter().map(|host| &standing.hosts[host.position()]);
        Machines {
            names: hosts.clone().map(|host| host.name.clone()).collect(),
            cores: hosts.map(|host| host.cores).sum(),
            others: others.map(name).collect(),
            hosts: own,
        }
    }

    fn facts_of(
        &self,
        standing: ServerStanding,
        capacity_hz: f64,
        seen: &ServerTotal,
    ) -> ServerFacts<'a> {
        let since = |kinds: &[Kind]| {
            let of = kinds
                .iter()
                .filter_map(|kind| self.told.since_of(*kind, standing.id));
            of.max_by(f64::total_cmp)
        };
        let since_s = match standing.state {
            MachineState::Down | MachineState::Booting => Some(standing.since_ns as f64 / 1e9),
            MachineState::Absent => since(&[Kind::Removed]),
            MachineState::Up if standing.drained => since(&[Kind::Drain, Kind::Removed]),
            MachineState::Up if standing.open_at == 0 => since(&[Kind::Ejected]),
            MachineState::Up if standing.slowed_to < 1.0 => since(&[Kind::Slow]),
            MachineState::Up => None,
        };
        ServerFacts {
            name: &self.model.servers[standing.id.position()].name,
            standing,
            capacity_hz,
            attempts: seen.attempts,
            succeeded: seen.succeeded,
            failed: seen.failed,
            queue_len: seen.queue_len.into(),
            in_system: seen.in_system.into(),
            busy: if seen.workers > 0.0 {
                (seen.busy / seen.workers).min(1.0)
            } else {
                0.0
            },
            since_s,
        }
    }
}
