//! Measures: figures of the summary by their paths, as expectations name them.

use crate::metric::Unit;
use crate::model::Model;
use crate::outcome::Outcome;
use crate::scenario::{SUMMARY_PATHS, suggest};

/// A figure of the summary that is measured in each cell.
#[derive(Clone, PartialEq, Debug)]
pub struct Measure {
    /// Its path, such as `response_time_s.p99`.
    pub path: String,
    /// How its values are written; times are in seconds.
    pub unit: Unit,
}

impl Measure {
    /// The figure at `path`, if summaries have figures of this shape.
    ///
    /// # Errors
    /// Says what is wrong, and what is allowed.
    pub fn of_shape(path: &str) -> Result<Self, (String, String)> {
        match row(path) {
            Some((_, unit)) => Ok(Self {
                path: path.to_owned(),
                unit,
            }),
            None => Err((
                format!("no figure of the summary is called {path:?}"),
                suggest(path, SUMMARY_PATHS.iter().map(|row| row.path)),
            )),
        }
    }

    /// Whether the summary of `model` has this figure.
    ///
    /// # Errors
    /// Says which name is unknown, and what is allowed.
    pub fn check(&self, model: &Model) -> Result<(), (String, String)> {
        let Some((pattern, _)) = row(&self.path) else {
            return Ok(());
        };
        let mut service = None;
        for (place, word) in pattern.split('.').zip(self.path.split('.')) {
            let names: Vec<&str> = match place {
                "CLASS" => model.classes.iter().map(|c| c.name.as_str()).collect(),
                "SERVICE" => model.services.iter().map(|s| s.name.as_str()).collect(),
                "SERVER" => model
                    .servers
                    .iter()
                    .filter(|s| Some(usize::from(s.service.0)) == service)
                    .map(|s| s.name.as_str())
                    .collect(),
                "SLO" => model.slos.iter().map(|s| s.name.as_str()).collect(),
                "OUTCOME" => Outcome::ALL.iter().map(|o| o.name()).collect(),
                _ => continue,
            };
            let Some(at) = names.iter().position(|name| *name == word) else {
                return Err((
                    format!("no {} is called {word:?}", place.to_lowercase()),
                    suggest(word, names.into_iter().take(300)),
                ));
            };
            if place == "SERVICE" {
                service = Some(at);
            }
        }
        Ok(())
    }
}

/// The row of [`SUMMARY_PATHS`] that `path` belongs to: its pattern and unit.
fn row(path: &str) -> Option<(&'static str, Unit)> {
    let words: Vec<&str> = path.split('.').collect();
    SUMMARY_PATHS
        .iter()
        .find(|row| {
            let fits = |(p, w): (&str, &&str)| p == *w || p.bytes().all(|b| b.is_ascii_uppercase());
            row.path.split('.').count() == words.len() && row.path.split('.').zip(&words).all(fits)
        })
        .map(|row| (row.path, row.unit))
}
