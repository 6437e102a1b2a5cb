//! Sums and means that lose less than plain addition.
//!
//! Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", ZAMM 54
//! (1974), pp. 39-51: what each addition rounds away is kept aside. Prometheus sums this way, so
//! that digits agree with it.

/// A sum with what was rounded away.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum {
    total: f64,
    lost: f64,
}

impl Sum {
    pub(crate) fn starting_at(value: f64) -> Self {
        Self {
            total: value,
            lost: 0.0,
        }
    }

    #[must_use]
    pub(crate) fn plus(self, value: f64) -> Self {
        let total = self.total + value;
        let lost = if total.is_infinite() {
            0.0
        } else if self.total.abs() >= value.abs() {
            self.lost + ((self.total - total) + value)
        } else {
            self.lost + ((value - total) + self.total)
        };
        Self { total, lost }
    }

    pub(crate) fn value(self) -> f64 {
        if self.total.is_infinite() {
            return self.total;
        }
        self.with_lost()
    }

    /// The sum as it is, without a look at whether it overflowed.
    pub(crate) fn with_lost(self) -> f64 {
        self.total + self.lost
    }

    fn times(self, factor: f64) -> Self {
        Self {
            total: self.total * factor,
            lost: self.lost * factor,
        }
    }
}

/// The mean: of the sum as long as that is finite, and from then on followed step by step.
pub(crate) fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values = values.into_iter();
    let mut sum = Sum::starting_at(values.next().unwrap_or(f64::NAN));
    let (mut count, mut stepwise) = (1.0, false);
    for value in values {
        count += 1.0;
        if !stepwise {
            let next = sum.plus(value);
            if !next.total.is_infinite() {
                sum = next;
                continue;
            }
            stepwise = true;
            sum = Sum {
                total: sum.total / (count - 1.0),
                lost: sum.lost / (count - 1.0),
            };
        }
        sum = sum.times((count - 1.0) / count).plus(value / count);
    }
    if stepwise {
        sum.with_lost()
    } else {
        sum.total / count + sum.lost / count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_rounded_away_is_not_lost() {
        let sum = [1.0, 1e100, 1.0, -1e100].into_iter();
        assert_eq!(sum.fold(Sum::default(), Sum::plus).value(), 2.0);
    }

    #[test]
    fn a_mean_does_not_overflow() {
        assert_eq!(mean([1e308, 1e308, 1e308]), 1e308);
        assert!(mean([]).is_nan());
    }
}
