//! `test`: scenarios as a suite.

use crate::experiments::json;
use crate::stampede::{Folder, SMALL, interrupted};

/// A folder of scenarios, with what else may lie in one.
fn suite() -> Folder {
    let folder = Folder::with(
        "all/good.toml",
        format!("{SMALL}[[expect]]\nthat = \"availability == 100%\"\n"),
    );
    folder.write("all/deep/plain.toml", SMALL);
    folder.write("all/notes.toml", "what = \"no scenario\"\n");
    folder.write(
        "all/plan.toml",
        "scenario = \"good.toml\"\n[[axis]]\npath = \"seed\"\nvalues = [1, 2]\n",
    );
    folder.write("all/README.md", "# Ours\n");
    folder.write("all/.hidden/bad.toml", "horizon = 3\n");
    folder.write("all/results/summary.json", "{}");
    folder.write("all/results/scenario.toml", "horizon = 3\n");
    folder
}

#[test]
fn what_is_in_a_folder_is_run_and_told() {
    let folder = suite();
    let ran = folder.run(&["test", "all"]).code(0);
    for wanted in [
        "– all/deep/plain.toml   it runs, and expects nothing",
        "✓ all/good.toml   it holds",
        "2 scenarios: 1 of 1 hold",
        "no scenarios: all/notes.toml, all/plan.toml",
    ] {
        assert!(ran.out.contains(wanted), "{wanted} in\n{}", ran.out);
    }
    for unwanted in ["hidden", "results", "README"] {
        assert!(!ran.out.contains(unwanted), "{}", ran.out);
    }
    let again = folder.run(&["test", "all", "--threads", "3"]).code(0);
    assert_eq!(ran.out, again.out);
}

#[test]
fn what_does_not_hold_is_named_with_its_line() {
    let folder = suite();
    folder.write(
        "all/bad.toml",
        format!("{SMALL}[[expect]]\nthat = \"p99 < 1ms\"\n"),
    );
    let ran = folder
        .run(&[
            "test",
            "all",
            "--junit",
            "found.xml",
            "--annotate",
            "github",
        ])
        .code(6);
    for wanted in [
        "✗ all/bad.toml   1 of 1 do not hold",
        "  all/bad.toml:16   p99 < 1ms\n    it was: ",
        "::error file=all/bad.toml,line=16,title=p99 < 1ms::it was%3A ",
    ] {
        let wanted = wanted.replace("was%3A", "was:");
        assert!(ran.out.contains(&wanted), "{wanted} in\n{}", ran.out);
    }
    let xml = folder.read("found.xml");
    for wanted in [
        "<testsuites name=\"stampede\" tests=\"2\" failures=\"1\">",
        "<testcase classname=\"all/bad.toml\" name=\"p99 &lt; 1ms\" file=\"all/bad.toml\" line=\"16\">",
        "<failure message=\"it was: ",
    ] {
        assert!(xml.contains(wanted), "{wanted} in\n{xml}");
    }
    let found = folder.run(&["test", "all/bad.toml", "--format", "json"]);
    let found = json(&found.code(6).out);
    assert_eq!(found["cases"][0]["line"], 16);
}

#[test]
fn a_scenario_that_cannot_be_read_fails_and_the_others_run() {
    let folder = suite();
    folder.write("all/bad.toml", "horizon = \"1s\"\nservice = 3\n");
    let ran = folder.run(&["test", "all"]).code(3);
    assert!(ran.out.contains("✗ all/bad.toml"), "{}", ran.out);
    assert!(ran.out.contains("  all/bad.toml:2 "), "{}", ran.out);
    assert!(ran.out.contains("✓ all/good.toml"), "{}", ran.out);
}

#[test]
fn figures_are_kept_and_held_to() {
    let folder = Folder::with("s.toml", SMALL);
    let ran = folder.run(&["test", "s.toml", "--update"]).code(0);
    assert!(ran.err.contains("wrote s.figures.toml"), "{}", ran.err);
    let figures = folder.read("s.figures.toml");
    assert!(figures.contains("\n\"availability\" = 1.0\n"), "{figures}");
    let ran = folder.run(&["test", "s.toml"]).code(0);
    assert!(ran.out.contains("✓ s.toml   all "), "{}", ran.out);
    // Slower servers are another system.
    folder.write("s.toml", SMALL.replace("10ms", "15ms"));
    let ran = folder.run(&["test", "s.toml"]).code(6);
    let wanted = "s.figures.toml:";
    assert!(ran.out.contains(wanted), "{}", ran.out);
    assert!(
        ran.out.contains("it is 15 ms, and held to 10 ms ± 1 %"),
        "{}",
        ran.out
    );
    // What people wrote around the values stays.
    folder.write("s.figures.toml", format!("# ours\n{figures}"));
    folder.run(&["test", "s.toml", "--update"]).code(0);
    assert!(folder.read("s.figures.toml").starts_with("# ours\n"));
    folder.run(&["test", "s.toml"]).code(0);
}

#[test]
fn a_tolerance_lets_a_figure_move() {
    let folder = Folder::with("s.toml", SMALL);
    let with = |entry: &str| {
        let text = format!("version = 1\n[figures]\n\"response_time_s.p99\" = {entry}\n");
        folder.write("s.figures.toml", text);
        folder.run(&["test", "s.toml"])
    };
    with("{ value = 0.0102, tolerance = \"3%\" }").code(0);
    with("{ value = 0.0102, tolerance = \"1%\" }").code(6);
    with("{ value = 0.012, within = 0.003 }").code(0);
    with("\"none\"").code(6);
}

#[test]
fn wrong_figures_are_named() {
    let folder = Folder::with("s.toml", SMALL);
    for (text, wanted) in [
        (
            "version = 1\n[figures]\n\"p98\" = 1\n",
            "s.figures.toml:3   p98",
        ),
        ("version = 7\n", "`version = 1` is missing"),
        ("\u{0}", "s.figures.toml:1 "),
    ] {
        folder.write("s.figures.toml", text);
        let ran = folder.run(&["test", "s.toml"]).code(3);
        assert!(ran.out.contains(wanted), "{wanted} in\n{}", ran.out);
    }
}

#[test]
fn replications_judge_and_are_averaged() {
    let random = SMALL.replace("\"10ms\"", "{ kind = \"exponential\", mean = \"10ms\" }");
    let folder = Folder::with(
        "s.toml",
        format!("{random}[[expect]]\nthat = \"response_time_s.mean < 12.2ms\"\n"),
    );
    folder
        .run(&["test", "s.toml", "--replications", "5", "--update"])
        .code(6);
    let figures = folder.read("s.figures.toml");
    assert!(figures.contains("replications = 5\n"), "{figures}");
    // The file asks for its five, whatever the command does.
    let ran = folder.run(&["test", "s.toml"]).code(6);
    assert!(ran.out.contains(" of 5 replications; in "), "{}", ran.out);
    assert!(ran.out.contains("1 of "), "{}", ran.out);
}

#[test]
fn what_makes_no_suite_is_refused() {
    let folder = suite();
    folder.write("empty/README.md", "# nothing");
    for (args, code, wanted) in [
        (
            vec!["test", "empty"],
            4,
            "neither a scenario nor a test of alert rules is in empty",
        ),
        (vec!["test", "-"], 2, "standard input has no place"),
        (vec!["test", "nowhere.toml"], 5, "no such file"),
        (
            vec!["test", "all", "--update", "--set", "seed=3"],
            2,
            "leave out --set",
        ),
    ] {
        let ran = folder.run(&args).code(code);
        assert!(ran.err.contains(wanted), "{wanted} in\n{}", ran.err);
    }
}

/// Alert rules of Prometheus, and what a test expects of them.
fn rules() -> Folder {
    let folder = Folder::with(
        "all/rules/shop.yml",
        "groups:
- name: shop
  rules:
  - alert: Errors
    expr: rate(errors_total[1m]) > 1
    for: 2m
    labels: { severity: page }
",
    );
    folder.write(
        "all/shop_test.yml",
        "rule_files: [ 'rules/*.yml' ]
evaluation_interval: 15s
tests:
- name: errors begin
  interval: 15s
  input_series:
  - series: errors_total{job=\"web\"}
    values: 0x8 0+60x20
  alert_rule_test:
  - eval_time: 3m
    alertname: Errors
    exp_alerts: []
  - eval_time: 5m
    alertname: Errors
    exp_alerts:
    - exp_labels: { severity: page, job: web }
",
    );
    folder.write("all/deployment.yml", "kind: Deployment\n");
    folder
}

#[test]
fn alert_rules_are_tested_as_promtool_does() {
    let folder = rules();
    let ran = folder.run(&["test", "all"]).code(0);
    assert!(
        ran.out.contains("✓ all/shop_test.yml   all 2 hold")
            && ran.out.contains("1 test of alert rules: 2 of 2 hold"),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("deployment"), "{}", ran.out);
}

#[test]
fn what_rules_do_not_do_is_told_with_its_line() {
    let folder = rules();
    let text = folder.read("all/shop_test.yml");
    folder.write(
        "all/shop_test.yml",
        text.replace("severity: page, job: web", "severity: page, job: db"),
    );
    let ran = folder
        .run(&[
            "test",
            "all/shop_test.yml",
            "--annotate",
            "github",
            "--junit",
            "r.xml",
        ])
        .code(6);
    for wanted in [
        "✗ all/shop_test.yml   1 of 2 do not hold",
        "all/shop_test.yml:13",
        "job=\"db\"",
        "job=\"web\"",
        "::error file=all/shop_test.yml,line=13",
    ] {
        assert!(ran.out.contains(wanted), "{wanted} in\n{}", ran.out);
    }
    let junit = folder.read("r.xml");
    assert!(
        junit.contains("tests=\"2\"") && junit.contains("failures=\"1\""),
        "{junit}"
    );
    folder.write(
        "all/rules/shop.yml",
        "groups:\n- name: shop\n  rules:\n  - alert: E\n    expr: rate(x[)\n",
    );
    let ran = folder.run(&["test", "all"]).code(3);
    assert!(ran.out.contains("shop.yml:5"), "{}", ran.out);
}

#[test]
fn files_that_cannot_be_read_are_left_out_and_told() {
    let folder = rules();
    folder.write("all/picture.yml", b"tests:\nrule_files:\n\xff\xfe");
    folder.write(
        "all/foreign.yaml",
        "tests: [a, b]\n{{ nothing }}: of ours\n",
    );
    #[cfg(unix)]
    {
        let link = |to: &str, name: &str| {
            std::os::unix::fs::symlink(to, folder.path.join(name)).expect("links can be made");
        };
        link("nowhere.yml", "all/broken.yml");
        link("circle.yml", "all/circle.yml");
    }
    let ran = folder.run(&["test", "all"]).code(0);
    let mut wanted = vec![
        "warning: all/picture.yml: it is left out, since it cannot be read: it is not text in UTF-8",
    ];
    if cfg!(unix) {
        wanted.push(
            "warning: all/broken.yml: it is left out, since it cannot be read: it is no file",
        );
        wanted.push("warning: all/circle.yml: it is left out");
    }
    for wanted in wanted {
        assert!(ran.err.contains(wanted), "{wanted} in\n{}", ran.err);
    }
    assert!(!ran.err.contains("foreign"), "{}", ran.err);
    assert!(ran.out.contains("✓ all/shop_test.yml"), "{}", ran.out);
    assert_eq!(folder.run(&["test", "all", "-q"]).code(0).err, "");
    // What is named is asked for.
    let ran = folder.run(&["test", "all/picture.yml"]).code(3);
    assert!(ran.out.contains("it is not text in UTF-8"), "{}", ran.out);
}

#[test]
fn options_of_scenarios_are_refused_without_any() {
    let folder = rules();
    for option in [
        &["--update"][..],
        &["--set", "seed=3"],
        &["--no-expect"],
        &["--replications", "1"],
    ] {
        let args = [&["test", "all"], option].concat();
        let ran = folder.run(&args).code(2);
        let wanted = format!(
            "{} is for scenarios, and here are tests of alert rules alone",
            option[0]
        );
        assert!(ran.err.contains(&wanted), "{wanted} in\n{}", ran.err);
    }
    folder.write("all/s.toml", SMALL);
    let ran = folder.run(&["test", "all", "--replications", "2"]).code(0);
    assert!(
        ran.out.contains("1 scenario and 1 test of alert rules"),
        "{}",
        ran.out
    );
}

#[test]
fn patterns_of_rule_files_are_those_of_a_shell() {
    let folder = rules();
    let text = folder.read("all/shop_test.yml");
    for (pattern, told) in [
        ("rules/[r-t]hop.yml", ""),
        ("r*s/s*p.y?l", ""),
        ("rules/*.yaml", "rule_files: no file is rules/*.yaml"),
        ("rules/*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", "no file is"),
    ] {
        folder.write("all/shop_test.yml", text.replace("rules/*.yml", pattern));
        // Nobody waits for a pattern.
        folder.write(&format!("all/rules/{}", "a".repeat(200)), "");
        let ran = folder.run(&["test", "all/shop_test.yml"]);
        assert!(ran.err.contains(told), "{pattern}: {}", ran.err);
        assert_eq!(ran.code, if told.is_empty() { 0 } else { 6 }, "{pattern}");
    }
    folder.write("all/shop_test.yml", text.replace("*.yml", "none.yml"));
    let ran = folder.run(&["test", "all"]).code(3);
    assert!(ran.out.contains("there is no such file"), "{}", ran.out);
}

#[test]
fn tests_of_rules_have_an_end() {
    let folder = rules();
    let text = folder.read("all/shop_test.yml");
    folder.write(
        "all/shop_test.yml",
        text.replace("eval_time: 5m", "eval_time: 200y"),
    );
    let ran = folder.run(&["test", "all"]).code(3);
    for wanted in [
        "all/shop_test.yml:4 ",
        "1 rule(s) until 200y every 15s: with these the file has more than 10000000 evaluations of rules",
    ] {
        assert!(ran.out.contains(wanted), "{wanted} in\n{}", ran.out);
    }
}

/// Ctrl-C ends tests of rules, however long they would take.
#[cfg(unix)]
#[test]
fn tests_of_rules_can_be_interrupted() {
    let folder = rules();
    let slow = "max_over_time(max_over_time(vector(1)[1000s:1s])[1000s:1s])";
    let rule = format!("  - {{ record: slow, expr: '{slow}' }}\n");
    let text = folder.read("all/rules/shop.yml");
    folder.write("all/rules/shop.yml", text + &rule);
    let text = folder.read("all/shop_test.yml");
    folder.write(
        "all/shop_test.yml",
        text.replace("eval_time: 5m", "eval_time: 300d"),
    );
    folder.write("all/picture.yml", b"\xff");
    let mut child = folder
        .command(&["test", "all"])
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the command starts");
    // The warning comes just before the tests are begun.
    let mut first = [0];
    let err = child.stderr.as_mut().expect("piped");
    std::io::Read::read_exact(err, &mut first).expect("a warning");
    std::thread::sleep(std::time::Duration::from_millis(500));
    interrupted(child).code(130);
}
