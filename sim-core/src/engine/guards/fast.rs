//! Guards on the fast path: asked and told at once, with nothing written down.
//!
//! Whom a guard does not let pass goes on by the general path, with what the guard said.

use super::passing::Passage;
use super::{Chain, Guards, Post, Seat, State, Visit, draws_of};
use crate::engine::Simulation;
use crate::engine::attempt::{Attempt, Place};
use crate::engine::slab::Handle;
use crate::guard::{Admission, Ended, Load, News, Verdict, Who};
use crate::ids::{ClientId, InstanceId, ServerId, ServiceId};
use crate::outcome::Outcome;
use crate::time::Instant;

/// The ordinal of attempts on the fast path.
pub(super) const FIRST: u32 = 1;

/// The only attempt of a request on the fast path.
#[derive(Clone, Copy)]
pub(in crate::engine) struct FastAttempt {
    pub number: u64,
    pub begun: u64,
    /// How long its caller waits for the answer, `u64::MAX` for ever.
    pub timeout: u64,
}

impl FastAttempt {
    /// When its caller gives it up.
    pub(super) fn until(self) -> Option<Instant> {
        let until = self.begun.saturating_add(self.timeout);
        (until != u64::MAX).then_some(Instant(until))
    }

    /// What a guard is asked of it.
    fn asks(self, state: &State, now: u64) -> Admission {
        Admission {
            now: Instant(now),
            attempt: FIRST,
            after: None,
            in_flight: state.in_flight,
            waiting: state.waiting,
            until: self.until(),
            // Guards that look at more are not on the fast path.
            who: Who::default(),
            alike: 0,
            load: Load::default(),
        }
    }
}

/// Who was not let pass on the fast path: by which guard, and what it said.
pub(in crate::engine) struct Stopped {
    seat: Seat,
    row: usize,
    verdict: Verdict,
}

impl Guards {
    /// As [`Simulation::enter`] at a caller from outside and at a balancer, which has one instance if
    /// it has guards, for the first attempt of a request, which begins now. Who was not let pass; nothing is
    /// written down for one that was.
    #[inline]
    pub(in crate::engine) fn pass_fast(
        &mut self,
        client: ClientId,
        service: ServiceId,
        who: FastAttempt,
    ) -> Option<Stopped> {
        if self.stand[Post::Caller as usize]
            && let Some(stopped) = self.pass_chain(self.fast_caller(client), who)
        {
            return Some(stopped);
        }
        if self.stand[Post::Balancer as usize] {
            return self.pass_chain(self.fast_balancer(service), who);
        }
        None
    }

    /// The same at a server.
    #[inline]
    pub(in crate::engine) fn pass_fast_server(
        &mut self,
        server: ServerId,
        who: FastAttempt,
    ) -> Option<Stopped> {
        if self.stand[Post::Server as usize] {
            return self.pass_chain(Seat::at_server(server), who);
        }
        None
    }

    fn pass_chain(&mut self, seat: Seat, who: FastAttempt) -> Option<Stopped> {
        let stream = self.streams[seat.post as usize];
        for (i, row) in self.chain(seat).rows.iter_mut().enumerate() {
            let state = row.state(seat.owner);
            let mut draws = draws_of(stream, i, who.number, FIRST);
            let asked = who.asks(state, who.begun);
            let verdict = state.guard.admit(&asked, &mut draws);
            if verdict != Verdict::Pass {
                return Some(Stopped {
                    seat,
                    row: i,
                    verdict,
                });
            }
            state.in_flight += 1;
            row.passed += 1;
        }
        None
    }

    /// Whether there are guards at the balancer of a service.
    pub(in crate::engine) fn any_at_balancer(&self, service: ServiceId) -> bool {
        !self.balancers[service].rows.is_empty()
    }

    /// Whether guards of a server are asked again when service begins, or others must hear of that.
    #[inline]
    pub(in crate::engine) fn asked_again(&self, server: ServerId) -> bool {
        self.ties
            || self.stand[Post::Server as usize]
                && (self.servers[server].rows.iter()).any(|row| row.guard.def.keeps_deadlines)
    }

    /// Whether these would let an attempt begin that has waited on the fast path.
    pub(in crate::engine) fn would_let_begin(
        &mut self,
        server: ServerId,
        who: FastAttempt,
        now: u64,
    ) -> bool {
        let stream = self.streams[Post::Server as usize];
        let rows = self.servers[server].rows.iter_mut().enumerate();
        let mut asked_again = rows.filter(|(_, row)| row.guard.def.keeps_deadlines);
        asked_again.all(|(i, row)| {
            let state = row.state(0);
            let mut draws = draws_of(stream, i, who.number, FIRST);
            let asked = who.asks(state, now);
            state.guard.admit(&asked, &mut draws) == Verdict::Pass
        })
    }

    /// The chain of a kind of caller from outside.
    fn fast_caller(&self, client: ClientId) -> Seat {
        let (chain, owner) = self.of_client[client];
        Seat {
            post: Post::Caller,
            chain,
            owner,
        }
    }

    /// The chain of a balancer with guards, which has one instance here.
    fn fast_balancer(&self, service: ServiceId) -> Seat {
        Seat {
            post: Post::Balancer,
            chain: u32::from(service.0),
            owner: self.fast_owner[service],
        }
    }

    /// As [`Simulation::leave`] at all three, for one that was passed when it began and has succeeded.
    pub(in crate::engine) fn leave_fast(
        &mut self,
        client: impl FnOnce() -> ClientId,
        service: ServiceId,
        server: ServerId,
        begun: u64,
        now: u64,
    ) {
        let [at_callers, at_balancers, at_servers] = self.stand;
        let of_balancer = at_balancers.then(|| self.fast_balancer(service));
        let of_caller = at_callers.then(|| self.fast_caller(client()));
        let mut end = End {
            begun,
            now,
            to_wake: &mut self.to_wake,
            kept_news: &mut self.kept_news,
        };
        if at_servers {
            end.tell(&mut self.servers[server], Seat::at_server(server));
        }
        if let Some(seat) = of_balancer {
            end.tell(&mut self.balancers[service], seat);
        }
        if let Some(seat) = of_caller {
            end.tell(&mut self.callers[seat.chain as usize], seat);
        }
    }
}

/// The success of an attempt that all guards passed when it began, and what follows from it.
struct End<'a> {
    begun: u64,
    now: u64,
    to_wake: &'a mut Vec<(Seat, usize)>,
    kept_news: &'a mut Vec<(Seat, News)>,
}

impl End<'_> {
    /// The guards of a chain hear of it.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a part of `leave_fast`, three times")]
    fn tell(&mut self, chain: &mut Chain, seat: Seat) {
        for (i, row) in chain.rows.iter_mut().enumerate() {
            let state = row.state(seat.owner);
            let has_news = state.guard.ended(&Ended {
                now: Instant(self.now),
                passed: Instant(self.begun),
                outcome: Outcome::Succeeded,
                attempt: FIRST,
                after: None,
                in_flight: state.in_flight,
            });
            state.in_flight -= 1;
            if state.waiting > 0 {
                self.to_wake.push((seat, i));
            }
            if has_news && let Some(news) = state.guard.news() {
                self.kept_news.push((seat, news));
            }
        }
    }
}

impl Simulation {
    /// A guard has not let pass an attempt on the fast path, which goes on by the general one.
    #[cold]
    #[inline(never)]
    pub(in crate::engine) fn stop_fast(&mut self, handle: Handle, stopped: &Stopped) {
        let &Stopped { seat, row, verdict } = stopped;
        self.judge_turned();
        let attempt = &mut self.attempts[handle];
        let index = attempt.instance;
        attempt.place = Place::Underway;
        if seat.post != Post::Server {
            attempt.server = ServerId::NONE;
        }
        if seat.post == Post::Caller {
            // It has not come to the balancer.
            attempt.instance = InstanceId::NONE;
            let instance = &mut self.balancers[index];
            instance.connections -= 1;
            instance.attempts -= 1;
        }
        self.spell_out(handle);
        if seat.post == Post::Caller {
            *self.guards.visit(Post::Balancer, handle) = Visit::default();
        }
        self.guards.visit(seat.post, handle).passed = row;
        if self.obey(handle, seat, row, verdict) == Passage::Through {
            unreachable!("it was not let pass");
        }
    }

    /// Writes down which guards an attempt has passed whose call was elided until now: all where it
    /// has been.
    pub(in crate::engine) fn note_elided_visits(&mut self, handle: Handle) {
        self.guards.begin(handle);
        if !self.guards.any {
            return;
        }
        self.note_key(handle);
        let Attempt {
            begun,
            instance,
            server,
            ..
        } = self.attempts[handle];
        for post in [Post::Caller, Post::Balancer, Post::Server] {
            let came = match post {
                Post::Caller => true,
                Post::Balancer => instance != InstanceId::NONE,
                Post::Server => server != ServerId::NONE,
            };
            if !came {
                continue;
            }
            if let Some(seat) = self.seat(post, handle) {
                let passed = self.guards.chain(seat).rows.len();
                *self.guards.visit(post, handle) = Visit {
                    seat: Some(seat),
                    passed,
                    arrived: begun,
                    went_on: begun,
                    delayed_by: 0,
                };
            }
        }
    }

    /// Writes down what guards had to say on the fast path.
    #[inline]
    pub(in crate::engine) fn tell_kept_news(&mut self) {
        if !self.guards.kept_news.is_empty() {
            self.tell_all_kept_news();
        }
    }

    #[cold]
    fn tell_all_kept_news(&mut self) {
        for (seat, news) in std::mem::take(&mut self.guards.kept_news) {
            self.tell_news(seat, news);
        }
    }
}
