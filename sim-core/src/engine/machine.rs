//! Machines that crash and come back: servers and balancer instances alike.

use super::Simulation;
use super::attempt::{Place, Purpose};
use super::event::{Event, Machine};
use super::incarnation::Incarnation;
use super::slab::Handle;
use crate::event_log::Kind;
use crate::ids::{Id, InstanceId, ServerId, ServiceId};
use crate::machine::MachineState;
use crate::model::{Actor, Balancer};
use crate::outcome::Outcome;
use crate::restart::Restart;
use crate::time::Duration;

/// Steps in which a warming server gets faster.
const WARM_STEPS: u64 = 100;

impl Simulation {
    pub(super) fn incarnation(&mut self, machine: Machine) -> &mut Incarnation {
        match machine {
            Machine::Server(i) => &mut self.fleet.cold[i].incarnation,
            Machine::Instance(i) => &mut self.balancers[i].incarnation,
        }
    }

    pub(super) fn state_of(&self, machine: Machine) -> MachineState {
        match machine {
            Machine::Server(i) => self.fleet[i].state,
            Machine::Instance(i) => self.balancers[i].state,
        }
    }

    fn set_state(&mut self, machine: Machine, state: MachineState) {
        match machine {
            Machine::Server(i) => {
                self.fleet[i].state = state;
                self.refresh_fast_server(i);
            }
            Machine::Instance(i) => {
                self.balancers[i].state = state;
                self.refresh_fast_service(self.balancers[i].service);
            }
        }
    }

    pub(super) fn name_of(&self, machine: Machine) -> String {
        match machine {
            Machine::Server(i) => self.model.servers[i.position()].name.clone(),
            Machine::Instance(i) => self.balancers[i].name.clone(),
        }
    }

    /// Something worth telling happens to a machine now.
    pub(super) fn tell_of(&mut self, machine: Machine, kind: Kind, by: Actor, cause: String) {
        match machine {
            Machine::Server(server) => self.tell_of_server(kind, by, server, cause),
            Machine::Instance(_) => self.tell(kind, by, &self.name_of(machine), cause),
        }
    }

    /// How a machine restarts.
    fn comeback(&self, machine: Machine) -> Restart {
        match machine {
            Machine::Server(i) => self.fleet.cold[i].params.restart.build(),
            Machine::Instance(i) => self.balancer_of(i).restart.build(),
        }
    }

    /// The settings of an instance's balancer.
    fn balancer_of(&self, instance: InstanceId) -> &Balancer {
        &self.services[self.balancers[instance].service]
            .settings
            .balancer
    }

    /// How long a machine boots in this incarnation.
    pub(super) fn boot_time(&self, machine: Machine, incarnation: u32) -> Duration {
        let (boot, number) = match machine {
            Machine::Server(i) => (&self.fleet.cold[i].params.boot, u64::from(i)),
            Machine::Instance(i) => (&self.balancer_of(i).boot, u64::from(i) | 1 << 32),
        };
        let mut draws = self.streams.boot.at(number | u64::from(incarnation) << 33);
        Duration::from_nanos_f64(boot.build().sample_ns(&mut draws))
    }

    /// Something crashes: what it held is lost, callers learn it at once, it may come back.
    pub(super) fn crash(&mut self, machine: Machine, by: Actor, cause: String) {
        if !self.state_of(machine).serves() {
            return;
        }
        let now = self.now;
        let restart = self.comeback(machine);
        let number = self.go_down(machine);
        let incarnation = self.incarnation(machine);
        if now.saturating_sub(incarnation.up_since) >= restart.reset.0 {
            incarnation.streak = 0;
        }
        incarnation.crashes += 1;
        incarnation.streak += 1;
        incarnation.cause.clone_from(&cause);
        let streak = incarnation.streak;
        self.tell_of(machine, Kind::Crash, by, cause);
        self.reset(machine);
        if let Some(pause) = restart.pause(streak) {
            self.after(pause.0, Event::Restart(machine, number));
        }
    }

    /// A machine that was up no longer is; the number of what it is now.
    fn go_down(&mut self, machine: Machine) -> u32 {
        self.set_state(machine, MachineState::Down);
        let now = self.now;
        let incarnation = self.incarnation(machine);
        incarnation.number += 1;
        incarnation.down_since = now;
        incarnation.number
    }

    /// What a machine that went down held is lost.
    fn reset(&mut self, machine: Machine) {
        match machine {
            Machine::Server(server) => self.reset_server(server),
            Machine::Instance(index) => self.reset_instance(index),
        }
    }

    /// What a crashed or stopped server held is gone.
    fn reset_server(&mut self, server: ServerId) {
        self.clear_watch(Machine::Server(server));
        self.forget_left_behind(server);
        let keep = self.fleet.cold[server].params.crash_keeps_queue;
        let evicted = self.evict(server, keep);
        // None of their calls has anybody to return to, whatever an answer brings about.
        let children: Vec<Vec<Handle>> = evicted
            .iter()
            .map(|&handle| self.calls.detach_children(self.child_of(handle)))
            .collect();
        for (handle, children) in evicted.into_iter().zip(children) {
            self.abandon_all(children);
            // The answer of another may have had this one called off.
            if self.attempts.contains(handle) {
                self.reply(handle, Outcome::Reset);
            }
        }
        self.server_disconnects(server);
        self.connections_break(server);
        self.leave_if_empty(server);
    }

    /// What a crashed or stopped balancer instance held is cut off from its callers; servers go on working.
    fn reset_instance(&mut self, index: InstanceId) {
        self.clear_watch(Machine::Instance(index));
        let held: Vec<Handle> = self
            .attempts
            .iter()
            .filter(|(_, a)| a.instance == index && a.purpose != Purpose::Try)
            .map(|(h, _)| h)
            .collect();
        self.balancers[index].pending.clear();
        // None of their calls has anybody to return to, whatever an answer brings about.
        let routed: Vec<Handle> = (held.iter())
            .flat_map(|&handle| self.detach_route(handle))
            .collect();
        self.cut_off_all(held, index);
        self.abandon_all(routed);
        self.instance_disconnects(index);
        let instance = &mut self.balancers[index];
        // What it had still to do will not be done.
        instance.plan_work(self.now, self.now);
        let service = instance.service;
        if !self.services[service].spares.is_empty() {
            self.plan_takeover(index);
        }
    }

    /// An instance breaks the connections of what it has at a server, which works on for nobody.
    pub(super) fn break_off(&mut self, index: InstanceId, server: ServerId) {
        let held: Vec<Handle> = self
            .attempts
            .iter()
            .filter(|(_, a)| a.instance == index && a.server == server)
            .filter(|(_, a)| a.place.is_at_server() || a.place == Place::ToServer)
            .map(|(h, _)| h)
            .collect();
        self.cut_off_all(held, index);
    }

    fn cut_off_all(&mut self, held: Vec<Handle>, index: InstanceId) {
        for handle in held {
            // The answer of another may have had this one called off.
            if self.attempts.contains(handle) && self.attempts[handle].instance == index {
                self.cut_off(handle);
            }
        }
    }

    /// A spare is to take the place of an instance, unless that comes back before.
    fn plan_takeover(&mut self, instance: InstanceId) {
        let incarnation = self.balancers[instance].incarnation.number;
        let takeover = self.balancer_of(instance).standby.takeover;
        self.after(takeover.0, Event::Takeover(instance, incarnation));
    }

    /// The connection of an attempt breaks at the balancer.
    fn cut_off(&mut self, handle: Handle) {
        let call = self.attempts[handle].call;
        if self.attempts[handle].place == Place::AtBalancer {
            self.balancers[self.attempts[handle].instance].waiting -= 1;
        }
        if self.attempts[handle].place == Place::Unconnected {
            self.leave_line(handle);
        }
        let place = self.attempts[handle].place;
        if !place.is_at_server() && place != Place::ToServer {
            return self.pass_on(handle, Outcome::Reset);
        }
        // The server works on for nobody; a messenger without work carries the news to the caller.
        self.release(handle, Outcome::Reset);
        self.attempts[handle].call = Handle::NONE;
        if place.is_at_server() {
            self.leave_behind(self.attempts[handle].server);
        }
        let mut messenger = self.attempts[handle].clone();
        messenger.call = call;
        messenger.server = ServerId::NONE;
        let (ordinal, key) = {
            let cold = self.attempts.cold(handle);
            (cold.ordinal, cold.key)
        };
        let messenger = self.attempts.insert(messenger);
        self.attempts.set_ordinal(messenger, ordinal);
        self.attempts.cold_mut(messenger).key = key;
        self.guards.begin(messenger);
        self.guards.hand_over(handle, messenger);
        self.pools.begin(messenger);
        self.pools.hand_over(handle, messenger);
        self.calls.replace_attempt(call, handle, messenger);
        self.pass_on(messenger, Outcome::Reset);
    }

    /// A spare takes the place of a crashed instance.
    pub(super) fn take_over(
        &mut self,
        crashed: InstanceId,
        incarnation: u32,
        by: Actor,
        note: &str,
    ) -> bool {
        let service = self.balancers[crashed].service;
        let same_outage = self.balancers[crashed].incarnation.number == incarnation
            && !self.balancers[crashed].state.serves();
        let s = &mut self.services[service];
        // It may have been replaced already: two takeovers can be under way for one outage.
        let place = s.active.iter().position(|place| *place == crashed);
        let Some(place) = place.filter(|_| same_outage && !s.spares.is_empty()) else {
            return false;
        };
        let spare = s.spares.remove(0);
        s.active[place] = spare;
        let instance = &mut self.balancers[spare];
        instance.state = MachineState::Up;
        instance.incarnation.up_since = self.now;
        self.refresh_fast_service(service);
        let mut cause = format!("in place of {}", self.balancers[crashed].name);
        if !note.is_empty() {
            cause = format!("{cause}: {note}");
        }
        self.tell_of(Machine::Instance(spare), Kind::Takeover, by, cause);
        true
    }

    /// People have spares take the places of all instances of a balancer that are down, without waiting for the time
    /// that the system would take.
    pub(super) fn fail_over(&mut self, service: ServiceId, by: Actor, note: &str) {
        let active = self.services[service].active.clone();
        let mut idle = Vec::new();
        for instance in active {
            let incarnation = self.balancers[instance].incarnation.number;
            let state = self.balancers[instance].state;
            if !self.take_over(instance, incarnation, by, note) {
                let reason = if state.serves() {
                    already(state)
                } else {
                    "without a spare"
                };
                idle.push((self.balancers[instance].name.clone(), reason));
            }
        }
        self.tell_nothing_done("fail over", &idle, by, note);
    }

    /// A machine that is down begins to start.
    pub(super) fn restart(&mut self, machine: Machine, incarnation: u32, by: Actor, note: &str) {
        if self.incarnation(machine).number == incarnation
            && self.state_of(machine) == MachineState::Down
        {
            self.tell_of(machine, Kind::Restart, by, note.to_owned());
            self.boot(machine, incarnation);
        }
    }

    /// A machine that is down starts.
    fn boot(&mut self, machine: Machine, incarnation: u32) {
        self.set_state(machine, MachineState::Booting);
        let boot = self.boot_time(machine, incarnation);
        if boot.is_zero() {
            self.up(machine, incarnation);
        } else {
            self.after(boot.0, Event::Up(machine, incarnation));
        }
    }

    /// People restart a machine: what is up is stopped first, unless only what is down is meant. If
    /// there is nothing to do, what it is already.
    pub(super) fn restart_by_hand(
        &mut self,
        machine: Machine,
        only_down: bool,
        by: Actor,
        note: &str,
    ) -> Option<&'static str> {
        let state = self.state_of(machine);
        if matches!(state, MachineState::Booting | MachineState::Absent)
            || (only_down && state == MachineState::Up)
        {
            return Some(already(state));
        }
        if !self.comeback(machine).by_hand {
            let refusal = format!(
                "{} cannot be restarted: restart = \"never\"",
                self.name_of(machine)
            );
            self.tell(Kind::Note, by, "", refusal);
        } else if state == MachineState::Up {
            self.stop_and_start(machine, by, note);
        } else {
            let incarnation = self.incarnation(machine).number;
            self.restart(machine, incarnation, by, note);
        }
        None
    }

    /// A machine is stopped and starts again. Whoever is cut off notices no difference to a crash; nobody
    /// counts it as one.
    fn stop_and_start(&mut self, machine: Machine, by: Actor, note: &str) {
        let number = self.go_down(machine);
        let cause = if note.is_empty() {
            "stopped and started"
        } else {
            note
        };
        self.tell_of(machine, Kind::Restart, by, cause.to_owned());
        self.reset(machine);
        // A server that was on its way out is gone now that nothing is left in it.
        if self.state_of(machine) == MachineState::Down {
            self.boot(machine, number);
        }
    }

    /// A machine serves again.
    pub(super) fn up(&mut self, machine: Machine, incarnation: u32) {
        if self.incarnation(machine).number != incarnation
            || self.state_of(machine) != MachineState::Booting
        {
            return;
        }
        self.set_state(machine, MachineState::Up);
        let now = self.now;
        let record = self.incarnation(machine);
        let downtime = now - record.down_since;
        record.downtime += downtime;
        record.up_since = now;
        self.tell_of(
            machine,
            Kind::Up,
            Actor::System,
            format!("after {}", short(Duration(downtime))),
        );
        match machine {
            Machine::Server(server) => {
                if std::mem::take(&mut self.fleet.cold[server].joining) {
                    self.refresh_server(server);
                }
                self.server_forgets(server);
                self.begin_warm_up(server);
                self.liveness_begins_anew(server);
                self.adopt_discipline(server, false);
                let busy = self.fleet[server].busy();
                self.fleet[server].advance(now);
                self.workers_freed(server, busy);
                self.report_if_idle(server);
                self.watch_server(server);
                self.connections_begin(server);
            }
            Machine::Instance(index) => {
                self.instance_forgets(index);
                self.instance_up(index);
            }
        }
    }

    /// A balancer instance that comes back after a spare has taken its place is a spare itself.
    fn instance_up(&mut self, index: InstanceId) {
        let service = self.balancers[index].service;
        if !self.services[service].active.contains(&index) {
            self.balancers[index].state = MachineState::Absent;
            self.services[service].spares.push(index);
            // Another may have crashed while there was no spare.
            for place in 0..self.services[service].active.len() {
                let other = self.services[service].active[place];
                if !self.balancers[other].state.serves() {
                    self.plan_takeover(other);
                }
            }
        }
        let instance = &mut self.balancers[index];
        instance.attempts_before = instance.attempts;
        instance.health.forget();
        self.refresh_eligible(index);
        self.plan_connections_of(index);
    }

    /// A server that has just started is slow, if it has a warm-up.
    pub(super) fn begin_warm_up(&mut self, server: ServerId) {
        let cold = &mut self.fleet.cold[server];
        let Some(warm_up) = cold.params.warm_up else {
            cold.warmth = 1.0;
            return self.speed_changed(server);
        };
        cold.warmth = warm_up.from;
        let incarnation = cold.incarnation.number;
        self.after(
            (warm_up.over.0 / WARM_STEPS).max(1),
            Event::WarmStep(server, incarnation),
        );
        self.speed_changed(server);
    }

    /// The next step of a warm-up.
    pub(super) fn warm_step(&mut self, server: ServerId, incarnation: u32) {
        let now = self.now;
        let cold = &mut self.fleet.cold[server];
        if cold.incarnation.number != incarnation || !self.fleet.servers[server].state.serves() {
            return;
        }
        let progress = match cold.params.warm_up {
            Some(warm_up) if !warm_up.over.is_zero() => {
                let share = (now - cold.incarnation.up_since) as f64 / warm_up.over.0 as f64;
                (warm_up.from + (1.0 - warm_up.from) * share).min(1.0)
            }
            _ => 1.0,
        };
        cold.warmth = progress;
        self.speed_changed(server);
        if progress < 1.0 {
            let over = self.fleet.cold[server]
                .params
                .warm_up
                .map_or(0, |w| w.over.0);
            self.after(
                (over / WARM_STEPS).max(1),
                Event::WarmStep(server, incarnation),
            );
        } else {
            self.tell_of(
                Machine::Server(server),
                Kind::Warm,
                Actor::System,
                "at full speed".to_owned(),
            );
        }
    }

    fn clear_watch(&mut self, machine: Machine) {
        let watch = match machine {
            Machine::Server(i) => &mut self.fleet.cold[i].watch,
            Machine::Instance(i) => &mut self.balancers[i].watch,
        };
        watch.since.fill(None);
        watch.armed.fill(false);
        match machine {
            Machine::Server(server) => self.heed_server(server),
            Machine::Instance(index) => self.heed_instance(index),
        }
    }
}

/// What a machine is, for those who find nothing to do with it.
pub(super) fn already(state: MachineState) -> &'static str {
    match state {
        MachineState::Up => "up",
        MachineState::Down => "down",
        MachineState::Booting => "starting",
        MachineState::Absent => "not there",
    }
}

/// A span rounded to what a reader wants to know: seconds above ten seconds, else milliseconds.
pub(super) fn short(span: Duration) -> String {
    let unit: u64 = if span.0 >= 10_000_000_000 {
        1_000_000_000
    } else {
        1_000_000
    };
    Duration((span.0 + unit / 2) / unit * unit).to_string()
}
