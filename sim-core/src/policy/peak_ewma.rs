//! Peak-EWMA: the cheaper of a few servers by response time and attempts in flight.
//!
//! A server's cost is a moving average of its response times that jumps to every peak at once and forgets it
//! slowly, multiplied with what is in flight there and the new attempt. Looking at a cost lets it decay, as in
//! Finagle, so that a server which was slow once is tried again. A server without a response yet costs nothing until it
//! has something in flight, and then more than anybody: it gets one attempt at a time until it has answered. Linkerd starts it
//! at 30 ms instead (`initial`). Two are compared and not all, at the cost of two draws; of equals the first drawn. An
//! answer that fails counts as quick as it is: who fails fast looks good, unless `failures` says otherwise.

use super::power_of_d::{D_MAX, less_of_two, nth_absent};
use super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};

/// What a server costs that has attempts in flight and has never answered: more than any that has.
const PENALTY: f64 = 1e30;

/// Whether attempts that failed count in averages of response times.
pub(super) const FAILURES: ParamDef = ParamDef {
    name: "failures",
    about: "Whether attempts that failed count with the time they took; those that were called off never do.",
    kind: ParamKind::Choice(&["counted", "ignored"]),
    default: Some("counted"),
};

/// Whether the time of an attempt says something of its server.
#[inline]
pub(super) fn tells(outcome: Outcome, failures_count: bool) -> bool {
    match outcome {
        Outcome::Succeeded => true,
        Outcome::Cancelled => false,
        _ => failures_count,
    }
}

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "peak-ewma",
        about: "Samples d eligible servers and takes the one of least cost: a moving average of response times that jumps to peaks, times the attempts in flight with the new one. Weights are ignored.",
        source: "Finagle, PeakEwma and P2C; Linkerd; tower, PeakEwma",
        params: &[
            ParamDef {
                name: "d",
                about: "How many distinct servers are sampled.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: D_MAX as u64,
                    unit: "servers",
                },
                default: Some("2"),
            },
            ParamDef {
                name: "decay",
                about: "The time in which a cost falls to 1/e, and in which an average forgets as much of what was before.",
                kind: ParamKind::Span { min: Duration(1) },
                default: Some("10s"),
            },
            ParamDef {
                name: "initial",
                about: "The average of a server that has not answered yet; 0s: it costs nothing while idle, and more than any other while its first attempt is under way.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("0s"),
            },
            FAILURES,
        ],
    },
    farm: Farm::Unknown,
    follows_load: true,
    familiar: None,
    check: no_conditions,
    heeds_weights: false,
    by_weight: false,
    build: &|params| {
        Box::new(PeakEwma {
            d: params.integer("d") as usize,
            decay_ns: params.span("decay").0 as f64,
            initial_ns: params.span("initial").0 as f64,
            failures_count: params.choice("failures") == 0,
            averages: Vec::new(),
        })
    },
};

#[derive(Clone, Debug)]
struct PeakEwma {
    d: usize,
    decay_ns: f64,
    initial_ns: f64,
    failures_count: bool,
    averages: Vec<Average>,
}

/// A moving average of a server's response times.
#[derive(Clone, Copy, Debug)]
struct Average {
    ns: f64,
    /// As of when it is.
    at: Instant,
}

impl Average {
    /// What is left of it, and the share of it that remains.
    #[inline]
    fn decayed(&mut self, now: Instant, decay_ns: f64) -> f64 {
        let age = now.0.saturating_sub(self.at.0);
        self.at = now;
        if age == 0 {
            return 1.0;
        }
        let kept = libm::exp(-(age as f64) / decay_ns);
        self.ns *= kept;
        kept
    }

    /// A response took so long.
    #[inline]
    fn hear(&mut self, now: Instant, took: Duration, decay_ns: f64) {
        let took_ns = took.0 as f64;
        let before = self.ns;
        let kept = self.decayed(now, decay_ns);
        if took_ns > before {
            self.ns = took_ns;
        } else {
            self.ns += took_ns * (1.0 - kept);
        }
    }
}

impl PeakEwma {
    /// What it would cost to send an attempt there. Looking lets it decay.
    #[inline]
    fn cost(&mut self, fleet: &FleetView<'_>, server: u32) -> f64 {
        let pending = f64::from(fleet.in_flight[server as usize]);
        let average = &mut self.averages[server as usize];
        average.decayed(fleet.now, self.decay_ns);
        if average.ns <= 0.0 && pending > 0.0 {
            PENALTY + pending
        } else {
            average.ns * (pending + 1.0)
        }
    }
}

impl Policy for PeakEwma {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, draws: &mut Draws) -> Option<usize> {
        let eligible = fleet.eligible;
        if self.d == 2 {
            // The common case, free of the bookkeeping below; the same draws.
            let cost = |server| self.cost(fleet, server);
            return Some(less_of_two(eligible, cost, draws) as usize);
        }
        let n = eligible.len();
        let first = draws.below(n);
        let mut best = eligible[first];
        let wanted = self.d.min(n);
        if wanted == 1 {
            return Some(best as usize);
        }
        let mut least = self.cost(fleet, best);
        let mut drawn = [first; D_MAX];
        for count in 1..wanted {
            let position = nth_absent(draws.below(n - count), &mut drawn, count);
            let cost = self.cost(fleet, eligible[position]);
            if cost < least {
                (best, least) = (eligible[position], cost);
            }
        }
        Some(best as usize)
    }
    fn observes(&self) -> bool {
        true
    }
    fn on_finished(
        &mut self,
        now: Instant,
        server: usize,
        _: u32,
        outcome: Outcome,
        took: Duration,
    ) {
        if tells(outcome, self.failures_count) {
            self.averages[server].hear(now, took, self.decay_ns);
        }
    }
    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        let newcomer = Average {
            ns: self.initial_ns,
            at: fleet.now,
        };
        self.averages.resize(fleet.weights.len(), newcomer);
    }
    fn on_eligible_changed(&mut self, _: &FleetView<'_>, _: Option<&[u32]>) {
        // Who comes back is remembered as it was.
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;
    use crate::policy::fixture::{Fleet, build};

    const MS: u64 = 1_000_000;

    fn choose(policy: &mut Box<dyn Policy>, fleet: &Fleet, at_ms: u64) -> usize {
        let view = FleetView {
            now: Instant(at_ms * MS),
            ..fleet.view()
        };
        let draws = &mut Stream::new(1, 0, "p").at(at_ms);
        let choice = policy.pick(&view, &Job::default(), draws);
        choice.expect("somebody is eligible")
    }

    /// A policy of `servers` that have each answered once at time 0, after so many milliseconds.
    fn told(text: &str, took_ms: &[u64]) -> (Box<dyn Policy>, Fleet) {
        let fleet = Fleet::of(took_ms.len());
        let mut policy = build(text);
        policy.on_fleet_changed(&fleet.view());
        for (server, took) in took_ms.iter().enumerate() {
            let took = Duration::from_millis(*took);
            policy.on_finished(Instant::ZERO, server, 0, Outcome::Succeeded, took);
        }
        (policy, fleet)
    }

    #[test]
    fn cost_is_time_by_what_is_in_flight() {
        let (mut policy, mut fleet) = told("peak-ewma d=3", &[30, 10, 50]);
        fleet.in_flight = vec![0, 1, 0];
        assert_eq!(choose(&mut policy, &fleet, 0), 1, "20 against 30");
        fleet.in_flight[1] = 3;
        assert_eq!(choose(&mut policy, &fleet, 0), 0, "40 against 30");
    }

    #[test]
    fn a_peak_counts_at_once_and_good_news_slowly() {
        let mut average = Average {
            ns: 10.0,
            at: Instant(0),
        };
        average.hear(Instant(1), Duration(1000), 1000.0);
        assert!((average.ns - 1000.0).abs() < 1e-9);
        average.hear(Instant(1), Duration(10), 1000.0);
        assert!((average.ns - 1000.0).abs() < 1e-9, "no time has passed");
        average.hear(Instant(1001), Duration(10), 1000.0);
        let kept = libm::exp(-1.0);
        let expected = 1000.0 * kept + 10.0 * (1.0 - kept);
        assert!((average.ns - expected).abs() < 1e-9, "{}", average.ns);
    }

    #[test]
    fn who_was_slow_is_tried_again_once_its_cost_has_decayed() {
        let (mut policy, fleet) = told("peak-ewma decay=1s", &[1000, 10]);
        let tried = |policy: &mut Box<dyn Policy>, at_ms| {
            let choice = choose(policy, &fleet, at_ms);
            let quick = Duration::from_millis(10);
            policy.on_finished(Instant(at_ms * MS), 1, 0, Outcome::Succeeded, quick);
            choice == 0
        };
        // 1000 ms fall to the 10 ms of the other in 4.6 time constants; that one is kept up by answers.
        let first = (1..100).find(|i| tried(&mut policy, 100 * i));
        assert!(
            first.is_some_and(|first| (44..=48).contains(&first)),
            "{first:?}"
        );
    }

    #[test]
    fn a_newcomer_gets_one_attempt_until_it_has_answered_or_starts_at_a_guess() {
        let pick = |text: &str, in_flight| {
            let (mut policy, _) = told(text, &[50]);
            let fleet = Fleet {
                in_flight: vec![3, in_flight],
                ..Fleet::of(2)
            };
            policy.on_fleet_changed(&fleet.view());
            choose(&mut policy, &fleet, 0)
        };
        assert_eq!([0, 1, 6].map(|busy| pick("peak-ewma", busy)), [1, 0, 0]);
        // 30 ms an attempt against 50 ms for the fourth of the other.
        let guess = "peak-ewma initial=30ms";
        assert_eq!([0, 1, 6].map(|busy| pick(guess, busy)), [1, 1, 0]);
    }

    #[test]
    fn failures_look_quick_unless_ignored() {
        for (failures, chosen) in [("counted", 0), ("ignored", 1)] {
            let (mut policy, fleet) = told(&format!("peak-ewma failures={failures}"), &[50, 40]);
            let at = Instant(60_000 * MS);
            policy.on_finished(at, 0, 0, Outcome::Errored, Duration(MS));
            policy.on_finished(at, 0, 0, Outcome::Cancelled, Duration(100_000 * MS));
            let slow = Duration::from_millis(30);
            policy.on_finished(at, 1, 0, Outcome::Succeeded, slow);
            if failures == "ignored" {
                policy.on_finished(at, 0, 0, Outcome::Succeeded, Duration(50 * MS));
            }
            assert_eq!(choose(&mut policy, &fleet, 60_000), chosen, "{failures}");
        }
    }
}
