//! nginx: a `log_format`, known, given or found.
//!
//! Observed of 1.22.1 and 1.31.3: `$msec` and `$time_local` are the end of a request; `$request_time` holds
//! a slow upload and a slow reader, `$upstream_response_time` the back end alone, one for each try.

use super::template::{Field, Part, SECONDS, Template};
use super::{FormatDef, Known, Parser};
use crate::logs::record::{Record, Stamp};
use std::fmt::Write;

pub(super) static FORMAT: FormatDef = FormatDef {
    name: "nginx",
    about: "a log_format of nginx: combined, or with times behind it",
    known: Known::Guess(guess),
    given: Some(given),
};

const COMBINED: &str = r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#;

/// Variables that are used; all others are skipped.
const VARIABLES: &[(&str, Field)] = &[
    ("time_local", Field::Date),
    ("time_iso8601", Field::Iso),
    ("msec", Field::Epoch),
    ("request", Field::Request),
    ("request_method", Field::Method),
    ("request_uri", Field::Path),
    ("uri", Field::Path),
    ("status", Field::Status),
    ("request_time", Field::Duration(SECONDS)),
    ("upstream_response_time", Field::UpstreamTimes),
    ("upstream_addr", Field::UpstreamAddresses),
];

/// A template and the words that say it.
struct Nginx {
    template: Template,
    words: String,
}

impl Parser for Nginx {
    fn read<'a>(&mut self, line: &'a [u8]) -> Result<Record<'a>, &'static str> {
        let mut record = self.template.read(line)?;
        record.left |= record.status == Some(499);
        Ok(record)
    }

    fn words(&self) -> String {
        self.words.clone()
    }
}

fn given(format: &str) -> Result<Option<Box<dyn Parser>>, String> {
    if !format.contains('$') {
        return Ok(None);
    }
    Ok(Some(Box::new(of(format)?)))
}

fn of(format: &str) -> Result<Nginx, String> {
    let template = Template::new(parts(format), Stamp::End)?;
    Ok(Nginx {
        template,
        words: format.to_owned(),
    })
}

fn parts(format: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut text: Vec<u8> = Vec::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        if first != '$' {
            text.extend_from_slice(&rest.as_bytes()[..first.len_utf8()]);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        rest = &rest[1..];
        let braced = rest.starts_with('{');
        let name = rest.trim_start_matches('{');
        let end = name
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(name.len());
        let (name, after) = name.split_at(end);
        rest = if braced {
            after.strip_prefix('}').unwrap_or(after)
        } else {
            after
        };
        let field = VARIABLES
            .iter()
            .find(|(own, _)| *own == name)
            .map_or(Field::Skip, |(_, field)| *field);
        if !text.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut text)));
        }
        parts.push(Part::Value(field));
    }
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    parts
}

/// Combined, and behind it what the words of a line look like: `rt=0.05`, `"0.05"`, an address with its port.
fn guess(line: &[u8]) -> Option<Box<dyn Parser>> {
    let line = std::str::from_utf8(line).ok()?;
    let tail = behind_combined(line)?;
    let words = names_of(tail)?;
    // Something else stands there, such as the microseconds of Apache.
    if !tail.is_empty() && !words.contains("time") {
        return None;
    }
    Some(Box::new(of(&format!("{COMBINED}{words}")).ok()?))
}

/// What stands behind the user agent of a combined line.
fn behind_combined(line: &str) -> Option<&str> {
    let date = line.find('[')?;
    let rest = &line[date..];
    let rest = &rest[rest.find("] \"")? + 3..];
    let rest = &rest[rest.find("\" ")? + 2..];
    let mut words = rest.splitn(3, ' ');
    let (status, bytes, rest) = (words.next()?, words.next()?, words.next()?);
    let digits = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(status) || status.len() != 3 || !(digits(bytes) || bytes == "-") {
        return None;
    }
    let rest = rest.strip_prefix('"')?;
    let rest = &rest[rest.find("\" \"")? + 3..];
    Some(&rest[rest.find('"')? + 1..])
}

/// Names for the values of a tail, with the text between them.
fn names_of(tail: &str) -> Option<String> {
    let (mut words, mut seen) = (String::new(), Seen::default());
    let mut rest = tail;
    while !rest.is_empty() {
        rest = rest.strip_prefix(' ')?;
        words.push(' ');
        let (mut value, quoted) = if let Some(inner) = rest.strip_prefix('"') {
            let end = inner.find('"')?;
            rest = &inner[end + 1..];
            (&inner[..end], true)
        } else {
            // A list of tries goes on behind its comma.
            let mut end = 0;
            loop {
                let word = rest[end..].find(' ').map_or(rest.len(), |at| end + at);
                end = word;
                if !rest[..word].ends_with(',') || word == rest.len() {
                    break;
                }
                end += 1;
            }
            let value = &rest[..end];
            rest = &rest[end..];
            (value, false)
        };
        let mut key = "";
        if let Some((name, after)) = value.split_once('=')
            && !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            (key, value) = (name, after);
            if !quoted && after.starts_with('"') {
                return None;
            }
        }
        let name = seen.name(key, value);
        let quote = if quoted { "\"" } else { "" };
        let equals = if key.is_empty() { "" } else { "=" };
        let _ = write!(words, "{quote}{key}{equals}${name}{quote}");
    }
    Some(words)
}

/// Which variables have been found so far.
#[derive(Default)]
struct Seen {
    request_time: bool,
    upstream_time: bool,
}

impl Seen {
    fn name(&mut self, key: &str, value: &str) -> &'static str {
        match key {
            "rt" | "request_time" => return "request_time",
            "urt" | "upstream_response_time" => return "upstream_response_time",
            "ua" | "upstream" | "upstream_addr" => return "upstream_addr",
            "msec" => return "msec",
            "" => {}
            _ => return "skip",
        }
        let first = value.split([',', ' ']).next().unwrap_or(value);
        let time = first.split_once('.').is_some_and(|(head, tail)| {
            tail.len() == 3 && head.len() <= 6 && all_digits(head) && all_digits(tail)
        });
        if value.len() >= 14 && value.find('.') == Some(10) && all_digits(&value.replace('.', "")) {
            "msec"
        } else if time && !self.request_time && !value.contains(',') {
            self.request_time = true;
            "request_time"
        } else if time && !self.upstream_time {
            self.upstream_time = true;
            "upstream_response_time"
        } else if first
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && all_digits(port))
        {
            "upstream_addr"
        } else {
            "skip"
        }
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        r#"192.0.2.1 - - [29/Nov/2026:06:54:45 +0000] "GET /item/3?x=1 HTTP/1.1" 200 3 "-" "a b""#;

    fn parser(line: &str) -> Box<dyn Parser> {
        guess(line.as_bytes()).unwrap_or_else(|| panic!("not guessed: {line}"))
    }

    #[test]
    fn values_behind_combined_are_found() {
        for (tail, wanted) in [
            ("", ""),
            (
                " 1795935285.015 0.153 \"127.0.0.1:81\" \"0.152\" \"200\"",
                " $msec $request_time \"$upstream_addr\" \"$upstream_response_time\" \"$skip\"",
            ),
            (
                " 0.153 0.152 127.0.0.1:81",
                " $request_time $upstream_response_time $upstream_addr",
            ),
            (" rt=0.3 uct=\"0\" urt=0.2", ""),
            (
                " \"rt=0.303\" urt=0.302",
                " \"rt=$request_time\" urt=$upstream_response_time",
            ),
        ] {
            let found = guess(format!("{HEAD}{tail}").as_bytes()).map(|parser| parser.words());
            if tail.contains("uct=\"") {
                assert_eq!(found, None);
            } else {
                assert_eq!(found, Some(format!("{COMBINED}{wanted}")), "{tail}");
            }
        }
        assert!(guess(b"not a log").is_none());
    }

    /// Texts as nginx 1.22.1 and 1.31.3 wrote them.
    #[test]
    fn tries_are_counted_and_their_times_added() {
        let line = |ua: &str, urt: &str, status: u16| {
            let head = HEAD.replace(" 200 ", &format!(" {status} "));
            format!("{head} 1795935285.015 0.303 \"{ua}\" \"{urt}\" \"x\"")
        };
        let plain = line("127.0.0.1:81", "0.302", 200);
        let mut parser = parser(&plain);
        let mut read = |line: &str| {
            let record = parser.read(line.as_bytes()).expect(line);
            (
                record.tries,
                record.upstream_ns,
                record.service_ns,
                String::from_utf8_lossy(record.server).into_owned(),
                record.left,
            )
        };
        let ms = |ms: u64| Some(ms * 1_000_000);
        assert_eq!(
            read(&plain),
            (1, ms(302), ms(302), "127.0.0.1:81".into(), false)
        );
        let second = line("127.0.0.1:81, 127.0.0.1:82", "0.000, 0.207", 200);
        assert_eq!(
            read(&second),
            (2, ms(207), ms(207), "127.0.0.1:82".into(), false)
        );
        let named = line("127.0.0.1:81 : 127.0.0.1:82", "0.251 : 0.202", 200);
        assert_eq!(
            read(&named),
            (2, ms(453), ms(202), "127.0.0.1:82".into(), false)
        );
        let gone = line("127.0.0.1:81", "0.101", 499);
        assert!(read(&gone).4);
        assert_eq!(
            read(&line("-", "-", 404)),
            (0, None, None, String::new(), false)
        );
    }

    #[test]
    fn a_format_that_is_given_is_followed() {
        let mut parser = given("$time_iso8601 ${request_method} $uri st=$status t=$request_time")
            .expect("fine")
            .expect("nginx");
        let record = parser
            .read(b"2026-11-29T06:54:45+00:00 GET /x st=200 t=0.1")
            .expect("a record");
        assert_eq!(
            (record.path, record.duration_ns, record.whole_second),
            (&b"/x"[..], Some(100_000_000), true)
        );
        assert!(
            parser
                .read(b"2026-11-29T06:54:45+00:00 GET /x st=200 t=0.1x")
                .is_err()
        );
        assert!(given("$status").is_err_and(|why| why.contains("no time")));
        assert!(given("$msec$status").is_err_and(|why| why.contains("side by side")));
        assert!(given("%h %t").expect("fine").is_none());
    }
}
