//! One server whose service times depend on one another.
//!
//! Poisson arrivals, service in order of arrival, and service times of two lengths that come in runs: each
//! is the one before with a probability, and otherwise drawn anew. The Markov-dependent service times of
//! Adan and Kulkarni, "Single-server queue with Markov-dependent inter-arrival and service times",
//! Queueing Systems 45, 2003, section 3, for two states.

/// Lengths of service, each with its probability.
type Two = [(f64, f64); 2];

/// The mean wait at an arrival rate, where each service is as long as the one before with probability
/// `same`; infinite where there is no steady state.
///
/// With φⱼ(s) the transform of the wait of those with length bⱼ, in the steady state
/// φ(s) ((λ − s) I − λ B(s) P) = −s v P, where P has the probabilities of the next length, B(s) the
/// transforms of the lengths on its diagonal, and vᵢ is the probability that one of length bᵢ leaves nobody
/// behind. These two add up to the idle share; the other equation for them comes from the one positive s at
/// which the matrix has no inverse. The terms of the first order in s then have the means.
pub fn wait(rate: f64, lengths: Two, same: f64) -> f64 {
    let over = |of: &dyn Fn(f64) -> f64| -> f64 { lengths.iter().map(|(b, p)| p * of(*b)).sum() };
    let idle = 1.0 - rate * over(&|b| b);
    if idle <= 0.0 {
        return f64::INFINITY;
    }
    let anew = 1.0 - same;
    let first_moment = rate * over(&|b| b * b) / 2.0;
    // At `s`: for each length its transform over the diagonal without what is drawn anew.
    let parts = |s: f64| {
        lengths.map(|(b, _)| {
            let transform = libm::exp(-s * b);
            (transform, rate - s - rate * same * transform)
        })
    };
    let determinant = |s: f64| {
        let [(l, d), (other_l, other_d)] = parts(s);
        let [(_, p), (_, other_p)] = lengths;
        d * other_d - rate * anew * (p * l * other_d + other_p * other_l * d)
    };
    let (mut low, mut high) = (0.0, rate);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if determinant(middle) > 0.0 {
            high = middle;
        } else {
            low = middle;
        }
    }
    // What the matrix maps to nothing, beside its mean of one, after P: v is at right angles to it.
    let beside = parts(f64::midpoint(low, high)).map(|(l, d)| same * rate * anew * l / d + anew);
    let empty = if same > 0.0 {
        let first = idle * beside[1] / (beside[1] - beside[0]);
        [first, idle - first]
    } else {
        lengths.map(|(_, p)| idle * p)
    };
    let next = |i: usize, j: usize| f64::from(u8::from(i == j)) * same + anew * lengths[j].1;
    // The mean of the wait on each length is p of the whole, and this more.
    let more = [0, 1].map(|j| {
        let into = |i: usize| (rate * lengths[i].0 * lengths[i].1 + empty[i]) * next(i, j);
        (into(0) + into(1) - lengths[j].1) / (rate * anew)
    });
    let missing = (0..2).map(|j| more[j] * (1.0 - rate * lengths[j].0));
    (first_moment - missing.sum::<f64>()) / idle
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;
    use crate::theory::testing::assert_close;

    const TWO: Two = [(0.5, 0.8), (3.0, 0.2)];

    #[test]
    fn without_runs_it_is_pollaczek_and_khinchine() {
        let second = 0.8 * 0.25 + 0.2 * 9.0;
        for rate in [0.3, 0.7, 0.9] {
            assert_close(wait(rate, TWO, 0.0), rate * second / 2.0 / (1.0 - rate));
            assert_close(wait(rate, TWO, 1e-9), rate * second / 2.0 / (1.0 - rate));
        }
        assert!(wait(1.0, TWO, 0.5).is_infinite());
    }

    /// Lindley's recursion, with other draws than the engine's.
    #[test]
    fn runs_lengthen_the_wait_as_the_recursion_does() {
        for (rate, same) in [(0.7, 0.5), (0.7, 0.9), (0.5, 0.8)] {
            let stream = Stream::new(12, 0, "recursion");
            let (mut length, mut waits, parts, each) = (0.5, 0.0, 40, 100_000);
            let mut means = Vec::new();
            for part in 0..parts {
                let mut sum = 0.0;
                for n in 0..each {
                    sum += waits;
                    let mut draws = stream.at(part * each + n);
                    if !draws.chance(same) {
                        length = if draws.chance(0.8) { 0.5 } else { 3.0 };
                    }
                    waits = f64::max(0.0, waits + length - draws.exponential() / rate);
                }
                means.push(sum / each as f64);
            }
            let mean = means.iter().sum::<f64>() / parts as f64;
            let square: f64 = means.iter().map(|m| (m - mean) * (m - mean)).sum();
            let error = (square / (parts * (parts - 1)) as f64).sqrt();
            let (exact, without) = (wait(rate, TWO, same), wait(rate, TWO, 0.0));
            assert!(
                (mean - exact).abs() < 4.0 * error,
                "{mean} ± {error}, not {exact}"
            );
            assert!(
                mean - without > 8.0 * error,
                "{mean} ± {error} beside {without}"
            );
        }
    }
}
