//! What logs say, in words.

use sim_core::metric::Unit;
use sim_core::plot::intervals::{Intervals, Row};
use sim_core::readable::{counted, number, share, time};
use sim_core::report::Picture;
use sim_core::report::sheet::{Block, Table};
use sim_core::text::shown;
use sim_import::Filled;
use sim_import::logs::{Check, Compared, FileFigures, Measured};

/// What was read, measured and compared, for people.
pub(super) fn report(
    files: &[FileFigures],
    measured: &Measured,
    check: &Result<Check, String>,
    no_trace: bool,
) -> Vec<Block> {
    let mut blocks: Vec<Block> = files.iter().flat_map(file).collect();
    blocks.extend(requests(measured));
    blocks.extend(arrivals(measured, no_trace));
    blocks.extend(work(measured));
    blocks.extend(held_out(measured, check));
    blocks
}

/// What a log says of a scenario's values, for people.
pub(crate) fn upon(
    files: &[FileFigures],
    measured: &Measured,
    filled: &[Filled],
    lost: &[(String, u64)],
    check: &Result<Check, String>,
) -> Vec<Block> {
    let mut blocks: Vec<Block> = files.iter().flat_map(file).collect();
    blocks.extend(requests(measured));
    blocks.extend(filled.iter().map(value));
    blocks.extend(stray(lost));
    blocks.extend(held_out(measured, check));
    blocks
}

/// A word, and what is said of it, in a column of its own.
fn of(word: &str, says: &str) -> Block {
    let room = 9usize.saturating_sub(word.len());
    Block::Lead(word.to_owned(), format!("{}{says}", " ".repeat(room)))
}

fn requests(measured: &Measured) -> Vec<Block> {
    let part = |count: u64| share(count as f64 / measured.requests.max(1) as f64);
    let failed = measured.failed.map_or(
        "whether they failed, this format does not tell".to_owned(),
        |failed| format!("{} with an error ({})", many(failed), part(failed)),
    );
    let mut blocks = vec![of(
        "requests",
        &format!(
            "{} in {}, {}/s; {failed}, {} left by their clients ({})",
            many(measured.requests),
            seconds(measured.span_s),
            number(measured.rate_hz),
            many(measured.left),
            part(measured.left)
        ),
    )];
    match measured.retried {
        Some((requests, tries)) if requests > 0 => blocks.push(Block::Sentence(format!(
            "{} were tried again ({}), {} tries more",
            many(requests),
            part(requests),
            many(tries)
        ))),
        Some(_) => {}
        None => blocks.push(Block::Sentence(
            "whether requests were tried again, this format does not tell".to_owned(),
        )),
    }
    if measured.local > 0 {
        blocks.push(Block::Sentence(format!(
            "{} more were answered by the balancer itself, and are left out",
            many(measured.local)
        )));
    }
    if measured.late > 0 {
        blocks.push(Block::Warning(format!(
            "{} came far out of order, and were taken to have come when they were read",
            many(measured.late)
        )));
    }
    if measured.whole_seconds {
        blocks.push(Block::Warning("moments are known to the second: requests were spread within theirs at random, so that bursts below a second and numbers in flight are guesses".to_owned()));
    } else if measured.milliseconds {
        let words = "times are known to the millisecond";
        blocks.push(Block::Sentence(words.to_owned()));
    }
    blocks
}

fn arrivals(measured: &Measured, no_trace: bool) -> Vec<Block> {
    let mut blocks = Vec::new();
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
        let widths = widths.join(", ");
        let says = format!("index of dispersion {widths}: {words}");
        blocks.push(of("arrivals", &says));
    }
    let written = match (no_trace, measured.profile.len()) {
        (false, _) => "written as traces: the log's own moments",
        (true, ..=1) => "written as a Poisson process with the log's rate",
        (true, _) => "written as a Poisson process with the log's rate over time",
    };
    blocks.push(Block::Sentence(written.to_owned()));
    blocks
}

fn work(measured: &Measured) -> Vec<Block> {
    let mut blocks = Vec::new();
    for class in &measured.classes {
        let demand = match &class.demand {
            Some(demand) => format!("; demand {}; {}", demand.times(), demand.law),
            None => "; their demand is not in the log".to_owned(),
        };
        blocks.push(of(
            "class",
            &format!(
                "{} {}: {}{demand}",
                class.name,
                shown(&class.route),
                counted(class.requests as usize, "request")
            ),
        ));
    }
    for server in &measured.servers {
        blocks.push(of(
            "server",
            &format!(
                "{} {}: {}, {} with an error; {}",
                server.name,
                shown(&server.address),
                counted(server.requests as usize, "request"),
                many(server.failed),
                server
                    .workers
                    .map_or("nobody was seen at work".to_owned(), |own| own.words())
            ),
        ));
    }
    if let (Some(workers), true) = (measured.workers, measured.servers.len() > 1) {
        let words = format!("all servers together: {}", workers.words());
        blocks.push(Block::Sentence(words));
    }
    if measured.outside_s > 0.001 {
        blocks.push(Block::Sentence(format!(
            "{} of a mean request are spent with its client, and are not simulated",
            seconds(measured.outside_s)
        )));
    }
    blocks
}

fn held_out(measured: &Measured, check: &Result<Check, String>) -> Vec<Block> {
    match check {
        Ok(check) => {
            let head = ["figure", "observed", "simulated", "in one run", "deviation"];
            let mut table = Table::new("The part held out, beside its simulations", &head);
            table.rows = check.figures.iter().map(compared).collect();
            vec![
                of(
                    "held out",
                    &format!(
                        "{} from {} on, beside ten simulations of their arrivals",
                        counted(check.requests, "request"),
                        seconds(measured.held_out_from_s)
                    ),
                ),
                Block::Table(table),
                Block::Picture(beside(check)),
                of("trust", &check.verdict),
            ]
        }
        Err(why) => vec![of("trust", &format!("not checked: {why}"))],
    }
}

/// How far simulations are from what was observed.
fn beside(check: &Check) -> Picture {
    let row = |figure: &Compared| {
        let off = |value: f64| value / figure.observed_s - 1.0;
        let (low, high) = figure.between_s;
        Row {
            name: figure.figure.to_owned(),
            mean: Some(figure.deviation()),
            interval: Some((off(low), off(high))),
            note: format!("observed {}", seconds(figure.observed_s)),
        }
    };
    Picture::Intervals(Intervals {
        title: "Response times simulated, beside those observed".to_owned(),
        label: "longer than observed; a single run lies within the line".to_owned(),
        unit: Unit::Ratio,
        rows: check.figures.iter().map(row).collect(),
        zero: true,
    })
}

fn compared(figure: &Compared) -> Vec<String> {
    let (low, high) = figure.between_s;
    let sign = if figure.deviation() > 0.0 { "+" } else { "" };
    vec![
        figure.figure.to_string(),
        seconds(figure.observed_s),
        seconds(figure.simulated_s),
        format!("{} to {}", seconds(low), seconds(high)),
        format!("{sign}{}", share(figure.deviation())),
    ]
}

fn file(file: &FileFigures) -> Vec<Block> {
    let formats: Vec<String> = file
        .formats
        .iter()
        .map(|(name, words)| format!("{name} ({})", shown(words)))
        .collect();
    let packed = file
        .packed
        .map_or(String::new(), |packed| format!(", {packed}"));
    let mut blocks = vec![Block::Lead(
        format!("{}{packed}:", shown(&file.name)),
        format!(
            "{}, {}, {} others that belong there; read as {}",
            counted(file.lines as usize, "line"),
            counted(file.requests as usize, "request"),
            many(file.asides),
            formats.join(" and ")
        ),
    )];
    for fault in &file.faults {
        let lines: Vec<String> = fault.lines.iter().map(u64::to_string).collect();
        let more = if fault.count > fault.lines.len() as u64 {
            " …"
        } else {
            ""
        };
        blocks.push(Block::Warning(format!(
            "{} not read: {} (line {}{more})",
            many(fault.count),
            fault.why,
            lines.join(", ")
        )));
    }
    if let Some(why) = &file.torn {
        let why = shown(why);
        blocks.push(Block::Warning(format!(
            "torn: {why}; what was read until there counts"
        )));
    }
    blocks
}

/// What was measured for a key.
fn value(value: &Filled) -> Block {
    let mark = if value.assumed { "not measured: " } else { "" };
    Block::Lead(
        shown(&value.path).into_owned(),
        format!("= {}  {mark}{}", shown(&value.value), shown(&value.words)),
    )
}

/// Requests that come from nowhere in the scenario.
pub(crate) fn stray(stray: &[(String, u64)]) -> Option<Block> {
    let all: u64 = stray.iter().map(|(_, requests)| requests).sum();
    let (route, requests) = stray.iter().max_by_key(|(_, requests)| *requests)?;
    Some(of(
        "left out",
        &format!(
            "{} of {}, which no source of the scenario sends: {} ({}) first",
            counted(all as usize, "request"),
            counted(stray.len(), "route"),
            shown(route),
            many(*requests)
        ),
    ))
}

fn many(count: u64) -> String {
    number(count as f64)
}

fn seconds(seconds: f64) -> String {
    time(seconds * 1e9)
}
