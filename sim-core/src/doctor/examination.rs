//! An examination: every doubt of a system tried, on threads or in steps, with the same findings.

use super::trial::{Finding, Tried};
use super::{Doubt, Rule, Trial, doubts};
use crate::experiment::{ComparisonSteps, Control, Progress, Stop, compare};
use crate::scenario::{Problems, Scenario};
use std::sync::Arc;

/// Replications of a trial unless more are asked for: with fewer a paired difference has no interval.
pub const REPLICATIONS: u64 = 5;
/// Gives the scenario with sets applied.
pub type Read<'a> = dyn Fn(&[(String, String)]) -> Result<Scenario, Problems> + 'a;

/// What is doubted in a system, and what is run to try it.
pub struct Examination {
    trials: Vec<Tried>,
}

impl std::fmt::Debug for Examination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "examination of {} runs", self.runs())
    }
}

impl Examination {
    /// Looks for what is odd. `read` gives the scenario with sets applied.
    ///
    /// # Errors
    /// The problems of the scenario as it is.
    pub fn of(read: &Read<'_>, replications: u64) -> Result<Self, Problems> {
        let scenario = read(&[])?;
        let model = scenario.model()?;
        // What is tried under the same is run together.
        let mut groups: Vec<(Trial, Vec<(&'static Rule, Doubt)>)> = Vec::new();
        for (rule, doubt) in doubts(&model) {
            match groups.iter_mut().find(|(trial, _)| *trial == doubt.trial) {
                Some((_, group)) => group.push((rule, doubt)),
                None => groups.push((doubt.trial, vec![(rule, doubt)])),
            }
        }
        let replications = replications.max(REPLICATIONS);
        let tried = groups.into_iter().map(|(trial, group)| {
            Tried::new(trial, group, (&scenario, &model), read, replications)
        });
        Ok(Self {
            trials: tried.collect::<Result<_, _>>()?,
        })
    }

    /// Runs that it takes.
    pub fn runs(&self) -> u64 {
        self.trials.iter().map(Tried::runs).sum()
    }

    /// Tries all doubts; what costs most comes first. `told` hears after each trial what is known by then.
    pub fn run(&self, control: &Control<'_>, told: &dyn Fn(Vec<Finding>)) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut rest = self.runs();
        for (number, trial) in self.trials.iter().enumerate() {
            rest -= trial.runs();
            control.hope(rest);
            let comparison =
                (trial.runs() > 0).then(|| compare(trial.variants.clone(), &trial.plan, control));
            let whole = comparison.filter(|_| !control.cancelled());
            found.extend(trial.findings(whole.as_ref()));
            if number + 1 < self.trials.len() && !control.cancelled() {
                told(ranked(&found));
            }
        }
        ranked(&found)
    }

    /// The same in steps, where there are no threads.
    pub fn steps(self: Arc<Self>) -> Steps {
        Steps {
            examination: self,
            trial: 0,
            under_way: None,
            found: Vec::new(),
            done: 0,
        }
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
    Ok(Examination::of(read, replications)?.run(control, &|_| {}))
}

/// An examination that is done a little at a time.
pub struct Steps {
    examination: Arc<Examination>,
    /// The number of the trial that is done now.
    trial: usize,
    under_way: Option<ComparisonSteps>,
    found: Vec<Finding>,
    /// Runs of the trials before.
    done: u64,
}

impl Steps {
    /// Simulates up to so many events further; whether a trial came to its end.
    pub fn step(&mut self, events: u64) -> bool {
        let Some(trial) = self.examination.trials.get(self.trial) else {
            return false;
        };
        if trial.runs() > 0 {
            let steps = self
                .under_way
                .get_or_insert_with(|| ComparisonSteps::new(trial.variants.clone(), &trial.plan));
            steps.step(events);
            if steps.stop().is_none() {
                return false;
            }
        }
        let whole = self.under_way.take();
        let whole = whole.filter(|steps| steps.stop() != Some(Stop::Interrupted));
        let whole = whole.map(|steps| steps.so_far());
        self.found.extend(trial.findings(whole.as_ref()));
        self.done += trial.runs();
        self.trial += 1;
        true
    }

    /// Ends it: what was not tried yet is interrupted.
    pub fn interrupt(&mut self) {
        self.under_way = None;
        for trial in &self.examination.trials[self.trial..] {
            self.found.extend(trial.findings(None));
        }
        self.trial = self.examination.trials.len();
    }

    /// Whether everything is tried or interrupted.
    pub fn is_over(&self) -> bool {
        self.trial == self.examination.trials.len()
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        let now = self.under_way.as_ref().map_or(0, |s| s.progress().done);
        Progress {
            done: self.done + now,
            planned: self.examination.runs(),
        }
    }

    /// What is known by now; what costs most comes first.
    pub fn findings(&self) -> Vec<Finding> {
        ranked(&self.found)
    }
}

/// What costs most first; and of a doubt that was tried in several ways, the one in which it shows most.
fn ranked(found: &[Finding]) -> Vec<Finding> {
    let mut found = found.to_vec();
    found.sort_by(|a, b| {
        let (a, b) = (a.cost(), b.cost());
        b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1))
    });
    let mut told: Vec<(&str, String)> = Vec::new();
    found.retain(|finding| {
        let what = (finding.rule.id, finding.doubt.path.clone());
        let first = !told.contains(&what);
        told.push(what);
        first
    });
    found
}
