//! `include`: other files, where they stand.

use super::words::directives;
use crate::settings::directive::Directive;
use crate::settings::system::{Kind, System};
use crate::settings::{Surroundings, Unreadable, text};
use sim_core::scenario::Source;
use std::sync::Arc;

/// How deep files may include others.
const DEPTH_MAX: usize = 20;
/// How many files may be read in all.
const FILES_MAX: usize = 2000;

/// Reads files with all that they include.
pub(super) struct Loader<'a> {
    around: &'a Surroundings<'a>,
    /// Files that others included.
    pub included: Vec<String>,
}

impl<'a> Loader<'a> {
    pub(super) fn new(around: &'a Surroundings<'a>) -> Self {
        Self {
            around,
            included: Vec::new(),
        }
    }

    /// The directives of a text and of what it includes.
    pub(super) fn load(
        &mut self,
        source: &Source,
        system: &mut System,
    ) -> Result<Vec<Directive>, Unreadable> {
        let root = source
            .name
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        self.text(&source.name, &source.text, root, 0, system)
    }

    fn text(
        &mut self,
        name: &str,
        text: &str,
        root: &str,
        depth: usize,
        system: &mut System,
    ) -> Result<Vec<Directive>, Unreadable> {
        let file: Arc<str> = name.into();
        if let Some(problem) = text::template(text, &file) {
            return Err(problem);
        }
        let text = text::substitute(text, &file, self.around.variable)?;
        let found = directives(&text, &file)?;
        self.resolved(found, root, depth, system)
    }

    fn resolved(
        &mut self,
        found: Vec<Directive>,
        root: &str,
        depth: usize,
        system: &mut System,
    ) -> Result<Vec<Directive>, Unreadable> {
        let mut out = Vec::with_capacity(found.len());
        for mut directive in found {
            if directive.name == "include" && directive.block.is_none() {
                out.extend(self.include(&directive, root, depth, system)?);
                continue;
            }
            if let Some(inside) = directive.block.take() {
                directive.block = Some(self.resolved(inside, root, depth, system)?);
            }
            out.push(directive);
        }
        Ok(out)
    }

    fn include(
        &mut self,
        directive: &Directive,
        root: &str,
        depth: usize,
        system: &mut System,
    ) -> Result<Vec<Directive>, Unreadable> {
        if depth >= DEPTH_MAX || self.included.len() >= FILES_MAX {
            let why = format!(
                "files include each other without end (more than {DEPTH_MAX} deep, or {FILES_MAX} in all)"
            );
            return Err(Unreadable::new(directive.place.clone(), &why));
        }
        let pattern = directive.arg(0);
        let mut out = Vec::new();
        let mut names = Vec::new();
        for candidate in candidates(pattern, root) {
            let unreadable = |why: String| {
                Unreadable::new(
                    directive.place.clone(),
                    &format!("{candidate} cannot be read: {why}"),
                )
            };
            if pattern.contains(['*', '?', '[']) {
                names = self.around.files.matching(&candidate).map_err(unreadable)?;
            } else if self
                .around
                .files
                .read(&candidate)
                .map_err(unreadable)?
                .is_some()
            {
                names = vec![candidate];
            }
            if !names.is_empty() {
                break;
            }
        }
        if names.is_empty() {
            let (kind, why) = match pattern.rsplit('/').next() {
                Some("mime.types") => (Kind::Ignored, ""),
                _ if pattern.contains('*') => (Kind::Ignored, "no file matches it"),
                _ => (
                    Kind::Missing,
                    "there is no such file here: what it says is not known",
                ),
            };
            system.remark(kind, &directive.place, directive.text(), why);
        }
        for name in names {
            let unreadable = |why: &str| {
                Unreadable::new(
                    directive.place.clone(),
                    &format!("{name} cannot be read: {why}"),
                )
            };
            let text = (self.around.files.read(&name))
                .map_err(|why| unreadable(&why))?
                .ok_or_else(|| unreadable("it is gone"))?;
            self.included.push(name.clone());
            out.extend(self.text(&name, &text, root, depth + 1, system)?);
        }
        Ok(out)
    }
}

/// Where a file may be: relative to the folder of the first file, as it is written, and, since settings are
/// often looked at elsewhere, below that folder by the end of an absolute path.
fn candidates(pattern: &str, root: &str) -> Vec<String> {
    let below = |path: &str| {
        if root.is_empty() {
            path.to_owned()
        } else {
            format!("{root}/{path}")
        }
    };
    let Some(absolute) = pattern.strip_prefix('/') else {
        return vec![below(pattern)];
    };
    let mut found = vec![pattern.to_owned()];
    let mut rest = absolute;
    while let Some((_, tail)) = rest.split_once('/') {
        // A pattern without its folder would match the file that includes.
        if tail.contains('/') || !tail.contains('*') {
            found.push(below(tail));
        }
        rest = tail;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::candidates;

    #[test]
    fn an_absolute_path_is_looked_for_below_too() {
        assert_eq!(candidates("a/*.conf", "x"), ["x/a/*.conf"]);
        assert_eq!(
            candidates("/etc/nginx/conf.d/*.conf", "x"),
            [
                "/etc/nginx/conf.d/*.conf",
                "x/nginx/conf.d/*.conf",
                "x/conf.d/*.conf"
            ]
        );
        assert_eq!(
            candidates("/etc/mime.types", "x")
                .last()
                .map(String::as_str),
            Some("x/mime.types")
        );
    }
}
