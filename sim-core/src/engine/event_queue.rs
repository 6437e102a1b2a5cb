//! The event queue: what happens next.
//!
//! Events come in seven kinds of containers, each the cheapest for its kind, and the
//! earliest of their heads is next:
//!
//! - *completions*: one slot a server, holding its next completion;
//! - *arrivals*: one slot a source, holding its next arrival;
//! - *[timer FIFOs](super::timer_fifo)*: queues of events that are scheduled in the order in which
//!   they come due, such as timeouts of one constant length;
//! - *soon*: a queue of what follows at the same instant;
//! - *[calendar](super::near)*: what comes due soon and is one of many, such as retries;
//! - *[wheel](super::wheel)*: what rarely comes due, or is one of very many and far away; what is fresh goes
//!   on to the calendar shortly before;
//! - *[heap](super::heap)*: everything else.
//!
//! Order is by time and, at the same instant, by insertion: every scheduling takes the next number
//! of one sequence.

use super::attempt::{Attempts, Calls};
use super::event::Event;
use super::heap::{Entry, Heap};
use super::near::{Near, Refused};
use super::slab::Handle;
use super::timer_fifo::{Put, THICK, Timer, TimerFifos};
use super::tournament::Tournament;
use super::wheel::Wheel;
use crate::ids::{ClientId, Id, ServerId, SourceId};
use std::collections::VecDeque;

/// Never: the time of an empty slot.
pub(super) const NEVER: u64 = u64::MAX;

const TICK: usize = 0;
const HEAP: usize = 1;
const WHEEL: usize = 2;
const FIRST_FIFO: usize = 3;
/// A heap of so many entries is large: what is far away is better kept elsewhere.
const LARGE: usize = 256;
/// What is due at the present instant has no slot among the clocks.
const SOON: u32 = u32::MAX;
/// Nor has what is in the calendar.
const NEAR: u32 = u32::MAX - 1;

/// What is next.
pub(super) enum Next {
    Completion(ServerId),
    Arrival(SourceId),
    /// The slot of a clock, if there is anything at all.
    Clock(u32),
}

/// What a clock's slot stands for.
pub(super) enum Clock {
    Tick,
    Heap,
    Near,
    /// A slice of the wheel begins: nothing happens.
    Wheel,
    Soon,
    /// A fifo, whose head the caller must judge stale or fresh.
    Fifo(usize),
}

#[derive(Clone)]
pub(super) struct EventQueue {
    completions: Tournament,
    clocks: Tournament,
    /// The next arrival of each source.
    arrivals: Arrivals,
    first_source: SourceId,
    /// Copies of the earliest times, so that the next event is found by two comparisons.
    arrival_at: u64,
    clock_at: u64,
    /// Events of one instant, which is the present one, with their sequence.
    soon: VecDeque<(u64, Event)>,
    soon_at: u64,
    near: Near,
    heap: Heap,
    /// Entries that were left in the heap when it was thinned last.
    heap_left: usize,
    wheel: Wheel,
    fifos: TimerFifos,
    sequence: u64,
}

/// The next arrivals of sources.
#[derive(Clone)]
enum Arrivals {
    /// Time and sequence of that of the only source.
    One(u64, u64),
    Several(Tournament),
}

impl Arrivals {
    fn new(sources: usize) -> Self {
        if sources <= 1 {
            Self::One(NEVER, NEVER)
        } else {
            Self::Several(Tournament::new(sources))
        }
    }

    /// Time and sequence of the first.
    fn first(&self) -> (u64, u64) {
        match self {
            Self::One(time, sequence) => (*time, *sequence),
            Self::Several(tournament) => {
                let (time, sequence, _) = tournament.first();
                (time, sequence)
            }
        }
    }
}

/// Whether a timer has lost its meaning for good: it is then no event.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "most kinds of events are none of these"
)]
fn is_stale(entry: &Entry, attempts: &Attempts, calls: &Calls) -> bool {
    match entry.event {
        Event::Deadline(call) => !calls.contains(call),
        Event::Impatient(attempt) => !attempts.is_patient_until(attempt, entry.time),
        Event::Copy(call) => !calls.awaits_copy_at(call, entry.time),
        _ => false,
    }
}

impl EventQueue {
    pub(super) fn new(servers: usize, sources: usize, fifos: TimerFifos) -> Self {
        Self {
            completions: Tournament::new(servers.max(1)),
            clocks: Tournament::new(FIRST_FIFO + fifos.len()),
            arrivals: Arrivals::new(sources),
            first_source: SourceId(0),
            arrival_at: NEVER,
            clock_at: NEVER,
            soon: VecDeque::new(),
            soon_at: NEVER,
            near: Near::default(),
            heap: Heap::default(),
            heap_left: 0,
            wheel: Wheel::default(),
            fifos,
            sequence: 0,
        }
    }

    #[inline]
    fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// When the first completion is due, and at which server.
    #[inline]
    pub(super) fn first_completion(&self) -> (u64, ServerId) {
        let (time, slot) = self.completions.earliest();
        (time, ServerId(slot))
    }

    /// When the first arrival is due, and of which source.
    #[inline]
    pub(super) fn first_arrival(&self) -> (u64, SourceId) {
        (self.arrival_at, self.first_source)
    }

    /// When the first clock is due.
    #[inline]
    pub(super) fn clock_time(&self) -> u64 {
        self.clock_at
    }

    /// The time and kind of the next event, by the order of insertion if several coincide; a time
    /// after every horizon when nothing is planned.
    pub(super) fn peek(&self) -> (u64, Next) {
        let (done_at, done_sequence, _) = self.completions.first();
        let (clock_at, clock_sequence, slot) = self.first_clock();
        let (arrival_at, arrival_sequence) = self.arrivals.first();
        let clock = (clock_at, clock_sequence);
        if clock < (done_at, done_sequence) && clock < (arrival_at, arrival_sequence) {
            (clock_at, Next::Clock(slot))
        } else {
            self.break_tie()
        }
    }

    /// The earlier of completion and arrival, by the order of their insertion if they coincide.
    fn break_tie(&self) -> (u64, Next) {
        let (done_at, done_sequence, server) = self.completions.first();
        let (arrival_at, arrival_sequence) = self.arrivals.first();
        if (done_at, done_sequence) < (arrival_at, arrival_sequence) {
            (done_at, Next::Completion(ServerId(server)))
        } else {
            (arrival_at, Next::Arrival(self.first_source))
        }
    }

    /// The slot of the clock that is due first.
    #[inline]
    pub(super) fn due_clock(&self) -> u32 {
        let (at, slot) = self.clocks.earliest();
        let (soon, near) = (self.soon_at, self.near.first().0);
        if near < at.min(soon) {
            NEAR
        } else if at < soon.min(near) {
            slot
        } else {
            self.first_clock().2
        }
    }

    /// Time, sequence and slot of the clock that is due first.
    fn first_clock(&self) -> (u64, u64, u32) {
        let mut first = self.clocks.first();
        let near = self.near.first();
        if near < (first.0, first.1) {
            first = (near.0, near.1, NEAR);
        }
        match self.soon.front() {
            Some(&(sequence, _)) if (self.soon_at, sequence) < (first.0, first.1) => {
                (self.soon_at, sequence, SOON)
            }
            _ => first,
        }
    }

    pub(super) fn clock(slot: u32) -> Clock {
        match slot {
            SOON => return Clock::Soon,
            NEAR => return Clock::Near,
            _ => {}
        }
        match slot as usize {
            TICK => Clock::Tick,
            HEAP => Clock::Heap,
            WHEEL => Clock::Wheel,
            fifo => Clock::Fifo(fifo - FIRST_FIFO),
        }
    }

    fn set_clock(&mut self, slot: usize, time: u64, sequence: u64) {
        self.clocks.set(slot, time, sequence);
        self.show_clocks();
    }

    fn clear_clock(&mut self, slot: usize) {
        self.clocks.clear(slot);
        self.show_clocks();
    }

    fn show_clocks(&mut self) {
        let (at, near) = (self.clocks.earliest().0, self.near.first().0);
        self.clock_at = at.min(self.soon_at).min(near);
    }

    /// The next completion of a server.
    #[inline]
    pub(super) fn set_completion(&mut self, server: ServerId, time: u64) {
        let sequence = self.next_sequence();
        self.completions.set(server.position(), time, sequence);
    }

    /// The same where that may be due at the time at which it was.
    #[inline]
    pub(super) fn renew_completion(&mut self, server: ServerId, time: u64) {
        let sequence = self.next_sequence();
        self.completions.renew(server.position(), time, sequence);
    }

    /// A server has nothing to complete. It takes a number of the sequence as any scheduling.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a part of the loop of a run")]
    pub(super) fn clear_completion(&mut self, server: ServerId) {
        self.sequence += 1;
        self.completions.clear(server.position());
    }

    #[inline]
    pub(super) fn set_arrival(&mut self, source: SourceId, time: u64) {
        let sequence = self.next_sequence();
        match &mut self.arrivals {
            Arrivals::One(at, number) => {
                (*at, *number) = (time, sequence);
                self.arrival_at = time;
            }
            Arrivals::Several(tournament) => {
                tournament.set(source.position(), time, sequence);
                let (at, first) = tournament.earliest();
                (self.arrival_at, self.first_source) = (at, SourceId(first as u16));
            }
        }
    }

    pub(super) fn set_tick(&mut self, time: u64) {
        let sequence = self.next_sequence();
        self.set_clock(TICK, time, sequence);
    }

    /// Plans an event for the present instant, after what is planned for it already.
    pub(super) fn soon(&mut self, now: u64, event: Event) {
        if !self.soon.is_empty() && self.soon_at != now {
            return self.schedule(now, event);
        }
        let sequence = self.next_sequence();
        self.soon.push_back((sequence, event));
        self.soon_at = now;
        self.clock_at = self.clock_at.min(now);
    }

    pub(super) fn pop_soon(&mut self) -> Event {
        let (_, event) = self.soon.pop_front().expect("something was announced");
        if self.soon.is_empty() {
            self.soon_at = NEVER;
            self.show_clocks();
        }
        event
    }

    pub(super) fn schedule(&mut self, time: u64, event: Event) {
        let sequence = self.next_sequence();
        self.schedule_in_turn(time, sequence, event);
    }

    /// Plans an event that has its number of the sequence already.
    fn schedule_in_turn(&mut self, time: u64, sequence: u64, event: Event) {
        let entry = Entry {
            time,
            sequence,
            event,
        };
        if self.heap.push(entry) {
            self.set_clock(HEAP, time, sequence);
        }
    }

    /// Plans an event that will probably be stale before it comes due, or that is one of very many.
    pub(super) fn schedule_far(&mut self, now: u64, time: u64, event: Event) {
        if !Wheel::takes(time.saturating_sub(now)) {
            return self.schedule(time, event);
        }
        let sequence = self.next_sequence();
        let entry = Entry {
            time,
            sequence,
            event,
        };
        if self.wheel.push(now, entry) {
            self.show_wheel();
        }
    }

    /// Plans an event that comes due as a rule: it goes where it costs least.
    pub(super) fn schedule_one_of_many(&mut self, now: u64, time: u64, event: Event) {
        let sequence = self.next_sequence();
        let entry = Entry {
            time,
            sequence,
            event,
        };
        match self.near.push(now, entry) {
            Ok(false) => {}
            Ok(true) => self.clock_at = self.clock_at.min(time),
            Err(refused) => self.put_elsewhere(now, entry, refused),
        }
    }

    /// An entry that the calendar has refused goes where its time does not matter, or where it matters little.
    #[inline(never)]
    fn put_elsewhere(&mut self, now: u64, entry: Entry, refused: Refused) {
        let far = refused == Refused::Far && Wheel::takes(entry.time.saturating_sub(now));
        if !far || self.heap.len() < LARGE {
            if self.heap.push(entry) {
                self.set_clock(HEAP, entry.time, entry.sequence);
            }
        } else if self.wheel.push(now, entry) {
            self.show_wheel();
        }
    }

    /// A slice of the wheel begins: what is fresh in it goes into the calendar, or where that sends it.
    pub(super) fn turn_wheel(&mut self, now: u64, attempts: &Attempts, calls: &Calls) {
        let (near, mut refused) = (&mut self.near, Vec::new());
        self.wheel.turn(
            |entry| !is_stale(entry, attempts, calls),
            |entry| {
                if let Err(why) = near.push(now, entry) {
                    refused.push((entry, why));
                }
            },
        );
        for (entry, why) in refused {
            self.put_elsewhere(now, entry, why);
        }
        self.show_wheel();
    }

    /// Before all that is due when its slice begins.
    fn show_wheel(&mut self) {
        match self.wheel.next() {
            NEVER => self.clear_clock(WHEEL),
            next => self.set_clock(WHEEL, next, 0),
        }
    }

    /// Takes the first of the calendar; `None` if it is stale.
    #[inline]
    pub(super) fn pop_near(&mut self, attempts: &Attempts, calls: &Calls) -> Option<Event> {
        let entry = self.near.pop().expect("its first entry was announced");
        self.came(entry.time);
        self.show_clocks();
        (!is_stale(&entry, attempts, calls)).then_some(entry.event)
    }

    /// Something has come that is, or might have been, in the calendar.
    #[inline]
    fn came(&mut self, now: u64) {
        if self.near.is_to_look() {
            let heap = &mut self.heap;
            self.near.look(now, |entry| {
                heap.push(entry);
            });
            self.show_heap();
        }
    }

    /// Takes the head of the heap, and drops all stale entries that come after it; `None` if it is stale
    /// too.
    pub(super) fn pop_heap(&mut self, attempts: &Attempts, calls: &Calls) -> Option<Event> {
        let entry = self.heap.pop().expect("the heap's head was announced");
        let stale = |entry: &Entry| is_stale(entry, attempts, calls);
        while self.heap.first().is_some_and(stale) {
            self.heap.pop();
        }
        self.came(entry.time);
        self.show_heap();
        (!stale(&entry)).then_some(entry.event)
    }

    fn show_heap(&mut self) {
        match self.heap.first() {
            Some(&Entry { time, sequence, .. }) => self.set_clock(HEAP, time, sequence),
            None => self.clear_clock(HEAP),
        }
    }

    /// Sets a timer.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "whoever sets a timer knows which: its FIFO is then found without a look"
    )]
    pub(super) fn set_timer(&mut self, timer: Timer, time: u64, subject: Handle) {
        let sequence = self.next_sequence();
        let number = self.fifos.number(timer);
        match self.fifos.push(number, time, sequence, subject) {
            Put::Behind => {}
            Put::First => self.show_first(number, time, sequence),
            Put::Nowhere => self.schedule_timer(timer, time, subject),
        }
    }

    /// Whether the deadline of an elided call would find its place in its FIFO. This and the next are
    /// kept out of the loop.
    #[inline(never)]
    pub(super) fn has_place_for_deadline(&self, client: ClientId, time: u64) -> bool {
        let fifo = self.fifos.number(Timer::ElidedDeadline(client));
        self.fifos.has_place(fifo, time)
    }

    /// Sets the deadline of an elided call, which must have its place.
    #[inline(never)]
    pub(super) fn set_elided_deadline(&mut self, client: ClientId, time: u64, attempt: Handle) {
        self.set_timer(Timer::ElidedDeadline(client), time, attempt);
    }

    /// The timer of a subject becomes an event of its own, in its place among those of its time;
    /// nothing, and false, where it was not set or has come due. The entry that is left must be stale from now on.
    pub(super) fn detach_timer(
        &mut self,
        timer: Timer,
        time: u64,
        subject: Handle,
        event: Event,
    ) -> bool {
        let found = (self.fifos).sequence_of(self.fifos.number(timer), time, subject);
        if let Some(sequence) = found {
            self.schedule_in_turn(time, sequence, event);
        }
        found.is_some()
    }

    #[cold]
    fn show_first(&mut self, fifo: usize, time: u64, sequence: u64) {
        self.set_clock(FIRST_FIFO + fifo, time, sequence);
    }

    /// A timer whose FIFO is in disorder goes among the rest.
    #[cold]
    fn schedule_timer(&mut self, timer: Timer, time: u64, subject: Handle) {
        self.schedule(time, timer.event(subject));
    }

    fn show_fifo(&mut self, fifo: usize) {
        match self.fifos.head(fifo) {
            Some((time, sequence)) => self.set_clock(FIRST_FIFO + fifo, time, sequence),
            None => self.clear_clock(FIRST_FIFO + fifo),
        }
    }

    /// What the head of a FIFO stands for; `None` when it is stale.
    pub(super) fn pop_fifo(
        &mut self,
        fifo: usize,
        attempts: &Attempts,
        calls: &Calls,
    ) -> Option<Event> {
        let event = self.fifos.pop(fifo, attempts, calls);
        self.show_fifo(fifo);
        event
    }

    /// Forgets all timers of a FIFO, which must be stale.
    pub(super) fn forget_timers(&mut self, timer: Timer) {
        let fifo = self.fifos.number(timer);
        self.fifos.clear(fifo);
        self.clear_clock(FIRST_FIFO + fifo);
    }

    /// Drops stale timers where many may have gathered.
    pub(super) fn thin_timers(&mut self, attempts: &Attempts, calls: &Calls) {
        if self.heap.len() > THICK.max(2 * self.heap_left) {
            let stale = |entry: &Entry| is_stale(entry, attempts, calls);
            self.heap.retain(|entry| !stale(entry));
            self.heap_left = self.heap.len();
            self.show_heap();
        }
        if (self.wheel).thin(|entry| !is_stale(entry, attempts, calls)) {
            self.show_wheel();
        }
        for fifo in 0..self.fifos.len() {
            if self.fifos.thin(fifo, attempts, calls) {
                self.show_fifo(fifo);
            }
        }
    }

    /// Bytes held, for the report on memory.
    pub(super) fn bytes(&self) -> usize {
        let soon = self.soon.capacity() * size_of::<(u64, Event)>();
        self.near.bytes() + self.heap.bytes() + self.wheel.bytes() + soon + self.fifos.bytes()
    }
}
