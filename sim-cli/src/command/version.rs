//! `stampede --version`: which program this is.

use crate::exit::{Exit, Failure};
use crate::input::Input;
use crate::terminal::Out;
use sim_core::engine::Simulation;
use sim_core::report::EXPERIMENT_SCHEMA_VERSION;
use sim_core::summary::SCHEMA_VERSION;
use std::io::Write;
use std::sync::Arc;

/// The model whose digest stands for all results.
const SAMPLE: &str = "first";
/// What can be left out or added when the program is built.
const FEATURES: [(&str, bool); 2] = [
    ("watch", cfg!(feature = "watch")),
    ("parquet", cfg!(feature = "parquet")),
];

/// Prints the version, and with `verbose` what it was built from and what its results depend on: nothing
/// about the machine it runs on.
pub(crate) fn run(verbose: bool, out: &mut Out) -> Result<Exit, Failure> {
    writeln!(out, "stampede {}", env!("CARGO_PKG_VERSION"))?;
    if !verbose {
        return Ok(Exit::Ok);
    }
    let with = FEATURES.iter().filter(|(_, there)| *there);
    let features: Vec<&str> = with.map(|(name, _)| *name).collect();
    let features = if features.is_empty() {
        "none".to_owned()
    } else {
        features.join(", ")
    };
    let formats =
        format!("summary.json {SCHEMA_VERSION}, experiment.json {EXPERIMENT_SCHEMA_VERSION}");
    let digest = format!("{:016x}, of `stampede run {SAMPLE}`", digest()?);
    for (name, value) in [
        ("commit", env!("STAMPEDE_COMMIT")),
        ("target", env!("STAMPEDE_TARGET")),
        ("compiler", env!("STAMPEDE_COMPILER")),
        ("profile", env!("STAMPEDE_PROFILE")),
        ("features", &features),
        ("formats", &formats),
        ("digest", &digest),
        ("licence", env!("CARGO_PKG_LICENSE")),
    ] {
        writeln!(out, "{name:<9} {value}")?;
    }
    Ok(Exit::Ok)
}

/// The digest of the sample as this program runs it, so that two programs can be told apart by what they do.
fn digest() -> Result<u64, Failure> {
    let input = Input::open(SAMPLE, &[])?;
    let read = input.scenario(&[]).and_then(|scenario| scenario.model());
    let model = read.map_err(|problems| super::refused(&problems))?;
    let mut simulation = Simulation::new(Arc::new(model), 0);
    simulation.run();
    Ok(simulation.digest())
}
