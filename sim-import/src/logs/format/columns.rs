//! What named values mean: those of JSON objects and of tables.

use super::template::{request, status};
use crate::logs::number::{Dates, LONGEST, how_long, scaled, whole};
use crate::logs::record::{Record, Stamp};

/// What a named value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// The moment.
    Time(Stamp),
    /// Seconds since the start of the test, at which the request began.
    Offset,
    /// From the first byte to the last, in nanoseconds a unit.
    Duration(u64),
    /// The time at servers.
    Upstream(u64),
    Status,
    /// A path, an address or a request's first line.
    Path,
    Method,
    Server,
    Tries,
}

const S: u64 = 1_000_000_000;
const MS: u64 = 1_000_000;
const US: u64 = 1_000;
const NS: u64 = 1;

/// Names that are used for one thing; of an object with several of one role the first here is used.
const NAMES: &[(&str, Role)] = &[
    ("start_time", Role::Time(Stamp::Begin)),
    ("request_creation_time", Role::Time(Stamp::Begin)),
    ("msec", Role::Time(Stamp::End)),
    ("time_iso8601", Role::Time(Stamp::End)),
    ("@timestamp", Role::Time(Stamp::End)),
    ("timestamp", Role::Time(Stamp::End)),
    ("time", Role::Time(Stamp::End)),
    ("ts", Role::Time(Stamp::End)),
    ("time_local", Role::Time(Stamp::End)),
    ("request_time", Role::Duration(S)),
    ("duration_s", Role::Duration(S)),
    ("duration_ms", Role::Duration(MS)),
    ("duration_us", Role::Duration(US)),
    ("duration_ns", Role::Duration(NS)),
    ("latency_ms", Role::Duration(MS)),
    ("response_time_ms", Role::Duration(MS)),
    ("duration", Role::Duration(S)),
    ("latency", Role::Duration(S)),
    ("response_time", Role::Duration(S)),
    ("upstream_response_time", Role::Upstream(S)),
    ("upstream_service_time", Role::Upstream(MS)),
    ("status", Role::Status),
    ("status_code", Role::Status),
    ("response_code", Role::Status),
    ("code", Role::Status),
    ("request_uri", Role::Path),
    ("uri", Role::Path),
    ("path", Role::Path),
    ("route", Role::Path),
    ("url", Role::Path),
    ("request", Role::Path),
    ("method", Role::Method),
    ("request_method", Role::Method),
    ("upstream_addr", Role::Server),
    ("upstream_host", Role::Server),
    ("server", Role::Server),
    ("tries", Role::Tries),
    ("upstream_request_attempt_count", Role::Tries),
];

/// Which name has which role.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Columns {
    names: Vec<(String, Role)>,
}

impl Columns {
    /// Reads `time=ts,duration=latency:ms,stamp=begin`.
    pub(crate) fn said(text: &str) -> Result<Self, String> {
        const ROLES: &str =
            "time, offset, duration, upstream, status, route, method, server, tries or stamp";
        let mut names = Vec::new();
        let mut stamp = Stamp::End;
        for pair in text
            .split(',')
            .map(str::trim)
            .filter(|pair| !pair.is_empty())
        {
            let (role, name) = pair
                .split_once('=')
                .ok_or(format!("{pair:?} is no ROLE=NAME; a role is {ROLES}"))?;
            let (name, unit) = match name.rsplit_once(':') {
                Some((name, "s")) => (name, S),
                Some((name, "ms")) => (name, MS),
                Some((name, "us")) => (name, US),
                Some((name, "ns")) => (name, NS),
                _ => (name, unit_of(name)),
            };
            let role = match (role, name) {
                ("stamp", "begin") => {
                    stamp = Stamp::Begin;
                    continue;
                }
                ("stamp", "end") => continue,
                ("stamp", _) => return Err(format!("stamp is begin or end, not {name:?}")),
                ("time", _) => Role::Time(Stamp::End),
                ("offset", _) => Role::Offset,
                ("duration", _) => Role::Duration(unit),
                ("upstream", _) => Role::Upstream(unit),
                ("status", _) => Role::Status,
                ("route", _) => Role::Path,
                ("method", _) => Role::Method,
                ("server", _) => Role::Server,
                ("tries", _) => Role::Tries,
                _ => return Err(format!("{role:?} is no role of a column: {ROLES}")),
            };
            names.push((name.to_owned(), role));
        }
        for (_, role) in &mut names {
            if let Role::Time(own) = role {
                *own = stamp;
            }
        }
        Ok(Self { names })
    }

    /// Those of a table in this program.
    pub(crate) fn of(names: &[(&str, Role)]) -> Self {
        let own = names.iter().map(|(name, role)| ((*name).to_owned(), *role));
        Self {
            names: own.collect(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Which of the names that are there have which role: those that were said, else those that are usual.
    pub(crate) fn among(&self, there: &[String]) -> Self {
        let mut names: Vec<(String, Role)> = Vec::new();
        let said = self.names.iter().map(|(name, role)| (name.as_str(), *role));
        for (name, role) in said.chain(NAMES.iter().copied()) {
            let kind = std::mem::discriminant(&role);
            let taken = names
                .iter()
                .any(|(_, own)| std::mem::discriminant(own) == kind);
            let own = there.iter().find(|own| own.eq_ignore_ascii_case(name));
            if let (false, Some(own)) = (taken, own) {
                names.push((own.clone(), role));
            }
        }
        Self { names }
    }

    /// Whether there is a moment.
    pub(crate) fn has_time(&self) -> bool {
        self.names
            .iter()
            .any(|(_, role)| matches!(role, Role::Time(_) | Role::Offset))
    }

    pub(crate) fn role(&self, name: &[u8]) -> Option<Role> {
        self.names
            .iter()
            .find(|(own, _)| own.as_bytes() == name)
            .map(|(_, role)| *role)
    }

    /// What is what, for the report.
    pub(crate) fn words(&self) -> String {
        let word = |(name, role): &(String, Role)| {
            let role = match role {
                Role::Time(Stamp::Begin) => "time (begin)",
                Role::Time(Stamp::End) => "time (end)",
                Role::Offset => "offset (begin)",
                Role::Duration(unit) => {
                    return format!("{name} = duration in {}", unit_word(*unit));
                }
                Role::Upstream(unit) => {
                    return format!("{name} = time at servers in {}", unit_word(*unit));
                }
                Role::Status => "status",
                Role::Path => "route",
                Role::Method => "method",
                Role::Server => "server",
                Role::Tries => "tries",
            };
            format!("{name} = {role}")
        };
        self.names.iter().map(word).collect::<Vec<_>>().join(", ")
    }
}

fn unit_of(name: &str) -> u64 {
    match name {
        _ if name.ends_with("_ms") => MS,
        _ if name.ends_with("_us") => US,
        _ if name.ends_with("_ns") => NS,
        _ => S,
    }
}

fn unit_word(unit: u64) -> &'static str {
    match unit {
        S => "s",
        MS => "ms",
        US => "µs",
        _ => "ns",
    }
}

/// Puts a value into a record.
pub(crate) fn take<'a>(
    role: Role,
    value: &'a [u8],
    record: &mut Record<'a>,
    dates: &mut Dates,
) -> Result<(), &'static str> {
    let missing = value.is_empty() || value == b"-" || value == b"null";
    match role {
        Role::Time(stamp) => {
            let (at, coarse) = dates.any(value).ok_or("its time is none")?;
            (record.at_ns, record.whole_second, record.stamp) = (Some(at), coarse, stamp);
        }
        Role::Offset => {
            let at = scaled(value, S).ok_or("its time is none")?;
            (record.at_ns, record.stamp) = (i64::try_from(at).ok(), Stamp::Begin);
        }
        Role::Duration(unit) if !missing => {
            record.duration_ns = Some(span(value, unit).ok_or("its duration is none")?);
        }
        Role::Upstream(unit) if !missing => {
            let last = value
                .rsplit(|byte| matches!(byte, b',' | b' '))
                .next()
                .unwrap_or(value);
            let time = span(last, unit);
            (record.upstream_ns, record.service_ns) = (time, time);
        }
        Role::Status => {
            let found = status(if missing { b"-" } else { value });
            record.status = Some(found.ok_or("its status is none")?);
        }
        Role::Path => {
            let (method, path) = request(value);
            if path.is_empty() {
                record.path = value;
            } else {
                (record.method, record.path) = (method, path);
            }
        }
        Role::Method => record.method = value,
        Role::Server if !missing => {
            record.server = value
                .rsplit(|byte| matches!(byte, b',' | b' '))
                .next()
                .unwrap_or(value);
        }
        Role::Server => record.local = true,
        Role::Tries => record.tries = whole(value).unwrap_or(0) as u32,
        Role::Duration(_) | Role::Upstream(_) => {}
    }
    Ok(())
}

/// A number of units, or a span with its own.
fn span(value: &[u8], unit: u64) -> Option<u64> {
    how_long(value, unit).or_else(|| {
        let text = std::str::from_utf8(value).ok()?;
        let span = sim_core::time::Duration::parse(text).ok()?;
        (span.0 <= LONGEST).then_some(span.0)
    })
}
