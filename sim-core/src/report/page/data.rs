//! What is drawn, as JSON: for the script of the page, and for programs that read it.

use super::Future;
use super::panels::Panel;
use super::windows::Window;
use crate::metric::Unit;
use serde::Serialize;

/// Significant digits that are kept: more cannot be drawn.
const DIGITS: i32 = 5;

/// Everything.
#[derive(Serialize)]
pub(super) struct Data<'a> {
    /// Name of the scenario.
    scenario: &'a str,
    /// Hash of the event sequence.
    digest: &'a str,
    /// Seed.
    seed: u64,
    /// Version of the program.
    version: &'a str,
    /// When each window begins, as people read it.
    windows: Vec<String>,
    /// When it begins, in seconds.
    from_s: Vec<f64>,
    /// Where its middle lies: a share of the run.
    middle: Vec<f64>,
    /// The charts by their words.
    charts: Vec<Chart<'a>>,
}

#[derive(Serialize)]
struct Chart<'a> {
    id: &'a str,
    title: &'a str,
    /// `s`, `share`, `hz` or `count`.
    unit: &'static str,
    lines: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    values: Vec<Option<f64>>,
}

impl<'a> Data<'a> {
    pub(super) fn of(run: &Future<'a>, panels: &'a [Panel], windows: &[Window]) -> Self {
        let end_s = run.simulation.now().as_secs_f64().max(1e-9);
        Self {
            scenario: &run.summary.scenario,
            digest: &run.summary.digest,
            seed: run.summary.seed,
            version: run.summary.version,
            windows: windows.iter().map(|w| run.at(w.from)).collect(),
            from_s: windows.iter().map(|w| w.from.as_secs_f64()).collect(),
            middle: windows
                .iter()
                .map(|w| rounded(w.middle_s() / end_s))
                .collect(),
            charts: panels.iter().map(chart).collect(),
        }
    }

    /// As it stands in a script element: nothing in it ends that.
    pub(super) fn text(&self) -> String {
        let text = serde_json::to_string(self)
            .unwrap_or_else(|error| unreachable!("plain data always serialises: {error}"));
        text.replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026")
    }
}

fn chart(panel: &Panel) -> Chart<'_> {
    Chart {
        id: panel.id,
        title: panel.title,
        unit: match panel.unit {
            Unit::Time => "s",
            Unit::Ratio => "share",
            Unit::Hertz => "hz",
            Unit::Count => "count",
        },
        lines: (panel.lines.iter())
            .map(|line| Line {
                name: &line.name,
                values: line.values.iter().map(|v| v.map(rounded)).collect(),
            })
            .collect(),
    }
}

fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let magnitude = libm::floor(libm::log10(value.abs())) as i32;
    let scale = libm::pow(10.0, f64::from(DIGITS - 1 - magnitude));
    (value * scale).round() / scale
}
