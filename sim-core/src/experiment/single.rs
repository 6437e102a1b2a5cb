//! One long run, cut into batches; and the classical procedures on its parts.
//!
//! Batch means rest on twenty batches. Heidelberger and Welch's test and interval, and MSER-5, look at more and
//! shorter parts, of the same run: four hundred. What they say stands beside the batch means, for those who know these
//! procedures by name, and decides nothing.

use super::control::Control;
use super::estimate::{Judged, Parts};
use super::measure::{Kind, Measure, Observation};
use super::run::{self, Run};
use crate::engine::Simulation;
use crate::histogram::Histogram;
use crate::model::Model;
use crate::statistics::{Analysis, BATCHES, Estimate, MIN_SAMPLES, Needs, Withheld, ratio_values};
use crate::steady::Estimand;
use crate::summary::Summary;
use crate::time::Instant;
use std::sync::Arc;

/// Parts of a batch.
const PARTS: u64 = 20;

/// What the classical procedures say of a measure of one run.
#[derive(Clone, PartialEq, Debug)]
pub struct Classical {
    /// The measure, as the plan numbers them.
    pub measure: usize,
    /// Of its values in parts of equal length; or why it has none.
    pub analysis: Result<Analysis, String>,
    /// How long a part is, in seconds.
    pub part_s: f64,
}

/// What was seen of each measure up to a moment.
struct Seen {
    observations: Vec<Option<Observation>>,
    times: Vec<Option<Arc<Histogram>>>,
}

/// Runs replication number `replication` and estimates from batches of it; `None` if told to stop.
pub(super) fn run(
    model: &Arc<Model>,
    replication: u64,
    (measures, level, estimand): (&[Measure], f64, Estimand),
    control: &Control<'_>,
) -> Option<(Run, Vec<Estimate>, Vec<Classical>)> {
    let mut simulation = Simulation::new(model.clone(), replication);
    let (start, end) = (model.warm_up.0, model.horizon.0);
    let steady = estimand.is_steady(model);
    // Where nothing is steady, nothing has parts that are alike.
    let cuts = if steady { PARTS } else { 1 };
    let batch_ns = (end - start) / BATCHES as u64;
    // Up to the end of each batch, the first of them the end of the warm-up; and the same of parts.
    let mut seen: Vec<Seen> = Vec::new();
    let mut fine: Vec<Vec<Option<Observation>>> = Vec::new();
    for part in 0..=BATCHES as u64 * cuts {
        let (batch, within) = (part / cuts, part % cuts);
        let until = start + batch_ns * batch + batch_ns / cuts * within;
        let until = if batch == BATCHES as u64 { end } else { until };
        if simulation.run_while(Instant(until), || !control.cancelled()) {
            return None;
        }
        let summary = Summary::of(&simulation, 0);
        let observe = |measure: &Measure| match part {
            0 => None,
            _ => measure.observe(&summary),
        };
        let observations: Vec<Option<Observation>> = measures.iter().map(observe).collect();
        if within == 0 {
            seen.push(Seen {
                observations: observations.clone(),
                times: run::times(&simulation, measures),
            });
        }
        fine.push(observations);
    }
    control.hear(&simulation);
    control.did_one();
    let run = Run::of(&simulation, measures);
    let judged = Judged::of(model, std::slice::from_ref(&run), estimand);
    let estimate = |(at, measure): (usize, &Measure)| {
        let whole = run.observations[at];
        if !steady {
            // What happens once has no parts that are alike.
            let need = MIN_SAMPLES;
            let reason = Withheld::TooFewReplications { have: 1, need };
            return Estimate::withheld(whole.map(|o| o.value), reason)
                .needing(Some(Needs::Replications(need)));
        }
        let column: Vec<Option<Observation>> =
            seen.iter().map(|seen| seen.observations[at]).collect();
        let times: Vec<Histogram> = if let Kind::Quantile { .. } = measure.kind {
            let known = seen.iter().filter_map(|seen| seen.times[at].as_deref());
            let known: Vec<&Histogram> = known.collect();
            known
                .windows(2)
                .map(|pair| pair[1].since(pair[0]))
                .collect()
        } else {
            Vec::new()
        };
        let parts = Parts {
            seen: batches(measure, whole, &column),
            times: times.iter().collect(),
            batches: true,
        };
        judged.estimate(measure, &parts, level)
    };
    let estimates: Vec<Estimate> = measures.iter().enumerate().map(estimate).collect();
    let classical = |(at, measure): (usize, &Measure)| {
        // A quantile is no mean, and of a maximum or a count parts say nothing.
        let is_mean = steady && !matches!(measure.kind, Kind::Plain | Kind::Quantile { .. });
        is_mean.then(|| {
            let column: Vec<Option<Observation>> = fine.iter().map(|row| row[at]).collect();
            Classical {
                measure: at,
                analysis: classical(
                    batches(measure, run.observations[at], &column),
                    &estimates[at],
                    level,
                ),
                part_s: (batch_ns / cuts) as f64 * 1e-9,
            }
        })
    };
    let classical = measures.iter().enumerate().filter_map(classical).collect();
    Some((run, estimates, classical))
}

/// What the classical procedures say of the parts of a run. Where the run is no ground for an interval at all, they
/// are none either.
fn classical(
    parts: Vec<Option<Observation>>,
    estimate: &Estimate,
    level: f64,
) -> Result<Analysis, String> {
    if let Some(reason) = estimate.reason()
        && !matches!(reason, Withheld::CorrelatedBatches { .. })
    {
        return Err(reason.to_string());
    }
    let parts: Vec<Observation> = parts.into_iter().flatten().collect();
    let above: Vec<f64> = parts.iter().map(|o| o.value * o.weight).collect();
    let below: Vec<f64> = parts.iter().map(|o| o.weight).collect();
    // A ratio moves with each part as a mean does.
    let values = ratio_values(&above, &below).filter(|values| values.len() > 1);
    let values = values.ok_or("nothing was measured in the parts of the run")?;
    if values.iter().all(|value| value.is_finite()) {
        Ok(Analysis::of(&values, Some(0), level, &[]))
    } else {
        Err(Withheld::NotFinite.to_string())
    }
}

/// From what was seen up to the end of each batch to what each batch saw.
fn batches(
    measure: &Measure,
    whole: Option<Observation>,
    column: &[Option<Observation>],
) -> Vec<Option<Observation>> {
    if whole.is_none() || measure.kind == Kind::Plain {
        return vec![whole; column.len().saturating_sub(1)];
    }
    let cumulated =
        |o: &Option<Observation>| o.map_or((0.0, 0.0), |o| (o.value * o.weight, o.weight));
    let cumulated: Vec<(f64, f64)> = column.iter().map(cumulated).collect();
    let batch = |pair: &[(f64, f64)]| {
        let (above, weight) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
        let value = if weight > 0.0 { above / weight } else { 0.0 };
        Some(Observation { value, weight })
    };
    cumulated.windows(2).map(batch).collect()
}

#[cfg(test)]
mod tests {
    use super::super::control::tests::on;
    use super::super::replicate::{Plan, Stop, replicate};
    use super::*;

    fn estimates(rate: u32, horizon: &str, measures: &[&str]) -> Vec<Estimate> {
        of(
            &format!(
                "horizon = \"{horizon}\"\nwarm_up = \"5s\"\ntraffic = [{{ to = \"web\", rate = {rate} }}]\n[service.web]\ndemand = {{ kind = \"exponential\", mean = \"1ms\" }}\nserver = [{{ name = \"a\", workers = 1, queue = {{ limit = 1000000 }} }}]\n"
            ),
            measures,
        )
    }

    fn of(text: &str, measures: &[&str]) -> Vec<Estimate> {
        let model = Arc::new(crate::scenario::parse(text).unwrap_or_else(|p| panic!("{p}")));
        let plan = Plan {
            measures: measures
                .iter()
                .map(|path| Measure::parse(path, &model).expect("a figure"))
                .collect(),
            first: 0,
            replications: 1,
            level: 0.99,
            precision: None,
            estimand: Estimand::ByNature,
        };
        let found = on(1, |control| replicate(&model, &plan, control));
        assert_eq!(found.stop, Stop::Planned);
        found.estimates
    }

    #[test]
    fn the_classical_procedures_stand_beside_the_batch_means() {
        let of = |rate: u32, horizon: &str| {
            let text = format!(
                "horizon = \"{horizon}\"\nwarm_up = \"5s\"\ntraffic = [{{ to = \"web\", rate = {rate} }}]\n[service.web]\ndemand = {{ kind = \"exponential\", mean = \"1ms\" }}\nserver = [{{ name = \"a\", workers = 1, queue = {{ limit = 1000000 }} }}]\n"
            );
            let model = Arc::new(crate::scenario::parse(&text).unwrap_or_else(|p| panic!("{p}")));
            let measures = ["mean", "p99", "services.web.servers.a.mean_in_system"];
            let measures = measures.map(|path| Measure::parse(path, &model).expect("a figure"));
            let plan = (&measures[..], 0.99, Estimand::ByNature);
            on(1, |control| run(&model, 0, plan, control)).expect("nobody stops it")
        };
        let (_, estimates, classical) = of(500, "5m");
        let measured: Vec<usize> = classical.iter().map(|of| of.measure).collect();
        assert_eq!(measured, [0, 2]);
        for (found, truth) in classical.iter().zip([2e-3, 1.0]) {
            let analysis = found.analysis.as_ref().expect("a steady state");
            assert_eq!(analysis.count, 400);
            let test = analysis.stationarity.as_ref().expect("long enough");
            let interval = test.mean.expect("it is stationary");
            assert!(test.passed && interval.covers(truth), "{interval:?}");
            assert!(!interval.covers(truth * 1.1), "{interval:?}");
            // Both estimate the same error.
            let batch = estimates[found.measure].interval().expect("batch means");
            let ratio = interval.half_width() / batch.half_width();
            assert!((0.4..2.5).contains(&ratio), "{ratio}");
            assert!(analysis.mser5.is_some());
            assert!((found.part_s - 295.0 / 400.0).abs() < 1e-6);
        }
        // What theory says is too short is no ground for them.
        let (_, _, classical) = of(994, "3m");
        let why = classical[0].analysis.as_ref().expect_err("too short");
        assert!(why.contains("0.994"), "{why}");
    }

    #[test]
    fn a_long_run_gives_intervals_that_cover_the_theory() {
        let path = [
            "mean",
            "services.web.servers.a.mean_in_system",
            "wait_s.mean",
        ];
        let found = estimates(500, "5m", &path);
        for (estimate, truth) in found.iter().zip([2e-3, 1.0, 1e-3]) {
            let interval = estimate.interval().expect("nothing speaks against it");
            assert!(interval.covers(truth), "{interval:?}");
            assert!(interval.relative() < 0.1, "{interval:?}");
            assert_eq!(interval.samples, 20);
        }
    }

    #[test]
    fn what_one_run_cannot_say_is_withheld() {
        let found = estimates(500, "30s", &["p99", "requests.arrived"]);
        assert_eq!(found[1].reason(), Some(&Withheld::NeedsReplications));
        assert_eq!(found[1].needs(), Some(Needs::Replications(5)));
        // A relaxation time of 11.7 ms: 2140 of them, of which a hundredth is spent beyond the quantile.
        let Some(Withheld::FewExcursions { have, .. }) = found[0].reason() else {
            panic!("{found:?}");
        };
        assert!((have - 21.4).abs() < 0.1, "{have}");
        assert_eq!(found[0].needs(), Some(Needs::Horizon(130.0)));
        // A relaxation time of 110 s.
        let found = estimates(994, "3m", &["mean"]);
        assert!(
            matches!(found[0].reason(), Some(Withheld::TooShort { .. })),
            "{found:?}"
        );
    }

    #[test]
    fn what_theory_does_not_foresee_is_seen() {
        // Blocked requests come back after half a minute on average, as often as it takes: the number of
        // those who wait to come back forgets as slowly.
        let text = "horizon = \"5m\"\nwarm_up = \"1m\"\ntraffic = [{ to = \"web\", rate = 50 }]\nclient.retry = { kind = \"fixed\", attempts = 1000, pause = \"30s\" }\n[service.web]\ndemand = { kind = \"exponential\", mean = \"10ms\" }\nserver = [{ name = \"a\", workers = 1, queue = { limit = 0 } }]\n";
        let found = of(text, &["mean"]);
        let reason = found[0].reason().map(Withheld::code);
        assert!(
            matches!(
                reason,
                Some("too-short" | "correlated-batches" | "still-growing")
            ),
            "{found:?}"
        );
    }

    #[test]
    fn a_long_run_gives_intervals_for_quantiles() {
        let found = estimates(500, "5m", &["p50", "p90", "p99"]);
        for (estimate, truth) in found.iter().zip([1.386_29e-3, 4.605_17e-3, 9.210_34e-3]) {
            let interval = estimate.interval().expect("nothing speaks against it");
            assert!(interval.covers(truth), "{interval:?}");
            assert!(interval.relative() < 0.05, "{interval:?}");
            assert_eq!(interval.method, crate::statistics::Method::BatchQuantile);
        }
        let hundred_times_off = found[2].interval().expect("as above");
        assert!(
            !hundred_times_off.covers(4.605_17e-3),
            "a wrong truth is left out"
        );
    }
}
