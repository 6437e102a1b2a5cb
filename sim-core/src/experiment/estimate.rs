//! From replications, or batches of one run, to intervals, or to the reason why there are none.

use super::measure::{Kind, Measure, Observation};
use super::run::Run;
use super::suffice::{LEAST_EXCURSIONS, Length, MARGIN};
use crate::histogram::Histogram;
use crate::model::Model;
use crate::statistics::{
    self, Estimate, Interval, MIN_EVENTS, MIN_EXCURSIONS, MIN_SAMPLES, Method, Needs, Slow, Spread,
    Withheld,
};
use crate::steady::{Estimand, Memory, memory, round_up};

/// Level of the test for growth. Strict, because it is asked of every experiment.
const GROWTH_LEVEL: f64 = 0.999;

/// Growth over the second half of what was measured that matters, as a share of the mean there.
const GROWTH_SHARE: f64 = 0.1;

/// Where events come in clusters of more than so many, a share takes ten times as many of them.
const CLUSTERED: f64 = 3.0;

/// Independent events that replications over a horizon must amount to, for a share or beyond a quantile: as
/// many as five runs do that vary by their mean. The replications are the sample, and the interval is honest
/// when it is wide. More would be no safer: what is asked of an error that is itself estimated is passed by those
/// samples that happen to show too small a one. Of five runs that vary by half of their mean 94 % cover, and of
/// those among them that seem worth twenty events 92 %.
const EVENTS_OF_RUNS: f64 = 5.0;

/// What is known of a share's clusters rests on the share that is seen: runs of the length that was asked for must
/// not be refused because theirs is smaller by chance.
const NEARLY: f64 = 0.75;

/// What is left out at the end of runs, as a share of an interval's half-width: it is then a third of a
/// standard error, and costs less than a hundredth of coverage.
const LEFT_OUT: f64 = 0.15;
/// How many times as much as was seen of both is made room for.
const ROOM_OF_ENDS: f64 = 2.5;

/// Nobody is told to simulate as many replications as this.
const MOST_RUNS: f64 = 1e6;

/// One run that is too short for its correlations is asked to be so many times longer.
const LONGER: f64 = 3.0;

/// One-sided quantile, at 1 %, of the von Neumann test where the model itself says that the run is long
/// enough: nineteen runs of twenty that are would otherwise still leave one without intervals.
const VON_NEUMANN_DOUBT: f64 = 2.326;

/// The estimate of each measure, in their order, from replications in the order of their numbers.
pub fn estimates(
    model: &Model,
    measures: &[Measure],
    runs: &[Run],
    level: f64,
    estimand: Estimand,
) -> Vec<Estimate> {
    let judged = Judged::of(model, runs, estimand);
    let estimate = |(at, measure)| {
        let parts = Parts::replications(runs, at);
        judged.estimate(measure, &parts, level)
    };
    measures.iter().enumerate().map(estimate).collect()
}

/// A value for each replication whose mean is the estimate of the measure, and whose variance is
/// that of the estimate: the figures themselves; for a ratio, the ratio plus what each replication
/// moves it by (the delta method); for a quantile, that of all plus what each moves it by (the
/// jackknife). Differences between models are taken of these.
///
/// # Errors
/// The reason why nothing can be said.
pub fn series(measure: &Measure, runs: &[Run], at: usize) -> Result<Vec<f64>, Withheld> {
    let parts = Parts::replications(runs, at);
    enough_events(parts.rarer(measure))?;
    parts.values(measure)
}

/// The same for two models whose difference is wanted, and how far that may be from what is read. A share must rest on enough events in both
/// together: that nothing ever failed on one side is no reason not to say how much better it is.
pub(super) fn two_series(
    measure: &Measure,
    (left, right): (&[Run], &[Run]),
    at: usize,
) -> Result<Two, Withheld> {
    let (left, right) = (
        Parts::replications(left, at),
        Parts::replications(right, at),
    );
    let both = left.rarer(measure).zip(right.rarer(measure));
    enough_events(both.map(|(left, right)| left + right))?;
    Ok(Two {
        unresolved: left.unresolved(measure) + right.unresolved(measure),
        left: left.values(measure)?,
        right: right.values(measure)?,
    })
}

/// What two models say of a measure, run by run.
pub(super) struct Two {
    pub left: Vec<f64>,
    pub right: Vec<f64>,
    /// How far their difference may be from what is read.
    pub unresolved: f64,
}

fn enough_events(have: Option<f64>) -> Result<(), Withheld> {
    match have {
        Some(have) if (libm::round(have) as u64) < MIN_EVENTS => Err(Withheld::TooFewEvents {
            have: libm::round(have) as u64,
            need: MIN_EVENTS,
        }),
        _ => Ok(()),
    }
}

/// What independent parts, replications or batches of one run, say of a measure.
pub(super) struct Parts<'a> {
    /// Each part's figure.
    pub seen: Vec<Option<Observation>>,
    /// The times of which a quantile is asked.
    pub times: Vec<&'a Histogram>,
    /// Whether the parts are batches of one run.
    pub batches: bool,
}

impl<'a> Parts<'a> {
    fn replications(runs: &'a [Run], at: usize) -> Self {
        Self {
            seen: runs.iter().map(|run| run.observations[at]).collect(),
            times: runs
                .iter()
                .filter_map(|run| run.times[at].as_deref())
                .collect(),
            batches: false,
        }
    }

    fn observations(&self) -> Result<Vec<Observation>, Withheld> {
        let of = self.seen.len() as u64;
        let seen: Vec<Observation> = self.seen.iter().copied().flatten().collect();
        let missing = of - seen.len() as u64;
        if missing > 0 || of == 0 {
            return Err(Withheld::NothingMeasured { missing, of });
        }
        Ok(seen)
    }

    /// What a ratio is a ratio of: values times weights, and weights.
    fn ratio(&self) -> (Vec<f64>, Vec<f64>) {
        let seen = || self.seen.iter().flatten();
        (
            seen().map(|s| s.value * s.weight).collect(),
            seen().map(|s| s.weight).collect(),
        )
    }

    fn values(&self, measure: &Measure) -> Result<Vec<f64>, Withheld> {
        let seen = self.observations()?;
        let of = seen.len() as u64;
        let nothing = Withheld::NothingMeasured { missing: of, of };
        match &measure.kind {
            Kind::Plain | Kind::Rate => Ok(seen.iter().map(|s| s.value).collect()),
            Kind::Weighted(_) | Kind::Share { .. } => {
                let (above, below) = self.ratio();
                statistics::ratio_values(&above, &below).ok_or(nothing)
            }
            Kind::Quantile { p, .. } => {
                enough_beyond(*p, &self.times)?;
                let values = statistics::quantile_values(&self.times, *p).ok_or(nothing)?;
                Ok(values.iter().map(|ns| ns / 1e9).collect())
            }
        }
    }

    /// Events behind a share, of whichever kind is rarer; `None` for what is no share.
    fn rarer(&self, measure: &Measure) -> Option<f64> {
        if !matches!(measure.kind, Kind::Share { .. }) {
            return None;
        }
        let (above, below) = self.ratio();
        let (good, all): (f64, f64) = (above.iter().sum(), below.iter().sum());
        Some(good.min(all - good))
    }

    /// How far the figure may be from where it is read, whatever chance does.
    fn unresolved(&self, measure: &Measure) -> f64 {
        match measure.kind {
            Kind::Quantile { p, .. } => statistics::unresolved_ns(&self.times, p) / 1e9,
            _ => 0.0,
        }
    }

    /// The figure as it is, for reasons that leave it standing.
    fn mean(&self, measure: &Measure) -> Option<f64> {
        if let Kind::Quantile { p, .. } = measure.kind {
            let pooled = statistics::pooled_quantile(&self.times, p, 0.95, Method::PooledQuantile);
            return pooled.map(|pooled| pooled.ns / 1e9);
        }
        let (above, below) = self.ratio();
        let weight: f64 = below.iter().sum();
        (weight > 0.0).then(|| above.iter().sum::<f64>() / weight)
    }
}

fn enough_beyond(p: f64, times: &[&Histogram]) -> Result<(), Withheld> {
    let (have, need) = (
        times.iter().map(|part| part.count()).sum(),
        statistics::quantile_needs(p.max(1.0 - p)),
    );
    if have < need {
        return Err(Withheld::BeyondData {
            quantile: p,
            have,
            need,
        });
    }
    Ok(())
}

/// What may be said of runs of a model, before any measure is looked at.
pub(super) struct Judged {
    /// What stands in the way of everything.
    early: Option<Withheld>,
    /// What stands in the way of all but what the traffic decides.
    unsteady: Option<Withheld>,
    /// How long the runs are beside what is slow, where a steady state is asked for.
    length: Option<Length>,
    /// How many looks at the system there were, where the model tells how long it takes to forget.
    looks: Option<f64>,
    /// Share of the requests that had not ended at the end of a run.
    unended: f64,
    /// How many replications there are; a single run is cut into batches.
    runs: u64,
}

impl Judged {
    pub(super) fn of(model: &Model, runs: &[Run], estimand: Estimand) -> Self {
        let count = |which: fn(&&Run) -> bool| runs.iter().filter(which).count() as u64;
        let early = match (count(|run| run.policy_failed), count(|run| !run.complete)) {
            (0, 0) => None,
            (0, runs) => Some(Withheld::EndedEarly { runs }),
            (runs, _) => Some(Withheld::PolicyFailed { runs }),
        };
        let known = memory(model);
        let count = runs.len() as u64;
        let unended = runs.iter().map(|run| run.unended).sum::<f64>() / count.max(1) as f64;
        if !estimand.is_steady(model) {
            let length = known.ok().map(|memory| Length::of(model, memory, runs));
            return Self {
                early,
                unsteady: None,
                length: None,
                looks: length.and_then(|length| length.looks()),
                runs: count,
                unended,
            };
        }
        let memory = match known {
            Ok(memory) => memory,
            Err(reason) => {
                return Self {
                    early,
                    unsteady: Some(reason),
                    length: None,
                    looks: None,
                    runs: count,
                    unended,
                };
            }
        };
        let length = Length::of(model, memory, runs);
        // Runs that theory calls too short grow of course.
        let short = memory_is_long(&length, &memory);
        Self {
            early,
            unsteady: growing(runs).filter(|_| !short),
            looks: length.looks(),
            length: Some(length),
            runs: count,
            unended,
        }
    }

    /// What stands in the way of an estimate of the measure, and what would do.
    pub(super) fn obstacle(&self, measure: &Measure) -> Option<(Withheld, Option<Needs>)> {
        if let Some(reason) = self.early {
            return Some((reason, None));
        }
        if measure.is_given() {
            return None;
        }
        if let Some(reason) = self.unsteady {
            return Some((reason, None));
        }
        // More of them come before longer ones.
        if self.runs != 1 && self.runs < MIN_SAMPLES {
            let (have, need) = (self.runs, MIN_SAMPLES);
            let reason = Withheld::TooFewReplications { have, need };
            // So many of them may be too short all the same.
            let length = self.length.map(|length| length.with_runs(need));
            let longer = length.and_then(|length| length.lacks(measure)?.1);
            let needs = match longer {
                Some(Needs::Horizon(s)) => Needs::Both(need, s),
                _ => Needs::Replications(need),
            };
            return Some((reason, Some(needs)));
        }
        self.length
            .as_ref()
            .and_then(|length| length.lacks(measure))
    }

    /// The estimate of a measure. No figure of a run is below zero and no share above one: beyond there is no
    /// truth to cover.
    pub(super) fn estimate(&self, measure: &Measure, parts: &Parts<'_>, level: f64) -> Estimate {
        let most = if measure.is_share() {
            1.0
        } else {
            f64::INFINITY
        };
        let estimate = match self.unclipped(measure, parts, level) {
            Estimate::Interval(interval) => Estimate::Interval(Interval {
                low: interval.low.max(0.0),
                high: interval.high.min(most),
                ..interval
            }),
            withheld @ Estimate::Withheld { needs, reason, .. } => {
                let rare = self
                    .length
                    .and_then(|length| length.until_requests(measure));
                let nothing = matches!(reason, Withheld::NothingMeasured { .. });
                let from_nothing = rare.filter(|_| nothing).map(Needs::Horizon);
                withheld.needing(no_sooner(needs.or(from_nothing), rare))
            }
        };
        // So many times may be equal that a quantile is known, though not the same in each part.
        let Kind::Quantile { p, .. } = measure.kind else {
            return estimate.unless_same();
        };
        let mut two = parts.times.windows(2);
        match estimate {
            // Known no better than its bucket, and yet the same in all.
            Estimate::Interval(interval)
                if two.all(|two| two[0].quantile_ns(p) == two[1].quantile_ns(p)) =>
            {
                Estimate::Interval(Interval {
                    low: interval.mean,
                    high: interval.mean,
                    ..interval
                })
                .unless_same()
            }
            other => other,
        }
    }

    fn unclipped(&self, measure: &Measure, parts: &Parts<'_>, level: f64) -> Estimate {
        let withheld =
            |reason, needs| Estimate::withheld(parts.mean(measure), reason).needing(needs);
        if parts.batches && measure.kind == Kind::Plain {
            // Neither a maximum nor a count of the whole is made of its parts; and several runs may be too short.
            let several = self.length.map(|length| length.with_runs(MIN_SAMPLES));
            let needs = match several.and_then(|length| length.lacks(measure)?.1) {
                Some(Needs::Horizon(s)) => Needs::Both(MIN_SAMPLES, s),
                _ => Needs::Replications(MIN_SAMPLES),
            };
            return withheld(Withheld::NeedsReplications, Some(needs));
        }
        if let Some((reason, needs)) = self.obstacle(measure) {
            let worth = Self::excursions_suffice(measure, parts, &reason);
            if !worth {
                let then = self.by_kind(measure, parts, level).needs();
                return withheld(reason, farther(needs, then));
            }
        }
        self.by_kind(measure, parts, level)
    }

    /// The estimate from what was seen, whatever theory says of the length of the runs.
    fn by_kind(&self, measure: &Measure, parts: &Parts<'_>, level: f64) -> Estimate {
        let withheld =
            |reason, needs| Estimate::withheld(parts.mean(measure), reason).needing(needs);
        let have = parts.seen.len() as u64;
        if have < MIN_SAMPLES {
            let need = MIN_SAMPLES;
            let needs = Some(Needs::Replications(need));
            return withheld(Withheld::TooFewReplications { have, need }, needs);
        }
        if let Err(reason) = parts.observations() {
            return withheld(reason, self.until_seen(parts));
        }
        match &measure.kind {
            Kind::Quantile { p, .. } => self.quantile(*p, parts, level),
            Kind::Share { .. } => self.share(parts, level),
            Kind::Rate if measure.is_share_of_numbers() && self.looks.is_some() => {
                self.share_of_time(parts, level)
            }
            Kind::Plain | Kind::Rate | Kind::Weighted(_) => self.mean(measure, parts, level),
        }
    }

    fn mean(&self, measure: &Measure, parts: &Parts<'_>, level: f64) -> Estimate {
        let values = match parts.values(measure) {
            Ok(values) => values,
            Err(reason) => return Estimate::withheld(None, reason),
        };
        let each = measure.events_in_one(&parts.seen);
        let worth = |each: f64| self.rare_count(each, measure.is_level(), &values, level);
        if let Some(rare) = each.and_then(worth) {
            return rare;
        }
        if let Some(correlated) = self.correlated(parts, &values) {
            return correlated;
        }
        let method = match (&measure.kind, parts.batches) {
            (_, true) => Method::BatchMeans,
            (Kind::Weighted(_), false) => Method::RatioOfMeans,
            _ => Method::StudentT,
        };
        match statistics::mean(&values, level) {
            Estimate::Interval(interval) => {
                let of_times = matches!(measure.kind, Kind::Weighted(_));
                let left_out = self.unended * measure.moved_by_unended(interval.mean);
                (of_times
                    .then(|| self.cut_short(&interval, left_out))
                    .flatten())
                .unwrap_or(Estimate::Interval(interval.by(method)))
            }
            withheld @ Estimate::Withheld { .. } => withheld,
        }
    }

    /// That what had not ended at the end of the runs is too much beside the width of an interval: the error
    /// of leaving it out is such a part of the estimate.
    fn cut_short(&self, interval: &Interval, left_out: f64) -> Option<Estimate> {
        let length = self.length.as_ref()?;
        let most = LEFT_OUT * interval.relative();
        if left_out <= most || most <= 0.0 {
            return None;
        }
        let reason = Withheld::TooShort {
            slow: Slow::Unended,
            have: 1.0 / left_out,
            need: 1.0 / most,
            in_all: false,
        };
        // The error shrinks with the length, and the interval with its root: the length that would do is the
        // square of what is seen here, and so is its uncertainty. Widths over a few runs differ by a third by chance,
        // and so does what a few ends leave out.
        let factor = ROOM_OF_ENDS * left_out / most;
        let needs = length.horizon(factor * factor);
        Some(Estimate::withheld(None, reason).needing(needs))
    }

    /// How often what hardly ever happens does: a bound where it never did, and nothing where it did in a
    /// few runs. A value is so many times `each` events.
    fn rare_count(
        &self,
        each: f64,
        is_level: bool,
        values: &[f64],
        level: f64,
    ) -> Option<Estimate> {
        let seen: f64 = values.iter().sum();
        // Events that come in clusters are worth fewer: as many as would make the error that is seen.
        let moments = statistics::Moments::of(values);
        let relative = moments.standard_error() / moments.mean();
        let clusters = (relative * relative).recip();
        // How many are there at a moment are no events, of which one follows from another.
        let clusters = if is_level { f64::INFINITY } else { clusters };
        let total = (seen * each).min(clusters);
        let none_in_some = values.iter().any(|v| *v <= 0.0);
        if !none_in_some || total >= MIN_EVENTS as f64 {
            return None;
        }
        let runs = values.len() as u64;
        if seen <= 0.0 {
            let bound = statistics::no_events(runs, level)?;
            return Some(Estimate::Interval(Interval {
                high: bound.high / each,
                ..bound
            }));
        }
        let reason = Withheld::TooFewEvents {
            have: libm::round(total) as u64,
            need: MIN_EVENTS,
        };
        let needs = self.until_events(total, MIN_EVENTS as f64, values.len());
        Some(Estimate::withheld(Some(seen / runs as f64), reason).needing(needs))
    }

    fn share(&self, parts: &Parts<'_>, level: f64) -> Estimate {
        let (above, below) = parts.ratio();
        let Some(spread) = statistics::spread(&above, &below) else {
            let of = parts.seen.len() as u64;
            return Estimate::withheld(None, Withheld::NothingMeasured { missing: of, of });
        };
        let all: f64 = below.iter().sum();
        let good: f64 = above.iter().sum();
        let counted = good.min(all - good).max(0.0);
        if libm::round(counted) < 1.0 {
            return self.none_seen(all, good > 0.5 * all, level);
        }
        let rarer = spread.share.min(1.0 - spread.share);
        let (have, need) = self.events(&spread, counted, (rarer, parts.seen.len()));
        if have < need {
            let reason = Withheld::TooFewEvents {
                have: have as u64,
                need: need as u64,
            };
            let needs = self.until_events(have, need, parts.seen.len());
            return Estimate::withheld(Some(spread.share), reason).needing(needs);
        }
        let values = statistics::ratio_values(&above, &below).unwrap_or_default();
        if let Some(correlated) = self.correlated(parts, &values) {
            return correlated;
        }
        let method = if parts.batches {
            Method::LogOddsOverBatches
        } else {
            Method::LogOddsOverReplications
        };
        statistics::share_of_parts(&above, &below, level, method)
    }

    /// The share of the time with some number of requests: time counts by the relaxation times in it, as it is
    /// about so many independent looks.
    fn share_of_time(&self, parts: &Parts<'_>, level: f64) -> Estimate {
        let seen = || parts.seen.iter().flatten();
        let whole: f64 = seen().map(|o| o.weight).sum();
        let looks = self.looks.unwrap_or(whole) / whole;
        let counted = |o: &Option<Observation>| {
            o.map(|o| Observation {
                weight: o.weight * looks,
                ..o
            })
        };
        let in_looks = Parts {
            seen: parts.seen.iter().map(counted).collect(),
            times: Vec::new(),
            batches: parts.batches,
        };
        self.share(&in_looks, level)
    }

    /// Independent events behind a share, and how many it takes: more of those that come in clusters,
    /// as the spread is then itself uncertain. What is known of the system says how many clusters there
    /// can be, before what is seen does.
    fn events(&self, spread: &Spread, counted: f64, (rarer, parts): (f64, usize)) -> (f64, f64) {
        if self.length.is_none() {
            let counted = libm::round(counted);
            return if counted < MIN_EVENTS as f64 {
                (counted, MIN_EVENTS as f64)
            } else {
                (spread.events, EVENTS_OF_RUNS)
            };
        }
        let seen = counted.min(spread.events);
        if spread.cluster * doubt(parts) <= CLUSTERED {
            return (seen, MIN_EVENTS as f64);
        }
        match self.looks.map(|looks| looks * rarer) {
            Some(known) if known < MIN_EXCURSIONS * NEARLY => (known, MIN_EXCURSIONS),
            Some(_) => (seen, MIN_EXCURSIONS * LEAST_EXCURSIONS),
            None => (seen, MIN_EXCURSIONS),
        }
    }

    /// A share whose rarer kind was never seen. Requests that meet the same state of the system are no
    /// independent trials: there are no more of those than looks at it.
    fn none_seen(&self, requests: f64, always: bool, level: f64) -> Estimate {
        let trials = requests.min(self.looks.unwrap_or(f64::INFINITY)).max(1.0);
        let Some(bound) = statistics::none_seen(trials as u64, level) else {
            return Estimate::withheld(None, Withheld::NothingMeasured { missing: 1, of: 1 });
        };
        Estimate::Interval(if always {
            Interval {
                mean: 1.0,
                low: 1.0 - bound.high,
                high: 1.0,
                ..bound
            }
        } else {
            bound
        })
    }

    fn quantile(&self, p: f64, parts: &Parts<'_>, level: f64) -> Estimate {
        let all: u64 = parts.times.iter().map(|part| part.count()).sum();
        if let Err(reason) = enough_beyond(p, &parts.times) {
            let need = statistics::quantile_needs(p.max(1.0 - p)) as f64;
            return Estimate::withheld(None, reason)
                .needing(self.longer(need / (all as f64).max(1.0)));
        }
        let method = if parts.batches {
            Method::BatchQuantile
        } else {
            Method::PooledQuantile
        };
        let Some(pooled) = statistics::pooled_quantile(&parts.times, p, level, method) else {
            let of = parts.seen.len() as u64;
            return Estimate::withheld(None, Withheld::NothingMeasured { missing: of, of });
        };
        let need = self.excursions_needed(p);
        let have = pooled.beyond.events;
        let few = |have: f64, need: f64| {
            let reason = Withheld::FewExcursions {
                quantile: p,
                have,
                need,
            };
            Estimate::withheld(None, reason).needing(self.until_events(
                have,
                need,
                parts.seen.len(),
            ))
        };
        if have < need {
            return few(have, need);
        }
        let beyond: Vec<f64> = (parts.times.iter())
            .map(|t| t.beyond_ns(pooled.ns))
            .collect();
        let counts: Vec<f64> = parts.times.iter().map(|t| t.count() as f64).collect();
        let values = statistics::ratio_values(&beyond, &counts).unwrap_or_default();
        if let Some(correlated) = self.correlated(parts, &values) {
            return correlated;
        }
        match pooled.estimate {
            Estimate::Interval(interval) => Estimate::Interval(Interval {
                mean: interval.mean / 1e9,
                low: interval.low / 1e9,
                high: interval.high / 1e9,
                ..interval
            }),
            Estimate::Withheld { .. } => few(have, 2.0 * have.max(need)),
        }
    }

    /// Excursions that must be seen beyond a quantile. Where theory says that there are enough, what is
    /// seen may be few by chance, but not by far.
    fn excursions_needed(&self, p: f64) -> f64 {
        let need = statistics::excursions_needed(p);
        match &self.length {
            None => EVENTS_OF_RUNS,
            Some(length) if length.looks().is_some() => need * LEAST_EXCURSIONS,
            Some(_) => need,
        }
    }

    /// Whether what lies beyond a quantile is seen to come so singly that theory, which thinks of a
    /// queue's excursions, asks for too much: the longest requests among many workers.
    fn excursions_suffice(measure: &Measure, parts: &Parts<'_>, reason: &Withheld) -> bool {
        let (Withheld::FewExcursions { .. }, Kind::Quantile { p, .. }) = (reason, &measure.kind)
        else {
            return false;
        };
        let spread = |pooled: statistics::Pooled| pooled.beyond;
        let found = statistics::pooled_quantile(&parts.times, *p, 0.95, Method::PooledQuantile);
        found.map(spread).is_some_and(|beyond: Spread| {
            let doubt = doubt(parts.times.len());
            let need = statistics::excursions_needed(*p);
            beyond.cluster * doubt <= CLUSTERED && beyond.events / doubt >= need
        })
    }

    /// That the batches of one run depend on one another.
    fn correlated(&self, parts: &Parts<'_>, values: &[f64]) -> Option<Estimate> {
        if !parts.batches {
            return None;
        }
        let known = self
            .length
            .as_ref()
            .is_some_and(|length| length.slow() != Slow::Seen);
        let most = if known {
            VON_NEUMANN_DOUBT
        } else {
            statistics::VON_NEUMANN_Z
        };
        let (_, z) = statistics::von_neumann(values);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (z > most).then(|| {
            Estimate::withheld(Some(mean), Withheld::CorrelatedBatches { z }).needing(
                self.length
                    .as_ref()
                    .and_then(|length| length.horizon(LONGER)),
            )
        })
    }

    /// How long until as many independent events as are needed are seen, going by how many are. Few say little
    /// of how often there are any, and few parts little of how they cluster: the length has room for both.
    fn until_events(&self, have: f64, need: f64, parts: usize) -> Option<Needs> {
        let of_parts = 2.0 / (parts.max(2) - 1) as f64;
        let unsure = libm::sqrt(have.max(1.0).recip() + of_parts);
        self.longer(need / have.max(0.1) * (1.0 + unsure))
    }

    /// Runs so many times longer, and a margin; over a horizon, which is as it is, so many times as many.
    fn longer(&self, factor: f64) -> Option<Needs> {
        let factor = MARGIN * factor.max(1.0);
        if let Some(length) = &self.length {
            return length.horizon(factor);
        }
        let runs = round_up(self.runs as f64 * factor);
        (runs < MOST_RUNS).then_some(Needs::Replications(runs as u64))
    }

    /// How long until every part sees something, going by those that do.
    fn until_seen(&self, parts: &Parts<'_>) -> Option<Needs> {
        let seen: f64 = parts.seen.iter().flatten().map(|o| o.weight.max(1.0)).sum();
        let wanted = (MIN_EVENTS as usize * parts.seen.len()) as f64;
        (seen > 0.0 && self.length.is_some())
            .then(|| self.longer(wanted / seen))
            .flatten()
    }
}

/// So many times longer than the first obstacle asks for short runs may ask for the sake of the next: what
/// they show of it is mostly chance.
const FARTHEST: f64 = 10.0;

/// Runs as long as `needs` says, and long enough for what stands in the way `then`: what was seen in short
/// runs says little of their intervals, but nobody who does as he is told should be told again.
fn farther(needs: Option<Needs>, then: Option<Needs>) -> Option<Needs> {
    match (needs, then) {
        (Some(Needs::Horizon(needs)), Some(Needs::Horizon(then))) => {
            Some(Needs::Horizon(needs.max(then.min(FARTHEST * needs))))
        }
        (needs, _) => needs,
    }
}

/// Runs as long as `needs` says, and no shorter than `least`, which is known rather than seen.
fn no_sooner(needs: Option<Needs>, least: Option<f64>) -> Option<Needs> {
    match (needs, least) {
        (Some(Needs::Horizon(s)), Some(least)) => Some(Needs::Horizon(s.max(least))),
        (Some(Needs::Both(n, s)), Some(least)) => Some(Needs::Both(n, s.max(least))),
        (needs, _) => needs,
    }
}

/// By how much the square of a spread over so many parts may be greater than it is estimated, by chance.
fn doubt(parts: usize) -> f64 {
    1.0 + 2.0 * libm::sqrt(2.0 / (parts as f64 - 1.0).max(1.0))
}

/// Whether theory alone says that the runs are too short to have settled.
fn memory_is_long(length: &Length, memory: &Memory) -> bool {
    length.slow() == memory.slow && length.is_short()
}

fn growing(runs: &[Run]) -> Option<Withheld> {
    let slopes: Option<Vec<f64>> = runs.iter().map(|run| run.growth_hz).collect();
    let slopes = slopes?;
    let least = statistics::mean(&slopes, GROWTH_LEVEL).interval()?.low;
    let levels: Vec<f64> = runs.iter().map(|run| run.level).collect();
    let level = statistics::Moments::of(&levels).mean();
    let half_s = runs.iter().map(|run| run.half_s).fold(0.0, f64::max);
    // In many replications even a growth that nobody would notice shows.
    (least > 0.0 && least * half_s > GROWTH_SHARE * level)
        .then_some(Withheld::StillGrowing { at_least_hz: least })
}
