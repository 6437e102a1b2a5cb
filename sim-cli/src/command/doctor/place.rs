//! Where a value stands: in the scenario, or, if that was imported, in the file it was read from.

use sim_core::scenario::{Source, Written, outline};
use std::fmt;

/// A line of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub file: String,
    /// From 1; 0 where the value is not written.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}", self.file),
        }
    }
}

/// The values of a text with their places.
pub(super) struct Places {
    source: Source,
    written: Vec<Written>,
    /// Whether comments at the ends of lines say where they were read from.
    imported: bool,
}

impl Places {
    pub(super) fn of(source: &Source, imported: bool) -> Self {
        Self {
            source: source.clone(),
            written: outline(source).unwrap_or_default(),
            imported,
        }
    }

    /// The value at a path, or else the one that has most of its beginning in common.
    fn nearest(&self, path: &str) -> Option<&Written> {
        let words: Vec<&str> = path.split('.').collect();
        let alike = |own: &str| {
            let own: Vec<&str> = own.split('.').collect();
            words
                .iter()
                .zip(&own)
                .take_while(|(a, b)| a == b || same_group(a, b))
                .count()
        };
        let best = self
            .written
            .iter()
            .map(|own| alike(&own.path))
            .max()
            .filter(|best| *best > 1)?;
        self.written.iter().find(|own| alike(&own.path) == best)
    }

    /// Where a path is written.
    pub(super) fn of_path(&self, path: &str) -> Place {
        let here = |line| Place {
            file: self.source.name.clone(),
            line,
        };
        let Some(written) = self.nearest(path) else {
            return here(0);
        };
        let (line, _) = self.source.line_column(written.place.start);
        let read = self.imported.then(|| self.read_from(line)).flatten();
        read.unwrap_or_else(|| here(line))
    }

    /// Where an imported line was read from, or else the section that it stands in.
    fn read_from(&self, line: usize) -> Option<Place> {
        let lines: Vec<&str> = self.source.text.lines().take(line).collect();
        let (own, before) = lines.split_last()?;
        let head = before.iter().rev().find(|line| line.starts_with('['));
        read_from(own).or_else(|| read_from(head?))
    }
}

/// A server `web-1` is written with others as `web`.
fn same_group(word: &str, written: &str) -> bool {
    let number = word
        .strip_prefix(written)
        .and_then(|rest| rest.strip_prefix('-'));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// What the comment at the end of an imported line says: `# shop.conf:12`.
fn read_from(line: &str) -> Option<Place> {
    let (_, comment) = line.rsplit_once("# ")?;
    let place = comment.split_whitespace().next()?;
    let (file, line) = place.rsplit_once(':')?;
    Some(Place {
        file: file.to_owned(),
        line: line.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_where_it_was_read_from() {
        let text = "[service.web]\ndemand = \"1ms\"\n[[service.web.server]]  # shop.conf:6 a\nname = \"a\"\nweight = 3   # shop.conf:7\n[[service.web.server]]\nname = \"b\"\ncount = 2\n";
        let places = Places::of(&Source::new("s.toml", text), true);
        let of = |path: &str| places.of_path(path).to_string();
        assert_eq!(of("service.web.server.a.weight"), "shop.conf:7");
        assert_eq!(of("service.web.server.b-2.weight"), "s.toml:7");
        assert_eq!(of("service.web.balancer.health"), "s.toml:2");
        assert_eq!(of("service.web.server.a.queue.limit"), "shop.conf:6");
        assert_eq!(of("nothing.at.all"), "s.toml");
        let written = Places::of(&Source::new("s.toml", text), false);
        assert_eq!(
            written.of_path("service.web.server.a.weight").to_string(),
            "s.toml:5"
        );
    }
}
