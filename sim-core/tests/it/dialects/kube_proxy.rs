//! kube-proxy, against the documentation of Kubernetes: rule i of n endpoints takes a connection with probability
//! 1/(n − i), which draws evenly; only readiness says who is an endpoint, and nobody tries another one.

use super::{Fate, every, fates, requests_at, tried};
use crate::support::summary;

/// A service of pods a, b, c and d with these settings of kube-proxy, and more.
fn service(requests: &str, settings: &str, more: &str) -> String {
    let pods: Vec<String> = ["a", "b", "c", "d"]
        .map(|pod| format!("{{ name = \"{pod}\", workers = 9 }}"))
        .into();
    format!(
        "{requests}[service.web]\ndemand = \"1ms\"\n\
         balancer.dialect = {{ kind = \"kube-proxy\"{settings} }}\nserver = [{}]\n{more}",
        pods.join(", ")
    )
}

fn entry(at_s: u32, what: &str, pod: &str) -> String {
    format!(
        "[[timeline]]\nat = \"{at_s}s\"\ndo = \"{what}\"\ntarget = \"service.web.server.{pod}\"\n"
    )
}

/// How many of them each pod got.
fn shares(fates: &[Fate]) -> [usize; 4] {
    ["a", "b", "c", "d"].map(|pod| {
        let got = |fate: &&Fate| fate.tried.iter().any(|tried| tried == pod);
        fates.iter().filter(got).count()
    })
}

/// Requests that the pod failed to answer: when, in seconds.
fn failures(fates: &[Fate]) -> Vec<f64> {
    let failed = fates.iter().filter(|fate| fate.outcome != "succeeded");
    failed.map(|fate| fate.arrived_s).collect()
}

#[test]
fn rules_of_iptables_draw_evenly_and_ipvs_takes_turns() {
    let of = |mode: &str| {
        let requests = requests_at(every(0.01, 4000));
        fates(&service(&requests, &format!(", mode = \"{mode}\""), ""))
    };
    let drawn = of("iptables");
    // Four standard deviations of a binomial law of 4000 and a quarter.
    for got in shares(&drawn) {
        assert!((890..=1110).contains(&got), "{:?}", shares(&drawn));
    }
    // The same pod twice running as often as not by chance, and never in turns.
    let again = drawn.windows(2).filter(|two| two[0].tried == two[1].tried);
    let again = again.count();
    assert!((890..=1110).contains(&again), "{again}");
    let turns = of("ipvs");
    assert_eq!(shares(&turns), [1000; 4]);
    assert!(turns.windows(2).all(|two| two[0].tried != two[1].tried));
}

/// What is kept open is drawn once: 24 callers are on their pods for good, and not evenly.
#[test]
fn a_connection_stays_where_it_was_drawn() {
    let text = |balances: &str| {
        format!(
            "horizon = \"60s\"\n\
             traffic = [{{ to = \"web\", rate = 240, key = {{ kind = \"uniform\", n = 24 }} }}]\n\
             [service.web]\ndemand = \"1ms\"\n\
             link = {{ connections = {{ kind = \"shared\", idle = \"0s\" }} }}\n\
             balancer = {{ dialect = \"kube-proxy\", balances = \"{balances}\" }}\n\
             server = [{{ name = \"pod\", count = 8, workers = 9 }}]\n"
        )
    };
    let shares = |text: &str| -> Vec<f64> {
        let figures = summary(text);
        let servers = figures.services.0[0].1.servers.0.iter();
        servers
            .map(|(_, server)| server.share.unwrap_or(0.0))
            .collect()
    };
    // Each of 24 connections is a twenty-fourth of the requests, but for chance.
    for share in shares(&text("connections")) {
        let connections = share * 24.0;
        assert!((connections - connections.round()).abs() < 0.25, "{share}");
    }
    let uneven = |text: &str| {
        let shares = shares(text);
        let most = shares.iter().copied().fold(0.0, f64::max);
        let least = shares.iter().copied().fold(1.0, f64::min);
        most - least
    };
    assert!(uneven(&text("connections")) > 0.04);
    assert!(uneven(&text("requests")) < 0.02);
}

/// Nobody tries another endpoint, and a pod that is gone stays one until three probes have failed: from 20 to 30 s,
/// and a second more where nothing answers.
#[test]
fn a_dead_pod_gets_its_share_until_readiness_says_so() {
    for (down, refused, latest) in [("refuse", true, 130.0), ("black-hole", false, 131.0)] {
        let more = format!(
            "client = {{ timeout = \"500ms\" }}\n{}",
            requests_at(every(0.1, 2400))
        );
        let text = service(&more, "", &entry(100, "crash", "a")).replace(
            "name = \"a\",",
            &format!("name = \"a\", down_behaviour = \"{down}\","),
        );
        let fates = fates(&text);
        let failed = failures(&fates);
        let (first, last) = (failed[0], failed[failed.len() - 1]);
        assert!((99.5..103.0).contains(&first), "{down}: {first}");
        assert!((118.0..=latest).contains(&last), "{down}: {last}");
        // A quarter of what came meanwhile, within four standard deviations, each tried once.
        let came = (last - 100.0) * 10.0;
        let deviation = (came * 3.0 / 16.0).sqrt();
        assert!(
            (failed.len() as f64 - came / 4.0).abs() < 4.0 * deviation,
            "{}",
            failed.len()
        );
        assert!(fates.iter().all(|fate| fate.tried.len() == 1));
        let outcome = if refused { "refused" } else { "timed_out" };
        let ends = fates.iter().filter(|fate| fate.outcome == outcome);
        assert_eq!(ends.count(), failed.len());
    }
}

/// One probe that passes makes it an endpoint again: within a period. `successThreshold` 3 takes two more.
#[test]
fn a_pod_is_back_after_a_probe() {
    let back = |settings: &str| {
        let more = entry(10, "crash", "a") + &entry(100, "restart", "a");
        let requests = requests_at(every(0.05, 4000));
        let fates = fates(&service(&requests, settings, &more));
        let got = |fate: &&Fate| fate.arrived_s > 60.0 && fate.tried == ["a"];
        fates.iter().find(got).map(|fate| fate.arrived_s)
    };
    let soon = back("").expect("it comes back");
    assert!((100.0..111.5).contains(&soon), "{soon}");
    let later = back(", success_threshold = 3").expect("it comes back");
    assert!((19.0..22.0).contains(&(later - soon)), "{soon} and {later}");
}

/// A pod whose every answer is an error passes its probes, and stays: there is no outlier detection.
#[test]
fn errors_do_not_end_an_endpoint() {
    let requests = requests_at(every(0.1, 1200));
    let text = service(&requests, "", "")
        .replace("name = \"a\",", "name = \"a\", errors = { rate = 1.0 },");
    let fates = fates(&text);
    let failed = failures(&fates);
    assert!((230..=370).contains(&failed.len()), "{}", failed.len());
    assert!(failed[failed.len() - 1] > 110.0, "to the end");
}

/// Without endpoints connections are rejected at once, and with one pod left it gets everything.
#[test]
fn without_endpoints_everything_is_rejected() {
    let crash = |pods: &[&str]| {
        pods.iter()
            .map(|pod| entry(1, "crash", pod))
            .collect::<String>()
    };
    let requests = requests_at([60.0, 61.0, 62.0]);
    let none = fates(&service(&requests, "", &crash(&["a", "b", "c", "d"])));
    assert_eq!(tried(&none), "- - -");
    assert!(
        none.iter()
            .all(|fate| fate.outcome == "unavailable" && fate.took_s == 0.0)
    );
    let one = fates(&service(&requests, "", &crash(&["a", "b", "d"])));
    assert_eq!(tried(&one), "c c c");
}

/// A pod that is no endpoint any more keeps its connections: what is open goes on.
#[test]
fn a_pod_that_is_not_ready_keeps_its_connections() {
    let text = |keep: &str| {
        format!(
            "horizon = \"200s\"\nclient = {{ timeout = \"5s\" }}\n\
             traffic = [{{ to = \"web\", rate = 40, key = {{ kind = \"uniform\", n = 8 }} }}]\n\
             [service.web]\ndemand = \"20ms\"\nlink = {{ connections = {{ kind = \"shared\", {keep} }} }}\n\
             balancer = {{ dialect = \"kube-proxy\", balances = \"connections\" }}\n\
             server = [{{ name = \"pod\", count = 2, workers = 9 }}]\n\
             [[timeline]]\nat = \"20s\"\ndo = \"slow\"\ntarget = \"service.web.server.pod-1\"\nfactor = 0.0005\n"
        )
    };
    // Slowed down two thousandfold it fails its probes, and is out by 51 s.
    let holds = |keep: &str, share: &str| {
        let that = format!("whole(share(pod-1)) during 70s..190s {share}");
        let text = format!("{}[[expect]]\nthat = \"{that}\"\n", text(keep));
        let checked = summary(&text).expectations.remove(0);
        assert!(checked.passed, "{that}: {}", checked.actual);
    };
    holds("idle = \"0s\"", "> 20%");
    holds("idle = \"0s\", max_age = \"10s\"", "< 2%");
}

#[test]
fn what_a_service_does_not_have_is_refused() {
    let wrong = |settings: &str, of: &str, with: &str| {
        let text = service(&requests_at([1.0]), settings, "").replace(of, with);
        sim_core::scenario::parse(&text)
            .expect_err(&text)
            .to_string()
    };
    let name = "name = \"a\",";
    let backup = wrong("", name, "name = \"a\", backup = true,");
    assert!(backup.contains("a service has no backups"), "{backup}");
    let weight = wrong("", name, "name = \"a\", weight = 2,");
    assert!(weight.contains("endpoints have no weights"), "{weight}");
    let timeout = wrong(", period = \"2s\", timeout = \"3s\"", "", "");
    assert!(
        timeout.contains("must not be longer than `period`"),
        "{timeout}"
    );
}
