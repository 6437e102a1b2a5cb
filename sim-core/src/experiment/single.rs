//! One long run, cut into batches.

use super::control::Control;
use super::estimate::{Judged, Parts};
use super::measure::{Kind, Measure, Observation};
use super::run::{self, Run};
use crate::engine::Simulation;
use crate::histogram::Histogram;
use crate::model::Model;
use crate::statistics::{BATCHES, Estimate, MIN_SAMPLES, Needs, Withheld};
use crate::steady::Estimand;
use crate::summary::Summary;
use crate::time::Instant;
use std::sync::Arc;

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
) -> Option<(Run, Vec<Estimate>)> {
    let mut simulation = Simulation::new(model.clone(), replication);
    let (start, end) = (model.warm_up.0, model.horizon.0);
    // Up to the end of each batch, the first of them the end of the warm-up.
    let mut seen: Vec<Seen> = Vec::new();
    for batch in 0..=BATCHES as u64 {
        let until = start + (end - start) / BATCHES as u64 * batch;
        let until = if batch == BATCHES as u64 { end } else { until };
        if simulation.run_while(Instant(until), || !control.cancelled()) {
            return None;
        }
        let summary = Summary::of(&simulation, 0);
        let observe = |measure: &Measure| match batch {
            0 => None,
            _ => measure.observe(&summary),
        };
        seen.push(Seen {
            observations: measures.iter().map(observe).collect(),
            times: run::times(&simulation, measures),
        });
    }
    control.did_one();
    let run = Run::of(&simulation, measures);
    let judged = Judged::of(model, std::slice::from_ref(&run), estimand);
    let steady = estimand.is_steady(model);
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
    let estimates = measures.iter().enumerate().map(estimate).collect();
    Some((run, estimates))
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
