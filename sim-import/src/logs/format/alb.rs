//! Amazon's Application Load Balancer, as it is documented ("Access logs for your Application Load Balancer", fields of
//! November 2026): `time` is when the answer was made, and the three times together last from the request to it.

use super::template::{request, status};
use super::words::Words;
use super::{Chosen, FormatDef, Known, Parser};
use crate::logs::number::{Dates, how_long};
use crate::logs::record::{Record, Stamp};

pub(super) static FORMAT: FormatDef = FormatDef {
    name: "alb",
    about: "the access log of an Application Load Balancer",
    known: Known::Guess(guess),
    given: None,
};

/// Types of requests, with which each line begins.
const TYPES: [&[u8]; 6] = [b"http", b"https", b"h2", b"grpcs", b"ws", b"wss"];
const FOREIGN: &str = "it is no access log of an Application Load Balancer";
const ENDS: &str = "it ends before the format does";
const SECONDS: u64 = 1_000_000_000;
/// The client closed its connection.
const LEFT: u16 = 460;

fn guess(line: &[u8]) -> Option<Chosen> {
    let mut parser = Alb::default();
    parser.read(line).ok()?;
    Some(Box::new(parser))
}

#[derive(Default)]
struct Alb {
    dates: Dates,
}

impl Parser for Alb {
    fn read<'a>(&mut self, line: &'a [u8]) -> Result<Record<'a>, &'static str> {
        let mut words = Words::of(line);
        let mut next = || words.next().ok_or(ENDS);
        if !TYPES.contains(&next()?) {
            return Err(FOREIGN);
        }
        let (at, coarse) = self.dates.iso(next()?).ok_or("its time is none")?;
        let (_balancer, _client, target) = (next()?, next()?, next()?);
        // A part that did not come to be is -1.
        let mut part = || -> Result<_, &'static str> {
            let word = next()?;
            Ok(if word.starts_with(b"-") {
                None
            } else {
                Some(how_long(word, SECONDS).ok_or("a time of it is none")?)
            })
        };
        let (before, at_target, after) = (part()?, part()?, part()?);
        let answered = status(next()?).ok_or("its status is none")?;
        let (_, _, _) = (next()?, next()?, next()?);
        let (method, path) = request(next()?);
        let nobody = target == b"-";
        let sum = |parts: [Option<u64>; 3]| parts.into_iter().flatten().sum::<u64>();
        Ok(Record {
            at_ns: Some(at),
            stamp: Stamp::End,
            whole_second: coarse,
            duration_ns: Some(sum([before, at_target, after])),
            upstream_ns: at_target,
            service_ns: at_target,
            queued_ns: 0,
            status: Some(answered),
            method,
            path,
            server: if nobody { b"" } else { target },
            // It sends a request to one target.
            tries: u32::from(!nobody),
            left: answered == LEFT,
            local: nobody,
        })
    }

    fn words(&self) -> String {
        "its only format".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_added_and_nobody_is_nobody() {
        let mut parser = Alb::default();
        let line = |target: &str, times: &str, status: &str| {
            format!(
                r#"http 2026-11-29T06:54:45.186641Z app/shop/50dc 192.0.2.1:2817 {target} {times} {status} - 34 366 "GET http://shop:80/a?b=1 HTTP/1.1" "curl/7.46.0" - - arn "Root=1-58" "-" "-" 0 2026-11-29T06:54:45.000000Z "forward" "-" "-" "-" "-" "-" "-""#
            )
        };
        let good = line("192.0.2.7:80", "0.001 0.150 0.002", "200");
        let record = parser.read(good.as_bytes()).expect(&good);
        assert_eq!(
            (record.duration_ns, record.upstream_ns, record.tries),
            (Some(153_000_000), Some(150_000_000), 1)
        );
        assert_eq!(
            (record.server, record.path, record.stamp),
            (
                &b"192.0.2.7:80"[..],
                &b"http://shop:80/a?b=1"[..],
                Stamp::End
            )
        );
        let gone = line("192.0.2.7:80", "0.001 -1 -1", "460");
        let record = parser.read(gone.as_bytes()).expect(&gone);
        assert!(record.left && record.upstream_ns.is_none());
        let refused = line("-", "-1 -1 -1", "503");
        let record = parser.read(refused.as_bytes()).expect(&refused);
        assert!(record.local && record.server.is_empty());
        for end in 0..good.len() {
            let _ = parser.read(&good.as_bytes()[..end]);
        }
        assert!(guess(b"http and so on").is_none());
    }
}
