//! What a model tells of its steady state before anything runs: whether there is one to speak of, and how
//! long a run must be that shows it.
//!
//! | file | what for |
//! |---|---|
//! | `nature` | whether a steady state can be spoken of, and what is estimated |
//! | `bounds` | what keeps a queue from growing without end |
//! | `relaxation` | how long a model's system takes to forget |

mod bounds;
mod nature;
mod relaxation;

pub use nature::{Estimand, Nature};
pub(crate) use relaxation::{Memory, memory};

/// Relaxation times that each run must measure. In a shorter one means of runs are too skewed, and what a
/// queue was at the start shows.
pub(crate) const EACH: f64 = 30.0;

/// The next number of two digits.
pub(crate) fn round_up(s: f64) -> f64 {
    if s <= 0.0 {
        return 0.0;
    }
    let scale = libm::pow(10.0, libm::floor(libm::log10(s)) - 1.0);
    libm::ceil(s / scale - 1e-9) * scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_rounded_up_to_two_digits() {
        for (s, up) in [
            (0.0, 0.0),
            (1.0, 1.0),
            (12.3, 13.0),
            (990.1, 1000.0),
            (0.0123, 0.013),
        ] {
            assert!((round_up(s) - up).abs() < 1e-9, "{s}: {}", round_up(s));
        }
    }
}
