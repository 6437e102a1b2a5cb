//! Progress of a sweep, on standard error.

use crate::args::ProgressStyle;
use crate::terminal;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle as BarStyle};
use sim_core::readable;
use sim_core::time::Duration as Span;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Nothing is shown before: a short sweep needs no progress.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time between the lines of the counter.
const COUNTER: Duration = Duration::from_secs(10);

/// Counts cells.
pub(super) struct Meter {
    name: String,
    show: Show,
    start: Instant,
    /// Cells that were there before.
    before: usize,
    done: usize,
    failed: usize,
    of: usize,
}

enum Show {
    Bar(Option<ProgressBar>),
    Counter(Duration),
    Nothing,
}

impl Meter {
    /// For a sweep of `of` cells, `before` of which are there.
    #[expect(
        clippy::disallowed_methods,
        reason = "the rate of cells is shown, and nothing else depends on it"
    )]
    pub(super) fn new(
        name: &str,
        style: ProgressStyle,
        quiet: bool,
        before: usize,
        of: usize,
    ) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let show = match style {
            ProgressStyle::Counter if !quiet => Show::Counter(COUNTER),
            ProgressStyle::Auto | ProgressStyle::Bar if terminal && !quiet => Show::Bar(None),
            _ => Show::Nothing,
        };
        Self {
            name: name.to_owned(),
            show,
            start: Instant::now(),
            before,
            done: 0,
            failed: 0,
            of,
        }
    }

    /// One more cell.
    pub(super) fn add(&mut self, failed: bool) {
        self.done += 1;
        self.failed += usize::from(failed);
        let wall = self.start.elapsed();
        let words = self.words(wall);
        let have = self.before + self.done;
        match &mut self.show {
            Show::Bar(bar) if wall >= PATIENCE => {
                let of = self.of as u64;
                let bar = bar.get_or_insert_with(|| new_bar(&self.name, of));
                bar.set_position(have as u64);
                bar.set_message(words);
            }
            Show::Counter(next) if wall >= *next => {
                *next = wall + COUNTER;
                terminal::say(&format!(
                    "{}: {have} of {} cells, {words}",
                    self.name, self.of
                ));
            }
            _ => {}
        }
    }

    /// Takes away what was shown.
    pub(super) fn finish(&mut self) {
        if let Show::Bar(Some(bar)) = &self.show {
            bar.finish_and_clear();
        }
    }

    /// How fast it goes, how long it will still take at this rate, and what failed.
    fn words(&self, wall: Duration) -> String {
        let rate = self.done as f64 / wall.as_secs_f64().max(1e-9);
        let left = (self.of - self.before - self.done) as f64 / rate;
        let left = Span::from_secs(Span::from_secs_f64(left).0.div_ceil(1_000_000_000));
        let failed = match self.failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        format!("{} cells/s, {left} left{failed}", readable::short(rate))
    }
}

fn new_bar(name: &str, of: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(of), ProgressDrawTarget::stderr_with_hz(10));
    // The template is ours; were it wrong, the plain bar would do.
    let style = BarStyle::with_template("{prefix} {bar:30} {pos} of {len} cells  {wide_msg}");
    bar.set_style(style.unwrap_or_else(|_| BarStyle::default_bar()));
    bar.set_prefix(name.to_owned());
    bar
}
