//! Tables of the report: plain cells, which the page and the draft write out each in their way.

use super::Future;
use super::panels::{Panel, server_name};
use super::times;
use super::windows::Window;
use super::words::{seconds, span_s};
use crate::ids::Id;
use crate::metric::Unit;
use crate::readable::{self, number, share, short};
use crate::report::markup::Table;
use crate::summary::{ServerFigures, Times};

/// Servers in a row of their own; the others are taken together.
const SERVERS: usize = 40;
/// Classes in a row of their own.
const CLASSES: usize = 40;

/// Incidents in a column of their own.
const COLUMNS: usize = 3;
/// Expectations in a row of their own.
const EXPECTATIONS: usize = 100;

/// Times of every incident: a column for each, or a row where they are many; nothing where there was none.
pub(super) fn incidents(run: &Future<'_>) -> Option<Table> {
    let all = &run.summary.incidents;
    let rows: Vec<[String; 8]> = (all.iter().take(times::MOST))
        .map(|incident| times::row(run, incident))
        .collect();
    if rows.is_empty() {
        return None;
    }
    if rows.len() > COLUMNS {
        let caption = if all.len() > times::MOST {
            format!("The first {} of {} incidents", times::MOST, all.len())
        } else {
            "Incidents, and times from when each began".to_owned()
        };
        let mut table = Table::new(caption, &times::HEAD);
        table.rows = rows.into_iter().map(Into::into).collect();
        return Some(table);
    }
    let mut table = Table::new(
        "Incidents, and times from when each began",
        &[times::HEAD[0]],
    );
    table.head.extend(rows.iter().map(|row| row[0].clone()));
    for (stage, name) in times::HEAD.iter().enumerate().skip(1) {
        let mut row = vec![(*name).to_owned()];
        row.extend(rows.iter().map(|incident| incident[stage].clone()));
        table.rows.push(row);
    }
    Some(table)
}

/// A row for each server, those where most waited first where they are many.
pub(super) fn servers(run: &Future<'_>) -> Table {
    let model = run.simulation.model();
    let of = |server: usize| {
        let service = &model.services[model.servers[server].service.position()];
        let named = run.summary.services.get(&service.name)?;
        Some((server, named.servers.get(&model.servers[server].name)?))
    };
    let mut all: Vec<(usize, &ServerFigures)> = (0..model.servers.len()).filter_map(of).collect();
    if all.len() > SERVERS {
        all.sort_by(|(i, a), (j, b)| {
            let more = b.mean_queue_len.total_cmp(&a.mean_queue_len);
            more.then(b.crashes.cmp(&a.crashes)).then(i.cmp(j))
        });
    }
    let head = [
        "server",
        "busy",
        "share of attempts",
        "attempts",
        "failed",
        "mean queue",
        "crashes",
        "down",
    ];
    let caption = if all.len() > SERVERS {
        format!("The {SERVERS} of {} servers where most waited", all.len())
    } else {
        "Servers, after the warm-up".to_owned()
    };
    let mut table = Table::new(caption, &head);
    let shown = all.iter().take(SERVERS);
    table.rows = shown
        .map(|(server, figures)| {
            vec![
                server_name(model, *server),
                share(figures.utilisation),
                figures.share.map_or("–".to_owned(), share),
                short(figures.attempts as f64),
                short(figures.failed as f64),
                format!("{:.1}", figures.mean_queue_len),
                number(figures.crashes as f64),
                downtime(figures.downtime_s),
            ]
        })
        .collect();
    let rest = all.get(SERVERS..).unwrap_or_default();
    if !rest.is_empty() {
        let sum = |of: fn(&ServerFigures) -> u64| rest.iter().map(|(_, f)| of(f)).sum::<u64>();
        let mean = |of: fn(&ServerFigures) -> f64| {
            rest.iter().map(|(_, f)| of(f)).sum::<f64>() / rest.len() as f64
        };
        table.rows.push(vec![
            format!("the other {}, together", rest.len()),
            share(mean(|f| f.utilisation)),
            "–".to_owned(),
            short(sum(|f| f.attempts) as f64),
            short(sum(|f| f.failed) as f64),
            format!("{:.1}", mean(|f| f.mean_queue_len)),
            number(sum(|f| f.crashes) as f64),
            downtime(rest.iter().map(|(_, f)| f.downtime_s).sum()),
        ]);
    }
    table
}

fn downtime(seconds: f64) -> String {
    if seconds > 0.0 {
        span_s(seconds)
    } else {
        "–".to_owned()
    }
}

/// Percentiles of all requests from outside and of each class.
pub(super) fn percentiles(run: &Future<'_>) -> Table {
    let head = [
        "requests", "answered", "mean", "p50", "p90", "p95", "p99", "p99.9", "longest",
    ];
    let mut table = Table::new("Response time of requests answered in time", &head);
    let row = |name: &str, times: &Times| {
        let cell = |value: Option<f64>| value.map_or("–".to_owned(), seconds);
        let values = [
            times.mean, times.p50, times.p90, times.p95, times.p99, times.p999, times.max,
        ];
        let mut row = vec![name.to_owned(), short(times.count as f64)];
        row.extend(values.map(cell));
        row
    };
    let summary = run.summary;
    table.rows.push(row("all", &summary.response_time_s));
    if summary.classes.0.len() > 1 {
        let classes = summary.classes.0.iter().take(CLASSES);
        let rows = classes.map(|(name, class)| row(name, &class.response_time_s));
        table.rows.extend(rows);
    }
    table
}

/// Objectives and whether they were met; nothing where there is none.
pub(super) fn objectives(run: &Future<'_>) -> Option<Table> {
    let mut table = Table::new("Objectives", &["objective", "wanted", "good", "verdict"]);
    for (name, slo) in &run.summary.slos.0 {
        let met = slo
            .met
            .map_or("–", |met| if met { "met" } else { "missed" });
        table.rows.push(vec![
            name.clone(),
            share(slo.objective),
            slo.attained.map_or("–".to_owned(), share),
            met.to_owned(),
        ]);
    }
    (!table.rows.is_empty()).then_some(table)
}

/// What the scenario expects of itself; nothing where that is nothing.
pub(super) fn expectations(run: &Future<'_>) -> Option<Table> {
    let mut table = Table::new("Expectations", &["expected", "holds", "found"]);
    for checked in run.summary.expectations.iter().take(EXPECTATIONS) {
        let holds = if checked.passed { "yes" } else { "no" };
        table.rows.push(vec![
            checked.that.clone(),
            holds.to_owned(),
            checked.actual.clone(),
        ]);
    }
    (!table.rows.is_empty()).then_some(table)
}

/// Two futures, figure by figure.
pub(super) fn futures(run: &Future<'_>, other: &Future<'_>) -> Table {
    let mut table = Table::new(
        "The same past, two futures",
        &["figure", run.name, other.name],
    );
    let (left, right) = (
        super::words::key_figures(run),
        super::words::key_figures(other),
    );
    for ((name, left), (_, right)) in left.into_iter().zip(right) {
        table.rows.push(vec![name.to_owned(), left, right]);
    }
    let word = |future: &Future<'_>| future.summary.verdict.unwrap_or("–").to_owned();
    table
        .rows
        .push(vec!["at the end".to_owned(), word(run), word(other)]);
    table
}

/// The figures of a panel, window by window.
pub(super) fn panel(run: &Future<'_>, panel: &Panel, windows: &[Window]) -> Table {
    let mut table = Table::new(format!("{}: {}", panel.title, panel.note), &["from"]);
    table
        .head
        .extend(panel.lines.iter().map(|l| l.name.clone()));
    let scale = if panel.unit == Unit::Time { 1e9 } else { 1.0 };
    for (i, window) in windows.iter().enumerate() {
        let mut row = vec![run.at(window.from)];
        row.extend(panel.lines.iter().map(|line| {
            line.values[i].map_or("–".to_owned(), |v| readable::value(panel.unit, v * scale))
        }));
        table.rows.push(row);
    }
    table
}
