//! Links: scenario, moment and changes as the part of an address after `#`.

use crate::app::Opening;
use crate::playback::Edit;
use crate::state::State;
use sim_core::time::Duration;
use std::fmt::Write as _;

/// A link to what is shown.
pub fn of(state: &State) -> String {
    let mut link = format!(
        "#model={}&t={}",
        escape(&state.name),
        Duration(state.now().0)
    );
    let view = state.beside().or_else(|| state.view());
    let edits = view
        .and_then(|view| state.branch(view.branch))
        .map(|branch| &branch.edits);
    for edited in edits.into_iter().flatten() {
        let words = match &edited.edit {
            Edit::Set { path, value } => format!("{path}={value}"),
            Edit::Do { action, target } => format!("{action} {target}"),
            Edit::Add { target, like } => format!("add {target} like {like}"),
        };
        let _ = write!(link, "&do={}@{}", Duration(edited.at.0), escape(&words));
    }
    format!("{}{link}", base())
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
        if byte.is_ascii_alphanumeric() || b"-._~/:".contains(&byte) {
            escaped.push(char::from(byte));
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
        bytes.push(code.unwrap_or(byte));
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
    }
}
