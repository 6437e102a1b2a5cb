//! The monitoring: when values are scraped, when rules look at them, and who is told.

use crate::alert_rule::{AlertRuleDef, Asked, Judgement, Known, Watched};
use crate::extension::Configured;
use crate::metric::Condition;
use crate::time::Duration;

/// How the system is watched. Without one, alerts see each interval of the time line the moment it ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Monitoring {
    /// Time between two scrapes.
    pub scrape: Duration,
    /// Until rules see a value that was scraped.
    pub lag: Duration,
    /// Time between two evaluations of the rules.
    pub evaluate: Duration,
    /// For how long the last value of what cannot be scraped counts.
    pub stale: Duration,
    /// How alerts are put together; absent: each notifies by itself, at once.
    pub group: Option<Grouping>,
    /// People on call: so many runbooks are worked through at a time.
    pub responders: u64,
}

impl Monitoring {
    /// For how long what an alert looks at is kept.
    pub fn kept(&self, alert: &Alert) -> Duration {
        let (_, back) = alert.rule.looks(alert.over);
        // Rules look between two scrapes, of which the newer is seen late.
        let more = self.lag.0.saturating_add(self.scrape.0);
        Duration(back.0.saturating_add(more))
    }
}

/// How alerts are put together in one notification.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grouping {
    /// From the first alert to the first notification.
    pub wait: Duration,
    /// Between two looks at what has changed since.
    pub interval: Duration,
    /// After which a notification is sent again although nothing has changed.
    pub repeat: Duration,
}

/// A rule of the monitoring.
#[derive(Clone, PartialEq, Debug)]
pub struct Alert {
    /// The name.
    pub name: String,
    /// `when`, as written.
    pub text: String,
    /// The rule.
    pub rule: Configured<AlertRuleDef>,
    /// What it watches.
    pub watched: Watched,
    /// Length of the window.
    pub over: Duration,
    /// How long the condition must hold.
    pub hold: Duration,
    /// For how long it goes on firing when the condition no longer holds.
    pub keep: Duration,
    /// Which alerts share its notification, where there is a [`Grouping`]: those of the same number.
    pub group: usize,
}

impl Alert {
    /// The metric and the threshold that it watches, where it watches one.
    pub fn condition(&self) -> Option<&Condition> {
        match &self.watched {
            Watched::Condition(condition) => Some(condition),
            _ => None,
        }
    }

    /// Whether its condition holds, by what is known.
    pub fn judge(&self, known: &dyn Known) -> Judgement {
        let asked = Asked {
            watched: &self.watched,
            over: self.over,
        };
        self.rule.judge(&asked, known)
    }
}
