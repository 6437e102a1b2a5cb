//! Links that are cut, made worse and mended while time runs, with and without health checks.

use crate::links::{NEAR, entry, stream, web};
use crate::support::{at, fates, outcome, run, start, summary, times, told, traced};
use sim_core::event_log::Kind;

#[test]
fn refused_reset_and_unconnected_are_told_apart() {
    let client = "[client]\ntimeout = \"1s\"\n";
    let rest = web(
        "",
        "link = { delay = \"2ms\", connect_timeout = \"20ms\" }",
        "",
    );
    let deeds = [
        entry("1005ms", "crash", "web.server.s", ""),
        entry("1500ms", "restart", "web.server.s", ""),
        entry("2s", "partition", "web.server.s.link", "for = \"500ms\""),
    ];
    let text = format!("{client}{rest}{}", deeds.concat());
    let moments = ["500ms", "1s", "1100ms", "2100ms", "2600ms"];
    let expected = [
        ("succeeded", 514.0),
        ("reset", 1007.0),
        ("refused", 1104.0),
        ("connect_timed_out", 2120.0),
        ("succeeded", 2614.0),
    ];
    assert_eq!(fates(&traced("3s", &moments, &text)), expected);
}

#[test]
fn what_is_under_way_when_a_link_is_cut_arrives() {
    let text = |lasts: &str| {
        let rest = web("link = { delay = \"100ms\" }", "", "");
        let cut = entry("50ms", "partition", "web.link", lasts);
        let client = "[client]\ntimeout = \"500ms\"\n";
        traced("1s", &["0s"], &format!("{client}{rest}{cut}"))
    };
    // The answer is sent at 110 ms.
    assert_eq!(fates(&text("for = \"40ms\"")), [("succeeded", 210.0)]);
    assert_eq!(fates(&text("for = \"70ms\"")), [("timed_out", 500.0)]);
    let figures = summary(&text(""));
    assert_eq!(outcome(&figures, "timed_out"), 1);
    assert_eq!(figures.services.0[0].1.servers.0[0].1.attempts, 1);
    assert!((figures.services.0[0].1.servers.0[0].1.utilisation - 0.01).abs() < 1e-9);
}

#[test]
fn an_answer_sent_into_a_cut_is_lost_though_the_work_was_done() {
    let text = |lasts: &str| {
        let rest = web("", NEAR, "").replace("\"10ms\"", "\"100ms\"");
        let cut = entry("50ms", "partition", "web.server.s.link", lasts);
        traced(
            "1s",
            &["0s"],
            &format!("[client]\ntimeout = \"500ms\"\n{rest}{cut}"),
        )
    };
    assert_eq!(fates(&text("for = \"20ms\"")), [("succeeded", 106.0)]);
    assert_eq!(fates(&text("")), [("timed_out", 500.0)]);
}

#[test]
fn a_cut_ends_by_itself_or_by_hand_and_an_old_end_ends_nothing_new() {
    let client = "[client]\ntimeout = \"100ms\"\n";
    let deeds = [
        entry("1s", "partition", "web.link", "for = \"2s\""),
        entry("2s", "heal", "web.link", ""),
        // Over when it is mended, in the middle of which the end of the first comes due.
        entry("2500ms", "partition", "web.link", ""),
        entry("4s", "heal", "web.link", ""),
        entry("5s", "heal", "web.link", ""),
    ];
    let text = traced(
        "6s",
        &["1500ms", "2200ms", "3500ms", "4500ms"],
        &format!("{client}{}{}", web("", "", ""), deeds.concat()),
    );
    let ends: Vec<&str> = fates(&text).iter().map(|(name, _)| *name).collect();
    assert_eq!(ends, ["timed_out", "succeeded", "timed_out", "succeeded"]);
    let simulation = run(&text);
    assert_eq!(times(&simulation, Kind::Partition), [1.0, 2.5]);
    // What is not cut cannot be mended: the last entry says nothing.
    assert_eq!(times(&simulation, Kind::Heal), [2.0, 4.0]);
    assert_eq!(told(&simulation, Kind::Heal)[0].1, "service.web.link");
}

#[test]
fn a_worse_link_is_slower_both_ways_and_loses_more() {
    let text = |more: &str| {
        let worse = entry(
            "1s",
            "degrade",
            "web.balancer.link",
            &format!("{more}\nfor = \"1s\""),
        );
        let rest = format!(
            "[client]\ntimeout = \"100ms\"\n{}{worse}",
            web("", NEAR, "")
        );
        fates(&traced("4s", &["500ms", "1500ms", "2500ms"], &rest))
    };
    let slower = [
        ("succeeded", 516.0),
        ("succeeded", 1526.0),
        ("succeeded", 2516.0),
    ];
    assert_eq!(text("delay = \"5ms\""), slower);
    let lost = [
        ("succeeded", 516.0),
        ("timed_out", 1600.0),
        ("succeeded", 2516.0),
    ];
    assert_eq!(text("loss = 1"), lost);
}

/// A cut and a worse link lie side by side; mending undoes both.
#[test]
fn mending_undoes_everything() {
    let deeds = [
        entry("1s", "degrade", "web.link", "delay = \"5ms\""),
        entry("2s", "partition", "web.link", "for = \"1s\""),
        entry("4s", "heal", "web.link", ""),
    ];
    let rest = format!(
        "[client]\ntimeout = \"100ms\"\n{}{}",
        web("", "", ""),
        deeds.concat()
    );
    let text = traced("5s", &["1500ms", "2500ms", "3500ms", "4500ms"], &rest);
    let expected = [
        ("succeeded", 1520.0),
        ("timed_out", 2600.0),
        ("succeeded", 3520.0),
        ("succeeded", 4510.0),
    ];
    assert_eq!(fates(&text), expected);
    let mut simulation = start(&text);
    simulation.run_until(at(2.5));
    let links = simulation.snapshot().links;
    assert_eq!(links.len(), 1);
    assert_eq!(
        (
            links[0].name.as_str(),
            links[0].cut,
            links[0].added_delay_ns
        ),
        ("service.web.link", true, 5_000_000)
    );
    simulation.run_until(at(4.5));
    assert!(simulation.snapshot().links.is_empty());
}

/// Four servers in two zones, one of which is cut for half a minute.
fn zones(check: &str) -> String {
    let rest = format!(
        "[client]\ntimeout = \"200ms\"\n[service.web]\ndemand = \"5ms\"\n[service.web.balancer]\n{check}\n\
         [[service.web.server]]\nname = \"a\"\ncount = 2\nworkers = 1\nzone = \"a\"\n\
         [[service.web.server]]\nname = \"b\"\ncount = 2\nworkers = 1\nzone = \"b\"\n{}",
        entry("10s", "partition", "web.zone.a.link", "for = \"30s\"")
    );
    stream("60s", 100, &rest)
}

#[test]
fn a_zone_that_is_cut_takes_its_share_with_it() {
    let figures = summary(&zones(""));
    let lost = outcome(&figures, "timed_out");
    assert!((1499..=1501).contains(&lost), "{lost}");
    let ended = lost + outcome(&figures, "succeeded");
    assert_eq!(ended + figures.requests.in_flight, figures.requests.arrived);
}

#[test]
fn health_checks_notice_a_cut_and_its_end() {
    for probe in ["request", "connect"] {
        let check = format!(
            "health_check = {{ probe = \"{probe}\", interval = \"1s\", timeout = \"100ms\", fall = 2, rise = 2 }}"
        );
        let text = zones(&check);
        let lost = outcome(&summary(&text), "timed_out");
        // Two probes a second apart, each with its timeout, find each server.
        assert!((50..=110).contains(&lost), "{probe}: {lost}");
        let simulation = run(&text);
        for (kind, from, until) in [(Kind::Ejected, 11.0, 12.2), (Kind::Readmitted, 41.0, 42.2)] {
            let told = told(&simulation, kind);
            let names: Vec<&str> = told.iter().map(|(_, name, _)| name.as_str()).collect();
            assert_eq!(names.len(), 2, "{probe}: {told:?}");
            assert!(names.contains(&"a-1") && names.contains(&"a-2"), "{told:?}");
            let moments = told.iter().map(|(moment, ..)| *moment);
            for moment in moments {
                assert!((from..until).contains(&moment), "{probe}: {told:?}");
            }
        }
    }
}

/// Probes take as long as anything else, and their answers too.
#[test]
fn probes_travel() {
    for (probe, demand) in [("request", 1), ("connect", 0)] {
        for (timeout, ejected) in [(20 + demand + 1, 0), (20 + demand - 1, 1)] {
            let check = format!(
                "link = {{ delay = \"10ms\" }}\n\
                 health_check = {{ probe = \"{probe}\", interval = \"1s\", timeout = \"{timeout}ms\", fall = 1 }}"
            );
            let simulation = run(&traced("5s", &["4500ms"], &web("", &check, "")));
            let times = times(&simulation, Kind::Ejected);
            assert_eq!(
                times.len(),
                ejected,
                "{probe} within {timeout} ms: {times:?}"
            );
        }
    }
}

/// The keeper of a server lives in it.
#[test]
fn a_cut_kills_no_server() {
    let liveness = "liveness = { interval = \"1s\", timeout = \"100ms\", fall = 1 }";
    let cut = entry("1s", "partition", "web.balancer.link", "");
    let text = stream("20s", 1, &format!("{}{cut}", web("", NEAR, liveness)));
    assert!(times(&run(&text), Kind::Crash).is_empty());
}

#[test]
fn cutting_a_call_leaves_other_callers_alone() {
    let text = |link: &str| {
        let db = "[service.db]\ndemand = \"10ms\"\nserver = [{ name = \"d\", workers = 1 }]\n\
                  [[service.web.call]]\nto = \"db\"\nclient = { timeout = \"50ms\" }\n";
        let mut text = traced(
            "2s",
            &["1s"],
            &format!(
                "{}{db}{}",
                web("", "", ""),
                entry("500ms", "partition", link, "")
            ),
        );
        text = text.replace(
            "traffic = [",
            "client = { timeout = \"900ms\" }\ntraffic = [{ to = \"db\", arrivals = { kind = \"trace\", times = [\"1s\"] } }, ",
        );
        fates(&text)
    };
    let mut mine = text("web.call.db.link");
    mine.sort_by(|a, b| a.1.total_cmp(&b.1));
    assert_eq!(mine, [("succeeded", 1010.0), ("errored", 1060.0)]);
    let mut all = text("db.link");
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    assert_eq!(all, [("errored", 1060.0), ("timed_out", 1900.0)]);
}
