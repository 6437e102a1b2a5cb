//! The results of experiments as JSON and as tables: interfaces, like the summary. The same
//! experiment gives the same bytes, whatever the machine and the number of threads.

use crate::experiment::{Classical, Comparison, FoundBy, Measure, Replicated, Run, Stop, WarmUp};
use crate::statistics::{By, Estimate, Interval, Needs, SPECTRAL, wilson};
use crate::text::Csv;
use serde::Serialize;
use std::io::{self, Write};

/// Version of the JSON form.
pub const EXPERIMENT_SCHEMA_VERSION: u32 = 1;

impl Stop {
    /// A fixed word.
    pub fn code(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Precise => "precise",
            Self::Cap => "cap",
            Self::Hopeless => "no-intervals",
            Self::Interrupted => "interrupted",
        }
    }
}

/// The warm-up, for JSON.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct WarmUpReport {
    /// How long, in seconds; absent where its end was not found.
    pub length_s: Option<f64>,
    /// Where it comes from: `given`, `mser-5`, `relaxation-times`, `not-steady` or `too-short`.
    pub method: &'static str,
    /// Mean in flight or waiting after it, with MSER-5.
    pub level_after: Option<f64>,
    /// The same after twice as long.
    pub level_after_twice: Option<f64>,
    /// Why there is none to look for.
    pub why: Option<&'static str>,
    /// A horizon that would do, in seconds, where the runs are too short for their warm-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs_horizon_s: Option<f64>,
}

impl WarmUpReport {
    /// Of a warm-up.
    pub fn of(warm_up: &WarmUp) -> Self {
        let none = Self {
            length_s: warm_up.length().map(crate::time::Duration::as_secs_f64),
            method: "given",
            level_after: None,
            level_after_twice: None,
            why: None,
            needs_horizon_s: None,
        };
        match warm_up {
            WarmUp::Given(_) => none,
            WarmUp::Found {
                by,
                after,
                after_twice,
                ..
            } => Self {
                method: match by {
                    FoundBy::Mser5 => "mser-5",
                    FoundBy::Relaxation => "relaxation-times",
                },
                level_after: Some(*after),
                level_after_twice: Some(*after_twice),
                ..none
            },
            WarmUp::NotSteady { why, .. } => Self {
                method: "not-steady",
                why: Some(why),
                ..none
            },
            WarmUp::TooShort { needs, .. } => Self {
                method: "too-short",
                needs_horizon_s: match needs {
                    Some(Needs::Horizon(s) | Needs::Both(_, s)) => Some(*s),
                    _ => None,
                },
                ..none
            },
        }
    }
}

/// An estimate of a measure.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct MeasureReport {
    /// The measure's path.
    pub measure: String,
    /// What is known of it.
    #[serde(flatten)]
    pub estimate: Estimate,
}

/// What the classical procedures say of a measure of one run.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ClassicalReport {
    /// The measure's path.
    pub measure: String,
    /// Its mean with the interval of Heidelberger and Welch; absent where there is none.
    pub heidelberger_welch: Option<Interval>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withheld: Option<String>,
    /// Whether the test takes the run, or what is left of it, to be stationary.
    pub stationary: Option<bool>,
    /// How much the test left out at the start of what is measured, in seconds.
    pub skipped_s: Option<f64>,
    /// The Cramér–von Mises statistic of the rest.
    pub cramer_von_mises: Option<f64>,
    /// How probable one as large is for a stationary series.
    pub p: Option<f64>,
    /// How much MSER-5 would leave out at the start of what is measured, in seconds; absent where it finds no end
    /// of a warm-up.
    pub mser5_s: Option<f64>,
}

impl ClassicalReport {
    fn of(found: &Classical, measures: &[Measure]) -> Self {
        let analysis = found.analysis.as_ref().ok();
        let test = analysis.and_then(|analysis| analysis.stationarity.as_ref().ok());
        let by = analysis.and_then(|analysis| {
            let spectral = |by: &&By| by.method == SPECTRAL;
            analysis.means.iter().find(spectral)
        });
        let why = match (by, &found.analysis) {
            (Some(by), _) => by.interval.as_ref().err().cloned(),
            (None, Err(why)) => Some(why.clone()),
            (None, Ok(_)) => None,
        };
        let seconds = |parts: usize| parts as f64 * found.part_s;
        Self {
            measure: measures[found.measure].path().to_owned(),
            heidelberger_welch: by.and_then(|by| by.interval.as_ref().ok().copied()),
            withheld: why,
            stationary: test.map(|test| test.passed),
            skipped_s: test.map(|test| seconds(test.skipped)),
            cramer_von_mises: test.map(|test| test.statistic),
            p: test.map(|test| test.p),
            mser5_s: analysis.and_then(|analysis| analysis.mser5).map(seconds),
        }
    }
}

/// How often an expectation holds.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ExpectationReport {
    /// As written.
    pub that: String,
    /// Replications in which it holds.
    pub held: u64,
    /// Of so many.
    pub of: u64,
    /// Least probability of holding, by Wilson's interval.
    pub low: Option<f64>,
    /// Greatest probability of holding.
    pub high: Option<f64>,
}

/// One replication.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct RunReport {
    /// Its number.
    pub replication: u64,
    /// Hash of its events.
    pub digest: String,
    /// Events.
    pub events: u64,
    /// Whether it reached its horizon.
    pub complete: bool,
    /// The value of each measure, in their order.
    pub values: Vec<Option<f64>>,
}

/// What an experiment was.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Head {
    /// [`EXPERIMENT_SCHEMA_VERSION`].
    pub schema_version: u32,
    /// `replications`, `comparison`, `stress`, `hysteresis` or `map`.
    pub experiment: &'static str,
    /// Version of the program.
    pub version: &'static str,
    /// Level of the intervals.
    pub confidence: f64,
    /// Number of the first replication.
    pub first_replication: u64,
    /// How many.
    pub replications: u64,
    /// Why there are not more: a word of [`Stop::code`].
    pub stop: &'static str,
}

impl Head {
    /// Of an experiment that has no list of runs.
    pub fn of(experiment: &'static str, level: f64, first: u64, count: u64, stop: Stop) -> Self {
        Self::with(experiment, level, first, count, stop.code())
    }

    /// Of an experiment that stops in ways of its own.
    pub(super) fn with(
        experiment: &'static str,
        level: f64,
        first: u64,
        count: u64,
        stop: &'static str,
    ) -> Self {
        Self {
            schema_version: EXPERIMENT_SCHEMA_VERSION,
            experiment,
            version: env!("CARGO_PKG_VERSION"),
            confidence: level,
            first_replication: first,
            replications: count,
            stop,
        }
    }

    fn new(experiment: &'static str, level: f64, runs: &[Run], stop: Stop) -> Self {
        let first = runs.first().map_or(0, |run| run.replication);
        Self::of(experiment, level, first, runs.len() as u64, stop)
    }
}

/// Replications of one scenario.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ReplicationsReport {
    /// What it was.
    #[serde(flatten)]
    pub head: Head,
    /// Name of the scenario.
    pub scenario: String,
    /// Hash of what it says.
    pub scenario_hash: String,
    /// Seed.
    pub seed: u64,
    /// Length of a run in seconds.
    pub horizon_s: f64,
    /// Whether a steady state was estimated.
    pub steady: bool,
    /// What was estimated: `steady`, the steady state, or `horizon`, what happens over it.
    pub estimand: &'static str,
    /// What was left out at the start.
    pub warm_up: WarmUpReport,
    /// Estimates.
    pub measures: Vec<MeasureReport>,
    /// What the classical procedures say; of one run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classical: Vec<ClassicalReport>,
    /// Expectations.
    pub expectations: Vec<ExpectationReport>,
    /// Replications.
    pub runs: Vec<RunReport>,
}

impl ReplicationsReport {
    /// Of finished replications of a scenario with this hash.
    pub fn of(
        found: &Replicated,
        measures: &[Measure],
        level: f64,
        warm_up: &WarmUp,
        scenario_hash: u64,
    ) -> Self {
        let model = &found.model;
        let of = found.runs.len() as u64;
        let expectation = |(at, expectation): (usize, &crate::model::Expectation)| {
            let held = found.runs.iter().filter(|r| r.expectations[at]).count() as u64;
            let interval = wilson(held, of, level);
            ExpectationReport {
                that: expectation.that.clone(),
                held,
                of,
                low: interval.map(|i: Interval| i.low),
                high: interval.map(|i: Interval| i.high),
            }
        };
        Self {
            head: Head::new("replications", level, &found.runs, found.stop),
            scenario: model.name.clone(),
            scenario_hash: format!("{scenario_hash:016x}"),
            seed: model.seed,
            horizon_s: model.horizon.as_secs_f64(),
            steady: found.steady,
            estimand: estimand(found.steady),
            warm_up: WarmUpReport::of(warm_up),
            measures: measures_of(measures, &found.estimates),
            classical: (found.classical.iter())
                .map(|one| ClassicalReport::of(one, measures))
                .collect(),
            expectations: model
                .expectations
                .iter()
                .enumerate()
                .map(expectation)
                .collect(),
            runs: found.runs.iter().map(run).collect(),
        }
    }
}

fn measures_of(measures: &[Measure], estimates: &[Estimate]) -> Vec<MeasureReport> {
    let one = |(measure, estimate): (&Measure, &Estimate)| MeasureReport {
        measure: measure.path().to_owned(),
        estimate: *estimate,
    };
    measures.iter().zip(estimates).map(one).collect()
}

pub(super) fn run(run: &Run) -> RunReport {
    RunReport {
        replication: run.replication,
        digest: format!("{:016x}", run.digest),
        events: run.events,
        complete: run.complete,
        values: run
            .observations
            .iter()
            .map(|o| o.map(|o| o.value))
            .collect(),
    }
}

/// What is estimated, by a fixed word.
pub(super) fn estimand(steady: bool) -> &'static str {
    if steady { "steady" } else { "horizon" }
}

/// A variant of a comparison.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct VariantReport {
    /// Its name.
    pub name: String,
    /// Its replications.
    pub runs: Vec<RunReport>,
}

/// Two variants in a measure.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PairReport {
    /// What is subtracted.
    pub from: String,
    /// From what.
    pub to: String,
    /// `to − from`.
    #[serde(flatten)]
    pub difference: Estimate,
    /// As a share of `from`.
    pub relative: Option<f64>,
    /// Probability of such a difference by chance, for this pair alone.
    pub p_value: Option<f64>,
    /// The same, adjusted by Holm's procedure for all pairs of the measure.
    pub p_adjusted: Option<f64>,
    /// Correlation under common random numbers.
    pub correlation: Option<f64>,
}

/// A place in the ranking.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PlaceReport {
    /// The variant.
    pub variant: String,
    /// Best rank it may have.
    pub best_rank: usize,
    /// Worst rank it may have.
    pub worst_rank: usize,
    /// Its estimate.
    #[serde(flatten)]
    pub estimate: Estimate,
}

/// All variants in a measure.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ComparedReport {
    /// The measure's path.
    pub measure: String,
    /// One sentence.
    pub verdict: String,
    /// From the best to the worst as measured.
    pub ranking: Vec<PlaceReport>,
    /// All pairs.
    pub pairs: Vec<PairReport>,
}

/// A comparison.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ComparisonReport {
    /// What it was.
    #[serde(flatten)]
    pub head: Head,
    /// What was estimated: `steady` or `horizon`.
    pub estimand: &'static str,
    /// What was left out at the start of every run.
    pub warm_up: WarmUpReport,
    /// By measure.
    pub measures: Vec<ComparedReport>,
    /// By variant.
    pub variants: Vec<VariantReport>,
}

impl ComparisonReport {
    /// Of a finished comparison.
    pub fn of(found: &Comparison, warm_up: &WarmUp) -> Self {
        let name = |variant: usize| found.variants[variant].name.clone();
        let measure = |at: usize| {
            let compared = &found.compared[at];
            ComparedReport {
                measure: found.measures[at].path().to_owned(),
                verdict: found.verdict(at),
                ranking: compared
                    .ranking
                    .iter()
                    .map(|place| PlaceReport {
                        variant: name(place.variant),
                        best_rank: place.best,
                        worst_rank: place.worst,
                        estimate: compared.estimates[place.variant],
                    })
                    .collect(),
                pairs: compared
                    .pairs
                    .iter()
                    .map(|pair| PairReport {
                        from: name(pair.left),
                        to: name(pair.right),
                        difference: pair.difference,
                        relative: pair.relative,
                        p_value: pair.p_value,
                        p_adjusted: pair.p_adjusted,
                        correlation: pair.correlation,
                    })
                    .collect(),
            }
        };
        let runs = found.runs.first().map_or(&[][..], Vec::as_slice);
        Self {
            head: Head::new("comparison", found.level, runs, found.stop),
            estimand: estimand(found.steady),
            warm_up: WarmUpReport::of(warm_up),
            measures: (0..found.measures.len()).map(measure).collect(),
            variants: found
                .variants
                .iter()
                .zip(&found.runs)
                .map(|(variant, runs)| VariantReport {
                    name: variant.name.clone(),
                    runs: runs.iter().map(run).collect(),
                })
                .collect(),
        }
    }
}

const ESTIMATE: [&str; 8] = [
    "mean",
    "low",
    "high",
    "level",
    "samples",
    "withheld",
    "method",
    "needs_horizon_s",
];

fn cells(estimate: &Estimate) -> Vec<String> {
    let known = estimate.interval();
    let number = |of: fn(&Interval) -> f64| known.map_or(String::new(), |i| of(i).to_string());
    vec![
        estimate.mean().map_or(String::new(), |m| m.to_string()),
        number(|i| i.low),
        number(|i| i.high),
        number(|i| i.level),
        known.map_or(String::new(), |i| i.samples.to_string()),
        estimate
            .reason()
            .map_or(String::new(), |r| r.code().to_owned()),
        known.map_or(String::new(), |i| i.method.code().to_owned()),
        match estimate.needs() {
            Some(Needs::Horizon(s) | Needs::Both(_, s)) => s.to_string(),
            _ => String::new(),
        },
    ]
}

/// Writes estimates as CSV, a row for each measure. Numbers are written in full.
///
/// # Errors
/// Those of the writer.
pub fn write_measures(report: &ReplicationsReport, out: &mut dyn Write) -> io::Result<()> {
    let mut csv = Csv::new(out);
    csv.write_record(["measure"].iter().chain(&ESTIMATE))?;
    for row in &report.measures {
        let mut record = vec![row.measure.clone()];
        record.extend(cells(&row.estimate));
        csv.write_record(&record)?;
    }
    csv.flush()
}

/// Writes replications as CSV, a row for each, with a column for each measure.
///
/// # Errors
/// Those of the writer.
pub fn write_runs(report: &ReplicationsReport, out: &mut dyn Write) -> io::Result<()> {
    let mut csv = Csv::new(out);
    let mut head = vec!["replication", "digest", "events", "complete"];
    head.extend(report.measures.iter().map(|m| m.measure.as_str()));
    csv.write_record(&head)?;
    for run in &report.runs {
        csv.write_record(run_cells(run))?;
    }
    csv.flush()
}

fn run_cells(run: &RunReport) -> Vec<String> {
    let mut record = vec![
        run.replication.to_string(),
        run.digest.clone(),
        run.events.to_string(),
        run.complete.to_string(),
    ];
    let values = run.values.iter();
    record.extend(values.map(|v| v.map_or(String::new(), |v| v.to_string())));
    record
}

/// Writes a comparison as CSV, a row for each variant and measure in the order of the ranking,
/// with its difference from the first variant.
///
/// # Errors
/// Those of the writer.
pub fn write_comparison(report: &ComparisonReport, out: &mut dyn Write) -> io::Result<()> {
    let mut csv = Csv::new(out);
    let mut head = vec!["measure", "variant", "best_rank", "worst_rank"];
    head.extend(ESTIMATE);
    head.extend([
        "difference",
        "difference_low",
        "difference_high",
        "difference_level",
        "difference_samples",
        "difference_withheld",
        "difference_method",
        "difference_needs_horizon_s",
        "p_adjusted",
    ]);
    csv.write_record(&head)?;
    let first = report.variants.first().map_or("", |v| v.name.as_str());
    for measure in &report.measures {
        for place in &measure.ranking {
            let mut record = vec![
                measure.measure.clone(),
                place.variant.clone(),
                place.best_rank.to_string(),
                place.worst_rank.to_string(),
            ];
            record.extend(cells(&place.estimate));
            let pair = measure
                .pairs
                .iter()
                .find(|pair| pair.from == first && pair.to == place.variant);
            match pair {
                Some(pair) => {
                    record.extend(cells(&pair.difference));
                    record.push(pair.p_adjusted.map_or(String::new(), |p| p.to_string()));
                }
                None => record.extend(vec![String::new(); ESTIMATE.len() + 1]),
            }
            csv.write_record(&record)?;
        }
    }
    csv.flush()
}

/// Writes the replications of a comparison as CSV, a row for each variant and replication.
///
/// # Errors
/// Those of the writer.
pub fn write_variant_runs(report: &ComparisonReport, out: &mut dyn Write) -> io::Result<()> {
    let mut csv = Csv::new(out);
    let mut head = vec!["variant", "replication", "digest", "events", "complete"];
    head.extend(report.measures.iter().map(|m| m.measure.as_str()));
    csv.write_record(&head)?;
    for variant in &report.variants {
        for run in &variant.runs {
            let mut record = vec![variant.name.clone()];
            record.extend(run_cells(run));
            csv.write_record(&record)?;
        }
    }
    csv.flush()
}
