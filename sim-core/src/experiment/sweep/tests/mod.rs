//! What sweeps promise.

mod bad_plans;
mod precise;
mod sensitive;

use super::journal::{Header, Journal, Mismatch, line_of};
use super::merge::{Gap, merge};
use super::plan::Plan;
use super::row::{Ended, Row};
use super::run::{run, run_with};
use super::shard::Shard;
use super::steps::Steps;
use crate::experiment::{Control, Measure, Run};
use crate::model::Model;
use crate::scenario::{NoFiles, Problems, Source};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A small system, written within the plan.
const SCENARIO: &str = r#"
[scenario]
horizon = "2s"
traffic = [{ to = "web", rate = 200 }]
[scenario.service.web]
demand = { kind = "exponential", mean = "10ms" }
server = [{ name = "a", workers = 2, queue = { limit = 50 } }, { name = "b", workers = 2 }]
"#;

fn read(head: &str) -> Result<Plan, Problems> {
    Plan::read(
        &Source::new("plan.toml", format!("{head}\n{SCENARIO}")),
        &NoFiles,
    )
}

fn plan(head: &str) -> Plan {
    read(head).unwrap_or_else(|problems| panic!("{problems}\n{head}"))
}

fn rows(plan: &Plan, threads: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let all = Shard::WHOLE.cells(plan);
    let stop = AtomicBool::new(false);
    run(plan, &all, threads, &stop, &mut |row| {
        rows.push(row);
        Ok::<(), ()>(())
    })
    .expect("nothing fails here");
    rows.sort_by_key(|row| row.cell);
    rows
}

fn journal(plan: &Plan, shard: Shard, rows: &[Row]) -> Vec<u8> {
    let mut text = Header::of(plan, shard).line();
    text.extend(rows.iter().filter(|row| shard.has(row.cell)).map(line_of));
    text.into_bytes()
}

const TWO: &str = r#"
replications = 5
measures = ["response_time_s.mean", "availability", "services.web.servers.a.utilisation"]
[[axis]]
path = "traffic.traffic.rate"
values = [100, 200, 300]
[[axis]]
path = "service.web.balancer.policy"
name = "policy"
values = ["random", { kind = "power-of-d", d = 2 }]
"#;

#[test]
fn cells_are_numbered_with_the_last_axis_fastest() {
    let plan = plan(TWO);
    assert_eq!(plan.cells(), 6);
    assert_eq!(plan.columns(), ["traffic.traffic.rate", "policy"]);
    assert_eq!(
        plan.cell(3).values,
        ["200", "{ kind = \"power-of-d\", d = 2 }"]
    );
    assert_eq!(plan.cell(4).values, ["300", "random"]);
}

#[test]
fn rows_do_not_depend_on_threads() {
    let plan = plan(TWO);
    let one = rows(&plan, 1);
    assert_eq!(one.len(), 6);
    // Two seconds are too few for an idle fleet, and enough for a busy one.
    let mut with_interval = 0;
    for row in &one {
        assert_eq!(row.failed, 0, "{}", row.notes);
        let has = row.figures[2]
            .interval
            .is_some_and(|(low, high)| low < high);
        assert!(has || row.notes.contains("too short"), "{row:?}");
        with_interval += usize::from(has);
    }
    assert!((3..6).contains(&with_interval), "{with_interval}");
    for threads in [2, 7] {
        assert_eq!(rows(&plan, threads), one, "{threads} threads");
    }
}

#[test]
fn step_by_step_is_the_same_as_on_threads() {
    let plan = Arc::new(plan(TWO));
    let expected = rows(&plan, 2);
    for events in [100, 1_000_000] {
        let mut steps = Steps::new(Arc::clone(&plan), Shard::WHOLE.cells(&plan));
        let mut found: Vec<Row> = Vec::new();
        while !steps.is_over() {
            found.extend(steps.step(events));
            let whole = found.len() as u64 * plan.replications();
            assert!((whole..=whole + plan.replications()).contains(&steps.replications()));
        }
        assert_eq!(found, expected, "{events} events at a time");
        assert!(steps.step(events).is_none());
    }
}

#[test]
fn every_cell_has_the_same_random_numbers() {
    // Only a name differs between these cells, so the runs may not.
    let plan = plan("[[axis]]\npath = \"title\"\nvalues = [\"one\", \"other\"]\n");
    let rows = rows(&plan, 2);
    assert_eq!(rows[0].digest, rows[1].digest);
    assert_eq!(rows[0].figures, rows[1].figures);
}

#[test]
fn further_cells_leave_the_others_as_they_are() {
    let few = plan(TWO);
    let more = plan(&TWO.replace("[100, 200, 300]", "[50, 100, 200, 300, 400]"));
    let (few_rows, more_rows) = (rows(&few, 2), rows(&more, 2));
    for row in &few_rows {
        let same = more_rows
            .iter()
            .find(|other| other.identity == row.identity);
        let same = same.expect("the cell is in the larger plan too");
        assert_eq!(
            (&same.values, &same.figures, same.digest),
            (&row.values, &row.figures, row.digest)
        );
    }
    assert_ne!(few.hash(), more.hash());
    let other = plan(&TWO.replace("replications = 5", "replications = 6"));
    assert_ne!(other.cell(0).identity, few.cell(0).identity);
}

#[test]
fn a_plan_written_out_is_the_same_plan() {
    for head in [
        TWO,
        "name = \"x\"\nseed = 7\nlimits = { events = 1000000 }\n[set]\nhorizon = \"3s\"\n[[axis]]\npath = \"traffic.traffic.rate\"\nfrom = 10\nto = 1000\ncount = 5\nspacing = \"log\"\n",
        "[[axis]]\nsamples = 7\nlatin_hypercube = [{ path = \"traffic.traffic.rate\", from = 10, to = 200 }, { path = \"client.timeout\", from = \"10ms\", to = \"1s\", spacing = \"log\" }]\n",
    ] {
        let plan = plan(head);
        let text = plan.to_toml();
        let again = Plan::read(&Source::new("stdin", text.clone()), &NoFiles)
            .unwrap_or_else(|problems| panic!("{problems}\n{text}"));
        assert_eq!(again.hash(), plan.hash(), "{text}");
        assert_eq!(again.to_toml(), text);
        assert_eq!(again.scenario_hash(), plan.scenario_hash());
        for cell in 0..plan.cells() {
            assert_eq!(again.cell(cell), plan.cell(cell));
        }
    }
}

#[test]
fn ranges_have_round_values() {
    let values = |lines: &str| {
        let plan = plan(&format!(
            "[[axis]]\npath = \"traffic.traffic.rate\"\n{lines}\n"
        ));
        (0..plan.cells())
            .map(|c| plan.cell(c).values.concat())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        values("from = 0.1\nto = 0.5\nstep = 0.1"),
        ["0.1", "0.2", "0.3", "0.4", "0.5"]
    );
    assert_eq!(
        values("from = 100\nto = 300\ncount = 5"),
        ["100", "150", "200", "250", "300"]
    );
    assert_eq!(
        values("from = 300\nto = 100\nstep = -100"),
        ["300", "200", "100"]
    );
    assert_eq!(
        values("from = 1\nto = 1000\ncount = 4\nspacing = \"log\""),
        ["1", "10", "100", "1000"]
    );
    assert_eq!(
        values("from = 1\nto = 10\ncount = 7\nspacing = \"log\"\nwhole = true"),
        ["1", "2", "3", "5", "7", "10"]
    );
    let spans =
        plan("[[axis]]\npath = \"client.timeout\"\nfrom = \"100ms\"\nto = \"1s\"\ncount = 4\n");
    let spans: Vec<String> = (0..4).map(|c| spans.cell(c).values.concat()).collect();
    assert_eq!(spans, ["100ms", "400ms", "700ms", "1s"]);
}

#[test]
fn paths_that_go_together_make_one_axis() {
    let plan = plan(
        r#"
        [[axis]]
        zip = [
            { path = "service.web.server.a.workers", values = [1, 2, 4] },
            { path = "traffic.traffic.rate", name = "rate", from = 50, to = 150, count = 3 },
        ]
        [[axis]]
        path = "client.timeout"
        values = ["1s", "none"]
        "#,
    );
    assert_eq!(plan.cells(), 6);
    assert_eq!(plan.cell(2).values, ["2", "100", "1s"]);
}

#[test]
fn a_latin_hypercube_takes_each_stratum_once() {
    let head = |parts: &str| {
        plan(&format!(
            "[[axis]]\nsamples = 20\nseed = 3\nlatin_hypercube = [{parts}]\n"
        ))
    };
    let rate = r#"{ path = "traffic.traffic.rate", from = 0.0, to = 20.0 }"#;
    let plan = head(&format!(
        r#"{rate}, {{ path = "service.web.server.a.workers", from = 1, to = 21, whole = true }},
           {{ path = "service.web.balancer.policy", values = ["random", "round-robin"] }}"#
    ));
    let column = |plan: &Plan, c: usize| -> Vec<String> {
        (0..plan.cells())
            .map(|cell| plan.cell(cell).values[c].clone())
            .collect()
    };
    let rates = column(&plan, 0);
    let mut strata: Vec<usize> = rates
        .iter()
        .map(|r| r.parse::<f64>().expect("a rate") as usize)
        .collect();
    assert!(
        !strata.is_sorted(),
        "the strata are in an order of their own: {strata:?}"
    );
    strata.sort_unstable();
    assert_eq!(strata, (0..20).collect::<Vec<_>>());
    let random = column(&plan, 2).iter().filter(|p| *p == "random").count();
    assert_eq!(random, 10, "each value is taken equally often");
    assert_eq!(
        column(&head(rate), 0),
        rates,
        "another path changes nothing in this one"
    );
}

#[test]
fn a_torn_or_damaged_line_costs_its_cell_only() {
    let plan = plan(TWO);
    let all = rows(&plan, 2);
    let bytes = journal(&plan, Shard::WHOLE, &all);
    let whole = Journal::read(&bytes, &plan, Some(Shard::WHOLE)).expect("a journal");
    assert_eq!(
        (whole.rows, whole.whole, whole.dropped),
        (all.clone(), bytes.len(), 0)
    );
    let lines: Vec<usize> = (0..bytes.len())
        .filter(|i| bytes[*i] == b'\n')
        .map(|i| i + 1)
        .collect();
    for cut in 0..=bytes.len() {
        let read = Journal::read(&bytes[..cut], &plan, Some(Shard::WHOLE));
        let before = lines.iter().filter(|end| **end <= cut).count();
        if before == 0 {
            assert_eq!(read, Err(Mismatch::NoJournal), "cut at {cut}");
            continue;
        }
        let read = read.expect("the first line is whole");
        assert_eq!(read.rows[..], all[..before - 1], "cut at {cut}");
        assert_eq!(read.whole, lines[before - 1]);
    }
    let mut damaged = bytes.clone();
    damaged[lines[2] + 30] ^= 1;
    let read = Journal::read(&damaged, &plan, None).expect("the rest is fine");
    assert_eq!((read.rows.len(), read.dropped), (5, 1));
}

#[test]
fn a_journal_is_bound_to_its_plan_and_shard() {
    let plan_one = plan(TWO);
    let rows = rows(&plan_one, 2);
    let bytes = journal(&plan_one, Shard::WHOLE, &rows);
    let other = plan(&TWO.replace("100, 200", "100, 250"));
    assert_eq!(
        Journal::read(&bytes, &other, None),
        Err(Mismatch::OtherPlan)
    );
    let shard = Shard::parse("1/2").expect("a shard");
    assert_eq!(
        Journal::read(&bytes, &plan_one, Some(shard)),
        Err(Mismatch::OtherShard("0/1".to_owned()))
    );
    let mut twice = bytes.clone();
    twice.extend(line_of(&rows[2]).into_bytes());
    assert_eq!(
        Journal::read(&twice, &plan_one, None),
        Err(Mismatch::Twice(2))
    );
    let version = String::from_utf8(bytes).expect("text");
    let version = version.replacen(env!("CARGO_PKG_VERSION"), "99.0.0", 1);
    let read = Journal::read(version.as_bytes(), &plan_one, None);
    assert_eq!(read, Err(Mismatch::NoJournal), "its checksum is wrong");
}

#[test]
fn shards_make_the_whole_or_say_what_is_wrong() {
    let plan = plan(TWO);
    let all = rows(&plan, 2);
    let part = |text: &str| {
        let shard = Shard::parse(text).expect("a shard");
        (format!("shard {text}"), journal(&plan, shard, &all))
    };
    let merged = merge(&plan, &[part("2/3"), part("0/3"), part("1/3")]).expect("all are there");
    assert_eq!(merged, all);
    let missing = merge(&plan, &[part("0/3"), part("2/3")]).expect_err("one is missing");
    assert_eq!(missing.to_string(), "2 cells are missing: 1, 4");
    let doubled = merge(&plan, &[part("0/2"), part("1/2"), part("1/3")]).expect_err("one too many");
    assert_eq!(
        doubled.to_string(),
        "cell 1 is both in shard 1/2 and in shard 1/3"
    );
    let alien = merge(
        &plan,
        &[part("0/2"), ("x".to_owned(), b"some text\n".to_vec())],
    );
    assert!(
        matches!(alien, Err(Gap::Alien { ref name, .. }) if name == "x"),
        "{alien:?}"
    );
    for wrong in ["3/3", "-1/3", "1", "1/0", "a/b", "0/99999999999999999999"] {
        assert!(Shard::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_cell_that_fails_does_not_stop_the_rest() {
    let plan = plan(
        "[[axis]]\npath = \"warm_up\"\nvalues = [\"0s\", \"1s\", \"2s\"]\n[[axis]]\npath = \"limits.events\"\nvalues = [100, 1000000]\n",
    );
    let rows = rows(&plan, 2);
    assert_eq!(rows.len(), 6);
    let failed: Vec<usize> = rows
        .iter()
        .filter(|r| r.failed > 0)
        .map(|r| r.cell)
        .collect();
    assert_eq!(
        failed,
        [0, 2, 4, 5],
        "too few events, or nothing left to measure"
    );
    assert!(rows[0].notes.contains("limits.events"), "{}", rows[0].notes);
    assert!(rows[5].notes.contains("E017"), "{}", rows[5].notes);
    assert_eq!(rows[5].failed, 10);
    assert!(
        rows[0]
            .figures
            .iter()
            .all(|f| f.mean.is_none() && f.interval.is_none())
    );
}

#[test]
fn a_panic_in_one_cell_is_told_and_the_others_go_on() {
    let plan = plan(TWO);
    let all = Shard::WHOLE.cells(&plan);
    let simulate =
        |model: &Arc<Model>, n: u64, m: &[Measure], stop: &AtomicBool| -> Option<Ended> {
            // The rate of cells 2 and 3.
            let rate = model.sources[0].rate.initial_hz();
            assert!(
                rate.to_bits() != 200.0_f64.to_bits() || n != 3,
                "as if something were wrong"
            );
            let control = Control::new(NonZeroUsize::MIN, stop, &|_| {});
            crate::experiment::run_one(model, n, m, &control).map(Ok::<Run, String>)
        };
    let mut rows = Vec::new();
    let stop = AtomicBool::new(false);
    let mut done = |row: Row| {
        rows.push(row);
        Ok::<(), ()>(())
    };
    run_with(&plan, &all, 2, &stop, &mut done, &simulate).expect("the rest goes on");
    rows.sort_by_key(|row| row.cell);
    let failed: Vec<u64> = rows.iter().map(|row| row.failed).collect();
    assert_eq!(failed, [0, 0, 1, 1, 0, 0]);
    assert_eq!(
        rows[2].notes,
        "replication 3: a mistake of the program: as if something were wrong"
    );
}

#[test]
fn whoever_stops_gets_whole_cells_only() {
    let plan = plan(TWO);
    let all = Shard::WHOLE.cells(&plan);
    let expected = rows(&plan, 1);
    for threads in [1, 3] {
        let stop = AtomicBool::new(false);
        let mut some = Vec::new();
        run(&plan, &all, threads, &stop, &mut |row| {
            stop.store(some.len() >= 2, Ordering::Relaxed);
            some.push(row);
            Ok::<(), ()>(())
        })
        .expect("stopping is no error");
        assert!(some.len() >= 3 || threads > 1, "{}", some.len());
        for row in some {
            assert_eq!(row, expected[row.cell]);
        }
        let mut taken = 0;
        let stop = AtomicBool::new(false);
        let full = run(&plan, &all, threads, &stop, &mut |_| {
            taken += 1;
            Err("the disk is full")
        });
        assert_eq!((full, taken), (Err("the disk is full"), 1));
    }
}
