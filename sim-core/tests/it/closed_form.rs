//! Closed forms that the theory tests compare with, in units of one mean time of service.

/// Probability that all `c` places of a loss system are taken at offered load `a` (Erlang B, by
/// the recursion in Kleinrock, "Queueing Systems", 1975, volume 1, section 3.6).
pub(crate) fn erlang_b(c: u32, a: f64) -> f64 {
    (1..=c).fold(1.0, |b, k| a * b / (f64::from(k) + a * b))
}

/// Probability of waiting in M/M/c at load `rho` per server (Erlang C, ibid., section 3.5).
pub(crate) fn erlang_c(c: u32, rho: f64) -> f64 {
    let b = erlang_b(c, f64::from(c) * rho);
    b / (1.0 - rho * (1.0 - b))
}

/// Mean wait in M/M/c.
pub(crate) fn mmc_wait(c: u32, rho: f64) -> f64 {
    erlang_c(c, rho) / (f64::from(c) * (1.0 - rho))
}

/// The `q`-quantile of the response time of M/M/1: it is exponential with rate 1 − rho.
pub(crate) fn mm1_quantile(q: f64, rho: f64) -> f64 {
    -libm::log(1.0 - q) / (1.0 - rho)
}

/// Mean wait in M/G/1 with squared coefficient of variation `cv2` (Pollaczek and Khinchine,
/// ibid., section 5.6).
pub(crate) fn mg1_wait(rho: f64, cv2: f64) -> f64 {
    rho * (1.0 + cv2) / (2.0 * (1.0 - rho))
}

/// Steady state of M/M/c/K, `k` places in all: share lost, and mean number in the system
/// (ibid., section 3.6: a birth-death chain).
pub(crate) fn mmck(lam: f64, c: u32, k: u32) -> (f64, f64) {
    birth_death(k, |_| lam, |n| f64::from(n.min(c)))
}

/// Machine repair M/M/c//N: `n` users who think for `z` on average. Throughput and response time
/// (ibid., section 3.8).
pub(crate) fn machine_repair(n: u32, z: f64, c: u32) -> (f64, f64) {
    let (_, mean) = birth_death(n, |i| f64::from(n - i) / z, |i| f64::from(i.min(c)));
    let throughput = (f64::from(n) - mean) / z;
    (throughput, mean / throughput)
}

/// Probability of the last state and mean of a birth-death chain on 0…k.
fn birth_death(k: u32, birth: impl Fn(u32) -> f64, death: impl Fn(u32) -> f64) -> (f64, f64) {
    let mut weights = vec![1.0];
    for n in 1..=k {
        weights.push(weights[n as usize - 1] * birth(n - 1) / death(n));
    }
    let total: f64 = weights.iter().sum();
    let mean: f64 = weights.iter().enumerate().map(|(n, w)| n as f64 * w).sum();
    (weights[k as usize] / total, mean / total)
}

/// Probability of waiting in `E_k`/M/1: what round robin makes of a Poisson stream at each of `k`
/// servers (ibid., section 6.4). The response time is exponential with rate 1 − sigma.
pub(crate) fn round_robin_sigma(k: u32, rho: f64) -> f64 {
    let rate = f64::from(k) * rho;
    let mut sigma = rho;
    for _ in 0..10_000 {
        sigma = (rate / (rate + 1.0 - sigma)).powi(k.cast_signed());
    }
    sigma
}

/// Mean time until a server of rate 1, empty at first, holds `k` requests that come at rate `lam`:
/// first passage of a birth-death chain.
pub(crate) fn first_passage(lam: f64, k: u32) -> f64 {
    let mut step = 1.0 / lam;
    let mut total = step;
    for _ in 1..k {
        step = 1.0 / lam + step / lam;
        total += step;
    }
    total
}

/// Mean waits of two classes of exponential demand with mean 1, the first served first, work in
/// progress not interrupted (Cobham 1954; Kleinrock, volume 2, section 3.4).
pub(crate) fn priority_waits(first: f64, second: f64) -> (f64, f64) {
    let residual = first + second;
    (
        residual / (1.0 - first),
        residual / ((1.0 - first) * (1.0 - first - second)),
    )
}

#[test]
fn closed_forms_give_tabulated_values() {
    let cases = [
        (erlang_b(10, 8.0), 0.1216611),
        (erlang_b(100, 90.0), 0.02695738),
        (erlang_c(5, 0.5), 0.1303713),
        (mmc_wait(10, 0.8), 0.2045901),
        (mm1_quantile(0.99, 0.8), 23.02585),
        (mg1_wait(0.8, 4.0), 10.0),
        (mmck(0.9, 1, 10).0, 0.05081373),
        (mmck(9.5, 10, 15).1, 10.03585),
        (machine_repair(20, 10.0, 2).0, 1.654791),
        (machine_repair(20, 10.0, 2).1, 2.086122),
        (round_robin_sigma(2, 0.8), 0.7398529),
        (round_robin_sigma(5, 0.8), 0.682767),
        (first_passage(0.8, 10), 157.8306),
        (first_passage(1.5, 100), 196.0),
        (priority_waits(0.3, 0.5).1, 5.714286),
    ];
    for (value, table) in cases {
        assert!((value / table - 1.0).abs() < 1e-6, "{value} for {table}");
    }
}
