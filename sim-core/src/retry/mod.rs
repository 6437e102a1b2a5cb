//! Retries: whether a caller tries again, and after which pause.

use crate::draws::Draws;
use crate::extension::{Configured, Def, ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::Duration;
use std::fmt::Debug;

mod drawn;
mod exponential_backoff;
mod fixed;
mod none;

/// Every kind of retry a scenario can name.
pub static RETRIES: &[&RetryDef] = &[
    &none::RETRY,
    &fixed::RETRY,
    &exponential_backoff::RETRY,
    &drawn::RETRY,
];

/// The parameters that every rule which tries again has.
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

const DEMAND: ParamDef = ParamDef {
    name: "demand",
    about: "What the next try asks: the \"same\" work again, because what is slow is slow each time, or its \"own\", drawn anew, because only the moment was slow.",
    kind: ParamKind::Choice(&["same", "own"]),
    default: Some("same"),
};
const AVOID: ParamDef = ParamDef {
    name: "avoid",
    about: "Which servers the next try keeps away from, as long as there are others: none, that of the \"previous\" try, or \"all\" that the request has been at.",
    kind: ParamKind::Choice(&["none", "previous", "all"]),
    default: Some("none"),
};

/// What every rule says of a further try, whatever its pause.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// Attempts in all, the first included; at least 1.
    pub attempts: u32,
    /// Whether a further try draws its demand anew.
    pub own_demand: bool,
    /// Servers that a further try keeps away from.
    pub avoid: Avoid,
}

/// Servers that a further try keeps away from, as long as there are others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Avoid {
    /// None.
    None,
    /// Those of the try before.
    Previous,
    /// Those of all tries before.
    All,
}

impl Terms {
    /// Of a rule that never tries again.
    const ONCE: Self = Self {
        attempts: 1,
        own_demand: false,
        avoid: Avoid::None,
    };

    /// As the common parameters say.
    fn of(params: &Params) -> Self {
        Self {
            attempts: params.integer("attempts") as u32,
            own_demand: params.choice("demand") == 1,
            avoid: [Avoid::None, Avoid::Previous, Avoid::All][params.choice("avoid")],
        }
    }
}

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
    /// How often it tries, and what a further try is like.
    fn terms(&self) -> Terms;
    /// The pause after failed attempt number `attempt` (from 1), given the `previous` pause (zero
    /// at first).
    fn pause(&self, attempt: u32, previous: Duration, draws: &mut Draws) -> Duration;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;
    use crate::extension::ParamValue;
    use crate::extension::testing::{check_rows, example};

    #[test]
    fn rows_are_well_formed() {
        check_rows(RETRIES);
    }

    #[test]
    fn every_rule_that_tries_again_has_the_common_parameters() {
        for def in RETRIES {
            if def.row.params.is_empty() {
                let rule = (def.build)(&Params::default());
                assert_eq!(rule.terms(), Terms::ONCE, "{}", def.row.name);
                continue;
            }
            let with = |demand, avoid| {
                let of = |(name, value): (&'static str, &ParamValue)| match name {
                    "attempts" => (name, ParamValue::Integer(1000)),
                    "demand" => (name, ParamValue::Choice(demand)),
                    "avoid" => (name, ParamValue::Choice(avoid)),
                    _ => (name, value.clone()),
                };
                let values = example(&def.row).iter().map(of).collect();
                (def.build)(&Params::new(values)).terms()
            };
            let terms = |own_demand, avoid| Terms {
                attempts: 1000,
                own_demand,
                avoid,
            };
            assert_eq!(with(0, 0), terms(false, Avoid::None), "{}", def.row.name);
            assert_eq!(with(1, 1), terms(true, Avoid::Previous), "{}", def.row.name);
            assert_eq!(with(0, 2), terms(false, Avoid::All), "{}", def.row.name);
        }
    }

    #[test]
    fn every_rule_allows_a_first_attempt_and_repeats_its_pauses() {
        let stream = Stream::new(1, 0, "retries");
        for def in RETRIES {
            let rule = (def.build)(&example(&def.row));
            assert!(rule.terms().attempts >= 1, "{}", def.row.name);
            let pauses = || -> Vec<Duration> {
                (0..100)
                    .map(|number| rule.pause(2, Duration(7), &mut stream.at(number)))
                    .collect()
            };
            assert_eq!(pauses(), pauses(), "{}", def.row.name);
        }
    }
}
