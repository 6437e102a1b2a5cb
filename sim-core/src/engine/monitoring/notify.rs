//! Who is told, and when: alerts put together as Alertmanager does.
//!
//! After Alertmanager 0.28, `dispatch/dispatch.go` (a group waits, is flushed, and from then on is looked at once an
//! interval) and `notify/notify.go`, `needsUpdate` (a flush notifies of alerts that are new, of alerts that are
//! resolved, and otherwise after the repeat interval). Which alerts are a group the scenario says (`group.by`); a group
//! of which all is resolved is over at once, where Alertmanager keeps it for up to half a minute.

use crate::model::{Alert, Grouping};

/// Who has been told of what.
#[derive(Clone)]
pub(super) struct Notifier {
    grouping: Option<Grouping>,
    /// Of each alert its group.
    group_of: Vec<usize>,
    /// Which fired at the last notification.
    told: Vec<bool>,
    groups: Vec<Group>,
}

/// A group of alerts.
#[derive(Clone, Copy, Default)]
struct Group {
    last_sent: u64,
    /// When it is looked at next.
    next: Option<u64>,
}

impl Notifier {
    pub(super) fn new(grouping: Option<Grouping>, alerts: &[Alert]) -> Self {
        Self::of(grouping, alerts.iter().map(|alert| alert.group).collect())
    }

    fn of(grouping: Option<Grouping>, group_of: Vec<usize>) -> Self {
        let groups = group_of.iter().max().map_or(0, |last| last + 1);
        Self {
            grouping,
            told: vec![false; group_of.len()],
            group_of,
            groups: vec![Group::default(); groups],
        }
    }

    /// When a group is to be looked at.
    pub(super) fn next(&self) -> Option<u64> {
        self.groups.iter().filter_map(|group| group.next).min()
    }

    /// An alert begins to fire.
    pub(super) fn fires(&mut self, alert: usize, now: u64) {
        let wait = self.grouping.map_or(0, |grouping| grouping.wait.0);
        let group = &mut self.groups[self.group_of[alert]];
        group.next.get_or_insert(now.saturating_add(wait));
    }

    /// Looks whether somebody is to be told; the alerts of a notification that say something new, or all of one that is
    /// sent again.
    pub(super) fn look(&mut self, now: u64, firing: &[bool]) -> Vec<usize> {
        let mut pages = Vec::new();
        for group in 0..self.groups.len() {
            if self.groups[group].next.is_some_and(|next| next <= now) {
                self.look_at(group, now, firing, &mut pages);
            }
        }
        if self.grouping.is_none() {
            // What is resolved may fire anew.
            self.told.copy_from_slice(firing);
        }
        pages
    }

    fn look_at(&mut self, group: usize, now: u64, firing: &[bool], pages: &mut Vec<usize>) {
        let own = || (0..firing.len()).filter(|i| self.group_of[*i] == group);
        let fires = || own().filter(|i| firing[*i]);
        let new: Vec<usize> = fires().filter(|i| !self.told[*i]).collect();
        let resolved = own().any(|i| self.told[i] && !firing[i]);
        let goes_on = fires().next().is_some();
        let state = &mut self.groups[group];
        let Some(grouping) = self.grouping else {
            state.next = None;
            pages.extend(new);
            return;
        };
        let again = state.last_sent.saturating_add(grouping.repeat.0) < now;
        let first = pages.len();
        if new.is_empty() && !resolved && again {
            pages.extend((0..firing.len()).filter(|i| self.group_of[*i] == group && firing[*i]));
        } else {
            pages.extend(new);
        }
        if pages.len() > first || resolved {
            state.last_sent = now;
            for (i, told) in self.told.iter_mut().enumerate() {
                if self.group_of[i] == group {
                    *told = firing[i];
                }
            }
        }
        state.next = goes_on.then(|| now.saturating_add(grouping.interval.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Duration;

    fn s(seconds: u64) -> Duration {
        Duration(seconds * 1_000_000_000)
    }

    #[test]
    fn a_group_waits_then_looks_once_an_interval_and_repeats_at_the_look_after_that() {
        let group = Grouping {
            wait: s(30),
            interval: s(300),
            repeat: s(600),
        };
        let mut notifier = Notifier::of(Some(group), vec![0, 0]);
        notifier.fires(0, s(10).0);
        assert_eq!(notifier.next(), Some(s(40).0));
        assert!(notifier.look(s(39).0, &[true, false]).is_empty());
        assert_eq!(notifier.look(s(40).0, &[true, false]), [0]);
        // The second alert waits for the next look, for all that it fires at once.
        notifier.fires(1, s(50).0);
        assert!(notifier.look(s(50).0, &[true, true]).is_empty());
        assert_eq!(notifier.look(s(340).0, &[true, true]), [1]);
        assert!(notifier.look(s(640).0, &[true, true]).is_empty());
        // Ten minutes after 340 s is 940 s, and not more than ten minutes: it is the look after that.
        assert!(notifier.look(s(940).0, &[true, true]).is_empty());
        assert_eq!(notifier.look(s(1240).0, &[true, true]), [0, 1]);
        assert!(notifier.look(s(1540).0, &[false, false]).is_empty());
        assert_eq!(notifier.next(), None);
        notifier.fires(0, s(1600).0);
        assert_eq!(notifier.next(), Some(s(1630).0));
    }

    #[test]
    fn without_a_group_each_alert_notifies_at_once_and_once() {
        let mut notifier = Notifier::of(None, vec![0, 0]);
        notifier.fires(1, 7);
        assert_eq!(notifier.look(7, &[false, true]), [1]);
        notifier.fires(0, 8);
        assert_eq!(notifier.look(8, &[true, true]), [0]);
        assert!(notifier.look(9, &[true, false]).is_empty());
        notifier.fires(1, 10);
        assert_eq!(notifier.look(10, &[true, true]), [1]);
    }

    #[test]
    fn what_is_resolved_before_anybody_looks_is_never_told() {
        let group = Grouping {
            wait: s(30),
            interval: s(300),
            repeat: s(600),
        };
        let mut notifier = Notifier::of(Some(group), vec![0]);
        notifier.fires(0, 0);
        assert!(notifier.look(s(30).0, &[false]).is_empty());
        assert_eq!(notifier.next(), None);
    }

    #[test]
    fn each_group_waits_and_is_looked_at_by_itself() {
        let group = Grouping {
            wait: s(30),
            interval: s(300),
            repeat: s(600),
        };
        let mut notifier = Notifier::of(Some(group), vec![0, 1, 0]);
        notifier.fires(0, s(10).0);
        notifier.fires(1, s(20).0);
        notifier.fires(2, s(35).0);
        assert_eq!(notifier.look(s(40).0, &[true, true, true]), [0, 2]);
        assert_eq!(notifier.next(), Some(s(50).0));
        assert_eq!(notifier.look(s(50).0, &[true, true, true]), [1]);
        // One group is over, which does not end the other.
        assert!(notifier.look(s(340).0, &[false, true, false]).is_empty());
        assert_eq!(notifier.next(), Some(s(350).0));
    }
}
