//! A state for each key, of the keys seen last.

use std::collections::BTreeMap;

use super::Sees;
use crate::extension::{ParamDef, ParamKind, Params};

/// Whether all are counted together or those of each key by themselves.
pub(super) const BY: ParamDef = ParamDef {
    name: "by",
    about: "What is counted together: all attempts, or those of one key of their traffic, such as an address.",
    kind: ParamKind::Choice(&["all", "key"]),
    default: Some("all"),
};

/// Keys that are remembered.
pub(super) const KEYS: ParamDef = ParamDef {
    name: "keys",
    about: "Keys that are remembered; for a further one that which was not seen for longest is forgotten.",
    kind: ParamKind::Integer {
        min: 1,
        max: 10_000_000,
        unit: "keys",
    },
    default: Some("80000"),
};

/// Whether keys are told apart.
pub(super) fn is_by_key(params: &Params) -> bool {
    params.choice("by") == 1
}

/// What must be known of an attempt for that.
pub(super) fn sees(params: &Params) -> Sees {
    if is_by_key(params) {
        Sees::All
    } else {
        Sees::Attempt
    }
}

/// States by key, with when each was used last.
#[derive(Clone, Debug)]
pub(super) struct PerKey<T> {
    states: BTreeMap<u64, (u64, T)>,
    by_use: BTreeMap<u64, u64>,
    uses: u64,
    most: usize,
}

impl<T> PerKey<T> {
    pub(super) fn new(params: &Params) -> Self {
        Self {
            states: BTreeMap::new(),
            by_use: BTreeMap::new(),
            uses: 0,
            most: params.integer("keys") as usize,
        }
    }

    /// The state of a key, and whether it is fresh.
    pub(super) fn of(&mut self, key: u64, fresh: impl FnOnce() -> T) -> (&mut T, bool) {
        self.uses += 1;
        let is_new = !self.states.contains_key(&key);
        if is_new
            && self.states.len() >= self.most
            && let Some((_, oldest)) = self.by_use.pop_first()
        {
            self.states.remove(&oldest);
        }
        let (used, state) = self.states.entry(key).or_insert_with(|| (0, fresh()));
        self.by_use.remove(used);
        *used = self.uses;
        self.by_use.insert(self.uses, key);
        (state, is_new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::ParamValue::Integer;

    #[test]
    fn the_key_not_seen_for_longest_is_forgotten() {
        let mut keys = PerKey::new(&Params::new(vec![("keys", Integer(2))]));
        let mut count = |key| {
            let (count, _) = keys.of(key, || 0);
            *count += 1;
            *count
        };
        assert_eq!([count(1), count(2), count(1), count(2)], [1, 1, 2, 2]);
        // Key 1 was used before key 2 was.
        assert_eq!([count(3), count(2), count(1), count(3)], [1, 3, 1, 1]);
        assert_eq!((keys.states.len(), keys.by_use.len()), (2, 2));
    }
}
