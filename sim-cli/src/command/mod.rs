//! The commands, one file each.

pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod explain;
pub(crate) mod list;
pub(crate) mod new;
pub(crate) mod reference;
pub(crate) mod replications;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod stress;
pub(crate) mod sweep;
