//! The director: while the day is watched, its speed follows the story. Far from anything it goes fast, and the nearer the
//! next event is, or the last one was, the slower; and it says why things happen.

use crate::playback::{BranchReport, View, danger, event_words};
use crate::state::State;
use sim_core::event_log::{Event, Look};
use sim_core::time::{Instant, SECOND};
use std::collections::BTreeSet;

/// Seconds on the clock on the wall that a run without events takes.
const WHOLE_S: f64 = 40.0;
/// The speed far from everything, within these.
const FAR: (f64, f64) = (10.0, 1200.0);
/// Speeds are steps of this ratio, so that they change now and then and not with every picture.
const STEP: f64 = 1.25;
/// An event is told for so many seconds on the clock on the wall, and at least so many simulated ones.
const TOLD_S: f64 = 4.0;
const TOLD_LEAST_S: f64 = 4.0;
/// From such a share of what kills a machine it is told.
const NEAR: f64 = 0.75;

/// How much one slows time down that has happened to the same thing before.
const AGAIN: (f64, f64) = (60.0, 10.0);

/// How much an event slows time down: the speed at the event itself, and how fast it grows with the distance, in
/// simulated seconds a second for each second away. Nothing for what is not marked in plots either.
fn pull(event: &Event) -> Option<(f64, f64)> {
    let def = event.kind.def();
    match (def.marked, def.look) {
        (true, Look::Failure) => Some((2.0, 0.8)),
        (true, _) => Some((8.0, 2.5)),
        (false, _) => None,
    }
}

/// Simulated seconds a second at a moment of a future.
fn speed_of(branch: &BranchReport, now: Instant) -> f64 {
    let horizon_s = branch.model.horizon.as_secs_f64();
    let mut speed = (horizon_s / WHOLE_S).clamp(FAR.0, FAR.1);
    let mut seen = BTreeSet::new();
    for event in branch.event_log.iter() {
        if let Some((at_it, growth)) = pull(event) {
            // What happens to the same thing again and again is no news.
            let first = seen.insert((event.kind.def().name, event.subject.as_str()));
            let (at_it, growth) = if first { (at_it, growth) } else { AGAIN };
            let away_s = event.at.0.abs_diff(now.0) as f64 / SECOND as f64;
            speed = speed.min(at_it + growth * away_s);
        }
    }
    // What is not simulated yet may hold anything.
    if !branch.finished {
        let known_s = branch.explored.0.saturating_sub(now.0) as f64 / SECOND as f64;
        speed = speed.min(8.0 + 2.5 * known_s);
    }
    speed
}

/// Simulated seconds a second at the moment shown, in steps: the slower of two futures counts.
pub(crate) fn speed(state: &State) -> Option<f64> {
    let shown = [state.view(), state.beside()].into_iter().flatten();
    let speeds = shown.filter_map(|view| Some(speed_of(state.branch(view.branch)?, view.at)));
    let speed = speeds.reduce(f64::min)?;
    let mut step = 1.0;
    while step * STEP <= speed {
        step *= STEP;
    }
    // As it is written on a button.
    Some(if step >= 10.0 {
        step.round()
    } else {
        (step * 10.0).round() / 10.0
    })
}

/// What is happening and why, in a sentence: what has just failed, or else what is about to kill a machine, or else
/// what happened last. Nothing in quiet times.
pub(crate) fn caption(state: &State, view: &View) -> Option<String> {
    let branch = state.branch(view.branch)?;
    let speed = state.report.as_ref().map_or(1.0, |r| r.transport.speed);
    let told_s = (TOLD_S * speed.min(FAR.1)).max(TOLD_LEAST_S);
    let since = Instant(view.at.0.saturating_sub((told_s * 1e9) as u64));
    let seen = &branch.event_log[..view.event_log_len.min(branch.event_log.len())];
    let recent = || seen.iter().rev().take_while(|event| event.at >= since);
    let weighty = |event: &&std::sync::Arc<Event>| pull(event).is_some();
    let failed = recent()
        .filter(weighty)
        .find(|event| event.kind.def().look == Look::Failure);
    let told = |event: &std::sync::Arc<Event>| {
        let words = event_words(event);
        let why = event.words().1;
        if why.is_empty() || words.contains(why) {
            words
        } else {
            format!("{words}: {why}")
        }
    };
    if let Some(event) = failed {
        return Some(told(event));
    }
    nearest_danger(branch, view).or_else(|| recent().find(weighty).map(told))
}

/// What is nearest to killing a machine, if that is near.
fn nearest_danger(branch: &BranchReport, view: &View) -> Option<String> {
    let servers = view.snapshot.servers.iter().enumerate();
    let of_servers = servers.flat_map(|(i, now)| {
        let server = &branch.model.servers[i];
        let dangers = danger::of_server(now, server);
        dangers
            .into_iter()
            .map(|danger| (server.name.as_str(), now.state, danger))
    });
    let instances = view.snapshot.instances.iter();
    let of_instances = instances.flat_map(|now| {
        let balancer = &branch.model.services[now.service as usize].balancer;
        let dangers = danger::of_instance(now, balancer);
        dangers
            .into_iter()
            .map(|danger| (now.name.as_str(), now.state, danger))
    });
    let all = of_servers.chain(of_instances);
    let near = all.filter(|(_, state, danger)| {
        state.serves() && (danger.share() >= NEAR || danger.since.is_some())
    });
    let nearest = near.max_by(|(.., a), (.., b)| a.share().total_cmp(&b.share()));
    nearest.map(|(name, _, danger)| format!("{name}: {}", danger.words(view.at)))
}
