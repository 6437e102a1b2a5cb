//! A script's text as words, each with its place.

use super::Mistake;
use std::ops::Range;

/// A word.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Word<'a> {
    /// A name, or one of the language's own words.
    Name(&'a str),
    /// A number; times are in seconds.
    Number(f64),
    /// A sign such as `+` or `==`.
    Sign(&'static str),
    /// The end of the text.
    End,
}

/// A word and the bytes that it takes.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub word: Word<'a>,
    pub place: Range<usize>,
}

/// Signs, longer ones before those that they begin with.
const SIGNS: &[&str] = &[
    "..", "==", "!=", "<=", ">=", "&&", "||", "+=", "-=", "*=", "/=", "(", ")", "{", "}", "[", "]",
    ",", ";", "=", "<", ">", "+", "-", "*", "/", "%", "!",
];

/// Units that may follow a number at once, in seconds.
const UNITS: &[(&str, f64)] = &[
    ("ns", 1e-9),
    ("us", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
];

/// The words of a text, the end among them.
pub(super) fn words(text: &str) -> Result<Vec<Token<'_>>, Mistake> {
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        at += blank(&text[at..]);
        let rest = &text[at..];
        let Some(first) = rest.chars().next() else {
            break;
        };
        let (word, length) = if first.is_ascii_digit() {
            number(rest).map_err(|(length, what)| Mistake::new(at..at + length, what))?
        } else if first.is_ascii_alphabetic() || first == '_' {
            let length = name_length(rest);
            (Word::Name(&rest[..length]), length)
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (Word::Sign(sign), sign.len())
        } else {
            let what = format!("{first:?} means nothing here");
            return Err(Mistake::new(at..at + first.len_utf8(), what));
        };
        let place = at..at + length;
        tokens.push(Token { word, place });
        at += length;
    }
    let (word, place) = (Word::End, text.len()..text.len());
    tokens.push(Token { word, place });
    Ok(tokens)
}

/// Bytes of blanks and comments at the beginning of a text.
fn blank(text: &str) -> usize {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let Some(comment) = rest.strip_prefix("//") else {
            return text.len() - rest.len();
        };
        rest = comment.find('\n').map_or("", |end| &comment[end..]);
    }
}

fn name_length(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(text.len())
}

/// The number that a text begins with, with its unit, and how long both are; or how long what is none is.
fn number(text: &str) -> Result<(Word<'_>, usize), (usize, String)> {
    let digits = |from: usize| {
        let rest = &text[from..];
        let length = rest.find(|c: char| !c.is_ascii_digit() && c != '_');
        from + length.unwrap_or(rest.len())
    };
    let mut length = digits(0);
    // A point belongs to it where a digit follows: `0..n` are two numbers.
    if text[length..].starts_with('.')
        && text[length + 1..].starts_with(|c: char| c.is_ascii_digit())
    {
        length = digits(length + 1);
    }
    let power = text[length..]
        .strip_prefix(['e', 'E'])
        .map(|rest| rest.strip_prefix(['+', '-']).unwrap_or(rest));
    if let Some(power) = power
        && power.starts_with(|c: char| c.is_ascii_digit())
    {
        length = digits(text.len() - power.len());
    }
    let unit = &text[length..length + name_length(&text[length..])];
    let whole = length + unit.len();
    let factor = match UNITS.iter().find(|(name, _)| *name == unit) {
        Some((_, seconds)) => *seconds,
        None if unit.is_empty() => 1.0,
        None => {
            let units: Vec<&str> = UNITS.iter().map(|(name, _)| *name).collect();
            let what = format!(
                "{:?} is no number; units are {}",
                &text[..whole],
                units.join(", ")
            );
            return Err((whole, what));
        }
    };
    let written: String = text[..length].chars().filter(|c| *c != '_').collect();
    match written.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok((Word::Number(value * factor), whole)),
        _ => Err((whole, format!("{:?} is no number", &text[..whole]))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<Word<'_>> {
        let tokens = words(text).expect("words");
        tokens.into_iter().map(|token| token.word).collect()
    }

    #[test]
    fn words_of_all_kinds() {
        use Word::{End, Name, Number, Sign};
        assert_eq!(
            of("let x_1 = 1_000; // so\n  x_1 >= 2.5ms"),
            [
                Name("let"),
                Name("x_1"),
                Sign("="),
                Number(1000.0),
                Sign(";"),
                Name("x_1"),
                Sign(">="),
                Number(0.0025),
                End
            ]
        );
        assert_eq!(of("0..9"), [Number(0.0), Sign(".."), Number(9.0), End]);
        assert_eq!(of("1e-3 2E6s"), [Number(1e-3), Number(2e6), End]);
        assert_eq!(of(" // nothing"), [End]);
    }

    #[test]
    fn what_is_no_word_is_told_with_its_place() {
        for (text, place, what) in [
            ("let x = 5parsecs;", 8..16, "units are ns, us, ms, s, m, h"),
            ("a ~ b", 2..3, "'~' means nothing here"),
            ("x = 1e999;", 4..9, "is no number"),
            ("é", 0..2, "'é' means nothing"),
        ] {
            let mistake = words(text).expect_err(text);
            assert_eq!(mistake.place, place, "{text}");
            assert!(mistake.what.contains(what), "{}", mistake.what);
        }
    }
}
