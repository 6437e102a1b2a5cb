//! Scenarios: text becomes a [`Scenario`], what was written, and then a [`Model`], what is valid.
//!
//! A scenario is TOML or JSON of the same shape. Reading goes in steps, each of which collects all
//! problems it finds: the text becomes a tree that knows where everything stands; a scenario with
//! a `base` is laid upon it; `like` copies keys between servers; sets from outside are applied;
//! what a dialect stands for is laid below what is written; the sections are read; and the model is built and checked as a whole. No step touches files:
//! what else must be read is asked of [`Files`].

#![allow(
    clippy::option_option,
    reason = "the outer option is a problem that was reported, the inner one a value that may be absent"
)]
#![allow(
    clippy::single_match_else,
    reason = "what was read and what was not are two sides of one question"
)]

mod alarm;
mod assemble;
mod assumed;
mod build;
mod by_zone;
pub(crate) mod canonical;
mod change;
mod clients;
mod code;
pub(crate) mod compound;
mod condition;
mod dialects;
pub(crate) mod expectation;
pub(crate) mod extensions;
mod foreign;
mod futile;
mod hosts;
mod input;
pub(crate) mod keys;
pub(crate) mod kinds;
mod like;
mod links;
mod live;
mod members;
mod monitoring;
mod outline;
mod overlay;
mod own_health;
mod own_rules;
mod place;
mod planned;
pub(crate) mod problem;
mod renamed;
mod routes;
mod rules;
mod runbook;
mod sample;
pub(crate) mod section;
pub(crate) mod sections;
mod servers;
mod services;
pub(crate) mod set;
mod states;
#[cfg(test)]
mod tests;
mod timeline;
mod trace;
pub(crate) mod tree;
mod values;
mod warning;

pub use canonical::quoted;
pub use change::change;
pub use code::{CODES, Code};
pub use dialects::meaning;
pub use extensions::{plug_tables, retry_rules};
pub use input::Input;
pub use keys::{KeyRow, key_rows, keys, param_text};
pub(crate) use kinds::TEN_YEARS;
pub use outline::{Written, outline};
pub(crate) use overlay::SET_SOURCE;
pub use place::Place;
pub use problem::{Label, PROBLEMS_MAX, Problem, Problems, Span, suggest};
pub use section::ExtensionTable;

use crate::model::Model;
use crate::text::{cited, shown};
use crate::time::{Clock, Instant};
use problem::Collector;
use section::Section;
use std::sync::Arc;
use tree::Node;

/// A text to read a scenario from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// File name, or what to call the text in messages; `.json` at the end means JSON.
    pub name: String,
    /// The text.
    pub text: String,
}

impl Source {
    /// A text with its name.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
        }
    }

    /// By its name; where TOML is left out every text is JSON.
    pub(crate) fn is_json(&self) -> bool {
        let ending = self.name.rsplit_once('.').map(|(_, ending)| ending);
        cfg!(not(feature = "toml")) || ending.is_some_and(|e| e.eq_ignore_ascii_case("json"))
    }

    /// The name without folder and ending.
    pub fn stem(&self) -> &str {
        let file = self.name.rsplit(['/', '\\']).next().unwrap_or(&self.name);
        match file.rsplit_once('.') {
            Some((stem, ending))
                if !stem.is_empty()
                    && ["toml", "json"]
                        .iter()
                        .any(|e| ending.eq_ignore_ascii_case(e)) =>
            {
                stem
            }
            _ => file,
        }
    }

    /// Line and column of a byte, both from 1; the column counts characters.
    pub fn line_column(&self, byte: usize) -> (usize, usize) {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        let before = &self.text[..byte];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        (
            before.matches('\n').count() + 1,
            before[line_start..].chars().count() + 1,
        )
    }
}

/// How a scenario reaches other files: bases and traces. The front end decides what names mean.
pub trait Files {
    /// The text called `name` in a scenario.
    ///
    /// # Errors
    /// Says why it cannot be had, in words for the scenario's author.
    fn read(&self, name: &str) -> Result<Source, String>;
}

/// No other files: for texts that stand alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFiles;

impl<F: Files + ?Sized> Files for &F {
    fn read(&self, name: &str) -> Result<Source, String> {
        (**self).read(name)
    }
}

impl Files for NoFiles {
    fn read(&self, name: &str) -> Result<Source, String> {
        Err(format!(
            "{} cannot be read here: no other files are at hand",
            cited(name)
        ))
    }
}

/// A set made while time ran: part of what a fork is.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct LiveSet {
    at: Instant,
    assignment: set::Assignment,
}

/// Which scenario a plan means.
pub(crate) enum Planned<'a> {
    /// One that stands elsewhere.
    Named(Source),
    /// One that is written in the plan, and what to call it.
    Written(&'a str, Node),
}

/// A scenario as written: bases, copies and sets are applied, and every value still knows where it
/// stands.
#[derive(Clone, PartialEq, Debug)]
pub struct Scenario {
    name: String,
    sources: Arc<[Source]>,
    tree: Node,
    live: Vec<LiveSet>,
    /// What should be mended, found while reading.
    remarks: Arc<[String]>,
}

impl Scenario {
    /// Reads a scenario, with `sets` of `path = value` applied to it. A value is TOML, or else a
    /// text. The order of sets does not matter: a whole comes before its parts, and two values
    /// for one path are a problem.
    ///
    /// # Errors
    /// All problems that can be seen at this stage; when there are any, those of the model too.
    pub fn read(
        source: Source,
        sets: &[(String, String)],
        files: &dyn Files,
    ) -> Result<Self, Problems> {
        let mut problems = Collector::default();
        let mut loader = overlay::Loader::new(files, &mut problems);
        let name = shown(source.stem()).into_owned();
        let tree = loader.load(source, sets).map(with_one_line_title);
        let sources: Arc<[Source]> = loader.into_sources().into();
        let remarks = problems.remarks(&sources).into();
        if let Some(axis) = tree.as_ref().and_then(|tree| tree.entry("axis")) {
            // Nothing else that could be said of it would help.
            problems = Collector::default();
            problems.push(
                Problem::new("E010", "this is the plan of a sweep, not a scenario")
                    .at(axis.key_span)
                    .help("`stampede sweep` runs plans"),
            );
        } else if let Some(tree) = tree {
            let scenario = Self {
                name,
                sources: sources.clone(),
                tree,
                live: Vec::new(),
                remarks,
            };
            let top = scenario.sections(&mut problems);
            if !problems.is_empty()
                && let Some(top) = top
            {
                // One look should show everything: go on as far as what is readable allows.
                let _ = assemble::model(&scenario, &top, &mut problems);
            }
            problems.finish(&sources)?;
            return Ok(scenario);
        }
        if problems.is_empty() {
            problems.push(Problem::new("E001", "the scenario cannot be read"));
        }
        problems.finish(&sources)?;
        // Unreachable by the line above; an empty list of problems would be a lie.
        Err(Problems {
            sources: sources.to_vec(),
            problems: Vec::new(),
            left_out: 0,
        })
    }

    /// Reads the scenario of a plan: `plan` is the first source, so that problems of both point into
    /// one list of texts. `set` comes from the plan and is applied to what was read.
    pub(crate) fn of_plan(
        plan: &Source,
        what: Planned<'_>,
        set: &[set::Assignment],
        files: &dyn Files,
        problems: &mut Collector,
    ) -> (Option<Self>, Arc<[Source]>) {
        let mut loader = overlay::Loader::new(files, problems);
        let (name, tree) = match what {
            Planned::Named(source) => (
                shown(source.stem()).into_owned(),
                loader.load_after(plan.clone(), source),
            ),
            Planned::Written(name, node) => (name.to_owned(), loader.load_within(plan, node)),
        };
        let tree = tree.map(with_one_line_title);
        let tree = tree.map(|mut tree| {
            for assignment in set {
                loader.apply(&mut tree, assignment);
            }
            loader.traces(&mut tree);
            tree
        });
        let sources: Arc<[Source]> = loader.into_sources().into();
        let Some(tree) = tree else {
            return (None, sources);
        };
        let scenario = Self {
            name,
            sources: sources.clone(),
            tree,
            live: Vec::new(),
            remarks: problems.remarks(&sources).into(),
        };
        (Some(scenario), sources)
    }

    /// Reads the traces and samples that values name, for values that are set later.
    pub(crate) fn read_traces<'n>(
        values: impl Iterator<Item = &'n mut Node>,
        files: &dyn Files,
        problems: &mut Collector,
    ) {
        let mut loader = overlay::Loader::new(files, problems);
        for value in values {
            loader.arrivals(value);
            loader.samples(value);
        }
    }

    /// The scenario with further sets.
    pub(crate) fn with(&self, sets: &[&set::Assignment], problems: &mut Collector) -> Self {
        let mut varied = self.clone();
        for assignment in sets {
            set::apply(&mut varied.tree, assignment, problems);
        }
        varied
    }

    /// The validated system, with problems collected.
    pub(crate) fn build(&self, problems: &mut Collector) -> Option<Model> {
        let top = self.sections(problems)?;
        assemble::model(self, &top, problems).filter(|_| problems.is_empty())
    }

    /// The scenario as a table of a larger file, in its fixed form.
    pub(crate) fn to_toml_below(&self, path: &str) -> String {
        canonical::scenario_text_below(&self.tree, path)
    }

    /// The validated system.
    ///
    /// # Errors
    /// All problems between the parts.
    pub fn model(&self) -> Result<Model, Problems> {
        let mut problems = Collector::default();
        let model = self
            .sections(&mut problems)
            .and_then(|top| assemble::model(self, &top, &mut problems));
        if model.is_none() && problems.is_empty() {
            problems.push(Problem::new("E099", "the scenario cannot be built, and no reason was found: this is a mistake of the program"));
        }
        problems.finish(&self.sources)?;
        model.ok_or_else(|| Problems {
            sources: self.sources.to_vec(),
            problems: Vec::new(),
            left_out: 0,
        })
    }

    /// The name: the file's, without folder and ending.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All texts it was read from; the first is its own.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The title.
    pub fn title(&self) -> &str {
        self.tree.get("title").and_then(Node::as_text).unwrap_or("")
    }

    /// What the scenario wants to know.
    pub fn question(&self) -> &str {
        self.tree
            .get("question")
            .and_then(Node::as_text)
            .unwrap_or("")
    }

    /// The scenario written out in one fixed form: bases, copies and sets applied, and what was set
    /// while time ran as entries of the time line.
    pub fn to_toml(&self) -> String {
        canonical::scenario_text(&self.tree, &self.live)
    }

    /// Identifies what was written, whatever its formatting and the order of sets.
    pub fn hash(&self) -> u64 {
        canonical::fingerprint(&self.to_toml())
    }

    /// Remarks on what is allowed and yet may not be meant.
    pub fn warnings(&self) -> Vec<String> {
        let mut found = self.remarks.to_vec();
        found.extend(warning::warnings(self));
        found
    }

    /// The names of its bases, nearest first.
    pub fn bases(&self) -> Vec<&str> {
        self.sources
            .iter()
            .skip(1)
            .map(|s| s.name.as_str())
            .filter(|n| *n != SET_SOURCE)
            .collect()
    }

    /// The sections, with problems collected; `None` when not even the top is a table.
    pub(crate) fn sections(&self, problems: &mut Collector) -> Option<sections::Top> {
        let clock = self.clock();
        let tree = dialects::expanded(&self.tree);
        sections::Top::read(&tree, &mut section::Cx { problems, clock })
    }

    /// The clock, before anything else is read: moments everywhere depend on it.
    pub(crate) fn clock(&self) -> Option<Clock> {
        let text = self.tree.get("clock")?.as_text()?;
        Clock::parse_time_of_day(text)
            .ok()
            .map(|start_s| Clock { start_s })
    }
}

/// Reads a text that stands alone as a model: for tests and examples.
///
/// # Errors
/// All problems found.
pub fn parse(text: &str) -> Result<Model, Problems> {
    Scenario::read(Source::new("scenario.toml", text), &[], &NoFiles)?.model()
}

/// A title heads a line wherever it is shown.
fn with_one_line_title(mut tree: Node) -> Node {
    if let Some(node) = tree.get_mut("title")
        && let tree::Value::Text(title) = &mut node.value
    {
        *title = shown(title).into_owned();
    }
    tree
}
