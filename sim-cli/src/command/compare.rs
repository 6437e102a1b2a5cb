//! `stampede compare`: variants side by side, under the same random numbers.

use super::replications::stop_words;
use crate::args::{CompareArgs, ResultFormat};
use crate::exit::{Exit, Failure};
use crate::experiment::{WithHost, check_output, check_warm_up, conduct, measures, plan, warm_up};
use crate::folder::{EXPERIMENT, Folder};
use crate::input::Input;
use crate::table::Table;
use crate::terminal::{self, BOLD, DIM, Out, YELLOW};
use sim_core::experiment::{Comparison, Stop, Unfit, Variant, WarmUp, compare, warmed};
use sim_core::plot::intervals::{Row, intervals};
use sim_core::readable;
use sim_core::report::{ComparisonReport, words, write_comparison, write_variant_runs};
use std::io::Write;

/// Reads all variants, runs them and tells which is better.
pub(crate) fn run(args: &CompareArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    let variants = variants(args)?;
    let models: Vec<_> = variants.iter().map(|v| v.model.clone()).collect();
    let borrowed: Vec<_> = models.iter().collect();
    check_warm_up(&args.experiment, &borrowed)?;
    let measures = measures(&args.experiment, &borrowed)?;
    check_output(&args.result)?;
    let mut plan = plan(&args.experiment, measures, 0);
    plan.replications = plan.replications.max(1);
    let (found, mut host) = conduct(
        "compare",
        args.experiment.effort.threads,
        args.result.progress,
        quiet,
        |control| {
            let warm_up = warm_up(&args.experiment, &models, plan.first, control)?;
            let warmed = warmed(&models, &warm_up);
            let variants = variants
                .iter()
                .zip(warmed)
                .map(|(variant, model)| Variant {
                    name: variant.name.clone(),
                    model,
                })
                .collect();
            let found = match warm_up {
                WarmUp::TooShort { needs, .. } => {
                    Comparison::without_warm_up(variants, &plan, needs)
                }
                _ => compare(variants, &plan, control),
            };
            Some((found, warm_up))
        },
    )?;
    let Some((found, warm_up)) = found else {
        return Ok(Exit::Interrupted);
    };
    let exit = if found.stop == Stop::Interrupted {
        Exit::Interrupted
    } else if warm_up.length().is_some() && found.runs.iter().flatten().all(|run| run.complete) {
        Exit::Ok
    } else {
        Exit::Failed
    };
    host.exit_code = exit.code();
    let report = ComparisonReport::of(&found, &warm_up);
    if let Some(target) = &args.result.output {
        let folder = Folder::begin(target, args.result.force)?;
        folder.write("comparison.csv", |out| write_comparison(&report, out))?;
        folder.write("replications.csv", |out| write_variant_runs(&report, out))?;
        folder.write("measures.svg", |out| out.write_all(plot(&found).as_bytes()))?;
        folder.write(EXPERIMENT, |out| {
            writeln!(out, "{}", terminal::json(&report))
        })?;
        folder.finish()?;
    }
    match args.result.format {
        ResultFormat::Json => {
            let report = &report;
            writeln!(out, "{}", terminal::json(&WithHost { report, host }))?;
        }
        ResultFormat::Csv => write_comparison(&report, out)?,
        ResultFormat::Text => {
            text(&found, &warm_up, args.pairs, out)?;
            if let Some(folder) = args.result.output.as_ref().filter(|_| !quiet) {
                writeln!(out, "{DIM}results in {}{DIM:#}", terminal::place(folder))?;
            }
        }
    }
    Ok(exit)
}

/// Every combination of scenarios and values.
fn variants(args: &CompareArgs) -> Result<Vec<Variant>, Failure> {
    let inputs: Vec<Input> = args
        .scenarios
        .iter()
        .map(|argument| Input::open(argument))
        .collect::<Result<_, _>>()?;
    let mut read = |number: usize, sets: &[(String, String)]| {
        let mut all = args.seeded.all();
        all.extend(sets.iter().cloned());
        inputs[number]
            .scenario(&all)
            .and_then(|scenario| scenario.model().map(|model| (scenario, model)))
    };
    sim_core::experiment::variants(inputs.len(), &args.vary, &mut read).map_err(|unfit| match unfit
    {
        Unfit::Usage { message, help, .. } => {
            let failure = Failure::new(Exit::Usage, message);
            if help.is_empty() {
                failure
            } else {
                failure.help(help)
            }
        }
        Unfit::Refused(problems) => super::refused(&problems),
    })
}

fn text(found: &Comparison, warm_up: &WarmUp, pairs: bool, out: &mut Out) -> Result<(), Failure> {
    let model = &found.variants[0].model;
    let level = readable::share(found.level);
    writeln!(
        out,
        "{BOLD}{} variants{BOLD:#} · {} each of {}, the same random numbers in all · {} · {}",
        found.variants.len(),
        readable::counted(found.runs[0].len(), "replication"),
        words::horizons(found),
        words::estimand(found.steady),
        words::warm_up(warm_up)
    )?;
    writeln!(
        out,
        "  {DIM}{level} confidence for each mean, and for all differences in a measure together (Holm) · seed {}{DIM:#}",
        model.seed
    )?;
    if let Some(words) = stop_words(found.stop) {
        writeln!(out, "  {YELLOW}!{YELLOW:#} {words}")?;
    }
    for at in 0..found.measures.len() {
        in_measure(found, at, pairs, out)?;
    }
    Ok(())
}

fn in_measure(found: &Comparison, at: usize, pairs: bool, out: &mut Out) -> Result<(), Failure> {
    let (measure, compared) = (&found.measures[at], &found.compared[at]);
    writeln!(out, "\n{BOLD}{}{BOLD:#}", found.verdict(at))?;
    let mut table = Table::default();
    let head = format!("from {}", found.variants[0].name);
    table.row(["rank", "variant", "mean", "interval", &head]);
    for place in &compared.ranking {
        let rank = words::rank(place.best, place.worst);
        let mut row = vec![rank, found.variants[place.variant].name.clone()];
        let mut cells = words::estimate(measure, &compared.estimates[place.variant]);
        cells.truncate(2);
        row.extend(cells);
        if let Some(pair) = found.pair(at, 0, place.variant) {
            row.push(words::difference(found, at, pair));
        }
        table.row(row);
    }
    write!(out, "{}", table.text(2))?;
    if measure.path().contains("response_time") {
        for (name, availability) in words::less_answered(found) {
            writeln!(
                out,
                "  {YELLOW}!{YELLOW:#} response times are of answered requests only: {name} answered {}",
                readable::share(availability)
            )?;
        }
    }
    if pairs {
        let mut table = Table::default();
        for pair in &compared.pairs {
            table.row([
                format!(
                    "{} − {}",
                    found.variants[pair.right].name, found.variants[pair.left].name
                ),
                words::difference(found, at, pair),
                pair.p_adjusted.map_or(String::new(), readable::chance),
            ]);
        }
        writeln!(out)?;
        write!(out, "{}", table.text(2))?;
    }
    Ok(())
}

/// The first measure of all variants, with the differences below.
fn plot(found: &Comparison) -> String {
    let measure = &found.measures[0];
    let compared = &found.compared[0];
    let rows: Vec<Row> = compared
        .ranking
        .iter()
        .map(|place| {
            let estimate = &compared.estimates[place.variant];
            Row {
                name: found.variants[place.variant].name.clone(),
                mean: estimate.mean(),
                interval: estimate.ends(),
                note: words::estimate(measure, estimate)[..2].join(" "),
            }
        })
        .collect();
    intervals(
        &found.verdict(0),
        measure.path(),
        measure.unit(),
        &rows,
        false,
    )
}
