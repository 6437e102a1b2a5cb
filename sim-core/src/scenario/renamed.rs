//! Keys that had another name or another place: the old one is read for one version, with a remark
//! that names the new one.
//!
//! What a key was called stands beside it in its section; what has moved into a table of its section
//! stands in [`MOVED`]. A tree and a path are brought up to date
//! as soon as they are read, so that nothing else needs to know old names.

use super::problem::{Collector, Problem, Span};
use super::section::{Form, KeyDef, Section, SectionDef};
use super::sections::{BalancerSpec, CallSpec, ClientSpec, ServiceSpec, Top};
use super::set::{Assignment, Segment, join, split};
use super::tree::{Entry, Node, Value};

/// A key of callers that has become a row of their `guards`.
const RETRY_BUDGET: &str = "retry_budget";

/// A key of balancers that has become a row of their `health`.
const HEALTH_CHECK: &str = "health_check";

/// A key that now stands in a table beside it.
struct Moved {
    section: fn() -> &'static SectionDef,
    was: &'static str,
    table: &'static str,
    key: &'static str,
}

/// All keys that have moved.
static MOVED: &[Moved] = &[Moved {
    section: ServiceSpec::def,
    was: "network",
    table: "link",
    key: "delay",
}];

impl Moved {
    fn within(def: &'static SectionDef) -> impl Iterator<Item = &'static Self> {
        MOVED
            .iter()
            .filter(move |moved| std::ptr::eq((moved.section)(), def))
    }

    fn remark(&self, span: Span, problems: &mut Collector) {
        let Self {
            was, table, key, ..
        } = self;
        let text =
            format!("`{was}` is now called `{table}.{key}`; the next version refuses the old name");
        problems.remark(span, text);
    }

    /// Moves the key, if it is there, to where it belongs.
    fn mend(&self, node: &mut Node, problems: &mut Collector) {
        let Some(old) = node.take(self.was) else {
            return;
        };
        let span = old.key_span;
        if node.get(self.table).is_none() {
            node.put(Entry {
                key: self.table.to_owned(),
                key_span: span,
                node: Node::empty_table(span),
            });
        }
        let Some(table) = node.get_mut(self.table) else {
            return;
        };
        match table.entry(self.key) {
            Some(new) => {
                let what = format!(
                    "`{}` is the old name of `{}.{}`",
                    self.was, self.table, self.key
                );
                let problem = Problem::new("E019", what).at(span);
                let problem = problem.label(new.key_span, "which stands here too");
                problems.push(problem.help("leave the old one out"));
            }
            // What is no table is reported when it is read.
            None if table.is_table() => {
                self.remark(span, problems);
                table.put(Entry {
                    key: self.key.to_owned(),
                    ..old
                });
            }
            None => {}
        }
    }
}

/// Brings the keys of a scenario, or of a part that is laid upon another, up to date.
pub(crate) fn scenario(root: &mut Node, problems: &mut Collector) {
    section(root, Top::def(), false, problems);
}

/// `of_call`: the section is a part of a call between services.
fn section(node: &mut Node, def: &'static SectionDef, of_call: bool, problems: &mut Collector) {
    for moved in Moved::within(def) {
        moved.mend(node, problems);
    }
    let Value::Table(entries) = &mut node.value else {
        return;
    };
    for key in def.keys {
        let new = entries.iter().position(|entry| entry.key == key.name);
        let old = entries.iter().position(|entry| key.was(&entry.key));
        let at = match (new, old) {
            (Some(new), Some(old)) => {
                let what = format!("`{}` is the old name of `{}`", key.was, key.name);
                problems.push(
                    Problem::new("E019", what)
                        .at(entries[old].key_span)
                        .label(entries[new].key_span, "which stands here too")
                        .help("leave the old one out"),
                );
                new
            }
            (Some(new), None) => new,
            (None, Some(old)) => {
                remark(key, entries[old].key_span, problems);
                key.name.clone_into(&mut entries[old].key);
                old
            }
            (None, None) => continue,
        };
        let of_call = std::ptr::eq(def, CallSpec::def());
        below(&mut entries[at].node, key, of_call, problems);
    }
    if std::ptr::eq(def, ClientSpec::def()) {
        move_retry_budget(node, of_call, problems);
    }
    if std::ptr::eq(def, BalancerSpec::def()) {
        move_health_check(node, problems);
    }
}

/// `health_check = { … }` is now the first row of `health`.
fn move_health_check(balancer: &mut Node, problems: &mut Collector) {
    let Some(Entry { key_span, node, .. }) = balancer.take(HEALTH_CHECK) else {
        return;
    };
    remark_health_check(key_span, problems);
    let checks = as_rules(node, key_span);
    match (balancer.get_mut("health"), checks.value) {
        (
            Some(Node {
                value: Value::List(rules),
                ..
            }),
            Value::List(mut checks),
        ) => {
            checks.append(rules);
            *rules = checks;
        }
        (_, value) => {
            let node = Node {
                value,
                span: checks.span,
            };
            let key = "health".to_owned();
            balancer.put(Entry {
                key,
                key_span,
                node,
            });
        }
    }
}

/// What was written for `health_check`, as a list of rules; anything but a table or "none" stays, to
/// be refused where it is read.
fn as_rules(mut node: Node, key_span: Span) -> Node {
    let span = node.span;
    let none = node.as_text() == Some("none");
    if let Value::Table(params) = &mut node.value {
        params.push(Entry {
            key: "kind".to_owned(),
            key_span,
            node: Node {
                value: Value::Text("checks".to_owned()),
                span,
            },
        });
        let value = Value::List(vec![node]);
        return Node { value, span };
    }
    if none {
        node.value = Value::List(Vec::new());
    }
    node
}

/// `….balancer.health_check` as a whole, with its value.
pub(crate) fn assignment(assignment: &Assignment) -> Option<Assignment> {
    let last = assignment.path.last()?;
    if last.word != HEALTH_CHECK {
        return None;
    }
    let mut renamed = assignment.clone();
    "health".clone_into(&mut renamed.path.last_mut()?.word);
    renamed.value = as_rules(renamed.value, last.span);
    Some(renamed)
}

fn remark_health_check(span: Span, problems: &mut Collector) {
    let text = "`health_check` is now a health rule: health = [{ kind = \"checks\", … }]; the next version refuses the old key";
    problems.remark(span, text.to_owned());
}

/// `retry_budget = { … }` is now a row of `guards`; all servers that make a call shared it.
fn move_retry_budget(client: &mut Node, shared: bool, problems: &mut Collector) {
    let Some(Entry { key_span, node, .. }) = client.take(RETRY_BUDGET) else {
        return;
    };
    let text = "`retry_budget` is now a guard: guards = [{ kind = \"retry-budget\", … }]; the next version refuses the old key";
    problems.remark(key_span, text.to_owned());
    let Value::Table(mut params) = node.value else {
        return;
    };
    let entry = |key: &str, value| Entry {
        key: key.to_owned(),
        key_span,
        node: Node {
            value,
            span: node.span,
        },
    };
    params.push(entry("kind", Value::Text("retry-budget".to_owned())));
    params.push(entry("shared", Value::Flag(shared)));
    let budget = Node {
        value: Value::Table(params),
        span: node.span,
    };
    match client.get_mut("guards") {
        Some(Node {
            value: Value::List(guards),
            ..
        }) => guards.push(budget),
        _ => client.put(entry("guards", Value::List(vec![budget]))),
    }
}

/// Brings the value of a key of a section up to date, which a path has set as a whole.
pub(crate) fn value(
    node: &mut Node,
    key: &'static KeyDef,
    of: &'static SectionDef,
    problems: &mut Collector,
) {
    below(node, key, std::ptr::eq(of, CallSpec::def()), problems);
}

fn below(node: &mut Node, key: &'static KeyDef, of_call: bool, problems: &mut Collector) {
    match (form_of(key), &mut node.value) {
        (Form::Table(def) | Form::Override(def), _) => section(node, def, of_call, problems),
        (Form::Tables(def), Value::List(items)) => {
            for item in items {
                section(item, def, false, problems);
            }
        }
        (Form::Named(def), Value::Table(entries)) => {
            for entry in entries {
                section(&mut entry.node, def, false, problems);
            }
        }
        (Form::Sets, Value::Table(entries)) => {
            for entry in entries {
                if let Some(path) = split(&entry.key, entry.key_span, problems) {
                    entry.key = join(&path);
                }
            }
        }
        _ => {}
    }
}

/// Brings a path up to date.
pub(crate) fn path(segments: &mut Vec<Segment>, problems: &mut Collector) {
    let mut def = Top::def();
    let mut at = 0;
    while at < segments.len() {
        let word = segments[at].word.clone();
        if let Some(moved) = Moved::within(def).find(|moved| moved.was == word) {
            let span = segments[at].span;
            moved.remark(span, problems);
            let words = [moved.table, moved.key].map(str::to_owned);
            segments.splice(at..=at, words.map(|word| Segment { word, span }));
            continue;
        }
        let word = word.as_str();
        let known = |key: &&'static KeyDef| key.name == word || key.was(word);
        let Some(key) = def.keys.iter().find(known) else {
            if word == HEALTH_CHECK && std::ptr::eq(def, BalancerSpec::def()) {
                path_of_checks(segments, at, problems);
            }
            return;
        };
        if key.was(word) {
            remark(key, segments[at].span, problems);
            key.name.clone_into(&mut segments[at].word);
        }
        let (next, names) = match form_of(key) {
            Form::Table(next) | Form::Override(next) => (next, 0),
            // Servers can be named as a whole, with their key where a name would stand.
            Form::Tables(next) => {
                let member = segments.get(at + 1).map_or("", |s| s.word.as_str());
                let is_key = |key: &KeyDef| key.name == member || key.was(member);
                (next, usize::from(!next.keys.iter().any(is_key)))
            }
            Form::Named(next) => (next, 1),
            _ => return,
        };
        def = next;
        at += 1 + names;
    }
}

/// `health_check.interval` is now `health.checks.interval`. What is set as a whole is changed with
/// its value, by [`assignment`].
fn path_of_checks(segments: &mut Vec<Segment>, at: usize, problems: &mut Collector) {
    remark_health_check(segments[at].span, problems);
    if at + 1 < segments.len() {
        "health".clone_into(&mut segments[at].word);
        let word = "checks".to_owned();
        let span = segments[at].span;
        segments.insert(at + 1, Segment { word, span });
    }
}

fn form_of(key: &KeyDef) -> Form {
    match (key.form)() {
        Form::Optional(inner) => *inner,
        form => form,
    }
}

fn remark(key: &KeyDef, span: Span, problems: &mut Collector) {
    let (was, name) = (key.was, key.name);
    let text = format!("`{was}` is now called `{name}`; the next version refuses the old name");
    problems.remark(span, text);
}
