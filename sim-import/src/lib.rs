//! What others wrote, turned into scenarios: settings of balancers and orchestrators (`settings`),
//! access logs (`logs`), and reports of load tests and exports of monitoring (`loadtest`).
//!
//! Like the core, this crate reads no file, no clock and no environment and prints nothing: texts come
//! in, scenarios and remarks with their places come out.

pub mod loadtest;
pub mod logs;
pub mod settings;
