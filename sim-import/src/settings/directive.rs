//! Directives with arguments and blocks, as nginx and Caddy have them.

use super::system::Place;

/// A directive with its arguments, and what stands in its braces.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Directive {
    pub name: String,
    pub args: Vec<String>,
    pub place: Place,
    pub block: Option<Vec<Directive>>,
}

impl Directive {
    /// As it stands, for remarks.
    pub(super) fn text(&self) -> String {
        let words = std::iter::once(&self.name).chain(&self.args);
        words.map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    /// An argument by its number from 0; empty where there is none.
    pub(super) fn arg(&self, index: usize) -> &str {
        self.args.get(index).map_or("", String::as_str)
    }

    /// What stands in its braces.
    pub(super) fn inside(&self) -> &[Directive] {
        self.block.as_deref().unwrap_or_default()
    }
}
