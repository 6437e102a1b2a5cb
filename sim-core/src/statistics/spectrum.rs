//! The spectral method: the variance of a mean from the spectrum of the series at frequency zero.
//!
//! P. Heidelberger, P. D. Welch, "A Spectral Method for Confidence Interval Generation and Run Length
//! Control in Simulations", Communications of the ACM 24(4), 1981. The periodogram at frequency zero
//! itself says nothing; its logarithm, averaged in pairs, is fitted by a parabola over the 25 lowest
//! pairs, and the parabola says where it meets zero.

use super::moments::Moments;

/// Pairs of the periodogram that the parabola is fitted to.
const PAIRS: usize = 25;
/// Values that it takes at least: two for each frequency below one half.
pub const SPECTRUM_MIN: usize = 4 * PAIRS;
/// The logarithm of the mean of two independent exponential variates of mean one has the mean
/// ψ(2) − ln 2 and the variance ψ′(2).
const LOG_BIAS: f64 = -0.270_362_845_461_478_2;
const LOG_VARIANCE: f64 = 0.644_934_066_848_226_4;

/// What the spectrum says.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Spectrum {
    /// The spectral density at zero: the variance of the mean of n values is this over n.
    pub at_zero: f64,
    /// Degrees of freedom of the estimate, for Student's t.
    pub df: f64,
}

/// The spectral density at zero of a series; `None` for fewer than [`SPECTRUM_MIN`] values.
pub fn spectrum(values: &[f64]) -> Option<Spectrum> {
    if values.len() < SPECTRUM_MIN {
        return None;
    }
    let weights = weights();
    let variance = LOG_VARIANCE * weights.iter().map(|w| w * w).sum::<f64>();
    // A χ² over its degrees of freedom with that variance of the estimate, which is log-normal.
    let df = libm::round(2.0 / libm::expm1(variance));
    let moments = Moments::of(values);
    if moments.variance() <= 0.0 {
        return Some(Spectrum { at_zero: 0.0, df });
    }
    let log = |pair: usize| {
        let [one, other] = [2 * pair + 1, 2 * pair + 2].map(|j| {
            let power = periodogram(values, moments.mean(), j);
            // Of a periodic series some frequencies have none at all.
            power.max(moments.variance() * 1e-12)
        });
        libm::log(0.5 * (one + other)) - LOG_BIAS
    };
    let at_zero: f64 = (0..PAIRS).map(|pair| weights[pair] * log(pair)).sum();
    Some(Spectrum {
        at_zero: libm::exp(at_zero - 0.5 * variance),
        df,
    })
}

/// The periodogram at `turns` periods over the series.
fn periodogram(values: &[f64], mean: f64, turns: usize) -> f64 {
    let n = values.len();
    let (mut re, mut im) = (0.0, 0.0);
    for (t, value) in values.iter().enumerate() {
        let angle = std::f64::consts::TAU * (t * turns % n) as f64 / n as f64;
        re += (value - mean) * libm::cos(angle);
        im += (value - mean) * libm::sin(angle);
    }
    (re * re + im * im) / n as f64
}

/// With what each pair enters the value at zero of the parabola fitted by least squares.
fn weights() -> [f64; PAIRS] {
    // Positions of the pairs between 0 and 1; only their proportions count.
    let at = |pair: usize| (4 * pair + 3) as f64 / (4 * PAIRS) as f64;
    let mut sums = [0.0; 5];
    for pair in 0..PAIRS {
        let mut power = 1.0;
        for sum in &mut sums {
            *sum += power;
            power *= at(pair);
        }
    }
    // The first column of the inverse of the normal equations, by Cramer's rule.
    let [s0, s1, s2, s3, s4] = sums;
    let cofactors = [s2 * s4 - s3 * s3, s2 * s3 - s1 * s4, s1 * s3 - s2 * s2];
    let determinant = s0 * cofactors[0] + s1 * cofactors[1] + s2 * cofactors[2];
    std::array::from_fn(|pair| {
        let x = at(pair);
        (cofactors[0] + cofactors[1] * x + cofactors[2] * x * x) / determinant
    })
}

#[cfg(test)]
mod tests {
    use super::super::series::testing::{autoregressive, exponential};
    use super::*;

    #[test]
    fn constants_are_those_of_the_paper() {
        // Its table 1 for 25 points and degree 2, rounded: bias 0.882, 7 degrees of freedom.
        let squares: f64 = weights().iter().map(|w| w * w).sum();
        let bias = libm::exp(-0.5 * LOG_VARIANCE * squares);
        assert!((bias - 0.882).abs() < 1e-3, "{bias}");
        let flat = spectrum(&[2.0; 100]).expect("long enough");
        assert!((flat.df - 7.0).abs() < 1e-9 && flat.at_zero <= 0.0);
        assert!((weights().iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }

    /// σ² for independent values; σ²/(1 − φ)² for an autoregressive series of the first order.
    #[test]
    fn known_spectra_come_out() {
        for (phi, truth) in [(0.0, 1.0), (0.5, 4.0), (-0.5, 1.0 / 2.25)] {
            let one = |n| spectrum(&autoregressive(phi, 400, n)).map_or(0.0, |s| s.at_zero);
            let mean = (0..400).map(one).sum::<f64>() / 400.0;
            // The standard error of the mean of 400 with 7 degrees of freedom is 2.7 %.
            assert!((mean / truth - 1.0).abs() < 0.11, "{phi}: {mean}");
        }
        let skewed = |n| spectrum(&exponential(400, n)).map_or(0.0, |s| s.at_zero);
        let mean = (0..400).map(skewed).sum::<f64>() / 400.0;
        assert!((mean - 1.0).abs() < 0.11, "{mean}");
    }

    #[test]
    fn short_and_periodic_series_are_no_trap() {
        assert_eq!(spectrum(&[1.0; 99]), None);
        let saw: Vec<f64> = (0..200).map(|i| f64::from(i % 2)).collect();
        assert!(spectrum(&saw).is_some_and(|s| s.at_zero.is_finite()));
    }
}
