//! Metrics: figures over a window of time, for alerts, expectations, files and plots.
//!
//! One table says what each is called, what it means and how it follows from the counters of a
//! window; alerts, timelines and the window on screen therefore show the same number.

mod summary_paths;

pub use summary_paths::{Averaging, Better, SUMMARY_PATHS, SummaryPath, in_short};

use crate::ids::{ClassId, ServerId, ServiceId};
use crate::outcome::Outcome;
use std::fmt;

/// Every metric.
pub static METRICS: &[MetricDef] = &[
    MetricDef {
        name: "offered_hz",
        about: "requests arriving per second",
        unit: Unit::Hertz,
        taken_of: TakenOf::Requests,
        level: false,
        of: |w| w.rate(w.arrived),
    },
    MetricDef {
        name: "goodput_hz",
        about: "requests answered in time per second",
        unit: Unit::Hertz,
        taken_of: TakenOf::Anything,
        level: false,
        of: |w| w.rate(w.outcomes[Outcome::Succeeded as usize]),
    },
    MetricDef {
        name: "goodput",
        about: "requests answered in time as a share of those that ended",
        unit: Unit::Ratio,
        taken_of: TakenOf::Anything,
        level: false,
        of: |w| ratio(w.outcomes[Outcome::Succeeded as usize], w.ended()),
    },
    MetricDef {
        name: "failed",
        about: "failed requests as a share of those that ended",
        unit: Unit::Ratio,
        taken_of: TakenOf::Anything,
        level: false,
        of: |w| {
            ratio(
                w.ended() - w.outcomes[Outcome::Succeeded as usize],
                w.ended(),
            )
        },
    },
    MetricDef {
        name: "failed_hz",
        about: "failed requests per second",
        unit: Unit::Hertz,
        taken_of: TakenOf::Anything,
        level: false,
        of: |w| w.rate(w.ended() - w.outcomes[Outcome::Succeeded as usize]),
    },
    MetricDef {
        name: "attempts_hz",
        about: "attempts per second",
        unit: Unit::Hertz,
        taken_of: TakenOf::Anything,
        level: false,
        of: |w| w.rate(w.attempts),
    },
    MetricDef {
        name: "amplification",
        about: "attempts per arriving request",
        unit: Unit::Count,
        taken_of: TakenOf::Requests,
        level: false,
        of: |w| ratio(w.attempts, w.arrived),
    },
    MetricDef {
        name: "share",
        about: "share of the service's attempts that went to the server",
        unit: Unit::Ratio,
        taken_of: TakenOf::OneServer,
        level: false,
        of: |w| ratio(w.attempts, w.attempts_of_service),
    },
    MetricDef {
        name: "p50",
        about: "median response time of answered requests",
        unit: Unit::Time,
        taken_of: TakenOf::Requests,
        level: false,
        of: |w| w.quantile_ns(0.5),
    },
    MetricDef {
        name: "p90",
        about: "90th percentile of the response time of answered requests",
        unit: Unit::Time,
        taken_of: TakenOf::Requests,
        level: false,
        of: |w| w.quantile_ns(0.9),
    },
    MetricDef {
        name: "p95",
        about: "95th percentile of the response time of answered requests",
        unit: Unit::Time,
        taken_of: TakenOf::Requests,
        level: false,
        of: |w| w.quantile_ns(0.95),
    },
    MetricDef {
        name: "p99",
        about: "99th percentile of the response time of answered requests",
        unit: Unit::Time,
        taken_of: TakenOf::Requests,
        level: false,
        of: |w| w.quantile_ns(0.99),
    },
    MetricDef {
        name: "in_flight",
        about: "requests in flight at the end of the window",
        unit: Unit::Count,
        taken_of: TakenOf::Anything,
        level: true,
        of: |w| Some(w.in_flight as f64),
    },
    MetricDef {
        name: "queue_len",
        about: "requests waiting at servers at the end of the window",
        unit: Unit::Count,
        taken_of: TakenOf::Machines,
        level: true,
        of: |w| Some(w.queue_len as f64),
    },
    MetricDef {
        name: "utilisation",
        about: "busy share of the workers",
        unit: Unit::Ratio,
        taken_of: TakenOf::Machines,
        level: false,
        of: |w| (w.workers > 0.0).then(|| w.busy / w.workers),
    },
    MetricDef {
        name: "up",
        about: "servers that are up at the end of the window",
        unit: Unit::Count,
        taken_of: TakenOf::Machines,
        level: true,
        of: |w| Some(w.up as f64),
    },
];

/// A row of [`METRICS`].
pub struct MetricDef {
    /// The word written in a condition.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// How its values are written.
    pub unit: Unit,
    /// What it can be taken of.
    pub taken_of: TakenOf,
    /// Whether it is what there is at the end of a window, however long that is.
    pub level: bool,
    /// Its value over a window; `None` where the window holds nothing to take it from.
    pub of: fn(&Window<'_>) -> Option<f64>,
}

impl MetricDef {
    /// The metric called `name`.
    pub fn find(name: &str) -> Option<&'static Self> {
        METRICS.iter().find(|m| m.name == name)
    }

    /// Whether it can be taken of `scope`.
    pub fn applies_to(&self, scope: Scope) -> bool {
        match self.taken_of {
            TakenOf::Anything => true,
            TakenOf::Requests => !matches!(scope, Scope::Server(_)),
            TakenOf::Machines => !matches!(scope, Scope::Class(_)),
            TakenOf::OneServer => matches!(scope, Scope::Server(_)),
        }
    }
}

impl PartialEq for MetricDef {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl fmt::Debug for MetricDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// How a metric's values are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Nanoseconds, written as a span.
    Time,
    /// A share of one, also written in per cent.
    Ratio,
    /// Per second.
    Hertz,
    /// A number of things.
    Count,
}

/// What a metric can be taken of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TakenOf {
    /// Whatever there is.
    Anything,
    /// Requests: of the site, a class or a service. Arrivals and response times belong to them and not
    /// to servers.
    Requests,
    /// Servers, one or all of a service or of the site: requests of a class have none of their own.
    Machines,
    /// One server, compared with the others of its service.
    OneServer,
}

/// What a metric is taken of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Scope {
    /// Requests from outside, and all servers.
    Site,
    /// Requests from outside of one class.
    Class(ClassId),
    /// Requests to one service, from outside or from other services.
    Service(ServiceId),
    /// Attempts at one server.
    Server(ServerId),
}

/// Counters over a window of time.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    /// Length of the window in seconds.
    pub span_s: f64,
    /// Requests that arrived.
    pub arrived: u64,
    /// Requests that ended (for a server: attempts), by outcome.
    pub outcomes: [u64; Outcome::COUNT],
    /// Attempts begun.
    pub attempts: u64,
    /// For a server: attempts of its whole service.
    pub attempts_of_service: u64,
    /// In flight at the end of the window.
    pub in_flight: u64,
    /// Waiting at servers at the end of the window.
    pub queue_len: u64,
    /// Busy workers, averaged over the window.
    pub busy: f64,
    /// Workers there are.
    pub workers: f64,
    /// Servers up at the end of the window.
    pub up: u64,
    /// Response times of answered requests; empty for a server.
    pub response_time: &'a [u32],
}

impl Window<'_> {
    /// Requests that ended, whatever their outcome.
    pub fn ended(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    /// Requests that ended so, per second.
    pub fn outcome_hz(&self, outcome: Outcome) -> Option<f64> {
        self.rate(self.outcomes[outcome as usize])
    }

    fn rate(&self, count: u64) -> Option<f64> {
        (self.span_s > 0.0).then(|| count as f64 / self.span_s)
    }

    fn quantile_ns(&self, q: f64) -> Option<f64> {
        crate::histogram::coarse_quantile_ns(self.response_time, q)
    }
}

/// How fast an error budget is spent over a window: 1 spends exactly what the objective allows.
/// `objective` is the share of requests that must be good (Beyer and others, "The Site Reliability
/// Workbook", 2018, chapter 5). `None` where no request ended.
pub fn burn_rate(good: u64, total: u64, objective: f64) -> Option<f64> {
    ratio(total - good.min(total), total).map(|bad| bad / (1.0 - objective))
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// A comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
    /// `!=`
    Unequal,
}

impl Comparison {
    /// Whether `left` compares so to `right`.
    #[allow(clippy::float_cmp, reason = "`==` in a scenario compares counts")]
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Below => left < right,
            Self::AtMost => left <= right,
            Self::Above => left > right,
            Self::AtLeast => left >= right,
            Self::Equal => left == right,
            Self::Unequal => left != right,
        }
    }
}

/// A threshold on a metric: `p99 > 2s`, `share(web-1) > 70%`.
#[derive(Clone, PartialEq, Debug)]
pub struct Condition {
    /// Which metric.
    pub metric: &'static MetricDef,
    /// Of what.
    pub scope: Scope,
    /// How it compares.
    pub comparison: Comparison,
    /// With what, in the unit the metric is kept in (nanoseconds for times).
    pub threshold: f64,
}
