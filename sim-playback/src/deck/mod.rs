//! The deck: all branches of a scenario, what is shown of them, and the play head.
//!
//! Whoever drives it says how much time has passed ([`Deck::advance`]) and how long it may work
//! ([`Deck::work`]); it knows no clock, no thread and no screen.
//!
//! What takes longer than a moment waits in a queue ([`Deck::ask`]) and is done bit by bit:
//!
//! | file | concern |
//! |---|---|
//! | `queue` | requests, in the order in which they came |
//! | `change` | forks, changes of forks, closing |
//! | `history` | undo and redo |

mod change;
mod history;
mod queue;

use super::branch::{Branch, Pace};
use super::transport::{Transport, played_as_fast_as_possible};
use super::view::View;
use sim_core::engine::Simulation;
use sim_core::scenario::{Problems, Scenario};
use sim_core::time::Instant;
use std::collections::VecDeque;

pub use queue::News;

use history::History;
use queue::Job;

/// Branches kept at most: what a person can still tell apart.
pub const BRANCHES_MAX: usize = 8;

/// What is left to do before the goal is shown.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Pending {
    /// Nothing.
    Nothing,
    /// Run every shown branch to the goal.
    Reach,
    /// Look for the first event of the event log after a moment.
    NextEvent(Instant),
}

/// The simulation that is shown of a branch.
struct Cursor {
    branch: usize,
    /// The branch whose past or present it is.
    owner: usize,
    simulation: Simulation,
}

/// All branches of a scenario, and the play head.
pub struct Deck {
    branches: Vec<Branch>,
    /// Shown: the main one, and the one beside it.
    shown: (usize, Option<usize>),
    cursors: Vec<Cursor>,
    transport: Transport,
    pending: Pending,
    event_log_seen: usize,
    budget: usize,
    /// Grows when what was shown may be of branches that are not there, or not so, any more.
    revision: u64,
    /// The number that the next branch gets.
    next_id: u64,
    queue: VecDeque<Job>,
    history: History,
    news: News,
}

impl Deck {
    /// A deck with a scenario, at its beginning; copies of the simulation take at most `budget`
    /// bytes: what is shown, where branches begin and how far they are simulated, and key frames in
    /// what is left (two of each branch in any case). Recorded figures are shared, and on top.
    ///
    /// # Errors
    /// The scenario's problems.
    pub fn new(scenario: Scenario, replication: u64, budget: usize) -> Result<Self, Problems> {
        let first = Branch::first(scenario, replication)?;
        let mut deck = Self {
            branches: vec![first],
            shown: (0, None),
            cursors: Vec::new(),
            transport: Transport {
                goal: Instant::ZERO,
                playing: false,
                speed: 60.0,
                pause_at_events: false,
                range: None,
            },
            pending: Pending::Nothing,
            event_log_seen: 0,
            budget,
            revision: 0,
            next_id: 1,
            queue: VecDeque::new(),
            history: History::default(),
            news: News::default(),
        };
        deck.seek(Instant::ZERO);
        Ok(deck)
    }

    /// The branches; the first is the run as the scenario tells it.
    pub fn branches(&self) -> &[Branch] {
        &self.branches
    }

    /// The play head.
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// The branch shown, and the one beside it.
    pub fn shown(&self) -> (usize, Option<usize>) {
        self.shown
    }

    /// When the run ends.
    pub fn horizon(&self) -> Instant {
        Instant(self.branches[0].model().horizon.0)
    }

    /// The moment shown.
    pub fn now(&self) -> Instant {
        self.cursor(self.shown.0)
            .map_or(self.transport.goal, Simulation::now)
    }

    /// The simulation shown of a branch.
    pub fn cursor(&self, branch: usize) -> Option<&Simulation> {
        let cursor = self.cursors.iter().find(|cursor| cursor.branch == branch)?;
        Some(&cursor.simulation)
    }

    /// Whether what is shown is what was asked for.
    pub fn is_settled(&self) -> bool {
        self.pending == Pending::Nothing && self.queue.is_empty()
    }

    /// Grows when what was shown may be of branches that are not there, or not so, any more.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether all branches are simulated to their end.
    pub fn is_explored(&self) -> bool {
        self.branches.iter().all(|branch| branch.end().is_some())
    }

    /// What can be seen of the shown branches now; the main one comes first. Nothing while the main
    /// one is not there yet.
    pub fn views(&self) -> Vec<View> {
        if self.cursor(self.shown.0).is_none() {
            return Vec::new();
        }
        let shown = [Some(self.shown.0), self.shown.1];
        let view = |branch: usize| {
            let hash = self.branches[branch].scenario().hash();
            self.cursor(branch)
                .map(|simulation| View::of(branch, simulation, hash))
        };
        shown.into_iter().flatten().filter_map(view).collect()
    }

    /// Goes to a moment, forward or back.
    pub fn seek(&mut self, at: Instant) {
        self.transport.goal = at.min(self.horizon());
        self.pending = Pending::Reach;
    }

    /// Lets time run, or stops it. Played again from the end, a run begins anew.
    pub fn play(&mut self, playing: bool) {
        if playing && self.is_over() {
            self.seek(Instant::ZERO);
        }
        self.transport.playing = playing;
        self.note_event_log();
    }

    /// Sets the speed.
    pub fn set_speed(&mut self, speed: f64) {
        self.transport.speed = speed.max(0.001);
    }

    /// Whether playing pauses at events.
    pub fn set_pause_at_events(&mut self, pause: bool) {
        self.transport.pause_at_events = pause;
        self.note_event_log();
    }

    /// A stretch to play again and again.
    pub fn set_range(&mut self, range: Option<(Instant, Instant)>) {
        self.transport.range = range.filter(|(start, end)| start < end);
    }

    /// Does one event of the main branch; the one beside it follows to the same time.
    pub fn step(&mut self) {
        self.transport.playing = false;
        let shown = self.shown.0;
        if self.pending != Pending::Nothing {
            return;
        }
        let Some(cursor) = self.cursors.iter_mut().find(|c| c.branch == shown) else {
            return;
        };
        if cursor.simulation.step().is_none() {
            return self.seek(self.last());
        }
        self.transport.goal = cursor.simulation.now();
        let goal = self.transport.goal;
        if let Some(other) = self.shown.1
            && let Some(cursor) = self.cursors.iter_mut().find(|c| c.branch == other)
        {
            cursor.simulation.run_until(goal);
        }
    }

    /// Goes to the next event of the main branch's event log, or to the end.
    pub fn next_event(&mut self) {
        self.transport.playing = false;
        self.pending = Pending::NextEvent(self.now());
        self.find_next_event();
    }

    /// Goes to the previous event of the main branch's event log, or to the beginning.
    pub fn previous_event(&mut self) {
        self.transport.playing = false;
        let now = self.now();
        let event_log = self.branches[self.shown.0].event_log();
        let before = event_log.partition_point(|event| event.at < now);
        let at = before
            .checked_sub(1)
            .map_or(Instant::ZERO, |i| event_log[i].at);
        self.seek(at);
    }

    /// Shows a branch, and another beside it.
    pub fn show(&mut self, main: usize, beside: Option<usize>) {
        let last = self.branches.len() - 1;
        let main = main.min(last);
        self.shown = (main, beside.map(|b| b.min(last)).filter(|b| *b != main));
        self.revision += 1;
        self.seek(self.now_or_goal());
    }

    fn now_or_goal(&self) -> Instant {
        if self.pending == Pending::Nothing {
            self.now()
        } else {
            self.transport.goal
        }
    }

    /// Whether the main branch is shown at its end: the horizon, or an earlier one by a limit.
    fn is_over(&self) -> bool {
        self.now() >= self.horizon() || self.cursor(self.shown.0).is_some_and(|s| s.end().is_some())
    }

    /// The last moment of the main branch, as far as is known.
    fn last(&self) -> Instant {
        let branch = &self.branches[self.shown.0];
        match branch.end() {
            Some(_) => branch.scout().now(),
            None => self.horizon(),
        }
    }

    /// Lets time pass while playing.
    pub fn advance(&mut self, seconds: f64) {
        if !self.transport.playing || !self.is_settled() {
            return;
        }
        let now = self.now();
        if let Some((start, end)) = self.transport.range
            && (now >= end || now < start || self.is_over())
        {
            return self.seek(start);
        }
        if self.is_over() {
            self.transport.playing = false;
            return;
        }
        // As fast as possible is a whole run in some seconds, if the engine can do that.
        let speed = if self.transport.speed.is_infinite() {
            played_as_fast_as_possible(self.horizon())
        } else {
            self.transport.speed
        };
        let ahead = (seconds * speed * 1e9).min(1e18);
        let mut goal = Instant(now.0.saturating_add(ahead as u64));
        if let Some((_, end)) = self.transport.range {
            goal = goal.min(end);
        }
        self.note_event_log();
        self.seek(goal);
    }

    fn note_event_log(&mut self) {
        self.event_log_seen = self
            .cursor(self.shown.0)
            .map_or(0, |s| s.recorder().event_log().len());
    }

    /// Works until told to stop; true while there is more to do.
    pub fn work(&mut self, stop: &mut dyn FnMut() -> bool) -> bool {
        match self.pending {
            Pending::NextEvent(_) => {
                let shown = self.shown.0;
                let horizon = self.horizon();
                let budget = self.share();
                self.branches[shown].explore(horizon, budget, stop);
                self.find_next_event();
                return true;
            }
            Pending::Reach => {
                if !self.reach(stop) {
                    return true;
                }
                self.pending = Pending::Nothing;
                self.pause_if_something_happened();
                return true;
            }
            Pending::Nothing => {}
        }
        if let Some(job) = self.queue.pop_front() {
            if let Some(job) = self.perform(job, stop) {
                self.queue.push_front(job);
            }
            return true;
        }
        let (main, beside) = self.shown;
        let (horizon, budget) = (self.horizon(), self.share());
        let others = 0..self.branches.len();
        for branch in [Some(main), beside].into_iter().flatten().chain(others) {
            if !self.branches[branch].explore(horizon, budget, stop) {
                return true;
            }
        }
        !self.is_explored()
    }

    /// What is left of the budget beside what is shown, in equal parts.
    fn share(&self) -> usize {
        let shown = self.cursors.iter().map(|c| c.simulation.clone_bytes());
        self.budget.saturating_sub(shown.sum()) / self.branches.len().max(1)
    }

    /// Bytes that copies of the simulation take for a branch, with the one that is shown.
    pub fn bytes(&self, branch: usize) -> usize {
        let shown = self.cursor(branch).map_or(0, Simulation::clone_bytes);
        self.branches[branch].bytes() + shown
    }

    /// Does all that was asked for without a pause.
    pub fn finish_seeking(&mut self) {
        while !self.is_settled() {
            self.work(&mut || false);
        }
    }

    fn find_next_event(&mut self) {
        let Pending::NextEvent(after) = self.pending else {
            return;
        };
        let branch = &self.branches[self.shown.0];
        let next = branch
            .event_log()
            .iter()
            .find(|event| event.at > after)
            .map(|event| event.at);
        if let Some(at) = next {
            self.seek(at);
        } else if branch.end().is_some() {
            self.seek(self.last());
        }
    }

    fn pause_if_something_happened(&mut self) {
        if !(self.transport.playing && self.transport.pause_at_events) {
            return;
        }
        let happened = self.cursor(self.shown.0).and_then(|simulation| {
            simulation
                .recorder()
                .event_log()
                .nth(self.event_log_seen)
                .map(|event| event.at)
        });
        if let Some(at) = happened {
            self.transport.playing = false;
            self.seek(at);
        }
    }

    /// Brings every shown branch to the goal; false when told to stop before.
    fn reach(&mut self, stop: &mut dyn FnMut() -> bool) -> bool {
        let goal = self.transport.goal;
        let shown = [Some(self.shown.0), self.shown.1];
        self.cursors
            .retain(|cursor| shown.contains(&Some(cursor.branch)));
        for branch in shown.into_iter().flatten() {
            let owner = self.owner(branch, goal);
            let budget = self.share();
            if !self.branches[owner].explore(goal, budget, stop) {
                return false;
            }
            self.place(branch, owner, goal);
            let Some(cursor) = self.cursors.iter_mut().find(|c| c.branch == branch) else {
                continue;
            };
            if !Pace::new(&cursor.simulation).run(&mut cursor.simulation, goal, stop) {
                return false;
            }
        }
        true
    }

    /// The branch that lived a moment of a branch's past or present.
    fn owner(&self, branch: usize, at: Instant) -> usize {
        let mut owner = branch;
        while let Some(parent) = self.branches[owner].parent
            && at < self.branches[owner].from
            && !self.branches[owner].is_anew()
        {
            owner = parent;
        }
        owner
    }

    /// Puts the cursor of a branch on the nearest moment from which the goal can be reached.
    fn place(&mut self, branch: usize, owner: usize, goal: Instant) {
        let nearest = self.branches[owner].nearest(goal);
        let present = self.cursors.iter().position(|c| c.branch == branch);
        let usable = present.map(|i| &self.cursors[i]).filter(|cursor| {
            cursor.owner == owner
                && cursor.simulation.now() <= goal
                && nearest.is_none_or(|near| near.now() <= cursor.simulation.now())
        });
        if usable.is_some() {
            return;
        }
        let Some(nearest) = nearest else {
            return;
        };
        let cursor = Cursor {
            branch,
            owner,
            simulation: nearest.clone(),
        };
        match present {
            Some(i) => self.cursors[i] = cursor,
            None => self.cursors.push(cursor),
        }
    }
}
