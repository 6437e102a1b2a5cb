//! Rate profiles: how a source's rate changes over time.
//!
//! A scenario writes a number, a list of `[time, rate]` corners, or a named shape from this table;
//! all three become one [`Rate`], a piecewise-linear line that may repeat.

use crate::extension::{Configured, Def, ExtensionRow, ParamProblem, Params, Registry};

mod diurnal;
mod flash_crowd;
mod rate;
mod surge;
mod wave;

pub use rate::{Place, Rate, RatePoint};

/// Every named shape.
pub static PROFILES: &[&ProfileDef] = &[
    &surge::PROFILE,
    &wave::PROFILE,
    &diurnal::PROFILE,
    &flash_crowd::PROFILE,
];

/// A row of [`PROFILES`].
pub struct ProfileDef {
    /// Name, description, parameters.
    pub row: ExtensionRow,
    /// Conditions between parameters.
    pub check: fn(&Params) -> Result<(), ParamProblem>,
    /// The rate over time.
    pub rate: fn(&Params) -> Rate,
}

/// Every row there is, those that were added among them.
static ROWS: Registry<ProfileDef> = Registry::of(PROFILES);

impl Def for ProfileDef {
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

impl Configured<ProfileDef> {
    /// The rate over time.
    pub fn rate(&self) -> Rate {
        (self.def.rate)(&self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::testing::{check_rows, example};
    use crate::time::Instant;

    #[test]
    fn rows_are_well_formed() {
        check_rows(PROFILES);
    }

    #[test]
    fn rates_are_rates_at_all_times() {
        for def in PROFILES {
            let rate = (def.rate)(&example(&def.row));
            for corner in rate.corners_from(Instant::ZERO).take(1000) {
                assert!(
                    corner.rate_hz >= 0.0 && corner.rate_hz.is_finite(),
                    "{}",
                    def.row.name
                );
            }
            assert!(rate.at(Instant(u64::MAX)) >= 0.0, "{}", def.row.name);
        }
    }
}
