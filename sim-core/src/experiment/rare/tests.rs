//! Splitting beside the gambler's ruin and a chain that is solved numerically, and what makes it wrong.

use super::super::control::tests::on;
use super::*;
use crate::ids::ServerId;
use crate::theory::time::{level_before_empty, level_within};

/// M/M/1 with a mean service time of 1 ms, which crashes with so many in the system.
fn model(load: f64, crash: u32, horizon: &str) -> Arc<Model> {
    let text = format!(
        "horizon = \"{horizon}\"\ntraffic = [{{ to = \"web\", rate = {} }}]\n[service.web]\n\
         demand = {{ kind = \"exponential\", mean = \"1ms\" }}\n\
         [[service.web.server]]\nname = \"a\"\nworkers = 1\nqueue = {{ limit = 1000000 }}\n\
         crash = [{{ when = \"in_flight\", above = {} }}]\nrestart = {{ kind = \"never\" }}\n",
        load * 1000.0,
        crash - 1
    );
    Arc::new(crate::scenario::parse(&text).unwrap_or_else(|p| panic!("{p}")))
}

const A: Machine = Machine::Server(ServerId(0));

fn plan(before_empty: bool, runs: u32, replications: u64) -> RarePlan {
    RarePlan {
        event: Rare::Crash(A),
        before_empty,
        runs,
        first: 0,
        replications,
        level: 0.95,
        precision: None,
    }
}

/// As precise as 5 %.
fn precise(before_empty: bool) -> RarePlan {
    RarePlan {
        precision: Some(Precision {
            relative: 0.05,
            max_replications: 1000,
        }),
        ..plan(before_empty, 400, 150)
    }
}

/// Whether what splitting gave is the truth within 5 %, at a hundredth of the events that runs one after another
/// would take.
fn judged(found: &Splitting, runs: u32, truth: f64) -> Result<(), String> {
    let interval = found.probability.interval().ok_or("no interval")?;
    let direct = found.direct_events(runs).ok_or("no cost")?;
    let cheaper = direct / found.events() as f64;
    let told = format!(
        "{} of {truth}, ± {:.3}, {cheaper:.0} times cheaper, {} events, levels {:?}",
        interval.mean / truth,
        interval.relative(),
        found.events(),
        found.levels
    );
    let right = (interval.mean / truth - 1.0).abs() < 0.05 && interval.relative() < 0.05;
    if right && cheaper > 100.0 {
        Ok(())
    } else {
        Err(told)
    }
}

#[test]
fn a_crash_before_emptying_is_that_of_theory() {
    let (model, plan) = (model(0.5, 20, "1h"), precise(true));
    let found = on(2, |control| rare(&model, &plan, control)).expect("it can be reached");
    judged(&found, plan.runs, level_before_empty(0.5, 20)).unwrap_or_else(|told| panic!("{told}"));
    // Without the factor of one request, and with that of one more.
    assert!(judged(&found, plan.runs, level_before_empty(0.5, 19)).is_err());
    assert!(judged(&found, plan.runs, level_before_empty(0.5, 21)).is_err());
}

#[test]
fn a_crash_within_the_horizon_is_that_of_theory() {
    let (model, plan) = (model(0.5, 20, "50ms"), precise(false));
    let found = on(2, |control| rare(&model, &plan, control)).expect("it can be reached");
    judged(&found, plan.runs, level_within(0.5, 20, 50.0)).unwrap_or_else(|told| panic!("{told}"));
    assert!(judged(&found, plan.runs, level_before_empty(0.5, 20)).is_err());
}

/// A direct run costs what is worked out: events of one busy period, and how often it gets there.
#[test]
fn what_is_not_rare_is_the_same_directly() {
    let (model, plan) = (model(0.5, 4, "1h"), plan(true, 2000, 20));
    let found = on(2, |control| rare(&model, &plan, control)).expect("it can be reached");
    let interval = found.probability.interval().expect("twenty replications");
    assert!(interval.covers(level_before_empty(0.5, 4)), "{interval:?}");
    let (mut events, mut there) = (0, 0);
    for replication in 0..2000 {
        let mut simulation = Simulation::new(model.clone(), replication);
        let mut was_empty = true;
        while !simulation.has_crashed(A) {
            let empty = simulation.is_empty_at(A);
            if empty && !was_empty {
                break;
            }
            was_empty = empty;
            simulation.step();
        }
        events += simulation.events();
        there += u32::from(simulation.has_crashed(A));
    }
    let direct = events as f64 / 2000.0;
    let ratio = found.events_of_a_run(plan.runs) / direct;
    assert!((0.95..1.05).contains(&ratio), "{ratio}");
    assert!(
        (1000..1200).contains(&(u64::from(there) * 15_000 / 2000)),
        "{there}"
    );
}

#[test]
fn clones_that_share_their_draws_are_found_out() {
    let model = model(0.5, 20, "1h");
    let plan = plan(true, 400, 30);
    let shared = |_: &mut Simulation, _: u64| {};
    let found = on(2, |control| split_with(&model, &plan, shared, control));
    let right =
        found.is_ok_and(|found| judged(&found, plan.runs, level_before_empty(0.5, 20)).is_ok());
    assert!(!right);
}

#[test]
fn results_do_not_depend_on_threads() {
    let (model, plan) = (model(0.6, 15, "100ms"), plan(false, 50, 7));
    let found = |threads| on(threads, |control| rare(&model, &plan, control));
    let one = found(1).expect("it can be reached");
    assert!(one.levels.len() > 2 && one.splits.len() == 7);
    assert_eq!(found(2).expect("as above"), one);
    assert_eq!(found(7).expect("as above"), one);
}

#[test]
fn a_number_is_a_level_as_a_crash_is() {
    let model = model(0.5, 20, "1h");
    let event = Rare::reach("service.web.server.a.in_flight", "20", &model).expect("a number");
    let plan = RarePlan {
        event,
        ..plan(true, 400, 30)
    };
    let found = on(2, |control| rare(&model, &plan, control)).expect("it can be reached");
    let interval = found.probability.interval().expect("thirty replications");
    assert!(interval.relative() < 0.4, "{interval:?}");
    assert!(interval.covers(level_before_empty(0.5, 20)), "{interval:?}");
}

#[test]
fn what_cannot_be_reached_is_said() {
    let small = |more: &str| {
        let text = format!(
            "horizon = \"10s\"\ntraffic = [{{ to = \"web\", rate = 500{more} }}]\n[service.web]\n\
             demand = {{ kind = \"exponential\", mean = \"1ms\" }}\n\
             server = [{{ name = \"a\", workers = 1, queue = {{ limit = 5 }} }}]\n"
        );
        Arc::new(crate::scenario::parse(&text).unwrap_or_else(|p| panic!("{p}")))
    };
    let bounded = small("");
    let reach = |value| Rare::reach("service.web.server.a.in_flight", value, &bounded);
    let asked = RarePlan {
        event: reach("7").expect("a number"),
        ..plan(true, 50, 5)
    };
    let found = on(2, |control| rare(&bounded, &asked, control));
    assert!(
        matches!(found, Err(Unreached::Stuck { level, runs: 50 }) if (level - 6.0).abs() < 1e-9),
        "{found:?}"
    );
    let correlated = small(
        ", arrivals = { kind = \"renewal\", gaps = { kind = \"correlated\", of = { kind = \"exponential\", mean = \"2ms\" }, correlation = 0.5 } }",
    );
    let found = on(1, |control| rare(&correlated, &asked, control));
    assert!(
        matches!(&found, Err(Unreached::Unbranchable(why)) if why.contains("gaps")),
        "{found:?}"
    );
    for (path, value, why) in [
        (
            "service.web.server.b.in_flight",
            "7",
            "there is no machine \"service.web.server.b\"; there are service.web.server.a, service.web.balancer",
        ),
        (
            "service.web.server.a.utilisation",
            "7",
            "in_flight or queue_len",
        ),
        ("service.web.server.a.queue_len", "-1", "a whole number"),
        ("nothing", "7", "names no number"),
    ] {
        let found = Rare::reach(path, value, &bounded).expect_err(path);
        assert!(found.contains(why), "{found}");
    }
    let found = Rare::crash("service.web.server.a", &bounded).expect_err("no rules");
    assert!(found.contains("no crash rule"), "{found}");
}
