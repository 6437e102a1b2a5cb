//! Restarts: whether and when something that crashed comes back.

use crate::extension::{Configured, Def, ExtensionRow, Params, Registry};
use crate::time::Duration;
use std::fmt::Debug;

mod after;
mod crash_loop;
mod manual;
mod never;

/// Every restart rule a scenario can name.
pub static RESTARTS: &[&RestartDef] = &[
    &never::RESTART,
    &manual::RESTART,
    &after::RESTART,
    &crash_loop::RESTART,
];

/// A row of [`RESTARTS`].
pub struct RestartDef {
    /// Name, description, parameters.
    pub row: ExtensionRow,
    /// Makes the rule.
    pub build: fn(&Params) -> Restart,
}

/// Every row there is, those that were added among them.
static ROWS: Registry<RestartDef> = Registry::of(RESTARTS);

impl Def for RestartDef {
    fn registry() -> &'static Registry<Self> {
        &ROWS
    }
    fn row(&self) -> &ExtensionRow {
        &self.row
    }
}

impl Configured<RestartDef> {
    /// The rule.
    pub fn build(&self) -> Restart {
        (self.def.build)(&self.params)
    }
}

/// A restart rule.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Restart {
    /// The first pause; `None`: it does not restart by itself.
    pub first: Option<Duration>,
    /// Each further pause is so many times the one before, 1 or more.
    pub factor: f64,
    /// Longest pause.
    pub cap: Duration,
    /// So many restarts of a row come without a pause, before the first one.
    pub immediate: u32,
    /// After running so long the next crash counts as the first again.
    pub reset: Duration,
    /// Whether people may restart it.
    pub by_hand: bool,
}

impl Restart {
    /// What does not restart by itself.
    const DOWN: Self = Self {
        first: None,
        factor: 1.0,
        cap: Duration::MAX,
        immediate: 0,
        reset: Duration::ZERO,
        by_hand: false,
    };

    /// The pause after crash number `crashes` (from 1) of a row of quick crashes.
    pub fn pause(&self, crashes: u32) -> Option<Duration> {
        let first = self.first?;
        if crashes <= self.immediate {
            return Some(Duration::ZERO);
        }
        let mut pause = first.0 as f64;
        for _ in 1..crashes - self.immediate {
            let next = pause * self.factor;
            // Neither a cap that is reached nor a pause that stays the same needs the other rounds.
            if pause >= self.cap.0 as f64 || next <= pause {
                break;
            }
            pause = next;
        }
        Some(Duration::from_nanos_f64(pause).min(self.cap))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::testing::{check_rows, example};

    #[test]
    fn rows_are_well_formed() {
        check_rows(RESTARTS);
    }

    #[test]
    fn pauses_never_shrink_and_are_found_at_once() {
        for def in RESTARTS {
            let rule = (def.build)(&example(&def.row));
            let pauses: Vec<_> = (1..20).map(|crashes| rule.pause(crashes)).collect();
            assert!(
                pauses.windows(2).all(|pair| pair[0] <= pair[1]),
                "{}: {pauses:?}",
                def.row.name
            );
            assert!(rule.pause(u32::MAX) >= rule.pause(20), "{}", def.row.name);
        }
    }
}
