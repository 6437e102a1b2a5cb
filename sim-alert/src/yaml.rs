//! Files of rules and of tests as trees whose values know their line.

use crate::problem::{Problem, listed};
use sim_yaml::{Keys, Value};

/// A value and its line.
pub(crate) type Node = sim_yaml::Node<usize>;
type Entry = sim_yaml::Entry<usize>;

/// The first document of a text; nothing at all is an empty table.
pub(crate) fn read(file: &str, text: &str) -> Result<Node, Problem> {
    let read = sim_yaml::first(text, Keys::Once, |line| line);
    let read = read.map_err(|wrong| Problem::new(file, wrong.line, wrong.why))?;
    Ok(read.unwrap_or(Node {
        value: Value::Table(Vec::new()),
        place: 1,
    }))
}

/// A table whose keys are taken one after the other.
pub(crate) struct Table<'n> {
    pub(crate) file: &'n str,
    pub(crate) line: usize,
    /// What it describes, for messages.
    what: &'static str,
    entries: &'n [Entry],
}

impl<'n> Table<'n> {
    /// # Errors
    /// Says if it is no table, or which key nobody knows.
    pub(crate) fn of(
        file: &'n str,
        node: &'n Node,
        what: &'static str,
        allowed: &[&str],
    ) -> Result<Self, Problem> {
        let Some(entries) = entries(node) else {
            let keys = listed(allowed.iter().copied());
            let message = format!("{what} is a table with the keys {keys}");
            return Err(Problem::new(file, node.place, message));
        };
        let mut keys = entries.iter();
        if let Some(entry) = keys.find(|entry| !allowed.contains(&entry.key.as_str())) {
            let keys = listed(allowed.iter().copied());
            let message = format!("{what} has no key {:?}; allowed are {keys}", entry.key);
            return Err(Problem::new(file, entry.node.place, message));
        }
        Ok(Self {
            file,
            line: node.place,
            what,
            entries,
        })
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'n Node> {
        let entry = self.entries.iter().find(|entry| entry.key == key);
        entry.map(|entry| &entry.node)
    }

    pub(crate) fn line_of(&self, key: &str) -> usize {
        self.get(key).map_or(self.line, |node| node.place)
    }

    pub(crate) fn wrong(&self, key: &str, message: impl Into<String>) -> Problem {
        Problem::new(self.file, self.line_of(key), message)
    }

    /// A text; empty if the key is not there.
    pub(crate) fn text(&self, key: &str) -> Result<&'n str, Problem> {
        let Some(node) = self.get(key) else {
            return Ok("");
        };
        node.written().ok_or_else(|| {
            let what = self.what;
            self.wrong(key, format!("{key} of {what} is a text"))
        })
    }

    /// A length of time, if the key is there.
    pub(crate) fn duration(&self, key: &str) -> Result<Option<i64>, Problem> {
        match self.text(key)? {
            "" => Ok(None),
            text => crate::duration::parse(text).map(Some).ok_or_else(|| {
                let allowed = crate::duration::ALLOWED;
                self.wrong(
                    key,
                    format!("{key}: {text:?} is no length of time; allowed are {allowed}"),
                )
            }),
        }
    }

    pub(crate) fn list(&self, key: &str) -> Result<&'n [Node], Problem> {
        match self.get(key) {
            None => Ok(&[]),
            Some(node) if matches!(node.value, Value::List(_)) || is_nothing(node) => {
                Ok(node.items())
            }
            Some(_) => {
                let what = self.what;
                Err(self.wrong(key, format!("{key} of {what} is a list")))
            }
        }
    }

    /// A list of texts.
    pub(crate) fn texts(&self, key: &str) -> Result<Vec<&'n str>, Problem> {
        let items = self.list(key)?.iter();
        let texts = items.map(|item| {
            let message = || format!("{key} is a list of texts");
            let text = item.written();
            text.ok_or_else(|| Problem::new(self.file, item.place, message()))
        });
        texts.collect()
    }

    /// A table of texts, in the order of the file.
    pub(crate) fn pairs(&self, key: &str) -> Result<Vec<(&'n str, &'n str)>, Problem> {
        let entries = match self.get(key) {
            None => &[],
            Some(node) => entries(node)
                .ok_or_else(|| self.wrong(key, format!("{key} is a table of names and texts")))?,
        };
        let pairs = entries.iter().map(|entry| {
            let (name, node) = (entry.key.as_str(), &entry.node);
            let message = || format!("{name:?} in {key} is a text");
            let text = node.written();
            let text = text.ok_or_else(|| Problem::new(self.file, node.place, message()))?;
            Ok((name, text))
        });
        pairs.collect()
    }
}

/// The entries of a table; nothing at all has none: an empty file, or a key without anything after it.
fn entries(node: &Node) -> Option<&[Entry]> {
    let table = matches!(node.value, Value::Table(_));
    (table || is_nothing(node)).then(|| node.entries())
}

fn is_nothing(node: &Node) -> bool {
    node.written().is_some_and(str::is_empty)
}
