//! tower's `ExponentialBackoff`: v + v · U(0, 0.99) with v = 50 ms · 2ⁿ⁻¹.
//!
//! Its generator of random numbers is cloned for each request without being advanced, so that all requests of one
//! policy have the same pauses: a storm in lockstep. And the jitter of v's whole seconds is cut to
//! whole seconds. How often it tries, and after what, is for its user to say.

use super::{Client, EAGER, Jitter, Library, attempts, doubling, rules};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "tower",
        about: "Back-off of tower: pauses that double from 50 ms and are up to twice as long, the same for all requests.",
        source: "tower 0.5.3, ExponentialBackoffMaker::default, observed",
        params: &[attempts("4"), DEMAND, AVOID],
    },
    build: |params| Box::new(Client::new(params, LIBRARY)),
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    pauses: doubling(50.0, Jitter::WholeSecondsAndRest(0.99)),
    lockstep: true,
    ..EAGER
};
