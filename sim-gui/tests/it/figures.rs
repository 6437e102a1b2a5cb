//! The figures on screen are those of `summary.json`: which key stands behind which label is
//! written here once more, by hand, so that one that shows another's figure is noticed.

use crate::screen::{perform, window_at};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use serde_json::Value;
use sim_core::engine::{MachineState, Simulation};
use sim_core::readable::{number, share, short, time};
use sim_core::scenario::{Scenario, Source};
use sim_core::summary::Summary;
use sim_gui::command::Command;
use sim_gui::playback::Edit;
use sim_gui::state::Thing;
use sim_gui::{App, MODELS, dialog};
use std::sync::Arc;

/// A run without a window, stopped at a moment.
struct Plain {
    simulation: Simulation,
    /// What `stampede run` writes as `summary.json`.
    json: Value,
}

impl Plain {
    /// A text run until a moment, a span since the start.
    fn run(text: &str, until: &str) -> Self {
        let scenario = Scenario::read(Source::new("plain.toml", text), &[], &MODELS);
        let scenario = scenario.expect("valid");
        let mut simulation = Simulation::new(Arc::new(scenario.model().expect("valid")), 0);
        let until = sim_core::time::Duration::parse(until).expect("a span");
        simulation.run_until(sim_core::time::Instant(until.0));
        let json = Summary::of(&simulation, scenario.hash()).to_json();
        let json = serde_json::from_str(&json).expect("JSON");
        Self { simulation, json }
    }

    fn model(name: &str, until: &str) -> Self {
        Self::run(&MODELS.find(name).expect("a model").text, until)
    }

    /// A figure by its path of keys.
    fn figure(&self, path: &str) -> f64 {
        let value = self.json.pointer(path);
        let value = value.and_then(Value::as_f64);
        value.unwrap_or_else(|| panic!("{path} is a figure of {}", self.json))
    }
}

/// Everything that has a name on the screen is there as it was written.
fn shows(harness: &Harness<'static, App>, expected: &[String]) {
    let missing: Vec<&String> = expected
        .iter()
        .filter(|name| harness.query_all_by_label(name).next().is_none())
        .collect();
    assert!(missing.is_empty(), "not on the screen: {missing:#?}");
}

/// What the banner must say.
fn banner(plain: &Plain) -> Vec<String> {
    let servers = plain.simulation.snapshot().servers;
    let up = servers.iter().filter(|s| s.state == MachineState::Up);
    vec![
        format!("servers up {} of {}", up.count(), servers.len()),
        format!("lost so far {}", short(plain.figure("/requests/lost"))),
        format!("availability {}", share(plain.figure("/availability"))),
        format!(
            "attempts/request {}",
            number(plain.figure("/attempts/per_request"))
        ),
        format!("seed {}", plain.json["seed"]),
    ]
}

/// What the inspector must say of the whole site.
fn site(plain: &Plain) -> Vec<String> {
    let seconds = |path| time(plain.figure(path) * 1e9);
    vec![
        format!("requests: {}", number(plain.figure("/requests/arrived"))),
        format!(
            "answered in time: {}",
            number(plain.figure("/requests/succeeded"))
        ),
        format!("failed: {}", number(plain.figure("/requests/failed"))),
        format!("availability: {}", share(plain.figure("/availability"))),
        format!("response time p50: {}", seconds("/response_time_s/p50")),
        format!("response time p99: {}", seconds("/response_time_s/p99")),
        format!(
            "attempts per request: {}",
            number(plain.figure("/attempts/per_request"))
        ),
    ]
}

/// What the inspector must say of a server, by its place in the model.
fn server(plain: &Plain, service: &str, name: &str, place: usize) -> Vec<String> {
    let figure = |key| plain.figure(&format!("/services/{service}/servers/{name}/{key}"));
    let now = &plain.simulation.snapshot().servers[place];
    vec![
        format!("in it: {}, {} waiting", now.in_system, now.queue_len),
        format!("attempts: {}", number(figure("attempts"))),
        format!("share: {}", share(figure("share"))),
        format!("failed: {}", number(figure("failed"))),
        format!("busy so far: {}", share(figure("utilisation"))),
        format!("crashes: {}", figure("crashes")),
        format!("time down: {}", time(figure("downtime_s") * 1e9)),
    ]
}

/// What the inspector must say of a balancer.
fn balancer(plain: &Plain, service: &str, name: &str) -> Vec<String> {
    let figure = |key| plain.figure(&format!("/services/{service}/balancers/{name}/{key}"));
    let instances = plain.simulation.snapshot().instances;
    let now = instances.iter().find(|i| i.name == name).expect("it");
    vec![
        format!("state: {}", now.state.name()),
        format!("eligible servers: {}", now.eligible),
        format!("holds: {} connections", now.connections),
        format!("waiting: {}", now.waiting),
        format!("attempts: {}", number(figure("attempts"))),
        format!("crashes: {}", figure("crashes")),
    ]
}

/// The incident after web-1, and with it the balancer, has crashed.
#[test]
fn the_figures_of_the_incident_are_those_of_its_summary() {
    let plain = Plain::model("incident", "30m");
    assert!(
        plain.figure("/requests/failed") > 0.0
            && plain.json["requests"]["failed"] != plain.json["requests"]["succeeded"],
        "figures that could be taken for each other would prove nothing"
    );
    let mut harness = window_at("incident", "12:40");
    shows(&harness, &banner(&plain));
    shows(&harness, &site(&plain));
    let objective = plain.figure("/slos/answered within 2 s/attained");
    let objective = format!("answered within 2 s: {} good", share(objective));
    shows(&harness, &[objective]);
    for (place, name) in ["web-1", "web-2", "web-3", "web-4"].iter().enumerate() {
        perform(&mut harness, Command::Select(Some(Thing::Server(place))));
        shows(&harness, &server(&plain, "web", name, place));
    }
    perform(&mut harness, Command::Select(Some(Thing::Instance(0))));
    shows(&harness, &balancer(&plain, "web", "web-lb-1"));
}

/// Memory that fills, of a server and of its balancer; and none where the scenario says nothing of it.
#[test]
fn memory_is_shown_where_there_is_any() {
    let mut harness = window_at("incident", "12:29");
    let snapshot = harness
        .state()
        .state()
        .view()
        .expect("a view")
        .snapshot
        .clone();
    let mib = |bytes: f64| format!("{:.0}", bytes / 1024.0 / 1024.0);
    let web_1 = snapshot.servers[0].memory.expect("web-1 has memory");
    assert!(
        web_1.used > 0.9 * web_1.limit,
        "it is nearly full: {web_1:?}"
    );
    perform(&mut harness, Command::Select(Some(Thing::Server(0))));
    shows(
        &harness,
        &[format!("memory: {} of 2048 MiB", mib(web_1.used))],
    );
    let balancer = snapshot.instances[0].memory.expect("so has the balancer");
    perform(&mut harness, Command::Select(Some(Thing::Instance(0))));
    shows(
        &harness,
        &[format!("memory: {} of 512 MiB", mib(balancer.used))],
    );

    let mut harness = window_at("cascade", "1m");
    perform(&mut harness, Command::Select(Some(Thing::Server(0))));
    assert!(harness.query_by_label_contains("memory: ").is_none());
}

/// Five servers that crash one after the other, without objectives.
#[test]
fn the_figures_of_a_cascade_are_those_of_its_summary() {
    let plain = Plain::model("cascade", "15m");
    let mut harness = window_at("cascade", "15m");
    shows(&harness, &banner(&plain));
    shows(&harness, &site(&plain));
    let model = harness.state().state().model().expect("a model").clone();
    for (place, of) in model.servers.iter().enumerate() {
        let service = &model.services[of.service.0 as usize].name;
        perform(&mut harness, Command::Select(Some(Thing::Server(place))));
        shows(&harness, &server(&plain, service, &of.name, place));
    }
}

/// A figure of two futures: both, and what the second has more or less.
fn compared(label: &str, a: f64, b: f64, write: &dyn Fn(f64) -> String) -> String {
    let (first, second) = (write(a), write(b));
    let (sign, more) = if b < a { ("−", a - b) } else { ("+", b - a) };
    let mut more = write(more);
    // Shares differ by points, not by a share of anything.
    if let Some(points) = more.strip_suffix(" %") {
        more = format!("{points} pts");
    }
    format!("{label}: {first} and {second}, {sign}{more}")
}

#[test]
fn the_figures_of_two_futures_are_those_of_two_summaries() {
    let a = Plain::model("incident", "35m");
    let changed = "base = \"incident\"\n[[timeline]]\nat = \"15m\"\n\
                   set = { \"service.web.server.web-1.weight\" = 3 }\n";
    let b = Plain::run(changed, "35m");
    let mut harness = window_at("incident", "12:25");
    let edit = Edit::set("service.web.server.web-1.weight", "3");
    perform(&mut harness, Command::Edit(edit));
    let later = dialog::moment(harness.state().state(), "12:45").expect("a moment");
    perform(&mut harness, Command::Seek(later));
    let row = |label, path, write: &dyn Fn(f64) -> String| {
        compared(label, a.figure(path), b.figure(path), write)
    };
    let seconds = |s: f64| time(s * 1e9);
    let spent = "/slos/answered within 2 s/budget_spent";
    let expected = [
        row("availability", "/availability", &share),
        row("requests lost", "/requests/lost", &short),
        row("response time p50", "/response_time_s/p50", &seconds),
        row("response time p99", "/response_time_s/p99", &seconds),
        row("answered per second", "/goodput_hz", &short),
        row("attempts per request", "/attempts/per_request", &number),
        row("error budgets spent", spent, &number),
    ];
    assert!(expected[0].contains(", +") && expected[1].contains(", −"));
    shows(&harness, &expected);
    // The banner stays with the first.
    shows(&harness, &banner(&a));
}
