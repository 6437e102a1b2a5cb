//! The response: people who are told of an alert, look, find the cause, and do something about it.
//!
//! As many runbooks are worked through at a time as there are people on call; others wait in the order in which
//! they were called for. Times are drawn from a stream of each runbook's own, by the number of its use and of the
//! step, so that they move no other draw, and none of them another.

use super::Simulation;
use super::event::Event;
use crate::distribution::DistributionDef;
use crate::draws::Stream;
use crate::event_log::Kind;
use crate::extension::Configured;
use crate::ids::{Id, ServerId};
use crate::model::{Act, Actor, Change, Edit, Edits, Model, Runbook, Step, Undoable, Undone};
use crate::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

/// Draws that one use of a runbook has room for.
const DRAWS_OF_ONE_USE: u64 = 1 << 16;

/// People on call, and what they are doing.
#[derive(Clone)]
pub(super) struct Response {
    uses: Vec<Use>,
    /// Runbooks that nobody has time for yet.
    waiting: VecDeque<usize>,
    /// People who have nothing to do.
    free: u64,
}

/// The present use of a runbook.
#[derive(Clone)]
struct Use {
    stage: Stage,
    /// Uses so far.
    number: u64,
    /// What was planned for an earlier stage is void.
    generation: u32,
    stream: Stream,
    /// What its last step that set something really changed.
    changed: Vec<Edit>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Idle,
    /// Somebody was told, and nobody has time.
    Waiting,
    /// Somebody was told.
    Called,
    /// Somebody looks.
    Diagnosing,
    /// Somebody is about to do this step.
    Step(usize),
    /// What was done is watched, in this step.
    Watching(usize),
}

impl Response {
    /// Draws of its own from here on; see [`super::branch`].
    pub(super) fn branch_off(&mut self, branch: u64) {
        for of in &mut self.uses {
            of.stream = of.stream.branched(branch);
        }
    }

    pub(super) fn new(model: &Arc<Model>, replication: u64) -> Option<Box<Self>> {
        if model.runbooks.is_empty() {
            return None;
        }
        let of = |runbook: &Runbook| Use {
            stage: Stage::Idle,
            number: 0,
            generation: 0,
            stream: Stream::new(
                model.seed,
                replication,
                &format!("response/{}", runbook.name),
            ),
            changed: Vec::new(),
        };
        Some(Box::new(Self {
            uses: model.runbooks.iter().map(of).collect(),
            waiting: VecDeque::new(),
            free: model
                .monitoring
                .map_or(1, |monitoring| monitoring.responders),
        }))
    }
}

impl Simulation {
    /// Somebody is told of an alert.
    pub(super) fn called(&mut self, alert: usize) {
        let Some(response) = &mut self.response else {
            return;
        };
        for (i, runbook) in self.model.runbooks.iter().enumerate() {
            let of = &mut response.uses[i];
            // Who is at it already needs no second call.
            if runbook.on == alert && of.stage == Stage::Idle {
                of.stage = Stage::Waiting;
                response.waiting.push_back(i);
            }
        }
        self.send_for_somebody();
    }

    /// Whoever is free takes the runbook that has waited for longest.
    fn send_for_somebody(&mut self) {
        let model = Arc::clone(&self.model);
        while let Some(response) = &mut self.response
            && response.free > 0
            && let Some(book) = response.waiting.pop_front()
        {
            response.free -= 1;
            response.uses[book].number += 1;
            let law = &model.runbooks[book].acknowledge;
            self.go_to(book, Stage::Called, self.drawn(book, law, 0));
        }
    }

    /// A time drawn for the present use of a runbook.
    fn drawn(&self, book: usize, law: &Configured<DistributionDef>, number: u64) -> u64 {
        let Some(response) = &self.response else {
            return 0;
        };
        let of = &response.uses[book];
        let mut draws = of.stream.at(of.number * DRAWS_OF_ONE_USE + number);
        Duration::from_nanos_f64(law.build().sample_ns(&mut draws)).0
    }

    /// The next stage of a runbook begins now, and is over after a time.
    fn go_to(&mut self, book: usize, stage: Stage, lasts: u64) {
        if let Some(response) = &mut self.response {
            let of = &mut response.uses[book];
            of.stage = stage;
            of.generation = of.generation.wrapping_add(1);
            let generation = of.generation;
            self.after(lasts, Event::Respond(book as u32, generation));
        }
    }

    /// A stage of a runbook is over.
    pub(super) fn respond(&mut self, book: u32, generation: u32) {
        let (number, book) = (book, book as usize);
        let Some(of) = self.response.as_ref().map(|r| &r.uses[book]) else {
            return;
        };
        if of.generation != generation {
            return;
        }
        let stage = of.stage;
        let model = Arc::clone(&self.model);
        let runbook = &model.runbooks[number as usize];
        match stage {
            Stage::Idle | Stage::Waiting => {}
            Stage::Called => {
                self.tell_of_runbook(Kind::Acknowledged, runbook, &model);
                if !self.stands_down(book, runbook) {
                    let lasts = self.drawn(book, &runbook.diagnose, 1);
                    self.go_to(book, Stage::Diagnosing, lasts);
                }
            }
            Stage::Diagnosing => {
                if !self.stands_down(book, runbook) {
                    self.tell_of_runbook(Kind::Diagnosed, runbook, &model);
                    self.next_step(book, 0);
                }
            }
            Stage::Step(step) => {
                let Some(what) = runbook.steps.get(step) else {
                    self.tell_of_runbook(Kind::Handled, runbook, &model);
                    return self.is_done(book);
                };
                self.take_step(book, step, what, runbook);
            }
            Stage::Watching(step) => self.next_step(book, step + 1),
        }
    }

    /// What comes after so many steps.
    fn next_step(&mut self, book: usize, step: usize) {
        let model = Arc::clone(&self.model);
        let pause = model.runbooks[book].steps.get(step).map_or(0, |next| {
            let number = if next.first { step as u64 + 2 } else { 0 };
            self.drawn(book, &next.after, number)
        });
        self.go_to(book, Stage::Step(step), pause);
    }

    fn take_step(&mut self, book: usize, step: usize, what: &Step, runbook: &Runbook) {
        if let Some(undone) = &what.undoes
            && self.lies_ahead(undone)
        {
            let words = format!("{} has not come yet: nothing to undo", undone.name);
            self.tell(Kind::Note, Actor::People, "", words);
            // The others of the same step have nothing to undo either.
            let rest = runbook.steps[step + 1..].iter();
            let rest = rest.take_while(|next| !next.first).count();
            return self.next_step(book, step + 1 + rest);
        }
        let note = if what.note.is_empty() {
            format!("runbook {}", runbook.name)
        } else {
            what.note.clone()
        };
        match &what.act {
            Act::Do(action) => self.perform(action, Actor::People, &note),
            Act::Set(Edits { text, edits }) => {
                self.tell(Kind::Set, Actor::People, text, note);
                let changed = self.edit(edits);
                if let Some(response) = &mut self.response {
                    response.uses[book].changed = changed;
                }
            }
            Act::Watch { lasts, .. } => {
                return self.go_to(book, Stage::Watching(step), lasts.0);
            }
        }
        self.next_step(book, step + 1);
    }

    /// Whether what is to be undone is still to come.
    fn lies_ahead(&self, undone: &Undone) -> bool {
        match &undone.of {
            Undoable::Entry(at) => {
                let next = self.model.timeline.get(self.next_entry as usize);
                next.is_some_and(|next| next.at <= *at)
            }
            Undoable::Deployment(plan) => !self.has_deployed(plan),
        }
    }

    /// An alert begins to fire: what is watched because of it is taken back.
    pub(super) fn fires(&mut self, alert: usize) {
        let model = Arc::clone(&self.model);
        self.abort_rollouts(&model.alerts[alert].name);
        for (book, runbook) in model.runbooks.iter().enumerate() {
            let stage = self.response.as_ref().map(|r| r.uses[book].stage);
            let Some(Stage::Watching(step)) = stage else {
                continue;
            };
            if let Act::Watch { abort_on, text, .. } = &runbook.steps[step].act
                && *abort_on == alert
            {
                let name = &model.alerts[alert].name;
                let cause = format!("alert {name} fires: {text} is taken back");
                self.tell(Kind::Undone, Actor::People, &runbook.name, cause);
                let changed = self.response.as_mut();
                let changed = changed.map(|r| std::mem::take(&mut r.uses[book].changed));
                // What was changed last goes back first.
                let back = changed.unwrap_or_default().into_iter().rev();
                let back: Vec<Edit> = back.map(Edit::reversed).collect();
                self.edit(&back);
                self.is_done(book);
            }
        }
    }

    /// Whether a runbook is left because its alert has gone by itself.
    fn stands_down(&mut self, book: usize, runbook: &Runbook) -> bool {
        let fires = self
            .monitoring
            .as_ref()
            .is_some_and(|m| m.fires(runbook.on));
        let leaves = runbook.stands_down && !fires;
        if leaves {
            let words = format!("runbook {}: the alert has gone by itself", runbook.name);
            self.tell(Kind::Note, Actor::People, "", words);
            self.is_done(book);
        }
        leaves
    }

    /// Somebody is through with a runbook.
    fn is_done(&mut self, book: usize) {
        if let Some(response) = &mut self.response {
            let of = &mut response.uses[book];
            of.stage = Stage::Idle;
            of.generation = of.generation.wrapping_add(1);
            response.free += 1;
        }
        self.send_for_somebody();
    }

    fn tell_of_runbook(&mut self, kind: Kind, runbook: &Runbook, model: &Model) {
        let cause = format!("alert {}", model.alerts[runbook.on].name);
        self.tell(kind, Actor::People, &runbook.name, cause);
    }

    /// Settings are changed, whatever they have become; what that really changes.
    fn edit(&mut self, edits: &[Edit]) -> Vec<Edit> {
        let mut changed = Vec::new();
        for edit in edits {
            let Some(before) = self.present(edit.part()) else {
                return Vec::new();
            };
            let after = edit.on(&before);
            if after != before {
                changed.push((before, after));
            }
        }
        // Who gets weight gets it first, so that two servers can change places.
        changed.sort_by_key(|(_, after)| takes_weight(after));
        self.together(|simulation| {
            changed.retain(|(_, after)| {
                let stays = simulation.leaves_nobody(after);
                if !stays {
                    simulation.becomes(after);
                    simulation.change(after);
                }
                !stays
            });
            simulation.start_changed_probers();
        });
        let edit = |(before, after)| Edit::new(before, after);
        changed.into_iter().map(edit).collect()
    }

    /// Whether all servers of a service would have weight 0; that is told, and not done.
    fn leaves_nobody(&mut self, change: &Change) -> bool {
        let Change::Server(id, params) = change else {
            return false;
        };
        let service = self.fleet[*id].service;
        let mut others = self.services[service].servers.iter();
        let weighs =
            |other: &ServerId| *other != *id && self.fleet.cold[*other].params.weight > 0.0;
        if params.weight > 0.0 || others.any(weighs) {
            return false;
        }
        let name = self.model.servers[id.position()].name.clone();
        let words = format!("{name} stays as it is: all weights would be 0");
        self.tell(Kind::Note, Actor::People, "", words);
        true
    }
}

/// Whether a server is to have no weight.
fn takes_weight(change: &Change) -> bool {
    matches!(change, Change::Server(_, params) if params.weight <= 0.0)
}
