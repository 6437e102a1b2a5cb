//! Figures of the summary: each can be measured, and what theory knows comes out.

use crate::replicate::{check, exact, rough};
use crate::support::{log, model, summary, traced};
use serde_json::Value;
use sim_core::experiment::Measure;
use sim_core::metric::SummaryPath;
use sim_core::theory::markov;

/// What says which run it was, and how it was recorded.
const ABOUT_THE_RUN: [&str; 4] = ["schema_version", "seed", "replication", "percentile_error"];
/// Lists of what happened, for which expectations have `first(…)`, `count(…)` and the like.
const HAPPENINGS: [&str; 4] = ["alerts", "incidents", "expectations", "event_log"];

/// A scenario with something of everything.
const EVERYTHING: &str = r#"
    horizon = "60s"
    class.small = { share = 0.5 }
    class.large = { share = 0.5, demand_factor = 2 }
    traffic = [{ to = "web", rate = 100 }]
    client = { timeout = "50ms", retry = "fixed", guards = ["retry-budget"] }
    slo = [{ name = "fast", good = "response_time < 10ms", objective = 0.9 }]
    alert = [{ name = "failing", when = "failed > 1%", over = "10s", for = "0s" }]
    expect = [{ that = "availability > 1%" }]
    timeline = [{ at = "10s", do = "crash", target = "service.web.server.a-1" }]
    [service.web]
    numbers = true
    demand = { kind = "exponential", mean = "10ms" }
    balancer = { instances = 2, cost = "1ms" }
    link = { connections = "shared" }
    server = [{ name = "a", count = 2, workers = 1, restart = { kind = "after", pause = "3s" } }]
    call = [{ to = "db" }]
    [service.db]
    demand = { kind = "exponential", mean = "1ms" }
    server = [{ name = "d", workers = 1, machine = "m" }]
    [machine.m]
    cores = 2
"#;

/// Every number below a value, with its path.
fn leaves(path: &str, value: &Value, found: &mut Vec<(String, f64)>) {
    let below = |key: &str| {
        if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        }
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(k, v)| leaves(&below(k), v, found)),
        Value::Array(list) => {
            for (i, v) in list.iter().enumerate() {
                leaves(&below(&i.to_string()), v, found);
            }
        }
        Value::Number(number) => found.extend(number.as_f64().map(|n| (path.to_owned(), n))),
        _ => {}
    }
}

#[test]
fn every_number_of_the_summary_can_be_measured() {
    let (model, summary) = (model(EVERYTHING), summary(EVERYTHING));
    let json: Value = serde_json::from_str(&summary.to_json()).expect("JSON");
    let mut found = Vec::new();
    leaves("", &json, &mut found);
    let asked: Vec<&(String, f64)> = (found.iter())
        .filter(|(path, _)| {
            let first = path.split('.').next().unwrap_or_default();
            !ABOUT_THE_RUN.contains(&first) && !HAPPENINGS.contains(&first)
        })
        .collect();
    for (path, value) in &asked {
        let row = SummaryPath::find(path).unwrap_or_else(|| panic!("{path} has no row"));
        assert!(!row.about.is_empty(), "{path}");
        let figure = summary.figure(path).unwrap_or_else(|| panic!("{path}"));
        assert!((figure - value).abs() <= 1e-12 * value.abs(), "{path}");
        let measure = Measure::parse(path, &model).unwrap_or_else(|why| panic!("{why}"));
        assert!(measure.observe(&summary).is_some(), "{path}");
    }
    for wanted in [
        "wasted_work",
        "first_crash_s",
        "services.web.fairness",
        "guards.0.passed",
    ] {
        assert!(asked.iter().any(|(path, _)| path == wanted), "{wanted}");
    }
}

#[test]
fn names_that_are_not_there_are_refused() {
    let model = model(EVERYTHING);
    for wrong in [
        "services.web.balancers.web-lb-3.attempts",
        "guards.one.passed",
        "guards.123456.passed",
        "wait_s.positive",
        "classes.medium.waited",
    ] {
        assert!(Measure::parse(wrong, &model).is_err(), "{wrong}");
    }
}

fn queue(workers: u32, rate: f64, seconds: u64) -> String {
    format!(
        "horizon = \"{seconds}s\"\nwarm_up = \"{}s\"\ntraffic = [{{ to = \"web\", rate = {rate} }}]\n\
         [service.web]\ndemand = {{ kind = \"exponential\", mean = \"1ms\" }}\n\
         server = [{{ name = \"s\", workers = {workers} }}]\n",
        seconds / 10
    )
}

/// The sojourn time of M/M/1 is exponential: its deviation is its mean (Kleinrock 1975, section 3.2).
#[test]
fn deviations_and_the_share_that_waits_are_those_of_theory() {
    check(
        &queue(1, 500.0, 200),
        &[
            exact("waited", |s| s.waited.unwrap_or(0.0), 0.5),
            exact(
                "deviation",
                |s| s.response_time_s.deviation.unwrap_or(0.0) * 1e3,
                2.0,
            ),
            rough(
                "variance",
                |s| s.response_time_s.variance.unwrap_or(0.0) * 1e6,
                4.0,
            ),
        ],
    );
    check(
        &queue(4, 3200.0, 60),
        &[exact(
            "waited",
            |s| s.services.0[0].1.waited.unwrap_or(0.0),
            markov::erlang_c(4, 0.8),
        )],
    );
}

#[test]
fn equal_times_have_no_variance() {
    let rest = "[service.web]\ndemand = \"10ms\"\nserver = [{ name = \"s\", workers = 1 }]\n";
    let figures = summary(&traced("1s", &["0s", "100ms", "200ms"], rest));
    assert_eq!(figures.response_time_s.variance, Some(0.0));
    assert_eq!(figures.waited, Some(0.0));
}

#[test]
fn waits_are_told_apart_by_class() {
    let text = r#"
        horizon = "10s"
        class.first = { share = 0.5, priority = 0 }
        class.second = { share = 0.5, priority = 1 }
        traffic = [
            { name = "one", to = "web", class = "first", arrivals = { kind = "trace", times = ["0s", "10ms"] } },
            { name = "two", to = "web", class = "second", arrivals = { kind = "trace", times = ["10ms"] } },
        ]
        [service.web]
        demand = "100ms"
        server = [{ name = "s", workers = 1, queue = { discipline = "priority" } }]
    "#;
    let figures = summary(text);
    let class = |name: &str| figures.classes.get(name).expect("a class");
    let max_ms = |name: &str| class(name).wait_s.max.map(|s| (s * 1e3).round());
    assert_eq!(
        (max_ms("first"), class("first").waited),
        (Some(90.0), Some(0.5))
    );
    assert_eq!(
        (max_ms("second"), class("second").waited),
        (Some(190.0), Some(1.0))
    );
    assert_eq!((figures.wait_s.count, figures.waited), (3, Some(2.0 / 3.0)));
}

#[test]
fn crashes_and_downtime_add_up() {
    let figures = summary(EVERYTHING);
    let web = figures.services.get("web").expect("a service");
    let (crashes, down) = (web.crashes, web.downtime_s);
    assert_eq!((crashes, figures.first_crash_s), (1, Some(10.0)));
    let of_servers: f64 = web.servers.0.iter().map(|(_, s)| s.downtime_s).sum();
    assert!((down - of_servers).abs() < 1e-9 && down >= 3.0, "{down}");
    let calm = summary(&queue(1, 100.0, 10));
    assert_eq!(
        (calm.services.0[0].1.crashes, calm.first_crash_s),
        (0, None)
    );
}

#[test]
fn the_request_log_has_waits_and_demands() {
    let rest = "client = { timeout = \"150ms\" }\n[service.web]\ndemand = \"100ms\"\n\
                server = [{ name = \"s\", workers = 1, speed = 2, queue = { limit = 3 } }]\n";
    let rows = log(&traced("2s", &["0s", "10ms", "20ms", "30ms", "40ms"], rest));
    let served: Vec<Option<(u64, u64)>> = (rows.iter())
        .map(|row| {
            row.served
                .map(|s| (s.wait_ns / 1_000_000, s.demand_ns / 1_000_000))
        })
        .collect();
    // The fourth gives up while it waits; the fifth finds no room.
    assert_eq!(
        served,
        [
            Some((0, 100)),
            Some((40, 100)),
            Some((80, 100)),
            Some((120, 100)),
            None
        ]
    );
    assert_eq!(rows[3].outcome.name(), "timed_out");
}

/// The message of a warning of a run, where there is one.
fn warned(text: &str, code: &str) -> Option<String> {
    let simulation = crate::support::run(text);
    let warnings = sim_core::summary::Summary::of(&simulation, 0).warnings;
    (warnings.into_iter())
        .find(|warning| warning.code == code)
        .map(|warning| warning.message)
}

#[test]
fn percentiles_of_the_answered_alone_are_warned_of() {
    let text = |errors: &str| {
        format!(
            "horizon = \"100s\"\ntraffic = [{{ to = \"w\", rate = 10, arrivals = \"deterministic\" }}]\n[service.w]\n\
             demand = \"1ms\"\nserver = [{{ name = \"x\", workers = 1, errors = {{ rate = {errors} }} }}]\n"
        )
    };
    let message = warned(&text("0.5"), "answered-only").expect("half of them fail");
    assert!(
        message.contains("% of requests that were answered; "),
        "{message}"
    );
    assert_eq!(warned(&text("0"), "answered-only"), None);
    // Of nobody there are no percentiles.
    assert_eq!(warned(&text("1"), "answered-only"), None);
}

#[test]
fn traces_of_whole_seconds_are_warned_of() {
    let text = |times: &[&str]| {
        let times: Vec<String> = times.iter().map(|at| format!("\"{at}\"")).collect();
        format!(
            "horizon = \"20s\"\n[[traffic]]\nto = \"w\"\narrivals = {{ kind = \"trace\", times = [{}] }}\n[service.w]\n\
             demand = \"1ms\"\nserver = [{{ name = \"x\", workers = 1 }}]\n",
            times.join(", ")
        )
    };
    let whole = ["1s", "1s", "2s", "2s", "3s", "3s", "4s", "4s", "5s", "5s"];
    let message = warned(&text(&whole), "whole-seconds").expect("two at once");
    assert!(
        message.starts_with("all 10 requests of `traffic` come at whole seconds, 2.0 at once"),
        "{message}"
    );
    let mut one_not = whole;
    one_not[9] = "5100ms";
    let each_alone = ["1s", "2s", "3s", "4s", "5s", "6s", "7s", "8s", "9s", "10s"];
    for times in [&one_not[..], &each_alone, &whole[..9]] {
        assert_eq!(warned(&text(times), "whole-seconds"), None, "{times:?}");
    }
}

#[test]
fn one_run_of_demands_without_a_variance_is_warned_of() {
    let text = |shape: f64| {
        format!(
            "horizon = \"1m\"\ntraffic = [{{ to = \"w\", rate = 500 }}]\n[service.w]\n\
             demand = {{ kind = \"pareto\", mean = \"1ms\", shape = {shape} }}\nserver = [{{ name = \"x\", workers = 1 }}]\n"
        )
    };
    let message = warned(&text(1.4), "infinite-variance").expect("no variance");
    assert!(
        message.starts_with("the variance of the demand is infinite"),
        "{message}"
    );
    assert_eq!(warned(&text(2.5), "infinite-variance"), None);
}

#[test]
fn runs_that_are_short_for_their_load_are_warned_of() {
    let text = |rate: u32, horizon: &str, more: &str| {
        format!(
            "horizon = \"{horizon}\"\n{more}\ntraffic = [{{ to = \"w\", rate = {rate} }}]\n[service.w]\n\
             demand = {{ kind = \"exponential\", mean = \"1ms\" }}\nserver = [{{ name = \"x\", workers = 1 }}]\n"
        )
    };
    // M/M/1 forgets in 1 ms / (1 - √0.99)² = 39.8 s.
    let message = warned(&text(990, "1m", ""), "short-run").expect("a minute is too short");
    assert_eq!(
        message,
        "the run is short for a load of 0.990: 1.5 relaxation times of 39.8s are measured, and it takes 30, a horizon \
         of 20m; with another seed mean and percentiles would be others"
    );
    for (rate, horizon, more) in [
        (990, "20m", ""),
        (500, "1m", ""),
        // What happens once is as long as it is.
        (
            990,
            "1m",
            "timeline = [{ at = \"1s\", set = { \"service.w.server.x.speed\" = 1.1 } }]",
        ),
    ] {
        let told = warned(&text(rate, horizon, more), "short-run");
        assert_eq!(told, None, "{rate}, {horizon}, {more}");
    }
}

#[test]
fn the_offered_load_of_closed_systems_is_warned_of() {
    let text = |users: u32| {
        format!(
            "horizon = \"100s\"\n[[traffic]]\nto = \"w\"\narrivals = {{ kind = \"closed\", users = {users}, think = \"100ms\" }}\n\
             [service.w]\ndemand = \"10ms\"\nserver = [{{ name = \"x\", workers = 1 }}]\n"
        )
    };
    let message = warned(&text(50), "closed-load").expect("all of it is asked");
    assert!(
        message.contains("is what 50 users got round to asking"),
        "{message}"
    );
    assert_eq!(warned(&text(2), "closed-load"), None);
}
