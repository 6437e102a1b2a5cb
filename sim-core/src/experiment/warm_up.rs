//! Where the warm-up ends.

use super::control::Control;
use super::nature::Nature;
use super::run::{levels, simulate};
use crate::model::{Expr, Model, Value};
use crate::statistics::{Moments, mser5};
use crate::time::{Duration, Instant};
use std::sync::Arc;

/// Replications whose mean series is looked at.
pub const PILOTS: u64 = 10;

/// Intervals that a run is cut into for that.
const INTERVALS: u64 = 1000;

/// A run should be so many times longer than its warm-up, or too little of it is measured (Law,
/// section 9.5.1).
const RUN_TO_WARM_UP: u64 = 10;

/// What is left out at the start of a run, and why.
#[derive(Clone, PartialEq, Debug)]
pub enum WarmUp {
    /// What the scenario says, or its reader.
    Given(Duration),
    /// What MSER-5 found on the mean over pilot replications.
    Found {
        /// How long.
        length: Duration,
        /// In flight or waiting on average after it.
        after: f64,
        /// The same after twice as long: a check on the choice.
        after_twice: f64,
    },
    /// None was looked for, since the scenario has no steady state; what it says stands.
    NotSteady {
        /// What it says.
        length: Duration,
        /// Why there is no steady state.
        why: &'static str,
    },
    /// The runs are too short for their warm-up.
    TooShort {
        /// What was found, if anything.
        found: Option<Duration>,
    },
}

impl WarmUp {
    /// How long.
    pub fn length(&self) -> Option<Duration> {
        match self {
            Self::Given(length) | Self::Found { length, .. } | Self::NotSteady { length, .. } => {
                Some(*length)
            }
            Self::TooShort { .. } => None,
        }
    }

    /// That of several models which are to be treated alike, where nothing else is said: the longest
    /// that one of them says.
    pub fn alike(models: &[Arc<Model>]) -> Self {
        Self::Given(
            models
                .iter()
                .map(|model| model.warm_up)
                .max()
                .unwrap_or(Duration::ZERO),
        )
    }

    /// Looks for it in a model; `None` if cancelled.
    ///
    /// It is looked for in the mean of several replications, interval by interval. In a single one
    /// MSER-5 cuts just after some excursion, and makes things worse than no cut.
    pub fn find(model: &Arc<Model>, first: u64, control: &Control<'_>) -> Option<Self> {
        if let Nature::Terminating(why) = Nature::of(model) {
            return Some(Self::NotSteady {
                length: model.warm_up,
                why,
            });
        }
        let mut pilot = Model::clone(model);
        pilot.warm_up = Duration::ZERO;
        pilot.recording.interval = Duration((model.horizon.0 / INTERVALS).max(1_000_000));
        let pilot = Arc::new(pilot);
        control.plan(PILOTS);
        let series = control.map(PILOTS as usize, |i| {
            let simulation = simulate(&pilot, first + i as u64, control.cancel)?;
            control.did_one();
            let interval_ns = simulation.recorder().history().interval_ns();
            Some((interval_ns, levels(&simulation, 0)))
        });
        if series.len() < PILOTS as usize {
            return None;
        }
        let interval_ns = series.iter().map(|(ns, _)| *ns).max().unwrap_or(1);
        let len = series.iter().map(|(_, s)| s.len()).min().unwrap_or(0);
        let mean: Vec<f64> = (0..len)
            .map(|i| series.iter().map(|(_, s)| s[i]).sum::<f64>() / series.len() as f64)
            .collect();
        Some(Self::judge(&mean, interval_ns, model.horizon))
    }

    fn judge(mean: &[f64], interval_ns: u64, horizon: Duration) -> Self {
        let Some(truncation) = mser5(mean) else {
            return Self::TooShort { found: None };
        };
        let cut = truncation.observations;
        let length = Duration(cut as u64 * interval_ns);
        if length.0.saturating_mul(RUN_TO_WARM_UP) > horizon.0 {
            return Self::TooShort {
                found: Some(length),
            };
        }
        Self::Found {
            length,
            after: Moments::of(&mean[cut..]).mean(),
            after_twice: Moments::of(&mean[2 * cut..]).mean(),
        }
    }
}

/// The model with another warm-up. Expectations that speak of what is measured follow.
pub fn with_warm_up(model: &Model, warm_up: Duration) -> Model {
    let mut changed = model.clone();
    let (old, new) = (Instant(model.warm_up.0), Instant(warm_up.0));
    for expectation in &mut changed.expectations {
        if let Expr::Compare { value, .. } | Expr::Within { value, .. } = &mut expectation.expr
            && let Value::Metric { from, until, .. } = value
            && *from == old
            && until.0 == model.horizon.0
        {
            *from = new;
        }
    }
    changed.warm_up = warm_up;
    changed
}

/// The models with that warm-up: the same for all, or what is compared would not be comparable.
pub fn warmed(models: &[Arc<Model>], warm_up: &WarmUp) -> Vec<Arc<Model>> {
    let Some(length) = warm_up.length() else {
        return models.to_vec();
    };
    models
        .iter()
        .map(|model| {
            if model.warm_up == length {
                model.clone()
            } else {
                Arc::new(with_warm_up(model, length))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::control::tests::on;
    use super::*;

    fn model(text: &str) -> Arc<Model> {
        Arc::new(crate::scenario::parse(text).unwrap_or_else(|p| panic!("{p}\n{text}")))
    }

    fn queue(horizon: &str, rate: u32) -> Arc<Model> {
        model(&format!(
            "horizon = \"{horizon}\"\ntraffic = [{{ to = \"web\", rate = {rate} }}]\n[service.web]\ndemand = {{ kind = \"exponential\", mean = \"10ms\" }}\nserver = [{{ name = \"a\", workers = 1 }}]\n"
        ))
    }

    #[test]
    fn a_queue_that_fills_has_its_start_left_out() {
        // The relaxation time at a load of 0.9 is 10 ms / (1 - sqrt 0.9)^2 = 3.8 s.
        let found = on(1, |c| WarmUp::find(&queue("10m", 90), 0, c)).expect("not cancelled");
        let WarmUp::Found { length, after, .. } = found else {
            panic!("{found:?}");
        };
        assert!(length.as_secs_f64() < 60.0, "{length}");
        // In flight 9 on average.
        assert!((6.0..12.0).contains(&after), "{after}");
        assert_eq!(
            Some(found),
            on(3, |c| WarmUp::find(&queue("10m", 90), 0, c)),
            "it does not depend on threads"
        );
    }

    #[test]
    fn a_queue_that_grows_has_no_end_of_its_warm_up() {
        let found = on(1, |c| WarmUp::find(&queue("1m", 150), 0, c));
        assert_eq!(found, Some(WarmUp::TooShort { found: None }));
    }

    #[test]
    fn where_something_happens_nothing_is_left_out() {
        let model = model(
            "horizon = \"1m\"\nwarm_up = \"7s\"\ntraffic = [{ to = \"web\", rate = { kind = \"surge\", base = 1, peak = 9, at = \"9s\", hold = \"9s\", rise = \"1s\", fall = \"1s\" } }]\n[service.web]\ndemand = \"10ms\"\nserver = [{ name = \"a\", workers = 1 }]\n",
        );
        let found = on(1, |c| WarmUp::find(&model, 0, c));
        let expected = WarmUp::NotSteady {
            length: Duration::from_secs(7),
            why: "its rate varies",
        };
        assert_eq!(found, Some(expected));
    }
}
