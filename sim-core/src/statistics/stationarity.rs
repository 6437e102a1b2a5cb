//! Whether a series is stationary, and from where on: the test of Heidelberger and Welch.
//!
//! P. Heidelberger, P. D. Welch, "Simulation Run Length Control in the Presence of an Initial
//! Transient", Operations Research 31(6), 1983. The partial sums of a stationary series, less their
//! share of the whole, behave as a Brownian bridge; its Cramér–von Mises statistic says whether they
//! do. A tenth of the series after another is left out at the start until they do, half of it at most.

use super::distribution::student_quantile;
use super::estimate::{Interval, Method};
use super::moments::Moments;
use super::spectrum::{SPECTRUM_MIN, Spectrum, spectrum};

/// A statistic that a stationary series exceeds less often than this is taken to be none.
pub const STATIONARITY_LEVEL: f64 = 0.05;
/// Values, or means of so many, that the series is brought down to at most.
const LENGTH_MAX: usize = 800;
/// Values that it takes at least: the spectrum is that of the second half.
pub const STATIONARITY_MIN: usize = 2 * SPECTRUM_MIN;
/// Parts that are left out one after another.
const TENTHS: usize = 10;

/// Below this part of their variance, the spectrum of batches at frequency 0 is what a period leaves.
const REPEATING: f64 = 1e-9;

/// What the test found.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Stationarity {
    /// Values left out at the start: those of the last look.
    pub skipped: usize,
    /// The Cramér–von Mises statistic of the rest.
    pub statistic: f64,
    /// How probable one as large is for a stationary series.
    pub p: f64,
    /// Whether the rest is taken to be stationary.
    pub passed: bool,
    /// The mean of the rest with its interval by the spectral method; `None` unless it is stationary.
    pub mean: Option<Interval>,
}

/// Tests a series.
///
/// # Errors
/// Says why it cannot: fewer than [`STATIONARITY_MIN`] values, or such as repeat themselves, whose sums
/// stay within bounds as no Brownian bridge does.
pub fn heidelberger_welch(values: &[f64], level: f64) -> Result<Stationarity, String> {
    let few = || format!("it takes {STATIONARITY_MIN} values");
    if values.len() < STATIONARITY_MIN {
        return Err(few());
    }
    let size = values.len().div_ceil(LENGTH_MAX);
    // What does not fill a batch is left out at the start.
    let stray = values.len() % size;
    let batches: Vec<f64> = values[stray..]
        .chunks_exact(size)
        .map(|batch| Moments::of(batch).mean())
        .collect();
    let second_half = &batches[batches.len() / 2..];
    let settled = spectrum(second_half).ok_or_else(few)?;
    let variance = Moments::of(second_half).variance();
    if variance > 0.0 && settled.at_zero < REPEATING * variance {
        return Err(
            "the values repeat themselves: the test is for values left to chance".to_owned(),
        );
    }
    let mut found = Err(few());
    for tenth in 0..=TENTHS / 2 {
        let skipped = batches.len() * tenth / TENTHS;
        let rest = &batches[skipped..];
        let statistic = bridge(rest, &settled);
        let p = cramer_von_mises_tail(statistic);
        let passed = p >= STATIONARITY_LEVEL;
        found = Ok(Stationarity {
            skipped: if tenth == 0 {
                0
            } else {
                stray + skipped * size
            },
            statistic,
            p,
            passed,
            mean: passed.then(|| spectral_mean(rest, level)).flatten(),
        });
        if passed {
            break;
        }
    }
    found
}

/// The mean of a series with its interval by the spectral method.
fn spectral_mean(values: &[f64], level: f64) -> Option<Interval> {
    let spectrum = spectrum(values)?;
    let n = values.len() as f64;
    let factor = student_quantile(0.5 + level / 2.0, spectrum.df);
    let half_width = factor * libm::sqrt(spectrum.at_zero / n);
    let mean = Moments::of(values).mean();
    let interval = Interval::around(mean, half_width, level, values.len() as u64);
    Some(interval.by(Method::HeidelbergerWelch))
}

/// The integral of the square of the bridge of partial sums.
fn bridge(values: &[f64], spectrum: &Spectrum) -> f64 {
    let (n, mean) = (values.len() as f64, Moments::of(values).mean());
    let (mut sum, mut squares) = (0.0, 0.0);
    for value in values {
        sum += value - mean;
        squares += sum * sum;
    }
    if squares <= 0.0 {
        return 0.0;
    }
    squares / (n * n * spectrum.at_zero)
}

/// How probable it is that the Cramér–von Mises statistic of a Brownian bridge exceeds `x` (T. W.
/// Anderson, D. A. Darling, "Asymptotic Theory of Certain Goodness of Fit Criteria Based on Stochastic
/// Processes", Annals of Mathematical Statistics 23(2), 1952, formula 4.35).
pub fn cramer_von_mises_tail(x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    // About e⁻⁹⁸, far below what the sum of the terms below is exact to.
    if x >= 20.0 {
        return 0.0;
    }
    let mut below = 0.0;
    // Γ(k + ½) / (√π k!), from term to term.
    let mut coefficient = 1.0;
    for k in 0..20 {
        let root = f64::from(4 * k + 1);
        let z = root * root / (16.0 * x);
        let term = coefficient * libm::sqrt(root) * scaled_bessel(z) * libm::exp(-2.0 * z);
        below += term;
        if term < 1e-15 {
            break;
        }
        coefficient *= (f64::from(k) + 0.5) / f64::from(k + 1);
    }
    (1.0 - below / (std::f64::consts::PI * libm::sqrt(x))).clamp(0.0, 1.0)
}

/// The modified Bessel function of the second kind and order ¼ times eᶻ, by its integral
/// ∫ exp(z − z·cosh t) cosh(t/4) dt over t ≥ 0, to which the trapezoid rule converges geometrically.
fn scaled_bessel(z: f64) -> f64 {
    // Beyond this the integrand is below e⁻⁴⁰.
    let end = libm::acosh(1.0 + 40.0 / z);
    let steps = 200;
    let width = end / f64::from(steps);
    let at = |i: i32| {
        let t = width * f64::from(i);
        let half = libm::sinh(0.5 * t);
        libm::exp(-2.0 * z * half * half) * libm::cosh(0.25 * t)
    };
    width * (0.5 * at(0) + (1..=steps).map(at).sum::<f64>())
}

#[cfg(test)]
mod tests {
    use super::super::series::testing::{autoregressive, exponential};
    use super::*;

    #[test]
    fn tails_are_those_of_the_table() {
        // Anderson and Darling 1952, table 1.
        for (x, tail) in [
            (0.118_88, 0.5),
            (0.347_30, 0.1),
            (0.461_36, 0.05),
            (0.743_46, 0.01),
            (1.167_86, 0.001),
        ] {
            let found = cramer_von_mises_tail(x);
            assert!((found - tail).abs() < 1e-4 * (1.0 + tail), "{x}: {found}");
        }
        assert!((cramer_von_mises_tail(0.0) - 1.0).abs() < 1e-12);
        assert!(cramer_von_mises_tail(0.001) > 1.0 - 1e-9);
        for x in [10.0, 19.9, 20.0, 50.0, 1e8, f64::INFINITY] {
            let found = cramer_von_mises_tail(x);
            assert!(found < 1e-8, "{x}: {found}");
        }
    }

    /// A stationary series passes at once about as often as the level says, and 95 % intervals cover.
    #[test]
    fn stationary_series_pass_and_their_intervals_cover() {
        type Draw = fn(u64) -> Vec<f64>;
        let series: [(&str, Draw, f64); 3] = [
            ("independent", |n| exponential(1000, n), 1.0),
            ("AR(1), 0.5", |n| autoregressive(0.5, 1000, n), 0.0),
            ("AR(1), 0.9", |n| autoregressive(0.9, 8000, n), 0.0),
        ];
        for (name, draw, mean) in series {
            let (mut at_once, mut covered, mut passed) = (0, 0, 0);
            for n in 0..400 {
                let found = heidelberger_welch(&draw(n), 0.95).expect("long enough");
                at_once += u32::from(found.passed && found.skipped == 0);
                passed += u32::from(found.passed);
                covered += u32::from(found.mean.is_some_and(|i| i.covers(mean)));
            }
            // The test takes the spectrum for known, which has seven degrees of freedom here: it refuses
            // about one stationary series in ten instead of one in twenty.
            assert!((340..=392).contains(&at_once), "{name}: {at_once}");
            let share = f64::from(covered) / f64::from(passed);
            assert!((0.905..=0.994).contains(&share), "{name}: {share}");
        }
    }

    #[test]
    fn a_transient_is_left_out_and_a_trend_refused() {
        let mut late = 0;
        for n in 0..100 {
            let mut series = autoregressive(0.5, 1000, n);
            for (i, value) in series.iter_mut().enumerate().take(200) {
                *value += 8.0 * (1.0 - i as f64 / 200.0);
            }
            let found = heidelberger_welch(&series, 0.95).expect("long enough");
            late += u32::from(found.passed && (100..=300).contains(&found.skipped));
            for (i, value) in series.iter_mut().enumerate() {
                *value += 0.02 * i as f64;
            }
            let trend = heidelberger_welch(&series, 0.95).expect("long enough");
            assert!(!trend.passed && trend.mean.is_none(), "{trend:?}");
        }
        assert!(late >= 90, "{late}");
    }

    #[test]
    fn constants_and_short_series_are_no_trap() {
        let found = heidelberger_welch(&[5.0; 250], 0.95).expect("long enough");
        assert!(found.passed && found.skipped == 0);
        assert!(found.mean.is_some_and(|i| i.half_width() <= 0.0));
        let few = heidelberger_welch(&[5.0; 199], 0.95).expect_err("too few");
        assert_eq!(few, "it takes 200 values");
        let turns: Vec<f64> = (0..1000).map(|i| f64::from(i % 5)).collect();
        let turns = heidelberger_welch(&turns, 0.95).expect_err("nothing of chance");
        assert!(turns.contains("repeat"), "{turns}");
    }
}
