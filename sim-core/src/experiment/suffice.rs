//! Whether runs are long enough for what is asked of them, and how long would be.

use super::measure::{Kind, Measure};
use super::run::Run;
use crate::model::Model;
use crate::statistics::{
    BATCHES, Moments, Needs, Slow, Withheld, excursions_needed, quantile_needs,
};
use crate::steady::{EACH, Memory, round_up};

/// Relaxation times that all runs together must measure.
const ALL: f64 = 1000.0;

/// The same for means of times and of how many are there. Those are skewed, and intervals that miss are below
/// the truth: those of 95 % for the mean of M/M/1 cover in 93.9 % of cases with 1000, in 94.5 % with 2000 and in
/// 94.6 % with 3000, thirty replications (6000 seeds each) as well as one run in twenty batches (4000 seeds), and
/// with 10, 30 or 40 batches it is much the same.
const ALL_OF_MEANS: f64 = 2000.0;

/// The same for what depends on the traffic more than on the queue, and is hardly skewed: goodput,
/// utilisation, counts.
const ALL_OF_RATES: f64 = 300.0;

/// And of one run: each of twenty batches is as long as a replication must be.
const ALL_OF_BATCH_RATES: f64 = EACH * BATCHES as f64;

/// A warm-up of so many relaxation times leaves nothing of the start, for practical purposes.
pub(super) const WARM: f64 = 5.0;

/// Without such a warm-up, relaxation times that each run must measure for each replication: what is
/// left of the start shrinks with the length of the runs, and the interval with their number too.
const EACH_WHEN_COLD: f64 = 0.7;

/// Requests that a run must be expected to have so that hardly one of thirty has none, and few have so few that
/// they say nothing.
const REQUESTS_EACH: f64 = 10.0;

/// How much longer a run is asked for than what was seen suggests, or chance takes.
pub(super) const MARGIN: f64 = 1.5;

/// The same where no theory knows how slowly a system forgets: longer runs see slower changes.
const ROOM_OF_SEEN: f64 = 2.0;

/// Where theory says that there are enough excursions, so large a share of them must be seen.
pub(super) const LEAST_EXCURSIONS: f64 = 0.4;

/// How far what is seen may be from what theory says before it is believed instead.
const DOUBT: f64 = 2.0;

/// What was measured, beside how long the system takes to forget.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Length {
    memory: Memory,
    /// The relaxation time that the runs show, in seconds.
    seen_s: f64,
    /// Length of what is measured in one run, and of what is left out before, in seconds.
    measured_s: f64,
    warm_up_s: f64,
    /// How many runs.
    runs: f64,
}

impl Length {
    /// Of runs of a model that forgets as `memory` says, unless they show something slower.
    pub(super) fn of(model: &Model, memory: Memory, runs: &[Run]) -> Self {
        let seen_s = seen_relaxation_s(runs);
        let known = memory.relaxation_s > 0.0;
        let believed = if known { seen_s / DOUBT } else { seen_s };
        let memory = if believed > memory.relaxation_s {
            Memory {
                relaxation_s: believed,
                slow: Slow::Seen,
                ..memory
            }
        } else {
            memory
        };
        Self {
            memory,
            seen_s,
            measured_s: model.horizon.as_secs_f64() - model.warm_up.as_secs_f64(),
            warm_up_s: model.warm_up.as_secs_f64(),
            runs: runs.len().max(1) as f64,
        }
    }

    /// The same runs, and so many of them.
    pub(super) fn with_runs(self, runs: u64) -> Self {
        Self {
            runs: runs as f64,
            ..self
        }
    }

    /// A horizon at which the runs have the requests that a measure takes at least, in seconds, where they are
    /// rarer than that: what is seen of so few says little of how long it takes.
    pub(super) fn until_requests(&self, measure: &Measure) -> Option<f64> {
        let each = self.memory.hz * self.measured_s;
        let needed = match &measure.kind {
            Kind::Quantile { p, .. } => {
                let beyond = LEAST_EXCURSIONS * excursions_needed(*p) / p.min(1.0 - p);
                let data = quantile_needs(p.max(1.0 - p)) as f64;
                MARGIN * beyond.max(data) / self.runs
            }
            _ => 0.0,
        };
        let factor = needed.max(REQUESTS_EACH) / each;
        let s = self.warm_up_s + self.measured_s * factor;
        (factor.is_finite() && factor > 1.0 && s.is_finite()).then(|| round_up(s))
    }

    /// Whether each run is too short for what is slow.
    pub(super) fn is_short(&self) -> bool {
        self.measured_s < EACH * self.memory.relaxation_s
    }

    /// What was slow.
    pub(super) fn slow(&self) -> Slow {
        self.memory.slow
    }

    /// Relaxation times in all runs together: so many looks at the system are about independent. `None`
    /// where nothing is known to be slow.
    pub(super) fn looks(&self) -> Option<f64> {
        let relaxation_s = self.memory.relaxation_s;
        (relaxation_s > 0.0)
            .then(|| self.runs * self.measured_s * self.memory.parallel / relaxation_s)
    }

    /// A horizon at which `factor` times as much is measured, in seconds, rounded up.
    pub(super) fn horizon(&self, factor: f64) -> Option<Needs> {
        let s = self.warm_up_s + self.measured_s * factor;
        (s.is_finite() && factor.is_finite()).then(|| Needs::Horizon(round_up(s)))
    }

    /// Why the runs are too short for a measure, and how long would do.
    pub(super) fn lacks(&self, measure: &Measure) -> Option<(Withheld, Option<Needs>)> {
        let mut worst: Option<(f64, Withheld)> = None;
        let mut ask = |have: f64, need: f64, reason: Withheld| {
            let factor = need / have.max(f64::MIN_POSITIVE);
            if have < need && worst.is_none_or(|(most, _)| factor > most) {
                worst = Some((factor, reason));
            }
        };
        let Memory {
            relaxation_s,
            slow,
            parallel,
            tail_requests,
            hz,
        } = self.memory;
        if relaxation_s > 0.0 {
            let short = |have: f64, need: f64, in_all: bool| Withheld::TooShort {
                slow,
                have,
                need,
                in_all,
            };
            let each = self.measured_s / relaxation_s;
            let cold = self.warm_up_s < WARM * relaxation_s;
            let need = if cold {
                EACH.max(EACH_WHEN_COLD * self.runs)
            } else {
                EACH
            };
            ask(each, need, short(each, need, false));
            let parallel = if measure.is_of_one_server() {
                1.0
            } else {
                parallel
            };
            let all = each * self.runs * parallel;
            let rate = matches!(measure.kind, Kind::Rate | Kind::Plain);
            let need = if measure.is_mean_of_waits() {
                ALL_OF_MEANS
            } else if !rate {
                ALL
            } else if self.runs > 1.0 {
                ALL_OF_RATES
            } else {
                ALL_OF_BATCH_RATES
            };
            ask(all, need, short(all, need, true));
            if let Kind::Quantile { p, .. } = measure.kind {
                // What is beyond a quantile comes about once for each relaxation time spent there.
                let have = all * p.min(1.0 - p);
                let need = excursions_needed(p);
                let reason = Withheld::FewExcursions {
                    quantile: p,
                    have,
                    need,
                };
                ask(have, need, reason);
            }
        }
        if measure.is_mean_of_waits() && tail_requests > 0.0 {
            let (have, need) = (hz * self.measured_s * self.runs, tail_requests);
            ask(have, need, Withheld::HeavyTail { have, need });
        }
        let (factor, reason) = worst?;
        let room = if slow == Slow::Seen {
            ROOM_OF_SEEN
        } else {
            // Longer runs may show what these are doubted for. Rounding must not leave the next run a hair too short.
            let slower = self.seen_s / relaxation_s.max(f64::MIN_POSITIVE);
            1.001 * slower.clamp(1.0, ROOM_OF_SEEN)
        };
        Some((reason, self.horizon(factor * room)))
    }
}

/// Correlation below which a lag counts as forgotten.
const FORGOTTEN: f64 = 0.1;

/// Twice the time over which what is in flight was seen to depend on itself, which is the relaxation
/// time of a queue in heavy traffic; zero where no dependence is seen from one block of the runs to
/// the next.
fn seen_relaxation_s(runs: &[Run]) -> f64 {
    let blocks = || runs.iter().flat_map(|run| run.blocks.iter().copied());
    let mut moments = Moments::default();
    blocks().for_each(|level| moments.push(level));
    let (mean, variance) = (moments.mean(), moments.variance());
    if moments.count() < 20 || variance <= 0.0 || !variance.is_finite() {
        return 0.0;
    }
    let longest = runs.iter().map(|run| run.blocks.len()).max().unwrap_or(0);
    let mut sum = 0.0;
    for lag in 1..longest / 2 {
        let (mut product, mut pairs) = (0.0, 0.0);
        for run in runs {
            for (a, b) in run.blocks.iter().zip(run.blocks.iter().skip(lag)) {
                product += (a - mean) * (b - mean);
                pairs += 1.0;
            }
        }
        let correlation = product / pairs / variance;
        // Of a few blocks some correlation is seen always.
        let chance = 3.5 / libm::sqrt(pairs.max(1.0));
        if pairs == 0.0 || correlation < FORGOTTEN.max(chance) {
            break;
        }
        sum += correlation;
    }
    let block_s = runs.iter().map(|run| run.block_s).fold(0.0, f64::max);
    2.0 * sum * block_s
}
