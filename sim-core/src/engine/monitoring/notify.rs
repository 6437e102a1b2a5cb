//! Who is told, and when: alerts put together as Alertmanager does.
//!
//! After Alertmanager 0.28, `dispatch/dispatch.go` (a group waits, is flushed, and from then on is looked at once an
//! interval) and `notify/notify.go`, `needsUpdate` (a flush notifies of alerts that are new, of alerts that are
//! resolved, and otherwise after the repeat interval). All alerts are one group, as there without `group_by`; a group
//! of which all is resolved is over at once, where Alertmanager keeps it for up to half a minute.

use crate::model::Grouping;

/// A group of alerts.
#[derive(Clone)]
pub(super) struct Notifier {
    group: Option<Grouping>,
    /// Which fired at the last notification.
    told: Vec<bool>,
    last_sent: u64,
    /// When it is looked at next.
    next: Option<u64>,
}

impl Notifier {
    pub(super) fn new(group: Option<Grouping>, alerts: usize) -> Self {
        Self {
            group,
            told: vec![false; alerts],
            last_sent: 0,
            next: None,
        }
    }

    /// When the group is to be looked at.
    pub(super) fn next(&self) -> Option<u64> {
        self.next
    }

    /// An alert begins to fire.
    pub(super) fn fires(&mut self, now: u64) {
        let wait = self.group.map_or(0, |group| group.wait.0);
        self.next.get_or_insert(now.saturating_add(wait));
    }

    /// Looks whether somebody is to be told; the alerts of a notification that say something new, or all of one that is
    /// sent again.
    pub(super) fn look(&mut self, now: u64, firing: &[bool]) -> Vec<usize> {
        if self.next.is_none_or(|next| next > now) {
            if self.group.is_none() {
                // What is resolved may fire anew.
                self.told.copy_from_slice(firing);
            }
            return Vec::new();
        }
        let fires = |i: &usize| firing[*i];
        let all = || (0..firing.len()).filter(fires);
        let new: Vec<usize> = all().filter(|i| !self.told[*i]).collect();
        let Some(group) = self.group else {
            self.next = None;
            self.told.copy_from_slice(firing);
            return new;
        };
        let resolved = (0..firing.len()).any(|i| self.told[i] && !firing[i]);
        let again = self.last_sent.saturating_add(group.repeat.0) < now;
        let pages = if new.is_empty() && !resolved && again {
            all().collect()
        } else {
            new
        };
        if !pages.is_empty() || resolved {
            self.last_sent = now;
            self.told.copy_from_slice(firing);
        }
        let goes_on = firing.iter().any(|fires| *fires);
        self.next = goes_on.then(|| now.saturating_add(group.interval.0));
        pages
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
        let mut notifier = Notifier::new(Some(group), 2);
        notifier.fires(s(10).0);
        assert_eq!(notifier.next(), Some(s(40).0));
        assert!(notifier.look(s(39).0, &[true, false]).is_empty());
        assert_eq!(notifier.look(s(40).0, &[true, false]), [0]);
        // The second alert waits for the next look, for all that it fires at once.
        notifier.fires(s(50).0);
        assert!(notifier.look(s(50).0, &[true, true]).is_empty());
        assert_eq!(notifier.look(s(340).0, &[true, true]), [1]);
        assert!(notifier.look(s(640).0, &[true, true]).is_empty());
        // Ten minutes after 340 s is 940 s, and not more than ten minutes: it is the look after that.
        assert!(notifier.look(s(940).0, &[true, true]).is_empty());
        assert_eq!(notifier.look(s(1240).0, &[true, true]), [0, 1]);
        assert!(notifier.look(s(1540).0, &[false, false]).is_empty());
        assert_eq!(notifier.next(), None);
        notifier.fires(s(1600).0);
        assert_eq!(notifier.next(), Some(s(1630).0));
    }

    #[test]
    fn without_a_group_each_alert_notifies_at_once_and_once() {
        let mut notifier = Notifier::new(None, 2);
        notifier.fires(7);
        assert_eq!(notifier.look(7, &[false, true]), [1]);
        notifier.fires(8);
        assert_eq!(notifier.look(8, &[true, true]), [0]);
        assert!(notifier.look(9, &[true, false]).is_empty());
        notifier.fires(10);
        assert_eq!(notifier.look(10, &[true, true]), [1]);
    }

    #[test]
    fn what_is_resolved_before_anybody_looks_is_never_told() {
        let group = Grouping {
            wait: s(30),
            interval: s(300),
            repeat: s(600),
        };
        let mut notifier = Notifier::new(Some(group), 1);
        notifier.fires(0);
        assert!(notifier.look(s(30).0, &[false]).is_empty());
        assert_eq!(notifier.next(), None);
    }
}
