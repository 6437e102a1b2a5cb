//! A mixture: each value follows one of several laws, chosen at random.

use super::{Distribution, DistributionDef, independent};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};

pub(super) static DISTRIBUTION: DistributionDef = DistributionDef {
    row: ExtensionRow {
        name: "mixture",
        about: "One of several laws, chosen at random: cache hits and misses, reads and writes, small and large answers.",
        source: "",
        params: &[
            ParamDef {
                name: "of",
                about: "The laws, two or more.",
                kind: ParamKind::Distributions,
                default: None,
            },
            ParamDef::of(
                "weights",
                ParamKind::Numbers { min: 0.0, max: 1e9 },
                "[]",
                "How often each is chosen, in the same order, beside the others; without them, all alike.",
            ),
        ],
    },
    check,
    build: |params| {
        let laws = params.distributions("of");
        let weights = params.numbers("weights");
        let whole: f64 = weights.iter().sum();
        let even = 1.0 / laws.len() as f64;
        let parts = laws.iter().enumerate().map(|(place, law)| Part {
            law: law.build(),
            share: weights.get(place).map_or(even, |weight| weight / whole),
        });
        Box::new(Mixture {
            parts: parts.collect(),
        })
    },
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let (laws, weights) = (params.nested_list("of"), params.numbers("weights"));
    let problem = |param, message: String| Err(ParamProblem { param, message });
    if laws.len() < 2 {
        let message = format!("{} laws; a mixture has two or more", laws.len());
        return problem("of", message);
    }
    if !weights.is_empty() && weights.len() != laws.len() {
        let (laws, weights) = (laws.len(), weights.len());
        let message = format!("{laws} laws and {weights} weights; each law has one, or none has");
        return problem("weights", message);
    }
    if !weights.is_empty() && weights.iter().sum::<f64>() <= 0.0 {
        return problem("weights", "no law has a weight above zero".to_owned());
    }
    let laws = params.distributions("of");
    laws.iter().try_for_each(|law| independent(law, "of"))
}

#[derive(Debug)]
struct Part {
    law: Box<dyn Distribution>,
    /// Its probability.
    share: f64,
}

#[derive(Debug)]
struct Mixture {
    parts: Vec<Part>,
}

impl Mixture {
    /// What a figure of the parts comes to; those that never come do not count, whatever they are.
    fn over(&self, figure: impl Fn(&dyn Distribution) -> f64) -> f64 {
        let there = self.parts.iter().filter(|part| part.share > 0.0);
        there.map(|part| part.share * figure(&*part.law)).sum()
    }
}

impl Distribution for Mixture {
    fn sample_ns(&self, draws: &mut Draws) -> f64 {
        let mut point = draws.uniform();
        let (last, others) = self.parts.split_last().expect("two or more");
        for part in others {
            if point < part.share {
                return part.law.sample_ns(draws);
            }
            point -= part.share;
        }
        last.law.sample_ns(draws)
    }
    fn below(&self, ns: f64) -> f64 {
        self.over(|law| law.below(ns))
    }
    fn corners_ns(&self) -> Vec<f64> {
        let all = self.parts.iter();
        all.flat_map(|part| part.law.corners_ns()).collect()
    }
    fn mean_ns(&self) -> f64 {
        self.over(|law| law.mean_ns())
    }
    fn cv2(&self) -> f64 {
        if self.constant_ns().is_some() {
            return 0.0;
        }
        (self.moment(2) - 1.0).max(0.0)
    }
    fn moment(&self, k: u32) -> f64 {
        let mean = self.mean_ns();
        self.over(|law| match law.mean_ns() {
            // Always zero: its moments are, over any mean.
            of_it if of_it <= 0.0 => 0.0,
            of_it => law.moment(k) * libm::pow(of_it / mean, f64::from(k)),
        })
    }
    fn constant_ns(&self) -> Option<f64> {
        let mut there = self.parts.iter().filter(|part| part.share > 0.0);
        let first = there.next()?.law.constant_ns()?;
        let same = |part: &Part| part.law.constant_ns().map(f64::to_bits) == Some(first.to_bits());
        there.all(same).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_moments, share_below};
    use super::super::{constant, exponential, uniform};
    use super::*;
    use crate::extension::ParamValue::{Distributions, Numbers, Span};
    use crate::extension::{Configured, Nested};
    use crate::time::Duration;

    fn law(def: &'static DistributionDef, values: &[(&'static str, u64)]) -> Nested {
        let values = values.iter().map(|&(name, ns)| (name, Span(Duration(ns))));
        let params = Params::new(values.collect());
        Configured { def, params }.into()
    }

    /// Half a second, or exponential with 4 s, or uniform between 0 and 2 s.
    fn params(weights: &[f64]) -> Params {
        let laws = [
            law(&constant::DISTRIBUTION, &[("value", 500_000)]),
            law(&exponential::DISTRIBUTION, &[("mean", 4_000_000)]),
            law(&uniform::DISTRIBUTION, &[("low", 0), ("high", 2_000_000)]),
        ];
        Params::new(vec![
            ("of", Distributions(laws.into())),
            ("weights", Numbers(weights.into())),
        ])
    }

    #[test]
    fn moments_are_those_of_the_parts() {
        // Weights 5, 2 and 3: mean 0.25 + 0.8 + 0.3 = 1.35; squares 0.125 + 0.2·32 + 0.3·4/3 = 6.925.
        let law = (DISTRIBUTION.build)(&params(&[5.0, 2.0, 3.0]));
        let cv2 = 6.925 / (1.35 * 1.35) - 1.0;
        assert_moments(law.as_ref(), 1.35e6, cv2, 0.15);
        // Without weights all alike: mean (0.5 + 4 + 1)/3, squares (0.25 + 32 + 4/3)/3.
        let law = (DISTRIBUTION.build)(&params(&[]));
        let (mean, second) = (5.5 / 3.0, (0.25 + 32.0 + 4.0 / 3.0) / 3.0);
        assert_moments(law.as_ref(), mean * 1e6, second / mean / mean - 1.0, 0.15);
    }

    #[test]
    fn each_comes_as_often_as_it_weighs() {
        let law = (DISTRIBUTION.build)(&params(&[5.0, 2.0, 3.0]));
        // Below half: of the uniform a quarter, of the exponential 1 − exp(−1/8).
        let below = share_below(law.as_ref(), 499_999.0);
        let exact = 0.3 * 0.25 - 0.2 * libm::expm1(-0.125);
        assert!((below - exact).abs() < 0.003, "{below}, not {exact}");
        let at = share_below(law.as_ref(), 500_001.0) - below;
        assert!((at - 0.5).abs() < 0.005, "{at}");
    }

    #[test]
    fn weights_must_be_those_of_the_laws() {
        assert_eq!(check(&params(&[])), Ok(()));
        assert_eq!(check(&params(&[0.0, 1.0, 0.0])), Ok(()));
        for weights in [&[1.0][..], &[0.0, 0.0, 0.0]] {
            assert_eq!(check(&params(weights)).map_err(|p| p.param), Err("weights"));
        }
        let constant = (DISTRIBUTION.build)(&params(&[1.0, 0.0, 0.0]));
        assert_eq!(constant.constant_ns(), Some(500_000.0));
    }
}
