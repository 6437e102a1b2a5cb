//! `stampede doctor`: which settings are dangerous, and what each costs.

mod fix;
mod sarif;

use crate::args::{DoctorArgs, DoctorFormat, replacing};
use crate::command::import;
use crate::command::refused;
use crate::exit::{Exit, Failure};
use crate::experiment::conduct;
use crate::input::{self, Input};
use crate::sheet;
use crate::terminal::{self, Out};
use serde::Serialize;
use sim_core::doctor::{Effect, Figures, Finding, Outcome, Places, examine, verdict};
use sim_core::metric::Unit;
use sim_core::plot::intervals::{Intervals, Row};
use sim_core::readable::counted;
use sim_core::report::Picture;
use sim_core::report::sheet::{Block, Sheet};
use sim_core::scenario::Source;
use sim_core::summary::assumed_words;
use sim_import::settings::recognise;
use std::io::Write;
use std::path::Path;

/// A scenario, written or imported, with the places of its values.
struct Subject {
    input: Input,
    places: Places,
}

impl Subject {
    fn of(args: &DoctorArgs) -> Result<Self, Failure> {
        if let [one] = args.files.as_slice()
            && !is_settings(one)
        {
            let input = Input::open(one, &[])?;
            let places = Places::of(input.source());
            return Ok(Self { input, places });
        }
        let imported = import::read(&args.files, None, &[])?;
        Ok(Self {
            input: Input::alone(Source::new("imported.toml", imported.scenario)),
            places: Places::read(imported.places),
        })
    }

    /// What was found, for people: the verdict, each finding with its place, and what all of it rests on.
    fn blocks(
        &self,
        shown_here: &[&Finding],
        all: &[Finding],
        outside: &[(String, String)],
    ) -> Vec<Block> {
        let mut blocks = vec![Block::Verdict(String::new(), verdict(all))];
        for (number, finding) in shown_here.iter().enumerate() {
            let place = self.places.of_path(&finding.doubt.path);
            let place = place.map_or(String::new(), |place| format!("  {place}"));
            let head = format!("{}  {}{place}", number + 1, finding.rule.id);
            blocks.push(if finding.matters() {
                Block::Alarm(head)
            } else {
                Block::Heading(head)
            });
            blocks.push(Block::Sentence(finding.doubt.says.clone()));
            blocks.extend(finding.words().into_iter().map(Block::Sentence));
        }
        blocks.extend(costs(shown_here).map(Block::Picture));
        let hidden = all.len() - shown_here.len();
        let hidden = (hidden > 0).then(|| {
            let doubts = counted(hidden, "doubt");
            format!("{doubts} in which nothing was found: --all shows them")
        });
        let model = self.input.scenario(outside).and_then(|read| read.model());
        let assumed = model.ok().and_then(|model| assumed_words(&model));
        let notes: Vec<String> = hidden.into_iter().chain(assumed).collect();
        if !notes.is_empty() {
            blocks.push(Block::Gap);
            blocks.extend(notes.into_iter().map(Block::Note));
        }
        blocks
    }
}

/// What mending each saves, where that was seen; the numbers are those of the findings.
fn costs(findings: &[&Finding]) -> Option<Picture> {
    let saved = |(number, finding): (usize, &&Finding)| match finding.outcome {
        Outcome::Tried {
            effect: Effect::Fewer(saved),
            ..
        } => Some(Row {
            name: format!("{} {}", number + 1, finding.doubt.path),
            mean: Some(saved.mean),
            interval: Some((saved.low, saved.high)),
            note: finding.doubt.says.clone(),
        }),
        _ => None,
    };
    let rows: Vec<Row> = findings.iter().enumerate().filter_map(saved).collect();
    (!rows.is_empty()).then(|| {
        Picture::Intervals(Intervals {
            title: "What mending each saves".to_owned(),
            label: "share of all requests".to_owned(),
            unit: Unit::Ratio,
            rows,
            zero: true,
        })
    })
}

/// Whether an argument is a folder, or a file of another program.
fn is_settings(argument: &str) -> bool {
    Path::new(argument).is_dir()
        || input::text(argument).is_ok_and(|text| recognise(&Source::new(argument, text)).is_some())
}

/// Looks for what is dangerous, and tells what was found, what costs most first.
pub(crate) fn run(args: &DoctorArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    let subject = Subject::of(args)?;
    let outside = args.sets.all(None);
    let read = |sets: &[(String, String)]| subject.input.scenario(&replacing(&outside, sets));
    sheet::check(&args.page, None)?;
    let (found, _) = conduct(
        "doctor",
        args.threads,
        args.showing.progress,
        (quiet, out),
        |control| examine(&read, args.replications, control),
    )?;
    let found = found.map_err(|problems| refused(&problems))?;
    let places = &subject.places;
    let shown: Vec<&Finding> = found
        .iter()
        .filter(|finding| args.all || finding.matters())
        .collect();
    match args.format {
        _ if args.fix => write!(
            out,
            "{}",
            fix::diff(&found, subject.input.source(), places)?
        )?,
        DoctorFormat::Text => {
            sheet::print(&subject.blocks(&shown, &found, &outside), out)?;
        }
        DoctorFormat::Json => {
            let findings: Vec<_> = shown
                .iter()
                .map(|finding| Json::of(finding, places))
                .collect();
            writeln!(out, "{}", terminal::json(&findings))?;
        }
        DoctorFormat::Sarif => writeln!(out, "{}", terminal::json(&sarif::log(&shown, places)))?,
    }
    if args.page.report.is_some() {
        let page = page(&shown, &found, &subject, &outside)?;
        let silent = quiet || args.fix || args.format != DoctorFormat::Text;
        sheet::write(&args.page, &page, (silent, out))?;
    }
    if found
        .iter()
        .any(|finding| finding.outcome == Outcome::Interrupted)
    {
        return Ok(Exit::Interrupted);
    }
    Ok(if found.iter().any(Finding::matters) {
        Exit::Failed
    } else {
        Exit::Ok
    })
}

/// The same as a page, with the scenario that was examined and the changes in its own language.
fn page(
    shown_here: &[&Finding],
    all: &[Finding],
    subject: &Subject,
    outside: &[(String, String)],
) -> Result<Sheet, Failure> {
    let read = subject.input.scenario(outside);
    let read = read.and_then(|scenario| scenario.model().map(|model| (scenario, model.seed)));
    let (scenario, seed) = read.map_err(|problems| refused(&problems))?;
    let mut sheet = Sheet::of("search for dangerous settings", &scenario, seed);
    sheet.commands = vec![sheet::command()];
    sheet.blocks = subject.blocks(shown_here, all, outside);
    let diff = fix::diff(all, subject.input.source(), &subject.places)?;
    if !diff.is_empty() {
        let name = "The changes, as a diff";
        sheet.blocks.push(Block::Section(name.to_owned()));
        sheet.blocks.push(Block::Code(name.to_owned(), diff));
    }
    Ok(sheet)
}

/// A finding for programs.
#[derive(Serialize)]
struct Json<'a> {
    rule: &'a str,
    matters: bool,
    file: Option<&'a str>,
    line: Option<usize>,
    path: &'a str,
    says: &'a str,
    trial: &'a str,
    change: Vec<String>,
    as_is: Option<FiguresJson>,
    changed: Option<FiguresJson>,
    effect: &'static str,
    saves: Option<[f64; 3]>,
    refused: Option<&'a str>,
}

#[derive(Serialize)]
struct FiguresJson {
    failed: Option<f64>,
    p99_s: Option<f64>,
    goodput_hz: Option<f64>,
}

impl<'a> Json<'a> {
    fn of(finding: &'a Finding, places: &'a Places) -> Self {
        let place = places.of_path(&finding.doubt.path);
        let figures = |f: &Figures| FiguresJson {
            failed: f.failed,
            p99_s: f.p99_s,
            goodput_hz: f.goodput_hz,
        };
        let (as_is, changed, effect) = match &finding.outcome {
            Outcome::Tried {
                as_is,
                mended,
                effect,
            } => (Some(figures(as_is)), Some(figures(mended)), Some(effect)),
            _ => (None, None, None),
        };
        let (word, interval) = match effect {
            Some(Effect::Fewer(i)) => ("fewer-failures", Some(i)),
            Some(Effect::Faster(i)) => ("shorter-p99", Some(i)),
            Some(Effect::Worse(i)) => ("more-failures", Some(i)),
            Some(Effect::None) => ("none", None),
            None => ("untried", None),
        };
        Self {
            rule: finding.rule.id,
            matters: finding.matters(),
            file: place.map(|place| place.file.as_ref()),
            line: place.map(|place| place.line),
            path: &finding.doubt.path,
            says: &finding.doubt.says,
            trial: &finding.trial,
            change: finding
                .doubt
                .cure
                .iter()
                .map(|(path, value)| format!("{path} = {value}"))
                .collect(),
            as_is,
            changed,
            effect: word,
            saves: interval.map(|i| [i.mean, i.low, i.high]),
            refused: match &finding.outcome {
                Outcome::Refused(why) => Some(why),
                _ => None,
            },
        }
    }
}
