//! What is dangerous, by rule: a system in which it is, one in which it is not, and what each costs.

use sim_core::doctor::{Effect, Finding, Outcome, RULES, doubts, examine};
use sim_core::experiment::Control;
use sim_core::scenario::{NoFiles, Scenario, Source};
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;

/// A system of a service `web` with three servers; the second part is what its balancer says.
fn web(balancer: &str, servers: &str) -> String {
    format!(
        "horizon = \"80s\"\nwarm_up = \"10s\"\n[[traffic]]\nname = \"t\"\nto = \"web\"\nrate = 60\nclient = {{ timeout = \"1s\", cancel = true }}\n\
         [service.web]\ndemand = {{ kind = \"exponential\", mean = \"50ms\" }}\n[service.web.balancer]\n{balancer}\n{servers}"
    )
}

/// Three servers alike, with further keys.
fn servers(keys: &str) -> String {
    format!(
        "[[service.web.server]]\nname = \"a\"\ncount = 3\nworkers = 2\nqueue = {{ limit = 20 }}\n{keys}\n"
    )
}

/// A case: the rule, a system in which it speaks, one in which it does not, the shares of requests that fail as it is and
/// mended, in per cent.
struct Case {
    rule: &'static str,
    ill: String,
    well: String,
    failed: (f64, f64),
}

const CHECKS: &str = "health = [{ kind = \"checks\", interval = \"2s\" }]";

const SCALED: &str =
    "[service.web.autoscaler]\nkind = \"target-tracking\"\ntarget = 0.6\nmin = 2\n";

const LIVENESS: &str =
    "liveness = { timeout = \"300ms\", interval = \"1s\", fall = 2 }\nboot = \"10s\"";

const MEMORY: &str = "memory = { base = \"100MiB\", per_in_service = \"1MiB\", per_queued = \"3MiB\", limit = \"200MiB\" }\nboot = \"10s\"";

/// A service that calls another, each trying so often.
fn layered(attempts: u32) -> String {
    let inner = "[service.db]\ndemand = { kind = \"exponential\", mean = \"40ms\" }\n[[service.db.server]]\nname = \"d\"\ncount = 3\nworkers = 1\nqueue = { limit = 20 }\n";
    let call = format!(
        "[[service.web.call]]\nto = \"db\"\nclient = {{ timeout = \"800ms\", retry = {{ kind = \"exponential-backoff\", attempts = {attempts} }} }}\n"
    );
    let servers = servers("").replace("workers = 2", "workers = 50");
    format!("{}{call}{inner}", web(CHECKS, &servers))
}

const PANIC: &str = "policy = \"round-robin\"\nhealth = [{ kind = \"checks\", interval = \"2s\" }, { kind = \"panic\", below = 0.5 }]";

const SLOW_START: &str = "policy = \"random\"\nhealth = [{ kind = \"checks\", interval = \"1s\" }, { kind = \"slow-start\", over = \"40s\" }]";

const COLD: &str = "boot = \"10s\"\nwarm_up = { from = 0.02, over = \"40s\" }";

/// Three servers in two zones that get half each; or two in each.
fn zoned(uneven: bool) -> String {
    let server = |name: &str, zone: &str, count: u32| {
        format!(
            "[[service.web.server]]\nname = \"{name}\"\ncount = {count}\nworkers = 2\nqueue = {{ limit = 20 }}\nzone = \"{zone}\"\n"
        )
    };
    let servers = server("a", "east", if uneven { 1 } else { 2 }) + &server("b", "west", 2);
    web(
        "by_zone = {}\n[service.web.zone.east]\n[service.web.zone.west]",
        &servers,
    )
}

/// Servers that keep the answers of a database that can do half of what they are asked for.
fn cached(hash_type: &str) -> String {
    let dialect = format!(
        "dialect = {{ kind = \"haproxy\", balance = \"uri\", hash_type = \"{hash_type}\", redispatch = \"1\", check = true, httpchk = true }}"
    );
    let servers = servers("").replace("workers = 2", "workers = 20");
    let call = "[[service.web.call]]\nto = \"db\"\ncache = { capacity = 10000 }\n";
    let db = "[service.db]\ndemand = \"40ms\"\n[[service.db.server]]\nname = \"d\"\nworkers = 1\nqueue = { limit = 20 }\n";
    let text = web(&dialect, &servers).replace(
        "rate = 60",
        "rate = 60\nkey = { kind = \"uniform\", n = 400 }",
    );
    format!("{text}{call}{db}")
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn cases() -> Vec<Case> {
    let plain = || servers("");
    let with_client = |text: String, client: &str| {
        text.replace("client = { timeout = \"1s\", cancel = true }", client)
    };
    let skewed = "[[service.web.server]]\nname = \"a\"\nworkers = 2\nweight = 40\nqueue = { limit = 20 }\n[[service.web.server]]\nname = \"b\"\ncount = 2\nworkers = 2\nqueue = { limit = 20 }\n";
    let weights = format!("policy = \"weighted-round-robin\"\n{CHECKS}");
    vec![
        Case {
            rule: "weight-skew",
            ill: web(&weights, skewed),
            well: web(&weights, &skewed.replace("weight = 40", "weight = 2")),
            failed: (51.3, 0.3),
        },
        Case {
            rule: "one-server",
            ill: web(
                CHECKS,
                "[[service.web.server]]\nname = \"a\"\nworkers = 6\nqueue = { limit = 20 }\n",
            ),
            well: web(CHECKS, &plain()),
            failed: (49.9, 3.5),
        },
        Case {
            rule: "no-checks",
            ill: web("", &plain()),
            well: web(CHECKS, &plain()),
            failed: (16.6, 4.7),
        },
        Case {
            rule: "check-only-connects",
            ill: with_client(
                web(
                    "health = [{ kind = \"checks\", probe = \"connect\", interval = \"2s\" }]",
                    &plain(),
                ),
                "client = { timeout = \"1s\" }",
            ),
            well: web(CHECKS, &plain()),
            failed: (16.6, 2.3),
        },
        Case {
            rule: "slow-checks",
            ill: web(
                "health = [{ kind = \"checks\", interval = \"15s\", fall = 2 }]",
                &plain(),
            ),
            well: web(CHECKS, &plain()),
            failed: (7.1, 1.4),
        },
        Case {
            rule: "never-banned",
            ill: web(
                "dialect = { kind = \"nginx\", max_fails = 0, proxy_next_upstream = [\"off\"] }",
                &plain(),
            ),
            well: web("dialect = \"nginx\"", &plain()),
            failed: (16.6, 0.1),
        },
        Case {
            rule: "never-ejected",
            ill: web(
                "dialect = { kind = \"envoy\", outlier_detection = true }",
                &plain(),
            ),
            well: web(
                "dialect = { kind = \"envoy\", outlier_detection = true, max_ejection_percent = 50 }",
                &plain(),
            ),
            failed: (16.6, 0.1),
        },
        Case {
            rule: "same-server",
            ill: web(
                "dialect = { kind = \"haproxy\", balance = \"roundrobin\" }",
                &plain(),
            ),
            well: web(
                "dialect = { kind = \"haproxy\", balance = \"roundrobin\", redispatch = \"1\" }",
                &plain(),
            ),
            failed: (16.3, 0.0),
        },
        Case {
            rule: "no-try-timeout",
            ill: with_client(
                web(
                    "dialect = { kind = \"envoy\", retry_on = [\"5xx\"], timeout = \"900ms\", max_retries = 100 }",
                    &servers("").replace("limit = 20", "limit = 4000"),
                ),
                "client = {}",
            ),
            well: web(
                "dialect = { kind = \"envoy\", retry_on = [\"5xx\"], per_try_timeout = \"400ms\" }",
                &plain(),
            ),
            failed: (16.3, 5.4),
        },
        Case {
            rule: "works-for-nobody",
            ill: with_client(
                web(CHECKS, &servers("").replace("limit = 20", "limit = 400")),
                "client = { timeout = \"1s\" }",
            ),
            well: web(CHECKS, &plain()),
            failed: (89.0, 8.3),
        },
        Case {
            rule: "no-budget",
            ill: with_client(
                web(CHECKS, &plain()),
                "client = { timeout = \"300ms\", retry = { kind = \"exponential-backoff\", attempts = 4, base = \"10ms\" } }",
            ),
            well: with_client(
                web(CHECKS, &plain()),
                "client = { timeout = \"300ms\", retry = { kind = \"exponential-backoff\", attempts = 4 }, guards = [\"retry-budget\"] }",
            ),
            failed: (95.6, 88.5),
        },
        Case {
            rule: "state-of-each-worker",
            ill: web(
                "dialect = { kind = \"nginx\", worker_processes = 8, proxy_next_upstream = [\"off\"], fail_timeout = \"5s\" }",
                &plain(),
            ),
            well: web(
                "dialect = { kind = \"nginx\", worker_processes = 8, zone = true }",
                &plain(),
            ),
            failed: (1.1, 0.1),
        },
        Case {
            rule: "none-to-spare",
            ill: web(CHECKS, &plain()).replace("rate = 60", "rate = 100"),
            well: web(CHECKS, &plain()).replace("rate = 60", "rate = 40"),
            failed: (9.8, 2.0),
        },
        Case {
            rule: "autoscaler-too-low",
            ill: format!("{}{SCALED}max = 2\n", web(CHECKS, &servers("present = false")).replace("rate = 60", "rate = 100")
                .replace("80s", "20m")
                .replace("warm_up = \"10s\"", "warm_up = \"10m\"")),
            well: format!("{}{SCALED}max = 3\n", web(CHECKS, &servers("present = false")).replace("rate = 60", "rate = 100")
                .replace("80s", "20m")
                .replace("warm_up = \"10s\"", "warm_up = \"10m\"")),
            failed: (21.6, 0.1),
        },
        Case {
            rule: "liveness-under-load",
            ill: web(CHECKS, &servers(LIVENESS).replace("limit = 20", "limit = 200")),
            well: web(
                CHECKS,
                &servers(&LIVENESS.replace("timeout", "probe = \"connect\", timeout")),
            ),
            failed: (100.0, 8.3),
        },
        Case {
            rule: "tries-multiply",
            ill: with_client(layered(6), "client = { timeout = \"2s\", retry = { kind = \"exponential-backoff\", attempts = 2 } }"),
            well: with_client(layered(1), "client = { timeout = \"2s\", retry = { kind = \"exponential-backoff\", attempts = 2 } }"),
            failed: (80.6, 56.3),
        },
        Case {
            rule: "no-pause",
            ill: with_client(
                web(CHECKS, &plain()),
                "client = { timeout = \"300ms\", cancel = true, retry = { kind = \"fixed\", attempts = 4, pause = \"0s\" } }",
            ),
            well: with_client(
                web(CHECKS, &plain()),
                "client = { timeout = \"300ms\", cancel = true, retry = { kind = \"exponential-backoff\", attempts = 4 } }",
            ),
            failed: (61.2, 48.2),
        },
        Case {
            rule: "long-timeout",
            ill: with_client(web(&format!("{CHECKS}\nclient = {{ timeout = \"60s\", retry = {{ kind = \"exponential-backoff\", attempts = 2, base = \"1ms\" }} }}"), &plain()), "client = { timeout = \"4s\" }"),
            well: web(&format!("{CHECKS}\nclient = {{ timeout = \"2s\" }}"), &plain()),
            failed: (0.5, 0.2),
        },
        Case {
            rule: "no-connection-limit",
            ill: with_client(
                web(
                    "dialect = { kind = \"haproxy\", balance = \"roundrobin\", redispatch = \"1\", timeout_queue = \"500ms\" }",
                    &servers("").replace("limit = 20", "limit = 400"),
                ),
                "client = { timeout = \"1s\" }",
            ),
            well: web(
                "dialect = { kind = \"haproxy\", balance = \"roundrobin\", redispatch = \"1\" }",
                &servers("max_connections = 4"),
            ),
            failed: (100.0, 21.9),
        },
        Case {
            rule: "breaker-too-high",
            ill: with_client(
                web("dialect = \"envoy\"", &servers("").replace("limit = 20", "limit = 2000")),
                "client = { timeout = \"1s\" }",
            ),
            well: web("dialect = { kind = \"envoy\", max_requests = 20 }", &plain()),
            failed: (100.0, 26.5),
        },
        Case {
            rule: "balancer-full",
            ill: web(
                "policy = \"round-robin\"\nmax_connections = 8",
                &servers("").replace("limit = 20", "limit = 6"),
            ),
            well: web("policy = \"round-robin\"\nmax_connections = 1000", &plain()),
            failed: (34.6, 13.2),
        },
        Case {
            rule: "memory-before-limit",
            ill: web(CHECKS, &servers(MEMORY).replace("limit = 20", "limit = 500")),
            well: web(CHECKS, &servers(MEMORY)),
            failed: (100.0, 23.2),
        },
        Case {
            rule: "hot-key",
            ill: web("policy = \"ring-hash\"", &plain())
                .replace("rate = 60", "rate = 60\nkey = { kind = \"zipf\", n = 1000, s = 1.2 }"),
            well: web("policy = \"ring-hash\"", &plain())
                .replace("rate = 60", "rate = 60\nkey = { kind = \"uniform\", n = 1000 }"),
            failed: (12.5, 0.0),
        },
        Case {
            rule: "whole-connections",
            ill: web(
                "balances = \"connections\"",
                &plain(),
            )
            .replace("rate = 60", "rate = 60\nkey = { kind = \"uniform\", n = 8 }")
            .replace("[service.web]\n", "[service.web]\nlink = { connections = { kind = \"shared\", idle = \"0s\" } }\n"),
            well: web("balances = \"requests\"", &plain()),
            failed: (3.8, 0.3),
        },
        Case {
            rule: "uneven-zones",
            ill: zoned(true),
            well: zoned(false),
            failed: (12.5, 0.3),
        },
        Case {
            rule: "never-enforced",
            ill: web(
                "health = [{ kind = \"envoy-outlier-detection\", max_ejection_percent = 50, enforcing_consecutive_5xx = 0, enforcing_success_rate = 0 }]",
                &plain(),
            ),
            well: web(
                "health = [{ kind = \"envoy-outlier-detection\", max_ejection_percent = 50 }]",
                &plain(),
            ),
            failed: (16.6, 0.1),
        },
        Case {
            rule: "panic-floods-the-dead",
            ill: web(PANIC, &plain()).replace("rate = 60", "rate = 25"),
            well: web(PANIC, &plain()),
            failed: (33.1, 5.3),
        },
        Case {
            rule: "slow-start-ignored",
            ill: web(SLOW_START, &servers(COLD)),
            well: web(
                &SLOW_START.replace("\"random\"", "\"weighted-random\""),
                &servers(COLD),
            ),
            failed: (5.1, 1.2),
        },
        Case {
            rule: "keys-move",
            ill: cached("map-based"),
            well: cached("consistent"),
            failed: (2.8, 0.0),
        },
        Case {
            rule: "queue-without-end",
            ill: with_client(
                web(
                    CHECKS,
                    "[[service.web.server]]\nname = \"a\"\ncount = 3\nworkers = 2\n",
                ),
                "client = { timeout = \"1s\" }",
            ),
            well: web(CHECKS, &plain()),
            failed: (93.3, 23.1),
        },
    ]
}

fn scenario(
    text: &str,
    sets: &[(String, String)],
) -> Result<Scenario, sim_core::scenario::Problems> {
    Scenario::read(Source::new("case.toml", text), sets, &NoFiles)
}

fn raised(text: &str) -> BTreeSet<&'static str> {
    let model = scenario(text, &[])
        .and_then(|s| s.model())
        .unwrap_or_else(|p| panic!("{p}\n{text}"));
    doubts(&model).iter().map(|(rule, _)| rule.id).collect()
}

fn found(text: &str) -> Vec<Finding> {
    let cancel = AtomicBool::new(false);
    let control = Control::new(NonZeroUsize::MIN, &cancel, &|_| {});
    examine(&|sets| scenario(text, sets), 5, &control).unwrap_or_else(|p| panic!("{p}"))
}

#[test]
fn each_speaks_where_it_should_and_says_what_it_costs() {
    let mut wrong = Vec::new();
    for case in cases() {
        let Case {
            rule,
            ill,
            well,
            failed,
        } = &case;
        assert!(RULES.iter().any(|known| known.id == *rule), "{rule}");
        if !raised(ill).contains(rule) {
            wrong.push(format!("{rule} is silent"));
            continue;
        }
        if raised(well).contains(rule) {
            wrong.push(format!("{rule} speaks of what is well"));
        }
        let findings = found(ill);
        let finding = findings
            .iter()
            .find(|finding| finding.rule.id == *rule)
            .expect("it was raised");
        let Outcome::Tried {
            as_is,
            mended,
            effect,
        } = &finding.outcome
        else {
            wrong.push(format!("{rule}: {:?}", finding.outcome));
            continue;
        };
        let percent = |share: Option<f64>| share.unwrap_or(f64::NAN) * 100.0;
        let (before, after) = (percent(as_is.failed), percent(mended.failed));
        let near = |is: f64, said: f64| (is - said).abs() <= 0.06;
        if !matches!(effect, Effect::Fewer(_)) || !near(before, failed.0) || !near(after, failed.1)
        {
            wrong.push(format!(
                "{rule}: {before:.1} % before, {after:.1} % after, {effect:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_has_a_case() {
    let cases = cases();
    let known: BTreeSet<&str> = cases.iter().map(|case| case.rule).collect();
    let without = RULES.iter().filter(|rule| !known.contains(rule.id));
    assert_eq!(without.map(|rule| rule.id).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn the_same_comes_out_each_time() {
    let text = &cases()[0].ill;
    let digest = |all: &[Finding]| all.iter().map(|f| format!("{f:?}")).collect::<Vec<_>>();
    assert_eq!(digest(&found(text)), digest(&found(text)));
}

#[test]
fn a_doubt_that_shows_nothing_does_not_matter() {
    // Callers that never give up lose nothing by what is left behind; a check that asks finds a hung server as late.
    let text = web(
        "health = [{ kind = \"checks\", probe = \"connect\", interval = \"2s\" }]",
        &servers(""),
    );
    let all = found(&text);
    let finding = all
        .iter()
        .find(|f| f.rule.id == "check-only-connects")
        .expect("it is raised");
    assert!(
        matches!(
            finding.outcome,
            Outcome::Tried {
                effect: Effect::None,
                ..
            }
        ),
        "{finding:?}"
    );
    assert!(!finding.matters());
}
