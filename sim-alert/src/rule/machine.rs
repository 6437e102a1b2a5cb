//! What becomes of an alert: inactive, pending, firing (`rules/alerting.go`).

use super::{Rule, RuleKind};
use crate::eval::Sample;
use crate::labels::{Labels, NAME};
use crate::template::{self, Outside, Subject};
use std::collections::BTreeMap;

/// The label with the alert's name.
const ALERT_NAME: &str = "alertname";

/// How an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Nothing is wrong.
    Inactive,
    /// Something is wrong, not yet for long enough.
    Pending,
    /// Somebody is told.
    Firing,
}

impl State {
    /// As Prometheus writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Pending => "pending",
            Self::Firing => "firing",
        }
    }
}

/// An alert that is pending or firing, for one set of labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Active {
    /// How it stands.
    pub state: State,
    /// Since when the expression has a value, without a break.
    pub since_ms: i64,
    /// The last value.
    pub value: f64,
    /// Texts for people, filled in.
    pub annotations: Vec<(String, String)>,
    /// Whether a template in labels or annotations was left as it is written.
    pub unexpanded: bool,
    /// Since when it fires without a value.
    kept_since_ms: Option<i64>,
}

/// A change of an alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// When the rule was evaluated.
    pub at_ms: i64,
    /// The rule's group.
    pub group: String,
    /// The alert's name.
    pub alert: String,
    /// Its labels, `alertname` among them.
    pub labels: Labels,
    /// How it stood.
    pub from: State,
    /// How it stands now. From firing to inactive it is resolved.
    pub to: State,
    /// The value with which it changed; the last one if there is none.
    pub value: f64,
}

/// The alerts of a rule, by their labels.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alerts {
    pub(crate) active: BTreeMap<Labels, Active>,
}

impl Alerts {
    /// Takes what the expression came to and adds what changed. Alerts that are resolved are
    /// forgotten: Prometheus keeps them for a while, only in order to tell of them again.
    ///
    /// # Errors
    /// Says if two series get the same labels, or if there are more alerts than allowed.
    pub(crate) fn take(
        &mut self,
        rule: &Rule,
        outside: &Outside,
        samples: Vec<Sample>,
        now_ms: i64,
        limit: usize,
        changes: &mut Vec<Transition>,
    ) -> Result<(), String> {
        let RuleKind::Alert {
            for_ms,
            keep_firing_ms,
            annotations,
        } = &rule.kind
        else {
            return Ok(());
        };
        let mut found: BTreeMap<Labels, Active> = BTreeMap::new();
        for sample in samples {
            let (labels, active) = raised(rule, annotations, outside, &sample, now_ms);
            if found.insert(labels, active).is_some() {
                return Err(
                    "vector contains metrics with the same labelset after applying alert labels"
                        .to_owned(),
                );
            }
        }
        let mut change = |labels: &Labels, from, to, value| {
            changes.push(Transition {
                at_ms: now_ms,
                group: String::new(),
                alert: rule.name.clone(),
                labels: labels.clone(),
                from,
                to,
                value,
            });
        };
        self.active.retain(|labels, active| {
            if let Some(fresh) = found.remove(labels) {
                active.value = fresh.value;
                active.annotations = fresh.annotations;
                active.unexpanded = fresh.unexpanded;
                active.kept_since_ms = None;
            } else {
                let firing = active.state == State::Firing;
                let since_ms = *active.kept_since_ms.get_or_insert(now_ms);
                let kept = firing && now_ms.saturating_sub(since_ms) < *keep_firing_ms;
                if !kept {
                    change(labels, active.state, State::Inactive, active.value);
                    return false;
                }
            }
            if active.state == State::Pending && now_ms.saturating_sub(active.since_ms) >= *for_ms {
                active.state = State::Firing;
                change(labels, State::Pending, State::Firing, active.value);
            }
            true
        });
        for (labels, mut active) in found {
            if *for_ms <= 0 {
                active.state = State::Firing;
            }
            change(&labels, State::Inactive, active.state, active.value);
            self.active.insert(labels, active);
        }
        if limit > 0 && self.active.len() > limit {
            let count = self.active.len();
            // Without a word to anybody in Prometheus: what fired is never said to be resolved.
            for (labels, active) in std::mem::take(&mut self.active) {
                change(&labels, active.state, State::Inactive, active.value);
            }
            return Err(format!("exceeded limit of {limit} with {count} alerts"));
        }
        Ok(())
    }

    /// The series that Prometheus makes of its alerts: `ALERTS` and `ALERTS_FOR_STATE`.
    pub(crate) fn series(&self, rule: &Rule) -> Vec<(Labels, f64)> {
        let each = self.active.iter().flat_map(|(labels, active)| {
            // Labels as they are written show through where an alert has none.
            let mut common = rule.labels.clone();
            for (name, value) in labels.iter() {
                common.set(name, value);
            }
            let alerts = common.clone().with(NAME, "ALERTS");
            let alerts = alerts.with("alertstate", active.state.name());
            let since = common.with(NAME, "ALERTS_FOR_STATE");
            let seconds = active.since_ms.div_euclid(1000) as f64;
            [(alerts, 1.0), (since, seconds)]
        });
        each.collect()
    }
}

/// The alert that a sample raises, before it is known whether it was there already.
fn raised(
    rule: &Rule,
    annotations: &[(String, String)],
    outside: &Outside,
    sample: &Sample,
    now_ms: i64,
) -> (Labels, Active) {
    let subject = Subject {
        labels: &sample.labels,
        value: sample.value,
        outside,
    };
    let mut unexpanded = false;
    let mut expand = |text: &str| {
        let (filled, left) = template::expand(text, subject);
        unexpanded |= left;
        filled
    };
    let mut labels = sample.labels.nameless();
    for (name, text) in rule.labels.iter() {
        labels.set(name, &expand(text));
    }
    labels.set(ALERT_NAME, &rule.name);
    let annotations = annotations
        .iter()
        .map(|(name, text)| (name.clone(), expand(text)))
        .collect();
    let active = Active {
        state: State::Pending,
        since_ms: now_ms,
        value: sample.value,
        annotations,
        unexpanded,
        kept_since_ms: None,
    };
    (labels, active)
}
