//! The argument of all commands whose results can be a page.

use clap::Args;
use std::path::PathBuf;

/// Where the page goes.
#[derive(Args, Clone, Debug)]
pub(crate) struct PageArgs {
    /// Write the results as a page into this file, too: one HTML file that needs no other and no network
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub report: Option<PathBuf>,
}
