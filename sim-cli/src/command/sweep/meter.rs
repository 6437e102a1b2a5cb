//! Progress of a sweep, on standard error.

use crate::args::ProgressStyle;
use crate::terminal;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle as BarStyle};
use sim_core::experiment::sweep::{Plan, Row};
use sim_core::readable;
use sim_core::time::Duration as Span;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Nothing is shown before: a short sweep needs no progress.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time between the lines of the counter.
const COUNTER: Duration = Duration::from_secs(10);

/// Counts cells, and their replications: a cell may take hours.
pub(super) struct Meter {
    name: String,
    show: Show,
    start: Instant,
    /// Cells that were there before, and replications of theirs.
    before: (usize, u64),
    done: usize,
    failed: usize,
    of: usize,
    /// Replications of a cell; with a precision, how many at least.
    replications: u64,
    /// Whether there may be more of them.
    grows: bool,
    /// Replications that are over, and those of the cells that are complete.
    runs: u64,
    took: u64,
}

enum Show {
    Bar(Option<ProgressBar>),
    Counter(Duration),
    Nothing,
}

impl Meter {
    /// For a sweep of `of` cells; those `before` are there.
    #[expect(
        clippy::disallowed_methods,
        reason = "the rate of replications is shown, and nothing else depends on it"
    )]
    pub(super) fn new(
        plan: &Plan,
        style: ProgressStyle,
        quiet: bool,
        before: &BTreeMap<usize, Row>,
        of: usize,
    ) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let show = match style {
            ProgressStyle::Counter if !quiet => Show::Counter(COUNTER),
            ProgressStyle::Auto | ProgressStyle::Bar if terminal && !quiet => Show::Bar(None),
            _ => Show::Nothing,
        };
        Self {
            name: plan.name().to_owned(),
            show,
            start: Instant::now(),
            before: (
                before.len(),
                before.values().map(|row| row.replications).sum(),
            ),
            done: 0,
            failed: 0,
            of,
            replications: plan.replications(),
            grows: plan.precision().is_some(),
            runs: 0,
            took: 0,
        }
    }

    /// One more cell.
    pub(super) fn add(&mut self, row: &Row) {
        self.done += 1;
        self.took += row.replications;
        self.failed += usize::from(row.failed > 0);
    }

    /// Replications that it will be, without those that were there before: a cell that is still to come takes as
    /// many as those that are complete did.
    fn hoped(&self) -> u64 {
        let left = (self.of - self.before.0 - self.done) as u64;
        let mean = self.took.div_ceil(self.done.max(1) as u64);
        (self.took + left * mean.max(self.replications)).max(self.runs)
    }

    /// One more replication; how many there are now and how many there will be, with those that were there
    /// before.
    pub(super) fn told(&mut self) -> (u64, u64) {
        self.runs += 1;
        let (all, of) = (self.before.1 + self.runs, self.before.1 + self.hoped());
        let wall = self.start.elapsed();
        let words = self.words(wall);
        match &mut self.show {
            Show::Bar(bar) if wall >= PATIENCE => {
                let bar = bar.get_or_insert_with(|| new_bar(&self.name, of));
                bar.set_length(of);
                bar.set_position(all);
                bar.set_message(words);
            }
            Show::Counter(next) if wall >= *next => {
                *next = wall + COUNTER;
                terminal::say(&format!("{}: {words}", self.name));
            }
            _ => {}
        }
        (all, of)
    }

    /// Takes away what was shown.
    pub(super) fn finish(&mut self) {
        if let Show::Bar(Some(bar)) = &self.show {
            bar.finish_and_clear();
        }
    }

    /// How far it is, how fast it goes, how long it will still take at this rate, and what failed.
    fn words(&self, wall: Duration) -> String {
        let of = self.hoped();
        let rate = self.runs as f64 / wall.as_secs_f64().max(1e-9);
        let left = Span::from_secs_f64(of.saturating_sub(self.runs) as f64 / rate);
        let left = Span::from_secs(left.0.div_ceil(1_000_000_000));
        let failed = match self.failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        format!(
            "{} of {} cells, {} of {}{of} replications, {}/s, {left} left{failed}",
            self.before.0 + self.done,
            self.of,
            self.runs,
            if self.grows { "about " } else { "" },
            readable::short(rate)
        )
    }
}

fn new_bar(name: &str, of: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(of), ProgressDrawTarget::stderr_with_hz(10));
    // The template is ours; were it wrong, the plain bar would do.
    let style = BarStyle::with_template("{prefix} {bar:30}  {wide_msg}");
    bar.set_style(style.unwrap_or_else(|_| BarStyle::default_bar()));
    bar.set_prefix(name.to_owned());
    bar
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::scenario::{NoFiles, Source};

    #[test]
    fn replications_count_before_the_first_cell_ends() {
        let plan = Source::new(
            "plan.toml",
            r#"
            replications = 20
            measures = ["requests.arrived"]
            axis = [{ path = "seed", values = [1, 2] }]
            [scenario]
            horizon = "1s"
            traffic = [{ to = "web", rate = 10 }]
            service.web = { demand = "5ms", server = [{ name = "a", workers = 1 }] }
            "#,
        );
        let plan = Plan::read(&plan, &NoFiles).unwrap_or_else(|problems| panic!("{problems}"));
        let mut meter = Meter::new(&plan, ProgressStyle::Counter, false, &BTreeMap::new(), 2);
        for _ in 0..10 {
            meter.told();
        }
        let words = meter.words(Duration::from_secs(5));
        assert_eq!(words, "0 of 2 cells, 10 of 40 replications, 2/s, 15s left");
    }
}
