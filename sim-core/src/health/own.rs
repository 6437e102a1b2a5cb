//! What differs from server to server: parameters of health rules that hold for one server.
//!
//! Programs let each server of a list say something of its own: `max_fails` in nginx, `inter` or `slowstart` in
//! `HAProxy`. A key at a server stands for the parameter of a rule that means the same; of a rule without such a
//! parameter, or one whose program knows no difference between servers, it says nothing.

use super::HealthDef;
use crate::extension::{Configured, Def, ParamProblem, ParamValue, Params};

/// Keys at a server, and what the parameters are called in the rules.
pub(crate) static OWN_KEYS: &[(&str, &[&str])] = &[
    ("max_fails", &["max_fails"]),
    ("fail_timeout", &["fail_timeout"]),
    ("interval", &["interval", "inter"]),
    ("fast_interval", &["fast_interval", "fastinter"]),
    ("down_interval", &["downinter"]),
    ("fall", &["fall"]),
    ("rise", &["rise"]),
    ("slow_start", &["over"]),
];

/// What health rules do otherwise about one server.
#[derive(Clone, PartialEq, Debug)]
pub struct OwnHealth {
    /// Whether it is checked.
    pub checked: bool,
    /// Its values of the keys that a server can have of its own.
    pub values: Vec<(&'static str, ParamValue)>,
}

impl Default for OwnHealth {
    fn default() -> Self {
        Self {
            checked: true,
            values: Vec::new(),
        }
    }
}

impl OwnHealth {
    /// Whether nothing differs at it.
    pub fn is_plain(&self) -> bool {
        self.checked && self.values.is_empty()
    }

    /// A number of its own.
    pub fn integer(&self, key: &str) -> Option<u64> {
        let found = self.values.iter().find(|(name, _)| *name == key);
        found.and_then(|(_, value)| match value {
            ParamValue::Integer(value) => Some(*value),
            _ => None,
        })
    }

    /// What it says of a parameter of a rule.
    fn of(&self, param: &str) -> Option<&ParamValue> {
        let key = OWN_KEYS.iter().find(|(_, params)| params.contains(&param));
        let found = self
            .values
            .iter()
            .find(|(name, _)| Some(name) == key.map(|(key, _)| key));
        found.map(|(_, value)| value)
    }
}

/// The key at a server that stands for a parameter.
fn key_of(param: &str) -> Option<&'static str> {
    let found = OWN_KEYS.iter().find(|(_, params)| params.contains(&param));
    found.map(|(key, _)| *key)
}

impl HealthDef {
    /// Keys at a server that it heeds.
    pub(crate) fn heeds(&self) -> impl Iterator<Item = &'static str> {
        self.own.iter().filter_map(|param| key_of(param))
    }
}

impl Configured<HealthDef> {
    /// Its parameters as they are for one server.
    pub(crate) fn params_at(&self, own: &OwnHealth) -> Params {
        let own_value = |name: &str| {
            let differs = self.def.own.contains(&name);
            differs.then(|| own.of(name)).flatten()
        };
        let values = self.params.iter().map(|(name, value)| {
            let value = own_value(name).unwrap_or(value);
            (name, value.clone())
        });
        Params::new(values.collect())
    }

    /// The same, with what must hold between them.
    pub(crate) fn check_at(&self, own: &OwnHealth) -> Result<(), ParamProblem> {
        self.def.check(&self.params_at(own))
    }
}
