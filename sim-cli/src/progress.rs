//! Progress of a run, on standard error.

use crate::args::ProgressStyle;
use crate::terminal;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle as BarStyle};
use sim_core::engine::Simulation;
use sim_core::readable;
use sim_core::time::{Duration as Span, Instant as Moment};
use std::io::IsTerminal;
use std::time::Duration;

/// Nothing is shown before: a short run needs no progress.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time between the lines of the counter.
const COUNTER: Duration = Duration::from_secs(10);

/// Shows how far a run is.
pub(crate) enum Progress {
    /// A bar that is drawn anew; made when the run turns out to take long.
    Bar {
        name: String,
        bar: Option<ProgressBar>,
    },
    /// Lines, for logs.
    Counter { name: String, next: Duration },
    /// Nothing.
    Hidden,
}

impl Progress {
    /// For a run of the scenario called `name`.
    pub(crate) fn new(name: &str, style: ProgressStyle, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        match style {
            ProgressStyle::Counter if !quiet => Self::Counter {
                name: name.to_owned(),
                next: COUNTER,
            },
            ProgressStyle::Auto | ProgressStyle::Bar if terminal && !quiet => Self::Bar {
                name: name.to_owned(),
                bar: None,
            },
            _ => Self::Hidden,
        }
    }

    /// Shows how far the run is after `wall`.
    pub(crate) fn show(&mut self, simulation: &Simulation, wall: Duration) {
        match self {
            Self::Bar { name, bar } if wall >= PATIENCE => {
                let bar = bar.get_or_insert_with(|| new_bar(name));
                bar.set_position((share_done(simulation) * 1000.0) as u64);
                bar.set_message(words(simulation, wall));
            }
            Self::Counter { name, next } if wall >= *next => {
                *next += COUNTER;
                terminal::say(&format!(
                    "{name}: {}, {}",
                    readable::share(share_done(simulation)),
                    words(simulation, wall)
                ));
            }
            _ => {}
        }
    }

    /// Takes away what was shown.
    pub(crate) fn finish(&mut self) {
        if let Self::Bar { bar: Some(bar), .. } = self {
            bar.finish_and_clear();
        }
    }
}

fn new_bar(name: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr_with_hz(10));
    // The template is ours; were it wrong, the plain bar would do.
    let style = BarStyle::with_template("{prefix} {bar:30} {percent:>3} %  {wide_msg}");
    bar.set_style(style.unwrap_or_else(|_| BarStyle::default_bar()));
    bar.set_prefix(name.to_owned());
    bar
}

fn share_done(simulation: &Simulation) -> f64 {
    simulation.now().as_secs_f64() / simulation.model().horizon.as_secs_f64()
}

/// The moment reached, how fast time goes, and how long it will still take at this rate.
fn words(simulation: &Simulation, wall: Duration) -> String {
    let (now, model) = (simulation.now(), simulation.model());
    let at = readable::moment(Moment(now.0 / 1_000_000_000 * 1_000_000_000), model.clock);
    let rate = now.as_secs_f64() / wall.as_secs_f64();
    let left = Span::from_secs_f64((model.horizon.as_secs_f64() - now.as_secs_f64()) / rate);
    // After the first second the estimate is worth reading, in whole seconds.
    let left = Span::from_secs(left.0.div_ceil(1_000_000_000));
    format!(
        "at {at}, {} × real time, {left} left",
        readable::short(rate.round())
    )
}
