//! The monitoring at work: what is scraped, what rules make of it, and whom that wakes.
//!
//! One event does it all, at the moments at which something is due, always in this order: scrape, evaluate,
//! notify. Which of two events of one instant comes first therefore never matters here.
//!
//! The life of an alert is that of Prometheus 3 (`rules/alerting.go`, `Eval`): a condition that holds makes it pending,
//! one that has held for `for` makes it fire, one that no longer holds resolves it, after `keep`; no value is no
//! condition that holds. Until it has fired, an alert that no longer holds is forgotten without a word.
//! Alerts that are rules of Prometheus are evaluated by `sim_alert` ([`rules`]); what is told and notified of them is the same.

mod notify;
mod readings;
mod rules;

use super::Simulation;
use super::event::Event;
use crate::alert_rule::{Judgement, Watched};
use crate::event_log::{self, Kind};
use crate::model::{Actor, Alert, Model};
use crate::record::{self, Recorder, show};
use crate::time::{Duration, Instant};
use notify::Notifier;
use readings::Readings;
use rules::{Rules, Standing};
use std::sync::Arc;

/// Firings of alerts of which more is kept than the event log tells.
const FIRINGS_MAX: usize = 10_000;

/// The monitoring of a run.
#[derive(Clone)]
pub(super) struct Monitoring {
    readings: Readings,
    prometheus: Option<Box<Rules>>,
    /// One for each alert.
    rules: Vec<Rule>,
    notifier: Notifier,
    next_scrape: u64,
    next_evaluation: u64,
    firings: Vec<Firing>,
}

/// What is remembered of an alert from one evaluation to the next.
#[derive(Clone, Copy, Default)]
struct Rule {
    /// Since when its condition has held.
    since: Option<u64>,
    firing: bool,
    /// Since when it no longer holds, while the alert is kept firing.
    keeps: Option<u64>,
    /// The last of [`Monitoring::firings`] that is its own.
    last: Option<usize>,
}

/// What a look at the values that a rule is about comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Look {
    /// Whether its condition holds.
    pub holds: bool,
    /// The value, written; `no value` where there is none.
    pub value: String,
}

impl Look {
    /// As a rule judges.
    pub fn of(judgement: Judgement) -> Self {
        let value = judgement.value;
        Self {
            holds: judgement.holds,
            value: value.map_or_else(|| "no value".to_owned(), |v| show(v, judgement.unit)),
        }
    }
}

/// An alert that fired, as far as the monitoring knew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Firing {
    /// The alert, by its position in the model.
    pub alert: usize,
    /// Since when its condition had held at each evaluation.
    pub pending: Instant,
    /// When it fired.
    pub at: Instant,
    /// When the newest value that it looked at was scraped; absent where there was none.
    pub as_of: Option<Instant>,
    /// When somebody was first told.
    pub paged: Option<Instant>,
    /// When it was resolved.
    pub resolved: Option<Instant>,
}

impl Monitoring {
    pub(super) fn new(model: &Model) -> Option<Box<Self>> {
        let settings = model.monitoring?;
        Some(Box::new(Self {
            readings: Readings::new(model, settings),
            prometheus: Rules::new(model, settings).map(Box::new),
            rules: vec![Rule::default(); model.alerts.len()],
            notifier: Notifier::new(settings.group, &model.alerts),
            next_scrape: 0,
            next_evaluation: settings.evaluate.0,
            firings: Vec::new(),
        }))
    }

    /// An interval of the time line is about to be closed.
    pub(super) fn close_interval(&mut self, recorder: &Recorder) {
        self.readings.close_interval(recorder);
    }

    /// Whether an alert fires now.
    pub(super) fn fires(&self, alert: usize) -> bool {
        self.rules[alert].firing
    }

    /// When something is due next.
    fn next(&self) -> u64 {
        let next = self.next_scrape.min(self.next_evaluation);
        let rules = self.prometheus.as_ref();
        let next = rules.map_or(next, |rules| rules.next().min(next));
        self.notifier.next().map_or(next, |look| look.min(next))
    }

    /// Evaluates every rule; what is told of that, with the position of the alert.
    fn evaluate(&mut self, alerts: &[Alert], now: u64) -> Vec<(usize, event_log::Event)> {
        let mut told = Vec::new();
        let own = alerts.iter().enumerate();
        for (i, alert) in own.filter(|(_, alert)| alert.watched != Watched::Expression) {
            let seen = self.readings.seen_at(now);
            let judgement = alert.judge(&seen);
            let as_of = seen.as_of();
            let rule = &mut self.rules[i];
            let mut tell = |kind| {
                let Look { value, .. } = Look::of(judgement);
                let age = age(as_of, now);
                let event = event_log::Event {
                    at: Instant(now),
                    kind,
                    by: Actor::System,
                    subject: alert.name.clone(),
                    server: None,
                    cause: format!("{} ({value}{age})", alert.text),
                };
                told.push((i, event));
            };
            if judgement.holds {
                rule.keeps = None;
                if rule.since.is_none() && !alert.hold.is_zero() {
                    tell(Kind::Pending);
                }
                let since = *rule.since.get_or_insert(now);
                if !rule.firing && now - since >= alert.hold.0 {
                    rule.firing = true;
                    tell(Kind::Alert);
                    self.notifier.fires(i, now);
                    rule.last = (self.firings.len() < FIRINGS_MAX).then_some(self.firings.len());
                    if rule.last.is_some() {
                        self.firings.push(Firing {
                            alert: i,
                            pending: Instant(since),
                            at: Instant(now),
                            as_of: as_of.map(Instant),
                            paged: None,
                            resolved: None,
                        });
                    }
                }
                continue;
            }
            if rule.firing {
                let kept = now - *rule.keeps.get_or_insert(now) < alert.keep.0;
                if kept {
                    continue;
                }
                tell(Kind::Resolved);
                if let Some(last) = rule.last.take() {
                    self.firings[last].resolved = Some(Instant(now));
                }
            }
            *rule = Rule::default();
        }
        told
    }

    /// Evaluates the rules of Prometheus that are due; what is told of that, with the position of the alert.
    fn evaluate_rules(
        &mut self,
        alerts: &[Alert],
        now: u64,
    ) -> Vec<(Option<usize>, event_log::Event)> {
        let Some(rules) = &mut self.prometheus else {
            return Vec::new();
        };
        let (standings, failed) = rules.evaluate(now);
        let as_of = rules.newest();
        let event = |kind, subject: &str, cause| event_log::Event {
            at: Instant(now),
            kind,
            by: Actor::System,
            subject: subject.to_owned(),
            server: None,
            cause,
        };
        let failed = failed.into_iter();
        let mut told: Vec<_> = failed
            .map(|(rule, why)| (None, event(Kind::RuleFailed, &rule, why)))
            .collect();
        for standing in standings {
            let alert = &alerts[standing.alert];
            for kind in self.stands(&standing, now, as_of) {
                let age = age(as_of, now);
                let cause = format!("{} ({}{age})", alert.text, standing.of);
                told.push((Some(standing.alert), event(kind, &alert.name, cause)));
            }
        }
        told
    }

    /// An alert that is a rule of Prometheus stands so now; what is to be told of it.
    fn stands(&mut self, standing: &Standing, now: u64, as_of: Option<u64>) -> Vec<Kind> {
        let rule = &mut self.rules[standing.alert];
        let mut told = Vec::new();
        if rule.firing && !standing.firing {
            told.push(Kind::Resolved);
            if let Some(last) = rule.last.take() {
                self.firings[last].resolved = Some(Instant(now));
            }
            *rule = Rule::default();
        }
        if rule.since.is_none() && standing.since.is_some() && !standing.firing {
            told.push(Kind::Pending);
        }
        if standing.firing && !rule.firing {
            told.push(Kind::Alert);
            rule.firing = true;
            self.notifier.fires(standing.alert, now);
            rule.last = (self.firings.len() < FIRINGS_MAX).then_some(self.firings.len());
            if rule.last.is_some() {
                self.firings.push(Firing {
                    alert: standing.alert,
                    pending: Instant(standing.since.unwrap_or(now)),
                    at: Instant(now),
                    as_of: as_of.map(Instant),
                    paged: None,
                    resolved: None,
                });
            }
        }
        rule.since = standing.since;
        told
    }

    /// Looks whom to tell of what.
    fn notify(&mut self, now: u64) -> Vec<usize> {
        let firing: Vec<bool> = self.rules.iter().map(|rule| rule.firing).collect();
        let pages = self.notifier.look(now, &firing);
        for &alert in &pages {
            if let Some(last) = self.rules[alert].last {
                self.firings[last].paged.get_or_insert(Instant(now));
            }
        }
        pages
    }
}

/// How old what is known is.
fn age(as_of: Option<u64>, now: u64) -> String {
    as_of.map_or_else(String::new, |at| match now - at {
        0 => ", scraped now".to_owned(),
        age => format!(", scraped {} before", Duration(age)),
    })
}

impl Simulation {
    /// Something of the monitoring is due.
    pub(super) fn monitor(&mut self) {
        let Some(mut monitoring) = self.monitoring.take() else {
            return;
        };
        let (now, model) = (self.now, Arc::clone(&self.model));
        let settings = monitoring.readings.settings();
        let mut fire = Vec::new();
        if monitoring.next_scrape == now {
            let readings = &mut monitoring.readings;
            readings.scrape(&self.recorder, &self.fleet, &self.services, now);
            if let Some(rules) = &mut monitoring.prometheus {
                rules.scrape(self);
            }
            monitoring.next_scrape = now.saturating_add(settings.scrape.0);
        }
        if monitoring.next_evaluation == now {
            for (alert, event) in monitoring.evaluate(&model.alerts, now) {
                fire.extend((event.kind == Kind::Alert).then_some(alert));
                self.recorder.tell(event);
            }
            monitoring.next_evaluation = now.saturating_add(settings.evaluate.0);
        }
        for (alert, event) in monitoring.evaluate_rules(&model.alerts, now) {
            fire.extend(alert.filter(|_| event.kind == Kind::Alert));
            self.recorder.tell(event);
        }
        for (alert, rule) in monitoring.rules.iter().enumerate() {
            let state = record::state(rule.firing, rule.since.is_some());
            self.recorder.stands(alert, now, state);
        }
        let pages = monitoring.notify(now);
        for &alert in &pages {
            let alert = &model.alerts[alert];
            self.tell(Kind::Paged, Actor::System, &alert.name, alert.text.clone());
        }
        self.events.schedule(monitoring.next(), Event::Monitor);
        self.monitoring = Some(monitoring);
        for alert in fire {
            self.fires(alert);
        }
        for alert in pages {
            self.called(alert);
        }
    }

    /// The monitoring begins, where there is one.
    pub(super) fn start_monitoring(&mut self) {
        if let Some(monitoring) = &self.monitoring {
            self.events.schedule(monitoring.next(), Event::Monitor);
        }
    }

    /// What the rules make of what can be seen now, one for each alert, and when the newest of that was scraped:
    /// what a dashboard shows, a little newer than what rules looked at last. Empty without a monitoring.
    pub fn alert_looks(&self) -> Vec<(Look, Option<Instant>)> {
        let Some(monitoring) = &self.monitoring else {
            return Vec::new();
        };
        let rules = monitoring.prometheus.as_ref();
        let rules = rules.and_then(|rules| rules.look(self, false));
        let look = |(i, alert): (usize, &Alert)| {
            if let Some((looks, as_of)) = &rules
                && alert.watched == Watched::Expression
            {
                return (looks[i].clone(), as_of.map(Instant));
            }
            let seen = monitoring.readings.seen_at(self.now);
            let look = Look::of(alert.judge(&seen));
            (look, seen.as_of().map(Instant))
        };
        self.model.alerts.iter().enumerate().map(look).collect()
    }

    /// What the rules of Prometheus would come to if all were scraped at this very moment and seen at once, one for
    /// each alert; `None` where there are none, or too many series to be looked at beside the run.
    pub fn alert_looks_without_lag(&self) -> Option<Vec<Look>> {
        let rules = self.monitoring.as_ref()?.prometheus.as_ref()?;
        rules.look(self, true).map(|(looks, _)| looks)
    }

    /// The series that rules of Prometheus see now; `None` where there are no such rules.
    pub fn scraped_series(&self) -> Option<&sim_alert::Store> {
        let rules = self.monitoring.as_ref()?.prometheus.as_ref()?;
        Some(rules.store())
    }

    /// Bytes that a clone of what was scraped takes.
    pub(super) fn monitoring_bytes(&self) -> usize {
        let monitoring = self.monitoring.as_ref();
        let rules = monitoring.and_then(|monitoring| monitoring.prometheus.as_ref());
        rules.map_or(0, |rules| rules.bytes())
    }

    /// Alerts that fired so far, as far as a monitoring knew; none without a monitoring.
    pub fn firings(&self) -> &[Firing] {
        let monitoring = self.monitoring.as_ref();
        monitoring.map_or(&[], |monitoring| &monitoring.firings)
    }
}
