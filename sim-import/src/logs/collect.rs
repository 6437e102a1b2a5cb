//! From lines to requests in the order of their arrival, in bounded memory.
//!
//! Lines come in the order in which requests end, or in none; what matters is when they came and how many were in
//! flight then. A window of requests is kept and sorted; from its older half the sweep is fed. What comes later than
//! that is counted, and taken to have come where the sweep stands.

use super::record::{Record, Stamp};
use super::route;
use super::sweep::Sweep;
use sim_core::draws::Stream;
use std::collections::HashMap;

/// Requests in the window.
const WINDOW: usize = 1 << 18;
/// Routes that are told apart; further ones are `other`.
const ROUTES_MAX: usize = 256;
/// Servers that are told apart.
const SERVERS_MAX: usize = 256;
/// Name of all routes beyond.
pub(crate) const OTHER: &str = "other";
const SECOND: f64 = 1e9;

/// A request, small enough that many can be kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Request {
    /// When it came to the servers, in nanoseconds since 1970.
    pub at_ns: i64,
    /// How long it was with the servers, queues and all tries included.
    pub time_ns: u64,
    /// Of that at the server, as far as the log tells it apart.
    pub service_ns: u64,
    pub route: u16,
    /// 0 for nobody.
    pub server: u16,
    pub kind: Kind,
}

/// What a request is good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Answered at the first try.
    Plain,
    /// Answered after several.
    Retried,
    /// Answered with an error.
    Failed,
    /// The client left first.
    Left,
    /// Answered, but the log has no time.
    Untimed,
}

/// Sums over all lines that need no order.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Sums {
    /// Those that were for a server.
    pub requests: u64,
    /// Those that the balancer answered by itself.
    pub local: u64,
    pub whole_second: u64,
    pub timed: u64,
    pub upstream: u64,
    pub told_status: u64,
    pub told_tries: u64,
    pub retried: u64,
    pub extra_tries: u64,
    pub left: u64,
    pub failed: u64,
    pub late: u64,
    pub begin: u64,
    /// Time with clients before and after the servers had it, for those with both times.
    pub outside_s: f64,
    pub queued_s: f64,
    /// Whether some duration has a part below a millisecond.
    pub fine: bool,
}

/// Names with a number each, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    numbers: HashMap<Vec<u8>, u16>,
    pub names: Vec<String>,
}

impl Names {
    fn with_first(name: &str) -> Self {
        Self {
            numbers: HashMap::new(),
            names: vec![name.to_owned()],
        }
    }

    /// The number of a name; 0, which stands for all others, when there are too many.
    fn number(&mut self, name: &[u8], most: usize) -> u16 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        if self.names.len() >= most {
            return 0;
        }
        let number = self.names.len() as u16;
        self.numbers.insert(name.to_vec(), number);
        self.names.push(String::from_utf8_lossy(name).into_owned());
        number
    }
}

/// Takes records in any order.
#[derive(Debug)]
pub struct Collector {
    pub(crate) routes: Names,
    pub(crate) servers: Names,
    pub(crate) sums: Sums,
    pub(crate) sweep: Sweep,
    window: Vec<Request>,
    fold: Vec<u8>,
    spread: Stream,
}

impl Default for Collector {
    fn default() -> Self {
        Self {
            routes: Names::with_first(OTHER),
            servers: Names::with_first(""),
            sums: Sums::default(),
            sweep: Sweep::default(),
            window: Vec::with_capacity(WINDOW),
            fold: Vec::new(),
            spread: Stream::new(1, 0, "within the second"),
        }
    }
}

impl Collector {
    /// Takes what a line tells.
    ///
    /// # Errors
    /// Why it is of no use.
    pub(crate) fn take(&mut self, record: &Record<'_>) -> Result<(), &'static str> {
        let mut at = record.at_ns.ok_or("it has no time")?;
        let sums = &mut self.sums;
        // An error or a client that left is one of those that were for a server, whether one had it or not.
        if record.local && !record.left && record.status.is_none_or(|status| status < 500) {
            sums.local += 1;
            return Ok(());
        }
        if record.whole_second {
            // Anywhere in its second: then the requests of a second come as those of a Poisson process do.
            at += (self.spread.at(sums.requests).uniform() * SECOND) as i64;
            sums.whole_second += 1;
        }
        sums.requests += 1;
        let duration = record.duration_ns.or(record.upstream_ns);
        let time = record.upstream_ns.or(record.duration_ns);
        let span = |ns: Option<u64>| i64::try_from(ns.unwrap_or(0)).unwrap_or(i64::MAX);
        let begin = match record.stamp {
            Stamp::Begin => at,
            Stamp::End => at.saturating_sub(span(duration)),
        };
        sums.begin += u64::from(record.stamp == Stamp::Begin);
        // A body comes before a server has it; a slow reader comes after.
        let outside = span(duration).saturating_sub(span(time)).max(0);
        let begin = if record.uploads() {
            begin.saturating_add(outside)
        } else {
            begin
        };
        if record.duration_ns.is_some() && record.upstream_ns.is_some() {
            sums.outside_s += outside as f64 / SECOND;
        }
        sums.queued_s += record.queued_ns as f64 / SECOND;
        sums.timed += u64::from(time.is_some());
        sums.upstream += u64::from(record.upstream_ns.is_some());
        sums.fine |= time.is_some_and(|ns| ns % 1_000_000 != 0);
        sums.told_status += u64::from(record.status.is_some());
        sums.told_tries += u64::from(record.tries > 0);
        sums.extra_tries += u64::from(record.tries.saturating_sub(1));
        let kind = if record.left {
            sums.left += 1;
            Kind::Left
        } else if record.status.is_some_and(|status| status >= 500)
            || (record.status == Some(0)
                && record.duration_ns.is_some()
                && record.upstream_ns.is_none())
        {
            sums.failed += 1;
            Kind::Failed
        } else if time.is_none() {
            Kind::Untimed
        } else if record.tries > 1 {
            Kind::Retried
        } else {
            Kind::Plain
        };
        sums.retried += u64::from(record.tries > 1);
        route::fold(record.method, record.path, &mut self.fold);
        let route = self.routes.number(&self.fold, ROUTES_MAX);
        let server = if record.server.is_empty() {
            0
        } else {
            self.servers.number(record.server, SERVERS_MAX)
        };
        self.window.push(Request {
            at_ns: begin,
            time_ns: time.unwrap_or(0),
            service_ns: record.service_ns.or(time).unwrap_or(0),
            route,
            server,
            kind,
        });
        if self.window.len() == WINDOW {
            self.pass_on(WINDOW / 2);
        }
        Ok(())
    }

    fn pass_on(&mut self, count: usize) {
        // The window is two runs, nearly: what the sort is good at.
        self.window.sort_by_key(|request| request.at_ns);
        for request in self.window.drain(..count) {
            self.sums.late += u64::from(self.sweep.take(request));
        }
    }

    /// Ends the log.
    pub(crate) fn finish(&mut self) {
        self.pass_on(self.window.len());
        self.sweep.finish();
    }
}
