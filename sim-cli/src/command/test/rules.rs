//! Files that test alert rules of Prometheus, in the format of `promtool test rules`.

use super::{Case, Tested};
use crate::exit::Failure;
use crate::files;
use crate::terminal::say_warning;
use sim_alert::unit_test::{Difference, Loader, unit_test};
use std::path::Path;

/// Whether a file's name says that it is YAML.
pub(super) fn is_yaml(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default();
    ending == "yml" || ending == "yaml"
}

/// Whether a file of a folder means to be a test of rules: there are many other files of YAML.
pub(super) fn is_test(path: &Path) -> Result<bool, Failure> {
    let text = files::read_text(path)
        .map_err(|error| Failure::io(format!("cannot read {}", path.display()), &error))?;
    let has = |key: &str| text.lines().any(|line| line.starts_with(key));
    Ok(has("tests:") && (has("rule_files:") || has("evaluation_interval:")))
}

/// Evaluates the rules on the series of a file, and says what is not as it expects.
pub(super) fn tested(name: &str, quiet: bool) -> Tested {
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
    let report = match unit_test(name, &Files) {
        Ok(report) => report,
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
            return tested;
        }
    };
    if !quiet {
        for pattern in &report.unmatched {
            say_warning(name, &format!("rule_files: no file is {pattern}"));
        }
    }
    for test in report.tests {
        if test.differences.is_empty() {
            let checks = match test.checks {
                1 => "1 alert or expression".to_owned(),
                many => format!("{many} alerts and expressions"),
            };
            tested
                .cases
                .push(case(0, format!("{}: {checks}", test.name), None));
        }
        for difference in test.differences {
            let what = format!("{}: {}", test.name, difference.what);
            let line = difference.line;
            tested.cases.push(case(line, what, Some(why(&difference))));
        }
    }
    tested
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

/// Files of the machine.
struct Files;

impl Loader for Files {
    fn read(&self, path: &str) -> Result<String, String> {
        files::read_text(Path::new(path)).map_err(|error| error.to_string())
    }

    fn matching(&self, pattern: &str, beside: &str) -> Vec<String> {
        let folder = Path::new(beside).parent().unwrap_or(Path::new(""));
        let whole = folder.join(pattern);
        let (Some(within), Some(last)) = (whole.parent(), whole.file_name()) else {
            return Vec::new();
        };
        let last = last.to_string_lossy();
        if !last.contains(['*', '?']) {
            return vec![whole.display().to_string()];
        }
        let within = if within.as_os_str().is_empty() {
            Path::new(".")
        } else {
            within
        };
        let names = files::names(within).unwrap_or_default();
        let mut matching: Vec<String> = (names.iter())
            .filter(|name| fits(&last, name))
            .map(|name| whole.with_file_name(name).display().to_string())
            .collect();
        matching.sort();
        matching
    }
}

/// Whether a name fits a pattern in which `*` stands for any text and `?` for any one sign.
fn fits(pattern: &str, name: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => name.is_empty(),
        Some('*') => {
            let ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.into_iter().any(|at| fits(rest.as_str(), &name[at..]))
        }
        Some(sign) => {
            let mut others = name.chars();
            let other = others.next();
            other.is_some_and(|other| sign == '?' || sign == other)
                && fits(rest.as_str(), others.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_names() {
        for (pattern, name, fit) in [
            ("*.yml", "a.yml", true),
            ("*.yml", "a.yaml", false),
            ("rules-?.yml", "rules-1.yml", true),
            ("rules-?.yml", "rules-.yml", false),
            ("*a*", "banana", true),
            ("a", "b", false),
        ] {
            assert_eq!(fits(pattern, name), fit, "{pattern} and {name}");
        }
    }
}
