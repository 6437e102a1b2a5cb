//! What brings a machine down, and how near it is to that.

use sim_core::crash::{Gauge, GaugeUnit};
use sim_core::engine::{InstanceSnapshot, MemoryUse, RuleNow, ServerSnapshot};
use sim_core::model::{Balancer, CrashRule, Server};
use sim_core::readable;
use sim_core::time::{Duration, Instant};

/// Something that brings a machine down: a crash rule, or the limit on its memory.
#[derive(Clone, PartialEq, Debug)]
pub struct Danger {
    /// What is watched.
    pub gauge: Gauge,
    /// What that is called.
    pub name: &'static str,
    /// How it is written.
    pub unit: GaugeUnit,
    /// How much there is now; absent where that is only known at certain moments.
    pub value: Option<f64>,
    /// Above this the machine dies.
    pub above: f64,
    /// Once that has held for so long.
    pub hold: Duration,
    /// Since when it has.
    pub since: Option<Instant>,
}

impl Danger {
    fn of_rule((rule, now): (&CrashRule, &RuleNow)) -> Self {
        Self {
            gauge: rule.gauge.gauge,
            name: rule.gauge.name,
            unit: rule.gauge.unit,
            value: now.value,
            above: rule.above,
            hold: rule.hold,
            since: now.since_ns.map(Instant),
        }
    }

    fn of_memory(memory: MemoryUse) -> Self {
        Self {
            gauge: Gauge::Memory,
            name: "memory",
            unit: GaugeUnit::Bytes,
            value: Some(memory.used),
            above: memory.limit,
            hold: Duration::ZERO,
            since: None,
        }
    }

    /// How near it is: 1 where the machine begins to die.
    pub fn share(&self) -> f64 {
        let value = self.value.unwrap_or(0.0);
        if self.above > 0.0 {
            value / self.above
        } else if value > 0.0 {
            1.0
        } else {
            0.0
        }
    }

    /// How long the machine has left while a rule holds; nothing while none does.
    pub fn left(&self, now: Instant) -> Option<Duration> {
        let due = self.since?.0.saturating_add(self.hold.0);
        Some(Duration(due.saturating_sub(now.0)))
    }

    /// An amount of what is watched, written.
    pub fn written(&self, value: f64) -> String {
        match self.unit {
            GaugeUnit::Count => readable::number(value.round()),
            GaugeUnit::Time => readable::time(value),
            GaugeUnit::Bytes => bytes(value),
            GaugeUnit::Ratio => readable::share(value),
        }
    }

    /// In a sentence: how much there is, and when the machine dies.
    pub fn words(&self, now: Instant) -> String {
        let name = self.name.replace('_', " ");
        let value = (self.value).map_or_else(String::new, |v| format!(" {}", self.written(v)));
        let mut words = format!("{name}{value}, dies above {}", self.written(self.above));
        if !self.hold.is_zero() {
            words = format!("{words} for {}", readable::span(self.hold));
        }
        match self.left(now) {
            Some(left) => format!("{words}: {} left", countdown(left)),
            None => words,
        }
    }
}

/// A time left, to a tenth of a second.
pub fn countdown(left: Duration) -> String {
    let tenths = left.0.div_ceil(100_000_000);
    if tenths >= 600 {
        return readable::span(Duration(tenths.div_ceil(10) * 1_000_000_000));
    }
    format!("{}.{} s", tenths / 10, tenths % 10)
}

const UNITS: [(f64, &str); 3] = [
    ((1_u64 << 30) as f64, "GiB"),
    ((1_u64 << 20) as f64, "MiB"),
    ((1_u64 << 10) as f64, "KiB"),
];

/// Bytes as people read them: `1.31 GiB`.
pub fn bytes(value: f64) -> String {
    // A unit from the moment on at which three digits of the smaller one would not do.
    let unit = UNITS.into_iter().find(|(unit, _)| value >= unit * 0.9995);
    match unit {
        Some((unit, name)) => format!("{} {name}", readable::short(value / unit)),
        None => format!("{} B", readable::number(value.round())),
    }
}

/// So many of so many bytes, in the unit of all: `1.31/2 GiB`.
pub fn bytes_of(part: f64, whole: f64) -> String {
    let all = bytes(whole);
    let Some((number, unit)) = all.rsplit_once(' ') else {
        return all;
    };
    let scale = UNITS.iter().find(|(_, name)| *name == unit);
    let part = part / scale.map_or(1.0, |(scale, _)| *scale);
    format!(
        "{}/{number} {unit}",
        readable::short((part * 100.0).round() / 100.0)
    )
}

/// What can bring a server down.
pub fn of_server(now: &ServerSnapshot, model: &Server) -> Vec<Danger> {
    let rules = model.params.crash.iter().zip(&now.rules);
    let memory = now.memory.map(Danger::of_memory);
    rules.map(Danger::of_rule).chain(memory).collect()
}

/// What can bring a balancer instance down.
pub fn of_instance(now: &InstanceSnapshot, balancer: &Balancer) -> Vec<Danger> {
    let rules = balancer.crash.iter().zip(&now.rules);
    let memory = now.memory.map(Danger::of_memory);
    rules.map(Danger::of_rule).chain(memory).collect()
}

/// The most attempts that an instance can hold and live.
pub fn most_held(balancer: &Balancer) -> Option<f64> {
    let of_bytes = |bytes: f64| {
        let memory = balancer.memory.as_ref()?;
        let each = memory.per_connection;
        (each > 0.0).then(|| ((bytes - memory.base) / each).floor())
    };
    let of_rule = |rule: &CrashRule| match rule.gauge.gauge {
        Gauge::InFlight => Some(rule.above),
        Gauge::Memory => of_bytes(rule.above),
        Gauge::QueueLen | Gauge::QueueAge | Gauge::Utilisation => None,
    };
    let of_memory = (balancer.memory.as_ref()).and_then(|memory| of_bytes(memory.limit));
    let all = balancer.crash.iter().filter_map(of_rule).chain(of_memory);
    all.reduce(f64::min)
}

/// How near a balancer instance is to the most that it can hold: what it takes at most, or can bear.
pub fn load(balancer: &Balancer, held: f64, waiting: f64) -> f64 {
    let taken = balancer
        .max_connections
        .map(|most| held / f64::from(most.max(1)));
    let borne = most_held(balancer).map(|most| held / most.max(1.0));
    let lines = balancer
        .crash
        .iter()
        .filter(|rule| rule.gauge.gauge == Gauge::QueueLen);
    let lines = lines.map(|rule| waiting / rule.above.max(1.0));
    taken
        .into_iter()
        .chain(borne)
        .chain(lines)
        .fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_holds_counts_down() {
        let danger = Danger {
            gauge: Gauge::InFlight,
            name: "in_flight",
            unit: GaugeUnit::Count,
            value: Some(2946.0),
            above: 2000.0,
            hold: Duration::from_secs_f64(10.0),
            since: Some(Instant(5_000_000_000)),
        };
        let now = Instant(8_250_000_000);
        let words = "in flight 2946, dies above 2000 for 10s: 6.8 s left";
        assert_eq!(danger.words(now), words);
        assert!((danger.share() - 1.473).abs() < 1e-9);
        assert_eq!(danger.left(Instant(60_000_000_000)), Some(Duration::ZERO));
        let calm = Danger {
            since: None,
            ..danger
        };
        assert_eq!(calm.left(now), None);
    }

    #[test]
    fn bytes_are_read_in_their_unit() {
        let of = |value: f64| bytes(value);
        assert_eq!(of(2.0 * 1024.0 * 1024.0 * 1024.0), "2 GiB");
        assert_eq!(of(512.0 * 1024.0 * 1024.0), "512 MiB");
        assert_eq!(of(160.0 * 1024.0), "160 KiB");
        assert_eq!(of(12.0), "12 B");
        let gib = 1024.0 * 1024.0 * 1024.0;
        assert_eq!(bytes_of(1.31 * gib, 2.0 * gib), "1.31/2 GiB");
    }
}
