//! Results in the XML of `JUnit`, which GitLab, Jenkins and others show.
//!
//! There is no standard; these are the elements and attributes that all of them read. Times are left out:
//! the same suite gives the same bytes.

use super::{Case, Tested};
use sim_core::text::xml;
use std::fmt::Write as _;

/// The whole file.
pub(super) fn report(suite: &[Tested]) -> String {
    let count = |of: &dyn Fn(&Case) -> bool| {
        suite
            .iter()
            .flat_map(|tested| &tested.cases)
            .filter(|case| of(case))
            .count()
    };
    let failed = |case: &Case| case.failure.is_some();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a text cannot fail.
    let _ = writeln!(
        text,
        "<testsuites name=\"stampede\" tests=\"{}\" failures=\"{}\">",
        count(&|_| true),
        count(&failed)
    );
    for tested in suite {
        let name = xml(&tested.name);
        let failures = tested.cases.iter().filter(|case| failed(case)).count();
        let _ = writeln!(
            text,
            "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{failures}\">",
            tested.cases.len()
        );
        for case in &tested.cases {
            let what = xml(&case.what);
            let _ = write!(
                text,
                "    <testcase classname=\"{name}\" name=\"{what}\" file=\"{}\" line=\"{}\"",
                xml(&case.file),
                case.line
            );
            match &case.failure {
                None => text.push_str("/>\n"),
                Some(why) => {
                    let why = xml(why);
                    let _ = writeln!(
                        text,
                        ">\n      <failure message=\"{why}\">{}:{} {what}: {why}</failure>\n    </testcase>",
                        xml(&case.file),
                        case.line
                    );
                }
            }
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_texts() {
        let case = Case {
            what: "p99 < 1s & \"more\"\u{1b}".to_owned(),
            file: "a.toml".to_owned(),
            line: 3,
            failure: Some("it was: 2 s\nor so".to_owned()),
        };
        let tested = Tested {
            name: "a.toml".to_owned(),
            cases: vec![case],
            ..Tested::default()
        };
        let xml = report(&[tested]);
        assert!(xml.contains("tests=\"1\" failures=\"1\""), "{xml}");
        assert!(
            xml.contains("name=\"p99 &lt; 1s &amp; &quot;more&quot; \""),
            "{xml}"
        );
        assert!(xml.contains("message=\"it was: 2 s or so\""), "{xml}");
    }
}
