//! Stampede's core: a deterministic discrete-event simulation of load balancing under overload.
//!
//! Data flows one way: scenario text becomes a [`scenario::Scenario`] (as written), then a
//! [`model::Model`] (valid), then a [`engine::Simulation`] (events), whose [`record::Recorder`]
//! yields a [`summary::Summary`] (figures). The same scenario and seed give the same bytes on every
//! machine. The core reads no clock and no file, and prints nothing; only [`experiment`], which
//! runs many simulations, starts threads.

pub mod alert_rule;
pub mod arrival;
pub mod autoscaler;
pub mod connection;
pub mod crash;
pub mod date;
pub mod dialect;
pub mod discipline;
pub mod distribution;
pub mod doctor;
pub mod draws;
pub mod edit;
pub mod engine;
pub mod event_log;
pub mod experiment;
pub mod export;
pub mod extension;
pub mod fault;
pub mod frames;
pub mod guard;
pub mod health;
pub mod histogram;
pub mod ids;
pub mod key;
pub mod library;
pub mod load;
pub mod machine;
pub mod metric;
pub mod model;
pub mod outcome;
pub mod plot;
pub mod policy;
pub mod profile;
pub mod readable;
pub mod record;
pub mod reference;
pub mod remedy;
pub mod report;
pub mod restart;
pub mod retry;
pub mod scenario;
pub mod series;
pub mod statistics;
pub mod steady;
pub mod summary;
pub mod text;
pub mod theory;
pub mod time;
pub mod verdict;
pub mod verify;
