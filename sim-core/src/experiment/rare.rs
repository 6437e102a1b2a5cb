//! Rare events: multilevel splitting with fixed effort.
//!
//! Whether a server crashes once in ten million days is not found out by watching ten million days. But what leads
//! there is no secret: a queue that is long is nearer to it than a short one. So the way is cut into levels. Runs
//! are started and followed until they reach the first level; from the states in which they did, as many again,
//! each with draws of its own from there on ([`crate::engine::Simulation::branch_off`]), until they reach the
//! second; and so on. The product of the shares that got on is the probability, without bias, wherever the levels
//! are (P. Glasserman, P. Heidelberger, P. Shahabuddin, T. Zajic, "Multilevel Splitting for Estimating Rare Event
//! Probabilities", Operations Research 47(4), 1999; fixed effort, and states taken in turn from a drawn one on:
//! P. L'Ecuyer, V. Demers, B. Tuffin, "Rare Events, Splitting, and Quasi-Monte Carlo", ACM TOMACS 17(2), 2007).
//!
//! Levels only decide how much it costs. They are looked for in a pilot that shares nothing with the runs that are
//! counted: each is where a fifth of those that reached the one before arrive. All of this, repeated independently, is
//! one observation; the interval is Student's t on them.

use super::control::Control;
use super::replicate::{Precision, Stop, WAVE};
use crate::crash::{BALANCER_GAUGES, Gauge, GaugeDef, GaugeUnit, SERVER_GAUGES};
use crate::draws::Stream;
use crate::engine::{Gauged, Machine, Simulation};
use crate::ids::Id;
use crate::model::{CrashRule, Model};
use crate::statistics::{self, Estimate, Moments};
use std::cell::Cell;
use std::sync::Arc;

/// Share of the runs from one level that should reach the next: near the one at which it costs least (e⁻²; see
/// L'Ecuyer, Demers and Tuffin), and a little easier since states of one level are not all alike.
const SHARE: f64 = 0.2;
/// Levels at most: a fifth of a fifth, so often, is less than any probability that means something.
const LEVELS_MAX: usize = 100;
/// What the states of a level and those that come of them may take on a thread, in bytes.
const STATES_MAX: usize = 256 << 20;
/// Steps after which somebody who waits is asked whether to go on.
const SOME: u32 = 1024;
/// Machines that are named to somebody who named another.
const SHOWN: usize = 12;
/// Where the numbers of the pilot's runs begin: beyond those of any replication.
const PILOT: u64 = 1 << 62;

/// What is rare.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Rare {
    /// A machine crashes. The level is how near its crash rules are to their thresholds.
    Crash(Machine),
    /// A number reaches a value, and is the level itself.
    Reach(Gauged, f64),
}

impl Rare {
    /// The crash of a machine, by its path.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn crash(path: &str, model: &Model) -> Result<Self, String> {
        let (machine, rules) = named(path, model)?;
        if rules
            .iter()
            .all(|rule| rule.gauge.gauge == Gauge::Utilisation)
        {
            return Err(format!(
                "{path} has no crash rule over a number that can be read at any moment (in_flight, queue_len, \
                 queue_age, memory): nothing says how near it is"
            ));
        }
        Ok(Self::Crash(machine))
    }

    /// A number that reaches a value: `path.number` and the value.
    ///
    /// # Errors
    /// Says what is wrong with either.
    pub fn reach(path: &str, value: &str, model: &Model) -> Result<Self, String> {
        let (of, name) = path
            .rsplit_once('.')
            .ok_or_else(|| format!("{path} names no number of a machine"))?;
        let (machine, _) = named(of, model)?;
        let counts = |def: &&GaugeDef| def.unit == GaugeUnit::Count;
        let known = match machine {
            Machine::Server(_) => SERVER_GAUGES,
            Machine::Instance(_) => BALANCER_GAUGES,
        };
        let Some(def) = known.iter().filter(counts).find(|def| def.name == name) else {
            let names: Vec<&str> = known.iter().filter(counts).map(|def| def.name).collect();
            return Err(format!(
                "{of} has no {name}: it takes {}",
                names.join(" or ")
            ));
        };
        let value = match value.trim().parse::<u32>() {
            Ok(value) if value > 0 => f64::from(value),
            _ => return Err(format!("{path}={value}: it takes a whole number from 1 on")),
        };
        let gauge = def.gauge;
        Ok(Self::Reach(Gauged { machine, gauge }, value))
    }

    /// Which machine it concerns.
    pub fn machine(&self) -> Machine {
        match self {
            Self::Crash(machine) => *machine,
            Self::Reach(of, _) => of.machine,
        }
    }

    /// How near a run is.
    fn level(&self, simulation: &Simulation) -> f64 {
        match self {
            Self::Crash(machine) => simulation.nearness(*machine),
            Self::Reach(of, _) => simulation.gauge(*of),
        }
    }

    /// Whether it has happened.
    fn has_happened(&self, simulation: &Simulation) -> bool {
        match self {
            Self::Crash(machine) => simulation.has_crashed(*machine),
            Self::Reach(of, value) => simulation.gauge(*of) >= *value,
        }
    }
}

/// What is asked.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RarePlan {
    /// What is rare.
    pub event: Rare,
    /// Whether a run is over as soon as nothing is left at the machine, once something was: the event within one
    /// busy period. Otherwise the horizon ends it.
    pub before_empty: bool,
    /// Runs from each level.
    pub runs: u32,
    /// Number of the first replication.
    pub first: u64,
    /// How many; with a precision, how many at least.
    pub replications: u64,
    /// Level of the interval.
    pub level: f64,
    /// Go on until the probability is so precise.
    pub precision: Option<Precision>,
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Debug)]
pub enum Unreached {
    /// Clones of its runs cannot go ways of their own.
    Unbranchable(String),
    /// Nobody came nearer than this level, of so many runs from it.
    Stuck {
        /// The level.
        level: f64,
        /// How many runs.
        runs: u32,
    },
    /// So many levels did not lead there.
    Far(f64),
    /// Runs end before their horizon: why, as a sentence.
    CutShort(String),
    /// The states of a level take too much memory.
    TooLarge,
    /// Told to stop before the levels were found.
    Interrupted,
}

/// One replication of all levels.
#[derive(Clone, PartialEq, Debug)]
pub struct Split {
    /// Product of the shares.
    pub probability: f64,
    /// Runs that got on, from each level.
    pub passed: Vec<u32>,
    /// Events of the runs from each level.
    pub events: Vec<u64>,
}

/// What came out.
#[derive(Clone, PartialEq, Debug)]
pub struct Splitting {
    /// The levels on the way.
    pub levels: Vec<f64>,
    /// Replications, in the order of their numbers.
    pub splits: Vec<Split>,
    /// The probability.
    pub probability: Estimate,
    /// Events of the pilot that looked for the levels.
    pub pilot_events: u64,
    /// Why it ended.
    pub stop: Stop,
}

impl Splitting {
    /// Events of everything.
    pub fn events(&self) -> u64 {
        let all = self.splits.iter().flat_map(|split| &split.events);
        self.pilot_events + all.sum::<u64>()
    }

    /// The standard error of the probability, as a share of it; `None` where there is none.
    pub fn relative_error(&self) -> Option<f64> {
        let values: Vec<f64> = self.splits.iter().map(|split| split.probability).collect();
        let moments = Moments::of(&values);
        (values.len() > 1 && moments.mean() > 0.0)
            .then(|| moments.standard_error() / moments.mean())
    }

    /// Events of one run without splitting, on average: those from each level, as often as a run gets there.
    pub fn events_of_a_run(&self, runs: u32) -> f64 {
        let of = |split: &Split| {
            let mut there = 1.0;
            let mut sum = 0.0;
            for (passed, events) in split.passed.iter().zip(&split.events) {
                sum += there * *events as f64 / f64::from(runs);
                there *= f64::from(*passed) / f64::from(runs);
            }
            sum
        };
        Moments::of(&self.splits.iter().map(of).collect::<Vec<f64>>()).mean()
    }

    /// Events that runs one after another would take for the same relative error: a share p of n trials has
    /// √((1 − p) / (p·n)).
    pub fn direct_events(&self, runs: u32) -> Option<f64> {
        let (p, error) = (self.probability.mean()?, self.relative_error()?);
        (p > 0.0 && error > 0.0)
            .then(|| (1.0 - p) / (p * error * error) * self.events_of_a_run(runs))
    }
}

/// A machine by its path, `service.web.server.web-1`, or `service.web.balancer` where it has one instance; and
/// its crash rules.
fn named<'a>(path: &str, model: &'a Model) -> Result<(Machine, &'a [CrashRule]), String> {
    let rest = path.strip_prefix("service.").unwrap_or(path);
    let mut known = Vec::new();
    let mut instances_before = 0;
    for service in &model.services {
        let instances = service.instance_names().count();
        if rest == format!("{}.balancer", service.name) {
            if instances > 1 {
                return Err(format!(
                    "{path} has {instances} instances, and splitting follows one"
                ));
            }
            let machine = Machine::Instance(Id::at(instances_before));
            return Ok((machine, &service.balancer.crash));
        }
        instances_before += instances;
        for id in &service.servers {
            let server = &model.servers[id.position()];
            if rest == format!("{}.server.{}", service.name, server.name) {
                return Ok((Machine::Server(*id), &server.params.crash));
            }
            known.push(format!("service.{}.server.{}", service.name, server.name));
        }
        known.push(format!("service.{}.balancer", service.name));
    }
    let more = if known.len() > SHOWN { ", …" } else { "" };
    known.truncate(SHOWN);
    let known = known.join(", ");
    Err(format!(
        "there is no machine {path:?}; there are {known}{more}"
    ))
}

/// Estimates a probability.
///
/// # Errors
/// Says why it cannot.
pub fn rare(
    model: &Arc<Model>,
    plan: &RarePlan,
    control: &Control<'_>,
) -> Result<Splitting, Unreached> {
    split_with(model, plan, Simulation::branch_off, control)
}

/// The same with another way to part clones, for a test that shows what it is for.
fn split_with(
    model: &Arc<Model>,
    plan: &RarePlan,
    part: fn(&mut Simulation, u64),
    control: &Control<'_>,
) -> Result<Splitting, Unreached> {
    if let Some(why) = Simulation::cannot_branch(model) {
        return Err(Unreached::Unbranchable(why));
    }
    let model = bare(model);
    let way = Way {
        model: &model,
        plan,
        part,
        control,
    };
    let (levels, pilot_events) = way.pilot()?;
    let mut splits: Vec<Split> = Vec::new();
    loop {
        let wave = match plan.precision {
            None => plan.replications,
            Some(precision) if splits.is_empty() => {
                let first = plan.replications.max(WAVE);
                first.min(precision.max_replications)
            }
            Some(precision) => WAVE.min(precision.max_replications - splits.len() as u64),
        };
        control.plan(wave);
        let from = plan.first + splits.len() as u64;
        let more = control.map(wave as usize, |i| {
            let split = way.split(&levels, from + i as u64);
            match split {
                Err(Unreached::Interrupted) => None,
                other => {
                    control.did_one();
                    Some(other)
                }
            }
        });
        let interrupted = (more.len() as u64) < wave;
        splits.extend(more.into_iter().collect::<Result<Vec<Split>, _>>()?);
        let values: Vec<f64> = splits.iter().map(|split| split.probability).collect();
        let probability = statistics::mean(&values, plan.level).unless_same();
        let precise = |precision: Precision| {
            let interval = probability.interval();
            interval.is_some_and(|interval| interval.is_precise(precision.relative))
        };
        let stop = match plan.precision {
            _ if interrupted => Some(Stop::Interrupted),
            None => Some(Stop::Planned),
            Some(precision) if precise(precision) => Some(Stop::Precise),
            Some(precision) if splits.len() as u64 >= precision.max_replications => Some(Stop::Cap),
            Some(_) => None,
        };
        if let Some(stop) = stop {
            return Ok(Splitting {
                levels,
                splits,
                probability,
                pilot_events,
                stop,
            });
        }
    }
}

/// The same system, of which no more is recorded than it takes to go on: what is recorded would be cloned, and
/// acts on nothing where nobody watches.
fn bare(model: &Arc<Model>) -> Arc<Model> {
    let mut model = Model::clone(model);
    model.recording.every_nth_request = 0;
    if model.alerts.is_empty() && model.monitoring.is_none() && model.rules.is_none() {
        model.recording.interval = model.horizon;
    }
    Arc::new(model)
}

/// How a run from one level ended.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Ended {
    /// It got to what was looked for.
    There,
    /// It did not, and came as near as this.
    Short(f64),
}

/// Everything that a run needs to know.
struct Way<'a> {
    model: &'a Arc<Model>,
    plan: &'a RarePlan,
    part: fn(&mut Simulation, u64),
    control: &'a Control<'a>,
}

impl Way<'_> {
    /// Goes on until `goal`, a level or, where there is none, the event itself; or until it is too late.
    fn follow(&self, simulation: &mut Simulation, goal: Option<f64>) -> Result<Ended, Unreached> {
        let event = &self.plan.event;
        let machine = event.machine();
        let mut highest = 0.0_f64;
        let mut steps = 0_u32;
        // The first who comes begins the busy period.
        let mut empty = simulation.is_empty_at(machine);
        loop {
            let level = event.level(simulation);
            highest = highest.max(level);
            if event.has_happened(simulation) || goal.is_some_and(|goal| level >= goal) {
                return Ok(Ended::There);
            }
            let was_empty = std::mem::replace(&mut empty, simulation.is_empty_at(machine));
            if self.plan.before_empty && empty && !was_empty {
                return Ok(Ended::Short(highest));
            }
            steps += 1;
            if steps.is_multiple_of(SOME) && self.control.cancelled() {
                return Err(Unreached::Interrupted);
            }
            if simulation.step().is_none() {
                return match simulation.early_end() {
                    None => Ok(Ended::Short(highest)),
                    Some(why) => Err(Unreached::CutShort(why)),
                };
            }
        }
    }

    /// The `i`-th run of a level: one from the start, or a clone of one of the states.
    fn begin(
        &self,
        states: &[Simulation],
        (first, stage, i): (u64, usize, u32),
        from: usize,
    ) -> Simulation {
        if stage == 0 {
            return Simulation::new(self.model.clone(), first + u64::from(i));
        }
        let mut simulation = states[(from + i as usize) % states.len()].clone();
        (self.part)(&mut simulation, (stage as u64) << 32 | u64::from(i));
        simulation
    }

    /// Which state is the first to be taken: were it always the same, some would be taken too often.
    fn first_state(&self, replication: u64, stage: usize, states: usize) -> usize {
        let stream = Stream::new(self.model.seed, replication, "splitting");
        stream.at(stage as u64).below(states.max(1))
    }

    /// Whether there is room for the states of a level and those that came of them.
    fn fits(states: &[Simulation], reached: &[Simulation]) -> Result<(), Unreached> {
        let one = reached.first().map_or(0, Simulation::clone_bytes);
        if one.saturating_mul(states.len() + reached.len()) > STATES_MAX {
            return Err(Unreached::TooLarge);
        }
        Ok(())
    }

    /// Looks for levels: each where [`SHARE`] of the runs from the one before arrive.
    fn pilot(&self) -> Result<(Vec<f64>, u64), Unreached> {
        let runs = self.plan.runs;
        let events = Cell::new(0);
        let mut levels: Vec<f64> = Vec::new();
        let mut states: Vec<Simulation> = Vec::new();
        loop {
            let stage = levels.len();
            let from = self.first_state(PILOT, stage, states.len());
            let run = |i: u32, goal: Option<f64>| {
                let mut simulation = self.begin(&states, (PILOT, stage, i), from);
                let before = simulation.events();
                let ended = self.follow(&mut simulation, goal);
                events.set(events.get() + simulation.events() - before);
                ended.map(|ended| (ended, simulation))
            };
            let ends = (0..runs).map(|i| run(i, None).map(|(ended, _)| ended));
            let ends = ends.collect::<Result<Vec<Ended>, _>>()?;
            let highest = levels.last().copied().unwrap_or(0.0);
            let mut short: Vec<f64> = Vec::new();
            for ended in &ends {
                if let Ended::Short(level) = ended {
                    short.push(*level);
                }
            }
            let wanted = libm::ceil(SHARE * f64::from(runs)) as usize;
            let there = ends.len() - short.len();
            if there >= wanted {
                return Ok((levels, events.get()));
            }
            short.sort_by(|a, b| b.total_cmp(a));
            // So many came as far, together with those that got there.
            let at = short.get(wanted - there - 1).copied().unwrap_or(highest);
            let next = if at > highest {
                at
            } else {
                // A leap: whoever came further at all.
                let further = short.iter().rev().find(|level| **level > highest);
                match further {
                    Some(level) => *level,
                    None if there > 0 => return Ok((levels, events.get())),
                    None => {
                        return Err(Unreached::Stuck {
                            level: highest,
                            runs,
                        });
                    }
                }
            };
            if levels.len() >= LEVELS_MAX {
                return Err(Unreached::Far(highest));
            }
            // The same runs once more, up to the level that is known now.
            let mut reached = Vec::new();
            for i in 0..runs {
                let (ended, simulation) = run(i, Some(next))?;
                if ended == Ended::There {
                    reached.push(simulation);
                    Self::fits(&states, &reached)?;
                }
            }
            states = reached;
            levels.push(next);
        }
    }

    /// One replication.
    fn split(&self, levels: &[f64], replication: u64) -> Result<Split, Unreached> {
        let runs = self.plan.runs;
        let first = replication.wrapping_mul(u64::from(runs));
        let mut split = Split {
            probability: 1.0,
            passed: Vec::new(),
            events: Vec::new(),
        };
        let mut states: Vec<Simulation> = Vec::new();
        let goals = levels.iter().copied().map(Some).chain([None]);
        for (stage, goal) in goals.enumerate() {
            let from = self.first_state(replication, stage, states.len());
            let mut reached = Vec::new();
            let (mut passed, mut events) = (0, 0);
            for i in 0..runs {
                let mut simulation = self.begin(&states, (first, stage, i), from);
                let before = simulation.events();
                if self.follow(&mut simulation, goal)? == Ended::There {
                    passed += 1;
                    events += simulation.events() - before;
                    if goal.is_some() {
                        reached.push(simulation);
                        Self::fits(&states, &reached)?;
                    }
                } else {
                    events += simulation.events() - before;
                }
            }
            split.probability *= f64::from(passed) / f64::from(runs);
            split.passed.push(passed);
            split.events.push(events);
            if passed == 0 {
                break;
            }
            states = reached;
        }
        Ok(split)
    }
}

#[cfg(test)]
mod tests;
