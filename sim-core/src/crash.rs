//! What crash rules can watch.

use std::fmt;

/// What crash rules of servers can watch.
pub static SERVER_GAUGES: &[GaugeDef] = &[
    GaugeDef {
        name: "in_flight",
        about: "requests at the server, waiting or in service",
        unit: GaugeUnit::Count,
        gauge: Gauge::InFlight,
    },
    GaugeDef {
        name: "queue_len",
        about: "waiting requests",
        unit: GaugeUnit::Count,
        gauge: Gauge::QueueLen,
    },
    GaugeDef {
        name: "queue_age",
        about: "age of the request that has waited longest, looked at every 100 ms",
        unit: GaugeUnit::Time,
        gauge: Gauge::QueueAge,
    },
    GaugeDef {
        name: "memory",
        about: "bytes in use, see `memory`",
        unit: GaugeUnit::Bytes,
        gauge: Gauge::Memory,
    },
    GaugeDef {
        name: "utilisation",
        about: "busy share of the workers over 100 ms",
        unit: GaugeUnit::Ratio,
        gauge: Gauge::Utilisation,
    },
];

/// What crash rules of balancers can watch.
pub static BALANCER_GAUGES: &[GaugeDef] = &[
    GaugeDef {
        name: "in_flight",
        about: "attempts the instance has in flight",
        unit: GaugeUnit::Count,
        gauge: Gauge::InFlight,
    },
    GaugeDef {
        name: "queue_len",
        about: "attempts waiting for the instance itself or for an eligible server",
        unit: GaugeUnit::Count,
        gauge: Gauge::QueueLen,
    },
    GaugeDef {
        name: "memory",
        about: "bytes in use, see `memory`",
        unit: GaugeUnit::Bytes,
        gauge: Gauge::Memory,
    },
];

/// A row of a gauge table.
pub struct GaugeDef {
    /// The word written in a rule.
    pub name: &'static str,
    /// What it measures.
    pub about: &'static str,
    /// How its threshold is written.
    pub unit: GaugeUnit,
    /// Which it is.
    pub gauge: Gauge,
}

impl PartialEq for GaugeDef {
    fn eq(&self, other: &Self) -> bool {
        self.gauge == other.gauge
    }
}

impl fmt::Debug for GaugeDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// How a gauge's threshold is written in a scenario and kept in the model.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GaugeUnit {
    /// A number of things.
    Count,
    /// A time span; kept in nanoseconds.
    Time,
    /// A size such as `512MiB`; kept in bytes.
    Bytes,
    /// A share of one.
    Ratio,
}

/// A gauge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gauge {
    /// Waiting or in service.
    InFlight,
    /// Waiting.
    QueueLen,
    /// Age of the oldest waiting request.
    QueueAge,
    /// Bytes in use.
    Memory,
    /// Busy share of the workers.
    Utilisation,
}
