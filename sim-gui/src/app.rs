//! The window: it reads reports, draws panels, and does commands. Nothing else changes the state.

use crate::command::{COMMANDS, Command, CommandDef, DIGITS};
use crate::dialog::{self, Dialog};
use crate::director;
use crate::doctor::Examined;
use crate::experiment::{Experiment, Runner};
use crate::files;
use crate::layout;
use crate::lesson::Answers;
use crate::local::Local;
use crate::panel::{self, Cx, lesson};
use crate::playback::worker::Worker;
use crate::playback::{Report, Request, letter};
use crate::settings::{Looks, Settings};
use crate::state::{State, site_word};
use crate::stretch::Measuring;
use crate::theme;
use crate::welcome;
use eframe::egui;
use sim_core::scenario::Source;
use sim_core::time::Instant;
use std::sync::Arc;
use std::time::Duration;

/// Time of a frame that playback has at least where there are no threads.
const SLICE: Duration = Duration::from_millis(7);
/// The same at most, however slowly frames are drawn.
const SLICE_MAX: Duration = Duration::from_millis(100);
/// What a frame may take with it: thirty are drawn in a second, and a little is left for the browser.
const FRAME: Duration = Duration::from_millis(27);
/// How long a message stays at least, in seconds.
const MESSAGE_S: f64 = 3.0;
/// How fast one is read.
const LETTERS_PER_S: f64 = 15.0;

/// How the window begins.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// A model's name or a file; the incident where nothing is given.
    pub scenario: Option<String>,
    /// The scenario's text, where it is not the one that is found by its name.
    pub text: Option<String>,
    /// Another seed than the scenario's.
    pub seed: Option<u64>,
    /// Where the play head begins.
    pub at: Option<String>,
    /// Changes made at moments: a link's or a saved branch.
    pub edits: Vec<(String, String)>,
    /// What could not be understood of the link.
    pub remark: Option<String>,
    /// Looks and layout.
    pub settings: Settings,
    /// Whether looks and layout are kept for the next start.
    pub keep: bool,
    /// Whether playback gets no thread: in browsers, and in tests that want to be in step.
    pub sliced: bool,
}

/// The window.
pub struct App {
    pub(crate) state: State,
    pub(crate) local: Local,
    pub(crate) worker: Option<Box<dyn Worker>>,
    pub(crate) dialog: Option<Dialog>,
    /// Who simulates the experiment.
    pub(crate) runner: Option<Box<dyn Runner>>,
    /// Who simulates what the doctor tries.
    pub(crate) examiner: Option<Box<dyn Runner>>,
    pub(crate) sliced: bool,
    /// Time that playback had of the last frame.
    slice: Duration,
    /// The stretch that was measured last: of which futures, as far as each was simulated, after so many changes.
    pub(crate) measured: Option<Measuring>,
    pub(crate) edits_seen: u64,
    /// A change was accepted whose future is not shown yet.
    pub(crate) forked: bool,
    pub(crate) said_seen: u64,
    /// What was to be opened over changes that are not saved: asked for again, it is.
    pub(crate) insisted: Option<String>,
    /// Settings as they were kept last; `None` where they are not kept.
    kept: Option<String>,
    pub(crate) ctx: egui::Context,
    title: String,
}

impl App {
    /// A window.
    pub fn new(ctx: &egui::Context, opening: Opening) -> Self {
        theme::install(ctx);
        let settings = opening.settings.clone();
        let kept = opening.keep.then(|| settings.to_text());
        let mut app = Self {
            state: State {
                name: String::new(),
                source: Source::new("", ""),
                unsaved: false,
                seed: None,
                asked: None,
                scenario: None,
                problems: None,
                warnings: Vec::new(),
                report: None,
                selected: None,
                settings,
                hovered: None,
                zoom: None,
                marked: None,
                pinned: Vec::new(),
                welcome: false,
                director: false,
                reveal: false,
                lesson: None,
                answers: Answers::default(),
                experiment: None,
                refusals: Vec::new(),
                doctor: None,
                message: None,
                time_s: 0.0,
            },
            local: Local::default(),
            worker: None,
            dialog: None,
            runner: None,
            examiner: None,
            sliced: opening.sliced,
            slice: SLICE,
            measured: None,
            edits_seen: 0,
            forked: false,
            said_seen: 0,
            insisted: None,
            kept,
            ctx: ctx.clone(),
            title: String::new(),
        };
        app.apply_looks(ctx);
        app.start(opening);
        app
    }

    /// What the window knows.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The context that everything is drawn in.
    pub fn ctx(&self) -> &egui::Context {
        &self.ctx
    }

    pub(crate) fn say(&mut self, words: impl Into<String>) {
        self.state.message = Some((words.into(), self.state.time_s));
    }

    pub(crate) fn send(&mut self, request: Request) {
        let goal = match request {
            Request::Seek(at) => Some(at),
            _ => None,
        };
        if let Some(worker) = &mut self.worker {
            worker.send(request);
            // Until the answer comes, what is shown is not what was asked for.
            if let Some(report) = &mut self.state.report {
                report.settled = false;
                if let Some(goal) = goal {
                    report.transport.goal = goal;
                }
            }
        }
    }

    pub(crate) fn apply_looks(&self, ctx: &egui::Context) {
        ctx.set_theme(match self.state.settings.looks {
            Looks::System => egui::ThemePreference::System,
            Looks::Light => egui::ThemePreference::Light,
            Looks::Dark => egui::ThemePreference::Dark,
        });
    }

    /// Gives playback what the drawing leaves of a frame, where there are no threads; `last` is what the last frame took of
    /// this one.
    fn share_frame(&mut self, ctx: &egui::Context, last: Option<f32>) {
        let took = |seconds| Duration::try_from_secs_f32(seconds).unwrap_or_default();
        let Some(drawn) = last.map(|last| took(last).saturating_sub(self.slice)) else {
            return;
        };
        let left = FRAME.saturating_sub(drawn).min(FRAME * 3 / 4);
        // Where others draw slowly, a processor in the place of a graphics card, this thread had to wait. A part of that,
        // so that the slice falls again once it is what takes the time.
        let apart = took(ctx.input(|i| i.unstable_dt));
        let waited = apart.saturating_sub(drawn) * 4 / 5;
        let busy = self.worker.as_ref().is_some_and(|worker| worker.is_busy());
        self.slice = if busy { left.max(waited) } else { left };
        self.slice = self.slice.clamp(SLICE, SLICE_MAX);
    }

    /// Takes the latest report.
    fn receive(&mut self) {
        if self
            .worker
            .as_ref()
            .is_some_and(|worker| worker.is_broken())
        {
            self.say("playback broke, which is an error of this program: open the scenario again");
        }
        let Some(report) = self
            .worker
            .as_mut()
            .and_then(|worker| worker.poll(self.slice))
        else {
            return;
        };
        if report.edits_seen != self.edits_seen {
            self.edits_seen = report.edits_seen;
            self.edited(&report);
        }
        if report.said_seen != self.said_seen {
            self.said_seen = report.said_seen;
            self.say(report.said.as_deref().unwrap_or_default());
        }
        let before = self.state.view().map(|view| view.at);
        self.state.take(report);
        // Not before there is something to set beside: the space it gets is measured then.
        if self.forked && self.state.beside().is_some() {
            self.forked = false;
            self.state.settings.show(panel::find("futures"));
        }
        self.stop_for_lesson(before);
        self.stop_preview();
        self.direct();
        self.keep_in_sight(before);
        self.follow();
    }

    /// Where less than the whole run is shown, it goes along with the moment that is played or gone to.
    fn keep_in_sight(&mut self, before: Option<Instant>) {
        let (now, stretch) = (self.state.now(), self.state.stretch());
        if self.state.zoom.is_some() && before != Some(now) && !stretch.has(now) {
            let share = f64::from(stretch.share(now)) - 0.1;
            let moved = stretch.later(share, self.state.horizon());
            self.state.zoom = Some((moved.from, moved.to));
        }
    }

    /// Plays as fast as the story allows, where that is asked for.
    fn direct(&mut self) {
        let transport = self.state.report.as_ref().map(|report| report.transport);
        let Some(transport) = transport.filter(|t| self.state.director && t.playing) else {
            return;
        };
        let speed = director::speed(&self.state).filter(|speed| {
            // Nearly as fast is as fast.
            !(0.95..=1.05).contains(&(speed / transport.speed))
        });
        if let Some((speed, worker)) = speed.zip(self.worker.as_mut()) {
            worker.send(Request::Speed(speed));
        }
    }

    /// Takes what is reported of the experiment, and of what the doctor tries.
    fn look_at_experiments(&mut self, ctx: &egui::Context) {
        // Where both share one thread, the moment that is being gone to comes first.
        let settled = self.state.report.as_ref().is_some_and(|r| r.settled);
        let slice = if self.sliced && !settled {
            SLICE / 4
        } else {
            SLICE
        };
        let report = self.runner.as_mut().and_then(|runner| runner.poll(slice));
        if let Some((experiment, report)) = self.state.experiment.as_mut().zip(report) {
            experiment.report = report;
        }
        let report = self.examiner.as_mut().and_then(|e| e.poll(slice));
        if let Some((examined, report)) = self.state.doctor.as_mut().zip(report) {
            examined.report = report;
        }
        let experiment = self.state.experiment.as_ref();
        let doctor = self.state.doctor.as_ref();
        if experiment.is_some_and(Experiment::is_running)
            || doctor.is_some_and(Examined::is_running)
        {
            let wait = if self.sliced { 0 } else { 100 };
            ctx.request_repaint_after(Duration::from_millis(wait));
        }
    }

    /// A change was accepted or refused.
    fn edited(&mut self, report: &Report) {
        if let Some(problems) = &report.refused {
            let words = problems
                .problems
                .first()
                .map_or(String::new(), |p| p.message.clone());
            self.state.problems = Some(Arc::clone(problems));
            self.state.settings.show(panel::find("problems"));
            self.say(format!("not possible: {words}"));
        } else {
            self.state.problems = None;
            // A lesson shows no more than has happened, in either future, until somebody asks.
            self.state.reveal |= !self.state.is_taught() || self.local.teacher;
            self.forked = true;
        }
    }

    /// The window's title says what is shown, for lists of windows and for whoever cannot see it.
    fn name_the_window(&mut self, ctx: &egui::Context) {
        let mut title = "Stampede".to_owned();
        if let Some(report) = &self.state.report {
            title = format!("Stampede: {}", self.state.name);
            if !report.transport.playing && report.settled {
                let states = report.views.iter().map(|view| {
                    format!(
                        "{} {}",
                        letter(view.branch),
                        site_word(view.site).to_lowercase()
                    )
                });
                let states: Vec<String> = states.collect();
                let now = self.state.label(self.state.now());
                title = format!("{title} at {now}: {}", states.join(", "));
            }
            if let Some(experiment) = &self.state.experiment {
                title = format!("{title}; experiment {}", experiment.state_word());
            }
            if let Some(examined) = &self.state.doctor {
                title = format!("{title}; doctor {}", examined.report.state_word());
            }
        }
        if title != self.title {
            ctx.send_viewport_cmd(egui::ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }

    /// Stops time where a question begins, and where one is explained.
    fn stop_for_lesson(&mut self, before: Option<Instant>) {
        let (Some(lesson), Some(before)) = (&self.state.lesson, before) else {
            return;
        };
        let playing = self
            .state
            .report
            .as_ref()
            .is_some_and(|report| report.transport.playing);
        let clock = self.state.model().and_then(|model| model.clock);
        let (now, answers) = (self.state.now(), &self.state.answers);
        let crossed = |at: Instant| before < at && at <= now;
        let stop = lesson.cards.iter().enumerate().find_map(|(i, card)| {
            let (at, until, locked) = (card.at(clock), card.until(clock), answers.is_locked(i));
            if !locked && crossed(at) {
                Some(at)
            } else {
                (locked && crossed(until)).then_some(until)
            }
        });
        let asks = self.state.is_taught() && !self.state.welcome;
        if let Some(at) = stop.filter(|_| playing && asks) {
            self.perform(Command::Seek(at));
        }
    }

    /// Keys that answer the question of a lesson; while one is open they mean nothing else.
    fn answer_keys(&self, ctx: &egui::Context, todo: &mut Vec<Command>) {
        let Some((number, card)) = lesson::asked(&self.state) else {
            return;
        };
        let class = self.state.answers.class;
        ctx.input_mut(|input| {
            for (i, key) in lesson::LETTERS
                .into_iter()
                .enumerate()
                .take(card.answers.len())
            {
                if class && input.consume_key(egui::Modifiers::SHIFT, key) {
                    todo.push(Command::Vote(number, i, false));
                } else if input.consume_key(egui::Modifiers::NONE, key) {
                    todo.push(if class {
                        Command::Vote(number, i, true)
                    } else {
                        Command::Answer(number, i, false)
                    });
                }
            }
        });
    }

    /// Keys that are commands.
    fn keys(&mut self, ctx: &egui::Context, todo: &mut Vec<Command>) {
        // A slider with the focus keeps the keys that move it.
        let sliding = std::mem::take(&mut self.local.sliding);
        let over_lanes = std::mem::take(&mut self.local.over_lanes);
        // Where something is typed, or a menu is open, keys are theirs.
        if ctx.text_edit_focused() || egui::Popup::is_any_open(ctx) {
            return;
        }
        self.answer_keys(ctx, todo);
        if over_lanes {
            self.lane_keys(ctx, todo);
        }
        let moves = [egui::Key::ArrowLeft, egui::Key::ArrowRight];
        // Enter presses what has the focus; where nothing has, it goes on with a lesson.
        let goes_on = self.state.is_taught() && ctx.memory(egui::Memory::focused).is_none();
        let meant = |command: &&CommandDef| goes_on || command.command != Command::Continue;
        ctx.input_mut(|input| {
            for command in COMMANDS.iter().filter(meant) {
                let mut keys = command.keys.iter();
                if keys.any(|key| {
                    !(sliding && moves.contains(&key.logical_key)) && input.consume_shortcut(key)
                }) {
                    todo.push(command.command.clone());
                }
            }
            for (number, key) in DIGITS.into_iter().enumerate() {
                if input.consume_key(egui::Modifiers::NONE, key) {
                    todo.push(Command::EventNumber(number));
                }
            }
        });
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, frame: &mut eframe::Frame) {
        if self.sliced {
            self.share_frame(ctx, frame.info().cpu_usage);
        }
        self.state.time_s = ctx.input(|i| i.time);
        self.receive();
        self.measure();
        self.look_at_experiments(ctx);
        if let Some(opening) = files::take_link()
            && self.may_replace("the link")
        {
            self.start(opening);
        }
        match files::take_dropped(ctx) {
            Some(Ok(source)) => {
                let name = source.name.clone();
                if self.may_replace(&name) {
                    self.state.settings.show(panel::find("topology"));
                    self.run(&name, source, None);
                }
            }
            Some(Err(why)) => self.state.message = Some((why, self.state.time_s)),
            None => {}
        }
        let busy = self.worker.as_ref().is_some_and(|worker| worker.is_busy());
        if busy {
            // A thread wakes the screen itself; slices need the next frame.
            let wait = if self.sliced {
                Duration::ZERO
            } else {
                Duration::from_millis(100)
            };
            ctx.request_repaint_after(wait);
        }
        if let Some((words, since)) = &self.state.message {
            // A long one takes longer to read.
            let stays = MESSAGE_S + words.chars().count() as f64 / LETTERS_PER_S;
            if self.state.time_s - since > stays {
                self.state.message = None;
            } else {
                ctx.request_repaint_after(Duration::from_millis(500));
            }
        }
        self.name_the_window(ctx);
        if let Some(kept) = &mut self.kept {
            let text = self.state.settings.to_text();
            if text != *kept {
                files::keep_settings(&text);
                *kept = text;
            }
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, _: &mut eframe::Frame) {
        let ctx = ui.ctx().clone();
        let mut todo = Vec::new();
        if self.dialog.is_none() {
            self.keys(&ctx, &mut todo);
        }
        self.local.pointed = None;
        self.compare_with_examined();
        let mut cx = Cx {
            state: &self.state,
            local: &mut self.local,
            todo: &mut todo,
        };
        if cx.state.welcome {
            welcome::draw(ui, &mut cx);
        } else {
            layout::draw(ui, &mut cx);
        }
        if let Some(open) = self.dialog
            && !dialog::draw(&ctx, open, &mut cx)
        {
            self.dialog = None;
        }
        if let Some((words, _)) = &self.state.message {
            dialog::message(&ctx, words);
        }
        if self.state.hovered != self.local.pointed {
            self.state.hovered = self.local.pointed;
            ctx.request_repaint();
        }
        for command in todo {
            self.perform(command);
            ctx.request_repaint();
        }
        #[cfg(target_arch = "wasm32")]
        crate::web::publish(self);
    }
}
