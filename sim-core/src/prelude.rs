//! What programs that embed the simulation need most often, in one line: `use sim_core::prelude::*;`.

pub use crate::distribution::{Distribution, DistributionDef};
pub use crate::draws::{Draws, Stream};
pub use crate::edit::Edit;
pub use crate::engine::{End, Event, Simulation};
pub use crate::extension::{ExtensionRow, ParamDef, ParamKind, Params, register};
pub use crate::guard::{Admission, Ended, Guard, GuardDef, Verdict};
pub use crate::model::Model;
pub use crate::outcome::Outcome;
pub use crate::policy::{FleetView, Job, Policy, PolicyDef};
pub use crate::scenario::{Files, NoFiles, Problems, Scenario, Source, parse};
pub use crate::summary::Summary;
pub use crate::time::{Duration, Instant};
