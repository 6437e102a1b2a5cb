//! `stampede calibrate`: logs as a scenario, and how far to trust it.

use super::{create, say_next};
use crate::args::{ArrivalsArg, CalibrateArgs, ListFormat, LogArgs};
use crate::exit::{Exit, Failure};
use crate::files;
use crate::input::{self, Input};
use crate::terminal::{self, BOLD, DIM, Out, YELLOW, say};
use serde::Serialize;
use sim_core::model::Model;
use sim_core::readable::counted;
use sim_core::scenario::{Problems, Source};
use sim_core::text::shown;
use sim_import::logs::{
    Arrivals, Beside, Check, Collector, FileFigures, Measured, Said, Traces, Workers, read,
};
use sim_import::{Filled, loadtest, logs, overlay, settings};
use std::io::Write;
use std::path::PathBuf;

/// Reads logs and writes the scenario that they speak of.
pub(crate) fn run(args: &CalibrateArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    if let ([name], None) = (args.log.logs.as_slice(), &args.scenario)
        && name != "-"
        && let Ok(text) = input::text(name)
        && logs::recognise(&text).is_none()
        && loadtest::recognise(&text).is_some()
    {
        return of_test(args, name, &text, quiet, out);
    }
    let (files, measured) = measure(&args.log, args.classes.map(|count| count as usize))?;
    if let Some(scenario) = &args.scenario {
        return fill(args, scenario, &files, &measured, quiet, out);
    }
    let check = measured.check();
    let names: Vec<&str> = args
        .log
        .logs
        .iter()
        .map(|name| name.rsplit('/').next().unwrap_or(name))
        .collect();
    let stem = args
        .output
        .as_ref()
        .and_then(|path| path.file_stem())
        .map(|stem| stem.to_string_lossy().into_owned());
    let arrivals = match args.arrivals {
        ArrivalsArg::Auto => Arrivals::Auto,
        ArrivalsArg::Trace => Arrivals::Trace,
        ArrivalsArg::Profile => Arrivals::Profile,
    };
    let scenario = measured
        .scenario(&names.join(", "), stem.as_deref(), arrivals)
        .map_err(|why| Failure::new(Exit::Usage, why))?;
    if let Some(path) = &args.output {
        for (name, text) in &scenario.files {
            create(&path.with_file_name(name), text.as_bytes())?;
        }
        create(path, scenario.text.as_bytes())?;
    }
    match args.format {
        ListFormat::Json => {
            let json = Json {
                files: &files,
                measured: &measured,
                check: check.as_ref().ok(),
                no_check: check.as_ref().err(),
                scenario: &scenario.text,
            };
            writeln!(out, "{}", terminal::json(&json))?;
        }
        ListFormat::Text if args.output.is_none() => write!(out, "{}", scenario.text)?,
        ListFormat::Text => {}
    }
    out.flush()?;
    if !quiet && args.format == ListFormat::Text {
        report(&files, &measured, &check, scenario.files.is_empty());
        if let Some(path) = &args.output {
            say_next(path);
        }
    }
    Ok(Exit::Ok)
}

/// What the logs say of a scenario's values, as a scenario upon it.
fn fill(
    args: &CalibrateArgs,
    argument: &str,
    files: &[FileFigures],
    measured: &Measured,
    quiet: bool,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let input = Input::open(argument)?;
    let told = |problems: &Problems| {
        super::tell(&input, &[], problems);
        Failure::told(Exit::Invalid)
    };
    let model = input.scenario(&[]).and_then(|scenario| scenario.model());
    let model = model.map_err(|problems| told(&problems))?;
    let beside = Beside::of(measured, &model).map_err(|why| Failure::new(Exit::Invalid, why))?;
    let filled = beside.values();
    let check = check_beside(&beside, |sets, texts| {
        input
            .scenario_with(sets, texts)
            .and_then(|scenario| scenario.model())
    });
    let base = input.as_base(argument, args.output.as_deref());
    let text = overlay(&base, &args.log.logs.join(", "), &filled);
    if let Some(path) = &args.output {
        create(path, text.as_bytes())?;
    }
    match args.format {
        ListFormat::Json => {
            let json = Json {
                files,
                measured,
                check: check.as_ref().ok(),
                no_check: check.as_ref().err(),
                scenario: &text,
            };
            writeln!(out, "{}", terminal::json(&json))?;
        }
        ListFormat::Text if args.output.is_none() => write!(out, "{text}")?,
        ListFormat::Text => {}
    }
    out.flush()?;
    if !quiet && args.format == ListFormat::Text {
        files.iter().for_each(tell_file);
        tell_requests(measured);
        tell_filled(&filled);
        tell_stray(&beside.stray);
        tell_check(measured, &check);
        if let Some(path) = &args.output {
            say_next(path);
        }
    }
    Ok(Exit::Ok)
}

/// The part that is held out, beside a scenario with the values that were measured.
pub(super) fn check_beside(
    beside: &Beside<'_>,
    read: impl Fn(&[(String, String)], &Traces) -> Result<Model, Problems>,
) -> Result<Check, String> {
    beside.check(|sets, texts| {
        let learnt = beside.learnt().into_iter().filter(|value| !value.assumed);
        let learnt = learnt.map(|value| (value.path, value.value));
        let sets: Vec<_> = learnt.chain(sets.iter().cloned()).collect();
        read(&sets, texts).map_err(|problems| match problems.problems.first() {
            Some(first) => format!(
                "the scenario does not take what was measured: {}",
                first.message
            ),
            None => "the scenario does not take what was measured".to_owned(),
        })
    })
}

/// What was measured for which key.
pub(super) fn tell_filled(filled: &[Filled]) {
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
pub(super) fn tell_stray(stray: &[(String, u64)]) {
    let all: u64 = stray.iter().map(|(_, requests)| requests).sum();
    if let Some((route, requests)) = stray.iter().max_by_key(|(_, requests)| *requests) {
        say(&format!(
            "{YELLOW}left out{YELLOW:#}  {all} requests of {}, which no source of the scenario sends: {} ({requests}) first",
            counted(stray.len(), "route"),
            shown(route)
        ));
    }
}

/// Reads all logs, those that begin first before the others.
pub(crate) fn measure(
    args: &LogArgs,
    classes: Option<usize>,
) -> Result<(Vec<FileFigures>, Measured), Failure> {
    let said = Said {
        log_format: args.log_format.clone(),
        columns: args.columns.clone(),
    };
    let mut collector = Collector::default();
    let mut order: Vec<(Option<i64>, &String)> = Vec::new();
    for name in &args.logs {
        // Where one file alone is read, nothing is to be put in order.
        let begins = if args.logs.len() > 1 && name != "-" {
            sim_import::logs::begins(open(name)?, &said)
        } else {
            None
        };
        order.push((begins, name));
    }
    order.sort_by_key(|(begins, _)| *begins);
    let mut figures = Vec::new();
    for (_, name) in order {
        let told = if name == "-" { "standard input" } else { name };
        let file = if name == "-" {
            read(told, std::io::stdin().lock(), &said, &mut collector)
        } else {
            read(told, open(name)?, &said, &mut collector)
        };
        figures.push(file.map_err(|why| no_log(name, told, &why))?);
    }
    if figures.iter().all(|file| file.requests == 0) {
        return Err(Failure::new(
            Exit::Invalid,
            "no line of the log tells of a request",
        ));
    }
    let measured = Measured::of(collector, classes);
    if let Some(why) = measured.flaw() {
        return Err(Failure::new(Exit::Invalid, why));
    }
    Ok((figures, measured))
}

/// What a file is that is no log.
fn no_log(name: &str, told: &str, why: &str) -> Failure {
    let told = shown(told);
    // Of standard input nothing is left.
    let text = if name == "-" {
        None
    } else {
        input::text(name).ok()
    };
    let source = text.map(|text| Source::new(name, text));
    if let Some(format) = source.as_ref().and_then(settings::recognise) {
        let message = format!("{told} is a configuration ({}), and no log", format.name);
        return Failure::new(Exit::Invalid, message)
            .help(format!("`stampede import {told}` makes a scenario of it"));
    }
    if let Some(tester) = source
        .as_ref()
        .and_then(|source| loadtest::recognise(&source.text))
    {
        let message = format!("{told} is a report of {}, and no log", tester.name);
        return Failure::new(Exit::Invalid, message).help(format!(
            "`stampede calibrate {told}` alone makes a scenario of it"
        ));
    }
    Failure::new(Exit::Invalid, format!("{told}: {why}"))
        .help("say --log-format 'FORMAT' of nginx or Apache, or --columns time=NAME,duration=NAME for JSON and tables")
}

/// The report of a load test as a scenario.
fn of_test(
    args: &CalibrateArgs,
    name: &str,
    text: &str,
    quiet: bool,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let title = name.rsplit('/').next().unwrap_or(name);
    let test = loadtest::read(text, title)
        .map_err(|why| Failure::new(Exit::Invalid, format!("{}: {why}", shown(name))))?;
    if let Some(path) = &args.output {
        create(path, test.scenario.as_bytes())?;
    }
    match args.format {
        ListFormat::Json => writeln!(out, "{}", terminal::json(&test))?,
        ListFormat::Text if args.output.is_none() => write!(out, "{}", test.scenario)?,
        ListFormat::Text => {}
    }
    out.flush()?;
    if !quiet && args.format == ListFormat::Text {
        say(&format!(
            "{BOLD}{}{BOLD:#}: a report of {}",
            shown(name),
            test.tester
        ));
        for sentence in &test.sentences {
            say(&format!("  {}", shown(sentence)));
        }
        say(&format!("{YELLOW}hidden{YELLOW:#}  {}", test.hides));
        if let Some(path) = &args.output {
            say_next(path);
        }
    }
    Ok(Exit::Ok)
}

fn open(name: &str) -> Result<impl std::io::Read, Failure> {
    files::open_input(&PathBuf::from(name))
        .map_err(|error| Failure::io(format!("cannot read {name}"), &error))
}

#[derive(Serialize)]
struct Json<'a> {
    files: &'a [FileFigures],
    measured: &'a Measured,
    check: Option<&'a Check>,
    no_check: Option<&'a String>,
    scenario: &'a str,
}

/// What was read, measured and compared, for people.
fn report(
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

pub(super) fn tell_requests(measured: &Measured) {
    let percent = |count: u64| count as f64 * 100.0 / measured.requests.max(1) as f64;
    say(&format!(
        "{BOLD}requests{BOLD:#}  {} in {:.1} s, {:.2} a second; {} with an error ({:.2} %), {} left by their clients ({:.2} %)",
        measured.requests,
        measured.span_s,
        measured.rate_hz,
        measured.failed,
        percent(measured.failed),
        measured.left,
        percent(measured.left)
    ));
    match measured.retried {
        Some((requests, tries)) if requests > 0 => say(&format!(
            "  {requests} were tried again ({:.2} %), {tries} tries more",
            percent(requests)
        )),
        Some(_) => {}
        None => say("  whether requests were tried again, this format does not tell"),
    }
    if measured.local > 0 {
        say(&format!(
            "  {} more were answered by the balancer itself, and are left out",
            measured.local
        ));
    }
    if measured.late > 0 {
        say(&format!(
            "{YELLOW}  {} came far out of order, and were taken to have come when they were read{YELLOW:#}",
            measured.late
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
        .map(|at| format!("{:.2} at {} s", at.index, at.width_s))
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
    say(if no_trace {
        "  written as a Poisson process with the log's rate"
    } else {
        "  written as traces: the log's own moments"
    });
}

fn tell_work(measured: &Measured) {
    for class in &measured.classes {
        match &class.demand {
            Some(demand) => say(&format!(
                "{BOLD}class{BOLD:#}     {} {DIM}{}{DIM:#}: {} requests; demand mean {:.1} ms, p50 {:.1}, p90 {:.1}, p99 {:.1}; {}",
                class.name,
                shown(&class.route),
                class.requests,
                demand.mean_s * 1e3,
                demand.p50_s * 1e3,
                demand.p90_s * 1e3,
                demand.p99_s * 1e3,
                demand.law
            )),
            None => say(&format!(
                "{BOLD}class{BOLD:#}     {} {DIM}{}{DIM:#}: {} requests; their demand is not in the log",
                class.name,
                shown(&class.route),
                class.requests
            )),
        }
    }
    for server in &measured.servers {
        say(&format!(
            "{BOLD}server{BOLD:#}    {} {DIM}{}{DIM:#}: {} requests, {} with an error; {}",
            server.name,
            shown(&server.address),
            server.requests,
            server.failed,
            server
                .workers
                .map_or("nobody was seen at work".to_owned(), workers_words)
        ));
    }
    if let (Some(workers), true) = (measured.workers, measured.servers.len() > 1) {
        say(&format!(
            "  all servers together: {}",
            workers_words(workers)
        ));
    }
    if measured.outside_s > 0.001 {
        say(&format!(
            "  {:.1} ms of a mean request are spent with its client, and are not simulated",
            measured.outside_s * 1e3
        ));
    }
}

pub(super) fn tell_check(measured: &Measured, check: &Result<Check, String>) {
    match check {
        Ok(check) => {
            say(&format!(
                "{BOLD}held out{BOLD:#}  {} requests from {:.0} s on, beside ten simulations of their arrivals",
                check.requests, measured.held_out_from_s
            ));
            for figure in &check.figures {
                say(&format!(
                    "  {:<5} observed {:>9.1} ms   simulated {:>9.1} ms ({:.1} to {:.1})   {:+.1} %",
                    figure.figure,
                    figure.observed_s * 1e3,
                    figure.simulated_s * 1e3,
                    figure.between_s.0 * 1e3,
                    figure.between_s.1 * 1e3,
                    figure.deviation() * 100.0
                ));
            }
            say(&format!("{BOLD}trust{BOLD:#}     {}", check.verdict));
        }
        Err(why) => say(&format!("{YELLOW}trust{YELLOW:#}     not checked: {why}")),
    }
}

pub(super) fn tell_file(file: &FileFigures) {
    let formats: Vec<String> = file
        .formats
        .iter()
        .map(|(name, words)| format!("{name} ({})", shown(words)))
        .collect();
    let packed = file
        .packed
        .map_or(String::new(), |packed| format!(", {packed}"));
    say(&format!(
        "{BOLD}{}{BOLD:#}{packed}: {} lines, {} requests, {} others that belong there; read as {}",
        shown(&file.name),
        file.lines,
        file.requests,
        file.asides,
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
            fault.count,
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

fn workers_words(workers: Workers) -> String {
    match workers.number {
        Some(number) if workers.between == (number, number) => format!("{number} workers"),
        Some(number) => format!(
            "{number} workers, {} to {} fit as well",
            workers.between.0, workers.between.1
        ),
        None => format!(
            "workers cannot be told: at most {} were in flight, and nothing shows that they waited",
            workers.most
        ),
    }
}
