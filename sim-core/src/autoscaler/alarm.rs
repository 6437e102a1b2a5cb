//! What the autoscalers of providers have in common: alarms that look at a mean over servers, period by period.

use super::{MemberState, Reading, Seen, Timing, Wish};
use crate::extension::Params;
use crate::time::{Duration, Instant};

/// Servers are measured over periods, at whose ends alarms look.
pub(super) fn timing(params: &Params) -> Timing {
    Timing {
        period: params.span("period"),
        interval: params.span("period"),
        lag: params.span("lag"),
    }
}

/// What is to be done where there are fewer or more servers than allowed.
pub(super) fn back_within(current: u32, min: u32, max: u32) -> Option<Wish> {
    let (servers, word) = match current {
        _ if current < min => (min, "least"),
        _ if current > max => (max, "most"),
        _ => return None,
    };
    let why = format!("at {word} {servers}");
    Some(Wish { servers, why })
}

/// Whether a server started so long ago.
pub(super) fn is_warm(seen: &Seen<'_>, started: Option<Instant>, warm_up: Duration) -> bool {
    started.is_none_or(|started| seen.now.since(started) >= warm_up)
}

/// The servers that count, with their workers: ready, warm and measured.
pub(super) fn counted(seen: &Seen<'_>, warm_up: Duration) -> Vec<(u32, Reading)> {
    let ready = seen
        .members
        .iter()
        .filter(|member| member.state == MemberState::Ready);
    ready
        .filter(|member| is_warm(seen, member.started, warm_up))
        .filter_map(|member| Some((member.workers, member.reading?)))
        .collect()
}

/// The mean over servers: of busy workers as a share of all, or of requests per second and server.
pub(super) fn mean(counted: &[(u32, Reading)], utilisation: bool) -> f64 {
    let sum = |of: fn(&(u32, Reading)) -> u64| counted.iter().map(of).sum::<u64>() as f64;
    if utilisation {
        sum(|(_, reading)| reading.busy_milli) / sum(|(workers, _)| u64::from(*workers) * 1000)
    } else {
        sum(|(_, reading)| reading.requests_milli_hz) / 1000.0 / counted.len() as f64
    }
}

/// So many periods in a row.
pub(super) fn in_a_row(holds: bool, before: u64) -> u64 {
    if holds { before + 1 } else { 0 }
}

/// The mean in words.
pub(super) fn words(mean: f64, utilisation: bool) -> String {
    if utilisation {
        format!("utilisation {:.0} %", mean * 100.0)
    } else {
        format!("{mean:.1} requests/s a server")
    }
}
