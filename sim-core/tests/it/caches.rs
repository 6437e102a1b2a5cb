//! Caches at calls: hits, misses, and what becomes of equal misses, as worked out by hand.

use crate::support::{log, run, service, summary, told};
use sim_core::event_log::Kind;
use sim_core::outcome::Outcome;

/// Requests at given times, all of one key: 10 ms of their own, then a call of 100 ms to a database.
fn shop(times: &[&str], cache: &str, servers: u32, more: &str) -> String {
    format!(
        r#"
horizon = "60s"
record = {{ every_nth_request = 1 }}
traffic = [{{ to = "web", arrivals = {{ kind = "trace", times = {times:?} }}, key = {{ kind = "uniform", n = 1 }} }}]
[service.web]
demand = "10ms"
server = [{{ name = "w", count = {servers}, workers = 10, restart = "manual" }}]
call = [{{ to = "db", cache = {{ {cache} }} }}]
[service.db]
demand = "100ms"
server = [{{ name = "d", workers = 1 }}]
{more}
"#
    )
}

/// How long each took, in milliseconds, in order of arrival; and how often the database was asked.
fn took(text: &str) -> (Vec<f64>, u64) {
    let rows = log(text);
    let times = rows
        .iter()
        .map(|row| (row.ended_ns - row.arrived_ns) as f64 / 1e6);
    let asked = service(&summary(text), "db").attempts.total;
    (times.collect(), asked)
}

#[test]
fn what_was_answered_is_not_asked_again_while_it_is_fresh() {
    let times = ["0s", "1s", "2s", "4s", "6s"];
    assert_eq!(
        took(&shop(&times, "capacity = 9", 1, "")),
        (vec![110.0, 10.0, 10.0, 10.0, 10.0], 1)
    );
    // Fresh from 0.11 s to 3.11 s, and from 4.11 s to 7.11 s.
    assert_eq!(
        took(&shop(&times, "capacity = 9, ttl = \"3s\"", 1, "")),
        (vec![110.0, 10.0, 10.0, 110.0, 10.0], 2)
    );
}

#[test]
fn each_server_has_its_own_or_all_have_one() {
    // In turn: both miss, then both hit.
    let times = ["0s", "1s", "2s", "3s"];
    assert_eq!(
        took(&shop(&times, "capacity = 9", 2, "")),
        (vec![110.0, 110.0, 10.0, 10.0], 2)
    );
    assert_eq!(
        took(&shop(&times, "capacity = 9, shared = true", 2, "")),
        (vec![110.0, 10.0, 10.0, 10.0], 1)
    );
}

#[test]
fn equal_misses_all_ask_or_wait_for_the_first() {
    // Three at once, and the database answers one at a time.
    let times = ["0s", "0s", "0s", "1s"];
    assert_eq!(
        took(&shop(&times, "capacity = 9", 1, "")),
        (vec![110.0, 210.0, 310.0, 10.0], 3)
    );
    assert_eq!(
        took(&shop(&times, "capacity = 9, coalesce = true", 1, "")),
        (vec![110.0, 110.0, 110.0, 10.0], 1)
    );
}

/// Of equal misses one goes out. The others are no requests to the database: neither counted there, nor
/// work that it is asked for.
#[test]
fn who_waits_for_another_is_no_request() {
    let times = ["0s", "0s", "0s", "1s"];
    let seen = summary(&shop(&times, "capacity = 9, coalesce = true", 1, ""));
    let db = service(&seen, "db");
    assert_eq!((db.requests.arrived, db.requests.succeeded), (1, 1));
    let all = summary(&shop(&times, "capacity = 9", 1, ""));
    let [one, three] = [&seen, &all].map(|s| service(s, "db").offered_load.expect("a load"));
    assert!((three / one - 3.0).abs() < 1e-9, "{one} {three}");
}

/// How much is asked of a service behind a cache is seen in the share that the cache does not have, also
/// where the callers' workers, who wait, hold back the rest.
#[test]
fn what_a_cache_does_not_have_is_asked_for() {
    let text = "horizon = \"3m\"\n[[traffic]]\nto = \"web\"\nrate = 400\nkey = { kind = \"uniform\", n = 5000 }\n\
        [client]\ntimeout = \"1s\"\n[service.web]\ndemand = \"1ms\"\n\
        server = [{ name = \"w\", count = 2, workers = 200, queue = { limit = 100 } }]\n\
        call = [{ to = \"db\", cache = { capacity = 500 } }]\n\
        [service.db]\ndemand = { kind = \"exponential\", mean = \"20ms\" }\nserver = [{ name = \"d\", workers = 4 }]\n";
    let seen = summary(text);
    assert_eq!(
        seen.verdict,
        Some("OVERLOADED"),
        "{:?}",
        seen.verdict_because
    );
    let because = seen.verdict_because.expect("a sentence");
    // Nine in ten of 400 a second for 200 a second.
    let load = because.split_once("a load of ").expect("the load").1;
    assert!(
        load.starts_with("1.7") || load.starts_with("1.8"),
        "{because}"
    );
}

/// What nobody can know beforehand is no reason to give no interval.
#[test]
fn a_cache_leaves_intervals_and_warnings_alone() {
    let text = "horizon = \"200s\"\nwarm_up = \"50s\"\n[[traffic]]\nto = \"web\"\nrate = 200\nkey = { kind = \"uniform\", n = 100 }\n\
        [service.web]\ndemand = \"1ms\"\nserver = [{ name = \"w\", workers = 100 }]\n\
        call = [{ to = \"db\", cache = { capacity = 50 } }]\n\
        [service.db]\ndemand = \"5ms\"\nserver = [{ name = \"d\", workers = 50 }]\n";
    let warnings = summary(text).warnings;
    assert!(
        warnings.iter().all(|w| w.code != "short-run"),
        "{warnings:?}"
    );
    assert!(sim_core::load::peaks(&crate::support::model(text))[1].is_none());
}

#[test]
fn who_waits_for_another_fails_with_it() {
    let broken = "[[service.db.server]]\nname = \"x\"\nworkers = 1\n";
    let text = shop(&["0s", "0s", "1s"], "capacity = 9, coalesce = true", 1, "")
        .replace("workers = 1 }]", "workers = 1, errors = { rate = 1 } }]");
    assert!(!text.contains(broken));
    let outcomes: Vec<Outcome> = log(&text).iter().map(|row| row.outcome).collect();
    assert_eq!(outcomes, [Outcome::Errored; 3]);
    // A failure is not kept: the third asks again.
    assert_eq!(service(&summary(&text), "db").attempts.total, 2);
}

#[test]
fn when_the_first_is_called_off_the_next_asks_in_its_place() {
    // The first is given up after 50 ms by callers who cancel; the second came later and asks anew.
    let client = "[client]\ntimeout = \"50ms\"\ncancel = true\n";
    let text = shop(&["0s", "20ms"], "capacity = 9, coalesce = true", 1, client)
        .replace("demand = \"100ms\"", "demand = \"15ms\"")
        .replace(
            "demand = \"10ms\"",
            "demand = \"10ms\"\nlink = { delay = \"0s\" }",
        );
    // 15 ms are quick enough for both: 25 ms, and from 30 ms on a hit.
    assert_eq!(took(&text), (vec![25.0, 10.0], 1));
    let slow = text.replace("demand = \"15ms\"", "demand = \"45ms\"");
    // 55 ms are too long for the first. The second has waited from 30 ms on, asks at 50 ms, and has until 70 ms.
    let outcomes: Vec<Outcome> = log(&slow).iter().map(|row| row.outcome).collect();
    assert_eq!(outcomes, [Outcome::TimedOut, Outcome::TimedOut]);
    assert_eq!(service(&summary(&slow), "db").attempts.total, 2);
}

#[test]
fn a_restart_or_a_flush_leaves_it_cold() {
    let times = ["0s", "1s", "3s", "4s"];
    let cold = (vec![110.0, 10.0, 110.0, 10.0], 2);
    for deed in ["restart", "flush"] {
        let entry = format!(
            "[[timeline]]\nat = \"2s\"\ndo = \"{deed}\"\ntarget = \"service.web.server\"\n"
        );
        assert_eq!(
            took(&shop(&times, "capacity = 9", 1, &entry)),
            cold,
            "{deed}"
        );
    }
    let entry = "[[timeline]]\nat = \"2s\"\ndo = \"flush\"\ntarget = \"service.web.server\"\n";
    assert_eq!(
        told(&run(&shop(&times, "capacity = 9", 1, entry)), Kind::Flush).len(),
        1
    );
    // One that is shared outlives its servers, and is emptied all the same.
    let restart = entry.replace("flush", "restart");
    let shared = "capacity = 9, shared = true";
    assert_eq!(took(&shop(&times, shared, 1, &restart)).1, 1);
    assert_eq!(took(&shop(&times, shared, 1, entry)), cold);
}

#[test]
fn a_cache_as_large_as_the_popular_keys_hits_as_often_as_they_are_asked() {
    // Keys uniform over 100, 50 kept, least recently used out: half of the requests hit.
    let text = r#"
horizon = "200s"
warm_up = "20s"
traffic = [{ to = "web", rate = 100, key = { kind = "uniform", n = 100 } }]
[service.web]
demand = "1ms"
server = [{ name = "w", workers = 10 }]
call = [{ to = "db", cache = { capacity = 50 } }]
[service.db]
demand = "1ms"
server = [{ name = "d", workers = 10 }]
"#;
    let summary = summary(text);
    let share = service(&summary, "db").attempts.total as f64
        / service(&summary, "web").attempts.total as f64;
    // Of 18 000: three deviations of the mean are 0.011.
    assert!((share - 0.5).abs() < 0.012, "{share}");
}
