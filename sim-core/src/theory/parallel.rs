//! Work that goes out side by side: fork and join, redundant requests, hedged requests.
//!
//! Demand is exponential with mean 1 at every server, and every copy draws its own.

/// Mean response time of a job that forks into one task at each of two M/M/1 servers and ends when
/// both have (Flatto and Hahn, SIAM J. Appl. Math. 44(5), 1984; Nelson and Tantawi, IEEE Trans.
/// Computers 37(6), 1988, equation 6).
pub fn fork_join_response(rho: f64) -> f64 {
    (12.0 - rho) / 8.0 / (1.0 - rho)
}

/// Mean response time where each request goes to `d` of `k` servers at once and its first answer
/// takes the other copies out of queues and service; `lam` requests a server (Gardner et al.,
/// "Redundancy-d: the power of d choices for redundancy", Operations Research 65(4), 2017).
pub fn redundant_response(k: u32, d: u32, lam: f64) -> f64 {
    let k_f = f64::from(k);
    let all = choose(k - 1, d - 1);
    (d..=k)
        .map(|i| 1.0 / (k_f * all / choose(i - 1, d - 1) - k_f * lam))
        .sum()
}

/// Mean response time without queueing where a second copy goes out after `delta`, if there is no
/// answer by then: the smaller of two exponential times from there on.
pub fn hedged_response(delta: f64) -> f64 {
    1.0 - libm::exp(-delta) / 2.0
}

/// Share of requests that send the second copy.
pub fn hedged_extra(delta: f64) -> f64 {
    libm::exp(-delta)
}

/// The `q`-quantile of the same response time: before `delta` the tail falls at rate 1, then at 2.
pub fn hedged_quantile(q: f64, delta: f64) -> f64 {
    let log = -libm::log(1.0 - q);
    if log <= delta {
        log
    } else {
        f64::midpoint(log, delta)
    }
}

/// Binomial coefficient.
fn choose(n: u32, k: u32) -> f64 {
    (0..k).fold(1.0, |product, i| {
        product * f64::from(n - i) / f64::from(i + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_close;
    use super::*;

    #[test]
    fn fork_and_join() {
        assert_close(fork_join_response(0.5), 2.875);
        assert_close(fork_join_response(0.8), 7.0);
        // Without load: the larger of two exponential times.
        assert_close(fork_join_response(0.0), 1.5);
    }

    #[test]
    fn redundancy() {
        assert_close(redundant_response(3, 2, 0.5), 0.888_888_9);
        assert_close(redundant_response(10, 2, 0.8), 1.410_074);
        // One server k times as fast; and no redundancy at all.
        assert_close(redundant_response(5, 5, 0.8), 1.0);
        assert_close(redundant_response(4, 1, 0.5), 2.0);
    }

    #[test]
    fn hedging() {
        assert_close(hedged_response(1.0), 0.816_060_3);
        assert_close(hedged_extra(1.0), 0.367_879_4);
        for (q, value) in [(0.9, 1.651_292_5), (0.99, 2.802_585), (0.999, 3.953_878)] {
            assert_close(hedged_quantile(q, 1.0), value);
        }
        // The mean is the area under the tail.
        let steps = 200_000;
        let area: f64 = (0..steps)
            .map(|i| hedged_quantile((f64::from(i) + 0.5) / f64::from(steps), 0.7))
            .sum();
        assert!((area / f64::from(steps) - hedged_response(0.7)).abs() < 1e-4);
    }
}
