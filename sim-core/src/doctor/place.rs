//! Where a value stands: in the scenario, or, if that was imported, in the file it was read from.

use crate::scenario::{Place, Source, outline};

/// Paths with the places of their values.
#[derive(Clone, Debug)]
pub struct Places(Vec<(String, Place)>);

impl Places {
    /// Those of a scenario as it is written.
    pub fn of(source: &Source) -> Self {
        let place = |byte| Place {
            file: source.name.as_str().into(),
            line: source.line_column(byte).0,
        };
        let written = outline(source).unwrap_or_default().into_iter();
        Self(
            written
                .map(|own| (own.path, place(own.place.start)))
                .collect(),
        )
    }

    /// Those of settings that were read into a scenario.
    pub fn read(places: Vec<(String, Place)>) -> Self {
        Self(places)
    }

    /// Where the value at a path stands, or else the one that has most of its beginning in common; `None` if none has
    /// more than the kind of thing.
    pub fn of_path(&self, path: &str) -> Option<&Place> {
        let words: Vec<&str> = path.split('.').collect();
        let alike = |own: &str| {
            let pairs = words.iter().zip(own.split('.'));
            pairs
                .take_while(|(a, b)| *a == b || same_group(a, b))
                .count()
        };
        let best = self.0.iter().map(|(own, _)| alike(own)).max()?;
        let found = self.0.iter().find(|(own, _)| alike(own) == best);
        found.filter(|_| best > 1).map(|(_, place)| place)
    }
}

/// A server `web-1` is written with others as `web`.
fn same_group(word: &str, written: &str) -> bool {
    let number = word
        .strip_prefix(written)
        .and_then(|rest| rest.strip_prefix('-'));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_where_it_stands_or_near_it() {
        let text = "[service.web]\ndemand = \"1ms\"\n[[service.web.server]]\nname = \"a\"\nweight = 3   # not.conf:7\n[[service.web.server]]\nname = \"b\"\ncount = 2\n";
        let places = Places::of(&Source::new("s.toml", text));
        let of = |path: &str| places.of_path(path).map(ToString::to_string);
        assert_eq!(
            of("service.web.server.a.weight").as_deref(),
            Some("s.toml:5")
        );
        assert_eq!(
            of("service.web.server.b-2.weight").as_deref(),
            Some("s.toml:7")
        );
        assert_eq!(
            of("service.web.balancer.health").as_deref(),
            Some("s.toml:2")
        );
        assert_eq!(of("nothing.at.all"), None);
    }
}
