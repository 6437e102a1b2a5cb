//! Servers: workers, queue, virtual time.

use super::Simulation;
use super::attempt::{Place, Purpose};
use super::fleet::Waiting;
use super::guards::Post;
use super::in_service::Serving;
use super::slab::{Handle, Slot};
use crate::draws::Stream;
use crate::ids::ServerId;
use crate::model::DownBehaviour;
use crate::outcome::Outcome;
use crate::time::Duration;

impl Simulation {
    /// An attempt, already placed at `server` by its balancer or prober, knocks.
    #[inline]
    pub(super) fn at_server(&mut self, handle: Handle, server: ServerId) {
        let s = &mut self.fleet[server];
        if !s.state.serves() {
            return self.meets_down(handle, self.fleet.cold[server].params.down_behaviour);
        }
        let attempt = &mut self.attempts[handle];
        attempt.mark = self.now;
        self.attempts.reset_cold(handle, self.now);
        let s = &mut self.fleet[server];
        s.enter(self.now);
        if let Some(numbers) = &mut self.services[s.service].numbers {
            numbers.more(self.now);
        }
        let service = &mut self.services[s.service];
        if service.tracks_servers() {
            (self.balancers).server_entered(service, s, handle.slot(), self.now);
        }
        if self.enter(Post::Server, handle) {
            self.welcome(handle);
        } else {
            self.watch_server(server);
        }
    }

    /// An attempt that a server's guards let in makes its first calls, or seeks a worker.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the other way here, from guards, is rare"
    )]
    pub(super) fn welcome(&mut self, handle: Handle) {
        let attempt = &self.attempts[handle];
        let server = attempt.server;
        if self.services[attempt.service].has_calls && attempt.purpose.is_request() {
            self.begin_visit(handle);
            self.watch_server(server);
        } else {
            self.seek_worker(handle);
        }
    }

    /// An attempt meets something that is down.
    pub(super) fn meets_down(&mut self, handle: Handle, down_behaviour: DownBehaviour) {
        match down_behaviour {
            DownBehaviour::Refuse => self.reply(handle, Outcome::Refused),
            DownBehaviour::BlackHole => self.silence(handle),
        }
    }

    /// Takes a free worker, waits for one, or is turned away.
    #[inline]
    pub(super) fn seek_worker(&mut self, handle: Handle) {
        let attempt = &mut self.attempts[handle];
        // Calls that came before its own work are no wait for a worker.
        attempt.mark = self.now;
        let server = attempt.server;
        self.attempts.cold_mut(handle).arrived = self.now;
        let s = &mut self.fleet[server];
        let busy = s.in_service + s.holding;
        if busy < s.workers || (s.waiting == Waiting::Shared && busy - s.workers < s.queue_limit) {
            self.starts_at_once(handle);
            self.begin_service(handle);
        } else if s.waiting != Waiting::Shared && s.queue_len < s.queue_limit {
            if s.waiting == Waiting::Preemptive && self.interrupt_for(handle) {
                self.starts_at_once(handle);
                // As many workers are busy as before.
                self.put_to_work(handle.slot(), server);
                self.plan_completion(server);
            } else {
                self.enqueue(handle);
                self.begin_patience(handle);
            }
        } else {
            return self.send_away(handle, Outcome::Rejected);
        }
        self.watch_server(server);
    }

    /// Puts a request on a worker and plans the server's next completion.
    #[inline]
    pub(super) fn begin_service(&mut self, handle: Handle) {
        let server = self.attempts[handle].server;
        let busy = self.fleet[server].busy();
        self.put_to_work(handle.slot(), server);
        let s = &mut self.fleet[server];
        if s.busy() != busy {
            s.area_busy = s.area_busy.wrapping_sub(self.now);
        }
        self.plan_completion(server);
    }

    /// An attempt that got a worker is noted for the request log, if its caller still waits for it.
    #[cold]
    #[inline(never)]
    pub(super) fn log_served(&mut self, slot: Slot, wait_ns: u64) {
        let attempt = &self.attempts[slot];
        // Calls between services may have the numbers of the requests that they are for.
        let demand_ns = attempt.demand_ns;
        let attempt = match attempt.purpose {
            Purpose::Try => self.asked_by(attempt),
            _ => Some(attempt),
        };
        let Some(attempt) = attempt else { return };
        let from_outside = attempt.call.is_elided()
            || self.calls.contains(attempt.call) && self.calls[attempt.call].flow.is_multiple_of(2);
        if from_outside {
            let number = attempt.number;
            self.recorder.served(number, wait_ns, demand_ns);
        }
    }

    /// Puts a request on a worker.
    #[inline]
    fn load(&mut self, slot: Slot, server: ServerId) {
        let now = self.now;
        let s = &mut self.fleet.servers[server];
        s.advance(now);
        let attempt = &mut self.attempts[slot];
        let waited = !matches!(attempt.place, Place::Holding | Place::Interrupted)
            && attempt.purpose.is_request();
        // Where it is no wait, the mark is one of virtual time.
        let wait_ns = now.wrapping_sub(attempt.mark);
        if waited {
            self.recorder
                .waited(s.service, attempt.class, attempt.begun, wait_ns);
        }
        attempt.place = Place::InService;
        let finish = s.virtual_now.saturating_add(attempt.demand_ns);
        attempt.mark = finish;
        s.finish_sum = s.finish_sum.wrapping_add(finish);
        s.in_service += 1;
        if s.first == Slot::NONE {
            s.first = slot;
        } else {
            self.fleet.started += 1;
            let first_finish = self.attempts[s.first].mark;
            let (finish, slot) = if finish < first_finish {
                (first_finish, std::mem::replace(&mut s.first, slot))
            } else {
                (finish, slot)
            };
            self.fleet.cold[server].in_service.push(Serving {
                finish,
                started: self.fleet.started,
                slot,
            });
        }
        if waited && self.recorder.logs() {
            self.log_served(slot, wait_ns);
        }
    }

    /// Takes the request that finishes first off its worker.
    #[inline]
    fn unload_first(&mut self, server: ServerId) -> Slot {
        let s = &mut self.fleet.servers[server];
        let slot = s.first;
        s.first = if s.in_service > 1 {
            self.fleet.cold[server]
                .in_service
                .pop()
                .map_or(Slot::NONE, |next| next.slot)
        } else {
            Slot::NONE
        };
        s.in_service -= 1;
        s.finish_sum = s.finish_sum.wrapping_sub(self.attempts[slot].mark);
        slot
    }

    /// Takes the request that has just finished off its worker; and how many were busy before.
    #[inline]
    pub(super) fn unload_finished(&mut self, server: ServerId) -> (Slot, u32) {
        let s = &mut self.fleet[server];
        s.advance(self.now);
        let busy = s.busy();
        let slot = self.unload_first(server);
        let finish = self.attempts[slot].mark;
        let s = &mut self.fleet[server];
        if s.virtual_now < finish {
            // Rounding of a speed other than one left a fraction of a nanosecond.
            s.virtual_now = finish;
            s.virtual_part = 0.0;
        }
        if s.in_service == 0 {
            // An idle server has no virtual time to keep: starting over keeps the numbers small.
            s.virtual_now = 0;
            s.virtual_part = 0.0;
        }
        (slot, busy)
    }

    /// Takes any request off its worker, its work undone, and gives the worker to the next.
    pub(super) fn interrupt(&mut self, handle: Handle) {
        let server = self.attempts[handle].server;
        self.fleet[server].advance(self.now);
        let busy = self.fleet[server].busy();
        self.unload(handle);
        self.workers_freed(server, busy);
    }

    /// Takes any request off its worker; virtual time must be that of now.
    pub(super) fn unload(&mut self, handle: Handle) {
        let server = self.attempts[handle].server;
        let s = &mut self.fleet.servers[server];
        if s.first == handle.slot() {
            self.unload_first(server);
        } else {
            self.fleet.cold[server].in_service.remove(handle.slot());
            let finish = self.attempts[handle].mark;
            s.in_service -= 1;
            s.finish_sum = s.finish_sum.wrapping_sub(finish);
        }
    }

    /// Recomputes the speed, if it depends on concurrency, and when the next request finishes.
    #[inline]
    pub(super) fn plan_completion(&mut self, server: ServerId) {
        if self.fleet[server].elastic {
            self.host_feels(server);
            self.fleet[server].rate = self.fleet.rate_of(server);
        }
        let s = &self.fleet[server];
        if s.first == Slot::NONE {
            self.events.clear_completion(server);
        } else {
            let at = s.real_time_of(self.attempts[s.first].mark);
            self.events.renew_completion(server, at);
        }
    }

    /// Applies a speed that changed for another reason than concurrency.
    pub(super) fn speed_changed(&mut self, server: ServerId) {
        self.fleet[server].advance(self.now);
        self.fleet[server].rate = self.fleet.rate_of(server);
        self.plan_completion(server);
        self.tell_of_pace(server);
    }

    /// The request that was to finish first has finished.
    #[inline]
    pub(super) fn complete(&mut self, server: ServerId) {
        let (slot, busy) = self.unload_finished(server);
        let handle = self.attempts.handle_at(slot);
        let attempt = &self.attempts[slot];
        if attempt.purpose.is_request() {
            let wanted = self.calls.contains(attempt.call);
            self.services[attempt.service].count_service(attempt.demand_ns, wanted);
        }
        if self.services[self.attempts[slot].service].has_calls
            && self.attempts[slot].purpose.is_request()
            && !self.attempts[slot].fails
        {
            self.served(handle, busy);
        } else {
            self.workers_freed(server, busy);
            self.finish_at_server(handle);
        }
    }

    /// Gives free workers to waiting requests; `busy` is the number of busy workers before.
    #[inline]
    pub(super) fn workers_freed(&mut self, server: ServerId, busy: u32) {
        while self.fleet[server].in_service + self.fleet[server].holding
            < self.fleet[server].workers
        {
            let Some(slot) = self.dequeue(server) else {
                break;
            };
            if !self.may_start(self.attempts.handle_at(slot)) {
                continue;
            }
            self.put_to_work(slot, server);
        }
        let s = &mut self.fleet[server];
        s.busy_changed(busy, self.now);
        self.plan_completion(server);
    }

    /// The attempt's work at its server is done: it leaves and its answer goes back.
    #[inline]
    pub(super) fn finish_at_server(&mut self, handle: Handle) {
        let outcome = if self.attempts[handle].fails {
            Outcome::Errored
        } else {
            Outcome::Succeeded
        };
        let service = self.attempts[handle].service;
        if self.services[service].tracks_latencies && outcome == Outcome::Succeeded {
            let server = self.attempts[handle].server;
            self.note_latency(server, handle.slot());
        }
        self.send_away(handle, outcome);
    }

    /// An attempt leaves its server, and its answer goes back.
    #[inline]
    pub(super) fn send_away(&mut self, handle: Handle, outcome: Outcome) {
        let server = self.attempts[handle].server;
        self.leave(Post::Server, handle, outcome);
        self.leave_server(server);
        self.watch_server(server);
        self.reply(handle, outcome);
    }

    /// One request fewer in the server.
    #[inline]
    pub(super) fn leave_server(&mut self, server: ServerId) {
        let s = &mut self.fleet[server];
        s.leave(self.now);
        if let Some(numbers) = &mut self.services[s.service].numbers {
            numbers.fewer(self.now);
        }
        if self.services[s.service].tracks_servers() {
            self.server_left(server);
        }
    }

    /// Starts a dequeued request: its calls that come first, or its service.
    #[inline]
    fn put_to_work(&mut self, slot: Slot, server: ServerId) {
        if self.services[self.attempts[slot].service].has_calls
            && self.attempts[slot].purpose.is_request()
        {
            self.resume_visit(slot);
        } else {
            self.load(slot, server);
        }
    }

    /// As [`Simulation::load`], for those who plan the completion themselves.
    pub(super) fn load_only(&mut self, slot: Slot, server: ServerId) {
        self.load(slot, server);
    }

    /// Draws what an attempt will ask of its server: what belongs to attempt `asks` of the request, to
    /// the request itself where that is 0.
    #[inline]
    pub(super) fn draw_demand(&mut self, handle: Handle, asks: u32) {
        let attempt = &self.attempts[handle];
        let work = self.work_of(attempt.call);
        let service = &self.services[attempt.service];
        let factor = self.classes[attempt.class].demand_factor;
        let law = self.own_demands[attempt.class]
            .as_ref()
            .unwrap_or(&service.demand);
        let mut draws = service.demand_stream.of_attempt(work, asks);
        let demand = law.sample_ns(&mut draws) * factor;
        self.attempts[handle].demand_ns = Duration::from_nanos_f64(demand).0;
    }

    /// Decides whether the server will fail this attempt, and how fast.
    pub(super) fn draw_error(&mut self, handle: Handle, server: ServerId, faults: Stream) {
        let cold = &self.fleet.cold[server];
        let rate = cold.error_rate;
        if rate <= 0.0 {
            return;
        }
        let ordinal = self.attempts.cold(handle).ordinal;
        let attempt = &mut self.attempts[handle];
        let mut draws = faults.of_attempt(attempt.number, ordinal);
        if draws.chance(rate) {
            attempt.fails = true;
            if let Some(demand) = &cold.error_demand {
                attempt.demand_ns = Duration::from_nanos_f64(demand.sample_ns(&mut draws)).0;
            }
        }
    }

    /// Empties a server that crashed; what was there, in order of service and then of queueing.
    pub(super) fn evict(&mut self, server: ServerId, keep_queue: bool) -> Vec<Handle> {
        let busy = self.fleet[server].busy();
        let s = &self.fleet[server];
        let apart = if s.in_system > s.in_service + s.queue_len {
            self.residents(server)
        } else {
            Vec::new()
        };
        let mut evicted = Vec::new();
        while self.fleet[server].in_service > 0 {
            let slot = self.unload_first(server);
            evicted.push(self.attempts.handle_at(slot));
        }
        // Without a worker, and in no queue.
        evicted.extend(apart.into_iter().filter(|&handle| {
            use Place::{Calling, Expired, HeldAtServer, Holding};
            let place = self.attempts[handle].place;
            matches!(place, Holding | Calling | HeldAtServer | Expired)
        }));
        self.fleet[server].holding = 0;
        if !keep_queue {
            while let Some(slot) = self.dequeue(server) {
                evicted.push(self.attempts.handle_at(slot));
            }
        }
        for &handle in &evicted {
            self.attempts[handle].place = Place::Underway;
            self.leave(Post::Server, handle, Outcome::Reset);
            self.leave_server(server);
        }
        let s = &mut self.fleet[server];
        s.busy_changed(busy, self.now);
        s.virtual_now = 0;
        s.virtual_part = 0.0;
        self.events.clear_completion(server);
        self.host_feels(server);
        self.tell_of_pace(server);
        evicted
    }
}
