//! Replications, in waves until they are precise enough.

use super::control::Control;
use super::estimate::estimates;
use super::measure::Measure;
use super::run::{Run, run_one, thin};
use super::single::{self, Classical};
use crate::model::Model;
use crate::statistics::{Estimate, Needs, Withheld, bonferroni_level};
use crate::steady::{Estimand, Nature, memory};
use std::sync::Arc;

/// Replications in a wave. Decisions are taken after whole waves, so that they do not depend on
/// which replication was quick.
pub const WAVE: u64 = 10;

/// Replications after which a sequential experiment may stop at the earliest.
pub const MIN_SEQUENTIAL: u64 = 10;

/// When to stop.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Precision {
    /// Half-width as a share of the estimate, such as 0.02.
    pub relative: f64,
    /// Replications at most.
    pub max_replications: u64,
}

/// A planned experiment with one model.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    /// What is measured.
    pub measures: Vec<Measure>,
    /// Number of the first replication.
    pub first: u64,
    /// How many replications; with a precision, how many at least.
    pub replications: u64,
    /// Level of the intervals, such as 0.95.
    pub level: f64,
    /// Go on until every measure is so precise.
    pub precision: Option<Precision>,
    /// What is estimated.
    pub estimand: Estimand,
}

/// Why an experiment ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// All replications that were planned are done.
    Planned,
    /// Every measure that has an interval is precise enough.
    Precise,
    /// The most replications allowed are done, and some measure is not precise enough.
    Cap,
    /// No measure has an interval, for reasons that more replications do not remove.
    Hopeless,
    /// Told to stop.
    Interrupted,
}

/// What replications of a model say.
#[derive(Clone, PartialEq, Debug)]
pub struct Replicated {
    /// The model as it was run.
    pub model: Arc<Model>,
    /// Whether it has a steady state.
    pub nature: Nature,
    /// Whether the steady state was estimated, and not what happens over the horizon.
    pub steady: bool,
    /// The replications, in the order of their numbers.
    pub runs: Vec<Run>,
    /// The estimate of each measure, in their order.
    pub estimates: Vec<Estimate>,
    /// What the classical procedures say of one run; nothing of several.
    pub classical: Vec<Classical>,
    /// Why it ended.
    pub stop: Stop,
}

/// Runs replications of a model. A single one is cut into batches, where it has a steady state.
pub fn replicate(model: &Arc<Model>, plan: &Plan, control: &Control<'_>) -> Replicated {
    let done = |runs: Vec<Run>, estimates, classical, stop| Replicated {
        model: model.clone(),
        nature: Nature::of(model),
        steady: plan.estimand.is_steady(model),
        runs,
        estimates,
        classical,
        stop,
    };
    if plan.replications <= 1 && plan.precision.is_none() {
        control.plan(1);
        let (runs, estimates, classical, stop) = single::run(
            model,
            plan.first,
            (&plan.measures, plan.level, plan.estimand),
            control,
        )
        .map_or_else(
            || {
                let none = estimates(model, &plan.measures, &[], plan.level, plan.estimand);
                (Vec::new(), none, Vec::new(), Stop::Interrupted)
            },
            |(run, estimates, classical)| (vec![run], estimates, classical, Stop::Planned),
        );
        return done(runs, estimates, classical, stop);
    }
    let mut runs: Vec<Run> = Vec::new();
    loop {
        let wave = next_wave(plan, runs.len() as u64);
        control.plan(wave);
        let from = plan.first + runs.len() as u64;
        let more = control.map(wave as usize, |i| {
            let run = run_one(model, from + i as u64, &plan.measures, control)?;
            control.did_one();
            Some(run)
        });
        let interrupted = (more.len() as u64) < wave;
        runs.extend(more);
        thin(&mut runs);
        let estimates = estimates(model, &plan.measures, &runs, plan.level, plan.estimand);
        let stop = if interrupted {
            Some(Stop::Interrupted)
        } else {
            decide(model, plan, &runs)
        };
        if let Some(stop) = stop {
            return done(runs, estimates, Vec::new(), stop);
        }
        let after_next = runs.len() as u64 + next_wave(plan, runs.len() as u64);
        control.hope(needed(plan, &estimates).saturating_sub(after_next));
    }
}

/// What is said where the runs are too short for their warm-up: nothing was run, and each measure says
/// why and what would do.
pub fn without_warm_up(model: &Arc<Model>, plan: &Plan, needs: Option<Needs>) -> Replicated {
    let reason = match memory(model) {
        Err(reason) => reason,
        Ok(_) => Withheld::WarmUpNotFound,
    };
    let none = Estimate::withheld(None, reason).needing(needs);
    Replicated {
        model: model.clone(),
        nature: Nature::of(model),
        steady: true,
        runs: Vec::new(),
        estimates: vec![none; plan.measures.len()],
        classical: Vec::new(),
        stop: Stop::Hopeless,
    }
}

/// Replications that the precision will take, by what is known so far: half-widths shrink with the
/// root of the number (Law, section 9.4.1).
fn needed(plan: &Plan, estimates: &[Estimate]) -> u64 {
    let Some(precision) = plan.precision else {
        return plan.replications;
    };
    let wanted = precision.relative / (1.0 + precision.relative);
    let needed = |estimate: &Estimate| {
        let interval = estimate.interval()?;
        let ratio = interval.relative() / wanted;
        Some(libm::ceil(interval.samples as f64 * ratio * ratio) as u64)
    };
    let most = estimates.iter().filter_map(needed).max().unwrap_or(0);
    most.min(precision.max_replications)
}

/// Replications to do next, after so many.
pub(super) fn next_wave(plan: &Plan, done: u64) -> u64 {
    let Some(precision) = plan.precision else {
        return plan.replications;
    };
    let wave = if done == 0 {
        plan.replications.max(MIN_SEQUENTIAL)
    } else {
        WAVE
    };
    wave.min(precision.max_replications.saturating_sub(done))
        .max(1)
}

/// Whether more replications, within the most that are allowed, would give an interval.
pub(super) fn curable(reason: &Withheld, runs: u64, precision: Precision) -> bool {
    let times = reason.more_replications();
    times.is_some_and(|times| times * runs as f64 <= precision.max_replications as f64)
}

/// Whether replications suffice, after a whole wave of them.
pub(super) fn decide(model: &Model, plan: &Plan, runs: &[Run]) -> Option<Stop> {
    let Some(precision) = plan.precision else {
        return Some(Stop::Planned);
    };
    // Together the intervals cover with the level asked for.
    let level = bonferroni_level(plan.level, plan.measures.len());
    let estimates = estimates(model, &plan.measures, runs, level, plan.estimand);
    let curable = |reason: &Withheld| curable(reason, runs.len() as u64, precision);
    let waits = |estimate: &Estimate| match estimate {
        Estimate::Interval(interval) => !interval.is_precise(precision.relative),
        Estimate::Withheld { reason, .. } => curable(reason),
    };
    let hopeless = |estimate: &Estimate| estimate.reason().is_some_and(|reason| !curable(reason));
    if estimates.iter().all(hopeless) && runs.len() as u64 >= MIN_SEQUENTIAL {
        return Some(Stop::Hopeless);
    }
    if runs.len() as u64 >= MIN_SEQUENTIAL && !estimates.iter().any(waits) {
        return Some(Stop::Precise);
    }
    (runs.len() as u64 >= precision.max_replications).then_some(Stop::Cap)
}

#[cfg(test)]
mod tests {
    use super::super::control::tests::on;
    use super::*;

    fn queue(horizon: &str, rate: u32) -> Arc<Model> {
        let text = format!(
            "horizon = \"{horizon}\"\nwarm_up = \"5s\"\ntraffic = [{{ to = \"web\", rate = {rate} }}]\n[service.web]\ndemand = {{ kind = \"exponential\", mean = \"1ms\" }}\nserver = [{{ name = \"a\", workers = 1 }}]\n"
        );
        Arc::new(crate::scenario::parse(&text).unwrap_or_else(|p| panic!("{p}\n{text}")))
    }

    fn plan(model: &Model, measures: &[&str], replications: u64) -> Plan {
        let parse = |path: &&str| Measure::parse(path, model).expect("a figure");
        Plan {
            measures: measures.iter().map(parse).collect(),
            first: 0,
            replications,
            level: 0.95,
            precision: None,
            estimand: Estimand::ByNature,
        }
    }

    fn reasons(model: &Arc<Model>, plan: &Plan) -> Vec<Option<&'static str>> {
        let found = on(2, |control| replicate(model, plan, control));
        found
            .estimates
            .iter()
            .map(|e| e.reason().map(Withheld::code))
            .collect()
    }

    #[test]
    fn intervals_are_given_where_they_can_be() {
        let model = queue("60s", 500);
        let plan = plan(&model, &["mean", "p99", "offered_hz"], 8);
        assert_eq!(reasons(&model, &plan), [None, None, None]);
    }

    #[test]
    fn what_cannot_be_stood_behind_is_withheld() {
        let model = queue("20s", 500);
        let few = plan(&model, &["mean", "offered_hz"], 4);
        assert_eq!(
            reasons(&model, &few),
            [Some("too-few-replications"), Some("too-few-replications")]
        );
        let beyond = plan(&model, &["p90", "p999"], 6);
        assert_eq!(reasons(&model, &beyond), [None, Some("few-excursions")]);
        let never = plan(&model, &["availability"], 6);
        assert_eq!(reasons(&model, &never), [None], "a bound");
        let overloaded = queue("20s", 1000);
        let growing = plan(&model, &["mean", "offered_hz"], 6);
        assert_eq!(reasons(&overloaded, &growing), [Some("overloaded"), None]);
    }

    #[test]
    fn growth_that_no_formula_foresees_is_seen() {
        // Half of the requests are asked again: 1.2 of the capacity, which the rate alone hides.
        let text = "horizon = \"30s\"\ntraffic = [{ to = \"web\", rate = 800 }]\nclient.retry = { kind = \"fixed\", attempts = 2, pause = \"1ms\" }\n[service.web]\ndemand = { kind = \"exponential\", mean = \"1ms\" }\nserver = [{ name = \"a\", workers = 1, errors = { rate = 0.5 } }]\n";
        let model = Arc::new(crate::scenario::parse(text).unwrap_or_else(|p| panic!("{p}")));
        let plan = plan(&model, &["mean"], 6);
        assert_eq!(reasons(&model, &plan), [Some("still-growing")]);
    }

    #[test]
    fn a_run_that_hits_a_limit_gives_no_interval() {
        let mut model = Model::clone(&queue("20s", 500));
        model.limits.events = 5_000;
        let model = Arc::new(model);
        let plan = plan(&model, &["mean", "offered_hz"], 6);
        assert_eq!(
            reasons(&model, &plan),
            [Some("ended-early"), Some("ended-early")]
        );
    }

    #[test]
    fn what_has_not_ended_hardly_moves_the_share_that_waited() {
        // A hundredth of the requests has not ended: too much for a mean, but they all wait, as most do.
        let model = queue("10500ms", 850);
        let mut plan = plan(&model, &["waited"], 30);
        for set in 0..8 {
            plan.first = 30 * set;
            assert_eq!(
                reasons(&model, &plan),
                [None],
                "replications from {}",
                plan.first
            );
        }
    }

    #[test]
    fn nothing_depends_on_the_number_of_threads() {
        let model = queue("20s", 800);
        let mut plan = plan(&model, &["mean", "p90"], 10);
        plan.precision = Some(Precision {
            relative: 0.05,
            max_replications: 100,
        });
        let one = on(1, |control| replicate(&model, &plan, control));
        assert_eq!(one.stop, Stop::Precise);
        assert!(one.runs.len() > 10, "a later wave decides");
        assert_eq!(one.runs.len() % 10, 0, "whole waves");
        for threads in [2, 7] {
            let many = on(threads, |control| replicate(&model, &plan, control));
            assert_eq!(one, many, "{threads} threads");
        }
    }

    #[test]
    fn progress_foresees_later_waves() {
        use std::num::NonZeroUsize;
        use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
        let model = queue("25s", 800);
        let mut plan = plan(&model, &["mean"], 10);
        plan.precision = Some(Precision {
            relative: 0.02,
            max_replications: 300,
        });
        let (cancel, after_one_wave) = (AtomicBool::new(false), AtomicU64::new(0));
        let progress = |progress: super::super::Progress| {
            if progress.done == 11 {
                after_one_wave.store(progress.planned, Ordering::Relaxed);
            }
        };
        let control = Control::new(NonZeroUsize::MIN, &cancel, &progress);
        let found = replicate(&model, &plan, &control);
        let (foreseen, took) = (after_one_wave.into_inner(), found.runs.len() as u64);
        assert!(foreseen > 20, "more than the next wave: {foreseen}");
        assert!(
            foreseen < 5 * took && took < 5 * foreseen,
            "{foreseen} and {took}"
        );
    }

    #[test]
    fn the_cap_ends_what_never_gets_precise() {
        let model = queue("14s", 800);
        let mut plan = plan(&model, &["mean"], 10);
        plan.precision = Some(Precision {
            relative: 1e-4,
            max_replications: 23,
        });
        let found = on(2, |control| replicate(&model, &plan, control));
        assert_eq!((found.stop, found.runs.len()), (Stop::Cap, 23));
    }

    #[test]
    fn what_stays_without_intervals_is_not_tried_for_ever() {
        let model = queue("6s", 1200);
        let mut plan = plan(&model, &["mean"], 5);
        plan.precision = Some(Precision {
            relative: 0.01,
            max_replications: 1000,
        });
        let found = on(2, |control| replicate(&model, &plan, control));
        assert_eq!((found.stop, found.runs.len()), (Stop::Hopeless, 10));
    }
}
