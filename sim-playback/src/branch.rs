//! A branch: one future of a scenario. The first begins at zero; every other begins as a clone of
//! another branch at some moment, with something changed.

use super::series::{Series, Shape};
use sim_core::edit::{Edit, Edited, replayed};
use sim_core::engine::{End, Simulation};
use sim_core::event_log::Event;
use sim_core::frames::Frames;
use sim_core::model::Model;
use sim_core::scenario::{Problems, Scenario};
use sim_core::summary::Summary;
use sim_core::time::Instant;
use std::cell::OnceCell;
use std::sync::Arc;

/// Events that a slice of work does before it looks at the clock, about.
const SLICE_EVENTS: u64 = 2000;

/// One future.
pub struct Branch {
    /// Its own for ever, whatever becomes of other branches; that of the first is 0.
    pub id: u64,
    /// The branch it was forked from; `None` for the run as the scenario tells it.
    pub parent: Option<usize>,
    /// Where it leaves its parent.
    pub from: Instant,
    /// What was changed there.
    pub edits: Vec<Edited>,
    /// The scenario as it was opened.
    root: Arc<Scenario>,
    scenario: Arc<Scenario>,
    model: Arc<Model>,
    /// The scenario and the model before the changes made here, for changing them again.
    origin: Option<Box<Origin>>,
    frames: Frames,
    /// The furthest point simulated; it runs ahead of what is shown.
    scout: Simulation,
    pace: Pace,
    series: Series,
    event_log: Arc<Vec<Arc<Event>>>,
    /// Every figure of the whole run, once somebody has asked for them.
    outcome: OnceCell<Arc<Summary>>,
}

/// What a branch was before its changes.
struct Origin {
    simulation: Simulation,
    scenario: Arc<Scenario>,
    model: Arc<Model>,
    series: Series,
    inherited: usize,
}

impl Branch {
    /// The run as the scenario tells it.
    ///
    /// # Errors
    /// The scenario's problems.
    pub fn first(scenario: Scenario, replication: u64) -> Result<Self, Problems> {
        let model = Arc::new(scenario.model()?);
        let scout = Simulation::new(Arc::clone(&model), replication);
        let instances = scout.snapshot().instances.len();
        let shape = Shape::of(&model, scout.recorder().history(), instances);
        let scenario = Arc::new(scenario);
        Ok(Self {
            id: 0,
            parent: None,
            from: Instant::ZERO,
            edits: Vec::new(),
            root: Arc::clone(&scenario),
            scenario,
            model,
            origin: None,
            frames: Frames::new(&scout),
            pace: Pace::new(&scout),
            series: Series::new(shape),
            event_log: Arc::default(),
            outcome: OnceCell::new(),
            scout,
        })
    }

    /// A fork of `self`, number `parent`, from a moment of it, with changes.
    ///
    /// # Errors
    /// What is wrong with the changes.
    pub fn fork(
        &self,
        parent: usize,
        id: u64,
        moment: &Simulation,
        changes: Vec<Edit>,
    ) -> Result<Self, Problems> {
        let mut series = self.series.clone();
        series.truncate(moment.now());
        let origin = Origin {
            simulation: moment.clone(),
            scenario: Arc::clone(&self.scenario),
            model: Arc::clone(&self.model),
            series,
            inherited: self.edits.len(),
        };
        let mut fork = Self {
            id,
            parent: Some(parent),
            from: moment.now(),
            edits: self.edits.clone(),
            root: Arc::clone(&self.root),
            scenario: Arc::clone(&origin.scenario),
            model: Arc::clone(&origin.model),
            frames: Frames::new(moment),
            scout: moment.clone(),
            pace: Pace::new(moment),
            series: origin.series.clone(),
            event_log: Arc::default(),
            outcome: OnceCell::new(),
            origin: Some(Box::new(origin)),
        };
        fork.set(changes)?;
        Ok(fork)
    }

    /// Adds changes at the moment of the fork, each in place of one that set the same.
    ///
    /// # Errors
    /// What is wrong with them; the branch is then as it was.
    pub fn amend(&mut self, edits: Vec<Edit>) -> Result<(), Problems> {
        let own = self.own_edits().iter().map(|edited| edited.edit.clone());
        let mut changes: Vec<Edit> = own.collect();
        for edit in edits {
            changes.retain(|old| !edit.replaces(old));
            changes.push(edit);
        }
        self.set(changes)
    }

    /// Makes these changes at the moment of the fork, in place of those that were made there.
    ///
    /// # Errors
    /// What is wrong with them; the branch is then as it was.
    pub fn set(&mut self, changes: Vec<Edit>) -> Result<(), Problems> {
        let Some(origin) = &self.origin else {
            return Ok(());
        };
        let at = self.from;
        let mut edits = self.edits.clone();
        edits.truncate(origin.inherited);
        edits.extend(changes.into_iter().map(|edit| Edited { at, edit }));
        if edits.iter().any(|edited| edited.edit.is_structural()) {
            return self.begin_anew(edits);
        }
        let mut simulation = origin.simulation.clone();
        let mut scenario = Scenario::clone(&origin.scenario);
        let mut model = Arc::clone(&origin.model);
        for edited in &edits[origin.inherited..] {
            edited
                .edit
                .apply(&mut simulation, &mut scenario, &mut model)?;
        }
        self.edits = edits;
        self.series = origin.series.clone();
        (self.scenario, self.model) = (Arc::new(scenario), model);
        self.frames = Frames::new(&simulation);
        self.pace = Pace::new(&simulation);
        self.scout = simulation;
        self.event_log = Arc::default();
        self.outcome = OnceCell::new();
        self.follow();
        Ok(())
    }

    /// Simulates from the start, in a scenario that was another one all along: a server that joins
    /// must have its place before it does.
    fn begin_anew(&mut self, edits: Vec<Edited>) -> Result<(), Problems> {
        let scenario = replayed(&self.root, self.root.title(), &edits)?;
        let anew = Self::first(scenario, self.scout.replication())?;
        self.edits = edits;
        (self.scenario, self.model) = (anew.scenario, anew.model);
        (self.frames, self.scout, self.pace) = (anew.frames, anew.scout, anew.pace);
        self.series = anew.series;
        self.event_log = Arc::default();
        self.outcome = OnceCell::new();
        Ok(())
    }

    /// Whether it lives through the past itself instead of taking it from its parent.
    pub fn is_anew(&self) -> bool {
        self.edits.iter().any(|edited| edited.edit.is_structural())
    }

    /// The changes made at this branch's own beginning.
    pub fn own_edits(&self) -> &[Edited] {
        &self.edits[self.origin.as_ref().map_or(0, |origin| origin.inherited)..]
    }

    /// The scenario with all changes.
    pub fn scenario(&self) -> &Arc<Scenario> {
        &self.scenario
    }

    /// The model after all changes.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Figures over time as far as simulated.
    pub fn series(&self) -> &Series {
        &self.series
    }

    /// The event log as far as simulated; another list only once it has grown.
    pub fn event_log(&self) -> &Arc<Vec<Arc<Event>>> {
        &self.event_log
    }

    /// The furthest point simulated.
    pub fn scout(&self) -> &Simulation {
        &self.scout
    }

    /// How the run ended, once it has been simulated to its end.
    pub fn end(&self) -> Option<End> {
        self.scout.end()
    }

    /// Every figure of the run, once it has been simulated to its end.
    pub fn outcome(&self) -> Option<Arc<Summary>> {
        self.end()?;
        let summary = || Arc::new(Summary::of(&self.scout, self.scenario.hash()));
        Some(Arc::clone(self.outcome.get_or_init(summary)))
    }

    /// Key frames.
    pub fn frames(&self) -> &Frames {
        &self.frames
    }

    /// Keeps within another budget from now on.
    pub fn fit(&mut self, budget: usize) {
        self.frames.fit(budget.saturating_sub(self.fixed_bytes()));
    }

    /// Bytes that copies of the simulation take: key frames, the furthest point simulated, and the
    /// moment of the fork.
    pub fn bytes(&self) -> usize {
        self.frames.bytes() + self.fixed_bytes()
    }

    /// Bytes of the copies that are not key frames.
    fn fixed_bytes(&self) -> usize {
        let origin = self.origin.as_ref();
        self.scout.clone_bytes() + origin.map_or(0, |origin| origin.simulation.clone_bytes())
    }

    /// The nearest moment at `at` or before from which `at` can be reached.
    pub fn nearest(&self, at: Instant) -> Option<&Simulation> {
        if self.scout.now() <= at {
            return Some(&self.scout);
        }
        self.frames.before(at)
    }

    /// Simulates further, up to `until`, until told to stop; true once it is there.
    pub fn explore(
        &mut self,
        until: Instant,
        budget: usize,
        stop: &mut dyn FnMut() -> bool,
    ) -> bool {
        while self.scout.end().is_none() && self.scout.now() < until {
            let target = until.min(self.frames.due());
            let there = self.pace.run(&mut self.scout, target, stop);
            self.follow();
            if there {
                let left = budget.saturating_sub(self.fixed_bytes());
                self.frames.offer(&self.scout, left);
            } else {
                return false;
            }
        }
        true
    }

    fn follow(&mut self) {
        self.series.follow(&self.scout);
        let known = self.event_log.len();
        let mut new = self.scout.recorder().event_log().skip(known).peekable();
        if new.peek().is_some() {
            Arc::make_mut(&mut self.event_log).extend(new.cloned().map(Arc::new));
        }
    }
}

/// How far to run between two looks at the clock: so far that some thousand events happen.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    step_ns: u64,
}

impl Pace {
    /// A first guess.
    pub fn new(simulation: &Simulation) -> Self {
        Self {
            step_ns: (simulation.model().horizon.0 / 100_000).max(1),
        }
    }

    /// Runs to `until`, or until told to stop; true once it is there or the run is over. How it is
    /// cut into steps changes nothing of what happens.
    pub fn run(
        &mut self,
        simulation: &mut Simulation,
        until: Instant,
        stop: &mut dyn FnMut() -> bool,
    ) -> bool {
        loop {
            let next = Instant(simulation.now().0.saturating_add(self.step_ns)).min(until);
            let before = simulation.events();
            simulation.run_until(next);
            let events = simulation.events() - before;
            if events > 2 * SLICE_EVENTS {
                self.step_ns = (self.step_ns / 2).max(1);
            } else if events < SLICE_EVENTS / 2 {
                self.step_ns = self.step_ns.saturating_mul(2);
            }
            if simulation.end().is_some() || simulation.now() >= until {
                return true;
            }
            if stop() {
                return false;
            }
        }
    }
}
