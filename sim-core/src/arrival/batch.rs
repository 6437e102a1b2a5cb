//! Batch arrivals: requests in groups, as from a page that loads many things at once.

use super::{ArrivalDef, Arrivals, Gaps};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use std::sync::Arc;

pub(super) static ARRIVAL: ArrivalDef = ArrivalDef {
    row: ExtensionRow {
        name: "batch",
        about: "Groups of requests at the same instant, the groups coming as a Poisson stream; the rate still counts requests.",
        source: "Chaudhry and Templeton, A First Course in Bulk Queues, 1983, chapter 3",
        params: &[
            ParamDef {
                name: "size",
                about: "Mean number of requests in a group.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1_000_000,
                    unit: "requests",
                },
                default: None,
            },
            ParamDef {
                name: "sizes",
                about: "Whether every group has that size, or sizes are geometric with that mean.",
                kind: ParamKind::Choice(&["fixed", "geometric"]),
                default: Some("fixed"),
            },
        ],
    },
    uses_rate: true,
    heeds_factor: true,
    happens_once: None,
    check: |_| Ok(()),
    build: |params| {
        let size = params.integer("size");
        Arrivals::Open(match params.choice("sizes") {
            0 => Arc::new(Fixed { size }) as Arc<dyn Gaps>,
            _ => Arc::new(Geometric { size: size as f64 }),
        })
    },
};

#[derive(Debug)]
struct Fixed {
    size: u64,
}

impl Gaps for Fixed {
    fn gap(&self, number: u64, draws: &mut Draws) -> f64 {
        if number.is_multiple_of(self.size) {
            self.size as f64 * draws.exponential()
        } else {
            0.0
        }
    }
    fn dispersion(&self) -> f64 {
        self.size as f64
    }
}

/// Each request is the first of a group with probability 1/size, so that sizes are geometric.
#[derive(Debug)]
struct Geometric {
    size: f64,
}

impl Gaps for Geometric {
    fn gap(&self, _: u64, draws: &mut Draws) -> f64 {
        if draws.chance(1.0 / self.size) {
            self.size * draws.exponential()
        } else {
            0.0
        }
    }
    fn dispersion(&self) -> f64 {
        2.0 * self.size - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;

    fn groups(gaps: &dyn Gaps, requests: u64) -> Vec<u64> {
        let stream = Stream::new(3, 0, "gaps");
        let mut sizes = Vec::new();
        for number in 0..requests {
            if gaps.gap(number, &mut stream.at(number)) > 0.0 || sizes.is_empty() {
                sizes.push(0);
            }
            *sizes.last_mut().expect("one was begun") += 1;
        }
        sizes
    }

    #[test]
    fn fixed_groups_all_have_the_size() {
        assert!(groups(&Fixed { size: 7 }, 700).iter().all(|&n| n == 7));
    }

    #[test]
    fn geometric_groups_have_the_mean_and_its_variance() {
        let sizes = groups(&Geometric { size: 4.0 }, 200_000);
        let n = sizes.len() as f64;
        let mean = sizes.iter().sum::<u64>() as f64 / n;
        let variance = sizes
            .iter()
            .map(|&x| (x as f64 - mean) * (x as f64 - mean))
            .sum::<f64>()
            / n;
        // Variance of the geometric law on 1, 2, …: m(m − 1) = 12.
        assert!((mean - 4.0).abs() < 0.1, "mean {mean}");
        assert!((variance - 12.0).abs() < 0.8, "variance {variance}");
    }
}
