//! Loading: bases, sets from outside and traces, until one tree holds the whole scenario.

use super::problem::{Collector, Problem, Span, suggest};
use super::set::{Assignment, apply, assignments, refuse_twice, split};
use super::tree::{Entry, Node, Value, parse, parse_value};
use super::{Files, Source, like, renamed, sample, trace};
use crate::arrival::ArrivalDef;
use crate::distribution::DistributionDef;
use crate::extension::{Def, ExtensionRow, ParamKind};
use crate::policy::PolicyDef;
use crate::text::cited;
use crate::time::Duration;
use std::sync::Arc;

/// What the sets from outside are called in messages.
pub(crate) const SET_SOURCE: &str = "--set";
/// Bases of bases of bases …: deeper than this nobody follows.
const BASES_MAX: usize = 16;
/// What a scenario with a base may hold.
const OVERLAY_KEYS: [&str; 10] = [
    "title",
    "question",
    "base",
    "set",
    "service",
    "timeline",
    "monitoring",
    "alert",
    "runbook",
    "expect",
];
/// Lists to which it adds.
const ADDED_TO: [&str; 3] = ["timeline", "alert", "runbook"];

/// Most requests that the traces of a scenario may have in all; each takes eight bytes, and as many
/// again while it is read.
const MOMENTS_MAX: usize = 50_000_000;

/// Loads one scenario.
pub(crate) struct Loader<'a> {
    /// Requests of traces so far.
    moments: usize,
    files: &'a dyn Files,
    problems: &'a mut Collector,
    sources: Vec<Source>,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(files: &'a dyn Files, problems: &'a mut Collector) -> Self {
        Self {
            moments: 0,
            files,
            problems,
            sources: Vec::new(),
        }
    }

    pub(crate) fn into_sources(self) -> Vec<Source> {
        self.sources
    }

    /// The tree of `source` with everything applied.
    pub(crate) fn load(&mut self, source: Source, sets: &[(String, String)]) -> Option<Node> {
        let first = self.add(source)?;
        self.layers(first, sets)
    }

    /// The tree of `source`, which `plan` refers to.
    pub(crate) fn load_after(&mut self, plan: Source, source: Source) -> Option<Node> {
        self.sources.push(plan);
        self.load(source, &[])
    }

    /// The tree of a scenario that is written within `plan`.
    pub(crate) fn load_within(&mut self, plan: &Source, mut tree: Node) -> Option<Node> {
        self.sources.push(plan.clone());
        renamed::scenario(&mut tree, self.problems);
        self.layers(tree, &[])
    }

    /// Applies a set to what was loaded.
    pub(crate) fn apply(&mut self, tree: &mut Node, assignment: &Assignment) {
        apply(tree, assignment, self.problems);
    }

    fn layers(&mut self, first: Node, sets: &[(String, String)]) -> Option<Node> {
        let mut layers = vec![first];
        while let Some(base) = self.base_of(layers.last()?) {
            layers.push(self.add(base)?);
        }
        let mut tree = layers.pop()?;
        // A base that cannot be read has been reported; what lies upon it is no scenario alone.
        if tree
            .get("base")
            .is_some_and(|base| base.as_text().is_some_and(|name| name != "none"))
        {
            return None;
        }
        self.drop_stray_set(&mut tree);
        like::resolve(&mut tree, self.problems);
        while let Some(layer) = layers.pop() {
            self.lay(&mut tree, layer);
        }
        for assignment in self.outside(sets) {
            apply(&mut tree, &assignment, self.problems);
        }
        self.traces(&mut tree);
        Some(tree)
    }

    fn add(&mut self, source: Source) -> Option<Node> {
        let number = self.sources.len() as u32;
        self.sources.push(source);
        let mut tree = parse(self.sources.last()?, number, self.problems)?;
        renamed::scenario(&mut tree, self.problems);
        Some(tree)
    }

    /// The base that a layer asks for.
    fn base_of(&mut self, layer: &Node) -> Option<Source> {
        let base = layer.get("base")?;
        let span = base.span;
        let name = base.as_text().filter(|name| *name != "none")?;
        if self.sources.len() > BASES_MAX {
            self.problems.push(
                Problem::new(
                    "E051",
                    format!("more than {BASES_MAX} bases upon each other"),
                )
                .at(span),
            );
            return None;
        }
        match self.files.read(name) {
            Ok(source) if self.sources.iter().any(|s| s.name == source.name) => {
                self.problems.push(
                    Problem::new(
                        "E051",
                        format!("the base {} is based on this scenario", cited(name)),
                    )
                    .at(span)
                    .help("bases must not go round in a circle"),
                );
                None
            }
            Ok(source) => Some(source),
            Err(why) => {
                self.problems.push(
                    Problem::new(
                        "E050",
                        format!("the base {} cannot be read: {why}", cited(name)),
                    )
                    .at(span),
                );
                None
            }
        }
    }

    fn drop_stray_set(&mut self, tree: &mut Node) {
        if let Some(set) = tree.take("set") {
            self.problems.push(
                Problem::new("E052", "`set` is for scenarios with a `base`")
                    .at(set.key_span)
                    .help("write the value where it belongs"),
            );
        }
    }

    /// Lays a scenario upon its base.
    fn lay(&mut self, tree: &mut Node, mut layer: Node) {
        for entry in layer.entries() {
            if !OVERLAY_KEYS.contains(&entry.key.as_str()) {
                let help = format!(
                    "{}; change the base with [set]",
                    suggest(&entry.key, OVERLAY_KEYS)
                );
                self.problems.push(
                    Problem::new(
                        "E052",
                        format!("a scenario with a `base` cannot hold `{}`", entry.key),
                    )
                    .at(entry.key_span)
                    .help(help),
                );
            }
        }
        // What a base expects of itself need not hold for what was changed.
        tree.take("expect");
        tree.take("base");
        if let Some(services) = layer.take("service") {
            self.add_servers(tree, services.node);
            like::resolve(tree, self.problems);
        }
        if let Some(set) = layer.take("set") {
            if !set.node.is_table() {
                self.problems.push(
                    Problem::new("E012", "`set` is a table of paths with values").at(set.node.span),
                );
            }
            for assignment in assignments(set.node.entries(), self.problems) {
                apply(tree, &assignment, self.problems);
            }
        }
        let more = ADDED_TO.map(|key| layer.take(key));
        for key in ["title", "question", "monitoring", "expect"] {
            if let Some(entry) = layer.take(key) {
                tree.put(entry);
            }
        }
        for more in more.into_iter().flatten() {
            append(tree, more);
        }
    }

    /// Adds the servers of an overlay to those of the base.
    fn add_servers(&mut self, tree: &mut Node, services: Node) {
        let Value::Table(services) = services.value else {
            let message = "`service` is a table of services";
            return (self.problems).push(Problem::new("E012", message).at(services.span));
        };
        for service in services {
            let names = tree.get("service").map_or(&[][..], Node::entries);
            let names: Vec<String> = names.iter().map(|entry| entry.key.clone()).collect();
            let known = (tree.get_mut("service")).and_then(|all| all.get_mut(&service.key));
            let Some(known) = known else {
                let message = format!("the base has no service called `{}`", service.key);
                self.problems.push(
                    Problem::new("E020", message)
                        .at(service.key_span)
                        .help(suggest(&service.key, names.iter().map(String::as_str))),
                );
                continue;
            };
            if let Some(other) = service.node.entries().iter().find(|e| e.key != "server") {
                let message = format!(
                    "a scenario with a `base` can add servers to a service, but not `{}`",
                    other.key
                );
                self.problems.push(
                    Problem::new("E052", message)
                        .at(other.key_span)
                        .help("change the base with [set]"),
                );
            }
            let span = service.node.span;
            let more = match service.node.value {
                Value::Table(keys) => keys.into_iter().find(|entry| entry.key == "server"),
                _ => None,
            };
            match more {
                Some(more) => append(known, more),
                None => self.problems.push(
                    Problem::new(
                        "E012",
                        "a service of a scenario with a `base` has servers to add",
                    )
                    .at(span)
                    .help("[[service.web.server]] with a name, and like = \"web-1\""),
                ),
            }
        }
    }

    /// The sets from outside, each pointing into a source of their own.
    fn outside(&mut self, sets: &[(String, String)]) -> Vec<Assignment> {
        if sets.is_empty() {
            return Vec::new();
        }
        let number = self.sources.len() as u32;
        let mut text = String::new();
        let mut found = Vec::new();
        for (path, value) in sets {
            let start = text.len();
            text.push_str(path);
            let path_span = Span::new(number, start..text.len());
            text.push_str(" = ");
            let value_start = text.len();
            text.push_str(value);
            let value_span = Span::new(number, value_start..text.len());
            text.push('\n');
            if let Some(path) = split(path, path_span, self.problems)
                && let Some(value) = parse_value(value, value_span, self.problems)
            {
                found.push(Assignment { path, value });
            }
        }
        self.sources.push(Source::new(SET_SOURCE, text));
        found.sort_by(|a, b| a.words().cmp(&b.words()));
        refuse_twice(&found, self.problems);
        found
    }

    /// Puts the moments of `arrivals = { kind = "trace", file = "…" }` in place of the file's name, for
    /// every parameter that may stand in a file.
    pub(crate) fn traces(&mut self, tree: &mut Node) {
        self.samples(tree);
        self.rules(tree);
        let Some(Node {
            value: Value::List(sources),
            ..
        }) = tree.get_mut("traffic")
        else {
            return;
        };
        for source in sources {
            if let Some(arrivals) = source.get_mut("arrivals") {
                self.arrivals(arrivals);
            }
        }
    }

    /// Puts the text of each file of rules beside its name.
    fn rules(&mut self, tree: &mut Node) {
        let monitoring = tree.get_mut("monitoring");
        let Some(Node {
            value: Value::List(files),
            ..
        }) = monitoring.and_then(|monitoring| monitoring.get_mut("rules"))
        else {
            return;
        };
        for rules in files {
            if rules.get("text").is_some() {
                continue;
            }
            let Some(file) = rules.get("file") else {
                continue;
            };
            let span = file.span;
            let Some(name) = file.as_text() else {
                continue;
            };
            let text = match self.files.read(name) {
                Ok(source) => source.text,
                Err(why) => {
                    let what = format!("the rules {} cannot be read: {why}", cited(name));
                    self.problems.push(Problem::new("E055", what).at(span));
                    // What could not be read was told; that nothing stands there would be told for nothing.
                    "groups: []".to_owned()
                }
            };
            rules.put(Entry {
                key: "text".to_owned(),
                key_span: span,
                node: Node {
                    value: Value::Text(text),
                    span,
                },
            });
        }
    }

    /// The same for one value of `arrivals`.
    pub(crate) fn arrivals(&mut self, arrivals: &mut Node) {
        let rows = ArrivalDef::registry().rows().iter().map(|def| &def.row);
        let Some((param, key)) = in_file(arrivals, rows) else {
            return;
        };
        let Some(file) = arrivals.take(key) else {
            return;
        };
        let span = file.node.span;
        // What could not be read was told; that it is missing as well would be told for nothing.
        let times = self
            .trace(&file.node)
            .unwrap_or_else(|| [Duration::ZERO].into());
        if arrivals.get(param).is_some() {
            let message = format!("a trace has either `{param}` or a `{key}`");
            self.problems
                .push(Problem::new("E017", message).at(file.key_span));
        }
        arrivals.put(Entry {
            key: param.to_owned(),
            key_span: file.key_span,
            node: Node {
                value: Value::Moments(times),
                span,
            },
        });
    }

    /// Puts what was measured in place of the name of its file, wherever below `node` a distribution names
    /// one; and the script likewise, where a policy does.
    pub(crate) fn samples(&mut self, node: &mut Node) {
        match &mut node.value {
            Value::List(items) => {
                for item in items {
                    self.samples(item);
                }
            }
            Value::Table(entries) => {
                for entry in entries {
                    self.samples(&mut entry.node);
                }
                let rows = DistributionDef::registry()
                    .rows()
                    .iter()
                    .map(|def| &def.row);
                if let Some((param, key)) = in_file(node, rows)
                    && let Some(file) = node.take(key)
                {
                    self.sample(node, param, &file);
                }
                let rows = PolicyDef::registry().rows().iter().map(|def| &def.row);
                if let Some((param, key)) = in_file(node, rows)
                    && let Some(file) = node.take(key)
                {
                    self.script(node, param, &file);
                }
            }
            _ => {}
        }
    }

    /// The same for one distribution, whose parameter `param` may stand in a file.
    fn sample(&mut self, law: &mut Node, param: &str, file: &Entry) {
        let span = file.node.span;
        let stray = ["values", "probabilities"]
            .into_iter()
            .find(|key| law.get(key).is_some());
        let read = match (stray, file.node.as_text()) {
            (Some(key), _) => {
                let what = format!("an empirical law has either `{key}` or a `{}`", file.key);
                Err(Problem::new("E017", what).at(file.key_span))
            }
            (None, None) => {
                let what = format!("`{}` is a text, not {}", file.key, file.node.noun());
                Err(Problem::new("E012", what).at(span))
            }
            (None, Some(name)) => match self.files.read(name) {
                Err(why) => {
                    let what = format!("the sample {} cannot be read: {why}", cited(name));
                    Err(Problem::new("E053", what).at(span))
                }
                Ok(source) => sample::read(&source.text).map_err(|why| {
                    let what = format!("the sample {} is none: {why}", cited(name));
                    Problem::new("E053", what).at(span).help(
                        "a time in each line, in seconds or with a unit, and perhaps the part of all times that is at most as long",
                    )
                }),
            },
        };
        let read = read.map_err(|problem| self.problems.push(problem)).ok();
        // What could not be read was told; that it is missing as well would be told for nothing.
        let read = read.unwrap_or(sample::Sample {
            values: vec![Duration::ZERO],
            probabilities: Vec::new(),
        });
        let mut put = |key: &str, value: Value| {
            law.put(Entry {
                key: key.to_owned(),
                key_span: file.key_span,
                node: Node { value, span },
            });
        };
        if stray.is_none() {
            put(param, Value::Moments(read.values.into()));
        }
        if !read.probabilities.is_empty() {
            let part = |part: f64| Node {
                value: Value::Float(part),
                span,
            };
            let parts = read.probabilities.into_iter().map(part);
            put("probabilities", Value::List(parts.collect()));
        }
    }

    /// The text of one script, so that what is wrong with it is shown in its own file.
    fn script(&mut self, policy: &mut Node, param: &str, file: &Entry) {
        let span = file.node.span;
        if policy.get(param).is_some() {
            let what = format!("a script has either `{param}` or a `{}`", file.key);
            self.problems
                .push(Problem::new("E017", what).at(file.key_span));
            return;
        }
        let Some(name) = file.node.as_text() else {
            let what = format!("`{}` is a text, not {}", file.key, file.node.noun());
            self.problems.push(Problem::new("E012", what).at(span));
            return;
        };
        let (text, span) = match self.files.read(name) {
            Ok(source) if !source.text.contains("fn pick") => {
                // What a text of another kind holds is not shown.
                let what = format!("the script {} is none: it has no `fn pick()`", cited(name));
                self.problems.push(Problem::new("E056", what).at(span));
                ("fn pick() { return any(); }".to_owned(), span)
            }
            Ok(mut source) => {
                if let Some(rest) = source.text.strip_prefix('\u{feff}') {
                    let rest = rest.to_owned();
                    source.text = rest;
                }
                let text = source.text.clone();
                // Values that are set while time runs are read without the texts that they stand in.
                let span = if self.sources.is_empty() {
                    span
                } else {
                    self.sources.push(source);
                    Span::new(self.sources.len() as u32 - 1, 0..text.len())
                };
                (text, span)
            }
            Err(why) => {
                let what = format!("the script {} cannot be read: {why}", cited(name));
                self.problems.push(Problem::new("E056", what).at(span));
                // What could not be read was told; that it is missing as well would be told for nothing.
                ("fn pick() { return any(); }".to_owned(), span)
            }
        };
        policy.put(Entry {
            key: param.to_owned(),
            key_span: file.key_span,
            node: Node {
                value: Value::Text(text),
                span,
            },
        });
    }

    fn trace(&mut self, file: &Node) -> Option<Arc<[Duration]>> {
        let span = file.span;
        let Some(name) = file.as_text() else {
            self.problems.push(
                Problem::new("E012", format!("`file` is a text, not {}", file.noun())).at(span),
            );
            return None;
        };
        let source = match self.files.read(name) {
            Ok(source) => source,
            Err(why) => {
                self.problems.push(
                    Problem::new(
                        "E053",
                        format!("the trace {} cannot be read: {why}", cited(name)),
                    )
                    .at(span),
                );
                return None;
            }
        };
        let refused = |why: &str| {
            let message = format!("the trace {} is none: {why}", cited(name));
            Problem::new("E053", message).at(span).help(
                "a time in each line: seconds or a span since the start of the run, seconds since 1970, or the date of an access log",
            )
        };
        let read = trace::read(&source.text);
        // A long text is not needed beside what it says.
        drop(source);
        match read {
            Ok(read) => {
                match together(name, self.moments, read.times.len()) {
                    Ok(all) => self.moments = all,
                    Err(problem) => {
                        self.problems.push(problem.at(span));
                        return None;
                    }
                }
                if let Some(remark) = read.remark {
                    self.problems.remark(span, remark);
                }
                Some(read.times.into())
            }
            Err(why) => {
                self.problems.push(refused(&why));
                None
            }
        }
    }
}

/// Requests of the traces so far and of another one.
fn together(name: &str, so_far: usize, more: usize) -> Result<usize, Problem> {
    let all = so_far + more;
    if all <= MOMENTS_MAX {
        return Ok(all);
    }
    let message = format!(
        "the trace {} is too long: with it the traces have {all} requests, and at most {MOMENTS_MAX} may",
        cited(name)
    );
    let help = "of requests that are alike a part with the same part of the servers behaves alike";
    Err(Problem::new("E053", message).help(help))
}

/// Adds a list of the overlay to the one that the base has under the same key.
fn append(table: &mut Node, more: Entry) {
    match (
        table.get_mut(&more.key).map(|n| &mut n.value),
        more.node.value,
    ) {
        (Some(Value::List(old)), Value::List(new)) => old.extend(new),
        (_, value) => table.put(Entry {
            node: Node {
                value,
                span: more.node.span,
            },
            ..more
        }),
    }
}

/// The parameter of this row that may stand in a file, and the key that names the file.
fn in_file(
    chosen: &Node,
    mut rows: impl Iterator<Item = &'static ExtensionRow>,
) -> Option<(&'static str, &'static str)> {
    let kind = chosen.get("kind").and_then(Node::as_text)?;
    let row = rows.find(|row| row.name == kind)?;
    row.params.iter().find_map(|param| match param.kind {
        ParamKind::Moments { file } | ParamKind::Code { file, .. } => Some((param.name, file)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_are_bounded_together() {
        assert_eq!(together("log", 49_999_000, 1000).ok(), Some(MOMENTS_MAX));
        let problem = together("log", 49_999_000, 1001).expect_err("one too many");
        assert_eq!(problem.code, "E053");
        for word in ["\"log\"", "50000001", "50000000"] {
            assert!(
                problem.message.contains(word),
                "{word}: {}",
                problem.message
            );
        }
    }
}
