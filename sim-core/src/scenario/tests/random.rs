//! Any bytes give a model or problems, never a panic.

use super::*;
use proptest::prelude::*;

fn survives(name: &str, text: &str) {
    let source = Source::new(name, text);
    match Scenario::read(source, &[], &NoFiles) {
        Ok(scenario) => {
            let _ = scenario.warnings();
            let again = scenario.to_toml();
            assert_eq!(
                Scenario::read(Source::new("t.toml", again.clone()), &[], &NoFiles)
                    .map(|s| s.to_toml()),
                Ok(again)
            );
        }
        Err(problems) => {
            assert!(!problems.problems.is_empty());
            for label in problems.problems.iter().flat_map(|p| &p.labels) {
                assert!(
                    problems.sources[label.source]
                        .text
                        .get(label.span.clone())
                        .is_some(),
                    "{problems}"
                );
            }
            let _ = problems.to_string();
        }
    }
}

/// The design's example with pieces of it, or of hostile values, in other places.
fn mutated() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "0",
        "-1",
        "1e308",
        "nan",
        "99999999999999999999999999999999999999999",
        "\"\"",
        "\"none\"",
        "[]",
        "{}",
        "[[]]",
        "\"12:30\"",
        "\"99:99\"",
        "true",
        "\"5%\"",
        "\"é€\"",
        "'''",
        "\n[service.web]\n",
        "\n[[traffic]]\n",
        "like = \"web\"",
        "\"fifo\"",
        "{ kind = \"surge\" }",
        "1979-05-27",
        "\"\\u00e9\"",
    ]);
    let edits = prop::collection::vec(
        (
            any::<prop::sample::Index>(),
            any::<prop::sample::Index>(),
            pieces,
            0..4_u8,
        ),
        1..5,
    );
    edits.prop_map(|edits| {
        let mut text: Vec<char> = DESIGN.chars().collect();
        for (a, b, piece, how) in edits {
            let (a, b) = (a.index(text.len()), b.index(text.len()));
            match how {
                0 => drop(text.splice(a..a, piece.chars())),
                1 => drop(text.drain(a..(a + b % 20).min(text.len()))),
                2 => text.swap(a, b),
                _ => {
                    // In place of a value, up to the end of its line.
                    if let Some(start) = (a..text.len()).find(|i| text[*i] == '=') {
                        let end = (start..text.len())
                            .find(|i| text[*i] == '\n')
                            .unwrap_or(text.len());
                        drop(text.splice(start + 1..end, piece.chars()));
                    }
                }
            }
        }
        text.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let text = String::from_utf8_lossy(&bytes);
        survives("t.toml", &text);
        survives("t.json", &text);
    }

    #[test]
    fn mutated_scenarios_never_panic(text in mutated()) {
        survives("t.toml", &text);
    }

    #[test]
    fn random_sets_never_panic(path in "[a-z0-9.*\"-]{0,40}|(service\\.web\\.(server|balancer|demand)|client|traffic|timeline|class)(\\.[a-z0-9*-]{1,9}){0,4}", value in "\\PC{0,30}") {
        if let Err(problems) = with_sets(DESIGN, &[(&path, &value)]) {
            prop_assert!(!problems.problems.is_empty());
        }
        let scenario = Scenario::read(Source::new("t.toml", SMALL), &[], &NoFiles).expect("valid");
        let model = scenario.model().expect("valid");
        let _ = change(&scenario, &model, Instant::ZERO, &path, &value);
    }

    #[test]
    fn random_expectations_never_panic(that in "[a-z0-9 .()<>=!%:-]{0,40}|(max|first|share|p99|whole)[(][a-z.-]{0,8}[)]{0,2} ?(in|at|during|<)? ?[0-9a-z:.%]{0,12}") {
        survives("t.toml", &small_and(&format!("[[expect]]\nthat = \"{that}\"\n")));
    }
}
