//! What the tests of all tables share.

use super::{Def, ExtensionRow, Nested, ParamDef, ParamKind, ParamValue, Params, is_word};
use crate::distribution::DISTRIBUTIONS;
use crate::time::Duration;
use std::fmt::Debug;

/// Asserts what every table promises its readers.
pub(crate) fn check_rows<D: Def>(rows: &[&D]) {
    for (i, def) in rows.iter().enumerate() {
        let row = def.row();
        assert!(
            is_word(row.name, '-'),
            "{:?} is not in kebab-case",
            row.name
        );
        assert!(
            rows[..i]
                .iter()
                .all(|earlier| earlier.row().name != row.name),
            "two rows are named {:?}",
            row.name
        );
        assert!(
            is_sentence(row.about),
            "{}: {:?} is no sentence",
            row.name,
            row.about
        );
        for (j, param) in row.params.iter().enumerate() {
            assert!(
                is_word(param.name, '_'),
                "{}: {:?} is not in snake_case",
                row.name,
                param.name
            );
            assert!(
                row.params[..j]
                    .iter()
                    .all(|earlier| earlier.name != param.name),
                "{}: two parameters {:?}",
                row.name,
                param.name
            );
            assert!(
                is_sentence(param.about),
                "{}: {:?} is no sentence",
                row.name,
                param.about
            );
        }
        assert_eq!(
            def.check(&example(row)),
            Ok(()),
            "{} refuses its example",
            row.name
        );
    }
}

/// Values for every parameter: the default where there is one, something plausible otherwise.
pub(crate) fn example(row: &ExtensionRow) -> Params {
    Params::new(
        row.params
            .iter()
            .enumerate()
            .map(|(i, param)| (param.name, example_value(row.name, i, param)))
            .collect(),
    )
}

fn example_value(row: &str, position: usize, param: &ParamDef) -> ParamValue {
    let text = param.default;
    let bad = |what: &dyn Debug| -> ! {
        panic!(
            "{row}: the default {what:?} of {:?} is not allowed",
            param.name
        )
    };
    match param.kind {
        ParamKind::Number { min, max, .. } => {
            let value = text.map_or(1.0_f64.clamp(min, max), |text| {
                text.parse().unwrap_or_else(|error| bad(&error))
            });
            if (min..=max).contains(&value) {
                ParamValue::Number(value)
            } else {
                bad(&value)
            }
        }
        ParamKind::Integer { min, max, .. } => {
            let value = text.map_or(1000.clamp(min, max), |text| {
                text.parse().unwrap_or_else(|error| bad(&error))
            });
            if (min..=max).contains(&value) {
                ParamValue::Integer(value)
            } else {
                bad(&value)
            }
        }
        ParamKind::Span { min } => {
            // Later parameters get longer spans, as suits `low` and `high`.
            let value = text.map_or(Duration::from_millis(10 * (position as u64 + 1)), |text| {
                Duration::parse(text).unwrap_or_else(|error| bad(&error))
            });
            if value >= min {
                ParamValue::Span(value)
            } else {
                bad(&value)
            }
        }
        ParamKind::Choice(words) => ParamValue::Choice(text.map_or(0, |text| {
            words
                .iter()
                .position(|word| *word == text)
                .unwrap_or_else(|| bad(&text))
        })),
        ParamKind::Words(words) => {
            let of = |member: &str| {
                let word = member.trim_matches('"');
                let place = words.iter().position(|known| *known == word);
                1 << place.unwrap_or_else(|| bad(&word))
            };
            let members = text.unwrap_or("[]").trim_matches(['[', ']']).split(", ");
            ParamValue::Words(members.filter(|m| !m.is_empty()).map(of).sum())
        }
        ParamKind::Flag => ParamValue::Flag(
            text.is_some_and(|text| text.parse().unwrap_or_else(|error| bad(&error))),
        ),
        ParamKind::Distribution => {
            let value = text.map_or(Duration::from_secs(1), |text| {
                Duration::parse(text).unwrap_or_else(|error| bad(&error))
            });
            ParamValue::Distribution(Nested {
                row: &DISTRIBUTIONS[0].row,
                params: Params::new(vec![("value", ParamValue::Span(value))]),
            })
        }
        ParamKind::Distributions => {
            let law = |seconds| Nested {
                row: &DISTRIBUTIONS[0].row,
                params: Params::new(vec![(
                    "value",
                    ParamValue::Span(Duration::from_secs(seconds)),
                )]),
            };
            ParamValue::Distributions([1, 2, 3].map(law).into())
        }
        ParamKind::Spans | ParamKind::Moments { .. } => {
            ParamValue::Spans([1, 2, 3].map(Duration::from_secs).into())
        }
        // The least that any language of ours wants.
        ParamKind::Code { .. } => ParamValue::Text("fn pick() { return any(); }".into()),
        ParamKind::Numbers { min, max } => {
            ParamValue::Numbers(text.map_or([1.0_f64.clamp(min, max); 3].into(), |text| {
                let members = text.trim_matches(['[', ']']).split(", ");
                members
                    .filter(|member| !member.is_empty())
                    .map(|member| member.parse().unwrap_or_else(|error| bad(&error)))
                    .collect()
            }))
        }
    }
}

fn is_sentence(text: &str) -> bool {
    text.starts_with(|c: char| c.is_uppercase()) && text.ends_with('.')
}
