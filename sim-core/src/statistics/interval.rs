//! Intervals from independent observations.

use super::distribution::{binomial_quantile, normal_quantile, student_quantile};
use super::estimate::{Estimate, Interval, Method, Withheld};
use super::moments::Moments;

/// Observations that an interval takes at least: with fewer, Student's t is so wide, and the
/// variance so uncertain, that the interval says nothing.
pub const MIN_SAMPLES: u64 = 5;

/// Events that a share must rest on at least.
pub const MIN_EVENTS: u64 = 10;

/// Observations beyond a quantile that it must rest on at least.
pub const MIN_BEYOND: u64 = 10;

/// Student's factor for a two-sided interval.
fn factor(level: f64, df: f64) -> f64 {
    student_quantile(0.5 + level / 2.0, df)
}

/// What stands in the way of any interval from these values.
fn obstacle(values: &[f64]) -> Option<Withheld> {
    if values.iter().any(|v| !v.is_finite()) {
        return Some(Withheld::NotFinite);
    }
    let have = values.len() as u64;
    (have < MIN_SAMPLES).then_some(Withheld::TooFewReplications {
        have,
        need: MIN_SAMPLES,
    })
}

/// The mean of independent observations, by Student's t (Law, section 4.5).
pub fn mean(values: &[f64], level: f64) -> Estimate {
    let moments = Moments::of(values);
    if let Some(reason) = obstacle(values) {
        let known = (!values.is_empty()).then_some(moments.mean());
        return Estimate::withheld(known, reason);
    }
    let half_width = factor(level, values.len() as f64 - 1.0) * moments.standard_error();
    Estimate::Interval(Interval::around(
        moments.mean(),
        half_width,
        level,
        moments.count(),
    ))
}

/// The mean of `left − right`, observation by observation: what common random numbers are for
/// (Law, section 10.2.1). Both have the same length.
pub fn paired_difference(left: &[f64], right: &[f64], level: f64) -> Estimate {
    assert_eq!(left.len(), right.len(), "pairs have two sides");
    let differences: Vec<f64> = left.iter().zip(right).map(|(l, r)| l - r).collect();
    by(mean(&differences, level), Method::PairedT)
}

/// The same estimate, made in another way.
fn by(estimate: Estimate, method: Method) -> Estimate {
    match estimate {
        Estimate::Interval(interval) => Estimate::Interval(interval.by(method)),
        withheld @ Estimate::Withheld { .. } => withheld,
    }
}

/// The difference of the means of two independent sets of observations, by Welch's method (Law,
/// section 10.2.2).
pub fn mean_difference(left: &[f64], right: &[f64], level: f64) -> Estimate {
    let (a, b) = (Moments::of(left), Moments::of(right));
    let known = a.mean() - b.mean();
    if let Some(reason) = obstacle(left).or(obstacle(right)) {
        return Estimate::withheld(Some(known), reason);
    }
    let (va, vb) = (
        a.variance() / a.count() as f64,
        b.variance() / b.count() as f64,
    );
    let below = va * va / (a.count() - 1) as f64 + vb * vb / (b.count() - 1) as f64;
    let half_width = if below > 0.0 {
        factor(level, (va + vb) * (va + vb) / below) * libm::sqrt(va + vb)
    } else {
        0.0
    };
    Estimate::Interval(
        Interval::around(known, half_width, level, a.count().min(b.count())).by(Method::Welch),
    )
}

/// The ratio of two means, `above` over `below`, by the delta method: for shares of a number that
/// is itself random. The mean of the replications' ratios would be biased (Law, section 9.5).
pub fn ratio(above: &[f64], below: &[f64], level: f64) -> Estimate {
    if let Some(reason) = obstacle(above).or(obstacle(below)) {
        let (y, z) = (Moments::of(above).mean(), Moments::of(below).mean());
        return Estimate::withheld((z != 0.0).then(|| y / z), reason);
    }
    if let Some(values) = ratio_values(above, below) {
        return by(mean(&values, level), Method::RatioOfMeans);
    }
    let of = above.len() as u64;
    Estimate::withheld(None, Withheld::NothingMeasured { missing: of, of })
}

/// A value for each observation of a ratio: the ratio itself plus what the observation moves it by,
/// to first order. Their mean is the ratio, and their variance is the one that the delta method
/// gives it; so whatever can be done with plain observations can be done with a ratio. `None`
/// when all below is zero.
pub fn ratio_values(above: &[f64], below: &[f64]) -> Option<Vec<f64>> {
    assert_eq!(above.len(), below.len(), "each ratio has two parts");
    let (y, z) = (Moments::of(above).mean(), Moments::of(below).mean());
    (z != 0.0).then(|| {
        let ratio = y / z;
        let moved = |(y, z_i): (&f64, &f64)| ratio + (y - ratio * z_i) / z;
        above.iter().zip(below).map(moved).collect()
    })
}

/// A probability from `events` in `trials` independent trials, by Wilson's method (E. B. Wilson,
/// "Probable Inference", JASA 22, 1927). Never leaves [0, 1], and says something even when
/// nothing happened.
pub fn wilson(events: u64, trials: u64, level: f64) -> Option<Interval> {
    if trials == 0 || events > trials {
        return None;
    }
    let n = trials as f64;
    let p = events as f64 / n;
    let (low, high) = score(p, n, normal_quantile(0.5 + level / 2.0));
    Some(Interval {
        mean: p,
        // Exact at the ends, where rounding would leave a crumb.
        low: if events == 0 { 0.0 } else { low },
        high: if events == trials { 1.0 } else { high },
        level,
        samples: trials,
        method: Method::Wilson,
    })
}

/// Wilson's ends for a share `p` of `n` trials, of which there need not be a whole number.
fn score(p: f64, n: f64, z: f64) -> (f64, f64) {
    let scale = 1.0 + z * z / n;
    let centre = (p + z * z / (2.0 * n)) / scale;
    let half = z * libm::sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n)) / scale;
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

/// What the parts of a sample (replications, or batches) say of a share.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Spread {
    /// The share in all parts together.
    pub share: f64,
    /// Standard error of it, from how the parts differ.
    pub error: f64,
    /// Independent events that it amounts to: as many as would make such an error relative to the
    /// rarer kind.
    pub events: f64,
    /// How many of the events that were counted are worth one independent event: one where they come
    /// singly, more where they come in clusters.
    pub cluster: f64,
}

/// The share that `above` is of `below`, part by part, and how sure it is; `None` where nothing was
/// counted.
pub fn spread(above: &[f64], below: &[f64]) -> Option<Spread> {
    let values = ratio_values(above, below)?;
    let moments = Moments::of(&values);
    let (share, error) = (moments.mean(), moments.standard_error());
    let counted: f64 = above.iter().sum();
    let rarer = share.min(1.0 - share);
    let rarely = counted.min(below.iter().sum::<f64>() - counted).max(0.0);
    let events = if error > 0.0 {
        rarer * rarer / (error * error)
    } else {
        rarely
    };
    Some(Spread {
        share,
        error,
        events,
        cluster: if events > 0.0 { rarely / events } else { 1.0 },
    })
}

/// A probability from parts whose trials depend on one another: Student's t on the logarithm of the
/// odds, with the error that the parts' differences show (delta method; A. Agresti, "Categorical Data
/// Analysis", 3rd edition, 2013, section 3.1.6). What happens rarely or in clusters has a skewed
/// share, and a wide interval for it is uneven: it never leaves 0 to 1, and from few uneven parts it
/// covers where `share ± error` does not. Five runs whose failures vary by half: 94 % and not 92 %;
/// by as much as their mean: 92 % and not 87 %.
pub fn share_of_parts(above: &[f64], below: &[f64], level: f64, method: Method) -> Estimate {
    if let Some(reason) = obstacle(above).or(obstacle(below)) {
        let all: f64 = below.iter().sum();
        let share = above.iter().sum::<f64>() / all;
        return Estimate::withheld((all > 0.0).then_some(share), reason);
    }
    let of = above.len() as u64;
    let Some(spread) = spread(above, below) else {
        return Estimate::withheld(None, Withheld::NothingMeasured { missing: of, of });
    };
    let p = spread.share;
    let Some((low, high)) = log_odds_ends(p, factor(level, of as f64 - 1.0) * spread.error) else {
        let need = MIN_EVENTS;
        return Estimate::withheld(Some(p), Withheld::TooFewEvents { have: 0, need });
    };
    Estimate::Interval(Interval {
        mean: p,
        low,
        high,
        level,
        samples: of,
        method,
    })
}

/// Where the odds of a share end that is off by `off`, to first order, either way; `None` where
/// there are no odds, since it is nothing or everything.
pub(super) fn log_odds_ends(p: f64, off: f64) -> Option<(f64, f64)> {
    let variance = p * (1.0 - p);
    (variance > 0.0).then(|| {
        let factor = libm::exp(off / variance);
        let odds = p / (1.0 - p);
        let share = |odds: f64| odds / (1.0 + odds);
        let high = if factor.is_finite() {
            share(odds * factor)
        } else {
            1.0
        };
        // Rounding must not leave the share itself outside.
        (share(odds / factor).min(p), high.max(p))
    })
}

/// The mean number of events of which there was none in `runs` independent runs: from zero to the
/// highest at which seeing none has a chance of `1 - level` still, events coming singly.
pub fn no_events(runs: u64, level: f64) -> Option<Interval> {
    (runs > 0).then(|| Interval {
        mean: 0.0,
        low: 0.0,
        high: -libm::log(1.0 - level) / runs as f64,
        level,
        samples: runs,
        method: Method::NoneSeen,
    })
}

/// The probability of what happened in none of `trials` independent trials: from zero to the
/// highest at which seeing none has a chance of `1 - level` still. Exact and one-sided (C. J. Clopper
/// and E. S. Pearson, Biometrika 26, 1934, with no events); `None` without trials.
pub fn none_seen(trials: u64, level: f64) -> Option<Interval> {
    (trials > 0).then(|| Interval {
        mean: 0.0,
        low: 0.0,
        high: 1.0 - libm::pow(1.0 - level, 1.0 / trials as f64),
        level,
        samples: trials,
        method: Method::NoneSeen,
    })
}

/// A probability from `events` in `trials` independent trials, unless it rests on fewer than
/// [`MIN_EVENTS`] of either outcome.
pub fn share(events: u64, trials: u64, level: f64) -> Estimate {
    let rarer = events.min(trials.saturating_sub(events));
    match wilson(events, trials, level) {
        Some(interval) if rarer >= MIN_EVENTS => Estimate::Interval(interval),
        Some(interval) => Estimate::withheld(
            Some(interval.mean),
            Withheld::TooFewEvents {
                have: rarer,
                need: MIN_EVENTS,
            },
        ),
        None => Estimate::withheld(None, Withheld::NothingMeasured { missing: 1, of: 1 }),
    }
}

/// Positions, counted from 1, of the two order statistics between which the `p`-quantile of `n`
/// independent observations lies; `None` when the data do not reach so far (H. A. David,
/// H. N. Nagaraja, "Order Statistics", 3rd edition, 2003, section 7.1).
///
/// Not for the response times of one run: they are correlated, and at a load of 0.9 an interval
/// made so covers the truth once in twenty times instead of nineteen.
pub fn order_statistics(p: f64, n: u64, level: f64) -> Option<(u64, u64)> {
    let outside = (1.0 - level) / 2.0;
    let low = binomial_quantile(outside, n, p);
    let high = binomial_quantile(1.0 - outside, n, p) + 1;
    (low >= 1 && high <= n).then_some((low, high))
}

/// Observations that a `p`-quantile takes at least: [`MIN_BEYOND`] beyond it.
pub fn quantile_needs(p: f64) -> u64 {
    // Rounding must not ask for one more.
    libm::ceil(MIN_BEYOND as f64 / (1.0 - p) - 1e-6) as u64
}

/// The slope of a straight line through a series, per step, by least squares; `None` for fewer
/// than two values.
pub fn slope(series: &[f64]) -> Option<f64> {
    if series.len() < 2 {
        return None;
    }
    let n = series.len() as f64;
    let middle = (n - 1.0) / 2.0;
    let mean = Moments::of(series).mean();
    let (mut above, mut below) = (0.0, 0.0);
    for (i, value) in series.iter().enumerate() {
        let x = i as f64 - middle;
        above += x * (value - mean);
        below += x * x;
    }
    Some(above / below)
}

/// Pearson's correlation of two series of one length; `None` when one does not vary.
pub fn correlation(left: &[f64], right: &[f64]) -> Option<f64> {
    let (a, b) = (Moments::of(left), Moments::of(right));
    let product: f64 = left
        .iter()
        .zip(right)
        .map(|(l, r)| (l - a.mean()) * (r - b.mean()))
        .sum();
    let scale = a.deviation() * b.deviation() * (a.count() as f64 - 1.0);
    (scale > 0.0).then(|| product / scale)
}

/// Level of each of `count` intervals so that all cover together with `level` (Bonferroni).
pub fn bonferroni_level(level: f64, count: usize) -> f64 {
    1.0 - (1.0 - level) / count.max(1) as f64
}

/// Which of several null hypotheses are rejected when the chance of even one false rejection is to
/// stay below `alpha`: Holm's step-down (S. Holm, "A Simple Sequentially Rejective Multiple Test
/// Procedure", Scandinavian Journal of Statistics 6, 1979). Returns p-values adjusted so that a
/// hypothesis is rejected at `alpha` when its value is at most `alpha`.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]).then(a.cmp(&b)));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut most: f64 = 0.0;
    for (rank, &at) in order.iter().enumerate() {
        let factor = (p_values.len() - rank) as f64;
        most = most.max((p_values[at] * factor).min(1.0));
        adjusted[at] = most;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_observations_give_no_interval() {
        let estimate = mean(&[1.0, 2.0, 3.0, 4.0], 0.95);
        assert_eq!(estimate.mean(), Some(2.5));
        assert_eq!(
            estimate.reason(),
            Some(&Withheld::TooFewReplications { have: 4, need: 5 })
        );
        assert!(mean(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.95).interval().is_some());
        assert_eq!(mean(&[], 0.95).mean(), None);
    }

    #[test]
    fn what_is_no_number_gives_no_interval() {
        let estimate = mean(&[1.0, 2.0, f64::NAN, 4.0, 5.0], 0.95);
        assert_eq!(estimate.reason(), Some(&Withheld::NotFinite));
        assert_eq!(estimate.mean(), None);
    }

    #[test]
    fn order_statistics_are_those_of_the_binomial_distribution() {
        for (n, p, low, high) in [
            (1_000, 0.5, 469, 532),
            (1_000, 0.99, 983, 997),
            (10_000, 0.99, 9880, 9920),
            (10_000, 0.999, 9983, 9997),
            (100_000, 0.999, 99880, 99920),
            (100, 0.9, 84, 96),
            (30, 0.5, 10, 21),
        ] {
            assert_eq!(order_statistics(p, n, 0.95), Some((low, high)), "{n}, {p}");
        }
        assert_eq!(order_statistics(0.999, 1000, 0.95), None);
    }

    #[test]
    fn a_share_needs_events_of_both_kinds() {
        for events in [0, 9, 991, 1000] {
            let estimate = share(events, 1000, 0.95);
            assert!(
                matches!(estimate.reason(), Some(Withheld::TooFewEvents { .. })),
                "{events}"
            );
        }
        assert!(share(10, 1000, 0.95).interval().is_some());
        assert!(share(990, 1000, 0.95).interval().is_some());
    }

    #[test]
    fn wilson_stays_inside_and_is_the_published_one() {
        // R. G. Newcombe, Statistics in Medicine 17, 1998, table I: 81 of 263, 15 of 148, 0 of
        // 20, 1 of 29.
        for (events, trials, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let interval = wilson(events, trials, 0.95).expect("trials");
            assert!((interval.low - low).abs() < 6e-5, "{events}/{trials}");
            assert!((interval.high - high).abs() < 6e-5, "{events}/{trials}");
        }
        assert_eq!(wilson(0, 0, 0.95), None);
    }

    #[test]
    fn independent_trials_are_worth_what_they_are() {
        // Ten parts that differ as independent trials do: 1000 trials in all with share 0.1; the
        // variance of a part's share is 0.1 · 0.9 / 100 = 9e-4, whose root is 0.03.
        let signs = [1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0];
        let scale = 3.0 * libm::sqrt(0.9);
        let above: Vec<f64> = signs.iter().map(|s| 10.0 + s * scale).collect();
        let below = [100.0; 10];
        let found = spread(&above, &below).expect("trials");
        assert!((found.share - 0.1).abs() < 1e-12);
        assert!((found.error - 0.03 / libm::sqrt(10.0)).abs() < 1e-12);
        assert!((found.events - 1000.0 / 9.0).abs() < 1e-9, "{found:?}");
        let estimate = share_of_parts(&above, &below, 0.95, Method::LogOddsOverReplications);
        let interval = estimate.interval().expect("ten parts");
        // A tenth has odds of a ninth; they are off by t · 0.03 / √10 / 0.09 in their logarithm.
        let factor = libm::exp(2.262_157 * 0.03 / libm::sqrt(10.0) / 0.09);
        let share = |odds: f64| odds / (1.0 + odds);
        assert!((interval.low - share(1.0 / 9.0 / factor)).abs() < 1e-7);
        assert!((interval.high - share(factor / 9.0)).abs() < 1e-7);
        // Events that come in clusters are worth fewer: all in two of ten parts.
        let clustered = [50.0, 0.0, 0.0, 0.0, 0.0, 50.0, 0.0, 0.0, 0.0, 0.0];
        let found = spread(&clustered, &below).expect("trials");
        assert!(found.cluster > 30.0 && found.events < 3.0, "{found:?}");
        let wide = share_of_parts(&clustered, &below, 0.95, Method::LogOddsOverReplications);
        let wide = wide.interval().expect("ten parts");
        assert!(wide.half_width() > 3.0 * interval.half_width());
        assert!(wide.low >= 0.0 && wide.high <= 1.0);
    }

    #[test]
    fn of_what_never_came_there_is_a_bound() {
        // The rule of three.
        let bound = no_events(30, 0.95).expect("runs");
        assert!((bound.high - 0.099_857_7).abs() < 1e-6, "{bound:?}");
        assert!(bound.is_bound() && bound.low == 0.0);
        assert!(no_events(30, 0.99).expect("runs").high > bound.high);
        assert_eq!(no_events(0, 0.95), None);
    }

    #[test]
    fn a_ratio_of_constants_is_certain() {
        let estimate = ratio(
            &[2.0, 4.0, 6.0, 8.0, 10.0],
            &[1.0, 2.0, 3.0, 4.0, 5.0],
            0.95,
        );
        let interval = estimate.interval().expect("five pairs");
        assert!((interval.mean - 2.0).abs() < 1e-12 && interval.half_width() < 1e-12);
        // By hand: r = 15/20; residuals 1/4, 0, -1/4, 1/4, -1/4, their squares 1/4.
        let estimate = ratio(&[4.0, 3.0, 2.0, 4.0, 2.0], &[5.0, 4.0, 3.0, 5.0, 3.0], 0.95);
        let interval = estimate.interval().expect("five pairs");
        let expected = 2.776445 * libm::sqrt(0.25 / 4.0) / (4.0 * libm::sqrt(5.0));
        assert!((interval.mean - 0.75).abs() < 1e-12);
        assert!((interval.half_width() - expected).abs() < 1e-6);
    }

    #[test]
    fn a_slope_is_that_of_the_line() {
        assert_eq!(slope(&[1.0]), None);
        assert!((slope(&[1.0, 3.0, 5.0, 7.0]).expect("a line") - 2.0).abs() < 1e-12);
    }

    #[test]
    fn holm_steps_down() {
        // The textbook's four: 0.01, 0.04, 0.03, 0.005.
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (found, expected) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((found - expected).abs() < 1e-12, "{adjusted:?}");
        }
        assert_eq!(holm(&[]), Vec::<f64>::new());
        assert_eq!(holm(&[0.7, 0.9]), vec![1.0, 1.0]);
    }

    #[test]
    fn bonferroni_shares_the_error() {
        assert!((bonferroni_level(0.95, 5) - 0.99).abs() < 1e-12);
        assert!((bonferroni_level(0.95, 0) - 0.95).abs() < 1e-12);
    }
}
