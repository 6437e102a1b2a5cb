//! `stampede verify`: measures the engine against queueing theory and published tables.

use crate::args::{ProgressStyle, VerifyArgs, VerifyFormat};
use crate::exit::{Exit, Failure};
use crate::terminal::{self, BOLD, DIM, GREEN, Out, RED, YELLOW};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle as BarStyle};
use serde::Serialize;
use sim_core::experiment::{Control, Progress};
use sim_core::readable;
use sim_core::text::Csv;
use sim_core::verify::{self, Case, Demand, Effort, Judged, Options, Outcome, Sight, Verdict};
use std::io::{IsTerminal, Write};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Nothing is shown before: a short run needs no progress.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time between the lines of the counter.
const COUNTER: Duration = Duration::from_secs(10);

/// A comparison as a row of a table.
#[derive(Serialize)]
struct Row<'a> {
    case: &'a str,
    title: &'a str,
    source: &'a str,
    figure: &'a str,
    reference: &'a str,
    class: &'static str,
    expected: Option<f64>,
    measured: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    standard_error: Option<f64>,
    sharp: Option<bool>,
    verdict: &'static str,
    needs: &'a str,
}

/// The columns of the table: the fields of [`Row`].
const COLUMNS: [&str; 14] = [
    "case",
    "title",
    "source",
    "figure",
    "reference",
    "class",
    "expected",
    "measured",
    "low",
    "high",
    "standard_error",
    "sharp",
    "verdict",
    "needs",
];

impl Row<'_> {
    /// Its cells, in the order of [`COLUMNS`].
    fn cells(&self) -> [String; 14] {
        let figure = |figure: Option<f64>| figure.map_or(String::new(), |f| format!("{f:?}"));
        [
            self.case.to_owned(),
            self.title.to_owned(),
            self.source.to_owned(),
            self.figure.to_owned(),
            self.reference.to_owned(),
            self.class.to_owned(),
            figure(self.expected),
            figure(self.measured),
            figure(self.low),
            figure(self.high),
            figure(self.standard_error),
            self.sharp.map_or(String::new(), |sharp| sharp.to_string()),
            self.verdict.to_owned(),
            self.needs.to_owned(),
        ]
    }
}

/// Counts over the whole run.
#[derive(Default)]
struct Tally {
    cases: usize,
    passed: usize,
    failed: usize,
    imprecise: usize,
    wide: usize,
    loose: usize,
    not_built: usize,
    too_long: usize,
    interrupted: bool,
}

/// Runs the suite.
pub(crate) fn run(args: &VerifyArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    let effort = if args.fast {
        Effort::Fast
    } else {
        Effort::Full
    };
    let options = Options {
        effort,
        shift: 1.0 + args.shift / 100.0,
        seed: args.seed,
    };
    let cases = chosen(args)?;
    let stop = out.stop()?;
    let begun = wall_clock();
    let progress = Shown::new(&cases, effort, args.showing.progress, (quiet, out));
    let tell = |now: Progress| progress.show(now.done);
    let threads = args
        .threads
        .or_else(|| std::thread::available_parallelism().ok())
        .unwrap_or(NonZeroUsize::MIN);
    let control = Control::new(threads, stop, &tell);
    let mut table = Printed::new(args.format);
    let mut tally = Tally::default();
    let mut interrupted = false;
    for case in &cases {
        progress.begin(case, effort);
        let outcome = verify::run(case, &options, &control)
            .map_err(|what| Failure::new(Exit::Internal, what))?;
        if outcome == Outcome::Interrupted {
            interrupted = true;
            break;
        }
        tally.count(&outcome);
        progress.aside(|| table.case(case, &outcome, out))?;
    }
    progress.finish();
    tally.interrupted = interrupted;
    table.end(&tally, effort, begun.elapsed(), quiet, out)?;
    Ok(match (interrupted, tally.failed + tally.imprecise) {
        (true, _) => Exit::Interrupted,
        (false, 0) => Exit::Ok,
        _ => Exit::Failed,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long the suite takes is shown, and enters no figure"
)]
fn wall_clock() -> Instant {
    Instant::now()
}

/// The cases asked for: those whose name contains one of the patterns.
fn chosen(args: &VerifyArgs) -> Result<Vec<Case>, Failure> {
    let mut cases = verify::cases().map_err(|what| Failure::new(Exit::Internal, what))?;
    let wanted = |case: &Case| {
        let name = case.name().to_lowercase();
        let holds = |pattern: &String| name.contains(&pattern.to_lowercase());
        args.case.is_empty() || args.case.iter().any(holds)
    };
    cases.retain(wanted);
    if cases.is_empty() {
        return Err(
            Failure::new(Exit::NotFound, format!("no case contains {:?}", args.case)).help(
                "cases are called `P21 Mitzenmacher's table: 2 of 100, load 0.9`, for instance",
            ),
        );
    }
    Ok(cases)
}

impl Tally {
    fn count(&mut self, outcome: &Outcome) {
        self.cases += 1;
        match outcome {
            Outcome::Compared(compared) => {
                for judged in compared {
                    match judged.verdict {
                        Verdict::Passed => self.passed += 1,
                        Verdict::Failed => self.failed += 1,
                        Verdict::Imprecise => self.imprecise += 1,
                    }
                    self.wide += usize::from(judged.sight == Sight::Wide);
                    self.loose += usize::from(judged.sight == Sight::Loose);
                }
            }
            Outcome::NotBuilt(_) => self.not_built += 1,
            Outcome::TooLong => self.too_long += 1,
            Outcome::Interrupted => {}
        }
    }

    fn words(&self, effort: Effort, wall: Duration) -> String {
        let all = self.passed + self.failed + self.imprecise;
        let mut parts = Vec::new();
        if self.interrupted {
            parts.push("interrupted".to_owned());
        }
        parts.extend([
            format!(
                "{}: {} pass",
                readable::counted(all, "comparison"),
                self.passed
            ),
            format!("{} fail", self.failed),
        ]);
        if self.imprecise > 0 {
            parts.push(format!("{} too imprecise to say", self.imprecise));
        }
        if self.wide > 0 {
            let wide = self.wide;
            parts.push(format!("{wide} (marked ~) would not see an error of 2 %"));
        }
        if self.loose > 0 {
            let loose = self.loose;
            parts.push(format!(
                "{loose} (marked ≈) have a reference less exact than that"
            ));
        }
        if self.not_built > 0 {
            parts.push(format!("{} cases need what is not built", self.not_built));
        }
        if self.too_long > 0 && effort == Effort::Fast {
            parts.push(format!("{} cases only without --fast", self.too_long));
        }
        parts.push(format!("{:.0} s", wall.as_secs_f64()));
        parts.join(", ")
    }
}

/// The table, as it grows.
struct Printed {
    format: VerifyFormat,
    /// Whether a row was printed before.
    begun: bool,
}

impl Printed {
    fn new(format: VerifyFormat) -> Self {
        Self {
            format,
            begun: false,
        }
    }

    fn case(&mut self, case: &Case, outcome: &Outcome, out: &mut Out) -> Result<(), Failure> {
        if self.format == VerifyFormat::Text {
            text(case, outcome, out)?;
        } else {
            let rows = rows(case, outcome);
            for row in rows {
                self.row(&row, out)?;
            }
        }
        out.flush()?;
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>, out: &mut Out) -> Result<(), Failure> {
        if self.format == VerifyFormat::Json {
            let open = if self.begun { ",\n" } else { "[\n" };
            write!(out, "{open}{}", terminal::json(row))?;
        } else {
            let mut csv = Csv::new(out);
            if !self.begun {
                csv.write_record(COLUMNS)?;
            }
            csv.write_record(row.cells())?;
            csv.flush()?;
        }
        self.begun = true;
        Ok(())
    }

    fn end(
        &self,
        tally: &Tally,
        effort: Effort,
        wall: Duration,
        quiet: bool,
        out: &mut Out,
    ) -> Result<(), Failure> {
        match self.format {
            VerifyFormat::Text => writeln!(out, "\n{}", tally.words(effort, wall))?,
            VerifyFormat::Json if self.begun => writeln!(out, "\n]")?,
            VerifyFormat::Json => writeln!(out, "[]")?,
            VerifyFormat::Csv => {}
        }
        if self.format != VerifyFormat::Text && !quiet {
            terminal::say(&tally.words(effort, wall));
        }
        Ok(())
    }
}

fn rows<'a>(case: &'a Case, outcome: &'a Outcome) -> Vec<Row<'a>> {
    let bare = |verdict, needs| Row {
        case: &case.id,
        title: &case.title,
        source: &case.source,
        figure: "",
        reference: "",
        class: "",
        expected: None,
        measured: None,
        low: None,
        high: None,
        standard_error: None,
        sharp: None,
        verdict,
        needs,
    };
    let full = |(demand, judged): (&'a Demand, &Judged)| Row {
        figure: &demand.text,
        reference: &demand.expected,
        class: demand.class.letter(),
        expected: Some(judged.expected),
        measured: Some(judged.measured),
        low: Some(judged.measured - judged.half_width),
        high: Some(judged.measured + judged.half_width),
        standard_error: Some(judged.standard_error),
        sharp: Some(judged.sight == Sight::Sharp),
        ..bare(judged.verdict.word(), "")
    };
    match outcome {
        Outcome::Compared(compared) => case.demands.iter().zip(compared).map(full).collect(),
        Outcome::NotBuilt(needs) => vec![bare("not built", needs)],
        Outcome::TooLong => vec![bare("only in full", "")],
        Outcome::Interrupted => Vec::new(),
    }
}

/// Significant digits of figures.
fn digits(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{value:e}");
    let exponent = scientific.split('e').nth(1).and_then(|e| e.parse().ok());
    let places = (5 - exponent.unwrap_or(0_i32)).clamp(0, 9).cast_unsigned() as usize;
    format!("{value:.places$}")
}

fn text(case: &Case, outcome: &Outcome, out: &mut Out) -> Result<(), Failure> {
    writeln!(
        out,
        "{BOLD}{}{BOLD:#} {}   {DIM}{}{DIM:#}",
        case.id, case.title, case.source
    )?;
    match outcome {
        Outcome::NotBuilt(needs) => {
            writeln!(out, "    {YELLOW}not built{YELLOW:#}: it needs {needs}")?;
        }
        Outcome::TooLong => writeln!(out, "    {DIM}only without --fast{DIM:#}")?,
        Outcome::Interrupted => {}
        Outcome::Compared(compared) => {
            for (demand, judged) in case.demands.iter().zip(compared) {
                let style = match judged.verdict {
                    Verdict::Passed => GREEN,
                    Verdict::Failed => RED,
                    Verdict::Imprecise => YELLOW,
                };
                let mark = judged.sight.mark();
                writeln!(
                    out,
                    "    {:<28} {:>12}   {:>12} ± {:<11} {} {mark} {style}{}{style:#}",
                    demand.text,
                    digits(judged.expected),
                    digits(judged.measured),
                    digits(judged.half_width),
                    demand.class.letter(),
                    judged.verdict.word(),
                )?;
            }
        }
    }
    Ok(())
}

/// Progress over the suite, by requests to be simulated.
struct Shown<'a> {
    kind: Kind,
    told: &'a (dyn Fn(u64, u64) + Sync),
    begun: Instant,
    total: f64,
    /// Requests of the cases done, and of the one under way.
    before: AtomicU64,
    weight: AtomicU64,
    /// Runs before the case under way, and in it.
    runs_before: AtomicU64,
    runs: AtomicU64,
    runs_seen: AtomicU64,
    /// When the counter speaks next, in milliseconds.
    next: AtomicU64,
}

enum Kind {
    Bar(ProgressBar),
    Counter,
    Hidden,
}

impl<'a> Shown<'a> {
    fn new(
        cases: &[Case],
        effort: Effort,
        style: ProgressStyle,
        (quiet, out): (bool, &Out<'a>),
    ) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let kind = match style {
            ProgressStyle::Counter if !quiet => Kind::Counter,
            ProgressStyle::Auto | ProgressStyle::Bar if terminal && !quiet => {
                let target = ProgressDrawTarget::stderr_with_hz(5);
                let bar = ProgressBar::with_draw_target(Some(1000), target);
                let style = BarStyle::with_template("verify {bar:30} {percent:>3} %  {wide_msg}");
                bar.set_style(style.unwrap_or_else(|_| BarStyle::default_bar()));
                Kind::Bar(bar)
            }
            _ => Kind::Hidden,
        };
        Self {
            kind,
            told: out.told(),
            begun: wall_clock(),
            total: cases.iter().map(|case| case.requests(effort)).sum(),
            before: AtomicU64::new(0),
            weight: AtomicU64::new(0),
            runs_before: AtomicU64::new(0),
            runs: AtomicU64::new(1),
            runs_seen: AtomicU64::new(0),
            next: AtomicU64::new(COUNTER.as_millis() as u64),
        }
    }

    fn begin(&self, case: &Case, effort: Effort) {
        let done = self
            .weight
            .swap(case.requests(effort) as u64, Ordering::Relaxed);
        self.before.fetch_add(done, Ordering::Relaxed);
        self.runs
            .store(case.replications(effort).max(1), Ordering::Relaxed);
        let seen = self.runs_seen.load(Ordering::Relaxed);
        self.runs_before.store(seen, Ordering::Relaxed);
        if let Kind::Bar(bar) = &self.kind {
            bar.set_message(case.name());
        }
    }

    fn show(&self, runs: u64) {
        self.runs_seen.fetch_max(runs, Ordering::Relaxed);
        let of = |number: &AtomicU64| number.load(Ordering::Relaxed) as f64;
        let within = (runs as f64 - of(&self.runs_before)) / of(&self.runs);
        let share = (of(&self.before) + of(&self.weight) * within) / self.total.max(1.0);
        (self.told)((share.clamp(0.0, 1.0) * 1000.0) as u64, 1000);
        let wall = self.begun.elapsed();
        let left = wall.as_secs_f64() * (1.0 - share).max(0.0) / share.max(1e-9);
        match &self.kind {
            Kind::Bar(bar) if wall >= PATIENCE => bar.set_position((share * 1000.0) as u64),
            Kind::Counter => {
                let (now, next) = (wall.as_millis() as u64, self.next.load(Ordering::Relaxed));
                let after = now + COUNTER.as_millis() as u64;
                let order = Ordering::Relaxed;
                if now >= next
                    && self
                        .next
                        .compare_exchange(next, after, order, order)
                        .is_ok()
                {
                    terminal::say(&format!(
                        "verify: {}, about {left:.0} s left",
                        readable::share(share)
                    ));
                }
            }
            _ => {}
        }
    }

    /// Prints while the bar is out of the way.
    fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.kind {
            Kind::Bar(bar) => bar.suspend(print),
            _ => print(),
        }
    }

    fn finish(&self) {
        if let Kind::Bar(bar) = &self.kind {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_the_fields() {
        let row = Row {
            case: "P1",
            title: "=t",
            source: "s, t",
            figure: "f",
            reference: "r",
            class: "c",
            expected: Some(1.0),
            measured: Some(2.5),
            low: None,
            high: None,
            standard_error: Some(1e-9),
            sharp: Some(true),
            verdict: "passed",
            needs: "",
        };
        let json: serde_json::Value =
            serde_json::from_str(&terminal::json(&row)).expect("an object");
        let mut fields: Vec<&str> = json
            .as_object()
            .expect("fields")
            .keys()
            .map(String::as_str)
            .collect();
        let mut columns = COLUMNS;
        fields.sort_unstable();
        columns.sort_unstable();
        assert_eq!(fields, columns);
        let cells = row.cells();
        assert_eq!(cells[6..11], ["1.0", "2.5", "", "", "1e-9"]);
        assert_eq!(cells[11..], ["true", "passed", ""]);
    }
}
