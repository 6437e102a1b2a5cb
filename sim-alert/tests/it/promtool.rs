//! Cases with the answers that the real promtool gave (`.ci/prove alerts`; `proof/alerts.py` makes
//! them). `SIM_ALERT_CASES` names another folder of them.

use sim_alert::unit_test::{Loader, Report, unit_test};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

struct Files;

impl Loader for Files {
    fn read(&self, path: &str) -> Result<String, String> {
        fs::read_to_string(path).map_err(|why| why.to_string())
    }
}

fn folder() -> PathBuf {
    let pinned = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/promtool");
    std::env::var_os("SIM_ALERT_CASES").map_or(pinned, PathBuf::from)
}

/// Every file of tests, and whether promtool refuses what is in it.
fn cases() -> Vec<(String, bool)> {
    let entries = fs::read_dir(folder()).expect("a folder of cases");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("a readable entry")
                .path()
                .display()
                .to_string()
        })
        .filter(|name| Path::new(name).extension().is_some_and(|end| end == "yml"))
        .filter(|name| !name.contains(".rules."))
        .collect();
    names.sort();
    let refused = |name: &String| name.contains(".refused.");
    names
        .iter()
        .map(|name| (name.clone(), refused(name)))
        .collect()
}

fn report(name: &str) -> Report {
    let report = unit_test(name, &Files, &AtomicBool::new(false));
    let report = report.unwrap_or_else(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        panic!("{}", lines.join("\n"))
    });
    report.expect("nobody stops it")
}

#[test]
#[expect(
    clippy::print_stdout,
    reason = "the figure that `.ci/prove alerts` is run for"
)]
fn answers_are_those_of_promtool() {
    let (mut checks, mut differences) = (0, Vec::new());
    for (name, _) in cases().iter().filter(|(_, refused)| !refused) {
        for test in report(name).tests {
            checks += test.checks;
            for one in test.differences {
                let (expected, found) = (one.expected.join("\n    "), one.found.join("\n    "));
                differences.push(format!(
                    "{}: {}\n  promtool\n    {expected}\n  here\n    {found}",
                    test.name, one.what
                ));
            }
        }
    }
    assert!(checks > 500, "only {checks} checks");
    println!("{checks} checks, {} differ", differences.len());
    assert!(
        differences.is_empty(),
        "{} of {checks} differ:\n{}",
        differences.len(),
        differences[..differences.len().min(40)].join("\n")
    );
}

#[test]
fn what_promtool_refuses_is_refused() {
    for (name, _) in cases().iter().filter(|(_, refused)| *refused) {
        for test in report(name).tests {
            let failed = test.differences.iter().filter(|one| one.failed).count();
            // A rule that fails ends its test, so that nothing else is looked at.
            let expected = if test.name.ends_with("-rules") {
                1
            } else {
                test.checks
            };
            let differences = test.differences.iter();
            let (refused, answered): (Vec<_>, Vec<_>) = differences.partition(|one| one.failed);
            assert!(
                failed >= expected.max(1),
                "{name}: {failed} of {expected} were refused in {}: {refused:#?}, and not {answered:#?}",
                test.name,
            );
        }
    }
}
