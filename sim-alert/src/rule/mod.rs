//! Rules: what is written, and what becomes of it over time.

mod machine;
mod read;
mod watch;

use crate::expr::{Expr, Misread};
use crate::labels::Labels;
use crate::problem::Problem;
use crate::template::Outside;

pub use machine::{Active, State, Transition};
pub use watch::{Failed, Seen, Span, Watch, watch};

/// The rules of one or more files.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Groups, in the order of the files.
    pub groups: Vec<Group>,
    pub(crate) outside: Outside,
}

/// Rules that are evaluated together, one after the other.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// How often it is evaluated; the file may leave it to Prometheus.
    pub interval_ms: Option<i64>,
    /// How far back its expressions look.
    pub query_offset_ms: i64,
    /// Most series or alerts of a rule; 0 is any number.
    pub limit: usize,
    /// In the order in which they are evaluated.
    pub rules: Vec<Rule>,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The alert, or the series that is recorded.
    pub name: String,
    /// The expression as it is written.
    pub text: String,
    /// The expression.
    pub expr: Expr,
    /// Labels of the group and of the rule; those of alerts may be templates.
    pub labels: Labels,
    /// What it is for.
    pub kind: RuleKind,
    /// Where it stands.
    pub file: String,
    /// Its line.
    pub line: usize,
}

/// What a rule is for.
#[derive(Clone, Debug)]
pub enum RuleKind {
    /// It makes a series.
    Record,
    /// It raises an alert for each series of the expression.
    Alert {
        /// How long a series must be there before the alert fires.
        for_ms: i64,
        /// How long the alert fires on after the series is gone.
        keep_firing_ms: i64,
        /// Texts for people, as templates.
        annotations: Vec<(String, String)>,
    },
}

/// An alert that stands in no file of rules.
#[derive(Clone, Copy, Debug)]
pub struct Written<'t> {
    /// Its name.
    pub name: &'t str,
    /// Its expression.
    pub expr: &'t str,
    /// How long a series must be there before it fires.
    pub for_ms: i64,
    /// How long it fires on after the series is gone.
    pub keep_firing_ms: i64,
}

impl Rules {
    /// Reads a file of rules.
    ///
    /// # Errors
    /// Names every mistake with its line and what is allowed there.
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<Problem>> {
        read::file(file, text)
    }

    /// Adds an alert that stands in no file of rules to the last group of a name, or to a new one.
    ///
    /// # Errors
    /// Says where the expression makes no sense, or that it comes to nothing that an alert can be of.
    pub fn add_alert(&mut self, group: &str, alert: Written<'_>) -> Result<(), Misread> {
        let expr = Expr::read(alert.expr)?;
        if let Some(message) = read::no_rule(&expr) {
            return Err(Misread::new(0, message));
        }
        let rule = Rule {
            name: alert.name.to_owned(),
            text: alert.expr.to_owned(),
            expr,
            labels: Labels::default(),
            kind: RuleKind::Alert {
                for_ms: alert.for_ms,
                keep_firing_ms: alert.keep_firing_ms,
                annotations: Vec::new(),
            },
            file: String::new(),
            line: 0,
        };
        if let Some(last) = self.groups.last_mut().filter(|last| last.name == group) {
            last.rules.push(rule);
        } else {
            self.groups.push(Group {
                name: group.to_owned(),
                interval_ms: None,
                query_offset_ms: 0,
                limit: 0,
                rules: vec![rule],
            });
        }
        Ok(())
    }

    /// The rules of another file after these.
    pub fn join(&mut self, other: Self) {
        self.groups.extend(other.groups);
    }

    /// Labels of the whole installation, for templates.
    #[must_use]
    pub fn with_external(mut self, labels: Labels, url: &str) -> Self {
        let url = url.to_owned();
        self.outside = Outside { labels, url };
        self
    }
}
