//! Lines that follow a template, as nginx and Apache write them: literal text with values in between.

use crate::logs::number::{Dates, epoch, how_long, whole};
use crate::logs::record::{Record, Stamp};
use memchr::{memchr, memmem};

pub(crate) const SECONDS: u64 = 1_000_000_000;

/// What a place of the template holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Field {
    /// Nothing that is used.
    Skip,
    /// A date as Apache and nginx write it; brackets are part of it where `true`.
    Date,
    /// A date after ISO 8601.
    Iso,
    /// A number since 1970.
    Epoch,
    /// `GET /path HTTP/1.1`.
    Request,
    Method,
    Path,
    Status,
    /// Time from the first byte to the last, in so many nanoseconds a unit.
    Duration(u64),
    /// Times at servers, in seconds, `,` or `:` between tries.
    UpstreamTimes,
    /// Addresses of servers, in the same way.
    UpstreamAddresses,
    /// `+`, `-` or `X` of Apache.
    Connection,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    Text(Vec<u8>),
    Value(Field),
}

/// A template, ready to read lines.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    parts: Vec<Part>,
    stamp: Stamp,
    dates: Dates,
}

impl Template {
    /// A template must tell when; two values need text between them.
    pub(crate) fn new(parts: Vec<Part>, stamp: Stamp) -> Result<Self, String> {
        let values = || {
            parts.iter().filter_map(|part| {
                if let Part::Value(field) = part {
                    Some(*field)
                } else {
                    None
                }
            })
        };
        if !values().any(|field| matches!(field, Field::Date | Field::Iso | Field::Epoch)) {
            return Err(
                "it has no time: of nginx $msec, $time_local or $time_iso8601, of Apache %t"
                    .to_owned(),
            );
        }
        if parts
            .windows(2)
            .any(|pair| matches!(pair, [Part::Value(_), Part::Value(_)]))
        {
            return Err(
                "two of its values stand side by side, so that nobody can tell where one ends"
                    .to_owned(),
            );
        }
        Ok(Self {
            parts,
            stamp,
            dates: Dates::default(),
        })
    }

    /// What a line tells, or why it tells nothing.
    pub(crate) fn read<'a>(&mut self, line: &'a [u8]) -> Result<Record<'a>, &'static str> {
        let mut record = Record {
            stamp: self.stamp,
            ..Record::default()
        };
        let mut rest = line;
        let mut fine = false;
        for (place, part) in self.parts.iter().enumerate() {
            match part {
                Part::Text(text) => {
                    rest = rest
                        .strip_prefix(text.as_slice())
                        .ok_or("it does not follow the format")?;
                }
                Part::Value(field) => {
                    let end = match self.parts.get(place + 1) {
                        Some(Part::Text(text)) => {
                            find(rest, text).ok_or("it ends before the format does")?
                        }
                        _ => rest.len(),
                    };
                    let value = &rest[..end];
                    // At the end of a line nothing says where a value ends: one that is not used is a word.
                    if place + 1 == self.parts.len()
                        && *field == Field::Skip
                        && memchr(b' ', value).is_some()
                    {
                        return Err("it is longer than the format");
                    }
                    rest = &rest[end..];
                    take(*field, value, &mut record, &mut self.dates, &mut fine)?;
                }
            }
        }
        if rest.is_empty() {
            Ok(record)
        } else {
            Err("it is longer than the format")
        }
    }
}

/// Where `text` begins; a quotation mark behind a backslash is none.
fn find(rest: &[u8], text: &[u8]) -> Option<usize> {
    if let [byte] = text {
        if *byte != b'"' {
            return memchr(*byte, rest);
        }
    } else if text[0] != b'"' {
        return memmem::find(rest, text);
    }
    let mut from = 0;
    loop {
        let at = from + memchr(b'"', &rest[from..])?;
        let slashes = rest[..at]
            .iter()
            .rev()
            .take_while(|byte| **byte == b'\\')
            .count();
        if slashes % 2 == 0 && rest[at..].starts_with(text) {
            return Some(at);
        }
        from = at + 1;
    }
}

fn take<'a>(
    field: Field,
    value: &'a [u8],
    record: &mut Record<'a>,
    dates: &mut Dates,
    fine: &mut bool,
) -> Result<(), &'static str> {
    let missing = value.is_empty() || value == b"-";
    match field {
        // The finest of several stamps is used.
        Field::Date | Field::Iso | Field::Epoch if *fine => {}
        Field::Date | Field::Iso | Field::Epoch => {
            let found = match field {
                Field::Date => dates.common(value),
                Field::Iso => dates.iso(value),
                _ => epoch(value),
            };
            let (at, coarse) = found.ok_or("its time is none")?;
            *fine = !coarse;
            (record.at_ns, record.whole_second) = (Some(at), coarse);
        }
        Field::Request => (record.method, record.path) = request(value),
        Field::Method => record.method = value,
        Field::Path => record.path = value,
        Field::Status => record.status = Some(status(value).ok_or("its status is none")?),
        Field::Duration(unit) if !missing => {
            // Whoever counts less than seconds counts whole ones.
            let whole = unit == SECONDS || memchr(b'.', value).is_none();
            let time = how_long(value, unit).filter(|_| whole);
            let time = time.ok_or("its duration is none")?;
            // Of several the finest: it has more digits, and never more nanoseconds than a unit.
            if record.duration_ns.is_none() || unit < SECONDS || memchr(b'.', value).is_some() {
                record.duration_ns = Some(time);
            }
        }
        Field::UpstreamTimes if !missing => upstream_times(value, record)?,
        Field::UpstreamAddresses if !missing => {
            let (count, last) = tries(value);
            record.tries = record.tries.max(count);
            record.server = last;
        }
        Field::UpstreamAddresses => record.local = true,
        Field::Connection => {
            if !matches!(value, b"+" | b"-" | b"X") {
                return Err("its state of the connection is none");
            }
            record.left |= value == b"X";
        }
        Field::Skip | Field::Duration(_) | Field::UpstreamTimes => {}
    }
    Ok(())
}

pub(crate) fn status(value: &[u8]) -> Option<u16> {
    match value {
        b"-" | b"" | b"-1" => Some(0),
        _ => u16::try_from(whole(value)?).ok(),
    }
}

/// Method and path of a request's first line; what is no HTTP has neither.
pub(crate) fn request(value: &[u8]) -> (&[u8], &[u8]) {
    let Some(at) = memchr(b' ', value) else {
        return (b"", b"");
    };
    let (method, rest) = (&value[..at], &value[at + 1..]);
    let end = memchr(b' ', rest).unwrap_or(rest.len());
    (method, &rest[..end])
}

/// How many tries a list tells of, and the last. Between tries stands `, `, between groups of them ` : `.
fn tries(value: &[u8]) -> (u32, &[u8]) {
    let (mut count, mut last) = (1, 0);
    for at in memchr::memchr_iter(b' ', value) {
        if value[..at].ends_with(b",") || value[..at].ends_with(b":") {
            count += 1;
            last = at + 1;
        }
    }
    (count, &value[last..])
}

fn upstream_times(value: &[u8], record: &mut Record<'_>) -> Result<(), &'static str> {
    // One try is what nearly all lines have.
    if let Some(time) = how_long(value, SECONDS) {
        record.tries = record.tries.max(1);
        (record.upstream_ns, record.service_ns) = (Some(time), Some(time));
        return Ok(());
    }
    let (mut sum, mut last, mut count) = (0_u64, None, 0);
    for word in value
        .split(|byte| matches!(byte, b' ' | b','))
        .filter(|word| !word.is_empty() && *word != b":")
    {
        count += 1;
        last = if word == b"-" {
            None
        } else {
            Some(how_long(word, SECONDS).ok_or("its time at servers is none")?)
        };
        sum = sum.saturating_add(last.unwrap_or(0));
    }
    record.tries = record.tries.max(count);
    record.upstream_ns = Some(sum);
    record.service_ns = last;
    Ok(())
}
