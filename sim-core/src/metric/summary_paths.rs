//! Figures of the summary that an expectation may name.

use super::Unit;

/// A figure of the summary.
#[derive(PartialEq, Debug)]
pub struct SummaryPath {
    /// Its dotted path; a word in capitals stands for a name.
    pub path: &'static str,
    /// How its values are written. Times are kept in seconds in the summary and compared as spans.
    pub unit: Unit,
    /// Whether more of it is good.
    pub better: Better,
    /// How the figures of several runs become one.
    pub averaging: Averaging,
    /// Whether it is decided by the traffic alone, so that it has a mean even where queues grow for
    /// ever.
    pub given: bool,
    /// What it is.
    pub about: &'static str,
}

/// Whether more of a figure is good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Better {
    /// Less is better: response times, failures.
    Lower,
    /// More is better: goodput, availability.
    Higher,
    /// Neither: how many came, how busy a server is.
    Neither,
}

/// How the figures of several runs, or of parts of a run, become one. Paths are those of other
/// figures of the summary; a word in capitals is the name that stands there in the figure's own path.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Averaging {
    /// The mean over runs.
    Runs,
    /// A mean over time: within one run, figures of its parts add up by their length.
    Time,
    /// A mean over a random number of things, found at this path: a ratio of two means.
    Over(&'static str),
    /// As before, over the requests at this path that ended; moreover a probability, which must rest
    /// on enough events of either kind.
    Share(&'static str),
    /// As before, over the requests that an objective counts.
    Attained,
    /// A quantile.
    Quantile {
        /// Which.
        p: f64,
        /// Path of the number of values that it is taken of.
        count: &'static str,
    },
}

const fn row(
    path: &'static str,
    unit: Unit,
    better: Better,
    averaging: Averaging,
    about: &'static str,
) -> SummaryPath {
    SummaryPath {
        path,
        unit,
        better,
        averaging,
        given: false,
        about,
    }
}

/// A figure that the traffic decides alone.
const fn given(
    path: &'static str,
    unit: Unit,
    averaging: Averaging,
    about: &'static str,
) -> SummaryPath {
    SummaryPath {
        given: true,
        ..row(path, unit, Better::Neither, averaging, about)
    }
}

/// Every figure an expectation may name.
pub static SUMMARY_PATHS: &[SummaryPath] = &[
    row(
        "availability",
        Unit::Ratio,
        Better::Higher,
        Averaging::Share("requests"),
        "requests answered in time as a share of those that ended",
    ),
    row(
        "goodput_hz",
        Unit::Hertz,
        Better::Higher,
        Averaging::Time,
        "requests answered in time per second",
    ),
    given(
        "offered_hz",
        Unit::Hertz,
        Averaging::Time,
        "requests arriving per second",
    ),
    given(
        "offered_load",
        Unit::Count,
        Averaging::Runs,
        "arrival rate times mean demand, divided by capacity",
    ),
    given(
        "requests.arrived",
        Unit::Count,
        Averaging::Runs,
        "requests that arrived",
    ),
    row(
        "requests.succeeded",
        Unit::Count,
        Better::Higher,
        Averaging::Runs,
        "requests answered in time",
    ),
    row(
        "requests.failed",
        Unit::Count,
        Better::Lower,
        Averaging::Runs,
        "requests that ended otherwise",
    ),
    row(
        "requests.in_flight",
        Unit::Count,
        Better::Lower,
        Averaging::Runs,
        "requests in flight at the end",
    ),
    row(
        "requests.outcomes.OUTCOME",
        Unit::Count,
        Better::Lower,
        Averaging::Runs,
        "requests that ended so",
    ),
    row(
        "attempts.total",
        Unit::Count,
        Better::Neither,
        Averaging::Runs,
        "attempts begun",
    ),
    row(
        "attempts.per_request",
        Unit::Count,
        Better::Lower,
        Averaging::Over("requests.arrived"),
        "attempts per request",
    ),
    row(
        "attempts.outcomes.OUTCOME",
        Unit::Count,
        Better::Lower,
        Averaging::Runs,
        "attempts that ended so",
    ),
    row(
        "response_time_s.mean",
        Unit::Time,
        Better::Lower,
        Averaging::Over("response_time_s.count"),
        "mean response time of answered requests",
    ),
    row(
        "response_time_s.p50",
        Unit::Time,
        Better::Lower,
        Averaging::Quantile {
            p: 0.5,
            count: "response_time_s.count",
        },
        "median response time of answered requests",
    ),
    row(
        "response_time_s.p90",
        Unit::Time,
        Better::Lower,
        Averaging::Quantile {
            p: 0.9,
            count: "response_time_s.count",
        },
        "90th percentile of the response time",
    ),
    row(
        "response_time_s.p95",
        Unit::Time,
        Better::Lower,
        Averaging::Quantile {
            p: 0.95,
            count: "response_time_s.count",
        },
        "95th percentile of the response time",
    ),
    row(
        "response_time_s.p99",
        Unit::Time,
        Better::Lower,
        Averaging::Quantile {
            p: 0.99,
            count: "response_time_s.count",
        },
        "99th percentile of the response time",
    ),
    row(
        "response_time_s.p999",
        Unit::Time,
        Better::Lower,
        Averaging::Quantile {
            p: 0.999,
            count: "response_time_s.count",
        },
        "99.9th percentile of the response time",
    ),
    row(
        "response_time_s.max",
        Unit::Time,
        Better::Lower,
        Averaging::Runs,
        "longest response time",
    ),
    row(
        "wait_s.mean",
        Unit::Time,
        Better::Lower,
        Averaging::Over("wait_s.count"),
        "mean wait at servers of those that got a worker",
    ),
    row(
        "wait_s.p50",
        Unit::Time,
        Better::Lower,
        Averaging::Quantile {
            p: 0.5,
            count: "wait_s.count",
        },
        "median wait",
    ),
    row(
        "wait_s.p90",
        Unit::Time,
        Better::Lower,
        Averaging::Quantile {
            p: 0.9,
            count: "wait_s.count",
        },
        "90th percentile of the wait",
    ),
    row(
        "wait_s.p95",
        Unit::Time,
        Better::Lower,
        Averaging::Quantile {
            p: 0.95,
            count: "wait_s.count",
        },
        "95th percentile of the wait",
    ),
    row(
        "wait_s.p99",
        Unit::Time,
        Better::Lower,
        Averaging::Quantile {
            p: 0.99,
            count: "wait_s.count",
        },
        "99th percentile of the wait",
    ),
    row(
        "wait_s.p999",
        Unit::Time,
        Better::Lower,
        Averaging::Quantile {
            p: 0.999,
            count: "wait_s.count",
        },
        "99.9th percentile of the wait",
    ),
    row(
        "wait_s.max",
        Unit::Time,
        Better::Lower,
        Averaging::Runs,
        "longest wait",
    ),
    row(
        "wait_all_s.mean",
        Unit::Time,
        Better::Lower,
        Averaging::Over("wait_all_s.count"),
        "mean wait at servers of all, those included that left the queue without a worker",
    ),
    row(
        "wait_all_s.p50",
        Unit::Time,
        Better::Lower,
        Averaging::Quantile {
            p: 0.5,
            count: "wait_all_s.count",
        },
        "median wait of all",
    ),
    row(
        "wait_all_s.p90",
        Unit::Time,
        Better::Lower,
        Averaging::Quantile {
            p: 0.9,
            count: "wait_all_s.count",
        },
        "90th percentile of the wait of all",
    ),
    row(
        "wait_all_s.p95",
        Unit::Time,
        Better::Lower,
        Averaging::Quantile {
            p: 0.95,
            count: "wait_all_s.count",
        },
        "95th percentile of the wait of all",
    ),
    row(
        "wait_all_s.p99",
        Unit::Time,
        Better::Lower,
        Averaging::Quantile {
            p: 0.99,
            count: "wait_all_s.count",
        },
        "99th percentile of the wait of all",
    ),
    row(
        "wait_all_s.p999",
        Unit::Time,
        Better::Lower,
        Averaging::Quantile {
            p: 0.999,
            count: "wait_all_s.count",
        },
        "99.9th percentile of the wait of all",
    ),
    row(
        "wait_all_s.max",
        Unit::Time,
        Better::Lower,
        Averaging::Runs,
        "longest wait of all",
    ),
    row(
        "classes.CLASS.availability",
        Unit::Ratio,
        Better::Higher,
        Averaging::Share("classes.CLASS.requests"),
        "availability for the class",
    ),
    row(
        "classes.CLASS.goodput_hz",
        Unit::Hertz,
        Better::Higher,
        Averaging::Time,
        "goodput of the class",
    ),
    given(
        "classes.CLASS.requests.arrived",
        Unit::Count,
        Averaging::Runs,
        "requests of the class that arrived",
    ),
    row(
        "classes.CLASS.requests.succeeded",
        Unit::Count,
        Better::Higher,
        Averaging::Runs,
        "requests of the class answered in time",
    ),
    row(
        "classes.CLASS.requests.failed",
        Unit::Count,
        Better::Lower,
        Averaging::Runs,
        "requests of the class that ended otherwise",
    ),
    row(
        "classes.CLASS.response_time_s.mean",
        Unit::Time,
        Better::Lower,
        Averaging::Over("classes.CLASS.response_time_s.count"),
        "mean response time of the class",
    ),
    row(
        "classes.CLASS.response_time_s.p50",
        Unit::Time,
        Better::Lower,
        Averaging::Quantile {
            p: 0.5,
            count: "classes.CLASS.response_time_s.count",
        },
        "median response time of the class",
    ),
    row(
        "classes.CLASS.response_time_s.p95",
        Unit::Time,
        Better::Lower,
        Averaging::Quantile {
            p: 0.95,
            count: "classes.CLASS.response_time_s.count",
        },
        "95th percentile of the response time of the class",
    ),
    row(
        "classes.CLASS.response_time_s.p99",
        Unit::Time,
        Better::Lower,
        Averaging::Quantile {
            p: 0.99,
            count: "classes.CLASS.response_time_s.count",
        },
        "99th percentile of the response time of the class",
    ),
    row(
        "services.SERVICE.servers.SERVER.utilisation",
        Unit::Ratio,
        Better::Neither,
        Averaging::Time,
        "busy share of the server's workers",
    ),
    row(
        "services.SERVICE.servers.SERVER.mean_in_system",
        Unit::Count,
        Better::Lower,
        Averaging::Time,
        "mean number of requests at the server",
    ),
    row(
        "services.SERVICE.servers.SERVER.mean_queue_len",
        Unit::Count,
        Better::Lower,
        Averaging::Time,
        "mean number of waiting requests",
    ),
    row(
        "services.SERVICE.servers.SERVER.attempts",
        Unit::Count,
        Better::Neither,
        Averaging::Runs,
        "attempts at the server",
    ),
    row(
        "services.SERVICE.servers.SERVER.share",
        Unit::Ratio,
        Better::Neither,
        Averaging::Runs,
        "share of the service's attempts",
    ),
    row(
        "services.SERVICE.servers.SERVER.crashes",
        Unit::Count,
        Better::Lower,
        Averaging::Runs,
        "crashes of the server",
    ),
    row(
        "services.SERVICE.servers.SERVER.downtime_s",
        Unit::Time,
        Better::Lower,
        Averaging::Runs,
        "time the server was down",
    ),
    row(
        "slos.SLO.attained",
        Unit::Ratio,
        Better::Higher,
        Averaging::Attained,
        "share of good requests",
    ),
];

impl SummaryPath {
    /// The row that a path belongs to; words in capitals take any name.
    pub fn find(path: &str) -> Option<&'static Self> {
        SUMMARY_PATHS.iter().find(|row| row.fits(path))
    }

    /// Another figure's path, with the names that stand in `path` in the place of its capitals.
    pub fn beside(&self, other: &str, path: &str) -> String {
        let names: Vec<(&str, &str)> = self.path.split('.').zip(path.split('.')).collect();
        let named = |word: &str| -> String {
            let name = names.iter().find(|(capitals, _)| *capitals == word);
            name.map_or(word, |(_, name)| name).to_owned()
        };
        other.split('.').map(named).collect::<Vec<_>>().join(".")
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
