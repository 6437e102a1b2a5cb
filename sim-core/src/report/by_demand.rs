//! Response times by classes of demand as people and programs read them.

use super::sheet::Table;
use crate::readable;
use crate::summary::DemandRow;
use crate::text::Csv;
use std::io::{self, Write};

/// A row for each class.
pub fn demand_table(rows: &[DemandRow]) -> Table {
    let head = [
        "demand",
        "requests",
        "mean demand",
        "mean",
        "p50",
        "p95",
        "p99",
        "slowdown",
    ];
    let mut table = Table::new("Response time by demand", &head);
    let time = |s: Option<f64>| s.map_or_else(|| "–".to_owned(), |s| readable::time(s * 1e9));
    for row in rows {
        let from = readable::time(row.from_s * 1e9);
        let class = row.to_s.map_or_else(
            || format!("from {from}"),
            |to| format!("{from} to {}", readable::time(to * 1e9)),
        );
        let slowdown = row
            .slowdown
            .map_or_else(|| "–".to_owned(), readable::number);
        table.rows.push(vec![
            class,
            readable::number(row.requests as f64),
            time(row.demand_s),
            time(row.mean_s),
            time(row.p50_s),
            time(row.p95_s),
            time(row.p99_s),
            slowdown,
        ]);
    }
    table
}

/// The same as CSV.
///
/// # Errors
/// Those of writing.
pub fn write_by_demand(rows: &[DemandRow], out: &mut dyn Write) -> io::Result<()> {
    let mut csv = Csv::new(out);
    csv.write_record([
        "from_s", "to_s", "requests", "demand_s", "mean_s", "p50_s", "p95_s", "p99_s", "slowdown",
    ])?;
    let text = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    for row in rows {
        csv.write_record([
            row.from_s.to_string(),
            text(row.to_s),
            row.requests.to_string(),
            text(row.demand_s),
            text(row.mean_s),
            text(row.p50_s),
            text(row.p95_s),
            text(row.p99_s),
            text(row.slowdown),
        ])?;
    }
    csv.flush()
}
