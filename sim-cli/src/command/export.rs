//! `stampede export`: a scenario as settings of another program, or as a load test.

use super::create;
use crate::args::{ExportArgs, ListFormat};
use crate::exit::{Exit, Failure};
use crate::input::Input;
use crate::terminal::{self, DIM, Out, YELLOW, say};
use serde::Serialize;
use sim_core::text::shown;
use sim_import::export::{self, Exported, Left};
use std::io::Write;

/// Values without counterpart that are shown before the rest is counted.
const SHOWN: usize = 100;

/// Writes a scenario as a program has it, and tells what has no counterpart.
pub(crate) fn run(args: &ExportArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    let input = Input::open(&args.scenario, out.given())?;
    let sets = args.sets.all(None);
    let told = |problems| super::refused_input(&input, &sets, &problems);
    let scenario = input.scenario(&sets).map_err(told)?;
    let Some(target) = export::target(&args.target) else {
        let message = format!("nothing is exported as {:?}", args.target);
        return Err(Failure::new(Exit::Usage, message));
    };
    let exported = export::export(&scenario, target).map_err(told)?;
    if let Some(path) = &args.output {
        create(path, exported.text.as_bytes())?;
    }
    match args.format {
        ListFormat::Json => writeln!(out, "{}", terminal::json(&as_json(&exported)))?,
        ListFormat::Text if args.output.is_none() => write!(out, "{}", exported.text)?,
        ListFormat::Text => {}
    }
    out.flush()?;
    if !quiet && args.format == ListFormat::Text {
        report(&exported, target.name);
    }
    Ok(Exit::Ok)
}

#[derive(Serialize)]
struct Json<'a> {
    text: &'a str,
    left: Vec<LeftJson<'a>>,
    remarks: &'a [String],
}

#[derive(Serialize)]
struct LeftJson<'a> {
    path: &'a str,
    value: &'a str,
    why: &'a str,
}

fn as_json(exported: &Exported) -> Json<'_> {
    let left = exported.left.iter().map(|left| LeftJson {
        path: &left.path,
        value: &left.value,
        why: &left.why,
    });
    Json {
        text: &exported.text,
        left: left.collect(),
        remarks: &exported.remarks,
    }
}

/// What has no counterpart, and what is to be known.
fn report(exported: &Exported, target: &str) {
    if !exported.left.is_empty() {
        say(&format!("{YELLOW}no counterpart in {target}{YELLOW:#}"));
    }
    let line = |left: &Left| {
        say(&format!(
            "  {} = {}{DIM}: {}{DIM:#}",
            shown(&left.path),
            shown(&left.value),
            left.why
        ));
    };
    exported.left.iter().take(SHOWN).for_each(line);
    if exported.left.len() > SHOWN {
        let more = exported.left.len() - SHOWN;
        say(&format!("  … and {more} more: --format json has all"));
    }
    say(&format!("{YELLOW}to be known{YELLOW:#}"));
    for remark in &exported.remarks {
        say(&format!("  {}", shown(remark)));
    }
}
