//! Faults of servers: slow, failing, both, for a while or until somebody heals them.

use crate::links::{entry, stream};
use crate::support::{run, server, summary, told};
use sim_core::event_log::Kind;

/// Two servers that take turns, and what befalls the first.
fn web(timeline: &str) -> String {
    let rest = "[service.web]\ndemand = \"10ms\"\nbalancer = { policy = { kind = \"round-robin\" } }\n\
                server = [{ name = \"a\", workers = 4 }, { name = \"b\", workers = 4 }]\n";
    stream("100s", 100, &format!("{rest}{timeline}"))
}

fn fault(at: &str, fault: &str, more: &str) -> String {
    format!(
        "[[timeline]]\nat = \"{at}\"\nfault = {fault}\ntarget = \"service.web.server.a\"\n{more}\n"
    )
}

fn failed(timeline: &str) -> u64 {
    server(&summary(&web(timeline)), "web", "a").failed
}

/// A fault that ends leaves the others, and the event log says so.
#[test]
fn the_end_of_one_fault_is_no_mending_while_another_goes_on() {
    let run = run(
        "horizon = \"1m\"\ntraffic = [{ to = \"w\", rate = 50, client = { timeout = \"1s\" } }]\n\
         [service.w]\ndemand = \"10ms\"\nserver = [{ name = \"s\", workers = 20 }]\n\
         [[timeline]]\nat = \"15s\"\ndo = \"partition\"\ntarget = \"service.w.balancer.link\"\n\
         [[timeline]]\nat = \"20s\"\ndo = \"degrade\"\ndelay = \"100ms\"\nfor = \"5s\"\n\
         target = \"service.w.balancer.link\"\n",
    );
    let ends = told(&run, Kind::Note).into_iter();
    let ends: Vec<String> = ends.map(|(_, _, cause)| cause).collect();
    assert_eq!(
        ends,
        ["degrade of service.w.balancer.link is over, another fault goes on"]
    );
}

#[test]
fn errors_come_for_a_while() {
    // Of 5000 requests a share of a fifth, for half of the time.
    let errors = "{ kind = \"errors\", rate = 0.2 }";
    let half = failed(&fault("20s", errors, "for = \"50s\""));
    assert!((420..580).contains(&half), "{half}");
    let healed = format!(
        "{}{}",
        fault("20s", errors, ""),
        entry("70s", "heal", "web.server.a", "")
    );
    assert_eq!(
        failed(&healed),
        half,
        "the same draws for the same requests"
    );
    assert_eq!(
        failed(&fault(
            "20s",
            "{ kind = \"errors\", rate = 1 }",
            "for = \"50s\""
        )),
        2500
    );
    assert_eq!(failed(""), 0);
}

#[test]
fn a_fault_takes_the_place_of_its_kind_and_others_add_up() {
    let busy = |timeline: &str| server(&summary(&web(timeline)), "web", "a").utilisation;
    let (whole, slow) = (busy(""), "{ kind = \"slow\", factor = 0.5 }");
    let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 0.01, "{a} {b}");
    close(busy(&fault("0s", slow, "")), 2.0 * whole);
    // The second takes the place of the first, whose end then ends nothing.
    let twice = format!(
        "{}{}",
        fault("0s", "{ kind = \"slow\", factor = 0.2 }", "for = \"1s\""),
        fault("0s", slow, "")
    );
    close(busy(&twice), 2.0 * whole);
    let both = format!("{}{}", fault("0s", slow, ""), fault("0s", "\"gray\"", ""));
    close(busy(&both), 2.0 / 0.3 * whole);
}

#[test]
fn faults_are_told_with_what_they_do() {
    let text = web(&fault("20s", "\"gray\"", "for = \"50s\""));
    let simulation = run(&text);
    let words = |kind| told(&simulation, kind);
    let gray = "speed × 0.3, 10 % errors".to_owned();
    assert_eq!(words(Kind::Fault), [(20.0, "a".to_owned(), gray)]);
    let over = "its time is over".to_owned();
    assert_eq!(words(Kind::Heal), [(70.0, "a".to_owned(), over)]);
    let expect = "[[expect]]\nthat = \"first(fault.a) in 19s..21s\"\n[[expect]]\nthat = \"count(heal.a) == 1\"\n";
    assert!(
        summary(&format!("{text}{expect}"))
            .expectations
            .iter()
            .all(|e| e.passed)
    );
}
