//! Numbers of things, a type for each kind, and tables indexed by one kind only.
//!
//! The lowest layer: a server's number cannot be taken for an instance's, nor its number among all
//! servers for the one within its service.

use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// A number that says which one of a kind, from zero.
pub trait Id: Copy {
    /// The one at a position.
    fn at(position: usize) -> Self;
    /// Its position in tables of its kind.
    fn position(self) -> usize;
}

/// A type of numbers over an integer, with the number that stands for none.
macro_rules! id {
    ($(#[doc = $doc:expr])* $name:ident($integer:ident)) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub $integer);

        impl $name {
            /// Stands for none where a record has none.
            pub const NONE: Self = Self($integer::MAX);

            /// Itself, unless it stands for none.
            #[inline]
            pub fn known(self) -> Option<Self> {
                (self != Self::NONE).then_some(self)
            }
        }

        impl crate::ids::Id for $name {
            #[inline]
            fn at(position: usize) -> Self {
                Self(position as $integer)
            }
            #[inline]
            fn position(self) -> usize {
                self.0 as usize
            }
        }

        impl From<$name> for u64 {
            #[inline]
            fn from(id: $name) -> Self {
                Self::from(id.0)
            }
        }
    };
}
pub(crate) use id;

id! {
    /// Position in [`Model::services`](crate::model::Model::services).
    ServiceId(u16)
}
id! {
    /// Position in [`Model::servers`](crate::model::Model::servers).
    ServerId(u32)
}
id! {
    /// Position of a server within its service, in [`Service::servers`](crate::model::Service::servers).
    LocalId(u32)
}
id! {
    /// Position in [`Service::zones`](crate::model::Service::zones).
    ZoneId(u16)
}
id! {
    /// Position in [`Model::classes`](crate::model::Model::classes).
    ClassId(u16)
}
id! {
    /// Position in [`Model::clients`](crate::model::Model::clients).
    ClientId(u16)
}
id! {
    /// Position in [`Model::sources`](crate::model::Model::sources).
    SourceId(u16)
}
id! {
    /// Position in [`Model::hosts`](crate::model::Model::hosts).
    HostId(u16)
}
id! {
    /// A balancer instance, spares included, service by service.
    InstanceId(u32)
}
id! {
    /// Who probes one server: a balancer instance, or the server's own keeper.
    ProberId(u32)
}

/// A row for each thing of a kind, found by its number only.
#[derive(PartialEq, Eq, Debug)]
pub struct Table<I, T> {
    rows: Vec<T>,
    kind: PhantomData<fn(I)>,
}

impl<I: Id, T> Table<I, T> {
    /// The same row for each of so many.
    pub fn filled(rows: usize, row: T) -> Self
    where
        T: Clone,
    {
        vec![row; rows].into()
    }

    /// How many there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds a row; its number.
    pub fn push(&mut self, row: T) -> I {
        self.rows.push(row);
        I::at(self.rows.len() - 1)
    }

    /// The row of a number, if there is one.
    #[inline]
    pub fn get(&self, id: I) -> Option<&T> {
        self.rows.get(id.position())
    }

    /// The row of a number, if there is one.
    #[inline]
    pub fn get_mut(&mut self, id: I) -> Option<&mut T> {
        self.rows.get_mut(id.position())
    }

    /// The row of a number, and all before it, made if they are not there.
    #[inline]
    pub fn with_room(&mut self, id: I, blank: T) -> &mut T
    where
        T: Clone,
    {
        if id.position() >= self.rows.len() {
            self.rows.resize(id.position() + 1, blank);
        }
        &mut self.rows[id.position()]
    }

    /// Numbers of all rows. They borrow nothing.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = I> + ExactSizeIterator + use<I, T> {
        (0..self.rows.len()).map(I::at)
    }

    /// Rows in order.
    #[inline]
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.rows.iter()
    }

    /// Rows in order.
    #[inline]
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.rows.iter_mut()
    }

    /// Rows in order, with their numbers.
    pub fn enumerate(&self) -> impl DoubleEndedIterator<Item = (I, &T)> + ExactSizeIterator {
        let rows = self.rows.iter().enumerate();
        rows.map(|(position, row)| (I::at(position), row))
    }

    /// Rows in order, for those who know positions only.
    #[inline]
    pub fn as_slice(&self) -> &[T] {
        &self.rows
    }

    /// Rows in order, for those who know positions only.
    #[inline]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.rows
    }
}

impl<I, T: Clone> Clone for Table<I, T> {
    fn clone(&self) -> Self {
        self.rows.clone().into()
    }
}

impl<I, T> Default for Table<I, T> {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl<I, T> From<Vec<T>> for Table<I, T> {
    fn from(rows: Vec<T>) -> Self {
        Self {
            rows,
            kind: PhantomData,
        }
    }
}

impl<I, T> FromIterator<T> for Table<I, T> {
    fn from_iter<R: IntoIterator<Item = T>>(rows: R) -> Self {
        Vec::from_iter(rows).into()
    }
}

impl<'a, I, T> IntoIterator for &'a Table<I, T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.rows.iter()
    }
}

impl<'a, I, T> IntoIterator for &'a mut Table<I, T> {
    type Item = &'a mut T;
    type IntoIter = std::slice::IterMut<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.rows.iter_mut()
    }
}

impl<I: Id, T> Index<I> for Table<I, T> {
    type Output = T;
    #[inline]
    fn index(&self, id: I) -> &T {
        &self.rows[id.position()]
    }
}

impl<I: Id, T> IndexMut<I> for Table<I, T> {
    #[inline]
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.rows[id.position()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_found_by_its_numbers() {
        let mut names: Table<ServerId, &str> = ["a", "b"].into_iter().collect();
        assert_eq!(names.push("c"), ServerId(2));
        names[ServerId(0)] = "z";
        assert_eq!(names.get(ServerId(3)), None);
        assert_eq!(names.get(ServerId::NONE), None);
        assert_eq!(names.ids().map(|id| names[id]).collect::<String>(), "zbc");
        assert_eq!(names.enumerate().last(), Some((ServerId(2), &"c")));
        *names.with_room(ServerId(4), "-") = "e";
        assert_eq!(names.iter().copied().collect::<String>(), "zbc-e");
    }
}
