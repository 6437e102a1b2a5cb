//! The formulas by name, so that data can refer to them: `mm1_response(0.8)`.

use super::farm::{self, Choose};
use super::priority::{ClassLoad, preemptive_responses, waits};
use super::{correlated, levels, markov, parallel, renewal, ring, station, time};

/// A formula that data may name.
pub struct Formula {
    /// Its name.
    pub name: &'static str,
    /// Its arguments, in order.
    pub arguments: &'static str,
    /// What it gives.
    pub about: &'static str,
    /// The value.
    pub of: fn(&[f64]) -> f64,
}

macro_rules! formulas {
    ($($name:ident($($arg:ident),*) $about:literal = $value:expr;)*) => {
        /// Every formula by name.
        pub static FORMULAS: &[Formula] = &[$(Formula {
            name: stringify!($name),
            arguments: concat!($(stringify!($arg), " "),*),
            about: $about,
            of: |arguments| {
                let [$($arg),*] = arguments else { return f64::NAN };
                $(let $arg = *$arg;)*
                $value
            },
        }),*];
    };
}

formulas! {
    mm1_response(rho) "mean response time of M/M/1" = station::mm1_response(rho);
    mm1_wait(rho) "mean wait in M/M/1" = station::mm1_wait(rho);
    mm1_number(rho) "mean number in M/M/1" = station::mm1_number(rho);
    mm1_queue(rho) "mean number waiting in M/M/1" = station::mm1_queue(rho);
    mm1_quantile(q, rho) "quantile of the response time of M/M/1" = station::mm1_quantile(q, rho);
    mm1_wait_quantile(q, rho) "quantile of the wait in M/M/1" = station::mm1_wait_quantile(q, rho);
    mm1_at_least(k, rho) "probability of k or more in M/M/1" = station::mm1_at_least(k, rho);
    mg1_wait(rho, cv2) "mean wait in M/G/1" = station::mg1_wait(rho, cv2);
    mg1_wait_deviation(rho, second, third) "standard deviation of the wait in M/G/1" = station::mg1_wait_deviation(rho, second, third);
    md1_wait_quantile(q, rho) "quantile of the wait in M/D/1" = station::md1_wait_quantile(q, rho);
    fifo_variance(rho) "variance of the response time, in order of arrival" = station::fifo_variance(rho);
    random_order_variance(rho) "the same in random order" = station::random_order_variance(rho);
    lifo_variance(rho) "the same, last come first" = station::lifo_variance(rho);
    lifo_preemptive_variance(rho) "the same, last come first with interruption" = station::lifo_preemptive_variance(rho);
    sharing_variance(rho) "the same under processor sharing" = station::sharing_variance(rho);
    shortest_remaining_response(rho) "mean response time of M/M/1, shortest remaining first" = station::shortest_remaining_response(rho);
    erlang_b(c, a) "probability of loss" = markov::erlang_b(c as u32, a);
    erlang_c(c, rho) "probability of waiting in M/M/c" = markov::erlang_c(c as u32, rho);
    mmc_wait(c, rho) "mean wait in M/M/c" = markov::mmc_wait(c as u32, rho);
    mmc_response(c, rho) "mean response time of M/M/c" = 1.0 + markov::mmc_wait(c as u32, rho);
    mmc_queue(c, rho) "mean number waiting in M/M/c" = markov::mmc_queue(c as u32, rho);
    mmc_quantile(q, c, rho) "quantile of the response time of M/M/c" = markov::mmc_quantile(q, c as u32, rho);
    mmc_wait_quantile(q, c, rho) "quantile of the wait in M/M/c" = markov::mmc_wait_quantile(q, c as u32, rho);
    mmck_loss(lam, c, k) "share lost in M/M/c/K" = markov::mmck(lam, c as u32, k as u32).loss;
    mmck_number(lam, c, k) "mean number in M/M/c/K" = markov::mmck(lam, c as u32, k as u32).number;
    mmck_throughput(lam, c, k) "throughput of M/M/c/K" = markov::mmck(lam, c as u32, k as u32).throughput;
    mmck_response(lam, c, k) "mean response time of M/M/c/K" = markov::mmck(lam, c as u32, k as u32).response;
    erlang_a_waits(lam, c, theta) "probability of waiting in M/M/c+M" = markov::erlang_a(lam, c as u32, theta).waits;
    erlang_a_queue(lam, c, theta) "mean number waiting in M/M/c+M" = markov::erlang_a(lam, c as u32, theta).queue;
    erlang_a_abandons(lam, c, theta) "share that leaves M/M/c+M unserved" = markov::erlang_a(lam, c as u32, theta).abandons;
    erlang_a_throughput(lam, c, theta) "throughput of M/M/c+M" = markov::erlang_a(lam, c as u32, theta).throughput;
    erlang_a_number(lam, c, theta) "mean number in M/M/c+M" = markov::erlang_a(lam, c as u32, theta).number;
    repair_throughput(n, z, c) "throughput of machine repair" = markov::machine_repair(n as u32, z, 1.0, c as u32).throughput;
    repair_response(n, z, c) "response time of machine repair" = markov::machine_repair(n as u32, z, 1.0, c as u32).response;
    tiers_throughput(n, z, first, second) "throughput of two tiers with n users" = markov::mean_values(n as u32, z, &[first, second]).throughput;
    tiers_response(n, z, first, second) "response time of two tiers with n users" = markov::mean_values(n as u32, z, &[first, second]).response;
    three_tiers_throughput(n, z, first, second, third) "throughput of three tiers" = markov::mean_values(n as u32, z, &[first, second, third]).throughput;
    three_tiers_response(n, z, first, second, third) "response time of three tiers" = markov::mean_values(n as u32, z, &[first, second, third]).response;
    round_robin_response(k, rho) "mean response time under round robin over k servers" = renewal::response(renewal::round_robin_waiting(k as u32, rho));
    round_robin_quantile(q, k, rho) "quantile of the same" = renewal::quantile(q, renewal::round_robin_waiting(k as u32, rho));
    even_response(rho) "mean response time of D/M/1" = renewal::response(renewal::even_waiting(rho));
    even_quantile(q, rho) "quantile of the same" = renewal::quantile(q, renewal::even_waiting(rho));
    correlated_wait(lam, short, long, p, same) "mean wait in M/G/1 with services of two lengths that come in runs" = correlated::wait(lam, [(short, 1.0 - p), (long, p)], same);
    sessions_under_way(rho, n, z) "mean number of sessions of n requests and pauses z at M/M/1" = rho * station::mm1_response(rho) + rho * (n - 1.0) / n * z;
    first_wait(first, second, mean, cv2) "wait of the first of two classes" = waits(&pair(first, second, mean, cv2))[0];
    second_wait(first, second, mean, cv2) "wait of the second" = waits(&pair(first, second, mean, cv2))[1];
    first_preemptive(first, second, mean, cv2) "response time of the first of two classes that interrupts" = preemptive_responses(&pair(first, second, mean, cv2))[0];
    second_preemptive(first, second, mean, cv2) "response time of the second" = preemptive_responses(&pair(first, second, mean, cv2))[1];
    breakdown_number(lam, c, xi, eta) "mean number in M/M/c with breakdowns" = levels::breakdown_number(lam, c as u32, xi, eta);
    breakdown_response(lam, c, xi, eta) "mean response time of the same" = levels::breakdown_number(lam, c as u32, xi, eta) / lam;
    mmpp_number(l1, l2, a, b) "mean number in MMPP(2)/M/1" = levels::modulated_number(l1, l2, a, b);
    mmpp_response(l1, l2, a, b) "mean response time of the same" = levels::modulated_number(l1, l2, a, b) * (a + b) / (b * l1 + a * l2);
    mm1_number_at(lam, t) "mean number in M/M/1, empty t ago" = time::mm1_number_at(lam, t);
    mm1_empty_at(lam, t) "probability that it is empty" = time::mm1_empty_at(lam, t);
    wave_number(mean, amplitude, period, t) "mean number in M(t)/M/∞" = time::wave_number(mean, amplitude, period, t);
    first_passage(lam, k) "mean time until M/M/1 holds k" = time::first_passage(lam, k as u32);
    level_before_empty(lam, k) "probability that M/M/1 holds k before it is empty again" = time::level_before_empty(lam, k as u32);
    level_within(lam, k, t) "probability that M/M/1, empty at first, holds k until t" = time::level_within(lam, k as u32, t);
    crash_availability(lam, k, down) "availability with crashes at k" = time::crashing(lam, k as u32, down).availability;
    crash_rate(lam, k, down) "crashes per unit of time" = time::crashing(lam, k as u32, down).crash_rate;
    crash_throughput(lam, k, down) "throughput with crashes at k" = time::crashing(lam, k as u32, down).throughput;
    crash_loss(lam, k, down) "share lost with crashes at k" = time::crashing(lam, k as u32, down).loss;
    pair_availability(lam, k, down, shortest) "availability of one of two servers that crash" = time::crashing_pair(lam, k as u32, down, shortest > 0.0).0.availability;
    pair_crash_rate(lam, k, down, shortest) "crashes of both per unit of time" = time::crashing_pair(lam, k as u32, down, shortest > 0.0).0.crash_rate;
    pair_throughput(lam, k, down, shortest) "their throughput" = time::crashing_pair(lam, k as u32, down, shortest > 0.0).0.throughput;
    pair_loss(lam, k, down, shortest) "their share lost" = time::crashing_pair(lam, k as u32, down, shortest > 0.0).0.loss;
    supermarket(lam, d) "mean response time of the supermarket model" = farm::supermarket_response(lam, d as u32);
    idle_queue_removed(r, lam) "mean field of join-idle-queue, entries removed" = farm::idle_queue_removed(r, lam);
    idle_queue_stale(r, lam) "mean field of join-idle-queue, entries stale" = farm::idle_queue_stale(r, lam);
    idle_queue_paper(r, lam) "its paper's approximation" = farm::idle_queue_paper(r, lam);
    shortest_of(n, rho) "mean response time of two or three servers, shortest queue" = farm::sorted_response(n as usize, rho, Choose::Shortest, longest(n, rho));
    two_of(n, rho) "the same, shorter of two different ones" = farm::sorted_response(n as usize, rho, Choose::OfTwo, longest(n, rho));
    two_of_with_replacement(n, rho) "the same, shorter of two that may be one" = farm::sorted_response(n as usize, rho, Choose::OfTwoWithReplacement, longest(n, rho));
    ring_largest(n) "mean of the largest share of a ring with a point for each of n servers, times n" = ring::largest_share(n as u32);
    ring_smallest(n) "mean of the smallest, times n" = ring::smallest_share(n as u32);
    ring_variance(n) "variance of a share, times n²" = ring::share_variance(n as u32);
    fork_join_response(rho) "mean response time of a job that forks to two servers and joins" = parallel::fork_join_response(rho);
    redundant_response(k, d, lam) "mean response time with copies at d of k servers, the first answer cancelling the others" = parallel::redundant_response(k as u32, d as u32, lam);
    hedged_response(delta) "mean response time with a second copy after delta, without queueing" = parallel::hedged_response(delta);
    hedged_extra(delta) "share of requests that send it" = parallel::hedged_extra(delta);
    hedged_quantile(q, delta) "quantile of that response time" = parallel::hedged_quantile(q, delta);
}

/// Two classes of one law of demand: mean 1 for the first, `mean` for the second.
fn pair(first: f64, second: f64, mean: f64, cv2: f64) -> [ClassLoad; 2] {
    [(first, 1.0), (second, mean)].map(|(rate, mean)| ClassLoad {
        rate,
        mean,
        second: mean * mean * (1.0 + cv2),
    })
}

/// Where the chain of a few servers may be cut: what lies beyond has a probability below 1e-9.
fn longest(n: f64, rho: f64) -> usize {
    // With replacement the tail falls like rho for each further request at a server.
    let full = 21.0 / -libm::log(rho);
    (full as usize + 6).min(if n > 2.0 { 45 } else { 220 })
}

/// The value of a number or of a formula with numbers, such as `erlang_b(10, 8)`.
///
/// # Errors
/// What is wrong with the text.
pub fn evaluate(text: &str) -> Result<f64, String> {
    let text = text.trim();
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let inner = text.strip_suffix(')').and_then(|t| t.split_once('('));
    let Some((name, list)) = inner else {
        return Err(format!("{text:?} is neither a number nor a formula"));
    };
    let Some(formula) = FORMULAS.iter().find(|f| f.name == name) else {
        return Err(format!("no formula is called {name:?}"));
    };
    let arguments: Result<Vec<f64>, _> = list.split(',').map(|a| a.trim().parse()).collect();
    let arguments = arguments.map_err(|_| format!("{list:?} is no list of numbers"))?;
    let value = (formula.of)(&arguments);
    if value.is_finite() {
        Ok(value)
    } else {
        Err(format!(
            "{name} takes {}; {list:?} gives no value",
            formula.arguments.trim()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_close;
    use super::*;

    #[test]
    fn numbers_and_formulas_have_values() {
        assert_close(evaluate("2.5").expect("a number"), 2.5);
        assert_close(evaluate(" mm1_response(0.8) ").expect("a formula"), 5.0);
        assert_close(evaluate("erlang_b(10, 8)").expect("a formula"), 0.1216611);
        assert_close(
            evaluate("second_preemptive(0.4, 0.2, 2, 1)").expect("one"),
            13.3333333,
        );
        assert_close(evaluate("shortest_of(2, 0.9)").expect("a chain"), 5.474913);
    }

    #[test]
    fn what_has_no_value_says_why() {
        for wrong in [
            "",
            "x",
            "mm2(1)",
            "mm1_response(a)",
            "mm1_response(0.5, 2)",
            "mm1_response(1)",
        ] {
            assert!(evaluate(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn names_are_unique() {
        for (i, formula) in FORMULAS.iter().enumerate() {
            assert!(FORMULAS[..i].iter().all(|other| other.name != formula.name));
        }
    }
}
