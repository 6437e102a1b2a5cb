//! Experiments: many runs, and what may be concluded from them.
//!
//! The only place of the core with threads. What comes out never depends on how many: runs are
//! numbered, results are put together in the order of their numbers, and decisions (when to stop,
//! where to look next) are taken on whole waves.
//!
//! | file | what for |
//! |---|---|
//! | `control` | threads, progress, cancelling, failure |
//! | `measure` | what is measured, by the path of a summary's figure |
//! | `run` | one replication |
//! | `suffice` | whether runs are long enough for what is asked of them, and what would be |
//! | `estimate` | from replications to intervals, or to the reason why there are none |
//! | `warm_up` | where the warm-up ends |
//! | `replicate` | replications, in waves until they are precise enough |
//! | `compare` | several models under the same random numbers |
//! | `select` | the best of several models, with a guarantee |
//! | `vary` | variants from paths and their values |
//! | `single` | one long run, cut into batches |
//! | `stress` | the load at which a system breaks |
//! | `recovery`, `hysteresis`, `map` | what happens after a trigger, and on the way up and down |
//! | `rare` | the probability of what next to never happens, by splitting |
//! | `sweep` | a grid of models |
//!
//! Replications of different models with the same number share their random numbers (see
//! [`crate::draws`]): the n-th request of replication 3 has the same demand under every policy.

mod compare;
mod control;
mod deadline;
mod estimate;
mod hysteresis;
mod map;
mod measure;
mod rare;
mod recovery;
mod replicate;
mod run;
mod select;
mod single;
mod stress;
mod suffice;
pub mod sweep;
mod vary;
mod warm_up;

pub use crate::steady::{Estimand, Nature};
pub(crate) use compare::paired;
pub use compare::{
    Compared, Comparison, ComparisonSteps, Pair, Place, Told, Variant, compare, compare_told,
};
pub use control::{Control, Progress};
pub use deadline::{Acted, Deadline, DeadlinePlan, DeadlineSteps, TooLate, deadline};
pub use estimate::{estimates, series};
pub use hysteresis::{Hysteresis, Ramp, Ramped, hysteresis};
pub use map::{Map, MapPlan, Region, SlowDown, Spot, Triggered, map};
pub use measure::{Measure, Observation};
pub use rare::{Rare, RarePlan, Split, Splitting, Unreached, rare};
pub use recovery::waits_for_ever;
pub use replicate::{
    MIN_SEQUENTIAL, Plan, Precision, Replicated, Stop, WAVE, replicate, without_warm_up,
};
pub use run::{Run, run_one, simulate};
pub use select::{FIRST_STAGE_MIN, Selected, Selection, SelectionPlan, select};
pub use single::Classical;
pub use stress::{Breaking, Loaded, Search, StressPlan, Stressed, stress};
pub use vary::{Read, Unfit, VARIANTS_MAX, split, variants};
pub use warm_up::{FoundBy, PILOTS, WarmUp, warmed, with_warm_up};
