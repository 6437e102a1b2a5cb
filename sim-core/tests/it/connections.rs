//! Connections: what opening costs, who keeps which, who waits for one, and where they lead.

use crate::links::stream;
use crate::support::{fates, outcome, run, server, service, start, summary, traced};
use sim_core::engine::{PoolFigures, Simulation};
use sim_core::summary::Summary;

/// A service of one server with room for everybody that takes 10 ms for each request, its callers
/// 5 ms away.
fn web(connections: &str, rest: &str) -> String {
    format!(
        "[service.web]\ndemand = \"10ms\"\nlink = {{ delay = \"5ms\", connections = {connections} }}\n\
         {rest}\n[[service.web.server]]\nname = \"s\"\nworkers = 100\n"
    )
}

fn pool(simulation: &Simulation, at: &str) -> PoolFigures {
    let figures = simulation.pool_figures();
    let found = figures.into_iter().find(|pool| pool.at == at);
    found.unwrap_or_else(|| panic!("no connections at {at}"))
}

const CALLERS: &str = "service.web.link";
const SERVERS: &str = "service.web.balancer.link";

#[test]
fn opening_one_costs_round_trips_and_the_next_request_finds_it_open() {
    let text = |keys: &str| {
        let one = format!("{{ kind = \"per-request\", of = \"source\"{keys} }}");
        fates(&traced("2s", &["0s", "1s"], &web(&one, "")))
    };
    // 10 ms there and back before the request, which takes 20.
    assert_eq!(text(""), [("succeeded", 30.0), ("succeeded", 1020.0)]);
    let tls = text(", round_trips = 2, open = \"3ms\"");
    assert_eq!(tls, [("succeeded", 43.0), ("succeeded", 1020.0)]);
    let none_kept = text(", keep = 0");
    assert_eq!(none_kept, [("succeeded", 30.0), ("succeeded", 1030.0)]);
    let closed_meanwhile = text(", idle = \"900ms\"");
    assert_eq!(
        closed_meanwhile,
        [("succeeded", 30.0), ("succeeded", 1030.0)]
    );
    let too_old = text(", max_age = \"1s\"");
    assert_eq!(too_old, [("succeeded", 30.0), ("succeeded", 1030.0)]);
    let worn = text(", max_requests = 1");
    assert_eq!(worn, [("succeeded", 30.0), ("succeeded", 1030.0)]);
}

#[test]
fn requests_at_once_open_as_many_or_share_one() {
    let text = |kind: &str| {
        let kind = format!("{{ kind = {kind}, of = \"source\" }}");
        run(&traced("1s", &["0s", "1ms", "50ms"], &web(&kind, "")))
    };
    let each = pool(&text("\"per-request\""), CALLERS);
    assert_eq!((each.opened, each.peak, each.broken), (2, 2, 0));
    let shared = pool(&text("\"shared\""), CALLERS);
    assert_eq!((shared.opened, shared.peak), (1, 1));
    let narrow = pool(&text("\"shared\", streams = 1, limit = 0"), CALLERS);
    assert_eq!(narrow.opened, 2);
    // Who comes while it is opened leaves when it is open.
    let fates = |text: &str| fates(&traced("1s", &["0s", "4ms"], text));
    let kind = "{ kind = \"shared\", of = \"source\" }";
    assert_eq!(
        fates(&web(kind, "")),
        [("succeeded", 30.0), ("succeeded", 30.0)]
    );
}

#[test]
fn callers_are_keys_sources_or_servers() {
    let opened = |of: &str| {
        let kind = format!("{{ kind = \"shared\", of = \"{of}\", idle = \"0s\" }}");
        let text = stream("10s", 50, &web(&kind, "")).replace(
            "rate = 50",
            "rate = 50, key = { kind = \"uniform\", n = 7 }",
        );
        pool(&run(&text), CALLERS).opened
    };
    assert_eq!(opened("key"), 7);
    assert_eq!(opened("source"), 1);
    let text = stream(
        "10s",
        50,
        "[service.web]\ndemand = \"1ms\"\nserver = [{ name = \"s\", count = 3, workers = 9 }]\n\
         call = [{ to = \"db\", link = { connections = \"shared\" } }]\n\
         [service.db]\ndemand = \"1ms\"\nserver = [{ name = \"db\", workers = 9 }]\n",
    );
    assert_eq!(
        pool(&run(&text), "service.db.link").opened,
        3,
        "one for each server"
    );
}

#[test]
fn who_finds_all_taken_waits_in_line_is_turned_away_or_gives_up() {
    let text = |keys: &str| {
        let kind = format!("{{ kind = \"per-request\", of = \"source\", limit = 1{keys} }}");
        fates(&traced("1s", &["0s", "1ms", "2ms", "3ms"], &web(&kind, "")))
    };
    let all = [30.0, 50.0, 70.0, 90.0].map(|at| ("succeeded", at));
    assert_eq!(text(""), all, "in the order in which they came");
    let short = text(", queue = 1");
    assert_eq!(short[..2], all[..2]);
    assert_eq!(short[2..], [("unavailable", 2.0), ("unavailable", 3.0)]);
    let impatient = text(", wait = \"40ms\"");
    assert_eq!(impatient[1], ("succeeded", 50.0));
    assert_eq!(impatient[2], ("connect_timed_out", 42.0));
    assert_eq!(impatient[3], ("connect_timed_out", 43.0));
    // Who has gone away does not take the place of the next.
    let client = "[client]\ntimeout = \"45ms\"\n";
    let kind = "{ kind = \"per-request\", of = \"source\", limit = 1 }";
    let text = traced(
        "1s",
        &["0s", "20ms", "21ms"],
        &format!("{client}{}", web(kind, "")),
    );
    let ends = fates(&text);
    assert_eq!(ends[1], ("succeeded", 50.0));
    assert_eq!(ends[2], ("timed_out", 66.0));
}

/// A caller with so many connections and a server with room for all is a station with so many
/// workers (M/M/c): the wait for a connection is that for a worker.
#[test]
fn a_line_for_connections_is_a_queue() {
    let mean = |connections: &str, workers: u32| {
        let text = format!(
            "horizon = \"2000s\"\nwarm_up = \"50s\"\ntraffic = [{{ to = \"web\", rate = 240 }}]\n\
             [service.web]\ndemand = {{ kind = \"exponential\", mean = \"10ms\" }}\nlink = {{ {connections} }}\n\
             server = [{{ name = \"s\", workers = {workers} }}]\n"
        );
        summary(&text).response_time_s.mean.expect("some succeeded")
    };
    let limited = |limit: u32| {
        let keys = "of = \"source\", round_trips = 0, idle = \"0s\"";
        format!("connections = {{ kind = \"per-request\", limit = {limit}, {keys} }}")
    };
    // Erlang C with three workers at 80 %: 0.64719; the mean is 10 ms × (1 + 0.64719 / 0.6).
    let theory = 0.010 * (1.0 + 0.647_191 / 0.6);
    let measured = mean(&limited(3), 1000);
    assert!(
        (measured / theory - 1.0).abs() < 0.03,
        "{measured} {theory}"
    );
    // The same to the nanosecond as a line before three workers, and not that of four.
    assert!((measured / mean("", 3) - 1.0).abs() < 1e-9);
    let four = mean(&limited(4), 1000);
    assert!((four / theory - 1.0).abs() > 0.3, "{four} {theory}");
}

#[test]
fn a_caller_that_gives_up_closes_a_connection_unless_others_share_it() {
    let text = |kind: &str| {
        let kind = format!("{{ kind = \"{kind}\", of = \"source\" }}");
        let slow = web(&kind, "").replace("demand = \"10ms\"", "demand = \"100ms\"");
        let text = format!("[client]\ntimeout = \"50ms\"\n{slow}");
        pool(&run(&traced("3s", &["0s", "1s"], &text)), CALLERS)
    };
    let each = text("per-request");
    assert_eq!((each.opened, each.broken), (2, 2));
    let shared = text("shared");
    assert_eq!((shared.opened, shared.broken), (1, 0));
}

#[test]
fn connections_that_are_kept_count_at_the_balancer() {
    let kind = "{ kind = \"per-request\", idle = \"500ms\" }";
    let limit = "balancer = { max_connections = 2 }";
    let times = ["0s", "100ms", "200ms", "900ms"];
    // Each request is a caller of its own, and keeps its connection for half a second.
    let ends = fates(&traced("2s", &times, &web(kind, limit)));
    let words: Vec<_> = ends.iter().map(|(word, _)| *word).collect();
    assert_eq!(words, ["succeeded", "succeeded", "rejected", "succeeded"]);
    let mut simulation = start(&traced("2s", &times, &web(kind, "")));
    simulation.run_until(crate::support::at(0.5));
    assert_eq!(simulation.snapshot().instances[0].connections, 3);
    simulation.run_until(crate::support::at(0.85));
    assert_eq!(simulation.snapshot().instances[0].connections, 0);
}

#[test]
fn a_balancer_keeps_connections_to_its_servers() {
    let text = |connections: &str| {
        let balancer =
            format!("balancer = {{ link = {{ delay = \"2ms\", connections = {connections} }} }}");
        let near = web("\"shared\"", &balancer).replace(
            "delay = \"5ms\", connections = \"shared\"",
            "delay = \"0s\"",
        );
        traced("2s", &["0s", "1ms", "1s"], &near)
    };
    let ends = |connections: &str| fates(&text(connections));
    let each = ends("\"per-request\"");
    assert_eq!(
        each,
        [
            ("succeeded", 18.0),
            ("succeeded", 19.0),
            ("succeeded", 1014.0)
        ]
    );
    let one = ends("{ kind = \"per-request\", limit = 1 }");
    assert_eq!(
        one,
        [
            ("succeeded", 18.0),
            ("succeeded", 32.0),
            ("succeeded", 1014.0)
        ]
    );
    let figures = pool(
        &run(&text("{ kind = \"per-request\", limit = 1 }")),
        SERVERS,
    );
    assert_eq!((figures.opened, figures.waited), (1, 1));
    let mut simulation = start(&text("\"per-request\""));
    simulation.run_until(crate::support::at(0.5));
    assert_eq!(simulation.snapshot().servers[0].connections, 2);
}

/// Callers that keep their connections, three servers, and what the time line does to one of them.
fn fleet(balances: &str, connections: &str, policy: &str, timeline: &str) -> Summary {
    summary(&format!(
        "horizon = \"20m\"\nseed = 3\ntraffic = [{{ to = \"api\", rate = 900, key = {{ kind = \"uniform\", n = 250 }} }}]\n\
         [client]\ntimeout = \"1s\"\n\
         [service.api]\ndemand = {{ kind = \"exponential\", mean = \"10ms\" }}\nlink = {{ connections = {connections} }}\n\
         balancer = {{ policy = \"{policy}\", balances = \"{balances}\" }}\n\
         [[service.api.server]]\nname = \"m\"\ncount = 3\nworkers = 8\n{timeline}"
    ))
}

const RESTARTED: &str = "[[timeline]]\nat = \"5m\"\ndo = \"crash\"\ntarget = \"service.api.server.m-1\"\n\
                         [[timeline]]\nat = \"5m1s\"\ndo = \"restart\"\ntarget = \"service.api.server.m-1\"\n";

fn share(summary: &Summary, name: &str) -> f64 {
    server(summary, "api", name)
        .share
        .expect("requests were sent")
}

#[test]
fn callers_that_keep_a_connection_stay_where_they_are() {
    // A quarter of the time a third of the requests, and nothing after the restart but what reconnects.
    let stay = fleet("connections", "\"shared\"", "round-robin", RESTARTED);
    assert!(share(&stay, "m-1") < 0.11, "{}", share(&stay, "m-1"));
    let each = fleet("requests", "\"shared\"", "round-robin", RESTARTED);
    assert!((share(&each, "m-1") - 1.0 / 3.0).abs() < 0.01);
    // Connections that grow old come back.
    let young = "{ kind = \"shared\", max_age = \"1m\", jitter = 0.2 }";
    let back = fleet("connections", young, "round-robin", RESTARTED);
    assert!(share(&back, "m-1") > 0.29, "{}", share(&back, "m-1"));
}

#[test]
fn a_server_that_is_added_stays_idle_until_callers_connect_anew() {
    let added = |balances: &str, connections: &str| {
        let timeline = "present = false\n[[timeline]]\nat = \"1s\"\ndo = \"add\"\ntarget = \"service.api.server.new\"\n";
        let text = format!("[[service.api.server]]\nname = \"new\"\nworkers = 8\n{timeline}");
        share(
            &fleet(balances, connections, "least-in-flight", &text),
            "new",
        )
    };
    // Of the 250 callers a few have not come yet.
    assert!(added("connections", "{ kind = \"shared\", idle = \"0s\" }") < 0.05);
    assert!(added("requests", "{ kind = \"shared\", idle = \"0s\" }") > 0.2);
}

#[test]
fn where_connections_are_counted_the_least_of_them_get_the_next() {
    // Each caller comes once, and keeps its connection: the restarted server gets all new ones.
    let text = |balances: &str| {
        format!(
            "horizon = \"40s\"\ntraffic = [{{ to = \"api\", rate = 30, arrivals = \"deterministic\" }}]\n\
             [service.api]\ndemand = \"1ms\"\nlink = {{ connections = {{ kind = \"shared\", idle = \"0s\" }} }}\n\
             balancer = {{ policy = {{ kind = \"least-in-flight\", ties = \"first\" }}, balances = \"{balances}\" }}\n\
             [[service.api.server]]\nname = \"m\"\ncount = 3\nworkers = 8\n\
             [[timeline]]\nat = \"20s\"\ndo = \"crash\"\ntarget = \"service.api.server.m-3\"\n\
             [[timeline]]\nat = \"20s\"\ndo = \"restart\"\ntarget = \"service.api.server.m-3\"\n"
        )
    };
    let counted = run(&text("connections")).snapshot();
    let at: Vec<u32> = counted.servers.iter().map(|s| s.connections).collect();
    assert_eq!(at.iter().sum::<u32>(), 1000);
    assert!(at.iter().all(|&n| (332..=335).contains(&n)), "{at:?}");
    // Requests are never two at once here: by requests, the first server gets them all.
    let summary = summary(&text("requests"));
    assert_eq!(
        service(&summary, "api")
            .servers
            .get("m-1")
            .expect("there")
            .share,
        Some(1.0)
    );
}

#[test]
fn what_crashes_breaks_its_connections() {
    let kind = "{ kind = \"per-request\", of = \"source\" }";
    let crash = "[[timeline]]\nat = \"500ms\"\ndo = \"crash\"\ntarget = \"service.web.balancer\"\n\
                 [[timeline]]\nat = \"600ms\"\ndo = \"restart\"\ntarget = \"service.web.balancer\"\n";
    let text = format!("{}{crash}", web(kind, ""));
    let simulation = run(&traced("2s", &["0s", "490ms", "1s"], &text));
    let figures = pool(&simulation, CALLERS);
    assert_eq!((figures.opened, figures.broken), (2, 1));
    let ends = fates(&traced("2s", &["0s", "490ms", "1s"], &text));
    assert_eq!(
        ends,
        [("succeeded", 30.0), ("reset", 505.0), ("succeeded", 1030.0)]
    );
    // One that is on its way when its connection breaks meets nobody.
    let ends = fates(&traced("2s", &["0s", "497ms"], &text));
    assert_eq!(ends[1].0, "reset");
}

#[test]
fn who_cannot_be_reached_gets_no_connection() {
    let kind = "{ kind = \"shared\", of = \"source\" }";
    let text = |link: &str, times: &[&str]| {
        let text = web(kind, "").replace("delay = \"5ms\"", link);
        fates(&traced("2s", times, &text))
    };
    let lossy = "delay = \"5ms\", loss = 1, connect_timeout = \"50ms\"";
    let gone = text(lossy, &["0s", "10ms", "1s"]);
    assert_eq!(gone[0], ("connect_timed_out", 50.0));
    assert_eq!(gone[1], ("connect_timed_out", 60.0));
    assert_eq!(gone[2], ("connect_timed_out", 1050.0));
    // Opening takes longer than there is time for.
    let slow = text("delay = \"5ms\", connect_timeout = \"14ms\"", &["0s"]);
    assert_eq!(slow, [("connect_timed_out", 14.0)]);
    // What is open needs no time for that.
    let timely = text("delay = \"5ms\", connect_timeout = \"15ms\"", &["0s", "1s"]);
    assert_eq!(timely, [("succeeded", 30.0), ("succeeded", 1020.0)]);
}

#[test]
fn other_settings_hold_for_new_connections() {
    let kind = "{ kind = \"shared\", of = \"source\" }";
    let set =
        "[[timeline]]\nat = \"500ms\"\nset = { \"service.web.link.connections.open\" = \"7ms\" }\n";
    let text = format!("{}{set}", web(kind, ""));
    let ends = fates(&traced("3s", &["0s", "100ms", "1s", "2s"], &text));
    let expected = [30.0, 120.0, 1037.0, 2020.0].map(|at| ("succeeded", at));
    assert_eq!(ends, expected);
    let off = set.replace("connections.open\" = \"7ms\"", "connections\" = \"none\"");
    let ends = fates(&traced(
        "3s",
        &["0s", "1s"],
        &format!("{}{off}", web(kind, "")),
    ));
    assert_eq!(ends[1], ("succeeded", 1020.0));
}

#[test]
fn connections_without_end_end_the_run() {
    let kind = "{ kind = \"shared\", idle = \"0s\" }";
    let text = format!(
        "limits = {{ in_flight = 5000 }}\n{}",
        stream("1000s", 1000, &web(kind, ""))
    );
    let simulation = run(&text);
    assert_eq!(simulation.end(), Some(sim_core::engine::End::InFlightLimit));
    let summary = Summary::of(&simulation, 0);
    assert!(outcome(&summary, "succeeded") > 4000);
}

/// Three requests of 100 ms at once and one each 50 ms from then on, through one connection: moments of their ends.
fn through_one(kind: &str) -> Vec<(&'static str, f64)> {
    let times = ["0s", "1ms", "2ms"];
    let text = format!(
        "[service.web]\ndemand = \"100ms\"\nlink = {{ connections = {{ {kind}, round_trips = 0 }} }}\n\
         server = [{{ name = \"s\", workers = 100 }}]\n"
    );
    fates(&traced("10s", &times, &text))
}

/// B26: fifteen have a connection, and the sixteenth waits in line and is told after `timeout` that there is none;
/// ten of them are closed when they are given back.
#[test]
fn sqlalchemy_has_five_connections_and_ten_more_in_need() {
    let text = |timeout: &str| {
        let times: Vec<String> = (0..16).map(|at| format!("{at}ms")).collect();
        let times: Vec<&str> = times.iter().map(String::as_str).collect();
        traced(
            "10s",
            &times,
            &format!(
                "[service.web]\ndemand = \"100ms\"\n\
                 link = {{ connections = {{ kind = \"sqlalchemy\", timeout = \"{timeout}\" }} }}\n\
                 server = [{{ name = \"s\", workers = 100 }}]\n"
            ),
        )
    };
    let seen = fates(&text("30s"));
    assert_eq!(seen[14], ("succeeded", 114.0));
    assert_eq!(
        seen[15],
        ("succeeded", 200.0),
        "it gets the first that is given back"
    );
    let late = fates(&text("50ms"));
    assert_eq!(late[15].1, 65.0);
    assert_ne!(late[15].0, "succeeded");
    let used = pool(&run(&text("30s")), CALLERS);
    assert_eq!((used.opened, used.peak, used.open), (15, 15, 5));
}

/// B25: with `max_waiting` 2 the third who would wait fails at once.
#[test]
fn psycopg_lets_so_many_wait() {
    let seen = |waiting: u32| {
        let kind = format!("kind = \"psycopg-pool\", min_size = 1, max_waiting = {waiting}");
        through_one(&kind)
    };
    assert_eq!(
        seen(0),
        [
            ("succeeded", 100.0),
            ("succeeded", 200.0),
            ("succeeded", 300.0)
        ]
    );
    assert_eq!(
        seen(1),
        [
            ("succeeded", 100.0),
            ("succeeded", 200.0),
            ("unavailable", 2.0)
        ]
    );
}

/// B5: whoever finds none opens one, which is closed afterwards; with `block` they wait.
#[test]
fn urllib3_opens_what_it_does_not_keep() {
    let used = |keys: &str| {
        let text = format!(
            "[service.web]\ndemand = \"100ms\"\nlink = {{ connections = {{ kind = \"urllib3\"{keys} }} }}\n\
             server = [{{ name = \"s\", workers = 100 }}]\n"
        );
        let used = pool(
            &run(&traced("1s", &["0s", "1ms", "2ms", "500ms"], &text)),
            CALLERS,
        );
        (used.opened, used.peak, used.open)
    };
    assert_eq!(used(""), (3, 3, 1));
    assert_eq!(used(", maxsize = 2"), (3, 3, 2));
    assert_eq!(used(", block = true"), (1, 1, 1));
}

/// A pool time-out of 250 ms: a connection that is held for 1.5 s is waited for in vain, and where one comes free each
/// 100 ms ten in line all get it, the last after 900 ms.
#[test]
fn httpx_waits_on_while_connections_come_free() {
    let seen = |service: &str, kind: &str| {
        let times = ["0s"; 10];
        let text = format!(
            "[service.web]\ndemand = \"{service}\"\n\
             link = {{ connections = {{ {kind}, round_trips = 0 }} }}\n\
             server = [{{ name = \"s\", workers = 100 }}]\n"
        );
        fates(&traced("10s", &times, &text))
    };
    let httpx = "kind = \"httpx\", max_connections = 1, timeout = \"250ms\"";
    let held = seen("1500ms", httpx);
    assert_eq!(held[0], ("succeeded", 1500.0));
    assert!(
        held[1..]
            .iter()
            .all(|end| end.0 != "succeeded" && end.1 == 250.0),
        "{held:?}"
    );
    let turned = seen("100ms", httpx);
    assert!(turned.iter().all(|end| end.0 == "succeeded"), "{turned:?}");
    assert_eq!(turned[9].1, 1000.0);
    // Where the wait is one, as everywhere else, only those come to their turn who need not wait longer.
    let one = "kind = \"per-request\", of = \"source\", limit = 1, wait = \"250ms\"";
    let plain = seen("100ms", one);
    assert_eq!(plain.iter().filter(|end| end.0 == "succeeded").count(), 3);
}

/// httpcore compares `max_keepalive_connections` with all connections: while two are at work and two may be kept, a
/// third is closed each time it is given back. Elsewhere those at work do not count.
#[test]
fn httpx_keeps_none_beside_too_many_at_work() {
    let opened = |kind: &str| {
        let text = format!(
            "horizon = \"4s\"\n[class.short]\nshare = 1\n[class.long]\ndemand = \"1s\"\n\
             [[traffic]]\nname = \"long\"\nto = \"web\"\nclass = \"long\"\n\
             arrivals = {{ kind = \"trace\", times = [\"0s\", \"0s\"] }}\n\
             [[traffic]]\nname = \"short\"\nto = \"web\"\nclass = \"short\"\n\
             arrivals = {{ kind = \"trace\", times = [\"1.1s\", \"1.2s\", \"1.3s\"] }}\n\
             [service.web]\ndemand = \"1ms\"\nserver = [{{ name = \"w\", workers = 100 }}]\n\
             call = [{{ to = \"db\" }}]\n\
             [service.db]\ndemand = \"10ms\"\nlink = {{ connections = {{ {kind} }} }}\n\
             server = [{{ name = \"d\", workers = 100 }}]\n"
        );
        pool(&run(&text), "service.db.link").opened
    };
    assert_eq!(opened("kind = \"httpx\", max_keepalive_connections = 2"), 5);
    assert_eq!(opened("kind = \"httpx\", max_keepalive_connections = 3"), 3);
    assert_eq!(opened("kind = \"per-request\", keep = 2"), 3);
}
