//! How values can be entered in a form: what a window shows beside the text.

use super::section::{Form, Limits};
use crate::extension::{ExtensionRow, ParamKind};

/// How a form lets a value be entered, beside typing it.
#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    /// Typed only.
    Text,
    /// True or false.
    Flag,
    /// One of these words.
    Words(Vec<&'static str>),
    /// A number.
    Number {
        /// Least.
        min: f64,
        /// Most; `f64::MAX` where there is no bound.
        max: f64,
        /// Whether it has no fraction.
        whole: bool,
    },
    /// A time span.
    Span,
    /// One of a table's rows: its name, and what has to be written for it. A parameter that must be
    /// written and is not yet known is left out behind its equals sign.
    Kinds(Vec<(&'static str, String)>),
}

impl Input {
    pub(crate) fn of_form(form: &Form, limits: Limits, optional: bool) -> Self {
        let number = |whole| Self::Number {
            min: limits.min,
            max: limits.max,
            whole,
        };
        let none = optional.then_some("none");
        match form {
            Form::Flag => Self::Flag,
            Form::Count => number(true),
            Form::Number | Form::Ratio => number(false),
            Form::Span => Self::Span,
            Form::Word(words) => {
                let words = words.iter().map(|(word, _)| *word);
                Self::Words(words.chain(none).collect())
            }
            Form::Extension(table) => {
                let kinds = (table.rows)()
                    .into_iter()
                    .map(|row| (row.name, written(row)));
                Self::Kinds(kinds.chain(none.map(|n| (n, n.to_owned()))).collect())
            }
            _ => Self::Text,
        }
    }

    pub(crate) fn of_param(kind: ParamKind) -> Self {
        match kind {
            ParamKind::Number { min, max, .. } => Self::Number {
                min,
                max,
                whole: false,
            },
            ParamKind::Integer { min, max, .. } => Self::Number {
                min: min as f64,
                max: max as f64,
                whole: true,
            },
            ParamKind::Span { .. } => Self::Span,
            ParamKind::Choice(words) => Self::Words(words.to_vec()),
            ParamKind::Flag => Self::Flag,
            ParamKind::Distribution
            | ParamKind::Distributions
            | ParamKind::Words(_)
            | ParamKind::Spans
            | ParamKind::Moments { .. }
            | ParamKind::Code { .. }
            | ParamKind::Numbers { .. } => Self::Text,
        }
    }
}

/// What has to be written for an extension row: its name alone where that is enough.
fn written(row: &ExtensionRow) -> String {
    let needed = row.params.iter().filter(|param| param.default.is_none());
    let needed: Vec<String> = needed.map(|param| format!(", {} = ", param.name)).collect();
    if needed.is_empty() {
        return row.name.to_owned();
    }
    format!("{{ kind = {:?}{} }}", row.name, needed.concat())
}

#[cfg(test)]
mod tests {
    use super::super::keys;
    use super::Input;

    fn input(path: &str) -> Input {
        let row = keys().into_iter().find(|row| row.path == path);
        row.unwrap_or_else(|| panic!("no key {path}")).input
    }

    #[test]
    fn every_kind_of_value_has_its_way_in() {
        assert_eq!(input("client.cancel"), Input::Flag);
        assert_eq!(input("client.timeout"), Input::Span);
        assert_eq!(input("title"), Input::Text);
        let workers = Input::Number {
            min: 1.0,
            max: 1e6,
            whole: true,
        };
        assert_eq!(input("service.NAME.server.NAME.workers"), workers);
        let Input::Words(behaviours) = input("service.NAME.balancer.down_behaviour") else {
            panic!("no words");
        };
        assert_eq!(behaviours, ["refuse", "black-hole"]);
        let Input::Kinds(laws) = input("service.NAME.demand") else {
            panic!("no kinds");
        };
        let exponential = (
            "exponential",
            "{ kind = \"exponential\", mean =  }".to_owned(),
        );
        assert!(laws.contains(&exponential), "{laws:?}");
        let Input::Kinds(policies) = input("service.NAME.balancer.policy") else {
            panic!("no kinds");
        };
        assert!(
            policies.contains(&("random", "random".to_owned())),
            "{policies:?}"
        );
    }
}
