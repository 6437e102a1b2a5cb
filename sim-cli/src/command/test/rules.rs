//! Files that test alert rules of Prometheus, in the format of `promtool test rules`.

use super::{Case, Tested};
use crate::input;
use crate::settings_files::Neighbours;
use sim_alert::unit_test::{Difference, Loader, unit_test};
use sim_import::settings::Files;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Whether a file's name says that it is YAML.
pub(super) fn is_yaml(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default();
    ending == "yml" || ending == "yaml"
}

/// Whether a file of a folder means to be a test of rules: there are many other files of YAML.
///
/// # Errors
/// Says why it cannot be read.
pub(super) fn is_test(path: &Path) -> Result<bool, String> {
    // A pipe would be waited for.
    if !path.is_file() {
        return Err("it is no file".to_owned());
    }
    let text = input::read_if_there(path)?.unwrap_or_default();
    let has = |key: &str| text.lines().any(|line| line.starts_with(key));
    Ok(has("tests:") && (has("rule_files:") || has("evaluation_interval:")))
}

/// Evaluates the rules on the series of a file, and says what is not as it expects, and what to
/// warn of; `None` if told to stop.
pub(super) fn tested(name: &str, cancel: &AtomicBool) -> Option<(Tested, Vec<String>)> {
    let case = |line: usize, what: String, failure: Option<String>| Case {
        what,
        file: name.to_owned(),
        line,
        failure,
    };
    let mut tested = Tested {
        name: name.to_owned(),
        of_rules: true,
        valid: true,
        cases: Vec::new(),
    };
    let beside = Beside(Neighbours::of(&[name.to_owned()]));
    let report = match unit_test(name, &beside, cancel) {
        Ok(report) => report?,
        Err(problems) => {
            tested.valid = false;
            tested.cases = (problems.into_iter())
                .map(|problem| Case {
                    what: "it can be read".to_owned(),
                    file: problem.file,
                    line: problem.line,
                    failure: Some(problem.message),
                })
                .collect();
            return Some((tested, Vec::new()));
        }
    };
    let unmatched = report.unmatched.iter();
    let warnings = unmatched.map(|pattern| format!("rule_files: no file is {pattern}"));
    let warnings = warnings.collect();
    for test in report.tests {
        // Each alert and expression counts, whatever becomes of the others.
        let held = test.checks.saturating_sub(test.differences.len());
        for number in 1..=held {
            let what = format!("{}: {number} of {held} that hold", test.name);
            tested.cases.push(case(0, what, None));
        }
        for difference in test.differences {
            let what = format!("{}: {}", test.name, difference.what);
            let line = difference.line;
            tested.cases.push(case(line, what, Some(why(&difference))));
        }
    }
    Some((tested, warnings))
}

/// What there is instead of what was expected.
fn why(difference: &Difference) -> String {
    let listed = |of: &[String]| {
        if of.is_empty() {
            "nothing".to_owned()
        } else {
            of.join("; ")
        }
    };
    if difference.failed {
        return listed(&difference.found);
    }
    format!(
        "expected {}; there is {}",
        listed(&difference.expected),
        listed(&difference.found)
    )
}

/// Files beside a file of tests.
struct Beside(Neighbours);

impl Loader for Beside {
    fn read(&self, path: &str) -> Result<String, String> {
        let text = self.0.read(path)?;
        text.ok_or_else(|| "there is no such file".to_owned())
    }

    fn matching(&self, pattern: &str, beside: &str) -> Result<Vec<String>, String> {
        let folder = Path::new(beside).parent().unwrap_or(Path::new(""));
        let whole = folder.join(pattern).display().to_string();
        // What is named is to be there; of a pattern there may be nothing.
        if !pattern.contains(['*', '?', '[']) {
            return Ok(vec![whole]);
        }
        self.0.matching(&whole)
    }
}
