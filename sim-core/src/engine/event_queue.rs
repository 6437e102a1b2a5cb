//! The event queue: what happens next.
//!
//! Events come in four kinds of containers, each the cheapest for its kind, and the
//! earliest of their heads is next:
//!
//! - *completions*: one slot a server, holding its next completion;
//! - *arrivals*: one slot a source, holding its next arrival;
//! - *timer FIFOs*: queues of events that are scheduled in the order in which they come due, such as
//!   timeouts of one constant length. A timeout nearly always outlives its attempt; it is never
//!   searched for and removed but dropped, with all stale ones behind it, when it reaches the head;
//! - *heap*: everything else.
//!
//! Order is by time and, at the same instant, by insertion: every scheduling takes the next number
//! of one sequence.

use super::event::Event;
use super::setup::TimerFifos;
use super::slab::Handle;
use super::tournament::Tournament;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Never: the time of an empty slot.
pub(crate) const NEVER: u64 = u64::MAX;

const TICK: usize = 0;
const HEAP: usize = 1;
const FIRST_FIFO: usize = 2;
/// Entries of a fifo that are never worth a look.
const THICK: usize = 1 << 16;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    time: u64,
    sequence: u64,
    event: Event,
}

#[derive(Clone, Copy)]
struct FifoEntry {
    time: u64,
    sequence: u64,
    subject: Handle,
}

/// A queue of events that come due in the order in which they were scheduled.
#[derive(Clone, Default)]
struct TimerFifo {
    entries: Vec<FifoEntry>,
    /// Entries before this one are gone.
    head: usize,
    /// Time of the latest entry ever.
    latest: u64,
    /// Entries that were left when it was thinned last.
    left: usize,
}

impl TimerFifo {
    fn front(&self) -> Option<FifoEntry> {
        self.entries.get(self.head).copied()
    }

    fn pop_front(&mut self) {
        self.head += 1;
        // Room is made by moving the rest down, when that is less than what is gone.
        if self.head >= 1024 && self.head * 2 >= self.entries.len() {
            self.entries.drain(..self.head);
            self.head = 0;
        }
    }
}

/// What is next.
pub(crate) enum Next {
    Completion(u32),
    Arrival(u16),
    /// The slot of a clock, if there is anything at all.
    Clock(u32),
}

/// What a clock's slot stands for.
pub(crate) enum Clock {
    Tick,
    Heap,
    /// A fifo, whose head the caller must judge stale or fresh.
    Fifo(usize),
}

#[derive(Clone)]
pub(crate) struct EventQueue {
    completions: Tournament,
    clocks: Tournament,
    /// Time and sequence of each source's next arrival, and which source comes first. Sources are
    /// few and nearly always it is the first that changes: a look at all of them beats a tree.
    arrivals: Vec<(u64, u64)>,
    first_source: usize,
    /// Copies of the earliest times, so that the next event is found by two comparisons.
    arrival_at: u64,
    clock_at: u64,
    heap: BinaryHeap<Reverse<Entry>>,
    fifos: Vec<TimerFifo>,
    sequence: u64,
}

impl EventQueue {
    pub(crate) fn new(servers: usize, sources: usize, fifos: usize) -> Self {
        Self {
            completions: Tournament::new(servers.max(1)),
            clocks: Tournament::new(FIRST_FIFO + fifos),
            arrivals: vec![(NEVER, NEVER); sources.max(1)],
            first_source: 0,
            arrival_at: NEVER,
            clock_at: NEVER,
            heap: BinaryHeap::new(),
            fifos: vec![TimerFifo::default(); fifos],
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
    pub(crate) fn first_completion(&self) -> (u64, u32) {
        self.completions.earliest()
    }

    /// When the first arrival is due, and of which source.
    #[inline]
    pub(crate) fn first_arrival(&self) -> (u64, u16) {
        (self.arrival_at, self.first_source as u16)
    }

    /// When the first clock is due.
    #[inline]
    pub(crate) fn clock_time(&self) -> u64 {
        self.clock_at
    }

    /// The time and kind of the next event, by the order of insertion if several coincide; a time
    /// after every horizon when nothing is planned.
    pub(crate) fn peek(&self) -> (u64, Next) {
        let (done_at, done_sequence, _) = self.completions.first();
        let (clock_at, clock_sequence, slot) = self.clocks.first();
        let (arrival_at, arrival_sequence) = self.arrivals[self.first_source];
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
        let (arrival_at, arrival_sequence) = self.arrivals[self.first_source];
        if (done_at, done_sequence) < (arrival_at, arrival_sequence) {
            (done_at, Next::Completion(server))
        } else {
            (arrival_at, Next::Arrival(self.first_source as u16))
        }
    }

    pub(crate) fn clock(slot: u32) -> Clock {
        match slot as usize {
            TICK => Clock::Tick,
            HEAP => Clock::Heap,
            fifo => Clock::Fifo(fifo - FIRST_FIFO),
        }
    }

    fn set_clock(&mut self, slot: usize, time: u64, sequence: u64) {
        self.clocks.set(slot, time, sequence);
        self.clock_at = self.clocks.first().0;
    }

    fn clear_clock(&mut self, slot: usize) {
        self.clocks.clear(slot);
        self.clock_at = self.clocks.first().0;
    }

    /// The next completion of a server, or [`NEVER`].
    #[inline]
    pub(crate) fn set_completion(&mut self, server: u32, time: u64) {
        let sequence = self.next_sequence();
        self.completions.set(server as usize, time, sequence);
    }

    /// A server has nothing to complete. It takes a number of the sequence as any scheduling.
    #[inline]
    pub(crate) fn clear_completion(&mut self, server: u32) {
        self.sequence += 1;
        self.completions.clear(server as usize);
    }

    #[inline]
    pub(crate) fn set_arrival(&mut self, source: u16, time: u64) {
        let sequence = self.next_sequence();
        self.arrivals[source as usize] = (time, sequence);
        self.arrival_at = time;
        if self.arrivals.len() > 1 {
            self.find_first_source();
        }
    }

    fn find_first_source(&mut self) {
        let times = self.arrivals.iter().enumerate();
        let first = times.min_by_key(|(_, time)| **time);
        self.first_source = first.map_or(0, |(source, _)| source);
        self.arrival_at = self.arrivals[self.first_source].0;
    }

    pub(crate) fn set_tick(&mut self, time: u64) {
        let sequence = self.next_sequence();
        self.set_clock(TICK, time, sequence);
    }

    pub(crate) fn schedule(&mut self, time: u64, event: Event) {
        let sequence = self.next_sequence();
        self.heap.push(Reverse(Entry {
            time,
            sequence,
            event,
        }));
        self.show_heap();
    }

    pub(crate) fn pop_heap(&mut self) -> Event {
        let Reverse(entry) = self.heap.pop().expect("the heap's head was announced");
        self.show_heap();
        entry.event
    }

    fn show_heap(&mut self) {
        match self.heap.peek() {
            Some(Reverse(entry)) => self.set_clock(HEAP, entry.time, entry.sequence),
            None => self.clear_clock(HEAP),
        }
    }

    /// Sets the timer of an attempt.
    #[inline]
    pub(crate) fn set_timeout(&mut self, client: u16, at: u64, attempt: Handle) {
        if !self.push_fifo(TimerFifos::timeout(client), at, attempt) {
            self.schedule(at, Event::Timeout(attempt));
        }
    }

    /// Puts a subject at the end of a fifo. False when it would come due before the fifo's end,
    /// which happens after a delay was shortened: it then belongs into the heap.
    #[inline]
    pub(crate) fn push_fifo(&mut self, fifo: usize, time: u64, subject: Handle) -> bool {
        let sequence = self.next_sequence();
        let queue = &mut self.fifos[fifo];
        if time < queue.latest {
            return false;
        }
        queue.latest = time;
        let was_empty = queue.head == queue.entries.len();
        queue.entries.push(FifoEntry {
            time,
            sequence,
            subject,
        });
        if was_empty {
            self.show_fifo(fifo, time, sequence);
        }
        true
    }

    #[cold]
    fn show_fifo(&mut self, fifo: usize, time: u64, sequence: u64) {
        self.set_clock(FIRST_FIFO + fifo, time, sequence);
    }

    /// Takes the head of a fifo if it is fresh, and drops all stale entries behind it.
    pub(crate) fn pop_fifo(
        &mut self,
        fifo: usize,
        fresh: impl Fn(Handle) -> bool,
    ) -> Option<Handle> {
        let queue = &mut self.fifos[fifo];
        let head = queue
            .front()
            .expect("the fifo's head was announced")
            .subject;
        queue.pop_front();
        while queue.front().is_some_and(|entry| !fresh(entry.subject)) {
            queue.pop_front();
        }
        match queue.front() {
            Some(entry) => self.set_clock(FIRST_FIFO + fifo, entry.time, entry.sequence),
            None => self.clear_clock(FIRST_FIFO + fifo),
        }
        fresh(head).then_some(head)
    }

    /// How many fifos there are.
    pub(crate) fn fifos(&self) -> usize {
        self.fifos.len()
    }

    /// Whether so many entries have come since a fifo was thinned last that it is time again: by then
    /// most of them may be stale, and looking at each costs less than having put it there.
    pub(crate) fn is_thick(&self, fifo: usize) -> bool {
        let queue = &self.fifos[fifo];
        queue.entries.len() - queue.head > THICK.max(2 * queue.left)
    }

    /// Drops all stale entries of a fifo. Nothing else happens: they would have been dropped when
    /// they came due, which for the timers of patient callers is far away.
    pub(crate) fn thin_fifo(&mut self, fifo: usize, fresh: impl Fn(Handle) -> bool) {
        let queue = &mut self.fifos[fifo];
        queue.entries.drain(..queue.head);
        queue.head = 0;
        queue.entries.retain(|entry| fresh(entry.subject));
        queue.left = queue.entries.len();
        match queue.front() {
            Some(entry) => self.set_clock(FIRST_FIFO + fifo, entry.time, entry.sequence),
            None => self.clear_clock(FIRST_FIFO + fifo),
        }
    }

    /// Bytes held, for the report on memory.
    pub(crate) fn bytes(&self) -> usize {
        self.heap.capacity() * size_of::<Entry>()
            + self
                .fifos
                .iter()
                .map(|l| l.entries.capacity() * size_of::<FifoEntry>())
                .sum::<usize>()
    }
}
