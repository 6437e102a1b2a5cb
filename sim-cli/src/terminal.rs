//! Standard output and standard error: results on one, messages on the other.

use crate::exit::Failure;
use crate::inside::{Asked, Inside};
use crate::interrupt;
use anstream::ColorChoice;
use anstyle::{AnsiColor, Style};
use sim_core::text::shown;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Things to look at first.
pub(crate) const BOLD: Style = Style::new().bold();
/// Things to look at last.
pub(crate) const DIM: Style = Style::new().dimmed();
/// What is wrong.
pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
/// What may be wrong.
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();
/// What is right.
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
/// What people did.
pub(crate) const CYAN: Style = AnsiColor::Cyan.on_default();

/// Decides on colours for the whole program. Whatever is printed may hold colours; they are taken
/// out where nobody wants them: `NO_COLOR`, a pipe, a simple terminal.
pub(crate) fn choose_colors(choice: ColorChoice) {
    choice.write_global();
}

/// Where a command's results go: to standard output, or to the program that it runs in.
pub(crate) struct Out<'a> {
    to: To<'a>,
}

enum To<'a> {
    /// Standard output. A reader who has seen enough and closed the pipe is no error: the rest is
    /// dropped, and the exit code still tells how the run went.
    People(Option<BufWriter<anstream::Stdout>>),
    /// Whoever asked.
    Program(Box<Asked<'a>>),
}

impl<'a> Out<'a> {
    /// Standard output with colours where they are wanted.
    pub(crate) fn new() -> Self {
        Self {
            to: To::People(Some(BufWriter::new(anstream::stdout()))),
        }
    }

    /// To another program.
    pub(crate) fn inside(inside: &'a Inside<'a>, command: String) -> Self {
        Self {
            to: To::Program(Box::new(Asked::by(inside, command))),
        }
    }

    /// The program that a command runs in.
    pub(crate) fn asked(&self) -> Option<&Asked<'a>> {
        match &self.to {
            To::People(_) => None,
            To::Program(asked) => Some(asked),
        }
    }

    /// Texts that arguments name beside files and models.
    pub(crate) fn given(&self) -> &'a [(String, String)] {
        match &self.to {
            To::People(_) => &[],
            To::Program(asked) => asked.inside.given,
        }
    }

    /// The same, to leave something there.
    pub(crate) fn asked_mut(&mut self) -> Option<&mut Asked<'a>> {
        match &mut self.to {
            To::People(_) => None,
            To::Program(asked) => Some(asked),
        }
    }

    /// What was left for the program.
    pub(crate) fn into_asked(self) -> Option<Box<Asked<'a>>> {
        match self.to {
            To::People(_) => None,
            To::Program(asked) => Some(asked),
        }
    }

    /// Says whether somebody wants the command to end. From now on Ctrl-C is noticed instead of obeyed, where
    /// it is the command's own.
    pub(crate) fn stop(&self) -> Result<&'a AtomicBool, Failure> {
        match &self.to {
            To::People(_) => {
                interrupt::watch()?;
                Ok(interrupt::flag())
            }
            To::Program(asked) => Ok(asked.inside.stop),
        }
    }

    /// Who is told how much is done, of how much, beside what a terminal shows.
    pub(crate) fn told(&self) -> &'a (dyn Fn(u64, u64) + Sync) {
        match &self.to {
            To::People(_) => &|_, _| {},
            To::Program(asked) => asked.inside.progress,
        }
    }

    /// Tells of something that may not be meant.
    pub(crate) fn warn(&mut self, name: &str, text: &str, quiet: bool) {
        match &mut self.to {
            To::People(_) if quiet => {}
            To::People(_) => say_warning(name, text),
            To::Program(asked) => asked
                .warnings
                .push(format!("{}: {}", shown(name), shown(text))),
        }
    }

    fn attempt<T>(
        &mut self,
        whole: T,
        act: impl FnOnce(&mut dyn Write) -> io::Result<T>,
    ) -> io::Result<T> {
        let people = match &mut self.to {
            To::People(people) => people,
            To::Program(asked) => return act(&mut asked.printed),
        };
        let Some(inner) = people else {
            return Ok(whole);
        };
        match act(inner) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                // Dropping a writer with something left in it would try once more.
                if let Some(inner) = people.take() {
                    drop(inner.into_parts());
                }
                Ok(whole)
            }
            result => result,
        }
    }
}

impl Write for Out<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.attempt(bytes.len(), |inner| inner.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.attempt((), |inner| inner.flush())
    }
}

/// A path as it is printed: what is no sign in it is written out.
pub(crate) fn place(path: &Path) -> String {
    shown(&path.display().to_string()).into_owned()
}

/// Writes to standard error; when even that fails there is nobody left to tell.
pub(crate) fn say(text: &str) {
    drop(writeln!(anstream::stderr(), "{text}"));
}

/// Tells of a failure, unless it was told already.
pub(crate) fn say_failure(failure: &Failure) {
    for refused in &failure.refused {
        say(&refused.text);
    }
    if failure.message.is_empty() {
        return;
    }
    say(&format!(
        "{RED}error{RED:#}{BOLD}: {}{BOLD:#}",
        shown(&failure.message)
    ));
    if !failure.help.is_empty() {
        say(&format!("{CYAN}help{CYAN:#}: {}", shown(&failure.help)));
    }
}

/// Tells of something that may not be meant.
pub(crate) fn say_warning(name: &str, text: &str) {
    say(&format!(
        "{YELLOW}warning{YELLOW:#}: {}: {}",
        shown(name),
        shown(text)
    ));
}

/// Plain data as JSON, over several lines.
pub(crate) fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value)
        .unwrap_or_else(|error| unreachable!("plain data always serialises: {error}"))
}
