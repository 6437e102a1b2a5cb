//! The breaking point: up to which load, or which value of a key, a system holds.
//!
//! Every replication has a breaking point of its own, which bisection finds: the same random
//! numbers at every load make each replication hold below it and break above. Their mean comes
//! with an interval, and the least of them says how far all went well.

use super::control::Control;
use crate::engine::Simulation;
use crate::model::{Expectation, Model};
use crate::statistics::{self, Estimate, Interval, Withheld};
use crate::summary::Summary;
use std::sync::Arc;

/// Bisection ends after so many runs of a replication, whatever the tolerance.
const STEPS_MAX: usize = 60;

/// A model at some load, and what counts as broken in it.
#[derive(Clone, PartialEq, Debug)]
pub struct Loaded {
    /// The model.
    pub model: Arc<Model>,
    /// It is broken when one of these holds. None: when an objective is missed. Expectations do not
    /// count: those of a replayed incident say that the outage happens.
    pub until: Vec<Expectation>,
}

impl Loaded {
    /// Whether there is anything that can break.
    pub fn can_break(&self) -> bool {
        !self.until.is_empty() || !self.model.slos.is_empty()
    }

    /// Whether a finished run broke. One that ended at a limit did. Requests that are unanswered when
    /// it ends count with their age: what answers next to nothing must not look fast.
    fn broke(&self, simulation: &Simulation) -> bool {
        let summary = Summary::with_unanswered(simulation, 0);
        if !summary.complete {
            return true;
        }
        if !self.until.is_empty() {
            let holds = |e: &Expectation| e.check(&summary, simulation).passed;
            return self.until.iter().any(holds);
        }
        summary.slos.0.iter().any(|(_, slo)| slo.met == Some(false))
    }
}

/// Where to look.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Search {
    /// From this value on, up or down in steps that widen, between two others; all above zero.
    From {
        /// Where to begin.
        start: f64,
        /// Factor of the first step, above 1.
        step: f64,
        /// Least.
        low: f64,
        /// Greatest.
        high: f64,
    },
    /// Between these two, in either direction: it holds at one end and breaks at the other.
    Between(f64, f64),
}

/// A planned search for the breaking point.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct StressPlan {
    /// Number of the first replication.
    pub first: u64,
    /// How many.
    pub replications: u64,
    /// Level of the interval.
    pub level: f64,
    /// Where to look.
    pub search: Search,
    /// Bisection ends when what holds and what breaks are so close, as a share of their values.
    pub tolerance: f64,
    /// Whether only whole numbers make sense.
    pub whole: bool,
}

/// Where one replication breaks.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Breaking {
    /// It holds at `holds` and breaks at `breaks`.
    Point {
        /// The value nearest to the breaking point at which it held.
        holds: f64,
        /// The value nearest to it at which it broke.
        breaks: f64,
    },
    /// It never broke.
    Never,
    /// It broke everywhere.
    Always,
}

impl Breaking {
    /// The middle between what held and what broke.
    pub fn point(&self) -> Option<f64> {
        match self {
            Self::Point { holds, breaks } => Some(0.5 * (holds + breaks)),
            Self::Never | Self::Always => None,
        }
    }
}

/// What a search found.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct Stressed {
    /// Where each replication breaks, in the order of their numbers.
    pub breaking: Vec<Breaking>,
    /// The mean breaking point.
    pub estimate: Estimate,
    /// The value that every replication held at: the one nearest to breaking.
    pub all_hold: Option<f64>,
    /// The value that every replication broke at: the one nearest to holding.
    pub all_break: Option<f64>,
    /// Probability of breaking at `all_hold`: all held, yet there are only so many. Its upper end is
    /// exact at its level and one-sided.
    pub risk: Option<Interval>,
    /// Replications that break a tenth of the way back from the least breaking point, where all
    /// should hold; above zero, more load is not simply worse.
    pub broke_below: u64,
    /// Runs that it took.
    pub runs: u64,
    /// Whether it was stopped.
    pub interrupted: bool,
}

/// Looks for the breaking point of each replication. `load` gives the model at a value; it is
/// called from several threads.
///
/// # Errors
/// The first failure of `load`.
pub fn stress<E: Send>(
    plan: &StressPlan,
    load: &(dyn Fn(f64) -> Result<Loaded, E> + Sync),
    control: &Control<'_>,
) -> Result<Stressed, E> {
    let probe = |replication: u64, value: f64| -> Option<Result<bool, E>> {
        let loaded = match load(value) {
            Ok(loaded) => loaded,
            Err(error) => return Some(Err(error)),
        };
        control.plan(1);
        let simulation = control.simulate(&loaded.model, replication)?;
        control.did_one();
        Some(Ok(loaded.broke(&simulation)))
    };
    let one = |replication: u64, search: Search| {
        let probe = |value: f64| probe(replication, value);
        let mut bisection = Bisection {
            plan,
            probe: &probe,
            runs: 0,
        };
        match bisection.search(search) {
            Ok(found) => Some(Ok((found, bisection.runs))),
            Err(Halt::Failed(error)) => Some(Err(error)),
            Err(Halt::Cancelled) => None,
        }
    };
    // The first replication looks far, the others near where it found something.
    let Some(first) = one(plan.first, plan.search) else {
        return Ok(Stressed::of(plan, Vec::new(), 0, 0, true));
    };
    let (first, mut runs) = first?;
    let near = near(plan, first);
    let rest = control.map(plan.replications.saturating_sub(1) as usize, |i| {
        one(plan.first + 1 + i as u64, near)
    });
    let interrupted = (rest.len() as u64) < plan.replications.saturating_sub(1);
    let mut breaking = vec![first];
    for found in rest {
        let (found, more) = found?;
        breaking.push(found);
        runs += more;
    }
    let mut below = 0;
    if let Some(value) = check_point(plan, &breaking).filter(|_| !interrupted) {
        let checks = control.map(breaking.len(), |i| probe(plan.first + i as u64, value));
        runs += checks.len() as u64;
        for check in checks {
            below += u64::from(check?);
        }
    }
    Ok(Stressed::of(plan, breaking, below, runs, interrupted))
}

/// Why a search ended without a result.
enum Halt<E> {
    /// Told to stop.
    Cancelled,
    /// No model at some value.
    Failed(E),
}

/// One replication's search.
struct Bisection<'a, E> {
    plan: &'a StressPlan,
    probe: &'a (dyn Fn(f64) -> Option<Result<bool, E>> + 'a),
    runs: u64,
}

impl<E> Bisection<'_, E> {
    /// Whether it breaks at a value.
    fn breaks(&mut self, value: f64) -> Result<bool, Halt<E>> {
        self.runs += 1;
        match (self.probe)(value) {
            None => Err(Halt::Cancelled),
            Some(Err(error)) => Err(Halt::Failed(error)),
            Some(Ok(broke)) => Ok(broke),
        }
    }

    fn rounded(&self, value: f64) -> f64 {
        if self.plan.whole {
            libm::round(value)
        } else {
            value
        }
    }

    fn search(&mut self, search: Search) -> Result<Breaking, Halt<E>> {
        let bracket = match search {
            Search::Between(one, other) => match (self.breaks(one)?, self.breaks(other)?) {
                (false, true) => Ok((one, other)),
                (true, false) => Ok((other, one)),
                (false, false) => Err(Breaking::Never),
                (true, true) => Err(Breaking::Always),
            },
            Search::From {
                start,
                step,
                low,
                high,
            } => self.bracket(start, step, (low, high))?,
        };
        match bracket {
            Ok((holds, breaks)) => self.narrow(holds, breaks),
            Err(without) => Ok(without),
        }
    }

    /// Steps away from `start` until it holds on one side and breaks on the other.
    fn bracket(
        &mut self,
        start: f64,
        mut step: f64,
        (low, high): (f64, f64),
    ) -> Result<Result<(f64, f64), Breaking>, Halt<E>> {
        // With whole numbers every step is one at least.
        let least = f64::from(self.plan.whole);
        let mut at = self.rounded(start);
        let down = self.breaks(at)?;
        loop {
            let next = if down {
                self.rounded((at / step).min(at - least).max(low))
            } else {
                self.rounded((at * step).max(at + least).min(high))
            };
            if (down && next >= at) || (!down && next <= at) {
                return Ok(Err(if down {
                    Breaking::Always
                } else {
                    Breaking::Never
                }));
            }
            match (down, self.breaks(next)?) {
                (true, false) => return Ok(Ok((next, at))),
                (false, true) => return Ok(Ok((at, next))),
                _ => (at, step) = (next, widened(step)),
            }
        }
    }

    fn narrow(&mut self, mut holds: f64, mut breaks: f64) -> Result<Breaking, Halt<E>> {
        for _ in 0..STEPS_MAX {
            let middle = self.rounded(0.5 * (holds + breaks));
            let room = self.plan.tolerance * holds.abs().max(breaks.abs());
            let same = |a: f64, b: f64| a.to_bits() == b.to_bits();
            if (breaks - holds).abs() <= room || same(middle, holds) || same(middle, breaks) {
                break;
            }
            if self.breaks(middle)? {
                breaks = middle;
            } else {
                holds = middle;
            }
        }
        Ok(Breaking::Point { holds, breaks })
    }
}

/// Small steps grow, so that what is far is reached soon all the same; none is more than doubling.
fn widened(step: f64) -> f64 {
    (step * step).min(2.0)
}

/// Where the other replications look, after the first has found something.
fn near(plan: &StressPlan, first: Breaking) -> Search {
    match (plan.search, first.point()) {
        (Search::From { low, high, .. }, Some(point)) => Search::From {
            start: point,
            step: 1.05,
            low,
            high,
        },
        (search, _) => search,
    }
}

/// A value at which all replications should hold with room to spare.
fn check_point(plan: &StressPlan, breaking: &[Breaking]) -> Option<f64> {
    let held: Option<Vec<f64>> = breaking
        .iter()
        .map(|b| match b {
            Breaking::Point { holds, .. } => Some(*holds),
            _ => None,
        })
        .collect();
    let held = held?;
    let increasing = matches!(
        breaking.first(),
        Some(Breaking::Point { holds, breaks }) if holds < breaks
    );
    let round = |v: f64| if plan.whole { libm::round(v) } else { v };
    if increasing {
        held.iter()
            .copied()
            .min_by(f64::total_cmp)
            .map(|v| round(v * 0.9))
    } else {
        None
    }
}

impl Stressed {
    fn of(
        plan: &StressPlan,
        breaking: Vec<Breaking>,
        broke_below: u64,
        runs: u64,
        interrupted: bool,
    ) -> Self {
        let points: Vec<f64> = breaking.iter().filter_map(Breaking::point).collect();
        let missing = (breaking.len() - points.len()) as u64;
        let estimate = if breaking.is_empty() || missing > 0 {
            let of = breaking.len() as u64;
            Estimate::withheld(None, Withheld::NothingMeasured { missing, of })
        } else {
            statistics::mean(&points, plan.level).unless_same()
        };
        let ends = |of: fn(&Breaking) -> Option<f64>| -> Vec<f64> {
            breaking.iter().filter_map(of).collect()
        };
        let held = ends(|b| match b {
            Breaking::Point { holds, .. } => Some(*holds),
            _ => None,
        });
        let broken = ends(|b| match b {
            Breaking::Point { breaks, .. } => Some(*breaks),
            _ => None,
        });
        let increasing = held.first() < broken.first();
        let least = |v: &[f64]| v.iter().copied().min_by(f64::total_cmp);
        let most = |v: &[f64]| v.iter().copied().max_by(f64::total_cmp);
        let whole = missing == 0 && !breaking.is_empty();
        let (all_hold, all_break) = if increasing {
            (least(&held), most(&broken))
        } else {
            (most(&held), least(&broken))
        };
        Self {
            risk: statistics::none_seen(points.len() as u64, plan.level).filter(|_| whole),
            all_hold: all_hold.filter(|_| whole),
            all_break: all_break.filter(|_| whole),
            breaking,
            estimate,
            broke_below,
            runs,
            interrupted,
        }
    }

    /// Replications that never broke, and those that always did.
    pub fn without_point(&self) -> (u64, u64) {
        let count = |what: Breaking| self.breaking.iter().filter(|b| **b == what).count() as u64;
        (count(Breaking::Never), count(Breaking::Always))
    }
}

#[cfg(test)]
mod tests;
