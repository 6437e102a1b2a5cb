//! Uniform: a number of keys, all equally frequent.

use super::{KeyDef, Keys};
use crate::draws::{Draws, mix};
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use std::sync::Arc;

pub(super) static KEY: KeyDef = KeyDef {
    row: ExtensionRow {
        name: "uniform",
        about: "A number of keys, all equally frequent.",
        source: "",
        params: &[ParamDef {
            name: "n",
            about: "How many different keys there are.",
            kind: ParamKind::Integer {
                min: 1,
                max: 1_000_000_000,
                unit: "keys",
            },
            default: None,
        }],
    },
    build: |params| {
        Arc::new(Uniform {
            n: params.integer("n") as usize,
        })
    },
};

#[derive(Debug)]
struct Uniform {
    n: usize,
}

impl Keys for Uniform {
    fn key(&self, _: u64, draws: &mut Draws) -> u64 {
        mix(draws.below(self.n) as u64 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;
    use std::collections::BTreeMap;

    #[test]
    fn keys_are_equally_frequent() {
        let (law, stream, requests) = (Uniform { n: 10 }, Stream::new(6, 0, "keys"), 100_000);
        let mut counts = BTreeMap::new();
        for number in 0..requests {
            *counts
                .entry(law.key(number, &mut stream.at(number)))
                .or_insert(0_u32) += 1;
        }
        assert_eq!(counts.len(), 10);
        // Four standard deviations of a binomial count with mean 10 000.
        assert!(
            counts
                .values()
                .all(|count| (f64::from(*count) - 10_000.0).abs() < 4.0 * 9000_f64.sqrt()),
            "{counts:?}"
        );
    }
}
