//! DAGOR, `WeChat`'s overload control: a threshold over priorities that follows the wait in the queue.
//!
//! Each request has a level: the priority of its class (64 of them, all higher numbers being the last)
//! and, within it, a number made of its key, which is another each hour; so users are treated alike by every server
//! and for all their requests, until the hour is over. A server admits levels up to its threshold. It is
//! overloaded in a window of `window`, or of `requests` arrivals if these come sooner, if
//! attempts that began service waited longer than `target` on average. Then as many levels are admitted from now
//! on as would have let in a share `decrease` less than were let in; otherwise, as would have let in
//! more by a share `increase` of all that came. The most important level that came is always admitted: where
//! there is but one, nothing can be refused.
//!
//! Zhou and others, "Overload Control for Scaling `WeChat` Microservices", `SoCC` 2018, section 4. There a server
//! also tells its callers the threshold, which then refuse by themselves what it would; that is
//! not done here, so that what is refused has cost its way to the server.

use super::{Admission, Bounding, Guard, GuardDef, PLAIN, Sees, Stands, Verdict};
use crate::draws::{Draws, Stream};
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::{Duration, Instant, SECOND};
use std::collections::BTreeMap;

const fn share(name: &'static str, about: &'static str, default: &'static str) -> ParamDef {
    ParamDef {
        name,
        about,
        kind: ParamKind::Number {
            min: 0.0001,
            max: 1.0,
            unit: "",
        },
        default: Some(default),
    }
}

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "dagor",
        about: "Admits by priority and user up to a threshold that falls while attempts wait long for a worker.",
        source: "Zhou and others, Overload Control for Scaling WeChat Microservices, SoCC 2018",
        params: &[
            ParamDef {
                name: "target",
                about: "Average wait for a worker above which the server is overloaded.",
                kind: ParamKind::Span { min: Duration(1) },
                default: Some("20ms"),
            },
            ParamDef {
                name: "window",
                about: "Longest time after which the threshold is worked out anew.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("1s"),
            },
            ParamDef {
                name: "requests",
                about: "Arrivals after which it is worked out anew at the latest.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1_000_000_000,
                    unit: "requests",
                },
                default: Some("2000"),
            },
            share(
                "decrease",
                "By which share fewer are admitted after an overload.",
                "0.05",
            ),
            share(
                "increase",
                "By which share of all arrivals more are admitted otherwise.",
                "0.01",
            ),
            ParamDef {
                name: "users",
                about: "Levels within a priority.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1024,
                    unit: "levels",
                },
                default: Some("128"),
            },
        ],
    },
    stands: Stands::AtServers,
    watches_queue: true,
    build: |params| {
        Box::new(Dagor {
            target: params.span("target"),
            window: params.span("window"),
            requests: params.integer("requests"),
            decrease: params.number("decrease"),
            increase: params.number("increase"),
            users: params.integer("users"),
            threshold: ALL,
            began: None,
            arrived: BTreeMap::new(),
            came: 0,
            admitted: 0,
            started: 0,
            waited_ns: 0,
        })
    },
    sees: |_| Sees::All,
    bounds: Bounding::Perhaps,
    ..PLAIN
};

/// The threshold that admits everybody.
const ALL: u64 = u64::MAX;

/// Priorities that are told apart.
const PRIORITIES: u32 = 64;

#[derive(Clone, Debug)]
struct Dagor {
    target: Duration,
    window: Duration,
    requests: u64,
    decrease: f64,
    increase: f64,
    users: u64,
    /// The highest level that is admitted.
    threshold: u64,
    /// When the window began; none: nobody has come yet.
    began: Option<Instant>,
    /// Arrivals of the window by level.
    arrived: BTreeMap<u64, u64>,
    /// All of them, and those admitted.
    came: u64,
    admitted: u64,
    /// Attempts that began service in the window, and how long they had waited, together.
    started: u64,
    waited_ns: u128,
}

impl Dagor {
    /// The level of a request: lower is more important.
    fn level(&self, asked: &Admission) -> u64 {
        let hour = asked.now.0 / (3600 * SECOND);
        let user = Stream::new(hour, 0, "dagor").at(asked.who.key).bits() % self.users;
        u64::from(asked.who.priority.min(PRIORITIES - 1)) * self.users + user
    }

    /// Ends the window, if it is over.
    fn look_back(&mut self, now: Instant) {
        let began = *self.began.get_or_insert(now);
        if now.since(began) < self.window && self.came < self.requests {
            return;
        }
        // A window in which nobody began tells nothing.
        if self.started > 0 {
            let average_ns = self.waited_ns / u128::from(self.started);
            let admitted = self.admitted as f64;
            let expected = if average_ns > u128::from(self.target.0) {
                admitted * (1.0 - self.decrease)
            } else {
                admitted + self.came as f64 * self.increase
            };
            self.threshold = self.threshold_for(expected);
        }
        self.began = Some(now);
        self.arrived.clear();
        (self.came, self.admitted, self.started, self.waited_ns) = (0, 0, 0, 0);
    }

    /// The highest threshold that would have admitted no more than expected of those that came; the most
    /// important level of all is admitted in any case, lest nobody be and nothing be learnt any more.
    fn threshold_for(&self, expected: f64) -> u64 {
        let mut sum = 0;
        let mut threshold = self.arrived.keys().next().copied().unwrap_or(0);
        for (&level, &count) in &self.arrived {
            sum += count;
            if sum as f64 > expected {
                return threshold;
            }
            threshold = level;
        }
        ALL
    }
}

impl Guard for Dagor {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        self.look_back(asked.now);
        let level = self.level(asked);
        *self.arrived.entry(level).or_default() += 1;
        self.came += 1;
        if level > self.threshold {
            return Verdict::Refuse;
        }
        self.admitted += 1;
        Verdict::Pass
    }

    fn begins(&mut self, _: &Admission, waited: Duration) -> bool {
        self.started += 1;
        self.waited_ns += u128::from(waited.0);
        true
    }

    fn gauge(&self, _: Instant) -> (&'static str, f64) {
        let highest = u64::from(PRIORITIES) * self.users - 1;
        ("threshold", self.threshold.min(highest) as f64)
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Who;
    use super::super::testing::{asked, draws, guard};
    use super::*;
    use crate::extension::ParamValue::{Integer, Number};

    fn of(millis: u64, priority: u32, key: u64) -> Admission {
        let who = Who {
            priority,
            key,
            ..Who::default()
        };
        Admission {
            who,
            ..asked(millis, 1)
        }
    }

    /// How many of each of four priorities pass, of ten of each that come in the second given and wait
    /// so long where they pass.
    fn second(dagor: &mut Box<dyn Guard>, second: u64, wait_ms: u64) -> [u32; 4] {
        let mut passed = [0; 4];
        for n in 0..40 {
            let priority = n % 4;
            let asked = of(second * 1000 + u64::from(n), priority, 0);
            if dagor.admit(&asked, &mut draws(0)) == Verdict::Pass {
                passed[priority as usize] += 1;
                dagor.begins(&asked, Duration::from_millis(wait_ms));
            }
        }
        passed
    }

    #[test]
    fn the_threshold_falls_with_the_wait_and_rises_slowly() {
        let params = [
            ("users", Integer(1)),
            ("decrease", Number(0.3)),
            ("increase", Number(0.3)),
        ];
        let mut dagor = guard(&GUARD, &params);
        assert_eq!(
            second(&mut dagor, 0, 20),
            [10; 4],
            "waits as long as it may"
        );
        assert_eq!(second(&mut dagor, 1, 21), [10; 4]);
        // 0.7 · 40 = 28: two priorities of ten.
        assert_eq!(second(&mut dagor, 2, 21), [10, 10, 0, 0]);
        // 0.7 · 20 = 14: one.
        assert_eq!(second(&mut dagor, 3, 0), [10, 0, 0, 0]);
        // 10 + 0.3 · 40 = 22: two; then 32, three; then 42, all.
        assert_eq!(second(&mut dagor, 4, 0), [10, 10, 0, 0]);
        assert_eq!(second(&mut dagor, 5, 0), [10, 10, 10, 0]);
        assert_eq!(second(&mut dagor, 6, 0), [10; 4]);
    }

    #[test]
    fn the_most_important_level_is_never_refused() {
        let mut dagor = guard(&GUARD, &[("decrease", Number(0.9))]);
        for n in 0..10_000 {
            let asked = of(n, 3, 7);
            assert_eq!(dagor.admit(&asked, &mut draws(n)), Verdict::Pass, "{n}");
            dagor.begins(&asked, Duration::from_secs(1));
        }
    }

    #[test]
    fn users_are_treated_alike_until_the_hour_is_over() {
        let mut dagor = guard(&GUARD, &[("decrease", Number(0.5))]);
        let mut passed = |from_ms: u64| -> Vec<bool> {
            let users = 0..200;
            users
                .map(|user| {
                    let asked = of(from_ms + user, 0, user);
                    let passes = dagor.admit(&asked, &mut draws(user)) == Verdict::Pass;
                    if passes {
                        dagor.begins(&asked, Duration::from_millis(20));
                    }
                    passes
                })
                .collect()
        };
        assert!(passed(0).iter().all(|passes| *passes));
        // Nobody waits too long, but the threshold must go down once: by hand.
        let mut overloaded = dagor.clone();
        overloaded.begins(&of(500, 0, 0), Duration::from_secs(3600));
        let mut passed = |from_ms: u64| -> Vec<bool> {
            let mut admit = |user| overloaded.admit(&of(from_ms + user, 0, user), &mut draws(user));
            (0..200).map(|user| admit(user) == Verdict::Pass).collect()
        };
        let first = passed(1000);
        let share = first.iter().filter(|passes| **passes).count();
        assert!((80..=100).contains(&share), "{share} of half of 200");
        assert_eq!(passed(1400), first);
        assert_ne!(passed(3_600_000), first);
    }
}
