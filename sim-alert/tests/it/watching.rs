//! Alerts over time.

use sim_alert::{Labels, Rules, Seen, Span, State, Store, watch};

/// A series that is 1 in some of the minutes and ends in others.
fn minutes(up: &[bool]) -> Store {
    let mut store = Store::default();
    let labels: Labels = [("__name__", "bad"), ("job", "web")].into_iter().collect();
    for (minute, up) in (0_i64..).zip(up) {
        let value = up.then_some(1.0);
        store
            .append(&labels, minute * 60_000, value)
            .expect("in order");
    }
    store
}

fn seen(rule: &str, store: &mut Store) -> Seen {
    let text = format!("groups:\n- name: g\n  rules:\n  - {rule}\n");
    let rules = Rules::read("rules.yml", &text).unwrap_or_else(|why| panic!("{why:?}"));
    let span = Span {
        from_ms: 0,
        until_ms: 1_200_000,
        interval_ms: 60_000,
    };
    watch(&rules, store, span)
}

/// Minutes and states of what changed.
fn changes(rule: &str, up: &[bool]) -> Vec<(i64, State)> {
    let seen = seen(rule, &mut minutes(up));
    assert_eq!(seen.failed, []);
    let changes = seen.transitions.iter();
    changes.map(|one| (one.at_ms / 60_000, one.to)).collect()
}

const LONG: [bool; 8] = [false, true, true, true, true, false, false, false];

#[test]
fn an_alert_waits_fires_and_is_resolved() {
    assert_eq!(
        changes("{alert: A, expr: bad, for: 2m}", &LONG),
        [
            (1, State::Pending),
            (3, State::Firing),
            (5, State::Inactive)
        ]
    );
    assert_eq!(
        changes("{alert: A, expr: bad}", &LONG),
        [(1, State::Firing), (5, State::Inactive)]
    );
    assert_eq!(
        changes("{alert: A, expr: bad, for: 5m}", &LONG),
        [(1, State::Pending), (5, State::Inactive)]
    );
}

#[test]
fn an_alert_can_fire_on_for_a_while() {
    let breaks = [true, true, false, true, false, false, false, false];
    assert_eq!(
        changes("{alert: A, expr: bad, keep_firing_for: 2m}", &breaks),
        [(0, State::Firing), (6, State::Inactive)]
    );
}

#[test]
fn each_set_of_labels_is_an_alert() {
    let mut store = Store::default();
    for (job, from) in [("a", 0), ("b", 2)] {
        let labels: Labels = [("__name__", "bad"), ("job", job)].into_iter().collect();
        for minute in from..5 {
            store
                .append(&labels, minute * 60_000, Some(1.0))
                .expect("in order");
        }
    }
    let seen = seen("{alert: A, expr: bad, labels: {team: x}}", &mut store);
    let firing = seen
        .transitions
        .iter()
        .filter(|one| one.to == State::Firing);
    let shown: Vec<String> = firing
        .map(|one| format!("{} {}", one.at_ms, one.labels))
        .collect();
    assert_eq!(
        shown,
        [
            "0 {alertname=\"A\", job=\"a\", team=\"x\"}",
            "120000 {alertname=\"A\", job=\"b\", team=\"x\"}"
        ]
    );
}

#[test]
fn alerts_and_recorded_series_can_be_asked_for() {
    let mut store = minutes(&LONG);
    let text = "
groups:
- name: first
  rules:
  - {record: twice, expr: bad * 2}
  - {alert: A, expr: twice > 1, for: 1m}
- name: second
  interval: 2m
  rules:
  - {alert: B, expr: 'ALERTS{alertname=\"A\", alertstate=\"firing\"}'}
";
    let rules = Rules::read("rules.yml", text).expect("valid");
    let span = Span {
        from_ms: 0,
        until_ms: 600_000,
        interval_ms: 60_000,
    };
    let seen = watch(&rules, &mut store, span);
    let of = |alert: &str| -> Vec<(i64, State)> {
        let own = seen.transitions.iter().filter(|one| one.alert == alert);
        own.map(|one| (one.at_ms / 60_000, one.to)).collect()
    };
    assert_eq!(
        of("A"),
        [
            (1, State::Pending),
            (2, State::Firing),
            (5, State::Inactive)
        ]
    );
    // Evaluated every other minute, after the first group; without the name it would ask for itself.
    assert_eq!(of("B"), [(2, State::Firing), (6, State::Inactive)]);
    let names: Vec<String> = store
        .series()
        .map(|(labels, _)| labels.get("__name__").to_owned())
        .collect();
    assert!(
        names.iter().any(|name| name == "ALERTS_FOR_STATE"),
        "{names:?}"
    );
    assert_eq!(seen.transitions[0].group, "first");
}

#[test]
fn what_cannot_be_evaluated_is_told() {
    let mut store = Store::default();
    for job in ["a", "b"] {
        let labels: Labels = [("__name__", "bad"), ("job", job)].into_iter().collect();
        store.append(&labels, 0, Some(1.0)).expect("in order");
    }
    let seen = seen("{alert: A, expr: bad, labels: {job: same}}", &mut store);
    assert!(
        seen.failed[0]
            .why
            .contains("same labelset after applying alert labels")
    );
    let limited = "groups:\n- {name: g, limit: 1, rules: [{alert: A, expr: bad}]}";
    let rules = Rules::read("rules.yml", limited).expect("valid");
    let span = Span {
        from_ms: 0,
        until_ms: 0,
        interval_ms: 60_000,
    };
    let seen = watch(&rules, &mut store, span);
    assert_eq!(seen.failed[0].why, "exceeded limit of 1 with 2 alerts");
    // All of them are given up.
    let last = seen.transitions.last().expect("changes");
    assert_eq!((last.from, last.to), (State::Firing, State::Inactive));
}

#[test]
fn templates_that_are_not_understood_are_told() {
    let rule = "{alert: A, expr: bad, annotations: {a: '{{ query \"up\" }}'}}";
    let seen = seen(rule, &mut minutes(&LONG));
    assert!(seen.unexpanded.contains("A"), "{:?}", seen.unexpanded);
}
