//! What two futures tell, in one list.

use super::{View, event_words};
use sim_core::event_log::{Event, Kind};
use std::sync::Arc;

/// An event of the log, and whose it is.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    /// What happened.
    pub event: &'a Arc<Event>,
    /// The future in which it happens; `None` where it happens in all that are shown.
    pub branch: Option<usize>,
    /// Whether it comes after the moment shown.
    pub ahead: bool,
    /// Whether it is an alert that ends while the site is down: for want of answers, and no good news.
    pub hollow: bool,
}

impl Told<'_> {
    /// What happened, in few words.
    pub fn words(&self) -> String {
        let words = event_words(self.event);
        if self.hollow {
            format!("{words}, though the site is down")
        } else {
            words
        }
    }
}

/// The events of a future, in order.
pub fn told<'a>(events: &'a [Arc<Event>], view: &View) -> Vec<Told<'a>> {
    let mut site = Kind::Normal;
    let one = |(number, event): (usize, &'a Arc<Event>)| {
        if event.kind.site_state().is_some() {
            site = event.kind;
        }
        Told {
            event,
            branch: Some(view.branch),
            ahead: number >= view.event_log_len,
            hollow: site == Kind::Down && event.kind.ends(Kind::Alert),
        }
    };
    events.iter().enumerate().map(one).collect()
}

/// The events of two futures in the order of time; what happens in both at the same moment is told once.
pub fn told_of_both<'a>(a: Vec<Told<'a>>, b: Vec<Told<'a>>) -> Vec<Told<'a>> {
    let mut all: Vec<Told<'a>> = Vec::with_capacity(a.len() + b.len());
    let mut rest = b.into_iter().peekable();
    for mut one in a {
        while let Some(other) = rest.next_if(|other| other.event.at < one.event.at) {
            all.push(other);
        }
        if rest.next_if(|other| other.event == one.event).is_some() {
            one.branch = None;
        }
        all.push(one);
    }
    all.extend(rest);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::model::Actor;
    use sim_core::time::Instant;

    fn event(at: u64, kind: Kind, subject: &str) -> Arc<Event> {
        Arc::new(Event {
            at: Instant(at),
            kind,
            by: Actor::System,
            subject: subject.to_owned(),
            server: None,
            cause: String::new(),
        })
    }

    fn all(events: &[Arc<Event>], branch: usize) -> Vec<Told<'_>> {
        let one = |event| Told {
            event,
            branch: Some(branch),
            ahead: false,
            hollow: false,
        };
        events.iter().map(one).collect()
    }

    #[test]
    fn what_happens_in_both_is_told_once_and_the_rest_in_order() {
        let a = [
            event(1, Kind::Degraded, "site"),
            event(5, Kind::Crash, "web-1"),
            event(9, Kind::Down, "site"),
        ];
        let b = [
            event(1, Kind::Degraded, "site"),
            event(3, Kind::Set, "weight"),
            event(7, Kind::Normal, "site"),
        ];
        let told = told_of_both(all(&a, 0), all(&b, 1));
        let told: Vec<_> = told.iter().map(|t| (t.event.at.0, t.branch)).collect();
        let expected = [
            (1, None),
            (3, Some(1)),
            (5, Some(0)),
            (7, Some(1)),
            (9, Some(0)),
        ];
        assert_eq!(told, expected);
    }
}
