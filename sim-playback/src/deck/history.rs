//! Undo and redo: what branches there were before each change.
//!
//! Branches are few and follow from their changes, so what is kept is only how they are made. To go
//! back to a plan, branches that it does not have are closed, those that were changed get their
//! changes of then, and those that are missing are forked again where they were.

use super::Deck;
use super::queue::Job;
use crate::Edit;
use crate::branch::Pace;
use sim_core::engine::Simulation;
use sim_core::time::Instant;

/// Changes that can be taken back.
const CHANGES_MAX: usize = 200;

/// How a branch is made.
#[derive(Clone, PartialEq)]
struct Future {
    id: u64,
    parent: u64,
    from: Instant,
    edits: Vec<Edit>,
}

/// All branches but the first, as they are made, and which of them are shown.
#[derive(Clone)]
pub(super) struct Plan {
    futures: Vec<Future>,
    shown: (u64, Option<u64>),
}

/// Plans to go back to, the latest last.
#[derive(Default)]
pub(super) struct History {
    done: Vec<Plan>,
    undone: Vec<Plan>,
}

impl Deck {
    /// The branches as they are.
    pub(super) fn plan(&self) -> Plan {
        let id = |branch: usize| self.branches[branch].id;
        let futures = self.branches.iter().filter_map(|branch| {
            let own = branch.own_edits().iter();
            Some(Future {
                id: branch.id,
                parent: id(branch.parent?),
                from: branch.from,
                edits: own.map(|edited| edited.edit.clone()).collect(),
            })
        });
        Plan {
            futures: futures.collect(),
            shown: (id(self.shown.0), self.shown.1.map(id)),
        }
    }

    /// Notes that something was changed, and how it was before.
    pub(super) fn remember(&mut self, before: Plan) {
        if before.futures == self.plan().futures {
            return;
        }
        let History { done, undone } = &mut self.history;
        undone.clear();
        if done.len() == CHANGES_MAX {
            done.remove(0);
        }
        done.push(before);
    }

    /// Whether there is a change to take back.
    pub fn can_undo(&self) -> bool {
        !self.history.done.is_empty()
    }

    /// Whether there is one to make again.
    pub fn can_redo(&self) -> bool {
        !self.history.undone.is_empty()
    }

    pub(super) fn undo(&mut self) -> Option<Job> {
        let Some(plan) = self.history.done.pop() else {
            self.say("there is nothing to undo");
            return None;
        };
        let now = self.plan();
        self.history.undone.push(now);
        Some(Job::Restore(plan, None))
    }

    pub(super) fn redo(&mut self) -> Option<Job> {
        let Some(plan) = self.history.undone.pop() else {
            self.say("there is nothing to redo");
            return None;
        };
        let now = self.plan();
        self.history.done.push(now);
        Some(Job::Restore(plan, None))
    }

    /// Makes the branches what a plan says until told to stop; what is left to do comes back. The
    /// moment shown stays.
    pub(super) fn restore(
        &mut self,
        plan: Plan,
        moving: Option<Box<Simulation>>,
        stop: &mut dyn FnMut() -> bool,
    ) -> Option<Job> {
        self.cut_back(&plan);
        let mut moving = moving;
        for future in &plan.futures {
            let parent = self.number(future.parent);
            let Some(parent) = parent.filter(|_| self.number(future.id).is_none()) else {
                continue;
            };
            let budget = self.share();
            if !self.branches[parent].explore(future.from, budget, stop) {
                return Some(Job::Restore(plan, moving));
            }
            let lived = &self.branches[parent];
            let Some(mut moment) = moving
                .take()
                .or_else(|| lived.nearest(future.from).cloned().map(Box::new))
            else {
                continue;
            };
            if !Pace::new(&moment).run(&mut moment, future.from, stop) {
                return Some(Job::Restore(plan, Some(moment)));
            }
            match lived.fork(parent, future.id, &moment, future.edits.clone()) {
                Ok(fork) => {
                    self.push(fork);
                }
                Err(problems) => self.judge(Some(problems)),
            }
        }
        self.sort(&plan);
        let (main, beside) = plan.shown;
        let main = self.number(main).unwrap_or(0);
        self.show(main, beside.and_then(|id| self.number(id)));
        None
    }

    /// Closes the branches that a plan does not have, and changes those that it has otherwise.
    fn cut_back(&mut self, plan: &Plan) {
        for number in (1..self.branches.len()).rev() {
            let Some(branch) = self.branches.get(number) else {
                continue;
            };
            let id = branch.id;
            let own = branch.own_edits().iter().map(|edited| &edited.edit);
            match plan.futures.iter().find(|future| future.id == id) {
                None => {
                    self.drop_children_of(number);
                    self.remove(number);
                }
                Some(future) if !own.eq(&future.edits) => {
                    if let Err(problems) = self.branches[number].set(future.edits.clone()) {
                        self.judge(Some(problems));
                    }
                    self.drop_children_of(number);
                    self.renew(number);
                }
                Some(_) => {}
            }
        }
    }

    /// Puts the branches into the order of a plan, so that each has its letter again.
    fn sort(&mut self, plan: &Plan) {
        let ids: Vec<u64> = self.branches.iter().map(|branch| branch.id).collect();
        let rank = |id: u64| plan.futures.iter().position(|future| future.id == id);
        self.branches.sort_by_key(|branch| rank(branch.id));
        let new = |number: usize| {
            let id = ids[number];
            let found = self.branches.iter().position(|branch| branch.id == id);
            found.unwrap_or(0)
        };
        let new: Vec<usize> = (0..ids.len()).map(new).collect();
        for branch in &mut self.branches {
            branch.parent = branch.parent.map(|parent| new[parent]);
        }
        for cursor in &mut self.cursors {
            (cursor.branch, cursor.owner) = (new[cursor.branch], new[cursor.owner]);
        }
        self.revision += 1;
    }
}
