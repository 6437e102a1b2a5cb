//! The answer for people.

use super::Answer;
use crate::deliver::interrupted;
use crate::sheet;
use sim_core::plot::intervals::{Intervals, Row};
use sim_core::readable::{counted, number, share};
use sim_core::remedy::{Cost, Remedy};
use sim_core::report::Picture;
use sim_core::report::sheet::{Block, Sheet, Table};
use sim_core::statistics::Estimate;

/// Arguments of a change that are shown; all of them stand in the JSON.
const ARGUMENTS: usize = 3;
/// Changes that are shown of a selection that was stopped.
const SELECTED: usize = 8;

impl Answer<'_> {
    pub(super) fn sheet(&self, verdict: &str, plot: Picture) -> Sheet {
        let mut sheet = Sheet::of("search for remedies", self.scenario, self.model.seed);
        sheet.commands = vec![sheet::command()];
        sheet.blocks = self.blocks(verdict, plot);
        sheet
    }

    fn blocks(&self, verdict: &str, plot: Picture) -> Vec<Block> {
        let found = self.found;
        let name = self.scenario.name().to_owned();
        let mut blocks = vec![Block::Verdict(name, verdict.to_owned())];
        // Of few changes the selection costs more than it spares.
        let grid = if found.runs < found.grid {
            format!(" instead of {}", number(found.grid as f64))
        } else {
            String::new()
        };
        blocks.push(Block::Note(format!(
            "{} tried in {}{grid} · {} in the final",
            counted(found.candidates.len(), "change"),
            counted(found.runs as usize, "run"),
            counted(found.replications as usize, "replication"),
        )));
        blocks.push(Block::Note(format!(
            "{} confidence for all changes together (Holm) · seed {}",
            share(found.level),
            self.model.seed
        )));
        blocks.extend(interrupted(found.interrupted));
        if found.replications == 0 {
            self.selection(&mut blocks);
            return blocks;
        }
        let mut all = found.ranked.iter().chain(&found.harmful);
        let why = all.find_map(|remedy| {
            let none = remedy.saved.range().is_none();
            none.then(|| remedy.saved.difference.reason()).flatten()
        });
        blocks.extend(why.map(|why| Block::Warning(format!("no interval: {why}"))));
        let mut ranked: [Vec<&Remedy>; 3] = Default::default();
        for remedy in &found.ranked {
            let kind = match (remedy.saved.sign(), remedy.saved.range()) {
                (1.., _) => 0,
                (_, None) => 1,
                _ => 2,
            };
            ranked[kind].push(remedy);
        }
        let titles = [
            "what saves",
            "what seems to save",
            "what cannot be told from no change",
        ];
        for (title, remedies) in titles.into_iter().zip(ranked) {
            if !remedies.is_empty() {
                blocks.push(Block::Heading(title.to_owned()));
                blocks.push(self.remedies(title, &remedies));
            }
        }
        let title = "two at once that save more than either";
        if !found.pairs.is_empty() {
            blocks.push(Block::Heading(title.to_owned()));
            blocks.push(self.remedies(title, &Vec::from_iter(&found.pairs)));
        }
        let title = "what makes it worse";
        if !found.harmful.is_empty() {
            blocks.push(Block::Alarm(title.to_owned()));
            blocks.push(self.remedies(title, &Vec::from_iter(&found.harmful)));
        }
        blocks.push(Block::Picture(plot));
        blocks
    }

    /// What the selection saw, where it was stopped.
    fn selection(&self, blocks: &mut Vec<Block>) {
        let found = self.found;
        let title = "what seemed to save most";
        let mut table = Table::new(title, &["saved", "of", "change"]);
        (table.bare, table.named) = (true, 2);
        for of in &found.selected {
            let seen = found.seen[*of];
            if let Some(saved) = seen.saved.filter(|saved| *saved > 0.0) {
                table.rows.push(vec![
                    found.damage.text(saved),
                    counted(seen.replications as usize, "replication"),
                    found.candidates[*of].words.clone(),
                ]);
            }
        }
        table.rows.truncate(SELECTED);
        if !table.rows.is_empty() && found.interrupted {
            blocks.push(Block::Heading(title.to_owned()));
            blocks.push(Block::Table(table));
        }
    }

    fn remedies(&self, caption: &str, remedies: &[&Remedy]) -> Block {
        let found = self.found;
        let mut head = vec!["saved", "of all"];
        head.extend(found.beside.iter().map(|damage| match damage.name() {
            "downtime" => "downtime",
            "requests.lost" => "lost",
            _ => "SLO",
        }));
        head.extend(["cost", "change"]);
        let mut table = Table::new(caption, &head);
        table.named = head.len() - 1;
        for &remedy in remedies {
            let mut row = vec![self.saved(remedy)];
            row.push(remedy.share.map_or("–".to_owned(), share));
            for (damage, saved) in found.beside.iter().zip(&remedy.beside) {
                row.push(saved.map_or("–".to_owned(), |saved| damage.text(saved)));
            }
            row.push(remedy.cost(found).map_or("", Cost::name).to_owned());
            row.push(remedy.words(found));
            table.rows.push(row);
            let arguments = remedy.arguments();
            let more = arguments.len().saturating_sub(ARGUMENTS);
            let mut under: Vec<String> = arguments.into_iter().take(ARGUMENTS).collect();
            if more > 0 {
                under.push(format!("and {more} more alike: --format json has them"));
            }
            table.under.push(under);
        }
        Block::Table(table)
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
    pub(super) fn plot(&self, verdict: &str) -> Picture {
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
        Picture::Intervals(Intervals {
            title: verdict.to_owned(),
            label: format!("{} saved", found.damage.name()),
            unit: found.damage.unit(),
            rows: all.map(row).collect(),
            zero: true,
        })
    }
}
