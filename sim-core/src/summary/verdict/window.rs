//! The end of a run: which intervals of its time line are looked at.

use crate::record::history::History;
use std::ops::Range;

/// The end of a run is what is seen in so many seconds, as it is for the state of the site.
pub(super) const WINDOW_S: f64 = 30.0;
/// With fewer arrivals than this the end is taken to be longer, up to a tenth of the run.
pub(super) const ARRIVALS: u64 = 100;
/// Fewest intervals that say anything of a run in which nothing changed.
pub(super) const INTERVALS: usize = 5;
/// Requests that the end must have seen to be shorter than it would be; more where it is shorter than
/// [`INTERVALS`].
const FEW: u64 = 10;
const FEW_AT_ONCE: u64 = 20;

/// The intervals that are the end of the run: half a minute, more where little comes, less where
/// something changed meanwhile.
pub(super) fn window(history: &History, changed_s: impl Iterator<Item = f64>) -> Range<usize> {
    let len = history.len();
    let width_s = history.interval_ns() as f64 / 1e9;
    // A corner that is a nanosecond after another is where that is.
    let count = |s: f64| (s / width_s - 1e-6).ceil() as usize;
    let longest = count(WINDOW_S).max(len / 10).max(INTERVALS).min(len);
    let mut start = len - count(WINDOW_S).max(INTERVALS).min(longest);
    let arrived = |i: usize| {
        history
            .flows()
            .map(|f| u64::from(history.flow(i, f).arrived))
            .sum::<u64>()
    };
    let mut seen: u64 = (start..len).map(arrived).sum();
    while seen < ARRIVALS && start > len - longest {
        start -= 1;
        seen += arrived(start);
    }
    // The latest change after which enough was seen. Where many came just before it, that none comes any
    // more was seen, too.
    let seen_since = |changed: &usize| {
        let whole = len.saturating_sub(*changed);
        let enough = match whole {
            0 => return false,
            INTERVALS.. => FEW,
            _ => FEW_AT_ONCE,
        };
        let after: u64 = (*changed..len).map(arrived).sum();
        let before = || -> u64 { (changed.saturating_sub(whole)..*changed).map(arrived).sum() };
        after >= enough || before() >= enough
    };
    let changed = changed_s.map(count).filter(|&changed| changed > start);
    changed.filter(seen_since).max().unwrap_or(start)..len
}

pub(super) fn span_s(history: &History, window: &Range<usize>) -> f64 {
    window.clone().map(|i| history.width_ns(i)).sum::<u64>() as f64 / 1e9
}
