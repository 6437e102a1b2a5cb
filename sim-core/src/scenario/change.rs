//! Changing a scenario while it runs: what a slider does.

use super::assemble::base;
use super::live::check_live;
use super::planned::{state_at, timeline};
use super::problem::{Collector, Problems, Span};
use super::set::{Assignment, split};
use super::tree::parse_value;
use super::{LiveSet, Scenario, Source};
use crate::model::{Action, Change, Edit, Model};
use crate::time::Instant;

/// What changes while time runs are called in messages.
const CHANGE_SOURCE: &str = "change";

/// Sets `path` to `value` at the moment `at` of a run. Returns
///
/// - the scenario with the change in its time line, which replays the same run from the start;
/// - the model after the change: the state at `at`, and a time line with the same entries as that
///   of `model`, whose later sets know of the change;
/// - the set itself, for [`crate::engine::Simulation::adopt`].
///
/// # Errors
/// Problems with path and value, a key that cannot change while time runs, and later sets of the
/// time line that no longer fit.
pub fn change(
    scenario: &Scenario,
    model: &Model,
    at: Instant,
    path: &str,
    value: &str,
) -> Result<(Scenario, Model, Action), Problems> {
    let mut after = scenario.clone();
    let mut problems = Collector::default();
    let assignment = write_down(&mut after, path, value, &mut problems);
    let result = assignment
        .and_then(|assignment| apply(scenario, &mut after, model, at, assignment, &mut problems));
    problems.finish(&after.sources)?;
    match result {
        Some((model, changes, edits)) => {
            let text = format!("{path} = {value}");
            let set = Action::Set {
                text,
                changes,
                edits,
            };
            Ok((after, model, set))
        }
        None => Err(Problems {
            sources: after.sources.to_vec(),
            problems: Vec::new(),
            left_out: 0,
        }),
    }
}

fn apply(
    before: &Scenario,
    after: &mut Scenario,
    model: &Model,
    at: Instant,
    assignment: Assignment,
    problems: &mut Collector,
) -> Option<(Model, Vec<Change>, Vec<Edit>)> {
    if !check_live(&assignment, problems) {
        return None;
    }
    let top = before.sections(problems)?;
    let base = base(before, &top, problems)?;
    let mut state = state_at(before, &top, &base, at, problems)?;
    let changes = state.set(std::slice::from_ref(&assignment), &base, problems);
    // A slider that is dragged while time stands still leaves one entry, not a hundred.
    after
        .live
        .retain(|set| set.at != at || set.assignment.words() != assignment.words());
    after.live.push(LiveSet { at, assignment });
    let entries = timeline(after, &top, &base, problems)?;
    // Of several at this moment it is the last.
    let own = entries.iter().rfind(|one| one.live && one.entry.at == at);
    let edits = own.map_or(Vec::new(), |own| match &own.entry.action {
        Action::Set { edits, .. } => edits.clone(),
        _ => Vec::new(),
    });
    let mut model = model.clone();
    model.classes = state.skeleton.classes;
    model.sources = state.skeleton.sources;
    model.clients = state.skeleton.clients;
    model.services = state.skeleton.services;
    model.hosts = state.skeleton.hosts;
    for (server, params) in model.servers.iter_mut().zip(state.params) {
        server.params = params;
    }
    model.timeline = entries
        .into_iter()
        .filter(|planned| !planned.live)
        .map(|planned| planned.entry)
        .collect();
    Some((model, changes, edits))
}

/// Writes the change into a source of its own, so that problems can point at it.
fn write_down(
    scenario: &mut Scenario,
    path: &str,
    value: &str,
    problems: &mut Collector,
) -> Option<Assignment> {
    let mut sources = scenario.sources.to_vec();
    if sources.last().is_none_or(|s| s.name != CHANGE_SOURCE) {
        sources.push(Source::new(CHANGE_SOURCE, ""));
    }
    let number = sources.len() as u32 - 1;
    let text = &mut sources.last_mut()?.text;
    let start = text.len();
    text.push_str(path);
    let path_span = Span::new(number, start..text.len());
    text.push_str(" = ");
    let value_start = text.len();
    text.push_str(value);
    let value_span = Span::new(number, value_start..text.len());
    text.push('\n');
    scenario.sources = sources.into();
    let path = split(path, path_span, problems)?;
    Some(Assignment {
        path,
        value: parse_value(value, value_span, problems)?,
    })
}
