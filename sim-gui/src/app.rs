//! The window: it reads reports, draws panels, and does commands. Nothing else changes the state.

use crate::command::{COMMANDS, Command, DIGITS, SPEEDS};
use crate::dialog::{self, Dialog};
use crate::files;
use crate::local::Local;
use crate::panel::{self, Cx, PANELS, PanelDef, Place, banner};
use crate::playback::edit::overlay;
use crate::playback::worker::{Sliced, Threaded, Worker};
use crate::playback::{Edited, Report, Request, letter};
use crate::settings::{Looks, Settings};
use crate::state::State;
use crate::theme::{self, Palette};
use eframe::egui::{self, Margin};
use sim_core::scenario::{Scenario, Source};
use sim_core::time::Instant;
use std::sync::Arc;
use std::time::Duration;

/// Time of a frame that playback may use where there are no threads.
const SLICE: Duration = Duration::from_millis(7);
/// How long a message stays, in seconds.
const MESSAGE_S: f64 = 4.0;

/// How the window begins.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// A model's name or a file; the incident where nothing is given.
    pub scenario: Option<String>,
    /// Where the play head begins.
    pub at: Option<String>,
    /// Changes made at moments: a link's or a saved branch.
    pub edits: Vec<(String, String)>,
    /// Looks and layout.
    pub settings: Settings,
    /// Whether looks and layout are kept for the next start.
    pub keep: bool,
    /// Whether playback gets no thread: in browsers, and in tests that want to be in step.
    pub sliced: bool,
}

/// The window.
pub struct App {
    state: State,
    local: Local,
    worker: Option<Box<dyn Worker>>,
    dialog: Option<Dialog>,
    sliced: bool,
    /// What is still to be done once the scenario runs: from a link.
    opening: Option<Opening>,
    undone: Vec<Edited>,
    edits_seen: u64,
    /// Settings as they were kept last; `None` where they are not kept.
    kept: Option<String>,
    ctx: egui::Context,
}

impl App {
    /// A window.
    pub fn new(ctx: &egui::Context, opening: Opening) -> Self {
        theme::install(ctx);
        let name = opening
            .scenario
            .clone()
            .unwrap_or_else(|| "incident".to_owned());
        let settings = opening.settings.clone();
        let kept = opening.keep.then(|| settings.to_text());
        let mut app = Self {
            state: State {
                name: String::new(),
                source: Source::new("", ""),
                scenario: None,
                problems: None,
                warnings: Vec::new(),
                report: None,
                selected: None,
                settings,
                hovered: None,
                reveal: false,
                predicting: false,
                message: None,
                time_s: 0.0,
            },
            local: Local::default(),
            worker: None,
            dialog: None,
            sliced: opening.sliced,
            opening: Some(opening),
            undone: Vec::new(),
            edits_seen: 0,
            kept,
            ctx: ctx.clone(),
        };
        app.apply_looks(ctx);
        app.open(&name);
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

    /// Opens a model by name, or a file.
    fn open(&mut self, name: &str) {
        match files::find(name) {
            Ok(source) => self.run(name, source),
            Err(why) => self.say(why),
        }
    }

    /// Runs a text from its beginning.
    fn run(&mut self, name: &str, source: Source) {
        let state = &mut self.state;
        name.clone_into(&mut state.name);
        state.source = source;
        (state.report, state.selected, state.scenario) = (None, None, None);
        (state.problems, state.reveal) = (None, false);
        state.warnings.clear();
        self.local = Local::default();
        self.worker = None;
        self.undone.clear();
        self.edits_seen = 0;
        let files = files::Beside {
            name: state.source.name.clone(),
        };
        let scenario = Scenario::read(state.source.clone(), &[], &files);
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

    fn say(&mut self, words: impl Into<String>) {
        self.state.message = Some((words.into(), self.state.time_s));
    }

    fn send(&mut self, request: Request) {
        if let Some(worker) = &mut self.worker {
            worker.send(request);
        }
    }

    fn apply_looks(&self, ctx: &egui::Context) {
        ctx.set_theme(match self.state.settings.looks {
            Looks::System => egui::ThemePreference::System,
            Looks::Light => egui::ThemePreference::Light,
            Looks::Dark => egui::ThemePreference::Dark,
        });
    }

    /// Takes the latest report.
    fn receive(&mut self) {
        let Some(report) = self.worker.as_mut().and_then(|worker| worker.poll(SLICE)) else {
            return;
        };
        if report.edits_seen != self.edits_seen {
            self.edits_seen = report.edits_seen;
            self.edited(&report);
        }
        self.state.report = Some(report);
        self.begin();
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
            self.state.reveal = true;
            self.state.settings.show(panel::find("futures"));
        }
    }

    /// Does what a link asked for, as soon as the scenario runs.
    fn begin(&mut self) {
        let Some(opening) = self.opening.take() else {
            return;
        };
        let mut edits = Vec::new();
        for (at, typed) in &opening.edits {
            let moment = dialog::moment(&self.state, at);
            let edit = dialog::edit(&self.state, typed);
            if let (Some(at), Some(edit)) = (moment, edit) {
                edits.push(Edited { at, edit });
            } else {
                self.say(format!("{typed:?} at {at:?} is no change that can be made"));
            }
        }
        if let Some(at) = &opening.at {
            match dialog::moment(&self.state, at) {
                Some(at) => self.send(Request::Seek(at)),
                None => self.say(format!("{at:?} is no moment of this run")),
            }
        }
        if !edits.is_empty() {
            self.send(Request::Replay(edits));
        }
    }

    /// Keys that are commands.
    fn keys(&mut self, ctx: &egui::Context, todo: &mut Vec<Command>) {
        if ctx.text_edit_focused() {
            return;
        }
        ctx.input_mut(|input| {
            for command in COMMANDS {
                if command.keys.iter().any(|key| input.consume_shortcut(key)) {
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

    /// Does a command.
    pub fn perform(&mut self, command: Command) {
        let now = self
            .state
            .report
            .as_ref()
            .map_or(Instant::ZERO, |report| report.transport.goal);
        let transport = self.state.report.as_ref().map(|report| report.transport);
        match command {
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
            Command::Speed(speed) => self.send(Request::Speed(speed)),
            Command::Faster | Command::Slower => {
                let speed = transport.map_or(1.0, |t| t.speed);
                let faster = command == Command::Faster;
                let next = if faster {
                    SPEEDS.into_iter().find(|s| *s > speed)
                } else {
                    SPEEDS.into_iter().rev().find(|s| *s < speed)
                };
                if let Some(speed) = next {
                    self.send(Request::Speed(speed));
                }
            }
            Command::PauseAtEvents => {
                let on = transport.is_some_and(|t| t.pause_at_events);
                self.send(Request::PauseAtEvents(!on));
            }
            Command::Loop => self.mark_loop(transport.and_then(|t| t.range)),
            Command::Select(thing) => {
                self.state.selected = thing;
                if thing.is_some() {
                    self.state.settings.show(panel::find("inspector"));
                }
            }
            Command::Edit(edit) => {
                self.undone.clear();
                self.send(Request::Edit(edit));
            }
            Command::Undo => self.undo(),
            Command::Redo => {
                if let Some(edited) = self.undone.pop() {
                    self.send(Request::Seek(edited.at));
                    self.send(Request::Edit(edited.edit));
                }
            }
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
            Command::OpenModel(name) => {
                self.state.settings.show(panel::find("topology"));
                self.open(&name);
            }
            Command::OpenText(text) => {
                let source = Source::new(self.state.source.name.clone(), text);
                let name = self.state.name.clone();
                self.run(&name, source);
            }
            Command::Escape => {
                if self.dialog.take().is_none() {
                    self.state.selected = None;
                }
            }
            Command::Palette => {
                self.local.search.clear();
                self.local.chosen = 0;
                self.dialog = Some(Dialog::Palette);
            }
            Command::Help => self.dialog = Some(Dialog::Help),
            other => self.look_or_copy(other),
        }
    }

    /// Commands that change looks and layout, and those that copy.
    fn look_or_copy(&mut self, command: Command) {
        match command {
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
            Command::CopyLink => {
                let link = crate::link::of(&self.state);
                self.copy(link, "the link is copied");
            }
            Command::Copy(text) => self.copy(text, "copied"),
            _ => {}
        }
    }

    fn copy(&mut self, text: String, said: &str) {
        self.ctx.copy_text(text);
        self.say(said);
    }

    /// The branch that is saved and copied: the one beside, or else the main one, if it is a fork.
    fn fork(&self) -> Option<usize> {
        let view = self.state.beside().or_else(|| self.state.view())?;
        (!self.state.branch(view.branch)?.edits.is_empty()).then_some(view.branch)
    }

    /// The fork shown as a scenario file.
    pub fn overlay(&self) -> Option<String> {
        let fork = self.fork()?;
        let edits = &self.state.branch(fork)?.edits;
        let title = format!("{}, future {}", self.state.title(), letter(fork));
        Some(overlay(&self.state.name, &title, edits))
    }

    /// The command that reproduces what is shown.
    pub fn command_line(&self) -> String {
        match self.overlay() {
            Some(text) => format!("stampede run - <<'EOF'\n{text}EOF\n"),
            None => format!("stampede run {}", self.state.name),
        }
    }

    fn event_number(&mut self, number: usize) {
        let Some(branch) = self.state.main() else {
            return;
        };
        let mut moments: Vec<Instant> = self
            .state
            .story(branch)
            .iter()
            .map(|event| event.at)
            .collect();
        moments.dedup();
        match moments.get(number) {
            Some(at) => self.perform(Command::Seek(*at)),
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

    /// Takes the latest change of the latest branch back.
    fn undo(&mut self) {
        let Some(report) = &self.state.report else {
            return;
        };
        let Some(number) = report.branches.len().checked_sub(1).filter(|n| *n > 0) else {
            return self.say("there is nothing to undo");
        };
        let branch = &report.branches[number];
        let (parent, mut edits) = (branch.parent.unwrap_or(0), branch.edits.clone());
        let own = edits.split_off(edits.len() - branch.own_edits);
        let back = self.state.now();
        self.undone.extend(own.last().cloned());
        self.send(Request::Close(number));
        let kept = &own[..own.len().saturating_sub(1)];
        if !kept.is_empty() {
            self.send(Request::Show(parent, None));
            for edited in kept {
                self.send(Request::Seek(edited.at));
                self.send(Request::Edit(edited.edit.clone()));
            }
        }
        self.send(Request::Seek(back));
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _: &mut eframe::Frame) {
        self.state.time_s = ctx.input(|i| i.time);
        self.receive();
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
        if let Some((_, since)) = &self.state.message {
            if self.state.time_s - since > MESSAGE_S {
                self.state.message = None;
            } else {
                ctx.request_repaint_after(Duration::from_millis(500));
            }
        }
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
        let mut cx = Cx {
            state: &self.state,
            local: &mut self.local,
            todo: &mut todo,
        };
        layout(ui, &mut cx);
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

/// All panels in their places.
fn layout(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let p = Palette::of(ui);
    let frame = |x: i8, y: i8| {
        egui::Frame::new()
            .fill(p.panel)
            .inner_margin(Margin::symmetric(x, y))
    };
    egui::Panel::top("banner")
        .exact_size(46.0)
        .frame(frame(10, 4))
        .show(ui, |ui| banner::draw(ui, cx));
    if cx.state.settings.is_open("timeline") {
        let height = panel::timeline::height(cx.state) + 14.0;
        egui::Panel::bottom("bottom")
            .exact_size(height)
            .resizable(false)
            .frame(frame(12, 7))
            .show(ui, |ui| {
                (panel::timeline::PANEL.draw)(ui, cx);
            });
    }
    let open = |place: Place, cx: &Cx<'_>| -> Vec<&'static PanelDef> {
        let in_place = PANELS.iter().copied().filter(|panel| panel.place == place);
        in_place
            .filter(|panel| cx.state.settings.is_open(panel.name))
            .collect()
    };
    let left = open(Place::Left, cx);
    if !left.is_empty() {
        egui::Panel::left("left")
            .default_size(246.0)
            .size_range(180.0..=420.0)
            .frame(frame(10, 8))
            .show(ui, |ui| {
                stack(ui, cx, &left);
            });
    }
    let right = open(Place::Right, cx);
    let below = open(Place::RightBelow, cx);
    if !(right.is_empty() && below.is_empty()) {
        egui::Panel::right("right")
            .default_size(404.0)
            .size_range(300.0..=720.0)
            .frame(frame(10, 8))
            .show(ui, |ui| {
                if let Some(panel) = below.last() {
                    let height = if right.is_empty() {
                        ui.available_height()
                    } else {
                        232.0
                    };
                    let inner = egui::Frame::new().inner_margin(Margin {
                        top: 6,
                        ..Margin::ZERO
                    });
                    egui::Panel::bottom("right-below")
                        .default_size(height)
                        .size_range(120.0..=520.0)
                        .frame(inner)
                        .resizable(true)
                        .show(ui, |ui| {
                            tabs(ui, cx, Place::RightBelow, panel);
                            (panel.draw)(ui, cx);
                        });
                }
                if let Some(panel) = right.first() {
                    egui::CentralPanel::no_frame().show(ui, |ui| (panel.draw)(ui, cx));
                }
            });
    }
    egui::CentralPanel::default()
        .frame(
            egui::Frame::new()
                .fill(p.panel)
                .inner_margin(Margin::symmetric(12, 8)),
        )
        .show(ui, |ui| {
            let middle = open(Place::Middle, cx);
            let shown = middle.last().copied().unwrap_or(&panel::topology::PANEL);
            tabs(ui, cx, Place::Middle, shown);
            (shown.draw)(ui, cx);
        });
}

/// Panels one below the other: the first takes what the others leave.
fn stack(ui: &mut egui::Ui, cx: &mut Cx<'_>, panels: &[&'static PanelDef]) {
    let height = ui.available_height();
    for (i, panel) in panels.iter().enumerate().skip(1).rev() {
        let name = format!("stack-{i}");
        let inner = egui::Frame::new().inner_margin(Margin {
            top: 6,
            ..Margin::ZERO
        });
        if !panel::has_something(panel, cx.state) {
            continue;
        }
        egui::Panel::bottom(name)
            .default_size(height * 0.48)
            .size_range(60.0..=height * 0.8)
            .frame(inner)
            .resizable(true)
            .show(ui, |ui| {
                panel::heading(ui, panel.title);
                (panel.draw)(ui, cx);
            });
    }
    if let Some(panel) = panels.first() {
        egui::CentralPanel::no_frame().show(ui, |ui| {
            panel::heading(ui, panel.title);
            (panel.draw)(ui, cx);
        });
    }
}

/// The panels of a place as tabs.
fn tabs(ui: &mut egui::Ui, cx: &mut Cx<'_>, place: Place, shown: &PanelDef) {
    let p = Palette::of(ui);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 14.0;
        for panel in PANELS.iter().filter(|panel| panel.place == place) {
            let chosen = panel.name == shown.name;
            let mut title = panel.title.to_owned();
            let problems = cx
                .state
                .problems
                .as_ref()
                .map_or(0, |problems| problems.problems.len());
            if panel.name == "problems" && problems > 0 {
                title = format!("{title} ({problems})");
            }
            let colour = if chosen { p.text } else { p.weak };
            let face = if chosen {
                theme::bold_font(13.0)
            } else {
                theme::font(13.0)
            };
            let words = egui::RichText::new(&title).font(face).color(colour);
            let tab = ui.add(egui::Button::new(words).frame(false));
            tab.widget_info(|| egui::WidgetInfo::selected(egui::Role::Tab, true, chosen, &title));
            if chosen {
                let y = tab.rect.bottom() + 1.0;
                ui.painter()
                    .hline(tab.rect.x_range(), y, egui::Stroke::new(2.0, p.accent));
            }
            if tab.on_hover_text(panel.about).clicked() && !chosen {
                cx.does(Command::Panel(panel.name));
            }
        }
    });
    ui.add_space(6.0);
}
