//! Rules: what is written, and what becomes of it over time.

mod machine;
mod read;
mod watch;

use crate::expr::Expr;
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

impl Rules {
    /// Reads a file of rules.
    ///
    /// # Errors
    /// Names every mistake with its line and what is allowed there.
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<Problem>> {
        read::file(file, text)
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
