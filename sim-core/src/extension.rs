//! Extension rows: what a policy, a distribution, a discipline … tells about itself.
//!
//! Every extension row is a row of a visible table (`POLICIES`, `DISTRIBUTIONS`, …) and begins
//! with an [`ExtensionRow`]: its name, what it is, where that comes from, and its parameters. The scenario
//! reader, `--set`, the JSON Schema, `stampede list`, the reference pages and the window's sliders
//! all read the same rows, so adding one is a file and its line in the table.

use crate::time::Duration;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

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

impl ParamDef {
    /// A time span of at least `min`.
    pub const fn span(
        name: &'static str,
        min: Duration,
        default: &'static str,
        about: &'static str,
    ) -> Self {
        Self::of(name, ParamKind::Span { min }, default, about)
    }

    /// A whole number from `min` to `max`, of what is counted.
    pub const fn count(
        name: &'static str,
        (min, max): (u64, u64),
        unit: &'static str,
        default: &'static str,
        about: &'static str,
    ) -> Self {
        Self::of(name, ParamKind::Integer { min, max, unit }, default, about)
    }

    /// A number from `min` to `max`.
    pub const fn number(
        name: &'static str,
        (min, max): (f64, f64),
        unit: &'static str,
        default: &'static str,
        about: &'static str,
    ) -> Self {
        Self::of(name, ParamKind::Number { min, max, unit }, default, about)
    }

    /// One of a few words.
    pub const fn choice(
        name: &'static str,
        words: &'static [&'static str],
        default: &'static str,
        about: &'static str,
    ) -> Self {
        Self::of(name, ParamKind::Choice(words), default, about)
    }

    /// Yes or no; no by default.
    pub const fn flag(name: &'static str, about: &'static str) -> Self {
        Self::of(name, ParamKind::Flag, "false", about)
    }

    /// Of any kind, with a default.
    pub const fn of(
        name: &'static str,
        kind: ParamKind,
        default: &'static str,
        about: &'static str,
    ) -> Self {
        let default = Some(default);
        Self {
            name,
            about,
            kind,
            default,
        }
    }
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
    /// A list of some of a few words, each at most once; at most 64 words.
    Words(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A row of the table of distributions, giving a time.
    Distribution,
    /// A list of rows of the table of distributions.
    Distributions,
    /// A list of time spans, in any order unless the owner says otherwise.
    Spans,
    /// A list of moments, each a time span from the start, which may stand in a file instead.
    Moments {
        /// The key that names the file: a text with one moment a line, in seconds.
        file: &'static str,
    },
    /// A list of numbers in `min..=max`.
    Numbers {
        /// Smallest allowed member.
        min: f64,
        /// Largest allowed member.
        max: f64,
    },
    /// A text in a language of its own, which may stand in a file instead.
    Code {
        /// The key that names the file.
        file: &'static str,
        /// Whether the text makes sense.
        read: fn(&str) -> Result<(), CodeProblem>,
    },
}

/// What is wrong with a text in a language of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CodeProblem {
    /// The bytes of the text that it is about.
    pub place: Range<usize>,
    /// What is wrong and what is allowed.
    pub what: String,
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
    /// For [`ParamKind::Words`]: a bit for each position in the list.
    Words(u64),
    /// For [`ParamKind::Flag`].
    Flag(bool),
    /// For [`ParamKind::Distribution`].
    Distribution(Nested),
    /// For [`ParamKind::Distributions`].
    Distributions(Arc<[Nested]>),
    /// For [`ParamKind::Spans`] and [`ParamKind::Moments`].
    Spans(Arc<[Duration]>),
    /// For [`ParamKind::Numbers`].
    Numbers(Arc<[f64]>),
    /// For [`ParamKind::Code`].
    Text(Arc<str>),
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

    /// Which words of a list were written: a bit for each of its positions.
    pub fn words(&self, name: &str) -> u64 {
        match self.get(name) {
            ParamValue::Words(v) => *v,
            other => panic!("{name:?} is no list of words: {other:?}"),
        }
    }

    /// Yes or no.
    pub fn flag(&self, name: &str) -> bool {
        match self.get(name) {
            ParamValue::Flag(v) => *v,
            other => panic!("{name:?} is no flag: {other:?}"),
        }
    }

    /// A row of another table with its parameters: of distributions, see
    /// [`distribution`](Self::distribution), which knows that table.
    pub fn nested(&self, name: &str) -> &Nested {
        match self.get(name) {
            ParamValue::Distribution(v) => v,
            other => panic!("{name:?} is no row of another table: {other:?}"),
        }
    }

    /// A list of rows of another table with their parameters.
    pub fn nested_list(&self, name: &str) -> &Arc<[Nested]> {
        match self.get(name) {
            ParamValue::Distributions(v) => v,
            other => panic!("{name:?} is no list of rows of another table: {other:?}"),
        }
    }

    /// A list of spans.
    pub fn spans(&self, name: &str) -> &Arc<[Duration]> {
        match self.get(name) {
            ParamValue::Spans(v) => v,
            other => panic!("{name:?} is no list of spans: {other:?}"),
        }
    }

    /// A text.
    pub fn text(&self, name: &str) -> &str {
        match self.get(name) {
            ParamValue::Text(v) => v,
            other => panic!("{name:?} is no text: {other:?}"),
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
pub trait Def: 'static + Sync + Sized {
    /// Its table, with what was added to it.
    fn registry() -> &'static Registry<Self>;

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

/// A table and the rows that a program adds to it.
///
/// There is one for each table in a process, since a row has a name in all scenarios that it reads. Rows are
/// added before scenarios are read; a run that goes on keeps the rows that it has.
pub struct Registry<D: 'static> {
    own: &'static [&'static D],
    added: RwLock<Added<D>>,
}

/// What was added to a table.
struct Added<D: 'static> {
    /// All rows, once any is added.
    all: Option<&'static [&'static D]>,
    /// Rows that others took the place of.
    replaced: Vec<&'static D>,
}

impl<D: Def> Registry<D> {
    /// A table to which nothing is added yet.
    pub const fn of(own: &'static [&'static D]) -> Self {
        Self {
            own,
            added: RwLock::new(Added {
                all: None,
                replaced: Vec::new(),
            }),
        }
    }

    /// Every row, the table's own first.
    pub fn rows(&self) -> &'static [&'static D] {
        let added = self.added.read().unwrap_or_else(PoisonError::into_inner);
        added.all.unwrap_or(self.own)
    }

    /// The row with this head, though another may have taken its place.
    pub fn row_of(&self, head: &'static ExtensionRow) -> Option<&'static D> {
        let added = self.added.read().unwrap_or_else(PoisonError::into_inner);
        let rows = added.all.unwrap_or(self.own).iter().chain(&added.replaced);
        rows.copied().find(|def| std::ptr::eq(def.row(), head))
    }

    /// Adds a row, in place of one of the same name that was added before. What it takes the place of stays in
    /// memory, since runs may be using it.
    ///
    /// # Errors
    /// Says why it cannot be a row: what its name or its parameters are called, or whose name it has.
    fn add(&self, def: &'static D) -> Result<(), String> {
        let name = named(def.row())?;
        if self.own.iter().any(|own| own.row().name == name) {
            return Err(format!("{name:?} is a name of the program's own"));
        }
        let mut added = self.added.write().unwrap_or_else(PoisonError::into_inner);
        let mut rows = added.all.unwrap_or(self.own).to_vec();
        match rows.iter_mut().find(|row| row.row().name == name) {
            Some(row) => added.replaced.push(std::mem::replace(row, def)),
            None => rows.push(def),
        }
        added.all = Some(rows.leak());
        Ok(())
    }
}

/// Adds a row to its table, so that it has a name in scenarios, in `--set`, in the schema, in the lists and in
/// the window. One that was added under the same name before is replaced.
///
/// ```
/// use sim_core::extension::Def;
/// use sim_core::prelude::*;
///
/// #[derive(Debug)]
/// struct Second;
/// impl Distribution for Second {
///     fn sample_ns(&self, _: &mut Draws) -> f64 { 1e9 }
///     fn mean_ns(&self) -> f64 { 1e9 }
///     fn cv2(&self) -> f64 { 0.0 }
///     fn moment(&self, _: u32) -> f64 { 1.0 }
///     fn below(&self, ns: f64) -> f64 { f64::from(ns >= 1e9) }
/// }
///
/// static SECOND: DistributionDef = DistributionDef::new(
///     ExtensionRow { name: "second", about: "A second.", source: "", params: &[] },
///     |_| Box::new(Second),
/// );
/// register(&SECOND)?;
/// let rows = DistributionDef::registry().rows();
/// assert!(rows.iter().any(|def| def.row().name == "second"));
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
/// Says why it cannot be one: a name that is not in kebab-case or is the program's own, or parameters that are not
/// in `snake_case` or stand there twice.
pub fn register<D: Def>(def: &'static D) -> Result<(), String> {
    D::registry().add(def)
}

/// The name of a row whose names all are as they should be.
fn named(row: &'static ExtensionRow) -> Result<&'static str, String> {
    if !is_word(row.name, '-') {
        return Err(format!(
            "{:?} is no name of a row: small letters and digits, joined by `-`",
            row.name
        ));
    }
    for (number, param) in row.params.iter().enumerate() {
        if !is_word(param.name, '_') || param.name == "kind" {
            return Err(format!(
                "{:?} is no name of a parameter: small letters and digits, joined by `_`, and not `kind`",
                param.name
            ));
        }
        if row.params[..number]
            .iter()
            .any(|one| one.name == param.name)
        {
            return Err(format!("there are two parameters {:?}", param.name));
        }
    }
    Ok(row.name)
}

/// Whether a text is a name of small letters and digits with this joint.
fn is_word(text: &str, joint: char) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with(joint)
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == joint)
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

/// A row chosen for a parameter of another row. Only its head is known here: tables of rows stand
/// above what all rows have in common, and whoever owns the table finds the row by its name.
#[derive(Clone)]
pub struct Nested {
    /// The head of the row.
    pub row: &'static ExtensionRow,
    /// Its parameters.
    pub params: Params,
}

impl<D: Def> From<Configured<D>> for Nested {
    fn from(configured: Configured<D>) -> Self {
        Self {
            row: configured.def.row(),
            params: configured.params,
        }
    }
}

impl PartialEq for Nested {
    fn eq(&self, other: &Self) -> bool {
        self.row.name == other.row.name && self.params == other.params
    }
}

impl fmt::Debug for Nested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.row.name, self.params)
    }
}

#[cfg(test)]
pub(crate) mod testing;
