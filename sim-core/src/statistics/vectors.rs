//! Test vectors computed independently, with other code: one series and one set of pairs through
//! everything.

use super::*;

/// A first-order autoregression around 10 with a transient: x = 0.9 x + (u − ½), y = 10 + x + 5 ·
/// 0.98^i, with u from `SplitMix64`, seed 42.
fn series() -> Vec<f64> {
    let mut state: u64 = 42;
    let mut draw = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 11) as f64 / (1u64 << 53) as f64
    };
    let (mut x, mut fading) = (0.0, 5.0);
    (0..2000)
        .map(|_| {
            x = 0.9 * x + (draw() - 0.5);
            let y = 10.0 + x + fading;
            fading *= 0.98;
            y
        })
        .collect()
}

#[track_caller]
fn near(found: f64, expected: f64) {
    let digits = 1e-9 * expected.abs().max(1.0);
    assert!(
        (found - expected).abs() < digits,
        "{found} is not {expected}"
    );
}

#[test]
fn the_series_is_the_agreed_one() {
    let y = series();
    for (found, expected) in y
        .iter()
        .zip([15.24156488, 14.77731878, 14.47018804, 14.25151995])
    {
        assert!((found - expected).abs() < 1e-8);
    }
    near(y[1999], 9.83455678940857);
    let moments = Moments::of(&y);
    near(moments.mean(), 10.1720429910);
    near(moments.variance(), 0.6952817297);
}

#[test]
fn mser5_cuts_where_it_should() {
    let y = series();
    let found = mser5(&y).expect("long enough");
    assert_eq!(found.observations, 95);
    assert!((found.criterion - 9.9980200785e-04).abs() < 1e-13);
    near(Moments::of(&y[95..]).mean(), 10.0703162591);
}

#[test]
fn batch_means_are_these() {
    let y = &series()[200..];
    near(Moments::of(y).mean(), 10.0498613577);
    let batches = batch_means(y, 20, 0.95).expect("long enough");
    near(Moments::of(&batches.means).deviation(), 0.3607349476);
    let interval = batches.estimate.interval().expect("hardly correlated");
    near(interval.half_width(), 0.1688291524);
    near(batches.q, 1.7144331362);
    assert!((batches.z - 0.67224567).abs() < 1e-8);
}

/// The vector's constants are rounded to three digits: 0.270 and 0.645.
#[test]
fn the_spectrum_is_this() {
    let means: Vec<f64> = (series()[200..].chunks_exact(5))
        .map(|batch| Moments::of(batch).mean())
        .collect();
    let found = spectrum(&means).expect("360 values");
    assert!((found.df - 7.0).abs() < 1e-9);
    assert!((found.at_zero / 2.08561785 - 1.0).abs() < 1e-3, "{found:?}");
    let half = student_quantile(0.975, found.df) * (found.at_zero / 360.0).sqrt();
    assert!((half / 0.17998166 - 1.0).abs() < 1e-3, "{half}");
    // Of the values themselves the test takes the means of three, and finds them stationary.
    let test = heidelberger_welch(&series()[200..], 0.95).expect("long enough");
    let interval = test.mean.expect("stationary");
    assert!(test.passed && interval.method == Method::HeidelbergerWelch);
    assert!(
        (interval.half_width() / 0.18 - 1.0).abs() < 0.35,
        "{interval:?}"
    );
}

#[test]
fn overlapping_batch_means_are_these() {
    let error = overlapping_batch_means(&series()[200..], 90).expect("long enough");
    near(error, 0.0750173423);
    near(error * error * 1800.0, 10.1296829584);
}

#[test]
fn differences_are_these() {
    let a = [5.12, 4.87, 5.40, 5.01, 4.95, 5.33, 5.08, 4.79, 5.22, 5.05];
    let b = [4.91, 4.70, 5.21, 4.88, 4.83, 5.10, 4.86, 4.66, 5.03, 4.90];
    let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-6, "{found}");
    let estimate = paired_difference(&a, &b, 0.95);
    let interval = estimate.interval().expect("ten pairs");
    close(interval.mean, 0.174);
    close(interval.half_width(), 0.028654);
    let t = interval.mean / (interval.half_width() / student_quantile(0.975, 9.0));
    close(t, 13.736842);
    assert!((2.0 * student_tail(t, 9.0) - 2.416e-7).abs() < 1e-10);
    close(correlation(&a, &b).expect("both vary"), 0.984661);
    let estimate = mean_difference(&a, &b, 0.95);
    let interval = estimate.interval().expect("ten each");
    close(interval.half_width(), 0.170890);
}
