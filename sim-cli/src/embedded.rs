//! The models that come with the program.

use sim_core::library::Library;

/// Every file below `models/`, embedded when the program was built.
pub(crate) static MODELS: Library = Library::new(include!(concat!(env!("OUT_DIR"), "/models.rs")));
