//! A calendar of the near future: what comes due soon, in no order known beforehand.
//!
//! A year of days, a bucket each, whose entries are kept in order. Days are about as long as the time
//! from one event to the next or half of it, so that a bucket holds one entry or none: to put one in its place takes a
//! step or two, and so does finding the next, however many there are (Brown, "Calendar queues", CACM
//! 1988). A heap among some hundreds needs ten times as many comparisons.
//!
//! Unlike Brown's, no year but the present one is in it, and no long bucket: what is farther away, and
//! what finds no place after a few steps because very many come due together, is refused and goes
//! elsewhere. So nothing here ever costs more than a few steps, and the order is the same wherever an
//! entry is kept: by time and sequence.

use super::event_queue::NEVER;
use super::heap::Entry;

/// Days of a year, a power of two.
const DAYS: u64 = 1024;
/// Steps after which an entry is refused: a day's bucket holds hardly more.
const STEPS: u32 = 8;
/// Every so many events the length of a day is looked at.
const LOOK: u32 = 1024;
/// No entry.
const NONE: u32 = u32::MAX;

/// See the module's documentation.
#[derive(Clone)]
pub(super) struct Near {
    nodes: Vec<Node>,
    /// The first of the places in `nodes` that are free, each of which knows the next.
    vacant: u32,
    /// The first entry of each day.
    days: Vec<u32>,
    /// A bit for each day that has one.
    occupied: [u64; (DAYS / 64) as usize],
    /// The length of a day as a power of two.
    shift: u32,
    /// Time and sequence of the earliest entry.
    first: (u64, u64),
    /// Events since the length of a day was looked at, and when that was.
    events: u32,
    looked_at: u64,
}

#[derive(Clone, Copy)]
struct Node {
    entry: Entry,
    next: u32,
}

/// Why an entry is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refused {
    /// It is not of this year.
    Far,
    /// Too many come due on its day.
    Full,
}

impl Default for Near {
    fn default() -> Self {
        Self {
            nodes: Vec::new(),
            vacant: NONE,
            days: Vec::new(),
            occupied: [0; (DAYS / 64) as usize],
            // An eighth of a millisecond, until more is known.
            shift: 17,
            first: (NEVER, NEVER),
            events: 0,
            looked_at: 0,
        }
    }
}

impl Near {
    /// Time and sequence of the earliest entry.
    #[inline]
    pub(super) fn first(&self) -> (u64, u64) {
        self.first
    }

    /// Puts an entry in its place, which comes no earlier than `now`: the first place, or not.
    #[inline]
    pub(super) fn push(&mut self, now: u64, entry: Entry) -> Result<bool, Refused> {
        let day = entry.time >> self.shift;
        if day - (now >> self.shift) >= DAYS {
            return Err(Refused::Far);
        }
        if self.days.is_empty() {
            self.days = vec![NONE; DAYS as usize];
        }
        let day = (day % DAYS) as usize;
        let (mut before, mut after) = (NONE, self.days[day]);
        let mut steps = 0;
        while after != NONE && self.nodes[after as usize].entry.is_before(&entry) {
            (before, after) = (after, self.nodes[after as usize].next);
            steps += 1;
            if steps == STEPS {
                return Err(Refused::Full);
            }
        }
        let place = self.claim(Node { entry, next: after });
        if before == NONE {
            self.days[day] = place;
            self.occupied[day / 64] |= 1 << (day % 64);
        } else {
            self.nodes[before as usize].next = place;
        }
        let key = (entry.time, entry.sequence);
        let is_first = key < self.first;
        if is_first {
            self.first = key;
        }
        Ok(is_first)
    }

    /// Takes the earliest entry.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Entry> {
        if self.first.0 == NEVER {
            return None;
        }
        let day = (self.first.0 >> self.shift) % DAYS;
        let place = self.days[day as usize];
        let Node { entry, next } = self.nodes[place as usize];
        self.nodes[place as usize].next = self.vacant;
        self.vacant = place;
        self.days[day as usize] = next;
        let mut following = next;
        if next == NONE {
            self.occupied[(day / 64) as usize] &= !(1 << (day % 64));
            following = self.first_from(day);
        }
        self.first = match self.nodes.get(following as usize) {
            Some(Node { entry, .. }) => (entry.time, entry.sequence),
            None => (NEVER, NEVER),
        };
        Some(entry)
    }

    /// The first entry of the first day after one, round the year.
    #[inline]
    fn first_from(&self, day: u64) -> u32 {
        let words = DAYS / 64;
        let ahead = self.occupied[(day / 64) as usize] & (u64::MAX << (day % 64));
        if ahead != 0 {
            return self.days[(day / 64 * 64) as usize + ahead.trailing_zeros() as usize];
        }
        for step in 1..=words {
            let word = ((day / 64 + step) % words) as usize;
            let bits = self.occupied[word];
            if bits != 0 {
                return self.days[word * 64 + bits.trailing_zeros() as usize];
            }
        }
        NONE
    }

    #[inline]
    fn claim(&mut self, node: Node) -> u32 {
        let place = self.vacant;
        if let Some(free) = self.nodes.get_mut(place as usize) {
            self.vacant = free.next;
            *free = node;
            return place;
        }
        self.nodes.push(node);
        self.nodes.len() as u32 - 1
    }

    /// An event of those that might be here has come: whether it is time to look how long a day is.
    #[inline]
    pub(super) fn is_to_look(&mut self) -> bool {
        self.events += 1;
        self.events >= LOOK
    }

    /// Fits the length of a day to the time between events. Entries that find no place any more are
    /// handed out.
    #[cold]
    pub(super) fn look(&mut self, now: u64, mut put: impl FnMut(Entry)) {
        let gap = (now - self.looked_at) / u64::from(self.events.max(1));
        (self.events, self.looked_at) = (0, now);
        let wanted = (u64::BITS - gap.leading_zeros()).saturating_sub(1).min(40);
        // Half or double does as well.
        if wanted.abs_diff(self.shift) <= 1 {
            return;
        }
        let mut entries = Vec::new();
        while let Some(entry) = self.pop() {
            entries.push(entry);
        }
        self.shift = wanted;
        for entry in entries {
            if self.push(now, entry).is_err() {
                put(entry);
            }
        }
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>() + self.days.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::Event;
    use super::*;
    use crate::draws::Stream;
    use std::collections::BTreeSet;

    /// Pushes and pops at random, times going on as events come; how many were refused, for each reason.
    fn follow(span: usize, operations: u64, pushes: usize) -> (u64, u64) {
        let mut draws = Stream::new(7, 0, "near").at(span as u64);
        let (mut near, mut naive) = (Near::default(), BTreeSet::new());
        // What was refused is kept elsewhere, and comes in its turn.
        let mut elsewhere = BTreeSet::new();
        let (mut now, mut far, mut full) = (0, 0, 0);
        for sequence in 0..operations {
            if draws.below(8) < pushes {
                // Now and then several at one time.
                let time = now + (draws.below(span) as u64 / 3 * 3);
                let (event, key) = (Event::Poll, (time, sequence));
                let is_first = naive.first().is_none_or(|first| key < *first);
                let entry = Entry {
                    time,
                    sequence,
                    event,
                };
                match near.push(now, entry) {
                    Ok(first) => {
                        assert_eq!(first, is_first);
                        naive.insert(key);
                    }
                    Err(why) => {
                        elsewhere.insert(key);
                        far += u64::from(why == Refused::Far);
                        full += u64::from(why == Refused::Full);
                    }
                }
            } else {
                if elsewhere.first() < naive.first() && !elsewhere.is_empty() || naive.is_empty() {
                    now = elsewhere.pop_first().map_or(now, |(time, _)| time);
                } else {
                    let popped = near.pop().map(|entry| (entry.time, entry.sequence));
                    assert_eq!(popped, naive.pop_first());
                    now = popped.map_or(now, |(time, _)| time);
                }
                if near.is_to_look() {
                    near.look(now, |entry| {
                        let key = (entry.time, entry.sequence);
                        assert!(naive.remove(&key));
                        elsewhere.insert(key);
                    });
                }
            }
            let first = naive.first().copied().unwrap_or((NEVER, NEVER));
            assert_eq!(near.first(), first);
        }
        (far, full)
    }

    #[test]
    fn entries_come_out_by_time_and_sequence() {
        for pushes in [3, 4, 5] {
            for span in [3, 100, 1 << 20, 1 << 30, 1 << 40] {
                follow(span, 50_000, pushes);
            }
        }
    }

    #[test]
    fn days_become_as_long_as_gaps_between_events() {
        // A million days of the first length: nearly all are refused, until days are longer.
        let (far, full) = follow(1 << 37, 400_000, 4);
        assert!(far < 40_000, "{far} of about 200 000 were too far away");
        assert!(full < 2_000, "{full} found their day full");
    }

    #[test]
    fn a_crowd_is_refused_and_not_walked_through() {
        let mut near = Near::default();
        let taken = (0..10_000).filter(|&sequence| {
            let (time, event) = (5, Event::Poll);
            let entry = Entry {
                time,
                sequence,
                event,
            };
            near.push(0, entry).is_ok()
        });
        assert_eq!(taken.count(), STEPS as usize);
    }
}
