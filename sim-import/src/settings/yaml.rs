//! YAML of settings, and JSON as part of it: with values in the place of variables, read as the programs do.

use crate::settings::system::Place;
use crate::settings::{Surroundings, Unreadable, text};
use sim_core::scenario::Source;
use sim_yaml::Keys;
use std::sync::Arc;

pub(super) type Node = sim_yaml::Node<Place>;
pub(super) type Entry = sim_yaml::Entry<Place>;
pub(super) type Value = sim_yaml::Value<Place>;

/// The documents of a file, with values in the place of its variables.
///
/// # Errors
/// Says what has no value, that it is a template nobody has rendered, or where it is no YAML.
pub(super) fn read(source: &Source, around: &Surroundings<'_>) -> Result<Vec<Node>, Unreadable> {
    let file = source.name.as_str().into();
    let filled = text::substitute(&source.text, &file, around.variable)?;
    if let Some(problem) = text::marked(&filled, &file, text::HELM) {
        return Err(problem);
    }
    // A text may have braces of its own: only what cannot be read is taken for a template by them.
    documents(&filled, &file).map_err(|why| text::template(&filled, &file).unwrap_or(why))
}

/// The documents of a text.
///
/// # Errors
/// Says where the text is no YAML, or grows beyond what is read.
pub(super) fn documents(text: &str, file: &Arc<str>) -> Result<Vec<Node>, Unreadable> {
    let place = |line| Place {
        file: file.clone(),
        line,
    };
    let read = sim_yaml::documents(text, Keys::Last, place);
    read.map_err(|wrong| Unreadable::new(place(wrong.line), &wrong.why))
}
