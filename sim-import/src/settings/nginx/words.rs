//! The text of nginx's settings as directives: words, quotes, `;`, blocks and comments.

use crate::settings::Unreadable;
use crate::settings::directive::Directive;
use crate::settings::system::Place;
use std::sync::Arc;

/// Deepest nesting of blocks.
const DEPTH_MAX: usize = 50;

/// Reads a text.
pub(super) fn directives(text: &str, file: &Arc<str>) -> Result<Vec<Directive>, Unreadable> {
    let mut reader = Reader {
        rest: text.strip_prefix('\u{feff}').unwrap_or(text),
        line: 1,
        file,
    };
    let (found, closed) = reader.block(0)?;
    match closed {
        Some(line) => Err(reader.unreadable(line, "a } without its {")),
        None => Ok(found),
    }
}

struct Reader<'t> {
    rest: &'t str,
    line: usize,
    file: &'t Arc<str>,
}

enum Token {
    Word(String),
    Semicolon,
    Open,
    Close,
}

impl Reader<'_> {
    fn place(&self, line: usize) -> Place {
        Place {
            file: self.file.clone(),
            line,
        }
    }

    fn unreadable(&self, line: usize, why: &str) -> Unreadable {
        Unreadable::new(self.place(line), why)
    }

    /// The directives up to the end of the block or the text; the line of a `}` that ended it.
    fn block(&mut self, depth: usize) -> Result<(Vec<Directive>, Option<usize>), Unreadable> {
        if depth > DEPTH_MAX {
            let why = format!("blocks are nested deeper than {DEPTH_MAX}");
            return Err(self.unreadable(self.line, &why));
        }
        let mut found = Vec::new();
        let mut words: Vec<String> = Vec::new();
        let mut begun = self.line;
        loop {
            let Some(token) = self.token()? else {
                if let Some(word) = words.first() {
                    let why = format!("the directive `{word}` has no end: a ; is missing");
                    return Err(self.unreadable(begun, &why));
                }
                return Ok((found, None));
            };
            match token {
                Token::Word(word) => {
                    if words.is_empty() {
                        begun = self.line;
                    }
                    words.push(word);
                }
                Token::Semicolon => {
                    if let Some(directive) = self.directive(&mut words, begun, None) {
                        found.push(directive);
                    }
                }
                Token::Open => {
                    let opened = self.line;
                    let lua = words
                        .first()
                        .is_some_and(|name| name.ends_with("_by_lua_block"));
                    let inside = if lua {
                        self.skip_lua(opened)?;
                        Vec::new()
                    } else {
                        let (inside, closed) = self.block(depth + 1)?;
                        if closed.is_none() {
                            return Err(self.unreadable(opened, "a { without its }"));
                        }
                        inside
                    };
                    if let Some(directive) = self.directive(&mut words, begun, Some(inside)) {
                        found.push(directive);
                    }
                }
                Token::Close => {
                    if let Some(word) = words.first() {
                        let why =
                            format!("the directive `{word}` has no end: a ; is missing before }}");
                        return Err(self.unreadable(begun, &why));
                    }
                    return Ok((found, Some(self.line)));
                }
            }
        }
    }

    fn directive(
        &self,
        words: &mut Vec<String>,
        line: usize,
        block: Option<Vec<Directive>>,
    ) -> Option<Directive> {
        if words.is_empty() {
            return None;
        }
        let name = words.remove(0);
        Some(Directive {
            name,
            args: std::mem::take(words),
            place: self.place(line),
            block,
        })
    }

    /// Lua has braces and quotes of its own: up to the brace that closes the block.
    fn skip_lua(&mut self, opened: usize) -> Result<(), Unreadable> {
        let mut depth = 1;
        while let Some(c) = self.next() {
            match c {
                '{' => depth += 1,
                '}' => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                _ => {}
            }
        }
        Err(self.unreadable(opened, "a { without its }"))
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        self.line += usize::from(c == '\n');
        Some(c)
    }

    fn token(&mut self) -> Result<Option<Token>, Unreadable> {
        loop {
            let Some(c) = self.rest.chars().next() else {
                return Ok(None);
            };
            match c {
                '#' => {
                    let end = self.rest.find('\n').unwrap_or(self.rest.len());
                    self.rest = &self.rest[end..];
                }
                c if c.is_whitespace() => {
                    self.next();
                }
                _ => break,
            }
        }
        let token = match self.rest.chars().next() {
            Some(';') => Token::Semicolon,
            Some('{') => Token::Open,
            Some('}') => Token::Close,
            Some(quote @ ('"' | '\'')) => {
                return self.quoted(quote).map(|word| Some(Token::Word(word)));
            }
            _ => return Ok(Some(Token::Word(self.bare()))),
        };
        self.next();
        Ok(Some(token))
    }

    fn quoted(&mut self, quote: char) -> Result<String, Unreadable> {
        let opened = self.line;
        self.next();
        let mut word = String::new();
        while let Some(c) = self.next() {
            match c {
                '\\' => match self.next() {
                    Some(c) if c == quote || c == '\\' => word.push(c),
                    Some(c) => word.extend(['\\', c]),
                    None => break,
                },
                c if c == quote => return Ok(word),
                c => word.push(c),
            }
        }
        Err(self.unreadable(opened, &format!("a {quote} without its end")))
    }

    fn bare(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.rest.chars().next() {
            let brace_of_variable = c == '{' && word.ends_with('$');
            if brace_of_variable {
                // `${name}` is part of the word.
                while let Some(c) = self.next() {
                    word.push(c);
                    if c == '}' || c.is_whitespace() {
                        break;
                    }
                }
                continue;
            }
            if c.is_whitespace() || matches!(c, ';' | '{' | '}') {
                break;
            }
            self.next();
            word.push(c);
            if c == '\\'
                && let Some(escaped) = self.next()
            {
                word.push(escaped);
            }
        }
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Directive>, Unreadable> {
        directives(text, &"t.conf".into())
    }

    #[test]
    fn words_quotes_comments_and_blocks() {
        let text = "a 1 'two words' \"q\\\"x\"; # no; {\nb {\n  c x${y}z;\n}\ncontent_by_lua_block { if x then return {} end }\n";
        let found = read(text).expect("valid");
        assert_eq!(found[0].args, ["1", "two words", "q\"x"]);
        assert_eq!(found[1].place.line, 2);
        assert_eq!(found[1].inside()[0].args, ["x${y}z"]);
        assert_eq!(found[2].name, "content_by_lua_block");
        assert_eq!(found[2].block, Some(Vec::new()));
    }

    #[test]
    fn a_directive_over_lines_is_where_it_begins() {
        let found = read("\n\na\n  b\n  c;\n").expect("valid");
        assert_eq!(found[0].place.line, 3);
    }

    #[test]
    fn what_is_torn_is_named_with_its_line() {
        for (text, line) in [
            ("a b", 1),
            ("\nx {\n a;\n", 2),
            ("a;\n}\n", 2),
            ("a 'b;\n", 1),
            ("x { a }\n", 1),
        ] {
            let problem = read(text).expect_err(text);
            assert_eq!(problem.place.map(|p| p.line), Some(line), "{text}");
        }
        assert!(read(&"a {".repeat(100)).is_err());
        assert!(read("").expect("nothing is fine").is_empty());
    }
}
