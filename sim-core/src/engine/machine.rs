//! Machines that crash and come back: servers and balancer instances alike.

use super::Simulation;
use super::event::{Event, Machine};
use super::slab::Handle;
use super::state::{Incarnation, MachineState, NIL, Place};
use crate::event_log::Kind;
use crate::model::Actor;
use crate::outcome::Outcome;
use crate::restart::Restart;
use crate::time::Duration;

/// Steps in which a warming server gets faster.
const WARM_STEPS: u64 = 100;

impl Simulation {
    pub(super) fn incarnation(&mut self, machine: Machine) -> &mut Incarnation {
        match machine {
            Machine::Server(i) => &mut self.servers_cold[i as usize].incarnation,
            Machine::Instance(i) => &mut self.instances[i as usize].incarnation,
        }
    }

    pub(super) fn state_of(&self, machine: Machine) -> MachineState {
        match machine {
            Machine::Server(i) => self.servers[i as usize].state,
            Machine::Instance(i) => self.instances[i as usize].state,
        }
    }

    fn set_state(&mut self, machine: Machine, state: MachineState) {
        match machine {
            Machine::Server(i) => self.servers[i as usize].state = state,
            Machine::Instance(i) => self.instances[i as usize].state = state,
        }
        let service = match machine {
            Machine::Server(i) => self.servers[i as usize].service,
            Machine::Instance(i) => self.instances[i as usize].service,
        };
        self.refresh_fast_path(service);
    }

    pub(super) fn name_of(&self, machine: Machine) -> String {
        match machine {
            Machine::Server(i) => self.model.servers[i as usize].name.clone(),
            Machine::Instance(i) => self.instances[i as usize].name.clone(),
        }
    }

    /// How a machine restarts.
    fn comeback(&self, machine: Machine) -> Restart {
        match machine {
            Machine::Server(i) => {
                let params = &self.servers_cold[i as usize].params;
                params.restart.build()
            }
            Machine::Instance(i) => {
                let balancer = &self.balancers[self.instances[i as usize].service as usize];
                balancer.restart.build()
            }
        }
    }

    /// How long a machine boots in this incarnation.
    fn boot_time(&self, machine: Machine, incarnation: u32) -> Duration {
        let (boot, number) = match machine {
            Machine::Server(i) => (&self.servers_cold[i as usize].params.boot, u64::from(i)),
            Machine::Instance(i) => {
                let service = self.instances[i as usize].service as usize;
                (&self.balancers[service].boot, u64::from(i) | 1 << 32)
            }
        };
        let mut draws = self.boot_stream.at(number | u64::from(incarnation) << 33);
        Duration::from_nanos_f64(boot.build().sample_ns(&mut draws))
    }

    /// Something crashes: what it held is lost, callers learn it at once, it may come back.
    pub(super) fn crash(&mut self, machine: Machine, by: Actor, cause: String) {
        if !self.state_of(machine).serves() {
            return;
        }
        self.set_state(machine, MachineState::Down);
        let now = self.now;
        let restart = self.comeback(machine);
        let incarnation = self.incarnation(machine);
        if now.saturating_sub(incarnation.up_since) >= restart.reset.0 {
            incarnation.streak = 0;
        }
        incarnation.number += 1;
        incarnation.crashes += 1;
        incarnation.streak += 1;
        incarnation.down_since = now;
        incarnation.cause.clone_from(&cause);
        let (number, streak) = (incarnation.number, incarnation.streak);
        self.tell(Kind::Crash, by, &self.name_of(machine), cause);
        match machine {
            Machine::Server(server) => self.reset_server(server),
            Machine::Instance(index) => self.reset_instance(index),
        }
        if let Some(pause) = restart.pause(streak) {
            self.event_queue.schedule(
                now.saturating_add(pause.0),
                Event::Restart {
                    machine,
                    incarnation: number,
                },
            );
        }
    }

    /// What a crashed server held is gone.
    fn reset_server(&mut self, server: u32) {
        self.clear_watch(Machine::Server(server));
        self.forget_left_behind(server);
        let keep = self.servers_cold[server as usize].params.crash_keeps_queue;
        let evicted = self.evict(server, keep);
        // None of their calls has anybody to return to, whatever an answer brings about.
        let children: Vec<Vec<Handle>> = evicted
            .iter()
            .map(|&handle| self.detach_children(self.child_of(handle)))
            .collect();
        for (handle, children) in evicted.into_iter().zip(children) {
            self.abandon_all(children);
            // The answer of another may have had this one called off.
            if self.attempts.contains(handle) {
                self.reply(handle, Outcome::Reset);
            }
        }
        self.leave_if_empty(server);
    }

    /// What a crashed balancer instance held is cut off from its callers; servers go on working.
    fn reset_instance(&mut self, index: u32) {
        self.clear_watch(Machine::Instance(index));
        let held: Vec<Handle> = self
            .attempts
            .iter()
            .filter(|(_, a)| a.instance == index)
            .map(|(h, _)| h)
            .collect();
        self.instances[index as usize].pending.clear();
        for handle in held {
            // The answer of another may have had this one called off.
            if self.attempts.contains(handle) && self.attempts[handle].instance == index {
                self.cut_off(handle);
            }
        }
        let instance = &mut self.instances[index as usize];
        instance.busy_until = self.now;
        let service = instance.service;
        if let Some(at) = self.takeover_at(service) {
            self.event_queue.schedule(
                at,
                Event::Takeover {
                    instance: index,
                    incarnation: self.instances[index as usize].incarnation.number,
                },
            );
        }
    }

    /// The connection of an attempt breaks at the balancer.
    fn cut_off(&mut self, handle: Handle) {
        let call = self.attempts[handle].call;
        if self.attempts[handle].place == Place::AtBalancer {
            self.instances[self.attempts[handle].instance as usize].waiting -= 1;
        }
        let at_server = self.attempts[handle].place.is_at_server();
        if !at_server {
            return self.reply(handle, Outcome::Reset);
        }
        // The server works on for nobody; a messenger without work carries the news to the caller.
        self.release(handle, Outcome::Reset);
        self.attempts[handle].call = Handle::NONE;
        self.leave_behind(self.attempts[handle].server);
        let mut messenger = self.attempts[handle].clone();
        messenger.call = call;
        messenger.server = NIL;
        let ordinal = self.cold(handle).ordinal;
        let messenger = self.attempts.insert(messenger);
        self.set_ordinal(messenger, ordinal);
        self.replace_attempt(call, handle, messenger);
        self.reply(messenger, Outcome::Reset);
    }

    fn takeover_at(&self, service: u16) -> Option<u64> {
        let spare = !self.services[service as usize].spares.is_empty();
        spare.then(|| {
            self.now
                .saturating_add(self.balancers[service as usize].standby.takeover.0)
        })
    }

    /// A spare takes the place of a crashed instance.
    pub(super) fn take_over(&mut self, crashed: u32, incarnation: u32) {
        let service = self.instances[crashed as usize].service;
        let same_outage = self.instances[crashed as usize].incarnation.number == incarnation
            && !self.instances[crashed as usize].state.serves();
        if !same_outage || self.services[service as usize].spares.is_empty() {
            return;
        }
        let spare = self.services[service as usize].spares.remove(0);
        let active = &mut self.services[service as usize].active;
        if let Some(place) = active.iter_mut().find(|place| **place == crashed) {
            *place = spare;
            let instance = &mut self.instances[spare as usize];
            instance.state = MachineState::Up;
            instance.incarnation.up_since = self.now;
            self.refresh_fast_path(service);
            let cause = format!("in place of {}", self.instances[crashed as usize].name);
            self.tell(
                Kind::Takeover,
                Actor::System,
                &self.name_of(Machine::Instance(spare)),
                cause,
            );
        }
    }

    /// A machine that is down begins to start.
    pub(super) fn restart(&mut self, machine: Machine, incarnation: u32, by: Actor, note: &str) {
        if self.incarnation(machine).number != incarnation
            || self.state_of(machine) != MachineState::Down
        {
            return;
        }
        self.set_state(machine, MachineState::Booting);
        let boot = self.boot_time(machine, incarnation);
        self.tell(Kind::Restart, by, &self.name_of(machine), note.to_owned());
        if boot.is_zero() {
            self.up(machine, incarnation);
        } else {
            self.event_queue.schedule(
                self.now.saturating_add(boot.0),
                Event::Up {
                    machine,
                    incarnation,
                },
            );
        }
    }

    /// Restarts a machine by hand, if it is down; one that is up is left alone, so that the same
    /// time line serves the what-ifs in which nothing crashed.
    pub(super) fn restart_by_hand(&mut self, machine: Machine, by: Actor, note: &str) {
        let incarnation = self.incarnation(machine).number;
        let restart = self.comeback(machine);
        if restart.by_hand {
            self.restart(machine, incarnation, by, note);
        } else if self.state_of(machine) == MachineState::Down {
            let refusal = format!(
                "{} cannot be restarted: restart = \"never\"",
                self.name_of(machine)
            );
            self.tell(Kind::Note, by, "", refusal);
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
        self.tell(
            Kind::Up,
            Actor::System,
            &self.name_of(machine),
            format!("after {}", short(Duration(downtime))),
        );
        match machine {
            Machine::Server(server) => {
                self.begin_warm_up(server);
                self.adopt_discipline(server, false);
                let busy = self.servers[server as usize].busy();
                self.servers[server as usize].advance(now);
                self.workers_freed(server, busy);
                self.report_if_idle(server);
                if self.servers[server as usize].watched {
                    self.watch_server(server);
                }
            }
            Machine::Instance(index) => self.instance_up(index),
        }
    }

    /// A balancer instance that comes back after a spare has taken its place is a spare itself.
    fn instance_up(&mut self, index: u32) {
        let service = self.instances[index as usize].service as usize;
        if !self.services[service].active.contains(&index) {
            self.instances[index as usize].state = MachineState::Absent;
            self.services[service].spares.push(index);
            // Another may have crashed while there was no spare.
            let takeover = self.balancers[service].standby.takeover.0;
            for &waiting in &self.services[service].active {
                let instance = &self.instances[waiting as usize];
                if !instance.state.serves() {
                    let incarnation = instance.incarnation.number;
                    let at = self.now.saturating_add(takeover);
                    self.event_queue.schedule(
                        at,
                        Event::Takeover {
                            instance: waiting,
                            incarnation,
                        },
                    );
                }
            }
        }
        self.refresh_eligible(index);
    }

    /// A server that has just started is slow, if it has a warm-up.
    pub(super) fn begin_warm_up(&mut self, server: u32) {
        let cold = &mut self.servers_cold[server as usize];
        let Some(warm_up) = cold.params.warm_up else {
            cold.warmth = 1.0;
            return self.speed_changed(server);
        };
        cold.warmth = warm_up.from;
        let incarnation = cold.incarnation.number;
        self.event_queue.schedule(
            self.now
                .saturating_add((warm_up.over.0 / WARM_STEPS).max(1)),
            Event::WarmStep {
                server,
                incarnation,
            },
        );
        self.speed_changed(server);
    }

    /// The next step of a warm-up.
    pub(super) fn warm_step(&mut self, server: u32, incarnation: u32) {
        let now = self.now;
        let cold = &mut self.servers_cold[server as usize];
        if cold.incarnation.number != incarnation || !self.servers[server as usize].state.serves() {
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
            let over = self.servers_cold[server as usize]
                .params
                .warm_up
                .map_or(0, |w| w.over.0);
            self.event_queue.schedule(
                now.saturating_add((over / WARM_STEPS).max(1)),
                Event::WarmStep {
                    server,
                    incarnation,
                },
            );
        } else {
            self.tell(
                Kind::Warm,
                Actor::System,
                &self.name_of(Machine::Server(server)),
                "at full speed".to_owned(),
            );
        }
    }

    fn clear_watch(&mut self, machine: Machine) {
        let watch = match machine {
            Machine::Server(i) => &mut self.servers_cold[i as usize].watch,
            Machine::Instance(i) => &mut self.instances[i as usize].watch,
        };
        watch.since.fill(None);
        watch.armed.fill(false);
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
