//! A plan from arguments, as the text that could have been written.

use crate::args::SweepArgs;
use crate::exit::{Exit, Failure};
use sim_core::experiment::sweep::Arguments;

/// The plan that the arguments describe.
pub(super) fn plan_text(args: &SweepArgs) -> Result<String, Failure> {
    let scenario = args.scenario.clone().unwrap_or_default();
    if scenario == "-" {
        return Err(Failure::new(
            Exit::Usage,
            "a scenario from standard input cannot be varied by arguments",
        )
        .help("write a plan with a table [scenario], and pass that: stampede sweep -"));
    }
    let arguments = Arguments {
        scenario,
        vary: args.vary.clone(),
        measures: args.measure.clone(),
        replications: args.replications,
        precision: args.precision,
        max_replications: args.max_replications,
        sobol: args.sobol,
        seed: args.seed,
        sets: args.sets.clone(),
    };
    arguments
        .plan_text()
        .map_err(|misused| Failure::new(Exit::Usage, misused.message).help(misused.help))
}
