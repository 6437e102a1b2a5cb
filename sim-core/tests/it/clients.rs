//! What callers do: timeouts, retries, budgets, deadlines, calls between services.

use crate::support::{fates, log, outcome, server, service, summary, traced};
use sim_core::summary::Summary;

const WORKER: &str = "[[service.web.server]]\nname = \"s\"\nworkers = 1\n";

/// A server that fails every request after 10 ms.
const BROKEN: &str = r#"
[service.web]
demand = "10ms"
[[service.web.server]]
name = "s"
workers = 100
errors = { rate = 1 }
"#;

#[test]
fn work_for_a_caller_who_gave_up_goes_on_unless_cancelled() {
    let text = |cancel: bool| {
        traced(
            "10s",
            &["0s", "100ms"],
            &format!(
                "client = {{ timeout = \"500ms\", cancel = {cancel} }}\n[service.web]\ndemand = \"1s\"\n{WORKER}"
            ),
        )
    };
    let expected = [("timed_out", 500.0), ("timed_out", 600.0)];
    for (cancel, utilisation) in [(false, 0.2), (true, 0.06)] {
        assert_eq!(fates(&text(cancel)), expected, "cancel = {cancel}");
        let summary = summary(&text(cancel));
        assert_eq!(outcome(&summary, "timed_out"), 2);
        let busy = server(&summary, "web", "s").utilisation;
        assert!((busy - utilisation).abs() < 1e-9, "{cancel} {busy}");
        let wasted = (!cancel).then_some(1.0);
        assert_eq!(summary.wasted_work, wasted, "cancel = {cancel}");
    }
}

#[test]
fn retries_come_after_their_pause() {
    let retry = "client = { retry = { kind = \"fixed\", attempts = 3, pause = \"100ms\" } }";
    let text = traced("1s", &["0s"], &format!("{retry}\n{BROKEN}"));
    let log = log(&text);
    assert_eq!((log[0].ended_ns, log[0].attempts), (230_000_000, 3));
    assert_eq!(log[0].outcome.name(), "errored");
}

#[test]
fn the_network_is_crossed_twice() {
    let rest = format!("[service.web]\ndemand = \"10ms\"\nlink = {{ delay = \"20ms\" }}\n{WORKER}");
    assert_eq!(fates(&traced("1s", &["0s"], &rest)), [("succeeded", 50.0)]);
}

#[test]
fn an_answer_on_its_way_back_comes_too_late_for_a_short_timeout() {
    let rest = format!(
        "client = {{ timeout = \"45ms\" }}\n[service.web]\ndemand = \"10ms\"\nlink = {{ delay = \"20ms\" }}\n{WORKER}"
    );
    assert_eq!(fates(&traced("1s", &["0s"], &rest)), [("timed_out", 45.0)]);
}

#[test]
fn jitter_stays_in_its_bounds_and_fills_them() {
    for (jitter, low, high) in [
        ("none", 100.0, 100.0),
        ("full", 0.0, 100.0),
        ("equal", 50.0, 100.0),
        ("decorrelated", 100.0, 300.0),
    ] {
        let text = format!(
            "horizon = \"1h\"\nrecord = {{ every_nth_request = 1 }}\n\
             traffic = [{{ to = \"web\", arrivals = \"deterministic\", rate = 1 }}]\n\
             client = {{ retry = {{ kind = \"exponential-backoff\", attempts = 2, base = \"100ms\", cap = \"1s\", jitter = \"{jitter}\" }} }}\n{BROKEN}"
        );
        let pauses: Vec<f64> = log(&text)
            .iter()
            .map(|row| (row.ended_ns - row.arrived_ns) as f64 / 1e6 - 20.0)
            .collect();
        assert!(pauses.len() > 3500);
        let least = pauses.iter().copied().fold(f64::INFINITY, f64::min);
        let most = pauses.iter().copied().fold(0.0, f64::max);
        let slack = (high - low) * 0.01;
        assert!(
            least >= low && most <= high && least <= low + slack && most >= high - slack,
            "{jitter}: {least}..{most}"
        );
        let mean = pauses.iter().sum::<f64>() / pauses.len() as f64;
        let se = (high - low) / 12f64.sqrt() / (pauses.len() as f64).sqrt();
        assert!(
            (mean - f64::midpoint(low, high)).abs() <= 4.0 * se + 1e-6,
            "{jitter}: {mean}"
        );
    }
}

#[test]
fn backoff_grows_by_its_factor_up_to_its_cap() {
    let retry = "client = { retry = { kind = \"exponential-backoff\", attempts = 6, base = \"100ms\", factor = 3, cap = \"1s\", jitter = \"none\" } }";
    let log = log(&traced("20s", &["0s"], &format!("{retry}\n{BROKEN}")));
    // Six services of 10 ms and pauses of 100, 300, 900, 1000 and 1000 ms.
    assert_eq!(log[0].ended_ns, 3_360_000_000);
}

#[test]
fn a_retry_budget_bounds_amplification() {
    let text = format!(
        "horizon = \"100s\"\ntraffic = [{{ to = \"web\", arrivals = \"deterministic\", rate = 100 }}]\n\
         client = {{ retry = {{ kind = \"fixed\", attempts = 5 }}, guards = [{{ kind = \"retry-budget\", ratio = 0.2, reserve = 10 }}] }}\n{BROKEN}"
    );
    let summary = summary(&text);
    let requests = summary.requests.arrived as f64;
    let attempts = summary.attempts.total as f64;
    assert!(requests >= 9999.0);
    let most = requests * 1.2 + 10.0;
    assert!(attempts <= most && attempts > most - 10.0, "{attempts}");
}

#[test]
fn a_deadline_ends_a_request_whatever_its_attempts() {
    let rest = format!(
        "client = {{ timeout = \"1s\", deadline = \"3500ms\", retry = {{ kind = \"fixed\", attempts = 100 }} }}\n[service.web]\ndemand = \"1h\"\n{WORKER}"
    );
    let log = log(&traced("20s", &["0s"], &rest));
    assert_eq!(log[0].outcome.name(), "timed_out");
    assert_eq!((log[0].ended_ns, log[0].attempts), (3_500_000_000, 4));
}

/// With failures independent from attempt to attempt a request makes (1 − pⁿ) / (1 − p) attempts
/// and succeeds with probability 1 − pⁿ.
#[test]
fn independent_failures_are_geometric() {
    for (p, n, attempts, success) in [(0.5, 4, 1.875, 0.9375), (0.1, 2, 1.1, 0.99)] {
        let text = format!(
            "horizon = \"400s\"\ntraffic = [{{ to = \"web\", rate = 100 }}]\n\
             client = {{ retry = {{ kind = \"fixed\", attempts = {n} }} }}\n{}",
            BROKEN.replace("rate = 1 ", &format!("rate = {p} "))
        );
        let summary = summary(&text);
        let requests = summary.requests.arrived as f64;
        let per_request = summary.attempts.per_request.expect("there are requests");
        let succeeded = summary.availability.expect("there are requests");
        let noise = 4.0 / requests.sqrt();
        assert!((per_request - attempts).abs() < noise, "{per_request}");
        assert!((succeeded - success).abs() < noise * 0.5, "{succeeded}");
        // Wald: successes are (1 − p) of attempts.
        let wald = (1.0 - p) * summary.attempts.total as f64;
        let successes = summary.requests.succeeded as f64;
        assert!((successes - wald).abs() < 4.0 * requests.sqrt());
    }
}

fn two_tiers(call: &str, db: &str) -> String {
    format!(
        "[service.web]\ndemand = \"10ms\"\nserver = [{{ name = \"s\", workers = 1 }}]\n\
         [[service.web.call]]\nto = \"db\"\n{call}\n[service.db]\ndemand = \"100ms\"\n\
         server = [{{ name = \"d\", workers = 2, {db} }}]\n"
    )
}

#[test]
fn a_held_worker_waits_for_the_call_and_a_released_one_does_not() {
    let fates = |call: &str| fates(&traced("1s", &["0s", "0s"], &two_tiers(call, "")));
    let ok = |first, second| [("succeeded", first), ("succeeded", second)];
    assert_eq!(fates(""), ok(110.0, 220.0));
    assert_eq!(fates("hold = false"), ok(110.0, 120.0));
    assert_eq!(fates("at = \"before\""), ok(110.0, 220.0));
    // Both calls go out at once; both answers come at 100 ms, and one waits for the other.
    assert_eq!(fates("at = \"before\"\nhold = false"), ok(110.0, 120.0));
}

#[test]
fn a_call_that_fails_fails_the_request_only_if_required() {
    let ends = |call: &str| {
        let text = two_tiers(call, "errors = { rate = 1 }");
        fates(&traced("1s", &["0s"], &text))
    };
    assert_eq!(ends(""), [("errored", 110.0)]);
    assert_eq!(ends("at = \"before\""), [("errored", 100.0)]);
    assert_eq!(ends("required = false"), [("succeeded", 110.0)]);
    assert_eq!(ends("client = { timeout = \"30ms\" }"), [("errored", 40.0)]);
}

#[test]
fn a_cache_lets_its_misses_through() {
    let text = format!(
        "horizon = \"400s\"\ntraffic = [{{ to = \"web\", rate = 50 }}]\n{}",
        two_tiers("hold = false\nprobability = 0.3", "").replace("workers = 2", "workers = 50")
    );
    let summary = summary(&text);
    let web = service(&summary, "web").requests.arrived as f64;
    let db = service(&summary, "db").requests.arrived as f64;
    assert!(
        (db / web - 0.3).abs() < 4.0 * (0.21 / web).sqrt(),
        "{db} {web}"
    );
}

#[test]
fn retries_multiply_across_layers() {
    let retry = "client = { retry = { kind = \"fixed\", attempts = 3 } }";
    let text = format!(
        "horizon = \"100200ms\"\ntraffic = [{{ to = \"web\", arrivals = \"deterministic\", rate = 2 }}]\n{retry}\n{}",
        two_tiers(&format!("hold = false\n{retry}"), "errors = { rate = 1 }")
            .replace("100ms", "1ms")
    );
    let summary = summary(&text);
    let requests = summary.requests.succeeded + summary.requests.failed;
    assert!(requests >= 199 && summary.requests.succeeded == 0);
    assert_eq!(service(&summary, "db").attempts.total, 9 * requests);
    assert_eq!(service(&summary, "web").attempts.total, 3 * requests);
}

#[test]
fn a_cancelled_request_calls_off_what_it_called() {
    let text = |cancel| {
        traced(
            "1s",
            &["0s"],
            &format!(
                "client = {{ timeout = \"50ms\", cancel = {cancel} }}\n{}",
                two_tiers(&format!("client = {{ cancel = {cancel} }}"), "")
            ),
        )
    };
    let busy = |cancel| {
        let summary = summary(&text(cancel));
        (server(&summary, "db", "d").utilisation * 2000.0).round() as u64
    };
    assert_eq!((busy(false), busy(true)), (100, 40));
}

/// A hundred users of a server that fails some requests; each asks once a second and tries three times.
fn disappointed(errors: f64, leave: f64) -> Summary {
    summary(&format!(
        r#"
horizon = "100s"
traffic = [{{ to = "web", arrivals = {{ kind = "closed", users = 100, think = "1s", leave = {leave} }} }}]
client = {{ retry = {{ kind = "fixed", attempts = 3, demand = "own" }} }}
[service.web]
demand = "1ms"
server = [{{ name = "w", workers = 200, errors = {{ rate = {errors} }} }}]
"#
    ))
}

#[test]
fn users_whose_request_failed_may_never_come_back() {
    // Nothing works, and each asks once, in three tries.
    let all = disappointed(1.0, 1.0);
    assert_eq!((all.requests.arrived, all.attempts.total), (100, 300));
    assert_eq!(all.users_left, Some(100));
    // Half of those who are left leave at each failure: two requests each, on average.
    let half = disappointed(1.0, 0.5);
    assert_eq!(half.users_left, Some(100));
    assert!(
        (150..=260).contains(&half.requests.arrived),
        "{}",
        half.requests.arrived
    );
    // Whoever is served stays, and nobody counts where nobody may leave.
    assert_eq!(disappointed(0.0, 1.0).users_left, Some(0));
    let none = disappointed(1.0, 0.0);
    assert_eq!(none.users_left, None);
    assert!(none.requests.arrived > 9_000, "{}", none.requests.arrived);
}
