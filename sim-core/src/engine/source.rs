//! Sources: when requests come.

use super::Simulation;
use super::batched_draws::BatchedDraws;
use super::event::Event;
use super::event_queue::NEVER;
use super::fleet::Written;
use super::session::Visitors;
use crate::arrival::{Arrivals, Gaps, copies};
use crate::draws::{Draws, Stream, mix};
use crate::ids::{ClassId, ClientId, ServiceId, SourceId, Table};
use crate::key::Keys;
use crate::model::{Model, Rate};
use crate::outcome::Outcome;
use crate::profile::Place;
use crate::time::Duration;
use std::sync::Arc;

/// The class of a request, from a source's cumulative shares of classes.
#[inline]
pub(super) fn draw_class(mix: &[f64], draws: &mut Draws) -> ClassId {
    let [all_but_last @ .., _] = mix else {
        return ClassId(0);
    };
    if all_but_last.is_empty() {
        return ClassId(0);
    }
    let point = draws.uniform();
    // Shares add up, so those below come first: counting all of them needs no guess where to stop.
    let below = all_but_last.iter().map(|share| u16::from(*share <= point));
    ClassId(below.sum())
}

/// A source with its process.
#[derive(Clone)]
pub(super) struct Source {
    pub arrivals: Arrivals,
    pub gaps: Option<Arc<dyn Gaps>>,
    pub rate: Rate,
    /// Place on the rate at or before the latest arrival.
    pub place: Place,
    pub stream: Stream,
    pub mix: Vec<f64>,
    pub keys: Arc<dyn Keys>,
    pub clients: Table<ClassId, ClientId>,
    pub to: ServiceId,
    /// Whether the fast path may serve it: an open source of a service on the fast path; and the same
    /// of one whose requests come by a trace, or when users have thought, or meet something aside.
    pub fast: bool,
    pub fast_apart: bool,
    /// What is written on the way of an open source.
    pub written: Written,
    pub is_closed: bool,
    /// The visitors of a source of sessions.
    pub visitors: Option<Box<Visitors>>,
    /// Requests emitted, or sessions begun.
    pub count: u64,
    /// The number of the first request, were all of them drawn as those to come are.
    pub numbers: u64,
    /// Requests of a trace that were looked at, and how often the latest is still to come.
    recorded: usize,
    left: u64,
    /// When the rest of the present round of bursts comes, the latest first, and rounds begun.
    round: Vec<u64>,
    rounds: u64,
    latest: u64,
    factor: f64,
    copies: Stream,
    /// Phases of a modulated source: the present one, and how many were begun.
    pub phase: usize,
    pub phases_begun: u64,
    pub phase_stream: Stream,
    /// Times that users of a closed source have begun to think.
    pub thoughts: u64,
    /// Users who do not come back, and requests of theirs after which they might not have.
    pub left_for_good: u32,
    disappointed: u64,
    leaving: Stream,
    /// The next arrival comes when `gap` more requests are expected after `from`.
    pub from: u64,
    pub gap: f64,
    /// Draws made ahead, for the fast path.
    pub batch: Box<BatchedDraws>,
}

impl Source {
    pub(super) fn new(
        model: &Model,
        replication: u64,
        id: SourceId,
        source: &crate::model::Source,
    ) -> Self {
        let arrivals = source.arrivals.build();
        Self {
            is_closed: matches!(arrivals, Arrivals::Closed { .. }),
            visitors: Visitors::new(model, replication, &source.name, &arrivals),
            gaps: match &arrivals {
                Arrivals::Open(gaps) => Some(Arc::clone(gaps)),
                Arrivals::Modulated(phases) => Some(Arc::clone(&phases[0].gaps)),
                Arrivals::Sessions(sessions) => Some(Arc::clone(&sessions.gaps)),
                Arrivals::Closed { .. } | Arrivals::Trace(_) | Arrivals::Bursts(_) => None,
            },
            arrivals,
            rate: source.rate.clone(),
            place: Place::default(),
            stream: Stream::new(
                model.seed,
                replication,
                &format!("arrivals/{}", source.name),
            ),
            mix: source.mix.clone(),
            keys: source.key.build(),
            clients: source.clients.iter().copied().collect(),
            to: source.to,
            count: 0,
            numbers: number_of(id, 0),
            recorded: 0,
            left: 0,
            round: Vec::new(),
            rounds: 0,
            latest: 0,
            factor: source.trace_factor,
            copies: Stream::new(model.seed, replication, &format!("copies/{}", source.name)),
            fast: false,
            written: Written::More,
            fast_apart: false,
            phase: 0,
            phases_begun: 0,
            phase_stream: Stream::new(model.seed, replication, &format!("phases/{}", source.name)),
            thoughts: 0,
            left_for_good: 0,
            disappointed: 0,
            leaving: Stream::new(model.seed, replication, &format!("leaving/{}", source.name)),
            from: 0,
            gap: 0.0,
            batch: Box::default(),
        }
    }

    /// The number of its `n`-th request, where that is one to come.
    #[inline]
    pub(super) fn number(&self, n: u64) -> u64 {
        self.numbers + n
    }

    /// Draws of its own from here on; see [`super::branch`].
    fn branch_off(&mut self, source: SourceId, branch: u64) {
        let Self {
            stream,
            copies,
            phase_stream,
            leaving,
            ..
        } = self;
        for stream in [stream, copies, phase_stream, leaving] {
            *stream = stream.branched(branch);
        }
        self.numbers = number_of(source, mix(branch) & NUMBERS_OF_BRANCHES);
        self.batch.forget();
    }

    /// When `gap` more requests will have been expected since `from`; `None`: never.
    #[inline(never)]
    pub(super) fn next_arrival(&mut self) -> Option<u64> {
        self.rate.reached(&mut self.place, self.from, self.gap)
    }

    /// Requests may take the fast path, or may not; those of sessions never do, whose numbers are not in
    /// the order in which they come.
    pub(super) fn serve_fast(&mut self, may: bool, aside: bool, written: Written) {
        let may = may && self.visitors.is_none();
        self.fast = may && self.gaps.is_some() && !aside;
        self.fast_apart = may && !self.fast;
        self.written = if self.fast { written } else { Written::More };
    }

    /// Whether it emits one request after the other, each after a gap of its own.
    pub(super) fn is_paced(&self) -> bool {
        self.gaps.is_some() && self.visitors.is_none()
    }

    /// When the next request of a trace, or of a round, comes; `None` after the last, and of other
    /// arrivals.
    pub(super) fn next_recorded(&mut self) -> Option<u64> {
        while self.left == 0 {
            self.latest = match &self.arrivals {
                Arrivals::Trace(times) => times.get(self.recorded)?.0,
                Arrivals::Bursts(bursts) => {
                    while self.round.is_empty() {
                        self.round = bursts.round(self.rounds, self.stream)?;
                        self.rounds += 1;
                    }
                    self.round.pop()?
                }
                _ => return None,
            };
            let mut draws = self.copies.at(self.recorded as u64);
            self.left = copies(self.factor, &mut draws);
            self.recorded += 1;
        }
        self.left -= 1;
        Some(self.latest)
    }
}

/// Where the numbers of a branch's requests may begin, below those of its source: with room to count on.
const NUMBERS_OF_BRANCHES: u64 = (1 << 47) - 1;

/// The source of a request from outside.
#[inline]
pub(super) fn source_of(number: u64) -> SourceId {
    SourceId((number >> 48) as u16)
}

/// The request number of the `n`-th request of a source. Below the source is room for attempts:
/// [`Stream::of_attempt`].
pub(super) fn number_of(source: SourceId, n: u64) -> u64 {
    n | u64::from(source) << 48
}

impl Simulation {
    /// Plans a source's first arrivals.
    pub(super) fn start_source(&mut self, source: SourceId) {
        let s = &mut self.sources[source];
        match &s.arrivals {
            Arrivals::Open(_)
            | Arrivals::Sessions(_)
            | Arrivals::Trace(_)
            | Arrivals::Bursts(_) => {
                self.plan_arrival(source);
            }
            Arrivals::Modulated(_) => self.begin_phase(source),
            Arrivals::Closed { users, .. } => {
                for _ in 0..*users {
                    self.think(source);
                }
            }
        }
    }

    /// Plans the next arrival after the latest.
    #[inline]
    pub(super) fn plan_arrival(&mut self, source: SourceId) {
        let s = &mut self.sources[source];
        let at = if let Some(gaps) = &s.gaps {
            s.gap = gaps.gap(s.count, &mut s.stream.at(s.count));
            s.next_arrival().unwrap_or(NEVER)
        } else {
            let recorded = s.next_recorded();
            recorded.map_or(NEVER, |at| at.max(self.now))
        };
        self.events.set_arrival(source, at);
    }

    /// Draws of a source's own from here on; see [`super::branch`]. Where it does not matter how long nobody has
    /// come, when the next comes is drawn anew as well.
    pub(super) fn branch_source(&mut self, source: SourceId, branch: u64) {
        let now = self.now;
        let s = &mut self.sources[source];
        s.branch_off(source, branch);
        let Arrivals::Open(gaps) = &s.arrivals else {
            return;
        };
        if gaps.is_memoryless() {
            s.gap = gaps.gap(s.count, &mut s.stream.at(s.count));
            s.from = now;
            s.place = Place::default();
            let at = s.next_arrival().unwrap_or(NEVER);
            self.events.set_arrival(source, at);
        }
    }

    /// The rate changed: what was still expected of the gap is stretched anew.
    pub(super) fn rate_changed(&mut self, source: SourceId, rate: Rate) {
        let now = self.now;
        let s = &mut self.sources[source];
        s.gap = (s.gap - s.rate.expected(s.from, now)).max(0.0);
        s.from = now;
        s.rate = rate;
        s.place = Place::default();
        if s.gaps.is_some() {
            let at = s.next_arrival();
            self.events.set_arrival(source, at.unwrap_or(NEVER));
        }
    }

    /// A modulated source enters its next phase; the first one of a run by its share of the time,
    /// so that the process is stationary from the start.
    pub(super) fn begin_phase(&mut self, source: SourceId) {
        let now = self.now;
        let s = &mut self.sources[source];
        let Arrivals::Modulated(phases) = &s.arrivals else {
            return;
        };
        let mut draws = s.phase_stream.at(s.phases_begun);
        let present = match (s.phases_begun, s.phase) {
            (0, _) => {
                let whole: f64 = phases.iter().map(|p| p.mean_ns).sum();
                let mut point = draws.uniform() * whole;
                let passed = |p: &&crate::arrival::Phase| {
                    point -= p.mean_ns;
                    point >= 0.0
                };
                phases
                    .iter()
                    .take_while(passed)
                    .count()
                    .min(phases.len() - 1)
            }
            (_, before) => (before + 1) % phases.len(),
        };
        s.phase = present;
        s.phases_begun += 1;
        s.gaps = Some(Arc::clone(&phases[present].gaps));
        let lasts = Duration::from_nanos_f64(phases[present].mean_ns * draws.exponential());
        // Exponential gaps have no memory: what was still to come is drawn anew.
        s.gap = phases[present].gaps.gap(s.count, &mut draws);
        s.from = now;
        s.batch.forget();
        let at = s.next_arrival();
        self.events.set_arrival(source, at.unwrap_or(NEVER));
        self.after(lasts.0, Event::Phase(source));
    }

    /// A request from outside is over: whoever waited for that goes on.
    #[inline]
    pub(super) fn source_answered(&mut self, number: u64, outcome: Outcome) {
        let source = source_of(number);
        let s = &self.sources[source];
        if s.visitors.is_some() {
            self.session_answered(source, number, outcome);
        } else if s.is_closed {
            match outcome {
                Outcome::Succeeded => self.think(source),
                _ => self.disappoint(source),
            }
        }
    }

    /// The request of a user of a closed source has failed: he does not come back, or thinks.
    pub(super) fn disappoint(&mut self, source: SourceId) {
        let s = &mut self.sources[source];
        if let Arrivals::Closed { leave, .. } = s.arrivals {
            s.disappointed += 1;
            if leave > 0.0 && s.leaving.at(s.disappointed).chance(leave) {
                s.left_for_good += 1;
                return;
            }
        }
        self.think(source);
    }

    /// Users of closed sources who may leave for good and have; `None` where nobody may.
    pub fn users_left(&self) -> Option<u64> {
        let may = |s: &&Source| matches!(s.arrivals, Arrivals::Closed { leave, .. } if leave > 0.0);
        let mut sources = self.sources.iter().filter(may).peekable();
        sources.peek()?;
        Some(sources.map(|s| u64::from(s.left_for_good)).sum())
    }

    /// One user of a closed source thinks, then asks.
    pub(super) fn think(&mut self, source: SourceId) {
        let s = &mut self.sources[source];
        let Arrivals::Closed { think, .. } = &s.arrivals else {
            return;
        };
        s.thoughts += 1;
        let pause = Duration::from_nanos_f64(think.sample_ns(&mut s.stream.at(s.thoughts)));
        let event = Event::Thought(source);
        match pause.0 {
            0 => self.events.soon(self.now, event),
            pause => {
                let at = self.now.saturating_add(pause);
                self.events.schedule_one_of_many(self.now, at, event);
            }
        }
    }
}
