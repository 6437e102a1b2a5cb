//! Designs for Sobol indices.

use super::{plan, read, rows};
use crate::experiment::sweep::{Plan, sensitivity, write_sensitivity};
use crate::scenario::{NoFiles, Source};

/// M/M/1 with an arrival rate λ from 100/s to 500/s and a mean demand s from 0.5 ms to 1 ms.
const QUEUE: &str = r#"
replications = 2
measures = ["response_time_s.mean", "requests.failed"]
[[axis]]
design = "sobol"
samples = 100
latin_hypercube = [
    { path = "traffic.traffic.rate", name = "rate", from = 100, to = 500 },
    { path = "service.web.demand.mean", name = "demand", from = "500us", to = "1ms" },
]
[scenario]
horizon = "10s"
warm_up = "1s"
traffic = [{ to = "web", rate = 100 }]
[scenario.service.web]
demand = { kind = "exponential", mean = "1ms" }
server = [{ name = "a", workers = 1, queue = { limit = 100000 } }]
"#;

fn queue() -> Plan {
    let source = Source::new("plan.toml", QUEUE);
    Plan::read(&source, &NoFiles).unwrap_or_else(|problems| panic!("{problems}"))
}

/// First-order and total index of rate and demand on the mean response time `s / (1 − λ s)`, by quadrature.
fn truth() -> [[f64; 2]; 2] {
    const N: usize = 400;
    let at = |i: usize| (i as f64 + 0.5) / N as f64;
    let value = |i: usize, j: usize| {
        let (rate, demand) = (100.0 + 400.0 * at(i), 5e-4 * (1.0 + at(j)));
        demand / (1.0 - rate * demand)
    };
    let mean_of = |f: &dyn Fn(usize) -> f64| (0..N).map(f).sum::<f64>() / N as f64;
    let mean = mean_of(&|i| mean_of(&|j| value(i, j)));
    let square = |x: f64| x * x;
    let all = mean_of(&|i| mean_of(&|j| square(value(i, j) - mean)));
    let rate = mean_of(&|i| square(mean_of(&|j| value(i, j)) - mean)) / all;
    let demand = mean_of(&|j| square(mean_of(&|i| value(i, j)) - mean)) / all;
    [[rate, 1.0 - demand], [demand, 1.0 - rate]]
}

#[test]
fn what_explains_a_response_time_is_what_theory_says() {
    let plan = queue();
    assert_eq!(plan.cells(), 400);
    let rows = rows(&plan, 2);
    let found = sensitivity(&plan, &rows);
    assert_eq!((found[0].used, found[0].of), (100, 100));
    let indices = found[0].explained.as_ref().expect("it varies");
    let truth = truth();
    assert!(
        truth[1][0] > truth[0][0] + 0.2,
        "the demand explains more: {truth:?}"
    );
    for (index, [first, total]) in indices.iter().zip(truth) {
        for (share, truth) in [(index.first, first), (index.total, total)] {
            let (low, high) = share.ends;
            assert!(low <= truth && truth <= high, "{share:?}, {truth}");
            assert!(high - low < 0.5, "{share:?}");
        }
    }
    // As if the paths had been taken for each other.
    let (low, high) = indices[0].total.ends;
    assert!(
        !(low..=high).contains(&truth[1][1]),
        "{low} {high} {truth:?}"
    );
    // Nothing ever fails.
    assert_eq!(found[1].explained, None);
    assert_eq!(found[1].why(), "it is the same in all cells");
    let mut csv = Vec::new();
    write_sensitivity(&plan, &rows, &mut csv).expect("memory");
    let csv = String::from_utf8(csv).expect("text");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 5, "{csv}");
    assert!(
        lines[2].starts_with("response_time_s.mean,demand,0."),
        "{csv}"
    );
    assert_eq!(lines[4], "requests.failed,demand,,,,,,,100");
    assert!(
        sensitivity(&plan, &rows[1..]).is_empty(),
        "of all cells, or not"
    );
}

#[test]
fn a_design_has_two_points_and_each_path_of_the_second() {
    let plan = queue();
    let values = |cell: usize| plan.cell(cell).values;
    for base in [0, 4, 396] {
        let (a, b) = (values(base), values(base + 1));
        assert_ne!(a[0], b[0]);
        assert_ne!(a[1], b[1]);
        assert_eq!(values(base + 2), [b[0].clone(), a[1].clone()]);
        assert_eq!(values(base + 3), [a[0].clone(), b[1].clone()]);
    }
    // What travels to other machines is still a design.
    let source = Source::new("stdin", plan.to_toml());
    let again = Plan::read(&source, &NoFiles).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(again.is_sobol());
    assert_eq!(again.hash(), plan.hash());
    assert_eq!(again.cell(17), plan.cell(17));
}

#[test]
fn designs_that_are_none_are_refused() {
    let parts = "latin_hypercube = [{ path = \"traffic.traffic.rate\", from = 1, to = 9 }, { path = \"client.timeout\", from = \"1s\", to = \"9s\" }]";
    let one = "latin_hypercube = [{ path = \"traffic.traffic.rate\", from = 1, to = 9 }]";
    let zip = "zip = [{ path = \"traffic.traffic.rate\", values = [1, 2, 3] }, { path = \"client.timeout\", values = [\"1s\", \"2s\", \"3s\"] }]";
    let other = "[[axis]]\npath = \"seed\"\nvalues = [1, 2]\n";
    for (axis, code, words) in [
        (
            format!("samples = 15\n{parts}"),
            "E060",
            "15 base points are too few",
        ),
        (
            format!("samples = 300000\n{parts}"),
            "E024",
            "more than 1000000 points",
        ),
        (
            format!("samples = 20\n{one}"),
            "E060",
            "one path explains everything",
        ),
        (zip.to_owned(), "E060", "3 points are no design of 2 paths"),
        (
            "path = \"traffic.traffic.rate\"\nvalues = [1, 2]".to_owned(),
            "E060",
            "a design is of several paths",
        ),
        (
            format!("samples = 20\n{parts}\n{other}"),
            "E060",
            "the only axis",
        ),
    ] {
        let head = format!("[[axis]]\ndesign = \"sobol\"\n{axis}\n");
        let refused = read(&head).expect_err("no design");
        let found = refused.problems.iter().find(|problem| problem.code == code);
        assert!(
            found.is_some_and(|p| p.message.contains(words)),
            "{words}: {refused}"
        );
    }
    // Without a design there is nothing to tell.
    let head = format!("replications = 1\n[[axis]]\nsamples = 16\n{parts}\n");
    let plain = plan(&head);
    assert!(!plain.is_sobol() && sensitivity(&plain, &[]).is_empty());
}
