//! Shedding by utilisation: the busier a server's workers were, the more it refuses.
//!
//! Each `interval` the server works out which part of its workers' time was spent working since the last
//! time. Up to `from` it refuses nothing; beyond, in proportion, up to everything at `to`.
//!
//! Envoy 1.40, overload manager with a `scaled` trigger, whose resources are polled each
//! `refresh_interval`, 1 s; its thresholds have no defaults. It polls a clock; here it is worked out when
//! the first attempt after an interval comes, over all the time since.

use super::{Admission, Bounding, Guard, GuardDef, PLAIN, Sees, Stands, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::{Duration, Instant};

const fn part(name: &'static str, about: &'static str, default: &'static str) -> ParamDef {
    ParamDef {
        name,
        about,
        kind: ParamKind::Number {
            min: 0.0,
            max: 1.0,
            unit: "",
        },
        default: Some(default),
    }
}

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "utilisation-shedding",
        about: "Refuses with a probability that grows with how busy the server's workers were.",
        source: "Envoy 1.40, overload manager, scaled trigger",
        params: &[
            part("from", "Utilisation up to which nothing is refused.", "0.8"),
            part("to", "Utilisation from which everything is refused.", "1"),
            ParamDef {
                name: "interval",
                about: "How often utilisation is worked out.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("1s"),
            },
        ],
    },
    stands: Stands::AtServers,
    check,
    build: |params| {
        Box::new(UtilisationShedding {
            from: params.number("from"),
            to: params.number("to"),
            interval: params.span("interval"),
            began: None,
            utilisation: 0.0,
        })
    },
    sees: |_| Sees::All,
    bounds: Bounding::Perhaps,
    ..PLAIN
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let [from, to] = ["from", "to"].map(|name| params.number(name));
    if from >= to {
        return Err(ParamProblem {
            param: "from",
            message: format!("from = {from} is not below to = {to}"),
        });
    }
    Ok(())
}

#[derive(Clone, Debug)]
struct UtilisationShedding {
    from: f64,
    to: f64,
    interval: Duration,
    /// When the present interval began, and the workers' busy time until then.
    began: Option<(Instant, u64)>,
    utilisation: f64,
}

impl UtilisationShedding {
    fn probability(&self) -> f64 {
        ((self.utilisation - self.from) / (self.to - self.from)).clamp(0.0, 1.0)
    }
}

impl Guard for UtilisationShedding {
    fn admit(&mut self, asked: &Admission, draws: &mut Draws) -> Verdict {
        let (now, busy_ns) = (asked.now, asked.load.busy_ns);
        let (began, before_ns) = *self.began.get_or_insert((now, busy_ns));
        let elapsed = now.since(began);
        if elapsed >= self.interval {
            let worked = busy_ns.wrapping_sub(before_ns) as f64;
            let there = elapsed.0 as f64 * f64::from(asked.load.workers);
            self.utilisation = worked / there.max(1.0);
            self.began = Some((now, busy_ns));
        }
        let probability = self.probability();
        if probability > 0.0 && draws.chance(probability) {
            Verdict::Refuse
        } else {
            Verdict::Pass
        }
    }

    fn gauge(&self, _: Instant) -> (&'static str, f64) {
        ("refuses", self.probability())
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Load;
    use super::super::testing::{asked, draws, guard};
    use super::*;
    use crate::extension::ParamValue::Number;

    #[test]
    fn the_share_refused_follows_the_busy_part_of_the_last_interval() {
        let mut shedding = guard(&GUARD, &[("from", Number(0.5))]);
        let mut refuses = |millis: u64, busy_ms: u64| {
            let load = Load {
                workers: 2,
                busy_ns: busy_ms * 1_000_000,
                ..Load::default()
            };
            let asked = Admission {
                load,
                ..asked(millis, 1)
            };
            shedding.admit(&asked, &mut draws(0));
            shedding.gauge(Instant::ZERO).1
        };
        assert!(refuses(500, 700) <= 0.0, "the first interval begins");
        assert!(refuses(1499, 2699) <= 0.0, "it has not ended");
        // 2 s of two workers' 2 s.
        assert!(refuses(1500, 2700) >= 1.0);
        // 1.5 s of 2 s are halfway between 0.5 and 1.
        assert!((refuses(2500, 4200) - 0.5).abs() < 1e-12);
        // 1 s of 2 s.
        assert!(refuses(3500, 5200) <= 0.0);
    }

    #[test]
    fn thresholds_that_cross_are_named() {
        let of = |from, to| {
            let values = vec![("from", Number(from)), ("to", Number(to))];
            check(&Params::new(values)).map_err(|problem| problem.message)
        };
        assert_eq!(of(0.5, 0.6), Ok(()));
        assert_eq!(
            of(0.6, 0.6),
            Err("from = 0.6 is not below to = 0.6".to_owned())
        );
    }
}
