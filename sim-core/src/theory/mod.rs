//! Queueing theory: what is known exactly, or as a limit, with where it is from.
//!
//! Pure functions of plain numbers, in units of the mean service time where nothing else is said,
//! and no part of a simulation. They are tested against tables of independent computations, and
//! serve two ends: [`crate::verify`] measures the engine against them, and [`apply`] sets them
//! beside a run whose scenario satisfies their assumptions.
//!
//! | file | what is in it |
//! |---|---|
//! | `station` | one server; the order of service |
//! | `markov` | birth-death chains: several servers, loss, impatience, closed systems |
//! | `renewal` | arrivals that are not Poisson |
//! | `correlated` | service times that come in runs |
//! | `priority` | classes |
//! | `levels` | breakdowns and bursts, solved numerically |
//! | `time` | transients, first passages, crashes |
//! | `farm` | many servers behind a policy |
//! | `ring` | consistent hashing |
//! | `parallel` | fork and join, redundant and hedged requests |
//! | `formula` | the same by name, for the suite's data |
//! | `beside` | which of it applies to a scenario |

mod beside;
pub mod correlated;
pub mod farm;
mod formula;
pub mod levels;
pub mod markov;
pub mod parallel;
pub mod priority;
pub mod renewal;
pub mod ring;
pub mod station;
pub mod time;

pub use beside::{Applied, Figure, Known, apply};
pub use formula::{FORMULAS, Formula, evaluate};

/// What the tests of the formulas share.
#[cfg(test)]
pub(crate) mod testing {
    /// Equal to the digits of the tables, of which there are seven.
    #[track_caller]
    pub(crate) fn assert_close(computed: f64, tabulated: f64) {
        assert!(
            (computed - tabulated).abs() <= 2e-6 * tabulated.abs().max(1e-3),
            "{computed} is not {tabulated}"
        );
    }
}
