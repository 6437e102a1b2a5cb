//! `stampede check`: what is wrong with scenarios, without simulating them.

use crate::args::{CheckArgs, ListFormat};
use crate::diagnostics::{self, ProblemJson};
use crate::exit::{Exit, Failure};
use crate::input::Input;
use crate::terminal::{self, GREEN, Out, say, say_warning};
use serde::Serialize;
use sim_core::model::Model;
use sim_core::readable;
use sim_core::scenario::{Problems, Scenario};
use sim_core::text::shown;
use std::io::Write;

/// What was found in one scenario.
#[derive(Serialize)]
struct Finding<'a> {
    scenario: &'a str,
    valid: bool,
    scenario_hash: Option<String>,
    problems: Vec<ProblemJson<'a>>,
    problems_left_out: usize,
    warnings: &'a [String],
}

/// What was read of one scenario.
struct Read {
    name: String,
    scenario: Result<(Scenario, Model), Problems>,
    warnings: Vec<String>,
}

/// Checks every scenario and prints what was found.
pub(crate) fn run(args: &CheckArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    let mut all = Vec::new();
    for argument in &args.scenarios {
        let input = Input::open(argument, out.given())?;
        let scenario = input
            .scenario(&args.sets.all(None))
            .and_then(|scenario| scenario.model().map(|model| (scenario, model)));
        let warnings = scenario
            .as_ref()
            .map_or(Vec::new(), |(scenario, _)| scenario.warnings());
        all.push(Read {
            name: input.source().name.clone(),
            scenario,
            warnings,
        });
    }
    match args.format {
        ListFormat::Text => text(&all, quiet, out)?,
        ListFormat::Json => json(&all, out)?,
    }
    Ok(if all.iter().all(|read| read.scenario.is_ok()) {
        Exit::Ok
    } else {
        Exit::Invalid
    })
}

fn text(all: &[Read], quiet: bool, out: &mut Out) -> Result<(), Failure> {
    for Read {
        name,
        scenario,
        warnings,
    } in all
    {
        match scenario {
            Ok((scenario, model)) => {
                if !quiet {
                    for text in warnings {
                        say_warning(name, text);
                    }
                }
                writeln!(
                    out,
                    "{GREEN}ok{GREEN:#} {}   {}   {:016x}",
                    shown(name),
                    contents(model),
                    scenario.hash()
                )?;
            }
            Err(problems) => {
                out.flush()?;
                say(&diagnostics::render(problems));
            }
        }
    }
    Ok(())
}

fn contents(model: &Model) -> String {
    let counted = |count: usize, one: &str, many: &str| {
        format!(
            "{} {}",
            readable::number(count as f64),
            if count == 1 { one } else { many }
        )
    };
    let parts = [
        counted(model.services.len(), "service", "services"),
        counted(model.servers.len(), "server", "servers"),
        counted(model.timeline.len(), "time line entry", "time line entries"),
        counted(model.expectations.len(), "expectation", "expectations"),
    ];
    format!("{}, {}", model.horizon, parts.join(", "))
}

fn json(all: &[Read], out: &mut Out) -> Result<(), Failure> {
    for read in all {
        let problems = read.scenario.as_ref().err();
        let finding = Finding {
            scenario: &read.name,
            valid: problems.is_none(),
            scenario_hash: read
                .scenario
                .as_ref()
                .ok()
                .map(|(scenario, _)| format!("{:016x}", scenario.hash())),
            problems: problems.map_or(Vec::new(), diagnostics::to_json),
            problems_left_out: problems.map_or(0, |p| p.left_out),
            warnings: &read.warnings,
        };
        writeln!(out, "{}", terminal::json(&finding))?;
    }
    Ok(())
}
