//! Servers that were sent much more than their part of the capacity.

use super::Future;
use super::factors::{FEWEST, Factor};
use super::windows::Window;
use super::words::span_s;
use crate::event_log::Kind;
use crate::machine::MachineState;
use crate::model::Action;
use crate::readable::share;
use crate::record::history::History;
use crate::time::Instant;

/// So many times its part of the capacity, and so much beyond it, is out of proportion.
const TIMES: f64 = 1.5;
const BEYOND: f64 = 0.1;
/// So many windows in a row, so that it is no chance.
const IN_A_ROW: usize = 3;
/// Servers of a service that are told.
const MOST: usize = 3;

/// What makes a server able to do more or less than its workers times its speed, or out of reach.
const CHANGES: [Kind; 14] = [
    Kind::Crash,
    Kind::Restart,
    Kind::Ejected,
    Kind::Drain,
    Kind::Added,
    Kind::Removed,
    Kind::Scaled,
    Kind::Deploy,
    Kind::Slow,
    Kind::Panic,
    Kind::Failover,
    Kind::Partition,
    Kind::Degrade,
    Kind::Fault,
];
/// A worst share is told where it is so much more than the first.
const WORSE: f64 = 0.02;

/// A server's part in a window, where it is out of proportion.
#[derive(Clone, Copy)]
struct Excess {
    window: usize,
    share: f64,
    capacity: f64,
}

/// Servers whose share left their part of the capacity, each from when on and how far.
pub(super) fn diverged(run: &Future<'_>, windows: &[Window]) -> Vec<Factor> {
    let history = run.simulation.recorder().history();
    let model = run.simulation.model();
    let mut excesses: Vec<Vec<Excess>> = vec![Vec::new(); model.servers.len()];
    let known = capacity_known_until(run);
    let looked = windows.iter().take_while(|window| window.until <= known);
    for (number, window) in looked.enumerate() {
        let attempts: Vec<u64> = (history.server_totals(window.intervals.clone()).iter())
            .map(|total| total.attempts)
            .collect();
        for service in model.services.iter().filter(|s| s.servers.len() > 1) {
            let servers: Vec<usize> = service.servers.iter().map(|id| id.0 as usize).collect();
            let sent: u64 = servers.iter().map(|s| attempts[*s]).sum();
            let capacity = |s: usize| capacity(run, history, window, s);
            let whole: f64 = servers.iter().map(|s| capacity(*s)).sum();
            if sent < FEWEST || whole <= 0.0 {
                continue;
            }
            for server in servers {
                let share = attempts[server] as f64 / sent as f64;
                let part = capacity(server) / whole;
                if part > 0.0 && share >= TIMES * part && share >= part + BEYOND {
                    excesses[server].push(Excess {
                        window: number,
                        share,
                        capacity: part,
                    });
                }
            }
        }
    }
    let services = model.services.iter();
    let told = services.flat_map(|service| {
        let mut found: Vec<(f64, Factor)> = (service.servers.iter())
            .filter_map(|id| {
                let server = &model.servers[id.0 as usize].name;
                told(
                    run,
                    windows,
                    &service.name,
                    server,
                    &excesses[id.0 as usize],
                )
            })
            .collect();
        found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        found.into_iter().take(MOST).map(|(_, factor)| factor)
    });
    told.collect()
}

/// Until when workers times speed is what servers can do, and a balancer is free to send to all of them:
/// until the first of them crashes, warms up, is slowed down or taken out.
fn capacity_known_until(run: &Future<'_>) -> Instant {
    let model = run.simulation.model();
    let sets_speed =
        |action: &Action| matches!(action, Action::Set { text, .. } if text.contains("speed"));
    if model.timeline.iter().any(|entry| sets_speed(&entry.action)) {
        return Instant::ZERO;
    }
    let mut log = run.simulation.recorder().event_log();
    let first = log.find(|event| CHANGES.contains(&event.kind));
    first.map_or(Instant(u64::MAX), |event| event.at)
}

/// Workers times speed, as the scenario has it, while the server is up.
fn capacity(run: &Future<'_>, history: &History, window: &Window, server: usize) -> f64 {
    let record = history.server(window.intervals.end - 1, server);
    let up = record.filter(|record| record.state() == MachineState::Up);
    let speed = run.simulation.model().servers[server].params.speed;
    up.map_or(0.0, |record| f64::from(record.workers) * speed)
}

/// By how much it went beyond, and the sentence, where it lasted.
fn told(
    run: &Future<'_>,
    windows: &[Window],
    service: &str,
    server: &str,
    excesses: &[Excess],
) -> Option<(f64, Factor)> {
    let lasts = |at: &[Excess]| at[IN_A_ROW - 1].window == at[0].window + IN_A_ROW - 1;
    let first = excesses.windows(IN_A_ROW).find(|at| lasts(at))?[0];
    let beyond = |e: &Excess| e.share - e.capacity;
    let worst = *excesses
        .iter()
        .max_by(|a, b| beyond(a).total_cmp(&beyond(b)))?;
    let width = |e: Excess| {
        let window = &windows[e.window];
        span_s(window.until.since(window.from).as_secs_f64())
    };
    let mut says = format!(
        "`{server}` was sent {} of the attempts that reached a server of `{service}` in the {} from {}, and had {} of the capacity that was up (workers times speed)",
        share(first.share),
        width(first),
        run.at(windows[first.window].from),
        share(first.capacity)
    );
    if worst.share >= first.share + WORSE {
        says = format!(
            "{says}; at the worst {} for {}, in the {} from {}",
            share(worst.share),
            share(worst.capacity),
            width(worst),
            run.at(windows[worst.window].from)
        );
    }
    let at = windows[first.window].from;
    let factor = Factor::new("Shares out of proportion", Some(at), format!("{says}."));
    Some((beyond(&worst), factor))
}
