//! Policies that are written in Python: rows that the package adds to the table of policies.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use sim_core::draws::Draws;
use sim_core::extension::{ExtensionRow, ParamDef, ParamKind, Params, register};
use sim_core::outcome::Outcome;
use sim_core::policy::{FleetView, Job, Policy, PolicyDef};
use sim_core::time::{Duration, Instant};
use std::sync::{Mutex, PoisonError};

/// What a policy raised first, until a command that failed takes it. Of commands that run at the same time, the first
/// that fails takes it, whichever of them raised it.
static RAISED: Mutex<Option<PyErr>> = Mutex::new(None);

/// What a policy raised while a command ran.
pub fn take_raised() -> Option<PyErr> {
    RAISED.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Adds a policy: `make` is called with the parameters by name, for each balancer instance, and what it gives is asked
/// `pick(fleet)`.
#[pyfunction]
pub fn add_policy(
    name: String,
    about: String,
    parameters: Vec<(String, f64)>,
    make: Py<PyAny>,
) -> PyResult<()> {
    // Rows stand for as long as the process does, as the program's own.
    let text = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let names: Vec<&'static str> = parameters
        .iter()
        .map(|(name, _)| text(name.clone()))
        .collect();
    let params: Vec<ParamDef> = parameters
        .iter()
        .zip(&names)
        .map(|((_, default), name)| ParamDef {
            name,
            about: "A parameter of the class.",
            kind: ParamKind::Number {
                min: -1e15,
                max: 1e15,
                unit: "",
            },
            default: Some(text(default.to_string())),
        })
        .collect();
    let row = ExtensionRow {
        name: text(name),
        about: text(about),
        source: "",
        params: params.leak(),
    };
    let build = Box::leak(Box::new(move |params: &Params| -> Box<dyn Policy> {
        Box::new(InPython::made(&make, &names, params))
    }));
    register(Box::leak(Box::new(PolicyDef::new(row, build)))).map_err(PyValueError::new_err)
}

/// What a balancer instance knows when it picks, with the names that scripts use.
#[pyclass]
#[derive(Default, Debug)]
pub struct Fleet {
    eligible: Vec<u32>,
    in_flight: Vec<u32>,
    weights: Vec<f64>,
    now: Instant,
    job: Job,
    /// Only while it is asked for a server.
    draws: Option<Draws>,
}

impl Fleet {
    fn see(&mut self, fleet: &FleetView<'_>) {
        self.eligible.clear();
        self.eligible.extend_from_slice(fleet.eligible);
        self.in_flight.clear();
        self.in_flight.extend_from_slice(fleet.in_flight);
        self.now = fleet.now;
    }

    fn of(&self, server: usize, what: &str) -> PyResult<usize> {
        if server < self.in_flight.len() {
            return Ok(server);
        }
        let last = self.in_flight.len().saturating_sub(1);
        Err(PyValueError::new_err(format!(
            "{what}({server}): servers are 0 to {last}"
        )))
    }

    fn draws(&mut self) -> PyResult<&mut Draws> {
        self.draws
            .as_mut()
            .ok_or_else(|| PyValueError::new_err("there are draws in `pick` only"))
    }
}

#[pymethods]
impl Fleet {
    /// How many servers may be picked.
    fn count(&self) -> usize {
        self.eligible.len()
    }

    fn __len__(&self) -> usize {
        self.eligible.len()
    }

    /// The server at a place among those that may be picked; as a sequence, these are what it holds.
    fn eligible(&self, place: usize) -> PyResult<u32> {
        self.eligible.get(place).copied().ok_or_else(|| {
            let many = self.eligible.len();
            PyValueError::new_err(format!("eligible({place}): {many} servers may be picked"))
        })
    }

    fn __getitem__(&self, place: usize) -> PyResult<u32> {
        let server = self.eligible.get(place).copied();
        server.ok_or_else(|| pyo3::exceptions::PyIndexError::new_err(place))
    }

    /// Whether a server may be picked.
    fn may_pick(&self, server: u32) -> bool {
        self.eligible.binary_search(&server).is_ok()
    }

    /// Attempts that this balancer instance has in flight at a server.
    fn in_flight(&self, server: usize) -> PyResult<u32> {
        Ok(self.in_flight[self.of(server, "in_flight")?])
    }

    /// The server with fewest attempts in flight of those that may be picked, the first of equals.
    fn least_in_flight(&self) -> Option<u32> {
        let load = |server: &&u32| self.in_flight[**server as usize];
        self.eligible.iter().min_by_key(load).copied()
    }

    /// A server's weight as it is now.
    fn weight(&self, server: usize) -> PyResult<f64> {
        Ok(self.weights[self.of(server, "weight")?])
    }

    /// How many servers there are.
    fn servers(&self) -> usize {
        self.in_flight.len()
    }

    /// The time since the start, in seconds.
    fn now(&self) -> f64 {
        self.now.as_secs_f64()
    }

    /// Session or hash key of the request.
    fn key(&self) -> u64 {
        self.job.key
    }

    /// Priority of the request's class, lower first.
    fn priority(&self) -> u32 {
        self.job.priority
    }

    /// The server of the request's attempt before, if there was one.
    fn previous(&self) -> Option<usize> {
        self.job.previous
    }

    /// The work that the request asks for, in seconds.
    fn demand(&self) -> f64 {
        self.job.demand.as_secs_f64()
    }

    /// Any server that may be picked, with equal chance: one draw.
    fn any(&mut self) -> PyResult<u32> {
        let place = self.below(self.eligible.len())?;
        Ok(self.eligible[place])
    }

    /// A whole number from 0 to below n, each with equal chance: one draw.
    fn below(&mut self, n: usize) -> PyResult<usize> {
        if n == 0 {
            return Err(PyValueError::new_err("nothing is below 0"));
        }
        Ok(self.draws()?.below(n))
    }

    /// A number from 0 to below 1: one draw.
    fn random(&mut self) -> PyResult<f64> {
        Ok(self.draws()?.uniform())
    }
}

/// A policy of one balancer instance.
#[derive(Debug)]
struct InPython {
    /// What is asked; nothing where it could not be made.
    asked: Option<Py<PyAny>>,
    /// What it is shown, the same each time.
    fleet: Option<Py<Fleet>>,
    /// Which of `assigned`, `finished` and `changed` it has.
    hears: [bool; 3],
    /// Why it cannot go on.
    failed: Option<String>,
}

const HEARS: [&str; 3] = ["assigned", "finished", "changed"];

impl InPython {
    fn made(make: &Py<PyAny>, names: &[&str], params: &Params) -> Self {
        let mut policy = Self {
            asked: None,
            fleet: None,
            hears: [false; 3],
            failed: None,
        };
        Python::attach(|py| {
            let made = (|| {
                let options = PyDict::new(py);
                for name in names {
                    options.set_item(name, params.number(name))?;
                }
                let made = make.bind(py).call((), Some(&options))?;
                for (has, name) in policy.hears.iter_mut().zip(HEARS) {
                    *has = made.hasattr(name)?;
                }
                PyResult::Ok((made.unbind(), Py::new(py, Fleet::default())?))
            })();
            match made {
                Ok((asked, fleet)) => {
                    policy.asked = Some(asked);
                    policy.fleet = Some(fleet);
                }
                Err(error) => policy.fail(py, error),
            }
        });
        policy
    }

    /// Cannot go on, and keeps for the caller of the command what was raised.
    fn fail(&mut self, py: Python<'_>, error: PyErr) {
        self.failed = Some(error.value(py).to_string());
        let mut raised = RAISED.lock().unwrap_or_else(PoisonError::into_inner);
        let surplus = match &*raised {
            Some(_) => Some(error),
            None => raised.replace(error),
        };
        // To drop what is raised may run Python, which must find nothing locked.
        drop(raised);
        drop(surplus);
    }

    /// Does something with what is asked and what it is shown; what is raised ends it.
    fn with<T>(
        &mut self,
        act: impl FnOnce(Python<'_>, &Py<PyAny>, &Py<Fleet>) -> PyResult<T>,
    ) -> Option<T> {
        if self.failed.is_some() {
            return None;
        }
        Python::attach(|py| {
            let (asked, fleet) = (self.asked.as_ref()?, self.fleet.as_ref()?);
            match act(py, asked, fleet) {
                Ok(done) => Some(done),
                Err(error) => {
                    self.fail(py, error);
                    None
                }
            }
        })
    }
}

impl Policy for InPython {
    fn pick(&mut self, fleet: &FleetView<'_>, job: &Job, draws: &mut Draws) -> Option<usize> {
        self.with(|py, asked, shown| {
            {
                let mut shown = shown.borrow_mut(py);
                shown.see(fleet);
                shown.job = *job;
                shown.draws = Some(draws.clone());
            }
            let answer = asked.call_method1(py, "pick", (shown,))?;
            if let Some(left) = shown.borrow_mut(py).draws.take() {
                *draws = left;
            }
            if answer.is_none(py) {
                return Ok(None);
            }
            let server: u32 = answer.extract(py).map_err(|_| {
                PyTypeError::new_err(format!(
                    "pick() gave {answer}; a server's number or None is wanted"
                ))
            })?;
            if !fleet.may_pick(server) {
                return Err(PyValueError::new_err(format!(
                    "pick() gave {server}, which is no server that may be picked now"
                )));
            }
            Ok(Some(server as usize))
        })
        .flatten()
    }

    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        let hears = self.hears[2];
        self.with(|py, asked, shown| {
            {
                let mut shown = shown.borrow_mut(py);
                shown.see(fleet);
                shown.weights.clear();
                shown.weights.extend_from_slice(fleet.weights);
            }
            if hears {
                asked.call_method1(py, "changed", (shown,))?;
            }
            Ok(())
        });
    }

    fn observes(&self) -> bool {
        self.hears[0] || self.hears[1]
    }

    fn on_assigned(&mut self, server: usize, in_flight: u32) {
        if self.hears[0] {
            self.with(|py, asked, _| asked.call_method1(py, "assigned", (server, in_flight)));
        }
    }

    fn on_finished(
        &mut self,
        _: Instant,
        server: usize,
        in_flight: u32,
        outcome: Outcome,
        took: Duration,
    ) {
        if self.hears[1] {
            let ok = outcome == Outcome::Succeeded;
            let told = (server, in_flight, took.as_secs_f64(), ok);
            self.with(|py, asked, _| asked.call_method1(py, "finished", told));
        }
    }

    fn failure(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    fn clone_box(&self) -> Box<dyn Policy> {
        let mut copy = Self {
            asked: None,
            fleet: None,
            hears: self.hears,
            failed: self.failed.clone(),
        };
        Python::attach(|py| {
            let (Some(asked), Some(fleet)) = (&self.asked, &self.fleet) else {
                return;
            };
            let copied = (|| {
                let copied = py.import("copy")?.call_method1("deepcopy", (asked,))?;
                let fleet = fleet.borrow(py);
                let fleet = Fleet {
                    weights: fleet.weights.clone(),
                    ..Fleet::default()
                };
                PyResult::Ok((copied.unbind(), Py::new(py, fleet)?))
            })();
            match copied {
                Ok((asked, fleet)) => {
                    copy.asked = Some(asked);
                    copy.fleet = Some(fleet);
                }
                Err(error) => copy.fail(py, error),
            }
        });
        Box::new(copy)
    }
}
