//! Unique: every request has a key of its own.

use super::{KeyDef, Keys};
use crate::draws::{Draws, mix};
use crate::extension::ExtensionRow;
use std::sync::Arc;

pub(super) static KEY: KeyDef = KeyDef {
    row: ExtensionRow {
        name: "unique",
        about: "Every request has a key of its own, as if each came from another visitor.",
        source: "",
        params: &[],
    },
    build: |_| Arc::new(Unique),
};

#[derive(Debug)]
struct Unique;

impl Keys for Unique {
    fn key(&self, number: u64, _: &mut Draws) -> u64 {
        // A bijection: never the same key twice, and the bits look like a hash.
        mix(number.wrapping_add(1))
    }
}
