//! What queueing theory says, beside what was measured.

use sim_core::experiment::Measure;
use sim_core::readable;
use sim_core::report::sheet::{Block, Table};
use sim_core::report::words;
use sim_core::statistics::Interval;
use sim_core::theory::{Applied, Figure};

/// The closed form that applies, or why none does; beside the intervals of what was measured in several runs, or
/// beside the figures of a single one, which has no measures.
pub(crate) fn blocks(applied: &Applied, measures: &[Measure]) -> Vec<Block> {
    let mut blocks = vec![Block::Section("Theory".to_owned()), Block::Gap];
    match applied {
        Applied::Unknown(reasons) => {
            blocks.push(Block::Lead(
                "theory".to_owned(),
                "  no closed form:".to_owned(),
            ));
            blocks.extend(reasons.iter().cloned().map(Block::Sentence));
        }
        Applied::Known(known) => {
            let form = format!(
                "  {} at {}   {}",
                known.form, known.service, known.reference
            );
            blocks.push(Block::Lead("theory".to_owned(), form));
            let caption = "What theory says, and what was measured";
            let mut table = if measures.is_empty() {
                Table::new(caption, &["figure", "theory", "this run"])
            } else {
                let head = ["figure", "theory", "measured", "half-width", "theory lies"];
                Table::new(caption, &head)
            };
            table.rows = if measures.is_empty() {
                known.figures.iter().map(single).collect()
            } else {
                beside(&known.figures, measures)
            };
            blocks.push(Block::Table(table));
            if measures.is_empty() {
                let chance = "a single run is off by chance: add --replications for intervals";
                blocks.push(Block::Note(chance.to_owned()));
            }
        }
    }
    blocks
}

fn single(figure: &Figure) -> Vec<String> {
    vec![
        figure.path.clone(),
        value(figure, Some(figure.expected)),
        value(figure, figure.measured),
    ]
}

fn beside(figures: &[Figure], measures: &[Measure]) -> Vec<Vec<String>> {
    let row = |figure: &Figure| {
        let mut row = vec![figure.path.clone(), value(figure, Some(figure.expected))];
        let measure = measures.iter().find(|m| m.path() == figure.path);
        if let (Some(measure), Some(estimate)) = (measure, &figure.estimate) {
            row.extend(words::estimate(measure, estimate).into_iter().take(2));
            let lies = |interval: &Interval| {
                if interval.covers(figure.expected) {
                    "within"
                } else {
                    "outside"
                }
            };
            row.extend(
                estimate
                    .interval()
                    .map(|interval| lies(interval).to_owned()),
            );
        }
        row
    };
    figures.iter().map(row).collect()
}

fn value(figure: &Figure, value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if figure.path.contains("_s.") => readable::time(value * 1e9),
        Some(value) if figure.path == "availability" => readable::share(value),
        Some(value) => readable::short(value),
    }
}
