//! The list of all keys, with the parameters of extension rows.

use super::extensions::Listed;
use super::input::Input;
use super::section::{ExtensionTable, Form, KeyDef, Section, SectionDef};
use super::sections::Top;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::profile::ProfileDef;
use std::sync::OnceLock;

/// A key of a scenario.
#[derive(Clone, PartialEq, Debug)]
pub struct KeyRow {
    /// The path that names it; a word in capitals stands for a name.
    pub path: String,
    /// What may be written.
    pub kind: String,
    /// What is counted or measured; empty for a plain value.
    pub unit: String,
    /// The value when it is not written; `None` when it must be.
    pub default: Option<String>,
    /// What values are allowed; empty when its kind says it all.
    pub range: String,
    /// What it means.
    pub about: String,
    /// Whether it can change while time runs.
    pub live: bool,
    /// The row whose parameter it is: it counts while that row is chosen.
    pub of_kind: Option<&'static str>,
    /// How a form lets it be entered.
    pub input: Input,
}

/// Every key of a scenario, with the parameters of extension values.
pub fn keys() -> Vec<KeyRow> {
    let mut rows = Vec::new();
    section_keys(Top::def(), "", &mut rows);
    rows
}

/// The same as [`keys`], made once.
pub fn key_rows() -> &'static [KeyRow] {
    static ROWS: OnceLock<Vec<KeyRow>> = OnceLock::new();
    ROWS.get_or_init(keys)
}

fn section_keys(def: &'static SectionDef, path: &str, rows: &mut Vec<KeyRow>) {
    for key in def.keys {
        let path = if path.is_empty() {
            key.name.to_owned()
        } else {
            format!("{path}.{}", key.name)
        };
        let mut form = (key.form)();
        let optional = matches!(form, Form::Optional(_));
        if let Form::Optional(inner) = form {
            form = *inner;
        }
        let row = key_row(key, &path, &form, optional);
        match form {
            Form::Table(def) | Form::Override(def) => {
                if optional {
                    rows.push(row);
                }
                section_keys(def, &path, rows);
            }
            Form::Tables(def) | Form::Named(def) => {
                section_keys(def, &format!("{path}.NAME"), rows);
            }
            Form::Extension(table) => {
                rows.push(row);
                parameter_keys(table, &path, key.live, rows);
            }
            Form::Extensions(table) => {
                rows.push(row);
                for row in (table.rows)() {
                    row_keys(row, &format!("{path}.{}", row.name), key.live, rows);
                }
            }
            Form::Rate => {
                rows.push(row);
                parameter_keys(ProfileDef::table(), &path, key.live, rows);
            }
            _ => rows.push(row),
        }
    }
}

fn key_row(key: &KeyDef, path: &str, form: &Form, optional: bool) -> KeyRow {
    let bounded = matches!(form, Form::Count | Form::Number | Form::Ratio | Form::Size);
    let kind = form_text(form);
    KeyRow {
        path: path.to_owned(),
        kind: if optional {
            format!("{kind}, or none")
        } else {
            kind
        },
        unit: key.unit.to_owned(),
        default: key.default.map(str::to_owned),
        range: if bounded {
            key.limits.words()
        } else {
            String::new()
        },
        about: key.about.trim().to_owned(),
        live: key.live,
        of_kind: None,
        input: Input::of_form(form, key.limits, optional),
    }
}

fn parameter_keys(table: ExtensionTable, path: &str, live: bool, rows: &mut Vec<KeyRow>) {
    for row in (table.rows)() {
        row_keys(row, path, live, rows);
    }
}

fn row_keys(row: &ExtensionRow, path: &str, live: bool, rows: &mut Vec<KeyRow>) {
    for param in row.params {
        let (kind, unit, range) = param_text(param);
        rows.push(KeyRow {
            path: format!("{path}.{}", param.name),
            kind,
            unit,
            default: param.default.map(str::to_owned),
            range,
            about: format!("With `{}`: {}", row.name, param.about.trim()),
            live,
            of_kind: Some(row.name),
            input: Input::of_param(param.kind),
        });
    }
}

/// What may be written for a key.
pub(crate) fn form_text(form: &Form) -> String {
    match form {
        Form::Text => "text".to_owned(),
        Form::Name => "name".to_owned(),
        Form::Names => "name, or list of names".to_owned(),
        Form::Paths => "list of paths".to_owned(),
        Form::Count => "whole number".to_owned(),
        Form::Number => "number".to_owned(),
        Form::Ratio => "share".to_owned(),
        Form::Span => "time span".to_owned(),
        Form::Moment => "moment".to_owned(),
        Form::Clock => "clock time".to_owned(),
        Form::Size => "size".to_owned(),
        Form::Flag => "true or false".to_owned(),
        Form::Word(words) => words
            .iter()
            .map(|(word, _)| *word)
            .collect::<Vec<_>>()
            .join(", "),
        Form::Extension(table) => table.noun.to_owned(),
        Form::Extensions(table) => format!("list of {}", table.name),
        Form::Rate => "rate".to_owned(),
        Form::Threshold => "threshold".to_owned(),
        Form::Table(_) | Form::Override(_) | Form::Named(_) => "table".to_owned(),
        Form::Tables(_) => "list of tables".to_owned(),
        Form::Sets => "paths with values".to_owned(),
        Form::Any(about) => (*about).to_owned(),
        Form::Optional(inner) => format!("{}, or none", form_text(inner)),
    }
}

/// What may be written for a parameter, in what unit, and in what range; the latter two may be empty.
pub fn param_text(param: &ParamDef) -> (String, String, String) {
    let words = |min: f64, max: f64| super::section::from(min, max).words();
    match param.kind {
        ParamKind::Number { min, max, unit } => {
            ("number".to_owned(), unit.to_owned(), words(min, max))
        }
        ParamKind::Integer { min, max, unit } => (
            "whole number".to_owned(),
            unit.to_owned(),
            words(min as f64, max as f64),
        ),
        ParamKind::Span { min } if min.is_zero() => {
            ("time span".to_owned(), String::new(), String::new())
        }
        ParamKind::Span { min } => (
            "time span".to_owned(),
            String::new(),
            format!("{min} or more"),
        ),
        ParamKind::Choice(words) => (words.join(", "), String::new(), String::new()),
        ParamKind::Words(words) => (
            format!("list of words: {}", words.join(", ")),
            String::new(),
            String::new(),
        ),
        ParamKind::Flag => ("true or false".to_owned(), String::new(), String::new()),
        ParamKind::Distribution => ("distribution".to_owned(), String::new(), String::new()),
        ParamKind::Distributions => (
            "list of distributions of times".to_owned(),
            String::new(),
            String::new(),
        ),
        ParamKind::Spans | ParamKind::Moments { .. } => (
            "list of time spans".to_owned(),
            String::new(),
            String::new(),
        ),
        ParamKind::Code { .. } => ("script".to_owned(), String::new(), String::new()),
        ParamKind::Numbers { min, max } => {
            ("list of numbers".to_owned(), String::new(), words(min, max))
        }
    }
}
