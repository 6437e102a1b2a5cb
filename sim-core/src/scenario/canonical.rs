//! A scenario written out again: complete, in one fixed form.

use super::LiveSet;
use super::section::{Form, Section, SectionDef};
use super::sections::{ServiceSpec, Top};
use super::tree::{Node, Value};
use crate::time::Duration;
use std::fmt::Write as _;

/// A value in TOML, in one fixed form: the keys of tables in alphabetical order after `kind`, whole
/// numbers without a decimal point.
pub(crate) fn value_text(node: &Node) -> String {
    match &node.value {
        Value::Text(text) => quoted(text),
        Value::Integer(i) => i.to_string(),
        Value::Float(f) if f.fract() == 0.0 && f.abs() < 1e15 => format!("{f:.0}"),
        Value::Float(f) => format!("{f:?}"),
        Value::Flag(flag) => flag.to_string(),
        Value::List(items) => format!(
            "[{}]",
            items.iter().map(value_text).collect::<Vec<_>>().join(", ")
        ),
        Value::Moments(times) => {
            let mut text = String::from("[");
            for (i, time) in times.iter().enumerate() {
                // Writing to a `String` cannot fail.
                let _ = write!(text, "{}\"{time}\"", if i > 0 { ", " } else { "" });
            }
            text + "]"
        }
        Value::Table(entries) if entries.is_empty() => "{}".to_owned(),
        Value::Table(entries) => {
            let mut sorted: Vec<_> = entries.iter().collect();
            sorted.sort_by_key(|e| (e.key != "kind", e.key.as_str()));
            let pairs: Vec<String> = sorted
                .iter()
                .map(|e| format!("{} = {}", key_text(&e.key), value_text(&e.node)))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
    }
}

fn key_text(key: &str) -> String {
    let bare = !key.is_empty()
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if bare { key.to_owned() } else { quoted(key) }
}

/// A text in quotes, as TOML and JSON both read it.
pub fn quoted(text: &str) -> String {
    let mut result = String::with_capacity(text.len() + 2);
    result.push('"');
    for c in text.chars() {
        match c {
            '"' => result.push_str("\\\""),
            '\\' => result.push_str("\\\\"),
            '\n' => result.push_str("\\n"),
            '\t' => result.push_str("\\t"),
            '\r' => result.push_str("\\r"),
            // Writing to a `String` cannot fail.
            c if c.is_control() => {
                let _ = write!(result, "\\u{:04X}", c as u32);
            }
            c => result.push(c),
        }
    }
    result.push('"');
    result
}

/// The scenario in TOML, with the keys of each table in the order of the documentation.
pub(crate) fn scenario_text(tree: &Node, live: &[LiveSet]) -> String {
    let mut out = String::new();
    section(&mut out, tree, Top::def(), "");
    for set in live {
        let pair = format!(
            "{{ {} = {} }}",
            quoted(&set.assignment.text()),
            value_text(&set.assignment.value)
        );
        header(
            &mut out,
            &format!(
                "[[timeline]]\nat = \"{}\"\nset = {pair}",
                Duration(set.at.0)
            ),
        );
    }
    out
}

/// The scenario as the table `path` of a larger file.
pub(crate) fn scenario_text_below(tree: &Node, path: &str) -> String {
    let mut out = String::new();
    header(&mut out, &format!("[{path}]"));
    section(&mut out, tree, Top::def(), path);
    out
}

fn header(out: &mut String, line: &str) {
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(line);
    out.push('\n');
}

/// Whether the parts of a section get headers of their own rather than standing in one line.
fn spreads(def: &'static SectionDef) -> bool {
    std::ptr::eq(def, Top::def()) || std::ptr::eq(def, ServiceSpec::def())
}

fn section(out: &mut String, node: &Node, def: &'static SectionDef, path: &str) {
    let spread = spreads(def);
    let nested = |form: &Form| {
        spread
            && matches!(
                form,
                Form::Table(_) | Form::Override(_) | Form::Tables(_) | Form::Named(_)
            )
    };
    for key in def.keys {
        if let Some(child) = node.get(key.name)
            && !nested(&(key.form)())
        {
            // Writing to a `String` cannot fail.
            let _ = writeln!(out, "{} = {}", key.name, value_text(child));
        }
    }
    for key in def.keys {
        let Some(child) = node.get(key.name) else {
            continue;
        };
        let form = (key.form)();
        if !nested(&form) {
            continue;
        }
        let path = if path.is_empty() {
            key.name.to_owned()
        } else {
            format!("{path}.{}", key.name)
        };
        match form {
            Form::Tables(def) => {
                for item in child.items() {
                    header(out, &format!("[[{path}]]"));
                    section(out, item, def, &path);
                }
            }
            Form::Named(def) => {
                for entry in child.entries() {
                    let path = format!("{path}.{}", key_text(&entry.key));
                    header(out, &format!("[{path}]"));
                    section(out, &entry.node, def, &path);
                }
            }
            Form::Table(def) | Form::Override(def) => {
                header(out, &format!("[{path}]"));
                section(out, child, def, &path);
            }
            _ => {}
        }
    }
}

/// FNV-1a over the text, mixed once more so that all bits depend on all bytes.
pub(crate) fn fingerprint(text: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ (hash >> 32)
}
