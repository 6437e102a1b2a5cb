//! The story as a table.

use super::{io_error, seconds};
use crate::engine::Simulation;
use crate::model::Lane;
use std::io::{self, Write};

/// Writes every event of the story.
///
/// # Errors
/// Those of `out`.
pub fn events(simulation: &Simulation, out: &mut dyn Write) -> io::Result<()> {
    let clock = simulation.model().clock;
    let mut table = csv::Writer::from_writer(out);
    table
        .write_record(["at_s", "clock", "kind", "lane", "subject", "cause"])
        .map_err(io_error)?;
    for event in simulation.recorder().story() {
        let label = clock.map_or(String::new(), |clock| clock.label(event.at));
        let lane = match event.lane {
            Lane::System => "system",
            Lane::People => "people",
        };
        table
            .write_record([
                &seconds(event.at.0),
                &label,
                event.kind.name(),
                lane,
                &event.subject,
                &event.cause,
            ])
            .map_err(io_error)?;
    }
    table.flush()
}
