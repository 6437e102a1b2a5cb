//! How much of a figure's variance each of several factors explains: Sobol indices.
//!
//! A. Saltelli et al., "Variance based sensitivity analysis of model output. Design and estimator for the total
//! sensitivity index", Computer Physics Communications 181(2), 2010: the first-order index by equation (b) of its
//! table 2, the total index by Jansen's estimator, equation (f). Intervals are percentiles of bootstrap samples of the
//! base points.

use crate::draws::Stream;

/// Base points without which no index is given.
pub const BASE_POINTS_MIN: u64 = 16;

/// Bootstrap samples of an interval.
const RESAMPLES: u64 = 1000;

/// What is known at a base point: the figure at two independent points, and at the first of them with each factor in
/// turn as in the second.
#[derive(Clone, PartialEq, Debug)]
pub struct BasePoint {
    /// At the first point.
    pub a: f64,
    /// At the second.
    pub b: f64,
    /// At the first, with one factor of the second, for each factor.
    pub mixed: Vec<f64>,
}

/// A share with its interval. An estimate may be below zero, or above one, by chance.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Share {
    /// The estimate.
    pub value: f64,
    /// The ends of its interval.
    pub ends: (f64, f64),
}

/// What a factor explains of the variance.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SobolIndex {
    /// By itself.
    pub first: Share,
    /// By itself and together with others.
    pub total: Share,
}

/// The indices of each factor, with intervals of this level; `None` where the figure is the same at all points, or
/// there are too few of them.
pub fn sobol(points: &[BasePoint], level: f64) -> Option<Vec<SobolIndex>> {
    if (points.len() as u64) < BASE_POINTS_MIN {
        return None;
    }
    let factors = points.first()?.mixed.len();
    // Sums of products lose digits to a large mean.
    let mean = points.iter().map(|p| p.a + p.b).sum::<f64>() / (2 * points.len()) as f64;
    let all: Vec<usize> = (0..points.len()).collect();
    let whole = indices(points, &all, mean)?;
    let mut seen: Vec<[Vec<f64>; 2]> = vec![[Vec::new(), Vec::new()]; factors];
    let stream = Stream::new(0, 0, "bootstrap/sobol");
    for resample in 0..RESAMPLES {
        let mut draws = stream.at(resample);
        let some: Vec<usize> = all.iter().map(|_| draws.below(points.len())).collect();
        // Points that are all the same tell nothing.
        for (seen, found) in seen
            .iter_mut()
            .zip(indices(points, &some, mean).into_iter().flatten())
        {
            for (seen, found) in seen.iter_mut().zip(found) {
                seen.push(found);
            }
        }
    }
    let share = |value: f64, seen: &mut Vec<f64>| Share {
        value,
        ends: percentiles(seen, level),
    };
    let index = |([first, total], [firsts, totals]): ([f64; 2], &mut [Vec<f64>; 2])| SobolIndex {
        first: share(first, firsts),
        total: share(total, totals),
    };
    Some(whole.into_iter().zip(&mut seen).map(index).collect())
}

/// First-order and total index of each factor, from some of the points; `None` where the figure does not vary.
fn indices(points: &[BasePoint], some: &[usize], mean: f64) -> Option<Vec<[f64; 2]>> {
    let n = some.len() as f64;
    let both = || {
        some.iter()
            .flat_map(|&i| [points[i].a - mean, points[i].b - mean])
    };
    let middle = both().sum::<f64>() / (2.0 * n);
    let variance = both().map(|y| (y - middle) * (y - middle)).sum::<f64>() / (2.0 * n - 1.0);
    if variance.is_nan() || variance <= 0.0 {
        return None;
    }
    let factor = |factor: usize| {
        let (mut first, mut total) = (0.0, 0.0);
        for &i in some {
            let BasePoint { a, b, mixed } = &points[i];
            let (a, b, mixed) = (a - mean, b - mean, mixed[factor] - mean);
            first += b * (mixed - a);
            total += (a - mixed) * (a - mixed);
        }
        [first / n / variance, total / (2.0 * n) / variance]
    };
    Some((0..points[0].mixed.len()).map(factor).collect())
}

/// The ends between which the share `level` of the values lies.
fn percentiles(values: &mut [f64], level: f64) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = libm::round(share * (values.len().max(1) - 1) as f64) as usize;
        values.get(place).copied().unwrap_or(f64::NAN)
    };
    (at((1.0 - level) / 2.0), at(0.5 + level / 2.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    /// Ishigami and Homma's function with a = 7 and b = 0.1, of three angles between −π and π.
    fn ishigami(x: [f64; 3]) -> f64 {
        let sine = libm::sin(x[1]);
        libm::sin(x[0]) + 7.0 * sine * sine + 0.1 * libm::pow(x[2], 4.0) * libm::sin(x[0])
    }

    /// Its indices in closed form: first-order, and total.
    fn truth() -> [[f64; 2]; 3] {
        let (a, b) = (7.0, 0.1);
        let alone = 0.5 * libm::pow(1.0 + b * libm::pow(PI, 4.0) / 5.0, 2.0);
        let second = a * a / 8.0;
        let together = 8.0 * b * b * libm::pow(PI, 8.0) / 225.0;
        let all = alone + second + together;
        [
            [alone / all, (alone + together) / all],
            [second / all, second / all],
            [0.0, together / all],
        ]
    }

    fn points(seed: u64, count: u64, f: impl Fn([f64; 3]) -> f64) -> Vec<BasePoint> {
        let stream = Stream::new(seed, 0, "ishigami");
        let point = |number: u64| {
            let mut draws = stream.at(number);
            let mut angles = || [0; 3].map(|_| PI * (2.0 * draws.uniform() - 1.0));
            let (a, b) = (angles(), angles());
            let mixed = |factor: usize| {
                let mut x = a;
                x[factor] = b[factor];
                f(x)
            };
            BasePoint {
                a: f(a),
                b: f(b),
                mixed: (0..3).map(mixed).collect(),
            }
        };
        (0..count).map(point).collect()
    }

    #[test]
    fn many_points_give_the_indices_of_the_closed_form() {
        let found = sobol(&points(1, 20_000, ishigami), 0.95).expect("it varies");
        for (index, [first, total]) in found.iter().zip(truth()) {
            assert!(
                (index.first.value - first).abs() < 0.02,
                "{index:?}, {first}"
            );
            assert!(
                (index.total.value - total).abs() < 0.02,
                "{index:?}, {total}"
            );
            assert!(
                index.first.ends.0 < index.first.value && index.first.value < index.first.ends.1
            );
        }
        // What a factor does together with others is no part of what it does alone.
        assert!(found[2].total.ends.0 > found[2].first.ends.1);
    }

    #[test]
    fn intervals_cover_about_as_often_as_they_say() {
        let (mut covered, mut of) = (0.0, 0.0);
        for seed in 0..60 {
            let found = sobol(&points(seed, 256, ishigami), 0.95).expect("it varies");
            for (index, [first, total]) in found.iter().zip(truth()) {
                for (share, truth) in [(index.first, first), (index.total, total)] {
                    covered += f64::from(u8::from(share.ends.0 <= truth && truth <= share.ends.1));
                    of += 1.0;
                }
            }
        }
        let covered = covered / of;
        assert!((0.9..0.99).contains(&covered), "{covered}");
    }

    #[test]
    fn a_sum_has_no_interaction_and_a_constant_no_index() {
        let found = sobol(&points(3, 4000, |x| 1e6 + 3.0 * x[0] + x[1]), 0.9).expect("it varies");
        for (index, truth) in found.iter().zip([0.9, 0.1, 0.0]) {
            assert!((index.first.value - truth).abs() < 0.03, "{index:?}");
            assert!((index.total.value - truth).abs() < 0.03, "{index:?}");
        }
        assert_eq!(sobol(&points(3, 100, |_| 7.0), 0.9), None);
        assert_eq!(sobol(&points(3, 15, ishigami), 0.9), None);
    }
}
