//! The monitoring at work: what is scraped, what rules make of it, and whom that wakes.
//!
//! One event does it all, at the moments at which something is due, always in this order: scrape, evaluate,
//! notify. Which of two events of one instant comes first therefore never matters here.
//!
//! The life of an alert is that of Prometheus 3 (`rules/alerting.go`, `Eval`): a condition that holds makes it pending,
//! one that has held for `for` makes it fire, one that no longer holds resolves it, after `keep`; no value is no
//! condition that holds. Until it has fired, an alert that no longer holds is forgotten without a word.

mod notify;
mod readings;

use super::Simulation;
use super::event::Event;
use crate::event_log::{self, Kind};
use crate::model::{Actor, Alert, Model};
use crate::record::{Recorder, show};
use crate::time::{Duration, Instant};
use notify::Notifier;
use readings::Readings;
use std::sync::Arc;

/// Firings of alerts of which more is kept than the event log tells.
const FIRINGS_MAX: usize = 10_000;

/// The monitoring of a run.
#[derive(Clone)]
pub(super) struct Monitoring {
    readings: Readings,
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
            rules: vec![Rule::default(); model.alerts.len()],
            notifier: Notifier::new(settings.group, model.alerts.len()),
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
        self.notifier.next().map_or(next, |look| look.min(next))
    }

    /// Evaluates every rule; what is told of that, with the position of the alert.
    fn evaluate(&mut self, alerts: &[Alert], now: u64) -> Vec<(usize, event_log::Event)> {
        let mut told = Vec::new();
        for (i, alert) in alerts.iter().enumerate() {
            let seen = self.readings.seen_at(now);
            let judgement = alert.judge(&seen);
            let as_of = seen.as_of();
            let rule = &mut self.rules[i];
            let mut tell = |kind| {
                let value = judgement
                    .value
                    .map_or_else(|| "no value".to_owned(), |v| show(v, judgement.unit));
                let age = as_of.map_or_else(String::new, |at| match now - at {
                    0 => ", scraped now".to_owned(),
                    age => format!(", scraped {} before", Duration(age)),
                });
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
                    self.notifier.fires(now);
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
            monitoring.next_scrape = now.saturating_add(settings.scrape.0);
        }
        if monitoring.next_evaluation == now {
            for (alert, event) in monitoring.evaluate(&model.alerts, now) {
                fire.extend((event.kind == Kind::Alert).then_some(alert));
                self.recorder.tell(event);
            }
            monitoring.next_evaluation = now.saturating_add(settings.evaluate.0);
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

    /// Alerts that fired so far, as far as a monitoring knew; none without a monitoring.
    pub fn firings(&self) -> &[Firing] {
        let monitoring = self.monitoring.as_ref();
        monitoring.map_or(&[], |monitoring| &monitoring.firings)
    }
}
