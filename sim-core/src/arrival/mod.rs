//! Arrivals: when a source emits requests.
//!
//! An open source draws gaps in *expected requests* (mean 1) and the engine stretches them by the
//! rate: the n-th request comes when the integral of the rate reaches the sum of the first n gaps.
//! This is exact for a Poisson process with a varying rate (Cinlar, "Introduction to Stochastic
//! Processes", 1975, chapter 4.7) and keeps the n-th gap the same whatever the rate is.

use crate::distribution::Distribution;
use crate::draws::{Draws, Stream};
use crate::extension::{Configured, Def, ExtensionRow, ParamProblem, Params, Registry};
use crate::time::Duration;
use std::fmt::Debug;
use std::sync::Arc;

mod batch;
mod clock;
mod closed;
mod deterministic;
mod mmpp;
mod poisson;
mod reconnect;
mod renewal;
mod sessions;
mod trace;

pub(crate) use trace::copies;

/// Every kind of arrivals a scenario can name.
pub static ARRIVALS: &[&ArrivalDef] = &[
    &poisson::ARRIVAL,
    &deterministic::ARRIVAL,
    &renewal::ARRIVAL,
    &batch::ARRIVAL,
    &mmpp::ARRIVAL,
    &closed::ARRIVAL,
    &sessions::ARRIVAL,
    &trace::ARRIVAL,
    &clock::ARRIVAL,
    &reconnect::ARRIVAL,
];

/// A row of [`ARRIVALS`].
pub struct ArrivalDef {
    /// Name, description, parameters.
    pub row: ExtensionRow,
    /// Whether the source's `rate` applies; otherwise writing one is an error.
    pub uses_rate: bool,
    /// Whether `rate_factor` multiplies its requests.
    pub heeds_factor: bool,
    /// Why there is no steady state to speak of, whatever the traffic; absent: there may be one.
    pub happens_once: Option<&'static str>,
    /// Conditions between parameters.
    pub check: fn(&Params) -> Result<(), ParamProblem>,
    /// Makes the process.
    pub build: fn(&Params) -> Arrivals,
}

/// Every row there is, those that were added among them.
static ROWS: Registry<ArrivalDef> = Registry::of(ARRIVALS);

impl Def for ArrivalDef {
    fn registry() -> &'static Registry<Self> {
        &ROWS
    }
    fn row(&self) -> &ExtensionRow {
        &self.row
    }
    fn check(&self, params: &Params) -> Result<(), ParamProblem> {
        (self.check)(params)
    }
}

impl Configured<ArrivalDef> {
    /// The process.
    pub fn build(&self) -> Arrivals {
        (self.def.build)(&self.params)
    }
}

/// How a source decides when to emit.
#[derive(Clone, Debug)]
pub enum Arrivals {
    /// Gaps stretched by the rate.
    Open(Arc<dyn Gaps>),
    /// Poisson arrivals whose rate jumps between phases.
    Modulated(Arc<[Phase]>),
    /// Users who think, ask, wait for the answer, and think again.
    Closed {
        /// How many.
        users: u32,
        /// Time between an answer and the next request.
        think: Arc<dyn Distribution>,
        /// Probability that one whose request failed does not come back.
        leave: f64,
    },
    /// Visitors who ask for one thing after another, and go.
    Sessions(Arc<Sessions>),
    /// Given moments, ascending.
    Trace(Arc<[Duration]>),
    /// Many at a time.
    Bursts(Bursts),
}

/// Visitors, each of whom asks for one thing after another.
#[derive(Debug)]
pub struct Sessions {
    /// Gaps between visitors.
    pub gaps: Arc<dyn Gaps>,
    /// How many requests each makes.
    pub requests: Lengths,
    /// Time between an answer and the next request.
    pub think: Arc<dyn Distribution>,
    /// Probability that one whose request failed goes without asking for the rest.
    pub leave: f64,
}

/// How many requests sessions have.
#[derive(Clone, PartialEq, Debug)]
pub enum Lengths {
    /// One of these numbers, all equally likely.
    Listed(Arc<[u16]>),
    /// Each request is the last with the same probability.
    Geometric {
        /// The mean.
        mean: f64,
    },
}

impl Lengths {
    /// No session has more requests: their numbers have room for so many.
    pub const MOST: u16 = 4000;

    /// The number of requests of a session.
    pub fn draw(&self, draws: &mut Draws) -> u16 {
        match self {
            Self::Listed(numbers) => numbers[draws.below(numbers.len())],
            Self::Geometric { mean } => {
                // An exponential number, rounded down, is geometric.
                let more = draws.exponential() / -libm::log1p(-1.0 / mean);
                1 + more.min(f64::from(Self::MOST - 1)) as u16
            }
        }
    }

    /// The mean.
    pub fn mean(&self) -> f64 {
        match self {
            Self::Listed(numbers) => mean_of(numbers, f64::from),
            Self::Geometric { mean } => *mean,
        }
    }

    /// The mean of the square.
    pub fn second_moment(&self) -> f64 {
        match self {
            Self::Listed(numbers) => mean_of(numbers, |n| f64::from(n) * f64::from(n)),
            Self::Geometric { mean } => mean * (2.0 * mean - 1.0),
        }
    }
}

fn mean_of(numbers: &[u16], of: impl Fn(u16) -> f64) -> f64 {
    numbers.iter().map(|number| of(*number)).sum::<f64>() / numbers.len() as f64
}

/// Rounds of requests: each so much later than its round as a law says.
#[derive(Clone, Debug)]
pub struct Bursts {
    /// When the first round begins.
    pub first: Duration,
    /// Time from one round to the next; absent: there is one.
    pub every: Option<Duration>,
    /// Requests of a round.
    pub count: u64,
    /// How much later than its round each request comes, and no later than the next round.
    pub skew: Arc<dyn Distribution>,
}

impl Bursts {
    /// When the requests of a round come, in nanoseconds, the latest first; `None`: there is no such round.
    pub(crate) fn round(&self, number: u64, stream: Stream) -> Option<Vec<u64>> {
        let begins = match self.every {
            None if number > 0 => return None,
            None => self.first.0,
            Some(every) => every.0.checked_mul(number)?.checked_add(self.first.0)?,
        };
        let longest = self.every.map_or(u64::MAX, |every| every.0);
        let of = |place| {
            let mut draws = stream.at(number * self.count + place);
            let skew = Duration::from_nanos_f64(self.skew.sample_ns(&mut draws)).0;
            begins.saturating_add(skew.min(longest))
        };
        let mut times: Vec<u64> = (0..self.count).map(of).collect();
        times.sort_unstable_by(|a, b| b.cmp(a));
        Some(times)
    }
}

impl Arrivals {
    /// Index of dispersion for counts over long times, at a mean rate of `rate_hz`: how much burstier
    /// than a Poisson process, which has 1, the arrivals are to a queue that takes long to drain.
    pub fn dispersion(&self, rate_hz: f64) -> f64 {
        match self {
            Self::Open(gaps) => gaps.dispersion(),
            Self::Sessions(sessions) => sessions.gaps.dispersion(),
            Self::Modulated(phases) => {
                // The variance of the rate's integral grows, per unit of time, by twice the mean of
                // f·g, where g is what f, the rate less its mean, adds up to from each phase on. In a
                // circle of phases g falls by f times the length from one phase to the next.
                let whole: f64 = phases.iter().map(|phase| phase.mean_ns).sum();
                let part = |phase: &Phase| phase.mean_ns / whole;
                let off = |phase: &Phase| (phase.factor - 1.0) * rate_hz;
                let mut g = 0.0;
                let mut sums = (0.0, 0.0);
                for phase in phases.iter() {
                    sums.0 += part(phase) * g;
                    sums.1 += part(phase) * off(phase) * g;
                    g -= off(phase) * phase.mean_ns / 1e9;
                }
                let centre: f64 = phases.iter().map(|p| part(p) * off(p)).sum();
                if rate_hz > 0.0 {
                    1.0 + 2.0 * (sums.1 - centre * sums.0) / rate_hz
                } else {
                    1.0
                }
            }
            Self::Closed { .. } | Self::Trace(_) | Self::Bursts(_) => 1.0,
        }
    }
}

/// A phase of modulated arrivals; the phases follow one another in a circle.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Gaps while it lasts: the rate is the source's times a factor.
    pub gaps: Arc<dyn Gaps>,
    /// The source's rate is multiplied by this while it lasts.
    pub factor: f64,
    /// Its mean length in nanoseconds; the length is exponential.
    pub mean_ns: f64,
}

/// Gaps between the requests of an open source.
pub trait Gaps: Debug + Send + Sync {
    /// The gap before request number `number` (from zero), in expected requests: mean 1.
    fn gap(&self, number: u64, draws: &mut Draws) -> f64;
    /// Whether when the next request comes does not depend on when others came: a Poisson process.
    fn is_memoryless(&self) -> bool {
        false
    }
    /// Index of dispersion for counts over long times: the variance of the number of requests over its
    /// mean, 1 for a Poisson process.
    fn dispersion(&self) -> f64 {
        1.0
    }
    /// The gaps before the requests from `first` on: one call for many.
    fn fill(&self, stream: Stream, first: u64, gaps: &mut [f64]) {
        for (number, gap) in (first..).zip(gaps) {
            *gap = self.gap(number, &mut stream.at(number));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::testing::{check_rows, example};

    #[test]
    fn rows_are_well_formed() {
        check_rows(ARRIVALS);
    }

    #[test]
    fn dispersion_is_that_of_the_counts() {
        // Two phases: 1 + 2 (r₁ − r₂)² a b / ((a + b)² (r₁ b + r₂ a)), with rates of leaving a and b
        // (Fischer and Meier-Hellstern, 1993, section 2.3).
        let params = |factors: &[f64], lengths: &[u64]| {
            let lengths: Vec<Duration> = lengths.iter().map(|s| Duration::from_secs(*s)).collect();
            Params::new(vec![
                (
                    "factors",
                    crate::extension::ParamValue::Numbers(factors.into()),
                ),
                (
                    "lengths",
                    crate::extension::ParamValue::Spans(lengths.into()),
                ),
            ])
        };
        let arrivals = (mmpp::ARRIVAL.build)(&params(&[5.0, 1.0], &[10, 30]));
        // Mean 2 of the factors; at a rate of 8/s the phases have 20/s and 4/s.
        let (r, a, b) = ((20.0, 4.0), 0.1, 1.0 / 30.0);
        let exact = 1.0 + 2.0 * 16.0 * 16.0 * a * b / ((a + b) * (a + b) * (r.0 * b + r.1 * a));
        let found = arrivals.dispersion(8.0);
        assert!((found - exact).abs() < 1e-9 * exact, "{found}, not {exact}");
        let plain = |def: &ArrivalDef| (def.build)(&Params::new(vec![])).dispersion(3.0);
        assert!((plain(&poisson::ARRIVAL) - 1.0).abs() < 1e-12);
        assert!(plain(&deterministic::ARRIVAL).abs() < 1e-12);
    }

    #[test]
    fn rounds_come_by_the_clock_and_a_little_later() {
        let stream = Stream::new(4, 0, "rounds");
        let uniform = crate::distribution::DISTRIBUTIONS[3];
        assert_eq!(uniform.row.name, "uniform");
        let span = |ms| crate::extension::ParamValue::Span(Duration::from_millis(ms));
        let skew: Arc<dyn Distribution> =
            (uniform.build)(&Params::new(vec![("low", span(0)), ("high", span(400))])).into();
        let mut bursts = Bursts {
            first: Duration::from_secs(5),
            every: Some(Duration::from_millis(100)),
            count: 1000,
            skew,
        };
        let second = |n: u64| n * 1_000_000_000;
        let round = bursts.round(20, stream).expect("a round");
        assert_eq!(round.len(), 1000);
        assert!(round.windows(2).all(|pair| pair[0] >= pair[1]));
        // Three quarters of the skews reach beyond the next round, and are cut there.
        let late = round.iter().filter(|at| **at == second(7) + 100_000_000);
        assert!((700..800).contains(&late.count()));
        assert!(round[999] >= second(7));
        bursts.every = None;
        let only = bursts.round(0, stream).expect("the only round");
        assert!(only[0] > second(5) + 390_000_000 && only[0] < second(5) + 400_000_000);
        assert_eq!(bursts.round(1, stream), None);
        bursts.every = Some(Duration::MAX);
        assert_eq!(bursts.round(2, stream), None, "beyond the end of time");
    }

    #[test]
    fn open_rows_use_the_rate_and_their_gaps_have_mean_one() {
        let (stream, n) = (Stream::new(2, 0, "gaps"), 100_000);
        for def in ARRIVALS {
            let arrivals = (def.build)(&example(&def.row));
            assert_eq!(
                matches!(
                    arrivals,
                    Arrivals::Open(_) | Arrivals::Modulated(_) | Arrivals::Sessions(_)
                ),
                def.uses_rate,
                "{}",
                def.row.name
            );
            if let Arrivals::Open(gaps) = arrivals {
                let sample: Vec<f64> = (0..n)
                    .map(|number| gaps.gap(number, &mut stream.at(number)))
                    .collect();
                let mean = sample.iter().sum::<f64>() / n as f64;
                let variance = sample
                    .iter()
                    .map(|gap| (gap - mean) * (gap - mean))
                    .sum::<f64>()
                    / n as f64;
                assert!(
                    (mean - 1.0).abs() <= 4.0 * (variance / n as f64).sqrt(),
                    "{}: mean gap {mean}",
                    def.row.name
                );
            }
        }
    }
}
