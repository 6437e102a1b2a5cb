//! Storage for what comes and goes: calls and attempts in flight.
//!
//! Places are reused last-in, first-out, so that the next insertion finds warm memory. A
//! [`Handle`] names a place and its generation; it is stale once its thing is gone, even when the
//! place holds another. Timers that are nearly always outlived by their attempt need no removal.

use crate::ids::{Id, Table, id};

id! {
    /// A place in the engine's storage, for compact links between things known to be there.
    Slot(u32)
}

/// A thing in the engine's storage, or what once was one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Handle {
    slot: Slot,
    generation: u32,
}

impl Default for Handle {
    fn default() -> Self {
        Self::NONE
    }
}

impl Handle {
    /// No thing: stale in every slab.
    pub(crate) const NONE: Self = Self {
        slot: Slot::NONE,
        generation: u32::MAX,
    };

    /// A call that is not written down: the first attempt of a request from outside says all there
    /// is to know about it. Stale in every slab.
    pub(crate) const ELIDED: Self = Self {
        slot: Slot(u32::MAX - 1),
        generation: u32::MAX,
    };

    /// Somebody who is gone, where [`Handle::NONE`] would mean that there never was anybody. Stale in
    /// every slab.
    pub(crate) const GONE: Self = Self {
        slot: Slot(u32::MAX - 2),
        generation: u32::MAX,
    };

    /// The place.
    pub(crate) fn slot(self) -> Slot {
        self.slot
    }

    /// Whether this is [`Handle::ELIDED`].
    #[inline]
    pub(crate) fn is_elided(self) -> bool {
        self.slot == Self::ELIDED.slot
    }

    /// Whether this is [`Handle::NONE`].
    pub(crate) fn is_none(self) -> bool {
        self.slot == Slot::NONE
    }
}

/// Things that a slab holds at most: the slots above have a meaning of their own.
const MOST: usize = u32::MAX as usize - 2;

/// See the module's documentation. Generations lie apart from the things: whether a timer is stale
/// is then seen without touching what it was set for.
#[derive(Clone)]
pub(crate) struct Slab<T> {
    /// Odd while the place is occupied.
    generations: Table<Slot, u32>,
    things: Table<Slot, T>,
    vacant: Vec<Slot>,
}

impl<T> Slab<T> {
    pub(crate) fn new() -> Self {
        Self {
            generations: Table::default(),
            things: Table::default(),
            vacant: Vec::new(),
        }
    }

    /// Number of things.
    pub(crate) fn len(&self) -> usize {
        self.things.len() - self.vacant.len()
    }

    /// Places ever used: the peak of [`Slab::len`].
    pub(crate) fn peak(&self) -> usize {
        self.things.len()
    }

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "a record is then written in place, not copied there"
    )]
    pub(crate) fn insert(&mut self, thing: T) -> Handle {
        if let Some(slot) = self.vacant.pop() {
            self.things[slot] = thing;
            let generation = &mut self.generations[slot];
            *generation = generation.wrapping_add(1);
            Handle {
                slot,
                generation: *generation,
            }
        } else {
            assert!(self.things.len() < MOST, "limits are far below 2³²");
            let slot = self.things.push(thing);
            self.generations.push(1);
            Handle {
                slot,
                generation: 1,
            }
        }
    }

    /// Makes room for a thing. What lies there is left over from another, or `blank`; the caller
    /// overwrites what matters.
    #[inline]
    pub(crate) fn claim(&mut self, blank: fn() -> T) -> (Handle, &mut T) {
        let slot = match self.vacant.pop() {
            Some(slot) => slot,
            None => self.extend(blank),
        };
        let generation = &mut self.generations[slot];
        *generation = generation.wrapping_add(1);
        let handle = Handle {
            slot,
            generation: *generation,
        };
        (handle, &mut self.things[slot])
    }

    /// Room for one more, as if it had come and gone.
    #[inline]
    pub(crate) fn pass_by(&mut self, blank: fn() -> T) {
        if self.vacant.is_empty() {
            let slot = self.extend(blank);
            self.vacant.push(slot);
        }
    }

    /// A new, vacant place.
    #[cold]
    #[inline(never)]
    fn extend(&mut self, blank: fn() -> T) -> Slot {
        assert!(self.things.len() < MOST, "limits are far below 2³²");
        self.generations.push(0);
        self.things.push(blank())
    }

    /// Forgets a thing; its handle must be fresh.
    pub(crate) fn remove(&mut self, handle: Handle) {
        assert!(self.contains(handle), "removed twice");
        self.vacate(handle.slot);
    }

    /// Forgets the thing at a place known to be occupied.
    #[inline]
    pub(crate) fn vacate(&mut self, slot: Slot) {
        let generation = &mut self.generations[slot];
        debug_assert!(*generation & 1 == 1, "removed twice");
        *generation = generation.wrapping_add(1);
        self.vacant.push(slot);
    }

    #[inline]
    pub(crate) fn contains(&self, handle: Handle) -> bool {
        debug_assert!(
            !handle.is_elided(),
            "a call that is not written down was asked about"
        );
        self.generations.get(handle.slot) == Some(&handle.generation)
    }

    /// The handle of the thing at a place known to be occupied.
    #[inline]
    pub(crate) fn handle_at(&self, slot: Slot) -> Handle {
        Handle {
            slot,
            generation: self.generations[slot],
        }
    }

    /// Things with their handles, by place.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Handle, &T)> {
        let places = self.generations.iter().zip(&self.things).enumerate();
        places
            .filter(|(_, (generation, _))| **generation & 1 == 1)
            .map(|(position, (&generation, thing))| {
                let slot = Slot::at(position);
                (Handle { slot, generation }, thing)
            })
    }
}

impl<T> std::ops::Index<Slot> for Slab<T> {
    type Output = T;
    #[inline]
    fn index(&self, slot: Slot) -> &T {
        &self.things[slot]
    }
}

impl<T> std::ops::IndexMut<Slot> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, slot: Slot) -> &mut T {
        &mut self.things[slot]
    }
}

impl<T> std::ops::Index<Handle> for Slab<T> {
    type Output = T;
    #[inline]
    fn index(&self, handle: Handle) -> &T {
        debug_assert!(self.contains(handle), "stale handle");
        &self.things[handle.slot]
    }
}

impl<T> std::ops::IndexMut<Handle> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, handle: Handle) -> &mut T {
        debug_assert!(self.contains(handle), "stale handle");
        &mut self.things[handle.slot]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_go_stale_and_places_are_reused() {
        let mut slab = Slab::new();
        let a = slab.insert('a');
        let b = slab.insert('b');
        slab.remove(a);
        let c = slab.insert('c');
        assert_eq!(c.slot(), a.slot());
        assert!(!slab.contains(a) && slab.contains(b) && slab.contains(c));
        assert_eq!((slab.len(), slab.peak()), (2, 2));
        assert!(!slab.contains(Handle::NONE));
        assert_eq!(slab.iter().map(|(_, v)| *v).collect::<String>(), "cb");
    }
}
