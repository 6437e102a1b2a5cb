//! Changes: forks, changes of forks, and the closing of them.

use super::queue::Job;
use super::{BRANCHES_MAX, Deck};
use crate::branch::{Branch, Pace};
use crate::expected::Looking;
use crate::{Edit, Edited, letter};
use sim_core::engine::Simulation;
use sim_core::scenario::{Problem, Problems};
use sim_core::time::Instant;
use std::collections::VecDeque;

/// Changes of one moment that are being made.
pub(super) struct Change {
    edits: Vec<Edit>,
    /// The branch whose moment is changed.
    of: u64,
    at: Instant,
    /// Those that are changed themselves if they begin at that moment.
    shown: [Option<u64>; 2],
    /// On its way to the moment.
    moving: Option<Simulation>,
    /// What is to be changed after it, in the branch that it makes.
    rest: VecDeque<Edited>,
}

impl Deck {
    /// Changes something at the moment shown. In the middle of a branch that makes a fork, which
    /// is then shown beside it; at the beginning of a fork it changes the fork.
    ///
    /// A change that a scenario makes comes before all else that happens at its moment. So that a
    /// branch is the run of its overlay to the last digit, a fork begins at a moment at which
    /// nothing else happens: where something did, a nanosecond later.
    ///
    /// # Errors
    /// What is wrong with the change; nothing has then happened.
    pub fn edit(&mut self, edit: Edit) -> Result<usize, Problems> {
        self.finish_seeking();
        let mut change = self.change_now(vec![edit]);
        let branch = loop {
            if let Some(found) = self.make(&mut change, &mut || false) {
                break found?;
            }
        };
        if !self.branches[branch].is_anew() {
            // There at once; one that begins anew takes its time, and others go on meanwhile.
            self.finish_seeking();
        }
        Ok(branch)
    }

    /// Changes of the main branch at the moment shown.
    pub(super) fn change_now(&self, edits: Vec<Edit>) -> Change {
        let (main, beside) = self.shown;
        let id = |branch: usize| self.branches[branch].id;
        Change {
            edits,
            of: id(main),
            at: self.now(),
            shown: [Some(id(main)), beside.map(id)],
            moving: None,
            rest: VecDeque::new(),
        }
    }

    /// The first of several changes, each at a moment of the branch that the one before made.
    pub(super) fn replay(&self, mut edits: VecDeque<Edited>, branch: u64) -> Option<Job> {
        let Edited { at, edit } = edits.pop_front()?;
        Some(Job::Change(Box::new(Change {
            edits: vec![edit],
            of: branch,
            at: at.min(self.horizon()),
            shown: [Some(branch), None],
            moving: None,
            rest: edits,
        })))
    }

    /// What follows a change that was made.
    pub(super) fn after(&self, change: Change, branch: usize) -> Option<Job> {
        let id = self.branches[branch].id;
        (!change.rest.is_empty()).then_some(Job::Replay(change.rest, id))
    }

    /// Makes a change: the branch that has it, or nothing when told to stop before.
    pub(super) fn make(
        &mut self,
        change: &mut Change,
        stop: &mut dyn FnMut() -> bool,
    ) -> Option<Result<usize, Problems>> {
        let begins_here = |deck: &Self, at: Instant, parent: Option<usize>| {
            let shown = change.shown.into_iter().flatten();
            let mut shown = shown.filter_map(|id| deck.number(id));
            shown.find(|&branch| {
                let branch = &deck.branches[branch];
                let of = branch.parent.filter(|p| parent.is_none_or(|q| *p == q));
                branch.from == at && of.is_some()
            })
        };
        if let Some(branch) = begins_here(self, change.at, None) {
            return Some(self.amend(branch, change.edits.clone()));
        }
        // A moment of the past belongs to the branch that lived it.
        let owner = self.owner(self.number(change.of).unwrap_or(0), change.at);
        let budget = self.share();
        if !self.branches[owner].explore(change.at, budget, stop) {
            return None;
        }
        let before = Instant(change.at.0.saturating_sub(1));
        let lived = &self.branches[owner];
        let mut moment = match change.moving.take() {
            Some(moving) => moving,
            None => (lived.nearest(before).or(lived.nearest(change.at)))?.clone(),
        };
        if !Pace::new(&moment).run(&mut moment, before, stop) {
            change.moving = Some(moment);
            return None;
        }
        quiet(&mut moment, change.at);
        let at = moment.now();
        if self.transport.goal == change.at {
            self.transport.goal = at;
        }
        let edits = change.edits.clone();
        Some(match begins_here(self, at, Some(owner)) {
            Some(branch) => self.amend(branch, edits),
            None => self.fork(owner, &moment, edits),
        })
    }

    fn amend(&mut self, branch: usize, edits: Vec<Edit>) -> Result<usize, Problems> {
        let before = self.plan();
        self.branches[branch].amend(edits)?;
        let dropped = self.drop_children_of(branch);
        self.renew(branch);
        if !dropped.is_empty() {
            let (letter, list) = (letter(branch), list(&dropped));
            self.say(format!(
                "{letter} was changed: what was forked from it is gone ({list}); undo brings it back"
            ));
        }
        self.remember(before);
        Ok(branch)
    }

    fn fork(
        &mut self,
        owner: usize,
        moment: &Simulation,
        edits: Vec<Edit>,
    ) -> Result<usize, Problems> {
        let full = self.branches.len() >= BRANCHES_MAX;
        let oldest = (1..self.branches.len()).find(|b| *b != owner && !self.is_parent(*b));
        if full && oldest.is_none() {
            return Err(too_many());
        }
        let before = self.plan();
        let fork = self.branches[owner].fork(owner, self.next_id, moment, edits)?;
        self.next_id += 1;
        let parent = self.branches[owner].id;
        let number = self.push(fork);
        if let Some(oldest) = oldest.filter(|_| full) {
            let words = self.words(oldest);
            self.remove(oldest);
            self.say(format!(
                "at most {BRANCHES_MAX} futures are kept: {words} was closed; undo brings it back"
            ));
        }
        let number = number - usize::from(full);
        self.shown = (self.number(parent).unwrap_or(0), Some(number));
        self.renew(number);
        self.remember(before);
        Ok(number)
    }

    /// Takes a branch in. All share the budget: those that are there make room.
    pub(super) fn push(&mut self, branch: Branch) -> usize {
        self.branches.push(branch);
        let budget = self.share();
        for branch in &mut self.branches {
            branch.fit(budget);
        }
        self.branches.len() - 1
    }

    fn is_parent(&self, branch: usize) -> bool {
        self.branches.iter().any(|b| b.parent == Some(branch))
    }

    /// A branch in a few words.
    fn words(&self, branch: usize) -> String {
        let own = self.branches[branch].own_edits().iter();
        let own: Vec<String> = own.map(|edited| edited.edit.words()).collect();
        format!("{} ({})", letter(branch), own.join(", "))
    }

    /// What is to be looked at to say what changes would do at the moment shown.
    pub(super) fn look_at(&self, edits: Vec<Edit>) -> Option<Looking> {
        let main = self.shown.0;
        let shown = self.cursor(main)?;
        // In the past of a fork the scenario is that of the branch that lived it.
        let lived = &self.branches[self.owner(main, shown.now())];
        Some(Looking::begin(main, shown, lived, edits))
    }

    /// Closes a fork and what was forked from it. The first branch stays.
    pub fn close(&mut self, branch: usize) {
        if branch == 0 || branch >= self.branches.len() {
            return;
        }
        let before = self.plan();
        let dropped = self.drop_children_of(branch);
        if !dropped.is_empty() {
            let (letter, list) = (letter(branch), list(&dropped));
            self.say(format!(
                "{letter} was closed, and with it what was forked from it ({list})"
            ));
        }
        self.remove(branch);
        self.seek(self.now_or_goal());
        self.remember(before);
    }

    /// Removes what was forked from a branch; the numbers that they had, in order.
    pub(super) fn drop_children_of(&mut self, branch: usize) -> Vec<usize> {
        let mut below = vec![branch];
        for (number, other) in self.branches.iter().enumerate() {
            // Parents come before their children.
            if other.parent.is_some_and(|parent| below.contains(&parent)) {
                below.push(number);
            }
        }
        below.remove(0);
        for &number in below.iter().rev() {
            self.remove(number);
        }
        below
    }

    /// Removes a branch from which nothing is forked.
    pub(super) fn remove(&mut self, branch: usize) {
        self.branches.remove(branch);
        let moved = |b: usize| if b > branch { b - 1 } else { b };
        for other in &mut self.branches {
            other.parent = other.parent.map(moved);
        }
        self.cursors
            .retain(|cursor| cursor.branch != branch && cursor.owner != branch);
        for cursor in &mut self.cursors {
            (cursor.branch, cursor.owner) = (moved(cursor.branch), moved(cursor.owner));
        }
        let (main, beside) = self.shown;
        let beside = beside.filter(|b| *b != branch).map(moved);
        self.shown = if main == branch {
            (0, beside.filter(|b| *b != 0))
        } else {
            (moved(main), beside)
        };
        self.revision += 1;
    }

    /// A branch has changed: what was shown of it is void.
    pub(super) fn renew(&mut self, branch: usize) {
        self.revision += 1;
        self.cursors
            .retain(|cursor| cursor.branch != branch && cursor.owner != branch);
        self.seek(self.transport.goal);
    }
}

/// Goes to `at`, or on from there to a moment at which nothing happens.
fn quiet(simulation: &mut Simulation, at: Instant) {
    let mut at = at;
    loop {
        let events = simulation.events();
        simulation.run_until(at);
        if simulation.events() == events || simulation.end().is_some() {
            return;
        }
        at.0 += 1;
    }
}

fn list(branches: &[usize]) -> String {
    let letters: Vec<String> = branches.iter().map(|b| letter(*b).to_string()).collect();
    letters.join(", ")
}

fn too_many() -> Problems {
    let message = format!(
        "at most {BRANCHES_MAX} futures are kept, and each of these is the past of another"
    );
    let problem = Problem::new("E024", message).help("close one of them first");
    Problems {
        problems: vec![problem],
        ..Problems::default()
    }
}
