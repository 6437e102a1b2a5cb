//! gRPC's connections: one to each server, and a pause before it is opened again.
//!
//! A server whose connection is open (`READY`) may be picked. One whose connection broke is connected to at once, and while
//! that fails it is in `TRANSIENT_FAILURE`: nobody picks it, no request is spent on it, and the next try comes after a
//! pause that grows from try to try. The pause counts from the beginning of a try, and the first success forgets all
//! of it. When nobody is left requests fail at once, without a server.
//!
//! A channel that has just begun opens all of its connections. Until the first of them is there, requests go to any of
//! these servers: here they do not wait, as they do in gRPC, until there is one.
//!
//! A server that goes without a word (`down_behaviour = "black-hole"`) breaks no connection: nobody notices.

use super::{Candidate, HealthDef, HealthRule, Kind, News, PLAIN, Standing};
use crate::extension::{ExtensionRow, ParamDef, ParamProblem, Params};
use crate::time::{Duration, Instant};

pub(super) static RULE: HealthDef = HealthDef {
    row: ExtensionRow {
        name: "grpc-connection-backoff",
        about: "A connection to each server, as gRPC keeps it: who has none is not picked, and is connected to again after pauses that grow.",
        source: "gRPC, doc/connection-backoff.md; src/core/client_channel/subchannel.cc; grpcio 1.85.3, observed",
        params: &[
            ParamDef::span(
                "initial_backoff",
                Duration::from_millis(1),
                "1s",
                "The middle of the pause after the first try that fails.",
            ),
            ParamDef::number(
                "multiplier",
                (1.0, 100.0),
                "",
                "1.6",
                "What each further pause is longer by.",
            ),
            ParamDef::number(
                "jitter",
                (0.0, 1.0),
                "",
                "0.2",
                "By what share of its middle a pause is shorter or longer at most, evenly.",
            ),
            ParamDef::span(
                "max_backoff",
                Duration::from_millis(1),
                "2m",
                "The most that the middle of a pause becomes.",
            ),
            ParamDef::span(
                "min_connect_timeout",
                Duration::from_millis(1),
                "20s",
                "A try that nobody answers has failed after this, or after its pause where that is longer.",
            ),
            ParamDef::flag(
                "afresh",
                "Whether a connection that breaks has all others tried at once, without a pause: pick_first keeps one connection, and goes through its list again.",
            ),
        ],
    },
    check,
    build: |params, servers| {
        let mut rule = ConnectionBackoff {
            initial: Duration::ZERO,
            multiplier: 1.0,
            jitter: 0.0,
            max: Duration::ZERO,
            min_connect_timeout: Duration::ZERO,
            afresh: false,
            servers: vec![Connection::FIRST; servers],
            ready: 0,
            judged_ready: false,
        };
        rule.adopt(params);
        Box::new(rule)
    },
    connects: true,
    ..PLAIN
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    if params.span("max_backoff") < params.span("initial_backoff") {
        return Err(ParamProblem {
            param: "max_backoff",
            message: "below `initial_backoff`".to_owned(),
        });
    }
    Ok(())
}

#[derive(Clone, Debug)]
struct ConnectionBackoff {
    initial: Duration,
    multiplier: f64,
    jitter: f64,
    max: Duration,
    min_connect_timeout: Duration,
    afresh: bool,
    servers: Vec<Connection>,
    /// How many are ready, and whether any was when all were judged.
    ready: usize,
    judged_ready: bool,
}

/// What a connection is like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// It is opened for the first time.
    Opening,
    Ready,
    /// It broke, or could not be opened.
    Broken,
}

/// The connection to a server.
#[derive(Clone, Debug)]
struct Connection {
    state: State,
    /// Tries in a row that failed.
    failures: u32,
    /// When the next try begins.
    at: Option<Instant>,
    /// The try under way: when the one after it may begin.
    under_way: Option<Instant>,
}

impl Connection {
    const FIRST: Self = Self {
        state: State::Opening,
        failures: 0,
        at: Some(Instant::ZERO),
        under_way: None,
    };
}

impl ConnectionBackoff {
    /// The middle of the pause after so many failures.
    fn middle(&self, failures: u32) -> f64 {
        let (mut pause, max) = (self.initial.0 as f64, self.max.0 as f64);
        for _ in 0..failures {
            if pause >= max || self.multiplier <= 1.0 {
                break;
            }
            pause *= self.multiplier;
        }
        pause.min(max)
    }

    fn may_be_picked(&self, server: usize) -> bool {
        match self.servers[server].state {
            State::Ready => true,
            State::Opening => self.ready == 0,
            State::Broken => false,
        }
    }

    /// A connection is something else than before.
    fn turn(&mut self, server: usize, state: State) {
        let before = std::mem::replace(&mut self.servers[server].state, state);
        self.ready += usize::from(state == State::Ready);
        self.ready -= usize::from(before == State::Ready);
    }
}

impl HealthRule for ConnectionBackoff {
    fn adopt(&mut self, params: &Params) {
        self.initial = params.span("initial_backoff");
        self.multiplier = params.number("multiplier");
        self.jitter = params.number("jitter");
        self.max = params.span("max_backoff");
        self.min_connect_timeout = params.span("min_connect_timeout");
        self.afresh = params.flag("afresh");
    }

    fn judge(&mut self, _: Instant, standing: &mut Standing, _: &mut Vec<News>) {
        self.judged_ready = self.ready > 0;
        for (server, candidate) in standing.servers.iter_mut().enumerate() {
            candidate.open &= self.may_be_picked(server);
        }
    }

    fn judge_one(
        &mut self,
        _: Instant,
        server: usize,
        candidate: &mut Candidate,
        _: &mut Vec<News>,
    ) -> bool {
        candidate.open &= self.may_be_picked(server);
        // The first that is ready is preferred to all that are being opened.
        self.judged_ready == (self.ready > 0)
    }

    fn connects_at(&self, server: usize) -> Option<Instant> {
        self.servers[server].at
    }

    fn connect(&mut self, now: Instant, server: usize, point: f64) -> Duration {
        let spread = 1.0 + self.jitter * (2.0 * point - 1.0);
        let pause = Duration::from_nanos_f64(self.middle(self.servers[server].failures) * spread);
        let connection = &mut self.servers[server];
        connection.at = None;
        connection.under_way = Some(now + pause);
        pause.max(self.min_connect_timeout)
    }

    fn connected(&mut self, now: Instant, server: usize, open: bool, news: &mut Vec<News>) -> bool {
        let connection = &mut self.servers[server];
        let Some(next) = connection.under_way.take() else {
            return false;
        };
        if open {
            connection.failures = 0;
        } else {
            connection.failures = connection.failures.saturating_add(1);
            connection.at = Some(next.max(now));
        }
        let (before, after) = (
            connection.state,
            [State::Broken, State::Ready][usize::from(open)],
        );
        self.turn(server, after);
        let kind = match (before, open) {
            (State::Broken, true) => Kind::Readmitted,
            (State::Opening, false) => Kind::Ejected,
            _ => return before != after,
        };
        let cause = if open {
            "connected to again"
        } else {
            "no connection"
        };
        news.push(News::of_server(kind, server, cause.to_owned()));
        true
    }

    fn disconnected(&mut self, now: Instant, server: usize, news: &mut Vec<News>) -> bool {
        if self.servers[server].state == State::Broken {
            return false;
        }
        self.turn(server, State::Broken);
        let connection = &mut self.servers[server];
        if connection.under_way.is_none() {
            connection.at = Some(now);
        }
        if self.afresh {
            for other in &mut self.servers {
                if other.at.is_some_and(|at| at > now) {
                    (other.at, other.failures) = (Some(now), 0);
                }
            }
        }
        let cause = "its connection broke".to_owned();
        news.push(News::of_server(Kind::Ejected, server, cause));
        true
    }

    fn forget(&mut self) {
        self.servers.fill(Connection::FIRST);
        self.ready = 0;
    }

    fn clone_box(&self) -> Box<dyn HealthRule> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{at, candidates, judge, open, rule};
    use super::*;
    use crate::extension::ParamValue;

    /// Middles of 1, 1.6, 2.56 s … 120 s, and a fifth less or more.
    #[test]
    fn pauses_grow_from_the_beginning_of_a_try() {
        for (point, share) in [(0.0, 0.8), (0.5, 1.0), (1.0, 1.2)] {
            let mut rule = rule(&RULE, 2, &[]);
            let mut news = Vec::new();
            for server in 0..2 {
                rule.connect(at(0), server, point);
                assert!(rule.connected(at(0), server, true, &mut news));
            }
            assert!(rule.disconnected(at(500), 1, &mut news));
            assert_eq!(open(&judge(&mut rule, 500, candidates(2)).0), [0]);
            let (mut now, mut middle) = (at(500), 1.0);
            for _ in 0..30 {
                assert_eq!(rule.connects_at(1), Some(now));
                rule.connect(now, 1, point);
                assert_eq!(rule.connects_at(1), None);
                assert!(!rule.connected(now, 1, false, &mut news));
                let next = rule.connects_at(1).expect("another try");
                let pause = (next.0 - now.0) as f64 / 1e9;
                assert!((pause - share * middle).abs() < 1e-6, "{pause} {middle}");
                middle = f64::min(middle * 1.6, 120.0);
                now = next;
            }
            rule.connect(now, 1, point);
            assert!(rule.connected(now, 1, true, &mut news));
            assert_eq!(open(&judge(&mut rule, 500, candidates(2)).0), [0, 1]);
            assert_eq!(rule.connects_at(1), None);
            // All of it is forgotten.
            assert!(rule.disconnected(now, 1, &mut news));
            rule.connect(now, 1, 0.5);
            assert!(!rule.connected(now, 1, false, &mut news));
            let next = now + Duration::from_secs(1);
            assert_eq!(rule.connects_at(1), Some(next));
            let kinds: Vec<_> = news.iter().map(|item| item.kind).collect();
            assert_eq!(kinds, [Kind::Ejected, Kind::Readmitted, Kind::Ejected]);
        }
    }

    #[test]
    fn a_try_lasts_twenty_seconds_or_as_long_as_its_pause() {
        let mut rule = rule(&RULE, 1, &[]);
        let mut news = Vec::new();
        let lasts = rule.connect(at(0), 0, 0.5);
        assert_eq!(lasts, Duration::from_secs(20));
        // The pause is over by then: the next try begins at once.
        rule.connected(at(20_000), 0, false, &mut news);
        assert_eq!(rule.connects_at(0), Some(at(20_000)));
        for _ in 0..12 {
            rule.connect(at(20_000), 0, 0.5);
            rule.connected(at(20_000), 0, false, &mut news);
        }
        let lasts = rule.connect(at(20_000), 0, 0.5);
        assert_eq!(lasts, Duration::from_secs(120));
    }

    #[test]
    fn who_is_ready_first_is_preferred_to_whom_nobody_knows() {
        let mut rule = rule(&RULE, 3, &[]);
        let mut news = Vec::new();
        let mut step = |server: usize, there: bool| {
            rule.connect(at(0), server, 0.5);
            assert!(rule.connected(at(0), server, there, &mut news));
            let mut alone = candidates(1);
            let alone = rule.judge_one(at(0), server, &mut alone[0], &mut Vec::new());
            (alone, open(&judge(&mut rule, 0, candidates(3)).0))
        };
        // Who fails concerns nobody else, who is the first does.
        assert_eq!(step(0, false), (true, vec![1, 2]));
        assert_eq!(step(2, true), (false, vec![2]));
        assert_eq!(step(1, true), (true, vec![1, 2]));
    }

    #[test]
    fn pick_first_goes_through_all_again() {
        for afresh in [false, true] {
            let some = [("afresh", ParamValue::Flag(afresh))];
            let mut rule = rule(&RULE, 2, &some);
            let mut news = Vec::new();
            for server in 0..2 {
                rule.connect(at(0), server, 0.5);
                rule.connected(at(0), server, server == 1, &mut news);
            }
            assert_eq!(open(&judge(&mut rule, 0, candidates(2)).0), [1]);
            assert_eq!(rule.connects_at(0), Some(at(1000)));
            rule.disconnected(at(300), 1, &mut news);
            let first = if afresh { 300 } else { 1000 };
            assert_eq!(rule.connects_at(0), Some(at(first)));
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let values = super::super::testing::params(&RULE, &[]);
        let values = values.iter().map(|(name, value)| match name {
            "max_backoff" => (name, ParamValue::Span(Duration::from_millis(900))),
            _ => (name, value.clone()),
        });
        let params = Params::new(values.collect());
        assert!((RULE.check)(&params).is_err());
    }
}
