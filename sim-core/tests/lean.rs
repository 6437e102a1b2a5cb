//! The library with nothing that can be left out, neither threads nor TOML:
//! `cargo test -p sim-core --no-default-features --test lean`. With both it gives the same.

use sim_core::prelude::*;
use std::sync::Arc;

const SCENARIO: &str = r#"{
    "horizon": "10s",
    "traffic": [{ "to": "web", "rate": 80 }],
    "service": { "web": {
        "demand": { "kind": "exponential", "mean": "10ms" },
        "balancer": {
            "policy": { "kind": "power-of-d", "d": 3 },
            "client": { "retry": { "kind": "haproxy" } },
        },
        "server": [{ "name": "web", "count": 3, "workers": 1 }],
    } },
}"#;

/// What it gives, in every build.
const DIGEST: &str = "98d41a18f19f9688";

fn digest(model: Model) -> String {
    let mut simulation = Simulation::new(Arc::new(model), 0);
    simulation.run();
    format!("{:016x}", simulation.digest())
}

fn read(sets: &[(&str, &str)]) -> Model {
    let owned = |(path, value): &(&str, &str)| ((*path).to_owned(), (*value).to_owned());
    let sets: Vec<_> = sets.iter().map(owned).collect();
    let scenario = Scenario::read(Source::new("web.json", SCENARIO), &sets, &NoFiles);
    let model = scenario.and_then(|scenario| scenario.model());
    model.unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn a_scenario_in_json_gives_the_same_in_every_build() {
    assert_eq!(digest(read(&[])), DIGEST);
}

#[test]
fn words_and_numbers_of_sets_are_read_in_every_build() {
    let policy = "service.web.balancer.policy";
    assert_ne!(digest(read(&[(policy, "random")])), DIGEST);
    assert_eq!(
        digest(read(&[("service.web.server.web.workers", "1")])),
        DIGEST
    );
}

#[cfg(feature = "toml")]
#[test]
fn in_toml_it_is_the_same() {
    let text = r#"
        horizon = "10s"
        traffic = [{ to = "web", rate = 80 }]
        [service.web]
        demand = { kind = "exponential", mean = "10ms" }
        balancer.policy = { kind = "power-of-d", d = 3 }
        balancer.client.retry = { kind = "haproxy" }
        server = [{ name = "web", count = 3, workers = 1 }]
    "#;
    assert_eq!(digest(parse(text).expect("valid")), DIGEST);
}

#[cfg(not(feature = "toml"))]
#[test]
fn tables_of_sets_are_json() {
    let policy = "service.web.balancer.policy";
    let set = r#"{ "kind": "power-of-d", "d": 3 }"#;
    assert_eq!(digest(read(&[(policy, set)])), DIGEST);
}

#[cfg(not(feature = "toml"))]
#[test]
fn toml_and_dialects_are_refused() {
    let told = |text: &str| parse(text).expect_err("refused").to_string();
    let toml = told("horizon = \"10s\"");
    assert!(toml.contains("not well-formed JSON"), "{toml}");
    let dialect = told(&SCENARIO.replace("\"policy\":", "\"dialect\": \"nginx\", \"policy\":"));
    assert!(dialect.contains("dialect"), "{dialect}");
}
