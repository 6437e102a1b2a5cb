//! Figures of the summary that an expectation may name.

use super::Unit;

/// A figure of the summary.
#[derive(Clone, Copy, PartialEq, Debug)]
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

impl SummaryPath {
    /// Whether it lies between nothing and everything. Of a budget more than all can be spent.
    pub fn is_share(&self) -> bool {
        self.unit == Unit::Ratio && !self.path.ends_with(".budget_spent")
    }
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

/// Figures of a time: of `$path`, counted at `$path.count`.
macro_rules! times {
    ($path:literal, $what:literal) => {
        &[
            row(
                concat!($path, ".count"),
                Unit::Count,
                Better::Neither,
                Averaging::Runs,
                concat!("how many values the ", $what, " is taken of"),
            ),
            row(
                concat!($path, ".mean"),
                Unit::Time,
                Better::Lower,
                Averaging::Over(concat!($path, ".count")),
                concat!("mean ", $what),
            ),
            row(
                concat!($path, ".variance"),
                Unit::Count,
                Better::Lower,
                Averaging::Runs,
                concat!("variance of the ", $what, ", in squared seconds"),
            ),
            row(
                concat!($path, ".deviation"),
                Unit::Time,
                Better::Lower,
                Averaging::Runs,
                concat!("standard deviation of the ", $what),
            ),
            quantile(
                concat!($path, ".p50"),
                0.5,
                concat!($path, ".count"),
                concat!("median ", $what),
            ),
            quantile(
                concat!($path, ".p90"),
                0.9,
                concat!($path, ".count"),
                concat!("90th percentile of the ", $what),
            ),
            quantile(
                concat!($path, ".p95"),
                0.95,
                concat!($path, ".count"),
                concat!("95th percentile of the ", $what),
            ),
            quantile(
                concat!($path, ".p99"),
                0.99,
                concat!($path, ".count"),
                concat!("99th percentile of the ", $what),
            ),
            quantile(
                concat!($path, ".p999"),
                0.999,
                concat!($path, ".count"),
                concat!("99.9th percentile of the ", $what),
            ),
            row(
                concat!($path, ".max"),
                Unit::Time,
                Better::Lower,
                Averaging::Runs,
                concat!("longest ", $what),
            ),
        ]
    };
}

const fn quantile(
    path: &'static str,
    p: f64,
    count: &'static str,
    about: &'static str,
) -> SummaryPath {
    let averaging = Averaging::Quantile { p, count };
    row(path, Unit::Time, Better::Lower, averaging, about)
}

/// Requests and how they ended.
macro_rules! requests {
    ($path:literal, $whose:literal) => {
        &[
            given(
                concat!($path, ".arrived"),
                Unit::Count,
                Averaging::Runs,
                concat!("requests", $whose, " that arrived"),
            ),
            row(
                concat!($path, ".succeeded"),
                Unit::Count,
                Better::Higher,
                Averaging::Runs,
                concat!("requests", $whose, " answered in time"),
            ),
            lower(
                concat!($path, ".failed"),
                Unit::Count,
                concat!("requests", $whose, " that ended otherwise"),
            ),
            lower(
                concat!($path, ".in_flight"),
                Unit::Count,
                concat!("requests", $whose, " in flight at the end"),
            ),
            lower(
                concat!($path, ".lost"),
                Unit::Count,
                concat!(
                    "requests",
                    $whose,
                    " that failed and, where any did, those in flight at the end"
                ),
            ),
            lower(
                concat!($path, ".outcomes.OUTCOME"),
                Unit::Count,
                concat!("requests", $whose, " that ended so"),
            ),
        ]
    };
}

/// Attempts and how they ended.
macro_rules! attempts {
    ($path:literal, $requests:literal, $whose:literal) => {
        &[
            neither(
                concat!($path, ".total"),
                Unit::Count,
                concat!("attempts", $whose, " begun"),
            ),
            row(
                concat!($path, ".per_request"),
                Unit::Count,
                Better::Lower,
                Averaging::Over($requests),
                concat!("attempts", $whose, " per request"),
            ),
            lower(
                concat!($path, ".outcomes.OUTCOME"),
                Unit::Count,
                concat!("attempts", $whose, " that ended so"),
            ),
        ]
    };
}

/// A figure of a run of which less is better.
const fn lower(path: &'static str, unit: Unit, about: &'static str) -> SummaryPath {
    row(path, unit, Better::Lower, Averaging::Runs, about)
}

/// A figure of a run that is neither good nor bad.
const fn neither(path: &'static str, unit: Unit, about: &'static str) -> SummaryPath {
    row(path, unit, Better::Neither, Averaging::Runs, about)
}

const fn waited(path: &'static str, count: &'static str) -> SummaryPath {
    row(
        path,
        Unit::Ratio,
        Better::Lower,
        Averaging::Over(count),
        "share of the attempts that got a worker and had to wait for it",
    )
}

/// Every figure, in the order of the summary.
const PARTS: &[&[SummaryPath]] = &[
    &[
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
        row(
            "throughput_hz",
            Unit::Hertz,
            Better::Neither,
            Averaging::Time,
            "attempts answered per second, those of calls between services included",
        ),
        given(
            "offered_load",
            Unit::Count,
            Averaging::Runs,
            "arrival rate times mean demand, divided by capacity; without retries",
        ),
        lower(
            "wasted_work",
            Unit::Ratio,
            "share of finished work that nobody waited for any more",
        ),
        lower(
            "peak_in_flight",
            Unit::Count,
            "most requests or attempts in flight at once",
        ),
        lower(
            "users_left",
            Unit::Count,
            "users of closed sources who did not come back after a request that failed",
        ),
        given(
            "sessions.begun",
            Unit::Count,
            Averaging::Runs,
            "sessions that began in the measured time",
        ),
        lower(
            "sessions.cut_short",
            Unit::Count,
            "sessions that ended before their last request, because one failed",
        ),
        neither(
            "sessions.under_way",
            Unit::Count,
            "sessions under way at the end",
        ),
        row(
            "sessions.mean",
            Unit::Count,
            Better::Neither,
            Averaging::Time,
            "mean number of sessions under way: visitors who wait for an answer, and those who think",
        ),
        row(
            "first_crash_s",
            Unit::Time,
            Better::Higher,
            Averaging::Runs,
            "time from the start of the run to the first crash of a server or balancer; of runs without one there is none",
        ),
        row(
            "response.time_to_detect_s",
            Unit::Time,
            Better::Lower,
            Averaging::Runs,
            "from the beginning of the first incident until somebody was told of it or, without a monitoring, until an alert fired; of runs without there is none",
        ),
        row(
            "response.time_to_acknowledge_s",
            Unit::Time,
            Better::Lower,
            Averaging::Runs,
            "from the beginning of the first incident until somebody who was told began to look; of runs without there is none",
        ),
        row(
            "response.time_to_diagnose_s",
            Unit::Time,
            Better::Lower,
            Averaging::Runs,
            "from the beginning of the first incident until somebody who was told knew the cause; of runs without there is none",
        ),
        row(
            "response.time_to_mitigate_s",
            Unit::Time,
            Better::Lower,
            Averaging::Runs,
            "from the beginning of the first incident until the site was no longer down or, where it never was, until all was normal; of runs without there is none",
        ),
        row(
            "response.time_to_recover_s",
            Unit::Time,
            Better::Lower,
            Averaging::Runs,
            "from the beginning of the first incident until all was normal; of runs without there is none",
        ),
        row(
            "response.alerts_fired",
            Unit::Count,
            Better::Neither,
            Averaging::Runs,
            "how often an alert began to fire",
        ),
        row(
            "response.pages",
            Unit::Count,
            Better::Neither,
            Averaging::Runs,
            "how often somebody was told of an alert",
        ),
        neither("events", Unit::Count, "events simulated"),
        neither("horizon_s", Unit::Time, "time simulated"),
        neither(
            "measured_from_s",
            Unit::Time,
            "end of the warm-up, from which on requests are measured",
        ),
    ],
    requests!("requests", ""),
    attempts!("attempts", "requests.arrived", ""),
    times!("response_time_s", "response time of answered requests"),
    times!("wait_s", "wait at servers of those that got a worker"),
    times!(
        "wait_all_s",
        "wait at servers of all, those included that left the queue without a worker"
    ),
    &[
        waited("waited", "wait_s.count"),
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
    ],
    requests!("classes.CLASS.requests", " of the class"),
    times!(
        "classes.CLASS.response_time_s",
        "response time of the class"
    ),
    times!(
        "classes.CLASS.wait_s",
        "wait at servers of attempts for the class"
    ),
    &[waited("classes.CLASS.waited", "classes.CLASS.wait_s.count")],
    requests!("services.SERVICE.requests", " to the service"),
    attempts!(
        "services.SERVICE.attempts",
        "services.SERVICE.requests.arrived",
        " at the service"
    ),
    times!(
        "services.SERVICE.response_time_s",
        "response time of the service, as its callers see it"
    ),
    times!("services.SERVICE.wait_s", "wait at the service's servers"),
    times!(
        "services.SERVICE.wait_all_s",
        "wait at the service's servers of all, those included that left the queue without a worker"
    ),
    &[
        waited("services.SERVICE.waited", "services.SERVICE.wait_s.count"),
        given(
            "services.SERVICE.offered_load",
            Unit::Count,
            Averaging::Runs,
            "arrival rate times mean demand, divided by capacity of the service; without retries, of callers above as well",
        ),
        lower(
            "services.SERVICE.wasted_work",
            Unit::Ratio,
            "share of the service's finished work that nobody waited for any more",
        ),
        row(
            "services.SERVICE.fairness",
            Unit::Ratio,
            Better::Higher,
            Averaging::Runs,
            "Jain's index of the servers' attempts relative to their capacity: 1 when even",
        ),
        row(
            "services.SERVICE.number.mean",
            Unit::Count,
            Better::Lower,
            Averaging::Time,
            "mean number of requests at the service's servers, where it says `numbers = true`",
        ),
        lower(
            "services.SERVICE.number.max",
            Unit::Count,
            "most requests at the service's servers at once, where it says `numbers = true`",
        ),
        row(
            "services.SERVICE.number.at.NUMBER",
            Unit::Ratio,
            Better::Neither,
            Averaging::Time,
            "share of the time with exactly so many requests at the service's servers, where it says `numbers = true`",
        ),
        row(
            "services.SERVICE.number.at_most.NUMBER",
            Unit::Ratio,
            Better::Higher,
            Averaging::Time,
            "share of the time with at most so many requests at the service's servers, where it says `numbers = true`",
        ),
        neither(
            "services.SERVICE.tries.asked",
            Unit::Count,
            "attempts that the service's balancer tried at its servers by rules of its own",
        ),
        lower(
            "services.SERVICE.tries.total",
            Unit::Count,
            "tries of the service's balancer at its servers, by rules of its own",
        ),
        row(
            "services.SERVICE.tries.per_attempt",
            Unit::Count,
            Better::Lower,
            Averaging::Over("services.SERVICE.tries.asked"),
            "tries of the service's balancer for each attempt of its callers, by rules of its own",
        ),
        lower(
            "services.SERVICE.crashes",
            Unit::Count,
            "crashes of the service's servers",
        ),
        lower(
            "services.SERVICE.downtime_s",
            Unit::Time,
            "time the service's servers were down, added up",
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
        neither(
            "services.SERVICE.servers.SERVER.attempts",
            Unit::Count,
            "attempts at the server",
        ),
        row(
            "services.SERVICE.servers.SERVER.succeeded",
            Unit::Count,
            Better::Higher,
            Averaging::Runs,
            "attempts that the server answered",
        ),
        lower(
            "services.SERVICE.servers.SERVER.failed",
            Unit::Count,
            "attempts at the server that ended otherwise, but for those that the caller called off",
        ),
        neither(
            "services.SERVICE.servers.SERVER.share",
            Unit::Ratio,
            "share of the service's attempts",
        ),
        lower(
            "services.SERVICE.servers.SERVER.crashes",
            Unit::Count,
            "crashes of the server",
        ),
        lower(
            "services.SERVICE.servers.SERVER.downtime_s",
            Unit::Time,
            "time the server was down",
        ),
        neither(
            "services.SERVICE.balancers.BALANCER.attempts",
            Unit::Count,
            "attempts that the balancer instance accepted",
        ),
        row(
            "services.SERVICE.balancers.BALANCER.utilisation",
            Unit::Ratio,
            Better::Neither,
            Averaging::Time,
            "share of time that the balancer instance spent on its own work",
        ),
        lower(
            "services.SERVICE.balancers.BALANCER.crashes",
            Unit::Count,
            "crashes of the balancer instance",
        ),
        lower(
            "services.SERVICE.balancers.BALANCER.downtime_s",
            Unit::Time,
            "time the balancer instance was down",
        ),
        neither(
            "guards.NUMBER.passed",
            Unit::Count,
            "attempts that the guard passed, by its number from 0 in the summary's list",
        ),
        lower(
            "guards.NUMBER.refused",
            Unit::Count,
            "attempts that the guard turned away",
        ),
        lower(
            "guards.NUMBER.held",
            Unit::Count,
            "attempts that the guard made wait",
        ),
        lower(
            "guards.NUMBER.dimmed",
            Unit::Count,
            "attempts that the guard passed with a part of their demand left out",
        ),
        neither(
            "connections.NUMBER.opened",
            Unit::Count,
            "connections opened, by the number of the hop from 0 in the summary's list",
        ),
        lower(
            "connections.NUMBER.broken",
            Unit::Count,
            "connections closed because something failed",
        ),
        lower(
            "connections.NUMBER.waited",
            Unit::Count,
            "requests that had to wait for a connection",
        ),
        neither(
            "connections.NUMBER.open",
            Unit::Count,
            "connections open at the end",
        ),
        neither(
            "connections.NUMBER.peak",
            Unit::Count,
            "most connections open at once",
        ),
        neither(
            "machines.MACHINE.cores",
            Unit::Count,
            "cores of the machine at the end",
        ),
        row(
            "machines.MACHINE.utilisation",
            Unit::Ratio,
            Better::Neither,
            Averaging::Time,
            "share of the time of the machine's cores that was used",
        ),
        row(
            "slos.SLO.attained",
            Unit::Ratio,
            Better::Higher,
            Averaging::Attained,
            "share of good requests",
        ),
        neither(
            "slos.SLO.objective",
            Unit::Ratio,
            "share of good requests that was wanted",
        ),
        lower(
            "slos.SLO.budget_spent",
            Unit::Ratio,
            "share of the error budget spent; above one the objective is missed",
        ),
    ],
];

const LEN: usize = {
    let (mut len, mut part) = (0, 0);
    while part < PARTS.len() {
        len += PARTS[part].len();
        part += 1;
    }
    len
};

static TABLE: [SummaryPath; LEN] = {
    let mut table = [PARTS[0][0]; LEN];
    let (mut at, mut part) = (0, 0);
    while part < PARTS.len() {
        let mut row = 0;
        while row < PARTS[part].len() {
            table[at] = PARTS[part][row];
            (at, row) = (at + 1, row + 1);
        }
        part += 1;
    }
    table
};

/// Every figure of the summary: what expectations, experiments and sweeps may name.
pub static SUMMARY_PATHS: &[SummaryPath] = &TABLE;

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
    let short = |last: &str| last == "mean" || last.starts_with('p');
    let (path, _) = times.find(|(_, last)| *last == word && short(last))?;
    Some(path)
}
