//! An attempt comes to a post, passes its guards, is held there, leaves.

use super::fast::FIRST;
use super::{Hold, Post, Row, Seat, Visit};
use crate::engine::Simulation;
use crate::engine::attempt::Place;
use crate::engine::event::Event;
use crate::engine::slab::Handle;
use crate::guard::{Admission, Asked, Ended, Load, Sees, Verdict, Who};
use crate::ids::{Id, ServerId};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};

/// What became of an attempt that was asked to pass.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    Through,
    Held,
    Refused,
}

impl Simulation {
    /// An attempt comes to a post. Where it may not go on at once that is seen to, and false.
    #[inline]
    pub(in crate::engine) fn enter(&mut self, post: Post, handle: Handle) -> bool {
        !self.guards.any || self.enter_chain(post, handle)
    }

    #[inline(never)]
    fn enter_chain(&mut self, post: Post, handle: Handle) -> bool {
        let Some(seat) = self.seat(post, handle) else {
            return true;
        };
        let now = self.now;
        *self.guards.visit(post, handle) = Visit {
            seat: Some(seat),
            arrived: now,
            went_on: now,
            ..Visit::default()
        };
        self.ask(post, handle, seat) == Passage::Through
    }

    /// Asks the guards of a chain that an attempt has not passed yet.
    fn ask(&mut self, post: Post, handle: Handle, seat: Seat) -> Passage {
        loop {
            let row = self.guards.visit(post, handle).passed;
            if row >= self.guards.chain(seat).rows.len() {
                return Passage::Through;
            }
            let verdict = self.verdict(handle, seat, row, false);
            match self.obey(handle, seat, row, verdict) {
                Passage::Through => {}
                stopped => return stopped,
            }
        }
    }

    /// Does what a guard has said of an attempt.
    pub(super) fn obey(
        &mut self,
        handle: Handle,
        seat: Seat,
        row: usize,
        verdict: Verdict,
    ) -> Passage {
        let row_of = &mut self.guards.chain(seat).rows[row];
        match verdict {
            Verdict::Pass => {
                self.pass_one(handle, seat);
                Passage::Through
            }
            Verdict::Dim(millionths) => {
                row_of.dimmed += 1;
                let demand_ns = &mut self.attempts[handle].demand_ns;
                let less = u128::from(*demand_ns) * u128::from(millionths) / 1_000_000;
                *demand_ns = less as u64;
                self.pass_one(handle, seat);
                Passage::Through
            }
            Verdict::Delay(span) => {
                row_of.held += 1;
                self.pass_one(handle, seat);
                self.hold(handle, seat, span, false);
                Passage::Held
            }
            Verdict::Wait(longest) => {
                row_of.held += 1;
                let state = row_of.state(seat.owner);
                state.waiting += 1;
                state.line.push_back(handle);
                self.hold(handle, seat, longest, true);
                Passage::Held
            }
            Verdict::Refuse | Verdict::Stop => {
                row_of.refused += 1;
                self.turn_away(handle, seat);
                Passage::Refused
            }
        }
    }

    /// How the try before an attempt ended, as its caller knows.
    fn failed_before(&self, handle: Handle) -> Option<Outcome> {
        let call = self.attempts[handle].call;
        (!call.is_elided() && self.calls.contains(call))
            .then(|| self.calls[call].memory.outcome())
            .flatten()
    }

    /// What a guard says to an attempt; `waits`: it is one of those that wait there.
    pub(super) fn verdict(
        &mut self,
        handle: Handle,
        seat: Seat,
        row: usize,
        waits: bool,
    ) -> Verdict {
        let ordinal = self.ordinal(handle);
        let number = self.attempts[handle].number;
        let def = self.guards.chain(seat).rows[row].guard.def;
        if def.asked != Asked::WhenSent && ordinal > 1 {
            // It was asked when the caller decided to try again.
            let state = self.guards.chain(seat).rows[row].state(seat.owner);
            state.guard.sent();
            return Verdict::Pass;
        }
        let mut draws = self.guards.draws(seat.post, row, number, ordinal);
        let mut asked = self.asks(handle, seat, row, ordinal);
        asked.waiting -= u32::from(waits);
        let state = self.guards.chain(seat).rows[row].state(seat.owner);
        state.guard.admit(&asked, &mut draws)
    }

    /// Which attempt of its call it is, from 1.
    pub(super) fn ordinal(&self, handle: Handle) -> u32 {
        if self.attempts[handle].call.is_elided() {
            FIRST
        } else {
            self.attempts.cold(handle).ordinal
        }
    }

    /// What a guard of a chain is asked of an attempt.
    pub(super) fn asks(
        &mut self,
        handle: Handle,
        seat: Seat,
        row: usize,
        ordinal: u32,
    ) -> Admission {
        let Row { guard, sees, .. } = &self.guards.chain(seat).rows[row];
        let (def, sees) = (guard.def, *sees);
        let until = if def.keeps_deadlines {
            self.until(handle)
        } else {
            None
        };
        let (who, alike) = if sees == Sees::Attempt {
            (Who::default(), None)
        } else {
            (self.who(handle), self.alike(handle, seat, row))
        };
        let load = if seat.post == Post::Server && (sees != Sees::Attempt || def.watches_queue) {
            self.load_of(self.attempts[handle].server)
        } else {
            Load::default()
        };
        let after = self.failed_before(handle);
        let now = Instant(self.now);
        let state = self.guards.chain(seat).rows[row].state(seat.owner);
        Admission {
            now,
            attempt: ordinal,
            after,
            in_flight: state.in_flight,
            waiting: state.waiting,
            until,
            who,
            alike: alike.map_or(0, |alike| state.alike.get(&alike).copied().unwrap_or(0)),
            load,
        }
    }

    /// Of whom an attempt comes.
    fn who(&self, handle: Handle) -> Who {
        let class = self.attempts[handle].class;
        Who {
            class: class.position(),
            priority: self.classes[class].priority,
            key: self.key_of(handle),
        }
    }

    /// The key of an attempt's request, as it was noted when the attempt began: its call may be gone.
    fn key_of(&self, handle: Handle) -> u64 {
        self.attempts.cold(handle).key
    }

    /// Notes the key of an attempt's request.
    pub(in crate::engine) fn note_key(&mut self, handle: Handle) {
        let call = self.attempts[handle].call;
        if self.calls.contains(call) {
            self.attempts.cold_mut(handle).key = self.calls[call].key;
        }
    }

    /// What attempts that a guard counts together with this one have in common.
    pub(super) fn alike(&mut self, handle: Handle, seat: Seat, row: usize) -> Option<u64> {
        match self.guards.chain(seat).rows[row].sees {
            Sees::Attempt | Sees::All => None,
            Sees::Class => Some(self.attempts[handle].class.position() as u64),
            Sees::Key => Some(self.key_of(handle)),
        }
    }

    /// What a server is doing.
    fn load_of(&self, server: ServerId) -> Load {
        let s = &self.fleet[server];
        Load {
            busy: s.busy(),
            workers: s.workers,
            queued: s.queue_len,
            busy_ns: s.busy_area(self.now),
        }
    }

    /// An attempt has passed one more guard.
    fn pass_one(&mut self, handle: Handle, seat: Seat) {
        let visit = self.guards.visit(seat.post, handle);
        let row = visit.passed;
        visit.passed += 1;
        let alike = self.alike(handle, seat, row);
        let row = &mut self.guards.chain(seat).rows[row];
        row.passed += 1;
        row.state(seat.owner).enters(alike);
    }

    /// An attempt stays where it is for now.
    fn hold(&mut self, handle: Handle, seat: Seat, span: Duration, in_line: bool) {
        let (post, until) = (seat.post, self.now.saturating_add(span.0));
        self.guards.visits[handle.slot()].held = Some(Hold {
            post,
            until,
            in_line,
        });
        self.attempts[handle].place = match seat.post {
            Post::Server => Place::HeldAtServer,
            Post::Caller | Post::Balancer => Place::Held,
        };
        let then = if in_line {
            Event::Overdue(handle)
        } else {
            Event::Admitted(handle)
        };
        self.events.schedule(until, then);
    }

    /// The time of an attempt that was delayed has come.
    pub(in crate::engine) fn admitted(&mut self, handle: Handle) {
        if let Some(hold) = self.hold_that_ends(handle, false) {
            self.go_on(hold.post, handle);
        }
    }

    /// What holds an attempt, if that ends now; timers of earlier holds are void.
    fn hold_that_ends(&self, handle: Handle, in_line: bool) -> Option<Hold> {
        let hold = self.guards.visits.get(handle.slot())?.held?;
        (hold.until == self.now && hold.in_line == in_line).then_some(hold)
    }

    /// A held attempt goes on with the guards behind.
    fn go_on(&mut self, post: Post, handle: Handle) {
        let now = self.now;
        let visits = &mut self.guards.visits[handle.slot()];
        visits.held = None;
        let visit = &mut visits.posts[post as usize];
        visit.went_on = now;
        visit.delayed_by = visit.passed.saturating_sub(1);
        let Some(seat) = visit.seat else { return };
        self.attempts[handle].place = Place::Underway;
        if self.ask(post, handle, seat) != Passage::Through {
            return;
        }
        match post {
            Post::Caller => self.depart(handle),
            Post::Balancer => self.choose(handle),
            Post::Server => self.welcome(handle),
        }
    }

    /// An attempt has waited at a guard for as long as that allows.
    pub(in crate::engine) fn overdue(&mut self, handle: Handle) {
        let Some(hold) = self.hold_that_ends(handle, true) else {
            return;
        };
        let visit = *self.guards.visit(hold.post, handle);
        let Some(seat) = visit.seat else { return };
        self.guards.chain(seat).rows[visit.passed].refused += 1;
        self.turn_away(handle, seat);
    }

    /// An attempt is held no longer.
    fn let_loose(&mut self, handle: Handle) {
        let visits = &mut self.guards.visits[handle.slot()];
        let Some(hold) = visits.held.take().filter(|hold| hold.in_line) else {
            return;
        };
        let visit = visits.posts[hold.post as usize];
        let Some(seat) = visit.seat else { return };
        let state = self.guards.chain(seat).rows[visit.passed].state(seat.owner);
        state.waiting -= 1;
        // It is not searched for in the line, but passed over when it comes to the front. Many of
        // that kind are cleared away at once.
        if state.line.len() > 64 + 2 * state.waiting as usize {
            let mut line = std::mem::take(&mut state.line);
            line.retain(|&other| self.is_in_line(other, seat, visit.passed));
            self.guards.chain(seat).rows[visit.passed]
                .state(seat.owner)
                .line = line;
        }
    }

    /// Whether an attempt still waits at a guard.
    fn is_in_line(&self, handle: Handle, seat: Seat, row: usize) -> bool {
        self.attempts.contains(handle) && {
            let visits = &self.guards.visits[handle.slot()];
            let visit = visits.posts[seat.post as usize];
            let waits = |hold: Hold| hold.in_line && hold.post == seat.post;
            // Where all share a guard, the line is of all owners.
            let same = |at: Seat| at.chain == seat.chain;
            visits.held.is_some_and(waits) && visit.passed == row && visit.seat.is_some_and(same)
        }
    }

    /// A guard has turned an attempt away: those before it learn nothing from that.
    fn turn_away(&mut self, handle: Handle, seat: Seat) {
        self.leave(seat.post, handle, Outcome::Cancelled);
        match seat.post {
            Post::Caller => {
                let attempt = &mut self.attempts[handle];
                (attempt.place, attempt.outcome) = (Place::Answered, Outcome::Shed);
                self.answer(handle);
            }
            Post::Balancer => self.reply(handle, Outcome::Shed),
            Post::Server => self.send_away(handle, Outcome::Shed),
        }
    }

    /// An attempt leaves a post: the guards that it passed learn how it ended, as seen from there.
    #[inline]
    pub(in crate::engine) fn leave(&mut self, post: Post, handle: Handle, outcome: Outcome) {
        if self.guards.any {
            self.leave_chain(post, handle, outcome);
        }
    }

    #[inline(never)]
    fn leave_chain(&mut self, post: Post, handle: Handle, outcome: Outcome) {
        let Some(visits) = self.guards.visits.get(handle.slot()) else {
            return;
        };
        if visits.held.is_some_and(|hold| hold.post == post) {
            self.let_loose(handle);
        }
        let visit = std::mem::take(self.guards.visit(post, handle));
        let Some(seat) = visit.seat else { return };
        let now = Instant(self.now);
        let (attempt, after) = (self.ordinal(handle), self.failed_before(handle));
        for row in 0..visit.passed {
            let passed = if row < visit.delayed_by {
                visit.arrived
            } else {
                visit.went_on
            };
            let alike = self.alike(handle, seat, row);
            let state = self.guards.chain(seat).rows[row].state(seat.owner);
            let has_news = state.guard.ended(&Ended {
                now,
                passed: Instant(passed),
                outcome,
                attempt,
                after,
                in_flight: state.in_flight,
            });
            state.leaves(alike);
            let news = has_news.then(|| state.guard.news()).flatten();
            if state.waiting > 0 {
                self.guards.to_wake.push((seat, row));
            }
            if let Some(news) = news {
                self.tell_news(seat, news);
            }
        }
    }

    /// Lets those go on that waited for another to end, once the present event is done.
    #[inline]
    pub(in crate::engine) fn wake_held(&mut self) {
        while let Some((seat, row)) = self.guards.to_wake.pop() {
            self.wake(seat, row);
        }
    }

    #[cold]
    fn wake(&mut self, seat: Seat, row: usize) {
        loop {
            let rows = &mut self.guards.chain(seat).rows;
            // Settings may have changed since.
            let Some(state) = rows.get_mut(row).map(|row| row.state(seat.owner)) else {
                return;
            };
            let Some(&handle) = state.line.front() else {
                return;
            };
            if !self.is_in_line(handle, seat, row) {
                let rows = &mut self.guards.chain(seat).rows;
                rows[row].state(seat.owner).line.pop_front();
                continue;
            }
            let verdict = self.verdict(handle, seat, row, true);
            let row_of = &mut self.guards.chain(seat).rows[row];
            match verdict {
                Verdict::Wait(_) => return,
                Verdict::Refuse | Verdict::Stop => {
                    row_of.refused += 1;
                    self.turn_away(handle, seat);
                    continue;
                }
                Verdict::Pass | Verdict::Dim(_) | Verdict::Delay(_) => {}
            }
            let state = row_of.state(seat.owner);
            state.line.pop_front();
            state.waiting -= 1;
            // A shared guard has a line of all owners.
            let own = self.guards.visit(seat.post, handle).seat.unwrap_or(seat);
            self.pass_one(handle, own);
            self.go_on(seat.post, handle);
        }
    }

    /// Whether a caller's guards, those that are asked before the pause, allow one more attempt, or
    /// one more copy beside one.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "one look where nothing of the kind is written"
    )]
    pub(in crate::engine) fn may_try_again(&mut self, handle: Handle, copy: bool) -> bool {
        !self.guards.any || self.let_try_again(handle, copy)
    }

    #[inline(never)]
    fn let_try_again(&mut self, handle: Handle, copy: bool) -> bool {
        let call = &self.calls[handle];
        let (chain, owner) = self.caller_seat(call);
        let post = Post::Caller;
        let seat = Seat { post, chain, owner };
        let (number, attempt) = (call.number, call.attempts + 1);
        let after = call.memory.outcome();
        let now = Instant(self.now);
        for position in 0..self.guards.chain(seat).rows.len() {
            let mut draws = self.guards.draws(post, position, number, attempt);
            let row = &mut self.guards.chain(seat).rows[position];
            match row.guard.def.asked {
                Asked::BeforePause => {}
                Asked::BeforeCopy if copy => {}
                Asked::BeforeCopy | Asked::WhenSent => continue,
            }
            let state = row.state(seat.owner);
            let asked = Admission {
                now,
                attempt,
                after,
                in_flight: state.in_flight,
                waiting: state.waiting,
                until: None,
                who: Who::default(),
                alike: 0,
                load: Load::default(),
            };
            if state.guard.admit(&asked, &mut draws) != Verdict::Pass {
                row.refused += 1;
                return false;
            }
        }
        true
    }
}
