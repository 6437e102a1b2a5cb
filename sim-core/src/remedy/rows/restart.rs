//! Who starts what crashed.

use super::balancer::is_crashed;
use super::{Proposal, Row, Subject, set};
use crate::doctor::facts::{self, balancer_path};
use crate::model::Target;

pub(in crate::remedy) static RESTART: Row = Row {
    name: "restart",
    about: "Starts crashed servers or balancers by themselves instead of by hand.",
    source: "systemd 257: Restart=on-failure, RestartSec",
    proposes,
};

const AFTER: &str = "{ kind = \"after\", pause = \"10s\" }";

/// Whether it waits for people.
fn by_hand(kind: &str) -> bool {
    matches!(kind, "manual" | "never")
}

fn proposes(subject: &Subject<'_>) -> Vec<Proposal> {
    let mut found = Vec::new();
    for service in &subject.model.services {
        let (name, balancer) = (&service.name, &service.balancer);
        let mut servers = facts::present(subject.model, service).into_iter();
        let waits = servers.any(|(id, server)| {
            let crashed =
                |target: &Target| matches!(target, Target::Servers(all) if all.contains(&id));
            let crashes = server.params.can_crash() || is_crashed(subject.model, crashed);
            crashes && by_hand(server.params.restart.def.row.name)
        });
        if waits {
            found.push((
                format!("{name}: servers restart by themselves"),
                subject.for_servers(service, "restart", |_| Some(AFTER.to_owned())),
            ));
        }
        if balancer.can_crash() && by_hand(balancer.restart.def.row.name) {
            found.push((
                format!("{name}: the balancer restarts by itself"),
                set(balancer_path(service, "restart"), AFTER),
            ));
        }
    }
    found
}
