//! The agenda: what happens next.
//!
//! Events come in four kinds of containers, each the cheapest for its kind, and the
//! earliest of their heads is next:
//!
//! - *completions*: one slot a server, holding its next completion;
//! - *arrivals*: one slot a source, holding its next arrival;
//! - *lanes*: queues of events that are scheduled in the order in which they come due, such as
//!   timeouts of one constant length. A timeout nearly always outlives its attempt; it is never
//!   searched for and removed but dropped, with all stale ones behind it, when it reaches the head;
//! - *heap*: the rest.
//!
//! Order is by time and, at the same instant, by insertion: every scheduling takes the next number
//! of one sequence.

use super::event::Event;
use super::slab::Handle;
use super::tournament::Tournament;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Never: the time of an empty slot.
pub(crate) const NEVER: u64 = u64::MAX;

const TICK: usize = 0;
const HEAP: usize = 1;
const FIRST_LANE: usize = 2;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    time: u64,
    sequence: u64,
    event: Event,
}

#[derive(Clone, Copy)]
struct LaneEntry {
    time: u64,
    sequence: u64,
    subject: Handle,
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
    /// Nothing is planned.
    Silent,
    Tick,
    Heap,
    /// A lane, whose head the caller must judge stale or fresh.
    Lane(usize),
}

#[derive(Clone)]
pub(crate) struct Agenda {
    completions: Tournament,
    clocks: Tournament,
    /// Time and sequence of each source's next arrival, and which source comes first. Sources are
    /// few and nearly always it is the first that changes: a look at all of them beats a tree.
    arrivals: Vec<(u64, u64)>,
    first_source: usize,
    heap: BinaryHeap<Reverse<Entry>>,
    lanes: Vec<VecDeque<LaneEntry>>,
    sequence: u64,
}

impl Agenda {
    pub(crate) fn new(servers: usize, sources: usize, lanes: usize) -> Self {
        Self {
            completions: Tournament::new(servers.max(1)),
            clocks: Tournament::new(FIRST_LANE + lanes),
            arrivals: vec![(NEVER, NEVER); sources.max(1)],
            first_source: 0,
            heap: BinaryHeap::new(),
            lanes: vec![VecDeque::new(); lanes],
            sequence: 0,
        }
    }

    fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// The time and kind of the next event.
    #[inline]
    pub(crate) fn peek(&self) -> (u64, Next) {
        let (done_at, done_sequence, server) = self.completions.first();
        let (clock_at, clock_sequence, slot) = self.clocks.first();
        let (arrival_at, arrival_sequence) = self.arrivals[self.first_source];
        let earliest = done_at.min(arrival_at);
        if clock_at <= earliest
            && (clock_at < earliest
                || clock_precedes(
                    clock_sequence,
                    done_at,
                    done_sequence,
                    arrival_at,
                    arrival_sequence,
                ))
        {
            return (clock_at, Next::Clock(slot));
        }
        if done_at < arrival_at || (done_at == arrival_at && done_sequence < arrival_sequence) {
            (done_at, Next::Completion(server))
        } else {
            (arrival_at, Next::Arrival(self.first_source as u16))
        }
    }

    /// When the first clock is due.
    pub(crate) fn clock_time(&self) -> u64 {
        self.clocks.first().0
    }

    pub(crate) fn clock(&self, slot: u32) -> Clock {
        match slot as usize {
            _ if self.clock_time() == NEVER => Clock::Silent,
            TICK => Clock::Tick,
            HEAP => Clock::Heap,
            lane => Clock::Lane(lane - FIRST_LANE),
        }
    }

    /// The next completion of a server, or [`NEVER`].
    #[inline]
    pub(crate) fn set_completion(&mut self, server: u32, time: u64) {
        let sequence = self.next_sequence();
        self.completions.set(server as usize, time, sequence);
    }

    #[inline]
    pub(crate) fn set_arrival(&mut self, source: u16, time: u64) {
        let sequence = self.next_sequence();
        self.arrivals[source as usize] = (time, sequence);
        if self.arrivals.len() > 1 {
            self.first_source = (0..self.arrivals.len())
                .min_by_key(|&i| self.arrivals[i])
                .unwrap_or(0);
        }
    }

    pub(crate) fn set_tick(&mut self, time: u64) {
        let sequence = self.next_sequence();
        self.clocks.set(TICK, time, sequence);
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
            Some(Reverse(entry)) => self.clocks.set(HEAP, entry.time, entry.sequence),
            None => self.clocks.clear(HEAP),
        }
    }

    /// Puts a subject at the end of a lane. False when it would come due before the lane's end,
    /// which happens after a delay was shortened: it then belongs into the heap.
    #[inline]
    pub(crate) fn push_lane(&mut self, lane: usize, time: u64, subject: Handle) -> bool {
        if self.lanes[lane].back().is_some_and(|last| time < last.time) {
            return false;
        }
        let sequence = self.next_sequence();
        if self.lanes[lane].is_empty() {
            self.clocks.set(FIRST_LANE + lane, time, sequence);
        }
        self.lanes[lane].push_back(LaneEntry {
            time,
            sequence,
            subject,
        });
        true
    }

    /// Takes the head of a lane if it is fresh, and drops all stale entries behind it.
    pub(crate) fn pop_lane(
        &mut self,
        lane: usize,
        fresh: impl Fn(Handle) -> bool,
    ) -> Option<Handle> {
        let queue = &mut self.lanes[lane];
        let head = queue
            .pop_front()
            .expect("the lane's head was announced")
            .subject;
        while queue.front().is_some_and(|entry| !fresh(entry.subject)) {
            queue.pop_front();
        }
        match queue.front() {
            Some(entry) => self
                .clocks
                .set(FIRST_LANE + lane, entry.time, entry.sequence),
            None => self.clocks.clear(FIRST_LANE + lane),
        }
        fresh(head).then_some(head)
    }

    /// More servers.
    pub(crate) fn grow(&mut self, servers: usize) {
        self.completions.grow(servers);
    }

    /// Bytes held, for the report on memory.
    pub(crate) fn bytes(&self) -> usize {
        self.heap.capacity() * size_of::<Entry>()
            + self
                .lanes
                .iter()
                .map(|l| l.capacity() * size_of::<LaneEntry>())
                .sum::<usize>()
    }
}

/// Whether a clock that ticks at the earliest time goes before the others due then.
#[cold]
fn clock_precedes(clock: u64, done_at: u64, done: u64, arrival_at: u64, arrival: u64) -> bool {
    match done_at.cmp(&arrival_at) {
        std::cmp::Ordering::Less => clock < done,
        std::cmp::Ordering::Greater => clock < arrival,
        std::cmp::Ordering::Equal => clock < done.min(arrival),
    }
}
