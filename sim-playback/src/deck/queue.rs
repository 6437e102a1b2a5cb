//! What was asked for and is still to be done, in the order in which it came.
//!
//! A change needs the moment it is made at, and getting there may take a while; whatever is asked
//! for meanwhile waits behind it. Jobs are done in slices, so that whoever drives the deck is never
//! kept longer than it wants.

use super::change::Change;
use super::history::Plan;
use super::{Deck, Pending};
use crate::expected::{Expected, Looking};
use crate::measured::Measured;
use crate::{Edit, Edited, Request};
use sim_core::engine::Simulation;
use sim_core::scenario::Problems;
use sim_core::time::Instant;
use std::collections::VecDeque;
use std::sync::Arc;

/// Something to be done. Branches are meant by their ids: numbers may change until it is.
pub(super) enum Job {
    Seek(Instant),
    Play(bool),
    Step,
    NextEvent,
    PreviousEvent,
    Edit(Vec<Edit>),
    Change(Box<Change>),
    /// Looks at what changes would do, before anybody makes them.
    Expect(Vec<Edit>),
    Look(Box<Looking>),
    Measure(Instant, Instant),
    /// Changes that are still to be made, the one after the other, and the branch they lead to.
    Replay(VecDeque<Edited>, u64),
    Show(u64, Option<u64>),
    Close(u64),
    Undo,
    Redo,
    /// Makes the branches what they were, with a simulation on its way to where one is forked.
    Restore(Plan, Option<Box<Simulation>>),
}

/// What came of the requests.
#[derive(Clone, Default, Debug)]
pub struct News {
    /// What was wrong with the latest change.
    pub refused: Option<Arc<Problems>>,
    /// Grows whenever a change was accepted or refused.
    pub edits_seen: u64,
    /// What the user should be told.
    pub said: Option<Arc<str>>,
    /// Grows whenever there is something new to tell.
    pub said_seen: u64,
    /// What servers would get if what was asked about last were done.
    pub expected: Option<Arc<Expected>>,
    /// What happened in the stretch that was asked about last.
    pub measured: Arc<Vec<Measured>>,
}

impl Deck {
    /// What came of the requests so far.
    pub fn news(&self) -> &News {
        &self.news
    }

    pub(super) fn say(&mut self, words: impl Into<Arc<str>>) {
        self.news.said = Some(words.into());
        self.news.said_seen += 1;
    }

    /// Notes that a change was accepted or refused.
    pub(super) fn judge(&mut self, refused: Option<Problems>) {
        self.news.edits_seen += 1;
        self.news.refused = refused.map(Arc::new);
    }

    /// Asks for something: it is done at once if it takes no time, or else by [`Deck::work`].
    pub fn ask(&mut self, request: Request) {
        let job = match request {
            Request::Speed(speed) => return self.set_speed(speed),
            Request::PauseAtEvents(pause) => return self.set_pause_at_events(pause),
            Request::Range(range) => return self.set_range(range),
            Request::Seek(at) => Job::Seek(at),
            Request::Play(playing) => Job::Play(playing),
            Request::Step => Job::Step,
            Request::NextEvent => Job::NextEvent,
            Request::PreviousEvent => Job::PreviousEvent,
            Request::Edit(edits) if edits.is_empty() => return,
            Request::Edit(edits) => Job::Edit(edits),
            Request::Expect(edits) => Job::Expect(edits),
            Request::Measure(from, to) => Job::Measure(from, to),
            Request::Replay(edits) => Job::Replay(edits.into(), self.branches[self.shown.0].id),
            Request::Show(main, beside) => {
                Job::Show(self.id(main), beside.map(|branch| self.id(branch)))
            }
            Request::Close(branch) if branch < self.branches.len() => Job::Close(self.id(branch)),
            Request::Close(_) => return,
            Request::Undo => Job::Undo,
            Request::Redo => Job::Redo,
        };
        let at_once = matches!(
            job,
            Job::Seek(_)
                | Job::Play(_)
                | Job::NextEvent
                | Job::PreviousEvent
                | Job::Show(..)
                | Job::Close(_)
                | Job::Measure(..)
        );
        if self.queue.is_empty() && (at_once || self.pending == Pending::Nothing) {
            let left = self.perform(job, &mut || true);
            self.queue.extend(left);
            return;
        }
        // Of several moments in a row only the last is gone to, and of several questions the last is answered.
        if matches!(
            (self.queue.back(), &job),
            (Some(Job::Seek(_)), Job::Seek(_))
                | (Some(Job::Expect(_) | Job::Look(_)), Job::Expect(_))
                | (Some(Job::Measure(..)), Job::Measure(..))
        ) {
            self.queue.pop_back();
        }
        self.queue.push_back(job);
    }

    /// Does a job until told to stop; what is left of it comes back.
    pub(super) fn perform(&mut self, job: Job, stop: &mut dyn FnMut() -> bool) -> Option<Job> {
        match job {
            Job::Seek(at) => self.seek(at),
            Job::Play(playing) => self.play(playing),
            Job::Step => self.step(),
            Job::NextEvent => self.next_event(),
            Job::PreviousEvent => self.previous_event(),
            Job::Edit(edits) => return Some(Job::Change(Box::new(self.change_now(edits)))),
            Job::Expect(edits) => return self.look_at(edits).map(|l| Job::Look(Box::new(l))),
            Job::Look(mut looking) => match looking.work(stop) {
                Some(expected) => self.news.expected = Some(Arc::new(expected)),
                None => return Some(Job::Look(looking)),
            },
            Job::Measure(from, to) => self.measure(from, to),
            Job::Change(mut change) => match self.make(&mut change, stop) {
                Some(Ok(branch)) => {
                    self.judge(None);
                    return self.after(*change, branch);
                }
                Some(Err(problems)) => self.judge(Some(problems)),
                None => return Some(Job::Change(change)),
            },
            Job::Replay(edits, branch) => return self.replay(edits, branch),
            Job::Show(main, beside) => {
                let main = self.number(main).unwrap_or(0);
                self.show(main, beside.and_then(|id| self.number(id)));
            }
            Job::Close(id) => {
                if let Some(branch) = self.number(id) {
                    self.close(branch);
                }
            }
            Job::Undo => return self.undo(),
            Job::Redo => return self.redo(),
            Job::Restore(plan, moving) => return self.restore(plan, moving, stop),
        }
        None
    }

    /// Counts what happened in a stretch of the futures shown.
    fn measure(&mut self, from: Instant, to: Instant) {
        let shown = [Some(self.shown.0), self.shown.1];
        let branches = || shown.into_iter().flatten();
        // As far as all of them are known: otherwise they could not be set beside each other.
        let known = branches().map(|i| self.branches[i].scout().now()).min();
        let until = known.map_or(to, |known| known.min(to));
        let of = |i| Measured::of((i, &self.branches[i]), (from, to), until);
        let measured = branches().filter_map(of);
        self.news.measured = Arc::new(measured.collect());
    }

    /// The id of a branch; of the last one where there are not so many.
    fn id(&self, branch: usize) -> u64 {
        self.branches[branch.min(self.branches.len() - 1)].id
    }

    /// The number of the branch with an id, if it is still there.
    pub(super) fn number(&self, id: u64) -> Option<usize> {
        self.branches.iter().position(|branch| branch.id == id)
    }
}
