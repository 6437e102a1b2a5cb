//! Limits that were met: of queues, of connections, and what guards turned away.

use super::Future;
use super::factors::Factor;
use crate::model::{Action, Model};
use crate::outcome::Outcome;
use crate::readable::{counted, number, share};
use crate::time::Instant;

/// So many of each kind are told one by one.
const MOST: usize = 3;

/// Whether a limit stays what the scenario says: not where the time line sets a path with this word.
fn stays(model: &Model, word: &str) -> bool {
    let sets = |action: &Action| matches!(action, Action::Set { text, .. } if text.contains(word));
    !model.timeline.iter().any(|entry| sets(&entry.action))
}

/// Servers whose queue was seen at its limit, the first ones with the moment.
pub(super) fn queues(run: &Future<'_>) -> Vec<Factor> {
    let model = run.simulation.model();
    let history = run.simulation.recorder().history();
    if !stays(model, "queue") {
        return Vec::new();
    }
    let step = history.server_stride();
    let full = |server: usize| {
        let limit = model.servers[server].params.queue_limit;
        let at_limit = |interval: &usize| {
            (history.server(*interval, server)).is_some_and(|record| record.queue_len >= limit)
        };
        let mut looked = (0..history.len()).skip(step - 1).step_by(step);
        looked.find(at_limit).filter(|_| limit > 0)
    };
    let mut found: Vec<(usize, usize)> = (0..model.servers.len())
        .filter_map(|server| Some((full(server)?, server)))
        .collect();
    found.sort_unstable();
    let one = |(interval, server): &(usize, usize)| {
        let at = Instant(history.end_ns(*interval));
        let server = &model.servers[*server];
        let says = format!(
            "The queue of `{}` was seen full at {} for the first time: {} waited, which is its limit.",
            server.name,
            run.at(at),
            number(f64::from(server.params.queue_limit)),
        );
        Factor::new("A full queue", Some(at), says)
    };
    let mut told: Vec<Factor> = found.iter().take(MOST).map(one).collect();
    if let Some((interval, _)) = found.get(MOST) {
        let at = Instant(history.end_ns(*interval));
        let says = format!(
            "The queues of {} were seen full later, from {} on.",
            counted(found.len() - MOST, "more server"),
            run.at(at)
        );
        told.push(Factor::new("A full queue", Some(at), says));
    }
    told
}

/// Balancer instances that were seen with all the connections they may hold.
pub(super) fn connections(run: &Future<'_>) -> Vec<Factor> {
    let model = run.simulation.model();
    let history = run.simulation.recorder().history();
    if !stays(model, "balancer.max_connections") {
        return Vec::new();
    }
    let instances = run.simulation.instances_snapshot();
    let of = |(i, instance): (usize, &crate::engine::InstanceSnapshot)| {
        let service = &model.services[usize::from(instance.service)];
        let limit = service.balancer.max_connections?;
        let full = |interval: &usize| history.instance(*interval, i).connections >= limit;
        let interval = (0..history.len()).find(full)?;
        let at = Instant(history.end_ns(interval));
        let says = format!(
            "`{}` was seen with all the {} connections that it may hold at {} for the first time.",
            instance.name,
            number(f64::from(limit)),
            run.at(at)
        );
        Some(Factor::new("No connection left", Some(at), says))
    };
    let mut found: Vec<Factor> = instances.iter().enumerate().filter_map(of).collect();
    found.sort_by_key(|factor| factor.at);
    found.truncate(MOST);
    found
}

/// When the first request was turned away because something was full, and how many were.
pub(super) fn turned_away(run: &Future<'_>) -> Option<Factor> {
    let history = run.simulation.recorder().history();
    let rejected = |interval: usize| -> u64 {
        let of = |flow| history.flow(interval, flow).outcomes[Outcome::Rejected as usize];
        history.flows().map(|flow| u64::from(of(flow))).sum()
    };
    let first = (0..history.len()).find(|interval| rejected(*interval) > 0)?;
    let all: u64 = (first..history.len()).map(rejected).sum();
    let at = Instant(first as u64 * history.interval_ns());
    let says = format!(
        "From {} on, {} requests ended with `rejected` as their last answer: a queue or a connection limit was full.",
        run.at(at),
        number(all as f64)
    );
    Some(Factor::new("Turned away", Some(at), says))
}

/// Guards that turned attempts away, those with most first.
pub(super) fn guards(run: &Future<'_>) -> Vec<Factor> {
    let mut guards: Vec<_> = (run.summary.guards.iter())
        .filter(|guard| guard.refused > 0)
        .collect();
    guards.sort_by_key(|guard| std::cmp::Reverse(guard.refused));
    let one = |guard: &&crate::engine::GuardFigures| {
        let all = guard.refused + guard.passed;
        let says = format!(
            "The guard {} at `{}` turned away {} of {} attempts ({}).",
            guard.kind,
            guard.at,
            number(guard.refused as f64),
            number(all as f64),
            share(guard.refused as f64 / all as f64)
        );
        Factor::new("Turned away by a guard", None, says)
    };
    guards.iter().take(MOST).map(one).collect()
}
