//! Systems on the way: transients, rates that vary, first passages, crashes and restarts.
//!
//! Times are in units of the mean service time.

/// State probabilities after time `t` of a chain that is in its first state at first and moves at `rate`:
/// uniformisation (Jensen 1953). `step` makes of the probabilities before a move those after it; moves less likely
/// than `least` are left out.
fn after(
    states: usize,
    (rate, t): (f64, f64),
    least: f64,
    step: impl Fn(&[f64], &mut [f64]),
) -> Vec<f64> {
    // Each chunk is so short that its Poisson weights do not underflow.
    let chunks = (t * rate / 50.0).ceil().max(1.0);
    let mean = t / chunks * rate;
    let mut state = vec![0.0; states];
    state[0] = 1.0;
    for _ in 0..chunks as u64 {
        let mut power = state.clone();
        let mut weight = libm::exp(-mean);
        let mut result: Vec<f64> = power.iter().map(|p| p * weight).collect();
        let mut n = 0.0;
        while n < mean || weight > least {
            n += 1.0;
            weight *= mean / n;
            let before = power.clone();
            step(&before, &mut power);
            for (r, p) in result.iter_mut().zip(&power) {
                *r += weight * p;
            }
        }
        state = result;
    }
    state
}

/// A move of M/M/1: a request comes or goes, or, where there is none, nothing happens.
fn come_or_go(lam: f64, before: &[f64], state: &mut [f64]) {
    for (i, p) in state.iter_mut().enumerate() {
        let below = match i {
            0 => before[0],
            _ => lam * before[i - 1],
        };
        let above = before.get(i + 1).copied().unwrap_or(0.0);
        *p = (below + above) / (1.0 + lam);
    }
}

/// State probabilities of M/M/1, empty at first, after time `t`.
fn transient(lam: f64, t: f64) -> Vec<f64> {
    let levels = (lam * t + 12.0 * (lam * t).sqrt() + 80.0) as usize;
    after(levels + 1, (1.0 + lam, t), 1e-18, |before, state| {
        come_or_go(lam, before, state);
    })
}

/// Mean number in M/M/1 a time `t` after it was empty (Kleinrock, *Queueing Systems*, volume 1,
/// 1975, section 2.12 has the closed form with Bessel functions).
pub fn mm1_number_at(lam: f64, t: f64) -> f64 {
    let state = transient(lam, t);
    state.iter().enumerate().map(|(n, p)| n as f64 * p).sum()
}

/// Probability that M/M/1 is empty a time `t` after it was.
pub fn mm1_empty_at(lam: f64, t: f64) -> f64 {
    transient(lam, t)[0]
}

/// Mean number at time `t` in M/M/∞ with the rate mean·(1 + amplitude·sin(2πt/period)), long after
/// the start; the number is Poisson (Eick, Massey and Whitt, Management Science 39(2), 1993).
pub fn wave_number(mean: f64, amplitude: f64, period: f64, t: f64) -> f64 {
    let g = std::f64::consts::TAU / period;
    let swing = (libm::sin(g * t) - g * libm::cos(g * t)) / (1.0 + g * g);
    mean * (1.0 + amplitude * swing)
}

/// Mean time until M/M/1, empty at first, holds `k` requests (Karlin and Taylor, *A First Course in
/// Stochastic Processes*, 1975, section 4.7).
pub fn first_passage(lam: f64, k: u32) -> f64 {
    let mut step = 1.0 / lam;
    let mut total = step;
    for _ in 1..k {
        step = (1.0 + step) / lam;
        total += step;
    }
    total
}

/// Probability that M/M/1 holds `k` requests before it is empty again, once the first has come: the gambler's
/// ruin (Feller, *An Introduction to Probability Theory and Its Applications*, volume 1, 1968, section XIV.2).
pub fn level_before_empty(lam: f64, k: u32) -> f64 {
    // (1/λ − 1) / (1/λᵏ − 1), as a sum that a load of one leaves alone.
    let ratio = 1.0 / lam;
    let sum = (0..k).fold((0.0, 1.0), |(sum, power), _| (sum + power, power * ratio));
    1.0 / sum.0
}

/// Probability that M/M/1, empty at first, holds `k` requests at some moment until `t`: the chain that stays where
/// it first does.
pub fn level_within(lam: f64, k: u32, t: f64) -> f64 {
    let k = k as usize;
    if k == 0 {
        return 1.0;
    }
    let state = after(k + 1, (1.0 + lam, t), 1e-25, |before, state| {
        // Nothing comes back from the last.
        let [rest @ .., last] = state else { return };
        come_or_go(lam, &before[..k], rest);
        *last = before[k] + lam * before[k - 1] / (1.0 + lam);
    });
    state[k]
}

/// A server that crashes at its `k`-th request, loses all of them, and is back, empty, after `down`:
/// a renewal process whose cycle is a first passage and the pause (Cox, *Renewal Theory*, 1962).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Crashing {
    /// Share of time it is up.
    pub availability: f64,
    /// Crashes per unit of time.
    pub crash_rate: f64,
    /// Served per unit of time.
    pub throughput: f64,
    /// Share of requests lost, in crashes or at servers that are down.
    pub loss: f64,
}

/// The steady state of such a server at arrival rate `lam`.
pub fn crashing(lam: f64, k: u32, down: f64) -> Crashing {
    let up = first_passage(lam, k);
    let cycle = up + down;
    Crashing {
        availability: up / cycle,
        crash_rate: 1.0 / cycle,
        throughput: (lam * up - f64::from(k)) / cycle,
        loss: (f64::from(k) + lam * down) / (lam * cycle),
    }
}

/// Two servers that crash at their `k`-th request, each back, empty, after an exponential pause
/// of mean `down`; requests go to servers that are up, at random or to the shortest queue, and are
/// rejected when none is. Availability of a server, share of time with none up, crashes per unit of
/// time, throughput and share lost, from the Markov chain on both servers' states, relaxed by Gauss
/// and Seidel.
pub fn crashing_pair(lam: f64, k: u32, down: f64, shortest: bool) -> (Crashing, f64) {
    let n = k as usize + 1;
    let (off, back) = (k as usize, 1.0 / down);
    // Rates out of a state, with where they lead; state `off` stands for down.
    let moves = |a: usize, b: usize| {
        let mut list: Vec<(f64, usize, usize)> = Vec::with_capacity(6);
        let (up_a, up_b) = (a != off, b != off);
        let share_a = match (up_a, up_b) {
            (true, true) if shortest && a != b => f64::from(u8::from(a < b)),
            (true, true) => 0.5,
            (true, false) => 1.0,
            _ => 0.0,
        };
        if up_a {
            list.push((lam * share_a, a + 1, b));
            if a > 0 {
                list.push((1.0, a - 1, b));
            }
        } else {
            list.push((back, 0, b));
        }
        if up_b {
            list.push((lam * (1.0 - share_a), a, b + 1));
            if b > 0 {
                list.push((1.0, a, b - 1));
            }
        } else {
            list.push((back, a, 0));
        }
        list
    };
    let mut into: Vec<Vec<(f64, usize)>> = vec![Vec::new(); n * n];
    let mut out = vec![0.0; n * n];
    for a in 0..n {
        for b in 0..n {
            for (rate, to_a, to_b) in moves(a, b) {
                into[to_a * n + to_b].push((rate, a * n + b));
                out[a * n + b] += rate;
            }
        }
    }
    let state = relax(&into, &out);
    let sum = |of: &dyn Fn(usize, usize) -> f64| -> f64 {
        (0..n * n).map(|i| state[i] * of(i / n, i % n)).sum()
    };
    let up = |x: usize| f64::from(u8::from(x != off));
    let busy = |x: usize| f64::from(u8::from(x != off && x > 0));
    let all_down = sum(&|a, b| (1.0 - up(a)) * (1.0 - up(b)));
    let throughput = sum(&|a, b| busy(a) + busy(b));
    let availability = 0.5 * sum(&|a, b| up(a) + up(b));
    // Each crash is followed by one restart.
    let crash_rate = 2.0 * (1.0 - availability) * back;
    let figures = Crashing {
        availability,
        crash_rate,
        throughput,
        loss: 1.0 - throughput / lam,
    };
    (figures, all_down)
}

/// Steady state of a chain from the rates into each state and out of it.
pub(super) fn relax(into: &[Vec<(f64, usize)>], out: &[f64]) -> Vec<f64> {
    let mut state = vec![1.0 / out.len() as f64; out.len()];
    for round in 0..200_000 {
        let mut change = 0.0_f64;
        for i in 0..state.len() {
            let flow: f64 = into[i].iter().map(|&(rate, from)| rate * state[from]).sum();
            let new = flow / out[i];
            change = change.max((new - state[i]).abs());
            state[i] = new;
        }
        if round % 16 == 0 {
            let total: f64 = state.iter().sum();
            for p in &mut state {
                *p /= total;
            }
            if change < 1e-13 {
                break;
            }
        }
    }
    let total: f64 = state.iter().sum();
    for p in &mut state {
        *p /= total;
    }
    state
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_close;
    use super::*;

    #[test]
    fn transients_are_as_tabulated() {
        assert_close(mm1_number_at(0.5, 1.0), 0.3347447);
        assert_close(mm1_number_at(0.8, 20.0), 2.647635);
        assert_close(mm1_number_at(0.8, 100.0), 3.791873);
        assert_close(mm1_empty_at(0.5, 5.0), 0.5491661);
        assert_close(mm1_empty_at(0.8, 50.0), 0.2141179);
    }

    #[test]
    fn waves_are_as_tabulated() {
        let at = |t| wave_number(20.0, 0.5, 20.0, t);
        assert_close(at(0.0), 17.14062);
        assert_close(at(5.0), 29.1017);
        assert_close(at(15.0), 10.8983);
    }

    #[test]
    fn first_passages_and_crashes_are_as_tabulated() {
        assert_close(first_passage(0.8, 10), 157.8306);
        assert_close(first_passage(0.5, 10), 4072.0);
        assert_close(first_passage(1.0, 20), 210.0);
        let cycle = crashing(0.8, 10, 50.0);
        assert_close(cycle.availability, 0.7594195);
        assert_close(cycle.crash_rate, 0.00481161);
        assert_close(cycle.throughput, 0.5594195);
        assert_close(cycle.loss, 0.3007256);
    }

    #[test]
    fn levels_are_reached_as_worked_out_otherwise() {
        // (r − 1)/(rᵏ − 1) for r = 2; equal steps at a load of one.
        assert_close(
            level_before_empty(0.5, 20),
            1.0 / (f64::from(1 << 20) - 1.0),
        );
        assert_close(level_before_empty(1.0, 25), 0.04);
        assert_close(level_before_empty(0.8, 3), 0.25 / (1.25_f64.powi(3) - 1.0));
        // One request: the first arrival. Two: an arrival before the first is done, by its density.
        assert_close(level_within(0.5, 1, 3.0), 1.0 - libm::exp(-1.5));
        let (lam, t) = (0.3_f64, 2.0_f64);
        let two = {
            // From 0 to 1 at λ, from 1 back at 1 and on at λ: the matrix exponential by its two eigenvalues.
            let root = ((1.0 + 2.0 * lam) * (1.0 + 2.0 * lam) - 4.0 * lam * lam).sqrt();
            let (a, b) = (
                (1.0 + 2.0 * lam + root) / 2.0,
                (1.0 + 2.0 * lam - root) / 2.0,
            );
            1.0 - (a * libm::exp(-b * t) - b * libm::exp(-a * t)) / (a - b)
        };
        assert_close(level_within(lam, 2, t), two);
        // Mean time until ten: 4072; long before it, about a share of that.
        let left = |t| libm::log(1.0 - level_within(0.5, 10, t));
        let rate = (left(400.0) - left(800.0)) / 400.0;
        assert!((rate * 4072.0 - 1.0).abs() < 0.02, "{rate}");
    }

    #[test]
    fn a_pair_that_crashes_is_as_tabulated() {
        let (random, none_up) = crashing_pair(1.6, 10, 20.0, false);
        assert_close(random.availability, 0.7809813);
        assert_close(none_up, 0.1231252);
        assert_close(random.crash_rate, 0.02190187);
        assert_close(random.loss, 0.2600119);
        let (shortest, none_up) = crashing_pair(1.6, 10, 20.0, true);
        assert_close(shortest.availability, 0.9567931);
        assert_close(none_up, 0.02878089);
        assert_close(shortest.throughput, 1.510744);
    }
}
