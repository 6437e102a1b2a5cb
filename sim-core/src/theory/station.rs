//! One server: M/M/1, M/G/1, M/D/1 and the order of service.
//!
//! Times are in units of the mean service time, `rho` is the load, above zero and below one.

/// Mean number in M/M/1 (Kleinrock, *Queueing Systems*, volume 1, 1975, section 3.2).
pub fn mm1_number(rho: f64) -> f64 {
    rho / (1.0 - rho)
}

/// Mean number waiting in M/M/1.
pub fn mm1_queue(rho: f64) -> f64 {
    rho * rho / (1.0 - rho)
}

/// Mean response time of M/M/1, and of M/G/1 under processor sharing whatever the law of demand
/// (Kleinrock, volume 2, 1976, section 4.4).
pub fn mm1_response(rho: f64) -> f64 {
    1.0 / (1.0 - rho)
}

/// Mean wait in M/M/1.
pub fn mm1_wait(rho: f64) -> f64 {
    rho / (1.0 - rho)
}

/// The `q`-quantile of the response time of M/M/1, which is exponential with rate 1 − rho
/// (Kleinrock, volume 1, section 5.12).
pub fn mm1_quantile(q: f64, rho: f64) -> f64 {
    -libm::log1p(-q) / (1.0 - rho)
}

/// The `q`-quantile of the wait in M/M/1: P(W > t) = rho·e^(−(1−rho)t).
pub fn mm1_wait_quantile(q: f64, rho: f64) -> f64 {
    (libm::log(rho / (1.0 - q)) / (1.0 - rho)).max(0.0)
}

/// Probability that M/M/1 holds `k` requests or more.
pub fn mm1_at_least(k: f64, rho: f64) -> f64 {
    libm::pow(rho, k)
}

/// Mean wait in M/G/1 served in order of arrival, with squared coefficient of variation `cv2` of
/// the demand (Pollaczek and Khinchine; Kleinrock, volume 1, section 5.6).
pub fn mg1_wait(rho: f64, cv2: f64) -> f64 {
    rho * (1.0 + cv2) / (2.0 * (1.0 - rho))
}

/// Standard deviation of the wait in M/G/1 from the second and third moments of the demand, whose
/// mean is 1 (Kleinrock, volume 1, section 5.7).
pub fn mg1_wait_deviation(rho: f64, second: f64, third: f64) -> f64 {
    let mean = rho * second / (2.0 * (1.0 - rho));
    (mean * mean + rho * third / (3.0 * (1.0 - rho))).sqrt()
}

/// P(W ≤ t) in M/D/1 (Erlang 1909; Tijms, *A First Course in Stochastic Models*, 2003, section
/// 9.6), as an alternating sum for short times and by its exponential tail for long ones, where the
/// sum would lose its digits.
pub fn md1_wait_below(t: f64, rho: f64) -> f64 {
    if t < 0.0 {
        return 0.0;
    }
    if t > 12.0 {
        return 1.0 - md1_tail(t, rho);
    }
    let mut sum = 0.0;
    let mut k = 0.0;
    while k <= t {
        let x = rho * (k - t);
        sum += libm::pow(x, k) / libm::tgamma(k + 1.0) * libm::exp(-x);
        k += 1.0;
    }
    (1.0 - rho) * sum
}

/// P(W > t) ~ (1 − rho)/(rho·z − 1)·e^(−rho(z−1)t) with z > 1 the root of z·e^(−rho(z−1)) = 1
/// (Tijms, section 9.6: the error falls exponentially with t).
fn md1_tail(t: f64, rho: f64) -> f64 {
    // z·e^(−rho(z−1)) has its maximum at 1/rho; the root lies beyond.
    let (mut low, mut high) = (1.0 / rho, 1.0 / rho);
    while high * libm::exp(-rho * (high - 1.0)) > 1.0 {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle * libm::exp(-rho * (middle - 1.0)) > 1.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    (1.0 - rho) / (rho * low - 1.0) * libm::exp(-rho * (low - 1.0) * t)
}

/// The `q`-quantile of the wait in M/D/1.
pub fn md1_wait_quantile(q: f64, rho: f64) -> f64 {
    if md1_wait_below(0.0, rho) >= q {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    while md1_wait_below(high, rho) < q {
        high *= 2.0;
    }
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if md1_wait_below(middle, rho) < q {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// Variance of the response time of M/M/1 served in order of arrival.
pub fn fifo_variance(rho: f64) -> f64 {
    let slack = 1.0 - rho;
    1.0 / (slack * slack)
}

/// Second moment of the wait in M/M/1 served in order of arrival.
fn fifo_wait_square(rho: f64) -> f64 {
    2.0 * rho / ((1.0 - rho) * (1.0 - rho))
}

fn variance(wait_square: f64, rho: f64) -> f64 {
    let wait = mm1_wait(rho);
    wait_square - wait * wait + 1.0
}

/// Variance of the response time of M/M/1 served in random order: the mean square of the wait is
/// 2/(2 − rho) times that of order of arrival (Kingman, Proc. Cambridge Phil. Soc. 58, 1962).
pub fn random_order_variance(rho: f64) -> f64 {
    variance(2.0 / (2.0 - rho) * fifo_wait_square(rho), rho)
}

/// Variance of the response time of M/M/1 served last come, first served without interruption:
/// the mean square of the wait is 1/(1 − rho) times that of order of arrival (Vaulot 1954; Cohen,
/// *The Single Server Queue*, 1982, section III.3).
pub fn lifo_variance(rho: f64) -> f64 {
    variance(fifo_wait_square(rho) / (1.0 - rho), rho)
}

/// Variance of the response time of M/M/1 where a newcomer interrupts: a response time is a busy
/// period (Kleinrock, volume 1, section 5.8).
pub fn lifo_preemptive_variance(rho: f64) -> f64 {
    let slack = 1.0 - rho;
    (1.0 + rho) / (slack * slack * slack)
}

/// Variance of the response time of M/M/1 under processor sharing (Coffman, Muntz and Trotter,
/// J. ACM 17(1), 1970).
pub fn sharing_variance(rho: f64) -> f64 {
    (2.0 + rho) / ((2.0 - rho) * (1.0 - rho) * (1.0 - rho))
}

/// Mean response time of M/M/1 under shortest remaining time first: the integral of Schrage and
/// Miller (Operations Research 14(4), 1966) over the size x of a request,
/// rho·m₂(x)/(2(1 − rho(x))²) + ∫₀ˣ dt/(1 − rho(t)), where rho(x) is the load of what is shorter
/// than x and m₂(x) the second moment of the demand cut off at x.
pub fn shortest_remaining_response(rho: f64) -> f64 {
    const STEPS: u32 = 200_000;
    const LONGEST: f64 = 60.0;
    let h = LONGEST / f64::from(STEPS);
    let load = |x: f64| rho * (1.0 - (1.0 + x) * libm::exp(-x));
    let (mut total, mut residence, mut before) = (0.0, 0.0, 0.0);
    for i in 0..=STEPS {
        let x = f64::from(i) * h;
        let inverse = 1.0 / (1.0 - load(x));
        if i > 0 {
            residence += 0.5 * h * (before + inverse);
        }
        before = inverse;
        // ∫₀ˣ t²e^(−t)dt + x²e^(−x) = 2(1 − (1 + x)e^(−x)).
        let cut = 2.0 * (1.0 - (1.0 + x) * libm::exp(-x));
        let time = 0.5 * rho * cut * inverse * inverse + residence;
        let weight = if i == 0 || i == STEPS { 0.5 } else { 1.0 };
        total += weight * h * time * libm::exp(-x);
    }
    total
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_close;
    use super::*;

    #[test]
    fn mm1_is_as_tabulated() {
        assert_close(mm1_quantile(0.99, 0.8), 23.02585);
        assert_close(mm1_quantile(0.999, 0.95), 138.1551);
        assert_close(mm1_wait_quantile(0.99, 0.8), 21.91013);
        assert_close(mm1_at_least(10.0, 0.9), 0.3486784);
        assert_close(mm1_queue(0.9), 8.1);
    }

    #[test]
    fn md1_is_as_tabulated() {
        assert_close(md1_wait_below(2.0, 0.8), 0.6345199);
        assert_close(md1_wait_below(10.0, 0.9), 0.882403);
        assert_close(md1_wait_below(5.0, 0.5), 0.9987643);
        assert_close(md1_wait_quantile(0.5, 0.8), 1.27594);
        assert_close(md1_wait_quantile(0.99, 0.8), 10.35589);
        assert_close(md1_wait_quantile(0.99, 0.9), 21.89824);
        // Both ways agree where both hold.
        assert!((1.0 - md1_tail(11.9, 0.8) - md1_wait_below(11.9, 0.8)).abs() < 1e-8);
    }

    #[test]
    fn general_demand_is_as_tabulated() {
        assert_close(mg1_wait(0.8, 4.0), 10.0);
        assert_close(mg1_wait_deviation(0.8, 5.0, 60.0), 13.41641);
        assert_close(mg1_wait_deviation(0.5, 5.0, 125.0), 6.922187);
    }

    #[test]
    fn variances_are_as_tabulated() {
        assert_close(random_order_variance(0.8), 51.66667);
        assert_close(sharing_variance(0.8), 58.33333);
        assert_close(lifo_variance(0.8), 185.0);
        assert_close(lifo_preemptive_variance(0.5), 12.0);
        assert_close(fifo_variance(0.8), 25.0);
    }

    #[test]
    fn shortest_remaining_is_as_tabulated() {
        assert_close(shortest_remaining_response(0.5), 1.425373);
        assert_close(shortest_remaining_response(0.8), 2.352773);
        assert_close(shortest_remaining_response(0.9), 3.552125);
    }
}
