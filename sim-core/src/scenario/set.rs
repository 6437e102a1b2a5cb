//! Paths: how `--set`, overlays, time lines, sweeps and sliders name a key.
//!
//! A path is the keys from the top down, joined by dots: `client.timeout`,
//! `service.web.server.web-1.weight`, `service.web.balancer.policy.d`. Members of a list are named
//! by their name (calls: by the service called) or counted from 0; `*` is all of them. A server
//! written with others (`count = 3`) can be named alone, which takes it out of the group, or with
//! them by the group's name. A name with a dot stands in quotation marks.
//!
//! A set changes exactly what its path names: `like` has copied its keys before.

use super::assumed;
use super::members::{choose, member_name, member_names};
use super::problem::{Collector, Problem, Span, suggest};
use super::renamed;
use super::section::{ExtensionTable, Form, KeyDef, Section, SectionDef, key_list};
use super::sections::{ServerSpec, Top};
use super::tree::{Entry, Node, Value};
use crate::text::cited;

/// A key of a path and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Segment {
    pub word: String,
    pub span: Span,
}

/// A path with its new value.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Assignment {
    pub path: Vec<Segment>,
    pub value: Node,
}

impl Assignment {
    /// The path's words: what decides the order in which several are applied, so that a whole
    /// comes before its parts whoever wrote them first.
    pub(crate) fn words(&self) -> Vec<&str> {
        self.path.iter().map(|s| s.word.as_str()).collect()
    }

    /// As a path is written.
    pub(crate) fn text(&self) -> String {
        join(&self.path)
    }

    fn span(&self) -> Span {
        match (self.path.first(), self.path.last()) {
            (Some(first), Some(last)) => Span {
                end: last.span.end,
                ..first.span
            },
            _ => self.value.span,
        }
    }
}

/// A path as it is written.
pub(crate) fn join(path: &[Segment]) -> String {
    let quoted = |segment: &Segment| {
        if segment.word.contains('.') {
            format!("\"{}\"", segment.word)
        } else {
            segment.word.clone()
        }
    };
    path.iter().map(quoted).collect::<Vec<_>>().join(".")
}

/// Splits a path into its keys; `span` is where it stands.
pub(crate) fn split(path: &str, span: Span, problems: &mut Collector) -> Option<Vec<Segment>> {
    let mut segments = Vec::new();
    let mut rest = path;
    loop {
        let at = path.len() - rest.len();
        let (word, from, after) = if let Some(quoted) = rest.strip_prefix('"') {
            let Some(end) = quoted.find('"') else { break };
            (&quoted[..end], at + 1, &quoted[end + 1..])
        } else {
            let end = rest.find('.').unwrap_or(rest.len());
            (rest[..end].trim(), at, &rest[end..])
        };
        if word.is_empty() {
            break;
        }
        segments.push(Segment {
            word: word.to_owned(),
            span: span.part(from, from + word.len()),
        });
        if after.is_empty() {
            renamed::path(&mut segments, problems);
            return Some(segments);
        }
        let Some(next) = after.strip_prefix('.') else {
            break;
        };
        rest = next;
    }
    problems.push(
        Problem::new("E040", format!("{} is no path", cited(path)))
            .at(span)
            .help("keys joined by dots, such as service.web.server.web-1.weight"),
    );
    None
}

/// Reads the pairs of a `set` table. Nested tables written with dots but without quotation marks
/// mean the same as quoted paths.
pub(crate) fn assignments(entries: &[Entry], problems: &mut Collector) -> Vec<Assignment> {
    let mut found = Vec::new();
    for entry in entries {
        // A quoted key stands between quotation marks: the path begins one byte later.
        let quoted = (entry.key_span.end - entry.key_span.start) as usize > entry.key.len();
        let span = if quoted {
            entry.key_span.part(1, entry.key.len() + 1)
        } else {
            entry.key_span
        };
        if let Some(path) = split(&entry.key, span, problems) {
            flatten(path, &entry.node, &mut found);
        }
    }
    for assignment in &mut found {
        renamed::path(&mut assignment.path, problems);
    }
    found.sort_by(|a, b| a.words().cmp(&b.words()));
    refuse_twice(&found, problems);
    found
}

fn flatten(path: Vec<Segment>, value: &Node, found: &mut Vec<Assignment>) {
    let nested = path.len() < 3 && value.get("kind").is_none() && !value.entries().is_empty();
    if !nested {
        found.push(Assignment {
            path,
            value: value.clone(),
        });
        return;
    }
    for entry in value.entries() {
        let mut path = path.clone();
        path.push(Segment {
            word: entry.key.clone(),
            span: entry.key_span,
        });
        flatten_deep(path, &entry.node, found);
    }
}

fn flatten_deep(path: Vec<Segment>, value: &Node, found: &mut Vec<Assignment>) {
    if value.is_table() && value.get("kind").is_none() && !value.entries().is_empty() {
        for entry in value.entries() {
            let mut path = path.clone();
            path.push(Segment {
                word: entry.key.clone(),
                span: entry.key_span,
            });
            flatten_deep(path, &entry.node, found);
        }
    } else {
        found.push(Assignment {
            path,
            value: value.clone(),
        });
    }
}

/// Two values for one path: whichever won, somebody would be surprised.
pub(crate) fn refuse_twice(sorted: &[Assignment], problems: &mut Collector) {
    for pair in sorted.windows(2) {
        if let [first, second] = pair
            && first.words() == second.words()
        {
            problems.push(
                Problem::new("E041", format!("`{}` is set twice", first.text()))
                    .at(second.span())
                    .label(first.span(), "first here"),
            );
        }
    }
}

/// Applies one assignment to the tree of a scenario.
pub(crate) fn apply(root: &mut Node, assignment: &Assignment, problems: &mut Collector) {
    let renamed = renamed::assignment(assignment);
    let assignment = renamed.as_ref().unwrap_or(assignment);
    for key in ["base", "set"] {
        if assignment.path[0].word == key {
            problems.push(
                Problem::new("E044", format!("`{key}` cannot be set"))
                    .at(assignment.span())
                    .help("it belongs into a file"),
            );
            return;
        }
    }
    assumed::is_filled(root, assignment);
    Walk {
        assignment,
        problems,
    }
    .section(root, Top::def(), 0);
}

/// One assignment on its way down the tree.
pub(crate) struct Walk<'a> {
    pub assignment: &'a Assignment,
    pub problems: &'a mut Collector,
}

impl Walk<'_> {
    fn segment(&self, at: usize) -> Option<&Segment> {
        self.assignment.path.get(at)
    }

    fn fail(&mut self, at: usize, code: &'static str, message: String, help: impl Into<String>) {
        let span = self.segment(at).map_or(self.assignment.span(), |s| s.span);
        self.problems
            .push(Problem::new(code, message).at(span).help(help));
    }

    /// Sets the key at position `at` of the path in a section.
    pub(crate) fn section(&mut self, node: &mut Node, def: &'static SectionDef, at: usize) {
        let Some(segment) = self.segment(at).cloned() else {
            self.fail(
                at,
                "E040",
                "the path ends too early".to_owned(),
                format!("go on with one of: {}", key_list(def)),
            );
            return;
        };
        let Some(key) = def.keys.iter().find(|k| k.name == segment.word) else {
            let help = suggest(&segment.word, def.keys.iter().map(|k| k.name));
            self.fail(at, "E040", format!("no key `{}` here", segment.word), help);
            return;
        };
        if key.name == "like" {
            self.fail(
                at,
                "E044",
                "`like` cannot be set".to_owned(),
                "its keys were copied when the file was read",
            );
            return;
        }
        if at + 1 == self.assignment.path.len() {
            let mut value = self.assignment.value.clone();
            renamed::value(&mut value, key, def, self.problems);
            node.put(Entry {
                key: segment.word,
                key_span: segment.span,
                node: value,
            });
            return;
        }
        self.inside(node, key, at);
    }

    /// Goes on below a key.
    fn inside(&mut self, node: &mut Node, key: &'static KeyDef, at: usize) {
        let mut form = (key.form)();
        if let Form::Optional(inner) = form {
            form = *inner;
        }
        match form {
            Form::Table(def) | Form::Override(def) => {
                if let Some(child) = self.child_table(node, key, at) {
                    self.section(child, def, at + 1);
                }
            }
            Form::Named(def) => self.named(node, key, def, at),
            Form::Tables(def) => self.member(node, key, def, at),
            Form::Extension(_) | Form::Rate => self.row(node, key, at),
            Form::Extensions(table) => self.listed(node, key, &table, at),
            Form::Sets => {
                if let Some(child) = self.child_table(node, key, at) {
                    self.raw(child, at + 1);
                }
            }
            _ => self.fail(at + 1, "E040", format!("`{}` has no parts", key.name), ""),
        }
    }

    /// The table of an optional section, made when it was absent or `none`.
    fn child_table<'n>(
        &mut self,
        node: &'n mut Node,
        key: &KeyDef,
        at: usize,
    ) -> Option<&'n mut Node> {
        if node.get(key.name).is_none_or(|child| !child.is_table()) {
            let span = self.segment(at)?.span;
            node.put(Entry {
                key: key.name.to_owned(),
                key_span: span,
                node: Node::empty_table(span),
            });
        }
        node.get_mut(key.name)
    }

    fn named(&mut self, node: &mut Node, key: &KeyDef, def: &'static SectionDef, at: usize) {
        let Some(name) = self.segment(at + 1).cloned() else {
            return;
        };
        let names: Vec<String> = node
            .get(key.name)
            .map_or(&[][..], Node::entries)
            .iter()
            .map(|e| e.key.clone())
            .collect();
        match node
            .get_mut(key.name)
            .and_then(|table| table.get_mut(&name.word))
        {
            Some(child) if child.is_table() && at + 2 < self.assignment.path.len() => {
                self.section(child, def, at + 2);
            }
            Some(_) => self.fail(
                at + 1,
                "E040",
                "the path ends too early".to_owned(),
                format!("go on with one of: {}", key_list(def)),
            ),
            None => self.fail(
                at + 1,
                "E020",
                format!("no {} is called `{}`", key.name, name.word),
                suggest(&name.word, names.iter().map(String::as_str)),
            ),
        }
    }

    fn member(&mut self, node: &mut Node, key: &KeyDef, def: &'static SectionDef, at: usize) {
        let Some(name) = self.segment(at + 1).cloned() else {
            return;
        };
        let servers = std::ptr::eq(def, ServerSpec::def());
        let list = node.get_mut(key.name);
        let Some(Node {
            value: Value::List(items),
            ..
        }) = list
        else {
            self.fail(at, "E020", format!("there is no {} here", key.name), "");
            return;
        };
        // A server can be set as a whole group: `service.web.server.weight` names all of them.
        if servers
            && def.keys.iter().any(|k| k.name == name.word)
            && !items
                .iter()
                .any(|i| member_name(i, 0, def).as_deref() == Some(&name.word))
        {
            for item in items.iter_mut() {
                self.section(item, def, at + 1);
            }
            return;
        }
        if at + 2 >= self.assignment.path.len() {
            self.fail(
                at + 1,
                "E040",
                "the path ends too early".to_owned(),
                format!("go on with one of: {}", key_list(def)),
            );
            return;
        }
        let chosen = choose(items, &name.word, def);
        if chosen.is_empty() {
            let names = member_names(items, def);
            let help = suggest(&name.word, names.iter().map(String::as_str));
            self.fail(
                at + 1,
                "E020",
                format!("no {} is called `{}`", key.name, name.word),
                help,
            );
        }
        for index in chosen {
            if let Some(item) = items.get_mut(index) {
                self.section(item, def, at + 2);
            }
        }
    }

    /// Goes on in a list of extension values: a member is named by its kind, or counted from 0.
    fn listed(&mut self, node: &mut Node, key: &KeyDef, table: &ExtensionTable, at: usize) {
        let Some(name) = self.segment(at + 1).cloned() else {
            return;
        };
        if table.each_once {
            add_kind(node, key, table, &name);
        }
        let items = node.get(key.name).map_or(&[][..], Node::items);
        let kinds: Vec<String> = (items.iter().filter_map(kind_of))
            .map(str::to_owned)
            .collect();
        let mut named = (0..items.len()).filter(|&i| kind_of(&items[i]) == Some(&name.word));
        let (index, further) = (named.next(), named.next());
        let index = index.or_else(|| name.word.parse().ok().filter(|i| *i < items.len()));
        let help = suggest(&name.word, kinds.iter().map(String::as_str));
        match (index, further) {
            (_, Some(_)) => {
                let what = format!("several of `{}` are called `{}`", key.name, name.word);
                self.fail(at + 1, "E020", what, "count them from 0 instead");
            }
            (None, _) => {
                let what = format!("none of `{}` is called `{}`", key.name, name.word);
                self.fail(at + 1, "E020", what, help);
            }
            (Some(index), None) => {
                let list = node.get_mut(key.name).map(|list| &mut list.value);
                let Some(Value::List(items)) = list else {
                    return;
                };
                let last = at + 2 == self.assignment.path.len();
                if last {
                    items[index] = self.assignment.value.clone();
                } else {
                    spell_out(&mut items[index]);
                    self.raw(&mut items[index], at + 2);
                }
            }
        }
    }

    fn row(&mut self, node: &mut Node, key: &KeyDef, at: usize) {
        let Some(child) = node.get_mut(key.name) else {
            let help = format!(
                "set the whole: {} = {{ kind = \"…\", {} = … }}",
                key.name,
                self.segment(at + 1).map_or("", |s| &s.word)
            );
            self.fail(
                at + 1,
                "E040",
                format!(
                    "`{}` is not written in the scenario, so it has no parameter to set",
                    key.name
                ),
                help,
            );
            return;
        };
        spell_out(child);
        self.raw(child, at + 1);
    }

    /// Inside of extension values and lists, whose readers check what is written there.
    fn raw(&mut self, node: &mut Node, at: usize) {
        let Some(segment) = self.segment(at).cloned() else {
            return;
        };
        let last = at + 1 == self.assignment.path.len();
        let value = self.assignment.value.clone();
        match &mut node.value {
            Value::Table(_) if last => node.put(Entry {
                key: segment.word,
                key_span: segment.span,
                node: value,
            }),
            Value::Table(_) => match node.get_mut(&segment.word) {
                Some(child) => self.raw(child, at + 1),
                None => self.fail(
                    at,
                    "E040",
                    format!("`{}` is not written here", segment.word),
                    "",
                ),
            },
            Value::List(items) => match segment
                .word
                .parse::<usize>()
                .ok()
                .and_then(|i| items.get_mut(i))
            {
                Some(item) if last => *item = value,
                Some(item) => self.raw(item, at + 1),
                None => {
                    let count = items.len();
                    self.fail(
                        at,
                        "E040",
                        format!("no member {} in a list of {count}", segment.word),
                        "members are counted from 0",
                    );
                }
            },
            _ => self.fail(
                at,
                "E040",
                "what is written here has no parts".to_owned(),
                "",
            ),
        }
    }
}

/// A kind that a list does not hold yet, and that is named once at most: its path adds it at the end.
fn add_kind(node: &mut Node, key: &KeyDef, table: &ExtensionTable, kind: &Segment) {
    let written = node.get(key.name).map_or(&[][..], Node::items);
    let there = written.iter().any(|item| kind_of(item) == Some(&kind.word));
    if there || !(table.rows)().iter().any(|row| row.name == kind.word) {
        return;
    }
    let span = kind.span;
    let value = Value::Text(kind.word.clone());
    let item = Node { value, span };
    match node.get_mut(key.name).map(|list| &mut list.value) {
        Some(Value::List(items)) => items.push(item),
        Some(_) => {}
        None => node.put(Entry {
            key: key.name.to_owned(),
            key_span: span,
            node: Node {
                value: Value::List(vec![item]),
                span,
            },
        }),
    }
}

/// The kind of an extension value, however it is written.
pub(crate) fn kind_of(value: &Node) -> Option<&str> {
    value
        .as_text()
        .or_else(|| value.get("kind").and_then(Node::as_text))
}

/// `"power-of-d"` is short for `{ kind = "power-of-d" }`.
fn spell_out(value: &mut Node) {
    if let Value::Text(name) = &value.value
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
    {
        let kind = Entry {
            key: "kind".to_owned(),
            key_span: value.span,
            node: value.clone(),
        };
        *value = Node {
            value: Value::Table(vec![kind]),
            span: value.span,
        };
    }
}
