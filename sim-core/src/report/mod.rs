//! What is handed to people and to other programs of an experiment: tables and JSON, sentences,
//! pictures.
//!
//! | file | what for |
//! |---|---|
//! | `results` | replications and comparisons as JSON and CSV |
//! | `selection` | the best of several as JSON, CSV and words |
//! | `words` | results as people read them |
//! | `by_demand` | response times by classes of demand |
//! | `deadline` | the point of no return |
//! | `rare` | the probability of what next to never happens |
//! | `pictures` | plots of a sweep |
//! | `sheet` | an experiment as a list of blocks, which a terminal prints and a page shows |
//! | `markup` | what all pages have in common |
//! | `page/` | the report of a run as a page, and a draft of a postmortem |

mod by_demand;
mod deadline;
mod markup;
pub mod page;
mod pictures;
mod rare;
mod results;
pub mod selection;
pub mod sheet;
pub mod words;

pub use by_demand::{demand_table, write_by_demand};
pub use deadline::DeadlineAnswer;
pub use pictures::{Picture, picture, pictures};
pub use rare::{RareAnswer, unreached};
pub use results::{
    ClassicalReport, ComparedReport, ComparisonReport, EXPERIMENT_SCHEMA_VERSION,
    ExpectationReport, Head, MeasureReport, PairReport, PlaceReport, ReplicationsReport, RunReport,
    VariantReport, WarmUpReport, write_comparison, write_measures, write_runs, write_variant_runs,
};
pub use selection::{ContenderReport, SelectionReport, write_selection};
