//! Consistent hashing: a ring with one point at random for each server.

/// Mean of the largest of `n` shares, in units of the mean share: the harmonic number (Holst, "On
/// the lengths of the pieces of a stick broken at random", J. Appl. Prob. 17, 1980).
pub fn largest_share(n: u32) -> f64 {
    (1..=n).map(|i| 1.0 / f64::from(i)).sum()
}

/// Mean of the smallest, in the same units.
pub fn smallest_share(n: u32) -> f64 {
    1.0 / f64::from(n)
}

/// Variance of a share, in the same units: a gap between random points has the law Beta(1, n − 1).
pub fn share_variance(n: u32) -> f64 {
    f64::from(n - 1) / f64::from(n + 1)
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_close;
    use super::*;
    use crate::draws::Stream;

    #[test]
    fn shares_of_a_ring() {
        assert_close(largest_share(10), 2.928_968);
        assert_close(largest_share(100), 5.187_378);
        assert_close(smallest_share(10), 0.1);
        assert_close(share_variance(10), 9.0 / 11.0);
    }

    /// Against a stick that is broken here.
    #[test]
    fn a_broken_stick_agrees() {
        let stream = Stream::new(1, 0, "stick");
        let (n, rounds) = (10_u32, 40_000);
        let mut sums = [0.0; 3];
        for round in 0..rounds {
            let mut draws = stream.at(round);
            let mut points: Vec<f64> = (0..n).map(|_| draws.uniform()).collect();
            points.sort_by(f64::total_cmp);
            let mut gaps: Vec<f64> = points.windows(2).map(|pair| pair[1] - pair[0]).collect();
            gaps.push(points[0] + 1.0 - points[n as usize - 1]);
            let scaled = gaps.iter().map(|gap| gap * f64::from(n));
            sums[0] += scaled.clone().fold(0.0, f64::max);
            sums[1] += scaled.clone().fold(f64::INFINITY, f64::min);
            sums[2] += scaled.map(|s| (s - 1.0) * (s - 1.0)).sum::<f64>() / f64::from(n);
        }
        let [largest, smallest, variance] = sums.map(|sum| sum / rounds as f64);
        assert!((largest / largest_share(n) - 1.0).abs() < 0.02, "{largest}");
        assert!(
            (smallest / smallest_share(n) - 1.0).abs() < 0.02,
            "{smallest}"
        );
        assert!(
            (variance / share_variance(n) - 1.0).abs() < 0.02,
            "{variance}"
        );
    }
}
