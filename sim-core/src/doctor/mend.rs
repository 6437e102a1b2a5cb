//! What mends, as changes of a scenario's text: values that are written are replaced where they stand.

use crate::scenario::{Source, outline};
use std::collections::BTreeMap;
use std::ops::Range;

/// What mending changes in a text, and what it leaves to people's hands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mended {
    /// The text with the values replaced.
    pub text: String,
    /// Lines in which something was replaced, from 1.
    pub lines: Vec<usize>,
    /// Paths and values that are not written in the text.
    pub by_hand: Vec<(String, String)>,
}

/// Replaces values of a scenario where they stand. Where two are given for one, the first counts.
pub fn mend<'c>(scenario: &Source, cure: impl IntoIterator<Item = &'c (String, String)>) -> Mended {
    let written = outline(scenario).unwrap_or_default();
    let mut changes: BTreeMap<usize, (Range<usize>, String)> = BTreeMap::new();
    let mut by_hand = Vec::new();
    for (path, value) in cure {
        match written.iter().find(|own| own.path == *path) {
            Some(own) => {
                let change = || (own.place.clone(), value.clone());
                changes.entry(own.place.start).or_insert_with(change);
            }
            None => by_hand.push((path.clone(), value.clone())),
        }
    }
    let lines = changes.keys().map(|start| scenario.line_column(*start).0);
    let mut lines: Vec<usize> = lines.collect();
    lines.dedup();
    let mut text = scenario.text.clone();
    // From the end, so that what stands before keeps its place.
    for (range, value) in changes.into_values().rev() {
        text.replace_range(range, &value);
    }
    Mended {
        text,
        lines,
        by_hand,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_replaced_and_what_is_not_is_left_to_people() {
        let text = "horizon = \"9s\"   # short\nrate_factor = 2\n";
        let set = |path: &str, value: &str| (path.to_owned(), value.to_owned());
        let cure = [
            set("rate_factor", "1"),
            set("horizon", "\"1m 30s\""),
            set("warm_up", "\"1s\""),
            set("horizon", "\"2m\""),
        ];
        let mended = mend(&Source::new("s.toml", text), &cure);
        assert_eq!(
            mended.text,
            "horizon = \"1m 30s\"   # short\nrate_factor = 1\n"
        );
        assert_eq!(mended.lines, [1, 2]);
        assert_eq!(mended.by_hand, [set("warm_up", "\"1s\"")]);
    }
}
