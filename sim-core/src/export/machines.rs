//! Servers and balancer instances over time, one row for each and every interval.

use super::{cell, column, seconds};
use crate::engine::{MachineState, Simulation};
use crate::metric::{METRICS, MetricDef, Scope};
use crate::model::ServerId;
use crate::text::Csv;
use std::io::{self, Write};

/// Rows written at most: beyond, several intervals are taken together.
const ROWS_MAX: usize = 1_000_000;

/// Writes the metrics of every server.
///
/// # Errors
/// Those of `out`.
pub fn servers(simulation: &Simulation, out: &mut dyn Write) -> io::Result<()> {
    let model = simulation.model();
    let history = simulation.recorder().history();
    let metrics: Vec<&MetricDef> = METRICS
        .iter()
        .filter(|m| m.applies_to(Scope::Server(ServerId(0))))
        .collect();
    let mut table = Csv::new(out);
    let mut row: Vec<String> = ["start_s", "end_s", "service", "server", "state"]
        .map(str::to_owned)
        .into();
    row.extend(metrics.iter().map(|m| column(m)));
    table.write_record(&row)?;
    let (width, step) = (
        history.interval_ns(),
        step(history.len(), history.server_stride(), model.servers.len()),
    );
    for record in 0..history.len() / step {
        let intervals = record * step..(record + 1) * step;
        for (id, server) in model.servers.iter().enumerate() {
            row.clear();
            row.push(seconds(intervals.start as u64 * width));
            row.push(seconds(intervals.end as u64 * width));
            row.push(model.services[usize::from(server.service.0)].name.clone());
            row.push(server.name.clone());
            row.push(
                history
                    .server(intervals.end - 1, id)
                    .map_or("", |s| state(s.state))
                    .to_owned(),
            );
            let total = history.total(Scope::Server(ServerId(id as u32)), intervals.clone());
            let window = total.window();
            row.extend(metrics.iter().map(|m| cell(m, (m.of)(&window))));
            table.write_record(&row)?;
        }
    }
    table.flush()
}

/// Writes what every balancer instance holds.
///
/// # Errors
/// Those of `out`.
pub fn balancers(simulation: &Simulation, out: &mut dyn Write) -> io::Result<()> {
    let model = simulation.model();
    let history = simulation.recorder().history();
    let instances = simulation.instances_snapshot();
    let mut table = Csv::new(out);
    table.write_record([
        "end_s",
        "service",
        "balancer",
        "state",
        "connections",
        "waiting",
    ])?;
    let (width, step) = (
        history.interval_ns(),
        step(history.len(), 1, instances.len()),
    );
    for interval in (step - 1..history.len()).step_by(step) {
        for (i, instance) in instances.iter().enumerate() {
            let counters = history.instance(interval, i);
            let service = &model.services[usize::from(instance.service)].name;
            let row = [
                &seconds((interval as u64 + 1) * width),
                service,
                &instance.name,
                state(counters.state),
                &counters.connections.to_string(),
                &counters.waiting.to_string(),
            ];
            table.write_record(row)?;
        }
    }
    table.flush()
}

/// Intervals taken together: whole records, so many that the table stays readable.
fn step(intervals: usize, stride: usize, machines: usize) -> usize {
    let records = (ROWS_MAX / machines.max(1)).max(1);
    stride * (intervals / stride).div_ceil(records).max(1)
}

fn state(number: u8) -> &'static str {
    let all = [
        MachineState::Up,
        MachineState::Down,
        MachineState::Booting,
        MachineState::Absent,
    ];
    all.into_iter()
        .find(|s| *s as u8 == number)
        .map_or("", MachineState::name)
}
