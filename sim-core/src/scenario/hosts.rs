//! Machines that servers share, from sections to the model, and how a time line names them.

use super::assemble::Base;
use super::problem::{Problem, suggest};
use super::section::{Cx, Item};
use super::sections::Top;
use crate::ids::Id;
use crate::model::{Host, HostId, Server, ServerId};
use std::collections::BTreeMap;

/// Most machines.
const HOSTS_MAX: usize = 10_000;
/// Most servers of one machine: each that begins or ends a piece of work may change the pace of all.
const SERVERS_OF_ONE_MAX: usize = 1000;

/// All machines.
pub(crate) fn hosts(top: &Top, cx: &mut Cx<'_>) -> Option<Vec<Host>> {
    let written = top.machine.get()?;
    if written.len() > HOSTS_MAX {
        let what = format!(
            "{} machines; at most {HOSTS_MAX} are allowed",
            written.len()
        );
        cx.push(Problem::new("E024", what).at(top.machine.span));
        return None;
    }
    let host = |(name, _, spec): &(String, _, super::sections::MachineSpec)| {
        Some(Host {
            name: name.clone(),
            cores: spec.cores.copied()?,
        })
    };
    written.iter().map(host).collect()
}

/// All machines by name.
pub(crate) type HostNames = BTreeMap<String, HostId>;

/// The names of machines in their order.
pub(crate) fn host_names<'a>(names: impl Iterator<Item = &'a String>) -> HostNames {
    let numbered = names.cloned().enumerate();
    numbered.map(|(i, name)| (name, HostId::at(i))).collect()
}

/// The machine that a server names, if it names one.
pub(crate) fn find_host(
    name: &Item<Option<String>>,
    hosts: &HostNames,
    cx: &mut Cx<'_>,
) -> Option<Option<HostId>> {
    let Some(wanted) = name.get()? else {
        return Some(None);
    };
    let found = hosts.get(wanted).copied();
    if found.is_none() {
        cx.push(unknown(wanted, hosts.keys().map(String::as_str)).at(name.span));
    }
    found.map(Some)
}

/// One without servers would change nothing, and one with very many would take very long.
pub(crate) fn check_hosts(top: &Top, servers: &[Server], cx: &mut Cx<'_>) -> Option<()> {
    let written = top.machine.get()?;
    let mut used = vec![0_usize; written.len()];
    for host in servers.iter().filter_map(|server| server.params.host) {
        used[host.position()] += 1;
    }
    let mut clean = true;
    for ((name, span, _), used) in written.iter().zip(used) {
        let problem = if used == 0 {
            let help = format!("write machine = \"{name}\" at the servers that do");
            Problem::new("E017", format!("no server runs on the machine `{name}`")).help(help)
        } else if used > SERVERS_OF_ONE_MAX {
            let what = format!(
                "{used} servers run on the machine `{name}`; at most {SERVERS_OF_ONE_MAX} can share one"
            );
            Problem::new("E024", what)
        } else {
            continue;
        };
        cx.push(problem.at(*span));
        clean = false;
    }
    clean.then_some(())
}

/// The servers that run on a machine.
pub(crate) fn servers_on(name: &str, base: &Base) -> Result<Vec<ServerId>, Problem> {
    let hosts = &base.skeleton.hosts;
    let Some(place) = hosts.iter().position(|host| host.name == name) else {
        return Err(unknown(name, hosts.iter().map(|host| host.name.as_str())));
    };
    let servers = base.fleet.servers.iter().enumerate();
    let on_it = servers.filter(|(_, server)| server.params.host == Some(HostId::at(place)));
    Ok(on_it.map(|(id, _)| ServerId::at(id)).collect())
}

fn unknown<'a>(name: &str, hosts: impl Iterator<Item = &'a str>) -> Problem {
    let help = match suggest(name, hosts) {
        none if none.is_empty() => format!("write [machine.{name}] with `cores`"),
        known => known,
    };
    Problem::new("E020", format!("no machine is called `{name}`")).help(help)
}
