//! Where the warm-up ends.

use super::moments::Moments;

/// Observations in a batch of MSER-5.
pub const MSER_BATCH: usize = 5;

/// What MSER-5 found.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Truncation {
    /// Observations to leave out at the start.
    pub observations: usize,
    /// The value of the criterion there: squared standard error of what is left.
    pub criterion: f64,
}

/// The marginal standard error rule on batches of five: leaves out as many as makes the standard
/// error of the rest least (K. P. White, "An Effective Truncation Heuristic for Bias Reduction in
/// Simulation Output", Simulation 69(6), 1997; K. P. White, M. J. Cobb, S. C. Spratt, Winter
/// Simulation Conference 2000).
///
/// `None` when the least lies in the second half of the series: the run is too short to tell. To be
/// applied to the mean over replications and not to a single run, where it cuts just after some
/// excursion and makes the estimate worse than no cut at all.
pub fn mser5(series: &[f64]) -> Option<Truncation> {
    let batches: Vec<f64> = series
        .chunks_exact(MSER_BATCH)
        .map(|batch| Moments::of(batch).mean())
        .collect();
    let count = batches.len();
    // From the end, so that each start costs one step.
    let mut rest = Moments::default();
    let mut criteria = vec![0.0; count];
    for (at, &batch) in batches.iter().enumerate().rev() {
        rest.push(batch);
        let left = rest.count() as f64;
        criteria[at] = rest.variance() * (left - 1.0) / (left * left);
    }
    // The last few batches agree by chance, whatever the series does: they are not asked.
    let asked = count.saturating_sub(MSER_BATCH);
    let mut best: Option<(usize, f64)> = None;
    for (at, &criterion) in criteria[..asked].iter().enumerate() {
        if best.is_none_or(|(_, least)| criterion < least) {
            best = Some((at, criterion));
        }
    }
    let (at, criterion) = best?;
    (at <= count / 2).then_some(Truncation {
        observations: at * MSER_BATCH,
        criterion,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_that_never_settles_is_refused() {
        let growing: Vec<f64> = (0..500).map(f64::from).collect();
        assert_eq!(mser5(&growing), None);
    }

    #[test]
    fn too_short_a_series_is_refused() {
        assert_eq!(mser5(&[1.0; 25]), None);
        assert_eq!(mser5(&[]), None);
    }

    #[test]
    fn a_settled_series_is_kept_whole() {
        let settled: Vec<f64> = (0..500).map(|i| f64::from(i % 5)).collect();
        assert_eq!(mser5(&settled).map(|t| t.observations), Some(0));
    }
}
