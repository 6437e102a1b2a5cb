//! Settings as the time line alone would have them, beside settings as they are.
//!
//! An entry of the time line was worked out beside the entries before it. What runbooks did, and a deployment that is
//! still under way or went back, it does not know. Such an entry changes what it names, and nothing else; where that was
//! not worked out, what differs from what was planned before it.

use super::Simulation;
use crate::model::{Action, Change, Edit, Model, Part, Parts};
use std::borrow::Cow;
use std::sync::Arc;

/// The system as the time line alone would have it, and as it is; servers as they are, are those of the fleet.
#[derive(Clone)]
pub(super) struct Reconcile {
    planned: Arc<Model>,
    present: Arc<Model>,
}

impl Reconcile {
    /// Where something may come between the entries of the time line.
    pub(super) fn new(model: &Arc<Model>) -> Option<Box<Self>> {
        let mut entries = model.timeline.iter();
        let deploys = entries.any(|entry| matches!(entry.action, Action::Deploy(_)));
        (deploys || !model.runbooks.is_empty()).then(|| {
            Box::new(Self {
                planned: Arc::clone(model),
                present: Arc::clone(model),
            })
        })
    }
}

impl Simulation {
    /// A part of the system as it is, where that can be other than planned.
    pub(super) fn present(&self, part: Part) -> Option<Change> {
        let reconcile = self.reconcile.as_ref()?;
        Some(match part {
            Part::Server(id) => Change::Server(id, Arc::clone(&self.fleet.cold[id].params)),
            part => reconcile.present.part(part),
        })
    }

    /// A part of the system is from now on so.
    pub(super) fn becomes(&mut self, change: &Change) {
        if let Some(reconcile) = &mut self.reconcile
            && !matches!(change, Change::Server(..))
        {
            change.apply(Arc::make_mut(&mut reconcile.present));
        }
    }

    /// What a change of the time line, or of whoever is at the controls, means beside what was not planned.
    pub(super) fn reconciled<'c>(
        &mut self,
        change: &'c Change,
        edit: Option<&Edit>,
    ) -> Cow<'c, Change> {
        let part = change.part();
        let (Some(now), Some(planned)) = (self.present(part), self.planned(part)) else {
            return Cow::Borrowed(change);
        };
        self.is_planned(change);
        let differs = || Edit::new(planned, change.clone()).on(&now);
        let after = edit.map_or_else(differs, |edit| edit.on(&now));
        self.becomes(&after);
        Cow::Owned(after)
    }

    /// A part becomes what an edit makes of it, if it is not so.
    pub(super) fn set_whatever_it_is(&mut self, edit: &Edit) {
        let Some(now) = self.present(edit.part()) else {
            return;
        };
        let after = edit.on(&now);
        if after != now {
            self.becomes(&after);
            self.change(&after);
        }
    }

    /// A part of the system as the time line alone would have it.
    pub(super) fn planned(&self, part: Part) -> Option<Change> {
        let reconcile = self.reconcile.as_ref()?;
        Some(reconcile.planned.part(part))
    }

    /// The time line alone would have a part so.
    pub(super) fn is_planned(&mut self, change: &Change) {
        if let Some(reconcile) = &mut self.reconcile {
            change.apply(Arc::make_mut(&mut reconcile.planned));
        }
    }
}
