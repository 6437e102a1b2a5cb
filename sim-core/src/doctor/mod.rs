//! Settings that are dangerous, each shown by what happens with it and without it.
//!
//! ```text
//! rule ─► doubts: where, what is odd, what would mend it, under what it shows
//!      ─► trial: the system as it is and mended, under the same random numbers
//!      ─► finding: what it costs, with its interval, or that nothing shows
//! ```
//!
//! A rule only raises a doubt. Whether there is anything in it is told by the simulation.

mod examination;
pub(crate) mod facts;
mod mend;
mod place;
mod rules;
mod trial;
mod words;

pub use examination::{Examination, REPLICATIONS, Read, Steps, examine};
pub use mend::{Mended, mend};
pub use place::Places;
pub use trial::{Effect, Figures, Finding, Outcome};
pub use words::verdict;

use crate::ids::Id;
use crate::load::busiest;
use crate::model::{Model, ServerId, ServiceId};
use crate::readable::counted;

/// What is looked for in a system.
pub struct Rule {
    /// Its name.
    pub id: &'static str,
    /// What is odd, and why that matters, in a sentence.
    pub about: &'static str,
    /// Where that is from: a book, a program and its version.
    pub source: &'static str,
    find: fn(&Model) -> Vec<Doubt>,
}

/// Every rule.
pub static RULES: &[&Rule] = &[
    &rules::weight::WEIGHT_SKEW,
    &rules::weight::UNEVEN_ZONES,
    &rules::weight::STATE_OF_EACH_WORKER,
    &rules::spare::ONE_SERVER,
    &rules::spare::NONE_TO_SPARE,
    &rules::spare::AUTOSCALER_TOO_LOW,
    &rules::health::NO_CHECKS,
    &rules::health::CHECK_ONLY_CONNECTS,
    &rules::health::SLOW_CHECKS,
    &rules::health::NEVER_BANNED,
    &rules::health::NEVER_EJECTED,
    &rules::panic::NEVER_ENFORCED,
    &rules::panic::PANIC_FLOODS_THE_DEAD,
    &rules::health::LIVENESS_UNDER_LOAD,
    &rules::retry::TRIES_MULTIPLY,
    &rules::retry::NO_PAUSE,
    &rules::retry::NO_BUDGET,
    &rules::retry::SAME_SERVER,
    &rules::retry::NO_TRY_TIMEOUT,
    &rules::time::SLOW_START_IGNORED,
    &rules::time::LONG_TIMEOUT,
    &rules::time::WORKS_FOR_NOBODY,
    &rules::limit::QUEUE_WITHOUT_END,
    &rules::limit::NO_CONNECTION_LIMIT,
    &rules::limit::BREAKER_TOO_HIGH,
    &rules::limit::BALANCER_FULL,
    &rules::limit::MEMORY_BEFORE_LIMIT,
    &rules::key::HOT_KEY,
    &rules::key::KEYS_MOVE,
    &rules::key::WHOLE_CONNECTIONS,
];

/// Something odd, and how it would show.
#[derive(Clone, PartialEq, Debug)]
pub struct Doubt {
    /// The path of the value that is odd.
    pub path: String,
    /// What is odd about it, with its numbers.
    pub says: String,
    /// What would mend it, `path = value` each.
    pub cure: Vec<(String, String)>,
    /// Under what it shows.
    pub trial: Trial,
}

/// What is done to the system to see whether a doubt is right. All but the first two are done to the system as it is
/// written, at half of its time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Trial {
    /// Nothing: it is run as it is written.
    Written,
    /// Such a load that its services are asked for this share of what they can do at most.
    Load(f64),
    /// A server crashes, and stays down.
    Lose(ServerId),
    /// So many of the servers of a service crash, and stay down.
    LoseSome(ServiceId, u32),
    /// A server is restarted.
    Restart(ServerId),
    /// A server gets slower by this factor, and stays slow.
    Slow(ServerId, f64),
    /// A server hangs: it takes what comes, and works on at a thousandth of its speed.
    Hang(ServerId),
}

impl Trial {
    /// The same, or as it is written: where that asks for more than a load would, and where nobody knows what share of
    /// what services can do a rate is.
    fn possible(self, model: &Model) -> Self {
        let Self::Load(share) = self else {
            return self;
        };
        match busiest(model) {
            Some(load) if load < share => self,
            _ => Self::Written,
        }
    }

    /// What is done, in words.
    pub fn words(self, model: &Model) -> String {
        let name = |id: ServerId| {
            let server = &model.servers[id.position()];
            format!("{} of {}", server.name, service_name(model, server.service))
        };
        match self {
            Self::Written => "as it is written".to_owned(),
            Self::Load(share) => format!("at {:.0} % of what it can do", share * 100.0),
            Self::Lose(id) => format!("when {} crashes and stays down", name(id)),
            Self::LoseSome(id, many) => format!(
                "when {} of {} crash and stay down",
                counted(many as usize, "server"),
                service_name(model, id)
            ),
            Self::Restart(id) => format!("when {} is restarted", name(id)),
            Self::Slow(id, factor) => format!(
                "when {} works at {:.0} % of its speed",
                name(id),
                factor * 100.0
            ),
            Self::Hang(id) => format!("when {} hangs", name(id)),
        }
    }
}

fn service_name(model: &Model, id: ServiceId) -> &str {
    &model.services[id.position()].name
}

/// The doubts that rules raise about a model, in the order of the rules.
pub fn doubts(model: &Model) -> Vec<(&'static Rule, Doubt)> {
    let mut doubts: Vec<(&'static Rule, Doubt)> = Vec::new();
    for rule in RULES {
        for mut doubt in (rule.find)(model) {
            doubt.trial = doubt.trial.possible(model);
            let same = |(of, other): &(&Rule, Doubt)| of.id == rule.id && *other == doubt;
            if !doubts.iter().any(same) {
                doubts.push((rule, doubt));
            }
        }
    }
    doubts
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn rules_have_names_of_their_own_and_sources() {
        let ids: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), RULES.len());
        for rule in RULES {
            assert!(
                rule.about.ends_with('.') && !rule.source.is_empty(),
                "{}",
                rule.id
            );
            assert!(
                rule.id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
                "{}",
                rule.id
            );
        }
    }
}
