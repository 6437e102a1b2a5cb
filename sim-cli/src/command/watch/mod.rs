//! `stampede watch`: a run in the terminal as it happens.
//!
//! The playback of the window drives the run on a thread of its own; this draws what it reports, and sends what
//! keys ask for. No figure is computed here, and nothing is shown of what comes after the moment shown.
//!
//! | file | concern |
//! |---|---|
//! | `keys` | what each key does |
//! | `app` | what is known: the latest report, and what the reader chose |
//! | `draw/` | a picture of that |
//! | `screen` | the terminal, and that it is given back |
//! | `verdict` | what is left when the screen is gone |

mod app;
mod draw;
mod keys;
mod screen;
#[cfg(test)]
mod tests;
mod verdict;

use self::app::{App, Next};
use self::screen::Screen;
use super::deadline::moment;
use crate::args::WatchArgs;
use crate::exit::{Exit, Failure};
use crate::input::Input;
use crate::interrupt;
use crate::terminal::{Out, say_warning};
use ratatui_crossterm::crossterm::event::{self, Event};
use sim_core::model::Model;
use sim_core::scenario::Scenario;
use sim_core::time::Instant;
use sim_playback::Request;
use sim_playback::worker::{Threaded, Worker};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// Time between two pictures.
const PICTURE: Duration = Duration::from_millis(40);
/// Time between two looks at whether the user wants to stop, when nothing moves.
const IDLE: Duration = Duration::from_millis(150);

/// Looks in vain after which the picture is drawn all the same.
const IDLE_MAX: u32 = 10;

/// Watches a scenario.
pub(crate) fn run(args: &WatchArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    screen::check(&args.scenario)?;
    let input = Input::open(&args.scenario, &[])?;
    let sets = args.seeded.all();
    let told = |problems| super::refused_input(&input, &sets, &problems);
    let scenario = input.scenario(&sets).map_err(told)?;
    let model = scenario.model().map_err(told)?;
    let begin = begin(args, &model)?;
    if !quiet {
        for text in scenario.warnings() {
            say_warning(scenario.name(), &text);
        }
    }
    let mut app = App::new(scenario.name(), scenario.title());
    let exit = watch(&mut app, scenario, begin, args.speed)?;
    writeln!(out, "{}", app.verdict())?;
    if !quiet && args.scenario != "-" {
        writeln!(out, "{}", verdict::command(&args.scenario, &sets))?;
    }
    Ok(exit)
}

/// The moment at which to begin.
fn begin(args: &WatchArgs, model: &Model) -> Result<Instant, Failure> {
    let Some(text) = &args.at else {
        return Ok(Instant::ZERO);
    };
    let wrong = |why: String| Failure::new(Exit::Usage, format!("--at {text}: {why}"));
    let at = moment(text, model).map_err(wrong)?;
    if at > Instant(model.horizon.0) {
        return Err(wrong("the run is over by then".to_owned()));
    }
    Ok(at)
}

/// Shows the run until the reader has seen enough.
fn watch(app: &mut App, scenario: Scenario, at: Instant, speed: f64) -> Result<Exit, Failure> {
    interrupt::watch()?;
    let mut playback = Threaded::start(scenario, Arc::new(|| ())).map_err(|problems| {
        // The same scenario was read a moment ago.
        super::refused(&problems)
    })?;
    for request in [
        Request::Speed(speed),
        Request::Seek(at),
        Request::Play(true),
    ] {
        playback.send(request);
    }
    let mut screen = Screen::enter()?;
    let typed = listen()?;
    let (mut stale, mut idle) = (true, 0);
    loop {
        if interrupt::asked() {
            return Ok(Exit::Interrupted);
        }
        if playback.is_broken() {
            let message = "this is a mistake of the program: the simulation broke";
            return Err(Failure::new(Exit::Internal, message)
                .help("please report it, with the scenario and the lines above"));
        }
        if let Some(report) = playback.poll(Duration::ZERO) {
            app.take(report);
            stale = true;
        }
        // A terminal that is gone without a word is noticed by drawing on it.
        if stale || idle == IDLE_MAX {
            screen.draw(app)?;
            (stale, idle) = (false, 0);
        }
        let wait = if playback.is_busy() { PICTURE } else { IDLE };
        let first = match typed.recv_timeout(wait) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) => {
                idle += 1;
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(Exit::Interrupted),
        };
        // Everything that was typed since, before the next picture.
        for event in std::iter::once(first).chain(typed.try_iter()) {
            stale = true;
            let event = event.map_err(|why| Failure::io("cannot read what is typed", &why))?;
            match app.event(&event) {
                Next::Nothing => {}
                Next::Ask(request) => playback.send(request),
                Next::Leave(exit) => return Ok(exit),
            }
        }
    }
}

/// What is typed, and other sizes, read on a thread of its own: where a terminal is gone without a word, reading never
/// comes back.
fn listen() -> Result<Receiver<io::Result<Event>>, Failure> {
    let (outbox, typed) = channel();
    let read = move || {
        loop {
            let event = event::read();
            let over = event.is_err();
            if outbox.send(event).is_err() || over {
                return;
            }
        }
    };
    let begun = std::thread::Builder::new()
        .name("keys".to_owned())
        .spawn(read);
    match begun {
        Ok(_) => Ok(typed),
        Err(error) => Err(Failure::io("cannot read what is typed", &error)),
    }
}
