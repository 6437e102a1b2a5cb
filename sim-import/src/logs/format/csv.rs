//! Tables whose first line names their columns: of k6, of hey, or any with usual or given names.

use super::columns::{Columns, Role, take};
use super::{FormatDef, Known, Parser};
use crate::logs::number::Dates;
use crate::logs::record::{Record, Stamp};

pub(super) static FORMAT: FormatDef = FormatDef {
    name: "csv",
    about: "a table whose first line names its columns, such as those of k6 and hey; or any with --columns",
    known: Known::Named(guess),
    given: None,
};

/// Tables of programs that are known by the names of their columns.
type Shape = (&'static [&'static str], &'static [(&'static str, Role)]);

const SHAPES: &[Shape] = &[
    (
        &["metric_name", "timestamp", "metric_value"],
        &[
            ("timestamp", Role::Time(Stamp::End)),
            ("metric_value", Role::Duration(1_000_000)),
            ("status", Role::Status),
            ("name", Role::Path),
            ("method", Role::Method),
        ],
    ),
    (
        &["response-time", "offset", "status-code"],
        &[
            ("offset", Role::Offset),
            ("response-time", Role::Duration(1_000_000_000)),
            ("status-code", Role::Status),
        ],
    ),
];

struct Csv {
    head: Vec<u8>,
    separator: u8,
    roles: Vec<Option<Role>>,
    /// The column that must say `http_req_duration`.
    metric: Option<usize>,
    words: String,
    dates: Dates,
}

const METRIC: &[u8] = b"http_req_duration";

fn guess(line: &[u8], said: &Columns) -> Option<Box<dyn Parser>> {
    let text = std::str::from_utf8(line).ok()?;
    let separator = [b',', b';', b'\t']
        .into_iter()
        .find(|separator| line.contains(separator))?;
    let names: Vec<String> = text
        .split(separator as char)
        .map(|name| name.trim().trim_matches('"').to_owned())
        .collect();
    // Names are words: a line of values has a number somewhere.
    if names.iter().any(|name| {
        name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || name.len() > 60
    }) {
        return None;
    }
    let shape = SHAPES.iter().find(|(wanted, _)| {
        wanted
            .iter()
            .all(|name| names.iter().any(|own| own == name))
    });
    let columns = match shape {
        Some((_, columns)) if said.is_empty() => Columns::of(columns),
        _ => said.among(&names),
    };
    if !columns.has_time() {
        return None;
    }
    let metric = names.iter().position(|name| name == "metric_name");
    let roles = names
        .iter()
        .map(|name| columns.role(name.as_bytes()))
        .collect();
    Some(Box::new(Csv {
        head: line.to_vec(),
        separator,
        roles,
        metric,
        words: columns.words(),
        dates: Dates::default(),
    }))
}

impl Csv {
    fn values<'a>(&self, line: &'a [u8]) -> Result<Vec<&'a [u8]>, &'static str> {
        let mut values = Vec::with_capacity(self.roles.len());
        let mut rest = line;
        loop {
            let quoted = rest.first() == Some(&b'"');
            let end = if quoted {
                memchr::memmem::find(&rest[1..], &[b'"', self.separator])
                    .map_or(rest.len(), |at| at + 2)
            } else {
                memchr::memchr(self.separator, rest).unwrap_or(rest.len())
            };
            let value = &rest[..end];
            values.push(if quoted {
                value[1..]
                    .strip_suffix(b"\"")
                    .ok_or("a quotation mark of it does not close")?
            } else {
                value
            });
            if end == rest.len() {
                break;
            }
            rest = &rest[end + 1..];
        }
        if values.len() == self.roles.len() {
            Ok(values)
        } else {
            Err("it has another number of columns than the first line")
        }
    }
}

impl Parser for Csv {
    fn read<'a>(&mut self, line: &'a [u8]) -> Result<Record<'a>, &'static str> {
        let values = self.values(line)?;
        if self.metric.is_some_and(|at| values[at] != METRIC) {
            return Err("it tells of no request");
        }
        let mut record = Record::default();
        for (role, value) in self.roles.iter().zip(values) {
            if let Some(role) = role {
                take(*role, value, &mut record, &mut self.dates)?;
            }
        }
        if record.at_ns.is_some() {
            Ok(record)
        } else {
            Err("it has no time")
        }
    }

    fn words(&self) -> String {
        self.words.clone()
    }

    fn is_aside(&self, line: &[u8]) -> bool {
        line == self.head
            || self
                .metric
                .is_some_and(|at| self.values(line).is_ok_and(|values| values[at] != METRIC))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_known_by_their_heads() {
        for (head, line, said, wanted) in [
            (
                "time,duration_ms,status,path",
                "2026-11-29T06:54:45Z,12.5,200,/a",
                "",
                Some(12_500_000),
            ),
            (
                "metric_name,timestamp,metric_value,status,name,method",
                "http_req_duration,1795935285,12.5,200,http://t/,GET",
                "",
                Some(12_500_000),
            ),
            (
                "response-time,DNS+dialup,status-code,offset",
                "0.25,0.1,200,1.5",
                "",
                Some(250_000_000),
            ),
            (
                "a;b;c",
                "1795935285.5;\"12\";x",
                "time=a,duration=b:us",
                Some(12_000),
            ),
        ] {
            let mut parser =
                guess(head.as_bytes(), &Columns::said(said).expect("columns")).expect(head);
            let record = parser
                .read(line.as_bytes())
                .unwrap_or_else(|why| panic!("{why}: {line}"));
            assert_eq!(record.duration_ns, wanted, "{line}");
            assert!(parser.is_aside(head.as_bytes()));
            assert!(
                parser
                    .read(line.rsplit_once([',', ';']).expect("columns").0.as_bytes())
                    .is_err()
            );
        }
        assert!(guess(b"1,2,3", &Columns::default()).is_none());
        assert!(guess(b"when,how", &Columns::default()).is_none());
    }
}
