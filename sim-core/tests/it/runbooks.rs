//! What people do when they are told: when, in what order, and that nothing else moves.

mod beside;
mod deploy;

use crate::support::{at, model, run, start, times, told};
use sim_core::engine::Simulation;
use sim_core::event_log::{Actor, Kind};
use sim_core::metric::SUMMARY_PATHS;
use sim_core::scenario;
use sim_core::summary::Summary;
use std::sync::Arc;

/// A hundred requests a second to four servers. At 100 s somebody makes one of them answer with errors.
fn shop(rest: &str) -> String {
    format!(
        "horizon = \"900s\"\ntraffic = [{{ to = \"web\", rate = 100 }}]\n\
         [service.web]\ndemand = \"5ms\"\nserver = [{{ name = \"w\", count = 4, workers = 2 }}]\n\
         [[timeline]]\nname = \"push\"\nat = \"100s\"\nset = {{ \"service.web.server.w-2.errors.rate\" = 1.0 }}\n\
         [monitoring]\nscrape = \"10s\"\n\
         [[alert]]\nname = \"failing\"\nwhen = \"failed > 10%\"\nover = \"30s\"\n{rest}"
    )
}

const BOOK: &str = "[[runbook]]\nname = \"bad-push\"\non = \"failing\"\nacknowledge = \"60s\"\ndiagnose = \"2m\"\n";

#[test]
fn a_runbook_is_worked_through_in_order() {
    let run = run(&shop(&format!(
        "{BOOK}[[runbook.step]]\nafter = \"30s\"\nundo = \"push\"\n[[runbook.step]]\nafter = \"10s\"\ndo = \"note\"\nnote = \"told the others\"\n"
    )));
    // Of 20 s between the scrapes of 100 and 120, a quarter fails; of those of 90 and 110 an eighth is seen at 110.
    let paged = times(&run, Kind::Paged);
    assert_eq!(paged, [110.0]);
    assert_eq!(times(&run, Kind::Acknowledged), [170.0]);
    assert_eq!(times(&run, Kind::Diagnosed), [290.0]);
    // The first change is the time line's.
    assert_eq!(times(&run, Kind::Set), [100.0, 320.0]);
    assert_eq!(times(&run, Kind::Note), [330.0]);
    assert_eq!(times(&run, Kind::Handled), [330.0]);
    assert_eq!(times(&run, Kind::Resolved), [340.0]);
    let mut log = run.recorder().event_log();
    assert!(
        log.any(|e| e.kind == Kind::Set && e.by == Actor::People && e.cause == "runbook bad-push")
    );
    let summary = Summary::of(&run, 0);
    let response = summary.response;
    let start = summary.incidents[0].start_s;
    assert_eq!(response.time_to_detect_s, Some((110.0 - start).max(0.0)));
    assert_eq!(response.time_to_acknowledge_s, Some(170.0 - start));
    assert_eq!(response.time_to_diagnose_s, Some(290.0 - start));
    assert_eq!((response.alerts_fired, response.pages), (1, 1));
    let end = summary.incidents[0].end_s.expect("it is over");
    assert_eq!(
        summary.figure("response.time_to_recover_s"),
        Some(end - start)
    );
    assert_eq!(response.time_to_mitigate_s, response.time_to_recover_s);
    for row in SUMMARY_PATHS {
        let told = !row.path.starts_with("response.") || summary.figure(row.path).is_some();
        assert!(told, "{}", row.path);
    }
}

#[test]
fn what_people_change_and_what_the_time_line_changes_do_not_undo_each_other() {
    // Between the push and its undoing another key of the same server is set, and afterwards another one: entries that
    // do not know of each other.
    let text = shop(&format!(
        "[[timeline]]\nat = \"200s\"\nset = {{ \"service.web.server.w-2.workers\" = 3 }}\n\
         [[timeline]]\nat = \"500s\"\nset = {{ \"service.web.server.w-2.speed\" = 2 }}\n\
         {BOOK}[[runbook.step]]\nset = {{ \"service.web.server.w-2.errors.rate\" = 0 }}\n"
    ));
    let mut simulation = start(&text);
    let failed = |simulation: &Simulation| Summary::of(simulation, 0).requests.failed;
    let workers = |simulation: &Simulation| simulation.standing().services[0].servers[1].workers;
    simulation.run_until(at(250.0));
    assert_eq!(workers(&simulation), 3);
    simulation.run_until(at(400.0));
    assert_eq!(workers(&simulation), 3);
    let before = failed(&simulation);
    assert!(before > 0);
    simulation.run_until(at(900.0));
    assert_eq!(workers(&simulation), 3);
    assert_eq!(failed(&simulation), before);
}

#[test]
fn a_canary_goes_back_when_the_alarm_rings_again() {
    let text = |value: &str, abort_on: &str| {
        shop(&format!(
            "[[alert]]\nname = \"dead\"\nwhen = \"failed > 60%\"\nover = \"30s\"\n\
             [[alert]]\nname = \"hopeless\"\nwhen = \"failed > 99%\"\nover = \"30s\"\n\
             {BOOK}[[runbook.step]]\nset = {{ \"service.web.server.*.errors.rate\" = {value} }}\n\
             canary = {{ servers = \"75%\", watch = \"100s\", abort_on = \"{abort_on}\" }}\nevery = \"5s\"\n"
        ))
    };
    // Three servers of four that fail: they go back, but for the one that failed before, and nothing follows.
    let bad = run(&text("1.0", "dead"));
    assert_eq!(times(&bad, Kind::Set), [100.0, 290.0]);
    let undone = told(&bad, Kind::Undone);
    assert_eq!(undone.len(), 1);
    assert!(undone[0].2.starts_with("alert dead fires"), "{undone:?}");
    let resolved = told(&bad, Kind::Resolved);
    assert_eq!(resolved.len(), 1, "{resolved:?}");
    assert!(
        resolved[0].1 == "dead" && resolved[0].0 < 360.0,
        "{resolved:?}"
    );
    // An alert that does not begin to fire meanwhile: after the watch the last one follows.
    let all = run(&text("1.0", "hopeless"));
    assert_eq!(times(&all, Kind::Set), [100.0, 290.0, 390.0]);
    // Only one server differs from what is set: it is the canary, and all there is to do.
    let good = run(&text("0.0", "dead"));
    assert_eq!(times(&good, Kind::Set), [100.0, 290.0]);
    assert_eq!(times(&good, Kind::Handled), [390.0]);
    assert!(times(&good, Kind::Undone).is_empty());
}

#[test]
fn one_person_works_through_one_runbook_at_a_time() {
    let text = |responders: u32| {
        shop(&format!(
            "[[alert]]\nname = \"also\"\nwhen = \"failed > 1%\"\nover = \"30s\"\n{BOOK}\
             [[runbook]]\nname = \"second\"\non = \"also\"\nacknowledge = \"60s\"\n"
        ))
        .replace(
            "scrape = \"10s\"",
            &format!("scrape = \"10s\"\nresponders = {responders}"),
        )
    };
    assert_eq!(times(&run(&text(2)), Kind::Acknowledged), [170.0, 170.0]);
    // The second waits until the first is through, at 290.
    assert_eq!(times(&run(&text(1)), Kind::Acknowledged), [170.0, 350.0]);
}

#[test]
fn nobody_looks_at_what_has_gone_by_itself_if_that_is_the_rule() {
    let text = |rule: &str| {
        shop(&format!(
            "[[timeline]]\nat = \"200s\"\nset = {{ \"service.web.server.w-2.errors.rate\" = 0 }}\n\
             {BOOK}{rule}[[runbook.step]]\ndo = \"restart\"\ntarget = \"service.web.server.w-1\"\n"
        ))
    };
    assert_eq!(times(&run(&text("")), Kind::Restart), [290.0]);
    let left = run(&text("stand_down = true\n"));
    assert!(times(&left, Kind::Restart).is_empty());
    // Called by 170, while the alert still fires, and found to be over at 290.
    assert_eq!(times(&left, Kind::Acknowledged), [170.0]);
    assert_eq!(times(&left, Kind::Note), [290.0]);
}

#[test]
fn people_have_a_spare_take_over() {
    let text = "horizon = \"600s\"\ntraffic = [{ to = \"web\", rate = 50 }]\nclient = { timeout = \"1s\" }\n\
         [service.web]\ndemand = \"5ms\"\nserver = [{ name = \"w\", workers = 4 }]\n\
         balancer = { standby = { count = 1, takeover = \"10h\" }, restart = \"manual\" }\n\
         [[timeline]]\nat = \"100s\"\ndo = \"crash\"\ntarget = \"service.web.balancer\"\n\
         [monitoring]\nscrape = \"10s\"\n\
         [[alert]]\nname = \"down\"\nwhen = \"failed > 50%\"\nover = \"30s\"\n\
         [[runbook]]\nname = \"fail-over\"\non = \"down\"\nacknowledge = \"20s\"\n\
         [[runbook.step]]\ndo = \"failover\"\ntarget = \"service.web.balancer\"\n";
    let run = run(text);
    let paged = times(&run, Kind::Paged)[0];
    assert_eq!(times(&run, Kind::Takeover), [paged + 20.0]);
    let summary = Summary::of(&run, 0);
    assert!(
        summary.response.time_to_mitigate_s.is_some(),
        "{:?}",
        summary.incidents
    );
}

#[test]
fn times_are_drawn_from_streams_of_their_own() {
    let text = |diagnose: &str, step: &str| {
        shop(&format!(
            "[[runbook]]\nname = \"bad-push\"\non = \"failing\"\n\
             acknowledge = {{ kind = \"lognormal\", mean = \"60s\", cv = 0.5 }}\ndiagnose = {diagnose}\n\
             {step}[[runbook.step]]\nafter = {{ kind = \"exponential\", mean = \"20s\" }}\ndo = \"note\"\nnote = \"x\"\n"
        ))
    };
    let law = "{ kind = \"exponential\", mean = \"2m\" }";
    let (one, other) = (run(&text(law, "")), run(&text("\"50s\"", "")));
    // Another law of diagnosis moves neither the acknowledgement nor the pause after it.
    let acknowledged = times(&one, Kind::Acknowledged);
    assert_eq!(acknowledged, times(&other, Kind::Acknowledged));
    let pause = |run: &Simulation| times(run, Kind::Note)[0] - times(run, Kind::Diagnosed)[0];
    assert!((pause(&one) - pause(&other)).abs() < 1e-6);
    assert_ne!(times(&one, Kind::Diagnosed), times(&other, Kind::Diagnosed));
    // What people do changes nothing of what is drawn for requests.
    let arrived = |run: &Simulation| Summary::of(run, 0).requests.arrived;
    assert_eq!(arrived(&one), arrived(&other));
    let mut second = Simulation::new(model(&text(law, "")), 1);
    second.run();
    assert_ne!(acknowledged, times(&second, Kind::Acknowledged));
}

#[test]
fn a_response_does_not_depend_on_how_a_run_is_driven() {
    let text = shop(
        "[[alert]]\nname = \"dead\"\nwhen = \"failed > 60%\"\nover = \"30s\"\n\
         [[runbook]]\nname = \"bad-push\"\non = \"failing\"\n\
         acknowledge = { kind = \"lognormal\", mean = \"60s\", cv = 0.5 }\n\
         [[runbook.step]]\nset = { \"service.web.server.*.errors.rate\" = 0 }\n\
         canary = { servers = 1, watch = \"20s\", abort_on = \"dead\" }\n",
    );
    let seen = |simulation: &Simulation| {
        let log: Vec<String> = (simulation.recorder().event_log())
            .map(|event| format!("{event:?}"))
            .collect();
        (simulation.digest(), log)
    };
    let whole = run(&text);
    let mut stepped = start(&text);
    let mut forks = Vec::new();
    let mut next = 0.0;
    while stepped.step().is_some() {
        if stepped.now() >= at(next) {
            forks.push(stepped.clone());
            next += 60.0;
        }
    }
    assert_eq!(seen(&whole), seen(&stepped));
    for mut fork in forks {
        fork.run();
        assert_eq!(seen(&whole), seen(&fork));
    }
    let mut slow = Simulation::new(Arc::clone(&model(&text)), 0).without_fast_path();
    slow.run();
    assert_eq!(seen(&whole).1, seen(&slow).1);
}

#[test]
fn steps_that_make_no_sense_are_refused() {
    let wrong = |rest: &str, code: &str, word: &str| {
        let problems = scenario::parse(&shop(rest)).expect_err("it is wrong");
        assert!(problems.has(code), "{problems}");
        assert!(problems.to_string().contains(word), "{problems}");
    };
    let step = |step: &str| format!("{BOOK}[[runbook.step]]\n{step}\n");
    wrong(&step(""), "E031", "one of `set`, `undo` and `do`");
    wrong(&step("undo = \"pusch\""), "E020", "push");
    wrong(
        &step("do = \"crash\"\ntarget = \"service.web.server\""),
        "E031",
        "nobody mends",
    );
    wrong(
        &step("set = { \"client.timeout\" = \"1s\" }\nevery = \"5s\""),
        "E031",
        "server by server",
    );
    wrong(
        &step("undo = \"push\"\ntarget = \"service.web.server\""),
        "E031",
        "no effect",
    );
    let canary = |abort_on: &str| {
        step(&format!(
            "undo = \"push\"\ncanary = {{ servers = 1, watch = \"5s\"{abort_on} }}"
        ))
    };
    wrong(&canary(""), "E011", "abort_on");
    wrong(&canary(", abort_on = \"faling\""), "E033", "failing");
    wrong(&canary(", abort_on = \"failing\""), "E017", "fires already");
    wrong(
        "[[runbook]]\nname = \"x\"\non = \"faling\"\n",
        "E033",
        "failing",
    );
    let unwatched = shop(BOOK).replace("[monitoring]\nscrape = \"10s\"\n", "");
    let problems = scenario::parse(&unwatched).expect_err("nobody tells");
    assert!(problems.has("E017"), "{problems}");
    wrong(&format!("{BOOK}{BOOK}"), "E019", "two runbooks");
}
