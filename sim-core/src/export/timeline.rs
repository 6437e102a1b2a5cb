//! The time line: one row for each interval.

use super::{cell, column, seconds};
use crate::engine::Simulation;
use crate::metric::{METRICS, MetricDef, Scope};
use crate::model::{ClassId, Model, ServiceId};
use crate::text::Csv;
use crate::time::Instant;
use std::io::{self, Write};

/// Writes every metric of the site, of each class (when there are several) and of each service
/// over each interval: `goodput_hz`, `class.checkout.p99_s`, `service.web.queue_len`.
///
/// # Errors
/// Those of `out`.
pub fn timeline(simulation: &Simulation, out: &mut dyn Write) -> io::Result<()> {
    let model = simulation.model();
    let history = simulation.recorder().history();
    let scopes = scopes(model);
    let mut table = Csv::new(out);
    let mut row = vec!["start_s".to_owned(), "end_s".to_owned(), "clock".to_owned()];
    row.extend(scopes.iter().flat_map(|(prefix, scope)| {
        metrics(*scope).map(move |m| format!("{prefix}{}", column(m)))
    }));
    table.write_record(&row)?;
    let width = history.interval_ns();
    for interval in 0..history.len() {
        let start = interval as u64 * width;
        row.clear();
        row.push(seconds(start));
        row.push(seconds(start + width));
        row.push(
            model
                .clock
                .map_or(String::new(), |clock| clock.label(Instant(start))),
        );
        for (_, scope) in &scopes {
            let total = history.total(*scope, interval..interval + 1);
            let window = total.window();
            row.extend(metrics(*scope).map(|m| cell(m, (m.of)(&window))));
        }
        table.write_record(&row)?;
    }
    table.flush()
}

/// The scopes with the prefix of their columns.
fn scopes(model: &Model) -> Vec<(String, Scope)> {
    let mut scopes = vec![(String::new(), Scope::Site)];
    if model.classes.len() > 1 {
        let class = |(i, class): (usize, &crate::model::Class)| {
            (
                format!("class.{}.", class.name),
                Scope::Class(ClassId(i as u16)),
            )
        };
        scopes.extend(model.classes.iter().enumerate().map(class));
    }
    let service = |(i, service): (usize, &crate::model::Service)| {
        (
            format!("service.{}.", service.name),
            Scope::Service(ServiceId(i as u16)),
        )
    };
    scopes.extend(model.services.iter().enumerate().map(service));
    scopes
}

fn metrics(scope: Scope) -> impl Iterator<Item = &'static MetricDef> {
    METRICS.iter().filter(move |m| m.applies_to(scope))
}
