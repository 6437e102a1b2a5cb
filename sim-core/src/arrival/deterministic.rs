//! Deterministic arrivals: evenly spaced, as a load generator or a timer makes them.

use super::{ArrivalDef, Arrivals, Gaps};
use crate::draws::Draws;
use crate::extension::ExtensionRow;
use std::sync::Arc;

pub(super) static ARRIVAL: ArrivalDef = ArrivalDef {
    row: ExtensionRow {
        name: "deterministic",
        about: "Evenly spaced requests, as a load generator or a timer makes them.",
        source: "",
        params: &[],
    },
    uses_rate: true,
    heeds_factor: true,
    happens_once: None,
    check: |_| Ok(()),
    build: |_| Arrivals::Open(Arc::new(Deterministic)),
};

#[derive(Debug)]
struct Deterministic;

impl Gaps for Deterministic {
    fn gap(&self, _: u64, _: &mut Draws) -> f64 {
        1.0
    }
    fn dispersion(&self) -> f64 {
        0.0
    }
}
