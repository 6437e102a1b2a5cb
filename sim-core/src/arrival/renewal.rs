//! Renewal arrivals: independent gaps of any law.

use super::{ArrivalDef, Arrivals, Gaps};
use crate::distribution::Distribution;
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use std::sync::Arc;

pub(super) static ARRIVAL: ArrivalDef = ArrivalDef {
    row: ExtensionRow {
        name: "renewal",
        about: "Gaps between requests, of any law: steadier than Poisson with an Erlang law, burstier with a hyperexponential one.",
        source: "Cox, Renewal Theory, 1962",
        params: &[ParamDef {
            name: "gaps",
            about: "The law of the gaps; only its shape counts, as gaps are stretched to the source's rate.",
            kind: ParamKind::Distribution,
            default: None,
        }],
    },
    uses_rate: true,
    heeds_factor: true,
    happens_once: None,
    check,
    build: |params| {
        Arrivals::Open(Arc::new(Renewal {
            law: Arc::from(params.distribution("gaps").build()),
        }))
    },
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let mean = params.distribution("gaps").build().mean_ns();
    if mean > 0.0 && mean.is_finite() {
        return Ok(());
    }
    Err(ParamProblem {
        param: "gaps",
        message: "gaps need a mean above zero, which is stretched to the source's rate".to_owned(),
    })
}

#[derive(Debug)]
struct Renewal {
    law: Arc<dyn Distribution>,
}

impl Gaps for Renewal {
    fn gap(&self, _: u64, draws: &mut Draws) -> f64 {
        self.law.sample_ns(draws) / self.law.mean_ns()
    }
    fn dispersion(&self) -> f64 {
        self.law.dispersion()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::testing::example;

    #[test]
    fn gaps_of_a_constant_law_are_even() {
        let Arrivals::Open(gaps) = (ARRIVAL.build)(&example(&ARRIVAL.row)) else {
            panic!("not open")
        };
        let mut draws = crate::draws::Stream::new(1, 0, "x").at(0);
        assert!((gaps.gap(0, &mut draws) - 1.0).abs() < 1e-12);
    }
}
