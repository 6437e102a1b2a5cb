//! What is known while a run is watched: the latest report, and what the reader chose.

use super::keys::{self, Act};
use super::verdict;
use crate::exit::Exit;
use ratatui_crossterm::crossterm::event::{Event, KeyEventKind};
use sim_core::readable;
use sim_core::text::shown;
use sim_core::time::{Clock, Instant, SECOND};
use sim_playback::transport::next_speed;
use sim_playback::{BranchReport, Report, Request, View};

/// Stretches of time over the width of the screen: the whole run, and parts of it that end at the moment shown.
pub(super) const ZOOMS: [u64; 3] = [1, 6, 36];

/// What is to be done next.
#[derive(Debug)]
pub(super) enum Next {
    /// Nothing.
    Nothing,
    /// Ask playback for something.
    Ask(Request),
    /// Leave.
    Leave(Exit),
}

/// What is known.
pub(super) struct App {
    /// The scenario's name, as it may be shown.
    pub name: String,
    /// Its title; may be empty.
    pub title: String,
    /// What playback reported last.
    pub report: Option<Report>,
    /// Whether the keys are listed.
    pub help: bool,
    /// Which of [`ZOOMS`].
    pub zoom: usize,
    /// Where the reader is going.
    goal: Option<Instant>,
}

impl App {
    /// Nothing is known yet.
    pub(super) fn new(name: &str, title: &str) -> Self {
        Self {
            name: shown(name).into_owned(),
            title: shown(title).into_owned(),
            report: None,
            help: false,
            zoom: 0,
            goal: None,
        }
    }

    /// Takes a report.
    pub(super) fn take(&mut self, report: Report) {
        if report.settled {
            self.goal = None;
        }
        self.report = Some(report);
    }

    /// The run at the moment shown, and what is known of it.
    pub(super) fn shown(&self) -> Option<(&View, &BranchReport)> {
        let report = self.report.as_ref()?;
        let view = report.views.first()?;
        Some((view, report.branches.get(view.branch)?))
    }

    /// A moment to the whole second, as the reader knows it.
    pub(super) fn label(&self, at: Instant) -> String {
        let clock = self.shown().and_then(|(_, branch)| branch.model.clock);
        label(at, clock)
    }

    /// The run in one line.
    pub(super) fn verdict(&self) -> String {
        verdict::line(self)
    }

    /// What a key or another size of the terminal asks for.
    pub(super) fn event(&mut self, event: &Event) -> Next {
        let Event::Key(key) = event else {
            return Next::Nothing;
        };
        if key.kind == KeyEventKind::Release {
            return Next::Nothing;
        }
        if keys::is_interrupt(key) {
            return Next::Leave(Exit::Interrupted);
        }
        keys::act(key).map_or(Next::Nothing, |act| self.perform(act))
    }

    fn perform(&mut self, act: Act) -> Next {
        let transport = self.report.as_ref().map(|report| report.transport);
        let request = match act {
            Act::Quit => return Next::Leave(Exit::Ok),
            Act::Help => {
                self.help = !self.help;
                None
            }
            Act::Escape => {
                self.help = false;
                None
            }
            Act::Zoom => {
                self.zoom = (self.zoom + 1) % ZOOMS.len();
                None
            }
            Act::PlayPause => transport.map(|t| Request::Play(!t.playing)),
            Act::Step => Some(Request::Step),
            Act::NextEvent => Some(Request::NextEvent),
            Act::PreviousEvent => Some(Request::PreviousEvent),
            Act::SeekBy(seconds) => self.seek_by(seconds),
            Act::First => Some(self.seek(Instant::ZERO)),
            Act::Last => self.horizon().map(|end| self.seek(end)),
            Act::Faster(faster) => transport
                .and_then(|t| next_speed(t.speed, faster))
                .map(Request::Speed),
            Act::PauseAtEvents => transport.map(|t| Request::PauseAtEvents(!t.pause_at_events)),
            Act::EventNumber(number) => {
                let at = self
                    .shown()
                    .map(|(view, branch)| branch.moment(number, view.at));
                at.map(|at| at.map_or(Request::NextEvent, |at| self.seek(at)))
            }
        };
        request.map_or(Next::Nothing, Next::Ask)
    }

    fn horizon(&self) -> Option<Instant> {
        let (_, branch) = self.shown()?;
        Some(Instant(branch.model.horizon.0))
    }

    fn seek(&mut self, at: Instant) -> Request {
        self.goal = Some(at);
        Request::Seek(at)
    }

    /// From where the last key went, even if that is not shown yet.
    fn seek_by(&mut self, seconds: f64) -> Option<Request> {
        let from = self.goal.or_else(|| Some(self.shown()?.0.at))?;
        let to = Instant(((from.as_secs_f64() + seconds).max(0.0) * 1e9) as u64);
        let to = to.min(self.horizon()?);
        Some(self.seek(to))
    }
}

/// A moment to the whole second.
pub(super) fn label(at: Instant, clock: Option<Clock>) -> String {
    readable::moment(Instant(at.0 / SECOND * SECOND), clock)
}
