//! Rate profiles: how a source's rate changes over time.
//!
//! A scenario writes a number, a list of `[time, rate]` corners, or a named shape from this table;
//! all three become the corners of one piecewise-linear line.

use crate::extension::{Configured, Def, ExtensionRow, ParamProblem, Params};
use crate::time::{Duration, Instant};

mod surge;
mod wave;

/// Every named shape.
pub static PROFILES: &[&ProfileDef] = &[&surge::PROFILE, &wave::PROFILE];

/// A corner of a piecewise-linear rate.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RatePoint {
    /// When.
    pub at: Instant,
    /// Requests per second, zero or more.
    pub rate_hz: f64,
}

/// A row of [`PROFILES`].
pub struct ProfileDef {
    /// Name, description, parameters.
    pub row: ExtensionRow,
    /// Conditions between parameters.
    pub check: fn(&Params) -> Result<(), ParamProblem>,
    /// The corners, ascending, the first at zero; the second argument is the horizon.
    pub corners: fn(&Params, Duration) -> Vec<RatePoint>,
}

impl Def for ProfileDef {
    fn row(&self) -> &ExtensionRow {
        &self.row
    }
    fn check(&self, params: &Params) -> Result<(), ParamProblem> {
        (self.check)(params)
    }
}

impl Configured<ProfileDef> {
    /// The corners of the line.
    pub fn corners(&self, horizon: Duration) -> Vec<RatePoint> {
        (self.def.corners)(&self.params, horizon)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::testing::{check_rows, example};

    #[test]
    fn rows_are_well_formed() {
        check_rows(PROFILES);
    }

    #[test]
    fn corners_begin_at_zero_ascend_and_are_rates() {
        for def in PROFILES {
            for horizon in [Duration::ZERO, Duration::from_secs(10_000), Duration::MAX] {
                let corners = (def.corners)(&example(&def.row), horizon);
                assert_eq!(corners[0].at, Instant::ZERO, "{}", def.row.name);
                assert!(
                    corners.windows(2).all(|pair| pair[0].at < pair[1].at),
                    "{}",
                    def.row.name
                );
                assert!(
                    corners
                        .iter()
                        .all(|corner| corner.rate_hz >= 0.0 && corner.rate_hz.is_finite()),
                    "{}",
                    def.row.name
                );
            }
        }
    }
}
