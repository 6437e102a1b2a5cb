//! Links: scenario, seed, changes and moment as the part of an address after `#`.
//!
//! A scenario that everybody has is told by its name; any other comes as its text, so that a link
//! needs nothing but the program or the page.

use crate::MODELS;
use crate::app::Opening;
use crate::files::{Embedded, seed_set};
use crate::playback::Edit;
use crate::state::State;
use sim_core::scenario::Scenario;
use sim_core::time::Duration;
use std::fmt::Write as _;

/// Longest link made, in bytes: browsers take about a million.
const BYTES_MAX: usize = 500_000;

/// A link to what is shown.
///
/// # Errors
/// When the scenario is too long for a link.
pub fn of(state: &State) -> Result<String, String> {
    // A file is known by its name alone: folders are nobody else's business.
    let name = state.name.rsplit(['/', '\\']).next().unwrap_or_default();
    let known = |name: &str| {
        MODELS
            .find(name)
            .is_some_and(|m| m.text == state.source.text)
    };
    let mut link = if known(&state.name) {
        format!("#model={}", escape(&state.name))
    } else {
        format!("#model={}&text={}", escape(name), escape(&text(state)))
    };
    if let Some(seed) = state.seed {
        let _ = write!(link, "&seed={seed}");
    }
    if let Some(at) = moment(state) {
        let _ = write!(link, "&t={}", escape(&at));
    }
    for (at, words) in edits(state) {
        let _ = write!(link, "&do={}@{}", escape(&at), escape(&words));
    }
    if link.len() > BYTES_MAX {
        return Err(format!(
            "the scenario makes a link of {} kB, and browsers do not take that; save it as a file",
            link.len() / 1000
        ));
    }
    Ok(format!("{}{link}", base()))
}

/// The moment that is shown, or gone to, as it is typed.
pub(crate) fn moment(state: &State) -> Option<String> {
    if let Some(asked) = state.asked.as_ref().filter(|asked| asked.sent.is_none()) {
        return asked.at.clone();
    }
    let report = state.report.as_ref()?;
    Some(Duration(report.transport.goal.0).to_string())
}

/// The changes of the fork that is shown: moments, and what was done, as a person types it.
pub(crate) fn edits(state: &State) -> Vec<(String, String)> {
    if let Some(asked) = &state.asked {
        return asked.edits.clone();
    }
    let branch = state.fork().and_then(|fork| state.branch(fork));
    let edits = branch.map_or(&[][..], |branch| &branch.edits).iter();
    edits
        .map(|edited| {
            let words = match &edited.edit {
                Edit::Set { path, value } => format!("{path}={value}"),
                Edit::Do { action, target } => format!("{action} {target}"),
                Edit::Add { target, like } => format!("add {target} like {like}"),
            };
            (Duration(edited.at.0).to_string(), words)
        })
        .collect()
}

/// The scenario's text as it can be read elsewhere: as it is written, or without the files that it
/// refers to.
fn text(state: &State) -> String {
    let Some(scenario) = &state.scenario else {
        return state.source.text.clone();
    };
    let set = seed_set(state.seed);
    let alone = Scenario::read(state.source.clone(), set.as_slice(), &Embedded);
    match alone {
        Ok(alone) if alone.hash() == scenario.hash() => state.source.text.clone(),
        _ => scenario.to_toml(),
    }
}

#[cfg(target_arch = "wasm32")]
fn base() -> String {
    crate::web::address()
}

#[cfg(not(target_arch = "wasm32"))]
fn base() -> String {
    String::new()
}

/// What a link asks for; what it does not say is as at a first start.
pub fn read(link: &str) -> Opening {
    let mut opening = Opening::default();
    let hash = link.split_once('#').map_or(link, |(_, hash)| hash);
    for part in hash.split('&') {
        match part.split_once('=') {
            Some(("model", name)) => opening.scenario = Some(unescape(name)),
            Some(("text", text)) => opening.text = Some(unescape(text)),
            Some(("seed", seed)) => match unescape(seed).parse() {
                Ok(seed) => opening.seed = Some(seed),
                Err(_) => opening.remark = Some(format!("the link's seed is no number: {seed:?}")),
            },
            Some(("t", at)) => opening.at = Some(unescape(at)),
            Some(("do", what)) => {
                if let Some((at, words)) = what.split_once('@') {
                    opening.edits.push((unescape(at), unescape(words)));
                }
            }
            _ => {}
        }
    }
    opening
}

fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:,=".contains(&byte) {
            escaped.push(char::from(byte));
        } else if byte == b' ' {
            escaped.push('+');
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = (byte == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(code.unwrap_or(if byte == b'+' { b' ' } else { byte }));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_survives_a_link() {
        for text in [
            "incident",
            "a b&c=d#e%20",
            "größer → 3",
            "1 + 1 = 2\nb++",
            "{ kind = \"fixed\" }",
            "%",
            "%zz",
        ] {
            assert_eq!(unescape(&escape(text)), text);
        }
        let opening = read("https://example.org/#model=incident&t=12:25&do=15m@web-1.weight%3D3");
        assert_eq!(opening.scenario.as_deref(), Some("incident"));
        assert_eq!(opening.at.as_deref(), Some("12:25"));
        assert_eq!(
            opening.edits,
            [("15m".to_owned(), "web-1.weight=3".to_owned())]
        );
        assert!(read("%%%&&&==#").edits.is_empty());
        let opening = read("#model=mine.toml&text=horizon+%3D+%221m%22%0A&seed=7");
        assert_eq!(opening.text.as_deref(), Some("horizon = \"1m\"\n"));
        assert_eq!(opening.seed, Some(7));
    }
}
