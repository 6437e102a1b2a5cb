//! The sections of a scenario: every key there is, but for those of a service and its parts.

use super::compound::{Named, Optional, Override, Sets, Table, Tables, Word, Words};
use super::extensions::{ExtensionOf, Rate};
use super::kinds::{
    Clock, Count, Flag, Moment, Name, Number, Ratio, Span, TEN_YEARS_S, Text, Title,
};
use super::parts::ServiceSpec;
use super::section::{above, from, section};
use crate::arrival::ArrivalDef;
use crate::key::KeyDef;
use crate::model::Actor;
use crate::retry::RetryDef;

section! {
    /// A scenario.
    Top {
        /// A name for people.
        title: Text = "";
        /// What the scenario wants to know, in a sentence or several.
        question: Text = "";
        /// Time of day at the start of the run; with it, moments may be written as clock times.
        clock: Optional<Clock> = "none";
        /// How long is simulated.
        horizon: Span, in above(0.0, TEN_YEARS_S);
        /// Key of all random streams: the same seed gives the same run.
        seed: Count = "1", in from(0.0, 1.8446744073709552e19);
        /// Statistics begin after this; earlier requests are simulated but not measured.
        warm_up: Span = "0s", in from(0.0, TEN_YEARS_S);
        /// Another scenario that this one changes: it may then hold `title`, `question`, `set`, further `timeline` entries and its own `expect`.
        base: Optional<Text> = "none";
        /// With `base` only: new values of keys, by path.
        set: Sets = "{}";
        /// What bounds a run.
        limits: Table<LimitsSpec> = "{}";
        /// What is kept of a run.
        record: Table<RecordSpec> = "{}";
        /// Kinds of requests. Without any there is one, called `all`.
        class: Named<ClassSpec> = "{}";
        /// Multiplies the rates of all traffic that has one: for experiments with the load.
        rate_factor: Number = "1", in above(0.0, 1e9);
        /// Where requests come from; at least one.
        traffic: Tables<TrafficSpec> = "[]";
        /// How callers from outside behave; classes and sources override it key by key.
        client: Override<ClientSpec> = "{}";
        /// Services: a balancer, the servers behind it, and what they call in turn; at least one.
        service: Named<ServiceSpec> = "{}";
        /// What happens when.
        timeline: Tables<TimelineSpec> = "[]";
        /// Rules of the monitoring.
        alert: Tables<AlertSpec> = "[]";
        /// What counts as good service.
        slo: Tables<SloSpec> = "[]";
        /// Assertions over the finished run.
        expect: Tables<ExpectSpec> = "[]";
    }
}

section! {
    /// What bounds a run, so that no scenario can take the machine down.
    LimitsSpec {
        /// Events after which the run ends early, with what was simulated so far.
        events: Count = "10000000000", in from(1.0, 1e18), unit "events";
        /// Attempts and requests in flight after which the run ends early.
        in_flight: Count = "5000000", in from(1.0, 4e9), unit "requests";
    }
}

section! {
    /// What is kept of a run.
    RecordSpec {
        /// Width of a timeline's interval.
        interval: Span = "1s", in from(0.001, TEN_YEARS_S);
        /// Every how many-th request goes to the request log; 0 for none, 1 for all.
        every_nth_request: Count = "0", in from(0.0, 1e18);
    }
}

section! {
    /// A kind of request: what visitors want.
    ClassSpec {
        /// Share of the requests of every source that is not pinned to a class; the shares add up to 1.
        share [live]: Ratio = "0", in from(0.0, 1.0);
        /// Lower is served first where a discipline or a shedder looks.
        priority [live]: Count = "0", in from(0.0, 4294967295.0);
        /// Multiplies the demand of its requests at every service.
        demand_factor [live]: Number = "1", in above(0.0, 1e6);
        /// How its callers behave: keys that differ from `[client]`.
        client [live]: Override<ClientSpec> = "{}";
    }
}

section! {
    /// A source of requests from outside.
    TrafficSpec {
        /// Its name; `traffic`, `traffic-2`, … when absent.
        name: Optional<Name> = "none";
        /// The service asked.
        to: Name;
        /// When requests come.
        arrivals: ExtensionOf<ArrivalDef> = "poisson";
        /// Requests per second: a number, a list of corners `[time, rate]` joined by straight lines, or a profile.
        rate [live]: Optional<Rate> = "none", unit "requests per second";
        /// Session or hash key of each request.
        key: ExtensionOf<KeyDef> = "unique";
        /// All its requests are of this class; when absent, they are mixed by the classes' shares.
        class: Optional<Name> = "none";
        /// How its callers behave: keys that differ from `[client]` and from the class.
        client [live]: Override<ClientSpec> = "{}";
    }
}

section! {
    /// How a caller behaves. For requests from outside: the defaults, overridden by `[client]`, by the class and by the source. For calls between services: the defaults, overridden by the call's own `client` only.
    ClientSpec {
        /// An attempt unanswered for so long is given up.
        timeout [live]: Optional<Span> = "none", in above(0.0, TEN_YEARS_S);
        /// A request unanswered for so long, over all attempts and pauses, is given up.
        deadline [live]: Optional<Span> = "none", in above(0.0, TEN_YEARS_S);
        /// Whether and when to try again.
        retry [live]: ExtensionOf<RetryDef> = "none";
        /// What bounds the retries of all callers of this kind together.
        retry_budget [live]: Optional<Table<RetryBudgetSpec>> = "none";
        /// Whether giving up, or calling off a copy, also stops the work at the server.
        cancel [live]: Flag = "false";
        /// Copies sent beside an attempt that is out. The first success ends the request and the other attempts are called off; nothing has failed, and no retry is made, while one of them is out.
        hedge [live]: Optional<Table<HedgeSpec>> = "none";
    }
}

section! {
    /// Hedging: further attempts beside the first. A copy is no retry, but costs as much of a retry budget.
    HedgeSpec {
        /// A copy goes out when there is no success so long after the one before; 0s sends all at once.
        after [live]: Span, in from(0.0, TEN_YEARS_S);
        /// Attempts in all, the first included.
        copies [live]: Count = "2", in from(2.0, 100.0), unit "attempts";
        /// Whether copies that are out go to different servers, as long as there are enough.
        distinct [live]: Flag = "true";
        /// What a copy asks of its server: what its request asks, or a draw of its own.
        demand [live]: Word<CopyDemand> = "same";
    }
}

/// The demand of a copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CopyDemand {
    Same,
    Own,
}

impl Words for CopyDemand {
    const WORDS: &'static [(&'static str, Self, &'static str)] = &[
        (
            "same",
            Self::Same,
            "that of the request: what is slow is slow everywhere",
        ),
        (
            "own",
            Self::Own,
            "drawn anew: what is slow here may be quick elsewhere",
        ),
    ];
}

section! {
    /// A token bucket for retries: each first attempt earns `ratio`, each retry costs one.
    RetryBudgetSpec {
        /// Tokens earned by a first attempt.
        ratio [live]: Ratio = "10%", in from(0.0, 1000.0);
        /// Tokens at the start, and the most that can be saved up.
        reserve [live]: Number = "10", in from(0.0, 1e9), unit "retries";
    }
}

section! {
    /// Something that happens at a given time: either `set` or `do`.
    TimelineSpec {
        /// A name for paths.
        name: Optional<Name> = "none";
        /// When.
        at: Moment;
        /// New values of keys, by path.
        set: Sets = "{}";
        /// What is done to `target`.
        action as "do": Optional<Word<Deed>> = "none";
        /// Whom it is done to: `service.NAME.server.NAME`, `service.NAME.server` for all servers, or `service.NAME.balancer`; with `partition`, `degrade` and `heal` a link: `service.NAME.link`, `service.NAME.balancer.link`, `service.NAME.zone.NAME.link`, `service.NAME.server.NAME.link` or `service.NAME.call.NAME.link`.
        target: Optional<Text> = "none";
        /// With `do = "slow"`: factor of the speed.
        factor: Optional<Number> = "none", in above(0.0, 1e6);
        /// With `do = "degrade"`: time added to each way.
        delay: Optional<Span> = "none", in from(0.0, TEN_YEARS_S);
        /// With `do = "degrade"`: probability that a message vanishes, beside what else may befall it.
        loss: Optional<Ratio> = "none", in from(0.0, 1.0);
        /// With `slow`, `partition` and `degrade`: for how long; without it, until another entry says otherwise.
        lasts as "for": Optional<Span> = "none", in above(0.0, TEN_YEARS_S);
        /// Whether people or the system do it: which column of the event log shows it.
        by was "lane": Word<Actor> = "people";
        /// A sentence for the event log.
        note: Text = "";
    }
}

section! {
    /// A rule of the monitoring.
    AlertSpec {
        /// Its name.
        name: Title;
        /// A metric, perhaps of something, and a threshold: `p99 > 2s`, `share(web-1) > 70%`.
        when: Text;
        /// Length of the window that the metric is taken over.
        over: Span = "1m", in from(0.001, TEN_YEARS_S);
        /// How long the condition must hold.
        hold as "for": Span = "0s", in from(0.0, TEN_YEARS_S);
    }
}

section! {
    /// A service-level objective.
    SloSpec {
        /// Its name.
        name: Title;
        /// Only requests of this class; when absent, all.
        class: Optional<Name> = "none";
        /// What a good request is: `response_time < 2s`, or `succeeded`.
        good: Text = "succeeded";
        /// Share of requests that must be good, between 0 and 1.
        objective: Ratio, in above(0.0, 0.999999999999);
    }
}

section! {
    /// An assertion over the finished run.
    ExpectSpec {
        /// What must be true, such as `first(alert.slow) in 12:18..12:23` or `availability > 99%`.
        that: Text;
    }
}

/// What a time line can do to a target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Deed {
    Crash,
    Restart,
    Drain,
    Undrain,
    Add,
    Remove,
    Slow,
    Partition,
    Degrade,
    Heal,
    Note,
}

impl Words for Deed {
    const WORDS: &'static [(&'static str, Self, &'static str)] = &[
        ("crash", Self::Crash, "crash"),
        ("restart", Self::Restart, "restart what is down"),
        (
            "drain",
            Self::Drain,
            "take out of rotation; what is in flight finishes",
        ),
        ("undrain", Self::Undrain, "put back into rotation"),
        ("add", Self::Add, "bring in servers that were absent"),
        (
            "remove",
            Self::Remove,
            "take servers away: drained, then gone",
        ),
        ("slow", Self::Slow, "multiply the speed by `factor`"),
        (
            "partition",
            Self::Partition,
            "cut a link: what is sent vanishes, both ways",
        ),
        (
            "degrade",
            Self::Degrade,
            "make a link slower by `delay`, and let it lose a share `loss`",
        ),
        ("heal", Self::Heal, "undo both"),
        ("note", Self::Note, "nothing but the note"),
    ];
}

impl Words for Actor {
    const WORDS: &'static [(&'static str, Self, &'static str)] = &[
        ("people", Self::People, "people do it"),
        ("system", Self::System, "the machines do it"),
    ];
}
