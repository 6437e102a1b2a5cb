//! A scenario of a suite: read, run, held to its figures, and judged.

use super::figures::{self, Figures, Held};
use super::{Case, Tested};
use crate::args::TestArgs;
use crate::exit::Failure;
use crate::files;
use crate::input::Input;
use crate::part::write_whole;
use crate::terminal::{say, say_failure, say_warning};
use sim_core::experiment::{self, Measure};
use sim_core::model::Model;
use sim_core::summary::{Checked, Summary};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A scenario that is to be run.
pub(super) struct Job {
    name: String,
    /// `None` where it could not be read.
    model: Option<Arc<Model>>,
    /// What it is held to, with the measure of each figure.
    figures: Option<Figures>,
    measures: Vec<Measure>,
    /// Cases that are known before it runs.
    cases: Vec<Case>,
    /// Runs that it takes.
    pub runs: u64,
    /// Whether it can be run.
    pub valid: bool,
}

/// What a run leaves behind.
pub(super) struct Ran {
    ended_early: Option<String>,
    expectations: Vec<Checked>,
    figures: Vec<Option<f64>>,
}

/// Reads a scenario, and what it is held to.
pub(super) fn read(
    name: &str,
    sets: &[(String, String)],
    args: &TestArgs,
    quiet: bool,
) -> Result<Job, Failure> {
    let input = Input::open(name, &[])?;
    let read = input
        .scenario(sets)
        .and_then(|scenario| scenario.model().map(|model| (scenario, model)));
    let mut job = Job {
        name: name.to_owned(),
        model: None,
        figures: None,
        measures: Vec::new(),
        cases: Vec::new(),
        runs: 0,
        valid: true,
    };
    match read {
        Ok((scenario, model)) => {
            if !quiet {
                for text in scenario.warnings() {
                    say_warning(name, &text);
                }
            }
            job.begin(&Arc::new(model), args)?;
        }
        Err(problems) => {
            say_failure(&crate::command::refused_input(&input, sets, &problems));
            job.valid = false;
            for problem in &problems.problems {
                let label = problem.labels.first();
                let source = label.and_then(|label| problems.sources.get(label.source));
                let line = label.zip(source);
                job.cases.push(Case {
                    what: format!("it can be read ({})", problem.code),
                    file: source.map_or(name.to_owned(), |source| source.name.clone()),
                    line: line.map_or(0, |(label, source)| source.line_column(label.span.start).0),
                    failure: Some(problem.message.clone()),
                });
            }
        }
    }
    Ok(job)
}

impl Job {
    /// Is to be run, and held to the figures beside it.
    fn begin(&mut self, model: &Arc<Model>, args: &TestArgs) -> Result<(), Failure> {
        self.runs = args.replications.unwrap_or(1);
        self.model = Some(model.clone());
        // A model of the program has no place of its own.
        if !Path::new(&self.name).is_file() {
            return Ok(());
        }
        let path = figures::beside(&self.name);
        let file = path.display().to_string();
        // It may be written anew, and so is no input.
        match files::read_text(&path) {
            Ok(text) => self.hold(model, &file, text),
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Failure::io(format!("cannot read {file}"), &error));
            }
            Err(_) if args.update => self.measures = Measure::defaults(model),
            Err(_) => {}
        }
        Ok(())
    }

    /// Is held to the figures of a file.
    fn hold(&mut self, model: &Model, file: &str, text: String) {
        let mut wrong = |what: &str, line, why| {
            self.valid = false;
            self.cases.push(Case {
                what: what.to_owned(),
                file: file.to_owned(),
                line,
                failure: Some(why),
            });
        };
        match Figures::read(file, text) {
            Ok(figures) => {
                for held in &figures.held {
                    match Measure::parse(&held.path, model) {
                        Ok(measure) => self.measures.push(measure),
                        Err(why) => wrong(&held.path, held.line, why),
                    }
                }
                self.runs = self.runs.max(figures.replications);
                self.figures = Some(figures);
            }
            Err(found) => wrong("it can be read", found.line, found.message),
        }
        if !self.valid {
            self.runs = 0;
        }
    }

    /// Each figure's mean over the runs that its file asks for.
    fn means(&self, ran: &[Ran]) -> Vec<Option<f64>> {
        let of = (self.figures.as_ref()).map_or(self.runs, |figures| figures.replications);
        let of = (of as usize).min(ran.len());
        let mean = |at: usize| {
            let seen: Vec<f64> = ran[..of].iter().filter_map(|ran| ran.figures[at]).collect();
            let mean = seen.iter().sum::<f64>() / seen.len() as f64;
            (!seen.is_empty()).then_some(mean)
        };
        (0..self.measures.len()).map(mean).collect()
    }
}

/// Runs a job once; `None` if told to stop.
pub(super) fn simulate(job: &Job, replication: u64, cancel: &AtomicBool) -> Option<Ran> {
    let simulation = experiment::simulate(job.model.as_ref()?, replication, cancel)?;
    let summary = Summary::of(&simulation, 0);
    let figure = |measure: &Measure| summary.figure(measure.path());
    Some(Ran {
        ended_early: simulation.early_end(),
        figures: job.measures.iter().map(figure).collect(),
        expectations: summary.expectations,
    })
}

/// Writes down the figures of a scenario as they are now.
pub(super) fn update(job: &mut Job, ran: &[Ran], quiet: bool) -> Result<(), Failure> {
    let path = figures::beside(&job.name);
    let means = job.means(ran);
    let text = match &job.figures {
        Some(figures) => figures.updated(&means),
        None if job.measures.is_empty() => return Ok(()),
        None => {
            let paths = job.measures.iter().map(Measure::path);
            let name = Path::new(&job.name).file_name();
            let name = name.unwrap_or_default().to_string_lossy();
            let values: Vec<_> = paths.zip(means).collect();
            figures::first(&name, job.runs, &values)
        }
    };
    let name = path.display().to_string();
    write_whole(&path, text.as_bytes())
        .map_err(|error| Failure::io(format!("cannot write {name}"), &error))?;
    if !quiet {
        say(&format!("wrote {name}"));
    }
    // What is judged is what was written.
    job.measures.clear();
    if let Some(model) = job.model.clone() {
        job.hold(&model, &name, text);
    }
    Ok(())
}

/// What holds of a scenario, and what does not.
pub(super) fn judged(job: &mut Job, ran: &[Ran], args: &TestArgs) -> Tested {
    let mut cases = std::mem::take(&mut job.cases);
    let early = ran.iter().find_map(|ran| ran.ended_early.as_ref());
    if let Some(why) = early {
        cases.push(Case {
            what: "it reaches its horizon".to_owned(),
            file: job.name.clone(),
            line: 0,
            failure: Some(why.to_owned()),
        });
    }
    let count = ran.first().map_or(0, |ran| ran.expectations.len());
    for at in 0..count {
        let seen: Vec<&Checked> = ran.iter().map(|ran| &ran.expectations[at]).collect();
        cases.push(expected(&job.name, &seen, args.confidence));
    }
    if let Some(figures) = job.figures.as_ref().filter(|_| !ran.is_empty()) {
        let means = job.means(ran);
        let of = figures.held.iter().zip(&job.measures).zip(means);
        let case = |((held, measure), now): ((&Held, &Measure), Option<f64>)| Case {
            what: held.path.clone(),
            file: figures::beside(&job.name).display().to_string(),
            line: held.line,
            failure: held.differs(measure, now),
        };
        cases.extend(of.map(case));
    }
    Tested {
        name: job.name.clone(),
        of_rules: false,
        valid: job.valid,
        cases,
    }
}

/// An expectation, which must hold in so large a share of the runs as intervals are sure.
fn expected(scenario: &str, seen: &[&Checked], level: f64) -> Case {
    let held = seen.iter().filter(|checked| checked.passed).count();
    let first = seen.iter().position(|checked| !checked.passed);
    let failure = first.filter(|_| (held as f64) < level * seen.len() as f64);
    let why = |first: usize| match seen.len() {
        1 => format!("it was: {}", seen[first].actual),
        all => format!(
            "it holds in {held} of {all} replications; in replication {first} it was: {}",
            seen[first].actual
        ),
    };
    Case {
        what: seen.first().map_or(String::new(), |one| one.that.clone()),
        file: scenario.to_owned(),
        line: seen.first().map_or(0, |one| one.line),
        failure: failure.map(why),
    }
}
