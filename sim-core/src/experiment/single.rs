//! One long run, cut into batches.

use super::control::Control;
use super::estimate::obstacle;
use super::measure::{Kind, Measure, Observation};
use super::nature::Nature;
use super::run::Run;
use crate::engine::Simulation;
use crate::model::Model;
use crate::statistics::{
    BATCHES, Estimate, MIN_EVENTS, MIN_SAMPLES, Withheld, batch_means, ratio_values,
};
use crate::summary::Summary;
use crate::time::Instant;
use std::sync::Arc;

/// Parts of a run between two looks at whether to stop.
const SLICES: u64 = 200;

/// Runs replication number `replication` and estimates from batches of it; `None` if told to stop.
pub(super) fn run(
    model: &Arc<Model>,
    replication: u64,
    measures: &[Measure],
    level: f64,
    control: &Control<'_>,
) -> Option<(Run, Vec<Estimate>)> {
    let mut simulation = Simulation::new(model.clone(), replication);
    let (start, end) = (model.warm_up.0, model.horizon.0);
    // What was seen up to the end of each batch, the first of them the end of the warm-up.
    let mut seen: Vec<Vec<Option<Observation>>> = Vec::new();
    for batch in 0..=BATCHES as u64 {
        let until = start + (end - start) / BATCHES as u64 * batch;
        let until = if batch == BATCHES as u64 { end } else { until };
        let step = (model.horizon.0 / SLICES).max(1);
        while simulation.now().0 < until && simulation.end().is_none() {
            let next = (simulation.now().0 + step).min(until);
            simulation.run_until(Instant(next));
            if control.cancelled() {
                return None;
            }
        }
        let summary = Summary::of(&simulation, 0);
        let observe = |measure: &Measure| match batch {
            0 => None,
            _ => measure.observe(&summary),
        };
        seen.push(measures.iter().map(observe).collect());
    }
    control.did_one();
    let run = Run::of(&simulation, measures);
    let obstacle = if Nature::of(model).is_steady() {
        obstacle(model, std::slice::from_ref(&run))
    } else {
        Some(Withheld::TooFewReplications {
            have: 1,
            need: MIN_SAMPLES,
        })
    };
    let estimate = |(at, measure): (usize, &Measure)| {
        let whole = run.observations[at];
        if let Some(reason) = obstacle {
            return Estimate::withheld(whole.map(|o| o.value), reason);
        }
        let column: Vec<Option<Observation>> = seen.iter().map(|row| row[at]).collect();
        batches(measure, whole, &column, level)
    };
    let estimates = measures.iter().enumerate().map(estimate).collect();
    Some((run, estimates))
}

/// From what was seen up to the end of each batch to an estimate.
fn batches(
    measure: &Measure,
    whole: Option<Observation>,
    column: &[Option<Observation>],
    level: f64,
) -> Estimate {
    let mean = whole.map(|o| o.value);
    let Some(whole) = whole else {
        return Estimate::withheld(None, Withheld::NothingMeasured { missing: 1, of: 1 });
    };
    match measure.kind {
        // Neither a maximum nor a count nor a quantile of the whole is made of its parts.
        Kind::Plain | Kind::Quantile { .. } => {
            return Estimate::withheld(mean, Withheld::NeedsReplications);
        }
        Kind::Share { .. } => {
            let good = whole.value * whole.weight;
            let have = libm::round(good.min(whole.weight - good)) as u64;
            if have < MIN_EVENTS {
                return Estimate::withheld(
                    mean,
                    Withheld::TooFewEvents {
                        have,
                        need: MIN_EVENTS,
                    },
                );
            }
        }
        Kind::Rate | Kind::Weighted(_) => {}
    }
    let cumulated =
        |o: &Option<Observation>| o.map_or((0.0, 0.0), |o| (o.value * o.weight, o.weight));
    let cumulated: Vec<(f64, f64)> = column.iter().map(cumulated).collect();
    let above: Vec<f64> = cumulated.windows(2).map(|w| w[1].0 - w[0].0).collect();
    let below: Vec<f64> = cumulated.windows(2).map(|w| w[1].1 - w[0].1).collect();
    let Some(values) = ratio_values(&above, &below) else {
        return Estimate::withheld(None, Withheld::NothingMeasured { missing: 1, of: 1 });
    };
    // Fewer and longer batches would be less correlated, but a test on ten of them finds nothing.
    batch_means(&values, BATCHES, level).map_or_else(
        || Estimate::withheld(mean, Withheld::NeedsReplications),
        |batches| batches.estimate,
    )
}

#[cfg(test)]
mod tests {
    use super::super::control::tests::on;
    use super::super::replicate::{Plan, Stop, replicate};
    use super::*;

    fn estimates(rate: u32, horizon: &str, measures: &[&str]) -> Vec<Estimate> {
        let text = format!(
            "horizon = \"{horizon}\"\nwarm_up = \"5s\"\ntraffic = [{{ to = \"web\", rate = {rate} }}]\n[service.web]\ndemand = {{ kind = \"exponential\", mean = \"1ms\" }}\nserver = [{{ name = \"a\", workers = 1, queue = {{ limit = 1000000 }} }}]\n"
        );
        let model = Arc::new(crate::scenario::parse(&text).unwrap_or_else(|p| panic!("{p}")));
        let plan = Plan {
            measures: measures
                .iter()
                .map(|path| Measure::parse(path, &model).expect("a figure"))
                .collect(),
            first: 0,
            replications: 1,
            level: 0.99,
            precision: None,
        };
        let found = on(1, |control| replicate(&model, &plan, control));
        assert_eq!(found.stop, Stop::Planned);
        found.estimates
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
        for estimate in found {
            assert_eq!(estimate.reason(), Some(&Withheld::NeedsReplications));
        }
        // A relaxation time of 110 s is longer than the batches.
        let found = estimates(994, "3m", &["mean"]);
        assert!(
            matches!(found[0].reason(), Some(Withheld::CorrelatedBatches { .. })),
            "{found:?}"
        );
    }
}
