//! A heap of what is due later, in no order known beforehand.
//!
//! Four children a node: half as deep as with two, and the children of a node lie side by side, so
//! that a pop among a million entries waits for memory half as often. Time and sequence are
//! compared one after the other: times are equal so rarely that the branch on them is foreseen, and
//! the smallest of four is found without any.

use super::event::Event;
use std::hint::select_unpredictable;

/// Something planned.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub time: u64,
    pub sequence: u64,
    pub event: Event,
}

impl Entry {
    #[inline]
    pub(super) fn is_before(&self, other: &Self) -> bool {
        (self.time, self.sequence) < (other.time, other.sequence)
    }
}

/// What is planned, the earliest first; at the same time, by sequence.
#[derive(Clone, Default)]
pub(super) struct Heap {
    entries: Vec<Entry>,
}

const CHILDREN: usize = 4;

impl Heap {
    /// The first entry.
    #[inline]
    pub(super) fn first(&self) -> Option<&Entry> {
        self.entries.first()
    }

    /// Puts an entry in its place; true if it is the first.
    #[inline]
    pub(super) fn push(&mut self, entry: Entry) -> bool {
        let mut place = self.entries.len();
        self.entries.push(entry);
        while place > 0 {
            let parent = (place - 1) / CHILDREN;
            if !entry.is_before(&self.entries[parent]) {
                break;
            }
            self.entries[place] = self.entries[parent];
            place = parent;
        }
        self.entries[place] = entry;
        place == 0
    }

    /// Takes the first entry.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Entry> {
        let first = *self.entries.first()?;
        let last = self.entries.pop()?;
        if !self.entries.is_empty() {
            self.sift_down(0, last);
        }
        Some(first)
    }

    /// Keeps some of the entries.
    pub(super) fn retain(&mut self, keep: impl Fn(&Entry) -> bool) {
        self.entries.retain(keep);
        for place in (0..self.entries.len().div_ceil(CHILDREN)).rev() {
            self.sift_down(place, self.entries[place]);
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Puts an entry in a place, or below it.
    fn sift_down(&mut self, mut place: usize, entry: Entry) {
        let entries = &mut self.entries[..];
        loop {
            let child = CHILDREN * place + 1;
            let Some(children) = entries.get(child..) else {
                break;
            };
            let least = match children {
                [] => break,
                [a, b, c, d, ..] => {
                    let left = usize::from(b.is_before(a));
                    let right = 2 + usize::from(d.is_before(c));
                    let right_first = children[right].is_before(&children[left]);
                    select_unpredictable(right_first, right, left)
                }
                few => (1..few.len()).fold(0, |least, i| {
                    if few[i].is_before(&few[least]) {
                        i
                    } else {
                        least
                    }
                }),
            };
            let least = child + least;
            if !entries[least].is_before(&entry) {
                break;
            }
            entries[place] = entries[least];
            place = least;
        }
        entries[place] = entry;
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;

    #[test]
    fn entries_come_out_by_time_and_sequence() {
        let mut draws = Stream::new(7, 0, "heap").at(0);
        let (mut heap, mut naive) = (Heap::default(), Vec::new());
        for sequence in 0..20_000_u64 {
            if draws.below(5) < 3 {
                let time = draws.below(500) as u64;
                let is_first = naive.iter().all(|other| (time, sequence) < *other);
                let entry = Entry {
                    time,
                    sequence,
                    event: if time.is_multiple_of(7) {
                        Event::Tick
                    } else {
                        Event::Poll
                    },
                };
                assert_eq!(heap.push(entry), is_first);
                naive.push((time, sequence));
            } else {
                let first = naive.iter().copied().min();
                naive.retain(|entry| Some(*entry) != first);
                let popped = heap.pop().map(|entry| (entry.time, entry.sequence));
                assert_eq!(popped, first);
            }
            if sequence % 1000 == 999 {
                naive.retain(|(time, _)| !time.is_multiple_of(7));
                heap.retain(|entry| entry.event == Event::Poll);
            }
            let first = heap.first().map(|entry| (entry.time, entry.sequence));
            assert_eq!(first, naive.iter().copied().min());
        }
        assert!(!naive.is_empty(), "it grew");
    }
}
