//! What must hold of every policy, whatever its parameters; and one fleet on which no two policies do the same.

use crate::replicate::{check, exact, published, replicate, response, rough, wait};
use crate::support::{at, check_books, log, needed, outcome, run, start, summary};
use crate::theory::{Farm, one};
use sim_core::extension::{ExtensionRow, ParamKind};
use sim_core::policy::POLICIES;
use sim_core::summary::Summary;
use sim_core::theory::markov::mmc_wait;

/// A row with each of its parameters at its default, at both ends of its range, and at each of its words.
fn variants(row: &ExtensionRow) -> Vec<String> {
    let needed = needed(row.name);
    let mut all = vec![format!("{{ kind = \"{}\"{needed} }}", row.name)];
    let optional = row.params.iter().filter(|param| param.default.is_some());
    for param in optional {
        let values: Vec<String> = match param.kind {
            ParamKind::Integer { min, max, .. } => vec![min.to_string(), max.to_string()],
            ParamKind::Number { min, max, .. } => vec![min.to_string(), max.to_string()],
            ParamKind::Flag => vec!["true".to_owned(), "false".to_owned()],
            ParamKind::Choice(words) => words.iter().map(|word| format!("\"{word}\"")).collect(),
            ParamKind::Span { min } => vec![format!("\"{min}\""), "\"1000h\"".to_owned()],
            ParamKind::Spans => vec![
                "[\"4ms\"]".to_owned(),
                "[\"1ms\", \"9ms\", \"1h\"]".to_owned(),
            ],
            ParamKind::Numbers { .. } => vec!["[]".to_owned(), "[1.5, -2]".to_owned()],
            other => panic!("{}: nobody tries {other:?}", row.name),
        };
        let known = all.len();
        let variant = |value| {
            format!(
                "{{ kind = \"{}\"{needed}, {} = {value} }}",
                row.name, param.name
            )
        };
        // One end may be what the program refuses beside the other defaults.
        all.extend(values.into_iter().map(variant).filter(|v| is_accepted(v)));
        assert!(all.len() > known, "{}: no {} goes", row.name, param.name);
    }
    all
}

/// Whether a scenario may name it so.
fn is_accepted(policy: &str) -> bool {
    let text = format!(
        "horizon = \"1s\"\ntraffic = [{{ to = \"web\", rate = 1 }}]\n[service.web]\ndemand = \"1ms\"\n\
         balancer.policy = {policy}\nserver = [{{ name = \"a\", workers = 1 }}]\n"
    );
    sim_core::scenario::parse(&text).is_ok()
}

/// Every variant of every row.
fn all_variants() -> Vec<String> {
    POLICIES.iter().flat_map(|def| variants(&def.row)).collect()
}

/// Few requests that meet much: errors, slow and heavy servers, one that crashes and one that is drained, weights that
/// change, two instances, retries.
fn eventful(policy: &str) -> String {
    format!(
        r#"
horizon = "3s"
client = {{ timeout = "80ms", retry = {{ kind = "fixed", attempts = 3, avoid = "previous" }} }}
traffic = [{{ to = "web", rate = 300, key = {{ kind = "zipf", n = 30 }} }}]
[service.web]
demand = {{ kind = "exponential", mean = "8ms" }}
balancer = {{ policy = {policy}, instances = 2, pending_queue = {{ limit = 50 }} }}
server = [
  {{ name = "a", workers = 1, weight = 3, errors = {{ rate = 0.1 }} }},
  {{ name = "b", workers = 1, weight = 0 }},
  {{ name = "c", workers = 2, speed = 0.5 }},
  {{ name = "d", workers = 1, weight = 0.5 }},
  {{ name = "e", workers = 1 }},
]
[[timeline]]
at = "700ms"
do = "crash"
target = "service.web.server.c"
[[timeline]]
at = "1300ms"
do = "restart"
target = "service.web.server.c"
[[timeline]]
at = "1500ms"
do = "drain"
target = "service.web.server.a"
[[timeline]]
at = "2s"
set = {{ "service.web.server.d.weight" = 2 }}
[[timeline]]
at = "2500ms"
do = "undrain"
target = "service.web.server.a"
"#
    )
}

#[test]
fn every_variant_gives_the_same_bytes_twice_and_as_a_fork() {
    for policy in all_variants() {
        let text = eventful(&policy);
        let report = |simulation: &sim_core::engine::Simulation| {
            (simulation.digest(), Summary::of(simulation, 0).to_json())
        };
        let whole = report(&run(&text));
        assert_eq!(whole, report(&run(&text)), "{policy}");
        let mut original = start(&text);
        for moment in [0.4, 1.4, 2.2] {
            original.run_until(at(moment));
            check_books(&original, &text);
            let mut fork = original.clone();
            fork.run();
            assert_eq!(whole, report(&fork), "{policy}: forked at {moment} s");
        }
        original.run();
        assert_eq!(whole, report(&original), "{policy}: after forks");
    }
}

#[test]
fn every_variant_serves_with_one_server_and_fails_without_any() {
    for policy in all_variants() {
        let text = format!(
            "horizon = \"2s\"\ntraffic = [{{ to = \"web\", rate = 100, key = {{ kind = \"uniform\", n = 9 }} }}]\n\
             [service.web]\ndemand = \"1ms\"\n\
             balancer = {{ policy = {policy}, pending_queue = {{ limit = 1000, timeout = \"300ms\" }} }}\n\
             server = [{{ name = \"s\", workers = 50 }}]\n\
             [[timeline]]\nat = \"1s\"\ndo = \"drain\"\ntarget = \"service.web.server\"\n"
        );
        let summary = summary(&text);
        let (served, failed) = (
            outcome(&summary, "succeeded"),
            outcome(&summary, "unavailable"),
        );
        assert!(served > 70 && failed > 30, "{policy}: {served}, {failed}");
        let rest = summary.requests.arrived - served - failed;
        assert!(rest < 60, "{policy}: {rest} are under way at the end");
    }
}

/// Sizes, sessions, loads, weights, speeds and errors differ, and answers are awaited for 40 ms only, so that an instance's count is not what a server holds.
const TELLING: &str = r#"
horizon = "1200ms"
record = { every_nth_request = 1 }
client = { timeout = "40ms" }
traffic = [{ to = "web", arrivals = "deterministic", rate = 125, key = { kind = "uniform", n = 5 } }]
[service.web]
demand = { kind = "hyperexponential", mean = "18ms", cv = 2 }
balancer = { policy = POLICY, pending_queue = { limit = 100 } }
server = [
  { name = "a", workers = 1, weight = 3, max_connections = 2 },
  { name = "b", workers = 1 },
  { name = "c", workers = 1, speed = 0.5 },
  { name = "d", workers = 1, errors = { rate = 0.3, demand = "1ms" } },
]
"#;

/// What is written of a policy so that what sets it apart shows within a second and at ordinary load.
fn telling(name: &str) -> String {
    let rest = match name {
        // Nobody has three requests: then it is least-in-flight.
        "join-bounded-shortest-queue" => ", n = 1",
        // Without weights it is round robin.
        // It is first, but for who waits in which queue.
        "haproxy-first" => ", cookie = true",
        "client-side-weighted-round-robin" => ", blackout = \"0s\", update = \"100ms\"",
        _ => needed(name),
    };
    format!("{{ kind = \"{name}\"{rest} }}")
}

#[test]
fn no_two_policies_do_the_same() {
    let mut known: Vec<(&str, Vec<char>)> = Vec::new();
    for def in POLICIES {
        let log = log(&TELLING.replace("POLICY", &telling(def.row.name)));
        let letter = |server: u32| char::from(b'a' + server as u8);
        let choices: Vec<char> = log
            .iter()
            .map(|row| row.server.map_or('-', letter))
            .collect();
        for (other, others) in &known {
            assert_ne!(others, &choices, "{other} and {}", def.row.name);
        }
        known.push((def.row.name, choices));
    }
    for (name, first, why) in FIRST {
        let (_, choices) = known.iter().find(|(known, _)| known == name).expect(name);
        let choices: String = choices[..first.len()].iter().collect();
        assert_eq!(&choices, first, "{name}: {why}");
    }
}

/// The first choices of some policies, and what explains them. One request comes each 8 ms and asks for 18 on average;
/// nobody waits longer than 40; a takes two at most.
const FIRST: &[(&str, &str, &str)] = &[
    ("round-robin", "abcdabcdabcd", "each in turn"),
    (
        "weighted-round-robin",
        "abacdcdaabbc",
        "three of six turns are a's, and others' while it has two",
    ),
    (
        "client-side-weighted-round-robin",
        "abcdabcdabcdabcdabcdb",
        "each in turn, and by weights once two tenths of a second have been reported",
    ),
    (
        "first",
        "aabbbaabbbaa",
        "a until it has two, b until a's callers give up",
    ),
    (
        "most-in-flight",
        "aabbbaabbbbbbbbb",
        "the same until b has more than a",
    ),
    ("random", "aabdddcbdbab", "whatever is drawn"),
    (
        "power-of-d",
        "abbdddcbdbab",
        "the same draws, but that the second request finds a busy",
    ),
    (
        "peak-ewma",
        "abbdddcbdbbb",
        "the same draws again, until somebody has answered late",
    ),
    (
        "least-response-time",
        "aabdccdddddd",
        "d has answered at once, with an error",
    ),
    (
        "prequal",
        "abcdaccadddbbbbb",
        "no server is known to be slow before it has answered",
    ),
];

/// Whoever looks at loads, at whatever shows them, sends less to a server that is slow.
#[test]
fn who_follows_load_spares_the_slow_server() {
    for def in POLICIES.iter().filter(|def| def.follows_load) {
        let text = format!(
            "horizon = \"30s\"\nwarm_up = \"5s\"\ntraffic = [{{ to = \"web\", rate = 200 }}]\n[service.web]\n\
             demand = {{ kind = \"exponential\", mean = \"10ms\" }}\n\
             balancer = {{ policy = \"{}\", pending_queue = {{ limit = 1000 }} }}\n\
             server = [{{ name = \"w\", count = 3, workers = 1 }}, {{ name = \"slow\", workers = 1, speed = 0.4 }}]\n",
            def.row.name
        );
        let summary = summary(&text);
        let slow = crate::support::server(&summary, "web", "slow").share;
        let slow = slow.expect("there is traffic");
        assert!((0.01..0.22).contains(&slow), "{}: {slow}", def.row.name);
    }
}

/// With eight servers dealt out in twos, each of four instances has two of its own.
#[test]
fn instances_use_their_subsets_and_together_all_servers() {
    let text = |subset: &str, deed: &str| {
        format!(
            "horizon = \"4s\"\ntraffic = [{{ to = \"web\", arrivals = \"deterministic\", rate = 200 }}]\n\
             [service.web]\ndemand = \"1ms\"\nbalancer = {{ policy = \"first\", instances = 4{subset} }}\n\
             server = [{{ name = \"w\", count = 8, workers = 9 }}]\n{deed}"
        )
    };
    let attempts = |text: &str| -> Vec<u64> {
        let summary = summary(text);
        let servers = &summary.services.0[0].1.servers.0;
        servers.iter().map(|(_, server)| server.attempts).collect()
    };
    let mut shared = attempts(&text(", subset = 2", ""));
    shared.sort_unstable();
    assert_eq!(
        shared,
        [0, 0, 0, 0, 200, 200, 200, 200],
        "the first of each pair"
    );
    assert_eq!(attempts(&text(", subset = 8", "")), attempts(&text("", "")));
    // An instance whose servers are gone has none, whoever else is up; the others do not notice.
    let busy = attempts(&text(", subset = 1", ""));
    let one = 1 + busy
        .iter()
        .position(|attempts| *attempts > 0)
        .expect("somebody is used");
    let deed = format!(
        "[[timeline]]\nat = \"2s\"\ndo = \"drain\"\ntarget = \"service.web.server.w-{one}\"\n"
    );
    let summary = summary(&text(", subset = 1", &deed));
    assert_eq!(outcome(&summary, "unavailable"), 100);
    let others = summary.requests.arrived - summary.requests.in_flight - 100;
    assert_eq!(outcome(&summary, "succeeded"), others);
}

#[test]
fn what_cannot_be_is_refused_where_it_stands() {
    for (balancer, code, says) in [
        ("{ subset = 0 }", "E013", "subset"),
        (
            "{ policy = { kind = \"maglev\", table = 100 } }",
            "E017",
            "101",
        ),
        (
            "{ policy = { kind = \"sita\", cutoffs = [\"2ms\", \"1ms\"] } }",
            "E017",
            "ascend",
        ),
        (
            "{ policy = { kind = \"ring-hash\", bound = 0.5 } }",
            "E017",
            "bound",
        ),
        (
            "{ policy = { kind = \"prequal\", quantile = 1.5 } }",
            "E013",
            "quantile",
        ),
    ] {
        let text = format!(
            "horizon = \"1s\"\ntraffic = [{{ to = \"web\", rate = 1 }}]\n[service.web]\ndemand = \"1ms\"\n\
             balancer = {balancer}\nserver = [{{ name = \"s\", workers = 1 }}]\n"
        );
        let problems = sim_core::scenario::parse(&text).expect_err(balancer);
        assert!(problems.has(code), "{balancer}: {problems}");
        assert!(
            problems.to_string().contains(says),
            "{balancer}: {problems}"
        );
    }
    let routed = "horizon = \"1s\"\ntraffic = [{ to = \"a\", rate = 1 }]\n[service.a]\n\
        balancer = { subset = 2, routes = [{ to = \"b\" }] }\n[service.b]\ndemand = \"1ms\"\nserver = [{ name = \"s\", workers = 1 }]\n";
    let problems = sim_core::scenario::parse(routed).expect_err("a subset of no servers");
    assert!(
        problems.to_string().contains("`subset` has no effect"),
        "{problems}"
    );
}

/// Mean response times with one sample and one remembered server, in the limit of many servers: with tails `s` of
/// queues and `r` of the queue at the remembered server, which changes far more often than any queue, an
/// arrival raises the shorter of the two, and the shorter of what is then there is remembered.
fn with_memory(lam: f64) -> f64 {
    let (mut queue, mut remembered, mut sum) = (1.0, 1.0, 0.0);
    for _ in 0..1000 {
        let next = lam * queue * remembered;
        remembered *= next / (1.0 - queue + next);
        queue = next;
        sum += queue;
    }
    sum / lam
}

fn farm(servers: u32, load: f64, policy: &str, length: u64) -> String {
    let lam = f64::from(servers) * load;
    Farm {
        policy,
        servers,
        ..one(lam, length)
    }
    .text()
}

/// Mitzenmacher, Prabhakar and Shah, "Load balancing with memory", FOCS 2002; the limit as in Luczak and Norris, "Averaging
/// over fast variables in the fluid limit for Markov chains", Annals of Applied Probability 23(3), 2013. A thousand servers are
/// within a per cent of it; four hundred are a little further away.
#[test]
fn one_sample_and_one_remembered_server() {
    let text = |policy, load| farm(1000, load, policy, 800);
    for load in [0.7, 0.9] {
        let limit = with_memory(load);
        let near = published("response time", response, limit, 0.0025 * limit);
        check(&text("\"power-of-d-with-memory\"", load), &[near]);
    }
    // Two that are remembered are another rule.
    let limit = with_memory(0.9);
    for wrong in [
        "\"power-of-d\"",
        "{ kind = \"power-of-d-with-memory\", memory = 2 }",
    ] {
        let measured = replicate(&text(wrong, 0.9), &[response])[0];
        assert!(
            !measured.agrees(limit, 0.0025 * limit),
            "{wrong}: {measured:?}"
        );
    }
}

/// With one request at each server, servers pull from one line: M/M/c. With room for all it is the shortest queue, whose response
/// time is that of the Markov chain on sorted queue lengths, solved numerically.
#[test]
fn bounded_queues_lie_between_one_line_and_the_shortest_queue() {
    let text = |n: u32| {
        let policy = format!(
            "{{ kind = \"join-bounded-shortest-queue\", n = {n} }}, pending_queue = {{ limit = 1000000 }}"
        );
        farm(4, 0.8, &policy, 60_000)
    };
    let (line, shortest) = (1.0 + mmc_wait(4, 0.8), 1.953134);
    check(&text(1), &[exact("response time", response, line)]);
    check(
        &text(1_000_000),
        &[exact("response time", response, shortest)],
    );
    let two = replicate(&text(2), &[response])[0];
    assert!(
        !two.agrees(line, 0.0) && !two.agrees(shortest, 0.0),
        "{two:?}"
    );
    assert!(line < two.mean && two.mean < shortest, "{two:?}");
}

/// The part of the `k`-th moment of a bounded Pareto law, from 1 to `greatest`, that is between two sizes.
fn moment(k: f64, shape: f64, greatest: f64, from: f64, to: f64) -> f64 {
    let scale = shape / (1.0 - libm::pow(greatest, -shape));
    scale * (libm::pow(to, k - shape) - libm::pow(from, k - shape)) / (k - shape)
}

/// Harchol-Balter, Crovella and Murta, "On choosing a task assignment policy for a distributed server system", JPDC 59, 1999: with
/// cut-offs of equal work each of two servers is an M/G/1 of its own sizes.
#[test]
fn size_intervals_are_queues_of_their_own() {
    let (shape, greatest, load) = (1.1, 100.0, 0.7);
    let of = |k, from, to| moment(k, shape, greatest, from, to);
    let mean = of(1.0, 1.0, greatest);
    // Halve the interval until both parts have the same work.
    let (mut low, mut high) = (1.0, greatest);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if of(1.0, 1.0, middle) < mean / 2.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    let lam = 2.0 * load / mean;
    // The mean wait of those between two sizes is λ E[X²; between] / 2 (1 − ρ): Pollaczek and Khinchine.
    let waits = |from, to| of(0.0, from, to) * lam * of(2.0, from, to) / 2.0 / (1.0 - load);
    let expected = waits(1.0, low) + waits(low, greatest);
    let alone = lam / 2.0 * of(2.0, 1.0, greatest) / 2.0 / (1.0 - load);
    let text = |policy: &str| {
        let demand = format!(
            "{{ kind = \"bounded-pareto\", least = \"100us\", greatest = \"{}us\", shape = {shape} }}",
            greatest * 100.0
        );
        let farm = Farm {
            servers: 2,
            policy,
            demand: &demand,
            ..one(lam * 10.0, 100_000)
        };
        farm.text()
    };
    let cutoffs = format!("{{ kind = \"sita\", cutoffs = [\"{}us\"] }}", low * 100.0);
    check(&text(&cutoffs), &[rough("wait", wait, expected / 10.0)]);
    // Learned cut-offs come to the same, but for what was done while there was little to learn from.
    let learned = replicate(&text("\"sita\""), &[wait])[0];
    assert!(
        (learned.mean / expected * 10.0 - 1.0).abs() < 0.05,
        "{learned:?} for {expected}"
    );
    // Other cut-offs do not, and with requests dealt at random it is much longer.
    let wrong = format!("{{ kind = \"sita\", cutoffs = [\"{}us\"] }}", low * 200.0);
    let wrong = replicate(&text(&wrong), &[wait])[0];
    assert!(
        !wrong.agrees(expected / 10.0, 0.0),
        "{wrong:?} for {expected}"
    );
    assert!(alone > 1.5 * expected, "{alone} {expected}");
}
