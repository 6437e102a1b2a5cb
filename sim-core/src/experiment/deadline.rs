//! Until when an act still helps: the point of no return.
//!
//! ```text
//! a run without the act ─┬─ key frames along the way
//!                        ├─► forks that act at moments side by side: damage over the moment of acting
//!                        └─► forks between the last that helps and the first that does not: halved again
//! ```
//!
//! All runs of a replication have the same random numbers, so that what differs is the act. It helps at a
//! moment if it saves a part of what it saves at its best moment: a half, where nothing else is said. That
//! needs no threshold in requests, and is sharp where a system has two ways to go.

use super::control::{Control, Progress};
use super::hysteresis::wider;
use super::measure::Measure;
use crate::edit::Edit;
use crate::engine::Simulation;
use crate::frames::Frames;
use crate::model::Model;
use crate::readable;
use crate::scenario::{Problems, Scenario};
use crate::statistics::{self, Estimate, Withheld};
use crate::summary::Summary;
use crate::time::{Duration, Instant, SECOND};
use std::sync::Arc;

/// What the key frames that a replication keeps along its way may take, in bytes.
const FRAMES_MAX: usize = 128 << 20;

/// An act that saves less than this part of the damage, at whatever moment, saves nothing: runs that part
/// ways differ by that much by chance.
const SOMETHING: f64 = 0.05;

/// What is asked.
#[derive(Clone, PartialEq, Debug)]
pub struct DeadlinePlan {
    /// What is done at the moment that is looked for, all of it at once. None of it may be structural.
    pub edits: Vec<Edit>,
    /// The damage: a figure of which less is better, or of which more is.
    pub measure: Measure,
    /// The first and the last moment that are tried.
    pub between: (Instant, Instant),
    /// How closely the moment is looked for, above 0.
    pub within: Duration,
    /// The part of what is saved at the best moment that an act in time saves, above 0 and at most 1.
    pub saves: f64,
    /// Moments of the curve, both ends included; at least 2.
    pub moments: usize,
    /// The first replication.
    pub first: u64,
    /// How many.
    pub replications: u64,
    /// How surely intervals cover.
    pub level: f64,
}

/// Replications when nothing is said: each takes some twenty runs from a moment on.
const REPLICATIONS: u64 = 10;

impl DeadlinePlan {
    /// What is asked where nothing else is said: within a part of a run, or all of it.
    ///
    /// # Errors
    /// What is wrong with the part.
    pub fn new(
        edits: Vec<Edit>,
        measure: Measure,
        between: Option<(Instant, Instant)>,
        model: &Model,
    ) -> Result<Self, String> {
        let (start, end) = (Instant::ZERO, Instant(model.horizon.0));
        let (from, until) = between.unwrap_or((start, end));
        if from > end || until > end {
            let [start, end] = [start, end].map(|at| readable::moment(at, model.clock));
            return Err(format!("the run lasts from {start} to {end}"));
        }
        if from >= until {
            return Err("the second moment must be later than the first".to_owned());
        }
        Ok(Self {
            edits,
            measure,
            between: (from, until),
            within: Duration((until.since(from).0 / 1000).max(SECOND)),
            saves: 0.5,
            moments: 13,
            first: 0,
            replications: REPLICATIONS,
            level: 0.95,
        })
    }

    /// Runs that it takes at most, from wherever they begin.
    pub fn runs(&self) -> u64 {
        let moments = self.curve();
        let between = moments.windows(2);
        let halvings = between.map(|pair| pair[1].since(pair[0]).0 / self.within.0.max(1));
        let halvings = halvings.max().unwrap_or(0).checked_ilog2();
        let halvings = halvings.map_or(0, |log| log + 1);
        self.replications * (1 + moments.len() as u64 + u64::from(halvings))
    }

    /// The moments of the curve.
    pub fn curve(&self) -> Vec<Instant> {
        let (from, until) = self.between;
        let (steps, span) = (self.moments.max(2) as u64 - 1, until.since(from).0);
        (0..=steps)
            .map(|step| {
                Instant(from.0 + (u128::from(span) * u128::from(step) / u128::from(steps)) as u64)
            })
            .collect()
    }
}

/// When it is too late in one replication.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TooLate {
    /// Between two moments: at the first it still helps, at the second no longer.
    Between(Instant, Instant),
    /// Not even at the last moment tried.
    Never,
    /// It saves nothing worth the name, whenever it is done.
    NothingToSave,
}

/// One replication.
#[derive(Clone, PartialEq, Debug)]
pub struct Acted {
    /// The figure without the act.
    pub never: f64,
    /// The figure by the moment of acting, in the order of the curve's moments.
    pub curve: Vec<f64>,
    /// When it was too late.
    pub too_late: TooLate,
    /// Whether acting at some earlier moment of the curve does not help though a later one does.
    pub too_early: bool,
}

/// What is known of the last moment.
#[derive(Clone, PartialEq, Debug)]
pub struct Deadline {
    /// The moments of the curve.
    pub moments: Vec<Instant>,
    /// The replications.
    pub acted: Vec<Acted>,
    /// The last moment at which the act helps, in seconds from the start. Its interval is wider by half of
    /// how closely it was looked for.
    pub last_s: Estimate,
    /// The figure without the act.
    pub never: Estimate,
    /// The figure by the moment of acting.
    pub curve: Vec<Estimate>,
    /// The moment of the curve with the least damage on average.
    pub best: usize,
    /// How much of what acting at that moment saves acting at each moment saves, on average; `None` where that
    /// saves nothing.
    pub saved: Vec<Option<f64>>,
    /// Whether it was stopped.
    pub interrupted: bool,
}

impl Deadline {
    /// The earliest and the latest of the replications' moments, in seconds from the start, where there are any.
    pub fn range_s(&self) -> Option<(f64, f64)> {
        let found: Vec<f64> = self
            .acted
            .iter()
            .filter_map(|acted| acted.too_late.seconds())
            .collect();
        let (first, rest) = found.split_first()?;
        let range = |(low, high): (f64, f64), s: &f64| (low.min(*s), high.max(*s));
        Some(rest.iter().fold((*first, *first), range))
    }

    /// Replications that ended in this way.
    pub fn count(&self, of: impl Fn(&Acted) -> bool) -> usize {
        self.acted.iter().filter(|acted| of(acted)).count()
    }
}

impl TooLate {
    /// The moment, in seconds from the start.
    fn seconds(self) -> Option<f64> {
        match self {
            Self::Between(helps, late) => {
                Some(f64::midpoint(helps.as_secs_f64(), late.as_secs_f64()))
            }
            Self::Never | Self::NothingToSave => None,
        }
    }
}

/// Looks for the last moment at which an act helps.
///
/// # Errors
/// What is wrong with the act: problems that the scenario would have with it in its time line.
pub fn deadline(
    scenario: &Scenario,
    model: &Arc<Model>,
    plan: &DeadlinePlan,
    control: &Control<'_>,
) -> Result<Deadline, Problems> {
    let asked = Asked::new(scenario, model, plan)?;
    control.plan(plan.runs());
    let acted = control.map(plan.replications as usize, |i| {
        let mut one = Replication::new(&asked, plan.first + i as u64);
        loop {
            match one.step(&asked, &mut || !control.cancelled()) {
                Step::Stopped => return None,
                Step::Unfit(problems) => return Some(Err(problems)),
                Step::Run => control.did_one(),
                Step::Whole(acted) => {
                    if let Some(why) = one.failed {
                        control.fail(why);
                    }
                    control.did_one();
                    return Some(Ok(acted));
                }
            }
        }
    });
    Ok(asked.answer(acted.into_iter().collect::<Result<_, Problems>>()?))
}

/// The search without threads: a little at a time, for whoever has one thread and must share it. What comes out is
/// that of [`deadline`].
pub struct DeadlineSteps {
    asked: Asked,
    acted: Vec<Acted>,
    under_way: Option<Box<Replication>>,
    done: u64,
    interrupted: bool,
    refused: Option<Problems>,
}

impl DeadlineSteps {
    /// Before the first run.
    ///
    /// # Errors
    /// As of [`deadline`].
    pub fn new(
        scenario: &Scenario,
        model: &Arc<Model>,
        plan: &DeadlinePlan,
    ) -> Result<Self, Problems> {
        Ok(Self {
            asked: Asked::new(scenario, model, plan)?,
            acted: Vec::new(),
            under_way: None,
            done: 0,
            interrupted: false,
            refused: None,
        })
    }

    /// What was wrong with the act at a moment, which ended it.
    pub fn refused(&self) -> Option<&Problems> {
        self.refused.as_ref()
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        Progress {
            done: self.done,
            planned: self.asked.plan.runs().max(self.done),
        }
    }

    /// Whether nothing is left to do.
    pub fn is_over(&self) -> bool {
        let whole = self.acted.len() as u64 >= self.asked.plan.replications;
        self.interrupted || self.refused.is_some() || whole
    }

    /// Simulates further until `go_on`, which is asked every few events, says no; whether a run came to its end.
    pub fn step(&mut self, go_on: &mut dyn FnMut() -> bool) -> bool {
        if self.is_over() {
            return false;
        }
        let number = self.asked.plan.first + self.acted.len() as u64;
        let one = self
            .under_way
            .get_or_insert_with(|| Box::new(Replication::new(&self.asked, number)));
        match one.step(&self.asked, go_on) {
            Step::Stopped => return false,
            Step::Unfit(problems) => {
                self.refused = Some(problems);
                return false;
            }
            Step::Run => {}
            Step::Whole(acted) => {
                self.acted.push(acted);
                self.under_way = None;
            }
        }
        self.done += 1;
        true
    }

    /// Ends it as it is: whole replications are kept.
    pub fn interrupt(&mut self) {
        self.interrupted = true;
        self.under_way = None;
    }

    /// What can be said by the replications that are whole.
    pub fn so_far(&self) -> Deadline {
        self.asked.answer(self.acted.clone())
    }
}

/// Does all of it in a running simulation.
fn act(
    simulation: &mut Simulation,
    scenario: &Scenario,
    model: &Arc<Model>,
    edits: &[Edit],
) -> Result<(), Problems> {
    let (mut scenario, mut model) = (scenario.clone(), model.clone());
    edits
        .iter()
        .try_for_each(|edit| edit.apply(simulation, &mut scenario, &mut model))
}

/// What is asked of which system.
struct Asked {
    scenario: Scenario,
    model: Arc<Model>,
    plan: DeadlinePlan,
    moments: Vec<Instant>,
}

impl Asked {
    fn new(scenario: &Scenario, model: &Arc<Model>, plan: &DeadlinePlan) -> Result<Self, Problems> {
        // What does not fit is told before anything runs.
        let mut trial = Simulation::new(model.clone(), plan.first);
        act(&mut trial, scenario, model, &plan.edits)?;
        Ok(Self {
            scenario: scenario.clone(),
            model: model.clone(),
            moments: plan.curve(),
            plan: plan.clone(),
        })
    }

    /// What these replications say; fewer than were asked for if it was stopped.
    fn answer(&self, acted: Vec<Acted>) -> Deadline {
        let (plan, moments) = (&self.plan, self.moments.clone());
        let mean = |values: &[f64]| statistics::mean(values, plan.level).unless_same();
        let found: Vec<f64> = acted
            .iter()
            .filter_map(|acted| acted.too_late.seconds())
            .collect();
        let missing = (acted.len() - found.len()) as u64;
        let last_s = if missing > 0 || found.is_empty() {
            let of = acted.len() as u64;
            Estimate::withheld(None, Withheld::NothingMeasured { missing, of })
        } else {
            let half = plan.within.0 as f64 / 2.0 / SECOND as f64;
            wider(statistics::mean(&found, plan.level), half)
        };
        let never: Vec<f64> = acted.iter().map(|acted| acted.never).collect();
        let never = mean(&never);
        let at = |moment: usize| {
            let figures: Vec<f64> = acted.iter().map(|acted| acted.curve[moment]).collect();
            mean(&figures)
        };
        let curve: Vec<Estimate> = (0..moments.len()).map(at).collect();
        let damage = |estimate: &Estimate| plan.measure.damage(estimate.mean().unwrap_or(0.0));
        let damages: Vec<f64> = curve.iter().map(damage).collect();
        let best =
            (0..damages.len()).min_by(|&one, &other| damages[one].total_cmp(&damages[other]));
        let best = best.unwrap_or(0);
        let could = damage(&never) - damages[best];
        let saved = |of: &f64| (could > 0.0).then(|| (damage(&never) - of) / could);
        Deadline {
            last_s,
            best,
            saved: damages.iter().map(saved).collect(),
            never,
            curve,
            moments,
            interrupted: (acted.len() as u64) < plan.replications,
            acted,
        }
    }
}

/// What came of a step.
enum Step {
    /// It was told to stop, and can go on.
    Stopped,
    /// The act does not fit at a moment.
    Unfit(Problems),
    /// A run came to its end.
    Run,
    /// The last run did.
    Whole(Acted),
}

/// One replication: the run without the act, and forks of it one after the other.
struct Replication {
    simulation: Simulation,
    stage: Stage,
    frames: Frames,
    never: f64,
    curve: Vec<f64>,
    /// The last moment that helps and the first that does not, once the curve is known.
    between: Option<(Instant, Instant)>,
    /// Why a run came to no end, where one did not.
    failed: Option<String>,
}

/// What the simulation under way is on its way to.
enum Stage {
    /// Without the act, to the first moment.
    Before,
    /// Without the act, to the next key frame.
    Along,
    /// Without the act, to the end.
    Never,
    /// To the moment of the act.
    Until(Instant),
    /// With the act done then, to the end.
    Acted(Instant),
}

impl Replication {
    fn new(asked: &Asked, number: u64) -> Self {
        let simulation = Simulation::new(asked.model.clone(), number);
        Self {
            frames: Frames::default(),
            simulation,
            stage: Stage::Before,
            never: 0.0,
            curve: Vec::new(),
            between: None,
            failed: None,
        }
    }

    /// Goes on to the end of a run, unless it is told to stop.
    fn step(&mut self, asked: &Asked, go_on: &mut dyn FnMut() -> bool) -> Step {
        let plan = &asked.plan;
        let (from, until) = plan.between;
        loop {
            let goal = match self.stage {
                Stage::Before => from,
                Stage::Along => self.frames.due(),
                Stage::Until(at) => at,
                Stage::Never | Stage::Acted(_) => Instant(asked.model.horizon.0),
            };
            if self.simulation.run_while(goal, &mut *go_on) {
                return Step::Stopped;
            }
            match self.stage {
                Stage::Before => self.frames = Frames::new(&self.simulation),
                Stage::Along => self.frames.offer(&self.simulation, FRAMES_MAX),
                Stage::Until(at) => {
                    let simulation = &mut self.simulation;
                    let done = act(simulation, &asked.scenario, &asked.model, &plan.edits);
                    if let Err(problems) = done {
                        return Step::Unfit(problems);
                    }
                    self.stage = Stage::Acted(at);
                    continue;
                }
                Stage::Never => {
                    self.never = self.figure(asked);
                    self.begin(asked.moments[0]);
                    return Step::Run;
                }
                Stage::Acted(at) => {
                    let figure = self.figure(asked);
                    return match self.take(asked, at, figure) {
                        Ok(next) => {
                            self.begin(next);
                            Step::Run
                        }
                        Err(acted) => Step::Whole(acted),
                    };
                }
            }
            // A run that ended early comes no further.
            let over = self.simulation.end().is_some();
            self.stage = if !over && self.frames.due() < until {
                Stage::Along
            } else {
                Stage::Never
            };
        }
    }

    /// Takes up the run again before a moment.
    fn begin(&mut self, at: Instant) {
        if let Some(frame) = self.frames.before(at) {
            self.simulation = frame.clone();
        }
        self.stage = Stage::Until(at);
    }

    /// The figure at the end.
    fn figure(&mut self, asked: &Asked) -> f64 {
        self.failed = self.failed.take().or_else(|| self.simulation.early_end());
        let measure = &asked.plan.measure;
        let figure = Summary::of(&self.simulation, 0).figure(measure.path());
        // Where nothing was measured there is nothing to hold against anybody: the figure of no damage.
        figure.unwrap_or_else(|| measure.damage(0.0))
    }

    /// Takes the figure of acting at a moment: the next moment to try, or what came out.
    fn take(&mut self, asked: &Asked, at: Instant, figure: f64) -> Result<Instant, Acted> {
        let (plan, moments) = (&asked.plan, &asked.moments);
        if self.between.is_none() {
            self.curve.push(figure);
            if let Some(next) = moments.get(self.curve.len()) {
                return Ok(*next);
            }
        }
        let without = plan.measure.damage(self.never);
        let damages = self.curve.iter().map(|figure| plan.measure.damage(*figure));
        let could = without - damages.fold(without, f64::min);
        let something = could > SOMETHING * without.abs();
        let helps =
            |figure: f64| something && without - plan.measure.damage(figure) >= plan.saves * could;
        let last = self.curve.iter().rposition(|figure| helps(*figure));
        let too_late = match (&mut self.between, last) {
            (_, None) => TooLate::NothingToSave,
            (_, Some(last)) if last + 1 == moments.len() => TooLate::Never,
            (between, Some(last)) => {
                let (good, bad) = match between {
                    None => (moments[last], moments[last + 1]),
                    Some((_, bad)) if helps(figure) => (at, *bad),
                    Some((good, _)) => (*good, at),
                };
                *between = Some((good, bad));
                if bad.since(good) > plan.within {
                    return Ok(Instant(good.0 + bad.since(good).0 / 2));
                }
                TooLate::Between(good, bad)
            }
        };
        let until_then = last.map_or(&[][..], |last| &self.curve[..last]);
        Err(Acted {
            never: self.never,
            too_late,
            too_early: until_then.iter().any(|figure| !helps(*figure)),
            curve: self.curve.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::control::tests::on;
    use super::*;
    use crate::scenario::{NoFiles, Source};

    /// A server that is slow from the first minute on for another one: of a hundred requests a second it
    /// refuses about eighty then. Healing it at a moment saves those that come later.
    const SLOW: &str = "horizon = \"3m\"\ntraffic = [{ to = \"web\", rate = 100, arrivals = \"deterministic\" }]\n\
        [service.web]\ndemand = \"50ms\"\nserver = [{ name = \"s\", workers = 10, queue.limit = 10 }]\n\
        [[timeline]]\nat = \"1m\"\ndo = \"slow\"\ntarget = \"service.web.server.s\"\nfactor = 0.1\nfor = \"1m\"\n";

    fn read(text: &str) -> (Scenario, Arc<Model>) {
        let read = Scenario::read(Source::new("s.toml", text), &[], &NoFiles);
        let scenario = read.unwrap_or_else(|problems| panic!("{problems}"));
        let model = scenario
            .model()
            .unwrap_or_else(|problems| panic!("{problems}"));
        (scenario, Arc::new(model))
    }

    fn plan(model: &Model, edit: Edit) -> DeadlinePlan {
        DeadlinePlan {
            edits: vec![edit],
            measure: Measure::parse("requests.lost", model).expect("a figure"),
            between: (Instant(60 * SECOND), Instant(150 * SECOND)),
            within: Duration::from_secs(1),
            saves: 0.5,
            moments: 4,
            first: 0,
            replications: 2,
            level: 0.95,
        }
    }

    fn heal() -> Edit {
        Edit::act("heal", "service.web.server.s")
    }

    #[test]
    fn half_is_saved_at_half_time() {
        let (scenario, model) = read(SLOW);
        let plan = plan(&model, heal());
        let one = on(1, |c| deadline(&scenario, &model, &plan, c)).expect("it fits");
        for acted in &one.acted {
            let TooLate::Between(good, bad) = acted.too_late else {
                panic!("{acted:?}");
            };
            assert!(bad.since(good) <= plan.within);
            // Refusals begin when the queue is full, a quarter of a second after the minute.
            let at = good.as_secs_f64();
            assert!((89.0..91.5).contains(&at), "{at}");
            assert!(!acted.too_early);
            assert!((4700.0..4800.0).contains(&acted.never), "{}", acted.never);
        }
        let many = on(3, |c| deadline(&scenario, &model, &plan, c));
        assert_eq!(Ok(one), many);
    }

    #[test]
    fn runs_that_end_early_say_nothing() {
        let limited = |events: u32| {
            let (scenario, model) = read(&format!("limits = {{ events = {events} }}\n{SLOW}"));
            let plan = plan(&model, heal());
            on(2, |c| {
                deadline(&scenario, &model, &plan, c).expect("it fits");
                c.failure()
            })
        };
        // Some end before the first moment at which anything is done, and some after it.
        for events in [1_000, 20_000] {
            let why = limited(events).unwrap_or_default();
            assert_eq!(why, "the run ended early: it reached limits.events");
        }
        assert_eq!(limited(1_000_000), None);
    }

    #[test]
    fn steps_come_to_the_same() {
        let (scenario, model) = read(SLOW);
        let plan = plan(&model, heal());
        let whole = on(2, |c| deadline(&scenario, &model, &plan, c)).expect("it fits");
        let mut steps = DeadlineSteps::new(&scenario, &model, &plan).expect("it fits");
        let mut runs = 0;
        while !steps.is_over() {
            let mut asked = 0;
            runs += u64::from(steps.step(&mut || {
                asked += 1;
                asked < 3
            }));
        }
        assert_eq!(steps.so_far(), whole);
        let progress = steps.progress();
        assert_eq!(progress.done, runs);
        assert!(runs <= progress.planned, "{progress:?}");
        let mut stopped = DeadlineSteps::new(&scenario, &model, &plan).expect("it fits");
        while stopped.so_far().acted.is_empty() {
            stopped.step(&mut || true);
        }
        stopped.interrupt();
        assert!(stopped.is_over());
        let kept = stopped.so_far();
        assert!(kept.interrupted);
        assert_eq!(kept.acted, whole.acted[..1]);
    }

    #[test]
    fn runs_on_either_side_confirm_it() {
        let (scenario, model) = read(SLOW);
        let plan = plan(&model, heal());
        let found = on(2, |c| deadline(&scenario, &model, &plan, c)).expect("it fits");
        let acted = &found.acted[0];
        let TooLate::Between(good, bad) = acted.too_late else {
            panic!("{acted:?}");
        };
        // The act written into the time line, and simulated from the start.
        let lost = |at: Instant| {
            let (_, model) = read(&format!("{SLOW}\n{}", heal().entry(at)));
            let mut simulation = Simulation::new(model, 0);
            simulation.run();
            Summary::of(&simulation, 0)
                .figure("requests.lost")
                .unwrap_or(0.0)
        };
        let half = f64::midpoint(acted.never, acted.curve[0]);
        assert!(lost(good) <= half && half < lost(bad), "{half}");
    }

    #[test]
    fn what_never_helps_and_what_always_does_are_told_apart() {
        let (scenario, model) = read(SLOW);
        let useless = plan(&model, Edit::set("client.timeout", "1h"));
        let found = on(1, |c| deadline(&scenario, &model, &useless, c)).expect("it fits");
        assert!(
            found
                .acted
                .iter()
                .all(|acted| acted.too_late == TooLate::NothingToSave)
        );
        assert!(found.last_s.interval().is_none());
        // Before the slowness ends, anything but the last moments helps a little.
        let mut early = plan(&model, heal());
        early.between.1 = Instant(110 * SECOND);
        early.saves = 0.1;
        let found = on(1, |c| deadline(&scenario, &model, &early, c)).expect("it fits");
        assert!(
            found
                .acted
                .iter()
                .all(|acted| acted.too_late == TooLate::Never)
        );
    }

    #[test]
    fn an_act_can_come_too_early() {
        let (scenario, model) = read(SLOW);
        // Before it is slow there is nothing to heal.
        let mut plan = plan(&model, heal());
        plan.between.0 = Instant(30 * SECOND);
        plan.measure = Measure::parse("availability", &model).expect("a figure");
        let found = on(2, |c| deadline(&scenario, &model, &plan, c)).expect("it fits");
        for acted in &found.acted {
            assert!(acted.too_early, "{acted:?}");
            assert!(matches!(acted.too_late, TooLate::Between(..)), "{acted:?}");
            assert!((0.73..0.75).contains(&acted.never), "{}", acted.never);
        }
    }

    #[test]
    fn an_act_that_does_not_fit_is_a_problem() {
        let (scenario, model) = read(SLOW);
        for edit in [
            Edit::set("service.web.server.t.weight", "3"),
            Edit::set("service.web.server.s.weight", "heavy"),
            Edit::act("heal", "service.web.server.t"),
            Edit::act("head", "service.web.server.s"),
        ] {
            let plan = plan(&model, edit.clone());
            let found = on(1, |c| deadline(&scenario, &model, &plan, c));
            assert!(found.is_err(), "{edit:?}");
        }
    }
}
