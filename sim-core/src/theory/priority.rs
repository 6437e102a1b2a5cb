//! Classes with priorities at one server.

/// Traffic of one class, the most important class first in every list.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ClassLoad {
    /// Arrival rate.
    pub rate: f64,
    /// Mean demand.
    pub mean: f64,
    /// Second moment of the demand.
    pub second: f64,
}

impl ClassLoad {
    /// Several classes that go by one priority.
    pub fn together(classes: impl Iterator<Item = Self>) -> Self {
        let mut sum = (0.0, 0.0, 0.0);
        for class in classes {
            sum.0 += class.rate;
            sum.1 += class.rate * class.mean;
            sum.2 += class.rate * class.second;
        }
        Self {
            rate: sum.0,
            mean: sum.1 / sum.0,
            second: sum.2 / sum.0,
        }
    }

    fn load(self) -> f64 {
        self.rate * self.mean
    }
}

/// Mean waits by class when nobody in service is interrupted (Cobham 1954; Kleinrock, *Queueing
/// Systems*, volume 2, 1976, section 3.4).
pub fn waits(classes: &[ClassLoad]) -> Vec<f64> {
    let residual: f64 = classes.iter().map(|c| 0.5 * c.rate * c.second).sum();
    let mut before = 0.0;
    let mut wait = |class: &ClassLoad| {
        let upto = before + class.load();
        let wait = residual / ((1.0 - before) * (1.0 - upto));
        before = upto;
        wait
    };
    classes.iter().map(&mut wait).collect()
}

/// Mean response times by class when the more important interrupt the others, who go on where they
/// stopped (Conway, Maxwell and Miller, *Theory of Scheduling*, 1967, section 8.7).
pub fn preemptive_responses(classes: &[ClassLoad]) -> Vec<f64> {
    let upto = |at: usize| preemptive_response(&classes[..=at], classes[at].mean);
    (0..classes.len()).map(upto).collect()
}

/// The same of a request with this mean demand that is of the last of the classes: where several go by one
/// priority, each by its own.
pub fn preemptive_response(classes: &[ClassLoad], mean: f64) -> f64 {
    let upto: f64 = classes.iter().map(|c| c.load()).sum();
    let before = upto - classes.last().map_or(0.0, |c| c.load());
    let residual: f64 = classes.iter().map(|c| 0.5 * c.rate * c.second).sum();
    mean / (1.0 - before) + residual / ((1.0 - before) * (1.0 - upto))
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_close;
    use super::*;

    fn class(rate: f64, mean: f64, cv2: f64) -> ClassLoad {
        ClassLoad {
            rate,
            mean,
            second: mean * mean * (1.0 + cv2),
        }
    }

    #[test]
    fn tabulated_values_come_out() {
        let a = [class(0.3, 1.0, 1.0), class(0.5, 1.0, 1.0)];
        assert_close(waits(&a)[0], 1.142857143);
        assert_close(waits(&a)[1], 5.714285714);
        assert_close(preemptive_responses(&a)[1], 7.142857143);
        let b = [class(0.4, 1.0, 1.0), class(0.2, 2.0, 1.0)];
        assert_close(waits(&b)[1], 10.0);
        assert_close(preemptive_responses(&b)[0], 1.666666667);
        assert_close(preemptive_responses(&b)[1], 13.333333333);
        let d = [class(0.2, 1.0, 0.0), class(0.6, 1.0, 0.0)];
        assert_close(preemptive_responses(&d)[1], 3.75);
        assert_close(waits(&d)[0], 0.5);
    }

    #[test]
    fn work_is_conserved() {
        let classes = [
            class(0.1, 1.0, 4.0),
            class(0.2, 2.0, 1.0),
            class(0.3, 0.5, 0.0),
        ];
        let load: f64 = classes.iter().map(|c| c.load()).sum();
        let residual: f64 = classes.iter().map(|c| 0.5 * c.rate * c.second).sum();
        let weighted: f64 = classes
            .iter()
            .zip(waits(&classes))
            .map(|(c, wait)| c.load() * wait)
            .sum();
        assert_close(weighted, load * residual / (1.0 - load));
    }
}
