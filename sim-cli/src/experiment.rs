//! What all commands that run experiments share: threads, progress, warm-up, measures.

use crate::args::{
    EstimandArg, ExperimentArgs, ProgressStyle, REPLICATIONS, ResultArgs, WarmUpArg,
};
use crate::exit::{Exit, Failure};
use crate::sheet;
use crate::terminal::{self, Out};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle as BarStyle};
use serde::Serialize;
use sim_core::experiment::{Control, Estimand, Measure, Plan, Precision, Progress, WarmUp};
use sim_core::model::Model;
use sim_core::time::Duration as Span;
use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Replications of a sequential experiment at most, when nothing is said.
pub(crate) const MAX_REPLICATIONS: u64 = 1000;
/// Replications of the first stage of a selection, when nothing is said.
pub(crate) const FIRST_STAGE: u64 = 20;
/// Nothing is shown before: a short experiment needs no progress.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time between the lines of the counter.
const COUNTER: Duration = Duration::from_secs(10);

/// Runs an experiment with threads and progress as asked for; also how long it took, and on how
/// many threads. One that says nothing of the system, as where a policy of the user's own fails, is refused.
#[expect(
    clippy::disallowed_methods,
    reason = "how long an experiment takes is told in `host`, and nothing else depends on it"
)]
pub(crate) fn conduct<T>(
    name: &str,
    threads: Option<NonZeroUsize>,
    style: ProgressStyle,
    (quiet, out): (bool, &Out<'_>),
    experiment: impl FnOnce(&Control<'_>) -> T,
) -> Result<(T, ExperimentHost), Failure> {
    let (stop, told) = (out.stop()?, out.told());
    let threads = threads
        .unwrap_or_else(|| std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN));
    let start = Instant::now();
    let shown = Mutex::new(Runs::new(name, style, quiet));
    let progress = |progress: Progress| {
        told(progress.done, progress.planned);
        if let Ok(mut shown) = shown.lock() {
            shown.show(progress, start.elapsed());
        }
    };
    let control = Control::new(threads, stop, &progress);
    let found = experiment(&control);
    if let Ok(mut shown) = shown.lock() {
        shown.finish();
    }
    if let Some(why) = control.failure() {
        return Err(Failure::new(Exit::Failed, why));
    }
    let host = ExperimentHost {
        wall_s: start.elapsed().as_secs_f64(),
        threads: threads.get(),
        exit_code: 0,
    };
    Ok((found, host))
}

/// About an experiment on this machine; the only part of the output that differs between two.
#[derive(Serialize, Clone, Copy, PartialEq, Debug)]
pub(crate) struct ExperimentHost {
    /// How long it took, in seconds.
    pub wall_s: f64,
    /// Threads that simulated.
    pub threads: usize,
    /// The exit code that it amounts to.
    pub exit_code: u8,
}

/// A report, with what depends on the machine in a place of its own.
#[derive(Serialize)]
pub(crate) struct WithHost<'a, T> {
    /// The report.
    #[serde(flatten)]
    pub report: &'a T,
    /// The machine.
    pub host: ExperimentHost,
}

/// The measures asked for, or those shown when none are. Every model must have them.
pub(crate) fn measures(
    args: &ExperimentArgs,
    models: &[&Arc<Model>],
) -> Result<Vec<Measure>, Failure> {
    let Some(first) = models.first() else {
        return Ok(Vec::new());
    };
    if args.measures.is_empty() {
        return Ok(Measure::defaults(first));
    }
    let mut measures: Vec<Measure> = Vec::new();
    for path in &args.measures {
        for model in models {
            let measure = Measure::parse(path, model).map_err(|why| {
                Failure::new(Exit::NotFound, format!("{}: {why}", model.name))
                    .help("`stampede list figures` shows all figures")
            })?;
            if !measures.contains(&measure) {
                measures.push(measure);
            }
        }
    }
    Ok(measures)
}

/// The plan of an experiment.
pub(crate) fn plan(args: &ExperimentArgs, measures: Vec<Measure>, first: u64) -> Plan {
    let sequential = args.precision.map(|relative| Precision {
        relative,
        max_replications: args.max_replications.unwrap_or(MAX_REPLICATIONS),
    });
    // A sequential experiment begins with a wave and grows.
    let least = if sequential.is_some() {
        10
    } else {
        REPLICATIONS
    };
    Plan {
        measures,
        first,
        replications: args.effort.replications.unwrap_or(least),
        level: args.effort.level(),
        precision: sequential,
        estimand: estimand(args),
    }
}

/// What is estimated.
pub(crate) fn estimand(args: &ExperimentArgs) -> Estimand {
    match args.estimand {
        None => Estimand::ByNature,
        Some(EstimandArg::Steady) => Estimand::Steady,
        Some(EstimandArg::Horizon) => Estimand::Horizon,
    }
}

/// Refuses a warm-up that leaves nothing to measure.
pub(crate) fn check_warm_up(args: &ExperimentArgs, models: &[&Arc<Model>]) -> Result<(), Failure> {
    if let Some(WarmUpArg::Fixed(length)) = args.warm_up
        && let Some(model) = models.iter().find(|model| model.horizon <= length)
    {
        let message = format!(
            "a warm-up of {length} leaves nothing of the horizon of {} to measure",
            model.horizon
        );
        return Err(Failure::new(Exit::Usage, message));
    }
    Ok(())
}

/// The warm-up of several models that are to be treated alike: the longest found. `None` when
/// interrupted.
pub(crate) fn warm_up(
    args: &ExperimentArgs,
    models: &[Arc<Model>],
    first: u64,
    control: &Control<'_>,
) -> Option<WarmUp> {
    match args.warm_up {
        Some(WarmUpArg::Fixed(length)) => Some(WarmUp::Given(length)),
        None => Some(WarmUp::alike(models)),
        Some(WarmUpArg::Auto) => {
            let mut found: Option<WarmUp> = None;
            for model in models {
                let one = WarmUp::find(model, first, estimand(args), control)?;
                found = Some(match found {
                    None => one,
                    Some(before) => longer(before, one),
                });
            }
            found
        }
    }
}

fn longer(one: WarmUp, other: WarmUp) -> WarmUp {
    match (one.length(), other.length()) {
        (None, _) => one,
        (Some(a), Some(b)) if a >= b => one,
        _ => other,
    }
}

/// Refuses a folder that cannot be written to before an hour is spent.
pub(crate) fn check_output(args: &ResultArgs) -> Result<(), Failure> {
    if let Some(target) = &args.output {
        drop(crate::folder::Folder::begin(target, args.force)?);
    }
    sheet::check(&args.page, args.output.as_deref())
}

/// Shows how many runs are done.
enum Runs {
    Bar {
        name: String,
        bar: Option<ProgressBar>,
    },
    Counter {
        name: String,
        next: Duration,
    },
    Hidden,
}

impl Runs {
    fn new(name: &str, style: ProgressStyle, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let name = name.to_owned();
        match style {
            ProgressStyle::Counter if !quiet => Self::Counter {
                name,
                next: COUNTER,
            },
            ProgressStyle::Auto | ProgressStyle::Bar if terminal && !quiet => {
                Self::Bar { name, bar: None }
            }
            _ => Self::Hidden,
        }
    }

    fn show(&mut self, progress: Progress, wall: Duration) {
        match self {
            Self::Bar { name, bar } if wall >= PATIENCE => {
                let bar = bar.get_or_insert_with(|| new_bar(name));
                bar.set_length(progress.planned);
                bar.set_position(progress.done);
                bar.set_message(left(progress, wall));
            }
            Self::Counter { name, next } if wall >= *next => {
                *next += COUNTER;
                terminal::say(&format!(
                    "{name}: {} of {} runs, {}",
                    progress.done,
                    progress.planned,
                    left(progress, wall)
                ));
            }
            _ => {}
        }
    }

    fn finish(&mut self) {
        if let Self::Bar { bar: Some(bar), .. } = self {
            bar.finish_and_clear();
        }
    }
}

fn new_bar(name: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr_with_hz(10));
    // The template is ours; were it wrong, the plain bar would do.
    let style = BarStyle::with_template("{prefix} {bar:30} {pos} of {len} runs  {wide_msg}");
    bar.set_style(style.unwrap_or_else(|_| BarStyle::default_bar()));
    bar.set_prefix(name.to_owned());
    bar
}

/// How long the runs known to be needed still take at this rate.
fn left(progress: Progress, wall: Duration) -> String {
    let runs = progress.planned.saturating_sub(progress.done) as f64;
    let left = Span::from_secs_f64(wall.as_secs_f64() / progress.done.max(1) as f64 * runs);
    let left = Span::from_secs(left.0.div_ceil(1_000_000_000));
    format!("{left} left")
}
