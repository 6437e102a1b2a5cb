//! `stampede calibrate`: logs as a scenario, and how far to trust it.

use crate::args::{ArrivalsArg, CalibrateArgs, ListFormat, LogArgs};
use crate::exit::{Exit, Failure};
use crate::files;
use crate::part::write_new;
use crate::terminal::{self, BOLD, DIM, Out, YELLOW, say};
use serde::Serialize;
use sim_core::text::shown;
use sim_import::logs::{Arrivals, Check, Collector, FileFigures, Measured, Said, Workers, read};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Reads logs and writes the scenario that they speak of.
pub(crate) fn run(args: &CalibrateArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    let (files, measured) = measure(&args.log, args.classes.map(|count| count as usize))?;
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
            write(&path.with_file_name(name), text)?;
        }
        write(path, &scenario.text)?;
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
            say(&format!("next: stampede run {}", path.display()));
        }
    }
    Ok(Exit::Ok)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let name = path.display();
    write_new(path, text.as_bytes()).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::new(
            Exit::Io,
            format!("{name} is there already, and is left as it is"),
        )
        .help("choose another name"),
        _ => Failure::io(format!("cannot write {name}"), &error),
    })
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
        figures.push(file.map_err(|why| {
            Failure::new(Exit::Invalid, format!("{}: {why}", shown(told)))
                .help("say --log-format 'FORMAT' of nginx or Apache, or --columns time=NAME,duration=NAME for JSON and tables")
        })?);
    }
    if figures.iter().all(|file| file.requests == 0) {
        return Err(Failure::new(
            Exit::Invalid,
            "no line of the log tells of a request",
        ));
    }
    Ok((figures, Measured::of(collector, classes)))
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

fn tell_requests(measured: &Measured) {
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

fn tell_check(measured: &Measured, check: &Result<Check, String>) {
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

fn tell_file(file: &FileFigures) {
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
