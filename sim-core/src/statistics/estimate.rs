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
}

impl Interval {
    /// The symmetric interval `mean ± half_width`.
    pub fn around(mean: f64, half_width: f64, level: f64, samples: u64) -> Self {
        Self {
            mean,
            low: mean - half_width,
            high: mean + half_width,
            level,
            samples,
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
        "too-short",
        "what is measured is too short for the load: the closer to one, the longer a queue remembers that it began empty",
    ),
    (
        "still-growing",
        "what is in flight or waiting still grows at the end of the runs: there is no steady state, or the warm-up is too short",
    ),
    (
        "beyond-data",
        "fewer than ten observations lie beyond the quantile in some replication: simulate longer",
    ),
    (
        "too-few-events",
        "a share rests on fewer than ten events of its rarer kind",
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
];

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
    /// What is measured is too short for a load so close to one.
    TooShort {
        /// Arriving work per unit of capacity.
        offered_load: f64,
        /// Relaxation times of the queue that were measured.
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
        /// Observations in the smallest replication.
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
}

impl Withheld {
    /// A fixed word, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooFewReplications { .. } => "too-few-replications",
            Self::NothingMeasured { .. } => "nothing-measured",
            Self::EndedEarly { .. } => "ended-early",
            Self::Overloaded { .. } => "overloaded",
            Self::InfiniteVariance => "infinite-variance",
            Self::TooShort { .. } => "too-short",
            Self::StillGrowing { .. } => "still-growing",
            Self::BeyondData { .. } => "beyond-data",
            Self::TooFewEvents { .. } => "too-few-events",
            Self::CorrelatedBatches { .. } => "correlated-batches",
            Self::NeedsReplications => "needs-replications",
            Self::WarmUpNotFound => "warm-up-not-found",
            Self::NotFinite => "not-finite",
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
            Self::Overloaded { offered_load } => write!(
                f,
                "no steady state: the offered load is {offered_load:.2} and nothing bounds the queue"
            ),
            Self::InfiniteVariance => {
                f.write_str("the variance of the demand is infinite, and so is the mean wait")
            }
            Self::TooShort {
                offered_load,
                have,
                need,
            } => write!(
                f,
                "the run is too short for a load of {offered_load:.3}: {have:.1} relaxation times, and it takes {need:.0}"
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
                "the {} % quantile lies beyond the data: {have} observations in a replication, and it takes {need}",
                quantile * 100.0
            ),
            Self::TooFewEvents { have, need } => {
                write!(f, "it rests on {have} events, and it takes {need}")
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
        }
    }
}

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
    },
}

impl Estimate {
    /// No interval, and whatever mean the reason leaves standing.
    pub fn withheld(mean: Option<f64>, reason: Withheld) -> Self {
        Self::Withheld {
            mean: mean.filter(|m| m.is_finite() && !reason.hides_mean()),
            reason,
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
            }
            Self::Withheld { reason, .. } => {
                map.serialize_entry("withheld", reason.code())?;
                map.serialize_entry("reason", &reason.to_string())?;
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
            Withheld::EndedEarly { runs: 3 },
            Withheld::Overloaded { offered_load: 3.0 },
            Withheld::InfiniteVariance,
            Withheld::TooShort {
                offered_load: 0.9,
                have: 3.0,
                need: 20.0,
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
    fn a_reason_that_hides_the_mean_hides_it_in_json_too() {
        let json = |estimate: Estimate| serde_json::to_string(&estimate).expect("plain data");
        let hidden = Estimate::withheld(Some(1.0), Withheld::Overloaded { offered_load: 1.0 });
        assert!(json(hidden).starts_with("{\"mean\":null,\"withheld\":\"overloaded\""));
        let few = Estimate::withheld(Some(1.0), Withheld::TooFewReplications { have: 1, need: 5 });
        assert!(json(few).starts_with("{\"mean\":1.0,"));
    }
}
