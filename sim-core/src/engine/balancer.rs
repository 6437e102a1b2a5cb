//! Balancer instances: connections, own work, choice of a server, waiting room.

use super::Simulation;
use super::attempt::{Attempt, Place, Purpose};
use super::guards::Post;
use super::instance::TrueState;
use super::lines::Waiter;
use super::pool::Hop;
use super::slab::Handle;
use super::timer_fifo::Timer;
use super::tried::{Apart, Left};
use crate::ids::{Id, InstanceId, LocalId, ServerId};
use crate::machine::MachineState;
use crate::outcome::Outcome;
use crate::policy::Job;
use crate::record::TryRecord;
use crate::time::{Duration, Instant};

impl Simulation {
    /// An attempt reaches the balancer.
    #[inline]
    pub(super) fn at_balancer(&mut self, handle: Handle) {
        let Attempt {
            number, service, ..
        } = self.attempts[handle];
        let Ok(accepted) = self.accepted_by(handle) else {
            // Its connection was closed while it was under way.
            return self.reply(handle, Outcome::Reset);
        };
        let s = &self.services[service];
        let index = accepted.unwrap_or_else(|| {
            let ordinal = self.attempts.cold(handle).ordinal;
            s.instance_for(self.streams.selection, number, ordinal, || {
                self.turn_of(handle)
            })
        });
        let instance = &mut self.balancers[index];
        if instance.state != MachineState::Up {
            return self.meets_down(handle, s.down_behaviour);
        }
        if accepted.is_none() && instance.connections >= s.max_connections {
            return self.reply(handle, Outcome::Rejected);
        }
        if s.cost > 0 && instance.waiting >= s.settings.balancer.queue_limit {
            return self.reply(handle, Outcome::Rejected);
        }
        let one_more = self.accept(handle, index);
        let instance = &mut self.balancers[index];
        instance.connections += u32::from(one_more);
        instance.attempts += 1;
        self.attempts[handle].instance = index;
        let cost = self.services[service].cost;
        if cost == 0 {
            self.dispatch(handle);
        } else {
            let instance = &mut self.balancers[index];
            instance.waiting += 1;
            let at = instance.busy_until.max(self.now).saturating_add(cost);
            instance.plan_work(self.now, at);
            self.attempts[handle].place = Place::AtBalancer;
            self.events.set_timer(Timer::Dispatch(index), at, handle);
        }
        self.watch_instance(index);
    }

    /// Which turn of its caller's an attempt's request is: requests of a source are numbered, and the
    /// calls of a machine are counted.
    fn turn_of(&self, handle: Handle) -> u64 {
        let Attempt { call, number, .. } = self.attempts[handle];
        if self.calls[call].parent.is_none() {
            number
        } else {
            u64::from(self.calls.children[call.slot()].turn)
        }
    }

    /// The balancer instance has done its own work for an attempt.
    pub(super) fn dispatched(&mut self, handle: Handle) {
        if self.attempts[handle].place != Place::AtBalancer {
            // The instance crashed meanwhile: the attempt is on its way back.
            return;
        }
        let index = self.attempts[handle].instance;
        self.balancers[index].waiting -= 1;
        self.dispatch(handle);
    }

    /// The balancer's guards look at an attempt, then a server is chosen.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the other way here, after the balancer's own work, is rare"
    )]
    pub(super) fn dispatch(&mut self, handle: Handle) {
        if self.enter(Post::Balancer, handle) {
            self.choose(handle);
        }
    }

    /// Sends the attempt along a route, or chooses a server and sends it there.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the other way here, from guards, is rare"
    )]
    pub(super) fn choose(&mut self, handle: Handle) {
        let service = self.attempts[handle].service;
        if self.services[service].has_routes && self.take_route(handle) {
            return;
        }
        match &self.services[service].tries {
            Some(rules) => {
                let client = rules.of(self.attempts[handle].class);
                self.try_by_itself(handle, client);
            }
            None => self.seek_server(handle),
        }
    }

    /// Chooses a server for an attempt and sends it there.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the other way here, for tries of the balancer itself, is rare"
    )]
    pub(super) fn seek_server(&mut self, handle: Handle) {
        match self.pick(handle) {
            Some(local) => self.place(handle, local),
            None => self.without_server(handle),
        }
    }

    /// Where the connection of an attempt leads, or the policy's choice.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the other way here, from the pending queue, is rare"
    )]
    fn pick(&mut self, handle: Handle) -> Option<LocalId> {
        let instance = self.attempts[handle].instance;
        if !self.balancers[instance].offers.are_known() {
            self.tell_policy(instance);
        }
        if self.pools.any
            && self.services[self.attempts[handle].service].per_connection
            && let Some(local) = self.bound_to(handle)
        {
            return Some(local);
        }
        if !self.balancers[self.attempts[handle].instance]
            .health
            .split
            .is_empty()
        {
            return self.pick_of_level(handle);
        }
        let apart = self.kept_from(self.attempts[handle].call);
        if apart == Apart::NOTHING {
            self.pick_of(handle, None)
        } else {
            self.pick_apart(handle, apart)
        }
    }

    /// The same for an attempt that keeps away from servers where its request is or was.
    #[inline(never)]
    pub(super) fn pick_apart(&mut self, handle: Handle, apart: Apart) -> Option<LocalId> {
        let stays = self.stays_at(handle);
        if stays.is_some() {
            return stays;
        }
        let Attempt { call, instance, .. } = self.attempts[handle];
        let mut rest = std::mem::take(&mut self.balancers.rest);
        let mut choice = None;
        for apart in apart.relaxed() {
            let eligible = &self.balancers[instance].eligible;
            self.progress.look_at(eligible.len());
            let left = self.keep_apart(call, apart, eligible, &mut rest);
            if left == Left::Some {
                choice = self.pick_of(handle, Some(&rest));
            } else if left == Left::All && apart.for_good {
                choice = self.pick_of(handle, None);
            }
            if choice.is_some() {
                break;
            }
        }
        if choice.is_none() && apart.everywhere {
            choice = self.pick_beyond(handle, apart, &mut rest);
        }
        self.balancers.rest = rest;
        if apart.for_good {
            return choice;
        }
        // There may be no others, or none that the policy wants: the same server once more is
        // better than none.
        choice.or_else(|| self.pick_of(handle, None))
    }

    /// The choice for an attempt whose request has been at all servers of the best priority: among those of
    /// the next that has others.
    fn pick_beyond(
        &mut self,
        handle: Handle,
        apart: Apart,
        rest: &mut Vec<u32>,
    ) -> Option<LocalId> {
        let Attempt { call, instance, .. } = self.attempts[handle];
        for servers in self.balancers[instance].offers.beyond() {
            self.progress.look_at(servers.len());
            let choice = match self.keep_apart(call, apart, &servers, rest) {
                Left::All => self.pick_of(handle, Some(&servers)),
                Left::Some => self.pick_of(handle, Some(rest)),
                Left::None => None,
            };
            if choice.is_some() {
                return choice;
            }
        }
        None
    }

    /// The policy's choice among the servers eligible, or `some` of them.
    #[inline]
    pub(super) fn pick_of(&mut self, handle: Handle, some: Option<&[u32]>) -> Option<LocalId> {
        let ordinal = self.attempts.cold(handle).ordinal;
        let attempt = &self.attempts[handle];
        let call = &self.calls[attempt.call];
        let service = &self.services[attempt.service];
        let instance = &mut self.balancers[attempt.instance];
        if instance.eligible.is_empty() {
            return None;
        }
        let seen = instance.sees_full && service.limited;
        if seen {
            instance.pending.take_limits(service, instance.connections);
        }
        let job = || Job {
            key: call.key,
            priority: self.classes[attempt.class].priority,
            previous: call.previous.known().map(Id::position),
            demand: Duration(attempt.demand_ns),
        };
        let mut draws = self.streams.policy.of_attempt(attempt.number, ordinal);
        let truth = TrueState {
            now: self.now,
            servers: &self.fleet.servers,
            service,
        };
        instance.choose(&truth, some, seen, job, &mut draws)
    }

    /// Nobody to send the attempt to: it waits, if there is room, or fails at once.
    pub(super) fn without_server(&mut self, handle: Handle) {
        let Attempt {
            service, instance, ..
        } = self.attempts[handle];
        self.look_for_failure(instance);
        let may_wait = self.services[service].settings.balancer.pending_queue;
        // Where full servers are seen, to be without one among several is to have none that is up.
        let held = &self.balancers[instance];
        let weighs = |&server: &u32| held.weights[LocalId(server)] > 0.0;
        let none_is_up = held.sees_full && !held.eligible.iter().any(weighs);
        if may_wait.is_none() || none_is_up || self.has_been_everywhere(handle) {
            return self.reply(handle, Outcome::Unavailable);
        }
        self.wait_for(handle, LocalId::NONE);
    }

    /// Ends the run where a policy that picked nobody says that it cannot go on.
    pub(super) fn look_for_failure(&mut self, instance: InstanceId) {
        let held = &self.balancers[instance];
        let levels = held.health.split.iter();
        let levels = levels.filter_map(|level| level.policy.as_ref());
        let mut policies = std::iter::once(&held.policy).chain(levels);
        if let Some(why) = policies.find_map(|policy| policy.failure()) {
            let service = &self.model.services[held.service.position()].name;
            let now = Instant(self.now);
            let now = (self.model.clock)
                .map_or_else(|| Duration(now.0).to_string(), |clock| clock.label(now));
            let why = format!("the policy of service.{service}.balancer failed at {now}: {why}");
            self.progress.fail(why);
        }
    }

    /// Whether there are servers, and an attempt without one keeps away from all of them for good: that is
    /// not what those behind it wait for.
    fn has_been_everywhere(&self, handle: Handle) -> bool {
        let Attempt { call, instance, .. } = self.attempts[handle];
        !self.balancers[instance].eligible.is_empty() && self.kept_from(call).for_good
    }

    /// An attempt has waited long enough for an eligible server.
    pub(super) fn pending_timeout(&mut self, handle: Handle) {
        if self.attempts[handle].place == Place::Pending {
            self.leave_balancer_queue(handle);
            self.reply(handle, Outcome::Unavailable);
        }
    }

    /// Takes an attempt that goes away out of the balancer's waiting rooms.
    pub(super) fn leave_balancer_queue(&mut self, handle: Handle) {
        let Attempt {
            place, instance, ..
        } = self.attempts[handle];
        match place {
            Place::Pending => self.balancers[instance].pending.leave(handle),
            // Its share of the instance's time stays spent: the work was queued.
            Place::AtBalancer => self.balancers[instance].waiting -= 1,
            Place::Unconnected => self.leave_line(handle),
            _ => {}
        }
    }

    /// Sends an attempt to a server.
    #[inline]
    pub(super) fn assign(&mut self, handle: Handle, local: LocalId) {
        let Attempt {
            call,
            service,
            instance: index,
            ..
        } = self.attempts[handle];
        let server = self.services[service].servers[local];
        let one_more =
            !self.pools.any || !self.services[service].per_connection || self.bind(handle, server);
        let instance = &mut self.balancers[index];
        instance.in_flight[local] += u32::from(one_more);
        instance.count_sent(local);
        if instance.observes && one_more {
            let in_flight = instance.in_flight[local];
            instance.policy.on_assigned(local.position(), in_flight);
        }
        let s = &self.services[service];
        if s.limited && !instance.sees_full && instance.in_flight[local] >= s.limits[local] {
            self.place_turned(index, local);
        }
        if self.balancers[index].health.counts_sent {
            self.saw_sent(index, local);
        }
        self.calls[call].previous = local;
        self.calls.note_server(call, local);
        if self.services[service].tries.is_some() {
            self.note_for_caller(call, local);
            let client = self.calls[call].client;
            let timeout = self.callers[client].timeout;
            if timeout != u64::MAX && self.begins_late(handle) {
                let at = self.now.saturating_add(timeout);
                self.events.set_timer(Timer::Timeout(client), at, handle);
            }
        }
        if self.recorder.keeps_tries() {
            self.write_down(handle, local);
        }
        self.attempts[handle].server = server;
        self.attempts.cold_mut(handle).dispatched = self.now;
        let s = &mut self.fleet[server];
        s.attempts = s.attempts.wrapping_add(1);
        let cold = &self.fleet.cold[server];
        let far = cold.path.is_some();
        if cold.error_rate > 0.0 {
            self.draw_error(handle, server, self.streams.faults);
        }
        if far {
            self.send_to_server(handle, server);
        } else {
            self.at_server(handle, server);
        }
    }

    /// Somebody wants to know where each attempt is sent.
    #[cold]
    fn write_down(&mut self, handle: Handle, local: LocalId) {
        let attempt = &self.attempts[handle];
        let own = (attempt.purpose == Purpose::Try).then(|| self.asked_by(attempt));
        let sent = TryRecord {
            number: own.flatten().unwrap_or(attempt).number,
            service: attempt.service.0,
            server: local.0,
            at_ns: self.now,
        };
        self.recorder.sent(sent);
    }

    /// The balancer's books forget an attempt: it was answered, or its caller hung up.
    #[inline]
    pub(super) fn release(&mut self, handle: Handle, outcome: Outcome) {
        let now = self.now;
        let attempt = &mut self.attempts[handle];
        let index = attempt.instance;
        if index == InstanceId::NONE {
            return;
        }
        attempt.instance = InstanceId::NONE;
        // Its connection, and the way past the guards, are those of the attempt that it is for.
        let own = attempt.purpose == Purpose::Try;
        if !own {
            self.leave(Post::Balancer, handle, outcome);
        }
        let attempt = &self.attempts[handle];
        let server = attempt.server;
        let (accepted, bound) = self.pools.stand_for(handle);
        self.balancers[index].connections -= u32::from(!accepted && !own);
        if server != ServerId::NONE {
            let s = &mut self.fleet[server];
            match outcome {
                Outcome::Succeeded => s.succeeded = s.succeeded.wrapping_add(1),
                // Nothing went wrong there.
                Outcome::Cancelled => {}
                _ => s.failed = s.failed.wrapping_add(1),
            }
            let local = s.local;
            if !bound {
                let took = Duration(now - self.attempts.cold(handle).dispatched);
                self.forget_one(index, server, outcome, took);
            }
            self.disconnect(handle, Hop::Server, outcome);
            let instance = &self.balancers[index];
            let tells_policy = instance.observes && outcome != Outcome::Succeeded;
            if instance.health.watches || tells_policy {
                let again = own && self.goes_on(handle, outcome);
                if tells_policy {
                    let policy = &mut self.balancers[index].policy;
                    policy.on_failed(local.position(), outcome, again);
                }
                if self.balancers[index].health.watches {
                    self.saw_end(index, local, outcome, again);
                }
            }
        }
        let local = (server != ServerId::NONE).then(|| self.fleet[server].local);
        let instance = &mut self.balancers.instances[index];
        if !instance.pending.is_empty() {
            instance.pending.note_freed(local);
            self.balancers.to_drain.push(index);
        }
        self.watch_instance(index);
    }

    /// Sends waiting attempts on, now that a server may be eligible again.
    pub(super) fn drain_pending(&mut self, index: InstanceId) {
        if self.balancers[index].sees_full {
            return self.drain_lines(index);
        }
        self.balancers[index].pending.forget_freed();
        while let Some(&Waiter { handle, .. }) = self.balancers[index].pending.front() {
            let choice = self.pick(handle);
            if choice.is_none() && !self.has_been_everywhere(handle) {
                break;
            }
            self.balancers[index].pending.end(0);
            match choice {
                Some(local) => self.assign(handle, local),
                None => self.reply(handle, Outcome::Unavailable),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Draws;
    use crate::policy::{FleetView, Policy};
    use crate::time::Instant;
    use std::sync::Arc;

    /// A policy that keeps books, and with each choice a look at every server, which a view that is said to
    /// be narrowed asks for.
    #[derive(Clone, Debug)]
    struct Audited(Box<dyn Policy>);

    impl Policy for Audited {
        fn pick(&mut self, fleet: &FleetView<'_>, job: &Job, draws: &mut Draws) -> Option<usize> {
            let all = FleetView {
                narrowed: true,
                ..*fleet
            };
            let looked = self.0.pick(&all, job, &mut draws.clone());
            let picked = self.0.pick(fleet, job, draws);
            assert_eq!(picked, looked, "at {:?}", fleet.now);
            picked
        }
        fn observes(&self) -> bool {
            self.0.observes()
        }
        fn on_assigned(&mut self, server: usize, in_flight: u32) {
            self.0.on_assigned(server, in_flight);
        }
        fn on_finished(
            &mut self,
            now: Instant,
            server: usize,
            in_flight: u32,
            outcome: Outcome,
            took: Duration,
        ) {
            self.0.on_finished(now, server, in_flight, outcome, took);
        }
        fn tracks_queues(&self) -> bool {
            self.0.tracks_queues()
        }
        fn hear_of_queues(&mut self, told: bool) {
            self.0.hear_of_queues(told);
        }
        fn on_queue(&mut self, server: usize, in_system: u32) {
            self.0.on_queue(server, in_system);
        }
        fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
            self.0.on_fleet_changed(fleet);
        }
        fn on_eligible_changed(&mut self, fleet: &FleetView<'_>, changed: Option<&[u32]>) {
            self.0.on_eligible_changed(fleet, changed);
        }
        fn clone_box(&self) -> Box<dyn Policy> {
            Box::new(self.clone())
        }
    }

    #[test]
    fn books_lead_where_a_look_at_every_server_does() {
        let limited = "max_connections = 3";
        let uneven = "weight = 2.5";
        let slow = "health = [{ kind = \"slow-start\", over = \"2s\", from = 0.05, steps = 9 }]";
        let fast = "speed = 2";
        let busy = "queue = { limit = 3, discipline = \"lifo\", patience = \"20ms\" }, \
                    breakdowns = { every = \"2s\", repair = \"50ms\" }";
        let guarded = "guards = [{ kind = \"concurrency-limit\", limit = 2, queue = 5 }]";
        for policy in ["least-in-flight", "join-shortest-queue", "least-work-left"] {
            for (instances, server, health) in [
                (1, "", ""),
                (2, limited, ""),
                (1, uneven, slow),
                (5, "", slow),
                (1, fast, ""),
                (2, busy, ""),
                (1, guarded, ""),
                (1, "workers = 2", ""),
                (1, "slowdown = { contention = 0.1 }, workers = 2", ""),
                (1, "queue = { discipline = \"processor-sharing\" }", slow),
            ] {
                let text = format!(
                    "horizon = \"8s\"\nclient = {{ timeout = \"50ms\", retry = \"exponential-backoff\" }}\n\
                     traffic = [{{ to = \"web\", rate = 4000 }}]\n\
                     [service.web]\ndemand = {{ kind = \"exponential\", mean = \"10ms\" }}\n\
                     balancer.policy = \"{policy}\"\nbalancer.instances = {instances}\n\
                     {health}\n\
                     server = [{{ name = \"a\", count = 30, workers = 1 }}, \
                     {{ name = \"b\", count = 13, {server} }}]\n\
                     [[timeline]]\nat = \"2s\"\ndo = \"crash\"\ntarget = \"service.web.server.a-7\"\n\
                     [[timeline]]\nat = \"3s\"\ndo = \"drain\"\ntarget = \"service.web.server.b-2\"\n\
                     [[timeline]]\nat = \"4s\"\ndo = \"restart\"\ntarget = \"service.web.server\"\n\
                     [[timeline]]\nat = \"5s\"\ndo = \"slow\"\nfactor = 0.5\nfor = \"1s\"\ntarget = \"service.web.server.a-3\"\n\
                     [[timeline]]\nat = \"5s\"\nset = {{ \"service.web.server.a-5.workers\" = 3 }}\n\
                     [[timeline]]\nat = \"6s\"\nset = {{ \"service.web.server.a-1.weight\" = 0.7 }}\n",
                    health = if health.is_empty() {
                        String::new()
                    } else {
                        format!("balancer.{health}")
                    },
                    server = if server.contains("workers") {
                        server.to_owned()
                    } else if server.is_empty() {
                        "workers = 1".to_owned()
                    } else {
                        format!("workers = 1, {server}")
                    },
                );
                let model = crate::scenario::parse(&text)
                    .unwrap_or_else(|problems| panic!("{problems}\n{text}"));
                let mut simulation = Simulation::new(Arc::new(model), 0);
                for number in 0..instances {
                    let instance = &mut simulation.balancers[InstanceId(number)];
                    instance.policy = Box::new(Audited(instance.policy.clone()));
                }
                simulation.run();
                assert!(simulation.progress.events > 40_000, "{text}");
            }
        }
    }
}
