//! What sets of a runbook change, in whichever state they find the system.
//!
//! At what time a step will be taken is not known. What it sets is therefore worked out in every state that the time
//! line brings about, and beside every other step.

use super::Scenario;
use super::assemble::Base;
use super::live::Live;
use super::problem::{Collector, Problem};
use super::section::Item;
use super::sections::Top;
use super::set::{Assignment, assignments};
use super::timeline::{Draft, drafts, sets_text};
use super::tree::Entry;
use crate::ids::Id;
use crate::model::{Action, Change, Edit, Edits, Part, Parts, Rollout, ServerId};
use crate::time::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Most states of the system in which steps are worked out, times their number.
const WORKED_OUT_MAX: usize = 4000;

/// States that a step may find.
pub(super) struct States {
    /// All of them, where a step sets anything; those that count for most come last.
    all: Vec<Live>,
    /// Entries of the time line with a name.
    pub named: BTreeMap<String, Named>,
}

/// An entry of the time line.
pub(super) struct Named {
    pub at: Instant,
    pub undo: Undo,
}

/// How an entry of the time line is undone.
pub(super) enum Undo {
    Set(Edits),
    Deploy(Arc<Rollout>),
    /// It is not.
    Never,
}

impl Undo {
    /// Of an entry that changes one state to another.
    fn of(name: &str, action: &Action, changes: Vec<Change>, (was, is): (&Live, &Live)) -> Self {
        let text = format!("undo {name}");
        match action {
            Action::Deploy(release) => {
                let params = |state: &Live, id: &ServerId| Arc::clone(&state.params[id.position()]);
                let server = |state: &Live, id: &ServerId| Change::Server(*id, params(state, id));
                let servers = release.servers.iter();
                let back = |id: &ServerId| Some(Edit::new(server(is, id), server(was, id)));
                Self::Deploy(Arc::new(Rollout {
                    release: servers.clone().map(|id| params(was, id)).collect(),
                    edits: servers.map(back).collect(),
                    planned: false,
                    back: true,
                    text,
                    canary: None,
                    ..(**release).clone()
                }))
            }
            _ => {
                let back = |change: Change| Edit::new(was.part(change.part()), change).reversed();
                let edits = changes.into_iter().map(back).collect();
                Self::Set(Edits { text, edits })
            }
        }
    }
}

impl States {
    /// Those beside some sets of steps.
    pub(super) fn new(
        scenario: &Scenario,
        top: &Top,
        base: &Base,
        sets: &[&Item<Vec<Entry>>],
        problems: &mut Collector,
    ) -> Option<Self> {
        let before = problems.count();
        let entries = drafts(scenario, top, base, problems)?;
        let number = 1 + entries
            .iter()
            .filter(|draft| !draft.sets.is_empty())
            .count();
        if (number + sets.len()) * sets.len() > WORKED_OUT_MAX {
            let what = format!(
                "{} steps that set something beside {} entries of the time line that do; at most {WORKED_OUT_MAX} pairs are allowed",
                sets.len(),
                number - 1
            );
            let problem = Problem::new("E024", what);
            problems.push(problem.at(top.runbook.span));
            return None;
        }
        let kept = !sets.is_empty();
        let states = Self::of(scenario, base, entries, (sets, kept), problems);
        (problems.count() == before).then_some(states)
    }

    /// Those that entries of the time line may find. Nothing where nothing comes between them, where there are too many to
    /// be worked out, or where one makes no sense in some of them: what they change is then what they change as planned.
    pub(super) fn between(
        scenario: &Scenario,
        top: &Top,
        base: &Base,
        entries: &[Draft],
    ) -> Option<Self> {
        let written = top.runbook.get()?.iter();
        let steps = written.filter_map(|spec| spec.step.get()).flatten();
        let sets: Vec<_> = steps
            .map(|step| &step.set)
            .filter(|set| set.written)
            .collect();
        let deploys = |draft: &Draft| matches!(draft.entry.action, Action::Deploy(_));
        if top.runbook.get()?.is_empty() && !entries.iter().any(deploys) {
            return None;
        }
        let number = entries
            .iter()
            .filter(|draft| !draft.sets.is_empty())
            .count();
        if (1 + number + sets.len()) * number > WORKED_OUT_MAX {
            return None;
        }
        let mut problems = Collector::default();
        let states = Self::of(
            scenario,
            base,
            entries.to_vec(),
            (&sets, true),
            &mut problems,
        );
        (problems.count() == 0).then_some(states)
    }

    fn of(
        scenario: &Scenario,
        base: &Base,
        mut entries: Vec<Draft>,
        (sets, kept): (&[&Item<Vec<Entry>>], bool),
        problems: &mut Collector,
    ) -> Self {
        entries.sort_by_key(|draft| (draft.entry.at, draft.live));
        let mut now = Live::new(&scenario.tree, base);
        let mut states = Self {
            all: Vec::new(),
            named: BTreeMap::new(),
        };
        // What one step sets, another may set back: the system after each of them. The states of the time line count
        // for more.
        for set in sets.iter().filter_map(|set| set.get()) {
            let mut state = now.clone();
            state.set(&assignments(set, problems), base, problems);
            states.all.push(state);
        }
        states.all.extend(kept.then(|| now.clone()));
        for draft in entries {
            let name = draft.name.unwrap_or_default();
            let mut undo = Undo::Never;
            if !draft.sets.is_empty() {
                let was = now.clone();
                let changes = now.set(&draft.sets, base, problems);
                undo = Undo::of(&name, &draft.entry.action, changes, (&was, &now));
                states.all.extend(kept.then(|| now.clone()));
            }
            if !name.is_empty() {
                let at = draft.entry.at;
                states.named.insert(name, Named { at, undo });
            }
        }
        states
    }

    /// What sets change in each of these states.
    pub(super) fn edits(
        &self,
        sets: &[Assignment],
        base: &Base,
        problems: &mut Collector,
    ) -> Option<Edits> {
        let before = problems.count();
        let mut after = Vec::with_capacity(self.all.len());
        for state in &self.all {
            let changes = state.clone().set(sets, base, problems);
            if problems.count() > before {
                return None;
            }
            after.push(changes);
        }
        let parts: BTreeSet<Part> = after.iter().flatten().map(Change::part).collect();
        let mut edits: BTreeMap<Part, Edit> = BTreeMap::new();
        for (state, changes) in self.all.iter().zip(after) {
            let changes = changes.into_iter().map(|change| (change.part(), change));
            let mut changes: BTreeMap<Part, Change> = changes.collect();
            for &part in &parts {
                let before = state.part(part);
                // Where it is as it shall be, it stays so.
                let after = changes.remove(&part).unwrap_or_else(|| before.clone());
                if let Some(edit) = edits.get_mut(&part) {
                    edit.or(before, after);
                } else {
                    edits.insert(part, Edit::new(before, after));
                }
            }
        }
        Some(Edits {
            text: sets_text(sets),
            edits: edits.into_values().collect(),
        })
    }
}
