//! Trials: a system as it is and mended, under the same random numbers.

use super::facts::active;
use super::{Doubt, Read, Rule, Trial};
use crate::experiment::{Comparison, Measure, Plan, Variant};
use crate::fault::slow;
use crate::ids::Id;
use crate::load::busiest;
use crate::model::{Action, Actor, Afflicted, Course, Model, Target, TimelineEntry};
use crate::scenario::{Problems, Scenario};
use crate::statistics::Interval;
use crate::steady::Estimand;
use crate::time::Instant;
use std::sync::Arc;

/// Level of all intervals of a trial together.
const LEVEL: f64 = 0.95;
/// The share of requests that may fail beyond what failed before, where the others are answered faster.
const NEGLIGIBLE: f64 = 0.001;
/// A hung server's part of its speed.
const HUNG: f64 = 0.001;

/// What is measured.
const MEASURES: [&str; 3] = ["availability", "response_time_s.p99", "goodput_hz"];

/// What a system does in a trial, on average over the replications.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Figures {
    /// The share of requests that failed.
    pub failed: Option<f64>,
    /// The 99th percentile of response times of those answered, in seconds.
    pub p99_s: Option<f64>,
    /// Requests answered in time, per second.
    pub goodput_hz: Option<f64>,
}

/// What mending does.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Effect {
    /// So much less of all requests fails, with the interval of the paired difference.
    Fewer(Interval),
    /// So much shorter is the 99th percentile, in seconds, while no more fail.
    Faster(Interval),
    /// It makes things worse: more fail.
    Worse(Interval),
    /// No difference shows.
    None,
}

/// What came of a doubt.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// It was tried.
    Tried {
        /// As it is written.
        as_is: Figures,
        /// Mended.
        mended: Figures,
        /// The difference.
        effect: Effect,
    },
    /// What would mend it is refused beside the rest of the scenario, for this reason.
    Refused(String),
    /// Told to stop before it was done.
    Interrupted,
}

/// A doubt with what came of it.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// What it says.
    pub doubt: Doubt,
    /// What was done, in words.
    pub trial: String,
    /// What was seen.
    pub outcome: Outcome,
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

impl Finding {
    /// What it costs: the share of requests that mending would save, and then the seconds of the 99th percentile.
    pub(super) fn cost(&self) -> (f64, f64) {
        match &self.outcome {
            Outcome::Tried {
                effect: Effect::Fewer(interval),
                ..
            } => (interval.mean, f64::INFINITY),
            Outcome::Tried {
                effect: Effect::Faster(interval),
                ..
            } => (0.0, interval.mean),
            Outcome::Tried {
                effect: Effect::None,
                ..
            } => (-1.0, 0.0),
            Outcome::Tried {
                effect: Effect::Worse(_),
                ..
            } => (-2.0, 0.0),
            Outcome::Refused(_) | Outcome::Interrupted => (-3.0, 0.0),
        }
    }

    /// Whether something is to be gained.
    pub fn matters(&self) -> bool {
        self.cost().0 >= 0.0
    }
}

/// The model of a trial.
fn model_of(trial: Trial, mut model: Model) -> Model {
    let at = Instant(model.warm_up.0 + (model.horizon.0 - model.warm_up.0) / 2);
    let fault = |id, factor| Action::Fault {
        of: vec![Afflicted::Server(id)],
        fault: slow(factor),
        course: Course::default(),
    };
    let action = match trial {
        Trial::Written | Trial::Load(_) => None,
        Trial::Lose(id) => Some(Action::Crash(Target::Servers(vec![id]))),
        Trial::LoseSome(id, many) => {
            let servers = active(&model, &model.services[id.position()]);
            let lost = servers.iter().take(many as usize).map(|(id, _)| *id);
            Some(Action::Crash(Target::Servers(lost.collect())))
        }
        Trial::Restart(id) => Some(Action::Restart {
            target: Target::Servers(vec![id]),
            only_down: false,
        }),
        Trial::Slow(id, factor) => Some(fault(id, factor)),
        Trial::Hang(id) => Some(fault(id, HUNG)),
    };
    if let Some(action) = action {
        let entry = TimelineEntry {
            at,
            by: Actor::System,
            note: String::new(),
            action,
        };
        let place = model.timeline.partition_point(|other| other.at <= at);
        model.timeline.insert(place, entry);
    }
    model.expectations.clear();
    model
}

/// What a load sets.
fn sets_of(trial: Trial, scenario: &Scenario, model: &Model) -> Vec<(String, String)> {
    let (Trial::Load(share), Some(load)) = (trial, busiest(model)) else {
        return Vec::new();
    };
    let path = "rate_factor".to_owned();
    let written = scenario.values_at(Instant(0), std::slice::from_ref(&path));
    let own = written
        .into_iter()
        .flatten()
        .next()
        .and_then(|text| text.parse::<f64>().ok());
    vec![(path, (own.unwrap_or(1.0) * share / load).to_string())]
}

/// A trial with all doubts that are tried in it: the system as it is written, and mended for each.
pub(super) struct Tried {
    /// What is done, in words.
    words: String,
    /// The doubts, each with the number of its variant, or why there is none.
    doubts: Vec<(&'static Rule, Doubt, Result<usize, String>)>,
    /// As it is, and mended.
    pub(super) variants: Vec<Variant>,
    pub(super) plan: Plan,
}

impl Tried {
    /// # Errors
    /// The problems of the scenario at the trial's load.
    pub(super) fn new(
        trial: Trial,
        doubts: Vec<(&'static Rule, Doubt)>,
        (scenario, written): (&Scenario, &Model),
        read: &Read<'_>,
        replications: u64,
    ) -> Result<Self, Problems> {
        let sets = sets_of(trial, scenario, written);
        let base = read(&sets).and_then(|scenario| scenario.model())?;
        let measures = MEASURES
            .iter()
            .filter_map(|path| Measure::parse(path, &base).ok())
            .collect();
        let mut variants = vec![Variant {
            name: "as is".to_owned(),
            model: Arc::new(model_of(trial, base)),
        }];
        let mut mended = |doubt: &Doubt| {
            let all: Vec<(String, String)> = sets.iter().chain(&doubt.cure).cloned().collect();
            match read(&all).and_then(|scenario| scenario.model()) {
                Ok(model) => {
                    variants.push(Variant {
                        name: format!("mended {}", variants.len()),
                        model: Arc::new(model_of(trial, model)),
                    });
                    Ok(variants.len() - 1)
                }
                Err(problems) => Err(problems
                    .problems
                    .first()
                    .map_or(String::new(), |p| p.message.clone())),
            }
        };
        let doubts = doubts.into_iter().map(|(rule, doubt)| {
            let place = mended(&doubt);
            (rule, doubt, place)
        });
        let doubts = doubts.collect();
        Ok(Self {
            words: trial.words(written),
            doubts,
            variants,
            plan: Plan {
                measures,
                first: 0,
                replications,
                level: LEVEL,
                precision: None,
                estimand: Estimand::Horizon,
            },
        })
    }

    /// Runs that it takes: none where everything that would mend is refused.
    pub(super) fn runs(&self) -> u64 {
        if self.variants.len() > 1 {
            self.variants.len() as u64 * self.plan.replications
        } else {
            0
        }
    }

    /// What came of each doubt; without a comparison, that it was interrupted.
    pub(super) fn findings(&self, comparison: Option<&Comparison>) -> Vec<Finding> {
        let finding = |(rule, doubt, place): &(&'static Rule, Doubt, Result<usize, String>)| {
            let outcome = match (place, comparison) {
                (Err(why), _) => Outcome::Refused(why.clone()),
                (Ok(_), None) => Outcome::Interrupted,
                (Ok(variant), Some(comparison)) => outcome(comparison, *variant),
            };
            Finding {
                rule,
                doubt: doubt.clone(),
                trial: self.words.clone(),
                outcome,
            }
        };
        self.doubts.iter().map(finding).collect()
    }
}

/// What a variant does other than the system as it is.
fn outcome(comparison: &Comparison, variant: usize) -> Outcome {
    let figures = |variant: usize| {
        let mean = |measure: usize| {
            let compared = comparison.compared.get(measure)?;
            compared.estimates.get(variant)?.mean()
        };
        Figures {
            failed: mean(0).map(|share| 1.0 - share),
            p99_s: mean(1),
            goodput_hz: mean(2),
        }
    };
    let difference = |measure: usize| {
        let pair = comparison.pair(measure, 0, variant)?;
        Some((pair.sign(), pair.range()?))
    };
    // A shorter tail is no gain where it may have been bought with requests that fail.
    let no_more_fail = |found: Option<(i8, Interval)>| {
        found.is_none_or(|(_, interval)| interval.mean >= -NEGLIGIBLE)
    };
    let effect = match (difference(0), difference(1)) {
        (Some((1, interval)), _) => Effect::Fewer(interval),
        (Some((-1, interval)), _) => Effect::Worse(flipped(interval)),
        (failed, Some((-1, interval))) if no_more_fail(failed) => Effect::Faster(flipped(interval)),
        _ => Effect::None,
    };
    Outcome::Tried {
        as_is: figures(0),
        mended: figures(variant),
        effect,
    }
}

/// The same difference from the other side.
fn flipped(interval: Interval) -> Interval {
    Interval {
        mean: -interval.mean,
        low: -interval.high,
        high: -interval.low,
        ..interval
    }
}
