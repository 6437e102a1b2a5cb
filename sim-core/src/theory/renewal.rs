//! GI/M/1: arrivals whose gaps are independent but not exponential.

/// The root in (0, 1) of sigma = A(1 − sigma), where A is the Laplace transform of the law of gaps
/// between arrivals (Kleinrock, *Queueing Systems*, volume 1, 1975, section 6.4): the probability of
/// waiting in GI/M/1, whose response time is exponential with rate 1 − sigma. Service has mean 1.
pub fn waiting_probability(transform: impl Fn(f64) -> f64) -> f64 {
    // A(1 − s) − s is convex, positive at 0 and zero at 1: the other root is found by bisection of
    // its sign on the way there.
    let (mut low, mut high) = (0.0, 1.0 - 1e-12);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if transform(1.0 - middle) > middle {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// Round robin of a Poisson stream over `k` servers, each at load `rho`: every server sees gaps of
/// k exponential stages.
pub fn round_robin_waiting(k: u32, rho: f64) -> f64 {
    let rate = f64::from(k) * rho;
    waiting_probability(|s| libm::pow(rate / (rate + s), f64::from(k)))
}

/// Evenly spaced arrivals at load `rho`: D/M/1.
pub fn even_waiting(rho: f64) -> f64 {
    waiting_probability(|s| libm::exp(-s / rho))
}

/// Hyperexponential gaps of balanced means with squared coefficient of variation `cv2`.
pub fn hyperexponential_waiting(rho: f64, cv2: f64) -> f64 {
    let p = 0.5 * (1.0 + ((cv2 - 1.0) / (cv2 + 1.0)).sqrt());
    let (fast, slow) = (2.0 * p * rho, 2.0 * (1.0 - p) * rho);
    waiting_probability(|s| p * fast / (fast + s) + (1.0 - p) * slow / (slow + s))
}

/// Mean response time of GI/M/1.
pub fn response(sigma: f64) -> f64 {
    1.0 / (1.0 - sigma)
}

/// The `q`-quantile of the response time of GI/M/1.
pub fn quantile(q: f64, sigma: f64) -> f64 {
    -libm::log1p(-q) / (1.0 - sigma)
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_close;
    use super::*;

    #[test]
    fn tabulated_values_come_out() {
        assert_close(round_robin_waiting(2, 0.8), 0.7398529);
        assert_close(round_robin_waiting(5, 0.95), 0.9176111);
        assert_close(response(round_robin_waiting(100, 0.8)), 2.71566);
        assert_close(quantile(0.99, round_robin_waiting(5, 0.8)), 14.51668);
        assert_close(even_waiting(0.9), 0.8068998);
        assert_close(response(even_waiting(0.5)), 1.255001);
        assert_close(hyperexponential_waiting(0.8, 4.0), 0.9075717);
        assert_close(response(hyperexponential_waiting(0.5, 4.0)), 3.162278);
    }
}
