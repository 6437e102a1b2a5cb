//! The same time always.

use super::{Distribution, DistributionDef, no_conditions, step};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::Duration;

pub(super) static DISTRIBUTION: DistributionDef = DistributionDef {
    row: ExtensionRow {
        name: "constant",
        about: "The same time always.",
        source: "",
        params: &[ParamDef {
            name: "value",
            about: "The time.",
            kind: ParamKind::Span {
                min: Duration::ZERO,
            },
            default: None,
        }],
    },
    check: no_conditions,
    build: |params| {
        Box::new(Constant {
            value_ns: params.span("value").0 as f64,
        })
    },
};

#[derive(Debug)]
struct Constant {
    value_ns: f64,
}

impl Distribution for Constant {
    fn sample_ns(&self, _: &mut Draws) -> f64 {
        self.value_ns
    }
    fn below(&self, ns: f64) -> f64 {
        step(ns, self.value_ns)
    }
    fn corners_ns(&self) -> Vec<f64> {
        vec![self.value_ns]
    }
    fn mean_ns(&self) -> f64 {
        self.value_ns
    }
    fn cv2(&self) -> f64 {
        0.0
    }
    fn moment(&self, _: u32) -> f64 {
        1.0
    }
    fn constant_ns(&self) -> Option<f64> {
        Some(self.value_ns)
    }
}
