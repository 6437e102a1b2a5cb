//! The request log, written while the run goes on.

use super::seconds;
use crate::model::Model;
use crate::record::RequestRecord;
use crate::text::Csv;
use std::io::{self, Write};
use std::sync::Arc;

/// A table of requests in the order in which they ended.
pub struct RequestLog<W: Write> {
    table: Csv<W>,
    model: Arc<Model>,
}

impl<W: Write> RequestLog<W> {
    /// An empty table.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(model: Arc<Model>, out: W) -> io::Result<Self> {
        let mut table = Csv::new(out);
        let head = [
            "source",
            "number",
            "class",
            "service",
            "arrived_s",
            "ended_s",
            "response_time_s",
            "attempts",
            "server",
            "outcome",
            "wait_s",
            "demand_s",
        ];
        table.write_record(head)?;
        Ok(Self { table, model })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// Those of the place it is written to.
    pub fn write(&mut self, records: &[RequestRecord]) -> io::Result<()> {
        let model = &self.model;
        for record in records {
            let service = &model.services[usize::from(record.service)];
            // A request that never reached a server has none.
            let server = record
                .server
                .and_then(|s| service.servers.get(s as usize))
                .map_or("", |id| &model.servers[id.0 as usize].name);
            let source = model
                .sources
                .get((record.number >> 48) as usize)
                .map_or("", |s| &s.name);
            let row = [
                source,
                &(record.number & 0xFFFF_FFFF_FFFF).to_string(),
                &model.classes[usize::from(record.class)].name,
                &service.name,
                &seconds(record.arrived_ns),
                &seconds(record.ended_ns),
                &seconds(record.ended_ns - record.arrived_ns),
                &record.attempts.to_string(),
                server,
                record.outcome.name(),
                // No attempt of it may have reached a worker.
                &(record.served).map_or(String::new(), |served| seconds(served.wait_ns)),
                &(record.served).map_or(String::new(), |served| seconds(served.demand_ns)),
            ];
            self.table.write_record(row)?;
        }
        Ok(())
    }

    /// Writes what is still held back.
    ///
    /// # Errors
    /// Those of the place it is written to.
    pub fn finish(mut self) -> io::Result<()> {
        self.table.flush()
    }
}
