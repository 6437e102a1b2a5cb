//! Tests of the core from outside: theory, determinism, invariants, mechanisms, limits.
//!
//! They know scenarios, summaries and stories only, so that they would survive another engine.

#![allow(
    clippy::float_cmp,
    reason = "instants that are whole multiples of a millisecond come out exactly"
)]
#![allow(
    clippy::format_push_string,
    reason = "a scenario is put together from parts, and reads better so"
)]

mod balancers;
mod caches;
mod choices;
mod clients;
mod connections;
mod cuts;
mod detection;
mod determinism;
mod dialects;
mod distributions;
mod doctor;
mod experiments;
mod faults;
mod figures;
mod fuzz;
mod grown;
mod guards;
mod hashing;
mod health;
mod hedging;
mod invariants;
mod knobs;
mod layers;
mod limits;
mod links;
mod machines;
mod memory;
mod monitoring;
mod own_health;
mod own_policies;
mod own_tries;
mod parallel;
mod policies;
mod prometheus;
mod proof;
mod protections;
mod queues;
mod rates;
mod remedy;
mod replicate;
mod report;
mod restarts;
mod retries;
mod rollouts;
mod routes;
mod runbooks;
mod scale;
mod scaling;
mod search;
mod servers;
mod sessions;
mod support;
mod swarm;
mod theory;
mod verdicts;
mod zoo;
