//! The report of a run: what somebody on call reads in ten seconds.

mod event_log;
mod figures;
mod theory;

pub(crate) use theory::blocks as theory_blocks;

use crate::drive::Driven;
use crate::terminal::{self, BOLD, DIM, GREEN, RED, YELLOW};
use sim_core::engine::Simulation;
use sim_core::readable;
use sim_core::scenario::Scenario;
use sim_core::summary::Summary;
use sim_core::text::{shell_word, shown};
use sim_core::time::{Duration as Span, Instant as Moment};
use std::io::{self, Write};
use std::path::Path;

/// What a report is made from.
pub(crate) struct Report<'a> {
    /// The scenario as the user wrote it on the command line.
    pub argument: &'a str,
    /// The scenario.
    pub scenario: &'a Scenario,
    /// The run.
    pub simulation: &'a Simulation,
    /// Its figures.
    pub summary: &'a Summary,
    /// How the run went.
    pub driven: Driven,
    /// Whether every event of the event log is wanted.
    pub whole_event_log: bool,
}

impl Report<'_> {
    fn moment(&self, at_s: f64) -> String {
        readable::moment(
            Moment(Span::from_secs_f64(at_s).0),
            self.simulation.model().clock,
        )
    }
}

/// Writes the report.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    head(report, out)?;
    event_log::write(report, out)?;
    figures::write(report, out)?;
    expectations(report, out)?;
    let Summary {
        warnings,
        digest,
        seed,
        replication,
        ..
    } = report.summary;
    for warning in warnings {
        writeln!(
            out,
            "  {YELLOW}!{YELLOW:#} {}: {}",
            warning.code, warning.message
        )?;
    }
    writeln!(
        out,
        "  {DIM}digest {digest}   seed {seed}   replication {replication}{DIM:#}"
    )
}

/// Name, system, and what it cost to simulate it.
fn head(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let model = report.simulation.model();
    let title = if model.title.is_empty() {
        String::new()
    } else {
        format!("   {}", model.title)
    };
    writeln!(out, "{BOLD}{}{BOLD:#}{title}", model.name)?;
    let wall_s = report.driven.wall.as_secs_f64();
    let mut parts = Vec::new();
    if model.services.len() > 1 {
        parts.push(readable::counted(model.services.len(), "service"));
    }
    parts.push(readable::counted(model.servers.len(), "server"));
    parts.push(policies(report));
    let simulated = readable::span(Span::from_secs_f64(report.summary.horizon_s));
    let rate = readable::short((report.summary.requests.arrived as f64 / wall_s.max(1e-9)).round());
    parts.push(format!(
        "{simulated} simulated in {} ({rate} requests/s)",
        readable::time((wall_s * 1e9).round())
    ));
    writeln!(out, "  {}", parts.join(" · "))?;
    if report.driven.interrupted {
        let horizon = report.moment(model.horizon.as_secs_f64());
        writeln!(
            out,
            "  {RED}INCOMPLETE{RED:#}: interrupted at {}, of a run until {horizon}",
            report.moment(report.summary.horizon_s)
        )?;
    } else if !report.summary.complete {
        writeln!(
            out,
            "  {RED}INCOMPLETE{RED:#}: the run ended at {}, before its horizon",
            report.moment(report.summary.horizon_s)
        )?;
    }
    Ok(())
}

/// The policies of all balancers, each once.
fn policies(report: &Report<'_>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for service in &report.simulation.model().services {
        let name = service.balancer.policy.def.row.name;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

fn expectations(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let expectations = &report.summary.expectations;
    if expectations.is_empty() {
        return Ok(());
    }
    if report.driven.interrupted {
        return writeln!(
            out,
            "  expectations are not judged: the run is incomplete\n"
        );
    }
    let file = report
        .scenario
        .sources()
        .first()
        .map_or("", |source| &source.name);
    for checked in expectations {
        let (style, mark) = if checked.passed {
            (GREEN, '✓')
        } else {
            (RED, '✗')
        };
        let place = if checked.passed || checked.line == 0 {
            String::new()
        } else {
            format!("   {DIM}{}:{}{DIM:#}", shown(file), checked.line)
        };
        let found = if checked.passed {
            checked.actual.clone()
        } else {
            format!("it was: {}", checked.actual)
        };
        writeln!(
            out,
            "  {style}{mark}{style:#} {}   {found}{place}",
            checked.that
        )?;
    }
    writeln!(out)
}

/// Writes what could be done next; only commands that exist.
pub(crate) fn write_next(
    report: &Report<'_>,
    output: Option<&Path>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut hints = Vec::new();
    let argument = shown(report.argument);
    let argument = shell_word(&argument);
    if let Some(output) = output {
        writeln!(out, "  written to {}", terminal::place(output))?;
    } else if report.argument != "-" {
        let folder = format!("out/{}", report.simulation.model().name);
        hints.push(format!(
            "stampede run {argument} -o {}",
            shell_word(&shown(&folder))
        ));
    }
    if report.argument != "-" && event_log::is_folded(report) {
        hints.push(format!("stampede run {argument} --event-log"));
    }
    if let Some(warning) = report.summary.warnings.first() {
        hints.push(format!("stampede explain {}", warning.code));
    } else if let Some(verdict) = report.summary.verdict.filter(|v| *v != "STABLE") {
        hints.push(format!("stampede explain {verdict}"));
    }
    if hints.is_empty() {
        Ok(())
    } else {
        writeln!(out, "{DIM}next: {}{DIM:#}", hints.join("   "))
    }
}
