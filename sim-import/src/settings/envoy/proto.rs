//! Messages of protocol buffers as YAML: names with underscores or humps, durations, wrapped numbers.

use crate::settings::system::{Key, Kind, System};
use crate::settings::yaml::{Node, Value};
use sim_core::time::Duration;

/// A field, by its name with underscores or with humps.
pub(super) fn field<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let mut humps = String::new();
    let mut up = false;
    for c in name.chars() {
        match c {
            '_' => up = true,
            c if up => {
                humps.extend(c.to_uppercase());
                up = false;
            }
            c => humps.push(c),
        }
    }
    let found = node.get(name).or_else(|| node.get(&humps))?;
    (found.value != Value::Null).then_some(found)
}

/// A field below fields.
pub(super) fn below<'n>(node: &'n Node, names: &[&str]) -> Option<&'n Node> {
    names.iter().try_fold(node, |node, name| field(node, name))
}

/// A number, which may be wrapped: `{ value: 40.0 }`.
pub(super) fn number(node: &Node) -> Option<f64> {
    node.as_number()
        .or_else(|| field(node, "value").and_then(Node::as_number))
        .or_else(|| field(node, "default_value").and_then(number))
}

/// A duration: `0.25s`, or seconds and nanoseconds. Envoy itself refuses `250ms`, which people write.
pub(super) fn duration(node: &Node) -> Option<Duration> {
    if let Some(text) = node.text() {
        let text = text.trim();
        let (number, scale) = match text.strip_suffix("ms") {
            Some(number) => (number, 1e-3),
            None => (text.strip_suffix('s')?, 1.0),
        };
        let seconds = number.parse::<f64>().ok()? * scale;
        let fits = (0.0..1e9).contains(&seconds);
        return fits.then_some(Duration((seconds * 1e9).round() as u64));
    }
    let part = |name: &str| field(node, name).map_or(Some(0.0), Node::as_number);
    let (seconds, nanos) = (part("seconds")?, part("nanos")?);
    let fits = (0.0..1e9).contains(&seconds) && (0.0..1e9).contains(&nanos);
    fits.then_some(Duration((seconds * 1e9 + nanos) as u64))
}

/// The word of an enumeration, in capitals.
pub(super) fn word(node: &Node) -> Option<String> {
    node.text().map(|text| text.trim().to_ascii_uppercase())
}

/// How a field becomes a parameter.
#[derive(Clone, Copy)]
pub(super) enum As {
    Number,
    Count,
    Span,
    Flag,
}

/// Fields of a message, the parameter each is, and how.
pub(super) type Table = &'static [(&'static [&'static str], &'static str, As)];

/// The parameters that a message gives.
pub(super) fn params(node: &Node, table: Table, system: &mut System) -> Vec<Key> {
    let mut keys = Vec::new();
    for (path, param, kind) in table {
        let Some(found) = below(node, path) else {
            continue;
        };
        let value = match kind {
            As::Number => number(found).map(|n| n.to_string()),
            As::Count => number(found)
                .filter(|n| n.fract() == 0.0 && *n >= 0.0)
                .map(|n| n.to_string()),
            As::Span => duration(found).map(|span| format!("\"{span}\"")),
            As::Flag => found
                .text()
                .filter(|text| text == "true" || text == "false"),
        };
        match value {
            Some(value) => keys.push(Key::said(param, value, &found.place)),
            None => system.remark(
                Kind::Missing,
                &found.place,
                path.join("."),
                "its value cannot be read: the default holds",
            ),
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::yaml::documents;

    #[test]
    fn both_ways_of_writing_are_read() {
        let text = "connectTimeout: 0.25s\nmax_age: { seconds: 1, nanos: 500000000 }\nshare: { value: 40.0 }\nbad: 5m\nshort: 50ms\nhuge: 1e308\n";
        let node = &documents(text, &"t".into()).expect("YAML")[0];
        let span = |name: &str| field(node, name).and_then(duration);
        assert_eq!(span("connect_timeout"), Some(Duration::from_millis(250)));
        assert_eq!(span("max_age"), Some(Duration::from_millis(1500)));
        assert_eq!(span("bad"), None);
        assert_eq!(span("short"), Some(Duration::from_millis(50)));
        assert_eq!(field(node, "share").and_then(number), Some(40.0));
        assert_eq!(field(node, "huge").and_then(number), None);
    }
}
