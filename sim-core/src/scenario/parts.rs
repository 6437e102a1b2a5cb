//! The sections of a service and its parts: balancer, servers, calls.

use super::compound::{Named, Optional, Override, Table, Tables, Threshold, Word, Words};
use super::extensions::ExtensionOf;
use super::kinds::{Count, Flag, Name, Number, Ratio, Size, Span, TEN_YEARS_S, Text};
use super::section::{above, from, section};
use super::sections::ClientSpec;
use crate::discipline::DisciplineDef;
use crate::distribution::DistributionDef;
use crate::model::{DownBehaviour, InstanceSelection, Probe};
use crate::policy::PolicyDef;
use crate::restart::RestartDef;

section! {
    /// A service: a balancer, the servers behind it, and what they call in turn.
    ServiceSpec {
        /// Time of service on an idle server of speed 1.
        demand [live]: ExtensionOf<DistributionDef>;
        /// What lies between callers, from outside or other services, and the balancer.
        link: Table<LinkSpec> = "{}";
        /// Where servers stand: what lies between the balancer and those of one zone.
        zone: Named<ZoneSpec> = "{}";
        /// What distributes its requests.
        balancer: Table<BalancerSpec> = "{}";
        /// Its servers; at least one.
        server: Tables<ServerSpec> = "[]";
        /// What a server of it calls while serving, in order.
        call: Tables<CallSpec> = "[]";
    }
}

section! {
    /// What distributes requests, and its limits as a machine.
    BalancerSpec {
        /// How a server is chosen.
        policy [live]: ExtensionOf<PolicyDef> = "round-robin";
        /// Instances working side by side, each with its own view of the servers.
        instances: Count = "1", in from(1.0, 1000.0), unit "instances";
        /// How callers spread over the instances.
        instance_selection [live] was "spread": Word<InstanceSelection> = "in-turn";
        /// Time between reports of the servers' load, all that policies then know, the first at the start; without it, they see the present load.
        load_reports [live]: Optional<Span> = "none", in from(0.000001, TEN_YEARS_S);
        /// Connections an instance holds at most; a further attempt is rejected.
        max_connections [live]: Optional<Count> = "none", in from(1.0, 4e9), unit "connections";
        /// Time an instance spends on each attempt, one after the other.
        cost [live]: Span = "0s", in from(0.0, TEN_YEARS_S);
        /// Attempts that may wait for that; a further one is rejected.
        queue_limit [live]: Optional<Count> = "none", in from(0.0, 4e9), unit "attempts";
        /// Where attempts wait when no server is eligible; without it they fail at once.
        pending_queue [live] was "pool": Optional<Table<PendingQueueSpec>> = "none";
        /// When an instance crashes by itself: a list of rules.
        crash [live]: Tables<CrashSpec> = "[]";
        /// What callers of a crashed instance meet.
        down_behaviour [live] was "door": Word<DownBehaviour> = "refuse";
        /// How a crashed instance comes back.
        restart [live]: ExtensionOf<RestartDef> = "manual";
        /// Time from the decision to restart until it serves.
        boot [live]: ExtensionOf<DistributionDef> = "0s";
        /// How it learns which servers are healthy; without it, it never learns.
        health_check [live]: Optional<Table<HealthCheckSpec>> = "none";
        /// Spare instances that step in for crashed ones.
        standby: Table<StandbySpec> = "{}";
        /// What lies between the balancer and its servers.
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
        /// A request that by then has not reached the other end, or met silence there, has failed; without it, that of the wider link, and none at the widest. Probes have a timeout of their own instead.
        connect_timeout [live]: Optional<Span> = "none", in above(0.0, TEN_YEARS_S);
    }
}

section! {
    /// Servers of a service that stand together: those that write its name as their `zone`.
    ZoneSpec {
        /// What lies between the balancer and its servers.
        link: Table<LinkSpec> = "{}";
    }
}

section! {
    /// Waiting room of a balancer for attempts without an eligible server.
    PendingQueueSpec {
        /// Attempts that may wait.
        limit [live]: Count, in from(0.0, 4e9), unit "attempts";
        /// Longest wait.
        timeout [live]: Optional<Span> = "none", in above(0.0, TEN_YEARS_S);
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
    /// Active health checks.
    HealthCheckSpec {
        /// What a probe does: send a request, which waits in the server's queue like any other, or
        /// only open a connection, which a server that is up accepts however busy it is.
        probe [live]: Word<Probe> = "request";
        /// Time between probes of one server.
        interval [live]: Span = "5s", in from(0.001, TEN_YEARS_S);
        /// An unanswered probe has failed after this.
        timeout [live]: Span = "2s", in above(0.0, TEN_YEARS_S);
        /// Failures in a row that take a server out.
        fall [live]: Count = "3", in from(1.0, 1e6), unit "probes";
        /// Successes in a row that bring it back.
        rise [live]: Count = "2", in from(1.0, 1e6), unit "probes";
        /// Time of service of a probe.
        demand [live]: ExtensionOf<DistributionDef> = "1ms";
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
        /// When it crashes by itself: a list of rules.
        crash [live]: Tables<CrashSpec> = "[]";
        /// Whether waiting requests survive a crash and are served after the restart.
        crash_keeps_queue [live]: Flag = "false";
        /// What arrives at a crashed server meets.
        down_behaviour [live] was "door": Word<DownBehaviour> = "refuse";
        /// How it comes back.
        restart [live]: ExtensionOf<RestartDef> = "manual";
        /// Time from the decision to restart until it serves.
        boot [live]: ExtensionOf<DistributionDef> = "0s";
        /// Slower service after a start.
        warm_up [live]: Optional<Table<WarmUpSpec>> = "none";
        /// Used only while no other server is eligible.
        backup [live]: Flag = "false";
        /// Attempts a balancer instance may have in flight at it.
        max_connections [live]: Optional<Count> = "none", in from(1.0, 4e9), unit "connections";
        /// A probe that kills: after `fall` failures in a row the server is restarted.
        liveness [live]: Optional<Table<LivenessSpec>> = "none";
        /// Whether it is there from the start; otherwise the time line adds it.
        present: Flag = "true";
        /// Where it stands: a name that servers of one place share.
        zone: Optional<Name> = "none";
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
    /// A call from a service to another while serving.
    CallSpec {
        /// The service called.
        to: Name;
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
        /// How the caller behaves: keys that differ from the defaults.
        client [live]: Override<ClientSpec> = "{}";
        /// What lies between the caller's servers and the balancer of the service called.
        link: Table<LinkSpec> = "{}";
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
