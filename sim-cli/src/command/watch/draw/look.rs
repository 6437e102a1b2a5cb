//! Colours, bars, and texts cut to their place. Colour is never all that tells something.

use super::{BAD, DOUBT, GOOD};
use ratatui_core::style::{Color, Modifier, Style};
use ratatui_core::text::Span;
use sim_core::event_log;
use sim_playback::Condition;

/// What is to be seen last.
pub(super) const WEAK: Style = Style::new().add_modifier(Modifier::DIM);

/// How things look.
#[derive(Clone, Copy)]
pub(super) struct Look {
    /// Whether there are colours.
    pub colours: bool,
}

impl Look {
    /// A colour, where there are any.
    pub(super) fn ink(self, colour: Color) -> Style {
        if self.colours {
            Style::new().fg(colour)
        } else {
            Style::new()
        }
    }

    /// What is to be seen first.
    pub(super) fn bold(self, colour: Option<Color>) -> Style {
        colour
            .map_or(Style::new(), |colour| self.ink(colour))
            .add_modifier(Modifier::BOLD)
    }

    /// A filled place with a letter in it.
    fn plate(self, colour: Color) -> Style {
        if self.colours {
            Style::new().fg(Color::Black).bg(colour)
        } else {
            Style::new()
        }
    }

    /// The sign of a condition in a lane, and its style there.
    pub(super) fn lane(self, condition: Condition) -> (&'static str, Style) {
        match condition {
            Condition::Ok => ("─", self.ink(GOOD)),
            Condition::Busy => ("b", self.ink(DOUBT)),
            Condition::Full => ("F", self.plate(DOUBT)),
            Condition::Flooded => ("L", self.plate(DOUBT)),
            Condition::Warming => ("w", self.ink(Color::Cyan)),
            Condition::Drained => ("d", self.ink(Color::Blue)),
            Condition::Down => ("X", self.plate(BAD)),
            Condition::Starting => ("s", self.plate(Color::Cyan)),
            Condition::Absent => ("·", WEAK),
        }
    }

    /// The style of a condition's word.
    pub(super) fn condition(self, condition: Condition) -> Style {
        match condition {
            Condition::Ok => self.ink(GOOD),
            Condition::Busy => self.ink(DOUBT),
            Condition::Full | Condition::Flooded => self.bold(Some(DOUBT)),
            Condition::Warming | Condition::Starting => self.ink(Color::Cyan),
            Condition::Drained => self.ink(Color::Blue),
            Condition::Down => self.bold(Some(BAD)),
            Condition::Absent => WEAK,
        }
    }

    /// The style of an event's sign.
    pub(super) fn event(self, look: event_log::Look) -> Style {
        match look {
            event_log::Look::Failure => self.bold(Some(BAD)),
            event_log::Look::Warning => self.ink(DOUBT),
            event_log::Look::Recovery => self.ink(GOOD),
            event_log::Look::Start => self.ink(Color::Cyan),
            event_log::Look::Halt => self.ink(Color::Blue),
            event_log::Look::Change => Style::new(),
        }
    }
}

/// The sign of a condition before its word.
pub(super) fn sign(condition: Condition) -> char {
    match condition {
        Condition::Ok => '●',
        Condition::Busy | Condition::Full | Condition::Flooded | Condition::Warming => '▲',
        Condition::Drained => '→',
        Condition::Down => '✖',
        Condition::Starting => '◌',
        Condition::Absent => '·',
    }
}

/// The columns that a text takes.
pub(super) fn width(text: &str) -> u16 {
    u16::try_from(Span::raw(text).width()).unwrap_or(u16::MAX)
}

/// A text in so many columns; where something is left out, the last is an ellipsis.
pub(super) fn cut(text: &str, columns: u16) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let (mut kept, mut taken) = (String::new(), 0);
    for letter in Span::raw(text).styled_graphemes(Style::new()) {
        let wide = width(letter.symbol);
        if taken + wide + 1 > columns {
            break;
        }
        taken += wide;
        kept.push_str(letter.symbol);
    }
    kept.push('…');
    kept
}

/// A text in lines of so many columns, broken between words.
pub(super) fn wrapped(text: &str, columns: u16) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A bar of so many columns, filled by a share in eighths. What is not nothing shows.
pub(super) fn bar(share: f64, columns: u16) -> String {
    const PARTS: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
    let all = f64::from(columns) * 8.0;
    let filled = level(share, all as usize);
    (0..usize::from(columns))
        .map(|column| PARTS[filled.saturating_sub(column * 8).min(8)])
        .collect()
}

/// One column of a curve, from the lowest line up, in eighths.
pub(super) fn column(share: f64, lines: u16) -> Vec<char> {
    const PARTS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let filled = level(share, usize::from(lines) * 8);
    (0..usize::from(lines))
        .map(|line| PARTS[filled.saturating_sub(line * 8).min(8)])
        .collect()
}

fn level(share: f64, all: usize) -> usize {
    let level = (share.clamp(0.0, 1.0) * all as f64).round() as usize;
    if share > 0.0 { level.max(1) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fit_their_place() {
        assert_eq!(cut("web-1", 5), "web-1");
        assert_eq!(cut("web-10", 5), "web-…");
        assert_eq!(cut("服务器一", 6), "服务…");
        assert_eq!(cut("服务器一", 5), "服务…");
        assert_eq!(width(&cut("e\u{301}e\u{301}e\u{301}", 2)), 2);
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("immeasurable two", 8), ["immeasurable", "two"]);
    }

    #[test]
    fn bars_are_full_when_all_is_and_never_hide_what_is_there() {
        assert_eq!(bar(1.0, 3), "███");
        assert_eq!(bar(0.5, 3), "█▌ ");
        assert_eq!(bar(0.0001, 3), "▏  ");
        assert_eq!(bar(0.0, 3), "   ");
        assert_eq!(column(0.75, 2), ['█', '▄']);
    }
}
