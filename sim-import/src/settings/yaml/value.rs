//! Values of YAML, with what readers ask of them.

use crate::settings::system::Place;

/// Numbers of settings are smaller: what is not cannot be counted to.
const MOST: f64 = 1e15;

/// A value and where it begins.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::settings) struct Node {
    pub value: Value,
    pub place: Place,
}

/// What can be written; numbers and flags keep how they were.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::settings) enum Value {
    Null,
    Flag(bool, String),
    Number(f64, String),
    Text(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::settings) struct Entry {
    pub key: String,
    pub place: Place,
    pub node: Node,
}

impl Node {
    /// The value of a key.
    pub(in crate::settings) fn get(&self, key: &str) -> Option<&Node> {
        let found = self.entries().iter().find(|entry| entry.key == key);
        found.map(|entry| &entry.node)
    }

    /// The value at the end of keys, one below the other.
    pub(in crate::settings) fn at(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The members of a list; none of anything else.
    pub(in crate::settings) fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The keys of a table; none of anything else.
    pub(in crate::settings) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Table(entries) => entries,
            _ => &[],
        }
    }

    /// A scalar as it was written.
    pub(in crate::settings) fn text(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) | Value::Number(_, text) | Value::Flag(_, text) => Some(text.clone()),
            _ => None,
        }
    }

    /// A scalar of a key, as it was written.
    pub(in crate::settings) fn word(&self, key: &str) -> Option<String> {
        self.get(key).and_then(Node::text)
    }

    /// A number of a key, in quotes or not.
    pub(in crate::settings) fn number(&self, key: &str) -> Option<f64> {
        self.get(key).and_then(Node::as_number)
    }

    /// A number, in quotes or not, of a size that can be counted to.
    pub(in crate::settings) fn as_number(&self) -> Option<f64> {
        let number = match &self.value {
            Value::Number(number, _) => Some(*number),
            Value::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.filter(|n| n.abs() < MOST)
    }

    /// A whole number of a key that is none below 0.
    pub(in crate::settings) fn count(&self, key: &str) -> Option<u64> {
        let number = self.number(key)?;
        let whole = number >= 0.0 && number.fract() == 0.0;
        whole.then_some(number as u64)
    }

    /// All nodes below, itself included, with the key each stands at.
    pub(in crate::settings) fn walk<'n>(
        &'n self,
        key: &'n str,
        see: &mut dyn FnMut(&'n str, &'n Node),
    ) {
        see(key, self);
        for entry in self.entries() {
            entry.node.walk(&entry.key, see);
        }
        for item in self.items() {
            item.walk(key, see);
        }
    }
}
