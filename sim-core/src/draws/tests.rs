//! Laws of variates, and whose draws are whose.

use super::*;

/// Mean of `f` over `n` numbers of a fixed stream.
fn mean(n: u64, f: impl Fn(&mut Draws) -> f64) -> f64 {
    let stream = Stream::new(1, 0, "test");
    (0..n).map(|i| f(&mut stream.at(i))).sum::<f64>() / n as f64
}

#[test]
fn variates_have_the_moments_of_their_laws() {
    // Standard errors at a million draws: about 0.001 for means, 0.003 for second moments.
    let n = 1_000_000;
    assert!((mean(n, Draws::uniform) - 0.5).abs() < 0.0015);
    assert!((mean(n, Draws::exponential) - 1.0).abs() < 0.005);
    assert!((mean(n, |d| d.exponential().powi(2)) - 2.0).abs() < 0.02);
    assert!(
        (mean(n, |d| f64::from(d.exponential() > 8.0)) / libm::exp(-8.0) - 1.0).abs() < 0.25,
        "the tail beyond the layers"
    );
    assert!(mean(n, Draws::normal).abs() < 0.005);
    assert!((mean(n, |d| d.normal().powi(2)) - 1.0).abs() < 0.008);
    assert!((mean(n, |d| d.normal().powi(4)) - 3.0).abs() < 0.06);
}

#[test]
fn tables_are_what_the_functions_say() {
    for i in 1..256 {
        let (x, f) = (EXPONENTIAL.x[i], EXPONENTIAL.f[i]);
        assert!(
            (libm::exp(-x) / f - 1.0).abs() < 1e-13,
            "exponential layer {i}"
        );
        let (x, f) = (NORMAL.x[i], NORMAL.f[i]);
        assert!(
            (libm::exp(-0.5 * x * x) / f - 1.0).abs() < 1e-13,
            "normal layer {i}"
        );
    }
    // The top layer closes: its area is that of the others.
    assert!(
        (EXPONENTIAL.x[255] * (1.0 - EXPONENTIAL.f[255]) / EXPONENTIAL_AREA - 1.0).abs() < 1e-9
    );
    assert!((NORMAL.x[255] * (1.0 - NORMAL.f[255]) / NORMAL_AREA - 1.0).abs() < 1e-9);
}

#[test]
fn exponential_follows_its_distribution_function() {
    let n = 200_000;
    let stream = Stream::new(7, 3, "ks");
    let mut sample: Vec<f64> = (0..n).map(|i| stream.at(i).exponential()).collect();
    sample.sort_by(f64::total_cmp);
    let distance = sample
        .iter()
        .enumerate()
        .map(|(i, x)| ((i as f64 + 0.5) / n as f64 - (1.0 - libm::exp(-x))).abs())
        .fold(0.0, f64::max);
    // Kolmogorov's 99.9 % point is 1.95 / sqrt(n).
    assert!(distance < 1.95 / (n as f64).sqrt(), "distance {distance}");
}

#[test]
fn neighbouring_numbers_and_positions_are_uncorrelated() {
    let stream = Stream::new(3, 0, "lag");
    let n = 400_000;
    let first: Vec<f64> = (0..n).map(|i| stream.at(i).uniform() - 0.5).collect();
    let second: Vec<f64> = (0..n)
        .map(|i| {
            let mut d = stream.at(i);
            d.uniform();
            d.uniform() - 0.5
        })
        .collect();
    let bound = 4.0 / 12.0 / (n as f64).sqrt();
    let lag: f64 = first.windows(2).map(|w| w[0] * w[1]).sum::<f64>() / n as f64;
    let across: f64 = first.iter().zip(&second).map(|(a, b)| a * b).sum::<f64>() / n as f64;
    assert!(
        lag.abs() < bound && across.abs() < bound,
        "lag {lag}, across {across}, bound {bound}"
    );
}

#[test]
fn sequences_of_different_numbers_never_meet() {
    // Position j of number n lies at n·GOLDEN + j·INCREMENT. Two of them coincide only if the
    // numbers differ by a multiple k of INCREMENT/GOLDEN modulo 2⁶⁴; for the few draws that a
    // number takes, no such difference is within reach of a run.
    let inverse = (0..6).fold(1_u64, |x, _| {
        x.wrapping_mul(2_u64.wrapping_sub(GOLDEN.wrapping_mul(x)))
    });
    assert_eq!(inverse.wrapping_mul(GOLDEN), 1);
    for k in 1..1000_u64 {
        let difference = k.wrapping_mul(INCREMENT).wrapping_mul(inverse);
        assert!(
            difference.min(difference.wrapping_neg()) > 1 << 48,
            "{k} draws reach another number"
        );
    }
}

#[test]
fn a_generator_of_rand_hands_out_the_same_bits() {
    let stream = Stream::new(9, 0, "rand");
    let (mut plain, mut words) = (stream.at(4), stream.at(4));
    let first: [u64; 3] = [0; 3].map(|_| plain.bits());
    assert_eq!([0; 3].map(|_| words.random::<u64>()), first);
    assert_eq!(stream.at(4).random::<u32>(), (first[0] >> 32) as u32);
    let mut bytes = [0; 20];
    stream.at(4).fill(&mut bytes);
    assert_eq!(bytes[..8], first[0].to_le_bytes());
    assert_eq!(bytes[8..16], first[1].to_le_bytes());
    assert_eq!(bytes[16..], first[2].to_le_bytes()[..4]);
}

#[test]
fn uniform_draws_are_their_upper_bits() {
    // The digits of a run hang on them: a version of `rand` that forms them otherwise must not
    // pass unseen.
    let stream = Stream::new(9, 0, "rand");
    for number in 0..10_000 {
        let upper = (stream.at(number).bits() >> 11) as f64;
        let unit = libm::ldexp(1.0, -53);
        let uniform = stream.at(number).uniform();
        assert_eq!(uniform.to_bits(), (upper * unit).to_bits());
        let positive = stream.at(number).uniform_positive();
        assert_eq!(positive.to_bits(), ((upper + 1.0) * unit).to_bits());
    }
}

#[test]
fn no_attempt_draws_what_another_draws() {
    let stream = Stream::new(5, 0, "network");
    // Requests of several sources with up to a thousand attempts, among them those whose numbers
    // would meet if attempts were only added to them.
    let mut seen = std::collections::BTreeMap::new();
    let last = (1_u64 << 40) - 1;
    for source in [0, 1, 2, 3, 4, 65_535] {
        for count in [0, 1, 2, 255, 256, 1 << 20, last] {
            for attempt in 0..=1000 {
                let who = (source, count, attempt);
                let number = source << 48 | count;
                let first = stream.of_attempt(number, attempt).bits();
                let before = seen.insert(first, who);
                assert_eq!(before, None, "{who:?} draws what another draws");
            }
        }
    }
}

#[test]
fn attempts_of_the_first_block_are_numbers_of_the_stream_itself() {
    let stream = Stream::new(5, 0, "network");
    for attempt in [0, 1, 2, 255] {
        let number = (3 << 48) + 77;
        let mut plain = stream.at(number + (u64::from(attempt) << 40));
        assert_eq!(
            stream.of_attempt(number, attempt).bits(),
            plain.bits(),
            "attempt {attempt}"
        );
    }
}

#[test]
fn concerns_replications_and_seeds_differ() {
    let first = |seed, replication, concern| Stream::new(seed, replication, concern).at(0).bits();
    let all = [
        first(1, 0, "a"),
        first(2, 0, "a"),
        first(1, 1, "a"),
        first(1, 0, "b"),
        first(1, 0, "ab"),
        first(0, 1, "a"),
    ];
    for (i, a) in all.iter().enumerate() {
        assert!(
            !all[..i].contains(a),
            "streams {i} and an earlier one coincide"
        );
    }
}
