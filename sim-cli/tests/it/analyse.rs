//! `analyse`: series from anywhere.

use crate::experiments::json;
use crate::stampede::Folder;

/// A series that takes five values in turn: settled, and of mean 3.
fn turns(count: usize) -> String {
    let lines: Vec<String> = (0..count).map(|i| (i % 5 + 1).to_string()).collect();
    lines.join("\n")
}

/// The same five values about as often, in an order without any.
fn shuffled(count: u64) -> String {
    let at = |i: u64| (i * i).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    let at = |i| at(i) % 5 + 1;
    let lines: Vec<String> = (0..count).map(|i| at(i).to_string()).collect();
    lines.join("\n")
}

#[test]
fn values_that_repeat_themselves_get_no_width_of_nothing() {
    let folder = Folder::with("a.txt", turns(1000));
    let told = folder.run(&["analyse", "a.txt"]).code(0).out;
    for wanted in [
        "batch-means              no interval: nothing varied",
        "Heidelberger–Welch   the values repeat themselves",
    ] {
        assert!(told.contains(wanted), "{wanted} in\n{told}");
    }
}

#[test]
fn a_series_gets_its_methods_by_name() {
    let folder = Folder::with("a.txt", shuffled(1000));
    let ran = folder.run(&["analyse", "a.txt"]).code(0);
    for wanted in [
        "1000 values",
        "batch-means   3.0",
        "MSER-5               leaves nothing out",
        "stationary from the start",
        "50 %       3       3 to 3          469 to 532   order-statistics",
    ] {
        assert!(ran.out.contains(wanted), "{wanted} in\n{}", ran.out);
    }
    let report = json(
        &folder
            .run(&["analyse", "a.txt", "--format", "json"])
            .code(0)
            .out,
    );
    let methods: Vec<&str> = (report["means"].as_array().expect("a list").iter())
        .filter_map(|entry| entry["method"].as_str())
        .collect();
    assert_eq!(methods, ["batch-means", "spectral", "student"]);
    assert_eq!(report["quantiles"][0]["low_rank"], 469);
    assert_eq!(report["heidelberger_welch"]["stationary"], true);
    let mean = report["mean"].as_f64().expect("a number");
    assert!((mean - 3.0).abs() < 0.2, "{mean}");
}

#[test]
fn the_warm_up_is_left_out_when_asked_for() {
    let text = "100\n".repeat(50) + &turns(2000);
    let folder = Folder::with("a.txt", &text);
    let told = folder.run(&["analyse", "a.txt"]).code(0).out;
    assert!(told.contains("would leave out the first 50"), "{told}");
    let auto = folder
        .run(&["analyse", "a.txt", "--warm-up", "auto"])
        .code(0)
        .out;
    assert!(
        auto.contains("2000 values · the first 50 left out"),
        "{auto}"
    );
    let by_hand = folder
        .run(&["analyse", "a.txt", "--warm-up", "50"])
        .code(0)
        .out;
    assert!(by_hand.contains("mean 3 "), "{by_hand}");
}

#[test]
fn a_column_of_a_table_is_found_by_name_and_by_number() {
    let rows: Vec<String> = (0..30).map(|i| format!("x,{},{}", i, i * 2)).collect();
    let rows = rows.join("\n");
    let folder = Folder::with("t.csv", format!("name,one,two\n{rows}"));
    for column in ["two", "3"] {
        let ran = folder
            .run(&["analyse", "t.csv", "--column", column])
            .code(0);
        assert!(ran.out.contains("t.csv   two"), "{}", ran.out);
        assert!(ran.out.contains("mean 29 "), "{}", ran.out);
    }
}

#[test]
fn what_is_no_series_is_refused_with_its_place() {
    let folder = Folder::with("bad.txt", "1\n2\n3 ms\n");
    let ran = folder.run(&["analyse", "bad.txt"]).code(3);
    assert!(
        ran.err.contains("bad.txt: line 3: \"3 ms\" is no number"),
        "{}",
        ran.err
    );
    assert!(
        folder
            .run(&["analyse", "no.txt"])
            .code(5)
            .err
            .contains("no such file")
    );
    let short = Folder::with("a.txt", "1\n2\n3\n");
    let ran = short.run(&["analyse", "a.txt", "--warm-up", "2"]).code(3);
    assert!(
        ran.err.contains("it takes 4 values, and has 3"),
        "{}",
        ran.err
    );
    let column = short.run(&["analyse", "a.txt", "--column", "wait"]).code(3);
    assert!(column.err.contains("no column \"wait\""), "{}", column.err);
    let quantile = short
        .run(&["analyse", "a.txt", "--quantile", "100%"])
        .code(2);
    assert!(
        quantile.err.contains("a quantile lies between"),
        "{}",
        quantile.err
    );
}
