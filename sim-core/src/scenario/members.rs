//! Members of lists by their names, and servers taken out of the group they were written with.

use super::section::{Section, SectionDef};
use super::sections::{ServerSpec, TimelineSpec, TrafficSpec};
use super::tree::{Entry, Node, Value};

/// What a member of a list is called in paths.
pub(crate) fn member_name(item: &Node, index: usize, def: &'static SectionDef) -> Option<String> {
    let named = |key: &str| item.get(key).and_then(Node::as_text).map(str::to_owned);
    if std::ptr::eq(def, TrafficSpec::def()) {
        return named("name").or_else(|| Some(traffic_name(index)));
    }
    if std::ptr::eq(def, TimelineSpec::def()) || def.keys.iter().any(|k| k.name == "name") {
        return named("name");
    }
    named("to")
}

/// What all members of a list are called in paths, for whoever meant one of them: of servers written together, the
/// group and the first few.
pub(crate) fn member_names(items: &[Node], def: &'static SectionDef) -> Vec<String> {
    let mut names = Vec::new();
    for (i, item) in items.iter().enumerate() {
        names.extend(member_name(item, i, def));
        let group = Group::of(item).filter(|_| std::ptr::eq(def, ServerSpec::def()));
        if let Some(group) = group.filter(|group| group.count > 1 || group.first.is_some()) {
            let first = group.first.unwrap_or(1);
            let told = first..first.saturating_add(group.count.min(GROUP_TOLD));
            names.extend(told.map(|number| format!("{}-{number}", group.name)));
        }
    }
    names
}

/// So many servers of a group are told by their names.
const GROUP_TOLD: u64 = 8;

/// The name of a source that has none of its own.
pub(crate) fn traffic_name(index: usize) -> String {
    if index == 0 {
        "traffic".to_owned()
    } else {
        format!("traffic-{}", index + 1)
    }
}

/// Positions of the members meant by a word; a server named alone is taken out of its group.
pub(crate) fn choose(items: &mut Vec<Node>, word: &str, def: &'static SectionDef) -> Vec<usize> {
    if word == "*" {
        return (0..items.len()).collect();
    }
    let named: Vec<usize> = (0..items.len())
        .filter(|i| member_name(&items[*i], *i, def).as_deref() == Some(word))
        .collect();
    let exact = |i: &usize| {
        !std::ptr::eq(def, ServerSpec::def())
            || Group::of(&items[*i]).is_none_or(|g| g.count > 1 || g.first.is_none())
    };
    if std::ptr::eq(def, ServerSpec::def())
        && !named.iter().any(exact)
        && let Some(index) = split_off(items, word)
    {
        return vec![index];
    }
    if named.is_empty() {
        return word
            .parse::<usize>()
            .ok()
            .filter(|i| *i < items.len())
            .into_iter()
            .collect();
    }
    named
}

/// How the servers of a table are numbered.
struct Group {
    name: String,
    count: u64,
    first: Option<u64>,
}

impl Group {
    fn of(item: &Node) -> Option<Self> {
        let number = |key: &str| match item.get(key).map(|n| &n.value) {
            Some(Value::Integer(i)) => u64::try_from(*i).ok(),
            _ => None,
        };
        let name = item.get("name")?.as_text()?.to_owned();
        Some(Self {
            name,
            count: number("count").unwrap_or(1),
            first: number("first"),
        })
    }

    /// The position of the server called `word` within the group.
    fn position(&self, word: &str) -> Option<u64> {
        let digits = word.strip_prefix(self.name.as_str())?.strip_prefix('-')?;
        let number: u64 = digits.parse().ok()?;
        let position = number.checked_sub(self.first.unwrap_or(1))?;
        (position < self.count
            && number.to_string() == digits
            && (self.count > 1 || self.first.is_some()))
        .then_some(position)
    }
}

/// Takes the server called `word` out of its group; its position afterwards.
fn split_off(items: &mut Vec<Node>, word: &str) -> Option<usize> {
    let (index, group, position) = items.iter().enumerate().find_map(|(i, item)| {
        let group = Group::of(item)?;
        let position = group.position(word)?;
        Some((i, group, position))
    })?;
    if group.count == 1 {
        return Some(index);
    }
    let start = group.first.unwrap_or(1);
    let part = |from: u64, count: u64| {
        let mut item = items[index].clone();
        let span = item.span;
        for (key, value) in [("first", start + from), ("count", count)] {
            item.put(Entry {
                key: key.to_owned(),
                key_span: span,
                node: Node {
                    value: Value::Integer(i128::from(value)),
                    span,
                },
            });
        }
        item
    };
    let mut parts = Vec::with_capacity(3);
    if position > 0 {
        parts.push(part(0, position));
    }
    let at = index + parts.len();
    parts.push(part(position, 1));
    if position + 1 < group.count {
        parts.push(part(position + 1, group.count - position - 1));
    }
    items.splice(index..=index, parts);
    Some(at)
}
