//! Hedging: several attempts of a call side by side.
//!
//! A *try* of a hedged call is an attempt and the *copies* sent beside it. The first success
//! ends the call, and the other copies are called off. A try has failed when nothing of it is
//! out any more; only then do the rules for retries decide. Copies that were not sent by then
//! never are.

use super::Simulation;
use super::attempt::{Call, Calls};
use super::caller::Caller;
use super::event::Event;
use super::event_queue::NEVER;
use super::slab::Handle;
use crate::ids::{LocalId, ServerId};
use crate::model::Hedge;
use crate::outcome::Outcome;

/// What there is to know of a hedged call besides the call, by its place.
#[derive(Clone)]
pub(super) struct Hedged {
    /// Stale once the call is gone: the place may by then be that of another.
    call: Handle,
    /// Its attempts that are out, in the order in which they were begun.
    out: Vec<Handle>,
    /// Attempts of the present try.
    sent: u32,
    /// Copies beside the first attempt, over all tries.
    copies: u32,
    /// When the next copy is due.
    next: u64,
    /// While attempts are sent or called off one by one, failures of others wait for the end of that.
    busy: bool,
    /// How the latest attempt failed.
    failure: Outcome,
}

impl Hedged {
    fn of(call: Handle) -> Self {
        Self {
            call,
            out: Vec::new(),
            sent: 0,
            copies: 0,
            next: NEVER,
            busy: false,
            failure: Outcome::Cancelled,
        }
    }

    /// Bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.out.capacity() * size_of::<Handle>()
    }

    /// Nothing of a new try is out yet, and no copy of the one before is due any more.
    fn begin_try(&mut self) {
        (self.sent, self.next) = (0, NEVER);
    }
}

impl Calls {
    /// Several attempts of a call may be out from now on.
    fn hedge(&mut self, call: Handle) -> &mut Hedged {
        let hedged = (self.hedged).with_room(call.slot(), Hedged::of(Handle::NONE));
        if hedged.call != call {
            // The list of attempts is kept for its room.
            let mut out = std::mem::take(&mut hedged.out);
            out.clear();
            *hedged = Hedged {
                out,
                ..Hedged::of(call)
            };
        }
        hedged
    }

    /// The same for a call that was elided until now: its only attempt is out, and the next may be due at
    /// some time.
    pub(super) fn hedge_spelled_out(&mut self, call: Handle, attempt: Handle, next: Option<u64>) {
        let hedged = self.hedge(call);
        hedged.out.push(attempt);
        (hedged.sent, hedged.next) = (1, next.unwrap_or(NEVER));
    }

    /// What is known of a call that is hedged.
    #[inline]
    pub(super) fn hedged_mut(&mut self, call: Handle) -> Option<&mut Hedged> {
        let hedged = self.hedged.get_mut(call.slot())?;
        (hedged.call == call).then_some(hedged)
    }

    #[inline]
    fn hedged(&self, call: Handle) -> Option<&Hedged> {
        let hedged = self.hedged.get(call.slot())?;
        (hedged.call == call).then_some(hedged)
    }

    /// Whether several attempts of a call may be out.
    #[inline]
    pub(super) fn is_hedged(&self, call: Handle) -> bool {
        self.hedged(call).is_some()
    }

    /// Whether a copy beside the attempts of a call is due at a time.
    #[inline]
    pub(super) fn awaits_copy_at(&self, call: Handle, time: u64) -> bool {
        self.contains(call) && self.hedged(call).is_some_and(|hedged| hedged.next == time)
    }

    /// An attempt of a call begins. Returns how many others its try has sent before.
    #[inline]
    fn attempt_begins(&mut self, call: Handle, attempt: Handle) -> u32 {
        self[call].current = attempt;
        let Some(hedged) = self.hedged_mut(call) else {
            return 0;
        };
        let before = hedged.sent;
        hedged.out.push(attempt);
        hedged.sent += 1;
        hedged.copies += u32::from(before > 0);
        before
    }

    /// Tries so far: copies are none of their own.
    #[inline]
    pub(super) fn tries(&self, call: Handle) -> u32 {
        self[call].attempts - self.hedged(call).map_or(0, |hedged| hedged.copies)
    }

    /// An attempt takes the place of another.
    pub(super) fn replace_attempt(&mut self, call: Handle, old: Handle, new: Handle) {
        if !self.contains(call) {
            return;
        }
        self[call].current = new;
        if let Some(hedged) = self.hedged_mut(call)
            && let Some(place) = hedged.out.iter_mut().find(|other| **other == old)
        {
            *place = new;
        }
    }
}

impl Simulation {
    /// A caller makes a try: one attempt, or several side by side.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "one comparison for those who send no copies"
    )]
    pub(super) fn begin_try(&mut self, call: Handle) {
        self.remember_tries(call);
        let client = self.calls[call].client;
        match self.callers[client].client.hedge {
            None => {
                // Hedging may have ended since the call's last try.
                if let Some(hedged) = self.calls.hedged_mut(call) {
                    hedged.begin_try();
                }
                if !self.ends_at_the_door(call) {
                    self.begin_attempt(call);
                }
            }
            Some(hedge) => self.begin_hedged(call, hedge),
        }
    }

    #[inline(never)]
    fn begin_hedged(&mut self, call: Handle, hedge: Hedge) {
        let slot = call.slot();
        let hedged = self.calls.hedge(call);
        hedged.begin_try();
        if hedge.after.is_zero() {
            hedged.busy = true;
            self.begin_attempt(call);
            while self.send_copy(call, hedge) {}
            self.calls.hedged[slot].busy = false;
            self.settle(call);
        } else {
            self.begin_attempt(call);
            self.plan_copy(call, hedge);
        }
    }

    /// An attempt of a call begins. Returns the attempt whose draws say what it asks: its own, that of
    /// the attempt which its try began with, or 0 for what the request has asked from the start.
    #[inline]
    pub(super) fn attempt_begins(&mut self, call: Handle, attempt: Handle) -> u32 {
        let copies_before = self.calls.attempt_begins(call, attempt);
        let Call {
            attempts, client, ..
        } = self.calls[call];
        let Caller { client, terms, .. } = &self.callers[client];
        if copies_before > 0 && client.hedge.is_some_and(|hedge| hedge.own_demand) {
            return attempts;
        }
        match attempts - copies_before {
            first if terms.own_demand && first > 1 => first,
            _ => 0,
        }
    }

    /// Sends one more copy, if the try may have one and the budget for retries covers it.
    fn send_copy(&mut self, call: Handle, hedge: Hedge) -> bool {
        let sent = self
            .calls
            .hedged(call)
            .map_or(u32::MAX, |hedged| hedged.sent);
        if sent >= hedge.copies || !self.may_try_again(call, true) {
            return false;
        }
        self.progress.count_copy();
        self.begin_attempt(call);
        true
    }

    /// Plans the next copy of a try that is still out.
    pub(super) fn plan_copy(&mut self, call: Handle, hedge: Hedge) {
        let at = self.now.saturating_add(hedge.after.0);
        let Some(hedged) = self.calls.hedged_mut(call) else {
            return;
        };
        if hedged.sent < hedge.copies && !hedged.out.is_empty() {
            hedged.next = at;
            (self.events).schedule_far(self.now, at, Event::Copy(call));
        }
    }

    /// The call of an attempt, written down because a copy is due at a time, which has come.
    pub(super) fn spell_out_for_copy(&mut self, attempt: Handle, at: u64) -> Handle {
        let call = self.spell_out(attempt);
        if let Some(hedged) = self.calls.hedged_mut(call) {
            hedged.next = at;
        }
        call
    }

    /// A copy is due, unless the try it was planned for is over.
    pub(super) fn copy_due(&mut self, call: Handle) {
        let now = self.now;
        let client = self.calls[call].client;
        let hedge = self.callers[client].client.hedge;
        let Some(hedged) = self.calls.hedged_mut(call) else {
            return;
        };
        if hedged.next != now {
            return;
        }
        hedged.next = NEVER;
        if let Some(hedge) = hedge
            && self.send_copy(call, hedge)
        {
            self.plan_copy(call, hedge);
        }
    }

    /// The answer of an attempt of a hedged call, which is gone, has reached the caller.
    pub(super) fn copy_answered(
        &mut self,
        call: Handle,
        attempt: Handle,
        server: ServerId,
        outcome: Outcome,
    ) {
        let Some(hedged) = self.calls.hedged_mut(call) else {
            return;
        };
        let Some(place) = hedged.out.iter().position(|&other| other == attempt) else {
            // Another has just won, and this one failed while it was being called off.
            return;
        };
        hedged.out.remove(place);
        if outcome == Outcome::Succeeded {
            if server != ServerId::NONE {
                self.calls[call].previous = self.fleet[server].local;
            }
            self.hang_up(call, Outcome::Cancelled);
            self.end_call(call, outcome);
        } else {
            hedged.failure = outcome;
            self.copy_failed(call);
        }
    }

    /// A caller gives up one attempt of a hedged call.
    pub(super) fn give_up_copy(&mut self, call: Handle, attempt: Handle) {
        let Some(hedged) = self.calls.hedged_mut(call) else {
            return;
        };
        hedged.out.retain(|&other| other != attempt);
        hedged.failure = Outcome::TimedOut;
        hedged.busy = true;
        self.abandon(attempt, Outcome::TimedOut);
        self.calls.hedged[call.slot()].busy = false;
        self.copy_failed(call);
    }

    /// An attempt of a hedged call has failed: the next copy goes out at once, where that is the rule.
    fn copy_failed(&mut self, call: Handle) {
        let client = self.calls[call].client;
        let hedge = self.callers[client].client.hedge;
        let busy = self.calls.hedged(call).is_none_or(|hedged| hedged.busy);
        let Some(hedge) = hedge.filter(|hedge| hedge.failure_sends && !busy) else {
            return self.settle(call);
        };
        if !self.send_copy(call, hedge) {
            return self.settle(call);
        }
        // Who failed at once has seen to the rest, and the call may be over.
        if self.calls.hedged(call).is_some() {
            self.plan_copy(call, hedge);
        }
    }

    /// A try with nothing out any more has failed.
    fn settle(&mut self, call: Handle) {
        let Some(hedged) = self.calls.hedged_mut(call) else {
            return;
        };
        if hedged.busy || !hedged.out.is_empty() {
            return;
        }
        hedged.next = NEVER;
        let failure = hedged.failure;
        self.calls[call].current = Handle::NONE;
        self.try_again(call, failure);
    }

    /// A worker has begun with a copy: where copies know each other, those that nobody has begun with are
    /// called off, and no more are sent.
    pub(super) fn copy_begun(&mut self, attempt: Handle) {
        let call = self.attempts[attempt].call;
        if !self.ties(attempt) {
            return;
        }
        let Some(hedged) = self.calls.hedged_mut(call) else {
            return;
        };
        hedged.next = NEVER;
        let others = hedged.out.clone();
        for other in others {
            if other != attempt
                && self.attempts.contains(other)
                && self.attempts[other].place.is_before_service()
            {
                if let Some(hedged) = self.calls.hedged_mut(call) {
                    hedged.out.retain(|&out| out != other);
                }
                self.call_off(other, Outcome::Cancelled, true);
            }
        }
    }

    /// Whether an attempt is a copy of a call whose copies know each other.
    pub(super) fn ties(&self, attempt: Handle) -> bool {
        let call = self.attempts[attempt].call;
        !call.is_elided() && self.calls.contains(call) && self.calls.is_hedged(call) && {
            let client = self.calls[call].client;
            let hedge = self.callers[client].client.hedge;
            hedge.is_some_and(|hedge| hedge.tied)
        }
    }

    /// A caller hangs up on everything a call has out; the call is about to end.
    pub(super) fn hang_up(&mut self, call: Handle, outcome: Outcome) {
        let Some(hedged) = self.calls.hedged_mut(call) else {
            let current = self.calls[call].current;
            if self.attempts.contains(current) {
                self.abandon(current, outcome);
            }
            return;
        };
        let out = std::mem::take(&mut hedged.out);
        for &attempt in &out {
            if self.attempts.contains(attempt) {
                self.abandon(attempt, outcome);
            }
        }
        self.calls.hedged[call.slot()].out = out;
    }

    /// The servers of its service at which attempts of a hedged call are.
    pub(super) fn copies_at(&self, call: Handle) -> impl Iterator<Item = LocalId> {
        let out = self.calls.hedged(call).map(|hedged| hedged.out.as_slice());
        let servers = out.unwrap_or_default().iter();
        servers
            .filter_map(|&attempt| Some(self.fleet[self.attempts[attempt].server.known()?].local))
    }
}
