//! Texts of strangers: shown, never obeyed.
//!
//! A title, a note or a file's name may hold what a terminal, a spreadsheet or a reader's eye would
//! obey: escape sequences, carriage returns, marks that turn the direction of writing, a leading
//! equals sign. Scenarios and plans are read through [`plain`], so that nothing that comes out of them
//! holds any of it; tables are written by [`Csv`].

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

/// Whether whatever shows a text would do something else with `c` than show it.
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Direction of writing, and what else has no shape of its own.
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// `text` in one line, with what would be obeyed written as TOML escapes it: `\u001B` and `\n`.
pub fn shown(text: &str) -> Cow<'_, str> {
    replaced(text, |_, _| false)
}

/// `text` as [`shown`], but with its line ends and tabs: for texts that may have several lines.
pub fn plain(text: &str) -> Cow<'_, str> {
    replaced(text, |c, next| {
        c == '\n' || c == '\t' || c == '\r' && next == Some('\n')
    })
}

/// `text` in quotation marks, as an error names what stands in a file. A backslash stays one: what
/// scenarios hold has gone through [`plain`], and an escape of an escape is hard to find again.
pub fn cited(text: impl AsRef<str>) -> String {
    format!("\"{}\"", shown(text.as_ref()))
}

/// A word as a shell takes it, in quotes where it would be taken apart.
pub fn shell_word(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(format!("'{}'", word.replace('\'', "'\\''")))
    }
}

/// A text with what means something in XML written out, and without what XML cannot hold.
pub fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c if c.is_control() => safe.push(' '),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

fn replaced(text: &str, kept: impl Fn(char, Option<char>) -> bool) -> Cow<'_, str> {
    if !text.chars().any(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        if !is_obeyed(c) || kept(c, letters.peek().copied()) {
            safe.push(c);
            continue;
        }
        // Writing to a text cannot fail.
        let _ = match (c, u32::from(c)) {
            ('\n', _) => safe.write_str("\\n"),
            ('\r', _) => safe.write_str("\\r"),
            ('\t', _) => safe.write_str("\\t"),
            (_, code @ ..=0xffff) => write!(safe, "\\u{code:04X}"),
            (_, code) => write!(safe, "\\U{code:08X}"),
        };
    }
    Cow::Owned(safe)
}

/// A table in CSV whose texts stay texts. Spreadsheets calculate what begins with `=`, `+`, `-` or `@`, even
/// in quotation marks; an apostrophe before it is how they mark a text. Numbers stay as they are.
pub struct Csv<W: Write> {
    inner: csv::Writer<W>,
}

impl<W: Write> Csv<W> {
    /// An empty table.
    pub fn new(out: W) -> Self {
        Self {
            inner: csv::Writer::from_writer(out),
        }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_record<I>(&mut self, row: I) -> io::Result<()>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        for field in row {
            self.inner
                .write_field(cell(field.as_ref()).as_ref())
                .map_err(io_error)?;
        }
        self.inner.write_record(None::<&[u8]>).map_err(io_error)
    }

    /// Hands over what is still held back.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// A field of a table.
fn cell(field: &str) -> Cow<'_, str> {
    let field = shown(field);
    if field.starts_with(['=', '+', '-', '@']) && field.parse::<f64>().is_err() {
        return Cow::Owned(format!("'{field}"));
    }
    field
}

fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_obeyed_is_written_out() {
        let hostile = "a\u{1b}[31mb\rc\u{202e}d\u{9b}2Je\u{7}\u{e0041}\u{feff}\0";
        let safe = "a\\u001B[31mb\\rc\\u202Ed\\u009B2Je\\u0007\\U000E0041\\uFEFF\\u0000";
        assert_eq!(shown(hostile), safe);
        assert_eq!(plain(hostile), safe);
        assert_eq!(shown("one\ntwo\tthree\r\n"), "one\\ntwo\\tthree\\r\\n");
        assert_eq!(
            plain("one\ntwo\tthree\r\nfour\r"),
            "one\ntwo\tthree\r\nfour\\r"
        );
        assert!(matches!(shown("Größe — 漢字 👩‍🚀"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_spreadsheet_calculates_nothing() {
        let mut out = Vec::new();
        let mut table = Csv::new(&mut out);
        let row = [
            "=1+1", "-2.5", "+3e4", "-x", "@SUM(A1)", "+cmd", "\t=1", "a=1", "", "–",
        ];
        table.write_record(row).expect("memory");
        table.flush().expect("memory");
        drop(table);
        assert_eq!(
            String::from_utf8(out).expect("text"),
            "'=1+1,-2.5,+3e4,'-x,'@SUM(A1),'+cmd,\\t=1,a=1,,–\n"
        );
    }
}
