//! What others wrote, turned into scenarios: settings of balancers and orchestrators, access logs, reports of load tests;
//! and scenarios turned into settings of other programs and into load tests.
//!
//! Like the core, this crate reads no file, no clock and no environment and prints nothing: texts come
//! in, scenarios and remarks with their places come out.

pub mod export;
mod filled;
pub mod loadtest;
pub mod logs;
mod names;
pub mod settings;

pub use filled::{Filled, overlay};
