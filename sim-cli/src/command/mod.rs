//! The commands, one file each.

pub(crate) mod analyse;
pub(crate) mod calibrate;
pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod explain;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod new;
pub(crate) mod reference;
pub(crate) mod replay;
pub(crate) mod replications;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod stress;
pub(crate) mod sweep;
pub(crate) mod verify;

use crate::args::EXPECT;
use crate::diagnostics;
use crate::input::Input;
use crate::terminal::{CYAN, say};
use sim_core::scenario::Problems;

/// Tells what is wrong with a scenario; and what would help, where what was set from outside only does
/// not fit what the scenario expects of itself.
pub(crate) fn tell(input: &Input, sets: &[(String, String)], problems: &Problems) {
    say(&diagnostics::render(problems));
    if sets.is_empty() || sets.iter().any(|(path, _)| path == EXPECT) {
        return;
    }
    let mut without = sets.to_vec();
    without.push((EXPECT.to_owned(), "[]".to_owned()));
    let read = input.scenario(&without);
    if read.and_then(|scenario| scenario.model()).is_ok() {
        say(&format!(
            "{CYAN}help{CYAN:#}: only what it expects does not fit what was set: --no-expect leaves that out"
        ));
    }
}
