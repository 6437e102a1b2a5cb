//! What expressions mean, one rule of the language at a time; what promtool says of thousands
//! stands in `testdata`.

use sim_alert::{Expr, Labels, Store, Value, aggregators, functions};

/// Series with points 15 seconds apart; `None` leaves one out, NaN of that very kind ends it.
fn store(series: &[(&str, &[Option<f64>])]) -> Store {
    let mut store = Store::default();
    for (name, points) in series {
        let labels: Labels = [("__name__", *name)].into_iter().collect();
        for (at_ms, value) in (0_i64..).step_by(15_000).zip(points.iter()) {
            if let Some(value) = value {
                store
                    .append(&labels, at_ms, Some(*value))
                    .expect("in order");
            }
        }
    }
    store
}

fn value(store: &Store, text: &str, at_ms: i64) -> Option<f64> {
    let expr = Expr::read(text).unwrap_or_else(|why| panic!("{text}: {why}"));
    let value = expr.evaluate(store, at_ms, 60_000);
    match value.unwrap_or_else(|why| panic!("{text}: {why}")) {
        Value::Scalar(value) => Some(value),
        Value::Vector(samples) => samples.first().map(|sample| sample.value),
    }
}

#[test]
fn a_sample_counts_for_less_than_five_minutes() {
    let store = store(&[("a", &[Some(1.0)])]);
    assert_eq!(value(&store, "a", 299_999), Some(1.0));
    assert_eq!(value(&store, "a", 300_000), None);
}

#[test]
fn a_series_that_ended_is_gone_at_once() {
    let mut store = store(&[("a", &[Some(1.0)])]);
    let labels: Labels = [("__name__", "a")].into_iter().collect();
    store.append(&labels, 15_000, None).expect("in order");
    assert_eq!(value(&store, "a", 14_999), Some(1.0));
    assert_eq!(value(&store, "a", 15_000), None);
    assert_eq!(value(&store, "count_over_time(a[1m])", 15_000), Some(1.0));
}

#[test]
fn a_range_does_not_hold_its_beginning() {
    let store = store(&[("a", &[Some(1.0); 9])]);
    assert_eq!(value(&store, "count_over_time(a[1m])", 60_000), Some(4.0));
    assert_eq!(value(&store, "count_over_time(a[1m])", 60_001), Some(4.0));
    assert_eq!(
        value(&store, "count_over_time(a[60001ms])", 60_000),
        Some(5.0)
    );
}

#[test]
fn increases_are_extrapolated_to_the_edges_and_not_below_zero() {
    let rising: Vec<Option<f64>> = (0..9)
        .map(|step| Some(100.0 + 15.0 * step as f64))
        .collect();
    let from_zero: Vec<Option<f64>> = (0..9).map(|step| Some(15.0 * step as f64)).collect();
    let late = [None, None, None, Some(100.0), Some(115.0)];
    let reset = [Some(10.0), Some(25.0), Some(5.0), Some(20.0)];
    let store = store(&[
        ("rising", &rising),
        ("zero", &from_zero),
        ("late", &late),
        ("reset", &reset),
    ]);
    // Four points span 45 s of the minute; the edge is a gap away.
    assert_eq!(value(&store, "increase(rising[1m])", 60_000), Some(60.0));
    let rate = value(&store, "rate(rising[1m])", 60_000).expect("a rate");
    assert!((rate - 1.0).abs() < 1e-15, "{rate}");
    // The first point after 0 is 15, 15 s after the counter was 0.
    assert_eq!(value(&store, "increase(zero[1m])", 30_000), Some(30.0));
    // The edge is further than 1.1 gaps: half a gap is added.
    assert_eq!(value(&store, "increase(late[1m])", 60_000), Some(22.5));
    assert_eq!(value(&store, "resets(reset[1m])", 45_000), Some(1.0));
    assert_eq!(value(&store, "increase(rising[10s])", 60_000), None);
}

#[test]
fn histograms_that_fall_are_lifted() {
    let mut store = Store::default();
    for (bound, count) in [("1", 4.0), ("2", 3.0), ("4", 8.0), ("+Inf", 10.0)] {
        let labels: Labels = [("__name__", "h"), ("le", bound)].into_iter().collect();
        store.append(&labels, 0, Some(count)).expect("in order");
    }
    // Ranks 2 and 6 of 10; the highest bucket is where the one below it ends.
    assert_eq!(value(&store, "histogram_quantile(0.2, h)", 0), Some(0.5));
    assert_eq!(value(&store, "histogram_quantile(0.6, h)", 0), Some(3.0));
    assert_eq!(value(&store, "histogram_quantile(0.99, h)", 0), Some(4.0));
}

#[test]
fn every_row_of_the_tables_is_understood() {
    for row in functions() {
        let arguments: Vec<&str> = row
            .arguments
            .iter()
            .map(|kind| match kind {
                sim_alert::Kind::Scalar => "1",
                sim_alert::Kind::Vector => "up",
                sim_alert::Kind::Range => "up[5m]",
                sim_alert::Kind::Text => "\"job\"",
            })
            .collect();
        let text = format!("{}({})", row.name, arguments.join(", "));
        let expr = Expr::read(&text).unwrap_or_else(|why| panic!("{text}: {why}"));
        assert_eq!(expr.kind(), row.returns, "{text}");
        expr.evaluate(&Store::default(), 0, 60_000)
            .unwrap_or_else(|why| panic!("{text}: {why}"));
    }
    for row in aggregators() {
        let first = match row.parameter {
            Some(sim_alert::Kind::Scalar) => "1, ",
            Some(_) => "\"label\", ",
            None => "",
        };
        let text = format!("{} by (job) ({first}up)", row.name);
        Expr::read(&text).unwrap_or_else(|why| panic!("{text}: {why}"));
    }
}

#[test]
fn mistakes_say_where_they_are_and_what_is_allowed() {
    for (text, said) in [
        (
            "up[5m",
            "at character 6: \"]\" is missing after the range, found the end",
        ),
        (
            "rate(up)",
            "at character 1: argument 1 of rate is a range vector, found an instant vector",
        ),
        (
            "abs(up, 1)",
            "at character 1: abs takes 1 argument(s) (an instant vector), found 2",
        ),
        (
            "up @ 5",
            "at character 4: the modifier @ is not supported; offset is",
        ),
        (
            "up{job=~\"(\"}",
            "at character 4: \"(\" is no regular expression that is understood",
        ),
        (
            "up{job=~\"\\\\pL\"}",
            "at character 4: \"\\\\pL\" is no regular expression that is understood",
        ),
        // Alone it is none, whatever it becomes between other brackets.
        (
            "up{job=~\"a)(b\"}",
            "at character 4: \"a)(b\" is no regular expression that is understood",
        ),
        (
            "up[300y]",
            "at character 4: \"300y\" is neither a number nor a length of time (whole",
        ),
        (
            "up offset 9223372037",
            "at character 11: an offset is a length of time (whole",
        ),
        ("1 > 2", "at character 3: between two scalars > needs bool"),
        (
            "{job=~\".*\"}",
            "at character 1: a selector must ask for a name or for a label that is not empty",
        ),
        (
            "limitk(1, up)",
            "at character 1: the function \"limitk\" is not supported",
        ),
        (
            "up up",
            "at character 4: \"up\" cannot follow here; an operator could (or, and, unless, ==,",
        ),
    ] {
        let why = Expr::read(text)
            .map(|_| text)
            .expect_err("a mistake")
            .to_string();
        assert!(why.starts_with(said), "{text}: {why}");
    }
}

#[test]
fn an_expression_says_what_it_asks_for() {
    let text = "sum(rate(a[5m])) / on () b{x=\"y\"} > topk(scalar(c), -({__name__=~\"d|e\"}))";
    let expr = Expr::read(text).expect("valid");
    assert_eq!(
        expr.metrics().into_iter().collect::<Vec<_>>(),
        ["a", "b", "c"]
    );
}

#[test]
fn nesting_has_an_end() {
    let deep = format!("{}1{}", "(".repeat(5000), ")".repeat(5000));
    assert!(Expr::read(&deep).is_err());
    assert!(Expr::read(&format!("{}1", "-".repeat(5000))).is_err());
}

/// Each term stands below the next: reading, evaluating and dropping them takes a stack.
#[test]
fn operators_have_an_end() {
    let terms = |count| vec!["up"; count].join(" + ");
    let why = Expr::read(&terms(20_000)).expect_err("too many");
    assert_eq!(
        why.to_string(),
        "at character 2504: more than 500 operators"
    );
    // A quarter of what a thread has.
    let small = std::thread::Builder::new().stack_size(512 << 10);
    let allowed = small.spawn(move || {
        let text = format!("{}{}{}", "(".repeat(98), terms(501), ")".repeat(98));
        let expr = Expr::read(&text).expect("few enough");
        expr.clone().evaluate(&Store::default(), 0, 60_000)
    });
    let value = allowed.expect("a thread").join().expect("stack enough");
    assert_eq!(value, Ok(Value::Vector(Vec::new())));
}

#[test]
fn evaluations_have_an_end() {
    let store = store(&[("a", &[Some(1.0); 9])]);
    let failure = |text: &str| {
        let expr = Expr::read(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        let value = expr.evaluate(&store, 60_000, 60_000);
        value.expect_err("too much").to_string()
    };
    let (mut nested, mut text) = (
        "a".to_owned(),
        "label_replace(a, 'l', 'xx', '', '')".to_owned(),
    );
    for _ in 0..40 {
        nested = format!("max_over_time(({nested})[1d:1m])");
        text = format!("label_replace({text}, 'l', '$1$1', 'l', '(.*)')");
    }
    for text in [
        "max_over_time(a[292y:1ms])",
        "max_over_time(max_over_time(a[1d:1s])[1d:1s])",
        &nested,
        &text,
    ] {
        let why = failure(text);
        assert!(
            why.starts_with("it takes more than 10000000 steps"),
            "{text}: {why}"
        );
    }
}

#[test]
fn no_moment_is_too_far() {
    for at_ms in [i64::MIN, i64::MIN + 1, -1, i64::MAX - 1, i64::MAX] {
        let mut store = Store::default();
        let labels: Labels = [("__name__", "a")].into_iter().collect();
        for point_ms in [i64::MIN, 0, i64::MAX] {
            store
                .append(&labels, point_ms, Some(1.0))
                .expect("in order");
        }
        for text in [
            "a",
            "a offset -292y",
            "rate(a[292y])",
            "deriv(a[292y] offset 292y)",
            "max_over_time(a[1m:15s] offset -292y)",
            "predict_linear(a[292y], 1)",
            "timestamp(a) + time() + day_of_month()",
        ] {
            let expr = Expr::read(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            expr.evaluate(&store, at_ms, 60_000)
                .unwrap_or_else(|why| panic!("{text} at {at_ms}: {why}"));
        }
    }
}
