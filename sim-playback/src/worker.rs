//! Who drives a deck: a thread, or, where there are none, slices of the screen's own time.

use super::deck::Deck;
use super::{BranchReport, Report, Request, View};
use sim_core::engine::Simulation;
use sim_core::scenario::{Problems, Scenario};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use web_time::Instant as WallInstant;

/// Bytes that copies of the simulation may take where memory is plentiful.
#[cfg(not(target_arch = "wasm32"))]
pub const BUDGET: usize = 256 << 20;
/// Bytes that copies of the simulation may take in a browser.
#[cfg(target_arch = "wasm32")]
pub const BUDGET: usize = 128 << 20;

/// How long a deck works before requests are looked at again.
const SLICE: Duration = Duration::from_millis(8);
/// How often what is on the way to the goal is shown.
const PREVIEW: Duration = Duration::from_millis(90);
/// How often progress of the simulation ahead is shown.
const PROGRESS: Duration = Duration::from_millis(150);

/// Something that drives a deck.
pub trait Worker {
    /// Asks for something.
    fn send(&mut self, request: Request);
    /// The latest report, if there is a new one. Workers without a thread of their own work now,
    /// for about `slice`.
    fn poll(&mut self, slice: Duration) -> Option<Report>;
    /// Whether reports are to be expected without a further request.
    fn is_busy(&self) -> bool;
    /// Whether it broke: no report comes any more, whatever is asked for.
    fn is_broken(&self) -> bool {
        false
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "playing at a speed follows the clock on the wall; what is simulated does not"
)]
fn wall_clock() -> WallInstant {
    WallInstant::now()
}

/// By what the screen would notice that something is new.
#[derive(Clone, Copy, PartialEq)]
struct Mark {
    events: u64,
    at: u64,
    shown: (usize, Option<usize>),
    playing: bool,
    settled: bool,
    explored: bool,
}

impl Mark {
    fn of(deck: &Deck) -> Self {
        Self {
            events: deck.cursor(deck.shown().0).map_or(0, Simulation::events),
            at: deck.now().0,
            shown: deck.shown(),
            playing: deck.transport().playing,
            settled: deck.is_settled(),
            explored: deck.is_explored(),
        }
    }
}

/// A deck with its clock: what both kinds of workers have in common.
struct Driver {
    deck: Deck,
    last_advance: WallInstant,
    last_report: WallInstant,
    changed: bool,
    mark: Mark,
    /// What was shown last, and the deck's revision then.
    views: Vec<View>,
    revision: u64,
}

impl Driver {
    fn new(deck: Deck) -> Self {
        Self {
            mark: Mark::of(&deck),
            deck,
            last_advance: wall_clock(),
            last_report: wall_clock(),
            changed: true,
            views: Vec::new(),
            revision: 0,
        }
    }

    fn apply(&mut self, request: Request) {
        self.changed = true;
        if matches!(request, Request::Play(_)) {
            self.last_advance = wall_clock();
        }
        self.deck.ask(request);
    }

    /// Works for about `slice`; a report if there is something new to show.
    fn drive(&mut self, slice: Duration) -> Option<Report> {
        let now = wall_clock();
        let passed = now - self.last_advance;
        self.last_advance = now;
        // After a pause of the program itself, time does not leap.
        self.deck.advance(passed.as_secs_f64().min(0.1));
        let mut stop = || now.elapsed() >= slice;
        let before = self.deck.is_settled();
        while self.deck.work(&mut stop) && !stop() && (before || !self.deck.is_settled()) {}
        let mark = Mark::of(&self.deck);
        let since = self.last_report.elapsed();
        let arrived = mark.settled && (self.changed || mark != self.mark);
        let preview = !mark.settled && since >= PREVIEW;
        let progress = !mark.explored && since >= PROGRESS;
        if !(arrived || preview || progress) {
            return None;
        }
        self.changed &= !mark.settled;
        self.mark = mark;
        self.last_report = wall_clock();
        Some(self.report())
    }

    fn is_busy(&self) -> bool {
        self.changed
            || self.deck.transport().playing
            || !self.deck.is_settled()
            || !self.deck.is_explored()
    }

    /// What can be seen now. Two futures are shown at one moment: while only one of them is on its way,
    /// what was shown before stays.
    fn look(&mut self) -> Vec<View> {
        let views = self.deck.views();
        if self.revision != self.deck.revision() {
            // What was shown may be of branches that are not there any more.
            self.revision = self.deck.revision();
            self.views.clear();
        }
        let apart = views.windows(2).any(|pair| pair[0].at != pair[1].at);
        let branches = |views: &[View]| views.iter().map(|v| v.branch).collect::<Vec<_>>();
        let keep = apart && !self.deck.is_settled() && branches(&views) == branches(&self.views);
        if !keep {
            self.views = views;
        }
        self.views.clone()
    }

    fn report(&mut self) -> Report {
        let views = self.look();
        let deck = &self.deck;
        let news = deck.news().clone();
        let branch = |(number, branch): (usize, &super::branch::Branch)| {
            let parent = branch.parent.map(|p| &deck.branches()[p]);
            let first = branch.series().rows_until(branch.from);
            let parts_at = parent
                .and_then(|parent| branch.series().first_difference(parent.series(), first))
                .map(|row| branch.series().end_of(row));
            BranchReport {
                parent: branch.parent,
                from: branch.from,
                edits: branch.edits.clone(),
                own_edits: branch.own_edits().len(),
                scenario: Arc::clone(branch.scenario()),
                model: Arc::clone(branch.model()),
                series: branch.series().clone(),
                event_log: Arc::clone(branch.event_log()),
                alerts: Arc::clone(branch.scout().recorder().alert_changes()),
                explored: branch.scout().now(),
                finished: branch.end().is_some(),
                digest: branch.end().map(|_| branch.scout().digest()),
                outcome: branch.outcome(),
                frames: branch.frames().len(),
                bytes: deck.bytes(number),
                parts_at,
            }
        };
        Report {
            transport: deck.transport(),
            views,
            settled: deck.is_settled(),
            branches: deck.branches().iter().enumerate().map(branch).collect(),
            refused: news.refused,
            edits_seen: news.edits_seen,
            said: news.said,
            said_seen: news.said_seen,
            can_undo: deck.can_undo(),
            can_redo: deck.can_redo(),
            expected: news.expected,
            measured: news.measured,
            budget: BUDGET,
        }
    }
}

/// Called when there is something new to show.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// Drives the deck on a thread of its own.
pub struct Threaded {
    outbox: Sender<Request>,
    slot: Arc<Mutex<Slot>>,
}

/// What the thread has to say.
#[derive(Default)]
struct Slot {
    report: Option<Report>,
    busy: bool,
    broken: bool,
}

impl Threaded {
    /// Starts the thread.
    ///
    /// # Errors
    /// The scenario's problems.
    pub fn start(scenario: Scenario, waker: Waker) -> Result<Self, Problems> {
        let deck = Deck::new(scenario, 0, BUDGET)?;
        let (outbox, inbox) = channel();
        let slot = Arc::new(Mutex::new(Slot {
            busy: true,
            ..Slot::default()
        }));
        let shared = Arc::clone(&slot);
        let work = move || {
            let alive = || live(Driver::new(deck), &inbox, &shared, &waker);
            if catch_unwind(AssertUnwindSafe(alive)).is_err() {
                locked(&shared).broken = true;
                waker();
            }
        };
        let begun = std::thread::Builder::new()
            .name("playback".to_owned())
            .spawn(work);
        locked(&slot).broken |= begun.is_err();
        Ok(Self { outbox, slot })
    }
}

fn locked(slot: &Mutex<Slot>) -> MutexGuard<'_, Slot> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread's life: it ends when nobody sends any more.
fn live(mut driver: Driver, inbox: &Receiver<Request>, slot: &Mutex<Slot>, waker: &Waker) {
    loop {
        loop {
            match inbox.try_recv() {
                Ok(request) => driver.apply(request),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return,
            }
        }
        let report = driver.drive(SLICE);
        let busy = driver.is_busy();
        let idle_ahead = driver.deck.is_settled() && driver.deck.is_explored();
        {
            let mut slot = locked(slot);
            slot.busy = busy;
            if report.is_some() {
                slot.report = report;
                waker();
            }
        }
        // Asleep until somebody asks; while playing what is known, until the next picture.
        let wait = if !busy {
            Duration::from_hours(1)
        } else if idle_ahead {
            Duration::from_millis(12)
        } else {
            continue;
        };
        match inbox.recv_timeout(wait) {
            Ok(request) => driver.apply(request),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

impl Worker for Threaded {
    fn send(&mut self, request: Request) {
        locked(&self.slot).busy = true;
        let _ = self.outbox.send(request);
    }

    fn poll(&mut self, _: Duration) -> Option<Report> {
        locked(&self.slot).report.take()
    }

    fn is_busy(&self) -> bool {
        let slot = locked(&self.slot);
        slot.busy && !slot.broken
    }

    fn is_broken(&self) -> bool {
        locked(&self.slot).broken
    }
}

/// Drives the deck whenever it is polled.
pub struct Sliced {
    driver: Driver,
}

impl Sliced {
    /// A deck driven by its polls.
    ///
    /// # Errors
    /// The scenario's problems.
    pub fn start(scenario: Scenario) -> Result<Self, Problems> {
        let deck = Deck::new(scenario, 0, BUDGET)?;
        Ok(Self {
            driver: Driver::new(deck),
        })
    }
}

impl Worker for Sliced {
    fn send(&mut self, request: Request) {
        self.driver.apply(request);
    }

    fn poll(&mut self, slice: Duration) -> Option<Report> {
        self.driver.drive(slice)
    }

    fn is_busy(&self) -> bool {
        self.driver.is_busy()
    }
}
