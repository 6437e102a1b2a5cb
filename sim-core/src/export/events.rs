//! The event log as a table.

use super::seconds;
use crate::engine::Simulation;
use crate::text::Csv;
use std::io::{self, Write};

/// Writes every event of the event log.
///
/// # Errors
/// Those of `out`.
pub fn events(simulation: &Simulation, out: &mut dyn Write) -> io::Result<()> {
    let clock = simulation.model().clock;
    let mut table = Csv::new(out);
    table.write_record(["at_s", "clock", "kind", "by", "subject", "cause"])?;
    for event in simulation.recorder().event_log() {
        let label = clock.map_or(String::new(), |clock| clock.label(event.at));
        table.write_record([
            &seconds(event.at.0),
            &label,
            event.kind.name(),
            event.by.name(),
            &event.subject,
            &event.cause,
        ])?;
    }
    table.flush()
}
