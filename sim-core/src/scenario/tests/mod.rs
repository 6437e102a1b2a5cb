//! Tests of reading scenarios.

#![allow(clippy::float_cmp, reason = "what is written must arrive unchanged")]
#![allow(clippy::format_collect, reason = "short texts for tests")]

use super::*;
use crate::model::{Action, Change, Class, ClassId, ClientId, ServerId, Target};
use crate::time::{Duration, SECOND};

mod bad_input;
mod bad_links;
mod bad_routes;
mod design;
mod live;
mod overlays;
mod random;
mod renamed;
mod sets;
mod tables;

pub(super) const DESIGN: &str = include_str!("../testdata/design.toml");

/// A scenario to change a line of; each test says what it adds.
pub(super) const SMALL: &str = r#"
horizon = "1h"
[[traffic]]
to = "web"
rate = 100
[service.web]
demand = "10ms"
[[service.web.server]]
name = "web"
count = 3
workers = 4
"#;

pub(super) fn small_and(more: &str) -> String {
    format!("{SMALL}{more}")
}

/// Reads a text that must be fine.
pub(super) fn model(text: &str) -> Model {
    parse(text).unwrap_or_else(|problems| panic!("{problems}\n{text}"))
}

/// Reads a text that must have a problem with this code whose report contains `words`.
pub(super) fn refused(text: &str, code: &str, words: &str) {
    let problems = parse(text).expect_err(text);
    let report = problems.to_string();
    assert!(problems.has(code), "wanted {code}: {report}");
    assert!(report.contains(words), "wanted {words:?}: {report}");
    for problem in &problems.problems {
        assert!(
            CODES.iter().any(|row| row.code == problem.code),
            "{} is in no table",
            problem.code
        );
        for label in &problem.labels {
            let text = &problems.sources[label.source].text;
            assert!(
                text.get(label.span.clone()).is_some(),
                "{:?} is no place in the text: {report}",
                label.span
            );
        }
    }
}

pub(super) fn with_sets(text: &str, sets: &[(&str, &str)]) -> Result<Model, Problems> {
    let sets: Vec<(String, String)> = sets
        .iter()
        .map(|(p, v)| ((*p).to_owned(), (*v).to_owned()))
        .collect();
    Scenario::read(Source::new("t.toml", text), &sets, &NoFiles)?.model()
}
