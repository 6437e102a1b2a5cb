//! What the window knows: plain data that panels read. Only `app.rs` changes it.

use crate::doctor::Examined;
use crate::experiment::{Experiment, Refusal};
use crate::lesson::{Answers, Lesson};
use crate::playback::{BranchReport, Report, Told, View, told, told_of_both};
pub use crate::playback::{Condition, event_words, same_server, site_word};
use crate::settings::Settings;
use eframe::egui::Rect;
use sim_core::event_log::Event;
use sim_core::model::Model;
use sim_core::readable;
use sim_core::scenario::{Problems, Scenario, Source};
use sim_core::summary::Summary;
use sim_core::time::{Instant, SECOND};
use std::sync::Arc;

/// Something that can be selected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Thing {
    /// A server, by its position in the model.
    Server(usize),
    /// A balancer instance, by its position in the snapshot.
    Instance(usize),
    /// A source of requests.
    Source(usize),
}

/// A stretch of the run that is drawn from one end of a picture to the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// Its beginning.
    pub from: Instant,
    /// Its end.
    pub to: Instant,
}

impl Stretch {
    /// Its length in nanoseconds.
    pub fn len_ns(self) -> f64 {
        (self.to.0 - self.from.0) as f64
    }

    /// Where a moment lies: 0 at the beginning, 1 at the end.
    pub fn share(self, at: Instant) -> f32 {
        ((at.0 as f64 - self.from.0 as f64) / self.len_ns()) as f32
    }

    /// Where a moment lies in a picture of it, which may be beyond its edges.
    pub fn x(self, place: Rect, at: Instant) -> f32 {
        place.left() + self.share(at) * place.width()
    }

    /// Whether a moment is in it.
    pub fn has(self, at: Instant) -> bool {
        (self.from..=self.to).contains(&at)
    }

    /// The same stretch so much later, by a share of its length; it does not leave the run.
    #[must_use]
    pub fn later(self, share: f64, horizon: Instant) -> Self {
        let len = self.to.0 - self.from.0;
        let from = self.from.0 as f64 + share * self.len_ns();
        let most = horizon.0.saturating_sub(len);
        let from = (from.max(0.0) as u64).min(most);
        Self {
            from: Instant(from),
            to: Instant(from + len),
        }
    }

    /// The moment at a share of it.
    pub fn at(self, share: f32) -> Instant {
        Instant(self.from.0 + (f64::from(share.clamp(0.0, 1.0)) * self.len_ns()) as u64)
    }

    /// The part that is left when it is drawn larger by a factor about a moment that stays in its place.
    #[must_use]
    pub fn closer(self, about: Instant, factor: f64) -> Self {
        let share = f64::from(self.share(about).clamp(0.0, 1.0));
        let len = (self.len_ns() / factor.max(1e-6)).max(1.0);
        let from = (about.0 as f64 - share * len).max(0.0);
        Self {
            from: Instant(from as u64),
            to: Instant((from + len) as u64),
        }
    }
}

/// The path of a server's parameters.
pub fn server_path(service: &str, server: &str) -> String {
    format!("service.{service}.server.{server}")
}

/// What a link asked for beyond scenario and seed, and is not shown yet.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Asked {
    /// Where the play head begins.
    pub at: Option<String>,
    /// Changes: moments, and what is done, as typed.
    pub edits: Vec<(String, String)>,
    /// How many changes were seen when these were sent to playback; `None` before.
    pub sent: Option<u64>,
}

/// The same thing in another branch, which may have more of its kind; `None` where it is not there.
fn same_thing(
    thing: Thing,
    from: (&View, &BranchReport),
    to: (&View, &BranchReport),
) -> Option<Thing> {
    match thing {
        Thing::Server(i) => same_server(from.1, i, to.1).map(Thing::Server),
        Thing::Instance(i) => {
            let wanted = from.0.snapshot.instances.get(i)?;
            let mut others = to.0.snapshot.instances.iter();
            let same = others.position(|o| (o.service, &o.name) == (wanted.service, &wanted.name));
            same.map(Thing::Instance)
        }
        Thing::Source(i) => {
            let wanted = &from.1.model.sources.get(i)?.name;
            let mut others = to.1.model.sources.iter();
            others.position(|o| o.name == *wanted).map(Thing::Source)
        }
    }
}

/// What the window knows.
#[expect(
    clippy::struct_excessive_bools,
    reason = "what is shown, said and changed do not exclude one another"
)]
pub struct State {
    /// How the open scenario is called: a model's name, or a file's.
    pub name: String,
    /// Its text.
    pub source: Source,
    /// Whether its text was changed here and is nowhere else.
    pub unsaved: bool,
    /// The seed in place of the one it says.
    pub seed: Option<u64>,
    /// What a link asked for, until it is shown.
    pub asked: Option<Asked>,
    /// What it says, if it can be read.
    pub scenario: Option<Scenario>,
    /// What is wrong with it, or with the latest change.
    pub problems: Option<Arc<Problems>>,
    /// What is allowed and yet may not be meant.
    pub warnings: Vec<String>,
    /// What playback reported last.
    pub report: Option<Report>,
    /// What is selected.
    pub selected: Option<Thing>,
    /// What is kept from one start to the next.
    pub settings: Settings,
    /// The moment under the pointer in a plot or a lane.
    pub hovered: Option<Instant>,
    /// The stretch of the run that plots show; all of it where there is none.
    pub zoom: Option<(Instant, Instant)>,
    /// The stretch of which is told what happened in it.
    pub marked: Option<(Instant, Instant)>,
    /// Lanes that stay on top, by their names.
    pub pinned: Vec<String>,
    /// Whether the opening scene is shown.
    pub welcome: bool,
    /// Whether the speed follows the story.
    pub director: bool,
    /// Whether what is known beyond the moment shown may be seen.
    pub reveal: bool,
    /// The lesson beside the scenario.
    pub lesson: Option<Lesson>,
    /// What was answered to its questions.
    pub answers: Answers,
    /// The experiment that was begun last.
    pub experiment: Option<Experiment>,
    /// What is wrong with the one that was asked for last.
    pub refusals: Vec<Refusal>,
    /// What the doctor says of the text, once it was asked.
    pub doctor: Option<Examined>,
    /// A short message, and when it was given (seconds since the start of the program).
    pub message: Option<(String, f64)>,
    /// Seconds since the start of the program.
    pub time_s: f64,
}

impl State {
    /// Takes the latest report of playback. What is selected stays selected where another branch
    /// has become the main one, and is dropped where that one does not have it.
    pub(crate) fn take(&mut self, report: Report) {
        fn main(report: &Report) -> Option<(&View, &BranchReport)> {
            let view = report.views.first()?;
            Some((view, report.branches.get(view.branch)?))
        }
        if let Some((from, to)) = self.report.as_ref().and_then(main).zip(main(&report)) {
            self.selected = self.selected.and_then(|thing| same_thing(thing, from, to));
        }
        self.report = Some(report);
    }

    /// The main branch at the moment shown.
    pub fn view(&self) -> Option<&View> {
        self.report.as_ref()?.views.first()
    }

    /// The branch beside it.
    pub fn beside(&self) -> Option<&View> {
        self.report.as_ref()?.views.get(1)
    }

    /// What is known of a branch.
    pub fn branch(&self, branch: usize) -> Option<&BranchReport> {
        self.report.as_ref()?.branches.get(branch)
    }

    /// What is known of the main branch.
    pub fn main(&self) -> Option<&BranchReport> {
        self.branch(self.view()?.branch)
    }

    /// The future whose changes are copied, saved and linked: of the shown ones that with changes,
    /// the one beside first.
    pub fn fork(&self) -> Option<usize> {
        let shown = [self.beside(), self.view()].into_iter().flatten();
        let mut changed = shown.filter(|view| {
            let branch = self.branch(view.branch);
            branch.is_some_and(|branch| !branch.edits.is_empty())
        });
        changed.next().map(|view| view.branch)
    }

    /// A server of some branch as it is selected: by its place in the main branch. `None` where the
    /// main branch does not have it.
    pub fn selectable(&self, branch: &BranchReport, server: usize) -> Option<Thing> {
        same_server(branch, server, self.main()?).map(Thing::Server)
    }

    /// The model of the main branch.
    pub fn model(&self) -> Option<&Arc<Model>> {
        // While the main branch is simulated anew there is no view of it; the run is as long.
        let branch = self.main().or_else(|| self.branch(0))?;
        Some(&branch.model)
    }

    /// The moment shown.
    pub fn now(&self) -> Instant {
        let goal = || self.report.as_ref().map(|report| report.transport.goal);
        let at = self.view().map(|view| view.at).or_else(goal);
        at.unwrap_or(Instant::ZERO)
    }

    /// Why there is nothing to see yet.
    pub fn waiting_words(&self) -> &'static str {
        if self.problems.is_some() {
            "The scenario does not run: its problems are in the panel Scenario."
        } else if self.scenario.is_none() {
            "Nothing is open. Choose a model, or a file of your own, in the panel Models."
        } else {
            "Simulating the first moment …"
        }
    }

    /// When the run ends.
    pub fn horizon(&self) -> Instant {
        self.model()
            .map_or(Instant(1), |model| Instant(model.horizon.0))
    }

    /// The stretch of the run that plots show.
    pub fn stretch(&self) -> Stretch {
        let horizon = self.horizon();
        let (from, to) = self.zoom.unwrap_or((Instant::ZERO, horizon));
        let to = to.min(horizon).max(Instant(from.0 + 1));
        Stretch { from, to }
    }

    /// The marked stretch as far as it may be seen, in whole rows, so that it is not counted anew with every picture.
    pub fn measurable(&self) -> Option<(Instant, Instant)> {
        let (from, to) = self.marked?;
        let branch = self.main()?;
        let row_ns = branch.series.row_ns();
        let seen = self.visible_until(branch);
        let to = if to <= seen {
            to
        } else {
            Instant(seen.0 / row_ns * row_ns)
        };
        (from < to).then_some((from, to))
    }

    /// A moment as the reader knows it.
    pub fn label(&self, at: Instant) -> String {
        let clock = self.model().and_then(|model| model.clock);
        readable::moment(at, clock)
    }

    /// The same to the whole second.
    pub fn label_to_second(&self, at: Instant) -> String {
        self.label(Instant(at.0 / SECOND * SECOND))
    }

    /// A moment to the minute, for axes.
    pub fn short_label(&self, at: Instant) -> String {
        let label = self.label_to_second(at);
        match label.split(':').collect::<Vec<_>>().as_slice() {
            [hours, minutes, "00"] => format!("{hours}:{minutes}"),
            _ => label,
        }
    }

    /// How far a branch may be seen.
    pub fn visible_until(&self, branch: &BranchReport) -> Instant {
        if self.reveal {
            branch.explored
        } else {
            self.now()
        }
    }

    /// The event log of a branch as far as it may be seen.
    pub fn event_log<'a>(&self, branch: &'a BranchReport) -> &'a [Arc<Event>] {
        branch.told(self.visible_until(branch))
    }

    /// The events of the futures shown, as far as they may be seen: of two in one list.
    pub fn told(&self) -> Vec<Told<'_>> {
        let of = |view: &View| {
            let branch = self.branch(view.branch)?;
            Some(told(self.event_log(branch), view))
        };
        let Some(mut main) = self.view().and_then(of) else {
            return Vec::new();
        };
        if let Some(beside) = self.beside().and_then(of) {
            return told_of_both(main, beside);
        }
        for one in &mut main {
            one.branch = None;
        }
        main
    }

    /// Two futures in one sentence: of the whole run where it is known and may be seen, otherwise so far. Nothing before
    /// they part.
    pub fn sentence(&self) -> Option<String> {
        let (main, beside) = (self.view()?, self.beside()?);
        let changed = |view: &View| self.branch(view.branch).is_some_and(|b| b.own_edits > 0);
        let (with, without) = if changed(beside) {
            (beside, main)
        } else {
            (main, beside)
        };
        let (with_it, without_it) = (self.branch(with.branch)?, self.branch(without.branch)?);
        let outcomes = (with_it.outcome.as_ref()).zip(without_it.outcome.as_ref());
        let clock = with_it.model.clock;
        let sentence = |change: &str, with: &Summary, without: &Summary| {
            sim_core::report::words::two_futures(change, with, without, clock)
        };
        let change = crate::panel::topology::branch_words(self, with.branch);
        if let Some((with, without)) = outcomes.filter(|_| self.reveal) {
            return Some(sentence(&change, with, without));
        }
        let parted = main.at > with_it.from.max(without_it.from);
        let so_far = format!("So far, {change}");
        parted.then(|| sentence(&so_far, &with.summary, &without.summary))
    }

    /// Whether the lesson beside the scenario is being taken.
    pub fn is_taught(&self) -> bool {
        self.lesson.is_some() && self.settings.is_open("lesson")
    }

    /// Whether nothing beyond the moment shown may be told, not even as something to try.
    pub fn hides_the_future(&self) -> bool {
        self.is_taught() && !self.reveal
    }

    /// The scenario of a branch, with its changes.
    pub fn scenario_of(&self, branch: usize) -> Option<&Scenario> {
        self.branch(branch).map(|branch| &*branch.scenario)
    }

    /// The scenario's title, or its name.
    pub fn title(&self) -> &str {
        let title = self
            .scenario
            .as_ref()
            .map_or("", |scenario| scenario.title());
        if title.is_empty() { &self.name } else { title }
    }
}
