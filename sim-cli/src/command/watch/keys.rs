//! What each key does: those of the window, where it has the same.

use ratatui_crossterm::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Something to do.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Act {
    /// Play, or pause.
    PlayPause,
    /// One event of the simulation.
    Step,
    /// To the next event of the event log.
    NextEvent,
    /// To the previous one.
    PreviousEvent,
    /// So many seconds forward or back.
    SeekBy(f64),
    /// To the beginning.
    First,
    /// To the end.
    Last,
    /// The next higher speed, or the next lower one.
    Faster(bool),
    /// Pause at events, or not.
    PauseAtEvents,
    /// To the n-th moment of the event log.
    EventNumber(usize),
    /// A shorter stretch of time over the same width, or the whole run.
    Zoom,
    /// The list of all keys.
    Help,
    /// Close what is open on top.
    Escape,
    /// Leave.
    Quit,
}

/// A row of [`KEYS`].
pub(super) struct KeyDef {
    /// What it does, in the words of the window where it does the same.
    pub title: &'static str,
    /// The keys in words.
    pub words: &'static str,
    /// What it does, for the program.
    pub act: Act,
    keys: &'static [(KeyCode, KeyModifiers)],
}

const NONE: KeyModifiers = KeyModifiers::NONE;
const SHIFT: KeyModifiers = KeyModifiers::SHIFT;
const CTRL: KeyModifiers = KeyModifiers::CONTROL;

macro_rules! keys {
    ($($title:literal, $words:literal, [$(($key:expr, $held:expr)),*], $act:expr;)*) => {
        &[$(KeyDef { title: $title, words: $words, act: $act, keys: &[$(($key, $held)),*] }),*]
    };
}

/// Every key, in the order in which the help lists them.
pub(super) static KEYS: &[KeyDef] = keys![
    "Play or pause", "Space", [(KeyCode::Char(' '), NONE)], Act::PlayPause;
    "10 seconds forward", "→", [(KeyCode::Right, NONE)], Act::SeekBy(10.0);
    "10 seconds back", "←", [(KeyCode::Left, NONE)], Act::SeekBy(-10.0);
    "100 seconds forward", "Shift+→", [(KeyCode::Right, SHIFT)], Act::SeekBy(100.0);
    "100 seconds back", "Shift+←", [(KeyCode::Left, SHIFT)], Act::SeekBy(-100.0);
    "One event forward", "Ctrl+→", [(KeyCode::Right, CTRL)], Act::Step;
    "Next event of the event log", ".", [(KeyCode::Char('.'), NONE)], Act::NextEvent;
    "Previous event of the event log", ",", [(KeyCode::Char(','), NONE)], Act::PreviousEvent;
    "To the beginning", "Home", [(KeyCode::Home, NONE)], Act::First;
    "To the end", "End", [(KeyCode::End, NONE)], Act::Last;
    "Faster", "]", [(KeyCode::Char(']'), NONE)], Act::Faster(true);
    "Slower", "[", [(KeyCode::Char('['), NONE)], Act::Faster(false);
    "Pause at events", "E", [(KeyCode::Char('e'), NONE)], Act::PauseAtEvents;
    "The whole run, or the last part of it", "Z", [(KeyCode::Char('z'), NONE)], Act::Zoom;
    "Keys and help", "?, F1", [(KeyCode::Char('?'), NONE), (KeyCode::F(1), NONE)], Act::Help;
    "Close the help", "Esc", [(KeyCode::Esc, NONE)], Act::Escape;
    "Leave", "Q, Ctrl+C", [(KeyCode::Char('q'), NONE)], Act::Quit;
];

/// What a key does.
pub(super) fn act(key: &KeyEvent) -> Option<Act> {
    // Terminals differ in whether a capital letter, or `?`, comes with Shift.
    let (code, held) = match key.code {
        KeyCode::Char(letter) => (
            KeyCode::Char(letter.to_ascii_lowercase()),
            key.modifiers.difference(SHIFT),
        ),
        code => (code, key.modifiers),
    };
    if let (KeyCode::Char(digit @ '1'..='9'), NONE) = (code, held) {
        return Some(Act::EventNumber(digit as usize - '1' as usize));
    }
    let row = KEYS.iter().find(|row| row.keys.contains(&(code, held)))?;
    Some(row.act)
}

/// Whether it is Ctrl-C: a key while the terminal is taken, and no signal.
pub(super) fn is_interrupt(key: &KeyEvent) -> bool {
    key.code == KeyCode::Char('c') && key.modifiers.contains(CTRL)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How the window writes a key.
    fn as_in_the_window((code, held): (KeyCode, KeyModifiers)) -> String {
        let key = match code {
            KeyCode::Char(' ') => "Space".to_owned(),
            KeyCode::Char('.') => "Period".to_owned(),
            KeyCode::Char(',') => "Comma".to_owned(),
            KeyCode::Char('[') => "OpenBracket".to_owned(),
            KeyCode::Char(']') => "CloseBracket".to_owned(),
            KeyCode::Char('?') => "Questionmark".to_owned(),
            KeyCode::Char(letter) => letter.to_ascii_uppercase().to_string(),
            KeyCode::Left => "ArrowLeft".to_owned(),
            KeyCode::Right => "ArrowRight".to_owned(),
            other => format!("{other:?}").replace(['(', ')'], ""),
        };
        let held = if held == SHIFT {
            "shift"
        } else if held == CTRL {
            "ctrl"
        } else {
            "key"
        };
        format!("{held}(Key::{key})")
    }

    #[test]
    fn keys_are_those_of_the_window() {
        let window = include_str!("../../../../sim-gui/src/command.rs");
        let mut same = 0;
        for row in KEYS {
            let title = format!("\"{}\", [", row.title);
            let Some(line) = window.lines().find(|line| line.contains(&title)) else {
                continue;
            };
            same += 1;
            for key in row.keys {
                let key = as_in_the_window(*key);
                assert!(line.contains(&key), "{}: {key} is not in {line}", row.title);
            }
        }
        assert_eq!(same, KEYS.len() - 3, "all but zoom, escape and leave");
    }

    #[test]
    fn a_key_does_one_thing() {
        let keys: Vec<_> = KEYS.iter().flat_map(|row| row.keys).collect();
        for (i, key) in keys.iter().enumerate() {
            assert!(!keys[i + 1..].contains(key), "{key:?}");
        }
        let typed = |code, held| act(&KeyEvent::new(code, held));
        assert_eq!(typed(KeyCode::Char('?'), SHIFT), Some(Act::Help));
        assert_eq!(typed(KeyCode::Char('Q'), SHIFT), Some(Act::Quit));
        assert_eq!(typed(KeyCode::Char('3'), NONE), Some(Act::EventNumber(2)));
        assert_eq!(typed(KeyCode::Right, SHIFT), Some(Act::SeekBy(100.0)));
        assert_eq!(typed(KeyCode::Char('q'), CTRL), None);
    }
}
