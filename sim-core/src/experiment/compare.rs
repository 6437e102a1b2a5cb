//! Several models side by side, under the same random numbers.

use super::control::{Control, Progress};
use super::estimate::{Judged, Two, estimates, two_series};
use super::measure::Measure;
use super::replicate::{MIN_SEQUENTIAL, Plan, Stop, curable, next_wave};
use super::run::{Run, run_one, thin};
use super::warm_up::{WarmUp, warmed};
use crate::engine::Simulation;
use crate::metric::{Better, Unit};
use crate::model::Model;
use crate::statistics::{
    Estimate, Interval, Method, Moments, Needs, Withheld, correlation, holm, paired_difference,
    student_tail,
};
use crate::steady::Estimand;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A model to compare.
#[derive(Clone, PartialEq, Debug)]
pub struct Variant {
    /// What to call it.
    pub name: String,
    /// What to run.
    pub model: Arc<Model>,
}

impl Variant {
    /// The same with that warm-up.
    pub fn warmed(variants: &[Self], warm_up: &WarmUp) -> Vec<Self> {
        let models: Vec<_> = variants.iter().map(|one| one.model.clone()).collect();
        let models = warmed(&models, warm_up).into_iter();
        let pairs = variants.iter().zip(models);
        pairs
            .map(|(Self { name, .. }, model)| Self {
                name: name.clone(),
                model,
            })
            .collect()
    }
}

/// What is known of the difference of two variants in a measure.
#[derive(Clone, PartialEq, Debug)]
pub struct Pair {
    /// The one, by its place among the variants.
    pub left: usize,
    /// The other, which comes later.
    pub right: usize,
    /// `right − left`, replication by replication. The interval has the level at which Holm's
    /// procedure tests this pair: it excludes zero exactly where the procedure finds a difference.
    pub difference: Estimate,
    /// The difference as a share of `left`'s mean.
    pub relative: Option<f64>,
    /// Probability of a difference at least so large if there were none, for this pair alone.
    pub p_value: Option<f64>,
    /// The same, adjusted by Holm's procedure for all pairs of the measure.
    pub p_adjusted: Option<f64>,
    /// Correlation of the two over replications: what common random numbers gained.
    pub correlation: Option<f64>,
}

impl Pair {
    /// The interval of the difference, which is a point where it was the same in all replications.
    pub fn range(&self) -> Option<Interval> {
        match (self.difference.interval(), self.difference.reason()) {
            (None, Some(&Withheld::SameInAll { of, .. })) => {
                let mean = self.difference.mean()?;
                Some(Interval::around(mean, 0.0, 1.0, of).by(Method::PairedT))
            }
            (interval, _) => interval.copied(),
        }
    }

    /// Whether `right` is surely greater (1), surely less (−1), or nobody can tell (0).
    pub fn sign(&self) -> i8 {
        match self.range() {
            Some(interval) if interval.low > 0.0 => 1,
            Some(interval) if interval.high < 0.0 => -1,
            _ => 0,
        }
    }
}

/// A place in a ranking.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The variant.
    pub variant: usize,
    /// Best rank it may have: one more than there are variants surely better.
    pub best: usize,
    /// Worst rank it may have.
    pub worst: usize,
}

/// All variants in one measure.
#[derive(Clone, PartialEq, Debug)]
pub struct Compared {
    /// Each variant's estimate.
    pub estimates: Vec<Estimate>,
    /// All pairs.
    pub pairs: Vec<Pair>,
    /// Variants from the best to the worst as measured, with the ranks that they may have. Where
    /// more is neither better nor worse, from the least to the greatest.
    pub ranking: Vec<Place>,
}

/// A comparison.
#[derive(Clone, PartialEq, Debug)]
pub struct Comparison {
    /// What was compared.
    pub variants: Vec<Variant>,
    /// In what.
    pub measures: Vec<Measure>,
    /// Each variant's replications.
    pub runs: Vec<Vec<Run>>,
    /// Whether the steady state was estimated, and not what happens over the horizon.
    pub steady: bool,
    /// By measure, in their order.
    pub compared: Vec<Compared>,
    /// Level of each variant's intervals, and of all differences in a measure together.
    pub level: f64,
    /// Why it ended.
    pub stop: Stop,
}

/// What replications of all variants say in measure number `at`.
fn in_measure(variants: &[Variant], runs: &[Vec<Run>], plan: &Plan, at: usize) -> Compared {
    let measure = &plan.measures[at];
    let one = std::slice::from_ref(measure);
    let column = |runs: &[Run]| -> Vec<Run> {
        let only = |run: &Run| Run {
            observations: vec![run.observations[at]],
            times: vec![run.times[at].clone()],
            ..run.clone()
        };
        runs.iter().map(only).collect()
    };
    let estimates: Vec<Estimate> = variants
        .iter()
        .zip(runs)
        .map(|(variant, runs)| {
            estimates(
                &variant.model,
                one,
                &column(runs),
                plan.level,
                plan.estimand,
            )[0]
        })
        .collect();
    let obstacles: Vec<Option<(Withheld, Option<Needs>)>> = variants
        .iter()
        .zip(runs)
        .map(|(variant, runs)| Judged::of(&variant.model, runs, plan.estimand).obstacle(measure))
        .collect();
    let mut pairs = Vec::new();
    for right in 1..variants.len() {
        for left in 0..right {
            let series = match obstacles[left].or(obstacles[right]) {
                Some(obstacle) => Err(obstacle),
                None => two_series(measure, (&runs[left], &runs[right]), at)
                    .map_err(|reason| (reason, None)),
            };
            pairs.push(pair((left, right), series, plan.level));
        }
    }
    pairs.sort_by_key(|pair| (pair.left, pair.right));
    adjust(&mut pairs, plan.level);
    let ranking = ranking(measure.better(), &estimates, &pairs);
    Compared {
        estimates,
        pairs,
        ranking,
    }
}

/// Two variants' values, run by run, or why they cannot be compared and how long would do.
type Series = Result<Two, (Withheld, Option<Needs>)>;

fn pair((left, right): (usize, usize), series: Series, level: f64) -> Pair {
    let none = |difference| Pair {
        left,
        right,
        difference,
        relative: None,
        p_value: None,
        p_adjusted: None,
        correlation: None,
    };
    let Two {
        left: a,
        right: b,
        unresolved,
    } = match series {
        Ok(series) => series,
        Err((reason, needs)) => {
            return none(Estimate::withheld(None, reason).needing(needs));
        }
    };
    let difference = match paired_difference(&b, &a, level) {
        Estimate::Interval(interval) => Estimate::Interval(Interval {
            low: interval.low - unresolved,
            high: interval.high + unresolved,
            ..interval
        }),
        withheld @ Estimate::Withheld { .. } => withheld,
    };
    let known = none(difference.unless_same());
    let Some(interval) = known.range() else {
        return known;
    };
    let differences: Vec<f64> = b.iter().zip(&a).map(|(b, a)| b - a).collect();
    let moments = Moments::of(&differences);
    let before = Moments::of(&a).mean();
    Pair {
        relative: (before != 0.0).then(|| interval.mean / before.abs()),
        p_value: Some(p_value(&moments, unresolved)),
        correlation: correlation(&a, &b),
        ..known
    }
}

/// Values run by run; `None` where a run has none.
type Column = Vec<Option<f64>>;

/// Differences of values paired run by run, right minus left, adjusted together. `left` and `right` are the places of each
/// pair in the list: twice its number, and one more.
pub(crate) fn paired(series: Vec<[Column; 2]>, level: f64) -> Vec<Pair> {
    let known = |values: &Column| values.iter().copied().collect::<Option<Vec<f64>>>();
    let one = |(at, [left, right]): (usize, [Column; 2])| {
        let both = left.iter().zip(&right);
        let nothing = Withheld::NothingMeasured {
            missing: both.filter(|(l, r)| l.is_none() || r.is_none()).count() as u64,
            of: left.len() as u64,
        };
        let both = known(&left).zip(known(&right));
        let both = both.filter(|(left, _)| !left.is_empty());
        let both = both.map(|(left, right)| Two {
            left,
            right,
            unresolved: 0.0,
        });
        pair((2 * at, 2 * at + 1), both.ok_or((nothing, None)), level)
    };
    let mut pairs: Vec<Pair> = series.into_iter().enumerate().map(one).collect();
    adjust(&mut pairs, level);
    pairs
}

/// Two-sided, of a paired t test: that the difference is more than what its figures may be off by.
fn p_value(differences: &Moments, unresolved: f64) -> f64 {
    let error = differences.standard_error();
    let mean = (differences.mean().abs() - unresolved).max(0.0);
    if error > 0.0 {
        let t = mean / error;
        return 2.0 * student_tail(t, differences.count() as f64 - 1.0);
    }
    // The same difference in every replication: certain, or none at all.
    if mean == 0.0 { 1.0 } else { 0.0 }
}

/// Adjusts for all pairs of a measure by Holm's procedure.
fn adjust(pairs: &mut [Pair], level: f64) {
    let mut known: Vec<(usize, f64)> = Vec::new();
    for (at, pair) in pairs.iter().enumerate() {
        known.extend(pair.p_value.map(|p| (at, p)));
    }
    let adjusted = holm(&known.iter().map(|(_, p)| *p).collect::<Vec<_>>());
    for (&(at, _), p) in known.iter().zip(adjusted) {
        pairs[at].p_adjusted = Some(p);
    }
    // From the smallest p-value on, each is tested at a share of the error that grows; the first
    // that shows no difference ends it, and those after it are tested no more easily.
    known.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    let mut share = 1.0;
    let mut ended = false;
    for (rank, &(at, p)) in known.iter().enumerate() {
        if !ended {
            share = (1.0 - level) / (known.len() - rank) as f64;
            ended = p > share;
        }
        if let Estimate::Interval(interval) = &mut pairs[at].difference {
            *interval = at_level(interval, 1.0 - share);
        }
    }
}

/// The same interval at another level.
fn at_level(interval: &Interval, level: f64) -> Interval {
    let df = interval.samples as f64 - 1.0;
    let factor = |level: f64| crate::statistics::student_quantile(0.5 + level / 2.0, df);
    let half_width = interval.half_width() / factor(interval.level) * factor(level);
    Interval::around(interval.mean, half_width, level, interval.samples).by(interval.method)
}

fn ranking(better: Better, estimates: &[Estimate], pairs: &[Pair]) -> Vec<Place> {
    let mut order: Vec<usize> = (0..estimates.len()).collect();
    let mean = |variant: usize| {
        let mean = estimates[variant].mean();
        // What has no mean comes last, whichever way is better.
        match better {
            Better::Higher => mean.map_or(f64::INFINITY, |m| -m),
            Better::Lower | Better::Neither => mean.unwrap_or(f64::INFINITY),
        }
    };
    order.sort_by(|&a, &b| mean(a).total_cmp(&mean(b)).then(a.cmp(&b)));
    let flip = if better == Better::Higher { -1 } else { 1 };
    // Whether `one` surely comes before `other`.
    let before = |one: usize, other: usize| {
        pairs.iter().any(|pair| {
            let sign = pair.sign() * flip;
            (pair.left, pair.right, sign) == (one, other, 1)
                || (pair.left, pair.right, sign) == (other, one, -1)
        })
    };
    let all = 0..estimates.len();
    let place = |&variant: &usize| Place {
        variant,
        best: 1 + all.clone().filter(|&o| before(o, variant)).count(),
        worst: estimates.len() - all.clone().filter(|&o| before(variant, o)).count(),
    };
    order.iter().map(place).collect()
}

pub(super) fn is_steady(variants: &[Variant], estimand: Estimand) -> bool {
    variants
        .iter()
        .all(|variant| estimand.is_steady(&variant.model))
}

impl Comparison {
    /// What is said where the runs are too short for their warm-up: nothing was run, and everything
    /// says why and what would do.
    pub fn without_warm_up(variants: Vec<Variant>, plan: &Plan, needs: Option<Needs>) -> Self {
        let none = Estimate::withheld(None, Withheld::WarmUpNotFound).needing(needs);
        let runs = vec![Vec::new(); variants.len()];
        let compared = |at: usize| {
            let mut compared = in_measure(&variants, &runs, plan, at);
            compared.estimates.fill(none);
            compared
                .pairs
                .iter_mut()
                .for_each(|pair| pair.difference = none);
            compared
        };
        Self {
            steady: true,
            measures: plan.measures.clone(),
            compared: (0..plan.measures.len()).map(compared).collect(),
            runs: runs.clone(),
            level: plan.level,
            stop: Stop::Hopeless,
            variants,
        }
    }

    /// The pair of two variants in a measure, whichever comes first; the difference is that of
    /// the later from the earlier.
    pub fn pair(&self, measure: usize, one: usize, other: usize) -> Option<&Pair> {
        let (left, right) = (one.min(other), one.max(other));
        self.compared[measure]
            .pairs
            .iter()
            .find(|pair| pair.left == left && pair.right == right)
    }

    /// One sentence on a measure: which variant is best and by how much, or that nobody can tell.
    pub fn verdict(&self, measure: usize) -> String {
        let compared = &self.compared[measure];
        let (of, path) = (&self.measures[measure], self.measures[measure].path());
        let name = |variant: usize| self.variants[variant].name.as_str();
        let (Some(first), Some(second)) = (compared.ranking.first(), compared.ranking.get(1))
        else {
            return format!("{path}: there is nothing to compare with");
        };
        if let Some(reason) = compared.pairs.iter().find_map(|p| p.difference.reason())
            && compared.pairs.iter().all(|p| p.range().is_none())
        {
            return format!("{path}: cannot tell: {reason}");
        }
        let in_all = format!("in all {} replications", self.runs[0].len());
        let is_equal = |p: &Pair| p.range().is_some_and(|i| i.low == 0.0 && i.high == 0.0);
        if compared.pairs.iter().all(is_equal) {
            return format!("{path}: no difference {in_all}");
        }
        let word = match of.better() {
            Better::Lower | Better::Higher => "best",
            Better::Neither => "least",
        };
        if first.worst > 1 {
            let tied: Vec<&str> = compared
                .ranking
                .iter()
                .filter(|place| place.best == 1)
                .map(|place| name(place.variant))
                .collect();
            return format!("{path}: cannot tell which is {word} of {}", tied.join(", "));
        }
        let gap = self
            .pair(measure, first.variant, second.variant)
            .and_then(Pair::range);
        let Some(gap) = gap else {
            return format!("{path}: {} is {word}", name(first.variant));
        };
        let next = compared.estimates[second.variant].mean();
        let relative = next.filter(|m| *m != 0.0 && of.unit() != Unit::Ratio);
        let share = relative.map_or(String::new(), |m| {
            format!(" ({})", crate::readable::share((gap.mean / m).abs()))
        });
        let (mean, half) = of.difference_text(&Interval::around(
            gap.mean.abs(),
            gap.half_width(),
            gap.level,
            gap.samples,
        ));
        let direction = match of.better() {
            Better::Higher => "more",
            Better::Lower | Better::Neither => "less",
        };
        let (half, end) = if gap.half_width() > 0.0 {
            (format!(" ± {half}"), String::new())
        } else {
            (String::new(), format!(", {in_all}"))
        };
        format!(
            "{path}: {} is {word}: {mean}{half}{share} {direction} than {}, the next{end}",
            name(first.variant),
            name(second.variant)
        )
    }
}

/// Told whenever one more replication of all variants is whole; it may ask what can be said so far.
pub type Told<'a> = dyn Fn(&dyn Fn() -> Comparison) + Sync + 'a;

/// Runs replications of all variants, each with the same random numbers, and compares them. With a
/// precision, it goes on until each difference from the first variant has a half-width of at most
/// that share of the first's mean.
pub fn compare(variants: Vec<Variant>, plan: &Plan, control: &Control<'_>) -> Comparison {
    compare_told(variants, plan, control, &|_| {})
}

/// As [`compare`], telling how it goes. Replications are told of in the order of their numbers, not
/// as they end: the slow ones are the congested ones.
pub fn compare_told(
    variants: Vec<Variant>,
    plan: &Plan,
    control: &Control<'_>,
    told: &Told<'_>,
) -> Comparison {
    let mut comparing = Comparing::new(variants, plan);
    while comparing.stop.is_none() {
        let wave = comparing.wave();
        control.plan(wave as u64);
        let lock = Mutex::new(Ended::of(wave));
        let more = control.map(wave, |i| {
            let (model, replication) = comparing.job(i);
            let run = run_one(model, replication, &plan.measures, control)?;
            control.did_one();
            let mut ended = locked(&lock);
            let before = ended.first / comparing.variants.len();
            ended.add(i, &run);
            let now = ended.first / comparing.variants.len();
            drop(ended);
            if now > before && i + 1 < wave {
                told(&|| {
                    let ended = locked(&lock);
                    comparing.with(&ended.whole())
                });
            }
            Some(run)
        });
        comparing.take(more);
    }
    comparing.with(&[])
}

fn locked(mutex: &Mutex<Ended>) -> MutexGuard<'_, Ended> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs of a wave, in any order, and how many are there from the first on.
struct Ended {
    runs: Vec<Option<Run>>,
    first: usize,
}

impl Ended {
    fn of(wave: usize) -> Self {
        Self {
            runs: vec![None; wave],
            first: 0,
        }
    }

    fn add(&mut self, number: usize, run: &Run) {
        self.runs[number] = Some(run.clone());
        while self.runs.get(self.first).is_some_and(Option::is_some) {
            self.first += 1;
        }
    }

    fn whole(&self) -> Vec<Run> {
        self.runs.iter().map_while(Clone::clone).collect()
    }
}

/// A comparison between two waves.
struct Comparing {
    variants: Vec<Variant>,
    plan: Plan,
    /// Each variant's replications, as many of each.
    runs: Vec<Vec<Run>>,
    stop: Option<Stop>,
}

impl Comparing {
    fn new(variants: Vec<Variant>, plan: &Plan) -> Self {
        Self {
            runs: vec![Vec::new(); variants.len()],
            plan: plan.clone(),
            stop: variants.is_empty().then_some(Stop::Planned),
            variants,
        }
    }

    /// Replications of each variant that are done in all of them.
    fn done(&self) -> u64 {
        self.runs.first().map_or(0, |runs| runs.len() as u64)
    }

    /// Runs of the wave that is next.
    fn wave(&self) -> usize {
        next_wave(&self.plan, self.done()) as usize * self.variants.len()
    }

    /// Which run of the wave is number `number`: all variants of a replication come before the next
    /// one, so that what is cut off is still paired.
    fn job(&self, number: usize) -> (&Arc<Model>, u64) {
        let replication = self.plan.first + self.done() + (number / self.variants.len()) as u64;
        let variant = &self.variants[number % self.variants.len()];
        (&variant.model, replication)
    }

    /// Takes the runs of the wave; when there are fewer, somebody has stopped it.
    fn take(&mut self, more: Vec<Run>) {
        let interrupted = more.len() < self.wave();
        add_whole(&mut self.runs, more);
        self.runs.iter_mut().for_each(|runs| thin(runs));
        self.stop = if interrupted {
            Some(Stop::Interrupted)
        } else {
            decide(&self.plan, &self.compared(&self.runs), self.done())
        };
    }

    fn compared(&self, runs: &[Vec<Run>]) -> Vec<Compared> {
        (0..self.plan.measures.len())
            .map(|at| in_measure(&self.variants, runs, &self.plan, at))
            .collect()
    }

    /// What can be said by the replications that are whole, with further runs of the wave, from its
    /// first on.
    fn with(&self, more: &[Run]) -> Comparison {
        let mut runs = self.runs.clone();
        add_whole(&mut runs, more.to_vec());
        Comparison {
            steady: is_steady(&self.variants, self.plan.estimand),
            variants: self.variants.clone(),
            measures: self.plan.measures.clone(),
            compared: self.compared(&runs),
            runs,
            level: self.plan.level,
            stop: self.stop.unwrap_or(Stop::Interrupted),
        }
    }
}

/// A comparison without threads: a little at a time, for whoever has one thread and must share it.
/// What comes out is that of [`compare`].
pub struct ComparisonSteps {
    comparing: Comparing,
    /// Runs of the wave that are over.
    ended: Vec<Run>,
    under_way: Option<Simulation>,
}

impl ComparisonSteps {
    /// Before the first run.
    pub fn new(variants: Vec<Variant>, plan: &Plan) -> Self {
        Self {
            comparing: Comparing::new(variants, plan),
            ended: Vec::new(),
            under_way: None,
        }
    }

    /// Why it ended, once it has.
    pub fn stop(&self) -> Option<Stop> {
        self.comparing.stop
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        let whole = self.comparing.runs.iter().map(Vec::len).sum::<usize>();
        let wave = match self.comparing.stop {
            Some(_) => 0,
            None => self.comparing.wave(),
        };
        Progress {
            done: (whole + self.ended.len()) as u64,
            planned: (whole + wave) as u64,
        }
    }

    /// Simulates up to so many events further; whether a run came to its end.
    pub fn step(&mut self, events: u64) -> bool {
        if self.stop().is_some() {
            return false;
        }
        let (model, replication) = self.comparing.job(self.ended.len());
        let simulation = self
            .under_way
            .get_or_insert_with(|| Simulation::new(Arc::clone(model), replication));
        if simulation.run_events(events) {
            return false;
        }
        let run = Run::of(simulation, &self.comparing.plan.measures);
        self.under_way = None;
        self.ended.push(run);
        if self.ended.len() == self.comparing.wave() {
            self.comparing.take(std::mem::take(&mut self.ended));
        }
        true
    }

    /// Ends it as it is: whole replications are kept.
    pub fn interrupt(&mut self) {
        if self.stop().is_none() {
            self.under_way = None;
            self.comparing.take(std::mem::take(&mut self.ended));
        }
    }

    /// What can be said by the replications that are whole.
    pub fn so_far(&self) -> Comparison {
        self.comparing.with(&self.ended)
    }
}

/// Hands runs of a wave to their variants, up to the last whole replication.
fn add_whole(runs: &mut [Vec<Run>], more: Vec<Run>) {
    let variants = runs.len().max(1);
    let whole = more.len() / variants * variants;
    for (i, run) in more.into_iter().take(whole).enumerate() {
        runs[i % variants].push(run);
    }
}

fn decide(plan: &Plan, compared: &[Compared], runs: u64) -> Option<Stop> {
    let Some(precision) = plan.precision else {
        return Some(Stop::Planned);
    };
    if runs < MIN_SEQUENTIAL {
        return None;
    }
    let mut any = false;
    let mut precise = true;
    for compared in compared {
        let first = compared.estimates.first().and_then(Estimate::mean);
        for pair in compared.pairs.iter().filter(|pair| pair.left == 0) {
            if let (Some(interval), Some(first)) = (pair.range(), first) {
                any = true;
                precise &= interval.half_width() <= precision.relative * first.abs();
            } else if (pair.difference.reason())
                .is_some_and(|reason| curable(reason, runs, precision))
            {
                any = true;
                precise = false;
            }
        }
    }
    if !any {
        return Some(Stop::Hopeless);
    }
    if precise {
        return Some(Stop::Precise);
    }
    (runs >= precision.max_replications).then_some(Stop::Cap)
}

#[cfg(test)]
mod tests {
    use super::super::control::tests::on;
    use super::*;

    const RESPONSE: &str = "response_time_s.mean";

    fn variants(policies: &[&str], horizon: &str) -> Vec<Variant> {
        let one = |policy: &&str| {
            let text = format!(
                "horizon = \"{horizon}\"\nwarm_up = \"1s\"\ntraffic = [{{ to = \"web\", rate = 4000 }}]\n[service.web]\ndemand = {{ kind = \"exponential\", mean = \"1ms\" }}\nbalancer.policy = \"{policy}\"\nserver = [{{ name = \"a\", count = 5, workers = 1 }}]\n"
            );
            let model = crate::scenario::parse(&text).unwrap_or_else(|p| panic!("{p}"));
            Variant {
                name: (*policy).to_owned(),
                model: Arc::new(model),
            }
        };
        policies.iter().map(one).collect()
    }

    fn plan(variants: &[Variant], measures: &[&str], replications: u64) -> Plan {
        Plan {
            measures: measures
                .iter()
                .map(|m| Measure::parse(m, &variants[0].model).expect("a figure"))
                .collect(),
            first: 0,
            replications,
            level: 0.95,
            precision: None,
            estimand: crate::steady::Estimand::ByNature,
        }
    }

    #[test]
    fn what_differs_is_ranked_and_what_does_not_is_not() {
        let mut variants = variants(
            &["round-robin", "least-work-left", "round-robin", "random"],
            "6s",
        );
        variants[2].name = "again".to_owned();
        let plan = plan(&variants, &["mean", "offered_hz"], 8);
        let one = on(1, |control| compare(variants.clone(), &plan, control));
        for threads in [2, 7] {
            let many = on(threads, |control| compare(variants.clone(), &plan, control));
            assert_eq!(one, many, "{threads} threads");
        }
        let ranks: Vec<(usize, usize, usize)> = one.compared[0]
            .ranking
            .iter()
            .map(|p| (p.variant, p.best, p.worst))
            .collect();
        assert_eq!(ranks, [(1, 1, 1), (0, 2, 3), (2, 2, 3), (3, 4, 4)]);
        let verdict = one.verdict(0);
        assert!(verdict.contains("least-work-left is best"), "{verdict}");
        assert!(
            verdict.contains("less than round-robin, the next"),
            "{verdict}"
        );
        // The same requests reach all of them.
        assert!(
            one.compared[1]
                .ranking
                .iter()
                .all(|p| (p.best, p.worst) == (1, 4))
        );
        let equal = "no difference in all 8 replications";
        assert!(one.verdict(1).contains(equal), "{}", one.verdict(1));
        let same = one.pair(0, 0, 2).expect("a pair");
        assert_eq!((same.p_value, same.sign()), (Some(1.0), 0));
    }

    #[test]
    fn the_level_of_an_interval_is_that_of_its_test() {
        let variants = variants(
            &["round-robin", "power-of-d", "least-in-flight", "random"],
            "8s",
        );
        let plan = plan(&variants, &["mean"], 6);
        let found = on(2, |control| compare(variants, &plan, control));
        assert_eq!(found.compared[0].pairs.len(), 6);
        for pair in &found.compared[0].pairs {
            let adjusted = pair.p_adjusted.expect("six runs suffice");
            assert_eq!(pair.sign() != 0, adjusted <= 0.05, "{pair:?}");
        }
    }

    #[test]
    fn four_replications_tell_nothing() {
        let variants = variants(&["round-robin", "random"], "4s");
        let plan = plan(&variants, &["mean"], 4);
        let found = on(2, |control| compare(variants, &plan, control));
        let pair = found.pair(0, 1, 0).expect("a pair");
        assert_eq!(
            pair.difference.reason(),
            Some(&Withheld::TooFewReplications { have: 4, need: 5 })
        );
        assert!(
            found.verdict(0).contains("cannot tell"),
            "{}",
            found.verdict(0)
        );
    }

    #[test]
    fn step_by_step_is_the_same_as_on_threads() {
        let variants = variants(&["round-robin", "random", "least-in-flight"], "4s");
        for precision in [None, Some(0.05)] {
            let plan = Plan {
                precision: precision.map(|relative| super::super::Precision {
                    relative,
                    max_replications: 20,
                }),
                ..plan(&variants, &[RESPONSE], 6)
            };
            let expected = on(2, |control| compare(variants.clone(), &plan, control));
            for events in [1_000, 50_000] {
                let mut comparing = ComparisonSteps::new(variants.clone(), &plan);
                while comparing.stop().is_none() {
                    comparing.step(events);
                }
                assert_eq!(comparing.so_far(), expected, "{events} events at a time");
                let progress = comparing.progress();
                assert_eq!(progress.done, progress.planned);
            }
        }
    }

    #[test]
    fn what_is_told_on_the_way_is_a_comparison_of_fewer_replications() {
        let variants = variants(&["round-robin", "random", "least-in-flight"], "4s");
        for threads in [1, 3] {
            let seen = Mutex::new(Vec::new());
            let whole = on(threads, |control| {
                compare_told(
                    variants.clone(),
                    &plan(&variants, &[RESPONSE], 7),
                    control,
                    &|so_far| {
                        seen.lock().expect("no panic").push(so_far());
                    },
                )
            });
            assert_eq!(whole.runs[0].len(), 7);
            let seen = seen.into_inner().expect("no panic");
            assert!(!seen.is_empty());
            for partial in seen {
                let n = partial.runs[0].len();
                assert!(partial.runs.iter().all(|runs| runs.len() == n));
                if n == 6 {
                    let six = on(1, |c| {
                        compare(variants.clone(), &plan(&variants, &[RESPONSE], 6), c)
                    });
                    assert_eq!(partial.compared, six.compared);
                }
            }
        }
    }

    #[test]
    fn stopping_keeps_whole_replications() {
        let variants = variants(&["round-robin", "random", "least-in-flight"], "4s");
        let mut comparing =
            ComparisonSteps::new(variants.clone(), &plan(&variants, &[RESPONSE], 5));
        let mut ended = 0;
        while ended < 7 {
            ended += u64::from(comparing.step(10_000));
        }
        comparing.interrupt();
        assert_eq!(comparing.stop(), Some(Stop::Interrupted));
        let found = comparing.so_far();
        assert!(found.runs.iter().all(|runs| runs.len() == 2), "7 of 3 each");
        assert!(!comparing.step(10_000));
    }
}
