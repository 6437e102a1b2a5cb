//! The best of several models, selected with a guarantee: replications until chance can be ruled out.

use super::compare::{Variant, is_steady};
use super::control::Control;
use super::estimate::Judged;
use super::measure::Measure;
use super::replicate::WAVE;
use super::run::{Run, run_one};
use crate::metric::Better;
use crate::statistics::{Dropped, Knockout, MIN_SAMPLES, Moments, Needs, Withheld};
use crate::steady::Estimand;

/// Replications of the first stage at least: the variances of differences rest on them alone.
pub const FIRST_STAGE_MIN: u64 = MIN_SAMPLES;

/// A planned selection.
#[derive(Clone, PartialEq, Debug)]
pub struct SelectionPlan {
    /// In what the best is best; more or less of it must be better.
    pub measure: Measure,
    /// Differences below this do not matter, in the unit of the summary.
    pub indifference: f64,
    /// Probability of selecting the best at least.
    pub level: f64,
    /// Number of the first replication.
    pub first: u64,
    /// Replications of the first stage.
    pub first_stage: u64,
    /// Replications of a variant at most.
    pub max_replications: u64,
    /// What is estimated.
    pub estimand: Estimand,
}

/// How a selection ended.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Selected {
    /// With this variant.
    Best(usize),
    /// The most replications allowed are done, and several variants are left.
    Cap,
    /// Told to stop.
    Interrupted,
    /// A variant has no mean to compare, for reasons that more replications do not remove.
    Impossible {
        /// The variant.
        variant: usize,
        /// Why.
        reason: Withheld,
        /// What would do.
        needs: Option<Needs>,
    },
}

/// What came of a selection.
#[derive(Clone, PartialEq, Debug)]
pub struct Selection {
    /// Among what.
    pub variants: Vec<Variant>,
    /// How.
    pub plan: SelectionPlan,
    /// Whether the steady state was compared, and not what happens over the horizon.
    pub steady: bool,
    /// How it ended.
    pub selected: Selected,
    /// Variants that were dropped.
    pub dropped: Vec<Option<Dropped>>,
    /// The replications that it took of each variant.
    pub runs: Vec<Vec<Run>>,
    /// The constant of the procedure.
    pub h2: f64,
    /// Replications of a variant that it may take at most, by the variances of the first stage; absent once one is
    /// selected.
    pub most: Option<u64>,
}

impl Selection {
    /// What is said where the runs are too short for their warm-up: nothing was run.
    pub fn without_warm_up(
        variants: Vec<Variant>,
        plan: &SelectionPlan,
        needs: Option<Needs>,
    ) -> Self {
        let mut selecting = Selecting::new(variants, plan);
        selecting.selected = Some(Selected::Impossible {
            variant: 0,
            reason: Withheld::WarmUpNotFound,
            needs,
        });
        selecting.end()
    }

    /// Mean of the figure over the replications of a variant.
    pub fn mean(&self, variant: usize) -> Option<f64> {
        let values = self.runs[variant].iter().map(|run| run.observations[0]);
        let values: Option<Vec<f64>> = values.map(|o| o.map(|o| o.value)).collect();
        let values = values.filter(|values| !values.is_empty())?;
        Some(Moments::of(&values).mean())
    }

    /// Variants with the selected first and the one that was dropped first last.
    pub fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.variants.len()).collect();
        let key = |&variant: &usize| {
            let is_best = self.selected == Selected::Best(variant);
            let after = self.dropped[variant].map_or(u64::MAX, |dropped| dropped.after);
            (!is_best, u64::MAX - after, variant)
        };
        order.sort_by_key(key);
        order
    }
}

/// Runs replications of all variants, each with the same random numbers, and drops whoever is behind, until one is
/// left (the procedure KN, see [`Knockout`]).
///
/// Replications are simulated in waves, to fill all threads, and judged one by one in the order of their numbers: what
/// comes out is that of the procedure, for any number of threads. What was simulated after a decision is left out.
pub fn select(variants: Vec<Variant>, plan: &SelectionPlan, control: &Control<'_>) -> Selection {
    let mut selecting = Selecting::new(variants, plan);
    let measures = std::slice::from_ref(&plan.measure);
    while selecting.selected.is_none() {
        let (left, from) = (selecting.knockout.left(), selecting.done());
        let wave = selecting.wave();
        let jobs = wave as usize * left.len();
        control.plan(jobs as u64);
        let runs = control.map(jobs, |job| {
            let variant = &selecting.variants[left[job % left.len()]];
            let number = plan.first + from + (job / left.len()) as u64;
            let run = run_one(&variant.model, number, measures, control)?;
            control.did_one();
            Some(run)
        });
        let interrupted = runs.len() < jobs;
        selecting.take(&left, runs);
        if interrupted && selecting.selected.is_none() {
            selecting.selected = Some(Selected::Interrupted);
        }
    }
    selecting.end()
}

/// A selection between two waves.
struct Selecting<'a> {
    variants: Vec<Variant>,
    plan: &'a SelectionPlan,
    knockout: Knockout,
    runs: Vec<Vec<Run>>,
    selected: Option<Selected>,
}

impl<'a> Selecting<'a> {
    fn new(variants: Vec<Variant>, plan: &'a SelectionPlan) -> Self {
        let SelectionPlan {
            indifference,
            level,
            first_stage,
            ..
        } = *plan;
        Self {
            knockout: Knockout::new(variants.len(), indifference, level, first_stage),
            runs: vec![Vec::new(); variants.len()],
            selected: None,
            variants,
            plan,
        }
    }

    /// Replications of those that are left.
    fn done(&self) -> u64 {
        self.runs.iter().map(Vec::len).max().unwrap_or(0) as u64
    }

    /// Replications of each that are next: no more than it can take.
    fn wave(&self) -> u64 {
        let done = self.done();
        if done == 0 {
            return self.plan.first_stage;
        }
        let most = self.knockout.most().unwrap_or(u64::MAX);
        let most = most.min(self.plan.max_replications);
        WAVE.min(most.saturating_sub(done)).max(1)
    }

    /// Takes the runs of a wave, replication by replication of those that were left.
    fn take(&mut self, left: &[usize], runs: Vec<Run>) {
        let mut runs = runs.into_iter();
        while self.selected.is_none() {
            let all: Vec<Run> = runs.by_ref().take(left.len()).collect();
            if all.len() < left.len() {
                return;
            }
            self.take_one(left.iter().copied().zip(all));
        }
    }

    /// Takes one replication of each; those of a variant that was dropped meanwhile are left out.
    fn take_one(&mut self, all: impl Iterator<Item = (usize, Run)>) {
        let mut values = Vec::new();
        let sign = if self.plan.measure.better() == Better::Higher {
            -1.0
        } else {
            1.0
        };
        for (variant, run) in all {
            if self.knockout.dropped()[variant].is_some() {
                continue;
            }
            let reason = match run.observations[0] {
                _ if run.policy_failed => Withheld::PolicyFailed { runs: 1 },
                _ if !run.complete => Withheld::EndedEarly { runs: 1 },
                None => Withheld::NothingMeasured { missing: 1, of: 1 },
                Some(observation) => {
                    values.push(sign * observation.value);
                    // The first stage says whether there is a mean; of the others no more is asked than that.
                    let mut run = run;
                    if self.runs[variant].len() as u64 >= self.plan.first_stage {
                        run.times.clear();
                        run.blocks.clear();
                    }
                    self.runs[variant].push(run);
                    continue;
                }
            };
            self.selected = Some(Selected::Impossible {
                variant,
                reason,
                needs: None,
            });
            return;
        }
        if self.done() == self.plan.first_stage {
            self.selected = self.obstacle();
        }
        if self.selected.is_some() {
            return;
        }
        self.knockout.take(&values);
        self.selected = match self.knockout.best() {
            Some(best) => Some(Selected::Best(best)),
            None => (self.done() >= self.plan.max_replications).then_some(Selected::Cap),
        };
    }

    /// What stands in the way of a variant's mean and stays there, however many replications there are.
    fn obstacle(&self) -> Option<Selected> {
        let of = |(variant, runs): (usize, &Vec<Run>)| {
            let judged = Judged::of(&self.variants[variant].model, runs, self.plan.estimand);
            let (reason, needs) = judged.obstacle(&self.plan.measure)?;
            let stays = reason.more_replications().is_none();
            stays.then_some(Selected::Impossible {
                variant,
                reason,
                needs,
            })
        };
        self.runs.iter().enumerate().find_map(of)
    }

    fn end(self) -> Selection {
        Selection {
            steady: is_steady(&self.variants, self.plan.estimand),
            selected: self.selected.unwrap_or(Selected::Interrupted),
            dropped: self.knockout.dropped().to_vec(),
            h2: self.knockout.h2(),
            most: self.knockout.most(),
            variants: self.variants,
            plan: self.plan.clone(),
            runs: self.runs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::control::tests::on;
    use super::*;
    use std::sync::Arc;

    /// Mean response times by theory: 2 ms with one server; 2.05 ms with two that are each about half as fast,
    /// `s / (1 − ρ²)` with `s` = 1.686 ms; and 2.2 ms with one that is slower.
    const SYSTEMS: [(&str, u32, &str); 3] = [
        ("two slow", 2, "1686us"),
        ("one", 1, "1ms"),
        ("one slower", 1, "1048us"),
    ];
    const INDIFFERENCE: f64 = 0.05e-3;

    fn variants(horizon: &str) -> Vec<Variant> {
        let one = |&(name, workers, mean): &(&str, u32, &str)| {
            let text = format!(
                "horizon = \"{horizon}\"\nwarm_up = \"200ms\"\ntraffic = [{{ to = \"web\", rate = 500 }}]\n[service.web]\ndemand = {{ kind = \"exponential\", mean = \"{mean}\" }}\nserver = [{{ name = \"a\", workers = {workers}, queue = {{ limit = 100000 }} }}]\n"
            );
            let model = crate::scenario::parse(&text).unwrap_or_else(|p| panic!("{p}"));
            Variant {
                name: name.to_owned(),
                model: Arc::new(model),
            }
        };
        SYSTEMS.iter().map(one).collect()
    }

    fn plan(variants: &[Variant], measure: &str) -> SelectionPlan {
        SelectionPlan {
            measure: Measure::parse(measure, &variants[0].model).expect("a figure"),
            indifference: INDIFFERENCE,
            level: 0.95,
            first: 0,
            first_stage: 10,
            max_replications: 1000,
            estimand: Estimand::ByNature,
        }
    }

    #[test]
    fn the_best_by_theory_is_selected_as_often_as_promised() {
        let variants = variants("1s");
        let mut plan = plan(&variants, "mean");
        let (mut right, mut after_ten, repeats) = (0, 0, 100);
        for repeat in 0..repeats {
            plan.first = 10_000 * repeat;
            let found = on(2, |control| select(variants.clone(), &plan, control));
            right += u64::from(found.selected == Selected::Best(1));
            // Whoever looks at ten replications alone is wrong too often.
            let mean = |variant: usize| {
                let first = found.runs[variant][..10].iter();
                first
                    .map(|run| run.observations[0].map_or(0.0, |o| o.value))
                    .sum::<f64>()
            };
            after_ten += u64::from(mean(1) < mean(0) && mean(1) < mean(2));
        }
        assert!(right >= 95, "{right} of {repeats}");
        assert!(after_ten < 90, "{after_ten} of {repeats}");
    }

    #[test]
    fn nothing_depends_on_the_number_of_threads() {
        let variants = variants("1s");
        let plan = plan(&variants, "mean");
        let one = on(1, |control| select(variants.clone(), &plan, control));
        let took: Vec<usize> = one.runs.iter().map(Vec::len).collect();
        assert_eq!(one.selected, Selected::Best(1), "{took:?}");
        assert_eq!(one.order()[0], 1);
        for (variant, dropped) in one.dropped.iter().enumerate() {
            let after = dropped.map_or(took[1], |dropped| dropped.after as usize);
            assert_eq!(took[variant], after, "no more than it took");
        }
        for threads in [2, 7] {
            let many = on(threads, |control| select(variants.clone(), &plan, control));
            assert_eq!(one, many, "{threads} threads");
        }
    }

    #[test]
    fn what_is_better_when_it_is_more_is_selected_too() {
        let mut variants = variants("1s");
        let text = "horizon = \"1s\"\ntraffic = [{ to = \"web\", rate = 400 }]\n[service.web]\ndemand = \"1ms\"\nserver = [{ name = \"a\", workers = 1 }]\n";
        variants[1].model = Arc::new(crate::scenario::parse(text).expect("valid"));
        let plan = SelectionPlan {
            indifference: 20.0,
            estimand: Estimand::Horizon,
            ..plan(&variants, "goodput_hz")
        };
        let found = on(2, |control| select(variants, &plan, control));
        let best = found.selected;
        assert!(
            [Selected::Best(0), Selected::Best(2)].contains(&best),
            "{best:?}"
        );
        assert!(found.dropped[1].is_some());
    }

    #[test]
    fn what_cannot_be_selected_is_told() {
        let mut variants = variants("1s");
        let mut plan = plan(&variants, "mean");
        plan.indifference = 1e-6;
        plan.max_replications = 23;
        let capped = on(2, |control| select(variants.clone(), &plan, control));
        assert_eq!(capped.selected, Selected::Cap);
        assert!(capped.runs.iter().any(|runs| runs.len() == 23));
        assert!(
            capped.most.is_some_and(|most| most > 1000),
            "{:?}",
            capped.most
        );
        let text = "horizon = \"1s\"\ntraffic = [{ to = \"web\", rate = 1200 }]\n[service.web]\ndemand = \"1ms\"\nserver = [{ name = \"a\", workers = 1 }]\n";
        variants[2].model = Arc::new(crate::scenario::parse(text).expect("valid"));
        plan.estimand = Estimand::Steady;
        let found = on(2, |control| select(variants, &plan, control));
        let Selected::Impossible {
            variant: 2, reason, ..
        } = found.selected
        else {
            panic!("{:?}", found.selected);
        };
        assert_eq!(reason.code(), "overloaded");
    }
}
