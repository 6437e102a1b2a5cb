//! What a balancer does by rules of its own towards its servers: it waits, tries again and tells.

use crate::support::{fates, outcome, server, service, start, summary, traced};
use sim_core::engine::Simulation;
use sim_core::scenario::{NoFiles, Scenario, Source};

/// One request a second of 20 ms, at three servers in turn; `client` is how the balancer sends, `rest` what
/// happens.
fn proxy(client: &str, rest: &str) -> String {
    let times: Vec<String> = (0..12).map(|i| format!("{i}s")).collect();
    let times: Vec<&str> = times.iter().map(String::as_str).collect();
    traced(
        "20s",
        &times,
        &format!(
            "[service.web]\ndemand = \"20ms\"\nbalancer.client = {{ {client} }}\n\
             server = [{{ name = \"a\", count = 3, workers = 1 }}]\n{rest}"
        ),
    )
}

fn crash(server: &str, at: &str) -> String {
    format!(
        "[[timeline]]\nat = \"{at}\"\ndo = \"crash\"\ntarget = \"service.web.server.{server}\"\n"
    )
}

const NEXT: &str = "retry = { kind = \"fixed\", attempts = 3, avoid = \"for-good\" }";

#[test]
fn a_dead_server_costs_callers_nothing_where_the_balancer_tries_the_next() {
    let dead = crash("a-2", "500ms");
    let once = summary(&proxy("", &dead));
    assert_eq!(outcome(&once, "errored"), 4, "every third request");
    let next = summary(&proxy(NEXT, &dead));
    assert_eq!(next.availability, Some(1.0));
    // Callers made one attempt each. Tries take turns as well, so that it is every second request's turn to
    // meet the dead server.
    assert_eq!(
        (next.attempts.total, next.attempts.per_request),
        (12, Some(1.0))
    );
    let tries = service(&next, "web").tries.expect("rules of its own");
    assert_eq!((tries.asked, tries.total), (12, 18));
    assert_eq!(server(&next, "web", "a-2").failed, 6);
}

#[test]
fn no_rules_of_its_own_are_no_tries() {
    let text = proxy("", "").replace("balancer.client = {  }\n", "");
    let plain = summary(&text);
    assert_eq!(service(&plain, "web").tries, None);
    // With rules that say nothing, the same requests fare the same.
    let empty = summary(&proxy("", ""));
    assert_eq!(plain.response_time_s, empty.response_time_s);
}

#[test]
fn a_silent_server_is_given_up_after_the_balancers_time_out_and_the_caller_waits_so_long() {
    let silent = "[[timeline]]\nat = \"500ms\"\nset = { \"service.web.server.a-2.down_behaviour\" = \"black-hole\" }\n";
    let rest = format!("{silent}{}", crash("a-2", "500ms"));
    let client = format!("timeout = \"100ms\", {NEXT}");
    let fates = fates(&proxy(&client, &rest));
    let took = |i: usize| fates[i].1 - 1000.0 * i as f64;
    assert!(
        fates.iter().all(|(outcome, _)| *outcome == "succeeded"),
        "{fates:?}"
    );
    assert_eq!(
        (took(0), took(1), took(2)),
        (20.0, 120.0, 20.0),
        "{fates:?}"
    );
}

#[test]
fn tried_for_good_there_is_no_server_left_and_otherwise_the_same_once_more() {
    let all = "[[timeline]]\nat = \"500ms\"\ndo = \"crash\"\ntarget = \"service.web.server\"\n";
    let attempts = |avoid: &str| {
        let client = format!("retry = {{ kind = \"fixed\", attempts = 5, avoid = \"{avoid}\" }}");
        let ended = summary(&proxy(&client, all));
        let sent = (1..=3).map(|i| server(&ended, "web", &format!("a-{i}")).attempts);
        (
            sent.sum::<u64>() - 1,
            outcome(&ended, "unavailable"),
            outcome(&ended, "errored"),
        )
    };
    // Eleven requests find all three dead: each is sent to each of them once, or five times in all.
    assert_eq!(attempts("for-good"), (33, 11, 0));
    assert_eq!(attempts("all"), (55, 0, 11));
}

#[test]
fn with_no_others_left_it_does_not_stand_before_those_that_wait() {
    // The first has been at both servers when the second begins to wait.
    let text = traced(
        "10s",
        &["1s", "1.01s"],
        "[service.web]\ndemand = \"20ms\"\n\
         balancer = { pending_queue = { limit = 9 }, client = { retry = { kind = \"fixed\", attempts = 9, avoid = \"for-good\" } } }\n\
         server = [{ name = \"a\", count = 2, workers = 1, errors = { rate = 1 }, max_connections = 1 }]\n",
    );
    let fates = fates(&text);
    let ended: Vec<&str> = fates.iter().map(|fate| fate.0).collect();
    assert_eq!(ended, ["unavailable", "unavailable"], "{fates:?}");
}

#[test]
fn a_caller_that_gives_up_takes_the_balancers_try_with_it() {
    let silent = proxy(
        "retry = { kind = \"fixed\", attempts = 9, pause = \"300ms\" }",
        "[[timeline]]\nat = \"0s\"\ndo = \"crash\"\ntarget = \"service.web.server\"\n",
    );
    let text = format!("client = {{ timeout = \"1s\" }}\n{silent}");
    let ended = summary(&text);
    assert_eq!(outcome(&ended, "timed_out"), 12);
    // Tries at 0, 300, 600 and 900 ms; that of 1.2 s is no more.
    assert_eq!(service(&ended, "web").tries.expect("rules").total, 48);
}

#[test]
fn a_balancer_that_crashes_ends_its_tries_and_tells_nobody_twice() {
    let slow = proxy(
        NEXT,
        "[[timeline]]\nat = \"3.01s\"\ndo = \"crash\"\ntarget = \"service.web.balancer\"\n",
    );
    let ended = summary(&slow);
    // One was at a server, eight found nobody there.
    assert_eq!(outcome(&ended, "reset"), 1);
    assert_eq!(outcome(&ended, "refused"), 8);
    assert_eq!(ended.requests.succeeded, 3);
}

#[test]
fn what_the_time_line_says_of_them_holds_from_then_on() {
    let dead = crash("a-2", "500ms");
    let set =
        "[[timeline]]\nat = \"6s\"\nset = { \"service.web.balancer.client.retry\" = \"none\" }\n";
    let ended = summary(&proxy(NEXT, &format!("{dead}{set}")));
    assert!(outcome(&ended, "errored") > 0, "{:?}", ended.requests);
    let rules = traced(
        "5s",
        &["1s"],
        "[service.web]\ndemand = \"1ms\"\nserver = [{ name = \"a\", workers = 1 }]\n\
        [[timeline]]\nat = \"1s\"\nset = { \"service.web.balancer.client.timeout\" = \"1s\" }\n",
    );
    let problems = sim_core::scenario::parse(&rules)
        .expect_err("no rules to change")
        .to_string();
    assert!(problems.contains("has no rules of its own"), "{problems}");
}

#[test]
fn the_request_log_knows_the_server_that_answered() {
    let text = proxy(NEXT, &crash("a-2", "500ms"));
    let mut simulation: Simulation = start(&text);
    simulation.run();
    let log = simulation.recorder_mut().take_log();
    assert_eq!(log.len(), 12);
    assert!(
        log.iter()
            .all(|row| row.server.is_some_and(|server| server != 1) && row.served.is_some()),
        "{log:?}"
    );
}

/// Two classes at one balancer, in turn half a second apart, of which `rules` say what differs.
fn by_class(rules: &str, rest: &str) -> String {
    let times = |half: &str| {
        let times: Vec<String> = (0..6).map(|i| format!("{i}.{half}s")).collect();
        format!("{times:?}")
    };
    format!(
        r#"
horizon = "30s"
record = {{ every_nth_request = 1 }}
class = {{ page = {{ share = 0.5 }}, socket = {{ share = 0.5 }} }}
[[traffic]]
name = "pages"
to = "web"
class = "page"
arrivals = {{ kind = "trace", times = {} }}
[[traffic]]
name = "sockets"
to = "web"
class = "socket"
arrivals = {{ kind = "trace", times = {} }}
[service.web]
demand = "300ms"
server = [{{ name = "a", count = 2, workers = 9 }}]
[service.web.balancer]
{rules}
{rest}
"#,
        times("0"),
        times("5"),
    )
}

/// How the requests of the two classes ended, and after how many milliseconds.
fn of_classes(text: &str) -> [Vec<(&'static str, f64)>; 2] {
    let mut simulation = start(text);
    simulation.run();
    let log = simulation.recorder_mut().take_log();
    [0, 1].map(|class| {
        let of = log.iter().filter(|row| row.class == class);
        of.map(|row| {
            let took = (row.ended_ns - row.arrived_ns) as f64 / 1e6;
            (row.outcome.name(), took)
        })
        .collect()
    })
}

#[test]
fn each_class_has_the_time_out_and_the_retries_that_are_said_of_it() {
    let dead = crash("a-2", "0s");
    let once = "client = { timeout = \"200ms\" }\n";
    let socket = "class.socket.client = { timeout = \"1h\", retry = { kind = \"fixed\", attempts = 2, avoid = \"all\" } }\n";
    let [pages, sockets] = of_classes(&by_class(&format!("{once}{socket}"), &dead));
    // A page that meets the living server takes too long for 200 ms; one that meets the dead one has failed at once.
    assert!(
        pages.iter().all(|(outcome, _)| *outcome == "errored"),
        "{pages:?}"
    );
    assert!(pages.iter().any(|(_, took)| *took == 200.0), "{pages:?}");
    assert!(pages.iter().any(|(_, took)| *took == 0.0), "{pages:?}");
    assert!(
        sockets.iter().all(|fate| *fate == ("succeeded", 300.0)),
        "{sockets:?}"
    );
    // The other way round, and of what is not said anew the rules of all hold.
    let page = "class.page.client = { timeout = \"200ms\" }\n";
    let all = "client = { timeout = \"1h\", retry = { kind = \"fixed\", attempts = 2, avoid = \"all\" } }\n";
    let [pages, sockets] = of_classes(&by_class(&format!("{all}{page}"), &dead));
    assert!(
        sockets.iter().all(|fate| *fate == ("succeeded", 300.0)),
        "{sockets:?}"
    );
    // Both tries of a page fail: by time-out at the living server, and at once at the dead one.
    assert!(
        pages.iter().all(|fate| *fate == ("errored", 200.0)),
        "{pages:?}"
    );
}

#[test]
fn rules_of_a_class_are_laid_over_those_of_a_dialect() {
    // Pages that take too long are to ban nobody.
    let nginx = "dialect = { kind = \"nginx\", max_fails = 0 }\n";
    let slow = "class.page.client = { timeout = \"100ms\" }\n";
    let [pages, sockets] = of_classes(&by_class(&format!("{nginx}{slow}"), ""));
    assert!(
        sockets.iter().all(|fate| *fate == ("succeeded", 300.0)),
        "{sockets:?}"
    );
    // The retry is the dialect's still: a time-out is tried at the next, and then all have been tried.
    assert_eq!(pages[0], ("errored", 200.0), "{pages:?}");
}

#[test]
fn rules_of_one_class_need_none_for_all() {
    let [pages, sockets] = of_classes(&by_class(
        "class.socket.client = { timeout = \"100ms\" }\n",
        "",
    ));
    assert!(
        pages.iter().all(|fate| *fate == ("succeeded", 300.0)),
        "{pages:?}"
    );
    assert!(
        sockets.iter().all(|fate| *fate == ("errored", 100.0)),
        "{sockets:?}"
    );
}

#[test]
fn the_time_line_sets_the_rules_of_a_class() {
    let rules = "client = { timeout = \"1h\" }\nclass.page.client = { timeout = \"100ms\" }\n";
    let set = |path: &str| {
        format!(
            "[[timeline]]\nat = \"2900ms\"\nset = {{ \"service.web.balancer.{path}\" = \"250ms\" }}\n"
        )
    };
    let took = |path: &str| {
        let ended = of_classes(&by_class(rules, &set(path)));
        ended.map(|class| class.iter().map(|fate| fate.1).collect::<Vec<_>>())
    };
    let [pages, sockets] = took("class.page.client.timeout");
    assert_eq!(pages, [100.0, 100.0, 100.0, 250.0, 250.0, 250.0]);
    assert_eq!(sockets, [300.0; 6]);
    let [pages, sockets] = took("client.timeout");
    assert_eq!(pages, [100.0; 6]);
    assert_eq!(sockets[..2], [300.0; 2]);
    assert_eq!(sockets[3..], [250.0; 3]);
}

#[test]
fn a_budget_for_retries_is_one_for_all_classes_that_have_none_of_their_own() {
    let dead = "[[timeline]]\nat = \"0s\"\ndo = \"crash\"\ntarget = \"service.web.server\"\n";
    let all = "client = { retry = { kind = \"fixed\", attempts = 2 }, guards = [{ kind = \"retry-budget\", BUDGET }] }\n";
    let all = all.replace("BUDGET", "ratio = 0, reserve = 3");
    let tries = |class: &str| {
        let text = by_class(&format!("{all}class.socket.client = {{ {class} }}\n"), dead);
        service(&summary(&text), "web").tries.expect("rules").total
    };
    let shared = tries("timeout = \"1h\"");
    let apart = tries("guards = [{ kind = \"concurrency-limit\", limit = 9 }]");
    // Three of twelve have a second try; with other guards all sockets have one beside three pages.
    assert_eq!((shared, apart), (15, 21));
}

#[test]
fn rules_for_a_class_that_is_not_there_are_an_error_and_for_one_that_never_comes_a_remark() {
    let problems = |text: &str| {
        let problems = sim_core::scenario::parse(text).expect_err("a problem");
        problems.to_string()
    };
    let unknown = by_class("class.pag.client = { timeout = \"1s\" }\n", "");
    let unknown = problems(&unknown);
    assert!(unknown.contains("no class is called `pag`"), "{unknown}");
    assert!(unknown.contains("page"), "{unknown}");
    let empty = problems(&by_class("class.page = {}\n", ""));
    assert!(empty.contains("`client` is missing"), "{empty}");
    let wrong = problems(&by_class("class.page.client = { time = \"1s\" }\n", ""));
    assert!(wrong.contains("unknown key `time`"), "{wrong}");
    let other = "[service.other]\ndemand = \"1ms\"\nserver = [{ name = \"o\", workers = 1 }]\n\
                 balancer.class.page.client = { timeout = \"1s\" }\n\
                 [[service.web.call]]\nto = \"other\"\nclass = \"socket\"\n";
    let fine = by_class("class.page.client = { timeout = \"1s\" }\n", other);
    let source = Source::new("scenario.toml", fine);
    let remarks = Scenario::read(source, &[], &NoFiles)
        .expect("valid")
        .warnings();
    let of_rules: Vec<_> = remarks.iter().filter(|r| r.contains("has rules")).collect();
    assert_eq!(
        of_rules,
        [
            "no request of the class `page` comes to the servers of `other`, whose balancer has rules for it"
        ]
    );
    let guards = "[[timeline]]\nat = \"1s\"\nset = { \"service.web.balancer.class.page.client.guards\" = [{ kind = \"concurrency-limit\", limit = 9 }] }\n";
    let late = problems(&by_class(
        "class.page.client = { timeout = \"1s\" }\n",
        guards,
    ));
    assert!(late.contains("write the `guards` of that class"), "{late}");
}
