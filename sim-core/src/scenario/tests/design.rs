//! The design's example.

use super::*;
use crate::event_log::Kind;
use crate::model::{EventPattern, Expr, Value};

#[test]
fn the_example_gives_the_expected_model() {
    let model = model(DESIGN);
    assert_eq!(model.horizon, Duration::from_secs(10_200));
    assert_eq!(model.seed, 42);
    assert_eq!(
        model.classes[1],
        Class {
            name: "checkout".to_owned(),
            priority: 1,
            demand_factor: 1.0,
            demand: None,
        }
    );
    let source = &model.sources[0];
    assert_eq!(source.mix, [0.9, 1.0]);
    let corners: Vec<(u64, f64)> = source
        .rate
        .corners_from(Instant::ZERO)
        .map(|p| (p.at.0 / SECOND, p.rate_hz))
        .collect();
    assert_eq!(
        corners,
        [(0, 320.0), (300, 320.0), (720, 900.0), (10_200, 600.0)]
    );
    assert_eq!(model.clients.len(), 2);
    assert_eq!(model.clients[0].timeout, Some(Duration::from_secs(8)));
    assert_eq!(model.clients[0].retry.build().terms().attempts, 3);
    let names: Vec<(&str, f64, u32)> = model
        .servers
        .iter()
        .map(|s| (s.name.as_str(), s.params.weight, s.params.workers))
        .collect();
    assert_eq!(
        names,
        [
            ("web-1", 100.0, 16),
            ("web-2", 1.0, 16),
            ("web-3", 1.0, 16),
            ("web-4", 1.0, 16)
        ]
    );
    assert!(
        Arc::ptr_eq(&model.servers[1].params, &model.servers[3].params),
        "a group shares its properties"
    );
    assert_eq!(model.servers[3].params.crash, model.servers[0].params.crash);
}

#[test]
fn its_time_line_alerts_and_expectations_are_understood() {
    let model = model(DESIGN);
    assert_eq!(model.timeline.len(), 2);
    assert_eq!(model.timeline[0].at, Instant(65 * 60 * SECOND));
    let Action::Set { text, changes, .. } = &model.timeline[0].action else {
        panic!("{:?}", model.timeline[0])
    };
    assert_eq!(text, "service.web.server.web-1.weight = 1");
    let [Change::Server(ServerId(0), params)] = changes.as_slice() else {
        panic!("{changes:?}")
    };
    assert_eq!(params.weight, 1.0);
    assert_eq!(
        model.timeline[1].action,
        Action::Restart {
            target: Target::Servers(vec![ServerId(0)]),
            only_down: true,
        }
    );
    let when = model.alerts[0].condition().expect("a threshold");
    assert_eq!((when.metric.name, when.threshold), ("p99", 2e9));
    assert_eq!(model.slos[0].class, Some(ClassId(1)));
    let expected = Expr::Within {
        value: Value::First(EventPattern {
            kind: Kind::Alert,
            subject: Some("slow".to_owned()),
        }),
        low: 480e9,
        high: 780e9,
    };
    assert_eq!(model.expectations[0].expr, expected);
    assert_eq!(
        DESIGN
            .lines()
            .nth(model.expectations[0].line - 1)
            .map(|l| l.starts_with("that")),
        Some(true)
    );
}

#[test]
fn json_of_the_same_shape_gives_the_same_model() {
    let toml = Scenario::read(Source::new("t.toml", SMALL), &[], &NoFiles).expect("valid");
    let json = r#"{ "horizon": "1h", "traffic": [{ "to": "web", "rate": 100 }],
        "service": { "web": { "demand": "10ms", "server": [{ "name": "web", "count": 3, "workers": 4 }] } } }"#;
    let json = Scenario::read(Source::new("t.json", json), &[], &NoFiles)
        .unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(toml.model(), json.model());
    assert_eq!(toml.hash(), json.hash());
}

#[test]
fn the_fixed_form_reads_back_as_the_same_model() {
    let scenario =
        Scenario::read(Source::new("scenario.toml", DESIGN), &[], &NoFiles).expect("valid");
    let text = scenario.to_toml();
    let again = Scenario::read(Source::new("scenario.toml", text.clone()), &[], &NoFiles)
        .unwrap_or_else(|p| panic!("{p}\n{text}"));
    assert_eq!(again.to_toml(), text);
    assert_eq!(again.hash(), scenario.hash());
    let (mut a, mut b) = (
        scenario.model().expect("valid"),
        again.model().expect("valid"),
    );
    // Lines differ, of course.
    for expectation in a.expectations.iter_mut().chain(&mut b.expectations) {
        expectation.line = 0;
    }
    assert_eq!(a, b);
}

#[test]
fn expectations_of_every_shape_are_understood() {
    for that in [
        "first(alert.slow) in 12:18..12:23",
        "last(up.web-1) < 14:00",
        "count(crash.web-1) == 1",
        "count(crash.web-lb-1) >= 0",
        "never(crash)",
        "max(share(web-1)) during 12:20..12:30 > 70%",
        "min(goodput) during 5m..10m >= 0.5",
        "whole(failed(checkout)) < 5%",
        "goodput at 13:00 < 5%",
        "failed(class.checkout) at 1h < 5%",
        "p99(service.web) < 2s",
        "utilisation(service.web.server.web-2) <= 100%",
        "availability > 99%",
        "requests.failed == 0",
        "requests.outcomes.timed_out == 0",
        "attempts.per_request < 1.5",
        "response_time_s.p99 < 500ms",
        "services.web.servers.web-1.crashes <= 2",
        "services.web.servers.web-1.downtime_s < 2h",
        "slos.checkout works.attained > 90%",
        "offered_hz in 300..900/s",
    ] {
        model(&DESIGN.replace("first(alert.slow) in 12:18..12:23", that));
    }
}

#[test]
fn expectations_that_could_never_be_checked_are_refused() {
    for (that, code, words) in [
        (
            "first(alert.slwo) < 12:30",
            "E033",
            "did you mean \\\"slow\\\"",
        ),
        ("count(crash.web-9) == 1", "E033", "web-1"),
        ("never(crsh)", "E033", "crash"),
        ("availabilty > 99%", "E033", "availability"),
        ("p98 < 2s", "E033", "p99"),
        ("p99(web-1) < 2s", "E034", "a server"),
        ("share > 70%", "E034", "the whole site"),
        ("share(web-8) > 70%", "E033", "web-1"),
        ("p99 < 2", "E015", "unit"),
        ("first(crash) < soon", "E015", "soon"),
        ("availability", "E032", "such as"),
        ("max(goodput) during 12:30..12:20 > 1%", "E032", "empty"),
        ("goodput at 18:00 > 1%", "E032", "outside"),
        ("services.web.servers.web-7.crashes == 0", "E033", "web-1"),
        ("first(crash) in 13:00..12:30", "E032", "ends before"),
        ("first(crash) in 13:00..12:00", "E030", "after the end"),
    ] {
        let words = words.replace('\\', "");
        refused(
            &DESIGN.replace("first(alert.slow) in 12:18..12:23", that),
            code,
            &words,
        );
    }
}
