//! Sections: one definition of a table of the scenario, for every use of it.
//!
//! A section is written once, with the [`section!`] macro: its keys, what each means, what may be
//! written, the default, whether it can change while time runs. From that one text come the
//! struct, its reader with all problems collected, the JSON Schema, the reference and the list of
//! keys that `--set`, sweeps and sliders name.

use super::problem::{Collector, Problem, Span, nearest, suggest};
use super::tree::{Node, default_value};
use crate::time::Clock;

/// A table of the scenario.
#[derive(Debug)]
pub(crate) struct SectionDef {
    /// The struct it is read into: a name for the schema.
    pub name: &'static str,
    /// What it describes.
    pub about: &'static str,
    /// Its keys, in the order of the documentation.
    pub keys: &'static [KeyDef],
}

/// A key of a section.
#[derive(Debug)]
pub(crate) struct KeyDef {
    /// The key as written.
    pub name: &'static str,
    /// What it was called in the version before; empty when nothing else.
    pub was: &'static str,
    /// What it means.
    pub about: &'static str,
    /// The value when the key is absent, written as in a scenario; `None` makes it required.
    pub default: Option<&'static str>,
    /// What numbers and spans (in seconds) are allowed.
    pub limits: Limits,
    /// What is counted or measured; empty for a plain number.
    pub unit: &'static str,
    /// Whether it can change while time runs.
    pub live: bool,
    /// What may be written.
    pub form: fn() -> Form,
}

impl KeyDef {
    /// Whether `word` is what the key was called before.
    pub(crate) fn was(&self, word: &str) -> bool {
        !self.was.is_empty() && self.was == word
    }
}

/// A range of numbers, or of spans in seconds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Limits {
    /// Least.
    pub min: f64,
    /// Most.
    pub max: f64,
    /// Whether the least itself is excluded.
    pub above_min: bool,
}

/// Everything from `min` to `max`.
pub(crate) const fn from(min: f64, max: f64) -> Limits {
    Limits {
        min,
        max,
        above_min: false,
    }
}

/// Everything above `min`, up to `max`.
pub(crate) const fn above(min: f64, max: f64) -> Limits {
    Limits {
        min,
        max,
        above_min: true,
    }
}

impl Limits {
    /// No bounds but those of any quantity: zero or more.
    pub(crate) const ANY: Self = from(0.0, f64::MAX);

    /// Whether `value` lies within.
    pub(crate) fn allow(&self, value: f64) -> bool {
        value <= self.max
            && if self.above_min {
                value > self.min
            } else {
                value >= self.min
            }
    }

    /// In words: `1 to 100000`, `above 0`.
    pub(crate) fn words(&self) -> String {
        let lower = if self.above_min { "above " } else { "" };
        match (self.min, self.max) {
            (min, max) if max >= 1e15 && self.above_min => format!("above {min}"),
            (min, max) if max >= 1e15 => format!("{min} or more"),
            (min, max) if self.above_min => format!("{lower}{min}, at most {max}"),
            (min, max) => format!("{min} to {max}"),
        }
    }
}

/// What may be written for a key: the shape behind schema, reference and messages.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    /// Any text.
    Text,
    /// A name: letters, digits, `-` and `_`.
    Name,
    /// A name, or a list of names.
    Names,
    /// A list of paths.
    Paths,
    /// A whole number.
    Count,
    /// A number.
    Number,
    /// A share of one: `0.05` or `"5%"`.
    Ratio,
    /// A span: `"250ms"`.
    Span,
    /// A moment of the run: a span since the start, or a clock time.
    Moment,
    /// A time of day.
    Clock,
    /// A size: `"512MiB"` or bytes.
    Size,
    /// `true` or `false`.
    Flag,
    /// One of these words, each with its meaning.
    Word(Vec<(&'static str, &'static str)>),
    /// A row of a table of extension rows.
    Extension(ExtensionTable),
    /// A list of rows of a table of extensions, in the order in which they act.
    Extensions(ExtensionTable),
    /// A rate: a number, corners, or a named profile.
    Rate,
    /// A threshold, in the unit of the gauge watched.
    Threshold,
    /// A table.
    Table(&'static SectionDef),
    /// A table whose keys override those of a wider one.
    Override(&'static SectionDef),
    /// A list of tables.
    Tables(&'static SectionDef),
    /// A table of tables by name.
    Named(&'static SectionDef),
    /// Paths with their new values.
    Sets,
    /// Any value, read by whoever knows what it is for; how it is described.
    Any(&'static str),
    /// The other form, or the word `none`.
    Optional(Box<Form>),
}

/// A table of extension rows, as far as documentation needs it.
#[derive(Clone, Copy, Debug)]
pub struct ExtensionTable {
    /// Plural, as in `stampede list policies`.
    pub name: &'static str,
    /// Singular, for messages.
    pub noun: &'static str,
    /// Whether a bare time span may stand for a row.
    pub bare_span: bool,
    /// Whether a list holds each kind at most once, so that a path by kind adds what is not there.
    pub each_once: bool,
    /// The heads of the rows.
    pub rows: fn() -> Vec<&'static crate::extension::ExtensionRow>,
}

/// What readers share.
pub(crate) struct Cx<'a> {
    pub problems: &'a mut Collector,
    /// Clock times are allowed when it is set.
    pub clock: Option<Clock>,
}

impl Cx<'_> {
    pub(crate) fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}

/// The value of a key.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Item<T> {
    /// `None` after a problem that has been reported.
    pub value: Option<T>,
    /// Where it stands; for a default, where the key could be written.
    pub span: Span,
    /// Whether the scenario says so, rather than the default.
    pub written: bool,
}

impl<T> Item<T> {
    pub(crate) fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }
}

impl<T: Copy> Item<T> {
    pub(crate) fn copied(&self) -> Option<T> {
        self.value
    }
}

/// A kind of value.
pub(crate) trait Reads {
    /// What it becomes.
    type Out;

    /// Reads it; `None` after a problem.
    fn read(node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<Self::Out>;

    /// What may be written.
    fn form() -> Form;
}

/// A struct made by [`section!`].
pub(crate) trait Section: Sized {
    fn def() -> &'static SectionDef;
    fn read(node: &Node, cx: &mut Cx<'_>) -> Option<Self>;
}

/// Says that `node` should have been something else.
pub(crate) fn mismatch(node: &Node, wanted: &str, key: &KeyDef) -> Problem {
    Problem::new(
        "E012",
        format!("`{}` is {wanted}, not {}", key.name, node.noun()),
    )
    .at(node.span)
}

/// Checks that `node` is a table with known keys only.
pub(crate) fn check_table(node: &Node, def: &SectionDef, cx: &mut Cx<'_>) -> bool {
    if !node.is_table() {
        cx.push(
            Problem::new(
                "E012",
                format!("a table is wanted here, not {}", node.noun()),
            )
            .at(node.span)
            .help(format!("keys: {}", key_list(def))),
        );
        return false;
    }
    for entry in node.entries() {
        if !def.keys.iter().any(|k| k.name == entry.key) {
            let help = suggest(&entry.key, def.keys.iter().map(|k| k.name));
            if let Some(meant) = nearest(&entry.key, def.keys.iter().map(|k| k.name)) {
                cx.problems.spare(node.span, Some(meant));
            }
            cx.push(
                Problem::new("E010", format!("unknown key `{}`", entry.key))
                    .at(entry.key_span)
                    .help(help),
            );
        }
    }
    true
}

pub(crate) fn key_list(def: &SectionDef) -> String {
    def.keys
        .iter()
        .map(|k| k.name)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Reads the next key of a section: used by the macro only.
pub(crate) fn read_item<R: Reads>(
    node: &Node,
    key: &'static KeyDef,
    cx: &mut Cx<'_>,
) -> Item<R::Out> {
    if let Some(entry) = node.entry(key.name) {
        let value = R::read(&entry.node, key, cx);
        return Item {
            value,
            span: entry.node.span,
            written: true,
        };
    }
    let value = match key.default {
        Some(text) => R::read(&default_value(text), key, cx),
        None => {
            if !cx.problems.spares(node.span, key.name) {
                let needed = format!("`{}` is missing: {}", key.name, lower_first(key.about));
                cx.push(Problem::new("E011", needed).at(node.span));
            }
            None
        }
    };
    Item {
        value,
        span: node.span,
        written: false,
    }
}

/// A sentence as the end of another one.
pub(crate) fn lower_first(sentence: &str) -> String {
    let mut chars = sentence.trim().trim_end_matches('.').chars();
    let first = chars.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}

/// Joins the lines of a doc comment.
pub(crate) const fn key_word<'a>(ident: &'a str, word: &'a str) -> &'a str {
    if word.is_empty() { ident } else { word }
}

/// Defines a section; see the module's documentation. A key reads
/// `name [live] as "word" was "old": Kind = "default", in limits, unit "u";` where all but name and kind may
/// be left out, and a key without default is required.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        $name:ident {
            $(
                $(#[doc = $doc:literal])+
                $key:ident $([$live:ident])? $(as $word:literal)? $(was $was:literal)? : $kind:ty
                $(= $default:literal)? $(, in $limits:expr)? $(, unit $unit:literal)? ;
            )*
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, PartialEq, Debug)]
        pub(crate) struct $name {
            /// Where the table stands.
            pub span: $crate::scenario::problem::Span,
            $( $(#[doc = $doc])+ pub $key: $crate::scenario::section::Item<<$kind as $crate::scenario::section::Reads>::Out>, )*
        }

        impl $crate::scenario::section::Section for $name {
            fn def() -> &'static $crate::scenario::section::SectionDef {
                static DEF: $crate::scenario::section::SectionDef = $crate::scenario::section::SectionDef {
                    name: stringify!($name),
                    about: concat!($($about),+),
                    keys: &[$(
                        $crate::scenario::section::KeyDef {
                            name: $crate::scenario::section::key_word(stringify!($key), concat!($($word)?)),
                            was: concat!($($was)?),
                            about: concat!($($doc),+),
                            default: section!(@option $($default)?),
                            limits: section!(@limits $($limits)?),
                            unit: concat!($($unit)?),
                            live: section!(@live $($live)?),
                            form: <$kind as $crate::scenario::section::Reads>::form,
                        },
                    )*],
                };
                &DEF
            }

            fn read(node: &$crate::scenario::tree::Node, cx: &mut $crate::scenario::section::Cx<'_>) -> Option<Self> {
                let def = <Self as $crate::scenario::section::Section>::def();
                if !$crate::scenario::section::check_table(node, def, cx) {
                    return None;
                }
                let mut keys = def.keys.iter();
                Some(Self {
                    span: node.span,
                    $( $key: $crate::scenario::section::read_item::<$kind>(node, keys.next()?, cx), )*
                })
            }
        }
    };
    (@option) => { None };
    (@option $default:literal) => { Some($default) };
    (@limits) => { $crate::scenario::section::Limits::ANY };
    (@limits $limits:expr) => { $limits };
    (@live) => { false };
    (@live $live:ident) => { true };
}
pub(crate) use section;
