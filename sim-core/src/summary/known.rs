//! What was known of alerts, beside what was true.
//!
//! A monitoring knows what it scraped. What was true is what the time line shows of each interval the moment it ends:
//! the same condition, over the same window, of servers that were really there.

use super::AlertFigures;
use crate::alert_rule::{Known, Watched};
use crate::engine::{Look, Simulation};
use crate::event_log::Kind;
use crate::ids::Id;
use crate::machine::MachineState;
use crate::metric::{MetricDef, Scope};
use crate::model::Alert;
use crate::record::history::History;
use crate::time::{Duration, Instant};
use std::cell::Cell;

/// Looks at what was true, at most, for one alert that fired; and intervals that are added up for all of them.
const LOOKS_MAX: usize = 20_000;
const INTERVALS_MAX: u64 = 3_000_000;

/// Alerts that fired and were resolved.
pub(super) fn alerts(simulation: &Simulation) -> Vec<AlertFigures> {
    let state = |kind: Kind| match kind {
        Kind::Alert => Some("firing"),
        kind if kind.ends(Kind::Alert) => Some("resolved"),
        _ => None,
    };
    let model = simulation.model();
    let mut firings = simulation.firings().iter().peekable();
    let left = Cell::new(INTERVALS_MAX);
    let event_log = simulation.recorder().event_log();
    let figures = event_log.filter_map(|event| {
        let mut figures = AlertFigures {
            name: event.subject.clone(),
            state: state(event.kind)?,
            at_s: event.at.as_secs_f64(),
            pending_at_s: None,
            true_at_s: None,
            scraped_at_s: None,
            paged_at_s: None,
        };
        // Both are in order of time, and of alerts at one moment.
        if event.kind == Kind::Alert
            && let Some(firing) = firings.next_if(|firing| {
                firing.at == event.at && model.alerts[firing.alert].name == event.subject
            })
        {
            let alert = &model.alerts[firing.alert];
            figures.pending_at_s = Some(firing.pending.as_secs_f64());
            figures.scraped_at_s = firing.as_of.map(Instant::as_secs_f64);
            figures.paged_at_s = firing.paged.map(Instant::as_secs_f64);
            figures.true_at_s = true_since(simulation, alert, firing.pending.0, &left);
        }
        Some(figures)
    });
    figures.collect()
}

/// An alert at a moment: what the monitoring knows of it, beside what is true.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AlertNow {
    /// The alert, by its position in the model.
    pub alert: usize,
    /// What its rule makes of what can be seen.
    pub known: Look,
    /// When the newest of that was scraped; absent where nothing was.
    pub as_of: Option<Instant>,
    /// What it would make of the same window up to this moment, if all were seen the moment it happens; absent where
    /// that is too long to be added up in passing.
    pub truth: Option<Look>,
}

impl AlertNow {
    /// Every alert at the moment of a simulation; none without a monitoring.
    pub fn all(simulation: &Simulation) -> Vec<Self> {
        let history = simulation.recorder().history();
        let model = simulation.model();
        let fresh = simulation.alert_looks_without_lag();
        let looks = simulation.alert_looks().into_iter().zip(&model.alerts);
        let now = |(i, ((known, as_of), alert)): (usize, ((Look, Option<Instant>), &Alert))| {
            let left = Cell::new(LOOKS_MAX as u64);
            let truth = if alert.watched == Watched::Expression {
                fresh.as_ref().map(|looks| looks[i].clone())
            } else {
                let (end, left) = (history.len(), &left);
                Some(Look::of(alert.judge(&True { history, end, left })))
            };
            Self {
                alert: i,
                known,
                as_of,
                truth: truth.filter(|_| left.get() > 0),
            }
        };
        looks.enumerate().map(now).collect()
    }
}

/// Since when an alert's condition was true when it was first seen, in seconds; `None` where the time line does
/// not show it, or too much of it was looked at already.
fn true_since(
    simulation: &Simulation,
    alert: &Alert,
    seen_ns: u64,
    left: &Cell<u64>,
) -> Option<f64> {
    let history = simulation.recorder().history();
    let settings = simulation.model().monitoring?;
    let width = history.interval_ns();
    let newest = (seen_ns / width) as usize;
    let holds = |end: usize| end > 0 && alert.judge(&True { history, end, left }).holds;
    // It may be over already when it is seen.
    let (_, back) = alert.rule.looks(alert.over);
    let late = settings.lag.0 + 2 * settings.scrape.0 + settings.evaluate.0;
    let late = (late.saturating_add(back.0) / width) as usize + 1;
    let newest = newest.min(history.len());
    let oldest = newest.saturating_sub(late.min(LOOKS_MAX));
    let mut first = (oldest..=newest).rev().find(|&end| holds(end))?;
    let mut looks = 0;
    while looks < LOOKS_MAX && holds(first - 1) {
        first -= 1;
        looks += 1;
    }
    (left.get() > 0).then(|| history.end_ns(first - 1) as f64 / 1e9)
}

/// What is true when so many intervals of the time line have ended.
struct True<'a> {
    history: &'a History,
    end: usize,
    /// Intervals that may still be added up.
    left: &'a Cell<u64>,
}

impl True<'_> {
    /// The intervals of a window that ends so long before.
    fn window(&self, over: Duration, back: Duration) -> Option<std::ops::Range<usize>> {
        let width = self.history.interval_ns();
        let end = self.end.checked_sub((back.0 / width) as usize)?;
        let len = over.0.div_ceil(width).max(1) as usize;
        let window = end.saturating_sub(len)..end;
        let left = self.left.get().saturating_sub(window.len() as u64);
        self.left.set(left);
        (end > 0 && left > 0).then_some(window)
    }
}

impl Known for True<'_> {
    fn value(
        &self,
        metric: &'static MetricDef,
        scope: Scope,
        over: Duration,
        back: Duration,
    ) -> Option<f64> {
        let window = self.window(over, back)?;
        if let Scope::Server(server) = scope {
            let at_end = self.history.server(window.end - 1, server.position())?;
            if at_end.state() != MachineState::Up {
                return None;
            }
        }
        (metric.of)(&self.history.total(scope, window).window())
    }

    fn objective(&self, slo: usize, over: Duration) -> Option<(u64, u64)> {
        let intervals = self.window(over, Duration::ZERO)?;
        let counts = intervals.map(|interval| self.history.slo(interval, slo));
        Some(counts.fold((0, 0), |(good, total), slo| {
            (good + u64::from(slo.good), total + u64::from(slo.total))
        }))
    }
}
