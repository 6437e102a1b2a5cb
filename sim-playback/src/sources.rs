//! What each source sends.
//!
//! What comes from outside is counted by service and class. Of sources of which no two ask the same service for the same
//! class that says all; where several do, what is counted is divided among them as their planned rates are.

use super::series::SOURCE;
use sim_core::arrival::Arrivals;
use sim_core::ids::{ClassId, ServiceId};
use sim_core::model::{Action, Change, Model, Source};
use sim_core::outcome::Outcome;
use sim_core::record::history::History;
use sim_core::time::Instant;
use std::ops::Range;

/// Sources that have figures of their own over time.
const SOURCES_MAX: usize = 64;

/// How what comes is told apart by sources.
#[derive(Clone, Debug)]
pub struct Sources(Vec<Vec<Part>>);

/// What a source asks a service for: requests of a class.
#[derive(Clone, Debug)]
struct Part {
    to: ServiceId,
    class: ClassId,
    /// Other sources that ask for the same.
    others: Vec<usize>,
}

impl Sources {
    /// Those of a model.
    pub fn of(model: &Model) -> Self {
        // A time line that brings a class later counts as well.
        let asks = |source: usize, class: usize| {
            let mut each = as_planned(model, source);
            each.any(|source| source.share(class) > 0.0)
        };
        let count = model.sources.len().min(SOURCES_MAX);
        let parts = |(number, source): (usize, &Source)| {
            let classes = (0..source.mix.len()).filter(|class| asks(number, *class));
            let part = |class: usize| {
                let others = model.sources.iter().enumerate();
                let others = others
                    .filter(|(i, other)| *i != number && other.to == source.to && asks(*i, class))
                    .map(|(i, _)| i);
                Part {
                    to: source.to,
                    class: ClassId(class as u16),
                    others: others.collect(),
                }
            };
            classes.map(part).collect()
        };
        let sources = model.sources.iter().enumerate().take(count);
        Self(sources.map(parts).collect())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether what is said of one is an estimate.
    pub fn is_estimated(&self, source: usize) -> bool {
        let parts = self.0.get(source);
        parts.is_some_and(|parts| parts.iter().any(|part| !part.others.is_empty()))
    }

    /// What each did in some intervals, source by source, in the order of [`super::series::SOURCE`].
    pub fn row<'a>(
        &'a self,
        model: &'a Model,
        history: &'a History,
        range: Range<usize>,
    ) -> impl Iterator<Item = f64> + 'a {
        let middle = Instant((range.start + range.end) as u64 * history.interval_ns() / 2);
        let of = move |(number, parts): (usize, &Vec<Part>)| {
            let mut counts = [0.0; SOURCE.len()];
            for part in parts {
                let own = part.own(model, number, middle);
                for interval in range.clone() {
                    let flow = history.from_outside(interval, part.to, part.class);
                    let succeeded = flow.outcomes[Outcome::Succeeded as usize];
                    let ended: u32 = flow.outcomes.iter().sum();
                    let shed = flow.outcomes[Outcome::Shed as usize];
                    let each = [
                        flow.arrived,
                        flow.attempts,
                        succeeded,
                        ended - succeeded,
                        shed,
                    ];
                    for (count, one) in counts.iter_mut().zip(each) {
                        *count += f64::from(one) * own;
                    }
                }
            }
            counts
        };
        self.0.iter().enumerate().flat_map(of)
    }
}

impl Part {
    /// The share of it that a source has at a moment.
    fn own(&self, model: &Model, source: usize, at: Instant) -> f64 {
        if self.others.is_empty() {
            return 1.0;
        }
        let planned = |source: usize| {
            let now = source_at(model, source, at);
            planned_hz(now, at) * now.share(usize::from(self.class.0))
        };
        let own = planned(source);
        let all: f64 = own + self.others.iter().map(|other| planned(*other)).sum::<f64>();
        if all > 0.0 {
            own / all
        } else {
            1.0 / (self.others.len() + 1) as f64
        }
    }
}

/// A source as the time line has made it by a moment.
pub fn source_at(model: &Model, source: usize, at: Instant) -> &Source {
    let mut by_then = changes_of(model, source).filter(|(changed, _)| *changed <= at);
    let last = by_then.next_back();
    last.map_or(&model.sources[source], |(_, now)| now)
}

/// A source as it begins, and as the time line makes it.
fn as_planned(model: &Model, source: usize) -> impl Iterator<Item = &Source> {
    let later = changes_of(model, source).map(|(_, now)| now);
    std::iter::once(&model.sources[source]).chain(later)
}

/// What the time line makes of a source, and when.
fn changes_of(model: &Model, source: usize) -> impl DoubleEndedIterator<Item = (Instant, &Source)> {
    let sets = model
        .timeline
        .iter()
        .filter_map(|entry| match &entry.action {
            Action::Set { changes, .. } => Some((entry.at, changes)),
            _ => None,
        });
    sets.flat_map(move |(at, changes)| {
        changes.iter().filter_map(move |change| match change {
            Change::Source(id, now) if usize::from(id.0) == source => Some((at, &**now)),
            _ => None,
        })
    })
}

/// Requests per second that a source would send: of users who ask one thing after another, as if answers took no time.
fn planned_hz(source: &Source, at: Instant) -> f64 {
    match source.arrivals.build() {
        Arrivals::Closed { users, think, .. } => {
            f64::from(users) / (think.mean_ns() * 1e-9).max(1e-3)
        }
        _ => source.rate.at(at),
    }
}
