//! `HAProxy`'s `option httplog`, with or without the head of a syslog line.
//!
//! Observed of 2.6, 2.8 and 3.4: the date is that of the request's first byte; `TR/Tw/Tc/Tr/Ta` are its
//! head, the queue, the connection, the server and all; −1 is a phase that was not reached; a slow upload is in
//! `Tr`. Without `abortonclose` those who leave are logged as successes.

use super::template::{request, status};
use super::{FormatDef, Known, Parser};
use crate::logs::number::{Dates, whole};
use crate::logs::record::{Record, Stamp};
use memchr::{memchr, memrchr};

pub(super) static FORMAT: FormatDef = FormatDef {
    name: "haproxy",
    about: "option httplog of HAProxy",
    known: Known::Guess(guess),
    given: None,
};

fn guess(line: &[u8]) -> Option<Box<dyn Parser>> {
    let mut parser = HaProxy::default();
    parser.read(line).ok()?;
    Some(Box::new(parser))
}

#[derive(Default)]
struct HaProxy {
    dates: Dates,
}

const FOREIGN: &str = "it is no httplog";

impl Parser for HaProxy {
    fn read<'a>(&mut self, line: &'a [u8]) -> Result<Record<'a>, &'static str> {
        let mut open = memchr(b'[', line).ok_or(FOREIGN)?;
        if line.get(open + 3) != Some(&b'/') {
            // A syslog head has the program's number in brackets.
            open += 1 + memchr(b'[', &line[open + 1..]).ok_or(FOREIGN)?;
        }
        let close = open + memchr(b']', &line[open..]).ok_or(FOREIGN)?;
        let at = self
            .dates
            .with_fraction(&line[open + 1..close])
            .ok_or("its time is none")?;
        let mut words = line[close + 1..]
            .split(|byte| *byte == b' ')
            .filter(|word| !word.is_empty());
        let mut next = || words.next().ok_or("it ends before the format does");
        let _frontend = next()?;
        let backend = next()?;
        let times = next()?;
        let mut parts = times.split(|byte| *byte == b'/');
        let mut ms = [None; 5];
        for part in &mut ms {
            let word = parts.next().ok_or(FOREIGN)?;
            let word = word.strip_prefix(b"+").unwrap_or(word);
            *part = if word == b"-1" {
                None
            } else {
                Some(whole(word).ok_or("a timer of it is none")?)
            };
        }
        let status = status(next()?).ok_or("its status is none")?;
        let (_bytes, _, _) = (next()?, next()?, next()?);
        let flags = next()?;
        let counts = next()?;
        let retries = counts.rsplit(|byte| *byte == b'/').next().unwrap_or(b"0");
        let retries = whole(retries.strip_prefix(b"+").unwrap_or(retries)).ok_or(FOREIGN)?;
        let slash = memchr(b'/', backend).unwrap_or(backend.len());
        let nobody = matches!(backend.get(slash + 1), None | Some(b'<'));
        let (method, path) = match (memchr(b'"', &line[close..]), memrchr(b'"', line)) {
            (Some(first), Some(last)) if close + first < last => {
                request(&line[close + first + 1..last])
            }
            _ => (&b""[..], &b""[..]),
        };
        let [head, wait, connect, response, all] = ms;
        let all = all.ok_or("it has no total time")?;
        let before = head
            .unwrap_or(0)
            .saturating_add(wait.unwrap_or(0))
            .saturating_add(connect.unwrap_or(0));
        let reached = response.is_some() && !nobody;
        let in_ns = |ms: u64| ms.saturating_mul(1_000_000);
        Ok(Record {
            at_ns: Some(at),
            stamp: Stamp::Begin,
            whole_second: false,
            duration_ns: Some(in_ns(all)),
            upstream_ns: reached.then(|| in_ns(all.saturating_sub(head.unwrap_or(0)))),
            service_ns: reached.then(|| in_ns(all.saturating_sub(before))),
            queued_ns: in_ns(wait.unwrap_or(0)),
            status: Some(status),
            method,
            path,
            server: if nobody { b"" } else { backend },
            tries: retries as u32 + u32::from(reached),
            left: flags.first() == Some(&b'C'),
            local: nobody,
        })
    }

    fn words(&self) -> String {
        "httplog".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_tell_the_queue_from_the_server() {
        let mut parser = HaProxy::default();
        let line = r#"Nov 29 06:54:45 lb haproxy[7]: 192.0.2.1:5 [29/Nov/2026:06:54:45.015] web app/a1 0/190/0/202/392 200 120 - - ---- 1/1/0/0/0 0/1 {x} "GET /a?b HTTP/1.1""#;
        let record = parser.read(line.as_bytes()).expect("a record");
        let ms = |ms: u64| Some(ms * 1_000_000);
        assert_eq!(
            (record.duration_ns, record.upstream_ns, record.service_ns),
            (ms(392), ms(392), ms(202))
        );
        assert_eq!(
            (record.server, record.path, record.tries, record.left),
            (&b"app/a1"[..], &b"/a?b"[..], 1, false)
        );
        let gone = r#"192.0.2.1:5 [29/Nov/2026:06:54:45.015] web app/<NOSRV> 0/50/-1/-1/50 -1 0 - - CQ-- 1/1/0/0/0 0/1 "GET / HTTP/1.1""#;
        let record = parser.read(gone.as_bytes()).expect("a record");
        assert_eq!(
            (record.service_ns, record.left, record.tries, record.server),
            (None, true, 0, &b""[..])
        );
        let retried = r#"192.0.2.1:5 [29/Nov/2026:06:54:45.015] web app/a2 0/1001/0/3/1005 200 0 - - ---- 1/1/0/0/+1 0/0 "GET / HTTP/1.1""#;
        assert_eq!(parser.read(retried.as_bytes()).expect("a record").tries, 2);
        for end in 0..line.len() {
            let _ = parser.read(&line.as_bytes()[..end]);
        }
    }
}
