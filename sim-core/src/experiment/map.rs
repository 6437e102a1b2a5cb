//! Trigger size against load: where a system is stable, vulnerable, or overloaded.
//!
//! *Stable*: it recovers from every trigger tried. *Vulnerable*: well by itself, but some trigger
//! puts it into a state that it does not leave. *Overloaded*: not well even without a trigger.
//! (After N. Bronson and others, "Metastable Failures in Distributed Systems", `HotOS` 2021.)

use super::control::Control;
use super::recovery::{Fate, fate};
use crate::fault::slow;
use crate::model::{Action, Actor, Afflicted, Course, Model, ServerId, TimelineEntry};
use crate::statistics::{self, Estimate, Interval, Withheld, wilson};
use crate::time::{Duration, Instant};
use std::sync::Arc;

/// A trigger that needs no words in a scenario: all servers slow down for a while.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SlowDown {
    /// When.
    pub at: Instant,
    /// Factor of their speed.
    pub factor: f64,
    /// For how long; zero: never.
    pub lasts: Duration,
    /// How long the system is watched afterwards.
    pub watch: Duration,
}

impl SlowDown {
    /// The model with this as the only thing that happens.
    pub fn model(&self, model: &Model) -> Model {
        let mut changed = model.clone();
        changed.timeline.clear();
        if !self.lasts.is_zero() {
            let all = (0..model.servers.len() as u32)
                .map(ServerId)
                .map(Afflicted::Server)
                .collect();
            changed.timeline.push(TimelineEntry {
                at: self.at,
                by: Actor::System,
                note: String::new(),
                action: Action::Fault {
                    of: all,
                    fault: slow(self.factor),
                    course: Course::lasting(self.lasts),
                },
            });
        }
        changed.horizon = Duration(
            self.at
                .0
                .saturating_add(self.lasts.0)
                .saturating_add(self.watch.0),
        );
        changed.warm_up = Duration::ZERO;
        changed.unwatch();
        changed
    }
}

/// A model with a trigger, and when that begins.
#[derive(Clone, PartialEq, Debug)]
pub struct Triggered {
    /// The model.
    pub model: Arc<Model>,
    /// From when on it is looked at.
    pub at: Instant,
}

/// A planned map.
#[derive(Clone, PartialEq, Debug)]
pub struct MapPlan {
    /// Number of the first replication.
    pub first: u64,
    /// Replications of each spot.
    pub replications: u64,
    /// Level of intervals.
    pub level: f64,
    /// Share of requests answered in time from which on a system is well.
    pub healthy: f64,
    /// How many loads.
    pub loads: usize,
    /// How many triggers.
    pub triggers: usize,
}

/// A load with a trigger.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct Spot {
    /// Replications that were well throughout.
    pub unhurt: u64,
    /// Replications that recovered.
    pub recovered: u64,
    /// Replications that were not well at the end.
    pub down: u64,
    /// Probability of not being well at the end.
    pub risk: Option<Interval>,
    /// Time from the beginning of the trigger until it was well again, in seconds, over those
    /// replications that it hurt; withheld where some were still down at the end.
    pub time_to_recover_s: Estimate,
}

/// What a load means.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// It recovers from every trigger tried.
    Stable,
    /// Well by itself, but some trigger leaves it down.
    Vulnerable,
    /// Not well by itself.
    Overloaded,
}

impl Region {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Vulnerable => "vulnerable",
            Self::Overloaded => "overloaded",
        }
    }
}

/// A map.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct Map {
    /// By load: without any trigger.
    pub bare: Vec<Spot>,
    /// By load, then by trigger.
    pub spots: Vec<Vec<Spot>>,
    /// By load.
    pub regions: Vec<Region>,
    /// Whether it was stopped; what was not complete is missing.
    pub interrupted: bool,
}

/// Draws a map. `build` gives the model of a load and a trigger, by their numbers; without a
/// trigger too. It is called from several threads.
///
/// # Errors
/// The first failure of `build`.
pub fn map<E: Send>(
    plan: &MapPlan,
    build: &(dyn Fn(usize, Option<usize>) -> Result<Triggered, E> + Sync),
    control: &Control<'_>,
) -> Result<Map, E> {
    let columns = plan.triggers + 1;
    let replications = plan.replications as usize;
    let count = plan.loads * columns * replications;
    control.plan(count as u64);
    let fates = control.map(count, |i| {
        let (cell, replication) = (i / replications, i % replications);
        let trigger = (cell % columns).checked_sub(1);
        let triggered = match build(cell / columns, trigger) {
            Ok(triggered) => triggered,
            Err(error) => return Some(Err(error)),
        };
        let number = plan.first + replication as u64;
        let simulation = control.simulate(&triggered.model, number)?;
        control.did_one();
        Some(Ok(fate(&simulation, triggered.at, plan.healthy)))
    });
    let interrupted = fates.len() < count;
    let fates: Vec<Fate> = fates.into_iter().collect::<Result<_, E>>()?;
    let cells: Vec<Spot> = fates
        .chunks_exact(replications.max(1))
        .map(|fates| spot(fates, plan.level))
        .collect();
    let mut found = Map {
        bare: Vec::new(),
        spots: Vec::new(),
        regions: Vec::new(),
        interrupted,
    };
    for row in cells.chunks_exact(columns) {
        let region = if 2 * row[0].down > plan.replications {
            Region::Overloaded
        } else if row[1..].iter().any(|spot| spot.down > 0) {
            Region::Vulnerable
        } else {
            Region::Stable
        };
        found.bare.push(row[0].clone());
        found.spots.push(row[1..].to_vec());
        found.regions.push(region);
    }
    Ok(found)
}

fn spot(fates: &[Fate], level: f64) -> Spot {
    let mut spot = Spot {
        unhurt: 0,
        recovered: 0,
        down: 0,
        risk: None,
        time_to_recover_s: Estimate::withheld(
            None,
            Withheld::NothingMeasured { missing: 0, of: 0 },
        ),
    };
    let mut times = Vec::new();
    for fate in fates {
        match fate {
            Fate::Unhurt => spot.unhurt += 1,
            Fate::Recovered(after) => {
                spot.recovered += 1;
                times.push(after.as_secs_f64());
            }
            Fate::Down => spot.down += 1,
        }
    }
    let of = fates.len() as u64;
    spot.risk = wilson(spot.down, of, level);
    // The mean of those that recovered would be one of the lucky ones only.
    spot.time_to_recover_s = if spot.down > 0 || times.is_empty() {
        let missing = spot.down;
        Estimate::withheld(None, Withheld::NothingMeasured { missing, of })
    } else {
        statistics::mean(&times, level).unless_same()
    };
    spot
}

#[cfg(test)]
mod tests {
    use super::super::control::tests::on;
    use super::*;

    /// Bronson's example: 30 workers of 100 ms, a timeout of 1 s, one retry at once.
    fn storm(rate: f64, lasts: Duration, watch_s: u64) -> Triggered {
        let text = format!(
            "horizon = \"1m\"\ntraffic = [{{ to = \"db\", rate = {rate} }}]\nclient = {{ timeout = \"1s\", retry = {{ kind = \"fixed\", attempts = 2, pause = \"0s\" }} }}\n[service.db]\ndemand = {{ kind = \"exponential\", mean = \"100ms\" }}\nserver = [{{ name = \"db\", workers = 30 }}]\n"
        );
        let model = crate::scenario::parse(&text).unwrap_or_else(|p| panic!("{p}"));
        let trigger = SlowDown {
            at: Instant::ZERO + Duration::from_secs(20),
            factor: 1e-6,
            lasts,
            watch: Duration::from_secs(watch_s),
        };
        Triggered {
            model: Arc::new(trigger.model(&model)),
            at: trigger.at,
        }
    }

    #[test]
    fn four_times_too_much_is_not_stable_because_everybody_waits() {
        let build = |load: usize, trigger: Option<usize>| -> Result<Triggered, ()> {
            let rate = [50, 400][load];
            let text = format!(
                "horizon = \"1m\"\ntraffic = [{{ to = \"web\", rate = {rate} }}]\n[service.web]\ndemand = {{ kind = \"exponential\", mean = \"10ms\" }}\nserver = [{{ name = \"a\", workers = 1 }}]\n"
            );
            let model = crate::scenario::parse(&text).unwrap_or_else(|p| panic!("{p}"));
            let slow = SlowDown {
                at: Instant::ZERO + Duration::from_secs(10),
                factor: 0.01,
                lasts: trigger.map_or(Duration::ZERO, |_| Duration::from_secs(2)),
                watch: Duration::from_secs(60),
            };
            Ok(Triggered {
                model: Arc::new(slow.model(&model)),
                at: slow.at,
            })
        };
        let plan = MapPlan {
            first: 0,
            replications: 3,
            level: 0.95,
            healthy: 0.9,
            loads: 2,
            triggers: 1,
        };
        let found = on(2, |c| map(&plan, &build, c)).expect("built");
        assert_eq!(found.regions, [Region::Stable, Region::Overloaded]);
    }

    #[test]
    fn the_published_retry_storm_has_its_three_regions() {
        // An outage of 10 s: below 150/s it recovers; at 155/s and 280/s it never does; at 320/s
        // the load alone is too much.
        let loads = [140.0, 155.0, 280.0, 320.0];
        let plan = MapPlan {
            first: 0,
            replications: 5,
            level: 0.95,
            healthy: 0.9,
            loads: loads.len(),
            triggers: 1,
        };
        let build = |load: usize, trigger: Option<usize>| -> Result<Triggered, ()> {
            let lasts = trigger.map_or(Duration::ZERO, |_| Duration::from_secs(10));
            Ok(storm(loads[load], lasts, 170))
        };
        let found = on(2, |c| map(&plan, &build, c)).expect("built");
        let (stable, vulnerable) = (Region::Stable, Region::Vulnerable);
        assert_eq!(
            found.regions,
            [stable, vulnerable, vulnerable, Region::Overloaded]
        );
        assert_eq!(
            (found.spots[0][0].recovered, found.spots[1][0].down),
            (5, 5)
        );
        assert_eq!((found.bare[2].unhurt, found.spots[2][0].down), (5, 5));
        // Forty independent runs of the published system: the last failure 130 ± 5.5 s after the
        // trigger began, the fluid limit 129 s. A bin more is needed to see that it is over.
        let time = found.spots[0][0].time_to_recover_s;
        let interval = time.interval().expect("all recovered");
        assert!((110.0..150.0).contains(&interval.mean), "{interval:?}");
        assert!(found.spots[1][0].time_to_recover_s.interval().is_none());
        assert_eq!(Ok(found), on(3, |c| map(&plan, &build, c)));
    }
}
