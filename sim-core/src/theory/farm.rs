//! Many servers behind a policy.
//!
//! Demand is exponential with mean 1 and loads are per server.

use super::levels::{Chain, mean_level};
use super::time::relax;

/// Mean response time of the supermarket model, servers without number of which each request
/// samples `d` (Mitzenmacher, IEEE TPDS 12(10), 2001; Vvedenskaya, Dobrushin and Karpelevich,
/// Problems of Information Transmission 32(1), 1996).
pub fn supermarket_response(lam: f64, d: u32) -> f64 {
    if d == 1 {
        return 1.0 / (1.0 - lam);
    }
    let mut total = 0.0;
    let mut i = 1;
    loop {
        // The power is (dⁱ − d)/(d − 1).
        let power = (libm::pow(f64::from(d), f64::from(i)) - f64::from(d)) / f64::from(d - 1);
        let term = libm::pow(lam, power);
        total += term;
        if term < 1e-18 {
            return total;
        }
        i += 1;
    }
}

/// Share of servers with `k` requests or more in the supermarket model.
pub fn supermarket_at_least(k: u32, lam: f64, d: u32) -> f64 {
    let power = if d == 1 {
        f64::from(k)
    } else {
        (libm::pow(f64::from(d), f64::from(k)) - 1.0) / f64::from(d - 1)
    };
    libm::pow(lam, power)
}

/// Mean response time of join-idle-queue with `r` servers for each balancer instance as its paper
/// approximates it, without regard to idle servers that get requests by chance (Lu et al.,
/// Performance Evaluation 68, 2011).
pub fn idle_queue_paper(r: f64, lam: f64) -> f64 {
    let found = r * (1.0 - lam) / (1.0 + r * (1.0 - lam));
    1.0 / (1.0 - lam * (1.0 - found))
}

/// The mean field of join-idle-queue where the entry of a server that is hit by chance is removed.
///
/// With q the chance that an instance's list is not empty, a list of k entries loses one at
/// rate lam·r + k·lam(1 − q). Entries come at the rate which makes its mean length r(1 − lam), as all
/// idle servers are listed, and q is what results. A busy server gets requests by chance
/// only, at rate lam(1 − q).
pub fn idle_queue_removed(r: f64, lam: f64) -> f64 {
    // Mean length and chance of being empty of a list with entries at rate `birth`.
    let list = |birth: f64, hit: f64| {
        let (mut weight, mut total, mut sum, mut k) = (1.0, 1.0, 0.0, 0.0);
        while k < 10_000.0 && (weight > 1e-18 * total || k < 10.0) {
            k += 1.0;
            weight *= birth / (lam * r + k * hit);
            total += weight;
            sum += k * weight;
        }
        (sum / total, 1.0 / total)
    };
    let found = |q: f64| {
        let hit = lam * (1.0 - q);
        let birth = bisect(0.0, 10.0 * lam * r, |birth| {
            list(birth, hit).0 - r * (1.0 - lam)
        });
        1.0 - list(birth, hit).1
    };
    let q = bisect(0.0, 1.0 - 1e-9, |q| q - found(q));
    1.0 / (1.0 - lam * (1.0 - q))
}

/// The mean field of join-idle-queue where such an entry stays and is stale.
///
/// A list is then M/M/1 in order of arrival with load q, so an entry is used at rate lam·r(1 − q);
/// a server is a queue with requests by chance at rate lam(1 − q) and, while it is listed, another one
/// when its entry is used. q is such that it gets lam in all.
pub fn idle_queue_stale(r: f64, lam: f64) -> f64 {
    // Phase 0: listed; phase 1: not. A server that becomes empty is listed.
    let server = |q: f64| {
        let (hit, used) = (lam * (1.0 - q), lam * r * (1.0 - q));
        Chain {
            top: 400,
            phases: 2,
            up: &|_, i, j| match (i, j) {
                (0, 0) | (1, 1) => hit,
                (0, 1) => used,
                _ => 0.0,
            },
            down: &|level, i, j| match (i, j) {
                (1, 0) => f64::from(u8::from(level == 1)),
                (1, 1) => f64::from(u8::from(level > 1)),
                (0, 0) => 1.0,
                _ => 0.0,
            },
            // An empty server that is not listed does not exist; it would be listed at once.
            within: &|level, i, _| if level == 0 && i == 1 { 1.0 } else { 0.0 },
        }
        .steady_state()
    };
    let listed = |q: f64| server(q).iter().map(|phases| phases[0]).sum::<f64>();
    let q = bisect(0.0, 1.0 - 1e-9, |q| q - r * (1.0 - q) * listed(q));
    mean_level(&server(q)) / lam
}

/// The root of an increasing function.
fn bisect(mut low: f64, mut high: f64, of: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if of(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// How a server is chosen in [`sorted_response`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Choose {
    /// The shortest of all, ties at random.
    Shortest,
    /// The shorter of two, which may be the same.
    OfTwoWithReplacement,
    /// The shorter of two different ones.
    OfTwo,
}

/// Mean response time of two or three servers, from the Markov chain on their queue lengths in
/// descending order, cut off at `longest` requests each and relaxed by Gauss and Seidel. Exact but
/// for the cut.
pub fn sorted_response(servers: usize, rho: f64, choose: Choose, longest: usize) -> f64 {
    let lam = rho * servers as f64;
    let states = descending(servers, longest);
    let index = |state: &[usize]| states.binary_search_by(|other| other.as_slice().cmp(state));
    let mut into: Vec<Vec<(f64, usize)>> = vec![Vec::new(); states.len()];
    let mut out = vec![0.0; states.len()];
    for (i, state) in states.iter().enumerate() {
        for place in 0..servers {
            // Position counts from the longest; the last is the shortest. Equal ones are taken as
            // one group, which the change of its first or last member keeps in order.
            let share = share(state, place, choose);
            let mut more = state.clone();
            more[place] += 1;
            more.sort_unstable_by(|a, b| b.cmp(a));
            if share > 0.0
                && let Ok(to) = index(&more)
            {
                into[to].push((lam * share, i));
                out[i] += lam * share;
            }
            if state[place] > 0 {
                let mut fewer = state.clone();
                fewer[place] -= 1;
                fewer.sort_unstable_by(|a, b| b.cmp(a));
                if let Ok(to) = index(&fewer) {
                    into[to].push((1.0, i));
                    out[i] += 1.0;
                }
            }
        }
    }
    let steady = relax(&into, &out);
    let number: f64 = states
        .iter()
        .zip(steady)
        .map(|(state, p)| state.iter().sum::<usize>() as f64 * p)
        .sum();
    number / lam
}

/// Chance that the server at `place` of a descending list gets the next request.
fn share(state: &[usize], place: usize, choose: Choose) -> f64 {
    let n = state.len() as f64;
    let equal = state.iter().filter(|&&x| x == state[place]).count() as f64;
    let longer = state.iter().filter(|&&x| x > state[place]).count() as f64;
    let within_group = 1.0 / equal;
    match choose {
        Choose::Shortest => {
            if state.iter().any(|&x| x < state[place]) {
                0.0
            } else {
                within_group
            }
        }
        Choose::OfTwoWithReplacement => {
            let none_shorter = (longer + equal) / n;
            let all_longer = longer / n;
            (none_shorter * none_shorter - all_longer * all_longer) * within_group
        }
        Choose::OfTwo => {
            let pairs = |x: f64| x * (x - 1.0) / (n * (n - 1.0));
            (pairs(longer + equal) - pairs(longer)) * within_group
        }
    }
}

/// Every descending list of `places` numbers up to `longest`, in lexicographic order.
fn descending(places: usize, longest: usize) -> Vec<Vec<usize>> {
    if places == 0 {
        return vec![Vec::new()];
    }
    let mut lists = Vec::new();
    for first in 0..=longest {
        for rest in descending(places - 1, first) {
            let mut list = vec![first];
            list.extend(rest);
            lists.push(list);
        }
    }
    lists
}

/// Mean response time of independent M/M/1 servers of the given speeds among which requests at
/// rate `lam` are split by these shares.
pub fn split_response(lam: f64, speeds: &[f64], shares: &[f64]) -> f64 {
    speeds
        .iter()
        .zip(shares)
        .map(|(speed, share)| share / (speed - lam * share))
        .sum()
}

/// The shares that make that least (Tantawi and Towsley, J. ACM 32(2), 1985): rates
/// mu − √mu·(Σmu − lam)/Σ√mu over the servers for which this is positive.
pub fn best_split(lam: f64, speeds: &[f64]) -> Vec<f64> {
    let mut used: Vec<bool> = vec![true; speeds.len()];
    loop {
        let over = |of: &dyn Fn(f64) -> f64| -> f64 {
            let used = speeds.iter().zip(&used).filter(|(_, used)| **used);
            used.map(|(speed, _)| of(*speed)).sum()
        };
        let slack = (over(&|mu| mu) - lam) / over(&f64::sqrt);
        let rates: Vec<f64> = speeds
            .iter()
            .zip(&used)
            .map(|(mu, used)| if *used { mu - mu.sqrt() * slack } else { 0.0 })
            .collect();
        if rates.iter().all(|rate| *rate >= 0.0) {
            return rates.iter().map(|rate| rate / lam).collect();
        }
        for (used, rate) in used.iter_mut().zip(&rates) {
            *used &= *rate > 0.0;
        }
    }
}

/// Largest and smallest expected share of a ring with one point for each of `n` nodes, relative to
/// 1/n: the harmonic number and 1/n (Holst, J. Appl. Prob. 17, 1980: spacings of random points).
pub fn ring_shares(n: u32) -> (f64, f64) {
    let harmonic: f64 = (1..=n).map(|i| 1.0 / f64::from(i)).sum();
    (harmonic, 1.0 / f64::from(n))
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_close;
    use super::*;

    #[test]
    fn mean_fields_are_as_tabulated() {
        assert_close(supermarket_response(0.9, 2), 2.614057);
        assert_close(supermarket_response(0.99, 5), 2.901683);
        assert_close(supermarket_response(0.95, 1), 20.0);
        assert_close(supermarket_at_least(5, 0.9, 2), 0.03815204);
        assert_close(idle_queue_paper(10.0, 0.9), 1.818182);
        assert_close(idle_queue_removed(10.0, 0.5), 1.070953);
        assert_close(idle_queue_removed(10.0, 0.95), 2.66728);
        assert_close(idle_queue_stale(10.0, 0.5), 1.12894);
        assert_close(idle_queue_stale(10.0, 0.9), 1.836592);
    }

    #[test]
    fn few_servers_are_as_tabulated() {
        assert_close(sorted_response(2, 0.7, Choose::Shortest, 60), 2.108197);
        assert_close(sorted_response(3, 0.5, Choose::Shortest, 25), 1.244836);
        let with = sorted_response(2, 0.7, Choose::OfTwoWithReplacement, 60);
        assert_close(with, 2.362314);
        assert_close(sorted_response(3, 0.7, Choose::OfTwo, 30), 1.884792);
    }

    #[test]
    fn splits_are_as_tabulated() {
        let speeds = [1.0, 1.0, 2.0];
        let best = best_split(2.4, &speeds);
        assert_close(best[0], 0.2214045);
        assert_close(split_response(2.4, &speeds, &best), 1.785639);
        assert_close(split_response(2.4, &speeds, &[0.25, 0.25, 0.5]), 1.875);
        // At little traffic the slow are left out.
        assert_close(best_split(0.1, &[1.0, 9.0])[1], 1.0);
        assert_close(ring_shares(100).0, 5.187378);
    }
}
