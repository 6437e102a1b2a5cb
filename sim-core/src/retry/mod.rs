//! Retries: whether a caller tries again, and after which pause.

use crate::draws::Draws;
use crate::extension::{Configured, Def, ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::Duration;
use std::fmt::Debug;

mod exponential_backoff;
mod fixed;
mod none;

/// Every kind of retry a scenario can name.
pub static RETRIES: &[&RetryDef] = &[&none::RETRY, &fixed::RETRY, &exponential_backoff::RETRY];

/// The parameter that every rule which tries again has.
const ATTEMPTS: ParamDef = ParamDef {
    name: "attempts",
    about: "Attempts in all, the first included.",
    kind: ParamKind::Integer {
        min: 1,
        max: 1000,
        unit: "attempts",
    },
    default: Some("3"),
};

/// A row of [`RETRIES`].
pub struct RetryDef {
    /// Name, description, parameters.
    pub row: ExtensionRow,
    /// Conditions between parameters.
    pub check: fn(&Params) -> Result<(), ParamProblem>,
    /// Makes the rule.
    pub build: fn(&Params) -> Box<dyn Retry>,
}

impl Def for RetryDef {
    fn row(&self) -> &ExtensionRow {
        &self.row
    }
    fn check(&self, params: &Params) -> Result<(), ParamProblem> {
        (self.check)(params)
    }
}

impl Configured<RetryDef> {
    /// The rule.
    pub fn build(&self) -> Box<dyn Retry> {
        (self.def.build)(&self.params)
    }
}

/// A rule for trying again. The rule itself has no state; what one request needs to remember is
/// the pause before.
pub trait Retry: Debug + Send + Sync {
    /// Attempts in all, the first included.
    fn attempts(&self) -> u32;
    /// The pause after failed attempt number `attempt` (from 1), given the `previous` pause (zero
    /// at first).
    fn pause(&self, attempt: u32, previous: Duration, draws: &mut Draws) -> Duration;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;
    use crate::extension::testing::{check_rows, example};

    #[test]
    fn rows_are_well_formed() {
        check_rows(RETRIES);
    }

    #[test]
    fn every_rule_allows_a_first_attempt_and_repeats_its_pauses() {
        let stream = Stream::new(1, 0, "retries");
        for def in RETRIES {
            let rule = (def.build)(&example(&def.row));
            assert!(rule.attempts() >= 1, "{}", def.row.name);
            let pauses = || -> Vec<Duration> {
                (0..100)
                    .map(|number| rule.pause(2, Duration(7), &mut stream.at(number)))
                    .collect()
            };
            assert_eq!(pauses(), pauses(), "{}", def.row.name);
        }
    }
}
