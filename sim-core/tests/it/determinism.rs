//! The same scenario and seed give the same run, however it is driven and whatever is recorded.

use crate::support::{at, check_books, model, run, start};
use crate::zoo::ZOO;
use sim_core::engine::Simulation;
use sim_core::summary::Summary;

fn report(simulation: &Simulation) -> (u64, String) {
    (simulation.digest(), Summary::of(simulation, 0).to_json())
}

#[test]
fn same_seed_gives_the_same_bytes() {
    for (name, text) in ZOO {
        assert_eq!(report(&run(text)), report(&run(text)), "{name}");
    }
}

#[test]
fn another_replication_and_another_seed_give_other_runs() {
    for (name, text) in ZOO {
        let first = run(text).digest();
        let mut second = Simulation::new(model(text), 1);
        second.run();
        assert_ne!(first, second.digest(), "{name}: replication");
        let seeded = run(&format!("seed = 2\n{text}"));
        assert_ne!(first, seeded.digest(), "{name}: seed");
    }
}

#[test]
fn the_way_a_run_is_driven_changes_nothing() {
    for (name, text) in ZOO {
        let whole = report(&run(text));

        let mut stepped = start(text);
        while stepped.step().is_some() {}
        stepped.run();
        assert_eq!(whole, report(&stepped), "{name}: step by step");

        let mut sliced = start(text);
        let mut until = 0.0;
        while sliced.end().is_none() {
            until += 0.7321;
            sliced.run_until(at(until));
        }
        assert_eq!(whole, report(&sliced), "{name}: in slices of time");

        let mut budgeted = start(text);
        while budgeted.run_events(7) {}
        assert_eq!(whole, report(&budgeted), "{name}: seven events at a time");
    }
}

#[test]
fn a_clone_goes_on_like_the_original() {
    for (name, text) in ZOO {
        let whole = report(&run(text));
        let mut original = start(text);
        for moment in [0.0, 3.3, 11.7, 26.0, 41.0] {
            original.run_until(at(moment));
            check_books(&original, text);
            let mut copy = original.clone();
            copy.run();
            assert_eq!(whole, report(&copy), "{name}: cloned at {moment} s");
        }
        original.run();
        assert_eq!(whole, report(&original), "{name}: after being cloned");
    }
}

#[test]
fn looking_at_a_run_changes_nothing() {
    for (name, text) in ZOO {
        let whole = report(&run(text));
        let mut watched = start(text);
        for moment in 0..60 {
            watched.run_until(at(f64::from(moment)));
            let _ = (watched.snapshot(), watched.conservation(), report(&watched));
        }
        watched.run();
        assert_eq!(whole, report(&watched), "{name}");
    }
}

#[test]
fn time_never_goes_back() {
    let mut simulation = start(ZOO[0].1);
    simulation.run_until(at(10.0));
    simulation.run_until(at(5.0));
    assert_eq!(simulation.now(), at(10.0));
}

#[test]
fn the_fast_path_changes_nothing() {
    for (name, text) in ZOO {
        let mut slow = start(text).without_fast_path();
        slow.run();
        assert_eq!(report(&run(text)), report(&slow), "{name}");
    }
}

/// The same where messages take time, copies are sent or patience ends, also while that changes; with times that
/// coincide, and with some that never do.
#[test]
fn the_fast_path_changes_nothing_of_what_happens_aside() {
    let links = [
        "",
        "link = { delay = \"2ms\" }",
        "link = { delay = { kind = \"exponential\", mean = \"2ms\" } }",
        "link = { delay = \"2ms\", connect_timeout = \"3ms\" }",
    ];
    let callers = [
        "client = { timeout = \"40ms\", retry = { kind = \"exponential-backoff\", avoid = \"all\" } }",
        "client = { timeout = \"60ms\", deadline = \"100ms\", cancel = true, hedge = { after = \"15ms\" } }",
        "client = { timeout = \"50ms\", hedge = { after = \"10ms\", copies = 3, demand = \"own\" } }\n\
         class.a = { share = 0.5 }\nclass.b = { share = 0.5, client.hedge = \"none\" }",
        "client = { timeout = \"30ms\", hedge = { after = \"0s\" } }",
    ];
    let servers = [
        "queue = { limit = 3 }",
        "queue = { limit = 20, patience = { kind = \"exponential\", mean = \"20ms\" } }",
        "queue = { patience = \"20ms\", discipline = \"lifo\" }, errors = { rate = 0.1 }, max_connections = 4",
        "queue = { patience = \"10ms\", discipline = \"shortest-job\" }",
    ];
    let sources = [
        "rate = 750",
        "arrivals = \"deterministic\", rate = 500",
        "arrivals = { kind = \"closed\", users = 20, think = \"10ms\" }",
    ];
    let balancers = [
        "\"round-robin\"",
        "{ kind = \"power-of-d\", d = 2 }",
        "\"least-work-left\"",
        "\"ring-hash\"",
    ];
    let demands = ["\"10ms\"", "{ kind = \"exponential\", mean = \"10ms\" }"];
    let mut number = 0;
    for (link, caller) in links
        .iter()
        .flat_map(|link| callers.map(|caller| (link, caller)))
    {
        for server in servers {
            // All pairs of the others come up somewhere.
            let (source, policy) = (sources[number % 3], balancers[number / 3 % 4]);
            let demand = demands[number / 5 % 2];
            number += 1;
            let text = format!(
                "horizon = \"12s\"\n{caller}\ntraffic = [{{ to = \"web\", {source} }}]\n\
                 [service.web]\ndemand = {demand}\n{link}\nbalancer.policy = {policy}\n\
                 server = [{{ name = \"s\", count = 8, workers = 1, {server} }}]\n\
                 [[timeline]]\nat = \"2s\"\ndo = \"degrade\"\ndelay = \"7ms\"\nfor = \"2s\"\ntarget = \"service.web.link\"\n\
                 [[timeline]]\nat = \"3s\"\nset = {{ \"client.hedge\" = {{ after = \"20ms\" }} }}\n\
                 [[timeline]]\nat = \"4s\"\nset = {{ \"service.web.server.s-2.queue.patience\" = \"7ms\" }}\n\
                 [[timeline]]\nat = \"5s\"\ndo = \"crash\"\ntarget = \"service.web.server.s-3\"\n\
                 [[timeline]]\nat = \"6s\"\ndo = \"partition\"\nfor = \"50ms\"\ntarget = \"service.web.link\"\n\
                 [[timeline]]\nat = \"7s\"\nset = {{ \"service.web.server.queue.patience\" = \"none\" }}\n\
                 [[timeline]]\nat = \"8s\"\nset = {{ \"client.hedge\" = \"none\" }}\n\
                 [[timeline]]\nat = \"9s\"\nset = {{ \"service.web.server.queue.patience\" = \"15ms\" }}\n\
                 [[timeline]]\nat = \"10s\"\ndo = \"crash\"\ntarget = \"service.web.balancer\"\n"
            );
            let mut slow = start(&text).without_fast_path();
            let mut fast = start(&text);
            for moment in [2.5, 3.001, 6.02, 7.5, 9.999, 12.0] {
                slow.run_until(at(moment));
                fast.run_until(at(moment));
                check_books(&fast, &text);
                assert_eq!(fast.digest(), slow.digest(), "until {moment} s:\n{text}");
            }
            assert_eq!(report(&fast), report(&slow), "{text}");
        }
    }
}

/// The same where limits of connections are met all the time, under rules that look at no more than their own
/// checks, and under others.
#[test]
fn the_fast_path_changes_nothing_where_limits_are_met() {
    let checks = "{ kind = \"checks\", probe = \"request\", interval = \"100ms\", timeout = \"30ms\", fall = 2, rise = 1 }";
    let rules = [
        "",
        &format!("balancer.health = [{checks}]"),
        &format!("balancer.health = [{checks}, {{ kind = \"slow-start\", over = \"200ms\" }}]"),
        &format!("balancer.health = [{checks}, \"panic\"]"),
    ];
    let policies = [
        "\"round-robin\"",
        "{ kind = \"power-of-d\", d = 2 }",
        "\"least-in-flight\"",
        "\"weighted-round-robin\"",
        "\"least-work-left\"",
        "\"join-shortest-queue\"",
        "\"ring-hash\"",
    ];
    let balancers = [
        "",
        "balancer.pending_queue = { limit = 5, timeout = \"40ms\" }",
        "balancer.pending_queue = { limit = 50 }\nbalancer.instances = 2",
        "link = { delay = \"1ms\" }",
    ];
    let sources = [
        "rate = 1900",
        "arrivals = \"deterministic\", rate = 1500",
        "arrivals = { kind = \"closed\", users = 30, think = \"5ms\" }",
    ];
    let guards = [
        "",
        ", guards = [{ kind = \"concurrency-limit\", limit = 1 }]",
    ];
    let mut number = 0;
    for (policy, rules) in policies.iter().flat_map(|p| rules.map(|rules| (p, rules))) {
        for balancer in balancers {
            let (source, guard) = (sources[number % 3], guards[usize::from(number % 5 == 0)]);
            number += 1;
            let text = format!(
                "horizon = \"3s\"\nclient = {{ timeout = \"60ms\", retry = \"exponential-backoff\" }}\n\
                 traffic = [{{ to = \"web\", {source} }}]\n\
                 [service.web]\ndemand = {{ kind = \"exponential\", mean = \"10ms\" }}\n\
                 {balancer}\n{rules}\nbalancer.policy = {policy}\n\
                 server = [{{ name = \"s\", count = 18, workers = 1, max_connections = 1{guard} }}, \
                 {{ name = \"t\", workers = 2, max_connections = 2, priority = 1 }}]\n\
                 [[timeline]]\nat = \"1s\"\nset = {{ \"service.web.server.*.max_connections\" = 2 }}\n\
                 [[timeline]]\nat = \"1500ms\"\ndo = \"crash\"\ntarget = \"service.web.server.s-3\"\n\
                 [[timeline]]\nat = \"2s\"\nset = {{ \"service.web.server.*.max_connections\" = 1 }}\n"
            );
            let mut slow = start(&text).without_fast_path();
            let mut fast = start(&text);
            for moment in [0.3, 1.0, 1.7, 2.2, 3.0] {
                slow.run_until(at(moment));
                fast.run_until(at(moment));
                check_books(&fast, &text);
                assert_eq!(fast.digest(), slow.digest(), "until {moment} s:\n{text}");
            }
            assert_eq!(report(&fast), report(&slow), "{text}");
        }
    }
}

/// A server that comes up with another discipline than it went down with, and a probe whose answer meets a link
/// that was well when it was sent.
#[test]
fn the_fast_path_changes_nothing_of_what_changes_while_it_is_away() {
    let head = "horizon = \"6s\"\ntraffic = [{ to = \"web\", rate = 90 }]\n[service.web]\n\
        demand = { kind = \"exponential\", mean = \"10ms\" }\n";
    let another_discipline = format!(
        "{head}server = [{{ name = \"s\", workers = 1, crash_keeps_queue = true }}]\n\
         [[timeline]]\nat = \"1s\"\ntarget = \"service.web.server\"\ndo = \"crash\"\n\
         [[timeline]]\nat = \"1100ms\"\nset = {{ \"service.web.server.queue.discipline\" = \"processor-sharing\" }}\n\
         [[timeline]]\nat = \"1200ms\"\ntarget = \"service.web.server\"\ndo = \"restart\"\n"
    );
    let probes = format!(
        "{head}server = [{{ name = \"s\", count = 3, workers = 1 }}]\n\
         balancer.health = [{{ kind = \"checks\", interval = \"50ms\", timeout = \"20ms\", fall = 2, rise = 2, demand = \"1ms\" }}]\n\
         [[timeline]]\nat = \"133600us\"\ntarget = \"service.web.balancer.link\"\ndo = \"degrade\"\ndelay = \"2ms\"\nloss = 0.5\n"
    );
    for text in [another_discipline, probes] {
        let mut slow = start(&text).without_fast_path();
        slow.run();
        assert_eq!(report(&run(&text)), report(&slow), "{text}");
    }
}

/// A deadline and an arrival at one instant keep their order.
#[test]
fn the_fast_path_keeps_the_order_of_deadlines() {
    let text = "horizon = \"2s\"\nclient = { deadline = \"10ms\", cancel = true }\n\
        traffic = [{ to = \"web\", rate = 100, arrivals = \"deterministic\" }]\n\
        [service.web]\ndemand = \"20ms\"\n\
        server = [{ name = \"s\", workers = 1, queue = { limit = 0 } }]\n";
    let mut slow = start(text).without_fast_path();
    slow.run();
    assert_eq!(report(&run(text)), report(&slow));
}

#[test]
fn what_is_recorded_changes_nothing_of_the_run() {
    for (name, text) in ZOO {
        let plain = run(text);
        for recording in [
            "interval = \"250ms\"",
            "interval = \"7s\"",
            "every_nth_request = 1",
            "every_nth_request = 3",
        ] {
            let other = run(&format!("{text}\n[record]\n{recording}\n"));
            assert_eq!(plain.digest(), other.digest(), "{name}: {recording}");
            assert_eq!(plain.events(), other.events(), "{name}: {recording}");
        }
        let measured_late = run(&text.replace("warm_up = \"5s\"\n", "").replacen(
            "horizon",
            "warm_up = \"20s\"\nhorizon",
            1,
        ));
        assert_eq!(plain.digest(), measured_late.digest(), "{name}: warm_up");
    }
}

/// Any change of these says that runs differ from what they were: between builds and processors
/// that is a mistake, between versions it must be meant.
#[test]
fn runs_are_what_they_were() {
    let digests: Vec<String> = ZOO
        .iter()
        .map(|(name, text)| format!("{name} {:016x}", run(text).digest()))
        .collect();
    assert_eq!(digests, PINNED);
}

const PINNED: &[&str] = &[
    "plain d37270f5c1577e91",
    "overload 54a0844727bfbe90",
    "classes 6a5c94ed4afc0dd8",
    "sharing 8ae9797229da0756",
    "faults 955c07164b932e78",
    "crashes 5b0dc129872de740",
    "balancers cdb2bc74f5328dd7",
    "tiers 2f121923a9f550c9",
    "closed 9c3f856da4fe110d",
    "people 29bce2ea8e620637",
    "settings 042369d56137980c",
    "mended a4ae672487ba5754",
    "pooled fce6f2231751cbe6",
    "impatient 5836ddc42f623a82",
    "interrupted 2033c7547b13ce13",
    "idle ca405c146dfaf69d",
    "modulated 586977ee2eae4065",
    "hashed f57ecbaaea69f4d2",
    "hedged e4bf3443b20f4db9",
    "parallel e64a9df40ba84623",
    "elsewhere c1efa9ce6c447629",
    "guarded c8073eb1b1bf1320",
    "shielded 8e1b1bb8c3bf13a0",
    "linked 3e1443d155acdc21",
    "cut 8ece1f3c1f571be3",
    "ruled 1f4723d3672a0250",
    "kept 49673f5887a45540",
    "led 4d0716af472b0fab",
    "routed 60b51578e2a941f7",
    "hosted e7733746aeab002c",
    "proxied cb41eac5716f7ff7",
    "visited 36f31dfdecf2e23d",
];
