//! The retry budget of tower, `TpsBudget`.
//!
//! Each success deposits; a retry withdraws, and is not made where there is too little. What is there is a reserve of
//! `min_per_sec` retries for each second of `ttl`, and what was deposited less what was withdrawn in the last
//! `ttl`, in ten slots. It counts in whole parts: with 0.2 a deposit is 1 and a withdrawal 5, and with 0.3 a
//! withdrawal is 3, so that a third and not three tenths are allowed.
//!
//! A slot ends when somebody asks, and each time one is asked even a little later than its length two slots go: under
//! steady traffic, where hardly anybody asks at the very moment, a window of 10 s lasts little more than five.
//! tower 0.5.3, `retry/budget/tps_budget.rs`, observed.

use super::{Admission, Asked, Ended, Guard, GuardDef, PLAIN, SHARED, Stands, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant, SECOND};

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "tower-budget",
        about: "The retry budget of tower: a reserve for each second, and a share of what succeeded in the last ten.",
        source: "tower 0.5.3, TpsBudget::default, observed",
        params: &[
            ParamDef {
                name: "ttl",
                about: "For how long a deposit counts, 1s to 60s.",
                kind: ParamKind::Span {
                    min: Duration::from_secs(1),
                },
                default: Some("10s"),
            },
            ParamDef {
                name: "min_per_sec",
                about: "Retries that are allowed in each second of that whatever succeeds.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 1_000_000_000,
                    unit: "retries per second",
                },
                default: Some("10"),
            },
            ParamDef {
                name: "retry_percent",
                about: "Retries for each success, beside those: 0.2 is a fifth.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 1000.0,
                    unit: "",
                },
                default: Some("0.2"),
            },
            SHARED,
        ],
    },
    check: |params| {
        if params.span("ttl") > Duration::from_secs(60) {
            return Err(ParamProblem {
                param: "ttl",
                message: "tower takes no more than 60s".to_owned(),
            });
        }
        Ok(())
    },
    stands: Stands::AtCallers,
    build: |params| Box::new(TowerBudget::new(params)),
    asked: Asked::BeforePause,
    ..PLAIN
};

const SLOTS: usize = 10;

#[derive(Clone, Debug)]
struct TowerBudget {
    deposit: i64,
    withdrawal: i64,
    reserve: i64,
    /// Length of a slot, in nanoseconds.
    window: u64,
    slots: [i64; SLOTS],
    /// The slot that is filled next, since when, and what will be in it.
    index: usize,
    since: u64,
    current: i64,
}

impl TowerBudget {
    fn new(params: &Params) -> Self {
        // Percents are 32-bit numbers there.
        let percent = params.number("retry_percent") as f32;
        let (deposit, withdrawal) = if percent == 0.0 {
            (0, 1)
        } else if percent <= 1.0 {
            (1, (1.0 / percent) as i64)
        } else {
            (1000, (1000.0 / percent) as i64)
        };
        let ttl = params.span("ttl");
        let seconds = (ttl.0 / SECOND).cast_signed();
        Self {
            deposit,
            withdrawal,
            reserve: params
                .integer("min_per_sec")
                .cast_signed()
                .saturating_mul(seconds)
                .saturating_mul(withdrawal),
            window: ttl.0 / SLOTS as u64,
            slots: [0; SLOTS],
            index: 0,
            since: 0,
            current: 0,
        }
    }

    fn expire(&mut self, now: u64) {
        let passed = now - self.since;
        if passed < self.window {
            return;
        }
        self.slots[self.index] = std::mem::take(&mut self.current);
        // What is left beyond one window empties a slot for each that has begun.
        let more = (passed.div_ceil(self.window) - 1) as usize;
        for empty in 0..more.min(SLOTS) {
            self.slots[(self.index + 1 + empty) % SLOTS] = 0;
        }
        self.index = (self.index + 1 + more % SLOTS) % SLOTS;
        self.since = now;
    }

    fn sum(&self) -> i64 {
        let slots = self
            .slots
            .iter()
            .fold(0, |sum: i64, of| sum.saturating_add(*of));
        self.current
            .saturating_add(slots)
            .saturating_add(self.reserve)
    }
}

impl Guard for TowerBudget {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        if asked.attempt == 1 {
            return Verdict::Pass;
        }
        self.expire(asked.now.0);
        if self.sum() < self.withdrawal {
            return Verdict::Stop;
        }
        self.current -= self.withdrawal;
        Verdict::Pass
    }

    fn ended(&mut self, ended: &Ended) -> bool {
        if ended.outcome == Outcome::Succeeded {
            self.expire(ended.now.0);
            self.current = self.current.saturating_add(self.deposit);
        }
        false
    }

    fn gauge(&self, _: Instant) -> (&'static str, f64) {
        ("retries", (self.sum() / self.withdrawal.max(1)) as f64)
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, draws, ended, guard};
    use super::*;
    use crate::extension::ParamValue::{self, Integer, Number, Span};
    use crate::outcome::Outcome::{Errored, Succeeded};

    fn retry(guard: &mut Box<dyn Guard>, millis: u64) -> bool {
        guard.admit(&asked(millis, 2), &mut draws(0)) == Verdict::Pass
    }

    fn retries(guard: &mut Box<dyn Guard>, millis: u64) -> usize {
        (0..1000).take_while(|_| retry(guard, millis)).count()
    }

    fn succeed(guard: &mut Box<dyn Guard>, millis: u64) {
        guard.ended(&ended(millis, millis, Succeeded));
    }

    fn budget(ttl: u64, min: u64, percent: f64) -> Box<dyn Guard> {
        let some: [(&str, ParamValue); 3] = [
            ("ttl", Span(Duration::from_secs(ttl))),
            ("min_per_sec", Integer(min)),
            ("retry_percent", Number(percent)),
        ];
        guard(&GUARD, &some)
    }

    /// B18: 100 withdrawals at the start, and 100 deposits buy 20.
    #[test]
    fn it_comes_with_a_hundred_retries_and_a_fifth_of_what_succeeds() {
        let mut tower = guard(&GUARD, &[]);
        assert_eq!(retries(&mut tower, 0), 100);
        for _ in 0..100 {
            succeed(&mut tower, 1);
        }
        tower.ended(&ended(1, 1, Errored));
        assert_eq!(retries(&mut tower, 1), 20);
    }

    /// The tests of tower itself: `tps_empty`, `tps_leaky`, `tps_slots` and `tps_reserve`.
    #[test]
    fn it_passes_the_tests_of_tower() {
        assert!(!retry(&mut budget(1, 0, 1.0), 0));
        let mut leaky = budget(1, 0, 1.0);
        succeed(&mut leaky, 0);
        assert!(!retry(&mut leaky, 3000));
        let mut slots = budget(1, 0, 0.5);
        succeed(&mut slots, 0);
        succeed(&mut slots, 0);
        assert!(retry(&mut slots, 901));
        succeed(&mut slots, 2902);
        succeed(&mut slots, 3203);
        succeed(&mut slots, 4004);
        assert!(retry(&mut slots, 4004));
        let mut reserve = budget(1, 5, 1.0);
        assert_eq!(retries(&mut reserve, 0), 5);
    }

    /// The slots of a request each 1001 ms go two by two: what was withdrawn is forgotten after six and not after
    /// ten seconds, as it is where somebody asks each second exactly.
    #[test]
    fn asked_a_little_late_its_window_is_half_as_long() {
        let back_after = |gap: u64| {
            let mut tower = budget(10, 10, 0.2);
            assert_eq!(retries(&mut tower, 0), 100);
            let asks = (1..).map(|n| n * gap);
            asks.take(20).find(|&at| retry(&mut tower, at))
        };
        assert_eq!(back_after(1000), Some(11_000));
        assert_eq!(back_after(1001), Some(6006));
    }

    #[test]
    fn parts_are_whole() {
        let mut third = budget(1, 0, 0.3);
        for _ in 0..9 {
            succeed(&mut third, 0);
        }
        assert_eq!(retries(&mut third, 0), 3);
        let mut twice = budget(1, 0, 2.0);
        succeed(&mut twice, 0);
        assert_eq!(retries(&mut twice, 0), 2);
        let mut none = budget(2, 3, 0.0);
        succeed(&mut none, 0);
        assert_eq!(retries(&mut none, 0), 6);
    }

    #[test]
    fn a_deposit_counts_for_a_minute_at_most() {
        let text = "horizon = \"1s\"\n[[traffic]]\nto = \"web\"\nrate = 1\n[client]\nretry = \"fixed\"\nguards = [{ kind = \"tower-budget\", ttl = \"61s\" }]\n[service.web]\ndemand = \"1ms\"\nserver = [{ name = \"s\", workers = 1 }]\n";
        let problems = crate::scenario::parse(text)
            .expect_err("too long")
            .to_string();
        assert!(problems.contains("no more than 60s"), "{problems}");
        assert!(crate::scenario::parse(&text.replace("61s", "60s")).is_ok());
    }
}
