//! `stampede sweep merge`: the parts of a plan become the whole.

use super::store::{JOURNAL, plan_of};
use super::{hand_over, output, table};
use crate::args::MergeArgs;
use crate::exit::{Exit, Failure};
use crate::files;
use crate::terminal::Out;
use sim_core::experiment::sweep::{Gap, merge};
use std::path::Path;

/// Puts the journals of a folder together.
pub(super) fn run(args: &MergeArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    output::check_parquet(args.parquet)?;
    let folder = &args.folder;
    let journals = journals(folder)?;
    if journals.is_empty() {
        return Err(
            Failure::new(Exit::Io, format!("{} holds no journal", folder.display()))
                .help("`stampede sweep PLAN --shard 0/8 -o DIR` writes one"),
        );
    }
    let plan = plan_of(folder)?;
    let rows = merge(&plan, &journals).map_err(|gap| refusal(folder, &gap))?;
    output::write(&plan, &rows, folder, args.parquet)?;
    table::print(&plan, &rows, args.format, Some(folder), quiet, out)?;
    Ok(hand_over(plan, rows, out))
}

/// Every journal of a folder with its name, in the order of names.
fn journals(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let names = files::patiently(|| files::names(folder))
        .map_err(|error| Failure::io(format!("cannot read {}", folder.display()), &error))?;
    let mut found = Vec::new();
    for name in names.into_iter().filter(|name| name.ends_with(JOURNAL)) {
        let path = folder.join(&name);
        let bytes = files::patiently(|| files::read(&path))
            .map_err(|error| Failure::io(format!("cannot read {}", path.display()), &error))?;
        found.push((name, bytes));
    }
    Ok(found)
}

fn refusal(folder: &Path, gap: &Gap) -> Failure {
    let failure = Failure::new(
        Exit::Io,
        format!("cannot merge {}: {gap}", folder.display()),
    );
    match gap {
        Gap::Alien { .. } => failure.help("a folder holds the shards of one plan only"),
        Gap::Doubled { .. } => failure.help("keep the shards of one division: remove the others"),
        Gap::Missing { .. } => failure.help("run the shards that are missing or were interrupted; cells that are there are not run again"),
    }
}
