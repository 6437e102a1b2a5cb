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

impl Handle {
    /// No thing: stale in every slab.
    pub(crate) const NONE: Self = Self {
        index: u32::MAX,
        generation: u32::MAX,
    };

    /// The place, for compact links between things known to be alive.
    pub(crate) fn index(self) -> u32 {
        self.index
    }

    /// Whether this is [`Handle::NONE`].
    pub(crate) fn is_none(self) -> bool {
        self.index == u32::MAX
    }
}

#[derive(Clone)]
struct Place<T> {
    /// Odd while occupied.
    generation: u32,
    value: T,
}

/// See the module's documentation.
#[derive(Clone)]
pub(crate) struct Slab<T> {
    places: Vec<Place<T>>,
    vacant: Vec<u32>,
}

impl<T> Slab<T> {
    pub(crate) fn new() -> Self {
        Self {
            places: Vec::new(),
            vacant: Vec::new(),
        }
    }

    /// Number of things.
    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.vacant.len()
    }

    /// Places ever used: the peak of [`Slab::len`].
    pub(crate) fn peak(&self) -> usize {
        self.places.len()
    }

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "a record is then written in place, not copied there"
    )]
    pub(crate) fn insert(&mut self, value: T) -> Handle {
        if let Some(index) = self.vacant.pop() {
            let place = &mut self.places[index as usize];
            place.generation = place.generation.wrapping_add(1);
            place.value = value;
            Handle {
                index,
                generation: place.generation,
            }
        } else {
            let index = u32::try_from(self.places.len())
                .expect("the limit on things in flight is far below 2³²");
            self.places.push(Place {
                generation: 1,
                value,
            });
            Handle {
                index,
                generation: 1,
            }
        }
    }

    /// Forgets a thing; its handle must be fresh.
    pub(crate) fn remove(&mut self, handle: Handle) {
        let place = &mut self.places[handle.index as usize];
        assert_eq!(place.generation, handle.generation, "removed twice");
        place.generation = place.generation.wrapping_add(1);
        self.vacant.push(handle.index);
    }

    /// Forgets the thing at a place known to be occupied.
    #[inline]
    pub(crate) fn vacate(&mut self, index: u32) {
        let place = &mut self.places[index as usize];
        debug_assert!(place.generation & 1 == 1, "removed twice");
        place.generation = place.generation.wrapping_add(1);
        self.vacant.push(index);
    }

    #[inline]
    pub(crate) fn contains(&self, handle: Handle) -> bool {
        self.places
            .get(handle.index as usize)
            .is_some_and(|place| place.generation == handle.generation)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, handle: Handle) -> Option<&mut T> {
        match self.places.get_mut(handle.index as usize) {
            Some(place) if place.generation == handle.generation => Some(&mut place.value),
            _ => None,
        }
    }

    /// The handle of the thing at a place known to be occupied.
    #[inline]
    pub(crate) fn handle_at(&self, index: u32) -> Handle {
        Handle {
            index,
            generation: self.places[index as usize].generation,
        }
    }

    /// Things with their handles, by place.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Handle, &T)> {
        self.places
            .iter()
            .enumerate()
            .filter(|(_, place)| place.generation & 1 == 1)
            .map(|(index, place)| {
                (
                    Handle {
                        index: index as u32,
                        generation: place.generation,
                    },
                    &place.value,
                )
            })
    }
}

impl<T> std::ops::Index<u32> for Slab<T> {
    type Output = T;
    #[inline]
    fn index(&self, index: u32) -> &T {
        &self.places[index as usize].value
    }
}

impl<T> std::ops::IndexMut<u32> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, index: u32) -> &mut T {
        &mut self.places[index as usize].value
    }
}

impl<T> std::ops::Index<Handle> for Slab<T> {
    type Output = T;
    #[inline]
    fn index(&self, handle: Handle) -> &T {
        let place = &self.places[handle.index as usize];
        debug_assert_eq!(place.generation, handle.generation, "stale handle");
        &place.value
    }
}

impl<T> std::ops::IndexMut<Handle> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, handle: Handle) -> &mut T {
        let place = &mut self.places[handle.index as usize];
        debug_assert_eq!(place.generation, handle.generation, "stale handle");
        &mut place.value
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
