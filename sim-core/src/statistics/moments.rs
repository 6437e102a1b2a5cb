//! Mean and variance in one pass.

/// Count, mean and sum of squared deviations of a series.
///
/// Values enter by Welford's recurrence and parts are joined by Chan's (T. F. Chan, G. H. Golub,
/// R. J. `LeVeque`, "Algorithms for Computing the Sample Variance", The American Statistician
/// 37(3), 1983). The last bits depend on the order in which parts are joined: always join them
/// by index, never as they happen to finish.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Those of a series.
    pub fn of(values: &[f64]) -> Self {
        let mut moments = Self::default();
        for &value in values {
            moments.push(value);
        }
        moments
    }

    /// One value more.
    pub fn push(&mut self, value: f64) {
        self.count += 1;
        let off = value - self.mean;
        self.mean += off / self.count as f64;
        self.squares += off * (value - self.mean);
    }

    /// Joins the moments of what follows this series.
    pub fn merge(&mut self, next: &Self) {
        if next.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *next;
            return;
        }
        let (here, there) = (self.count as f64, next.count as f64);
        let off = next.mean - self.mean;
        self.count += next.count;
        let all = self.count as f64;
        self.mean += off * there / all;
        self.squares += next.squares + off * off * here * there / all;
    }

    /// How many values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their mean; 0 when there are none.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Their sample variance, with n − 1 below; 0 for fewer than two.
    pub fn variance(&self) -> f64 {
        if self.count < 2 {
            return 0.0;
        }
        self.squares / (self.count - 1) as f64
    }

    /// Their sample standard deviation.
    pub fn deviation(&self) -> f64 {
        libm::sqrt(self.variance())
    }

    /// The standard error of their mean, were they independent.
    pub fn standard_error(&self) -> f64 {
        if self.count == 0 {
            return 0.0;
        }
        libm::sqrt(self.variance() / self.count as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_joined_are_the_whole() {
        let values: Vec<f64> = (0..100).map(|i| f64::from(i * i % 17) - 3.0).collect();
        let whole = Moments::of(&values);
        let mut joined = Moments::default();
        for part in [&values[..1], &values[1..40], &values[40..40], &values[40..]] {
            joined.merge(&Moments::of(part));
        }
        assert_eq!(joined.count(), 100);
        assert!((joined.mean() - whole.mean()).abs() < 1e-12);
        assert!((joined.variance() - whole.variance()).abs() < 1e-10);
    }

    #[test]
    fn a_large_offset_costs_no_digits() {
        let values: Vec<f64> = [4.0, 7.0, 13.0, 16.0].iter().map(|v| v + 1e9).collect();
        assert!((Moments::of(&values).variance() - 30.0).abs() < 1e-6);
    }

    #[test]
    fn fewer_than_two_values_have_no_variance() {
        assert_eq!(Moments::default().variance().to_bits(), 0);
        assert_eq!(Moments::of(&[3.0]).variance().to_bits(), 0);
    }
}
