//! `stampede compare`: variants side by side, under the same random numbers.

use super::replications::stop_words;
use crate::args::CompareArgs;
use crate::deliver::{Results, deliver};
use crate::exit::{Exit, Failure};
use crate::experiment::{check_output, check_warm_up, conduct, measures, plan, warm_up};
use crate::input::Input;
use crate::sheet;
use crate::terminal::Out;
use sim_core::experiment::{Comparison, Stop, Unfit, Variant, WarmUp, compare};
use sim_core::plot::intervals::{Intervals, Row};
use sim_core::readable;
use sim_core::report::sheet::{Block, Sheet, Table};
use sim_core::report::{ComparisonReport, Picture, words, write_comparison, write_variant_runs};
use sim_core::scenario::Scenario;

/// Reads all variants, runs them and tells which is better.
pub(crate) fn run(args: &CompareArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    if let Some(figure) = &args.select {
        return super::select::run(args, figure, quiet, out);
    }
    let mut read = Vec::new();
    let variants = variants(args, out.given(), &mut read)?;
    let models: Vec<_> = variants.iter().map(|v| v.model.clone()).collect();
    let borrowed: Vec<_> = models.iter().collect();
    check_warm_up(&args.experiment, &borrowed)?;
    let measures = measures(&args.experiment, &borrowed)?;
    check_output(&args.result)?;
    let mut plan = plan(&args.experiment, measures, 0);
    plan.replications = plan.replications.max(1);
    let (found, host) = conduct(
        "compare",
        args.experiment.effort.threads,
        args.result.progress,
        (quiet, out),
        |control| {
            let warm_up = warm_up(&args.experiment, &models, plan.first, control)?;
            let variants = Variant::warmed(&variants, &warm_up);
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
    let report = ComparisonReport::of(&found, &warm_up);
    let results = Results {
        report: &report,
        tables: &[
            ("comparison.csv", &|out| write_comparison(&report, out)),
            ("replications.csv", &|out| write_variant_runs(&report, out)),
        ],
        svg: Some(("measures.svg", plot(&found, 0, &found.verdict(0)))),
        sheet: sheet(&found, &warm_up, args.pairs, &read),
        scenario: None,
        host,
        exit,
    };
    deliver(&args.result, results, (quiet, out))
}

/// Every combination of scenarios and values.
pub(super) fn variants(
    args: &CompareArgs,
    given: &[(String, String)],
    scenarios: &mut Vec<Scenario>,
) -> Result<Vec<Variant>, Failure> {
    let inputs: Vec<Input> = args
        .scenarios
        .iter()
        .map(|argument| Input::open(argument, given))
        .collect::<Result<_, _>>()?;
    let mut read = |number: usize, sets: &[(String, String)]| {
        let mut all = args.seeded.all();
        all.extend(sets.iter().cloned());
        let scenario = inputs[number].scenario(&all)?;
        let model = scenario.model()?;
        scenarios.push(scenario.clone());
        Ok((scenario, model))
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

/// What was found, for people.
fn sheet(found: &Comparison, warm_up: &WarmUp, pairs: bool, read: &[Scenario]) -> Sheet {
    let model = &found.variants[0].model;
    let level = readable::share(found.level);
    let count = readable::counted(found.variants.len(), "variant");
    let mut sheet = combined_sheet(&format!("comparison of {count}"), model.seed, read);
    let blocks = &mut sheet.blocks;
    blocks.push(Block::Lead(
        count,
        format!(
            "· {} each of {}, the same random numbers in all · {} · {}",
            readable::counted(found.runs[0].len(), "replication"),
            words::horizons(found),
            words::estimand(found.steady),
            words::warm_up(warm_up)
        ),
    ));
    blocks.push(Block::Note(format!(
        "{level} confidence for each mean, and for all differences in a measure together (Holm) · seed {}",
        model.seed
    )));
    blocks.extend(stop_words(found.stop).map(|words| Block::Warning(words.to_owned())));
    for at in 0..found.measures.len() {
        in_measure(found, at, pairs, blocks);
    }
    let of_all = found.measures.iter().zip(&found.compared);
    let estimates = of_all
        .flat_map(|(measure, compared)| compared.estimates.iter().map(move |one| (measure, one)));
    blocks.extend(words::methods(estimates).into_iter().map(Block::Note));
    blocks.extend(hashes(&found.variants, read));
    sheet
}

/// An empty sheet about several scenarios.
pub(super) fn combined_sheet(what: &str, seed: u64, read: &[Scenario]) -> Sheet {
    let mut sheet = Sheet::of(what, &read[0], seed);
    let names: Vec<&str> = distinct(read.iter().map(Scenario::name));
    if names.len() > 1 {
        sheet.title = names.join(", ");
        sheet.question = String::new();
    }
    let scenarios: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    sheet.facts = vec![
        format!("of {}", scenarios.join(", ")),
        format!("seed {seed}"),
    ];
    for scenario in read {
        sheet.read(scenario);
    }
    sheet.commands = vec![sheet::command()];
    sheet
}

/// By which a reader knows what was simulated.
pub(super) fn hashes(variants: &[Variant], read: &[Scenario]) -> [Block; 2] {
    let hashes = variants.iter().zip(read);
    let hashes = hashes.map(|(variant, read)| format!("{:016x}  {}", read.hash(), variant.name));
    let hashes: Vec<String> = hashes.collect();
    let name = "Hashes of what was simulated";
    [
        Block::Section(name.to_owned()),
        Block::Code(name.to_owned(), hashes.join("\n")),
    ]
}

fn distinct<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut kept = Vec::new();
    for one in all {
        if !kept.contains(&one) {
            kept.push(one);
        }
    }
    kept
}

fn in_measure(found: &Comparison, at: usize, pairs: bool, blocks: &mut Vec<Block>) {
    let (measure, compared) = (&found.measures[at], &found.compared[at]);
    blocks.push(Block::Gap);
    blocks.push(Block::Section(measure.path().to_owned()));
    blocks.push(Block::Verdict(String::new(), found.verdict(at)));
    let head = format!("from {}", found.variants[0].name);
    let head = ["rank", "variant", "mean", "interval", &head];
    let mut table = Table::new(format!("{}: variants by rank", measure.path()), &head);
    table.named = 1;
    for place in &compared.ranking {
        let rank = words::rank(place.best, place.worst);
        let mut row = vec![rank, found.variants[place.variant].name.clone()];
        let mut cells = words::estimate(measure, &compared.estimates[place.variant]);
        cells.truncate(2);
        row.extend(cells);
        if let Some(pair) = found.pair(at, 0, place.variant) {
            row.push(words::difference(found, at, pair));
        }
        table.rows.push(row);
    }
    blocks.push(Block::Table(table));
    if measure.path().contains("response_time") {
        for (name, availability) in words::less_answered(found) {
            blocks.push(Block::Warning(format!(
                "response times are of answered requests only: {name} answered {}",
                readable::share(availability)
            )));
        }
    }
    let title = format!("{}: means and their intervals", measure.path());
    blocks.push(Block::Picture(plot(found, at, &title)));
    if pairs {
        let head = ["pair", "difference", "p, adjusted"];
        let mut table = Table::new(format!("{}: all pairs", measure.path()), &head);
        table.bare = true;
        for pair in &compared.pairs {
            table.rows.push(vec![
                format!(
                    "{} − {}",
                    found.variants[pair.right].name, found.variants[pair.left].name
                ),
                words::difference(found, at, pair),
                pair.p_adjusted.map_or(String::new(), readable::chance),
            ]);
        }
        blocks.push(Block::Gap);
        blocks.push(Block::Table(table));
    }
}

/// A measure of all variants.
fn plot(found: &Comparison, at: usize, title: &str) -> Picture {
    let measure = &found.measures[at];
    let compared = &found.compared[at];
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
    Picture::Intervals(Intervals {
        title: title.to_owned(),
        label: measure.path().to_owned(),
        unit: measure.unit(),
        rows,
        zero: false,
    })
}
