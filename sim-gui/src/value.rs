//! Values as scenarios write them, and as people type them.

use sim_core::edit::is_value;
use sim_core::scenario::{Input, KeyRow, quoted};

/// What was chosen as a scenario writes it.
pub fn written(row: &KeyRow, chosen: &str) -> String {
    let chosen = chosen.trim();
    let text = match &row.input {
        Input::Flag => false,
        Input::Span | Input::Words(_) => true,
        Input::Text if row.kind.starts_with("text") || row.kind.starts_with("name") => true,
        Input::Number { .. } | Input::Kinds(_) | Input::Text => !is_value(chosen),
    };
    if text {
        quoted(chosen)
    } else {
        chosen.to_owned()
    }
}

/// A value without the quotes of a text.
pub fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut text = String::new();
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        match (c, (c == '\\').then(|| rest.next()).flatten()) {
            ('\\', Some('n')) => text.push('\n'),
            ('\\', Some('t')) => text.push('\t'),
            ('\\', Some('r')) => text.push('\r'),
            ('\\', Some(kind @ ('u' | 'U'))) => {
                let digits = if kind == 'u' { 4 } else { 8 };
                let code: String = rest.by_ref().take(digits).collect();
                let code = u32::from_str_radix(&code, 16).ok();
                text.push(code.and_then(char::from_u32).unwrap_or('\u{fffd}'));
            }
            ('\\', Some(other)) => text.push(other),
            (c, _) => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_chosen_is_written_as_its_kind_demands() {
        let row = |path: &str| {
            let mut rows = sim_core::scenario::key_rows().iter();
            rows.find(|row| row.path == path).expect("a key").clone()
        };
        for (path, chosen, text) in [
            ("title", "2024", "\"2024\""),
            ("title", "[draft] \"x\"", "\"[draft] \\\"x\\\"\""),
            ("service.NAME.server.NAME.workers", "8", "8"),
            ("service.NAME.server.NAME.weight", "5.", "\"5.\""),
            ("service.NAME.server.NAME.weight", "1e3", "1e3"),
            ("client.timeout", "8s", "\"8s\""),
            ("client.timeout", "none", "\"none\""),
            ("client.cancel", "true", "true"),
            ("service.NAME.balancer.policy", "random", "\"random\""),
            (
                "service.NAME.balancer.policy",
                "{ kind = \"power-of-d\", d = 3 }",
                "{ kind = \"power-of-d\", d = 3 }",
            ),
        ] {
            assert_eq!(written(&row(path), chosen), text, "{path}");
        }
        for text in ["", "a \"b\" \\ c", "two\nlines", "größer", "\u{1}"] {
            assert_eq!(unquoted(&quoted(text)), text);
        }
        for (text, number) in [
            ("0", true),
            ("-3.5", true),
            (".5", false),
            ("infinity", false),
            ("007", false),
            ("5.", false),
        ] {
            assert_eq!(is_value(text), number, "{text}");
        }
    }
}
