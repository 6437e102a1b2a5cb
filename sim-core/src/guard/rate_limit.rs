//! Rate limit: a token bucket.
//!
//! `rate` tokens a second flow into a bucket that holds `burst`, and each attempt takes one. Who
//! finds none is refused, or waits for the next if that is no longer than `wait` away: then the
//! bucket leaks evenly, as nginx's `limit_req` without `nodelay`.
//!
//! Kept as one number, the moment at which the bucket would be full again, in fractions of a
//! nanosecond, so that no rate drifts: the generic cell rate algorithm (ITU-T I.371, 2004, annex A).

use super::{Admission, Bounding, Guard, GuardDef, PLAIN, SHARED, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::{Duration, Instant, SECOND};

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "rate-limit",
        about: "A token bucket: so many attempts a second, and a burst.",
        source: "Generic cell rate algorithm: ITU-T I.371, 2004, annex A",
        params: &[
            ParamDef {
                name: "rate",
                about: "Attempts passed in the long run.",
                kind: ParamKind::Number {
                    min: 1e-6,
                    max: 1e9,
                    unit: "attempts per second",
                },
                default: None,
            },
            ParamDef {
                name: "burst",
                about: "Attempts that may come at once after a pause.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1_000_000_000,
                    unit: "attempts",
                },
                default: Some("1"),
            },
            ParamDef {
                name: "wait",
                about: "Longest wait for a token; who would wait longer is refused.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("0s"),
            },
            SHARED,
        ],
    },
    build: |params| {
        let interval = (SECOND as f64 / params.number("rate") * PARTS as f64).round();
        let interval = (interval as u128).max(1);
        Box::new(RateLimit {
            interval,
            tolerance: interval * u128::from(params.integer("burst") - 1),
            wait: params.span("wait"),
            full_at: 0,
        })
    },
    bounds: Bounding::Perhaps,
    ..PLAIN
};

/// Parts of a nanosecond.
const PARTS: u128 = 1 << 20;

#[derive(Clone, Debug)]
struct RateLimit {
    /// Time between tokens, and how far ahead of time a burst may go, in parts.
    interval: u128,
    tolerance: u128,
    wait: Duration,
    /// When the bucket is full, in parts.
    full_at: u128,
}

impl Guard for RateLimit {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        let now = u128::from(asked.now.0) * PARTS;
        let full_at = self.full_at.max(now);
        let token_at = full_at.saturating_sub(self.tolerance).max(now);
        // Rounded up: nobody passes before there is a token.
        let wait = (token_at - now).div_ceil(PARTS) as u64;
        if wait > self.wait.0 {
            return Verdict::Refuse;
        }
        self.full_at = full_at + self.interval;
        if wait == 0 {
            Verdict::Pass
        } else {
            Verdict::Delay(Duration(wait))
        }
    }

    fn gauge(&self, now: Instant) -> (&'static str, f64) {
        let missing = self.full_at.saturating_sub(u128::from(now.0) * PARTS);
        let burst = (self.tolerance / self.interval + 1) as f64;
        let tokens = burst - missing as f64 / self.interval as f64;
        ("tokens", tokens.max(0.0))
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, draws, guard};
    use super::*;
    use crate::extension::ParamValue::{Integer, Number, Span};

    fn verdicts(guard: &mut Box<dyn Guard>, millis: &[u64]) -> Vec<Verdict> {
        let admit = |at: &u64| guard.admit(&asked(*at, 1), &mut draws(0));
        millis.iter().map(admit).collect()
    }

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        use Verdict::{Pass, Refuse};
        let mut limit = guard(&GUARD, &[("rate", Number(10.0)), ("burst", Integer(2))]);
        let at = [0, 0, 0, 99, 100, 100, 1000, 1000, 1000];
        let expected = [Pass, Pass, Refuse, Refuse, Pass, Refuse, Pass, Pass, Refuse];
        assert_eq!(verdicts(&mut limit, &at), expected);
    }

    /// Envoy's local rate limit, whose tokens come one by one: one each 200 ms, of which one is kept.
    #[test]
    fn case_297_bucket_1() {
        use Verdict::{Pass, Refuse};
        let mut limit = guard(&GUARD, &[("rate", Number(5.0)), ("burst", Integer(1))]);
        let at = [0, 0, 0, 200, 200, 600, 600];
        let expected = [Pass, Refuse, Refuse, Pass, Refuse, Pass, Refuse];
        assert_eq!(verdicts(&mut limit, &at), expected);
    }

    #[test]
    fn who_may_wait_is_passed_in_turn() {
        let params = [
            ("rate", Number(10.0)),
            ("wait", Span(Duration::from_millis(150))),
        ];
        let mut limit = guard(&GUARD, &params);
        let delay = |millis| Verdict::Delay(Duration::from_millis(millis));
        let expected = [Verdict::Pass, delay(100), Verdict::Refuse, delay(150)];
        assert_eq!(verdicts(&mut limit, &[0, 0, 0, 50]), expected);
    }

    #[test]
    fn no_rate_drifts() {
        // 3 a second do not divide a second. Ten hours of tokens are asked for at once: the last is
        // due after ten hours, to the nanosecond.
        let params = [
            ("rate", Number(3.0)),
            ("wait", Span(Duration::from_secs(36_000))),
        ];
        let mut limit = guard(&GUARD, &params);
        for token in 0..=108_000_u64 {
            let due = (token * SECOND).div_ceil(3);
            let expected = match due {
                0 => Verdict::Pass,
                due => Verdict::Delay(Duration(due)),
            };
            let verdict = limit.admit(&asked(0, 1), &mut draws(0));
            assert_eq!(verdict, expected, "token {token}");
        }
        assert_eq!(
            limit.admit(&asked(0, 1), &mut draws(0)),
            Verdict::Refuse,
            "too long a wait"
        );
    }
}
