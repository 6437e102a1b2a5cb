//! From the text of a plan to the plan.

use super::axis::{Axis, CELLS_MAX, axis};
use super::keys::PlanSpec;
use super::plan::Plan;
use super::{check, write};
use crate::experiment::{Measure, Precision};
use crate::scenario::problem::{Collector, Problem, Span};
use crate::scenario::section::{Cx, Section};
use crate::scenario::set::{Assignment, Segment, assignments};
use crate::scenario::tree::{Node, Value, parse};
use crate::scenario::{Files, Planned, Problems, Scenario, Source};
use std::sync::Arc;

impl Plan {
    /// Reads a plan. The scenario is asked of `files` by its name, unless the plan holds it.
    ///
    /// # Errors
    /// All problems of the plan and of its scenario. A value that only some cells cannot take is
    /// none: those cells fail when they are run.
    pub fn read(source: &Source, files: &dyn Files) -> Result<Self, Problems> {
        let mut problems = Collector::default();
        let mut sources: Arc<[Source]> = Arc::from([source.clone()]);
        let plan = read(source, files, &mut sources, &mut problems);
        problems.finish(&sources)?;
        plan.ok_or_else(|| Problems {
            sources: sources.to_vec(),
            problems: vec![Problem::new(
                "E099",
                "the plan cannot be read, and no reason was found",
            )],
            left_out: 0,
        })
    }
}

fn read(
    source: &Source,
    files: &dyn Files,
    sources: &mut Arc<[Source]>,
    problems: &mut Collector,
) -> Option<Plan> {
    let tree = parse(source, 0, problems)?;
    let cx = &mut Cx {
        problems,
        clock: None,
    };
    let spec = PlanSpec::read(&tree, cx)?;
    let measures = measures(spec.measures.get()?, problems);
    let axes = axes(&spec, files, problems);
    let precision = precision(&spec, problems);
    let set = common_sets(&spec, &tree, problems);
    let what = match &spec.scenario.get()?.value {
        Value::Table(_) => {
            let name = spec
                .name
                .get()
                .and_then(Option::as_deref)
                .unwrap_or(source.stem());
            Planned::Written(name, spec.scenario.get()?.clone())
        }
        Value::Text(name) => match files.read(name) {
            Ok(found) => Planned::Named(found),
            Err(why) => {
                let message = format!("the scenario {name:?} cannot be read: {why}");
                problems.push(Problem::new("E054", message).at(spec.scenario.span));
                return None;
            }
        },
        _ => {
            problems.push(
                Problem::new(
                    "E012",
                    "`scenario` is a file, the name of a model, or a table",
                )
                .at(spec.scenario.span),
            );
            return None;
        }
    };
    let (scenario, all) = Scenario::of_plan(source, what, &set, files, problems);
    *sources = all;
    let (scenario, measures, axes) = (scenario?, measures?, axes?);
    if !problems.is_empty() {
        return None;
    }
    let order = order(&axes);
    let scenario_hash = scenario.hash();
    let mut plan = Plan {
        name: spec
            .name
            .get()?
            .clone()
            .unwrap_or_else(|| source.stem().to_owned()),
        title: spec.title.get()?.clone(),
        scenario_hash,
        scenario,
        replications: spec.replications.copied()?,
        precision,
        confidence: spec.confidence.copied()?,
        measures: Vec::new(),
        axes,
        order,
        common: String::new(),
        sources: sources.clone(),
    };
    plan.measures = check::check(&plan, &measures, problems)?;
    let taken: Vec<&str> = plan.measures.iter().map(Measure::path).collect();
    check::names(&plan.axes, &taken, problems);
    plan.common = write::common_text(&plan);
    Some(plan)
}

/// The paths of what is measured; whether a summary has them is found out with a model.
fn measures<'n>(node: &'n Node, problems: &mut Collector) -> Option<Vec<&'n Node>> {
    let Value::List(items) = &node.value else {
        let message = format!("`measures` is a list of paths, not {}", node.noun());
        problems.push(
            Problem::new("E012", message)
                .at(node.span)
                .help("measures = [\"availability\"]"),
        );
        return None;
    };
    if items.is_empty() {
        problems.push(Problem::new("E011", "a plan that measures nothing").at(node.span));
        return None;
    }
    for item in items.iter().filter(|item| item.as_text().is_none()) {
        let message = format!("a path is a text, not {}", item.noun());
        problems.push(Problem::new("E012", message).at(item.span));
    }
    Some(
        items
            .iter()
            .filter(|item| item.as_text().is_some())
            .collect(),
    )
}

/// How precise the intervals of a cell are to be.
fn precision(spec: &PlanSpec, problems: &mut Collector) -> Option<Precision> {
    let relative = spec.precision.copied().flatten();
    if relative.is_none() && spec.max_replications.written {
        problems.push(
            Problem::new(
                "E060",
                "`max_replications` is for a plan with a `precision`",
            )
            .at(spec.max_replications.span)
            .help("precision = \"2%\", or `replications` alone"),
        );
    }
    Some(Precision {
        relative: relative?,
        max_replications: spec.max_replications.copied()?,
    })
}

fn axes(spec: &PlanSpec, files: &dyn Files, problems: &mut Collector) -> Option<Vec<Axis>> {
    let specs = spec.axis.get()?;
    let read: Vec<Option<Axis>> = specs.iter().map(|spec| axis(spec, problems)).collect();
    let mut axes = read.into_iter().collect::<Option<Vec<_>>>()?;
    if axes.is_empty() {
        problems.push(
            Problem::new("E060", "a plan without an axis has nothing to vary").at(spec.axis.span),
        );
    }
    if let Some(axis) = axes.iter().find(|axis| axis.sobol && axes.len() > 1) {
        let message = "a `sobol` design is the only axis of its plan";
        problems.push(
            Problem::new("E060", message)
                .at(axis.span)
                .help("its paths, or a plan of its own for each value of the others"),
        );
    }
    let values = axes
        .iter_mut()
        .flat_map(|axis| axis.points.iter_mut().flatten());
    Scenario::read_traces(values, files, problems);
    let cells = axes
        .iter()
        .try_fold(1_usize, |cells, axis| cells.checked_mul(axis.points.len()));
    if cells.is_none_or(|cells| cells > CELLS_MAX) {
        let message = format!("the plan has more than {CELLS_MAX} cells");
        problems.push(
            Problem::new("E024", message)
                .at(axes.last().map_or(spec.span, |axis| axis.span))
                .help("fewer values, paths that go together (zip), or a sample (latin_hypercube)"),
        );
    }
    Some(axes)
}

/// What the plan sets for every cell: its `set`, `seed` and `limits`.
fn common_sets(spec: &PlanSpec, tree: &Node, problems: &mut Collector) -> Vec<Assignment> {
    let segment = |word: &str, span: Span| Segment {
        word: word.to_owned(),
        span,
    };
    let mut sets = spec
        .set
        .get()
        .map_or(Vec::new(), |entries| assignments(entries, problems));
    if let Some(entry) = tree
        .entry("seed")
        .filter(|e| e.node.as_text() != Some("none"))
    {
        sets.push(Assignment {
            path: vec![segment("seed", entry.key_span)],
            value: entry.node.clone(),
        });
    }
    for entry in tree.get("limits").map_or(&[][..], Node::entries) {
        sets.push(Assignment {
            path: vec![
                segment("limits", entry.key_span),
                segment(&entry.key, entry.key_span),
            ],
            value: entry.node.clone(),
        });
    }
    sets.sort_by(|a, b| a.words().cmp(&b.words()));
    crate::scenario::set::refuse_twice(&sets, problems);
    sets
}

/// A whole comes before its parts, whichever axis varies it.
fn order(axes: &[Axis]) -> Vec<(usize, usize)> {
    let mut order: Vec<(usize, usize)> = axes
        .iter()
        .enumerate()
        .flat_map(|(a, axis)| (0..axis.columns.len()).map(move |c| (a, c)))
        .collect();
    let words = |(a, c): &(usize, usize)| -> Vec<&str> {
        axes[*a].columns[*c]
            .path
            .iter()
            .map(|s| s.word.as_str())
            .collect()
    };
    order.sort_by(|x, y| words(x).cmp(&words(y)));
    order
}
