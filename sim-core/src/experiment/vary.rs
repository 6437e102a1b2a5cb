//! Variants: from scenarios, paths and their values to what is compared.

use super::compare::Variant;
use crate::model::Model;
use crate::scenario::Scenario;
use crate::text::{cited, shown};
use std::sync::Arc;

/// Variants at most: beyond, a sweep is what is wanted.
pub const VARIANTS_MAX: usize = 100;

/// Why there are no variants to compare.
#[derive(Clone, PartialEq, Debug)]
pub enum Unfit<E> {
    /// They make no sense together.
    Usage {
        /// What is wrong.
        message: String,
        /// What to do about it; empty when that is plain.
        help: String,
        /// The path it is about, if it is about one.
        path: Option<String>,
    },
    /// One of them is refused.
    Refused(E),
}

impl<E> Unfit<E> {
    fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            help: help.into(),
            path: None,
        }
    }

    fn of_path(path: &str, message: String, help: &str) -> Self {
        Self::Usage {
            message,
            help: help.to_owned(),
            path: Some(path.to_owned()),
        }
    }
}

/// Paths with the new values of one variant.
type Sets = Vec<(String, String)>;

/// Gives scenario number n with further sets.
pub type Read<'a, E> = dyn FnMut(usize, &[(String, String)]) -> Result<(Scenario, Model), E> + 'a;

/// Every combination of `scenarios` scenarios and the values of `vary`, the last path fastest.
/// `read` gives scenario number n with further sets.
///
/// # Errors
/// When there are fewer than two or too many, two are called alike, seeds differ, or `read` refuses.
pub fn variants<E>(
    scenarios: usize,
    vary: &[(String, String)],
    read: &mut Read<'_, E>,
) -> Result<Vec<Variant>, Unfit<E>> {
    let axes = axes(vary)?;
    let combinations = axes
        .iter()
        .try_fold(scenarios, |all, (_, values)| all.checked_mul(values.len()));
    match combinations {
        Some(2..=VARIANTS_MAX) => {}
        Some(0 | 1) => {
            return Err(Unfit::usage(
                "one variant alone cannot be compared",
                "give several scenarios, or --vary PATH=A,B",
            ));
        }
        _ => {
            return Err(Unfit::usage(
                format!("more than {VARIANTS_MAX} variants"),
                "",
            ));
        }
    }
    let mut variants: Vec<Variant> = Vec::new();
    for number in 0..scenarios {
        for sets in product(&axes) {
            let (scenario, model) = read(number, &sets).map_err(Unfit::Refused)?;
            let name = name_of(scenario.name(), &sets, scenarios);
            if variants.iter().any(|variant| variant.name == name) {
                let message = format!("two variants are called {}", cited(name));
                return Err(Unfit::usage(message, ""));
            }
            variants.push(Variant {
                name,
                model: Arc::new(model),
            });
        }
    }
    let seed = variants[0].model.seed;
    if let Some(other) = variants.iter().find(|v| v.model.seed != seed) {
        let message = format!(
            "{} has seed {seed} and {} has {}: they would not draw the same random numbers",
            variants[0].name, other.name, other.model.seed
        );
        return Err(Unfit::usage(message, "give all the same with --seed N"));
    }
    Ok(variants)
}

fn axes<E>(vary: &[(String, String)]) -> Result<Vec<(&str, Vec<&str>)>, Unfit<E>> {
    let mut axes: Vec<(&str, Vec<&str>)> = Vec::new();
    for (path, values) in vary {
        let values = split(values);
        if values.iter().any(|value| value.is_empty()) || values.is_empty() {
            let message = format!("--vary {path} has an empty value");
            let help = "such as --vary service.web.balancer.policy=random,power-of-d";
            return Err(Unfit::of_path(path, message, help));
        }
        if let Some(range) = values.iter().find(|value| is_range(value)) {
            let message =
                format!("--vary {path} has a range, {range}: a comparison takes each value");
            let help = "write them with commas between, or let `stampede sweep` go along the range";
            return Err(Unfit::of_path(path, message, help));
        }
        if let Some((_, before)) = axes.iter().find(|(other, _)| other == path) {
            let message = format!(
                "--vary {path} is given twice, first with {}",
                before.join(",")
            );
            return Err(Unfit::of_path(path, message, ""));
        }
        axes.push((path, values));
    }
    Ok(axes)
}

/// Whether it is written as the ranges of sweeps are: `1..9/3`.
fn is_range(value: &str) -> bool {
    let bare = !value.starts_with(['"', '[', '{']);
    bare && value
        .split_once("..")
        .is_some_and(|(from, to)| !from.is_empty() && !to.is_empty())
}

/// All combinations, the last axis fastest.
fn product(axes: &[(&str, Vec<&str>)]) -> Vec<Sets> {
    axes.iter()
        .fold(vec![Vec::new()], |before, (path, values)| {
            let with = |sets: &Sets| {
                let sets = sets.clone();
                values.iter().map(move |value| {
                    let mut sets = sets.clone();
                    sets.push(((*path).to_owned(), (*value).to_owned()));
                    sets
                })
            };
            before.iter().flat_map(with).collect()
        })
}

/// A value alone where it says enough; the last word of its path beside it where several vary.
fn name_of(scenario: &str, sets: &Sets, scenarios: usize) -> String {
    let mut parts = Vec::new();
    if scenarios > 1 || sets.is_empty() {
        parts.push(scenario.to_owned());
    }
    for (path, value) in sets {
        let value = value.trim_matches('"');
        let word = path.rsplit('.').next().unwrap_or(path);
        parts.push(if sets.len() == 1 {
            value.to_owned()
        } else {
            format!("{word}={value}")
        });
    }
    shown(&parts.join(" ")).into_owned()
}

/// The parts between commas that stand in no bracket and no quotation, without the space around them.
pub fn split(values: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut start) = (0_i32, false, 0);
    let mut parts = Vec::new();
    for (at, letter) in values.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                parts.push(values[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(values[start..].trim());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_inside_of_tables_do_not_separate() {
        assert_eq!(
            split("random, { kind = \"power-of-d\", d = 3 },\"a,b\",[1, 2]"),
            [
                "random",
                "{ kind = \"power-of-d\", d = 3 }",
                "\"a,b\"",
                "[1, 2]"
            ]
        );
        assert_eq!(split("a,,b"), ["a", "", "b"]);
    }

    #[test]
    fn all_combinations_have_names_of_their_own() {
        let axes = [("a.policy", vec!["x", "y"]), ("a.workers", vec!["1", "2"])];
        let names: Vec<String> = product(&axes)
            .iter()
            .map(|sets| name_of("s", sets, 1))
            .collect();
        assert_eq!(
            names,
            [
                "policy=x workers=1",
                "policy=x workers=2",
                "policy=y workers=1",
                "policy=y workers=2"
            ]
        );
        assert_eq!(name_of("s", &product(&axes[..1])[0], 1), "x");
        assert_eq!(name_of("s", &product(&axes[..1])[0], 2), "s x");
    }
}
