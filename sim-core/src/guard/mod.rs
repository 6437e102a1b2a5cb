//! Guards: what may refuse, delay or pass an attempt where it stands.
//!
//! Guards stand at callers, at balancer instances and at servers, in the order in which a scenario
//! lists them. A guard is asked when an attempt comes to where it stands, and told how each attempt
//! that it passed ended, *as seen from there*: a balancer instance knows nothing of its caller's
//! network, nor a server of the time an attempt waited elsewhere. Its state belongs to its owner:
//! each calling server, each balancer instance, each server has one of its own, unless the row says
//! `shared`, and loses it when it crashes.
//!
//! A guard has no timers: whatever changes with time it works out from the present moment when it
//! is asked. That keeps it a small state machine, and costs nothing while nobody asks.

use crate::draws::Draws;
use crate::extension::{
    Configured, Def, ExtensionRow, ParamDef, ParamKind, ParamProblem, Params, Registry,
};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};
use std::fmt::Debug;

mod adaptive_throttle;
mod aimd_limit;
mod aws_retry_tokens;
mod botocore_rate_limiter;
mod brownout;
mod bulkhead;
mod circuit_breaker;
mod cockatiel;
mod codel;
mod concurrency_limit;
mod controlled_delay;
mod dagor;
mod deadline;
mod envoy_adaptive_concurrency;
mod envoy_admission_control;
mod envoy_circuit_breaker;
mod envoy_retry_limit;
mod failsafe_go;
mod gradient2_limit;
mod grpc_retry_throttle;
mod hedge_budget;
mod interval_codel;
mod limit_conn;
mod limit_req;
mod opossum;
mod per_key;
mod priority_limit;
mod pybreaker;
mod queue_timeout;
mod rate_counter;
mod rate_limit;
mod resilience4j;
mod retry_budget;
mod tower_budget;
mod utilisation_shedding;
mod vegas_limit;

/// Every guard a scenario can name.
pub static GUARDS: &[&GuardDef] = &[
    &circuit_breaker::GUARD,
    &opossum::GUARD,
    &cockatiel::GUARD,
    &pybreaker::GUARD,
    &resilience4j::GUARD,
    &failsafe_go::GUARD,
    &retry_budget::GUARD,
    &aws_retry_tokens::GUARD,
    &botocore_rate_limiter::GUARD,
    &grpc_retry_throttle::GUARD,
    &tower_budget::GUARD,
    &hedge_budget::GUARD,
    &rate_limit::GUARD,
    &limit_req::GUARD,
    &rate_counter::GUARD,
    &adaptive_throttle::GUARD,
    &concurrency_limit::GUARD,
    &limit_conn::GUARD,
    &priority_limit::GUARD,
    &bulkhead::GUARD,
    &aimd_limit::GUARD,
    &vegas_limit::GUARD,
    &gradient2_limit::GUARD,
    &deadline::GUARD,
    &queue_timeout::GUARD,
    &codel::GUARD,
    &interval_codel::GUARD,
    &controlled_delay::GUARD,
    &dagor::GUARD,
    &utilisation_shedding::GUARD,
    &brownout::GUARD,
    &envoy_circuit_breaker::GUARD,
    &envoy_retry_limit::GUARD,
    &envoy_admission_control::GUARD,
    &envoy_adaptive_concurrency::GUARD,
];

/// A row of [`GUARDS`].
pub struct GuardDef {
    /// Name, description, parameters.
    pub row: ExtensionRow,
    /// Makes the guard of one owner.
    pub build: fn(&Params) -> Box<dyn Guard>,
    /// Conditions between parameters.
    pub check: fn(&Params) -> Result<(), ParamProblem>,
    /// Where it can stand.
    pub stands: Stands,
    /// When it is asked about a retry.
    pub asked: Asked,
    /// Whether it wants to know until when somebody waits for the answer. It is then asked again
    /// when service begins, perhaps more than once, so that it must have no state; and at a caller,
    /// an attempt is given up no later than those above it would give up theirs.
    pub keeps_deadlines: bool,
    /// Whether it keeps what is behind it from growing without end.
    pub bounds: Bounding,
    /// How much of an attempt it looks at.
    pub sees: fn(&Params) -> Sees,
    /// Whether it is told of each attempt that begins service, and may still refuse it
    /// ([`Guard::begins`]); at servers only.
    pub watches_queue: bool,
}

/// How much of an attempt a guard looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sees {
    /// What every attempt tells: [`Admission`] without `who`, `alike` and `load`.
    Attempt,
    /// Everything but `alike`.
    All,
    /// Everything; attempts of one class are alike.
    Class,
    /// Everything; attempts of one key are alike.
    Key,
}

/// Whether a guard keeps what is behind it from growing without end.
#[derive(Clone, Copy)]
pub enum Bounding {
    /// It does not.
    No,
    /// It may, which depends on its numbers and on how attempts end.
    Perhaps,
    /// It does: so many attempts at most, those that wait at it included.
    Number(fn(&Params) -> f64),
}

/// A row that needs nothing special: the others say what is different.
const PLAIN: GuardDef = GuardDef::new(
    ExtensionRow {
        name: "",
        about: "",
        source: "",
        params: &[SHARED],
    },
    |_| unreachable!("each row says what it builds"),
);

impl GuardDef {
    /// A guard that can stand anywhere and looks at what every attempt tells.
    pub const fn new(row: ExtensionRow, build: fn(&Params) -> Box<dyn Guard>) -> Self {
        Self {
            row,
            build,
            check: |_| Ok(()),
            stands: Stands::Anywhere,
            asked: Asked::WhenSent,
            keeps_deadlines: false,
            bounds: Bounding::No,
            sees: |_| Sees::Attempt,
            watches_queue: false,
        }
    }
}

/// Where a guard can stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stands {
    /// At callers, balancers and servers.
    Anywhere,
    /// At callers only: nobody else knows what it must know.
    AtCallers,
    /// At servers only: nobody else has what it looks at.
    AtServers,
}

/// When a guard is asked about a retry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    /// When it would be sent.
    WhenSent,
    /// Before the pause, when the caller decides whether to try again.
    BeforePause,
    /// As before the pause, but only about copies of a hedged request.
    BeforeCopy,
}

/// Every row there is, those that were added among them.
static ROWS: Registry<GuardDef> = Registry::of(GUARDS);

impl Def for GuardDef {
    fn registry() -> &'static Registry<Self> {
        &ROWS
    }
    fn row(&self) -> &ExtensionRow {
        &self.row
    }
    fn check(&self, params: &Params) -> Result<(), ParamProblem> {
        (self.check)(params)
    }
}

impl Configured<GuardDef> {
    /// The guard of one owner.
    pub fn build(&self) -> Box<dyn Guard> {
        (self.def.build)(&self.params)
    }

    /// How much of an attempt it looks at.
    pub fn sees(&self) -> Sees {
        (self.def.sees)(&self.params)
    }

    /// Whether it makes do with what is known of an attempt at first sight.
    pub(crate) fn is_plain(&self) -> bool {
        self.sees() == Sees::Attempt && !self.def.watches_queue
    }

    /// Whether all owners share one state; those without a state have nothing to share.
    pub fn shared(&self) -> bool {
        let can = self.def.row.params.iter().any(|p| p.name == SHARED.name);
        can && self.params.flag(SHARED.name)
    }
}

/// The parameter of every guard that has a state.
const SHARED: ParamDef = ParamDef {
    name: "shared",
    about: "Whether all owners share one state, as with a central limiter, instead of each having its own.",
    kind: ParamKind::Flag,
    default: Some("false"),
};

/// The span after which an attempt counts as failed, for guards that judge by time.
const fn slow(default: &'static str) -> ParamDef {
    ParamDef {
        name: "slow",
        about: "An attempt that took longer than this, as seen from where the guard stands, counts as failed; 0s: none does for that reason.",
        kind: ParamKind::Span {
            min: Duration::ZERO,
        },
        default: Some(default),
    }
}

/// What a guard is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Admission {
    /// Now.
    pub now: Instant,
    /// Which attempt of its request it is, from 1: a retry or a copy is a later one.
    pub attempt: u32,
    /// How the try before ended, if there was one.
    pub after: Option<Outcome>,
    /// Attempts that this guard has passed here and that have not ended.
    pub in_flight: u32,
    /// Attempts that wait at this guard.
    pub waiting: u32,
    /// The moment after which nobody waits for the answer; `None`: somebody always will.
    pub until: Option<Instant>,
    /// Of whom it comes; nothing where the guard does not look at it.
    pub who: Who,
    /// Of those in flight, how many are alike in what the guard tells apart, see [`Sees`].
    pub alike: u32,
    /// What its server is doing; nothing elsewhere.
    pub load: Load,
}

/// What is known of the one who asks.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Who {
    /// The class of the request, by its place in the scenario.
    pub class: usize,
    /// Its priority; lower is more important.
    pub priority: u32,
    /// Its key: user, session or address.
    pub key: u64,
}

/// What a server is doing, the attempt that comes not counted.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Load {
    /// Workers that are busy.
    pub busy: u32,
    /// Workers.
    pub workers: u32,
    /// Attempts that wait for one.
    pub queued: u32,
    /// Time of workers spent busy so far, in nanoseconds; goes round at 2^64.
    pub busy_ns: u64,
}

/// A guard's answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Goes on.
    Pass,
    /// Goes on, and demands of its server so many millionths of what it would have.
    Dim(u32),
    /// Goes on after so long; what it needs is set aside for it.
    Delay(Duration),
    /// Waits until another has ended, and is asked again; refused after so long.
    Wait(Duration),
    /// Goes no further.
    Refuse,
    /// Goes no further, and its caller makes no other attempt of the request either.
    Stop,
}

/// How an attempt ended, as seen from where the guard stands.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// Now.
    pub now: Instant,
    /// When the guard passed it.
    pub passed: Instant,
    /// How; [`Outcome::Cancelled`] where nothing can be learnt from it.
    pub outcome: Outcome,
    /// Which attempt of its request it is, from 1.
    pub attempt: u32,
    /// How the try before it ended, if there was one.
    pub after: Option<Outcome>,
    /// Attempts that this guard has passed here and that have not ended, this one included.
    pub in_flight: u32,
}

impl Ended {
    /// How long it took, from where the guard stands and back.
    pub fn took(&self) -> Duration {
        self.now.since(self.passed)
    }

    /// Whether it tells that something is wrong: it failed, or took longer than `slow`, if that is
    /// not zero. `None` where it tells nothing.
    fn failed(&self, slow: Duration) -> Option<bool> {
        match self.outcome {
            Outcome::Cancelled => None,
            Outcome::Succeeded => Some(!slow.is_zero() && self.took() > slow),
            _ => Some(true),
        }
    }
}

/// A change of a guard that a reader of the event log wants to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct News {
    /// Whether it now keeps attempts out.
    pub closed_to_all: bool,
    /// Why, with numbers.
    pub cause: String,
}

/// A guard with its state.
pub trait Guard: Debug + Send + Sync {
    /// An attempt comes.
    fn admit(&mut self, asked: &Admission, draws: &mut Draws) -> Verdict;

    /// A retry that it allowed before its pause is sent now; of guards that are asked before the pause.
    fn sent(&mut self) {}

    /// An attempt that was passed begins service after it has waited so long in the server's queue;
    /// false: it is refused after all. Those that find a worker free have waited for no time, and
    /// cannot be refused any more.
    fn begins(&mut self, asked: &Admission, waited: Duration) -> bool {
        let _ = (asked, waited);
        true
    }

    /// An attempt that was passed has ended; whether there are [`News`] now.
    fn ended(&mut self, ended: &Ended) -> bool {
        let _ = ended;
        false
    }

    /// What has changed, for the event log, once.
    fn news(&mut self) -> Option<News> {
        None
    }

    /// What there is to see of it: a word and a number, for the window.
    fn gauge(&self, now: Instant) -> (&'static str, f64);

    /// A copy, for forks.
    fn clone_box(&self) -> Box<dyn Guard>;
}

impl Clone for Box<dyn Guard> {
    fn clone(&self) -> Self {
        self.clone_box()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{asked, at, draws};
    use super::*;
    use crate::extension::testing::{check_rows, example};

    #[test]
    fn rows_are_well_formed() {
        check_rows(GUARDS);
    }

    #[test]
    fn a_guard_that_was_never_met_passes_everything() {
        for def in GUARDS {
            let mut guard = (def.build)(&example(&def.row));
            let verdict = guard.admit(&asked(0, 1), &mut draws(0));
            assert_eq!(verdict, Verdict::Pass, "{}", def.row.name);
        }
    }

    #[test]
    fn a_copy_goes_on_like_the_original() {
        for def in GUARDS {
            let mut original = (def.build)(&example(&def.row));
            let go_on = |guard: &mut Box<dyn Guard>, i: u64| {
                let verdict = guard.admit(&asked(7 * i, 1 + (i % 3) as u32), &mut draws(i));
                let outcome = if i.is_multiple_of(4) {
                    Outcome::Succeeded
                } else {
                    Outcome::TimedOut
                };
                guard.ended(&Ended {
                    now: at(7 * i + 5),
                    passed: at(7 * i),
                    outcome,
                    attempt: 1 + (i % 3) as u32,
                    after: None,
                    in_flight: 3,
                });
                verdict
            };
            for i in 0..40 {
                go_on(&mut original, i);
            }
            let mut copy = original.clone();
            for i in 40..120 {
                let (a, b) = (go_on(&mut original, i), go_on(&mut copy, i));
                assert_eq!(a, b, "{} at {i}", def.row.name);
            }
        }
    }
}

/// What the tests of all rows share.
#[cfg(test)]
mod testing {
    use super::{Admission, Ended, Guard, GuardDef, Load, Verdict, Who};
    use crate::draws::{Draws, Stream};
    use crate::extension::testing::example;
    use crate::extension::{ParamValue, Params};
    use crate::outcome::Outcome;
    use crate::time::{Duration, Instant};

    pub(super) fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    pub(super) fn draws(number: u64) -> Draws {
        Stream::new(1, 0, "guards").at(number)
    }

    /// Attempt number `attempt` of a request, with nothing else in flight.
    pub(super) fn asked(millis: u64, attempt: u32) -> Admission {
        Admission {
            now: at(millis),
            attempt,
            after: (attempt > 1).then_some(Outcome::Errored),
            in_flight: 0,
            waiting: 0,
            until: None,
            who: Who::default(),
            alike: 0,
            load: Load::default(),
        }
    }

    /// One that was passed at `from` and ended at `until`.
    pub(super) fn ended(from: u64, until: u64, outcome: Outcome) -> Ended {
        Ended {
            now: at(until),
            passed: at(from),
            outcome,
            attempt: 1,
            after: None,
            in_flight: 1,
        }
    }

    /// Whether it lets an attempt pass that comes then.
    pub(super) fn passes(guard: &mut Box<dyn Guard>, millis: u64) -> bool {
        guard.admit(&asked(millis, 1), &mut draws(0)) == Verdict::Pass
    }

    /// What a guard says to one that comes then, with so many in flight.
    pub(super) fn says(guard: &mut Box<dyn Guard>, millis: u64, in_flight: u32) -> Verdict {
        let asked = Admission {
            in_flight,
            ..asked(millis, 1)
        };
        guard.admit(&asked, &mut draws(0))
    }

    /// What a limit is after an attempt that took so many milliseconds, with so many in flight.
    pub(super) fn limit_after(
        guard: &mut Box<dyn Guard>,
        took: u64,
        in_flight: u32,
        outcome: Outcome,
    ) -> f64 {
        guard.ended(&Ended {
            in_flight,
            ..ended(0, took, outcome)
        });
        guard.gauge(Instant::ZERO).1
    }

    /// The parameter `shares`.
    pub(super) fn shares(shares: &[f64]) -> (&'static str, ParamValue) {
        ("shares", ParamValue::Numbers(shares.into()))
    }

    /// A guard with some of its parameters, and the defaults for the rest.
    pub(super) fn guard(def: &GuardDef, some: &[(&'static str, ParamValue)]) -> Box<dyn Guard> {
        let example = example(&def.row);
        let values = example.iter().map(|(name, value)| {
            let given = some.iter().find(|(given, _)| *given == name);
            (
                name,
                given.map_or_else(|| value.clone(), |(_, v)| v.clone()),
            )
        });
        let params = Params::new(values.collect());
        assert_eq!((def.check)(&params), Ok(()));
        (def.build)(&params)
    }
}
