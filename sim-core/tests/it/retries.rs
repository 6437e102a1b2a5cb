//! What a further try asks, where it goes, and whose draws it has.

use crate::support::{check_books, fates, log, outcome, run, server, start, summary, traced};
use sim_core::record::RequestRecord;
use sim_core::scenario;

/// Servers `a`, `b`, … in this order, each with what is written of it.
fn fleet(demand: &str, policy: &str, servers: &[&str]) -> String {
    let mut text =
        format!("[service.web]\ndemand = {demand}\nbalancer = {{ policy = {policy} }}\n");
    for (i, keys) in servers.iter().enumerate() {
        let name = char::from(b'a' + i as u8);
        text += &format!("[[service.web.server]]\nname = \"{name}\"\nworkers = 9\n{keys}\n");
    }
    text
}

const BROKEN: &str = "errors = { rate = 1 }";

/// A caller that tries so often, with these further manners.
fn retry(attempts: u32, rest: &str) -> String {
    format!("retry = {{ kind = \"fixed\", attempts = {attempts}{rest} }}")
}

/// Attempts at each of three servers.
fn counts(text: &str) -> [u64; 3] {
    let summary = summary(text);
    ["a", "b", "c"].map(|name| server(&summary, "web", name).attempts)
}

/// Requests of exponential size that are given up after five means, as many servers as it takes.
fn slow_tail(attempts: u32, demand: &str) -> String {
    format!(
        "horizon = \"20m\"\n[[traffic]]\nto = \"web\"\nrate = 25\n[client]\ntimeout = \"500ms\"\n{}\n{}",
        retry(attempts, &format!(", demand = \"{demand}\"")),
        fleet(
            "{ kind = \"exponential\", mean = \"100ms\" }",
            "\"random\"",
            &["workers = 1000"]
        )
        .replace("workers = 9\n", "")
    )
}

/// If the request itself is dear, the next try is as slow; if the moment was slow, it is drawn anew.
#[test]
fn a_slow_tail_is_repaired_by_tries_that_draw_anew_and_by_no_others() {
    let failed = |attempts, demand| outcome(&summary(&slow_tail(attempts, demand)), "timed_out");
    let (requests, too_slow) = (30_000.0_f64, libm::exp(-5.0));
    let once = failed(1, "same");
    let spread = (requests * too_slow).sqrt();
    assert!(
        (once as f64 - requests * too_slow).abs() < 4.0 * spread,
        "{once} of {requests} are too slow"
    );
    // Those that are slow are slow each time; a handful is still trying at the end.
    for attempts in [2, 10] {
        let still = failed(attempts, "same");
        assert!(
            still <= once && once - still < 8,
            "{attempts}: {still} of {once}"
        );
    }
    assert_eq!(failed(1, "own"), once, "a first try is the request's");
    // One in 22 000 is too slow twice, none in three million three times.
    assert!((0..8).contains(&failed(2, "own")));
    assert_eq!(failed(3, "own"), 0);
}

/// A request that is tried twice, once before `repaired` and once after it, behind a call to a
/// database whose demand varies.
fn calls_twice(attempts: u32, demand: &str) -> String {
    traced(
        "10s",
        &["0s"],
        &format!(
            "[client]\n{}\n{}[[service.web.call]]\nto = \"db\"\nat = \"before\"\n\
             [service.db]\ndemand = {{ kind = \"uniform\", low = \"10ms\", high = \"900ms\" }}\n\
             server = [{{ name = \"d\", workers = 9 }}]\n\
             [[timeline]]\nat = \"1ms\"\nset = {{ \"service.web.server.a.errors.rate\" = 0 }}\n",
            retry(attempts, &format!(", demand = \"{demand}\"")),
            fleet("\"1ms\"", "\"random\"", &[BROKEN])
        ),
    )
}

#[test]
fn what_a_try_asks_of_other_services_is_the_same_or_its_own_too() {
    let end = |attempts, demand| fates(&calls_twice(attempts, demand))[0];
    let (outcome, once) = end(1, "same");
    assert_eq!(outcome, "errored");
    assert_eq!(end(2, "same"), ("succeeded", 2.0 * once));
    let (outcome, twice) = end(2, "own");
    assert_eq!(outcome, "succeeded");
    assert!((twice - 2.0 * once).abs() > 1.0, "{twice} and {once}");
}

/// With `demand = "own"` for retries and `"same"` for copies, a copy asks what its own try asks.
#[test]
fn copies_ask_what_their_try_asks() {
    let busy = |retry_demand: &str, copy_demand: &str| {
        let text = traced(
            "10s",
            &["0s"],
            &format!(
                "[client]\n{}\nhedge = {{ after = \"0s\", demand = \"{copy_demand}\" }}\n{}",
                retry(2, &format!(", demand = \"{retry_demand}\"")),
                fleet(
                    "{ kind = \"uniform\", low = \"10ms\", high = \"900ms\" }",
                    "\"first\"",
                    &[BROKEN, BROKEN]
                )
            ),
        );
        let summary = summary(&text);
        let of = |name| server(&summary, "web", name).utilisation;
        (of("a"), of("b"))
    };
    let (first, copies) = busy("same", "same");
    assert_eq!(first, copies);
    let (anew, their_copies) = busy("own", "same");
    assert_eq!(anew, their_copies);
    assert!((anew - first).abs() > 1e-6, "the second try draws anew");
    let (a, b) = busy("same", "own");
    assert!(a == first && (b - a).abs() > 1e-6, "copies draw anew");
}

#[test]
fn retries_go_elsewhere_if_they_are_told_to() {
    let text = |avoid: &str, attempts| {
        let manners = retry(attempts, &format!(", avoid = \"{avoid}\""));
        let fleet = fleet("\"10ms\"", "\"first\"", &[BROKEN, BROKEN, ""]);
        traced("1s", &["0s"], &format!("[client]\n{manners}\n{fleet}"))
    };
    assert_eq!(counts(&text("none", 4)), [4, 0, 0]);
    assert_eq!(counts(&text("previous", 4)), [2, 2, 0]);
    assert_eq!(counts(&text("all", 4)), [1, 1, 1]);
    assert_eq!(fates(&text("all", 4)), [("succeeded", 30.0)]);
}

#[test]
fn every_policy_finds_the_one_good_server_when_all_tried_are_avoided() {
    for row in sim_core::policy::POLICIES {
        // Where the one good server is full for a policy, one that was tried is better than none.
        let bound = match row.row.name {
            "join-bounded-shortest-queue" => ", n = 100",
            // A table has one server for a key, and a ring a next one.
            "haproxy-hash" => ", method = \"consistent\"",
            name => crate::support::needed(name),
        };
        let policy = format!("{{ kind = \"{}\"{bound} }}", row.row.name);
        let text = format!(
            "horizon = \"20s\"\n[[traffic]]\nto = \"web\"\nrate = 50\n\
             key = {{ kind = \"uniform\", n = 20 }}\n[client]\n{}\n{}",
            retry(3, ", avoid = \"all\""),
            fleet("\"10ms\"", &policy, &[BROKEN, BROKEN, ""])
        );
        let summary = summary(&text);
        assert_eq!(summary.requests.failed, 0, "{policy}");
        let per_request = summary.attempts.per_request.expect("there are requests");
        assert!(
            (1.0..=3.0).contains(&per_request),
            "{policy}: {per_request}"
        );
    }
}

#[test]
fn where_nothing_else_is_left_the_same_servers_are_tried_again() {
    let text = |servers: &[&str], avoid: &str, attempts| {
        let manners = retry(attempts, &format!(", avoid = \"{avoid}\""));
        let fleet = fleet("\"10ms\"", "\"first\"", servers);
        traced("1s", &["0s"], &format!("[client]\n{manners}\n{fleet}"))
    };
    for avoid in ["previous", "all"] {
        let alone = summary(&text(&[BROKEN], avoid, 5));
        assert_eq!(server(&alone, "web", "a").attempts, 5, "{avoid}");
    }
    // After each was tried once, the policy has its way.
    assert_eq!(counts(&text(&[BROKEN; 3], "all", 7)), [5, 1, 1]);
    assert_eq!(counts(&text(&[BROKEN; 3], "previous", 7)), [4, 3, 0]);
    // A server of weight 0 is none that this policy wants, tried or not.
    let unwanted = text(&[BROKEN, "weight = 0"], "all", 3).replace("\"first\"", "\"ring-hash\"");
    let summary = summary(&unwanted);
    assert_eq!(server(&summary, "web", "a").attempts, 3);
}

#[test]
fn copies_of_a_further_try_keep_away_from_earlier_ones_and_from_each_other() {
    let text = |servers: &[&str], attempts, rest: &str| {
        let manners = retry(attempts, ", avoid = \"all\"");
        let fleet = fleet("\"10ms\"", "\"first\"", servers);
        let hedge = format!("hedge = {{ after = \"0s\"{rest} }}");
        traced(
            "1s",
            &["0s"],
            &format!("[client]\n{manners}\n{hedge}\n{fleet}"),
        )
    };
    // a and b; then c, and for its copy a, which is not where the other is.
    assert_eq!(counts(&text(&[BROKEN; 3], 2, "")), [2, 1, 1]);
    // Copies may go where the other is, but go where none was as long as there are such.
    assert_eq!(
        counts(&text(&[BROKEN; 3], 2, ", distinct = false")),
        [2, 2, 0]
    );
    // Three copies of the second try: c, then apart from each other a and b.
    assert_eq!(counts(&text(&[BROKEN; 3], 2, ", copies = 3")), [2, 2, 2]);
    // A copy of a copy has to go somewhere: to the one that was not tried before.
    let five = text(
        &[BROKEN, "errors = { rate = 1 }\nmax_connections = 1", BROKEN],
        2,
        ", copies = 2",
    );
    assert_eq!(counts(&five), [2, 1, 1]);
}

#[test]
fn a_retry_that_waits_for_a_server_looks_anew_when_there_is_one() {
    let text = |avoid: &str| {
        let manners = retry(2, &format!(", pause = \"10ms\", avoid = \"{avoid}\""));
        let fleet = fleet(
            "\"10ms\"",
            "\"first\", pending_queue = { limit = 5 }",
            &[BROKEN, "", ""],
        );
        let both = |at: &str, deed: &str| {
            format!(
                "[[timeline]]\nat = \"{at}\"\ndo = \"{deed}\"\ntarget = \"service.web.server\"\n"
            )
        };
        traced(
            "1s",
            &["0s"],
            &format!(
                "[client]\n{manners}\n{fleet}{}{}",
                both("15ms", "drain"),
                both("50ms", "undrain")
            ),
        )
    };
    assert_eq!(fates(&text("none")), [("errored", 60.0)]);
    assert_eq!(fates(&text("all")), [("succeeded", 60.0)]);
    assert_eq!(counts(&text("previous")), [1, 1, 0]);
}

#[test]
fn a_try_without_a_server_leaves_the_one_before_it_the_previous() {
    let manners = retry(3, ", pause = \"10ms\", avoid = \"previous\"");
    let fleet = fleet("\"10ms\"", "\"first\"", &[BROKEN, "", ""]);
    let deed = |at: &str, deed: &str| {
        format!("[[timeline]]\nat = \"{at}\"\ndo = \"{deed}\"\ntarget = \"service.web.server\"\n")
    };
    let text = traced(
        "1s",
        &["0s"],
        &format!(
            "[client]\n{manners}\n{fleet}{}{}",
            deed("15ms", "drain"),
            deed("25ms", "undrain")
        ),
    );
    // Fails at 10 ms, meets nobody at 20 ms, succeeds with the try of 30 ms.
    assert_eq!(fates(&text), [("succeeded", 40.0)]);
    assert_eq!(counts(&text), [1, 1, 0]);
}

#[test]
fn what_was_tried_is_known_to_the_request_whichever_instance_it_comes_through() {
    for selection in ["in-turn", "random"] {
        let manners = retry(3, ", avoid = \"all\"");
        let balancer = format!("\"first\", instances = 3, instance_selection = \"{selection}\"");
        let fleet = fleet("\"1ms\"", &balancer, &[BROKEN, BROKEN, ""]);
        let times: Vec<String> = (1..20).map(|i| format!("{i}s")).collect();
        let times: Vec<&str> = times.iter().map(String::as_str).collect();
        let text = traced("30s", &times, &format!("[client]\n{manners}\n{fleet}"));
        assert_eq!(counts(&text), [19, 19, 19], "{selection}");
    }
}

#[test]
fn manners_change_while_time_runs() {
    let text = |before: &str, key: &str, value: &str| {
        let manners = retry(4, &format!(", pause = \"10ms\"{before}"));
        let fleet = fleet("\"10ms\"", "\"first\"", &[BROKEN; 3]);
        traced(
            "1s",
            &["0s"],
            &format!(
                "[client]\n{manners}\n{fleet}[[timeline]]\nat = \"35ms\"\n\
                 set = {{ \"client.retry.{key}\" = \"{value}\" }}\n"
            ),
        )
    };
    // Tries at 0, 20, 40 and 60 ms.
    let none = ", avoid = \"none\"";
    assert_eq!(counts(&text(none, "avoid", "previous")), [3, 1, 0]);
    assert_eq!(counts(&text(none, "avoid", "all")), [2, 1, 1]);
    assert_eq!(
        counts(&text(", avoid = \"all\"", "avoid", "none")),
        [3, 1, 0]
    );
    assert_eq!(
        counts(&text(", avoid = \"all\"", "avoid", "previous")),
        [2, 2, 0]
    );
    assert_eq!(
        counts(&text(", avoid = \"previous\"", "avoid", "all")),
        [2, 1, 1]
    );
    let varied = |text: String| {
        let demand = "demand = { kind = \"uniform\", low = \"5ms\", high = \"15ms\" }";
        fates(&text.replace("demand = \"10ms\"", demand))
    };
    let same = varied(text("", "demand", "same"));
    assert_ne!(varied(text("", "demand", "own")), same);
}

/// The request number of a source and the number of an attempt share a word of 64 bits. Attempt 256
/// of the first source must not ask what requests of the second ask.
#[test]
fn many_attempts_of_one_source_share_nothing_with_another() {
    let times: Vec<String> = (0..20).map(|i| format!("{i}us")).collect();
    let late: Vec<String> = (0..20).map(|i| format!("{}s", i + 1)).collect();
    let text = |attempts| {
        format!(
            "horizon = \"30s\"\nrecord = {{ every_nth_request = 1 }}\n\
             [[traffic]]\nto = \"web\"\narrivals = {{ kind = \"trace\", times = {times:?} }}\n\
             client = {{ retry = {{ kind = \"fixed\", attempts = {attempts}, demand = \"own\" }} }}\n\
             [[traffic]]\nto = \"web\"\narrivals = {{ kind = \"trace\", times = {late:?} }}\n\
             {}[[timeline]]\nat = \"254500us\"\nset = {{ \"service.web.server.a.errors.rate\" = 0 }}\n",
            fleet(
                "{ kind = \"uniform\", low = \"1ms\", high = \"900ms\" }",
                "\"random\"",
                &["errors = { rate = 1, demand = \"1ms\" }"]
            )
            .replace("workers = 9", "workers = 99")
        )
    };
    // Each attempt of the first source fails after 1 ms; that with number 256 begins at 255 ms.
    let all = log(&text(300));
    let of = |source| move |row: &&RequestRecord| row.number >> 48 == source;
    let first: Vec<_> = all.iter().filter(of(0)).collect();
    let second: Vec<_> = all.iter().filter(of(1)).collect();
    assert_eq!((first.len(), second.len()), (20, 20));
    let took = |row: &RequestRecord| row.ended_ns - row.arrived_ns;
    for row in &first {
        assert_eq!((row.outcome.name(), row.attempts), ("succeeded", 256));
    }
    let last_demands: Vec<u64> = first.iter().map(|row| took(row) - 255_000_000).collect();
    let demands: Vec<u64> = second.iter().map(|row| took(row)).collect();
    assert!(last_demands.iter().all(|ns| !demands.contains(ns)));
    // And the second source has the requests that it has beside a quiet first one.
    let quiet = log(&text(1));
    let alone = quiet.iter().filter(of(1));
    assert_eq!(alone.map(took).collect::<Vec<_>>(), demands);
}

#[test]
fn a_request_may_be_tried_a_thousand_times() {
    let text = |attempts| {
        let manners = retry(attempts, ", avoid = \"all\", demand = \"own\"");
        let fleet = fleet(
            "{ kind = \"exponential\", mean = \"1ms\" }",
            "\"random\"",
            &[BROKEN, BROKEN],
        );
        traced("10s", &["0s"], &format!("[client]\n{manners}\n{fleet}"))
    };
    let row = log(&text(1000))[0];
    assert_eq!((row.outcome.name(), row.attempts), ("errored", 1000));
    let mean_ms = row.ended_ns as f64 / 1e6 / 1000.0;
    assert!((mean_ms - 1.0).abs() < 4.0 / 1000_f64.sqrt(), "{mean_ms}");
}

#[test]
fn what_retries_cannot_be_told_gets_its_problem() {
    for (retry, code, words) in [
        ("kind = \"fixed\", attempts = 1001", "E013", "1 to 1000"),
        ("kind = \"fixed\", attempts = 0", "E013", "1 to 1000"),
        ("kind = \"fixed\", demand = \"new\"", "E014", "own"),
        ("kind = \"fixed\", avoid = true", "E012", "avoid"),
        (
            "kind = \"exponential-backoff\", avoid = \"last\"",
            "E014",
            "previous",
        ),
        ("kind = \"none\", avoid = \"all\"", "E010", "no parameters"),
    ] {
        let manners = format!("[client]\nretry = {{ {retry} }}\n");
        let text = traced(
            "1s",
            &["0s"],
            &(manners + &fleet("\"1ms\"", "\"first\"", &[""])),
        );
        let problems = scenario::parse(&text).expect_err(retry).to_string();
        assert!(
            problems.contains(code) && problems.contains(words),
            "{problems}"
        );
    }
}

/// A proxy that tries 251 times at once when its backends push back: what is offered comes to them
/// through the one thread of the proxy many times over.
#[test]
fn hundreds_of_tries_at_once_run_and_are_paid_by_the_proxy() {
    let text = |attempts| {
        format!(
            "horizon = \"20s\"\n[[traffic]]\nto = \"web\"\nrate = 120\n\
             [client]\ntimeout = \"30s\"\n{}\n\
             [service.web]\ndemand = {{ kind = \"exponential\", mean = \"100ms\" }}\n\
             balancer = {{ policy = \"least-in-flight\", cost = \"200us\" }}\n\
             server = [{{ name = \"s\", count = 10, workers = 1, queue = {{ limit = 0 }} }}]\n",
            retry(attempts, "")
        )
    };
    let per_request = |attempts| {
        let per_request = summary(&text(attempts)).attempts.per_request;
        per_request.expect("there are requests")
    };
    let (few, many) = (per_request(11), per_request(251));
    assert!(few > 3.0 && many > 2.0 * few, "{few} and {many}");
}

/// The key belongs to the request, whether anybody still waits for the answer or not.
#[test]
fn the_calls_of_a_caller_that_gave_up_have_its_key() {
    let shares = |timeout: &str| {
        let text = format!(
            "horizon = \"20s\"\n[[traffic]]\nto = \"web\"\nrate = 50\n\
             key = {{ kind = \"uniform\", n = 1 }}\n[client]\ntimeout = \"{timeout}\"\n\
             [service.web]\ndemand = \"1ms\"\nserver = [{{ name = \"w\", workers = 99 }}]\n\
             [[service.web.call]]\nto = \"slow\"\nhold = false\n\
             [[service.web.call]]\nto = \"keyed\"\nhold = false\n\
             [service.slow]\ndemand = \"50ms\"\nserver = [{{ name = \"s\", workers = 99 }}]\n\
             [service.keyed]\ndemand = \"1ms\"\nbalancer = {{ policy = \"source-hash\" }}\n\
             server = [{{ name = \"k\", count = 4, workers = 9 }}]\n"
        );
        let summary = summary(&text);
        [1, 2, 3, 4].map(|i| server(&summary, "keyed", &format!("k-{i}")).share)
    };
    let patient = shares("1s");
    assert!(patient.contains(&Some(1.0)), "{patient:?}");
    assert_eq!(shares("20ms"), patient);
}

/// Books balance after every event, and a run that is driven otherwise is the same run.
#[test]
fn nothing_is_lost_between_tries_that_go_elsewhere() {
    let text = "horizon = \"10s\"\n[[traffic]]\nto = \"web\"\nrate = 60\n\
        [client]\ntimeout = \"60ms\"\ndeadline = \"400ms\"\n\
        hedge = { after = \"15ms\", demand = \"same\" }\n\
        retry = { kind = \"fixed\", attempts = 4, demand = \"own\", avoid = \"previous\" }\n\
        [service.web]\ndemand = { kind = \"exponential\", mean = \"25ms\" }\n\
        balancer = { policy = \"least-in-flight\", pending_queue = { limit = 3 }, instances = 2 }\n\
        server = [{ name = \"s\", count = 4, workers = 1, max_connections = 3, errors = { rate = 0.2 }, \
        crash = [{ when = \"queue_age\", above = \"40ms\" }], \
        restart = { kind = \"after\", pause = \"50ms\" } }]\n\
        [[timeline]]\nat = \"5s\"\nset = { \"client.retry.avoid\" = \"all\" }\n";
    let mut simulation = start(text);
    let mut fork = None;
    while simulation.step().is_some() {
        check_books(&simulation, text);
        if fork.is_none() && simulation.now().0 > 3_000_000_000 {
            fork = Some(simulation.clone());
        }
    }
    let whole = run(text).digest();
    simulation.run();
    assert_eq!(simulation.digest(), whole);
    let mut fork = fork.expect("the run passes three seconds");
    fork.run();
    assert_eq!(fork.digest(), whole);
}

/// 40 requests a second to a front service that asks another, whose callers make up to three attempts.
fn two_tiers(retry: &str, below: &str) -> String {
    format!(
        "horizon = \"10m\"\n\
         traffic = [{{ to = \"web\", rate = 40, client = {{ retry = {{ kind = \"fixed\", attempts = 3{retry} }} }} }}]\n\
         [service.web]\ndemand = \"1ms\"\ncall = [{{ to = \"db\" }}]\nserver = [{{ name = \"w\", workers = 50 }}]\n\
         [service.db]\n{below}"
    )
}

#[test]
fn what_befalls_a_call_is_drawn_anew_for_each_attempt_above_it() {
    let errs =
        "demand = \"20ms\"\nserver = [{ name = \"d\", workers = 2, errors = { rate = 0.5 } }]\n";
    let random = "demand = \"1ms\"\nbalancer = { policy = \"random\" }\n\
                  server = [{ name = \"a\", workers = 9, errors = { rate = 1.0 } }, { name = \"b\", count = 3, workers = 9 }]\n";
    let lossy = "demand = \"1ms\"\nlink = { delay = \"1ms\", loss = 0.3 }\nserver = [{ name = \"d\", workers = 9 }]\n";
    // Three in a row fail: of errors a half each, of servers a quarter, of messages there or back 1 - 0.7 * 0.7.
    for (below, one) in [(errs, 0.5_f64), (random, 0.25), (lossy, 0.51)] {
        for retry in ["", ", demand = \"own\""] {
            let text = two_tiers(retry, below).replace(
                "call = [{ to = \"db\" }]",
                "call = [{ to = \"db\", client = { timeout = \"1s\" } }]",
            );
            let requests = summary(&text).requests;
            let ended = (requests.succeeded + requests.failed) as f64;
            let failed = requests.failed as f64 / ended;
            let expected = one.powi(3);
            let error = (expected * (1.0 - expected) / ended).sqrt();
            assert!(
                (failed - expected).abs() < 4.0 * error,
                "{failed} of {expected} with {retry:?}:\n{below}"
            );
        }
    }
}

#[test]
fn the_same_work_is_asked_below_by_each_attempt_above() {
    // Whoever is slow is slow again, at both tiers: no request is ever answered at its second attempt.
    let slow = "demand = { kind = \"bimodal\", short = \"10ms\", long = \"300ms\", probability_of_long = 0.2 }\nserver = [{ name = \"d\", workers = 99 }]\n";
    let text = |retry: &str| {
        let text = two_tiers(retry, slow);
        text.replace(
            "client = { retry",
            "client = { timeout = \"100ms\", cancel = true, retry",
        )
    };
    let failed = |text: &str| {
        let requests = summary(text).requests;
        requests.failed as f64 / (requests.succeeded + requests.failed) as f64
    };
    assert!((failed(&text("")) - 0.2).abs() < 0.02);
    assert!((failed(&text(", demand = \"own\"")) - 0.008).abs() < 0.004);
}

#[test]
fn the_offered_load_of_a_called_service_counts_no_retries() {
    let errs =
        "demand = \"20ms\"\nserver = [{ name = \"d\", workers = 2, errors = { rate = 0.5 } }]\n";
    let summary = summary(&two_tiers("", errs));
    let load = summary
        .figure("services.db.offered_load")
        .expect("it is asked");
    assert!((load - 0.4).abs() < 0.01, "{load}");
    let asked = summary
        .figure("services.db.attempts.total")
        .expect("attempts");
    assert!(asked > 1.7 * 40.0 * 600.0, "{asked}");
}
