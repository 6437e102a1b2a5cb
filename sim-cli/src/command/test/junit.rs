//! Results in the XML of `JUnit`, which GitLab, Jenkins and others show.
//!
//! There is no standard; these are the elements and attributes that all of them read. Times are left out:
//! the same suite gives the same bytes.

use super::{Case, Tested};
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
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a text cannot fail.
    let _ = writeln!(
        xml,
        "<testsuites name=\"stampede\" tests=\"{}\" failures=\"{}\">",
        count(&|_| true),
        count(&failed)
    );
    for tested in suite {
        let name = escaped(&tested.name);
        let failures = tested.cases.iter().filter(|case| failed(case)).count();
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{failures}\">",
            tested.cases.len()
        );
        for case in &tested.cases {
            let what = escaped(&case.what);
            let _ = write!(
                xml,
                "    <testcase classname=\"{name}\" name=\"{what}\" file=\"{}\" line=\"{}\"",
                escaped(&case.file),
                case.line
            );
            match &case.failure {
                None => xml.push_str("/>\n"),
                Some(why) => {
                    let why = escaped(why);
                    let _ = writeln!(
                        xml,
                        ">\n      <failure message=\"{why}\">{}:{} {what}: {why}</failure>\n    </testcase>",
                        escaped(&case.file),
                        case.line
                    );
                }
            }
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

/// A text as XML 1.0 allows it; what no file of XML may hold, not even escaped, gives way to a mark.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push_str("&#10;"),
            '\t' => safe.push_str("&#9;"),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            c if c < ' ' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
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
            xml.contains("name=\"p99 &lt; 1s &amp; &quot;more&quot;\u{fffd}\""),
            "{xml}"
        );
        assert!(xml.contains("message=\"it was: 2 s&#10;or so\""), "{xml}");
    }
}
