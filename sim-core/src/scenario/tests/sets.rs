//! Sets from outside.

use super::*;

#[test]
fn every_kind_of_path_reaches_its_key() {
    let check = |path: &str, value: &str, holds: fn(&Model) -> bool| {
        let model =
            with_sets(DESIGN, &[(path, value)]).unwrap_or_else(|p| panic!("{path} = {value}: {p}"));
        assert!(holds(&model), "{path} = {value} has no effect");
    };
    check("seed", "7", |m| m.seed == 7);
    check("horizon", "3h", |m| {
        m.horizon == Duration::from_secs(10_800)
    });
    check("client.timeout", "2s", |m| {
        m.clients[1].timeout == Some(Duration::from_secs(2))
    });
    check("client.timeout", "none", |m| m.clients[0].timeout.is_none());
    check("class.checkout.client.timeout", "1s", |m| {
        m.clients[0].timeout != m.clients[1].timeout
    });
    check("client.retry.attempts", "5", |m| {
        m.clients[0].retry.build().terms().attempts == 5
    });
    check("service.web.server.web-1.weight", "1", |m| {
        m.servers[0].params.weight == 1.0
    });
    check("service.web.server.web-3.weight", "9", |m| {
        m.servers[2].params.weight == 9.0 && m.servers[1].params.weight == 1.0
    });
    check("service.web.server.web.weight", "9", |m| {
        m.servers[0].params.weight == 100.0 && m.servers[1..].iter().all(|s| s.params.weight == 9.0)
    });
    check("service.web.server.*.workers", "9", |m| {
        m.servers.iter().all(|s| s.params.workers == 9)
    });
    check("service.web.server.workers", "9", |m| {
        m.servers.iter().all(|s| s.params.workers == 9)
    });
    check("service.web.server.0.workers", "9", |m| {
        m.servers[0].params.workers == 9 && m.servers[1].params.workers == 16
    });
    check("service.web.server.web.count", "30", |m| {
        m.servers.len() == 31
    });
    check("service.web.server.web-1.queue.limit", "5", |m| {
        m.servers[0].params.queue_limit == 5
    });
    check("service.web.server.web-1.crash.0.above", "5", |m| {
        m.servers[0].params.crash[0].above == 5.0
    });
    check(
        "service.web.balancer.policy",
        "{ kind = \"power-of-d\", d = 3 }",
        |m| m.services[0].balancer.policy.params.integer("d") == 3,
    );
    check("service.web.balancer.policy", "random", |m| {
        m.services[0].balancer.policy.def.row.name == "random"
    });
    check("service.web.balancer.health_check", "none", |m| {
        m.services[0].balancer.health.is_empty()
    });
    check("service.web.balancer.standby.count", "2", |m| {
        m.services[0].balancer.standby.count == 2
    });
    check("service.web.demand.cv", "2.0", |m| {
        m.services[0].demand.params.number("cv") == 2.0
    });
    check("traffic.traffic.rate", "50", |m| {
        m.sources[0].rate.initial_hz() == 50.0
    });
    check("traffic.0.rate.0.1", "50", |m| {
        m.sources[0].rate.initial_hz() == 50.0
    });
    check("timeline.0.at", "13:20", |m| {
        m.timeline[0].at == Instant(4200 * SECOND)
    });
    check("alert.slow.when", "p99 > 3s", |m| {
        m.alerts[0].condition().map(|when| when.threshold) == Some(3e9)
    });
}

#[test]
fn the_order_of_sets_does_not_matter() {
    let sets = [
        ("service.web.balancer.policy", "{ kind = \"power-of-d\" }"),
        ("service.web.balancer.policy.d", "5"),
        ("service.web.server.web.weight", "2"),
        ("service.web.server.web-3.weight", "7"),
    ];
    let forwards = with_sets(DESIGN, &sets).unwrap_or_else(|p| panic!("{p}"));
    let backwards: Vec<_> = sets.iter().rev().copied().collect();
    assert_eq!(Ok(forwards.clone()), with_sets(DESIGN, &backwards));
    assert_eq!(forwards.services[0].balancer.policy.params.integer("d"), 5);
    assert_eq!(
        forwards
            .servers
            .iter()
            .map(|s| s.params.weight)
            .collect::<Vec<_>>(),
        [100.0, 2.0, 7.0, 2.0]
    );
}

#[test]
fn sets_that_go_nowhere_are_refused() {
    for (path, value, code, words) in [
        ("service.wbe.demand", "1ms", "E020", "did you mean \"web\""),
        ("service.web.server.web-9.weight", "1", "E020", "web-1"),
        (
            "service.web.server.web-1.wieght",
            "1",
            "E040",
            "did you mean \"weight\"",
        ),
        ("service.web.server.web-1", "1", "E040", "too early"),
        ("service.web", "1", "E040", "too early"),
        ("service..x", "1", "E040", "no path"),
        ("", "1", "E040", "no path"),
        ("seed", "1.5", "E012", "whole number"),
        ("seed", "inf", "E003", "number"),
        ("base", "x", "E044", "cannot be set"),
        ("service.web.server.web-2.like", "web-1", "E044", "copied"),
        ("service.web.network.mean", "1ms", "E040", "not written"),
        ("title.x", "1", "E040", "no parts"),
        ("class.vip.share", "1", "E020", "browse"),
        ("expect.7.that", "x", "E020", "no expect"),
    ] {
        let problems = with_sets(DESIGN, &[(path, value)]).expect_err(path);
        assert!(
            problems.has(code) && problems.to_string().contains(words),
            "{path}: {problems}"
        );
        assert!(problems.to_string().contains("--set:1:"), "{problems}");
    }
    let problems = with_sets(DESIGN, &[("seed", "1"), ("seed", "2")]).expect_err("twice");
    assert!(problems.has("E041"), "{problems}");
}

#[test]
fn problems_with_values_point_into_the_value() {
    let problems = with_sets(
        DESIGN,
        &[(
            "client.retry",
            "{ kind = \"exponential-backoff\", attemps = 3 }",
        )],
    )
    .expect_err("misspelt");
    let label = &problems.problems[0].labels[0];
    assert_eq!(problems.sources[label.source].name, "--set");
    assert_eq!(
        &problems.sources[label.source].text[label.span.clone()],
        "attemps"
    );
}

#[test]
fn the_hash_follows_the_content_and_not_its_form() {
    let hash = |text: &str, sets: &[(&str, &str)]| {
        let sets: Vec<_> = sets
            .iter()
            .map(|(p, v)| ((*p).to_owned(), (*v).to_owned()))
            .collect();
        Scenario::read(Source::new("t.toml", text), &sets, &NoFiles)
            .expect("valid")
            .hash()
    };
    let plain = hash(SMALL, &[]);
    assert_eq!(plain, hash(&SMALL.replace(" = ", "="), &[]));
    assert_eq!(
        plain,
        hash(&SMALL.replace("rate = 100", "rate = 100.0 # more"), &[])
    );
    assert_ne!(plain, hash(&SMALL.replace("rate = 100", "rate = 101"), &[]));
    assert_eq!(
        hash(SMALL, &[("seed", "5"), ("traffic.0.rate", "7")]),
        hash(SMALL, &[("traffic.0.rate", "7"), ("seed", "5")])
    );
}

#[test]
fn a_rate_factor_multiplies_every_rate_also_later_ones() {
    let text = r#"
        horizon = "1m"
        rate_factor = 2.5
        traffic = [
            { name = "a", to = "web", rate = 100 },
            { name = "b", to = "web", rate = [["0s", 10], ["30s", 20]] },
            { name = "c", to = "web", arrivals = { kind = "closed", users = 3, think = "1s" } },
        ]
        timeline = [{ at = "9s", set = { "traffic.a.rate" = 40 } }]
        [service.web]
        demand = "1ms"
        server = [{ name = "a", workers = 1 }]
    "#;
    let model = crate::scenario::parse(text).unwrap_or_else(|p| panic!("{p}"));
    let rates = |source: &crate::model::Source| -> Vec<f64> {
        source
            .rate
            .corners_from(Instant::ZERO)
            .map(|point| point.rate_hz)
            .collect()
    };
    assert_eq!(rates(&model.sources[0]), [250.0]);
    assert_eq!(rates(&model.sources[1]), [25.0, 50.0]);
    let crate::model::Action::Set { changes, .. } = &model.timeline[0].action else {
        panic!("{:?}", model.timeline);
    };
    let [crate::model::Change::Source(_, source)] = &changes[..] else {
        panic!("{changes:?}");
    };
    assert_eq!(rates(source), [100.0]);
    let closed = text.replace("name = \"a\", to = \"web\", rate = 100", "name = \"a\", to = \"web\", arrivals = { kind = \"closed\", users = 3, think = \"1s\" }")
        .replace("name = \"b\", to = \"web\", rate = [[\"0s\", 10], [\"30s\", 20]]", "name = \"b\", to = \"web\", arrivals = { kind = \"closed\", users = 3, think = \"1s\" }")
        .replace("timeline = [{ at = \"9s\", set = { \"traffic.a.rate\" = 40 } }]", "");
    let problems = crate::scenario::parse(&closed).expect_err("nothing to multiply");
    assert!(problems.to_string().contains("E027"), "{problems}");
}
