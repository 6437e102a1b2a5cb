//! Balancing policies against published and exact mean response times.
//!
//! Times are in units of one mean time of service, which is a millisecond.

use crate::replicate::{check, exact, in_system, published, response};
use crate::theory::{Farm, one};

fn choices(n: u32, lam: f64, replacement: bool, length: u64) -> String {
    let policy = format!("{{ kind = \"power-of-d\", d = 2, replacement = {replacement} }}");
    let farm = Farm {
        servers: n,
        policy: &policy,
        ..one(f64::from(n) * lam, length)
    };
    farm.text()
}

/// Mitzenmacher, "The power of two choices in randomized load balancing", IEEE Transactions on
/// Parallel and Distributed Systems 12(10), 2001; the values are those of an independent
/// simulation, with half-widths of 95 % turned into standard errors.
#[test]
fn two_choices_of_a_hundred_without_replacement() {
    for (lam, mean, half_width, length) in [
        (0.5, 1.26745, 0.0009, 1500),
        (0.7, 1.62024, 0.0010, 2000),
        (0.9, 2.6468, 0.0018, 5000),
    ] {
        check(
            &choices(100, lam, false, length),
            &[published(
                "response time",
                response,
                mean,
                half_width / 1.96,
            )],
        );
    }
}

/// Gast, Bortolussi and Tribastone, "Size expansions of mean field approximation", Performance
/// Evaluation 129, 2019: mean number at a server, with the standard error of their data.
#[test]
fn two_choices_with_replacement() {
    for (n, rho, mean, se, length) in [
        (10, 0.7, 1.219135, 0.0, 30_000),
        (10, 0.9, 2.800299, 0.000763, 50_000),
        (100, 0.7, 1.138739, 0.000112, 2500),
    ] {
        check(
            &choices(n, rho, true, length),
            &[published("in system", in_system, mean, se)],
        );
    }
}

/// Exact steady states of the Markov chain on sorted queue lengths, solved numerically.
#[test]
fn two_choices_and_shortest_queue_of_few_servers() {
    for (n, rho, replacement, mean, length) in [
        (2, 0.7, true, 2.362314, 100_000),
        (3, 0.7, false, 1.884792, 80_000),
        (5, 0.8, false, 2.235519, 40_000),
    ] {
        check(
            &choices(n, rho, replacement, length),
            &[exact("response time", response, mean)],
        );
    }
    for (n, rho, mean, length) in [
        (2, 0.7, 2.108197, 50_000),
        (4, 0.8, 1.953134, 30_000),
        (10, 0.9, 1.913123, 32_000),
    ] {
        for policy in ["\"join-shortest-queue\"", "\"least-in-flight\""] {
            let farm = Farm {
                servers: n,
                policy,
                ..one(f64::from(n) * rho, length)
            };
            check(&farm.text(), &[exact("response time", response, mean)]);
        }
    }
}
