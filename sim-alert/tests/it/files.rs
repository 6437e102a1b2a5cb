//! Mistakes in files of rules: each is named with its line and what is allowed there.

use sim_alert::{RuleKind, Rules};

fn problems(text: &str) -> String {
    let problems = Rules::read("rules.yml", text).expect_err("a mistake");
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// A file with one rule, from its fourth line on.
fn rule(lines: &[&str]) -> String {
    format!(
        "groups:\n- name: web\n  rules:\n  - {}\n",
        lines.join("\n    ")
    )
}

#[test]
fn a_file_is_read_with_all_that_is_in_it() {
    let text = "
groups:
- name: web
  interval: 30s
  limit: 5
  query_offset: 1m
  labels: {team: a, severity: low}
  rules:
  - record: job:errors:rate
    expr: sum by (job) (rate(errors[5m]))
  - alert: Errors
    expr: |
      job:errors:rate > 1
    for: 1m30s
    keep_firing_for: 5m
    labels:
      severity: page
    annotations: {summary: '{{ $value }}'}
";
    let rules = Rules::read("rules.yml", text).expect("a valid file");
    let group = &rules.groups[0];
    assert_eq!((group.interval_ms, group.limit), (Some(30_000), 5));
    assert_eq!(group.query_offset_ms, 60_000);
    assert_eq!(group.rules[0].name, "job:errors:rate");
    let alert = &group.rules[1];
    assert_eq!(alert.labels.get("severity"), "page");
    assert_eq!(alert.labels.get("team"), "a");
    let RuleKind::Alert {
        for_ms,
        keep_firing_ms,
        annotations,
    } = &alert.kind
    else {
        panic!("{alert:?} is an alert");
    };
    assert_eq!((*for_ms, *keep_firing_ms), (90_000, 300_000));
    assert_eq!(annotations.len(), 1);
    assert_eq!((alert.line, alert.text.trim()), (11, "job:errors:rate > 1"));
}

#[test]
fn mistakes_are_named_with_their_line_and_what_is_allowed() {
    for (lines, said) in [
        (
            vec!["alert: A"],
            "rules.yml:4: the rule \"A\" needs an expr",
        ),
        (
            vec!["expr: up"],
            "rules.yml:4: a rule has either alert or record",
        ),
        (
            vec!["alert: A", "record: b", "expr: up"],
            "rules.yml:4: a rule has either alert or record",
        ),
        (
            vec!["alert: A", "expr: up", "for: 5 minutes"],
            "rules.yml:6: for: \"5 minutes\" is no length of time; allowed are whole numbers with y, w, d, h, m, s or ms",
        ),
        (
            vec!["alert: A", "expr: up", "fro: 5m"],
            "rules.yml:6: a rule has no key \"fro\"; allowed are record, alert, expr, for, keep_firing_for, labels, annotations",
        ),
        (
            vec!["alert: A", "expr: up", "expr: down"],
            "rules.yml:6: \"expr\" is written twice",
        ),
        (
            vec!["record: r", "expr: up", "for: 5m"],
            "rules.yml:6: for belongs to alerts, and \"r\" is recorded",
        ),
        (
            vec!["record: sum(up)x{}", "expr: up"],
            "rules.yml:4: record: \"sum(up)x{}\" is no name of a metric",
        ),
        (
            vec!["alert: A", "expr: up[5m]"],
            "rules.yml:5: expr of \"A\" comes to a range vector; allowed are scalars and instant vectors",
        ),
        (
            vec!["alert: A", "expr: holt_winters(up[5m], 1, 2)"],
            "rules.yml:5: expr of \"A\": \"holt_winters(up[5m], 1, 2)\" at character 1: the function \"holt_winters\" is not supported; functions are abs, absent,",
        ),
        (
            vec!["alert: A", "expr: up", "for: 9999999999y"],
            "rules.yml:6: for: \"9999999999y\" is no length of time; allowed are whole numbers with y",
        ),
        (
            vec![
                "alert: A",
                "expr: up",
                "annotations: {a: '{{ printf \"%.99999f\" $value }}'}",
            ],
            "rules.yml:6: annotations: a: printf asks for 99999 decimals; allowed are 1000 at most",
        ),
        (
            vec!["alert: A", "expr: up", "labels: {__name__: x}"],
            "rules.yml:6: labels: \"__name__\" is no label that can be set",
        ),
        (
            vec!["alert: A", "expr: up", "labels: [a]"],
            "rules.yml:6: labels is a table of names and texts",
        ),
    ] {
        let found = problems(&rule(&lines));
        assert!(found.starts_with(said), "{lines:?}: {found}");
    }
}

#[test]
fn mistakes_of_the_whole_file_are_named() {
    for (text, said) in [
        (
            "groups: {}",
            "rules.yml:1: groups of a file of rules is a list",
        ),
        (
            "group: []",
            "rules.yml:1: a file of rules has no key \"group\"; allowed are groups",
        ),
        ("groups:\n- rules: []", "rules.yml:2: a group needs a name"),
        (
            "groups:\n- {name: a, rules: []}\n- {name: a, rules: []}",
            "rules.yml:3: the group \"a\" is written twice in this file",
        ),
        ("groups: [", "rules.yml:"),
        ("groups: *x", "rules.yml:1:"),
    ] {
        let found = problems(text);
        assert!(found.starts_with(said), "{text:?}: {found}");
    }
    assert!(
        Rules::read("rules.yml", "")
            .expect("nothing")
            .groups
            .is_empty()
    );
}

#[test]
fn tables_can_be_repeated_and_merged() {
    let text = "
groups:
- name: web
  rules:
  - &first {alert: A, expr: up == 0, for: 5m, labels: &page {severity: page}}
  - {<<: *first, alert: B, labels: {<<: *page, team: x}}
";
    let rules = Rules::read("rules.yml", text).expect("a valid file");
    let second = &rules.groups[0].rules[1];
    assert_eq!(
        (second.name.as_str(), second.text.as_str()),
        ("B", "up == 0")
    );
    assert_eq!(second.labels.get("severity"), "page");
    assert!(matches!(
        second.kind,
        RuleKind::Alert {
            for_ms: 300_000,
            ..
        }
    ));
    assert!(problems("groups: [{<<: 1}]").starts_with("rules.yml:1: << merges a table"));
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text =
        "groups:\n- name: web\n  rules:\n  - {alert: A, expr: up +}\n  - {alert: B, expr: (up}\n";
    assert_eq!(problems(text).lines().count(), 2);
}

#[test]
fn an_expression_of_thousands_of_terms_is_named_with_its_line() {
    let expr = format!("expr: {}", vec!["1"; 20_000].join("+"));
    let found = problems(&rule(&["alert: A", &expr]));
    assert!(
        found.starts_with("rules.yml:5: expr of \"A\": \"1+1+")
            && found.ends_with("more than 500 operators")
            && found.len() < 300,
        "{found}"
    );
}
