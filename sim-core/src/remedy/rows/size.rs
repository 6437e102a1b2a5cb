//! What is bought.

use super::{Proposal, Row, Subject, plain, set};
use crate::doctor::facts::balancer_path;
use crate::model::Server;

pub(in crate::remedy) static CAPACITY: Row = Row {
    name: "capacity",
    about: "Buys more servers, workers, speed, memory or cores.",
    source: "Gunther, Guerrilla Capacity Planning, 2007",
    proposes,
};

fn proposes(subject: &Subject<'_>) -> Vec<Proposal> {
    let mut found = Vec::new();
    for service in subject.services() {
        let name = &service.name;
        let mut for_all = |words: String, key: &str, value: &dyn Fn(&Server) -> Option<String>| {
            found.push((
                format!("{name}: {words}"),
                subject.for_servers(service, key, value),
            ));
        };
        for percent in [25, 50, 100] {
            let factor = 1.0 + f64::from(percent) / 100.0;
            for_all(format!("{percent} % more workers"), "workers", &|server| {
                Some(
                    (f64::from(server.params.workers) * factor)
                        .ceil()
                        .to_string(),
                )
            });
            for_all(format!("servers {percent} % faster"), "speed", &|server| {
                Some(plain(server.params.speed * factor))
            });
        }
        for_all(
            "servers with twice the memory".to_owned(),
            "memory.limit",
            &|server| Some(server.params.memory?.limit * 2.0).map(|limit| limit.to_string()),
        );
        for (group, many) in subject.groups(service) {
            for more in [many + 1, many * 2] {
                let path = format!("service.{name}.server.{group}.count");
                found.push((
                    format!("{name}: {more} of {group} instead of {many}"),
                    set(path, more.to_string()),
                ));
            }
        }
    }
    for service in &subject.model.services {
        if let Some(memory) = service.balancer.memory {
            found.push((
                format!("{}: a balancer with twice the memory", service.name),
                set(
                    balancer_path(service, "memory.limit"),
                    (memory.limit * 2.0).to_string(),
                ),
            ));
        }
        if !service.balancer.cost.is_zero() {
            let half = crate::time::Duration(service.balancer.cost.0 / 2);
            found.push((
                format!("{}: a balancer that is twice as fast", service.name),
                set(balancer_path(service, "cost"), half.to_string()),
            ));
        }
    }
    for host in &subject.model.hosts {
        let path = format!("machine.{}.cores", host.name);
        found.push((
            format!("{}: 50 % more cores", host.name),
            set(path, plain(host.cores * 1.5)),
        ));
    }
    found
}
