//! Timer FIFOs: events that are scheduled in the order in which they come due, such as timeouts of
//! one constant length.
//!
//! A timeout nearly always outlives its attempt. It is never searched for and removed, but dropped,
//! with all stale ones behind it, when it reaches the head.

use super::attempt::{Attempts, Calls};
use super::event::Event;
use super::slab::Handle;
use crate::ids::{ClientId, Id, InstanceId, ServiceId};

/// What the entries of a FIFO stand for.
#[derive(Clone, Copy)]
pub(super) enum Timer {
    /// A caller gives up an attempt.
    Timeout(ClientId),
    /// A caller gives up a call.
    Deadline(ClientId),
    /// The same, where only an attempt is known of the call.
    ElidedDeadline(ClientId),
    /// A caller sends a copy beside the first attempt, which is all that is known of the call.
    ElidedCopy(ClientId),
    /// An attempt reaches the balancer.
    ToBalancer(ServiceId),
    /// An answer reaches the caller.
    ToCaller(ServiceId),
    /// An attempt reaches its server.
    ToServer(ServiceId),
    /// An answer reaches the balancer.
    FromServer(ServiceId),
    /// A balancer instance has done its work for an attempt.
    Dispatch(InstanceId),
}

impl Timer {
    /// What happens when it comes due.
    pub(super) fn event(self, subject: Handle) -> Event {
        match self {
            Self::Timeout(_) => Event::Timeout(subject),
            Self::Deadline(_) => Event::Deadline(subject),
            Self::ElidedDeadline(_) => Event::ElidedDeadline(subject),
            Self::ElidedCopy(_) => Event::ElidedCopy(subject),
            Self::ToBalancer(_) => Event::AtBalancer(subject),
            Self::ToCaller(_) => Event::Answer(subject),
            Self::ToServer(_) => Event::AtServer(subject),
            Self::FromServer(_) => Event::Returned(subject),
            Self::Dispatch(_) => Event::Dispatched(subject),
        }
    }

    /// Whether most of its entries are stale before they come due.
    fn is_often_outlived(self) -> bool {
        matches!(
            self,
            Self::Timeout(_) | Self::Deadline(_) | Self::ElidedDeadline(_) | Self::ElidedCopy(_)
        )
    }

    /// Whether it still means something: its subject is there, and somebody waits for it.
    #[inline]
    pub(super) fn is_fresh(self, subject: Handle, attempts: &Attempts, calls: &Calls) -> bool {
        match self {
            Self::Deadline(_) => calls.contains(subject),
            Self::Timeout(_) => attempts.is_waited_for(subject, calls),
            Self::ElidedDeadline(_) | Self::ElidedCopy(_) => {
                attempts.contains(subject) && attempts[subject].call.is_elided()
            }
            Self::ToBalancer(_)
            | Self::ToCaller(_)
            | Self::ToServer(_)
            | Self::FromServer(_)
            | Self::Dispatch(_) => attempts.contains(subject),
        }
    }
}

/// All of them: four for each client, four for each service, one for each balancer instance.
#[derive(Clone)]
pub(super) struct TimerFifos {
    fifos: Vec<TimerFifo>,
    clients: usize,
    services: usize,
}

#[derive(Clone)]
struct TimerFifo {
    timer: Timer,
    entries: Vec<Entry>,
    /// Entries before this one are gone.
    head: usize,
    /// Time of the latest entry ever.
    latest: u64,
    /// Entries that were left when it was thinned last.
    left: usize,
}

#[derive(Clone, Copy)]
struct Entry {
    time: u64,
    sequence: u64,
    subject: Handle,
}

/// Where an entry was put.
pub(super) enum Put {
    First,
    Behind,
    /// Nowhere: it would come due before the FIFO's end, which happens after a delay was shortened.
    Nowhere,
}

/// Entries that are never worth a look.
pub(super) const THICK: usize = 1 << 16;

impl TimerFifos {
    pub(super) fn new(clients: usize, services: usize, instances: usize) -> Self {
        let callers = (0..clients).map(ClientId::at);
        let asked = (0..services).map(ServiceId::at);
        let balancers = (0..instances).map(InstanceId::at);
        let ways = |s| {
            [
                Timer::ToBalancer(s),
                Timer::ToCaller(s),
                Timer::ToServer(s),
                Timer::FromServer(s),
            ]
        };
        let of_caller = |c| {
            [
                Timer::Timeout(c),
                Timer::Deadline(c),
                Timer::ElidedDeadline(c),
                Timer::ElidedCopy(c),
            ]
        };
        let timers = (callers.flat_map(of_caller))
            .chain(asked.flat_map(ways))
            .chain(balancers.map(Timer::Dispatch));
        let fifo = |timer| TimerFifo {
            timer,
            entries: Vec::new(),
            head: 0,
            latest: 0,
            left: 0,
        };
        Self {
            fifos: timers.map(fifo).collect(),
            clients,
            services,
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.fifos.len()
    }

    /// The FIFO of a timer.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as for `EventQueue::set_timer`")]
    pub(super) fn number(&self, timer: Timer) -> usize {
        match timer {
            Timer::Timeout(client) => 4 * client.position(),
            Timer::Deadline(client) => 4 * client.position() + 1,
            Timer::ElidedDeadline(client) => 4 * client.position() + 2,
            Timer::ElidedCopy(client) => 4 * client.position() + 3,
            Timer::ToBalancer(service) => 4 * self.clients + 4 * service.position(),
            Timer::ToCaller(service) => 4 * self.clients + 4 * service.position() + 1,
            Timer::ToServer(service) => 4 * self.clients + 4 * service.position() + 2,
            Timer::FromServer(service) => 4 * self.clients + 4 * service.position() + 3,
            Timer::Dispatch(instance) => 4 * self.clients + 4 * self.services + instance.position(),
        }
    }

    /// Puts an entry at the end of a FIFO.
    #[inline]
    pub(super) fn push(&mut self, number: usize, time: u64, sequence: u64, subject: Handle) -> Put {
        let fifo = &mut self.fifos[number];
        if time < fifo.latest {
            return Put::Nowhere;
        }
        fifo.latest = time;
        let was_empty = fifo.head == fifo.entries.len();
        fifo.entries.push(Entry {
            time,
            sequence,
            subject,
        });
        if was_empty { Put::First } else { Put::Behind }
    }

    /// Whether an entry would find its place at the end of a FIFO.
    pub(super) fn has_place(&self, number: usize, time: u64) -> bool {
        time >= self.fifos[number].latest
    }

    /// The sequence of the entry of a subject that comes due at `time`.
    pub(super) fn sequence_of(&self, number: usize, time: u64, subject: Handle) -> Option<u64> {
        let fifo = &self.fifos[number];
        let entries = &fifo.entries[fifo.head..];
        let end = entries.partition_point(|entry| entry.time <= time);
        // From the end: who is turned away at once came last.
        let latest = entries[..end].iter().rev();
        let mut same_time = latest.take_while(|entry| entry.time == time);
        let found = same_time.find(|entry| entry.subject == subject);
        found.map(|entry| entry.sequence)
    }

    /// Time and sequence of a FIFO's head.
    pub(super) fn head(&self, number: usize) -> Option<(u64, u64)> {
        let head = self.fifos[number].front();
        head.map(|entry| (entry.time, entry.sequence))
    }

    /// Takes the head of a FIFO, and drops all stale entries behind it where there are many; `None` if it is
    /// stale too.
    pub(super) fn pop(
        &mut self,
        number: usize,
        attempts: &Attempts,
        calls: &Calls,
    ) -> Option<Event> {
        let fifo = &mut self.fifos[number];
        let timer = fifo.timer;
        let fresh = |entry: Entry| timer.is_fresh(entry.subject, attempts, calls);
        let head = fifo.front().expect("the head was announced");
        fifo.pop_front();
        if !timer.is_often_outlived() {
            let there = attempts.contains(head.subject);
            return there.then(|| timer.event(head.subject));
        }
        while fifo.front().is_some_and(|entry| !fresh(entry)) {
            fifo.pop_front();
        }
        fresh(head).then(|| timer.event(head.subject))
    }

    /// Drops all stale entries of a FIFO, once so many have come that most of them may be stale: a
    /// look at each then costs less than having put it there. Nothing else happens: they would have
    /// been dropped when they came due, but a timeout of an hour shall not hold an hour of timers.
    /// True if the FIFO's head may be another.
    pub(super) fn thin(&mut self, number: usize, attempts: &Attempts, calls: &Calls) -> bool {
        let fifo = &mut self.fifos[number];
        if fifo.entries.len() - fifo.head <= THICK.max(2 * fifo.left) {
            return false;
        }
        let timer = fifo.timer;
        fifo.entries.drain(..fifo.head);
        fifo.head = 0;
        fifo.entries
            .retain(|entry| timer.is_fresh(entry.subject, attempts, calls));
        fifo.left = fifo.entries.len();
        true
    }

    /// All entries of a FIFO are stale, and later ones may come due before they would have.
    pub(super) fn clear(&mut self, number: usize) {
        let fifo = &mut self.fifos[number];
        fifo.entries.clear();
        (fifo.head, fifo.latest, fifo.left) = (0, 0, 0);
    }

    /// Bytes held, for the report on memory.
    pub(super) fn bytes(&self) -> usize {
        let entries = self.fifos.iter().map(|fifo| fifo.entries.capacity());
        entries.sum::<usize>() * size_of::<Entry>()
    }
}

impl TimerFifo {
    fn front(&self) -> Option<Entry> {
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
