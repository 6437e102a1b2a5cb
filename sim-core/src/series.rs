//! Series that a Prometheus would scrape of a system: for rules that are written for one.
//!
//! A table says what each is called, what it counts and of what there is one; what is scraped, which selectors match
//! something, the reference page and `stampede list series` follow from it. Names and labels are those that clients of
//! Prometheus use where there is a usage; a rule for other names begins with `record` rules that make them of these.

use crate::outcome::Outcome;

/// The series of a name.
// Inlined where its result is used, it takes LLVM 22 minutes to link the program.
#[inline(never)]
pub(crate) fn named(name: &str) -> Option<&'static SeriesDef> {
    SERIES.iter().find(|def| def.name == name)
}

/// Every series.
pub static SERIES: &[SeriesDef] = &[
    SeriesDef {
        name: "up",
        about: "1 where the machine could be scraped, 0 where not; one that is not there (absent) has none",
        kind: Kind::Gauge,
        of: Of::Up,
    },
    SeriesDef {
        name: "http_requests_total",
        about: "requests that ended, however they did",
        kind: Kind::Counter,
        of: Of::Ends,
    },
    SeriesDef {
        name: "http_requests_started_total",
        about: "requests that came",
        kind: Kind::Counter,
        of: Of::Requests(|r| r.arrived as f64),
    },
    SeriesDef {
        name: "http_attempts_total",
        about: "attempts made for requests: more than these where callers try again",
        kind: Kind::Counter,
        of: Of::Requests(|r| r.attempts as f64),
    },
    SeriesDef {
        name: "http_requests_in_flight",
        about: "requests that have not ended",
        kind: Kind::Gauge,
        of: Of::Requests(|r| r.in_flight as f64),
    },
    SeriesDef {
        name: "http_request_duration_seconds_bucket",
        about: "requests that ended within `le` seconds, however they did",
        kind: Kind::Counter,
        of: Of::Durations(Part::Bucket),
    },
    SeriesDef {
        name: "http_request_duration_seconds_count",
        about: "the same, of any length",
        kind: Kind::Counter,
        of: Of::Durations(Part::Count),
    },
    SeriesDef {
        name: "http_request_duration_seconds_sum",
        about: "seconds that they took together",
        kind: Kind::Counter,
        of: Of::Durations(Part::Sum),
    },
    SeriesDef {
        name: "server_requests_total",
        about: "attempts that were sent to the server",
        kind: Kind::Counter,
        of: Of::Server(|s| s.attempts as f64),
    },
    SeriesDef {
        name: "server_answers_total",
        about: "attempts that the server answered as it should",
        kind: Kind::Counter,
        of: Of::Server(|s| s.succeeded as f64),
    },
    SeriesDef {
        name: "server_errors_total",
        about: "attempts that failed at the server",
        kind: Kind::Counter,
        of: Of::Server(|s| s.failed as f64),
    },
    SeriesDef {
        name: "server_in_flight",
        about: "attempts at the server, waiting or in service",
        kind: Kind::Gauge,
        of: Of::Server(|s| s.in_system as f64),
    },
    SeriesDef {
        name: "server_queue_length",
        about: "attempts that wait there for a worker",
        kind: Kind::Gauge,
        of: Of::Server(|s| s.queue_len as f64),
    },
    SeriesDef {
        name: "server_workers_busy",
        about: "workers that are busy",
        kind: Kind::Gauge,
        of: Of::Server(|s| s.busy as f64),
    },
    SeriesDef {
        name: "server_workers",
        about: "workers",
        kind: Kind::Gauge,
        of: Of::Server(|s| s.workers as f64),
    },
    SeriesDef {
        name: "server_busy_seconds_total",
        about: "seconds that workers were busy, all together",
        kind: Kind::Counter,
        of: Of::Server(|s| s.busy_s),
    },
    SeriesDef {
        name: "server_connections",
        about: "connections that are kept to the server",
        kind: Kind::Gauge,
        of: Of::Server(|s| s.connections as f64),
    },
    SeriesDef {
        name: "server_crashes_total",
        about: "crashes, as whoever starts it again counts them: it is scraped while the server is down, too",
        kind: Kind::Counter,
        of: Of::ServerCrashes,
    },
    SeriesDef {
        name: "balancer_requests_total",
        about: "attempts that reached the balancer instance",
        kind: Kind::Counter,
        of: Of::Balancer(|b| b.attempts as f64),
    },
    SeriesDef {
        name: "balancer_connections",
        about: "connections that callers keep to it, and attempts that came without one",
        kind: Kind::Gauge,
        of: Of::Balancer(|b| b.connections as f64),
    },
    SeriesDef {
        name: "balancer_queue_length",
        about: "attempts that wait for itself or for an eligible server",
        kind: Kind::Gauge,
        of: Of::Balancer(|b| b.waiting as f64),
    },
    SeriesDef {
        name: "balancer_eligible_servers",
        about: "servers that it may pick",
        kind: Kind::Gauge,
        of: Of::Balancer(|b| b.eligible as f64),
    },
    SeriesDef {
        name: "balancer_crashes_total",
        about: "crashes, scraped while it is down, too",
        kind: Kind::Counter,
        of: Of::BalancerCrashes,
    },
];

/// A row of [`SERIES`].
pub struct SeriesDef {
    /// The metric's name.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// How it moves.
    pub kind: Kind,
    /// Of what there is one, and its value.
    pub of: Of,
}

/// How a series moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Only upwards.
    Counter,
    /// As it stands.
    Gauge,
}

/// Of what there is a series, and its value.
#[derive(Clone, Copy)]
pub enum Of {
    /// Each server and each balancer instance: whether it was scraped.
    Up,
    /// Each service, class and side, by how they ended.
    Ends,
    /// Each service, class and side.
    Requests(fn(&RequestCounts) -> f64),
    /// Each service, class, side and code.
    Durations(Part),
    /// Each server, while it is up.
    Server(fn(&ServerCounts) -> f64),
    /// Each server.
    ServerCrashes,
    /// Each balancer instance, while it is up.
    Balancer(fn(&BalancerCounts) -> f64),
    /// Each balancer instance.
    BalancerCrashes,
}

/// A part of a histogram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// How many are at most so long, for each of [`LE`].
    Bucket,
    /// How many.
    Count,
    /// How long all together.
    Sum,
}

impl Of {
    /// The labels that its series have.
    pub fn labels(self) -> &'static [&'static str] {
        match self {
            Self::Up
            | Self::Server(_)
            | Self::ServerCrashes
            | Self::Balancer(_)
            | Self::BalancerCrashes => &["job", "service", "instance"],
            Self::Requests(_) => &["job", "service", "class", "from"],
            Self::Ends => &["job", "service", "class", "from", "code", "outcome"],
            Self::Durations(Part::Bucket) => &["job", "service", "class", "from", "code", "le"],
            Self::Durations(_) => &["job", "service", "class", "from", "code"],
        }
    }
}

/// What every label says.
pub static LABELS: &[(&str, &str)] = &[
    ("job", "`requests`, `server` or `balancer`: who is scraped"),
    ("service", "the service"),
    ("instance", "the server or the balancer instance"),
    ("class", "the class of the requests"),
    ("from", "`outside`, or `inside` for what other services ask"),
    ("code", "the status that a caller writes down, see below"),
    (
        "outcome",
        "how the request ended (`stampede list outcomes`)",
    ),
    ("le", "the bucket's upper bound, in seconds"),
];

/// Requests of a service and a class.
#[derive(Clone, Copy, Default, Debug)]
pub struct RequestCounts {
    /// That came.
    pub arrived: u64,
    /// Attempts made for them.
    pub attempts: u64,
    /// That have not ended.
    pub in_flight: u64,
}

/// A server that is up.
#[derive(Clone, Copy, Default, Debug)]
pub struct ServerCounts {
    /// Attempts sent to it.
    pub attempts: u64,
    /// Answered as it should.
    pub succeeded: u64,
    /// Failed there.
    pub failed: u64,
    /// At it.
    pub in_system: u32,
    /// Waiting there.
    pub queue_len: u32,
    /// Busy workers.
    pub busy: u32,
    /// Workers.
    pub workers: u32,
    /// Time of busy workers, in seconds.
    pub busy_s: f64,
    /// Connections kept to it.
    pub connections: u32,
}

/// A balancer instance that is up.
#[derive(Clone, Copy, Default, Debug)]
pub struct BalancerCounts {
    /// Attempts that reached it.
    pub attempts: u64,
    /// Connections to it.
    pub connections: u32,
    /// Attempts waiting.
    pub waiting: u32,
    /// Servers it may pick.
    pub eligible: u32,
}

/// Status codes that ends are told by, ascending.
pub const CODES: [&str; 6] = ["200", "499", "500", "502", "503", "504"];

/// The status that a log at the caller's side has for an end, by its place in [`CODES`].
pub fn code_of(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Succeeded => 0,
        Outcome::Cancelled => 1,
        Outcome::Errored => 2,
        Outcome::Refused | Outcome::Reset => 3,
        Outcome::Rejected | Outcome::Shed | Outcome::Unavailable | Outcome::Abandoned => 4,
        Outcome::TimedOut | Outcome::ConnectTimedOut => 5,
    }
}

/// Upper bounds of buckets, as they are written and in nanoseconds: the default ones of clients of Prometheus, and
/// two for incidents. The last bucket, `+Inf`, holds everything.
pub const LE: [(&str, u64); 14] = [
    ("0.005", 5_000_000),
    ("0.01", 10_000_000),
    ("0.025", 25_000_000),
    ("0.05", 50_000_000),
    ("0.1", 100_000_000),
    ("0.25", 250_000_000),
    ("0.5", 500_000_000),
    ("1", 1_000_000_000),
    ("2.5", 2_500_000_000),
    ("5", 5_000_000_000),
    ("10", 10_000_000_000),
    ("30", 30_000_000_000),
    ("60", 60_000_000_000),
    ("+Inf", u64::MAX),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_table_is_well_formed() {
        let names: BTreeSet<&str> = SERIES.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), SERIES.len(), "no name twice");
        for row in SERIES {
            // What Prometheus asks of names.
            assert_eq!(
                row.name.ends_with("_total"),
                row.kind == Kind::Counter && !row.name.contains("_duration_"),
                "{}",
                row.name
            );
            for label in row.of.labels() {
                assert!(LABELS.iter().any(|(name, _)| name == label), "{label}");
            }
        }
        assert!(LE.is_sorted_by_key(|(_, ns)| *ns) && CODES.is_sorted());
        for (written, ns) in &LE[..LE.len() - 1] {
            let seconds: f64 = written.parse().expect("a number");
            assert_eq!((seconds * 1e9).round() as u64, *ns, "{written}");
        }
    }

    #[test]
    fn every_code_is_of_some_outcome() {
        let met: BTreeSet<usize> = Outcome::ALL.into_iter().map(code_of).collect();
        assert_eq!(met.len(), CODES.len());
    }
}
