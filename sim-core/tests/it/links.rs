//! Links: delay and loss on both hops, and who hears of what.

use crate::support::{check_books, fates, log, outcome, run, summary, traced};
use sim_core::engine::End;
use sim_core::record::RequestRecord;

/// A service of one server that takes 10 ms for each request.
pub(crate) fn web(keys: &str, balancer: &str, server: &str) -> String {
    format!(
        "[service.web]\ndemand = \"10ms\"\n{keys}\n[service.web.balancer]\n{balancer}\n\
         [[service.web.server]]\nname = \"s\"\nworkers = 1\n{server}\n"
    )
}

/// An entry of a time line.
pub(crate) fn entry(at: &str, deed: &str, link: &str, more: &str) -> String {
    format!("[[timeline]]\nat = \"{at}\"\ndo = \"{deed}\"\ntarget = \"service.{link}\"\n{more}\n")
}

/// Requests in a steady stream.
pub(crate) fn stream(horizon: &str, rate: u32, rest: &str) -> String {
    format!(
        "horizon = \"{horizon}\"\nrecord = {{ every_nth_request = 1 }}\n\
         traffic = [{{ to = \"web\", arrivals = \"deterministic\", rate = {rate} }}]\n{rest}"
    )
}

pub(crate) const NEAR: &str = "link = { delay = \"3ms\" }";
const AWAY: &str = "link = { delay = \"20ms\" }";

#[test]
fn both_hops_are_crossed_twice() {
    let text = |keys, balancer, server| traced("1s", &["0s"], &web(keys, balancer, server));
    assert_eq!(fates(&text("", NEAR, "")), [("succeeded", 16.0)]);
    assert_eq!(fates(&text(AWAY, NEAR, "")), [("succeeded", 56.0)]);
    // Turned away at the balancer, or at the server.
    let full = text(
        AWAY,
        &format!("{NEAR}\nmax_connections = 1"),
        "queue = { limit = 0 }",
    );
    let twice = full.replace("[\"0s\"]", "[\"0s\", \"1ms\"]");
    assert_eq!(fates(&twice), [("succeeded", 56.0), ("rejected", 41.0)]);
    let roomy = twice.replace("max_connections = 1", "");
    assert_eq!(fates(&roomy), [("succeeded", 56.0), ("rejected", 47.0)]);
}

#[test]
fn a_narrower_link_overrides_a_wider_one_key_by_key() {
    let zone = "[service.web.zone.far]\nlink = { delay = \"7ms\" }\n";
    let text = |server: &str| {
        let rest = web(
            "",
            "link = { delay = \"3ms\", connect_timeout = \"5ms\" }",
            server,
        );
        fates(&traced("1s", &["0s"], &format!("{rest}{zone}")))
    };
    // Its delay is the zone's, the time for a connection the balancer's.
    assert_eq!(text("zone = \"far\""), [("connect_timed_out", 5.0)]);
    let own = "zone = \"far\"\nlink = { connect_timeout = \"1s\" }";
    assert_eq!(text(own), [("succeeded", 24.0)]);
    let quick = "zone = \"far\"\nlink = { delay = \"1ms\" }";
    assert_eq!(text(quick), [("succeeded", 12.0)]);
}

#[test]
fn a_call_may_have_a_link_of_its_own() {
    let text = |link: &str| {
        let db = "[service.db]\ndemand = \"10ms\"\nlink = { delay = \"5ms\" }\n\
                  server = [{ name = \"d\", workers = 1 }]\n";
        let call = format!("[[service.web.call]]\nto = \"db\"\n{link}\n");
        fates(&traced(
            "1s",
            &["0s"],
            &format!("{}{call}{db}", web("", "", "")),
        ))
    };
    assert_eq!(text(""), [("succeeded", 30.0)]);
    assert_eq!(text("link = { delay = \"1ms\" }"), [("succeeded", 22.0)]);
}

/// The balancer's books are closed when the answer reaches it, wherever the caller is.
#[test]
fn a_connection_is_taken_until_the_answer_reaches_the_balancer() {
    let rest = web(
        "link = { delay = \"30ms\" }",
        "link = { delay = \"5ms\" }",
        "max_connections = 1",
    );
    // The first is at its server from 35 to 45 ms, and back at the balancer at 50 ms.
    let expected = [
        ("succeeded", 80.0),
        ("unavailable", 78.0),
        ("succeeded", 101.0),
    ];
    assert_eq!(
        fates(&traced("1s", &["0s", "18ms", "21ms"], &rest)),
        expected
    );
}

#[test]
fn as_many_messages_are_lost_as_written() {
    let lossy = |more: &str| {
        let balancer = format!("link = {{ loss = 0.2{more} }}");
        let rest = web("", &balancer, "").replace("\"10ms\"", "\"1ms\"");
        summary(&stream(
            "100s",
            200,
            &format!("{rest}[client]\ntimeout = \"100ms\"\n"),
        ))
    };
    let near = |count: u64, share: f64| {
        let n = 20_000.0;
        let four_sigma = 4.0 * (share * (1.0 - share) / n).sqrt();
        let found = count as f64 / n;
        assert!(
            (found - share).abs() < four_sigma,
            "{found} instead of {share}"
        );
    };
    let silent = lossy("");
    near(outcome(&silent, "succeeded"), 0.8 * 0.8);
    assert_eq!(outcome(&silent, "connect_timed_out"), 0);
    // Of requests the balancer learns by waiting; of answers nobody does.
    let noticed = lossy(", connect_timeout = \"20ms\"");
    near(outcome(&noticed, "succeeded"), 0.8 * 0.8);
    near(outcome(&noticed, "connect_timed_out"), 0.2);
    near(outcome(&noticed, "timed_out"), 0.8 * 0.2);
}

#[test]
fn what_is_lost_is_sent_again_after_twice_as_long_each_time() {
    // A way takes 2ᵏ − 1 s more with probability 2⁻ᵏ⁻¹, the request's and the answer's: none for one in four,
    // 1 s for another fourth, 2 s for a sixteenth, 3 s for an eighth.
    let resent = |more: &str| {
        let link = format!("link = {{ loss = 0.5, retransmit = \"1s\"{more} }}");
        let rest = web(&link, "", "").replace("workers = 1\n", "workers = 1000\n");
        let fate = |row: &RequestRecord| {
            let took_ns = row.ended_ns - row.arrived_ns;
            (row.outcome.name(), took_ns as f64 / 1e6)
        };
        let rows = log(&stream("600s", 20, &rest));
        rows.iter().map(fate).collect::<Vec<_>>()
    };
    let all = resent("");
    let near = |share: f64, of: &[(&str, f64)], fate: (&str, f64)| {
        let found = of.iter().filter(|&&other| other == fate).count() as f64;
        let four_sigma = 4.0 * (12_000.0 * share * (1.0 - share)).sqrt();
        // Those of the last seconds are still under way.
        let missed = found - 12_000.0 * share;
        assert!(
            missed < four_sigma && missed > -four_sigma - 60.0,
            "{fate:?}: {found}"
        );
    };
    for (seconds, share) in [
        (0, 1.0 / 4.0),
        (1, 1.0 / 4.0),
        (2, 1.0 / 16.0),
        (3, 1.0 / 8.0),
    ] {
        near(
            share,
            &all,
            ("succeeded", 10.0 + 1000.0 * f64::from(seconds)),
        );
    }
    let whole = |&(_, ms): &(&str, f64)| ((ms - 10.0) / 1000.0).fract() == 0.0;
    assert!(all.iter().all(whole));
    // Who waits two seconds for a connection has given up when the second try would come.
    near(
        0.25,
        &resent(", connect_timeout = \"2s\""),
        ("connect_timed_out", 2000.0),
    );
    // What is cut is not sent again.
    let cut = entry("0s", "partition", "web.link", "");
    let rest = web("link = { retransmit = \"1s\" }", "", "");
    let text = traced(
        "100s",
        &["0s"],
        &format!("{rest}{cut}[client]\ntimeout = \"50s\"\n"),
    );
    assert_eq!(fates(&text), [("timed_out", 50_000.0)]);
}

/// A hop takes away no more and no less when another one is there too.
#[test]
fn hops_lose_independently() {
    let rest = web("link = { loss = 0.3 }", "link = { loss = 0.1 }", "");
    let rest = format!(
        "{}[client]\ntimeout = \"100ms\"\n",
        rest.replace("\"10ms\"", "\"1ms\"")
    );
    let found = outcome(&summary(&stream("100s", 200, &rest)), "succeeded") as f64 / 20_000.0;
    let share: f64 = 0.7 * 0.7 * 0.9 * 0.9;
    let four_sigma = 4.0 * (share * (1.0 - share) / 20_000.0).sqrt();
    assert!(
        (found - share).abs() < four_sigma,
        "{found} instead of {share}"
    );
}

#[test]
fn silence_is_given_up_by_who_asked() {
    let text = |keys: &str, balancer: &str, more: &str| {
        let client = "[client]\ntimeout = \"500ms\"\n";
        fates(&traced(
            "2s",
            &["100ms"],
            &format!("{client}{}{more}", web(keys, balancer, "")),
        ))
    };
    let cut = |link| entry("0s", "partition", link, "");
    // No connection to the server: the balancer waits, and tells the caller.
    let patient = "link = { connect_timeout = \"50ms\" }";
    let expected = [("connect_timed_out", 190.0)];
    assert_eq!(text(AWAY, patient, &cut("web.balancer.link")), expected);
    // None to the balancer: the caller waits.
    let caller = "link = { connect_timeout = \"30ms\" }";
    assert_eq!(
        text(caller, "", &cut("web.link")),
        [("connect_timed_out", 130.0)]
    );
    // Without a time for connections the timeout ends it.
    assert_eq!(text("", "", &cut("web.link")), [("timed_out", 600.0)]);
    assert_eq!(
        text("", "", &cut("web.balancer.link")),
        [("timed_out", 600.0)]
    );
    // One that takes too long is none.
    let slow = "link = { delay = \"60ms\", connect_timeout = \"50ms\" }";
    assert_eq!(text("", slow, ""), [("connect_timed_out", 150.0)]);
}

#[test]
fn a_black_hole_is_silence_too() {
    let rest = web(
        "",
        "link = { delay = \"10ms\", connect_timeout = \"50ms\" }",
        "down_behaviour = \"black-hole\"",
    );
    let crash = entry("0s", "crash", "web.server.s", "");
    let text = traced("2s", &["100ms"], &format!("{rest}{crash}"));
    assert_eq!(fates(&text), [("connect_timed_out", 150.0)]);
    let rest = web(
        "link = { delay = \"10ms\", connect_timeout = \"50ms\" }",
        "down_behaviour = \"black-hole\"",
        "",
    );
    let crash = entry("0s", "crash", "web.balancer", "");
    let text = traced("2s", &["100ms"], &format!("{rest}{crash}"));
    assert_eq!(fates(&text), [("connect_timed_out", 150.0)]);
}

/// The server has the request before it could be told that nobody waits any more.
#[test]
fn a_request_under_way_to_its_server_is_worked_on_for_nobody() {
    for (cancel, wasted) in [(false, Some(1.0)), (true, None)] {
        let client = format!("[client]\ntimeout = \"15ms\"\ncancel = {cancel}\n");
        let text = traced("1s", &["0s"], &format!("{client}{}", web("", AWAY, "")));
        assert_eq!(fates(&text), [("timed_out", 15.0)]);
        assert_eq!(summary(&text).wasted_work, wasted, "cancel = {cancel}");
    }
}

#[test]
fn a_crash_of_the_balancer_cuts_off_what_is_under_way() {
    for (crash, ends) in [("10ms", 10.0), ("25ms", 25.0), ("40ms", 40.0)] {
        // Under way to the server, in it, and on the way back.
        let deed = entry(crash, "crash", "web.balancer", "");
        let text = traced("1s", &["0s"], &format!("{}{deed}", web("", AWAY, "")));
        assert_eq!(fates(&text), [("reset", ends)]);
        let utilisation = summary(&text).services.0[0].1.servers.0[0].1.utilisation;
        assert!((utilisation - 0.01).abs() < 1e-9, "{crash}: {utilisation}");
    }
}

#[test]
fn a_server_that_dies_before_the_request_comes_refuses_it() {
    let deed = entry("10ms", "crash", "web.server.s", "");
    let text = traced("1s", &["0s"], &format!("{}{deed}", web("", AWAY, "")));
    assert_eq!(fates(&text), [("refused", 40.0)]);
}

/// Whoever waits without end for what was lost waits until the limits end the run.
#[test]
fn callers_without_a_timeout_wait_until_the_limits_end_the_run() {
    let text = format!(
        "limits = {{ in_flight = 100 }}\n{}",
        stream("1h", 100, &web("link = { loss = 1 }", "", ""))
    );
    let simulation = run(&text);
    assert_eq!(simulation.end(), Some(End::InFlightLimit));
    check_books(&simulation, &text);
}

#[test]
fn links_change_while_time_runs() {
    let rest = web("", NEAR, "");
    let sets = "[[timeline]]\nat = \"1s\"\nset = { \"service.web.balancer.link.delay\" = \"5ms\" }\n\
                [[timeline]]\nat = \"2s\"\nset = { \"service.web.server.s.link.delay\" = \"1ms\", \"service.web.link.delay\" = \"10ms\" }\n";
    let text = traced(
        "4s",
        &["500ms", "1500ms", "2500ms"],
        &format!("{rest}{sets}"),
    );
    let expected = [
        ("succeeded", 516.0),
        ("succeeded", 1520.0),
        ("succeeded", 2532.0),
    ];
    assert_eq!(fates(&text), expected);
}

/// Loss and delay are drawn by request and attempt: a retry has another fate, and a change elsewhere
/// changes nobody's.
#[test]
fn fates_belong_to_attempts() {
    let text = |more: &str| {
        let rest = web("link = { loss = 0.5 }", "", "workers = 50").replace("workers = 1\n", "");
        let client = format!("[client]\ntimeout = \"20ms\"\n{more}");
        stream("20s", 10, &format!("{client}{rest}"))
    };
    let names = |text: &str| -> Vec<&str> { fates(text).iter().map(|(name, _)| *name).collect() };
    let (once, slower) = (
        names(&text("")),
        text("").replace("demand = \"10ms\"", "demand = \"5ms\""),
    );
    assert_eq!(once, names(&slower));
    let retried = names(&text("retry = { kind = \"fixed\", attempts = 2 }\n"));
    let saved = once.iter().zip(&retried).filter(|(a, b)| a != b).count();
    assert!(saved > 10, "{saved} of {}", once.len());
    let worse = |(a, b): &(&&str, &&str)| **a == "succeeded" && **b != "succeeded";
    assert_eq!(once.iter().zip(&retried).filter(worse).count(), 0);
}
