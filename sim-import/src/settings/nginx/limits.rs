//! `limit_req` and `limit_conn`: guards of the ways they stand at.

use super::units;
use super::upstream::keys_of;
use super::ways::Found;
use crate::settings::directive::Directive;
use crate::settings::system::{Kind, System};
use std::fmt::Write;

/// Where zones are found, and by what requests of a way are told apart.
pub(super) struct Limits<'a, 'd> {
    pub tops: &'a [&'d [Directive]],
    /// The variable that is the key of the way's requests, once something counts by one.
    pub by_key: Option<String>,
    /// Zones that a way before has.
    pub used: Vec<String>,
}

impl<'d> Limits<'_, 'd> {
    /// The guards of a way, as a scenario writes them.
    pub(super) fn guards(&mut self, way: &Found<'_>, system: &mut System) -> Vec<String> {
        let mut guards = Vec::new();
        for limit in way.all("limit_req") {
            guards.extend(self.limit_req(limit, system));
        }
        for limit in way.all("limit_conn") {
            guards.extend(self.limit_conn(limit, system));
        }
        guards
    }

    /// The definition of a zone; another way that has it counts by itself here, and is told of.
    fn zone(
        &mut self,
        kind: &str,
        name: &str,
        limit: &Directive,
        system: &mut System,
    ) -> Option<&'d Directive> {
        let mut all = self.tops.iter().flat_map(|top| top.iter());
        let start = format!("zone={name}:");
        let found =
            all.find(|d| d.name == kind && d.args.iter().any(|arg| arg.starts_with(&start)));
        if found.is_none() {
            let why = "its zone is not in these files";
            system.remark(Kind::Missing, &limit.place, limit.text(), why);
        } else if self.used.iter().any(|other| other == name) {
            let why = format!(
                "the zone {name} counts for several ways together, and here for each by itself"
            );
            system.remark(Kind::Missing, &limit.place, limit.text(), why);
        } else {
            self.used.push(name.to_owned());
        }
        found
    }

    fn limit_req(&mut self, limit: &Directive, system: &mut System) -> Option<String> {
        let arg = |name: &str| limit.args.iter().find_map(|arg| arg.strip_prefix(name));
        let name = arg("zone=")?;
        let zone = self.zone("limit_req_zone", name, limit, system)?;
        let of_zone = |name: &str| zone.args.iter().find_map(|arg| arg.strip_prefix(name));
        let Some(rate) = of_zone("rate=").and_then(units::rate) else {
            let why = "the rate of its zone cannot be read";
            system.remark(Kind::Missing, &limit.place, limit.text(), why);
            return None;
        };
        let mut guard = format!("{{ kind = \"limit-req\", rate = {rate}, shared = true");
        if let Some(burst) = arg("burst=").and_then(|n| n.parse::<u32>().ok()) {
            let _ = write!(guard, ", burst = {burst}");
        }
        if limit.args.iter().any(|arg| arg == "nodelay") {
            guard += ", nodelay = true";
        } else if let Some(delay) = arg("delay=").and_then(|n| n.parse::<u32>().ok()) {
            let _ = write!(guard, ", delay = {delay}");
        }
        if self.is_by_client(zone, limit, system) {
            guard += ", by = \"key\"";
            let size = of_zone("zone=").and_then(|zone| zone.split_once(':'));
            if let Some(keys) = size.and_then(|(_, size)| keys_of(size)) {
                let _ = write!(guard, ", keys = {keys}");
            }
        }
        Some(guard + " }")
    }

    fn limit_conn(&mut self, limit: &Directive, system: &mut System) -> Option<String> {
        let zone = self.zone("limit_conn_zone", limit.arg(0), limit, system)?;
        // As nginx counts them.
        let most: u16 = limit.arg(1).parse().ok()?;
        let by = if self.is_by_client(zone, limit, system) {
            ", by = \"key\""
        } else {
            ""
        };
        Some(format!(
            "{{ kind = \"limit-conn\", limit = {most}{by}, shared = true }}"
        ))
    }

    /// Whether a zone counts for each client, or for all.
    fn is_by_client(&mut self, zone: &Directive, limit: &Directive, system: &mut System) -> bool {
        let key = zone.arg(0);
        let of_all = [
            "$server_name",
            "$host",
            "$http_host",
            "$server_port",
            "$scheme",
        ];
        if of_all.contains(&key) || !key.contains('$') {
            return false;
        }
        let address = |key: &str| ["$binary_remote_addr", "$remote_addr"].contains(&key);
        let same = |other: &String| *other == key || (address(other) && address(key));
        if self.by_key.as_ref().is_some_and(|other| !same(other)) {
            let why =
                "requests have one kind of key here, for this and for the choice of a server alike";
            system.remark(Kind::Read, &limit.place, limit.text(), why);
        }
        self.by_key.get_or_insert_with(|| key.to_owned());
        true
    }
}
