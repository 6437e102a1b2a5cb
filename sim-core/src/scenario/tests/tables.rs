//! What is generated from the definitions.

use super::*;

#[test]
fn every_default_is_readable_and_every_key_has_words() {
    let mut problems = Collector::default();
    for row in keys() {
        assert!(
            row.about.ends_with('.') || row.about.contains(": "),
            "{}: {:?}",
            row.path,
            row.about
        );
        assert!(!row.kind.is_empty(), "{}", row.path);
    }
    let tree = tree::parse(&Source::new("t.toml", SMALL), 0, &mut problems).expect("valid");
    sections::Top::read(
        &tree,
        &mut section::Cx {
            problems: &mut problems,
            clock: None,
        },
    )
    .expect("valid");
    assert!(problems.is_empty());
}

#[test]
fn codes_ascend() {
    assert!(CODES.windows(2).all(|pair| pair[0].code < pair[1].code));
}

#[test]
fn warnings_are_remarks_on_valid_scenarios() {
    let warnings = |text: &str| {
        Scenario::read(Source::new("t.toml", text), &[], &NoFiles)
            .expect("valid")
            .warnings()
    };
    assert!(warnings(SMALL).is_empty());
    assert!(warnings(&SMALL.replace("rate = 100", "rate = 0"))[0].contains("always 0"));
    assert!(
        warnings(&small_and(
            "[service.db]\ndemand = \"1ms\"\nserver = [{ name = \"db\", workers = 1 }]"
        ))[0]
            .contains("nobody asks")
    );
}
