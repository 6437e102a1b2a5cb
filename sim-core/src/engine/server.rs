//! Servers: workers, queue, virtual time.

use super::Simulation;
use super::event_queue::NEVER;
use super::slab::Handle;
use super::state::{NIL, Place, Purpose, Server, Waiting};
use crate::draws::Stream;
use crate::model::DownBehaviour;
use crate::outcome::Outcome;
use std::cmp::Reverse;

impl Server {
    /// Brings virtual time up to `now`.
    #[inline]
    #[allow(
        clippy::float_cmp,
        reason = "a rate of exactly one needs no multiplication"
    )]
    pub(super) fn advance(&mut self, now: u64) {
        let real = now - self.virtual_at;
        self.virtual_at = now;
        if self.in_service == 0 {
            return;
        }
        if self.rate == 1.0 {
            self.virtual_now += real;
        } else {
            let gone = real as f64 * self.rate + f64::from(self.virtual_part);
            let whole = gone as u64;
            self.virtual_now += whole;
            self.virtual_part = (gone - whole as f64) as f32;
        }
    }

    /// When virtual time will reach `finish`.
    #[inline]
    #[allow(clippy::float_cmp, reason = "a rate of exactly one needs no division")]
    pub(super) fn real_time_of(&self, finish: u64) -> u64 {
        let left = finish.saturating_sub(self.virtual_now);
        if self.rate == 1.0 {
            return self.virtual_at + left;
        }
        let left = (left as f64 - f64::from(self.virtual_part)).max(0.0) / self.rate;
        self.virtual_at.saturating_add(left.ceil() as u64)
    }

    /// Workers that are not free.
    #[inline]
    pub(super) fn busy(&self) -> u32 {
        (self.in_service + self.holding).min(self.workers)
    }

    /// Area under the number in the system up to `now`, wrapping.
    #[inline]
    pub(super) fn in_system_area(&self, now: u64) -> u64 {
        self.area_in_system
            .wrapping_add(u64::from(self.in_system).wrapping_mul(now))
    }

    /// Area under the number of busy workers up to `now`, wrapping.
    #[inline]
    pub(super) fn busy_area(&self, now: u64) -> u64 {
        self.area_busy
            .wrapping_add(u64::from(self.busy()).wrapping_mul(now))
    }

    /// Area under the number of waiting requests up to `now`, wrapping.
    #[inline]
    pub(super) fn queued_area(&self, now: u64) -> u64 {
        self.area_queued
            .wrapping_add(u64::from(self.queue_len).wrapping_mul(now))
    }

    /// Real time until the server would be empty, in nanoseconds, its workers all at work.
    pub(super) fn work_left_ns(&self, now: u64) -> f64 {
        let virtual_now = self.virtual_now as f64
            + if self.in_service > 0 {
                (now - self.virtual_at) as f64 * self.rate
            } else {
                0.0
            };
        let serving = self
            .finish_sum
            .wrapping_sub(u64::from(self.in_service).wrapping_mul(self.virtual_now))
            as f64
            - f64::from(self.in_service) * (virtual_now - self.virtual_now as f64);
        // With every worker broken the work is still there: one stands for what will come back.
        (serving.max(0.0) + self.queued_ns as f64) / (f64::from(self.workers.max(1)) * self.rate)
    }
}

impl Simulation {
    /// An attempt, already placed at `server` by its balancer or prober, knocks.
    #[inline]
    pub(super) fn at_server(&mut self, handle: Handle, server: u32) {
        let s = &mut self.servers[server as usize];
        if !s.state.serves() {
            return self.meets_down(
                handle,
                self.servers_cold[server as usize].params.down_behaviour,
            );
        }
        let attempt = &mut self.attempts[handle];
        attempt.mark = self.now;
        self.reset_cold(handle, self.now);
        let s = &mut self.servers[server as usize];
        s.in_system += 1;
        s.area_in_system = s.area_in_system.wrapping_sub(self.now);
        if s.in_system == 1 && self.services[s.service as usize].tracks_idle {
            self.server_busy(server);
        }
        let attempt = &self.attempts[handle];
        if self.services[attempt.service as usize].has_calls && attempt.purpose == Purpose::Request
        {
            self.begin_visit(handle);
            if self.servers[server as usize].watched {
                self.watch_server(server);
            }
        } else {
            self.seek_worker(handle);
        }
    }

    /// An attempt meets something that is down.
    pub(super) fn meets_down(&mut self, handle: Handle, down_behaviour: DownBehaviour) {
        match down_behaviour {
            DownBehaviour::Refuse => self.reply(handle, Outcome::Refused),
            DownBehaviour::BlackHole => self.attempts[handle].place = Place::Lost,
        }
    }

    /// Takes a free worker, waits for one, or is turned away.
    #[inline]
    pub(super) fn seek_worker(&mut self, handle: Handle) {
        let attempt = &mut self.attempts[handle];
        // Calls that came before its own work are no wait for a worker.
        attempt.mark = self.now;
        let server = attempt.server;
        self.attempts_cold[handle.index() as usize].arrived = self.now;
        let s = &mut self.servers[server as usize];
        let busy = s.in_service + s.holding;
        if busy < s.workers || (s.waiting == Waiting::Shared && busy - s.workers < s.queue_limit) {
            self.begin_service(handle);
        } else if s.waiting != Waiting::Shared && s.queue_len < s.queue_limit {
            if s.waiting == Waiting::Preemptive && self.interrupt_for(handle) {
                // As many workers are busy as before.
                self.put_to_work(handle.index(), server);
                self.plan_completion(server);
            } else {
                self.enqueue(handle);
                self.begin_patience(handle);
            }
        } else {
            self.leave_server(server);
            self.reply(handle, Outcome::Rejected);
            return;
        }
        if self.servers[server as usize].watched {
            self.watch_server(server);
        }
    }

    /// Puts a request on a worker and plans the server's next completion.
    #[inline]
    pub(super) fn begin_service(&mut self, handle: Handle) {
        let server = self.attempts[handle].server;
        let busy = self.servers[server as usize].busy();
        self.put_to_work(handle.index(), server);
        let s = &mut self.servers[server as usize];
        if s.busy() != busy {
            s.area_busy = s.area_busy.wrapping_sub(self.now);
        }
        self.plan_completion(server);
    }

    /// Puts a request on a worker.
    #[inline]
    fn load(&mut self, index: u32, server: u32) {
        let now = self.now;
        let s = &mut self.servers[server as usize];
        s.advance(now);
        let attempt = &mut self.attempts[index];
        let waited = !matches!(attempt.place, Place::Holding | Place::Interrupted)
            && attempt.purpose == Purpose::Request;
        if waited {
            self.recorder
                .waited(s.service, attempt.begun, now - attempt.mark);
        }
        attempt.place = Place::InService;
        let finish = s.virtual_now.saturating_add(attempt.demand_ns);
        attempt.mark = finish;
        s.finish_sum = s.finish_sum.wrapping_add(finish);
        s.in_service += 1;
        if s.first == NIL {
            s.first = index;
        } else {
            self.started += 1;
            let first_finish = self.attempts[s.first].mark;
            let entry = if finish < first_finish {
                (
                    first_finish,
                    self.started,
                    std::mem::replace(&mut s.first, index),
                )
            } else {
                (finish, self.started, index)
            };
            self.servers_cold[server as usize]
                .in_service
                .push(Reverse(entry));
        }
    }

    /// Takes the request that finishes first off its worker.
    #[inline]
    fn unload_first(&mut self, server: u32) -> u32 {
        let s = &mut self.servers[server as usize];
        let index = s.first;
        s.first = if s.in_service > 1 {
            self.servers_cold[server as usize]
                .in_service
                .pop()
                .map_or(NIL, |Reverse((_, _, next))| next)
        } else {
            NIL
        };
        s.in_service -= 1;
        s.finish_sum = s.finish_sum.wrapping_sub(self.attempts[index].mark);
        index
    }

    /// Takes the request that has just finished off its worker; and how many were busy before.
    #[inline]
    pub(super) fn unload_finished(&mut self, server: u32) -> (u32, u32) {
        let s = &mut self.servers[server as usize];
        s.advance(self.now);
        let busy = s.busy();
        let index = self.unload_first(server);
        let finish = self.attempts[index].mark;
        let s = &mut self.servers[server as usize];
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
        (index, busy)
    }

    /// Takes any request off its worker, its work undone, and gives the worker to the next.
    pub(super) fn interrupt(&mut self, handle: Handle) {
        let server = self.attempts[handle].server;
        self.servers[server as usize].advance(self.now);
        let busy = self.servers[server as usize].busy();
        self.unload(handle);
        self.workers_freed(server, busy);
    }

    /// Takes any request off its worker; virtual time must be that of now.
    pub(super) fn unload(&mut self, handle: Handle) {
        let server = self.attempts[handle].server;
        let s = &mut self.servers[server as usize];
        if s.first == handle.index() {
            self.unload_first(server);
        } else {
            self.servers_cold[server as usize]
                .in_service
                .retain(|Reverse((_, _, index))| *index != handle.index());
            let finish = self.attempts[handle].mark;
            s.in_service -= 1;
            s.finish_sum = s.finish_sum.wrapping_sub(finish);
        }
    }

    /// The speed at which each request in service progresses.
    pub(super) fn rate_of(&self, server: u32) -> f64 {
        let s = &self.servers[server as usize];
        let cold = &self.servers_cold[server as usize];
        let params = &cold.params;
        let n = f64::from((s.in_service + s.holding).max(1));
        let shared = if s.waiting == Waiting::Shared && s.in_service > s.workers {
            f64::from(s.workers) / f64::from(s.in_service)
        } else {
            1.0
        };
        let crowd = 1.0
            + params.slowdown.contention * (n - 1.0)
            + params.slowdown.coherence * n * (n - 1.0);
        params.speed * cold.warmth * cold.slow * shared / crowd
    }

    /// Recomputes the speed, if it depends on concurrency, and when the next request finishes.
    #[inline]
    pub(super) fn plan_completion(&mut self, server: u32) {
        if self.servers[server as usize].elastic {
            self.servers[server as usize].rate = self.rate_of(server);
        }
        let s = &self.servers[server as usize];
        let at = if s.first == NIL {
            NEVER
        } else {
            s.real_time_of(self.attempts[s.first].mark)
        };
        self.event_queue.set_completion(server, at);
    }

    /// Applies a speed that changed for another reason than concurrency.
    pub(super) fn speed_changed(&mut self, server: u32) {
        self.servers[server as usize].advance(self.now);
        self.servers[server as usize].rate = self.rate_of(server);
        self.plan_completion(server);
    }

    /// The request that was to finish first has finished.
    #[inline]
    pub(super) fn complete(&mut self, server: u32) {
        let (index, busy) = self.unload_finished(server);
        let handle = self.attempts.handle_at(index);
        let attempt = &self.attempts[index];
        if attempt.purpose == Purpose::Request {
            self.count_service(
                s_service(&self.servers, server),
                attempt.demand_ns,
                self.calls.contains(attempt.call),
            );
        }
        if self.services[self.attempts[index].service as usize].has_calls
            && self.attempts[index].purpose == Purpose::Request
            && !self.attempts[index].fails
        {
            self.served(handle, busy);
        } else {
            self.workers_freed(server, busy);
            self.finish_at_server(handle);
        }
    }

    /// Gives free workers to waiting requests; `busy` is the number of busy workers before.
    #[inline]
    pub(super) fn workers_freed(&mut self, server: u32, busy: u32) {
        while self.servers[server as usize].in_service + self.servers[server as usize].holding
            < self.servers[server as usize].workers
        {
            let Some(index) = self.dequeue(server) else {
                break;
            };
            self.put_to_work(index, server);
        }
        let s = &mut self.servers[server as usize];
        let difference = u64::from(busy).wrapping_sub(u64::from(s.busy()));
        s.area_busy = s.area_busy.wrapping_add(difference.wrapping_mul(self.now));
        self.plan_completion(server);
    }

    /// The attempt's work at its server is done: it leaves and its answer goes back.
    #[inline]
    pub(super) fn finish_at_server(&mut self, handle: Handle) {
        let attempt = &self.attempts[handle];
        let (server, fails) = (attempt.server, attempt.fails);
        self.leave_server(server);
        if self.servers[server as usize].watched {
            self.watch_server(server);
        }
        self.reply(
            handle,
            if fails {
                Outcome::Errored
            } else {
                Outcome::Succeeded
            },
        );
    }

    /// One request fewer in the server.
    #[inline]
    pub(super) fn leave_server(&mut self, server: u32) {
        let s = &mut self.servers[server as usize];
        s.in_system -= 1;
        s.area_in_system = s.area_in_system.wrapping_add(self.now);
        if s.in_system == 0 && self.services[s.service as usize].tracks_idle {
            self.server_idle(server);
        }
    }

    /// Starts a dequeued request: its calls that come first, or its service.
    #[inline]
    fn put_to_work(&mut self, index: u32, server: u32) {
        if self.services[self.attempts[index].service as usize].has_calls
            && self.attempts[index].purpose == Purpose::Request
        {
            self.resume_visit(index);
        } else {
            self.load(index, server);
        }
    }

    /// As [`Simulation::load`], for those who plan the completion themselves.
    pub(super) fn load_only(&mut self, index: u32, server: u32) {
        self.load(index, server);
    }

    /// Draws what an attempt will ask of its server: what belongs to attempt `asks` of the request, to
    /// the request itself where that is 0.
    #[inline]
    pub(super) fn draw_demand(&mut self, handle: Handle, asks: u32) {
        let attempt = &self.attempts[handle];
        let service = &self.services[attempt.service as usize];
        let factor = self.classes[attempt.class as usize].demand_factor;
        let demand = service
            .demand
            .sample_ns(&mut service.demand_stream.of_attempt(attempt.number, asks))
            * factor;
        self.attempts[handle].demand_ns = crate::time::Duration::from_nanos_f64(demand).0;
    }

    /// Decides whether the server will fail this attempt, and how fast.
    pub(super) fn draw_error(&mut self, handle: Handle, server: u32, faults: Stream) {
        let cold = &self.servers_cold[server as usize];
        let rate = cold.params.errors.rate;
        if rate <= 0.0 {
            return;
        }
        let ordinal = self.cold(handle).ordinal;
        let attempt = &mut self.attempts[handle];
        let mut draws = faults.of_attempt(attempt.number, ordinal);
        if draws.chance(rate) {
            attempt.fails = true;
            if let Some(demand) = &cold.error_demand {
                attempt.demand_ns =
                    crate::time::Duration::from_nanos_f64(demand.sample_ns(&mut draws)).0;
            }
        }
    }

    /// Empties a server that crashed; what was there, in order of service and then of queueing.
    pub(super) fn evict(&mut self, server: u32, keep_queue: bool) -> Vec<Handle> {
        let busy = self.servers[server as usize].busy();
        let mut evicted = Vec::new();
        while self.servers[server as usize].in_service > 0 {
            let index = self.unload_first(server);
            evicted.push(self.attempts.handle_at(index));
        }
        let visiting: Vec<Handle> =
            if self.services[self.servers[server as usize].service as usize].has_calls {
                let out = |place| matches!(place, Place::Holding | Place::Calling);
                self.attempts
                    .iter()
                    .filter(|(_, a)| a.server == server && out(a.place))
                    .map(|(h, _)| h)
                    .collect()
            } else {
                Vec::new()
            };
        self.servers[server as usize].holding = 0;
        evicted.extend(visiting);
        if !keep_queue {
            while let Some(index) = self.dequeue(server) {
                evicted.push(self.attempts.handle_at(index));
            }
        }
        for &handle in &evicted {
            self.attempts[handle].place = Place::Underway;
            self.leave_server(server);
        }
        let s = &mut self.servers[server as usize];
        s.area_busy = s
            .area_busy
            .wrapping_add(u64::from(busy).wrapping_mul(self.now));
        s.virtual_now = 0;
        s.virtual_part = 0.0;
        self.event_queue.set_completion(server, NEVER);
        evicted
    }
}

fn s_service(servers: &[Server], server: u32) -> u16 {
    servers[server as usize].service
}
