//! One long run: batch means.
//!
//! Consecutive observations of a queue depend on one another. Means of long batches hardly do, and
//! whether they still do is tested; if so, no interval is given.

use super::distribution::student_quantile;
use super::estimate::{Estimate, Interval, Method, Withheld};
use super::moments::Moments;

/// Batches that a run is cut into.
pub const BATCHES: usize = 20;

/// Beyond this statistic of the von Neumann test batch means are taken to be correlated: one-sided,
/// at 5 %.
pub const VON_NEUMANN_Z: f64 = 1.645;

/// Batch means of a series, and what follows from them.
#[derive(Clone, PartialEq, Debug)]
pub struct BatchMeans {
    /// Observations in each batch.
    pub size: usize,
    /// Their means.
    pub means: Vec<f64>,
    /// Ratio of the mean square successive difference to the variance; 2 for independent means.
    pub q: f64,
    /// How far `q` lies below that of independent means, in standard deviations (J. von Neumann,
    /// "Distribution of the Ratio of the Mean Square Successive Difference to the Variance", Annals
    /// of Mathematical Statistics 12(4), 1941).
    pub z: f64,
    /// The mean with its interval, unless the batch means are correlated.
    pub estimate: Estimate,
}

/// Cuts `series` into `batches` equal batches, at least two; what does not fill a batch is left
/// out at the start. `None` when there is not even one observation for each.
pub fn batch_means(series: &[f64], batches: usize, level: f64) -> Option<BatchMeans> {
    let size = series.len() / batches.max(2);
    if size == 0 {
        return None;
    }
    let batches = batches.max(2);
    let kept = &series[series.len() - size * batches..];
    let means: Vec<f64> = kept
        .chunks_exact(size)
        .map(|batch| Moments::of(batch).mean())
        .collect();
    let moments = Moments::of(&means);
    let (q, z) = von_neumann(&means);
    let df = batches as f64 - 1.0;
    let half_width = student_quantile(0.5 + level / 2.0, df) * moments.standard_error();
    let estimate = if !half_width.is_finite() {
        Estimate::withheld(None, Withheld::NotFinite)
    } else if z > VON_NEUMANN_Z {
        Estimate::withheld(Some(moments.mean()), Withheld::CorrelatedBatches { z })
    } else {
        Estimate::Interval(
            Interval::around(moments.mean(), half_width, level, batches as u64)
                .by(Method::BatchMeans),
        )
    };
    Some(BatchMeans {
        size,
        means,
        q,
        z,
        estimate,
    })
}

/// The ratio of the mean square successive difference to the variance, and how far it lies below that
/// of independent values, in standard deviations.
pub fn von_neumann(means: &[f64]) -> (f64, f64) {
    let moments = Moments::of(means);
    let successive: f64 = means
        .windows(2)
        .map(|pair| (pair[1] - pair[0]) * (pair[1] - pair[0]))
        .sum();
    let squares = moments.variance() * (means.len() as f64 - 1.0);
    if squares <= 0.0 {
        // A constant: nothing depends on anything.
        return (2.0, 0.0);
    }
    let b = means.len() as f64;
    let q = successive / squares;
    let z = (1.0 - q / 2.0) / libm::sqrt((b - 2.0) / (b * b - 1.0));
    (q, z)
}

/// Standard error of the mean of `series` by overlapping batches of `size` (M. S. Meketon,
/// B. Schmeiser, "Overlapping Batch Means: Something for Nothing?", Winter Simulation Conference
/// 1984); `None` unless the series is longer than a batch.
pub fn overlapping_batch_means(series: &[f64], size: usize) -> Option<f64> {
    let n = series.len();
    if size == 0 || n <= size {
        return None;
    }
    let mean = Moments::of(series).mean();
    // Deviations are summed, not values: a window's sum then stays small, and keeps its digits.
    let mut window: f64 = series[..size].iter().map(|v| v - mean).sum();
    let mut squares = window * window;
    for i in size..n {
        window += series[i] - series[i - size];
        squares += window * window;
    }
    let (m, n) = (size as f64, n as f64);
    let variance = m * n / ((n - m) * (n - m + 1.0)) * squares / (m * m);
    Some(libm::sqrt(variance / n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_that_drift_are_refused() {
        let drifting: Vec<f64> = (0..400).map(f64::from).collect();
        let batches = batch_means(&drifting, BATCHES, 0.95).expect("enough");
        assert!(matches!(
            batches.estimate.reason(),
            Some(Withheld::CorrelatedBatches { .. })
        ));
        assert_eq!(batches.estimate.mean(), Some(199.5));
    }

    #[test]
    fn a_constant_has_an_interval_without_width() {
        let batches = batch_means(&[3.0; 60], BATCHES, 0.95).expect("enough");
        let interval = batches
            .estimate
            .interval()
            .expect("nothing speaks against it");
        assert_eq!((interval.low, interval.high), (3.0, 3.0));
    }

    #[test]
    fn too_short_a_series_has_no_batches() {
        assert_eq!(batch_means(&[1.0; 19], BATCHES, 0.95), None);
        assert_eq!(overlapping_batch_means(&[1.0; 5], 5), None);
    }
}
