//! Arguments of `rare`.

use super::experiment::{EffortArgs, ResultArgs, precision};
use super::{SCENARIO, SeededArgs, path_and_value};
use clap::Args;

const EXAMPLES: &str = "Examples:
  stampede rare mine --crash service.web.server.web-1
  stampede rare mine --reach service.web.server.web-1.queue_len=500 --precision 5%
  stampede rare mine --crash service.db.server.db --before-empty --runs 1000";

/// Arguments of `rare`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RareArgs {
    #[arg(value_name = "SCENARIO", help = SCENARIO)]
    pub scenario: String,
    /// It crashes: a server, such as `service.web.server.web-1`, or the balancer of a service that has one
    /// instance of it, `service.web.balancer`
    #[arg(
        long,
        value_name = "MACHINE",
        required_unless_present = "reach",
        conflicts_with = "reach"
    )]
    pub crash: Option<String>,
    /// A number of a machine reaches a value, such as `service.web.server.web-1.queue_len=500`; it can
    /// be `in_flight` or `queue_len`
    #[arg(long, value_name = "NUMBER=VALUE", value_parser = path_and_value)]
    pub reach: Option<(String, String)>,
    /// It happens before nothing is left at the machine, once the first has come; otherwise before the horizon
    #[arg(long)]
    pub before_empty: bool,
    /// Runs from each level, in every replication
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = clap::value_parser!(u32).range(20..=100_000))]
    pub runs: u32,
    /// Go on, in waves of ten replications, until the interval's half-width is at most this share of the probability
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, value_parser = precision)]
    pub precision: Option<f64>,
    /// With --precision: replications at most [default: 1000]
    #[arg(long, value_name = "N", requires = "precision", value_parser = clap::value_parser!(u64).range(10..=1_000_000))]
    pub max_replications: Option<u64>,
    #[command(flatten)]
    pub seeded: SeededArgs,
    #[command(flatten)]
    pub effort: EffortArgs,
    #[command(flatten)]
    pub result: ResultArgs,
}
