//! Independent replications, and what it takes for their mean to agree with a theory.

use crate::support::model;
use sim_core::engine::Simulation;
use sim_core::summary::Summary;
use std::sync::Arc;
use std::thread;

/// Replications of a case: enough for a standard error that can be believed.
const REPLICATIONS: usize = 30;

/// A mean over replications.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub mean: f64,
    pub se: f64,
}

impl Measured {
    /// Within four standard errors (one test in 16 000 would be wrong by chance), or within a
    /// tenth of a per cent, where requests cut off by the end of the run may show.
    pub(crate) fn agrees(self, reference: f64, reference_se: f64) -> bool {
        let se = self.se.hypot(reference_se);
        (self.mean - reference).abs() <= (4.0 * se).max(1e-3 * reference)
    }
}

/// A figure of a summary, in milliseconds where it is a time.
pub(crate) type Figure = fn(&Summary) -> f64;

/// Runs the replications of a scenario on two threads; the means of its figures.
pub(crate) fn replicate(text: &str, figures: &[Figure]) -> Vec<Measured> {
    let model = model(text);
    let share = |first: usize| {
        let one = |replication: usize| {
            let mut simulation = Simulation::new(Arc::clone(&model), replication as u64);
            simulation.run();
            let summary = Summary::of(&simulation, 0);
            assert!(summary.complete, "{:?}", summary.warnings);
            figures.iter().map(|of| of(&summary)).collect::<Vec<f64>>()
        };
        (first..REPLICATIONS)
            .step_by(2)
            .map(one)
            .collect::<Vec<_>>()
    };
    let (even, odd) = thread::scope(|scope| {
        let odd = scope.spawn(|| share(1));
        (share(0), odd.join().expect("a replication panicked"))
    });
    let rows: Vec<&Vec<f64>> = even.iter().zip(&odd).flat_map(|(a, b)| [a, b]).collect();
    let n = rows.len() as f64;
    (0..figures.len())
        .map(|i| {
            let mean = rows.iter().map(|row| row[i]).sum::<f64>() / n;
            let squares: f64 = rows.iter().map(|row| (row[i] - mean).powi(2)).sum();
            Measured {
                mean,
                se: (squares / (n - 1.0) / n).sqrt(),
            }
        })
        .collect()
}

/// A value that theory demands.
pub(crate) struct Demand {
    pub name: &'static str,
    pub of: Figure,
    pub reference: f64,
    /// Standard error of the reference itself, where it was simulated by others.
    pub reference_se: f64,
    /// Largest standard error allowed, relative to the reference.
    pub precision: f64,
}

/// An exact value, measured so well that two per cent more or less would be noticed.
pub(crate) fn exact(name: &'static str, of: Figure, reference: f64) -> Demand {
    Demand {
        name,
        of,
        reference,
        reference_se: 0.0,
        precision: 0.005,
    }
}

/// An exact value of something so variable that only four per cent would be noticed.
pub(crate) fn rough(name: &'static str, of: Figure, reference: f64) -> Demand {
    Demand {
        precision: 0.01,
        ..exact(name, of, reference)
    }
}

/// A value that others have simulated, with their standard error.
pub(crate) fn published(name: &'static str, of: Figure, reference: f64, se: f64) -> Demand {
    Demand {
        reference_se: se,
        ..exact(name, of, reference)
    }
}

/// Runs a case and compares.
pub(crate) fn check(text: &str, demands: &[Demand]) {
    let figures: Vec<Figure> = demands.iter().map(|d| d.of).collect();
    let measured = replicate(text, &figures);
    let mut wrong = String::new();
    for (demand, measured) in demands.iter().zip(measured) {
        let Demand {
            name, reference, ..
        } = demand;
        let agrees = measured.agrees(*reference, demand.reference_se);
        let precise = measured.se <= demand.precision * reference;
        if !agrees || !precise {
            wrong += &format!(
                "{name}: {:.5} ± {:.5} for {reference:.5}{}\n",
                measured.mean,
                measured.se,
                if precise { "" } else { " is too imprecise" }
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}in\n{text}");
}

/// Mean response time.
pub(crate) fn response(summary: &Summary) -> f64 {
    summary.response_time_s.mean.unwrap_or(f64::NAN) * 1e3
}

/// Median response time.
pub(crate) fn median(summary: &Summary) -> f64 {
    summary.response_time_s.p50.unwrap_or(f64::NAN) * 1e3
}

/// 99th percentile of the response time.
pub(crate) fn p99(summary: &Summary) -> f64 {
    summary.response_time_s.p99.unwrap_or(f64::NAN) * 1e3
}

/// Mean wait.
pub(crate) fn wait(summary: &Summary) -> f64 {
    summary.wait_s.mean.unwrap_or(f64::NAN) * 1e3
}

/// Mean number of requests at a server.
pub(crate) fn in_system(summary: &Summary) -> f64 {
    let servers = &summary.services.0[0].1.servers.0;
    servers.iter().map(|(_, s)| s.mean_in_system).sum::<f64>() / servers.len() as f64
}

/// Share of requests that failed.
pub(crate) fn lost(summary: &Summary) -> f64 {
    1.0 - summary.availability.unwrap_or(f64::NAN)
}

/// Answered requests per mean time of service.
pub(crate) fn throughput(summary: &Summary) -> f64 {
    summary.goodput_hz / 1e3
}
