//! Distributions of times: demand, think time, network delay.
//!
//! A distribution is formed from exponential, normal or uniform [`Draws`] with the `libm` crate
//! only, so that the same seed gives the same bits everywhere. Values are nanoseconds as `f64`;
//! the caller rounds once, when the number becomes time.

use crate::draws::{Draws, Stream};
use crate::extension::{
    Configured, Def, ExtensionRow, Nested, ParamProblem, ParamValue, Params, Registry,
};
use crate::time::Duration;
use std::fmt::Debug;

mod bimodal;
mod bounded_pareto;
mod constant;
mod correlated;
mod empirical;
mod erlang;
mod exponential;
mod hyperexponential;
mod lognormal;
mod mixed_exponential;
mod mixture;
mod normal;
mod pareto;
mod shifted;
mod truncated;
mod uniform;
mod weibull;

/// Every distribution a scenario can name.
pub static DISTRIBUTIONS: &[&DistributionDef] = &[
    &constant::DISTRIBUTION,
    &exponential::DISTRIBUTION,
    &lognormal::DISTRIBUTION,
    &uniform::DISTRIBUTION,
    &erlang::DISTRIBUTION,
    &hyperexponential::DISTRIBUTION,
    &bimodal::DISTRIBUTION,
    &weibull::DISTRIBUTION,
    &pareto::DISTRIBUTION,
    &bounded_pareto::DISTRIBUTION,
    &mixed_exponential::DISTRIBUTION,
    &normal::DISTRIBUTION,
    &empirical::DISTRIBUTION,
    &mixture::DISTRIBUTION,
    &shifted::DISTRIBUTION,
    &truncated::DISTRIBUTION,
    &correlated::DISTRIBUTION,
];

/// A row of [`DISTRIBUTIONS`].
pub struct DistributionDef {
    /// Name, description, parameters.
    pub row: ExtensionRow,
    /// Conditions between parameters.
    pub check: fn(&Params) -> Result<(), ParamProblem>,
    /// Makes the sampler.
    pub build: fn(&Params) -> Box<dyn Distribution>,
}

impl DistributionDef {
    /// A law whose parameters need no more than their ranges.
    pub const fn new(row: ExtensionRow, build: fn(&Params) -> Box<dyn Distribution>) -> Self {
        Self {
            row,
            check: no_conditions,
            build,
        }
    }
}

/// Every row there is, those that were added among them.
static ROWS: Registry<DistributionDef> = Registry::of(DISTRIBUTIONS);

impl Def for DistributionDef {
    fn registry() -> &'static Registry<Self> {
        &ROWS
    }
    fn row(&self) -> &ExtensionRow {
        &self.row
    }
    fn check(&self, params: &Params) -> Result<(), ParamProblem> {
        (self.check)(params)
    }
}

/// For rows whose parameters need no joint condition.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the type is that of `DistributionDef::check`"
)]
pub(crate) fn no_conditions(_: &Params) -> Result<(), ParamProblem> {
    Ok(())
}

/// For rows that draw from another law what is theirs: runs of it would get lost.
fn independent(law: &Configured<DistributionDef>, param: &'static str) -> Result<(), ParamProblem> {
    if law.build().correlation() > 0.0 {
        let message = "a law whose values are correlated cannot stand within another; write `correlated` around the whole".to_owned();
        return Err(ParamProblem { param, message });
    }
    Ok(())
}

impl Configured<DistributionDef> {
    /// The sampler.
    pub fn build(&self) -> Box<dyn Distribution> {
        (self.def.build)(&self.params)
    }
}

/// What is always the same.
pub fn always(value: Duration) -> Configured<DistributionDef> {
    Configured {
        def: &constant::DISTRIBUTION,
        params: Params::new(vec![("value", ParamValue::Span(value))]),
    }
}

impl Params {
    /// A distribution of times.
    pub fn distribution(&self, name: &str) -> Configured<DistributionDef> {
        known(self.nested(name))
    }

    /// A list of distributions of times.
    pub fn distributions(&self, name: &str) -> Vec<Configured<DistributionDef>> {
        self.nested_list(name).iter().map(known).collect()
    }
}

/// The distribution that a parameter holds.
fn known(nested: &Nested) -> Configured<DistributionDef> {
    let def = DistributionDef::registry()
        .row_of(nested.row)
        .unwrap_or_else(|| panic!("there is no distribution {nested:?}"));
    Configured {
        def,
        params: nested.params.clone(),
    }
}

/// A law of non-negative times.
pub trait Distribution: Debug + Send + Sync {
    /// A value in nanoseconds.
    fn sample_ns(&self, draws: &mut Draws) -> f64;
    /// Values for the numbers from `first` on: one call for many.
    fn fill_ns(&self, stream: Stream, first: u64, values: &mut [f64]) {
        for (number, value) in (first..).zip(values) {
            *value = self.sample_ns(&mut stream.at(number));
        }
    }
    /// The mean in nanoseconds; infinite where it does not exist.
    fn mean_ns(&self) -> f64;
    /// Variance divided by the squared mean; infinite where it does not exist.
    fn cv2(&self) -> f64;
    /// The mean of the k-th power, over the k-th power of the mean; infinite where it does not exist.
    /// Meaningless for a law that is always zero.
    fn moment(&self, k: u32) -> f64;
    /// The probability of a value of at most `ns`.
    fn below(&self, ns: f64) -> f64;
    /// Where [`below`](Self::below) jumps or has a corner, in any order, or where it rises on a short
    /// way: what integrates over it looks there.
    fn corners_ns(&self) -> Vec<f64> {
        Vec::new()
    }
    /// The correlation of a value with that of the next number; zero where each is drawn for itself.
    fn correlation(&self) -> f64 {
        0.0
    }
    /// The variance of the sum of many, over their number and the square of the mean: what a queue that takes
    /// long to drain sees of [`cv2`](Self::cv2). Correlations are those of runs, the k-th power k apart.
    fn dispersion(&self) -> f64 {
        let correlation = self.correlation();
        self.cv2() * (1.0 + correlation) / (1.0 - correlation)
    }
    /// Whether what is left of it does not depend on how long it lasts already: the exponential law,
    /// which theory asks for most.
    fn is_memoryless(&self) -> bool {
        false
    }
    /// The value when it is always the same: lets the engine use a plain queue for such delays.
    fn constant_ns(&self) -> Option<f64> {
        None
    }
}

/// The distribution function of what is always `value_ns`.
fn step(ns: f64, value_ns: f64) -> f64 {
    if ns >= value_ns { 1.0 } else { 0.0 }
}

/// The distribution function of an exponential time.
fn exponential_below(ns: f64, mean_ns: f64) -> f64 {
    -libm::expm1(-ns.max(0.0) / mean_ns)
}

/// What the tests of the rows share.
#[cfg(test)]
mod testing {
    use super::Distribution;
    use crate::draws::Stream;

    /// Draws of every moment test.
    const DRAWS: u64 = 200_000;

    fn sample(law: &dyn Distribution) -> Vec<f64> {
        let stream = Stream::new(11, 0, "moments");
        (0..DRAWS)
            .map(|number| law.sample_ns(&mut stream.at(number)))
            .collect()
    }

    /// Compares mean and squared coefficient of variation with what the law claims and with what
    /// theory says: the mean within four standard errors, the other within `tolerance`.
    pub(super) fn assert_moments(law: &dyn Distribution, mean_ns: f64, cv2: f64, tolerance: f64) {
        assert!(
            (law.mean_ns() - mean_ns).abs() <= 1e-12 * mean_ns,
            "{law:?} claims the mean {}",
            law.mean_ns()
        );
        assert!(
            (law.cv2() - cv2).abs() <= 1e-9 * cv2,
            "{law:?} claims cv² {}",
            law.cv2()
        );
        if cv2.is_finite() && mean_ns > 0.0 {
            let second = law.moment(2) - 1.0;
            assert!(
                (second - cv2).abs() <= 1e-9 * (1.0 + cv2),
                "{law:?}: {second}"
            );
        }
        let sample = sample(law);
        assert!(
            sample.iter().all(|ns| ns.is_finite() && *ns >= 0.0),
            "{law:?} draws something that is no time"
        );
        let mean = sample.iter().sum::<f64>() / DRAWS as f64;
        let error = mean_ns * (cv2 / DRAWS as f64).sqrt();
        assert!(
            (mean - mean_ns).abs() <= 4.0 * error + 1e-12 * mean_ns,
            "{law:?} has the mean {mean}, not {mean_ns}"
        );
        if mean_ns > 0.0 {
            let variance = sample
                .iter()
                .map(|ns| (ns - mean) * (ns - mean))
                .sum::<f64>()
                / DRAWS as f64;
            let measured = variance / (mean * mean);
            assert!(
                (measured - cv2).abs() <= tolerance + 1e-12,
                "{law:?} has cv² {measured}, not {cv2}"
            );
        }
    }

    /// The share of draws below a value.
    pub(super) fn share_below(law: &dyn Distribution, bound_ns: f64) -> f64 {
        sample(law).iter().filter(|ns| **ns < bound_ns).count() as f64 / DRAWS as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::{Stream, mix};
    use crate::extension::testing::{check_rows, example};

    /// A hash of the first thousand draws of every row with its example parameters. The same on
    /// every processor, in every build; it changes only with the definition of a draw.
    const PINNED: &[(&str, u64)] = &[
        ("constant", 0x99bb_0cd8_a8d6_9a19),
        ("exponential", 0x74dc_1550_b396_215b),
        ("lognormal", 0xab35_95de_62a6_053f),
        ("uniform", 0x91b7_93ac_0165_5a1a),
        ("erlang", 0x0cb6_efb7_ea48_e886),
        ("hyperexponential", 0x3648_a45a_c3ff_e2be),
        ("bimodal", 0x5af2_02f4_72f5_97a4),
        ("weibull", 0x7cd9_e6ef_14e7_ed87),
        ("pareto", 0xd170_eb16_d427_ea80),
        ("bounded-pareto", 0x2dc1_a97c_a27d_2895),
        ("mixed-exponential", 0x3687_0f62_5bf5_c819),
        ("normal", 0x5914_33b2_6e88_0bcd),
        ("empirical", 0x4e2a_d1e2_df4f_610e),
        ("mixture", 0x4e2a_d1e2_df4f_610e),
        ("shifted", 0x4e89_df84_b082_3865),
        ("truncated", 0xa7ac_ee93_004f_182d),
        ("correlated", 0xa7ac_ee93_004f_182d),
    ];

    #[test]
    fn rows_are_well_formed() {
        check_rows(DISTRIBUTIONS);
    }

    #[test]
    fn sample_means_are_the_stated_means() {
        for def in DISTRIBUTIONS {
            let law = (def.build)(&example(&def.row));
            testing::assert_moments(law.as_ref(), law.mean_ns(), law.cv2(), f64::INFINITY);
            assert_eq!(
                law.constant_ns().is_some(),
                law.cv2() == 0.0,
                "{}",
                def.row.name
            );
        }
    }

    #[test]
    fn higher_moments_are_those_of_the_draws() {
        let stream = Stream::new(5, 0, "moments");
        for def in DISTRIBUTIONS {
            let law = (def.build)(&example(&def.row));
            let third = law.moment(3);
            // A few draws decide the third moment of a heavy tail.
            if !law.moment(6).is_finite() || law.moment(6) > 1e4 {
                continue;
            }
            let n = 200_000;
            let cube = |number: u64| {
                let x = law.sample_ns(&mut stream.at(number)) / law.mean_ns();
                x * x * x
            };
            let mean = (0..n).map(cube).sum::<f64>() / n as f64;
            let error = ((law.moment(6) - third * third).max(0.0) / n as f64).sqrt();
            assert!(
                (mean - third).abs() <= 4.0 * error + 1e-9,
                "{}: {mean}, not {third}",
                def.row.name
            );
        }
    }

    #[test]
    fn distribution_functions_are_those_of_the_draws() {
        for def in DISTRIBUTIONS {
            let law = (def.build)(&example(&def.row));
            for factor in [0.1, 0.5, 0.9, 1.0, 1.5, 4.0] {
                let bound = factor * law.mean_ns();
                // What is drawn at a jump differs from it by rounding.
                let (just, share) = (bound * (1.0 + 1e-12), law.below(bound * (1.0 + 1e-12)));
                let drawn = testing::share_below(law.as_ref(), just);
                let error = (share * (1.0 - share) / 200_000.0).sqrt();
                assert!(
                    (drawn - share).abs() <= 4.0 * error + 1e-9,
                    "{} below {factor} means: {drawn}, not {share}",
                    def.row.name
                );
            }
            assert!(law.below(0.0) < 1.0 && law.below(1e30) > 0.999_999);
        }
    }

    #[test]
    fn draws_are_the_same_bits_everywhere() {
        let stream = Stream::new(1, 0, "pinned");
        let measured: Vec<(&str, u64)> = DISTRIBUTIONS
            .iter()
            .map(|def| {
                let law = (def.build)(&example(&def.row));
                let hash = (0..1000).fold(0, |hash, number| {
                    mix(hash ^ law.sample_ns(&mut stream.at(number)).to_bits())
                });
                (def.row.name, hash)
            })
            .collect();
        assert_eq!(measured, PINNED);
    }
}
