//! Birth-death chains: several servers, bounded rooms, impatience, loss, finite populations.
//!
//! Times are in units of the mean service time unless a rate is given.

/// Steady state of a birth-death chain on 0…k from its rates.
fn steady_state(k: usize, birth: impl Fn(usize) -> f64, death: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut weights = vec![1.0];
    for n in 1..=k {
        let weight = weights[n - 1] * birth(n - 1) / death(n);
        weights.push(weight);
        if weight > 1e200 {
            // Only ratios matter.
            for weight in &mut weights {
                *weight *= 1e-200;
            }
        }
    }
    let total: f64 = weights.iter().sum();
    for weight in &mut weights {
        *weight /= total;
    }
    weights
}

fn mean(state: &[f64]) -> f64 {
    state.iter().enumerate().map(|(n, p)| n as f64 * p).sum()
}

/// Erlang's B: probability that all `c` places of a loss system are taken at offered load `a`,
/// whatever the law of the demand (Kleinrock, *Queueing Systems*, volume 1, 1975, section 3.6).
pub fn erlang_b(c: u32, a: f64) -> f64 {
    (1..=c).fold(1.0, |b, k| a * b / (f64::from(k) + a * b))
}

/// Erlang's C: probability of waiting in M/M/c at load `rho` per worker (ibid., section 3.5).
pub fn erlang_c(c: u32, rho: f64) -> f64 {
    let b = erlang_b(c, f64::from(c) * rho);
    b / (1.0 - rho * (1.0 - b))
}

/// Mean wait in M/M/c.
pub fn mmc_wait(c: u32, rho: f64) -> f64 {
    erlang_c(c, rho) / (f64::from(c) * (1.0 - rho))
}

/// Mean number waiting in M/M/c.
pub fn mmc_queue(c: u32, rho: f64) -> f64 {
    erlang_c(c, rho) * rho / (1.0 - rho)
}

/// The `q`-quantile of the wait in M/M/c: P(W > t) = C·e^(−c(1−rho)t).
pub fn mmc_wait_quantile(q: f64, c: u32, rho: f64) -> f64 {
    (libm::log(erlang_c(c, rho) / (1.0 - q)) / (f64::from(c) * (1.0 - rho))).max(0.0)
}

/// The `q`-quantile of the response time of M/M/c: the sum of a wait and an exponential service.
pub fn mmc_quantile(q: f64, c: u32, rho: f64) -> f64 {
    let (waits, drain) = (erlang_c(c, rho), f64::from(c) * (1.0 - rho));
    let beyond = |t: f64| {
        let service = libm::exp(-t);
        let after_wait = if (drain - 1.0).abs() < 1e-7 {
            service * (1.0 + t)
        } else {
            (drain * service - libm::exp(-drain * t)) / (drain - 1.0)
        };
        (1.0 - waits) * service + waits * after_wait
    };
    let (mut low, mut high) = (0.0, 1.0);
    while beyond(high) > 1.0 - q {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if beyond(middle) > 1.0 - q {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// Steady state of M/M/c with room for `k` requests in all.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bounded {
    /// Share turned away.
    pub loss: f64,
    /// Mean number present.
    pub number: f64,
    /// Served per unit of time.
    pub throughput: f64,
    /// Mean response time of those let in.
    pub response: f64,
}

/// M/M/c/K with arrival rate `lam` (Kleinrock, volume 1, section 3.6).
pub fn mmck(lam: f64, c: u32, k: u32) -> Bounded {
    let state = steady_state(k as usize, |_| lam, |n| n.min(c as usize) as f64);
    let (loss, number) = (state[k as usize], mean(&state));
    let throughput = lam * (1.0 - loss);
    Bounded {
        loss,
        number,
        throughput,
        response: number / throughput,
    }
}

/// Steady state of a queue whose waiting requests leave.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Impatient {
    /// Probability of waiting.
    pub waits: f64,
    /// Mean number waiting.
    pub queue: f64,
    /// Mean time in the queue, of all requests, served or not.
    pub wait: f64,
    /// Share that leaves unserved.
    pub abandons: f64,
    /// Served per unit of time.
    pub throughput: f64,
    /// Mean number present.
    pub number: f64,
}

/// Erlang-A, M/M/c+M: waiting requests leave after exponential patience of rate `theta` (Palm 1957;
/// Garnett, Mandelbaum and Reiman, M&SOM 4(3), 2002).
pub fn erlang_a(lam: f64, c: u32, theta: f64) -> Impatient {
    let servers = c as usize;
    // Beyond twice the point where leaving outpaces arrivals nothing is left to count.
    let levels = servers + (4.0 * lam / theta) as usize + 200;
    let death = |n: usize| n.min(servers) as f64 + theta * n.saturating_sub(servers) as f64;
    let state = steady_state(levels, |_| lam, death);
    let queue: f64 = state
        .iter()
        .enumerate()
        .skip(servers)
        .map(|(n, p)| (n - servers) as f64 * p)
        .sum();
    let abandons = theta * queue / lam;
    Impatient {
        waits: state[servers..].iter().sum(),
        queue,
        wait: queue / lam,
        abandons,
        throughput: lam * (1.0 - abandons),
        number: mean(&state),
    }
}

/// A closed system: requests answered per unit of time, and their mean response time.
#[derive(Clone, PartialEq, Debug)]
pub struct Closed {
    /// Answered per unit of time.
    pub throughput: f64,
    /// Mean response time.
    pub response: f64,
    /// Mean number at each station.
    pub numbers: Vec<f64>,
}

/// Machine repair M/M/c//N: `n` users who think for `z` on average, `c` workers whose mean service
/// time is `s` (Kleinrock, volume 1, section 3.8).
pub fn machine_repair(n: u32, z: f64, s: f64, c: u32) -> Closed {
    let birth = |i: usize| (n as usize - i) as f64 / z;
    let death = |i: usize| i.min(c as usize) as f64 / s;
    let number = mean(&steady_state(n as usize, birth, death));
    let throughput = (f64::from(n) - number) / z;
    Closed {
        throughput,
        response: number / throughput,
        numbers: vec![number],
    }
}

/// Exact mean value analysis: `n` users who think for `z`, and stations of one worker each at which
/// a request spends `demands` in service (Reiser and Lavenberg, J. ACM 27(2), 1980).
pub fn mean_values(n: u32, z: f64, demands: &[f64]) -> Closed {
    let mut numbers = vec![0.0; demands.len()];
    let (mut throughput, mut response) = (0.0, 0.0);
    for users in 1..=n {
        let times: Vec<f64> = demands
            .iter()
            .zip(&numbers)
            .map(|(demand, number)| demand * (1.0 + number))
            .collect();
        response = times.iter().sum();
        throughput = f64::from(users) / (z + response);
        for (number, time) in numbers.iter_mut().zip(times) {
            *number = throughput * time;
        }
    }
    Closed {
        throughput,
        response,
        numbers,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_close;
    use super::*;

    #[test]
    fn several_workers_are_as_tabulated() {
        assert_close(erlang_c(100, 0.95), 0.5064569);
        assert_close(erlang_c(5, 0.5), 0.1303713);
        assert_close(mmc_wait(10, 0.8), 0.2045901);
        assert_close(mmc_queue(5, 0.9), 6.862439);
        assert_close(mmc_quantile(0.99, 10, 0.9), 6.249877);
        assert_close(mmc_quantile(0.5, 2, 0.5), 0.9744116);
        assert_close(mmc_quantile(0.9, 5, 0.8), 3.35261);
        assert_close(mmc_wait_quantile(0.99, 100, 0.95), 0.7849708);
    }

    #[test]
    fn losses_are_as_tabulated() {
        assert_close(erlang_b(10, 8.0), 0.1216611);
        assert_close(erlang_b(100, 90.0), 0.02695738);
        let bounded = mmck(9.5, 10, 15);
        assert_close(bounded.loss, 0.08125056);
        assert_close(bounded.throughput, 8.72812);
        assert_close(bounded.number, 10.03585);
        assert_close(bounded.response, 1.14983);
        assert_close(mmck(1.5, 1, 10).response, 8.176476);
    }

    #[test]
    fn impatience_is_as_tabulated() {
        let tabulated = [
            ((0.8, 1, 0.5), 0.5952474, 0.4095051, 0.2559407, 1.004753),
            ((9.0, 10, 1.0), 0.4125918, 0.773209, 0.08591211, 9.0),
            ((12.0, 10, 0.1), 0.9840747, 20.37028, 0.1697523, 30.33325),
            ((95.0, 100, 1.0), 0.3173568, 1.91574, 0.02016568, 95.0),
        ];
        for ((lam, c, theta), waits, queue, abandons, number) in tabulated {
            let state = erlang_a(lam, c, theta);
            assert_close(state.waits, waits);
            assert_close(state.queue, queue);
            assert_close(state.abandons, abandons);
            assert_close(state.number, number);
        }
    }

    #[test]
    fn closed_systems_are_as_tabulated() {
        let repair = machine_repair(100, 30.0, 1.0, 4);
        assert_close(repair.throughput, 3.169006);
        assert_close(repair.response, 1.555636);
        let tiers = mean_values(20, 5.0, &[1.0, 0.5, 0.25]);
        assert_close(tiers.throughput, 0.9998946);
        assert_close(tiers.response, 15.00211);
        assert_close(tiers.numbers[0], 13.66833);
        // One station is machine repair.
        let one = mean_values(10, 10.0, &[1.0]);
        assert_close(one.throughput, machine_repair(10, 10.0, 1.0, 1).throughput);
    }
}
