//! Sessions: visitors who ask for one thing after another.
//!
//! A request says by its number which of which session it is, and how long a session is, when its next
//! request comes and whether its visitor gives up are draws that belong to these numbers. So nothing is
//! kept of a session but the event of its next request, and the n-th request of a session asks for the
//! same whatever became of the others.

use super::Simulation;
use super::event::Event;
use super::slab::Handle;
use super::source::{draw_class, number_of};
use crate::arrival::{Arrivals, Sessions};
use crate::draws::Stream;
use crate::ids::SourceId;
use crate::model::Model;
use crate::outcome::Outcome;
use crate::time::Duration;
use std::sync::Arc;

/// Numbers of requests that each session has for itself. A prime above the longest session, so that every
/// n-th number, of those who look at every n-th request, is any of its session.
const ROOM: u64 = 4093;
/// Sessions that numbers of requests tell apart; later ones begin anew. (The number of a request has room
/// for 2⁴⁰ below the attempt.)
const SESSIONS: u64 = (1 << 40) / ROOM;

/// The sessions of a source.
#[derive(Clone)]
pub(super) struct Visitors {
    sessions: Arc<Sessions>,
    lengths: Stream,
    thinking: Stream,
    leaving: Stream,
    under_way: u64,
    /// Sessions times time until `since`, and those begun and cut short, since measuring began.
    area: u128,
    since: u64,
    begun: u64,
    cut_short: u64,
}

/// What became of visitors.
#[derive(Clone, Copy, PartialEq, Default, Debug, serde::Serialize)]
pub struct SessionFigures {
    /// Sessions that began since measuring did.
    pub begun: u64,
    /// Sessions that ended since then, before their last request.
    pub cut_short: u64,
    /// Sessions under way now.
    pub under_way: u64,
    /// The mean of these over the time since measuring began; zero before any has passed.
    pub mean: f64,
}

impl Visitors {
    pub(super) fn new(
        model: &Model,
        replication: u64,
        name: &str,
        arrivals: &Arrivals,
    ) -> Option<Box<Self>> {
        let Arrivals::Sessions(sessions) = arrivals else {
            return None;
        };
        let stream = |what| Stream::new(model.seed, replication, &format!("{what}/{name}"));
        Some(Box::new(Self {
            sessions: Arc::clone(sessions),
            lengths: stream("sessions"),
            thinking: stream("thinking"),
            leaving: stream("leaving"),
            under_way: 0,
            area: 0,
            since: 0,
            begun: 0,
            cut_short: 0,
        }))
    }

    fn area_at(&self, now: u64) -> u128 {
        self.area + u128::from(self.under_way) * u128::from(now - self.since)
    }

    fn advance(&mut self, now: u64) {
        self.area = self.area_at(now);
        self.since = now;
    }

    fn begin(&mut self, now: u64) {
        self.advance(now);
        self.under_way += 1;
        self.begun += 1;
    }

    fn end(&mut self, now: u64, cut_short: bool) {
        self.advance(now);
        self.under_way -= 1;
        self.cut_short += u64::from(cut_short);
    }

    pub(super) fn start_measuring(&mut self, now: u64) {
        self.advance(now);
        (self.area, self.begun, self.cut_short) = (0, 0, 0);
    }
}

impl Simulation {
    /// The first request of a source's next session comes into being.
    pub(super) fn new_session(&mut self, source: SourceId) -> Handle {
        let now = self.now;
        let s = &mut self.sources[source];
        let session = s.count % SESSIONS;
        s.count += 1;
        if let Some(visitors) = &mut s.visitors {
            visitors.begin(now);
        }
        self.new_request_of_session(source, session, 0)
    }

    /// A visitor has thought, and asks.
    pub(super) fn continue_session(&mut self, source: SourceId, session: u32, place: u16) {
        self.thinking -= 1;
        let call = self.new_request_of_session(source, session.into(), place);
        self.begin_try(call);
    }

    fn new_request_of_session(&mut self, source: SourceId, session: u64, place: u16) -> Handle {
        let s = &self.sources[source];
        let requests = self.streams.requests;
        let first = number_of(source, session * ROOM);
        let number = first + u64::from(place);
        let class = draw_class(&s.mix, &mut requests.at(number));
        // The key is that of the first request, whose draws come after its class's.
        let mut draws = requests.at(first);
        draw_class(&s.mix, &mut draws);
        let key = s.keys.key(first, &mut draws);
        let call = self.call_from_outside(source, number, key, class);
        self.new_call(call)
    }

    /// A request of a session is over: its visitor thinks about the next, or goes.
    pub(super) fn session_answered(&mut self, source: SourceId, number: u64, outcome: Outcome) {
        let now = self.now;
        let Some(visitors) = &mut self.sources[source].visitors else {
            return;
        };
        let within = number - number_of(source, 0);
        let (session, place) = (within / ROOM, (within % ROOM) as u16);
        let law = &visitors.sessions;
        let length = law.requests.draw(&mut visitors.lengths.at(session));
        let next = place + 1;
        if next >= length {
            return visitors.end(now, false);
        }
        let failed = outcome != Outcome::Succeeded;
        if failed && law.leave > 0.0 && visitors.leaving.at(number).chance(law.leave) {
            return visitors.end(now, true);
        }
        let pause = law.think.sample_ns(&mut visitors.thinking.at(number));
        let event = Event::Continued(source, session as u32, next);
        self.thinking += 1;
        match Duration::from_nanos_f64(pause).0 {
            0 => self.events.soon(now, event),
            pause => {
                let at = now.saturating_add(pause);
                self.events.schedule_one_of_many(now, at, event);
            }
        }
    }

    /// What became of visitors of all sources together; `None` where there are no sessions.
    pub fn sessions(&self) -> Option<SessionFigures> {
        let span = self.now.saturating_sub(self.recorder.measure_from);
        let visitors = self.sources.iter().filter_map(|s| s.visitors.as_ref());
        visitors.fold(None, |sum: Option<SessionFigures>, v| {
            let before = sum.unwrap_or_default();
            let mean = if span > 0 {
                v.area_at(self.now) as f64 / span as f64
            } else {
                0.0
            };
            Some(SessionFigures {
                begun: before.begun + v.begun,
                cut_short: before.cut_short + v.cut_short,
                under_way: before.under_way + v.under_way,
                mean: before.mean + mean,
            })
        })
    }
}
