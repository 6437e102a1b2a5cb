//! nginx: every published case, by its number and name.
//!
//! Cases that are a policy's alone (which server a key belongs to, shares of draws) stand beside the policies,
//! in `policy/nginx/tests.rs`. A server that closes connections without an answer is played by one that refuses
//! them, which is the same failure to nginx where requests may be sent twice.

use super::{Fate, every, fates, requests_at, tried};
use crate::support::start;

/// Cases that no scenario expresses, and why.
const UNSAID: &[(u32, &str, &str)] = &[(
    81,
    "sticky-drain",
    "a server that is taken out of rotation gets nothing here, bound requests included; the new requests are tested",
)];

/// Cases tested beside the policies.
const BESIDE_POLICIES: &[u32] = &[47, 49, 51, 53, 55, 59, 61, 67];

/// A service behind nginx: parameters of the dialect, servers, and whatever else there is.
fn nginx(requests: &str, dialect: &str, servers: &[&str], rest: &str) -> String {
    let servers: Vec<String> = (servers.iter())
        .map(|server| format!("{{ workers = 100, {server} }}"))
        .collect();
    format!(
        "{requests}[service.web]\ndemand = \"1ms\"\n\
         balancer.dialect = {{ kind = \"nginx\", {dialect} }}\n\
         server = [{}]\n{rest}",
        servers.join(", ")
    )
}

/// An action at a moment.
fn at(seconds: f64, action: &str, server: &str) -> String {
    format!(
        "[[timeline]]\nat = \"{seconds:.4}s\"\ndo = \"{action}\"\ntarget = \"service.web.server.{server}\"\n"
    )
}

/// A server that refuses connections from one moment to another.
fn refuses(server: &str, from: f64, to: f64) -> String {
    at(from, "crash", server) + &at(to, "restart", server)
}

/// One that refuses them all the time.
fn dead(server: &str) -> String {
    at(0.0, "crash", server)
}

const A: &str = "name = \"a\"";
const B: &str = "name = \"b\"";
const C: &str = "name = \"c\"";
const BACKUP_B: &str = "name = \"b\", backup = true";
const BACKUP_C: &str = "name = \"c\", backup = true";
/// Servers that answer with an error always.
const BAD_A: &str = "name = \"a\", errors.rate = 1.0";
const BAD_B: &str = "name = \"b\", errors.rate = 1.0";
const BAD_C: &str = "name = \"c\", errors.rate = 1.0";

/// Requests one after the other, well within a second.
fn serial(n: u32) -> String {
    // Not at zero, so that what is down from the start is down by then.
    requests_at(every(0.01, n).map(|at| at + 0.001))
}

/// Requests that are all in service when the last one comes.
fn open(n: u32) -> String {
    requests_at(every(0.05, n))
}

fn outcomes(fates: &[Fate]) -> Vec<&'static str> {
    fates.iter().map(|fate| fate.outcome).collect()
}

const OK: &str = "succeeded";
/// 502 and 504 of nginx itself, and statuses of servers that it passes on.
const BAD: &str = "errored";
/// 502, "no live upstreams".
const NONE_LIVE: &str = "unavailable";

/// A case: what is tried, and how each request ends; one word where all end alike.
fn check(case: &str, text: &str, expected: &str, ends: &[&str]) -> Vec<Fate> {
    let fates = fates(text);
    assert_eq!(tried(&fates), expected, "{case}");
    if let [all] = ends {
        assert!(
            fates.iter().all(|fate| fate.outcome == *all),
            "{case}: {fates:?}"
        );
    } else {
        assert_eq!(outcomes(&fates), ends, "{case}");
    }
    fates
}

#[test]
fn turns() {
    check(
        "1 rr-two-equal",
        &nginx(&serial(30), "", &[A, B], ""),
        &["a b"; 15].join(" "),
        &[OK],
    );
    let weights = [
        "name = \"a\", weight = 4",
        "name = \"b\", weight = 3",
        "name = \"c\", weight = 2",
        "name = \"d\"",
    ];
    let expected = "a b c a b d a c b a a b c a b d a c b a";
    check(
        "3 rr-weights-4321",
        &nginx(&serial(20), "", &weights, ""),
        expected,
        &[OK],
    );
}

#[test]
fn failures_ban_a_server() {
    // The third, sixth and ninth request that reaches a are requests 4, 10 and 16.
    let third: String = [4.0, 10.0, 16.0]
        .map(|i| refuses("a", 0.01 * i - 0.004, 0.01 * i + 0.006))
        .concat();
    let dialect = "max_fails = 3, fail_timeout = \"10s\"";
    let expected = "a b a b ab b a b a b ab b a b a b ab b b b b b b b b b b b b b";
    let text = nginx(&serial(30), dialect, &[A, B], &third);
    check("5 passive-every-third-fails", &text, expected, &[OK]);
    let text = nginx(&serial(4), "", &["name = \"d\""], &dead("d"));
    check("9 passive-single-server", &text, "d d d d", &[BAD]);
    let servers = ["name = \"a\", weight = 5", B];
    let once = refuses("a", 0.0, 0.006);
    let text = nginx(&serial(24), "max_fails = 5", &servers, &once);
    let expected = "ab a a b a a a a a b a a a a a b a a a a a b a a";
    check("11 ew-recovery-5-1", &text, expected, &[OK]);
}

#[test]
fn case_7_one_request_in_each_period_finds_out() {
    let requests = requests_at(every(0.05, 180).map(|at| at + 0.001));
    let text = nginx(&requests, "fail_timeout = \"2s\"", &[A, B], &dead("a"));
    let fates = fates(&text);
    let contacts: Vec<f64> = (fates.iter())
        .filter(|fate| fate.tried.contains(&"a".to_owned()))
        .map(|fate| fate.arrived_s)
        .collect();
    assert_eq!(contacts.len(), 3, "{contacts:?}");
    for (at, expected) in contacts.iter().zip([0.0, 3.1, 6.1]) {
        assert!((at - expected).abs() <= 0.3, "{contacts:?}");
    }
    assert!(fates.iter().all(|fate| fate.outcome == OK));
}

#[test]
fn statuses_are_passed_on_to_the_next_server() {
    let listed = "proxy_next_upstream = [\"http_500\", \"http_404\"], status = \"404\"";
    let text = nginx(&serial(6), listed, &[BAD_A, B], "");
    let fates = check("13 pnu-404-not-counted", &text, "ab b ab b ab b", &[OK]);
    assert!(
        fates[4].tried.contains(&"a".to_owned()),
        "a stays in rotation"
    );
    let listed = "proxy_next_upstream = [\"http_404\"], status = \"404\"";
    let text = nginx(&serial(4), listed, &[BAD_A, BAD_B], "");
    check("15 pnu-all-404", &text, "ab ba ab ba", &[BAD]);
    let tries = format!("{listed}, proxy_next_upstream_tries = 2");
    let text = nginx(&serial(1), &tries, &[BAD_A, BAD_B, BAD_C], "");
    check("17 pnu-tries-2-of-3", &text, "ab", &[BAD]);
    let bad_backups = [
        BAD_A,
        "name = \"b\", backup = true, errors.rate = 1.0",
        "name = \"c\", backup = true, errors.rate = 1.0",
    ];
    let text = nginx(&serial(1), &tries, &bad_backups, "");
    check("19 pnu-tries-with-backups", &text, "ab", &[BAD]);
    let text = nginx(&serial(1), listed, &[BAD_A, BACKUP_B, BACKUP_C], "");
    check("19, the backup answers", &text, "ab", &[OK]);
    let slow = "proxy_next_upstream = [\"http_404\"], status = \"404\", proxy_next_upstream_timeout = \"0s\"";
    let text = nginx(&serial(1), slow, &[BAD_A, BAD_B, BAD_C], "");
    let text = text.replace("demand = \"1ms\"", "demand = \"1s\"");
    let fates = check("21 pnu-timeout-0", &text, "abc", &[BAD]);
    assert!((fates[0].took_s - 3.0).abs() < 0.2, "{fates:?}");
    let text = text.replace("upstream_timeout = \"0s\"", "upstream_timeout = \"1500ms\"");
    check("21, with a limit", &text, "ab", &[BAD]);
}

#[test]
fn what_may_not_be_sent_twice() {
    let requests = requests_at([0.0, 1.1, 1.2]);
    let slow_a = "name = \"a\", speed = 0.0002";
    let dialect = "proxy_read_timeout = \"1s\", method = \"post\"";
    let text = nginx(&requests, dialect, &[slow_a, B], "");
    let fates = check("23 pnu-read-timeout-post", &text, "a b b", &[BAD, OK, OK]);
    for (fate, expected) in fates.iter().zip([1.0, 0.0, 0.0]) {
        assert!((fate.took_s - expected).abs() < 0.1, "{fates:?}");
    }
    let text = text.replace("method = \"post\"", "method = \"get\"");
    check("23, with GET", &text, "ab b b", &[OK]);
    let text = nginx(
        &serial(3),
        "method = \"post\"",
        &["name = \"d\"", A],
        &dead("d"),
    );
    check("25 pnu-post-refused", &text, "da a a", &[OK]);
    let text = nginx(
        &serial(3),
        "proxy_next_upstream = [\"off\"]",
        &[A, B],
        &dead("a"),
    );
    check("27 pnu-off", &text, "a b b", &[BAD, OK, OK]);
    let dialect = "max_fails = 0, proxy_next_upstream = [\"off\"]";
    let servers = [A, B, BACKUP_C];
    let text = nginx(&serial(1), dialect, &servers, &(dead("a") + &dead("b")));
    check("29 stream-next-off", &text, "a", &[BAD]);
}

#[test]
fn limits_of_connections() {
    let long = |text: String| text.replace("demand = \"1ms\"", "demand = \"1500ms\"");
    let one_a = "name = \"a\", max_connections = 1";
    let one_b = "name = \"b\", max_connections = 1";
    let text = long(nginx(
        &open(6),
        "",
        &["name = \"a\", max_connections = 2", BACKUP_B],
        "",
    ));
    check("31 maxconns-backup", &text, "a a b b b b", &[OK]);
    let text = long(nginx(&open(4), "", &[one_a, one_b], ""));
    check(
        "33 maxconns-two",
        &text,
        "a b - -",
        &[OK, OK, NONE_LIVE, NONE_LIVE],
    );
    let heavy_a = "name = \"a\", weight = 2, max_connections = 1";
    let text = long(nginx(&open(4), "", &[heavy_a, B], ""));
    check("35 maxconns-weight", &text, "a b b b", &[OK]);
    let text = long(nginx(&open(4), "", &[A, B], ""));
    check("37 maxconns-unlimited", &text, "a b a b", &[OK]);
    let text = long(nginx(&open(4), "balance = \"least_conn\"", &[one_a, B], ""));
    check("39 maxconns-least-conn", &text, "a b b b", &[OK]);
    let two_b = "name = \"b\", max_connections = 2";
    let one_client = open(4).replace(
        "to = \"web\",",
        "to = \"web\", key = { kind = \"uniform\", n = 1 },",
    );
    let text = long(nginx(
        &one_client,
        "balance = \"hash\"",
        &[one_a, two_b],
        "",
    ));
    let fates = fates(&text);
    let count = |name: &str| tried(&fates).matches(name).count();
    assert_eq!(
        (count("a"), count("b"), count("-")),
        (1, 2, 1),
        "41 maxconns-hash"
    );
    assert_eq!(
        fates
            .iter()
            .filter(|fate| fate.outcome == NONE_LIVE)
            .count(),
        1
    );
}

#[test]
fn fewest_connections() {
    // One request, of another class, stays on a.
    let busy = serial(10).replace(
        "traffic = [",
        "class = { short = { share = 1 }, long = { share = 0, demand = \"1h\" } }\n\
         traffic = [{ to = \"web\", class = \"long\", arrivals = { kind = \"trace\", times = [\"0s\"] } }, ",
    );
    let text = nginx(&busy, "balance = \"least_conn\"", &[A, B], "");
    check("43 lc-one-busy", &text, &["b"; 10].join(" "), &[OK]);
    let text = nginx(&open(7), "balance = \"least_conn\"", &[A, B, C], "");
    let text = text.replace("demand = \"1ms\"", "demand = \"1500ms\"");
    check("45 lc-three-equal", &text, "a b c c b a a", &[OK]);
}

#[test]
fn case_57_a_key_of_a_failing_server_is_served_elsewhere() {
    let keys = serial(10).replace(
        "to = \"web\",",
        "to = \"web\", key = { kind = \"uniform\", n = 20 },",
    );
    let dialect = "balance = \"hash\", proxy_next_upstream = [\"http_502\"], status = \"502\"";
    let fates = fates(&nginx(&keys, dialect, &[A, B, BAD_C], ""));
    assert!(fates.iter().all(|fate| fate.outcome == OK), "{fates:?}");
    assert!(fates.iter().any(|fate| fate.tried[0] == "c"), "c has a key");
}

#[test]
fn random_servers() {
    let drained = at(0.0, "drain", "c");
    let all = fates(&nginx(
        &serial(600),
        "balance = \"random\"",
        &[A, B, C],
        &drained,
    ));
    let share = |name: &str| tried(&all).matches(name).count() as f64 / 600.0;
    assert!(
        (share("a") - 0.5).abs() < 0.06,
        "63 random-skips-down: {}",
        share("a")
    );
    assert!(share("c") < 1e-9, "63 random-skips-down");
    let heavy_b = "name = \"b\", weight = 2";
    for (balance, fits) in [("random two", true), ("random", false)] {
        let dialect = format!("balance = \"{balance}\"");
        let idle = fates(&nginx(&serial(600), &dialect, &[A, heavy_b], ""));
        let share = tried(&idle).matches('a').count() as f64 / 600.0;
        let near = (share - 0.667).abs() < 0.06;
        assert_eq!(near, fits, "65 random-two-idle-inverts: {balance} {share}");
    }
    // Which seed draws a at all among ten is a matter of luck; more than once it is not tried.
    let mut attempts = 0;
    for seed in 1..=8 {
        let text = nginx(&serial(10), "balance = \"random\"", &[A, B], &dead("a"));
        let all = fates(&format!("seed = {seed}\n{text}"));
        let last = |fate: &Fate| fate.tried.last().is_some_and(|server| server == "b");
        assert!(all.iter().all(last), "69 random-one-fails");
        let at_a = tried(&all).matches('a').count();
        assert!(at_a <= 1, "69 random-one-fails");
        attempts += at_a;
    }
    assert!(attempts >= 5, "69 random-one-fails: {attempts} of 8");
}

#[test]
fn case_71_a_primary_is_used_again_when_its_time_is_over() {
    let requests = requests_at(every(0.3, 20).map(|at| at + 0.001));
    let text = nginx(
        &requests,
        "fail_timeout = \"2s\"",
        &[A, BACKUP_B],
        &refuses("a", 0.0, 0.1),
    );
    let fates = fates(&text);
    assert_eq!(fates[0].tried, ["a", "b"]);
    let back = fates[1..]
        .iter()
        .find(|fate| fate.tried == ["a"])
        .expect("a comes back");
    assert!((back.arrived_s - 3.1).abs() <= 0.6, "{}", back.arrived_s);
    let after = |fate: &&Fate| fate.arrived_s >= back.arrived_s;
    assert!(fates.iter().filter(after).all(|fate| fate.tried == ["a"]));
    assert!(
        fates[1..]
            .iter()
            .take_while(|f| f.arrived_s < back.arrived_s)
            .all(|f| f.tried == ["b"])
    );
}

#[test]
fn limits_of_requests() {
    let limited = |requests: &str, guard: &str| {
        nginx(
            requests,
            "",
            &[A],
            &format!("[service.web.balancer]\nguards = [{guard}]\n"),
        )
        .replace("balancer.dialect", "#balancer.dialect")
        .replace(
            "[service.web.balancer]\n",
            "[service.web.balancer]\ndialect = \"nginx\"\n",
        )
    };
    let turned_away =
        |text: &str| -> Vec<bool> { fates(text).iter().map(|fate| fate.outcome != OK).collect() };
    let nodelay = "{ kind = \"limit-req\", rate = 2, burst = 1, nodelay = true }";
    let got = turned_away(&limited(&serial(4), nodelay));
    assert_eq!(got, [false, false, true, true], "73 limit-req-nodelay");
    let paced = requests_at(every(0.06, 6));
    let got = turned_away(&limited(&paced, "{ kind = \"limit-req\", rate = 10 }"));
    assert_eq!(
        got,
        [false, true, false, true, false, true],
        "75 limit-req-no-burst"
    );
    let moments = every(0.001, 7).chain([0.51]);
    let got = turned_away(&limited(&requests_at(moments), nodelay));
    assert_eq!(
        got[2..],
        [true, true, true, true, true, false],
        "77 limit-req-rejected-not-counted"
    );
    let text = limited(
        &requests_at(every(0.03, 4)),
        "{ kind = \"limit-conn\", limit = 2 }",
    );
    let text = text.replace("demand = \"1ms\"", "demand = \"1s\"");
    let mut got = turned_away(&text);
    got.sort_unstable();
    assert_eq!(got, [false, false, true, true], "79 limit-conn-2");
}

#[test]
fn case_81_new_requests_leave_out_a_server_that_is_drained() {
    let servers = [A, B, C, "name = \"d\""];
    let text = nginx(&serial(12), "", &servers, &at(0.0, "drain", "a"));
    check("81 sticky-drain", &text, &["b c d"; 4].join(" "), &[OK]);
}

#[test]
fn case_83_a_connection_carries_so_many_requests() {
    let opened = |requests: u32| {
        let rest = "[service.web.balancer]\ndialect = \"nginx\"\n\
                    link = { connections = { kind = \"per-request\", keep = 1, max_requests = 3 } }\n";
        let text = nginx(&serial(requests), "", &[A], rest).replace("balancer.dialect", "#");
        let mut simulation = start(&text);
        simulation.run();
        let hops = simulation.pool_figures();
        hops.iter().map(|hop| hop.opened).sum::<u64>()
    };
    assert_eq!((opened(1), opened(3), opened(4)), (1, 1, 2));
}

/// A3: all banned is an error at once, without an attempt, until the time is over.
#[test]
fn nothing_brings_back_servers_that_are_all_banned() {
    let rest = refuses("a", 0.0, 4.0) + &refuses("b", 0.0, 4.0);
    let requests = requests_at((0..14).map(|i| f64::from(i) + 0.1));
    let text = nginx(&requests, "", &[A, B], &rest);
    let fates = fates(&text);
    let first = fates.iter().position(|fate| fate.outcome == OK);
    assert_eq!(first, Some(11));
    assert_eq!(fates[0].tried, ["a", "b"]);
    assert!(
        fates[1..11]
            .iter()
            .all(|fate| fate.tried.is_empty() && fate.outcome == NONE_LIVE)
    );
}

/// One slow request, whose time-out each server counts, bans the whole upstream: 504 after four time-outs, then 502.
#[test]
fn one_slow_request_bans_every_server() {
    let slow = requests_at(every(1.0, 15)).replace(
        "traffic = [",
        "class = { quick = { share = 1 }, slow = { share = 0, demand = \"1h\" } }\n\
         traffic = [{ to = \"web\", class = \"slow\", arrivals = { kind = \"trace\", times = [\"0s\"] } }, ",
    );
    let servers = [A, B, C, "name = \"d\""];
    let text = nginx(&slow, "proxy_read_timeout = \"400ms\"", &servers, "");
    let fates = fates(&text);
    let slow = fates
        .iter()
        .find(|fate| fate.tried.len() == 4)
        .expect("the slow one");
    assert!(
        (slow.took_s - 1.6).abs() < 0.02 && slow.outcome == BAD,
        "{slow:?}"
    );
    let banned = fates
        .iter()
        .filter(|fate| fate.arrived_s > 1.7 && fate.arrived_s < 10.5);
    assert!(banned.clone().count() > 5 && banned.clone().all(|fate| fate.outcome == NONE_LIVE));
    assert!(
        fates
            .iter()
            .filter(|fate| fate.arrived_s > 12.0)
            .all(|fate| fate.outcome == OK)
    );
}

/// A 500 that is listed counts while a try is left: the last server's does not.
#[test]
fn errors_count_where_another_try_follows() {
    let listed = "proxy_next_upstream = [\"http_500\"]";
    let text = nginx(&serial(4), listed, &[BAD_A, B], "");
    check("a listed 500", &text, "ab b b b", &[OK]);
    let once = format!("{listed}, proxy_next_upstream_tries = 1");
    let text = nginx(&serial(4), &once, &[BAD_A, B], "");
    check("with one try", &text, "a b a b", &[BAD, OK, BAD, OK]);
    let text = nginx(&serial(4), "", &[BAD_A, B], "");
    check("not listed", &text, "a b a b", &[BAD, OK, BAD, OK]);
    let text = nginx(&serial(3), listed, &[BAD_A, BAD_B], "");
    // The second request bans b: a is banned, but not tried by it, so that a try is left when b fails.
    let ends = [BAD, NONE_LIVE, NONE_LIVE];
    check("the last try is no failure", &text, "ab b -", &ends);
}

/// Without `zone` each worker process finds out by itself; with it they are as one.
#[test]
fn workers_share_what_they_know_with_a_zone() {
    for (zone, attempts) in [(false, 4), (true, 1)] {
        let dialect = format!("worker_processes = 4, zone = {zone}");
        let text = nginx(&serial(80), &dialect, &[A, B], &dead("a"));
        assert_eq!(
            tried(&fates(&text)).matches('a').count(),
            attempts,
            "zone = {zone}"
        );
    }
}

#[test]
fn every_case_is_somewhere() {
    // Odd numbers from 1 to 83: those of nginx.
    let own = include_str!("nginx.rs");
    for case in (1..=83).step_by(2) {
        let here = own.contains(&format!("\"{case} ")) || own.contains(&format!("case_{case}_"));
        let beside = BESIDE_POLICIES.contains(&case);
        let unsaid = UNSAID.iter().any(|(number, ..)| *number == case);
        assert!(here || beside || unsaid, "case {case}");
    }
}
