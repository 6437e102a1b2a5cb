//! Autoscalers: rules that say how many servers a service is to have.
//!
//! A rule knows no engine: it is shown the servers of its service as the monitoring sees them, some time
//! ago and over an interval, and says how many it wants. Who is started and who is stopped is none of
//! its business.

use crate::extension::{
    Configured, Def, ExtensionRow, ParamDef, ParamKind, ParamProblem, Params, Registry,
};
use crate::time::{Duration, Instant};

mod alarm;
mod kubernetes_hpa;
mod step_scaling;
mod target_tracking;

/// Every autoscaler a scenario can name.
pub static AUTOSCALERS: &[&AutoscalerDef] = &[
    &kubernetes_hpa::AUTOSCALER,
    &target_tracking::AUTOSCALER,
    &step_scaling::AUTOSCALER,
];

/// A row of [`AUTOSCALERS`].
pub struct AutoscalerDef {
    /// Name, description, parameters. Each has `min` and `max`, whole numbers.
    pub row: ExtensionRow,
    /// When it looks, and at what.
    pub timing: fn(&Params) -> Timing,
    /// Makes the rule.
    pub build: fn(&Params) -> Box<dyn Autoscaler>,
    /// What does not fit together, beside `min` and `max` and the timing.
    pub check: fn(&Params) -> Result<(), ParamProblem>,
}

/// The most servers that can be asked for.
const SERVERS_MAX: u64 = 1_000_000;

const MIN: ParamDef = ParamDef::count(
    "min",
    (1, SERVERS_MAX),
    "servers",
    "1",
    "The fewest servers that it asks for.",
);

const MAX: ParamDef = ParamDef {
    name: "max",
    about: "The most servers that it asks for; more than are written are never to be had.",
    kind: ParamKind::Integer {
        min: 1,
        max: SERVERS_MAX,
        unit: "servers",
    },
    default: None,
};

const METRIC: ParamDef = ParamDef::choice(
    "metric",
    &["utilisation", "requests"],
    "utilisation",
    "What is measured: busy workers as a share of all, or requests sent to a server per second.",
);

/// Readings that have been taken and are not known yet: more would only cost memory.
const UNDERWAY_MAX: u64 = 10;

/// Every row there is, those that were added among them.
static ROWS: Registry<AutoscalerDef> = Registry::of(AUTOSCALERS);

impl Def for AutoscalerDef {
    fn registry() -> &'static Registry<Self> {
        &ROWS
    }
    fn row(&self) -> &ExtensionRow {
        &self.row
    }

    fn check(&self, params: &Params) -> Result<(), ParamProblem> {
        let (min, max) = bounds(params);
        if min > max {
            return Err(ParamProblem {
                param: "max",
                message: format!("at most {max} servers are fewer than at least {min}"),
            });
        }
        let timing = (self.timing)(params);
        let most = timing.interval.0.saturating_mul(UNDERWAY_MAX);
        if timing.lag.0 > most {
            return Err(ParamProblem {
                param: "lag",
                message: format!(
                    "readings every {} can be known at most {} later",
                    timing.interval,
                    Duration(most)
                ),
            });
        }
        (self.check)(params)
    }
}

impl Configured<AutoscalerDef> {
    /// The fewest and the most servers that it asks for.
    pub fn bounds(&self) -> (u32, u32) {
        bounds(&self.params)
    }

    /// When it looks, and at what.
    pub fn timing(&self) -> Timing {
        (self.def.timing)(&self.params)
    }

    /// The rule.
    pub fn build(&self) -> Box<dyn Autoscaler> {
        (self.def.build)(&self.params)
    }
}

fn bounds(params: &Params) -> (u32, u32) {
    let count = |name| u32::try_from(params.integer(name)).unwrap_or(u32::MAX);
    (count("min"), count("max"))
}

/// When a rule looks, and at what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timing {
    /// Time between its decisions, above zero.
    pub period: Duration,
    /// The length of an interval that servers are measured over, and the time between two readings; above zero.
    pub interval: Duration,
    /// How long after the end of an interval its reading is known.
    pub lag: Duration,
}

/// What one server did over an interval.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reading {
    /// The end of the interval.
    pub at: Instant,
    /// Busy workers over the interval, in thousandths, rounded up.
    pub busy_milli: u64,
    /// Requests sent to it per second, in thousandths.
    pub requests_milli_hz: u64,
}

/// A server that is there, or on its way, as the platform knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member {
    /// What it is doing.
    pub state: MemberState,
    /// Since when it is ready or is not.
    pub since: Instant,
    /// When it was started; absent: before the run.
    pub started: Option<Instant>,
    /// Its workers.
    pub workers: u32,
    /// The last reading of it that is known, if it is one of the last interval.
    pub reading: Option<Reading>,
}

/// What a server of an autoscaled service is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MemberState {
    /// It has been asked for, and does not run yet.
    Pending,
    /// It serves.
    Ready,
    /// It ran, and does not serve now.
    NotReady,
}

/// What a rule is shown.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Now.
    pub now: Instant,
    /// The length of the interval of each reading.
    pub interval: Duration,
    /// The servers, those on their way included and those on their way out not.
    pub members: &'a [Member],
}

impl Seen<'_> {
    /// How many servers there are, as far as the rule is concerned.
    pub fn current(&self) -> u32 {
        u32::try_from(self.members.len()).unwrap_or(u32::MAX)
    }
}

/// How many servers a rule wants, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wish {
    /// So many.
    pub servers: u32,
    /// The reason, for the event log.
    pub why: String,
}

/// A rule with what it remembers.
pub trait Autoscaler: Send + Sync {
    /// Goes on under other parameters of its kind.
    fn adopt(&mut self, params: &Params);

    /// How many servers there are to be; absent: it does not know, and leaves it as it is.
    fn decide(&mut self, seen: &Seen<'_>) -> Option<Wish>;

    /// A copy, for forks.
    fn clone_box(&self) -> Box<dyn Autoscaler>;
}

impl Clone for Box<dyn Autoscaler> {
    fn clone(&self) -> Self {
        self.clone_box()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::testing::{check_rows, example};

    #[test]
    fn rows_are_well_formed() {
        check_rows(AUTOSCALERS);
    }

    #[test]
    fn without_any_reading_nothing_is_done() {
        for def in AUTOSCALERS {
            let mut rule = (def.build)(&example(&def.row));
            let member = Member {
                state: MemberState::Ready,
                since: Instant::ZERO,
                started: None,
                workers: 1,
                reading: None,
            };
            let seen = Seen {
                now: Instant::ZERO,
                interval: Duration::from_secs(15),
                members: &[member],
            };
            assert_eq!(rule.decide(&seen), None, "{}", def.row.name);
        }
    }
}
