//! Commands, done.

use crate::app::App;
use crate::command::Command;
use crate::dialog::{self, Dialog};
use crate::experiment::Subject;
use crate::files;
use crate::lesson::Answers;
use crate::link;
use crate::panel::topology::what_if;
use crate::panel::{self, lesson, timeline};
use crate::playback::Request;
use crate::playback::transport::next_speed;
use crate::settings::{Looks, Settings};
use crate::shell;
use crate::state::Asked;
use crate::welcome;
use eframe::egui;
use sim_core::scenario::Source;
use sim_core::time::Instant;

impl App {
    /// Does a command.
    pub fn perform(&mut self, command: Command) {
        let now = self
            .state
            .report
            .as_ref()
            .map_or(Instant::ZERO, |report| report.transport.goal);
        let transport = self.state.report.as_ref().map(|report| report.transport);
        self.leave_welcome(&command);
        match command {
            Command::Watch => self.watch(false),
            Command::TakeLesson => self.watch(true),
            // The one thing to do there is to begin.
            Command::PlayPause if self.state.welcome => self.watch(false),
            Command::PlayPause => self.send(Request::Play(!transport.is_some_and(|t| t.playing))),
            Command::Seek(at) => {
                self.send(Request::Play(false));
                self.send(Request::Seek(at));
            }
            Command::SeekBy(seconds) => {
                let moved = (now.as_secs_f64() + seconds).max(0.0);
                self.perform(Command::Seek(Instant((moved * 1e9) as u64)));
            }
            Command::First => self.perform(Command::Seek(Instant::ZERO)),
            Command::Last => self.perform(Command::Seek(self.state.horizon())),
            Command::Step => self.send(Request::Step),
            Command::NextEvent => self.send(Request::NextEvent),
            Command::PreviousEvent => self.send(Request::PreviousEvent),
            Command::EventNumber(number) => self.event_number(number),
            Command::Speed(speed) => {
                self.state.director = false;
                self.send(Request::Speed(speed));
            }
            Command::Director => self.state.director = !self.state.director,
            Command::Faster | Command::Slower => {
                let speed = transport.map_or(1.0, |t| t.speed);
                let faster = command == Command::Faster;
                if let Some(speed) = next_speed(speed, faster) {
                    self.state.director = false;
                    self.send(Request::Speed(speed));
                }
            }
            Command::PauseAtEvents => {
                let on = transport.is_some_and(|t| t.pause_at_events);
                self.send(Request::PauseAtEvents(!on));
            }
            Command::Zoom(stretch) => self.zoom(stretch),
            Command::Loop => self.mark_loop(transport.and_then(|t| t.range)),
            Command::Select(thing) => {
                self.state.selected = thing;
                self.local.what_if = what_if::of(&self.state, self.local.what_if.take());
                if thing.is_some() {
                    self.state.settings.show(panel::find("inspector"));
                }
            }
            Command::Edit(edit) => self.send(Request::Edit(vec![edit])),
            Command::Fork(edits) => {
                self.local.what_if = None;
                self.send(Request::Edit(edits));
            }
            Command::Expect(edits) => self.send(Request::Expect(edits)),
            Command::Undo => self.send(Request::Undo),
            Command::Redo => self.send(Request::Redo),
            Command::Show(main, beside) => self.send(Request::Show(main, beside)),
            Command::Close(branch) => self.send(Request::Close(branch)),
            Command::Swap => {
                if let Some((a, b)) = self
                    .state
                    .view()
                    .zip(self.state.beside())
                    .map(|(a, b)| (a.branch, b.branch))
                {
                    self.send(Request::Show(b, Some(a)));
                }
            }
            Command::Escape => {
                let closed = self.dialog.take().is_some()
                    || self.local.what_if.take().is_some()
                    || self.state.marked.take().is_some();
                if !closed {
                    self.state.selected = None;
                }
            }
            Command::Palette => {
                self.local.search.clear();
                self.local.chosen = 0;
                self.dialog = Some(Dialog::Palette);
            }
            Command::Help => self.dialog = Some(Dialog::Help),
            Command::Vote(card, answer, more) => self.state.answers.vote(card, answer, more),
            Command::Continue => self.go_on(),
            Command::ClassMode => self.state.answers.class = !self.state.answers.class,
            Command::Answer(card, answer, lock) => {
                if let Some(given) = self.state.answers.given.get_mut(card) {
                    *given = Some((answer, lock));
                }
            }
            Command::Try(at, edit) => self.try_at(&at, &edit),
            other => self.open_or_look(other),
        }
    }

    /// Shows a stretch of the run from edge to edge, or all of it.
    fn zoom(&mut self, stretch: Option<(Instant, Instant)>) {
        let horizon = self.state.horizon();
        let sound = |(a, b): &(Instant, Instant)| a.0 + 1000 < b.0;
        let stretch = stretch.map(|(a, b)| (a.min(b), a.max(b).min(horizon)));
        let whole = (Instant::ZERO, horizon);
        self.state.zoom = stretch.filter(sound).filter(|s| *s != whole);
    }

    /// Commands that run something else in place of what runs.
    fn open_or_look(&mut self, command: Command) {
        match command {
            Command::OpenModel(name) => {
                if self.open(&name) {
                    self.state.settings.show(panel::find("topology"));
                }
            }
            Command::OpenText(text) => {
                let source = Source::new(self.state.source.name.clone(), text);
                let name = self.state.name.clone();
                // A seed that was written down just now counts.
                let seed = self.state.seed.filter(|_| {
                    let own = |source: &Source| {
                        let read = files::read_scenario(source, None);
                        read.and_then(|s| s.model()).map(|m| m.seed)
                    };
                    match (own(&source), own(&self.state.source)) {
                        (Ok(after), Ok(before)) => after == before,
                        _ => true,
                    }
                });
                let unsaved = source.text != self.state.source.text || self.state.unsaved;
                self.run(&name, source, seed);
                self.state.unsaved = unsaved;
            }
            Command::Doctor => self.examine(),
            Command::StopDoctor => self.stop_examining(),
            Command::Mend(number) => self.mend(number),
            Command::Line(line) => {
                self.state.settings.show(panel::find("scenario"));
                (self.local.form, self.local.line) = (false, Some(line));
            }
            Command::SaveScenario => {
                let source = &self.state.source;
                let text = self.local.text.as_ref().unwrap_or(&source.text);
                let (said, saved) = files::save_scenario(source, text);
                self.state.unsaved &= !saved;
                self.say(said);
            }
            Command::Seed(seed) => self.reseed(seed),
            Command::NextSeed => {
                let seed = self.seed().map(|seed| seed.wrapping_add(1));
                self.reseed(seed.or(self.state.seed));
            }
            other => self.look_or_copy(other),
        }
    }

    /// Commands that change looks and layout, and those that copy.
    fn look_or_copy(&mut self, command: Command) {
        match command {
            Command::Mark(stretch) => {
                self.state.marked = stretch.map(|(a, b)| (a.min(b), a.max(b)));
            }
            Command::Fit => {
                let fitted = self.state.zoom.is_some() && self.state.zoom == self.state.marked;
                self.zoom(self.state.marked.filter(|_| !fitted));
            }
            Command::Pin(lane) => self.pin(lane),
            Command::PinSelected => match timeline::lane_of_selected(&self.state) {
                Some(lane) => self.pin(lane),
                None => self.say("select a server or a balancer: it has a lane to pin"),
            },
            Command::Split => self.state.settings.split = !self.state.settings.split,
            Command::Reveal => self.state.reveal = !self.state.reveal,
            Command::Panel(name) => self.state.settings.show_or_hide(panel::find(name)),
            Command::Plot(name) => self.state.settings.toggle_plot(name),
            Command::Theme => {
                let dark = self.ctx.theme() == egui::Theme::Dark;
                self.state.settings.looks = if dark { Looks::Light } else { Looks::Dark };
                self.apply_looks(&self.ctx.clone());
            }
            Command::ReducedMotion => {
                self.state.settings.reduced_motion = !self.state.settings.reduced_motion;
            }
            Command::ResetLayout => {
                let fresh = Settings::default();
                (self.state.settings.open, self.state.settings.plots) = (fresh.open, fresh.plots);
            }
            Command::CopyCommand => {
                let command = self.command_line();
                self.copy(command, "the command is copied");
            }
            Command::CopyOverlay => match self.overlay() {
                Some(text) => self.copy(text, "the overlay is copied"),
                None => self.say("nothing was changed: there is no fork to copy"),
            },
            Command::SaveOverlay => match self.overlay() {
                Some(text) => {
                    let name = format!("{}-what-if.toml", self.state.source.stem());
                    let said = files::save(&name, &text);
                    self.say(said);
                }
                None => self.say("nothing was changed: there is no fork to save"),
            },
            Command::CopyLink => match link::of(&self.state) {
                Ok(link) => self.copy(link, "the link is copied"),
                Err(why) => self.say(why),
            },
            Command::Copy(text) => self.copy(text, "copied"),
            other => self.experiment(other),
        }
    }

    /// Keeps a lane on top, or no longer.
    fn pin(&mut self, lane: String) {
        let pinned = &mut self.state.pinned;
        let before = pinned.len();
        pinned.retain(|other| *other != lane);
        if pinned.len() == before {
            pinned.push(lane);
            // The oldest gives way.
            let over = pinned.len().saturating_sub(timeline::PINS);
            pinned.drain(..over);
        }
    }

    pub(crate) fn copy(&mut self, text: String, said: &str) {
        self.ctx.copy_text(text);
        self.say(said);
    }

    /// Makes a change of the run as it was, at a moment of it.
    fn try_at(&mut self, at: &str, edit: &str) {
        let moment = dialog::moment(&self.state, at);
        match (moment, dialog::edit(&self.state, edit)) {
            (Some(at), Some(edit)) => {
                let back = self.state.now();
                self.send(Request::Show(0, None));
                self.send(Request::Seek(at));
                self.send(Request::Edit(vec![edit]));
                self.send(Request::Seek(back));
            }
            _ => self.say(format!("{edit:?} at {at:?} is no change that can be made")),
        }
    }

    /// The fork shown as a scenario file.
    pub fn overlay(&self) -> Option<String> {
        Subject::of(&self.state, self.state.fork()?).map(|subject| subject.source.text)
    }

    /// The command that reproduces what is shown.
    pub fn command_line(&self) -> String {
        let subject = Subject::of(&self.state, self.state.fork().unwrap_or(0));
        let Some(subject) = subject else {
            return format!("stampede check {}", shell::word(&self.state.name));
        };
        if subject.unwritten {
            return format!("stampede run -{}", shell::input(&subject.source.text));
        }
        let run = format!("stampede run {}", shell::word(&subject.argument));
        match subject.seed {
            Some(seed) => format!("{run} --seed {seed}"),
            None => run,
        }
    }

    /// The seed of what runs.
    fn seed(&self) -> Option<u64> {
        let own = || Some(self.state.scenario.as_ref()?.model().ok()?.seed);
        self.state.seed.or_else(own)
    }

    /// Runs what is shown with another seed: the same changes, up to the same moment.
    fn reseed(&mut self, seed: Option<u64>) {
        let state = &self.state;
        let asked = Asked {
            at: link::moment(state),
            edits: link::edits(state),
            sent: None,
        };
        let transport = state.report.as_ref().map(|report| report.transport);
        let closed = state.report.as_ref().map_or(0, |r| r.branches.len());
        if closed > 2 {
            self.say("the other futures were of the other seed: they are closed");
        }
        self.state.seed = seed;
        self.begin(asked);
        if let Some(transport) = transport {
            self.send(Request::Speed(transport.speed));
            self.send(Request::PauseAtEvents(transport.pause_at_events));
            self.send(Request::Range(transport.range));
        }
    }

    /// Whatever is done ends the opening scene, but for looks and what lies over it.
    fn leave_welcome(&mut self, command: &Command) {
        let stays = matches!(
            command,
            Command::Theme
                | Command::ReducedMotion
                | Command::Palette
                | Command::Help
                | Command::Escape
                | Command::Watch
                | Command::TakeLesson
                | Command::PlayPause
        );
        if self.state.welcome && !stays {
            self.state.welcome = false;
            self.send(Request::Play(false));
        }
    }

    /// Plays the run from its beginning, with questions or without.
    fn watch(&mut self, questions: bool) {
        if questions && self.state.lesson.is_none() {
            return self.say("this scenario has no lesson");
        }
        self.state.welcome = false;
        let settings = &mut self.state.settings;
        settings.show(panel::find("topology"));
        self.local.recap = false;
        // Whoever watches follows the story; questions are asked at one speed.
        self.state.director = !questions;
        if questions {
            settings.show(panel::find("lesson"));
            self.state.answers = Answers {
                class: self.state.answers.class,
                ..Answers::none(self.state.lesson.as_ref())
            };
        } else {
            settings.open.retain(|name| name != "lesson");
        }
        self.send(Request::Range(None));
        self.send(Request::Seek(Instant::ZERO));
        self.send(Request::Play(true));
    }

    /// Goes on with the lesson: locks an answer, lets time run, or shows what came of it all. Votes are locked alone, so
    /// that a class sees them before it sees who was right.
    fn go_on(&mut self) {
        match lesson::next(&self.state, self.local.recap) {
            Some(lesson::Next::Lock(card, answer)) => {
                self.perform(Command::Answer(card, answer, true));
                if !self.state.answers.class {
                    self.send(Request::Play(true));
                }
            }
            Some(lesson::Next::Play) => self.send(Request::Play(true)),
            Some(lesson::Next::Recap) => self.local.recap = true,
            None => {}
        }
    }

    /// The picture of the opening scene stops before it tells too much.
    pub(crate) fn stop_preview(&mut self) {
        let playing = (self.state.report.as_ref()).is_some_and(|r| r.transport.playing);
        let until = welcome::until(&self.state);
        if self.state.welcome && playing && self.state.now() >= until {
            self.send(Request::Play(false));
            self.send(Request::Seek(until));
        }
    }

    fn event_number(&mut self, number: usize) {
        let Some(branch) = self.state.main() else {
            return;
        };
        match branch.moment(number, self.state.visible_until(branch)) {
            Some(at) => self.perform(Command::Seek(at)),
            None => self.send(Request::NextEvent),
        }
    }

    fn mark_loop(&mut self, range: Option<(Instant, Instant)>) {
        let now = self.state.now();
        match (range, self.local.loop_from.take()) {
            (Some(_), _) => self.send(Request::Range(None)),
            (None, None) => {
                self.local.loop_from = Some(now);
                self.say("the loop begins here; go to its end and press L again");
            }
            (None, Some(from)) if from == now => {}
            (None, Some(from)) => self.send(Request::Range(Some((from.min(now), from.max(now))))),
        }
    }
}
