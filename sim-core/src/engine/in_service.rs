//! The requests that a server has in service beside the one that finishes first.
//!
//! A heap, and to the last place the one of std: whoever takes one of them at random takes it by its place. But std's
//! reads what it has just written, in other pieces, for which the processor has to wait until it is written; that is as
//! long as all the rest takes. And whether times are equal is asked apart, which is foreseen, so that which of two is
//! less is no branch.

use super::slab::Slot;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::slice::Iter;

/// A request in service.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Serving {
    /// In virtual time.
    pub finish: u64,
    /// Which it is of all that have begun: no two are equal.
    pub started: u64,
    pub slot: Slot,
}

impl Serving {
    #[inline]
    fn is_before(&self, other: &Self) -> bool {
        if self.finish == other.finish {
            return self.started < other.started;
        }
        self.finish < other.finish
    }
}

impl Ord for Serving {
    /// What comes first is the greatest, as std's heap wants it.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.finish, other.started).cmp(&(self.finish, self.started))
    }
}

impl PartialOrd for Serving {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// See the module's documentation.
#[derive(Clone, Default)]
pub(super) struct InService {
    entries: Vec<Serving>,
}

impl InService {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// All of them, by place.
    pub(super) fn iter(&self) -> Iter<'_, Serving> {
        self.entries.iter()
    }

    #[inline]
    pub(super) fn push(&mut self, entry: Serving) {
        let place = self.entries.len();
        self.entries.push(entry);
        self.rise(place, entry);
    }

    /// Takes the one that finishes first.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Serving> {
        let last = self.entries.pop()?;
        let Some(&first) = self.entries.first() else {
            return Some(last);
        };
        // Whoever comes first of two children moves up, down to the end; what was last rises from there.
        let entries = &mut self.entries[..];
        let mut place = 0;
        while let [one, other, ..] = entries.get(2 * place + 1..).unwrap_or_default() {
            let child = 2 * place + 1 + usize::from(other.is_before(one));
            entries[place] = entries[child];
            place = child;
        }
        let child = 2 * place + 1;
        if let Some(&only) = entries.get(child) {
            entries[place] = only;
            place = child;
        }
        self.rise(place, last);
        Some(first)
    }

    /// Puts an entry in a place, or above it.
    #[inline]
    fn rise(&mut self, mut place: usize, entry: Serving) {
        while place > 0 {
            let parent = (place - 1) / 2;
            if !entry.is_before(&self.entries[parent]) {
                break;
            }
            self.entries[place] = self.entries[parent];
            place = parent;
        }
        self.entries[place] = entry;
    }

    /// Takes the request in a slot, if it is there.
    pub(super) fn remove(&mut self, slot: Slot) {
        let mut heap = BinaryHeap::from(std::mem::take(&mut self.entries));
        heap.retain(|serving| serving.slot != slot);
        self.entries = heap.into_vec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;
    use crate::ids::Id;

    #[test]
    fn every_entry_is_where_std_would_put_it() {
        let mut draws = Stream::new(5, 0, "in service").at(0);
        for most in [2, 5, 20, 300] {
            let (mut own, mut std) = (InService::default(), BinaryHeap::new());
            for started in 0..3000 {
                if draws.below(2) == 0 && own.len() < most {
                    let entry = Serving {
                        finish: draws.below(50) as u64,
                        started,
                        slot: Slot::at(started as usize % 1000),
                    };
                    own.push(entry);
                    std.push(entry);
                } else if draws.below(10) > 0 {
                    assert!(own.pop() == std.pop());
                } else if let Some(&entry) = own.iter().nth(draws.below(most)) {
                    own.remove(entry.slot);
                    std.retain(|other| other.slot != entry.slot);
                }
                assert!(own.iter().eq(std.iter()));
            }
        }
    }
}
