//! Apache: common and combined, and a `LogFormat` that is given.
//!
//! Observed of 2.4: `%t` is the begin; `%D` microseconds, `%T` seconds, with a slow head, upload and reader
//! in them; who left is logged with the full time.

use super::template::{Field, Part, SECONDS, Template};
use super::{FormatDef, Known, Parser};
use crate::logs::record::{Record, Stamp};

pub(super) static FORMAT: FormatDef = FormatDef {
    name: "apache",
    about: "a LogFormat of Apache: common or combined, perhaps with %D behind it",
    known: Known::Guess(guess),
    given: Some(given),
};

const COMMON: &str = r#"%h %l %u %t "%r" %>s %b"#;
const COMBINED: &str = r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#;

struct Apache {
    template: Template,
    words: String,
}

impl Parser for Apache {
    fn read<'a>(&mut self, line: &'a [u8]) -> Result<Record<'a>, &'static str> {
        self.template.read(line)
    }

    fn words(&self) -> String {
        self.words.clone()
    }
}

fn guess(line: &[u8]) -> Option<Box<dyn Parser>> {
    // Combined alone is the same in nginx, which is asked first; what ends in whole microseconds is Apache's.
    [COMMON, COMBINED].into_iter().find_map(|start| {
        ["", " %D", " %D %X"].into_iter().find_map(|tail| {
            let mut apache = of(&format!("{start}{tail}")).ok()?;
            let record = apache.read(line).ok()?;
            (tail.is_empty() || record.duration_ns.is_some())
                .then(|| Box::new(apache) as Box<dyn Parser>)
        })
    })
}

fn given(format: &str) -> Result<Option<Box<dyn Parser>>, String> {
    if !format.contains('%') {
        return Ok(None);
    }
    Ok(Some(Box::new(of(format)?)))
}

fn of(format: &str) -> Result<Apache, String> {
    let mut parts: Vec<Part> = Vec::new();
    let mut text: Vec<u8> = Vec::new();
    let mut rest = format;
    let mut stamp = Stamp::Begin;
    while let Some(first) = rest.chars().next() {
        if first != '%' {
            text.extend_from_slice(&rest.as_bytes()[..first.len_utf8()]);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        rest = rest[1..]
            .trim_start_matches(|c: char| matches!(c, '>' | '<' | '!' | ',') || c.is_ascii_digit());
        let mut argument = "";
        if let Some(inner) = rest.strip_prefix('{') {
            let end = inner.find('}').ok_or("a brace of it does not close")?;
            (argument, rest) = (&inner[..end], &inner[end + 1..]);
        }
        let letter = rest.chars().next().ok_or("it ends with a %")?;
        rest = &rest[letter.len_utf8()..];
        let field = match (letter, argument) {
            ('t', "") => {
                text.push(b'[');
                Field::Date
            }
            ('t', "end:msec" | "end:usec" | "end:sec") => {
                stamp = Stamp::End;
                Field::Epoch
            }
            ('t', "msec" | "usec" | "sec" | "begin:msec" | "begin:usec") => Field::Epoch,
            ('r', _) => Field::Request,
            ('m', _) => Field::Method,
            ('U', _) => Field::Path,
            ('s', _) => Field::Status,
            ('D', _) | ('T', "us") => Field::Duration(1_000),
            ('T', "" | "s") => Field::Duration(SECONDS),
            ('T', "ms") => Field::Duration(1_000_000),
            ('X', _) => Field::Connection,
            ('%', _) => {
                text.push(b'%');
                continue;
            }
            _ => Field::Skip,
        };
        if !text.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut text)));
        }
        parts.push(Part::Value(field));
        if (letter, argument) == ('t', "") {
            text.push(b']');
        }
    }
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    if stamp == Stamp::End {
        // One clock for a line: the end was asked for.
        let other = |part: &Part| matches!(part, Part::Value(Field::Date));
        for part in parts.iter_mut().filter(|part| other(part)) {
            *part = Part::Value(Field::Skip);
        }
    }
    Ok(Apache {
        template: Template::new(parts, stamp)?,
        words: format.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_combined_and_microseconds() {
        let line = r#"192.0.2.1 - - [29/Nov/2026:06:54:45 +0000] "GET /a HTTP/1.1" 200 3"#;
        assert_eq!(
            guess(line.as_bytes()).map(|p| p.words()).as_deref(),
            Some(COMMON)
        );
        let timed = format!(r#"{line} "-" "say \"hi\"" 302500"#);
        let mut parser = guess(timed.as_bytes()).expect("combined");
        let record = parser.read(timed.as_bytes()).expect("a record");
        assert_eq!(
            (record.duration_ns, record.stamp, record.path),
            (Some(302_500_000), Stamp::Begin, &b"/a"[..])
        );
        assert!(parser.read(line.as_bytes()).is_err(), "torn");
        // What nginx writes behind it is no microseconds and no state of a connection.
        let nginx = format!(r#"{line} "-" "-" 1795935285.015 0.012 "127.0.0.1:81""#);
        assert!(guess(nginx.as_bytes()).is_none());
        let torn = format!(r#"{line} "-" "-" 17959352"#);
        let mut parser = guess(torn.as_bytes()).expect("as it stands, it is");
        assert!(parser.read(nginx.as_bytes()).is_err());
    }

    #[test]
    fn a_format_that_is_given_is_followed() {
        let mut parser = given(r#"%{end:msec}t %h %t "%r" %>s %{ms}T %X"#)
            .expect("fine")
            .expect("Apache");
        let line = r#"1795935285015 h [29/Nov/2026:06:54:45 +0000] "GET / HTTP/1.1" 200 12 X"#;
        let record = parser.read(line.as_bytes()).expect("a record");
        assert_eq!(
            (record.duration_ns, record.left, record.stamp),
            (Some(12_000_000), true, Stamp::End)
        );
        assert_eq!(record.at_ns, Some(1_795_935_285_015_000_000));
        assert!(given("%h %s").is_err());
    }
}
