//! Several attempts of a request at once: which answer counts, and what becomes of the others.

use crate::support::{
    at, check_books, fates, log, outcome, run, server, service, start, summary, traced,
};
use sim_core::summary::Summary;

/// Servers `a`, `b`, … of one worker each, asked in turn, with what is written of each.
fn fleet(demand: &str, servers: &[&str]) -> String {
    let mut text =
        format!("[service.web]\ndemand = {demand}\nbalancer = {{ policy = \"round-robin\" }}\n");
    for (i, keys) in servers.iter().enumerate() {
        let name = char::from(b'a' + i as u8);
        text += &format!("[[service.web.server]]\nname = \"{name}\"\nworkers = 1\n{keys}\n");
    }
    text
}

/// Requests at these times from callers with these manners.
fn asked(times: &[&str], manners: &str, rest: &str) -> String {
    traced("2s", times, &format!("client = {{ {manners} }}\n{rest}"))
}

const SLOW: &str = "speed = 0.1";
const BROKEN: &str = "errors = { rate = 1 }";

fn attempts(text: &str) -> Vec<u32> {
    log(text).iter().map(|row| row.attempts).collect()
}

fn attempt_outcome(summary: &Summary, name: &str) -> u64 {
    *summary.attempts.outcomes.get(name).expect("an outcome")
}

#[test]
fn a_copy_goes_out_after_its_delay_and_the_first_success_counts() {
    for (cancel, busy) in [(false, 1000), (true, 150)] {
        let text = asked(
            &["0s"],
            &format!("cancel = {cancel}, hedge = {{ after = \"50ms\" }}"),
            &fleet("\"100ms\"", &[SLOW, ""]),
        );
        assert_eq!(fates(&text), [("succeeded", 150.0)]);
        let row = log(&text)[0];
        assert_eq!(
            (row.attempts, row.server),
            (2, Some(1)),
            "the winner is `b`"
        );
        let summary = summary(&text);
        assert_eq!(attempt_outcome(&summary, "succeeded"), 1);
        assert_eq!(attempt_outcome(&summary, "cancelled"), 1);
        let of_slow = server(&summary, "web", "a").utilisation * 2000.0;
        assert!((of_slow - f64::from(busy)).abs() < 1e-6, "{of_slow}");
        // Where the work goes on it is for nobody: 100 ms of 200 ms, by the demand.
        let wasted = if cancel { 0.0 } else { 0.5 };
        assert_eq!(summary.wasted_work, Some(wasted));
    }
}

#[test]
fn no_copy_goes_out_once_there_is_an_answer() {
    let text = asked(
        &["0s"],
        "hedge = { after = \"100001us\", copies = 5 }",
        &fleet("\"100ms\"", &["", ""]),
    );
    assert_eq!(fates(&text), [("succeeded", 100.0)]);
    assert_eq!(attempts(&text), [1]);
}

#[test]
fn copies_follow_each_other_at_the_same_distance() {
    let text = asked(
        &["0s"],
        "hedge = { after = \"30ms\", copies = 4 }",
        &fleet("\"100ms\"", &[SLOW, SLOW, SLOW, ""]),
    );
    // The fourth goes out at 90 ms.
    assert_eq!(fates(&text), [("succeeded", 190.0)]);
    assert_eq!(attempts(&text), [4]);
}

#[test]
fn redundant_requests_go_out_at_once() {
    let text = asked(
        &["0s"],
        "cancel = true, hedge = { after = \"0s\", copies = 3 }",
        &fleet("\"100ms\"", &["speed = 0.5", SLOW, "speed = 2", ""]),
    );
    assert_eq!(fates(&text), [("succeeded", 50.0)]);
    let summary = summary(&text);
    for (name, count) in [("a", 1), ("b", 1), ("c", 1), ("d", 0)] {
        assert_eq!(server(&summary, "web", name).attempts, count, "{name}");
    }
    assert_eq!(summary.attempts.per_request, Some(3.0));
}

#[test]
fn what_is_called_off_leaves_the_queue_at_once() {
    // The second request goes to both; its copy waits behind the first until the other one wins.
    let text = |cancel| {
        asked(
            &["0s", "10ms", "110ms"],
            &format!("cancel = {cancel}, hedge = {{ after = \"0s\", copies = 2 }}"),
            &fleet("\"100ms\"", &["speed = 0.5", "", ""]),
        )
    };
    // Servers in turn: the first request on a, b; the second on c, a; the third on b, c.
    let ends = |text: &str| -> Vec<f64> { fates(text).iter().map(|fate| fate.1).collect() };
    assert_eq!(ends(&text(true)), [100.0, 110.0, 210.0]);
    let busy = |cancel| server(&summary(&text(cancel)), "web", "a").utilisation * 2000.0;
    // Without cancelling a works off the first until 200 ms and the second until 400 ms; with it,
    // it is free of the first at 100 ms and of the second at 110 ms.
    assert!((busy(false) - 400.0).abs() < 1e-6, "{}", busy(false));
    assert!((busy(true) - 110.0).abs() < 1e-6, "{}", busy(true));
}

#[test]
fn a_failure_counts_only_when_nothing_else_is_out() {
    let two = |after: &str, manners: &str, servers: &[&str]| {
        let hedge = format!("hedge = {{ after = \"{after}\" }}{manners}");
        asked(&["0s"], &hedge, &fleet("\"100ms\"", servers))
    };
    // The first fails at 100 ms while the copy is out, which answers at 200 ms.
    let text = two("0s", "", &[BROKEN, "speed = 0.5"]);
    assert_eq!(fates(&text), [("succeeded", 200.0)]);
    // Both fail: the end is that of the later.
    let text = two("0s", "", &[BROKEN, "errors = { rate = 1 }\nspeed = 0.5"]);
    assert_eq!(fates(&text), [("errored", 200.0)]);
    // The first fails before the copy was due: the try is over, and the copy never goes out.
    let text = two("150ms", "", &[BROKEN, ""]);
    assert_eq!(fates(&text), [("errored", 100.0)]);
    assert_eq!(attempts(&text), [1]);
    // A retry is a new try with its own copies: at 100 ms, its copy at 250 ms.
    let text = two(
        "150ms",
        ", retry = { kind = \"fixed\", attempts = 2 }",
        &[BROKEN, SLOW, ""],
    );
    assert_eq!(fates(&text), [("succeeded", 350.0)]);
    assert_eq!(attempts(&text), [3]);
}

#[test]
fn copies_are_no_retries() {
    let text = asked(
        &["0s"],
        "hedge = { after = \"0s\", copies = 3 }, retry = { kind = \"fixed\", attempts = 2, pause = \"10ms\" }",
        &fleet("\"100ms\"", &[BROKEN, BROKEN, BROKEN]),
    );
    // Two tries of three attempts.
    assert_eq!(fates(&text), [("errored", 210.0)]);
    assert_eq!(attempts(&text), [6]);
}

#[test]
fn copies_are_paid_from_a_retry_budget() {
    let text = |ratio: &str| {
        asked(
            &["0s", "300ms", "600ms"],
            &format!(
                "hedge = {{ after = \"0s\", copies = 3 }}, guards = [{{ kind = \"retry-budget\", ratio = {ratio}, reserve = 3 }}]"
            ),
            &fleet("\"100ms\"", &["", "", ""]),
        )
    };
    // Two copies of the first request, one of the second.
    assert_eq!(attempts(&text("0")), [3, 2, 1]);
    assert_eq!(attempts(&text("1")), [3, 3, 2]);
}

#[test]
fn each_attempt_has_the_timeout_and_the_call_its_deadline() {
    let stuck = fleet("\"1h\"", &["", "", ""]);
    let of = |manners: &str| asked(&["0s"], manners, &stuck);
    // The first is given up at 100 ms while the copy is out, which is given up at 160 ms.
    let text = of("timeout = \"100ms\", hedge = { after = \"60ms\" }");
    assert_eq!(fates(&text), [("timed_out", 160.0)]);
    assert_eq!(attempts(&text), [2]);
    // A third copy would be due at 120 ms.
    let text = of("timeout = \"100ms\", hedge = { after = \"60ms\", copies = 3 }");
    assert_eq!(fates(&text), [("timed_out", 220.0)]);
    let text = of("deadline = \"130ms\", cancel = true, hedge = { after = \"60ms\", copies = 3 }");
    assert_eq!(fates(&text), [("timed_out", 130.0)]);
    let summary = summary(&text);
    let busy = |name| (server(&summary, "web", name).utilisation * 2000.0).round();
    assert_eq!([busy("a"), busy("b"), busy("c")], [130.0, 70.0, 10.0]);
    assert_eq!(attempt_outcome(&summary, "timed_out"), 3);
}

#[test]
fn a_refusal_at_once_does_not_end_what_is_sent_at_once() {
    let text = format!(
        "{}[[timeline]]\nat = \"1ms\"\ndo = \"crash\"\ntarget = \"service.web.server.a\"\n",
        asked(
            &["10ms"],
            "hedge = { after = \"0s\" }",
            &fleet("\"100ms\"", &["", ""])
        )
    );
    assert_eq!(fates(&text), [("succeeded", 110.0)]);
    assert_eq!(attempts(&text), [2]);
    let both = text.replace("server.a", "server");
    assert_eq!(fates(&both), [("refused", 10.0)]);
}

#[test]
fn crashes_take_copies_with_them() {
    let crash = |target: &str| {
        format!(
            "{}[[timeline]]\nat = \"60ms\"\ndo = \"crash\"\ntarget = \"{target}\"\n",
            asked(
                &["0s"],
                "hedge = { after = \"50ms\" }",
                &fleet("\"100ms\"", &["", ""])
            )
        )
    };
    // The first is lost at 60 ms; the copy, out since 50 ms, goes on.
    let one = crash("service.web.server.a");
    assert_eq!(fates(&one), [("succeeded", 150.0)]);
    assert_eq!(attempt_outcome(&summary(&one), "reset"), 1);
    assert_eq!(fates(&crash("service.web.server")), [("reset", 60.0)]);
    // The connections break; the servers work on for nobody.
    let balancer = crash("service.web.balancer");
    assert_eq!(fates(&balancer), [("reset", 60.0)]);
    let summary = summary(&balancer);
    assert_eq!(attempt_outcome(&summary, "reset"), 2);
    assert_eq!(summary.wasted_work, Some(1.0));
}

#[test]
fn a_restarted_server_serves_the_copies_that_come_then() {
    let text = format!(
        "{}[[timeline]]\nat = \"10ms\"\ndo = \"crash\"\ntarget = \"service.web.server.b\"\n\
         [[timeline]]\nat = \"40ms\"\ndo = \"restart\"\ntarget = \"service.web.server.b\"\n",
        asked(
            &["0s"],
            "hedge = { after = \"50ms\" }",
            &fleet("\"100ms\"", &[SLOW, ""])
        )
    );
    assert_eq!(fates(&text), [("succeeded", 150.0)]);
}

#[test]
fn copies_go_to_different_servers_as_long_as_there_are_enough() {
    let counts = |policy: &str, distinct: bool, copies: u32| {
        let text = asked(
            &["0s"],
            &format!("hedge = {{ after = \"0s\", copies = {copies}, distinct = {distinct} }}"),
            &fleet("\"100ms\"", &["", "", ""]),
        )
        .replace("\"round-robin\"", policy);
        let summary = summary(&text);
        ["a", "b", "c"].map(|name| server(&summary, "web", name).attempts)
    };
    assert_eq!(counts("\"first\"", false, 3), [3, 0, 0]);
    assert_eq!(counts("\"first\"", true, 2), [1, 1, 0]);
    assert_eq!(counts("\"first\"", true, 5), [3, 1, 1]);
    // Every policy keeps to it.
    for row in sim_core::policy::POLICIES {
        // A table has one server for a key, and a ring a next one.
        let policy = match row.row.name {
            "haproxy-hash" => "{ kind = \"haproxy-hash\", method = \"consistent\" }".to_owned(),
            name => format!("{{ kind = \"{name}\"{} }}", crate::support::needed(name)),
        };
        assert_eq!(counts(&policy, true, 3), [1, 1, 1], "{policy}");
    }
}

#[test]
fn a_copy_asks_what_its_request_asks_or_draws_anew() {
    let ends = |hedge: &str| -> Vec<f64> {
        let times: Vec<String> = (0..200).map(|i| format!("{i}s")).collect();
        let times: Vec<&str> = times.iter().map(String::as_str).collect();
        let demand = "{ kind = \"uniform\", low = \"1ms\", high = \"900ms\" }";
        let text =
            asked(&times, hedge, &fleet(demand, &["", ""])).replacen("\"2s\"", "\"300s\"", 1);
        fates(&text)
            .iter()
            .map(|(_, end)| end.rem_euclid(1000.0))
            .collect()
    };
    let single = ends("");
    assert_eq!(ends("hedge = { after = \"0s\" }"), single);
    let own = ends("hedge = { after = \"0s\", demand = \"own\" }");
    let sooner = own.iter().zip(&single).filter(|(a, b)| a < b).count();
    assert!(own.iter().zip(&single).all(|(a, b)| a <= b));
    // One of two alike is the smaller: half of them, and four standard deviations.
    assert!((72..=128).contains(&sooner), "{sooner}");
}

#[test]
fn changes_hold_from_the_next_copy_on() {
    let text = |set: &str| {
        format!(
            "{}[[timeline]]\nat = \"40ms\"\nset = {{ {set} }}\n",
            asked(
                &["0s", "500ms"],
                "hedge = { after = \"50ms\", copies = 3 }",
                &fleet("\"100ms\"", &[SLOW, SLOW, "", ""])
            )
        )
    };
    let same = "\"service.web.link.delay\" = \"0s\"";
    assert_eq!(attempts(&text(same)), [3, 2]);
    // Hedging ends while a copy is due: it never goes out.
    assert_eq!(attempts(&text("\"client.hedge\" = \"none\"")), [1, 1]);
    assert_eq!(attempts(&text("\"client.hedge.copies\" = 2")), [2, 2]);
    // The second copy is due at 50 ms as planned, the third 10 ms later.
    let quicker = text("\"client.hedge.after\" = \"10ms\"");
    assert_eq!(fates(&quicker)[0], ("succeeded", 160.0));
    // And from nothing to hedging: requests that come afterwards.
    let begun = text("\"client.hedge\" = { after = \"50ms\" }")
        .replace("hedge = { after = \"50ms\", copies = 3 } }", "}");
    assert_eq!(attempts(&begun), [1, 2]);
}

#[test]
fn tries_are_counted_on_when_hedging_ends() {
    // Both servers fail after 100 ms. The first try is an attempt and a copy; then hedging ends, and
    // the two that are left have one attempt each.
    let text = format!(
        "{}[[timeline]]\nat = \"60ms\"\nset = {{ \"client.hedge\" = \"none\" }}\n",
        traced(
            "2s",
            &["0s"],
            &format!(
                "[client]\nhedge = {{ after = \"50ms\" }}\n\
                 retry = {{ kind = \"fixed\", attempts = 3, pause = \"10ms\" }}\n{}",
                fleet("\"100ms\"", &[BROKEN, BROKEN])
            )
        )
    );
    // The copy fails at 150 ms, the second try begins at 160 ms, the third at 270 ms.
    assert_eq!(fates(&text), [("errored", 370.0)]);
    assert_eq!(attempts(&text), [4]);
}

#[test]
fn a_copy_goes_to_a_server_that_has_one_rather_than_nowhere() {
    // The policy wants nothing with a server of weight 0.
    for pending_queue in ["", ", pending_queue = { limit = 5 }"] {
        for policy in ["ring-hash", "weighted-random", "weighted-round-robin"] {
            let text = asked(
                &["0s", "10ms"],
                "hedge = { after = \"0s\" }",
                &fleet("\"100ms\"", &["", "weight = 0"])
                    .replace("workers = 1", "workers = 9")
                    .replace("\"round-robin\"", &format!("\"{policy}\"{pending_queue}")),
            );
            assert_eq!(fates(&text), [("succeeded", 100.0), ("succeeded", 110.0)]);
            let summary = summary(&text);
            assert_eq!(server(&summary, "web", "a").attempts, 4, "{policy}");
            assert_eq!(attempt_outcome(&summary, "cancelled"), 2, "{policy}");
        }
    }
}

#[test]
fn answers_on_their_way_back_are_called_off_too() {
    let rest = fleet("\"100ms\"", &["", "speed = 1.01"]).replace(
        "[service.web]",
        "[service.web]\nlink = { delay = \"20ms\" }",
    );
    let text = asked(&["0s"], "hedge = { after = \"0s\" }", &rest);
    let fates = fates(&text);
    assert_eq!(fates[0].0, "succeeded");
    assert!((fates[0].1 - 139.0099).abs() < 1e-3, "{fates:?}");
    let summary = summary(&text);
    assert_eq!(attempt_outcome(&summary, "cancelled"), 1);
    assert_eq!(service(&summary, "web").attempts.total, 2);
}

#[test]
fn calls_between_services_are_hedged_and_called_off_with_their_caller() {
    let tiers = |manners: &str, call: &str| {
        format!(
            "{}[[service.web.call]]\nto = \"db\"\nclient = {{ {call} }}\n[service.db]\n\
             demand = \"200ms\"\nbalancer = {{ policy = \"round-robin\" }}\n\
             server = [{{ name = \"c\", workers = 1, speed = 0.1 }}, {{ name = \"d\", workers = 1 }}]\n",
            asked(&["0s"], manners, &fleet("\"10ms\"", &[""]))
        )
    };
    let hedge = "cancel = true, hedge = { after = \"50ms\" }";
    let text = tiers("", hedge);
    assert_eq!(fates(&text), [("succeeded", 260.0)]);
    assert_eq!(service(&summary(&text), "db").attempts.total, 2);
    // The caller's own caller gives up at 100 ms: both copies stop, begun at 10 and at 60 ms.
    let text = tiers("timeout = \"100ms\", cancel = true", hedge);
    assert_eq!(fates(&text), [("timed_out", 100.0)]);
    let summary = summary(&text);
    let busy = |name| (server(&summary, "db", name).utilisation * 2000.0).round();
    assert_eq!([busy("c"), busy("d")], [90.0, 40.0]);
    assert_eq!(outcome(&summary, "timed_out"), 1);
}

/// Books balance after every single event, and a picture shows each copy as an attempt of its own.
#[test]
fn nothing_is_lost_between_copies() {
    let text = "horizon = \"10s\"\nlimits = { in_flight = 10000 }\n\
        traffic = [{ to = \"web\", rate = 60 }]\n\
        [client]\ntimeout = \"120ms\"\ndeadline = \"300ms\"\ncancel = true\n\
        hedge = { after = \"15ms\", copies = 3, demand = \"own\" }\n\
        retry = { kind = \"fixed\", attempts = 2 }\nguards = [{ kind = \"retry-budget\", ratio = 0.5, reserve = 50 }]\n\
        [service.web]\ndemand = { kind = \"exponential\", mean = \"25ms\" }\nlink = { delay = \"1ms\" }\n\
        balancer = { policy = \"least-in-flight\", pending_queue = { limit = 3 }, instances = 2 }\n\
        server = [{ name = \"s\", count = 4, workers = 1, max_connections = 3, queue = { limit = 1 }, \
        errors = { rate = 0.1 }, crash = [{ when = \"queue_age\", above = \"20ms\" }], \
        restart = { kind = \"after\", pause = \"50ms\" } }]\n";
    let mut simulation = start(text);
    let mut most = 0;
    while simulation.step().is_some() {
        check_books(&simulation, text);
        let (sample, _) = simulation.sample(1000);
        most = sample
            .iter()
            .map(|a| a.attempt)
            .max()
            .unwrap_or(0)
            .max(most);
    }
    assert!(most >= 4, "a second try with a copy: {most}");
    let whole = run(text).digest();
    simulation.run();
    assert_eq!(simulation.digest(), whole);
    let mut fork = start(text);
    fork.run_until(at(3.0));
    let mut copy = fork.clone();
    copy.run();
    assert_eq!(copy.digest(), whole);
}
