//! Health rules: whom a balancer instance picks after what it has seen, to the exact instant.

use crate::support::{at, fates, model, outcome, run, server, start, summary, times, told, traced};
use sim_core::event_log::Kind;
use sim_core::scenario;
use sim_core::summary::Summary;

/// A request each 100 ms, in turn to so many servers, whose `health` is given.
fn steady(horizon: &str, servers: &str, health: &str, rest: &str) -> String {
    format!(
        "horizon = \"{horizon}\"\ntraffic = [{{ to = \"web\", arrivals = \"deterministic\", rate = 10 }}]\n\
         [service.web]\ndemand = \"1ms\"\n[service.web.balancer]\npolicy = \"round-robin\"\nhealth = [{health}]\n\
         {servers}{rest}"
    )
}

fn named(names: &[&str], rest: &str) -> String {
    let one =
        |name: &&str| format!("[[service.web.server]]\nname = \"{name}\"\nworkers = 4\n{rest}");
    names.iter().map(one).collect()
}

fn entry(at: &str, what: &str) -> String {
    format!("[[timeline]]\nat = \"{at}\"\n{what}\n")
}

/// Istio #45128: counts are per server, so that under round robin the 13th, 14th and 15th request
/// take out the three pods, and from then on there is nobody.
#[test]
fn outliers_are_counted_by_server_and_all_may_go() {
    let servers = named(&["a", "b", "c"], "errors = { rate = 1 }\n");
    let rule = "{ kind = \"outlier-detection\", base = \"60s\", max = \"60s\", max_ejected = 1 }";
    let simulation = run(&steady("62s", &servers, rule, ""));
    let out = told(&simulation, Kind::Ejected);
    let subjects: Vec<_> = out.iter().map(|(_, subject, _)| subject.as_str()).collect();
    assert_eq!(subjects, ["a", "b", "c"]);
    let spans: Vec<_> = out.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    assert!(
        spans.iter().all(|span| (span - 0.1).abs() < 1e-9),
        "{out:?}"
    );
    assert_eq!(out[0].2, "5 attempts failed in a row: out for 1m");
    let back = times(&simulation, Kind::Readmitted);
    let sixty = |(out, back): (&(f64, String, String), &f64)| (back - out.0 - 60.0).abs() < 1e-9;
    assert!(
        back.len() == 3 && out.iter().zip(&back).all(sixty),
        "{back:?}"
    );
    // Nobody was left in between: no attempt was made, and no request answered.
    let summary = Summary::of(&simulation, 0);
    assert!(outcome(&summary, "unavailable") > 590);
    let attempts: u64 = ["a", "b", "c"]
        .map(|name| server(&summary, "web", name).attempts)
        .iter()
        .sum();
    assert!(attempts < 120, "{attempts}");
}

/// Measured on HAProxy 2.8.25: a server whose checks fail from 1 s on, with a request of 6 s at it. It is answered at 6 s;
/// with `on-marked-down shutdown-sessions` it is broken off at 1.46 s, which its client sees as a 502, and with `retry-on all-retryable-errors` it is then tried
/// at another server, which answers at once.
#[test]
fn sessions_are_shut_down_when_their_server_is_marked_down() {
    let fate = |settings: &str| {
        let text = format!(
            "horizon = \"10s\"\nrecord = {{ every_nth_request = 1 }}\n\
             traffic = [{{ to = \"web\", arrivals = {{ kind = \"trace\", times = [\"0s\"] }} }}]\n\
             [service.web]\ndemand = \"6s\"\n\
             [service.web.balancer]\ndialect = {{ kind = \"haproxy\", check = true, httpchk = true, balance = \"roundrobin\", inter = \"300ms\", fall = 2{settings} }}\n\
             [[service.web.server]]\nname = \"a\"\nworkers = 9\n\
             [[service.web.server]]\nname = \"b\"\nworkers = 9\nspeed = 1000\n\
             [[timeline]]\nat = \"1s\"\nfault = {{ kind = \"health-path\", answer = \"fail\" }}\ntarget = \"service.web.server.a\"\n"
        );
        let run = run(&text);
        let summary = Summary::of(&run, 0);
        let (fate, ms) = fates(&text)[0];
        let busy = server(&summary, "web", "a").utilisation;
        (fate, ms / 1e3, outcome(&summary, "errored"), busy)
    };
    let (fate_of, s, errored, _) = fate("");
    assert_eq!((fate_of, errored), ("succeeded", 0));
    assert!((6.0..6.1).contains(&s), "{s}");
    let shut = ", on_marked_down = \"shutdown-sessions\"";
    let (_, s, errored, busy) = fate(shut);
    assert_eq!(errored, 1);
    assert!((1.3..1.7).contains(&s), "{s}");
    // The server works on for nobody.
    assert!((busy - 0.6 / 9.0).abs() < 0.01, "{busy}");
    let again = format!("{shut}, retry_on = [\"empty-response\"], redispatch = \"-1\"");
    let (fate_of, s, errored, _) = fate(&again);
    assert_eq!((fate_of, errored), ("succeeded", 0));
    assert!((1.3..1.8).contains(&s), "{s}");
}

/// Measured on Envoy 1.40.0: interval 0.5 s, a server that answers 503 from 1 s on is found out at 60.0 s; with
/// `no_traffic_interval: 0.5s` within half a second.
#[test]
fn an_envoy_without_traffic_is_a_minute_away_from_its_second_check() {
    let servers = named(&["a", "b"], "");
    let fails = entry("1s", "set = { \"service.web.server.a.errors.rate\" = 1 }");
    let out = |more: &str, rest: &str| {
        let rule = format!(
            "{{ kind = \"envoy-health-checks\", interval = \"500ms\", timeout = \"200ms\", errors = true{more} }}"
        );
        let text = steady("130s", &servers, &rule, &format!("{fails}{rest}"));
        times(&run(&text), Kind::Ejected)
    };
    let idle = ", no_traffic_interval = \"60s\"";
    let at_once = |found: &[f64], from: f64| {
        assert_eq!(found.len(), 1, "{found:?}");
        assert!((from..from + 0.5).contains(&found[0]), "{found:?}");
    };
    // The check itself takes a millisecond.
    at_once(&out(idle, ""), 60.0);
    at_once(&out(", no_traffic_interval = \"500ms\"", ""), 1.0);
    at_once(&out("", ""), 1.0);
    // From the second check on there has been traffic.
    let late = fails.replace("\"1s\"", "\"70s\"");
    let rule = format!(
        "{{ kind = \"envoy-health-checks\", interval = \"500ms\", timeout = \"200ms\", errors = true{idle} }}"
    );
    at_once(
        &times(&run(&steady("130s", &servers, &rule, &late)), Kind::Ejected),
        70.0,
    );
}

#[test]
fn times_out_grow_and_a_well_server_comes_back_for_good() {
    let servers = format!(
        "{}{}",
        named(&["a"], "errors = { rate = 1 }\n"),
        named(&["b"], "")
    );
    let rule = "{ kind = \"outlier-detection\", consecutive = 1, base = \"4s\" }";
    let mend = entry("20s", "set = { \"service.web.server.a.errors.rate\" = 0 }");
    let simulation = run(&steady("60s", &servers, rule, &mend));
    let out = times(&simulation, Kind::Ejected);
    let back = times(&simulation, Kind::Readmitted);
    let lasted: Vec<f64> = out
        .iter()
        .zip(&back)
        .map(|(o, b)| (b - o).round())
        .collect();
    assert_eq!(lasted, [4.0, 8.0, 12.0]);
    // What is sent to it then is answered.
    let summary = Summary::of(&simulation, 0);
    assert_eq!(summary.requests.failed, 3);
}

/// With two instances each has to see the failures for itself.
#[test]
fn each_instance_has_a_view_of_its_own() {
    let servers = format!(
        "{}{}",
        named(&["a"], "errors = { rate = 1 }\n"),
        named(&["b"], "")
    );
    let rule = "{ kind = \"outlier-detection\", consecutive = 3, base = \"1h\", max = \"1h\" }";
    let text = steady("30s", &servers, rule, "").replace("policy =", "instances = 2\npolicy =");
    let out = told(&run(&text), Kind::Ejected);
    assert_eq!(out.len(), 2, "{out:?}");
    assert!(out[0].0 < out[1].0 && out.iter().all(|(_, subject, _)| subject == "a"));
    let by: Vec<_> = out
        .iter()
        .map(|(_, _, cause)| cause.split(':').next())
        .collect();
    assert!(
        by.contains(&Some("by web-lb-1")) && by.contains(&Some("by web-lb-2")),
        "{by:?}"
    );
    // An instance that crashes and comes back has forgotten.
    let crash = entry("10s", "do = \"crash\"\ntarget = \"service.web.balancer\"")
        + &entry("11s", "do = \"restart\"\ntarget = \"service.web.balancer\"");
    let simulation = run(&(text + &crash));
    let out = times(&simulation, Kind::Ejected);
    assert!(out.len() == 4 && out[1] < 10.0 && out[2] > 11.0, "{out:?}");
}

#[test]
fn a_fork_has_what_was_seen() {
    let servers = format!(
        "{}{}",
        named(&["a"], "errors = { rate = 0.5 }\n"),
        named(&["b"], "")
    );
    let rules = "{ kind = \"outlier-detection\", consecutive = 2, base = \"2s\" }, { kind = \"slow-start\", over = \"5s\" }";
    let text = steady("60s", &servers, rules, "").replace("round-robin", "weighted-random");
    let mut original = start(&text);
    original.run_until(at(21.3));
    let mut fork = original.clone();
    original.run();
    fork.run();
    assert_eq!(original.digest(), fork.digest());
    assert!(times(&original, Kind::Ejected).len() > 4);
}

/// After its return at 30 s, of two servers of weight 1, the slow starter gets f / (1 + f) of the
/// requests, f rising from 0.1 to 1 in four steps of 10 s.
#[test]
fn slow_start_gives_the_share_that_its_weight_says() {
    let servers = named(&["a", "b"], "");
    let rule = "{ kind = \"slow-start\", over = \"40s\", from = 0.1, steps = 4 }";
    let text = steady("30s", &servers, rule, "").replace("round-robin", "weighted-round-robin")
        + &entry("5s", "do = \"drain\"\ntarget = \"service.web.server.a\"")
        + &entry("30s", "do = \"undrain\"\ntarget = \"service.web.server.a\"");
    let attempts = |horizon: u32| {
        let text = text.replacen("30s", &format!("{horizon}s"), 1);
        server(&summary(&text), "web", "a").attempts
    };
    // Nobody starts slowly with the run: half of the 50 requests of the first 5 s.
    assert_eq!(attempts(30), 25);
    let mut before = attempts(30);
    for (step, factor) in [0.1, 0.325, 0.55, 0.775, 1.0].into_iter().enumerate() {
        let after = attempts(40 + 10 * step as u32);
        let wanted = 100.0 * factor / (1.0 + factor);
        let got = (after - before) as f64;
        assert!(
            (got - wanted).abs() < 2.0,
            "step {step}: {got} against {wanted}"
        );
        before = after;
    }
}

#[test]
fn panic_opens_or_closes_below_its_share() {
    let servers = named(&["a", "b", "c", "d"], "");
    let down = ["a", "b", "c"].map(|name| {
        entry(
            "10s",
            &format!("do = \"crash\"\ntarget = \"service.web.server.{name}\""),
        )
    });
    let health = |then: &str| {
        let checks = "{ kind = \"checks\", interval = \"1s\", fall = 1, rise = 1 }";
        let rules = format!("{checks}, {{ kind = \"panic\", below = \"50%\", then = \"{then}\" }}");
        run(&steady("30s", &servers, &rules, &down.concat()))
    };
    let (open, closed) = (health("all"), health("none"));
    // Probes at 0, 250, 500 and 750 ms of each second: at 10.5 s the third is found down, and 1 of 4
    // is left.
    let panic = told(&open, Kind::Panic);
    assert_eq!(panic.len(), 1);
    let (when, who, why) = &panic[0];
    assert!((when - 10.5).abs() < 0.3, "{when}");
    assert_eq!(
        (who.as_str(), why.as_str()),
        ("web-lb-1", "1 of 4 servers healthy: picks all")
    );
    let ended = |run, how| outcome(&Summary::of(run, 0), how);
    assert!(ended(&open, "refused") > 140 && ended(&open, "unavailable") == 0);
    assert!(ended(&closed, "unavailable") > 190);
}

/// Envoy's table: with 1 of 2 healthy and a factor of 1.4 the first level is worth 70 %.
#[test]
fn priorities_spill_over_by_health() {
    let servers = named(&["a", "b"], "") + &named(&["c", "d"], "priority = 1\n");
    let rules = "{ kind = \"outlier-detection\", consecutive = 1, base = \"1h\", max = \"1h\" }, { kind = \"priorities\", overprovision = 1.4 }";
    let text = steady("1000s", &servers, rules, "")
        .replace("name = \"a\"\n", "name = \"a\"\nerrors = { rate = 1 }\n");
    let simulation = run(&text);
    let failover = told(&simulation, Kind::Failover);
    assert_eq!(failover.len(), 1);
    assert_eq!(failover[0].2, "70 % to priority 0, 30 % to priority 1");
    let summary = Summary::of(&simulation, 0);
    let share = |name| server(&summary, "web", name).attempts as f64 / 10_000.0;
    // Four standard deviations of 10 000 draws.
    assert!((share("b") - 0.7).abs() < 0.019, "{}", share("b"));
    assert!((share("c") - 0.15).abs() < 0.0143 && (share("d") - 0.15).abs() < 0.0143);
    // The same without overprovisioning: the healthy one of the first level takes all.
    let strict = Summary::of(&run(&text.replace(", overprovision = 1.4", "")), 0);
    assert_eq!(server(&strict, "web", "c").attempts, 0);
}

#[test]
fn a_better_priority_comes_first_without_any_rule() {
    let servers =
        named(&["c"], "priority = 2\n") + &named(&["b"], "backup = true\n") + &named(&["a"], "");
    let drain = |at, name| {
        entry(
            at,
            &format!("do = \"drain\"\ntarget = \"service.web.server.{name}\""),
        )
    };
    let text = steady(
        "30s",
        &servers,
        "",
        &(drain("10050ms", "a") + &drain("20050ms", "b")),
    );
    let summary = summary(&text);
    let attempts = ["a", "b", "c"].map(|name| server(&summary, "web", name).attempts);
    assert_eq!(attempts, [100, 100, 100]);
}

/// In doubt a check comes after `fast_interval`: a crash after 10 s is seen at 15 s, and then at 16
/// and 17 s instead of 20 and 25 s.
#[test]
fn checks_come_faster_in_doubt() {
    let servers = named(&["a", "b"], "");
    let crash = entry("12s", "do = \"crash\"\ntarget = \"service.web.server.a\"")
        + &entry("31s", "do = \"restart\"\ntarget = \"service.web.server.a\"");
    let with = |fast: &str| {
        let rule = format!(
            "{{ kind = \"checks\", probe = \"connect\", interval = \"5s\", rise = 3{fast} }}"
        );
        let simulation = run(&steady("80s", &servers, &rule, &crash));
        let one = |kind| times(&simulation, kind)[0];
        (one(Kind::Ejected), one(Kind::Readmitted))
    };
    assert_eq!(with(""), (25.0, 45.0));
    // Out at 17 s; the next at 22, 27 and, as the first to pass, 32 s, then 33 and 34 s.
    assert_eq!(with(", fast_interval = \"1s\""), (17.0, 34.0));
}

/// A health page that does not run the failing code passes, and the server stays.
#[test]
fn checks_see_errors_only_where_asked() {
    let servers = named(&["a"], "errors = { rate = 1 }\n") + &named(&["b"], "");
    let with = |errors: &str| {
        let rule = format!("{{ kind = \"checks\", interval = \"1s\", errors = {errors} }}");
        times(&run(&steady("30s", &servers, &rule, "")), Kind::Ejected)
    };
    assert_eq!(with("false"), [] as [f64; 0]);
    // Probes of a at 0, 1 and 2 s, each served for a millisecond.
    assert_eq!(with("true"), [2.001]);
}

#[test]
fn rules_change_while_time_runs_and_keep_what_they_saw() {
    let servers = named(&["a"], "errors = { rate = 1 }\n") + &named(&["b"], "");
    let rule = "{ kind = \"outlier-detection\", consecutive = 5, base = \"1h\", max = \"1h\" }";
    let sooner = entry(
        "450ms",
        "set = { \"service.web.balancer.health.outlier-detection.consecutive\" = 3 }",
    );
    let simulation = run(&steady("20s", &servers, rule, &sooner));
    let cause = &told(&simulation, Kind::Ejected)[0].2;
    assert!(cause.starts_with("3 attempts failed in a row"), "{cause}");
    // Without rules everybody is healthy again.
    let none = entry("10s", "set = { \"service.web.balancer.health\" = [] }");
    let summary = summary(&steady("20s", &servers, rule, &none));
    assert!(server(&summary, "web", "a").attempts > 50);
}

/// What a liveness probe saw before a restart does not count after it.
#[test]
fn liveness_begins_anew_with_a_restart() {
    let text = "horizon = \"2m\"\ntraffic = [{ to = \"web\", rate = 10 }]\n[client]\ntimeout = \"1s\"\ncancel = true\n\
                [service.web]\ndemand = \"1ms\"\n[[service.web.server]]\nname = \"x\"\nworkers = 4\n\
                liveness = { interval = \"10s\", timeout = \"1s\", fall = 3, demand = \"5ms\" }\n\
                restart = { kind = \"after\", pause = \"5s\" }\n"
        .to_owned()
        + &entry("15s", "do = \"slow\"\ntarget = \"service.web.server.x\"\nfactor = 0.0001\nfor = \"22s\"")
        + &entry("32s", "do = \"crash\"\ntarget = \"service.web.server.x\"")
        + &entry("38s", "do = \"slow\"\ntarget = \"service.web.server.x\"\nfactor = 0.0001\nfor = \"4s\"");
    assert_eq!(times(&run(&text), Kind::Crash), [32.0]);
}

#[test]
fn an_old_health_check_is_read_and_does_the_same() {
    let servers =
        named(&["a", "b"], "") + &entry("12s", "do = \"crash\"\ntarget = \"service.web.server.a\"");
    let new = steady(
        "40s",
        &servers,
        "{ kind = \"checks\", interval = \"2s\", fall = 2 }",
        "",
    );
    let old = new.replace(
        "health = [{ kind = \"checks\", interval = \"2s\", fall = 2 }]",
        "health_check = { interval = \"2s\", fall = 2 }",
    );
    assert_ne!(new, old);
    assert_eq!(model(&new), model(&old));
    let by_path = |path: &str| {
        let set = entry(
            "20s",
            &format!("set = {{ \"service.web.balancer.{path}\" = \"3s\" }}"),
        );
        run(&(new.clone() + &set)).digest()
    };
    assert_eq!(
        by_path("health_check.interval"),
        by_path("health.checks.interval")
    );
    // Where there were no checks, a path to one of their parameters adds them, as it did.
    let without = steady("40s", &servers, "", "");
    let set = |path: &str| {
        let set = entry(
            "20s",
            &format!("set = {{ \"service.web.balancer.{path}\" = \"3s\" }}"),
        );
        run(&(without.clone() + &set)).digest()
    };
    assert_eq!(set("health_check.interval"), set("health.checks.interval"));
    assert_ne!(set("health.checks.interval"), run(&without).digest());
    let whole = |set: &str| {
        let set = entry("20s", &format!("set = {{ \"service.web.balancer.{set} }}"));
        run(&(new.clone() + &set)).digest()
    };
    assert_eq!(whole("health_check\" = \"none\""), whole("health\" = []"));
    assert_ne!(whole("health\" = []"), run(&new).digest());
}

/// A server of health that is full is passed over, and does not start slowly when it has room again.
#[test]
fn a_full_server_is_not_ill() {
    let text = traced(
        "5s",
        &["0ms", "1ms", "2ms", "200ms", "201ms"],
        "[service.web]\ndemand = \"100ms\"\n[service.web.balancer]\npolicy = \"weighted-round-robin\"\n\
         health = [{ kind = \"slow-start\", over = \"1h\", from = 0.001 }]\n\
         [[service.web.server]]\nname = \"s\"\ncount = 2\nworkers = 1\nmax_connections = 1\n",
    );
    let words: Vec<_> = fates(&text).into_iter().map(|(word, _)| word).collect();
    let good = "succeeded";
    assert_eq!(words, [good, good, "unavailable", good, good]);
}

#[test]
fn what_cannot_be_meant_gets_a_pointed_error() {
    let with = |rules: &str| {
        let text = steady("1s", &named(&["a"], ""), rules, "");
        let problems = scenario::parse(&text).expect_err("must be refused");
        problems.to_string()
    };
    let expect = |rules: &str, words: &str| {
        let problems = with(rules);
        assert!(problems.contains(words), "{rules}: {problems}");
    };
    expect("\"chekcs\"", "checks");
    expect(
        "\"checks\", { kind = \"checks\" }",
        "two health rules of the kind checks",
    );
    expect("\"slow-start\"", "slow-start needs `over`");
    expect("{ kind = \"slow-start\", over = \"1s\", from = 0 }", "from");
    expect(
        "{ kind = \"outlier-detection\", consecutive = 0 }",
        "nothing would ever take a server out",
    );
    expect(
        "{ kind = \"outlier-detection\", max = \"1s\" }",
        "shorter than the first",
    );
    expect("{ kind = \"panic\", below = 2 }", "below");
    expect(
        "{ kind = \"checks\", probe = \"connect\", errors = true }",
        "meets no error",
    );
    let both = steady(
        "1s",
        &named(&["a"], "backup = true\npriority = 2\n"),
        "",
        "",
    );
    let problems = scenario::parse(&both)
        .expect_err("contradiction")
        .to_string();
    assert!(problems.contains("a backup has priority 1"), "{problems}");
}

#[test]
fn probes_can_begin_at_times_of_their_own() {
    let servers = named(&["a", "b"], "");
    let with = |rest: &str| {
        let rule = format!("{{ kind = \"checks\", interval = \"5s\", fall = 1{rest} }}");
        let crash = entry("11s", "do = \"crash\"\ntarget = \"service.web.server.a\"");
        let text =
            steady("40s", &servers, &rule, &crash).replace("policy =", "instances = 2\npolicy =");
        times(&run(&text), Kind::Ejected)
    };
    let spread = with("");
    assert_eq!(spread[0], spread[1]);
    let seed = with(", phase = \"seed\"");
    assert!(
        seed[0] != seed[1] && seed.iter().all(|at| (11.0..16.0).contains(at)),
        "{seed:?}"
    );
}

#[test]
fn conservation_holds_where_everything_acts_at_once() {
    let rules = "{ kind = \"checks\", interval = \"300ms\", timeout = \"50ms\", fast_interval = \"100ms\", phase = \"seed\" }, \
                 { kind = \"outlier-detection\", consecutive = 2, rate = \"30%\", minimum = 5, window = \"2s\", base = \"500ms\" }, \
                 { kind = \"panic\", below = \"30%\" }, { kind = \"priorities\", overprovision = 1.2 }, \
                 { kind = \"slow-start\", over = \"2s\" }";
    let servers = named(
        &["a", "b", "c"],
        "errors = { rate = 0.2 }\nmax_connections = 3\n",
    ) + &named(&["d", "e"], "priority = 1\n");
    let extra = "[client]\ntimeout = \"20ms\"\nretry = { kind = \"fixed\", attempts = 3 }\nhedge = { after = \"3ms\" }\n";
    let text = steady("60s", &servers, rules, "")
        .replace("rate = 10 }]\n", &format!("rate = 300 }}]\n{extra}"))
        .replace(
            "demand = \"1ms\"",
            "demand = { kind = \"exponential\", mean = \"8ms\" }",
        )
        .replace("round-robin", "least-in-flight")
        .replace("policy =", "instances = 3\npolicy =");
    let simulation = run(&text);
    assert!(times(&simulation, Kind::Ejected).len() > 20);
    assert!(!times(&simulation, Kind::Failover).is_empty());
    assert_eq!(
        start(&text).without_fast_path().digest(),
        start(&text).digest()
    );
    let slow = {
        let mut slow = start(&text).without_fast_path();
        slow.run();
        slow.digest()
    };
    assert_eq!(simulation.digest(), slow);
    let summary = Summary::of(&simulation, 0);
    assert!(server(&summary, "web", "d").attempts > 0);
}

#[test]
fn a_slow_start_that_nobody_heeds_is_remarked_on() {
    let remarks = |policy: &str| {
        let text = steady(
            "1s",
            &named(&["a"], ""),
            "{ kind = \"slow-start\", over = \"1s\" }",
            "",
        );
        let text = text.replace("round-robin", policy);
        let source = scenario::Source::new("t.toml", text);
        let scenario = scenario::Scenario::read(source, &[], &scenario::NoFiles);
        scenario.expect("valid").warnings().join("\n")
    };
    assert!(
        remarks("round-robin").contains("ignores weights"),
        "{}",
        remarks("round-robin")
    );
    assert_eq!(remarks("least-in-flight"), "");
}
