//! What policies that are clones of each other make alike, and hold together.

use std::sync::{Arc, Mutex, PoisonError, Weak};

/// What was made last by any of the policies that are clones of each other, and the weights that it was made of.
///
/// They have the same servers at the same places, so that equal weights mean equal tables: who finds the
/// table here need not make it, and all of them hold one. What it finds changes nothing but time and memory.
#[derive(Debug)]
pub(super) struct Latest<T>(Arc<Mutex<(Vec<f64>, Weak<T>)>>);

impl<T> Latest<T> {
    /// What belongs to these weights: what is there, or what is made now.
    pub(super) fn of(&self, weights: &[f64], make: impl FnOnce() -> T) -> Arc<T> {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = (latest.0 == weights).then(|| latest.1.upgrade());
        let table = known.flatten().unwrap_or_else(|| Arc::new(make()));
        *latest = (weights.to_vec(), Arc::downgrade(&table));
        table
    }
}

impl<T> Clone for Latest<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}
