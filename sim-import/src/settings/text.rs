//! Texts before any format is looked at: placeholders of templates.

use super::Unreadable;
use super::system::Place;
use std::fmt::Write;
use std::sync::Arc;

/// The lines of a text without blanks around them, comments left out.
pub(crate) fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.starts_with('#'))
}

/// Puts values in the place of `${NAME}` in capitals, as `envsubst` does.
///
/// # Errors
/// Names all that have no value, with their lines.
pub(crate) fn substitute(
    text: &str,
    file: &Arc<str>,
    value: &dyn Fn(&str) -> Option<String>,
) -> Result<String, Unreadable> {
    let mut out = String::with_capacity(text.len());
    let mut lacking: Vec<(String, usize)> = Vec::new();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        // A comment is no place for a value.
        if line.trim_start().starts_with('#') {
            out.push_str(line);
            continue;
        }
        let mut rest = line;
        while let Some(start) = rest.find("${") {
            out.push_str(&rest[..start]);
            let after = &rest[start + 2..];
            let Some((name, tail)) = after.split_once('}').filter(|(name, _)| is_name(name)) else {
                out.push_str("${");
                rest = after;
                continue;
            };
            match value(name) {
                Some(value) => out.push_str(&value),
                None if lacking.iter().all(|(known, _)| known != name) => {
                    lacking.push((name.to_owned(), index + 1));
                }
                None => {}
            }
            rest = tail;
        }
        out.push_str(rest);
    }
    let Some((_, line)) = lacking.first() else {
        return Ok(out);
    };
    let mut names = String::new();
    for (name, line) in &lacking {
        let comma = if names.is_empty() { "" } else { ", " };
        let _ = write!(names, "{comma}{name} (line {line})");
    }
    let place = Place {
        file: file.clone(),
        line: *line,
    };
    let why = format!("it is a template, and these have no value: {names}");
    Err(Unreadable::new(place, &why).help("give them with --env NAME=VALUE, or in the environment"))
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// Marks of templates that nobody has rendered, with what makes files of them.
const TEMPLATES: &[(&str, &str)] = &[("{{", "Helm, Go or Jinja"), ("{%", "Jinja"), ("<%", "ERB")];

/// Helm's marks, which stand in no text that is rendered.
pub(crate) const HELM: &[(&str, &str)] = &[("{{ .", "Helm"), ("{{.", "Helm"), ("{{-", "Helm")];

/// Says that a text is a template; `{{` within quotes may be an expression of the program itself, so a
/// format that has such asks only when it cannot read the text.
pub(crate) fn template(text: &str, file: &Arc<str>) -> Option<Unreadable> {
    marked(text, file, TEMPLATES)
}

/// The first line that has one of these marks.
pub(crate) fn marked(text: &str, file: &Arc<str>, marks: &[(&str, &str)]) -> Option<Unreadable> {
    for (index, line) in text.lines().enumerate() {
        let code = line.trim_start();
        if code.starts_with('#') {
            continue;
        }
        if let Some((mark, of)) = marks.iter().find(|(mark, _)| code.contains(mark)) {
            let place = Place {
                file: file.clone(),
                line: index + 1,
            };
            let why = format!("`{mark}` is a mark of a template ({of}) that has not been rendered");
            return Some(
                Unreadable::new(place, &why).help("render it first, and import what comes out"),
            );
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_are_placeholders_and_all_that_lack_are_named() {
        let file: Arc<str> = "t".into();
        let text = "server ${HOST}:${PORT};\n# ${NOT}\nset $x ${uri};\nread ${T}s ${HOST};\n";
        let known = |name: &str| (name == "HOST").then(|| "web".to_owned());
        let problem = substitute(text, &file, &known).expect_err("two lack");
        assert!(
            problem.why.ends_with("PORT (line 1), T (line 4)"),
            "{}",
            problem.why
        );
        let all = |name: &str| Some(name.to_lowercase());
        let out = substitute(text, &file, &all).expect("all are known");
        assert_eq!(
            out,
            "server host:port;\n# ${NOT}\nset $x ${uri};\nread ts host;\n"
        );
    }

    #[test]
    fn templates_are_named_by_line() {
        let file: Arc<str> = "t".into();
        let found = template("a;\n# {{ x }}\n b {{ .Values.x }};\n", &file).expect("one");
        assert_eq!(found.place.map(|p| p.line), Some(3));
        assert!(template("a { b; }\n", &file).is_none());
    }
}
