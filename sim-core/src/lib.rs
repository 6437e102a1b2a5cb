//! Stampede's core: a deterministic discrete-event simulation of load balancing under overload.
//!
//! Data flows one way: scenario text becomes a [`scenario::Scenario`] (as written), then a
//! [`model::Model`] (valid), then a [`engine::Simulation`] (events), whose recorder yields a
//! [`summary::Summary`] (figures). The same scenario and seed give the same bytes on every
//! machine. The core reads no clock and no file, and prints nothing; only [`experiment`], which
//! runs many simulations, starts threads.
//!
//! # From text to figures
//!
//! ```
//! use sim_core::prelude::*;
//! use std::sync::Arc;
//!
//! let model = parse(r#"
//!     horizon = "1m"
//!     traffic = [{ to = "web", rate = 80 }]
//!     [service.web]
//!     demand = { kind = "exponential", mean = "10ms" }
//!     server = [{ name = "web", workers = 1 }]
//! "#)?;
//! let mut simulation = Simulation::new(Arc::new(model), 0);
//! simulation.run();
//! let summary = Summary::of(&simulation, 0);
//! assert_eq!(summary.verdict, Some("STABLE"));
//! assert!(summary.figure("response_time_s.p99").is_some());
//! # Ok::<(), Problems>(())
//! ```
//!
//! The number after the model is that of the replication: each has random numbers of its own, and what belongs to
//! a request is the same whatever else is changed. [`metric::SUMMARY_PATHS`] lists what figures are called.
//!
//! # Stop, look, fork
//!
//! A simulation is driven as anybody likes ([`step`](engine::Simulation::step),
//! [`run_until`](engine::Simulation::run_until), [`run_events`](engine::Simulation::run_events),
//! [`run`](engine::Simulation::run)), which never changes what happens. A clone is a fork, and an
//! [`edit::Edit`] is what somebody changes at that moment.
//!
//! # Rows of one's own
//!
//! Policies, guards, distributions and whatever else a scenario can name are rows of tables.
//! [`extension::register`] adds one, which is then a name like any other: in scenarios, sets, the schema and, where the window is part
//! of the program, there.
//!
//! ```
//! use sim_core::prelude::*;
//! use std::sync::Arc;
//!
//! static LAST: PolicyDef = PolicyDef::new(
//!     ExtensionRow { name: "last", about: "The last server.", source: "", params: &[] },
//!     &|_| Box::new(Last),
//! );
//!
//! #[derive(Clone, Debug)]
//! struct Last;
//!
//! impl Policy for Last {
//!     fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, _: &mut Draws) -> Option<usize> {
//!         fleet.eligible.last().map(|server| *server as usize)
//!     }
//!     fn clone_box(&self) -> Box<dyn Policy> {
//!         Box::new(self.clone())
//!     }
//! }
//!
//! register(&LAST)?;
//! let model = parse(r#"
//!     horizon = "1m"
//!     traffic = [{ to = "web", rate = 80 }]
//!     [service.web]
//!     demand = "10ms"
//!     balancer.policy = "last"
//!     server = [{ name = "web", count = 2, workers = 1 }]
//! "#)?;
//! let mut simulation = Simulation::new(Arc::new(model), 0);
//! simulation.run();
//! let summary = Summary::of(&simulation, 0);
//! assert_eq!(summary.figure("services.web.servers.web-2.share"), Some(1.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `examples/` has programs for each: `run`, `step_and_fork`, `own_policy`, `own_guard`, `own_distribution` and `own_metric`.
//!
//! # What it needs
//!
//! No files: what else must be read is asked of [`scenario::Files`]. Two features, both on by default, can be left out:
//!
//! - `threads`: without it experiments run on the thread that asks.
//! - `toml`: without it every text is read as JSON, values of sets too, and there are no dialects of balancers, remedies or
//!   suites of theory, which are written in TOML.
//!
//! # What may change
//!
//! What stands in this documentation is kept from one minor version to the next. The other modules
//! are shared by the crates of this program, hidden here, and may change at any time.

#[doc(hidden)]
pub mod alert_rule;
#[doc(hidden)]
pub mod arrival;
#[doc(hidden)]
pub mod autoscaler;
#[doc(hidden)]
pub mod connection;
#[doc(hidden)]
pub mod crash;
#[doc(hidden)]
pub mod date;
#[doc(hidden)]
pub mod dialect;
#[doc(hidden)]
pub mod discipline;
pub mod distribution;
#[doc(hidden)]
pub mod doctor;
pub mod draws;
pub mod edit;
pub mod engine;
#[doc(hidden)]
pub mod event_log;
pub mod experiment;
pub mod export;
pub mod extension;
#[doc(hidden)]
pub mod fault;
#[doc(hidden)]
pub mod frames;
pub mod guard;
#[doc(hidden)]
pub mod health;
#[doc(hidden)]
pub mod histogram;
#[doc(hidden)]
pub mod ids;
#[doc(hidden)]
pub mod key;
pub mod library;
#[doc(hidden)]
pub mod load;
#[doc(hidden)]
pub mod machine;
pub mod metric;
pub mod model;
pub mod outcome;
#[doc(hidden)]
pub mod plot;
pub mod policy;
pub mod prelude;
#[doc(hidden)]
pub mod profile;
#[doc(hidden)]
pub mod readable;
#[doc(hidden)]
pub mod record;
#[doc(hidden)]
pub mod reference;
#[doc(hidden)]
pub mod remedy;
#[doc(hidden)]
pub mod report;
#[doc(hidden)]
pub mod restart;
#[doc(hidden)]
pub mod retry;
pub mod scenario;
#[doc(hidden)]
pub mod series;
pub mod statistics;
#[doc(hidden)]
pub mod steady;
pub mod summary;
#[doc(hidden)]
pub mod text;
pub mod theory;
pub mod time;
#[doc(hidden)]
pub mod verdict;
#[doc(hidden)]
pub mod verify;
