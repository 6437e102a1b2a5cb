//! All that must hold of every run, looked for in random scenarios that use everything there is.
//!
//! Five hundred of them with each build. `.ci/search 20000` looks further, and a case that fails is run
//! again, made smaller, by its number: `STAMPEDE_SEARCH=1234 cargo test -p sim-core --test it -- search`.

use crate::grown::{Beside, Grown, grown};
use crate::invariants::{check_rows, check_workers};
use crate::support::check_books;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};
use sim_core::engine::{End, Simulation};
use sim_core::guard::{GUARDS, Stands};
use sim_core::model::Model;
use sim_core::scenario::{Scenario, Source, key_rows};
use sim_core::summary::{Summary, Times};
use sim_core::time::Instant;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// Cases with each build.
const CASES: u64 = 500;

/// Longest time without a sign of life, whatever happens.
const SILENCE_S: f64 = 5.0;

/// Which cases: `STAMPEDE_SEARCH` is a number or a range such as `500..20000`.
fn cases() -> Range<u64> {
    let Ok(wish) = std::env::var("STAMPEDE_SEARCH") else {
        return 0..CASES;
    };
    let number = |text: &str| {
        text.parse::<u64>()
            .expect("STAMPEDE_SEARCH is FROM..TO or N")
    };
    match wish.split_once("..") {
        Some((from, to)) => number(from)..number(to),
        None => number(&wish)..number(&wish) + 1,
    }
}

#[test]
fn nothing_breaks_whatever_is_combined() {
    let cases = cases();
    let (mut reached, mut broken) = (BTreeSet::new(), Vec::new());
    for number in cases.clone() {
        match case(number) {
            Ok(keys) => reached.extend(keys),
            Err(why) => broken.push(format!("case {number}: {why}")),
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
    let missing: Vec<String> = (key_rows().iter().enumerate())
        .filter(|(number, row)| !reached.contains(number) && !is_refused(&row.path))
        .map(|(_, row)| format!("{} {}", row.path, row.of_kind.unwrap_or("")))
        .collect();
    assert!(
        // Those of each build wish for every key often enough; of others the check would be one of luck.
        missing.is_empty() || cases != (0..CASES),
        "{} of {} keys are reached, and not:\n{}",
        reached.len(),
        key_rows().len(),
        missing.join("\n")
    );
}

/// Whether a key is refused where it stands: the guard of another post.
fn is_refused(path: &str) -> bool {
    let Some((owner, key)) = path.split_once("guards.") else {
        return false;
    };
    let kind = key.split('.').next();
    let guard = GUARDS.iter().find(|guard| Some(guard.row.name) == kind);
    guard.is_some_and(|guard| match guard.stands {
        Stands::Anywhere => false,
        Stands::AtCallers => !owner.ends_with("client."),
        Stands::AtServers => !owner.ends_with("server.NAME."),
    })
}

/// One case by its number: the same scenario whenever it is asked for, and smaller ones while it fails.
/// Tells which keys are in it.
fn case(number: u64) -> Result<Vec<usize>, String> {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    let config = ProptestConfig {
        failure_persistence: None,
        max_shrink_iters: 600,
        ..ProptestConfig::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let tree = grown(number)
        .new_tree(&mut runner)
        .map_err(|why| why.to_string())?;
    let moment = 0.013 * (number % 150) as f64;
    let keys = RefCell::new(Vec::new());
    let ends = runner.run_one(tree, |grown: Grown| {
        let plant = grown.grow();
        check(&plant.scenario, moment);
        keys.replace(plant.keys);
        Ok(())
    });
    match ends {
        Ok(_) => Ok(keys.into_inner()),
        Err(TestError::Fail(why, _) | TestError::Abort(why)) => Err(why.to_string()),
    }
}

fn check(scenario: &Scenario, moment: f64) {
    let text = scenario.to_toml();
    let model = Arc::new(scenario.model().expect("it was built before"));
    for remark in sim_core::load::remarks(&model) {
        let lower = remark.to_lowercase();
        assert!(
            !lower.contains("nan") && !lower.contains("inf"),
            "{remark}\n{text}"
        );
    }
    let moment = Instant((model.horizon.0 as f64 * moment / 2.0) as u64);
    let mut simulation = Simulation::new(Arc::clone(&model), 0);
    let mut early = None;
    let (mut open, mut events) = (Vec::new(), 0);
    loop {
        let goes_on = without_silence(&mut simulation, 1000, &text);
        if early.is_none() && simulation.now() >= moment {
            early = Some(simulation.clone());
        }
        if !goes_on {
            break;
        }
        // Rarer and rarer, as looking takes as long as thousands of events.
        if simulation.events() > 2 * events {
            events = simulation.events();
            check_books(&simulation, &text);
            check_workers(&simulation, &text);
            open.push((simulation.now().0, outside(&simulation)));
        }
    }
    check_books(&simulation, &text);
    check_workers(&simulation, &text);
    check_rows(&simulation, &text);
    let summary = Summary::of(&simulation, 0);
    check_summary(&summary, &simulation, &text);
    let seen = see(&mut simulation, &summary);
    check_log(&mut simulation, &model, &open, &text);

    let again = finished(&model, Simulation::run);
    same(&seen, &again, "the second time", &text);
    let general = finished(&model, |simulation| {
        *simulation = simulation.clone().without_fast_path();
        while simulation.run_events(13) {}
    });
    same(&seen, &general, "without the fast path", &text);
    let fork = early.unwrap_or_else(|| Simulation::new(Arc::clone(&model), 0));
    let forked = finished(&model, |simulation| {
        *simulation = fork.clone();
        simulation.run();
    });
    let from = format!("from {} ns on", fork.now().0);
    same(&seen, &forked, &from, &text);

    let written = Scenario::read(
        Source::new("grown.toml", text.as_str()),
        &[],
        &Beside(String::new()),
    )
    .and_then(|scenario| scenario.model());
    let written = written.unwrap_or_else(|why| panic!("cannot be read again: {why}\n{text}"));
    let written = finished(&Arc::new(written), Simulation::run);
    assert_eq!(
        seen.digest, written.digest,
        "another run as it is written\n{text}"
    );
}

/// What somebody can see of a run.
#[derive(PartialEq)]
struct Seen {
    digest: u64,
    summary: String,
    log: String,
}

fn same(one: &Seen, other: &Seen, how: &str, text: &str) {
    let (a, b) = (&one.summary, &other.summary);
    let lines = a
        .lines()
        .zip(b.lines())
        .chain(one.log.lines().zip(other.log.lines()));
    let first = lines.into_iter().find(|(a, b)| a != b);
    assert!(one == other, "another run {how}: {first:?}\n{text}");
}

fn see(simulation: &mut Simulation, summary: &Summary) -> Seen {
    let event_log = simulation.recorder().event_log();
    let events: Vec<String> = event_log.map(|event| format!("{event:?}")).collect();
    Seen {
        digest: simulation.digest(),
        summary: summary.to_json(),
        log: events.join("\n"),
    }
}

fn finished(model: &Arc<Model>, drive: impl Fn(&mut Simulation)) -> Seen {
    let mut simulation = Simulation::new(Arc::clone(model), 0);
    drive(&mut simulation);
    let summary = Summary::of(&simulation, 0);
    see(&mut simulation, &summary)
}

/// Some events; true while the run goes on.
fn without_silence(simulation: &mut Simulation, events: u64, text: &str) -> bool {
    #[expect(clippy::disallowed_methods, reason = "it is the time of whoever waits")]
    let began = std::time::Instant::now();
    let goes_on = simulation.run_events(events);
    let silence_s = began.elapsed().as_secs_f64();
    assert!(
        silence_s < SILENCE_S,
        "{silence_s} s for {events} events\n{text}"
    );
    goes_on
}

/// Requests from outside that came and that ended.
fn outside(simulation: &Simulation) -> (u64, u64) {
    let recorder = simulation.recorder();
    let model = simulation.model();
    let flows =
        (0..model.services.len() * model.classes.len() * 2).map(|flow| recorder.flow(flow as u16));
    flows.step_by(2).fold((0, 0), |(came, ended), flow| {
        (
            came + flow.arrived,
            ended + flow.outcomes.iter().sum::<u64>(),
        )
    })
}

/// Causality, and Little's law in its sharpest form: who has come and not ended is there, at every
/// moment, in the log as in the books.
fn check_log(
    simulation: &mut Simulation,
    model: &Model,
    moments: &[(u64, (u64, u64))],
    text: &str,
) {
    let log = simulation.recorder_mut().take_log();
    for row in &log {
        assert!(row.ended_ns >= row.arrived_ns, "{row:?}\n{text}");
        assert!(row.ended_ns <= model.horizon.0, "{row:?}\n{text}");
        assert!(
            row.served
                .is_none_or(|served| served.wait_ns <= row.ended_ns),
            "{row:?}\n{text}"
        );
    }
    if model.recording.every_nth_request != 1 {
        return;
    }
    for (at, (came, ended)) in moments {
        let before = log.iter().filter(|row| row.ended_ns < *at).count() as u64;
        let by_then = log.iter().filter(|row| row.ended_ns <= *at).count() as u64;
        assert!(
            (before..=by_then).contains(ended) && ended <= came,
            "{ended} of {came} ended by {at} ns, the log has {before} to {by_then}\n{text}"
        );
    }
}

fn share(value: f64, of: &str, text: &str) {
    assert!(
        (0.0..=1.0 + 1e-9).contains(&value),
        "{of} is {value}\n{text}"
    );
}

fn check_times(times: &Times, of: &str, text: &str) {
    let quantiles = [
        times.p50, times.p90, times.p95, times.p99, times.p999, times.max,
    ];
    let known: Vec<f64> = quantiles.into_iter().flatten().collect();
    assert!(known.is_sorted(), "{of} {times:?}\n{text}");
    assert!(
        known.first().is_none_or(|least| *least >= 0.0),
        "{of} {times:?}\n{text}"
    );
    assert_eq!(
        times.mean.is_some(),
        times.count > 0,
        "{of} {times:?}\n{text}"
    );
    for figure in [times.mean, times.variance, times.deviation] {
        assert!(
            figure.is_none_or(|f| f.is_finite() && f >= 0.0),
            "{of} {times:?}\n{text}"
        );
    }
}

fn check_summary(summary: &Summary, simulation: &Simulation, text: &str) {
    let requests = &summary.requests;
    let outcomes: u64 = requests.outcomes.0.iter().map(|(_, n)| n).sum();
    assert_eq!(outcomes, requests.succeeded + requests.failed, "{text}");
    assert_eq!(requests.arrived, outcomes + requests.in_flight, "{text}");
    let classes = summary.classes.0.iter().map(|(_, c)| c.requests.arrived);
    assert_eq!(classes.sum::<u64>(), requests.arrived, "{text}");
    // Limits are looked at every 256 events, each of which adds at worst a hundred copies.
    let limit = u64::from(simulation.model().limits.in_flight) + 256 * 100;
    assert!(
        summary.peak_in_flight <= limit,
        "{}\n{text}",
        summary.peak_in_flight
    );
    assert!(summary.events <= simulation.model().limits.events, "{text}");
    assert_eq!(
        summary.complete,
        simulation.end() == Some(End::Horizon),
        "{text}"
    );
    for (figure, of) in [
        (summary.availability, "availability"),
        (summary.waited, "waited"),
        (summary.wasted_work, "wasted work"),
    ] {
        share(figure.unwrap_or(0.0), of, text);
    }
    check_times(&summary.response_time_s, "response times", text);
    check_times(&summary.wait_s, "waits", text);
    let measured_s = (summary.horizon_s - summary.measured_from_s).max(0.0);
    for (name, machine) in &summary.machines.0 {
        share(machine.utilisation, name, text);
    }
    for (name, service) in &summary.services.0 {
        check_times(&service.response_time_s, name, text);
        for figure in [service.fairness, service.wasted_work, service.waited] {
            share(figure.unwrap_or(0.0), name, text);
        }
        let shares: Vec<f64> = service
            .servers
            .0
            .iter()
            .filter_map(|(_, s)| s.share)
            .collect();
        let sum: f64 = shares.iter().sum();
        assert!(
            shares.is_empty() || (sum - 1.0).abs() < 1e-9,
            "{name} {sum}\n{text}"
        );
        for (name, server) in &service.servers.0 {
            share(server.utilisation, name, text);
            assert!(
                server.mean_queue_len <= server.mean_in_system + 1e-9,
                "{name} {server:?}\n{text}"
            );
            assert!(
                server.downtime_s <= measured_s + 1e-9,
                "{name} {server:?}\n{text}"
            );
        }
        for (name, balancer) in &service.balancers.0 {
            share(balancer.utilisation, name, text);
            assert!(
                balancer.downtime_s <= measured_s + 1e-9,
                "{name} {balancer:?}\n{text}"
            );
        }
    }
    check_verdict(summary, text);
}

/// The word on the whole does not contradict the figures beside it.
fn check_verdict(summary: &Summary, text: &str) {
    let requests = &summary.requests;
    let told = || {
        format!(
            "{:?} {:?} {requests:?}\n{text}",
            summary.verdict, summary.verdict_because
        )
    };
    match summary.verdict {
        // Where nobody asks any more, all may have failed before; those that were answered may have come before
        // the warm-up was over; and where all are still under way the sentence says so.
        Some("STABLE") => assert!(
            requests.succeeded > 0
                || requests.in_flight == 0
                || (summary.verdict_because.as_ref())
                    .is_some_and(|b| b.contains("answered") || b.contains("none has ended yet")),
            "{}",
            told()
        ),
        // The end may begin before the warm-up is over, and all have come until then.
        Some("DOWN") => assert!(
            requests.failed + requests.in_flight > 0 || requests.arrived == 0,
            "{}",
            told()
        ),
        Some("CRASH-LOOPING") => assert!(summary.first_crash_s.is_some(), "{}", told()),
        _ => {}
    }
    let because = summary.verdict_because.as_deref().unwrap_or("");
    let because = because.to_lowercase();
    assert!(
        !because.contains("nan") && !because.contains(" inf"),
        "{}",
        told()
    );
}
