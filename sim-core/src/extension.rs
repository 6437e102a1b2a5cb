//! Extension rows: what a policy, a distribution, a discipline … tells about itself.
//!
//! Every extension row is a row of a visible table (`POLICIES`, `DISTRIBUTIONS`, …) and begins
//! with an [`ExtensionRow`]: its name, what it is, where that comes from, and its parameters. The scenario
//! reader, `--set`, the JSON Schema, `stampede list`, the reference pages and the window's sliders
//! all read the same rows, so adding one is a file and its line in the table.

use crate::distribution::DistributionDef;
use crate::time::Duration;
use std::fmt;
use std::sync::Arc;

/// The common head of every table row.
#[derive(Debug)]
pub struct ExtensionRow {
    /// The word written in a scenario: `kind = "power-of-d"`.
    pub name: &'static str,
    /// One sentence: what it does.
    pub about: &'static str,
    /// Where the behaviour is defined: book, paper, or program and version; empty when obvious.
    pub source: &'static str,
    /// Its parameters, in the order of the documentation.
    pub params: &'static [ParamDef],
}

/// One parameter of an extension row.
#[derive(Debug)]
pub struct ParamDef {
    /// The key in the scenario.
    pub name: &'static str,
    /// One sentence: what it changes.
    pub about: &'static str,
    /// What may be written.
    pub kind: ParamKind,
    /// The value when the key is absent, written as in a scenario; `None` makes it required.
    pub default: Option<&'static str>,
}

/// What may be written for a parameter.
#[derive(Clone, Copy, Debug)]
pub enum ParamKind {
    /// A number in `min..=max`.
    Number {
        /// Smallest allowed value.
        min: f64,
        /// Largest allowed value.
        max: f64,
        /// Unit for documentation and axis labels; empty for a plain number.
        unit: &'static str,
    },
    /// A whole number in `min..=max`.
    Integer {
        /// Smallest allowed value.
        min: u64,
        /// Largest allowed value.
        max: u64,
        /// What is counted.
        unit: &'static str,
    },
    /// A time span of at least `min`.
    Span {
        /// Shortest allowed span.
        min: Duration,
    },
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A row of [`crate::distribution::DISTRIBUTIONS`], giving a time.
    Distribution,
    /// A list of time spans, in any order unless the owner says otherwise.
    Spans,
    /// A list of numbers in `min..=max`.
    Numbers {
        /// Smallest allowed member.
        min: f64,
        /// Largest allowed member.
        max: f64,
    },
}

/// A parameter's value, of the variant its [`ParamKind`] asks for.
#[derive(Clone, PartialEq, Debug)]
pub enum ParamValue {
    /// For [`ParamKind::Number`].
    Number(f64),
    /// For [`ParamKind::Integer`].
    Integer(u64),
    /// For [`ParamKind::Span`].
    Span(Duration),
    /// For [`ParamKind::Choice`]: the position in the list.
    Choice(usize),
    /// For [`ParamKind::Flag`].
    Flag(bool),
    /// For [`ParamKind::Distribution`].
    Distribution(Configured<DistributionDef>),
    /// For [`ParamKind::Spans`].
    Spans(Arc<[Duration]>),
    /// For [`ParamKind::Numbers`].
    Numbers(Arc<[f64]>),
}

/// The values of one row's parameters, complete and each within its range.
///
/// The getters panic when the name or the variant is not the row's own: that is a slip in the
/// table row, found by the registry tests, never something a scenario can cause.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Params {
    values: Vec<(&'static str, ParamValue)>,
}

impl Params {
    /// Values in the order of the row's parameters.
    pub fn new(values: Vec<(&'static str, ParamValue)>) -> Self {
        Self { values }
    }

    /// The values with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &ParamValue)> {
        self.values.iter().map(|(name, value)| (*name, value))
    }

    fn get(&self, name: &str) -> &ParamValue {
        self.values.iter().find(|(n, _)| *n == name).map_or_else(
            || panic!("no parameter {name:?} in this table row"),
            |(_, v)| v,
        )
    }

    /// A number.
    pub fn number(&self, name: &str) -> f64 {
        match self.get(name) {
            ParamValue::Number(v) => *v,
            other => panic!("{name:?} is no number: {other:?}"),
        }
    }

    /// A whole number.
    pub fn integer(&self, name: &str) -> u64 {
        match self.get(name) {
            ParamValue::Integer(v) => *v,
            other => panic!("{name:?} is no whole number: {other:?}"),
        }
    }

    /// A time span.
    pub fn span(&self, name: &str) -> Duration {
        match self.get(name) {
            ParamValue::Span(v) => *v,
            other => panic!("{name:?} is no span: {other:?}"),
        }
    }

    /// The position of the chosen word.
    pub fn choice(&self, name: &str) -> usize {
        match self.get(name) {
            ParamValue::Choice(v) => *v,
            other => panic!("{name:?} is no choice: {other:?}"),
        }
    }

    /// Yes or no.
    pub fn flag(&self, name: &str) -> bool {
        match self.get(name) {
            ParamValue::Flag(v) => *v,
            other => panic!("{name:?} is no flag: {other:?}"),
        }
    }

    /// A distribution of times.
    pub fn distribution(&self, name: &str) -> &Configured<DistributionDef> {
        match self.get(name) {
            ParamValue::Distribution(v) => v,
            other => panic!("{name:?} is no distribution: {other:?}"),
        }
    }

    /// A list of spans.
    pub fn spans(&self, name: &str) -> &Arc<[Duration]> {
        match self.get(name) {
            ParamValue::Spans(v) => v,
            other => panic!("{name:?} is no list of spans: {other:?}"),
        }
    }

    /// A list of numbers.
    pub fn numbers(&self, name: &str) -> &Arc<[f64]> {
        match self.get(name) {
            ParamValue::Numbers(v) => v,
            other => panic!("{name:?} is no list of numbers: {other:?}"),
        }
    }
}

/// What a `check` function reports when parameters do not fit together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParamProblem {
    /// The parameter to point at.
    pub param: &'static str,
    /// What is wrong and what is allowed.
    pub message: String,
}

/// A row of a table of extension rows.
pub trait Def: 'static + Sync {
    /// The head of the row.
    fn row(&self) -> &ExtensionRow;

    /// Conditions between parameters that their single ranges cannot fast.
    ///
    /// # Errors
    /// The parameter to blame and why.
    fn check(&self, params: &Params) -> Result<(), ParamProblem> {
        let _ = params;
        Ok(())
    }
}

/// A row chosen by a scenario, with its parameters.
pub struct Configured<D: 'static> {
    /// The row.
    pub def: &'static D,
    /// Its parameters.
    pub params: Params,
}

impl<D> Clone for Configured<D> {
    fn clone(&self) -> Self {
        Self {
            def: self.def,
            params: self.params.clone(),
        }
    }
}

impl<D: Def> PartialEq for Configured<D> {
    fn eq(&self, other: &Self) -> bool {
        self.def.row().name == other.def.row().name && self.params == other.params
    }
}

impl<D: Def> fmt::Debug for Configured<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.def.row().name, self.params)
    }
}

/// A table of extension rows, for those who only need the heads: lists, schema, documentation.
#[derive(Debug)]
pub struct Table {
    /// Plural, as in `stampede list policies`.
    pub name: &'static str,
    /// One sentence: where a scenario uses it.
    pub about: &'static str,
    /// The heads of its rows.
    pub rows: fn() -> Vec<&'static ExtensionRow>,
}

/// What the tests of all tables share.
#[cfg(test)]
pub(crate) mod testing {
    use super::{Configured, Def, ExtensionRow, ParamDef, ParamKind, ParamValue, Params};
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
                let value = text
                    .map_or(Duration::from_millis(10 * (position as u64 + 1)), |text| {
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
            ParamKind::Flag => ParamValue::Flag(
                text.is_some_and(|text| text.parse().unwrap_or_else(|error| bad(&error))),
            ),
            ParamKind::Distribution => {
                let value = text.map_or(Duration::from_secs(1), |text| {
                    Duration::parse(text).unwrap_or_else(|error| bad(&error))
                });
                ParamValue::Distribution(Configured {
                    def: DISTRIBUTIONS[0],
                    params: Params::new(vec![("value", ParamValue::Span(value))]),
                })
            }
            ParamKind::Spans => ParamValue::Spans([1, 2, 3].map(Duration::from_secs).into()),
            ParamKind::Numbers { min, max } => {
                ParamValue::Numbers([1.0_f64.clamp(min, max); 3].into())
            }
        }
    }

    fn is_word(text: &str, joint: char) -> bool {
        text.starts_with(|c: char| c.is_ascii_lowercase())
            && !text.ends_with(joint)
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == joint)
    }

    fn is_sentence(text: &str) -> bool {
        text.starts_with(|c: char| c.is_uppercase()) && text.ends_with('.')
    }
}
