//! The list of all keys, and the reference pages made from it.

use super::code::CODES;
use super::extensions::{Listed, plug_tables};
use super::input::Input;
use super::section::{ExtensionTable, Form, KeyDef, Section, SectionDef};
use super::sections::Top;
use super::summary_paths::SUMMARY_PATHS;
use crate::crash::{BALANCER_GAUGES, GaugeDef, SERVER_GAUGES};
use crate::event_log::KINDS;
use crate::experiment::sweep::PlanSpec;
use crate::extension::{ParamDef, ParamKind};
use crate::metric::METRICS;
use crate::profile::ProfileDef;
use std::fmt::Write as _;
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
                plug_keys(table, &path, key.live, rows);
            }
            Form::Rate => {
                rows.push(row);
                plug_keys(ProfileDef::table(), &path, key.live, rows);
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
        input: Input::of_form(form, key.limits, optional),
    }
}

fn plug_keys(table: ExtensionTable, path: &str, live: bool, rows: &mut Vec<KeyRow>) {
    for row in (table.rows)() {
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
                input: Input::of_param(param.kind),
            });
        }
    }
}

fn form_text(form: &Form) -> String {
    match form {
        Form::Text => "text".to_owned(),
        Form::Name => "name".to_owned(),
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
        ParamKind::Flag => ("true or false".to_owned(), String::new(), String::new()),
        ParamKind::Distribution => ("distribution".to_owned(), String::new(), String::new()),
        ParamKind::Spans => (
            "list of time spans".to_owned(),
            String::new(),
            String::new(),
        ),
        ParamKind::Numbers { min, max } => {
            ("list of numbers".to_owned(), String::new(), words(min, max))
        }
    }
}

/// The reference in Markdown: keys, extension rows, what can be watched, and error codes.
pub fn reference() -> String {
    // Writing to a `String` cannot fail, so results are dropped below.
    let mut out = String::from(
        "# Reference\n\nGenerated from the program's own tables.\n\n## Keys of a scenario\n",
    );
    section_page(&mut out, Top::def(), "");
    out.push_str("\n## Keys of a plan\n\nFor `stampede sweep`.\n");
    section_page(&mut out, PlanSpec::def(), "");
    for table in plug_tables() {
        plug_page(&mut out, table);
    }
    out.push_str("\n## Metrics\n\nFor alerts and expectations, as `metric` or `metric(name)` of a class, service or server.\n\n| metric | unit | what it is |\n|---|---|---|\n");
    for metric in METRICS {
        let _ = writeln!(
            out,
            "| `{}` | {:?} | {} |",
            metric.name, metric.unit, metric.about
        );
    }
    gauge_page(&mut out, "servers", SERVER_GAUGES);
    gauge_page(&mut out, "balancers", BALANCER_GAUGES);
    out.push_str("\n## Events\n\nFor expectations, as `kind` or `kind.name`.\n\n| event | when |\n|---|---|\n");
    for (_, word, about) in KINDS {
        let _ = writeln!(out, "| `{word}` | {about} |");
    }
    out.push_str("\n## Figures of the summary\n\n| path | unit | what it is |\n|---|---|---|\n");
    for row in SUMMARY_PATHS {
        let _ = writeln!(out, "| `{}` | {:?} | {} |", row.path, row.unit, row.about);
    }
    out.push_str("\n## Error codes\n\n| code | title | what it means |\n|---|---|---|\n");
    for row in CODES {
        let _ = writeln!(
            out,
            "| {} | {} | {} |",
            row.code, row.title, row.explanation
        );
    }
    out
}

fn section_page(out: &mut String, def: &'static SectionDef, path: &str) {
    let title = if path.is_empty() {
        "Top of the file".to_owned()
    } else {
        format!("`{path}`")
    };
    let _ = writeln!(
        out,
        "\n### {title}\n\n{}\n\n| key | what may be written | default | changes while time runs | meaning |\n|---|---|---|---|---|",
        def.about.trim()
    );
    let mut below = Vec::new();
    for key in def.keys {
        let form = (key.form)();
        let kind = form_text(&form);
        let bounded = !matches!(form, Form::Span | Form::Text | Form::Name | Form::Flag)
            && key.limits != super::section::Limits::ANY;
        let range = if bounded && !kind.contains("span") {
            format!(", {}", key.limits.words())
        } else {
            String::new()
        };
        let unit = if key.unit.is_empty() {
            String::new()
        } else {
            format!(" [{}]", key.unit)
        };
        let default = key.default.map_or("required".to_owned(), |d| {
            format!("`{}`", if d.is_empty() { "\"\"" } else { d })
        });
        let live = if key.live { "yes" } else { "" };
        let _ = writeln!(
            out,
            "| `{}` | {kind}{range}{unit} | {default} | {live} | {} |",
            key.name,
            key.about.trim().replace('|', "\\|")
        );
        below.push((key, form));
    }
    for (key, form) in below {
        let inner = match form {
            Form::Optional(inner) => *inner,
            other => other,
        };
        let path = if path.is_empty() {
            key.name.to_owned()
        } else {
            format!("{path}.{}", key.name)
        };
        match inner {
            Form::Table(def) => section_page(out, def, &path),
            Form::Override(def) if path == "client" => section_page(out, def, &path),
            Form::Tables(def) | Form::Named(def) => section_page(out, def, &format!("{path}.NAME")),
            _ => {}
        }
    }
}

fn plug_page(out: &mut String, table: ExtensionTable) {
    let mut title = table.name.to_owned();
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let _ = writeln!(
        out,
        "\n## {title}\n\nWritten as a name, or as `{{ kind = \"name\", … }}` with parameters."
    );
    for row in (table.rows)() {
        let _ = writeln!(out, "\n### `{}`\n\n{}", row.name, row.about);
        if !row.source.is_empty() {
            let _ = writeln!(out, "\nSource: {}.", row.source.trim_end_matches('.'));
        }
        if row.params.is_empty() {
            continue;
        }
        out.push_str(
            "\n| parameter | what may be written | default | meaning |\n|---|---|---|---|\n",
        );
        for param in row.params {
            let (kind, unit, range) = param_text(param);
            let range = if range.is_empty() {
                String::new()
            } else {
                format!(", {range}")
            };
            let unit = if unit.is_empty() {
                String::new()
            } else {
                format!(" {unit}")
            };
            let default = param
                .default
                .map_or("required".to_owned(), |d| format!("`{d}`"));
            let _ = writeln!(
                out,
                "| `{}` | {kind}{range}{unit} | {default} | {} |",
                param.name, param.about
            );
        }
    }
}

fn gauge_page(out: &mut String, whose: &str, gauges: &[GaugeDef]) {
    let _ = writeln!(
        out,
        "\n## What crash rules of {whose} can watch\n\n| gauge | unit | what it is |\n|---|---|---|"
    );
    for gauge in gauges {
        let _ = writeln!(
            out,
            "| `{}` | {:?} | {} |",
            gauge.name, gauge.unit, gauge.about
        );
    }
}
