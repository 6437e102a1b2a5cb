//! Templates in labels and annotations of alerts.
//!
//! Of Go's templates those that alerts are written with: `{{ $value }}`, `{{ $labels.name }}`,
//! `{{ $externalLabels.name }}`, `{{ $externalURL }}` and their forms with a dot, alone, with one
//! of the functions of [`FILTERS`], or through `printf`. Whatever else stands in braces is left as
//! it is written, and the caller is told.

mod filter;

use crate::labels::Labels;
use crate::number;
pub(crate) use filter::FILTERS;

/// What a template can speak of.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'s> {
    pub(crate) labels: &'s Labels,
    pub(crate) value: f64,
    pub(crate) outside: &'s Outside,
}

/// What a template knows beside the alert.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outside {
    pub(crate) labels: Labels,
    pub(crate) url: String,
}

/// A value on its way through filters.
pub(crate) enum Piece {
    Number(f64),
    Text(String),
}

impl Piece {
    pub(crate) fn show(&self) -> String {
        match self {
            Self::Number(value) => number::show(*value),
            Self::Text(text) => text.clone(),
        }
    }
}

/// What is wrong with a template, whatever it is filled in with.
pub(crate) fn wrong(text: &str) -> Option<String> {
    let actions = text.split("{{").skip(1);
    let mut stages = actions.filter_map(|rest| stages(rest.split("}}").next()?));
    let formats = |stage: &Vec<String>| match stage.as_slice() {
        [name, format, ..] if name == "printf" => filter::wrong_format(format),
        _ => None,
    };
    stages.find_map(|stages| stages.iter().find_map(formats))
}

/// The text filled in, and whether something was left as it is written.
pub(crate) fn expand(text: &str, subject: Subject<'_>) -> (String, bool) {
    let (mut out, mut rest, mut left) = (String::new(), text, false);
    while let Some(begin) = rest.find("{{") {
        let Some(length) = rest[begin..].find("}}") else {
            left = true;
            break;
        };
        let end = begin + length + 2;
        let mut action = &rest[begin + 2..end - 2];
        out.push_str(&rest[..begin]);
        let (mut before, mut after) = (false, false);
        // `{{- x -}}` takes the space around it away.
        if let Some(inner) = action.strip_prefix("- ") {
            (action, before) = (inner, true);
        }
        if let Some(inner) = action.strip_suffix(" -") {
            (action, after) = (inner, true);
        }
        if let Some(piece) = pipeline(action, subject) {
            if before {
                out.truncate(out.trim_end().len());
            }
            out.push_str(&piece.show());
        } else {
            left = true;
            out.push_str(&rest[begin..end]);
        }
        rest = &rest[end..];
        if after {
            rest = rest.trim_start();
        }
    }
    out.push_str(rest);
    (out, left)
}

/// `value | filter | filter`.
fn pipeline(action: &str, subject: Subject<'_>) -> Option<Piece> {
    let mut stages = stages(action)?.into_iter();
    let mut piece = command(&stages.next()?, None, subject)?;
    for stage in stages {
        piece = command(&stage, Some(piece), subject)?;
    }
    Some(piece)
}

/// Words of each stage; texts keep their quotation mark in front.
fn stages(action: &str) -> Option<Vec<Vec<String>>> {
    let mut found = vec![Vec::new()];
    let mut rest = action.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '|' => {
                found.push(Vec::new());
                rest = rest[1..].trim_start();
                continue;
            }
            '"' | '`' => {
                let inner = &rest[1..];
                let end = inner.find(first)?;
                // A text with escapes is left to those who know all of them.
                if inner[..end].contains('\\') {
                    return None;
                }
                found.last_mut()?.push(format!("\"{}", &inner[..end]));
                end + 2
            }
            _ => {
                let end = rest
                    .find(|letter: char| letter.is_whitespace() || letter == '|')
                    .unwrap_or(rest.len());
                found.last_mut()?.push(rest[..end].to_owned());
                end
            }
        };
        rest = rest[end..].trim_start();
    }
    Some(found)
}

/// A value, or a filter of one.
fn command(words: &[String], piped: Option<Piece>, subject: Subject<'_>) -> Option<Piece> {
    let (first, given) = words.split_first()?;
    let Some(filter) = FILTERS.iter().find(|filter| filter.name == first) else {
        let alone = given.is_empty() && piped.is_none();
        return if alone { value(first, subject) } else { None };
    };
    let mut arguments = Vec::new();
    for word in given {
        arguments.push(value(word, subject)?);
    }
    arguments.extend(piped);
    (filter.run)(&arguments)
}

fn value(word: &str, subject: Subject<'_>) -> Option<Piece> {
    if let Some(text) = word.strip_prefix('"') {
        return Some(Piece::Text(text.to_owned()));
    }
    let text = |text: &str| Some(Piece::Text(text.to_owned()));
    match word {
        "$value" | ".Value" => return Some(Piece::Number(subject.value)),
        "$externalURL" | ".ExternalURL" => return text(&subject.outside.url),
        _ => {}
    }
    let labels = [
        ("$labels.", subject.labels),
        (".Labels.", subject.labels),
        ("$externalLabels.", &subject.outside.labels),
        (".ExternalLabels.", &subject.outside.labels),
    ];
    let (name, labels) = labels
        .iter()
        .find_map(|(start, labels)| Some((word.strip_prefix(start)?, labels)))?;
    crate::labels::is_label_name(name).then(|| Piece::Text(labels.get(name).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(text: &str, value: f64) -> (String, bool) {
        let labels: Labels = [("job", "web"), ("zone", "a")].into_iter().collect();
        let outside = Outside::default();
        super::expand(
            text,
            Subject {
                labels: &labels,
                value,
                outside: &outside,
            },
        )
    }

    #[test]
    fn plain_templates_are_filled_in() {
        for (text, value, filled) in [
            ("{{ $labels.job }} at {{ $value }}", 0.25, "web at 0.25"),
            ("{{.Labels.job}}/{{ $labels.none }}.", 1.0, "web/."),
            ("{{ $value | humanizePercentage }}", 0.1234567, "12.35%"),
            ("{{ humanize $value }}", 1_234_567.0, "1.235M"),
            ("{{ $value | humanizeDuration }}", 3725.0, "1h 2m 5s"),
            ("{{ printf \"%.2f\" $value }}", 2.0, "2.00"),
            ("{{ $value | printf \"%.1f%%\" }}", 2.0, "2.0%"),
            ("a {{- $value -}} b", 2.0, "a2b"),
            ("{{ $labels.job | toUpper }}", 2.0, "WEB"),
        ] {
            assert_eq!(expand(text, value), (filled.to_owned(), false), "{text}");
        }
    }

    #[test]
    fn decimals_without_end_are_refused() {
        for format in [
            "%.99999f",
            "%.1001f",
            "%.99999999999999999999f",
            "%f %.5000f",
        ] {
            let text = format!("{{{{ $value | printf \"{format}\" }}}}");
            let why = wrong(&text).expect("too many");
            assert!(why.contains("allowed are 1000 at most"), "{why}");
            assert_eq!(expand(&text, 1.0), (text.clone(), true));
        }
        let most = "{{ printf \"%.1000f\" $value }}";
        assert_eq!(wrong(most), None);
        assert_eq!(expand(most, 1.0).0.len(), 1002);
        assert_eq!(wrong("{{ $value }} %.99999f"), None);
    }

    #[test]
    fn what_is_not_understood_is_left_and_told() {
        for text in [
            "{{ if $value }}x{{ end }}",
            "{{ query \"up\" }}",
            "{{ $labels }}",
            "{{ open",
        ] {
            assert_eq!(expand(text, 1.0), (text.to_owned(), true));
        }
    }
}
