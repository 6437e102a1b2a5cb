//! Rate limit as nginx counts it: a leaking bucket in thousandths of a request, and whole milliseconds.
//!
//! A bucket's *excess* grows by 1000 with each request and leaks by the rate; a request whose excess
//! would be above `burst` is refused and leaves it as it was. Others are delayed until what is above
//! `delay` has leaked out, unless `nodelay`. Time is counted in whole milliseconds of the clock and the leak
//! in whole thousandths, rounded down: at exactly the rate, a request that comes a millisecond early
//! is refused.
//!
//! nginx 1.31, `ngx_http_limit_req_module`; a rate in requests a minute is written as so many sixtieths.

use super::per_key::{BY, KEYS, PerKey, is_by_key, sees};
use super::{Admission, Bounding, Guard, GuardDef, PLAIN, SHARED, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::{Duration, Instant};

const fn requests(name: &'static str, about: &'static str) -> ParamDef {
    ParamDef {
        name,
        about,
        kind: ParamKind::Integer {
            min: 0,
            max: 1_000_000_000,
            unit: "requests",
        },
        default: Some("0"),
    }
}

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "limit-req",
        about: "A rate limit as nginx counts it, in thousandths of a request and whole milliseconds.",
        source: "nginx 1.31, ngx_http_limit_req_module",
        params: &[
            ParamDef {
                name: "rate",
                about: "What leaks out of the bucket, in whole thousandths.",
                kind: ParamKind::Number {
                    min: 0.001,
                    max: 1e9,
                    unit: "requests per second",
                },
                default: None,
            },
            requests(
                "burst",
                "Excess that is let in; a request beyond it is refused.",
            ),
            requests(
                "delay",
                "Excess that is let through at once; what is above it is delayed.",
            ),
            ParamDef {
                name: "nodelay",
                about: "Whether nothing is delayed.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
            BY,
            KEYS,
            SHARED,
        ],
    },
    check,
    build: |params| {
        Box::new(LimitReq {
            rate: (params.number("rate") * THOUSAND as f64) as u64,
            burst: params.integer("burst") * THOUSAND,
            delay: if params.flag("nodelay") {
                u64::MAX
            } else {
                params.integer("delay") * THOUSAND
            },
            by_key: is_by_key(params),
            buckets: PerKey::new(params),
            latest: 0,
        })
    },
    sees,
    bounds: Bounding::Perhaps,
    ..PLAIN
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let [burst, delay] = ["burst", "delay"].map(|name| params.integer(name));
    if delay > 0 && params.flag("nodelay") {
        return Err(ParamProblem {
            param: "delay",
            message: "with nodelay = true nothing is delayed, whatever delay says".to_owned(),
        });
    }
    if delay > burst {
        return Err(ParamProblem {
            param: "delay",
            message: format!("delay = {delay} is above burst = {burst}: nothing would be delayed"),
        });
    }
    Ok(())
}

const MILLISECOND_NS: u64 = 1_000_000;

/// Thousandths of a request.
const THOUSAND: u64 = 1000;

#[derive(Clone, Debug)]
struct LimitReq {
    /// Thousandths of a request a second; the others in thousandths of a request.
    rate: u64,
    burst: u64,
    delay: u64,
    by_key: bool,
    buckets: PerKey<Bucket>,
    /// Excess of the request that came last, for the gauge.
    latest: u64,
}

#[derive(Clone, Debug)]
struct Bucket {
    excess: u64,
    /// When it was filled last, in milliseconds.
    at_ms: u64,
}

impl Guard for LimitReq {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        let now_ms = asked.now.0 / MILLISECOND_NS;
        let key = if self.by_key { asked.who.key } else { 0 };
        let (bucket, is_new) = self.buckets.of(key, || Bucket {
            excess: 0,
            at_ms: now_ms,
        });
        if is_new {
            self.latest = 0;
            return Verdict::Pass;
        }
        let leaked = u128::from(self.rate) * u128::from(now_ms - bucket.at_ms) / 1000;
        let leaked = u64::try_from(leaked).unwrap_or(u64::MAX);
        let excess = (bucket.excess + THOUSAND).saturating_sub(leaked);
        self.latest = excess;
        if excess > self.burst {
            return Verdict::Refuse;
        }
        *bucket = Bucket {
            excess,
            at_ms: now_ms,
        };
        let beyond = excess.saturating_sub(self.delay);
        match beyond * 1000 / self.rate {
            0 => Verdict::Pass,
            delay_ms => Verdict::Delay(Duration::from_millis(delay_ms)),
        }
    }

    fn gauge(&self, _: Instant) -> (&'static str, f64) {
        ("excess", self.latest as f64 / THOUSAND as f64)
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Who;
    use super::super::testing::{asked, at, draws, guard};
    use super::*;
    use crate::extension::ParamValue::{Choice, Flag, Integer, Number};
    use Verdict::{Pass, Refuse};

    fn verdicts(guard: &mut Box<dyn Guard>, millis: &[u64]) -> Vec<Verdict> {
        let admit = |at: &u64| guard.admit(&asked(*at, 1), &mut draws(0));
        millis.iter().map(admit).collect()
    }

    fn limit(more: &[(&'static str, crate::extension::ParamValue)]) -> Box<dyn Guard> {
        let mut params = vec![("rate", Number(10.0))];
        params.extend_from_slice(more);
        guard(&GUARD, &params)
    }

    /// What nginx 1.22 did with 20 requests at once and one each 100 ms after that, `rate=10r/s burst=5`.
    #[test]
    fn twenty_at_once() {
        let mut times = [0; 21];
        times[20] = 100;
        let five = ("burst", Integer(5));
        let passed = |limit: &mut Box<dyn Guard>| {
            let verdicts = verdicts(limit, &times);
            let refused = verdicts.iter().filter(|v| **v == Refuse).count();
            (verdicts[..6].to_vec(), refused)
        };
        let mut nodelay = limit(&[five.clone(), ("nodelay", Flag(true))]);
        assert_eq!(passed(&mut nodelay), (vec![Pass; 6], 14));
        let delays = |from: u64| {
            let delay = move |n: u64| match n.saturating_sub(from) * 100 {
                0 => Pass,
                ms => Verdict::Delay(Duration::from_millis(ms)),
            };
            (0..6).map(delay).collect::<Vec<_>>()
        };
        assert_eq!(
            passed(&mut limit(std::slice::from_ref(&five))),
            (delays(0), 14)
        );
        let three = ("delay", Integer(3));
        assert_eq!(passed(&mut limit(&[five, three])), (delays(3), 14));
    }

    #[test]
    fn excess_in_thousandths() {
        let mut limit = limit(&[("burst", Integer(2)), ("nodelay", Flag(true))]);
        let mut excess = |millis: u64| {
            let verdict = limit.admit(&asked(millis, 1), &mut draws(0));
            (verdict == Pass, limit.gauge(Instant::ZERO).1)
        };
        assert_eq!(excess(0), (true, 0.0), "the first is not counted");
        assert_eq!(excess(0), (true, 1.0));
        assert_eq!(excess(33), (true, 1.67), "1 + 1 - 0.33");
        assert_eq!(
            excess(50),
            (false, 2.5),
            "1.67 + 1 - 0.17, and is not counted"
        );
        assert_eq!(excess(100), (true, 2.0));
        assert_eq!(excess(1000), (true, 0.0));
    }

    #[test]
    fn a_millisecond_early_is_too_early_and_the_clock_has_whole_ones() {
        let every = |millis: u64| (0..10).map(|n| n * millis).collect::<Vec<_>>();
        assert_eq!(verdicts(&mut limit(&[]), &every(100)), [Pass; 10]);
        let expected = [[Pass, Refuse]; 5].concat();
        assert_eq!(verdicts(&mut limit(&[]), &every(99)), expected);
        // From 0.9 ms to 100.1 ms are 99.2 ms, but a hundred of the clock's.
        let mut limit = limit(&[]);
        let mut admit = |micros: u64| {
            let now = at(0) + Duration(micros * 1000);
            limit.admit(&Admission { now, ..asked(0, 1) }, &mut draws(0))
        };
        assert_eq!([admit(900), admit(100_100)], [Pass, Pass]);
    }

    #[test]
    fn keys_have_buckets_of_their_own() {
        let mut limit = limit(&[("by", Choice(1))]);
        let mut admit = |key| {
            let who = Who {
                key,
                ..Who::default()
            };
            limit.admit(&Admission { who, ..asked(0, 1) }, &mut draws(0))
        };
        let found = [admit(1), admit(2), admit(1)];
        assert_eq!(found, [Pass, Pass, Refuse]);
    }

    #[test]
    fn delays_that_would_do_nothing_are_named() {
        let of = |delay, nodelay| {
            let values = vec![
                ("burst", Integer(5)),
                ("delay", Integer(delay)),
                ("nodelay", Flag(nodelay)),
            ];
            check(&Params::new(values)).map_err(|problem| problem.message)
        };
        assert_eq!(of(5, false), Ok(()));
        let above = "delay = 6 is above burst = 5: nothing would be delayed";
        assert_eq!(of(6, false), Err(above.to_owned()));
        assert!(of(1, true).is_err());
    }
}
