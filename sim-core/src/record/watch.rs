//! Alerts: conditions on sliding windows, as they are seen where nothing is said of a monitoring: each
//! interval the moment it ends.

use super::history::History;
use super::total::Total;
use crate::event_log::{Event, Kind};
use crate::metric::{Condition, Unit};
use crate::model::{Actor, Alert};
use crate::time::{Duration, Instant};
use sim_alert::State;

/// An alert and its window.
#[derive(Clone, Debug)]
pub(super) struct AlertWatch {
    /// Its position in the model.
    number: usize,
    alert: Alert,
    when: Condition,
    window: Total,
    /// Length of the window in intervals.
    len: usize,
    since: Option<u64>,
    firing: bool,
}

impl AlertWatch {
    /// `None` where it does not watch a condition: such alerts are evaluated by a monitoring.
    pub(super) fn new(number: usize, alert: &Alert, interval_ns: u64) -> Option<Self> {
        let when = alert.condition()?.clone();
        let len = alert.over.0.div_ceil(interval_ns).max(1) as usize;
        Some(Self {
            number,
            alert: alert.clone(),
            window: Total::new(when.scope),
            when,
            len,
            since: None,
            firing: false,
        })
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// How it stands.
    pub(super) fn state(&self) -> State {
        state(self.firing, self.since.is_some())
    }

    /// Looks at the interval that has just closed.
    pub(super) fn look(&mut self, history: &History, now: u64, told: &mut Vec<Event>) {
        let newest = history.len() - 1;
        self.window.add(history, newest);
        if newest >= self.len {
            self.window.remove(history, newest - self.len);
        }
        // Nothing to measure says nothing: the alert stays as it is.
        let Some(value) = (self.when.metric.of)(&self.window.window()) else {
            return;
        };
        if !self.when.comparison.holds(value, self.when.threshold) {
            self.since = None;
            if std::mem::replace(&mut self.firing, false) {
                told.push(self.event(now, Kind::Resolved, value));
            }
            return;
        }
        let since = *self.since.get_or_insert(now);
        if !self.firing && now - since >= self.alert.hold.0 {
            self.firing = true;
            told.push(self.event(now, Kind::Alert, value));
        }
    }

    fn event(&self, now: u64, kind: Kind, value: f64) -> Event {
        let value = show(value, self.when.metric.unit);
        let cause = format!("{} (now {value})", self.alert.text);
        Event {
            at: Instant(now),
            kind,
            by: Actor::System,
            subject: self.alert.name.clone(),
            server: None,
            cause,
        }
    }
}

/// How an alert stands that fires, or whose condition has held for a while.
pub(crate) fn state(firing: bool, holds: bool) -> State {
    match (firing, holds) {
        (true, _) => State::Firing,
        (false, true) => State::Pending,
        (false, false) => State::Inactive,
    }
}

/// A metric's value for people: two or three digits and a unit.
pub(crate) fn show(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Time => show_time(value),
        Unit::Ratio => format!("{:.1} %", value * 100.0),
        Unit::Hertz => format!("{value:.0}/s"),
        Unit::Count => {
            if value.fract() == 0.0 {
                format!("{value:.0}")
            } else {
                format!("{value:.2}")
            }
        }
    }
}

fn show_time(ns: f64) -> String {
    if ns >= 100e9 {
        let span = Duration::from_nanos_f64(ns);
        Duration(span.0 / 1_000_000_000 * 1_000_000_000).to_string()
    } else if ns >= 1e9 {
        format!("{:.1} s", ns / 1e9)
    } else if ns >= 1e6 {
        format!("{:.0} ms", ns / 1e6)
    } else {
        format!("{:.0} µs", ns / 1e3)
    }
}
