//! The event log: what happened when, in two columns, folded until it can be read in one look.

use super::Report;
use crate::table::Table;
use crate::terminal::{BOLD, CYAN, RED};
use anstyle::Style;
use sim_core::event_log::fold::{Line, counted, fold, together};
use sim_core::event_log::{Actor, Event, Headline, Look};
use sim_core::readable;
use std::io::{self, Write};

/// Lines beyond which the event log is folded.
const LINES_MAX: usize = 20;

/// Writes the event log.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let events: Vec<&Event> = report.simulation.recorder().event_log().collect();
    if events.is_empty() {
        return writeln!(out);
    }
    let lines = if report.whole_event_log {
        events.iter().map(|e| Line::One(e)).collect()
    } else {
        fold(&events, LINES_MAX)
    };
    let mut table = Table::default();
    for line in &lines {
        match line {
            Line::One(event) => table.row(row(event, report)),
            Line::Act(events) => table.row(row(&together(events), report)),
            Line::Folded(events) => table.row([
                String::new(),
                String::new(),
                format!("… {}", counted(events)),
            ]),
        }
    }
    writeln!(out)?;
    for (text, line) in table.text(2).lines().zip(&lines) {
        let style = style(line);
        writeln!(out, "{style}{text}{style:#}")?;
    }
    writeln!(out)
}

fn row(event: &Event, report: &Report<'_>) -> [String; 4] {
    let at = readable::moment(event.at, report.simulation.model().clock);
    let (mut what, why) = event.words();
    if is_outage(event) {
        what = what.to_uppercase();
    }
    [
        at,
        event.by.name().to_owned(),
        format!("{} {what}", event.kind.def().sign),
        why.to_owned(),
    ]
}

/// Whether events were left out.
pub(crate) fn is_folded(report: &Report<'_>) -> bool {
    !report.whole_event_log && report.simulation.recorder().event_log().len() > LINES_MAX
}

/// Whether the whole site fails.
fn is_outage(event: &Event) -> bool {
    event.kind.site_state().is_some() && event.kind.def().look == Look::Failure
}

fn style(line: &Line<'_>) -> Style {
    match line {
        Line::One(event) if is_outage(event) => RED,
        Line::One(event) if event.by == Actor::People => CYAN,
        Line::Act(_) => CYAN,
        Line::One(event) if event.kind.def().headline != Headline::Never => BOLD,
        _ => Style::new(),
    }
}
