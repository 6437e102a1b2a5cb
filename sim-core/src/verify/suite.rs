//! The suite's data: cases written in TOML, one for each row of a table.

use super::figures::{FIGURES, FigureDef, Needs};
use super::judge::{Class, Effort};
use crate::model::Model;
use crate::scenario::problem::Collector;
use crate::scenario::tree::{Node, Value, parse};
use crate::scenario::{NoFiles, Scenario, Source};
use crate::time::Duration;
use std::sync::Arc;

/// The files of the suite.
static FILES: &[(&str, &str)] = &[
    ("station.toml", include_str!("suite/station.toml")),
    ("order.toml", include_str!("suite/order.toml")),
    ("systems.toml", include_str!("suite/systems.toml")),
    ("policies.toml", include_str!("suite/policies.toml")),
    ("published.toml", include_str!("suite/published.toml")),
];

/// A figure and the value it must have.
pub struct Demand {
    /// The figure as written.
    pub text: String,
    /// Which it is.
    pub figure: &'static FigureDef,
    /// Its arguments.
    pub arguments: Vec<f64>,
    /// A number or a formula.
    pub expected: String,
    /// How strictly they are compared.
    pub class: Class,
}

/// A case of the suite.
pub struct Case {
    /// Its number in the list of cases: `P01` and so on.
    pub id: String,
    /// What it is.
    pub title: String,
    /// Where the reference is from.
    pub source: String,
    /// What it demands.
    pub demands: Vec<Demand>,
    /// Independent replications in a full run, and in a fast one.
    replications: [u64; 2],
    /// What it needs that is not there.
    pub needs: Option<String>,
    scenario: String,
    sets: Vec<(String, String)>,
    twin: Vec<(String, String)>,
    fast: Option<f64>,
    full: f64,
    warm_up: Option<f64>,
}

/// Replications where a case does not say otherwise: enough for a standard error to be believed.
const REPLICATIONS: u64 = 30;

/// Share of a run that is not measured, where a case does not say otherwise.
const WARM_UP: f64 = 0.1;

/// Every case, in order.
///
/// # Errors
/// A mistake in the data.
pub fn cases() -> Result<Vec<Case>, String> {
    let mut all = Vec::new();
    for (name, text) in FILES {
        let mut problems = Collector::default();
        let source = Source::new(*name, *text);
        let tree = parse(&source, 0, &mut problems);
        if let Err(problems) = problems.finish(&[source]) {
            return Err(problems.to_string());
        }
        let tree = tree.ok_or_else(|| format!("{name} cannot be read"))?;
        for case in tree.get("case").map_or(&[][..], Node::items) {
            all.extend(expand(case, &tree).map_err(|what| format!("{name}: {what}"))?);
        }
    }
    all.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(all)
}

/// The cases of an entry: one, or one for each of its `rows`, whose cells replace `{column}`.
fn expand(node: &Node, tree: &Node) -> Result<Vec<Case>, String> {
    let columns: Vec<String> = texts(node, "columns")?;
    let Some(rows) = node.get("rows") else {
        return Ok(vec![read(node, tree, &[])?]);
    };
    let row = |row: &Node| {
        if row.items().len() != columns.len() {
            return Err(format!("a row has {} cells", row.items().len()));
        }
        let cells = columns.iter().cloned().zip(row.items().iter().map(word));
        read(node, tree, &cells.collect::<Vec<_>>())
    };
    rows.items().iter().map(row).collect()
}

fn read(node: &Node, tree: &Node, cells: &[(String, String)]) -> Result<Case, String> {
    let fill = |text: &str| {
        cells.iter().fold(text.to_owned(), |text, (column, cell)| {
            text.replace(&format!("{{{column}}}"), cell)
        })
    };
    let text = |key: &str| node.get(key).map(|n| fill(&word(n)));
    let number = |key: &str| match text(key) {
        None => Ok(None),
        Some(text) if text.is_empty() => Ok(None),
        Some(text) => text
            .parse::<f64>()
            .map(Some)
            .map_err(|_| format!("{key} = {text:?} is no number")),
    };
    let required = |key: &str| text(key).ok_or(format!("`{key}` is missing"));
    let id = required("id")?;
    let title = required("title")?;
    let here = |what: String| format!("{id} {title}: {what}");
    let needs = text("needs");
    let mut demands = Vec::new();
    for text in texts(node, "demand")? {
        // A column may leave a demand out.
        let text = fill(&text);
        if !text.contains("= -") {
            demands.push(demand(&text).map_err(here)?);
        }
    }
    let on = text("on").unwrap_or_default();
    let scenario = tree
        .get("scenario")
        .and_then(|all| all.get(&on))
        .map(word)
        .unwrap_or_default();
    if scenario.is_empty() && needs.is_none() {
        return Err(here(format!("no scenario is called {on:?}")));
    }
    let sets = |key: &str| -> Result<Vec<(String, String)>, String> {
        texts(node, key)?
            .iter()
            .map(|set| {
                let (path, value) = set
                    .split_once('=')
                    .ok_or(here(format!("{set:?} sets nothing")))?;
                Ok((fill(path.trim()), fill(value.trim())))
            })
            .collect()
    };
    let full_replications = number("replications")?.map_or(REPLICATIONS, |n| n as u64);
    let fast_replications = number("fast_replications")?.map_or(full_replications, |n| n as u64);
    Ok(Case {
        source: required("source")?,
        replications: [full_replications, fast_replications],
        scenario,
        sets: sets("set")?,
        twin: sets("twin")?,
        fast: number("fast")?,
        full: number("full")?.unwrap_or(0.0),
        warm_up: number("warm_up")?,
        needs,
        demands,
        id,
        title,
    })
}

/// `figure(arguments) = expected : class`.
fn demand(text: &str) -> Result<Demand, String> {
    let wrong = |what: &str| format!("{text:?}: {what}");
    let (left, right) = text.split_once(" = ").ok_or(wrong("no ` = `"))?;
    let (expected, class) = right.rsplit_once(" : ").ok_or(wrong("no ` : `"))?;
    let (name, list) = match left.trim().split_once('(') {
        Some((name, list)) => (name, list.trim_end_matches(')')),
        None => (left.trim(), ""),
    };
    let figure = FIGURES.iter().find(|f| f.name == name);
    let numbers = list.split(',').filter(|a| !a.trim().is_empty());
    let arguments: Result<Vec<f64>, _> = numbers.map(|a| a.trim().parse()).collect();
    Ok(Demand {
        text: left.trim().to_owned(),
        figure: figure.ok_or(wrong("no such figure"))?,
        arguments: arguments.map_err(|_| wrong("arguments are numbers"))?,
        expected: expected.trim().to_owned(),
        class: Class::parse(class).ok_or(wrong("no such class"))?,
    })
}

/// A value as it would be written in a set.
fn word(node: &Node) -> String {
    match &node.value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::List(_) | Value::Moments(_) | Value::Table(_) => String::new(),
    }
}

fn texts(node: &Node, key: &str) -> Result<Vec<String>, String> {
    let Some(list) = node.get(key) else {
        return Ok(Vec::new());
    };
    let text = |item: &Node| item.as_text().map(str::to_owned);
    let read: Option<Vec<String>> = list.items().iter().map(text).collect();
    read.ok_or(format!("`{key}` is a list of texts"))
}

impl Case {
    /// Its name in full.
    pub fn name(&self) -> String {
        format!("{} {}", self.id, self.title)
    }

    /// Independent replications in a run of that kind.
    pub fn replications(&self, effort: Effort) -> u64 {
        match effort {
            Effort::Full => self.replications[0],
            Effort::Fast => self.replications[1],
        }
    }

    /// Time simulated in all replications together, in mean service times; `None` when there is
    /// no run of that kind.
    fn time(&self, effort: Effort) -> Option<f64> {
        match effort {
            Effort::Fast => self.fast,
            Effort::Full => Some(self.full.max(self.fast.unwrap_or(0.0))),
        }
    }

    /// Whether it runs at all with this effort.
    pub fn runs(&self, effort: Effort) -> bool {
        self.needs.is_none() && self.time(effort).is_some()
    }

    /// About how many requests a run of that kind simulates, over all replications: for progress.
    pub fn requests(&self, effort: Effort) -> f64 {
        let (Ok(Some(model)), Some(time)) = (self.model(effort, 1), self.time(effort)) else {
            return 0.0;
        };
        let rate = |source: &crate::model::Source| source.rate.initial_hz().max(1.0);
        time * model.sources.iter().map(rate).sum::<f64>()
    }

    /// The scenario as run; `None` when there is no run of that kind.
    ///
    /// # Errors
    /// What is wrong with the scenario.
    pub(super) fn model(&self, effort: Effort, seed: u64) -> Result<Option<Arc<Model>>, String> {
        match self.time(effort) {
            Some(time) => self.build(&[], time, effort, seed).map(Some),
            None => Ok(None),
        }
    }

    /// The other scenario, whose requests must end at the same times.
    pub(super) fn twin(&self, effort: Effort, seed: u64) -> Result<Option<Arc<Model>>, String> {
        match self.time(effort) {
            Some(time) if !self.twin.is_empty() => {
                self.build(&self.twin, time, effort, seed).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn build(
        &self,
        twin: &[(String, String)],
        time: f64,
        effort: Effort,
        seed: u64,
    ) -> Result<Arc<Model>, String> {
        let replaced = |path: &String| twin.iter().any(|(other, _)| other == path);
        let own = self.sets.iter().filter(|(path, _)| !replaced(path));
        let sets: Vec<_> = own.chain(twin).cloned().collect();
        let source = Source::new(format!("{}.toml", self.id), self.scenario.clone());
        let read = Scenario::read(source, &sets, &NoFiles).and_then(|scenario| scenario.model());
        let mut model = read.map_err(|problems| format!("{}: {problems}", self.name()))?;
        let each = time / self.replications(effort) as f64;
        let warm_up = self.warm_up.unwrap_or(WARM_UP * each);
        model.horizon = Duration::from_secs_f64(warm_up + each);
        model.warm_up = Duration::from_secs_f64(warm_up);
        model.seed = seed;
        model.recording.interval = model.horizon;
        if self.demands.iter().any(|d| d.figure.needs == Needs::Log) {
            model.recording.every_nth_request = 1;
        }
        Ok(Arc::new(model))
    }
}
