//! Rules over time: evaluated at their intervals, on series that are there and that they make.

use super::machine::{Active, Alerts, Transition};
use super::{Group, Rule, RuleKind, Rules};
use crate::eval::{Failure, NEVER, Sample, Value};
use crate::labels::{Labels, NAME};
use crate::store::Store;
use crate::template::Outside;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// From when to when, and how often groups are evaluated that do not say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first evaluation.
    pub from_ms: i64,
    /// No evaluation is later.
    pub until_ms: i64,
    /// The interval of groups without one.
    pub interval_ms: i64,
}

/// A rule that could not be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// When.
    pub at_ms: i64,
    /// Its group.
    pub group: String,
    /// The alert, or the series that would have been recorded.
    pub rule: String,
    /// Why.
    pub why: String,
}

/// What became of rules.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Every change of an alert, in order of time.
    pub transitions: Vec<Transition>,
    /// Rules that could not be evaluated.
    pub failed: Vec<Failed>,
    /// Alerts with a template that was left as it is written.
    pub unexpanded: BTreeSet<String>,
}

/// Evaluates rules on series; what they record is added to these. All groups begin at the same
/// moment, and those of one moment are evaluated in their order: Prometheus spreads groups over
/// their interval by a hash of their names.
pub fn watch(rules: &Rules, store: &mut Store, span: Span) -> Seen {
    let mut watch = Watch::new(Arc::new(rules.clone()));
    let mut seen = Seen::default();
    let intervals: Vec<i64> = rules
        .groups
        .iter()
        .map(|group| group.interval_ms.unwrap_or(span.interval_ms).max(1))
        .collect();
    // `None` for a group that is due after the last moment there is.
    let mut due = vec![Some(span.from_ms); intervals.len()];
    while let Some(now_ms) = (due.iter().copied().flatten().min()).filter(|at| *at <= span.until_ms)
    {
        for group in 0..due.len() {
            if due[group] == Some(now_ms) {
                watch.evaluate(group, store, now_ms, span.interval_ms, &mut seen);
                due[group] = now_ms.checked_add(intervals[group]);
            }
        }
    }
    seen
}

/// The state of all rules between evaluations, for those who keep time themselves.
#[derive(Clone, Debug)]
pub struct Watch<'c> {
    rules: Arc<Rules>,
    cancel: &'c AtomicBool,
    groups: Vec<Vec<Ticking>>,
}

/// A rule's state.
#[derive(Clone, Debug, Default)]
struct Ticking {
    alerts: Alerts,
    /// The series it made last time: those that are gone are marked as ended.
    made: BTreeSet<Labels>,
}

impl<'c> Watch<'c> {
    /// Nothing has been evaluated.
    pub fn new(rules: Arc<Rules>) -> Self {
        let groups = rules.groups.iter();
        let groups = groups.map(|group| vec![Ticking::default(); group.rules.len()]);
        let groups = groups.collect();
        Self {
            rules,
            cancel: &NEVER,
            groups,
        }
    }

    /// Rules fail soon after `cancel` is set, instead of being evaluated to the end.
    #[must_use]
    pub fn unless(self, cancel: &'c AtomicBool) -> Self {
        Self { cancel, ..self }
    }

    /// Evaluates a group, by its place, and adds what happened to `seen`. `interval_ms` is the
    /// step of subqueries that name none.
    pub fn evaluate(
        &mut self,
        group: usize,
        store: &mut Store,
        now_ms: i64,
        interval_ms: i64,
        seen: &mut Seen,
    ) {
        let rules = Arc::clone(&self.rules);
        let written = &rules.groups[group];
        for (rule, ticking) in written.rules.iter().zip(&mut self.groups[group]) {
            let before = seen.transitions.len();
            let subject = (&rules.outside, written, rule);
            let result = ticking.evaluate(subject, store, now_ms, interval_ms, seen, self.cancel);
            if let Err(why) = result {
                seen.failed.push(Failed {
                    at_ms: now_ms,
                    group: written.name.clone(),
                    rule: rule.name.clone(),
                    why,
                });
            }
            for transition in &mut seen.transitions[before..] {
                transition.group.clone_from(&written.name);
            }
        }
    }

    /// The alerts that are pending or firing, with their rules.
    pub fn active(&self) -> impl Iterator<Item = (&Rule, &Labels, &Active)> {
        let groups = self.rules.groups.iter().zip(&self.groups);
        let rules = groups.flat_map(|(group, ticking)| group.rules.iter().zip(ticking));
        rules.flat_map(|(rule, ticking)| {
            let alerts = ticking.alerts.active.iter();
            alerts.map(move |(labels, active)| (rule, labels, active))
        })
    }

    /// The alerts of one rule that are pending or firing, by the places of its group and of itself.
    pub fn active_of(&self, group: usize, rule: usize) -> impl Iterator<Item = (&Labels, &Active)> {
        self.groups[group][rule].alerts.active.iter()
    }
}

impl Ticking {
    fn evaluate(
        &mut self,
        (outside, group, rule): (&Outside, &Group, &Rule),
        store: &mut Store,
        now_ms: i64,
        interval_ms: i64,
        seen: &mut Seen,
        cancel: &AtomicBool,
    ) -> Result<(), String> {
        let at_ms = now_ms.saturating_sub(group.query_offset_ms);
        let value = (rule.expr).evaluate_unless(cancel, store, at_ms, interval_ms);
        let samples = match value.map_err(|failure: Failure| failure.to_string())? {
            Value::Vector(samples) => samples,
            Value::Scalar(value) => vec![Sample {
                labels: Labels::default(),
                value,
            }],
        };
        let made = match rule.kind {
            RuleKind::Record => recorded(rule, samples, group.limit)?,
            RuleKind::Alert { .. } => {
                let alerts = &mut self.alerts;
                let changes = &mut seen.transitions;
                alerts.take(rule, outside, samples, now_ms, group.limit, changes)?;
                if alerts.active.values().any(|active| active.unexpanded) {
                    seen.unexpanded.insert(rule.name.clone());
                }
                alerts.series(rule).into_iter().collect()
            }
        };
        let mut refused = None;
        for (labels, value) in &made {
            if let Err(why) = store.append(labels, at_ms, Some(*value)) {
                refused = Some(format!("{labels}: {why}"));
            }
        }
        for gone in self.made.iter().filter(|one| !made.contains_key(one)) {
            // Another rule may make the same series; then it has not ended.
            let _ = store.append(gone, at_ms, None);
        }
        self.made = made.into_keys().collect();
        refused.map_or(Ok(()), Err)
    }
}

fn recorded(
    rule: &Rule,
    samples: Vec<Sample>,
    limit: usize,
) -> Result<BTreeMap<Labels, f64>, String> {
    let count = samples.len();
    let mut made = BTreeMap::new();
    for sample in samples {
        let mut labels = sample.labels.with(NAME, &rule.name);
        for (name, value) in rule.labels.iter() {
            labels.set(name, value);
        }
        if made.insert(labels, sample.value).is_some() {
            return Err(
                "vector contains metrics with the same labelset after applying rule labels"
                    .to_owned(),
            );
        }
    }
    if limit > 0 && count > limit {
        return Err(format!("exceeded limit of {limit} with {count} series"));
    }
    Ok(made)
}
