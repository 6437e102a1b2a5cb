//! YAML as it is written: what is a text is quoted, so that nothing is taken for what it is not.

use sim_core::scenario::quoted;
use std::fmt::{Display, Write};

/// A value.
pub(super) enum Yaml {
    /// A number or a word that stands as it is.
    Plain(String),
    /// A text.
    Text(String),
    List(Vec<Yaml>),
    Map(Map),
}

/// Fields in their order.
pub(super) type Map = Vec<(String, Yaml)>;

/// Something that stands as it is.
pub(super) fn plain(value: impl Display) -> Yaml {
    Yaml::Plain(value.to_string())
}

/// A text in quotes.
pub(super) fn text(value: &str) -> Yaml {
    Yaml::Text(value.to_owned())
}

/// Fields.
pub(super) fn map<const N: usize>(fields: [(&str, Yaml); N]) -> Yaml {
    let own = fields.into_iter();
    Yaml::Map(own.map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Adds a field.
pub(super) fn add(map: &mut Map, name: &str, value: Yaml) {
    map.push((name.to_owned(), value));
}

impl Yaml {
    /// The text of a document.
    pub(super) fn document(&self) -> String {
        let mut out = String::new();
        self.write(0, &mut out);
        out
    }

    /// Writes the lines of a value that begin at a column.
    fn write(&self, column: usize, out: &mut String) {
        let indent = " ".repeat(column);
        match self {
            Self::Map(fields) if !fields.is_empty() => {
                for (name, value) in fields {
                    let name = if name.starts_with('@') {
                        quoted(name)
                    } else {
                        name.clone()
                    };
                    value.after(&format!("{indent}{name}:"), column, out);
                }
            }
            Self::List(items) if !items.is_empty() => {
                for item in items {
                    // An item's first line stands behind its dash.
                    let mut lines = String::new();
                    item.write(column + 2, &mut lines);
                    lines.replace_range(column..=column, "-");
                    *out += &lines;
                }
            }
            short => {
                let _ = writeln!(out, "{indent}{}", short.short());
            }
        }
    }

    /// A value that needs no line of its own.
    fn short(&self) -> String {
        match self {
            Self::Plain(value) => value.clone(),
            Self::Text(value) => quoted(value),
            Self::Map(_) => "{}".to_owned(),
            Self::List(_) => "[]".to_owned(),
        }
    }

    /// Writes a value behind its name: on the same line if it is short.
    fn after(&self, head: &str, column: usize, out: &mut String) {
        let long = match self {
            Self::Map(fields) => !fields.is_empty(),
            Self::List(items) => !items.is_empty(),
            _ => false,
        };
        if long {
            let _ = writeln!(out, "{head}");
            self.write(column + 2, out);
        } else {
            let _ = writeln!(out, "{head} {}", self.short());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_fields_are_written_as_people_do() {
        let inner = map([
            ("b", text("x: 1")),
            ("c", Yaml::List(vec![plain(1), plain(2)])),
        ]);
        let value = map([("a", Yaml::List(vec![inner])), ("@d", map([]))]);
        let written = "a:\n  - b: \"x: 1\"\n    c:\n      - 1\n      - 2\n\"@d\": {}\n";
        assert_eq!(value.document(), written);
    }
}
