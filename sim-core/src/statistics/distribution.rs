//! Student's t, the normal and the binomial distribution.
//!
//! Written here rather than taken from a crate because an interval is part of a result, and
//! results have the same bytes on every machine: everything rests on `libm` by name.

/// Beyond so many degrees of freedom Student's t is the normal distribution to all digits.
const NORMAL_FROM: f64 = 1e9;

/// Probability that a standard normal variate exceeds `z`.
pub fn normal_tail(z: f64) -> f64 {
    0.5 * libm::erfc(z / std::f64::consts::SQRT_2)
}

/// The value that a standard normal variate stays below with probability `p`, in (0, 1).
pub fn normal_quantile(p: f64) -> f64 {
    invert(p, normal_tail)
}

/// Probability that a t variate with `df` degrees of freedom, above 0 and not necessarily whole,
/// exceeds `t`.
pub fn student_tail(t: f64, df: f64) -> f64 {
    if df > NORMAL_FROM {
        return normal_tail(t);
    }
    // Abramowitz and Stegun, "Handbook of Mathematical Functions", 1964, 26.7.1 and 26.5.27.
    let both = incomplete_beta(df / 2.0, 0.5, df / (df + t * t));
    if t >= 0.0 {
        both / 2.0
    } else {
        1.0 - both / 2.0
    }
}

/// The value that a t variate with `df` degrees of freedom stays below with probability `p`, in
/// (0, 1).
pub fn student_quantile(p: f64, df: f64) -> f64 {
    invert(p, |t| student_tail(t, df))
}

/// Probability of at most `k` successes in `n` trials of probability `p`.
pub fn binomial_cdf(k: u64, n: u64, p: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    // Abramowitz and Stegun, 26.5.24.
    incomplete_beta((n - k) as f64, k as f64 + 1.0, 1.0 - p)
}

/// The smallest number of successes that is not exceeded with probability at least `q`.
pub fn binomial_quantile(q: f64, n: u64, p: f64) -> u64 {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low + (high - low) / 2;
        if binomial_cdf(middle, n, p) >= q {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// The point of a symmetric distribution below which lies probability `p`, from its upper tail.
fn invert(p: f64, tail: impl Fn(f64) -> f64) -> f64 {
    if !(p > 0.0 && p < 1.0) {
        return if p <= 0.0 {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        };
    }
    // In the upper half, where small probabilities keep their digits.
    let wanted = p.min(1.0 - p);
    let mut high = 1.0;
    while tail(high) > wanted && high < 1e300 {
        high *= 2.0;
    }
    let mut low = 0.0;
    // Bisection: slower than Newton's method by microseconds, and without a case where it fails.
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if tail(middle) > wanted {
            low = middle;
        } else {
            high = middle;
        }
    }
    let value = 0.5 * (low + high);
    if p < 0.5 { -value } else { value }
}

/// The regularised incomplete beta function `I_x(a, b)` by its continued fraction (Abramowitz and
/// Stegun, 26.5.8), evaluated by Lentz's method (Press et al., "Numerical Recipes", 3rd edition,
/// 2007, section 6.4).
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = libm::exp(
        libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b)
            + a * libm::log(x)
            + b * libm::log1p(-x),
    );
    // The fraction converges fast on one side of the mean; the other side by symmetry.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(a, b, x) / a
    } else {
        1.0 - front * fraction(b, a, 1.0 - x) / b
    }
}

fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut above = 1.0;
    let mut below = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut value = below;
    for step in 1..100_000 {
        let k = f64::from(step);
        let even = k * (b - k) * x / ((a + 2.0 * k - 1.0) * (a + 2.0 * k));
        below = 1.0 / away(1.0 + even * below);
        above = away(1.0 + even / above);
        value *= below * above;
        let odd = -(a + k) * (a + b + k) * x / ((a + 2.0 * k) * (a + 2.0 * k + 1.0));
        below = 1.0 / away(1.0 + odd * below);
        above = away(1.0 + odd / above);
        let factor = below * above;
        value *= factor;
        if (factor - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn student_quantiles_are_those_of_the_tables() {
        for (df, p, t) in [
            (1.0, 0.975, 12.706205),
            (2.0, 0.975, 4.302653),
            (4.0, 0.975, 2.776445),
            (9.0, 0.975, 2.262157),
            (19.0, 0.975, 2.093024),
            (29.0, 0.975, 2.045230),
            (49.0, 0.975, 2.009575),
            (99.0, 0.975, 1.984217),
            (9.0, 0.995, 3.249836),
            (29.0, 0.995, 2.756386),
        ] {
            assert!((student_quantile(p, df) - t).abs() < 1e-6, "t_{p},{df}");
            assert!((student_quantile(1.0 - p, df) + t).abs() < 1e-6);
        }
        assert!((student_quantile(0.975, 1e12) - 1.959964).abs() < 1e-6);
        assert!((student_quantile(0.975, 1e7) - 1.959964).abs() < 1e-6);
    }

    #[test]
    fn far_tails_keep_their_digits() {
        for (tests, z, t29) in [
            (50.0, 3.719, 4.254),
            (100.0, 3.891, 4.506),
            (200.0, 4.056, 4.756),
            (500.0, 4.265, 5.086),
        ] {
            let p = 1.0 - 0.01 / tests / 2.0;
            assert!((normal_quantile(p) - z).abs() < 5e-4);
            assert!((student_quantile(p, 29.0) - t29).abs() < 5e-4);
        }
        assert!((normal_quantile(0.975) - 1.959964).abs() < 1e-6);
    }

    #[test]
    fn tails_invert_quantiles() {
        for df in [0.5, 1.0, 3.7, 17.679235, 400.0] {
            for p in [1e-9, 0.01, 0.3, 0.5, 0.8, 0.999] {
                let t = student_quantile(p, df);
                let back = 1.0 - student_tail(t, df);
                assert!((back - p).abs() < 1e-9, "df {df}, p {p}: {back}");
            }
        }
    }

    #[test]
    fn binomial_sums_are_those_of_the_definition() {
        // (2/3 + 1/3)^5, by hand.
        let terms = [32.0, 80.0, 80.0, 40.0, 10.0, 1.0];
        let mut sum = 0.0;
        for (k, term) in terms.iter().enumerate() {
            sum += term / 243.0;
            assert!((binomial_cdf(k as u64, 5, 1.0 / 3.0) - sum).abs() < 1e-12);
        }
        assert_eq!(binomial_quantile(0.5, 5, 1.0 / 3.0), 2);
        assert_eq!(binomial_quantile(0.0, 5, 1.0 / 3.0), 0);
    }

    #[test]
    fn outside_of_probabilities_nothing_is_finite() {
        assert!(student_quantile(1.0, 5.0).is_infinite());
        assert!(normal_quantile(0.0).is_infinite());
    }
}
