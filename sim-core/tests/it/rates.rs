//! Rates that vary: requests come when the rate says, however long a run is.

use crate::support::log;

/// With a full swing, the first half of each period holds 1/2 + 1/π of the requests.
#[test]
fn a_wave_swings_in_the_hundred_thousandth_period_as_in_the_first() {
    let text = r#"
        horizon = "1000s"
        record = { every_nth_request = 1 }
        traffic = [{ to = "web", rate = { kind = "wave", mean = 100, amplitude = 1, period = "10ms" } }]
        service.web = { demand = "1us", server = [{ name = "s", workers = 1 }] }
        "#;
    let log = log(text);
    let expected = 0.5 + std::f64::consts::FRAC_1_PI;
    for part in log.chunks(log.len() / 2).take(2) {
        let first_half = part
            .iter()
            .filter(|row| row.arrived_ns % 10_000_000 < 5_000_000);
        let (n, share) = (
            part.len() as f64,
            first_half.count() as f64 / part.len() as f64,
        );
        let error = (expected * (1.0 - expected) / n).sqrt();
        assert!((share - expected).abs() < 4.0 * error, "{share} of {n}");
    }
}

/// Ten million periods between few requests take no longer than few.
#[test]
fn periods_without_number_pass_between_two_requests() {
    let text = r#"
        horizon = "1000s"
        record = { every_nth_request = 1 }
        traffic = [{ to = "web", arrivals = "deterministic", rate = { kind = "wave", mean = 0.01, amplitude = 1, period = "100us" } }]
        service.web = { demand = "1us", server = [{ name = "s", workers = 1 }] }
        "#;
    let arrived: Vec<f64> = log(text)
        .iter()
        .map(|row| row.arrived_ns as f64 / 1e9)
        .collect();
    assert_eq!(arrived.len(), 9, "{arrived:?}");
    for (at, n) in arrived.iter().zip(1..) {
        assert!((at - 100.0 * f64::from(n)).abs() < 2e-4, "{arrived:?}");
    }
}
