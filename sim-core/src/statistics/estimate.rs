//! What is known of a figure: an interval, or why there is none.

use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt;

/// An interval that covers the true value with a stated probability.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize)]
pub struct Interval {
    /// The estimate itself.
    pub mean: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// How surely it covers, such as 0.95.
    pub level: f64,
    /// How many independent observations it rests on: replications, or batches.
    pub samples: u64,
    /// How it was made.
    pub method: Method,
}

/// How an interval is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// Student's t on the replications' figures.
    StudentT,
    /// Student's t on a ratio of two means, by the delta method.
    RatioOfMeans,
    /// A quantile of all replications together, between those at which the share of observations
    /// beyond is as far from the quantile's as Student's t allows (Woodruff).
    PooledQuantile,
    /// A share by Student's t over replications on the logarithm of its odds.
    LogOddsOverReplications,
    /// Student's t on the means of batches of one run.
    BatchMeans,
    /// A quantile of one run, by the shares beyond it in the run's batches.
    BatchQuantile,
    /// A share by Student's t over batches of one run on the logarithm of its odds.
    LogOddsOverBatches,
    /// A share in independent trials by Wilson's method.
    Wilson,
    /// Nothing was seen: up to the greatest rate at which that has a chance of one minus the level
    /// still.
    NoneSeen,
    /// From the spectral density at zero of the stationary part of one run (Heidelberger and Welch).
    HeidelbergerWelch,
    /// Student's t on differences of paired replications.
    PairedT,
    /// Between two order statistics of independent observations.
    OrderStatistics,
    /// Welch's t on two independent sets.
    Welch,
}

/// Every word of [`Method::code`] with what it means.
pub static INTERVAL_METHODS: &[(Method, &str, &str)] = &[
    (
        Method::StudentT,
        "student-t",
        "Student's t over replications",
    ),
    (
        Method::RatioOfMeans,
        "ratio-of-means",
        "Student's t over replications, for a ratio of two means (delta method)",
    ),
    (
        Method::PooledQuantile,
        "pooled-quantile",
        "the quantile of all replications together; its share beyond by Student's t over replications (Woodruff)",
    ),
    (
        Method::LogOddsOverReplications,
        "log-odds-replications",
        "Student's t over replications, on the log-odds of the share",
    ),
    (
        Method::BatchMeans,
        "batch-means",
        "Student's t over batches of one run",
    ),
    (
        Method::BatchQuantile,
        "batch-quantile",
        "the quantile of one run; its share beyond by Student's t over batches (Woodruff)",
    ),
    (
        Method::LogOddsOverBatches,
        "log-odds-batches",
        "Student's t over batches of one run, on the log-odds of the share",
    ),
    (
        Method::HeidelbergerWelch,
        "heidelberger-welch",
        "the spectral density at zero of the stationary part of one run (Heidelberger and Welch)",
    ),
    (Method::Wilson, "wilson", "Wilson's, for independent trials"),
    (
        Method::NoneSeen,
        "none-seen",
        "none seen: an upper bound by Clopper and Pearson",
    ),
    (
        Method::PairedT,
        "paired-t",
        "Student's t over differences of paired replications",
    ),
    (
        Method::OrderStatistics,
        "order-statistics",
        "between two order statistics of independent values",
    ),
    (
        Method::Welch,
        "welch-t",
        "Welch's t over two independent sets of replications",
    ),
];

impl Method {
    fn row(self) -> &'static (Self, &'static str, &'static str) {
        INTERVAL_METHODS
            .iter()
            .find(|(method, _, _)| *method == self)
            .unwrap_or_else(|| unreachable!("a test asks for every method"))
    }

    /// A fixed word, for programs.
    pub fn code(self) -> &'static str {
        self.row().1
    }

    /// What it is, for people.
    pub fn about(self) -> &'static str {
        self.row().2
    }
}

impl Serialize for Method {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// What would make an interval of what has none.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Needs {
    /// Runs of so many seconds, the warm-up included.
    Horizon(f64),
    /// So many replications.
    Replications(u64),
    /// So many replications, each of so many seconds.
    Both(u64, f64),
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Horizon(s) => write!(f, "a horizon of {}s would do", seconds(*s)),
            Self::Replications(n) => write!(f, "{n} replications would do"),
            Self::Both(n, s) => write!(f, "{n} replications of {}s would do", seconds(*s)),
        }
    }
}

/// Two digits that matter, as they were rounded.
fn seconds(s: f64) -> String {
    let decimals = (1.0 - libm::floor(libm::log10(s.max(1e-9)))).max(0.0) as usize;
    let digits = format!("{s:.decimals$}");
    if digits.contains('.') {
        let digits = digits.trim_end_matches('0').trim_end_matches('.');
        digits.to_owned()
    } else {
        digits
    }
}

impl Interval {
    /// The same, made in another way.
    #[must_use]
    pub fn by(self, method: Method) -> Self {
        Self { method, ..self }
    }

    /// Whether it says only how much a figure may be at most, since nothing was seen.
    pub fn is_bound(&self) -> bool {
        self.method == Method::NoneSeen
    }

    /// The symmetric interval `mean ± half_width` by Student's t.
    pub fn around(mean: f64, half_width: f64, level: f64, samples: u64) -> Self {
        Self {
            mean,
            low: mean - half_width,
            high: mean + half_width,
            level,
            samples,
            method: Method::StudentT,
        }
    }

    /// Half of its width.
    pub fn half_width(&self) -> f64 {
        0.5 * (self.high - self.low)
    }

    /// Half of its width as a share of the estimate; infinite for an estimate of 0.
    pub fn relative(&self) -> f64 {
        if self.half_width() == 0.0 {
            return 0.0;
        }
        (self.half_width() / self.mean).abs()
    }

    /// Whether what it rests on varied, beyond what sums of equal numbers round to: otherwise its width of
    /// nothing tells nothing.
    pub fn varies(&self) -> bool {
        self.relative() > ROUNDING
    }

    /// Whether it contains `value`.
    pub fn covers(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Whether a sequential run may stop: the half-width is at most `precision` of the estimate.
    /// The guard 1 + precision is against an estimate that happens to be low (Law, section
    /// 9.4.1).
    pub fn is_precise(&self, precision: f64) -> bool {
        self.half_width() <= precision / (1.0 + precision) * self.mean.abs()
    }
}

/// Every word of [`Withheld::code`] with its meaning.
pub static WITHHELD: &[(&str, &str)] = &[
    (
        "too-few-replications",
        "fewer than five replications: an interval would be so wide, and so uncertain itself, that it says nothing",
    ),
    (
        "nothing-measured",
        "some replications hold nothing to take the figure from",
    ),
    (
        "policy-failed",
        "a policy of one's own failed and ended runs: `stampede run` says when, and in which line",
    ),
    (
        "ended-early",
        "some runs ended at a limit of the scenario: what they measured is not what was asked",
    ),
    (
        "overloaded",
        "a service is offered as much as it can do or more, and nothing bounds its queue: every figure depends on the length of the run",
    ),
    (
        "infinite-variance",
        "the variance of the demand of a single server is infinite, and so is the mean wait: every figure depends on the length of the run",
    ),
    (
        "heavy-tail",
        "the demand has so heavy a tail that the mean of what waits for it converges more slowly than any interval assumes; quantiles have intervals",
    ),
    (
        "too-short",
        "what is measured is too short for what changes slowly: a queue near a load of one, phases of the arrivals, repairs",
    ),
    (
        "few-excursions",
        "too few independent excursions beyond the quantile were seen: what lies beyond it comes in clusters",
    ),
    (
        "still-growing",
        "what is in flight or waiting still grows at the end of the runs: there is no steady state, or the warm-up is too short",
    ),
    (
        "beyond-data",
        "fewer than ten observations lie beyond the quantile in all replications together: simulate longer",
    ),
    (
        "too-few-events",
        "a share rests on too few events of its rarer kind, ten where they come singly, or a count on fewer than ten in all",
    ),
    (
        "correlated-batches",
        "the batches of the run depend on one another: simulate longer, or several replications",
    ),
    (
        "needs-replications",
        "one run does not tell how a count, a maximum or a quantile varies",
    ),
    (
        "warm-up-not-found",
        "the runs are too short to find the end of their warm-up",
    ),
    ("not-finite", "some values are no numbers"),
    (
        "same-in-all",
        "the figure was the same in all replications, or batches of one run: where nothing varied, nothing says how it may",
    ),
];

/// What a system takes long to forget.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Slow {
    /// A queue at this offered load.
    Queue(f64),
    /// Phases of the arrivals.
    Phases,
    /// Failures and repairs of workers.
    Breakdowns,
    /// The pauses of users.
    Users,
    /// Requests that have not ended when a run does: they are no part of its times, and they are the long
    /// ones.
    Unended,
    /// Something that no formula foresees: requests in flight were seen to depend on one another for
    /// so long.
    Seen,
}

impl fmt::Display for Slow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue(load) => write!(f, "a load of {load:.3}"),
            Self::Phases => f.write_str("the phases of the arrivals"),
            Self::Breakdowns => f.write_str("failures and repairs"),
            Self::Users => f.write_str("the pauses of users"),
            Self::Unended => f.write_str("the requests that have not ended when they do"),
            Self::Seen => f.write_str("what is in flight, which was seen to change slowly"),
        }
    }
}

/// Why no interval is given.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub enum Withheld {
    /// Too few independent observations for an interval.
    TooFewReplications {
        /// How many there are.
        have: u64,
        /// How many it takes.
        need: u64,
    },
    /// Some replications had nothing to measure.
    NothingMeasured {
        /// In how many of them.
        missing: u64,
        /// Of how many.
        of: u64,
    },
    /// Policies of one's own failed, which ended runs.
    PolicyFailed {
        /// In how many of them.
        runs: u64,
    },
    /// Some runs ended early, at a limit: what they measured is not what was asked.
    EndedEarly {
        /// How many of them.
        runs: u64,
    },
    /// More is offered than can be done, and nothing bounds what waits: the figure grows with
    /// the length of the run.
    Overloaded {
        /// Arriving work per unit of capacity.
        offered_load: f64,
    },
    /// The demand of a single server has no variance: the wait has no mean.
    InfiniteVariance,
    /// The demand's moments are infinite or so large that means of waits have no normal law at any
    /// length that was measured.
    HeavyTail {
        /// Requests that were measured.
        have: f64,
        /// How many it takes; infinite where no number does.
        need: f64,
    },
    /// What is measured is too short for something slow.
    TooShort {
        /// What is slow.
        slow: Slow,
        /// Relaxation times of it that were measured.
        have: f64,
        /// How many it takes.
        need: f64,
        /// Whether in all runs together, or in each.
        in_all: bool,
    },
    /// Too few independent excursions beyond a quantile.
    FewExcursions {
        /// The quantile, such as 0.999.
        quantile: f64,
        /// About how many there were.
        have: f64,
        /// How many it takes.
        need: f64,
    },
    /// Requests in flight are still growing at the end of the runs.
    StillGrowing {
        /// By how many requests per second, at least.
        at_least_hz: f64,
    },
    /// The data do not reach as far as the quantile.
    BeyondData {
        /// The quantile, such as 0.999.
        quantile: f64,
        /// Observations in all replications together.
        have: u64,
        /// How many it takes.
        need: u64,
    },
    /// A share that rests on too few events.
    TooFewEvents {
        /// How many there were.
        have: u64,
        /// How many it takes.
        need: u64,
    },
    /// Batch means that depend on one another: the run is too short for its correlations.
    CorrelatedBatches {
        /// The statistic of the von Neumann test.
        z: f64,
    },
    /// One run says nothing about how this figure varies.
    NeedsReplications,
    /// The run is too short to find the end of the warm-up.
    WarmUpNotFound,
    /// Values that are no numbers.
    NotFinite,
    /// Values of which none differs: a width of nothing would promise that none ever will.
    SameInAll {
        /// How many there are.
        of: u64,
        /// Whether they are batches of one run, and no replications.
        batches: bool,
    },
}

impl Withheld {
    /// A fixed word, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooFewReplications { .. } => "too-few-replications",
            Self::NothingMeasured { .. } => "nothing-measured",
            Self::PolicyFailed { .. } => "policy-failed",
            Self::EndedEarly { .. } => "ended-early",
            Self::Overloaded { .. } => "overloaded",
            Self::InfiniteVariance => "infinite-variance",
            Self::HeavyTail { .. } => "heavy-tail",
            Self::TooShort { .. } => "too-short",
            Self::FewExcursions { .. } => "few-excursions",
            Self::StillGrowing { .. } => "still-growing",
            Self::BeyondData { .. } => "beyond-data",
            Self::TooFewEvents { .. } => "too-few-events",
            Self::CorrelatedBatches { .. } => "correlated-batches",
            Self::NeedsReplications => "needs-replications",
            Self::WarmUpNotFound => "warm-up-not-found",
            Self::NotFinite => "not-finite",
            Self::SameInAll { .. } => "same-in-all",
        }
    }

    /// How many times as many replications it takes, where more of them help and not only longer ones.
    pub fn more_replications(&self) -> Option<f64> {
        let times = |have: f64, need: f64| Some(need / have.max(f64::MIN_POSITIVE));
        match self {
            Self::TooFewReplications { have, need }
            | Self::BeyondData { have, need, .. }
            | Self::TooFewEvents { have, need } => times(*have as f64, *need as f64),
            Self::TooShort {
                have,
                need,
                in_all: true,
                ..
            }
            | Self::HeavyTail { have, need }
            | Self::FewExcursions { have, need, .. } => times(*have, *need),
            _ => None,
        }
    }

    /// Whether even the bare mean would mislead: it depends on the length of the run, or on
    /// what was left out.
    pub fn hides_mean(&self) -> bool {
        !matches!(
            self,
            Self::TooFewReplications { .. }
                | Self::TooFewEvents { .. }
                | Self::CorrelatedBatches { .. }
                | Self::NeedsReplications
                | Self::SameInAll { .. }
                | Self::TooShort { in_all: true, .. }
                | Self::FewExcursions { .. }
                | Self::HeavyTail { .. }
        )
    }
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFewReplications { have, need } => {
                write!(f, "too few replications: {have}, and it takes {need}")
            }
            Self::NothingMeasured { missing, of } => {
                write!(f, "nothing to measure in {missing} of {of} replications")
            }
            Self::EndedEarly { runs } => write!(f, "{runs} runs ended early, at a limit"),
            Self::PolicyFailed { runs } => write!(
                f,
                "the policy failed in {runs} runs: `stampede run` says when and where"
            ),
            Self::Overloaded { offered_load } => write!(
                f,
                "no steady state: the offered load is {offered_load:.2} and nothing bounds the queue"
            ),
            Self::InfiniteVariance => {
                f.write_str("the variance of the demand is infinite, and so is the mean wait")
            }
            Self::HeavyTail { have, need } if need.is_finite() => {
                let heavy = if *need > LIGHT {
                    "the demand's tail is heavy: "
                } else {
                    ""
                };
                write!(
                    f,
                    "{heavy}about {have:.0} requests, and its mean takes {need:.0}"
                )
            }
            Self::HeavyTail { .. } => f.write_str(
                "the demand's tail is so heavy that means of waits have no interval at any length",
            ),
            Self::TooShort {
                slow,
                have,
                need,
                in_all,
            } => {
                let units = match slow {
                    Slow::Unended => "times as long as one",
                    _ => "relaxation times",
                };
                let whose = if *in_all { "in all" } else { "each" };
                write!(
                    f,
                    "the runs are too short for {slow}: {have:.1} {units} {whose}, and it takes {need:.0}"
                )
            }
            Self::FewExcursions {
                quantile,
                have,
                need,
            } => write!(
                f,
                "about {have:.0} independent excursions beyond the {} % quantile, and it takes {need:.0}",
                quantile * 100.0
            ),
            Self::StillGrowing { at_least_hz } => write!(
                f,
                "no steady state: requests in flight still grow by {at_least_hz:.2}/s or more"
            ),
            Self::BeyondData {
                quantile,
                have,
                need,
            } => write!(
                f,
                "the {} % quantile lies beyond the data: {have} observations in all, and it takes {need}",
                quantile * 100.0
            ),
            Self::TooFewEvents { have, need } => {
                write!(
                    f,
                    "it rests on {have} independent events, and it takes {need}"
                )
            }
            Self::CorrelatedBatches { z } => write!(
                f,
                "batch means are correlated (z = {z:.1}): the run is too short"
            ),
            Self::NeedsReplications => {
                f.write_str("one run does not tell how it varies: simulate several replications")
            }
            Self::WarmUpNotFound => {
                f.write_str("the runs are too short to find the end of their warm-up")
            }
            Self::NotFinite => f.write_str("some values are no numbers"),
            Self::SameInAll { of, batches } => {
                let parts = if *batches { "batches" } else { "replications" };
                write!(f, "the same in all {of} {parts}")
            }
        }
    }
}

/// A half-width that is so small a part of the estimate is what sums of equal numbers round to.
const ROUNDING: f64 = 1e-12;

/// A mean that takes more requests than this takes them because of its tail.
const LIGHT: f64 = 100.0;

/// What is known of a figure.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Estimate {
    /// An interval.
    Interval(Interval),
    /// None, and why.
    Withheld {
        /// The mean all the same, where it means something without an interval.
        mean: Option<f64>,
        /// Why there is no interval.
        reason: Withheld,
        /// What would give one, where anything would.
        needs: Option<Needs>,
    },
}

impl Estimate {
    /// No interval, and whatever mean the reason leaves standing.
    pub fn withheld(mean: Option<f64>, reason: Withheld) -> Self {
        Self::Withheld {
            mean: mean.filter(|m| m.is_finite() && !reason.hides_mean()),
            reason,
            needs: None,
        }
    }

    /// The same, saying what would give an interval.
    #[must_use]
    pub fn needing(self, needs: Option<Needs>) -> Self {
        match self {
            Self::Withheld { mean, reason, .. } => Self::Withheld {
                mean,
                reason,
                needs,
            },
            Self::Interval(_) => self,
        }
    }

    /// The ends of its interval, where it has one.
    pub fn ends(&self) -> Option<(f64, f64)> {
        self.interval()
            .map(|interval| (interval.low, interval.high))
    }

    /// The same, without an interval where nothing varied.
    #[must_use]
    pub fn unless_same(self) -> Self {
        match self {
            Self::Interval(interval) if !interval.varies() => {
                let reason = Withheld::SameInAll {
                    of: interval.samples,
                    batches: matches!(
                        interval.method,
                        Method::BatchMeans | Method::BatchQuantile | Method::LogOddsOverBatches
                    ),
                };
                Self::withheld(Some(interval.mean), reason)
            }
            other => other,
        }
    }

    /// What would give an interval, where there is none and anything would.
    pub fn needs(&self) -> Option<Needs> {
        match self {
            Self::Interval(_) => None,
            Self::Withheld { needs, .. } => *needs,
        }
    }

    /// The interval, if there is one.
    pub fn interval(&self) -> Option<&Interval> {
        match self {
            Self::Interval(interval) => Some(interval),
            Self::Withheld { .. } => None,
        }
    }

    /// The estimate, with or without an interval.
    pub fn mean(&self) -> Option<f64> {
        match self {
            Self::Interval(interval) => Some(interval.mean),
            Self::Withheld { mean, .. } => *mean,
        }
    }

    /// Why there is no interval, if there is none.
    pub fn reason(&self) -> Option<&Withheld> {
        match self {
            Self::Interval(_) => None,
            Self::Withheld { reason, .. } => Some(reason),
        }
    }
}

impl Serialize for Estimate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("mean", &self.mean())?;
        match self {
            Self::Interval(interval) => {
                map.serialize_entry("low", &interval.low)?;
                map.serialize_entry("high", &interval.high)?;
                map.serialize_entry("half_width", &interval.half_width())?;
                map.serialize_entry("level", &interval.level)?;
                map.serialize_entry("samples", &interval.samples)?;
                map.serialize_entry("method", &interval.method)?;
            }
            Self::Withheld { reason, needs, .. } => {
                map.serialize_entry("withheld", reason.code())?;
                map.serialize_entry("reason", &reason.to_string())?;
                match needs {
                    Some(Needs::Horizon(s)) => map.serialize_entry("needs_horizon_s", s)?,
                    Some(Needs::Replications(n)) => {
                        map.serialize_entry("needs_replications", n)?;
                    }
                    Some(Needs::Both(n, s)) => {
                        map.serialize_entry("needs_replications", n)?;
                        map.serialize_entry("needs_horizon_s", s)?;
                    }
                    None => {}
                }
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_in_the_table_and_says_its_numbers() {
        let reasons = [
            Withheld::TooFewReplications { have: 3, need: 5 },
            Withheld::NothingMeasured { missing: 3, of: 5 },
            Withheld::PolicyFailed { runs: 3 },
            Withheld::EndedEarly { runs: 3 },
            Withheld::Overloaded { offered_load: 3.0 },
            Withheld::InfiniteVariance,
            Withheld::HeavyTail {
                have: 3.0,
                need: 20.0,
            },
            Withheld::TooShort {
                slow: Slow::Queue(0.9),
                have: 3.0,
                need: 20.0,
                in_all: true,
            },
            Withheld::FewExcursions {
                quantile: 0.999,
                have: 3.0,
                need: 250.0,
            },
            Withheld::StillGrowing { at_least_hz: 3.0 },
            Withheld::BeyondData {
                quantile: 0.999,
                have: 3,
                need: 10_000,
            },
            Withheld::TooFewEvents { have: 3, need: 10 },
            Withheld::CorrelatedBatches { z: 3.0 },
            Withheld::NeedsReplications,
            Withheld::WarmUpNotFound,
            Withheld::NotFinite,
            Withheld::SameInAll {
                of: 3,
                batches: true,
            },
        ];
        assert_eq!(reasons.len(), WITHHELD.len());
        for (reason, (word, _)) in reasons.iter().zip(WITHHELD) {
            assert_eq!(reason.code(), *word);
            let counts = !matches!(
                reason,
                Withheld::InfiniteVariance
                    | Withheld::NeedsReplications
                    | Withheld::WarmUpNotFound
                    | Withheld::NotFinite
            );
            assert_eq!(reason.to_string().contains('3'), counts, "{reason}");
        }
    }

    #[test]
    fn every_method_has_a_word_of_its_own() {
        for (at, (method, word, about)) in INTERVAL_METHODS.iter().enumerate() {
            assert_eq!((method.code(), method.about()), (*word, *about));
            assert_eq!(
                INTERVAL_METHODS.iter().position(|(_, w, _)| w == word),
                Some(at)
            );
            // The compiler asks for a row of each new one.
            match method {
                Method::StudentT
                | Method::RatioOfMeans
                | Method::PooledQuantile
                | Method::LogOddsOverReplications
                | Method::BatchMeans
                | Method::BatchQuantile
                | Method::LogOddsOverBatches
                | Method::Wilson
                | Method::NoneSeen
                | Method::HeidelbergerWelch
                | Method::PairedT
                | Method::OrderStatistics
                | Method::Welch => {}
            }
        }
        assert_eq!(INTERVAL_METHODS.len(), 13);
    }

    #[test]
    fn what_never_varied_has_a_mean_and_no_interval() {
        let of = |half_width| Interval::around(0.3, half_width, 0.95, 6);
        let same = Estimate::Interval(of(1e-16)).unless_same();
        let json = serde_json::to_string(&same).expect("plain data");
        assert_eq!(
            json,
            r#"{"mean":0.3,"withheld":"same-in-all","reason":"the same in all 6 replications"}"#
        );
        let varied = Estimate::Interval(of(1e-6));
        assert_eq!(varied.unless_same(), varied);
    }

    #[test]
    fn what_would_do_is_for_programs_too() {
        let short = Withheld::TooShort {
            slow: Slow::Phases,
            have: 3.0,
            need: 20.0,
            in_all: false,
        };
        let needs = Some(Needs::Horizon(90.0));
        let estimate = Estimate::withheld(Some(1.0), short).needing(needs);
        assert_eq!(estimate.needs(), needs);
        let json = serde_json::to_string(&estimate).expect("plain data");
        assert!(json.ends_with("\"needs_horizon_s\":90.0}"), "{json}");
        for (s, text) in [
            (90.0, "90s"),
            (0.29, "0.29s"),
            (1300.0, "1300s"),
            (5.0, "5s"),
        ] {
            assert_eq!(
                Needs::Horizon(s).to_string(),
                format!("a horizon of {text} would do")
            );
        }
        assert_eq!(
            Needs::Both(5, 360.0).to_string(),
            "5 replications of 360s would do"
        );
        let certain = Estimate::Interval(Interval::around(1.0, 0.1, 0.95, 5)).needing(needs);
        assert_eq!(certain.needs(), None);
        let json = serde_json::to_string(&certain).expect("plain data");
        assert!(json.ends_with("\"method\":\"student-t\"}"), "{json}");
    }

    #[test]
    fn a_reason_that_hides_the_mean_hides_it_in_json_too() {
        let json = |estimate: Estimate| serde_json::to_string(&estimate).expect("plain data");
        let hidden = Estimate::withheld(Some(1.0), Withheld::Overloaded { offered_load: 1.0 });
        assert!(json(hidden).starts_with("{\"mean\":null,\"withheld\":\"overloaded\""));
        let few = Estimate::withheld(Some(1.0), Withheld::TooFewReplications { have: 1, need: 5 });
        assert!(json(few).starts_with("{\"mean\":1.0,"));
    }
}
