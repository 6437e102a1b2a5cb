//! Colours for the text of a scenario: enough of TOML (and of JSON) to tell names, values and remarks
//! apart. It never fails: what it does not know has the colour of plain text.

use crate::theme::Palette;
use eframe::egui::{self, Color32};

/// What a piece of text is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Token {
    Plain,
    Key,
    Header,
    Text,
    Number,
    Remark,
}

impl Token {
    fn colour(self, p: &Palette) -> Color32 {
        match self {
            Self::Plain | Self::Remark => p.weak,
            Self::Key => p.text,
            Self::Header => p.accent,
            Self::Text => p.good,
            Self::Number => p.start,
        }
    }
}

/// The text with its colours, never wrapped.
pub fn job(text: &str, font: &egui::FontId, p: &Palette) -> egui::text::LayoutJob {
    let mut job = egui::text::LayoutJob::default();
    for (token, piece) in tokens(text) {
        let format = egui::TextFormat {
            font_id: font.clone(),
            color: token.colour(p),
            italics: token == Token::Remark,
            ..Default::default()
        };
        job.append(piece, 0.0, format);
    }
    job
}

/// The pieces of a text, which together are the text.
fn tokens(text: &str) -> Vec<(Token, &str)> {
    let mut found: Vec<(Token, &str)> = Vec::new();
    let mut rest = text;
    let mut line_begins = true;
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '#' => (Token::Remark, until(rest, '\n')),
            '[' if line_begins => (Token::Header, until(rest, '\n')),
            '"' | '\'' => {
                let length = quoted(rest, first);
                (of_name(&rest[length..], Token::Text), length)
            }
            '0'..='9' | '-' | '+' => (Token::Number, word(rest)),
            c if c.is_alphanumeric() || c == '_' => {
                let length = word(rest);
                let value = match &rest[..length] {
                    "true" | "false" | "inf" | "nan" => Token::Number,
                    _ => Token::Plain,
                };
                (of_name(&rest[length..], value), length)
            }
            c => (Token::Plain, c.len_utf8()),
        };
        let (piece, after) = rest.split_at(length);
        match found.last_mut() {
            // Neighbours of one colour are one piece.
            Some((last, before)) if *last == token => {
                let start = text.len() - rest.len() - before.len();
                *before = &text[start..start + before.len() + length];
            }
            _ => found.push((token, piece)),
        }
        line_begins = match first {
            '\n' => true,
            ' ' | '\t' => line_begins,
            _ => false,
        };
        rest = after;
    }
    found
}

/// A name if what follows says so, otherwise what it would be as a value.
fn of_name(after: &str, value: Token) -> Token {
    if after
        .trim_start_matches([' ', '\t'])
        .starts_with(['=', ':', '.'])
    {
        Token::Key
    } else {
        value
    }
}

/// Bytes before the first `end`, or all.
fn until(text: &str, end: char) -> usize {
    text.find(end).unwrap_or(text.len())
}

/// Bytes of a word: of a bare key, a number or a moment.
fn word(text: &str) -> usize {
    let part = |c: char| c.is_alphanumeric() || ['_', '-', '+'].contains(&c);
    let number = text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+');
    let end = text.find(|c: char| !(part(c) || number && (c == '.' || c == ':')));
    end.unwrap_or(text.len()).max(1)
}

/// Bytes of a text in quotes, with both; to the end where it is not closed.
fn quoted(text: &str, quote: char) -> usize {
    let three = [quote; 3].iter().collect::<String>();
    if text.starts_with(&three) {
        return text[3..].find(&three).map_or(text.len(), |end| end + 6);
    }
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            '\n' => return i,
            '\\' if quote == '"' && !escaped => escaped = true,
            c if c == quote && !escaped => return i + c.len_utf8(),
            _ => escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, piece: &str) -> Token {
        let found = tokens(text).into_iter().find(|(_, p)| p.contains(piece));
        found.unwrap_or_else(|| panic!("{piece} in {text}")).0
    }

    #[test]
    fn names_values_and_remarks_are_told_apart() {
        let text = "# why\n[service.web]\ndemand = { kind = \"constant\", value = 5 } # [x]\n\"a b\" = true\nat = \"12\\\"30\"\n";
        for (piece, token) in [
            ("# why", Token::Remark),
            ("[service.web]", Token::Header),
            ("demand", Token::Key),
            ("kind", Token::Key),
            ("\"constant\"", Token::Text),
            ("5", Token::Number),
            ("# [x]", Token::Remark),
            ("\"a b\"", Token::Key),
            ("true", Token::Number),
            ("\"12\\\"30\"", Token::Text),
        ] {
            assert_eq!(of(text, piece), token, "{piece}");
        }
        assert_eq!(of("a = \"\"\"x\n# no\n\"\"\"\n", "# no"), Token::Text);
    }

    #[test]
    fn the_pieces_are_the_text_whatever_it_is() {
        let mut texts = vec![
            "",
            "\"",
            "'''",
            "[",
            "= é #",
            "a = \"ü\\",
            "x\r\ny",
            "1.5e-3,-",
        ];
        let models = crate::MODELS.names().into_iter();
        let models: Vec<String> = models
            .filter_map(|name| crate::MODELS.find(name))
            .map(|source| source.text)
            .collect();
        texts.extend(models.iter().map(String::as_str));
        for text in texts {
            let pieces: String = tokens(text).iter().map(|(_, piece)| *piece).collect();
            assert_eq!(pieces, text);
            for end in text.char_indices().map(|(i, _)| i).take(300) {
                let pieces: String = tokens(&text[..end]).iter().map(|(_, p)| *p).collect();
                assert_eq!(pieces, text[..end]);
            }
        }
    }
}
