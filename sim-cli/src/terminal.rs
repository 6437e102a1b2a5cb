//! Standard output and standard error: results on one, messages on the other.

use crate::exit::Failure;
use anstream::ColorChoice;
use anstyle::{AnsiColor, Style};
use sim_core::text::shown;
use std::io::{self, BufWriter, Write};
use std::path::Path;

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

/// Standard output. A reader who has seen enough and closed the pipe is no error: the rest is
/// dropped, and the exit code still tells how the run went.
pub(crate) struct Out {
    inner: Option<BufWriter<anstream::Stdout>>,
}

impl Out {
    /// Standard output with colours where they are wanted.
    pub(crate) fn new() -> Self {
        Self {
            inner: Some(BufWriter::new(anstream::stdout())),
        }
    }

    fn attempt<T>(
        &mut self,
        whole: T,
        act: impl FnOnce(&mut BufWriter<anstream::Stdout>) -> io::Result<T>,
    ) -> io::Result<T> {
        let Some(inner) = &mut self.inner else {
            return Ok(whole);
        };
        match act(inner) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                // Dropping a writer with something left in it would try once more.
                if let Some(inner) = self.inner.take() {
                    drop(inner.into_parts());
                }
                Ok(whole)
            }
            result => result,
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.attempt(bytes.len(), |inner| inner.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.attempt((), Write::flush)
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
