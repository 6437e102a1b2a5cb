//! Where the warm-up ends.

use super::control::Control;
use super::run::levels;
use super::suffice::WARM;
use crate::model::{Expr, Model, Value};
use crate::statistics::{Moments, Needs, mser5};
use crate::steady::{Estimand, Nature, memory, round_up};
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
    /// What MSER-5 found on the mean over pilot replications, but no less than five relaxation times
    /// where the model tells how long those are.
    Found {
        /// How long.
        length: Duration,
        /// What decided.
        by: FoundBy,
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
        /// What would do, where anything would.
        needs: Option<Needs>,
    },
}

/// What decided on a warm-up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FoundBy {
    /// The least standard error of what is left.
    Mser5,
    /// The relaxation times of the model's slowest part.
    Relaxation,
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
    ///
    /// MSER-5 stops early where a queue fills slowly, so that no less than five relaxation times are left
    /// out where the model tells how long those are; and where MSER-5 finds nothing, so many.
    pub fn find(
        model: &Arc<Model>,
        first: u64,
        estimand: Estimand,
        control: &Control<'_>,
    ) -> Option<Self> {
        if !estimand.is_steady(model) {
            let why = match Nature::of(model) {
                Nature::Terminating(why) => why,
                Nature::Steady => "what happens over the horizon is asked for",
            };
            return Some(Self::NotSteady {
                length: model.warm_up,
                why,
            });
        }
        let Ok(known) = memory(model) else {
            // Whatever the length.
            return Some(Self::TooShort {
                found: None,
                needs: None,
            });
        };
        let least = Duration::from_secs_f64(WARM * known.relaxation_s);
        // No pilot is needed to see that.
        if least.0.saturating_mul(RUN_TO_WARM_UP) > model.horizon.0 {
            return Some(Self::too_short(least, model.horizon));
        }
        let mut pilot = Model::clone(model);
        pilot.warm_up = Duration::ZERO;
        pilot.recording.interval = Duration((model.horizon.0 / INTERVALS).max(1_000_000));
        let pilot = Arc::new(pilot);
        control.plan(PILOTS);
        let series = control.map(PILOTS as usize, |i| {
            let simulation = control.simulate(&pilot, first + i as u64)?;
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
        Some(Self::judge(&mean, interval_ns, least, model.horizon))
    }

    fn too_short(found: Duration, horizon: Duration) -> Self {
        let s = (found.as_secs_f64() * RUN_TO_WARM_UP as f64).max(2.0 * horizon.as_secs_f64());
        Self::TooShort {
            found: Some(found),
            needs: Some(Needs::Horizon(round_up(s))),
        }
    }

    fn judge(mean: &[f64], interval_ns: u64, least: Duration, horizon: Duration) -> Self {
        let truncation = mser5(mean);
        let cut = truncation.map_or(0, |truncation| truncation.observations);
        let seen = Duration(cut as u64 * interval_ns);
        // Now and then it cuts far too late: where the model tells enough, that is no reason to give up.
        let too_late = seen.0.saturating_mul(RUN_TO_WARM_UP) > horizon.0 && !least.is_zero();
        let (length, by) = if seen >= least && !too_late {
            (seen, FoundBy::Mser5)
        } else {
            (least, FoundBy::Relaxation)
        };
        if truncation.is_none() && least.is_zero() {
            return Self::TooShort {
                found: None,
                needs: Some(Needs::Horizon(round_up(2.0 * horizon.as_secs_f64()))),
            };
        }
        if length.0.saturating_mul(RUN_TO_WARM_UP) > horizon.0 {
            return Self::too_short(length, horizon);
        }
        let cut = (length.0.div_ceil(interval_ns.max(1)) as usize).min(mean.len() / 2);
        Self::Found {
            length,
            by,
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
        let found = on(1, |c| {
            WarmUp::find(&queue("10m", 90), 0, Estimand::ByNature, c)
        })
        .expect("not cancelled");
        let WarmUp::Found { length, after, .. } = found else {
            panic!("{found:?}");
        };
        assert!((18.9..60.0).contains(&length.as_secs_f64()), "{length}");
        // In flight 9 on average.
        assert!((6.0..12.0).contains(&after), "{after}");
        assert_eq!(
            Some(found),
            on(3, |c| WarmUp::find(
                &queue("10m", 90),
                0,
                Estimand::ByNature,
                c
            )),
            "it does not depend on threads"
        );
    }

    #[test]
    fn the_warm_up_is_never_less_than_five_relaxation_times() {
        // 380 services of 10 ms: MSER-5 alone often stops well before 19 s, by the luck of the pilots.
        let model = queue("10m", 90);
        for first in [0, 100, 200] {
            let found = on(2, |c| WarmUp::find(&model, first, Estimand::ByNature, c));
            let length = found.and_then(|found| found.length()).expect("long enough");
            assert!(length.as_secs_f64() >= 18.98, "{first}: {length}");
        }
    }

    #[test]
    fn what_would_do_is_longer_than_what_was_and_does() {
        for (horizon, rate) in [("1m", 90), ("2m", 95)] {
            let found = on(2, |c| {
                WarmUp::find(&queue(horizon, rate), 0, Estimand::ByNature, c)
            });
            let Some(WarmUp::TooShort {
                found: Some(_),
                needs: Some(Needs::Horizon(s)),
            }) = found
            else {
                panic!("{found:?}");
            };
            assert!(s > queue(horizon, rate).horizon.as_secs_f64(), "{s}");
            let longer = queue(&format!("{s}s"), rate);
            let found = on(2, |c| WarmUp::find(&longer, 0, Estimand::ByNature, c));
            assert!(matches!(found, Some(WarmUp::Found { .. })), "{found:?}");
        }
    }

    #[test]
    fn a_queue_that_grows_has_no_end_of_its_warm_up() {
        let found = on(1, |c| {
            WarmUp::find(&queue("1m", 150), 0, Estimand::ByNature, c)
        });
        assert_eq!(
            found,
            Some(WarmUp::TooShort {
                found: None,
                needs: None
            })
        );
    }

    #[test]
    fn where_something_happens_nothing_is_left_out() {
        let model = model(
            "horizon = \"1m\"\nwarm_up = \"7s\"\ntraffic = [{ to = \"web\", rate = { kind = \"surge\", base = 1, peak = 9, at = \"9s\", hold = \"9s\", rise = \"1s\", fall = \"1s\" } }]\n[service.web]\ndemand = \"10ms\"\nserver = [{ name = \"a\", workers = 1 }]\n",
        );
        let found = on(1, |c| WarmUp::find(&model, 0, Estimand::ByNature, c));
        let expected = WarmUp::NotSteady {
            length: Duration::from_secs(7),
            why: "its rate varies",
        };
        assert_eq!(found, Some(expected));
    }
}
