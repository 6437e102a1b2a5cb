//! Poisson arrivals: many independent visitors, none of whom knows of the others.

use super::{ArrivalDef, Arrivals, Gaps};
use crate::draws::Draws;
use crate::extension::ExtensionRow;
use std::sync::Arc;

pub(super) static ARRIVAL: ArrivalDef = ArrivalDef {
    row: ExtensionRow {
        name: "poisson",
        about: "Requests of many visitors who know nothing of each other: exponential gaps.",
        source: "Cinlar, Introduction to Stochastic Processes, 1975, chapter 4",
        params: &[],
    },
    uses_rate: true,
    heeds_factor: true,
    happens_once: None,
    check: |_| Ok(()),
    build: |_| Arrivals::Open(Arc::new(Poisson)),
};

#[derive(Debug)]
pub(super) struct Poisson;

impl Gaps for Poisson {
    fn gap(&self, _: u64, draws: &mut Draws) -> f64 {
        draws.exponential()
    }
    fn is_memoryless(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;

    #[test]
    fn gaps_have_mean_and_variance_one() {
        let stream = Stream::new(5, 0, "gaps");
        let n = 200_000;
        let gaps: Vec<f64> = (0..n)
            .map(|number| Poisson.gap(number, &mut stream.at(number)))
            .collect();
        let mean = gaps.iter().sum::<f64>() / n as f64;
        let variance = gaps
            .iter()
            .map(|gap| (gap - mean) * (gap - mean))
            .sum::<f64>()
            / n as f64;
        // Standard errors: 1/√n and √(8/n).
        assert!((mean - 1.0).abs() < 4.0 / (n as f64).sqrt(), "mean {mean}");
        assert!(
            (variance - 1.0).abs() < 4.0 * (8.0 / n as f64).sqrt(),
            "variance {variance}"
        );
    }
}
