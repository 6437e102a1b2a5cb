//! Deployments that people begin and take back.

use super::{BOOK, shop};
use crate::support::{at, start, times, told};
use sim_core::edit::Edit;
use sim_core::engine::Simulation;
use sim_core::event_log::Kind;
use sim_core::scenario::{self, NoFiles, Scenario, Source};
use sim_core::summary::Summary;
use std::sync::Arc;

fn failed(simulation: &Simulation) -> u64 {
    Summary::of(simulation, 0).requests.failed
}

fn workers(simulation: &Simulation) -> Vec<u32> {
    let standing = simulation.standing();
    let servers = standing.services[0].servers.iter();
    servers.map(|server| server.workers).collect()
}

const FIX: &str = "[[runbook.step]]\nname = \"fix\"\ndo = \"deploy\"\ntarget = \"service.web.server\"\n\
                   set = { \"service.web.server.*.errors.rate\" = 0 }\n";

#[test]
fn a_release_is_begun_when_the_cause_is_known_and_leaves_alone_what_it_does_not_name() {
    // Paged at 110 and known at 290. Another key is set before and another one afterwards.
    let text = shop(&format!(
        "[[timeline]]\nat = \"200s\"\nset = {{ \"service.web.server.w-3.workers\" = 3 }}\n\
         [[timeline]]\nat = \"500s\"\nset = {{ \"service.web.server.w-2.workers\" = 5 }}\n{BOOK}{FIX}"
    ));
    let mut run = start(&text);
    run.run_until(at(280.0));
    assert_eq!(workers(&run), [2, 2, 3, 2]);
    run.run_until(at(400.0));
    let (begun, done) = (times(&run, Kind::Deploy), times(&run, Kind::Deployed));
    assert_eq!(begun, [290.0]);
    let (_, _, cause) = &told(&run, Kind::Deploy)[0];
    assert_eq!(
        cause,
        "runbook bad-push (service.web.server.*.errors.rate = 0)"
    );
    // One after the other, each drained within a second, gone, and there again.
    assert!(
        done.len() == 1 && done[0] > 293.0 && done[0] < 310.0,
        "{done:?}"
    );
    let before = failed(&run);
    assert!(before > 0);
    run.run();
    assert_eq!(failed(&run), before);
    assert_eq!(workers(&run), [2, 5, 3, 2]);
}

#[test]
fn a_release_with_too_many_failures_goes_back_and_one_that_holds_goes_on() {
    let text = |rate: &str| {
        shop(&format!(
            "{BOOK}[[runbook.step]]\ndo = \"deploy\"\ntarget = \"service.web.server\"\n\
             set = {{ \"service.web.server.*.errors.rate\" = {rate} }}\n\
             canary = {{ servers = 1, watch = \"30s\", failed = 0.5 }}\n"
        ))
    };
    let mut bad = start(&text("0.9"));
    bad.run();
    assert_eq!(
        times(&bad, Kind::Rollback).len(),
        1,
        "{:?}",
        told(&bad, Kind::Deploy)
    );
    // As before: one of four fails always.
    let mut all = start(&text("0.2"));
    all.run();
    assert!(times(&all, Kind::Rollback).is_empty());
    assert_eq!(times(&all, Kind::Deployed).len(), 1);
    // From then on a quarter of all fails here, and a fifth there.
    let late = |run: &Simulation, text: &str| {
        let mut before = start(text);
        before.run_until(at(600.0));
        (failed(run) - failed(&before)) as f64 / 30_000.0
    };
    assert!(
        (late(&bad, &text("0.9")) - 0.25).abs() < 0.01,
        "{}",
        late(&bad, &text("0.9"))
    );
    assert!(
        (late(&all, &text("0.2")) - 0.2).abs() < 0.01,
        "{}",
        late(&all, &text("0.2"))
    );
}

#[test]
fn a_release_of_a_step_can_be_taken_back() {
    let worse = "[[runbook.step]]\nname = \"guess\"\ndo = \"deploy\"\ntarget = \"service.web.server\"\n\
                 set = { \"service.web.server.*.workers\" = 7 }\n";
    let undo = "[[runbook.step]]\nafter = \"100s\"\nundo = \"guess\"\n";
    let mut run = start(&shop(&format!("{BOOK}{worse}{undo}")));
    run.run_until(at(350.0));
    assert_eq!(workers(&run), [7, 7, 7, 7]);
    run.run();
    assert_eq!(workers(&run), [2, 2, 2, 2]);
    assert_eq!(times(&run, Kind::Deployed).len(), 2);
    // Before it has been begun there is nothing to undo.
    let early = shop(&format!("{BOOK}{undo}{worse}"));
    let mut early = start(&early);
    early.run();
    let notes = told(&early, Kind::Note);
    assert!(
        notes[0].2.starts_with("guess has not come yet"),
        "{notes:?}"
    );
    assert_eq!(workers(&early), [7, 7, 7, 7]);
}

#[test]
fn a_value_is_set_again_though_the_time_line_has_set_it_already() {
    // Set at 60 s, taken back at 80 s, and set again at 240 s: by an entry, or by whoever is at the controls.
    let set = |at: u32| {
        format!(
            "[[timeline]]\nat = \"{at}s\"\nset = {{ \"service.web.server.*.errors.rate\" = 1.0 }}\n"
        )
    };
    let text = |rest: &str| {
        format!(
            "horizon = \"300s\"\ntraffic = [{{ to = \"web\", rate = 100 }}]\n\
             [service.web]\ndemand = \"5ms\"\nserver = [{{ name = \"w\", count = 2, workers = 2 }}]\n\
             {}name = \"push\"\n{rest}\
             [monitoring]\nscrape = \"5s\"\n\
             [[alert]]\nname = \"failing\"\nwhen = \"failed > 10%\"\nover = \"10s\"\n\
             [[runbook]]\nname = \"back\"\non = \"failing\"\nacknowledge = \"10s\"\n[[runbook.step]]\nundo = \"push\"\n",
            set(60)
        )
    };
    let late = |mut run: Simulation| {
        run.run_until(at(239.0));
        let before = failed(&run);
        assert!((500..3000).contains(&before), "{before}");
        run.run_until(at(248.0));
        failed(&run) - before
    };
    assert_eq!(late(start(&text(""))), 0);
    assert!(late(start(&text(&set(240)))) > 500);
    let source = Source::new("s.toml", text(""));
    let mut scenario = Scenario::read(source, &[], &NoFiles).expect("it is right");
    let mut model = Arc::new(scenario.model().expect("it is right"));
    let mut run = Simulation::new(Arc::clone(&model), 0);
    run.run_until(at(240.0));
    let before = failed(&run);
    let edit = Edit::set("service.web.server.*.errors.rate", "1.0");
    edit.apply(&mut run, &mut scenario, &mut model)
        .expect("it is live");
    run.run_until(at(248.0));
    let since = failed(&run) - before;
    assert!(since > 500, "{since}");
    // Written down, it is the same run.
    let mut replayed = Simulation::new(Arc::new(scenario.model().expect("it is right")), 0);
    replayed.run_until(at(248.0));
    assert_eq!(failed(&replayed), failed(&run));
}

#[test]
fn a_release_that_went_back_can_be_deployed_again() {
    let deploy = |at: u32| {
        format!(
            "[[timeline]]\nat = \"{at}s\"\ndo = \"deploy\"\ntarget = \"service.web.server\"\n\
             set = {{ \"service.web.server.*.errors.rate\" = 1.0 }}\ncanary = {{ servers = 1, watch = \"20s\" }}\n"
        )
    };
    let text = format!(
        "horizon = \"300s\"\ntraffic = [{{ to = \"web\", rate = 100 }}]\n\
         [service.web]\ndemand = \"5ms\"\nserver = [{{ name = \"w\", count = 2, workers = 2 }}]\n{}{}",
        deploy(60),
        deploy(200)
    );
    let mut run = start(&text);
    run.run_until(at(199.0));
    let first = failed(&run);
    run.run();
    assert_eq!(times(&run, Kind::Rollback).len(), 2);
    let second = failed(&run) - first;
    // As many each time, but for chance.
    assert!(
        first > 500 && first.abs_diff(second) < 300,
        "{first} and {second}"
    );
}

#[test]
fn undoing_leaves_alone_who_runs_the_old_release_already() {
    // Of four only the canary has it when it is undone, or none any more.
    let text = |failed: &str, acknowledge: &str| {
        format!(
            "horizon = \"500s\"\ntraffic = [{{ to = \"web\", rate = 100 }}]\n\
             [service.web]\ndemand = \"5ms\"\nserver = [{{ name = \"w\", count = 4, workers = 2 }}]\n\
             [[timeline]]\nname = \"push\"\nat = \"60s\"\ndo = \"deploy\"\ntarget = \"service.web.server\"\n\
             set = {{ \"service.web.server.*.errors.rate\" = 1.0 }}\ncanary = {{ servers = 1, watch = \"60s\", failed = {failed} }}\n\
             [monitoring]\nscrape = \"5s\"\n\
             [[alert]]\nname = \"failing\"\nwhen = \"failed > 10%\"\nover = \"10s\"\n\
             [[runbook]]\nname = \"back\"\non = \"failing\"\nacknowledge = \"{acknowledge}\"\n[[runbook.step]]\nundo = \"push\"\n"
        )
    };
    let removed = |text: &str| {
        let mut run = start(text);
        run.run();
        let removed = told(&run, Kind::Removed).into_iter();
        let done = told(&run, Kind::Deployed).pop().map(|(.., cause)| cause);
        assert_eq!(done.as_deref(), Some("the old release is on all 4"));
        removed.map(|(_, server, _)| server).collect::<Vec<_>>()
    };
    assert_eq!(removed(&text("1", "10s")), ["w-1", "w-1"]);
    assert_eq!(removed(&text("0.5", "200s")), ["w-1", "w-1"]);
}

#[test]
fn what_no_release_is_is_refused() {
    let wrong = |step: &str, code: &str, word: &str| {
        let text = shop(&format!("{BOOK}[[runbook.step]]\n{step}\n"));
        let problems = scenario::parse(&text).expect_err("it is wrong");
        assert!(problems.has(code), "{problems}");
        assert!(problems.to_string().contains(word), "{word}: {problems}");
    };
    let deploy = "do = \"deploy\"\ntarget = \"service.web.server\"\n";
    wrong(
        &format!("{deploy}every = \"5s\""),
        "E031",
        "`every` has no effect",
    );
    wrong(
        &format!("{deploy}set = {{ \"client.timeout\" = \"1s\" }}"),
        "E031",
        "and nothing else",
    );
    wrong(
        &format!("{deploy}canary = {{ servers = 1, watch = \"1m\", abort_on = \"failing\" }}"),
        "E017",
        "fires already",
    );
    wrong(
        "undo = \"push\"\nmax_surge = 1",
        "E031",
        "`max_surge` has no effect",
    );
    wrong(
        "undo = \"push\"\ncanary = { servers = 1, watch = \"1m\" }",
        "E011",
        "`abort_on` is missing",
    );
    wrong("undo = \"pull\"", "E020", "no step that deploys");
    wrong(
        &format!("name = \"push\"\n{deploy}"),
        "E019",
        "are called \"push\"",
    );
}
