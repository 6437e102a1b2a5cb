//! What logs say, in words.

use crate::terminal::{BOLD, DIM, YELLOW, say};
use sim_core::readable::{counted, number, share, time};
use sim_core::text::shown;
use sim_import::Filled;
use sim_import::logs::{Check, Compared, FileFigures, Measured};

/// What was read, measured and compared, for people.
pub(super) fn report(
    files: &[FileFigures],
    measured: &Measured,
    check: &Result<Check, String>,
    no_trace: bool,
) {
    files.iter().for_each(tell_file);
    tell_requests(measured);
    tell_arrivals(measured, no_trace);
    tell_work(measured);
    tell_check(measured, check);
}

pub(crate) fn tell_requests(measured: &Measured) {
    let part = |count: u64| share(count as f64 / measured.requests.max(1) as f64);
    say(&format!(
        "{BOLD}requests{BOLD:#}  {} in {}, {}/s; {} with an error ({}), {} left by their clients ({})",
        many(measured.requests),
        seconds(measured.span_s),
        number(measured.rate_hz),
        many(measured.failed),
        part(measured.failed),
        many(measured.left),
        part(measured.left)
    ));
    match measured.retried {
        Some((requests, tries)) if requests > 0 => say(&format!(
            "  {} were tried again ({}), {} tries more",
            many(requests),
            part(requests),
            many(tries)
        )),
        Some(_) => {}
        None => say("  whether requests were tried again, this format does not tell"),
    }
    if measured.local > 0 {
        say(&format!(
            "  {} more were answered by the balancer itself, and are left out",
            many(measured.local)
        ));
    }
    if measured.late > 0 {
        say(&format!(
            "{YELLOW}  {} came far out of order, and were taken to have come when they were read{YELLOW:#}",
            many(measured.late)
        ));
    }
    if measured.whole_seconds {
        say(&format!(
            "{YELLOW}  moments are known to the second: requests were spread within theirs at random, so that bursts below a second and numbers in flight are guesses{YELLOW:#}"
        ));
    } else if measured.milliseconds {
        say("  times are known to the millisecond");
    }
}

fn tell_arrivals(measured: &Measured, no_trace: bool) {
    let widths: Vec<String> = measured
        .dispersion
        .iter()
        .map(|at| format!("{:.2} at {}", at.index, seconds(at.width_s)))
        .collect();
    if !widths.is_empty() {
        let words = if measured.is_poisson() {
            "as of a Poisson process"
        } else {
            "1 would be a Poisson process"
        };
        say(&format!(
            "{BOLD}arrivals{BOLD:#}  index of dispersion {}: {words}",
            widths.join(", ")
        ));
    }
    say(match (no_trace, measured.profile.len()) {
        (false, _) => "  written as traces: the log's own moments",
        (true, ..=1) => "  written as a Poisson process with the log's rate",
        (true, _) => "  written as a Poisson process with the log's rate over time",
    });
}

fn tell_work(measured: &Measured) {
    for class in &measured.classes {
        match &class.demand {
            Some(demand) => say(&format!(
                "{BOLD}class{BOLD:#}     {} {DIM}{}{DIM:#}: {}; demand {}; {}",
                class.name,
                shown(&class.route),
                counted(class.requests as usize, "request"),
                demand.times(),
                demand.law
            )),
            None => say(&format!(
                "{BOLD}class{BOLD:#}     {} {DIM}{}{DIM:#}: {}; their demand is not in the log",
                class.name,
                shown(&class.route),
                counted(class.requests as usize, "request")
            )),
        }
    }
    for server in &measured.servers {
        say(&format!(
            "{BOLD}server{BOLD:#}    {} {DIM}{}{DIM:#}: {}, {} with an error; {}",
            server.name,
            shown(&server.address),
            counted(server.requests as usize, "request"),
            many(server.failed),
            server
                .workers
                .map_or("nobody was seen at work".to_owned(), |own| own.words())
        ));
    }
    if let (Some(workers), true) = (measured.workers, measured.servers.len() > 1) {
        say(&format!("  all servers together: {}", workers.words()));
    }
    if measured.outside_s > 0.001 {
        say(&format!(
            "  {} of a mean request are spent with its client, and are not simulated",
            seconds(measured.outside_s)
        ));
    }
}

pub(crate) fn tell_check(measured: &Measured, check: &Result<Check, String>) {
    match check {
        Ok(check) => {
            say(&format!(
                "{BOLD}held out{BOLD:#}  {} from {} on, beside ten simulations of their arrivals",
                counted(check.requests, "request"),
                seconds(measured.held_out_from_s)
            ));
            check.figures.iter().for_each(tell_figure);
            say(&format!("{BOLD}trust{BOLD:#}     {}", check.verdict));
        }
        Err(why) => say(&format!("{YELLOW}trust{YELLOW:#}     not checked: {why}")),
    }
}

fn tell_figure(figure: &Compared) {
    let (low, high) = figure.between_s;
    say(&format!(
        "  {:<5} observed {:>8}   simulated {:>8} ({} to {})   {}{}",
        figure.figure,
        seconds(figure.observed_s),
        seconds(figure.simulated_s),
        seconds(low),
        seconds(high),
        if figure.deviation() > 0.0 { "+" } else { "" },
        share(figure.deviation())
    ));
}

pub(crate) fn tell_file(file: &FileFigures) {
    let formats: Vec<String> = file
        .formats
        .iter()
        .map(|(name, words)| format!("{name} ({})", shown(words)))
        .collect();
    let packed = file
        .packed
        .map_or(String::new(), |packed| format!(", {packed}"));
    say(&format!(
        "{BOLD}{}{BOLD:#}{packed}: {}, {}, {} others that belong there; read as {}",
        shown(&file.name),
        counted(file.lines as usize, "line"),
        counted(file.requests as usize, "request"),
        many(file.asides),
        formats.join(" and ")
    ));
    for fault in &file.faults {
        let lines: Vec<String> = fault.lines.iter().map(u64::to_string).collect();
        let more = if fault.count > fault.lines.len() as u64 {
            " …"
        } else {
            ""
        };
        say(&format!(
            "{YELLOW}  {} not read{YELLOW:#}: {} (line {}{more})",
            many(fault.count),
            fault.why,
            lines.join(", ")
        ));
    }
    if let Some(why) = &file.torn {
        say(&format!(
            "{YELLOW}  torn{YELLOW:#}: {}; what was read until there counts",
            shown(why)
        ));
    }
}

/// What was measured for which key.
pub(crate) fn tell_filled(filled: &[Filled]) {
    for value in filled {
        let mark = if value.assumed { "not measured: " } else { "" };
        say(&format!(
            "{BOLD}{}{BOLD:#} = {}  {DIM}{mark}{}{DIM:#}",
            shown(&value.path),
            shown(&value.value),
            shown(&value.words)
        ));
    }
}

/// Requests that come from nowhere in the scenario.
pub(crate) fn tell_stray(stray: &[(String, u64)]) {
    let all: u64 = stray.iter().map(|(_, requests)| requests).sum();
    if let Some((route, requests)) = stray.iter().max_by_key(|(_, requests)| *requests) {
        say(&format!(
            "{YELLOW}left out{YELLOW:#}  {} of {}, which no source of the scenario sends: {} ({}) first",
            counted(all as usize, "request"),
            counted(stray.len(), "route"),
            shown(route),
            many(*requests)
        ));
    }
}

fn many(count: u64) -> String {
    number(count as f64)
}

fn seconds(seconds: f64) -> String {
    time(seconds * 1e9)
}
