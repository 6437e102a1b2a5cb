//! Commands of experiments, done.

use crate::app::App;
use crate::command::Command;
use crate::experiment::{
    Draft, Experiment, Field, Prepared, Refusal, Report, Runner, Subject, outcome, prepare, runner,
};
use crate::files;
use crate::panel;
use crate::playback::letter;
use std::sync::Arc;

impl App {
    /// Begins to run what was prepared: on threads, or in slices where there are none.
    pub(crate) fn runner_of(&self, prepared: &Prepared) -> Box<dyn Runner> {
        if self.sliced {
            return Box::new(runner::Sliced::start(prepared));
        }
        let ctx = self.ctx.clone();
        let waker = Arc::new(move || ctx.request_repaint());
        Box::new(runner::Threaded::start(prepared, waker))
    }

    /// The experiment that is being put together, once somebody has touched it.
    pub fn draft(&self) -> Option<&Draft> {
        self.local.lab.draft.as_ref()
    }

    /// Does a command of experiments; others are none of its business.
    pub(crate) fn experiment(&mut self, command: Command) {
        match command {
            Command::Experiment(draft) => self.begin_experiment(*draft),
            Command::ComparePolicies
            | Command::CompareFutures
            | Command::SweepLoad
            | Command::FindDeadline => match self.usual(&command) {
                Ok(draft) => self.begin_experiment(draft),
                Err(why) => self.say(why),
            },
            Command::StopExperiment => match &mut self.runner {
                Some(runner) => runner.stop(),
                None => self.say("no experiment is running"),
            },
            Command::CopyExperiment => {
                match self.state.experiment.as_ref().map(|e| e.command.clone()) {
                    Some(command) => self.copy(command, "the command is copied"),
                    None => self.say("there is no experiment to copy"),
                }
            }
            Command::SaveTable => {
                let table = self.state.experiment.as_ref().and_then(Experiment::csv);
                match table {
                    Some((name, text)) => {
                        let name = format!("{}-{name}", self.state.source.stem());
                        let said = files::save(&name, &text);
                        self.say(said);
                    }
                    None => self.say("there is no table to save yet"),
                }
            }
            Command::SavePlan => {
                let plan = self
                    .state
                    .experiment
                    .as_ref()
                    .and_then(Experiment::plan_text);
                match plan {
                    Some(text) => {
                        let name = format!("{}-plan.toml", self.state.source.stem());
                        let said = files::save(&name, &text);
                        self.say(said);
                    }
                    None => self.say("there is no sweep to save"),
                }
            }
            _ => {}
        }
    }

    /// What is asked for by a command that needs nothing more.
    fn usual(&self, command: &Command) -> Result<Draft, &'static str> {
        let waiting = "the scenario does not run yet";
        let model = self.state.model().ok_or(waiting)?;
        let scenario = self.state.scenario.as_ref().ok_or(waiting)?;
        match command {
            Command::CompareFutures => {
                let fork = self
                    .state
                    .fork()
                    .ok_or("nothing was changed: there is no future to compare")?;
                Ok(Draft::futures(model, fork))
            }
            Command::SweepLoad => Ok(Draft::load(model, scenario)),
            Command::FindDeadline => Ok(Draft::deadline(model, &self.state)),
            _ => Ok(Draft::policies(model)),
        }
    }

    fn begin_experiment(&mut self, draft: Draft) {
        self.state.settings.show(panel::find("experiments"));
        let lab = &mut self.local.lab;
        lab.draft = Some(draft.clone());
        (lab.picking, lab.measure) = (None, 0);
        self.state.refusals.clear();
        let named = draft.branches.iter();
        let subjects: Vec<Subject> = named
            .filter_map(|&branch| Subject::of(&self.state, branch))
            .collect();
        if subjects.len() < draft.branches.len() || subjects.is_empty() {
            let lost = draft
                .branches
                .iter()
                .copied()
                .find(|&branch| branch > 0 && self.state.branch(branch).is_none());
            let message = lost.map_or_else(
                || "no scenario is chosen".to_owned(),
                |branch| format!("future {} is not there any more", letter(branch)),
            );
            return self.refuse(vec![Refusal {
                field: Field::Scenarios,
                message,
                help: String::new(),
            }]);
        }
        match prepare(&draft, &subjects) {
            Err(refusals) => self.refuse(refusals),
            Ok(prepared) => {
                self.runner = Some(self.runner_of(&prepared));
                self.local.lab.open = false;
                self.state.experiment = Some(Experiment {
                    command: outcome::command(&draft, &subjects),
                    draft,
                    report: Report::new(&prepared),
                    prepared,
                });
            }
        }
    }

    fn refuse(&mut self, refusals: Vec<Refusal>) {
        self.local.lab.open = true;
        self.state.refusals = refusals;
    }
}
