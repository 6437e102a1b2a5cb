//! Storage for what comes and goes: calls and attempts in flight.
//!
//! Places are reused last-in, first-out, so that the next insertion finds warm memory. A
//! [`Handle`] names a place and its generation; it is stale once its thing is gone, even when the
//! place holds another. Timers that are nearly always outlived by their attempt need no removal.

/// A thing in the engine's storage, or what once was one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Handle {
    index: u32,
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
        index: u32::MAX,
        generation: u32::MAX,
    };

    /// A call that is not written down: the first attempt of a request from outside says all there
    /// is to know about it. Stale in every slab.
    pub(crate) const ELIDED: Self = Self {
        index: u32::MAX - 1,
        generation: u32::MAX,
    };

    /// Somebody who is gone, where [`Handle::NONE`] would mean that there never was anybody. Stale in
    /// every slab.
    pub(crate) const GONE: Self = Self {
        index: u32::MAX - 2,
        generation: u32::MAX,
    };

    /// The place, for compact links between things known to be alive.
    pub(crate) fn index(self) -> u32 {
        self.index
    }

    /// Whether this is [`Handle::ELIDED`].
    #[inline]
    pub(crate) fn is_elided(self) -> bool {
        self.index == u32::MAX - 1
    }

    /// Whether this is [`Handle::NONE`].
    pub(crate) fn is_none(self) -> bool {
        self.index == u32::MAX
    }
}

/// See the module's documentation. Generations lie apart from the things: whether a timer is stale
/// is then seen without touching what it was set for.
#[derive(Clone)]
pub(crate) struct Slab<T> {
    /// Odd while the place is occupied.
    generations: Vec<u32>,
    things: Vec<T>,
    vacant: Vec<u32>,
}

impl<T> Slab<T> {
    pub(crate) fn new() -> Self {
        Self {
            generations: Vec::new(),
            things: Vec::new(),
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
        if let Some(index) = self.vacant.pop() {
            self.things[index as usize] = thing;
            let generation = &mut self.generations[index as usize];
            *generation = generation.wrapping_add(1);
            Handle {
                index,
                generation: *generation,
            }
        } else {
            let index = u32::try_from(self.things.len())
                .expect("the limit on things in flight is far below 2³²");
            self.things.push(thing);
            self.generations.push(1);
            Handle {
                index,
                generation: 1,
            }
        }
    }

    /// Makes room for a thing. What lies there is left over from another, or `blank`; the caller
    /// overwrites what matters.
    #[inline]
    pub(crate) fn claim(&mut self, blank: fn() -> T) -> (Handle, &mut T) {
        let index = match self.vacant.pop() {
            Some(index) => index,
            None => self.extend(blank),
        };
        let generation = &mut self.generations[index as usize];
        *generation = generation.wrapping_add(1);
        let handle = Handle {
            index,
            generation: *generation,
        };
        (handle, &mut self.things[index as usize])
    }

    /// A new, vacant place.
    #[cold]
    #[inline(never)]
    fn extend(&mut self, blank: fn() -> T) -> u32 {
        let index = u32::try_from(self.things.len());
        self.things.push(blank());
        self.generations.push(0);
        index.expect("the limit on things in flight is far below 2³²")
    }

    /// Forgets a thing; its handle must be fresh.
    pub(crate) fn remove(&mut self, handle: Handle) {
        assert!(self.contains(handle), "removed twice");
        self.vacate(handle.index);
    }

    /// Forgets the thing at a place known to be occupied.
    #[inline]
    pub(crate) fn vacate(&mut self, index: u32) {
        let generation = &mut self.generations[index as usize];
        debug_assert!(*generation & 1 == 1, "removed twice");
        *generation = generation.wrapping_add(1);
        self.vacant.push(index);
    }

    #[inline]
    pub(crate) fn contains(&self, handle: Handle) -> bool {
        debug_assert!(
            !handle.is_elided(),
            "a call that is not written down was asked about"
        );
        self.generations.get(handle.index as usize) == Some(&handle.generation)
    }

    /// The handle of the thing at a place known to be occupied.
    #[inline]
    pub(crate) fn handle_at(&self, index: u32) -> Handle {
        Handle {
            index,
            generation: self.generations[index as usize],
        }
    }

    /// Things with their handles, by place.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Handle, &T)> {
        let places = self.generations.iter().zip(&self.things).enumerate();
        places
            .filter(|(_, (generation, _))| **generation & 1 == 1)
            .map(|(index, (&generation, thing))| {
                let index = index as u32;
                (Handle { index, generation }, thing)
            })
    }
}

impl<T> std::ops::Index<u32> for Slab<T> {
    type Output = T;
    #[inline]
    fn index(&self, index: u32) -> &T {
        &self.things[index as usize]
    }
}

impl<T> std::ops::IndexMut<u32> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, index: u32) -> &mut T {
        &mut self.things[index as usize]
    }
}

impl<T> std::ops::Index<Handle> for Slab<T> {
    type Output = T;
    #[inline]
    fn index(&self, handle: Handle) -> &T {
        debug_assert!(self.contains(handle), "stale handle");
        &self.things[handle.index as usize]
    }
}

impl<T> std::ops::IndexMut<Handle> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, handle: Handle) -> &mut T {
        debug_assert!(self.contains(handle), "stale handle");
        &mut self.things[handle.index as usize]
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
        assert_eq!(c.index(), a.index());
        assert!(!slab.contains(a) && slab.contains(b) && slab.contains(c));
        assert_eq!((slab.len(), slab.peak()), (2, 2));
        assert!(!slab.contains(Handle::NONE));
        assert_eq!(slab.iter().map(|(_, v)| *v).collect::<String>(), "cb");
    }
}
