//! What somebody changes at a moment of a run: the difference between a fork and the run it left.
//!
//! Every edit is written as an entry of a time line, so that a fork can be saved as an overlay
//! and run by the command.

use crate::engine::Simulation;
use crate::model::{Action, Actor, Model};
use crate::scenario::{self, Files, Problems, Scenario, Source, quoted};
use crate::time::{Duration, Instant};
use std::fmt::Write as _;
use std::sync::Arc;

/// A change made by hand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Edit {
    /// A parameter gets another value.
    Set {
        /// Its path, such as `service.web.server.web-1.weight`.
        path: String,
        /// The value, as in a scenario.
        value: String,
    },
    /// Something is done: `restart`, `drain`, `crash`, …
    Do {
        /// The word of the time line.
        action: String,
        /// The path of a server or a balancer.
        target: String,
    },
    /// A server joins that the scenario does not have. It was never there before, so the run is
    /// simulated anew up to this moment, which goes as it went.
    Add {
        /// The path of the new server, such as `service.web.server.web-5`.
        target: String,
        /// The server of the same service whose keys it has.
        like: String,
    },
}

impl Edit {
    /// A parameter gets another value.
    pub fn set(path: impl Into<String>, value: impl Into<String>) -> Self {
        Self::Set {
            path: path.into(),
            value: value.into(),
        }
    }

    /// Something is done to a target.
    pub fn act(action: impl Into<String>, target: impl Into<String>) -> Self {
        Self::Do {
            action: action.into(),
            target: target.into(),
        }
    }

    /// A server joins that the scenario does not have.
    pub fn add(target: impl Into<String>, like: impl Into<String>) -> Self {
        Self::Add {
            target: target.into(),
            like: like.into(),
        }
    }

    /// Whether the scenario itself must be another one from the start.
    pub fn is_structural(&self) -> bool {
        matches!(self, Self::Add { .. })
    }

    /// A few words for lists.
    pub fn words(&self) -> String {
        match self {
            Self::Set { path, value } => format!("{} = {value}", short_path(path)),
            Self::Do { action, target } => format!("{action} {}", short_path(target)),
            Self::Add { target, like } => format!("add {} like {like}", short_path(target)),
        }
    }

    /// Whether this edit and another set the same thing, so that the later replaces the earlier.
    pub fn replaces(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Set { path: a, .. }, Self::Set { path: b, .. }) => a == b,
            (a, b) => a == b,
        }
    }

    /// The entry of a time line that does the same at `at`.
    pub fn entry(&self, at: Instant) -> String {
        let mut text = format!("[[timeline]]\nat     = {}\n", moment(at));
        let _ = match self {
            Self::Set { path, value } => {
                writeln!(
                    text,
                    "set    = {{ {} = {} }}",
                    quoted(path),
                    toml_value(value)
                )
            }
            Self::Do { action, target } => {
                writeln!(
                    text,
                    "do     = {}\ntarget = {}",
                    quoted(action),
                    quoted(target)
                )
            }
            Self::Add { target, .. } => {
                writeln!(text, "do     = \"add\"\ntarget = {}", quoted(target))
            }
        };
        text
    }

    /// What a scenario must hold from the start for this edit to be possible.
    fn ground(&self) -> Option<String> {
        let Self::Add { target, like } = self else {
            return None;
        };
        let (service, name) = target.strip_prefix("service.")?.split_once(".server.")?;
        Some(format!(
            "[[service.{service}.server]]\nname    = {}\nlike    = {}\npresent = false\n",
            quoted(name),
            quoted(like)
        ))
    }

    /// Makes the change in a running simulation; `scenario` and `model` are those of the run, and
    /// come back as they are after the change.
    ///
    /// # Errors
    /// The problems `stampede check` would find in the entry of the time line.
    pub fn apply(
        &self,
        simulation: &mut Simulation,
        scenario: &mut Scenario,
        model: &mut Arc<Model>,
    ) -> Result<(), Problems> {
        let at = simulation.now();
        match self {
            Self::Set { path, value } => {
                let (after, changed, set) = scenario::change(scenario, model, at, path, value)?;
                *scenario = after;
                *model = Arc::new(changed);
                simulation.adopt(Arc::clone(model), &set, "what if");
            }
            Self::Do { .. } | Self::Add { .. } => {
                let action = self.action(at, scenario)?;
                simulation.perform(&action, Actor::People, "what if");
            }
        }
        Ok(())
    }

    /// Reads the edit's entry upon the scenario, so that it passes the one validator there is.
    fn action(&self, at: Instant, scenario: &Scenario) -> Result<Action, Problems> {
        let text = format!("base = \"base.toml\"\n{}", self.entry(at));
        let base = OneFile(scenario.to_toml());
        let model = Scenario::read(Source::new("change", text), &[], &base)?.model()?;
        let last = model.timeline.iter().rfind(|entry| entry.at == at);
        Ok(last.map_or(Action::Note, |entry| entry.action.clone()))
    }
}

/// The scenario that makes all edits at their moments by itself; it needs no other file.
///
/// # Errors
/// What is wrong with the edits.
pub fn replayed(root: &Scenario, title: &str, edits: &[Edited]) -> Result<Scenario, Problems> {
    let text = overlay("base.toml", title, None, edits);
    let name = format!("{}.toml", root.name());
    let read = Scenario::read(Source::new(&name, text), &[], &OneFile(root.to_toml()));
    read.map_err(|mut problems| {
        // It is called as the scenario is, so that figures are; but nobody has written it.
        for source in problems.sources.iter_mut().filter(|s| s.name == name) {
            "the changes".clone_into(&mut source.name);
        }
        problems
    })
}

/// The scenario an edit is read upon.
struct OneFile(String);

impl Files for OneFile {
    fn read(&self, name: &str) -> Result<Source, String> {
        Ok(Source::new(name, self.0.clone()))
    }
}

/// An edit and when it was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edited {
    /// When.
    pub at: Instant,
    /// What.
    pub edit: Edit,
}

/// A branch as an overlay: a scenario file that replays it from the start, with another seed than
/// that of its base where one is given.
pub fn overlay(base: &str, title: &str, seed: Option<u64>, edits: &[Edited]) -> String {
    let mut text = format!("base  = {}\ntitle = {}\n", quoted(base), quoted(title));
    if let Some(seed) = seed {
        let _ = writeln!(text, "\n[set]\nseed = {seed}");
    }
    for ground in edits.iter().filter_map(|edited| edited.edit.ground()) {
        let _ = write!(text, "\n{ground}");
    }
    for edited in edits {
        let _ = write!(text, "\n{}", edited.edit.entry(edited.at));
    }
    text
}

/// A moment as a scenario writes it: a span since the start, exact to the nanosecond.
fn moment(at: Instant) -> String {
    quoted(&Duration(at.0).to_string())
}

/// A value as TOML: as it stands if it is that, otherwise as text.
fn toml_value(value: &str) -> String {
    if is_value(value) {
        value.to_owned()
    } else {
        quoted(value)
    }
}

/// Whether a text is a value of TOML as it stands, and not to be put into quotes.
pub fn is_value(text: &str) -> bool {
    text.starts_with(['[', '{', '"', '\''])
        || ["true", "false", "inf", "-inf", "nan"].contains(&text)
        || is_number(text)
}

/// Whether TOML takes it for a number: digits on both sides of a point.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, part) = match mantissa.split_once('.') {
        Some((whole, part)) => (whole, Some(part)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && part.is_none_or(digits)
        && exponent.is_none_or(|e| digits(e.strip_prefix(['-', '+']).unwrap_or(e)))
}

/// The end of a path that tells it apart: `web-1.weight`.
pub fn short_path(path: &str) -> String {
    let words: Vec<&str> = path.split('.').collect();
    let words = match words.as_slice() {
        ["service", _, "server", rest @ ..] if !rest.is_empty() => rest,
        ["service", rest @ ..] if rest.len() > 1 => rest,
        all => all,
    };
    words.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlay_says_what_was_done() {
        let at = Instant(900_000_000_000);
        let edits = [
            Edit::set("service.web.server.web-1.weight", "3"),
            Edit::set("client.retry", "none"),
            Edit::act("drain", "service.web.server.web-2"),
        ]
        .map(|edit| Edited { at, edit });
        let text = overlay("incident", "What if", Some(7), &edits);
        for line in [
            "base  = \"incident\"",
            "[set]\nseed = 7",
            "at     = \"15m\"",
            "set    = { \"service.web.server.web-1.weight\" = 3 }",
            "set    = { \"client.retry\" = \"none\" }",
            "do     = \"drain\"\ntarget = \"service.web.server.web-2\"",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
        assert_eq!(edits[0].edit.words(), "web-1.weight = 3");
    }
}
