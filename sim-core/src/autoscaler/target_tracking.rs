//! Target tracking, as cloud providers have it for virtual machines.
//!
//! Two alarms watch the mean over the servers that have warmed up: one is above the target for some
//! periods in a row, the other well below it for many more. While the first stands, there are to be so
//! many servers that the mean would meet the target; servers that still warm up are no part of the mean,
//! and are part of what there is, so that they are not asked for twice. While the second stands and
//! nobody warms up, servers are taken away by the same sum.
//!
//! The alarms (3 periods of a minute above, 15 below 90 % of the target) are those that AWS makes for such a policy. How
//! it takes servers away, "more gradually", is not published.

use super::alarm;
use super::{Autoscaler, AutoscalerDef, MAX, METRIC, MIN, Seen, Wish};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, Params};
use crate::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

pub(super) static AUTOSCALER: AutoscalerDef = AutoscalerDef {
    row: ExtensionRow {
        name: "target-tracking",
        about: "Keeps the mean of a metric at a target, by two alarms over several periods, and waits for new servers to warm up.",
        source: "Amazon EC2 Auto Scaling User Guide, Target tracking scaling policies",
        params: &[
            MIN,
            MAX,
            METRIC,
            ParamDef {
                name: "target",
                about: "What the mean over the servers is to be: a share, or requests per second.",
                kind: ParamKind::Number {
                    min: 0.01,
                    max: 1e6,
                    unit: "",
                },
                default: None,
            },
            ParamDef::span(
                "period",
                SECOND,
                "1m",
                "Servers are measured over periods of this length, and the alarms look at the end of each.",
            ),
            ParamDef::span(
                "lag",
                Duration::ZERO,
                "0s",
                "How long after the end of a period its reading is known.",
            ),
            ParamDef::count(
                "above",
                (1, 1440),
                "periods",
                "3",
                "So many periods in a row above the target, and servers are added.",
            ),
            ParamDef::count(
                "below",
                (1, 1440),
                "periods",
                "15",
                "So many periods in a row below, and servers are taken away.",
            ),
            ParamDef::number(
                "margin",
                (0.0, 1.0),
                "",
                "0.9",
                "Below is what is less than this share of the target.",
            ),
            ParamDef::span(
                "warm_up",
                Duration::ZERO,
                "5m",
                "So long after its start a server is no part of the mean, and nothing is taken away.",
            ),
            ParamDef::flag(
                "keep",
                "Whether servers are never taken away (`DisableScaleIn`).",
            ),
        ],
    },
    timing: alarm::timing,
    build: |params| {
        Box::new(TargetTracking {
            settings: Settings::of(params),
            above: 0,
            below: 0,
        })
    },
    check: |_| Ok(()),
};

#[derive(Clone, Debug)]
struct TargetTracking {
    settings: Settings,
    /// Periods in a row.
    above: u64,
    below: u64,
}

#[derive(Clone, Debug)]
struct Settings {
    min: u32,
    max: u32,
    utilisation: bool,
    target: f64,
    above: u64,
    below: u64,
    margin: f64,
    warm_up: Duration,
    keep: bool,
}

impl Settings {
    fn of(params: &Params) -> Self {
        let (min, max) = super::bounds(params);
        Self {
            min,
            max,
            utilisation: params.choice("metric") == 0,
            target: params.number("target"),
            above: params.integer("above"),
            below: params.integer("below"),
            margin: params.number("margin"),
            warm_up: params.span("warm_up"),
            keep: params.flag("keep"),
        }
    }
}

impl Autoscaler for TargetTracking {
    fn adopt(&mut self, params: &Params) {
        self.settings = Settings::of(params);
    }

    fn decide(&mut self, seen: &Seen<'_>) -> Option<Wish> {
        let settings = &self.settings;
        let current = seen.current();
        let (min, max) = (settings.min, settings.max);
        if let Some(wish) = alarm::back_within(current, min, max) {
            return Some(wish);
        }
        let warm = |started| alarm::is_warm(seen, started, settings.warm_up);
        let counted = alarm::counted(seen, settings.warm_up);
        if counted.is_empty() {
            return None;
        }
        let mean = alarm::mean(&counted, settings.utilisation);
        let ratio = mean / settings.target;
        self.above = alarm::in_a_row(ratio > 1.0, self.above);
        self.below = alarm::in_a_row(ratio < settings.margin, self.below);
        // A sum that comes out whole but for a rounding error is whole.
        let asked = (ratio * counted.len() as f64 - 1e-9).ceil() as u32;
        let warming = seen.members.iter().any(|member| !warm(member.started));
        let servers = if self.above >= settings.above {
            asked.max(current)
        } else if self.below >= settings.below && !warming && !settings.keep {
            asked.min(current)
        } else {
            current
        };
        let wanted = if settings.utilisation {
            format!("{:.0} %", settings.target * 100.0)
        } else {
            settings.target.to_string()
        };
        let why = format!(
            "{}, wanted {wanted}",
            alarm::words(mean, settings.utilisation)
        );
        Some(Wish {
            servers: servers.clamp(min, max),
            why,
        })
    }

    fn clone_box(&self) -> Box<dyn Autoscaler> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autoscaler::{Member, MemberState, Reading};
    use crate::extension::testing::example;
    use crate::time::Instant;

    fn rule(min: u64, max: u64) -> TargetTracking {
        let mut settings = Settings::of(&example(&AUTOSCALER.row));
        settings.target = 0.5;
        settings.min = min as u32;
        settings.max = max as u32;
        TargetTracking {
            settings,
            above: 0,
            below: 0,
        }
    }

    /// Servers of ten workers, so many of them busy, started at these minutes.
    fn members(servers: &[(u64, u64)]) -> Vec<Member> {
        let of = |&(busy, started): &(u64, u64)| Member {
            state: MemberState::Ready,
            since: Instant::ZERO,
            started: Some(Instant(started * 60_000_000_000)),
            workers: 10,
            reading: Some(Reading {
                at: Instant::ZERO,
                busy_milli: busy * 1000,
                requests_milli_hz: 0,
            }),
        };
        servers.iter().map(of).collect()
    }

    fn at(minute: u64, members: &[Member]) -> Seen<'_> {
        Seen {
            now: Instant(minute * 60_000_000_000),
            interval: Duration::from_secs(60),
            members,
        }
    }

    #[test]
    fn the_third_period_above_adds_and_the_fifteenth_below_takes_away() {
        let mut rule = rule(1, 20);
        let busy = members(&[(8, 0), (8, 0)]);
        let asked: Vec<u32> = (10..13)
            .map(|minute| rule.decide(&at(minute, &busy)).expect("known").servers)
            .collect();
        // Twice 80 % over 50 % is 3.2.
        assert_eq!(asked, [2, 2, 4]);
        let idle = members(&[(2, 0), (2, 0), (2, 0), (2, 0)]);
        let asked: Vec<u32> = (20..35)
            .map(|minute| rule.decide(&at(minute, &idle)).expect("known").servers)
            .collect();
        // Four times 20 % over 50 % is 1.6.
        assert_eq!(asked, [[4; 14].as_slice(), &[2]].concat());
    }

    #[test]
    fn what_warms_up_is_not_measured_not_asked_for_twice_and_keeps_all_there() {
        let mut rule = rule(1, 20);
        rule.settings.above = 1;
        rule.settings.below = 1;
        // Two warm ones ask for four, which are there.
        let half = members(&[(8, 0), (8, 0), (0, 9), (0, 9)]);
        assert_eq!(rule.decide(&at(10, &half)).expect("known").servers, 4);
        let idle = members(&[(1, 0), (1, 0), (0, 9)]);
        assert_eq!(rule.decide(&at(10, &idle)).expect("known").servers, 3);
        // A minute, and all are warm: the mean is 2 of 30.
        assert_eq!(rule.decide(&at(14, &idle)).expect("known").servers, 1);
    }

    #[test]
    fn the_bounds_hold_at_once() {
        let servers = members(&[(5, 0); 3]);
        assert_eq!(
            rule(4, 9).decide(&at(0, &servers)).expect("known").servers,
            4
        );
        assert_eq!(
            rule(1, 2).decide(&at(0, &servers)).expect("known").servers,
            2
        );
    }
}
