//! Exponential: memoryless, the law of classical queueing theory.

use super::{Distribution, DistributionDef, exponential_below, no_conditions};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::Duration;

pub(super) static DISTRIBUTION: DistributionDef = DistributionDef {
    row: ExtensionRow {
        name: "exponential",
        about: "Memoryless; as often below 0.69 of the mean as above.",
        source: "",
        params: &[ParamDef {
            name: "mean",
            about: "The mean.",
            kind: ParamKind::Span { min: Duration(1) },
            default: None,
        }],
    },
    check: no_conditions,
    build: |params| {
        Box::new(Exponential {
            mean_ns: params.span("mean").0 as f64,
        })
    },
};

#[derive(Debug)]
struct Exponential {
    mean_ns: f64,
}

impl Distribution for Exponential {
    fn sample_ns(&self, draws: &mut Draws) -> f64 {
        self.mean_ns * draws.exponential()
    }
    fn below(&self, ns: f64) -> f64 {
        exponential_below(ns, self.mean_ns)
    }
    fn mean_ns(&self) -> f64 {
        self.mean_ns
    }
    fn cv2(&self) -> f64 {
        1.0
    }
    fn moment(&self, k: u32) -> f64 {
        (1..=k).map(f64::from).product()
    }
    fn is_memoryless(&self) -> bool {
        true
    }
}
