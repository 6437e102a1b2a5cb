//! Connections that health rules hold: one of an instance to each server, known when it breaks and opened again
//! when the rule says so.
//!
//! What a connection carries is not its business: requests go over the links as ever. Only whether there is one counts.

use super::Simulation;
use super::event::Event;
use super::pool::Line;
use super::travel::Way;
use crate::ids::{InstanceId, ServerId, ServiceId};
use crate::machine::MachineState;
use crate::model::DownBehaviour;

/// Sets the messages of connections apart from probes, of which each has a number as well.
const APART: u64 = 1 << 39;

impl Simulation {
    /// Plans the connections that the rules of a service want opened: at its start, and after its settings or an
    /// instance have changed.
    pub(super) fn plan_connections(&mut self, service: ServiceId) {
        for index in self.balancers.of(service) {
            self.plan_connections_of(index);
        }
    }

    /// Those of one instance.
    pub(super) fn plan_connections_of(&mut self, index: InstanceId) {
        let instance = &self.balancers[index];
        if !instance.health.connects {
            return;
        }
        let service = &self.services[instance.service];
        let all = service.servers.enumerate();
        let wanted = all.filter_map(|(local, &server)| {
            let at = instance.health.connects_at(local)?;
            Some((at.0.max(self.now), server))
        });
        for (at, server) in wanted.collect::<Vec<_>>() {
            self.plan_connection(index, server, at);
        }
    }

    /// A connection is to be opened at a moment, which is planned once however often it is asked for.
    fn plan_connection(&mut self, index: InstanceId, server: ServerId, at: u64) {
        let local = self.fleet[server].local;
        if self.balancers[index].health.plan(local, at) {
            self.events.schedule(at, Event::Reconnect(index, server));
        }
    }

    /// A server has gone down. Whoever holds a connection sees it break, unless the server went without a word.
    pub(super) fn connections_break(&mut self, server: ServerId) {
        if self.is_silent(server) {
            return;
        }
        for index in self.balancers.of(self.fleet[server].service) {
            if self.balancers[index].health.connects {
                // Whoever told of it is still at work.
                self.after(0, Event::Disconnected(index, server));
            }
        }
    }

    /// A server is up: whoever waited for it to be there at all opens a connection.
    pub(super) fn connections_begin(&mut self, server: ServerId) {
        let local = self.fleet[server].local;
        for index in self.balancers.of(self.fleet[server].service) {
            let health = &self.balancers[index].health;
            if health.connects && health.connects_at(local).is_some_and(|at| at.0 <= self.now) {
                self.plan_connection(index, server, self.now);
            }
        }
    }

    /// The connection of an instance to a server has broken.
    pub(super) fn disconnected(&mut self, index: InstanceId, server: ServerId) {
        if self.balancers[index].state == MachineState::Down {
            return;
        }
        let local = self.fleet[server].local;
        self.saw_disconnect(index, local);
        self.plan_connections_of(index);
    }

    /// An instance opens a connection to a server, if the moment for that has come.
    pub(super) fn reconnect(&mut self, index: InstanceId, server: ServerId) {
        let local = self.fleet[server].local;
        let health = &mut self.balancers[index].health;
        health.begin_planned(local, self.now);
        let wanted = health.connects_at(local);
        if wanted.is_none_or(|at| at.0 > self.now) {
            // It was put off, or another event was before this one.
            return;
        }
        let down = self.balancers[index].state == MachineState::Down;
        let absent = self.fleet[server].state == MachineState::Absent;
        if down || absent || self.fleet.cold[server].joining {
            // When they are there this is planned anew.
            return;
        }
        let health = &mut self.balancers[index].health;
        let opened = health.opened;
        health.opened = opened.wrapping_add(1);
        let number = u64::from(index);
        let draws = &mut self.streams.reconnects.of_attempt(number, opened);
        let timeout = health.connect(self.now, local, draws.uniform());
        let cold = &self.fleet.cold[server];
        let delay = cold.path.as_ref().map_or(Some(0), |path| {
            let of = |way| {
                let streams = self.links.streams(way);
                path.send(way, Line::Bare, streams, number | APART, opened)
            };
            let (there, back) = (of(Way::Probe)?, of(Way::ProbeAnswer)?);
            Some(there.delay_ns.saturating_add(back.delay_ns))
        });
        let answers = self.fleet[server].state.serves() || !self.is_silent(server);
        match delay.filter(|&delay| answers && delay < timeout.0) {
            Some(0) => self.answered(index, server),
            Some(delay) => self.after(delay, Event::Answered(index, server)),
            None => self.after(timeout.0, Event::Unanswered(index, server)),
        }
    }

    /// A server answers whoever opens a connection: it is open, or refused.
    pub(super) fn answered(&mut self, index: InstanceId, server: ServerId) {
        self.opened(index, server, self.fleet[server].state.serves());
    }

    /// Whether a server that is down says nothing.
    fn is_silent(&self, server: ServerId) -> bool {
        self.fleet.cold[server].params.down_behaviour == DownBehaviour::BlackHole
    }

    /// A connection is open, or was refused, or nobody answered.
    pub(super) fn opened(&mut self, index: InstanceId, server: ServerId, open: bool) {
        let local = self.fleet[server].local;
        self.saw_connection(index, local, open);
        let next = self.balancers[index].health.connects_at(local);
        if let Some(at) = next {
            self.plan_connection(index, server, at.0.max(self.now + 1));
        }
    }
}
