//! How alerts stood over time, for lanes.

use super::BranchReport;
use sim_core::record::{ALERT_CHANGES_MAX, AlertChange, AlertState as State};
use sim_core::time::Instant;

/// A stretch in which an alert was pending or firing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stood {
    /// Since when.
    pub from: Instant,
    /// Until when, or until the end of what may be seen.
    pub until: Instant,
    /// Pending or firing.
    pub state: State,
}

/// How an alert stood until a moment; with `None` how the worst of all did.
pub fn stood(branch: &BranchReport, alert: Option<usize>, until: Instant) -> Vec<Stood> {
    stretches(&branch.alerts, branch.model.alerts.len(), alert, until)
}

fn stretches(
    changes: &[AlertChange],
    alerts: usize,
    alert: Option<usize>,
    until: Instant,
) -> Vec<Stood> {
    let full = changes.len() >= ALERT_CHANGES_MAX;
    // What came after the last change that was kept is not known.
    let until = changes
        .last()
        .filter(|_| full)
        .map_or(until, |last| last.at.min(until));
    let mut each = vec![State::Inactive; alerts];
    // How many are inactive, pending, firing.
    let mut counts = [alerts, 0, 0];
    let mut found: Vec<Stood> = Vec::new();
    let mut open: Option<(Instant, State)> = None;
    let mut close = |open: &mut Option<(Instant, State)>, at: Instant| {
        let ended = open.take().filter(|(from, _)| *from < at);
        found.extend(ended.map(|(from, state)| Stood {
            from,
            until: at,
            state,
        }));
    };
    let seen = changes.iter().take_while(|change| change.at <= until);
    for change in seen.filter(|change| alert.is_none_or(|alert| alert == change.alert)) {
        let before = std::mem::replace(&mut each[change.alert], change.to);
        counts[before as usize] -= 1;
        counts[change.to as usize] += 1;
        let worst = match counts {
            [_, 0, 0] => State::Inactive,
            [_, _, 0] => State::Pending,
            _ => State::Firing,
        };
        if open.map_or(State::Inactive, |(_, state)| state) != worst {
            close(&mut open, change.at);
            open = (worst != State::Inactive).then_some((change.at, worst));
        }
    }
    close(&mut open, until);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alert_is_told_by_itself_and_all_by_the_worst() {
        let change = |at, alert, to| AlertChange {
            at: Instant(at),
            alert,
            to,
        };
        let changes = [
            change(10, 0, State::Pending),
            change(20, 1, State::Pending),
            change(30, 0, State::Firing),
            change(40, 1, State::Inactive),
            change(50, 0, State::Inactive),
            change(60, 1, State::Firing),
        ];
        let told = |alert, until| -> Vec<(u64, u64, State)> {
            let found = stretches(&changes, 2, alert, Instant(until));
            found
                .iter()
                .map(|s| (s.from.0, s.until.0, s.state))
                .collect()
        };
        let first = [(10, 30, State::Pending), (30, 50, State::Firing)];
        assert_eq!(told(Some(0), 100), first);
        assert_eq!(told(Some(0), 25), [(10, 25, State::Pending)]);
        let second = [(20, 40, State::Pending), (60, 100, State::Firing)];
        assert_eq!(told(Some(1), 100), second);
        let all = [first[0], first[1], (60, 70, State::Firing)];
        assert_eq!(told(None, 70), all);
        assert!(told(None, 5).is_empty());
    }
}
