//! Step scaling, as cloud providers have it for virtual machines.
//!
//! Two alarms watch the mean over the servers that have warmed up. While one stands, the size of the breach
//! chooses a step, and the step says by how much the number of servers changes: by servers, by a share
//! of those there are, or to a number. A share is cut as there: 12.7 servers are 12, and less than one is
//! one. On the way up the step goes by the servers that have warmed up, and what is on its way is not asked for twice:
//! with ten servers, 10 % from 60 on and 30 % from 70 on, a metric of 60 asks for 11, of 62 for no more, and
//! of 70 for 13, however many of them are up by then. Nothing is taken away while servers warm up.

use super::alarm;
use super::{Autoscaler, AutoscalerDef, MAX, METRIC, MIN, Seen, Wish};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

pub(super) static AUTOSCALER: AutoscalerDef = AutoscalerDef {
    row: ExtensionRow {
        name: "step-scaling",
        about: "Changes the number of servers by steps, each for a size of the breach of an alarm over several periods, and waits for new servers to warm up.",
        source: "Amazon EC2 Auto Scaling User Guide, Step and simple scaling policies",
        params: &[
            MIN,
            MAX,
            METRIC,
            ParamDef::of(
                "up_from",
                STEPS,
                "[0.7]",
                "From which mean on each step adds, in ascending order: shares, or requests per second. The first is the alarm's threshold.",
            ),
            ParamDef::of("up_by", STEPS, "[1]", "How much each of these steps adds."),
            ParamDef::of(
                "down_from",
                STEPS,
                "[]",
                "From which mean down each step takes away, in descending order; without any, nothing is taken away.",
            ),
            ParamDef::of(
                "down_by",
                STEPS,
                "[]",
                "How much each of these steps takes away.",
            ),
            ParamDef::choice(
                "adjust",
                &["servers", "share", "exactly"],
                "servers",
                "What steps are: so many servers (`ChangeInCapacity`), a share of those there are (`PercentChangeInCapacity`), or how many there are to be (`ExactCapacity`).",
            ),
            ParamDef::count(
                "least",
                (1, 1_000_000),
                "servers",
                "1",
                "A share is so many servers at least (`MinAdjustmentMagnitude`).",
            ),
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
                "2",
                "So many periods in a row at or above the first step, and servers are added in each.",
            ),
            ParamDef::count(
                "below",
                (1, 1440),
                "periods",
                "2",
                "So many periods in a row at or below the first step down, and servers are taken away in each.",
            ),
            ParamDef::span(
                "warm_up",
                Duration::ZERO,
                "5m",
                "So long after its start a server is no part of the mean nor of what steps go by, and nothing is taken away.",
            ),
        ],
    },
    timing: alarm::timing,
    build: |params| {
        Box::new(StepScaling {
            settings: Settings::of(params),
            above: 0,
            below: 0,
        })
    },
    check,
};

const STEPS: ParamKind = ParamKind::Numbers { min: 0.0, max: 1e6 };

/// Words of `adjust`.
const SHARE: usize = 1;
const EXACTLY: usize = 2;

fn check(params: &Params) -> Result<(), ParamProblem> {
    let problem = |param, message: String| Err(ParamProblem { param, message });
    let (up, down) = (params.numbers("up_from"), params.numbers("down_from"));
    if up.is_empty() {
        return problem("up_from", "`up_from` has no step".to_owned());
    }
    for (from, by) in [("up_from", "up_by"), ("down_from", "down_by")] {
        let (steps, sizes) = (params.numbers(from).len(), params.numbers(by).len());
        if steps != sizes {
            let message = format!("`{by}` has {sizes} sizes for the {steps} steps of `{from}`");
            return problem(by, message);
        }
    }
    if up.windows(2).any(|pair| pair[0] >= pair[1]) {
        return problem(
            "up_from",
            "the steps of `up_from` must be in ascending order".to_owned(),
        );
    }
    if down.windows(2).any(|pair| pair[0] <= pair[1]) {
        return problem(
            "down_from",
            "the steps of `down_from` must be in descending order".to_owned(),
        );
    }
    if down.first().is_some_and(|first| *first >= up[0]) {
        let message = format!(
            "servers would be added and taken away at once: `down_from` begins at {}, `up_from` at {}",
            down[0], up[0]
        );
        return problem("down_from", message);
    }
    let whole = |name| params.numbers(name).iter().all(|by| by.fract() == 0.0);
    if params.choice("adjust") != SHARE {
        for by in ["up_by", "down_by"] {
            if !whole(by) {
                return problem(by, format!("`{by}` must be whole numbers of servers"));
            }
        }
        if params.integer("least") != 1 {
            let message = "`least` is for steps that are a share: adjust = \"share\"";
            return problem("least", message.to_owned());
        }
    }
    Ok(())
}

#[derive(Clone, Debug)]
struct StepScaling {
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
    /// Steps: from which mean on, and their sizes; those upwards ascending, the others descending.
    up: Vec<(f64, f64)>,
    down: Vec<(f64, f64)>,
    adjust: usize,
    least: f64,
    above: u64,
    below: u64,
    warm_up: Duration,
}

impl Settings {
    fn of(params: &Params) -> Self {
        let (min, max) = super::bounds(params);
        let steps = |from, by| {
            let pairs = params.numbers(from).iter().zip(params.numbers(by).iter());
            pairs.map(|(from, by)| (*from, *by)).collect()
        };
        Self {
            min,
            max,
            utilisation: params.choice("metric") == 0,
            up: steps("up_from", "up_by"),
            down: steps("down_from", "down_by"),
            adjust: params.choice("adjust"),
            least: params.integer("least") as f64,
            above: params.integer("above"),
            below: params.integer("below"),
            warm_up: params.span("warm_up"),
        }
    }

    /// By how many servers a step of this size changes so many.
    fn change(&self, by: f64, servers: u32) -> f64 {
        if self.adjust != SHARE {
            return by;
        }
        // What is whole but for a rounding error is whole; less than one is one.
        let part = by * f64::from(servers);
        let cut = if part > 0.0 {
            (part + 1e-9).floor().max(1.0)
        } else {
            0.0
        };
        cut.max(if by > 0.0 { self.least } else { 0.0 })
    }

    fn within(&self, servers: f64) -> u32 {
        (servers.clamp(0.0, f64::from(u32::MAX)) as u32).clamp(self.min, self.max)
    }
}

impl Autoscaler for StepScaling {
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
        let steps = |list: &[(f64, f64)], breaches: &dyn Fn(f64) -> bool| {
            let found = list.iter().take_while(|(from, _)| breaches(*from));
            found.last().map(|(_, by)| *by)
        };
        let up = steps(&settings.up, &|from| mean >= from);
        let down = steps(&settings.down, &|from| mean <= from);
        self.above = alarm::in_a_row(up.is_some(), self.above);
        self.below = alarm::in_a_row(down.is_some(), self.below);
        let warmed = seen.members.iter().filter(|member| warm(member.started));
        let warmed = warmed.count() as u32;
        let exactly = settings.adjust == EXACTLY;
        let servers = match (up, down) {
            (Some(by), _) if self.above >= settings.above => {
                let base = if exactly { 0.0 } else { f64::from(warmed) };
                let wanted = base + settings.change(by, warmed);
                settings.within(wanted).max(current)
            }
            (_, Some(by)) if self.below >= settings.below && warmed == current => {
                let wanted = if exactly {
                    by
                } else {
                    f64::from(current) - settings.change(by, current)
                };
                settings.within(wanted).min(current)
            }
            _ => current,
        };
        let why = alarm::words(mean, settings.utilisation);
        Some(Wish { servers, why })
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
    use crate::extension::{Def, ParamValue};
    use crate::time::Instant;

    /// The rule of the user guide: 10 % from 60 on, 30 % from 70 on, and the same down from 40 and from 30.
    fn rule(adjust: usize, sizes: [f64; 2]) -> StepScaling {
        let mut settings = Settings::of(&example(&AUTOSCALER.row));
        settings.min = 1;
        settings.max = 100;
        settings.up = vec![(0.6, sizes[0]), (0.7, sizes[1])];
        settings.down = vec![(0.4, sizes[0]), (0.3, sizes[1])];
        settings.adjust = adjust;
        (settings.above, settings.below) = (1, 1);
        StepScaling {
            settings,
            above: 0,
            below: 0,
        }
    }

    /// Servers of a hundred workers: so many long there with these busy, and so many started at minute 9.
    fn members(warm: usize, busy: u64, new: usize) -> Vec<Member> {
        let of = |started: u64| Member {
            state: MemberState::Ready,
            since: Instant::ZERO,
            started: Some(Instant(started * 60_000_000_000)),
            workers: 100,
            reading: Some(Reading {
                at: Instant::ZERO,
                busy_milli: busy * 1000,
                requests_milli_hz: 0,
            }),
        };
        [vec![of(0); warm], vec![of(9); new]].concat()
    }

    fn asked(rule: &mut StepScaling, members: &[Member]) -> u32 {
        let seen = Seen {
            now: Instant(10 * 60_000_000_000),
            interval: Duration::from_secs(60),
            members,
        };
        rule.decide(&seen).expect("it is measured").servers
    }

    #[test]
    fn the_example_of_the_user_guide() {
        let mut rule = rule(SHARE, [0.1, 0.3]);
        assert_eq!(asked(&mut rule, &members(10, 59, 0)), 10);
        assert_eq!(asked(&mut rule, &members(10, 60, 0)), 11);
        // The eleventh warms up: 10 % of ten are there already, 30 % of ten are not.
        assert_eq!(asked(&mut rule, &members(10, 62, 1)), 11);
        assert_eq!(asked(&mut rule, &members(10, 70, 1)), 13);
        assert_eq!(asked(&mut rule, &members(10, 90, 3)), 13);
        // Nothing is taken away meanwhile. 10 % of 14 are 1.4 servers, 30 % of 13 are 3.9.
        assert_eq!(asked(&mut rule, &members(13, 20, 1)), 14);
        assert_eq!(asked(&mut rule, &members(14, 40, 0)), 13);
        assert_eq!(asked(&mut rule, &members(13, 30, 0)), 10);
        assert_eq!(asked(&mut rule, &members(14, 41, 0)), 14);
    }

    #[test]
    fn shares_are_cut_and_less_than_one_is_one() {
        let rule = rule(SHARE, [0.1, 0.3]);
        // 12.7, 0.67 and a whole that no rounding error makes less.
        assert!((rule.settings.change(0.127, 100) - 12.0).abs() < 1e-12);
        assert!((rule.settings.change(0.067, 10) - 1.0).abs() < 1e-12);
        assert!((rule.settings.change(0.3, 10) - 3.0).abs() < 1e-12);
        let mut least = rule.clone();
        least.settings.least = 2.0;
        assert!((least.settings.change(0.1, 10) - 2.0).abs() < 1e-12);
        assert!((least.settings.change(0.3, 10) - 3.0).abs() < 1e-12);
    }

    #[test]
    fn servers_and_whole_numbers_and_the_periods_of_an_alarm() {
        let mut by = rule(0, [1.0, 5.0]);
        assert_eq!(asked(&mut by, &members(10, 65, 0)), 11);
        assert_eq!(asked(&mut by, &members(10, 80, 0)), 15);
        assert_eq!(asked(&mut by, &members(10, 10, 0)), 5);
        // No fewer than the least, no more than the most.
        assert_eq!(asked(&mut by, &members(3, 10, 0)), 1);
        assert_eq!(asked(&mut by, &members(98, 90, 0)), 100);
        let mut to = rule(EXACTLY, [12.0, 20.0]);
        assert_eq!(asked(&mut to, &members(10, 65, 0)), 12);
        assert_eq!(asked(&mut to, &members(14, 65, 0)), 14);
        assert_eq!(asked(&mut to, &members(10, 80, 0)), 20);
        let mut slow = rule(0, [1.0, 5.0]);
        slow.settings.above = 3;
        let busy = members(10, 80, 0);
        let row = [(); 4].map(|()| asked(&mut slow, &busy));
        // While the alarm stands, each period asks again.
        assert_eq!(row, [10, 10, 15, 15]);
        assert_eq!(asked(&mut slow, &members(10, 50, 0)), 10);
        assert_eq!(asked(&mut slow, &busy), 10);
    }

    #[test]
    fn steps_that_do_not_fit_together_are_refused() {
        let numbers = |list: &[f64]| ParamValue::Numbers(list.into());
        let refused = |some: &[(&'static str, ParamValue)]| {
            let fits = [
                ("up_from", numbers(&[0.6, 0.7])),
                ("up_by", numbers(&[1.0, 2.0])),
            ];
            let replaced = example(&AUTOSCALER.row);
            let given = |name: &str| {
                let given = some.iter().chain(&fits).find(|(own, _)| *own == name);
                given.map(|(_, value)| value.clone())
            };
            let values = replaced
                .iter()
                .map(|(name, old)| (name, given(name).unwrap_or_else(|| old.clone())));
            let problem = AUTOSCALER.check(&Params::new(values.collect()));
            problem.err().map(|problem| problem.param)
        };
        assert_eq!(refused(&[]), None);
        for (some, param) in [
            (vec![("up_from", numbers(&[]))], "up_from"),
            (vec![("up_by", numbers(&[1.0]))], "up_by"),
            (vec![("up_from", numbers(&[0.7, 0.6]))], "up_from"),
            (vec![("down_from", numbers(&[0.3]))], "down_by"),
            (vec![("up_by", numbers(&[1.0, 1.5]))], "up_by"),
            (vec![("least", ParamValue::Integer(2))], "least"),
            (
                vec![("down_from", numbers(&[0.6])), ("down_by", numbers(&[1.0]))],
                "down_from",
            ),
            (
                vec![
                    ("down_from", numbers(&[0.3, 0.4])),
                    ("down_by", numbers(&[1.0, 2.0])),
                ],
                "down_from",
            ),
        ] {
            assert_eq!(refused(&some), Some(param), "{some:?}");
        }
    }
}
