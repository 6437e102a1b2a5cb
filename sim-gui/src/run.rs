//! A run and the thread that makes it.

use crate::chart::Series;
use sim_core::engine::Simulation;
use sim_core::library::Library;
use sim_core::metric::{MetricDef, Scope};
use sim_core::model::{Model, ServerId};
use sim_core::readable;
use sim_core::scenario::Scenario;
use sim_core::story::Event;
use sim_core::summary::Summary;
use sim_core::time::Instant;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;

/// What has become of a run.
pub enum State {
    /// Not finished.
    Running,
    /// Not possible; the text says why, in the words of `stampede check`.
    Failed(String),
    /// Finished.
    Done(Box<Run>),
}

/// A thread with a simulation.
pub struct Worker {
    state: State,
    inbox: Option<Receiver<Result<Box<Run>, String>>>,
}

impl Worker {
    /// Starts to simulate a model of the library.
    pub fn start(library: &'static Library, name: &str) -> Self {
        let (outbox, inbox) = sync_channel(1);
        let name = name.to_owned();
        let work = move || {
            // Nobody listens any more when the window has moved on: the result is then dropped.
            let _ = outbox.send(simulate(library, &name));
        };
        match thread::Builder::new()
            .name("simulation".to_owned())
            .spawn(work)
        {
            Ok(_) => Self {
                state: State::Running,
                inbox: Some(inbox),
            },
            Err(error) => Self {
                state: State::Failed(format!("no thread could be started: {error}")),
                inbox: None,
            },
        }
    }

    /// Looks whether the run is finished; true when it has just become so.
    pub fn poll(&mut self) -> bool {
        let Some(inbox) = &self.inbox else {
            return false;
        };
        self.state = match inbox.try_recv() {
            Ok(Ok(run)) => State::Done(run),
            Ok(Err(problem)) => State::Failed(problem),
            Err(TryRecvError::Empty) => return false,
            Err(TryRecvError::Disconnected) => {
                State::Failed("the simulation stopped without a result".to_owned())
            }
        };
        self.inbox = None;
        true
    }

    /// Whether the run goes on.
    pub fn is_busy(&self) -> bool {
        self.inbox.is_some()
    }

    /// What has become of the run.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The finished run.
    pub fn run(&self) -> Option<&Run> {
        if let State::Done(run) = &self.state {
            Some(run)
        } else {
            None
        }
    }
}

fn simulate(library: &'static Library, name: &str) -> Result<Box<Run>, String> {
    let source = library
        .find(name)
        .ok_or_else(|| format!("there is no model {name:?}"))?;
    let scenario = Scenario::read(source, &[], library).map_err(|problems| problems.to_string())?;
    let model = Arc::new(scenario.model().map_err(|problems| problems.to_string())?);
    let mut simulation = Simulation::new(Arc::clone(&model), 0);
    simulation.run();
    let summary = Summary::of(&simulation, scenario.hash());
    Ok(Box::new(Run {
        model,
        simulation,
        summary,
    }))
}

/// A server's line in the table.
pub struct ServerLine {
    /// Its name.
    pub name: String,
    /// Its state in a word.
    pub state: &'static str,
    /// Whether it serves.
    pub up: bool,
    /// Attempts sent to it per second.
    pub attempts_hz: f64,
    /// Requests waiting at it.
    pub queue_len: u64,
    /// Busy share of its workers.
    pub utilisation: f64,
}

/// A finished run.
pub struct Run {
    model: Arc<Model>,
    simulation: Simulation,
    summary: Summary,
}

impl Run {
    /// The figures of the whole run.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The scenario's title, or its name.
    pub fn title(&self) -> &str {
        if self.model.title.is_empty() {
            &self.model.name
        } else {
            &self.model.title
        }
    }

    /// Intervals of the time line.
    pub fn intervals(&self) -> usize {
        self.simulation.recorder().history().len()
    }

    /// The end of an interval.
    pub fn instant(&self, interval: usize) -> Instant {
        Instant((interval as u64 + 1) * self.simulation.recorder().history().interval_ns())
    }

    /// A moment as the reader knows it: by the clock, or as time since the start.
    pub fn label(&self, at: Instant) -> String {
        self.model.clock.map_or_else(
            || format!("{:.0} s", at.as_secs_f64()),
            |clock| clock.label(at),
        )
    }

    /// The key figures in a line.
    pub fn figures(&self) -> String {
        let requests = &self.summary.requests;
        let share = |part: Option<f64>| {
            part.map_or_else(|| "–".to_owned(), |p| format!("{:.1} %", p * 100.0))
        };
        let p99 = self
            .summary
            .response_time_s
            .p99
            .map_or_else(|| "–".to_owned(), |s| format!("{s:.2} s"));
        format!(
            "{} requests, {} answered in time, p99 {p99}, {:.2} attempts a request, seed {}",
            readable::short(requests.arrived as f64),
            share(self.summary.availability),
            self.summary.attempts.per_request.unwrap_or(1.0),
            self.summary.seed
        )
    }

    /// The story in order of time.
    pub fn story(&self) -> impl Iterator<Item = &Event> {
        self.simulation.recorder().story()
    }

    /// What is plotted over time.
    pub fn series(&self) -> Vec<Series> {
        ["goodput", "attempts_hz"]
            .iter()
            .filter_map(|name| MetricDef::find(name))
            .map(|metric| self.one_series(metric))
            .collect()
    }

    fn one_series(&self, metric: &MetricDef) -> Series {
        let history = self.simulation.recorder().history();
        let value =
            |interval| (metric.of)(&history.total(Scope::Site, interval..interval + 1).window());
        Series {
            name: metric.name,
            about: metric.about,
            unit: metric.unit,
            values: (0..history.len()).map(value).collect(),
        }
    }

    /// The servers at the end of an interval.
    pub fn servers(&self, interval: usize) -> Vec<ServerLine> {
        let history = self.simulation.recorder().history();
        let line = |(index, server): (usize, &sim_core::model::Server)| {
            let total = history.total(
                Scope::Server(ServerId(index as u32)),
                interval..interval + 1,
            );
            let window = total.window();
            let state = history
                .server(interval, index)
                .map_or("", |record| record.state().name());
            ServerLine {
                name: server.name.clone(),
                state,
                up: window.up > 0,
                attempts_hz: if window.span_s > 0.0 {
                    window.attempts as f64 / window.span_s
                } else {
                    0.0
                },
                queue_len: window.queue_len,
                utilisation: if window.workers > 0.0 {
                    window.busy / window.workers
                } else {
                    0.0
                },
            }
        };
        self.model.servers.iter().enumerate().map(line).collect()
    }
}
