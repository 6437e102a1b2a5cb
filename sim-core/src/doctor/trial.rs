//! Trials: a system as it is and mended, under the same random numbers.

use super::{Doubt, Rule, Trial, doubts};
use crate::experiment::{Control, Measure, Plan, Variant, compare};
use crate::fault::slow;
use crate::load::peaks;
use crate::model::{Action, Actor, Afflicted, Course, Model, Target, TimelineEntry};
use crate::scenario::{Problems, Scenario};
use crate::statistics::Interval;
use crate::steady::Estimand;
use crate::time::Instant;
use std::sync::Arc;

/// Replications of a trial unless more are asked for: with fewer a paired difference has no interval.
pub const REPLICATIONS: u64 = 5;
/// Level of all intervals of a trial together.
const LEVEL: f64 = 0.95;
/// A hung server's part of its speed.
const HUNG: f64 = 0.001;
/// Gives the scenario with sets applied.
pub type Read<'a> = dyn Fn(&[(String, String)]) -> Result<Scenario, Problems> + 'a;

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
    fn cost(&self) -> (f64, f64) {
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

/// Looks for what is odd, and tries each. `read` gives the scenario with sets applied. What costs most comes first.
///
/// # Errors
/// The problems of the scenario as it is.
pub fn examine(
    read: &Read<'_>,
    replications: u64,
    control: &Control<'_>,
) -> Result<Vec<Finding>, Problems> {
    let scenario = read(&[])?;
    let model = scenario.model()?;
    let mut found = Vec::new();
    let mut done: Vec<Trial> = Vec::new();
    let all = doubts(&model);
    for (_, doubt) in &all {
        if !done.contains(&doubt.trial) {
            done.push(doubt.trial);
        }
    }
    for trial in done {
        let own: Vec<_> = all
            .iter()
            .filter(|(_, doubt)| doubt.trial == trial)
            .collect();
        let doubts: Vec<(&'static Rule, &Doubt)> =
            own.iter().map(|(rule, doubt)| (*rule, doubt)).collect();
        found.extend(tried(
            trial,
            &doubts,
            (&scenario, &model),
            read,
            replications,
            control,
        )?);
    }
    found.sort_by(|a, b| {
        let (a, b) = (a.cost(), b.cost());
        b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1))
    });
    // Of a doubt that was tried in several ways, the one in which it shows most.
    let mut told: Vec<(&str, String)> = Vec::new();
    found.retain(|finding| {
        let what = (finding.rule.id, finding.doubt.path.clone());
        let first = !told.contains(&what);
        told.push(what);
        first
    });
    Ok(found)
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
    let Trial::Load(share) = trial else {
        return Vec::new();
    };
    let peak = peaks(model)
        .into_iter()
        .flatten()
        .map(|peak| peak.offered_load);
    let peak = peak.fold(0.0, f64::max);
    if peak <= 0.0 || peak >= share {
        return Vec::new();
    }
    let path = "rate_factor".to_owned();
    let written = scenario.values_at(Instant(0), std::slice::from_ref(&path));
    let own = written
        .into_iter()
        .flatten()
        .next()
        .and_then(|text| text.parse::<f64>().ok());
    vec![(path, (own.unwrap_or(1.0) * share / peak).to_string())]
}

fn tried(
    trial: Trial,
    doubts: &[(&'static Rule, &Doubt)],
    (scenario, written): (&Scenario, &Model),
    read: &Read<'_>,
    replications: u64,
    control: &Control<'_>,
) -> Result<Vec<Finding>, Problems> {
    let sets = sets_of(trial, scenario, written);
    let base = read(&sets).and_then(|scenario| scenario.model())?;
    let mut variants = vec![Variant {
        name: "as is".to_owned(),
        model: Arc::new(model_of(trial, base.clone())),
    }];
    let mut places = Vec::new();
    for (_, doubt) in doubts {
        let all: Vec<(String, String)> = sets.iter().chain(&doubt.cure).cloned().collect();
        let mended = read(&all).and_then(|scenario| scenario.model());
        places.push(match mended {
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
        });
    }
    let measures = MEASURES
        .iter()
        .filter_map(|path| Measure::parse(path, &base).ok())
        .collect();
    let plan = Plan {
        measures,
        first: 0,
        replications: replications.max(REPLICATIONS),
        level: LEVEL,
        precision: None,
        estimand: Estimand::Horizon,
    };
    let comparison = (variants.len() > 1).then(|| compare(variants, &plan, control));
    let figures = |variant: usize| {
        let mean = |measure: usize| {
            let compared = comparison.as_ref()?.compared.get(measure)?;
            compared.estimates.get(variant)?.mean()
        };
        Figures {
            failed: mean(0).map(|share| 1.0 - share),
            p99_s: mean(1),
            goodput_hz: mean(2),
        }
    };
    let words = trial.words(written);
    let outcome = |place: Result<usize, String>| match place {
        Err(why) => Outcome::Refused(why),
        Ok(_) if control.cancelled() => Outcome::Interrupted,
        Ok(variant) => {
            let difference = |measure: usize| {
                let pair = comparison.as_ref()?.pair(measure, 0, variant)?;
                Some((pair.sign(), pair.range()?))
            };
            let effect = match (difference(0), difference(1)) {
                (Some((1, interval)), _) => Effect::Fewer(interval),
                (Some((-1, interval)), _) => Effect::Worse(flipped(interval)),
                (_, Some((-1, interval))) => Effect::Faster(flipped(interval)),
                _ => Effect::None,
            };
            Outcome::Tried {
                as_is: figures(0),
                mended: figures(variant),
                effect,
            }
        }
    };
    let each = doubts.iter().zip(places);
    Ok(each
        .map(|((rule, doubt), place)| Finding {
            rule,
            doubt: (*doubt).clone(),
            trial: words.clone(),
            outcome: outcome(place),
        })
        .collect())
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
