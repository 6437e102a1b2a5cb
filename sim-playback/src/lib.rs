//! Playback: a run that can be stopped, stepped, scrubbed in both directions and forked.
//!
//! Nothing here knows of a screen. A [`deck::Deck`] holds the branches of a scenario; each keeps
//! key frames (clones of the simulation at intervals), so that any moment is reached by a short
//! deterministic re-run from the nearest one. A [`worker::Worker`] drives a deck: on a thread, or
//! in slices where there are no threads. What comes out is a [`Report`], plain data that is shared
//! and not copied.
//!
//! | file | concern |
//! |---|---|
//! | `series` | figures over time, row by row |
//! | `breaker` | circuit breakers: where they stand, and whether they let anything through |
//! | `sources` | what each source sends |
//! | `branch` | one future: frames, series, event_log |
//! | `deck` | all branches, and the play head; what is still to be done, changes, undo and redo |
//! | `transport` | the play head |
//! | `view` | what can be seen at a moment |
//! | `stood` | how alerts stood over time |
//! | `expected` | what servers would get if something were changed |
//! | `measured` | what happened in a stretch |
//! | `danger` | what brings a machine down, and how near it is |
//! | `told` | the events of one future, or of two in one list |
//! | `worker` | who drives the deck |
//! | `figures`, `condition`, `words` | what screens of all kinds say the same way |

pub mod branch;
pub mod breaker;
pub mod condition;
pub mod danger;
pub mod deck;
pub mod expected;
pub mod figures;
pub mod measured;
pub mod series;
mod sources;
pub mod stood;
pub mod told;
pub mod transport;
pub mod view;
pub mod words;
pub mod worker;

pub use breaker::{Breaker, Throw, breakers, has_breakers};
pub use condition::{Condition, Lane};
pub use danger::Danger;
pub use expected::Expected;
pub use figures::{figures, server_now, site_now, source_now, way_now, ways_now};
pub use measured::Measured;
pub use series::{Column, Series};
pub use sim_core::edit::{Edit, Edited};
pub use sources::source_at;
pub use stood::{Stood, stood};
pub use told::{Told, told, told_of_both};
pub use transport::Transport;
pub use view::View;
pub use words::{event_words, site_word};

use sim_core::event_log::Event;
use sim_core::model::Model;
use sim_core::record::AlertChange;
use sim_core::scenario::{Problems, Scenario};
use sim_core::summary::Summary;
use sim_core::time::Instant;
use std::sync::Arc;

/// What the screen asks for.
#[derive(Clone, Debug)]
pub enum Request {
    /// Go to a moment.
    Seek(Instant),
    /// Play or pause.
    Play(bool),
    /// Simulated seconds per second; infinite for as fast as possible.
    Speed(f64),
    /// Do one event.
    Step,
    /// Go to the next event of the event log.
    NextEvent,
    /// Go to the previous one.
    PreviousEvent,
    /// Whether playing pauses at events.
    PauseAtEvents(bool),
    /// Play a stretch again and again.
    Range(Option<(Instant, Instant)>),
    /// Change something now; several changes are one step.
    Edit(Vec<Edit>),
    /// Tell what servers would get next if these changes were made now, without making them.
    Expect(Vec<Edit>),
    /// Tell what happened in a stretch of what is shown.
    Measure(Instant, Instant),
    /// Changes at moments of their own, one after the other: a saved branch.
    Replay(Vec<Edited>),
    /// Show a branch, and another beside it.
    Show(usize, Option<usize>),
    /// Close a branch.
    Close(usize),
    /// Take the latest change back: an edit, or the closing of a branch.
    Undo,
    /// Make the change again that was taken back last.
    Redo,
}

/// What is known of a branch.
#[derive(Clone, Debug)]
pub struct BranchReport {
    /// The branch it was forked from.
    pub parent: Option<usize>,
    /// Where it was forked.
    pub from: Instant,
    /// Every change since the beginning.
    pub edits: Vec<Edited>,
    /// How many of them are its own.
    pub own_edits: usize,
    /// The scenario with all changes of parameters.
    pub scenario: Arc<Scenario>,
    /// The model after all changes.
    pub model: Arc<Model>,
    /// Figures over time, as far as simulated.
    pub series: Series,
    /// The event log, as far as simulated.
    pub event_log: Arc<Vec<Arc<Event>>>,
    /// How alerts stood, as far as simulated.
    pub alerts: Arc<Vec<AlertChange>>,
    /// How far it is simulated.
    pub explored: Instant,
    /// Whether it is simulated to its end.
    pub finished: bool,
    /// Hash of the finished run.
    pub digest: Option<u64>,
    /// Every figure of the finished run.
    pub outcome: Option<Arc<Summary>>,
    /// Number of key frames.
    pub frames: usize,
    /// Bytes that they and the other copies of the simulation take: what is shown, the moment of the
    /// fork, the furthest point simulated.
    pub bytes: usize,
    /// The first moment at which figures differ from the parent's.
    pub parts_at: Option<Instant>,
}

impl BranchReport {
    /// The event log until a moment.
    pub fn told(&self, until: Instant) -> &[Arc<Event>] {
        let len = self.event_log.partition_point(|event| event.at <= until);
        &self.event_log[..len]
    }

    /// The n-th moment, from zero, at which something happened until another one.
    pub fn moment(&self, number: usize, until: Instant) -> Option<Instant> {
        let mut moments: Vec<Instant> = self.told(until).iter().map(|event| event.at).collect();
        moments.dedup();
        moments.get(number).copied()
    }
}

/// What the screen shows.
#[derive(Clone, Debug)]
pub struct Report {
    /// The play head.
    pub transport: Transport,
    /// The shown branches at the moment of the play head; the main one comes first.
    pub views: Vec<View>,
    /// Whether the views are of the moment that was asked for.
    pub settled: bool,
    /// Every branch.
    pub branches: Vec<BranchReport>,
    /// What was wrong with the latest change.
    pub refused: Option<Arc<Problems>>,
    /// Grows whenever a change was accepted or refused.
    pub edits_seen: u64,
    /// What the user should be told, such as that a branch was closed.
    pub said: Option<Arc<str>>,
    /// Grows whenever there is something new to tell.
    pub said_seen: u64,
    /// Whether there is a change to take back.
    pub can_undo: bool,
    /// Whether there is one to make again.
    pub can_redo: bool,
    /// What servers would get if what was asked about last were done.
    pub expected: Option<Arc<Expected>>,
    /// What happened in the stretch that was asked about last, in each future that was shown then.
    pub measured: Arc<Vec<Measured>>,
    /// Bytes that copies of the simulation may take.
    pub budget: usize,
}

/// The place in another branch of a server: one of the two may have more of them.
pub fn same_server(branch: &BranchReport, server: usize, other: &BranchReport) -> Option<usize> {
    let server_of = |branch: &BranchReport, i: usize| {
        let server = branch.model.servers.get(i)?;
        Some((server.service, server.name.clone()))
    };
    let wanted = server_of(branch, server)?;
    // Nearly always in the same place.
    if server_of(other, server).as_ref() == Some(&wanted) {
        return Some(server);
    }
    let mut others = other.model.servers.iter();
    others.position(|o| (o.service, &o.name) == (wanted.0, &wanted.1))
}

/// A branch's letter: A, B, C, …
pub fn letter(branch: usize) -> char {
    char::from(b'A' + (branch % 26) as u8)
}
