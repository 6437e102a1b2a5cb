//! The answer for people.

use super::Answer;
use crate::deliver::tell_interrupted;
use crate::exit::Failure;
use crate::table::Table;
use crate::terminal::{BOLD, DIM, Out, RED, YELLOW};
use sim_core::plot::intervals::{Row, intervals};
use sim_core::readable::{counted, number, share};
use sim_core::remedy::{Cost, Remedy};
use sim_core::statistics::Estimate;
use sim_core::text::shown;
use std::io::Write;

/// Arguments of a change that are printed; all of them stand in the JSON.
const ARGUMENTS: usize = 3;
/// Changes that are printed of a selection that was stopped.
const SELECTED: usize = 8;

impl Answer<'_> {
    pub(super) fn text(&self, verdict: &str, out: &mut Out) -> Result<(), Failure> {
        let found = self.found;
        writeln!(
            out,
            "{BOLD}{}: {}{BOLD:#}",
            self.scenario.name(),
            shown(verdict)
        )?;
        // Of few changes the selection costs more than it spares.
        let grid = if found.runs < found.grid {
            format!(" instead of {}", number(found.grid as f64))
        } else {
            String::new()
        };
        writeln!(
            out,
            "  {DIM}{} tried in {}{grid} · {} in the final{DIM:#}",
            counted(found.candidates.len(), "change"),
            counted(found.runs as usize, "run"),
            counted(found.replications as usize, "replication"),
        )?;
        writeln!(
            out,
            "  {DIM}{} confidence for all changes together (Holm) · seed {}{DIM:#}",
            share(found.level),
            self.model.seed
        )?;
        tell_interrupted(found.interrupted, out)?;
        if found.replications == 0 {
            return self.selection(out);
        }
        let why = found
            .ranked
            .iter()
            .chain(&found.harmful)
            .find_map(|remedy| {
                remedy
                    .saved
                    .range()
                    .is_none()
                    .then(|| remedy.saved.difference.reason())
                    .flatten()
            });
        if let Some(why) = why {
            writeln!(out, "  {YELLOW}!{YELLOW:#} no interval: {why}")?;
        }
        if !found.ranked.is_empty() {
            writeln!(out, "\n{BOLD}what saves{BOLD:#}")?;
            self.remedies(&found.ranked, out)?;
        }
        if !found.pairs.is_empty() {
            writeln!(
                out,
                "\n{BOLD}two at once that save more than either{BOLD:#}"
            )?;
            self.remedies(&found.pairs, out)?;
        }
        if !found.harmful.is_empty() {
            writeln!(out, "\n{RED}what makes it worse{RED:#}")?;
            self.remedies(&found.harmful, out)?;
        }
        Ok(())
    }

    /// What the selection saw, where it was stopped.
    fn selection(&self, out: &mut Out) -> Result<(), Failure> {
        let found = self.found;
        let mut table = Table::default();
        for of in &found.selected {
            let seen = found.seen[*of];
            if let Some(saved) = seen.saved.filter(|saved| *saved > 0.0) {
                table.row([
                    found.damage.text(saved),
                    counted(seen.replications as usize, "replication"),
                    found.candidates[*of].words.clone(),
                ]);
            }
        }
        let text = table.text(2);
        let lines: Vec<&str> = text.lines().take(SELECTED).collect();
        if !lines.is_empty() && found.interrupted {
            writeln!(out, "\n{BOLD}what seemed to save most{BOLD:#}")?;
            writeln!(out, "{}", lines.join("\n"))?;
        }
        Ok(())
    }

    fn remedies(&self, remedies: &[Remedy], out: &mut Out) -> Result<(), Failure> {
        let found = self.found;
        let mut table = Table::default();
        let mut head = vec!["saved".to_owned(), "of all".to_owned()];
        head.extend(found.beside.iter().map(|damage| match damage.name() {
            "downtime" => "downtime".to_owned(),
            "requests.failed" => "lost".to_owned(),
            _ => "SLO".to_owned(),
        }));
        head.extend(["cost".to_owned(), "change".to_owned()]);
        table.row(head);
        for remedy in remedies {
            let mut row = vec![self.saved(remedy)];
            row.push(remedy.share.map_or("–".to_owned(), share));
            for (damage, saved) in found.beside.iter().zip(&remedy.beside) {
                row.push(saved.map_or("–".to_owned(), |saved| damage.text(saved)));
            }
            row.push(remedy.cost(found).map_or("", Cost::name).to_owned());
            row.push(shown(&remedy.words(found)).into_owned());
            table.row(row);
        }
        for (at, line) in table.text(2).lines().enumerate() {
            writeln!(out, "{line}")?;
            if let Some(remedy) = at.checked_sub(1).and_then(|at| remedies.get(at)) {
                let arguments = remedy.arguments();
                for argument in arguments.iter().take(ARGUMENTS) {
                    writeln!(out, "      {DIM}{}{DIM:#}", shown(argument))?;
                }
                if arguments.len() > ARGUMENTS {
                    writeln!(
                        out,
                        "      {DIM}and {} more alike: --format json has them{DIM:#}",
                        arguments.len() - ARGUMENTS
                    )?;
                }
            }
        }
        Ok(())
    }

    /// What is saved, or that no difference shows.
    fn saved(&self, remedy: &Remedy) -> String {
        match remedy.saved_text(self.found) {
            Some(_) if remedy.saved.sign() == 0 => "no difference".to_owned(),
            Some((mean, Some(half))) => format!("{mean} ± {half}"),
            Some((mean, None)) => mean,
            None => remedy
                .mean()
                .map_or("–".to_owned(), |mean| self.found.damage.text(mean)),
        }
    }

    /// Everything that came into the final, with intervals.
    pub(super) fn plot(&self, verdict: &str) -> String {
        let found = self.found;
        let row = |remedy: &Remedy| {
            let range = remedy.saved.range().map(Estimate::Interval);
            Row {
                name: remedy.words(found),
                mean: remedy.mean(),
                interval: range.and_then(|range| range.ends()),
                note: self.saved(remedy),
            }
        };
        let all = found
            .ranked
            .iter()
            .chain(&found.pairs)
            .chain(&found.harmful);
        let rows: Vec<Row> = all.map(row).collect();
        let label = format!("{} saved", found.damage.name());
        intervals(verdict, &label, found.damage.unit(), &rows, true)
    }
}
