//! Values of YAML, with what readers ask of them.

/// Numbers of settings are smaller: what is not cannot be counted to.
const MOST: f64 = 1e15;

/// A value and where it begins.
#[derive(Clone, PartialEq, Debug)]
pub struct Node<P> {
    /// What it is.
    pub value: Value<P>,
    /// Where it begins.
    pub place: P,
}

/// What can be written; numbers and flags keep how they were.
#[derive(Clone, PartialEq, Debug)]
pub enum Value<P> {
    /// Nothing.
    Null,
    /// Yes or no.
    Flag(bool, String),
    /// A finite number.
    Number(f64, String),
    /// Any other scalar, and every one in quotation marks.
    Text(String),
    /// Values in order.
    List(Vec<Node<P>>),
    /// Values by key, each key once.
    Table(Vec<Entry<P>>),
}

/// A key with its value.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry<P> {
    /// The key.
    pub key: String,
    /// Where the key begins.
    pub place: P,
    /// The value.
    pub node: Node<P>,
}

impl<P> Node<P> {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let found = self.entries().iter().find(|entry| entry.key == key);
        found.map(|entry| &entry.node)
    }

    /// The value at the end of keys, one below the other.
    pub fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The members of a list; none of anything else.
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The keys of a table; none of anything else.
    pub fn entries(&self) -> &[Entry<P>] {
        match &self.value {
            Value::Table(entries) => entries,
            _ => &[],
        }
    }

    /// A scalar as it was written; nothing is an empty text.
    pub fn written(&self) -> Option<&str> {
        match &self.value {
            Value::Null => Some(""),
            Value::Text(text) | Value::Number(_, text) | Value::Flag(_, text) => Some(text),
            Value::List(_) | Value::Table(_) => None,
        }
    }

    /// A scalar as it was written, if it is not nothing.
    pub fn text(&self) -> Option<String> {
        match &self.value {
            Value::Null => None,
            _ => self.written().map(str::to_owned),
        }
    }

    /// A scalar of a key, as it was written.
    pub fn word(&self, key: &str) -> Option<String> {
        self.get(key).and_then(Self::text)
    }

    /// A number of a key, in quotes or not.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.get(key).and_then(Self::as_number)
    }

    /// A number, in quotes or not, of a size that can be counted to.
    pub fn as_number(&self) -> Option<f64> {
        let number = match &self.value {
            Value::Number(number, _) => Some(*number),
            Value::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.filter(|n| n.abs() < MOST)
    }

    /// A whole number of a key that is none below 0.
    pub fn count(&self, key: &str) -> Option<u64> {
        let number = self.number(key)?;
        let whole = number >= 0.0 && number.fract() == 0.0;
        whole.then_some(number as u64)
    }

    /// All nodes below, itself included, with the key each stands at.
    pub fn walk<'n>(&'n self, key: &'n str, see: &mut dyn FnMut(&'n str, &'n Self)) {
        see(key, self);
        for entry in self.entries() {
            entry.node.walk(&entry.key, see);
        }
        for item in self.items() {
            item.walk(key, see);
        }
    }
}
