//! Session and hash keys of requests.

use crate::draws::Draws;
use crate::extension::{Configured, Def, ExtensionRow, Params, Registry};
use std::fmt::Debug;
use std::sync::Arc;

mod uniform;
mod unique;
mod zipf;

/// Every law of keys a scenario can name.
pub static KEYS: &[&KeyDef] = &[&unique::KEY, &uniform::KEY, &zipf::KEY];

/// A row of [`KEYS`].
pub struct KeyDef {
    /// Name, description, parameters.
    pub row: ExtensionRow,
    /// Makes the sampler.
    pub build: fn(&Params) -> Arc<dyn Keys>,
}

/// Every row there is, those that were added among them.
static ROWS: Registry<KeyDef> = Registry::of(KEYS);

impl Def for KeyDef {
    fn registry() -> &'static Registry<Self> {
        &ROWS
    }
    fn row(&self) -> &ExtensionRow {
        &self.row
    }
}

impl Configured<KeyDef> {
    /// The sampler.
    pub fn build(&self) -> Arc<dyn Keys> {
        (self.def.build)(&self.params)
    }
}

/// A law of keys.
pub trait Keys: Debug + Send + Sync {
    /// The key of request `number`.
    fn key(&self, number: u64, draws: &mut Draws) -> u64;
    /// The keys of the requests from `first` on, each from its own draws: one call for many.
    fn fill(&self, first: u64, draws: &mut [Draws], keys: &mut [u64]) {
        for ((number, draws), key) in (first..).zip(draws).zip(keys) {
            *key = self.key(number, draws);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::{Stream, mix};
    use crate::extension::testing::{check_rows, example};

    /// A hash of the first thousand keys of every row with its example parameters.
    const PINNED: &[(&str, u64)] = &[
        ("unique", 0xf8f1_6d58_8082_91bf),
        ("uniform", 0x8ab6_4021_170c_f82c),
        ("zipf", 0x50df_c023_5343_8933),
    ];

    #[test]
    fn rows_are_well_formed() {
        check_rows(KEYS);
    }

    #[test]
    fn keys_are_the_same_bits_everywhere() {
        let stream = Stream::new(1, 0, "pinned");
        let measured: Vec<(&str, u64)> = KEYS
            .iter()
            .map(|def| {
                let law = (def.build)(&example(&def.row));
                (
                    def.row.name,
                    (0..1000).fold(0, |hash, number| {
                        mix(hash ^ law.key(number, &mut stream.at(number)))
                    }),
                )
            })
            .collect();
        assert_eq!(measured, PINNED);
    }
}
