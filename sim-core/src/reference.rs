//! The reference pages and the JSON Schema: everything that can be written in a scenario or a plan,
//! from the tables that read them.

mod schema;

#[cfg(test)]
mod tests;

pub use schema::{plan_schema, schema};

use crate::crash::{BALANCER_GAUGES, GaugeDef, SERVER_GAUGES};
use crate::event_log::KINDS;
use crate::experiment::sweep::PlanSpec;
use crate::metric::{METRICS, SUMMARY_PATHS};
use crate::outcome::Outcome;
use crate::policy::script;
use crate::scenario::keys::form_text;
use crate::scenario::section::{self, Form, Section, SectionDef};
use crate::scenario::sections::Top;
use crate::scenario::{CODES, ExtensionTable, param_text, plug_tables};
use crate::series::{CODES as CODES_OF_ENDS, Kind, LABELS, LE, SERIES, code_of};
use std::fmt::Write as _;

/// The reference in Markdown: keys, extension rows, what can be watched, and error codes.
pub fn markdown() -> String {
    // Writing to a `String` cannot fail, so results are dropped below.
    let mut out = String::from(
        "# Reference\n\nGenerated from the program's own tables.\n\n## Keys of a scenario\n",
    );
    section_page(&mut out, Top::def(), "");
    out.push_str("\n## Keys of a plan\n\nFor `stampede sweep`.\n");
    section_page(&mut out, PlanSpec::def(), "");
    for table in plug_tables() {
        extension_page(&mut out, table);
    }
    script_page(&mut out);
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
    series_page(&mut out);
    out.push_str("\n## Events\n\nFor expectations, as `kind` or `kind.name`.\n\n| event | when |\n|---|---|\n");
    for kind in KINDS {
        let _ = writeln!(out, "| `{}` | {} |", kind.name, kind.about);
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

/// What scripts of policies are asked, and what they can ask.
fn script_page(out: &mut String) {
    out.push_str("\n## Functions of a script\n\nFor `policy = { kind = \"script\", … }`. Those that the engine calls, of which only `pick` must be there:\n\n| function | when it is called |\n|---|---|\n");
    for (call, about) in script::hooks() {
        let _ = writeln!(out, "| `{call}` | {about} |");
    }
    out.push_str(
        "\nThose that a script can ask:\n\n| function | known | what it says |\n|---|---|---|\n",
    );
    for row in script::FUNCTIONS {
        let (call, known) = (row.call(), row.known.words());
        let _ = writeln!(out, "| `{call}` | {known} | {} |", row.about);
    }
    out.push_str("\nA list is made where its `let` stands outside functions: `each(value)` has a member for each server, `list(how many, value)` as many as that.\n");
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
        let bounded = !matches!(
            form,
            Form::Span | Form::Text | Form::Name | Form::Names | Form::Paths | Form::Flag
        ) && key.limits != section::Limits::ANY;
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

fn extension_page(out: &mut String, table: ExtensionTable) {
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

/// What rules of Prometheus can ask for.
fn series_page(out: &mut String) {
    out.push_str("\n## Series\n\nFor rules of Prometheus (`monitoring.rules`, `rule = \"promql\"`).\n\n| series | kind | labels | what it is |\n|---|---|---|---|\n");
    for row in SERIES {
        let kind = match row.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        let labels = row.of.labels().join("`, `");
        let _ = writeln!(
            out,
            "| `{}` | {kind} | `{labels}` | {} |",
            row.name, row.about
        );
    }
    out.push_str("\n| label | what it says |\n|---|---|\n");
    for (label, about) in LABELS {
        let _ = writeln!(out, "| `{label}` | {about} |");
    }
    out.push_str("\n| `code` | `outcome` |\n|---|---|\n");
    for (number, code) in CODES_OF_ENDS.iter().enumerate() {
        let ends = Outcome::ALL.into_iter();
        let ends = ends.filter(|outcome| code_of(*outcome) == number);
        let names: Vec<&str> = ends.map(Outcome::name).collect();
        let _ = writeln!(out, "| `{code}` | `{}` |", names.join("`, `"));
    }
    let bounds: Vec<&str> = LE.iter().map(|(written, _)| *written).collect();
    let _ = writeln!(out, "\nBuckets end at `{}` seconds.", bounds.join("`, `"));
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
