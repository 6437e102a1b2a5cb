//! `stampede run --replications`: several runs of a scenario, and intervals for its figures.

use crate::args::{RunArgs, RunFormat, SeededArgs};
use crate::deliver::INTERRUPTED;
use crate::exit::{Exit, Failure};
use crate::experiment::{
    ExperimentHost, WithHost, check_warm_up, conduct, measures, plan, warm_up,
};
use crate::folder::{EXPERIMENT, Folder};
use crate::input::Input;
use crate::report::theory_blocks;
use crate::sheet::{self, PAGE};
use crate::terminal::{self, DIM, Out};
use serde::Serialize;
use sim_core::experiment::{Measure, Replicated, Stop, WarmUp, replicate, warmed, without_warm_up};
use sim_core::metric::Unit;
use sim_core::model::Model;
use sim_core::plot::intervals::{Intervals, Row};
use sim_core::readable;
use sim_core::report::sheet::{Block, Sheet, Table};
use sim_core::report::{Picture, ReplicationsReport, words, write_measures, write_runs};
use sim_core::scenario::Scenario;
use sim_core::statistics::{Estimate, Needs, Withheld};
use sim_core::theory::{self, Applied};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// A scenario that is ready to be replicated.
struct Job {
    scenario: Scenario,
    model: Arc<Model>,
    measures: Vec<Measure>,
    applied: Option<Applied>,
}

/// Replications of each scenario, one after the other.
pub(crate) fn run(args: &RunArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    refuse_what_one_run_has(args)?;
    let jobs = prepare(args, out.given())?;
    sheet::check(&args.page, args.how.output.as_deref())?;
    let mut worst = Exit::Ok;
    for (number, job) in jobs.into_iter().enumerate() {
        let Job {
            scenario,
            model,
            measures,
            applied,
        } = job;
        for text in scenario.warnings() {
            out.warn(scenario.name(), &text, quiet);
        }
        let output = args.how.output.as_ref().map(|dir| {
            if args.scenarios.len() > 1 {
                dir.join(scenario.name())
            } else {
                dir.clone()
            }
        });
        let folder = output
            .as_deref()
            .map(|target| Folder::begin(target, args.how.force))
            .transpose()?;
        let plan = plan(&args.experiment, measures, args.how.replication);
        let (found, mut host) = conduct(
            scenario.name(),
            args.experiment.effort.threads,
            args.how.showing.progress,
            (quiet, out),
            |control| {
                let models = [model.clone()];
                let warm_up = warm_up(&args.experiment, &models, plan.first, control)?;
                let found = match warm_up {
                    WarmUp::TooShort { needs, .. } => without_warm_up(&model, &plan, needs),
                    _ => replicate(&warmed(&models, &warm_up)[0], &plan, control),
                };
                Some((found, warm_up))
            },
        )?;
        let Some((found, warm_up)) = found else {
            return Ok(Exit::Interrupted);
        };
        let report = ReplicationsReport::of(
            &found,
            &plan.measures,
            plan.level,
            &warm_up,
            scenario.hash(),
        );
        let exit = exit_of(&found, &report);
        host.exit_code = exit.code();
        let shown = Shown {
            scenario: &scenario,
            found: &found,
            measures: &plan.measures,
            warm_up: &warm_up,
            report: &report,
            theory: applied.map(|applied| beside(applied, &plan.measures, &found)),
            host,
        };
        let sheet = shown.sheet();
        if let Some(asked) = out.asked_mut() {
            asked.keep("measures.csv", |out| write_measures(&report, out))?;
            asked.keep("replications.csv", |out| write_runs(&report, out))?;
            asked.keep_experiment(&shown.whole(), Some(&scenario), &sheet)?;
        }
        if let Some(folder) = folder {
            write_files(&folder, &scenario, &report)?;
            folder.write(PAGE, |out| out.write_all(sheet.html().as_bytes()))?;
            folder.finish()?;
        }
        print(
            (&shown, &sheet),
            args,
            number,
            output.as_deref().filter(|_| !quiet),
            out,
        )?;
        let silent = quiet || args.how.format != RunFormat::Text;
        sheet::write(&args.page, &sheet, (silent, out))?;
        out.flush()?;
        if exit != Exit::Ok {
            worst = exit;
        }
        if exit == Exit::Interrupted {
            break;
        }
    }
    Ok(worst)
}

/// Reads every scenario before the first one runs.
fn prepare(args: &RunArgs, given: &[(String, String)]) -> Result<Vec<Job>, Failure> {
    let mut jobs: Vec<Job> = Vec::new();
    for argument in &args.scenarios {
        let (scenario, model) = read(argument, &args.how.seeded, given)?;
        check_warm_up(&args.experiment, &[&model])?;
        let mut measures = measures(&args.experiment, &[&model])?;
        let applied = args.how.theory.then(|| theory::apply(&model));
        for path in applied.iter().flat_map(Applied::paths) {
            // What theory knows is measured, whatever else is.
            let measure = Measure::parse(&path, &model).ok();
            measures.extend(measure.filter(|measure| !measures.contains(measure)));
        }
        if args.how.output.is_some()
            && jobs
                .iter()
                .any(|job| job.scenario.name() == scenario.name())
        {
            let message = format!(
                "two scenarios are called {:?}: their results would fall on one another",
                scenario.name()
            );
            return Err(Failure::new(Exit::Usage, message));
        }
        jobs.push(Job {
            scenario,
            model,
            measures,
            applied,
        });
    }
    Ok(jobs)
}

fn refuse_what_one_run_has(args: &RunArgs) -> Result<(), Failure> {
    if args.how.format == RunFormat::Csv && args.scenarios.len() > 1 {
        return Err(Failure::new(
            Exit::Usage,
            "one table cannot hold the measures of several scenarios",
        )
        .help("write each into a folder of its own with -o DIR"));
    }
    if args.page.report.is_some() && args.scenarios.len() > 1 {
        let message = "one page cannot hold the measures of several scenarios";
        return Err(
            Failure::new(Exit::Usage, message).help("-o DIR writes a page into the folder of each")
        );
    }
    let in_vain = [
        (args.how.log_requests.is_some(), "--log-requests"),
        (args.how.event_log, "--event-log"),
        (args.how.by_demand.is_some(), "--by-demand"),
    ];
    if args.how.replication > u64::MAX / 2 {
        let message = format!(
            "--replication {} leaves no numbers for more",
            args.how.replication
        );
        return Err(Failure::new(Exit::Usage, message));
    }
    match in_vain.into_iter().find(|(given, _)| *given) {
        Some((_, name)) => Err(Failure::new(
            Exit::Usage,
            format!("{name} is about one run, and this is several"),
        )
        .help("leave out --replications")),
        None => Ok(()),
    }
}

/// Reads a scenario and its model, and tells what is wrong with it.
pub(super) fn read(
    argument: &str,
    seeded: &SeededArgs,
    given: &[(String, String)],
) -> Result<(Scenario, Arc<Model>), Failure> {
    let sets = seeded.all();
    let input = Input::open(argument, given)?;
    input
        .scenario(&sets)
        .and_then(|scenario| scenario.model().map(|model| (scenario, Arc::new(model))))
        .map_err(|problems| super::refused_input(&input, &sets, &problems))
}

/// An expectation fails when it holds in fewer replications than the confidence asks for.
fn exit_of(found: &Replicated, report: &ReplicationsReport) -> Exit {
    let held = |e: &sim_core::report::ExpectationReport| {
        e.held as f64 >= report.head.confidence * e.of as f64
    };
    if found.stop == Stop::Interrupted {
        Exit::Interrupted
    } else if !found.runs.is_empty()
        && found.runs.iter().all(|run| run.complete)
        && report.expectations.iter().all(held)
    {
        Exit::Ok
    } else {
        Exit::Failed
    }
}

fn write_files(
    folder: &Folder,
    scenario: &Scenario,
    report: &ReplicationsReport,
) -> Result<(), Failure> {
    folder.write("scenario.toml", |out| {
        out.write_all(scenario.to_toml().as_bytes())
    })?;
    folder.write("measures.csv", |out| write_measures(report, out))?;
    folder.write("replications.csv", |out| write_runs(report, out))?;
    folder.write(EXPERIMENT, |out| {
        writeln!(out, "{}", terminal::json(report))
    })
}

struct Shown<'a> {
    scenario: &'a Scenario,
    found: &'a Replicated,
    measures: &'a [Measure],
    warm_up: &'a WarmUp,
    report: &'a ReplicationsReport,
    theory: Option<Applied>,
    host: ExperimentHost,
}

/// The report, with what theory says.
#[derive(Serialize)]
struct WithTheory<'a> {
    #[serde(flatten)]
    report: &'a ReplicationsReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    theory: Option<&'a Applied>,
}

/// What theory says, with the estimate of each figure that it knows.
fn beside(applied: Applied, measures: &[Measure], found: &Replicated) -> Applied {
    applied.beside_estimates(|path| {
        let at = measures.iter().position(|measure| measure.path() == path)?;
        found.estimates.get(at).copied()
    })
}

fn print(
    (shown, sheet): (&Shown<'_>, &Sheet),
    args: &RunArgs,
    number: usize,
    output: Option<&Path>,
    out: &mut Out,
) -> Result<(), Failure> {
    match args.how.format {
        RunFormat::Json => {
            let (report, host) = (&shown.whole(), shown.host);
            writeln!(out, "{}", terminal::json(&WithHost { report, host }))?;
        }
        RunFormat::Csv => write_measures(shown.report, out)?,
        RunFormat::Text => {
            if number > 0 {
                writeln!(out)?;
            }
            sheet::print(&sheet.blocks, out)?;
            if let Some(folder) = output {
                writeln!(out, "{DIM}results in {}{DIM:#}", terminal::place(folder))?;
            }
        }
    }
    Ok(())
}

impl Shown<'_> {
    fn whole(&self) -> WithTheory<'_> {
        WithTheory {
            report: self.report,
            theory: self.theory.as_ref(),
        }
    }

    fn sheet(&self) -> Sheet {
        let model = &self.found.model;
        let runs = self.found.runs.len();
        let what = if runs == 1 {
            "run in batches".to_owned()
        } else {
            readable::counted(runs, "replication")
        };
        Sheet {
            blocks: self.blocks(),
            commands: vec![sheet::command()],
            ..Sheet::of(&what, self.scenario, model.seed)
        }
    }

    fn blocks(&self) -> Vec<Block> {
        let model = &self.found.model;
        let runs = self.found.runs.len();
        let how = if runs == 1 {
            "run, in batches,"
        } else {
            "replications"
        };
        let name = self.scenario.name().to_owned();
        let mut blocks = vec![
            Block::Lead(name, format!("  {}", model.title)),
            Block::Sentence(format!(
                "{runs} {how} of {} · {} · {} · {} confidence · seed {}",
                readable::length(model.horizon, model.clock),
                words::estimand(self.found.steady),
                words::warm_up(self.warm_up),
                readable::share(self.report.head.confidence),
                model.seed
            )),
        ];
        let stop = stop_words(self.found.stop);
        blocks.extend(stop.map(|words| Block::Warning(words.to_owned())));
        blocks.push(Block::Gap);
        let common = common_reason(&self.found.estimates);
        if let Some((reason, needs)) = common {
            let reason = words::reason_and_needs(reason, needs);
            blocks.push(Block::Warning(format!("no intervals: {reason}")));
        }
        let head = ["measure", "mean", "interval", "relative"];
        let mut table = Table::new("Measures, with their intervals", &head);
        for (measure, estimate) in self.measures.iter().zip(&self.found.estimates) {
            let mut row = vec![measure.path().to_owned()];
            row.extend(words::estimate(measure, estimate));
            if common.is_some() {
                row.truncate(2);
            }
            table.rows.push(row);
        }
        blocks.push(Block::Table(table));
        let methods = words::methods(self.measures.iter().zip(&self.found.estimates));
        blocks.extend(methods.into_iter().map(Block::Note));
        if !self.report.classical.is_empty() && common.is_none() {
            let table = words::classical(self.measures, &self.report.classical);
            blocks.push(Block::Heading(table.caption.clone()));
            blocks.push(Block::Table(table));
        }
        blocks.extend(self.plot().map(Block::Picture));
        if !self.report.expectations.is_empty() && runs > 0 {
            blocks.push(Block::Gap);
            blocks.push(Block::Sentence(
                "expectations, and in how many replications they hold".to_owned(),
            ));
        }
        for expectation in &self.report.expectations {
            let (held, of) = (expectation.held, expectation.of);
            let (holds, count) = if of == 0 {
                (None, "not judged".to_owned())
            } else {
                let enough = held as f64 >= self.report.head.confidence * of as f64;
                (Some(enough), format!("{held} of {of}"))
            };
            blocks.push(Block::Check(holds, count, expectation.that.clone()));
        }
        if let Some(theory) = &self.theory {
            blocks.extend(theory_blocks(theory, self.measures));
        }
        blocks
    }

    /// What is measured as a time: these figures share an axis.
    fn plot(&self) -> Option<Picture> {
        let figures = self.measures.iter().zip(&self.found.estimates);
        let times = figures.filter(|(measure, _)| measure.unit() == Unit::Time);
        let rows = times.map(|(measure, estimate)| Row {
            name: measure.path().to_owned(),
            mean: estimate.mean(),
            interval: estimate.ends(),
            note: words::estimate(measure, estimate)[..2].join(" "),
        });
        let rows: Vec<Row> = rows.collect();
        (!rows.is_empty()).then(|| {
            Picture::Intervals(Intervals {
                title: format!("{}: times, with their intervals", self.scenario.name()),
                label: "time".to_owned(),
                unit: Unit::Time,
                rows,
                zero: false,
            })
        })
    }
}

/// The reason why no measure has an interval, where it is one for all.
fn common_reason(estimates: &[Estimate]) -> Option<(&Withheld, Option<Needs>)> {
    let first = estimates.first()?;
    let reason = first.reason()?;
    let same = |e: &Estimate| e.reason() == Some(reason) && e.needs() == first.needs();
    estimates
        .iter()
        .all(same)
        .then_some((reason, first.needs()))
}

/// Why an experiment ended, where the reader should know.
pub(super) fn stop_words(stop: Stop) -> Option<&'static str> {
    match stop {
        Stop::Planned | Stop::Precise => None,
        Stop::Cap => Some("--max-replications was reached before the precision"),
        Stop::Hopeless => Some("no measure has an interval, and more replications would not help"),
        Stop::Interrupted => Some(INTERRUPTED),
    }
}
