//! What the time line and people do: actions and changes of settings while time runs.

use super::Simulation;
use super::caller::constant_ns;
use super::event::{Event, Machine};
use super::setup::policy;
use super::source::source_of;
use super::state::{MachineState, Waiting, Watch};
use crate::event_log::Kind;
use crate::model::{
    Action, Actor, Balancer, Change, InstanceSelection, Model, ServerId, ServerParams, Service,
    Target,
};
use std::sync::Arc;

impl Simulation {
    /// An entry of the time line comes due.
    pub(super) fn timeline_entry(&mut self, index: u32) {
        let model = Arc::clone(&self.model);
        let entry = &model.timeline[index as usize];
        self.perform(&entry.action, entry.by, &entry.note);
        self.next_timeline_entry = index + 1;
        self.plan_timeline();
    }

    pub(super) fn plan_timeline(&mut self) {
        if let Some(entry) = self.model.timeline.get(self.next_timeline_entry as usize) {
            self.event_queue.schedule(
                entry.at.0.max(self.now),
                Event::Timeline {
                    index: self.next_timeline_entry,
                },
            );
        }
    }

    /// Performs an action now. Front ends use it for what their user does by hand; `note` goes
    /// into the event log.
    pub fn perform(&mut self, action: &Action, by: Actor, note: &str) {
        match action {
            Action::Note => self.tell(Kind::Note, by, "", note.to_owned()),
            Action::Set { text, changes } => {
                self.tell(Kind::Set, by, text, note.to_owned());
                for change in changes {
                    self.change(change);
                }
            }
            Action::Crash(target) => {
                let cause = if note.is_empty() {
                    "by the time line"
                } else {
                    note
                };
                for machine in self.machines(target) {
                    self.crash(machine, by, cause.to_owned());
                }
            }
            Action::Restart(target) => {
                for machine in self.machines(target) {
                    self.restart_by_hand(machine, by, note);
                }
            }
            Action::Drain(target) => self.rotate(target, true, by, note),
            Action::Undrain(target) => self.rotate(target, false, by, note),
            Action::Add(servers) => {
                for &ServerId(server) in servers {
                    self.add(server, by, note);
                }
            }
            Action::Remove(target) => self.remove(target, by, note),
            Action::Slow {
                target,
                factor,
                lasts,
            } => {
                for machine in self.machines(target) {
                    let Machine::Server(server) = machine else {
                        continue;
                    };
                    self.slow(server, *factor, by, note);
                    if let Some(lasts) = lasts {
                        let generation = self.servers_cold[server as usize].slow_generation;
                        self.event_queue.schedule(
                            self.now.saturating_add(lasts.0),
                            Event::SlowEnds { server, generation },
                        );
                    }
                }
            }
        }
    }

    /// Changes settings by hand: takes over what [`crate::scenario::change`] made of the model, and
    /// its time line, whose later entries know of the change.
    pub fn adopt(&mut self, model: Arc<Model>, text: &str, changes: Vec<Change>, note: &str) {
        self.model = model;
        let action = Action::Set {
            text: text.to_owned(),
            changes,
        };
        self.perform(&action, Actor::People, note);
    }

    fn machines(&self, target: &Target) -> Vec<Machine> {
        match target {
            Target::Servers(servers) => servers.iter().map(|id| Machine::Server(id.0)).collect(),
            Target::Balancer(service) => self.services[service.0 as usize]
                .active
                .iter()
                .map(|&i| Machine::Instance(i))
                .collect(),
        }
    }

    fn rotate(&mut self, target: &Target, out: bool, by: Actor, note: &str) {
        let Target::Servers(servers) = target else {
            return;
        };
        for &ServerId(server) in servers {
            self.servers_cold[server as usize].out_of_rotation = out;
            self.servers_cold[server as usize].leaving &= out;
            let kind = if out { Kind::Drain } else { Kind::Undrain };
            self.tell(
                kind,
                by,
                &self.name_of(Machine::Server(server)),
                note.to_owned(),
            );
            self.refresh_service(self.servers[server as usize].service);
            if !out {
                self.report_if_idle(server);
            }
        }
    }

    fn add(&mut self, server: u32, by: Actor, note: &str) {
        let absent = self.servers[server as usize].state == MachineState::Absent;
        // One that is still on its way out stays.
        if !absent && !self.servers_cold[server as usize].leaving {
            return;
        }
        let cold = &mut self.servers_cold[server as usize];
        cold.out_of_rotation = false;
        cold.leaving = false;
        self.tell(
            Kind::Added,
            by,
            &self.name_of(Machine::Server(server)),
            note.to_owned(),
        );
        if absent {
            self.servers[server as usize].state = MachineState::Up;
            self.servers_cold[server as usize].incarnation.number += 1;
            self.servers_cold[server as usize].incarnation.up_since = self.now;
            self.begin_warm_up(server);
        }
        self.refresh_service(self.servers[server as usize].service);
        self.report_if_idle(server);
    }

    /// Servers leave rotation at once and are gone when they are empty: no work is lost.
    fn remove(&mut self, target: &Target, by: Actor, note: &str) {
        let Target::Servers(servers) = target else {
            return;
        };
        for &ServerId(server) in servers {
            self.servers_cold[server as usize].out_of_rotation = true;
            self.tell(
                Kind::Removed,
                by,
                &self.name_of(Machine::Server(server)),
                note.to_owned(),
            );
            if self.servers[server as usize].state != MachineState::Absent {
                self.servers_cold[server as usize].leaving = true;
                self.servers[server as usize].watched = true;
                self.leave_if_empty(server);
            }
            self.refresh_service(self.servers[server as usize].service);
        }
    }

    /// A removed server is gone as soon as nothing is left in it.
    pub(super) fn leave_if_empty(&mut self, server: u32) {
        let (s, cold) = (
            &mut self.servers[server as usize],
            &mut self.servers_cold[server as usize],
        );
        if !cold.leaving || s.in_system > 0 {
            return;
        }
        cold.leaving = false;
        if s.state != MachineState::Up {
            cold.incarnation.downtime += self.now - cold.incarnation.down_since;
        }
        cold.incarnation.number += 1;
        s.state = MachineState::Absent;
        let service = s.service;
        self.forget_left_behind(server);
        self.refresh_fast_path(service);
    }

    fn slow(&mut self, server: u32, factor: f64, by: Actor, note: &str) {
        let cold = &mut self.servers_cold[server as usize];
        cold.slow = factor;
        cold.slow_generation += 1;
        self.tell(
            Kind::Slow,
            by,
            &self.name_of(Machine::Server(server)),
            if note.is_empty() {
                format!("speed × {factor}")
            } else {
                note.to_owned()
            },
        );
        self.speed_changed(server);
    }

    pub(super) fn slow_ends(&mut self, server: u32, generation: u32) {
        if self.servers_cold[server as usize].slow_generation == generation {
            self.slow(server, 1.0, Actor::System, "at its own speed again");
        }
    }

    /// Replaces a part of the model.
    fn change(&mut self, change: &Change) {
        self.forget_batches();
        match change {
            Change::Server(id, params) => self.change_server(id.0, params),
            Change::Balancer(id, balancer) => self.change_balancer(id.0, balancer),
            Change::Service(id, service) => self.change_service(id.0, service),
            Change::Client(id, client) => self.callers[id.0 as usize].adopt(client),
            Change::Source(id, source) => {
                // Implied calls are what the source's present settings say.
                self.spell_out_all(|attempt| source_of(attempt.number) == id.0 as usize);
                let s = &mut self.sources[id.0 as usize];
                s.mix.clone_from(&source.mix);
                s.keys = source.key.build();
                if s.rate != source.rate {
                    self.rate_changed(id.0, Arc::clone(&source.rate));
                }
            }
            Change::Class(id, class) => self.classes[id.0 as usize] = (**class).clone(),
        }
    }

    fn change_server(&mut self, server: u32, params: &Arc<ServerParams>) {
        let before = std::mem::replace(
            &mut self.servers_cold[server as usize].params,
            Arc::clone(params),
        );
        if before.crash != params.crash {
            // A changed rule begins anew.
            self.servers_cold[server as usize].watch = Watch::new(params.crash.len());
        }
        self.configure_server(server);
        if before.discipline != params.discipline {
            // Ranks are those of the new discipline.
            self.adopt_discipline(server, true);
        }
        let service = self.servers[server as usize].service;
        let local = self.servers[server as usize].local as usize;
        self.services[service as usize].weights[local] = params.weight;
        self.services[service as usize].limited |= params.max_connections.is_some();
        if before.liveness != params.liveness {
            self.start_probers(service);
        }
        self.refresh_service(service);
        // What is down keeps its queue until it is up again.
        if self.servers[server as usize].state.serves() {
            let busy = self.servers[server as usize].busy();
            self.servers[server as usize].advance(self.now);
            self.workers_freed(server, busy);
            self.watch_server(server);
        }
        self.poll_if_asked(server);
    }

    /// Copies a server's properties to where the engine looks.
    pub(super) fn configure_server(&mut self, server: u32) {
        let now = self.now;
        self.configure_breakdowns(server);
        let params = Arc::clone(&self.servers_cold[server as usize].params);
        self.servers_cold[server as usize].patience =
            params.patience.as_ref().map(|d| Arc::from(d.build()));
        self.servers_cold[server as usize].error_demand =
            params.errors.demand.as_ref().map(|d| Arc::from(d.build()));
        let s = &mut self.servers[server as usize];
        s.advance(now);
        // The number of busy workers may change with the number of workers.
        let before = s.busy();
        s.workers = params
            .workers
            .saturating_sub(self.servers_cold[server as usize].broken);
        s.area_busy = s.area_busy.wrapping_add(
            u64::from(before)
                .wrapping_sub(u64::from(s.busy()))
                .wrapping_mul(now),
        );
        s.queue_limit = params.queue_limit;
        let waiting = Waiting::under(&params.discipline.order());
        s.elastic = waiting == Waiting::Shared
            || params.slowdown.contention > 0.0
            || params.slowdown.coherence > 0.0;
        s.watched = !params.crash.is_empty()
            || params.memory.is_some()
            || self.servers_cold[server as usize].leaving;
        self.adopt_discipline(server, false);
        self.servers[server as usize].rate = self.rate_of(server);
    }

    /// Moves the queue over to the discipline of the settings, if it is kept in another way or
    /// its ranks are `stale`.
    ///
    /// Where all share nobody waits: what is down keeps its queue as it is until it is up again.
    pub(super) fn adopt_discipline(&mut self, server: u32, stale: bool) {
        let order = self.servers_cold[server as usize].params.discipline.order();
        let waiting = Waiting::under(&order);
        let s = &self.servers[server as usize];
        let keeps = waiting == Waiting::Shared && !s.state.serves() && s.queue_len > 0;
        if (stale || s.waiting != waiting) && !keeps {
            self.requeue(server, waiting);
        }
    }

    /// Moves waiting requests over to another discipline.
    fn requeue(&mut self, server: u32, waiting: Waiting) {
        let mut moved = Vec::new();
        while let Some(index) = self.dequeue(server) {
            moved.push(self.attempts.handle_at(index));
        }
        // Ranked and last-in orders must see them in the order in which they came.
        moved.sort_by_key(|&handle| (self.attempts[handle].mark, handle));
        self.servers_cold[server as usize].ranked.clear();
        self.servers[server as usize].waiting = waiting;
        for handle in moved {
            if waiting == Waiting::Shared {
                self.begin_service(handle);
            } else {
                self.enqueue(handle);
            }
        }
    }

    fn change_balancer(&mut self, service: u16, balancer: &Balancer) {
        let before = std::mem::replace(&mut self.balancers[service as usize], balancer.clone());
        let idle_lists_lost = before.policy != balancer.policy;
        let first = idle_lists_lost
            .then(|| policy(&self.model, self.replication, service, &balancer.policy));
        self.configure_balancer(service);
        for index in 0..self.instances.len() {
            let instance = &mut self.instances[index];
            if instance.service != service {
                continue;
            }
            instance.watched = balancer.can_crash();
            if before.crash != balancer.crash {
                instance.watch = Watch::new(balancer.crash.len());
            }
            if let Some(first) = &first {
                instance.policy.clone_from(first);
                instance.observes = instance.policy.observes();
            }
            if !instance.pending.is_empty() {
                self.pending_to_drain.push(index as u32);
            }
        }
        for index in 0..self.instances.len() {
            if self.instances[index].service == service && self.instances[index].watched {
                self.watch_instance(index as u32);
            }
        }
        if before.health_check != balancer.health_check {
            self.start_probers(service);
        }
        if idle_lists_lost {
            self.configure_idle(service);
            self.report_all_idle(service);
        }
        self.refresh_service(service);
    }

    /// Copies a balancer's settings to where the engine looks.
    pub(super) fn configure_balancer(&mut self, service: u16) {
        let balancer = &self.balancers[service as usize];
        let s = &mut self.services[service as usize];
        s.down_behaviour = balancer.down_behaviour;
        s.cost = balancer.cost.0;
        s.max_connections = balancer.max_connections.unwrap_or(u32::MAX);
        s.random_selection = balancer.instance_selection == InstanceSelection::Random;
        self.configure_idle(service);
        self.configure_reports(service);
    }

    fn change_service(&mut self, id: u16, service: &Service) {
        let s = &mut self.services[id as usize];
        s.demand = service.demand.build().into();
        s.network = service.network.build().into();
        s.network_ns = constant_ns(&*s.network);
        self.service_calls[id as usize].clone_from(&service.calls);
        self.refresh_fast_path(id);
    }
}
