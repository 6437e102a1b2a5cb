//! Scenarios as settings of other programs, or as load tests: the other direction.
//!
//! ```text
//! scenario ─► Subject (model, every written path) ─► target ─► text, and what has no counterpart
//! ```
//!
//! A target is a row of [`TARGETS`]. It takes the paths that it has words for; what was written and not taken
//! is handed back with its value and the reason. Nothing is dropped in silence.

mod envoy;
mod haproxy;
mod host;
mod k6;
mod kinds;
mod nginx;
mod routes;
mod said;
mod subject;
mod ways;
mod yaml;

use sim_core::scenario::{Problems, Scenario};
use subject::Subject;

/// A program whose settings, or whose load tests, are written.
pub struct Target {
    /// Its name, for `--as`.
    pub name: &'static str,
    /// What is written, in a sentence.
    pub about: &'static str,
    /// Whether keys at this pattern are to be written or handed back; the others are no matter of the program.
    concerns: fn(&str) -> bool,
    /// What is no matter of the program, in a sentence.
    beside: &'static str,
    write: fn(&mut Subject<'_>) -> String,
}

/// Every target.
pub static TARGETS: &[&Target] = &[
    &nginx::TARGET,
    &haproxy::TARGET,
    &envoy::TARGET,
    &k6::TARGET,
];

/// The target of a name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().copied().find(|target| target.name == name)
}

/// What became of a scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exported {
    /// The file's text.
    pub text: String,
    /// What was written in the scenario and has no counterpart, in the order of the scenario.
    pub left: Vec<Left>,
    /// What is to be known beside it.
    pub remarks: Vec<String>,
}

/// A value of a scenario without a counterpart.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Left {
    /// Its path.
    pub path: String,
    /// The value, as a scenario writes it.
    pub value: String,
    /// Why there is none.
    pub why: String,
}

/// Writes a scenario as a target has it.
///
/// # Errors
/// All problems of the scenario.
pub fn export(scenario: &Scenario, target: &Target) -> Result<Exported, Problems> {
    let model = scenario.model()?;
    let mut subject = Subject::new(&model, &scenario.to_toml());
    let text = (target.write)(&mut subject);
    let mut remarks = std::mem::take(&mut subject.remarks);
    remarks.push(target.beside.to_owned());
    Ok(Exported {
        text,
        left: subject.left(target.concerns),
        remarks,
    })
}

/// Whether a key is a setting of balancers, and not of visitors, servers or the network around them.
fn is_of_balancers(pattern: &str) -> bool {
    const OF_SERVERS: &[&str] = &[
        "weight",
        "backup",
        "priority",
        "max_connections",
        "min_connections",
        "max_pending",
        "health",
        "present",
        "zone",
    ];
    if let Some(of_server) = pattern.strip_prefix("service.NAME.server.NAME.") {
        let word = of_server.split('.').next().unwrap_or_default();
        return OF_SERVERS.contains(&word);
    }
    let callers = ["client.", "class.NAME.client.", "traffic.NAME.client."];
    pattern.starts_with("service.NAME.balancer.")
        || pattern.starts_with("service.NAME.zone.NAME.weight")
        || callers.iter().any(|start| pattern.starts_with(start))
}

/// What is told of every balancer.
const BESIDE_BALANCERS: &str = "servers by themselves (demand, workers, queues, crashes), rates, the time line, alerts and expectations are no settings of a balancer";
/// Scenarios have no addresses.
const ADDRESSES: &str = "a scenario has no addresses: names of servers stand as host names, with port 80 where they end in none; four numbers are an address";
