//! Logs that real programs wrote on a loopback, of requests at random times to servers whose workers and demands are known:
//! nginx 1.31.3 (twice), HAProxy 2.8.25 and Envoy 1.40.0 (its identifiers of requests left out).

use super::*;
use sim_core::engine::Simulation;
use sim_core::scenario::{NoFiles, Source};
use sim_core::summary::Summary;
use std::sync::Arc;

/// A log, and the truth of it.
struct Known {
    name: &'static str,
    log: &'static [u8],
    servers: usize,
    workers: usize,
    rate: f64,
    mean_s: f64,
    p99_s: f64,
    /// Mean, median, 90th and 99th percentile at half as much load again: what the program logged or its clients saw in
    /// another run of 13 000 to 54 000 requests, or queueing theory.
    more: [f64; 4],
}

const LOG: &[u8] = include_bytes!("fixture/nginx.log.gz");

static LOGS: [Known; 4] = [
    // Log-normal, in turn.
    Known {
        name: "nginx",
        log: LOG,
        servers: 2,
        workers: 4,
        rate: 27.0,
        mean_s: 0.150,
        p99_s: 0.598,
        more: [0.2016, 0.167, 0.380, 0.695],
    },
    // Exponential, one server: M/M/3, at nine tenths of what it can do in the end.
    Known {
        name: "nginx before one server",
        log: include_bytes!("fixture/one.log.gz"),
        servers: 1,
        workers: 3,
        rate: 12.0,
        mean_s: 0.150,
        p99_s: 0.691,
        more: [0.5585, 0.4134, 1.2284, 2.3799],
    },
    // Log-normal, leastconn, and as many connections as workers, so that HAProxy keeps the queue.
    Known {
        name: "HAProxy",
        log: include_bytes!("fixture/haproxy.log.gz"),
        servers: 2,
        workers: 5,
        rate: 20.0,
        mean_s: 0.300,
        p99_s: 1.068,
        more: [0.482, 0.400, 0.920, 1.588],
    },
    // Exponential, in turn.
    Known {
        name: "Envoy",
        log: include_bytes!("fixture/envoy.log.gz"),
        servers: 2,
        workers: 4,
        rate: 24.0,
        mean_s: 0.200,
        p99_s: 0.921,
        more: [0.487, 0.382, 1.045, 1.822],
    },
];

fn measured(log: &[u8]) -> Measured {
    let mut collector = Collector::default();
    let figures = read("log.gz", log, &Said::default(), &mut collector).expect("a log");
    assert_eq!(
        (figures.packed, figures.faulty(), figures.torn),
        (Some("gzip"), 0, None)
    );
    Measured::of(collector, None)
}

fn near(what: &str, found: f64, wanted: f64, within: f64) {
    let off = found / wanted - 1.0;
    assert!(off.abs() <= within, "{what}: {found}, wanted {wanted}");
}

#[test]
fn what_made_a_log_is_recovered() {
    for known in &LOGS {
        let (measured, name) = (measured(known.log), known.name);
        near(name, measured.rate_hz, known.rate, 0.05);
        let demand = measured.classes[0].demand.clone().expect("a demand");
        near(
            &format!("{name}, mean demand"),
            demand.mean_s,
            known.mean_s,
            0.05,
        );
        near(
            &format!("{name}, p99 of it"),
            demand.p99_s,
            known.p99_s,
            0.1,
        );
        let workers = measured.workers.expect("workers");
        assert_eq!(workers.number, Some(known.workers), "{name}: {workers:?}");
        assert_eq!(measured.servers.len(), known.servers, "{name}");
        assert!(measured.is_poisson(), "{name}: {:?}", measured.dispersion);
        let check = measured.check().expect("a part is held out");
        assert!(check.trusted, "{name}: {check:?}");
        for figure in check.figures.iter().take(3) {
            assert!(figure.is_inside(), "{name}: {figure:?}");
        }
    }
    assert_eq!(measured(LOG).pick, Pick::RoundRobin);
}

#[test]
fn half_as_much_load_again_is_predicted() {
    for known in &LOGS {
        let scenario = measured(known.log)
            .scenario("log", None, Arrivals::Auto)
            .expect("a scenario");
        let sets = [
            ("rate_factor".to_owned(), "1.5".to_owned()),
            ("horizon".to_owned(), "40000s".to_owned()),
        ];
        let source = Source::new("log.toml", scenario.text);
        let read = sim_core::scenario::Scenario::read(source, &sets, &NoFiles);
        let model = read
            .and_then(|scenario| scenario.model())
            .unwrap_or_else(|why| panic!("{why:?}"));
        let mut simulation = Simulation::new(Arc::new(model), 0);
        simulation.run();
        let times = Summary::of(&simulation, 0).response_time_s;
        let figures = [times.mean, times.p50, times.p90, times.p99];
        for ((figure, found), wanted) in ["mean", "p50", "p90", "p99"]
            .iter()
            .zip(figures)
            .zip(known.more)
        {
            let what = format!("{}, {figure}", known.name);
            near(&what, found.expect("a figure"), wanted, 0.15);
        }
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

#[test]
fn what_has_no_status_is_no_failure() {
    let line = |at: usize, status: &str| {
        format!("{{\"ts\":{}.5,\"took\":0.1{status}}}\n", 1_795_935_285 + at)
    };
    let of = |status: &str| {
        let text: String = (0..40).map(|at| line(at, status)).collect();
        let mut collector = Collector::default();
        let said = Said {
            columns: Some("time=ts,duration=took".to_owned()),
            ..Said::default()
        };
        read("log", text.as_bytes(), &said, &mut collector).expect("a log");
        Measured::of(collector, None)
    };
    let untold = of("");
    assert_eq!(untold.failed, None);
    let demand = untold.classes[0].demand.as_ref().expect("a demand");
    near("demand", demand.mean_s, 0.1, 0.001);
    assert_eq!(of(",\"code\":503").failed, Some(40));
    assert_eq!(of(",\"code\":null").failed, Some(40));
    assert_eq!(of(",\"code\":200").failed, Some(0));
}

#[test]
fn wherever_a_log_is_torn_its_format_is_the_same() {
    for known in &LOGS {
        let mut text = Vec::new();
        let (_, mut unpacked) = super::packed::unpack(known.log).expect("packed");
        std::io::Read::read_to_end(&mut unpacked, &mut text).expect("whole");
        let mut ends = (text.iter().enumerate()).filter(|(_, byte)| **byte == b'\n');
        let whole = ends.by_ref().nth(19).expect("twenty lines").0 + 1;
        let next = ends.next().expect("another").0;
        let of = |end: usize| {
            let mut collector = Collector::default();
            let read = read("log", &text[..end], &Said::default(), &mut collector);
            read.unwrap_or_else(|why| panic!("{}, {end}: {why}", known.name))
        };
        let wanted = of(whole);
        for end in whole..=next {
            let torn = of(end);
            assert_eq!(torn.formats, wanted.formats, "{}, {end}", known.name);
            let told = torn.requests + torn.asides + torn.faulty();
            assert_eq!(told, torn.lines, "{}, {end}", known.name);
            assert!(torn.requests >= wanted.requests, "{}, {end}", known.name);
        }
    }
}
