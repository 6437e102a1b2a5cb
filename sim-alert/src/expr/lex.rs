//! The words of an expression.

use super::Misread;
use crate::{duration, number};

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name, or a word of the language: which of both is decided where it stands.
    Name(String),
    Number(f64),
    Duration(i64),
    Text(String),
    Sign(&'static str),
    End,
}

/// Signs, those that begin with another first.
const SIGNS: [&str; 23] = [
    "==", "!=", ">=", "<=", "=~", "!~", "=", ">", "<", "+", "-", "*", "/", "%", "^", "(", ")", "{",
    "}", "[", "]", ",", "@",
];

/// Words with the byte at which each begins.
pub(super) fn words(text: &str) -> Result<Vec<(Token, usize)>, Misread> {
    let mut lexer = Lexer {
        text,
        at: 0,
        within_brackets: false,
    };
    let mut found = Vec::new();
    loop {
        lexer.skip_space();
        let at = lexer.at;
        let token = lexer.next()?;
        let end = token == Token::End;
        found.push((token, at));
        if end {
            return Ok(found);
        }
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    /// Between `[` and `]` a colon parts the range from the step.
    within_brackets: bool,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        loop {
            let rest = self.rest();
            if rest.starts_with('#') {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with([' ', '\t', '\n', '\r']) {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    fn wrong<T>(&self, message: impl Into<String>) -> Result<T, Misread> {
        Err(Misread::new(self.at, message))
    }

    fn next(&mut self) -> Result<Token, Misread> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(Token::End);
        };
        let second_is_digit = rest[first.len_utf8()..].starts_with(|c: char| c.is_ascii_digit());
        match first {
            '"' | '\'' | '`' => return self.text(first),
            ':' if self.within_brackets => {
                self.at += 1;
                return Ok(Token::Sign(":"));
            }
            _ if first.is_ascii_digit() || (first == '.' && second_is_digit) => {
                return self.number();
            }
            _ if first.is_ascii_alphabetic() || first == '_' || first == ':' => {
                let end = rest
                    .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
                    .unwrap_or(rest.len());
                let name = rest[..end].to_owned();
                self.at += end;
                return Ok(Token::Name(name));
            }
            _ => {}
        }
        let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) else {
            return self.wrong(format!("{first:?} means nothing here"));
        };
        self.at += sign.len();
        match *sign {
            "[" => self.within_brackets = true,
            "]" => self.within_brackets = false,
            _ => {}
        }
        Ok(Token::Sign(sign))
    }

    /// A number or a length of time, which differ only in what follows the digits.
    fn number(&mut self) -> Result<Token, Misread> {
        let rest = self.rest();
        let mut end = 0;
        for (at, letter) in rest.char_indices() {
            let before = rest[..at].chars().next_back();
            let exponent = matches!(before, Some('e' | 'E')) && !rest.starts_with("0x");
            let sign = matches!(letter, '+' | '-') && exponent;
            if !(letter.is_ascii_alphanumeric() || letter == '.' || letter == '_' || sign) {
                break;
            }
            end = at + 1;
        }
        let word = &rest[..end];
        let token = number::parse(word)
            .map(Token::Number)
            .or_else(|| duration::parse(word).map(Token::Duration));
        let Some(token) = token else {
            let allowed = duration::ALLOWED;
            return self.wrong(format!(
                "{word:?} is neither a number nor a length of time ({allowed})"
            ));
        };
        self.at += end;
        Ok(token)
    }

    fn text(&mut self, quote: char) -> Result<Token, Misread> {
        let mut out = String::new();
        let mut letters = self.rest().char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            match letter {
                _ if letter == quote => {
                    self.at += at + 1;
                    return Ok(Token::Text(out));
                }
                '\\' if quote != '`' => match letters.next().map(|(_, escaped)| escaped) {
                    Some('n') => out.push('\n'),
                    Some('t') => out.push('\t'),
                    Some('r') => out.push('\r'),
                    Some('a') => out.push('\x07'),
                    Some('b') => out.push('\x08'),
                    Some('f') => out.push('\x0c'),
                    Some('v') => out.push('\x0b'),
                    Some(one) if one == '\\' || one == quote => out.push(one),
                    Some(kind @ ('x' | 'u' | 'U' | '0'..='7')) => {
                        let (digits, radix) = match kind {
                            'x' => (2, 16),
                            'u' => (4, 16),
                            'U' => (8, 16),
                            _ => (2, 8),
                        };
                        let code: String =
                            letters.by_ref().take(digits).map(|(_, one)| one).collect();
                        let complete = code.chars().count() == digits;
                        let code = if radix == 8 {
                            format!("{kind}{code}")
                        } else {
                            code
                        };
                        let value = u32::from_str_radix(&code, radix).ok();
                        // A byte alone is a letter only below 128.
                        let byte = matches!(kind, 'x' | '0'..='7');
                        let value = value.filter(|value| complete && !(byte && *value > 127));
                        let Some(letter) = value.and_then(char::from_u32) else {
                            return self.wrong(format!("\\{kind}… is no letter"));
                        };
                        out.push(letter);
                    }
                    other => {
                        return self.wrong(format!(
                            "\\{} is no escape; allowed are \\a \\b \\f \\n \\r \\t \\v \\x \\u \\U \\nnn, \
                             \\\\ and the quotation mark; in `…` a backslash stands for itself",
                            other.map(String::from).unwrap_or_default()
                        ));
                    }
                },
                '\n' if quote != '`' => break,
                _ => out.push(letter),
            }
        }
        self.wrong(format!("no {quote} ends this text"))
    }
}
