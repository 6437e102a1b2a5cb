//! What is drawn beneath the story: figures over windows of the time line, all on the same axis.

use super::Future;
use super::windows::Window;
use crate::ids::Id;
use crate::metric::{METRICS, MetricDef, Scope, Unit};
use crate::model::Model;
use crate::outcome::Outcome;
use crate::record::history::History;
use crate::summary::Summary;

/// Servers with a line of their own; the others are taken together.
const SERVERS: usize = 5;
/// Ends of requests with a line of their own.
const OUTCOMES: usize = 5;

/// A figure over time.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Line {
    /// Its name in the legend.
    pub name: String,
    /// Its value in each window; times are in seconds.
    pub values: Vec<Option<f64>>,
}

/// Figures of one unit that are drawn together.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Panel {
    /// A word for links and data.
    pub id: &'static str,
    /// What it shows.
    pub title: &'static str,
    /// How to read it.
    pub note: String,
    /// What it is counted in; times are in seconds.
    pub unit: Unit,
    /// Whether each decade is as high as the next.
    pub log: bool,
    /// The figures.
    pub lines: Vec<Line>,
}

/// All panels of a run.
pub(super) fn panels(run: &Future<'_>, windows: &[Window]) -> Vec<Panel> {
    let watched = Watched::of(run.simulation.model(), run.summary);
    let mut panels = vec![
        outcomes(run, windows),
        times(run, windows),
        waiting(run, windows, &watched),
    ];
    panels.extend(shares(run, windows, &watched));
    panels
}

/// A metric of the site over each window; times are in seconds.
pub(super) fn metric(run: &Future<'_>, windows: &[Window], name: &str) -> Vec<Option<f64>> {
    let Some(def) = METRICS.iter().find(|m| m.name == name) else {
        return Vec::new();
    };
    let history = run.simulation.recorder().history();
    windows.iter().map(|w| of_site(history, w, def)).collect()
}

fn of_site(history: &History, window: &Window, def: &MetricDef) -> Option<f64> {
    let total = history.total(Scope::Site, window.intervals.clone());
    let scale = if def.unit == Unit::Time { 1e-9 } else { 1.0 };
    (def.of)(&total.window()).map(|value| value * scale)
}

fn outcomes(run: &Future<'_>, windows: &[Window]) -> Panel {
    let history = run.simulation.recorder().history();
    let mut rates: Vec<Vec<Option<f64>>> = vec![Vec::new(); Outcome::COUNT];
    for window in windows {
        let total = history.total(Scope::Site, window.intervals.clone());
        for outcome in Outcome::ALL {
            rates[outcome as usize].push(total.window().outcome_hz(outcome));
        }
    }
    let sum = |outcome: &Outcome| -> f64 {
        let rates = rates[*outcome as usize].iter();
        rates.map(|rate| rate.unwrap_or(0.0)).sum()
    };
    let mut failures: Vec<Outcome> = Outcome::ALL[1..].to_vec();
    failures.retain(|outcome| sum(outcome) > 0.0);
    failures.sort_by(|a, b| sum(b).total_cmp(&sum(a)));
    let line = |outcome: &Outcome| Line {
        name: outcome.name().replace('_', " "),
        values: rates[*outcome as usize].clone(),
    };
    let mut lines = vec![
        Line {
            name: "arriving".to_owned(),
            values: metric(run, windows, "offered_hz"),
        },
        line(&Outcome::Succeeded),
    ];
    lines.extend(failures.iter().take(OUTCOMES).map(line));
    if failures.len() > OUTCOMES {
        let rest = &failures[OUTCOMES..];
        let at = |window: usize| rest.iter().filter_map(|o| rates[*o as usize][window]).sum();
        lines.push(Line {
            name: "ended otherwise".to_owned(),
            values: (0..windows.len()).map(|w| Some(at(w))).collect(),
        });
    }
    Panel {
        id: "requests",
        title: "Requests",
        note: "from outside, per second, by how they ended".to_owned(),
        unit: Unit::Hertz,
        log: false,
        lines,
    }
}

fn times(run: &Future<'_>, windows: &[Window]) -> Panel {
    let line = |name: &str| Line {
        name: name.to_owned(),
        values: metric(run, windows, name),
    };
    Panel {
        id: "response",
        title: "Response time",
        note: "of requests answered in time (logarithmic)".to_owned(),
        unit: Unit::Time,
        log: true,
        lines: vec![line("p50"), line("p99")],
    }
}

/// The servers that get a line: those where most waited and, among equals, that were sent most.
struct Watched {
    servers: Vec<usize>,
    others: usize,
}

impl Watched {
    fn of(model: &Model, summary: &Summary) -> Self {
        let figures = |server: usize| {
            let service = &model.services[model.servers[server].service.position()];
            let named = summary.services.get(&service.name)?;
            named.servers.get(&model.servers[server].name)
        };
        let rank = |server: &usize| {
            figures(*server).map_or((0, 0), |f| {
                ((f.mean_queue_len * 1e3).round() as u64, f.attempts)
            })
        };
        let mut servers: Vec<usize> = (0..model.servers.len()).collect();
        servers.sort_by_key(|server| std::cmp::Reverse(rank(server)));
        // A line for the others is worth it for two of them at least.
        let kept = if servers.len() <= SERVERS + 1 {
            servers.len()
        } else {
            SERVERS
        };
        let others = servers.len() - kept;
        servers.truncate(kept);
        servers.sort_unstable();
        Self { servers, others }
    }
}

/// A server's name, with that of its service where there are several.
pub(super) fn server_name(model: &Model, server: usize) -> String {
    let (name, service) = (&model.servers[server].name, model.servers[server].service);
    if model.services.len() > 1 {
        format!("{}/{name}", model.services[service.position()].name)
    } else {
        name.clone()
    }
}

fn waiting(run: &Future<'_>, windows: &[Window], watched: &Watched) -> Panel {
    let history = run.simulation.recorder().history();
    let model = run.simulation.model();
    let totals: Vec<_> = windows
        .iter()
        .map(|window| history.server_totals(window.intervals.clone()))
        .collect();
    let queue = |server: usize| {
        let at = totals
            .iter()
            .map(|of| Some(f64::from(of[server].queue_len)));
        at.collect::<Vec<_>>()
    };
    let mut lines = vec![Line {
        name: "in flight, all".to_owned(),
        values: metric(run, windows, "in_flight"),
    }];
    lines.extend(watched.servers.iter().map(|server| Line {
        name: format!("waiting at {}", server_name(model, *server)),
        values: queue(*server),
    }));
    if watched.others > 0 {
        let rest = |of: &Vec<crate::record::history::ServerTotal>| {
            let all: u64 = of.iter().map(|total| u64::from(total.queue_len)).sum();
            let own = watched.servers.iter().map(|s| u64::from(of[*s].queue_len));
            Some((all - own.sum::<u64>()) as f64)
        };
        lines.push(Line {
            name: format!("waiting at the other {}", watched.others),
            values: totals.iter().map(rest).collect(),
        });
    }
    Panel {
        id: "waiting",
        title: "In flight and waiting",
        note: "requests, at the end of each window".to_owned(),
        unit: Unit::Count,
        log: false,
        lines,
    }
}

/// Nothing where no service has two servers.
fn shares(run: &Future<'_>, windows: &[Window], watched: &Watched) -> Option<Panel> {
    let history = run.simulation.recorder().history();
    let model = run.simulation.model();
    let of_several = |server: &usize| {
        let service = &model.services[model.servers[*server].service.position()];
        service.servers.len() > 1
    };
    let servers: Vec<usize> = (watched.servers.iter().copied())
        .filter(of_several)
        .collect();
    if servers.is_empty() {
        return None;
    }
    let mut lines: Vec<Line> = (servers.iter())
        .map(|server| Line {
            name: server_name(model, *server),
            values: Vec::new(),
        })
        .collect();
    for window in windows {
        let totals = history.server_totals(window.intervals.clone());
        for (line, server) in lines.iter_mut().zip(&servers) {
            let service = &model.services[model.servers[*server].service.position()];
            let sent = service
                .servers
                .iter()
                .map(|id| totals[id.position()].attempts);
            let sent: u64 = sent.sum();
            let own = totals[*server].attempts;
            line.values
                .push((sent > 0).then(|| own as f64 / sent as f64));
        }
    }
    Some(Panel {
        id: "shares",
        title: "Share of attempts",
        note: "of those that reached a server of the same service".to_owned(),
        unit: Unit::Ratio,
        log: false,
        lines,
    })
}

/// Two futures in one panel each: what was answered, and how long it took.
pub(super) fn futures(run: &Future<'_>, other: &Future<'_>, windows: &[Window]) -> Vec<Panel> {
    let panel = |id, title, note: &str, unit, log, name: &str| Panel {
        id,
        title,
        note: note.to_owned(),
        unit,
        log,
        lines: [run, other]
            .map(|future| Line {
                name: future.name.to_owned(),
                values: metric(future, windows, name),
            })
            .into(),
    };
    vec![
        panel(
            "futures-goodput",
            "Answered in time",
            "requests per second, in each future",
            Unit::Hertz,
            false,
            "goodput_hz",
        ),
        panel(
            "futures-response",
            "Response time, p99",
            "of requests answered in time, in each future",
            Unit::Time,
            true,
            "p99",
        ),
    ]
}
