//! Plans that cannot be run, and what is said of them.

use super::read;
use crate::experiment::sweep::Plan;
use crate::scenario::{Files, NoFiles, Problems, Source};

/// What the first label of a problem points at.
fn pointed_at(problems: &Problems, code: &str) -> String {
    let found = problems.problems.iter().find(|p| p.code == code);
    let label = found.and_then(|found| found.labels.first());
    let Some(label) = label else {
        panic!("no {code} with a place: {problems}");
    };
    problems.sources[label.source].text[label.span.clone()].to_owned()
}

#[test]
fn an_axis_takes_each_value_once() {
    for (values, place) in [
        ("values = [1, 2, 1.0]", "1.0"),
        ("from = 1\nto = 1\ncount = 3", "1"),
    ] {
        let text = format!("[[axis]]\npath = \"traffic.traffic.rate\"\n{values}");
        let problems = read(&text).expect_err("a value twice");
        assert_eq!(pointed_at(&problems, "E041"), place, "{problems}");
    }
}

/// Problems of bad plans, each by its code and what it points at.
#[test]
fn bad_plans_are_told_where() {
    let axis = "[[axis]]\npath = \"traffic.traffic.rate\"\n";
    for (head, code, place) in [
        ("replicatons = 3", "E010", "replicatons"),
        ("replications = 0", "E013", "0"),
        ("precision = 0.7", "E013", "0.7"),
        ("precision = 0", "E013", "0"),
        ("max_replications = 50", "E060", "50"),
        ("precision = 0.1\nmax_replications = 9", "E013", "9"),
        ("confidence = \"100%\"", "E013", "\"100%\""),
        ("axis = []", "E060", "[]"),
        (&format!("{axis}values = []"), "E060", "[]"),
        (&format!("{axis}values = 5"), "E012", "5"),
        (&format!("{axis}from = 1"), "E011", ""),
        (&format!("{axis}from = 1\nto = 2"), "E060", "1"),
        (&format!("{axis}from = 1\nto = 2\ncount = 1"), "E013", "1"),
        (&format!("{axis}from = 1\nto = 2\nstep = -1"), "E060", "-1"),
        (
            &format!("{axis}from = 0\nto = 2\ncount = 3\nspacing = \"log\""),
            "E060",
            "0",
        ),
        (
            &format!("{axis}from = 1\nto = \"2s\"\ncount = 3"),
            "E060",
            "\"2s\"",
        ),
        (
            &format!("{axis}from = 1\nto = \"x\"\ncount = 3"),
            "E015",
            "\"x\"",
        ),
        (&format!("{axis}values = [1]\ncount = 3"), "E060", "3"),
        (&format!("{axis}values = [1, \"x\"]"), "E012", "\"x\""),
        (
            &format!("{axis}values = [1]\n{axis}values = [2]"),
            "E041",
            "traffic.traffic.rate",
        ),
        (
            &format!("{axis}name = \"cell\"\nvalues = [1]"),
            "E041",
            "traffic.traffic.rate",
        ),
        (&format!("{axis}values = [1]\nsamples = 3"), "E060", "3"),
        (
            "[[axis]]\npath = \"traffic.traffic.raet\"\nvalues = [1]",
            "E040",
            "raet",
        ),
        (
            "[[axis]]\npath = \"service.web.balancer.policy\"\nvalues = [\"rondom\"]",
            "E014",
            "\"rondom\"",
        ),
        (
            "[[axis]]\npath = \"horizon\"\nvalues = [\"1s\"]\n[set]\n\"service.web.server.a.worker\" = 2",
            "E040",
            "worker",
        ),
        ("[[axis]]\nzip = []", "E060", "[]"),
        (
            "[[axis]]\nlatin_hypercube = [{ path = \"horizon\", from = \"1s\", to = \"2s\" }]",
            "E011",
            "",
        ),
        (
            &format!("measures = [\"response_time_s.p98\"]\n{axis}values = [1]"),
            "E033",
            "\"response_time_s.p98\"",
        ),
        (
            &format!("measures = [\"p99\", \"response_time_s.p99\"]\n{axis}values = [1]"),
            "E041",
            "\"response_time_s.p99\"",
        ),
        (&format!("measures = []\n{axis}values = [1]"), "E011", "[]"),
        (
            "[[axis]]\npath = \"horizon\"\nfrom = \"1s\"\nto = \"2s\"\ncount = 1000000\n[[axis]]\npath = \"seed\"\nvalues = [1, 2]",
            "E024",
            "",
        ),
    ] {
        let problems = read(head).expect_err(head);
        let text = pointed_at(&problems, code);
        assert!(
            place.is_empty() || text == place,
            "{head}: points at {text:?}\n{problems}"
        );
        assert_eq!(problems.sources[0].name, "plan.toml");
    }
    // Without a scenario, and with one that is nowhere.
    let bare = |text: &str| Plan::read(&Source::new("plan.toml", text), &NoFiles).expect_err(text);
    assert!(bare("replications = 2").has("E011"));
    assert!(bare("scenario = \"nowhere\"\n[[axis]]\npath = \"seed\"\nvalues = [1]").has("E054"));
    assert!(bare("scenario = 3\n[[axis]]\npath = \"seed\"\nvalues = [1]").has("E012"));
    assert!(bare("\u{1}").has("E001"));
}

#[test]
fn problems_of_the_scenario_point_into_it() {
    struct One;
    impl Files for One {
        fn read(&self, name: &str) -> Result<Source, String> {
            Ok(Source::new(name, "horizon = \"1s\"\ntraffc = 3\n"))
        }
    }
    let text = "scenario = \"other.toml\"\n[[axis]]\npath = \"seed\"\nvalues = [1]\n";
    let problems = Plan::read(&Source::new("plan.toml", text), &One).expect_err("no scenario");
    assert!(
        problems.to_string().contains("other.toml:2:1: error[E010]"),
        "{problems}"
    );
}

#[test]
fn a_trace_may_be_a_value() {
    struct Days;
    impl Files for Days {
        fn read(&self, name: &str) -> Result<Source, String> {
            match name {
                "monday.txt" => Ok(Source::new(name, "0.5\n0.6\n")),
                _ => Err("no such day".to_owned()),
            }
        }
    }
    let plan = |day: &str| {
        let text = format!(
            "measures = [\"requests.arrived\"]\naxis = [{{ path = \"traffic.traffic.arrivals\", values = [{{ kind = \"trace\", file = \"{day}\" }}] }}]\n[scenario]\nhorizon = \"2s\"\ntraffic = [{{ to = \"web\" }}]\nservice.web = {{ demand = \"1ms\", server = [{{ name = \"a\", workers = 1 }}] }}\n"
        );
        Plan::read(&Source::new("plan.toml", text), &Days)
    };
    let monday = plan("monday.txt").unwrap_or_else(|problems| panic!("{problems}"));
    // What travels holds the moments, and no name of a file.
    assert!(
        monday.to_toml().contains("times = [\"500ms\", \"600ms\"]"),
        "{}",
        monday.to_toml()
    );
    assert!(plan("friday.txt").expect_err("no such file").has("E053"));
}
