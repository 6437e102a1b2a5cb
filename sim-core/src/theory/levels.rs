//! Chains that move up and down one level at a time, with a few phases in each: solved numerically.
//!
//! Block elimination from the top level down, the finite form of the matrix-analytic method
//! (Gaver, Jacobs and Latouche, "Finite birth-and-death models in randomly changing environments",
//! Adv. Appl. Prob. 16, 1984). The highest level must be so high that nothing is there.

/// Rates of a chain.
pub struct Chain<'a> {
    /// Highest level.
    pub top: usize,
    /// Phases in each level.
    pub phases: usize,
    /// Rate from a phase of a level to a phase of the next one: (level, from, to).
    pub up: &'a dyn Fn(usize, usize, usize) -> f64,
    /// The same to the level below.
    pub down: &'a dyn Fn(usize, usize, usize) -> f64,
    /// The same within a level.
    pub within: &'a dyn Fn(usize, usize, usize) -> f64,
}

type Matrix = Vec<Vec<f64>>;

impl Chain<'_> {
    fn matrix(&self, of: impl Fn(usize, usize) -> f64) -> Matrix {
        (0..self.phases)
            .map(|i| (0..self.phases).map(|j| of(i, j)).collect())
            .collect()
    }

    /// The generator's block on the diagonal.
    fn diagonal(&self, level: usize) -> Matrix {
        let mut block = self.matrix(|i, j| {
            if i == j {
                0.0
            } else {
                (self.within)(level, i, j)
            }
        });
        for (i, row) in block.iter_mut().enumerate() {
            let mut out: f64 = row.iter().sum();
            for j in 0..self.phases {
                if level < self.top {
                    out += (self.up)(level, i, j);
                }
                if level > 0 {
                    out += (self.down)(level, i, j);
                }
            }
            row[i] = -out;
        }
        block
    }

    /// The steady state: probabilities by level and phase.
    pub fn steady_state(&self) -> Matrix {
        let mut block = self.diagonal(self.top);
        let mut rates: Vec<Matrix> = vec![Vec::new(); self.top + 1];
        for level in (0..self.top).rev() {
            let up = self.matrix(|i, j| (self.up)(level, i, j));
            let negative = block.iter().map(|row| row.iter().map(|x| -x).collect());
            let rate = product(&up, &inverse(negative.collect()));
            let down = self.matrix(|i, j| (self.down)(level + 1, i, j));
            block = sum(&self.diagonal(level), &product(&rate, &down));
            rates[level + 1] = rate;
        }
        let mut levels = vec![null_vector(&block)];
        for rate in &rates[1..] {
            let below = &levels[levels.len() - 1];
            levels.push(
                (0..self.phases)
                    .map(|j| below.iter().zip(rate).map(|(p, row)| p * row[j]).sum())
                    .collect(),
            );
        }
        let total: f64 = levels.iter().flatten().sum();
        levels.iter_mut().flatten().for_each(|p| *p /= total);
        levels
    }
}

/// The mean level of a steady state.
pub fn mean_level(state: &[Vec<f64>]) -> f64 {
    state
        .iter()
        .enumerate()
        .map(|(level, phases)| level as f64 * phases.iter().sum::<f64>())
        .sum()
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    let n = b.len();
    a.iter()
        .map(|row| {
            (0..n)
                .map(|j| row.iter().zip(b).map(|(x, other)| x * other[j]).sum())
                .collect()
        })
        .collect()
}

fn sum(a: &Matrix, b: &Matrix) -> Matrix {
    let row = |(x, y): (&Vec<f64>, &Vec<f64>)| x.iter().zip(y).map(|(p, q)| p + q).collect();
    a.iter().zip(b).map(row).collect()
}

/// Gauss and Jordan, with the largest pivot of each column.
fn inverse(mut a: Matrix) -> Matrix {
    let n = a.len();
    let mut result: Matrix = (0..n)
        .map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect())
        .collect();
    for column in 0..n {
        let pivot = (column..n)
            .max_by(|&i, &j| a[i][column].abs().total_cmp(&a[j][column].abs()))
            .unwrap_or(column);
        a.swap(column, pivot);
        result.swap(column, pivot);
        let scale = a[column][column];
        for j in 0..n {
            a[column][j] /= scale;
            result[column][j] /= scale;
        }
        for i in 0..n {
            let factor = a[i][column];
            if i == column || factor == 0.0 {
                continue;
            }
            for j in 0..n {
                a[i][j] -= factor * a[column][j];
                result[i][j] -= factor * result[column][j];
            }
        }
    }
    result
}

/// The vector x with x·block = 0 and sum 1: the last equation gives way to the sum.
fn null_vector(block: &Matrix) -> Vec<f64> {
    let n = block.len();
    let system: Matrix = (0..n)
        .map(|i| {
            (0..n)
                .map(|j| if j + 1 == n { 1.0 } else { block[i][j] })
                .collect()
        })
        .collect();
    inverse(system).pop().unwrap_or_default()
}

/// Mean number in M/M/c whose workers each fail at rate `xi` while in order and are repaired at rate
/// `eta`, their requests going on elsewhere: phases count the workers in order (Mitrany and
/// Avi-Itzhak, Operations Research 16(3), 1968).
pub fn breakdown_number(lam: f64, c: u32, xi: f64, eta: f64) -> f64 {
    let all = c as usize;
    let same = |i: usize, j: usize, rate: f64| if i == j { rate } else { 0.0 };
    let state = Chain {
        top: 3000,
        phases: all + 1,
        up: &|_, i, j| same(i, j, lam),
        down: &|level, i, j| same(i, j, level.min(i) as f64),
        within: &|_, i, j| match j.cast_signed() - i.cast_signed() {
            1 => eta * (all - i) as f64,
            -1 => xi * i as f64,
            _ => 0.0,
        },
    }
    .steady_state();
    mean_level(&state)
}

/// Mean number in M/M/1 whose only worker fails, in closed form (Avi-Itzhak and Naor, Operations
/// Research 11(3), 1963): the special case of [`breakdown_number`] that checks it.
pub fn breakdown_number_of_one(lam: f64, xi: f64, eta: f64) -> f64 {
    let both = xi + eta;
    lam * (both * both + xi) / (both * (eta - lam * both))
}

/// Mean number in MMPP(2)/M/1: arrivals at rate `first` or `second`, the phases ending at rates
/// `leave_first` and `leave_second` (Fischer and Meier-Hellstern, Performance Evaluation 18, 1993).
pub fn modulated_number(first: f64, second: f64, leave_first: f64, leave_second: f64) -> f64 {
    let rates = [first, second];
    let leave = [leave_first, leave_second];
    let state = Chain {
        top: 4000,
        phases: 2,
        up: &|_, i, j| if i == j { rates[i] } else { 0.0 },
        down: &|_, i, j| f64::from(u8::from(i == j)),
        within: &|_, i, _| leave[i],
    }
    .steady_state();
    mean_level(&state)
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_close;
    use super::*;

    #[test]
    fn breakdowns_are_as_tabulated() {
        assert_close(breakdown_number(0.5, 1, 0.01, 0.1), 2.232323);
        assert_close(breakdown_number(0.6, 1, 0.1, 0.4), 4.2);
        assert_close(breakdown_number(1.2, 2, 0.05, 0.5), 2.541891);
        assert_close(breakdown_number(3.5, 5, 0.02, 0.2), 6.0128);
        assert_close(breakdown_number_of_one(0.5, 0.01, 0.1), 2.232323);
    }

    #[test]
    fn modulated_arrivals_are_as_tabulated() {
        assert_close(modulated_number(2.0, 0.4, 0.15, 0.05), 14.37885);
        assert_close(modulated_number(1.4, 0.2, 1.0, 1.0), 4.837356);
        // Without modulation it is M/M/1.
        assert_close(modulated_number(0.8, 0.8, 1.0, 2.0), 4.0);
    }
}
