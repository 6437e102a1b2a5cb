//! Files of tests: what passes, what differs, and how that is said.

use sim_alert::Problem;
use sim_alert::unit_test::{Loader, Report};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

/// Runs a file, which nobody stops.
fn unit_test(path: &str, loader: &dyn Loader) -> Result<Report, Vec<Problem>> {
    let report = sim_alert::unit_test(path, loader, &AtomicBool::new(false))?;
    Ok(report.expect("nobody stops it"))
}

struct Texts(BTreeMap<&'static str, String>);

impl Loader for Texts {
    fn read(&self, path: &str) -> Result<String, String> {
        let text = self.0.get(path).cloned();
        text.ok_or_else(|| format!("{path} cannot be read: there is no such file"))
    }
}

const RULES: &str = "
groups:
- name: web
  rules:
  - alert: Down
    expr: up == 0
    for: 2m
    labels: {severity: page}
    annotations: {summary: '{{ $labels.job }} is {{ $value }}'}
";

fn files(tests: &str) -> Texts {
    let head = "rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n";
    let tests = format!("{head}{tests}");
    let rules = RULES.to_owned();
    Texts([("a/test.yml", tests), ("a/rules.yml", rules)].into())
}

const SERIES: &str = "- name: outage
  interval: 1m
  input_series:
  - {series: 'up{job=\"web\"}', values: '1 1 0x8'}
";

#[test]
fn what_is_as_expected_passes() {
    let tests = format!(
        "{SERIES}  alert_rule_test:
  - {{eval_time: 3m, alertname: Down}}
  - eval_time: 4m
    alertname: Down
    exp_alerts:
    - exp_labels: {{severity: page, job: web}}
      exp_annotations: {{summary: web is 0}}
  promql_expr_test:
  - expr: up + 1
    eval_time: 1m
    exp_samples: [{{labels: '{{job=\"web\"}}', value: 2}}]
"
    );
    let report = unit_test("a/test.yml", &files(&tests)).expect("valid files");
    assert!(report.passed(), "{report:#?}");
    assert_eq!(
        (report.tests[0].name.as_str(), report.tests[0].checks),
        ("outage", 3)
    );
}

#[test]
fn what_differs_is_told_with_both_sides() {
    let tests = format!(
        "{SERIES}  alert_rule_test:
  - {{eval_time: 4m, alertname: Down}}
  promql_expr_test:
  - {{expr: up, eval_time: 1m}}
  - {{expr: up +, eval_time: 1m}}
"
    );
    let report = unit_test("a/test.yml", &files(&tests)).expect("valid files");
    let [alert, expr, broken] = report.tests[0].differences.as_slice() else {
        panic!("{report:#?}");
    };
    assert_eq!(alert.what, "alert \"Down\" at 4m");
    assert!(alert.expected.is_empty());
    assert_eq!(
        alert.found,
        [
            "{alertname=\"Down\", job=\"web\", severity=\"page\"} with annotations {summary=\"web is 0\"}"
        ]
    );
    assert_eq!(
        (expr.line, expr.found[0].as_str()),
        (11, "up{job=\"web\"} 1")
    );
    assert!(
        broken.failed && broken.found[0].contains("not complete"),
        "{broken:?}"
    );
    assert!(!report.passed());
}

/// As in promtool: what comes after the last evaluation is not there yet.
#[test]
fn series_are_loaded_up_to_the_last_evaluation() {
    let tests = "- interval: 10s
  input_series: [{series: a, values: '0+1x10'}]
  promql_expr_test:
  - {expr: a, eval_time: 55s, exp_samples: [{labels: a, value: 0}]}
";
    let report = unit_test("a/test.yml", &files(tests)).expect("valid files");
    assert!(report.passed(), "{report:#?}");
}

/// A group without a place is evaluated with the first that has one, and so before the second.
#[test]
fn groups_are_evaluated_in_their_order() {
    let a = "- {name: a, rules: [{record: first, expr: one + 1}]}";
    let b = "- {name: b, rules: [{record: middle, expr: first + 1}]}";
    let c = "- {name: c, rules: [{record: last, expr: middle + 1}]}";
    let test = "
rule_files: [rules.yml]
group_eval_order: [a, c]
tests:
- input_series: [{series: one, values: '1'}]
  promql_expr_test: [{expr: last, eval_time: 0s, exp_samples: [{labels: last, value: 4}]}]
";
    let passed = |groups: [&str; 3]| {
        let rules = format!("groups:\n{}\n", groups.join("\n"));
        let files = [("test.yml", test.to_owned()), ("rules.yml", rules)];
        let report = unit_test("test.yml", &Texts(files.into()));
        report.expect("valid files").passed()
    };
    assert!(passed([a, b, c]) && passed([c, a, b]));
    // Of those that share a place, the one that the file has first.
    assert!(!passed([b, a, c]));
}

#[test]
fn mistakes_in_files_of_tests_are_named() {
    for (tests, said) in [
        (
            "- {intervall: 1m}",
            "a/test.yml:4: a test has no key \"intervall\"; allowed are interval,",
        ),
        (
            "- {input_series: [{series: a, values: '1+2'}]}",
            "a/test.yml:4: values of a: \"1+2\" is no value of a series; allowed are numbers, _ for a gap",
        ),
        (
            "- {input_series: [{series: 'a{', values: ''}]}",
            "a/test.yml:4: series: \"a{\" at character 3: the end is no label",
        ),
        (
            "- {alert_rule_test: [{eval_time: 1m}]}",
            "a/test.yml:4: a test of an alert needs its alertname",
        ),
        (
            "- {promql_expr_test: [{expr: a, exp_samples: [{labels: a, value: x}]}]}",
            "a/test.yml:4: value: \"x\" is no number",
        ),
    ] {
        let problems = unit_test("a/test.yml", &files(tests)).expect_err("a mistake");
        let found = problems[0].to_string();
        assert!(found.starts_with(said), "{tests}: {found}");
    }
    let nowhere = Texts(BTreeMap::new());
    let problems = unit_test("none.yml", &nowhere).expect_err("no file");
    assert_eq!(
        problems[0].message,
        "none.yml cannot be read: there is no such file"
    );
}

fn problem(tests: &str) -> String {
    let problems = unit_test("a/test.yml", &files(tests)).expect_err("a mistake");
    problems[0].to_string()
}

#[test]
fn evaluations_have_an_end() {
    for tests in [
        "- {promql_expr_test: [{expr: '1', eval_time: 292y}]}",
        "- {alert_rule_test: [{alertname: Down, eval_time: 20y}]}",
        // Each is allowed, and both are too many.
        "- {promql_expr_test: [{expr: '1', eval_time: 10y}]}\n- {promql_expr_test: [{expr: '1', eval_time: 10y}]}",
    ] {
        let found = problem(tests);
        assert!(
            found.contains("more than 10000000 evaluations of rules"),
            "{tests}: {found}"
        );
    }
    let text =
        "evaluation_interval: 1ms\ntests: [{promql_expr_test: [{expr: '1', eval_time: 3h}]}]";
    let files = Texts([("t.yml", text.to_owned())].into());
    let problems = unit_test("t.yml", &files).expect_err("a mistake");
    assert!(
        problems[0]
            .to_string()
            .starts_with("t.yml:2: 0 rule(s) until 3h every 1ms"),
        "{}",
        problems[0]
    );
}

#[test]
fn tests_can_be_stopped() {
    let tests = "- {promql_expr_test: [{expr: '1', eval_time: 1y}]}";
    let cancel = AtomicBool::new(true);
    let report = sim_alert::unit_test("a/test.yml", &files(tests), &cancel);
    assert!(report.expect("valid files").is_none());
}

#[test]
fn points_are_counted_over_all_series_and_made_one_by_one() {
    let series = |name: &str, values: &str| format!("  - {{series: {name}, values: '{values}'}}\n");
    let all = |each: &[&str]| -> String {
        let rows = each.iter().enumerate();
        let rows = rows.map(|(at, values)| series(&format!("s{at}"), values));
        let rows = rows.collect::<Vec<_>>().concat();
        format!(
            "- interval: 1m\n  input_series:\n{rows}  promql_expr_test: [{{expr: s0, eval_time: 1m, exp_samples: [{{labels: s0, value: 1}}]}}]\n"
        )
    };
    // Nearly all of them are after what is asked for.
    let most = all(&["0+1x4999999", "_x4999999 1"]);
    let report = unit_test("a/test.yml", &files(&most)).expect("valid files");
    assert!(report.passed(), "{report:#?}");
    let found = problem(&all(&["0+1x4999999", "_x5000000 1"]));
    assert!(
        found.starts_with("a/test.yml:7: values of s1: with these the series of the file have more than 10000000 points"),
        "{found}"
    );
    let half = all(&["1x6000000"]);
    let found = problem(&format!("{half}{half}"));
    assert!(found.contains("more than 10000000 points"), "{found}");
}

#[test]
fn what_rules_make_has_an_end_too() {
    // Two evaluations, and fewer points of the file itself than are allowed.
    let rules = (0..10).map(|at| format!("{{record: b{at}, expr: '1'}}"));
    let rules = rules.collect::<Vec<_>>().join(", ");
    let rules = format!("groups: [{{name: g, rules: [{rules}]}}]");
    let text = "rule_files: [r.yml]
evaluation_interval: 3h
tests:
- interval: 1ms
  input_series: [{series: a, values: '1x9999994'}]
  promql_expr_test: [{expr: '1', eval_time: 3h}]
";
    let files = Texts([("t.yml", text.to_owned()), ("r.yml", rules)].into());
    let report = unit_test("t.yml", &files).expect("valid files");
    let difference = &report.tests[0].differences[0];
    assert!(
        difference.failed && difference.found[0].contains("more than 10000000 points"),
        "{difference:?}"
    );
}

#[test]
fn an_expression_of_thousands_of_terms_is_refused() {
    let terms = vec!["1"; 20_000].join("+");
    let tests = format!("- {{promql_expr_test: [{{expr: '{terms}'}}]}}");
    let report = unit_test("a/test.yml", &files(&tests)).expect("valid files");
    let difference = &report.tests[0].differences[0];
    assert!(
        difference.line == 4 && difference.found[0].contains("more than 500 operators"),
        "{difference:?}"
    );
    assert!(difference.what.len() < 300, "{}", difference.what);
}
