//! From replications to intervals, or to the reason why there are none.

use super::measure::{Kind, Measure, Observation};
use super::nature::{Nature, unsteady};
use super::run::Run;
use crate::model::Model;
use crate::statistics::{self, Estimate, MIN_EVENTS, Withheld};

/// Level of the test for growth. Strict, because it is asked of every experiment.
const GROWTH_LEVEL: f64 = 0.999;

/// Growth over the second half of what was measured that matters, as a share of the mean there.
const GROWTH_SHARE: f64 = 0.1;

/// The estimate of each measure, in their order, from replications in the order of their numbers.
pub fn estimates(model: &Model, measures: &[Measure], runs: &[Run], level: f64) -> Vec<Estimate> {
    let obstacle = obstacle(model, runs);
    let given = ended_early(runs);
    measures
        .iter()
        .enumerate()
        .map(|(at, measure)| {
            let obstacle = if measure.is_given() { given } else { obstacle };
            match obstacle {
                Some(reason) => Estimate::withheld(None, reason),
                None => estimate(measure, &column(runs, at), level),
            }
        })
        .collect()
}

/// A value for each replication whose mean is the estimate of the measure, and whose variance is
/// that of the estimate: the figures themselves, or, for a ratio, the ratio plus what each
/// replication moves it by (the delta method). Differences between models are taken of these.
///
/// # Errors
/// The reason why nothing can be said.
pub fn series(measure: &Measure, runs: &[Run], at: usize) -> Result<Vec<f64>, Withheld> {
    let column = column(runs, at);
    enough_events(measure, rarer(measure, &column))?;
    values(measure, &column)
}

/// The same for two models whose difference is wanted. A share must rest on enough events in both
/// together: that nothing ever failed on one side is no reason not to say how much better it is.
pub(super) fn two_series(
    measure: &Measure,
    (left, right): (&[Run], &[Run]),
    at: usize,
) -> Result<(Vec<f64>, Vec<f64>), Withheld> {
    let (left, right) = (column(left, at), column(right, at));
    let both = [left.clone(), right.clone()].concat();
    enough_events(measure, rarer(measure, &both))?;
    Ok((values(measure, &left)?, values(measure, &right)?))
}

fn column(runs: &[Run], at: usize) -> Vec<Option<Observation>> {
    runs.iter().map(|run| run.observations[at]).collect()
}

/// What stands in the way of every estimate.
pub(super) fn obstacle(model: &Model, runs: &[Run]) -> Option<Withheld> {
    let early = ended_early(runs);
    if early.is_some() || !Nature::of(model).is_steady() {
        return early;
    }
    unsteady(model).or_else(|| growing(runs))
}

fn ended_early(runs: &[Run]) -> Option<Withheld> {
    let early = runs.iter().filter(|run| !run.complete).count() as u64;
    (early > 0).then_some(Withheld::EndedEarly { runs: early })
}

fn growing(runs: &[Run]) -> Option<Withheld> {
    let slopes: Option<Vec<f64>> = runs.iter().map(|run| run.growth_hz).collect();
    let slopes = slopes?;
    let least = statistics::mean(&slopes, GROWTH_LEVEL).interval()?.low;
    let levels: Vec<f64> = runs.iter().map(|run| run.level).collect();
    let level = statistics::Moments::of(&levels).mean();
    let half_s = runs.iter().map(|run| run.half_s).fold(0.0, f64::max);
    // In many replications even a growth that nobody would notice shows.
    (least > 0.0 && least * half_s > GROWTH_SHARE * level)
        .then_some(Withheld::StillGrowing { at_least_hz: least })
}

fn values(measure: &Measure, column: &[Option<Observation>]) -> Result<Vec<f64>, Withheld> {
    let of = column.len() as u64;
    let seen: Vec<Observation> = column.iter().copied().flatten().collect();
    let missing = of - seen.len() as u64;
    if missing > 0 || of == 0 {
        return Err(Withheld::NothingMeasured { missing, of });
    }
    match &measure.kind {
        Kind::Plain | Kind::Rate => {}
        Kind::Weighted(_) | Kind::Share { .. } => return pseudo_values(&seen),
        Kind::Quantile { p, .. } => {
            let have = seen.iter().map(|s| s.weight as u64).min().unwrap_or(0);
            let need = statistics::quantile_needs(*p);
            if have < need {
                return Err(Withheld::BeyondData {
                    quantile: *p,
                    have,
                    need,
                });
            }
        }
    }
    Ok(seen.iter().map(|s| s.value).collect())
}

/// Events behind a share, of whichever kind is rarer; `None` for what is no share.
fn rarer(measure: &Measure, column: &[Option<Observation>]) -> Option<u64> {
    if !matches!(measure.kind, Kind::Share { .. }) {
        return None;
    }
    let seen = column.iter().flatten();
    let (good, all) = seen.fold((0.0, 0.0), |(good, all), o| {
        (good + o.value * o.weight, all + o.weight)
    });
    Some(libm::round(good.min(all - good)) as u64)
}

pub(super) fn enough_events(measure: &Measure, have: Option<u64>) -> Result<(), Withheld> {
    debug_assert_eq!(have.is_some(), matches!(measure.kind, Kind::Share { .. }));
    match have {
        Some(have) if have < MIN_EVENTS => Err(Withheld::TooFewEvents {
            have,
            need: MIN_EVENTS,
        }),
        _ => Ok(()),
    }
}

fn pseudo_values(seen: &[Observation]) -> Result<Vec<f64>, Withheld> {
    let above: Vec<f64> = seen.iter().map(|s| s.value * s.weight).collect();
    let below: Vec<f64> = seen.iter().map(|s| s.weight).collect();
    let of = seen.len() as u64;
    statistics::ratio_values(&above, &below).ok_or(Withheld::NothingMeasured { missing: of, of })
}

/// An estimate from what each replication says.
pub(super) fn estimate(measure: &Measure, column: &[Option<Observation>], level: f64) -> Estimate {
    let found =
        enough_events(measure, rarer(measure, column)).and_then(|()| values(measure, column));
    match found {
        Ok(values) => statistics::mean(&values, level),
        Err(reason) => {
            // The mean as it is, for reasons that leave it standing.
            let seen: Vec<Observation> = column.iter().copied().flatten().collect();
            let weight: f64 = seen.iter().map(|s| s.weight).sum();
            let sum: f64 = seen.iter().map(|s| s.value * s.weight).sum();
            Estimate::withheld((weight > 0.0).then(|| sum / weight), reason)
        }
    }
}
