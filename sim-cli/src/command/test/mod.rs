//! `stampede test`: scenarios as a suite, for continuous integration.
//!
//! ```text
//! folders ─► scenarios ─► runs ─► what each expects of itself ┐
//!         │      NAME.figures.toml ─► what it is held to ──────┼─► cases ─► text, JSON, JUnit, annotations
//!         └► tests of alert rules ─► what they expect ─────────┘
//! ```

mod annotate;
mod figures;
mod job;
mod junit;
mod rules;
mod suite;

use crate::args::{Annotate, ListFormat, TestArgs};
use crate::exit::{Exit, Failure};
use crate::experiment::conduct;
use crate::part::write_whole;
use crate::terminal::{self, DIM, GREEN, Out, RED, YELLOW, say_warning};
use job::Job;
use serde::Serialize;
use sim_core::text::shown;
use std::io::Write;
use suite::Suite;

/// Something that holds, or does not.
#[derive(Serialize, Clone, Debug)]
struct Case {
    /// What should hold.
    what: String,
    /// The file that says so.
    file: String,
    /// Its line there; 0 for the file as a whole.
    line: usize,
    /// Why it does not hold.
    failure: Option<String>,
}

/// What was found of a scenario, or of a file that tests alert rules.
#[derive(Serialize, Default, Debug)]
struct Tested {
    /// As it was named, or found.
    name: String,
    /// Whether it is a file that tests alert rules.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    of_rules: bool,
    /// Whether it could be run at all.
    valid: bool,
    cases: Vec<Case>,
}

/// What a thread did: a run of a scenario, or a file that tests alert rules, with warnings.
enum Done {
    Ran(job::Ran),
    Tested((Tested, Vec<String>)),
}

/// Runs a suite.
pub(crate) fn run(args: &TestArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    let sets = args.sets.all(None);
    if args.update && !sets.is_empty() {
        let message =
            "--update writes down what the scenarios do as they are written, not with what is set";
        return Err(Failure::new(Exit::Usage, message).help("leave out --set or --update"));
    }
    let suite = Suite::find(&args.paths, quiet)?;
    if suite.scenarios.is_empty()
        && let Some(option) = args.of_scenarios()
    {
        let message = format!("{option} is for scenarios, and here are tests of alert rules alone");
        let help = format!("leave out {option}, or name scenarios, too");
        return Err(Failure::new(Exit::Usage, message).help(help));
    }
    let jobs: Result<Vec<Job>, Failure> = suite
        .scenarios
        .iter()
        .map(|name| job::read(name, &sets, args, quiet))
        .collect();
    let mut jobs = jobs?;
    let places: Vec<(usize, u64)> = (jobs.iter().enumerate())
        .flat_map(|(number, job)| (0..job.runs).map(move |replication| (number, replication)))
        .collect();
    let count = places.len() + suite.rules.len();
    let (done, _) = conduct(
        "test",
        args.threads,
        args.showing.progress,
        (quiet, out),
        |control| {
            control.plan(count as u64);
            control.map(count, |at| {
                let done = if let Some((number, replication)) = places.get(at) {
                    Done::Ran(job::simulate(&jobs[*number], *replication, control.cancel)?)
                } else {
                    let name = &suite.rules[at - places.len()];
                    Done::Tested(rules::tested(name, control.cancel)?)
                };
                control.did_one();
                Some(done)
            })
        },
    )?;
    if done.len() < count {
        return Ok(Exit::Interrupted);
    }
    let (mut ran, mut of_rules) = (Vec::new(), Vec::new());
    for done in done {
        match done {
            Done::Ran(one) => ran.push(one),
            Done::Tested(one) => of_rules.push(one),
        }
    }
    let mut tested = Vec::new();
    for job in &mut jobs {
        let rest = ran.split_off(job.runs as usize);
        let own = std::mem::replace(&mut ran, rest);
        if args.update && job.valid {
            job::update(job, &own, quiet)?;
        }
        tested.push(job::judged(job, &own, args));
    }
    for (found, warnings) in of_rules {
        if !quiet {
            for text in warnings {
                say_warning(&found.name, &text);
            }
        }
        tested.push(found);
    }
    if let Some(path) = &args.junit {
        let name = path.display();
        write_whole(path, junit::report(&tested).as_bytes())
            .map_err(|error| Failure::io(format!("cannot write {name}"), &error))?;
    }
    match args.format {
        ListFormat::Text => text(&tested, &suite.left_out, quiet, out)?,
        ListFormat::Json => {
            for tested in &tested {
                writeln!(out, "{}", terminal::json(tested))?;
            }
        }
    }
    if args.annotate == Some(Annotate::Github) {
        for case in tested.iter().flat_map(|tested| &tested.cases) {
            if let Some(line) = annotate::github(case) {
                writeln!(out, "{line}")?;
            }
        }
    }
    Ok(if tested.iter().any(|tested| !tested.valid) {
        Exit::Invalid
    } else if tested.iter().any(|tested| tested.failed() > 0) {
        Exit::Failed
    } else {
        Exit::Ok
    })
}

impl Tested {
    fn failed(&self) -> usize {
        let cases = self.cases.iter();
        cases.filter(|case| case.failure.is_some()).count()
    }
}

fn text(suite: &[Tested], left_out: &[String], quiet: bool, out: &mut Out) -> Result<(), Failure> {
    for tested in suite {
        let name = shown(&tested.name);
        match (tested.failed(), tested.cases.len()) {
            (0, 0) if tested.of_rules => {
                writeln!(out, "{YELLOW}–{YELLOW:#} {name}   it tests nothing")?;
            }
            (0, 0) => writeln!(
                out,
                "{YELLOW}–{YELLOW:#} {name}   it runs, and expects nothing: --update holds it to its figures"
            )?,
            (0, all) => writeln!(out, "{GREEN}✓{GREEN:#} {name}   {}", holding(all))?,
            (failed, all) => writeln!(out, "{RED}✗{RED:#} {name}   {failed} of {all} do not hold")?,
        }
        for case in &tested.cases {
            let Some(why) = &case.failure else { continue };
            let place = match case.line {
                0 => shown(&case.file).into_owned(),
                line => format!("{}:{line}", shown(&case.file)),
            };
            writeln!(out, "  {place}   {}", shown(&case.what))?;
            writeln!(out, "    {}", shown(why))?;
        }
    }
    let all: usize = suite.iter().map(|tested| tested.cases.len()).sum();
    let failed: usize = suite.iter().map(Tested::failed).sum();
    let (rules, scenarios): (Vec<&Tested>, Vec<&Tested>) =
        suite.iter().partition(|tested| tested.of_rules);
    let counted = [
        (scenarios.len(), "scenario", "scenarios"),
        (rules.len(), "test of alert rules", "tests of alert rules"),
    ];
    let counted = counted.iter().filter(|(count, ..)| *count > 0);
    let counted: Vec<String> = counted
        .map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }))
        .collect();
    writeln!(
        out,
        "\n{}: {} of {all} hold",
        counted.join(" and "),
        all - failed
    )?;
    if !quiet && !left_out.is_empty() {
        let names: Vec<_> = left_out.iter().map(|name| shown(name)).collect();
        writeln!(out, "{DIM}no scenarios: {}{DIM:#}", names.join(", "))?;
    }
    Ok(())
}

fn holding(all: usize) -> String {
    match all {
        1 => "it holds".to_owned(),
        all => format!("all {all} hold"),
    }
}
