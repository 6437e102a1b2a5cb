//! The terminal: taken while a run is watched, and given back however that ends.

use super::app::App;
use super::draw;
use crate::exit::{Exit, Failure};
use crate::interrupt;
use anstream::{AutoStream, ColorChoice};
use ratatui_core::terminal::Terminal;
use ratatui_crossterm::CrosstermBackend;
use ratatui_crossterm::crossterm::cursor::Show;
use ratatui_crossterm::crossterm::execute;
use ratatui_crossterm::crossterm::style::force_color_output;
use ratatui_crossterm::crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use sim_core::text::shell_word;
use std::io::{self, IsTerminal, Stdout, stdout};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the terminal is taken.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Whether there is a terminal to draw on.
pub(super) fn check(scenario: &str) -> Result<(), Failure> {
    let lacks = if !stdout().is_terminal() {
        "standard output is none"
    } else if std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
        "TERM=dumb can place no cursor"
    } else {
        return Ok(());
    };
    let message = format!("watch draws on a terminal, and {lacks}");
    let help = format!("stampede run {} prints what happened", shell_word(scenario));
    Err(Failure::new(Exit::Usage, message).help(help))
}

/// The terminal while it is taken.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    colours: bool,
}

impl Screen {
    /// Takes the terminal.
    pub(super) fn enter() -> Result<Self, Failure> {
        let colours = AutoStream::choice(&stdout()) != ColorChoice::Never;
        // Decided once for the whole program; the back end would look at the environment again.
        force_color_output(colours);
        give_back_in_panics();
        interrupt::at_last(give_back);
        let taken = enable_raw_mode().and_then(|()| {
            TAKEN.store(true, Ordering::SeqCst);
            // Some terminals come to their other screen with what stood on the first.
            execute!(stdout(), EnterAlternateScreen, Clear(ClearType::All))?;
            Terminal::new(CrosstermBackend::new(stdout()))
        });
        match taken {
            Ok(terminal) => Ok(Self { terminal, colours }),
            Err(error) => {
                give_back();
                Err(Failure::io("cannot take the terminal", &error))
            }
        }
    }

    /// Draws what is known.
    pub(super) fn draw(&mut self, app: &App) -> io::Result<()> {
        // Another thread may have given the terminal back to tell why it broke.
        if TAKEN.load(Ordering::SeqCst) {
            let colours = self.colours;
            self.terminal
                .draw(|frame| draw::draw(app, colours, frame.buffer_mut()))?;
        }
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back as it was, once.
pub(super) fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // When even that fails there is nobody left to tell.
        let _ = execute!(stdout(), LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
    }
}

/// What a panic says is to be read: not on a screen that is gone in a moment.
fn give_back_in_panics() {
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        give_back();
        told(panic);
    }));
}
