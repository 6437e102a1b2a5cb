//! Messages on their way between two machines: requests, answers, and the probes of health checks.
//!
//! What becomes of a message is decided when it is sent: a cut link takes what is sent while it is
//! cut, and what was under way before arrives. Nobody is told of a message that vanishes. A request
//! that found no other end is given up by its sender after the link's connect timeout; all else that
//! vanishes, answers above all, is for the caller's timeout to find out. Hanging up is no message: it
//! is known at once wherever the attempt is.

use super::Simulation;
use super::attempt::{Attempt, Place, Purpose};
use super::event::Event;
use super::link::Path;
use super::pool::{Hop, Line};
use super::slab::Handle;
use super::timer_fifo::Timer;
use crate::draws::Stream;
use crate::ids::{ClientId, ServerId, ServiceId};
use crate::model::Model;
use crate::outcome::Outcome;
use std::sync::Arc;

/// Which way a message goes: each draws from streams of its own.
#[derive(Clone, Copy)]
pub(super) enum Way {
    ToBalancer,
    ToCaller,
    ToServer,
    FromServer,
    Probe,
    ProbeAnswer,
}

/// The random numbers of one way.
#[derive(Clone, Copy)]
pub(super) struct WayStreams {
    pub delay: Stream,
    pub loss: Stream,
}

impl WayStreams {
    /// Those of all ways, by their numbers.
    pub(super) fn of_all(model: &Model, replication: u64) -> [Self; 6] {
        Way::ALL.map(|way| Self::of(model, replication, way.concerns()))
    }

    /// Those for delays and losses with these names.
    pub(super) fn of(model: &Model, replication: u64, concerns: [&'static str; 2]) -> Self {
        let stream = |concern| Stream::new(model.seed, replication, concern);
        let [delay, loss] = concerns.map(stream);
        Self { delay, loss }
    }
}

/// A message that arrives.
#[derive(Clone, Copy)]
pub(super) struct Trip {
    pub delay_ns: u64,
    /// Whether all on this path take as long.
    pub constant: bool,
}

impl Trip {
    pub(super) const NONE: Self = Self {
        delay_ns: 0,
        constant: true,
    };
}

impl Way {
    const ALL: [Self; 6] = [
        Self::ToBalancer,
        Self::ToCaller,
        Self::ToServer,
        Self::FromServer,
        Self::Probe,
        Self::ProbeAnswer,
    ];

    /// What its delays and its losses are drawn for.
    fn concerns(self) -> [&'static str; 2] {
        match self {
            Self::ToBalancer => ["network", "loss/request"],
            Self::ToCaller => ["network/reply", "loss/reply"],
            Self::ToServer => ["link/server", "loss/server"],
            Self::FromServer => ["link/server/reply", "loss/server/reply"],
            Self::Probe => ["link/probe", "loss/probe"],
            Self::ProbeAnswer => ["link/probe/reply", "loss/probe/reply"],
        }
    }

    /// Whether a connection is being opened.
    pub(super) fn connects(self) -> bool {
        matches!(self, Self::ToBalancer | Self::ToServer)
    }

    fn timer(self, service: ServiceId) -> Timer {
        match self {
            Self::ToBalancer => Timer::ToBalancer(service),
            Self::ToCaller => Timer::ToCaller(service),
            Self::ToServer | Self::Probe => Timer::ToServer(service),
            Self::FromServer | Self::ProbeAnswer => Timer::FromServer(service),
        }
    }
}

impl Simulation {
    /// Sends a request to the balancer.
    #[inline]
    pub(super) fn send_to_balancer(&mut self, handle: Handle, client: ClientId) {
        match self.links.of_caller(client) {
            None => self.at_balancer(handle),
            Some(_) => {
                if self.connect(handle, Hop::Caller) {
                    self.leave_caller(handle);
                }
            }
        }
    }

    /// An attempt leaves its caller, over a connection that it has.
    pub(super) fn leave_caller(&mut self, handle: Handle) {
        let client = self.calls[self.attempts[handle].call].client;
        let way = Way::ToBalancer;
        match self.fate(handle, self.links.of_caller(client), way) {
            Some(Trip { delay_ns: 0, .. }) => self.at_balancer(handle),
            Some(trip) => self.travel(handle, way, trip),
            None => self.silence(handle),
        }
    }

    /// Sends an attempt or a probe to its server.
    pub(super) fn send_to_server(&mut self, handle: Handle, server: ServerId) {
        self.attempts[handle].server = server;
        let probe = !self.attempts[handle].purpose.is_request();
        if probe || self.connect(handle, Hop::Server) {
            self.leave_balancer(handle);
        }
    }

    /// An attempt or a probe leaves the balancer for its server, over a connection that it has.
    pub(super) fn leave_balancer(&mut self, handle: Handle) {
        let Attempt {
            server, purpose, ..
        } = self.attempts[handle];
        let way = match purpose {
            Purpose::Request => Way::ToServer,
            _ => Way::Probe,
        };
        self.attempts[handle].place = Place::ToServer;
        let path = self.fleet.cold[server].path.as_ref();
        match self.fate(handle, path, way) {
            Some(Trip { delay_ns: 0, .. }) => self.reach_server(handle),
            Some(trip) => self.travel(handle, way, trip),
            None => self.silence(handle),
        }
    }

    /// An attempt or a probe reaches its server.
    pub(super) fn reach_server(&mut self, handle: Handle) {
        let Attempt {
            server, purpose, ..
        } = self.attempts[handle];
        let serves = self.fleet[server].state.serves();
        if purpose == Purpose::Request && !serves && !self.waited_for(handle) {
            // Nobody is left who could be told.
            self.attempts.remove(handle);
        } else if purpose == Purpose::Connect && serves {
            self.reply(handle, Outcome::Succeeded);
        } else {
            self.at_server(handle, server);
            let abandoned = purpose == Purpose::Request && !self.waited_for(handle);
            if abandoned && self.attempts.contains(handle) {
                // Its caller hung up while it was under way; the server takes it in all the same.
                self.leave_behind(server);
            }
        }
    }

    /// The outcome of an attempt or a probe starts its way from the server to the balancer.
    #[cold]
    pub(super) fn answer_from_server(
        &mut self,
        handle: Handle,
        server: ServerId,
        outcome: Outcome,
    ) {
        let probe = !self.attempts[handle].purpose.is_request();
        if !probe && !self.waited_for(handle) {
            // Nobody is left who could be told.
            return self.pass_on(handle, outcome);
        }
        let way = if probe {
            Way::ProbeAnswer
        } else {
            Way::FromServer
        };
        let attempt = &mut self.attempts[handle];
        attempt.place = Place::Returning;
        attempt.outcome = outcome;
        let path = self.fleet.cold[server].path.as_ref();
        match self.fate(handle, path, way) {
            Some(Trip { delay_ns: 0, .. }) => self.pass_on(handle, outcome),
            Some(trip) => self.travel(handle, way, trip),
            None => self.attempts[handle].place = Place::Lost,
        }
    }

    /// The outcome of an attempt starts its way from the balancer to the caller.
    #[inline]
    pub(super) fn send_to_caller(&mut self, handle: Handle, client: ClientId) {
        match self.links.of_caller(client) {
            None => self.answer(handle),
            Some(_) => self.answer_caller(handle, client),
        }
    }

    fn answer_caller(&mut self, handle: Handle, client: ClientId) {
        let way = Way::ToCaller;
        match self.fate(handle, self.links.of_caller(client), way) {
            Some(Trip { delay_ns: 0, .. }) => self.answer(handle),
            Some(trip) => self.travel(handle, way, trip),
            None => self.attempts[handle].place = Place::Lost,
        }
    }

    /// What becomes of a message; `None` when it vanishes.
    fn fate(&self, handle: Handle, path: Option<&Arc<Path>>, way: Way) -> Option<Trip> {
        let ordinal = self.attempts.cold(handle).ordinal;
        let number = self.attempts[handle].number;
        path.map_or(Some(Trip::NONE), |path| {
            let line = match way {
                Way::ToBalancer => self.pools.line(handle, Hop::Caller, self.now),
                Way::ToServer => self.pools.line(handle, Hop::Server, self.now),
                _ => Line::Bare,
            };
            path.send(way, line, self.links.streams(way), number, ordinal)
        })
    }

    /// A message is under way.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "whoever sends knows which way: its FIFO is then found without a look"
    )]
    pub(super) fn travel(&mut self, handle: Handle, way: Way, trip: Trip) {
        let at = self.now.saturating_add(trip.delay_ns);
        let timer = way.timer(self.attempts[handle].service);
        if trip.constant {
            self.events.set_timer(timer, at, handle);
        } else {
            (self.events).schedule_one_of_many(self.now, at, timer.event(handle));
        }
    }

    /// A request has met silence: it was lost on its way, or what it reached is down and says
    /// nothing. Its sender gives up the connection after a time, if the link has one.
    pub(super) fn silence(&mut self, handle: Handle) {
        let attempt = &mut self.attempts[handle];
        attempt.place = Place::Lost;
        if !attempt.purpose.is_request() {
            // A probe's own timeout decides.
            return;
        }
        let hop = match self.attempts[handle].server {
            ServerId::NONE => Hop::Caller,
            _ => Hop::Server,
        };
        if self.pools.line(handle, hop, self.now) == Line::Open {
            // There is a connection: nothing is waited for but the answer.
            return;
        }
        let attempt = &self.attempts[handle];
        let (sent, path) = if let Some(server) = attempt.server.known() {
            let path = self.fleet.cold[server].path.as_ref();
            (self.attempts.cold(handle).dispatched, path)
        } else {
            let call = attempt.call;
            let client = (self.calls.contains(call)).then(|| self.calls[call].client);
            (attempt.begun, client.and_then(|c| self.links.of_caller(c)))
        };
        if let Some(timeout) = path.and_then(|path| path.connect_timeout) {
            let at = sent.saturating_add(timeout).max(self.now);
            self.events.schedule(at, Event::ConnectTimeout(handle));
        }
    }

    /// The sender of a request has waited long enough for a connection.
    pub(super) fn connect_timeout(&mut self, handle: Handle) {
        if self.attempts[handle].place != Place::Lost {
            return;
        }
        let outcome = Outcome::ConnectTimedOut;
        if self.attempts[handle].server == ServerId::NONE {
            // The caller itself notices.
            self.attempts[handle].outcome = outcome;
            self.answer(handle);
        } else {
            self.pass_on(handle, outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Draws;
    use crate::ids::{InstanceId, ServiceId};
    use crate::policy::{FleetView, Job, Policy};
    use crate::time::{Duration, Instant};
    use std::sync::Mutex;

    /// Takes the first server, and writes down what it is told of answers.
    #[derive(Clone, Debug, Default)]
    struct Scribe(Arc<Mutex<Vec<(Outcome, u64)>>>);

    impl Policy for Scribe {
        fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, _: &mut Draws) -> Option<usize> {
            fleet.eligible.first().map(|&server| server as usize)
        }
        fn on_finished(&mut self, _: Instant, _: usize, _: u32, outcome: Outcome, took: Duration) {
            let mut told = self.0.lock().expect("nobody panics");
            told.push((outcome, took.0 / 1_000_000));
        }
        fn observes(&self) -> bool {
            true
        }
        fn clone_box(&self) -> Box<dyn Policy> {
            Box::new(self.clone())
        }
    }

    /// What a policy is told of the attempts of a scenario, on the fast path or off it.
    fn told_in(text: &str, fast: bool) -> Vec<(Outcome, u64)> {
        let model = crate::scenario::parse(text).unwrap_or_else(|problems| panic!("{problems}"));
        let mut simulation = Simulation::new(Arc::new(model), 0);
        let scribe = Scribe::default();
        simulation.balancers[InstanceId(0)].adopt_policy(&scribe);
        simulation.refresh_fast_service(ServiceId(0));
        if !fast {
            simulation = simulation.without_fast_path();
        }
        simulation.run();
        let told = scribe.0.lock().expect("nobody panics");
        told.clone()
    }

    /// What it is told of one request under each of some callers and links.
    fn told(rest: &str) -> Vec<(Outcome, u64)> {
        let text = format!(
            "horizon = \"2s\"\n\
             traffic = [{{ to = \"web\", arrivals = {{ kind = \"trace\", times = [\"0s\"] }} }}]\n\
             [service.web]\ndemand = \"10ms\"\nlink = {{ delay = \"50ms\" }}\n\
             server = [{{ name = \"s\", workers = 1 }}]\n{rest}"
        );
        told_in(&text, true)
    }

    #[test]
    fn policies_are_told_the_same_on_the_fast_path_and_off_it() {
        let text = "horizon = \"20s\"\nclient.timeout = \"60ms\"\n\
             traffic = [{ to = \"web\", rate = 95 }]\n\
             [service.web]\ndemand = { kind = \"exponential\", mean = \"10ms\" }\n\
             server = [{ name = \"s\", workers = 1, queue = { limit = 9 } }]\n";
        let told = told_in(text, true);
        assert_eq!(told, told_in(text, false));
        for outcome in [Outcome::Succeeded, Outcome::TimedOut, Outcome::Rejected] {
            assert!(
                told.iter().any(|&(other, _)| other == outcome),
                "{outcome:?}"
            );
        }
    }

    #[test]
    fn policies_are_told_how_long_answers_took_from_the_dispatch_on() {
        use Outcome::{ConnectTimedOut, Succeeded, TimedOut};
        assert_eq!(told(""), [(Succeeded, 10)]);
        // The balancer's own work comes before the dispatch.
        let busy = "[service.web.balancer]\ncost = \"7ms\"\nlink = { delay = \"3ms\" }\n";
        assert_eq!(told(busy), [(Succeeded, 16)]);
        let cut = "[service.web.balancer]\nlink = { loss = 1, connect_timeout = \"30ms\" }\n";
        assert_eq!(told(cut), [(ConnectTimedOut, 30)]);
        let silent = "[client]\ntimeout = \"80ms\"\n[service.web.balancer]\nlink = { loss = 1 }\n";
        assert_eq!(told(silent), [(TimedOut, 30)]);
    }
}
