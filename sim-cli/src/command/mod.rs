//! The commands, one file each.

pub(crate) mod analyse;
pub(crate) mod calibrate;
pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod deadline;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod new;
pub(crate) mod rare;
pub(crate) mod reference;
pub(crate) mod remedy;
pub(crate) mod replay;
pub(crate) mod replications;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod schema;
mod select;
pub(crate) mod stress;
pub(crate) mod sweep;
pub(crate) mod test;
pub(crate) mod verify;
pub(crate) mod version;
#[cfg(feature = "watch")]
pub(crate) mod watch;

use crate::args::EXPECT;
use crate::diagnostics;
use crate::exit::{Exit, Failure, Refused};
use crate::input::Input;
use crate::part::write_new;
use crate::terminal::{self, CYAN, say};
use sim_core::scenario::Problems;
use sim_core::text::shell_word;
use std::io::ErrorKind;
use std::path::Path;

/// What is wrong with what was asked for.
pub(crate) fn refused(problems: &Problems) -> Failure {
    let refused = Refused {
        text: diagnostics::render(problems),
        json: terminal::json(&diagnostics::to_json(problems)),
    };
    Failure {
        refused: vec![refused],
        ..Failure::told(Exit::Invalid)
    }
}

/// What is wrong with a scenario; and what would help, where what was set from outside only does
/// not fit what the scenario expects of itself.
pub(crate) fn refused_input(
    input: &Input,
    sets: &[(String, String)],
    problems: &Problems,
) -> Failure {
    let mut failure = refused(problems);
    if sets.is_empty() || sets.iter().any(|(path, _)| path == EXPECT) {
        return failure;
    }
    let mut without = sets.to_vec();
    without.push((EXPECT.to_owned(), "[]".to_owned()));
    let read = input.scenario(&without);
    if read.and_then(|scenario| scenario.model()).is_ok()
        && let Some(refused) = failure.refused.last_mut()
    {
        let advice = "only what it expects does not fit what was set: --no-expect leaves that out";
        refused.text = format!("{}\n{CYAN}help{CYAN:#}: {advice}", refused.text);
    }
    failure
}

/// Writes a scenario under a name that must be free.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let name = path.display();
    write_new(path, bytes).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            let message = format!("{name} is there already, and is left as it is");
            Failure::new(Exit::Io, message).help("choose another name")
        }
        _ => Failure::io(format!("cannot write {name}"), &error),
    })
}

/// Says how a scenario that was written is run.
pub(crate) fn say_next(path: &Path) {
    let alone = !path.is_absolute() && path.components().count() == 1;
    let place = if alone { "./" } else { "" };
    let name = format!("{place}{}", terminal::place(path));
    say(&format!("next: stampede run {}", shell_word(&name)));
}
