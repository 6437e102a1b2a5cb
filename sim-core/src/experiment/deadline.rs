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

use super::control::Control;
use super::hysteresis::wider;
use super::measure::Measure;
use crate::edit::Edit;
use crate::engine::Simulation;
use crate::frames::Frames;
use crate::model::Model;
use crate::scenario::{Problems, Scenario};
use crate::statistics::{self, Estimate, Withheld};
use crate::summary::Summary;
use crate::time::{Duration, Instant, SECOND};
use std::sync::Arc;
use std::sync::atomic::Ordering;

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

impl DeadlinePlan {
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
    // What does not fit is told before anything runs.
    let mut trial = Simulation::new(model.clone(), plan.first);
    act(&mut trial, scenario, model, &plan.edits)?;
    drop(trial);
    let moments = plan.curve();
    let halvings = moments
        .windows(2)
        .map(|pair| pair[1].since(pair[0]).0 / plan.within.0.max(1));
    let halvings = halvings
        .max()
        .unwrap_or(0)
        .checked_ilog2()
        .map_or(0, |log| log + 1);
    control.plan(plan.replications * (1 + moments.len() as u64 + u64::from(halvings)));
    let tried = control.map(plan.replications as usize, |i| {
        let one = Replication {
            scenario,
            model,
            plan,
            control,
        };
        one.run(plan.first + i as u64, &moments).transpose()
    });
    let interrupted = (tried.len() as u64) < plan.replications;
    let acted: Vec<Acted> = tried.into_iter().collect::<Result<_, Problems>>()?;
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
    let best = (0..damages.len()).min_by(|&one, &other| damages[one].total_cmp(&damages[other]));
    let best = best.unwrap_or(0);
    let could = damage(&never) - damages[best];
    let saved = |of: &f64| (could > 0.0).then(|| (damage(&never) - of) / could);
    Ok(Deadline {
        last_s,
        best,
        saved: damages.iter().map(saved).collect(),
        never,
        curve,
        moments,
        acted,
        interrupted,
    })
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

struct Replication<'a> {
    scenario: &'a Scenario,
    model: &'a Arc<Model>,
    plan: &'a DeadlinePlan,
    control: &'a Control<'a>,
}

impl Replication<'_> {
    /// `None` if told to stop.
    fn run(&self, number: u64, moments: &[Instant]) -> Result<Option<Acted>, Problems> {
        let mut simulation = Simulation::new(self.model.clone(), number);
        let (from, until) = self.plan.between;
        if !self.go_to(&mut simulation, from) {
            return Ok(None);
        }
        let mut frames = Frames::new(&simulation);
        while frames.due() < until {
            if !self.go_to(&mut simulation, frames.due()) {
                return Ok(None);
            }
            frames.offer(&simulation, FRAMES_MAX);
        }
        let Some(never) = self.figure(simulation) else {
            return Ok(None);
        };
        let mut curve = Vec::new();
        for &moment in moments {
            let Some(figure) = self.figure_if(&frames, moment)? else {
                return Ok(None);
            };
            curve.push(figure);
        }
        let without = self.plan.measure.damage(never);
        let damages = curve.iter().map(|figure| self.plan.measure.damage(*figure));
        let could = without - damages.fold(without, f64::min);
        let something = could > SOMETHING * without.abs();
        let helps = |figure: f64| {
            something && without - self.plan.measure.damage(figure) >= self.plan.saves * could
        };
        let last = curve.iter().rposition(|figure| helps(*figure));
        let too_late = match last {
            None => TooLate::NothingToSave,
            Some(last) if last + 1 == moments.len() => TooLate::Never,
            Some(last) => {
                let (mut good, mut bad) = (moments[last], moments[last + 1]);
                while bad.since(good) > self.plan.within {
                    let middle = Instant(good.0 + bad.since(good).0 / 2);
                    let Some(figure) = self.figure_if(&frames, middle)? else {
                        return Ok(None);
                    };
                    if helps(figure) {
                        good = middle;
                    } else {
                        bad = middle;
                    }
                }
                TooLate::Between(good, bad)
            }
        };
        let until_then = last.map_or(&[][..], |last| &curve[..last]);
        Ok(Some(Acted {
            never,
            too_late,
            too_early: until_then.iter().any(|figure| !helps(*figure)),
            curve,
        }))
    }

    /// The figure if it is done at a moment.
    fn figure_if(&self, frames: &Frames, at: Instant) -> Result<Option<f64>, Problems> {
        let Some(mut simulation) = frames.before(at).cloned() else {
            return Ok(None);
        };
        if !self.go_to(&mut simulation, at) {
            return Ok(None);
        }
        act(&mut simulation, self.scenario, self.model, &self.plan.edits)?;
        Ok(self.figure(simulation))
    }

    /// The figure at the end.
    fn figure(&self, mut simulation: Simulation) -> Option<f64> {
        if !self.go_to(&mut simulation, Instant(self.model.horizon.0)) {
            return None;
        }
        self.control.did_one();
        let figure = Summary::of(&simulation, 0).figure(self.plan.measure.path());
        // Where nothing was measured there is nothing to hold against anybody: the figure of no damage.
        Some(figure.unwrap_or_else(|| self.plan.measure.damage(0.0)))
    }

    /// Whether it got there, and was not told to stop.
    fn go_to(&self, simulation: &mut Simulation, at: Instant) -> bool {
        !simulation.run_while(at, || !self.control.cancel.load(Ordering::Relaxed))
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
