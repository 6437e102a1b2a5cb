//! Breaking points that are known.

use super::super::control::tests::on;
use super::*;
use crate::scenario::{NoFiles, Scenario, Source};

/// M/M/1 with a demand of 10 ms at 50 requests per second times the factor.
fn queue(factor: f64, until: &str) -> Result<Loaded, String> {
    let text = format!(
        "horizon = \"6m\"\nwarm_up = \"20s\"\nrate_factor = {factor}\ntraffic = [{{ to = \"web\", rate = 50 }}]\n[service.web]\ndemand = {{ kind = \"exponential\", mean = \"10ms\" }}\nserver = [{{ name = \"a\", workers = 1 }}]\n"
    );
    let scenario =
        Scenario::read(Source::new("s.toml", text), &[], &NoFiles).map_err(|p| p.to_string())?;
    let until = scenario
        .condition("until", until)
        .map_err(|p| p.to_string())?;
    Ok(Loaded {
        model: Arc::new(scenario.model().map_err(|p| p.to_string())?),
        until: vec![until],
    })
}

fn plan(search: Search) -> StressPlan {
    StressPlan {
        first: 0,
        replications: 12,
        level: 0.99,
        search,
        tolerance: 0.005,
        whole: false,
    }
}

const WIDE: Search = Search::From {
    start: 1.0,
    step: 2.0,
    low: 0.01,
    high: 100.0,
};

#[test]
fn the_breaking_point_of_a_known_queue_is_found() {
    // The mean response time 1 / (100 - rate) exceeds 40 ms from 75/s on: a factor of 1.5.
    let load = |factor: f64| queue(factor, "response_time_s.mean > 40ms");
    let one = on(1, |c| stress(&plan(WIDE), &load, c)).expect("valid");
    let interval = one.estimate.interval().expect("all break");
    assert!(interval.covers(1.5), "{interval:?}");
    assert!(interval.half_width() < 0.05, "{interval:?}");
    assert!(
        one.all_hold < Some(1.5) && one.all_break > Some(1.5),
        "{one:?}"
    );
    assert_eq!(one.broke_below, 0);
    // Twelve runs all hold with a probability of 1 % where each breaks with one of 31.87 %.
    let risk = one.risk.expect("all have a point");
    assert!((risk.high - 0.318_7).abs() < 1e-4, "{risk:?}");
    let many = on(3, |c| stress(&plan(WIDE), &load, c)).expect("valid");
    assert_eq!(one, many);
    // The same by bounds, and from the other side.
    for search in [
        Search::Between(0.5, 1.9),
        Search::From {
            start: 8.0,
            step: 2.0,
            low: 0.01,
            high: 100.0,
        },
    ] {
        let found = on(2, |c| stress(&plan(search), &load, c)).expect("valid");
        let interval = *found.estimate.interval().expect("all break");
        assert!(interval.covers(1.5), "{interval:?}");
    }
}

#[test]
fn what_never_or_always_breaks_has_no_breaking_point() {
    let narrow = Search::From {
        start: 1.0,
        step: 2.0,
        low: 0.5,
        high: 1.5,
    };
    for (until, never, always) in [
        ("response_time_s.mean > 10m", 12, 0),
        ("response_time_s.mean > 1ns", 0, 12),
    ] {
        let load = |factor: f64| queue(factor, until);
        let found = on(2, |c| stress(&plan(narrow), &load, c)).expect("valid");
        assert_eq!(found.without_point(), (never, always), "{found:?}");
        assert!(found.estimate.interval().is_none());
        assert_eq!(found.all_hold, None);
    }
}

#[test]
fn a_key_of_which_less_is_worse_is_bisected_too() {
    // Holds with three workers and more.
    let load = |workers: f64| -> Result<Loaded, String> {
        let text = format!(
            "horizon = \"2m\"\nwarm_up = \"10s\"\ntraffic = [{{ to = \"web\", rate = 200 }}]\n[service.web]\ndemand = {{ kind = \"exponential\", mean = \"10ms\" }}\nserver = [{{ name = \"a\", workers = {workers} }}]\n"
        );
        let scenario = Scenario::read(Source::new("s.toml", text), &[], &NoFiles)
            .map_err(|p| p.to_string())?;
        let until = scenario
            .condition("until", "p99 > 100ms")
            .map_err(|p| p.to_string())?;
        Ok(Loaded {
            model: Arc::new(scenario.model().map_err(|p| p.to_string())?),
            until: vec![until],
        })
    };
    let plan = StressPlan {
        replications: 5,
        whole: true,
        ..plan(Search::Between(1.0, 20.0))
    };
    let found = on(2, |c| stress(&plan, &load, c)).expect("valid");
    assert_eq!((found.all_hold, found.all_break), (Some(3.0), Some(2.0)));
}

#[test]
fn a_model_that_cannot_be_built_is_an_error() {
    let load = |_: f64| Err::<Loaded, _>("no such model");
    let found = on(1, |c| stress(&plan(WIDE), &load, c));
    assert_eq!(found, Err("no such model"));
}

#[test]
fn what_answers_next_to_nothing_is_broken_though_the_answers_are_fast() {
    // Every second request goes to a server that takes ten thousand times as long: the answers are
    // those of the other one, and fast.
    let dead = |factor: f64| -> Result<Loaded, String> {
        let text = format!(
            "horizon = \"2m\"\nrate_factor = {factor}\ntraffic = [{{ to = \"web\", rate = 50 }}]\n[service.web]\ndemand = \"10ms\"\nbalancer = {{ policy = \"random\" }}\nserver = [{{ name = \"a\", workers = 8 }}, {{ name = \"b\", workers = 8, speed = 0.0001 }}]\n"
        );
        let scenario = Scenario::read(Source::new("s.toml", text), &[], &NoFiles)
            .map_err(|p| p.to_string())?;
        let until = scenario
            .condition("until", "p99 > 1s")
            .map_err(|p| p.to_string())?;
        Ok(Loaded {
            model: Arc::new(scenario.model().map_err(|p| p.to_string())?),
            until: vec![until],
        })
    };
    let loaded = dead(1.0).expect("valid");
    let simulation = crate::experiment::run::simulate(
        &loaded.model,
        0,
        &std::sync::atomic::AtomicBool::new(false),
    )
    .expect("not stopped");
    let plain = Summary::of(&simulation, 0);
    assert!(
        plain.response_time_s.p99 < Some(0.1),
        "the answers are fast"
    );
    assert!(
        plain.warnings.iter().any(|w| w.code == "unanswered"),
        "and the reader is warned: {:?}",
        plain.warnings
    );
    assert!(loaded.broke(&simulation));
    let found = on(2, |c| stress(&plan(WIDE), &dead, c)).expect("valid");
    let always = |b: &Breaking| *b == Breaking::Always;
    assert!(found.breaking.iter().all(always), "{found:?}");
}
