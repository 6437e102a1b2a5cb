//! Plots over time, one below the other, with one time axis and one cursor.

use super::{Cx, PanelDef, Place};
use crate::command::Command;
use crate::playback::{BranchReport, Column, View, letter};
use crate::plot::{self, Curve, Dash, Plot};
use crate::state::State;
use crate::theme::{Palette, mix};
use eframe::egui::{self, Rect, Sense, Vec2};
use sim_core::metric::Unit;
use sim_core::outcome::Outcome;
use sim_core::story::Kind;
use sim_core::time::Instant;
use std::fmt::Write as _;

/// The row of this panel.
pub static PANEL: PanelDef = PanelDef {
    name: "plots",
    title: "Plots",
    about: "Figures over time; a click or a drag goes to that moment.",
    place: Place::Right,
    draw,
    text,
};

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

/// Height of one plot at least.
const HEIGHT: f32 = 108.0;

fn draw(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let Some((view, branch)) = cx.state.view().zip(cx.state.main()) else {
        return super::nothing(ui, "There is nothing to plot yet.");
    };
    let shown: Vec<&PlotDef> = cx
        .state
        .settings
        .plots
        .iter()
        .filter_map(|name| PLOTS.iter().find(|plot| plot.name == *name))
        .collect();
    if shown.is_empty() {
        return super::nothing(ui, "No plot is chosen: View, Plots.");
    }
    let height = (ui.available_height() / shown.len() as f32 - 4.0).max(HEIGHT);
    egui::ScrollArea::vertical()
        .auto_shrink([false, false])
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 4.0;
            for def in shown {
                let size = plot::size(ui.available_width(), height);
                let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
                let p = Palette::of(ui);
                let plot = build(cx.state, view, branch, def, p);
                if ui.is_rect_visible(rect) {
                    plot::draw(ui.painter(), rect, &plot, p);
                }
                let name = format!("plot: {}", def.title);
                response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, &name));
                pointed(cx, &response, plot::body(rect));
            }
        });
}

/// What the pointer does over a plot or lanes: it shows a moment, and a press goes there.
pub(crate) fn pointed(cx: &mut Cx<'_>, response: &egui::Response, body: Rect) {
    let horizon = cx.state.horizon();
    let at = |x: f32| {
        let share = f64::from(((x - body.left()) / body.width()).clamp(0.0, 1.0));
        Instant((share * horizon.0 as f64) as u64)
    };
    if let Some(pos) = response.interact_pointer_pos()
        && (response.is_pointer_button_down_on() || response.clicked())
    {
        let at = at(pos.x);
        if at
            != cx
                .state
                .report
                .as_ref()
                .map_or(Instant::ZERO, |r| r.transport.goal)
        {
            cx.does(Command::Seek(at));
        }
    } else if let Some(pos) = response.hover_pos()
        && body.x_range().contains(pos.x)
    {
        cx.local.pointed = Some(at(pos.x));
    }
}

/// Rows of a branch that may be seen.
fn visible_rows(state: &State, branch: &BranchReport) -> usize {
    branch.series.rows_until(state.visible_until(branch))
}

/// Puts a plot together.
pub(crate) fn build<'a>(
    state: &State,
    view: &View,
    branch: &BranchReport,
    def: &'a PlotDef,
    p: &Palette,
) -> Plot<'a> {
    let horizon = state.horizon().0 as f64;
    let share = |at: Instant| (at.0 as f64 / horizon) as f32;
    let mut curves = curves(state, branch, view, def, p, false);
    let mut fork = None;
    if let Some(beside) = state.beside()
        && let Some(other) = state.branch(beside.branch)
    {
        fork = Some(share(branch.from.max(other.from)));
        curves.extend(self::curves(state, other, beside, def, p, true));
    }
    let unit = match def.lines {
        Lines::Site(metrics) => Column::site(metrics[0].0).map_or(Unit::Count, Column::unit),
        Lines::Servers(metric) => Column::server(0, metric).map_or(Unit::Count, Column::unit),
        Lines::Outcomes => Unit::Hertz,
        Lines::Burn => Unit::Count,
    };
    Plot {
        title: def.title,
        unit,
        log: def.log,
        curves,
        limits: limits(branch, def),
        down: down(state, branch)
            .map(|(a, b)| (share(a), share(b)))
            .collect(),
        marks: marks(state, branch).map(share).collect(),
        now: share(view.at),
        hovered: state.hovered.map(share),
        fork,
        row: (branch.series.row_ns() as f64 / horizon) as f32,
        times: times(state),
    }
}

fn curves(
    state: &State,
    branch: &BranchReport,
    view: &View,
    def: &PlotDef,
    p: &Palette,
    beside: bool,
) -> Vec<Curve> {
    let series = &branch.series;
    let rows = visible_rows(state, branch);
    let now_row = series.rows_until(view.at).checked_sub(1);
    let now = |column: Column| now_row.and_then(|row| series.value(column, row));
    let values = |column: Column| series.column(column).take(rows).collect::<Vec<f32>>();
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
        Lines::Outcomes => Outcome::ALL
            .into_iter()
            .filter(|outcome| {
                let column = Column::Outcome(*outcome);
                *outcome == Outcome::Succeeded || series.column(column).take(rows).any(|v| v > 0.0)
            })
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
        Lines::Servers(metric) => servers(branch, metric, rows, &one),
    }
}

/// The server that stands out, and the highest of all others in each row.
fn servers(
    branch: &BranchReport,
    metric: &str,
    rows: usize,
    one: &dyn Fn(usize, String, Column) -> Curve,
) -> Vec<Curve> {
    let series = &branch.series;
    let count = series.servers();
    let column = |server: usize| Column::server(server, metric);
    let Some(hottest) = hottest(branch, rows) else {
        return Vec::new();
    };
    let Some(first) = column(hottest) else {
        return Vec::new();
    };
    let mut curves = vec![one(0, branch.model.servers[hottest].name.clone(), first)];
    if count > 1 {
        let others = (0..count).filter(|server| *server != hottest);
        let mut rest: Option<Curve> = None;
        for server in others {
            let Some(column) = column(server) else {
                continue;
            };
            let label = if count == 2 {
                branch.model.servers[server].name.clone()
            } else {
                "highest of the rest".to_owned()
            };
            let curve = one(1, label, column);
            rest = Some(match rest {
                None => curve,
                Some(mut all) => {
                    for (a, b) in all.values.iter_mut().zip(curve.values) {
                        *a = a.max(b);
                    }
                    all.now = match (all.now, curve.now) {
                        (Some(a), Some(b)) => Some(a.max(b)),
                        (a, b) => a.or(b),
                    };
                    all
                }
            });
        }
        curves.extend(rest);
    }
    curves
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

/// Thresholds of objectives and alerts that belong to a plot.
fn limits(branch: &BranchReport, def: &PlotDef) -> Vec<(String, f64)> {
    let mut limits = Vec::new();
    if let Lines::Site(metrics) = def.lines {
        for alert in &branch.model.alerts {
            let watched = alert.when.metric.name;
            if metrics.iter().any(|(metric, _)| *metric == watched)
                && alert.when.scope == sim_core::metric::Scope::Site
            {
                limits.push((format!("alert {}", alert.name), alert.when.threshold));
            }
        }
    }
    if def.lines == Lines::Burn {
        limits.push(("budget".to_owned(), 1.0));
    }
    limits
}

/// Stretches in which the site is down, as far as they may be seen.
fn down<'a>(
    state: &'a State,
    branch: &'a BranchReport,
) -> impl Iterator<Item = (Instant, Instant)> + 'a {
    let story = state.story(branch);
    let until = state.visible_until(branch);
    story
        .iter()
        .enumerate()
        .filter(|(_, event)| event.kind == Kind::Down)
        .map(move |(i, event)| {
            let over = |kind| matches!(kind, Kind::Degraded | Kind::Normal);
            let end = story[i + 1..].iter().find(|event| over(event.kind));
            (event.at, end.map_or(until, |event| event.at))
        })
}

/// Events that are marked in plots: those that change the site, crash something, or are done.
pub(crate) fn marks<'a>(
    state: &'a State,
    branch: &'a BranchReport,
) -> impl Iterator<Item = Instant> + 'a {
    let matters = |kind| {
        matches!(
            kind,
            Kind::Alert
                | Kind::Crash
                | Kind::Down
                | Kind::Normal
                | Kind::Set
                | Kind::Restart
                | Kind::Added
        )
    };
    let story = state
        .story(branch)
        .iter()
        .filter(move |event| matters(event.kind));
    story.map(|event| event.at).take(60)
}

/// Labels of the time axis, at round moments.
pub(crate) fn times(state: &State) -> Vec<(f32, String)> {
    let horizon = state.horizon();
    let horizon_s = horizon.as_secs_f64();
    let steps = [
        0.001, 0.01, 0.1, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0,
        7200.0, 14400.0, 43200.0, 86400.0, 604_800.0,
    ];
    let step = steps
        .into_iter()
        .find(|step| horizon_s / step <= 6.5)
        .unwrap_or(horizon_s);
    let start = state
        .model()
        .and_then(|m| m.clock)
        .map_or(0.0, |clock| f64::from(clock.start_s));
    let first = (start / step).ceil() * step - start;
    let mut times = Vec::new();
    let mut at = first;
    while at <= horizon_s && times.len() < 12 {
        let share = (at / horizon_s) as f32;
        // Labels at the very ends would be cut.
        if (0.03..=0.97).contains(&share) {
            times.push((share, state.short_label(Instant((at * 1e9) as u64))));
        }
        at += step;
    }
    times
}

fn text(state: &State) -> String {
    let Some((view, branch)) = state.view().zip(state.main()) else {
        return String::new();
    };
    let mut text = String::new();
    for def in PLOTS {
        let plot = build(state, view, branch, def, &crate::theme::LIGHT);
        let values: Vec<String> = plot
            .curves
            .iter()
            .map(|curve| {
                let now = curve.now.map(|v| sim_core::readable::value(plot.unit, v));
                format!(
                    "{} {}",
                    curve.label,
                    now.unwrap_or_else(|| "nothing".to_owned())
                )
            })
            .collect();
        let _ = writeln!(text, "{}: {}", def.title, values.join(", "));
    }
    text
}

/// Room a plot takes.
pub fn plot_size(width: f32) -> Vec2 {
    plot::size(width, HEIGHT)
}
