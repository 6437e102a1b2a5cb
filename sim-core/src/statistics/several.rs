//! Several statements at once.

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
