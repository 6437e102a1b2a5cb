//! What the time line and people do: actions and changes of settings while time runs.

use super::Simulation;
use super::event::{Event, Machine};
use super::fleet::Waiting;
use super::guards::Whose;
use super::machine::already;
use super::residents::Residents;
use super::service::policy;
use super::source::source_of;
use super::timer_fifo::Timer;
use super::watch::Watch;
use crate::event_log::{Kind, nothing_to_do};
use crate::health::OwnHealth;
use crate::ids::{InstanceId, LocalId, ServerId, ServiceId};
use crate::machine::MachineState;
use crate::model::{
    Action, Actor, Balancer, Change, Edit, Model, Part, ServerParams, Service, Target,
};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Simulation {
    /// An entry of the time line comes due.
    pub(super) fn timeline_entry(&mut self, index: u32) {
        let model = Arc::clone(&self.model);
        let entry = &model.timeline[index as usize];
        self.perform(&entry.action, entry.by, &entry.note);
        self.next_entry = index + 1;
        self.plan_timeline();
    }

    pub(super) fn plan_timeline(&mut self) {
        if let Some(entry) = self.model.timeline.get(self.next_entry as usize) {
            self.events
                .schedule(entry.at.0.max(self.now), Event::Timeline(self.next_entry));
        }
    }

    /// Performs an action now. Front ends use it for what their user does by hand; `note` goes
    /// into the event log.
    pub fn perform(&mut self, action: &Action, by: Actor, note: &str) {
        self.together(|simulation| simulation.act(action, by, note));
    }

    /// Does something that concerns several machines at once.
    pub(super) fn together(&mut self, act: impl FnOnce(&mut Self)) {
        self.residents.together = true;
        act(self);
        self.residents = Residents::default();
        self.pools.no_longer_together();
    }

    fn act(&mut self, action: &Action, by: Actor, note: &str) {
        match action {
            Action::Note => self.tell(Kind::Note, by, "", note.to_owned()),
            Action::Set {
                text,
                changes,
                edits,
            } => {
                self.tell(Kind::Set, by, text, note.to_owned());
                for change in changes {
                    let edit = Edit::among(edits, change.part());
                    let change = self.reconciled(change, edit);
                    self.change(&change);
                }
                // What it names and is so already, as far as the time line knows.
                let known: BTreeSet<Part> = changes.iter().map(Change::part).collect();
                for edit in edits.iter().filter(|edit| !known.contains(&edit.part())) {
                    self.set_whatever_it_is(edit);
                }
                self.start_changed_probers();
            }
            Action::Crash(target) => {
                let cause = if note.is_empty() {
                    "by the time line"
                } else {
                    note
                };
                let machines = self.machines(target);
                self.each("crash", machines, by, note, |simulation, machine| {
                    let state = simulation.state_of(machine);
                    simulation.crash(machine, by, cause.to_owned());
                    (!state.serves()).then(|| already(state))
                });
            }
            Action::Restart { target, only_down } => {
                let machines = self.to_be_restarted(target);
                self.each("restart", machines, by, note, |simulation, machine| {
                    simulation.restart_by_hand(machine, *only_down, by, note)
                });
            }
            Action::Deploy(plan) => self.deploy(plan, by, note),
            Action::Failover(service) => self.fail_over(*service, by, note),
            Action::Drain(target) => {
                self.each_server("drain", target, by, note, |s, id| s.drain(id, by, note));
            }
            Action::Undrain(target) => {
                self.each_server("undrain", target, by, note, |s, id| s.undrain(id, by, note));
            }
            Action::Add(servers) => {
                let target = Target::Servers(servers.clone());
                self.each_server("add", &target, by, note, |s, id| s.add(id, by, note));
            }
            Action::Remove(target) => {
                self.each_server("remove", target, by, note, |s, id| s.remove(id, by, note));
            }
            Action::Fault { of, fault, course } => self.afflict(of, fault, course, by, note),
            Action::Flush(target) => {
                self.each_server("flush", target, by, note, |s, id| s.flush(id, by, note));
            }
            Action::Heal(of) => self.heal(of, by, note),
        }
    }

    /// Changes settings by hand: takes over what [`crate::scenario::change`] made of the model, and
    /// its time line, whose later entries know of the change.
    pub fn adopt(&mut self, model: Arc<Model>, set: &Action, note: &str) {
        self.model = model;
        self.perform(set, Actor::People, note);
    }

    /// The machines that a target names; of a balancer those that callers know.
    fn machines(&self, target: &Target) -> Vec<Machine> {
        match target {
            Target::Servers(servers) => servers.iter().map(|id| Machine::Server(*id)).collect(),
            Target::Balancer(service) => {
                let active = self.services[*service].active.iter();
                active.map(|&i| Machine::Instance(i)).collect()
            }
            Target::Instance(service, number) => {
                let instance = self.balancers.of(*service).nth(*number as usize);
                // A spare that stands by is no part of what people mean.
                let instance =
                    instance.filter(|&i| self.balancers[i].state != MachineState::Absent);
                instance.map(Machine::Instance).into_iter().collect()
            }
        }
    }

    /// The same for a restart, which also concerns an instance whose place a spare has taken.
    fn to_be_restarted(&self, target: &Target) -> Vec<Machine> {
        let Target::Balancer(service) = target else {
            return self.machines(target);
        };
        let instances = self.balancers.of(*service);
        let there = |&i: &InstanceId| self.balancers[i].state != MachineState::Absent;
        instances.filter(there).map(Machine::Instance).collect()
    }

    /// Does something to each machine, and tells of those where there was nothing to do: `act` says
    /// what such a one is already.
    fn each(
        &mut self,
        verb: &str,
        machines: Vec<Machine>,
        by: Actor,
        note: &str,
        act: impl Fn(&mut Self, Machine) -> Option<&'static str>,
    ) {
        let mut idle = Vec::new();
        for machine in machines {
            if let Some(reason) = act(self, machine) {
                idle.push((self.name_of(machine), reason));
            }
        }
        self.tell_nothing_done(verb, &idle, by, note);
    }

    /// The same where only servers can be meant.
    fn each_server(
        &mut self,
        verb: &str,
        target: &Target,
        by: Actor,
        note: &str,
        act: impl Fn(&mut Self, ServerId) -> Option<&'static str>,
    ) {
        let act = |simulation: &mut Self, machine| match machine {
            Machine::Server(server) => act(simulation, server),
            Machine::Instance(_) => None,
        };
        self.each(verb, self.machines(target), by, note, act);
    }

    /// An action that found nothing to do is no mistake, but nobody shall wonder what became of it.
    pub(super) fn tell_nothing_done(
        &mut self,
        verb: &str,
        idle: &[(String, &'static str)],
        by: Actor,
        note: &str,
    ) {
        if idle.is_empty() {
            return;
        }
        let mut words = nothing_to_do(verb, idle);
        if !note.is_empty() {
            words = format!("{note} ({words})");
        }
        self.tell(Kind::Note, by, "", words);
    }

    fn drain(&mut self, server: ServerId, by: Actor, note: &str) -> Option<&'static str> {
        if self.fleet[server].state == MachineState::Absent {
            return Some("not there");
        }
        if self.fleet.cold[server].out_of_rotation {
            return Some("out of rotation");
        }
        self.fleet.cold[server].out_of_rotation = true;
        self.tell_of(Machine::Server(server), Kind::Drain, by, note.to_owned());
        self.refresh_server(server);
        None
    }

    fn undrain(&mut self, server: ServerId, by: Actor, note: &str) -> Option<&'static str> {
        if self.fleet[server].state == MachineState::Absent {
            return Some("not there");
        }
        if !self.fleet.cold[server].out_of_rotation {
            return Some("in rotation");
        }
        self.fleet.cold[server].out_of_rotation = false;
        self.fleet.cold[server].leaving = false;
        self.tell_of(Machine::Server(server), Kind::Undrain, by, note.to_owned());
        self.refresh_server(server);
        self.report_if_idle(server);
        None
    }

    pub(super) fn add(&mut self, server: ServerId, by: Actor, note: &str) -> Option<&'static str> {
        let absent = self.fleet[server].state == MachineState::Absent;
        // One that is still on its way out stays.
        if !absent && !self.fleet.cold[server].leaving {
            return Some("there");
        }
        let cold = &mut self.fleet.cold[server];
        cold.out_of_rotation = false;
        cold.leaving = false;
        if absent {
            cold.added_at = Some(self.now);
        }
        self.tell_of(Machine::Server(server), Kind::Added, by, note.to_owned());
        if absent {
            self.staff_changes(server);
            self.first_boot(server);
        }
        self.refresh_server(server);
        self.report_if_idle(server);
        None
    }

    /// A server that was not there starts; it joins rotation when it is up.
    fn first_boot(&mut self, server: ServerId) {
        let now = self.now;
        let cold = &mut self.fleet.cold[server];
        cold.incarnation.number += 1;
        let number = cold.incarnation.number;
        let boot = self.boot_time(Machine::Server(server), number);
        if boot.is_zero() {
            self.fleet[server].state = MachineState::Up;
            self.fleet.cold[server].incarnation.up_since = now;
            self.connections_begin(server);
            return self.begin_warm_up(server);
        }
        self.fleet[server].state = MachineState::Booting;
        let cold = &mut self.fleet.cold[server];
        cold.joining = true;
        cold.incarnation.down_since = now;
        self.after(boot.0, Event::Up(Machine::Server(server), number));
    }

    /// A server leaves rotation at once and is gone when it is empty: no work is lost.
    pub(super) fn remove(
        &mut self,
        server: ServerId,
        by: Actor,
        note: &str,
    ) -> Option<&'static str> {
        if self.fleet[server].state == MachineState::Absent {
            return Some("not there");
        }
        if self.fleet.cold[server].leaving {
            return Some("being removed");
        }
        self.fleet.cold[server].out_of_rotation = true;
        self.tell_of(Machine::Server(server), Kind::Removed, by, note.to_owned());
        self.fleet.cold[server].leaving = true;
        self.heed_server(server);
        self.connections_leave(server);
        self.leave_if_empty(server);
        self.refresh_server(server);
        None
    }

    /// A removed server is gone as soon as nothing is left in it.
    pub(super) fn leave_if_empty(&mut self, server: ServerId) {
        if !self.fleet.cold[server].leaving || self.fleet[server].in_system > 0 {
            return;
        }
        self.staff_changes(server);
        let (s, cold) = (
            &mut self.fleet.servers[server],
            &mut self.fleet.cold[server],
        );
        cold.leaving = false;
        cold.joining = false;
        if s.state != MachineState::Up {
            cold.incarnation.downtime += self.now - cold.incarnation.down_since;
        }
        cold.incarnation.number += 1;
        s.state = MachineState::Absent;
        self.forget_left_behind(server);
        self.server_disconnects(server);
        self.refresh_fast_server(server);
    }

    /// Replaces a part of the model.
    pub(super) fn change(&mut self, change: &Change) {
        self.forget_batches();
        // What routes take is asked of other servers.
        let asks_other = match change {
            Change::Service(..) | Change::Class(..) => true,
            Change::Balancer(id, _) => self.services[*id].has_routes,
            _ => false,
        };
        if asks_other {
            self.demand_changes();
        }
        match change {
            Change::Server(id, params) => self.change_server(*id, params),
            Change::Balancer(id, balancer) => self.change_balancer(*id, balancer),
            Change::Service(id, service) => self.change_service(*id, service),
            Change::Client(id, client) => {
                // The deadlines of elided calls are those of the caller's present settings.
                self.spell_out_all(|_| true);
                self.events.forget_timers(Timer::ElidedDeadline(*id));
                self.events.forget_timers(Timer::ElidedCopy(*id));
                self.callers[*id].adopt(client);
                self.change_guards(Whose::Caller(*id), &client.guards);
                self.watch_copies(client);
                self.refresh_fast_services();
            }
            Change::Source(id, source) => {
                // Elided calls are what the source's present settings say.
                self.spell_out_all(|attempt| source_of(attempt.number) == *id);
                let s = &mut self.sources[*id];
                s.mix.clone_from(&source.mix);
                s.keys = source.key.build();
                if s.rate != source.rate {
                    self.rate_changed(*id, source.rate.clone());
                }
            }
            Change::Host(id, host) => self.change_host(*id, host),
            Change::Class(id, class) => {
                self.classes[*id] = (**class).clone();
                self.own_demands[*id] = super::service::own_demand(class);
            }
        }
    }

    pub(super) fn change_server(&mut self, server: ServerId, params: &Arc<ServerParams>) {
        self.staff_changes(server);
        if self.fleet.cold[server].params.patience != params.patience {
            // Whoever waits is as patient as when it began to.
            self.spell_out_server(server);
        }
        let before = std::mem::replace(&mut self.fleet.cold[server].params, Arc::clone(params));
        if before.crash != params.crash {
            // A changed rule begins anew.
            self.fleet.cold[server].watch = Watch::new(params.crash.len());
        }
        if before.link != params.link {
            self.refresh_server_link(server);
        }
        self.configure_server(server);
        if before.discipline != params.discipline {
            // Ranks are those of the new discipline.
            self.adopt_discipline(server, true);
        }
        let service = self.fleet[server].service;
        let local = self.fleet[server].local;
        self.services[service].adopt_server(local, params);
        if before.liveness != params.liveness || before.health != params.health {
            self.renew_probers(service);
        }
        if before.max_pending != params.max_pending {
            self.configure_lines(service);
        }
        if before.health != params.health {
            self.change_own_health(service, local, &params.health);
        }
        self.change_guards(Whose::Server(server), &params.guards);
        self.refresh_server(server);
        // What is down keeps its queue until it is up again.
        if self.fleet[server].state.serves() {
            let busy = self.fleet[server].busy();
            self.fleet[server].advance(self.now);
            self.workers_freed(server, busy);
            self.watch_server(server);
        }
        self.poll_if_asked(server);
    }

    /// Copies a server's properties to where the engine looks.
    pub(super) fn configure_server(&mut self, server: ServerId) {
        let now = self.now;
        self.configure_breakdowns(server);
        let cold = &mut self.fleet.cold[server];
        cold.adopt_errors();
        let params = &cold.params;
        let patience = params.patience.as_ref().map(|d| d.build().into());
        let (is, was) = (patience.is_some(), cold.patience.is_some());
        let patient = &mut self.services[self.fleet.servers[server].service].patient;
        *patient = *patient + u32::from(is) - u32::from(was);
        cold.patience = patience;
        cold.error_demand = params.errors.demand.as_ref().map(|d| d.build().into());
        let s = &mut self.fleet.servers[server];
        s.advance(now);
        // The number of busy workers may change with the number of workers.
        let before = s.busy();
        s.workers = params.workers.saturating_sub(cold.broken);
        s.busy_changed(before, now);
        s.queue_limit = params.queue_limit;
        s.elastic = Waiting::under(&params.discipline.order()) == Waiting::Shared
            || params.slowdown.contention > 0.0
            || params.slowdown.coherence > 0.0
            || params.host.is_some();
        self.heed_server(server);
        self.adopt_discipline(server, false);
        self.fleet[server].rate = self.fleet.rate_of(server);
        self.tell_of_pace(server);
    }

    /// Moves the queue over to the discipline of the settings, if it is kept in another way or
    /// its ranks are `stale`.
    ///
    /// Where all share nobody waits: what is down keeps its queue as it is until it is up again.
    pub(super) fn adopt_discipline(&mut self, server: ServerId, stale: bool) {
        let order = self.fleet.cold[server].params.discipline.order();
        let waiting = Waiting::under(&order);
        let s = &self.fleet[server];
        let keeps = waiting == Waiting::Shared && !s.state.serves() && s.queue_len > 0;
        if (stale || s.waiting != waiting) && !keeps {
            self.requeue(server, waiting);
        }
    }

    /// Moves waiting requests over to another discipline.
    fn requeue(&mut self, server: ServerId, waiting: Waiting) {
        let mut moved = Vec::new();
        while let Some(index) = self.dequeue(server) {
            moved.push(self.attempts.handle_at(index));
        }
        // Ranked and last-in orders must see them in the order in which they came.
        moved.sort_by_key(|&handle| (self.attempts[handle].mark, handle));
        self.fleet.cold[server].ranked.clear();
        self.fleet[server].waiting = waiting;
        for handle in moved {
            if waiting == Waiting::Shared {
                self.begin_service(handle);
            } else {
                self.enqueue(handle);
            }
        }
        self.refresh_fast_server(server);
    }

    /// What health rules do about a server differs from before.
    fn change_own_health(&mut self, service: ServiceId, server: LocalId, own: &OwnHealth) {
        let max_fails = own.integer("max_fails");
        for index in self.balancers.of(service) {
            let rows = &self.services[service].settings.balancer.health;
            let instance = &mut self.balancers[index];
            instance.health.adopt_server(rows, server, own);
            instance.adopt_max_fails(server, max_fails);
        }
    }

    fn change_balancer(&mut self, service: ServiceId, balancer: &Balancer) {
        let s = &mut self.services[service];
        let before = std::mem::replace(&mut s.settings.balancer, balancer.clone());
        let idle_lists_lost = before.policy != balancer.policy;
        let first = idle_lists_lost
            .then(|| policy(&self.model, self.replication, service, &balancer.policy));
        self.configure_balancer(service);
        for index in self.balancers.of(service) {
            let instance = &mut self.balancers[index];
            if before.health != balancer.health {
                let servers = instance.in_flight.len();
                let all = self.services[service].servers.enumerate();
                let own = all.map(|(local, id)| (local, &self.fleet.cold[*id].params.health));
                instance.health.adopt(&balancer.health, servers, own);
            }
            if before.crash != balancer.crash {
                instance.watch = Watch::new(balancer.crash.len());
            }
            if let Some(first) = &first {
                instance.adopt_policy(&**first);
            }
            instance.pending.all_freed = true;
            if !instance.pending.is_empty() {
                self.balancers.to_drain.push(index);
            }
        }
        for index in self.balancers.of(service) {
            self.heed_instance(index);
            self.watch_instance(index);
        }
        self.change_guards(Whose::Balancer(service), &balancer.guards);
        if before.checks() != balancer.checks() {
            self.start_probers(service);
        }
        if before.health != balancer.health {
            self.plan_connections(service);
        }
        if idle_lists_lost {
            self.configure_idle(service);
            self.report_all_idle(service);
        }
        if before.link != balancer.link || before.routes != balancer.routes {
            self.refresh_links(service);
        }
        self.refresh_service(service);
    }

    /// Copies how many may wait for each server alone to where the engine looks.
    fn configure_lines(&mut self, service: ServiceId) {
        let servers = self.services[service].servers.iter();
        let max_pending = |id: &ServerId| self.fleet.cold[*id].params.max_pending;
        let own: Vec<Option<u32>> = servers.map(max_pending).collect();
        self.services[service].adopt_bound_limits(&own);
    }

    /// Copies a balancer's settings to where the engine looks.
    pub(super) fn configure_balancer(&mut self, service: ServiceId) {
        self.services[service].adopt_balancer();
        self.configure_lines(service);
        self.configure_idle(service);
        self.configure_reports(service);
    }

    fn change_service(&mut self, id: ServiceId, service: &Service) {
        self.services[id].adopt(service);
        self.configure_scaler(id);
        self.refresh_links(id);
        self.refresh_fast_path(id);
    }
}
