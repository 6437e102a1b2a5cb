//! A selection as JSON, as a table and in words.

use super::results::{Head, RunReport, WarmUpReport, estimand, run};
use super::words::reason_and_needs;
use crate::experiment::{Selected, Selection, WarmUp};
use crate::readable;
use crate::statistics::Needs;
use crate::text::Csv;
use serde::Serialize;
use std::io::{self, Write};

/// A variant of a selection.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ContenderReport {
    /// Its name.
    pub variant: String,
    /// Mean of the figure over its replications.
    pub mean: Option<f64>,
    /// Replications that it took.
    pub replications: u64,
    /// After how many it was dropped; absent for those that are left.
    pub dropped_after: Option<u64>,
    /// Which variant it was behind then.
    pub dropped_by: Option<String>,
    /// Its replications.
    pub runs: Vec<RunReport>,
}

/// A selection.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct SelectionReport {
    /// What it was: `selection`. The confidence is the probability of selecting the best at least, the replications
    /// those of the variant that took most, and it stops as `selected`, `cap`, `impossible` or `interrupted`.
    #[serde(flatten)]
    pub head: Head,
    /// What was estimated: `steady` or `horizon`.
    pub estimand: &'static str,
    /// What was left out at the start.
    pub warm_up: WarmUpReport,
    /// Seed.
    pub seed: u64,
    /// The measure's path.
    pub measure: String,
    /// Differences below this do not matter, in the unit of the summary.
    pub indifference: f64,
    /// Replications of the first stage.
    pub first_stage: u64,
    /// The constant of the procedure.
    pub h2: f64,
    /// Replications of a variant that it may take, by the variances of the first stage; absent once one is selected.
    pub most: Option<u64>,
    /// The variant that was selected.
    pub best: Option<String>,
    /// One sentence.
    pub verdict: String,
    /// What that promises.
    pub guarantee: Option<String>,
    /// The variants; the selected first, and then those that stayed longest.
    pub variants: Vec<ContenderReport>,
}

impl SelectionReport {
    /// Of a selection.
    pub fn of(found: &Selection, warm_up: &WarmUp) -> Self {
        let name = |variant: usize| found.variants[variant].name.clone();
        let contender = |variant: usize| {
            let dropped = found.dropped[variant];
            ContenderReport {
                variant: name(variant),
                mean: found.mean(variant),
                replications: found.runs[variant].len() as u64,
                dropped_after: dropped.map(|dropped| dropped.after),
                dropped_by: dropped.map(|dropped| name(dropped.by)),
                runs: found.runs[variant].iter().map(run).collect(),
            }
        };
        let best = match found.selected {
            Selected::Best(variant) => Some(variant),
            _ => None,
        };
        Self {
            head: Head::with(
                "selection",
                found.plan.level,
                found.plan.first,
                found.runs.iter().map(Vec::len).max().unwrap_or(0) as u64,
                match found.selected {
                    Selected::Best(_) => "selected",
                    Selected::Cap => "cap",
                    Selected::Impossible { .. } => "impossible",
                    Selected::Interrupted => "interrupted",
                },
            ),
            estimand: estimand(found.steady),
            warm_up: WarmUpReport::of(warm_up),
            seed: found.variants[0].model.seed,
            measure: found.plan.measure.path().to_owned(),
            indifference: found.plan.indifference,
            first_stage: found.plan.first_stage,
            h2: found.h2,
            most: found.most,
            best: best.map(name),
            verdict: verdict(found),
            guarantee: best.map(|_| guarantee(found)),
            variants: found.order().into_iter().map(contender).collect(),
        }
    }
}

/// One sentence: which is best, or why none was selected.
pub fn verdict(found: &Selection) -> String {
    let path = found.plan.measure.path();
    let name = |variant: usize| found.variants[variant].name.as_str();
    let left = || {
        let left = found.order().into_iter();
        let left = left.filter(|&variant| found.dropped[variant].is_none());
        left.map(name).collect::<Vec<_>>().join(", ")
    };
    match found.selected {
        Selected::Best(best) => {
            let others = readable::counted(found.variants.len() - 1, "other");
            format!("{path}: {} is selected before {others}", name(best))
        }
        Selected::Cap => {
            let most = found.most.map_or(String::new(), |most| {
                format!(" (it may take up to {most}, by the variances seen)")
            });
            format!(
                "{path}: none is selected: after {} of each, {} are left{most}",
                readable::counted(found.plan.max_replications as usize, "replication"),
                left()
            )
        }
        Selected::Interrupted => format!("{path}: interrupted before one was selected"),
        Selected::Impossible {
            variant,
            reason,
            needs,
        } => {
            // That few replications are there is no reason here: more follow by themselves.
            let needs = needs.filter(|needs| !matches!(needs, Needs::Replications(_)));
            let why = reason_and_needs(&reason, needs);
            format!("{path}: none can be selected: {}: {why}", name(variant))
        }
    }
}

/// What a selection promises.
pub fn guarantee(found: &Selection) -> String {
    format!(
        "a variant that is better than all others by {} or more is selected with a probability of at least {}",
        found.plan.measure.text(found.plan.indifference),
        readable::share(found.plan.level)
    )
}

/// What became of a variant, in words.
pub fn fate(found: &Selection, variant: usize) -> String {
    match (found.selected, found.dropped[variant]) {
        (Selected::Best(best), None) if best == variant => "selected".to_owned(),
        (_, Some(dropped)) => format!(
            "dropped after {}, behind {}",
            dropped.after, found.variants[dropped.by].name
        ),
        (Selected::Best(_), None) => "the same as the selected".to_owned(),
        _ => "left".to_owned(),
    }
}

/// The variants as CSV.
///
/// # Errors
/// Those of the writer.
pub fn write_selection(report: &SelectionReport, out: &mut dyn Write) -> io::Result<()> {
    let mut csv = Csv::new(out);
    let names = [
        "variant",
        "mean",
        "replications",
        "dropped_after",
        "dropped_by",
    ];
    csv.write_record(names)?;
    for variant in &report.variants {
        csv.write_record([
            variant.variant.clone(),
            variant
                .mean
                .map_or(String::new(), |mean| format!("{mean:?}")),
            variant.replications.to_string(),
            variant
                .dropped_after
                .map_or(String::new(), |n| n.to_string()),
            variant.dropped_by.clone().unwrap_or_default(),
        ])?;
    }
    csv.flush()
}
