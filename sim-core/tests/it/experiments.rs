//! Whether intervals cover, and what common random numbers gain.

use crate::support::model;
use sim_core::engine::Simulation;
use sim_core::experiment::{
    Control, Estimand, Measure, Pair, Plan, Variant, compare, replicate, series,
};
use sim_core::model::Model;
use sim_core::statistics::{Estimate, Needs, Withheld, mean, mean_difference, paired_difference};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

fn conduct<T>(what: impl FnOnce(&Control<'_>) -> T) -> T {
    let cancel = AtomicBool::new(false);
    let threads = NonZeroUsize::new(2).expect("two");
    what(&Control::new(threads, &cancel, &|_| {}))
}

fn plan(model: &Model, measures: &[&str], first: u64, replications: u64) -> Plan {
    Plan {
        measures: measures
            .iter()
            .map(|path| Measure::parse(path, model).expect("a figure"))
            .collect(),
        first,
        replications,
        level: 0.95,
        precision: None,
        estimand: sim_core::experiment::Estimand::ByNature,
    }
}

/// M/M/1 at a load of 0.8, mean service 1 ms: ten thousand requests, the first tenth left out.
const QUEUE: &str = r#"
horizon = "12500ms"
warm_up = "1250ms"
traffic = [{ to = "web", rate = 800 }]
[service.web]
demand = { kind = "exponential", mean = "1ms" }
server = [{ name = "a", workers = 1 }]
"#;

/// The true mean wait: load / (1 - load) = 4 ms.
const WAIT_S: f64 = 4e-3;

#[test]
fn replications_cover_the_truth_and_requests_taken_for_independent_do_not() {
    // With 40 experiments the chance that a method which covers 93 % shows fewer than 31 is one in
    // a thousand. Requests taken for independent cover 16 % (2 000 runs by other code).
    const EXPERIMENTS: u64 = 40;
    let model = model(QUEUE);
    let covered = (0..EXPERIMENTS)
        .filter(|experiment| {
            let plan = plan(&model, &["wait_s.mean"], 20 * experiment, 20);
            let found = conduct(|control| replicate(&model, &plan, control));
            let interval = found.estimates[0].interval().copied();
            interval.expect("twenty replications").covers(WAIT_S)
        })
        .count();
    assert!(covered >= 31, "{covered} of {EXPERIMENTS}");

    let mut logging = Model::clone(&model);
    logging.recording.every_nth_request = 1;
    let logging = Arc::new(logging);
    let naive = (0..EXPERIMENTS)
        .filter(|experiment| {
            let mut simulation = Simulation::new(logging.clone(), 10 * experiment);
            simulation.run();
            let requests = simulation.recorder_mut().take_log();
            let measured = requests.iter().filter(|r| r.arrived_ns >= 1_250_000_000);
            let times: Vec<f64> = measured
                .map(|r| (r.ended_ns - r.arrived_ns) as f64 / 1e9)
                .collect();
            let estimate = mean(&times, 0.95);
            let interval = estimate.interval().expect("thousands of requests");
            interval.covers(WAIT_S + 1e-3)
        })
        .count();
    assert!(naive <= 16, "{naive} of {EXPERIMENTS}");
}

/// Five servers at a load of 0.8 with a policy: twenty thousand requests.
fn fleet(policy: &str) -> Variant {
    let text = format!(
        r#"
horizon = "5500ms"
warm_up = "500ms"
traffic = [{{ to = "web", rate = 4000 }}]
[service.web]
demand = {{ kind = "exponential", mean = "1ms" }}
balancer.policy = "{policy}"
server = [{{ name = "a", count = 5, workers = 1 }}]
"#
    );
    Variant {
        name: policy.to_owned(),
        model: model(&text),
    }
}

#[test]
fn common_random_numbers_narrow_a_difference() {
    // Behind round robin each server sees every fifth request: gaps of five stages (E5/M/1). Least
    // work left is the same as one queue for five workers (M/M/5). The exact mean response times
    // differ by 1.598 mean services.
    const DIFFERENCE_S: f64 = 1.598e-3;
    const HALF: usize = 40;
    let variants = vec![fleet("least-work-left"), fleet("round-robin")];
    let plan = plan(&variants[0].model, &["mean"], 0, 2 * HALF as u64);
    let found = conduct(|control| compare(variants, &plan, control));
    let values = |variant: usize| {
        series(&found.measures[0], &found.runs[variant], 0).expect("all have requests")
    };
    let (least, robin) = (values(0), values(1));
    // The same number of runs for both: pairs of equal numbers, and of numbers that have nothing in
    // common.
    let paired = paired_difference(&robin[..HALF], &least[..HALF], 0.95);
    let apart = mean_difference(&robin[..HALF], &least[HALF..], 0.95);
    let (paired, apart) = (
        *paired.interval().expect("pairs"),
        *apart.interval().expect("two sets"),
    );
    assert!(paired.covers(DIFFERENCE_S), "{paired:?}");
    assert!(apart.covers(DIFFERENCE_S), "{apart:?}");
    assert!(
        paired.half_width() <= 0.8 * apart.half_width(),
        "{} and {}",
        paired.half_width(),
        apart.half_width()
    );
    // The comparison itself, with all pairs there are.
    let pair = &found.compared[0].pairs[0];
    let interval = pair.difference.interval().expect("pairs");
    assert!(interval.covers(DIFFERENCE_S), "{interval:?}");
    assert!(pair.correlation.expect("both vary") > 0.5, "{pair:?}");
    assert!(found.verdict(0).contains("least-work-left is best"));
}

/// One server of a millisecond's exponential demand at so many requests per second.
fn station(horizon: &str, rate: u32, more: &str) -> Arc<Model> {
    let text = format!(
        "horizon = \"{horizon}\"\nwarm_up = \"1s\"\ntraffic = [{{ to = \"web\", rate = {rate} }}]\n[service.web]\ndemand = {{ kind = \"exponential\", mean = \"1ms\" }}\nserver = [{{ name = \"a\", workers = 1{more} }}]\n"
    );
    Arc::new(sim_core::scenario::parse(&text).unwrap_or_else(|p| panic!("{p}\n{text}")))
}

fn estimated(
    model: &Arc<Model>,
    measures: &[&str],
    estimand: Estimand,
    runs: u64,
) -> Vec<Estimate> {
    let plan = Plan {
        estimand,
        ..plan(model, measures, 0, runs)
    };
    let cancel = AtomicBool::new(false);
    let control = Control::new(NonZeroUsize::MIN, &cancel, &|_| {});
    replicate(model, &plan, &control).estimates
}

#[test]
fn who_gives_up_bounds_a_queue_at_any_load() {
    let patience = ", queue = { patience = { kind = \"exponential\", mean = \"10ms\" } }";
    let model = station("11s", 1200, patience);
    let paths = [
        "services.web.servers.a.mean_in_system",
        "goodput_hz",
        "availability",
    ];
    let truth = sim_core::theory::markov::erlang_a(1.2, 1, 0.1);
    let found = estimated(&model, &paths, Estimand::ByNature, 10);
    let truths = [
        truth.number,
        1000.0 * truth.throughput,
        1.0 - truth.abandons,
    ];
    for (estimate, truth) in found.iter().zip(truths) {
        let interval = estimate
            .interval()
            .unwrap_or_else(|| panic!("{estimate:?}"));
        assert!(interval.covers(truth), "{interval:?}, not {truth}");
        assert!(!interval.covers(1.1 * truth), "{interval:?} says something");
    }
    let none = estimated(&station("11s", 1200, ""), &paths, Estimand::ByNature, 10);
    assert!(
        none.iter()
            .all(|e| matches!(e.reason(), Some(Withheld::Overloaded { .. })))
    );
}

#[test]
fn over_the_horizon_even_a_queue_that_grows_has_intervals() {
    let model = station("3s", 2000, "");
    let paths = ["requests.in_flight", "response_time_s.mean"];
    let steady = estimated(&model, &paths, Estimand::Steady, 10);
    assert!(steady.iter().all(|e| e.interval().is_none()), "{steady:?}");
    let found = estimated(&model, &paths, Estimand::Horizon, 10);
    // Of 4000 that come after the warm-up 1000 are done, after the 1000 that were left over from it.
    let grown = found[0].interval().expect("independent runs");
    assert!(grown.covers(3000.0) && !grown.covers(2000.0), "{grown:?}");
    assert!(found[1].interval().is_some(), "{found:?}");
}

#[test]
fn what_is_withheld_names_a_length_that_does() {
    for (rate, path, truth) in [
        (800, "response_time_s.mean", 5e-3),
        (800, "response_time_s.p99", 23.025_85e-3),
        (500, "services.web.servers.a.mean_in_system", 1.0),
    ] {
        for runs in [1, 6] {
            let short = station("2s", rate, "");
            let short = estimated(&short, &[path], Estimand::ByNature, runs);
            let Some(Needs::Horizon(s)) = short[0].needs() else {
                panic!("{path}, {runs}: {short:?}");
            };
            assert!(s > 2.0, "longer than it was: {s}");
            let enough = station(&format!("{s}s"), rate, "");
            let found = estimated(&enough, &[path], Estimand::ByNature, runs);
            let interval = found[0]
                .interval()
                .unwrap_or_else(|| panic!("{path}, {s}: {found:?}"));
            assert!(interval.covers(truth), "{path}, {runs}: {interval:?}");
            assert!(!interval.covers(1.5 * truth), "{interval:?}");
        }
    }
}

#[test]
fn of_what_is_rare_the_length_that_is_named_does_as_well() {
    let text = |horizon: &str| {
        format!(
            "horizon = \"{horizon}\"\ntraffic = [{{ to = \"w\", rate = 0.01 }}]\n[service.w]\n\
             demand = {{ kind = \"exponential\", mean = \"100ms\" }}\nserver = [{{ name = \"a\", workers = 1 }}]\n"
        )
    };
    for path in ["response_time_s.mean", "response_time_s.p50", "goodput_hz"] {
        let mut done = 0;
        for seed in 1..=10_u64 {
            let seeded = |horizon: &str| model(&format!("seed = {seed}\n{}", text(horizon)));
            let short = estimated(&seeded("60s"), &[path], Estimand::Steady, 5);
            if short[0]
                .interval()
                .is_some_and(sim_core::statistics::Interval::is_bound)
            {
                // Of what was never seen it is known how often it is at most.
                done += 1;
                continue;
            }
            let Some(Needs::Horizon(s)) = short[0].needs() else {
                panic!("{path}, {seed}: {short:?}");
            };
            let long = estimated(&seeded(&format!("{s}s")), &[path], Estimand::Steady, 5);
            done += usize::from(long[0].interval().is_some());
        }
        assert!(done >= 9, "{path}: {done} of 10");
    }
}

#[test]
fn too_few_runs_that_are_too_short_as_well_are_told_both() {
    let short = station("2s", 800, "");
    let found = estimated(&short, &["response_time_s.mean"], Estimand::Steady, 3);
    let Some(Needs::Both(5, s)) = found[0].needs() else {
        panic!("{found:?}");
    };
    assert!(s > 10.0, "{s}");
    let long = station("200s", 800, "");
    let found = estimated(&long, &["response_time_s.mean"], Estimand::Steady, 3);
    assert_eq!(found[0].needs(), Some(Needs::Replications(5)), "{found:?}");
}

#[test]
fn no_interval_goes_below_zero() {
    let path = "services.w.attempts.outcomes.errored";
    let mut at_zero = 0;
    for seed in 1..=150 {
        let model = model(&format!(
            "seed = {seed}\nhorizon = \"60s\"\ntraffic = [{{ to = \"w\", rate = 60 }}]\n[service.w]\ndemand = \"1ms\"\n\
             server = [{{ name = \"a\", workers = 1, errors = {{ rate = 0.0008 }} }}]\n"
        ));
        let found = estimated(&model, &[path], Estimand::Horizon, 5);
        if let Some(interval) = found[0].interval() {
            assert!(interval.low >= 0.0, "{interval:?}");
            at_zero += usize::from(interval.low == 0.0);
        }
    }
    assert!(
        at_zero > 0,
        "of three a run some intervals would reach below"
    );
}

#[test]
fn what_never_happens_has_a_bound() {
    let model = station("11s", 300, "");
    let found = estimated(
        &model,
        &["availability", "requests.failed"],
        Estimand::ByNature,
        10,
    );
    let share = found[0].interval().expect("a bound");
    assert_eq!((share.mean, share.high), (1.0, 1.0));
    // No more independent trials than relaxation times: 100 s of 4.9 ms.
    assert!(
        (share.low - (1.0 - 3.0 / 20_460.0)).abs() < 2e-5,
        "{share:?}"
    );
    let count = found[1].interval().expect("a bound");
    assert_eq!((count.mean, count.low), (0.0, 0.0));
    assert!(
        (count.high - 0.299_57).abs() < 1e-4,
        "the rule of three: {count:?}"
    );
    assert!(share.is_bound() && count.is_bound());
}

/// How many wait at the end of five runs varies as much as they do: it is no event that is rare, and an interval only for
/// those that happen to vary little would not cover.
#[test]
fn how_many_are_there_at_the_end_is_no_rare_event() {
    let text = r#"
horizon = "1s"
traffic = [{ to = "web", rate = 700, arrivals = { kind = "mmpp", factors = [5, 1], lengths = ["100ms", "200ms"] } }]
[service.web]
demand = { kind = "exponential", mean = "1ms" }
server = [{ name = "a", workers = 1, queue = { limit = 19 } }]
"#;
    let intervals = |seed: u64| {
        let model = model(&format!("seed = {seed}\n{text}"));
        let found = estimated(&model, &["requests.in_flight"], Estimand::Horizon, 5);
        usize::from(found[0].interval().is_some())
    };
    let printed: usize = (0..40).map(intervals).sum();
    assert!(printed >= 30, "{printed} of 40");
}

#[test]
fn what_is_the_same_in_all_replications_has_no_interval() {
    let text = |demand: &str| {
        format!(
            "horizon = \"60s\"\ntraffic = [{{ to = \"w\", rate = 40, arrivals = \"deterministic\" }}]\n[service.w]\n\
             demand = \"{demand}\"\nserver = [{{ name = \"w\", workers = 4 }}]\n"
        )
    };
    let variants: Vec<Variant> = ["50ms", "50ms", "60ms"]
        .map(|demand| Variant {
            name: demand.to_owned(),
            model: model(&text(demand)),
        })
        .to_vec();
    let measures = ["mean", "p99", "attempts.per_request", "availability"];
    let plan = plan(&variants[0].model, &measures, 0, 6);
    let found = conduct(|control| compare(variants, &plan, control));
    let same = Withheld::SameInAll {
        of: 6,
        batches: false,
    };
    for (compared, measure) in found.compared.iter().zip(measures).take(3) {
        let estimate = compared.estimates[0];
        assert_eq!(estimate.reason(), Some(&same), "{measure}");
        assert!(estimate.mean().is_some(), "{measure}");
    }
    // Nobody failed: a share has a bound all the same.
    assert!(found.compared[3].estimates[0].interval().is_some());
    let words = |at, other| {
        let pair = found.pair(at, 0, other).expect("a pair");
        sim_core::report::words::difference(&found, at, pair)
    };
    assert_eq!(words(0, 1), "none, the same in all 6 replications");
    assert_eq!(
        words(0, 2),
        "+10 ms (+20 %), the same in all 6 replications"
    );
    let attempts = found.verdict(2);
    assert_eq!(
        attempts,
        "attempts.per_request: no difference in all 6 replications"
    );
    let mean = found.verdict(0);
    assert!(
        mean.contains("cannot tell which is best of 50ms, 50ms"),
        "{mean}"
    );
    let signs: Vec<i8> = found.compared[0].pairs.iter().map(Pair::sign).collect();
    assert_eq!(signs, [0, 1, 1]);
}

#[test]
fn a_quantile_that_many_equal_times_make_up_is_known_no_better_than_its_bucket() {
    // Fewer than one in a hundred wait, under either policy: both medians, and both 99th percentiles, are 10 ms.
    let text = |policy: &str| {
        format!(
            "horizon = \"250s\"\ntraffic = [{{ to = \"w\", rate = 40 }}]\n[service.w]\ndemand = \"10ms\"\n\
             balancer = {{ policy = \"{policy}\" }}\nserver = [{{ name = \"w\", count = 4, workers = 2 }}]\n"
        )
    };
    let variants: Vec<Variant> = ["round-robin", "random"]
        .map(|policy| Variant {
            name: policy.to_owned(),
            model: model(&text(policy)),
        })
        .to_vec();
    let measures = ["p50", "p99"];
    let plan = plan(&variants[0].model, &measures, 0, 6);
    let found = conduct(|control| compare(variants, &plan, control));
    for (at, compared) in found.compared.iter().enumerate() {
        for estimate in &compared.estimates {
            if let Some(interval) = estimate.interval() {
                assert!(
                    interval.low <= 0.01 && 0.01 <= interval.high,
                    "{interval:?}"
                );
            }
        }
        assert_eq!(compared.pairs[0].sign(), 0, "{}", found.verdict(at));
    }
}
