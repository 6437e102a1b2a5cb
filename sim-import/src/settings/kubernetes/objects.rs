//! The objects of manifests: a list of what was applied, by kind and name.

use crate::settings::system::Place;
use crate::settings::yaml::Node;
use sim_core::time::Duration;

/// An object.
#[derive(Clone, Copy)]
pub(super) struct Object<'n> {
    pub node: &'n Node,
}

impl<'n> Object<'n> {
    pub(super) fn kind(self) -> String {
        self.node.word("kind").unwrap_or_default()
    }

    pub(super) fn name(self) -> String {
        let name = self.node.at(&["metadata", "name"]).and_then(Node::text);
        name.unwrap_or_default()
    }

    pub(super) fn place(self) -> &'n Place {
        &self.node.place
    }

    pub(super) fn spec(self, path: &[&str]) -> Option<&'n Node> {
        self.node.get("spec")?.at(path)
    }

    /// Where a key of the specification stands, or else the object.
    pub(super) fn place_of(self, path: &[&str]) -> &'n Place {
        self.spec(path).map_or(self.place(), |node| &node.place)
    }

    pub(super) fn annotation(self, name: &str) -> Option<&'n Node> {
        self.node.at(&["metadata", "annotations"])?.get(name)
    }
}

/// All objects of documents, those within lists too.
pub(super) fn objects(documents: &[Node]) -> Vec<Object<'_>> {
    let mut found = Vec::new();
    for node in documents {
        let is_list = node.word("kind").is_some_and(|kind| kind.ends_with("List"));
        if is_list {
            let items = node.get("items").map(Node::items).unwrap_or_default();
            found.extend(items.iter().map(|node| Object { node }));
        } else {
            found.push(Object { node });
        }
    }
    found.retain(|object| object.node.get("kind").is_some());
    found
}

/// Whether labels have all of a selector.
pub(super) fn selects(selector: &Node, labels: Option<&Node>) -> bool {
    let entries = selector.entries();
    !entries.is_empty()
        && entries.iter().all(|entry| {
            let own = labels.and_then(|labels| labels.word(&entry.key));
            own.is_some() && own == entry.node.text()
        })
}

/// A quantity of processors: `250m`, `1`, `0.5`.
pub(super) fn cores(text: &str) -> Option<f64> {
    let found = match text.strip_suffix('m') {
        Some(thousandths) => thousandths.parse::<f64>().ok()? / 1000.0,
        None => text.parse().ok()?,
    };
    (found > 0.0 && found < 1e6).then_some(found)
}

/// A quantity of memory, as a scenario writes it: `512Mi` is `512MiB`.
pub(super) fn memory(text: &str) -> Option<String> {
    let digits = text
        .bytes()
        .take_while(|b| b.is_ascii_digit() || *b == b'.')
        .count();
    let number: f64 = text[..digits].parse().ok()?;
    let unit = match &text[digits..] {
        "" => "B",
        "k" => "kB",
        "M" => "MB",
        "G" => "GB",
        "T" => "TB",
        "Ki" => "KiB",
        "Mi" => "MiB",
        "Gi" => "GiB",
        "Ti" => "TiB",
        _ => return None,
    };
    (number > 0.0).then(|| format!("{number}{unit}"))
}

/// A share or a number of servers: `25%` or `1`.
pub(super) fn part_of(text: &str, all: u64, round_up: bool) -> Option<u64> {
    let Some(percent) = text.strip_suffix('%') else {
        return text.parse().ok();
    };
    let part = percent.parse::<f64>().ok()? / 100.0 * all as f64;
    Some(if round_up { part.ceil() } else { part.floor() } as u64)
}

/// Seconds as a scenario writes them.
pub(super) fn seconds(number: f64) -> String {
    format!("\"{}\"", Duration::from_secs_f64(number.clamp(0.0, 1e9)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_those_of_the_program() {
        assert_eq!(cores("250m"), Some(0.25));
        assert_eq!(cores("2"), Some(2.0));
        assert_eq!(cores("x"), None);
        assert_eq!(memory("512Mi").as_deref(), Some("512MiB"));
        assert_eq!(memory("1.5G").as_deref(), Some("1.5GB"));
        assert_eq!(memory("12q"), None);
        assert_eq!(part_of("25%", 3, true), Some(1));
        assert_eq!(part_of("25%", 3, false), Some(0));
        assert_eq!(part_of("2", 3, false), Some(2));
        assert_eq!(seconds(90.0), "\"1m30s\"");
    }
}
