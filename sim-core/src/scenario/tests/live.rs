//! Changes while time runs.

use super::*;
use std::fmt::Write as _;

fn scenario(text: &str) -> Scenario {
    Scenario::read(Source::new("t.toml", text), &[], &NoFiles).unwrap_or_else(|p| panic!("{p}"))
}

#[test]
fn sets_of_a_time_line_build_upon_each_other() {
    let model = model(&small_and(
        "[[timeline]]\nat = \"2m\"\nset = { \"service.web.server.web-1.workers\" = 9 }\n\
         [[timeline]]\nat = \"1m\"\nset = { \"service.web.server.web-1.weight\" = 5, \"client.timeout\" = \"1s\" }\n\
         [[timeline]]\nat = \"3m\"\nset = { \"service.web.balancer.policy\" = \"random\", \"service.web.demand\" = \"5ms\" }\n",
    ));
    let changes: Vec<&[Change]> = model
        .timeline
        .iter()
        .map(|e| {
            if let Action::Set { changes, .. } = &e.action {
                changes.as_slice()
            } else {
                &[]
            }
        })
        .collect();
    let [
        Change::Server(_, first),
        Change::Client(ClientId(0), client),
    ] = changes[0]
    else {
        panic!("{:?}", changes[0])
    };
    assert_eq!(
        (first.weight, client.timeout),
        (5.0, Some(Duration::from_secs(1)))
    );
    let [Change::Server(ServerId(0), second)] = changes[1] else {
        panic!("{:?}", changes[1])
    };
    assert_eq!(
        (second.weight, second.workers),
        (5.0, 9),
        "the earlier set still holds"
    );
    assert!(
        matches!(changes[2], [Change::Balancer(..), Change::Service(..)]),
        "{:?}",
        changes[2]
    );
}

#[test]
fn a_change_gives_the_parts_that_differ_and_a_scenario_that_replays_it() {
    let before = scenario(DESIGN);
    let model = before.model().expect("valid");
    let at = Instant(70 * 60 * SECOND);
    let (after, changed, set) = change(
        &before,
        &model,
        at,
        "service.web.server.web-1.workers",
        "32",
    )
    .unwrap_or_else(|p| panic!("{p}"));
    let Action::Set { changes, .. } = set else {
        panic!("{set:?}")
    };
    let [Change::Server(ServerId(0), params)] = changes.as_slice() else {
        panic!("{changes:?}")
    };
    assert_eq!(
        (params.workers, params.weight),
        (32, 1.0),
        "the time line has corrected the weight by then"
    );
    assert_eq!(changed.servers[0].params.workers, 32);
    assert_eq!(changed.timeline.len(), model.timeline.len());
    let replayed = after.model().expect("valid");
    assert_eq!(replayed.timeline.len(), 3);
    assert_eq!(replayed.servers[0].params.workers, 16);
    assert_eq!(replayed, scenario_model_of(&after));
    let earlier = Instant(60 * SECOND);
    let (_, changed, _) = change(
        &before,
        &model,
        earlier,
        "service.web.server.web-1.workers",
        "32",
    )
    .expect("valid");
    let Action::Set { changes, .. } = &changed.timeline[0].action else {
        panic!()
    };
    assert!(
        matches!(&changes[..], [Change::Server(_, p)] if p.workers == 32 && p.weight == 1.0),
        "later sets know of the change"
    );
}

/// What the written-out form gives.
fn scenario_model_of(scenario: &Scenario) -> Model {
    let mut model = Scenario::read(Source::new("t.toml", scenario.to_toml()), &[], &NoFiles)
        .unwrap_or_else(|p| panic!("{p}"))
        .model()
        .expect("valid");
    let lines = scenario.model().expect("valid");
    for (a, b) in model.expectations.iter_mut().zip(lines.expectations) {
        a.line = b.line;
    }
    model
}

#[test]
fn what_cannot_change_is_refused() {
    let before = scenario(DESIGN);
    let model = before.model().expect("valid");
    for (path, value, code) in [
        ("seed", "1", "E042"),
        ("horizon", "1h", "E042"),
        ("clock", "10:00", "E042"),
        ("limits.events", "10", "E042"),
        ("service.web.balancer.instances", "2", "E042"),
        ("service.web.server.web.count", "2", "E042"),
        ("timeline.0.at", "12:30", "E042"),
        ("alert.slow.when", "p99 > 1s", "E042"),
        ("expect.0.that", "never(crash)", "E042"),
        ("slo.checkout works.objective", "0.5", "E042"),
        ("service.web.server.web-1.weight", "-1", "E013"),
        ("service.web.server.web-1.wight", "1", "E040"),
        ("service.web.balancer.policy", "rondom", "E014"),
    ] {
        let problems = change(&before, &model, Instant::ZERO, path, value).expect_err(path);
        assert!(problems.has(code), "{path}: {problems}");
        assert!(problems.to_string().contains("change:1:"), "{problems}");
    }
}

#[test]
fn long_time_lines_over_large_fleets_are_quick() {
    let mut text = SMALL.replace("count = 3", "count = 10000");
    for i in 0..1000 {
        let path = match i % 3 {
            0 => "service.web.server.*.weight".to_owned(),
            1 => format!("service.web.server.web-{}.weight", i * 7 + 1),
            _ => "client.timeout".to_owned(),
        };
        let value = if i % 3 == 2 {
            format!("\"{}s\"", i + 1)
        } else {
            (i + 2).to_string()
        };
        let _ = write!(
            text,
            "[[timeline]]\nat = \"{i}s\"\nset = {{ \"{path}\" = {value} }}\n"
        );
    }
    let model = model(&text);
    assert_eq!(model.timeline.len(), 1000);
    let Action::Set { changes, .. } = &model.timeline[999].action else {
        panic!()
    };
    assert_eq!(changes.len(), 10_000);
}
