//! Rules of Prometheus on a run: when they fire by hand, what they see, what is refused.

use crate::support::{model, run, start, summary, times, told};
use sim_alert::unit_test::{Loader, unit_test};
use sim_core::engine::Simulation;
use sim_core::event_log::Kind;
use sim_core::scenario::{self, Files, NoFiles, Scenario, Source};
use sim_core::summary::Summary;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Requests come at a rate that rises by one a second every second, and are answered at once.
fn ramp(monitoring: &str, alert: &str) -> String {
    format!(
        "horizon = \"600s\"\n\
         traffic = [{{ to = \"web\", arrivals = \"deterministic\", rate = [[\"0s\", 0], [\"600s\", 600]] }}]\n\
         [service.web]\ndemand = \"1ms\"\nserver = [{{ name = \"s\", workers = 100 }}]\n\
         [monitoring]\n{monitoring}\n[[alert]]\nname = \"busy\"\nrule = \"promql\"\n{alert}\n"
    )
}

/// The outage, with rules that stand in a file.
fn outage(monitoring: &str, rules: &str) -> String {
    crate::support::outage(&format!(
        "[monitoring]\n{monitoring}\nrules = [{{ text = '''{rules}''' }}]\n"
    ))
}

/// A file with a rule in each line: its name, and what else it has.
fn rules(of: &[(&str, &str)]) -> String {
    let mut text = "groups:\n- name: g\n  rules:\n".to_owned();
    for (name, rest) in of {
        let _ = writeln!(
            text,
            "  - alert: {name}\n    {}",
            rest.replace('\n', "\n    ")
        );
    }
    text
}

#[test]
fn a_rate_on_a_ramp_fires_when_it_does_by_hand() {
    let fires = |monitoring: &str, alert: &str| times(&run(&ramp(monitoring, alert)), Kind::Alert);
    // Scraped and evaluated every 15 s, a minute holds the scrapes of t - 45, …, t, between which the mean rate is
    // t - 22.5. They begin 15 s after the window does, about as far as they are apart: extrapolated over all of it, the
    // rate is that of the 45 s. Above 200 it is from 222.5 on, seen at 225, and a minute later it fires.
    let rate = "sum(rate(http_requests_started_total[1m]))";
    let alert = format!("when = '{rate} > 200'\nfor = \"1m\"");
    assert_eq!(fires("scrape = \"15s\"", &alert), [285.0]);
    // With a lag of 20 s there are the scrapes of t - 45 and t - 30, 15 requests a second times t - 37.5. The window
    // begins 15 s before them, which counts, and ends 30 s after them, of which 7.5 s do: half of what they are
    // apart. In the minute that makes 37.5 / 60 x (t - 37.5), above 100 from 197.5 on, seen at 210.
    let alert = format!("when = '{rate} > 100'");
    assert_eq!(fires("scrape = \"15s\"\nlag = \"20s\"", &alert), [210.0]);
    // Between two scrapes there is no extrapolation: at t that is t - 7.5, above 100 from 107.5 on.
    let alert = "when = 'irate(http_requests_started_total[1m]) > 100'";
    assert_eq!(
        fires("scrape = \"15s\"\nevaluate = \"30s\"", alert),
        [120.0]
    );
    // A gauge needs a scrape and no window. One request takes a millisecond, n of them a second n of these: more than
    // half a request is in flight on average from 500 on; here they are answered at their scrape.
    let alert = "when = 'server_workers > 99'\nfor = \"45s\"";
    assert_eq!(fires("scrape = \"15s\"", alert), [45.0]);
}

#[test]
fn a_rule_of_a_file_is_an_alert_of_the_scenario() {
    let file = rules(&[
        (
            "Gone",
            "expr: up{job=\"server\"} == 0\nfor: 30s\nlabels: {severity: page}",
        ),
        ("Never", "expr: up > 1"),
    ]);
    let text = outage("scrape = \"10s\"", &file)
        + "[[runbook]]\nname = \"fetch\"\non = \"Gone\"\nacknowledge = \"20s\"\n\
           [[runbook.step]]\ndo = \"restart\"\ntarget = \"service.web.server.s\"\nwhen = \"down\"\n\
           [[expect]]\nthat = \"first(alert.Gone) in 139s..141s\"\n\
           [[expect]]\nthat = \"count(alert.Never) = 0\"\n";
    let run = run(&text);
    // Down from 100.05 s: seen at 110, firing at 140, mended at 160 and seen at 170 when it has started.
    assert_eq!(times(&run, Kind::Pending), [110.0]);
    assert_eq!(times(&run, Kind::Alert), [140.0]);
    assert_eq!(times(&run, Kind::Acknowledged), [160.0]);
    assert_eq!(times(&run, Kind::Resolved), [170.0]);
    let (_, name, cause) = &told(&run, Kind::Alert)[0];
    assert_eq!(name, "Gone");
    assert_eq!(
        cause,
        "up{job=\"server\"} == 0 (0 of {instance=\"s\", job=\"server\", service=\"web\", severity=\"page\"}, scraped now)"
    );
    let summary = Summary::of(&run, 0);
    let alert = &summary.alerts[0];
    let known = (alert.pending_at_s, alert.scraped_at_s, alert.paged_at_s);
    assert_eq!(known, (Some(110.0), Some(140.0), Some(140.0)));
    assert!(
        summary.expectations.iter().all(|one| one.passed),
        "{:?}",
        summary.expectations
    );
}

#[test]
fn an_alert_fires_with_the_first_of_its_series_and_is_resolved_with_the_last() {
    let second =
        "[[timeline]]\nat = \"120050ms\"\ndo = \"crash\"\ntarget = \"service.web.server.t\"\n";
    let file = rules(&[("Gone", "expr: up{job=\"server\"} == 0")]);
    let run = run(&outage("scrape = \"10s\"", &file)
        .replace("[monitoring]", &format!("{second}[monitoring]")));
    assert_eq!(times(&run, Kind::Alert), [110.0]);
    assert_eq!(times(&run, Kind::Resolved), [230.0]);
}

#[test]
fn what_cannot_be_scraped_ends_and_comes_back() {
    let file = rules(&[
        ("Silent", "expr: absent(server_in_flight{instance=\"s\"})"),
        ("Still", "expr: absent(http_requests_total{code=\"200\"})"),
    ]);
    let fires = |monitoring: &str| {
        let run = run(&outage(monitoring, &file));
        (times(&run, Kind::Alert), times(&run, Kind::Resolved))
    };
    assert_eq!(fires("scrape = \"10s\""), (vec![110.0], vec![210.0]));
    // The last value, of 100, counts for so long.
    let stale = "scrape = \"10s\"\nstale = \"40s\"";
    assert_eq!(fires(stale), (vec![150.0], vec![210.0]));
    let lag = "scrape = \"10s\"\nlag = \"25s\"";
    // Nothing is known before 30 s, when the scrape of 0 has arrived.
    assert_eq!(fires(lag), (vec![0.0, 0.0, 140.0], vec![30.0, 30.0, 240.0]));
}

#[test]
fn a_histogram_counts_each_request_in_its_bucket() {
    let file = rules(&[
        (
            "Slow",
            "expr: histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket[1m]))) > 0.009",
        ),
        (
            "Quick",
            "expr: http_request_duration_seconds_bucket{le=\"0.01\"} > 998",
        ),
        (
            "Time",
            "expr: http_request_duration_seconds_sum{code=\"200\"} > 9.985",
        ),
    ]);
    let run = run(&outage("scrape = \"10s\"", &file).replace("100050ms", "500050ms"));
    let at = |name: &str| {
        let alerts = told(&run, Kind::Alert).into_iter();
        alerts
            .filter(|(_, of, _)| of == name)
            .map(|(at, ..)| at)
            .next()
    };
    // All take exactly 10 ms and are in the bucket that ends there, between 5 and 10 ms: of that nine tenths are
    // 9.5 ms. Two scrapes make a rate.
    assert_eq!(at("Slow"), Some(10.0));
    // Ten a second from 0.1 s on: 999 have ended at 100 s, and one has just come.
    assert_eq!(at("Quick"), Some(100.0));
    assert_eq!(at("Time"), Some(100.0));
}

#[test]
fn recorded_series_and_groups_have_their_own_time() {
    let file = "groups:\n- name: names\n  interval: 20s\n  rules:\n\
                \x20 - record: requests:failed:ratio\n\
                \x20   expr: sum(rate(http_requests_total{code!=\"200\"}[1m])) / sum(rate(http_requests_total[1m]))\n\
                - name: alerts\n  interval: 45s\n  rules:\n\
                \x20 - alert: Failing\n    expr: requests:failed:ratio > 0.1\n";
    let run = run(&outage("scrape = \"10s\"", file));
    // Half fail from 100.05 s on. At 120 the ratio is recorded of 70 … 120; the alert is looked at, at 135.
    assert_eq!(times(&run, Kind::Alert), [135.0]);
}

/// The series of a run as promtool's files have them.
fn input_series(run: &Simulation, scrape_ms: i64, until_ms: i64) -> String {
    let mut text = String::new();
    for (labels, points) in run.scraped_series().expect("rules").series() {
        let made = labels.get("__name__").starts_with("ALERTS");
        if made {
            continue;
        }
        let by_time: BTreeMap<i64, Option<f64>> =
            points.iter().map(|p| (p.at_ms, p.value)).collect();
        let value = |at_ms: i64| match by_time.get(&at_ms) {
            Some(Some(value)) => format!("{value}"),
            Some(None) => "stale".to_owned(),
            None => "_".to_owned(),
        };
        let values: Vec<String> = (0..=until_ms / scrape_ms)
            .map(|i| value(i * scrape_ms))
            .collect();
        let series = labels.to_string().replace('\'', "''");
        let _ = writeln!(
            text,
            "  - {{ series: '{series}', values: '{}' }}",
            values.join(" ")
        );
    }
    text
}

struct InMemory<'a>(&'a [(&'a str, &'a str)]);

impl Loader for InMemory<'_> {
    fn read(&self, path: &str) -> Result<String, String> {
        let found = self.0.iter().find(|(name, _)| *name == path);
        found
            .map(|(_, text)| (*text).to_owned())
            .ok_or_else(|| path.to_owned())
    }
}

impl Files for InMemory<'_> {
    fn read(&self, name: &str) -> Result<Source, String> {
        Ok(Source::new(name, Loader::read(self, name)?))
    }
}

/// The rules of the comparison with promtool: of every kind of series, and far enough back that nothing is forgotten.
const RULES: &str = include_str!("../../../proof/alerts/rules.yml");

/// A run in which much goes wrong, with these rules.
const SCENARIO: &str = include_str!("../../../proof/alerts/run.toml");

/// The same series and when the alerts fired, as a file of tests: what promtool must agree to.
#[test]
fn promtool_is_given_the_series_and_the_alerts_of_a_run() {
    let files = InMemory(&[("rules.yml", RULES)]);
    let scenario = Scenario::read(Source::new("run.toml", SCENARIO), &[], &files);
    let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}"));
    let model = Arc::new(
        scenario
            .model()
            .unwrap_or_else(|problems| panic!("{problems}")),
    );
    let mut run = Simulation::new(model, 0);
    run.run();
    let series = input_series(&run, 15_000, 900_000);
    let mut firing: BTreeMap<String, Vec<(i64, bool)>> = BTreeMap::new();
    for event in run.recorder().event_log() {
        if matches!(event.kind, Kind::Alert | Kind::Resolved) {
            let of = firing.entry(event.subject.clone()).or_default();
            of.push((
                (event.at.0 / 1_000_000).cast_signed(),
                event.kind == Kind::Alert,
            ));
        }
    }
    assert!(firing.len() >= 6, "{firing:?}");
    let mut tests = String::new();
    for name in firing.keys() {
        for at_ms in (0..=900_000).step_by(15_000) {
            let last = firing[name].iter().rfind(|(at, _)| *at <= at_ms);
            let fires = last.is_some_and(|(_, fires)| *fires);
            let samples = if fires { "[ { value: 1 } ]" } else { "[]" };
            let _ = writeln!(
                tests,
                "  - {{ expr: 'max(ALERTS{{alertname=\"{name}\", alertstate=\"firing\"}})', eval_time: {}s, exp_samples: {samples} }}",
                at_ms / 1000
            );
        }
    }
    let file = format!(
        "# Written by `cargo test -p sim-core --test it promtool`; read by promtool in `.ci/prove alerts`.\n\
         rule_files: [ rules.yml ]\nevaluation_interval: 15s\ngroup_eval_order: [ recorded, alerts ]\ntests:\n- name: a run\n  interval: 15s\n  input_series:\n{series}  promql_expr_test:\n{tests}"
    );
    let files = InMemory(&[("rules.yml", RULES), ("run_test.yml", &file)]);
    let report = unit_test("run_test.yml", &files, &AtomicBool::new(false));
    let report = report.unwrap_or_else(|problems| panic!("{problems:?}"));
    let report = report.expect("nobody stops it");
    assert!(report.passed(), "{report:?}");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../proof/alerts/run_test.yml");
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    if kept != file {
        std::fs::write(path, &file).expect("a place to write to");
        panic!("{path} was not what the run has now, and is written anew: look at what changed");
    }
}

#[test]
fn a_fork_and_steps_see_the_same() {
    let file = rules(&[
        ("Gone", "expr: up{job=\"server\"} == 0\nfor: 20s"),
        (
            "Half",
            "expr: sum(rate(http_requests_total{outcome!=\"succeeded\"}[1m])) > 1",
        ),
        (
            "Slow",
            "expr: histogram_quantile(0.5, rate(http_request_duration_seconds_bucket{code=\"200\"}[1m])) > 1",
        ),
    ]);
    let text = outage("scrape = \"7s\"\nlag = \"2s\"\nevaluate = \"5s\"", &file);
    let told = |simulation: &Simulation| {
        let log = simulation.recorder().event_log();
        log.map(|e| format!("{e:?}")).collect::<Vec<_>>()
    };
    let whole = run(&text);
    assert!(told(&whole).len() >= 6, "{:?}", told(&whole));
    let mut stepped = start(&text);
    let mut fork = None;
    while stepped.step().is_some() {
        if fork.is_none() && stepped.now().as_secs_f64() > 123.0 {
            fork = Some(stepped.clone());
        }
    }
    let mut fork = fork.expect("the run is longer");
    assert!(fork.clone_bytes() > start(&text).clone_bytes());
    fork.run();
    let mut general = Simulation::new(model(&text), 0).without_fast_path();
    general.run();
    for other in [&stepped, &fork, &general] {
        assert_eq!(told(&whole), told(other));
        assert_eq!(whole.digest(), other.digest());
    }
    // Rules watch, and change nothing: the same run without them ends the same way.
    let without = text
        .replace("rules = [", "# ")
        .replace("[monitoring]", "[none]");
    let without = &without[..without.find("[none]").expect("it stands there")];
    let requests = |text: &str| summary(text).requests;
    assert_eq!(requests(&text), requests(without));
}

#[test]
fn what_is_kept_is_what_rules_look_at() {
    let file = rules(&[(
        "Gone",
        "expr: rate(http_requests_total{code=\"200\"}[2m] offset 1m) > 100",
    )]);
    let run = run(&outage("scrape = \"1s\"", &file));
    let store = run.scraped_series().expect("rules");
    let series = store.series().count();
    // One code, three minutes, both ends.
    assert_eq!(series, 1);
    assert!((180..=182).contains(&store.points()), "{}", store.points());
}

#[test]
fn a_rule_that_cannot_be_evaluated_says_so_once() {
    let file = rules(&[("Twice", "expr: up * on (job) up > 0")]);
    let run = run(&outage("scrape = \"10s\"", &file));
    let failed = told(&run, Kind::RuleFailed);
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0].1, "Twice");
    assert!(times(&run, Kind::Alert).is_empty());
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let wrong = |text: &str, code: &str, words: &[&str]| {
        let problems = scenario::parse(text).expect_err("it is wrong");
        assert!(problems.has(code), "{problems}");
        for word in words {
            assert!(problems.to_string().contains(word), "{word}: {problems}");
        }
    };
    let scrape = "scrape = \"10s\"";
    let of = |expr: &str| outage(scrape, &rules(&[("A", &format!("expr: {expr}"))]));
    wrong(&of("sum(rate(x)"), "E055", &["rules:5: ", "expr of"]);
    // What no simulation has, and what this one has not.
    let node = of("node_load1 > 5");
    wrong(
        &node,
        "E055",
        &[
            "rules:4: A: no simulation has a series \"node_load1\"",
            "http_requests_total",
            "skip_unknown",
        ],
    );
    let label = of("http_requests_total{status=\"500\"} > 5");
    wrong(
        &label,
        "E055",
        &[
            "no series of this scenario is http_requests_total{status=\"500\"}",
            "code (200, 499",
        ],
    );
    wrong(
        &of("up{instance=\"u\"} < 1"),
        "E055",
        &["instance (s, t, web-lb-1)"],
    );
    wrong(
        &of("rate(http_requests_total[15s]) > 5"),
        "E017",
        &["at least 20s"],
    );
    let long = "max_over_time(http_request_duration_seconds_bucket[20d]) > 0";
    wrong(&of(long), "E024", &["at most 1000000 values"]);
    let both = rules(&[("A", "expr: up < 1")]);
    let both = outage(scrape, &both) + "[[alert]]\nname = \"A\"\nwhen = \"failed > 5%\"\n";
    wrong(&both, "E019", &["rules:4: A: two alerts are called \"A\""]);
    let own = ramp(scrape, "when = 'sum by (le'");
    wrong(&own, "E055", &["is no expression of Prometheus"]);
    let none = ramp(scrape, "when = 'up < 1'").replace("[monitoring]\nscrape = \"10s\"\n", "");
    wrong(&none, "E017", &["there is no `[monitoring]`"]);
    wrong(
        &ramp(scrape, "when = 'up < 1'\nover = \"1m\""),
        "E017",
        &["`over` has no effect"],
    );
    let nothing = outage(scrape, "").replace("text = ''''''", "skip_unknown = true");
    wrong(&nothing, "E011", &["a `file`, or a `text`"]);
}

#[test]
fn rules_of_other_systems_are_left_out_when_asked() {
    let file = "groups:\n- name: g\n  rules:\n\
                \x20 - { record: load, expr: node_load1 }\n\
                \x20 - { alert: Loaded, expr: load > 5 }\n\
                \x20 - { alert: Gone, expr: \"up == 0\" }\n";
    let text = outage("scrape = \"10s\"", file).replace("''' }]", "''', skip_unknown = true }]");
    let scenario = Scenario::read(Source::new("s.toml", text.as_str()), &[], &NoFiles);
    let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}"));
    let warnings = scenario.warnings().join("\n");
    assert!(
        warnings.contains("rules:4: load is left out: no series is node_load1"),
        "{warnings}"
    );
    assert!(
        warnings.contains("rules:5: Loaded is left out: no series is load"),
        "{warnings}"
    );
    assert_eq!(times(&run(&text), Kind::Alert), [110.0]);
    // Nothing can rest on what is left out: it would hold for ever.
    let rests = |more: &str| {
        let text = format!("{text}{more}");
        let read = Scenario::read(Source::new("s.toml", text), &[], &NoFiles);
        let problems = read.and_then(|scenario| scenario.model()).map(|_| ());
        problems.expect_err("nothing can rest on it").to_string()
    };
    for more in [
        "[[expect]]\nthat = \"count(alert.Loaded) = 0\"\n",
        "[[runbook]]\nname = \"aid\"\non = \"Loaded\"\n[[runbook.step]]\ndo = \"note\"\nnote = \"x\"\n",
    ] {
        let problems = rests(more);
        assert!(problems.contains("Loaded"), "{problems}");
    }
    // Written out, it is the same scenario.
    let again = Scenario::read(Source::new("s.toml", scenario.to_toml()), &[], &NoFiles);
    let again = again.unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(again.hash(), scenario.hash());
    assert_eq!(again.model().ok(), scenario.model().ok());
}

#[test]
fn two_rules_of_one_name_are_one_alert() {
    let file = rules(&[
        (
            "Failing",
            "expr: sum(rate(http_requests_total{code!=\"200\"}[1m])) > 4\nlabels: {severity: page}",
        ),
        (
            "Failing",
            "expr: sum(rate(http_requests_total{code!=\"200\"}[1m])) > 1\nlabels: {severity: note}",
        ),
    ]);
    let run = run(&outage("scrape = \"10s\"", &file));
    assert_eq!(times(&run, Kind::Alert), [120.0]);
    assert_eq!(times(&run, Kind::Resolved).len(), 1);
}
