//! Retries: whether a caller tries again, and after which pause.

use crate::draws::Draws;
use crate::extension::{
    Configured, Def, ExtensionRow, ParamDef, ParamKind, ParamProblem, Params, Registry,
};
use crate::outcome::Outcome;
use crate::time::Duration;
use std::fmt::Debug;

pub(crate) use next_upstream::{STATUSES as UPSTREAM_STATUSES, WORDS as NEXT_UPSTREAM};

mod caddy;
mod drawn;
mod exponential_backoff;
mod fixed;
mod haproxy;
mod library;
mod next_upstream;
mod none;

pub(crate) use haproxy::ON as HAPROXY_RETRY_ON;

/// Every kind of retry a scenario can name.
pub static RETRIES: &[&RetryDef] = &[
    &none::RETRY,
    &fixed::RETRY,
    &exponential_backoff::RETRY,
    &drawn::RETRY,
    // Proxies, towards their own servers.
    &next_upstream::RETRY,
    &caddy::RETRY,
    // Client libraries, by the program that they are written for.
    &library::botocore_standard::RETRY,
    &library::botocore_dynamodb::RETRY,
    &library::botocore_adaptive::RETRY,
    &library::botocore_legacy::RETRY,
    &library::botocore_legacy_dynamodb::RETRY,
    &library::aws_sdk_js::RETRY,
    &library::urllib3::RETRY,
    &library::requests::RETRY,
    &library::httpx::RETRY,
    &library::tenacity::RETRY,
    &library::grpc::RETRY,
    &library::envoy::RETRY,
    &library::got::RETRY,
    &library::axios_retry::RETRY,
    &library::undici::RETRY,
    &library::p_retry::RETRY,
    &library::ky::RETRY,
    &library::google_api_core::RETRY,
    &library::azure_core::RETRY,
    &library::openai::RETRY,
    &library::backoff::RETRY,
    &library::stamina::RETRY,
    &library::aiohttp_retry::RETRY,
    &library::redis_py::RETRY,
    &library::elastic_transport::RETRY,
    &library::pymongo::RETRY,
    &library::rust_backoff::RETRY,
    &library::backon::RETRY,
    &library::retry_policies::RETRY,
    &library::tower::RETRY,
    &library::resilience4j::RETRY,
    &library::cockatiel::RETRY,
    // What a proxy does with its own servers.
    &haproxy::RETRY,
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
    about: "Which servers the next try keeps away from, as long as there are others: none, that of the \"previous\" try, or \"all\" that the request has been at; \"for-good\": the same, and where there are no others there is no server for it. Or none, and each try goes where the one before went: \"stays\"; or all but the last, as long as that server may be picked: \"stays-until-last\".",
    kind: ParamKind::Choice(&[
        "none",
        "previous",
        "all",
        "for-good",
        "stays",
        "stays-until-last",
    ]),
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
    /// A request that would still pause so long after it began is given up instead.
    pub within: Duration,
    /// Whether all requests of a kind of caller have the same pauses.
    pub lockstep: bool,
    /// Whether it goes through all servers, those of a worse priority where no better one is left for it, and ends
    /// with its last failure when it has been at each.
    pub everywhere: bool,
}

/// Servers that a further try keeps away from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Avoid {
    /// None.
    None,
    /// Those of the try before, as long as there are others.
    Previous,
    /// Those of all tries before, as long as there are others.
    All,
    /// Those of all tries before: where there are no others there is no server for it.
    ForGood,
    /// None: it goes where the try before went.
    Stays,
    /// The same but for the last try, or where that server may not be picked: these keep away from it as long
    /// as there are others.
    StaysUntilLast,
}

impl Terms {
    /// Of a rule that never tries again.
    const ONCE: Self = Self {
        attempts: 1,
        own_demand: false,
        avoid: Avoid::None,
        within: Duration(u64::MAX),
        lockstep: false,
        everywhere: false,
    };

    /// As the common parameters say.
    fn of(params: &Params) -> Self {
        Self {
            attempts: params.integer("attempts") as u32,
            own_demand: params.choice("demand") == 1,
            avoid: [
                Avoid::None,
                Avoid::Previous,
                Avoid::All,
                Avoid::ForGood,
                Avoid::Stays,
                Avoid::StaysUntilLast,
            ][params.choice("avoid")],
            ..Self::ONCE
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
    /// The guards that come with it, as a scenario would write them, but for those of a kind that a caller
    /// lists itself.
    pub brings: fn(&Params) -> &'static [&'static str],
    /// What it does with its defaults, where parameters do not say it: what and how.
    pub rules: fn(&Params) -> Vec<(&'static str, String)>,
}

/// A row that needs nothing special: the others say what is different.
const PLAIN: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "",
        about: "",
        source: "",
        params: &[],
    },
    check: |_| Ok(()),
    build: |_| unreachable!("each row says what it builds"),
    brings: |_| &[],
    rules: |_| Vec::new(),
};

/// Every row there is, those that were added among them.
static ROWS: Registry<RetryDef> = Registry::of(RETRIES);

impl Def for RetryDef {
    fn registry() -> &'static Registry<Self> {
        &ROWS
    }
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

/// A failure after which a caller may try again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failed {
    /// Which try of the request it was, from 1.
    pub attempt: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether the caller knows of no other server to turn to: only balancers that try again themselves do.
    pub alone: bool,
}

/// A rule for trying again. The rule itself has no state; what it wants to remember of one request
/// it is handed at each failure: zero at first, later what it left there, below [`MEMORY_END`].
pub trait Retry: Debug + Send + Sync {
    /// How often it tries, and what a further try is like.
    fn terms(&self) -> Terms;
    /// Whether a failure of this kind is one to try again after.
    fn counts(&self, failed: Failed) -> bool {
        let _ = failed;
        true
    }
    /// The pause after a failure.
    fn pause(&self, failed: Failed, memory: &mut u64, draws: &mut Draws) -> Duration;
}

/// What a rule remembers is smaller: ten years in nanoseconds are.
pub const MEMORY_END: u64 = 1 << 60;

/// What the tests of all rows share.
#[cfg(test)]
mod testing {
    use super::Failed;
    use crate::outcome::Outcome;

    /// An error answered to this attempt.
    pub(super) fn failed(attempt: u32) -> Failed {
        Failed {
            attempt,
            outcome: Outcome::Errored,
            alone: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::failed;
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
                Terms {
                    within: Terms::ONCE.within,
                    lockstep: Terms::ONCE.lockstep,
                    everywhere: Terms::ONCE.everywhere,
                    ..(def.build)(&Params::new(values)).terms()
                }
            };
            let terms = |own_demand, avoid| Terms {
                attempts: 1000,
                own_demand,
                avoid,
                ..Terms::ONCE
            };
            assert_eq!(with(0, 0), terms(false, Avoid::None), "{}", def.row.name);
            assert_eq!(with(1, 1), terms(true, Avoid::Previous), "{}", def.row.name);
            assert_eq!(with(0, 2), terms(false, Avoid::All), "{}", def.row.name);
            assert_eq!(with(0, 3), terms(false, Avoid::ForGood), "{}", def.row.name);
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
                    .map(|number| rule.pause(failed(2), &mut 7, &mut stream.at(number)))
                    .collect()
            };
            assert_eq!(pauses(), pauses(), "{}", def.row.name);
        }
    }
}
