//! Markov-modulated Poisson arrivals: bursts and lulls.

use super::poisson::Poisson;
use super::{ArrivalDef, Arrivals, Gaps, Phase};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use std::sync::Arc;

pub(super) static ARRIVAL: ArrivalDef = ArrivalDef {
    row: ExtensionRow {
        name: "mmpp",
        about: "A Poisson stream whose rate jumps between phases of random length: bursts and lulls around the source's rate.",
        source: "Fischer and Meier-Hellstern, The Markov-modulated Poisson process (MMPP) cookbook, Performance Evaluation 18, 1993",
        params: &[
            ParamDef {
                name: "factors",
                about: "How the rates of the phases relate; they are scaled so that the long-run mean is the source's rate.",
                kind: ParamKind::Numbers { min: 0.0, max: 1e9 },
                default: None,
            },
            ParamDef {
                name: "lengths",
                about: "Mean length of each phase; lengths are exponential and the phases follow one another in a circle.",
                kind: ParamKind::Spans,
                default: None,
            },
        ],
    },
    uses_rate: true,
    heeds_factor: true,
    happens_once: None,
    check,
    build: |params| {
        let (factors, lengths) = (params.numbers("factors"), params.spans("lengths"));
        let whole: f64 = lengths.iter().map(|length| length.0 as f64).sum();
        let mean: f64 = factors
            .iter()
            .zip(lengths.iter())
            .map(|(factor, length)| factor * length.0 as f64)
            .sum::<f64>()
            / whole;
        let phase = |(factor, length): (&f64, &crate::time::Duration)| Phase {
            gaps: Arc::new(Paced {
                stretch: mean / factor,
            }),
            factor: factor / mean,
            mean_ns: length.0 as f64,
        };
        Arrivals::Modulated(factors.iter().zip(lengths.iter()).map(phase).collect())
    },
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let (factors, lengths) = (params.numbers("factors"), params.spans("lengths"));
    let problem = |param, message: String| Err(ParamProblem { param, message });
    if factors.len() < 2 || factors.len() != lengths.len() {
        return problem(
            "factors",
            format!(
                "{} factors and {} lengths; there must be two phases or more, each with both",
                factors.len(),
                lengths.len()
            ),
        );
    }
    if factors.iter().sum::<f64>() <= 0.0 {
        return problem("factors", "no phase has any arrivals".to_owned());
    }
    if lengths.iter().any(|length| length.is_zero()) {
        return problem("lengths", "a phase must last longer than zero".to_owned());
    }
    Ok(())
}

/// Exponential gaps, stretched; infinitely where nothing comes.
#[derive(Debug)]
struct Paced {
    stretch: f64,
}

impl Gaps for Paced {
    fn gap(&self, number: u64, draws: &mut Draws) -> f64 {
        self.stretch * Poisson.gap(number, draws)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::ParamValue;
    use crate::time::Duration;

    fn params(factors: &[f64], lengths: &[u64]) -> Params {
        let lengths: Vec<Duration> = lengths.iter().map(|s| Duration::from_secs(*s)).collect();
        Params::new(vec![
            ("factors", ParamValue::Numbers(factors.into())),
            ("lengths", ParamValue::Spans(lengths.into())),
        ])
    }

    #[test]
    fn factors_are_scaled_to_the_mean_rate() {
        // A quarter of the time at 5, the rest at 1: mean 2.
        let Arrivals::Modulated(phases) = (ARRIVAL.build)(&params(&[5.0, 1.0], &[10, 30])) else {
            panic!("not modulated")
        };
        let mut draws = crate::draws::Stream::new(1, 0, "x").at(0);
        let plain = Poisson.gap(0, &mut draws.clone());
        assert!((phases[0].gaps.gap(0, &mut draws.clone()) - plain * 2.0 / 5.0).abs() < 1e-12);
        assert!((phases[1].gaps.gap(0, &mut draws) - plain * 2.0).abs() < 1e-12);
    }

    #[test]
    fn phases_must_fit_together() {
        assert_eq!(check(&params(&[2.0, 0.0], &[1, 2])), Ok(()));
        assert!(check(&params(&[2.0], &[1])).is_err());
        assert!(check(&params(&[2.0, 1.0], &[1])).is_err());
        assert!(check(&params(&[0.0, 0.0], &[1, 2])).is_err());
        assert!(check(&params(&[1.0, 2.0], &[1, 0])).is_err());
    }
}
