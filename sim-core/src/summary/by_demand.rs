//! Response times given what was asked for: who pays for whom.
//!
//! The mean says nothing of who waits. Under processor sharing a request takes as many times its demand as any
//! other; first come, first served, all wait alike, so that the small ones pay; served by size, the large ones do. Figures
//! for classes of demand show it. They are taken from the request log while it is written, so that a run that is not asked
//! for them does nothing for them.

use crate::histogram::Histogram;
use crate::model::Model;
use crate::outcome::Outcome;
use crate::record::RequestRecord;
use crate::time::{Duration, SECOND};
use serde::Serialize;

/// Classes at most.
pub const DEMAND_CLASSES_MAX: usize = 100;
/// Requests that the bounds of parts of equal size are taken from: the first so many.
const FIRST: usize = 10_000;

/// How requests are put into classes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DemandClasses {
    /// So many, of as many requests each.
    Parts(usize),
    /// Between these demands, in rising order: below the first, from each to the next, from the last on.
    Bounds(Vec<Duration>),
}

impl DemandClasses {
    /// As it is typed: a number of parts, or bounds joined by commas.
    ///
    /// # Errors
    /// Says what is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Ok(parts) = text.parse::<usize>() {
            return if (2..=DEMAND_CLASSES_MAX).contains(&parts) {
                Ok(Self::Parts(parts))
            } else {
                Err(format!("it takes 2 to {DEMAND_CLASSES_MAX} parts"))
            };
        }
        let bounds = text.split(',').map(|bound| Duration::parse(bound.trim()));
        let bounds = bounds
            .collect::<Result<Vec<Duration>, _>>()
            .map_err(|why| {
                format!(
                    "it takes a number of parts, such as 10, or bounds, such as 1ms,10ms: {why}"
                )
            })?;
        if bounds.len() >= DEMAND_CLASSES_MAX {
            return Err(format!(
                "it takes {} bounds at most",
                DEMAND_CLASSES_MAX - 1
            ));
        }
        let rising = bounds.windows(2).all(|pair| pair[0] < pair[1]);
        if !rising || bounds[0].is_zero() {
            return Err("bounds lie above 0, each above the one before".to_owned());
        }
        Ok(Self::Bounds(bounds))
    }
}

/// Figures by class, in the making.
#[derive(Clone, Debug)]
pub struct ByDemand {
    classes: DemandClasses,
    /// Only requests that arrive from here on are measured.
    from_ns: u64,
    /// Demands and response times until the bounds are known.
    held: Vec<(u64, u64)>,
    bounds: Option<Vec<u64>>,
    rows: Vec<Class>,
}

#[derive(Clone, Default, Debug)]
struct Class {
    demands: Histogram,
    responses: Histogram,
}

/// The figures of one class of demand.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct DemandRow {
    /// Least demand of the class, in seconds.
    pub from_s: f64,
    /// The demand from which on a request belongs to the next; absent for the last.
    pub to_s: Option<f64>,
    /// Requests that were answered.
    pub requests: u64,
    /// Their mean demand.
    pub demand_s: Option<f64>,
    /// Their mean response time.
    pub mean_s: Option<f64>,
    /// Median.
    pub p50_s: Option<f64>,
    /// 95th percentile.
    pub p95_s: Option<f64>,
    /// 99th percentile.
    pub p99_s: Option<f64>,
    /// Mean response time over mean demand. The mean of their quotients has no limit where demands can be as
    /// small as one likes.
    pub slowdown: Option<f64>,
}

impl ByDemand {
    /// Nothing so far, of a run of this model.
    pub fn new(model: &Model, classes: DemandClasses) -> Self {
        let mut new = Self {
            from_ns: model.warm_up.0,
            held: Vec::new(),
            bounds: None,
            rows: Vec::new(),
            classes,
        };
        if let DemandClasses::Bounds(bounds) = &new.classes {
            let bounds = bounds.iter().map(|bound| bound.0).collect();
            new.decide(bounds);
        }
        new
    }

    /// Adds requests in the order in which they ended: those that arrived after the warm-up and were answered.
    pub fn add(&mut self, records: &[RequestRecord]) {
        for record in records {
            let Some(served) = record.served else {
                continue;
            };
            if record.outcome != Outcome::Succeeded || record.arrived_ns < self.from_ns {
                continue;
            }
            let one = (served.demand_ns, record.ended_ns - record.arrived_ns);
            if self.bounds.is_some() {
                self.count(one);
            } else {
                self.held.push(one);
                if self.held.len() == FIRST {
                    self.divide();
                }
            }
        }
    }

    /// The figures of each class.
    pub fn rows(mut self) -> Vec<DemandRow> {
        if self.bounds.is_none() {
            self.divide();
        }
        let bounds = self.bounds.unwrap_or_default();
        let seconds = |ns: u64| ns as f64 / SECOND as f64;
        let row = |(at, class): (usize, &Class)| {
            let in_s = |ns: Option<f64>| ns.map(|ns| ns / SECOND as f64);
            let quantiles = class.responses.quantiles_ns([0.5, 0.95, 0.99]);
            DemandRow {
                from_s: at
                    .checked_sub(1)
                    .map_or(0.0, |before| seconds(bounds[before])),
                to_s: bounds.get(at).map(|ns| seconds(*ns)),
                requests: class.responses.count(),
                demand_s: in_s(class.demands.mean_ns()),
                mean_s: in_s(class.responses.mean_ns()),
                p50_s: in_s(quantiles.map(|q| q[0])),
                p95_s: in_s(quantiles.map(|q| q[1])),
                p99_s: in_s(quantiles.map(|q| q[2])),
                slowdown: (class.responses.mean_ns().zip(class.demands.mean_ns()))
                    .filter(|(_, demand)| *demand > 0.0)
                    .map(|(response, demand)| response / demand),
            }
        };
        self.rows.iter().enumerate().map(row).collect()
    }

    /// Bounds between parts of equal size of those that are held; fewer where many demand the same.
    fn divide(&mut self) {
        let parts = match self.classes {
            DemandClasses::Parts(parts) => parts,
            DemandClasses::Bounds(_) => 1,
        };
        let mut demands: Vec<u64> = self.held.iter().map(|(demand, _)| *demand).collect();
        demands.sort_unstable();
        let mut bounds: Vec<u64> = (1..parts)
            .filter_map(|part| demands.get(part * demands.len() / parts).copied())
            .collect();
        bounds.dedup();
        // Nobody demands less than the least.
        bounds.retain(|bound| demands.first().is_some_and(|least| bound > least));
        self.decide(bounds);
        for one in std::mem::take(&mut self.held) {
            self.count(one);
        }
    }

    fn decide(&mut self, bounds: Vec<u64>) {
        self.rows = vec![Class::default(); bounds.len() + 1];
        self.bounds = Some(bounds);
    }

    fn count(&mut self, (demand, response): (u64, u64)) {
        let bounds = self.bounds.as_deref().unwrap_or_default();
        let class = &mut self.rows[bounds.partition_point(|bound| *bound <= demand)];
        class.demands.record(demand);
        class.responses.record(response);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Simulation;
    use crate::time::Instant;
    use std::sync::Arc;

    /// M/M/1 at a load of 0.7 with a mean demand of 10 ms.
    fn rows(discipline: &str, classes: &str) -> Vec<DemandRow> {
        let text = format!(
            "horizon = \"10000s\"\nwarm_up = \"100s\"\ntraffic = [{{ to = \"web\", rate = 70 }}]\n[service.web]\n\
             demand = {{ kind = \"exponential\", mean = \"10ms\" }}\n\
             server = [{{ name = \"a\", workers = 1, queue = {{ limit = 1000000, discipline = \"{discipline}\" }} }}]\n"
        );
        let mut model = crate::scenario::parse(&text).unwrap_or_else(|p| panic!("{p}"));
        model.recording.every_nth_request = 1;
        let classes = DemandClasses::parse(classes).expect("classes");
        let mut found = ByDemand::new(&model, classes);
        let mut simulation = Simulation::new(Arc::new(model), 0);
        for second in 1..=10 {
            simulation.run_until(Instant(second * 1000 * SECOND));
            found.add(&simulation.recorder_mut().take_log());
        }
        found.rows()
    }

    /// Whether every class's mean response time is what a law says of its mean demand, within 5 %.
    fn follow(rows: &[DemandRow], law: impl Fn(f64) -> f64) -> bool {
        let near = |row: &DemandRow| {
            let (demand, mean) = (row.demand_s.unwrap_or(0.0), row.mean_s.unwrap_or(0.0));
            (mean / law(demand) - 1.0).abs() < 0.05
        };
        rows.iter().all(near)
    }

    /// E\[T | x\] = x/(1 − ρ) (Kleinrock, *Queueing Systems*, volume 2, 1976, section 4.4).
    fn sharing(demand_s: f64) -> f64 {
        demand_s / 0.3
    }

    /// E\[T | x\] = x + W, with W = ρ/(1 − ρ) mean demands.
    fn in_turn(demand_s: f64) -> f64 {
        demand_s + 0.7 / 0.3 * 0.010
    }

    #[test]
    fn sharing_slows_all_alike() {
        let rows = rows("processor-sharing", "10");
        assert_eq!(rows.len(), 10);
        assert!(follow(&rows, sharing), "{rows:?}");
        assert!(!follow(&rows, in_turn));
        for row in &rows {
            let slowdown = row.slowdown.expect("all demand something");
            assert!((slowdown * 0.3 - 1.0).abs() < 0.05, "{row:?}");
            // Equal parts, within what 10 000 say of 700 000.
            assert!((63_000..76_000).contains(&row.requests), "{row:?}");
        }
    }

    #[test]
    fn first_come_first_served_all_wait_alike() {
        let rows = rows("fifo", "2ms,5ms,10ms,30ms");
        assert_eq!(rows.len(), 5);
        assert!(follow(&rows, in_turn), "{rows:?}");
        assert!(!follow(&rows, sharing));
        assert_eq!((rows[1].from_s, rows[1].to_s), (0.002, Some(0.005)));
        assert_eq!((rows[4].from_s, rows[4].to_s), (0.03, None));
        // An exponential law has 1 − e^−0.2 below 2 ms.
        let all: u64 = rows.iter().map(|row| row.requests).sum();
        let least = rows[0].requests as f64 / all as f64;
        assert!((least - 0.181).abs() < 0.003, "{least}");
        // Of those who wait alike the 99th percentile is of the wait: ln(0.7/0.01)/0.3 demands.
        let p99 = rows[0].p99_s.expect("many");
        assert!((p99 / (0.0425 / 0.3 + 0.001) - 1.0).abs() < 0.1, "{p99}");
    }

    #[test]
    fn equal_demands_are_one_class() {
        let text = "horizon = \"10s\"\ntraffic = [{ to = \"web\", rate = 70 }]\n[service.web]\ndemand = \"10ms\"\nserver = [{ name = \"a\", workers = 1 }]\n";
        let mut model = crate::scenario::parse(text).unwrap_or_else(|p| panic!("{p}"));
        model.recording.every_nth_request = 1;
        let mut found = ByDemand::new(&model, DemandClasses::Parts(10));
        let none = found.clone().rows();
        assert!(none.len() == 1 && none[0].requests == 0 && none[0].mean_s.is_none());
        let mut simulation = Simulation::new(Arc::new(model), 0);
        simulation.run();
        found.add(&simulation.recorder_mut().take_log());
        let rows = found.rows();
        assert!(rows.len() == 1 && rows[0].requests > 500, "{rows:?}");
    }

    #[test]
    fn classes_are_read_or_refused() {
        let bounds = vec![Duration::from_millis(1), Duration::from_millis(20)];
        assert_eq!(
            DemandClasses::parse("1ms, 20ms"),
            Ok(DemandClasses::Bounds(bounds))
        );
        assert_eq!(DemandClasses::parse("10"), Ok(DemandClasses::Parts(10)));
        for (text, why) in [
            ("1", "2 to 100 parts"),
            ("101", "2 to 100 parts"),
            ("20ms,1ms", "each above the one before"),
            ("0s,1ms", "above 0"),
            ("deciles", "a number of parts, such as 10, or bounds"),
            ("", "a number of parts"),
        ] {
            let found = DemandClasses::parse(text).expect_err(text);
            assert!(found.contains(why), "{text}: {found}");
        }
    }
}
