//! Gatling's `simulation.log`, as text: what versions before 3.12 wrote.

use super::{FormatDef, Known, Parser};
use crate::logs::number::epoch;
use crate::logs::record::{Record, Stamp};

pub(super) static FORMAT: FormatDef = FormatDef {
    name: "gatling",
    about: "simulation.log of Gatling, as text",
    known: Known::Guess(|line| {
        let known = [&b"REQUEST\t"[..], b"RUN\t", b"USER\t"]
            .iter()
            .any(|start| line.starts_with(start));
        known.then(|| Box::new(Gatling) as Box<dyn Parser>)
    }),
    given: None,
};

struct Gatling;

impl Parser for Gatling {
    fn read<'a>(&mut self, line: &'a [u8]) -> Result<Record<'a>, &'static str> {
        let rest = line
            .strip_prefix(b"REQUEST\t")
            .ok_or("it tells of no request")?;
        let words: Vec<&[u8]> = rest.split(|byte| *byte == b'\t').collect();
        // Group and user's number stand before the name in some versions: the two times are looked for.
        let at = words
            .windows(2)
            .position(|pair| epoch(pair[0]).is_some() && epoch(pair[1]).is_some());
        let at = at.ok_or("it has no begin and end")?;
        let (begin, end) = (epoch(words[at]), epoch(words[at + 1]));
        let (Some((begin, _)), Some((end, _))) = (begin, end) else {
            return Err("it has no begin and end");
        };
        let fine = words.get(at + 2) == Some(&&b"OK"[..]);
        Ok(Record {
            at_ns: Some(begin),
            stamp: Stamp::Begin,
            duration_ns: u64::try_from(end - begin).ok(),
            status: Some(if fine { 200 } else { 599 }),
            path: if at > 0 { words[at - 1] } else { b"" },
            ..Record::default()
        })
    }

    fn words(&self) -> String {
        "simulation.log".to_owned()
    }

    fn is_aside(&self, line: &[u8]) -> bool {
        [
            &b"RUN\t"[..],
            b"USER\t",
            b"GROUP\t",
            b"ASSERTION\t",
            b"ERROR\t",
        ]
        .iter()
        .any(|start| line.starts_with(start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_and_users_are_not() {
        let mut parser = Gatling;
        let record = parser
            .read(b"REQUEST\t\thome\t1795935285015\t1795935285215\tOK\t ")
            .expect("a record");
        assert_eq!(
            (record.duration_ns, record.path, record.status),
            (Some(200_000_000), &b"home"[..], Some(200))
        );
        assert!(parser.is_aside(b"USER\tx\tSTART\t1795935285015"));
        assert!(parser.read(b"REQUEST\t\thome\t17959352").is_err());
    }
}
