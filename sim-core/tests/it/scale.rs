//! What is done to many servers costs in proportion to them, and nothing keeps a run silent for long:
//! counted in what is looked at, not by a clock.

use crate::support::needed;
use crate::support::{at, start};
use sim_core::engine::{End, Simulation};
use sim_core::policy::POLICIES;
use sim_core::time::Instant;

/// Servers behind a policy, and something that happens at half a second; `rest` are further keys of the
/// service, its servers and its callers.
fn fleet(policy: &str, servers: usize, [service, server, client]: [&str; 3], deed: &str) -> String {
    format!(
        "horizon = \"2s\"\nclient = {{ {client} }}\n\
         traffic = [{{ to = \"web\", rate = 400, key = {{ kind = \"uniform\", n = 50 }} }}]\n\
         [service.web]\ndemand = \"20ms\"\n{service}\nbalancer.policy = {{ kind = \"{policy}\"{} }}\n\
         [[service.web.server]]\nname = \"w\"\ncount = {servers}\nworkers = 1\n{server}\n\
         [[timeline]]\nat = \"500ms\"\n{deed}\n",
        needed(policy)
    )
}

/// What is looked at one by one from just before the deed to so many seconds after it.
fn looks(text: &str, seconds: f64) -> u64 {
    let mut simulation = start(text);
    simulation.run_until(Instant(at(0.5).0 - 1));
    let before = simulation.looks();
    simulation.run_until(at(0.5 + seconds));
    simulation.looks() - before
}

const PLAIN: [&str; 3] = ["", "restart = \"manual\"", ""];

const DEEDS: &[&str] = &[
    "set = { \"service.web.server.*.workers\" = 2 }",
    "set = { \"service.web.server.*.weight\" = 2 }",
    "set = { \"service.web.server.*.max_connections\" = 3 }",
    "set = { \"service.web.server.*.priority\" = 1 }",
    "set = { \"service.web.server.*.queue.discipline\" = \"lifo\" }",
    "set = { \"service.web.server.*.liveness\" = { interval = \"3s\" } }",
    "set = { \"service.web.server.*.guards\" = [{ kind = \"concurrency-limit\", limit = 9 }] }",
    "set = { \"service.web.server.*.link.connections\" = { kind = \"shared\" } }",
    "do = \"crash\"\ntarget = \"service.web.server\"",
    "do = \"restart\"\ntarget = \"service.web.server\"",
    "do = \"drain\"\ntarget = \"service.web.server\"",
    "do = \"remove\"\ntarget = \"service.web.server\"",
    "do = \"slow\"\nfactor = 0.5\ntarget = \"service.web.server\"",
    "fault = { kind = \"errors\", rate = 0.5 }\ntarget = \"service.web.server\"",
];

#[test]
fn what_is_done_to_all_servers_looks_at_each_a_few_times() {
    let served = [
        PLAIN,
        // Several instances, each with its rules, which count servers.
        [
            "balancer.instances = 3\nbalancer.health = [{ kind = \"checks\", interval = \"9s\" }, { kind = \"priorities\" }, { kind = \"panic\" }]",
            "",
            "",
        ],
        // Attempts and connections that servers have no list of.
        [
            "balancer.link = { connections = { kind = \"per-request\" } }\nlink = { delay = \"1ms\" }",
            "guards = [{ kind = \"rate-limit\", rate = 5, burst = 1, wait = \"1s\" }]",
            "timeout = \"1s\"",
        ],
    ];
    for (case, rest) in served.into_iter().enumerate() {
        for deed in DEEDS {
            let of = |servers| looks(&fleet("round-robin", servers, rest, deed), 0.0);
            let (few, many) = (of(100), of(800));
            // A few times for each instance; all for each would be 640 000.
            assert!(
                many <= 8 * few + 800 && many < 30_000,
                "{case}, {deed}: {few}, {many}"
            );
        }
    }
}

#[test]
fn policies_do_not_look_at_all_for_each_server_that_changes() {
    for def in POLICIES {
        for deed in DEEDS {
            let looks = looks(&fleet(def.row.name, 500, PLAIN, deed), 0.0);
            assert!(looks < 8_000, "{}, {deed}: {looks}", def.row.name);
        }
    }
}

/// All servers fail their checks within a second, each at a moment of its own, and come back likewise.
#[test]
fn ejections_of_all_servers_one_by_one_look_at_each_a_few_times() {
    let rest = [
        "balancer.health = [{ kind = \"checks\", probe = \"connect\", interval = \"400ms\", fall = 1, rise = 1 }, \
         { kind = \"slow-start\", over = \"90ms\", steps = 3 }, { kind = \"panic\", then = \"none\" }]",
        "restart = { kind = \"after\", pause = \"450ms\" }",
        "",
    ];
    for def in POLICIES {
        let crash = "do = \"crash\"\ntarget = \"service.web.server\"";
        let of = |servers| looks(&fleet(def.row.name, servers, rest, crash), 1.4);
        let (few, many) = (of(250), of(1000));
        // Some 2000 changes: none of them may cost a look at 1000 servers.
        assert!(
            many < 8 * few && many < 400_000,
            "{}: {few}, {many}",
            def.row.name
        );
    }
}

/// The way a run is stopped and goes on changes nothing, and nobody waits long to be asked, however much
/// one event brings about.
#[test]
fn a_run_asks_often_whether_it_is_to_go_on_and_does_the_same_as_ever() {
    let copies = "hedge = { after = \"0s\", copies = 100 }";
    for client in ["", copies] {
        let text = fleet("least-in-flight", 300, ["", "", client], DEEDS[0]);
        let mut whole = start(&text);
        whole.run();
        let mut asked = start(&text);
        let (mut asks, end) = (0_u64, Instant(u64::MAX));
        let (mut before, mut most) = (0, 0);
        loop {
            let paused = asked.run_while(end, || {
                asks += 1;
                false
            });
            let attempts = asked.conservation().attempts;
            most = most.max(attempts - before);
            before = attempts;
            if !paused {
                break;
            }
        }
        assert_eq!(asked.digest(), whole.digest());
        assert_eq!(asked.end(), Some(End::Horizon));
        assert!(
            asks >= whole.events() / 40 && most <= 140,
            "{asks} asks, {most} attempts"
        );
    }
}

/// A request that has a hundred copies costs what a hundred events cost.
#[test]
fn the_limit_on_events_counts_copies() {
    let run = |client| {
        let text = fleet("random", 300, ["", "", client], DEEDS[0]);
        let mut simulation: Simulation = start(&format!("limits = {{ events = 1000 }}\n{text}"));
        simulation.run();
        assert_eq!(simulation.end(), Some(End::EventLimit));
        simulation
    };
    let plain = run("");
    assert_eq!(plain.events(), 1000);
    let hedged = run("hedge = { after = \"0s\", copies = 100 }");
    let attempts = hedged.conservation().attempts;
    assert!(hedged.events() + attempts <= 1000 + 300, "{attempts}");
    assert!(hedged.events() < 600, "{}", hedged.events());
}
