//! The theory suite: what queueing theory and published tables demand of the engine.
//!
//! A case is a scenario with figures and the values they must have: from a formula of
//! [`crate::theory`], or a number with its source. Cases are data (`suite/*.toml`). Each is run in
//! independent replications and judged by its class:
//!
//! | class | reference | demanded |
//! |---|---|---|
//! | `=` | exact, and no chance involved | equality |
//! | `A` | exact, light tail | standard error at most 0.25 % (fast: 0.4 %), mean within 4 of them, or within 0.1 % |
//! | `B` | exact, high load or heavy tail | standard error at most 1 %, mean within 4 of them |
//! | `C` | a limit or an approximation | mean within the tolerance given, which holds its bias |
//! | `D` | somebody's simulation | mean within 4 standard errors of both, or the tolerance given |
//!
//! Four standard errors, because a suite of two hundred comparisons at two of them would fail ten
//! by chance. A comparison is *sharp* when it would refuse a reference that is 2 % off, on either
//! side; those that are not are counted and said to be so, apart by whether the measurement is too
//! wide or the reference too loosely known.

mod figures;
mod judge;
mod suite;

pub use figures::{FIGURES, FigureDef};
pub use judge::{Class, Effort, Judged, Sight, Verdict};
pub use suite::{Case, Demand, cases};

use crate::engine::Simulation;
use crate::experiment::Control;
use crate::model::Model;
use crate::record::RequestRecord;
use crate::summary::Summary;
use crate::time::{Instant, SECOND};
use figures::Measured;
use std::sync::Arc;

/// Events between two looks at whether to stop.
const SLICE: u64 = 500_000;

/// What came out of a case.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// Its comparisons, in the order of the case's demands.
    Compared(Vec<Judged>),
    /// It needs something that Stampede cannot do yet.
    NotBuilt(String),
    /// It has no short form, and the run was to be short.
    TooLong,
    /// Told to stop before its end.
    Interrupted,
}

/// How the suite is run.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Options {
    /// How much may be spent.
    pub effort: Effort,
    /// Multiplies every reference: with anything but 1 one sees that wrong references are refused.
    pub shift: f64,
    /// Seed of every scenario.
    pub seed: u64,
}

/// Runs a case.
///
/// # Errors
/// A mistake in the case itself: a scenario that is not valid, a formula without a value.
pub fn run(case: &Case, options: &Options, control: &Control<'_>) -> Result<Outcome, String> {
    let effort = options.effort;
    if let Some(needs) = &case.needs {
        return Ok(Outcome::NotBuilt(needs.clone()));
    }
    let Some(model) = case.model(effort, options.seed)? else {
        return Ok(Outcome::TooLong);
    };
    let twin = case.twin(effort, options.seed)?;
    let replications = case.replications(effort) as usize;
    control.plan(replications as u64);
    let rows = control.map(replications, |replication| {
        let row = measure(case, &model, twin.as_ref(), replication as u64, control)?;
        control.did_one();
        Some(row)
    });
    if rows.len() < replications {
        return Ok(Outcome::Interrupted);
    }
    let judged = |(i, demand): (usize, &Demand)| {
        let values: Option<Vec<f64>> = rows.iter().map(|row| row[i]).collect();
        let values = values.ok_or(format!("{}: {} has no value", case.id, demand.text))?;
        let expected = crate::theory::evaluate(&demand.expected)?;
        Ok(judge::judge(
            &values,
            expected * options.shift,
            demand.class,
            effort,
        ))
    };
    let compared: Result<Vec<Judged>, String> =
        case.demands.iter().enumerate().map(judged).collect();
    compared.map(Outcome::Compared)
}

/// One replication of a case: the value of each figure; `None` if told to stop.
fn measure(
    case: &Case,
    model: &Arc<Model>,
    twin: Option<&Arc<Model>>,
    replication: u64,
    control: &Control<'_>,
) -> Option<Vec<Option<f64>>> {
    let mut times: Vec<u64> = case
        .demands
        .iter()
        .flat_map(|demand| demand.figure.moments(&demand.arguments, model))
        .collect();
    times.sort_unstable();
    times.dedup();
    let (simulation, log, samples) = simulate(model, replication, &times, control)?;
    let other = match twin {
        Some(twin) => simulate(twin, replication, &[], control)?.1,
        None => Vec::new(),
    };
    let measured = Measured {
        summary: &Summary::of(&simulation, 0),
        simulation: &simulation,
        log: &log,
        twin: &other,
        samples: &samples,
    };
    let value = |demand: &Demand| (demand.figure.of)(&measured, &demand.arguments);
    Some(case.demands.iter().map(value).collect())
}

/// A moment and the number of requests then in all servers.
type Sample = (u64, u32);

fn simulate(
    model: &Arc<Model>,
    replication: u64,
    times: &[u64],
    control: &Control<'_>,
) -> Option<(Simulation, Vec<RequestRecord>, Vec<Sample>)> {
    let mut simulation = Simulation::new(model.clone(), replication);
    let (mut log, mut samples) = (Vec::new(), Vec::with_capacity(times.len()));
    for &at in times.iter().filter(|at| **at <= model.horizon.0) {
        simulation.run_until(Instant(at));
        let servers = simulation.snapshot().servers;
        samples.push((at, servers.iter().map(|s| s.in_system).sum()));
    }
    while simulation.run_events(SLICE) {
        log.append(&mut simulation.recorder_mut().take_log());
        if control.cancelled() {
            return None;
        }
    }
    log.append(&mut simulation.recorder_mut().take_log());
    Some((simulation, log, samples))
}

/// A time unit of the suite, one second, in nanoseconds.
const UNIT: f64 = SECOND as f64;

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroUsize;
    use std::sync::atomic::AtomicBool;

    fn outcome(name: &str, shift: f64) -> Vec<Verdict> {
        let all = cases().expect("the suite is well-formed");
        let case = all.iter().find(|case| case.name() == name);
        let case = case.unwrap_or_else(|| panic!("no case {name:?}"));
        let cancel = AtomicBool::new(false);
        let control = Control::new(NonZeroUsize::MIN, &cancel, &|_| {});
        let options = Options {
            effort: Effort::Fast,
            shift,
            seed: 1,
        };
        match run(case, &options, &control) {
            Ok(Outcome::Compared(compared)) => compared.iter().map(|c| c.verdict).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_case_can_be_run_and_says_where_it_is_from() {
        let all = cases().expect("the suite is well-formed");
        for case in &all {
            let name = case.name();
            assert!(!case.source.is_empty(), "{name} has no source");
            assert!(
                !case.runs(Effort::Full) || case.requests(Effort::Full) > 0.0,
                "{name} is not valid: {:?}",
                case.model(Effort::Full, 1).err()
            );
            assert!(case.twin(Effort::Full, 1).is_ok(), "{name}");
            assert_eq!(case.demands.is_empty(), case.needs.is_some(), "{name}");
            for demand in &case.demands {
                let value = crate::theory::evaluate(&demand.expected);
                assert!(value.is_ok(), "{name}: {value:?}");
            }
        }
        for number in 1..=28 {
            let id = format!("P{number:02}");
            assert!(all.iter().any(|case| case.id == id), "no case {id}");
        }
    }

    #[test]
    fn names_are_unique() {
        let names: Vec<String> = cases()
            .expect("the suite is well-formed")
            .iter()
            .map(Case::name)
            .collect();
        for (i, name) in names.iter().enumerate() {
            assert!(!names[..i].contains(name), "two cases are called {name:?}");
        }
    }

    #[test]
    fn references_two_per_cent_off_are_refused() {
        for name in [
            "P03 Erlang loss, 10 places, load 8",
            "P03 M/M/1/5, rate 0.8",
            "P22 Gast's table: 2 of 100 with replacement, load 0.7",
        ] {
            assert!(
                outcome(name, 1.0).iter().all(|v| *v == Verdict::Passed),
                "{name}"
            );
            for shift in [0.98, 1.02] {
                let verdicts = outcome(name, shift);
                assert!(
                    verdicts.iter().all(|v| *v == Verdict::Failed),
                    "{name} × {shift}: {verdicts:?}"
                );
            }
        }
    }
}
