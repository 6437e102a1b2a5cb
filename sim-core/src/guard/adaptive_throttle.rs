//! Adaptive throttling.
//!
//! Over the last two minutes a caller counts what it wanted to send and what was accepted. While
//! the first exceeds `k` times the second it refuses attempts by itself, with probability
//! max(0, (requests - k · accepts) / (requests + 1)): the more the other side turns away, the less
//! it is asked. Accepted is what was answered, well or with an error. An attempt counts when it has
//! ended or was refused here: those in flight have told nothing yet, and would look like failures
//! whenever traffic begins.
//!
//! "Site Reliability Engineering", O'Reilly 2016, chapter 21, "Client-Side Throttling".

use super::{Admission, Bounding, Ended, Guard, GuardDef, PLAIN, SHARED, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "adaptive-throttle",
        about: "Refuses attempts with a probability that grows with the share of them that was turned away of late.",
        source: "Site Reliability Engineering, O'Reilly 2016, chapter 21, Client-Side Throttling",
        params: &[
            ParamDef {
                name: "k",
                about: "Attempts sent for each that is accepted, before any is refused; lower refuses sooner.",
                kind: ParamKind::Number {
                    min: 1.0,
                    max: 1000.0,
                    unit: "",
                },
                default: Some("2"),
            },
            ParamDef {
                name: "window",
                about: "How far back it counts.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("2m"),
            },
            SHARED,
        ],
    },
    build: |params| {
        Box::new(AdaptiveThrottle {
            k: params.number("k"),
            slice_ns: (params.span("window").0 / SLICES as u64).max(1),
            slices: [[0; 2]; SLICES],
            total: [0; 2],
            latest: 0,
            ends: 0,
        })
    },
    bounds: Bounding::Perhaps,
    ..PLAIN
};

/// Parts of the window: it moves on by one at a time.
const SLICES: usize = 20;

const REQUESTS: usize = 0;
const ACCEPTS: usize = 1;

#[derive(Clone, Debug)]
struct AdaptiveThrottle {
    k: f64,
    slice_ns: u64,
    /// Requests and accepts of each slice, its number modulo their count, and of all of them.
    slices: [[u64; 2]; SLICES],
    total: [u64; 2],
    /// Number of the latest slice, and when it ends.
    latest: u64,
    ends: u64,
}

impl AdaptiveThrottle {
    fn move_to(&mut self, now: Instant) {
        if now.0 < self.ends {
            return;
        }
        let slice = now.0 / self.slice_ns;
        // Beyond a whole window everything is forgotten: no need to go round twice.
        let stale = (slice - self.latest).min(SLICES as u64);
        for passed in 1..=stale {
            let old = &mut self.slices[((self.latest + passed) % SLICES as u64) as usize];
            self.total[0] -= old[0];
            self.total[1] -= old[1];
            *old = [0; 2];
        }
        self.latest = slice;
        self.ends = (slice + 1).saturating_mul(self.slice_ns);
    }

    fn count(&mut self, what: usize) {
        self.slices[(self.latest % SLICES as u64) as usize][what] += 1;
        self.total[what] += 1;
    }

    fn probability(&self) -> f64 {
        let [requests, accepts] = self.total.map(|count| count as f64);
        let beyond = requests - self.k * accepts;
        // Nearly always: no division then.
        if beyond <= 0.0 {
            return 0.0;
        }
        beyond / (requests + 1.0)
    }
}

impl Guard for AdaptiveThrottle {
    fn admit(&mut self, asked: &Admission, draws: &mut Draws) -> Verdict {
        self.move_to(asked.now);
        let probability = self.probability();
        if probability > 0.0 && draws.chance(probability) {
            self.count(REQUESTS);
            return Verdict::Refuse;
        }
        Verdict::Pass
    }

    fn ended(&mut self, ended: &Ended) -> bool {
        self.move_to(ended.now);
        match ended.outcome {
            Outcome::Succeeded | Outcome::Errored => {
                self.count(REQUESTS);
                self.count(ACCEPTS);
            }
            Outcome::Cancelled => {}
            _ => self.count(REQUESTS),
        }
        false
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
    use super::super::testing::{asked, draws, ended, guard};
    use super::*;

    /// Attempts passed of the last 5 000 of 10 000, one a millisecond, of which every second one
    /// that is sent is accepted, or none.
    fn passed(accept: bool) -> usize {
        let window = crate::extension::ParamValue::Span(Duration::from_secs(1));
        let mut throttle = guard(&GUARD, &[("window", window)]);
        let mut passed = 0;
        for i in 0..10_000 {
            if throttle.admit(&asked(i, 1), &mut draws(i)) == Verdict::Pass {
                passed += usize::from(i >= 5_000);
                let outcome = if accept && i % 2 == 0 {
                    Outcome::Succeeded
                } else {
                    Outcome::Rejected
                };
                throttle.ended(&ended(i, i, outcome));
            }
        }
        passed
    }

    #[test]
    fn half_accepted_is_just_enough_and_nothing_accepted_leaves_a_trickle() {
        // With k = 2 and half of what is sent accepted nearly all is sent; the noise refuses a little.
        assert!(passed(true) > 3_500, "{}", passed(true));
        // With no accepts at all p = n / (n + 1), n being the thousand of the window: five or so pass.
        assert!((1..30).contains(&passed(false)), "{}", passed(false));
    }

    #[test]
    fn what_is_older_than_the_window_is_forgotten() {
        let mut throttle = guard(&GUARD, &[]);
        for i in 0..1_000 {
            throttle.ended(&ended(i, i, Outcome::TimedOut));
        }
        assert!(throttle.gauge(Instant::ZERO).1 > 0.99);
        let later = 1_000 + 121_000;
        assert_eq!(
            throttle.admit(&asked(later, 1), &mut draws(0)),
            Verdict::Pass
        );
        assert!(throttle.gauge(Instant::ZERO).1 < 0.6);
    }
}
