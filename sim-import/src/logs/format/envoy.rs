//! Envoy's default access log, and Istio's.
//!
//! Observed of 1.40.0: `START_TIME` is the arrival; DURATION ends with the last byte and holds a slow upload,
//! retries and the wait for a connection; `X-ENVOY-UPSTREAM-SERVICE-TIME` holds failed tries and that wait too. A retried
//! request is one line that does not tell how often.

use super::template::{request, status};
use super::words::Words;
use super::{Chosen, FormatDef, Known, Parser};
use crate::logs::number::{Dates, whole};
use crate::logs::record::{Record, Stamp};
use memchr::memchr;

pub(super) static FORMAT: FormatDef = FormatDef {
    name: "envoy",
    about: "the default access log of Envoy or Istio",
    known: Known::Guess(guess),
    given: None,
};

fn guess(line: &[u8]) -> Option<Chosen> {
    let mut parser = Envoy::default();
    parser.read(line).ok()?;
    Some(Box::new(parser))
}

#[derive(Default)]
struct Envoy {
    dates: Dates,
}

const FOREIGN: &str = "it is no access log of Envoy";
const ENDS: &str = "it ends before the format does";

impl Parser for Envoy {
    fn read<'a>(&mut self, line: &'a [u8]) -> Result<Record<'a>, &'static str> {
        let rest = line.strip_prefix(b"[").ok_or(FOREIGN)?;
        let close = memchr(b']', rest).ok_or(FOREIGN)?;
        let (at, coarse) = self.dates.iso(&rest[..close]).ok_or("its time is none")?;
        let mut words = Words::of(&rest[close + 1..]);
        let (method, path) = request(words.next().ok_or(FOREIGN)?);
        let status = status(words.next().ok_or(ENDS)?).ok_or("its status is none")?;
        let flags = words.next().ok_or(ENDS)?;
        // Istio has details, the reason of a connection's end and of TLS in between.
        let mut numbers = [None; 4];
        let (mut found, mut skipped) = (0, 0);
        while found < 4 {
            let word = words.next().ok_or(ENDS)?;
            match whole(word) {
                Some(number) => {
                    numbers[found] = Some(number);
                    found += 1;
                }
                None if found == 3 && word == b"-" => found += 1,
                None if found == 0 && skipped < 4 => skipped += 1,
                None => return Err(FOREIGN),
            }
        }
        let _ = (words.next(), words.next(), words.next(), words.next());
        let host = words.next().ok_or(ENDS)?;
        let ms = |time: Option<u64>| time.map(|ms| ms.saturating_mul(1_000_000));
        let has = |flag: &[u8]| flags.split(|byte| *byte == b',').any(|own| own == flag);
        Ok(Record {
            at_ns: Some(at),
            stamp: Stamp::Begin,
            whole_second: coarse,
            duration_ns: ms(numbers[2]),
            upstream_ns: ms(numbers[3]),
            service_ns: ms(numbers[3]),
            queued_ns: 0,
            status: Some(status),
            method,
            path,
            server: if host == b"-" { b"" } else { host },
            tries: if has(b"URX") {
                2
            } else {
                u32::from(host != b"-")
            },
            left: has(b"DC"),
            local: host == b"-",
        })
    }

    fn words(&self) -> String {
        "the default format".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_format_and_istio() {
        let mut parser = Envoy::default();
        for line in [
            r#"[2026-11-29T06:54:45.015Z] "GET /a HTTP/1.1" 200 - 0 3 206 201 "-" "curl" "1-2" "shop" "192.0.2.7:80""#,
            r#"[2026-11-29T06:54:45.015Z] "GET /a HTTP/1.1" 200 - via_upstream - "-" 0 3 206 201 "-" "curl" "1-2" "shop" "192.0.2.7:80" outbound|80||shop"#,
        ] {
            let record = parser.read(line.as_bytes()).expect(line);
            assert_eq!(
                (record.duration_ns, record.upstream_ns),
                (Some(206_000_000), Some(201_000_000))
            );
            assert_eq!(
                (record.server, record.left, record.tries),
                (&b"192.0.2.7:80"[..], false, 1)
            );
        }
        let gone = r#"[2026-11-29T06:54:45.015Z] "GET /a HTTP/1.1" 0 DC 0 0 100 - "-" "curl" "1-2" "shop" "192.0.2.7:80""#;
        let record = parser.read(gone.as_bytes()).expect(gone);
        assert!(record.left && record.upstream_ns.is_none());
        let refused = r#"[2026-11-29T06:54:45.015Z] "GET /a HTTP/1.1" 503 URX,UF 0 0 100 - "-" "curl" "1-2" "shop" "-""#;
        assert_eq!(parser.read(refused.as_bytes()).expect(refused).tries, 2);
        for end in 0..refused.len() {
            let _ = parser.read(&refused.as_bytes()[..end]);
        }
    }
}
