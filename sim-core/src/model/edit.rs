//! Changes of settings that leave alone what they do not name.
//!
//! A [`Change`] replaces a whole part of the system, as it is after an entry of the time line. What people do when they are
//! woken comes at a time of its own, between entries that did not know of it, so that neither may undo the other. An
//! [`Edit`] therefore has a part before and after, in each state that it may be found in. In one of these states the part
//! becomes what it is after it there. In any other, what differs is changed, setting by setting, down to the keys of
//! tables and the parameters of rows; the last one who changes a setting wins.

use super::settings::{Cases, merged};
use super::{Change, Part};

/// A change of one part of the system.
#[derive(Clone, PartialEq, Debug)]
pub struct Edit {
    /// The part before and after, in each state that it may be found in: one or more. Of two that fit, the last counts.
    cases: Vec<(Change, Change)>,
}

impl Edit {
    /// One that is known in one state.
    pub fn new(before: Change, after: Change) -> Self {
        Self {
            cases: vec![(before, after)],
        }
    }

    /// It is known in a further state of the same part.
    pub(crate) fn or(&mut self, before: Change, after: Change) {
        let last = self.cases.last();
        // States of which most differ elsewhere follow one another.
        if last.is_none_or(|(b, a)| *b != before || *a != after) {
            self.cases.push((before, after));
        }
    }

    /// The part that it changes.
    pub fn part(&self) -> Part {
        self.cases[0].0.part()
    }

    /// The one of a part among edits of different parts, which ascend by these.
    pub(crate) fn among(edits: &[Self], part: Part) -> Option<&Self> {
        let found = edits.binary_search_by_key(&part, Self::part);
        found.ok().map(|place| &edits[place])
    }

    /// The same change taken back.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self {
            cases: self.cases.into_iter().map(|(b, a)| (a, b)).collect(),
        }
    }

    /// The part as it is after this change, given what it is now.
    pub fn on(&self, now: &Change) -> Change {
        macro_rules! part {
            ($kind:ident, $now:expr) => {
                merged(
                    $now,
                    &self.each(|change| match change {
                        Change::$kind(_, it) => Some(it),
                        _ => None,
                    }),
                )
            };
        }
        match now {
            Change::Server(id, now) => Change::Server(*id, part!(Server, now)),
            Change::Balancer(id, now) => Change::Balancer(*id, part!(Balancer, now)),
            Change::Service(id, now) => {
                let mut service = part!(Service, now);
                // That is a part by itself.
                service.balancer.clone_from(&now.balancer);
                Change::Service(*id, service)
            }
            Change::Client(id, now) => Change::Client(*id, part!(Client, now)),
            Change::Source(id, now) => Change::Source(*id, part!(Source, now)),
            Change::Class(id, now) => Change::Class(*id, part!(Class, now)),
            Change::Host(id, now) => Change::Host(*id, part!(Host, now)),
        }
    }

    fn each<'a, T>(&'a self, of: fn(&'a Change) -> Option<&'a T>) -> Cases<'a, T> {
        let both = |(before, after): &'a (Change, Change)| Some((of(before)?, of(after)?));
        self.cases.iter().filter_map(both).collect()
    }
}
