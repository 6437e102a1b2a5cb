//! Lines of words.

use memchr::memchr;

/// Words between blanks; what is quoted is one.
pub(super) struct Words<'a> {
    rest: &'a [u8],
}

impl<'a> Words<'a> {
    pub(super) fn of(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(super) fn next(&mut self) -> Option<&'a [u8]> {
        while let Some(rest) = self.rest.strip_prefix(b" ") {
            self.rest = rest;
        }
        if self.rest.is_empty() {
            return None;
        }
        let (inner, ends) = self
            .rest
            .strip_prefix(b"\"")
            .map_or((self.rest, b' '), |rest| (rest, b'"'));
        let end = memchr(ends, inner);
        if ends == b'"' && end.is_none() {
            return None;
        }
        let end = end.unwrap_or(inner.len());
        self.rest = inner.get(end + 1..).unwrap_or_default();
        Some(&inner[..end])
    }
}
