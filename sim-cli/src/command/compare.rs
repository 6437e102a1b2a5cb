//! `stampede compare`: variants side by side, under the same random numbers.

use super::replications::{estimate_cells, stop_words};
use crate::args::{CompareArgs, ResultFormat};
use crate::diagnostics;
use crate::exit::{Exit, Failure};
use crate::experiment::{
    WithHost, check_output, check_warm_up, conduct, measures, plan, too_short, warm_up,
    warm_up_words, warmed,
};
use crate::folder::{EXPERIMENT, Folder};
use crate::input::Input;
use crate::table::Table;
use crate::terminal::{self, BOLD, DIM, Out, YELLOW, say};
use sim_core::experiment::report::{ComparisonReport, write_comparison, write_variant_runs};
use sim_core::experiment::{Comparison, Pair, Stop, Variant, WarmUp, compare};
use sim_core::metric::Unit;
use sim_core::plot::intervals::{Row, intervals};
use sim_core::readable;
use std::io::Write;
use std::sync::Arc;

/// Variants at most: beyond, a sweep is what is wanted.
const VARIANTS_MAX: usize = 100;

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
            warm_up.length()?;
            let warmed = warmed(&models, &warm_up);
            let variants = variants
                .iter()
                .zip(warmed)
                .map(|(variant, model)| Variant {
                    name: variant.name.clone(),
                    model,
                })
                .collect();
            Some((compare(variants, &plan, control), warm_up))
        },
    )?;
    let Some((found, warm_up)) = found else {
        if crate::interrupt::asked() {
            return Ok(Exit::Interrupted);
        }
        return Err(too_short(&WarmUp::TooShort { found: None }));
    };
    let exit = if found.stop == Stop::Interrupted {
        Exit::Interrupted
    } else if found.runs.iter().flatten().all(|run| run.complete) {
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
                writeln!(out, "{DIM}results in {}{DIM:#}", folder.display())?;
            }
        }
    }
    Ok(exit)
}

/// Every combination of scenarios and values.
fn variants(args: &CompareArgs) -> Result<Vec<Variant>, Failure> {
    let mut axes: Vec<(&str, Vec<String>)> = Vec::new();
    for (path, values) in &args.vary {
        let values = split(values);
        if values.iter().any(String::is_empty) || values.is_empty() {
            let message = format!("--vary {path} has an empty value");
            return Err(Failure::new(Exit::Usage, message)
                .help("such as --vary service.web.balancer.policy=random,power-of-d"));
        }
        if let Some((_, before)) = axes.iter().find(|(other, _)| other == path) {
            let message = format!(
                "--vary {path} is given twice, first with {}",
                before.join(",")
            );
            return Err(Failure::new(Exit::Usage, message));
        }
        axes.push((path, values));
    }
    let combinations = axes
        .iter()
        .try_fold(args.scenarios.len(), |all, (_, v)| all.checked_mul(v.len()));
    match combinations {
        Some(2..=VARIANTS_MAX) => {}
        Some(0 | 1) => {
            return Err(
                Failure::new(Exit::Usage, "one variant alone cannot be compared")
                    .help("give several scenarios, or --vary PATH=A,B"),
            );
        }
        _ => {
            let message = format!("more than {VARIANTS_MAX} variants");
            return Err(Failure::new(Exit::Usage, message));
        }
    }
    let mut variants: Vec<Variant> = Vec::new();
    for argument in &args.scenarios {
        let input = Input::open(argument)?;
        for sets in product(&axes) {
            let mut all = args.sets.sets.clone();
            all.extend(args.seed.map(|seed| ("seed".to_owned(), seed.to_string())));
            all.extend(sets.iter().map(|(path, v)| ((*path).to_owned(), v.clone())));
            let read = input
                .scenario(&all)
                .and_then(|scenario| scenario.model().map(|model| (scenario, model)));
            let (scenario, model) = read.map_err(|problems| {
                say(&diagnostics::render(&problems));
                Failure::told(Exit::Invalid)
            })?;
            let name = name_of(scenario.name(), &sets, args.scenarios.len());
            if variants.iter().any(|variant| variant.name == name) {
                let message = format!("two variants are called {name:?}");
                return Err(Failure::new(Exit::Usage, message));
            }
            variants.push(Variant {
                name,
                model: Arc::new(model),
            });
        }
    }
    let seed = variants[0].model.seed;
    if let Some(other) = variants.iter().find(|v| v.model.seed != seed) {
        let message = format!(
            "{} has seed {seed} and {} has {}: they would not draw the same random numbers",
            variants[0].name, other.name, other.model.seed
        );
        return Err(Failure::new(Exit::Usage, message).help("give all the same with --seed N"));
    }
    Ok(variants)
}

type Sets<'a> = Vec<(&'a str, String)>;

/// All combinations, the last axis fastest.
fn product<'a>(axes: &[(&'a str, Vec<String>)]) -> Vec<Sets<'a>> {
    axes.iter()
        .fold(vec![Vec::new()], |before, (path, values)| {
            let with = |sets: &Sets<'a>| {
                let sets = sets.clone();
                values.iter().map(move |value| {
                    let mut sets = sets.clone();
                    sets.push((path, value.clone()));
                    sets
                })
            };
            before.iter().flat_map(with).collect()
        })
}

/// A value alone where it says enough; the last word of its path beside it where several vary.
fn name_of(scenario: &str, sets: &Sets<'_>, scenarios: usize) -> String {
    let mut parts = Vec::new();
    if scenarios > 1 || sets.is_empty() {
        parts.push(scenario.to_owned());
    }
    for (path, value) in sets {
        let value = value.trim_matches('"');
        let word = path.rsplit('.').next().unwrap_or(path);
        parts.push(if sets.len() == 1 {
            value.to_owned()
        } else {
            format!("{word}={value}")
        });
    }
    parts.join(" ")
}

/// Splits at commas outside of braces, brackets and quotation marks.
fn split(values: &str) -> Vec<String> {
    let (mut parts, mut part, mut depth, mut quoted) = (Vec::new(), String::new(), 0, false);
    for letter in values.chars() {
        match letter {
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                parts.push(std::mem::take(&mut part).trim().to_owned());
                continue;
            }
            _ => {}
        }
        part.push(letter);
    }
    parts.push(part.trim().to_owned());
    parts
}

fn text(found: &Comparison, warm_up: &WarmUp, pairs: bool, out: &mut Out) -> Result<(), Failure> {
    let model = &found.variants[0].model;
    let level = readable::share(found.level);
    writeln!(
        out,
        "{BOLD}{} variants{BOLD:#} · {} replications each of {}, the same random numbers in all · {}",
        found.variants.len(),
        found.runs[0].len(),
        horizons(found),
        warm_up_words(warm_up)
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
    table.row(["rank", "variant", "mean", "half-width", &head]);
    for place in &compared.ranking {
        let rank = if place.best == place.worst {
            place.best.to_string()
        } else {
            format!("{}–{}", place.best, place.worst)
        };
        let mut row = vec![rank, found.variants[place.variant].name.clone()];
        let mut cells = estimate_cells(measure, &compared.estimates[place.variant]);
        cells.truncate(2);
        row.extend(cells);
        if let Some(pair) = found.pair(at, 0, place.variant) {
            row.push(pair_words(found, at, pair));
        }
        table.row(row);
    }
    write!(out, "{}", table.text(2))?;
    if measure.path().contains("response_time") {
        for (name, availability) in less_answered(found) {
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
                pair_words(found, at, pair),
                pair.p_adjusted
                    .map_or(String::new(), |p| format!("p {}", readable::number(p))),
            ]);
        }
        writeln!(out)?;
        write!(out, "{}", table.text(2))?;
    }
    Ok(())
}

/// How long the variants are simulated: one span, or from the shortest to the longest.
fn horizons(found: &Comparison) -> String {
    let all = || found.variants.iter().map(|v| v.model.horizon);
    match (all().min(), all().max()) {
        (Some(least), Some(most)) if least < most => {
            format!("{} to {}", readable::span(least), readable::span(most))
        }
        (one, _) => one.map_or(String::new(), readable::span),
    }
}

/// Variants that answered less than the best by more than a point, where availability is measured.
fn less_answered(found: &Comparison) -> Vec<(&str, f64)> {
    let at = found
        .measures
        .iter()
        .position(|m| m.path() == "availability");
    let shares: Vec<(&str, f64)> = at.map_or(Vec::new(), |at| {
        let estimates = found.compared[at].estimates.iter().zip(&found.variants);
        estimates
            .filter_map(|(estimate, v)| Some((v.name.as_str(), estimate.mean()?)))
            .collect()
    });
    let best = shares.iter().map(|(_, share)| *share).fold(0.0, f64::max);
    shares
        .into_iter()
        .filter(|(_, share)| *share < best - 0.01)
        .collect()
}

/// A difference with its interval, or why there is none; `cannot tell` where it covers zero.
fn pair_words(found: &Comparison, at: usize, pair: &Pair) -> String {
    let Some(interval) = pair.difference.interval() else {
        return pair
            .difference
            .reason()
            .map_or(String::new(), |reason| format!("cannot tell: {reason}"));
    };
    let (mean, half) = found.measures[at].difference_text(interval);
    let sign = if interval.mean > 0.0 { "+" } else { "" };
    let mean = mean.replace('-', "−");
    if pair.sign() == 0 {
        return format!("cannot tell: {sign}{mean} ± {half}");
    }
    let of_share = found.measures[at].unit() == Unit::Ratio;
    let relative = pair
        .relative
        .filter(|_| !of_share)
        .map_or(String::new(), |r| {
            let sign = if r < 0.0 { "−" } else { "+" };
            format!(" ({sign}{})", readable::share(r.abs()))
        });
    format!("{sign}{mean} ± {half}{relative}")
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
                interval: estimate.interval().map(|i| (i.low, i.high)),
                note: estimate_cells(measure, estimate)[..2].join(" "),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_inside_of_tables_do_not_separate() {
        assert_eq!(
            split("random, { kind = \"power-of-d\", d = 3 },\"a,b\",[1, 2]"),
            [
                "random",
                "{ kind = \"power-of-d\", d = 3 }",
                "\"a,b\"",
                "[1, 2]"
            ]
        );
        assert_eq!(split("a,,b"), ["a", "", "b"]);
    }

    #[test]
    fn all_combinations_have_names_of_their_own() {
        let axes = [
            ("a.policy", vec!["x".to_owned(), "y".to_owned()]),
            ("a.workers", vec!["1".to_owned(), "2".to_owned()]),
        ];
        let names: Vec<String> = product(&axes)
            .iter()
            .map(|sets| name_of("s", sets, 1))
            .collect();
        assert_eq!(
            names,
            [
                "policy=x workers=1",
                "policy=x workers=2",
                "policy=y workers=1",
                "policy=y workers=2"
            ]
        );
        assert_eq!(name_of("s", &product(&axes[..1])[0], 2), "s x");
        assert_eq!(name_of("s", &Vec::new(), 2), "s");
    }
}
