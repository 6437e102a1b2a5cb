//! Brownout: under load, answers go without what is optional in them.
//!
//! A request is served in full with a probability, the *dimmer*; otherwise its optional part is
//! left out, and it demands so much less. A controller keeps the longest response time of the last
//! `measure` near `set_point`: each `interval` it takes the response time to be in proportion to the
//! dimmer, and moves the dimmer by a part 1 - `pole` of the way to where response time would be
//! right; upwards only by a tenth of that.
//!
//! Klein, Maggio, Årzén and Hernández-Rodriguez, "Brownout: Building More Robust Cloud Applications",
//! ICSE 2014; steps and defaults are those of the controller published with it for `RUBiS`
//! (`localController.py`), which begins with a dimmer of a half. Below a dimmer of 0.01 the proportion is
//! taken there: a division by none would leave it dark for ever.

use super::{Admission, Bounding, Ended, Guard, GuardDef, PLAIN, Sees, Stands, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};
use std::collections::VecDeque;

const fn span(name: &'static str, about: &'static str, default: &'static str) -> ParamDef {
    ParamDef {
        name,
        about,
        kind: ParamKind::Span {
            min: Duration::from_millis(1),
        },
        default: Some(default),
    }
}

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "brownout",
        about: "Leaves out an optional part of the work with a probability that a controller adjusts to the response time.",
        source: "Klein and others, Brownout, ICSE 2014, and its controller for RUBiS",
        params: &[
            ParamDef {
                name: "optional",
                about: "The part of the demand that can be left out.",
                kind: ParamKind::Number {
                    min: 0.001,
                    max: 0.999,
                    unit: "",
                },
                default: None,
            },
            span(
                "set_point",
                "The longest response time that is aimed at, as seen at the server.",
                "1s",
            ),
            ParamDef {
                name: "pole",
                about: "How slowly the controller moves: the part of the way that is left after a step.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 0.999,
                    unit: "",
                },
                default: Some("0.9"),
            },
            span("interval", "Time between the controller's steps.", "1s"),
            span(
                "measure",
                "How far back response times count, in whole intervals.",
                "5s",
            ),
            ParamDef {
                name: "initial",
                about: "The dimmer at the start: the share that is served in full.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 1.0,
                    unit: "",
                },
                default: Some("1"),
            },
        ],
    },
    stands: Stands::AtServers,
    check,
    build: |params| {
        let [interval, measure] = ["interval", "measure"].map(|name| params.span(name).0);
        Box::new(Brownout {
            left: ((1.0 - params.number("optional")) * 1e6) as u32,
            set_point_ns: params.span("set_point").0 as f64,
            pole: params.number("pole"),
            interval: Duration(interval),
            intervals: (measure / interval) as usize,
            dimmer: params.number("initial"),
            step_at: None,
            longest: VecDeque::from([0]),
        })
    },
    sees: |_| Sees::All,
    bounds: Bounding::No,
    ..PLAIN
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let [interval, measure] = ["interval", "measure"].map(|name| params.span(name));
    let problem = |message| {
        Err(ParamProblem {
            param: "measure",
            message,
        })
    };
    if measure < interval {
        return problem(format!(
            "measure = {measure} is shorter than interval = {interval}"
        ));
    }
    if measure.0 / interval.0 > MOST_INTERVALS {
        return problem(format!(
            "measure = {measure} is more than {MOST_INTERVALS} times interval = {interval}"
        ));
    }
    Ok(())
}

/// Intervals of which the longest time is remembered, at most.
const MOST_INTERVALS: u64 = 1000;

#[derive(Clone, Debug)]
struct Brownout {
    /// Of the demand, without what is optional, in millionths.
    left: u32,
    set_point_ns: f64,
    pole: f64,
    interval: Duration,
    /// Intervals that count.
    intervals: usize,
    dimmer: f64,
    /// When the controller's next step is due; none: nothing has happened yet.
    step_at: Option<Instant>,
    /// The longest response time of each interval, the present one last, in nanoseconds; 0: none ended.
    longest: VecDeque<u64>,
}

impl Brownout {
    /// Makes the steps that have come due.
    fn move_to(&mut self, now: Instant) {
        let mut due = *self.step_at.get_or_insert(now + self.interval);
        // After a long silence nothing is left to measure, and further steps would do nothing.
        for _ in 0..=self.intervals {
            if due > now {
                break;
            }
            self.step();
            due += self.interval;
        }
        if due <= now {
            due = now + self.interval;
        }
        self.step_at = Some(due);
    }

    fn step(&mut self) {
        let longest_ns = self.longest.iter().copied().max().unwrap_or(0);
        if longest_ns > 0 {
            let took_ns = longest_ns as f64;
            let proportion = took_ns / self.dimmer.max(0.01);
            let mut error = self.set_point_ns - took_ns;
            if error > 0.0 {
                error *= 0.1;
            }
            let moved = self.dimmer + (1.0 - self.pole) * error / proportion;
            self.dimmer = moved.clamp(0.0, 1.0);
        }
        self.longest.push_back(0);
        if self.longest.len() > self.intervals {
            self.longest.pop_front();
        }
    }
}

impl Guard for Brownout {
    fn admit(&mut self, asked: &Admission, draws: &mut Draws) -> Verdict {
        self.move_to(asked.now);
        if self.dimmer < 1.0 && !draws.chance(self.dimmer) {
            Verdict::Dim(self.left)
        } else {
            Verdict::Pass
        }
    }

    fn ended(&mut self, ended: &Ended) -> bool {
        self.move_to(ended.now);
        if ended.outcome == Outcome::Succeeded
            && let Some(longest) = self.longest.back_mut()
        {
            *longest = ended.took().0.max(*longest);
        }
        false
    }

    fn gauge(&self, _: Instant) -> (&'static str, f64) {
        ("dimmer", self.dimmer)
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, draws, ended, guard};
    use super::*;
    use crate::extension::ParamValue::{Number, Span};

    #[test]
    fn steps_by_hand() {
        let measure = Span(Duration::from_secs(1));
        let params = [("optional", Number(0.5)), ("measure", measure)];
        let mut brownout = guard(&GUARD, &params);
        brownout.admit(&asked(10_000, 1), &mut draws(0));
        let mut second = 10_u64;
        let mut after = |took: u64, expected: f64| {
            // Ends just before the step.
            let until = second * 1000 + 999;
            brownout.ended(&ended(until - took, until, Outcome::Succeeded));
            second += 1;
            brownout.admit(&asked(second * 1000, 1), &mut draws(0));
            let found = brownout.gauge(Instant::ZERO).1;
            assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
        };
        after(500, 1.0);
        after(999, 1.0);
        // 2 s are twice the set point: 1 - 0.1 · (2 - 1) / (2 / 1).
        after(2000, 0.95);
        // 4 s: 0.95 - 0.1 · 3 / (4 / 0.95).
        after(4000, 0.95 - 0.1 * 3.0 * 0.95 / 4.0);
        // Half a second: up by a tenth of 0.1 · 0.5 / (0.5 / 0.87875).
        after(500, 0.878_75 + 0.01 * 0.878_75);
    }

    #[test]
    fn the_longest_time_counts_for_all_of_the_measure_and_no_longer() {
        let mut brownout = guard(&GUARD, &[("optional", Number(0.5))]);
        let mut dimmers = Vec::new();
        for second in 0..8 {
            brownout.admit(&asked(second * 1000, 1), &mut draws(0));
            dimmers.push(brownout.gauge(Instant::ZERO).1);
            if second == 2 {
                brownout.ended(&ended(0, 2000, Outcome::Succeeded));
            }
        }
        let fell = |pair: &[f64]| pair[1] < pair[0];
        let falls: Vec<bool> = dimmers.windows(2).map(fell).collect();
        // Five steps: at 3, 4, 5, 6 and 7 s.
        let expected = [false, false, true, true, true, true, true];
        assert_eq!(falls, expected, "{dimmers:?}");
        brownout.admit(&asked(8000, 1), &mut draws(0));
        assert!(brownout.gauge(Instant::ZERO).1 >= dimmers[7]);
    }

    #[test]
    fn what_is_dimmed_follows_the_dimmer() {
        let params = [("optional", Number(0.6)), ("initial", Number(0.3))];
        let mut brownout = guard(&GUARD, &params);
        let mut dimmed = 0;
        for n in 0..1000 {
            match brownout.admit(&asked(0, 1), &mut draws(n)) {
                Verdict::Dim(400_000) => dimmed += 1,
                Verdict::Pass => {}
                other => panic!("{other:?}"),
            }
        }
        assert!((650..750).contains(&dimmed), "{dimmed}");
    }

    #[test]
    fn a_measure_without_a_whole_interval_is_refused() {
        let of = |measure, interval| {
            let value = |ms| Span(Duration::from_millis(ms));
            let values = vec![("measure", value(measure)), ("interval", value(interval))];
            check(&Params::new(values)).map_err(|problem| problem.message)
        };
        assert_eq!(of(1000, 1000), Ok(()));
        let message = "measure = 999ms is shorter than interval = 1s";
        assert_eq!(of(999, 1000), Err(message.to_owned()));
        assert!(of(1_001_000, 1000).is_err());
    }
}
