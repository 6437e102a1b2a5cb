//! Statistics of output: what may be said of a simulation's figures, and how surely.
//!
//! Pure numerics; nothing here simulates. Everything that is estimated comes as an [`Estimate`]:
//! an [`Interval`], or the reason why none is given. What cannot be stood behind is not printed:
//! a half-width that rests on three runs, or on a queue that never settles, misleads more than
//! its absence.
//!
//! | file | what for |
//! |---|---|
//! | `moments` | mean and variance in one pass, mergeable in a fixed order |
//! | `distribution` | Student's t, the normal and the binomial distribution |
//! | `interval` | intervals for a mean, a ratio, a share, a difference; several statements at once |
//! | `quantile` | a quantile of several parts together |
//! | `selection` | the best of several with an indifference zone: the procedure KN |
//! | `sobol` | what several factors explain of a variance |
//! | `batch` | one long run: batch means, overlapping batch means, the von Neumann test |
//! | `truncation` | where the warm-up ends: MSER-5 |
//! | `spectrum`, `stationarity` | the spectral method; the test of Heidelberger and Welch |
//! | `series` | all of it for one series from anywhere |
//!
//! References by short name: **Law** is A. M. Law, "Simulation Modeling and Analysis", 5th
//! edition, 2015.

mod batch;
mod distribution;
mod estimate;
mod interval;
mod moments;
mod quantile;
mod selection;
mod series;
mod sobol;
mod spectrum;
mod stationarity;
mod truncation;

#[cfg(test)]
mod vectors;

pub use batch::{
    BATCHES, BatchMeans, VON_NEUMANN_Z, batch_means, overlapping_batch_means, von_neumann,
};
pub use distribution::{
    binomial_cdf, binomial_quantile, normal_quantile, normal_tail, student_quantile, student_tail,
};
pub use estimate::{Estimate, INTERVAL_METHODS, Interval, Method, Needs, Slow, WITHHELD, Withheld};
pub use interval::{
    MIN_BEYOND, MIN_EVENTS, MIN_SAMPLES, Spread, bonferroni_level, correlation, holm, mean,
    mean_difference, no_events, none_seen, order_statistics, paired_difference, quantile_needs,
    ratio, ratio_values, share, share_of_parts, slope, spread, wilson,
};
pub use moments::Moments;
pub use quantile::{
    MIN_EXCURSIONS, Pooled, excursions_needed, pooled_quantile, quantile_values, unresolved_ns,
};
pub use selection::{Dropped, Knockout, kn_h2};
pub use series::{Analysis, By, METHODS, Quantile, SPECTRAL};
pub use sobol::{BASE_POINTS_MIN, BasePoint, Share, SobolIndex, sobol};
pub use spectrum::{SPECTRUM_MIN, Spectrum, spectrum};
pub use stationarity::{
    STATIONARITY_LEVEL, STATIONARITY_MIN, Stationarity, cramer_von_mises_tail, heidelberger_welch,
};
pub use truncation::{MSER_BATCH, Truncation, mser5};
