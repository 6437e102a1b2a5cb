//! Callers: requests, attempts, timeouts, retries, budgets.

use super::Simulation;
use super::event::Event;
use super::slab::Handle;
use super::state::{Attempt, Call, Caller, NIL, Place, Purpose, Source};
use crate::arrival::Arrivals;
use crate::distribution::Distribution;
use crate::draws::{Stream, mix};
use crate::model::{Client, RatePoint};
use crate::outcome::Outcome;
use crate::retry::Retry;
use crate::time::{Duration, SECOND};
use std::sync::Arc;

impl Caller {
    pub(super) fn new(client: &Client) -> Self {
        let retry: Arc<dyn Retry> = client.retry.build().into();
        Self {
            timeout: client.timeout.map_or(u64::MAX, |t| t.0),
            deadline: client.deadline.map_or(u64::MAX, |t| t.0),
            attempts: retry.attempts(),
            retry,
            tokens: client.retry_budget.map_or(0.0, |budget| budget.reserve),
            express: client.deadline.is_none() && client.retry_budget.is_none(),
            client: client.clone(),
        }
    }

    /// Takes on new rules; saved-up tokens stay, within the new reserve.
    pub(super) fn adopt(&mut self, client: &Client) {
        let tokens = match (&self.client.retry_budget, &client.retry_budget) {
            (Some(_), Some(budget)) => self.tokens.min(budget.reserve),
            (None, Some(budget)) => budget.reserve,
            (_, None) => 0.0,
        };
        *self = Self {
            tokens,
            ..Self::new(client)
        };
    }
}

impl Source {
    /// The class of a request.
    #[inline]
    pub(super) fn draw_class(&self, draws: &mut crate::draws::Draws) -> u16 {
        if self.mix.len() == 1 {
            return 0;
        }
        let point = draws.uniform();
        let mut class = 0;
        while class + 1 < self.mix.len() && self.mix[class] <= point {
            class += 1;
        }
        class as u16
    }

    /// When `gap` more requests will have been expected since `from`; `None`: never.
    #[inline]
    fn next_arrival(&mut self) -> Option<u64> {
        while let Some(next) = self.rate.get(self.corner + 1) {
            if next.at.0 > self.from {
                break;
            }
            self.corner += 1;
        }
        let mut corner = self.corner;
        let mut at = self.from;
        let mut gap = self.gap;
        loop {
            let here = self.rate[corner];
            let Some(next) = self.rate.get(corner + 1) else {
                return (here.rate_hz > 0.0).then(|| add(at, gap / here.rate_hz));
            };
            let rate = rate_within(here, *next, at);
            let slope = (next.rate_hz - here.rate_hz) / (next.at - here.at).as_secs_f64();
            let span = (next.at.0 - at) as f64 / SECOND as f64;
            let expected = (rate + 0.5 * slope * span) * span;
            if expected >= gap && expected > 0.0 {
                // The root of rate·x + slope·x²/2 = gap, in the form that does not cancel.
                let x = 2.0 * gap / (rate + (rate * rate + 2.0 * slope * gap).max(0.0).sqrt());
                return Some(add(at, x).min(next.at.0));
            }
            gap -= expected;
            at = next.at.0;
            corner += 1;
        }
    }

    /// Requests expected between `from` and `until`.
    fn expected(&self, from: u64, until: u64) -> f64 {
        let mut total = 0.0;
        for (i, here) in self.rate.iter().enumerate() {
            let start = from.max(here.at.0);
            let end = self
                .rate
                .get(i + 1)
                .map_or(until, |next| until.min(next.at.0));
            if start >= end {
                continue;
            }
            let (first, last) = match self.rate.get(i + 1) {
                Some(next) => (
                    rate_within(*here, *next, start),
                    rate_within(*here, *next, end),
                ),
                None => (here.rate_hz, here.rate_hz),
            };
            total += 0.5 * (first + last) * (end - start) as f64 / SECOND as f64;
        }
        total
    }
}

fn add(at: u64, seconds: f64) -> u64 {
    at.saturating_add(Duration::from_secs_f64(seconds).0)
}

/// The rate at a moment between two corners.
fn rate_within(here: RatePoint, next: RatePoint, at: u64) -> f64 {
    let share = (at - here.at.0) as f64 / (next.at.0 - here.at.0) as f64;
    here.rate_hz + (next.rate_hz - here.rate_hz) * share
}

/// The request number of the `n`-th request of a source.
pub(super) fn number_of(source: u16, n: u64) -> u64 {
    n | u64::from(source) << 48
}

/// The stream position of try number `attempt` of a request.
#[inline]
pub(super) fn try_of(number: u64, attempt: u32) -> u64 {
    number.wrapping_add(u64::from(attempt) << 40)
}

impl Simulation {
    /// Plans a source's first arrivals.
    pub(super) fn start_source(&mut self, source: u16) {
        let s = &mut self.sources[source as usize];
        match &s.arrivals {
            Arrivals::Open(_) | Arrivals::Trace(_) => self.plan_arrival(source),
            Arrivals::Closed { users, .. } => {
                for _ in 0..*users {
                    self.think(source);
                }
            }
        }
    }

    /// Plans the next arrival after the latest.
    #[inline]
    pub(super) fn plan_arrival(&mut self, source: u16) {
        let s = &mut self.sources[source as usize];
        let at = if let Some(gaps) = &s.gaps {
            s.gap = gaps.gap(&mut s.stream.at(s.count));
            s.next_arrival()
        } else if let Arrivals::Trace(times) = &s.arrivals {
            times.get(s.count as usize).map(|at| at.0.max(self.now))
        } else {
            None
        };
        self.agenda.set_arrival(source, at.unwrap_or(u64::MAX));
    }

    /// The rate changed: what was still expected of the gap is stretched anew.
    pub(super) fn rate_changed(&mut self, source: u16, rate: Arc<[RatePoint]>) {
        let now = self.now;
        let s = &mut self.sources[source as usize];
        s.gap = (s.gap - s.expected(s.from, now)).max(0.0);
        s.from = now;
        s.rate = rate;
        s.corner = 0;
        if s.gaps.is_some() {
            let at = s.next_arrival();
            self.agenda.set_arrival(source, at.unwrap_or(u64::MAX));
        }
    }

    /// One user of a closed source thinks, then asks.
    pub(super) fn think(&mut self, source: u16) {
        let s = &mut self.sources[source as usize];
        let Arrivals::Closed { think, .. } = &s.arrivals else {
            return;
        };
        s.thoughts += 1;
        let pause = Duration::from_nanos_f64(think.sample_ns(&mut s.stream.at(s.thoughts)));
        self.agenda
            .schedule(self.now.saturating_add(pause.0), Event::Thought { source });
    }

    /// An open source emits a request and plans its next.
    #[inline]
    pub(super) fn arrive(&mut self, source: u16) {
        let call = self.new_request(source);
        self.sources[source as usize].from = self.now;
        self.plan_arrival(source);
        self.begin_attempt(call);
    }

    /// A request from outside comes into being.
    #[inline]
    pub(super) fn new_request(&mut self, source: u16) -> Handle {
        let s = &mut self.sources[source as usize];
        let number = number_of(source, s.count);
        s.count += 1;
        let mut draws = self.request_stream.at(number);
        let class = s.draw_class(&mut draws);
        let key = s.keys.key(number, &mut draws);
        let (client, service) = (s.clients[class as usize], s.to);
        let flow = self.recorder.layout.flow(service, class, false);
        self.new_call(Call {
            number,
            key,
            arrived: self.now,
            parent: Handle::NONE,
            current: Handle::NONE,
            pause_ns: 0,
            client,
            class,
            service,
            source,
            flow,
            attempts: 0,
            previous: NIL,
        })
    }

    /// A call starts to exist: counted, and given its deadline.
    #[inline]
    pub(super) fn new_call(&mut self, call: Call) -> Handle {
        let (flow, client) = (call.flow, call.client);
        let handle = self.calls.insert(call);
        self.recorder.flows[flow as usize].arrived += 1;
        let caller = &mut self.callers[client as usize];
        if let Some(budget) = &caller.client.retry_budget {
            caller.tokens = (caller.tokens + budget.ratio).min(budget.reserve);
        }
        let deadline = caller.deadline;
        if deadline != u64::MAX {
            let at = self.now.saturating_add(deadline);
            if !self
                .agenda
                .push_lane(self.lanes.deadline(client), at, handle)
            {
                self.agenda.schedule(at, Event::Deadline(handle));
            }
        }
        handle
    }

    /// A caller makes an attempt.
    #[inline]
    pub(super) fn begin_attempt(&mut self, call_handle: Handle) {
        let call = &mut self.calls[call_handle];
        call.attempts += 1;
        let (number, client, service) = (call.number, call.client, call.service);
        let handle = self.attempts.insert(Attempt {
            call: call_handle,
            number,
            begun: self.now,
            queued_at: 0,
            demand_ns: 0,
            finish: 0,
            before: NIL,
            behind: NIL,
            server: NIL,
            instance: NIL,
            service,
            class: call.class,
            stage: 0,
            worked: false,
            required: false,
            place: Place::Underway,
            purpose: Purpose::Request,
            fails: false,
            outcome: Outcome::Succeeded,
            child: Handle::NONE,
        });
        call.current = handle;
        self.recorder.flows[call.flow as usize].attempts += 1;
        self.services[service as usize].attempts += 1;
        self.draw_demand(handle);
        let timeout = self.callers[client as usize].timeout;
        if timeout != u64::MAX {
            self.start_timeout(client, self.now.saturating_add(timeout), handle);
        }
        match self.network_delay(handle, self.network_stream) {
            0 => self.at_balancer(handle),
            delay => self.travel(
                delay,
                self.lanes.to_balancer(service),
                handle,
                Event::AtBalancer,
            ),
        }
    }

    /// Sets the timer of an attempt.
    #[inline]
    pub(super) fn start_timeout(&mut self, client: u16, at: u64, handle: Handle) {
        if !self
            .agenda
            .push_lane(self.lanes.timeout(client), at, handle)
        {
            self.agenda.schedule(at, Event::Timeout(handle));
        }
    }

    /// Time from caller to balancer, or back, for this attempt.
    #[inline]
    fn network_delay(&self, handle: Handle, stream: Stream) -> u64 {
        let attempt = &self.attempts[handle];
        let service = &self.services[attempt.service as usize];
        if let Some(constant) = service.network_ns {
            return constant;
        }
        let tries = if self.calls.contains(attempt.call) {
            self.calls[attempt.call].attempts
        } else {
            0
        };
        Duration::from_nanos_f64(
            service
                .network
                .sample_ns(&mut stream.at(try_of(attempt.number, tries))),
        )
        .0
    }

    fn travel(&mut self, delay: u64, lane: usize, handle: Handle, event: fn(Handle) -> Event) {
        let at = self.now.saturating_add(delay);
        let constant = self.services[self.attempts[handle].service as usize]
            .network_ns
            .is_some();
        if !(constant && self.agenda.push_lane(lane, at, handle)) {
            self.agenda.schedule(at, event(handle));
        }
    }

    /// The outcome of an attempt starts its way back to the caller.
    #[inline]
    pub(super) fn reply(&mut self, handle: Handle, outcome: Outcome) {
        if self.attempts[handle].purpose != Purpose::Request {
            return self.probe_ended(handle, outcome == Outcome::Succeeded);
        }
        self.release(handle, outcome);
        let attempt = &mut self.attempts[handle];
        attempt.place = Place::Answered;
        attempt.outcome = outcome;
        let service = attempt.service;
        if !self.calls.contains(attempt.call) {
            // Work for nobody: the caller has given up long since.
            self.attempts.remove(handle);
            return;
        }
        match self.network_delay(handle, self.reply_stream) {
            0 => self.answer(handle),
            delay => self.travel(delay, self.lanes.to_caller(service), handle, Event::Answer),
        }
    }

    /// The outcome of an attempt reaches the caller.
    #[inline]
    pub(super) fn answer(&mut self, handle: Handle) {
        let Attempt { call, outcome, .. } = self.attempts[handle];
        self.attempt_ended(handle, outcome);
        self.attempts.remove(handle);
        if !self.calls.contains(call) {
            return;
        }
        self.calls[call].current = Handle::NONE;
        if outcome == Outcome::Succeeded {
            self.end_call(call, outcome);
        } else {
            self.try_again(call, outcome);
        }
    }

    /// Counts how an attempt ended for its caller.
    #[inline]
    fn attempt_ended(&mut self, handle: Handle, outcome: Outcome) {
        let attempt = &self.attempts[handle];
        let service = &mut self.services[attempt.service as usize];
        service.attempt_outcomes[outcome as usize] += 1;
        self.recorder
            .attempt_ended(attempt.service, attempt.begun, outcome);
    }

    /// After a failed attempt: another one, or the end of the call.
    fn try_again(&mut self, handle: Handle, outcome: Outcome) {
        let retries = self.retry_stream;
        let call = &mut self.calls[handle];
        let caller = &mut self.callers[call.client as usize];
        let affordable = caller.client.retry_budget.is_none() || caller.tokens >= 1.0;
        if call.attempts >= caller.attempts || !affordable {
            return self.end_call(handle, outcome);
        }
        if caller.client.retry_budget.is_some() {
            caller.tokens -= 1.0;
        }
        let mut draws = retries.at(try_of(call.number, call.attempts));
        let pause = caller
            .retry
            .pause(call.attempts, Duration(call.pause_ns), &mut draws);
        call.pause_ns = pause.0;
        self.agenda
            .schedule(self.now.saturating_add(pause.0), Event::Attempt(handle));
    }

    /// A call is over.
    #[inline]
    pub(super) fn end_call(&mut self, handle: Handle, outcome: Outcome) {
        let call = &self.calls[handle];
        let (parent, source) = (call.parent, call.source);
        self.recorder.call_ended(
            self.now,
            call.flow,
            call.number,
            call.class,
            call.arrived,
            call.attempts,
            call.previous,
            outcome,
        );
        self.calls.remove(handle);
        if !parent.is_none() {
            self.child_returned(parent, outcome == Outcome::Succeeded);
        } else if self.sources[source as usize].gaps.is_none() {
            self.think(source);
        }
    }

    /// A caller gives up an attempt, and tries again or not.
    pub(super) fn give_up(&mut self, handle: Handle) {
        let call = self.attempts[handle].call;
        self.abandon(handle, Outcome::TimedOut);
        self.calls[call].current = Handle::NONE;
        self.try_again(call, Outcome::TimedOut);
    }

    /// A caller gives up a call, whatever its attempts.
    pub(super) fn give_up_call(&mut self, handle: Handle, outcome: Outcome) {
        let current = self.calls[handle].current;
        if self.attempts.contains(current) {
            self.abandon(current, outcome);
        }
        self.end_call(handle, outcome);
    }

    /// The caller hangs up. The balancer sees the closed connection; the server does not, unless
    /// the caller cancels, and goes on working for nobody.
    pub(super) fn abandon(&mut self, handle: Handle, outcome: Outcome) {
        self.attempt_ended(handle, outcome);
        let attempt = &self.attempts[handle];
        let (place, client) = (attempt.place, self.calls[attempt.call].client);
        let cancel = self.callers[client as usize].client.cancel;
        self.leave_balancer_queue(handle);
        self.release(handle, outcome);
        let at_server = matches!(
            place,
            Place::Queued | Place::InService | Place::Holding | Place::Calling
        );
        if at_server && !cancel {
            self.attempts[handle].call = Handle::NONE;
            return;
        }
        if at_server {
            self.withdraw(handle);
        }
        self.attempts.remove(handle);
    }

    /// Takes a cancelled attempt out of its server.
    fn withdraw(&mut self, handle: Handle) {
        let Attempt {
            place,
            server,
            child,
            ..
        } = self.attempts[handle];
        match place {
            Place::Queued => self.unqueue(handle),
            Place::InService => self.interrupt(handle),
            Place::Holding => self.let_go(server),
            _ => {}
        }
        self.abandon_child(child);
        self.leave_server(server);
        if self.servers[server as usize].watched {
            self.watch_server(server);
        }
    }

    /// The caller of a call between services is gone.
    pub(super) fn abandon_child(&mut self, child: Handle) {
        if self.calls.contains(child) {
            self.calls[child].parent = Handle::NONE;
            let current = self.calls[child].current;
            if self.attempts.contains(current) {
                self.abandon(current, Outcome::Cancelled);
            }
            let call = &self.calls[child];
            self.recorder.call_ended(
                self.now,
                call.flow,
                call.number,
                call.class,
                call.arrived,
                call.attempts,
                call.previous,
                Outcome::Cancelled,
            );
            self.calls.remove(child);
        }
    }

    /// The identity of a call that an attempt makes: the same for every attempt of the request.
    pub(super) fn child_number(number: u64, call: usize) -> u64 {
        mix(number ^ (call as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }
}

/// A distribution's value where it never varies.
pub(super) fn constant_ns(distribution: &dyn Distribution) -> Option<u64> {
    distribution
        .constant_ns()
        .map(|ns| Duration::from_nanos_f64(ns).0)
}
