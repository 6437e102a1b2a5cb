//! Protections where they work: what is discarded, dimmed or kept apart, and when. Each beside a
//! neighbouring rule that must come out otherwise.

use crate::support::{fates, outcome, run, server, service, summary, traced};
use sim_core::scenario;
use sim_core::summary::{Requests, Summary};

/// What becomes of requests to a server of one worker that takes 20 ms for each.
fn at_one_worker(times: &[&str], more: &str) -> Vec<(&'static str, f64)> {
    fates(&traced(
        "10s",
        times,
        &format!(
            "[service.web]\ndemand = \"20ms\"\n[[service.web.server]]\nname = \"s\"\nworkers = 1\n{more}\n"
        ),
    ))
}

fn at_once(count: usize) -> Vec<&'static str> {
    vec!["0s"; count]
}

/// Which were not served, and when that was decided.
fn turned_away(fates: &[(&'static str, f64)]) -> Vec<(usize, f64)> {
    let all = fates.iter().enumerate();
    all.filter(|(_, fate)| fate.0 != "succeeded")
        .map(|(i, fate)| (i, fate.1))
        .collect()
}

#[test]
fn a_queue_timeout_is_looked_at_when_the_turn_comes() {
    let timeout = |ms: u32| {
        let more = format!("guards = [{{ kind = \"queue-timeout\", timeout = \"{ms}ms\" }}]");
        at_one_worker(&at_once(4), &more)
    };
    let (ok, shed) = ("succeeded", "shed");
    assert_eq!(
        timeout(39),
        [(ok, 20.0), (ok, 40.0), (shed, 40.0), (shed, 40.0)]
    );
    assert_eq!(
        timeout(40),
        [(ok, 20.0), (ok, 40.0), (ok, 60.0), (shed, 60.0)]
    );
    // Patience leaves by itself, as soon as it is at an end.
    let patience = at_one_worker(&at_once(4), "queue = { patience = \"30ms\" }");
    assert_eq!(patience[2..], [("abandoned", 30.0), ("abandoned", 30.0)]);
}

#[test]
fn codel_discards_by_its_law() {
    let codel = |more: &str| {
        let more = format!("guards = [{{ kind = \"codel\"{more} }}]");
        turned_away(&at_one_worker(&at_once(31), &more))
    };
    // The first wait above 5 ms is that until 20 ms, so the first is discarded at 120 ms. The others
    // are due at 220, + 100/√2 = 290.7, + 100/√3 = 348.4, + 100/√4 = 398.4 and + 100/√5 = 443.2 ms.
    let expected = [
        (6, 120.0),
        (12, 220.0),
        (17, 300.0),
        (21, 360.0),
        (24, 400.0),
        (28, 460.0),
    ];
    assert_eq!(codel(""), expected);
    // A target beyond every wait discards nothing; a longer interval begins later.
    assert_eq!(codel(", target = \"1s\", interval = \"2s\""), []);
    assert_eq!(codel(", interval = \"200ms\"")[0], (11, 220.0));
}

#[test]
fn the_interval_form_condemns_all_that_waited_twice_the_target() {
    let more = "guards = [\"interval-codel\"]";
    let away = turned_away(&at_one_worker(&at_once(12), more));
    // The interval from 20 to 120 ms had no wait below 20 ms. The first after it passes.
    assert_eq!(away, [8, 9, 10, 11].map(|i| (i, 160.0)));
    let once_idle: Vec<_> = [at_once(3), vec!["70ms", "80ms", "130ms", "150ms", "151ms"]].concat();
    assert_eq!(turned_away(&at_one_worker(&once_idle, more)), []);
}

#[test]
fn controlled_delay_is_short_in_a_queue_that_stands() {
    let with = |guard: &str| {
        let times = [at_once(9), vec!["90ms", "110ms", "118ms"]].concat();
        let more = format!("guards = [{guard}]");
        turned_away(&at_one_worker(&times, &more))
    };
    // Those that came at once may wait for 100 ms. At 110 ms the queue has not been empty for so long:
    // 10 ms are too long a wait, 2 ms are not.
    let expected = [(6, 120.0), (7, 120.0), (8, 120.0), (10, 140.0), (11, 140.0)];
    assert_eq!(with("\"controlled-delay\""), expected);
    // A plain timeout of an interval lets them all wait.
    let timeout = "{ kind = \"queue-timeout\", timeout = \"100ms\" }";
    let expected = [(6, 120.0), (7, 120.0), (8, 120.0)];
    assert_eq!(with(timeout), expected);
}

#[test]
fn adaptive_lifo_turns_when_the_queue_stands() {
    let order = |discipline: &str| -> Vec<f64> {
        let times = [at_once(8), vec!["95ms"]].concat();
        let more = format!("queue = {{ discipline = {discipline} }}");
        let fates = at_one_worker(&times, &more);
        fates.iter().map(|fate| fate.1).collect()
    };
    // By arrival until 100 ms; then the one of 95 ms, and the others from behind.
    let adaptive = order("\"adaptive-lifo\"");
    assert_eq!(
        adaptive,
        [20.0, 40.0, 60.0, 80.0, 100.0, 180.0, 160.0, 140.0, 120.0]
    );
    let lifo = order("\"lifo\"");
    assert_eq!(
        lifo,
        [20.0, 180.0, 160.0, 140.0, 100.0, 80.0, 60.0, 40.0, 120.0]
    );
    // It never turns where too few wait, and at once where it need not stand.
    let fifo = order("\"fifo\"");
    assert_eq!(order("{ kind = \"adaptive-lifo\", above = 7 }"), fifo);
    assert_eq!(order("{ kind = \"adaptive-lifo\", after = \"0s\" }"), lifo);
    // An empty queue begins anew: at 240 ms it has not stood for 100 ms.
    let late = [at_once(8), vec!["200ms", "201ms", "202ms", "203ms"]].concat();
    let more = "queue = { discipline = \"adaptive-lifo\" }";
    let fates = at_one_worker(&late, more);
    let ends: Vec<f64> = fates[8..].iter().map(|fate| fate.1).collect();
    assert_eq!(ends, [220.0, 240.0, 260.0, 280.0]);
}

/// Requests of two classes that come at given times, the second with other keys; `rest` begins within the
/// server's table.
fn two_classes(times: [&str; 2], classes: [&str; 2], rest: &str) -> String {
    let [a, b] = classes;
    let [of_a, of_b] = times;
    format!(
        "horizon = \"10s\"\nrecord = {{ every_nth_request = 1 }}\n\
         [class.a]\nshare = 0.5\n{a}\n[class.b]\nshare = 0.5\n{b}\n\
         [[traffic]]\nname = \"a\"\nto = \"web\"\nclass = \"a\"\narrivals = {{ kind = \"trace\", times = {of_a} }}\n\
         [[traffic]]\nname = \"b\"\nto = \"web\"\nclass = \"b\"\narrivals = {{ kind = \"trace\", times = {of_b} }}\n\
         [service.web]\ndemand = \"20ms\"\n[[service.web.server]]\nname = \"s\"\n{rest}\n"
    )
}

#[test]
fn the_earliest_deadline_is_served_first() {
    let order = |discipline: &str| {
        let text = two_classes(
            ["[\"0s\", \"1ms\"]", "[\"2ms\", \"3ms\"]"],
            ["client.timeout = \"1s\"", "client.timeout = \"300ms\""],
            &format!("workers = 1\nqueue = {{ discipline = \"{discipline}\" }}"),
        );
        let ends: Vec<f64> = fates(&text).iter().map(|fate| fate.1).collect();
        ends
    };
    assert_eq!(order("earliest-deadline"), [20.0, 80.0, 40.0, 60.0]);
    assert_eq!(order("fifo"), [20.0, 40.0, 60.0, 80.0]);
}

#[test]
fn who_is_waited_for_for_ever_comes_last_and_by_arrival() {
    let text = two_classes(
        ["[\"0s\", \"1ms\", \"2ms\"]", "[\"3ms\"]"],
        ["", "client.timeout = \"1s\""],
        "workers = 1\nqueue = { discipline = \"earliest-deadline\" }",
    );
    let ends: Vec<f64> = fates(&text).iter().map(|fate| fate.1).collect();
    assert_eq!(ends, [20.0, 60.0, 80.0, 40.0]);
}

#[test]
fn the_less_important_leave_room_for_the_others() {
    let fates_with = |guard: &str| {
        fates(&two_classes(
            ["[\"5ms\", \"6ms\", \"7ms\"]", "[\"0s\", \"1ms\", \"2ms\"]"],
            ["", "priority = 1"],
            &format!("workers = 9\nguards = [{guard}]"),
        ))
    };
    let words = |guard: &str| -> Vec<bool> {
        let fates = fates_with(guard);
        fates.iter().map(|fate| fate.0 == "succeeded").collect()
    };
    let limit = "{ kind = \"priority-limit\", limit = 4, shares = [1, 0.5] }";
    assert_eq!(words(limit), [true, true, false, true, true, false]);
    let plain = "{ kind = \"concurrency-limit\", limit = 4 }";
    assert_eq!(words(plain), [true, true, true, true, false, false]);
    // In a bulkhead each has its half, whoever came first; who borrows takes what is free.
    let bulkhead = "{ kind = \"bulkhead\", limit = 4 }";
    assert_eq!(words(bulkhead), [true, true, false, true, true, false]);
    let borrow = "{ kind = \"bulkhead\", limit = 4, borrow = true }";
    assert_eq!(words(borrow), [true, true, true, true, true, false]);
}

#[test]
fn a_bulkhead_set_while_requests_are_in_flight_counts_them() {
    let text = two_classes(
        ["[\"0s\", \"1ms\", \"10ms\"]", "[\"11ms\"]"],
        ["", ""],
        "workers = 9\n[[timeline]]\nat = \"5ms\"\nset = { \"service.web.server.s.guards\" = [{ kind = \"bulkhead\", limit = 4 }] }",
    );
    let words: Vec<&str> = fates(&text).iter().map(|fate| fate.0).collect();
    assert_eq!(words, ["succeeded", "succeeded", "shed", "succeeded"]);
}

/// One server that serves many at once, for so long each.
fn wide(demand: &str, guards: &str) -> [String; 3] {
    let web = format!(
        "[service.web]\ndemand = \"{demand}\"\n[[service.web.server]]\nname = \"s\"\nworkers = 99\n"
    );
    [
        format!("client = {{ guards = {guards} }}\n{web}"),
        web.replace("[[", &format!("balancer = {{ guards = {guards} }}\n[[")),
        format!("{web}guards = {guards}\n"),
    ]
}

/// What nginx 1.22 did: `rate=10r/s burst=5`, 20 requests at once and one 100 ms later.
#[test]
fn limit_req_does_what_nginx_did() {
    let times: Vec<&str> = [at_once(20), vec!["100ms"]].concat();
    for (more, starts, last_passes) in [
        (", nodelay = true", [0.0; 6], true),
        ("", [0.0, 100.0, 200.0, 300.0, 400.0, 500.0], true),
        (", delay = 3", [0.0, 0.0, 0.0, 0.0, 100.0, 200.0], true),
    ] {
        let guards = format!("[{{ kind = \"limit-req\", rate = 10, burst = 5{more} }}]");
        for rest in wide("7ms", &guards) {
            let fates = fates(&traced("2s", &times, &rest));
            let served = fates[..6].iter().map(|fate| fate.1 - 7.0);
            assert_eq!(served.collect::<Vec<_>>(), starts, "{rest}");
            assert!(
                fates[6..20].iter().all(|fate| *fate == ("shed", 0.0)),
                "{rest}"
            );
            assert_eq!(fates[20].0 == "succeeded", last_passes, "{rest}");
        }
    }
    // A token bucket of the same rate and burst passes one fewer at once.
    let bucket = "[{ kind = \"rate-limit\", rate = 10, burst = 5 }]";
    for rest in wide("7ms", bucket) {
        let fates = fates(&traced("2s", &times, &rest));
        let served = fates.iter().filter(|fate| fate.0 == "succeeded");
        assert_eq!(served.count(), 6, "five at once and one at 100 ms: {rest}");
    }
}

#[test]
fn limits_by_key_tell_keys_apart() {
    let served = |guard: &str, key: &str| -> Vec<usize> {
        let guards = format!("[{guard}]");
        let texts = wide("100ms", &guards).map(|rest| {
            let text = traced("2s", &at_once(9), &rest);
            text.replace("to = \"web\",", &format!("to = \"web\", key = {key},"))
        });
        let count = |text: &String| {
            let fates = fates(text);
            fates.iter().filter(|fate| fate.0 == "succeeded").count()
        };
        texts.iter().map(count).collect()
    };
    let (one, many) = ("{ kind = \"uniform\", n = 1 }", "\"unique\"");
    for (kind, of_all) in [
        ("kind = \"limit-conn\", limit = 2", 2),
        (
            "kind = \"limit-req\", rate = 1, burst = 2, nodelay = true",
            3,
        ),
        ("kind = \"rate-counter\", limit = 4", 4),
    ] {
        let all = format!("{{ {kind} }}");
        let by_key = format!("{{ {kind}, by = \"key\" }}");
        assert_eq!(served(&all, one), [of_all; 3], "{kind}");
        assert_eq!(served(&all, many), [of_all; 3], "{kind}");
        assert_eq!(served(&by_key, one), [of_all; 3], "{kind}");
        assert_eq!(served(&by_key, many), [9; 3], "{kind}");
    }
}

/// What `HAProxy` 2.6 did: `http_req_rate(10s) gt 20`, three a second for 45 s.
#[test]
fn a_rate_counter_does_what_haproxy_did() {
    let denied = |more: &str| {
        let guards = format!("[{{ kind = \"rate-counter\", limit = 20{more} }}]");
        let [rest, ..] = wide("1ms", &guards);
        let text = format!(
            "horizon = \"45s\"\nrecord = {{ every_nth_request = 1 }}\n\
             traffic = [{{ to = \"web\", rate = 3, arrivals = \"deterministic\" }}]\n{rest}"
        );
        turned_away(&fates(&text))
            .iter()
            .map(|away| away.0)
            .collect::<Vec<_>>()
    };
    let all = denied("");
    assert_eq!(all[..], (20..20 + all.len()).collect::<Vec<_>>()[..]);
    assert!(all.len() >= 113, "{}", all.len());
    // Where those that are denied are not counted, some pass again.
    assert!(denied(", counts = \"passed\"").len() < 60);
}

/// Requests to one worker that serves 100 a second.
fn busy(rate: u32, horizon: &str, more: &str) -> String {
    format!(
        "horizon = \"{horizon}\"\nwarm_up = \"20s\"\ntraffic = [{{ to = \"web\", rate = {rate} }}]\n\
         [service.web]\ndemand = {{ kind = \"exponential\", mean = \"10ms\" }}\n[[service.web.server]]\nname = \"s\"\nworkers = 1\n{more}\n"
    )
}

/// Requests that have ended.
fn ended(requests: &Requests) -> u64 {
    requests.succeeded + requests.failed
}

fn share_of(summary: &Summary, word: &str) -> f64 {
    outcome(summary, word) as f64 / ended(&summary.requests) as f64
}

#[test]
fn shedding_by_utilisation_settles_where_both_agree() {
    let shed = |more: &str| {
        let more =
            format!("guards = [{{ kind = \"utilisation-shedding\", interval = \"5s\"{more} }}]");
        share_of(&summary(&busy(60, "1000s", &more)), "shed")
    };
    // Of a load of 0.6 a part p is refused, and p = (u - 0.2) / 0.8 of the utilisation u = 0.6 (1 - p):
    // u = 3/7, p = 2/7.
    let found = shed(", from = 0.2");
    assert!((found - 2.0 / 7.0).abs() < 0.02, "{found}");
    // In proportion to utilisation alone it would be 0.375.
    let found = shed(", from = 0");
    assert!((found - 0.375).abs() < 0.02, "{found}");
    assert!(shed("") < 0.02);
}

#[test]
fn dagor_serves_the_important_and_the_same_users_under_overload() {
    let served = |guards: &str| {
        let text = format!(
            "horizon = \"300s\"\nwarm_up = \"100s\"\n\
             [class.pay]\nshare = 0.3\n[class.chat]\nshare = 0.7\npriority = 1\n\
             [[traffic]]\nto = \"web\"\nrate = 200\nkey = {{ kind = \"uniform\", n = 500 }}\n\
             [client]\ntimeout = \"1s\"\n\
             [service.web]\ndemand = {{ kind = \"exponential\", mean = \"10ms\" }}\n[[service.web.server]]\nname = \"s\"\nworkers = 1\n{guards}\n"
        );
        let summary = summary(&text);
        ["pay", "chat"].map(|class| {
            let requests = &summary.classes.get(class).expect("a class").requests;
            requests.succeeded as f64 / ended(requests) as f64
        })
    };
    let [pay, chat] = served("guards = [{ kind = \"dagor\", target = \"100ms\" }]");
    assert!(pay > 0.97, "{pay}");
    // 90 a second wait for 100 ms on average, 60 of them of the important class: 30 of 140 would fit.
    assert!((0.08..0.24).contains(&chat), "{chat}");
    let [pay, chat] = served("");
    assert!(pay < 0.05 && chat < 0.05, "{pay} {chat}");
}

#[test]
fn brownout_serves_all_by_doing_less() {
    let found = |more: &str| {
        let simulation = run(&busy(130, "200s", more));
        let guards = simulation.guard_figures();
        let dimmed = guards.first().map_or(0, |guard| guard.dimmed);
        let summary = Summary::of(&simulation, 0);
        let p99 = summary.response_time_s.p99.expect("a quantile");
        (p99, dimmed as f64 / ended(&summary.requests) as f64)
    };
    let guard =
        "guards = [{ kind = \"brownout\", optional = 0.5, set_point = \"500ms\", pole = 0.5 }]";
    let (p99, dimmed) = found(guard);
    assert!(p99 < 1.0, "{p99}");
    // 130 a second are 1.3 workers' work in full: 0.3 of 0.65 must be left out at least.
    assert!((0.45..0.9).contains(&dimmed), "{dimmed}");
    let (p99, dimmed) = found("");
    assert!(p99 > 20.0 && dimmed == 0.0, "{p99}");
}

/// Under an overload that lasts, what attempts take on average grows with the limit itself, so that
/// Gradient2 sees nothing wrong and goes up to its highest; Vegas looks at the shortest.
#[test]
fn vegas_stays_low_under_lasting_overload_and_gradient2_does_not() {
    let p99 = |guard: &str| {
        let text = busy(150, "120s", &format!("guards = [{guard}]"));
        let summary = summary(&text);
        let served = share_of(&summary, "succeeded");
        assert!((0.62..0.72).contains(&served), "{guard}: {served}");
        summary.response_time_s.p99.expect("a quantile")
    };
    let vegas = p99("\"vegas-limit\"");
    assert!((0.05..0.5).contains(&vegas), "{vegas}");
    let gradient = p99("{ kind = \"gradient2-limit\", min = 4 }");
    let widest = p99("{ kind = \"concurrency-limit\", limit = 200 }");
    assert!(
        gradient > 0.9 * widest && gradient > 4.0 * vegas,
        "{gradient}"
    );
}

#[test]
fn a_hedge_budget_bounds_copies_and_leaves_retries_alone() {
    let attempts = |guards: &str| {
        let text = format!(
            "horizon = \"100s\"\ntraffic = [{{ to = \"web\", rate = 50, arrivals = \"deterministic\" }}]\n\
             client = {{ retry = {{ kind = \"fixed\", attempts = 2 }}, hedge = {{ after = \"0s\" }}, guards = {guards} }}\n\
             [service.web]\ndemand = \"1ms\"\n[[service.web.server]]\nname = \"s\"\nworkers = 9\nerrors = {{ rate = 1 }}\n"
        );
        let summary = summary(&text);
        *service(&summary, "web")
            .attempts
            .outcomes
            .get("errored")
            .expect("an outcome")
    };
    let all = attempts("[]");
    assert!((19_990..=20_000).contains(&all), "two tries of two: {all}");
    // Two tries of each of 5 000, and copies of a tenth.
    let hedge = attempts("[{ kind = \"hedge-budget\", ratio = 0.1 }]");
    assert!((10_490..=10_520).contains(&hedge), "{hedge}");
    // The budget of both bounds retries as well.
    let both = attempts("[{ kind = \"retry-budget\", ratio = 0.1 }]");
    assert!((5_490..=5_520).contains(&both), "{both}");
}

#[test]
fn who_stands_where_it_has_nothing_to_look_at_is_told() {
    let refused = |rest: &str| {
        let text = format!("horizon = \"1s\"\ntraffic = [{{ to = \"web\", rate = 1 }}]\n{rest}");
        scenario::parse(&text).expect_err("misplaced").to_string()
    };
    for (at, rest) in [
        (
            "caller",
            "client = { guards = [\"codel\"] }\n[service.web]\ndemand = \"1ms\"\nserver = [{ name = \"s\" }]",
        ),
        (
            "balancer",
            "[service.web]\ndemand = \"1ms\"\nbalancer = { guards = [\"codel\"] }\nserver = [{ name = \"s\" }]",
        ),
    ] {
        let problems = refused(rest);
        let expected = format!("codel cannot stand at a {at}: only servers have what it looks at");
        assert!(problems.contains(&expected), "{problems}");
    }
    let problems = refused(
        "[service.web]\ndemand = \"1ms\"\nserver = [{ name = \"s\", guards = [\"hedge-budget\"] }]",
    );
    assert!(
        problems.contains("hedge-budget cannot stand at a server"),
        "{problems}"
    );
}

#[test]
fn bad_numbers_are_named() {
    for (guard, word) in [
        (
            "{ kind = \"codel\", target = \"1s\" }",
            "target = 1s is not below interval = 100ms",
        ),
        (
            "{ kind = \"interval-codel\", interval = \"5ms\" }",
            "target = 5ms is not below interval = 5ms",
        ),
        (
            "{ kind = \"controlled-delay\", target = \"2s\" }",
            "target = 2s is not below interval",
        ),
        ("{ kind = \"queue-timeout\" }", "timeout"),
        ("{ kind = \"queue-timeout\", timeout = \"0s\" }", "timeout"),
        (
            "{ kind = \"vegas-limit\", max = 5 }",
            "initial = 20 is above max = 5",
        ),
        (
            "{ kind = \"gradient2-limit\", max = 5 }",
            "min = 20 is above max = 5",
        ),
        (
            "{ kind = \"gradient2-limit\", tolerance = 0.5 }",
            "tolerance",
        ),
        (
            "{ kind = \"priority-limit\", limit = 5, shares = [] }",
            "no shares",
        ),
        (
            "{ kind = \"priority-limit\", limit = 5, shares = [0.1, 1] }",
            "more than the 0.1 of priority 0",
        ),
        (
            "{ kind = \"bulkhead\", limit = 5, shares = [0.9, 0.9] }",
            "the shares add up to 1.8",
        ),
        ("{ kind = \"dagor\", users = 0 }", "users"),
        ("{ kind = \"dagor\", decrease = 1.5 }", "decrease"),
        (
            "{ kind = \"utilisation-shedding\", from = 1 }",
            "from = 1 is not below to = 1",
        ),
        ("{ kind = \"brownout\", optional = 1 }", "optional"),
        (
            "{ kind = \"brownout\", optional = 0.5, measure = \"10ms\" }",
            "measure = 10ms is shorter than interval = 1s",
        ),
        (
            "{ kind = \"limit-req\", rate = 1, delay = 3 }",
            "delay = 3 is above burst = 0",
        ),
        (
            "{ kind = \"limit-req\", rate = 1, burst = 3, delay = 3, nodelay = true }",
            "nothing is delayed",
        ),
        ("{ kind = \"limit-req\", rate = 1, by = \"user\" }", "by"),
        ("{ kind = \"limit-conn\", limit = 0 }", "limit"),
        (
            "{ kind = \"rate-counter\", limit = 3, period = \"1us\" }",
            "period",
        ),
    ] {
        let text = format!(
            "horizon = \"1s\"\ntraffic = [{{ to = \"web\", rate = 1 }}]\n[service.web]\ndemand = \"1ms\"\nserver = [{{ name = \"s\", guards = [{guard}] }}]"
        );
        let problems = match scenario::parse(&text) {
            Ok(_) => panic!("{guard} is accepted"),
            Err(problems) => problems.to_string(),
        };
        assert!(problems.contains(word), "{guard}: {problems}");
    }
}

/// Servers `a` and `b` of one worker, asked in turn, that take 100 ms.
fn tied(times: &[&str], hedge: &str, more: &str) -> (Vec<f64>, Summary) {
    let text = traced(
        "2s",
        times,
        &format!(
            "client = {{ hedge = {{ {hedge} }} }}\n[service.web]\ndemand = \"100ms\"\nbalancer = {{ policy = \"round-robin\" }}\n\
             [[service.web.server]]\nname = \"a\"\nworkers = 1\n{more}\n[[service.web.server]]\nname = \"b\"\nworkers = 1\n"
        ),
    );
    let ends = fates(&text).iter().map(|fate| fate.1).collect();
    (ends, summary(&text))
}

#[test]
fn tied_copies_are_called_off_when_a_worker_begins_with_one() {
    // a serves the first until 1000 ms, b the second. The third and the fourth wait at both: b begins with
    // them, and a forgets them.
    let times = ["0s", "20ms", "30ms", "40ms"];
    let slow = "speed = 0.1";
    let (ends, with) = tied(&times, "after = \"5ms\", tied = true", slow);
    assert_eq!(ends, [1000.0, 120.0, 220.0, 320.0]);
    assert_eq!(server(&with, "web", "b").utilisation, 0.15);
    assert_eq!(with.wasted_work, Some(0.0));
    // Copies that do not know each other are worked on twice.
    let (_, without) = tied(&times, "after = \"5ms\"", slow);
    assert!(without.wasted_work.is_some_and(|wasted| wasted > 0.3));
}

#[test]
fn no_copy_goes_out_once_a_worker_has_begun() {
    let (ends, summary) = tied(&["0s"], "after = \"5ms\", tied = true", "speed = 0.5");
    assert_eq!(ends, [200.0]);
    assert_eq!(server(&summary, "web", "b").attempts, 0);
    let (ends, summary) = tied(&["0s"], "after = \"5ms\"", "speed = 0.5");
    assert_eq!(ends, [105.0]);
    assert_eq!(server(&summary, "web", "b").attempts, 1);
}

#[test]
fn copies_may_learn_of_each_other_while_time_runs() {
    let text = |entry: &str| {
        traced(
            "2s",
            &["0s", "500ms"],
            &format!(
                "client = {{ hedge = {{ after = \"5ms\" }} }}\n[service.web]\ndemand = \"100ms\"\nbalancer = {{ policy = \"round-robin\" }}\n\
                 server = [{{ name = \"a\", count = 4, workers = 1 }}]\n{entry}"
            ),
        )
    };
    let sent = |entry: &str| summary(&text(entry)).attempts.per_request;
    assert_eq!(sent(""), Some(2.0));
    let set = "[[timeline]]\nat = \"300ms\"\nset = { \"client.hedge.tied\" = true }\n";
    assert_eq!(sent(set), Some(1.5));
}
