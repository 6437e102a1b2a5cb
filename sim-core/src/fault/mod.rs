//! Faults: what can be wrong with servers and links while they are up.
//!
//! A row says what a fault is called, what it can befall, and what it does, put together from what
//! the engine knows how to do: [`Effect`]. A crash is none: it ends, and is a machine's own affair.

use crate::event_log::Kind;
use crate::extension::{Configured, Def, ExtensionRow, ParamValue, Params, Registry};
use crate::time::Duration;

mod degrade;
mod errors;
mod gray;
mod health_path;
mod partition;
mod slow;

/// Every fault a scenario can name.
pub static FAULTS: &[&FaultDef] = &[
    &slow::FAULT,
    &errors::FAULT,
    &gray::FAULT,
    &health_path::FAULT,
    &partition::FAULT,
    &degrade::FAULT,
];

/// A row of [`FAULTS`].
pub struct FaultDef {
    /// Name, description, parameters.
    pub row: ExtensionRow,
    /// What it can befall.
    pub befalls: Befalls,
    /// What it does.
    pub effect: fn(&Params) -> Effect,
    /// What it does, in a few words.
    pub words: fn(&Params) -> String,
    /// How its beginning and its end are told, and the words for the end.
    pub told: (Kind, Kind, &'static str),
}

/// A row that needs nothing special: the others say what is different.
const PLAIN: FaultDef = FaultDef {
    row: ExtensionRow {
        name: "",
        about: "",
        source: "",
        params: &[],
    },
    befalls: Befalls::Servers,
    effect: |_| Effect::NONE,
    words: |_| String::new(),
    told: (Kind::Fault, Kind::Heal, "its time is over"),
};

/// What a fault can befall.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Befalls {
    /// Servers.
    Servers,
    /// Links between machines.
    Links,
}

/// What a fault does, all of it together.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Effect {
    /// Factor of a server's speed, above zero.
    pub speed: f64,
    /// Probability that a server answers with an error, beside its own; in [0, 1].
    pub errors: f64,
    /// How a server answers checks, whatever requests meet: whether they pass; absent: as they would.
    pub checks: Option<bool>,
    /// Whether all that is sent over a link vanishes.
    pub cut: bool,
    /// Time added to each way of a link.
    pub delay: Duration,
    /// Probability that a message vanishes, beside the link's own; in [0, 1].
    pub loss: f64,
}

impl Effect {
    /// What does nothing.
    pub const NONE: Self = Self {
        speed: 1.0,
        errors: 0.0,
        checks: None,
        cut: false,
        delay: Duration::ZERO,
        loss: 0.0,
    };

    /// Both at once, as far as they are independent of each other.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            speed: self.speed * other.speed,
            errors: either(self.errors, other.errors),
            checks: self.checks.or(other.checks),
            cut: self.cut || other.cut,
            delay: Duration(self.delay.0.saturating_add(other.delay.0)),
            loss: either(self.loss, other.loss),
        }
    }
}

/// The probability that one of two independent things happens; exact where one cannot.
pub fn either(a: f64, b: f64) -> f64 {
    match (a > 0.0, b > 0.0) {
        (true, true) => 1.0 - (1.0 - a) * (1.0 - b),
        (true, false) => a,
        (false, _) => b,
    }
}

/// Every row there is, those that were added among them.
static ROWS: Registry<FaultDef> = Registry::of(FAULTS);

impl Def for FaultDef {
    fn registry() -> &'static Registry<Self> {
        &ROWS
    }
    fn row(&self) -> &ExtensionRow {
        &self.row
    }
}

impl Configured<FaultDef> {
    /// What it does.
    pub fn effect(&self) -> Effect {
        (self.def.effect)(&self.params)
    }

    /// Whether it is one that needs to be told how bad it is, and was not.
    pub fn says_nothing(&self) -> bool {
        let needs_nothing = self.def.row.params.iter().all(|p| p.default.is_some());
        needs_nothing && self.effect() == Effect::NONE
    }

    /// What it does, in a few words.
    pub fn words(&self) -> String {
        (self.def.words)(&self.params)
    }
}

/// The fault of a server that works at another speed.
pub fn slow(factor: f64) -> Configured<FaultDef> {
    let params = Params::new(vec![("factor", ParamValue::Number(factor))]);
    Configured {
        def: &slow::FAULT,
        params,
    }
}

/// The fault of a link that is cut.
pub fn partition() -> Configured<FaultDef> {
    Configured {
        def: &partition::FAULT,
        params: Params::default(),
    }
}

/// The fault of a link that gets slower and lossy.
pub fn degrade(delay: Duration, loss: f64) -> Configured<FaultDef> {
    let params = Params::new(vec![
        ("delay", ParamValue::Span(delay)),
        ("loss", ParamValue::Number(loss)),
    ]);
    Configured {
        def: &degrade::FAULT,
        params,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::ParamKind;
    use crate::extension::testing::check_rows;

    #[test]
    fn rows_are_well_formed() {
        check_rows(FAULTS);
    }

    /// Values that make a difference.
    fn sample(def: &FaultDef) -> Params {
        let values = def.row.params.iter().map(|param| match param.kind {
            ParamKind::Number { .. } => (param.name, ParamValue::Number(0.5)),
            ParamKind::Span { .. } => (param.name, ParamValue::Span(Duration::from_secs(1))),
            ParamKind::Choice(_) => (param.name, ParamValue::Choice(0)),
            _ => unreachable!("{} has other parameters than these", def.row.name),
        });
        Params::new(values.collect())
    }

    #[test]
    fn every_fault_does_something_to_what_it_befalls() {
        for def in FAULTS {
            let params = sample(def);
            let effect = (def.effect)(&params);
            let Effect {
                speed,
                errors,
                checks,
                cut,
                delay,
                loss,
            } = effect;
            let at_server = speed < 1.0 || errors > 0.0 || checks.is_some();
            let at_link = cut || !delay.is_zero() || loss > 0.0;
            let expected = match def.befalls {
                Befalls::Servers => (true, false),
                Befalls::Links => (false, true),
            };
            assert_eq!((at_server, at_link), expected, "{}", def.row.name);
            assert!(!(def.words)(&params).is_empty(), "{}", def.row.name);
        }
    }

    #[test]
    fn effects_add_up() {
        let slow = Effect {
            speed: 0.5,
            errors: 0.2,
            ..Effect::NONE
        };
        let both = slow.and(&slow);
        assert!((both.speed - 0.25).abs() < 1e-12);
        assert!((both.errors - 0.36).abs() < 1e-12);
        assert_eq!(slow.and(&Effect::NONE), slow);
    }
}
