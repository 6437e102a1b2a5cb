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

/// A pause of all servers every ten seconds: what a garbage collector, a log rotation or a cron job does.
#[test]
fn a_fault_comes_again_by_the_clock() {
    let text = |more: &str| {
        web(&format!(
            "[[timeline]]\nat = \"5s\"\nfault = {{ kind = \"slow\", factor = 0.001 }}\n\
             target = \"service.web.server\"\nfor = \"200ms\"\n{more}"
        ))
    };
    let moments = |text: &str| -> Vec<(f64, String)> {
        let slow = told(&run(text), Kind::Slow).into_iter();
        let begins = slow.filter(|(_, _, cause)| cause.starts_with("speed"));
        begins.map(|(at, who, _)| (at, who)).collect()
    };
    assert_eq!(moments(&text("")).len(), 2);
    let again = moments(&text("repeat = \"10s\"\n"));
    assert_eq!(again.len(), 20, "{again:?}");
    for (place, (at, who)) in again.iter().enumerate() {
        let round = (place / 2) as f64;
        assert!((at - 5.0 - 10.0 * round).abs() < 1e-9, "{at}");
        assert_eq!(who, ["a", "b"][place % 2]);
    }
    // What has not ended does not come again: every 100 ms, of 200 ms each, is every 200 ms.
    let often = moments(&text("repeat = \"100ms\"\n"));
    // From 5 s to the horizon of 100 s, both included.
    assert_eq!(often.len(), 2 * 476, "{}", often.len());
    // With skew each begins at a moment of its own, and the round waits for the last.
    let skew = "skew = { kind = \"uniform\", low = \"0s\", high = \"4s\" }\nrepeat = \"10s\"\n";
    let apart = moments(&text(skew));
    assert!(apart.len() >= 18, "{}", apart.len());
    let late: Vec<f64> = apart
        .iter()
        .map(|(at, _)| (at - 5.0).rem_euclid(10.0))
        .collect();
    assert!(late.iter().all(|late| *late <= 4.0), "{late:?}");
    let mean = late.iter().sum::<f64>() / late.len() as f64;
    // Uniform with deviation 4/√12, over twenty draws.
    assert!(
        (mean - 2.0).abs() < 3.0 * 4.0 / (12.0 * 20.0_f64).sqrt(),
        "{mean}"
    );
}

/// Episodes of random length with random pauses: a share of the time that both means say.
#[test]
fn episodes_by_a_law_take_their_share_of_the_time() {
    let law = |mean: &str| format!("{{ kind = \"exponential\", mean = \"{mean}\" }}");
    let text = web(&format!(
        "[[timeline]]\nat = \"0s\"\nfault = {{ kind = \"errors\", rate = 1 }}\n\
         target = \"service.web.server.a\"\nfor = {}\nrepeat = \"2s\"\n",
        law("200ms")
    ));
    let failed = server(&summary(&text), "web", "a").failed;
    // 50 episodes of 200 ms at 50 requests a second: 500, with a deviation of 10 √50 and of counting.
    assert!((340..660).contains(&failed), "{failed}");
    let longer = text.replace("200ms", "600ms");
    assert!(server(&summary(&longer), "web", "a").failed > 1000);
}

#[test]
fn healing_ends_what_would_come_again() {
    let repeated = "[[timeline]]\nat = \"5s\"\nfault = { kind = \"errors\", rate = 1 }\n\
                    target = \"service.web.server\"\nfor = \"1s\"\nrepeat = \"10s\"\n";
    let healed = format!("{repeated}{}", entry("30s", "heal", "web.server.a", ""));
    let of = |text: &str, name| server(&summary(&web(text)), "web", name).failed;
    assert_eq!(of(repeated, "a"), 500);
    // At 5, 15 and 25 s, and not after.
    assert_eq!(of(&healed, "a"), 150);
    assert_eq!(of(&healed, "b"), 500);
}

/// A zone goes down: all its servers, whatever service they are of.
#[test]
fn a_zone_is_a_target() {
    let servers = "server = [{ name = \"a\", workers = 4, zone = \"east\" }, { name = \"b\", workers = 4, zone = \"west\" }]";
    let text = |target: &str| {
        let rest = format!(
            "[service.web]\ndemand = \"10ms\"\n{servers}\n[[service.web.call]]\nto = \"db\"\n\
             [service.db]\ndemand = \"1ms\"\n{servers}\n{}",
            entry("20s", "crash", "web", "").replace("service.web", target)
        );
        stream("30s", 100, &rest)
    };
    let crashed = |target: &str| -> Vec<String> {
        let told = told(&run(&text(target)), Kind::Crash).into_iter();
        told.map(|(_, who, _)| who).collect()
    };
    assert_eq!(crashed("zone.east"), ["a", "a"]);
    assert_eq!(crashed("service.db.zone.west"), ["b"]);
    assert_eq!(crashed("service.web.server").len(), 2);
}

/// Checks that ask the wrong path take out servers that work, or leave in those that do not.
#[test]
fn a_wrong_health_path_hides_what_requests_meet() {
    let checked = |faults: &str| {
        let text = web(faults).replace(
            "balancer = { policy = { kind = \"round-robin\" } }",
            "balancer = { policy = \"round-robin\", health = [{ kind = \"checks\", interval = \"1s\", errors = true }] }",
        );
        server(&summary(&text), "web", "a").clone()
    };
    let path = |answer: &str| format!("{{ kind = \"health-path\", answer = \"{answer}\" }}");
    let broken = fault("20s", "{ kind = \"errors\", rate = 1 }", "");
    // A server that works is taken out by its checks, and takes no harm but the loss of work.
    let wrong = checked(&fault("20s", &path("fail"), ""));
    assert_eq!(wrong.failed, 0);
    assert!(
        (1000..1300).contains(&wrong.succeeded),
        "{}",
        wrong.succeeded
    );
    // One that fails everything is taken out where checks see it, and not where they do not.
    let seen = checked(&broken);
    assert!(seen.failed < 300, "{}", seen.failed);
    let unseen = checked(&format!("{broken}{}", fault("10s", &path("pass"), "")));
    assert_eq!(unseen.failed, 4000);
}
