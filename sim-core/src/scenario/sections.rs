//! The sections of a scenario: every key there is, with its documentation, default and range.

use super::compound::{Named, Optional, Override, Sets, Table, Tables, Threshold, Word, Words};
use super::extensions::{ExtensionOf, ExtensionsOf, Rate};
use super::kinds::{
    Clock, Count, Document, Flag, Moment, Name, Names, Number, Paths, Ratio, Size, Span,
    TEN_YEARS_S, Text, Title,
};
use super::section::{above, from, section};
use crate::alert_rule::AlertRuleDef;
use crate::arrival::ArrivalDef;
use crate::autoscaler::AutoscalerDef;
use crate::connection::ConnectionDef;
use crate::dialect::DialectDef;
use crate::discipline::DisciplineDef;
use crate::distribution::DistributionDef;
use crate::fault::FaultDef;
use crate::guard::GuardDef;
use crate::health::{HealthDef, Probe};
use crate::key::KeyDef;
use crate::model::{Actor, Balances, DownBehaviour, InstanceSelection, OutOfService};
use crate::policy::PolicyDef;
use crate::restart::RestartDef;
use crate::retry::RetryDef;

section! {
    /// A scenario.
    Top {
        /// A name for people.
        title: Text = "";
        /// What the scenario wants to know, in a sentence or several.
        question: Text = "";
        /// Paths of values that nobody has measured: every run names them. What is set from outside, by `--set`, a sweep or
        /// a file with this one as its `base`, is assumed no longer.
        assumed: Paths = "[]";
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
        /// Multiplies the rates of all traffic that has one, and the requests of traces: for experiments with the load.
        rate_factor: Number = "1", in above(0.0, 1e9);
        /// Where requests come from; at least one.
        traffic: Tables<TrafficSpec> = "[]";
        /// How callers from outside behave; classes and sources override it key by key.
        client: Override<ClientSpec> = "{}";
        /// Services: a balancer, the servers behind it, and what they call in turn; at least one.
        service: Named<ServiceSpec> = "{}";
        /// Machines whose cores servers share, of one service or of several. A server that names none has a core for each of its workers.
        machine: Named<MachineSpec> = "{}";
        /// What happens when.
        timeline: Tables<TimelineSpec> = "[]";
        /// How the system is watched; without it, alerts see each interval of the time line the moment it ends.
        monitoring: Optional<Table<MonitoringSpec>> = "none";
        /// Rules of the monitoring.
        alert: Tables<AlertSpec> = "[]";
        /// What people do when the monitoring tells them.
        runbook: Tables<RunbookSpec> = "[]";
        /// What counts as good service.
        slo: Tables<SloSpec> = "[]";
        /// Assertions over the finished run.
        expect: Tables<ExpectSpec> = "[]";
    }
}

section! {
    /// What bounds a run, so that no scenario can take the machine down.
    LimitsSpec {
        /// Events after which the run ends early, with what was simulated so far; copies beside an attempt count like events.
        events: Count = "10000000000", in from(1.0, 1e18), unit "events";
        /// Attempts and requests in flight, connections that are kept and visitors between two requests, after which the run ends early.
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
        /// What its requests demand at every service, in place of what the service says.
        demand [live]: Optional<ExtensionOf<DistributionDef>> = "none";
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
        /// What may refuse or delay an attempt before it is sent, in this order. Each calling server has its own.
        guards [live]: ExtensionsOf<GuardDef> = "[]";
        /// Whether giving up, or calling off a copy, also stops the work at the server.
        cancel [live]: Flag = "false";
        /// Copies sent beside an attempt that is out. The first success ends the request and the other attempts are called off; nothing has failed, and no retry is made, while one of them is out.
        hedge [live]: Optional<Table<HedgeSpec>> = "none";
    }
}

section! {
    /// Hedging: further attempts beside the first. A copy is no retry, but costs a retry budget as much.
    HedgeSpec {
        /// A copy goes out when there is no success so long after the one before; 0s sends all at once.
        after [live]: Span, in from(0.0, TEN_YEARS_S);
        /// Attempts in all, the first included.
        copies [live]: Count = "2", in from(2.0, 100.0), unit "attempts";
        /// Whether copies that are out go to different servers, as long as there are enough.
        distinct [live]: Flag = "true";
        /// What a copy asks of its server: what its request asks, or a draw of its own.
        demand [live]: Word<CopyDemand> = "same";
        /// Whether copies know each other: when a worker begins with one, those that still wait are called off, wherever they are, and no more are sent.
        tied [live]: Flag = "false";
        /// Whether an attempt that fails sends the next copy at once, if one is left, as in gRPC; the one after it is then due when `after` has passed once more.
        failure_sends [live]: Flag = "false";
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
    /// A service: a balancer, the servers behind it, and what they call in turn.
    ServiceSpec {
        /// Time of service on an idle server of speed 1: required where there are servers.
        demand [live]: ExtensionOf<DistributionDef> = "0s";
        /// What lies between callers, from outside or other services, and the balancer.
        link: Table<LinkSpec> = "{}";
        /// Where servers stand: what lies between the balancer and those of one zone.
        zone: Named<ZoneSpec> = "{}";
        /// What distributes its requests.
        balancer: Table<BalancerSpec> = "{}";
        /// Its servers; at least one, unless the routes of its balancer take all requests.
        server: Tables<ServerSpec> = "[]";
        /// What a server of it calls while serving, in order.
        call: Tables<CallSpec> = "[]";
        /// What adds and takes away servers by itself: those that are written, in their order, and no others, whatever it asks for.
        autoscaler [live]: Optional<ExtensionOf<AutoscalerDef>> = "none";
        /// How servers that the autoscaler asks for are found.
        provisioning: Table<ProvisioningSpec> = "{}";
        /// Whether the time with each number of requests at its servers is kept: `number` in the summary is their distribution. Simulates slower.
        numbers: Flag = "false";
    }
}

section! {
    /// How servers that an autoscaler asks for are found: each by tries, one after the other. Once found, a server boots.
    ProvisioningSpec {
        /// Time of a try.
        time [live]: ExtensionOf<DistributionDef> = "0s";
        /// Probability that none is found at the end of it.
        failure [live]: Ratio = "0", in from(0.0, 1.0);
        /// Time from a try that failed to the next.
        pause [live]: Span = "30s", in from(0.001, TEN_YEARS_S);
    }
}

section! {
    /// What distributes requests, and its limits as a machine.
    BalancerSpec {
        /// The program that it is, by name: sets what else is said here as that program does by default. What is written beside it wins.
        dialect [live]: Optional<ExtensionOf<DialectDef>> = "none";
        /// How a server is chosen.
        policy [live]: ExtensionOf<PolicyDef> = "round-robin";
        /// Instances working side by side, each with its own view of the servers.
        instances: Count = "1", in from(1.0, 1000.0), unit "instances";
        /// How callers spread over the instances.
        instance_selection [live] was "spread": Word<InstanceSelection> = "in-turn";
        /// What it chooses a server for: each request, or each connection of its callers, which then sends all its requests there and counts there as one while it is open. A failure there closes the connection, and the next one may lead elsewhere.
        balances: Word<Balances> = "requests";
        /// Time between reports of the servers' load, all that policies then know, the first at the start; without it, they see the present load.
        load_reports [live]: Optional<Span> = "none", in from(0.000001, TEN_YEARS_S);
        /// Servers that each instance uses, dealt out so that all servers are used by equally many instances (deterministic subsetting); without it, each uses all.
        subset: Optional<Count> = "none", in from(1.0, 1e6), unit "servers";
        /// Connections an instance holds at most; a further attempt is rejected.
        max_connections [live]: Optional<Count> = "none", in from(1.0, 4e9), unit "connections";
        /// Time an instance spends on each attempt, one after the other.
        cost [live]: Span = "0s", in from(0.0, TEN_YEARS_S);
        /// Attempts that may wait for that; a further one is rejected.
        queue_limit [live]: Optional<Count> = "none", in from(0.0, 4e9), unit "attempts";
        /// Where attempts wait when no server is eligible; without it they fail at once.
        pending_queue [live] was "pool": Optional<Table<PendingQueueSpec>> = "none";
        /// Attempts held by an instance from which on servers get `max_connections`. With fewer they get proportionally less, and at least `min_connections`; by default they always get all.
        full_connections [live]: Optional<Count> = "none", in from(1.0, 4e9), unit "attempts";
        /// Memory of an instance, and its limit.
        memory [live]: Optional<Table<BalancerMemorySpec>> = "none";
        /// What may refuse or delay an attempt that reaches an instance, in this order. Each instance has its own.
        guards [live]: ExtensionsOf<GuardDef> = "[]";
        /// When an instance crashes by itself: a list of rules.
        crash [live]: Tables<CrashSpec> = "[]";
        /// What callers of a crashed instance meet.
        down_behaviour [live] was "door": Word<DownBehaviour> = "refuse";
        /// How a crashed instance comes back.
        restart [live]: ExtensionOf<RestartDef> = "manual";
        /// Time from the decision to restart until it serves.
        boot [live]: ExtensionOf<DistributionDef> = "0s";
        /// How each instance learns which servers are healthy, and what follows from that: rules that act in this order. Without any, it takes all for healthy.
        health [live]: ExtensionsOf<HealthDef> = "[]";
        /// Spare instances that step in for crashed ones.
        standby: Table<StandbySpec> = "{}";
        /// What lies between the balancer and its servers.
        link: Table<LinkSpec> = "{}";
        /// Splits traffic among the zones of its servers by their weights, in turns, before the policy picks within a zone; without it, zones are no matter of the policy.
        by_zone: Optional<Table<ByZoneSpec>> = "none";
        /// Requests that it sends on to other services: the first route that takes a request counts, and what none takes goes to a server of the service. One whose routes take everything needs no servers.
        routes: Tables<RouteSpec> = "[]";
        /// By which rules an instance itself sends a request to its servers, as a proxy does that waits so long for a server and then tries another. Not written: it sends each attempt of its callers to one server, waits as long as they do, and tells them how it ended.
        client [live]: Override<ClientSpec> = "{}";
        /// What it does otherwise for requests of one class.
        class: Named<BalancerClassSpec> = "{}";
    }
}

section! {
    /// What a balancer does otherwise for requests of one class, as a location of a proxy has a time-out of its own.
    BalancerClassSpec {
        /// By which rules an instance sends such a request to its servers: keys that differ from those of `balancer.client`, that of a dialect included. Its tries pass the guards of that too, as long as it has none of its own.
        client [live]: Override<ClientSpec>;
    }
}

section! {
    /// A route: requests that a balancer sends on to another service. The balancer instance calls that service, as a proxy does; until the answer comes, the attempt is one of its connections.
    RouteSpec {
        /// The service that they go to.
        to: Name;
        /// Only requests of this class, or of one of these; without it, those of all.
        class [live]: Optional<Names> = "none";
        /// Share of the keys, by a hash that keeps each key on its side; the parts of a list's routes lie one behind the other. Without it, all keys.
        share [live]: Optional<Ratio> = "none", in from(0.0, 1.0);
        /// How the instance behaves as a caller, with guards of its own: keys that differ from the defaults.
        client [live]: Override<ClientSpec> = "{}";
        /// What lies between the instance and the balancer of the other service.
        link: Table<LinkSpec> = "{}";
    }
}

section! {
    /// A link: what lies between two machines, for requests there and answers back. A narrower link overrides a wider one key by key: a server's that of its zone, a zone's that of the balancer, a call's that of the service called.
    LinkSpec {
        /// Time of one way; without it, that of the wider link, and 0s at the widest.
        delay [live]: Optional<ExtensionOf<DistributionDef>> = "none";
        /// Probability that a message, request or answer, vanishes without anybody hearing of it; without it, that of the wider link, and 0 at the widest.
        loss [live]: Optional<Ratio> = "none", in from(0.0, 1.0);
        /// A message that vanishes by `loss` is sent again after so long, then after twice, four times, … as long, six times at most, as TCP does: 1s is that of a SYN, and 200ms about that of what follows. Without it, that of the wider link, and at the widest nothing is sent again. What vanishes because a link is cut, or meets a machine that is silent, is not.
        retransmit [live]: Optional<Span> = "none", in above(0.0, TEN_YEARS_S);
        /// A request that by then has not reached the other end, or met silence there, has failed; without it, that of the wider link, and none at the widest. Probes have a timeout of their own instead.
        connect_timeout [live]: Optional<Span> = "none", in above(0.0, TEN_YEARS_S);
        /// Connections that the sender keeps to the other end; without them, those of the wider link, and at the widest none are kept: each request stands for a connection of its own that costs nothing. A change closes those that are open as soon as they carry nothing.
        connections [live]: Optional<ExtensionOf<ConnectionDef>> = "none";
    }
}

section! {
    /// Servers of a service that stand together: those that write its name as their `zone`.
    ZoneSpec {
        /// What lies between the balancer and its servers.
        link: Table<LinkSpec> = "{}";
        /// Its part of the traffic, where `balancer.by_zone` splits it: 0 is none.
        weight: Number = "1", in from(0.0, 1e6);
    }
}

section! {
    /// How traffic is split among zones.
    ByZoneSpec {
        /// By how much a zone's servers may take more than their share: with 1.4 a zone keeps its traffic while 5 of 7 of its servers may be picked, and with fewer gives away what these are too few for.
        overprovisioning: Number = "1.4", in from(1.0, 100.0);
        /// Where turns among the zones begin.
        start: Word<ZoneStart> = "random";
    }
}

/// Where turns among zones begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ZoneStart {
    Random,
    First,
}

impl Words for ZoneStart {
    const WORDS: &'static [(&'static str, Self, &'static str)] = &[
        (
            "random",
            Self::Random,
            "at a drawn place, for each instance by itself",
        ),
        ("first", Self::First, "with the first zone"),
    ];
}

section! {
    /// Memory of a balancer instance.
    BalancerMemorySpec {
        /// Used when idle.
        base [live]: Size = "0", in from(0.0, 1e18), unit "bytes";
        /// For each connection it holds: an attempt counts from when it reaches the instance until its answer or its caller's hanging up.
        per_connection [live]: Size, in from(0.0, 1e18), unit "bytes";
        /// Beyond this the instance is killed.
        limit [live]: Size, in above(0.0, 1e18), unit "bytes";
    }
}

section! {
    /// Waiting room of a balancer for attempts without an eligible server.
    PendingQueueSpec {
        /// Attempts that may wait.
        limit [live]: Count, in from(0.0, 4e9), unit "attempts";
        /// Longest wait.
        timeout [live]: Optional<Span> = "none", in above(0.0, TEN_YEARS_S);
        /// How many of them may wait for one server and no other, which policies decide that see servers at their limit; 0: no limit of its own.
        per_server [live]: Count = "0", in from(0.0, 4e9), unit "attempts";
        /// What becomes of those when their server may not be picked any more: they go on waiting, or are placed anew.
        out_of_service [live]: Word<OutOfService> = "wait";
    }
}

section! {
    /// Spare balancer instances.
    StandbySpec {
        /// How many stand by.
        count: Count = "0", in from(0.0, 1000.0), unit "instances";
        /// Time from a crash until a spare takes over.
        takeover [live]: Span = "10s", in from(0.0, TEN_YEARS_S);
    }
}

section! {
    /// A condition under which something crashes by itself.
    CrashSpec {
        /// What is watched.
        when [live]: Text;
        /// The rule holds above this.
        above [live]: Threshold;
        /// It must hold for so long without a break.
        hold [live] as "for": Span = "0s", in from(0.0, TEN_YEARS_S);
    }
}

section! {
    /// A machine that servers share: those that write its name as their `machine`. With more requests at work on them than it has cores, each gets the same part of a core; those that wait for a worker or for the answer to a call are not at work.
    MachineSpec {
        /// Requests that can be at work at full speed at once; a part of a core is a quota of its time.
        cores [live]: Number, in from(0.001, 1e6), unit "cores";
    }
}

section! {
    /// A server, or several alike.
    ServerSpec {
        /// Its name, unique within the service; with `count` above 1, what the names begin with.
        name: Name;
        /// How many servers are written here.
        count: Count = "1", in from(1.0, 1e6), unit "servers";
        /// Number of the first: `name = "web"`, `count = 3`, `first = 2` are web-2, web-3 and web-4.
        first: Optional<Count> = "none", in from(0.0, 1e9);
        /// Another server of the service whose keys are copied; own keys override.
        like: Optional<Name> = "none";
        /// Weight in the balancer's settings; policies decide what it means.
        weight [live]: Number = "1", in from(0.0, 1e9);
        /// Work done per unit of time by a worker, relative to the demand as written.
        speed [live]: Number = "1", in above(0.0, 1e6);
        /// Requests served at once.
        workers [live]: Count, in from(1.0, 1e6), unit "workers";
        /// Where requests wait.
        queue [live]: Table<QueueSpec> = "{}";
        /// Workers that fail, each on its own, and are repaired.
        breakdowns [live]: Optional<Table<BreakdownsSpec>> = "none";
        /// How concurrency slows every request down.
        slowdown [live]: Table<SlowdownSpec> = "{}";
        /// Memory, and its limit.
        memory [live]: Optional<Table<MemorySpec>> = "none";
        /// Requests that fail by themselves.
        errors [live]: Table<ErrorsSpec> = "{}";
        /// What may refuse or delay an attempt that arrives, in this order, before it queues.
        guards [live]: ExtensionsOf<GuardDef> = "[]";
        /// When it crashes by itself: a list of rules.
        crash [live]: Tables<CrashSpec> = "[]";
        /// Whether waiting requests survive a crash and are served after the restart.
        crash_keeps_queue [live]: Flag = "false";
        /// What arrives at a crashed server meets.
        down_behaviour [live] was "door": Word<DownBehaviour> = "refuse";
        /// How it comes back.
        restart [live]: ExtensionOf<RestartDef> = "manual";
        /// Time from the decision to restart, or from being added, until it serves; one that is added joins rotation then.
        boot [live]: ExtensionOf<DistributionDef> = "0s";
        /// Slower service after a start.
        warm_up [live]: Optional<Table<WarmUpSpec>> = "none";
        /// Used only while no other server is eligible: the same as `priority = 1`.
        backup [live]: Flag = "false";
        /// Servers of priority 0 are used first, those of the next only while nobody of a better one is eligible, or as the health rule `priorities` says.
        priority [live]: Count = "0", in from(0.0, 127.0);
        /// Attempts a balancer instance may have in flight at it.
        max_connections [live]: Optional<Count> = "none", in from(1.0, 4e9), unit "connections";
        /// The least of that which it gets however little the instance has to do, with the balancer's `full_connections`; by default it always gets all.
        min_connections [live]: Optional<Count> = "none", in from(1.0, 4e9), unit "connections";
        /// Attempts that may wait at a balancer instance for it and no other, in place of `pending_queue.per_server`; 0: no limit of its own.
        max_pending [live]: Optional<Count> = "none", in from(0.0, 4e9), unit "attempts";
        /// What health rules of the balancer do otherwise about it.
        health [live]: Table<OwnHealthSpec> = "{}";
        /// A probe that kills: after `fall` failures in a row the server is killed; it comes back as `restart` says.
        liveness [live]: Optional<Table<LivenessSpec>> = "none";
        /// Whether it is there from the start; otherwise the time line adds it.
        present: Flag = "true";
        /// Where it stands: a name that servers of one place share.
        zone: Optional<Name> = "none";
        /// The machine that it runs on; with `count` above 1, all of them.
        machine: Optional<Name> = "none";
        /// What lies between the balancer and it.
        link: Table<LinkSpec> = "{}";
    }
}

section! {
    /// Where requests wait at a server.
    QueueSpec {
        /// Requests that may wait; a further one is rejected.
        limit [live]: Optional<Count> = "none", in from(0.0, 4e9), unit "requests";
        /// Who is served next.
        discipline [live]: ExtensionOf<DisciplineDef> = "fifo";
        /// How long a request waits for a worker before it leaves the queue, its attempt abandoned; without it, for ever.
        patience [live]: Optional<ExtensionOf<DistributionDef>> = "none";
    }
}

section! {
    /// Workers that fail, each on its own, whether at work or not. The request of a worker that fails keeps what it has received and goes on, before all others, with the next free worker.
    BreakdownsSpec {
        /// Time from a worker's start or repair to its failure.
        every [live]: ExtensionOf<DistributionDef>;
        /// Time of a repair.
        repair [live]: ExtensionOf<DistributionDef>;
    }
}

section! {
    /// The universal scalability law: with n requests in service each runs at 1 / (1 + contention·(n−1) + coherence·n·(n−1)) of its speed.
    SlowdownSpec {
        /// Cost of waiting for shared things.
        contention [live]: Number = "0", in from(0.0, 1e6);
        /// Cost of keeping shared things consistent.
        coherence [live]: Number = "0", in from(0.0, 1e6);
    }
}

section! {
    /// Memory of a server.
    MemorySpec {
        /// Used when idle.
        base [live]: Size = "0", in from(0.0, 1e18), unit "bytes";
        /// For each request in service.
        per_in_service [live]: Size = "0", in from(0.0, 1e18), unit "bytes";
        /// For each waiting request.
        per_queued [live]: Size = "0", in from(0.0, 1e18), unit "bytes";
        /// For each request whose caller gave up, or was cut off, while the server had it and without telling it (`cancel`): what stays behind, such as a session, a half-open connection or garbage. It counts from that moment, beside what the request itself uses as long as it is there.
        per_abandoned [live]: Size = "0", in from(0.0, 1e18), unit "bytes";
        /// How long that stays, to a thousandth; without it, until the server is restarted.
        release [live]: Optional<Span> = "none", in above(0.0, TEN_YEARS_S);
        /// Beyond this the server is killed.
        limit [live]: Size, in above(0.0, 1e18), unit "bytes";
    }
}

section! {
    /// Requests that a server answers with an error.
    ErrorsSpec {
        /// Probability of an error.
        rate [live]: Ratio = "0", in from(0.0, 1.0);
        /// Time of service of a request that fails; without it, the same as of one that does not.
        demand [live]: Optional<ExtensionOf<DistributionDef>> = "none";
    }
}

section! {
    /// Slower service after a start: the speed rises linearly to 1.
    WarmUpSpec {
        /// Share of the speed at the start.
        from [live]: Ratio, in above(0.0, 1.0);
        /// Time until full speed.
        over [live]: Span, in above(0.0, TEN_YEARS_S);
    }
}

section! {
    /// A liveness probe.
    LivenessSpec {
        /// What a probe does: send a request, which waits in the queue like any other, or only open a
        /// connection, which a server that is up accepts however busy it is.
        probe [live]: Word<Probe> = "request";
        /// Time between probes.
        interval [live]: Span = "10s", in from(0.001, TEN_YEARS_S);
        /// An unanswered probe has failed after this.
        timeout [live]: Span = "1s", in above(0.0, TEN_YEARS_S);
        /// Failures in a row that kill.
        fall [live]: Count = "3", in from(1.0, 1e6), unit "probes";
        /// Time of service of a probe.
        demand [live]: ExtensionOf<DistributionDef> = "1ms";
    }
}

section! {
    /// What health rules of the balancer do otherwise about a server, in place of the parameter that means the same. What no rule there heeds is an error.
    OwnHealthSpec {
        /// Whether it is checked; one that is not counts as healthy with those that check.
        check [live]: Flag = "true";
        /// Failures that ban it, 0: none do. Of `max-fails`, and of nginx's policies.
        max_fails [live]: Optional<Count> = "none", in from(0.0, 1e6), unit "failures";
        /// For how long it is banned, in whole seconds. Of `max-fails`.
        fail_timeout [live]: Optional<Span> = "none", in from(0.0, TEN_YEARS_S);
        /// Time between its checks. Of `checks`, and `inter` of `haproxy-checks`.
        interval [live]: Optional<Span> = "none", in from(0.001, TEN_YEARS_S);
        /// The same while results have begun to speak against the present judgement. Of `checks`, and `fastinter` of `haproxy-checks`.
        fast_interval [live]: Optional<Span> = "none", in from(0.001, TEN_YEARS_S);
        /// The same while it is down: `downinter` of `haproxy-checks`.
        down_interval [live]: Optional<Span> = "none", in from(0.001, TEN_YEARS_S);
        /// Failed checks that take it out. Of `checks` and `haproxy-checks`.
        fall [live]: Optional<Count> = "none", in from(1.0, 1e6), unit "checks";
        /// Passed checks that bring it back. Of `checks` and `haproxy-checks`.
        rise [live]: Optional<Count> = "none", in from(1.0, 1e6), unit "checks";
        /// For how long it starts slowly when it comes back, 0s: not at all. Of `slow-start`.
        slow_start [live]: Optional<Span> = "none", in from(0.0, TEN_YEARS_S);
    }
}

section! {
    /// A call from a service to another while serving.
    CallSpec {
        /// The service called.
        to: Name;
        /// Only requests of this class, or of one of these, make the call; without it, those of all.
        class [live]: Optional<Names> = "none";
        /// Before or after the caller's own work.
        at: Word<CallAt> = "after";
        /// Probability that a request makes the call: one minus the hit rate of a cache.
        probability [live]: Ratio = "1", in from(0.0, 1.0);
        /// Whether it goes out together with the call before it in the list, of those with the same `at`, and not after that one's answer. The caller goes on when all have answered; when a required one fails the others are called off.
        parallel [live]: Flag = "false";
        /// Whether the caller's worker waits for the answer; of calls that go out together, for all if for one.
        hold [live]: Flag = "true";
        /// Whether the request fails when the call does.
        required [live]: Flag = "true";
        /// A cache of answers by the key of the request: what it holds is not asked for. Without it, every request makes the call.
        cache: Optional<Table<CacheSpec>> = "none";
        /// How the caller behaves: keys that differ from the defaults.
        client [live]: Override<ClientSpec> = "{}";
        /// What lies between the caller's servers and the balancer of the service called.
        link: Table<LinkSpec> = "{}";
    }
}

section! {
    /// A cache at a call. A server's is empty when it starts.
    CacheSpec {
        /// Keys that it holds; the one that was not used for longest makes room.
        capacity: Count, in from(1.0, 1e6), unit "keys";
        /// How long an answer is fresh; without it, for ever.
        ttl: Optional<Span> = "none", in above(0.0, TEN_YEARS_S);
        /// Whether, while a key is being fetched, others that lack it wait for that answer instead of asking too, and fail if it does.
        coalesce: Flag = "false";
        /// Whether all servers share one, which outlives them; otherwise each has its own.
        shared: Flag = "false";
    }
}

/// When a call is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CallAt {
    Before,
    After,
}

impl Words for CallAt {
    const WORDS: &'static [(&'static str, Self, &'static str)] = &[
        ("before", Self::Before, "before the caller's own work"),
        ("after", Self::After, "after the caller's own work"),
    ];
}

impl Words for Probe {
    const WORDS: &'static [(&'static str, Self, &'static str)] = &[
        (
            "request",
            Self::Request,
            "a request, which waits in the queue",
        ),
        (
            "connect",
            Self::Connect,
            "a connection, which any server that is up accepts",
        ),
    ];
}

impl Words for InstanceSelection {
    const WORDS: &'static [(&'static str, Self, &'static str)] = &[
        ("in-turn", Self::InTurn, "one after the other"),
        ("random", Self::Random, "each time at random"),
    ];
}

impl Words for Balances {
    const WORDS: &'static [(&'static str, Self, &'static str)] = &[
        (
            "requests",
            Self::Requests,
            "each request by itself, as proxies do that understand it (layer 7)",
        ),
        (
            "connections",
            Self::Connections,
            "each connection, as those do that pass bytes on (layer 4)",
        ),
    ];
}

impl Words for OutOfService {
    const WORDS: &'static [(&'static str, Self, &'static str)] = &[
        (
            "wait",
            Self::Wait,
            "they wait until it is back, or for too long",
        ),
        ("moves", Self::Moves, "they are placed anew"),
    ];
}

impl Words for DownBehaviour {
    const WORDS: &'static [(&'static str, Self, &'static str)] = &[
        ("refuse", Self::Refuse, "refused at once"),
        (
            "black-hole",
            Self::BlackHole,
            "silence, until the caller gives up",
        ),
    ];
}

section! {
    /// Something that happens at a given time: either `set` or `do`.
    TimelineSpec {
        /// A name for paths.
        name: Optional<Name> = "none";
        /// When.
        at: Moment;
        /// New values of keys, by path; with `do = "deploy"`, of keys of the servers, which each has from its turn on.
        set: Sets = "{}";
        /// What is done to `target`.
        action as "do": Optional<Word<Deed>> = "none";
        /// A fault that befalls `target`; `slow`, `partition` and `degrade` can be written after `do` as well.
        fault: Optional<ExtensionOf<FaultDef>> = "none";
        /// Whom it is done to: `service.NAME.server.NAME`, `service.NAME.server` for all servers, `service.NAME.zone.NAME` for those that stand there, `zone.NAME` for those of all services, `machine.NAME` for those that run on it, or `service.NAME.balancer`; with `partition`, `degrade`, `heal` and such faults a link: `service.NAME.link`, `service.NAME.balancer.link`, `service.NAME.zone.NAME.link`, `service.NAME.server.NAME.link` or `service.NAME.call.NAME.link`.
        target: Optional<Text> = "none";
        /// With `do = "restart"`: what is restarted.
        when: Word<Restarted> = "always";
        /// With `crash`, `restart`, `drain`, `undrain`, `add`, `remove` and `flush` of several machines: one after the other, each so long after the one before; without it, all at once. The rest of a row that is not through at the horizon is left out.
        every: Optional<Span> = "none", in above(0.0, TEN_YEARS_S);
        /// With `do = "deploy"`: how many more servers than are meant may be there meanwhile, a number or a share such as `"25%"`, rounded up; no more than there are places for, servers that are written and not there.
        max_surge: Optional<Threshold> = "none";
        /// With `do = "deploy"`: how many fewer servers than are meant may serve meanwhile, a number or a share, rounded down; without it 1, and 1 too where nothing else could begin.
        max_unavailable: Optional<Threshold> = "none";
        /// With `do = "deploy"`: a new server counts when it has served for so long.
        min_ready: Optional<Span> = "none", in from(0.0, TEN_YEARS_S);
        /// With `do = "deploy"`: servers that get the new release first, and decide whether the others follow.
        canary: Optional<Table<CanarySpec>> = "none";
        /// With `do = "slow"`: factor of the speed.
        factor: Optional<Number> = "none", in above(0.0, 1e6);
        /// With `do = "degrade"`: time added to each way.
        delay: Optional<Span> = "none", in from(0.0, TEN_YEARS_S);
        /// With `do = "degrade"`: probability that a message vanishes, beside what else may befall it.
        loss: Optional<Ratio> = "none", in from(0.0, 1.0);
        /// With a fault: for how long, for each that it befalls; without it, until another entry says otherwise.
        lasts as "for": Optional<ExtensionOf<DistributionDef>> = "none";
        /// With a fault: so much later it befalls each of the target; without it, all at once.
        skew: Optional<ExtensionOf<DistributionDef>> = "none";
        /// With a fault that is there `for` a time: so long after it came it comes again, and again, yet never before it has left all; without it, it comes once. `heal` ends what would come as well.
        repeat: Optional<ExtensionOf<DistributionDef>> = "none";
        /// Whether people or the system do it: which column of the event log shows it.
        by was "lane": Word<Actor> = "people";
        /// A sentence for the event log.
        note: Text = "";
    }
}

section! {
    /// The first servers of a release. When all of them serve they are watched; then the others follow, or they go back.
    CanarySpec {
        /// How many: a number, or a share of the servers, rounded up and at least one.
        servers: Threshold;
        /// How long they are watched; as long again while nobody has asked them.
        watch: Span, in above(0.0, TEN_YEARS_S);
        /// The share of failed attempts at them in that time beyond which they go back.
        failed: Ratio = "0.01", in from(0.0, 1.0);
        /// An alert of the monitoring: when it begins to fire before the release is everywhere, all go back at once.
        abort_on: Optional<Title> = "none";
        /// What comes before all others follow: further stages, each with more servers, watched in the same way.
        then: Tables<CanaryStageSpec> = "[]";
    }
}

section! {
    /// A stage of a release after its canary.
    CanaryStageSpec {
        /// How many servers have the new release then, those before included: a number, or a share, rounded up.
        servers: Threshold;
        /// How long they are watched; without it, as long as the canary.
        watch: Optional<Span> = "none", in above(0.0, TEN_YEARS_S);
    }
}

section! {
    /// How the system is watched, as Prometheus and Alertmanager do it: counters and gauges are read now and then, rules look at what has arrived, and somebody is told.
    MonitoringSpec {
        /// Time between two scrapes. Everything is scraped at the same moments, from the start on; servers only while they are up, requests where they are asked.
        scrape: Span = "15s", in from(0.001, TEN_YEARS_S);
        /// Until rules see a value that was scraped.
        lag: Span = "0s", in from(0.0, TEN_YEARS_S);
        /// Time between two evaluations of the rules; without it, as often as is scraped.
        evaluate: Optional<Span> = "none", in from(0.001, TEN_YEARS_S);
        /// For how long the last value of a server that cannot be scraped counts: `0s` until the first scrape in vain, as in Prometheus; its `5m` are for values that reach it in other ways.
        stale: Span = "0s", in from(0.0, TEN_YEARS_S);
        /// How alerts are put together in one notification; without it, each alert that fires notifies by itself, at once.
        group: Optional<Table<GroupSpec>> = "none";
        /// Rules of Prometheus: their alerts are alerts of the scenario.
        rules: Tables<RulesSpec> = "[]";
        /// People on call: so many runbooks are worked through at a time, others wait.
        responders: Count = "1", in from(1.0, 1e6), unit "people";
    }
}

section! {
    /// A file of rules of Prometheus, evaluated on the series of `stampede list series` as Prometheus 3.5 does. All alerts of a name are one: it fires with the first of them and is resolved with the last.
    RulesSpec {
        /// A name for paths.
        name: Optional<Name> = "none";
        /// The file, as a base is named; beside `text`, what messages call that.
        file: Optional<Text> = "none";
        /// What stands in the file: `groups:` and so on.
        text: Optional<Document> = "none";
        /// Whether rules that ask for series which the scenario does not have are left out, which is told, instead of being an error.
        skip_unknown: Flag = "false";
    }
}

section! {
    /// One notification for alerts that fire, as Alertmanager sends it.
    GroupSpec {
        /// A label: alerts that have the same value of it share a notification, as with `group_by`. `alertname` is the name, of others the rules of a file say what they are; without it, all alerts are one group.
        by: Optional<Text> = "none";
        /// From the first alert that fires to the first notification: others may join it.
        wait: Span = "30s", in from(0.0, TEN_YEARS_S);
        /// After a notification, time between two looks at what has changed; only then is somebody told of a further alert.
        interval: Span = "5m", in above(0.0, TEN_YEARS_S);
        /// After which it is sent again while nothing has changed, at the next look.
        repeat: Span = "4h", in above(0.0, TEN_YEARS_S);
    }
}

section! {
    /// A rule of the monitoring.
    AlertSpec {
        /// Its name.
        name: Title;
        /// What it watches: a metric, perhaps of something, and a threshold, such as `p99 > 2s` or `share(web-1) > 70%`; with `absence` a metric alone, such as `in_flight(web-1)`; with `burn-rate` the name of an objective; with `promql` an expression.
        when: Document;
        /// When the condition holds. All but `threshold` need a `[monitoring]`.
        rule: ExtensionOf<AlertRuleDef> = "threshold";
        /// Length of the window that the metric is taken over; with a `[monitoring]`, of what was scraped within it.
        over: Span = "1m", in from(0.001, TEN_YEARS_S);
        /// How long the condition must hold, at each evaluation: until then the alert is pending.
        hold as "for": Span = "0s", in from(0.0, TEN_YEARS_S);
        /// With a `[monitoring]`: for how long it goes on firing when the condition no longer holds, so that it does not flap.
        keep: Span = "0s", in from(0.0, TEN_YEARS_S);
    }
}

section! {
    /// What people do about an alert. Who is told of one while its runbook is in use goes on with it; told again later, it begins anew.
    RunbookSpec {
        /// Its name.
        name: Name;
        /// The alert whose notification calls somebody.
        on: Title;
        /// From the notification, or from when somebody is free, until somebody looks.
        acknowledge: ExtensionOf<DistributionDef> = "0s";
        /// From there until the cause is found.
        diagnose: ExtensionOf<DistributionDef> = "0s";
        /// Whether it is left when the alert no longer fires before the cause is found.
        stand_down: Flag = "false";
        /// What is done then, one after the other.
        step: Tables<StepSpec> = "[]";
    }
}

section! {
    /// A step of a runbook: one of `set`, `undo` and `do`. What it sets it sets whatever has become of the system, and leaves all else as it is: other keys of the same table, too, whatever entries of the time line, deployments and other runbooks have made of them.
    StepSpec {
        /// A name for paths.
        name: Optional<Name> = "none";
        /// How long after the step before; of the first, after the cause is found.
        after: ExtensionOf<DistributionDef> = "0s";
        /// New values of keys, by path, as in the time line; with `do = "deploy"`, of keys of the servers, which each has from its turn on.
        set: Sets = "{}";
        /// The name of an entry of the time line whose `set`, or whose deployment, is taken back, and nothing else is; or that of a step of a runbook that deploys. Before that has come, nothing is done.
        undo: Optional<Name> = "none";
        /// What is done to `target`, as in the time line, but no fault and no crash. A deployment goes on by itself while the steps after it are taken.
        action as "do": Optional<Word<Deed>> = "none";
        /// Whom it is done to, as in the time line.
        target: Optional<Text> = "none";
        /// With `do = "restart"`: what is restarted.
        when: Word<Restarted> = "always";
        /// Of several machines one after the other, each so long after the one before: with `do` as in the time line, with `set` and `undo` of what servers are as well; without it, all at once.
        every: Optional<Span> = "none", in above(0.0, TEN_YEARS_S);
        /// With `do = "deploy"`: as in the time line.
        max_surge: Optional<Threshold> = "none";
        /// With `do = "deploy"`: as in the time line.
        max_unavailable: Optional<Threshold> = "none";
        /// With `do = "deploy"`: a new server counts when it has served for so long.
        min_ready: Optional<Span> = "none", in from(0.0, TEN_YEARS_S);
        /// With `do = "deploy"`, and with `set` and `undo` of what servers are: some servers come first and are watched; then the others follow, or these go back.
        canary: Optional<Table<StepCanarySpec>> = "none";
        /// A sentence for the event log.
        note: Text = "";
    }
}

section! {
    /// Servers that are changed first.
    StepCanarySpec {
        /// How many: a number, or a share of the servers that the step changes, rounded up and at least one.
        servers: Threshold;
        /// How long they are watched.
        watch: Span, in above(0.0, TEN_YEARS_S);
        /// The alert that must not begin to fire meanwhile, or they go back; with `set` and `undo` the rest of the runbook is left. It is another one than that of the runbook, which fires already. With `do = "deploy"` it is one more reason to go back, until the release is everywhere.
        abort_on: Optional<Title> = "none";
        /// With `do = "deploy"`: the share of failed attempts at them in that time beyond which they go back; without it, 1 %.
        failed: Optional<Ratio> = "none", in from(0.0, 1.0);
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
    Failover,
    Drain,
    Undrain,
    Add,
    Remove,
    Deploy,
    Flush,
    Slow,
    Partition,
    Degrade,
    Heal,
    Note,
}

impl Deed {
    /// Whether it concerns machines, one by one.
    pub(crate) fn is_of_machines(self) -> bool {
        matches!(
            self,
            Self::Crash
                | Self::Restart
                | Self::Drain
                | Self::Undrain
                | Self::Add
                | Self::Remove
                | Self::Flush
        )
    }

    /// Whether it is a fault, in short.
    pub(crate) fn is_fault(self) -> bool {
        matches!(self, Self::Slow | Self::Partition | Self::Degrade)
    }
}

/// What a restart concerns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Restarted {
    Always,
    Down,
}

impl Words for Restarted {
    const WORDS: &'static [(&'static str, Self, &'static str)] = &[
        (
            "always",
            Self::Always,
            "what is up is stopped and started, what is down is started",
        ),
        ("down", Self::Down, "only what is down"),
    ];
}

impl Words for Deed {
    const WORDS: &'static [(&'static str, Self, &'static str)] = &[
        ("crash", Self::Crash, "crash"),
        (
            "restart",
            Self::Restart,
            "stop and start: what is in flight is cut off as by a crash, then it boots; the way of a reload or a deployment is `drain` before",
        ),
        (
            "failover",
            Self::Failover,
            "have spares of a balancer take the places of its instances that are down, at once",
        ),
        (
            "drain",
            Self::Drain,
            "take out of rotation; what is in flight finishes",
        ),
        ("undrain", Self::Undrain, "put back into rotation"),
        (
            "add",
            Self::Add,
            "bring in servers that were absent: they boot, and join rotation when they are up",
        ),
        (
            "remove",
            Self::Remove,
            "take servers away: drained, then gone",
        ),
        (
            "deploy",
            Self::Deploy,
            "put a new release on servers, one after the other: each is drained, gone, and added with what `set` says of it",
        ),
        ("flush", Self::Flush, "empty the caches of servers"),
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
        ("heal", Self::Heal, "end all faults of servers or links"),
        ("note", Self::Note, "nothing but the note"),
    ];
}

impl Words for Actor {
    const WORDS: &'static [(&'static str, Self, &'static str)] = &[
        ("people", Self::People, "people do it"),
        ("system", Self::System, "the machines do it"),
        ("autoscaler", Self::Autoscaler, "an autoscaler does it"),
    ];
}
