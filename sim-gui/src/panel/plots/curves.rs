//! Which plots there are, and the lines of each.

use super::{shown_rows, visible_rows};
use crate::playback::series::SERVER;
use crate::playback::{BranchReport, Column, View, letter};
use crate::plot::{Curve, Dash};
use crate::state::{State, same_server};
use crate::theme::{Palette, mix};
use sim_core::outcome::Outcome;

/// What a plot's lines are taken from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lines {
    /// Metrics of the site: name, label.
    Site(&'static [(&'static str, &'static str)]),
    /// A metric of the servers: the hottest, and the highest of the rest.
    Servers(&'static str),
    /// Requests per second by how they ended.
    Outcomes,
    /// How fast each objective's budget is spent.
    Burn,
}

/// A plot.
pub struct PlotDef {
    /// Short name, fixed.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Whether its axis is logarithmic.
    pub log: bool,
    /// Its lines.
    pub lines: Lines,
}

/// Every plot there is.
pub static PLOTS: &[PlotDef] = &[
    PlotDef {
        name: "servers",
        title: "Requests/s to servers",
        log: false,
        lines: Lines::Servers("attempts_hz"),
    },
    PlotDef {
        name: "response-time",
        title: "Response time",
        log: true,
        lines: Lines::Site(&[("p99", "p99"), ("p90", "p90"), ("p50", "p50")]),
    },
    PlotDef {
        name: "outcomes",
        title: "Requests/s by outcome",
        log: false,
        lines: Lines::Outcomes,
    },
    PlotDef {
        name: "load",
        title: "Offered and answered",
        log: false,
        lines: Lines::Site(&[
            ("offered_hz", "offered"),
            ("goodput_hz", "answered"),
            ("attempts_hz", "attempts"),
        ]),
    },
    PlotDef {
        name: "failed",
        title: "Failed requests",
        log: false,
        lines: Lines::Site(&[("failed", "failed")]),
    },
    PlotDef {
        name: "queue",
        title: "Waiting at servers",
        log: false,
        lines: Lines::Servers("queue_len"),
    },
    PlotDef {
        name: "in-flight",
        title: "In flight",
        log: false,
        lines: Lines::Site(&[("in_flight", "in flight")]),
    },
    PlotDef {
        name: "utilisation",
        title: "Busy workers",
        log: false,
        lines: Lines::Servers("utilisation"),
    },
    PlotDef {
        name: "amplification",
        title: "Attempts per request",
        log: false,
        lines: Lines::Site(&[("amplification", "attempts")]),
    },
    PlotDef {
        name: "burn",
        title: "Error budget burn",
        log: false,
        lines: Lines::Burn,
    },
];

/// The lines of a plot.
pub(super) fn curves(
    state: &State,
    branch: &BranchReport,
    view: &View,
    def: &PlotDef,
    p: &Palette,
    beside: bool,
) -> Vec<Curve> {
    let series = &branch.series;
    let rows = visible_rows(state, branch);
    let shown = shown_rows(state, branch);
    // The crosshair is at the pointer, or else at the moment shown.
    let at = state
        .hovered
        .map_or(view.at, |at| at.min(state.visible_until(branch)));
    let now_row = series.rows_until(at).checked_sub(1);
    let now = |column: Column| now_row.and_then(|row| series.value(column, row));
    let values = |column: Column| {
        let values = series.column(column).skip(shown.start);
        values.take(shown.len()).collect::<Vec<f32>>()
    };
    // The branch beside is drawn in the same hues, lighter and dotted: a line and its other future.
    let ink = |i: usize| {
        let colour = p.series[i % p.series.len()];
        if beside {
            mix(p.sunken, colour, 0.72)
        } else {
            colour
        }
    };
    let dash = |i: usize| {
        if beside {
            Dash::Dots
        } else if i == 0 {
            Dash::Solid
        } else {
            Dash::Long
        }
    };
    let name = |label: String| {
        if beside {
            format!("{} {label}", letter(view.branch))
        } else {
            label
        }
    };
    let one = |i: usize, label: String, column: Column| Curve {
        label: name(label),
        colour: ink(i),
        dash: dash(i),
        values: values(column),
        now: now(column),
        beside,
    };
    match def.lines {
        Lines::Site(metrics) => metrics
            .iter()
            .enumerate()
            .filter_map(|(i, (metric, label))| {
                Some(one(i, (*label).to_owned(), Column::site(metric)?))
            })
            .collect(),
        Lines::Outcomes => outcomes(branch, rows)
            .into_iter()
            .map(|outcome| {
                let (i, label) = match outcome {
                    Outcome::Succeeded => (2, "answered"),
                    Outcome::Refused => (0, "refused"),
                    Outcome::Rejected => (3, "rejected"),
                    Outcome::TimedOut => (4, "timed out"),
                    Outcome::Unavailable => (1, "unavailable"),
                    other => (5, other.name()),
                };
                let mut curve = one(i, label.to_owned(), Column::Outcome(outcome));
                if !beside {
                    curve.dash = if outcome == Outcome::Succeeded {
                        Dash::Solid
                    } else {
                        Dash::Long
                    };
                }
                curve
            })
            .collect(),
        Lines::Burn => (0..series.slos())
            .map(|i| {
                let name = branch.model.slos.get(i).map_or("", |slo| slo.name.as_str());
                one(i, name.to_owned(), Column::Burn(i))
            })
            .collect(),
        Lines::Servers(metric) => servers(state, branch, metric, &one),
    }
}

/// Outcomes that occurred: answered ones, then the others, the most frequent at any time first.
fn outcomes(branch: &BranchReport, rows: usize) -> Vec<Outcome> {
    let peak = |outcome: Outcome| {
        let values = branch.series.column(Column::Outcome(outcome)).take(rows);
        values.filter(|v| v.is_finite()).fold(0.0, f32::max)
    };
    let mut others: Vec<(f32, Outcome)> = Outcome::ALL
        .into_iter()
        .skip(1)
        .map(|o| (peak(o), o))
        .filter(|(peak, _)| *peak > 0.0)
        .collect();
    others.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    std::iter::once(Outcome::Succeeded)
        .chain(others.into_iter().map(|(_, o)| o))
        .collect()
}

/// Servers drawn one against the rest; of more, the highest and the middle one are drawn.
const FEW: usize = 12;

/// The server that stands out, and the highest of all others in each row; of many servers the
/// highest and the median in each row. Which one stands out is decided in the main branch: the
/// same line of the branch beside it is the same server's other future.
fn servers(
    state: &State,
    branch: &BranchReport,
    metric: &str,
    one: &dyn Fn(usize, String, Column) -> Curve,
) -> Vec<Curve> {
    let count = branch.series.servers();
    let of = |i: usize, label: &str, servers: &[usize]| {
        let curves = servers
            .iter()
            .filter_map(|server| Some(one(i, label.to_owned(), Column::server(*server, metric)?)));
        curves.reduce(|mut all, curve| {
            for (highest, value) in all.values.iter_mut().zip(curve.values) {
                *highest = highest.max(value);
            }
            all.now = all.now.into_iter().chain(curve.now).reduce(f64::max);
            all
        })
    };
    let main = state.main().unwrap_or(branch);
    let beside = state.beside().and_then(|view| state.branch(view.branch));
    // One of the futures may have more servers; both are drawn in the same way.
    let counts = [Some(main), beside].map(|branch| branch.map_or(0, |b| b.series.servers()));
    let most = counts.into_iter().fold(count, usize::max);
    if most > FEW {
        let Some(metric) = SERVER.iter().position(|name| *name == metric) else {
            return Vec::new();
        };
        return vec![
            one(0, "highest".to_owned(), Column::Highest(metric)),
            one(1, "median".to_owned(), Column::Median(metric)),
        ];
    }
    let Some(hottest) = hottest(main, visible_rows(state, main)) else {
        return Vec::new();
    };
    let here = same_server(main, hottest, branch);
    let others: Vec<usize> = (0..count).filter(|server| Some(*server) != here).collect();
    let name = |server: usize| branch.model.servers[server].name.as_str();
    let label = match others.as_slice() {
        [other] if most == 2 => name(*other),
        _ => "rest, highest",
    };
    let first = here.and_then(|here| of(0, name(here), &[here]));
    first.into_iter().chain(of(1, label, &others)).collect()
}

/// The server with the most requests so far.
fn hottest(branch: &BranchReport, rows: usize) -> Option<usize> {
    let series = &branch.series;
    let total = |server: usize| {
        let column = Column::server(server, "attempts_hz");
        let values = column.into_iter().flat_map(|c| series.column(c).take(rows));
        values.filter(|v| v.is_finite()).map(f64::from).sum::<f64>()
    };
    let totals: Vec<f64> = (0..series.servers()).map(total).collect();
    (0..totals.len()).max_by(|a, b| totals[*a].total_cmp(&totals[*b]).then(b.cmp(a)))
}
