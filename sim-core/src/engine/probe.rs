//! Probes: health checks of balancer instances, and liveness.
//!
//! A probe is an attempt without a caller. It waits in the server's queue like anyone, so a server
//! that is merely busy fails its probes too.

use super::Simulation;
use super::event::{Event, Machine};
use super::slab::Handle;
use super::state::{Attempt, MachineState, NIL, Place, ProbeSettings, Prober, Purpose};
use crate::event_log::Kind;
use crate::model::{Actor, DownBehaviour};
use crate::time::Duration;
use std::collections::BTreeMap;

impl Simulation {
    /// Sets up the probers that the present settings ask for; those before are void.
    pub(super) fn start_probers(&mut self, service: u16) {
        self.probe_generation += 1;
        let generation = self.probe_generation;
        let of_service = |p: &Prober, s: &Self| s.servers[p.server as usize].service == service;
        let kept: Vec<Prober> = self
            .probers
            .iter()
            .map(|p| {
                if of_service(p, self) {
                    Prober {
                        generation: 0,
                        ..p.clone()
                    }
                } else {
                    p.clone()
                }
            })
            .collect();
        self.probers = kept;
        self.health[service as usize] = self.balancers[service as usize]
            .health_check
            .as_ref()
            .map(ProbeSettings::of_health);
        let void: BTreeMap<(u32, u32), usize> = self
            .probers
            .iter()
            .enumerate()
            .filter(|(_, p)| p.generation == 0)
            .map(|(i, p)| ((p.instance, p.server), i))
            .collect();
        let servers = self.services[service as usize].servers.clone();
        let instances: Vec<u32> = (0..self.instances.len() as u32)
            .filter(|&i| self.instances[i as usize].service == service)
            .collect();
        for (position, &server) in servers.iter().enumerate() {
            if let Some(check) = &self.health[service as usize] {
                let interval = check.interval;
                for &instance in &instances {
                    // InstanceSelection over the interval, as real balancers do, so that probes do not come in bursts.
                    let offset =
                        (u128::from(interval) * position as u128 / servers.len() as u128) as u64;
                    self.add_prober(
                        Prober {
                            instance,
                            server,
                            generation,
                            row: 0,
                            probes: 0,
                        },
                        offset,
                        &void,
                    );
                }
            }
            let liveness = self.servers_cold[server as usize]
                .params
                .liveness
                .as_ref()
                .map(ProbeSettings::of_liveness);
            if let Some(settings) = &liveness {
                self.add_prober(
                    Prober {
                        instance: NIL,
                        server,
                        generation,
                        row: 0,
                        probes: 0,
                    },
                    settings.interval,
                    &void,
                );
            }
            self.liveness[server as usize] = liveness;
        }
        if self.health[service as usize].is_none() {
            for &instance in &instances {
                self.instances[instance as usize].healthy.fill(true);
                self.refresh_eligible(instance);
            }
        }
    }

    /// Adds a prober, in the place of its void predecessor if it had one: what it saw goes on.
    fn add_prober(&mut self, prober: Prober, offset: u64, void: &BTreeMap<(u32, u32), usize>) {
        let generation = prober.generation;
        let index = if let Some(&index) = void.get(&(prober.instance, prober.server)) {
            let Prober { row, probes, .. } = self.probers[index];
            self.probers[index] = Prober {
                row,
                probes,
                ..prober
            };
            index
        } else {
            self.probers.push(prober);
            self.probers.len() - 1
        };
        self.event_queue.schedule(
            self.now.saturating_add(offset),
            Event::Probe {
                prober: index as u32,
                generation,
            },
        );
    }

    fn settings(&self, prober: &Prober) -> Option<&ProbeSettings> {
        if prober.instance == NIL {
            self.liveness[prober.server as usize].as_ref()
        } else {
            self.health[self.servers[prober.server as usize].service as usize].as_ref()
        }
    }

    /// A probe starts, and the next is planned.
    pub(super) fn probe(&mut self, index: u32, generation: u32) {
        let prober = self.probers[index as usize].clone();
        if prober.generation != generation {
            return;
        }
        let Some(settings) = self.settings(&prober) else {
            return;
        };
        let (interval, timeout, connect) = (settings.interval, settings.timeout, settings.connect);
        let mut draws = self.probe_stream.at(u64::from(index) << 32 | prober.probes);
        let demand = Duration::from_nanos_f64(settings.demand.sample_ns(&mut draws)).0;
        self.probers[index as usize].probes += 1;
        self.event_queue.schedule(
            self.now.saturating_add(interval),
            Event::Probe {
                prober: index,
                generation,
            },
        );
        let asleep = prober.instance != NIL
            && self.instances[prober.instance as usize].state == MachineState::Down;
        let server_state = self.servers[prober.server as usize].state;
        // A liveness probe is the server's own keeper: it rests while the server is down.
        let pointless = server_state == MachineState::Absent
            || (prober.instance == NIL && !server_state.serves());
        if asleep || pointless {
            return;
        }
        if connect && server_state.serves() {
            return self.probe_result(index, true);
        }
        let service = self.servers[prober.server as usize].service;
        let mut attempt = Attempt::new(u64::from(index), service, 0, self.now);
        attempt.demand_ns = demand;
        attempt.server = prober.server;
        attempt.purpose = Purpose::Probe;
        let handle = self.attempts.insert(attempt);
        if server_state.serves()
            || self.servers_cold[prober.server as usize]
                .params
                .down_behaviour
                == DownBehaviour::BlackHole
        {
            self.event_queue.schedule(
                self.now.saturating_add(timeout),
                Event::ProbeTimeout(handle),
            );
        }
        self.at_server(handle, prober.server);
    }

    /// A probe has waited long enough: it failed, and its place in the server is given up.
    pub(super) fn probe_timeout(&mut self, handle: Handle) {
        let Attempt { place, server, .. } = self.attempts[handle];
        let prober = self.attempts[handle].number as u32;
        match place {
            Place::Queued | Place::Interrupted => {
                self.unqueue(handle);
                self.leave_server(server);
            }
            Place::InService => {
                self.interrupt(handle);
                self.leave_server(server);
            }
            _ => {}
        }
        self.attempts.remove(handle);
        if self.servers[server as usize].watched {
            self.watch_server(server);
        }
        self.probe_result(prober, false);
    }

    /// A probe was answered or turned away.
    pub(super) fn probe_ended(&mut self, handle: Handle, passed: bool) {
        let prober = self.attempts[handle].number as u32;
        self.attempts.remove(handle);
        self.probe_result(prober, passed);
    }

    fn probe_result(&mut self, index: u32, passed: bool) {
        let prober = &mut self.probers[index as usize];
        if prober.generation == 0 {
            return;
        }
        prober.row = match (passed, prober.row) {
            (true, row) if row > 0 => row + 1,
            (true, _) => 1,
            (false, row) if row < 0 => row - 1,
            (false, _) => -1,
        };
        let (instance, server, row) = (prober.instance, prober.server, prober.row);
        if instance == NIL {
            self.judge_liveness(index, server, row);
        } else {
            self.judge_health(instance, server, row);
        }
    }

    fn judge_liveness(&mut self, index: u32, server: u32, row: i64) {
        let Some(liveness) = &self.servers_cold[server as usize].params.liveness else {
            return;
        };
        if -row >= i64::from(liveness.fall) {
            let cause = format!("killed by its liveness probe after {} failures", -row);
            self.probers[index as usize].row = 0;
            self.crash(Machine::Server(server), Actor::System, cause);
        }
    }

    fn judge_health(&mut self, instance: u32, server: u32, row: i64) {
        let service = self.servers[server as usize].service;
        let Some(check) = &self.balancers[service as usize].health_check else {
            return;
        };
        let local = self.servers[server as usize].local as usize;
        let was = self.instances[instance as usize].healthy[local];
        let (now_healthy, kind, cause) = if was && -row >= i64::from(check.fall) {
            (false, Kind::Ejected, format!("{} probes failed", -row))
        } else if !was && row >= i64::from(check.rise) {
            (true, Kind::Readmitted, format!("{row} probes passed"))
        } else {
            return;
        };
        self.instances[instance as usize].healthy[local] = now_healthy;
        self.refresh_eligible(instance);
        let several = self.services[service as usize].active.len() > 1;
        let cause = if several {
            format!("by {}: {cause}", self.instances[instance as usize].name)
        } else {
            cause
        };
        self.tell(
            kind,
            Actor::System,
            &self.name_of(Machine::Server(server)),
            cause,
        );
    }
}
