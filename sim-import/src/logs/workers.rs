//! How many requests a server works on at once, from how fast it finishes them.
//!
//! With n in flight a server of c workers finishes min(n, c) / s a second, s the mean demand. The log has the time with
//! each n and the ends in it: counts whose likelihood says which c fits (a death rate estimated from occupation times:
//! P. Billingsley, "Statistical Inference for Markov Processes", 1961). Where n never went beyond c nothing bends,
//! and only a bound is known.

use super::sweep::{Found, ServerTally, least_of, step};
use serde::Serialize;
use sim_core::readable::counted;

/// Log-likelihood by which a number must be better than no limit at all.
const EVIDENCE: f64 = 6.0;
/// Log-likelihood within which a number is as good as the best: half of χ² with one degree at 95 %.
const AS_GOOD: f64 = 1.92;
/// By how much a number may leave more squares than the best and be as good.
const AS_NEAR: f64 = 1.25;
/// Standard errors by which they must, besides.
const SURE: f64 = 4.0;
/// The part of the waiting that must show: all of it where demands are exponential, half where they are constant.
const HALF: f64 = 0.4;
/// By how much those who wait must take longer.
const LONGER: f64 = 0.1;
/// Ends that a step of n must have to be compared.
const ENDS_MIN: u64 = 50;

/// What can be told of a server's workers.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Workers {
    /// The number that fits best; nothing where it cannot be told.
    pub number: Option<usize>,
    /// The least and the greatest number that fit as well.
    pub between: (usize, usize),
    /// Most in flight that were seen.
    pub most: usize,
    /// The greatest deviation of a rate of completions from that of so many workers.
    pub deviation: f64,
}

impl Workers {
    /// What can be told, for people.
    pub fn words(&self) -> String {
        let (low, high) = self.between;
        match self.number {
            Some(number) if low == high => counted(number, "worker"),
            Some(number) => format!("{}, {low} to {high} fit as well", counted(number, "worker")),
            None => format!(
                "workers cannot be told: at most {} were in flight, and nothing shows that they waited",
                self.most
            ),
        }
    }
}

/// Fits the number of workers; nothing where nobody was ever in flight.
pub(crate) fn fit(tally: &ServerTally) -> Option<Workers> {
    let ends: Vec<f64> = tally.ends_at.iter().map(|count| *count as f64).collect();
    let time = |n: usize| tally.time_at.get(n).copied().unwrap_or(0.0);
    let most = (1..tally.time_at.len()).rev().find(|n| time(*n) > 0.0)?;
    let total: f64 = ends.iter().skip(1).sum();
    if total < 1.0 {
        return None;
    }
    // Sums for each c come from those for c − 1.
    let mut beyond_time: f64 = (1..=most).map(time).sum();
    let mut beyond_ends = total;
    let (mut work, mut logs) = (0.0, 0.0);
    let mut likelihood = vec![f64::NEG_INFINITY; most + 1];
    for (c, likelihood) in likelihood.iter_mut().enumerate().skip(1) {
        // Σ T(n)·min(n, c), and Σ D(n)·ln min(n, c).
        work += beyond_time;
        let own = ends.get(c).copied().unwrap_or(0.0);
        *likelihood = logs + beyond_ends * libm::log(c as f64) - total * libm::log(work);
        logs += own * libm::log(c as f64);
        beyond_time -= time(c);
        beyond_ends -= own;
    }
    let best = (1..=most).fold(1, |best, c| {
        if likelihood[c] > likelihood[best] {
            c
        } else {
            best
        }
    });
    let fits = |c: &usize| likelihood[*c] >= likelihood[best] - AS_GOOD;
    let low = (1..=best).find(fits).unwrap_or(best);
    let high = (best..=most).rev().find(fits).unwrap_or(best);
    if let Some(bent) = bend(tally, most) {
        return Some(bent);
    }
    let told =
        likelihood[best] - likelihood[most] >= EVIDENCE && high < most && waited(tally, best);
    Some(Workers {
        number: told.then_some(best),
        between: (low, high),
        most,
        deviation: deviation(tally, best, most),
    })
}

/// Whether those who found all of `c` workers busy took longer, and by as much as waiting for one takes. Rates of ends
/// alone bend for other reasons too, such as moments that are rounded.
fn waited(tally: &ServerTally, c: usize) -> bool {
    let sum = |found: &[Found]| {
        found.iter().fold(Found::default(), |mut sum, own| {
            sum += *own;
            sum
        })
    };
    let (free, busy) = tally.found.split_at(c.min(tally.found.len()));
    let (free, late) = (sum(free), sum(busy));
    if free.count < ENDS_MIN as f64 || late.count < ENDS_MIN as f64 {
        return false;
    }
    let demand = free.sum_s / free.count;
    let longer = late.sum_s / late.count / demand - 1.0;
    // With n before them they wait until as many ends and one more, c at a time; at constant demand for half an end less.
    let ends = busy
        .iter()
        .zip(1..)
        .map(|(own, n)| own.count * f64::from(n));
    let wanted = ends.sum::<f64>() / c as f64 / late.count;
    longer >= HALF * wanted && longer >= SURE * tally.alone.variation() / late.count.sqrt()
}

/// The number of workers by where times bend; nothing where they do not.
fn bend(tally: &ServerTally, most: usize) -> Option<Workers> {
    // Times of those who found at most k others.
    let (mut counts, mut sums) = (0.0, 0.0);
    let mut demands = vec![f64::NAN; most + 1];
    for (k, found) in tally.found.iter().enumerate().take(most) {
        counts += found.count;
        sums += found.sum_s;
        if counts >= ENDS_MIN as f64 {
            demands[k + 1] = sums / counts;
        }
    }
    // The sum of squares that a number of workers leaves, over k found and the best r.
    let left = |c: usize| {
        let demand = demands[c];
        (5..=15_u32).map(f64::from).fold(f64::INFINITY, |least, r| {
            let all = tally.found.iter().enumerate().map(|(k, found)| {
                let waits = if k < c {
                    0.0
                } else {
                    ((k - c) as f64 + r / 10.0) / c as f64
                };
                let mean = found.sum_s / found.count.max(1.0) / demand;
                found.count * (mean - 1.0 - waits) * (mean - 1.0 - waits)
            });
            let all: f64 = all.sum();
            if all < least { all } else { least }
        })
    };
    let best = (1..=most)
        .filter(|c| demands[*c].is_finite())
        .min_by(|a, b| left(*a).total_cmp(&left(*b)))?;
    let waited: f64 = tally.found.iter().skip(best).map(|found| found.count).sum();
    let time: f64 = tally.found.iter().skip(best).map(|found| found.sum_s).sum();
    let longer = time / waited.max(1.0) / demands[best] - 1.0;
    // Chance alone makes that of few times, whose deviation is about their mean.
    if waited < ENDS_MIN as f64 || longer < LONGER.max(SURE / waited.sqrt()) {
        return None;
    }
    let as_good = |c: &usize| demands[*c].is_finite() && left(*c) <= left(best) * AS_NEAR;
    let low = (1..=best).find(as_good).unwrap_or(best);
    let high = (best..=most).rev().find(as_good).unwrap_or(best);
    let between = (low, high);
    let deviation = deviation(tally, best, most);
    Some(Workers {
        number: Some(best),
        between,
        most,
        deviation,
    })
}

/// The mean demand by how long `c` workers were busy, and what they finished.
pub(crate) fn mean_demand_s(tally: &ServerTally, c: usize) -> f64 {
    let busy = tally.time_at.iter().enumerate();
    let busy: f64 = busy.map(|(n, time)| time * n.min(c) as f64).sum();
    let ends: u64 = tally.ends_at.iter().skip(1).sum();
    busy / ends as f64
}

/// Compares rates of completions with those of `c` workers, in steps of n.
fn deviation(tally: &ServerTally, c: usize, most: usize) -> f64 {
    let time = |n: usize| tally.time_at.get(n).copied().unwrap_or(0.0);
    let ends = |n: usize| tally.ends_at.get(n).copied().unwrap_or(0);
    let work: f64 = (1..=most).map(|n| time(n) * n.min(c) as f64).sum();
    let rate = (1..=most).map(ends).sum::<u64>() as f64 / work;
    let mut worst: f64 = 0.0;
    for place in step(1)..=step(most) {
        let numbers = least_of(place)..least_of(place + 1).min(most + 1);
        let seen: u64 = numbers.clone().map(ends).sum();
        let expected: f64 = numbers.map(|n| time(n) * n.min(c) as f64 * rate).sum();
        if seen >= ENDS_MIN && expected > 0.0 {
            worst = worst.max((seen as f64 / expected - 1.0).abs());
        }
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::super::collect::{Kind, Request};
    use super::super::sweep::{Stretch, Sweep};
    use super::*;
    use sim_core::draws::Stream;

    fn request(at_ns: u64, time_ns: u64) -> Request {
        Request {
            at_ns: at_ns.cast_signed(),
            time_ns,
            service_ns: time_ns,
            route: 0,
            server: 1,
            kind: Kind::Plain,
        }
    }

    /// What a sweep says of the server.
    fn told(sweep: &Sweep) -> ServerTally {
        let mut all = Stretch::default();
        let stretches = sweep.stretches.iter();
        stretches.for_each(|stretch| all.merge(stretch));
        all.servers[1].clone()
    }

    /// A queue with `c` workers at `load`, as a log would have it.
    fn queue(c: usize, load: f64, count: u64, demand: impl Fn(u64) -> f64) -> ServerTally {
        let gaps = Stream::new(7, 0, "gaps");
        let mut free = vec![0.0_f64; c];
        let (mut at, mut sweep) = (0.0, Sweep::default());
        for i in 0..count {
            at += gaps.at(i).exponential() / (load * c as f64);
            let worker = (0..c)
                .min_by(|a, b| free[*a].total_cmp(&free[*b]))
                .expect("a worker");
            free[worker] = free[worker].max(at) + demand(i);
            let ns = |seconds: f64| (seconds * 1e9) as u64;
            let time_ns = ns(free[worker] - at);
            sweep.take(request(ns(at), time_ns));
        }
        told(&sweep)
    }

    #[test]
    fn workers_are_told_where_the_load_reached_them() {
        let demands = Stream::new(8, 0, "demands");
        let draw = |law: &str, i: u64| match law {
            "exponential" => demands.at(i).exponential(),
            "constant" => 1.0,
            _ => libm::exp(demands.at(i).normal() * 0.8 - 0.32),
        };
        for law in ["exponential", "constant", "log-normal"] {
            for (c, load) in [(1, 0.5), (2, 0.6), (4, 0.5), (4, 0.8), (8, 0.75), (16, 0.9)] {
                let found = fit(&queue(c, load, 20_000, |i| draw(law, i))).expect("somebody came");
                // Exactly where there are few, within a tenth where there are many.
                let number = found.number.unwrap_or(0);
                assert!(
                    number.abs_diff(c) * 10 <= c,
                    "{law}, {c} workers, load {load}: {found:?}"
                );
            }
        }
    }

    #[test]
    fn without_waiting_only_a_bound_is_known() {
        let demands = Stream::new(8, 0, "demands");
        let found =
            fit(&queue(64, 0.2, 20_000, |i| demands.at(i).exponential())).expect("somebody came");
        assert_eq!(found.number, None);
        assert!(
            found.between.1 >= found.most - 1 && found.most < 64,
            "{found:?}"
        );
        assert_eq!(fit(&ServerTally::default()), None);
    }

    /// A busy server without a limit, whose log knows milliseconds: many come and go within each.
    #[test]
    fn rounded_moments_make_no_workers() {
        let (gaps, demands) = (Stream::new(7, 0, "gaps"), Stream::new(8, 0, "demands"));
        let (mut at, mut sweep) = (0.0, Sweep::default());
        for i in 0..400_000 {
            at += gaps.at(i).exponential() / 200.0;
            let demand = demands.at(i).exponential() * 0.04 + 0.001;
            let ms = |seconds: f64| (seconds * 1e3).round() as u64 * 1_000_000;
            let time_ns = ms(demand);
            sweep.take(request(ms(at + demand) - time_ns, time_ns));
        }
        let found = fit(&told(&sweep)).expect("somebody came");
        assert_eq!(found.number, None, "{found:?}");
    }
}
