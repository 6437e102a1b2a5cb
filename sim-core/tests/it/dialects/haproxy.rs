//! `HAProxy` against what was observed of it: cases by their numbers in the published facts.
//!
//! Cases of hashes, weights and orders that only a policy can be driven to stand beside it, in
//! `src/policy/haproxy/`: 97, 99, 101, 103, 105, 109, 111, 113 and 155; that of weights in a slow start, A17, in
//! `src/health/slow_start.rs`.

use super::{Fate, every, fates, requests_at, tried};
use crate::support::{start, times};
use sim_core::event_log::Kind;

/// Cases that no scenario can express, with the reason.
const LEFT_OUT: &[(u32, &str, &str)] = &[
    (
        171,
        "agent-reply",
        "an agent is a program beside the server that reports on it; servers here have none",
    ),
    (
        173,
        "default-server-none",
        "how a configuration inherits is a matter of its reader",
    ),
];

/// Requests at moments, served so long each, by servers behind the dialect of 2.6 with these parameters.
fn proxied(
    moments: impl IntoIterator<Item = f64>,
    service: &str,
    params: &str,
    servers: &[&str],
) -> String {
    let servers: Vec<String> = servers.iter().map(|s| format!("  {{ {s} }},\n")).collect();
    format!(
        "{}[service.web]\ndemand = \"{service}\"\n\
         balancer.dialect = {{ kind = \"haproxy\", version = \"2.6\"{params} }}\n\
         server = [\n{}]\n",
        requests_at(moments),
        servers.concat()
    )
}

/// A server of this name with as many workers as anybody needs, and something else.
fn server(name: &str, rest: &str) -> String {
    format!("name = \"{name}\", workers = 1000{rest}")
}

/// Servers a, b, c … without anything else.
fn plain(n: usize) -> Vec<String> {
    ["a", "b", "c", "d"][..n]
        .iter()
        .map(|name| server(name, ""))
        .collect()
}

fn refs(servers: &[String]) -> Vec<&str> {
    servers.iter().map(String::as_str).collect()
}

fn timeline(at: f64, what: &str) -> String {
    format!("[[timeline]]\nat = \"{at}s\"\n{what}\n")
}

fn crash(at: f64, name: &str) -> String {
    timeline(
        at,
        &format!("do = \"crash\"\ntarget = \"service.web.server.{name}\""),
    )
}

fn restart(at: f64, name: &str) -> String {
    timeline(
        at,
        &format!("do = \"restart\"\ntarget = \"service.web.server.{name}\""),
    )
}

fn drain(at: f64, name: &str) -> String {
    timeline(
        at,
        &format!("do = \"drain\"\ntarget = \"service.web.server.{name}\""),
    )
}

fn took(fates: &[Fate]) -> Vec<f64> {
    fates.iter().map(|fate| fate.took_s).collect()
}

fn outcomes(fates: &[Fate]) -> Vec<&str> {
    fates.iter().map(|fate| fate.outcome).collect()
}

fn assert_near(case: &str, seen: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(seen.len(), expected.len(), "{case}: {seen:?}");
    for (seen, expected) in seen.iter().zip(expected) {
        assert!(
            (seen - expected).abs() <= tolerance,
            "{case}: {seen:?} and not {expected:?}"
        );
    }
}

/// A case in which servers are told apart by name, and nothing else counts.
struct Order {
    id: u32,
    name: &'static str,
    params: &'static str,
    /// What is written of each server.
    servers: &'static [&'static str],
    requests: u32,
    gap_s: f64,
    service: &'static str,
    expected: &'static str,
}

const SERIAL: Order = Order {
    id: 0,
    name: "",
    params: "",
    servers: &[],
    requests: 0,
    gap_s: 1.0,
    service: "1ms",
    expected: "",
};

const ORDERS: &[Order] = &[
    Order {
        id: 85,
        name: "rr-four",
        servers: &["", "", "", ""],
        requests: 5,
        expected: "a b c d a",
        ..SERIAL
    },
    Order {
        id: 87,
        name: "static-rr-321",
        params: ", balance = \"static-rr\"",
        servers: &[", weight = 3", ", weight = 2", ""],
        requests: 18,
        expected: "a a b a b c a a b a b c a a b a b c",
        ..SERIAL
    },
    Order {
        id: 89,
        name: "rr-21-overlapping",
        servers: &[", weight = 2", ""],
        requests: 6,
        gap_s: 0.04,
        service: "1s",
        expected: "a a b a a b",
        ..SERIAL
    },
    Order {
        id: 91,
        name: "rr-weight-0",
        servers: &["", ", weight = 0", ""],
        requests: 6,
        expected: "a c a c a c",
        ..SERIAL
    },
    Order {
        id: 107,
        name: "url-param-missing",
        // Without the parameter the program takes turns as here.
        params: ", balance = \"static-rr\"",
        servers: &[", weight = 3", ""],
        requests: 8,
        expected: "a a a b a a a b",
        ..SERIAL
    },
    Order {
        id: 115,
        name: "lc-2-1",
        params: ", balance = \"leastconn\"",
        servers: &[", weight = 2", ""],
        requests: 9,
        gap_s: 0.04,
        service: "1s",
        expected: "a b a a b a a b a",
    },
    Order {
        id: 117,
        name: "first-fill",
        params: ", balance = \"first\"",
        servers: &[
            ", max_connections = 2",
            ", max_connections = 2",
            ", max_connections = 2",
        ],
        requests: 5,
        gap_s: 0.04,
        service: "1s",
        expected: "a a b b c",
    },
    Order {
        id: 157,
        name: "backup-first-only",
        servers: &[
            ", weight = 1, present = false",
            ", backup = true",
            ", backup = true",
        ],
        requests: 4,
        expected: "b b b b",
        ..SERIAL
    },
];

#[test]
fn servers_come_in_the_order_of_the_program() {
    for case in ORDERS {
        let names = ["a", "b", "c", "d"];
        let servers: Vec<String> = (case.servers.iter().zip(names))
            .map(|(rest, name)| server(name, rest))
            .collect();
        let moments = every(case.gap_s, case.requests);
        let text = proxied(moments, case.service, case.params, &refs(&servers));
        assert_eq!(
            tried(&fates(&text)),
            case.expected,
            "{} {}",
            case.id,
            case.name
        );
    }
}

#[test]
fn case_93_and_95_a_server_goes_and_comes_back() {
    let back = timeline(4.5, "do = \"undrain\"\ntarget = \"service.web.server.a\"");
    let text = proxied((0..13).map(f64::from).skip(1), "1ms", "", &refs(&plain(3)));
    let text = format!("{text}{}{back}", drain(0.5, "a"));
    assert_eq!(
        tried(&fates(&text)),
        "b c b c b c a b c a b c",
        "93 rr-return-of-server"
    );
    let text = proxied(every(1.0, 8), "1ms", "", &refs(&plain(3)));
    let text = format!("{text}{}", drain(3.5, "b"));
    assert_eq!(tried(&fates(&text)), "a b c a c a c a", "95 drain");
}

/// How requests of a second each fare that come 40 ms apart at servers with limits.
fn queued(params: &str, servers: &[String], n: u32) -> Vec<Fate> {
    fates(&proxied(every(0.04, n), "1s", params, &refs(servers)))
}

/// When they were answered, counted from the first arrival, in order.
fn ends(fates: &[Fate]) -> Vec<f64> {
    let mut ends: Vec<f64> = fates.iter().map(|f| f.arrived_s + f.took_s).collect();
    ends.sort_by(f64::total_cmp);
    ends
}

#[test]
fn who_finds_all_servers_full_waits_for_any() {
    let two = |limit: &str| ["a", "b"].map(|name| server(name, limit)).to_vec();
    let one = |rest: &str| vec![server("a", rest)];
    let done = queued(
        ", balance = \"leastconn\", timeout_queue = \"10s\"",
        &two(", max_connections = 2"),
        8,
    );
    assert_eq!(tried(&done), "a b a b a b a b", "123 queue-two-servers");
    assert_near(
        "123",
        &took(&done),
        &[1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0],
        0.2,
    );

    let done = queued(
        ", timeout_queue = \"1500ms\"",
        &one(", max_connections = 1"),
        4,
    );
    let ok = ["succeeded", "succeeded", "unavailable", "unavailable"];
    assert_eq!(outcomes(&done), ok, "125 queue-timeout");
    assert_near("125", &took(&done), &[1.0, 2.0, 1.5, 1.5], 0.1);

    let done = queued(
        ", timeout_queue = \"5s\", maxqueue = 1",
        &one(", max_connections = 1"),
        4,
    );
    assert_eq!(outcomes(&done), ["succeeded"; 4], "127 maxqueue-single");
    assert_near("127", &took(&done), &[1.0, 2.0, 3.0, 4.0], 0.2);

    let done = queued(
        ", fullconn = 10",
        &one(", min_connections = 1, max_connections = 4"),
        3,
    );
    assert_near("129 minconn-low-load", &took(&done), &[1.0, 2.0, 3.0], 0.15);

    let done = queued(", maxconn = 2", &one(""), 4);
    assert_eq!(outcomes(&done), ["succeeded"; 4], "131 frontend-maxconn");
    assert_near("131", &took(&done), &[1.0, 1.0, 2.0, 2.0], 0.15);

    // Section 6 of lb_semantics, 4: the queue has the time of a connection.
    let done = queued(
        ", timeout_connect = \"2s\"",
        &one(", max_connections = 1"),
        6,
    );
    let failed = done.iter().filter(|fate| fate.outcome == "unavailable");
    assert_eq!(failed.map(|fate| fate.took_s).collect::<Vec<_>>(), [2.0; 3]);
    // And 9: maxqueue does not bound those that any server will do for.
    let done = queued(", maxqueue = 1", &two(", max_connections = 1"), 8);
    assert_near(
        "9",
        &ends(&done),
        &[1.0, 1.04, 2.0, 2.04, 3.0, 3.04, 4.0, 4.04],
        0.01,
    );
}

#[test]
fn a16_limits_follow_what_the_backend_has_to_do() {
    // 25 at once of half a second: two, then 10, 7, 3, 2 and 1 at a time.
    let burst = |version: &str| {
        let servers = [server("a", ", min_connections = 2, max_connections = 10")];
        let text = proxied([0.0; 25], "500ms", ", fullconn = 20", &refs(&servers));
        let done = fates(&text.replace("2.6", version));
        let rounds = (1..=6).map(|round| {
            let at = 0.5 * f64::from(round);
            done.iter().filter(|f| (f.took_s - at).abs() < 0.01).count()
        });
        rounds.collect::<Vec<_>>()
    };
    assert_eq!(burst("2.6"), [2, 10, 7, 3, 2, 1]);
    assert_eq!(burst("3.4"), [10, 8, 4, 2, 1, 0]);
}

/// All requests are of one client.
fn one_client(text: &str) -> String {
    let of_one = "key = { kind = \"uniform\", n = 1 }, to = \"web\"";
    text.replace("to = \"web\"", of_one)
}

#[test]
fn case_133_and_135_bound_requests_wait_for_their_server() {
    let limited = ["a", "b"].map(|name| server(name, ", max_connections = 1"));
    let drained = |name: &str| drain(0.3, name);
    // Three of one session, bound to a by the first.
    let text = proxied(
        every(0.1, 3),
        "2s",
        ", cookie = true, redispatch = \"-1\", timeout_queue = \"6s\"",
        &refs(&limited),
    );
    let text = format!("{}{}", one_client(&text), drained("a"));
    let done = fates(&text);
    assert_eq!(tried(&done), "a b b", "133 cookie-queue-moves-on-maint");
    assert_near("133", &took(&done), &[2.0, 2.2, 4.1], 0.2);
    // Three from one client, and the other server goes.
    let params = ", balance = \"source\", redispatch = \"-1\", timeout_queue = \"6s\"";
    let text = proxied(every(0.1, 3), "2s", params, &refs(&limited));
    let text = one_client(&text);
    let own = fates(&text)[0].tried.concat();
    let other = if own == "a" { "b" } else { "a" };
    let done = fates(&format!("{text}{}", drained(other)));
    assert_eq!(
        tried(&done),
        format!("{own} {own} {own}"),
        "135 source-queue-moves-on-maint"
    );
    assert_near("135", &took(&done), &[2.0, 3.9, 5.8], 0.2);
}

#[test]
fn a_dead_server_is_tried_again_after_a_second() {
    let text = |params: &str, n: usize, requests: u32| {
        let moments = (1..=requests).map(|i| 10.0 * f64::from(i));
        let text = proxied(moments, "1ms", params, &refs(&plain(n)));
        fates(&format!("{text}{}", crash(0.0, "a")))
    };
    for (case, params, expected) in [
        ("137 dead-retries-0", ", retries = 0", 0.0),
        ("139 dead-retries-2", ", retries = 2", 2.0),
        ("141 dead-redispatch-alone", ", redispatch = \"-1\"", 3.0),
        ("A13", "", 3.0),
    ] {
        let done = text(params, 1, 1);
        assert_ne!(done[0].outcome, "succeeded", "{case}");
        assert_near(case, &took(&done), &[expected], 0.05);
    }
    let done = text("", 2, 2);
    assert_eq!(tried(&done), "aaaa b", "143 rr-no-redispatch");
    assert_near("143", &took(&done), &[3.0, 0.0], 0.05);
    // A12: whoever is not hashed goes to another server at once.
    for balance in ["roundrobin", "leastconn", "first", "static-rr"] {
        let params = format!(", balance = \"{balance}\", redispatch = \"-1\"");
        let done = text(&params, 3, 1);
        assert_eq!(tried(&done), "ab", "A12 {balance}");
        assert_near("A12", &took(&done), &[0.0], 0.05);
    }
}

#[test]
fn a_silent_server_has_the_time_of_a_connection_for_each_try() {
    let silent = ["a", "b"].map(|name| server(name, ", down_behaviour = \"black-hole\""));
    for (redispatch, seen, expected) in [("no", "aaaa", 2.0), ("-1", "ab", 0.5)] {
        let params = format!(
            ", balance = \"first\", timeout_connect = \"500ms\", redispatch = \"{redispatch}\""
        );
        let text = proxied([10.0], "1ms", &params, &refs(&silent));
        let done = fates(&format!("{text}{}", crash(0.0, "a")));
        assert_eq!(tried(&done), seen, "{redispatch}");
        assert_near(redispatch, &took(&done), &[expected], 0.01);
    }
}

#[test]
fn a12_a_hashed_request_turns_elsewhere_with_its_last_try_only() {
    for (hash_type, seen) in [("map-based", "xxxx"), ("consistent", "xxxy")] {
        let params =
            format!(", balance = \"hdr\", hash_type = \"{hash_type}\", redispatch = \"-1\"");
        let text = proxied([10.0], "1ms", &params, &refs(&plain(2)));
        let text = one_client(&text);
        let own = fates(&text)[0].tried.concat();
        let done = fates(&format!("{text}{}", crash(0.0, &own)));
        let other = if own == "a" { "b" } else { "a" };
        let seen = seen.replace('x', &own).replace('y', other);
        assert_eq!(tried(&done), seen, "{hash_type}");
        assert_near(hash_type, &took(&done), &[2.0], 0.05);
    }
}

#[test]
fn case_145_a_session_stays_with_its_dead_server() {
    let params = ", cookie = true";
    let text = proxied([0.0, 10.0], "1ms", params, &refs(&plain(2)));
    let done = fates(&format!("{}{}", one_client(&text), crash(5.0, "a")));
    assert_eq!(tried(&done), "a aaaa", "145 cookie-no-redispatch");
    assert_near("145", &took(&done), &[0.0, 3.0], 0.05);
}

#[test]
fn errors_are_tried_again_if_they_are_listed() {
    let run = |params: &str, a: &str, n: u32| {
        let servers = [server("a", a), server("b", "")];
        fates(&proxied(every(10.0, n), "1ms", params, &refs(&servers)))
    };
    let errs = ", errors = { rate = 1.0 }";
    let done = run(", retry_on = [\"503\"]", errs, 4);
    assert_eq!(
        tried(&done),
        "aaaa b aaaa b",
        "147 retry-on-503-same-server"
    );
    let expected = ["errored", "succeeded", "errored", "succeeded"];
    assert_eq!(outcomes(&done), expected);
    assert_near("147", &took(&done), &[0.0; 4], 0.05);

    let done = run(", retry_on = [\"503\"], redispatch = \"1\"", errs, 4);
    assert_eq!(tried(&done), "ab ab ab ab", "149 retry-on-post");
    assert_eq!(outcomes(&done), ["succeeded"; 4]);
    // Not listed, or of another status: the first answer stands.
    assert_eq!(tried(&run("", errs, 4)), "a b a b");
    let other = run(", retry_on = [\"500\"], redispatch = \"1\"", errs, 2);
    assert_eq!(tried(&other), "a b");

    // A connection that breaks after it stood: the server dies with the request.
    let params = ", retry_on = [\"empty-response\"], redispatch = \"-1\"";
    let text = proxied([10.0], "1s", params, &refs(&plain(2)));
    let done = fates(&format!("{text}{}", crash(10.5, "a")));
    assert_eq!(tried(&done), "ab", "151 empty-response-retried");
    assert_eq!(outcomes(&done), ["succeeded"]);

    let params =
        ", retry_on = [\"response-timeout\"], redispatch = \"-1\", timeout_server = \"1s\"";
    let servers = [server("a", ", speed = 0.00025"), server("b", "")];
    let done = fates(&proxied(every(10.0, 2), "1ms", params, &refs(&servers)));
    assert_eq!(tried(&done), "ab ab", "153 timeout-server-retried");
    assert_near("153", &took(&done), &[1.0, 1.0], 0.05);
    // By default a server that hangs is not tried again.
    let done = fates(&proxied(
        every(10.0, 2),
        "1ms",
        ", timeout_server = \"1s\"",
        &refs(&servers),
    ));
    assert_eq!(tried(&done), "a b");
}

#[test]
fn case_159_without_a_usable_server_the_answer_is_no_at_once() {
    let text = proxied([10.0], "1ms", "", &refs(&plain(1)));
    let done = fates(&format!("{text}{}", drain(0.0, "a")));
    assert_eq!(
        (tried(&done).as_str(), done[0].outcome),
        ("-", "unavailable")
    );
    assert_near("159 none-usable", &took(&done), &[0.0], 0.05);
}

#[test]
fn random_draws_lie_on_the_ring() {
    // 119 and 121, as their tolerances have it.
    for (case, draws, servers, requests, expected, tolerance) in [
        (
            "119 random-two",
            2,
            3,
            600,
            &[0.333, 0.333, 0.333][..],
            0.06,
        ),
        (
            "121 random-one-ring-skew",
            1,
            2,
            300,
            &[0.37, 0.63][..],
            0.09,
        ),
    ] {
        let params = format!(", balance = \"random\", draws = {draws}");
        let done = fates(&proxied(
            every(1.0, requests),
            "1ms",
            &params,
            &refs(&plain(servers)),
        ));
        let shares: Vec<f64> = ["a", "b", "c"][..servers]
            .iter()
            .map(|name| {
                let of = done.iter().filter(|fate| fate.tried == [*name]).count();
                of as f64 / f64::from(requests)
            })
            .collect();
        assert_near(case, &shares, expected, tolerance);
    }
}

/// When the only server went down and came up, by the checks of these rules.
fn checked(rules: &str, events: &str) -> (Vec<f64>, Vec<f64>) {
    let text = proxied(
        [30.0],
        "1ms",
        &format!(", check = true, {rules}"),
        &refs(&plain(1)),
    );
    let mut simulation = start(&format!("{text}{events}"));
    simulation.run();
    (
        times(&simulation, Kind::Ejected),
        times(&simulation, Kind::Readmitted),
    )
}

#[test]
fn checks_take_servers_out_and_bring_them_back() {
    // 161: between 1 s and 12 s all checks fail.
    let (down, up) = checked(
        "httpchk = true",
        &format!("{}{}", crash(1.0, "a"), restart(12.0, "a")),
    );
    assert_near("161 check-defaults", &down, &[5.7], 2.0);
    assert_near("161", &up, &[15.6], 2.0);
    // 163: in the run, one check had passed when they began to fail.
    let (down, _) = checked("httpchk = true, inter = \"300ms\"", &crash(0.05, "a"));
    assert_near("163 check-404", &down, &[0.9], 0.35);
    // A server that nobody has checked is out with the first that fails: the second of two, half an interval later.
    let text = proxied(
        [30.0],
        "1ms",
        ", check = true, inter = \"300ms\"",
        &refs(&plain(2)),
    );
    let mut simulation = start(&format!("{text}{}", crash(0.0, "b")));
    simulation.run();
    let fresh: Vec<f64> = times(&simulation, Kind::Ejected);
    assert_eq!(fresh, [0.15]);
    // 165: answered checks pass.
    let (down, _) = checked("httpchk = true, inter = \"300ms\"", "");
    assert!(down.is_empty(), "165 check-302");
    // A18: a server dies right after a check, with inter 1 s; with fastinter 200 ms; and comes back.
    let dies = crash(10.01, "a");
    let (down, _) = checked("inter = \"1s\"", &dies);
    assert_near("A18", &down, &[13.0], 0.01);
    let back = |at| format!("{dies}{}", restart(at, "a"));
    // It is back 0.32 s after a check that failed, and up 1.69 s later, or 0.91 s with fastinter.
    let (down, up) = checked("inter = \"1s\"", &back(19.32));
    assert_near("A18", &down, &[13.0], 0.01);
    assert_near("A18", &up, &[19.32 + 1.69], 0.03);
    let (down, up) = checked("inter = \"1s\", fastinter = \"200ms\"", &back(19.72));
    assert_near("A18", &down, &[11.4], 0.02);
    assert_near("A18", &up, &[19.72 + 0.91], 0.04);
    let (down, up) = checked("inter = \"1s\", fall = 1, downinter = \"7s\"", &back(20.33));
    assert_near("downinter", &down, &[11.0], 0.01);
    assert_near("downinter", &up, &[26.0], 0.01);
}

#[test]
fn case_167_a_slow_start_has_whole_seconds_in_sixteenths() {
    let bursts = [0.5, 1.4, 2.3, 3.3, 4.2, 5.1];
    // It comes up with the second check that passes.
    let up_at = 19.5;
    let moments = bursts
        .iter()
        .flat_map(|at| (0..20).map(move |i| up_at + at + 0.0001 * f64::from(i)));
    let servers = [server("a", ", weight = 100"), server("b", ", weight = 100")];
    let params = ", check = true, inter = \"1s\", slowstart = \"5s\"";
    let text = proxied(moments, "1us", params, &refs(&servers));
    let text = format!("{text}{}{}", crash(5.0, "b"), restart(18.25, "b"));
    let mut simulation = start(&text);
    simulation.run();
    let up = times(&simulation, Kind::Readmitted);
    assert_eq!(up, [up_at]);
    let done = fates(&text);
    let of_b: Vec<f64> = done
        .chunks(20)
        .map(|burst| burst.iter().filter(|fate| fate.tried == ["b"]).count() as f64)
        .collect();
    assert_near(
        "167 slowstart-rr",
        &of_b,
        &[1.0, 3.0, 6.0, 8.0, 9.0, 10.0],
        1.0,
    );
}

#[test]
fn case_169_three_errors_of_the_traffic_mark_a_server_down() {
    let servers = [server("a", ", errors = { rate = 1.0 }"), server("b", "")];
    let params = ", check = true, inter = \"100s\", observe = \"layer7\", error_limit = 3, on_error = \"mark-down\"";
    let done = fates(&proxied(
        (1..15).map(f64::from),
        "1ms",
        params,
        &refs(&servers),
    ));
    assert_eq!(
        tried(&done),
        "a b a b a b b b b b b b b b",
        "169 observe-mark-down"
    );
}

#[test]
fn what_is_left_out_is_none_of_the_cases_here() {
    for (id, name, why) in LEFT_OUT {
        assert!(
            !why.is_empty() && ORDERS.iter().all(|case| case.id != *id),
            "{name}"
        );
    }
}

#[test]
fn what_the_program_refuses_is_refused() {
    for (params, servers, what) in [
        (
            ", slowstart = \"5s\", balance = \"first\"",
            "",
            "do not change while it runs",
        ),
        (", slowstart = \"500ms\"", "", "counted in seconds"),
        (
            ", hash_preserve_affinity = \"maxconn\"",
            "",
            "before HAProxy 3.2",
        ),
        (
            ", hash_balance_factor = 150",
            "",
            "hash_type = \"consistent\" only",
        ),
        (
            ", balance = \"uri\", hash_type = \"consistent\", hash_balance_factor = 50",
            "",
            "above 100",
        ),
        (", observe = \"layer7\"", "", "needs check = true"),
        ("", ", weight = 0.5", "whole numbers from 0 to 256"),
        (", fullconn = 9", "", "`full_connections`"),
        (
            "",
            ", min_connections = 1, max_connections = 2",
            "full_connections",
        ),
        (
            ", fullconn = 9",
            ", min_connections = 3, max_connections = 2",
            "a part of",
        ),
        (", version = \"2.7\"", "", "cannot be"),
    ] {
        let servers = [server("a", servers)];
        let text = proxied([1.0], "1ms", params, &refs(&servers));
        let text = text.replacen("version = \"2.6\", version", "version", 1);
        let problems = sim_core::scenario::parse(&text)
            .expect_err(params)
            .to_string();
        assert!(problems.contains(what), "{params}: {problems}");
    }
    let lines = "[service.web.balancer]\npolicy = \"random\"\npending_queue = { limit = 9, per_server = 1 }\n";
    let text = format!(
        "{}[service.web]\ndemand = \"1ms\"\nserver = [{{ name = \"a\" }}]\n{lines}",
        requests_at([1.0])
    );
    let problems = sim_core::scenario::parse(&text)
        .expect_err("random sees none")
        .to_string();
    assert!(
        problems.contains("see servers at their limit"),
        "{problems}"
    );
}
