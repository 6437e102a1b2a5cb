//! Which closed forms are recognised, and which assumptions stand in their way.

use super::super::testing::assert_close;
use super::*;

fn scenario(rate: &str, demand: &str, balancer: &str, server: &str, client: &str) -> Applied {
    let text = format!(
        "horizon = \"10s\"\ntraffic = [{{ to = \"web\", {rate} }}]\nclient = {{ {client} }}\n\
         [service.web]\ndemand = {demand}\nbalancer = {{ {balancer} }}\n\
         server = [{{ name = \"s\", {server} }}]\n"
    );
    match crate::scenario::parse(&text) {
        Ok(model) => apply(&model),
        Err(problems) => panic!("{problems}"),
    }
}

fn form_and_first(applied: Applied) -> (String, f64) {
    match applied {
        Applied::Known(known) => (known.form, known.figures[0].expected),
        Applied::Unknown(reasons) => panic!("{reasons:?}"),
    }
}

const EXPONENTIAL: &str = "{ kind = \"exponential\", mean = \"10ms\" }";

#[test]
fn forms_are_recognised_with_their_figures_in_seconds() {
    let cases = [
        ("rate = 80", EXPONENTIAL, "", "workers = 1", "M/M/1", 0.05),
        (
            "rate = 400",
            EXPONENTIAL,
            "",
            "workers = 5",
            "M/M/5",
            0.01554113,
        ),
        (
            "rate = 40",
            EXPONENTIAL,
            "",
            "workers = 1, speed = 0.5",
            "M/M/1",
            0.1,
        ),
        ("rate = 80", "\"10ms\"", "", "workers = 1", "M/D/1", 0.03),
        (
            "rate = 80",
            "{ kind = \"lognormal\", mean = \"10ms\", cv = 2 }",
            "",
            "workers = 1",
            "M/G/1",
            0.11,
        ),
        (
            "rate = 80",
            "\"10ms\"",
            "",
            "workers = 1, queue = { discipline = \"processor-sharing\" }",
            "M/G/1-PS",
            0.05,
        ),
        (
            "rate = 800",
            "\"10ms\"",
            "",
            "workers = 10, queue = { limit = 0 }",
            "M/G/10/10",
            1.0 - 0.1216611,
        ),
        (
            "rate = 90",
            EXPONENTIAL,
            "",
            "workers = 1, queue = { limit = 9 }",
            "M/M/1/10",
            1.0 - 0.05081373,
        ),
        (
            "rate = 400",
            EXPONENTIAL,
            "policy = \"round-robin\"",
            "workers = 1, count = 5",
            "5 × E5/M/1",
            0.03152257,
        ),
        (
            "rate = 1200",
            EXPONENTIAL,
            "",
            "workers = 10, queue = { patience = { kind = \"exponential\", mean = \"20ms\" } }",
            "M/M/10+M",
            1.0 - 0.1956559,
        ),
        (
            "arrivals = { kind = \"closed\", users = 20, think = { kind = \"exponential\", mean = \"100ms\" } }",
            EXPONENTIAL,
            "",
            "workers = 2",
            "M/M/2//20",
            165.4791,
        ),
    ];
    for (rate, demand, balancer, server, form, first) in cases {
        let (name, value) = form_and_first(scenario(rate, demand, balancer, server, ""));
        assert_eq!(name, form);
        assert_close(value, first);
    }
}

#[test]
fn what_breaks_an_assumption_is_named() {
    let cases = [
        (
            "rate = 80",
            "",
            "workers = 1",
            "timeout = \"1s\"",
            "timeout",
        ),
        ("rate = 120", "", "workers = 1", "", "no steady state"),
        (
            "rate = [[\"0s\", 1], [\"5s\", 50]]",
            "",
            "workers = 1",
            "",
            "rate varies",
        ),
        (
            "rate = 80",
            "",
            "workers = 1, errors = { rate = 0.1 }",
            "",
            "fail",
        ),
        (
            "rate = 80",
            "",
            "workers = 1, crash = [{ when = \"in_flight\", above = 9 }]",
            "",
            "crash",
        ),
        (
            "rate = 80, arrivals = \"deterministic\"",
            "",
            "workers = 1",
            "",
            "deterministic",
        ),
        (
            "rate = 80",
            "policy = \"power-of-d\"",
            "workers = 1, count = 2",
            "",
            "power-of-d",
        ),
        (
            "rate = 80",
            "",
            "workers = 1, queue = { discipline = \"lifo\" }",
            "",
            "lifo",
        ),
    ];
    for (rate, balancer, server, client, word) in cases {
        match scenario(rate, EXPONENTIAL, balancer, server, client) {
            Applied::Unknown(reasons) => assert!(
                reasons.iter().any(|reason| reason.contains(word)),
                "{reasons:?} do not tell of {word}"
            ),
            Applied::Known(known) => panic!("{known:?} in spite of {word}"),
        }
    }
}
