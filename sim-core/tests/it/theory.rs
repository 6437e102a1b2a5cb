//! Queueing theory: what is known exactly must come out.
//!
//! The mean time of service is one millisecond, so that rates are per millisecond and times in
//! milliseconds; run lengths follow the asymptotic variances of M/M/1 (Whitt, "Planning queueing
//! simulations", Management Science 35, 1989).

use crate::replicate::{
    Measured, check, exact, in_system, lost, median, p99, replicate, response, rough, throughput,
    wait,
};
use crate::support::{log, server};
use sim_core::summary::Summary;
use sim_core::theory::markov::{erlang_b, machine_repair, mmc_wait, mmck};
use sim_core::theory::priority::{ClassLoad, preemptive_responses, waits};
use sim_core::theory::renewal::round_robin_waiting;
use sim_core::theory::station::{mg1_wait, mm1_quantile};
use sim_core::theory::time::first_passage;
use sim_core::theory::{Applied, apply};

const EXPONENTIAL: &str = "{ kind = \"exponential\", mean = \"1ms\" }";

/// Servers behind a policy, fed by a Poisson stream of `lam` requests a millisecond.
pub(crate) struct Farm<'a> {
    pub lam: f64,
    pub demand: &'a str,
    pub policy: &'a str,
    pub servers: u32,
    pub workers: u32,
    pub queue: &'a str,
    /// Milliseconds simulated, of which the first twentieth is not measured.
    pub length: u64,
}

impl Farm<'_> {
    pub(crate) fn text(&self) -> String {
        let Farm {
            demand,
            policy,
            servers,
            workers,
            queue,
            length,
            ..
        } = self;
        format!(
            r#"
horizon = "{length}ms"
warm_up = "{}ms"
record = {{ interval = "10s" }}
traffic = [{{ to = "web", rate = {} }}]
[service.web]
demand = {demand}
balancer = {{ policy = {policy} }}
server = [{{ name = "s", count = {servers}, workers = {workers}, queue = {queue} }}]
"#,
            length / 20,
            self.lam * 1e3
        )
    }
}

pub(crate) const fn one(lam: f64, length: u64) -> Farm<'static> {
    Farm {
        lam,
        demand: EXPONENTIAL,
        policy: "\"round-robin\"",
        servers: 1,
        workers: 1,
        queue: "{}",
        length,
    }
}

#[test]
fn one_server_is_mm1() {
    for (rho, length) in [(0.5, 100_000), (0.8, 400_000), (0.9, 1_200_000)] {
        check(
            &one(rho, length).text(),
            &[
                exact("response time", response, 1.0 / (1.0 - rho)),
                exact("wait", wait, rho / (1.0 - rho)),
                exact("in system", in_system, rho / (1.0 - rho)),
                exact("median", median, mm1_quantile(0.5, rho)),
                rough("p99", p99, mm1_quantile(0.99, rho)),
                exact("utilisation", utilisation, rho),
            ],
        );
    }
}

fn utilisation(summary: &Summary) -> f64 {
    let servers = &summary.services.0[0].1.servers.0;
    servers.iter().map(|(_, s)| s.utilisation).sum::<f64>() / servers.len() as f64
}

#[test]
fn a_formula_two_per_cent_off_is_caught() {
    let measured = replicate(&one(0.5, 300_000).text(), &[response, wait, p99]);
    let references = [2.0, 1.0, mm1_quantile(0.99, 0.5)];
    for (measured, reference) in measured.into_iter().zip(references) {
        assert!(measured.agrees(reference, 0.0), "{measured:?} {reference}");
        for wrong in [0.98, 1.02] {
            assert!(
                !measured.agrees(wrong * reference, 0.0),
                "{measured:?} would pass for {wrong} × {reference}"
            );
        }
    }
}

#[test]
fn several_workers_are_mmc() {
    for (c, rho, length) in [
        (2, 0.8, 150_000),
        (5, 0.8, 60_000),
        (10, 0.8, 40_000),
        (10, 0.5, 10_000),
    ] {
        let farm = Farm {
            workers: c,
            ..one(f64::from(c) * rho, length)
        };
        let mut demands = vec![exact("response time", response, 1.0 + mmc_wait(c, rho))];
        if rho > 0.5 {
            demands.push(rough("wait", wait, mmc_wait(c, rho)));
        }
        check(&farm.text(), &demands);
    }
}

#[test]
fn general_demand_is_pollaczek_khinchine() {
    let laws = [
        ("\"1ms\"", 0.0, 150_000),
        (
            "{ kind = \"erlang\", mean = \"1ms\", stages = 4 }",
            0.25,
            220_000,
        ),
        (
            "{ kind = \"uniform\", low = \"0s\", high = \"2ms\" }",
            1.0 / 3.0,
            220_000,
        ),
    ];
    for (demand, cv2, length) in laws {
        let farm = Farm {
            demand,
            ..one(0.8, length)
        };
        check(
            &farm.text(),
            &[
                exact("wait", wait, mg1_wait(0.8, cv2)),
                exact("response time", response, 1.0 + mg1_wait(0.8, cv2)),
            ],
        );
    }
    for (demand, length) in [
        (
            "{ kind = \"hyperexponential\", mean = \"1ms\", cv = 2 }",
            300_000,
        ),
        ("{ kind = \"lognormal\", mean = \"1ms\", cv = 2 }", 800_000),
    ] {
        let farm = Farm {
            demand,
            ..one(0.5, length)
        };
        check(&farm.text(), &[rough("wait", wait, mg1_wait(0.5, 4.0))]);
    }
}

#[test]
fn processor_sharing_is_insensitive_to_the_law_of_demand() {
    for demand in [
        EXPONENTIAL,
        "\"1ms\"",
        "{ kind = \"hyperexponential\", mean = \"1ms\", cv = 2 }",
    ] {
        let farm = Farm {
            demand,
            queue: "{ discipline = \"processor-sharing\" }",
            ..one(0.7, 200_000)
        };
        check(
            &farm.text(),
            &[
                exact("response time", response, 1.0 / 0.3),
                exact("in system", in_system, 0.7 / 0.3),
            ],
        );
    }
}

#[test]
fn a_bounded_queue_is_mmck() {
    for (lam, c, k) in [(0.8, 1, 5), (1.5, 1, 10), (4.5, 5, 10), (9.5, 10, 15)] {
        let queue = format!("{{ limit = {} }}", k - c);
        let farm = Farm {
            workers: c,
            queue: &queue,
            ..one(lam, (140_000.0 / lam) as u64)
        };
        let theory = mmck(lam, c, k);
        let (loss, mean) = (theory.loss, theory.number);
        check(
            &farm.text(),
            &[
                exact("loss", lost, loss),
                exact("in system", in_system, mean),
                exact("throughput", throughput, lam * (1.0 - loss)),
                exact("response time", response, mean / (lam * (1.0 - loss))),
            ],
        );
    }
}

#[test]
fn loss_is_erlang_b_whatever_the_law_of_demand() {
    for demand in [
        EXPONENTIAL,
        "\"1ms\"",
        "{ kind = \"lognormal\", mean = \"1ms\", cv = 2 }",
    ] {
        let farm = Farm {
            demand,
            workers: 10,
            queue: "{ limit = 0 }",
            ..one(8.0, 15_000)
        };
        check(&farm.text(), &[exact("loss", lost, erlang_b(10, 8.0))]);
    }
}

#[test]
fn round_robin_makes_erlang_arrivals() {
    for (k, length) in [(2, 150_000), (5, 60_000)] {
        let farm = Farm {
            servers: k,
            ..one(0.8 * f64::from(k), length)
        };
        let slack = 1.0 - round_robin_waiting(k, 0.8);
        check(
            &farm.text(),
            &[
                exact("response time", response, 1.0 / slack),
                rough("p99", p99, libm::log(100.0) / slack),
            ],
        );
    }
}

#[test]
fn random_choice_makes_independent_queues() {
    let farm = Farm {
        servers: 4,
        policy: "\"random\"",
        ..one(2.8, 60_000)
    };
    check(&farm.text(), &[exact("response time", response, 1.0 / 0.3)]);
}

#[test]
fn least_work_left_is_the_central_queue_request_by_request() {
    let finished = |servers, workers, policy| {
        let farm = Farm {
            policy,
            servers,
            workers,
            ..one(3.6, 20_000)
        };
        let text = farm.text().replace(
            "record = { interval = \"10s\" }",
            "record = { every_nth_request = 1 }",
        );
        log(&text)
            .iter()
            .map(|row| (row.number, row.arrived_ns, row.ended_ns))
            .collect::<Vec<_>>()
    };
    let central = finished(1, 4, "\"round-robin\"");
    let spread = finished(4, 1, "\"least-work-left\"");
    assert!(central.len() > 70_000);
    assert_eq!(central, spread);
}

#[test]
fn priorities_make_cobham_waits() {
    let farm = Farm {
        queue: "{ discipline = \"priority\" }",
        ..one(0.8, 300_000)
    };
    let text = format!(
        "{}\n[class.first]\nshare = 0.375\n[class.second]\nshare = 0.625\npriority = 1\n",
        farm.text()
    );
    let class = |rate| ClassLoad {
        rate,
        mean: 1.0,
        second: 2.0,
    };
    let waits = waits(&[class(0.3), class(0.5)]);
    check(
        &text,
        &[
            exact("first", |s| class_response(s, 0), 1.0 + waits[0]),
            exact("second", |s| class_response(s, 1), 1.0 + waits[1]),
        ],
    );
}

/// What a class of each priority demands, as written and as theory has it: mean and second moment.
const OWN: [(&str, f64, f64); 2] = [
    ("\"500us\"", 0.5, 0.25),
    ("{ kind = \"lognormal\", mean = \"2ms\", cv = 1 }", 2.0, 8.0),
];

/// Two classes with demands of their own at one server: 0.4 and 0.25 a millisecond, a load of 0.7.
fn own_demands(discipline: &str) -> String {
    let farm = Farm {
        queue: discipline,
        ..one(0.65, 400_000)
    };
    let [(first, ..), (second, ..)] = OWN;
    let share = 0.4 / 0.65;
    format!(
        "{}\n[class.first]\nshare = {share}\ndemand = {first}\n[class.second]\nshare = {}\npriority = 1\ndemand = {second}\n",
        farm.text(),
        1.0 - share
    )
}

#[test]
fn classes_demand_what_they_say_whatever_their_order() {
    let [(_, m1, s1), (_, m2, s2)] = OWN;
    let class = |rate, mean, second| ClassLoad { rate, mean, second };
    let both = [class(0.4, m1, s1), class(0.25, m2, s2)];
    let demands = |waits: [f64; 2]| {
        [
            rough("first", |s| class_response(s, 0), m1 + waits[0]),
            rough("second", |s| class_response(s, 1), m2 + waits[1]),
        ]
    };
    let cobham = waits(&both);
    let priority = own_demands("{ discipline = \"priority\" }");
    check(&priority, &demands([cobham[0], cobham[1]]));
    let times = preemptive_responses(&both);
    let preemptive = own_demands("{ discipline = \"priority-preemptive\" }");
    check(&preemptive, &demands([times[0] - m1, times[1] - m2]));
    let alike = waits(&[ClassLoad::together(both.into_iter())])[0];
    check(&own_demands("{}"), &demands([alike, alike]));
    // What the command compares with is the same.
    let model = crate::support::model(&priority);
    let Applied::Known(known) = apply(&model) else {
        panic!("priorities are known");
    };
    let expected = |path: &str| {
        let figure = known.figures.iter().find(|f| f.path == path);
        figure
            .unwrap_or_else(|| panic!("{path}: {known:?}"))
            .expected
            * 1e3
    };
    for (class, wait, mean) in [("first", cobham[0], m1), ("second", cobham[1], m2)] {
        let response = expected(&format!("classes.{class}.response_time_s.mean"));
        assert!((response - wait - mean).abs() < 1e-9, "{class}: {response}");
        let found = expected(&format!("classes.{class}.wait_s.mean"));
        assert!((found - wait).abs() < 1e-9, "{class}: {found}");
    }
}

#[test]
#[should_panic(expected = "second")]
fn a_demand_that_a_class_does_not_have_is_found_out() {
    let [(_, m1, s1), (_, m2, _)] = OWN;
    let class = |rate, mean, second| ClassLoad { rate, mean, second };
    // As if it were constant, and the mean the same.
    let wrong = waits(&[class(0.4, m1, s1), class(0.25, m2, m2 * m2)]);
    check(
        &own_demands("{ discipline = \"priority\" }"),
        &[rough("second", |s| class_response(s, 1), m2 + wrong[1])],
    );
}

#[test]
fn a_load_counts_what_classes_demand() {
    let model = crate::support::model(&own_demands("{}"));
    let peak = sim_core::load::peaks(&model)[0].expect("there is traffic");
    assert!((peak.offered_load - 0.7).abs() < 1e-12, "{peak:?}");
    let mut simulation = sim_core::engine::Simulation::new(model, 0);
    simulation.run();
    let seen = Summary::of(&simulation, 0).offered_load.expect("a load");
    assert!((seen - 0.7).abs() < 0.02, "{seen}");
}

/// The distribution of the number in the system, where a service keeps it, as shares of the time.
fn number(workers: u32, lam: f64) -> String {
    let farm = Farm {
        workers,
        ..one(lam, 200_000)
    };
    let text = farm.text();
    text.replace("[service.web]\n", "[service.web]\nnumbers = true\n")
}

fn at(summary: &Summary, number: usize) -> f64 {
    let of = &summary.services.0[0].1.number;
    let of = of.as_ref().expect("it is kept");
    of.at.get(number).copied().unwrap_or(0.0)
}

/// Shares of the time of M/M/c at so many, as far as 4: the birth-death chain.
fn mmc_shares(c: u32, lam: f64) -> Vec<f64> {
    let mut shares = vec![1.0];
    for n in 1..2000_u32 {
        let before = shares[n as usize - 1];
        shares.push(before * lam / f64::from(n.min(c)));
    }
    let all: f64 = shares.iter().sum();
    shares.iter().take(5).map(|share| share / all).collect()
}

#[test]
fn the_number_in_the_system_has_the_distribution_that_theory_has() {
    for (c, lam) in [(1, 0.7), (3, 2.1)] {
        let p = mmc_shares(c, lam);
        check(
            &number(c, lam),
            &[
                rough("nobody", |s| at(s, 0), p[0]),
                rough("one", |s| at(s, 1), p[1]),
                rough("two", |s| at(s, 2), p[2]),
                rough("four", |s| at(s, 4), p[4]),
            ],
        );
    }
    // Geometric for one worker.
    assert!((mmc_shares(1, 0.7)[4] - 0.3 * 0.7_f64.powi(4)).abs() < 1e-12);
}

#[test]
#[should_panic(expected = "two")]
fn a_wrong_distribution_of_the_number_is_found_out() {
    let p = mmc_shares(1, 0.8);
    check(&number(1, 0.7), &[rough("two", |s| at(s, 2), p[2])]);
}

#[test]
fn keeping_the_number_changes_nothing_and_agrees_with_the_mean() {
    let text = number(3, 2.1);
    let run = |text: &str| {
        let model = crate::support::model(text);
        let mut simulation = sim_core::engine::Simulation::new(model, 0);
        simulation.run();
        Summary::of(&simulation, 0)
    };
    let (kept, not) = (run(&text), run(&text.replace("numbers = true\n", "")));
    assert_eq!(kept.digest, not.digest);
    assert_eq!(not.services.0[0].1.number, None);
    let service = &kept.services.0[0].1;
    let number = service.number.as_ref().expect("it is kept");
    let server = &service.servers.0[0].1;
    assert!((number.mean - server.mean_in_system).abs() < 1e-9 * number.mean);
    let whole: f64 = number.at.iter().sum();
    assert!((whole - 1.0).abs() < 1e-9, "{whole}");
    assert!((number.at_most.last().expect("some") - 1.0).abs() < 1e-12);
    assert_eq!(number.at.len() as u64, number.max + 1);
    let far = kept.figure("services.web.number.at_most.9000");
    assert_eq!(
        (far, kept.figure("services.web.number.at.9000")),
        (Some(1.0), Some(0.0))
    );
}

fn class_response(summary: &Summary, class: usize) -> f64 {
    let times = &summary.classes.0[class].1.response_time_s;
    times.mean.unwrap_or(f64::NAN) * 1e3
}

#[test]
fn closed_users_are_machine_repair() {
    for (users, think, workers) in [(10, 10, 1), (20, 10, 2), (30, 5, 4)] {
        let text = one(0.0, 40_000).text();
        let text = text
            .replace(
                "rate = 0",
                &format!(
                    "arrivals = {{ kind = \"closed\", users = {users}, think = {{ kind = \"exponential\", mean = \"{think}ms\" }} }}"
                ),
            )
            .replace("workers = 1", &format!("workers = {workers}"));
        let theory = machine_repair(users, f64::from(think), 1.0, workers);
        let (rate, time) = (theory.throughput, theory.response);
        check(
            &text,
            &[
                exact("throughput", throughput, rate),
                exact("response time", response, time),
            ],
        );
    }
}

/// A server that crashes when `k` requests are in it, loses them, and is back, empty, after a fixed
/// pause: a renewal process whose cycle is a first passage and the pause.
#[test]
fn crashes_at_a_threshold_are_first_passages() {
    let (lam, k, pause) = (0.8, 10, 50.0);
    let text = one(lam, 400_000).text().replace(
        "queue = {}",
        &format!(
            "crash = [{{ when = \"in_flight\", above = {} }}], restart = {{ kind = \"after\", pause = \"{pause}ms\" }}",
            k - 1
        ),
    );
    let cycle = first_passage(lam, k) + pause;
    check(
        &text,
        &[
            exact("downtime", downtime, pause / cycle),
            exact("crashes", crash_rate, 1.0 / cycle),
            exact(
                "throughput",
                throughput,
                (lam * (cycle - pause) - f64::from(k)) / cycle,
            ),
            exact("loss", lost, (f64::from(k) + lam * pause) / (lam * cycle)),
        ],
    );
}

fn downtime(summary: &Summary) -> f64 {
    server(summary, "web", "s").downtime_s / (summary.horizon_s - summary.measured_from_s)
}

fn crash_rate(summary: &Summary) -> f64 {
    let span_ms = 1e3 * (summary.horizon_s - summary.measured_from_s);
    server(summary, "web", "s").crashes as f64 / span_ms
}

#[test]
fn a_standard_error_of_zero_agrees_with_its_mean_only() {
    let certain = Measured { mean: 1.0, se: 0.0 };
    assert!(certain.agrees(1.0, 0.0) && !certain.agrees(1.01, 0.0));
}
