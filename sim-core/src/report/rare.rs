//! The probability of something rare as people read it: a sentence, what it cost, and the levels on the way.

use super::sheet::Table;
use crate::experiment::{Rare, RarePlan, Splitting, Unreached};
use crate::readable;
use crate::text::Csv;
use std::io::{self, Write};

/// What was asked, and what came out.
#[derive(Clone, Copy, Debug)]
pub struct RareAnswer<'a> {
    /// What is rare, in words, such as `web-1 crashes within 1h`.
    pub event: &'a str,
    /// What was asked.
    pub plan: &'a RarePlan,
    /// What came out.
    pub found: &'a Splitting,
}

impl RareAnswer<'_> {
    /// The answer in a sentence.
    pub fn verdict(&self) -> String {
        let estimate = &self.found.probability;
        let event = self.event;
        match (estimate.interval(), estimate.mean()) {
            (Some(interval), _) => format!(
                "{event} with probability {:.2e} ({:.2e} to {:.2e})",
                interval.mean,
                interval.low.max(0.0),
                interval.high
            ),
            (None, Some(mean)) if mean > 0.0 => {
                format!("{event} with a probability of about {mean:.2e}, without an interval")
            }
            _ => format!("{event} so rarely that no replication saw it: more --runs"),
        }
    }

    /// Why there is no interval, where there is none.
    pub fn withheld(&self) -> Option<String> {
        let reason = self.found.probability.reason()?;
        Some(format!("no interval: {reason}"))
    }

    /// How precise, and what it cost.
    pub fn cost(&self) -> Option<String> {
        let error = self.found.relative_error()?;
        let direct = self.found.direct_events(self.plan.runs)?;
        let spent = self.found.events() as f64;
        Some(format!(
            "relative error {} for {} events; runs one after another would take {} for as much, {} times as many",
            readable::share(error),
            readable::short(spent),
            readable::short(direct),
            readable::short((direct / spent * 100.0).round() / 100.0)
        ))
    }

    /// The levels, and what share of the runs got on from each to the next.
    pub fn table(&self) -> Table {
        let head = ["from", "to", "got on", "events"];
        let mut table = Table::new("The way, level by level", &head);
        for row in self.rows() {
            let share = readable::share(row.passed as f64 / row.runs.max(1) as f64);
            let events = readable::short(row.events as f64);
            table.rows.push(vec![
                self.level(row.from),
                self.level(row.to),
                share,
                events,
            ]);
        }
        table
    }

    fn level(&self, level: Option<f64>) -> String {
        match (level, self.plan.event) {
            (None, Rare::Crash(_)) => "the crash".to_owned(),
            (None, Rare::Reach(_, value)) | (Some(value), Rare::Reach(..)) => {
                readable::number(value)
            }
            (Some(level), Rare::Crash(_)) => readable::share(level),
        }
    }

    fn rows(&self) -> impl Iterator<Item = Row> {
        let levels = &self.found.levels;
        (0..=levels.len()).map(|stage| {
            let there = self
                .found
                .splits
                .iter()
                .filter(|split| stage < split.passed.len());
            let mut row = Row {
                from: Some(if stage == 0 { 0.0 } else { levels[stage - 1] }),
                to: levels.get(stage).copied(),
                runs: 0,
                passed: 0,
                events: 0,
            };
            for split in there {
                row.runs += u64::from(self.plan.runs);
                row.passed += u64::from(split.passed[stage]);
                row.events += split.events[stage];
            }
            row
        })
    }

    /// The same for programs.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut csv = Csv::new(out);
        csv.write_record(["from", "to", "runs", "got_on", "events"])?;
        let text = |level: Option<f64>| level.map_or_else(String::new, |level| level.to_string());
        for row in self.rows() {
            csv.write_record([
                text(row.from),
                text(row.to),
                row.runs.to_string(),
                row.passed.to_string(),
                row.events.to_string(),
            ])?;
        }
        csv.flush()
    }
}

/// A level on the way, over all replications.
struct Row {
    from: Option<f64>,
    to: Option<f64>,
    runs: u64,
    passed: u64,
    events: u64,
}

/// Why there is no answer, in words.
pub fn unreached(why: &Unreached, event: Rare) -> String {
    let at = |level: f64| match event {
        Rare::Crash(_) => format!("{} of the threshold", readable::share(level)),
        Rare::Reach(..) => readable::number(level),
    };
    match why {
        Unreached::Unbranchable(why) => format!("runs cannot be split here: {why}"),
        Unreached::Stuck { level, runs } => format!(
            "{runs} runs came as far as {}, and none of {runs} from there came further: it cannot be reached, or not step by step",
            at(*level)
        ),
        Unreached::Far(level) => format!(
            "a hundred levels led to {} and not there: it is too far, or comes near in steps too small",
            at(*level)
        ),
        Unreached::CutShort(why) => why.clone(),
        Unreached::TooLarge => {
            "the states that runs are split from would take more than 256 MiB: fewer --runs, or a smaller system".to_owned()
        }
        Unreached::Interrupted => "interrupted before the levels were found".to_owned(),
    }
}
