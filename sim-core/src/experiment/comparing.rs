//! A comparison under way: what is to be run next, and what can be said so far.

use super::compare::{Compared, Comparison, Variant, in_measure};
use super::control::{Control, Progress};
use super::replicate::{MIN_SEQUENTIAL, Plan, Stop, next_wave};
use super::run::{Run, run_one};
use crate::engine::Simulation;
use crate::model::Model;
use crate::statistics::Estimate;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
            let run = run_one(model, replication, &plan.measures, control.cancel)?;
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
            if let (Some(interval), Some(first)) = (pair.difference.interval(), first) {
                any = true;
                precise &= interval.half_width() <= precision.relative * first.abs();
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
    use super::super::Measure;
    use super::super::control::tests::on;
    use super::*;

    fn variants() -> Vec<Variant> {
        let one = |policy: &str| {
            let text = format!(
                "horizon = \"2s\"\ntraffic = [{{ to = \"web\", rate = 4000 }}]\n[service.web]\ndemand = {{ kind = \"exponential\", mean = \"1ms\" }}\nbalancer.policy = \"{policy}\"\nserver = [{{ name = \"a\", count = 5, workers = 1 }}]\n"
            );
            let model = crate::scenario::parse(&text).unwrap_or_else(|p| panic!("{p}"));
            Variant {
                name: policy.to_owned(),
                model: Arc::new(model),
            }
        };
        ["round-robin", "random", "least-in-flight"]
            .map(one)
            .to_vec()
    }

    fn plan(variants: &[Variant], replications: u64) -> Plan {
        Plan {
            measures: Measure::defaults(&variants[0].model),
            first: 0,
            replications,
            level: 0.95,
            precision: None,
        }
    }

    #[test]
    fn step_by_step_is_the_same_as_on_threads() {
        let variants = variants();
        for precision in [None, Some(0.05)] {
            let plan = Plan {
                precision: precision.map(|relative| super::super::Precision {
                    relative,
                    max_replications: 20,
                }),
                ..plan(&variants, 6)
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
        let variants = variants();
        for threads in [1, 3] {
            let seen = Mutex::new(Vec::new());
            let whole = on(threads, |control| {
                compare_told(variants.clone(), &plan(&variants, 7), control, &|so_far| {
                    seen.lock().expect("no panic").push(so_far());
                })
            });
            assert_eq!(whole.runs[0].len(), 7);
            let seen = seen.into_inner().expect("no panic");
            assert!(!seen.is_empty());
            for partial in seen {
                let n = partial.runs[0].len();
                assert!(partial.runs.iter().all(|runs| runs.len() == n));
                if n == 6 {
                    let six = on(1, |c| compare(variants.clone(), &plan(&variants, 6), c));
                    assert_eq!(partial.compared, six.compared);
                }
            }
        }
    }

    #[test]
    fn stopping_keeps_whole_replications() {
        let variants = variants();
        let mut comparing = ComparisonSteps::new(variants.clone(), &plan(&variants, 5));
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
