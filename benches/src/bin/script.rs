//! What a pick costs: policies of the program, and scripts that imitate them.
//!
//! `cargo run --release -p benches --bin script [-- servers [rounds]]`
#![expect(
    clippy::print_stdout,
    reason = "a table on the terminal is all it does"
)]

use benches::contest::cpu_ns;
use sim_core::draws::Stream;
use sim_core::extension::{Def, ParamValue, Params};
use sim_core::policy::{FleetView, Job, Lines, Oracle, Policy, PolicyDef, Report};
use sim_core::time::Instant;
use std::hint::black_box;

const TWO: &str = include_str!("../../../sim-core/tests/less-of-two.policy");

const TURNS: &str = "
let place = -1;
fn pick() { place += 1; if place >= count() { place = 0; } return eligible(place); }";

const LEAST: &str = "
fn pick() {
    let best = none; let least = 0;
    for s in eligible {
        let load = in_flight(s);
        if best == none || load < least { best = s; least = load; }
    }
    return best;
}";

/// What least-in-flight is set to, so that no draw decides.
const FIRST_OF_EQUALS: &[(&str, ParamValue)] = &[
    ("ties", ParamValue::Choice(1)),
    ("weighing", ParamValue::Choice(0)),
];

/// A policy, its parameters, and a script.
type Pair = (
    &'static str,
    &'static [(&'static str, ParamValue)],
    &'static str,
);

/// Each policy of the program, with its parameters, and a script that does the same.
const PAIRS: &[Pair] = &[
    ("random", &[], "fn pick() { return any(); }"),
    (
        "power-of-d",
        &[
            ("d", ParamValue::Integer(2)),
            ("replacement", ParamValue::Flag(false)),
            ("compare", ParamValue::Choice(0)),
        ],
        TWO,
    ),
    ("round-robin", &[("start", ParamValue::Choice(1))], TURNS),
    (
        "least-in-flight",
        FIRST_OF_EQUALS,
        "fn pick() { return least_in_flight(); }",
    ),
    ("least-in-flight", FIRST_OF_EQUALS, LEAST),
];

/// Nobody who looks into servers is measured here.
struct Nothing;

impl Oracle for Nothing {
    fn in_system(&self, _: usize) -> u32 {
        0
    }
    fn work_left_ns(&self, _: usize) -> f64 {
        0.0
    }
    fn probe(&self, _: usize) -> (u32, Option<f32>) {
        (0, None)
    }
    fn report(&self, _: usize) -> Report {
        Report::default()
    }
}

/// Picks of one measurement.
const PICKS: u64 = 200_000;

/// Nanoseconds of a pick, and the sum of all that were picked.
fn measure(policy: &mut dyn Policy, view: &FleetView<'_>) -> (f64, u64) {
    let stream = Stream::new(1, 0, "policy");
    let begun = cpu_ns();
    let mut sum = 0;
    for number in 0..PICKS {
        let picked = policy.pick(view, &Job::default(), &mut stream.at(number));
        sum += black_box(picked).map_or(0, |server| server as u64);
    }
    ((cpu_ns() - begun) as f64 / PICKS as f64, sum)
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| {
        text.parse::<usize>()
            .unwrap_or_else(|_| panic!("usage: script [servers [rounds]]"))
    });
    let servers = arguments.next().unwrap_or(100);
    let rounds = arguments.next().unwrap_or(9);
    let eligible: Vec<u32> = (0..servers as u32).collect();
    let in_flight: Vec<u32> = eligible
        .iter()
        .map(|server| server * 7919 % 13 + 1)
        .collect();
    let weights = vec![1.0; servers];
    let view = FleetView {
        now: Instant::ZERO,
        eligible: &eligible,
        narrowed: false,
        reported: false,
        in_flight: &in_flight,
        weights: &weights,
        lines: Lines::default(),
        oracle: &Nothing,
    };
    let row = |name: &str| -> &'static PolicyDef {
        let rows = PolicyDef::registry().rows();
        let found = rows.iter().find(|def| def.row.name == name);
        found.unwrap_or_else(|| panic!("there is no policy {name}"))
    };
    println!("{servers} servers, {rounds} rounds in turns; nanoseconds of CPU a pick");
    println!(
        "{:<18}{:>10}{:>10}{:>8}",
        "policy", "own", "script", "times"
    );
    for (name, params, code) in PAIRS {
        let script = vec![
            ("code", ParamValue::Text((*code).into())),
            ("parameters", ParamValue::Numbers([].into())),
        ];
        let mut made = [
            (row(name).build)(&Params::new(params.to_vec())),
            (row("script").build)(&Params::new(script)),
        ];
        for policy in &mut made {
            policy.place_servers(servers, &|_| Stream::new(1, 0, "ring"));
            policy.on_fleet_changed(&view);
        }
        let mut spent = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            let mut sums = [0; 2];
            for ((policy, spent), sum) in made.iter_mut().zip(&mut spent).zip(&mut sums) {
                let (ns, picked) = measure(&mut **policy, &view);
                spent.push(ns);
                *sum = picked;
            }
            assert_eq!(sums[0], sums[1], "{name} and its script differ");
        }
        let [own, script] = spent.map(|mut spent| {
            spent.sort_by(f64::total_cmp);
            spent[spent.len() / 2]
        });
        println!("{name:<18}{own:>10.1}{script:>10.1}{:>8.1}", script / own);
    }
}
