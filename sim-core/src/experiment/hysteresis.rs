//! Load up, then down: where a system breaks, and where it recovers.
//!
//! A system that breaks at one load and recovers only at a lower one has two states in between:
//! which it is in depends on where it comes from. That is what makes overload outlast its trigger
//! (N. Bronson, A. Aghayev, A. Charapko, T. Zhu, "Metastable Failures in Distributed Systems",
//! `HotOS` 2021).

use super::control::Control;
use super::recovery::{
    answered, holds, is_too_much, kept_up, unbounded_load, waiting, waits_for_ever,
};
use crate::metric::Condition;
use crate::model::{Model, Rate, RatePoint};
use crate::scenario::TEN_YEARS;
use crate::statistics::{self, Estimate, Interval, Withheld, paired_difference};
use crate::time::{Duration, Instant};
use std::sync::Arc;

/// A staircase of loads, up and down again.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ramp {
    /// Factor of the rates on the lowest step, above 0.
    pub low: f64,
    /// Factor on the highest step.
    pub high: f64,
    /// Steps from the lowest to the highest, both included; at least 2.
    pub steps: usize,
    /// Time on each step; its second half is looked at.
    pub hold: Duration,
    /// Share of requests answered in time from which on a step is well.
    pub healthy: f64,
}

impl Ramp {
    /// The factors going up.
    pub fn factors(&self) -> Vec<f64> {
        let last = self.steps.max(2) - 1;
        let at = |i: usize| self.low + (self.high - self.low) * i as f64 / last as f64;
        (0..=last).map(at).collect()
    }

    /// From one step to the next.
    pub fn step(&self) -> f64 {
        (self.high - self.low) / (self.steps.max(2) - 1) as f64
    }

    /// The model with the ramp as its traffic. What happens in its time line is left out: the load
    /// is to be the only thing that changes.
    ///
    /// # Errors
    /// Says why, when the model has no rate that could be ramped, or when it would take too long.
    pub fn model(&self, model: &Model) -> Result<Model, String> {
        let rated = |s: &&crate::model::Source| s.arrivals.def.uses_rate;
        if !model.sources.iter().any(|s| rated(&s)) {
            return Err("no traffic has a rate that could go up and down".to_owned());
        }
        if let Some(source) = model
            .sources
            .iter()
            .find(|s| rated(s) && !s.rate.is_constant())
        {
            return Err(format!(
                "the rate of `{}` varies by itself: give it one number",
                source.name
            ));
        }
        let time = (2 * self.steps as u64).checked_mul(self.hold.0);
        if time.is_none_or(|time| time > TEN_YEARS.0) {
            return Err("the ramp takes longer than ten years".to_owned());
        }
        let up = self.factors();
        let stairs: Vec<f64> = up.iter().chain(up.iter().rev().skip(1)).copied().collect();
        let mut ramped = model.clone();
        for source in &mut ramped.sources {
            let rate_hz = source.rate.initial_hz();
            let mut corners = Vec::new();
            for (i, factor) in stairs.iter().enumerate() {
                let rate_hz = rate_hz * factor;
                let from = Instant(i as u64 * self.hold.0);
                let until = Instant((i as u64 + 1) * self.hold.0 - 1);
                corners.push(RatePoint { at: from, rate_hz });
                corners.push(RatePoint { at: until, rate_hz });
            }
            source.rate = Rate::line(corners);
        }
        ramped.horizon = Duration(stairs.len() as u64 * self.hold.0);
        ramped.warm_up = Duration::ZERO;
        let finest = Duration((self.hold.0 / 20).max(1_000_000));
        ramped.recording.interval = ramped.recording.interval.min(finest);
        ramped.timeline.clear();
        ramped.unwatch();
        Ok(ramped)
    }
}

/// One replication's way up and down: the share of requests answered in time on each step.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct Ramped {
    /// From the lowest step to the highest.
    pub up: Vec<f64>,
    /// The same steps on the way down; the highest is the same.
    pub down: Vec<f64>,
    /// The lowest step on which it was not well going up; with 0 there is no breaking point: it was
    /// not well at the lowest load tried.
    pub breaks: Option<usize>,
    /// The highest step on which, going down, it was well and stayed so.
    pub recovers: Option<usize>,
    /// Whether on every step down that was not well less waited at the servers at its end than at its start: what
    /// was left from above was being worked off, and nothing fed it. Steps that count are at least two below the
    /// one on which it broke: of the next one the load may be just what can be done.
    pub drains: bool,
}

/// What ramps say.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct Hysteresis {
    /// Factors of the rates, step by step.
    pub factors: Vec<f64>,
    /// The replications.
    pub ramped: Vec<Ramped>,
    /// Factor at which it breaks going up. Within a step nothing is known, so the interval is wider by
    /// half a step on either side than that of the mean over replications.
    pub breaks: Estimate,
    /// Factor at which it recovers going down, as wide.
    pub recovers: Estimate,
    /// The first less the second: how wide the region is in which both states last. Its interval is wider
    /// by a whole step on either side, half a one for each of the two.
    pub gap: Estimate,
    /// From one step to the next: the ramp's resolution.
    pub step: f64,
    /// Whether it was stopped.
    pub interrupted: bool,
}

impl Ramped {
    /// Whether it was well at first and broke on the way up.
    pub fn broke(&self) -> bool {
        self.breaks.is_some_and(|step| step > 0)
    }
}

impl Hysteresis {
    /// Replications that were not well even at the lowest load, and so say nothing of breaking.
    pub fn never_well(&self) -> usize {
        let ill = |r: &&Ramped| r.breaks == Some(0);
        self.ramped.iter().filter(ill).count()
    }

    /// Whether it surely recovers at a lower load only than it breaks at: beyond chance and beyond
    /// the ramp's resolution; or never recovers at all; and not only because a backlog takes longer than a step.
    /// `None` when it never broke, or was never well.
    pub fn is_metastable(&self) -> Option<bool> {
        let broke = self.ramped.iter().filter(|r| r.broke()).count();
        if broke == 0 {
            return None;
        }
        let stuck = self
            .ramped
            .iter()
            .filter(|r| r.broke() && r.recovers.is_none())
            .count();
        Some((self.is_wide() || stuck * 2 > broke) && !self.only_drains())
    }

    /// Whether it surely recovers at a lower load only than it breaks at.
    pub fn is_wide(&self) -> bool {
        self.gap.interval().is_some_and(|gap| gap.low > 0.0)
    }

    /// Whether most of those that broke only worked off what was left from above on their way down: with longer
    /// steps they would recover sooner.
    pub fn only_drains(&self) -> bool {
        let broke = self.ramped.iter().filter(|r| r.broke()).count();
        let drain = self.ramped.iter().filter(|r| r.broke() && r.drains);
        drain.count() * 2 > broke
    }
}

/// Ramps the load of a model up and down in several replications. A step is not well when one of
/// `broken` holds on it; without any, and where they have nothing to look at, when too few are answered.
///
/// # Errors
/// Says why, when the model has no rate that could be ramped.
pub fn hysteresis(
    model: &Model,
    ramp: &Ramp,
    broken: &[Condition],
    (first, replications): (u64, u64),
    level: f64,
    control: &Control<'_>,
) -> Result<Hysteresis, String> {
    let ramped_model = Arc::new(ramp.model(model)?);
    let patient = waits_for_ever(model);
    let load = if patient { unbounded_load(model) } else { 0.0 };
    let up = ramp.factors();
    let factors: Vec<f64> = up.iter().chain(up.iter().rev().skip(1)).copied().collect();
    control.plan(replications);
    let ramped = control.map(replications as usize, |i| {
        let simulation = control.simulate(&ramped_model, first + i as u64)?;
        control.did_one();
        let (mut shares, mut well, mut shrinks) = (Vec::new(), Vec::new(), Vec::new());
        for (step, factor) in factors.iter().enumerate() {
            let from = Instant(step as u64 * ramp.hold.0 + ramp.hold.0 / 2);
            let until = Instant((step as u64 + 1) * ramp.hold.0);
            // A run that a limit ended was not well from there on.
            let ended = simulation.now() < until;
            let share = if ended {
                0.0
            } else if patient {
                kept_up(&simulation, from, until)
            } else {
                answered(&simulation, from, until)
            };
            let told: Vec<bool> = (broken.iter())
                .filter_map(|condition| holds(&simulation, condition, from, until))
                .collect();
            shares.push(share);
            let [before, after] = [step as u64, step as u64 + 1]
                .map(|step| waiting(&simulation, Instant(step * ramp.hold.0)));
            shrinks.push(!ended && (after as f64) < SHRINKS * before as f64);
            well.push(if ended || told.is_empty() {
                share >= ramp.healthy && !is_too_much(load * factor)
            } else {
                !told.contains(&true)
            });
        }
        Some(judge(&shares, &well, &shrinks))
    });
    let interrupted = (ramped.len() as u64) < replications;
    let factors = ramp.factors();
    let half = 0.5 * ramp.step();
    let of = ramped.len() as u64;
    // Of those that broke; never beyond the steps that were tried.
    let points = |step: fn(&Ramped) -> Option<usize>, off: f64| -> Vec<f64> {
        let point = |r: &Ramped| step(r).map(|at| (factors[at] + off).clamp(ramp.low, ramp.high));
        let broken = ramped.iter().filter(|r| r.broke());
        broken.filter_map(point).collect()
    };
    // Between the last step that was well and the first that was not.
    let breaks = points(|r| r.breaks, -half);
    let recovers = points(|r| r.recovers, half);
    let estimate = |points: &[f64]| {
        let missing = of - points.len() as u64;
        if missing > 0 || of == 0 {
            return Estimate::withheld(None, Withheld::NothingMeasured { missing, of });
        }
        wider(statistics::mean(points, level), half)
    };
    let gap = if breaks.len() == recovers.len() && breaks.len() as u64 == of && of > 0 {
        wider(paired_difference(&breaks, &recovers, level), ramp.step())
    } else {
        let missing = of - (breaks.len().min(recovers.len()) as u64);
        Estimate::withheld(None, Withheld::NothingMeasured { missing, of })
    };
    Ok(Hysteresis {
        breaks: estimate(&breaks),
        recovers: estimate(&recovers),
        gap,
        step: ramp.step(),
        factors,
        ramped,
        interrupted,
    })
}

/// The same, its interval wider on either side by what is not known of each value.
pub(super) fn wider(estimate: Estimate, by: f64) -> Estimate {
    match estimate {
        Estimate::Interval(mean) => Estimate::Interval(Interval {
            low: mean.low - by,
            high: mean.high + by,
            ..mean
        }),
        withheld @ Estimate::Withheld { .. } => withheld,
    }
}

/// A queue that is worked off is at most this part of what it was a step before.
const SHRINKS: f64 = 0.99;

fn judge(shares: &[f64], well: &[bool], shrinks: &[bool]) -> Ramped {
    let steps = shares.len().div_ceil(2);
    let up = shares[..steps].to_vec();
    let mut down = shares[steps - 1..].to_vec();
    down.reverse();
    let breaks = well[..steps].iter().position(|well| !well);
    // The last step on the way down that was not well; everything below it was.
    let ill = well[steps - 1..].iter().rev().position(|well| !well);
    let recovers = match ill {
        Some(0) => None,
        Some(step) => Some(step - 1),
        None => Some(steps - 1),
    };
    let below = |step: &usize| breaks.is_some_and(|breaks| shares.len() - step < breaks);
    let mut ill_below = (steps..shares.len())
        .filter(below)
        .filter(|step| !well[*step]);
    let drains = ill_below.clone().next().is_some() && ill_below.all(|step| shrinks[step]);
    Ramped {
        up,
        down,
        breaks,
        recovers,
        drains,
    }
}

#[cfg(test)]
mod tests {
    use super::super::control::tests::on;
    use super::*;

    /// The retry storm of `models/overload`: 30 workers of 100 ms, callers who wait for a second. The
    /// queue is long enough for the storm and short enough to drain within a step.
    fn storm(retry: &str) -> Model {
        let text = format!(
            "horizon = \"1m\"\ntraffic = [{{ to = \"db\", rate = 100 }}]\nclient = {{ timeout = \"1s\", retry = {retry} }}\n[service.db]\ndemand = {{ kind = \"exponential\", mean = \"100ms\" }}\nserver = [{{ name = \"db\", workers = 30, queue.limit = 600 }}]\n"
        );
        crate::scenario::parse(&text).unwrap_or_else(|p| panic!("{p}"))
    }

    const RAMP: Ramp = Ramp {
        low: 1.0,
        high: 3.4,
        steps: 13,
        hold: Duration::from_secs(60),
        healthy: 0.9,
    };

    #[test]
    fn a_retry_storm_recovers_at_half_of_what_breaks_it() {
        let model = storm("{ kind = \"fixed\", attempts = 2, pause = \"0s\" }");
        let one = on(1, |c| hysteresis(&model, &RAMP, &[], (0, 5), 0.95, c)).expect("rates");
        // It breaks near its capacity of 300/s, and recovers where twice the rate fits: at 150/s.
        let breaks = one.breaks.interval().expect("all break");
        assert!((2.7..3.2).contains(&breaks.mean), "{breaks:?}");
        assert!(
            breaks.half_width() >= 0.5 * one.step,
            "no surer than its steps: {breaks:?}"
        );
        let recovers = one.recovers.interval().expect("all recover");
        assert!((1.2..1.7).contains(&recovers.mean), "{recovers:?}");
        assert_eq!(one.is_metastable(), Some(true), "{one:?}");
        assert!(!one.only_drains());
        let many = on(3, |c| hysteresis(&model, &RAMP, &[], (0, 5), 0.95, c));
        assert_eq!(Ok(one), many);
    }

    #[test]
    fn without_retries_it_recovers_where_it_breaks() {
        let model = storm("\"none\"");
        let found = on(2, |c| hysteresis(&model, &RAMP, &[], (0, 5), 0.95, c)).expect("rates");
        let recovers = found.recovers.interval().expect("all recover");
        assert!(recovers.mean > 2.5, "{recovers:?}");
        assert_eq!(found.is_metastable(), Some(false), "{found:?}");
    }

    #[test]
    fn a_backlog_that_takes_long_is_no_second_state() {
        // Nobody asks twice; the queue has no end, and callers leave what they asked for behind.
        let text = "horizon = \"1m\"\ntraffic = [{ to = \"db\", rate = 100 }]\nclient = { timeout = \"1s\" }\n[service.db]\ndemand = { kind = \"exponential\", mean = \"10ms\" }\nserver = [{ name = \"db\", workers = 1 }]\n";
        let model = crate::scenario::parse(text).unwrap_or_else(|p| panic!("{p}"));
        let ramp = Ramp {
            low: 0.4,
            high: 1.4,
            steps: 11,
            hold: Duration::from_secs(60),
            healthy: 0.9,
        };
        let found = on(2, |c| hysteresis(&model, &ramp, &[], (0, 5), 0.95, c)).expect("rates");
        assert!(found.only_drains(), "{found:?}");
        assert_eq!(found.is_metastable(), Some(false));
    }

    #[test]
    fn what_never_breaks_has_no_hysteresis() {
        let ramp = Ramp { high: 2.0, ..RAMP };
        let found = on(2, |c| {
            hysteresis(&storm("\"none\""), &ramp, &[], (0, 5), 0.95, c)
        });
        let found = found.expect("rates");
        assert_eq!(found.is_metastable(), None);
        assert!(found.breaks.interval().is_none());
    }

    #[test]
    fn what_is_ill_at_the_lowest_load_is_not_metastable() {
        let ramp = Ramp {
            low: 4.0,
            high: 6.0,
            steps: 3,
            ..RAMP
        };
        let found = on(2, |c| {
            hysteresis(&storm("\"none\""), &ramp, &[], (0, 5), 0.95, c)
        });
        let found = found.expect("rates");
        assert_eq!((found.never_well(), found.is_metastable()), (5, None));
        assert!(found.breaks.mean().is_none(), "{found:?}");
    }

    #[test]
    fn callers_who_wait_for_ever_do_not_make_four_times_too_much_well() {
        let text = "horizon = \"1m\"\ntraffic = [{ to = \"web\", rate = 100 }]\n[service.web]\ndemand = { kind = \"exponential\", mean = \"10ms\" }\nserver = [{ name = \"a\", workers = 1 }]\n";
        let model = crate::scenario::parse(text).unwrap_or_else(|p| panic!("{p}"));
        let ramp = Ramp {
            low: 0.25,
            high: 4.0,
            steps: 16,
            hold: Duration::from_secs(30),
            healthy: 0.9,
        };
        let found = on(2, |c| hysteresis(&model, &ramp, &[], (0, 3), 0.95, c)).expect("rates");
        // The step with an offered load of 1 is the fourth.
        let at: Vec<_> = found
            .ramped
            .iter()
            .map(|r| (r.breaks, r.recovers))
            .collect();
        assert_eq!(at, [(Some(3), Some(2)); 3], "{found:?}");
    }

    #[test]
    fn a_rate_that_varies_cannot_be_ramped() {
        let text = "horizon = \"1m\"\ntraffic = [{ name = \"t\", to = \"db\", rate = [[\"0s\", 1], [\"9s\", 2]] }]\n[service.db]\ndemand = \"1ms\"\nserver = [{ name = \"db\", workers = 30 }]\n";
        let model = crate::scenario::parse(text).unwrap_or_else(|p| panic!("{p}"));
        let why = RAMP.model(&model).expect_err("it varies");
        assert!(why.contains("`t`"), "{why}");
        let endless = Ramp {
            hold: Duration::MAX,
            ..RAMP
        };
        let why = endless.model(&storm("\"none\"")).expect_err("it ends");
        assert!(why.contains("ten years"), "{why}");
    }
}
