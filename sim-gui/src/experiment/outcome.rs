//! What came out, as tables and files, and the command that does the same.

use super::draft::{Draft, Kind};
use super::prepare::{Prepared, arguments};
use super::runner::{Found, Over, Report};
use super::{Experiment, Subject};
use crate::{act, shell};
use sim_core::edit::Edit;
use sim_core::experiment::Comparison;
use sim_core::experiment::sweep::{Row, write_rows};
use sim_core::readable;
use sim_core::report::{ComparisonReport, DeadlineAnswer, words, write_comparison};
use sim_core::time::Duration as Span;
use std::fmt::Write as _;

/// A table for people.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Table {
    /// What the columns are.
    pub head: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
    /// What must be known to read it.
    pub remarks: Vec<String>,
}

/// Rows of a sweep shown to people; the file has all.
pub const ROWS_MAX: usize = 200;
/// Reasons for missing intervals told beside a table.
const REASONS_MAX: usize = 4;
/// Cells of a sweep that are drawn; more than that is for files.
pub const DRAWN_MAX: usize = 4_000;

impl Report {
    /// Whether it goes on or how it ended, in a word.
    pub fn state_word(&self) -> &'static str {
        match self.over {
            None => "running",
            Some(Over::Complete) => "complete",
            Some(Over::Stopped) => "stopped",
            Some(Over::Broken) => "broken",
        }
    }

    /// How far it is, in a line.
    pub fn words(&self) -> String {
        let runs = format!("{} of {} runs", self.progress.done, self.progress.planned);
        let time = |duration: std::time::Duration| {
            Span::from_secs((duration.as_secs_f64()).ceil() as u64).to_string()
        };
        match self.over {
            None => match self.left() {
                Some(left) => format!("running: {runs}, {} left", time(left)),
                None => format!("running: {runs}; the first is under way"),
            },
            Some(Over::Complete) => format!("complete: {runs} in {}", time(self.elapsed)),
            Some(Over::Stopped) => format!("stopped: {runs}; what was complete is shown"),
            Some(Over::Broken) => {
                "ended by a mistake of the program; what was complete is shown".to_owned()
            }
        }
    }
}

impl Experiment {
    /// What is run, in a line.
    pub fn headline(&self) -> String {
        match &self.prepared {
            Prepared::Comparison {
                variants,
                plan,
                warm_up,
            } => {
                let horizon = variants.first().map(|v| readable::span(v.model.horizon));
                format!(
                    "{} · {} each of {}, the same random numbers in all · {}",
                    readable::counted(variants.len(), "variant"),
                    readable::counted(plan.replications as usize, "replication"),
                    horizon.unwrap_or_default(),
                    words::warm_up(warm_up)
                )
            }
            Prepared::Sweep { plan } => words::cells_of(plan),
            Prepared::Deadline(of) => {
                format!(
                    "{} of {}, {} each · looked for within {}",
                    readable::counted(of.plan.replications as usize, "replication"),
                    readable::span(of.model.horizon),
                    readable::counted(of.plan.moments, "moment"),
                    readable::span(of.plan.within)
                )
            }
            Prepared::Examination(_) => readable::counted(self.prepared.runs() as usize, "run"),
        }
    }

    /// Whether it goes on or how it ended, in a word.
    pub fn state_word(&self) -> &'static str {
        self.report.state_word()
    }

    /// How far it is, in a line.
    pub fn progress(&self) -> String {
        self.report.words()
    }

    /// What a search for the last moment found, once there is something.
    pub fn last_moment(&self) -> Option<DeadlineAnswer<'_>> {
        let (Found::Acted(found), Prepared::Deadline(of)) = (&self.report.found, &self.prepared)
        else {
            return None;
        };
        Some(DeadlineAnswer {
            model: &of.model,
            plan: &of.plan,
            found,
        })
    }

    /// One sentence on a measure, as the command gives it; for a sweep, what it is.
    pub fn verdict(&self, measure: usize) -> String {
        let path = self.prepared.measures()[measure].path();
        match &self.report.found {
            Found::Compared(found) if !found.runs[0].is_empty() => found.verdict(measure),
            Found::Acted(_) => {
                let answer = self.last_moment();
                answer.map_or_else(String::new, |answer| answer.verdict())
            }
            _ => path.to_owned(),
        }
    }

    /// The table of a measure: of a comparison all variants by rank; of a sweep, whatever the measure,
    /// all cells that are complete.
    pub fn table(&self, measure: usize) -> Table {
        match (&self.report.found, &self.prepared) {
            (Found::Compared(found), _) if !found.runs[0].is_empty() => compared(found, measure),
            (Found::Swept(rows), Prepared::Sweep { plan }) => {
                let mut head: Vec<String> = plan.columns().into_iter().map(short_column).collect();
                head.extend(plan.measures().iter().map(|of| of.path().to_owned()));
                let row = |row: &Row| {
                    let mut cells = row.values.clone();
                    let figures = plan.measures().iter().zip(&row.figures);
                    cells.extend(figures.map(|(of, f)| words::figure(of, f, row.failed > 0)));
                    cells
                };
                Table {
                    head,
                    rows: rows.iter().take(ROWS_MAX).map(row).collect(),
                    remarks: swept_remarks(rows, plan.cells()),
                }
            }
            _ => self.last_moment().map_or_else(Table::default, |answer| {
                let table = answer.table();
                Table {
                    head: table.head,
                    rows: table.rows,
                    remarks: answer.too_early().into_iter().collect(),
                }
            }),
        }
    }

    /// All pairs of a comparison in a measure: which, by how much, and how surely.
    pub fn pairs(&self, measure: usize) -> Table {
        let Found::Compared(found) = &self.report.found else {
            return Table::default();
        };
        let name = |variant: usize| &found.variants[variant].name;
        let row = |pair: &sim_core::experiment::Pair| {
            vec![
                format!("{} − {}", name(pair.right), name(pair.left)),
                words::difference(found, measure, pair),
                pair.p_adjusted
                    .map_or_else(|| "–".to_owned(), readable::chance),
            ]
        };
        Table {
            head: ["pair", "difference", "p (Holm)"]
                .map(str::to_owned)
                .to_vec(),
            rows: found.compared[measure].pairs.iter().map(row).collect(),
            remarks: Vec::new(),
        }
    }

    /// Name and bytes of the table as the command writes it; `None` while there is nothing.
    pub fn csv(&self) -> Option<(&'static str, String)> {
        if !self.has_table() {
            return None;
        }
        let mut bytes = Vec::new();
        let name = match (&self.report.found, &self.prepared) {
            (Found::Compared(found), Prepared::Comparison { warm_up, .. }) => {
                write_comparison(&ComparisonReport::of(found, warm_up), &mut bytes).ok()?;
                "comparison.csv"
            }
            (Found::Swept(rows), Prepared::Sweep { plan }) => {
                write_rows(plan, rows, &mut bytes).ok()?;
                "cells.csv"
            }
            _ => {
                self.last_moment()?.write(&mut bytes).ok()?;
                "deadline.csv"
            }
        };
        Some((name, String::from_utf8(bytes).ok()?))
    }

    /// Whether there is a table to save.
    pub fn has_table(&self) -> bool {
        match &self.report.found {
            Found::Nothing | Found::Unfit(_) | Found::Examined(_) => false,
            Found::Acted(_) => true,
            Found::Compared(found) => !found.runs[0].is_empty(),
            Found::Swept(rows) => !rows.is_empty(),
        }
    }

    /// A plan with everything that it needs, for `stampede sweep` on any machine.
    pub fn plan_text(&self) -> Option<String> {
        match &self.prepared {
            Prepared::Sweep { plan } => Some(plan.to_toml()),
            _ => None,
        }
    }

    /// Everything in words.
    pub fn words(&self) -> String {
        let mut text = format!("{}\n{}\n", self.headline(), self.progress());
        let sweep = matches!(self.prepared, Prepared::Sweep { .. });
        for measure in 0..self.prepared.measures().len() {
            if !sweep {
                let _ = writeln!(text, "\n{}", self.verdict(measure));
            }
            let table = self.table(measure);
            if table.rows.is_empty() {
                continue;
            }
            for row in std::iter::once(&table.head).chain(&table.rows) {
                let _ = writeln!(text, "  {}", row.join("   "));
            }
            for remark in &table.remarks {
                let _ = writeln!(text, "  ! {remark}");
            }
            if sweep {
                break;
            }
        }
        let _ = writeln!(text, "\n{}", self.command);
        text
    }

    /// Whether it is still going on.
    pub fn is_running(&self) -> bool {
        let Report { over, .. } = &self.report;
        over.is_none()
    }
}

/// The last words of a path that say what it is: a whole one is too wide for a column.
pub fn short_column(path: &str) -> String {
    let words: Vec<&str> = path.split('.').collect();
    words[words.len().saturating_sub(2)..].join(".")
}

fn compared(found: &Comparison, at: usize) -> Table {
    let (measure, compared) = (&found.measures[at], &found.compared[at]);
    let first = &found.variants[0].name;
    let head = [
        "rank",
        "variant",
        "mean",
        "interval",
        &format!("from {first}"),
    ];
    let mut table = Table {
        head: head.map(str::to_owned).to_vec(),
        ..Table::default()
    };
    for place in &compared.ranking {
        let mut row = vec![
            words::rank(place.best, place.worst),
            found.variants[place.variant].name.clone(),
        ];
        let cells = words::estimate(measure, &compared.estimates[place.variant]);
        row.extend(cells.into_iter().take(2));
        let pair = found.pair(at, 0, place.variant);
        row.push(pair.map_or(String::new(), |pair| words::difference(found, at, pair)));
        table.rows.push(row);
    }
    if measure.path().contains("response_time") {
        for (name, availability) in words::less_answered(found) {
            table.remarks.push(format!(
                "response times are of answered requests only: {name} answered {}",
                readable::share(availability)
            ));
        }
    }
    table
}

fn swept_remarks(rows: &[Row], cells: usize) -> Vec<String> {
    let mut remarks = Vec::new();
    if cells > DRAWN_MAX {
        remarks.push(format!("more than {DRAWN_MAX} cells are not drawn here"));
    }
    if rows.len() > ROWS_MAX {
        remarks.push(format!(
            "{} more rows are in the file",
            rows.len() - ROWS_MAX
        ));
    }
    let failed: Vec<&Row> = rows.iter().filter(|row| row.failed > 0).collect();
    if let Some(first) = failed.first() {
        remarks.push(format!(
            "{} of {cells} cells failed; cell {}: {}",
            failed.len(),
            first.cell,
            first.notes
        ));
    }
    // Each reason once, with the cells that have it, of the rows that are shown.
    let mut reasons: Vec<(&str, Vec<usize>)> = Vec::new();
    let noted = |row: &&Row| row.failed == 0 && !row.notes.is_empty();
    for row in rows.iter().take(ROWS_MAX).filter(noted) {
        match reasons.iter_mut().find(|(why, _)| *why == row.notes) {
            Some((_, cells)) => cells.push(row.cell),
            None => reasons.push((&row.notes, vec![row.cell])),
        }
    }
    for (why, cells) in reasons.iter().take(REASONS_MAX) {
        let first = &rows[rows.partition_point(|row| row.cell < cells[0])];
        let values = first.values.join(", ");
        remarks.push(match cells.len() {
            1 => format!("{values}: {why}"),
            n => format!("{n} cells without some intervals, the first at {values}: {why}"),
        });
    }
    if reasons.len() > REASONS_MAX {
        let more = reasons.len() - REASONS_MAX;
        remarks.push(format!("{more} more reasons are in the file"));
    }
    remarks
}

/// The command that does the same, with the files that it needs.
pub fn command(draft: &Draft, subjects: &[Subject]) -> String {
    let mut text = String::new();
    for subject in subjects.iter().filter(|subject| subject.unwritten) {
        text.push_str(&shell::write(&subject.source));
    }
    match draft.kind {
        Kind::Comparison => {
            text.push_str("stampede compare");
            for subject in subjects {
                let _ = write!(text, " {}", shell::word(&subject.argument));
            }
            for (path, values) in draft.varied() {
                let _ = write!(text, " --vary {}", shell::word(&format!("{path}={values}")));
            }
            if !draft.measures.is_empty() {
                let _ = write!(
                    text,
                    " --measure {}",
                    shell::word(&draft.measures.join(","))
                );
            }
            if let Some(seed) = subjects.iter().find_map(|subject| subject.seed) {
                let _ = write!(text, " --seed {seed}");
            }
            let _ = write!(text, " --replications {}", draft.replications.trim());
        }
        Kind::Sweep => {
            let Some(subject) = subjects.first() else {
                return text;
            };
            let arguments = arguments(draft, subject);
            let _ = write!(
                text,
                "stampede sweep --scenario {}",
                shell::word(&arguments.scenario)
            );
            for (path, values) in &arguments.vary {
                let _ = write!(text, " --vary {}", shell::word(&format!("{path}={values}")));
            }
            for measure in &arguments.measures {
                let _ = write!(text, " --measure {}", shell::word(measure));
            }
            if let Some(seed) = arguments.seed {
                let _ = write!(text, " --seed {seed}");
            }
            if let Some(replications) = arguments.replications {
                let _ = write!(text, " --replications {replications}");
            }
        }
        Kind::Deadline => text.push_str(&deadline(draft, subjects)),
    }
    text
}

/// The command that looks for a last moment.
fn deadline(draft: &Draft, subjects: &[Subject]) -> String {
    let Some(subject) = subjects.first() else {
        return String::new();
    };
    let mut text = format!("stampede deadline {}", shell::word(&subject.argument));
    let model = subject.read(&[]).map(|(_, model)| model);
    for edit in draft
        .acts
        .iter()
        .filter_map(|typed| act::parse(model.as_ref().ok()?, typed.trim()))
    {
        let (option, what, how) = match edit {
            Edit::Set { path, value } => ("change", path, value),
            Edit::Do { action, target } => ("do", action, target),
            Edit::Add { target, .. } => ("do", "add".to_owned(), target),
        };
        let _ = write!(
            text,
            " --{option} {}",
            shell::word(&format!("{what}={how}"))
        );
    }
    if !draft.between.trim().is_empty() {
        let _ = write!(text, " --between {}", shell::word(draft.between.trim()));
    }
    if let Some(measure) = draft.measures.first() {
        let _ = write!(text, " --measure {}", shell::word(measure));
    }
    if let Some(seed) = subject.seed {
        let _ = write!(text, " --seed {seed}");
    }
    let _ = write!(text, " --replications {}", draft.replications.trim());
    text
}
