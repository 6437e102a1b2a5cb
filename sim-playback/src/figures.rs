//! The key figures at a moment: from the summary so far, and from the last row of the figures over time.

use super::{BranchReport, Column, View};
use sim_core::engine::MachineState;
use sim_core::readable;

/// The value of a metric of the site in the last row before the moment shown.
pub fn site_now(branch: &BranchReport, view: &View, name: &str) -> Option<f64> {
    let row = branch.series.rows_until(view.at).checked_sub(1)?;
    branch.series.value(Column::site(name)?, row)
}

/// The value of a server's metric in the last row before the moment shown.
pub fn server_now(branch: &BranchReport, view: &View, server: usize, name: &str) -> Option<f64> {
    let row = branch.series.rows_until(view.at).checked_sub(1)?;
    branch.series.value(Column::server(server, name)?, row)
}

/// The value of a source's figure in the last row before the moment shown.
pub fn source_now(branch: &BranchReport, view: &View, source: usize, name: &str) -> Option<f64> {
    let row = branch.series.rows_until(view.at).checked_sub(1)?;
    branch.series.value(Column::source(source, name)?, row)
}

/// Requests per second that a balancer instance sends to a server of its service, by the server's place there; nothing
/// where several instances send and what each does is not counted.
pub fn way_now(branch: &BranchReport, view: &View, instance: usize, local: usize) -> Option<f64> {
    let row = branch.series.rows_until(view.at).checked_sub(1)?;
    if let Some(way) = branch.series.way(instance, local) {
        return branch.series.value(way, row);
    }
    let instances = &view.snapshot.instances;
    let service = instances[instance].service;
    if instances.iter().filter(|i| i.service == service).count() > 1 {
        return None;
    }
    let server = branch.model.services[service as usize].servers.get(local)?;
    server_now(branch, view, server.0 as usize, "attempts_hz")
}

/// Requests per second that a balancer instance sends to each of its servers; nothing where that is not known.
pub fn ways_now(branch: &BranchReport, view: &View, instance: usize) -> Option<Vec<f64>> {
    let service = view.snapshot.instances[instance].service as usize;
    let servers = branch.model.services[service].servers.len();
    (0..servers)
        .map(|local| way_now(branch, view, instance, local))
        .collect()
}

/// The key figures: a label and a value each.
pub fn figures(branch: Option<&BranchReport>, view: &View) -> Vec<(&'static str, String)> {
    let summary = &view.summary;
    let share = |part: Option<f64>| part.map_or_else(|| "–".to_owned(), readable::share);
    let servers = view
        .snapshot
        .servers
        .iter()
        .filter(|s| s.state != MachineState::Absent);
    let up = servers
        .clone()
        .filter(|s| s.state == MachineState::Up)
        .count();
    let mut figures = vec![("servers up", format!("{up} of {}", servers.count()))];
    if let Some(branch) = branch {
        let now = |name: &str| site_now(branch, view, name);
        figures.push(("failing now", share(now("failed"))));
        let p99 = now("p99").map_or_else(|| "–".to_owned(), readable::time);
        figures.push(("p99 now", p99));
    }
    figures.push(("lost so far", readable::short(summary.requests.lost as f64)));
    figures.push(("availability", share(summary.availability)));
    let attempts = summary.attempts.per_request;
    figures.push((
        "attempts/request",
        attempts.map_or_else(|| "–".to_owned(), readable::number),
    ));
    figures
}
