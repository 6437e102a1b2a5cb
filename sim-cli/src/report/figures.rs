//! The key figures.

use super::Report;
use crate::table::Table;
use crate::terminal::{BOLD, RED};
use sim_core::engine::{GuardFigures, PoolFigures, SessionFigures};
use sim_core::readable::{number, share, short, span, time};
use sim_core::summary::{Incident, Summary, Times};
use sim_core::time::Duration as Span;
use std::io::{self, Write};

/// Servers listed one by one; beyond this the table would no longer be read.
const SERVERS_MAX: usize = 10;

/// Writes the figures of the whole, the objectives, the servers where they are few, and incidents.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let summary = report.summary;
    let mut table = Table::default();
    table.row(["requests".to_owned(), requests(summary)]);
    if let Some(told) = &summary.sessions {
        table.row(["sessions".to_owned(), sessions(told)]);
    }
    table.row(["response".to_owned(), response(&summary.response_time_s)]);
    table.row(["load".to_owned(), load(summary)]);
    for guard in summary.guards.iter().take(GUARDS_MAX) {
        table.row(["guard".to_owned(), self::guard(guard)]);
    }
    for pool in summary.connections.iter().take(GUARDS_MAX) {
        table.row(["connections".to_owned(), connections(pool)]);
    }
    for (name, slo) in &summary.slos.0 {
        let verdict = slo.met.map_or("", |met| if met { "met" } else { "MISSED" });
        let attained = slo
            .attained
            .map_or("nothing to judge it by".to_owned(), |attained| {
                format!(
                    "{} good of {} wanted",
                    share(attained),
                    share(slo.objective)
                )
            });
        table.row([
            "objective".to_owned(),
            format!("{name}: {attained}   {verdict}"),
        ]);
    }
    for incident in &summary.incidents {
        table.row(["incident".to_owned(), self::incident(report, incident)]);
    }
    if let Some(verdict) = summary.verdict {
        let because = summary.verdict_because.as_deref().unwrap_or_default();
        table.row(["at the end".to_owned(), format!("{verdict}: {because}")]);
    }
    writeln!(out, "{}", table.text(2))?;
    servers(report, out)?;
    machines(summary, out)
}

fn requests(summary: &Summary) -> String {
    let requests = &summary.requests;
    let ended = requests.succeeded + requests.failed;
    let mut text = short(requests.arrived as f64);
    if ended > 0 {
        let failed = format!("failed {}", share(requests.failed as f64 / ended as f64));
        text = if requests.failed > 0 {
            format!("{text}   {RED}{failed}{RED:#}")
        } else {
            format!("{text}   {failed}")
        };
    }
    let failures = requests
        .outcomes
        .0
        .iter()
        .skip(1)
        .filter(|(_, count)| *count > 0);
    let failures: Vec<String> = failures
        .map(|(name, count)| format!("{} {}", name.replace('_', " "), short(*count as f64)))
        .collect();
    if !failures.is_empty() {
        text = format!("{text} ({})", failures.join(", "));
    }
    if let Some(users) = summary.users_left.filter(|users| *users > 0) {
        let gone = if users == 1 { "user" } else { "users" };
        text = format!("{text}   {} {gone} left for good", number(users as f64));
    }
    if requests.in_flight > 0 {
        text = format!(
            "{text}   {} in flight at the end",
            number(requests.in_flight as f64)
        );
    }
    text
}

fn sessions(told: &SessionFigures) -> String {
    let count = |count: u64| short(count as f64);
    let mut text = format!("{} begun", count(told.begun));
    if told.cut_short > 0 {
        text = format!("{text}   {} of them cut short", count(told.cut_short));
    }
    format!("{text}   {} under way on average", short(told.mean))
}

/// Most guards, or hops with connections, that are listed; summary.json has all.
const GUARDS_MAX: usize = 12;

fn guard(guard: &GuardFigures) -> String {
    let count = |count: u64| short(count as f64);
    let (kind, at) = (guard.kind, &guard.at);
    let mut text = format!("{kind} at {at}: {} passed", count(guard.passed));
    for (what, how_many) in [
        ("refused", guard.refused),
        ("made to wait", guard.held),
        ("dimmed", guard.dimmed),
    ] {
        if how_many > 0 {
            text = format!("{text}   {} {what}", count(how_many));
        }
    }
    text
}

fn connections(pool: &PoolFigures) -> String {
    let count = |count: u64| short(count as f64);
    let mut text = format!(
        "{}: {} opened   {} at once at most",
        pool.at,
        count(pool.opened),
        count(pool.peak)
    );
    if pool.broken > 0 {
        text = format!("{text}   {} broke", count(pool.broken));
    }
    if pool.waited > 0 {
        text = format!("{text}   {} requests waited for one", count(pool.waited));
    }
    text
}

fn response(times: &Times) -> String {
    let named = [
        ("p50", times.p50),
        ("p99", times.p99),
        ("mean", times.mean),
        ("longest", times.max),
    ];
    let known: Vec<String> = named
        .iter()
        .filter_map(|(name, s)| s.map(|s| format!("{name} {}", time(s * 1e9))))
        .collect();
    if known.is_empty() {
        "no request was answered".to_owned()
    } else {
        known.join("   ")
    }
}

fn load(summary: &Summary) -> String {
    let mut parts = vec![format!(
        "goodput {}/s of {}/s offered",
        short(round(summary.goodput_hz)),
        short(round(summary.offered_hz))
    )];
    if let Some(per_request) = summary.attempts.per_request {
        parts.push(format!("{per_request:.2} attempts per request"));
    }
    for (name, service) in &summary.services.0 {
        if let Some(per_attempt) = service.tries.and_then(|tries| tries.per_attempt) {
            parts.push(format!("`{name}` tries {per_attempt:.2} servers each"));
        }
    }
    if let Some(load) = summary.offered_load {
        parts.push(format!("offered load {load:.2}"));
    }
    if let Some(wasted) = summary.wasted_work.filter(|w| *w >= 0.001) {
        parts.push(format!("{} of the work for nobody", share(wasted)));
    }
    parts.join("   ")
}

/// Rates to a digit or two.
fn round(hz: f64) -> f64 {
    if hz >= 100.0 { hz.round() } else { hz }
}

fn incident(report: &Report<'_>, incident: &Incident) -> String {
    let after = |at: f64| span(Span::from_secs_f64(at - incident.start_s));
    let mut parts = Vec::new();
    match incident.end_s {
        Some(end) => parts.push(format!(
            "{} to {}, {}",
            report.moment(incident.start_s),
            report.moment(end),
            after(end)
        )),
        None => parts.push(format!(
            "from {}, not over at the end",
            report.moment(incident.start_s)
        )),
    }
    parts.push(match incident.detected_s {
        Some(at) if at <= incident.start_s => "an alert was firing already".to_owned(),
        Some(at) => format!("detected after {}", after(at)),
        None => "no alert fired".to_owned(),
    });
    if let Some(at) = incident.acknowledged_s {
        parts.push(format!("looked at after {}", after(at)));
    }
    if let Some(at) = incident.diagnosed_s {
        parts.push(format!("cause known after {}", after(at)));
    }
    if let Some(down) = incident.down_s {
        parts.push(format!("down from {}", report.moment(down)));
    }
    if let Some(at) = incident.mitigated_s {
        parts.push(format!("no longer from {}", report.moment(at)));
    }
    let lost = number(incident.lost as f64);
    let waiting = incident.waiting.filter(|waiting| *waiting > 0);
    // Noticed at the end itself, it has no time in which anything could be lost.
    parts.extend(match waiting.map(|waiting| number(waiting as f64)) {
        Some(waiting) if incident.lost == 0 => Some(format!("{waiting} requests wait at the end")),
        Some(waiting) => Some(format!("{lost} requests lost, {waiting} wait at the end")),
        None => (incident.lost > 0).then(|| format!("{lost} requests lost")),
    });
    parts.join("   ")
}

fn servers(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let services = &report.summary.services.0;
    let count: usize = services.iter().map(|(_, s)| s.servers.0.len()).sum();
    if count > SERVERS_MAX {
        return Ok(());
    }
    let mut table = Table::default();
    table.row([
        "server",
        "busy",
        "share",
        "attempts",
        "failed",
        "mean queue",
        "crashes",
        "down",
    ]);
    for (service, figures) in services {
        for (name, server) in &figures.servers.0 {
            let name = if services.len() > 1 {
                format!("{service}/{name}")
            } else {
                name.clone()
            };
            table.row([
                name,
                share(server.utilisation),
                server.share.map_or("-".to_owned(), share),
                short(server.attempts as f64),
                short(server.failed as f64),
                format!("{:.1}", server.mean_queue_len),
                number(server.crashes as f64),
                if server.downtime_s > 0.0 {
                    span(Span::from_secs_f64(server.downtime_s))
                } else {
                    "-".to_owned()
                },
            ]);
        }
    }
    with_bold_head(&table, out)
}

/// Machines that servers share, where they are few.
fn machines(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let machines = &summary.machines.0;
    if machines.is_empty() || machines.len() > SERVERS_MAX {
        return Ok(());
    }
    let mut table = Table::default();
    table.row(["machine", "cores", "used", "servers"]);
    for (name, machine) in machines {
        let on_it = &machine.servers;
        let mut names = on_it.iter().take(4).cloned().collect::<Vec<_>>().join(", ");
        if on_it.len() > 4 {
            names = format!("{names}, … ({})", number(on_it.len() as f64));
        }
        table.row([
            name.clone(),
            short(machine.cores),
            share(machine.utilisation),
            names,
        ]);
    }
    with_bold_head(&table, out)
}

fn with_bold_head(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let text = table.text(2);
    let (head, rows) = text.split_once('\n').unwrap_or((&text, ""));
    writeln!(out, "{BOLD}{head}{BOLD:#}\n{rows}")
}
