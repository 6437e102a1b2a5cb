//! What a script can ask: a row for each function.

use super::run::{Fault, Given};
use crate::draws::mix;

/// A function of the language.
pub struct BuiltIn {
    /// Its name.
    pub name: &'static str,
    /// Its arguments, as they are called in the documentation.
    pub takes: &'static [&'static str],
    /// What it says.
    pub about: &'static str,
    /// Where it can be asked.
    pub known: Known,
    /// Whether its answer is true or false, and not a number.
    pub truth: bool,
    /// Its answer. Arguments that it does not take are zero.
    pub(super) answer: fn(&mut Given<'_, '_>, f64, f64) -> Result<f64, Fault>,
}

impl BuiltIn {
    /// How it is asked.
    pub fn call(&self) -> String {
        format!("{}({})", self.name, self.takes.join(", "))
    }
}

/// Where a function can be asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Known {
    /// Everywhere.
    Always,
    /// In `pick` and in `changed`, where the servers are shown.
    Servers,
    /// In `pick` alone: what belongs to the request.
    Request,
}

impl Known {
    /// Where that is, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Always => "everywhere",
            Self::Servers => "in `pick` and `changed`",
            Self::Request => "in `pick`",
        }
    }
}

/// Largest whole number up to which all are told apart, and one more: keys are cut to it.
const WHOLE: u64 = 1 << 53;

/// A row that is known everywhere and makes a number of two.
macro_rules! plain {
    ($name:literal, $takes:expr, $about:literal, $answer:expr) => {
        BuiltIn {
            name: $name,
            takes: &$takes,
            about: $about,
            known: Known::Always,
            truth: false,
            answer: |_, a, b| {
                let answer: fn(f64, f64) -> f64 = $answer;
                Ok(answer(a, b))
            },
        }
    };
}

/// Every function.
pub static FUNCTIONS: &[BuiltIn] = &[
    BuiltIn {
        name: "count",
        takes: &[],
        about: "How many servers may be picked; in `pick` at least one.",
        known: Known::Servers,
        truth: false,
        answer: |given, _, _| Ok(given.fleet()?.eligible.len() as f64),
    },
    BuiltIn {
        name: "eligible",
        takes: &["place"],
        about: "The server at a place among those that may be picked, counted from 0, in the order of the scenario.",
        known: Known::Servers,
        truth: false,
        answer: |given, place, _| {
            let eligible = given.fleet()?.eligible;
            let found = whole(place).and_then(|place| eligible.get(place));
            let many = eligible.len();
            found.map_or(Err(Fault::Place(place, many)), |server| {
                Ok(f64::from(*server))
            })
        },
    },
    BuiltIn {
        name: "may_pick",
        takes: &["server"],
        about: "Whether a server may be picked.",
        known: Known::Servers,
        truth: true,
        answer: |given, server, _| {
            let server = given.server(server)?;
            Ok(f64::from(given.fleet()?.may_pick(server as u32)))
        },
    },
    BuiltIn {
        name: "in_flight",
        takes: &["server"],
        about: "Attempts that this balancer instance has in flight at a server.",
        known: Known::Servers,
        truth: false,
        answer: |given, server, _| {
            let server = given.server(server)?;
            Ok(f64::from(given.fleet()?.in_flight[server]))
        },
    },
    BuiltIn {
        name: "least_in_flight",
        takes: &[],
        about: "The server with fewest attempts in flight of those that may be picked, the first of equals.",
        known: Known::Servers,
        truth: false,
        answer: |given, _, _| {
            let fleet = given.fleet()?;
            let load = |server: &&u32| fleet.in_flight[**server as usize];
            let least = fleet.eligible.iter().min_by_key(load);
            Ok(least.map_or(super::NONE, |server| f64::from(*server)))
        },
    },
    BuiltIn {
        name: "weight",
        takes: &["server"],
        about: "A server's weight as it is now, a slow start included.",
        known: Known::Servers,
        truth: false,
        answer: |given, server, _| {
            let server = given.server(server)?;
            Ok(given.fleet()?.weights[server])
        },
    },
    BuiltIn {
        name: "servers",
        takes: &[],
        about: "How many servers there are, whether they may be picked or not; they are numbered from 0.",
        known: Known::Always,
        truth: false,
        answer: |given, _, _| Ok(given.servers as f64),
    },
    BuiltIn {
        name: "parameter",
        takes: &["place"],
        about: "A member of `parameters` in the scenario, counted from 0.",
        known: Known::Always,
        truth: false,
        answer: |given, place, _| {
            let found = whole(place).and_then(|place| given.parameters.get(place));
            let many = given.parameters.len();
            found.copied().ok_or(Fault::Parameter(place, many))
        },
    },
    BuiltIn {
        name: "now",
        takes: &[],
        about: "The time since the start, in seconds.",
        known: Known::Always,
        truth: false,
        answer: |given, _, _| Ok(given.now.as_secs_f64()),
    },
    BuiltIn {
        name: "key",
        takes: &[],
        about: "Session or hash key of the request: a whole number below 2^53.",
        known: Known::Request,
        truth: false,
        answer: |given, _, _| Ok((given.job()?.key % WHOLE) as f64),
    },
    BuiltIn {
        name: "priority",
        takes: &[],
        about: "Priority of the request's class, lower first.",
        known: Known::Request,
        truth: false,
        answer: |given, _, _| Ok(f64::from(given.job()?.priority)),
    },
    BuiltIn {
        name: "previous",
        takes: &[],
        about: "The server of the request's attempt before, or `none`.",
        known: Known::Request,
        truth: false,
        answer: |given, _, _| {
            Ok((given.job()?.previous).map_or(super::NONE, |server| server as f64))
        },
    },
    BuiltIn {
        name: "demand",
        takes: &[],
        about: "The work that the request asks for, in seconds; a real balancer knows it only where it can be told from the request.",
        known: Known::Request,
        truth: false,
        answer: |given, _, _| Ok(given.job()?.demand.as_secs_f64()),
    },
    BuiltIn {
        name: "any",
        takes: &[],
        about: "Any server that may be picked, with equal chance: one draw.",
        known: Known::Request,
        truth: false,
        answer: |given, _, _| {
            let eligible = given.fleet()?.eligible;
            Ok(f64::from(super::super::any_of(eligible, given.draws()?)))
        },
    },
    BuiltIn {
        name: "below",
        takes: &["n"],
        about: "A whole number from 0 to below n, each with equal chance: one draw.",
        known: Known::Request,
        truth: false,
        answer: |given, n, _| match whole(n) {
            Some(n) if n > 0 => Ok(given.draws()?.below(n) as f64),
            _ => Err(Fault::Below(n)),
        },
    },
    BuiltIn {
        name: "random",
        takes: &[],
        about: "A number from 0 to below 1: one draw.",
        known: Known::Request,
        truth: false,
        answer: |given, _, _| Ok(given.draws()?.uniform()),
    },
    plain!("abs", ["x"], "The size of x without its sign.", |x, _| x
        .abs()),
    plain!("min", ["a", "b"], "The smaller of two.", |a, b| if b < a {
        b
    } else {
        a
    }),
    plain!("max", ["a", "b"], "The greater of two.", |a, b| if b > a {
        b
    } else {
        a
    }),
    plain!("floor", ["x"], "The next whole number below.", |x, _| x
        .floor()),
    plain!("ceil", ["x"], "The next whole number above.", |x, _| x
        .ceil()),
    plain!("sqrt", ["x"], "The square root.", |x, _| x.sqrt()),
    plain!("exp", ["x"], "e to the power of x.", |x, _| libm::exp(x)),
    plain!("ln", ["x"], "The natural logarithm.", |x, _| libm::log(x)),
    plain!("pow", ["a", "b"], "a to the power of b.", |a, b| libm::pow(
        a, b
    )),
    plain!(
        "hash",
        ["a", "b"],
        "A whole number below 2^53 that is the same for the same two numbers and looks random.",
        |a, b| (mix(mix(bits(a)) ^ bits(b)) % WHOLE) as f64
    ),
];

/// The bits of a number: the same for equal ones, and for all that are none, which machines write differently.
fn bits(value: f64) -> u64 {
    if value.is_nan() {
        u64::MAX
    } else {
        (value + 0.0).to_bits()
    }
}

/// A number that counts something.
#[inline]
pub(super) fn whole(value: f64) -> Option<usize> {
    // Beyond 32 bits nothing is counted here; what is no number is no whole one.
    let cut = value as u32;
    (f64::from(cut).to_bits() == (value + 0.0).to_bits()).then_some(cut as usize)
}
