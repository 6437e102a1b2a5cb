//! A log that nginx 1.31.3 wrote on a loopback: two servers of four workers each behind it, log-normal demand with a mean
//! of 150 ms and a 99th percentile of 598 ms, 27 requests a second at random.

use super::*;
use sim_core::engine::Simulation;
use sim_core::scenario::{NoFiles, Source};
use sim_core::summary::Summary;
use std::sync::Arc;

/// Mean, median, 90th and 99th percentile at 40.5 requests a second, in seconds: `$upstream_response_time`.
const MORE: [f64; 4] = [0.2016, 0.167, 0.380, 0.695];

const LOG: &[u8] = include_bytes!("fixture/nginx.log.gz");

fn measured() -> Measured {
    let mut collector = Collector::default();
    let figures =
        read("nginx.log.gz", LOG, &Said::default(), &mut collector).expect("a log of nginx");
    assert_eq!(
        (figures.packed, figures.faulty(), figures.torn),
        (Some("gzip"), 0, None)
    );
    Measured::of(collector, None)
}

fn near(what: &str, found: f64, wanted: f64, within: f64) {
    assert!(
        (found / wanted - 1.0).abs() <= within,
        "{what}: {found}, wanted {wanted}"
    );
}

#[test]
fn what_made_a_log_of_nginx_is_recovered() {
    let measured = measured();
    near("rate", measured.rate_hz, 27.0, 0.1);
    let demand = measured.classes[0].demand.clone().expect("a demand");
    near("mean demand", demand.mean_s, 0.150, 0.1);
    near("p99 of the demand", demand.p99_s, 0.598, 0.1);
    let workers = measured.workers.expect("workers");
    assert_eq!(workers.number, Some(4), "{workers:?}");
    assert_eq!(
        (measured.servers.len(), measured.pick),
        (2, Pick::RoundRobin)
    );
    assert!(measured.is_poisson(), "{:?}", measured.dispersion);
    let check = measured.check().expect("a part is held out");
    assert!(check.trusted, "{check:?}");
}

/// The same servers at 40.5 requests a second: what nginx logged then, in another run of 13 000 requests.
#[test]
fn half_as_much_load_again_is_predicted() {
    let scenario = measured()
        .scenario("log", None, Arrivals::Auto)
        .expect("a scenario");
    let sets = [
        ("rate_factor".to_owned(), "1.5".to_owned()),
        ("horizon".to_owned(), "2000s".to_owned()),
    ];
    let read =
        sim_core::scenario::Scenario::read(Source::new("log.toml", scenario.text), &sets, &NoFiles);
    let model = read
        .and_then(|scenario| scenario.model())
        .unwrap_or_else(|why| panic!("{why:?}"));
    let mut simulation = Simulation::new(Arc::new(model), 0);
    simulation.run();
    let times = Summary::of(&simulation, 0).response_time_s;
    let figures = [times.mean, times.p50, times.p90, times.p99];
    for (what, found, wanted) in [
        ("mean", figures[0], MORE[0]),
        ("p50", figures[1], MORE[1]),
        ("p90", figures[2], MORE[2]),
        ("p99", figures[3], MORE[3]),
    ] {
        near(what, found.expect("a figure"), wanted, 0.15);
    }
}

#[test]
fn bad_logs_are_counted_and_nothing_is_lost() {
    let good = r#"127.0.0.1 - - [29/Nov/2026:06:54:45 +0000] "GET /a HTTP/1.1" 200 3 "-" "-" 1795935285.015 0.153 "127.0.0.1:81" "0.152" "200""#;
    let read = |text: &[u8]| {
        let mut collector = Collector::default();
        read("x", text, &Said::default(), &mut collector)
    };
    let torn = format!("{good}\n{good}\n\n{}\r\nnonsense\n{}", good, &good[..60]);
    let figures = read(torn.as_bytes()).expect("a log");
    assert_eq!(
        (
            figures.lines,
            figures.requests,
            figures.asides,
            figures.faulty()
        ),
        (6, 3, 1, 2)
    );
    assert_eq!(
        figures
            .faults
            .iter()
            .flat_map(|fault| fault.lines.clone())
            .collect::<Vec<_>>(),
        [5, 6]
    );
    let long = format!("{good}\n{}\n{good}\n", "x".repeat(3_000_000));
    let figures = read(long.as_bytes()).expect("a log");
    assert_eq!(
        (figures.lines, figures.requests, figures.faulty()),
        (3, 2, 1)
    );
    for bad in [
        &b""[..],
        b"\n\n",
        b"no log\nat all\n",
        &[0, 1, 2, 0, 10, 255],
        &[0x1f, 0x8b, 8, 0],
        &[0x28, 0xb5, 0x2f, 0xfd, 1, 2],
    ] {
        assert!(read(bad).is_err(), "{bad:?}");
    }
    let figures = read(&LOG[..LOG.len() / 2]).expect("half a log");
    assert!(figures.torn.is_some() && figures.requests > 1000);
}
