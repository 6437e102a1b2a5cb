//! The time line, worked out in order of time: what each entry changes beside those before it.

use super::Scenario;
use super::assemble::Base;
use super::live::Live;
use super::problem::Collector;
use super::sections::Top;
use super::states::States;
use super::timeline::{Draft, check_release, drafts, sets_text};
use crate::ids::Id;
use crate::model::{Action, Edit, Part, ServerId, TimelineEntry};
use crate::time::Instant;
use std::sync::Arc;

/// An entry of the model's time line.
pub(crate) struct Planned {
    pub entry: TimelineEntry,
    /// Whether it was set while time ran rather than written.
    pub live: bool,
}

/// Builds the time line.
pub(crate) fn timeline(
    scenario: &Scenario,
    top: &Top,
    base: &Base,
    problems: &mut Collector,
) -> Option<Vec<Planned>> {
    let before = problems.count();
    let mut drafts = drafts(scenario, top, base, problems)?;
    drafts.sort_by_key(|draft| (draft.entry.at, draft.live));
    if drafts.iter().any(|draft| !draft.sets.is_empty()) {
        let mut live = Live::new(&scenario.tree, base);
        for draft in &mut drafts {
            let text = sets_text(&draft.sets);
            let changes = if draft.sets.is_empty() {
                Vec::new()
            } else {
                live.set(&draft.sets, base, problems)
            };
            if let Action::Deploy(plan) = &mut draft.entry.action {
                let plan = Arc::make_mut(plan);
                check_release(plan, &draft.sets, &changes, problems);
                let params = |id: &ServerId| Arc::clone(&live.params[id.position()]);
                plan.release = plan.servers.iter().map(params).collect();
                if !text.is_empty() {
                    plan.text = text;
                }
            } else if !draft.sets.is_empty() {
                let edits = Vec::new();
                draft.entry.action = Action::Set {
                    text,
                    changes,
                    edits,
                };
            }
        }
    }
    if problems.count() == before
        && let Some(states) = States::between(scenario, top, base, &drafts)
    {
        whatever_becomes(&states, &mut drafts, base);
    }
    (problems.count() == before).then(|| {
        drafts
            .into_iter()
            .map(|draft| Planned {
                entry: draft.entry,
                live: draft.live,
            })
            .collect()
    })
}

/// What entries change where something came between them: all that they name, also what is so already as far as the
/// time line knows.
fn whatever_becomes(states: &States, drafts: &mut [Draft], base: &Base) {
    for draft in drafts.iter_mut().filter(|draft| !draft.sets.is_empty()) {
        let Some(found) = states.edits(&draft.sets, base, &mut Collector::default()) else {
            continue;
        };
        match &mut draft.entry.action {
            Action::Set { edits, .. } => *edits = found.edits,
            Action::Deploy(plan) => {
                let plan = Arc::make_mut(plan);
                let at = |id: &ServerId| Edit::among(&found.edits, Part::Server(*id)).cloned();
                plan.edits = plan.servers.iter().map(at).collect();
            }
            _ => {}
        }
    }
}

/// The state of the system at `at`, after all that happens then.
pub(crate) fn state_at(
    scenario: &Scenario,
    top: &Top,
    base: &Base,
    at: Instant,
    problems: &mut Collector,
) -> Option<Live> {
    let mut drafts = drafts(scenario, top, base, problems)?;
    drafts.sort_by_key(|draft| (draft.entry.at, draft.live));
    let mut live = Live::new(&scenario.tree, base);
    for draft in drafts
        .iter()
        .filter(|draft| draft.entry.at <= at && !draft.sets.is_empty())
    {
        live.set(&draft.sets, base, problems);
    }
    problems.is_empty().then_some(live)
}
