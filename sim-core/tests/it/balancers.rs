//! What balancers do: health checks, backups, limits, their own cost, crashes, spares, views.

use crate::replicate::{check, exact, response};
use crate::support::{
    at, fates, outcome, run, server, service, start, summary, times, told, traced,
};
use sim_core::event_log::Kind;
use sim_core::theory::station::mg1_wait;

fn steady(rate: u32, horizon: &str, balancer: &str, rest: &str) -> String {
    format!(
        "horizon = \"{horizon}\"\ntraffic = [{{ to = \"web\", arrivals = \"deterministic\", rate = {rate} }}]\n\
         [service.web]\ndemand = \"1ms\"\nbalancer = {{ {balancer} }}\n{rest}"
    )
}

const TWO: &str = "[[service.web.server]]\nname = \"s\"\ncount = 2\nworkers = 4\n";

fn entry(at: &str, what: &str, target: &str) -> String {
    format!("[[timeline]]\nat = \"{at}\"\ndo = \"{what}\"\ntarget = \"service.web.{target}\"\n")
}

/// When the first server, probed at 0, 5, 10 … s, is taken out after a crash at a given time.
fn ejected_at(crash_ms: u32, check: &str, down_behaviour: &str) -> f64 {
    let servers = format!("{TWO}down_behaviour = \"{down_behaviour}\"\n");
    let text = steady(
        10,
        "80s",
        &format!("health = [{{ kind = \"checks\", {check} }}]"),
        &format!(
            "{servers}{}",
            entry(&format!("{crash_ms}ms"), "crash", "server.s-1")
        ),
    );
    let told = told(&run(&text), Kind::Ejected);
    assert_eq!((told.len(), told[0].1.as_str()), (1, "s-1"), "{told:?}");
    told[0].0
}

#[test]
fn a_silent_server_is_taken_out_after_fall_probes_and_a_timeout() {
    let check = "interval = \"5s\", timeout = \"2s\", fall = 3";
    assert_eq!(ejected_at(12_300, check, "black-hole"), 27.0);
    // A refusal is known at once.
    assert_eq!(ejected_at(12_300, check, "refuse"), 25.0);
}

/// With probes every P, a timeout τ and a fall of k the delay is uniform on
/// [(k − 1)P + τ, kP + τ].
#[test]
fn detection_takes_what_its_settings_say() {
    for (check, fall, interval, timeout) in [
        (
            "interval = \"10s\", timeout = \"2s\", fall = 3",
            3.0,
            10.0,
            2.0,
        ),
        (
            "interval = \"5s\", timeout = \"1s\", fall = 2",
            2.0,
            5.0,
            1.0,
        ),
    ] {
        let phases = 20;
        let mut sum = 0.0;
        for phase in 0..phases {
            let crash = 10.0 + (f64::from(phase) + 0.5) * interval / f64::from(phases);
            let delay = ejected_at((crash * 1e3) as u32, check, "black-hole") - crash;
            let least = (fall - 1.0) * interval + timeout;
            assert!(delay >= least && delay <= least + interval, "{delay}");
            sum += delay;
        }
        let mean = interval / 2.0 + (fall - 1.0) * interval + timeout;
        assert!((sum / f64::from(phases) - mean).abs() < 1e-6, "{sum}");
    }
}

#[test]
fn a_server_that_is_back_returns_after_rise_probes() {
    let text = steady(
        10,
        "60s",
        "health = [{ kind = \"checks\", interval = \"5s\", timeout = \"1s\", fall = 1, rise = 3 }]",
        &format!(
            "{TWO}restart = {{ kind = \"after\", pause = \"9s\" }}\n{}",
            entry("12s", "crash", "server.s-1")
        ),
    );
    let run = run(&text);
    assert_eq!(times(&run, Kind::Ejected), [15.0]);
    // Up at 21 s; probes at 25, 30 and 35 s pass, each after its demand of a millisecond.
    let back = times(&run, Kind::Readmitted);
    assert!(back.len() == 1 && (back[0] - 35.0).abs() < 0.01, "{back:?}");
}

#[test]
fn backups_work_only_while_nobody_else_does() {
    let servers = "[[service.web.server]]\nname = \"s\"\nworkers = 4\n\
                   [[service.web.server]]\nname = \"spare\"\nworkers = 4\nbackup = true\n";
    let text = steady(
        10,
        "30s",
        "policy = \"random\"",
        &format!(
            "{servers}{}{}",
            entry("10050ms", "drain", "server.s"),
            entry("20050ms", "undrain", "server.s")
        ),
    );
    let summary = summary(&text);
    assert_eq!(server(&summary, "web", "spare").attempts, 100);
    assert_eq!(summary.requests.failed, 0);
}

#[test]
fn nobody_to_send_to_is_unavailable_or_waits_in_the_pool() {
    let text = |balancer: &str| {
        traced(
            "10s",
            &["0s", "100ms", "200ms"],
            &format!(
                "[service.web]\ndemand = \"1s\"\nbalancer = {{ {balancer} }}\n\
                 server = [{{ name = \"s\", workers = 9, max_connections = 1 }}]\n"
            ),
        )
    };
    assert_eq!(
        fates(&text("")),
        [
            ("succeeded", 1000.0),
            ("unavailable", 100.0),
            ("unavailable", 200.0)
        ]
    );
    assert_eq!(
        fates(&text("pending_queue = { limit = 1 }")),
        [
            ("succeeded", 1000.0),
            ("succeeded", 2000.0),
            ("unavailable", 200.0)
        ]
    );
    assert_eq!(
        fates(&text("pending_queue = { limit = 2, timeout = \"950ms\" }")),
        [
            ("succeeded", 1000.0),
            ("succeeded", 2000.0),
            ("unavailable", 1150.0)
        ]
    );
}

#[test]
fn a_balancer_has_connections_and_a_queue_of_its_own() {
    let text = |balancer: &str| {
        traced(
            "1s",
            &["0s", "0s", "0s"],
            &format!(
                "[service.web]\ndemand = \"10ms\"\nbalancer = {{ {balancer} }}\n\
                 server = [{{ name = \"s\", workers = 9 }}]\n"
            ),
        )
    };
    assert_eq!(
        fates(&text("max_connections = 2")),
        [("succeeded", 10.0), ("succeeded", 10.0), ("rejected", 0.0)]
    );
    assert_eq!(
        fates(&text("cost = \"5ms\"")),
        [
            ("succeeded", 15.0),
            ("succeeded", 20.0),
            ("succeeded", 25.0)
        ]
    );
    assert_eq!(
        fates(&text("cost = \"5ms\", queue_limit = 2")),
        [("succeeded", 15.0), ("succeeded", 20.0), ("rejected", 0.0)]
    );
}

#[test]
fn the_cost_of_requests_makes_a_balancer_md1() {
    let text = "horizon = \"100s\"\nwarm_up = \"2s\"\ntraffic = [{ to = \"web\", rate = 800 }]\n\
                [service.web]\ndemand = \"1us\"\nbalancer = { cost = \"1ms\" }\n\
                server = [{ name = \"s\", workers = 100 }]\n";
    let reference = 1.001 + mg1_wait(0.8, 0.0);
    check(text, &[exact("response time", response, reference)]);
}

#[test]
fn a_crashed_balancer_resets_its_callers_and_a_spare_takes_over() {
    let text = |standby: &str| {
        traced(
            "10s",
            &["1s", "2s", "3400ms", "3600ms"],
            &format!(
                "[service.web]\ndemand = \"1s\"\nbalancer = {{ restart = \"never\"{standby} }}\n\
                 server = [{{ name = \"s\", workers = 9 }}]\n{}",
                entry("1500ms", "crash", "balancer")
            ),
        )
    };
    assert_eq!(
        fates(&text(", standby = { count = 1, takeover = \"2s\" }")),
        [
            ("reset", 1500.0),
            ("refused", 2000.0),
            ("refused", 3400.0),
            ("succeeded", 4600.0)
        ]
    );
    assert_eq!(fates(&text(""))[3], ("refused", 3600.0));
    // The server finishes what nobody waits for.
    let summary = summary(&text(""));
    assert_eq!(summary.wasted_work, Some(1.0));
    assert_eq!(outcome(&summary, "reset"), 1);
    let balancers = &service(&summary, "web").balancers.0;
    assert_eq!(
        (balancers[0].1.crashes, balancers[0].1.downtime_s),
        (1, 8.5)
    );
}

/// A spare that comes back while another instance is down takes its place as well.
#[test]
fn a_spare_that_returns_takes_over_from_whoever_is_down() {
    let rest = format!(
        "[service.web]\ndemand = \"10ms\"\n\
         balancer = {{ restart = {{ kind = \"after\", pause = \"3s\" }}, standby = {{ count = 1, takeover = \"1s\" }} }}\n\
         server = [{{ name = \"s\", workers = 1 }}]\n{}{}",
        entry("1s", "crash", "balancer"),
        entry("3s", "crash", "balancer"),
    );
    // The first crashes at 1 s and is a spare from 4 s on; the second, in its place since 2 s,
    // crashes at 3 s with no spare left, and would itself be back at 6 s.
    let simulation = run(&traced("10s", &["4900ms", "5100ms"], &rest));
    assert_eq!(times(&simulation, Kind::Takeover), [2.0, 5.0]);
    assert_eq!(
        fates(&traced("10s", &["4900ms", "5100ms"], &rest)),
        [("refused", 4900.0), ("succeeded", 5110.0)]
    );
}

/// The news of a crash travels; what the balancer was about to do with the attempt must not happen.
#[test]
fn a_crash_in_the_middle_of_the_balancers_own_work_resets() {
    let rest = format!(
        "[service.web]\ndemand = \"10ms\"\nlink = {{ delay = \"100ms\" }}\nbalancer = {{ cost = \"500ms\" }}\n\
         server = [{{ name = \"s\", workers = 1 }}]\n{}",
        entry("550ms", "crash", "balancer")
    );
    assert_eq!(fates(&traced("2s", &["0s"], &rest)), [("reset", 650.0)]);
}

/// A balancer that was overloaded must be able to crash again after its restart.
#[test]
fn a_balancer_crashes_as_often_as_its_rule_holds() {
    let text = "horizon = \"60s\"\ntraffic = [{ to = \"web\", arrivals = \"deterministic\", rate = 10 }]\n\
                [service.web]\ndemand = \"1h\"\n\
                balancer = { crash = [{ when = \"in_flight\", above = 20 }], restart = { kind = \"after\", pause = \"3s\" } }\n\
                server = [{ name = \"s\", workers = 1 }]\n";
    // 21 requests take 2.1 s, the restart 3 s.
    let crashes = times(&run(text), Kind::Crash);
    assert!(crashes.len() >= 11, "{crashes:?}");
    assert!(
        (crashes[0] - 2.1).abs() < 1e-6 && (crashes[1] - 7.2).abs() < 0.11,
        "{crashes:?}"
    );
}

#[test]
fn each_instance_sees_its_own_requests_only() {
    let text = |instances: u32| {
        traced(
            "1s",
            &["0s", "0s"],
            &format!(
                "[service.web]\ndemand = \"10ms\"\n\
                 balancer = {{ instances = {instances}, policy = {{ kind = \"least-in-flight\", ties = \"first\" }} }}\n\
                 [[service.web.server]]\nname = \"s\"\ncount = 2\nworkers = 1\n"
            ),
        )
    };
    assert_eq!(fates(&text(1)), [("succeeded", 10.0), ("succeeded", 10.0)]);
    assert_eq!(fates(&text(2)), [("succeeded", 10.0), ("succeeded", 20.0)]);
}

/// Sidecars with a round robin each: half-idle servers answer at once, unless all take turns in step.
fn sidecars(balancer: &str) -> f64 {
    let text = format!(
        "horizon = \"30s\"\nwarm_up = \"10s\"\ntraffic = [{{ to = \"api\", rate = 500 }}]\n\
         [service.api]\ndemand = \"50ms\"\nbalancer = {{ instances = 500, {balancer} }}\n\
         server = [{{ name = \"p\", count = 5, workers = 10 }}]\n"
    );
    service(&summary(&text), "api")
        .response_time_s
        .p99
        .expect("some were answered")
}

#[test]
fn round_robins_of_a_fleet_start_apart() {
    for kind in ["round-robin", "weighted-round-robin"] {
        let policy = |start: &str| sidecars(&format!("policy = {{ kind = \"{kind}\"{start} }}"));
        assert!(policy("") < 0.1, "{kind}: {}", policy(""));
        assert!(policy(", start = \"first\"") > 0.5, "{kind}");
    }
}

#[test]
fn a_fleet_that_turns_to_its_backups_starts_apart_there_too() {
    // The first request of each instance, one after the other, to ten backups that none has used before.
    for (policy, health) in [
        ("round-robin", ""),
        ("weighted-round-robin", ""),
        (
            "round-robin",
            "health = [{ kind = \"priorities\", overprovision = 1.2 }]",
        ),
    ] {
        let text = format!(
            "horizon = \"1s\"\n\
             traffic = [{{ to = \"web\", rate = 100, arrivals = \"deterministic\" }}]\n\
             [service.web]\ndemand = \"1ms\"\n[service.web.balancer]\n\
             instances = 100\npolicy = \"{policy}\"\n{health}\n\
             [[service.web.server]]\nname = \"a\"\nworkers = 1\n[[service.web.server]]\nname = \"b\"\nworkers = 9\ncount = 10\npriority = 1\n\
             [[timeline]]\nat = \"0s\"\ndo = \"drain\"\ntarget = \"service.web.server.a\"\n"
        );
        let servers = run(&text).snapshot().servers;
        let sent: u64 = servers.iter().map(|s| s.attempts).sum();
        let most = servers.iter().map(|s| s.attempts).max();
        assert!(
            sent >= 99 && most < Some(sent / 4),
            "{policy} {health}: {servers:?}"
        );
    }
}

fn attempts_between(text: &str, from: f64, until: f64) -> Vec<u64> {
    let mut simulation = start(text);
    simulation.run_until(at(from));
    let before: Vec<u64> = simulation
        .snapshot()
        .servers
        .iter()
        .map(|s| s.attempts)
        .collect();
    simulation.run_until(at(until));
    let after = simulation.snapshot().servers;
    after
        .iter()
        .zip(before)
        .map(|(s, b)| s.attempts - b)
        .collect()
}

#[test]
fn a_corrected_weight_moves_traffic() {
    let text = steady(
        100,
        "20s",
        "policy = \"weighted-round-robin\"",
        &format!(
            "{TWO}[[timeline]]\nat = \"10s\"\nset = {{ \"service.web.server.s-1.weight\" = 4 }}\n"
        ),
    );
    assert_eq!(attempts_between(&text, 1.0, 9.0), [400, 400]);
    assert_eq!(attempts_between(&text, 11.0, 19.0), [640, 160]);
}

#[test]
fn people_drain_add_remove_and_bring_back() {
    let text = steady(
        100,
        "60s",
        "",
        &format!(
            "{TWO}[[service.web.server]]\nname = \"late\"\nworkers = 1\npresent = false\n{}{}{}{}{}",
            entry("10s", "drain", "server.s-1"),
            entry("20s", "undrain", "server.s-1"),
            entry("30s", "add", "server.late"),
            entry("40s", "remove", "server.s-2"),
            entry("50s", "add", "server.s-2"),
        ),
    );
    let share = |from| attempts_between(&text, from, from + 6.0);
    assert_eq!(share(2.0), [300, 300, 0]);
    assert_eq!(share(12.0), [0, 600, 0]);
    assert_eq!(share(22.0), [300, 300, 0]);
    assert_eq!(share(32.0), [200, 200, 200]);
    assert_eq!(share(42.0), [300, 0, 300]);
    assert_eq!(share(52.0), [200, 200, 200]);
}

/// A server with this besides that is added at 30 s, beside two of 100 ms a request.
fn with_late(balancer: &str, late: &str, rest: &str) -> String {
    let late = format!(
        "{TWO}[[service.web.server]]\nname = \"late\"\nworkers = 9\npresent = false\n{late}\n{}{rest}",
        entry("30s", "add", "server.late")
    );
    steady(100, "100s", balancer, &late)
}

#[test]
fn an_added_server_boots_and_then_joins() {
    let boots = "boot = \"20s\"\nwarm_up = { from = 0.5, over = \"10s\" }";
    let text = with_late("", boots, "");
    let share = |from| attempts_between(&text, from, from + 6.0);
    assert_eq!(share(32.0), [300, 300, 0]);
    assert_eq!(share(43.5), [300, 300, 0], "not before it is up");
    assert_eq!(share(52.0), [200, 200, 200]);
    let simulation = run(&text);
    assert_eq!(times(&simulation, Kind::Added), [30.0]);
    assert_eq!(times(&simulation, Kind::Up), [50.0]);
    assert_eq!(times(&simulation, Kind::Warm), [60.0]);
    assert_eq!(times(&simulation, Kind::Restart), [0.0; 0]);
    // Nobody was sent to it in vain.
    assert_eq!(server(&summary(&text), "web", "late").failed, 0);
}

#[test]
fn who_is_taken_away_while_it_boots_boots_anew_when_it_is_added_again() {
    let rest = entry("40s", "remove", "server.late") + &entry("45s", "add", "server.late");
    let text = with_late("", "boot = \"20s\"", &rest);
    assert_eq!(times(&run(&text), Kind::Up), [65.0]);
    assert_eq!(attempts_between(&text, 58.0, 64.0), [300, 300, 0]);
    // By hand out of rotation it stays so when it is up.
    let drained = with_late("", "boot = \"20s\"", &entry("40s", "drain", "server.late"));
    assert_eq!(attempts_between(&drained, 52.0, 58.0), [300, 300, 0]);
}

#[test]
fn a_slow_start_begins_when_an_added_server_is_up() {
    let rule =
        "health = [{ kind = \"slow-start\", over = \"20s\" }], policy = \"weighted-round-robin\"";
    let text = with_late(rule, "boot = \"20s\"", "");
    let late = |from: f64| attempts_between(&text, from, from + 5.0)[2];
    assert_eq!(late(44.0), 0);
    assert!((1..60).contains(&late(50.5)), "{}", late(50.5));
    assert!(late(75.0) > 160, "{}", late(75.0));
}

#[test]
fn health_checks_find_a_booting_server_as_any_other() {
    let checks = "health = [{ kind = \"checks\", interval = \"1s\", timeout = \"500ms\", fall = 2, rise = 3 }]";
    let text = with_late(checks, "boot = \"20s\"", "");
    let simulation = run(&text);
    let out = times(&simulation, Kind::Ejected);
    let back = times(&simulation, Kind::Readmitted);
    assert!(out.len() == 1 && (31.0..33.0).contains(&out[0]), "{out:?}");
    assert!(
        back.len() == 1 && (52.0..54.0).contains(&back[0]),
        "{back:?}"
    );
    assert_eq!(attempts_between(&text, 44.0, 51.9)[2], 0);
}

/// Whoever returns is idle and says so, or no request would ever find it.
#[test]
fn a_server_that_returns_joins_the_idle_queue() {
    for (leave, back) in [
        ("drain", "undrain"),
        ("crash", "restart"),
        ("remove", "add"),
    ] {
        let text = steady(
            20,
            "60s",
            "policy = \"join-idle-queue\"",
            &format!(
                "[[service.web.server]]\nname = \"s\"\ncount = 4\nworkers = 1\nrestart = \"manual\"\n{}{}",
                entry("10s", leave, "server.s-1"),
                entry("20s", back, "server.s-1"),
            ),
        );
        assert_eq!(attempts_between(&text, 12.0, 20.0)[0], 0, "{leave}");
        // Each of the four is idle again long before its next turn.
        assert_eq!(attempts_between(&text, 22.0, 30.0), [40; 4], "{back}");
    }
}

/// One that crashes at work is empty, but not idle: it reports when it is back.
#[test]
fn a_server_that_crashes_at_work_does_not_join_the_idle_queue() {
    let figures = summary(&traced(
        "5s",
        &["0s", "100ms", "1s"],
        "[service.web]\ndemand = \"500ms\"\nbalancer = { policy = \"join-idle-queue\" }\n\
         server = [{ name = \"s\", count = 2, workers = 1, restart = \"manual\" }]\n\
         [[timeline]]\nat = \"50ms\"\ndo = \"crash\"\ntarget = \"service.web.server.s-1\"\n\
         [[timeline]]\nat = \"900ms\"\ndo = \"restart\"\ntarget = \"service.web.server.s-1\"\n",
    ));
    // The other is done at 600 ms and has waited longer for the third request.
    let attempts = |name| server(&figures, "web", name).attempts;
    assert_eq!((attempts("s-1"), attempts("s-2")), (1, 2));
}

#[test]
fn a_removed_server_finishes_its_work_and_is_gone() {
    let rest = format!(
        "[service.web]\ndemand = \"1s\"\n[[service.web.server]]\nname = \"s\"\ncount = 2\nworkers = 1\n{}",
        entry("500ms", "remove", "server.s-1")
    );
    let text = traced("10s", &["0s", "0s", "0s", "600ms"], &rest);
    let ends: Vec<f64> = fates(&text).into_iter().map(|(_, at)| at).collect();
    assert_eq!(ends, [1000.0, 1000.0, 2000.0, 2000.0]);
    let mut simulation = start(&text);
    simulation.run_until(at(1.5));
    assert_eq!(simulation.snapshot().servers[0].state.name(), "up");
    simulation.run_until(at(2.5));
    assert_eq!(simulation.snapshot().servers[0].state.name(), "absent");
}

#[test]
fn a_slow_spell_ends() {
    let rest = "[service.web]\ndemand = \"100ms\"\nserver = [{ name = \"s\", workers = 1 }]\n\
                [[timeline]]\nat = \"1s\"\ndo = \"slow\"\ntarget = \"service.web.server.s\"\nfactor = 0.25\nfor = \"300ms\"\n";
    // The second runs at a quarter of the speed for 300 ms, which does 75 ms of its work.
    let ends = fates(&traced("10s", &["0s", "1s", "3s"], rest));
    assert_eq!(
        ends,
        [
            ("succeeded", 100.0),
            ("succeeded", 1325.0),
            ("succeeded", 3100.0)
        ]
    );
}

/// A gauge that is polled must work for a rule that comes later, too.
#[test]
fn a_rule_set_while_time_runs_bites() {
    let rest = "[service.web]\ndemand = \"1h\"\nserver = [{ name = \"s\", workers = 1 }]\n\
                [[timeline]]\nat = \"5s\"\nset = { \"service.web.server.s.crash\" = [{ when = \"queue_age\", above = \"1s\" }] }\n";
    let told = told(&run(&traced("20s", &["0s", "1s"], rest)), Kind::Crash);
    assert_eq!(told.len(), 1);
    assert!((told[0].0 - 5.1).abs() < 1e-6, "{told:?}");
}

#[test]
fn a_network_set_while_time_runs_bites() {
    let rest = "[service.web]\ndemand = \"10ms\"\nserver = [{ name = \"s\", workers = 1 }]\n\
                [[timeline]]\nat = \"5s\"\nset = { \"service.web.link.delay\" = \"20ms\" }\n";
    let open = traced("11s", &[], rest).replace(
        "arrivals = { kind = \"trace\", times = [] }",
        "arrivals = \"deterministic\", rate = 1",
    );
    let took: Vec<u64> = crate::support::log(&open)
        .iter()
        .map(|row| (row.ended_ns - row.arrived_ns) / 1_000_000)
        .collect();
    assert_eq!(took[..3], [10, 10, 10]);
    assert_eq!(took[5..8], [50, 50, 50]);
}

#[test]
fn an_instance_whose_place_a_spare_has_taken_can_be_repaired_by_hand() {
    let text = format!(
        "{}{}{}{}",
        steady(
            10,
            "10m",
            "standby = { count = 1, takeover = \"10s\" }, restart = \"manual\"",
            TWO
        ),
        entry("1m", "crash", "balancer"),
        entry("3m", "restart\"\nwhen = \"down", "balancer"),
        entry("5m", "crash", "balancer"),
    );
    let simulation = run(&text);
    let takeovers = told(&simulation, Kind::Takeover);
    let who: Vec<_> = takeovers.iter().map(|(at, who, _)| (*at, &**who)).collect();
    assert_eq!(who, [(70.0, "web-lb-2"), (310.0, "web-lb-1")]);
    assert_eq!(times(&simulation, Kind::Up), [180.0]);
}

/// Which servers may be picked is kept up one by one where only limits decide, and worked out anew
/// where there are rules: the same comes out.
#[test]
fn limits_that_come_and_go_are_those_that_are_looked_up() {
    for policy in [
        "random",
        "round-robin",
        "least-in-flight",
        "weighted-random",
        "weighted-round-robin",
        "source-hash",
        "ring-hash",
        "join-shortest-queue",
    ] {
        let text = |health: &str| {
            format!(
                "horizon = \"60s\"\ntraffic = [{{ to = \"web\", rate = 900, key = {{ kind = \"zipf\", n = 50 }} }}]\n\
                 [service.web]\ndemand = {{ kind = \"exponential\", mean = \"20ms\" }}\n\
                 balancer = {{ policy = \"{policy}\", instances = 2, pending_queue = {{ limit = 5 }}, health = {health} }}\n\
                 [[service.web.server]]\nname = \"s\"\ncount = 7\nworkers = 1\nmax_connections = 1\n\
                 [[service.web.server]]\nname = \"t\"\nworkers = 2\nweight = 3\nmax_connections = 2\n\
                 {}{}",
                entry("20s", "drain", "server.s-2"),
                entry("30s", "undrain", "server.s-2"),
            )
        };
        let (plain, ruled) = (
            summary(&text("[]")),
            summary(&text("[{ kind = \"priorities\" }]")),
        );
        assert!(outcome(&plain, "unavailable") > 100, "{policy}");
        assert_eq!(plain.requests, ruled.requests, "{policy}");
        assert_eq!(plain.response_time_s, ruled.response_time_s, "{policy}");
    }
}

#[test]
fn a_run_without_further_events_is_over() {
    let web = format!("[service.web]\ndemand = \"1ms\"\n{TWO}");
    let mut simulation = start(&traced("10s", &["1s"], &web));
    while simulation.step().is_some() {}
    assert_eq!(simulation.end(), Some(sim_core::engine::End::Horizon));
    assert_eq!(simulation.now(), at(10.0));
}

#[test]
fn what_each_instance_sends_to_each_server_adds_up_to_what_the_servers_get() {
    let text = steady(
        200,
        "30s",
        "instances = 3, policy = \"random\"",
        "[[service.web.server]]\nname = \"s\"\ncount = 4\nworkers = 4\n",
    );
    let simulation = run(&text);
    let history = simulation.recorder().history();
    let instances = simulation.snapshot().instances;
    let ways = |instance| history.ways_of(instance).collect::<Vec<usize>>();
    for interval in 0..history.len() {
        for server in 0..4 {
            let sent = (0..3)
                .map(|i| history.way(interval, ways(i)[server]))
                .sum::<u32>();
            let got = history.server(interval, server).expect("recorded").attempts;
            assert_eq!(sent, got, "interval {interval}, server {server}");
        }
    }
    for (i, instance) in instances.iter().enumerate() {
        let all = |way: usize| (0..history.len()).map(move |n| u64::from(history.way(n, way)));
        let sent: u64 = ways(i).into_iter().flat_map(all).sum();
        assert!(
            instance.attempts.abs_diff(sent) <= 1 && sent > 1000,
            "{sent}"
        );
    }
    // One alone sends what its servers get.
    let alone = run(&text.replace("instances = 3, ", ""));
    assert!(alone.recorder().history().ways_of(0).is_empty());
}

#[test]
fn a_snapshot_tells_how_crash_rules_stand() {
    let text = steady(
        2000,
        "10s",
        "crash = [{ when = \"in_flight\", above = 3, for = \"1h\" }]",
        "[[service.web.server]]\nname = \"s\"\nworkers = 1\ncrash = [{ when = \"queue_len\", above = 5, for = \"20s\" }]\n",
    );
    let mut simulation = start(&text);
    simulation.run_until(sim_core::time::Instant(5_000_000_000));
    let snapshot = simulation.snapshot();
    let (server, instance) = (&snapshot.servers[0], &snapshot.instances[0]);
    assert_eq!(server.rules[0].value, Some(f64::from(server.queue_len)));
    assert_eq!(
        instance.rules[0].value,
        Some(f64::from(instance.connections))
    );
    for rule in [server.rules[0], instance.rules[0]] {
        let since = rule.since_ns.expect("it holds");
        assert!(since < 100_000_000, "{since}");
    }
}
