//! Slow start: a server that is new or back gets its weight by and by.
//!
//! It looks at who is left by the rules before it. Who was not, and is now, starts slowly, each by
//! itself. At the start of a run nobody does: a balancer that starts with its servers finds them all.
//! The weight of Envoy (aggression 1) rises in proportion to time. That of `HAProxy` rises so in
//! sixteenths, of which the first is there at once, and is worked out anew every second, or twentieth of the time if
//! that is longer, from the whole seconds so far.

use super::due::Due;
use super::{Candidate, HealthDef, HealthRule, News, PLAIN, Standing};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::{Duration, Instant};
use std::collections::BTreeMap;

pub(super) static RULE: HealthDef = HealthDef {
    row: ExtensionRow {
        name: "slow-start",
        about: "A server that is new, or left by the rules before it again, gets a weight that rises to its full one over a time. Policies that ignore weights ignore it.",
        source: "HAProxy 3.0, slowstart; Envoy 1.31, slow_start_config",
        params: &[
            ParamDef {
                name: "over",
                about: "Time until it has its full weight.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: None,
            },
            ParamDef {
                name: "from",
                about: "The part of its weight with which it starts.",
                kind: ParamKind::Number {
                    min: 0.001,
                    max: 1.0,
                    unit: "",
                },
                default: Some("0.1"),
            },
            ParamDef {
                name: "steps",
                about: "In how many equal steps the weight rises.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1000,
                    unit: "steps",
                },
                default: Some("20"),
            },
            ParamDef {
                name: "law",
                about: "How it rises: from `from` in `steps` equal steps, or by whole seconds in sixteenths as in HAProxy, where neither counts.",
                kind: ParamKind::Choice(&["steps", "haproxy"]),
                default: Some("steps"),
            },
        ],
    },
    check: |params| {
        // A server of its own may start at once.
        let over = params.span("over");
        if params.choice("law") == 1 && over < SECOND && !over.is_zero() {
            return Err(ParamProblem {
                param: "over",
                message: "less than the second in which HAProxy counts".to_owned(),
            });
        }
        Ok(())
    },
    build: |params, servers| Box::new(SlowStart::new(params, read, servers)),
    own: &["over"],
    weighs: true,
    ..PLAIN
};

const SECOND: Duration = Duration::from_secs(1);

fn read(params: &Params) -> Curve {
    let from = params.number("from");
    Curve {
        over: params.span("over"),
        steps: params.integer("steps"),
        law: [Law::Linear { from }, Law::Sixteenths][params.choice("law")],
    }
}

/// How a weight rises.
#[derive(Clone, Copy, Debug)]
pub(super) struct Curve {
    pub(super) over: Duration,
    /// In how many steps of equal length.
    pub(super) steps: u64,
    pub(super) law: Law,
}

/// The part of its weight that a server has, by the part of the time that has passed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Law {
    /// In proportion to time, from a part on.
    Linear {
        /// That part.
        from: f64,
    },
    /// A power of the part of the time, and no less than a part.
    Power {
        /// That part.
        least: f64,
        /// The exponent.
        exponent: f64,
    },
    /// That of `HAProxy`, which has steps of its own.
    Sixteenths,
}

impl Law {
    fn at(self, part: f64) -> f64 {
        match self {
            Self::Linear { from } => from + (1.0 - from) * part,
            Self::Power { least, exponent } => libm::pow(part, exponent).max(least),
            Self::Sixteenths => part,
        }
    }
}

/// The part of its weight that a server of `HAProxy` has at an age, and at which age the next step comes.
fn sixteenths(over: Duration, age: Duration) -> (f64, Option<Duration>) {
    let seconds_in_all = over.0 / SECOND.0;
    let pause = (over.0 / 20).max(SECOND.0);
    let looks = age.0 / pause;
    let seconds = looks * pause / SECOND.0;
    if seconds >= seconds_in_all {
        return (1.0, None);
    }
    let sixteenths = (16 * seconds + seconds_in_all) / seconds_in_all;
    let next = Duration((looks + 1) * pause);
    (sixteenths as f64 / 16.0, Some(next))
}

#[derive(Clone, Debug)]
pub(super) struct SlowStart {
    read: fn(&Params) -> Curve,
    curve: Curve,
    /// Those of servers with one of their own.
    own: BTreeMap<usize, Curve>,
    /// Whether it has been asked before: who is there at the first time was there before it.
    started: bool,
    servers: Vec<Record>,
    due: Due,
}

#[derive(Clone, Debug, Default)]
struct Record {
    open: bool,
    /// Since when it starts slowly.
    since: Option<Instant>,
    /// When its next step comes.
    due: Option<Instant>,
}

impl SlowStart {
    pub(super) fn new(params: &Params, read: fn(&Params) -> Curve, servers: usize) -> Self {
        Self {
            read,
            curve: read(params),
            own: BTreeMap::new(),
            started: false,
            servers: vec![Record::default(); servers],
            due: Due::default(),
        }
    }

    /// The part of its weight that a server has so long after it came, and how long after that the
    /// next step comes; no step when it has all of it.
    fn weight(&self, server: usize, age: Duration) -> (f64, Option<Duration>) {
        let Curve { over, steps, law } = *self.own.get(&server).unwrap_or(&self.curve);
        if over.is_zero() {
            return (1.0, None);
        }
        if matches!(law, Law::Sixteenths) {
            return sixteenths(over, age);
        }
        let (over, steps) = (u128::from(over.0), u128::from(steps));
        let step = u128::from(age.0) * steps / over;
        if step >= steps {
            return (1.0, None);
        }
        let part = step as f64 / steps as f64;
        let next = (over * (step + 1)).div_ceil(steps) as u64;
        (law.at(part), Some(Duration(next)))
    }

    /// Gives a server the part of its weight that it has now.
    fn weigh(&mut self, now: Instant, server: usize, candidate: &mut Candidate) {
        let record = &mut self.servers[server];
        let came = candidate.open && !record.open;
        record.open = candidate.open;
        if !candidate.open {
            record.since = None;
        } else if came && self.started {
            record.since = Some(now);
        }
        let since = record.since;
        let (factor, next) =
            since.map_or((1.0, None), |since| self.weight(server, now.since(since)));
        candidate.factor *= factor;
        let record = &mut self.servers[server];
        record.since = since.filter(|_| next.is_some());
        let next = since.zip(next).map(|(since, age)| since + age);
        let before = std::mem::replace(&mut record.due, next);
        self.due.replan(server, before, next);
    }
}

impl HealthRule for SlowStart {
    fn adopt(&mut self, params: &Params) {
        self.curve = (self.read)(params);
        self.own.clear();
    }

    fn adopt_server(&mut self, server: usize, params: &Params, _: bool) {
        self.own.insert(server, (self.read)(params));
    }

    fn judge(&mut self, now: Instant, standing: &mut Standing, _: &mut Vec<News>) {
        self.due.clear();
        for record in &mut self.servers {
            record.due = None;
        }
        for (position, candidate) in standing.servers.iter_mut().enumerate() {
            self.weigh(now, position, candidate);
        }
        self.started = true;
    }

    fn judge_one(
        &mut self,
        now: Instant,
        server: usize,
        candidate: &mut Candidate,
        _: &mut Vec<News>,
    ) -> bool {
        self.weigh(now, server, candidate);
        true
    }

    fn due(&self) -> Option<Instant> {
        self.due.first()
    }

    fn come_due(&self, now: Instant, servers: &mut Vec<u32>) {
        self.due.come(now, servers);
    }

    fn forget(&mut self) {
        self.started = false;
        self.due.clear();
        self.servers.fill(Record::default());
    }

    fn clone_box(&self) -> Box<dyn HealthRule> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "the factors are those of whole shares")]
mod tests {
    use super::super::testing::{at, candidates, judge, params, rule};
    use super::*;
    use crate::extension::ParamValue;

    fn ten_seconds(steps: u64) -> Box<dyn HealthRule> {
        let some = [
            ("over", ParamValue::Span(Duration::from_secs(10))),
            ("from", ParamValue::Number(0.2)),
            ("steps", ParamValue::Integer(steps)),
        ];
        rule(&RULE, 2, &some)
    }

    /// The factor of the second server, which is left by the rules before or not.
    fn factor(rule: &mut Box<dyn HealthRule>, millis: u64, there: bool) -> f64 {
        let mut servers = candidates(2);
        servers[1].open = there;
        let (standing, _) = judge(rule, millis, servers);
        assert_eq!(standing.servers[0].factor, 1.0);
        standing.servers[1].factor
    }

    #[test]
    fn who_comes_back_climbs_in_steps_and_says_when_the_next_is() {
        let mut rule = ten_seconds(4);
        assert_eq!(factor(&mut rule, 0, true), 1.0);
        assert_eq!(rule.due(), None);
        factor(&mut rule, 1_000, false);
        assert_eq!(factor(&mut rule, 3_000, true), 0.2);
        assert_eq!(rule.due(), Some(at(5_500)));
        assert_eq!(factor(&mut rule, 5_499, true), 0.2);
        assert_eq!(factor(&mut rule, 5_500, true), 0.4);
        assert_eq!(factor(&mut rule, 10_500, true), 0.2 + 0.8 * 0.75);
        assert_eq!(rule.due(), Some(at(13_000)));
        assert_eq!(factor(&mut rule, 13_000, true), 1.0);
        assert_eq!(rule.due(), None);
        // And once more, from the beginning.
        factor(&mut rule, 14_000, false);
        assert_eq!(factor(&mut rule, 15_000, true), 0.2);
    }

    #[test]
    fn whole_seconds_in_sixteenths_are_those_of_the_program() {
        let some = [
            ("over", ParamValue::Span(Duration::from_secs(10))),
            ("law", ParamValue::Choice(1)),
        ];
        let mut rule = rule(&RULE, 2, &some);
        factor(&mut rule, 0, true);
        factor(&mut rule, 1_500, false);
        // Measurement A17: effective weights of 100, rounded up.
        let seen = [7, 13, 25, 32, 44, 57, 63, 75, 82, 94, 100];
        for (second, seen) in seen.into_iter().enumerate() {
            for late in [0, 999] {
                let weight = factor(&mut rule, 2_700 + 1000 * second as u64 + late, true);
                assert_eq!((100.0 * weight).ceil() as u32, seen, "{second} s");
            }
        }
        assert_eq!(rule.due(), None);
    }

    #[test]
    fn a_server_may_have_a_time_of_its_own_or_none() {
        let mut rule = ten_seconds(4);
        factor(&mut rule, 0, false);
        let own = |millis| {
            let over = ParamValue::Span(Duration::from_millis(millis));
            params(&RULE, &[("over", over)])
        };
        rule.adopt_server(1, &own(40_000), true);
        factor(&mut rule, 1, true);
        assert_eq!(rule.due(), Some(at(2_001)), "by its own steps");
        factor(&mut rule, 50_000, false);
        rule.adopt_server(
            1,
            &Params::new(
                own(10)
                    .iter()
                    .map(|(name, value)| {
                        let none = ParamValue::Span(Duration::ZERO);
                        (name, if name == "over" { none } else { value.clone() })
                    })
                    .collect(),
            ),
            true,
        );
        assert_eq!(factor(&mut rule, 51_000, true), 1.0);
        assert_eq!(rule.due(), None);
    }

    #[test]
    fn a_step_is_never_due_before_its_weight_is() {
        // Three steps do not divide ten seconds.
        let mut rule = ten_seconds(3);
        factor(&mut rule, 0, false);
        factor(&mut rule, 1, true);
        for step in 1..=3_u32 {
            let due = rule.due().expect("a next step");
            let mut servers = candidates(2);
            servers[1].open = true;
            let mut standing = Standing {
                servers,
                levels: vec![],
            };
            rule.judge(due, &mut standing, &mut Vec::new());
            let wanted = 0.2 + 0.8 * (f64::from(step) / 3.0);
            assert_eq!(standing.servers[1].factor, wanted.min(1.0));
        }
        assert_eq!(rule.due(), None);
    }
}
