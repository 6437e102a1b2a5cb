//! Policies of one's own, as scripts beside a scenario.

use crate::support::{run, summary};
use sim_core::prelude::{
    End, Files, Instant, NoFiles, Problems, Scenario, Simulation, Source, Summary,
};
use std::sync::Arc;

/// Two choices, the first drawn of equals: the same draws as the program's own.
const LESS_OF_TWO: &str = include_str!("../less-of-two.policy");

/// Turns that begin at the first server, as the program's own.
const TURNS: &str = "
let last = none;
fn pick() {
    for s in eligible { if s > last { last = s; return s; } }
    last = eligible(0);
    return last;
}
";

/// Servers that crash, come back and are full at times, retries that keep away from where they were.
fn eventful(policy: &str, instances: u32) -> String {
    format!(
        r#"
horizon = "20s"
client = {{ timeout = "80ms", retry = {{ kind = "fixed", attempts = 3, avoid = "previous" }} }}
traffic = [{{ to = "web", rate = 300 }}]
[service.web]
demand = {{ kind = "exponential", mean = "9ms" }}
balancer = {{ policy = {policy}, instances = {instances}, pending_queue = {{ limit = 50 }} }}
server = [{{ name = "w", count = 4, workers = 1, max_connections = 5 }}]
[[timeline]]
at = "5s"
do = "crash"
target = "service.web.server.w-2"
[[timeline]]
at = "9s"
do = "restart"
target = "service.web.server.w-2"
"#
    )
}

fn code(script: &str) -> String {
    format!("{{ kind = \"script\", code = '''{script}''' }}")
}

#[test]
fn a_script_gives_the_run_of_the_policy_that_it_imitates() {
    for (script, own, instances) in [
        ("fn pick() { return any(); }", "\"random\"", 2),
        (LESS_OF_TWO, "\"power-of-d\"", 2),
        (TURNS, "\"round-robin\"", 1),
    ] {
        let (ours, theirs) = (
            run(&eventful(&code(script), instances)),
            run(&eventful(own, instances)),
        );
        assert_eq!(ours.digest(), theirs.digest(), "{own}");
        let figures = |simulation: &Simulation| Summary::of(simulation, 0).to_json();
        // The same figures, but for what the two scenarios are called by their content.
        let strip = |text: String| -> String {
            let lines = text.lines().filter(|line| !line.contains("\"scenario"));
            lines.collect::<Vec<_>>().join("\n")
        };
        assert_eq!(strip(figures(&ours)), strip(figures(&theirs)), "{own}");
        // And a neighbouring rule is another run.
        let other = script.replace("in_flight(other) <", "in_flight(other) <=");
        let other = other.replace("any()", "eligible(below(count()) * 0)");
        let other = other.replace("s > last", "s >= last");
        assert_ne!(
            run(&eventful(&code(&other), instances)).digest(),
            theirs.digest(),
            "{own}"
        );
    }
}

/// One file beside a scenario.
struct Beside(&'static str);

impl Files for Beside {
    fn read(&self, name: &str) -> Result<Source, String> {
        match name {
            "mine.policy" => Ok(Source::new(name, self.0)),
            _ => Err("there is no such file".to_owned()),
        }
    }
}

fn read(policy: &str, script: &'static str) -> Result<Scenario, Problems> {
    let text = eventful(policy, 1);
    Scenario::read(Source::new("s.toml", text), &[], &Beside(script))
}

#[test]
fn a_script_may_stand_in_a_file_and_the_scenario_written_out_needs_it_no_more() {
    let policy = "{ kind = \"script\", file = \"mine.policy\" }";
    let scenario = read(policy, LESS_OF_TWO).expect("a scenario");
    let digest = |scenario: &Scenario| {
        let model = scenario.model().expect("a model");
        let mut simulation = Simulation::new(Arc::new(model), 0);
        simulation.run();
        simulation.digest()
    };
    let alone = Scenario::read(Source::new("t.toml", scenario.to_toml()), &[], &NoFiles);
    let alone = alone.expect("nothing else is needed");
    assert_eq!(digest(&scenario), digest(&alone));
    assert_eq!(
        digest(&scenario),
        run(&eventful("\"power-of-d\"", 1)).digest()
    );
}

#[test]
fn what_is_wrong_is_shown_where_it_stands() {
    let policy = "{ kind = \"script\", file = \"mine.policy\" }";
    let problems = read(policy, "// So.\nfn pick() {\n    return anny();\n}\n").expect_err("anny");
    assert_eq!(problems.problems.len(), 1, "{problems}");
    let problem = &problems.problems[0];
    assert_eq!(problem.code, "E056");
    let label = &problem.labels[0];
    let source = &problems.sources[label.source];
    assert_eq!(source.name, "mine.policy");
    assert_eq!(source.line_column(label.span.start), (3, 12));
    assert_eq!(&source.text[label.span.clone()], "anny()");

    for (policy, code, says) in [
        (
            "{ kind = \"script\", file = \"other.policy\" }",
            "E056",
            "there is no such file",
        ),
        (
            "{ kind = \"script\", code = \"fn pick() {\\n return x; }\" }",
            "E056",
            "line 2 of `code`: `x` is not known here",
        ),
        (
            "{ kind = \"script\", code = \"\", file = \"mine.policy\" }",
            "E017",
            "either `code` or a `file`",
        ),
        (
            "{ kind = \"script\", code = 3 }",
            "E012",
            "`code` is a text",
        ),
        (
            "{ kind = \"script\", file = 3 }",
            "E012",
            "`file` is a text",
        ),
        ("\"script\"", "E011", "script needs `code`"),
    ] {
        let problems = read(policy, "fn pick() { return any(); }").expect_err(policy);
        assert!(problems.has(code), "{policy}: {problems}");
        assert!(problems.to_string().contains(says), "{policy}: {problems}");
    }
}

#[test]
fn a_script_that_fails_ends_the_run_and_says_where() {
    let failing = "
let n = 0;
fn pick() {
    n += 1;
    if n > 100 { return servers(); }
    return any();
}";
    let simulation = run(&eventful(&code(failing), 1));
    assert_eq!(simulation.end(), Some(End::PolicyFailed));
    let why = simulation.early_end().expect("it ended early");
    let parts = [
        "the run ended early: the policy of service.web.balancer failed at ",
        ": line 4 of the script: 4 was picked, which is no server that may be picked now",
    ];
    for part in parts {
        assert!(why.contains(part), "{why}");
    }
    let summary = summary(&eventful(&code(failing), 1));
    assert!(!summary.complete);
    let told = summary
        .warnings
        .iter()
        .any(|warning| warning.message == why);
    assert!(told, "{:?}", summary.warnings);
    // Nothing more is asked of it: the run ends at once.
    assert!(summary.requests.arrived < 400);
    // Behind a choice of zones, and where only what it hears of the last answer is too much for it.
    let zones = "horizon = \"1s\"\ntraffic = [{ to = \"web\", arrivals = { kind = \"trace\", times = [\"100ms\", \"200ms\"] } }]\n\
        [service.web]\ndemand = \"1ms\"\nbalancer = { BALANCER policy = { kind = \"script\", code = \"CODE\" } }\n\
        server = [{ name = \"a\", workers = 1, zone = \"x\" }, { name = \"b\", workers = 1, zone = \"y\" }]\n";
    let by_zone = zones.replace("BALANCER", "by_zone = {},");
    let simulation = run(&by_zone.replace("CODE", "fn pick() { return below(0); }"));
    assert_eq!(simulation.end(), Some(End::PolicyFailed));
    let hears = "let n = 0; let l = list(1, 0); fn pick() { return eligible(0); } fn finished(s, i, t, ok) { l[n] = 1; n += 1; }";
    let simulation = run(&zones.replace("BALANCER", "").replace("CODE", hears));
    assert_eq!(simulation.end(), Some(End::PolicyFailed));
    // With its last pick just before the horizon, it has failed all the same.
    let last = "fn pick() { return servers(); }";
    let text = "horizon = \"1s\"\ntraffic = [{ to = \"web\", arrivals = { kind = \"trace\", times = [\"1s\"] } }]\n\
        [service.web]\ndemand = \"1ms\"\nbalancer.policy = { kind = \"script\", code = \"CODE\" }\n\
        server = [{ name = \"a\", workers = 1 }]\n";
    let simulation = run(&text.replace("CODE", last));
    assert_eq!(simulation.end(), Some(End::PolicyFailed));
}

/// The example of the book, ten lines of it: the server that answered faster lately, of two.
#[test]
fn what_a_script_keeps_forks_with_the_run() {
    let learning = "
let lately = each(0);
fn pick() {
    let a = any();
    let b = any();
    if lately[b] < lately[a] { return b; }
    return a;
}
fn finished(server, in_flight, took, ok) {
    lately[server] += 0.1 * (took - lately[server]);
}";
    let text = eventful(&code(learning), 2);
    let whole = run(&text).digest();
    let mut simulation = crate::support::start(&text);
    simulation.run_until(Instant::from_secs(7));
    let mut fork = simulation.clone();
    fork.run();
    simulation.run();
    assert_eq!([fork.digest(), simulation.digest()], [whole; 2]);
    assert_ne!(whole, run(&eventful("\"random\"", 2)).digest());
}
