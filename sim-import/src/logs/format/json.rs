//! JSON, an object in each line: Caddy, k6, vegeta, or any with usual or given names.
//!
//! Observed of Caddy 2.6 and 2.11: `ts` is the end, `duration` is in seconds and holds a slow upload and reader; who
//! left has status 499, or 0 in 2.6.

use super::columns::{Columns, Role, take};
use super::{FormatDef, Known, Parser};
use crate::logs::number::Dates;
use crate::logs::record::{Record, Stamp};

pub(super) static FORMAT: FormatDef = FormatDef {
    name: "json",
    about: "an object in each line: Caddy, k6 --out json, vegeta encode, or any with named values",
    known: Known::Named(guess),
    given: None,
};

/// An object of a program that is known.
struct Shape {
    name: &'static str,
    /// Lines without this are no requests.
    only: Option<(&'static [u8], &'static [u8])>,
    /// Names by which it is known.
    needs: &'static [&'static str],
    columns: &'static [(&'static str, Role)],
}

const SHAPES: &[Shape] = &[
    Shape {
        name: "Caddy",
        only: None,
        needs: &["ts", "duration", "status", "request.uri"],
        columns: &[
            ("ts", Role::Time(Stamp::End)),
            ("duration", Role::Duration(1_000_000_000)),
            ("status", Role::Status),
            ("request.method", Role::Method),
            ("request.uri", Role::Path),
        ],
    },
    Shape {
        name: "vegeta",
        only: None,
        needs: &["attack", "timestamp", "latency", "code"],
        columns: &[
            ("timestamp", Role::Time(Stamp::Begin)),
            ("latency", Role::Duration(1)),
            ("code", Role::Status),
            ("method", Role::Method),
            ("url", Role::Path),
        ],
    },
    Shape {
        name: "k6",
        only: Some((b"metric", b"http_req_duration")),
        needs: &["type", "metric", "data.time", "data.value"],
        columns: &[
            ("data.time", Role::Time(Stamp::End)),
            ("data.value", Role::Duration(1_000_000)),
            ("data.tags.status", Role::Status),
            ("data.tags.method", Role::Method),
            ("data.tags.name", Role::Path),
        ],
    },
];

struct Json {
    name: &'static str,
    only: Option<(&'static [u8], &'static [u8])>,
    columns: Columns,
    dates: Dates,
}

const DEPTH_MAX: usize = 6;
/// Names of an object that are looked at.
const NAMES_MAX: usize = 200;

fn guess(line: &[u8], said: &Columns) -> Option<Box<dyn Parser>> {
    let mut there = Vec::new();
    walk(line, &mut |name, _| {
        if there.len() < NAMES_MAX {
            there.push(String::from_utf8_lossy(name).into_owned());
        }
    })?;
    let has = |name: &&str| there.iter().any(|own| own == name);
    let shape = SHAPES
        .iter()
        .find(|shape| said.is_empty() && shape.needs.iter().all(&has));
    let json = match shape {
        Some(shape) => Json {
            name: shape.name,
            only: shape.only,
            columns: Columns::of(shape.columns),
            dates: Dates::default(),
        },
        None => Json {
            name: "JSON",
            only: None,
            columns: said.among(&there),
            dates: Dates::default(),
        },
    };
    if json.columns.has_time() {
        Some(Box::new(json))
    } else {
        None
    }
}

impl Parser for Json {
    fn read<'a>(&mut self, line: &'a [u8]) -> Result<Record<'a>, &'static str> {
        let mut record = Record::default();
        let mut bad = None;
        let only = self.only;
        let mut wanted = only.is_none();
        let (columns, dates) = (&self.columns, &mut self.dates);
        walk(line, &mut |name, value: &'a [u8]| {
            wanted |= only == Some((name, value));
            if let Some(role) = columns.role(name)
                && let Err(why) = take(role, value, &mut record, dates)
            {
                bad.get_or_insert(why);
            }
        })
        .ok_or("it is no JSON object")?;
        match bad {
            _ if !wanted => Err("it tells of no request"),
            Some(why) => Err(why),
            None if record.at_ns.is_none() => Err("it has no time"),
            None => {
                record.left |= record.status == Some(499);
                Ok(record)
            }
        }
    }

    fn words(&self) -> String {
        format!("{}: {}", self.name, self.columns.words())
    }

    fn is_aside(&self, line: &[u8]) -> bool {
        // k6 writes every metric, and the rest is none of ours.
        let mut wanted = false;
        let only = self.only;
        only.is_some()
            && walk(line, &mut |name, value| {
                wanted |= only == Some((name, value));
            })
            .is_some()
            && !wanted
    }
}

/// Tells every value of an object that is a number, a text or a word, with its name: `data.tags.status`.
fn walk<'a>(line: &'a [u8], tell: &mut impl FnMut(&[u8], &'a [u8])) -> Option<()> {
    let mut scan = Scan {
        text: line,
        at: 0,
        name: Vec::new(),
    };
    scan.blanks();
    if scan.peek()? != b'{' {
        return None;
    }
    scan.value(0, tell)?;
    scan.blanks();
    (scan.at == line.len()).then_some(())
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    name: Vec<u8>,
}

impl<'a> Scan<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn byte(&mut self, wanted: u8) -> Option<()> {
        self.blanks();
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    /// What stands between quotation marks, as it is written.
    fn string(&mut self) -> Option<&'a [u8]> {
        self.byte(b'"')?;
        let start = self.at;
        loop {
            let found = memchr::memchr2(b'"', b'\\', self.text.get(self.at..)?)?;
            self.at += found;
            if self.text[self.at] == b'"' {
                self.at += 1;
                return Some(&self.text[start..self.at - 1]);
            }
            self.at += 2;
        }
    }

    fn value(&mut self, depth: usize, tell: &mut impl FnMut(&[u8], &'a [u8])) -> Option<()> {
        self.blanks();
        match self.peek()? {
            b'{' if depth < DEPTH_MAX => self.object(depth, tell),
            b'{' | b'[' => self.skip(),
            b'"' => {
                let value = self.string()?;
                tell(&self.name, value);
                Some(())
            }
            _ => {
                let start = self.at;
                while self.peek().is_some_and(|byte| {
                    !matches!(byte, b',' | b'}' | b']') && !byte.is_ascii_whitespace()
                }) {
                    self.at += 1;
                }
                (self.at > start).then(|| tell(&self.name, &self.text[start..self.at]))
            }
        }
    }

    fn object(&mut self, depth: usize, tell: &mut impl FnMut(&[u8], &'a [u8])) -> Option<()> {
        self.at += 1;
        self.blanks();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            let key = self.string()?;
            let length = self.name.len();
            if length > 0 {
                self.name.push(b'.');
            }
            self.name.extend_from_slice(key);
            self.byte(b':')?;
            self.value(depth + 1, tell)?;
            self.name.truncate(length);
            self.blanks();
            let next = self.peek()?;
            self.at += 1;
            match next {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    /// Passes over a list, or an object too deep to matter.
    fn skip(&mut self) -> Option<()> {
        let mut open = 0_usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => open += 1,
                b'}' | b']' => open -= 1,
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return Some(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str, said: &str) -> Option<(String, i64, Option<u64>, u16)> {
        let mut parser = guess(line.as_bytes(), &Columns::said(said).expect("columns"))?;
        let words = parser.words();
        let record = parser
            .read(line.as_bytes())
            .unwrap_or_else(|why| panic!("{why}: {line}"));
        Some((
            words.split(':').next()?.to_owned(),
            record.at_ns?,
            record.duration_ns,
            record.status?,
        ))
    }

    #[test]
    fn programs_are_known_by_their_names() {
        let at = 1_795_935_285_000_000_000;
        let caddy = r#"{"level":"info","ts":1795935285.5,"request":{"method":"GET","uri":"/a?x=\u0026","headers":{"A":["b \" c"]}},"duration":0.302,"size":3,"status":200}"#;
        assert_eq!(
            read(caddy, ""),
            Some(("Caddy".into(), at + 500_000_000, Some(302_000_000), 200))
        );
        let vegeta = r#"{"attack":"","seq":0,"code":200,"timestamp":"2026-11-29T06:54:45Z","latency":12345,"error":"","method":"GET","url":"http://t/a"}"#;
        assert_eq!(
            read(vegeta, ""),
            Some(("vegeta".into(), at, Some(12_345), 200))
        );
        let k6 = r#"{"type":"Point","data":{"time":"2026-11-29T06:54:45.25Z","value":12.5,"tags":{"method":"GET","name":"http://t/a","status":"200"}},"metric":"http_req_duration"}"#;
        assert_eq!(
            read(k6, ""),
            Some(("k6".into(), at + 250_000_000, Some(12_500_000), 200))
        );
        let other = r#"{"when":"2026-11-29T06:54:45Z","took":12,"status":204,"path":"/b"}"#;
        assert_eq!(read(other, ""), None, "no time is known");
        assert_eq!(
            read(other, "time=when,duration=took:ms"),
            Some(("JSON".into(), at, Some(12_000_000), 204))
        );
    }

    #[test]
    fn torn_objects_are_refused() {
        let line = r#"{"ts":1795935285.5,"duration":0.302,"status":200,"request":{"uri":"/","method":"GET","x":[1,{"y":"]"}]}}"#;
        let mut parser = guess(line.as_bytes(), &Columns::default()).expect("Caddy");
        assert!(parser.read(line.as_bytes()).is_ok());
        for end in 0..line.len() {
            assert!(parser.read(&line.as_bytes()[..end]).is_err(), "{end}");
        }
        let deep = format!(
            "{{\"a\":{}1{}}}",
            "{\"b\":".repeat(100_000),
            "}".repeat(100_000)
        );
        assert!(walk(deep.as_bytes(), &mut |_, _| {}).is_some());
        assert!(Columns::said("when=x").is_err() && Columns::said("time").is_err());
    }
}
