//! How the command ends: exit codes, and failures on the way to them.

use std::fmt;
use std::io;
use std::process::ExitCode;

/// Exit codes: an interface to scripts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exit {
    /// Done, and everything expected holds.
    Ok,
    /// A mistake of the program.
    Internal,
    /// The arguments make no sense.
    Usage,
    /// A scenario is invalid.
    Invalid,
    /// No model, table or word has this name.
    NotFound,
    /// A file could not be read or written.
    Io,
    /// An expectation does not hold, a run ended early at a limit, or a cell of a sweep failed.
    Failed,
    /// Interrupted by Ctrl-C or a signal.
    Interrupted,
}

impl Exit {
    /// What an experiment ends with that expects nothing of its figures.
    pub(crate) fn unless(interrupted: bool) -> Self {
        if interrupted {
            Self::Interrupted
        } else {
            Self::Ok
        }
    }
}

/// Every exit code with its meaning, for the help and for `explain`.
pub(crate) const EXITS: &[(Exit, u8, &str)] = &[
    (Exit::Ok, 0, "done, and everything expected holds"),
    (Exit::Internal, 1, "a mistake of the program"),
    (Exit::Usage, 2, "the arguments make no sense"),
    (Exit::Invalid, 3, "a scenario is invalid"),
    (Exit::NotFound, 4, "no model, table or word has this name"),
    (Exit::Io, 5, "a file could not be read or written"),
    (
        Exit::Failed,
        6,
        "an expectation does not hold, a run ended early at a limit, or a cell of a sweep failed",
    ),
    (
        Exit::Interrupted,
        130,
        "interrupted; what was simulated so far is kept and marked incomplete",
    ),
];

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        EXITS
            .iter()
            .find(|(exit, _, _)| *exit == self)
            .map_or(1, |(_, code, _)| *code)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command could not do what was asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Failure {
    /// What it amounts to.
    pub exit: Exit,
    /// What went wrong; empty when the user was told already.
    pub message: String,
    /// What to do about it; may be empty.
    pub help: String,
    /// What is wrong with scenarios, told before.
    pub refused: Vec<Refused>,
}

/// What is wrong with a scenario or a plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Refused {
    /// For people.
    pub text: String,
    /// For programs: a list.
    pub json: String,
}

impl Failure {
    /// A failure to be told on standard error.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            help: String::new(),
            refused: Vec::new(),
        }
    }

    /// A failure whose reason was told already.
    pub(crate) fn told(exit: Exit) -> Self {
        Self::new(exit, "")
    }

    /// Adds what to do about it.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// A file that could not be read or written.
    pub(crate) fn io(doing: impl fmt::Display, error: &io::Error) -> Self {
        Self::new(Exit::Io, format!("{doing}: {}", reason(error)))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::io("cannot write to standard output", &error)
    }
}

/// The reason in words, without the number of the operating system.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_lowercase().chain(letters).collect()
    })
}
