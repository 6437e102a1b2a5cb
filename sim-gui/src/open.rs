//! Opening: what is run, from where, and what a link asked for beyond it.

use crate::MODELS;
use crate::app::{App, Opening};
use crate::dialog;
use crate::files;
use crate::lesson::{Answers, Lesson};
use crate::local::Local;
use crate::panel;
use crate::playback::worker::{Sliced, Threaded, Worker};
use crate::playback::{Edited, Request};
use crate::state::Asked;
use sim_core::scenario::{Scenario, Source};
use std::sync::Arc;

impl App {
    /// Begins as a link or the arguments of the program ask for.
    pub(crate) fn start(&mut self, opening: Opening) {
        // Whoever asks for nothing is shown what there is.
        let bare = opening.scenario.is_none()
            && opening.text.is_none()
            && opening.at.is_none()
            && opening.seed.is_none()
            && opening.remark.is_none();
        let name = opening.scenario.as_deref().unwrap_or("incident");
        let found = match &opening.text {
            // A link's text is in no file, whatever it is called: nothing of the reader's is written over.
            Some(text) => {
                let word = name.rsplit(['/', '\\']).next().unwrap_or_default();
                let word = word.trim_start_matches('.').to_owned();
                let path = MODELS.find(name).map_or(word, |model| model.name);
                Ok(Source::new(path, text))
            }
            None => files::find(name),
        };
        match found {
            Ok(source) => {
                self.run(name, source, opening.seed);
                self.state.welcome = bare;
                if bare {
                    self.begin_preview();
                }
                self.state.asked = Some(Asked {
                    at: opening.at,
                    edits: opening.edits,
                    sent: None,
                });
                if let Some(remark) = opening.remark {
                    self.say(remark);
                }
            }
            Err(why) => {
                if self.state.scenario.is_none() {
                    self.state.settings.show(panel::find("gallery"));
                }
                self.say(why);
            }
        }
    }

    /// Lets the picture of the opening scene move; where nothing may, it is one of a later moment.
    fn begin_preview(&mut self) {
        if self.state.settings.reduced_motion {
            self.send(Request::Seek(crate::welcome::until(&self.state)));
        } else {
            self.send(Request::Play(true));
        }
    }

    /// Opens a model by name, or a file; whether it did.
    pub(crate) fn open(&mut self, name: &str) -> bool {
        match files::find(name) {
            Err(why) => self.say(why),
            Ok(source) if self.may_replace(name) => {
                self.run(name, source, None);
                return true;
            }
            Ok(_) => {}
        }
        false
    }

    /// Whether something else may be opened: changes of the text are not lost without a word.
    pub(crate) fn may_replace(&mut self, by: &str) -> bool {
        let typed = self.local.text.is_some();
        if !(typed || self.state.unsaved) || self.insisted.as_deref() == Some(by) {
            self.insisted = None;
            return true;
        }
        self.insisted = Some(by.to_owned());
        self.say(format!(
            "the text of {} has changes that are not saved; open {by} again to lose them",
            self.state.name
        ));
        false
    }

    /// Runs a text from its beginning, with another seed than its own where one is given.
    pub(crate) fn run(&mut self, name: &str, source: Source, seed: Option<u64>) {
        let state = &mut self.state;
        name.clone_into(&mut state.name);
        (state.source, state.seed) = (source, seed);
        (state.selected, state.reveal, state.unsaved) = (None, false, false);
        (state.welcome, state.zoom, state.marked) = (false, None, None);
        state.pinned.clear();
        state.director = false;
        (state.experiment, self.runner) = (None, None);
        state.refusals.clear();
        // What was found in another scenario's text means nothing here.
        if (state.doctor.as_ref()).is_some_and(|e| e.source.name != state.source.name) {
            (state.doctor, self.examiner) = (None, None);
        }
        self.local = Local {
            form: self.local.form,
            ..Local::default()
        };
        self.begin(Asked::default());
        let state = &mut self.state;
        let model = state.scenario.as_ref().map(Scenario::model);
        let lesson = match model {
            Some(Ok(model)) => Lesson::beside(&state.source.name, model.clock),
            _ => Ok(None),
        };
        state.lesson = None;
        match lesson {
            Ok(lesson) => state.lesson = lesson,
            Err(why) => state.message = Some((why, state.time_s)),
        }
        state.answers = Answers {
            class: state.answers.class,
            ..Answers::none(state.lesson.as_ref())
        };
    }

    /// Simulates the open scenario from its beginning, up to what is asked for.
    pub(crate) fn begin(&mut self, asked: Asked) {
        let state = &mut self.state;
        (state.report, state.scenario, state.problems) = (None, None, None);
        state.warnings.clear();
        state.asked = Some(asked);
        self.local.seed = None;
        self.worker = None;
        (self.edits_seen, self.said_seen) = (0, 0);
        (self.forked, self.measured) = (false, None);
        let scenario = files::read_scenario(&state.source, state.seed);
        let worker = scenario.and_then(|scenario| {
            state.warnings = scenario.warnings();
            let worker: Box<dyn Worker> = if self.sliced {
                Box::new(Sliced::start(scenario.clone())?)
            } else {
                let ctx = self.ctx.clone();
                Box::new(Threaded::start(
                    scenario.clone(),
                    Arc::new(move || ctx.request_repaint()),
                )?)
            };
            state.scenario = Some(scenario);
            Ok(worker)
        });
        match worker {
            Ok(worker) => self.worker = Some(worker),
            Err(problems) => {
                state.problems = Some(Arc::new(problems));
                state.settings.show(panel::find("scenario"));
            }
        }
    }

    /// Does what a link asked for, as soon as the scenario runs.
    pub(crate) fn follow(&mut self) {
        let Some(asked) = self.state.asked.take() else {
            return;
        };
        if let Some(sent) = asked.sent {
            // Kept until the changes are there: somebody may ask for a link, or another seed, before.
            if self.edits_seen == sent {
                self.state.asked = Some(asked);
            }
            return;
        }
        let mut edits = Vec::new();
        for (at, typed) in &asked.edits {
            let moment = dialog::moment(&self.state, at);
            let edit = dialog::edit(&self.state, typed);
            if let (Some(at), Some(edit)) = (moment, edit) {
                edits.push(Edited { at, edit });
            } else {
                self.say(format!("{typed:?} at {at:?} is no change that can be made"));
            }
        }
        if let Some(at) = &asked.at {
            match dialog::moment(&self.state, at) {
                Some(at) => self.send(Request::Seek(at)),
                None => self.say(format!("{at:?} is no moment of this run")),
            }
        }
        if !edits.is_empty() {
            self.send(Request::Replay(edits));
            self.state.asked = Some(Asked {
                sent: Some(self.edits_seen),
                ..asked
            });
        }
    }
}
