//! Stampede's window: see an incident happen, stop it, ask "what if", and see both futures.
//!
//! One [`App`], natively and as a page of the web. [`playback`] runs the engine, without a screen,
//! on a thread or in slices, [`experiment`] many runs, [`doctor`] those that show what is dangerous; the [`app`] receives its reports, draws [`panel`]s, and does
//! [`command`]s. Figures on screen come from the core's summary and metrics; none is computed
//! here. Everything works without a display, for tests.

pub mod act;
pub mod app;
pub mod command;
mod conduct;
pub mod dialog;
mod director;
pub mod doctor;
pub mod experiment;
pub mod files;
mod fit;
pub mod form;
pub mod highlight;
pub mod icon;
mod layout;
pub mod lesson;
pub mod link;
pub mod local;
pub mod moment;
mod open;
pub mod panel;
mod perform;
pub mod plot;
pub mod settings;
pub mod shell;
pub mod state;
mod stretch;
pub mod theme;
pub mod value;
#[cfg(target_arch = "wasm32")]
pub mod web;
mod welcome;

pub use app::{App, Opening};
pub use sim_playback as playback;

use sim_core::library::Library;

/// Every file below `models/`, embedded when the program was built.
pub static MODELS: Library = Library::new(include!(concat!(env!("OUT_DIR"), "/models.rs")));
