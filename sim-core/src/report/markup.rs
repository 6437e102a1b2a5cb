//! What all pages have in common: their head, sentences, tables, commands and texts. Everything from a scenario passes
//! through [`xml`].

use crate::text;
use std::fmt::Write as _;

/// Bytes of the scenarios' texts that are shown at most: a log they read can be very long.
pub(super) const SOURCE_MAX: usize = 120_000;

const STYLE: &str = include_str!("page/page.css");

/// A table.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Table {
    /// What it holds.
    pub caption: String,
    /// Names of its columns.
    pub head: Vec<String>,
    /// Its rows.
    pub rows: Vec<Vec<String>>,
    /// The column whose cells name the rows.
    pub named: usize,
    /// Lines below each row, as they are typed; there may be fewer of them than rows.
    pub under: Vec<Vec<String>>,
    /// Whether a terminal leaves out the names of the columns.
    pub bare: bool,
    /// Rows that a terminal shows at most; 0 for all.
    pub most: usize,
}

impl Table {
    /// A table without rows; the first cell of each will name it.
    pub fn new(caption: impl Into<String>, head: &[&str]) -> Self {
        Self {
            caption: caption.into(),
            head: head.iter().map(|word| (*word).to_owned()).collect(),
            ..Self::default()
        }
    }
}

/// A page in the making.
#[derive(Default)]
pub(super) struct Html {
    /// What is there of it.
    pub text: String,
}

impl Html {
    /// Adds what is markup already.
    pub(super) fn raw(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// Adds a heading that can be linked to.
    pub(super) fn heading(&mut self, id: &str, text: &str) {
        self.raw(&format!("<h2 id=\"{id}\">{}</h2>", xml(text)));
    }

    /// Adds a sentence.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.raw(&format!("<p>{}</p>", prose(text)));
    }
}

/// A text as it stands in the page: nothing in it means anything, and figures keep together.
pub(super) fn xml(text: &str) -> String {
    let mut safe = text::xml(text);
    let spaces: Vec<usize> = safe.match_indices(' ').map(|(at, _)| at).collect();
    for at in spaces.into_iter().rev() {
        let bytes = safe.as_bytes();
        let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        let after_digit = at > 0 && digit(at - 1);
        let group = (1..=3).all(|i| digit(at + i)) && !digit(at + 4);
        if after_digit && (group || bytes.get(at + 1) == Some(&b'%')) {
            safe.replace_range(at..=at, "\u{202f}");
        }
    }
    safe
}

/// Begins the page: all up to its title. Nothing is fetched, whatever a text from a scenario says.
pub(super) fn head(html: &mut Html, title: &str, what: &str, question: &str, scripts: bool) {
    let title = xml(title);
    html.raw(&format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}: {}</title>",
        xml(what)
    ));
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    html.raw("<meta name=\"color-scheme\" content=\"light dark\">");
    let allowed = if scripts {
        "; script-src 'unsafe-inline'; img-src data: blob:"
    } else {
        ""
    };
    html.raw(&format!("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'{allowed}\">"));
    html.raw(&format!("<style>\n{STYLE}</style>\n</head>\n<body>"));
    html.raw("<a class=\"skip\" href=\"#verdict\">Skip to the verdict</a>");
    html.raw(&format!("<header>\n<h1>{title}</h1>"));
    if !question.is_empty() {
        html.raw(&format!("<p class=\"question\">{}</p>", prose(question)));
    }
}

/// The commands that give the same again.
pub(super) fn commands(html: &mut Html, commands: &[String]) {
    html.paragraph("The same scenario, seed and version give the same bytes on every machine.");
    code(html, "Commands", &commands.join("\n"));
}

/// Lines as they are typed.
pub(super) fn code(html: &mut Html, label: &str, lines: &str) {
    // Line by line: what is shown keeps its lines, and nothing else of what means something to a page.
    let lines: Vec<String> = lines.lines().map(typed).collect();
    html.raw(&format!(
        "<section class=\"box\" tabindex=\"0\" aria-label=\"{}\">\n<pre><code>{}</code></pre>\n</section>",
        xml(label),
        lines.join("\n")
    ));
}

/// A text under its name, to be opened, as far as there is room for it.
pub(super) fn source(html: &mut Html, name: &str, text: &str, room: &mut usize) {
    let lines = kept_lines(text, room);
    let name = xml(name);
    html.raw(&format!(
        "<details>\n<summary>{name}</summary>\n<section class=\"box\" tabindex=\"0\" aria-label=\"{name}\">\n<pre><code>{lines}</code></pre>\n</section>\n</details>"
    ));
}

/// As many lines of a text as there is room for.
fn kept_lines(text: &str, room: &mut usize) -> String {
    let mut kept = String::new();
    for line in text.lines() {
        if line.len() > *room {
            kept.push_str("… the rest is left out");
            *room = 0;
            return kept;
        }
        *room -= line.len();
        let _ = writeln!(kept, "{}", typed(&line.replace('\t', "    ")));
    }
    kept
}

/// A line as it is typed: what would hide or turn letters around is seen.
fn typed(line: &str) -> String {
    text::xml(&text::shown(line))
}

/// Adds a table that scrolls where it is too wide.
pub(super) fn table(html: &mut Html, table: &Table) {
    let caption = xml(&table.caption);
    html.raw(&format!(
        "<section class=\"box\" tabindex=\"0\" aria-label=\"{caption}\">\n<table>\n<caption>{caption}</caption>\n<thead><tr>"
    ));
    for name in &table.head {
        html.raw(&match name.as_str() {
            "" => "<td></td>".to_owned(),
            name => format!("<th scope=\"col\">{}</th>", xml(name)),
        });
    }
    html.raw("</tr></thead>\n<tbody>");
    for (at, row) in table.rows.iter().enumerate() {
        let mut line = "<tr>".to_owned();
        for (column, cell) in row.iter().enumerate() {
            let mut cell = xml(cell);
            if column == table.named {
                for line in table.under.get(at).into_iter().flatten() {
                    let _ = write!(cell, "<br><code>{}</code>", typed(line));
                }
            }
            // Writing to a text cannot fail.
            let _ = if column == table.named {
                write!(line, "<th scope=\"row\">{cell}</th>")
            } else {
                write!(line, "<td>{cell}</td>")
            };
        }
        let missing = table.head.len().saturating_sub(row.len());
        line.push_str(&"<td></td>".repeat(missing));
        html.raw(&format!("{line}</tr>"));
    }
    html.raw("</tbody>\n</table>\n</section>");
}

/// A sentence, with what stands in backticks as code; an odd one is a letter like others.
pub(super) fn prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return xml(text);
    }
    let part = |(i, part): (usize, &&str)| {
        if i % 2 == 1 {
            format!("<code>{}</code>", xml(part))
        } else {
            xml(part)
        }
    };
    parts.iter().enumerate().map(part).collect()
}
