//! `stampede compare --select`: the best of several variants, with a guarantee.

use super::compare::{combined_sheet, hashes, variants};
use crate::args::CompareArgs;
use crate::deliver::{INTERRUPTED, Results, deliver};
use crate::exit::{Exit, Failure};
use crate::experiment::{
    FIRST_STAGE, MAX_REPLICATIONS, check_output, check_warm_up, conduct, estimand, warm_up,
};
use crate::terminal::Out;
use sim_core::experiment::{
    FIRST_STAGE_MIN, Measure, Selected, Selection, SelectionPlan, Variant, WarmUp, select,
};
use sim_core::metric::Better;
use sim_core::readable;
use sim_core::report::sheet::{Block, Sheet, Table};
use sim_core::report::{SelectionReport, selection, words, write_selection};
use sim_core::scenario::Scenario;

/// Reads all variants and selects the best of them.
pub(super) fn run(
    args: &CompareArgs,
    figure: &str,
    quiet: bool,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let mut read = Vec::new();
    let variants = variants(args, out.given(), &mut read)?;
    let models: Vec<_> = variants.iter().map(|v| v.model.clone()).collect();
    let borrowed: Vec<_> = models.iter().collect();
    check_warm_up(&args.experiment, &borrowed)?;
    let plan = plan(args, figure, &variants)?;
    check_output(&args.result)?;
    let (found, host) = conduct(
        "select",
        args.experiment.effort.threads,
        args.result.progress,
        (quiet, out),
        |control| {
            let warm_up = warm_up(&args.experiment, &models, plan.first, control)?;
            let variants = Variant::warmed(&variants, &warm_up);
            let found = match warm_up {
                WarmUp::TooShort { needs, .. } => {
                    Selection::without_warm_up(variants, &plan, needs)
                }
                _ => select(variants, &plan, control),
            };
            Some((found, warm_up))
        },
    )?;
    let Some((found, warm_up)) = found else {
        return Ok(Exit::Interrupted);
    };
    let exit = match found.selected {
        Selected::Best(_) => Exit::Ok,
        Selected::Interrupted => Exit::Interrupted,
        Selected::Cap | Selected::Impossible { .. } => Exit::Failed,
    };
    let report = SelectionReport::of(&found, &warm_up);
    let results = Results {
        report: &report,
        tables: &[("selection.csv", &|out| write_selection(&report, out))],
        svg: None,
        sheet: sheet(&found, &warm_up, &report, &read),
        scenario: None,
        host,
        exit,
    };
    deliver(&args.result, results, (quiet, out))
}

/// What is selected, and how surely; or what is wrong with what was asked for.
fn plan(args: &CompareArgs, figure: &str, variants: &[Variant]) -> Result<SelectionPlan, Failure> {
    let parse = |variant: &Variant| {
        Measure::parse(figure, &variant.model).map_err(|why| {
            Failure::new(Exit::NotFound, format!("{}: {why}", variant.model.name))
                .help("`stampede list figures` shows all figures")
        })
    };
    let measures = variants.iter().map(parse);
    let measure = measures.collect::<Result<Vec<_>, _>>()?.swap_remove(0);
    let usage = |message: String| Failure::new(Exit::Usage, message);
    if measure.better() == Better::Neither {
        return Err(usage(format!(
            "of {} neither more nor less is better: --select takes a figure of which one is, such as response_time_s.p99 or availability",
            measure.path()
        )));
    }
    let indifference = args.indifference.as_deref().unwrap_or_default();
    let indifference = measure
        .amount(indifference)
        .map_err(|why| usage(format!("--indifference {indifference}: {why}")))?;
    let first_stage = args.experiment.effort.replications.unwrap_or(FIRST_STAGE);
    let max_replications = args.experiment.max_replications.unwrap_or(MAX_REPLICATIONS);
    if first_stage < FIRST_STAGE_MIN {
        return Err(usage(format!(
            "--replications {first_stage}: with --select that is the first stage, on which the variances rest: {FIRST_STAGE_MIN} or more"
        )));
    }
    if max_replications < first_stage {
        return Err(usage(format!(
            "--max-replications {max_replications} is less than the first stage of {first_stage} replications"
        ))
        .help("less --replications, or more of them at most"));
    }
    Ok(SelectionPlan {
        measure,
        indifference,
        level: args.experiment.effort.level(),
        first: 0,
        first_stage,
        max_replications,
        estimand: estimand(&args.experiment),
    })
}

/// What was found, for people.
fn sheet(
    found: &Selection,
    warm_up: &WarmUp,
    report: &SelectionReport,
    read: &[Scenario],
) -> Sheet {
    let count = readable::counted(found.variants.len(), "variant");
    let mut sheet = combined_sheet(&format!("selection among {count}"), report.seed, read);
    let plan = &found.plan;
    let blocks = &mut sheet.blocks;
    blocks.push(Block::Lead(
        count,
        format!(
            "· up to {} each, the same random numbers in all · {} · {}",
            readable::counted(report.head.replications as usize, "replication"),
            words::estimand(found.steady),
            words::warm_up(warm_up)
        ),
    ));
    blocks.push(Block::Note(format!(
        "procedure KN: {} of the first stage, h² = {} · seed {}",
        readable::counted(plan.first_stage as usize, "replication"),
        readable::number(found.h2),
        report.seed
    )));
    if found.selected == Selected::Interrupted {
        blocks.push(Block::Warning(INTERRUPTED.to_owned()));
    }
    blocks.push(Block::Gap);
    blocks.push(Block::Section(plan.measure.path().to_owned()));
    blocks.push(Block::Verdict(String::new(), report.verdict.clone()));
    if let Some(guarantee) = &report.guarantee {
        blocks.push(Block::Sentence(guarantee.clone()));
    }
    let head = ["variant", "mean", "replications", "what became of it"];
    let mut table = Table::new("Variants, the selected first", &head);
    for variant in found.order() {
        let mean = found.mean(variant);
        table.rows.push(vec![
            found.variants[variant].name.clone(),
            mean.map_or("–".to_owned(), |mean| plan.measure.text(mean)),
            found.runs[variant].len().to_string(),
            selection::fate(found, variant),
        ]);
    }
    blocks.push(Block::Table(table));
    blocks.extend(hashes(&found.variants, read));
    sheet
}
