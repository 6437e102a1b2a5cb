//! A law without what is too short or too long: the values of it that lie between two bounds.
//!
//! What lies outside is left out and drawn anew, so to say; it is not moved to the bound, where a clamp
//! would heap it up. Values are drawn by inversion: one uniform number, and the value below which the law
//! has that much, found by halving. So a draw takes equally long however little of the law is left.

use super::{Distribution, DistributionDef, independent};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::Duration;

pub(super) static DISTRIBUTION: DistributionDef = DistributionDef {
    row: ExtensionRow {
        name: "truncated",
        about: "Another law without what lies outside of two bounds: its values on condition that they lie between, not moved to the bound.",
        source: "Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions, volume 1, 1994, section 13.10",
        params: &[
            ParamDef {
                name: "of",
                about: "The law.",
                kind: ParamKind::Distribution,
                default: None,
            },
            ParamDef::span("min", Duration::ZERO, "0s", "Nothing shorter comes."),
            ParamDef::span(
                "max",
                Duration::ZERO,
                "87600h",
                "Nothing longer comes; ten years, as by default, stand for no bound.",
            ),
        ],
    },
    check,
    build: |params| {
        Box::new(Truncated::new(
            params.distribution("of").build(),
            params.span("min"),
            params.span("max"),
        ))
    },
};

/// From here on a bound is none.
const ENDLESS: Duration = Duration::from_secs(87_600 * 3600);
/// Least probability of what is left: with less of it digits are lost, and it is not what was meant.
const LEAST: f64 = 1e-4;

fn check(params: &Params) -> Result<(), ParamProblem> {
    let (min, max) = (params.span("min"), params.span("max"));
    let problem = |message| {
        let param = "max";
        Err(ParamProblem { param, message })
    };
    if min > max {
        return problem(format!("max = {max} lies below min = {min}"));
    }
    independent(&params.distribution("of"), "of")?;
    let law = Truncated::new(params.distribution("of").build(), min, max);
    if law.kept < LEAST {
        let kept = law.kept * 100.0;
        return problem(format!(
            "only {kept:.2} % of the law lies between {min} and {max}; at least 0.01 % must"
        ));
    }
    Ok(())
}

#[derive(Debug)]
struct Truncated {
    of: Box<dyn Distribution>,
    min_ns: f64,
    /// Absent: no bound.
    max_ns: Option<f64>,
    /// The probability of what is too short, and of what is kept.
    cut: f64,
    kept: f64,
    mean_ns: f64,
    cv2: f64,
}

impl Truncated {
    fn new(of: Box<dyn Distribution>, min: Duration, max: Duration) -> Self {
        let min_ns = min.0 as f64;
        let max_ns = (max < ENDLESS).then_some(max.0 as f64);
        // A value that lies on the bound is kept.
        let cut = of.below(min_ns - min_ns * f64::EPSILON);
        let cut = if min_ns > 0.0 { cut } else { 0.0 };
        let upto = max_ns.map_or(1.0, |max_ns| of.below(max_ns));
        let mut law = Self {
            of,
            min_ns,
            max_ns,
            cut,
            kept: upto - cut,
            mean_ns: 0.0,
            cv2: 0.0,
        };
        if law.kept >= LEAST {
            law.mean_ns = law.power(1);
            if law.of.constant_ns().is_none() && law.mean_ns > 0.0 {
                law.cv2 = (law.moment(2) - 1.0).max(0.0);
            }
        }
        law
    }

    /// The mean of the k-th power of what is kept, in nanoseconds to the k.
    ///
    /// By parts, E[Xᵏ; a ≤ X ≤ b] = aᵏ (F(b) − F(a)) + ∫ k xᵏ⁻¹ (F(b) − F(x)) dx from a to b. Without
    /// an upper bound the integral is what the whole law has, less that up to a.
    fn power(&self, k: u32) -> f64 {
        let exponent = f64::from(k);
        let power = |x: f64| libm::pow(x, exponent);
        let rest =
            |x: f64, end: f64| exponent * libm::pow(x, exponent - 1.0) * (end - self.of.below(x));
        let corners = self.of.corners_ns();
        let above = match self.max_ns {
            Some(max_ns) => {
                let end = self.cut + self.kept;
                integral(&|x| rest(x, end), self.min_ns, max_ns, &corners)
            }
            None if self.of.mean_ns() <= 0.0 => 0.0,
            None => {
                let whole = self.of.moment(k) * power(self.of.mean_ns());
                whole - integral(&|x| rest(x, 1.0), 0.0, self.min_ns, &corners)
            }
        };
        power(self.min_ns) + above / self.kept
    }

    /// The value below which the law has so much.
    fn quantile(&self, probability: f64) -> f64 {
        let mut low = self.min_ns;
        let mut high = self.max_ns.unwrap_or(1e18);
        // Floats above zero are in the order of their bits: each step halves what can be told apart.
        while high - low > 1e-3 && high > low * (1.0 + 1e-12) {
            let middle = if low > 1.0 && high > 2.0 * low {
                libm::sqrt(low) * libm::sqrt(high)
            } else if high > 4.0 && low <= 1.0 {
                libm::sqrt(high)
            } else {
                f64::midpoint(low, high)
            };
            if self.of.below(middle) >= probability {
                high = middle;
            } else {
                low = middle;
            }
        }
        high
    }
}

impl Distribution for Truncated {
    fn sample_ns(&self, draws: &mut Draws) -> f64 {
        if let Some(always) = self.of.constant_ns() {
            return always;
        }
        // Above zero, so that what the law reaches is looked for and not where it begins.
        self.quantile(self.cut + self.kept * (1.0 - draws.uniform()))
    }
    fn below(&self, ns: f64) -> f64 {
        if ns < self.min_ns {
            return 0.0;
        }
        if self.max_ns.is_some_and(|max_ns| ns >= max_ns) {
            return 1.0;
        }
        ((self.of.below(ns) - self.cut) / self.kept).clamp(0.0, 1.0)
    }
    fn corners_ns(&self) -> Vec<f64> {
        let bounds = [self.min_ns].into_iter().chain(self.max_ns);
        bounds.chain(self.of.corners_ns()).collect()
    }
    fn mean_ns(&self) -> f64 {
        self.mean_ns
    }
    fn cv2(&self) -> f64 {
        self.cv2
    }
    fn moment(&self, k: u32) -> f64 {
        self.power(k) / libm::pow(self.mean_ns, f64::from(k))
    }
    fn constant_ns(&self) -> Option<f64> {
        self.of.constant_ns()
    }
}

/// Nodes and weights of Gauss and Legendre's rule with eight points, those of the upper half.
const GAUSS: [(f64, f64); 4] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887_3),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_48),
    (0.960_289_856_497_536_2, 0.101_228_536_290_376_26),
];

/// Halvings that an integral takes at most; a jump that no corner tells of takes about forty.
const HALVINGS: u32 = 20_000;

/// An integral of what changes over many orders of magnitude: by octaves and between corners, each
/// halved until both halves agree with the whole, but for a part of the integral that no digit shows.
fn integral(of: &dyn Fn(f64) -> f64, from: f64, to: f64, corners: &[f64]) -> f64 {
    let mut ends: Vec<f64> = corners.to_vec();
    let mut octave = to;
    while octave > from.max(1.0) {
        ends.push(octave);
        octave *= 0.5;
    }
    ends.push(from);
    ends.push(to);
    ends.retain(|end| (from..=to).contains(end));
    ends.sort_unstable_by(f64::total_cmp);
    let parts: Vec<(f64, f64, f64)> = (ends.windows(2))
        .filter(|pair| pair[1] > pair[0])
        .map(|pair| (pair[0], pair[1], gauss(of, pair[0], pair[1])))
        .collect();
    let mut halving = Halving {
        of,
        // Where the law is all but over, what is left of it is rounding, and never agrees with itself.
        close: 1e-15 * parts.iter().map(|(.., whole)| whole.abs()).sum::<f64>(),
        left: HALVINGS,
    };
    parts.iter().fold(0.0, |total, &(from, to, whole)| {
        total + halving.halved((from, to), whole, 40)
    })
}

struct Halving<'a> {
    of: &'a dyn Fn(f64) -> f64,
    /// Differences that do not matter.
    close: f64,
    /// Halvings that are left.
    left: u32,
}

impl Halving<'_> {
    fn halved(&mut self, (from, to): (f64, f64), whole: f64, depth: u32) -> f64 {
        let middle = f64::midpoint(from, to);
        let (left, right) = (gauss(self.of, from, middle), gauss(self.of, middle, to));
        let both = left + right;
        let differs = (both - whole).abs();
        if depth == 0 || self.left == 0 || differs <= self.close.max(1e-13 * both.abs()) {
            return both;
        }
        self.left -= 1;
        self.halved((from, middle), left, depth - 1) + self.halved((middle, to), right, depth - 1)
    }
}

fn gauss(of: &dyn Fn(f64) -> f64, from: f64, to: f64) -> f64 {
    let (middle, half) = (f64::midpoint(from, to), 0.5 * (to - from));
    let pair = |&(node, weight): &(f64, f64)| {
        weight * (of(middle + half * node) + of(middle - half * node))
    };
    half * GAUSS.iter().map(pair).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_moments, share_below};
    use super::super::{bimodal, exponential, lognormal, pareto};
    use super::*;
    use crate::extension::Configured;
    use crate::extension::ParamValue::{Distribution as Law, Number, Span};

    const MS: u64 = 1_000_000;

    fn params(
        def: &'static DistributionDef,
        of: Vec<(&'static str, crate::extension::ParamValue)>,
        (min, max): (u64, u64),
    ) -> Params {
        let of = Configured {
            def,
            params: Params::new(of),
        };
        Params::new(vec![
            ("of", Law(of.into())),
            ("min", Span(Duration(min))),
            ("max", Span(Duration(max))),
        ])
    }

    fn exponential(min: u64, max: u64) -> Params {
        let of = vec![("mean", Span(Duration(10 * MS)))];
        params(&exponential::DISTRIBUTION, of, (min * MS, max * MS))
    }

    #[test]
    fn moments_are_those_of_what_is_kept() {
        // Exponential with mean 1 up to 2: mean 1 − 2e⁻²/(1 − e⁻²), second moment 2 − 8e⁻²/(1 − e⁻²).
        let law = (DISTRIBUTION.build)(&exponential(0, 20));
        let rest = libm::exp(-2.0) / (1.0 - libm::exp(-2.0));
        let (mean, second) = (1.0 - 2.0 * rest, 2.0 - 8.0 * rest);
        let clamped = 1.0 - libm::exp(-2.0);
        assert!((clamped - mean) > 0.1, "a clamp would have another mean");
        assert!((law.mean_ns() / 1e7 - mean).abs() < 1e-11);
        assert_moments(
            law.as_ref(),
            law.mean_ns(),
            second / mean / mean - 1.0,
            0.01,
        );
        // Without memory: what is above 5 is 5 and as long again as ever.
        let law = (DISTRIBUTION.build)(&exponential(5, 87_600 * 3_600_000));
        assert!((law.mean_ns() / 15e6 - 1.0).abs() < 1e-11);
        assert_moments(law.as_ref(), law.mean_ns(), 100.0 / 225.0, 0.03);
    }

    #[test]
    fn heavy_tails_and_narrow_humps_are_integrated() {
        // Pareto of shape 1.5 and least 1 up to 100 is the bounded one of its tests.
        let of = vec![("mean", Span(Duration(3 * MS))), ("shape", Number(1.5))];
        let law = (DISTRIBUTION.build)(&params(&pareto::DISTRIBUTION, of, (0, 100 * MS)));
        let (mean, second) = (3.0 * 0.9 / 0.999, 3.0 * 9.0 / 0.999);
        assert!(
            (law.mean_ns() / 1e6 - mean).abs() < 1e-9,
            "{}",
            law.mean_ns()
        );
        assert!((law.cv2() - (second / mean / mean - 1.0)).abs() < 1e-8);
        // The lower half of a narrow log-normal: E[X; X < m] = μ Φ(−σ/2 − σ/2) with m the median.
        let of = vec![("mean", Span(Duration(10 * MS))), ("cv", Number(0.01))];
        let sigma = libm::sqrt(libm::log1p(1e-4));
        let median = 1e7 * libm::exp(-sigma * sigma / 2.0);
        let bound = (0, median as u64);
        let law = (DISTRIBUTION.build)(&params(&lognormal::DISTRIBUTION, of, bound));
        let phi = |z: f64| 0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2);
        let exact = 1e7 * phi(-sigma) / 0.5;
        assert!(
            (law.mean_ns() / exact - 1.0).abs() < 1e-6,
            "{}",
            law.mean_ns()
        );
        assert_moments(law.as_ref(), law.mean_ns(), law.cv2(), 1e-5);
    }

    #[test]
    fn draws_lie_between_the_bounds_and_are_not_heaped_there() {
        let law = (DISTRIBUTION.build)(&exponential(5, 20));
        assert!(share_below(law.as_ref(), 5e6) <= 0.0);
        assert!(share_below(law.as_ref(), 2e7 + 1.0) >= 1.0);
        let kept = libm::exp(-0.5) - libm::exp(-2.0);
        for bound in [5.5, 8.0, 12.0, 19.5] {
            let exact = (libm::exp(-0.5) - libm::exp(-bound / 10.0)) / kept;
            let drawn = share_below(law.as_ref(), bound * 1e6);
            assert!(
                (drawn - exact).abs() < 0.005,
                "{bound}: {drawn}, not {exact}"
            );
        }
    }

    #[test]
    fn values_on_a_bound_are_kept() {
        let of = vec![
            ("short", Span(Duration(MS))),
            ("long", Span(Duration(9 * MS))),
            ("probability_of_long", Number(0.25)),
        ];
        let of = |bounds| params(&bimodal::DISTRIBUTION, of.clone(), bounds);
        let both = (DISTRIBUTION.build)(&of((MS, 9 * MS)));
        assert_moments(both.as_ref(), 3e6, 12.0 / 9.0, 0.02);
        let long = (DISTRIBUTION.build)(&of((MS + 1, 9 * MS)));
        assert!((long.mean_ns() / 9e6 - 1.0).abs() < 1e-12);
    }

    #[test]
    fn bounds_that_leave_nothing_are_refused() {
        assert_eq!(check(&exponential(5, 20)), Ok(()));
        for (min, max) in [(20, 5), (200, 300), (5, 5)] {
            assert!(check(&exponential(min, max)).is_err(), "{min} to {max}");
        }
    }
}
