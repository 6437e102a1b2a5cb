//! What a text of a scenario sets, value by value, with the place of each: what a form shows, and how
//! it puts another value in its place without touching anything else.

use super::Source;
use super::canonical::value_text;
use super::keys::{KeyRow, key_rows};
use super::problem::Collector;
use super::tree::{Node, Value, parse};
use std::ops::Range;

/// A value as it is written.
#[derive(Clone, PartialEq, Debug)]
pub struct Written {
    /// Its path, such as `service.web.server.web-1.weight`.
    pub path: String,
    /// The number of its row among [`key_rows`].
    pub row: usize,
    /// The value as a scenario writes it.
    pub value: String,
    /// Where it stands in the text, in bytes.
    pub place: Range<usize>,
}

/// The values of a text, in its order; `None` where it is no TOML or JSON. Bases are not read, and
/// nothing is checked: values that no key knows are left out.
pub fn outline(source: &Source) -> Option<Vec<Written>> {
    let tree = parse(source, 0, &mut Collector::default())?;
    let mut walk = Walk {
        rows: key_rows(),
        found: Vec::new(),
    };
    walk.table(&tree, "", "");
    walk.found.sort_by_key(|written| written.place.start);
    Some(walk.found)
}

struct Walk {
    rows: &'static [KeyRow],
    found: Vec<Written>,
}

impl Walk {
    /// The entries of a table at `path`, which the rows call `pattern`.
    fn table(&mut self, node: &Node, path: &str, pattern: &str) {
        let kind = node.get("kind").and_then(Node::as_text).map(str::to_owned);
        let named = format!("{}NAME", dotted(pattern));
        let by_name = self.knows(&named);
        for entry in node.entries() {
            let path = format!("{}{}", dotted(path), entry.key);
            let pattern = if by_name {
                named.clone()
            } else {
                format!("{}{}", dotted(pattern), entry.key)
            };
            self.value(&entry.node, &path, &pattern, kind.as_deref());
        }
    }

    fn value(&mut self, node: &Node, path: &str, pattern: &str, kind: Option<&str>) {
        match &node.value {
            Value::Table(_) => self.table(node, path, pattern),
            Value::List(items) if items.iter().any(Node::is_table) => {
                let named = format!("{pattern}.NAME");
                let by_name = self.knows(&named);
                for (i, item) in items.iter().enumerate() {
                    // Members of a list of extension values go by their kind.
                    let word = if by_name { "name" } else { "kind" };
                    let name = item.get(word).and_then(Node::as_text);
                    let name = name.map_or_else(|| i.to_string(), str::to_owned);
                    let path = format!("{path}.{name}");
                    if by_name {
                        self.table(item, &path, &named);
                    } else {
                        self.table(item, &path, &format!("{pattern}.{name}"));
                    }
                }
            }
            _ => {
                if let Some(row) = self.row(pattern, kind) {
                    self.found.push(Written {
                        path: path.to_owned(),
                        row,
                        value: value_text(node),
                        place: node.span.start as usize..node.span.end as usize,
                    });
                }
            }
        }
    }

    /// Whether there are keys at or below a pattern.
    fn knows(&self, pattern: &str) -> bool {
        let below = format!("{pattern}.");
        let mut rows = self.rows.iter();
        rows.any(|row| row.path == pattern || row.path.starts_with(&below))
    }

    /// The row of a key. Parameters of different kinds may have one name: then the kind decides.
    fn row(&self, pattern: &str, kind: Option<&str>) -> Option<usize> {
        let rows = || {
            self.rows
                .iter()
                .enumerate()
                .filter(|(_, row)| row.path == pattern)
        };
        rows()
            .find(|(_, row)| kind.is_some() && row.of_kind == kind)
            .or_else(|| rows().next())
            .map(|(row, _)| row)
    }
}

/// A path to which a word can be added.
fn dotted(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!("{path}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# A comment.
horizon = "10m"
traffic = [{ name = "all", to = "web", rate = 5 }]
client.timeout = "1s"
nonsense = 3
[service.web]
demand = { kind = "lognormal", mean = "10ms", cv = 2 }
balancer.policy = "random"
[[service.web.server]]
name = "a"
workers = 4
queue = { limit = 7 }
"#;

    #[test]
    fn every_value_that_a_key_knows_is_found_where_it_stands() {
        let found = outline(&Source::new("t.toml", TEXT)).expect("it is TOML");
        let rows = key_rows();
        let seen: Vec<(&str, &str, &str)> = found
            .iter()
            .map(|w| (w.path.as_str(), &*rows[w.row].path, w.value.as_str()))
            .collect();
        for wanted in [
            ("horizon", "horizon", "\"10m\""),
            ("traffic.all.rate", "traffic.NAME.rate", "5"),
            ("client.timeout", "client.timeout", "\"1s\""),
            ("service.web.demand.cv", "service.NAME.demand.cv", "2"),
            (
                "service.web.balancer.policy",
                "service.NAME.balancer.policy",
                "\"random\"",
            ),
            (
                "service.web.server.a.workers",
                "service.NAME.server.NAME.workers",
                "4",
            ),
            (
                "service.web.server.a.queue.limit",
                "service.NAME.server.NAME.queue.limit",
                "7",
            ),
        ] {
            assert!(seen.contains(&wanted), "{wanted:?} in {seen:?}");
        }
        assert!(seen.iter().all(|(path, ..)| *path != "nonsense"));
        let cv = found
            .iter()
            .find(|w| w.path == "service.web.demand.cv")
            .expect("it is there");
        assert!(
            rows[cv.row].about.starts_with("With `lognormal`"),
            "{}",
            rows[cv.row].about
        );
        assert!(found.windows(2).all(|w| w[0].place.end <= w[1].place.start));
    }

    #[test]
    fn another_value_in_its_place_leaves_the_rest_alone() {
        let found = outline(&Source::new("t.toml", TEXT)).expect("it is TOML");
        let workers = found
            .iter()
            .find(|w| w.path.ends_with("workers"))
            .expect("it is there");
        let mut text = TEXT.to_owned();
        text.replace_range(workers.place.clone(), "64");
        assert_eq!(text, TEXT.replace("workers = 4", "workers = 64"));
        assert_eq!(outline(&Source::new("t.toml", "= [")), None);
    }
}
