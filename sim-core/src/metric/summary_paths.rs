//! Figures of the summary that an expectation may name.

use super::Unit;

/// A figure of the summary.
#[derive(Debug)]
pub struct SummaryPath {
    /// Its dotted path; a word in capitals stands for a name.
    pub path: &'static str,
    /// How its values are written. Times are kept in seconds in the summary and compared as spans.
    pub unit: Unit,
    /// What it is.
    pub about: &'static str,
}

const fn row(path: &'static str, unit: Unit, about: &'static str) -> SummaryPath {
    SummaryPath { path, unit, about }
}

/// Every figure an expectation may name.
pub static SUMMARY_PATHS: &[SummaryPath] = &[
    row(
        "availability",
        Unit::Ratio,
        "requests answered in time as a share of those that ended",
    ),
    row(
        "goodput_hz",
        Unit::Hertz,
        "requests answered in time per second",
    ),
    row("offered_hz", Unit::Hertz, "requests arriving per second"),
    row(
        "offered_load",
        Unit::Count,
        "arrival rate times mean demand, divided by capacity",
    ),
    row("requests.arrived", Unit::Count, "requests that arrived"),
    row(
        "requests.succeeded",
        Unit::Count,
        "requests answered in time",
    ),
    row(
        "requests.failed",
        Unit::Count,
        "requests that ended otherwise",
    ),
    row(
        "requests.in_flight",
        Unit::Count,
        "requests in flight at the end",
    ),
    row(
        "requests.outcomes.OUTCOME",
        Unit::Count,
        "requests that ended so",
    ),
    row("attempts.total", Unit::Count, "attempts begun"),
    row("attempts.per_request", Unit::Count, "attempts per request"),
    row(
        "attempts.outcomes.OUTCOME",
        Unit::Count,
        "attempts that ended so",
    ),
    row(
        "response_time_s.mean",
        Unit::Time,
        "mean response time of answered requests",
    ),
    row(
        "response_time_s.p50",
        Unit::Time,
        "median response time of answered requests",
    ),
    row(
        "response_time_s.p90",
        Unit::Time,
        "90th percentile of the response time",
    ),
    row(
        "response_time_s.p95",
        Unit::Time,
        "95th percentile of the response time",
    ),
    row(
        "response_time_s.p99",
        Unit::Time,
        "99th percentile of the response time",
    ),
    row(
        "response_time_s.p999",
        Unit::Time,
        "99.9th percentile of the response time",
    ),
    row("response_time_s.max", Unit::Time, "longest response time"),
    row("wait_s.mean", Unit::Time, "mean wait at servers"),
    row("wait_s.p50", Unit::Time, "median wait"),
    row("wait_s.p90", Unit::Time, "90th percentile of the wait"),
    row("wait_s.p95", Unit::Time, "95th percentile of the wait"),
    row("wait_s.p99", Unit::Time, "99th percentile of the wait"),
    row("wait_s.p999", Unit::Time, "99.9th percentile of the wait"),
    row("wait_s.max", Unit::Time, "longest wait"),
    row(
        "classes.CLASS.availability",
        Unit::Ratio,
        "availability for the class",
    ),
    row(
        "classes.CLASS.goodput_hz",
        Unit::Hertz,
        "goodput of the class",
    ),
    row(
        "classes.CLASS.requests.arrived",
        Unit::Count,
        "requests of the class that arrived",
    ),
    row(
        "classes.CLASS.requests.succeeded",
        Unit::Count,
        "requests of the class answered in time",
    ),
    row(
        "classes.CLASS.requests.failed",
        Unit::Count,
        "requests of the class that ended otherwise",
    ),
    row(
        "classes.CLASS.response_time_s.mean",
        Unit::Time,
        "mean response time of the class",
    ),
    row(
        "classes.CLASS.response_time_s.p50",
        Unit::Time,
        "median response time of the class",
    ),
    row(
        "classes.CLASS.response_time_s.p95",
        Unit::Time,
        "95th percentile of the response time of the class",
    ),
    row(
        "classes.CLASS.response_time_s.p99",
        Unit::Time,
        "99th percentile of the response time of the class",
    ),
    row(
        "services.SERVICE.servers.SERVER.utilisation",
        Unit::Ratio,
        "busy share of the server's workers",
    ),
    row(
        "services.SERVICE.servers.SERVER.mean_in_system",
        Unit::Count,
        "mean number of requests at the server",
    ),
    row(
        "services.SERVICE.servers.SERVER.mean_queue_len",
        Unit::Count,
        "mean number of waiting requests",
    ),
    row(
        "services.SERVICE.servers.SERVER.attempts",
        Unit::Count,
        "attempts at the server",
    ),
    row(
        "services.SERVICE.servers.SERVER.share",
        Unit::Ratio,
        "share of the service's attempts",
    ),
    row(
        "services.SERVICE.servers.SERVER.crashes",
        Unit::Count,
        "crashes of the server",
    ),
    row(
        "services.SERVICE.servers.SERVER.downtime_s",
        Unit::Time,
        "time the server was down",
    ),
    row("slos.SLO.attained", Unit::Ratio, "share of good requests"),
];

impl SummaryPath {
    /// The row that a path belongs to; words in capitals take any name.
    pub fn find(path: &str) -> Option<&'static Self> {
        SUMMARY_PATHS.iter().find(|row| row.fits(path))
    }

    fn fits(&self, path: &str) -> bool {
        let (mut pattern, mut words) = (self.path.split('.'), path.split('.'));
        loop {
            match (pattern.next(), words.next()) {
                (None, None) => return true,
                (Some(p), Some(w)) if p == w || p.bytes().all(|b| b.is_ascii_uppercase()) => {}
                _ => return false,
            }
        }
    }
}

/// The path of a response time that goes by its last word: `p99`, or `mean`.
pub fn in_short(word: &str) -> Option<&'static str> {
    let paths = SUMMARY_PATHS.iter().map(|row| row.path);
    let mut times = paths.filter_map(|path| Some((path, path.strip_prefix("response_time_s.")?)));
    let (path, _) = times.find(|(_, last)| *last == word && *last != "max")?;
    Some(path)
}
