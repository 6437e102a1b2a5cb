//! The summary: every figure of a run, in one place.
//!
//! Front ends show these figures and compute none of their own. The JSON form is an interface:
//! keys are only ever added, and `schema_version` changes when one changes its meaning. The same
//! scenario, seed and replication give the same bytes; nothing here depends on wall-clock time.

mod builder;
mod by_demand;
mod expectation;
mod figure;
mod incident;
mod known;
mod response;
mod verdict;
mod warning;

pub use crate::verdict::VERDICTS;
pub use by_demand::{ByDemand, DEMAND_CLASSES_MAX, DemandClasses, DemandRow};
pub use expectation::Checked;
pub use incident::{Incident, Spell, downtime_s, spells};
pub use known::AlertNow;
pub use response::Response;
pub use verdict::verdict_rules;
pub use warning::{WARNINGS, assumed_words};

use crate::engine::{GuardFigures, PoolFigures, SessionFigures, Simulation};
use crate::histogram::Histogram;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// Version of the JSON form.
pub const SCHEMA_VERSION: u32 = 1;

/// Things with names, in the order of the scenario; a JSON object.
#[derive(Clone, PartialEq, Debug)]
pub struct Named<T>(pub Vec<(String, T)>);

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<T> Named<T> {
    /// The thing called `name`.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value)
    }
}

/// Counts by outcome, in the order of [`crate::outcome::Outcome::ALL`].
pub type Outcomes = Named<u64>;

/// Requests that arrived after the warm-up.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct Requests {
    /// How many came.
    pub arrived: u64,
    /// Answered in time.
    pub succeeded: u64,
    /// Ended otherwise.
    pub failed: u64,
    /// Not yet ended at the end of the run.
    pub in_flight: u64,
    /// Failed and, where any did, not yet ended: were these left out, one of two runs would look the worse because its
    /// requests fail sooner.
    pub lost: u64,
    /// Those that ended, by outcome.
    pub outcomes: Outcomes,
}

/// Attempts begun after the warm-up.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct Attempts {
    /// How many were begun.
    pub total: u64,
    /// Per request that arrived: the amplification.
    pub per_request: Option<f64>,
    /// Those that ended, by outcome.
    pub outcomes: Outcomes,
}

/// Mean and percentiles of a time, in seconds; absent where there is nothing to take them from.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct Times {
    /// How many values.
    pub count: u64,
    /// Exact mean.
    pub mean: Option<f64>,
    /// Variance, in squared seconds, from the histogram's buckets.
    pub variance: Option<f64>,
    /// Its root: the standard deviation.
    pub deviation: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// 99.9th percentile.
    pub p999: Option<f64>,
    /// Exact maximum.
    pub max: Option<f64>,
}

/// Figures of one class.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct ClassFigures {
    /// Its requests.
    pub requests: Requests,
    /// Response time of those answered in time.
    pub response_time_s: Times,
    /// Wait at servers of their attempts and of what was asked of other services for them.
    pub wait_s: Times,
    /// Share of those attempts that had to wait.
    pub waited: Option<f64>,
    /// Answered in time per second.
    pub goodput_hz: f64,
    /// Share answered in time of those that ended.
    pub availability: Option<f64>,
}

/// Figures of one service.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct ServiceFigures {
    /// Requests to it, from outside and from other services.
    pub requests: Requests,
    /// Attempts of those.
    pub attempts: Attempts,
    /// Response time as its callers see it.
    pub response_time_s: Times,
    /// Wait at its servers before a worker was free, of those that got one.
    pub wait_s: Times,
    /// The same of all that waited, those included that left the queue without: their patience was at
    /// an end, or their caller called them off.
    pub wait_all_s: Times,
    /// Share of the attempts that got a worker and had to wait for it.
    pub waited: Option<f64>,
    /// Arriving requests times mean demand over capacity, that of shared machines as if the service had
    /// them alone; may exceed one.
    pub offered_load: Option<f64>,
    /// Share of finished work that nobody waited for any more.
    pub wasted_work: Option<f64>,
    /// Jain's index of the servers' attempts relative to their capacity: 1 when even, 1/n when
    /// one server gets everything (Jain, Chiu and Hawe, DEC-TR-301, 1984).
    pub fairness: Option<f64>,
    /// How many requests were at its servers, where the service keeps that (`numbers = true`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<NumberFigures>,
    /// How often its servers crashed, together.
    pub crashes: u64,
    /// Time that its servers were not up, in seconds, added up.
    pub downtime_s: f64,
    /// What its balancer made of attempts by rules of its own, where it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tries: Option<TriesFigures>,
    /// Its servers.
    pub servers: Named<ServerFigures>,
    /// Its balancer instances.
    pub balancers: Named<BalancerFigures>,
}

/// What a balancer that tries its servers by rules of its own has sent to them.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize)]
pub struct TriesFigures {
    /// Attempts of callers that came so far.
    pub asked: u64,
    /// Tries for these.
    pub total: u64,
    /// Tries for each of them: the amplification by the balancer.
    pub per_attempt: Option<f64>,
}

/// The distribution of the number of requests at a service's servers, waiting or in service, over time.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct NumberFigures {
    /// Their mean number.
    pub mean: f64,
    /// Most at once.
    pub max: u64,
    /// Share of the time with exactly 0, 1, 2, … of them: up to the most there were, and not beyond
    /// [`Self::MOST`].
    pub at: Vec<f64>,
    /// Share of the time with at most 0, 1, 2, … of them.
    pub at_most: Vec<f64>,
}

impl NumberFigures {
    /// The greatest number whose share is told.
    pub const MOST: usize = 9999;

    /// From the time with each number, in nanoseconds; `None` where there is no time.
    pub fn of(spent_ns: &[u64]) -> Option<Self> {
        let whole: f64 = spent_ns.iter().map(|ns| *ns as f64).sum();
        if whole <= 0.0 {
            return None;
        }
        let at: Vec<f64> = spent_ns.iter().map(|ns| *ns as f64 / whole).collect();
        let mean = (at.iter().enumerate()).map(|(n, share)| n as f64 * share);
        let mean = mean.sum();
        let mut upto = 0;
        let at_most = spent_ns.iter().take(Self::MOST + 1).map(|ns| {
            upto += ns;
            upto as f64 / whole
        });
        Some(Self {
            mean,
            max: spent_ns.len() as u64 - 1,
            at_most: at_most.collect(),
            at: at.into_iter().take(Self::MOST + 1).collect(),
        })
    }

    /// Share of the time with so many, or at most so many: also with more than there ever were.
    fn share(&self, word: &str, number: usize) -> Option<f64> {
        match word {
            "at" => Some(self.at.get(number).copied().unwrap_or(0.0)),
            "at_most" => Some(self.at_most.get(number).copied().unwrap_or(1.0)),
            _ => None,
        }
    }
}

/// Figures of one server.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct ServerFigures {
    /// Busy share of its workers.
    pub utilisation: f64,
    /// Mean number of requests at it.
    pub mean_in_system: f64,
    /// Mean number of waiting requests.
    pub mean_queue_len: f64,
    /// Attempts sent to it.
    pub attempts: u64,
    /// Of those, answered.
    pub succeeded: u64,
    /// Of those, ended otherwise, but for those that the caller called off.
    pub failed: u64,
    /// Its share of the service's attempts that reached a server.
    pub share: Option<f64>,
    /// How often it crashed.
    pub crashes: u64,
    /// Time it was not up, in seconds.
    pub downtime_s: f64,
}

/// Figures of a machine that servers share.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct HostFigures {
    /// Its cores, as they are at the end.
    pub cores: f64,
    /// Share of the time of its cores that was used.
    pub utilisation: f64,
    /// The servers that run on it, as `service/server`.
    pub servers: Vec<String>,
}

/// Figures of one balancer instance, over the whole run.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct BalancerFigures {
    /// Attempts it accepted.
    pub attempts: u64,
    /// Share of time spent on its own work.
    pub utilisation: f64,
    /// How often it crashed.
    pub crashes: u64,
    /// Time it was not up, in seconds.
    pub downtime_s: f64,
}

/// An objective and what was attained.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct SloFigures {
    /// Share of good requests that was wanted.
    pub objective: f64,
    /// Share of good requests.
    pub attained: Option<f64>,
    /// Whether that suffices.
    pub met: Option<bool>,
    /// Share of the error budget spent; above one the objective is missed.
    pub budget_spent: Option<f64>,
}

/// A change of an alert's state.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct AlertFigures {
    /// The alert.
    pub name: String,
    /// `firing` or `resolved`.
    pub state: &'static str,
    /// When, in seconds.
    pub at_s: f64,
    /// Of one that fires, with a monitoring: since when its condition had held at each evaluation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_at_s: Option<f64>,
    /// The same: since when its condition had been true of the system, by the time line; at the latest when it
    /// was first seen to hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub true_at_s: Option<f64>,
    /// The same: when the newest value that it looked at was scraped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scraped_at_s: Option<f64>,
    /// The same: when somebody was first told of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paged_at_s: Option<f64>,
}

/// Something the reader must know to judge the figures.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct Warning {
    /// A fixed word.
    pub code: &'static str,
    /// A sentence.
    pub message: String,
}

/// An event of the event log.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct StoryFigures {
    /// When, in seconds.
    pub at_s: f64,
    /// [`crate::event_log::Kind`] by its word.
    pub kind: &'static str,
    /// `system` or `people`.
    pub by: &'static str,
    /// Whom it happened to.
    pub subject: String,
    /// Why.
    pub cause: String,
}

/// All figures of a run.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct Summary {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Version of the program.
    pub version: &'static str,
    /// Name of the scenario.
    pub scenario: String,
    /// Hash of what it says, for comparing files.
    pub scenario_hash: String,
    /// Seed.
    pub seed: u64,
    /// Replication.
    pub replication: u64,
    /// Whether the run reached its horizon.
    pub complete: bool,
    /// Time simulated, in seconds.
    pub horizon_s: f64,
    /// Time from which requests are measured, in seconds.
    pub measured_from_s: f64,
    /// Hash of the event sequence: equal digests, equal runs.
    pub digest: String,
    /// Events simulated.
    pub events: u64,
    /// One word on the end of the run: one of [`VERDICTS`].
    pub verdict: Option<&'static str>,
    /// The sentence behind it, with its numbers and the cause.
    pub verdict_because: Option<String>,
    /// Requests from outside.
    pub requests: Requests,
    /// Attempts of requests from outside.
    pub attempts: Attempts,
    /// Response time of requests from outside that were answered in time.
    pub response_time_s: Times,
    /// Wait at servers, over all services, of those that got a worker.
    pub wait_s: Times,
    /// The same of all that waited, those included that left the queue without.
    pub wait_all_s: Times,
    /// Share of the attempts that got a worker and had to wait for it.
    pub waited: Option<f64>,
    /// Largest offered load of a service.
    pub offered_load: Option<f64>,
    /// Requests from outside that arrived per second.
    pub offered_hz: f64,
    /// Answered in time per second.
    pub goodput_hz: f64,
    /// Attempts answered per second.
    pub throughput_hz: f64,
    /// Share answered in time of those that ended.
    pub availability: Option<f64>,
    /// Share of finished work that nobody waited for any more.
    pub wasted_work: Option<f64>,
    /// Most requests or attempts in flight at once.
    pub peak_in_flight: u64,
    /// Users who did not come back after a request that failed, over the whole run; absent where all do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users_left: Option<u64>,
    /// What became of visitors, in the measured time; absent where no traffic comes in sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<SessionFigures>,
    /// Time from the start of the run to the first crash of a server or balancer, in seconds; absent
    /// when there was none.
    pub first_crash_s: Option<f64>,
    /// Largest relative error of a percentile.
    pub percentile_error: f64,
    /// By class.
    pub classes: Named<ClassFigures>,
    /// By service.
    pub services: Named<ServiceFigures>,
    /// By machine that servers share.
    pub machines: Named<HostFigures>,
    /// What each guard did over the whole run, in the order in which a request meets them.
    pub guards: Vec<GuardFigures>,
    /// What became of the connections of each hop that keeps any, over the whole run.
    pub connections: Vec<PoolFigures>,
    /// Objectives.
    pub slos: Named<SloFigures>,
    /// Alerts, in order of time.
    pub alerts: Vec<AlertFigures>,
    /// Spells in which the site was not normal.
    pub incidents: Vec<Incident>,
    /// Times of the first of them; in the JSON form with a monitoring only.
    #[serde(skip_serializing_if = "Response::is_of_no_monitoring")]
    pub response: Response,
    /// Assertions and whether they hold.
    pub expectations: Vec<Checked>,
    /// What the reader must know.
    pub warnings: Vec<Warning>,
    /// The first events of the event log.
    pub event_log: Vec<StoryFigures>,
}

impl Summary {
    /// The figures of a run so far; `scenario_hash` is that of the scenario it was made from.
    pub fn of(simulation: &Simulation, scenario_hash: u64) -> Self {
        builder::summary(simulation, scenario_hash, false)
    }

    /// The same for judging a run that ended in the middle of things: a request that is still
    /// unanswered counts in response times with its age, which is the least that its response time
    /// will be, and misses an objective whose time it has exceeded. A server that answers next to
    /// nothing would otherwise look fast.
    pub fn with_unanswered(simulation: &Simulation, scenario_hash: u64) -> Self {
        builder::summary(simulation, scenario_hash, true)
    }

    /// The times whose mean and quantiles stand at a path such as `response_time_s` or
    /// `services.web.wait_s`; `None` where there are none.
    pub fn times(simulation: &Simulation, path: &str) -> Option<Histogram> {
        builder::times(simulation, path)
    }

    /// The JSON form.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .unwrap_or_else(|error| unreachable!("plain data always serialises: {error}"));
        text.push('\n');
        text
    }

    /// Whether all expectations hold.
    pub fn expectations_hold(&self) -> bool {
        self.expectations.iter().all(|e| e.passed)
    }
}
